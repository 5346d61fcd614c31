//! Moving stake, and what it stays liable for.

use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

use crate::{mock::*, pool::MAX_VALUE, Error, Event, Moves, Stakes};

#[test]
fn earns_at_the_destination_at_once() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(move_stake(ALICE, ONE, TWO, 400));
        let until = 1 + UNBONDING;
        assert_eq!(last_event(), Event::Moved { who: ALICE, from: ONE, to: TWO, amount: 400, until });
        assert_eq!((staked(ALICE, ONE), staked(ALICE, TWO)), (600, 400));
        assert_eq!((pool(ONE).active.value, pool(ONE).moved.value, pool(TWO).active.value), (600, 400, 400));
        assert_ok!(reward(BOB, TWO, 100));
        assert_ok!(reward(BOB, ONE, 60));
        assert_eq!((staked(ALICE, ONE), staked(ALICE, TWO), held()), (660, 500, 1_160));
    });
}

#[test]
fn stays_where_it_was_moved_to_for_an_unbonding_period() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(ALICE, TWO, 300));
        assert_ok!(move_stake(ALICE, ONE, TWO, 400));
        run_to(UNBONDING);
        assert_noop!(unstake(ALICE, TWO, 301), Error::<Test>::StillLiable);
        assert_noop!(move_stake(ALICE, TWO, THREE, 301), Error::<Test>::StillLiable);
        assert_noop!(unstake(ALICE, TWO, 701), Error::<Test>::MoreThanStaked);
        assert_noop!(withdraw(ALICE, TWO), Error::<Test>::NothingDue);
        // What was there before is free.
        assert_ok!(unstake(ALICE, TWO, 300));
        assert_noop!(unstake(ALICE, TWO, 1), Error::<Test>::StillLiable);

        run_to(1 + UNBONDING);
        assert_ok!(unstake(ALICE, TWO, 150));
        let settled = Event::MoveSettled { who: ALICE, module: TWO, from: ONE, slashed: 0, over: true };
        assert!(events().contains(&settled));
        assert_eq!((staked(ALICE, TWO), pool(ONE).moved.value), (250, 0));
        assert_ok!(move_stake(ALICE, TWO, THREE, 100));
    });
}

#[test]
fn joins_the_rest_when_anybody_asks() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(ALICE, TWO, 300));
        assert_ok!(move_stake(ALICE, ONE, TWO, 400));
        assert_eq!(pool(TWO).active.holders, 2);
        skip(UNBONDING);
        assert_ok!(withdraw(ALICE, TWO));
        assert!(!Moves::<Test>::contains_key(ALICE, TWO));
        assert_eq!((staked(ALICE, TWO), pool(TWO).active.holders), (700, 1));
        assert_noop!(withdraw(ALICE, TWO), Error::<Test>::NothingDue);
    });
}

#[test]
fn does_not_escape_a_slash() {
    on_chain(|| {
        for who in [ALICE, BOB, CHARLIE] {
            assert_ok!(stake(who, ONE, 1_000));
        }
        assert_ok!(unstake(BOB, ONE, 1_000));
        assert_ok!(move_stake(CHARLIE, ONE, TWO, 1_000));
        assert_ok!(slash(ONE, 30));
        assert_eq!((staked(ALICE, ONE), unbonding(BOB, ONE), staked(CHARLIE, TWO)), (700, 700, 700));
        assert_eq!(SlashedSoFar::get(), 600, "what was moved is taken when it is touched");

        assert_ok!(withdraw(CHARLIE, TWO));
        assert_eq!(
            last_event(),
            Event::MoveSettled { who: CHARLIE, module: TWO, from: ONE, slashed: 300, over: false }
        );
        assert_eq!((staked(CHARLIE, TWO), SlashedSoFar::get(), held()), (700, 900, 2_100));
        assert_noop!(withdraw(CHARLIE, TWO), Error::<Test>::NothingDue);

        // Again, and taken only when it is over.
        assert_ok!(slash(ONE, 50));
        skip(UNBONDING);
        assert_ok!(unstake(CHARLIE, TWO, 350));
        assert_eq!((unbonding(CHARLIE, TWO), SlashedSoFar::get()), (350, 900 + 700 + 350));
        assert_eq!(pool(ONE).moved.value, 0);
    });
}

#[test]
fn is_not_slashed_for_what_came_after() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(BOB, ONE, 1_000));
        assert_ok!(move_stake(ALICE, ONE, TWO, 1_000));
        skip(UNBONDING);
        assert_ok!(withdraw(ALICE, TWO));
        assert_ok!(slash(ONE, 100));
        assert_eq!(staked(ALICE, TWO), 1_000);
    });
}

#[test]
fn is_liable_for_the_destination_as_well_and_never_for_more_than_it_is_worth() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(ALICE, TWO, 500));
        assert_ok!(move_stake(ALICE, ONE, TWO, 1_000));
        assert_ok!(slash(TWO, 80));
        assert_eq!(staked(ALICE, TWO), 300);
        assert_ok!(slash(ONE, 50));
        assert_eq!(staked(ALICE, TWO), 100, "500 are due, of which the moved stake has 200");
        assert_ok!(withdraw(ALICE, TWO));
        assert_eq!(last_event(), Event::MoveSettled { who: ALICE, module: TWO, from: ONE, slashed: 200, over: true });
        assert_eq!((staked(ALICE, TWO), held()), (100, 100));
        assert!(!crate::Pools::<Test>::contains_key(ONE));
    });
}

