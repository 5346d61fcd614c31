//! Revealing.

use ensemble_core::tasks::{Content, Descriptor, Weighting};
use ensemble_tensor::{Header, Kind};
use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, Error, Event, Leader, Participation, Participations, Tallies, Tally};

/// A task to which Alice committed the given content, in its reveal phase.
fn committed(content: Content, descriptor: &Descriptor) -> u32 {
    let id = NewTask { content, ..Default::default() }.id();
    assert_ok!(commit(ALICE, id, descriptor, BOND));
    run_to(7);
    id
}

fn leader(number: u8, weight: u128, backers: u32) -> Leader {
    Leader { content: tensor(number).id(), descriptor: tensor(number), weight, backers }
}

const TENSOR: Content = Content::Tensor { kind: Kind::I16, rows: 4, cols: 8 };

#[test]
fn is_counted_and_leads() {
    ExtBuilder::default().build_and_execute(|| {
        let id = committed(TENSOR, &tensor(1));
        assert_ok!(reveal(ALICE, id, &tensor(1)));
        assert_eq!(task(id).revealed, 1);
        assert_eq!(task(id).leader(), Some(&leader(1, 1, 1)));
        assert_eq!(Tallies::<Test>::get(id, tensor(1).id()), Tally { weight: 1, backers: 1 });
        let part = Participation::Revealed { content: tensor(1).id(), bond: BOND };
        assert_eq!(Participations::<Test>::get(id, ALICE), Some(part));
        assert_eq!(last_event(), Event::Revealed { task: id, who: ALICE, content: tensor(1).id() });
    });
}

#[test]
fn is_taken_in_the_reveal_phase_only() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        for who in [ALICE, BOB, CHARLIE] {
            assert_ok!(commit(who, id, &tensor(1), BOND));
        }
        run_to(6);
        assert_noop!(reveal(ALICE, id, &tensor(1)), Error::<Test>::NotRevealing);
        run_to(7);
        assert_ok!(reveal(ALICE, id, &tensor(1)));
        run_to(11);
        assert_ok!(reveal(BOB, id, &tensor(1)));
        run_to(12);
        assert_noop!(reveal(CHARLIE, id, &tensor(1)), Error::<Test>::NotRevealing);
        run_to(13);
        assert_noop!(reveal(CHARLIE, id, &tensor(1)), Error::<Test>::NotRevealing);
        run_to(30);
        assert_noop!(reveal(CHARLIE, id, &tensor(1)), Error::<Test>::TaskOver);
    });
}

#[test]
fn needs_the_committed_content_salt_account_and_task() {
    ExtBuilder::default().build_and_execute(|| {
        let id = committed(TENSOR, &tensor(1));
        assert_noop!(reveal(ALICE, id, &tensor(2)), Error::<Test>::WrongOpening);
        let other_salt = Tasks::reveal(RuntimeOrigin::signed(ALICE), id, tensor(1), [0; 32]);
        assert_noop!(other_salt, Error::<Test>::WrongOpening);
        assert_noop!(reveal(BOB, id, &tensor(1)), Error::<Test>::NotCommitted);
        assert_noop!(reveal(ALICE, id + 1, &tensor(1)), Error::<Test>::UnknownTask);
    });
}

#[test]
fn a_copied_commitment_opens_for_nobody_else() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        let twin = NewTask::default().id();
        let commitment = Tasks::commitment(&tensor(1).id(), &ALICE, id, &SALT);
        assert_ok!(Tasks::commit(RuntimeOrigin::signed(ALICE), id, commitment, BOND));
        assert_ok!(Tasks::commit(RuntimeOrigin::signed(BOB), id, commitment, BOND));
        assert_ok!(Tasks::commit(RuntimeOrigin::signed(ALICE), twin, commitment, BOND));
        run_to(7);
        assert_ok!(reveal(ALICE, id, &tensor(1)));
        assert_noop!(reveal(BOB, id, &tensor(1)), Error::<Test>::WrongOpening);
        assert_noop!(reveal(ALICE, twin, &tensor(1)), Error::<Test>::WrongOpening);
    });
}

#[test]
fn counts_once() {
    ExtBuilder::default().build_and_execute(|| {
        let id = committed(TENSOR, &tensor(1));
        assert_ok!(reveal(ALICE, id, &tensor(1)));
        assert_noop!(reveal(ALICE, id, &tensor(1)), Error::<Test>::AlreadyRevealed);
    });
}

#[test]
fn names_what_is_wrong_with_a_tensor() {
    ExtBuilder::default().build_and_execute(|| {
        let wrong = [
            (Kind::I32, 4, 8, Error::<Test>::WrongKind),
            (Kind::Bytes, 4, 1, Error::WrongKind),
            (Kind::I16, 5, 8, Error::WrongShape),
            (Kind::I16, 4, 9, Error::WrongShape),
            (Kind::I16, 8, 4, Error::WrongShape),
        ];
        for (kind, rows, cols, error) in wrong {
            let descriptor = Descriptor { header: Header::new(kind, rows, cols).unwrap(), root: [1; 32] };
            let id = NewTask::default().id();
            let now = System::block_number();
            assert_ok!(commit(ALICE, id, &descriptor, BOND));
            run_to(now + 6);
            assert_noop!(reveal(ALICE, id, &descriptor), error);
            run_to(now + 13);
        }
    });
}

#[test]
fn names_what_is_wrong_with_bytes_and_bundles() {
    ExtBuilder::default().build_and_execute(|| {
        let described = |kind, len| Descriptor { header: Header::new(kind, len, 1).unwrap(), root: [1; 32] };
        let wrong = [
            (Content::Bytes { max_len: 10 }, described(Kind::Bytes, 11), Error::<Test>::TooLarge),
            (Content::Bytes { max_len: 10 }, described(Kind::Bundle, 10), Error::WrongKind),
            (Content::Bundle { max_bytes: 10 }, described(Kind::Bundle, 11), Error::TooLarge),
            (Content::Bundle { max_bytes: 10 }, tensor(1), Error::WrongKind),
        ];
        for (content, descriptor, error) in wrong {
            let now = System::block_number();
            let id = NewTask { content, ..Default::default() }.id();
            assert_ok!(commit(ALICE, id, &descriptor, BOND));
            run_to(now + 6);
            assert_noop!(reveal(ALICE, id, &descriptor), error);
            run_to(now + 13);
        }
        let now = System::block_number();
        let id = NewTask { content: Content::Bytes { max_len: 10 }, ..Default::default() }.id();
        assert_ok!(commit(ALICE, id, &described(Kind::Bytes, 10), BOND));
        run_to(now + 6);
        assert_ok!(reveal(ALICE, id, &described(Kind::Bytes, 10)));
    });
}

#[test]
fn the_first_to_reach_a_weight_stays_leader() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { weighting: Weighting::Bond { cap: 2_000 }, ..Default::default() }.id();
        assert_ok!(commit(ALICE, id, &tensor(1), 1_000));
        assert_ok!(commit(BOB, id, &tensor(2), 1_000));
        assert_ok!(commit(CHARLIE, id, &tensor(2), 500));
        run_to(7);
        let leading = || task(id).leader().cloned().unwrap();
        assert_ok!(reveal(ALICE, id, &tensor(1)));
        assert_ok!(reveal(BOB, id, &tensor(2)));
        assert_eq!(leading(), leader(1, 1_000, 1));
        assert_ok!(reveal(CHARLIE, id, &tensor(2)));
        assert_eq!(leading(), leader(2, 1_500, 2));
    });
}
