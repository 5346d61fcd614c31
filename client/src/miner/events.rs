//! What a miner tells while it runs: a line each.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{amount::Amount, views::subnet::MinerView};

/// What happened.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// A node answers.
    Connected {
        /// Where it is.
        url: String,
        /// The name of its chain.
        chain: String,
        /// The account that mines.
        account: String,
    },
    /// The node went away.
    Disconnected {
        /// Why.
        reason: String,
        /// Seconds until it is tried again.
        retry_in: u64,
    },
    /// The module joined as a miner.
    Joined {
        /// Its number.
        module: u32,
        /// The block of the transaction.
        block: u64,
    },
    /// An epoch began, or the miner: where it stands.
    Epoch {
        /// The epoch.
        epoch: u32,
        /// The first block of the next one.
        ends: u32,
        /// The miner.
        #[serde(flatten)]
        miner: MinerView,
    },
    /// The module was paid for an epoch.
    Paid {
        /// The epoch.
        epoch: u32,
        /// The module.
        module: u32,
        /// What it got; those who staked on it have their part of it.
        amount: Amount,
    },
    /// A task was committed to.
    Committed {
        /// The task.
        task: u32,
        /// The id of the content.
        content: String,
        /// The file that it was made of.
        file: String,
        /// What was put up for it.
        bond: Amount,
        /// The block of the transaction.
        block: u64,
    },
    /// A commitment was opened.
    Revealed {
        /// The task.
        task: u32,
        /// The id of the content.
        content: String,
        /// The block of the transaction.
        block: u64,
    },
    /// A task was settled.
    Settled {
        /// The task.
        task: u32,
        /// The id of what was committed to.
        content: String,
        /// Whether it won.
        is_won: bool,
        /// What was paid; none if that was before the blocks that the miner has seen.
        reward: Option<Amount>,
        /// What was lost of the bond; none as well.
        slashed: Option<Amount>,
    },
    /// The account became a worker of a model.
    WorkerJoined {
        /// The model.
        model: u32,
        /// What was put up as its bond.
        bond: Amount,
        /// The block of the transaction.
        block: u64,
    },
    /// The worker announced a node and a key.
    Announced {
        /// The model.
        model: u32,
        /// The peer id of the node.
        peer: String,
        /// The key.
        key: String,
        /// The block of the transaction.
        block: u64,
    },
    /// The node hands on what gateways send.
    Serving {
        /// The model.
        model: u32,
        /// The peer id of the node.
        peer: String,
        /// The key that signs what is served.
        key: String,
    },
    /// A gateway began to call.
    SessionBegun {
        /// The session.
        session: u32,
        /// The worker's place in it.
        place: u32,
        /// The ranges that it serves, its own first.
        ranges: Vec<u32>,
    },
    /// A gateway wants no more, or the session goes on without it.
    SessionEnded {
        /// The session.
        session: u32,
        /// The worker's place in it.
        place: u32,
        /// Positions of the traces, which are kept.
        positions: u32,
    },
    /// A trace was voted for.
    Voted {
        /// The session.
        session: u32,
        /// The range.
        range: u32,
        /// The vote.
        task: u32,
        /// The id of the trace.
        content: String,
    },
    /// Nothing is voted for.
    Abstained {
        /// The session.
        session: u32,
        /// The range.
        range: u32,
        /// Why.
        reason: String,
    },
    /// A session is over for good.
    SessionSettled {
        /// The session.
        session: u32,
        /// What was paid; none if that was before the blocks that the miner has seen.
        paid: Option<Amount>,
        /// Shares of the model's rows that were given; none as well.
        shares: Option<String>,
        /// What was lost of the bond; none as well.
        slashed: Option<Amount>,
    },
    /// Something did not work. It is tried again if that can help.
    Failed {
        /// The task that it was for.
        task: Option<u32>,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The miner was told to end.
    Stopped {},
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { url, chain, account } => write!(f, "connected to {url}, {chain}, as {account}"),
            Self::Disconnected { reason, retry_in } => {
                write!(f, "disconnected: {reason}; trying again in {retry_in} s")
            },
            Self::Joined { module, block } => write!(f, "module {module} joined in block {block}"),
            Self::Epoch { epoch, ends, miner } => {
                let validators = miner.validators.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let by = if validators.is_empty() { "nobody".into() } else { format!("validators {validators}") };
                let score = miner.last_score.map_or_else(|| "none".into(), |score| score.to_string());
                let MinerView { name, earns, .. } = miner;
                write!(f, "epoch {epoch} until block {ends}: {name} scored by {by}, last score {score}, earns {earns}")
            },
            Self::Paid { epoch, module, amount } => write!(f, "epoch {epoch}: module {module} was paid {amount}"),
            Self::Committed { task, content, file, bond, .. } => {
                write!(f, "task {task}: committed to {content} of {file}, with a bond of {bond}")
            },
            Self::Revealed { task, content, .. } => write!(f, "task {task}: revealed {content}"),
            Self::Settled { task, is_won, reward, slashed, .. } => {
                let outcome = if *is_won { "won" } else { "did not win" };
                write!(f, "task {task}: {outcome}, reward {}, lost {}", known(reward), known(slashed))
            },
            Self::WorkerJoined { model, bond, .. } => {
                write!(f, "joined model {model} as a worker, with a bond of {bond}")
            },
            Self::Announced { model, peer, .. } => write!(f, "announced node {peer} to the workers of model {model}"),
            Self::Serving { model, peer, .. } => write!(f, "serving rows of model {model} through node {peer}"),
            Self::SessionBegun { session, place, ranges } => {
                let ranges = ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                write!(f, "session {session}: serving at place {place}, ranges {ranges}")
            },
            Self::SessionEnded { session, positions, .. } => {
                write!(f, "session {session}: served {positions} positions")
            },
            Self::Voted { session, range, content, .. } => {
                write!(f, "session {session}: voted for {content} in range {range}")
            },
            Self::Abstained { session, range, reason } => {
                write!(f, "session {session}: abstained in range {range}: {reason}")
            },
            Self::SessionSettled { session, paid, shares, slashed } => write!(
                f,
                "session {session}: paid {}, shares {}, lost {}",
                known(paid),
                shares.as_deref().unwrap_or("unknown"),
                known(slashed)
            ),
            Self::Failed { task: Some(task), message } => write!(f, "task {task}: {message}"),
            Self::Failed { task: None, message } => f.write_str(message),
            Self::Stopped {} => f.write_str("stopped"),
        }
    }
}

/// An amount, if it is known.
fn known(amount: &Option<Amount>) -> String {
    amount.map_or_else(|| "unknown".into(), |amount| amount.to_string())
}