#[test]
fn is_cleared_when_either_side_loses_everything() {
    for module in [ONE, TWO] {
        on_chain(|| {
            assert_ok!(stake(ALICE, ONE, 1_000));
            assert_ok!(move_stake(ALICE, ONE, TWO, 1_000));
            assert_ok!(slash(module, 100));
            assert_eq!(staked(ALICE, TWO), 0);
            assert_ok!(withdraw(ALICE, TWO));
            assert_eq!(SlashedSoFar::get(), 1_000);
            assert_nothing_left();
        });
    }
}

#[test]
fn a_second_move_from_the_same_module_joins_the_first() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(move_stake(ALICE, ONE, TWO, 300));
        skip(5);
        assert_ok!(slash(ONE, 10));
        assert_ok!(move_stake(ALICE, ONE, TWO, 200));
        assert_eq!((staked(ALICE, ONE), staked(ALICE, TWO)), (430, 470));
        assert_eq!(Moves::<Test>::get(ALICE, TWO).unwrap().until, 6 + UNBONDING);
        assert_ok!(slash(ONE, 10));
        assert_eq!((staked(ALICE, ONE), staked(ALICE, TWO)), (387, 423));
    });
}

#[test]
fn a_move_from_elsewhere_waits_for_the_first() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(ALICE, THREE, 1_000));
        assert_ok!(move_stake(ALICE, ONE, TWO, 300));
        assert_noop!(move_stake(ALICE, THREE, TWO, 300), Error::<Test>::StillLiable);
        skip(UNBONDING);
        assert_ok!(move_stake(ALICE, THREE, TWO, 300));
        assert_eq!((staked(ALICE, TWO), pool(ONE).moved.value, pool(THREE).moved.value), (600, 0, 300));
    });
}

#[test]
fn goes_back_when_it_is_no_longer_liable() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(move_stake(ALICE, ONE, TWO, 1_000));
        assert_noop!(move_stake(ALICE, TWO, ONE, 1_000), Error::<Test>::StillLiable);
        assert_ok!(slash(ONE, 20));
        skip(UNBONDING);
        assert_ok!(move_stake(ALICE, TWO, ONE, 800));
        assert_eq!((staked(ALICE, ONE), staked(ALICE, TWO), SlashedSoFar::get()), (800, 0, 200));
    });
}

/// Between two modules in both directions at once: each move is liable for the other's module.
#[test]
fn crosses_another_move() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(ALICE, TWO, 1_000));
        assert_ok!(move_stake(ALICE, ONE, TWO, 500));
        assert_ok!(move_stake(ALICE, TWO, ONE, 500));
        assert_ok!(slash(ONE, 10));
        // 500 on ONE, 500 came to it, 500 left it.
        assert_eq!((staked(ALICE, ONE), staked(ALICE, TWO)), (900, 950));
        assert_ok!(slash(TWO, 10));
        assert_ok!(withdraw(ALICE, ONE));
        assert_ok!(withdraw(ALICE, TWO));
        assert_about(staked(ALICE, ONE), 850);
        assert_about(staked(ALICE, TWO), 850);
        skip(UNBONDING);
        assert_ok!(move_stake(ALICE, ONE, TWO, 400));
        assert_about(staked(ALICE, ONE), 450);
        assert_about(staked(ALICE, TWO), 1_250);
        assert_eq!((SlashedSoFar::get(), held()), (300, 1_700));
    });
}

#[test]
fn takes_all_when_too_little_would_remain() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(move_stake(ALICE, ONE, TWO, 901));
        assert_eq!((staked(ALICE, ONE), staked(ALICE, TWO)), (0, 1_000));
        assert!(!Stakes::<Test>::contains_key(ALICE, ONE));
    });
}

#[test]
fn refuses_what_cannot_be() {
    on_chain(|| {
        assert_noop!(move_stake(ALICE, ONE, TWO, 1), Error::<Test>::NothingStaked);
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_noop!(move_stake(ALICE, ONE, TWO, 0), Error::<Test>::ZeroAmount);
        assert_noop!(move_stake(ALICE, ONE, ONE, 1_000), Error::<Test>::SameModule);
        assert_noop!(move_stake(ALICE, ONE, 77, 1_000), Error::<Test>::UnknownModule);
        assert_noop!(move_stake(ALICE, ONE, TWO, 1_001), Error::<Test>::MoreThanStaked);
        assert_noop!(move_stake(ALICE, ONE, TWO, MIN_STAKE - 1), Error::<Test>::BelowMinimum);
        assert_noop!(Stake::move_stake(RuntimeOrigin::root(), ONE, TWO, 500), DispatchError::BadOrigin);
        // With stake there already, little can join it.
        assert_ok!(stake(ALICE, TWO, MIN_STAKE));
        assert_ok!(move_stake(ALICE, ONE, TWO, 1));
        assert_eq!(staked(ALICE, TWO), MIN_STAKE + 1);
    });
}

#[test]
fn does_not_overfill_a_pool() {
    on_chain(|| {
        assert_ok!(stake(WHALE, TWO, MAX_VALUE));
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_noop!(move_stake(ALICE, ONE, TWO, 1_000), Error::<Test>::PoolFull);
    });
}
