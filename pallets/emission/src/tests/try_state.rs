//! The check of the state finds what is off, and says so.

use frame_support::{
    assert_ok,
    traits::{
        fungible::{Mutate, MutateHold},
        tokens::{Fortitude::Force, Precision::Exact, Preservation::Expendable},
    },
};

use crate::{
    mock::*, CurrentSplit, Cursor, Earned, Earners, Forgetting, HoldReason, Open, Paying, Payout, Periods, TotalBurnt,
    TotalEmitted,
};

/// Spoils a state with some of everything, and expects this complaint.
fn complains(spoil: impl FnOnce(), complaint: &'static str) {
    new_chain().execute_with(|| {
        stake(ALICE, ONE, 1_000);
        next_epoch();
        for _ in 0..2 {
            mine(ONE, percent(70));
            mine(TWO, percent(30));
            judge(THREE, percent(30));
            next_epoch_starved();
        }
        assert_ok!(claim(1, ONE));
        mine(ONE, percent(70));
        judge(THREE, percent(30));
        check_state();
        spoil();
        assert_eq!(Emission::do_try_state(), Err(complaint.into()));
    });
}

fn change(module: u32, change: impl FnOnce(&mut crate::EarnerOf<Test>)) {
    Earned::<Test>::mutate(1, module, |earner| change(earner.as_mut().unwrap()));
}

#[test]
fn books() {
    let off = "issuance is not genesis and emission less what was burnt";
    complains(|| assert!(Balances::mint_into(&ALICE, 1).is_ok()), off);
    complains(|| assert!(Balances::burn_from(&ALICE, 1, Expendable, Exact, Force).is_ok()), off);
    complains(|| TotalEmitted::<Test>::mutate(|emitted| *emitted += 1), off);
    complains(|| TotalBurnt::<Test>::put(1), off);
    complains(
        || CurrentSplit::<Test>::mutate(|split| split.miners = percent(59)),
        "the parts of the split do not make one",
    );
    complains(|| Cap::set(1), "more was emitted than the cap");
}

#[test]
fn pot() {
    let pot = Emission::account_id;
    complains(
        || assert!(Balances::release(&HoldReason::Owed.into(), &pot(), 1, Exact).is_ok()),
        "what is held is not what is owed",
    );
    complains(
        || Periods::<Test>::mutate(1, |period| period.as_mut().unwrap().owed += 1),
        "what is held is not what is owed",
    );
    complains(
        || frame_system::Account::<Test>::mutate(pot(), |account| account.data.free -= 1),
        "the pot has no existential deposit",
    );
}

#[test]
fn clocks() {
    complains(|| Paying::<Test>::put(Cursor { epoch: 4, place: 0 }), "an epoch is paid that is not over");
    complains(|| Forgetting::<Test>::put(Cursor { epoch: 1, place: 0 }), "an epoch is forgotten that was not paid");
    complains(
        || {
            FirstUnsettled::set(1);
            Paying::<Test>::put(Cursor { epoch: 2, place: 0 });
        },
        "an epoch is paid that is not settled",
    );
    FirstUnsettled::set(u32::MAX);
    complains(|| Open::<Test>::mutate(|open| open.epoch = 2), "an epoch is closed that is open or forgotten");
    complains(|| Paying::<Test>::put(Cursor { epoch: 1, place: 4 }), "a place is paid that nobody has");
}

#[test]
fn lists() {
    let off = "a list is not that of who earned";
    complains(|| Earners::<Test>::remove(1, 1), off);
    complains(|| Earners::<Test>::insert(1, 1, ONE), off);
    complains(|| Earners::<Test>::insert(1, 3, ONE), off);
    complains(|| Earned::<Test>::remove(1, TWO), off);
    complains(|| Open::<Test>::mutate(|open| open.earners = 1), off);
    complains(|| Earned::<Test>::insert(9, ONE, earner(1, ONE).unwrap()), "a module earned in an unknown epoch");
    complains(|| Earners::<Test>::insert(9, 0, ONE), "a list is that of an unknown epoch");
}

#[test]
fn sums() {
    let off = "sums of weights are not those of their parts";
    complains(|| change(TWO, |earner| earner.miner = percent(31)), off);
    complains(|| change(ONE, |earner| earner.staked += 1), off);
    complains(|| change(ONE, |earner| earner.validator = percent(1)), "a module earned on both sides");
    complains(|| Open::<Test>::mutate(|open| open.weights.validator += 1), off);
}

#[test]
fn payouts() {
    let off = "what is owed is not what was not paid";
    complains(|| change(TWO, |earner| earner.payout = Payout::Done), off);
    complains(|| change(ONE, |earner| earner.payout = Payout::Pending), off);
    complains(|| change(ONE, |earner| earner.payout = Payout::OwnerPending(1)), off);
    complains(|| change(ONE, |earner| earner.payout = Payout::Forfeited(1)), off);
}
