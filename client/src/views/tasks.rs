//! Tasks.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::{
        types::{
            ensemble_core::{exchange::Audience, tasks as chain, votes::Matter},
            pallet_tasks::types::Contribution,
        },
        AccountId32,
    },
    tensors::kind_name,
    views::{hex_text, part},
};

/// The chain's record of a task that is not settled.
pub type Record = chain::TaskView<AccountId32, u128, u32>;

/// A task that is not settled.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskView {
    /// Its number.
    pub task: u32,
    /// What it asks for.
    pub asks_for: String,
    /// Who created it; none of a vote.
    pub creator: Option<String>,
    /// What a vote is on.
    pub vote_on: Option<String>,
    /// Who may read what wins: `public`, `exchanged` or `private`.
    pub audience: String,
    /// The space that is to admit what wins.
    pub space: Option<u32>,
    /// `commit`, `reveal`, `attest` or `settle`.
    pub phase: String,
    /// Last block in which commitments are taken.
    pub commit_until: u32,
    /// Last block in which they are opened.
    pub reveal_until: u32,
    /// Last block in which validators attest.
    pub attest_until: u32,
    /// Number of valid reveals needed.
    pub quorum: u32,
    /// Most participants.
    pub max_participants: u32,
    /// Number of commitments.
    pub committed: u32,
    /// Number of valid reveals.
    pub revealed: u32,
    /// The content with the most revealed weight so far.
    pub leader: Option<String>,
    /// Attestations of it so far.
    pub attested: u32,
    /// Attestations needed.
    pub attestations_needed: u32,
    /// What it pays and takes; none of a vote.
    pub terms: Option<TermsView>,
    /// The accounts that may take part, if it is not open to all.
    pub committee: Option<Vec<String>>,
}

/// What a task pays and takes.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TermsView {
    /// Reward of a participant, before growth.
    pub base: Amount,
    /// Growth for each further participant, as a part of `base`.
    pub growth: f64,
    /// Part of `base` that a minority gets.
    pub minority_share: f64,
    /// The bond, or the least of it where weight is by bond.
    pub bond: Amount,
    /// The largest bond, where weight is by bond.
    pub bond_cap: Option<Amount>,
    /// Part of the bond that a minority loses.
    pub minority_slash: f64,
}

/// What a task asks for, in a few words.
pub fn asks_for(content: &chain::Content) -> String {
    match content {
        chain::Content::Tensor { kind, rows, cols } => format!("{} {rows}x{cols}", kind_name(kind)),
        chain::Content::Bytes { max_len } => format!("bytes, at most {max_len}"),
        chain::Content::Bundle { max_bytes } => format!("bundle, at most {max_bytes} bytes"),
    }
}

/// Who may read what wins.
pub fn audience_name(audience: &Audience) -> &'static str {
    match audience {
        Audience::Public => "public",
        Audience::Restricted { exchanged: true } => "exchanged",
        Audience::Restricted { exchanged: false } => "private",
    }
}

/// The name of a phase.
pub fn phase_name(phase: &chain::Phase) -> &'static str {
    match phase {
        chain::Phase::Commit => "commit",
        chain::Phase::Reveal => "reveal",
        chain::Phase::Attest => "attest",
        chain::Phase::Settle => "settle",
    }
}

fn matter(matter: &Matter) -> String {
    match matter {
        Matter::Round { space, round } => format!("round {round} of space {space}"),
        Matter::Trace { session, range } => format!("range {range} of session {session}"),
    }
}

impl From<Record> for TaskView {
    fn from(task: Record) -> Self {
        let mut view = Self {
            task: task.id,
            asks_for: asks_for(&task.content),
            creator: None,
            vote_on: None,
            audience: "public".into(),
            space: None,
            phase: phase_name(&task.phase).into(),
            commit_until: task.commit_until,
            reveal_until: task.reveal_until,
            attest_until: task.attest_until,
            quorum: task.quorum,
            max_participants: task.max_participants,
            committed: task.committed,
            revealed: task.revealed,
            leader: task.leader.map(|leader| hex_text(&leader.0)),
            attested: task.attested.0,
            attestations_needed: task.attested.1,
            terms: None,
            committee: None,
        };
        match task.purpose {
            chain::PurposeView::Vote { matter: on, .. } => view.vote_on = Some(matter(&on)),
            chain::PurposeView::Contribution { creator, audience, space, weighting, terms, committee } => {
                view.creator = Some(creator.to_string());
                view.audience = audience_name(&audience).into();
                view.space = space;
                view.committee = committee.map(|accounts| accounts.iter().map(ToString::to_string).collect());
                view.terms = Some(TermsView {
                    base: Amount::planck(terms.base),
                    growth: part(terms.growth.0),
                    minority_share: part(terms.minority_share.0),
                    bond: Amount::planck(terms.bond),
                    bond_cap: match weighting {
                        chain::Weighting::Account => None,
                        chain::Weighting::Bond { cap } => Some(Amount::planck(cap)),
                    },
                    minority_slash: part(terms.minority_slash.0),
                });
            },
        }
        view
    }
}

/// A task in a list.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskLine {
    /// Its number.
    pub task: u32,
    /// What it asks for.
    pub asks_for: String,
    /// `commit`, `reveal`, `attest` or `settle`.
    pub phase: String,
    /// Last block in which commitments are taken.
    pub commit_until: u32,
    /// Last block in which they are opened.
    pub reveal_until: u32,
    /// Number of commitments.
    pub committed: u32,
    /// Most participants.
    pub max_participants: u32,
    /// Reward of a participant, before growth; none of a vote.
    pub base: Option<Amount>,
    /// The bond; none of a vote.
    pub bond: Option<Amount>,
}

impl From<TaskView> for TaskLine {
    fn from(view: TaskView) -> Self {
        Self {
            task: view.task,
            asks_for: view.asks_for,
            phase: view.phase,
            commit_until: view.commit_until,
            reveal_until: view.reveal_until,
            committed: view.committed,
            max_participants: view.max_participants,
            base: view.terms.as_ref().map(|terms| terms.base),
            bond: view.terms.as_ref().map(|terms| terms.bond),
        }
    }
}

/// What became of a task that is settled.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeView {
    /// The task.
    pub task: u32,
    /// Whether something won.
    pub is_won: bool,
    /// What won.
    pub content: Option<String>,
    /// Its kind.
    pub kind: Option<String>,
    /// Its rows.
    pub rows: Option<u32>,
    /// Its columns.
    pub cols: Option<u32>,
    /// Who may read it: `public`, `exchanged` or `private`.
    pub audience: Option<String>,
    /// Number of winners.
    pub winners: u32,
    /// Number of commitments.
    pub committed: u32,
    /// Block in which it was settled.
    pub settled_at: Option<u32>,
}

impl OutcomeView {
    /// What the chain says of a task that is not open any more.
    pub fn new(task: u32, contribution: Option<&Contribution<AccountId32, u32>>) -> Self {
        let won = contribution;
        let header = won.map(|won| &won.descriptor.header);
        Self {
            task,
            is_won: won.is_some(),
            content: won.map(|won| hex_text(&won.content.0)),
            kind: header.map(|header| kind_name(&header.kind).into()),
            rows: header.map(|header| header.rows),
            cols: header.map(|header| header.cols),
            audience: won.map(|won| audience_name(&won.audience).into()),
            winners: won.map_or(0, |won| won.winners),
            committed: won.map_or(0, |won| won.committed),
            settled_at: won.map(|won| won.settled_at),
        }
    }
}
