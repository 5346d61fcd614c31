//! The off-chain miner: answers tasks, serves rows of a model, and reports what a scored module earns, through the RPC of
//! any node.
//!
//! It lives through restarts of the node and of itself. What must not be lost, the openings of commitments, is on the
//! disk before anything is sent; what else there is to do, the chain says anew in each block.

mod answers;
mod events;
mod scored;
mod tasks;

use std::{convert::Infallible, future::pending, time::Duration};

use futures::{stream::FuturesUnordered, StreamExt};
use serde::de::IgnoredAny;
use subxt::rpcs::{client::RpcSubscription, rpc_params};
use tokio::{
    sync::{watch, Mutex},
    time::{sleep, timeout},
};

pub use answers::Answers;
pub use events::Event;

use crate::{
    amount::Amount,
    chain::{AccountId32, H256},
    commitments::chain_part,
    connection::Connection,
    context::Context,
    error::{Error, Kind},
    events::{asked_to_end, Teller},
    keys::Key,
    link::Backoff,
    lock::Lock,
    output::Output,
    rows::{self, Rows, Service},
};
use scored::Scored;
use tasks::Tasks;

/// After so long without a block the node is asked whether it still is there.
const SILENCE: Duration = Duration::from_secs(30);
/// How long it may take to say so.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a miner is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The module that is scored, by number or name.
    pub module: Option<String>,
    /// Where contributions come from; without, tasks are left to others.
    pub answers: Option<Answers>,
    /// The smallest reward for which a task is answered, before growth.
    pub min_reward: Amount,
    /// The largest bond that is put up for a task.
    pub max_bond: Amount,
    /// What rows are served for; without, none are.
    pub service: Option<Service>,
}

/// What stays the same while a miner runs.
pub(crate) struct Miner<'a> {
    pub(crate) context: &'a Context,
    plan: Plan,
    pub(crate) key: Key,
    pub(crate) account: AccountId32,
    pub(crate) genesis: H256,
    /// One transaction at a time, so that each knows its number.
    pub(crate) sending: Mutex<()>,
}

/// Mines until the process is told to end, by SIGINT or SIGTERM. What happens is told as [`Event`]s.
///
/// # Errors
///
/// If no node answers in the beginning, another miner runs with this key, the module cannot join, or something comes up
/// that time does not heal.
pub async fn run(context: &Context, plan: Plan) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let key = context.signer(&connection)?;
    let (account, genesis) = (key.account(), connection.identity().genesis);
    let lock = format!("{}-miner-{account}", chain_part(&genesis));
    let _lock = Lock::take(&context.state_folder(), &lock, &format!("a miner of {account}"))?;
    let miner = Miner { context, plan, key, account, genesis, sending: Mutex::new(()) };
    context.confirm(&miner.effects(&connection).await?)?;
    let scored = match &miner.plan.module {
        Some(module) => Some(Scored::join(&miner, &connection, module).await?),
        None => None,
    };
    let rows = match miner.plan.service {
        Some(service) => Some(Rows::open(&miner, &connection, service).await?),
        None => None,
    };
    let ended = tokio::select! {
        ended = miner.follow(connection, scored, rows.as_ref()) => ended.map(|never| match never {}),
        stopped = asked_to_end() => stopped,
    };
    if let Some(rows) = rows {
        rows.close().await;
    }
    ended?;
    miner.tell(&Event::Stopped {})?;
    Ok(Output::told())
}

