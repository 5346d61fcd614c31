//! Governance: who decides by referendum on what, with which votes, and what the treasury spends.
//!
//! - [`origins`]: who a proposal acts as, and how long a day of governance is;
//! - [`tracks`]: what each origin's referenda cost, how long they take and how many must agree;
//! - [`voters`], [`ballots`]: staked TUNE votes as well, and none votes twice;
//! - [`parameters`]: what is set at run time.

pub mod ballots;
pub mod origins;
pub mod parameters;
pub mod tracks;
pub mod voters;

use ensemble_core::stake::OnStakeWithdrawn;
use frame_support::{
    parameter_types,
    traits::{
        fungible::HoldConsideration,
        tokens::{pay::PayFromAccount, UnityAssetBalanceConversion},
        AsEnsureOriginWithArg, ConstU128, ConstU32, EqualPrivilegeOnly, LinearStoragePrice,
    },
    weights::Weight,
    PalletId,
};
use frame_system::{EnsureRoot, EnsureSigned};
use pallet_conviction_voting::{weights::SubstrateWeight, WeightInfo};
use sp_runtime::{
    traits::{AccountIdConversion, IdentityLookup},
    Perbill, Permill,
};

use self::{
    ballots::Ballots,
    origins::{EnsureCanceller, EnsureKiller, EnsureSpender, Hours},
    parameters::{EnsureParameterSetter, RuntimeParameters},
    tracks::Tracks,
    voters::ConvictionVotes,
};
use super::RuntimeBlockWeights;
use crate::{
    deposit, AccountId, Balance, Balances, OriginCaller, Preimage, Referenda, Runtime, RuntimeCall, RuntimeEvent,
    RuntimeHoldReason, RuntimeOrigin, Scheduler, System, Treasury, DAYS, TUNE,
};

/// Hours of a week.
const WEEK: u32 = 7 * 24;

/// Most referenda that an account votes on at one time, on one track.
const MAX_VOTES: u32 = 64;

parameter_types! {
    /// The account of the treasury. It has no key.
    pub const TreasuryPalletId: PalletId = PalletId(*b"ens/trsy");
    /// The same as an account.
    pub TreasuryAccount: AccountId = TreasuryPalletId::get().into_account_truncating();
    /// The treasury burns nothing.
    pub const TreasuryBurn: Permill = Permill::zero();
    /// Why the deposit for a preimage is held.
    pub const PreimageHoldReason: RuntimeHoldReason =
        RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);
    /// Deposit for a preimage, in planck.
    pub const PreimageBaseDeposit: Balance = deposit(1, 0);
    /// Deposit for each byte of a preimage, in planck.
    pub const PreimageByteDeposit: Balance = deposit(0, 1);
    /// Most that scheduled calls weigh in a block. The rest is left for what must not wait.
    pub MaximumSchedulerWeight: Weight = Perbill::from_percent(80) * RuntimeBlockWeights::get().max_block;
}

impl origins::Config for Runtime {
    type DefaultDay = ConstU32<DAYS>;
}

impl voters::Config for Runtime {
    type Votes = ConvictionVotes;
}

/// What was voted with stays with the account when its stake is paid out.
pub struct BindVotes;

impl OnStakeWithdrawn<AccountId> for BindVotes {
    fn on_stake_withdrawn(account: &AccountId) {
        voters::settle(account);
    }

    fn on_stake_withdrawn_weight() -> Weight {
        voters::settle_weight()
    }
}

impl pallet_preimage::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    type ManagerOrigin = EnsureRoot<AccountId>;
    type Consideration = HoldConsideration<
        AccountId,
        Balances,
        PreimageHoldReason,
        LinearStoragePrice<PreimageBaseDeposit, PreimageByteDeposit, Balance>,
    >;
}

