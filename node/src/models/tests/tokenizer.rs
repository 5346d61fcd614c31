//! Tokenizers: which are read, and what they do.

use ensemble_tensor::read::gguf::Archive;
use proptest::{collection::vec, prelude::*};

use super::samples::{sample, Sample, Value};
use crate::models::{
    import::{Import, Member},
    tokenizer::{Error, Tokenizer, MAX_TEXT},
};

/// The `tokenizer` and `special` members of a sample, as text.
fn members_of(sample: &Sample) -> (String, String) {
    let file = sample.file();
    let archive = Archive::parse(&file).unwrap();
    let import = Import::new(&archive, None).unwrap();
    let text = |name: &str| match import.members().find(|(member, _)| *member == name) {
        Some((_, Member::Bytes(bytes))) => String::from_utf8(bytes.clone()).unwrap(),
        _ => panic!("no member {name}"),
    };
    (text("tokenizer"), text("special"))
}

fn members() -> (String, String) {
    members_of(&sample())
}

fn tokenizer() -> Tokenizer {
    tokenizer_of(&sample())
}

fn tokenizer_of(sample: &Sample) -> Tokenizer {
    let (definition, special) = members_of(sample);
    Tokenizer::parse(definition.as_bytes(), special.as_bytes(), 262).unwrap()
}

