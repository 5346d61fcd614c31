use ensemble_core::inference::Payment;
use frame_support::{assert_noop, assert_ok};

use crate::{fixture::World, mock::*, CurrentParameters, Error, Event, Parameters, Rates, Sessions, Workers};

/// Has sessions cost so many times as much.
fn dearer(times: u128) {
    let before = CurrentParameters::<Test>::get();
    let Rates { position, billion } = before.rates;
    let rates = Rates { position: times * position, billion: times * billion };
    assert_ok!(Inference::set_parameters(RuntimeOrigin::root(), Parameters { rates, ..before }));
}

fn price() -> u128 {
    Inference::quote(0, 6, 3, 3).unwrap().price
}

fn pledged() -> u128 {
    worker(GATEWAY).pledged
}

#[test]
fn a_bond_covers_the_prices_of_all_sessions_together() {
    with_workers(3, |_| {
        dearer(3);
        assert!(2 * price() < BOND && BOND < 3 * price());
        open(question());
        open(question());
        assert_eq!(pledged(), 2 * price());
        assert_noop!(try_open(question(), Payment::Tune), Error::<Test>::BondNotFree);
        // It does not matter who asks.
        let own = || Inference::open(signed(GATEWAY), 0, GATEWAY, question(), Payment::Tune, None);
        assert_noop!(own(), Error::<Test>::BondNotFree);
        assert_ok!(Inference::bond_extra(signed(GATEWAY), 3 * price() - BOND - 1));
        assert_noop!(own(), Error::<Test>::BondNotFree);
        assert_ok!(Inference::bond_extra(signed(GATEWAY), 1));
        assert_ok!(own());
        assert_eq!((pledged(), worker(GATEWAY).free_bond()), (3 * price(), 0));
    });
}

#[test]
fn a_session_releases_the_bond_however_it_ends() {
    let world = World::honest();
    let right = |range| world.trace(range, 3).id();
    let mut wrong = World::honest();
    wrong.tokens[1] += 1;
    type End<'a> = &'a dyn Fn(u32);
    let answered = |id, world: &World| {
        run_to_assigned(id);
        close(id, world.closing());
        next_block();
    };
    let not_closed: End<'_> = &|_| ();
    let paid: End<'_> = &|id| {
        answered(id, &world);
        end_votes_on(id, right, |_, _| Vote::Right);
    };
    let void: End<'_> = &|id| {
        answered(id, &world);
        end_votes_on(id, right, |_, range| if range == 1 { Vote::Silent } else { Vote::Right });
    };
    let shown_wrong: End<'_> = &|id| {
        answered(id, &wrong);
        end_votes_on(id, |range| wrong.trace(range, 3).id(), |_, _| Vote::Right);
        assert_ok!(dispute(id, &wrong.prompt(), STRANGER));
    };
    // Too few workers, and then enough.
    for (workers, end) in [(2, not_closed), (3, not_closed), (3, paid), (3, void), (3, shown_wrong)] {
        with_workers(workers, |_| {
            let (id, other) = (open(question()), open(question()));
            assert_eq!(pledged(), 2 * price());
            end(id);
            assert_eq!(pledged(), 2 * price());
            run_to_end(id);
            run_to_end(other);
            assert_eq!((pledged(), worker(GATEWAY).sessions), (0, 0));
        });
    }
}

#[test]
fn a_slash_may_leave_less_than_was_pledged() {
    with_workers(3, |_| {
        dearer(3);
        assert_ok!(Inference::bond_extra(signed(GATEWAY), 2 * BOND));
        let ids = [0; 4].map(|_| open(question()));
        // Still a gateway, but one whose bond does not cover what it drives.
        drop(Inference::slash_bond(0, &GATEWAY, 2 * BOND));
        check_state();
        assert_eq!((worker(GATEWAY).bond, pledged(), worker(GATEWAY).free_bond()), (BOND, 4 * price(), 0));
        assert_noop!(try_open(question(), Payment::Tune), Error::<Test>::BondNotFree);
        // None is closed: it loses what there is.
        ids.iter().for_each(|id| run_to_end(*id));
        assert_eq!((worker(GATEWAY).bond, pledged(), held(crate::HoldReason::Bond, GATEWAY)), (0, 0, 0));
        assert_eq!((wealth(GATEWAY), wealth(REQUESTER)), (ENDOWMENT - 3 * BOND, ENDOWMENT));
        assert_eq!(Sessions::<Test>::count(), 0);
    });
}

