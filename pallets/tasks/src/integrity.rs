//! What a runtime's constants must fulfil.

use ensemble_core::tasks::Terms;
use frame_support::pallet_prelude::*;
use frame_system::{limits::BlockWeights, pallet_prelude::BlockNumberFor};
use sp_runtime::{traits::One, Permill};

use crate::{existential_deposit, reward, Config, Pallet, Step, WeightInfo};

impl<T: Config> Pallet<T> {
    /// Stops a runtime whose constants do not fit each other; run by its tests.
    pub(crate) fn check_constants() {
        Self::check_counts();
        Self::check_amounts();
        Self::check_weights();
    }

    fn check_counts() {
        assert!(T::MaxTasks::get() > 0, "MaxTasks must be positive");
        assert!(T::MaxParticipants::get() > 0, "MaxParticipants must be positive");
        assert!(T::SettlePerCall::get() > 0, "SettlePerCall must be positive");
        assert!(T::AttestersPerTask::get() > 0, "AttestersPerTask must be positive");
        assert!(T::AttestersPerTask::get() <= T::MaxAttesters::get(), "AttestersPerTask must be at most MaxAttesters");
        assert!(T::MaxPanelsPerBlock::get() > 0, "MaxPanelsPerBlock must be positive");
        assert!(T::MinPhase::get() >= BlockNumberFor::<T>::one(), "MinPhase must be at least one block");
        assert!(T::MinPhase::get() <= T::MaxPhase::get(), "MinPhase must be at most MaxPhase");
    }

    fn check_amounts() {
        let existential = existential_deposit::<T>();
        assert!(T::MinBond::get() >= existential, "MinBond must be at least the existential deposit");
        assert!(T::TaskDeposit::get() >= existential, "TaskDeposit must be at least the existential deposit");
        assert!(T::MaxContentBytes::get() > 0, "MaxContentBytes must be positive");
        // A reward of 10^18 planck, a million tokens of twelve decimals, must be payable to everybody at full growth.
        let terms = Terms {
            base: 1_000_000_000_000_000_000,
            growth: Permill::one(),
            minority_share: Permill::one(),
            bond: T::MinBond::get(),
            minority_slash: Permill::one(),
        };
        let worst = reward::worst_case(&terms, T::MaxParticipants::get());
        assert!(worst.is_some(), "the rewards of MaxParticipants must be an amount");
    }

    /// Whatever cannot be done in an empty block would never be done.
    fn check_weights() {
        let limits = T::BlockWeights::get();
        for step in [Step::CloseReveal, Step::CloseAttest, Step::Pay, Step::Finish] {
            let needed = Self::step_weight(step).saturating_add(<T as Config>::WeightInfo::agenda_look());
            assert!(needed.all_lte(limits.max_block), "the step {step:?} must fit into a block");
        }
        let limit = limits.get(DispatchClass::Normal).max_extrinsic.unwrap_or(limits.max_block);
        assert!(Self::advance_weight(T::SettlePerCall::get()).all_lte(limit), "advance must fit into a block");
        Self::check_attestations(&limits);
    }

    /// What is free and comes first must leave half of each block to those who pay.
    fn check_attestations(limits: &BlockWeights) {
        let class = limits.get(DispatchClass::Normal);
        let one = <T as Config>::WeightInfo::attest()
            .saturating_add(<T as Config>::WeightInfo::authorize_attest())
            .saturating_add(class.base_extrinsic);
        let count = T::MaxPanelsPerBlock::get().saturating_mul(T::AttestersPerTask::get());
        let half = class.max_total.unwrap_or(limits.max_block).div(2);
        assert!(one.saturating_mul(count.into()).all_lte(half), "attestations must leave half of each block to others");
    }
}
