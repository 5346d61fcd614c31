//! What outsiders may ask.

use ensemble_core::{
    exchange::Audience,
    tasks::{Duty, Obligation, Phase, PurposeView},
};
use frame_support::assert_ok;

use crate::mock::*;

#[test]
fn a_task_is_shown_in_every_phase() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { access: committee(&[BOB, ALICE]), max_participants: 2, ..Default::default() }.id();
        let view = || Tasks::task_view(id).unwrap();
        assert_eq!((view().id, view().phase), (id, Phase::Commit));
        assert_eq!((view().commit_until, view().reveal_until, view().attest_until), (6, 11, 16));
        let PurposeView::Contribution { creator, audience, space, terms: shown, committee, .. } = view().purpose else {
            panic!("it is no vote");
        };
        assert_eq!((creator, audience, space, shown), (CREATOR, Audience::Public, None, terms()));
        assert_eq!(committee, Some(vec![ALICE, BOB]));
        assert_ok!(commit(ALICE, id, &tensor(1), BOND));
        assert_ok!(commit(BOB, id, &tensor(1), BOND));
        run_to(7);
        assert_eq!((view().phase, view().committed, view().leader), (Phase::Reveal, 2, None));
        assert_ok!(reveal(ALICE, id, &tensor(1)));
        assert_ok!(reveal(BOB, id, &tensor(1)));
        assert_eq!((view().revealed, view().leader, view().attested), (2, Some(tensor(1).id()), (0, 0)));
        run_to(13);
        assert_eq!((view().phase, view().attest_until, view().attested), (Phase::Attest, 17, (0, 2)));
        for attester in drawn(id).into_iter().take(2) {
            let content = tensor(1).id();
            assert_eq!(attest(crate::Attestation { task: id, content, attester }), Ok(()));
        }
        assert_eq!((view().phase, view().leader), (Phase::Settle, Some(tensor(1).id())));
        next_block();
        assert_eq!(Tasks::task_view(id), None);
    });
}

#[test]
fn open_tasks_come_in_order_and_in_pages() {
    ExtBuilder::default().build_and_execute(|| {
        for _ in 0..4 {
            NewTask::default().id();
        }
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(CREATOR), 1));
        let ids = |first, limit| Tasks::open_tasks(first, limit).iter().map(|view| view.id).collect::<Vec<_>>();
        assert_eq!(ids(0, 100), [0, 2, 3]);
        assert_eq!(ids(0, 2), [0, 2]);
        assert_eq!(ids(3, u32::MAX), [3]);
        assert_eq!(ids(4, 1), Vec::<u32>::new());
        assert_eq!(ids(0, 0), Vec::<u32>::new());
    });
}

#[test]
fn an_account_sees_what_it_has_to_do() {
    ExtBuilder::default().build_and_execute(|| {
        let open =
            NewTask { phases: ensemble_core::tasks::Phases { commit: 5, reveal: 5, attest: 50 }, ..Default::default() }
                .id();
        let closed = NewTask { access: committee(&[ALICE]), max_participants: 1, ..Default::default() }.id();
        let of = |who| Tasks::obligations(who, 0, 100);
        let commit_to = |task| Obligation { task, duty: Duty::Commit, until: 6, bond: 0 };
        let in_task = |task, duty, until| Obligation { task, duty, until, bond: BOND };
        assert_eq!(of(ALICE), [commit_to(closed)]);
        assert_eq!(of(BOB), []);
        assert_ok!(commit(ALICE, open, &tensor(1), BOND));
        assert_eq!(of(ALICE), [in_task(open, Duty::Reveal, 11), commit_to(closed)]);
        assert_eq!(Tasks::obligations(ALICE, closed, 100), [commit_to(closed)]);
        assert_eq!(Tasks::obligations(ALICE, 0, 1).len(), 1);
        run_to(7);
        assert_ok!(reveal(ALICE, open, &tensor(1)));
        assert_eq!(of(ALICE), [in_task(open, Duty::Wait, 61)]);
        run_to(13);
        assert_eq!(of(ALICE), [in_task(open, Duty::Wait, 62)]);
    });
}

#[test]
fn whoever_did_not_reveal_can_only_wait() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        assert_ok!(commit(ALICE, id, &tensor(1), BOND));
        run_to(12);
        let wait = Obligation { task: id, duty: Duty::Wait, until: 16, bond: BOND };
        assert_eq!(Tasks::obligations(ALICE, 0, 100), [wait]);
    });
}
