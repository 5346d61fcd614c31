//! What offences cost.

use frame_support::{assert_noop, assert_ok};
use sp_runtime::Perbill;

use crate::{mock::*, Bars, ChillReason, Error, Event, Seats};

const FIVE: [AccountId; 5] = [1, 2, 3, 4, 5];

/// Two sit with stake on their modules, beside the founders.
fn with_stakers(test: impl FnOnce()) {
    with_validators(&[1, 2, 3, 4, 5], || {
        stand(11, 10_000);
        stand(12, 10_000);
        next_era();
        assert_eq!(Session::validators(), [1, 2, 3, 4, 5, 11, 12]);
        events();
        test();
    });
}

fn slashed() -> Vec<(AccountId, u128)> {
    let slashed = events().into_iter().filter_map(|event| match event {
        Event::Slashed { validator, amount, .. } => Some((validator, amount)),
        _ => None,
    });
    slashed.collect()
}

#[test]
fn an_offender_is_disabled_as_long_as_it_sits_and_leaves_the_sessions_to_come() {
    with_validators(&FIVE, || {
        end_sessions(1);
        offend(2, 100);
        assert_eq!(disabled(), [2]);
        let session = Session::current_index();
        assert_eq!(
            events()[..],
            [Event::Barred { validator: 2, until: CHILL_PERIOD + 1 }, Event::Excluded { validator: 2, session },]
        );
        end_sessions(1);
        assert_eq!((Session::validators(), disabled()), (FIVE.to_vec(), vec![2]), "it was planned before");
        end_sessions(1);
        assert_eq!((Session::validators(), disabled()), (vec![1, 3, 4, 5], vec![]));
    });
}

#[test]
fn the_stake_that_answers_for_an_offender_is_slashed() {
    with_stakers(|| {
        offend(11, 40);
        let (validator, module, session) = (11, 11, 3);
        let part = Perbill::from_percent(40);
        assert_eq!(
            events(),
            [
                Event::Chilled { module, validator, reason: ChillReason::Offence },
                Event::Barred { validator, until: 1 + CHILL_PERIOD + 1 },
                Event::Slashed { validator, module, session, part, amount: 4_000 },
                Event::Excluded { validator, session },
            ]
        );
        assert_eq!((staked(11), staked(12), validators()), (6_000, 10_000, vec![1, 2, 3, 4, 5, 12]));
    });
}

#[test]
fn of_all_offences_of_an_era_the_largest_counts() {
    with_stakers(|| {
        offend(11, 40);
        offend(11, 30);
        offend(11, 40);
        assert_eq!(slashed(), [(11, 4_000)]);
        offend(11, 50);
        assert_eq!((slashed(), staked(11)), (vec![(11, 1_000)], 5_000));
        offend(11, 100);
        assert_eq!((slashed(), staked(11)), (vec![(11, 5_000)], 0));
        assert_eq!(Seats::<Test>::get(1)[5].slashed, Perbill::one());
    });
}

#[test]
fn a_second_report_of_the_same_changes_nothing() {
    with_stakers(|| {
        offend(11, 40);
        end_sessions(2);
        events();
        let before = (validators(), disabled(), staked(11));
        offend_in(3, &[(11, 40)]);
        assert!(events().is_empty());
        assert_eq!((validators(), disabled(), staked(11)), before);
    });
}

#[test]
fn offenders_of_one_moment_answer_for_each_other() {
    with_stakers(|| {
        offend_in(3, &[(11, 10)]);
        // The second makes the offence of the first worse.
        offend_in(3, &[(11, 20), (12, 20)]);
        assert_eq!(slashed(), [(11, 1_000), (11, 1_000), (12, 2_000)]);
        assert_eq!(validators(), FIVE);
    });
}

