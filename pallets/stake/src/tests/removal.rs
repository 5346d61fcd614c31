//! Modules that are removed with stake on them.

use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, Error, Event, Pools};

#[test]
fn lets_everybody_withdraw() {
    on_chain(|| {
        assert_ok!(set_fee(OWNER, ONE, 20));
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(BOB, ONE, 2_000));
        assert_ok!(stake(CHARLIE, ONE, 3_000));
        assert_ok!(unstake(BOB, ONE, 500));
        remove_module(ONE);
        check_state();

        assert_ok!(unstake(ALICE, ONE, 1_000));
        assert_ok!(unstake(BOB, ONE, 1_500));
        assert_ok!(move_stake(CHARLIE, ONE, TWO, 3_000));
        skip(UNBONDING);
        assert_ok!(withdraw(ALICE, ONE));
        assert_ok!(withdraw(BOB, ONE));
        assert_ok!(unstake(CHARLIE, TWO, 3_000));
        skip(UNBONDING);
        assert_ok!(withdraw(CHARLIE, TWO));
        for who in [ALICE, BOB, CHARLIE] {
            assert_eq!(free(who), ENDOWMENT);
        }
        assert_nothing_left();
    });
}

#[test]
fn lets_nothing_new_in() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(ALICE, TWO, 1_000));
        remove_module(ONE);
        assert_noop!(stake(ALICE, ONE, 100), Error::<Test>::UnknownModule);
        assert_noop!(stake(BOB, ONE, 1_000), Error::<Test>::UnknownModule);
        assert_noop!(move_stake(ALICE, TWO, ONE, 500), Error::<Test>::UnknownModule);
        assert_noop!(set_fee(OWNER, ONE, 1), Error::<Test>::UnknownModule);
    });
}

#[test]
fn ends_the_fee_and_not_the_liability() {
    on_chain(|| {
        assert_ok!(set_fee(OWNER, ONE, 20));
        assert_ok!(stake(ALICE, ONE, 1_000));
        remove_module(ONE);
        assert_ok!(reward(BOB, ONE, 100));
        assert_eq!(last_event(), Event::Rewarded { module: ONE, amount: 100, fee: 0, owner: None });
        assert_eq!((staked(ALICE, ONE), staked(OWNER, ONE)), (1_100, 0));
        assert_ok!(unstake(ALICE, ONE, 1_100));
        assert_ok!(slash(ONE, 50));
        skip(UNBONDING);
        assert_ok!(withdraw(ALICE, ONE));
        assert_eq!(free(ALICE), ENDOWMENT - 1_000 + 550);
        assert_nothing_left();
    });
}

#[test]
fn forgets_a_fee_that_nobody_staked_under() {
    on_chain(|| {
        assert_ok!(set_fee(OWNER, ONE, 20));
        remove_module(ONE);
        remove_module(TWO);
        assert!(!Pools::<Test>::contains_key(ONE) && !Pools::<Test>::contains_key(TWO));
    });
}

#[test]
fn keeps_what_moved_away_liable() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(move_stake(ALICE, ONE, TWO, 1_000));
        remove_module(ONE);
        assert_ok!(slash(ONE, 10));
        assert_eq!(staked(ALICE, TWO), 900);
        remove_module(TWO);
        skip(UNBONDING);
        assert_ok!(unstake(ALICE, TWO, 900));
        skip(UNBONDING);
        assert_ok!(withdraw(ALICE, TWO));
        assert_eq!(free(ALICE), ENDOWMENT - 100);
        assert_nothing_left();
    });
}

#[cfg(feature = "runtime-benchmarks")]
#[test]
fn is_benchmarked_with_a_record_to_clear() {
    use ensemble_core::stake::OnModuleRemoved;

    on_chain(|| {
        Stake::prepare_removal_for_benchmark(ONE);
        assert!(Pools::<Test>::contains_key(ONE));
        remove_module(ONE);
        assert_nothing_left();
    });
}
