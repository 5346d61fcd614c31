//! Spaces.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::{
        text,
        types::ensemble_core::{spaces as chain, votes::VoteEnd},
        AccountId32,
    },
    views::{hex_text, part},
};

/// A space.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpaceView {
    /// Its number.
    pub space: u32,
    /// Who created it.
    pub owner: String,
    /// What is held from its owner.
    pub deposit: Amount,
    /// Rows of a table.
    pub rows: u32,
    /// Columns of a table.
    pub cols: u32,
    /// Rows by which tables are aligned.
    pub anchors: u32,
    /// The content that says which token each row stands for.
    pub vocabulary: Option<String>,
    /// The matrices that come with each table, as `name rows x columns`.
    pub matrices: Vec<String>,
    /// How tables are combined: `multi-krum`, `geometric-median` or `trimmed-mean`.
    pub rule: String,
    /// The part of all members, by weight, that may cheat.
    pub tolerated: f64,
    /// Who may create tasks for it: `anyone` or `owner`.
    pub contributors: String,
    /// Most members.
    pub capacity: u32,
    /// Members without whom no round begins.
    pub quorum: u32,
    /// Fewest blocks from one round to the next.
    pub cadence: u32,
    /// Number of members.
    pub members: u32,
    /// Number of members that count.
    pub counting: u32,
    /// `resting`, `due`, `running` or `closing`.
    pub activity: String,
    /// The round that it has settled on.
    pub round: Option<u32>,
    /// The bundle that it has settled on.
    pub state: Option<String>,
}

impl From<chain::SpaceView<AccountId32, u128, u32>> for SpaceView {
    fn from(space: chain::SpaceView<AccountId32, u128, u32>) -> Self {
        let spec = space.spec;
        let rule = match spec.rule {
            chain::Rule::MultiKrum => "multi-krum",
            chain::Rule::GeometricMedian => "geometric-median",
            chain::Rule::TrimmedMean => "trimmed-mean",
        };
        let contributors = match spec.contributors {
            chain::Contributors::Anyone => "anyone",
            chain::Contributors::Owner => "owner",
        };
        let activity = match space.activity {
            chain::Activity::Resting => "resting",
            chain::Activity::Due(_) => "due",
            chain::Activity::Running { .. } => "running",
            chain::Activity::Closing => "closing",
        };
        let matrices = spec.matrices.0.iter();
        Self {
            space: space.id,
            owner: space.owner.to_string(),
            deposit: Amount::planck(space.deposit),
            rows: spec.rows,
            cols: spec.cols,
            anchors: spec.anchors,
            vocabulary: spec.vocabulary.map(|id| hex_text(&id.0)),
            matrices: matrices
                .map(|matrix| format!("{} {}x{}", text(&matrix.name.0), matrix.rows, matrix.cols))
                .collect(),
            rule: rule.into(),
            tolerated: part(spec.tolerated.0),
            contributors: contributors.into(),
            capacity: spec.capacity,
            quorum: spec.quorum,
            cadence: spec.cadence,
            members: space.members,
            counting: space.counting,
            activity: activity.into(),
            round: space.state.as_ref().map(|state| state.round),
            state: space.state.map(|state| hex_text(&state.content.0)),
        }
    }
}

/// A space in a list.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct SpaceLine {
    /// Its number.
    pub space: u32,
    /// Who created it.
    pub owner: String,
    /// Rows of a table.
    pub rows: u32,
    /// Columns of a table.
    pub cols: u32,
    /// Number of members.
    pub members: u32,
    /// `resting`, `due`, `running` or `closing`.
    pub activity: String,
    /// The round that it has settled on.
    pub round: Option<u32>,
}

impl From<SpaceView> for SpaceLine {
    fn from(view: SpaceView) -> Self {
        let SpaceView { space, owner, rows, cols, members, activity, round, .. } = view;
        Self { space, owner, rows, cols, members, activity, round }
    }
}

/// A contribution in a space.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpaceMemberView {
    /// The task that it won.
    pub task: u32,
    /// What it is.
    pub content: String,
    /// How much it counts.
    pub weight: String,
    /// Whether it takes part in rounds.
    pub counts: bool,
    /// The last round of which there is a report that names it.
    pub last_round: Option<u32>,
    /// Why that round left it out, if it did.
    pub rejection: Option<String>,
}

impl From<chain::Member> for SpaceMemberView {
    fn from(member: chain::Member) -> Self {
        let rejection = member.last.as_ref().and_then(|(_, finding)| finding.rejection.as_ref());
        Self {
            task: member.task,
            content: hex_text(&member.content.0),
            weight: member.weight.to_string(),
            counts: matches!(member.standing, chain::Standing::Counting { .. }),
            rejection: rejection.map(|rejection| why_rejected(rejection).into()),
            last_round: member.last.map(|(round, _)| round),
        }
    }
}

fn why_rejected(rejection: &chain::Rejection) -> &'static str {
    match rejection {
        chain::Rejection::WrongShape => "wrong shape",
        chain::Rejection::AllZero => "nothing but zeros",
        chain::Rejection::Saturated => "too many numbers as large as can be",
        chain::Rejection::IllConditioned => "its anchors do not span all dimensions",
        chain::Rejection::Duplicate => "the same as a member admitted earlier",
        chain::Rejection::Outvoted => "too far from the others",
        chain::Rejection::RowTooLong => "a row is too long",
    }
}

/// A round that is over.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct RoundView {
    /// Its number.
    pub round: u32,
    /// The vote on it.
    pub task: u32,
    /// Number of members that took part.
    pub entrants: u32,
    /// Block in which it began.
    pub began: u32,
    /// Block in which it ended.
    pub ended: u32,
    /// What it settled on; none if no result won.
    pub content: Option<String>,
}

impl RoundView {
    /// What the chain says of it.
    pub fn new(round: u32, past: &chain::PastRound<u32>) -> Self {
        Self {
            round,
            task: past.task,
            entrants: past.entrants,
            began: past.began,
            ended: past.ended,
            content: match &past.end {
                VoteEnd::Settled(content) => Some(hex_text(&content.0)),
                VoteEnd::Void(_) => None,
            },
        }
    }
}
