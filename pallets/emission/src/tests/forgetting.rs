//! Forgetting.

use frame_support::{assert_ok, weights::Weight};

use crate::{mock::*, Earned, Earners, Error, Event, Forgetting, Paying, Periods};

fn records() -> (usize, usize, usize) {
    (Periods::<Test>::iter().count(), Earned::<Test>::iter().count(), Earners::<Test>::iter().count())
}

#[test]
fn keeps_as_many_epochs_as_it_should() {
    on_chain(|| {
        for epoch in 0..8 {
            mine(ONE, percent(100));
            next_epoch();
            next_block();
            let kept: Vec<_> = Emission::epochs().into_iter().map(|closed| closed.epoch).collect();
            let first = (epoch + 1u32).saturating_sub(KEPT);
            assert_eq!(kept, (first..=epoch).collect::<Vec<_>>());
        }
        next_block();
        assert_eq!(records(), (3, 3, 3));
    });
}

#[test]
fn gives_the_treasury_what_rounding_left() {
    on_chain(|| {
        for module in MODULES {
            mine(module, percent(100));
        }
        FirstReward::set(1_000_001);
        assert_ok!(set_split(percent(100), percent(0), percent(0)));
        next_epoch();
        next_block();
        assert_eq!((got(0, ONE), held()), ((333_333, 0), 2));
        let treasury = free(TREASURY);
        for _ in 0..KEPT {
            next_epoch();
        }
        assert_eq!(held(), 2);
        next_block();
        assert_eq!((held(), free(TREASURY)), (0, treasury + 2));
        assert!(events().contains(&Event::EpochForgotten { epoch: 0, to_treasury: 2, burnt: 0 }));
        assert_eq!(records(), (3, 0, 0));
    });
}

#[test]
fn gives_the_treasury_what_nobody_could_take() {
    on_chain(|| {
        register(ONE, PAUPER, 10);
        FirstReward::set(10);
        mine(ONE, percent(100));
        next_epoch();
        FirstReward::set(0);
        for _ in 0..KEPT {
            next_epoch();
        }
        assert_eq!(held(), 6);
        next_block();
        assert_eq!((held(), free(PAUPER), free(TREASURY)), (0, 0, EXISTENTIAL + 1 + 6));
    });
}

#[test]
fn burns_what_the_treasury_cannot_take() {
    on_chain(|| {
        register(ONE, PAUPER, 10);
        FirstReward::set(10);
        mine(ONE, percent(100));
        next_epoch();
        FirstReward::set(0);
        burn_credit(TREASURY, free(TREASURY));
        let before = issuance();
        for _ in 0..KEPT {
            next_epoch();
        }
        next_block();
        assert_eq!((held(), free(TREASURY), issuance()), (0, 0, before - 6));
        assert_eq!(events()[events().len() - 2], Event::Burnt { who: None, amount: 6 });
        assert_eq!(last_event(), Event::EpochForgotten { epoch: 0, to_treasury: 0, burnt: 6 });
    });
}

#[test]
fn takes_no_more_steps_than_a_block_has_time_for() {
    on_chain(|| {
        for module in 100..108 {
            register(module, OWNER, DEPOSIT);
            mine(module, percent(100));
        }
        for _ in 0..=KEPT {
            next_epoch();
        }
        assert_eq!(records(), (4, 8, 8));
        // An epoch without modules is first gone through by the payouts.
        let pays = IDLE.saturating_add(STEP);
        assert_eq!(next_block_with(pays.saturating_add(FORGET).saturating_sub(Weight::from_parts(1, 0))), pays);
        assert_eq!(records(), (4, 8, 8));
        assert_eq!(next_block_with(IDLE.saturating_add(FORGET)), IDLE.saturating_add(FORGET));
        assert_eq!(records(), (4, 7, 7));
        next_block();
        assert_eq!(records(), (4, 2, 2));
        next_block();
        assert_eq!((records(), Forgetting::<Test>::get().epoch), ((3, 0, 0), 1));
    });
}

#[test]
fn what_is_not_gone_yet_can_still_be_claimed() {
    on_chain(|| {
        FirstReward::set(90);
        for module in 100..105 {
            register(module, OWNER, DEPOSIT);
            mine(module, percent(100));
        }
        register(ONE, PAUPER, DEPOSIT);
        mine(ONE, percent(100));
        for _ in 0..=KEPT {
            next_epoch();
        }
        next_block();
        assert_eq!(Forgetting::<Test>::get(), crate::Cursor { epoch: 0, place: 5 });
        assert_eq!(claim(0, 100), refused(Error::NothingOwed));
        assert_ok!(Balances::transfer_keep_alive(RuntimeOrigin::signed(ALICE), PAUPER, EXISTENTIAL));
        assert_ok!(claim(0, ONE));
        assert_eq!((free(PAUPER), held()), (EXISTENTIAL + 9, 0));
        next_block();
        assert_eq!(claim(0, ONE), refused(Error::EpochForgotten));
    });
}

#[test]
fn forgets_nothing_that_was_not_paid() {
    on_chain(|| {
        for _ in 0..8 {
            mine(ONE, percent(100));
            next_epoch_starved();
        }
        assert_eq!(
            (records(), Forgetting::<Test>::get(), Paying::<Test>::get()),
            ((8, 8, 8), Default::default(), Default::default())
        );
        // There is time to forget, but not to pay.
        assert_eq!(next_block_with(IDLE.saturating_add(FORGET)), IDLE);
        assert_eq!(records(), (8, 8, 8));
        let owner = free(OWNER);
        for _ in 0..6 {
            next_block();
        }
        assert_eq!((records(), free(OWNER), held()), ((3, 3, 3), owner + 8 * 600_000, 0));
    });
}