#[test]
fn a_gateway_that_drives_something_cannot_take_its_bond_away() {
    with_workers(3, |_| {
        let id = open(question());
        assert_ok!(Inference::leave(signed(GATEWAY)));
        System::set_block_number(System::block_number() + LENGTHS.leave);
        assert_noop!(Inference::withdraw(signed(GATEWAY)), Error::<Test>::InSessions);
        let price = price();
        run_to_end(id);
        assert_ok!(Inference::withdraw(signed(GATEWAY)));
        assert_eq!(wealth(GATEWAY), ENDOWMENT - price);
        assert!(!Workers::<Test>::contains_key(GATEWAY));
    });
}

#[test]
fn a_gateway_that_is_wrong_loses_the_price_at_least() {
    // Half of the bond is more than the price, or less.
    for (times, lost) in [(1, None), (6, Some(()))] {
        with_workers(3, |_| {
            dearer(times);
            let mut world = World::honest();
            world.tokens[1] += 1;
            let id = run_to_window(question(), &world);
            let slashed = lost.map_or(BOND / 2, |()| price());
            // What is beyond the price is there for the challenger.
            let reward = (slashed * 2 / 5).min(slashed - price());
            assert_eq!(lost.is_some(), reward == 0);
            assert_ok!(dispute(id, &world.prompt(), STRANGER));
            assert!(
                matches!(last_event(), Event::Upheld { slashed: all, reward: paid, .. } if (all, paid) == (slashed, reward))
            );
            assert_eq!((worker(GATEWAY).bond, wealth(STRANGER)), (BOND - slashed, ENDOWMENT + reward));
            run_to_end(id);
            assert_eq!(wealth(REQUESTER), ENDOWMENT);
            assert!(WORKERS[..3].iter().all(|who| wealth(*who) > ENDOWMENT));
        });
    }
}

#[test]
fn a_worker_that_is_wrong_loses_no_price() {
    with_workers(3, |_| {
        dearer(6);
        let mut world = World::honest();
        world.falsify(4, 3, 0);
        let id = run_to_window(question(), &world);
        assert!(price() > BOND / 2);
        assert_ok!(dispute(id, &world.row(4, 3, 0, 3), STRANGER));
        assert!(WORKERS[..3].iter().all(|who| worker(*who).bond == BOND / 2));
        assert_eq!(worker(GATEWAY).bond, BOND);
        assert_eq!(wealth(STRANGER), ENDOWMENT + 3 * (BOND / 2) * 2 / 5);
    });
}

#[test]
fn what_a_bond_lacks_for_honest_work_the_requester_pays() {
    with_workers(3, |_| {
        let mut world = World::honest();
        world.tokens[1] += 1;
        let id = run_to_window(question(), &world);
        let left = price() / 2;
        drop(Inference::slash_bond(id, &GATEWAY, BOND - left));
        assert_ok!(dispute(id, &world.prompt(), STRANGER));
        assert!(matches!(last_event(), Event::Upheld { slashed, reward: 0, .. } if slashed == left));
        let fee = session(id).fee;
        run_to_end(id);
        let due = Inference::quote(0, world.closing().positions(), 3, 3).unwrap().workers;
        assert!(due > left - fee);
        assert!((ENDOWMENT - wealth(REQUESTER)).abs_diff(due - (left - fee)) <= 3);
        assert!(WORKERS[..3].iter().all(|who| (wealth(*who) - ENDOWMENT).abs_diff(due / 3) <= 1));
    });
}
