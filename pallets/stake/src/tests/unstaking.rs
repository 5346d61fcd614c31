//! Unstaking and withdrawing.

use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

use crate::{mock::*, pool::MAX_VALUE, Error, Event, Stakes, Unbondings};

#[test]
fn pays_out_after_the_unbonding_period() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 400));
        let ready_at = 1 + UNBONDING;
        assert_eq!(last_event(), Event::Unstaked { who: ALICE, module: ONE, amount: 400, ready_at });
        assert_eq!((staked(ALICE, ONE), unbonding(ALICE, ONE), held()), (600, 400, 1_000));
        assert_eq!(free(ALICE), ENDOWMENT - 1_000);

        run_to(ready_at - 1);
        assert_noop!(withdraw(ALICE, ONE), Error::<Test>::NothingDue);
        run_to(ready_at);
        assert_ok!(withdraw(ALICE, ONE));
        assert_eq!(last_event(), Event::Withdrawn { who: ALICE, module: ONE, amount: 400 });
        assert_eq!((free(ALICE), unbonding(ALICE, ONE), held()), (ENDOWMENT - 600, 0, 600));
        assert_noop!(withdraw(ALICE, ONE), Error::<Test>::NothingDue);
    });
}

#[test]
fn of_everything_leaves_no_record() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 1_000));
        assert!(!Stakes::<Test>::contains_key(ALICE, ONE));
        skip(UNBONDING);
        assert_ok!(withdraw(ALICE, ONE));
        assert_eq!(free(ALICE), ENDOWMENT);
        assert_nothing_left();
    });
}

#[test]
fn takes_all_when_too_little_would_remain() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 1_000 - MIN_STAKE));
        assert_eq!(staked(ALICE, ONE), MIN_STAKE);
        assert_ok!(unstake(ALICE, ONE, 1));
        assert_eq!((staked(ALICE, ONE), unbonding(ALICE, ONE)), (0, 1_000));
    });
}

#[test]
fn refuses_what_is_not_there() {
    on_chain(|| {
        assert_noop!(unstake(ALICE, ONE, 1), Error::<Test>::NothingStaked);
        assert_noop!(unstake(ALICE, 77, 1), Error::<Test>::NothingStaked);
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_noop!(unstake(ALICE, ONE, 0), Error::<Test>::ZeroAmount);
        assert_noop!(unstake(ALICE, ONE, 1_001), Error::<Test>::MoreThanStaked);
        assert_noop!(unstake(BOB, ONE, 1), Error::<Test>::NothingStaked);
        assert_noop!(unstake(ALICE, TWO, 1), Error::<Test>::NothingStaked);
        assert_noop!(Stake::unstake(RuntimeOrigin::root(), ONE, 1), DispatchError::BadOrigin);
    });
}

#[test]
fn of_everything_works_only_once() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 1_000));
        assert_noop!(unstake(ALICE, ONE, 1_000), Error::<Test>::NothingStaked);
        skip(UNBONDING);
        assert_ok!(withdraw(ALICE, ONE));
        assert_noop!(withdraw(ALICE, ONE), Error::<Test>::NothingDue);
        assert_noop!(unstake(ALICE, ONE, 1_000), Error::<Test>::NothingStaked);
    });
}

#[test]
fn several_wait_side_by_side_up_to_a_limit() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 10_000));
        for _ in 0..MAX_UNBONDINGS {
            // Two in one block are one.
            assert_ok!(unstake(ALICE, ONE, 100));
            assert_ok!(unstake(ALICE, ONE, 50));
            skip(1);
        }
        assert_eq!(Unbondings::<Test>::get(ALICE, ONE).len(), MAX_UNBONDINGS as usize);
        assert_noop!(unstake(ALICE, ONE, 100), Error::<Test>::TooManyUnbondings);
        // The first of them is ready and makes room.
        run_to(1 + UNBONDING);
        assert_ok!(withdraw(ALICE, ONE));
        assert_eq!(last_event(), Event::Withdrawn { who: ALICE, module: ONE, amount: 150 });
        assert_ok!(unstake(ALICE, ONE, 100));
        skip(UNBONDING);
        assert_ok!(withdraw(ALICE, ONE));
        assert_eq!(free(ALICE), ENDOWMENT - 10_000 + u128::from(MAX_UNBONDINGS) * 150 + 100);
    });
}

#[test]
fn earns_nothing_and_is_slashed_until_it_is_withdrawn() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(BOB, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 1_000));
        assert_ok!(reward(CHARLIE, ONE, 500));
        assert_eq!((unbonding(ALICE, ONE), staked(BOB, ONE)), (1_000, 1_500));
        skip(3 * UNBONDING);
        assert_ok!(slash(ONE, 10));
        assert_eq!((unbonding(ALICE, ONE), staked(BOB, ONE)), (900, 1_350));
        assert_ok!(withdraw(ALICE, ONE));
        assert_eq!(free(ALICE), ENDOWMENT - 100);
    });
}

