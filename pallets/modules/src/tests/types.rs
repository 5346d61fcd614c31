//! Types and patterns, and changing them while the chain runs.

use ensemble_core::{modules::UNKNOWN, ModelType};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

use crate::{defaults::*, mock::*, patterns::Pattern, Error, Event, NextType, Patterns};

fn add(pattern: &str, model_type: ModelType) {
    assert_ok!(Modules::add_pattern(RuntimeOrigin::root(), pattern.into(), model_type));
}

fn add_below(id: u32, pattern: &str, model_type: ModelType) {
    assert_ok!(Modules::add_namespace_pattern(signed(ALICE), id, pattern.into(), model_type));
}

#[test]
fn a_chain_begins_with_the_seven_types() {
    with_chain(|| {
        let names: Vec<_> =
            Modules::model_types().into_iter().map(|(id, name)| (id, String::from_utf8(name).unwrap())).collect();
        let expected = [
            "unknown",
            "diffusion",
            "chat",
            "image-classification",
            "audio-processing",
            "embedding",
            "video-generation",
            "text-to-speech",
        ];
        let expected: Vec<_> = (0..).zip(expected.map(String::from)).collect();
        assert_eq!(names, expected);
    });
}

/// The patterns that are promised, each at the start and inside of a name.
#[test]
fn every_promised_pattern_is_there() {
    with_chain(|| {
        let promised: [(ModelType, &[&str]); 7] = [
            (DIFFUSION, &["stable-diffusion", "sd", "midjourney", "dalle"]),
            (CHAT, &["gpt", "llama", "claude", "mistral", "chat"]),
            (IMAGE_CLASSIFICATION, &["vit", "resnet", "yolo", "image-class"]),
            (AUDIO_PROCESSING, &["whisper", "audio", "wav2vec"]),
            (EMBEDDING, &["embed", "embedding", "sentence-transformer"]),
            (VIDEO_GENERATION, &["video", "sora", "gen-video"]),
            (TEXT_TO_SPEECH, &["tts", "eleven", "speech"]),
        ];
        for (model_type, patterns) in promised {
            for pattern in patterns {
                for name in
                    [pattern.to_string(), format!("my-{pattern}"), format!("{pattern}-7"), format!("{pattern}7")]
                {
                    assert_eq!(type_of(&name), model_type, "{name}");
                }
            }
        }
        for name in ["weather", "scraper-7", "acme.storage"] {
            assert_eq!(type_of(name), UNKNOWN, "{name}");
        }
    });
}

#[test]
fn words_that_contain_a_pattern_are_not_taken_in() {
    with_chain(|| {
        for (name, model_type) in [
            ("ssd-mobilenet", IMAGE_CLASSIFICATION),
            ("sdxl-turbo", DIFFUSION),
            ("elevenlabs-v2", TEXT_TO_SPEECH),
            ("videollama2", CHAT),
            ("video-llava", CHAT),
            ("gpt-sovits", TEXT_TO_SPEECH),
            ("chattts", TEXT_TO_SPEECH),
            ("speech-to-text", AUDIO_PROCESSING),
            ("sdk-tools", UNKNOWN),
            ("embedded-db", UNKNOWN),
        ] {
            assert_eq!(type_of(name), model_type, "{name}");
        }
    });
}

#[test]
fn new_types_and_patterns_while_the_chain_runs() {
    with_chain(|| {
        let id = register(ALICE, "alphafold-3");
        assert_eq!(module(id).model_type, UNKNOWN);
        assert_ok!(Modules::add_type(RuntimeOrigin::root(), b"protein-folding".to_vec()));
        let folding = 8;
        let name = b"protein-folding".to_vec().try_into().unwrap();
        assert_eq!(last_event(), Event::TypeAdded { model_type: folding, name });
        add("alphafold", folding);
        let pattern = Pattern::parse(b"alphafold").unwrap();
        assert_eq!(
            last_event(),
            Event::PatternAdded { namespace: None, pattern: pattern.clone(), model_type: folding }
        );
        assert_eq!(type_of("alphafold-3"), folding);
        // Anyone may have the type looked up again.
        assert_ok!(Modules::refresh_type(signed(CHARLIE), id));
        assert_eq!(last_event(), Event::TypeChanged { module: id, from: UNKNOWN, to: folding });
        assert_eq!(module(id).model_type, folding);
        assert_ok!(Modules::set_role(signed(ALICE), id, validator(&[folding], 1)));
        assert_ok!(Modules::remove_pattern(RuntimeOrigin::root(), b"alphafold".to_vec()));
        assert_eq!(last_event(), Event::PatternRemoved { namespace: None, pattern, model_type: folding });
        assert_eq!(type_of("alphafold-3"), UNKNOWN);
    });
}

