//! What a client sends: JSON by POST.
//!
//! `{ "ticket", "calls", "signature", "input" }`, of which a validator that visits leaves all but `input` out. The receipt
//! that is signed is that of [`tickets`](crate::tickets), its challenge the hash of the endpoint's URL.

use serde::Deserialize;
use serde_json::Value;

use super::refusal::Refused;
use crate::{
    chain::H256,
    tickets::{signature_of, Receipt, SignedReceipt},
};

/// The body of a request.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// What the service gets.
    pub input: Value,
    /// The ticket.
    #[serde(default)]
    pub ticket: Option<u64>,
    /// How many of its calls are used, this one included.
    #[serde(default)]
    pub calls: Option<u32>,
    /// The buyer's signature.
    #[serde(default)]
    pub signature: Option<String>,
}

impl Request {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// If it is no request.
    pub fn parse(body: &[u8]) -> Result<Self, Refused> {
        serde_json::from_slice(body).map_err(|error| {
            let remedy = "send {\"ticket\", \"calls\", \"signature\", \"input\"} as JSON";
            Refused::bad_request(format!("the body is no request: {error}"), remedy)
        })
    }

    /// Whether anything of a ticket is shown.
    pub fn has_ticket(&self) -> bool {
        self.ticket.is_some() || self.calls.is_some() || self.signature.is_some()
    }

    /// The receipt, for an endpoint with this challenge.
    ///
    /// # Errors
    ///
    /// If part of it is missing, or it is none.
    pub fn receipt(&self, challenge: H256) -> Result<SignedReceipt, Refused> {
        let (Some(ticket), Some(calls), Some(signature)) = (self.ticket, self.calls, &self.signature) else {
            return Err(Refused::no_ticket());
        };
        let remedy = "sign what `ensemble_ticketMessage` returns with the buyer's key";
        let signature = signature_of(signature).map_err(|error| Refused::bad_request(error, remedy))?;
        Ok(SignedReceipt { receipt: Receipt { ticket, calls, challenge }, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_an_input_and_a_receipt() {
        let text = format!(r#"{{ "ticket": 3, "calls": 2, "signature": "0x{}", "input": "x" }}"#, "00".repeat(64));
        let request = Request::parse(text.as_bytes()).expect("is one");
        let challenge = H256::repeat_byte(1);
        let receipt = request.receipt(challenge).expect("has one").receipt;
        assert_eq!(receipt, Receipt { ticket: 3, calls: 2, challenge });
    }

    #[test]
    fn what_is_none_is_refused_by_status() {
        for body in ["", "[]", "{}", "{\"input\": 1, \"ticket\": -1}", "{\"input\": 1, \"calls\": 4294967296}"] {
            assert_eq!(Request::parse(body.as_bytes()).expect_err("is none").status.as_u16(), 400, "{body}");
        }
        let part = Request::parse(br#"{ "input": 1, "ticket": 3 }"#).expect("is a request");
        assert!(part.has_ticket());
        assert_eq!(part.receipt(H256::zero()).expect_err("is none").status.as_u16(), 402);
        let no_signature = Request::parse(br#"{ "input": 1, "ticket": 3, "calls": 1, "signature": "0x12" }"#);
        let refused = no_signature.expect("is a request").receipt(H256::zero()).expect_err("is none");
        assert_eq!(refused.status.as_u16(), 400);
    }
}
