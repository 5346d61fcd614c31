//! Votes of validators on what rounds of spaces result in: how they begin and end.

use alloc::vec::Vec;

use ensemble_core::{
    spaces::{RoundOutcome, RoundSpec, Rounds},
    AttesterId, TaskId,
};
use frame_support::{defensive, ensure, pallet_prelude::*};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Saturating;

use crate::{
    Agenda, Attesters, Ballot, Ballots, Config, Error, Event, OpenRounds, Outcome, Pallet, Purpose, State, Tallies,
    Task, TaskOf, Tasks,
};

impl<T: Config> Rounds<BlockNumberFor<T>> for Pallet<T> {
    fn open(round: RoundSpec<BlockNumberFor<T>>) -> Result<TaskId, DispatchError> {
        ensure!(Self::has_room(), Error::<T>::TooManyRounds);
        ensure!(round.content.is_valid(), Error::<T>::InvalidContent);
        ensure!(round.content.max_bytes() <= T::MaxContentBytes::get(), Error::<T>::ContentTooLarge);
        let voters = Self::voters();
        ensure!(!voters.is_empty(), Error::<T>::NoVoters);

        let id = Self::take_task_id()?;
        let count = u32::try_from(voters.len()).unwrap_or(u32::MAX);
        let task = Self::vote_on(&round, count);
        OpenRounds::<T>::mutate(|open| open.saturating_inc());
        for voter in voters {
            Ballots::<T>::insert(id, voter, Ballot::Awaited);
        }
        Agenda::<T>::insert(task.due, id, ());
        Tasks::<T>::insert(id, &task);
        Self::deposit_event(Event::VoteOpened {
            task: id,
            space: round.space,
            round: round.round,
            voters: count,
            commit_until: task.commit_until,
            reveal_until: task.reveal_until,
        });
        Ok(id)
    }

    fn has_room() -> bool {
        OpenRounds::<T>::get() < T::MaxRounds::get()
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn fill_for_benchmark() {
        crate::benchmarking::fill_attesters::<T>();
    }
}

impl<T: Config> Pallet<T> {
    /// The attester keys of the session, each once.
    fn voters() -> Vec<AttesterId> {
        let mut keys = Attesters::<T>::get().into_inner();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The task in which `voters` validators vote.
    fn vote_on(round: &RoundSpec<BlockNumberFor<T>>, voters: u32) -> TaskOf<T> {
        let now = frame_system::Pallet::<T>::block_number();
        let commit_until = now.saturating_add(round.phases.commit);
        let reveal_until = commit_until.saturating_add(round.phases.reveal);
        Task {
            purpose: Purpose::Round { space: round.space, round: round.round },
            content: round.content,
            // Fewer cannot be more than half.
            quorum: voters.saturating_add(1).div_ceil(2),
            max_participants: voters,
            commit_until,
            reveal_until,
            attest_blocks: round.phases.attest,
            committed: 0,
            committed_weight: 0,
            revealed: 0,
            due: reveal_until.saturating_add(1u32.into()),
            state: State::Open { leader: None },
        }
    }

    /// Removes the ballot of a validator, and says if it failed.
    pub(crate) fn dismiss(id: TaskId, mut task: TaskOf<T>, next: Option<(AttesterId, Ballot)>) {
        let State::Settling { outcome, unsettled } = &mut task.state else {
            defensive!("validators are dismissed when the outcome of a vote is known");
            return;
        };
        match next {
            Some((voter, ballot)) => {
                unsettled.saturating_dec();
                Ballots::<T>::remove(id, &voter);
                if let Ballot::Revealed(content) = ballot {
                    Tallies::<T>::remove(id, content);
                }
                if let Some(failure) = ballot.failure(outcome) {
                    Self::deposit_event(Event::VoterFailed { task: id, voter, failure });
                }
            },
            None => {
                defensive!("as many ballots are stored as there are validators to dismiss");
                *unsettled = 0;
            },
        }
        Tasks::<T>::insert(id, task);
    }

    /// Removes a vote that is over, and tells the space.
    pub(crate) fn conclude_round(id: TaskId, task: TaskOf<T>) {
        let (Purpose::Round { space, round }, State::Settling { outcome, .. }) = (&task.purpose, &task.state) else {
            defensive!("a round is concluded when all its validators are dismissed");
            return;
        };
        let (space, round, end) = (*space, *round, Outcome::round_end(outcome));
        Self::forget(id, &task);
        OpenRounds::<T>::mutate(|open| open.saturating_dec());
        Self::deposit_event(Event::VoteClosed { task: id, space, round });
        T::Spaces::ended(space, round, end);
    }
}
