//! Who is a member, and who counts.

use ensemble_core::{
    spaces::{Activity, Admission, Basis, Contributors, SpaceSpec, Spaces as _, Standing},
    tasks::Content,
};
use ensemble_tensor::Kind;
use frame_support::{assert_noop, assert_ok, BoundedVec};

use crate::{mock::*, Error, Event, Refusal};

fn refusal(event: Event<Test>) -> Refusal {
    let Event::MemberRefused { refusal, .. } = event else { panic!("{event:?}") };
    refusal
}

fn table(rows: u32, cols: u32) -> Content {
    Content::Tensor { kind: Kind::I16, rows, cols }
}

#[test]
fn tasks_ask_for_what_the_space_takes() {
    on_chain(|| {
        let id = new_space(spec());
        assert_ok!(Spaces::accepts(id, &OTHER, &table(16, 4)));
        for content in [
            table(15, 4),
            table(16, 3),
            Content::Tensor { kind: Kind::I32, rows: 16, cols: 4 },
            Content::Bytes { max_len: 128 },
            Content::Bundle { max_bytes: 128 },
        ] {
            assert_noop!(Spaces::accepts(id, &OTHER, &content), Error::<Test>::WrongContent);
        }
        assert_noop!(Spaces::accepts(id + 1, &OTHER, &table(16, 4)), Error::<Test>::UnknownSpace);
        assert_ok!(retire(id));
        assert_noop!(Spaces::accepts(id, &OTHER, &table(16, 4)), Error::<Test>::SpaceRetired);
    });
}

#[test]
fn where_there_are_matrices_tasks_ask_for_bundles() {
    on_chain(|| {
        let matrices = BoundedVec::truncate_from(vec![matrix("m", 4, 4, Basis::Both)]);
        let id = new_space(SpaceSpec { matrices, ..spec() });
        // 16 * 4 and 4 * 4 numbers of two bytes, and ten names.
        let most = 128 + 32 + (1 + 10 * (1 + 63 + 32));
        assert_ok!(Spaces::accepts(id, &OTHER, &Content::Bundle { max_bytes: most }));
        assert_ok!(Spaces::accepts(id, &OTHER, &Content::Bundle { max_bytes: 160 }));
        for max_bytes in [159, most + 1] {
            assert_noop!(Spaces::accepts(id, &OTHER, &Content::Bundle { max_bytes }), Error::<Test>::WrongContent);
        }
        assert_noop!(Spaces::accepts(id, &OTHER, &table(16, 4)), Error::<Test>::WrongContent);
    });
}

#[test]
fn a_space_says_who_may_create_tasks_for_it() {
    on_chain(|| {
        let id = new_space(SpaceSpec { contributors: Contributors::Owner, ..spec() });
        assert_ok!(Spaces::accepts(id, &OWNER, &table(16, 4)));
        assert_noop!(Spaces::accepts(id, &OTHER, &table(16, 4)), Error::<Test>::NotOwner);
    });
}

#[test]
fn what_wins_a_task_becomes_a_member() {
    on_chain(|| {
        let id = new_space(spec());
        let admitted = admit_with(id, 7, 20);
        let expected = Event::MemberAdmitted { space: id, task: 7, content: content(7), weight: 20, replaced: None };
        assert_eq!(admitted, expected);
        // No more than the space's most weight.
        assert!(matches!(admit_with(id, 3, 101), Event::MemberAdmitted { weight: 100, .. }));
        admit(id, [9]);
        assert_eq!(tasks_of(id), [3, 7, 9]);
        assert_eq!(member(id, 3).weight, 100);
        assert_eq!((member(id, 7).standing, member(id, 7).last), (Standing::FRESH, None));
        assert_eq!(space(id).counting, 3);
    });
}

#[test]
fn what_is_refused_is_told_with_its_reason() {
    on_chain(|| {
        let id = new_space(SpaceSpec { least_weight: 5, ..spec() });
        assert_eq!(refusal(admit_with(id + 1, 1, 5)), Refusal::UnknownSpace);
        assert_eq!(refusal(admit_with(id, 1, 4)), Refusal::TooLight);
        admit_with(id, 1, 5);
        assert_eq!(refusal(admit_with(id, 1, 5)), Refusal::AlreadyMember);
        Spaces::admit(id, Admission { task: 2, content: content(1), weight: 5 });
        assert_eq!(refusal(last_event()), Refusal::AlreadyMember, "the content counts as much already");
        Spaces::admit(id, Admission { task: 1, content: content(2), weight: 50 });
        assert_eq!(refusal(last_event()), Refusal::AlreadyMember, "a task is won once");
        for task in 2..5 {
            admit_with(id, task, 5);
        }
        assert_eq!(refusal(admit_with(id, 5, 100)), Refusal::Full);
        assert_eq!(tasks_of(id), [1, 2, 3, 4]);
        assert_ok!(retire(id));
        assert_eq!(refusal(admit_with(id, 6, 5)), Refusal::Retired);
    });
}

