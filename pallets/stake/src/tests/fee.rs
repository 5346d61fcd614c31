//! The owner's fee and how fast it may rise.

use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, Permill};

use crate::{mock::*, Error, Event, Pools};

fn fee_of(module: u32) -> Permill {
    pool(module).fee
}

#[test]
fn is_the_owners_to_set() {
    on_chain(|| {
        assert_noop!(set_fee(ALICE, ONE, 10), Error::<Test>::NotOwner);
        assert_noop!(set_fee(OWNER, 77, 10), Error::<Test>::UnknownModule);
        assert_noop!(Stake::set_fee(RuntimeOrigin::root(), ONE, Permill::one()), DispatchError::BadOrigin);
        assert_ok!(set_fee(OWNER, ONE, 10));
        let fee = Permill::from_percent(10);
        assert_eq!(last_event(), Event::FeeSet { module: ONE, fee, rise_from: 1 + UNBONDING });
        assert_eq!(fee_of(ONE), fee);
    });
}

#[test]
fn is_free_up_to_the_maximum_while_nobody_has_staked() {
    on_chain(|| {
        assert_noop!(set_fee(OWNER, ONE, 51), Error::<Test>::FeeTooHigh);
        assert_ok!(set_fee(OWNER, ONE, 10));
        assert_ok!(set_fee(OWNER, ONE, 50));
        assert_ok!(set_fee(OWNER, ONE, 0));
        assert!(!Pools::<Test>::contains_key(ONE), "a fee of nothing needs no record");
        assert_ok!(set_fee(OWNER, ONE, 50));
    });
}

#[test]
fn rises_by_a_step_in_an_unbonding_period() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_noop!(set_fee(OWNER, ONE, 6), Error::<Test>::FeeRiseTooSteep);
        assert_ok!(set_fee(OWNER, ONE, 5));
        assert_noop!(set_fee(OWNER, ONE, 6), Error::<Test>::FeeRiseTooSoon);
        assert_noop!(set_fee(OWNER, ONE, 11), Error::<Test>::FeeRiseTooSteep);
        run_to(UNBONDING);
        assert_noop!(set_fee(OWNER, ONE, 6), Error::<Test>::FeeRiseTooSoon);
        run_to(1 + UNBONDING);
        assert_ok!(set_fee(OWNER, ONE, 10));
    });
}

#[test]
fn falls_at_any_time_and_gains_nothing_by_it() {
    on_chain(|| {
        assert_ok!(set_fee(OWNER, ONE, 20));
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(set_fee(OWNER, ONE, 5));
        assert_noop!(set_fee(OWNER, ONE, 10), Error::<Test>::FeeRiseTooSoon);
        skip(UNBONDING);
        assert_noop!(set_fee(OWNER, ONE, 20), Error::<Test>::FeeRiseTooSteep);
        assert_ok!(set_fee(OWNER, ONE, 10));
        assert_ok!(set_fee(OWNER, ONE, 10));
        assert_ok!(set_fee(OWNER, ONE, 3));
        assert_noop!(set_fee(OWNER, ONE, 4), Error::<Test>::FeeRiseTooSoon);
    });
}

#[test]
fn raised_before_the_first_staker_binds_all_the_same() {
    on_chain(|| {
        assert_ok!(set_fee(OWNER, ONE, 1));
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_noop!(set_fee(OWNER, ONE, 2), Error::<Test>::FeeRiseTooSoon);
    });
}

#[test]
fn is_remembered_when_the_last_staker_has_gone() {
    on_chain(|| {
        assert_ok!(set_fee(OWNER, ONE, 20));
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 1_000));
        skip(UNBONDING);
        assert_ok!(withdraw(ALICE, ONE));
        assert_eq!(fee_of(ONE), Permill::from_percent(20));
    });
}

#[test]
fn follows_the_owner_of_the_module() {
    on_chain(|| {
        Owners::mutate(|owners| owners.insert(ONE, BOB));
        assert_noop!(set_fee(OWNER, ONE, 5), Error::<Test>::NotOwner);
        assert_ok!(set_fee(BOB, ONE, 5));
    });
}
