//! A key pair of either scheme.

use std::{fmt, str::FromStr};

use ed25519_dalek::{Signer as _, SigningKey};
use schemars::JsonSchema;
use schnorrkel::{
    derive::{ChainCode, Derivation},
    ExpansionMode, MiniSecretKey,
};
use secrecy::ExposeSecret;
use serde::Serialize;
use subxt::utils::{AccountId32, MultiSignature};
use zeroize::Zeroizing;

use super::uri::{chain_code, Junction, SecretUri};
use crate::error::Error;

/// What sr25519 signatures of Substrate are made in.
pub(crate) const CONTEXT: &[u8] = b"substrate";

/// How a key signs.
#[derive(Clone, Copy, Debug, Default, Eq, JsonSchema, PartialEq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Schnorr signatures on Ristretto: what accounts use unless they say otherwise.
    #[default]
    Sr25519,
    /// Ed25519 signatures.
    Ed25519,
}

impl Scheme {
    /// What key files call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sr25519 => "sr25519",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl FromStr for Scheme {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        [Self::Sr25519, Self::Ed25519].into_iter().find(|scheme| scheme.name() == name).ok_or(())
    }
}

/// A key pair. Its secret is overwritten when it goes.
pub struct Key(Pair);

enum Pair {
    Sr25519(Box<schnorrkel::Keypair>),
    Ed25519(Box<SigningKey>),
}

/// Shows whose key it is, and nothing of the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.account())
    }
}

impl Key {
    /// The key of a phrase, a seed, or a derivation of one of them.
    ///
    /// # Errors
    ///
    /// If the phrase is none, or the scheme cannot derive in that way.
    pub fn from_uri(scheme: Scheme, uri: &SecretUri) -> Result<Self, Error> {
        let seed = uri.seed()?;
        match scheme {
            Scheme::Sr25519 => Ok(Self(Pair::Sr25519(Box::new(derive_sr25519(&seed, &uri.junctions)?)))),
            Scheme::Ed25519 => Ok(Self(Pair::Ed25519(Box::new(derive_ed25519(&seed, &uri.junctions)?)))),
        }
    }

    /// The key whose secret a key file holds in 64 bytes: the expanded key of sr25519, seed and public key of ed25519.
    ///
    /// # Errors
    ///
    /// If the bytes are no secret.
    pub(super) fn from_secret(scheme: Scheme, secret: &[u8; 64]) -> Result<Self, Error> {
        match scheme {
            Scheme::Sr25519 => {
                let secret = schnorrkel::SecretKey::from_ed25519_bytes(secret).map_err(|_| malformed())?;
                Ok(Self(Pair::Sr25519(Box::new(secret.to_keypair()))))
            },
            Scheme::Ed25519 => {
                let seed = secret.first_chunk::<32>().ok_or_else(malformed)?;
                Ok(Self(Pair::Ed25519(Box::new(SigningKey::from_bytes(seed)))))
            },
        }
    }

    /// The secret as a key file holds it.
    pub(super) fn secret(&self) -> Zeroizing<[u8; 64]> {
        match &self.0 {
            Pair::Sr25519(pair) => Zeroizing::new(pair.secret.to_ed25519_bytes()),
            Pair::Ed25519(pair) => Zeroizing::new(pair.to_keypair_bytes()),
        }
    }

    /// How it signs.
    pub fn scheme(&self) -> Scheme {
        match self.0 {
            Pair::Sr25519(_) => Scheme::Sr25519,
            Pair::Ed25519(_) => Scheme::Ed25519,
        }
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        match &self.0 {
            Pair::Sr25519(pair) => pair.public.to_bytes(),
            Pair::Ed25519(pair) => pair.verifying_key().to_bytes(),
        }
    }

    /// The account that it signs for.
    pub fn account(&self) -> AccountId32 {
        AccountId32(self.public())
    }

