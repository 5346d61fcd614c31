//! Key files, as polkadot.js writes them: version 3.
//!
//! `encoded` is, in base64, the salt (32 bytes) and the parameters of scrypt (N, p, r; 4 bytes each, little endian), the
//! nonce (24 bytes), and what xsalsa20-poly1305 makes of the secret: a header, 64 bytes of secret, a divider, the public
//! key.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{engine::general_purpose::STANDARD, Engine};
use crypto_secretbox::{
    aead::{Aead, KeyInit},
    Key as BoxKey, Nonce, XSalsa20Poly1305,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subxt::utils::AccountId32;
use zeroize::Zeroizing;

use super::{Key, Scheme};
use crate::error::Error;

/// What stands in front of the secret.
const HEADER: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
/// What stands between secret and public key.
const DIVIDER: [u8; 5] = [161, 35, 3, 33, 0];
/// Bytes of salt and parameters.
const PARAMETERS: usize = 44;
/// Bytes of a nonce.
const NONCE: usize = 24;
/// Logarithm of N, p and r of new files.
const SCRYPT: (u8, u32, u32) = (15, 1, 8);
/// Those that are read: all that polkadot.js ever wrote or accepts. Others could cost any time and memory.
const ACCEPTED: [(u8, u32, u32); 6] = [(13, 10, 8), (14, 5, 8), (15, 3, 8), (15, 1, 8), (16, 2, 8), (17, 1, 8)];

/// A key as it lies in a file.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct KeyFile {
    encoded: String,
    encoding: Encoding,
    address: String,
    /// What its owner says of it.
    #[serde(default)]
    pub meta: Meta,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Encoding {
    content: Vec<String>,
    r#type: Vec<String>,
    version: String,
}

/// What the owner says of a key.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Milliseconds since 1970 at which it was made.
    #[serde(default)]
    pub when_created: u64,
    /// The first block of the only chain that it is for; empty if it is for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genesis_hash: Option<String>,
}

impl KeyFile {
    /// Reads what polkadot.js exported.
    ///
    /// # Errors
    ///
    /// If it is no such file, or of another version.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let file: Self = serde_json::from_str(text).map_err(|error| bad(format!("it is no key file: {error}")))?;
        file.scheme()?;
        file.account()?;
        let kinds = ["scrypt", "xsalsa20-poly1305"];
        if file.encoding.version != "3" || file.encoding.r#type != kinds {
            let Encoding { version, r#type, .. } = &file.encoding;
            return Err(bad(format!("it is of version {version}, encrypted by {}", r#type.join(" and "))));
        }
        Ok(file)
    }

    /// How the key signs.
    ///
    /// # Errors
    ///
    /// If it is a scheme that this client does not know.
    pub fn scheme(&self) -> Result<Scheme, Error> {
        let names = &self.encoding.content;
        names
            .iter()
            .find_map(|name| name.parse().ok())
            .ok_or_else(|| bad(format!("its scheme is unknown: {}", names.join(", "))))
    }

    /// The account.
    ///
    /// # Errors
    ///
    /// If the address is none.
    pub fn account(&self) -> Result<AccountId32, Error> {
        self.address.parse().map_err(|_| bad("its address is none".into()))
    }
}

fn bad(message: String) -> Error {
    Error::BadKey {
        message: format!("the key file cannot be used: {message}"),
        remedy: "export it anew from polkadot.js (version 3, with a password), or import the phrase".into(),
    }
}

/// Encrypts a key.
///
/// # Errors
///
/// If the system has no random numbers.
pub fn encrypt(key: &Key, name: &str, password: &SecretString) -> Result<KeyFile, Error> {
    let mut random = [0; 32 + NONCE];
    getrandom::fill(&mut random).map_err(|error| Error::Other(format!("no random numbers: {error}")))?;
    let (salt, nonce) = random.split_at(32);
    let secret = key.secret();
    let plain = Zeroizing::new([&HEADER[..], &secret[..], &DIVIDER[..], &key.public()[..]].concat());
    let cipher = XSalsa20Poly1305::new(&derive(password, salt, SCRYPT)?);
    let sealed = cipher
        .encrypt(Nonce::from_slice(nonce), plain.as_slice())
        .map_err(|_| Error::Other("the key cannot be encrypted".into()))?;
    let (log_n, p, r) = SCRYPT;
    let numbers = [1_u32 << log_n, p, r].map(u32::to_le_bytes).concat();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(KeyFile {
        encoded: STANDARD.encode([salt, &numbers, nonce, &sealed].concat()),
        encoding: Encoding {
            content: vec!["pkcs8".into(), key.scheme().name().into()],
            r#type: vec!["scrypt".into(), "xsalsa20-poly1305".into()],
            version: "3".into(),
        },
        address: key.account().to_string(),
        meta: Meta {
            name: name.into(),
            when_created: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            genesis_hash: None,
        },
    })
}

/// Opens a key.
///
/// # Errors
///
/// If the password is wrong, or the file damaged.
pub fn decrypt(file: &KeyFile, name: &str, password: &SecretString) -> Result<Key, Error> {
    let damaged = || bad("it is damaged".into());
    let bytes = STANDARD.decode(&file.encoded).map_err(|_| damaged())?;
    let (parameters, rest) = bytes.split_at_checked(PARAMETERS).ok_or_else(damaged)?;
    let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or_else(damaged)?;
    let (salt, numbers) = parameters.split_at(32);
    let mut numbers = numbers.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]));
    let [n, p, r] = [(); 3].map(|()| numbers.next().unwrap_or_default());
    let asked = ACCEPTED.into_iter().find(|(log_n, most_p, most_r)| (1_u32 << *log_n, *most_p, *most_r) == (n, p, r));
    let scrypt = asked.ok_or_else(|| bad(format!("scrypt with N {n}, p {p}, r {r} is not accepted")))?;
    let cipher = XSalsa20Poly1305::new(&derive(password, salt, scrypt)?);
    let plain =
        cipher.decrypt(Nonce::from_slice(nonce), sealed).map_err(|_| Error::WrongPassword { name: name.into() })?;
    let plain = Zeroizing::new(plain);
    let body = plain.strip_prefix(&HEADER).ok_or_else(damaged)?;
    let (secret, body) = body.split_first_chunk::<64>().ok_or_else(damaged)?;
    let public = body.strip_prefix(&DIVIDER).ok_or_else(damaged)?;
    let key = Key::from_secret(file.scheme()?, secret)?;
    if key.public() != public || key.account() != file.account()? {
        return Err(damaged());
    }
    Ok(key)
}

