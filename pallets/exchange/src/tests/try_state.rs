//! The checks of the state find what is wrong.

use crate::{mock::*, Book, Books, CurrentParameters, Entry, Grant, Line};

fn says(expected: &str) {
    let error = Exchange::do_try_state().unwrap_err();
    assert!(format!("{error:?}").contains(expected), "{error:?}");
}

fn grant(task: u32) -> Grant<BlockNumber> {
    Grant { task, since: 1, until: 2 }
}

#[test]
fn they_find_what_is_wrong() {
    new_test_ext().execute_with(|| {
        settle(0, &[BOB], EXCHANGED);
        settle(1, &[ALICE], EXCHANGED);
        settle(2, &[BOB], ensemble_core::exchange::Audience::Public);
        check_state();

        let line = Line::<Test>::get();
        for (task, creator, expected) in [
            (0, 7, "a contribution stands in the line twice"),
            (1, line[0].creator, "a creator stands in the line twice"),
            (9, 7, "did not win"),
            (2, 7, "is not to be granted"),
        ] {
            let mut line = line.clone();
            line.retain(|entry| entry.task != 1);
            line.try_push(Entry { task, creator, handed: 0 }).unwrap();
            Line::<Test>::put(line);
            says(expected);
        }
        Line::<Test>::put(&line);

        let book = Books::<Test>::get(ALICE).unwrap();
        Books::<Test>::insert(BOB, Book::default());
        says("an empty book");
        Books::<Test>::remove(BOB);
        for (wrong, expected) in [
            (grant(0), "granted something twice"),
            (grant(1), "granted its own"),
            (grant(9), "what was granted did not win"),
            (Grant { since: 2, ..grant(5) }, "in the future"),
            (Grant { until: 0, ..grant(5) }, "ended before"),
        ] {
            Books::<Test>::mutate(ALICE, |book| book.as_mut().unwrap().grants.try_push(wrong).unwrap());
            says(expected);
            Books::<Test>::insert(ALICE, &book);
        }
        CurrentParameters::<Test>::mutate(|parameters| parameters.recent = RECENT + 1);
        says("more contributions are recent");
    });
}
