//! `ensemble space`: tables of many people made one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use subxt::{rpcs::rpc_params, transactions::Payload};

use crate::{
    amount::Amount,
    chain::{
        ensemble,
        types::{
            bounded_collections::bounded_vec::BoundedVec, ensemble_core::spaces as chain,
            ensemble_tensor::id::TensorId, sp_arithmetic::per_things::Permill,
        },
        At, H256,
    },
    commands::stake::millionths,
    connection::ask,
    context::{hash, Context},
    error::Error,
    output::Output,
    send::{send, Receipt},
    views::spaces::{RoundView, SpaceLine, SpaceMemberView, SpaceView},
};

/// Most spaces, or rounds, of a page of the runtime API.
const PAGE: u32 = 100;

/// What can be done with spaces.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// List all spaces
    List,

    /// Show a space
    Show {
        /// Its number
        space: u32,
    },

    /// List the contributions in a space, and what the last round found of them
    Members {
        /// Its number
        space: u32,
    },

    /// List the rounds of a space that are over
    Rounds {
        /// Its number
        space: u32,
    },

    /// Find the rows that are nearest to a token or a row
    Nearest {
        /// The number of the space
        space: u32,
        /// A token, or the number of a row
        query: String,
        /// How many, at most 100
        #[arg(long, default_value_t = 5)]
        count: u32,
    },

    /// Create a space
    Create(CreateArgs),

    /// Retire a space of one's own
    Retire {
        /// Its number
        space: u32,
    },

    /// Leave a contribution out of the rounds of a space of one's own
    Suspend {
        /// The number of the space
        space: u32,
        /// The task that the contribution won
        task: u32,
    },

    /// Take a suspended contribution in again
    Readmit {
        /// The number of the space
        space: u32,
        /// The task that the contribution won
        task: u32,
    },
}

/// What a new space is.
#[derive(Clone, Debug, clap::Args)]
pub struct CreateArgs {
    /// Rows of a table: one for each token
    #[arg(long)]
    pub rows: u32,
    /// Columns of a table
    #[arg(long)]
    pub cols: u32,
    /// The first rows, which are the same tokens for everybody; at least as many as columns
    #[arg(long)]
    pub anchors: u32,
    /// The id of a content with one token a line
    #[arg(long, value_parser = hash, value_name = "ID")]
    pub vocabulary: Option<H256>,
    /// How tables are combined
    #[arg(long, value_enum, default_value_t)]
    pub rule: RuleArg,
    /// The part of all weight that may cheat, from 0 to 0.5
    #[arg(long, default_value_t = 0.33)]
    pub tolerated: f64,
    /// Let nobody but the owner create tasks for it
    #[arg(long)]
    pub owner_only: bool,
    /// Most members
    #[arg(long, default_value_t = 32)]
    pub capacity: u32,
    /// Members without whom no round begins
    #[arg(long, default_value_t = 2)]
    pub quorum: u32,
    /// Fewest blocks from one round to the next
    #[arg(long, default_value_t = 200)]
    pub cadence: u32,
}

/// How tables are combined.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub enum RuleArg {
    /// The mean of those that are nearest to the others.
    #[default]
    MultiKrum,
    /// The table with the least sum of distances to all.
    GeometricMedian,
    /// In each place the mean without the largest and the smallest.
    TrimmedMean,
}

/// A space that was created.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpaceCreated {
    /// Its number.
    pub space: u32,
    /// What is held while it is there.
    pub deposit: Amount,
    /// What each round costs its owner.
    pub round_fee: Amount,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// A space that was changed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct SpaceChanged {
    /// Its number.
    pub space: u32,
    /// What became of it.
    pub done: String,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// Rows that are near.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Nearest {
    /// The round in which the space settled on the state.
    pub round: u32,
    /// The state.
    pub content: String,
    /// The rows, the nearest first.
    pub neighbours: Vec<Neighbour>,
}

