//! Searching, page by page.

use ensemble_core::modules::{Query, UNKNOWN};
use frame_support::assert_ok;
use proptest::prelude::*;

use crate::{defaults::*, mock::*};

type Found = (Vec<String>, Option<String>);

fn search(query: &Query<AccountId>, after: Option<&str>, limit: u32) -> Found {
    let page = Modules::search(query.clone(), after.map(|name| name.as_bytes().to_vec()), limit);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (page.modules.into_iter().map(|module| text(module.name)).collect(), page.next.map(text))
}

/// All pages together.
fn all(query: &Query<AccountId>, limit: u32) -> Vec<String> {
    let (mut names, mut next) = search(query, None, limit);
    while let Some(after) = next {
        let (more, further) = search(query, Some(&after), limit);
        assert!(more.len() <= limit as usize);
        names.extend(more);
        next = further;
    }
    names
}

fn by(prefix: &str) -> Query<AccountId> {
    Query { prefix: prefix.into(), ..Default::default() }
}

/// Names in an order that is not theirs.
fn populate() {
    for (who, name) in [
        (BOB, "llama-3"),
        (ALICE, "acme"),
        (ALICE, "sd-xl"),
        (BOB, "llama"),
        (ALICE, "acme.llama"),
        (ALICE, "acme_tools"),
        (BOB, "weather"),
        (ALICE, "llama-2"),
    ] {
        register(who, name);
    }
}

#[test]
fn by_prefix_in_the_order_of_names() {
    with_chain(|| {
        populate();
        let everything = ["acme", "acme_tools", "acme.llama", "llama", "llama-2", "llama-3", "sd-xl", "weather"];
        for limit in [1, 2, 3, 100] {
            assert_eq!(all(&by(""), limit), everything);
            assert_eq!(all(&by("llama"), limit), ["llama", "llama-2", "llama-3"]);
            assert_eq!(all(&by("llama-"), limit), ["llama-2", "llama-3"]);
            assert_eq!(all(&by("acme."), limit), ["acme.llama"]);
            assert_eq!(all(&by("acme-t"), limit), ["acme_tools"]);
            assert_eq!(all(&by("weather"), limit), ["weather"]);
            assert!(all(&by("x"), limit).is_empty());
        }
    });
}

#[test]
fn by_type_and_owner() {
    with_chain(|| {
        populate();
        let query = |prefix: &str, model_type, owner| Query { prefix: prefix.into(), model_type, owner };
        for limit in [1, 2, 100] {
            assert_eq!(all(&query("", Some(CHAT), None), limit), ["acme.llama", "llama", "llama-2", "llama-3"]);
            assert_eq!(all(&query("ll", Some(CHAT), None), limit), ["llama", "llama-2", "llama-3"]);
            assert_eq!(all(&query("", Some(DIFFUSION), None), limit), ["sd-xl"]);
            assert_eq!(all(&query("", None, Some(BOB)), limit), ["llama", "llama-3", "weather"]);
            assert_eq!(all(&query("llama-", None, Some(BOB)), limit), ["llama-3"]);
            assert_eq!(all(&query("", Some(UNKNOWN), Some(BOB)), limit), ["weather"]);
            assert_eq!(all(&query("", Some(CHAT), Some(ALICE)), limit), ["acme.llama", "llama-2"]);
            assert!(all(&query("", Some(EMBEDDING), None), limit).is_empty());
            assert!(all(&query("", None, Some(CHARLIE)), limit).is_empty());
        }
    });
}