#[test]
fn a_namespaces_patterns_count_inside_it_only() {
    with_chain(|| {
        let acme = register(ALICE, "acme");
        add_below(acme, "gpt", EMBEDDING);
        assert_eq!(
            last_event(),
            Event::PatternAdded {
                namespace: Some(acme),
                pattern: Pattern::parse(b"gpt").unwrap(),
                model_type: EMBEDDING
            }
        );
        assert_eq!(held(ALICE), module(acme).deposit);
        assert_eq!(type_of("acme.gpt-2"), EMBEDDING);
        assert_eq!(type_of("acme.lab.gpt-2"), EMBEDDING);
        assert_eq!(type_of("gpt-2"), CHAT);
        assert_eq!(type_of("acme.llama"), CHAT);
        assert_eq!(type_of("acme-gpt"), CHAT);
        // Longer global patterns do not come before those of the namespace.
        assert_eq!(type_of("acme.gpt-sovits"), EMBEDDING);
        let id = register(ALICE, "acme.gpt-2");
        assert_eq!(module(id).model_type, EMBEDDING);
        assert_ok!(Modules::remove_namespace_pattern(signed(ALICE), acme, b"gpt".to_vec()));
        assert_eq!(type_of("acme.gpt-2"), CHAT);
    });
}

#[test]
fn the_nearest_namespace_is_first() {
    with_chain(|| {
        let acme = register(ALICE, "acme");
        let lab = register(ALICE, "acme.lab");
        add_below(acme, "model-large", CHAT);
        add_below(acme, "lab", DIFFUSION);
        add_below(lab, "model", EMBEDDING);
        assert_eq!(type_of("acme.lab.model-large"), EMBEDDING);
        assert_eq!(type_of("acme.model-large"), CHAT);
        assert_eq!(type_of("acme.lab.other"), DIFFUSION);
        // What a namespace is called says nothing to its own patterns.
        add_below(lab, "lab", TEXT_TO_SPEECH);
        assert_eq!(type_of("acme.lab.other"), DIFFUSION);
    });
}

#[test]
fn a_patterns_deposit_is_held_and_returned() {
    with_chain(|| {
        let acme = register(ALICE, "acme-company");
        add_below(acme, "one", CHAT);
        add_below(acme, "two", CHAT);
        assert_eq!((held(ALICE), module(acme).deposit), (500 + 2 * PATTERN_DEPOSIT, 500 + 2 * PATTERN_DEPOSIT));
        let third = Modules::add_namespace_pattern(signed(ALICE), acme, b"three".to_vec(), CHAT);
        assert_noop!(third, Error::<Test>::TooManyPatterns);
        assert_ok!(Modules::remove_namespace_pattern(signed(ALICE), acme, b"one".to_vec()));
        assert_eq!(
            last_event(),
            Event::PatternRemoved { namespace: Some(acme), pattern: Pattern::parse(b"one").unwrap(), model_type: CHAT }
        );
        assert_eq!((held(ALICE), module(acme).deposit), (500 + PATTERN_DEPOSIT, 500 + PATTERN_DEPOSIT));
    });
}

/// What was held returns, though patterns cost something else by then.
#[test]
fn a_patterns_deposit_outlives_its_price() {
    with_chain(|| {
        let acme = register(ALICE, "acme-company");
        add_below(acme, "one", CHAT);
        CostOfPattern::set(PATTERN_DEPOSIT * 3);
        add_below(acme, "two", CHAT);
        assert_eq!(held(ALICE), 500 + 4 * PATTERN_DEPOSIT);
        assert_ok!(Modules::remove_namespace_pattern(signed(ALICE), acme, b"one".to_vec()));
        assert_eq!((held(ALICE), module(acme).deposit), (500 + 2 * PATTERN_DEPOSIT, 500 + 2 * PATTERN_DEPOSIT));
        assert_ok!(Modules::remove_namespace_pattern(signed(ALICE), acme, b"two".to_vec()));
        assert_eq!((held(ALICE), module(acme).deposit), (500, 500));
    });
}

#[test]
fn an_exception_takes_a_name_out() {
    with_chain(|| {
        assert_eq!(type_of("llama-farm"), CHAT);
        add("llama-farm", UNKNOWN);
        assert_eq!(type_of("llama-farm"), UNKNOWN);
        assert_eq!(type_of("llama"), CHAT);
    });
}

#[test]
fn only_the_registry_adds_types_and_global_patterns() {
    with_chain(|| {
        let bad = DispatchError::BadOrigin;
        assert_noop!(Modules::add_type(signed(ALICE), b"x-type".to_vec()), bad);
        assert_noop!(Modules::add_pattern(signed(ALICE), b"xx".to_vec(), CHAT), bad);
        assert_noop!(Modules::remove_pattern(signed(ALICE), b"sd".to_vec()), bad);
    });
}

