//! What winners are granted, and how that ends.

use ensemble_core::exchange::Audience;
use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, Books, Entry, Error, Event, Line};

#[test]
fn a_winner_is_granted_what_others_won() {
    execute(|| {
        settle(0, &[ALICE], EXCHANGED);
        settle(1, &[ALICE, BOB], EXCHANGED);
        settle(2, &[EVE], EXCHANGED);
        // Alice won both of the tasks before; the first one was all that there was for Bob.
        assert!(granted(ALICE).is_empty());
        assert_eq!(granted(BOB), [0]);
        // The second one was not handed on yet.
        assert_eq!(granted(EVE), [1, 0]);
        let granted = |who, task, victory| Event::Granted { who, task, victory, until: 1 + LIFETIME, ended: None };
        assert_eq!(
            events(),
            [
                Event::Joined { task: 0, left: None },
                granted(BOB, 0, 1),
                Event::Joined { task: 1, left: None },
                granted(EVE, 1, 2),
                granted(EVE, 0, 2),
                Event::Joined { task: 2, left: None },
            ]
        );
    });
}

#[test]
fn nobody_is_granted_its_own_even_after_many_victories() {
    execute(|| {
        for task in 0..100 {
            settle(task, &[ALICE], EXCHANGED);
        }
        assert!(granted(ALICE).is_empty());
        settle(100, &[BOB], EXCHANGED);
        settle(101, &[ALICE], EXCHANGED);
        assert_eq!(granted(ALICE), [100]);
    });
}

#[test]
fn its_own_is_not_granted_while_other_winners_are_still_being_settled() {
    execute(|| {
        settle(0, &[BOB], EXCHANGED);
        // Alice is settled as a winner of both tasks before either joins the line.
        for task in [1, 2] {
            world(|world| world.won.insert(task, world.won[&0]));
            <Exchange as ensemble_core::exchange::Exchange<_>>::on_winner(task, &ALICE, EXCHANGED);
        }
        settle(2, &[], EXCHANGED);
        settle(1, &[], EXCHANGED);
        settle(3, &[ALICE], EXCHANGED);
        assert_eq!(granted(ALICE), [0]);
    });
}

#[test]
fn nothing_is_granted_twice() {
    execute(|| {
        for task in 0..3 {
            settle(task, &[BOB], EXCHANGED);
        }
        settle(3, &[ALICE], EXCHANGED);
        settle(4, &[ALICE], EXCHANGED);
        settle(5, &[ALICE], EXCHANGED);
        assert_eq!(granted(ALICE), [0, 1, 2]);
    });
}

#[test]
fn what_is_not_exchanged_is_neither_given_nor_received() {
    execute(|| {
        settle(0, &[BOB], CLOSED);
        settle(1, &[BOB], EXCHANGED);
        settle(2, &[ALICE], CLOSED);
        assert_eq!((granted(ALICE), Books::<Test>::get(ALICE)), (vec![], None));
        settle(3, &[ALICE], EXCHANGED);
        assert_eq!(granted(ALICE), [1]);
    });
}

#[test]
fn what_is_public_is_not_granted_though_its_winners_are_granted_what_others_won() {
    execute(|| {
        settle(0, &[BOB], Audience::Public);
        assert_eq!((Line::<Test>::get().len(), events()), (0, vec![]));
        settle(1, &[BOB], EXCHANGED);
        settle(2, &[ALICE], Audience::Public);
        assert_eq!(granted(ALICE), [1]);
    });
}

#[test]
fn of_each_creator_the_newest_stands_in_the_line() {
    execute(|| {
        settle(0, &[BOB], EXCHANGED);
        for task in 1..100 {
            settle_by(EVE, task, &[EVE], EXCHANGED);
        }
        let line: Vec<_> = Line::<Test>::get().iter().map(|entry| entry.task).collect();
        assert_eq!(line, [0, 99]);
        assert_eq!(events().pop(), Some(Event::Joined { task: 99, left: Some(98) }));
    });
}