/// A row and how near it is.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Neighbour {
    /// Its number.
    pub row: u32,
    /// Its token, if the node has the vocabulary.
    #[serde(default)]
    pub token: Option<String>,
    /// Cosine of the angle, in millionths.
    pub cosine: i32,
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or the chain refuses.
    pub async fn run(self, context: &Context) -> Result<Output, Error> {
        let calls = ensemble::transactions().spaces();
        match self {
            Self::List => list(context).await,
            Self::Show { space } => {
                let best = context.connect().await?.best().await?;
                Output::of(&view(&best, space).await?)
            },
            Self::Members { space } => {
                let best = context.connect().await?.best().await?;
                view(&best, space).await?;
                let members = ask(&best, ensemble::runtime_apis().spaces_api().members(space)).await?;
                Output::of(&members.into_iter().map(SpaceMemberView::from).collect::<Vec<_>>())
            },
            Self::Rounds { space } => rounds(context, space).await,
            Self::Nearest { space, query, count } => nearest(context, space, &query, count).await,
            Self::Create(args) => create(context, args).await,
            Self::Retire { space } => {
                let effect = format!("retires space {space}; its deposit returns when it is closed");
                change(context, space, "retired", &calls.retire(space), &effect).await
            },
            Self::Suspend { space, task } => {
                let effect = format!("leaves what won task {task} out of the rounds of space {space}");
                change(context, space, "suspended", &calls.suspend(space, task), &effect).await
            },
            Self::Readmit { space, task } => {
                let effect = format!("takes what won task {task} into the rounds of space {space} again");
                change(context, space, "readmitted", &calls.readmit(space, task), &effect).await
            },
        }
    }
}

async fn list(context: &Context) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    let mut lines: Vec<SpaceLine> = Vec::new();
    let mut first = 0;
    loop {
        let page = ask(&best, ensemble::runtime_apis().spaces_api().spaces(first, PAGE)).await?;
        let is_last = page.len() < PAGE as usize;
        first = page.last().map_or(first, |space| space.id.saturating_add(1));
        lines.extend(page.into_iter().map(|space| SpaceLine::from(SpaceView::from(space))));
        if is_last {
            return Output::of(&lines);
        }
    }
}

async fn view(at: &At, space: u32) -> Result<SpaceView, Error> {
    let found = ask(at, ensemble::runtime_apis().spaces_api().space(space)).await?;
    let none = || Error::not_found(format!("space {space}"), "`ensemble space list` names those there are");
    found.map(SpaceView::from).ok_or_else(none)
}

async fn rounds(context: &Context, space: u32) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    view(&best, space).await?;
    let mut views: Vec<RoundView> = Vec::new();
    let mut first = 0;
    loop {
        let page = ask(&best, ensemble::runtime_apis().spaces_api().history(space, first, PAGE)).await?;
        let is_last = page.len() < PAGE as usize;
        first = page.last().map_or(first, |(round, _)| round.saturating_add(1));
        views.extend(page.iter().map(|(round, past)| RoundView::new(*round, past)));
        if is_last {
            return Output::of(&views);
        }
    }
}

async fn nearest(context: &Context, space: u32, query: &str, count: u32) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let query = query.parse::<u32>().map_or_else(|_| serde_json::json!(query), |row| serde_json::json!(row));
    let near: Nearest = connection.request("ensemble_nearest", rpc_params![space, query, count]).await?;
    Output::of(&near)
}

async fn create(context: &Context, args: CreateArgs) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let signer = context.signer(&connection)?;
    let spec = chain::SpaceSpec {
        rows: args.rows,
        cols: args.cols,
        anchors: args.anchors,
        vocabulary: args.vocabulary.map(|id| TensorId(id.0)),
        matrices: BoundedVec(Vec::new()),
        rule: match args.rule {
            RuleArg::MultiKrum => chain::Rule::MultiKrum,
            RuleArg::GeometricMedian => chain::Rule::GeometricMedian,
            RuleArg::TrimmedMean => chain::Rule::TrimmedMean,
        },
        tolerated: Permill(millionths(args.tolerated)?),
        contributors: if args.owner_only { chain::Contributors::Owner } else { chain::Contributors::Anyone },
        capacity: args.capacity,
        quorum: args.quorum,
        least_weight: 1,
        most_weight: 1,
        cadence: args.cadence,
    };
    let effect = format!("creates a space of tables of {} x {}, whose rounds you pay", args.rows, args.cols);
    let call = ensemble::transactions().spaces().create(spec);
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    let event = sent.event::<ensemble::spaces::events::SpaceCreated>()?;
    Output::of(&SpaceCreated {
        space: event.space,
        deposit: Amount::planck(event.deposit),
        round_fee: Amount::planck(event.fee),
        receipt: sent.receipt,
    })
}

async fn change<C: Payload>(
    context: &Context,
    space: u32,
    done: &str,
    call: &C,
    effect: &str,
) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let signer = context.signer(&connection)?;
    let sent = send(context, &connection, &signer, call, effect).await?;
    Output::of(&SpaceChanged { space, done: done.into(), receipt: sent.receipt })
}
