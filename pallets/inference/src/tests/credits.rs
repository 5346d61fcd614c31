use ensemble_core::{inference::Payment, AssetId};
use frame_support::{assert_noop, assert_ok};

use crate::{fixture::World, mock::*, Class, Error, Event, Holdings, Pots};

/// Runs a session to its end, and gives what became credits.
fn earn() -> u128 {
    let id = run_to_window(question(), &World::honest());
    run_to_end(id);
    let settled = events().into_iter().rev().find_map(|event| match event {
        Event::SessionSettled { credits, .. } => Some(credits),
        _ => None,
    });
    settled.unwrap()
}

fn credits(who: AccountId) -> u128 {
    Inference::credits_of(&who, 0)
}

fn lock(who: AccountId, class: Class, amount: u128) {
    assert_ok!(Inference::lock(signed(who), 0, class, amount));
}

#[test]
fn locked_shares_earn_in_proportion() {
    with_workers(3, |_| {
        give_shares(REGISTRANT, 300);
        give_shares(STRANGER, 100);
        lock(REGISTRANT, Class::Contribution, 300);
        lock(STRANGER, Class::Contribution, 100);
        let earned = earn();
        assert!(earned > 0);
        assert_eq!((credits(REGISTRANT), credits(STRANGER)), (earned * 3 / 4, earned / 4));
        assert_eq!(credits(REQUESTER), 0);
        assert_eq!(wealth(Inference::pot(0)), EXISTENTIAL + earned);
        assert_eq!(Pots::<Test>::get(0).unwrap().owed, earned);
    });
}

#[test]
fn both_classes_earn_their_parts() {
    with_workers(3, |_| {
        earn();
        let who = WORKERS[0];
        let rows = shares(AssetId::Rows(0), who);
        lock(who, Class::Rows, rows);
        assert_eq!(shares(AssetId::Rows(0), who), 0);
        // Alone, rows earn everything.
        let alone = earn();
        assert!(alone - credits(who) <= 1);
        give_shares(STRANGER, 100);
        lock(STRANGER, Class::Contribution, 100);
        let before = credits(who);
        let both = earn();
        assert!(both / 2 - credits(STRANGER) <= 1 && both.div_ceil(2) - (credits(who) - before) <= 1);
    });
}

#[test]
fn unlocked_shares_return_and_earn_no_more() {
    with_workers(3, |_| {
        give_shares(STRANGER, 100);
        lock(STRANGER, Class::Contribution, 100);
        let earned = earn();
        assert_ok!(Inference::unlock(signed(STRANGER), 0, Class::Contribution, 100));
        assert_eq!(shares(AssetId::Shares(TASK), STRANGER), 100);
        let burnt = BurntSoFar::get();
        assert_eq!(earn(), 0);
        assert!(BurntSoFar::get() > burnt + earned);
        assert_eq!(credits(STRANGER), earned);
    });
}

/// Ends as many blocks as shares stay locked.
fn wait_to_unlock() {
    run_to(System::block_number() + LENGTHS.window);
}

#[test]
fn shares_stay_locked_for_a_while() {
    with_workers(3, |_| {
        let try_unlock = |class, amount| Inference::unlock(signed(STRANGER), 0, class, amount);
        give_shares(STRANGER, 100);
        let begun = System::block_number();
        lock(STRANGER, Class::Contribution, 40);
        // Whoever knows that something is to be divided cannot come for that alone.
        assert_noop!(try_unlock(Class::Contribution, 40), Error::<Test>::TooEarly);
        run_to(begun + LENGTHS.window - 1);
        assert_noop!(try_unlock(Class::Contribution, 40), Error::<Test>::TooEarly);
        // More of them begin anew for all.
        lock(STRANGER, Class::Contribution, 10);
        run_to(begun + LENGTHS.window);
        assert_noop!(try_unlock(Class::Contribution, 40), Error::<Test>::TooEarly);
        run_to(begun + 2 * LENGTHS.window - 1);
        assert_ok!(try_unlock(Class::Contribution, 40));
        // Each class waits for itself alone.
        earn();
        let who = WORKERS[0];
        lock(who, Class::Rows, shares(AssetId::Rows(0), who));
        assert_noop!(Inference::unlock(signed(who), 0, Class::Rows, 10), Error::<Test>::TooEarly);
        assert_ok!(try_unlock(Class::Contribution, 10));
    });
}

