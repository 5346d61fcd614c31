//! Tickets: what a buyer signs for the calls that it makes, and whether an endpoint may answer.
//!
//! A buyer signs a [`Receipt`] for each call: so many calls of this ticket are used, this one included. The endpoint
//! names a challenge, which is signed too, so that a receipt is of no use at another endpoint: the [`challenge`] of its
//! URL. It has its own node [`check`] the receipt, keeps the one with the highest number of calls, and redeems that.
//!
//! In JSON a signed receipt is `{ "ticket", "calls", "challenge", "signature" }`, the last two in hexadecimal.

use codec::{DecodeAll, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use subxt::{rpcs::rpc_params, utils::MultiSignature};

use crate::{
    chain::{
        hash_text,
        types::{ensemble_core::market as chain, sp_runtime},
        H256,
    },
    connection::Connection,
    context::hash,
    error::Error,
    keys::Key,
    send::blake2_256,
    views::hex_text,
};

/// Most bytes of a signature with the number of its scheme in front.
const MAX_SIGNATURE: usize = 66;

/// So many calls of a ticket are used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// The ticket.
    pub ticket: u64,
    /// How many of its calls are used, all before this one included.
    pub calls: u32,
    /// What the endpoint wants to be signed; zeros if it names nothing.
    pub challenge: H256,
}

/// A receipt and its buyer's signature.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct SignedReceipt {
    /// What was signed.
    pub receipt: Receipt,
    /// With which signature.
    pub signature: MultiSignature,
}

/// A signed receipt as it is sent and kept.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Written {
    /// The ticket.
    pub ticket: u64,
    /// How many of its calls are used, this one included.
    pub calls: u32,
    /// What the endpoint wants to be signed, 32 bytes in hexadecimal.
    #[serde(default = "no_challenge")]
    pub challenge: String,
    /// In hexadecimal: 64 bytes of an sr25519 key, or those of another scheme with its number in front.
    pub signature: String,
}

/// What the node says of a receipt that is good for a call.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Good {
    /// The ticket.
    pub ticket: u64,
    /// The module that it is for.
    pub module: u32,
    /// Who bought it.
    pub buyer: String,
    /// How many more calls it is good for after this one.
    pub left: u32,
    /// How many of its calls were redeemed.
    pub redeemed: u32,
    /// Last block in which it can be used.
    pub until: u32,
    /// Last block in which its calls, this one included, can be redeemed.
    pub redeemable_until: u32,
}

/// What an endpoint wants to be signed: the BLAKE2b-256 hash of the URL under which its clients know it.
pub fn challenge(endpoint: &str) -> H256 {
    H256(blake2_256(&[endpoint.as_bytes()]))
}

impl Receipt {
    /// What is signed. `genesis` is the hash of the chain's first block.
    pub fn message(&self, genesis: &H256) -> String {
        let Self { ticket, calls, challenge } = self;
        let (genesis, challenge) = (hash_text(genesis), hash_text(challenge));
        format!("ensemble/ticket/v1\nTicket {ticket}\ncalls used {calls}\non chain {genesis}\nchallenge {challenge}")
    }

    /// Signs it with the buyer's key.
    pub fn sign(self, genesis: &H256, key: &Key) -> SignedReceipt {
        SignedReceipt { receipt: self, signature: key.sign(self.message(genesis).as_bytes()) }
    }
}

impl SignedReceipt {
    /// The signature as nodes and endpoints take it.
    pub fn signature_text(&self) -> String {
        signature_text(&self.signature)
    }

    /// As the call `market.redeem` takes it.
    pub fn for_chain(&self) -> (chain::Receipt, sp_runtime::MultiSignature) {
        let Receipt { ticket, calls, challenge } = self.receipt;
        let signature = match &self.signature {
            MultiSignature::Ed25519(bytes) => sp_runtime::MultiSignature::Ed25519(*bytes),
            MultiSignature::Sr25519(bytes) => sp_runtime::MultiSignature::Sr25519(*bytes),
            MultiSignature::Ecdsa(bytes) => sp_runtime::MultiSignature::Ecdsa(*bytes),
        };
        (chain::Receipt { ticket, calls, challenge }, signature)
    }
}

impl From<SignedReceipt> for Written {
    fn from(signed: SignedReceipt) -> Self {
        let Receipt { ticket, calls, challenge } = signed.receipt;
        Self { ticket, calls, challenge: hash_text(&challenge), signature: signed.signature_text() }
    }
}

