//! The check of the state finds what is off, and says so.

use ensemble_core::spaces::{Activity, Standing};
use frame_support::{
    assert_ok,
    traits::{fungible::MutateHold, tokens::Precision},
};

use crate::{
    mock::*, Agenda, Closing, History, HoldReason, Members, MembersOf, NextDue, NextSpaceId, RosterOf, Rosters,
    SpaceOf, Spaces as Stored,
};

/// Waits for a round.
const DUE: u32 = 0;
/// Its second round runs, and the first is not reported.
const RUNS: u32 = 1;
/// Is being closed.
const CLOSES: u32 = 2;

/// Spoils a state with some of everything, and expects this complaint.
fn complains(spoil: impl FnOnce(), complaint: &'static str) {
    new_chain().execute_with(|| {
        for _ in 0..3 {
            new_space(spec());
        }
        admit(RUNS, 1..4);
        run_to(3);
        settle(RUNS, &RoundResult::of(&[ACCEPTED; 3]));
        admit(RUNS, [4]);
        run_to(3 + CADENCE);
        admit(DUE, 1..4);
        assert_ok!(suspend(DUE, 2));
        assert_ok!(retire(CLOSES));
        check_state();
        spoil();
        assert_eq!(Spaces::do_try_state(), Err(complaint.into()));
    });
}

fn change(id: u32, change: impl FnOnce(&mut SpaceOf<Test>)) {
    Stored::<Test>::mutate(id, |space| change(space.as_mut().unwrap()));
}

fn change_members(change: impl FnOnce(&mut MembersOf<Test>)) {
    Members::<Test>::mutate(DUE, change);
}

#[test]
fn spaces() {
    complains(|| NextSpaceId::<Test>::put(2), "a space has a number that was not given out");
    complains(
        || frame_support::storage::unhashed::put(&Stored::<Test>::counter_storage_final_key(), &4u32),
        "the number of spaces is not the counter's",
    );
    let need = "a space is due without need, or needs a round and is not due";
    complains(|| change(DUE, |space| space.has_changed = false), need);
    complains(|| change(DUE, |space| space.activity = Activity::Resting), need);
}

#[test]
fn members() {
    complains(|| change(DUE, |space| space.spec.capacity = 2), "a space has more members than it takes");
    complains(|| change(DUE, |space| space.counting = 3), "the number of members that count is off");
    complains(
        || change_members(|members| members[1].standing = Standing::FRESH),
        "the number of members that count is off",
    );
    complains(|| change_members(|members| members.as_mut().swap(0, 2)), "members are not in the order of their tasks");
    complains(|| change_members(|members| members[1].task = 1), "members are not in the order of their tasks");
    complains(|| change_members(|members| members[1].content = content(1)), "two members have one content");
    let complaint = "members were not admitted one after the other";
    complains(|| change_members(|members| members[1].admitted = members[0].admitted), complaint);
    complains(|| change(DUE, |space| space.admitted = 2), complaint);
    complains(|| change_members(|members| members[1].weight = 101), "a member's weight is beyond the limits");
}

#[test]
fn rosters() {
    complains(|| Rosters::<Test>::remove(RUNS, 1), "a round that runs has no roster");
    complains(|| Rosters::<Test>::remove(RUNS, 0), "a round whose report is missing has no roster");
    complains(|| Rosters::<Test>::insert(DUE, 0, RosterOf::<Test>::default()), "a roster is of no use any more");
    let spoil =
        |spoil: fn(&mut RosterOf<Test>)| Rosters::<Test>::mutate(RUNS, 1, |roster| spoil(roster.as_mut().unwrap()));
    complains(|| spoil(|roster| roster.as_mut().swap(0, 1)), "a roster is not in the order of contents");
    complains(|| spoil(|roster| roster.truncate(3)), "a round has not as many entrants as its roster");
    complains(|| change(RUNS, |space| space.next_round = 3), "the round that runs is not the last one");
}

#[test]
fn history() {
    complains(|| History::<Test>::remove(RUNS, 0), "the rounds that are kept are not the last");
    let past = || History::<Test>::get(RUNS, 0).unwrap();
    complains(|| History::<Test>::insert(RUNS, 1, past()), "the rounds that are kept are not the last");
    complains(|| History::<Test>::insert(CLOSES, 0, past()), "a round is kept that is not among the last");
    complains(
        || {
            let mut state = space(RUNS).state.unwrap();
            state.reported = true;
            change(DUE, |space| space.state = Some(state));
        },
        "a state is of a round that is not over",
    );
}

#[test]
fn orphans() {
    complains(|| Members::<Test>::insert(9, Members::<Test>::get(DUE)), "members have no space");
    complains(|| Rosters::<Test>::insert(9, 0, RosterOf::<Test>::default()), "a roster has no space");
    complains(|| History::<Test>::insert(9, 0, History::<Test>::get(RUNS, 0).unwrap()), "a round has no space");
}

#[test]
fn agenda() {
    let due = 4 + CADENCE;
    complains(|| Agenda::<Test>::remove(due, DUE), "a space is due and not in the agenda");
    complains(|| Agenda::<Test>::insert(due, RUNS, ()), "the agenda names a space that is not due");
    complains(
        || change(DUE, |space| space.activity = Activity::Due(due + 1)),
        "the agenda names a space that is not due",
    );
    complains(|| NextDue::<Test>::put(due + 1), "the agenda's cursor has passed a space");
    complains(|| change(DUE, |space| space.rests_until = due + 1), "a space is due before its cadence");
}

#[test]
fn closing() {
    complains(|| Closing::<Test>::remove(CLOSES), "the spaces that are being closed are not those that are to be");
    complains(|| Closing::<Test>::insert(DUE, ()), "the spaces that are being closed are not those that are to be");
}

#[test]
fn deposits() {
    complains(|| change(DUE, |space| space.deposit += 1), "an owner's deposits are not what is held");
    let release = || Balances::release(&HoldReason::SpaceDeposit.into(), &OWNER, 1, Precision::Exact);
    let complaint = "an owner's deposits are not what is held";
    complains(|| assert_eq!(release(), Ok(1)), complaint);
}