#[test]
fn whoever_is_suspended_longest_makes_room() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..5);
        run_to(3);
        void(id);
        assert_ok!(suspend(id, 3));
        run_to_round(id);
        void(id);
        assert_ok!(suspend(id, 1));
        assert_eq!(member(id, 3).standing, Standing::Suspended { since: 1 });
        assert_eq!(member(id, 1).standing, Standing::Suspended { since: 2 });
        assert!(matches!(admit_with(id, 8, 1), Event::MemberAdmitted { replaced: Some(3), .. }));
        assert!(matches!(admit_with(id, 9, 1), Event::MemberAdmitted { replaced: Some(1), .. }));
        assert_eq!(refusal(admit_with(id, 10, 1)), Refusal::Full);
        assert_eq!(tasks_of(id), [2, 4, 8, 9]);
    });
}

#[test]
fn a_suspended_content_does_not_come_back_by_another_task() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        assert_ok!(suspend(id, 1));
        Spaces::admit(id, Admission { task: 9, content: content(1), weight: 50 });
        assert_eq!(refusal(last_event()), Refusal::AlreadyMember);
    });
}

#[test]
fn a_content_that_wins_again_weighs_as_much_as_by_the_heavier_task() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, [1, 2]);
        whole_round(id, |_| ACCEPTED);
        let again = |task, weight| {
            Spaces::admit(id, Admission { task, content: content(1), weight });
            last_event()
        };
        let raised = |by, weight| Event::MemberRaised { space: id, task: 1, by, content: content(1), weight };
        assert_eq!(again(7, 50), raised(7, 50));
        assert_eq!((tasks_of(id), member(id, 1).weight), (vec![1, 2], 50));
        assert_eq!(refusal(again(8, 50)), Refusal::AlreadyMember);
        assert_eq!(again(8, 101), raised(8, 100), "no more than the space's most weight");
        assert_eq!(refusal(again(9, 102)), Refusal::AlreadyMember);
        assert_eq!(member(id, 1).weight, 100);
    });
}

#[test]
fn the_owner_suspends_and_readmits() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..4);
        assert_ok!(suspend(id, 2));
        assert_eq!(last_event(), Event::MemberSuspended { space: id, task: 2, report: None });
        assert_eq!(space(id).counting, 2);
        assert_noop!(suspend(id, 2), Error::<Test>::AlreadySuspended);
        assert_ok!(readmit(id, 2));
        assert_eq!(last_event(), Event::MemberReadmitted { space: id, task: 2 });
        assert_eq!((space(id).counting, member(id, 2).standing), (3, Standing::FRESH));
        assert_noop!(readmit(id, 2), Error::<Test>::NotSuspended);
        for unknown in [0, 4] {
            assert_noop!(suspend(id, unknown), Error::<Test>::UnknownMember);
            assert_noop!(readmit(id, unknown), Error::<Test>::UnknownMember);
        }
    });
}

#[test]
fn nobody_else_suspends_or_readmits() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..4);
        let other = || RuntimeOrigin::signed(OTHER);
        assert_noop!(Spaces::suspend(other(), id, 1), Error::<Test>::NotOwner);
        assert_noop!(Spaces::readmit(other(), id, 1), Error::<Test>::NotOwner);
        assert_noop!(suspend(id + 1, 1), Error::<Test>::UnknownSpace);
        assert_noop!(readmit(id + 1, 1), Error::<Test>::UnknownSpace);
        assert_ok!(retire(id));
        assert_noop!(suspend(id, 1), Error::<Test>::SpaceRetired);
        assert_noop!(readmit(id, 1), Error::<Test>::SpaceRetired);
    });
}

#[test]
fn too_few_that_count_put_a_round_off() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        assert_eq!(activity(id), Activity::Due(2));
        assert_ok!(suspend(id, 1));
        assert_eq!(activity(id), Activity::Resting);
        run_to(5);
        assert!(Votes::get().is_empty());
        assert_ok!(readmit(id, 1));
        assert_eq!(activity(id), Activity::Due(6));
    });
}

#[test]
fn a_member_is_as_large_as_the_storage_says() {
    use codec::{Encode, MaxEncodedLen};
    on_chain(|| {
        let id = new_space(SpaceSpec { capacity: MAX_MEMBERS, most_weight: u128::MAX, ..spec() });
        for task in 0..MAX_MEMBERS {
            admit_with(id, task, u128::MAX);
        }
        whole_round(id, |_| OUTVOTED);
        let members = crate::Members::<Test>::get(id);
        assert_eq!(members.encode().len(), crate::MembersOf::<Test>::max_encoded_len());
    });
}
