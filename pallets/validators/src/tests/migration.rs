//! The migration from version 0, which knew a set of validators and nothing else.

use codec::Encode;
use frame_support::{
    migrations::VersionedPostUpgradeData,
    traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion},
};

use crate::{migrations::V1, mock::*, Attendances, Pallet, Seat, Seats, SessionsPerEra};

/// Runs a test on a chain as version 0 left it, in this session.
fn on_version_0(session: u32, test: impl FnOnce()) {
    new_chain().execute_with(|| {
        end_sessions(session);
        let _ = Seats::<Test>::clear(u32::MAX, None);
        Attendances::<Test>::kill();
        SessionsPerEra::<Test>::kill();
        StorageVersion::new(0).put::<Pallet<Test>>();
        test();
        check_state();
    });
}

fn upgrade() {
    let before = V1::<Test>::pre_upgrade().unwrap();
    V1::<Test>::on_runtime_upgrade();
    V1::<Test>::post_upgrade(before).unwrap();
}

#[test]
fn gives_those_who_validate_the_seats_of_the_era() {
    on_version_0(8, || {
        assert!(Pallet::<Test>::do_try_state().is_err());
        upgrade();
        assert_eq!(Pallet::<Test>::on_chain_storage_version(), 1);
        assert_eq!(SessionsPerEra::<Test>::get(), 6);
        assert_eq!(Seats::<Test>::iter_keys().collect::<Vec<_>>(), [1]);
        assert_eq!(Seats::<Test>::get(1).into_inner(), FOUNDERS.map(|who| Seat::new(who, None)));
        // Those who were there are trusted, so that one more is elected at once.
        stand(11, 500);
        end_sessions(4);
        assert_eq!(Session::validators(), [1, 2, 3, 4, 11]);
    });
}

#[test]
fn gives_them_the_next_eras_too_when_it_is_planned_already() {
    on_version_0(11, || {
        upgrade();
        let mut eras: Vec<_> = Seats::<Test>::iter_keys().collect();
        eras.sort_unstable();
        assert_eq!(eras, [1, 2]);
        end_sessions(10);
    });
}

#[test]
fn is_done_once() {
    on_version_0(8, || {
        upgrade();
        stand(11, 500);
        end_sessions(4);
        let seats = Seats::<Test>::get(2);
        upgrade();
        assert_eq!(Seats::<Test>::get(2), seats);
        assert_eq!(V1::<Test>::pre_upgrade(), Ok(VersionedPostUpgradeData::Noop.encode()));
    });
}

#[test]
fn sees_what_it_spoiled() {
    on_version_0(8, || {
        let before = V1::<Test>::pre_upgrade().unwrap();
        V1::<Test>::on_runtime_upgrade();
        let kept = crate::Validators::<Test>::take();
        assert!(V1::<Test>::post_upgrade(before).is_err());
        crate::Validators::<Test>::put(kept);
    });
}
