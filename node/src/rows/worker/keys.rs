//! The keys of a session that this node serves.

use ensemble_core::{
    attester::AttesterSignature,
    inference::{ask_bytes, served_bytes, Position, RangeIndex, SessionId},
    AttesterId,
};
use ensemble_rows::Keys;
use ensemble_runtime::Hash as BlockHash;
use ensemble_tensor::Hash;
use sp_core::{sr25519::Signature, Pair};

use crate::rows::keys::AttesterPair;

/// The worker's, which is here, and the gateway's.
pub struct SessionKeys {
    /// The first block of the chain.
    pub genesis: BlockHash,
    /// The session.
    pub session: SessionId,
    /// The worker's.
    pub worker: AttesterPair,
    /// The gateway's.
    pub gateway: AttesterId,
}

impl Keys for SessionKeys {
    fn sign(&self, range: RangeIndex, position: Position, row: &Hash) -> [u8; 64] {
        let bytes = served_bytes(&self.genesis, self.session, range, position, row);
        self.worker.sign(&bytes).into_inner().0
    }

    fn is_asked(&self, position: Position, signature: &[u8; 64]) -> bool {
        let signature = AttesterSignature::from(Signature::from_raw(*signature));
        AttesterPair::verify(&signature, ask_bytes(&self.genesis, self.session, position), &self.gateway)
    }
}
