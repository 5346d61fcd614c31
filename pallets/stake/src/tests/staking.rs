//! Staking.

use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

use crate::{mock::*, pool::MAX_VALUE, Error, Event};

#[test]
fn takes_the_money_and_gives_a_stake() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_eq!(last_event(), Event::Staked { who: ALICE, module: ONE, amount: 1_000 });
        assert_eq!((free(ALICE), staked(ALICE, ONE), held()), (ENDOWMENT - 1_000, 1_000, 1_000));
        assert_ok!(stake(ALICE, ONE, 1));
        assert_ok!(stake(BOB, ONE, 500));
        assert_ok!(stake(BOB, TWO, 300));
        assert_eq!((staked(ALICE, ONE), staked(BOB, ONE), staked(BOB, TWO), held()), (1_001, 500, 300, 1_801));
        assert_eq!((pool(ONE).active.holders, pool(TWO).active.holders), (2, 1));
    });
}

#[test]
fn can_be_as_much_as_leaves_the_account_alive() {
    on_chain(|| {
        assert_noop!(stake(ALICE, ONE, ENDOWMENT), Error::<Test>::CannotPay);
        assert_noop!(stake(ALICE, ONE, ENDOWMENT - EXISTENTIAL + 1), Error::<Test>::CannotPay);
        assert_ok!(stake(ALICE, ONE, ENDOWMENT - EXISTENTIAL));
        assert_eq!(free(ALICE), EXISTENTIAL);
    });
}

#[test]
fn refuses_nothing_and_too_little() {
    on_chain(|| {
        assert_noop!(stake(ALICE, ONE, 0), Error::<Test>::ZeroAmount);
        assert_noop!(stake(ALICE, ONE, MIN_STAKE - 1), Error::<Test>::BelowMinimum);
        assert_ok!(stake(ALICE, ONE, MIN_STAKE));
        assert_noop!(stake(ALICE, ONE, 0), Error::<Test>::ZeroAmount);
    });
}

#[test]
fn the_minimum_can_be_staked_at_any_price_of_shares() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(reward(BOB, ONE, 777));
        assert_ok!(stake(BOB, ONE, MIN_STAKE));
        assert!(staked(BOB, ONE) + 1 >= MIN_STAKE);
    });
}

#[test]
fn needs_a_module_and_a_signature() {
    on_chain(|| {
        assert_noop!(stake(ALICE, 77, 1_000), Error::<Test>::UnknownModule);
        assert_noop!(Stake::stake(RuntimeOrigin::root(), ONE, 1_000), DispatchError::BadOrigin);
    });
}

#[test]
fn does_not_overfill_a_pool() {
    on_chain(|| {
        assert_noop!(stake(WHALE, ONE, MAX_VALUE + 1), Error::<Test>::PoolFull);
        assert_ok!(stake(WHALE, ONE, MAX_VALUE));
        assert_noop!(stake(ALICE, ONE, MIN_STAKE), Error::<Test>::PoolFull);
        assert_noop!(stake(WHALE, ONE, 1), Error::<Test>::PoolFull);
        assert_ok!(stake(ALICE, TWO, MIN_STAKE));
    });
}

#[test]
fn replaces_what_was_slashed_to_nothing() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(BOB, ONE, 1_000));
        assert_ok!(slash(ONE, 100));
        assert_noop!(stake(ALICE, ONE, MIN_STAKE - 1), Error::<Test>::BelowMinimum);
        assert_ok!(stake(ALICE, ONE, MIN_STAKE));
        assert_eq!((staked(ALICE, ONE), staked(BOB, ONE)), (MIN_STAKE, 0));
        assert_eq!((pool(ONE).active.holders, pool(ONE).active.stale), (1, 1));
    });
}

/// An attacker stakes the minimum first and pays a fortune into the pool; whoever stakes then must not lose by it.
#[test]
fn the_first_depositor_gains_nothing() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, MIN_STAKE));
        assert_ok!(reward(ALICE, ONE, ENDOWMENT - 1_000));
        let before = staked(ALICE, ONE);
        assert_ok!(stake(BOB, ONE, 150_000));
        assert_ok!(stake(CHARLIE, ONE, 149_999));
        assert!(staked(BOB, ONE) + 1 >= 150_000 && staked(CHARLIE, ONE) + 1 >= 149_999);
        assert!(staked(ALICE, ONE) <= before + 1);
    });
}

/// Money sent to the pallet's account belongs to nobody and changes nothing.
#[test]
fn gifts_to_the_pot_move_no_price() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(Balances::transfer_keep_alive(RuntimeOrigin::signed(BOB), Stake::account_id(), 50_000));
        assert_eq!((staked(ALICE, ONE), held()), (1_000, 1_000));
        assert_ok!(stake(BOB, ONE, 1_000));
        assert_eq!(staked(BOB, ONE), 1_000);
    });
}
