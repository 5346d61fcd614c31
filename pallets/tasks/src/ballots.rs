//! Voters' commitments and reveals. No account signs the transactions and nobody pays for them: the attester key's
//! signature lets them in, once each, while their phase lasts.

use ensemble_core::{attester::AttesterSignature, tasks::Phase, AttesterId, TaskId};
use ensemble_tensor::TensorId;
use frame_support::{ensure, pallet_prelude::*};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_application_crypto::RuntimeAppPublic;
use sp_core::H256;
use sp_runtime::{
    traits::{SaturatedConversion, Saturating, Zero},
    transaction_validity::{TransactionValidityError, TransactionValidityWithRefund},
};

use crate::{Ballot, Ballots, Config, Error, Event, Opened, Pallet, Purpose, Sealed, TaskOf, Tasks};

impl<T: Config> Pallet<T> {
    /// Lets a commitment into the pool or a block. What costs nothing is checked first, the signature last.
    pub(crate) fn authorize_commit(
        _source: TransactionSource,
        sealed: &Sealed,
        signature: &AttesterSignature,
    ) -> TransactionValidityWithRefund {
        let task = Self::vote_to_commit(sealed).map_err(|error| ballot_invalidity(&error))?;
        let signed = sealed.voter.verify(&sealed.signed_bytes(&Self::genesis()), signature);
        ensure!(signed, InvalidTransaction::BadProof);
        Self::ballot_validity("tasks/vote/commit", (sealed.task, &sealed.voter), task.commit_until)
    }

    /// Lets a reveal into the pool or a block, likewise.
    pub(crate) fn authorize_reveal(
        _source: TransactionSource,
        opened: &Opened,
        signature: &AttesterSignature,
    ) -> TransactionValidityWithRefund {
        let (task, _) = Self::vote_to_reveal(opened).map_err(|error| ballot_invalidity(&error))?;
        let signed = opened.voter.verify(&opened.signed_bytes(&Self::genesis()), signature);
        ensure!(signed, InvalidTransaction::BadProof);
        Self::ballot_validity("tasks/vote/reveal", (opened.task, &opened.voter), task.reveal_until)
    }

    /// Hash of the chain's first block, to which every signature is bound.
    pub(crate) fn genesis() -> T::Hash {
        frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
    }

    /// A key that signs many commitments has one of them in the pool: they all provide the same.
    fn ballot_validity(
        tag: &'static str,
        provides: (TaskId, &AttesterId),
        until: BlockNumberFor<T>,
    ) -> TransactionValidityWithRefund {
        let now = frame_system::Pallet::<T>::block_number();
        let left: u64 = until.saturating_sub(now).saturating_add(1u32.into()).saturated_into();
        let valid = ValidTransaction::with_tag_prefix(tag)
            .priority(T::AttestPriority::get())
            .and_provides(provides)
            .longevity(left)
            .propagate(true)
            .build()?;
        Ok((valid, Weight::zero()))
    }

    /// A vote that is not over.
    fn vote(id: TaskId) -> Result<TaskOf<T>, Error<T>> {
        let task = Self::task(id)?;
        ensure!(matches!(task.purpose, Purpose::Vote(_)), Error::<T>::ForAccounts);
        Ok(task)
    }

    /// The vote that a commitment is for, if it counts.
    fn vote_to_commit(sealed: &Sealed) -> Result<TaskOf<T>, Error<T>> {
        let task = Self::vote(sealed.task)?;
        let now = frame_system::Pallet::<T>::block_number();
        ensure!(task.phase(now) == Phase::Commit, Error::<T>::NotCommitting);
        match Ballots::<T>::get(sealed.task, &sealed.voter).ok_or(Error::<T>::NotAVoter)? {
            Ballot::Awaited => Ok(task),
            Ballot::Committed(_) | Ballot::Revealed(_) => Err(Error::AlreadyCommitted),
        }
    }

    /// The vote that a reveal is for and what it reveals, if it counts.
    fn vote_to_reveal(opened: &Opened) -> Result<(TaskOf<T>, TensorId), Error<T>> {
        let Opened { task: id, voter, descriptor, salt } = opened;
        let task = Self::vote(*id)?;
        let now = frame_system::Pallet::<T>::block_number();
        ensure!(task.takes_reveals(now), Error::<T>::NotRevealing);
        let commitment: H256 = match Ballots::<T>::get(id, voter).ok_or(Error::<T>::NotAVoter)? {
            Ballot::Committed(commitment) => commitment,
            Ballot::Awaited => return Err(Error::NotCommitted),
            Ballot::Revealed(_) => return Err(Error::AlreadyRevealed),
        };
        let content = descriptor.id();
        ensure!(Self::commitment(&content, voter, *id, salt) == commitment, Error::<T>::WrongOpening);
        Self::ensure_admitted(&task.content, &descriptor.header)?;
        Ok((task, content))
    }

    pub(crate) fn do_commit_as_attester(sealed: Sealed) -> DispatchResult {
        let mut task = Self::vote_to_commit(&sealed)?;
        let Sealed { task: id, voter, commitment } = sealed;
        task.committed.saturating_inc();
        task.committed_weight.saturating_inc();
        Ballots::<T>::insert(id, &voter, Ballot::Committed(commitment));
        Tasks::<T>::insert(id, task);
        Self::deposit_event(Event::VoteCommitted { task: id, voter });
        Ok(())
    }

    pub(crate) fn do_reveal_as_attester(opened: Opened) -> DispatchResult {
        let (mut task, content) = Self::vote_to_reveal(&opened)?;
        let Opened { task: id, voter, descriptor, .. } = opened;
        Self::count_reveal(id, &mut task, content, descriptor, 1);
        Ballots::<T>::insert(id, &voter, Ballot::Revealed(content));
        Tasks::<T>::insert(id, task);
        Self::deposit_event(Event::VoteRevealed { task: id, voter, content });
        Ok(())
    }
}

fn ballot_invalidity<T>(error: &Error<T>) -> TransactionValidityError {
    match error {
        // The vote has not come so far, or is past it, or this was said before.
        Error::UnknownTask
        | Error::TaskOver
        | Error::NotCommitting
        | Error::NotRevealing
        | Error::AlreadyCommitted
        | Error::AlreadyRevealed => InvalidTransaction::Stale.into(),
        Error::NotAVoter => InvalidTransaction::BadSigner.into(),
        Error::WrongOpening => InvalidTransaction::BadProof.into(),
        _ => InvalidTransaction::Call.into(),
    }
}
