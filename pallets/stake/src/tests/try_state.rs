//! The check of the state finds what is off, and says so.

use frame_support::{
    assert_ok,
    traits::{fungible::MutateHold, tokens::Precision},
};
use sp_runtime::Permill;

use crate::{mock::*, HoldReason, Moves, Pools, Stakes, Unbondings};

/// Spoils a state with some of everything, and expects this complaint.
fn complains(spoil: impl FnOnce(), complaint: &'static str) {
    new_chain().execute_with(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(BOB, ONE, 1_000));
        assert_ok!(unstake(BOB, ONE, 300));
        skip(1);
        assert_ok!(unstake(BOB, ONE, 300));
        assert_ok!(move_stake(ALICE, ONE, TWO, 500));
        check_state();
        spoil();
        assert_eq!(Stake::do_try_state(), Err(complaint.into()));
    });
}

fn change(module: u32, change: impl FnOnce(&mut crate::PoolOf<Test>)) {
    Pools::<Test>::mutate(module, change);
}

#[test]
fn pools() {
    let active = "the active pool is not that of its positions";
    complains(|| change(ONE, |pool| pool.active.holders += 1), active);
    complains(|| change(ONE, |pool| pool.active.stale += 1), active);
    complains(|| change(ONE, |pool| pool.active.value = 0), active);
    complains(|| change(ONE, |pool| pool.active.shares -= 1), active);
    complains(|| change(ONE, |pool| pool.active.shares <<= 20), active);
    complains(|| Stakes::<Test>::remove(ALICE, ONE), active);
    complains(|| change(ONE, |pool| pool.unbonding.holders -= 1), "the unbonding pool is not that of its positions");
    complains(|| change(ONE, |pool| pool.moved.shares -= 1), "the pool of moved stake is not that of its positions");
}

#[test]
fn records() {
    complains(
        || Moves::<Test>::mutate(ALICE, TWO, |moved| moved.as_mut().unwrap().from = TWO),
        "stake was moved to where it was",
    );
    complains(
        || Unbondings::<Test>::insert(ALICE, TWO, crate::UnbondingsOf::<Test>::default()),
        "an account has a list of no unbondings",
    );
    complains(
        || Unbondings::<Test>::mutate(BOB, ONE, |entries| entries.as_mut().reverse()),
        "unbondings are not in the order in which they are ready",
    );
}

#[test]
fn orphans() {
    let position = crate::pool::Position { shares: 1, unit: Default::default() };
    complains(|| Stakes::<Test>::insert(ALICE, THREE, position), "a stake has no pool");
    let entry = crate::Unbonding { position, ready_at: 5 };
    complains(
        || Unbondings::<Test>::insert(ALICE, THREE, crate::UnbondingsOf::<Test>::truncate_from(vec![entry])),
        "an unbonding has no pool",
    );
    complains(
        || Moves::<Test>::mutate(ALICE, TWO, |moved| moved.as_mut().unwrap().from = THREE),
        "the pool of moved stake is not that of its positions",
    );
    complains(
        || Pools::<Test>::insert(THREE, crate::PoolOf::<Test>::default()),
        "a pool has neither positions nor a fee",
    );
    complains(
        || Pools::<Test>::insert(77, crate::Pool { fee: Permill::one(), ..Default::default() }),
        "a pool has neither positions nor a module",
    );
}

#[test]
fn steady_stake() {
    complains(|| change(ONE, |pool| pool.steady.last += 1), "a pool's steady stake does not know what is staked");
    complains(
        || change(TWO, |pool| pool.steady.least = pool.active.value + 1),
        "more was staked all through the epoch than is staked",
    );
    complains(|| change(TWO, |pool| pool.steady.epoch += 1), "a pool changed in an epoch to come");
}

#[test]
fn money() {
    complains(
        || {
            let released = Balances::release(&HoldReason::Stake.into(), &Stake::account_id(), 1, Precision::Exact);
            assert_ok!(released);
        },
        "what is held is not what is staked",
    );
    complains(
        || change(TWO, |pool| (pool.active.value, pool.steady.last) = (501, 501)),
        "what is held is not what is staked",
    );
}
