//! The session key with which a validator's off-chain worker attests that content can be had.

use sp_application_crypto::{app_crypto, sr25519, KeyTypeId};

/// Key type of attester keys in a node's keystore.
pub const KEY_TYPE: KeyTypeId = KeyTypeId(*b"atst");

mod app {
    use super::{app_crypto, sr25519, KEY_TYPE};
    app_crypto!(sr25519, KEY_TYPE);
}

/// Public key of an attester.
pub type AttesterId = app::Public;
/// Signature made with an attester key.
pub type AttesterSignature = app::Signature;
