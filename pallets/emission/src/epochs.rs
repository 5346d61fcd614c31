//! The clock.

use ensemble_core::{
    emission::EpochView,
    epochs::{EpochIndex, EpochPhase, Epochs},
};
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::{Saturating, UniqueSaturatedInto};

use crate::{Config, EpochLength, Pallet};

/// Fewest blocks of an epoch: with fewer, a phase could have none.
pub(crate) const MIN_LENGTH: u32 = 4;

impl<T: Config> Pallet<T> {
    /// Where the clock stands.
    pub fn epoch_view() -> EpochView<BlockNumberFor<T>> {
        let (now, length) = (frame_system::Pallet::<T>::block_number(), EpochLength::<T>::get());
        let epoch = Self::epoch_of(now, length);
        let begins = length.saturating_mul(epoch.into());
        let reveals = begins.saturating_add(T::CommitPart::get().mul_floor(length));
        let phase = if now < reveals { EpochPhase::Commit } else { EpochPhase::Reveal };
        EpochView { epoch, phase, begins, reveals, ends: begins.saturating_add(length) }
    }

    /// Genesis and the constants see to it that the length is not zero.
    fn epoch_of(block: BlockNumberFor<T>, length: BlockNumberFor<T>) -> EpochIndex {
        let length = length.max(MIN_LENGTH.into());
        (block / length).unique_saturated_into()
    }
}

impl<T: Config> Epochs for Pallet<T> {
    fn current() -> EpochIndex {
        Self::epoch_of(frame_system::Pallet::<T>::block_number(), EpochLength::<T>::get())
    }

    fn phase() -> EpochPhase {
        Self::epoch_view().phase
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn move_to_for_benchmark(epoch: EpochIndex, phase: EpochPhase) {
        let length = EpochLength::<T>::get();
        frame_system::Pallet::<T>::set_block_number(length.saturating_mul(epoch.into()));
        if phase == EpochPhase::Reveal {
            frame_system::Pallet::<T>::set_block_number(Self::epoch_view().reveals);
        }
        Self::close_if_over();
    }
}
