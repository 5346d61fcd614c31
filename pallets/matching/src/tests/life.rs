//! Joining, being matched, and leaving.

use ensemble_core::{
    matching::{Counts, Matching as _, Standing},
    modules::Role,
};
use frame_support::{assert_noop, assert_ok};

use crate::{
    mock::*, ranking::SEATS, Desks, Error, Event, FreeSeats, Miners, Places, RankingPages, Reliabilities, Served,
    Validators,
};

#[test]
fn whoever_comes_second_is_matched_in_the_same_block() {
    on_chain(|| {
        let waiting = miner(CHAT);
        assert_eq!(last_event(), Event::MinerJoined { module: waiting, model_type: CHAT });
        next_block();
        assert!(miner_view(waiting).waiting);
        let validator = validator(&[CHAT], 10);
        let types = vec![CHAT].try_into().unwrap();
        assert_eq!(last_event(), Event::ValidatorJoined { module: validator, types, capacity: 10 });
        next_block();
        assert_eq!(validators_of(waiting), vec![validator]);
        assert_eq!(last_event(), Event::Matched { miner: waiting, validator });
        let second = miner(CHAT);
        next_block();
        assert_eq!(validators_of(second), vec![validator]);
        assert_eq!(miners_of(validator), vec![waiting, second]);
    });
}

#[test]
fn a_miner_leaves() {
    on_chain(|| {
        let validator = validator(&[CHAT], 1);
        let (first, second) = (miner(CHAT), miner(CHAT));
        next_block();
        assert_eq!(miners_of(validator), vec![first]);

        assert_ok!(set_role(first, Role::Idle));
        assert_eq!(last_event(), Event::Left { module: first });
        assert_eq!(miner_view(first).standing, Standing::Leaving);
        assert_eq!(Matching::miner_type(first), None);
        next_block();
        let unmatched = Event::Unmatched { miner: first, validator };
        let matched = Event::Matched { miner: second, validator };
        assert_eq!(events().split_off(events().len() - 3), [unmatched, Event::Departed { module: first }, matched]);
        assert_eq!(Matching::miner_view(first), None);
        assert_eq!(miners_of(validator), vec![second]);
    });
}

#[test]
fn a_validator_leaves_and_its_miners_go_to_others() {
    on_chain(|| {
        let leaving = validator(&[CHAT], 9);
        let miners: Vec<_> = (0..3).map(|_| miner(CHAT)).collect();
        next_block();
        let other = validator(&[CHAT], 2);
        assert_ok!(set_role(leaving, Role::Idle));
        assert_eq!(validator_view(leaving).standing, Standing::Leaving);
        assert_eq!(Matching::types(leaving), None);
        next_block();
        assert_eq!(Matching::validator_view(leaving), None);
        assert_eq!(load(other), 2);
        assert_eq!(miners.iter().filter(|id| miner_view(**id).waiting).count(), 1);
    });
}

#[test]
fn a_module_that_is_being_unmatched_plays_no_other_part() {
    on_chain(|| {
        let (validator, served) = (validator(&[CHAT], 10), miner(CHAT));
        next_block();
        let parts = [(validator, Role::Miner), (served, validator_role(&[AUDIO], 1))];
        for (id, role) in parts.clone() {
            assert_noop!(set_role(id, role), Error::<Test>::StillLeaving);
        }
        assert_ok!(set_role(validator, Role::Idle));
        assert_ok!(set_role(served, Role::Idle));
        for (id, role) in parts.clone() {
            assert_noop!(set_role(id, role), Error::<Test>::StillLeaving);
        }
        // The first undoes the match of both, but the second has not had its turn.
        next_block_with(2);
        assert_noop!(set_role(served, Role::Miner), Error::<Test>::StillLeaving);
        next_block();
        for (id, role) in parts {
            assert_ok!(set_role(id, role));
        }
    });
}

