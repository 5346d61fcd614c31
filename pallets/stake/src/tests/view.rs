//! What outsiders are told.

use ensemble_core::stake::{MovedView, PoolView, StakeView, UnbondingView};
use frame_support::assert_ok;
use sp_runtime::{FixedU128, Permill};

use crate::mock::*;

#[test]
fn of_a_pool() {
    on_chain(|| {
        assert_eq!(Stake::pool_view(ONE), None);
        assert_ok!(set_fee(OWNER, ONE, 10));
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(BOB, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 400));
        assert_ok!(move_stake(BOB, ONE, TWO, 600));
        assert_ok!(reward(CHARLIE, ONE, 1_000));
        let view = Stake::pool_view(ONE).unwrap();
        // 900 for what was 1,000; rounding leaves a trace in the pool.
        let price = FixedU128::from_rational(19, 10);
        assert!(view.price >= price && view.price <= price + FixedU128::from_rational(1, 1_000_000_000));
        let expected = PoolView {
            module: ONE,
            staked: 2_000,
            unbonding: 400,
            moved: 600,
            holders: 3,
            price: view.price,
            fee: Permill::from_percent(10),
            fee_rise_from: 1 + UNBONDING,
        };
        assert_eq!(view, expected);
    });
}

#[test]
fn of_an_account() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(ALICE, THREE, 2_000));
        assert_ok!(unstake(ALICE, ONE, 400));
        assert_ok!(move_stake(ALICE, THREE, TWO, 500));
        assert_ok!(slash(THREE, 10));
        skip(4);
        assert_ok!(unstake(ALICE, ONE, 200));
        skip(UNBONDING - 4);
        let one = StakeView {
            module: ONE,
            staked: 400,
            moved: None,
            unbonding: vec![
                UnbondingView { amount: 400, ready_at: 1 + UNBONDING },
                UnbondingView { amount: 200, ready_at: 5 + UNBONDING },
            ],
            withdrawable: 400,
        };
        let two = StakeView {
            module: TWO,
            staked: 450,
            moved: Some(MovedView { from: THREE, amount: 450, until: 1 + UNBONDING }),
            unbonding: vec![],
            withdrawable: 0,
        };
        let three = StakeView { module: THREE, staked: 1_350, moved: None, unbonding: vec![], withdrawable: 0 };
        assert_eq!(Stake::stakes_of(&ALICE, 0, 100), [one.clone(), two.clone(), three.clone()]);
        assert_eq!(Stake::stakes_of(&ALICE, 0, 1), [one]);
        assert_eq!(Stake::stakes_of(&ALICE, TWO, u32::MAX), [two, three]);
        assert!(Stake::stakes_of(&ALICE, 0, 0).is_empty());
        assert!(Stake::stakes_of(&BOB, 0, 100).is_empty());
    });
}

#[test]
fn is_bounded() {
    on_chain(|| {
        for module in 1_000..1_101 {
            Owners::mutate(|owners| owners.insert(module, OWNER));
            assert_ok!(stake(ALICE, module, MIN_STAKE));
        }
        assert_eq!(Stake::stakes_of(&ALICE, 0, u32::MAX).len(), 100);
        assert_eq!(Stake::stakes_of(&ALICE, 1_100, u32::MAX).len(), 1);
    });
}
