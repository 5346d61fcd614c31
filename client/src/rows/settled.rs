//! What sessions paid and cost, by what final blocks say.

use std::collections::HashMap;

use parking_lot::Mutex;
use subxt::rpcs::rpc_params;

use super::{book::Kept, Rows};
use crate::{
    amount::Amount,
    chain::{ensemble, At, H256},
    connection::Connection,
    error::{Error, Kind},
    miner::{Event, Miner},
};

/// Blocks that are read at most for what settled meanwhile.
const CATCH_UP: u64 = 64;

/// What was read.
#[derive(Default)]
pub struct Settled(Mutex<State>);

#[derive(Default)]
struct State {
    /// The last final block that was read.
    read: u64,
    sessions: HashMap<u32, Dues>,
}

/// What a session paid and cost this account.
#[derive(Clone, Copy, Debug, Default)]
struct Dues {
    paid: Option<u128>,
    shares: Option<u128>,
    slashed: u128,
}

impl Rows {
    /// Tells what became of sessions that are over for good, and lets them go.
    ///
    /// # Errors
    ///
    /// If the connection was lost, or files cannot be removed.
    pub(super) async fn settle(&self, miner: &Miner<'_>, connection: &Connection, best: &At) -> Result<(), Error> {
        let kept = self.tools.book.kept();
        let last = connection.finalized().await?;
        let is_idle = kept.is_empty() && self.seats.sessions().is_empty();
        self.read(miner, connection, &last, is_idle).await?;
        let mut sessions: Vec<u32> = kept.iter().map(|Kept { session, .. }| *session).collect();
        sessions.dedup();
        for session in sessions {
            // It may be too new for a final block, or on its way from one fork to another.
            if is_there(&last, session).await? || is_there(best, session).await? {
                continue;
            }
            let dues = self.settled.0.lock().sessions.remove(&session);
            let amount = |planck: Option<u128>| planck.map(Amount::planck);
            miner.tell(&Event::SessionSettled {
                session,
                paid: amount(dues.and_then(|dues| dues.paid)),
                shares: dues.and_then(|dues| dues.shares).map(|shares| shares.to_string()),
                slashed: amount(dues.map(|dues| dues.slashed)),
            })?;
            self.votes.forget(session);
            self.tools.book.forget(session)?;
        }
        Ok(())
    }

    /// Reads final blocks from the one after the last that was read on.
    async fn read(&self, miner: &Miner<'_>, connection: &Connection, last: &At, is_idle: bool) -> Result<(), Error> {
        let end = last.block_number();
        let begin = {
            let mut state = self.settled.0.lock();
            let begin = state.read.saturating_add(1).max(end.saturating_sub(CATCH_UP));
            state.read = end;
            if is_idle {
                state.sessions.clear();
                return Ok(());
            }
            begin
        };
        for number in begin..=end {
            match self.read_block(miner, connection, number).await {
                Err(error) if error.kind() == Kind::NoNode => return Err(error),
                // The node has forgotten the block: what it paid stays unknown.
                Ok(()) | Err(_) => {},
            }
        }
        Ok(())
    }

    async fn read_block(&self, miner: &Miner<'_>, connection: &Connection, number: u64) -> Result<(), Error> {
        let hash: H256 = connection.request("chain_getBlockHash", rpc_params![number]).await?;
        let events = connection.at(hash).await?.events().fetch().await.map_err(Error::chain)?;
        let mut state = self.settled.0.lock();
        for settled in events.find::<ensemble::inference::events::WorkerSettled>() {
            let settled = settled.map_err(Error::chain)?;
            if settled.who == miner.account {
                let dues = state.sessions.entry(settled.session).or_default();
                (dues.paid, dues.shares) = (Some(settled.paid), Some(settled.shares));
            }
        }
        for slashed in events.find::<ensemble::inference::events::Slashed>() {
            let slashed = slashed.map_err(Error::chain)?;
            if slashed.who == miner.account {
                let dues = state.sessions.entry(slashed.session).or_default();
                dues.slashed = dues.slashed.saturating_add(slashed.amount);
            }
        }
        Ok(())
    }
}

/// Whether the chain has a session in a block, were it only to settle it.
async fn is_there(at: &At, session: u32) -> Result<bool, Error> {
    let entry = at.storage().try_fetch(ensemble::storage().inference().sessions(), (session,)).await;
    Ok(entry.map_err(Error::chain)?.is_some())
}
