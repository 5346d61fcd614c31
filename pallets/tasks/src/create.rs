//! Creating and cancelling tasks.

use ensemble_core::{
    deposits::{deposit, mebibytes},
    exchange::Audience,
    spaces::Spaces,
    tasks::{Content, Weighting},
    TaskId,
};
use frame_support::{ensure, pallet_prelude::*};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{traits::Saturating, ArithmeticError};

use crate::{
    reward, Access, Agenda, Balance, CommitteeOf, Committees, Config, Error, Event, HoldReason, NextTaskId, OpenVotes,
    Order, OrderOf, Pallet, Purpose, Request, State, Task, TaskOf, Tasks, WeightInfo,
};

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
        // Every validator computes with what a space takes, also those that attested none of it.
        ensure!(self.space.is_none() || self.audience == Audience::Public, Error::<T>::NotPublic);
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
        deposit(T::TaskDeposit::get(), open, T::MaxTasks::get())
    }

    /// What keeping the content for ever costs, in planck.
    fn rent(content: &Content) -> Balance {
        T::RentPerMib::get().saturating_mul(mebibytes(content.max_bytes()).into())
    }

    fn into_task(self, creator: T::AccountId, escrow: Balance, now: BlockNumberFor<T>) -> (OrderOf<T>, TaskOf<T>) {
        let commit_until = now.saturating_add(self.phases.commit);
        let reveal_until = commit_until.saturating_add(self.phases.reveal);
        let order = Order {
            creator,
            audience: self.audience,
            space: self.space,
            weighting: self.weighting,
            terms: self.terms,
            deposit: Self::deposit(Pallet::<T>::open_orders()),
            escrow,
            rent: Self::rent(&self.content),
        };
        let task = Task {
            purpose: Purpose::Contribution(order.clone()),
            content: self.content,
            quorum: self.quorum,
            max_participants: self.max_participants,
            commit_until,
            reveal_until,
            attest_blocks: self.phases.attest,
            committed: 0,
            committed_weight: 0,
            revealed: 0,
            due: reveal_until.saturating_add(1u32.into()),
            state: State::Open { leader: None },
        };
        (order, task)
    }
}

impl<T: Config> Pallet<T> {
    /// What creating a task takes.
    pub(crate) fn create_weight(committee: u32, names_space: bool) -> Weight {
        let asking = if names_space { T::Spaces::accepts_weight() } else { Weight::zero() };
        <T as Config>::WeightInfo::create(committee).saturating_add(asking)
    }

    pub(crate) fn do_create(creator: T::AccountId, request: Request<T>) -> DispatchResult {
        request.validate()?;
        let committee = request.committee()?;
        let escrow = reward::worst_case(&request.terms, request.max_participants).ok_or(Error::<T>::RewardTooLarge)?;
        ensure!(Self::open_orders() < T::MaxTasks::get(), Error::<T>::TooManyTasks);
        if let Some(space) = request.space {
            T::Spaces::accepts(space, &creator, &request.content)?;
        }

        let id = Self::take_task_id()?;
        let (order, task) = request.into_task(creator, escrow, frame_system::Pallet::<T>::block_number());
        let fee = T::AttestFee::get();
        Self::charge(&order.creator, fee)?;
        Self::hold(HoldReason::TaskDeposit, &order.creator, order.deposit, Error::CannotPay)?;
        Self::hold(HoldReason::Reward, &order.creator, order.escrow, Error::CannotPay)?;
        Self::hold(HoldReason::Rent, &order.creator, order.rent, Error::CannotPay)?;
        if let Some(committee) = committee {
            Committees::<T>::insert(id, committee);
        }
        Agenda::<T>::insert(task.due, id, ());
        Tasks::<T>::insert(id, &task);
        Self::deposit_event(Event::TaskCreated {
            task: id,
            creator: order.creator,
            content: task.content,
            audience: order.audience,
            space: order.space,
            commit_until: task.commit_until,
            reveal_until: task.reveal_until,
            deposit: order.deposit,
            escrow,
            rent: order.rent,
            fee,
        });
        Ok(())
    }

    /// The number of tasks that are not settled, without votes.
    fn open_orders() -> u32 {
        Tasks::<T>::count().saturating_sub(OpenVotes::<T>::get().all())
    }

    pub(crate) fn take_task_id() -> Result<TaskId, DispatchError> {
        NextTaskId::<T>::try_mutate(|next| {
            let id = *next;
            *next = id.checked_add(1).ok_or(ArithmeticError::Overflow)?;
            Ok(id)
        })
    }

    pub(crate) fn do_cancel(who: T::AccountId, id: TaskId) -> DispatchResult {
        let task = Self::task(id)?;
        let order = task.order().filter(|order| order.creator == who).ok_or(Error::<T>::NotCreator)?;
        ensure!(task.committed == 0, Error::<T>::HasCommitments);
        ensure!(matches!(task.state, State::Open { .. }), Error::<T>::TaskOver);

        Self::release_to_creator(id, order);
        Self::give_back(id, HoldReason::Rent, &order.creator, order.rent);
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
