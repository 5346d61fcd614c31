//! The set over sessions and offences.

use frame_support::{
    assert_ok,
    traits::{Get, OnInitialize},
};
use pallet_session::historical::HistoricalSessions;
use sp_runtime::Perbill;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

use crate::{mock::*, Event, SessionLengthOf};

fn advance_sessions(count: u64) {
    for _ in 0..count * 5 {
        let block = System::block_number() + 1;
        System::set_block_number(block);
        Session::on_initialize(block);
    }
}

fn offend(validator: u64) {
    let details = OffenceDetails { offender: (validator, ()), reporters: vec![] };
    Validators::on_offence(&[details], &[Perbill::one()], Session::current_index());
}

#[test]
fn the_genesis_set_validates_every_session_and_each_session_has_a_root() {
    with_validators(&[1, 2, 3, 4], || {
        for _ in 0..4 {
            advance_sessions(1);
            assert_eq!(pallet_session::Validators::<Test>::get(), vec![1, 2, 3, 4]);
            assert!(HistoricalSessions::<Test>::contains_key(Session::current_index()));
        }
    });
}

#[test]
fn the_session_length_is_the_one_of_genesis() {
    with_validators(&[1, 2], || assert_eq!(SessionLengthOf::<Test>::get(), 7));
}

#[test]
fn an_offender_is_disabled_at_once_and_excluded_from_later_sessions() {
    with_validators(&[1, 2, 3, 4], || {
        advance_sessions(1);
        offend(2);
        assert_eq!(Session::disabled_validators(), vec![1]);
        let session = Session::current_index();
        System::assert_last_event(Event::Excluded { validator: 2, session }.into());

        advance_sessions(2);
        assert_eq!(pallet_session::Validators::<Test>::get(), vec![1, 3, 4]);
    });
}

#[test]
fn a_second_report_of_the_same_offender_changes_nothing() {
    with_validators(&[1, 2, 3, 4], || {
        offend(2);
        let after_first = crate::Validators::<Test>::get();
        offend(2);
        assert_eq!(crate::Validators::<Test>::get(), after_first);
    });
}

#[test]
fn a_validator_that_removes_its_keys_is_left_out_and_breaks_nothing() {
    with_validators(&[1, 2, 3], || {
        assert_ok!(Session::purge_keys(RuntimeOrigin::signed(2)));
        advance_sessions(2);
        assert_eq!(pallet_session::Validators::<Test>::get(), vec![1, 3]);
        assert_eq!(crate::Validators::<Test>::get().into_inner(), vec![1, 2, 3]);
    });
}

#[test]
fn the_last_validators_are_retained() {
    with_validators(&[1, 2], || {
        offend(1);
        let session = Session::current_index();
        System::assert_last_event(Event::Retained { validator: 1, session }.into());
        assert_eq!(crate::Validators::<Test>::get().into_inner(), vec![1, 2]);
    });
}

#[test]
#[should_panic(expected = "more validators than MaxValidators")]
fn a_genesis_with_too_many_validators_is_refused() {
    with_validators(&[1, 2, 3, 4, 5, 6, 7, 8, 9], || ());
}
