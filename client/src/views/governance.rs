//! Referenda and votes.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::types::pallet_conviction_voting::{types::Tally, vote::AccountVote},
};

/// A track: what sort of proposals it decides on, and how.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackView {
    /// Its number.
    pub track: u16,
    /// Its name.
    pub name: String,
    /// Most referenda that are decided on at one time.
    pub max_deciding: u32,
    /// What somebody must deposit before a decision begins.
    pub decision_deposit: Amount,
    /// Blocks before a decision begins.
    pub prepare_blocks: u32,
    /// Blocks of a decision, at most.
    pub decision_blocks: u32,
    /// Blocks for which enough must agree.
    pub confirm_blocks: u32,
    /// Blocks before what was approved is done, at least.
    pub enactment_blocks: u32,
}

/// How it stands with a referendum.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatusName {
    /// It is submitted, and no decision has begun.
    Preparing,
    /// It waits until fewer others are decided on.
    Queued,
    /// It is decided on.
    Deciding,
    /// Enough agree; it passes if they go on to.
    Confirming,
    /// It passed.
    Approved,
    /// It did not.
    Rejected,
    /// It was called off.
    Cancelled,
    /// Nobody had it decided on.
    TimedOut,
    /// It was called off, and its deposits are lost.
    Killed,
}

impl StatusName {
    /// Whether votes count.
    pub fn is_ongoing(self) -> bool {
        matches!(self, Self::Preparing | Self::Queued | Self::Deciding | Self::Confirming)
    }
}

/// What was voted so far.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct TallyView {
    /// Votes for it, by amount and conviction.
    pub ayes: Amount,
    /// Votes against it, by amount and conviction.
    pub nays: Amount,
    /// The TUNE of those who are for it or abstain.
    pub support: Amount,
}

impl From<&Tally<u128>> for TallyView {
    fn from(tally: &Tally<u128>) -> Self {
        Self {
            ayes: Amount::planck(tally.ayes),
            nays: Amount::planck(tally.nays),
            support: Amount::planck(tally.support),
        }
    }
}

/// A referendum in a list.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ReferendumLine {
    /// Its number.
    pub referendum: u32,
    /// How it stands.
    pub status: StatusName,
    /// Its track; none when it is over.
    pub track: Option<String>,
    /// The call that it would make, such as `Modules.add_type`; none if nobody has said it, or it is over.
    pub call: Option<String>,
    /// What was voted so far; none when it is over.
    pub tally: Option<TallyView>,
    /// The block in which it was over.
    pub over: Option<u32>,
}

/// A referendum.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferendumView {
    /// Its number.
    pub referendum: u32,
    /// How it stands.
    pub status: StatusName,
    /// Its track; none when it is over.
    pub track: Option<String>,
    /// What its call would act as.
    pub origin: Option<String>,
    /// The call that it would make, such as `Modules.add_type`; none if nobody has said it, or it is over.
    pub call: Option<String>,
    /// The same with what the call is given, if that is short.
    pub proposal: Option<String>,
    /// Hash of the call.
    pub hash: Option<String>,
    /// Who submitted it.
    pub submitter: Option<String>,
    /// Who made the deposit for its decision.
    pub depositor: Option<String>,
    /// Block in which it was submitted.
    pub submitted: Option<u32>,
    /// Block in which its decision began.
    pub deciding: Option<u32>,
    /// Block in which it passes if enough go on to agree.
    pub confirmed: Option<u32>,
    /// What was voted so far; none when it is over.
    pub tally: Option<TallyView>,
    /// The block in which it was over.
    pub over: Option<u32>,
}

impl ReferendumView {
    /// One of which nothing but number and status is known.
    pub fn new(referendum: u32, status: StatusName) -> Self {
        Self {
            referendum,
            status,
            track: None,
            origin: None,
            call: None,
            proposal: None,
            hash: None,
            submitter: None,
            depositor: None,
            submitted: None,
            deciding: None,
            confirmed: None,
            tally: None,
            over: None,
        }
    }
}

impl From<ReferendumView> for ReferendumLine {
    fn from(view: ReferendumView) -> Self {
        let ReferendumView { referendum, status, track, call, tally, over, .. } = view;
        Self { referendum, status, track, call, tally, over }
    }
}

/// All that an account said by voting.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct VotesView {
    /// The account.
    pub account: String,
    /// Its votes.
    pub votes: Vec<VoteView>,
    /// To whom it gave its votes.
    pub delegations: Vec<DelegationView>,
    /// What is held for that.
    pub locks: Vec<LockView>,
}

/// A vote.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct VoteView {
    /// The referendum.
    pub referendum: u32,
    /// The track.
    pub track: String,
    /// `aye`, `nay`, `abstain` or `split`.
    pub vote: String,
    /// With how much.
    pub amount: Amount,
    /// With which conviction, from 0 to 6.
    pub conviction: u8,
}

impl VoteView {
    /// What the chain says of it.
    pub fn new(referendum: u32, track: String, vote: &AccountVote<u128>) -> Self {
        let (says, planck, conviction) = match vote {
            AccountVote::Standard { vote, balance } => {
                let says = if vote.0 & AYE == 0 { "nay" } else { "aye" };
                (says, *balance, vote.0 & !AYE)
            },
            AccountVote::SplitAbstain { aye: 0, nay: 0, abstain } => ("abstain", *abstain, 0),
            AccountVote::SplitAbstain { aye, nay, abstain } => {
                ("split", aye.saturating_add(*nay).saturating_add(*abstain), 0)
            },
            AccountVote::Split { aye, nay } => ("split", aye.saturating_add(*nay), 0),
        };
        Self { referendum, track, vote: says.into(), amount: Amount::planck(planck), conviction }
    }
}

/// The bit of a vote that says aye; the others are its conviction.
pub const AYE: u8 = 0b1000_0000;

/// Votes on a track that somebody else casts.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct DelegationView {
    /// The track.
    pub track: String,
    /// Who casts them.
    pub to: String,
    /// How much they are.
    pub amount: Amount,
    /// With which conviction, from 0 to 6.
    pub conviction: u8,
}

/// What is held for votes on a track.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct LockView {
    /// The track.
    pub track: String,
    /// How much.
    pub amount: Amount,
    /// The block until which what was voted before stays; none if nothing does.
    pub until: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::types::pallet_conviction_voting::vote::Vote;

    #[test]
    fn votes_are_told_by_what_they_say() {
        let cases = [
            (AccountVote::Standard { vote: Vote(AYE | 2), balance: 5 }, ("aye", 5, 2)),
            (AccountVote::Standard { vote: Vote(0), balance: 6 }, ("nay", 6, 0)),
            (AccountVote::SplitAbstain { aye: 0, nay: 0, abstain: 7 }, ("abstain", 7, 0)),
            (AccountVote::SplitAbstain { aye: 1, nay: 2, abstain: 3 }, ("split", 6, 0)),
            (AccountVote::Split { aye: 1, nay: u128::MAX }, ("split", u128::MAX, 0)),
        ];
        for (vote, expected) in cases {
            let view = VoteView::new(1, "root".into(), &vote);
            assert_eq!((view.vote.as_str(), view.amount.planck, view.conviction), expected);
        }
    }
}
