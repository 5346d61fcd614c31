use ensemble_core::inference::Payment;
use frame_support::{assert_noop, assert_ok};
use proptest::prelude::*;
use sp_runtime::transaction_validity::InvalidTransaction;

use crate::{fixture::World, mock::*, CurrentParameters, Error, Event, HoldReason, Parameters, Question, Rates};

#[test]
fn who_asks_through_its_own_gateway_pays_like_anybody() {
    with_workers(3, |model| {
        let asked = question();
        assert_ok!(Inference::open(signed(GATEWAY), model, GATEWAY, asked, Payment::Tune, None));
        run_to_assigned(0);
        assert!(!team(0).contains(&GATEWAY));
        close(0, closing());
        next_block();
        let world = World::honest();
        end_votes_on(0, |range| world.trace(range, 3).id(), |_, _| Vote::Right);
        run_to_end(0);
        assert!(wealth(GATEWAY) < ENDOWMENT);
        assert!(WORKERS[..3].iter().all(|who| wealth(*who) > ENDOWMENT));
    });
}

#[test]
fn who_asks_through_its_own_gateway_and_does_not_close_loses_the_price() {
    with_workers(3, |model| {
        let price = Inference::quote(model, 6, 3, 3).unwrap().price;
        for round in 1..=3 {
            assert_ok!(Inference::bond_extra(signed(GATEWAY), price));
            assert_ok!(Inference::open(signed(GATEWAY), model, GATEWAY, question(), Payment::Tune, None));
            // It has the answer, whatever it does then.
            run_to_assigned(round - 1);
            run_to_end(round - 1);
            assert_eq!(wealth(GATEWAY), ENDOWMENT - u128::from(round) * price);
            assert_eq!(BurntSoFar::get(), u128::from(round) * price);
        }
    });
}

#[test]
fn who_has_a_friend_show_what_its_gateway_did_loses_the_price() {
    for times in [1, 6] {
        with_workers(3, |model| {
            let before = CurrentParameters::<Test>::get();
            let rates = Rates { billion: times * before.rates.billion, ..before.rates };
            assert_ok!(Inference::set_parameters(RuntimeOrigin::root(), Parameters { rates, ..before }));
            let price = Inference::quote(model, 6, 3, 3).unwrap().price;
            let mut world = World::honest();
            world.tokens[1] += 1;
            assert_ok!(Inference::open(signed(GATEWAY), model, GATEWAY, question(), Payment::Tune, None));
            run_to_assigned(0);
            close(0, world.closing());
            next_block();
            end_votes_on(0, |range| world.trace(range, 3).id(), |_, _| Vote::Right);
            assert_ok!(dispute(0, &world.prompt(), STRANGER));
            run_to_end(0);
            let lost = 2 * ENDOWMENT - wealth(GATEWAY) - wealth(STRANGER);
            assert!(lost >= price, "{lost} of {price}");
            assert!(WORKERS[..3].iter().all(|who| wealth(*who) > ENDOWMENT));
        });
    }
}

#[test]
fn silence_of_one_s_own_worker_saves_nothing() {
    // What the gateway and its friend lose together, if the friend says what it knows or not.
    let lost = |silent: bool| {
        let mut lost = 0;
        with_workers(3, |_| {
            let asked = Question { replicas: 1, ..question() };
            let world = World::honest();
            assert_ok!(Inference::open(signed(GATEWAY), 0, GATEWAY, asked, Payment::Tune, None));
            run_to_assigned(0);
            let friend = team(0)[0];
            close(0, world.closing());
            next_block();
            let how = |who, _| if silent && who == friend { Vote::Silent } else { Vote::Right };
            end_votes_on(0, |range| world.trace(range, 3).id(), how);
            run_to_end(0);
            lost = 2 * ENDOWMENT - wealth(GATEWAY) - wealth(friend);
            assert!(WORKERS[..3].iter().filter(|who| **who != friend).all(|who| wealth(*who) > ENDOWMENT));
        });
        lost
    };
    assert!(lost(true) > lost(false), "it works for nothing, and the price is the same");
}

#[test]
fn what_nobody_can_see_is_no_answer() {
    with_workers(3, |model| {
        let price = Inference::quote(model, 6, 3, 3).unwrap().price;
        assert_ok!(Inference::open(signed(GATEWAY), model, GATEWAY, question(), Payment::Tune, None));
        run_to_assigned(0);
        // Of the right shape, and all made up: workers that have served something else keep silent.
        let mut made_up = closing();
        (made_up.tokens.root, made_up.trace.root) = ([1; 32], [2; 32]);
        close(0, made_up);
        next_block();
        end_votes_on(0, |_| Default::default(), |_, _| Vote::Silent);
        run_to_end(0);
        assert_eq!((wealth(GATEWAY), BurntSoFar::get()), (ENDOWMENT - price, price));
    });
}

