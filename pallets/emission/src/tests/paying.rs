//! Paying out.

use frame_support::{assert_noop, assert_ok, weights::Weight};
use sp_runtime::DispatchError;

use crate::{mock::*, Error, Event, Paying, Payout};

/// A module earns all of an epoch as a miner: 600,000 planck.
fn earn(module: u32) {
    mine(module, percent(100));
    next_epoch_starved();
}

#[test]
fn stakers_and_owner_get_their_parts() {
    on_chain(|| {
        stake(ALICE, ONE, 3_000);
        next_epoch();
        earn(ONE);
        assert_eq!((got(1, ONE), payout(1, ONE)), ((600_000, 0), Payout::Pending));
        let owner = free(OWNER);
        next_block();
        // Deposit and stake are 1,000 and 3,000.
        assert_eq!((staked(ONE), free(OWNER)), (3_000 + 450_000, owner + 150_000));
        let paid = Event::Paid { epoch: 1, module: ONE, to_stakers: 450_000, owner: OWNER, to_owner: 150_000 };
        assert_eq!((last_event(), payout(1, ONE), held()), (paid, Payout::Done, 0));
        assert!(allocation(1, ONE).paid);
    });
}

#[test]
fn validators_are_paid_like_miners() {
    on_chain(|| {
        stake(ALICE, ONE, 1_000);
        next_epoch();
        judge(ONE, percent(10));
        next_epoch_starved();
        assert_eq!(got(1, ONE), (0, 300_000));
        next_block();
        assert_eq!((staked(ONE), held()), (1_000 + 150_000, 0));
    });
}

#[test]
fn the_owner_takes_its_fee_of_the_stakers_part() {
    on_chain(|| {
        assert_ok!(Stake::set_fee(RuntimeOrigin::signed(OWNER), ONE, percent(10)));
        stake(ALICE, ONE, 1_000);
        next_epoch();
        earn(ONE);
        next_block();
        let alice = <Stake as ensemble_core::stake::Stake<_, _>>::staked_by(&ALICE, ONE);
        assert_eq!((alice, staked(ONE)), (1_000 + 270_000, 1_000 + 300_000));
    });
}

#[test]
fn modules_are_paid_in_the_order_in_which_they_earned() {
    on_chain(|| {
        for module in 100..112 {
            register(module, OWNER, DEPOSIT);
        }
        for module in (100..112).rev() {
            mine(module, percent(100));
        }
        next_epoch_starved();
        let paid = |module: &u32| payout(0, *module) == Payout::Done;
        assert_eq!((100..112).filter(paid).count(), 0);
        next_block();
        assert_eq!((100..112).filter(paid).collect::<Vec<_>>(), [107, 108, 109, 110, 111]);
        next_block();
        assert_eq!((100..112).filter(paid).count(), 10);
        next_block();
        assert_eq!((100..112).filter(paid).count(), 12);
        assert_eq!((held(), Paying::<Test>::get().epoch), (0, 1));
    });
}

#[test]
fn blocks_pay_as_many_as_they_have_time_for() {
    on_chain(|| {
        for module in MODULES {
            mine(module, percent(100));
        }
        next_epoch_starved();
        let (owner, one) = (free(OWNER), IDLE.saturating_add(STEP));
        let less = one.saturating_sub(Weight::from_parts(1, 0));
        assert_eq!(next_block_with(IDLE.saturating_sub(Weight::from_parts(1, 0))), Weight::zero());
        assert_eq!(next_block_with(less), IDLE);
        assert_eq!(free(OWNER), owner);
        assert_eq!(next_block_with(one), one);
        assert_eq!(free(OWNER), owner + 200_000);
        assert_eq!(next_block_with(one), one);
        assert_eq!(next_block_with(one), one);
        assert_eq!(free(OWNER), owner + 600_000);
        // One more step finds that the list is at its end.
        assert_eq!(next_block_with(PLENTY), one);
        assert_eq!(next_block_with(PLENTY), IDLE);
    });
}

#[test]
fn epochs_that_starved_are_paid_later_oldest_first() {
    on_chain(|| {
        for _ in 0..6 {
            earn(ONE);
        }
        assert_eq!((held(), Emission::epochs().len()), (3_600_000, 6));
        let owner = free(OWNER);
        next_block();
        assert_eq!((held(), free(OWNER)), (1_800_000, owner + 1_800_000));
        assert_eq!(
            (0..6).filter(|epoch| earner(*epoch, ONE).is_none_or(|earner| earner.payout == Payout::Done)).count(),
            3
        );
        for _ in 0..4 {
            next_block();
        }
        assert_eq!((held(), free(OWNER)), (0, owner + 3_600_000));
        assert_eq!(Emission::epochs().len() as u32, KEPT);
    });
}

#[test]
fn anybody_may_claim_for_anybody() {
    on_chain(|| {
        stake(ALICE, ONE, 3_000);
        next_epoch();
        mine(TWO, percent(0));
        earn(ONE);
        assert_ok!(claim(1, ONE));
        assert_eq!((staked(ONE), held(), payout(1, ONE)), (453_000, 0, Payout::Done));
        // Neither a second claim nor the turn in the list pays it again.
        assert_noop!(claim(1, ONE), Error::<Test>::NothingOwed);
        next_block();
        assert_eq!((staked(ONE), Paying::<Test>::get().epoch), (453_000, 2));
        assert_noop!(claim(1, ONE), Error::<Test>::NothingOwed);
    });
}

