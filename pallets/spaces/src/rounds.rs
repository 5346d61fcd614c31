//! Rounds: when one is due, how it begins, and how it ends.

use alloc::vec::Vec;

use ensemble_core::{
    spaces::{Activity, Entrant, Member, PastRound, RoundIndex, Settled},
    votes::{Matter, VoteEnd, VoteSpec, Voters, Votes},
    SpaceId, TaskId,
};
use frame_support::{pallet_prelude::*, storage::with_storage_layer};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::{One, Saturating};

use crate::{
    Agenda, Balance, Closing, Config, Error, Event, History, Members, Pallet, RosterOf, Rosters, RoundPhases, SpaceOf,
    Spaces,
};

impl<T: Config> Pallet<T> {
    /// Has a round begin as soon as one may, if it can and would find something new; has none begin otherwise. The
    /// caller stores the space.
    pub(crate) fn schedule(id: SpaceId, space: &mut SpaceOf<T>) {
        let wants_round = space.has_changed && space.counting >= space.spec.quorum;
        match space.activity {
            Activity::Resting if wants_round => {
                let next = frame_system::Pallet::<T>::block_number().saturating_add(One::one());
                let due = space.rests_until.max(next);
                Agenda::<T>::insert(due, id, ());
                space.activity = Activity::Due(due);
            },
            Activity::Due(_) if !wants_round => Self::rest(id, space),
            Activity::Resting | Activity::Due(_) | Activity::Running { .. } | Activity::Closing => (),
        }
    }

    /// Takes a space out of the agenda. The caller stores the space.
    pub(crate) fn rest(id: SpaceId, space: &mut SpaceOf<T>) {
        if let Activity::Due(due) = space.activity {
            Agenda::<T>::remove(due, id);
        }
        space.activity = Activity::Resting;
    }

    /// Begins the round of a space that is due.
    pub(crate) fn open_round(id: SpaceId, mut space: SpaceOf<T>, now: BlockNumberFor<T>) {
        Self::rest(id, &mut space);
        let fee = Self::round_fee(&space.spec);
        match Self::begin_vote(id, &space, fee) {
            Ok(task) => Self::start(id, &mut space, task, fee, now),
            Err(error) => {
                // Nobody has computed anything for an owner who cannot pay.
                if error == Error::<T>::CannotPay.into() {
                    space.rests_until = now.saturating_add(space.spec.cadence);
                } else {
                    Self::back_off(&mut space, now);
                }
                Self::schedule(id, &mut space);
                Self::deposit_event(Event::RoundNotOpened { space: id, error, until: space.rests_until });
            },
        }
        Spaces::<T>::insert(id, space);
    }

    /// Takes the fee and begins the vote: both or neither.
    fn begin_vote(id: SpaceId, space: &SpaceOf<T>, fee: Balance) -> Result<TaskId, DispatchError> {
        let (content, phases) = (space.spec.result(), RoundPhases::<T>::get());
        let matter = Matter::Round { space: id, round: space.next_round };
        let vote = VoteSpec { matter, content, phases, voters: Voters::Session };
        with_storage_layer(|| {
            Self::charge(&space.owner, fee)?;
            T::Votes::open(vote)
        })
    }

    /// After a round without result, has the next one wait for twice as long as after the failure before, if there was
    /// one. The caller stores the space.
    fn back_off(space: &mut SpaceOf<T>, now: BlockNumberFor<T>) {
        space.failures.saturating_inc();
        let pause = doubled(space.spec.cadence, space.failures).min(T::MaxCadence::get());
        space.rests_until = now.saturating_add(pause);
    }

    /// Ends the effect of failures. The caller schedules the space, and stores it.
    pub(crate) fn hasten(id: SpaceId, space: &mut SpaceOf<T>) {
        space.failures = 0;
        let soonest = frame_system::Pallet::<T>::block_number().saturating_add(space.spec.cadence);
        if soonest < space.rests_until {
            space.rests_until = soonest;
            Self::rest(id, space);
        }
    }

    fn start(id: SpaceId, space: &mut SpaceOf<T>, task: TaskId, fee: Balance, now: BlockNumberFor<T>) {
        let (round, roster) = (space.next_round, Self::roster(id));
        let entrants = u32::try_from(roster.len()).unwrap_or(u32::MAX);
        Rosters::<T>::insert(id, round, roster);
        space.next_round.saturating_inc();
        space.rests_until = now.saturating_add(space.spec.cadence);
        space.has_changed = false;
        space.activity = Activity::Running { round, task, began: now, entrants, is_last: false };
        Self::deposit_event(Event::RoundOpened { space: id, round, task, entrants, fee });
    }

    /// The members that count, in the order of their contents' ids.
    fn roster(id: SpaceId) -> RosterOf<T> {
        let members = Members::<T>::get(id).into_iter().filter(|member| member.standing.counts());
        let entrants = members.map(|member| {
            let Member { content, task, admitted, weight, .. } = member;
            Entrant { content, task, admitted, weight }
        });
        let mut roster: Vec<_> = entrants.collect();
        roster.sort_unstable_by_key(|entrant| entrant.content);
        BoundedVec::truncate_from(roster)
    }

    /// Ends the round of a space if it is the one that runs.
    pub(crate) fn end_round(id: SpaceId, ended: RoundIndex, end: VoteEnd) {
        let Some(mut space) = Spaces::<T>::get(id) else { return };
        let Activity::Running { round, task, began, entrants, is_last } = space.activity else { return };
        if round != ended {
            return;
        }
        let now = frame_system::Pallet::<T>::block_number();
        match end {
            VoteEnd::Settled(content) => {
                // The report of the round before can no longer be submitted.
                if let Some(unreported) = space.unreported() {
                    Rosters::<T>::remove(id, unreported);
                }
                space.failures = 0;
                space.state = Some(Settled { round, content, at: now, reported: false });
                Self::deposit_event(Event::RoundSettled { space: id, round, content });
            },
            VoteEnd::Void(reason) => {
                Rosters::<T>::remove(id, round);
                space.has_changed = true;
                Self::back_off(&mut space, now);
                Self::deposit_event(Event::RoundVoided { space: id, round, reason });
            },
        }
        Self::remember(id, round, PastRound { task, entrants, began, ended: now, end });
        if is_last {
            Self::close(id, &mut space);
        } else {
            space.activity = Activity::Resting;
            Self::schedule(id, &mut space);
        }
        Spaces::<T>::insert(id, space);
    }

    /// Records a round, and forgets the oldest if that is one more than are kept.
    fn remember(id: SpaceId, round: RoundIndex, past: PastRound<BlockNumberFor<T>>) {
        History::<T>::insert(id, round, past);
        if let Some(oldest) = round.checked_sub(T::KeptRounds::get()) {
            History::<T>::remove(id, oldest);
        }
    }

    /// Has the records of a space removed. The caller stores the space.
    pub(crate) fn close(id: SpaceId, space: &mut SpaceOf<T>) {
        space.activity = Activity::Closing;
        Closing::<T>::insert(id, ());
    }
}

/// A time that is doubled so often.
fn doubled<BlockNumber: Saturating + From<u32>>(time: BlockNumber, times: u32) -> BlockNumber {
    time.saturating_mul(2u32.saturating_pow(times).into())
}