#[test]
fn nobody_keeps_a_gateway_busy_without_its_consent() {
    with_workers(3, |model| {
        let open = Inference::open(signed(STRANGER), model, GATEWAY, question(), Payment::Tune, None);
        assert_noop!(open, Error::<Test>::NoConsent);
        assert_eq!((worker(GATEWAY).sessions, worker(GATEWAY).pledged), (0, 0));
    });
}

#[test]
fn a_worker_that_leaves_in_the_middle_is_paid_and_bound() {
    with_workers(3, |_| {
        let world = World::honest();
        let id = run_to_votes(question(), &world);
        let who = WORKERS[0];
        assert_ok!(Inference::leave(signed(who)));
        end_votes_on(id, |range| world.trace(range, 3).id(), |_, _| Vote::Right);
        assert_eq!(worker(who).sessions, 1);
        run_to_end(id);
        assert!(wealth(who) > ENDOWMENT);
    });
}

#[test]
fn a_worker_that_leaves_does_not_escape_a_dispute() {
    with_workers(3, |_| {
        let mut world = World::honest();
        world.falsify(4, 3, 0);
        let id = run_to_window(question(), &world);
        WORKERS[..3].iter().for_each(|who| {
            assert_ok!(Inference::leave(signed(*who)));
        });
        assert_ok!(dispute(id, &world.row(4, 3, 0, 3), STRANGER));
        assert!(WORKERS[..3].iter().all(|who| held(HoldReason::Bond, *who) == BOND / 2));
    });
}

#[test]
fn a_worker_s_dispute_needs_its_key_and_enough_of_its_bond() {
    with_workers(4, |_| {
        let mut world = World::honest();
        world.falsify(4, 3, 0);
        let evidence = world.row(4, 3, 0, 3);
        let id = run_to_window(question(), &world);
        let [who, other, ..] = WORKERS;
        assert_eq!(authorize_dispute(id, &evidence, other, who), Err(InvalidTransaction::BadProof.into()));
        assert_eq!(authorize_dispute(id, &evidence, STRANGER, STRANGER), Err(InvalidTransaction::BadSigner.into()));
        let valid = authorize_dispute(id, &evidence, who, who).unwrap();
        assert_eq!(valid.provides.len(), 1);
        drop(Inference::slash_bond(id, &who, BOND - DISPUTE + 1));
        assert_eq!(authorize_dispute(id, &evidence, who, who), Err(InvalidTransaction::BadSigner.into()));
        assert_noop!(dispute_as_worker(id, &evidence, who), Error::<Test>::BondTooSmall);
        assert_noop!(dispute_as_worker(id, &evidence, STRANGER), Error::<Test>::NotAWorker);
        assert_ok!(dispute_as_worker(id, &evidence, GATEWAY));
        assert_eq!(authorize_dispute(id, &evidence, GATEWAY, GATEWAY), Err(InvalidTransaction::Stale.into()));
    });
}

#[test]
fn a_worker_has_one_dispute_in_the_pool_and_long_ones_wait() {
    with_workers(4, |_| {
        let mut world = World::honest();
        world.falsify(4, 3, 0);
        let ids = [run_to_window(question(), &world), run_to_window(question(), &world)];
        let [who, other, ..] = WORKERS;
        let let_in = |id, evidence, who| authorize_dispute(id, evidence, who, who).unwrap();
        let (long, short) = (world.sum(4, 4, 3), world.carry(4, 1));
        // Its bond is there once, whatever it says, and wherever.
        let first = let_in(ids[0], &long, who);
        assert_eq!(let_in(ids[1], &short, who).provides, first.provides);
        assert_ne!(let_in(ids[0], &long, other).provides, first.provides);
        let priority = |evidence| let_in(ids[0], evidence, who).priority;
        assert!(CLOSE_PRIORITY > priority(&short) && priority(&short) > priority(&long));
    });
}

#[test]
fn a_false_dispute_costs_a_worker_its_bond() {
    with_workers(3, |_| {
        let world = World::honest();
        let id = run_to_window(question(), &world);
        let who = WORKERS[0];
        assert_ok!(dispute_as_worker(id, &world.row(4, 3, 0, 3), who));
        assert_eq!(worker(who).bond, BOND - DISPUTE);
        assert!(matches!(last_event(), Event::Rejected { lost: DISPUTE, .. }));
        // It is not drawn any more, but is paid for what it did.
        assert_eq!(worker(who).place, None);
        run_to_end(id);
        assert!(wealth(who) > ENDOWMENT - DISPUTE);
    });
}

