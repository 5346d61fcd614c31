//! Who is served restricted tensors.
//!
//! ```text
//!  asker ── challenge(id) ──▶ gate           the gate keeps nothing: a challenge carries its own proof
//!  asker ◀── 32 bytes ─────── gate
//!  asker ── account, signature ─▶ gate ──▶ chain state: is it entitled?
//!  asker ◀── admitted ────── gate            for SESSION; every new block the chain is asked again
//! ```
//!
//! What is signed names the chain, the node that serves, for whom it serves and the content, as text that a wallet can
//! show ([`message`]). So a signature is of no use to another peer, at another node, or for another content. Each
//! challenge is good for one signature and for [`CHALLENGE_LIFETIME`].
//!
//! A peer also names the task for which it restricts what it gets, and is admitted for that task alone. Else it could
//! get as content of one task what it then serves to those who are entitled to another. It names the task with every
//! request for bytes as well, so that it gets none without knowing how they come.
//!
//! | what is checked | when it fails |
//! |---|---|
//! | that the challenge is this node's, for this asker and content, and young | [`Denied::Stale`] |
//! | that no signature of it was taken before | [`Denied::Replayed`] |
//! | how many signatures are checked by RPC | [`Denied::Busy`] |
//! | the signature | [`Denied::BadSignature`] |
//! | that the tensor is restricted, for the task that a peer names | [`Denied::NotRestricted`], [`Denied::OtherTask`] |
//! | the title, by the state of the best block | [`Denied::Refused`], with how to become entitled |

#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

mod chain;
mod challenge;
mod party;
#[cfg(test)]
pub mod tests;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use codec::{Decode, Encode};
use ensemble_core::{
    exchange::{Asker, Received, Refusal, Title},
    TaskId,
};
use ensemble_runtime::{AccountId, BlockNumber, Hash};
use ensemble_tensor::TensorId;
use parking_lot::Mutex;
use sc_network_types::PeerId;
use schnellru::{ByLength, LruMap};
use sp_core::{crypto::Pair, sr25519};
use sp_runtime::{
    traits::{IdentifyAccount, Verify},
    MultiSignature,
};

pub use chain::{Chain, ClientChain, Unavailable};
pub use challenge::{Challenge, CHALLENGE_LIFETIME};
#[cfg(test)]
pub use party::Signer;
pub use party::{Identity, Keys, Party};

use super::store::{Mark, Store};
use challenge::Challenges;

/// How long somebody is served after it has shown who it is, unless it loses its title.
pub const SESSION: Duration = Duration::from_secs(600);
/// Sessions at the same time. The one that was not used for longest makes way.
const MAX_SESSIONS: u32 = 4096;
/// Signatures that are checked by RPC in one go.
const RPC_BURST: u32 = 64;
/// After how long one more may be checked by RPC, which takes some 50 microseconds.
const RPC_INTERVAL: Duration = Duration::from_millis(1);

/// Whom a node serves.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Holder {
    /// A peer.
    Peer(PeerId),
    /// Whoever has this token, by RPC.
    Token(Token),
}

/// What a session by RPC is known by.
pub type Token = [u8; 32];

/// Why somebody is not admitted. Peers are told in these words too.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, thiserror::Error)]
pub enum Denied {
    /// The challenge is not of this node, for another asker or content, or too old.
    #[error("the challenge is not this node's for this content, or has expired; ask for another one")]
    Stale,
    /// The challenge was used.
    #[error("the challenge was used before; ask for another one")]
    Replayed,
    /// The signature is not the account's.
    #[error("the signature is not the account's over the challenge's message")]
    BadSignature,
    /// Too many signatures to check.
    #[error("the node has too many signatures to check; try again in a second")]
    Busy,
    /// The chain's state cannot be read.
    #[error("the node cannot read the chain's state; try again later or ask another node")]
    NoState,
    /// The tensor is not restricted, or to nobody.
    #[error("the tensor is not restricted to anybody on this node")]
    NotRestricted,
    /// The chain refuses.
    #[error("{}", explain(.0))]
    Refused(Refusal),
    /// The tensor is restricted, but not as content of the task that was named.
    #[error("the tensor is restricted on this node, but not as content of that task")]
    OtherTask,
}

/// The chain's refusal as a sentence with what to do about it.
fn explain(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NothingWon { task } => format!(
            "the tensor is restricted as content of task {task}, which nothing has won; before that, only the \
             validators drawn to attest it are served"
        ),
        Refusal::AnotherWon { task } => {
            format!("the tensor is restricted as content of task {task}, which another won; it is served to nobody")
        },
        Refusal::NotEntitled(ways) => format!(
            "the account has no title to what won task {}. Owners of its shares are served: buy some of the asset \
             {{\"Shares\":{}}} from one of them. So are those who bought access in the market; {}. So are accounts to which it \
             was granted as winners of other tasks; {}",
            ways.task,
            ways.task,
            if ways.sold { "call market.buyContribution" } else { "it is not sold there now" },
            if ways.exchanged { "it is being granted now" } else { "it is not granted any more, or never was" }
        ),
        Refusal::NotDrawn { task } => {
            format!("the key is not among those drawn to attest task {task}, or the others have decided")
        },
    }
}

