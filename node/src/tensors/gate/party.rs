//! Who asks for a content, and with which keys.

use std::sync::Arc;

use codec::{Decode, Encode};
use ensemble_core::{attester, exchange, exchange::Asker, TaskId};
use ensemble_runtime::{AccountId, Hash};
use ensemble_tensor::TensorId;
use sc_network_types::PeerId;
use sp_core::{crypto::ByteArray, sr25519, Pair};
use sp_keystore::KeystorePtr;

use super::{account_of, message, Chain, Challenge};
use crate::tensors::store::Mark;

/// Who asks a peer: an sr25519 key, and what it is the key of.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub enum Party {
    /// An account.
    Account([u8; 32]),
    /// The session key of a validator that attests.
    Attester([u8; 32]),
}

impl Party {
    fn key(&self) -> sr25519::Public {
        match *self {
            Self::Account(key) | Self::Attester(key) => sr25519::Public::from_raw(key),
        }
    }

    /// Whether it signed a message.
    pub fn verify(&self, message: &str, signature: &sr25519::Signature) -> bool {
        sr25519::Pair::verify(signature, message, &self.key())
    }
}

impl From<Party> for Asker<AccountId> {
    fn from(party: Party) -> Self {
        match party {
            Party::Account(_) => Self::Account(account_of(party.key())),
            Party::Attester(_) => Self::Attester(party.key().into()),
        }
    }
}

/// Signs for the node.
pub trait Signer: Send + Sync {
    /// Whom the node can speak for.
    fn parties(&self) -> Vec<Party>;

    /// A party's signature.
    fn sign(&self, party: &Party, message: &[u8]) -> Option<[u8; 64]>;
}

/// The keys in the node's keystore.
pub struct Keys(pub KeystorePtr);

impl Signer for Keys {
    fn parties(&self) -> Vec<Party> {
        let of = |key_type| self.0.sr25519_public_keys(key_type).into_iter();
        let readers = of(exchange::KEY_TYPE).map(|key| Party::Account(key.0));
        of(attester::KEY_TYPE).map(|key| Party::Attester(key.0)).chain(readers).collect()
    }

    fn sign(&self, party: &Party, message: &[u8]) -> Option<[u8; 64]> {
        let key_type = match party {
            Party::Account(_) => exchange::KEY_TYPE,
            Party::Attester(_) => attester::KEY_TYPE,
        };
        let signature = self.0.sr25519_sign(key_type, &party.key(), message).ok().flatten()?;
        signature.as_slice().try_into().ok()
    }
}

/// As whom a node asks others.
#[derive(Clone)]
pub struct Identity {
    /// The chain's first block.
    pub genesis: Hash,
    /// The node's own id.
    pub node: PeerId,
    /// Its keys.
    pub signer: Arc<dyn Signer>,
    /// What the node itself knows of the chain.
    pub chain: Arc<dyn Chain>,
}

impl Identity {
    /// The keys that are entitled by what the node knows of the chain, each with the mark by which it is, for the first
    /// so many marks that entitle any. No others are shown to anybody. May block.
    pub fn claims(&self, marks: &[Mark], most: usize) -> Vec<(Mark, Party)> {
        if marks.is_empty() {
            return Vec::new();
        }
        let (parties, best) = (self.signer.parties(), self.chain.best());
        let claims_by = |mark: &Mark| {
            let entitled = |party: &&Party| {
                matches!(self.chain.entitlement(best, &(**party).into(), mark.task, mark.content), Ok(Ok(_)))
            };
            parties.iter().filter(entitled).map(|party| (*mark, *party)).collect::<Vec<_>>()
        };
        marks.iter().map(claims_by).filter(|claims| !claims.is_empty()).take(most).flatten().collect()
    }

    /// The answer of a party to the challenge of `server`, for what won a task.
    pub fn answer(
        &self,
        party: &Party,
        server: PeerId,
        id: TensorId,
        task: TaskId,
        challenge: &Challenge,
    ) -> Option<[u8; 64]> {
        let message = message(&self.genesis, &server, Some((self.node, task)), id, challenge);
        self.signer.sign(party, message.as_bytes())
    }
}
