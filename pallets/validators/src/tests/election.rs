//! Elections over eras.

use frame_support::assert_ok;

use crate::{mock::*, ChillReason, Event, Seat, Seats};

/// The stakes of all candidates, the first the highest.
fn all_stand() {
    for (at, who) in CANDIDATES.into_iter().enumerate() {
        stand(who, 1_000 - at as u128);
    }
}

fn seats(era: u32) -> Vec<(AccountId, Option<u32>)> {
    Seats::<Test>::get(era).into_iter().map(|seat| (seat.validator, seat.module)).collect()
}

#[test]
fn who_stands_is_elected_for_the_next_era() {
    on_chain(|| {
        stand(11, 500);
        events();
        end_sessions(1);
        assert_eq!((validators(), events()), (FOUNDERS.to_vec(), vec![]), "the last session has not begun");
        end_sessions(1);
        assert_eq!(validators(), [1, 2, 3, 4, 11]);
        assert_eq!(events(), [Event::Elected { era: 1, validators: vec![1, 2, 3, 4, 11], newcomers: 1 }]);
        assert_eq!(Session::validators(), FOUNDERS);
        end_sessions(1);
        assert_eq!(Session::validators(), [1, 2, 3, 4, 11]);
        assert_eq!(seats(0), FOUNDERS.map(|who| (who, None)));
        assert_eq!(seats(1), [(1, None), (2, None), (3, None), (4, None), (11, Some(11))]);
    });
}

#[test]
fn founders_make_room_step_by_step() {
    on_chain(|| {
        all_stand();
        let eras = [0; 4].map(|_| {
            next_era();
            validators()
        });
        assert_eq!(eras[0], [1, 2, 3, 4, 11]);
        assert_eq!(eras[1], [1, 2, 3, 4, 11, 12, 13]);
        assert_eq!(eras[2], [1, 2, 3, 4, 11, 12, 13, 14, 15, 16]);
        assert_eq!(eras[3], [11, 12, 13, 14, 15, 16, 17, 18]);
    });
}

#[test]
fn all_who_sit_stay_while_few_stand() {
    on_chain(|| {
        for who in [11, 12, 13] {
            stand(who, 500);
        }
        for _ in 0..3 {
            next_era();
        }
        assert_eq!(validators(), [1, 2, 3, 4, 11, 12, 13]);
        stand(14, 500);
        next_era();
        assert_eq!(validators(), [11, 12, 13, 14]);
        // One of them goes, and is not let go.
        assert_ok!(chill(11, 11));
        next_era();
        assert_eq!(validators(), [11, 12, 13, 14]);
        assert_eq!(seats(Validators::current_era())[0], (11, Some(11)), "the same stake answers for it");
    });
}

#[test]
fn founders_stand_like_others() {
    on_chain(|| {
        for who in FOUNDERS {
            stand(who, 500);
        }
        stand(11, 400);
        next_era();
        assert_eq!(validators(), [1, 2, 3, 4, 11]);
        assert_eq!(seats(1)[0], (1, Some(1)));
    });
}

#[test]
fn who_is_chilled_sits_to_the_end_of_the_era() {
    on_chain(|| {
        for who in [11, 12, 13, 14, 15] {
            stand(who, 500);
        }
        (0..4).for_each(|_| next_era());
        assert_eq!(validators(), [11, 12, 13, 14, 15]);
        assert_ok!(chill(15, 15));
        end_sessions(1);
        assert_eq!(Session::validators(), [11, 12, 13, 14, 15]);
        next_era();
        assert_eq!(Session::validators(), [11, 12, 13, 14]);
    });
}

#[test]
fn of_more_than_there_are_seats_the_highest_stakes_sit() {
    on_chain(|| {
        all_stand();
        for who in [21, 22, 23, 24] {
            stand(who, 500);
        }
        (0..8).for_each(|_| next_era());
        let mut sitting = validators();
        sitting.sort_unstable();
        assert_eq!(sitting, [11, 12, 13, 14, 15, 16, 17, 18, 21, 22]);
        set_stake(24, 5_000);
        next_era();
        assert!(validators().contains(&24) && !validators().contains(&22));
        assert_eq!(validators().len(), MAX_VALIDATORS as usize);
    });
}

#[test]
fn a_network_of_two_keeps_to_itself() {
    with_validators(&[1, 2], || {
        all_stand();
        next_era();
        next_era();
        assert_eq!(validators(), [1, 2]);
    });
}

#[test]
fn nobody_new_comes_while_one_of_five_is_silent() {
    on_chain(|| {
        stand(11, 500);
        next_era();
        stand(12, 400);
        end_sessions(1);
        end_sessions_without(1, &[11]);
        assert_eq!(validators(), [1, 2, 3, 4, 11], "if neither worked, finality would stop");
        next_era();
        next_era();
        assert_eq!(validators(), [1, 2, 3, 4, 11, 12]);
    });
}

#[test]
fn who_has_no_session_keys_is_passed_over_and_chilled() {
    on_chain(|| {
        all_stand();
        remove_keys(11);
        events();
        next_era();
        assert_eq!(chilled(), [(11, ChillReason::NoSessionKeys)]);
        assert_eq!(validators(), [1, 2, 3, 4, 12]);
    });
}

#[test]
fn who_sits_without_session_keys_loses_its_seat_and_keeps_nobody_out() {
    on_chain(|| {
        stand(11, 500);
        next_era();
        stand(12, 400);
        remove_keys(11);
        next_era();
        assert_eq!(validators(), [1, 2, 3, 4, 12]);
    });
}

#[test]
fn an_election_passes_over_no_more_than_it_may() {
    on_chain(|| {
        all_stand();
        [11, 12, 13].into_iter().for_each(remove_keys);
        events();
        next_era();
        let reason = ChillReason::NoSessionKeys;
        assert_eq!(chilled(), [(11, reason), (12, reason)]);
        assert_eq!(validators(), FOUNDERS, "nobody was found");
        next_era();
        assert_eq!(chilled(), [(13, reason)]);
        assert_eq!(validators(), [1, 2, 3, 4, 14]);
    });
}

#[test]
fn seats_are_forgotten_when_nothing_is_asked_of_them() {
    on_chain(|| {
        (0..20).for_each(|_| next_era());
        let mut eras: Vec<_> = Seats::<Test>::iter_keys().collect();
        eras.sort_unstable();
        assert_eq!(eras, (20 - Validators::kept_eras() + 1..=20).collect::<Vec<_>>());
        assert_eq!(Seats::<Test>::get(20)[0], Seat::new(1, None));
    });
}