impl TryFrom<Written> for SignedReceipt {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { ticket, calls, challenge, signature } = written;
        let challenge = hash(&challenge).map_err(|error| format!("the challenge: {error}"))?;
        Ok(Self { receipt: Receipt { ticket, calls, challenge }, signature: signature_of(&signature)? })
    }
}

fn no_challenge() -> String {
    hash_text(&H256::zero())
}

/// A signature as nodes and endpoints take it: 64 bytes if it is of an sr25519 key, else with the scheme's number in front.
pub fn signature_text(signature: &MultiSignature) -> String {
    match signature {
        MultiSignature::Sr25519(bytes) => hex_text(bytes),
        other => hex_text(&other.encode()),
    }
}

/// Reads a signature that was written so.
///
/// # Errors
///
/// If it is none.
pub fn signature_of(text: &str) -> Result<MultiSignature, String> {
    let none = || "the signature: expected 0x and 64 bytes in hexadecimal, or 65 with the scheme in front".to_owned();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.len() > 2 * MAX_SIGNATURE {
        return Err(none());
    }
    let bytes = hex::decode(digits).map_err(|_| none())?;
    match <[u8; 64]>::try_from(bytes.as_slice()) {
        Ok(signature) => Ok(MultiSignature::Sr25519(signature)),
        Err(_) => MultiSignature::decode_all(&mut bytes.as_slice()).map_err(|_| none()),
    }
}

/// Has the node say whether a receipt is good for a call of `module`, after `served` calls of its ticket were answered.
///
/// # Errors
///
/// If it is not, the node's reason with its code: 23000 that it cannot read the chain, 23001 and on what is wrong.
pub async fn check(connection: &Connection, module: u32, signed: &SignedReceipt, served: u32) -> Result<Good, Error> {
    let Receipt { ticket, calls, challenge } = signed.receipt;
    let params = rpc_params![module, ticket, calls, signed.signature_text(), hash_text(&challenge), served];
    connection.request("ensemble_checkTicket", params).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{parse_uri, Scheme};

    const GENESIS: H256 = H256::repeat_byte(0xab);

    fn receipt() -> Receipt {
        Receipt { ticket: 17, calls: 42, challenge: H256::repeat_byte(1) }
    }

    fn key(scheme: Scheme) -> Key {
        Key::from_uri(scheme, &parse_uri("//Alice").expect("is a URI")).expect("is a key")
    }

    /// The text that `ensemble_core::market` has in its own test.
    #[test]
    fn what_is_signed_is_what_the_chain_checks() {
        let expected = "ensemble/ticket/v1\nTicket 17\ncalls used 42\non chain \
                        0xabababababababababababababababababababababababababababababababab\nchallenge \
                        0x0101010101010101010101010101010101010101010101010101010101010101";
        assert_eq!(receipt().message(&GENESIS), expected);
    }

    #[test]
    fn the_challenge_is_the_hash_of_the_url() {
        let expected = "0x38aec934084eed6b1a8f6c6e49357bfa58032ca9aed7cbcfadfd4b0564ee1866";
        assert_eq!(hash_text(&challenge("http://127.0.0.1:7000")), expected);
    }

    #[test]
    fn receipts_of_both_schemes_come_back_from_their_json() {
        for (scheme, bytes) in [(Scheme::Sr25519, 64), (Scheme::Ed25519, 65)] {
            let signed = receipt().sign(&GENESIS, &key(scheme));
            let text = serde_json::to_string(&signed).expect("is JSON");
            assert_eq!(signed.signature_text().len(), 2 + 2 * bytes);
            let again: SignedReceipt = serde_json::from_str(&text).expect("is a receipt");
            assert_eq!(again.receipt, receipt());
            assert_eq!(again.signature.encode(), signed.signature.encode());
        }
    }

    #[test]
    fn without_a_challenge_there_are_zeros() {
        let text = format!(r#"{{ "ticket": 1, "calls": 2, "signature": "0x{}" }}"#, "00".repeat(64));
        let signed: SignedReceipt = serde_json::from_str(&text).expect("is a receipt");
        assert_eq!(signed.receipt.challenge, H256::zero());
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let too_long = "00".repeat(1 << 20);
        let unknown_scheme = format!("0x09{}", "00".repeat(64));
        for text in ["", "0x", "0x12", "signature", too_long.as_str(), unknown_scheme.as_str()] {
            assert!(signature_of(text).is_err(), "{}", text.get(..20).unwrap_or(text));
        }
    }
}
