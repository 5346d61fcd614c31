//! Who authors no blocks.

use sp_runtime::Perbill;
use sp_staking::offence::Offence;

use crate::{mock::*, Attendances, ChillReason, Event, Silence};

/// What is known of a validator's silence: whole sessions, and its share of their blocks in thousandths.
fn silence(who: AccountId) -> (u32, u32) {
    let entry = Attendances::<Test>::get().into_iter().find(|entry| entry.validator == who).unwrap();
    (entry.silent_sessions, entry.share)
}

fn reported() -> Vec<(AccountId, u32)> {
    let silent = events().into_iter().filter_map(|event| match event {
        Event::Silent { validator, sessions, .. } => Some((validator, sessions)),
        _ => None,
    });
    silent.collect()
}

/// A fifth validator sits, with this stake on its module.
fn with_a_fifth(stake: u128, test: impl FnOnce()) {
    on_chain(|| {
        stand(11, stake);
        next_era();
        assert_eq!(Session::validators(), [1, 2, 3, 4, 11]);
        events();
        test();
    });
}

#[test]
fn is_slashed_chilled_and_replaced() {
    with_a_fifth(10_000, || {
        stand(12, 500);
        events();
        end_sessions_without(1, &[11]);
        assert_eq!((silence(11), silence(1), events()), ((1, 8_000), (0, 0), vec![]));
        end_sessions_without(1, &[11]);
        let (validator, module, session) = (11, 11, 4);
        let part = Perbill::from_perthousand(1);
        assert_eq!(
            events(),
            [
                Event::Silent { validator, session, sessions: 2 },
                Event::Chilled { module, validator, reason: ChillReason::Offence },
                Event::Barred { validator, until: 1 + CHILL_PERIOD + 1 },
                Event::Slashed { validator, module, session, part, amount: 10 },
                Event::Excluded { validator, session },
                Event::Elected { era: 2, validators: vec![1, 2, 3, 4, 12], newcomers: 1 },
            ]
        );
        // It was planned for the session that begins, and leaves after it.
        assert_eq!((Session::validators(), disabled()), (vec![1, 2, 3, 4, 11], vec![11]));
        end_sessions_without(1, &[11]);
        assert_eq!((Session::validators(), disabled()), (vec![1, 2, 3, 4, 12], vec![]));
        assert!(reported().is_empty(), "who left is not reported again");
    });
}

#[test]
fn is_not_one_session_however_long() {
    with_a_fifth(500, || {
        end_session_with(|who| if who == 11 { 0 } else { 1_000 });
        assert!(reported().is_empty());
        end_session_with(|who| u32::from(who != 11));
        assert_eq!(reported(), [(11, 2)]);
    });
}

#[test]
fn is_not_what_chance_may_bring() {
    with_a_fifth(500, || {
        // A share of 4 blocks each time.
        (0..2).for_each(|_| end_session_with(|who| if who == 11 { 0 } else { 5 }));
        assert_eq!((silence(11), reported()), ((2, 8_000), vec![]));
        end_session_with(|who| if who == 11 { 0 } else { 5 });
        assert_eq!(reported(), [(11, 3)]);
    });
}

#[test]
fn ends_with_a_single_block() {
    with_a_fifth(500, || {
        for _ in 0..10 {
            end_sessions_without(1, &[11]);
            end_session_with(|who| if who == 11 { 1 } else { 100 });
            assert_eq!(silence(11), (0, 0));
        }
        assert!(reported().is_empty());
    });
}

#[test]
fn of_a_chain_that_stalls_is_nobodys_fault() {
    on_chain(|| {
        (0..50).for_each(|_| end_session_with(|_| 0));
        assert!(reported().is_empty());
        // One alone makes a block now and then.
        (0..20).for_each(|_| end_session_with(|who| u32::from(who == 1)));
        assert!(reported().is_empty());
    });
}

#[test]
fn of_founders_is_reported_again_while_they_cannot_be_spared() {
    on_chain(|| {
        end_sessions_without(2, &[2]);
        let retained = |session| Event::Retained { validator: 2, session };
        let barred = |until| Event::Barred { validator: 2, until };
        let silent = |session, sessions| Event::Silent { validator: 2, session, sessions };
        assert_eq!(events()[..3], [silent(1, 2), barred(3), retained(1)]);
        assert_eq!((validators(), silence(2)), (FOUNDERS.to_vec(), (2, 0)));
        // In the next era it is a new offence.
        end_sessions_without(2, &[2]);
        assert_eq!(events(), [silent(3, 4), barred(4), retained(3)]);
        end_sessions_without(2, &[2]);
        let events = events();
        assert!(events.contains(&silent(5, 6)));
        let punished = |event: &Event<_>| matches!(event, Event::Barred { .. } | Event::Retained { .. });
        assert!(!events.iter().any(punished), "in the same era it costs nothing more");
        assert_eq!(validators(), FOUNDERS);
    });
}

#[test]
fn of_many_leaves_as_many_as_the_chain_needs() {
    with_validators(&[1, 2, 3, 4, 5, 6], || {
        (0..2).for_each(|_| end_session_with(|who| if who < 5 { 0 } else { 50 }));
        assert_eq!(reported(), [(1, 2), (2, 2), (3, 2), (4, 2)]);
        assert_eq!(validators(), [3, 4, 5, 6]);
        assert_eq!(disabled().len(), 1, "no more than finality can do without");
    });
}

#[test]
fn of_few_costs_a_thousandth_and_of_many_more() {
    let cost = |silent: u32, of: u32| {
        let silence = Silence { session: 1, validators: of, offenders: vec![(1u64, ())] };
        assert_eq!((silence.session_index(), silence.slot(), silence.validator_set_count()), (1, 1, of));
        silence.slash_fraction(silent)
    };
    let least = Perbill::from_perthousand(1);
    assert_eq!([cost(1, 4), cost(1, 5), cost(11, 100)], [least; 3]);
    assert_eq!(cost(0, 0), least);
    // 3 (k - 11) / 100 of 7 %.
    assert_eq!(cost(21, 100), Perbill::from_percent(30) * Perbill::from_percent(7));
    assert_eq!(cost(34, 100), Perbill::from_percent(69) * Perbill::from_percent(7));
    assert_eq!([cost(45, 100), cost(100, 100), cost(4, 4)], [Perbill::from_percent(7); 3]);
}

#[test]
fn of_a_third_costs_each_of_them_more() {
    with_validators(&[1, 2, 3, 4, 5, 6], || {
        stand(11, 100_000);
        stand(12, 100_000);
        next_era();
        assert_eq!(validators(), [1, 2, 3, 4, 5, 6, 11, 12]);
        end_sessions_without(2, &[11, 12, 1]);
        // Two more than the one that may be silent, of eight: 75 % of 7 %.
        assert_eq!([11, 12].map(staked), [94_750; 2]);
        assert_eq!(validators(), [2, 3, 4, 5, 6]);
    });
}
