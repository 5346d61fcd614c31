//! The check of the state finds what is off, and says so.

use ensemble_core::{modules::Role, ModuleId};
use frame_support::assert_ok;
use sp_runtime::Permill;

use crate::{
    mock::*,
    types::{Entry, Kind, Line, Miner, Validator},
    ActiveMiners, Counters, Desks, Flags, FreeSeats, Miners, Places, RankingPages, Reliabilities, Served, ToDo, Truths,
    Validators,
};

const JUDGE: ModuleId = 0;
const SERVED: ModuleId = 1;
const WAITING: ModuleId = 3;

/// Spoils a state with some of everything, and expects this complaint.
fn complains(spoil: impl FnOnce(), complaint: &'static str) {
    new_chain().execute_with(|| {
        ValidatorsPerMiner::set(2);
        assert_eq!(validator(&[CHAT, AUDIO], 9), JUDGE);
        assert_eq!((miner(CHAT), miner(CHAT), miner(VIDEO)), (SERVED, 2, WAITING));
        let (leaving, pausing) = (validator(&[CHAT], 1), miner(AUDIO));
        assert_ok!(Matching::set_truth(RuntimeOrigin::signed(ORACLE), SERVED, Some(Permill::one())));
        next_block();
        assert_ok!(set_role(leaving, Role::Idle));
        assert_ok!(switch_off(pausing));
        validator(&[CHAT], 9);
        check_state();
        spoil();
        assert_eq!(Matching::do_try_state(), Err(complaint.into()));
    });
}

fn miner_is(id: ModuleId, change: impl FnOnce(&mut Miner)) {
    Miners::<Test>::mutate(id, |miner| change(miner.as_mut().unwrap()));
}

fn judge_is(change: impl FnOnce(&mut Validator)) {
    Validators::<Test>::mutate(JUDGE, |validator| change(validator.as_mut().unwrap()));
}

#[test]
fn participants() {
    let validator = || Validators::<Test>::get(JUDGE).unwrap();
    complains(|| Validators::<Test>::insert(SERVED, validator()), "a module is miner and validator");
    complains(
        || miner_is(SERVED, |miner| miner.off = true),
        "a miner takes part and should not, or should and does not",
    );
    complains(
        || judge_is(|judge| judge.active = false),
        "a validator takes part and should not, or should and does not",
    );
    complains(|| miner_is(SERVED, |miner| miner.model_type = AUDIO), "a miner is not what the registry says");
    complains(|| judge_is(|judge| judge.capacity = 10), "a validator is not what the registry says");
    complains(|| judge_is(|judge| judge.open = false), "a validator is open without room, or has room unseen");
    complains(
        || judge_is(|judge| (judge.capacity, judge.open) = (1, false)),
        "a validator has more miners than its capacity",
    );
    let since = "a validator does not know since when it has miners";
    complains(|| judge_is(|judge| judge.serving = None), since);
    complains(|| judge_is(|judge| judge.serving = Some(1)), since);
    complains(|| judge_is(|judge| judge.seats.clear()), "a validator has no seats, or keeps them when leaving");
}

#[test]
fn matches() {
    complains(
        || miner_is(SERVED, |miner| miner.matches.try_push(miner.matches[0]).unwrap()),
        "a miner has a validator twice",
    );
    complains(|| miner_is(SERVED, |miner| miner.matches[0].validator = 99), "a match has no validator");
    complains(|| miner_is(SERVED, |miner| miner.matches[0].slot = 8), "a miner is not among its validator's");
    complains(|| miner_is(SERVED, |miner| miner.matches[0].from = 2), "a match counts too late");
    complains(|| judge_is(|judge| judge.load += 1), "a validator's load is not the number of its miners");
    complains(|| Served::<Test>::insert((JUDGE, 8), SERVED), "a validator has a miner that does not know it");
}

#[test]
fn indexes() {
    let list = "the list of a type's active miners is off";
    complains(|| ActiveMiners::<Test>::remove((CHAT, 0)), list);
    complains(|| ActiveMiners::<Test>::insert((CHAT, 9), 9), list);
    complains(|| Desks::<Test>::mutate(CHAT, |desk| desk.miners += 1), "the list of a type's active miners has gaps");
    complains(|| Desks::<Test>::mutate(9, |desk| desk.miners += 1), "a type counts active miners and has none");
    let seat = "a seat is nobody's, or somebody's twice";
    complains(|| Desks::<Test>::mutate(CHAT, |desk| desk.seats += 1), seat);
    complains(|| judge_is(|judge| judge.seats[0].number = 1), seat);
    complains(|| Desks::<Test>::mutate(CHAT, |desk| desk.free_seats += 1), "the list of free seats is off");
    complains(|| FreeSeats::<Test>::insert((9, 0), 0), "a seat has no ranking");
    complains(|| RankingPages::<Test>::remove((CHAT, 2, 0)), "a ranking is off");
    complains(|| Reliabilities::<Test>::insert(JUDGE, Permill::one()), "a ranking is off");
}