#[test]
fn too_few_shares_are_neither_locked_nor_left() {
    with_workers(1, |_| {
        give_shares(STRANGER, 100);
        let try_lock = |amount| Inference::lock(signed(STRANGER), 0, Class::Contribution, amount);
        let try_unlock = |amount| Inference::unlock(signed(STRANGER), 0, Class::Contribution, amount);
        assert_noop!(try_lock(9), Error::<Test>::TooFewShares);
        assert_noop!(try_lock(0), Error::<Test>::TooFewShares);
        assert_noop!(try_lock(101), Error::<Test>::NotYourShares);
        // Five would be left, which nobody can own.
        assert_noop!(try_lock(95), Error::<Test>::TooFewShares);
        assert_ok!(try_lock(90));
        assert_noop!(try_unlock(91), Error::<Test>::NotYourShares);
        assert_noop!(try_unlock(85), Error::<Test>::TooFewShares);
        assert_noop!(try_unlock(0), Error::<Test>::TooFewShares);
        wait_to_unlock();
        assert_ok!(try_unlock(80));
        assert_ok!(try_unlock(10));
        assert!(!Holdings::<Test>::contains_key(0, STRANGER));
        assert_noop!(Inference::lock(signed(STRANGER), 9, Class::Rows, 10), Error::<Test>::UnknownModel);
    });
}

#[test]
fn credits_pay_a_session_until_they_run_out() {
    with_workers(3, |_| {
        give_shares(REQUESTER, 100);
        lock(REQUESTER, Class::Contribution, 100);
        assert_noop!(try_open(question(), Payment::Credits), Error::<Test>::TooFewCredits);
        while credits(REQUESTER) < Inference::quote(0, 6, 3, 3).unwrap().price {
            earn();
        }
        let (before, wealth_before) = (credits(REQUESTER), wealth(REQUESTER));
        assert_ok!(try_open(question(), Payment::Credits));
        let id = crate::NextSessionId::<Test>::get() - 1;
        assert_eq!(credits(REQUESTER), before - session(id).price);
        assert_noop!(try_open(question(), Payment::Credits), Error::<Test>::TooFewCredits);
        run_to_assigned(id);
        close(id, closing());
        next_block();
        let world = World::honest();
        end_votes_on(id, |range| world.trace(range, 3).id(), |_, _| Vote::Right);
        let workers_before = wealth(WORKERS[0]);
        run_to_end(id);
        assert!(wealth(WORKERS[0]) > workers_before);
        assert_eq!(wealth(REQUESTER), wealth_before);
        let owed = Pots::<Test>::get(0).unwrap().owed;
        assert_eq!(wealth(Inference::pot(0)), EXISTENTIAL + owed);
        assert!(owed - credits(REQUESTER) <= 1 && credits(REQUESTER) < before);
    });
}

#[test]
fn credits_return_with_a_refund() {
    with_workers(3, |_| {
        give_shares(REQUESTER, 100);
        lock(REQUESTER, Class::Contribution, 100);
        while credits(REQUESTER) < Inference::quote(0, 6, 3, 3).unwrap().price {
            earn();
        }
        let before = credits(REQUESTER);
        assert_ok!(Inference::bond_extra(signed(GATEWAY), BOND));
        // Not closed: everything returns.
        assert_ok!(try_open(question(), Payment::Credits));
        run_to_end(crate::NextSessionId::<Test>::get() - 1);
        assert_eq!(credits(REQUESTER), before);
        // Shown to be wrong: the guilty pay the fee of the votes as well.
        let mut world = World::honest();
        world.falsify(4, 3, 0);
        assert_ok!(try_open(question(), Payment::Credits));
        let id = crate::NextSessionId::<Test>::get() - 1;
        run_to_assigned(id);
        close(id, world.closing());
        next_block();
        end_votes_on(id, |range| world.trace(range, 3).id(), |_, _| Vote::Right);
        assert_ok!(dispute(id, &world.row(4, 3, 0, 3), STRANGER));
        run_to_end(id);
        assert_eq!(credits(REQUESTER), before);
        assert_eq!(wealth(Inference::pot(0)), EXISTENTIAL + Pots::<Test>::get(0).unwrap().owed);
    });
}

#[test]
fn shares_are_unlocked_when_their_model_is_gone() {
    with_workers(3, |_| {
        give_shares(STRANGER, 100);
        lock(STRANGER, Class::Contribution, 100);
        let earned = earn();
        WORKERS[..3].iter().chain(&[GATEWAY]).for_each(|who| {
            assert_ok!(Inference::leave(signed(*who)));
        });
        let burnt = BurntSoFar::get();
        assert_ok!(Inference::retire_model(signed(REGISTRANT), 0));
        assert_eq!(BurntSoFar::get(), burnt + earned);
        assert_eq!(credits(STRANGER), 0);
        assert_ok!(Inference::unlock(signed(STRANGER), 0, Class::Contribution, 100));
        assert_eq!(shares(AssetId::Shares(TASK), STRANGER), 100);
        assert!(!Holdings::<Test>::contains_key(0, STRANGER));
        assert_eq!(wealth(Inference::pot(0)), 0);
    });
}