#[test]
fn pages_go_on_after_a_name() {
    with_chain(|| {
        populate();
        let texts = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(search(&by(""), None, 2), (texts(&["acme", "acme_tools"]), Some("acme-tools".into())));
        assert_eq!(search(&by("llama"), Some("llama"), 9), (texts(&["llama-2", "llama-3"]), None));
        // A name that is before, between, or after all, whether anybody has it or not.
        assert_eq!(search(&by("llama"), Some("aaa"), 1).0, ["llama"]);
        assert_eq!(search(&by("llama"), Some("llama-25"), 9).0, ["llama-3"]);
        assert_eq!(search(&by("llama"), Some("zzz"), 9), (vec![], None));
        assert_eq!(search(&by(""), Some(&"z".repeat(99)), 9), (vec![], None));
        // A limit of none is read as one.
        assert_eq!(search(&by("llama"), None, 0), (texts(&["llama"]), Some("llama".into())));
    });
}

#[test]
fn what_is_no_prefix_finds_nothing() {
    with_chain(|| {
        populate();
        for prefix in [vec![b'a'; 65], b"ll\0".to_vec(), b"\xff".to_vec(), b"LLAMA".to_vec()] {
            let page = Modules::search(Query { prefix, ..Default::default() }, None, 9);
            assert_eq!((page.modules.len(), page.next), (0, None));
        }
    });
}

#[test]
fn removed_and_transferred_modules_are_found_where_they_are() {
    with_chain(|| {
        populate();
        let llama = Modules::module_by_name(b"llama").unwrap().id;
        assert_ok!(Modules::offer_transfer(signed(BOB), llama, CHARLIE));
        assert_ok!(Modules::accept_transfer(signed(CHARLIE), llama));
        let of = |owner| Query { owner: Some(owner), ..Default::default() };
        assert_eq!(all(&of(CHARLIE), 9), ["llama"]);
        assert_eq!(all(&of(BOB), 9), ["llama-3", "weather"]);
        assert_ok!(Modules::remove(signed(CHARLIE), llama));
        assert!(all(&of(CHARLIE), 9).is_empty());
        assert_eq!(all(&by("llama"), 1), ["llama-2", "llama-3"]);
    });
}

#[test]
fn an_answer_has_a_hundred_modules_at_most_and_looks_at_a_thousand_names() {
    with_chain(|| {
        for number in 0..1_050 {
            System::set_block_number(1 + 200 * number);
            register(ALICE, format!("station-{number:04}"));
        }
        register(ALICE, "the-llama");
        let page = Modules::search(by("station"), None, u32::MAX);
        assert_eq!(page.modules.len(), 100);
        assert_eq!(page.next, Some(b"station-0099".to_vec()));
        // Nothing found among the first thousand, but there is more to look at.
        let query = Query { model_type: Some(CHAT), owner: Some(ALICE), ..Default::default() };
        let page = Modules::search(query.clone(), None, 9);
        assert_eq!((page.modules.len(), page.next), (0, Some(b"station-0999".to_vec())));
        assert_eq!(all(&query, 9), ["the-llama"]);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

    /// Whatever is asked, the answer is that of filtering a list of all.
    #[test]
    fn a_search_is_a_filter(
        names in prop::collection::btree_map("(sd|gpt|abc)([-_][ab]{1,2}){0,2}", 1u64..4, 0..20),
        prefix in "(sd|gpt|abc|a)?([-_][ab]{0,2})?",
        model_type in prop::option::of(0u16..3),
        owner in prop::option::of(1u64..4),
        limit in 1u32..5,
    ) {
        with_chain(|| {
            let mut expected = Vec::new();
            for (name, who) in &names {
                if try_register(*who, name).is_err() {
                    continue;
                }
                let plain = name.replace('_', "-");
                let fits = plain.starts_with(&prefix.replace('_', "-"))
                    && model_type.is_none_or(|wanted| wanted == type_of(name))
                    && owner.is_none_or(|wanted| wanted == *who);
                if fits {
                    expected.push((plain, name.clone()));
                }
            }
            expected.sort();
            let expected: Vec<_> = expected.into_iter().map(|(_, name)| name).collect();
            let query = Query { prefix: prefix.clone().into_bytes(), model_type, owner };
            assert_eq!(all(&query, limit), expected);
        });
    }
}
