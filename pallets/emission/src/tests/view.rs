//! What outsiders may ask.

use ensemble_core::emission::{Closed, Supply};
use frame_support::assert_ok;
use sp_runtime::FixedU128;

use crate::mock::*;

#[test]
fn epochs_that_are_kept() {
    on_chain(|| {
        mine(ONE, percent(100));
        next_epoch();
        judge(ONE, percent(50));
        next_epoch();
        let first = Closed {
            epoch: 0,
            miners: 600_000,
            validators: 0,
            treasury: 100_000,
            miner_weights: 1_000_000_000,
            validator_weights: 0,
        };
        let second = Closed {
            epoch: 1,
            miners: 0,
            validators: 300_000,
            miner_weights: 0,
            validator_weights: 500_000_000,
            ..first
        };
        assert_eq!(Emission::epochs(), [first, second]);
    });
}

#[test]
fn allocations_in_pages() {
    on_chain(|| {
        for module in 100..107 {
            register(module, OWNER, DEPOSIT);
            mine(module, percent(100));
        }
        assert!(Emission::allocations(0, 0, 10).is_empty());
        next_epoch();
        let modules = |first, limit| -> Vec<u32> {
            Emission::allocations(0, first, limit).into_iter().map(|allocation| allocation.module).collect()
        };
        assert_eq!(modules(0, 3), [100, 101, 102]);
        assert_eq!(modules(3, 3), [103, 104, 105]);
        assert_eq!(modules(6, u32::MAX), [106]);
        assert!(modules(7, 3).is_empty());
        assert!(modules(u32::MAX, u32::MAX).is_empty());
        let sum: u128 = Emission::allocations(0, 0, 10).iter().map(|allocation| allocation.miner).sum();
        assert_eq!(sum, 600_000 / 7 * 7);
        assert!(Emission::allocations(5, 0, 10).is_empty());
    });
}

#[test]
fn no_answer_is_too_long() {
    on_chain(|| {
        for module in 0..1_003 {
            register(module, OWNER, DEPOSIT);
            mine(module, percent(100));
        }
        next_epoch_starved();
        assert_eq!(Emission::allocations(0, 0, u32::MAX).len(), 1_000);
        assert_eq!(Emission::allocations(0, 1_000, u32::MAX).len(), 3);
    });
}

#[test]
fn allocations_of_a_module() {
    on_chain(|| {
        for epoch in 0..7 {
            mine(if epoch % 2 == 0 { ONE } else { TWO }, percent(100));
            next_epoch();
            next_block();
        }
        let epochs = |first, last| -> Vec<u32> {
            Emission::allocations_of(ONE, first, last).into_iter().map(|allocation| allocation.epoch).collect()
        };
        assert_eq!(epochs(0, u32::MAX), [4, 6]);
        assert_eq!(epochs(5, 6), [6]);
        assert_eq!(epochs(4, 5), [4]);
        assert!(epochs(6, 4).is_empty());
        assert!(Emission::allocations_of(77, 0, u32::MAX).is_empty());
    });
}

#[test]
fn the_prospect_comes_true() {
    on_chain(|| {
        assert_eq!(Emission::prospect(ONE).miner, 0);
        mine(ONE, percent(70));
        mine(TWO, percent(20));
        judge(THREE, percent(30));
        let prospects = [ONE, TWO, THREE].map(Emission::prospect);
        assert_eq!((prospects[0].miner, prospects[0].validator), (466_666, 0));
        assert_eq!((prospects[1].miner, prospects[1].validator), (133_333, 0));
        assert_eq!((prospects[2].miner, prospects[2].validator), (0, 300_000));
        next_epoch();
        assert_eq!(MODULES.map(|module| allocation(0, module)), prospects);
    });
}

#[test]
fn supply() {
    on_chain(|| {
        let genesis = issuance();
        mine(ONE, percent(100));
        next_epoch_starved();
        assert_ok!(burn(ALICE, 1_000));
        assert_eq!(
            Emission::supply(),
            Supply {
                issuance: genesis + 700_000 - 1_000,
                genesis,
                emitted: 700_000,
                burnt: 1_000,
                circulating: genesis - 1_000 - EXISTENTIAL,
                treasury: EXISTENTIAL + 100_000,
                owed: 600_000,
                cap: Cap::get(),
                next: 1_000_000,
            }
        );
        next_block();
        assert_eq!(
            (Emission::supply().owed, Emission::supply().circulating),
            (0, genesis + 600_000 - 1_000 - EXISTENTIAL)
        );
    });
}

#[test]
fn yearly_return() {
    on_chain(|| {
        assert_eq!(Emission::apr(ONE), None);
        stake(ALICE, ONE, 3_000_000);
        register(ONE, OWNER, 1_000_000);
        next_epoch();
        mine(ONE, percent(100));
        mine(TWO, percent(0));
        assert_eq!(Emission::apr(ONE), None);
        next_epoch();
        // A quarter of 600,000 is the owner's; a year has 8,760 epochs.
        assert_eq!(Emission::apr(ONE), Some(FixedU128::from_rational(450_000 * 8_760, 3_000_000)));
        assert_eq!((Emission::apr(TWO), Emission::apr(THREE)), (None, None));
        // Nobody has staked any more.
        assert_ok!(Stake::unstake(RuntimeOrigin::signed(ALICE), ONE, 3_000_000));
        assert_eq!(Emission::apr(ONE), None);
        next_epoch();
        assert_eq!(Emission::apr(ONE), None);
    });
}