#[test]
fn a_false_dispute_of_a_worker_is_not_sent_again_by_others() {
    with_workers(3, |_| {
        let mut world = World::honest();
        let (right, who) = (world.row(4, 3, 0, 3), WORKERS[0]);
        world.falsify(4, 3, 0);
        let id = run_to_window(question(), &world);
        assert!(authorize_dispute(id, &right, who, who).is_ok());
        assert_ok!(dispute_as_worker(id, &right, who));
        assert!(matches!(last_event(), Event::Rejected { lost: DISPUTE, .. }));
        // Neither by the pool nor by a block's author.
        assert_eq!(authorize_dispute(id, &right, who, who), Err(InvalidTransaction::Stale.into()));
        assert_noop!(dispute_as_worker(id, &right, who), Error::<Test>::DisputedBefore);
        assert_eq!(worker(who).bond, BOND - DISPUTE);
        // Another worker is heard, and this one where it pays a deposit.
        assert!(authorize_dispute(id, &right, WORKERS[1], WORKERS[1]).is_ok());
        assert_ok!(dispute(id, &world.row(4, 3, 0, 3), who));
        assert!(matches!(last_event(), Event::Upheld { .. }));
    });
}

#[test]
fn liars_gain_nothing_by_showing_themselves() {
    with_workers(3, |_| {
        let mut world = World::honest();
        world.falsify(4, 3, 0);
        let id = run_to_window(question(), &world);
        let before: u128 = WORKERS.iter().map(|who| wealth(*who)).sum();
        assert_ok!(dispute_as_worker(id, &world.row(4, 3, 0, 3), WORKERS[0]));
        run_to_end(id);
        let after: u128 = WORKERS.iter().map(|who| wealth(*who)).sum();
        assert!(after < before);
    });
}

#[test]
fn a_key_that_changes_owner_does_not_change_a_session() {
    with_workers(3, |_| {
        let id = open(question());
        run_to_assigned(id);
        // The gateway announces another key: the session knows the one with which it began.
        assert_ok!(Inference::announce(signed(GATEWAY), peer(GATEWAY), key(STRANGER), proof(STRANGER, GATEWAY)));
        assert_eq!(authorize_close(id, closing(), STRANGER), Err(InvalidTransaction::BadProof.into()));
        close(id, closing());
    });
}

/// What a gateway that asks itself may do, with some of its workers, and with a challenger, as friends.
#[derive(Clone, Copy, Debug)]
struct Plan {
    replicas: u32,
    /// The places of friends, as bits.
    friends: u32,
    /// For each friend the ranges of which it says nothing, as bits.
    silent: [u32; 3],
    closes: bool,
    lies: bool,
    is_shown: bool,
}

/// What they lose together.
fn loss(plan: Plan) -> u128 {
    let mut lost = 0;
    with_workers(3, |_| {
        let asked = Question { replicas: plan.replicas, ..question() };
        assert_ok!(Inference::open(signed(GATEWAY), 0, GATEWAY, asked, Payment::Tune, None));
        run_to_assigned(0);
        let mut world = World::honest();
        world.tokens[1] += u32::from(plan.lies);
        let members = team(0);
        if plan.closes {
            close(0, world.closing());
            next_block();
            let how = |who, range: u32| {
                let place = members.iter().position(|member| *member == who).unwrap();
                let is_silent = plan.friends & (1 << place) != 0 && plan.silent[place] & (1 << range) != 0;
                if is_silent {
                    Vote::Silent
                } else {
                    Vote::Right
                }
            };
            end_votes_on(0, |range| world.trace(range, 3).id(), how);
            if plan.lies && plan.is_shown {
                assert_ok!(dispute(0, &world.prompt(), STRANGER));
            }
        }
        run_to_end(0);
        let friends = (0..3).filter(|place| plan.friends & (1 << place) != 0).map(|place| members[place]);
        let owned: u128 = friends.clone().chain([GATEWAY, STRANGER]).map(wealth).sum();
        lost = (2 + friends.count() as u128) * ENDOWMENT - owned;
    });
    lost
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

    #[test]
    fn no_answer_is_cheaper_than_an_honest_one(
        (is_alone, friends, silent) in (any::<bool>(), 0u32..8, any::<[u32; 3]>()),
        (closes, lies, is_shown) in (prop::bool::weighted(0.8), any::<bool>(), any::<bool>()),
    ) {
        let plan = Plan { replicas: if is_alone { 1 } else { 3 }, friends, silent, closes, lies, is_shown };
        let honest = Plan { silent: [0; 3], closes: true, lies: false, ..plan };
        prop_assert!(loss(plan) >= loss(honest));
    }
}
