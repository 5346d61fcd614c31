//! Secret phrases, and keys derived from them.

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::error::Error;

/// The phrase of all well-known development keys. Everybody knows it.
const DEVELOPMENT: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

/// A phrase or seed, a password, and a path of derivations: `phrase//hard/soft///password`.
pub struct SecretUri {
    /// Words of BIP-39, or `0x` and a seed.
    pub phrase: SecretString,
    /// The password of the phrase.
    pub password: Option<SecretString>,
    /// What is derived, step by step.
    pub junctions: Vec<Junction>,
}

/// A step of a derivation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Junction {
    /// After `/`: the public key can be derived without the secret.
    Soft([u8; 32]),
    /// After `//`: it cannot.
    Hard([u8; 32]),
}

/// Takes a secret apart.
///
/// # Errors
///
/// If a step of the path is empty.
pub fn parse(text: &str) -> Result<SecretUri, Error> {
    let (front, password) = match text.split_once("///") {
        Some((front, password)) => (front, Some(SecretString::from(password))),
        None => (text, None),
    };
    let (phrase, path) = front.split_at(front.find('/').unwrap_or(front.len()));
    let phrase = match phrase.trim() {
        "" => DEVELOPMENT,
        phrase => phrase,
    };
    Ok(SecretUri { phrase: SecretString::from(phrase), password, junctions: junctions(path)? })
}

fn junctions(mut path: &str) -> Result<Vec<Junction>, Error> {
    let mut junctions = Vec::new();
    while let Some(rest) = path.strip_prefix('/') {
        let (rest, is_hard) = rest.strip_prefix('/').map_or((rest, false), |rest| (rest, true));
        let (step, next) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if step.is_empty() {
            return Err(Error::BadKey {
                message: "a step of the key's path is empty".into(),
                remedy: "write `//name` or `/name`".into(),
            });
        }
        let code = chain_code(step);
        junctions.push(if is_hard { Junction::Hard(code) } else { Junction::Soft(code) });
        path = next;
    }
    Ok(junctions)
}

/// A number as eight bytes, anything else as a text with its length in front, hashed if it has more than 32 bytes.
pub(super) fn chain_code(step: &str) -> [u8; 32] {
    let bytes = match step.parse::<u64>() {
        Ok(number) => codec::Encode::encode(&number),
        Err(_) => codec::Encode::encode(step),
    };
    let mut code = [0; 32];
    match code.get_mut(..bytes.len()) {
        Some(front) => front.copy_from_slice(&bytes),
        None => code.copy_from_slice(blake2b_simd::Params::new().hash_length(32).hash(&bytes).as_bytes()),
    }
    code
}

/// A new phrase of twelve words, from the system's random numbers.
///
/// # Errors
///
/// If the system has none.
pub fn generate_phrase() -> Result<SecretString, Error> {
    let mut entropy = Zeroizing::new([0; 16]);
    getrandom::fill(entropy.as_mut_slice()).map_err(|error| Error::Other(format!("no random numbers: {error}")))?;
    let mnemonic = bip39::Mnemonic::from_entropy(entropy.as_slice())
        .map_err(|error| Error::Other(format!("no phrase can be made: {error}")))?;
    Ok(SecretString::from(mnemonic.to_string()))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_secret_is_taken_apart() {
        let uri = parse("some words//hard/soft///pass//word").expect("is a secret");
        assert_eq!(uri.phrase.expose_secret(), "some words");
        assert_eq!(uri.password.as_ref().map(|password| password.expose_secret()), Some("pass//word"));
        assert_eq!(uri.junctions, [Junction::Hard(chain_code("hard")), Junction::Soft(chain_code("soft"))]);
        assert_eq!(parse("//Alice").expect("is a secret").phrase.expose_secret(), DEVELOPMENT);
    }

    #[test]
    fn steps_are_numbers_or_texts() {
        assert_eq!(chain_code("1")[..9], [1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&chain_code("Alice")[..7], b"\x14Alice\0");
        assert_ne!(chain_code(&"long".repeat(20))[31], 0);
    }

    #[test]
    fn an_empty_step_is_refused() {
        assert!(parse("words//").is_err());
        assert!(parse("words//a/").is_err());
    }

    #[test]
    fn new_phrases_have_twelve_words_and_differ() {
        let [one, other] = [(), ()].map(|()| generate_phrase().expect("the system has random numbers"));
        assert_eq!(one.expose_secret().split(' ').count(), 12);
        assert_ne!(one.expose_secret(), other.expose_secret());
    }
}
