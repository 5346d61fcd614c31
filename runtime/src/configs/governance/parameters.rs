//! What governance sets at run time, by name. What a pallet keeps in its own storage (the split of emission, the
//! parameters of exchange and inference) is set by that pallet's calls and does not stand here.

use frame_support::{
    dynamic_params::{dynamic_pallet_params, dynamic_params},
    parameter_types,
    traits::{EnsureOrigin, EnsureOriginWithArg, Get},
};
use frame_system::EnsureRoot;
use pallet_modules::Curve;
use sp_runtime::{FixedU128, Permill};

use super::origins::EnsureParameters;
use crate::{AccountId, Balance, Runtime, RuntimeOrigin, EXISTENTIAL_DEPOSIT, TUNE};

/// Bounds of the base of names' prices, in planck: half of it is a deposit, and no price overflows.
const NAME_PRICE_BASES: (Balance, Balance) = (10 * EXISTENTIAL_DEPOSIT, 1_000_000 * TUNE);

/// The parameters, in groups. What was never set is what stands here.
#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
pub mod dynamic_params {
    use super::*;

    /// Names of modules.
    #[dynamic_pallet_params]
    #[codec(index = 0)]
    pub mod names {
        /// Price of a long name on a quiet chain, in planck.
        #[codec(index = 0)]
        pub static Base: Balance = TUNE;
    }

    /// Stake on modules.
    #[dynamic_pallet_params]
    #[codec(index = 1)]
    pub mod stake {
        /// Smallest stake of an account on a module, in planck.
        #[codec(index = 0)]
        pub static MinStake: Balance = 100 * EXISTENTIAL_DEPOSIT;
    }

    /// What is burnt for paid access.
    #[dynamic_pallet_params]
    #[codec(index = 2)]
    pub mod market {
        /// What a call of a module without score burns at intensity 1, in planck.
        #[codec(index = 0)]
        pub static BurnBase: Balance = 10 * TUNE;

        /// How much more a call of a module with the full score burns: this times the base.
        #[codec(index = 1)]
        pub static BurnFactor: FixedU128 = FixedU128::from_u32(2);
    }

    /// The treasury. Only root sets these: whoever spends must not set its own limit.
    #[dynamic_pallet_params]
    #[codec(index = 3)]
    pub mod treasury {
        /// Most that a small spender spends at one time, in planck.
        #[codec(index = 0)]
        pub static SmallSpend: Balance = 10_000 * TUNE;

        /// Most that a big spender spends at one time, in planck.
        #[codec(index = 1)]
        pub static BigSpend: Balance = 1_000_000 * TUNE;
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl Default for RuntimeParameters {
    fn default() -> Self {
        Self::Names(dynamic_params::names::Parameters::Base(dynamic_params::names::Base, Some(TUNE)))
    }
}

/// Who sets a parameter: root those of the treasury, the track of parameters all others.
pub struct EnsureParameterSetter;

impl EnsureOriginWithArg<RuntimeOrigin, RuntimeParametersKey> for EnsureParameterSetter {
    type Success = ();

    fn try_origin(origin: RuntimeOrigin, key: &RuntimeParametersKey) -> Result<(), RuntimeOrigin> {
        match key {
            RuntimeParametersKey::Treasury(_) => <EnsureRoot<AccountId> as EnsureOrigin<_>>::try_origin(origin),
            _ => EnsureParameters::try_origin(origin),
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin(_: &RuntimeParametersKey) -> Result<RuntimeOrigin, ()> {
        Ok(RuntimeOrigin::root())
    }
}

parameter_types! {
    /// Half of a price is a deposit. A thousand registrations raise prices to almost three times, and what they rose by
    /// halves within a day.
    DefaultNamePrices: Curve = Curve {
        base: TUNE,
        deposit: Permill::from_percent(50),
        growth: FixedU128::from_rational(1_001, 1_000),
        decay: FixedU128::from_rational(999_975_932, 1_000_000_000),
        cap: FixedU128::from_u32(100),
    };
}

/// How names are priced, with the base that governance set, within bounds in which every deposit can be held.
pub struct NamePrices;

impl Get<Curve> for NamePrices {
    fn get() -> Curve {
        let (least, most) = NAME_PRICE_BASES;
        Curve { base: dynamic_params::names::Base::get().clamp(least, most), ..DefaultNamePrices::get() }
    }
}

/// The smallest stake that governance set, and at least the existential deposit.
pub struct MinStake;

impl Get<Balance> for MinStake {
    fn get() -> Balance {
        dynamic_params::stake::MinStake::get().max(EXISTENTIAL_DEPOSIT)
    }
}