#[track_caller]
fn refused(definition: &str, special: &str, why: &str) {
    let error = Tokenizer::parse(definition.as_bytes(), special.as_bytes(), 262).err().expect("this should be refused");
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn texts_become_tokens_and_texts_again() {
    let tokenizer = tokenizer();
    let tokens = tokenizer.tokens("<|im_start|>the the 12ü<|im_end|>").unwrap();
    let byte = |byte: u32| byte + 3;
    assert_eq!(
        tokens,
        [1, 260, 261, byte(b' '.into()), byte(b'1'.into()), byte(b'2'.into()), byte(0xc3), byte(0xbc), 2]
    );
    // Special tokens are no text.
    assert_eq!(tokenizer.text(&tokens), "the the 12ü");
    assert_eq!(tokenizer.tokens("").unwrap(), [0u32; 0]);
    assert!(matches!(tokenizer.tokens(&"a".repeat(MAX_TEXT + 1)), Err(Error::TooLong(_))));
    assert!(tokenizer.ends(2) && tokenizer.ends(0) && !tokenizer.ends(1));
    assert_eq!(tokenizer.marks(), &["<|im_start|>".to_string(), "<|im_end|>".to_string()]);
}

#[test]
fn texts_are_cut_as_the_model_has_it() {
    let texts = |texts: [&str; 3]| Value::Texts(texts.map(String::from).to_vec());
    let Value::Texts(mut tokens) = sample().keys["tokenizer.ggml.tokens"].clone() else { unreachable!() };
    tokens.truncate(259);
    tokens.extend(["12", "123", "1234"].map(String::from));
    let cut = |name: &str, text: &str| {
        let sample = sample()
            .set("tokenizer.ggml.pre", Value::Text(name.into()))
            .set("tokenizer.ggml.tokens", Value::Texts(tokens.clone()))
            .set("tokenizer.ggml.merges", texts(["1 2", "12 3", "123 4"]));
        tokenizer_of(&sample).tokens(text).unwrap()
    };
    let byte = |byte: u8| u32::from(byte) + 3;
    assert_eq!(cut("gpt-2", "12345"), [261, byte(b'5')]);
    assert_eq!(cut("llama-bpe", "12345"), [260, byte(b'4'), byte(b'5')]);
    assert_eq!(cut("smollm", "12345"), [b'1', b'2', b'3', b'4', b'5'].map(byte));
    // A character that is a number, but no digit, and numbers of other scripts.
    for name in ["gpt-2", "llama-bpe", "smollm"] {
        assert_eq!(cut(name, "½٣"), "½٣".bytes().map(byte).collect::<Vec<_>>());
    }
}

#[test]
fn a_character_waits_for_its_last_byte() {
    let tokenizer = tokenizer();
    let mut stream = tokenizer.stream();
    let mut push = |byte: u32| stream.push(byte + 3);
    assert_eq!([push(0xe2), push(0x82), push(0xac)], ["", "", "€"]);
    assert_eq!([push(0xff), push(0x61)], ["\u{fffd}", "a"]);
    assert_eq!([push(0xe2), push(0x61)], ["", "\u{fffd}a"]);
    assert_eq!([push(0xf0), push(0x9f)], ["", ""]);
    assert_eq!(stream.push(262), "");
    assert_eq!(stream.finish(), "\u{fffd}");
}

#[test]
fn only_what_the_import_writes_is_read() {
    let (definition, special) = members();
    let replaced = |from: &str, to: &str| {
        assert!(definition.contains(from), "{from}");
        definition.replacen(from, to, 1)
    };
    refused("{", &special, "not as the import writes it");
    refused("{}", &special, "missing field");
    refused(&replaced("\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}"), &special, "invalid type");
    refused(&replaced("\"version\":\"1.0\"", "\"version\":\"1.0\",\"more\":1"), &special, "unknown field `more`");
    refused(&replaced("\"version\":\"1.0\"", "\"version\":\"2.0\""), &special, "its version or decoder");
    refused(&replaced("\"type\":\"BPE\"", "\"type\":\"Unigram\""), &special, "its model is none");
    refused(&replaced("\"ignore_merges\":false", "\"ignore_merges\":true"), &special, "its model is none");
    let digits = r#"{"type":"Digits","individual_digits":true}"#;
    let hostile = r#"{"type":"Split","pattern":{"Regex":"(a+)+$"},"behavior":"Isolated","invert":false}"#;
    refused(&replaced(digits, hostile), &special, "its pre_tokenizer is none");
    refused(&replaced(digits, r#"{"type":"Whitespace"}"#), &special, "unknown variant");
    let deep = format!("{}{digits}", r#"{"type":"Sequence","pretokenizers":["#.repeat(1000));
    refused(&replaced(digits, &deep), &special, "recursion limit");
    refused(&replaced("\"a\":100", "\"a\":101"), &special, "not numbered in order");
    refused(&replaced("\"a\":100", "\"b\":100"), &special, "the token \"b\" twice");
    refused(&replaced("[\"t\",\"h\"]", "[\"t\",\"t\"]"), &special, "its merge 0");
    refused(&replaced("\"normalized\":false", "\"normalized\":true"), &special, "its added token 0");
    refused(&replaced("\"id\":0", "\"id\":1"), &special, "its added token 1");
    let added = definition.split_once("\"added_tokens\":[").unwrap().1.split_once('}').unwrap().0;
    let many = format!("\"added_tokens\":[{}", format!("{added}}},").repeat(8192));
    refused(&replaced("\"added_tokens\":[", &many), &special, "it has 8195 added tokens");
    let merges = |count: usize| format!("\"merges\":[{}", "[\"t\",\"h\"],".repeat(count));
    // Reading ends with the first that is too much: what follows it is not looked at.
    let (before, after) = definition.split_once("\"merges\":[").unwrap();
    refused(&format!("{before}{}nothing", merges((1 << 19) + 1)), &special, "too many merges");
    let most = format!("{before}{}{after}", merges((1 << 19) - 3));
    Tokenizer::parse(most.as_bytes(), special.as_bytes(), 262).unwrap();
    refused(&definition, "{}", "the special tokens");
    refused(&definition, r#"{"beginning":262,"end":null,"ends":[]}"#, "the special tokens");
    refused(&definition, r#"{"beginning":1,"end":null,"ends":[262]}"#, "the special tokens");
    let other = Tokenizer::parse(definition.as_bytes(), special.as_bytes(), 263);
    assert!(matches!(other, Err(Error::Vocabulary { expected: 263, found: 262 })));
}

proptest! {
    #[test]
    fn every_text_survives(text in "\\PC{0,40}") {
        // The sample has a token for each byte. A special token that the text spells out is no text any more.
        prop_assume!(!text.contains("<|"));
        let tokenizer = tokenizer();
        let tokens = tokenizer.tokens(&text).unwrap();
        prop_assert_eq!(tokenizer.text(&tokens), text);
    }

    #[test]
    fn a_stream_is_what_the_whole_is(tokens in vec(0u32..262, 0..40)) {
        let tokenizer = tokenizer();
        let mut stream = tokenizer.stream();
        let parts: String = tokens.iter().map(|token| stream.push(*token)).collect();
        prop_assert_eq!(parts + &stream.finish(), tokenizer.text(&tokens));
    }
}