#[test]
fn lines() {
    complains(|| miner_is(WAITING, |miner| miner.waiting = None), "a miner without validators does not wait for one");
    complains(|| miner_is(SERVED, |miner| miner.waiting = None), "a miner does not wait for a further validator");
    complains(
        || miner_is(5, |miner| miner.waiting = Some(crate::Waiting { kind: Kind::Further, place: 0 })),
        "a miner waits that does not take part",
    );
    let alone = |number| Entry { number, before: None, after: None };
    let place = |line| Places::<Test>::insert(line, 0, alone(SERVED));
    let waiting = Line::Waiting(Kind::First, VIDEO);
    complains(|| place(waiting), "a place is not its miner's");
    complains(
        || Desks::<Test>::mutate(VIDEO, |desk| Matching::drop_head(waiting, &mut desk.waiting.first)),
        "a miner does not stand in the line that it thinks",
    );
    complains(|| place(Line::Offers(CHAT)), "an offer is not its validator's");
    complains(|| judge_is(|judge| judge.seats[0].offer = Some(7)), "a validator is not offered though it thinks so");
    complains(|| place(Line::Waiting(Kind::First, 9)), "there is a line for nothing");
}

#[test]
fn links() {
    let departures = Line::Departures;
    let ring = |change: fn(&mut crate::Ring)| ToDo::<Test>::mutate(|agenda| change(&mut agenda.departures));
    let entry = |place, change: fn(&mut Entry)| {
        Places::<Test>::mutate(departures, place, |entry| change(entry.as_mut().unwrap()));
    };
    let (before, after, ends) = (
        "a place in a line is not linked to the one before",
        "a place in a line is not linked to the one after",
        "the ends of a line are off",
    );
    complains(|| entry(1, |entry| entry.before = None), before);
    complains(|| entry(0, |entry| entry.before = Some(1)), before);
    complains(|| Places::<Test>::remove(departures, 0), before);
    complains(|| entry(0, |entry| entry.after = None), after);
    complains(|| entry(1, |entry| entry.after = Some(2)), after);
    complains(|| Places::<Test>::remove(departures, 1), after);
    complains(|| ring(|ring| ring.first = Some(1)), ends);
    complains(|| ring(|ring| ring.last = None), ends);
    complains(|| ring(|ring| ring.next = 1), "a place in a line will be taken twice");
}

/// The validator that is offered to blocked miners.
const OFFERED: ModuleId = 6;

fn stand(line: Line, ring: impl FnOnce(&mut crate::Agenda) -> &mut crate::Ring, number: u32) {
    ToDo::<Test>::mutate(|agenda| Matching::add(line, ring(agenda), number));
}

#[test]
fn turns() {
    complains(|| stand(Line::Departures, |agenda| &mut agenda.departures, 4), "a module departs twice");
    let without = "a module departs without its matches, or its matches without it";
    let drop = || ToDo::<Test>::mutate(|agenda| Matching::drop_head(Line::Departures, &mut agenda.departures));
    complains(drop, without);
    complains(|| stand(Line::Departures, |agenda| &mut agenda.departures, SERVED), without);
    let blocked = Line::Turns(Kind::Blocked);
    complains(|| stand(blocked, |agenda| &mut agenda.turns.blocked, CHAT.into()), "a type stands in line twice");
    complains(
        || stand(blocked, |agenda| &mut agenda.turns.blocked, VIDEO.into()),
        "a type does not stand in the line that it thinks",
    );
    complains(
        || {
            validator(&[VIDEO], 1);
            Matching::end_turn(Kind::First, VIDEO);
        },
        "a miner waits in vain",
    );
    complains(|| Matching::end_turn(Kind::Blocked, CHAT), "a miner is blocked though a validator has room");
    complains(
        || {
            Desks::<Test>::mutate(CHAT, |desk| Matching::drop_head(Line::Offers(CHAT), &mut desk.offers));
            Validators::<Test>::mutate(OFFERED, |validator| validator.as_mut().unwrap().seats[0].offer = None);
        },
        "a miner is blocked though a validator has room",
    );
    complains(
        || Desks::<Test>::mutate(CHAT, |desk| desk.until = 0),
        "a validator is not offered to all blocked miners",
    );
}

#[test]
fn truths_flags_and_figures() {
    complains(|| Truths::<Test>::remove(CHAT), "a source of truth is not among its type's");
    complains(
        || Truths::<Test>::mutate(CHAT, |truths| truths.try_push(2).unwrap()),
        "a source of truth is none, or is one twice",
    );
    complains(
        || Truths::<Test>::insert(AUDIO, crate::TruthsOf::<Test>::default()),
        "a list of sources of truth is empty",
    );
    let reason = ensemble_core::matching::FlagReason::Stated(Default::default());
    complains(|| Flags::<Test>::insert(99, reason), "a module is flagged that was removed");
    complains(|| Reliabilities::<Test>::insert(99, Permill::one()), "a module is relied on that was removed");
    complains(|| Counters::<Test>::mutate(|counts| counts.waiting += 1), "the subnet's figures are off");
}
