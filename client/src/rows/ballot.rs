//! Votes of a worker's key: what it commits to and opens, and the transactions for that, which no account signs and nobody
//! pays for.

use codec::{Compact, Decode, Encode};
use ensemble_tensor::{Header, TensorId};
use subxt::{rpcs::rpc_params, transactions::Payload};

use super::attester::Attester;
use crate::{
    chain::{
        ensemble,
        types::{
            ensemble_core::attester::app::{Public, Signature},
            pallet_tasks::types::{Opened, Sealed},
        },
        At, H256,
    },
    connection::Connection,
    error::Error,
    send::blake2_256,
    tensors::descriptor,
};

/// What commitments are signed under.
const SEALS: &[u8] = b"ensemble/vote-seals/v1";
/// What is signed under that opens them.
const OPENS: &[u8] = b"ensemble/vote-opens/v1";
/// A general transaction of version 5 with version 0 of the extensions. Of all extensions four have bytes: immortal, number
/// 0, no tip, no hash of metadata.
const GENERAL: [u8; 6] = [0x45, 0, 0, 0, 0, 0];

/// What a worker votes for, and what it commits with.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Ballot {
    /// The vote.
    pub task: u32,
    /// Kind and shape of the trace.
    pub header: Header,
    /// Its Merkle root.
    pub root: [u8; 32],
    /// What nobody else knows.
    pub salt: [u8; 32],
}

impl Ballot {
    /// The id of the trace.
    pub fn content(&self) -> TensorId {
        self.header.id(&self.root)
    }

    /// What a key commits to.
    pub fn commitment(&self, voter: &[u8; 32]) -> [u8; 32] {
        blake2_256(&[&self.content().0, voter, &self.task.to_le_bytes(), &self.salt])
    }

    /// The bytes that are signed with a commitment.
    fn sealed_bytes(&self, attester: &Attester) -> Vec<u8> {
        let (voter, task) = (attester.public(), self.task.to_le_bytes());
        [SEALS, attester.genesis().as_bytes(), &task, &voter, &self.commitment(&voter)].concat()
    }

    /// The bytes that are signed when it is opened.
    fn opened_bytes(&self, attester: &Attester) -> Vec<u8> {
        let task = self.task.to_le_bytes();
        let (voter, header) = (attester.public(), self.header.encode());
        [OPENS, attester.genesis().as_bytes(), &task, &voter, &header, &self.root, &self.salt].concat()
    }

    /// Sends the commitment.
    ///
    /// # Errors
    ///
    /// If the node does not take it.
    pub async fn commit(&self, connection: &Connection, best: &At, attester: &Attester) -> Result<(), Error> {
        let voter = attester.public();
        let sealed = Sealed { task: self.task, voter: Public(voter), commitment: H256(self.commitment(&voter)) };
        let signature = Signature(attester.sign(&self.sealed_bytes(attester)));
        submit(connection, best, &ensemble::transactions().tasks().commit_as_attester(sealed, signature)).await
    }

    /// Opens the commitment.
    ///
    /// # Errors
    ///
    /// If the node does not take it.
    pub async fn reveal(&self, connection: &Connection, best: &At, attester: &Attester) -> Result<(), Error> {
        let descriptor = descriptor(&self.header, self.root);
        let opened = Opened { task: self.task, voter: Public(attester.public()), descriptor, salt: self.salt };
        let signature = Signature(attester.sign(&self.opened_bytes(attester)));
        submit(connection, best, &ensemble::transactions().tasks().reveal_as_attester(opened, signature)).await
    }
}

/// Sends a call that no account signs, and that the chain lets in for what is in it.
async fn submit<C: Payload>(connection: &Connection, best: &At, call: &C) -> Result<(), Error> {
    let transactions = best.transactions();
    transactions.validate(call).map_err(Error::chain)?;
    let call = transactions.call_data(call).map_err(Error::chain)?;
    let encoded = format!("0x{}", hex::encode(general(&call)));
    connection.request::<H256>("author_submitExtrinsic", rpc_params![encoded]).await.map(drop)
}

/// The transaction of a call.
fn general(call: &[u8]) -> Vec<u8> {
    let len = GENERAL.len().saturating_add(call.len());
    [Compact(len as u64).encode().as_slice(), &GENERAL, call].concat()
}

#[cfg(test)]
pub(super) mod tests {
    use ensemble_tensor::Kind;

    use super::{super::attester::tests::attester, *};

    /// A ballot for some trace.
    pub fn ballot() -> Ballot {
        let header = Header::new(Kind::I32, 5, 16).expect("can be");
        Ballot { task: 7, header, root: [4; 32], salt: [3; 32] }
    }

    /// As `tests/harness/ballots.mjs` computes it.
    #[test]
    fn a_commitment_is_what_the_chain_computes() {
        let voter = attester("//Alice").public();
        let commitment = blake2_256(&[&[2; 32], &voter, &7u32.to_le_bytes(), &[3; 32]]);
        assert_eq!(hex::encode(commitment), "87506d4c229a87fb1550c7ad1be187d1ac2dcb001815e2f380d200b0eabb8192");
        let ballot = ballot();
        let parts = [&ballot.content().0, &voter, [7, 0, 0, 0].as_slice(), &[3; 32]];
        assert_eq!(ballot.commitment(&voter), blake2_256(&parts));
    }

    #[test]
    fn what_is_signed_is_domain_first_block_and_record() {
        let (attester, ballot) = (attester("//Alice"), ballot());
        let voter = attester.public();
        let sealed = [SEALS, &[1; 32], &[7, 0, 0, 0], &voter, &ballot.commitment(&voter)].concat();
        assert_eq!(ballot.sealed_bytes(&attester), sealed);
        // Kind i32 is number 3; then rows and columns.
        let header = [3, 5, 0, 0, 0, 16, 0, 0, 0];
        let opened = [OPENS, &[1; 32], &[7, 0, 0, 0], &voter, &header, &[4; 32], &[3; 32]].concat();
        assert_eq!(ballot.opened_bytes(&attester), opened);
    }

    #[test]
    fn a_transaction_without_a_signer_is_its_length_its_version_and_the_call() {
        assert_eq!(general(&[9, 8]), [8 << 2, 0x45, 0, 0, 0, 0, 0, 9, 8]);
    }
}
