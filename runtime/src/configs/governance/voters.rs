//! Voters: what an account may vote with, and how it is kept from voting with it twice.
//!
//! An account votes with what it can hold of its free balance and with all that it has in pools: staked, moved and
//! unbonding. What is held or reserved for something else does not vote, because it may go to somebody else: what a task
//! pays out would vote a second time.
//!
//! As long as pallet-conviction-voting locks an amount, the account keeps it. What is in the pools is bound there; what
//! the lock exceeds it by is held in the account for [`HoldReason::Votes`]. A hold and no lock of pallet-balances,
//! because locked balance may still be held for something else, and from there go to somebody else. When stake is paid
//! out, the hold grows in the same call, so that what was voted with cannot be sent to another account before the lock of
//! its conviction is over. Only a slash takes from what was voted with, and it knows no accounts; then anyone may have
//! the votes counted anew with [`Pallet::recount`].

use frame_support::{
    traits::{
        fungible::{Inspect, InspectHold, MutateHold},
        tokens::{Fortitude, Precision, Preservation},
    },
    weights::{constants::WEIGHT_REF_TIME_PER_MICROS, Weight},
};
use pallet_conviction_voting::{AccountVote, ClassLocksFor, Delegating, Voting, VotingFor, WeightInfo as _};
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, MultiAddress, Rounding};

pub use pallet::*;

use super::{tracks::TrackId, VoteWeights, MAX_VOTES};
use crate::{AccountId, Balance, Balances, ConvictionVoting, Runtime, RuntimeHoldReason, RuntimeOrigin, Stake};

/// Target of the log lines of voters.
const LOG: &str = "runtime::voters";

#[expect(clippy::cast_possible_truncation, reason = "FRAME's macros number variants with `as u8`")]
#[frame_support::pallet]
pub mod pallet {
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    use super::{Balance, Recount, TrackId};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// Whose votes are counted anew.
        type Votes: Recount<Self::AccountId>;
    }

    /// Why balance of voters is held.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The account voted with it, or delegated it.
        Votes,
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An account's votes on a track were lessened to what it owns, in planck.
        Recounted { who: T::AccountId, track: TrackId, owned: Balance },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The account owns all that it votes with on this track.
        NothingToRecount,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            super::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Lessens what an account votes with on a track, in ongoing referenda or by delegation, to what it owns since it
        /// was slashed; for anyone. It costs nothing if there is something to lessen.
        #[pallet::call_index(0)]
        #[pallet::weight(T::Votes::recount_weight())]
        pub fn recount(origin: OriginFor<T>, who: T::AccountId, track: TrackId) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let owned = T::Votes::recount(&who, track).ok_or(Error::<T>::NothingToRecount)?;
            Self::deposit_event(Event::Recounted { who, track, owned });
            Ok(Pays::No.into())
        }
    }
}

/// Who counts votes anew.
pub trait Recount<Voter> {
    /// Lessens what an account votes with on a track to what it owns, and returns that, in planck; nothing if it votes
    /// with no more than that.
    fn recount(who: &Voter, track: TrackId) -> Option<Balance>;

    /// What that weighs at most.
    fn recount_weight() -> Weight;
}

/// All that an account may vote with, in planck.
pub fn owned(who: &AccountId) -> Balance {
    held(who).saturating_add(holdable(who)).saturating_add(Stake::owned_by(who))
}

/// Holds of an account what its votes exceed its stake by, no more and no less.
pub fn settle(who: &AccountId) {
    let (locked, held) = (locked(who), held(who));
    if locked == 0 && held == 0 {
        return;
    }
    let needed = locked.saturating_sub(Stake::owned_by(who));
    let reason = RuntimeHoldReason::from(HoldReason::Votes);
    let settled = if needed > held {
        Balances::hold(&reason, who, needed.saturating_sub(held).min(holdable(who)))
    } else {
        Balances::release(&reason, who, held.saturating_sub(needed), Precision::BestEffort).map(drop)
    };
    if let Err(error) = settled {
        log::error!(target: LOG, "{needed} cannot be held of {who:?} for its votes: {error:?}");
    }
}

/// What [`owned`] and [`settle`] of one account weigh together at most, beside what balances and locks weigh anyway.
pub fn settle_weight() -> Weight {
    // Dividing by all shares, for each entry that is counted.
    let dividing = Weight::from_parts(WEIGHT_REF_TIME_PER_MICROS.saturating_mul(200), 0);
    let balance = <Runtime as frame_system::Config>::DbWeight::get().reads_writes(3, 2);
    Stake::owned_by_weight().saturating_add(balance).saturating_add(dividing)
}

