use ensemble_compute::inference::Architecture;
use ensemble_core::{
    inference::{Payment, RangeVote},
    votes::{Matter, VoteEnd, VoteOutcome, VoteVoid},
    AssetId,
};
use frame_support::assert_ok;

use crate::{
    fixture::World,
    mock::*,
    price::{range_products, share},
    Event, HoldReason, Question, Refund, Sessions, State,
};

/// Positions of the fixture's answer.
const POSITIONS: u128 = 5;

fn products() -> u128 {
    crate::fixture::Model::tiny().llama.products().into()
}

/// What the fixture's answer costs without its votes.
fn amount() -> u128 {
    3 * (POSITIONS * 10 + (POSITIONS * products()).div_ceil(100))
}

/// The part of some ranges of three.
fn part_of(ranges: &[u32]) -> u128 {
    let architecture = Architecture::Llama(crate::fixture::Model::tiny().llama);
    let won: u64 = ranges.iter().map(|range| range_products(&architecture, *range, 3)).sum();
    share(amount(), won.into(), products())
}

/// That the session is over like any other, and what its gateway, its shareholders and its requester got.
fn settled(id: u32) -> (u128, u128, u128) {
    assert!(events().contains(&Event::SessionOver { session: id, refund: None }));
    let settled = events().into_iter().find_map(|event| match event {
        Event::SessionSettled { session, gateway, credits, returned, .. } if session == id => {
            Some((gateway, credits, returned))
        },
        _ => None,
    });
    settled.unwrap()
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

/// Has three workers say three different things of these ranges.
fn run_to_void(world: &World, void: &[u32]) -> u32 {
    let id = run_to_votes(question(), world);
    let members = team(id);
    let how = |who, range| match void.contains(&range) {
        true => Vote::Other((0..).zip(&members).find(|(_, member)| **member == who).unwrap().0),
        false => Vote::Right,
    };
    end_votes_on(id, |range| world.trace(range, 3).id(), how);
    assert!(matches!(last_event(), Event::WindowOpened { .. }));
    let State::Disputable { ranges, .. } = session(id).state else { panic!("no window") };
    let found: Vec<_> = (0..).zip(&ranges).filter(|(_, range)| range.vote == RangeVote::Void).collect();
    assert!(found.iter().all(|(_, range)| (range.backers, range.outvoted) == (0, 0)));
    assert_eq!(found.iter().map(|(range, _)| *range).collect::<Vec<u32>>(), void);
    id
}

#[test]
fn a_void_range_pays_nobody_and_its_part_is_burnt() {
    for (void, won) in [(1, [0, 2]), (2, [0, 1])] {
        with_workers(3, |_| {
            let id = run_to_void(&World::honest(), &[void]);
            run_to_end(id);
            let counts = part_of(&won);
            let (burnt, credits, gateway) = (counts / 20, counts / 5, counts / 10);
            let each = (counts - gateway - credits - burnt) / 3;
            assert!(each > 0 && counts < amount());
            assert!(WORKERS[..3].iter().all(|who| (wealth(*who), worker(*who).bond) == (ENDOWMENT + each, BOND)));
            // Whether the tokens follow from what nobody knows cannot be shown.
            assert_eq!((wealth(GATEWAY), worker(GATEWAY).bond), (ENDOWMENT, BOND));
            let gone = amount() - counts + burnt + credits + gateway;
            assert_eq!(BurntSoFar::get(), fee() + gone);
            assert_eq!(wealth(REQUESTER), ENDOWMENT - fee() - gone - 3 * each);
            assert_eq!(settled(id), (0, 0, session_price() - fee() - gone - 3 * each));
        });
    }
}

fn session_price() -> u128 {
    Inference::quote(0, 6, 3, 3).unwrap().price
}

#[test]
fn a_silent_replica_does_not_refund_what_others_did() {
    with_workers(3, |_| {
        let world = World::honest();
        let id = run_to_votes(Question { replicas: 1, ..question() }, &world);
        let silent = team(id)[1];
        let how = |who, _| if who == silent { Vote::Silent } else { Vote::Right };
        end_votes_on(id, |range| world.trace(range, 3).id(), how);
        run_to_end(id);
        assert_eq!((wealth(silent), worker(silent).bond), (ENDOWMENT, BOND));
        let others = WORKERS[..3].iter().filter(|who| **who != silent);
        let paid: Vec<_> = others.map(|who| wealth(*who) - ENDOWMENT).collect();
        // About a third each of 65 % of a replica's price.
        let fair = (amount() / 3) * 65 / 100 / 3;
        assert!(paid.iter().all(|paid| *paid > fair * 9 / 10 && *paid < fair * 11 / 10), "{paid:?} of {fair}");
        assert_eq!(wealth(GATEWAY), ENDOWMENT);
    });
}

#[test]
fn a_gateway_pays_where_nobody_agrees_with_anybody() {
    with_workers(3, |_| {
        let id = run_to_void(&World::honest(), &[0, 1, 2]);
        let until = System::block_number() + LENGTHS.window;
        run_to(until + 1);
        assert_eq!(worker(GATEWAY).bond, BOND);
        run_to_end(id);
        assert!(events().contains(&Event::SessionOver { session: id, refund: Some(Refund::NobodyAgreed) }));
        // Closing with anything is no better than not to close.
        assert_eq!(worker(GATEWAY).bond, BOND - session_price());
        assert_eq!((wealth(GATEWAY), wealth(REQUESTER)), (ENDOWMENT - session_price(), ENDOWMENT));
        assert_eq!(BurntSoFar::get(), session_price());
        assert!(WORKERS[..3].iter().all(|who| (wealth(*who), worker(*who).bond) == (ENDOWMENT, BOND)));
        assert_eq!(wealth(Inference::pot(0)), EXISTENTIAL);
    });
}

#[test]
fn a_gateway_that_was_shown_to_be_wrong_does_not_pay_twice() {
    with_workers(3, |_| {
        let mut world = World::honest();
        world.tokens[1] += 1;
        let id = run_to_void(&world, &[0, 1, 2]);
        assert_ok!(dispute(id, &world.prompt(), STRANGER));
        run_to_end(id);
        assert!(events().contains(&Event::SessionOver { session: id, refund: Some(Refund::Wrong) }));
        assert_eq!((worker(GATEWAY).bond, wealth(REQUESTER)), (BOND / 2, ENDOWMENT));
        assert!(WORKERS[..3].iter().all(|who| wealth(*who) == ENDOWMENT));
    });
}

#[test]
fn what_workers_agreed_on_and_validators_did_not_attest_costs_the_gateway_nothing() {
    for reason in [VoteVoid::NoAttesters, VoteVoid::Unavailable, VoteVoid::Unattested] {
        with_workers(3, |_| {
            let id = run_to_votes(question(), &World::honest());
            OpenVotes::set(Default::default());
            for range in 0..3 {
                let end = VoteEnd::Void(if range == 1 { reason } else { VoteVoid::NobodyCame });
                Inference::ended(Matter::Trace { session: id, range }, end);
            }
            run_to_end(id);
            assert_eq!(settled(id), (0, 0, session_price() - fee() - amount()));
            assert_eq!((wealth(REQUESTER), BurntSoFar::get()), (ENDOWMENT - fee() - amount(), fee() + amount()));
            let everybody = || WORKERS[..3].iter().chain(&[GATEWAY]);
            assert!(everybody().all(|who| (wealth(*who), worker(*who).bond) == (ENDOWMENT, BOND)));
        });
    }
}

#[test]
fn credits_return_where_nobody_agrees() {
    with_workers(3, |_| {
        give_shares(REQUESTER, 100);
        assert_ok!(Inference::lock(signed(REQUESTER), 0, crate::Class::Contribution, 100));
        let credits = || Inference::credits_of(&REQUESTER, 0);
        while credits() < session_price() {
            let id = run_to_window(question(), &World::honest());
            run_to_end(id);
        }
        let before = credits();
        assert_ok!(try_open(question(), Payment::Credits));
        let (id, world) = (crate::NextSessionId::<Test>::get() - 1, World::honest());
        run_to_assigned(id);
        close(id, world.closing());
        next_block();
        end_votes_on(id, |range| world.trace(range, 3).id(), |_, _| Vote::Silent);
        run_to_end(id);
        assert_eq!(credits(), before);
    });
}

#[test]
fn what_is_wrong_beside_a_void_range_is_paid_by_the_guilty() {
    with_workers(3, |_| {
        let mut world = World::honest();
        world.falsify(4, 3, 0);
        assert_eq!(world.locate(3, 0, 3).0, 0);
        let id = run_to_votes(question(), &world);
        let honest = team(id)[2];
        let how = |who, range| match range {
            0 if who == honest => Vote::Silent,
            2 => Vote::Silent,
            _ => Vote::Right,
        };
        end_votes_on(id, |range| world.trace(range, 3).id(), how);
        assert_ok!(dispute(id, &world.row(4, 3, 0, 3), STRANGER));
        run_to_end(id);
        assert!(events().contains(&Event::SessionOver { session: id, refund: Some(Refund::Wrong) }));
        assert_eq!(wealth(REQUESTER), ENDOWMENT);
        // What it did in the range that won and is right, and nothing for the others.
        let workers = |amount: u128| amount - amount / 10 - amount / 5 - amount / 20;
        let earned = wealth(honest) - ENDOWMENT;
        assert!(earned.abs_diff(workers(part_of(&[1])) / 3) <= 2, "{earned}");
        assert_eq!(wealth(GATEWAY), ENDOWMENT);
        assert_eq!(wealth(Inference::pot(0)), EXISTENTIAL);
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
