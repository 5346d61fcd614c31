//! Searching: what is found, in which order, and how much is looked at.

use ensemble_core::market::{Cost, Way};
use frame_support::assert_ok;
use proptest::prelude::*;
use sp_runtime::Permill;

use crate::{mock::*, rank::Rank, words::words, Index, Shelf};

/// Modules that are listed: their scores, usage, types and texts.
type Listed = (u32, u32, u16, &'static str);

/// Lists modules of these scores, types and texts, from number 100 on, and has their calls used.
fn list_all(listed: &[Listed]) {
    for (module, (parts, calls, model_type, text)) in (100u32..).zip(listed) {
        register(module, OWNER, &format!("m{module}"), *model_type);
        world(|world| (world.scores.insert(module, *parts), world.serving.insert(module)));
        assert_ok!(list(module, text));
        crate::Listings::<Test>::mutate(module, |listing| listing.as_mut().unwrap().usage.add(*calls, 1_000));
        crate::Listings::<Test>::mutate(module, |listing| Market::enqueue(module, listing.as_mut().unwrap()));
    }
    next_block();
}

#[test]
fn better_ones_come_first_then_those_more_used() {
    on_chain(|| {
        list_all(&[(800_000, 0, OCR, ""), (900_000, 0, OCR, ""), (800_000, 7, OCR, ""), (800_000, 0, OCR, "")]);
        assert_eq!(found(None, ""), vec![101, 102, 100, 103]);
    });
}

#[test]
fn a_search_is_by_type_and_by_words() {
    on_chain(|| {
        list_all(&[
            (800_000, 0, OCR, "Reads text in ENGLISH and German"),
            (900_000, 0, CHAT, "Speaks English, German; and reads"),
            (700_000, 0, OCR, "reads German"),
            (600_000, 0, OCR, "reads German badly"),
        ]);
        assert_eq!(found(Some(OCR), ""), vec![100, 102]);
        assert_eq!(found(Some(CHAT), ""), vec![101]);
        assert_eq!(found(Some(77), ""), NOTHING);
        assert_eq!(found(None, "english"), vec![101, 100]);
        assert_eq!(found(None, " German, READS!"), vec![101, 100, 102]);
        assert_eq!(found(Some(OCR), "german english"), vec![100]);
        assert_eq!(found(Some(CHAT), "text"), NOTHING);
        assert_eq!(found(None, "m102"), vec![102]);
        assert_eq!(found(None, "germ"), NOTHING);
    });
}

#[test]
fn what_no_listing_can_have_is_not_looked_for() {
    on_chain(|| {
        list_all(&[(800_000, 0, OCR, "a b")]);
        assert_eq!(found(None, &"a ".repeat(512)), vec![100]);
        assert_eq!(found(None, &"a ".repeat(513)), NOTHING);
        assert_eq!(found(None, "a b c d e f g h i j k l m n o p q"), NOTHING);
    });
}

#[test]
fn pages_follow_each_other() {
    on_chain(|| {
        let listed: Vec<Listed> = (0..120).map(|number| (700_000 + number % 7, 0, OCR, "")).collect();
        list_all(&listed);
        let all: Vec<_> = {
            let (mut all, mut cursor) = (vec![], None);
            loop {
                let page = Market::search(Some(OCR), b"", cursor, 1_000);
                assert!(page.listings.len() <= 50);
                all.extend(page.listings.into_iter().map(|listing| listing.module));
                cursor = page.next;
                if cursor.is_none() {
                    break all;
                }
            }
        };
        let mut expected: Vec<_> = (100u32..220).collect();
        expected.sort_by_key(|module| (std::cmp::Reverse((module - 100) % 7), *module));
        assert_eq!(all, expected);
        assert_eq!(Market::search(None, b"", None, 0).listings.len(), 1);
        assert_eq!(Market::search(None, b"", Some([u8::MAX; 16]), 9).listings, vec![]);
    });
}

#[test]
fn a_listing_is_shown_as_it_is() {
    on_chain(|| {
        assert_ok!(list(ONE, "Reads text."));
        assert_ok!(buy(ALICE, ONE, 5, Way::Burn));
        assert_ok!(redeem_one(ALICE, 0, 3));
        let view = Market::listing_view(ONE).unwrap();
        assert_eq!((view.module, &view.name[..], view.model_type), (ONE, &b"acme.vision.ocr-small"[..], OCR));
        assert_eq!((view.owner, view.listed, view.serving), (OWNER, true, true));
        assert_eq!((view.score, &view.text[..]), (Some(Permill::from_percent(80)), &b"Reads text."[..]));
        assert_eq!((view.calls, view.usage, view.burnt, view.intensity), (3, 3_000, 13_000, 1_000));
        assert_eq!(
            view.costs,
            vec![
                Cost { way: Way::Burn, price: 2_600, toll: 0 },
                Cost { way: Way::Tune, price: 500, toll: 26 },
                Cost { way: Way::Asset(USDC), price: 30, toll: 26 },
            ]
        );
        assert_eq!(Market::cost(ONE, 10, Way::Tune), Some(Cost { way: Way::Tune, price: 5_000, toll: 260 }));
        assert_eq!(Market::cost(ONE, 10, Way::Asset(POINTS)), None);
        score(ONE, 1);
        assert_eq!(Market::cost(ONE, 10, Way::Tune), None);
        assert!(!Market::listing_view(ONE).unwrap().listed);
        assert_eq!((Market::listing_view(77), Market::cost(77, 1, Way::Burn)), (None, None));
    });
}

#[test]
fn a_walk_looks_no_further_than_it_may_and_jumps_over_gaps() {
    on_chain(|| {
        let rank = |number: u32| Rank::new(Permill::one(), 0, number);
        let word = |word: &str| Shelf::Word(words([word.as_bytes()], 1).unwrap().remove(0));
        for number in 0..1_000 {
            Index::<Test>::insert(Shelf::All, rank(number), ());
        }
        for number in [3, 500, 998] {
            Index::<Test>::insert(word("rare"), rank(number), ());
        }
        let walk = |from, looks| {
            let mut seen = vec![];
            let next = Market::walk(&[Shelf::All, word("rare")], from, looks, |rank| {
                seen.push(rank.module());
                true
            });
            (seen, next)
        };
        // Each of the three takes a look to jump there and one to find it, on both shelves, and one finds that no more
        // follows.
        assert_eq!(walk(Rank::FIRST, 14), (vec![3, 500, 998], None));
        let (seen, next) = walk(Rank::FIRST, 9);
        assert_eq!(seen, vec![3, 500]);
        assert_eq!(walk(next.unwrap(), 100), (vec![998], None));
        assert_eq!(walk(Rank::FIRST, 1), (vec![], Some(Rank::FIRST)));
        assert_eq!(Index::<Test>::clear(u32::MAX, None).maybe_cursor, None);
    });
}

fn any_listed() -> impl Strategy<Value = (u32, u32, u16, Vec<bool>)> {
    (650_000u32..650_100, 0u32..3, 5u16..7, prop::collection::vec(any::<bool>(), 3))
        .prop_map(|(score, calls, model_type, has)| (score + 50_000 * (score % 3), calls, model_type, has))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

    #[test]
    fn a_search_finds_what_looking_at_every_listing_does(
        listed in prop::collection::vec(any_listed(), 0..30),
        model_type in prop::option::of(5u16..7), wanted in prop::collection::vec(any::<bool>(), 3), limit in 1u32..7,
    ) {
        const TEXTS: [&str; 8] =
            ["", "red", "green", "red green", "blue", "red blue", "green blue", "red green blue"];
        let text = |has: &[bool]| TEXTS[has.iter().rev().fold(0, |sum, has| sum * 2 + usize::from(*has))];
        on_chain(|| {
            let all: Vec<Listed> = listed.iter()
                .map(|(score, calls, model_type, has)| (*score, *calls, *model_type, text(has)))
                .collect();
            list_all(&all);
            let mut expected: Vec<_> = (100u32..).zip(&listed)
                .filter(|(_, (score, ..))| *score >= 700_000)
                .filter(|(_, (_, _, found, _))| model_type.is_none_or(|wanted| wanted == *found))
                .filter(|(_, (.., has))| has.iter().zip(&wanted).all(|(has, wanted)| *has || !wanted))
                .collect();
            expected.sort_by_key(|(module, (score, calls, ..))| {
                (std::cmp::Reverse(*score), std::cmp::Reverse(*calls), *module)
            });
            let expected: Vec<_> = expected.into_iter().map(|(module, _)| module).collect();
            let (mut seen, mut cursor) = (vec![], None);
            loop {
                let page = Market::search(model_type, text(&wanted).as_bytes(), cursor, limit);
                seen.extend(page.listings.into_iter().map(|listing| listing.module));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected);
        });
    }
}
