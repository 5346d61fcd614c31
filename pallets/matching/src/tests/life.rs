//! Joining, being matched, and leaving.

use ensemble_core::modules::Role;
use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, Error, Event};

#[test]
fn whoever_comes_second_is_matched_in_the_same_block() {
    on_chain(|| {
        let waiting = miner(CHAT);
        next_block();
        assert!(miner_view(waiting).waiting);
        let validator = validator(&[CHAT], 10);
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
fn a_module_that_is_being_unmatched_plays_no_other_part() {
    on_chain(|| {
        let validator = validator(&[CHAT], 10);
        let served = miner(CHAT);
        next_block();
        assert_ok!(set_role(validator, Role::Idle));
        for role in [Role::Miner, validator_role(&[AUDIO], 1)] {
            assert_noop!(set_role(validator, role), Error::<Test>::StillLeaving);
        }
        next_block();
        assert_eq!(validators_of(served), vec![]);
        assert_ok!(set_role(validator, validator_role(&[CHAT], 1)));
        next_block();
        assert_eq!(validators_of(served), vec![validator]);
    });
}
