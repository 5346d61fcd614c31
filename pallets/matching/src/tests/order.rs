//! Who is matched with whom, and who comes first.

use ensemble_core::modules::Role;
use frame_support::assert_ok;

use crate::{mock::*, types::Kind, Miners};

fn kind(id: u32) -> Option<Kind> {
    Miners::<Test>::get(id).and_then(|miner| miner.waiting).map(|waiting| waiting.kind)
}

#[test]
fn the_validator_with_the_lowest_load_comes_first() {
    on_chain(|| {
        let (one, two) = (validator(&[CHAT], 10), validator(&[CHAT], 10));
        let miners: Vec<_> = (0..5).map(|_| miner(CHAT)).collect();
        next_block();
        assert_eq!(miners_of(one), vec![miners[0], miners[2], miners[4]]);
        assert_eq!(miners_of(two), vec![miners[1], miners[3]]);
    });
}

#[test]
fn of_equal_loads_the_more_reliable_one_comes_first() {
    on_chain(|| {
        let (one, two, three) = (validator(&[CHAT], 10), validator(&[CHAT], 10), validator(&[CHAT], 10));
        rely(two, 80);
        rely(three, 90);
        let miners: Vec<_> = (0..3).map(|_| miner(CHAT)).collect();
        next_block();
        assert_eq!(
            (miners_of(three), miners_of(two), miners_of(one)),
            (vec![miners[0]], vec![miners[1]], vec![miners[2]])
        );
    });
}

#[test]
fn a_validator_gets_miners_of_its_types_only() {
    on_chain(|| {
        let both = validator(&[CHAT, AUDIO], 10);
        let (chat, audio, video) = (miner(CHAT), miner(AUDIO), miner(VIDEO));
        next_block();
        assert_eq!(miners_of(both), vec![chat, audio]);
        assert!(miner_view(video).waiting);
        assert_eq!(load(both), 2);
    });
}

#[test]
fn capacity_counts_for_all_types_together() {
    on_chain(|| {
        let both = validator(&[CHAT, AUDIO], 2);
        let miners = [miner(CHAT), miner(AUDIO), miner(CHAT), miner(AUDIO)];
        next_block();
        assert_eq!(load(both), 2);
        assert_eq!(miners.iter().filter(|id| miner_view(**id).waiting).count(), 2);
        assert_eq!(Matching::counts().waiting, 2);
    });
}

#[test]
fn who_waits_longest_is_served_first() {
    on_chain(|| {
        let miners: Vec<_> = (0..4).map(|_| miner(CHAT)).collect();
        next_block();
        assert_ok!(set_role(miners[1], Role::Idle));
        let first = validator(&[CHAT], 2);
        next_block();
        assert_eq!(miners_of(first), vec![miners[0], miners[2]]);
        assert!(miner_view(miners[3]).waiting);
    });
}

#[test]
fn a_miner_gets_several_validators_and_none_twice() {
    on_chain(|| {
        ValidatorsPerMiner::set(3);
        let validators = [validator(&[CHAT], 9), validator(&[CHAT], 9)];
        let miner = miner(CHAT);
        next_block();
        assert_eq!(validators_of(miner), validators);
        assert_eq!(kind(miner), Some(Kind::Blocked));
        let third = validator(&[CHAT], 9);
        next_block();
        assert_eq!(validators_of(miner), [validators[0], validators[1], third]);
        assert_eq!(kind(miner), None);
    });
}

#[test]
fn a_first_validator_comes_before_further_ones() {
    on_chain(|| {
        ValidatorsPerMiner::set(2);
        let miners: Vec<_> = (0..3).map(|_| miner(CHAT)).collect();
        let (one, two) = (validator(&[CHAT], 2), validator(&[CHAT], 2));
        next_block();
        assert!(miners.iter().all(|id| !validators_of(*id).is_empty()));
        assert_eq!(load(one) + load(two), 4);
        // The place that is left went to the first who wants a further one.
        assert_eq!(validators_of(miners[0]).len(), 2);
    });
}

#[test]
fn a_validator_that_gets_room_again_is_offered_to_the_blocked() {
    on_chain(|| {
        ValidatorsPerMiner::set(2);
        let large = validator(&[CHAT], 9);
        let small = validator(&[CHAT], 1);
        let miners: Vec<_> = (0..3).map(|_| miner(CHAT)).collect();
        next_block();
        assert_eq!((load(large), load(small)), (3, 1));
        let lucky = miners_of(small)[0];
        let blocked: Vec<_> = miners.into_iter().filter(|id| *id != lucky).collect();
        assert!(blocked.iter().all(|id| kind(*id) == Some(Kind::Blocked)));

        assert_ok!(set_role(lucky, Role::Idle));
        next_block();
        assert_eq!(miners_of(small), vec![blocked[0]]);
        assert_eq!(kind(blocked[1]), Some(Kind::Blocked));
        assert_ok!(set_role(small, validator_role(&[CHAT], 2)));
        next_block();
        assert_eq!(load(small), 2);
    });
}

#[test]
fn an_offer_ends_with_the_room_or_the_validator() {
    on_chain(|| {
        ValidatorsPerMiner::set(2);
        validator(&[CHAT], 9);
        let miners: Vec<_> = (0..4).map(|_| miner(CHAT)).collect();
        next_block();
        // Nothing is done before it leaves again.
        let brief = validator(&[CHAT], 9);
        next_block_with(0);
        assert_ok!(set_role(brief, Role::Idle));
        let small = validator(&[CHAT], 1);
        next_block_with(1);
        assert_ok!(set_role(small, validator_role(&[CHAT], 3)));
        next_block();
        assert_eq!(load(small), 3);
        assert_eq!(kind(miners[3]), Some(Kind::Blocked));
    });
}
