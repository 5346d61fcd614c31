//! What is done when, and for how much weight.

use frame_support::{assert_ok, weights::Weight};

use crate::{
    mock::*, Agenda, Config, Error, NextDue, Outcome, Participation, Participations, State, Step, VoidReason,
    WeightInfo,
};

fn look() -> Weight {
    <Test as Config>::WeightInfo::agenda_look()
}

fn weight_of(step: Step) -> Weight {
    Tasks::step_weight(step)
}

/// A task that is won, with four participants none of which is settled.
fn won() -> u32 {
    let id = NewTask::default().id();
    contribute(id, &[(ALICE, 1), (BOB, 1), (CHARLIE, 1), (DAVE, 2)]);
    attest_all(id);
    id
}

fn unsettled(id: u32) -> u32 {
    match task(id).state {
        State::Settling { unsettled, .. } => unsettled,
        State::Open { .. } | State::Attesting { .. } => panic!("the task is not being settled"),
    }
}

#[test]
fn an_idle_block_costs_one_look() {
    ExtBuilder::default().build_and_execute(|| {
        NextDue::<Test>::put(1);
        assert_eq!(next_block_with(Weight::MAX), look());
        assert_eq!(NextDue::<Test>::get(), 2);
    });
}

#[test]
fn no_step_is_taken_that_there_is_no_room_for() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        let needed = look() + weight_of(Step::CloseReveal);
        for short in [
            Weight::zero(),
            look() - Weight::from_parts(1, 0),
            needed - Weight::from_parts(1, 0),
            needed - Weight::from_parts(0, 1),
        ] {
            next_block_with(short);
            assert!(matches!(task(id).state, State::Open { .. }));
        }
        assert_eq!(next_block_with(needed), needed);
        assert!(matches!(task(id).state, State::Attesting { .. }));
    });
}

#[test]
fn a_large_task_is_settled_over_several_blocks() {
    ExtBuilder::default().build_and_execute(|| {
        let id = won();
        let room_for_one = look() + weight_of(Step::Pay);
        for left in [3, 2, 1, 0] {
            assert_eq!(next_block_with(room_for_one), room_for_one);
            assert_eq!(unsettled(id), left);
        }
        next_block_with(look() + weight_of(Step::Finish));
        assert_all_settled();
    });
}

#[test]
fn a_long_pause_is_caught_up_with() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        for _ in 0..50 {
            next_block_with(Weight::zero());
        }
        assert_eq!(NextDue::<Test>::get(), 0);
        // Seven looks reach block 6, and the rest follows in the next block.
        next_block_with(look() * 7);
        assert_eq!(NextDue::<Test>::get(), 7);
        next_block();
        assert_eq!(void(id), Some(crate::VoidReason::NobodyCame));
        assert_all_settled();
    });
}

#[test]
fn many_tasks_due_in_one_block_are_all_done() {
    ExtBuilder::default().build_and_execute(|| {
        for creator in [CREATOR, ALICE, BOB, CHARLIE] {
            NewTask { creator, ..Default::default() }.id();
        }
        run_to(12);
        assert_eq!(crate::Tasks::<Test>::count(), 4);
        run_to(13);
        assert_all_settled();
    });
}

#[test]
fn a_stale_entry_is_dropped() {
    ExtBuilder::default().build().execute_with(|| {
        let id = NewTask::default().id();
        Agenda::<Test>::insert(3, id, ());
        Agenda::<Test>::insert(3, 77, ());
        run_checked_later(5);
        assert_eq!(Agenda::<Test>::iter_key_prefix(3).count(), 0);
        check_state();
    });
}

/// Measured in time, because nothing else shows how many keys were stepped over. What takes milliseconds if each is
/// stepped over once takes minutes if each is as often as there are others.
#[test]
fn a_crowded_block_costs_no_more_per_entry() {
    const ENTRIES: u32 = 40_000;
    let mut ext = ExtBuilder::default().build();
    ext.execute_with(|| (0..ENTRIES).for_each(|id| Agenda::<Test>::insert(1, id, ())));
    ext.commit_all().unwrap();
    ext.execute_with(|| {
        let start = std::time::Instant::now();
        Tasks::work_through_agenda(1, Weight::MAX);
        assert_eq!(Agenda::<Test>::iter().count(), 0);
        assert!(start.elapsed() < LINEAR, "{:?}", start.elapsed());
    });
}

#[test]
fn a_large_task_costs_no_more_per_participant() {
    const PARTICIPANTS: u32 = 40_000;
    let mut ext = ExtBuilder::default().build();
    let id = ext.execute_with(|| {
        let id = NewTask::default().id();
        for who in 0..PARTICIPANTS {
            let part = Participation::Revealed { content: tensor(1).id(), bond: 0 };
            Participations::<Test>::insert(id, AccountId::from(who), part);
        }
        let mut task = task(id);
        let outcome = Outcome::Void(VoidReason::NoMajority);
        task.state = State::Settling { outcome, unsettled: PARTICIPANTS };
        crate::Tasks::<Test>::insert(id, task);
        id
    });
    ext.commit_all().unwrap();
    ext.execute_with(|| {
        System::set_block_number(12);
        let start = std::time::Instant::now();
        Tasks::work_through_agenda(12, Weight::MAX);
        assert!(!crate::Tasks::<Test>::contains_key(id));
        assert!(start.elapsed() < LINEAR, "{:?}", start.elapsed());
        check_state();
    });
}