fn derive(password: &SecretString, salt: &[u8], (log_n, p, r): (u8, u32, u32)) -> Result<BoxKey, Error> {
    let parameters = scrypt::Params::new(log_n, r, p, 32).map_err(|error| Error::Other(error.to_string()))?;
    let mut key = BoxKey::default();
    scrypt::scrypt(password.expose_secret().as_bytes(), salt, &parameters, &mut key)
        .map_err(|error| Error::Other(error.to_string()))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::{super::uri, *};
    use crate::error::Kind;

    /// Bob's key, as polkadot.js exported it with the password `whoisbob`.
    const BOB: &str = r#"{
        "encoded": "J2FFcPHAY11Pmq/38eqbwfUv9OPitYJs+oYgahBvlagAAAIAAQAAAAgAAAB5o0DwXCWDblsH+9pc++RaBO4fpHBHzUirHFHFE9yS3sDzgAIQjhgvPqJ3ODrMR2gy7vk0VZg1fyirIvmsrfjGbWnOI8YU0joX0tYytroyWaykFKtZJMmE0pNKcJ5dJmDxscbK53Ac+7ld2UdH07yKPXxmPuYNNw3vKx8cg9CdQgifKfzQxHnC+EUpOoHPLwGlHsFEYtIlQtngqd9n",
        "encoding": { "content": ["pkcs8", "sr25519"], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3" },
        "address": "5CfWTDh7XxJ2yrayqQ2aJnnZAH5v5XaF1oJFfH5QCpbfP9v8",
        "meta": { "genesisHash": "", "name": "Bob (Dev)", "whenCreated": 1768916488918 }
    }"#;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_file_of_polkadot_js_is_opened() {
        let file = KeyFile::parse(BOB).expect("is a key file");
        let key = decrypt(&file, "bob", &secret("whoisbob")).expect("opens");
        assert_eq!(key.account().to_string(), "5CfWTDh7XxJ2yrayqQ2aJnnZAH5v5XaF1oJFfH5QCpbfP9v8");
        assert_eq!(file.meta.name, "Bob (Dev)");
    }

    #[test]
    fn a_wrong_password_is_told_from_a_damaged_file() {
        let mut file = KeyFile::parse(BOB).expect("is a key file");
        let error = decrypt(&file, "bob", &secret("whoisalice")).expect_err("does not open");
        assert_eq!(error.kind(), Kind::WrongPassword);
        assert!(error.line().contains("`bob`"), "{}", error.line());
        file.encoded.truncate(40);
        assert_eq!(decrypt(&file, "bob", &secret("whoisbob")).expect_err("is damaged").kind(), Kind::Key);
    }

    #[test]
    fn what_was_encrypted_is_opened_again() {
        for scheme in [Scheme::Sr25519, Scheme::Ed25519] {
            let uri = uri::parse("//Alice").expect("is a secret");
            let key = Key::from_uri(scheme, &uri).expect("is a key");
            let file = encrypt(&key, "alice", &secret("a password")).expect("is encrypted");
            let text = serde_json::to_string(&file).expect("is JSON");
            let file = KeyFile::parse(&text).expect("is a key file");
            let again = decrypt(&file, "alice", &secret("a password")).expect("opens");
            assert_eq!((again.public(), again.scheme()), (key.public(), scheme));
        }
    }

    #[test]
    fn what_costs_too_much_to_open_is_refused() {
        let mut file = KeyFile::parse(BOB).expect("is a key file");
        let mut bytes = STANDARD.decode(&file.encoded).expect("is base64");
        bytes[32..36].copy_from_slice(&(1_u32 << 30).to_le_bytes());
        file.encoded = STANDARD.encode(bytes);
        let error = decrypt(&file, "bob", &secret("whoisbob")).expect_err("is refused");
        assert!(error.line().contains("not accepted"), "{}", error.line());
    }

    #[test]
    fn other_files_are_refused() {
        for text in ["", "{}", &BOB.replace("\"3\"", "\"2\""), &BOB.replace("sr25519", "ecdsa")] {
            assert_eq!(KeyFile::parse(text).expect_err("is no key file").kind(), Kind::Key, "{text}");
        }
    }
}
