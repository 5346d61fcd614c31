//! The key with which a worker signs what it serves. It follows from the account's, so that there is no other secret to keep.

use std::sync::Arc;

use ensemble_compute::inference::signed::{ask_bytes, relay_bytes, served_bytes};
use ensemble_rows::Keys;

use crate::{
    chain::{AccountId32, H256},
    error::Error,
    keys::{Key, CONTEXT},
};

/// The step from the account's key to the worker's: `//rows`.
const STEP: &str = "rows";
/// What a key signs, in front of an account, to show that the account has it.
const OWNERSHIP: &[u8] = b"POP_";

/// The key of a worker, for one chain.
pub struct Attester {
    pair: schnorrkel::Keypair,
    genesis: H256,
}

impl Attester {
    /// That of an account.
    ///
    /// # Errors
    ///
    /// If the account's key is none of sr25519.
    pub fn of(account: &Key, genesis: H256) -> Result<Self, Error> {
        let pair = account.sr25519_child(STEP).ok_or_else(|| Error::BadKey {
            message: "an ed25519 key serves no rows: its worker's key would be of another scheme than the chain's"
                .into(),
            remedy: "use an sr25519 key; `ensemble key create NAME` makes one".into(),
        })?;
        Ok(Self { pair, genesis })
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.pair.public.to_bytes()
    }

    /// The chain's first block, to which all that it signs is bound.
    pub fn genesis(&self) -> &H256 {
        &self.genesis
    }

    /// Signs bytes.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.pair.sign_simple(CONTEXT, bytes).to_bytes()
    }

    /// Shows that an account has this key.
    pub fn proof(&self, account: &AccountId32) -> [u8; 64] {
        self.sign(&[OWNERSHIP, &account.0].concat())
    }

    /// Has the node of a peer id hand on what gateways send, once at each block number.
    pub fn relay(&self, peer: &[u8], at: u32) -> [u8; 64] {
        self.sign(&relay_bytes(&self.genesis.0, peer, &self.public(), at))
    }
}

/// The keys of one session.
pub struct SessionKeys {
    attester: Arc<Attester>,
    session: u32,
    gateway: [u8; 32],
}

impl SessionKeys {
    /// Those of a session whose gateway has this key.
    pub fn new(attester: Arc<Attester>, session: u32, gateway: [u8; 32]) -> Self {
        Self { attester, session, gateway }
    }
}

impl Keys for SessionKeys {
    fn sign(&self, range: u32, position: u32, row: &[u8; 32]) -> [u8; 64] {
        self.attester.sign(&served_bytes(&self.attester.genesis.0, self.session, range, position, row))
    }

    fn is_asked(&self, position: u32, signature: &[u8; 64]) -> bool {
        let bytes = ask_bytes(&self.attester.genesis.0, self.session, position);
        let public = schnorrkel::PublicKey::from_bytes(&self.gateway);
        let signature = schnorrkel::Signature::from_bytes(signature);
        matches!((public, signature), (Ok(public), Ok(signature)) if public.verify_simple(CONTEXT, &bytes, &signature).is_ok())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::keys::{parse_uri, Scheme};

    /// The key of a well-known account.
    pub fn attester(uri: &str) -> Attester {
        Attester::of(&key(Scheme::Sr25519, uri), H256([1; 32])).expect("is an sr25519 key")
    }

    fn key(scheme: Scheme, uri: &str) -> Key {
        Key::from_uri(scheme, &parse_uri(uri).expect("is a URI")).expect("is a key")
    }

    fn is_signed(attester: &Attester, bytes: &[u8], signature: &[u8; 64]) -> bool {
        let signature = schnorrkel::Signature::from_bytes(signature).expect("is a signature");
        attester.pair.public.verify_simple(CONTEXT, bytes, &signature).is_ok()
    }

    /// As polkadot.js derives it.
    #[test]
    fn the_key_is_the_hard_step_from_the_account_s() {
        let expected = "92f6e159e63216a269814d12ed5b4fa4f31c585752c8ebee07b7eede20e34375";
        assert_eq!(hex::encode(attester("//Alice").public()), expected);
        let refused = Attester::of(&key(Scheme::Ed25519, "//Alice"), H256::zero()).err().expect("is of another scheme");
        assert_eq!(refused.kind(), crate::Kind::Key);
    }

    #[test]
    fn what_is_signed_has_the_bytes_that_the_chain_and_nodes_check() {
        let (attester, account) = (attester("//Alice"), key(Scheme::Sr25519, "//Alice").account());
        let proof =
            hex::decode("504f505fd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d").expect("is");
        assert!(is_signed(&attester, &proof, &attester.proof(&account)));
        // Length and text, the first block, length and peer id, key, number.
        let relay =
            [b"\x38ensemble/relay".as_slice(), &[1; 32], b"\x0cabc", &attester.public(), &[7, 0, 0, 0]].concat();
        assert!(is_signed(&attester, &relay, &attester.relay(b"abc", 7)));
        // Length and text, the first block, session, range, position, row.
        let numbers = [3, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0];
        let served = [b"\x34ensemble/rows".as_slice(), &[1; 32], &numbers, &[5; 32]].concat();
        let keys = SessionKeys::new(Arc::new(self::attester("//Alice")), 3, [0; 32]);
        assert!(is_signed(&attester, &served, &keys.sign(1, 9, &[5; 32])));
    }

    #[test]
    fn a_gateway_asks_with_its_own_key() {
        let (gateway, genesis) = (attester("//Bob"), [1u8; 32]);
        let keys = SessionKeys::new(Arc::new(attester("//Alice")), 3, gateway.public());
        let signature = gateway.sign(&ask_bytes(&genesis, 3, 8));
        assert!(keys.is_asked(8, &signature));
        assert!(!keys.is_asked(9, &signature));
        assert!(!keys.is_asked(8, &attester("//Alice").sign(&ask_bytes(&genesis, 3, 8))));
        assert!(!keys.is_asked(8, &[0xff; 64]));
    }
}