#[test]
fn claims_are_refused() {
    on_chain(|| {
        mine(ONE, percent(100));
        mine(TWO, percent(0));
        assert_noop!(claim(0, ONE), Error::<Test>::EpochNotClosed);
        assert_noop!(claim(9, ONE), Error::<Test>::EpochNotClosed);
        next_epoch_starved();
        assert_noop!(claim(0, TWO), Error::<Test>::NothingOwed);
        assert_noop!(claim(0, THREE), Error::<Test>::NothingOwed);
        assert_noop!(claim(0, 77), Error::<Test>::NothingOwed);
        assert_noop!(Emission::claim(RuntimeOrigin::root(), 0, ONE), DispatchError::BadOrigin);
        for _ in 0..4 {
            next_epoch();
        }
        next_block();
        assert_noop!(claim(0, ONE), Error::<Test>::EpochForgotten);
    });
}

#[test]
fn without_stakers_the_owner_gets_all() {
    on_chain(|| {
        stake(ALICE, ONE, 3_000);
        next_epoch();
        earn(ONE);
        let owner = free(OWNER);
        assert_ok!(Stake::unstake(RuntimeOrigin::signed(ALICE), ONE, 3_000));
        next_block();
        assert_eq!((free(OWNER), staked(ONE), held()), (owner + 600_000, 0, 0));
    });
}

#[test]
fn without_deposit_the_stakers_get_all() {
    on_chain(|| {
        register(ONE, OWNER, 0);
        stake(ALICE, ONE, 3_000);
        next_epoch();
        earn(ONE);
        let owner = free(OWNER);
        next_block();
        assert_eq!((free(OWNER), staked(ONE), held()), (owner, 603_000, 0));
    });
}

#[test]
fn a_module_that_leaves_first_is_paid() {
    on_chain(|| {
        stake(ALICE, ONE, 3_000);
        next_epoch();
        mine(ONE, percent(100));
        remove(ONE);
        next_epoch_starved();
        let owner = free(OWNER);
        next_block();
        assert_eq!((free(OWNER), staked(ONE), held()), (owner + 150_000, 453_000, 0));
    });
}

#[test]
fn a_module_that_is_sold_first_pays_who_owned_it() {
    on_chain(|| {
        earn(ONE);
        register(ONE, BOB, DEPOSIT);
        let owner = free(OWNER);
        next_block();
        assert_eq!((free(OWNER), free(BOB)), (owner + 600_000, ENDOWMENT));
    });
}

/// A module of the pauper earns so little for its deposit that the pauper's account cannot take it.
fn earn_dust() {
    register(ONE, PAUPER, 10);
    stake(ALICE, ONE, 990);
    next_epoch();
    FirstReward::set(1_000);
    earn(ONE);
}

#[test]
fn an_owner_who_cannot_receive_does_not_hold_up_the_stakers() {
    on_chain(|| {
        earn_dust();
        next_block();
        assert_eq!((staked(ONE), free(PAUPER), held()), (990 + 594, 0, 6));
        assert_eq!(payout(1, ONE), Payout::OwnerPending(6));
        let withheld = Event::Withheld { epoch: 1, module: ONE, owner: PAUPER, amount: 6 };
        let paid = Event::Paid { epoch: 1, module: ONE, to_stakers: 594, owner: PAUPER, to_owner: 0 };
        assert_eq!(events()[events().len() - 2..], [paid, withheld]);
        assert!(!allocation(1, ONE).paid);
        assert_noop!(claim(1, ONE), Error::<Test>::CannotReceive);

        assert_ok!(Balances::transfer_keep_alive(RuntimeOrigin::signed(ALICE), PAUPER, EXISTENTIAL));
        assert_ok!(claim(1, ONE));
        assert_eq!((staked(ONE), free(PAUPER), held()), (990 + 594, EXISTENTIAL + 6, 0));
        let paid = Event::Paid { epoch: 1, module: ONE, to_stakers: 0, owner: PAUPER, to_owner: 6 };
        assert_eq!((last_event(), payout(1, ONE)), (paid, Payout::Done));
        assert_noop!(claim(1, ONE), Error::<Test>::NothingOwed);
    });
}

#[test]
fn a_claim_pays_the_stakers_of_an_owner_who_cannot_receive() {
    on_chain(|| {
        earn_dust();
        assert_ok!(claim(1, ONE));
        assert_eq!((staked(ONE), held(), payout(1, ONE)), (990 + 594, 6, Payout::OwnerPending(6)));
        // Its turn comes and changes nothing.
        next_block();
        assert_eq!((staked(ONE), held(), payout(1, ONE)), (990 + 594, 6, Payout::OwnerPending(6)));
    });
}

#[test]
fn an_owner_alone_who_cannot_receive_waits() {
    on_chain(|| {
        register(ONE, PAUPER, 10);
        FirstReward::set(10);
        earn(ONE);
        next_block();
        assert_eq!((held(), payout(0, ONE)), (6, Payout::Pending));
        assert_noop!(claim(0, ONE), Error::<Test>::CannotReceive);
        assert_ok!(Balances::transfer_keep_alive(RuntimeOrigin::signed(ALICE), PAUPER, EXISTENTIAL));
        assert_ok!(claim(0, ONE));
        assert_eq!((free(PAUPER), held()), (EXISTENTIAL + 6, 0));
    });
}

#[test]
fn a_pool_that_is_full_leaves_it_to_the_owner() {
    on_chain(|| {
        stake(ALICE, ONE, 3_000);
        next_epoch();
        FirstReward::set(1 << 82);
        Cap::set(1 << 90);
        earn(ONE);
        next_block();
        assert_eq!(staked(ONE), 3_000);
        assert!(free(OWNER) > 1 << 81);
        assert_eq!((held(), payout(1, ONE)), (0, Payout::Done));
    });
}