#[test]
fn who_creates_many_tasks_does_not_go_first() {
    execute(|| {
        settle_by(EVE, 0, &[], EXCHANGED);
        settle(1, &[], EXCHANGED);
        for winner in 0..4 {
            // Two go to each, and there are no others: both are handed on equally often, whatever is newer.
            settle_by(EVE, 10 + winner, &[u64::from(winner)], EXCHANGED);
            let handed: Vec<_> = Line::<Test>::get().iter().map(|entry| entry.handed).collect();
            assert_eq!(handed, [winner + 1; 2]);
        }
    });
}

#[test]
fn the_line_keeps_the_latest() {
    execute(|| {
        for task in 0..RECENT {
            settle(task, &[BOB], EXCHANGED);
        }
        settle(RECENT, &[BOB], EXCHANGED);
        let line = Line::<Test>::get();
        assert_eq!(line.len(), RECENT as usize);
        assert_eq!(line.first(), Some(&Entry { task: 1, creator: 1_000_001, handed: 0 }));
        assert_eq!(events().pop(), Some(Event::Joined { task: RECENT, left: Some(0) }));
    });
}

#[test]
fn a_grant_ends_with_its_time() {
    execute(|| {
        settle(0, &[BOB], EXCHANGED);
        settle(1, &[ALICE], EXCHANGED);
        System::set_block_number(1 + LIFETIME);
        assert_eq!(granted(ALICE), [0]);
        System::set_block_number(2 + LIFETIME);
        assert!(granted(ALICE).is_empty());
        // What has ended may be granted again.
        settle(2, &[ALICE], EXCHANGED);
        assert_eq!(granted(ALICE), [0]);
    });
}

#[test]
fn the_oldest_grant_makes_room_for_a_new_one() {
    execute(|| {
        for task in 0..MAX_GRANTS + 2 {
            settle(task, &[BOB], EXCHANGED);
        }
        for task in 100..100 + MAX_GRANTS / 2 {
            settle(task, &[ALICE], CLOSED);
            settle(task, &[ALICE], EXCHANGED);
        }
        let held: Vec<_> = (0..MAX_GRANTS).collect();
        assert_eq!(granted(ALICE), held);
        settle(200, &[ALICE], EXCHANGED);
        assert_eq!(granted(ALICE), (2..MAX_GRANTS + 2).collect::<Vec<_>>());
        let ended = |event| match event {
            Event::Granted { ended, .. } => ended,
            _ => None,
        };
        assert_eq!(events().into_iter().filter_map(ended).collect::<Vec<_>>(), [0, 1]);
    });
}

#[test]
fn anybody_clears_what_is_over() {
    execute(|| {
        settle(0, &[BOB], EXCHANGED);
        settle(1, &[ALICE], EXCHANGED);
        let clear = || Exchange::clear(RuntimeOrigin::signed(EVE), ALICE);
        assert_noop!(clear(), Error::<Test>::NothingToClear);
        System::set_block_number(2 + LIFETIME);
        // The victory stays in the book as long as what won it stands in the line.
        assert_ok!(clear());
        assert_eq!(events().pop(), Some(Event::Cleared { who: ALICE, grants: 1, victories: 0 }));
        assert_noop!(clear(), Error::<Test>::NothingToClear);
        for task in 2..2 + RECENT {
            settle(task, &[BOB], EXCHANGED);
        }
        assert_ok!(clear());
        assert_eq!(events().pop(), Some(Event::Cleared { who: ALICE, grants: 0, victories: 1 }));
        assert_eq!(Books::<Test>::get(ALICE), None);
        assert_noop!(clear(), Error::<Test>::NothingToClear);
        assert_noop!(Exchange::clear(RuntimeOrigin::none(), ALICE), sp_runtime::DispatchError::BadOrigin);
    });
}

#[test]
fn clearing_cannot_make_an_account_forget_what_it_is_about_to_have_won() {
    execute(|| {
        settle(0, &[BOB], EXCHANGED);
        world(|world| world.won.insert(1, world.won[&0]));
        <Exchange as ensemble_core::exchange::Exchange<_>>::on_winner(1, &ALICE, EXCHANGED);
        System::set_block_number(1 + SETTLING);
        assert_noop!(Exchange::clear(RuntimeOrigin::signed(EVE), ALICE), Error::<Test>::NothingToClear);
        settle(1, &[], EXCHANGED);
        settle(2, &[ALICE], EXCHANGED);
        assert_eq!(granted(ALICE), [0]);
    });
}
