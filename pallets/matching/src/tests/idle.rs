//! Blocks with much or little weight to spare.

use ensemble_core::modules::Role;
use frame_support::{assert_ok, traits::Hooks, weights::Weight};

use crate::{
    mock::*,
    types::{Kind, Line},
    Desks, Places, ToDo,
};

fn work(steps: u32) -> Weight {
    <Matching as Hooks<BlockNumber>>::on_idle(System::block_number(), weight(steps))
}

#[test]
fn nothing_is_done_without_weight() {
    on_chain(|| {
        let (validator, served) = (validator(&[CHAT], 9), miner(CHAT));
        assert_eq!(work(0), Weight::zero());
        assert_eq!(work(1), weight(1));
        assert_eq!((load(validator), miner_view(served).waiting), (0, true));
        assert_eq!(work(2), weight(2));
        assert_eq!(load(validator), 1);
    });
}

#[test]
fn an_idle_subnet_costs_a_look() {
    on_chain(|| {
        assert_eq!(work(100), weight(1));
        miner(CHAT);
        // Nobody has room: the type leaves the line, once.
        assert_eq!(work(100), weight(2));
        assert_eq!(work(100), weight(1));
    });
}

#[test]
fn a_block_takes_so_many_steps_and_no_more() {
    on_chain(|| {
        MaxSteps::set(3);
        let validator = validator(&[CHAT], 9);
        for _ in 0..5 {
            miner(CHAT);
        }
        next_block();
        assert_eq!(load(validator), 3);
        next_block();
        assert_eq!(load(validator), 5);
    });
}

#[test]
fn who_left_a_line_costs_no_step() {
    on_chain(|| {
        let miners: Vec<_> = (0..6).map(|_| miner(CHAT)).collect();
        for id in &miners[1..5] {
            assert_ok!(set_role(*id, Role::Idle));
        }
        validator(&[CHAT], 9);
        // The look at the line, two miners, the end of the type's turn.
        assert_eq!(work(100), weight(4));
    });
}

fn length(line: Line) -> usize {
    Places::<Test>::iter_prefix(line).count()
}

#[test]
fn switching_off_and_on_does_not_lengthen_a_line_that_stands() {
    on_chain(|| {
        // Nobody has room for those who wait, and all of a third one's possible validators are its own.
        ValidatorsPerMiner::set(2);
        let (first, second, third) = (miner(CHAT), miner(CHAT), miner(AUDIO));
        validator(&[AUDIO], 9);
        let fourth = miner(AUDIO);
        for _ in 0..50 {
            for id in [second, fourth] {
                assert_ok!(switch_off(id));
                assert_ok!(switch_on(id));
            }
            next_block();
        }
        assert_eq!(length(Line::Waiting(Kind::First, CHAT)), 2);
        assert_eq!(length(Line::Waiting(Kind::Blocked, AUDIO)), 2);
        assert_eq!(Places::<Test>::iter().count(), 4);
        validator(&[CHAT], 2);
        // The look at the line, two miners, the end of the turns of first validators and of further ones.
        assert_eq!(work(100), weight(5));
        assert_eq!((validators_of(first).len(), validators_of(second).len()), (1, 1));
        assert_eq!(validators_of(third).len(), 1);
    });
}

#[test]
fn validators_that_come_and_go_leave_no_offers() {
    on_chain(|| {
        ValidatorsPerMiner::set(2);
        validator(&[CHAT], 9);
        let blocked = miner(CHAT);
        next_block();
        let (first, other) = (validator(&[CHAT], 9), register(ALICE, CHAT));
        for _ in 0..50 {
            assert_ok!(set_role(other, validator_role(&[CHAT], 9)));
            next_block_with(0);
            assert_ok!(set_role(other, Role::Idle));
        }
        assert_eq!(length(Line::Offers(CHAT)), 1);
        // The one that is offered leaves: the one behind it is offered instead.
        let last = validator(&[CHAT], 9);
        assert_ok!(set_role(first, Role::Idle));
        assert_eq!(length(Line::Offers(CHAT)), 1);
        // The look at the line, the miner, the end of the offer and of the type's turn.
        assert_eq!(work(100), weight(4));
        assert!(validators_of(blocked).contains(&last));
    });
}

#[test]
fn types_take_turns_from_block_to_block() {
    on_chain(|| {
        let (chat, audio) = (validator(&[CHAT], 9), validator(&[AUDIO], 9));
        for _ in 0..3 {
            miner(CHAT);
        }
        for _ in 0..3 {
            miner(AUDIO);
        }
        next_block_with(2);
        assert_eq!((load(chat), load(audio)), (2, 0));
        next_block_with(2);
        assert_eq!((load(chat), load(audio)), (2, 2));
    });
}

#[test]
fn two_validators_are_drained_one_after_the_other() {
    on_chain(|| {
        ValidatorsPerMiner::set(2);
        let (one, two) = (validator(&[CHAT], 9), validator(&[CHAT], 9));
        let miners: Vec<_> = (0..4).map(|_| miner(CHAT)).collect();
        next_block();
        assert_ok!(set_role(one, Role::Idle));
        assert_ok!(set_role(two, Role::Idle));
        assert_ok!(set_role(miners[0], Role::Idle));
        let third = validator(&[CHAT], 9);
        for _ in 0..40 {
            next_block_with(1);
        }
        assert_eq!(miners_of(third), miners[1..]);
    });
}

#[test]
fn nothing_is_left_in_line_when_all_is_done() {
    on_chain(|| {
        ValidatorsPerMiner::set(2);
        let validators = [validator(&[CHAT, AUDIO], 3), validator(&[CHAT], 2)];
        for number in 0..6 {
            miner(if number % 2 == 0 { CHAT } else { AUDIO });
        }
        next_block();
        assert_ok!(switch_off(validators[0]));
        next_block();
        assert_ok!(switch_on(validators[0]));
        next_block();
        let agenda = ToDo::<Test>::get();
        assert!(agenda.departures.is_empty() && Kind::ALL.into_iter().all(|kind| agenda.turns.get(kind).is_empty()));
        assert!(Desks::<Test>::get(CHAT).offers.is_empty());
    });
}
