//! Attesters: who they are, how they are drawn, and what they say.

use alloc::vec::Vec;

use ensemble_core::{attester::AttesterSignature, AttesterId, TaskId};
use ensemble_tensor::TensorId;
use frame_support::{
    ensure,
    pallet_prelude::*,
    traits::{OneSessionHandler, Randomness},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_application_crypto::RuntimeAppPublic;
use sp_core::H256;
use sp_runtime::{
    traits::{SaturatedConversion, Saturating, Zero},
    transaction_validity::{TransactionValidityError, TransactionValidityWithRefund},
    BoundToRuntimeAppPublic,
};

use crate::{
    Attestation, Attestations, Attesters, Config, Entropy, Error, Event, Outcome, Pallet, Panel, PanelOf, Seat, State,
    TaskOf, Tasks, LOG,
};

/// Context of this pallet's randomness.
const ENTROPY: &[u8] = b"ensemble/tasks/entropy";
/// Context of the draw of a panel.
const DRAW: &[u8] = b"ensemble/tasks/panel";

impl<T: Config> Pallet<T> {
    /// Mixes the randomness of the block before into that of all blocks before it.
    ///
    /// The author of a block may have known its randomness long before, and can withhold it with the block. It cannot
    /// know what the other authors add, nor choose what it adds itself.
    pub(crate) fn mix_entropy() {
        let (fresh, _) = T::Randomness::random(ENTROPY);
        Entropy::<T>::mutate(|entropy| *entropy = H256(sp_io::hashing::blake2_256(&(*entropy, fresh).encode())));
    }

    /// The first block in which a panel may be drawn for a task.
    ///
    /// Where all attesters attest there is nothing to draw, and nothing to wait for.
    pub(crate) fn draw_from(task: &TaskOf<T>) -> BlockNumberFor<T> {
        let attesters = Attesters::<T>::decode_len().unwrap_or(0);
        let all_attest = attesters <= T::AttestersPerTask::get().saturated_into();
        let delay = if all_attest { Zero::zero() } else { T::DrawDelay::get() };
        task.reveal_until.saturating_add(1u32.into()).saturating_add(delay)
    }

    /// Draws the panel that attests `content`; `None` if the chain has no attesters.
    ///
    /// The draw does not depend on the content, so that nobody can look for a content that draws friends.
    pub(crate) fn draw_panel(task: TaskId, content: TensorId) -> Option<PanelOf<T>> {
        let mut keys = Attesters::<T>::get().into_inner();
        if keys.is_empty() {
            return None;
        }
        let seed = H256(sp_io::hashing::blake2_256(&(DRAW, task, Entropy::<T>::get()).encode()));
        let drawn = usize::try_from(T::AttestersPerTask::get()).unwrap_or(usize::MAX).min(keys.len());
        // The first steps of a Fisher-Yates shuffle: each place gets one of the keys that are left.
        for place in 0..drawn {
            let left = keys.len().saturating_sub(place);
            keys.swap(place, place.saturating_add(Self::below(left, &seed, place)));
        }
        keys.truncate(drawn);
        let seats: Vec<_> = keys.into_iter().map(|attester| Seat { attester, attested: false }).collect();
        Some(Panel { content, seats: BoundedVec::truncate_from(seats) })
    }

    /// The number below `bound`, which is not zero, that `seed` gives for the `index`th draw.
    ///
    /// It comes from 128 bits, so that none is noticeably likelier than another.
    fn below(bound: usize, seed: &H256, index: usize) -> usize {
        let hash = sp_io::hashing::blake2_128(&(seed, index.saturated_into::<u64>()).encode());
        (u128::from_le_bytes(hash) % bound.saturated_into::<u128>()).saturated_into()
    }

    /// Lets an attestation into the pool or a block. What costs nothing is checked first, the signature last.
    pub(crate) fn authorize_attest(
        _source: TransactionSource,
        attestation: &Attestation,
        signature: &AttesterSignature,
    ) -> TransactionValidityWithRefund {
        let (task, _) = Self::seated(attestation).map_err(|error| Self::invalidity(&error))?;
        let signed = attestation.attester.verify(&attestation.signed_bytes(&Self::genesis()), signature);
        ensure!(signed, InvalidTransaction::BadProof);

        let now = frame_system::Pallet::<T>::block_number();
        let left: u64 = task.attest_until().saturating_sub(now).saturating_add(1u32.into()).saturated_into();
        let valid = ValidTransaction::with_tag_prefix("tasks/attest")
            .priority(T::AttestPriority::get())
            .and_provides(attestation)
            .longevity(left)
            .propagate(true)
            .build()?;
        Ok((valid, Weight::zero()))
    }

    fn invalidity(error: &Error<T>) -> TransactionValidityError {
        match error {
            // The task has not come so far, or is past it, or this was said before.
            Error::UnknownTask | Error::TaskOver | Error::NotAttesting | Error::AlreadyAttested => {
                InvalidTransaction::Stale.into()
            },
            Error::NotDrawn => InvalidTransaction::BadSigner.into(),
            _ => InvalidTransaction::Call.into(),
        }
    }

    /// The task and its panel with the attester's seat taken, if the attestation counts.
    fn seated(attestation: &Attestation) -> Result<(TaskOf<T>, PanelOf<T>), Error<T>> {
        let task = Self::task(attestation.task)?;
        let now = frame_system::Pallet::<T>::block_number();
        ensure!(matches!(task.state, State::Attesting { until, .. } if now <= until), Error::<T>::NotAttesting);
        let mut panel = Attestations::<T>::get(attestation.task).ok_or(Error::<T>::NotAttesting)?;
        ensure!(panel.content == attestation.content, Error::<T>::NotTheLeader);
        let seat = panel.seat_mut(&attestation.attester).ok_or(Error::<T>::NotDrawn)?;
        ensure!(!seat.attested, Error::<T>::AlreadyAttested);
        seat.attested = true;
        Ok((task, panel))
    }

    pub(crate) fn do_attest(attestation: Attestation) -> DispatchResult {
        let (task, panel) = Self::seated(&attestation)?;
        let Attestation { task: id, content, attester } = attestation;
        let won = panel.given() >= panel.needed();
        Attestations::<T>::insert(id, panel);
        Self::deposit_event(Event::Attested { task: id, content, attester });
        if won {
            Self::win(id, task);
        }
        Ok(())
    }

    /// The leader of a task has won. Participants are settled from this block on.
    fn win(id: TaskId, mut task: TaskOf<T>) {
        let Some(leader) = task.leader().cloned() else { return };
        if task.order().is_some() {
            Self::create_shares(id);
        }
        Self::reschedule(id, &mut task, frame_system::Pallet::<T>::block_number());
        Self::decide(id, &mut task, Outcome::Won(leader));
        Tasks::<T>::insert(id, task);
    }

    fn set_attesters<'a>(validators: impl Iterator<Item = (&'a T::AccountId, AttesterId)>)
    where
        T::AccountId: 'a,
    {
        let keys: Vec<_> = validators.map(|(_, key)| key).collect();
        let limit = T::MaxAttesters::get().saturated_into::<usize>();
        if keys.len() > limit {
            log::error!(target: LOG, "{} attesters in the session, of which {limit} are used", keys.len());
        }
        Attesters::<T>::put(BoundedVec::truncate_from(keys));
    }
}

impl<T: Config> BoundToRuntimeAppPublic for Pallet<T> {
    type Public = AttesterId;
}

impl<T: Config> OneSessionHandler<T::AccountId> for Pallet<T> {
    type Key = AttesterId;

    fn on_genesis_session<'a, I>(validators: I)
    where
        I: Iterator<Item = (&'a T::AccountId, AttesterId)> + 'a,
    {
        Self::set_attesters(validators);
    }

    fn on_new_session<'a, I>(_changed: bool, validators: I, _queued: I)
    where
        I: Iterator<Item = (&'a T::AccountId, AttesterId)> + 'a,
    {
        Self::set_attesters(validators);
    }

    fn on_disabled(_: u32) {
        // A disabled validator may still serve content; the two thirds needed of a panel allow for its silence.
    }
}
