//! Consents: a gateway agrees to a session before it is opened.
//!
//! Whoever drives a session answers for its price with its bond, so that nobody else may open one in its name. A consent is
//! the signature of the gateway's key over who asks what, of which model, paid with what, by which block. It opens one
//! session: its number is kept until that block is over.

use ensemble_core::{
    inference::{consent_bytes, Payment},
    ModelId,
};
use frame_support::{ensure, pallet_prelude::*};
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::traits::Saturating;

use crate::{Config, ConsentOf, Error, Pallet, Question, UsedConsent, WorkerOf};

impl<T: Config> Pallet<T> {
    /// Uses the consent of a gateway, if it is one to this session and holds. The signature is checked last. The caller
    /// stores the worker.
    pub(crate) fn use_consent(
        worker: &mut WorkerOf<T>,
        requester: &T::AccountId,
        model: ModelId,
        question: &Question,
        payment: Payment,
        consent: &ConsentOf<T>,
    ) -> Result<(), Error<T>> {
        let now = frame_system::Pallet::<T>::block_number();
        let (number, until) = (consent.number, consent.until);
        ensure!(now <= until, Error::<T>::ConsentExpired);
        ensure!(until <= now.saturating_add(T::ConsentLength::get()), Error::<T>::ConsentTooLong);
        worker.consents.retain(|used| now <= used.until);
        ensure!(worker.consents.iter().all(|used| used.number != number), Error::<T>::ConsentUsed);
        worker.consents.try_push(UsedConsent { number, until }).map_err(|_| Error::TooManyConsents)?;
        let bytes = consent_bytes(&Self::genesis(), requester, model, question, payment, number, &until);
        ensure!(worker.key.verify(&bytes, &consent.signature), Error::<T>::NotWhatWasAgreed);
        Ok(())
    }
}
