//! Votes: cast, given to others, taken back.

use schemars::JsonSchema;
use serde::Serialize;
use subxt::utils::MultiAddress;

use crate::{
    amount::Amount,
    chain::{
        ensemble,
        types::pallet_conviction_voting::{
            conviction::Conviction,
            vote::{AccountVote, Vote, Voting},
        },
        AccountId32, At,
    },
    context::Context,
    error::Error,
    output::Output,
    send::{send, Receipt},
    views::governance::{DelegationView, LockView, VoteView, VotesView, AYE},
};

use super::referendum::{existing, Tracks};

/// What a voter says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Says {
    /// For it.
    Aye,
    /// Against it.
    Nay,
    /// Neither; it counts as support, without conviction.
    Abstain,
}

/// A vote that was cast or taken back.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Voted {
    /// The referendum.
    pub referendum: u32,
    /// What became of it.
    pub done: String,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// Votes on a track that were given away, taken back or freed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Delegated {
    /// The track.
    pub track: String,
    /// What became of it.
    pub done: String,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

impl Says {
    /// The vote as the chain takes it.
    fn vote(self, amount: Amount, conviction: u8) -> AccountVote<u128> {
        let balance = amount.planck;
        match self {
            Self::Aye => AccountVote::Standard { vote: Vote(AYE | conviction), balance },
            Self::Nay => AccountVote::Standard { vote: Vote(conviction), balance },
            Self::Abstain => AccountVote::SplitAbstain { aye: 0, nay: 0, abstain: balance },
        }
    }
}

/// The chain's word for a conviction; `None` is 0.
fn conviction_of(number: u8) -> Conviction {
    match number {
        0 => Conviction::None,
        1 => Conviction::Locked1x,
        2 => Conviction::Locked2x,
        3 => Conviction::Locked3x,
        4 => Conviction::Locked4x,
        5 => Conviction::Locked5x,
        _ => Conviction::Locked6x,
    }
}

/// The number of a conviction.
fn number_of(conviction: &Conviction) -> u8 {
    match conviction {
        Conviction::None => 0,
        Conviction::Locked1x => 1,
        Conviction::Locked2x => 2,
        Conviction::Locked3x => 3,
        Conviction::Locked4x => 4,
        Conviction::Locked5x => 5,
        Conviction::Locked6x => 6,
    }
}

pub(super) async fn vote(
    context: &Context,
    referendum: u32,
    says: Says,
    amount: Amount,
    conviction: u8,
) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let view = existing(&best, &Tracks::of(&best)?, referendum).await?;
    let signer = context.signer(&connection)?;
    let call = ensemble::transactions().conviction_voting().vote(referendum, says.vote(amount, conviction));
    let about = view.call.unwrap_or_else(|| "a call that nobody has told".into());
    let verb = match says {
        Says::Aye => "votes for",
        Says::Nay => "votes against",
        Says::Abstain => "abstains from",
    };
    let effect = format!("{verb} referendum {referendum}, {about}, with {amount} and conviction {conviction}");
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    Output::of(&Voted { referendum, done: "voted".into(), receipt: sent.receipt })
}

pub(super) async fn remove(context: &Context, referendum: u32) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let signer = context.signer(&connection)?;
    let track = track_of_vote(&best, &Tracks::of(&best)?, &signer.account(), referendum).await?;
    let call = ensemble::transactions().conviction_voting().remove_vote(Some(track), referendum);
    let effect = format!("takes back the vote on referendum {referendum}");
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    Output::of(&Voted { referendum, done: "removed".into(), receipt: sent.receipt })
}

/// The track on which an account voted on a referendum: the chain forgets it when the referendum is over.
async fn track_of_vote(at: &At, tracks: &Tracks, account: &AccountId32, referendum: u32) -> Result<u16, Error> {
    for track in tracks.numbers() {
        let Stand { votes, .. } = stand(at, account, track).await?;
        if votes.iter().any(|(number, _)| *number == referendum) {
            return Ok(track);
        }
    }
    let remedy = "`ensemble governance votes` lists those of the account";
    Err(Error::not_found(format!("vote of {account} on referendum {referendum}"), remedy))
}

pub(super) async fn delegate(
    context: &Context,
    track: &str,
    to: &str,
    amount: Amount,
    conviction: u8,
) -> Result<Output, Error> {
    let to = context.account(Some(to))?;
    let connection = context.connect().await?;
    let tracks = Tracks::of(&connection.best().await?)?;
    let number = tracks.number(track)?;
    let track = tracks.name(number);
    let signer = context.signer(&connection)?;
    let dest = MultiAddress::Id(to);
    let call =
        ensemble::transactions().conviction_voting().delegate(number, dest, conviction_of(conviction), amount.planck);
    let effect = format!("has {to} vote on track {track} with {amount} and conviction {conviction}");
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    Output::of(&Delegated { track, done: "delegated".into(), receipt: sent.receipt })
}