#[test]
fn types_that_are_refused() {
    with_chain(|| {
        let add = |name: &[u8]| Modules::add_type(RuntimeOrigin::root(), name.to_vec());
        for name in [&b""[..], b"a", &[b'a'; 33], b"Chat", b"a b", b"chat-", b"\xff\xff"] {
            assert_noop!(add(name), Error::<Test>::InvalidTypeName);
        }
        assert_noop!(add(b"chat"), Error::<Test>::TypeExists);
    });
    new_test_ext().execute_with(|| {
        NextType::<Test>::put(u16::MAX);
        assert_noop!(Modules::add_type(RuntimeOrigin::root(), b"one-more".to_vec()), Error::<Test>::TooManyTypes);
    });
}

#[test]
fn patterns_that_are_refused() {
    with_chain(|| {
        let root = RuntimeOrigin::root;
        for (pattern, error) in [
            (&b"a"[..], Error::<Test>::PatternTooShort),
            (&[b'a'; 33][..], Error::PatternTooLong),
            (&b"a.b"[..], Error::PatternCharacter),
            (&b"\xff\xfe"[..], Error::PatternCharacter),
        ] {
            assert_noop!(Modules::add_pattern(root(), pattern.into(), CHAT), error);
        }
        assert_noop!(Modules::add_pattern(root(), b"new".to_vec(), 99), Error::<Test>::UnknownType);
        assert_noop!(Modules::add_pattern(root(), b"sd".to_vec(), CHAT), Error::<Test>::PatternExists);
        assert_noop!(Modules::remove_pattern(root(), b"new".to_vec()), Error::<Test>::UnknownPattern);
        assert_noop!(Modules::remove_pattern(root(), b"a".to_vec()), Error::<Test>::PatternTooShort);
        for number in 0..128 {
            add(&format!("zz{number}"), CHAT);
        }
        assert_noop!(Modules::add_pattern(root(), b"zzz".to_vec(), CHAT), Error::<Test>::TooManyPatterns);
        for number in 0..128 {
            assert_ok!(Modules::remove_pattern(root(), format!("zz{number}").into()));
        }
        assert!(!Patterns::<Test>::contains_key(b"zz"));
    });
}

#[test]
fn namespace_patterns_that_are_refused() {
    with_chain(|| {
        let id = register(ALICE, "acme");
        let add = |who, id, pattern: &[u8], kind| Modules::add_namespace_pattern(signed(who), id, pattern.into(), kind);
        let remove = |who, id, pattern: &[u8]| Modules::remove_namespace_pattern(signed(who), id, pattern.into());
        assert_noop!(add(ALICE, 7, b"ocr", CHAT), Error::<Test>::UnknownModule);
        assert_noop!(add(BOB, id, b"ocr", CHAT), Error::<Test>::NotOwner);
        assert_noop!(add(ALICE, id, b"o", CHAT), Error::<Test>::PatternTooShort);
        assert_noop!(add(ALICE, id, &[b'o'; 33], CHAT), Error::<Test>::PatternTooLong);
        assert_noop!(add(ALICE, id, b"O!", CHAT), Error::<Test>::PatternCharacter);
        assert_noop!(add(ALICE, id, b"ocr", 99), Error::<Test>::UnknownType);
        assert_noop!(remove(ALICE, 7, b"ocr"), Error::<Test>::UnknownModule);
        assert_noop!(remove(BOB, id, b"ocr"), Error::<Test>::NotOwner);
        assert_noop!(remove(ALICE, id, b"o"), Error::<Test>::PatternTooShort);
        assert_noop!(remove(ALICE, id, b"ocr"), Error::<Test>::UnknownPattern);
        assert_ok!(add(ALICE, id, b"ocr", CHAT));
        assert_noop!(add(ALICE, id, b"ocr", CHAT), Error::<Test>::PatternExists);
        assert_ok!(Modules::offer_transfer(signed(ALICE), id, BOB));
        assert_noop!(add(ALICE, id, b"asr", CHAT), Error::<Test>::Offered);
        assert_noop!(remove(ALICE, id, b"ocr"), Error::<Test>::Offered);
        assert_ok!(Modules::cancel_transfer(signed(ALICE), id));
        // Nothing is left for another deposit but what keeps the account alive.
        let all = free(ALICE) - EXISTENTIAL;
        assert_ok!(Balances::transfer_keep_alive(signed(ALICE), BOB, all));
        assert_noop!(add(ALICE, id, b"asr", CHAT), Error::<Test>::CannotPay);
    });
}

#[test]
fn types_that_need_no_refreshing() {
    with_chain(|| {
        let id = register(ALICE, "a-module");
        assert_noop!(Modules::refresh_type(signed(BOB), id), Error::<Test>::TypeUnchanged);
        assert_noop!(Modules::refresh_type(signed(BOB), 7), Error::<Test>::UnknownModule);
        assert_noop!(Modules::refresh_type(RuntimeOrigin::root(), id), DispatchError::BadOrigin);
    });
}
