use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, Error, Event, HoldReason, KeyOwners, SeatCounts, Workers};

#[test]
fn a_worker_puts_up_a_bond_and_is_drawn() {
    on_chain(|| {
        let model = register();
        join(WORKERS[0], model, BOND);
        assert_eq!(held(HoldReason::Bond, WORKERS[0]), BOND);
        assert_eq!((worker(WORKERS[0]).place, SeatCounts::<Test>::get(model)), (Some(0), 1));
        assert_eq!(last_event(), Event::Seated { who: WORKERS[0], model });
    });
}

#[test]
fn who_may_not_join_does_not() {
    on_chain(|| {
        assert_noop!(try_join(WORKERS[0], 0, BOND), Error::<Test>::UnknownModel);
        let model = register();
        assert_noop!(try_join(WORKERS[0], model, BOND - 1), Error::<Test>::BondTooLow);
        assert_noop!(try_join(POOR, model, BOND), Error::<Test>::CannotPay);
        let who = WORKERS[0];
        join(who, model, BOND);
        assert_noop!(try_join(who, model, BOND), Error::<Test>::AlreadyAWorker);
    });
}

#[test]
fn a_worker_is_reached_under_a_peer_id() {
    on_chain(|| {
        let (model, who) = (register(), WORKERS[0]);
        let join_as = |peer: &[u8]| {
            let peer = peer.to_vec().try_into().unwrap();
            Inference::join(signed(who), model, peer, key(who), proof(who, who), BOND)
        };
        let ed25519 = [&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20], &[7; 32][..]].concat();
        let rsa = [&[0x12, 0x20], &[7; 32][..]].concat();
        let longer = |id: &[u8]| [id, &[7]].concat();
        let mut none: Vec<Vec<u8>> = vec![vec![], vec![7], vec![7; 38], vec![7; 34], vec![7; 64], vec![0; 38]];
        for good in [&ed25519, &rsa] {
            none.extend([longer(good), good[..good.len() - 1].to_vec(), good[1..].to_vec()]);
        }
        // Secp256k1's keys have 33 bytes, and peer ids that no node of this chain has.
        none.push([&[0x00, 0x25, 0x08, 0x02, 0x12, 0x21], &[7; 33][..]].concat());
        for bytes in &none {
            assert_noop!(join_as(bytes), Error::<Test>::InvalidPeer);
        }
        assert_ok!(join_as(&ed25519));
        let announce = |peer: &[u8]| {
            Inference::announce(signed(who), peer.to_vec().try_into().unwrap(), key(who), proof(who, who))
        };
        for bytes in &none {
            assert_noop!(announce(bytes), Error::<Test>::InvalidPeer);
        }
        assert_ok!(announce(&rsa));
        assert_eq!(worker(who).peer.to_vec(), rsa);
    });
}

#[test]
fn a_key_belongs_to_who_proves_it_and_to_nobody_else() {
    on_chain(|| {
        let model = register();
        let [thief, owner, ..] = WORKERS;
        let take = |proof| Inference::join(signed(thief), model, peer(thief), key(owner), proof, BOND);
        assert_noop!(take(proof(thief, thief)), Error::<Test>::NotYourKey);
        // What the owner signed for itself is of no use to anybody else.
        assert_noop!(take(proof(owner, owner)), Error::<Test>::NotYourKey);
        join(owner, model, BOND);
        assert_noop!(take(proof(owner, thief)), Error::<Test>::KeyTaken);
        join(thief, model, BOND);
        let announce = |of| Inference::announce(signed(thief), peer(thief), key(of), proof(of, thief));
        assert_noop!(announce(owner), Error::<Test>::KeyTaken);
        assert_ok!(announce(STRANGER));
        assert_eq!(KeyOwners::<Test>::get(key(STRANGER)), Some(thief));
        assert_eq!(KeyOwners::<Test>::get(key(thief)), None);
        // Its own key, again.
        assert_ok!(announce(STRANGER));
    });
}

