//! Sessions, and what genesis sets.

use frame_support::{assert_ok, traits::Get};
use pallet_session::historical::HistoricalSessions;
use sp_runtime::BuildStorage;

use crate::{mock::*, GenesisConfig, SessionLengthOf, SessionsPerEra};

#[test]
fn the_genesis_set_validates_every_session_and_each_session_has_a_root() {
    on_chain(|| {
        for _ in 0..4 {
            end_sessions(1);
            assert_eq!(Session::validators(), FOUNDERS);
            assert!(HistoricalSessions::<Test>::contains_key(Session::current_index()));
        }
    });
}

#[test]
fn the_lengths_are_those_of_genesis() {
    on_chain(|| {
        assert_eq!(SessionLengthOf::<Test>::get(), 7);
        assert_eq!(SessionsPerEra::<Test>::get(), SESSIONS_PER_ERA);
        assert_eq!([0, 2, 3, 5, 6].map(Validators::era_of), [0, 0, 1, 1, 2]);
    });
}

#[test]
fn lengths_that_genesis_does_not_name_are_an_hour_and_six_sessions() {
    let storage = GenesisConfig::<Test>::default().build_storage().unwrap();
    sp_io::TestExternalities::new(storage).execute_with(|| {
        assert_eq!((SessionLengthOf::<Test>::get(), SessionsPerEra::<Test>::get()), (1_200, 6));
    });
}

#[test]
#[should_panic(expected = "more validators than MaxValidators")]
fn a_genesis_with_too_many_validators_is_refused() {
    with_validators(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99], || ());
}

#[test]
#[should_panic(expected = "a session of no slots never ends")]
fn a_genesis_with_sessions_of_no_length_is_refused() {
    let _ = GenesisConfig::<Test> { session_length: Some(0), ..Default::default() }.build_storage();
}

#[test]
#[should_panic(expected = "an era has at least one session")]
fn a_genesis_with_eras_of_no_length_is_refused() {
    let _ = GenesisConfig::<Test> { sessions_per_era: Some(0), ..Default::default() }.build_storage();
}

#[test]
fn a_validator_that_removes_its_keys_is_left_out_and_breaks_nothing() {
    on_chain(|| {
        assert_ok!(Session::purge_keys(RuntimeOrigin::signed(2)));
        end_sessions(1);
        assert_eq!((Session::validators(), validators()), (FOUNDERS.to_vec(), FOUNDERS.to_vec()));
        end_sessions(1);
        // The election of the next era, which was just now, forgets it.
        assert_eq!((Session::validators(), validators()), (vec![1, 3, 4], vec![1, 3, 4]));
    });
}

#[test]
fn roots_are_forgotten_when_nothing_can_be_proved_with_them() {
    on_chain(|| {
        end_sessions(3 * REPORTABLE_SESSIONS);
        let session = Session::current_index();
        let kept: Vec<_> =
            (0..=session + 1).filter(|session| HistoricalSessions::<Test>::contains_key(session)).collect();
        assert_eq!(kept, (session - REPORTABLE_SESSIONS..=session + 1).collect::<Vec<_>>());
    });
}

#[test]
fn roots_that_an_older_runtime_kept_are_forgotten_two_at_a_time() {
    on_chain(|| {
        end_sessions(9);
        let first = 9 - REPORTABLE_SESSIONS;
        // As if two more had been kept.
        let root = HistoricalSessions::<Test>::get(first).unwrap();
        pallet_session::historical::StoredRange::<Test>::put((first - 3, 11));
        (first - 3..first).for_each(|session| HistoricalSessions::<Test>::insert(session, root));
        let oldest = || (0..20).find(|session| HistoricalSessions::<Test>::contains_key(session)).unwrap();
        end_sessions(1);
        assert_eq!(oldest(), first - 1);
        end_sessions(1);
        assert_eq!(oldest(), first + 1);
        end_sessions(1);
        assert_eq!(oldest(), 12 - REPORTABLE_SESSIONS);
    });
}

#[test]
fn what_hooks_take_is_charged() {
    on_chain(|| {
        let charged = || System::block_weight().get(frame_support::dispatch::DispatchClass::Mandatory).ref_time();
        let before = charged();
        end_sessions(1);
        // Four authored ten blocks each; four sat in the session that ended and sit in the one that began.
        assert_eq!(charged() - before, 40 + 41 + 41);
        let before = charged();
        end_sessions(1);
        assert_eq!(charged() - before, 40 + 41 + 41 + 41, "and four were elected");
        let before = charged();
        offend_in(1, &[(1, 1), (2, 1)]);
        assert_eq!(charged() - before, 2);
    });
}