/// Somebody who was admitted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Admission {
    /// Why.
    pub title: Title<BlockNumber>,
    /// For which task.
    pub task: TaskId,
}

struct Session {
    asker: Asker<AccountId>,
    task: TaskId,
    until: Instant,
    /// The block by whose state the asker was entitled.
    checked: Hash,
}

/// A title, the mark that it counts for, and the block by whose state it does.
struct Found {
    mark: Mark,
    title: Title<BlockNumber>,
    at: Hash,
}

/// Decides who is served restricted tensors.
pub struct Gate {
    store: Arc<Store>,
    chain: Arc<dyn Chain>,
    genesis: Hash,
    node: PeerId,
    state: Mutex<State>,
}

struct State {
    challenges: Challenges,
    /// By holder, and the content that its members are served as part of.
    sessions: LruMap<(Holder, TensorId), Session, ByLength>,
    allowance: u32,
    counted_at: Instant,
}

impl Gate {
    /// The gate of the node `node` on the chain with this genesis block.
    pub fn new(store: Arc<Store>, chain: Arc<dyn Chain>, genesis: Hash, node: PeerId) -> Self {
        let state = State {
            challenges: Challenges::new(Instant::now()),
            sessions: LruMap::new(ByLength::new(MAX_SESSIONS)),
            allowance: RPC_BURST,
            counted_at: Instant::now(),
        };
        Self { store, chain, genesis, node, state: Mutex::new(state) }
    }

    /// A challenge for a peer, or by RPC.
    pub fn challenge(&self, peer: Option<PeerId>, id: TensorId) -> Challenge {
        self.state.lock().challenges.issue(peer, id, Instant::now())
    }

    /// What has to be signed for a challenge: by a peer, for a task, or by RPC.
    pub fn message(&self, peer: Option<(PeerId, TaskId)>, id: TensorId, challenge: &Challenge) -> String {
        message(&self.genesis, &self.node, peer, id, challenge)
    }

    /// What an account was granted and may still have, oldest first.
    pub fn received(&self, account: &AccountId) -> Result<Vec<Received<BlockNumber>>, Denied> {
        self.chain.received(self.chain.best(), account).map_err(|Unavailable| Denied::NoState)
    }

    /// Admits a peer that has shown by a signature who it is, if it is entitled to what won `task`. The peer restricts
    /// what it gets for that task, so that no other counts.
    pub fn admit_peer(
        &self,
        peer: PeerId,
        id: TensorId,
        task: TaskId,
        party: Party,
        challenge: &Challenge,
        signature: [u8; 64],
    ) -> Result<Admission, Denied> {
        let message = self.message(Some((peer, task)), id, challenge);
        self.take(Some(peer), id, challenge, Instant::now(), || {
            party.verify(&message, &sr25519::Signature::from_raw(signature))
        })?;
        let asker = party.into();
        let found = self.find_title(id, Some(task), &asker)?;
        Ok(self.begin_session(Holder::Peer(peer), asker, found))
    }

    /// Admits whoever has shown by an account's signature that it may speak for the account, if that is entitled.
    /// Returns the token by which it is known from then on.
    pub fn admit_account(
        &self,
        id: TensorId,
        account: &AccountId,
        challenge: &Challenge,
        signature: &MultiSignature,
    ) -> Result<(Token, Admission), Denied> {
        let now = Instant::now();
        {
            let mut state = self.state.lock();
            // Checked again when it is taken; who has none costs the others nothing.
            state.challenges.check(None, id, challenge, now)?;
            state.check_rpc_allowance(now)?;
        }
        let message = self.message(None, id, challenge);
        self.take(None, id, challenge, now, || verify_account(&message, account, signature))?;
        let asker = Asker::Account(account.clone());
        let found = self.find_title(id, None, &asker)?;
        let token = self.state.lock().challenges.token(account, &found.mark.content);
        Ok((token, self.begin_session(Holder::Token(token), asker, found)))
    }

    /// Whether a tensor may be served to `holder` now. To whom it may not, the answer is the task that it is restricted
    /// for; nothing, if it is to nobody.
    pub fn admits(&self, holder: Option<Holder>, id: &TensorId) -> Result<(), Option<TaskId>> {
        self.admits_by(id, |mark| holder.is_some_and(|holder| self.has_session(holder, mark)))
    }

    /// As [`Self::admits`], of a holder that asks for the tensor as content of a task, or as one that is open.
    pub fn admits_under(&self, holder: Holder, id: &TensorId, under: Option<TaskId>) -> Result<(), Option<TaskId>> {
        self.admits_by(id, |mark| under == Some(mark.task) && self.has_session(holder, mark))
    }

