//! Creating and cancelling tasks.

use ensemble_core::{
    tasks::{Content, Weighting},
    TaskId,
};
use frame_support::{ensure, pallet_prelude::*};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{traits::Saturating, ArithmeticError};

use crate::{
    reward, Access, Agenda, Balance, CommitteeOf, Committees, Config, Error, Event, HoldReason, NextTaskId, Pallet,
    Request, State, Task, TaskOf, Tasks,
};

/// Bytes of a mebibyte.
const MIB: u64 = 1 << 20;
/// How often the deposit of a task doubles while the chain fills with tasks.
const DOUBLINGS: u32 = 10;

impl<AccountId: Clone + core::fmt::Debug + Eq, Max: Get<u32>> Access<AccountId, Max> {
    /// Number of accounts named.
    pub(crate) fn members(&self) -> u32 {
        match self {
            Self::Open => 0,
            Self::Committee(members) => u32::try_from(members.len()).unwrap_or(u32::MAX),
        }
    }
}

impl<T: Config> Request<T> {
    /// Whether a task may be as this asks.
    fn validate(&self) -> Result<(), Error<T>> {
        ensure!(self.content.is_valid(), Error::<T>::InvalidContent);
        ensure!(self.content.max_bytes() <= T::MaxContentBytes::get(), Error::<T>::ContentTooLarge);
        let allowed = T::MinPhase::get()..=T::MaxPhase::get();
        let phases = [self.phases.commit, self.phases.reveal, self.phases.attest];
        ensure!(phases.iter().all(|phase| allowed.contains(phase)), Error::<T>::InvalidPhase);
        ensure!(self.max_participants <= T::MaxParticipants::get(), Error::<T>::TooManyParticipants);
        ensure!((1..=self.max_participants).contains(&self.quorum), Error::<T>::InvalidQuorum);
        self.validate_bond()
    }

    fn validate_bond(&self) -> Result<(), Error<T>> {
        ensure!(self.terms.bond >= T::MinBond::get(), Error::<T>::BondTooLow);
        match self.weighting {
            Weighting::Bond { cap } if cap < self.terms.bond => Err(Error::<T>::CapBelowBond),
            Weighting::Bond { .. } | Weighting::Account => Ok(()),
        }
    }

    /// The committee, sorted, if there is one.
    fn committee(&self) -> Result<Option<CommitteeOf<T>>, Error<T>> {
        let Access::Committee(members) = &self.access else { return Ok(None) };
        ensure!(!members.is_empty(), Error::<T>::EmptyCommittee);
        ensure!(self.access.members() == self.max_participants, Error::<T>::CommitteeSize);
        let mut members = members.clone();
        members.sort();
        let distinct = members.windows(2).all(|pair| pair[0] != pair[1]);
        ensure!(distinct, Error::<T>::DuplicateMember);
        Ok(Some(members))
    }

    /// What is held for the record of a task when there are `open` others, in planck.
    fn deposit(open: u32) -> Balance {
        let doublings = open.saturating_mul(DOUBLINGS).checked_div(T::MaxTasks::get()).unwrap_or(0);
        T::TaskDeposit::get().saturating_mul(2u128.saturating_pow(doublings))
    }

    /// What keeping the content for ever costs, in planck.
    fn rent(content: &Content) -> Balance {
        T::RentPerMib::get().saturating_mul(content.max_bytes().div_ceil(MIB).into())
    }

    fn into_task(self, creator: T::AccountId, escrow: Balance, now: BlockNumberFor<T>) -> TaskOf<T> {
        let commit_until = now.saturating_add(self.phases.commit);
        let reveal_until = commit_until.saturating_add(self.phases.reveal);
        Task {
            creator,
            rent: Self::rent(&self.content),
            content: self.content,
            audience: self.audience,
            weighting: self.weighting,
            terms: self.terms,
            quorum: self.quorum,
            max_participants: self.max_participants,
            commit_until,
            reveal_until,
            attest_blocks: self.phases.attest,
            deposit: Self::deposit(Tasks::<T>::count()),
            escrow,
            committed: 0,
            committed_weight: 0,
            revealed: 0,
            due: reveal_until.saturating_add(1u32.into()),
            state: State::Open { leader: None },
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_create(creator: T::AccountId, request: Request<T>) -> DispatchResult {
        request.validate()?;
        let committee = request.committee()?;
        let escrow = reward::worst_case(&request.terms, request.max_participants).ok_or(Error::<T>::RewardTooLarge)?;
        ensure!(Tasks::<T>::count() < T::MaxTasks::get(), Error::<T>::TooManyTasks);

        let id = Self::take_task_id()?;
        let task = request.into_task(creator, escrow, frame_system::Pallet::<T>::block_number());
        let fee = T::AttestFee::get();
        Self::charge(&task.creator, fee)?;
        Self::hold(HoldReason::TaskDeposit, &task.creator, task.deposit, Error::CannotPay)?;
        Self::hold(HoldReason::Reward, &task.creator, task.escrow, Error::CannotPay)?;
        Self::hold(HoldReason::Rent, &task.creator, task.rent, Error::CannotPay)?;
        if let Some(committee) = committee {
            Committees::<T>::insert(id, committee);
        }
        Agenda::<T>::insert(task.due, id, ());
        Tasks::<T>::insert(id, &task);
        Self::deposit_event(Event::TaskCreated {
            task: id,
            creator: task.creator,
            content: task.content,
            audience: task.audience,
            commit_until: task.commit_until,
            reveal_until: task.reveal_until,
            deposit: task.deposit,
            escrow,
            rent: task.rent,
            fee,
        });
        Ok(())
    }

    fn take_task_id() -> Result<TaskId, DispatchError> {
        NextTaskId::<T>::try_mutate(|next| {
            let id = *next;
            *next = id.checked_add(1).ok_or(ArithmeticError::Overflow)?;
            Ok(id)
        })
    }

    pub(crate) fn do_cancel(who: T::AccountId, id: TaskId) -> DispatchResult {
        let task = Self::task(id)?;
        ensure!(task.creator == who, Error::<T>::NotCreator);
        ensure!(task.committed == 0, Error::<T>::HasCommitments);
        ensure!(matches!(task.state, State::Open { .. }), Error::<T>::TaskOver);

        Self::release_to_creator(id, &task);
        Self::give_back(id, HoldReason::Rent, &task.creator, task.rent);
        Self::forget(id, &task);
        Self::deposit_event(Event::TaskCancelled { task: id, creator: who });
        Ok(())
    }

    /// A task that is not settled.
    pub(crate) fn task(id: TaskId) -> Result<TaskOf<T>, Error<T>> {
        Tasks::<T>::get(id).ok_or_else(|| match id < NextTaskId::<T>::get() {
            true => Error::TaskOver,
            false => Error::UnknownTask,
        })
    }

    /// Removes everything that is stored about a task while it is not settled.
    pub(crate) fn forget(id: TaskId, task: &TaskOf<T>) {
        Agenda::<T>::remove(task.due, id);
        Committees::<T>::remove(id);
        Tasks::<T>::remove(id);
    }
}
