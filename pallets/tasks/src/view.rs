//! What outsiders may ask: the answers of the runtime API `TasksApi`. Never called while a block is made.

use alloc::vec::Vec;

use ensemble_core::{
    tasks::{Duty, Obligation, Phase, PurposeView, TaskView},
    TaskId,
};
use frame_system::pallet_prelude::BlockNumberFor;

use crate::{
    Attestations, Balance, Ballots, Committees, Config, Pallet, Participation, Participations, Purpose, TaskOf, Tasks,
};

/// Most entries of an answer.
const MAX_ENTRIES: u32 = 100;

type ViewOf<T> = TaskView<<T as frame_system::Config>::AccountId, Balance, BlockNumberFor<T>>;
type ObligationOf<T> = Obligation<Balance, BlockNumberFor<T>>;

impl<T: Config> Pallet<T> {
    /// One task that is not settled.
    pub fn task_view(id: TaskId) -> Option<ViewOf<T>> {
        Some(Self::view(id, Tasks::<T>::get(id)?))
    }

    /// Tasks that are not settled, in the order of their numbers, from `first` on, at most `limit` (and 100).
    pub fn open_tasks(first: TaskId, limit: u32) -> Vec<ViewOf<T>> {
        let ids = Self::task_ids(first).into_iter();
        ids.take(entries(limit)).filter_map(Self::task_view).collect()
    }

    /// What `account` still has to do, or is owed, in tasks from number `first` on, at most `limit` (and 100).
    pub fn obligations(account: T::AccountId, first: TaskId, limit: u32) -> Vec<ObligationOf<T>> {
        let ids = Self::task_ids(first).into_iter();
        ids.filter_map(|id| Self::obligation(id, &account)).take(entries(limit)).collect()
    }

    /// The numbers of tasks that are not settled, from `first` on, in order.
    fn task_ids(first: TaskId) -> Vec<TaskId> {
        let mut ids: Vec<_> = Tasks::<T>::iter_keys().filter(|id| *id >= first).collect();
        ids.sort_unstable();
        ids
    }

    fn view(id: TaskId, task: TaskOf<T>) -> ViewOf<T> {
        let now = frame_system::Pallet::<T>::block_number();
        TaskView {
            id,
            phase: task.phase(now),
            attest_until: task.attest_until(),
            leader: task.leader().map(|leader| leader.content),
            attested: Attestations::<T>::get(id).map_or((0, 0), |panel| (panel.given(), panel.needed())),
            purpose: Self::purpose_view(id, task.purpose),
            content: task.content,
            quorum: task.quorum,
            max_participants: task.max_participants,
            commit_until: task.commit_until,
            reveal_until: task.reveal_until,
            committed: task.committed,
            revealed: task.revealed,
        }
    }

    fn purpose_view(id: TaskId, purpose: Purpose<T::AccountId>) -> PurposeView<T::AccountId, Balance> {
        match purpose {
            Purpose::Contribution(order) => PurposeView::Contribution {
                creator: order.creator,
                audience: order.audience,
                space: order.space,
                weighting: order.weighting,
                terms: order.terms,
                committee: Committees::<T>::get(id).map(|committee| committee.into_inner()),
            },
            Purpose::Vote(matter) => {
                let mut voters: Vec<_> = Ballots::<T>::iter_key_prefix(id).collect();
                voters.sort_unstable();
                PurposeView::Vote { matter, voters }
            },
        }
    }

    fn obligation(id: TaskId, account: &T::AccountId) -> Option<ObligationOf<T>> {
        let task = Tasks::<T>::get(id)?;
        let now = frame_system::Pallet::<T>::block_number();
        let (duty, until, bond) = match Participations::<T>::get(id, account) {
            Some(Participation::Committed { bond, .. }) if now <= task.reveal_until => {
                (Duty::Reveal, task.reveal_until, bond)
            },
            Some(participation) => (Duty::Wait, task.attest_until(), participation.bond()),
            None if task.phase(now) == Phase::Commit && Self::is_member(id, account) => {
                (Duty::Commit, task.commit_until, 0)
            },
            None => return None,
        };
        Some(Obligation { task: id, duty, until, bond })
    }

    fn is_member(id: TaskId, account: &T::AccountId) -> bool {
        Committees::<T>::get(id).is_some_and(|committee| committee.binary_search(account).is_ok())
    }
}

fn entries(limit: u32) -> usize {
    usize::try_from(limit.min(MAX_ENTRIES)).unwrap_or(usize::MAX)
}
