//! What the chain says of a module and of the validators that may visit it, remembered for the length of a block.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use crate::{
    chain::{ensemble, text, AccountId32, At, BLOCK_SECONDS, H256},
    connection::ask,
    error::Error,
    link::Link,
    tickets::{challenge, check, Good, SignedReceipt},
    views::modules::module_record,
};

/// Validators of whom the chain is asked in a block. Who asks under more numbers than that has to wait.
const MAX_ASKED: usize = 256;

/// The chain, as an endpoint sees it.
#[derive(Debug)]
pub struct Chain {
    link: Link,
    module: u32,
    /// The URL that buyers sign for, if it is not the module's endpoint.
    public_url: Option<String>,
    seen: Mutex<Option<Seen>>,
}

/// What was seen lately.
#[derive(Debug)]
struct Seen {
    at: Instant,
    challenge: H256,
    /// The validators that the module is matched with.
    matched: Vec<u32>,
    /// The owners of validators that were asked about; none if they have nothing to do with the module.
    owners: HashMap<u32, Option<AccountId32>>,
}

impl Chain {
    /// What the chain says of a module.
    pub fn new(link: Link, module: u32, public_url: Option<String>) -> Self {
        Self { link, module, public_url, seen: Mutex::new(None) }
    }

    /// The first block.
    pub fn genesis(&self) -> H256 {
        self.link.genesis()
    }

    /// What buyers sign: the hash of the URL under which they know the endpoint.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or the module is gone.
    pub async fn challenge(&self) -> Result<H256, Error> {
        let mut seen = self.seen.lock().await;
        Ok(self.noted(self.look(&mut seen).await).await?.challenge)
    }

    /// Has the node check a receipt.
    ///
    /// # Errors
    ///
    /// If it is not good, or the node does not answer.
    pub async fn check(&self, signed: &SignedReceipt, served: u32) -> Result<Good, Error> {
        let checked = async { check(&self.link.get().await?, self.module, signed, served).await };
        self.noted(checked.await).await
    }

    /// The owner of a validator, if it is matched with the module or was drawn to check it.
    ///
    /// # Errors
    ///
    /// If the node does not answer.
    pub async fn owner_of_visitor(&self, validator: u32) -> Result<Option<AccountId32>, Error> {
        let mut seen = self.seen.lock().await;
        let found = self.find_visitor(&mut seen, validator).await;
        self.noted(found).await
    }

    async fn find_visitor(&self, seen: &mut Option<Seen>, validator: u32) -> Result<Option<AccountId32>, Error> {
        let seen = self.look(seen).await?;
        if let Some(known) = seen.owners.get(&validator) {
            return Ok(*known);
        }
        if seen.owners.len() >= MAX_ASKED {
            return Ok(None);
        }
        let best = self.link.get().await?.best().await?;
        let is_meant = seen.matched.contains(&validator) || self.is_checked_by(&best, validator).await?;
        let owner = match is_meant {
            true => ask(&best, ensemble::runtime_apis().modules_api().module(validator)).await?,
            false => None,
        };
        let owner = owner.map(|record| record.owner);
        seen.owners.insert(validator, owner);
        Ok(owner)
    }

    async fn is_checked_by(&self, best: &At, validator: u32) -> Result<bool, Error> {
        let duties = ask(best, ensemble::runtime_apis().scores_api().duties(validator)).await?;
        let checks = duties.and_then(|duties| duties.checks);
        Ok(checks.is_some_and(|checks| checks.contains(&self.module)))
    }

    /// What was seen in this block or the one before, or is now.
    async fn look<'a>(&self, seen: &'a mut Option<Seen>) -> Result<&'a mut Seen, Error> {
        let fresh = match seen.take() {
            Some(seen) if seen.at.elapsed() < Duration::from_secs(BLOCK_SECONDS) => seen,
            _ => self.see().await?,
        };
        Ok(seen.insert(fresh))
    }

    async fn see(&self) -> Result<Seen, Error> {
        let best = self.link.get().await?.best().await?;
        let record = module_record(&best, &self.module.to_string()).await?;
        let miner = ask(&best, ensemble::runtime_apis().matching_api().miner(self.module)).await?;
        let url = self.public_url.clone().unwrap_or_else(|| text(&record.endpoint));
        Ok(Seen {
            at: Instant::now(),
            challenge: challenge(&url),
            matched: miner.map(|miner| miner.validators).unwrap_or_default(),
            owners: HashMap::new(),
        })
    }

    /// Has the connection opened again if it was lost.
    async fn noted<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        match result {
            Ok(value) => Ok(value),
            Err(error) => Err(self.link.note(error).await),
        }
    }
}