    /// The sr25519 pair to which the hard step `//step` leads from this key. None from an ed25519 key, whose steps lead to
    /// ed25519 keys.
    pub fn sr25519_child(&self, step: &str) -> Option<schnorrkel::Keypair> {
        let Pair::Sr25519(pair) = &self.0 else { return None };
        let code = ChainCode(chain_code(step));
        Some(pair.hard_derive_mini_secret_key(Some(code), b"").0.expand_to_keypair(ExpansionMode::Ed25519))
    }

    /// Signs a message, as the chain and its nodes check it.
    pub fn sign(&self, message: &[u8]) -> MultiSignature {
        match &self.0 {
            Pair::Sr25519(pair) => {
                let context = schnorrkel::signing_context(CONTEXT);
                MultiSignature::Sr25519(pair.sign(context.bytes(message)).to_bytes())
            },
            Pair::Ed25519(pair) => MultiSignature::Ed25519(pair.sign(message).to_bytes()),
        }
    }
}

/// Signs transactions.
impl<T> subxt::transactions::Signer<T> for Key
where
    T: subxt::Config<AccountId = AccountId32, Signature = MultiSignature>,
{
    fn account_id(&self) -> AccountId32 {
        self.account()
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        Self::sign(self, payload)
    }
}

fn malformed() -> Error {
    Error::BadKey { message: "the secret is none of this scheme".into(), remedy: "import the key anew".into() }
}

fn derive_sr25519(seed: &Zeroizing<[u8; 32]>, junctions: &[Junction]) -> Result<schnorrkel::Keypair, Error> {
    let root = MiniSecretKey::from_bytes(seed.as_slice()).map_err(|_| malformed())?.expand(ExpansionMode::Ed25519);
    let derived = junctions.iter().fold(root, |key, junction| match junction {
        Junction::Soft(code) => key.derived_key_simple(ChainCode(*code), b"").0,
        Junction::Hard(code) => {
            key.hard_derive_mini_secret_key(Some(ChainCode(*code)), b"").0.expand(ExpansionMode::Ed25519)
        },
    });
    Ok(derived.to_keypair())
}

fn derive_ed25519(seed: &Zeroizing<[u8; 32]>, junctions: &[Junction]) -> Result<SigningKey, Error> {
    let mut seed = seed.clone();
    for junction in junctions {
        let Junction::Hard(code) = junction else {
            return Err(Error::BadKey {
                message: "an ed25519 key has no soft derivations, as after a single `/`".into(),
                remedy: "write `//`, or use an sr25519 key".into(),
            });
        };
        // SCALE: the text with its length in front, then both arrays as they are.
        let text = b"\x2cEd25519HDKD";
        let parts = Zeroizing::new([text.as_slice(), seed.as_slice(), code.as_slice()].concat());
        let hash = blake2b_simd::Params::new().hash_length(32).hash(&parts);
        seed.copy_from_slice(hash.as_bytes());
    }
    Ok(SigningKey::from_bytes(&seed))
}

impl SecretUri {
    /// The 32 bytes that the derivation begins with.
    fn seed(&self) -> Result<Zeroizing<[u8; 32]>, Error> {
        let phrase = self.phrase.expose_secret();
        if let Some(digits) = phrase.strip_prefix("0x") {
            let mut seed = Zeroizing::new([0; 32]);
            hex::decode_to_slice(digits, seed.as_mut_slice()).map_err(|_| Error::BadKey {
                message: "a seed is 0x and 64 hexadecimal digits".into(),
                remedy: "check that all of it was pasted".into(),
            })?;
            return Ok(seed);
        }
        let words = phrase.split_whitespace().collect::<Vec<_>>();
        let phrase = Zeroizing::new(words.join(" "));
        let mnemonic = bip39::Mnemonic::parse_in_normalized(bip39::Language::English, &phrase).map_err(|error| {
            // The library's error names unknown words by number, never the words.
            Error::BadKey {
                message: format!("the phrase of {} words is none: {error}", words.len()),
                remedy: "check its words and their order".into(),
            }
        })?;
        let entropy = Zeroizing::new(mnemonic.to_entropy());
        let password = self.password.as_ref().map_or("", |password| password.expose_secret());
        let seed = substrate_bip39::seed_from_entropy(&entropy, password).map_err(|_| malformed())?;
        let seed = Zeroizing::new(seed);
        let mut first = Zeroizing::new([0; 32]);
        first.copy_from_slice(&seed[..32]);
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::uri, *};

