//! The off-chain miner: answers tasks, and reports what a scored module earns, through the RPC of any node.
//!
//! It lives through restarts of the node and of itself. What must not be lost, the openings of commitments, is on the
//! disk before anything is sent; what else there is to do, the chain says anew in each block.

mod answers;
mod events;
mod scored;
mod tasks;

use std::{convert::Infallible, time::Duration};

use futures::{stream::FuturesUnordered, StreamExt};
use serde::de::IgnoredAny;
use subxt::rpcs::rpc_params;
use tokio::{
    sync::Mutex,
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
    lock::Lock,
    output::Output,
};
use scored::Scored;
use tasks::Tasks;

/// Pause before the first attempt to reach a node that went away. It doubles with each that fails.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
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
}

/// What stays the same while a miner runs.
struct Miner<'a> {
    context: &'a Context,
    plan: Plan,
    key: Key,
    account: AccountId32,
    genesis: H256,
    /// One transaction at a time, so that each knows its number.
    sending: Mutex<()>,
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
    context.confirm(&miner.effects())?;
    let scored = match &miner.plan.module {
        Some(module) => Some(Scored::join(&miner, &connection, module).await?),
        None => None,
    };
    tokio::select! {
        ended = miner.follow(connection, scored) => match ended? {},
        stopped = asked_to_end() => stopped?,
    }
    miner.tell(&Event::Stopped {})?;
    Ok(Output::told())
}

impl Miner<'_> {
    /// What is shown before it begins.
    fn effects(&self) -> Vec<String> {
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
        effects
    }

    fn tell(&self, event: &Event) -> Result<(), Error> {
        Teller { as_json: self.context.options.json }.tell(event)
    }

    /// Works with one connection after the other.
    async fn follow(&self, first: Connection, mut scored: Option<Scored>) -> Result<Infallible, Error> {
        let (mut next, mut pause) = (Some(first), FIRST_PAUSE);
        let mut tasks = Tasks::default();
        loop {
            let connection = match next.take() {
                Some(connection) => Ok(connection),
                None => Connection::open(&self.context.options.url, Some(self.genesis)).await,
            };
            let ended = match connection {
                Ok(connection) => self.work(&connection, &mut tasks, scored.as_mut(), &mut pause).await,
                Err(error) => Err(error),
            };
            let Err(error) = ended;
            if !passes(&error) {
                return Err(error);
            }
            self.tell(&Event::Disconnected { reason: error.to_string(), retry_in: pause.as_secs() })?;
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Works with one connection until it is lost: looks at each block what there is to do, and does it beside.
    async fn work(
        &self,
        connection: &Connection,
        tasks: &mut Tasks,
        mut scored: Option<&mut Scored>,
        pause: &mut Duration,
    ) -> Result<Infallible, Error> {
        let none = rpc_params![];
        let mut heads =
            connection.subscribe::<IgnoredAny>("chain_subscribeNewHeads", none, "chain_unsubscribeNewHeads").await?;
        let chain = connection.identity().chain.clone();
        self.tell(&Event::Connected { url: connection.url().into(), chain, account: self.account.to_string() })?;
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
                    if let Some(scored) = scored.as_deref_mut() {
                        scored.look(self, &best).await?;
                    }
                    for job in tasks.look(self, connection, &best).await? {
                        jobs.push(self.work_on(connection, job));
                    }
                    *pause = FIRST_PAUSE;
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
