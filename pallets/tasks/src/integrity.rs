//! What a runtime's constants must fulfil.

use ensemble_core::{
    spaces::{RoundOutcome, Spaces},
    tasks::Terms,
};
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
        assert!(T::MaxRounds::get() > 0, "MaxRounds must be positive");
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
        let steps = [Step::CloseReveal, Step::CloseAttest, Step::Pay, Step::Finish, Step::Dismiss, Step::Conclude];
        let others = T::Spaces::admit_weight().max(T::Spaces::ended_weight());
        for step in steps {
            let look = <T as Config>::WeightInfo::agenda_look();
            let needed = Self::step_weight(step).saturating_add(others).saturating_add(look);
            assert!(needed.all_lte(limits.max_block), "the step {step:?} must fit into a block");
        }
        let limit = limits.get(DispatchClass::Normal).max_extrinsic.unwrap_or(limits.max_block);
        assert!(Self::advance_weight(T::SettlePerCall::get()).all_lte(limit), "advance must fit into a block");
        Self::check_free_calls(&limits);
    }

    /// What is free and comes first must leave half of each block to those who pay: the attestations of all panels that
    /// begin in a block, and a vote of every validator on every round, commitments or reveals.
    fn check_free_calls(limits: &BlockWeights) {
        let class = limits.get(DispatchClass::Normal);
        let attestation =
            <T as Config>::WeightInfo::attest().saturating_add(<T as Config>::WeightInfo::authorize_attest());
        let commitment = <T as Config>::WeightInfo::commit_as_attester()
            .saturating_add(<T as Config>::WeightInfo::authorize_commit_as_attester());
        let reveal = <T as Config>::WeightInfo::reveal_as_attester()
            .saturating_add(<T as Config>::WeightInfo::authorize_reveal_as_attester());
        let all = |one: Weight, count: u32| one.saturating_add(class.base_extrinsic).saturating_mul(count.into());
        let attestations = all(attestation, T::MaxPanelsPerBlock::get().saturating_mul(T::AttestersPerTask::get()));
        let votes = all(commitment.max(reveal), T::MaxRounds::get().saturating_mul(T::MaxAttesters::get()));
        let half = class.max_total.unwrap_or(limits.max_block).div(2);
        assert!(
            attestations.saturating_add(votes).all_lte(half),
            "what is free must leave half of each block to others"
        );
    }
}