    fn key(scheme: Scheme, text: &str) -> Result<Key, Error> {
        Key::from_uri(scheme, &uri::parse(text)?)
    }

    fn public(scheme: Scheme, text: &str) -> String {
        hex::encode(key(scheme, text).expect("is a key").public())
    }

    /// Public keys as `ensemble-node key inspect` prints them.
    #[test]
    fn keys_are_those_that_the_node_derives() {
        let sr25519 = [
            ("//Alice", "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"),
            ("//Bob", "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48"),
        ];
        for (uri, expected) in sr25519 {
            assert_eq!(public(Scheme::Sr25519, uri), expected, "{uri}");
        }
        let ed25519 = "88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee";
        assert_eq!(public(Scheme::Ed25519, "//Alice"), ed25519);
    }

    #[test]
    fn secrets_come_back_from_their_bytes() {
        for scheme in [Scheme::Sr25519, Scheme::Ed25519] {
            let key = key(scheme, "//Alice").expect("is a key");
            let again = Key::from_secret(scheme, &key.secret()).expect("is a secret");
            assert_eq!(again.public(), key.public());
        }
    }

    #[test]
    fn children_are_those_of_the_path() {
        let alice = key(Scheme::Sr25519, "//Alice").expect("is a key");
        let again = Key::from_secret(Scheme::Sr25519, &alice.secret()).expect("is a secret");
        for parent in [alice, again] {
            let child = parent.sr25519_child("rows").expect("is an sr25519 key");
            assert_eq!(hex::encode(child.public.to_bytes()), public(Scheme::Sr25519, "//Alice//rows"));
        }
        assert!(key(Scheme::Ed25519, "//Alice").expect("is a key").sr25519_child("rows").is_none());
    }

    #[test]
    fn signatures_are_valid() {
        let alice = key(Scheme::Ed25519, "//Alice").expect("is a key");
        let MultiSignature::Ed25519(signature) = alice.sign(b"message") else { panic!("another scheme") };
        let public = ed25519_dalek::VerifyingKey::from_bytes(&alice.public()).expect("is a public key");
        let signature = ed25519_dalek::Signature::from_bytes(&signature);
        public.verify_strict(b"message", &signature).expect("is valid");

        let alice = key(Scheme::Sr25519, "//Alice").expect("is a key");
        let MultiSignature::Sr25519(signature) = alice.sign(b"message") else { panic!("another scheme") };
        let public = schnorrkel::PublicKey::from_bytes(&alice.public()).expect("is a public key");
        let signature = schnorrkel::Signature::from_bytes(&signature).expect("is a signature");
        public.verify_simple(CONTEXT, b"message", &signature).expect("is valid");
    }

    #[test]
    fn what_cannot_be_derived_is_refused() {
        assert!(key(Scheme::Ed25519, "//Alice/soft").is_err());
        assert!(key(Scheme::Sr25519, "//Alice/soft").is_ok());
        assert!(key(Scheme::Sr25519, "0x1234").is_err());
        assert!(key(Scheme::Sr25519, "bottom drive obey lake").is_err());
    }

    #[test]
    fn nothing_of_a_secret_is_shown() {
        let key = key(Scheme::Sr25519, "//Alice").expect("is a key");
        assert_eq!(format!("{key:?}"), "Key(5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY)");
    }
}