pub(super) async fn undelegate(context: &Context, track: &str) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let tracks = Tracks::of(&connection.best().await?)?;
    let number = tracks.number(track)?;
    let track = tracks.name(number);
    let signer = context.signer(&connection)?;
    let call = ensemble::transactions().conviction_voting().undelegate(number);
    let effect = format!("has nobody else vote on track {track} any more");
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    Output::of(&Delegated { track, done: "undelegated".into(), receipt: sent.receipt })
}

pub(super) async fn unlock(context: &Context, track: &str, account: Option<&str>) -> Result<Output, Error> {
    let account = context.account(account)?;
    let connection = context.connect().await?;
    let tracks = Tracks::of(&connection.best().await?)?;
    let number = tracks.number(track)?;
    let track = tracks.name(number);
    let signer = context.signer(&connection)?;
    let call = ensemble::transactions().conviction_voting().unlock(number, MultiAddress::Id(account));
    let effect = format!("frees what {account} has held for votes on track {track}, as far as its time is over");
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    Output::of(&Delegated { track, done: "unlocked".into(), receipt: sent.receipt })
}

pub(super) async fn votes(context: &Context, account: Option<&str>) -> Result<Output, Error> {
    let account = context.account(account)?;
    let best = context.connect().await?.best().await?;
    let tracks = Tracks::of(&best)?;
    let locks = locks(&best, &account).await?;
    let mut view =
        VotesView { account: account.to_string(), votes: Vec::new(), delegations: Vec::new(), locks: Vec::new() };
    for number in tracks.numbers() {
        let track = tracks.name(number);
        let Stand { votes, delegation, until } = stand(&best, &account, number).await?;
        let of = |(referendum, vote): &(u32, AccountVote<u128>)| VoteView::new(*referendum, track.clone(), vote);
        view.votes.extend(votes.iter().map(of));
        view.delegations.extend(delegation.map(|delegation| DelegationView { track: track.clone(), ..delegation }));
        let lock = locks.iter().find(|(other, _)| *other == number);
        view.locks.extend(lock.map(|(_, planck)| LockView { track, amount: Amount::planck(*planck), until }));
    }
    Output::of(&view)
}

/// What an account said on a track.
struct Stand {
    votes: Vec<(u32, AccountVote<u128>)>,
    /// Its name of the track is empty.
    delegation: Option<DelegationView>,
    /// The block until which what was voted before is held.
    until: Option<u32>,
}

async fn stand(at: &At, account: &AccountId32, track: u16) -> Result<Stand, Error> {
    let address = ensemble::storage().conviction_voting().voting_for();
    let entry = at.storage().fetch(address, (*account, track)).await.map_err(Error::chain)?;
    Ok(match entry.decode().map_err(Error::chain)? {
        Voting::Casting(casting) => {
            Stand { votes: casting.votes.0, delegation: None, until: (casting.prior.1 > 0).then_some(casting.prior.0) }
        },
        Voting::Delegating(delegating) => Stand {
            votes: Vec::new(),
            delegation: Some(DelegationView {
                track: String::new(),
                to: delegating.target.to_string(),
                amount: Amount::planck(delegating.balance),
                conviction: number_of(&delegating.conviction),
            }),
            until: (delegating.prior.1 > 0).then_some(delegating.prior.0),
        },
        Voting::__Ignore(_) => return Err(Error::OldMetadata("the record of votes".into())),
    })
}

/// What is held of an account for votes, by tracks.
async fn locks(at: &At, account: &AccountId32) -> Result<Vec<(u16, u128)>, Error> {
    let address = ensemble::storage().conviction_voting().class_locks_for();
    let entry = at.storage().fetch(address, (*account,)).await.map_err(Error::chain)?;
    Ok(entry.decode().map_err(Error::chain)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_the_chain_is_told() {
        let cases = [(Says::Aye, "aye", 3), (Says::Nay, "nay", 3), (Says::Abstain, "abstain", 0)];
        for (says, expected, conviction) in cases {
            let view = VoteView::new(1, String::new(), &says.vote(Amount::planck(9), 3));
            assert_eq!((view.vote.as_str(), view.conviction, view.amount.planck), (expected, conviction, 9));
        }
    }

    #[test]
    fn convictions_have_numbers() {
        for number in 0..=6 {
            assert_eq!(number_of(&conviction_of(number)), number);
        }
    }
}
