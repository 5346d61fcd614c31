//! What names cost as time passes and others register.

use ensemble_core::modules::NameState;
use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, Error};

#[test]
fn short_names_cost_more() {
    with_chain(|| {
        for (name, factor) in
            [("a", 128), ("ab", 64), ("gpt4", 16), ("abc-xyz", 2), ("abcd-xyz", 1), ("a-longer-name", 1)]
        {
            assert_eq!(price(name), PRICE * factor, "{name}");
        }
        let quote = Modules::price(b"gpt4").unwrap().quote;
        let id = register(ALICE, "gpt4");
        assert_eq!((module(id).deposit, BurntSoFar::get()), (quote.deposit, quote.burn));
    });
}

#[test]
fn registrations_raise_the_price_and_blocks_lower_it() {
    with_chain(|| {
        register(ALICE, "the-first");
        assert_eq!(price("a-module"), 1_250);
        register(BOB, "the-second");
        // 1000 * 1.25^2
        assert_eq!(price("a-module"), 1_562);
        run_to(2);
        // 1 + 0.5625 * 0.9
        assert_eq!(price("a-module"), 1_506);
        run_to(3);
        // 1 + 0.5625 * 0.81
        assert_eq!(price("a-module"), 1_455);
        register(BOB, "the-third");
        // 1.455625 * 1.25
        assert_eq!(price("a-module"), 1_819);
        run_to(200);
        assert_eq!(price("a-module"), PRICE);
    });
}

#[test]
fn the_price_has_a_cap() {
    with_chain(|| {
        for number in 0..30 {
            register(ALICE, format!("squatted-{number}"));
        }
        assert_eq!(price("a-module"), 100 * PRICE);
        run_to(2);
        assert_eq!(price("a-module"), PRICE + 99 * PRICE * 9 / 10);
    });
}

/// Who sees a price in one block and comes late pays no more than it said.
#[test]
fn a_surprise_is_refused() {
    with_chain(|| {
        let seen = price("a-module");
        register(BOB, "somebody-else");
        let call = |max| Modules::register(signed(ALICE), b"a-module".to_vec(), profile(), max);
        assert_noop!(call(seen), Error::<Test>::PriceAboveMax);
        assert_ok!(call(price("a-module")));
    });
}

#[test]
fn it_is_told_whether_a_name_is_free() {
    with_chain(|| {
        let state = || Modules::price(b"a-module").unwrap().state;
        assert_eq!(state(), None);
        let id = register(ALICE, "a-module");
        assert_eq!(state(), Some(NameState::Taken(id)));
        assert_ok!(Modules::remove(signed(ALICE), id));
        assert_eq!(state(), Some(NameState::Reserved { until: 1 + NAME_DELAY }));
        System::set_block_number(1 + NAME_DELAY);
        assert_eq!(state(), None);
    });
}
