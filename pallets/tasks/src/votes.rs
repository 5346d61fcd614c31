//! Votes on rounds of spaces and traces of ranges: how they begin and end.

use alloc::vec::Vec;

use ensemble_core::{
    votes::{Sort, VoteOutcome, VoteSpec, Voters, Votes},
    AttesterId, TaskId,
};
use frame_support::{defensive, ensure, pallet_prelude::*};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Saturating;

use crate::{
    Agenda, Attesters, Ballot, Ballots, Config, Error, Event, OpenVotes, Pallet, Purpose, State, Tallies, Task, TaskOf,
    Tasks,
};

impl<T: Config> Votes<BlockNumberFor<T>> for Pallet<T> {
    fn open(vote: VoteSpec<BlockNumberFor<T>>) -> Result<TaskId, DispatchError> {
        let (matter, sort) = (vote.matter, vote.matter.sort());
        ensure!(Self::room(sort) > 0, Error::<T>::TooManyVotes);
        ensure!(vote.content.is_valid(), Error::<T>::InvalidContent);
        ensure!(vote.content.max_bytes() <= T::MaxContentBytes::get(), Error::<T>::ContentTooLarge);
        let voters = Self::voters(&vote.voters)?;
        ensure!(!voters.is_empty(), Error::<T>::NoVoters);

        let id = Self::take_task_id()?;
        let count = u32::try_from(voters.len()).unwrap_or(u32::MAX);
        let task = Self::vote_of(&vote, count);
        OpenVotes::<T>::mutate(|open| open.of_mut(sort).saturating_inc());
        for voter in voters {
            Ballots::<T>::insert(id, voter, Ballot::Awaited);
        }
        Agenda::<T>::insert(task.due, id, ());
        Tasks::<T>::insert(id, &task);
        Self::deposit_event(Event::VoteOpened {
            task: id,
            matter,
            voters: count,
            commit_until: task.commit_until,
            reveal_until: task.reveal_until,
        });
        Ok(id)
    }

    fn room(sort: Sort) -> u32 {
        let most = match sort {
            Sort::Round => T::MaxRounds::get(),
            Sort::Trace => T::MaxTraces::get(),
        };
        most.saturating_sub(OpenVotes::<T>::get().of(sort))
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn fill_for_benchmark() {
        crate::benchmarking::fill_attesters::<T>();
    }
}

impl<T: Config> Pallet<T> {
    /// The keys that vote, each once.
    fn voters(voters: &Voters) -> Result<Vec<AttesterId>, Error<T>> {
        let mut keys = match voters {
            Voters::Session => Attesters::<T>::get().into_inner(),
            Voters::Named(keys) => keys.to_vec(),
        };
        let named = keys.len();
        keys.sort_unstable();
        keys.dedup();
        // A validator may have the key of another one, which is no reason not to vote. Whoever names keys can see to it.
        let is_session = matches!(voters, Voters::Session);
        ensure!(is_session || keys.len() == named, Error::<T>::DuplicateVoter);
        Ok(keys)
    }

    /// The task in which so many keys vote.
    fn vote_of(vote: &VoteSpec<BlockNumberFor<T>>, voters: u32) -> TaskOf<T> {
        let now = frame_system::Pallet::<T>::block_number();
        let commit_until = now.saturating_add(vote.phases.commit);
        let reveal_until = commit_until.saturating_add(vote.phases.reveal);
        Task {
            purpose: Purpose::Vote(vote.matter),
            content: vote.content,
            // Fewer cannot be more than half.
            quorum: voters.saturating_add(1).div_ceil(2),
            max_participants: voters,
            commit_until,
            reveal_until,
            attest_blocks: vote.phases.attest,
            committed: 0,
            committed_weight: 0,
            revealed: 0,
            due: reveal_until.saturating_add(1u32.into()),
            state: State::Open { leader: None },
        }
    }

    /// Removes the ballot of a voter, and tells how it failed, if it did.
    pub(crate) fn dismiss(id: TaskId, mut task: TaskOf<T>, next: Option<(AttesterId, Ballot)>) {
        let (Purpose::Vote(matter), State::Settling { outcome, unsettled }) = (&task.purpose, &mut task.state) else {
            defensive!("voters are dismissed when the outcome of a vote is known");
            return;
        };
        match next {
            Some((voter, ballot)) => {
                unsettled.saturating_dec();
                Ballots::<T>::remove(id, &voter);
                if let Ballot::Revealed(content) = ballot {
                    Tallies::<T>::remove(id, content);
                }
                let failure = ballot.failure(outcome);
                T::Outcomes::left(*matter, &voter, failure);
                if let Some(failure) = failure {
                    Self::deposit_event(Event::VoterFailed { task: id, voter, failure });
                }
            },
            None => {
                defensive!("as many ballots are stored as there are voters to dismiss");
                *unsettled = 0;
            },
        }
        Tasks::<T>::insert(id, task);
    }

    /// Removes a vote that is over, and tells how it ended.
    pub(crate) fn conclude_vote(id: TaskId, task: TaskOf<T>) {
        let (Purpose::Vote(matter), State::Settling { outcome, .. }) = (&task.purpose, &task.state) else {
            defensive!("a vote is concluded when all its voters are dismissed");
            return;
        };
        Self::forget(id, &task);
        OpenVotes::<T>::mutate(|open| open.of_mut(matter.sort()).saturating_dec());
        Self::deposit_event(Event::VoteClosed { task: id, matter: *matter });
        T::Outcomes::ended(*matter, outcome.vote_end());
    }
}