/// What pallet-conviction-voting wants locked of an account, over all tracks.
fn locked(who: &AccountId) -> Balance {
    ClassLocksFor::<Runtime>::get(who).iter().map(|(_, amount)| *amount).max().unwrap_or(0)
}

fn held(who: &AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::Votes.into(), who)
}

fn holdable(who: &AccountId) -> Balance {
    Balances::reducible_balance(who, Preservation::Protect, Fortitude::Force)
}

/// The votes of pallet-conviction-voting.
pub struct ConvictionVotes;

impl Recount<AccountId> for ConvictionVotes {
    fn recount(who: &AccountId, track: TrackId) -> Option<Balance> {
        let owned = owned(who);
        let lessened = match VotingFor::<Runtime>::get(who, track) {
            Voting::Casting(casting) => lessen_votes(who, &casting.votes, owned),
            Voting::Delegating(delegating) => lessen_delegation(who, track, &delegating, owned),
        };
        if !lessened {
            return None;
        }
        let by = RuntimeOrigin::signed(who.clone());
        if let Err(error) = ConvictionVoting::unlock(by, track, MultiAddress::Id(who.clone())) {
            log::error!(target: LOG, "locks of {who:?} cannot be looked at: {error:?}");
        }
        Some(owned)
    }

    fn recount_weight() -> Weight {
        let votes = VoteWeights::vote_existing().saturating_mul(MAX_VOTES.into());
        let delegation = VoteWeights::delegate(MAX_VOTES).saturating_add(VoteWeights::undelegate(MAX_VOTES));
        votes.max(delegation).saturating_add(VoteWeights::unlock())
    }
}

/// Replaces the votes that exceed what is owned. Those on referenda that are over cannot be replaced and count no more.
fn lessen_votes(who: &AccountId, votes: &[(u32, AccountVote<Balance>)], owned: Balance) -> bool {
    let mut lessened = false;
    for (poll, vote) in votes.iter().filter(|(_, vote)| vote.balance() > owned) {
        let by = RuntimeOrigin::signed(who.clone());
        lessened |= ConvictionVoting::vote(by, *poll, lessen(*vote, owned)).is_ok();
    }
    lessened
}

/// A vote with so much in all, divided as before.
fn lessen(vote: AccountVote<Balance>, owned: Balance) -> AccountVote<Balance> {
    let all = vote.balance();
    let part = |amount| multiply_by_rational_with_rounding(amount, owned, all, Rounding::Down).unwrap_or(0);
    match vote {
        AccountVote::Standard { vote, .. } => AccountVote::Standard { vote, balance: owned },
        AccountVote::Split { aye, nay } => AccountVote::Split { aye: part(aye), nay: part(nay) },
        AccountVote::SplitAbstain { aye, nay, abstain } => {
            AccountVote::SplitAbstain { aye: part(aye), nay: part(nay), abstain: part(abstain) }
        },
    }
}

/// Delegates what is owned instead of what was. The delegation goes on, so that no lock of its conviction begins.
fn lessen_delegation(
    who: &AccountId,
    track: TrackId,
    delegating: &Delegating<Balance, AccountId, crate::BlockNumber>,
    owned: Balance,
) -> bool {
    if delegating.balance <= owned {
        return false;
    }
    let by = || RuntimeOrigin::signed(who.clone());
    let to = MultiAddress::Id(delegating.target.clone());
    let delegated = ConvictionVoting::undelegate(by(), track)
        .and_then(|_| ConvictionVoting::delegate(by(), track, to, delegating.conviction, owned));
    if let Err(failed) = delegated {
        log::error!(target: LOG, "{who:?} cannot delegate {owned}: {:?}", failed.error);
    }
    VotingFor::<Runtime>::mutate(who, track, |voting| *voting.as_mut() = delegating.prior);
    true
}

/// Nothing is held of an account for votes but what its votes want locked.
#[cfg(any(feature = "try-runtime", feature = "std"))]
pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
    let reason = RuntimeHoldReason::from(HoldReason::Votes);
    for (who, holds) in pallet_balances::Holds::<Runtime>::iter() {
        let held = holds.iter().filter(|hold| hold.id == reason).map(|hold| hold.amount);
        frame_support::ensure!(held.sum::<Balance>() <= locked(&who), "more is held for votes than was voted with");
    }
    Ok(())
}
