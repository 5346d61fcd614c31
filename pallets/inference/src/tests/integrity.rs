use ensemble_core::tasks::Phases;
use frame_support::traits::Hooks;

use crate::{mock::*, Lengths};

#[test]
fn the_constants_fit_each_other() {
    <Inference as Hooks<BlockNumber>>::integrity_test();
}

#[test]
#[should_panic(expected = "leaving must take at least as long as a session")]
fn nobody_leaves_before_a_session_is_over() {
    Inference::check_lengths(&Lengths { leave: 42, ..LENGTHS });
}

#[test]
#[should_panic(expected = "leaving must take at least as long as a consent holds")]
fn nobody_leaves_and_comes_back_before_consents_expire() {
    Inference::check_lengths(&Lengths { leave: CONSENT_LENGTH - 1, ..LENGTHS });
}

#[test]
#[should_panic(expected = "everything in a session must take time")]
fn nothing_is_over_at_once() {
    Inference::check_lengths(&Lengths { votes: Phases { reveal: 0, ..LENGTHS.votes }, ..LENGTHS });
}
