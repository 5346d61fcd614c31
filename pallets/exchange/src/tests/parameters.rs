//! How contributions are handed on is for the parameters' origin to say.

use frame_support::{assert_noop, assert_ok, traits::Hooks};
use sp_runtime::DispatchError;

use crate::{mock::*, CurrentParameters, Error, Event, Line, Parameters, Rule};

fn set(parameters: Parameters<BlockNumber>) -> sp_runtime::DispatchResult {
    Exchange::set_parameters(RuntimeOrigin::root(), parameters)
}

#[test]
fn only_their_origin_changes_them() {
    execute(|| {
        let parameters = Parameters { rule: Rule::Newest, number: 1, recent: 3, lifetime: 5 };
        assert_noop!(Exchange::set_parameters(RuntimeOrigin::signed(ALICE), parameters), DispatchError::BadOrigin);
        assert_ok!(set(parameters));
        assert_eq!(CurrentParameters::<Test>::get(), parameters);
        assert_eq!(events(), [Event::ParametersSet { parameters }]);
    });
}

#[test]
fn each_stays_within_what_the_chain_allows() {
    execute(|| {
        let good = CurrentParameters::<Test>::get();
        assert_noop!(set(Parameters { recent: RECENT + 1, ..good }), Error::<Test>::TooManyRecent);
        assert_noop!(set(Parameters { number: 5, ..good }), Error::<Test>::TooManyPerVictory);
        assert_noop!(set(Parameters { lifetime: 0, ..good }), Error::<Test>::NoLifetime);
        assert_ok!(set(Parameters { number: 4, ..good }));
    });
}

#[test]
fn they_hold_from_the_next_settlement_on() {
    execute(|| {
        for task in 0..5 {
            settle(task, &[BOB], EXCHANGED);
        }
        assert_ok!(set(Parameters { rule: Rule::Newest, number: 1, recent: 3, lifetime: 5 }));
        settle(5, &[ALICE], EXCHANGED);
        assert_eq!(granted(ALICE), [4]);
        assert_eq!(Exchange::received(&ALICE)[0].until, 1 + 5);
        assert_eq!(Line::<Test>::get().iter().map(|entry| entry.task).collect::<Vec<_>>(), [3, 4, 5]);
    });
}

#[test]
fn the_exchange_can_be_switched_off() {
    execute(|| {
        settle(0, &[BOB], EXCHANGED);
        let good = CurrentParameters::<Test>::get();
        assert_ok!(set(Parameters { number: 0, recent: 0, ..good }));
        settle(1, &[ALICE], EXCHANGED);
        assert_eq!((granted(ALICE), Line::<Test>::get().len()), (vec![], 0));
    });
}

#[test]
fn the_constants_fit_each_other() {
    <Exchange as Hooks<BlockNumber>>::integrity_test();
}
