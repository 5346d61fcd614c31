//! Rewards.

use frame_support::{
    assert_noop, assert_ok,
    traits::{
        fungible::Mutate,
        tokens::{Fortitude::Force, Precision::Exact, Preservation::Expendable},
    },
};
use sp_runtime::DispatchError;

use crate::{mock::*, pool::MAX_VALUE, Error, Event};

#[test]
fn are_shared_in_proportion() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(BOB, ONE, 3_000));
        assert_ok!(reward(CHARLIE, ONE, 400));
        assert_eq!(last_event(), Event::Rewarded { module: ONE, amount: 400, fee: 0, owner: Some(OWNER) });
        assert_eq!((staked(ALICE, ONE), staked(BOB, ONE)), (1_100, 3_300));
        assert_eq!((free(CHARLIE), held()), (ENDOWMENT - 400, 4_400));
    });
}

#[test]
fn pay_the_owner_its_fee_first() {
    on_chain(|| {
        assert_ok!(set_fee(OWNER, ONE, 25));
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(reward(BOB, ONE, 400));
        assert_eq!(last_event(), Event::Rewarded { module: ONE, amount: 400, fee: 100, owner: Some(OWNER) });
        assert_eq!((staked(ALICE, ONE), free(OWNER)), (1_300, ENDOWMENT));
        assert_about(staked(OWNER, ONE), 100);
        // The fee is stake like any other.
        assert_ok!(unstake(OWNER, ONE, staked(OWNER, ONE)));
    });
}

#[test]
fn pay_a_fee_below_the_smallest_stake() {
    on_chain(|| {
        assert_ok!(set_fee(OWNER, ONE, 10));
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(reward(BOB, ONE, 500));
        assert_eq!(staked(ALICE, ONE), 1_450);
        assert_about(staked(OWNER, ONE), 50);
        assert_ok!(reward(BOB, ONE, 9));
        assert_eq!(last_event(), Event::Rewarded { module: ONE, amount: 9, fee: 0, owner: Some(OWNER) });
    });
}

#[test]
fn revive_the_stake_of_an_owner_who_lost_it() {
    on_chain(|| {
        assert_ok!(set_fee(OWNER, ONE, 50));
        assert_ok!(stake(OWNER, ONE, 1_000));
        assert_ok!(slash(ONE, 100));
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(reward(BOB, ONE, 200));
        assert_eq!(staked(ALICE, ONE), 1_100);
        assert_about(staked(OWNER, ONE), 100);
    });
}

#[test]
fn need_somebody_who_has_staked() {
    on_chain(|| {
        assert_noop!(reward(ALICE, ONE, 100), Error::<Test>::NobodyStaked);
        assert_noop!(reward(ALICE, 77, 100), Error::<Test>::NobodyStaked);
        assert_eq!(reward_credit(ONE, 100), Err(100));
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 1_000));
        assert_noop!(reward(ALICE, ONE, 100), Error::<Test>::NobodyStaked);
        assert_eq!(reward_credit(ONE, 100), Err(100));
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(slash(ONE, 100));
        assert_noop!(reward(ALICE, ONE, 100), Error::<Test>::NobodyStaked);
        assert_eq!(reward_credit(ONE, 100), Err(100));
    });
}

#[test]
fn refuse_what_cannot_be_paid() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_noop!(reward(BOB, ONE, 0), Error::<Test>::ZeroAmount);
        assert_noop!(reward(BOB, ONE, ENDOWMENT), Error::<Test>::CannotPay);
        assert_noop!(reward(WHALE, ONE, MAX_VALUE), Error::<Test>::PoolFull);
        assert_eq!(reward_credit(ONE, MAX_VALUE), Err(MAX_VALUE));
        assert_noop!(Stake::reward(RuntimeOrigin::root(), ONE, 100), DispatchError::BadOrigin);
    });
}

#[test]
fn of_other_pallets_come_as_credit() {
    on_chain(|| {
        assert_ok!(set_fee(OWNER, ONE, 10));
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(reward_credit(ONE, 100));
        assert_eq!((staked(ALICE, ONE), held()), (1_090, 1_100));
        assert_about(staked(OWNER, ONE), 10);
        // Less than the existential deposit is no problem.
        assert_ok!(reward_credit(ONE, 1));
        assert_ok!(reward_credit(ONE, 0));
        assert_eq!(held(), 1_101);
    });
}

#[test]
fn come_back_when_the_pot_cannot_take_them() {
    new_chain().execute_with(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        let pot = Stake::account_id();
        // Something else keeps the pot alive, so that it can lose its existential deposit.
        System::inc_providers(&pot);
        assert_ok!(Balances::burn_from(&pot, EXISTENTIAL, Expendable, Exact, Force));
        assert_eq!(reward_credit(ONE, EXISTENTIAL - 1), Err(EXISTENTIAL - 1));
        assert_eq!((staked(ALICE, ONE), held(), free(pot)), (1_000, 1_000, 0));
    });
}

#[test]
fn compound_over_many_small_ones() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(BOB, ONE, 2_000));
        for _ in 0..1_000 {
            assert_ok!(reward_credit(ONE, 1));
        }
        assert!(staked(ALICE, ONE).abs_diff(1_333) <= 1 && staked(BOB, ONE).abs_diff(2_667) <= 1);
        assert!(staked(ALICE, ONE) + staked(BOB, ONE) <= 4_000);
    });
}