#[test]
fn an_offence_that_is_proved_late_costs_what_answered_for_it_then() {
    with_stakers(|| {
        for who in FOUNDERS {
            stand(who, 500);
        }
        assert_ok!(chill(11, 11));
        transfer(11, 99);
        end_sessions(3);
        let validators_before = validators();
        assert!(!validators_before.contains(&11));
        events();
        offend_in(4, &[(11, 50)]);
        let until = Validators::current_era() + CHILL_PERIOD + 1;
        assert_eq!(
            events(),
            [
                Event::Barred { validator: 11, until },
                Event::Slashed {
                    validator: 11,
                    module: 11,
                    session: 4,
                    part: Perbill::from_percent(50),
                    amount: 5_000
                },
            ]
        );
        assert_eq!(validators(), validators_before);
    });
}

#[test]
fn a_module_that_went_to_others_stands_for_them() {
    with_stakers(|| {
        transfer(11, 14);
        set_keys(14);
        assert_ok!(try_stand(14, 11));
        offend(11, 10);
        assert_eq!(ranking(), [12, 14], "it lost a tenth, and nothing else");
    });
}

#[test]
fn founders_have_no_stake_to_lose() {
    with_validators(&FIVE, || {
        offend(1, 100);
        assert!(slashed().is_empty());
        assert_eq!(validators(), [2, 3, 4, 5]);
    });
}

#[test]
fn the_last_validators_are_retained() {
    on_chain(|| {
        end_sessions(1);
        offend(1, 100);
        assert_eq!(events()[1], Event::Retained { validator: 1, session: 1 });
        assert_eq!((validators(), disabled()), (FOUNDERS.to_vec(), vec![1]));
        end_sessions(1);
        assert_eq!(disabled(), [0; 0], "it is needed");
    });
}

#[test]
fn nobody_is_punished_for_what_nobody_knows_any_more() {
    with_stakers(|| {
        offend_in(3, &[(99, 100)]);
        offend_in(1_000, &[(11, 100)]);
        assert_eq!(events(), [Event::Excluded { validator: 11, session: 1_000 }], "that was before the upgrade");
        assert_eq!(staked(11), 10_000);
    });
}

#[test]
fn an_offender_stands_again_when_its_time_has_come_and_then_nothing_recalls_it() {
    with_stakers(|| {
        offend(11, 10);
        let until = 1 + CHILL_PERIOD + 1;
        assert_eq!(Validators::barred_until(&11), Some(until));
        while Validators::current_era() < until {
            assert_noop!(try_stand(11, 11), Error::<Test>::Barred);
            end_sessions(1);
        }
        assert_eq!(Validators::barred_until(&11), None);
        assert_ok!(try_stand(11, 11));
        while Seats::<Test>::contains_key(1) {
            end_sessions(1);
        }
        assert_eq!(Bars::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_bar_outlives_the_offence_before_the_last() {
    with_stakers(|| {
        offend(11, 10);
        while Validators::current_era() < 1 + CHILL_PERIOD + 1 {
            end_sessions(1);
        }
        assert_ok!(try_stand(11, 11));
        next_era();
        let era = Validators::current_era();
        assert!(Session::validators().contains(&11));
        offend(11, 10);
        while Seats::<Test>::contains_key(1) {
            end_sessions(1);
        }
        assert_eq!(Bars::<Test>::get(11), Some(era + CHILL_PERIOD + 1));
        while Seats::<Test>::contains_key(era) {
            end_sessions(1);
        }
        assert_eq!(Bars::<Test>::get(11), None);
    });
}

#[test]
fn reports_come_through_pallet_offences_once() {
    use crate::Silence;
    use sp_staking::offence::{OffenceError, ReportOffence};

    with_stakers(|| {
        let silence = || Silence { session: 3, validators: 7, offenders: vec![(11, ())] };
        assert_eq!(Offences::report_offence(vec![], silence()), Ok(()));
        assert_eq!(Offences::report_offence(vec![], silence()), Err(OffenceError::DuplicateReport));
        assert_eq!(slashed(), [(11, 10)]);
    });
}
