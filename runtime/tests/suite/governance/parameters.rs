//! Parameters that governance sets at run time: each takes effect at once, and only for who may set it.

use ensemble_runtime::{
    configs::{
        dynamic_params::{market, names, stake, treasury},
        pallet_origins::Origin,
        RuntimeParameters,
    },
    Parameters, RuntimeCall, Stake, EXISTENTIAL_DEPOSIT, TUNE,
};
use frame_support::{assert_noop, assert_ok, traits::Get};
use pallet_modules::Curve;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::{DispatchError, FixedU128};

use super::*;
use crate::register;

fn name_prices() -> Curve {
    <Runtime as pallet_modules::Config>::PriceCurve::get()
}

fn base(amount: Balance) -> RuntimeParameters {
    RuntimeParameters::Names(names::Parameters::Base(names::Base, Some(amount)))
}

fn min_stake(amount: Balance) -> RuntimeParameters {
    RuntimeParameters::Stake(stake::Parameters::MinStake(stake::MinStake, Some(amount)))
}

fn small_spend(amount: Balance) -> RuntimeParameters {
    RuntimeParameters::Treasury(treasury::Parameters::SmallSpend(treasury::SmallSpend, Some(amount)))
}

fn set(parameter: RuntimeParameters) -> DispatchResult {
    Parameters::set_parameter(granted(Origin::Parameters), parameter)
}

#[test]
fn the_price_of_names_is_set_by_referendum() {
    on_dev(|| {
        let before = name_prices();
        let call = RuntimeCall::Parameters(pallet_parameters::Call::set_parameter { key_value: base(3 * TUNE) });
        assert_ok!(decide(Origin::Parameters.into(), &call).1);
        assert_eq!(name_prices(), Curve { base: 3 * TUNE, ..before });
    });
}

#[test]
fn the_smallest_stake_is_set() {
    on_dev(|| {
        let module = register(Alice, "a-module");
        assert_ok!(set(min_stake(50 * TUNE)));
        assert_noop!(Stake::stake(signed(Bob), module, 50 * TUNE - 1), pallet_stake::Error::<Runtime>::BelowMinimum);
        assert_ok!(Stake::stake(signed(Bob), module, 50 * TUNE));
    });
}

#[test]
fn what_makes_no_sense_is_bounded() {
    on_dev(|| {
        for (amount, bounded) in [(0, 10 * EXISTENTIAL_DEPOSIT), (Balance::MAX, 1_000_000 * TUNE)] {
            assert_ok!(set(base(amount)));
            assert_eq!(name_prices().base, bounded);
            assert_eq!(name_prices().fault(), None);
        }
        assert_ok!(set(min_stake(0)));
        assert_eq!(<Runtime as pallet_stake::Config>::MinStake::get(), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn what_is_set_can_be_unset() {
    on_dev(|| {
        assert_ok!(set(base(7 * TUNE)));
        assert_ok!(set(RuntimeParameters::Names(names::Parameters::Base(names::Base, None))));
        assert_eq!(name_prices().base, TUNE);
    });
}

#[test]
fn the_market_burns_as_much_as_is_set() {
    on_dev(|| {
        assert_eq!((market::BurnBase::get(), market::BurnFactor::get()), (10 * TUNE, FixedU128::from_u32(2)));
        assert_ok!(set(RuntimeParameters::Market(market::Parameters::BurnBase(market::BurnBase, Some(TUNE)))));
        assert_eq!(market::BurnBase::get(), TUNE);
    });
}

#[test]
fn only_root_sets_what_spenders_spend() {
    on_dev(|| {
        for other in [granted(Origin::Parameters), granted(Origin::BigSpender), signed(Alice)] {
            assert_noop!(Parameters::set_parameter(other, small_spend(TUNE)), DispatchError::BadOrigin);
        }
        assert_ok!(Parameters::set_parameter(RuntimeOrigin::root(), small_spend(TUNE)));
        assert_eq!(treasury::SmallSpend::get(), TUNE);
        assert_noop!(Parameters::set_parameter(signed(Alice), base(TUNE)), DispatchError::BadOrigin);
        assert_noop!(Parameters::set_parameter(granted(Origin::Registry), base(TUNE)), DispatchError::BadOrigin);
    });
}
