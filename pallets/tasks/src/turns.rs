//! What off-chain workers do in votes: they ask whose turn it is, and sign and submit what is due.

use ensemble_core::{
    tasks::{Descriptor, Phase},
    votes::{Turn, Voting},
    AttesterId, TaskId,
};
use ensemble_tensor::TensorId;
use frame_system::{offchain::SubmitTransaction, pallet_prelude::BlockNumberFor};
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::traits::{One, Saturating};

use crate::{Ballot, Ballots, Call, Config, Opened, Pallet, Purpose, Sealed, Tasks, LOG};

impl<T: Config> Voting for Pallet<T> {
    fn turn(id: TaskId, voter: &AttesterId) -> Option<Turn> {
        let task = Tasks::<T>::get(id).filter(|task| matches!(task.purpose, Purpose::Vote(_)))?;
        let ballot = Ballots::<T>::get(id, voter)?;
        // What is sent now comes into the next block at the earliest.
        let next: BlockNumberFor<T> = frame_system::Pallet::<T>::block_number().saturating_add(One::one());
        let commits = task.phase(next) == Phase::Commit;
        Some(match ballot {
            Ballot::Awaited if commits => Turn::Commit,
            Ballot::Committed(_) if commits => Turn::Wait,
            Ballot::Committed(_) if task.takes_reveals(next) => Turn::Reveal,
            Ballot::Awaited | Ballot::Committed(_) | Ballot::Revealed(_) => Turn::Over,
        })
    }

    fn commit(task: TaskId, voter: &AttesterId, content: TensorId, salt: &[u8; 32]) -> bool {
        let commitment = Self::commitment(&content, voter, task, salt);
        let sealed = Sealed { task, voter: voter.clone(), commitment };
        let Some(signature) = voter.sign(&sealed.signed_bytes(&Self::genesis())) else {
            return cannot_sign(task, voter);
        };
        Self::submit_ballot(Call::commit_as_attester { sealed, signature })
    }

    fn reveal(task: TaskId, voter: &AttesterId, descriptor: Descriptor, salt: [u8; 32]) -> bool {
        let opened = Opened { task, voter: voter.clone(), descriptor, salt };
        let Some(signature) = voter.sign(&opened.signed_bytes(&Self::genesis())) else {
            return cannot_sign(task, voter);
        };
        Self::submit_ballot(Call::reveal_as_attester { opened, signature })
    }
}

impl<T: Config> Pallet<T> {
    fn submit_ballot(call: Call<T>) -> bool {
        let transaction = T::create_authorized_transaction(call.into());
        SubmitTransaction::<T, Call<T>>::submit_transaction(transaction).is_ok()
    }
}

fn cannot_sign(task: TaskId, voter: &AttesterId) -> bool {
    log::error!(target: LOG, "vote {task}: the keystore does not sign with {voter:?}");
    false
}