#[test]
fn places_have_no_gaps_whoever_leaves() {
    with_workers(4, |model| {
        assert_eq!(worker(WORKERS[3]).place, Some(4));
        assert_ok!(Inference::leave(signed(WORKERS[0])));
        assert_eq!((worker(WORKERS[0]).place, worker(WORKERS[3]).place), (None, Some(1)));
        assert_ok!(Inference::leave(signed(WORKERS[2])));
        assert_eq!(SeatCounts::<Test>::get(model), 3);
        assert_noop!(Inference::leave(signed(WORKERS[2])), Error::<Test>::AlreadyLeaving);
    });
}

#[test]
fn a_bond_returns_after_the_delay() {
    with_workers(1, |_| {
        let who = WORKERS[0];
        assert_noop!(Inference::withdraw(signed(who)), Error::<Test>::NotLeaving);
        assert_ok!(Inference::leave(signed(who)));
        let at = System::block_number() + LENGTHS.leave;
        assert_eq!(last_event(), Event::Leaving { who, at });
        System::set_block_number(at - 1);
        assert_noop!(Inference::withdraw(signed(who)), Error::<Test>::TooEarly);
        System::set_block_number(at);
        assert_ok!(Inference::withdraw(signed(who)));
        assert_eq!((wealth(who), held(HoldReason::Bond, who)), (ENDOWMENT, 0));
        assert!(!Workers::<Test>::contains_key(who) && !KeyOwners::<Test>::contains_key(key(who)));
        assert_noop!(Inference::withdraw(signed(who)), Error::<Test>::NotAWorker);
    });
}

#[test]
fn a_worker_in_a_session_keeps_its_bond_in() {
    with_workers(3, |_| {
        let id = open(question());
        run_to_assigned(id);
        let who = WORKERS[1];
        assert_ok!(Inference::leave(signed(who)));
        // As if the session lasted for ever.
        System::set_block_number(System::block_number() + LENGTHS.leave);
        assert_noop!(Inference::withdraw(signed(who)), Error::<Test>::InSessions);
        run_to_end(id);
        assert_ok!(Inference::withdraw(signed(who)));
    });
}

#[test]
fn a_larger_bond_counts_more_up_to_the_cap() {
    with_workers(1, |model| {
        let who = WORKERS[0];
        assert_ok!(Inference::bond_extra(signed(who), BOND));
        let weight = || crate::Seats::<Test>::get(model, 1).unwrap().weight;
        assert_eq!((worker(who).bond, weight()), (2 * BOND, 2 * BOND));
        assert_ok!(Inference::bond_extra(signed(who), 20 * BOND));
        assert_eq!((worker(who).bond, weight()), (22 * BOND, 10 * BOND));
        assert_noop!(Inference::bond_extra(signed(STRANGER), 1), Error::<Test>::NotAWorker);
        assert_ok!(Inference::leave(signed(who)));
        assert_noop!(Inference::bond_extra(signed(who), 1), Error::<Test>::AlreadyLeaving);
    });
}

#[test]
fn whose_bond_fell_is_not_drawn_until_it_is_topped_up() {
    with_workers(2, |model| {
        let who = WORKERS[0];
        drop(Inference::slash_bond(0, &who, 1));
        assert_eq!((worker(who).place, worker(who).bond), (None, BOND - 1));
        assert_eq!(SeatCounts::<Test>::get(model), 2);
        assert_ok!(Inference::bond_extra(signed(who), 1));
        assert_eq!(worker(who).place, Some(2));
        // No slash takes more than there is.
        drop(Inference::slash_bond(0, &who, 2 * BOND));
        assert_eq!((worker(who).bond, held(HoldReason::Bond, who)), (0, 0));
        assert_ok!(Inference::leave(signed(who)));
        System::set_block_number(100);
        assert_ok!(Inference::withdraw(signed(who)));
    });
}
