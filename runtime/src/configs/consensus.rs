//! Blocks and their finality: BABE, GRANDPA, sessions, offences.

use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU64},
};
use pallet_session::{disabling::UpToLimitWithReEnablingDisablingStrategy, historical};
use pallet_validators::SessionLengthOf;
use sp_consensus_babe::{AllowedSlots, BabeEpochConfiguration};
use sp_runtime::traits::{ConvertInto, Get, OpaqueKeys};
use sp_session::MembershipProof;

use crate::{
    deposit, weights, AccountId, Babe, Balances, Historical, Modules, Offences, Runtime, RuntimeEvent, Session,
    SessionKeys, Stake, Validators, MILLISECS_PER_BLOCK, TUNE,
};

/// Most validators in a session.
const MAX_VALIDATORS: u32 = 128;
/// With fewer candidates all validators stay, and offenders are not let go.
const MIN_VALIDATORS: u32 = 4;
/// Sessions for which an equivocation can still be reported.
const REPORTABLE_SESSIONS: u32 = 6;

/// A quarter of the slots have a leader drawn by chance, every slot has a secondary one: blocks come without gaps.
pub const BABE_GENESIS_EPOCH_CONFIG: BabeEpochConfiguration =
    BabeEpochConfiguration { c: (1, 4), allowed_slots: AllowedSlots::PrimaryAndSecondaryVRFSlots };

/// Blocks for which a report of an equivocation stays valid.
pub struct ReportLongevity;

impl Get<u64> for ReportLongevity {
    fn get() -> u64 {
        SessionLengthOf::<Runtime>::get().saturating_mul(REPORTABLE_SESSIONS.into())
    }
}

parameter_types! {
    /// What session keys cost as long as they are registered, in planck.
    pub const KeyDeposit: u128 = deposit(1, 128);
}

impl pallet_validators::Config for Runtime {
    type Modules = Modules;
    type Stake = Stake;
    type ReportSilence = Offences;
    type MaxValidators = ConstU32<MAX_VALIDATORS>;
    type MinValidators = ConstU32<MIN_VALIDATORS>;
    type MaxCandidates = ConstU32<10_000>;
    type MinStake = ConstU128<{ 100 * TUNE }>;
    type MaxSkips = ConstU32<32>;
    type ChillPeriod = ConstU32<4>;
    type ReportableSessions = ConstU32<REPORTABLE_SESSIONS>;
    // In two sessions a machine can be repaired. That an honest validator has none of blocks of which twelve were its
    // share happens once in 160,000 times.
    type SilentSessions = ConstU32<2>;
    type SilentShare = ConstU32<12>;
    type WeightInfo = weights::pallet_validators::WeightInfo<Runtime>;
}

impl pallet_babe::Config for Runtime {
    type EpochDuration = SessionLengthOf<Runtime>;
    type ExpectedBlockTime = ConstU64<MILLISECS_PER_BLOCK>;
    type EpochChangeTrigger = pallet_babe::ExternalTrigger;
    type DisabledValidators = Session;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
    type MaxNominators = ConstU32<0>;
    type KeyOwnerProof = MembershipProof;
    type EquivocationReportSystem = pallet_babe::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<{ REPORTABLE_SESSIONS as u64 }>;
    type KeyOwnerProof = MembershipProof;
    type EquivocationReportSystem =
        pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
    type EventHandler = Validators;
}

impl pallet_session::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type ShouldEndSession = Babe;
    type NextSessionRotation = Babe;
    type SessionManager = historical::NoteHistoricalRoot<Self, Validators>;
    type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    type DisablingStrategy = UpToLimitWithReEnablingDisablingStrategy;
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    type KeyDeposit = KeyDeposit;
}

impl historical::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type FullIdentification = ();
    type FullIdentificationOf = pallet_validators::Identification;
}

impl pallet_offences::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type IdentificationTuple = historical::IdentificationTuple<Self>;
    type OnOffenceHandler = Validators;
}

impl pallet_authority_discovery::Config for Runtime {
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
}