impl pallet_scheduler::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeOrigin = RuntimeOrigin;
    type PalletsOrigin = OriginCaller;
    type RuntimeCall = RuntimeCall;
    type MaximumWeight = MaximumSchedulerWeight;
    type ScheduleOrigin = EnsureRoot<AccountId>;
    type OriginPrivilegeCmp = EqualPrivilegeOnly;
    // The benchmarks of referenda fill a block's agenda.
    #[cfg(feature = "runtime-benchmarks")]
    type MaxScheduledPerBlock = ConstU32<512>;
    #[cfg(not(feature = "runtime-benchmarks"))]
    type MaxScheduledPerBlock = ConstU32<64>;
    type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
}

impl pallet_referenda::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_referenda::weights::SubstrateWeight<Runtime>;
    type Scheduler = Scheduler;
    type Currency = Balances;
    type SubmitOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
    type CancelOrigin = EnsureCanceller;
    type KillOrigin = EnsureKiller;
    type Slash = Treasury;
    type Votes = Balance;
    type Tally = pallet_conviction_voting::TallyOf<Runtime>;
    type SubmissionDeposit = ConstU128<{ 10 * TUNE }>;
    type MaxQueued = ConstU32<100>;
    type UndecidingTimeout = Hours<{ 2 * WEEK }>;
    type AlarmInterval = ConstU32<1>;
    type Tracks = Tracks;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
}

impl pallet_conviction_voting::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = VoteWeights;
    type Currency = Ballots;
    type Polls = Referenda;
    type MaxTurnout = frame_support::traits::tokens::currency::ActiveIssuanceOf<Balances, AccountId>;
    type MaxVotes = ConstU32<MAX_VOTES>;
    // Longer than any track takes to enact: whoever decides stays for what comes of it.
    type VoteLockingPeriod = Hours<WEEK>;
    type BlockNumberProvider = System;
    type VotingHooks = ();
}

impl pallet_treasury::Config for Runtime {
    type Currency = Balances;
    type RejectOrigin = EnsureCanceller;
    type RuntimeEvent = RuntimeEvent;
    type SpendPeriod = Hours<24>;
    type Burn = TreasuryBurn;
    type PalletId = TreasuryPalletId;
    // Nothing is burnt.
    type BurnDestination = ();
    type WeightInfo = pallet_treasury::weights::SubstrateWeight<Runtime>;
    type SpendFunds = ();
    type MaxApprovals = ConstU32<100>;
    type SpendOrigin = EnsureSpender;
    type AssetKind = ();
    type Beneficiary = AccountId;
    type BeneficiaryLookup = IdentityLookup<AccountId>;
    type Paymaster = PayFromAccount<Balances, TreasuryAccount>;
    type BalanceConverter = UnityAssetBalanceConversion;
    type PayoutPeriod = Hours<{ 4 * WEEK }>;
    type BlockNumberProvider = System;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
}

impl pallet_parameters::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeParameters = RuntimeParameters;
    type AdminOrigin = EnsureParameterSetter;
    // The pallet's own figures; it shows no others.
    type WeightInfo = ();
}

/// What votes weigh where stake votes too: what the pallet says, and reading what the voter has staked.
pub struct VoteWeights;

impl VoteWeights {
    fn with_stake(weight: Weight) -> Weight {
        weight.saturating_add(voters::settle_weight())
    }
}

impl WeightInfo for VoteWeights {
    fn vote_new() -> Weight {
        Self::with_stake(SubstrateWeight::<Runtime>::vote_new())
    }

    fn vote_existing() -> Weight {
        Self::with_stake(SubstrateWeight::<Runtime>::vote_existing())
    }

    fn remove_vote() -> Weight {
        SubstrateWeight::<Runtime>::remove_vote()
    }

    fn remove_other_vote() -> Weight {
        SubstrateWeight::<Runtime>::remove_other_vote()
    }

    fn delegate(votes: u32) -> Weight {
        Self::with_stake(SubstrateWeight::<Runtime>::delegate(votes))
    }

    fn undelegate(votes: u32) -> Weight {
        SubstrateWeight::<Runtime>::undelegate(votes)
    }

    fn unlock() -> Weight {
        Self::with_stake(SubstrateWeight::<Runtime>::unlock())
    }
}
