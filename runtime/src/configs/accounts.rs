//! Convenience of accounts: batches, proxies, multisigs, and the key that dev and local networks are administered with.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    parameter_types,
    traits::{ConstU32, InstanceFilter},
};
use scale_info::TypeInfo;
use sp_runtime::traits::BlakeTwo256;

use crate::{deposit, weights, Balance, Balances, OriginCaller, Runtime, RuntimeCall, RuntimeEvent, System};

impl pallet_utility::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = OriginCaller;
    type WeightInfo = weights::pallet_utility::WeightInfo<Runtime>;
}

/// What a proxy may do in the name of the account that named it.
#[derive(
    Clone,
    Copy,
    Debug,
    Decode,
    DecodeWithMemTracking,
    Default,
    Encode,
    Eq,
    MaxEncodedLen,
    Ord,
    PartialEq,
    PartialOrd,
    TypeInfo,
)]
pub enum ProxyType {
    /// Everything.
    #[default]
    Any,
    /// Everything that does not move balances, assets or modules to another account, or burns them for a name. Creating
    /// a task does: it promises rewards. So does buying, and selling: the price may be too low.
    NonTransfer,
    /// Take part in tasks, but not create them.
    Tasks,
    /// Say what the account's modules are, without registering, trading or removing any.
    Modules,
    /// Stake, move and withdraw, and set fees.
    Stake,
    /// Manage session keys, and stand for election as a block validator.
    SessionKeys,
    /// Score miners: what the machine of a validator does.
    Scores,
    /// Say which members of the account's spaces count, without creating or retiring any.
    Spaces,
    /// Vote, delegate votes, and submit referenda with the deposits for them.
    Governance,
    /// Redeem calls, and claim what shares earned, without buying or selling: what the machine of an endpoint does.
    Market,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
    fn filter(&self, call: &RuntimeCall) -> bool {
        match self {
            Self::Any => true,
            Self::NonTransfer => !matches!(
                call,
                RuntimeCall::Assets(..)
                    | RuntimeCall::Balances(..)
                    | RuntimeCall::Multisig(..)
                    | RuntimeCall::Sudo(..)
                    | RuntimeCall::Tasks(pallet_tasks::Call::create { .. })
                    | RuntimeCall::Modules(
                        pallet_modules::Call::register { .. }
                            | pallet_modules::Call::offer_transfer { .. }
                            | pallet_modules::Call::accept_transfer { .. }
                    )
                    | RuntimeCall::Stake(pallet_stake::Call::reward { .. })
                    | RuntimeCall::Emission(pallet_emission::Call::burn { .. })
                    | RuntimeCall::Market(
                        pallet_market::Call::list { .. }
                            | pallet_market::Call::update_listing { .. }
                            | pallet_market::Call::buy { .. }
                            | pallet_market::Call::offer_contribution { .. }
                            | pallet_market::Call::buy_contribution { .. }
                    )
            ),
            // What is in a batch passes this filter too.
            Self::Tasks => matches!(
                call,
                RuntimeCall::Utility(..)
                    | RuntimeCall::Tasks(
                        pallet_tasks::Call::commit { .. }
                            | pallet_tasks::Call::reveal { .. }
                            | pallet_tasks::Call::cancel { .. }
                            | pallet_tasks::Call::advance { .. }
                    )
            ),
            Self::Modules => matches!(
                call,
                RuntimeCall::Utility(..)
                    | RuntimeCall::Modules(
                        pallet_modules::Call::update { .. }
                            | pallet_modules::Call::set_dependencies { .. }
                            | pallet_modules::Call::set_role { .. }
                            | pallet_modules::Call::refresh_type { .. }
                    )
            ),
            Self::Stake => matches!(
                call,
                RuntimeCall::Utility(..)
                    | RuntimeCall::Stake(
                        pallet_stake::Call::stake { .. }
                            | pallet_stake::Call::unstake { .. }
                            | pallet_stake::Call::move_stake { .. }
                            | pallet_stake::Call::withdraw { .. }
                            | pallet_stake::Call::set_fee { .. }
                    )
            ),
            Self::SessionKeys => matches!(call, RuntimeCall::Session(..) | RuntimeCall::Validators(..)),
            Self::Scores => matches!(call, RuntimeCall::Utility(..) | RuntimeCall::Scores(..)),
            Self::Spaces => matches!(
                call,
                RuntimeCall::Utility(..)
                    | RuntimeCall::Spaces(pallet_spaces::Call::suspend { .. } | pallet_spaces::Call::readmit { .. })
            ),
            Self::Governance => matches!(
                call,
                RuntimeCall::Utility(..)
                    | RuntimeCall::ConvictionVoting(..)
                    | RuntimeCall::Preimage(
                        pallet_preimage::Call::note_preimage { .. } | pallet_preimage::Call::unnote_preimage { .. }
                    )
                    | RuntimeCall::Referenda(
                        pallet_referenda::Call::submit { .. }
                            | pallet_referenda::Call::place_decision_deposit { .. }
                            | pallet_referenda::Call::refund_decision_deposit { .. }
                            | pallet_referenda::Call::refund_submission_deposit { .. }
                            | pallet_referenda::Call::set_metadata { .. }
                    )
            ),
            Self::Market => matches!(
                call,
                RuntimeCall::Utility(..)
                    | RuntimeCall::Market(pallet_market::Call::redeem { .. } | pallet_market::Call::claim_sales { .. })
            ),
        }
    }

    fn is_superset(&self, other: &Self) -> bool {
        match (self, other) {
            (left, right) if left == right => true,
            (Self::Any, _) => true,
            (
                Self::NonTransfer,
                Self::Tasks
                | Self::Modules
                | Self::Stake
                | Self::SessionKeys
                | Self::Scores
                | Self::Spaces
                | Self::Governance
                | Self::Market,
            ) => true,
            _ => false,
        }
    }
}

parameter_types! {
    /// Deposit for an account's first proxy, in planck.
    pub const ProxyDepositBase: Balance = deposit(1, 8);
    /// Deposit for each proxy, in planck.
    pub const ProxyDepositFactor: Balance = deposit(0, 33);
    /// Deposit for a proxy's first announcement, in planck.
    pub const AnnouncementDepositBase: Balance = deposit(1, 8);
    /// Deposit for each announcement, in planck.
    pub const AnnouncementDepositFactor: Balance = deposit(0, 66);
    /// Deposit for a multisig call that waits, in planck.
    pub const MultisigDepositBase: Balance = deposit(1, 88);
    /// Deposit for each signatory of it, in planck.
    pub const MultisigDepositFactor: Balance = deposit(0, 32);
}

impl pallet_proxy::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type ProxyType = ProxyType;
    type ProxyDepositBase = ProxyDepositBase;
    type ProxyDepositFactor = ProxyDepositFactor;
    type MaxProxies = ConstU32<32>;
    type WeightInfo = weights::pallet_proxy::WeightInfo<Runtime>;
    type MaxPending = ConstU32<32>;
    type CallHasher = BlakeTwo256;
    type AnnouncementDepositBase = AnnouncementDepositBase;
    type AnnouncementDepositFactor = AnnouncementDepositFactor;
    type BlockNumberProvider = System;
}

impl pallet_multisig::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type DepositBase = MultisigDepositBase;
    type DepositFactor = MultisigDepositFactor;
    type MaxSignatories = ConstU32<100>;
    type WeightInfo = weights::pallet_multisig::WeightInfo<Runtime>;
    type BlockNumberProvider = System;
}

impl pallet_sudo::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WeightInfo = weights::pallet_sudo::WeightInfo<Runtime>;
}