    fn admits_by(&self, id: &TensorId, admits: impl Fn(&Mark) -> bool) -> Result<(), Option<TaskId>> {
        let Some(marks) = self.store.marks(id) else { return Ok(()) };
        match marks.iter().any(admits) {
            true => Ok(()),
            false => Err(marks.first().map(|mark| mark.task)),
        }
    }

    fn has_session(&self, holder: Holder, mark: &Mark) -> bool {
        let key = (holder, mark.content);
        let best = self.chain.best();
        let asker = {
            let mut state = self.state.lock();
            let Some(session) = state.sessions.get(&key).filter(|session| session.task == mark.task) else {
                return false;
            };
            if session.until < Instant::now() {
                state.sessions.remove(&key);
                return false;
            }
            if session.checked == best {
                return true;
            }
            session.asker.clone()
        };
        // Shares may have been sold, grants may have ended.
        let entitled = matches!(self.chain.entitlement(best, &asker, mark.task, mark.content), Ok(Ok(_)));
        let mut state = self.state.lock();
        match state.sessions.get(&key) {
            Some(session) if entitled => session.checked = best,
            Some(_) => {
                state.sessions.remove(&key);
            },
            None => {},
        }
        entitled
    }

    /// Takes a challenge whose signature is good.
    fn take(
        &self,
        peer: Option<PeerId>,
        id: TensorId,
        challenge: &Challenge,
        now: Instant,
        verify: impl FnOnce() -> bool,
    ) -> Result<(), Denied> {
        self.state.lock().challenges.check(peer, id, challenge, now)?;
        // Not under the lock, as it takes its time.
        if !verify() {
            return Err(Denied::BadSignature);
        }
        self.state.lock().challenges.take(peer, id, challenge, now)
    }

    /// Why whoever has shown that it is `asker` may have a tensor, as content of `task` or, if none is named, of any.
    fn find_title(&self, id: TensorId, task: Option<TaskId>, asker: &Asker<AccountId>) -> Result<Found, Denied> {
        let marks = self.store.marks(&id).unwrap_or_default();
        let at = self.chain.best();
        let mut denied = if marks.is_empty() { Denied::NotRestricted } else { Denied::OtherTask };
        for mark in marks.into_iter().filter(|mark| task.is_none_or(|task| task == mark.task)) {
            match self.chain.entitlement(at, asker, mark.task, mark.content) {
                Ok(Ok(title)) => return Ok(Found { mark, title, at }),
                Ok(Err(refusal)) => denied = Denied::Refused(refusal),
                Err(Unavailable) => denied = Denied::NoState,
            }
        }
        Err(denied)
    }

    fn begin_session(&self, holder: Holder, asker: Asker<AccountId>, found: Found) -> Admission {
        let Found { mark: Mark { task, content }, title, at } = found;
        let session = Session { asker, task, until: Instant::now() + SESSION, checked: at };
        self.state.lock().sessions.insert((holder, content), session);
        Admission { title, task }
    }
}

impl State {
    fn check_rpc_allowance(&mut self, now: Instant) -> Result<(), Denied> {
        let earned = now.saturating_duration_since(self.counted_at).as_millis() / RPC_INTERVAL.as_millis();
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(u32::MAX);
            self.allowance = self.allowance.saturating_add(earned).min(RPC_BURST);
            self.counted_at = now;
        }
        self.allowance = self.allowance.checked_sub(1).ok_or(Denied::Busy)?;
        Ok(())
    }
}

/// What is signed to be served a content: by `node`, to a peer as what won a task or, if there is none, by RPC.
pub fn message(
    genesis: &Hash,
    node: &PeerId,
    peer: Option<(PeerId, TaskId)>,
    id: TensorId,
    challenge: &Challenge,
) -> String {
    let asker = peer.map_or_else(|| "RPC".into(), |(peer, task)| format!("peer {peer} for task {task}"));
    let challenge = hex::encode(challenge);
    format!(
        "ensemble/exchange/v1\nRead {id}\nfrom {node}\nby {asker}\non chain 0x{}\nchallenge 0x{challenge}",
        hex::encode(genesis)
    )
}

/// Whether an account signed the message, as it is or in the frame that wallets put around what is not a transaction.
fn verify_account(message: &str, account: &AccountId, signature: &MultiSignature) -> bool {
    let framed = format!("<Bytes>{message}</Bytes>");
    signature.verify(message.as_bytes(), account) || signature.verify(framed.as_bytes(), account)
}

/// An account's id as the public key of its own scheme.
pub fn account_of(key: sr25519::Public) -> AccountId {
    sp_runtime::MultiSigner::from(key).into_account()
}

/// Bytes that nobody can guess: the seed of a key, which the SDK draws from the operating system.
fn random() -> [u8; 32] {
    let (_, seed) = sr25519::Pair::generate();
    seed
}
