//! What was staked all through an epoch.

use frame_support::assert_ok;

use crate::{mock::*, types::Steady};

#[test]
fn counts_from_the_next_epoch_on() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_eq!(steady(ONE), 0);
        run_to(EPOCH - 1);
        assert_eq!(steady(ONE), 0);
        next_epoch();
        assert_eq!(steady(ONE), 1_000);
        assert_ok!(stake(BOB, ONE, 500));
        assert_eq!(steady(ONE), 1_000);
        next_epoch();
        assert_eq!(steady(ONE), 1_500);
        assert_eq!(steady(TWO), 0);
    });
}

#[test]
fn falls_at_once_and_does_not_rise_again() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        next_epoch();
        assert_ok!(unstake(ALICE, ONE, 400));
        assert_eq!(steady(ONE), 600);
        assert_ok!(stake(BOB, ONE, 5_000));
        assert_eq!(steady(ONE), 600);
        assert_ok!(unstake(ALICE, ONE, 600));
        assert_eq!(steady(ONE), 600);
        next_epoch();
        assert_eq!(steady(ONE), 5_000);
    });
}

#[test]
fn a_planck_that_moves_is_counted_on_one_module() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(BOB, TWO, 1_000));
        next_epoch();
        assert_ok!(move_stake(ALICE, ONE, TWO, 300));
        assert_eq!((steady(ONE), steady(TWO)), (700, 1_000));
        // Nor does it help to go on from there, or back.
        assert_ok!(move_stake(BOB, TWO, ONE, 1_000));
        assert_eq!((steady(ONE), steady(TWO)), (700, 300));
        next_epoch();
        assert_eq!((steady(ONE), steady(TWO)), (1_700, 300));
    });
}

#[test]
fn rewards_count_in_the_next_epoch_and_slashes_at_once() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        next_epoch();
        assert_ok!(reward(BOB, ONE, 200));
        assert_eq!(steady(ONE), 1_000);
        assert_ok!(slash(ONE, 50));
        assert_eq!(steady(ONE), 600);
        next_epoch();
        assert_ok!(reward(BOB, ONE, 200));
        assert_eq!(steady(ONE), 600);
        next_epoch();
        assert_eq!(steady(ONE), 800);
        assert_ok!(slash(ONE, 100));
        assert_eq!(steady(ONE), 0);
    });
}

#[test]
fn slashes_of_where_stake_came_from_count_when_they_are_taken() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(move_stake(ALICE, ONE, TWO, 1_000));
        next_epoch();
        assert_ok!(slash(ONE, 50));
        assert_eq!(steady(TWO), 1_000);
        assert_ok!(withdraw(ALICE, TWO));
        assert_eq!(steady(TWO), 500);
    });
}

#[test]
fn a_pool_that_was_forgotten_begins_with_nothing() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        next_epoch();
        let now = System::block_number();
        assert_ok!(unstake(ALICE, ONE, 1_000));
        run_to(now + UNBONDING);
        assert_ok!(withdraw(ALICE, ONE));
        assert_nothing_left();
        assert_ok!(stake(BOB, ONE, 300));
        assert_eq!(steady(ONE), 0);
        next_epoch();
        assert_eq!(steady(ONE), 300);
    });
}

#[test]
fn fees_leave_it_as_it_is() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        next_epoch();
        assert_ok!(set_fee(OWNER, ONE, 5));
        assert_eq!(steady(ONE), 1_000);
        next_epoch();
        remove_module(ONE);
        assert_eq!(steady(ONE), 1_000);
    });
}

#[test]
fn the_record_alone_tells_it() {
    let mut steady = Steady::default();
    steady.note(3, 100);
    assert_eq!((steady.at(3), steady.at(4)), (0, 100));
    steady.note(5, 400);
    steady.note(5, 50);
    steady.note(5, 900);
    assert_eq!((steady.at(5), steady.at(6)), (50, 900));
}