#[test]
fn a_module_without_matches_plays_another_part_at_once() {
    on_chain(|| {
        let id = miner(CHAT);
        assert_ok!(set_role(id, validator_role(&[AUDIO], 3)));
        assert_eq!(Matching::miner_view(id), None);
        assert_eq!(validator_view(id).capacity, 3);
        assert_ok!(set_role(id, Role::Miner));
        assert_eq!(Matching::counts(), Counts { miners: 1, active: 1, waiting: 1, ..Default::default() });
        assert_ok!(set_role(id, Role::Idle));
        assert_eq!(Matching::counts(), Counts::default());
    });
}

#[test]
fn a_removed_module_is_forgotten() {
    on_chain(|| {
        let (validator, served) = (validator(&[CHAT], 10), miner(CHAT));
        rely(validator, 90);
        assert_ok!(flag(served));
        assert_ok!(unflag(served));
        next_block();
        assert_ok!(flag(validator));
        remove(validator);
        remove(served);
        check_state();
        next_block();
        assert_eq!(Matching::counts(), Counts::default());
        assert_eq!(Miners::<Test>::iter().count() + Validators::<Test>::iter().count(), 0);
        assert_eq!(Served::<Test>::iter().count() + Places::<Test>::iter().count(), 0);
        assert_eq!(RankingPages::<Test>::iter().count() + Reliabilities::<Test>::iter().count(), 0);
    });
}

#[test]
fn another_type_is_like_coming_anew() {
    on_chain(|| {
        let (chat, audio) = (validator(&[CHAT], 10), validator(&[AUDIO], 10));
        let id = miner(CHAT);
        next_block();
        assert_eq!(validators_of(id), vec![chat]);
        set_type(id, AUDIO);
        assert_eq!(miner_view(id).standing, Standing::Leaving);
        next_block();
        assert_eq!(validators_of(id), vec![audio]);
        assert!(events().contains(&Event::Resumed { module: id }));
        // Before it is matched, and while it is off.
        set_type(id, CHAT);
        set_type(id, VIDEO);
        next_block();
        set_type(id, CHAT);
        assert_ok!(switch_off(id));
        set_type(id, AUDIO);
        assert_ok!(switch_on(id));
        next_block();
        assert_eq!(validators_of(id), vec![audio]);
    });
}

#[test]
fn the_type_of_others_does_not_matter() {
    on_chain(|| {
        let (idle, judge, leaving) = (register(ALICE, CHAT), validator(&[CHAT], 1), miner(CHAT));
        next_block();
        assert_ok!(set_role(leaving, Role::Idle));
        for id in [idle, judge, leaving] {
            set_type(id, VIDEO);
            check_state();
        }
        assert_eq!(load(judge), 1);
    });
}

#[test]
fn seats_are_used_again() {
    on_chain(|| {
        let validators = [validator(&[CHAT], 1), validator(&[CHAT, AUDIO], 1), validator(&[CHAT], 1)];
        for id in validators {
            assert_ok!(set_role(id, Role::Idle));
            check_state();
        }
        assert_eq!(Desks::<Test>::get(CHAT).free_seats, 3);
        validator(&[CHAT], 1);
        assert_eq!(Desks::<Test>::get(CHAT).seats, 3);
        assert_eq!(FreeSeats::<Test>::iter().count(), 3);
    });
}

#[test]
fn a_ranking_can_be_full() {
    new_chain().execute_with(|| {
        let id = validator(&[AUDIO], 1);
        Desks::<Test>::mutate(CHAT, |desk| desk.seats = SEATS - 1);
        validator(&[CHAT], 1);
        let last = register(ALICE, CHAT);
        assert_noop!(set_role(last, validator_role(&[CHAT], 1)), Error::<Test>::TooManyValidators);
        assert_noop!(set_role(id, validator_role(&[CHAT], 1)), Error::<Test>::TooManyValidators);
        assert_ok!(set_role(last, validator_role(&[AUDIO], 1)));
    });
}
