//! A validator's other types and other capacity.

use frame_support::{assert_noop, assert_ok};

use ensemble_core::{matching::Matching as _, modules::Role};

use crate::{mock::*, Error, Event};

#[test]
fn capacity_grows_and_shrinks_to_the_load() {
    on_chain(|| {
        let validator = validator(&[CHAT], 1);
        let (_, second) = (miner(CHAT), miner(CHAT));
        next_block();
        assert_ok!(set_role(validator, validator_role(&[CHAT], 5)));
        let types = vec![CHAT].try_into().unwrap();
        assert_eq!(last_event(), Event::ValidatorChanged { module: validator, types, capacity: 5 });
        next_block();
        assert_eq!(validators_of(second), vec![validator]);
        assert_noop!(set_role(validator, validator_role(&[CHAT], 1)), Error::<Test>::CapacityBelowLoad);
        assert_ok!(set_role(validator, validator_role(&[CHAT], 2)));
        let third = miner(CHAT);
        next_block();
        assert!(miner_view(third).waiting);
    });
}

#[test]
fn other_types_need_a_validator_without_miners() {
    on_chain(|| {
        let id = validator(&[CHAT, AUDIO], 5);
        Epoch::set(3);
        assert_ok!(set_role(id, validator_role(&[AUDIO, VIDEO], 5)));
        assert_eq!(Matching::types(id), Some(vec![AUDIO, VIDEO]));
        let (chat, video) = (miner(CHAT), miner(VIDEO));
        next_block();
        assert_eq!((validators_of(video), miner_view(chat).waiting), (vec![id], true));

        assert_noop!(set_role(id, validator_role(&[CHAT], 5)), Error::<Test>::HasMiners);
        // In another order they are the same.
        assert_ok!(set_role(id, validator_role(&[VIDEO, AUDIO], 5)));
        assert_ok!(switch_off(id));
        assert_noop!(set_role(id, validator_role(&[CHAT], 5)), Error::<Test>::HasMiners);
        next_block();
        assert_ok!(set_role(id, validator_role(&[CHAT], 5)));
        assert_ok!(switch_on(id));
        next_block();
        assert_eq!(validators_of(chat), vec![id]);
    });
}

#[test]
fn a_validator_is_known_to_the_pallet() {
    on_chain(|| {
        let id = register(ALICE, CHAT);
        // A role from before this pallet was there.
        Registered::mutate(|registered| registered.get_mut(&id).unwrap().2 = validator_role(&[CHAT], 1));
        assert_noop!(set_role(id, validator_role(&[CHAT], 2)), Error::<Test>::NotInSubnet);
        assert_ok!(set_role(id, Role::Idle));
        assert_ok!(set_role(id, validator_role(&[CHAT], 2)));
    });
}
