//! Committing and revealing.

use codec::Encode;
use ensemble_core::{
    tasks::{Content, Descriptor, Phase, Weighting},
    TaskId,
};
use ensemble_tensor::{Header, Kind, TensorId};
use frame_support::{ensure, pallet_prelude::*};
use sp_core::H256;
use sp_runtime::traits::Saturating;

use crate::{
    Balance, Committees, Config, Error, Event, HoldReason, Leader, OrderOf, Pallet, Participation, Participations,
    State, Tallies, TaskOf, Tasks,
};

impl<T: Config> Pallet<T> {
    /// What `who`, an account or the key of a voter, commits to in order to reveal `content` with `salt` later.
    ///
    /// Who and task are part of it, so that a commitment is of no use to whoever copies it.
    pub fn commitment(content: &TensorId, who: &impl Encode, task: TaskId, salt: &[u8; 32]) -> H256 {
        H256(sp_io::hashing::blake2_256(&(content, who, task, salt).encode()))
    }

    pub(crate) fn do_commit(who: T::AccountId, id: TaskId, commitment: H256, bond: Balance) -> DispatchResult {
        let mut task = Self::task(id)?;
        let now = frame_system::Pallet::<T>::block_number();
        let order = task.order().ok_or(Error::<T>::ForVoters)?;
        ensure!(task.phase(now) == Phase::Commit, Error::<T>::NotCommitting);
        ensure!(!Participations::<T>::contains_key(id, &who), Error::<T>::AlreadyCommitted);
        ensure!(Self::may_join(id, &who), Error::<T>::NotInCommittee);
        ensure!(task.committed < task.max_participants, Error::<T>::TaskFull);
        Self::ensure_bond_fits(order, bond)?;
        let weight = order.weight_of(bond);

        Self::hold(HoldReason::Bond, &who, bond, Error::CannotBond)?;
        task.committed.saturating_inc();
        // Bonds are money that exists, so that their sum is at most the issuance.
        task.committed_weight = task.committed_weight.saturating_add(weight);
        Participations::<T>::insert(id, &who, Participation::Committed { commitment, bond });
        Tasks::<T>::insert(id, task);
        Self::deposit_event(Event::Committed { task: id, who, bond });
        Ok(())
    }

    /// Whether an account may take part in a task.
    fn may_join(id: TaskId, who: &T::AccountId) -> bool {
        Committees::<T>::get(id).is_none_or(|committee| committee.binary_search(who).is_ok())
    }

    fn ensure_bond_fits(order: &OrderOf<T>, bond: Balance) -> Result<(), Error<T>> {
        match order.weighting {
            Weighting::Account => ensure!(bond == order.terms.bond, Error::<T>::WrongBond),
            Weighting::Bond { cap } => {
                ensure!(bond >= order.terms.bond, Error::<T>::BondBelowTerms);
                ensure!(bond <= cap, Error::<T>::BondAboveCap);
            },
        }
        Ok(())
    }

    pub(crate) fn do_reveal(who: T::AccountId, id: TaskId, descriptor: Descriptor, salt: [u8; 32]) -> DispatchResult {
        let mut task = Self::task(id)?;
        let now = frame_system::Pallet::<T>::block_number();
        let order = task.order().ok_or(Error::<T>::ForVoters)?;
        ensure!(task.takes_reveals(now), Error::<T>::NotRevealing);
        let (commitment, bond) = match Participations::<T>::get(id, &who).ok_or(Error::<T>::NotCommitted)? {
            Participation::Committed { commitment, bond } => (commitment, bond),
            Participation::Revealed { .. } => return Err(Error::<T>::AlreadyRevealed.into()),
        };
        let content = descriptor.id();
        ensure!(Self::commitment(&content, &who, id, &salt) == commitment, Error::<T>::WrongOpening);
        Self::ensure_admitted(&task.content, &descriptor.header)?;
        let weight = order.weight_of(bond);

        Self::count_reveal(id, &mut task, content, descriptor, weight);
        Participations::<T>::insert(id, &who, Participation::Revealed { content, bond });
        Tasks::<T>::insert(id, task);
        Self::deposit_event(Event::Revealed { task: id, who, content });
        Ok(())
    }

    /// Whether a tensor with this header answers a task that asks for `content`; if not, why.
    pub(crate) fn ensure_admitted(content: &Content, header: &Header) -> Result<(), Error<T>> {
        if content.admits(header) {
            return Ok(());
        }
        let kind = match *content {
            Content::Tensor { kind, .. } => kind,
            Content::Bytes { .. } => Kind::Bytes,
            Content::Bundle { .. } => Kind::Bundle,
        };
        ensure!(header.kind() == kind, Error::<T>::WrongKind);
        Err(match content {
            Content::Tensor { .. } => Error::WrongShape,
            Content::Bytes { .. } | Content::Bundle { .. } => Error::TooLarge,
        })
    }

    /// Adds a reveal to those of the same content. The caller stores the task.
    pub(crate) fn count_reveal(
        id: TaskId,
        task: &mut TaskOf<T>,
        content: TensorId,
        descriptor: Descriptor,
        weight: Balance,
    ) {
        let tally = Tallies::<T>::mutate(id, content, |tally| {
            tally.weight = tally.weight.saturating_add(weight);
            tally.backers.saturating_inc();
            *tally
        });
        task.revealed.saturating_inc();
        if task.leader().is_none_or(|leader| tally.weight > leader.weight) {
            let leader = Leader { content, descriptor, weight: tally.weight, backers: tally.backers };
            task.state = State::Open { leader: Some(leader) };
        }
    }
}
