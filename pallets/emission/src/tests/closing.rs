//! Closing an epoch.

use frame_support::{
    assert_noop, assert_ok,
    traits::{
        fungible::Mutate,
        tokens::{Fortitude::Force, Precision::Exact, Preservation::Expendable},
        Hooks,
    },
};
use sp_runtime::{DispatchError, Permill};

use crate::{mock::*, CurrentSplit, Error, Event, Open, Periods, TotalEmitted};

#[test]
fn mints_what_the_schedule_says() {
    on_chain(|| {
        mine(ONE, percent(100));
        judge(TWO, percent(50));
        let before = issuance();
        next_epoch_starved();
        assert_eq!(
            last_event(),
            Event::EpochClosed {
                epoch: 0,
                miners: 600_000,
                validators: 300_000,
                treasury: 100_000,
                miner_weights: 1_000_000_000,
                validator_weights: 500_000_000,
            }
        );
        assert_eq!(issuance(), before + 1_000_000);
        assert_eq!((held(), free(TREASURY)), (900_000, EXISTENTIAL + 100_000));
        assert_eq!(TotalEmitted::<Test>::get(), 1_000_000);
        assert_eq!(Open::<Test>::get(), crate::OpenEpoch { epoch: 1, ..Default::default() });
    });
}

#[test]
fn emits_no_part_that_nobody_earned() {
    on_chain(|| {
        next_epoch();
        assert_eq!((held(), free(TREASURY), TotalEmitted::<Test>::get()), (0, EXISTENTIAL + 100_000, 100_000));
        judge(ONE, percent(1));
        next_epoch_starved();
        assert_eq!((held(), TotalEmitted::<Test>::get()), (300_000, 500_000));
        // A merit of nothing is none.
        mine(ONE, percent(0));
        next_epoch_starved();
        assert_eq!((held(), TotalEmitted::<Test>::get()), (300_000, 600_000));
    });
}

#[test]
fn halves_the_reward_on_the_boundary() {
    on_chain(|| {
        HalvingPeriod::set(2);
        FirstReward::set(1_000_001);
        let brought: Vec<_> = (0..7)
            .map(|epoch| {
                mine(ONE, percent(100));
                judge(TWO, percent(100));
                next_epoch();
                Periods::<Test>::get(epoch).unwrap().parts.total()
            })
            .collect();
        assert_eq!(brought, [1_000_001, 1_000_001, 500_000, 500_000, 250_000, 250_000, 125_000]);
    });
}

#[test]
fn ends_at_the_cap() {
    on_chain(|| {
        Cap::set(2_500_000);
        let before = issuance();
        for epoch in 0..5 {
            mine(ONE, percent(100));
            judge(TWO, percent(100));
            assert_eq!(Emission::supply().next, [1_000_000, 1_000_000, 500_000, 0, 0][epoch]);
            next_epoch();
        }
        assert_eq!((TotalEmitted::<Test>::get(), issuance()), (2_500_000, before + 2_500_000));
        let last = Emission::epochs().into_iter().rev().take(3).map(|closed| closed.miners).collect::<Vec<_>>();
        assert_eq!(last, [0, 0, 300_000]);
    });
}

#[test]
fn what_was_not_earned_is_left_for_later() {
    on_chain(|| {
        Cap::set(1_500_000);
        next_epoch();
        assert_eq!(TotalEmitted::<Test>::get(), 100_000);
        mine(ONE, percent(100));
        judge(TWO, percent(100));
        next_epoch();
        assert_eq!(TotalEmitted::<Test>::get(), 1_100_000);
        assert_eq!(Emission::supply().next, 400_000);
    });
}

#[test]
fn divides_as_the_split_says() {
    on_chain(|| {
        assert_ok!(set_split(Permill::from_parts(333_333), Permill::from_parts(333_333), Permill::from_parts(333_334)));
        let split = CurrentSplit::<Test>::get();
        assert_eq!(last_event(), Event::SplitSet { split });
        FirstReward::set(1_000);
        mine(ONE, percent(100));
        judge(TWO, percent(100));
        next_epoch();
        let parts = Periods::<Test>::get(0).unwrap().parts;
        assert_eq!((parts.miners, parts.validators, parts.treasury), (333, 333, 334));
    });
}

#[test]
fn refuses_a_split_that_is_not_one() {
    on_chain(|| {
        assert_noop!(set_split(percent(60), percent(30), percent(11)), Error::<Test>::SplitNotOne);
        assert_noop!(set_split(percent(60), percent(30), percent(9)), Error::<Test>::SplitNotOne);
        assert_noop!(set_split(percent(100), percent(100), percent(100)), Error::<Test>::SplitNotOne);
        let split = CurrentSplit::<Test>::get();
        assert_noop!(Emission::set_split(RuntimeOrigin::signed(ALICE), split), DispatchError::BadOrigin);
        assert_ok!(set_split(percent(0), percent(0), percent(100)));
    });
}

#[test]
fn epochs_without_blocks_bring_nothing() {
    on_chain(|| {
        mine(ONE, percent(100));
        System::set_block_number(5 * LENGTH + 3);
        Emission::on_initialize(System::block_number());
        assert_eq!((Open::<Test>::get().epoch, TotalEmitted::<Test>::get()), (5, 700_000));
        assert_eq!(Emission::epochs().len(), 1);
        assert_noop!(claim(1, ONE), Error::<Test>::EpochForgotten);
        mine(ONE, percent(100));
        next_epoch();
        next_block();
        next_block();
        assert_eq!(Emission::epochs().last().unwrap().epoch, 5);
        assert_eq!(held(), 0);
    });
}

#[test]
fn weighs_what_it_did() {
    on_chain(|| {
        for block in 2..=LENGTH {
            System::set_block_number(block);
            let closes = u64::from(block == LENGTH);
            assert_eq!(Emission::on_initialize(block).ref_time(), 1 + closes);
        }
    });
}

#[test]
fn a_treasury_that_is_gone_gets_nothing_that_it_cannot_take() {
    on_chain(|| {
        burn_credit(TREASURY, EXISTENTIAL);
        FirstReward::set(50);
        next_epoch();
        assert_eq!((free(TREASURY), TotalEmitted::<Test>::get()), (0, 0));
        FirstReward::set(1_000);
        next_epoch();
        assert_eq!((free(TREASURY), TotalEmitted::<Test>::get()), (100, 100));
    });
}

#[test]
fn a_pot_that_cannot_hold_is_minted_nothing() {
    new_chain().execute_with(|| {
        let pot = Emission::account_id();
        System::inc_providers(&pot);
        assert_ok!(Balances::burn_from(&pot, EXISTENTIAL, Expendable, Exact, Force));
        FirstReward::set(10);
        mine(ONE, percent(100));
        judge(TWO, percent(100));
        let before = issuance();
        System::set_block_number(LENGTH);
        Emission::on_initialize(LENGTH);
        assert_eq!((held(), free(pot), issuance()), (0, 0, before + 1));
        assert_eq!((TotalEmitted::<Test>::get(), got(0, ONE)), (1, (0, 0)));
    });
}
