//! Switches and flags.

use ensemble_core::{
    matching::{FlagReason, Matching as _, Standing},
    modules::Role,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, Permill};

use crate::{mock::*, Error, Event};

fn stated() -> FlagReason {
    FlagReason::Stated(b"too slow".to_vec().try_into().unwrap())
}

#[test]
fn a_validator_is_switched_off_and_on() {
    on_chain(|| {
        let (id, served) = (validator(&[CHAT], 10), miner(CHAT));
        rely(id, 80);
        next_block();
        assert_ok!(switch_off(id));
        assert_eq!(last_event(), Event::SwitchedOff { module: id });
        assert_eq!(validator_view(id).standing, Standing::Off);
        assert_noop!(switch_off(id), Error::<Test>::AlreadyOff);
        next_block();
        assert!(miner_view(served).waiting);
        assert_eq!(last_event(), Event::Departed { module: id });

        Epoch::set(4);
        assert_ok!(switch_on(id));
        assert_eq!(last_event(), Event::SwitchedOn { module: id });
        assert_noop!(switch_on(id), Error::<Test>::AlreadyOn);
        next_block();
        assert_eq!(validators_of(served), vec![id]);
        assert_eq!(Matching::reliability(id), Permill::from_percent(80));
        assert_eq!(Matching::serving_since(id), Some(4));
    });
}

#[test]
fn who_is_switched_on_too_early_comes_back_later() {
    on_chain(|| {
        let (id, served) = (validator(&[CHAT], 10), miner(CHAT));
        next_block();
        assert_ok!(switch_off(id));
        assert_ok!(switch_on(id));
        assert_eq!(validator_view(id).standing, Standing::Leaving);
        assert_eq!((Matching::types(id), Matching::serving_since(id)), (None, None));
        next_block();
        assert!(events().contains(&Event::Resumed { module: id }));
        assert_eq!((validator_view(id).standing, validators_of(served)), (Standing::Active, vec![id]));
    });
}

#[test]
fn a_miner_is_switched_off_and_on() {
    on_chain(|| {
        let (validator, id) = (validator(&[CHAT], 10), miner(CHAT));
        next_block();
        assert_ok!(switch_off(id));
        next_block();
        assert_eq!((load(validator), miner_view(id).waiting), (0, false));
        assert_ok!(switch_on(id));
        next_block();
        assert_eq!(load(validator), 1);
    });
}

#[test]
fn only_the_owner_switches() {
    on_chain(|| {
        let id = miner(CHAT);
        let bob = RuntimeOrigin::signed(BOB);
        assert_noop!(Matching::switch_off(bob.clone(), id), Error::<Test>::NotOwner);
        assert_noop!(Matching::switch_on(bob, id), Error::<Test>::NotOwner);
        assert_noop!(Matching::switch_off(RuntimeOrigin::none(), id), BadOrigin);
        assert_noop!(switch_off(99), Error::<Test>::UnknownModule);
        assert_noop!(switch_off(register(ALICE, CHAT)), Error::<Test>::NotInSubnet);
    });
}

#[test]
fn a_flag_takes_a_module_out_and_its_earnings_away() {
    on_chain(|| {
        let (validator, id) = (validator(&[CHAT], 10), miner(CHAT));
        next_block();
        assert_ok!(flag(id));
        assert_eq!(last_event(), Event::Flagged { module: id, reason: stated() });
        assert_eq!(miner_view(id).standing, Standing::Flagged(stated()));
        assert_eq!(Forfeited::get(), vec![id]);
        next_block();
        assert_eq!((load(validator), Matching::counts().flagged), (0, 1));

        assert_noop!(flag(id), Error::<Test>::AlreadyFlagged);
        assert_ok!(unflag(id));
        assert_eq!(last_event(), Event::Unflagged { module: id });
        assert_noop!(unflag(id), Error::<Test>::NotFlagged);
        next_block();
        assert_eq!((load(validator), Matching::counts().flagged), (1, 0));
    });
}

#[test]
fn flag_and_switch_are_independent() {
    on_chain(|| {
        let id = validator(&[CHAT], 10);
        assert_ok!(switch_off(id));
        assert_ok!(flag(id));
        assert_eq!(validator_view(id).standing, Standing::Flagged(stated()));
        assert_ok!(switch_on(id));
        assert_eq!(Matching::types(id), None);
        assert_ok!(switch_off(id));
        assert_ok!(unflag(id));
        assert_eq!(validator_view(id).standing, Standing::Off);
        assert_ok!(switch_on(id));
        assert_eq!(validator_view(id).standing, Standing::Active);
    });
}

#[test]
fn a_flag_outlasts_leaving() {
    on_chain(|| {
        let (id, idle) = (miner(CHAT), register(ALICE, CHAT));
        assert_ok!(flag(id));
        assert_ok!(set_role(id, Role::Idle));
        assert_eq!(Matching::counts().flagged, 0);
        assert_ok!(set_role(id, Role::Miner));
        assert_eq!((Matching::counts().flagged, Matching::counts().active), (1, 0));
        assert_eq!(Matching::miner_type(id), None);
        // Whoever plays no part yet can be flagged too.
        assert_ok!(flag(idle));
        assert_ok!(set_role(idle, validator_role(&[CHAT], 1)));
        assert_eq!(Matching::types(idle), None);
        assert_ok!(set_role(idle, Role::Idle));
        assert_ok!(unflag(idle));
    });
}

#[test]
fn a_switch_goes_with_the_part() {
    on_chain(|| {
        let id = miner(CHAT);
        assert_ok!(switch_off(id));
        assert_ok!(set_role(id, Role::Idle));
        assert_ok!(set_role(id, Role::Miner));
        assert_eq!(miner_view(id).standing, Standing::Active);
    });
}

#[test]
fn flags_need_their_origin_and_a_reason() {
    on_chain(|| {
        let id = miner(CHAT);
        let root = RuntimeOrigin::root;
        assert_noop!(Matching::flag(RuntimeOrigin::signed(ALICE), id, b"why".to_vec()), BadOrigin);
        assert_noop!(Matching::unflag(RuntimeOrigin::signed(ALICE), id), BadOrigin);
        assert_noop!(Matching::flag(root(), 99, b"why".to_vec()), Error::<Test>::UnknownModule);
        assert_noop!(Matching::flag(root(), id, vec![]), Error::<Test>::NoReason);
        assert_noop!(Matching::flag(root(), id, vec![0xff]), Error::<Test>::ReasonNotUtf8);
        assert_noop!(Matching::flag(root(), id, vec![b'a'; 129]), Error::<Test>::ReasonTooLong);
        assert_ok!(Matching::flag(root(), id, vec![b'a'; 128]));
    });
}
