//! Payouts wait for settlement, and a fault that it finds costs what the epoch brought.

use ensemble_core::emission::Earnings;
use frame_support::{assert_noop, assert_ok, assert_storage_noop};

use crate::{mock::*, Error, Event, Forgetting, Paying, Payout, Periods};

/// What the period still owes, paid or forfeited as it may be.
fn owed(epoch: u32) -> u128 {
    Periods::<Test>::get(epoch).unwrap().owed
}

/// Two miners with a half of 600,000 planck each; the epoch is over, and nobody was paid.
fn two_earned() {
    mine(ONE, percent(100));
    mine(TWO, percent(100));
    next_epoch_starved();
}

#[test]
fn nothing_is_paid_before_the_epoch_is_settled() {
    on_chain(|| {
        FirstUnsettled::set(0);
        two_earned();
        two_earned();
        let owner = free(OWNER);
        next_block();
        assert_eq!((free(OWNER), held(), Paying::<Test>::get().epoch), (owner, 1_200_000, 0));
        assert_noop!(claim(0, ONE), Error::<Test>::EpochNotSettled);
        assert_noop!(claim(2, ONE), Error::<Test>::EpochNotClosed);

        FirstUnsettled::set(1);
        assert_noop!(claim(1, ONE), Error::<Test>::EpochNotSettled);
        assert_ok!(claim(0, TWO));
        next_block();
        assert_eq!((free(OWNER), held(), Paying::<Test>::get().epoch), (owner + 600_000, 600_000, 1));

        FirstUnsettled::set(2);
        next_block();
        assert_eq!((free(OWNER), held(), Paying::<Test>::get().epoch), (owner + 1_200_000, 0, 2));
    });
}

#[test]
fn nothing_is_forgotten_before_it_is_settled() {
    on_chain(|| {
        FirstUnsettled::set(1);
        for _ in 0..KEPT + 4 {
            mine(ONE, percent(100));
            next_epoch();
        }
        next_block();
        assert_eq!((Forgetting::<Test>::get().epoch, Emission::epochs().len() as u32), (1, KEPT + 3));
        FirstUnsettled::set(u32::MAX);
        for _ in 0..4 {
            next_block();
        }
        assert_eq!((held(), Emission::epochs().len() as u32), (0, KEPT));
    });
}

#[test]
fn the_open_epoch_is_not_paid_whatever_is_settled() {
    on_chain(|| {
        FirstUnsettled::set(9);
        mine(ONE, percent(100));
        next_block();
        assert_noop!(claim(0, ONE), Error::<Test>::EpochNotClosed);
        assert_eq!(Paying::<Test>::get().epoch, 0);
    });
}

#[test]
fn a_fault_costs_what_was_not_paid() {
    on_chain(|| {
        FirstUnsettled::set(0);
        two_earned();
        Emission::forfeit_closed(0, ONE);
        let forfeited = Event::Forfeited { epoch: 0, module: ONE, amount: 300_000 };
        assert_eq!((last_event(), payout(0, ONE)), (forfeited, Payout::Forfeited(300_000)));
        // It is forfeited once, and what the other gets is what it would have got.
        assert_storage_noop!(Emission::forfeit_closed(0, ONE));
        FirstUnsettled::set(1);
        assert_noop!(claim(0, ONE), Error::<Test>::NothingOwed);
        let (owner, treasury) = (free(OWNER), free(TREASURY));
        next_block();
        assert_eq!((free(OWNER), owed(0), held()), (owner + 300_000, 300_000, 300_000));
        assert_eq!(Paying::<Test>::get().epoch, 1);

        FirstReward::set(0);
        FirstUnsettled::set(u32::MAX);
        for _ in 0..KEPT {
            next_epoch();
        }
        next_block();
        assert_eq!((free(OWNER), free(TREASURY), held()), (owner + 300_000, treasury + 300_000, 0));
        assert!(events().contains(&Event::EpochForgotten { epoch: 0, to_treasury: 300_000, burnt: 0 }));
    });
}

#[test]
fn a_fault_costs_stakers_as_well() {
    on_chain(|| {
        stake(ALICE, ONE, 3_000);
        next_epoch();
        mine(ONE, percent(100));
        next_epoch_starved();
        assert!(Emission::apr(ONE).is_some());
        Emission::forfeit_closed(1, ONE);
        assert_eq!(Emission::apr(ONE), None);
        next_block();
        assert_eq!((staked(ONE), held()), (3_000, 600_000));
    });
}

#[test]
fn a_fault_costs_what_an_owner_could_not_receive() {
    on_chain(|| {
        register(ONE, PAUPER, 10);
        stake(ALICE, ONE, 990);
        next_epoch();
        FirstReward::set(1_000);
        mine(ONE, percent(100));
        next_epoch();
        next_block();
        assert_eq!(payout(1, ONE), Payout::OwnerPending(6));
        Emission::forfeit_closed(1, ONE);
        assert_eq!(last_event(), Event::Forfeited { epoch: 1, module: ONE, amount: 6 });
        assert_ok!(Balances::transfer_keep_alive(RuntimeOrigin::signed(ALICE), PAUPER, EXISTENTIAL));
        assert_noop!(claim(1, ONE), Error::<Test>::NothingOwed);
        assert_eq!((staked(ONE), free(PAUPER), held()), (990 + 594, EXISTENTIAL, 6));
    });
}

#[test]
fn a_fault_costs_nothing_else() {
    on_chain(|| {
        mine(THREE, percent(0));
        two_earned();
        assert_ok!(claim(0, ONE));
        mine(ONE, percent(100));
        // Paid, of no merit, never seen, open, and unknown.
        for (epoch, module) in [(0, ONE), (0, THREE), (0, 77), (1, ONE), (9, ONE)] {
            assert_storage_noop!(Emission::forfeit_closed(epoch, module));
        }
        for _ in 0..=KEPT {
            next_epoch();
        }
        next_block();
        assert_storage_noop!(Emission::forfeit_closed(0, TWO));
    });
}

#[test]
fn allocations_with_faults_add_up() {
    on_chain(|| {
        two_earned();
        let before = Emission::allocations(0, 0, 10);
        Emission::forfeit_closed(0, ONE);
        assert_eq!(Emission::allocations(0, 0, 10), before);
        next_block();
        let after = Emission::allocations(0, 0, 10);
        assert_eq!(after.iter().map(|allocation| allocation.miner).sum::<u128>(), 600_000);
        assert_eq!(after.iter().map(|allocation| allocation.paid).collect::<Vec<_>>(), [false, true]);
    });
}

#[test]
fn who_is_staked_when_it_is_paid_is_paid() {
    on_chain(|| {
        FirstUnsettled::set(0);
        stake(ALICE, ONE, 3_000);
        next_epoch();
        mine(ONE, percent(100));
        next_epoch_starved();
        assert_ok!(Stake::unstake(RuntimeOrigin::signed(ALICE), ONE, 3_000));
        stake(BOB, ONE, 500);
        FirstUnsettled::set(2);
        next_block();
        // Weight is that of who was there all through the epoch; the money goes to who is there now.
        let bob = <Stake as ensemble_core::stake::Stake<_, _>>::staked_by(&BOB, ONE);
        assert_eq!((bob, staked(ONE)), (500 + 450_000, 500 + 450_000));
    });
}
