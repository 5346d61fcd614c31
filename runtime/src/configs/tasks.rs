//! Tasks: how many, how long, how much.

use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU64, Randomness},
    PalletId,
};
use pallet_emission::Burn;
use sp_runtime::transaction_validity::TransactionPriority;

use crate::{
    weights, Assets, Balances, BlockNumber, Hash, Runtime, RuntimeHoldReason, DAYS, EXISTENTIAL_DEPOSIT, TUNE,
};

parameter_types! {
    /// The keyless account that owns the classes of shares.
    pub const TasksPalletId: PalletId = PalletId(*b"ens/task");
}

/// Randomness of the block before, which comes from its author's VRF. The author has known it since the epoch began and
/// can only withhold it, together with the block; the pallet mixes that of many authors. In the first blocks, which
/// have none: that of an earlier epoch.
pub struct BlockRandomness;

impl Randomness<Hash, BlockNumber> for BlockRandomness {
    fn random(subject: &[u8]) -> (Hash, BlockNumber) {
        match pallet_babe::ParentBlockRandomness::<Runtime>::random(subject) {
            (Some(hash), known_since) => (hash, known_since),
            (None, _) => pallet_babe::RandomnessFromOneEpochAgo::<Runtime>::random(subject),
        }
    }
}

impl pallet_tasks::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Shares = Assets;
    type Slashed = Burn<Runtime>;
    type Randomness = BlockRandomness;
    type PalletId = TasksPalletId;
    // All places together cost a million TUNE as long as they are held, the first thousand of them one each.
    type MaxTasks = ConstU32<10_000>;
    type MaxParticipants = ConstU32<256>;
    type MaxAttesters = ConstU32<128>;
    type AttestersPerTask = ConstU32<16>;
    // Whoever holds a third of the slots has ten in a row once in 59,000 times.
    type DrawDelay = ConstU32<10>;
    // 40 panels of 16 with 0.6 ms for each attestation: 0.4 s of the 0.9 s that a block has for transactions.
    type MaxPanelsPerBlock = ConstU32<40>;
    type SettlePerCall = ConstU32<32>;
    type MinPhase = ConstU32<2>;
    type MaxPhase = ConstU32<{ 28 * DAYS }>;
    type MinBond = ConstU128<{ 10 * EXISTENTIAL_DEPOSIT }>;
    type TaskDeposit = ConstU128<TUNE>;
    // An eighth of what a validator's store holds by default, which is the most it takes for one task.
    type MaxContentBytes = ConstU64<{ 5 * 1024 * 1024 * 1024 / 2 }>;
    // Ten TUNE for a GiB, which at least eleven validators keep.
    type RentPerMib = ConstU128<{ TUNE / 100 }>;
    // 16 attestations at what an account would pay for each.
    type AttestFee = ConstU128<{ TUNE / 50 }>;
    // Above all tips below some hundred TUNE, which buy one place each: whether a task is void should not depend on
    // what others pay.
    type AttestPriority = ConstU64<{ TransactionPriority::MAX / 2 }>;
    type WeightInfo = weights::pallet_tasks::WeightInfo<Runtime>;
}
