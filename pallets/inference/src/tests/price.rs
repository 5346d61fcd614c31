use ensemble_core::inference::{places_of, ranges_of};
use frame_support::{assert_noop, assert_ok};
use proptest::prelude::*;
use sp_runtime::{DispatchError, Permill};

use crate::{
    mock::*,
    price::{products, range_products, share},
    CurrentParameters, Error, Parameters, Rates, Split,
};

fn architecture() -> ensemble_compute::inference::Architecture {
    ensemble_compute::inference::Architecture::Llama(crate::fixture::Model::tiny().llama)
}

#[test]
fn a_quote_is_what_a_session_costs() {
    with_workers(3, |model| {
        let quote = Inference::quote(model, 6, 3, 3).unwrap();
        let id = open(question());
        assert_eq!(quote.price, session(id).price);
        assert_eq!(quote.workers + quote.gateway + quote.credits + quote.burnt, quote.price);
        assert_eq!(Inference::quote(model, 33, 3, 3), None);
        assert_eq!(Inference::quote(model, 6, 3, 2), None);
        assert_eq!(Inference::quote(model + 1, 6, 3, 3), None);
    });
}

#[test]
fn parameters_change_what_is_opened_later() {
    with_workers(3, |_| {
        let id = open(question());
        let price = session(id).price;
        let before = CurrentParameters::<Test>::get();
        let parameters = Parameters { rates: Rates { position: 20, ..before.rates }, ..before };
        assert_noop!(Inference::set_parameters(signed(REQUESTER), parameters), DispatchError::BadOrigin);
        assert_ok!(Inference::set_parameters(RuntimeOrigin::root(), parameters));
        assert_eq!(session(id).price, price);
        let next = open(question());
        assert_eq!(session(next).price, price + 3 * 6 * 10);
    });
}

#[test]
fn parts_are_at_most_the_whole() {
    on_chain(|| {
        let before = CurrentParameters::<Test>::get();
        let split = Split {
            gateway: Permill::from_percent(50),
            credits: Permill::from_percent(50),
            burnt: Permill::from_parts(1),
        };
        let refused = Inference::set_parameters(RuntimeOrigin::root(), Parameters { split, ..before });
        assert_noop!(refused, Error::<Test>::InvalidParameters);
        let split = Split { burnt: Permill::zero(), ..split };
        assert_ok!(Inference::set_parameters(RuntimeOrigin::root(), Parameters { split, ..before }));
    });
}

#[test]
fn the_attestations_of_larger_traces_cost_more() {
    let ensemble_compute::inference::Architecture::Llama(llama) = architecture();
    let large = ensemble_compute::inference::Architecture::Llama(ensemble_compute::inference::Llama {
        positions: 16_384,
        ..llama
    });
    // Nine stages of 64 bytes: 7,281 positions have less than 4 MiB.
    let fee = |positions| Inference::vote_fee(&large, positions, 4, 3);
    let of = |parts| 4 * (3 * VOTE_FEE + parts * ATTEST_FEE);
    assert_eq!([1, 7_281, 7_282, 14_563, 14_564].map(fee), [1, 1, 2, 2, 3].map(of));
}

#[test]
fn an_absurd_price_is_no_amount() {
    assert_eq!(Rates { position: u128::MAX, billion: 0 }.amount(2, 1, 1), None);
    assert_eq!(Rates { position: 0, billion: u128::MAX }.amount(1 << 17, 1 << 44, 7), None);
    assert_eq!(Rates { position: 5, billion: 3 }.amount(2, 1_000_000_000, 3), Some(3 * (2 * 5 + 2 * 3)));
    // A part of a thousand million counts as one planck at least.
    assert_eq!(Rates { position: 0, billion: 1 }.amount(1, 1, 1), Some(1));
}

proptest! {
    #[test]
    fn a_price_is_divided_without_rest(
        amount in 0..=10u128.pow(30),
        (gateway, credits, burnt) in (0..=400_000u32, 0..=300_000u32, 0..=300_000u32),
    ) {
        let part = Permill::from_parts;
        let pieces = Split { gateway: part(gateway), credits: part(credits), burnt: part(burnt) }.divide(amount);
        prop_assert_eq!(pieces.workers + pieces.gateway + pieces.credits + pieces.burnt, amount);
    }

    #[test]
    fn the_products_of_all_ranges_are_those_of_the_model(ranges in 1..=32u32) {
        let all: u64 = (0..ranges).map(|range| range_products(&architecture(), range, ranges)).sum();
        prop_assert_eq!(all, products(&architecture()));
    }

    #[test]
    fn places_and_ranges_are_mutual(workers in 1..=32u32, replicas in 0..4u32) {
        let replicas = (2 * replicas + 1).min(workers);
        for place in 0..workers {
            let served: Vec<_> = ranges_of(place, workers, replicas).collect();
            prop_assert_eq!(served.len() as u32, replicas);
            prop_assert!(served.iter().all(|range| places_of(*range, workers, replicas).any(|other| other == place)));
        }
    }

    #[test]
    fn workers_are_paid_at_most_their_part(amount in 0..=10u128.pow(24), ranges in 1..=32u32) {
        let all = u128::from(products(&architecture()));
        let paid: u128 =
            (0..ranges).map(|range| share(amount, range_products(&architecture(), range, ranges).into(), all)).sum();
        prop_assert!(paid <= amount && amount - paid < 32);
    }
}