#[test]
fn withdrawing_is_for_anyone_and_pays_the_owner() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 1_000));
        skip(UNBONDING);
        let bob = free(BOB);
        assert_noop!(Stake::withdraw(RuntimeOrigin::signed(BOB), BOB, ONE), Error::<Test>::NothingDue);
        assert_noop!(Stake::withdraw(RuntimeOrigin::root(), ALICE, ONE), DispatchError::BadOrigin);
        assert_ok!(Stake::withdraw(RuntimeOrigin::signed(BOB), ALICE, ONE));
        assert_eq!((free(ALICE), free(BOB)), (ENDOWMENT, bob));
    });
}

#[test]
fn waits_for_an_account_that_cannot_receive_it() {
    on_chain(|| {
        const NEWCOMER: AccountId = 77;
        newcomer(NEWCOMER, ONE, 1_000);
        assert_ok!(unstake(NEWCOMER, ONE, 1_000));
        let rest = free(NEWCOMER);
        assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(NEWCOMER), ALICE, rest));
        assert!(!System::account_exists(&NEWCOMER));
        // What is left is no amount that an account can exist on.
        assert_ok!(slash(ONE, 99));
        assert_ok!(slash(ONE, 50));
        skip(UNBONDING);
        assert_noop!(withdraw(NEWCOMER, ONE), Error::<Test>::CannotReceive);
        assert_eq!(unbonding(NEWCOMER, ONE), 5);
        assert_ok!(Balances::transfer_keep_alive(RuntimeOrigin::signed(BOB), NEWCOMER, EXISTENTIAL));
        assert_ok!(withdraw(NEWCOMER, ONE));
        assert_eq!(free(NEWCOMER), EXISTENTIAL + 5);
        assert_nothing_left();
    });
}

/// An account without money and with little to withdraw must not keep others from settling what it moved.
#[test]
fn of_an_account_that_cannot_receive_settles_all_the_same() {
    on_chain(|| {
        const NEWCOMER: AccountId = 77;
        newcomer(NEWCOMER, ONE, 1_000);
        assert_ok!(stake(WHALE, TWO, 1_000));
        assert_ok!(Balances::transfer_keep_alive(RuntimeOrigin::signed(WHALE), NEWCOMER, MIN_STAKE));
        assert_ok!(stake(NEWCOMER, TWO, MIN_STAKE));
        assert_ok!(unstake(NEWCOMER, TWO, MIN_STAKE));
        assert_ok!(slash(TWO, 95));
        skip(UNBONDING);
        assert_ok!(move_stake(NEWCOMER, ONE, TWO, 1_000));
        let rest = free(NEWCOMER);
        assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(NEWCOMER), ALICE, rest));
        assert!(!System::account_exists(&NEWCOMER));

        assert_noop!(withdraw(NEWCOMER, TWO), Error::<Test>::CannotReceive);
        assert_ok!(slash(ONE, 40));
        assert_ok!(withdraw(NEWCOMER, TWO));
        let settled = Event::MoveSettled { who: NEWCOMER, module: TWO, from: ONE, slashed: 400, over: false };
        assert_eq!(last_event(), settled);
        assert_eq!((pool(TWO).active.value, unbonding(NEWCOMER, TWO)), (50 + 600, 5));
        assert_noop!(withdraw(NEWCOMER, TWO), Error::<Test>::CannotReceive);
        assert_ok!(Balances::transfer_keep_alive(RuntimeOrigin::signed(BOB), NEWCOMER, EXISTENTIAL));
        assert_ok!(withdraw(NEWCOMER, TWO));
        assert_eq!(free(NEWCOMER), EXISTENTIAL + 5);
    });
}

#[test]
fn clears_what_is_worth_nothing() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 500));
        assert_ok!(slash(ONE, 100));
        assert_noop!(unstake(ALICE, ONE, 1), Error::<Test>::NothingStaked);
        // It need not wait: there is nothing to wait for.
        assert_ok!(withdraw(ALICE, ONE));
        assert!(events().contains(&Event::WorthlessCleared { who: ALICE, module: ONE }));
        assert_eq!(last_event(), Event::Withdrawn { who: ALICE, module: ONE, amount: 0 });
        assert_eq!(free(ALICE), ENDOWMENT - 1_000);
        assert_nothing_left();
    });
}

#[test]
fn joins_an_unbonding_that_a_slash_took_in_the_same_block() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 500));
        assert_ok!(slash(ONE, 100));
        assert_ok!(stake(ALICE, ONE, 700));
        assert_ok!(unstake(ALICE, ONE, 700));
        assert_eq!((Unbondings::<Test>::get(ALICE, ONE).len(), unbonding(ALICE, ONE)), (1, 700));
    });
}

#[test]
fn does_not_overfill_the_unbonding_pool() {
    on_chain(|| {
        assert_ok!(stake(WHALE, ONE, MAX_VALUE));
        assert_ok!(unstake(WHALE, ONE, MAX_VALUE));
        assert_ok!(stake(WHALE, ONE, MAX_VALUE));
        assert_noop!(unstake(WHALE, ONE, MAX_VALUE), Error::<Test>::PoolFull);
        skip(1);
        assert_noop!(unstake(WHALE, ONE, MAX_VALUE), Error::<Test>::PoolFull);
        skip(UNBONDING);
        assert_ok!(withdraw(WHALE, ONE));
        assert_ok!(unstake(WHALE, ONE, MAX_VALUE));
    });
}
