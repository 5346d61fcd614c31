//! What a runtime's constants must fulfil.

use ensemble_core::{inference::MAX_REPLICAS, spaces::Spaces, tasks::Terms, votes::VoteOutcome};
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
        assert!(T::MaxTraces::get() > 0, "MaxTraces must be positive");
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
        let others = T::Spaces::admit_weight().max(T::Outcomes::left_weight()).max(T::Outcomes::ended_weight());
        for step in steps {
            let look = <T as Config>::WeightInfo::agenda_look();
            let needed = Self::step_weight(step).saturating_add(others).saturating_add(look);
            assert!(needed.all_lte(limits.max_block), "the step {step:?} must fit into a block");
        }
        let limit = limits.get(DispatchClass::Normal).max_extrinsic.unwrap_or(limits.max_block);
        assert!(Self::advance_weight(T::SettlePerCall::get()).all_lte(limit), "advance must fit into a block");
        Self::check_free_calls(&limits);
    }

    /// What is free and comes first must leave room in each block to others. In one block there are at most
    ///
    /// - the attestations of all panels that begin in it, `MaxPanelsPerBlock * AttestersPerTask`;
    /// - a ballot, commitment or reveal, of every validator on every round: `MaxRounds * MaxAttesters`;
    /// - a ballot of every replica on every trace: `MaxTraces * MAX_REPLICAS`.
    ///
    /// What validators send leaves half, as they all hear of a round at once. Votes on traces begin as sessions end, one
    /// now and one then: even if all of their ballots come together, a quarter is left.
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
        let ballot = commitment.max(reveal);
        let rounds = all(ballot, T::MaxRounds::get().saturating_mul(T::MaxAttesters::get()));
        let traces = all(ballot, T::MaxTraces::get().saturating_mul(MAX_REPLICAS));
        let block = class.max_total.unwrap_or(limits.max_block);
        let by_validators = attestations.saturating_add(rounds);
        assert!(by_validators.all_lte(block.div(2)), "what validators send must leave half of each block to others");
        assert!(
            by_validators.saturating_add(traces).all_lte(block.div(4).saturating_mul(3)),
            "what is free must leave a quarter of each block to others"
        );
    }
}
