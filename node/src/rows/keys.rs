//! The keys with which a node takes part in sessions.

use std::sync::Arc;

use ensemble_core::{attester, AttesterId};
use sc_keystore::LocalKeystore;
use sp_application_crypto::AppCrypto;
use sp_keystore::Keystore;

/// Secret and public key of an attester.
pub type AttesterPair = <AttesterId as AppCrypto>::Pair;

/// The attester keys of a node.
pub trait Keyring: Send + Sync {
    /// All keys.
    fn keys(&self) -> Vec<AttesterId>;

    /// Whether the node has a key.
    fn has(&self, key: &AttesterId) -> bool;

    /// The key, to sign with. A worker asks once for a session: a signature is due for each token, and reading a key
    /// from the disk may take longer than a stage.
    fn pair(&self, key: &AttesterId) -> Option<AttesterPair>;
}

/// The node's keystore.
pub struct Keys(pub Arc<LocalKeystore>);

impl Keyring for Keys {
    fn keys(&self) -> Vec<AttesterId> {
        self.0.sr25519_public_keys(attester::KEY_TYPE).into_iter().map(Into::into).collect()
    }

    fn has(&self, key: &AttesterId) -> bool {
        self.0.has_keys(&[(AsRef::<[u8]>::as_ref(key).to_vec(), attester::KEY_TYPE)])
    }

    fn pair(&self, key: &AttesterId) -> Option<AttesterPair> {
        self.0.key_pair::<AttesterPair>(key).ok().flatten()
    }
}
