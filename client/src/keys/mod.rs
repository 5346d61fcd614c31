//! Keys: what signs, where it is kept, and how it is opened.
//!
//! A key lies in a file of its own, in the format in which polkadot.js exports accounts (version 3: scrypt and
//! xsalsa20-poly1305), so that either opens what the other wrote. Secrets are in memory for as long as they are needed,
//! and are overwritten afterwards; nothing prints or logs them.

mod json;
mod pair;
mod password;
mod store;
mod uri;
mod verify;

pub use json::{decrypt, encrypt, KeyFile, Meta};
pub(crate) use pair::CONTEXT;
pub use pair::{Key, Scheme};
pub use password::{ask, Password};
pub use store::{write_new, Store};
pub use uri::{generate_phrase, parse as parse_uri, SecretUri};
pub use verify::is_signed;

/// Whether a text names a well-known development key, such as `//Alice`, and not one of the store's.
pub fn is_development(name: &str) -> bool {
    name.starts_with("//")
}
