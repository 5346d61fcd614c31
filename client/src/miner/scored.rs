//! The module that validators score: joins, and tells where it stands and what it was paid.

use std::{fs, io::ErrorKind, path::PathBuf};

use super::{Event, Miner};
use crate::{
    chain::{ensemble, types::ensemble_core::modules::Role, At},
    commitments::chain_part,
    connection::{ask, Connection},
    error::Error,
    send::submit,
    views::{modules::module_record, subnet::miner_view},
    Amount,
};

/// A module, and what was told of it.
pub struct Scored {
    module: u32,
    /// The epoch whose beginning was told.
    epoch: Option<u32>,
    /// The first epoch whose payment was not told.
    unpaid: u32,
    /// Where that is kept.
    file: PathBuf,
}

impl Scored {
    /// Makes a module a miner if it is none.
    ///
    /// # Errors
    ///
    /// If there is no such module, it judges others, or the chain refuses.
    pub async fn join(miner: &Miner<'_>, connection: &Connection, named: &str) -> Result<Self, Error> {
        let best = connection.best().await?;
        let record = module_record(&best, named).await?;
        match record.role {
            Role::Miner => {},
            Role::Idle => {
                let call = ensemble::transactions().modules().set_role(record.id, Role::Miner);
                let sent = submit(connection, &miner.key, &call).await?;
                miner.tell(&Event::Joined { module: record.id, block: sent.receipt.block })?;
            },
            Role::Validator { .. } => {
                return Err(Error::Usage {
                    message: format!("module `{named}` is a validator"),
                    remedy: "name another module, or end that with `ensemble validator leave`".into(),
                })
            },
        }
        let name = format!("{}-miner-{}-epoch", chain_part(&miner.genesis), record.id);
        let file = miner.context.state_folder().join(name);
        let epoch = ask(&best, ensemble::runtime_apis().emission_api().epoch()).await?.epoch;
        Ok(Self { module: record.id, epoch: None, unpaid: read(&file)?.unwrap_or(epoch), file })
    }

    /// Tells what is new in a block.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or what was told cannot be kept.
    pub async fn look(&mut self, miner: &Miner<'_>, best: &At) -> Result<(), Error> {
        let now = ask(best, ensemble::runtime_apis().emission_api().epoch()).await?;
        self.tell_payments(miner, best, now.epoch).await?;
        if self.epoch.replace(now.epoch) == Some(now.epoch) {
            return Ok(());
        }
        let record = module_record(best, &self.module.to_string()).await?;
        match miner_view(best, &record).await? {
            Some(view) => miner.tell(&Event::Epoch { epoch: now.epoch, ends: now.ends, miner: view }),
            None => {
                let message =
                    format!("module {} is no miner any more; `ensemble miner join` makes it one", self.module);
                miner.tell(&Event::Failed { task: None, message })
            },
        }
    }

    /// Epochs are paid some blocks after their end, and in their order.
    async fn tell_payments(&mut self, miner: &Miner<'_>, best: &At, epoch: u32) -> Result<(), Error> {
        let Some(last) = epoch.checked_sub(1).filter(|last| *last >= self.unpaid) else { return Ok(()) };
        let call = ensemble::runtime_apis().emission_api().allocations_of(self.module, self.unpaid, last);
        for allocation in ask(best, call).await?.into_iter().filter(|allocation| allocation.paid) {
            let (epoch, amount) = (allocation.epoch, Amount::planck(allocation.miner));
            miner.tell(&Event::Paid { epoch, module: self.module, amount })?;
            self.unpaid = epoch.saturating_add(1);
            fs::write(&self.file, self.unpaid.to_string()).map_err(Error::write(&self.file))?;
        }
        Ok(())
    }
}

/// The first epoch whose payment was not told before the miner was started.
fn read(file: &PathBuf) -> Result<Option<u32>, Error> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::read(file)(error)),
    }
}
