use ensemble_core::AssetId;
use frame_support::assert_ok;

use crate::{fixture::World, mock::*, Event, HoldReason, Refund, Sessions};

/// Positions of the fixture's answer.
const POSITIONS: u128 = 5;

fn products() -> u128 {
    crate::fixture::Model::tiny().llama.products().into()
}

/// What the fixture's answer costs without its votes.
fn amount() -> u128 {
    3 * (POSITIONS * 1_000 + POSITIONS * products())
}

fn fee() -> u128 {
    9 * VOTE_FEE + 3 * ATTEST_FEE
}

#[test]
fn everybody_is_paid_for_what_was_computed() {
    with_workers(3, |model| {
        let id = run_to_window(question(), &World::honest());
        run_to_end(id);
        let workers = amount() - amount() / 10 - amount() / 5 - amount() / 20;
        // Three replicas of three ranges: each worker has served everything once.
        for who in &WORKERS[..3] {
            assert_eq!(wealth(*who), ENDOWMENT + workers / 3);
            assert_eq!(shares(AssetId::Rows(model), *who), POSITIONS * products() / 100);
            assert_eq!(worker(*who).sessions, 0);
        }
        assert_eq!(wealth(GATEWAY), ENDOWMENT + amount() / 10);
        // Nobody has locked shares: credits are burnt.
        assert_eq!(BurntSoFar::get(), fee() + amount() / 20 + amount() / 5);
        let left = amount() - 3 * (workers / 3) - amount() / 10 - amount() / 20 - amount() / 5;
        assert_eq!(wealth(REQUESTER), ENDOWMENT - fee() - amount() + left);
        assert_eq!(held(HoldReason::Price, REQUESTER), 0);
    });
}

#[test]
fn nothing_is_paid_before_the_window_is_over() {
    with_workers(3, |_| {
        let id = run_to_window(question(), &World::honest());
        let until = System::block_number() + LENGTHS.window;
        run_to(until + 1);
        assert!(WORKERS[..3].iter().all(|who| wealth(*who) == ENDOWMENT));
        next_block();
        assert!(!Sessions::<Test>::contains_key(id));
    });
}

#[test]
fn silence_is_unpaid_and_being_outvoted_costs() {
    with_workers(3, |_| {
        let world = World::honest();
        let id = run_to_votes(question(), &world);
        let [good, outvoted, silent] = team(id)[..] else { panic!("three workers") };
        let how = |who, range| match range {
            0 if who == outvoted => Vote::Other(7),
            _ if who == silent && range != 0 => Vote::Silent,
            _ => Vote::Right,
        };
        end_votes_on(id, |range| world.trace(range, 3).id(), how);
        run_to_end(id);
        assert_eq!(worker(outvoted).bond, BOND - BOND / 10);
        // Below the least bond, so that it is not drawn any more.
        assert_eq!(worker(outvoted).place, None);
        assert_eq!((worker(silent).bond, worker(good).bond), (BOND, BOND));
        let paid = |who| wealth(who) + (BOND - worker(who).bond) - ENDOWMENT;
        assert!(paid(good) > paid(outvoted) && paid(outvoted) > paid(silent) && paid(silent) > 0);
        // What was not earned returns.
        let settled = events().into_iter().find_map(|event| match event {
            Event::SessionSettled { returned, .. } => Some(returned),
            _ => None,
        });
        assert!(settled.unwrap() > 0);
    });
}

#[test]
fn of_a_large_bond_only_a_part_is_at_stake() {
    with_workers(2, |model| {
        let rich = WORKERS[2];
        // More than counts in a draw.
        join(rich, model, 12 * BOND);
        let world = World::honest();
        let id = run_to_votes(question(), &world);
        end_votes_on(
            id,
            |range| world.trace(range, 3).id(),
            |who, range| if who == rich && range == 0 { Vote::Other(7) } else { Vote::Right },
        );
        run_to_end(id);
        assert_eq!(worker(rich).bond, 12 * BOND - BOND / 10);
        let mut world = World::honest();
        world.falsify(4, 3, 0);
        assert_ok!(Inference::bond_extra(signed(GATEWAY), 1));
        for who in &WORKERS[..2] {
            assert_ok!(Inference::bond_extra(signed(*who), BOND));
        }
        let id = run_to_window(question(), &world);
        assert_ok!(dispute(id, &world.row(4, 3, 0, 3), STRANGER));
        assert_eq!(worker(rich).bond, 12 * BOND - BOND / 10 - 10 * BOND / 2);
        assert!(WORKERS[..2].iter().all(|who| worker(*who).bond == BOND));
    });
}

#[test]
fn a_void_range_refunds_the_session_and_slashes_nobody() {
    with_workers(3, |_| {
        let world = World::honest();
        let id = run_to_votes(question(), &world);
        let members = team(id);
        // Three that say three different things of one range.
        let how = |who, range| match range {
            1 => Vote::Other(members.iter().position(|member| *member == who).unwrap() as u8),
            _ => Vote::Right,
        };
        end_votes_on(id, |range| world.trace(range, 3).id(), how);
        assert_eq!(last_event(), Event::SessionOver { session: id, refund: Some(Refund::RangeVoid { range: 1 }) });
        run_to_end(id);
        assert_eq!(wealth(REQUESTER), ENDOWMENT - fee());
        assert!(WORKERS[..3].iter().all(|who| wealth(*who) == ENDOWMENT && worker(*who).bond == BOND));
    });
}

#[test]
fn whoever_cannot_be_paid_stops_nobody() {
    with_workers(3, |_| {
        let id = run_to_window(question(), &World::honest());
        let full = WORKERS[0];
        // As much as there can be.
        pallet_balances::Account::<Test>::remove(full);
        frame_system::Account::<Test>::mutate(full, |account| account.data.free = u128::MAX - BOND);
        run_to_end(id);
        let undelivered = |event: &Event<Test>| matches!(event, Event::Undelivered { who, .. } if *who == full);
        assert!(events().iter().any(undelivered));
        assert!(WORKERS[1..3].iter().all(|who| wealth(*who) > ENDOWMENT));
    });
}

#[test]
fn shares_of_rows_are_bounded() {
    with_workers(3, |model| {
        MaxShares::set(POSITIONS * products() / 100 + 20);
        let id = run_to_window(question(), &World::honest());
        run_to_end(id);
        let all: u128 = WORKERS[..3].iter().map(|who| shares(AssetId::Rows(model), *who)).sum();
        assert_eq!(all, MaxShares::get());
    });
}
