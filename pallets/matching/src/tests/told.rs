//! What is told to whoever hears of miners: exactly when one begins or stops to take part.

use ensemble_core::{
    market::Serving as _,
    matching::{FlagReason, Matching as _},
    modules::Role,
};
use frame_support::assert_ok;
use sp_runtime::Permill;

use crate::mock::*;

#[test]
fn a_miner_serves_from_joining_to_leaving() {
    on_chain(|| {
        let id = miner(CHAT);
        assert_eq!(Told::take(), [(id, true)]);
        assert!(Matching::serving(id));
        // Being matched changes nothing.
        validator(&[CHAT], 9);
        next_block();
        assert_eq!(Told::get(), []);
        Told::set(vec![(id, true)]);
        assert_ok!(set_role(id, Role::Idle));
        assert_eq!(Told::get(), [(id, true), (id, false)]);
        assert!(!Matching::serving(id));
        next_block();
        assert_eq!(Told::get(), [(id, true), (id, false)]);
    });
}

#[test]
fn of_validators_nothing_is_told() {
    on_chain(|| {
        let id = validator(&[CHAT], 9);
        assert_ok!(switch_off(id));
        assert_ok!(switch_on(id));
        assert_ok!(flag(id));
        assert_ok!(unflag(id));
        remove(id);
        assert_eq!(Told::get(), []);
        assert!(!Matching::serving(id));
    });
}

#[test]
fn switches_and_flags_count_once_together() {
    on_chain(|| {
        let id = miner(CHAT);
        assert_ok!(switch_off(id));
        assert_ok!(flag(id));
        assert_ok!(switch_on(id));
        assert_eq!(Told::get(), [(id, true), (id, false)]);
        assert_ok!(unflag(id));
        assert_eq!(Told::get(), [(id, true), (id, false), (id, true)]);
        assert_ok!(flag(id));
        assert_eq!(Told::get()[3..], [(id, false)]);
    });
}

#[test]
fn a_flagged_module_that_becomes_a_miner_does_not_serve() {
    on_chain(|| {
        let id = register(ALICE, CHAT);
        assert_ok!(flag(id));
        assert_ok!(set_role(id, Role::Miner));
        assert_eq!(Told::get(), []);
        assert_ok!(unflag(id));
        assert_eq!(Told::get(), [(id, true)]);
    });
}

#[test]
fn a_miner_that_other_pallets_flag_stops_at_once() {
    on_chain(|| {
        let id = miner(CHAT);
        let reason = FlagReason::CrossCheck { agreement: Permill::zero() };
        <Matching as ensemble_core::matching::Matching>::flag(id, reason.clone());
        <Matching as ensemble_core::matching::Matching>::flag(id, reason);
        assert_eq!(Told::get(), [(id, true), (id, false)]);
    });
}

#[test]
fn a_miner_with_matches_serves_again_when_they_are_undone() {
    on_chain(|| {
        validator(&[CHAT], 9);
        let id = miner(CHAT);
        next_block();
        assert_ok!(switch_off(id));
        assert_ok!(switch_on(id));
        assert_eq!(Told::get(), [(id, true), (id, false)]);
        next_block();
        assert_eq!(Told::get(), [(id, true), (id, false), (id, true)]);
        assert_eq!(Matching::miner_type(id), Some(CHAT));
    });
}

#[test]
fn another_type_is_a_stop_and_a_new_beginning() {
    on_chain(|| {
        let id = miner(CHAT);
        set_type(id, AUDIO);
        assert_eq!(Told::get(), [(id, true), (id, false), (id, true)]);
        assert_eq!(Matching::miner_type(id), Some(AUDIO));
    });
}

#[test]
fn a_miner_that_is_removed_stops() {
    on_chain(|| {
        let id = miner(CHAT);
        remove(id);
        assert_eq!(Told::get(), [(id, true), (id, false)]);
        assert!(!Matching::serving(id));
    });
}