impl Miner<'_> {
    /// What is shown before it begins.
    async fn effects(&self, connection: &Connection) -> Result<Vec<String>, Error> {
        let mut effects = vec![format!("account  {}", self.account)];
        if let Some(module) = &self.plan.module {
            effects.push(format!("effect   `{module}` is scored as a miner, and joins if it has not"));
        }
        if self.plan.answers.is_some() {
            effects.push(format!(
                "effect   answers tasks, with bonds of at most {} each, and pays the fees",
                self.plan.max_bond
            ));
        }
        if let Some(service) = &self.plan.service {
            effects.extend(rows::effects(connection, &self.key, service).await?);
        }
        Ok(effects)
    }

    pub(crate) fn tell(&self, event: &Event) -> Result<(), Error> {
        Teller { as_json: self.context.options.json }.tell(event)
    }

    /// Works with one connection after the other.
    async fn follow(
        &self,
        first: Connection,
        mut scored: Option<Scored>,
        rows: Option<&Rows>,
    ) -> Result<Infallible, Error> {
        let (mut next, mut backoff) = (Some(first), Backoff::default());
        let mut tasks = Tasks::default();
        loop {
            let connection = match next.take() {
                Some(connection) => Ok(connection),
                None => Connection::open(&self.context.options.url, Some(self.genesis)).await,
            };
            let ended = match connection {
                Ok(connection) => self.work(&connection, &mut tasks, scored.as_mut(), rows, &mut backoff).await,
                Err(error) => Err(error),
            };
            let Err(error) = ended;
            if !passes(&error) {
                return Err(error);
            }
            self.tell(&Event::Disconnected { reason: error.to_string(), retry_in: backoff.wait().as_secs() })?;
            sleep(backoff.wait()).await;
            backoff = backoff.longer();
        }
    }

    /// Works with one connection until it is lost.
    async fn work(
        &self,
        connection: &Connection,
        tasks: &mut Tasks,
        scored: Option<&mut Scored>,
        rows: Option<&Rows>,
        backoff: &mut Backoff,
    ) -> Result<Infallible, Error> {
        let none = rpc_params![];
        let heads =
            connection.subscribe::<IgnoredAny>("chain_subscribeNewHeads", none, "chain_unsubscribeNewHeads").await?;
        let chain = connection.identity().chain.clone();
        self.tell(&Event::Connected { url: connection.url().into(), chain, account: self.account.to_string() })?;
        let (told, blocks) = watch::channel(0);
        let serving = async {
            match rows {
                Some(rows) => rows.work(self, connection, blocks).await,
                None => pending().await,
            }
        };
        let looking = self.look_at_blocks(connection, heads, tasks, scored, told, backoff);
        tokio::select! {
            ended = looking => ended,
            ended = serving => ended,
        }
    }

    /// Looks at each block what there is to do, and does it beside. Says the number of each block.
    async fn look_at_blocks(
        &self,
        connection: &Connection,
        mut heads: RpcSubscription<IgnoredAny>,
        tasks: &mut Tasks,
        mut scored: Option<&mut Scored>,
        told: watch::Sender<u64>,
        backoff: &mut Backoff,
    ) -> Result<Infallible, Error> {
        tasks.begin();
        let mut jobs = FuturesUnordered::new();
        let mut block = 0;
        loop {
            tokio::select! {
                head = timeout(SILENCE, heads.next()) => {
                    match head {
                        Ok(Some(head)) => drop(head.map_err(|error| Error::rpc("chain_subscribeNewHeads", error))?),
                        Ok(None) => return Err(Error::Disconnected("it ended".into())),
                        Err(_) => is_there(connection).await?,
                    }
                    let best = connection.best().await?;
                    block = best.block_number();
                    told.send_replace(block);
                    if let Some(scored) = scored.as_deref_mut() {
                        scored.look(self, &best).await?;
                    }
                    for job in tasks.look(self, connection, &best).await? {
                        jobs.push(self.work_on(connection, job));
                    }
                    *backoff = Backoff::default();
                },
                Some(done) = jobs.next() => tasks.done(self, block, done)?,
            }
        }
    }
}

/// Whether the node still answers.
async fn is_there(connection: &Connection) -> Result<(), Error> {
    let health = connection.request::<IgnoredAny>("system_health", rpc_params![]);
    match timeout(PATIENCE, health).await {
        Ok(answer) => answer.map(drop),
        Err(_) => Err(Error::Disconnected("the node is silent".into())),
    }
}

/// Whether it is a matter of time until it works again: a node that is away, is starting, or is still fetching blocks.
fn passes(error: &Error) -> bool {
    matches!(error.kind(), Kind::NoNode | Kind::Timeout | Kind::NodeRefused)
}
