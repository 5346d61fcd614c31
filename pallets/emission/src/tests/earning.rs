//! What modules earn by.

use ensemble_core::emission::Earnings;
use frame_support::assert_ok;

use crate::{mock::*, Earners, Open, Weights};

/// A million parts of merit.
const ALL: u128 = 1_000_000;

fn weights() -> (u128, u128) {
    let Weights { miner, validator } = Open::<Test>::get().weights;
    (miner, validator)
}

#[test]
fn weighs_merit_by_stake_and_deposit() {
    on_chain(|| {
        stake(ALICE, ONE, 5_000);
        next_epoch();
        mine(ONE, percent(100));
        assert_eq!(weights(), (6_000 * ALL, 0));
        judge(TWO, percent(25));
        assert_eq!(weights(), (6_000 * ALL, 250 * ALL));
        judge(THREE, percent(50));
        assert_eq!(weights(), (6_000 * ALL, 750 * ALL));
        let earner = earner(1, ONE).unwrap();
        assert_eq!((earner.owner, earner.staked, earner.deposit), (OWNER, 5_000, DEPOSIT));
        assert_eq!(Open::<Test>::get().earners, 3);
        assert_eq!([0, 1, 2].map(|place| Earners::<Test>::get(1, place)), MODULES.map(Some));
    });
}

#[test]
fn replaces_what_was_said_before() {
    on_chain(|| {
        mine(ONE, percent(100));
        mine(TWO, percent(100));
        mine(ONE, percent(30));
        assert_eq!(weights(), (1_300 * ALL, 0));
        mine(ONE, percent(0));
        mine(TWO, percent(0));
        assert_eq!(weights(), (0, 0));
        mine(ONE, percent(10));
        assert_eq!((weights(), Open::<Test>::get().earners), ((100 * ALL, 0), 2));
    });
}

#[test]
fn stake_counts_if_it_was_there_all_the_time() {
    on_chain(|| {
        stake(ALICE, ONE, 5_000);
        mine(ONE, percent(100));
        assert_eq!(weights(), (1_000 * ALL, 0));
        next_epoch();
        mine(ONE, percent(100));
        assert_eq!(weights(), (6_000 * ALL, 0));
        // What is said again counts the stake anew.
        assert_ok!(Stake::move_stake(RuntimeOrigin::signed(ALICE), ONE, TWO, 2_000));
        mine(ONE, percent(100));
        mine(TWO, percent(100));
        assert_eq!(weights(), ((4_000 + 1_000) * ALL, 0));
    });
}

#[test]
fn forfeits_the_whole_epoch() {
    on_chain(|| {
        judge(ONE, percent(100));
        mine(TWO, percent(50));
        assert_eq!(weights(), (500 * ALL, 1_000 * ALL));
        Emission::forfeit(ONE);
        assert_eq!(weights(), (500 * ALL, 0));
        judge(ONE, percent(100));
        mine(ONE, percent(100));
        assert_eq!(weights(), (500 * ALL, 0));
        // Even if it had not earned anything yet.
        Emission::forfeit(THREE);
        mine(THREE, percent(100));
        assert_eq!(weights(), (500 * ALL, 0));
        next_epoch();
        mine(ONE, percent(100));
        assert_eq!(weights(), (1_000 * ALL, 0));
    });
}

#[test]
fn removed_modules_earn_nothing_more_and_lose_nothing() {
    on_chain(|| {
        mine(ONE, percent(100));
        remove(ONE);
        mine(ONE, percent(0));
        judge(ONE, percent(100));
        assert_eq!(weights(), (1_000 * ALL, 0));
        remove(TWO);
        mine(TWO, percent(100));
        Emission::forfeit(TWO);
        assert_eq!(earner(0, TWO), None);
        Emission::forfeit(ONE);
        assert_eq!(weights(), (0, 0));
    });
}

#[test]
fn belongs_to_who_owned_it_last() {
    on_chain(|| {
        mine(ONE, percent(100));
        register(ONE, BOB, DEPOSIT);
        assert_eq!(earner(0, ONE).unwrap().owner, OWNER);
        // What is said of the other side is ignored.
        judge(ONE, percent(100));
        assert_eq!(earner(0, ONE).unwrap().owner, OWNER);
        mine(ONE, percent(90));
        assert_eq!(earner(0, ONE).unwrap().owner, BOB);
    });
}

#[test]
fn earns_on_the_side_that_was_first() {
    on_chain(|| {
        stake(ALICE, ONE, 5_000);
        next_epoch();
        judge(ONE, percent(50));
        mine(ONE, percent(100));
        assert_eq!(weights(), (0, 3_000 * ALL));
        judge(ONE, percent(100));
        assert_eq!(weights(), (0, 6_000 * ALL));
        mine(TWO, percent(10));
        judge(TWO, percent(100));
        assert_eq!((weights(), Open::<Test>::get().earners), ((100 * ALL, 6_000 * ALL), 2));
        next_epoch_starved();
        assert_eq!([got(1, ONE), got(1, TWO)], [(0, 300_000), (600_000, 0)]);
        // In another epoch it is another side.
        mine(ONE, percent(100));
        assert_eq!(weights(), (6_000 * ALL, 0));
    });
}

#[test]
fn a_merit_of_nothing_takes_no_side() {
    on_chain(|| {
        judge(ONE, percent(0));
        mine(ONE, percent(100));
        assert_eq!(weights(), (1_000 * ALL, 0));
        mine(ONE, percent(0));
        judge(ONE, percent(100));
        assert_eq!(weights(), (0, 1_000 * ALL));
    });
}
