//! Freeing reserved names in the background.

use frame_support::{assert_ok, weights::Weight};

use crate::{mock::*, Names, ReleaseQueue, Releases};

fn reserve(count: u32) {
    for number in 0..count {
        let id = register(ALICE, format!("removed-{number}"));
        assert_ok!(Modules::remove(signed(ALICE), id));
    }
}

fn left() -> usize {
    assert_eq!(Releases::<Test>::iter().count(), Names::<Test>::iter().count());
    Names::<Test>::iter().count()
}

#[test]
fn nothing_is_left_of_names_that_nobody_wants() {
    with_chain(|| {
        reserve(2);
        run_to(1 + NAME_DELAY);
        assert_eq!(left(), 2);
        assert_eq!(next_block_with(Weight::MAX), weight(3));
        assert_eq!(left(), 0);
        assert_eq!(next_block_with(Weight::MAX), weight(1));
    });
}

#[test]
fn a_block_frees_no_more_than_it_may_and_can() {
    with_chain(|| {
        reserve(8);
        System::set_block_number(1 + NAME_DELAY);
        assert_eq!(next_block_with(Weight::zero()), Weight::zero());
        assert_eq!(next_block_with(weight(1)), weight(1));
        assert_eq!(left(), 7);
        assert_eq!(next_block_with(weight(2)), weight(2));
        assert_eq!(left(), 5);
        assert_eq!(next_block_with(Weight::MAX), weight(MAX_RELEASES));
        assert_eq!(left(), 2);
        check_state();
    });
}

/// The queue may come late; the name is free in time, and a later owner keeps it.
#[test]
fn who_comes_before_the_queue_keeps_the_name() {
    with_chain(|| {
        reserve(1);
        System::set_block_number(1 + NAME_DELAY);
        let id = register(BOB, "removed-0");
        next_block_with(Weight::MAX);
        assert_eq!(Modules::module_by_name(b"removed-0").unwrap().id, id);
        assert_eq!(Releases::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_name_that_was_reserved_again_stays_reserved() {
    with_chain(|| {
        reserve(1);
        System::set_block_number(1 + NAME_DELAY);
        let id = register(BOB, "removed-0");
        assert_ok!(Modules::remove(signed(BOB), id));
        assert_eq!(Releases::<Test>::iter().count(), 2);
        next_block_with(Weight::MAX);
        assert_eq!(left(), 1);
        check_state();
        run_to(2 + 2 * NAME_DELAY);
        assert_eq!(left(), 0);
        let queue = ReleaseQueue::<Test>::get();
        assert_eq!((queue.first, queue.end), (2, 2));
    });
}