/// Many times what going through 40,000 keys takes.
const LINEAR: std::time::Duration = std::time::Duration::from_secs(10);

/// Goes on to a block while the state is not expected to be consistent.
fn run_checked_later(block: BlockNumber) {
    while System::block_number() < block {
        Tasks::work_through_agenda(System::block_number(), Weight::MAX);
        System::set_block_number(System::block_number() + 1);
    }
}

/// Tasks of this number, all of whose reveals are to be closed in this block.
fn revealed(count: u32) -> Vec<u32> {
    let ids: Vec<_> = (0..count).map(|_| NewTask { max_participants: 1, ..Default::default() }.id()).collect();
    for id in &ids {
        assert_ok!(commit(ALICE, *id, &tensor(1), BOND));
    }
    run_to(7);
    for id in &ids {
        assert_ok!(reveal(ALICE, *id, &tensor(1)));
    }
    run_to(12);
    ids
}

fn attesting(ids: &[u32]) -> usize {
    ids.iter().filter(|id| matches!(task(**id).state, State::Attesting { .. })).count()
}

#[test]
fn only_so_many_panels_begin_in_a_block() {
    ExtBuilder::default().build_and_execute(|| {
        let ids = revealed(3);
        next_block();
        assert_eq!(attesting(&ids), 2);
        next_block();
        assert_eq!(attesting(&ids), 3);
        // The last panel has no less time for that.
        let mut ends: Vec<_> = ids.iter().map(|id| task(*id).attest_until()).collect();
        ends.sort_unstable();
        assert_eq!(ends, [17, 17, 18]);
    });
}

#[test]
fn advance_begins_no_more_panels_than_the_block_may_have() {
    ExtBuilder::default().build_and_execute(|| {
        let ids = revealed(3);
        let advance = |id| Tasks::advance(RuntimeOrigin::signed(DAVE), id);
        assert_ok!(advance(ids[0]));
        assert_ok!(advance(ids[1]));
        let refused = advance(ids[2]).unwrap_err();
        assert_eq!(refused.error, Error::<Test>::TooManyPanels.into());
        assert_eq!(refused.post_info.actual_weight, Some(<Test as Config>::WeightInfo::advance(0)));
        next_block();
        assert_eq!(attesting(&ids), 2);
        assert_ok!(advance(ids[2]));
        assert_eq!(attesting(&ids), 3);
    });
}

#[test]
fn what_nothing_won_begins_no_panel_and_waits_for_none() {
    ExtBuilder::default().build_and_execute(|| {
        for _ in 0..4 {
            NewTask::default().id();
        }
        run_to(13);
        assert_all_settled();
    });
}

#[test]
fn anybody_may_advance_a_task() {
    ExtBuilder::default().build_and_execute(|| {
        let id = won();
        // Two participants per call.
        for left in [2, 0] {
            assert_ok!(Tasks::advance(RuntimeOrigin::signed(DAVE), id));
            if left > 0 {
                assert_eq!(unsettled(id), left);
            }
        }
        assert_all_settled();
        let refused = Tasks::advance(RuntimeOrigin::signed(DAVE), id).unwrap_err();
        assert_eq!(refused.error, Error::<Test>::TaskOver.into());
        assert_eq!(refused.post_info.actual_weight, Some(<Test as Config>::WeightInfo::advance(0)));
        // The blocks that follow find nothing to do.
        next_block();
    });
}

#[test]
fn advance_closes_reveals_and_attestations_when_they_are_due() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        let advance = || Tasks::advance(RuntimeOrigin::signed(DAVE), id);
        for block in [1, 6, 7] {
            run_to(block);
            assert_eq!(advance().unwrap_err().error, Error::<Test>::NothingDue.into());
        }
        run_to(11);
        assert_eq!(advance().unwrap_err().error, Error::<Test>::NothingDue.into());
        System::set_block_number(12);
        assert_ok!(advance());
        assert_eq!(void(id), Some(crate::VoidReason::NobodyCame));
        assert_all_settled();
    });
}

#[test]
fn advance_pays_back_what_it_did_not_need() {
    ExtBuilder::default().build_and_execute(|| {
        let id = won();
        let full = Tasks::advance_weight(SETTLE_PER_CALL);
        let used = Tasks::advance(RuntimeOrigin::signed(DAVE), id).unwrap().actual_weight.unwrap();
        assert_eq!(used, full);
        next_block_with(look() + weight_of(Step::Pay));
        assert_eq!(unsettled(id), 1);
        let used = Tasks::advance(RuntimeOrigin::signed(DAVE), id).unwrap().actual_weight.unwrap();
        assert_eq!(used, Tasks::advance_weight(1));
        assert!(matches!(outcome(id), Outcome::Won(_)));
    });
}

#[test]
fn the_constants_fit_each_other() {
    ExtBuilder::default().build_and_execute(Tasks::check_constants);
}
