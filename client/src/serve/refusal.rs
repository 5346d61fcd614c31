//! Why a request is not answered: a status of HTTP, and JSON that says what to do.
//!
//! | status | why |
//! |---|---|
//! | 400 | the request is not understood |
//! | 401 | a validator's visit is not signed as it should be |
//! | 402 | no ticket, or one that is unknown, over or used up: buy one |
//! | 403 | a ticket of another module, a receipt that was used, a signature of somebody else's |
//! | 404, 405 | there is nothing at this path, or not with this method |
//! | 408, 413 | the body comes too slowly, or is too large |
//! | 409 | another call of the ticket comes first |
//! | 429 | too many in a minute |
//! | 502, 504 | what answers failed, or took too long: the call does not count |
//! | 503 | all hands are full, or the chain cannot be asked |

use std::time::Duration;

use hyper::StatusCode;
use serde_json::{json, Value};

use crate::error::Error;

/// A refusal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// The status.
    pub status: StatusCode,
    /// The number of the error of `ensemble_checkTicket`, if it is one.
    pub code: Option<i32>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// After which time it can go well, if that is known.
    pub retry_after: Option<Duration>,
}

impl Refused {
    /// A refusal.
    pub fn new(status: StatusCode, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status, code: None, message: message.into(), remedy: remedy.into(), retry_after: None }
    }

    /// The request is not understood.
    pub fn bad_request(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message, remedy)
    }

    /// A visit that is not a validator's.
    pub fn no_visit(message: impl Into<String>) -> Self {
        let remedy = "sign the visit with the key of the validator's owner, for this request, by a clock that is right";
        Self::new(StatusCode::UNAUTHORIZED, message, remedy)
    }

    /// There is no ticket.
    pub fn no_ticket() -> Self {
        let message = "the request needs `ticket`, `calls` and `signature`";
        Self::new(StatusCode::PAYMENT_REQUIRED, message, "buy a ticket on the market, and sign for each call")
    }

    /// A call of the ticket comes before this one.
    pub fn out_of_turn(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message, "send calls of a ticket one after the other")
    }

    /// Too many requests.
    pub fn too_many(of: &str, retry_after: Duration) -> Self {
        let message = format!("too many requests of this {of} in a minute");
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, message, "wait and try again")
        }
    }

    /// Everybody is busy.
    pub fn busy() -> Self {
        let message = "as many requests are being answered as can be at one time";
        let refused = Self::new(StatusCode::SERVICE_UNAVAILABLE, message, "wait and try again");
        Self { retry_after: Some(Duration::from_secs(1)), ..refused }
    }

    /// What the node says of a ticket that is not good.
    pub fn ticket(error: &Error) -> Self {
        let Error::NodeRefused { code, message, .. } = error else { return Self::no_chain(error) };
        let (status, remedy) = match code {
            23000 => (StatusCode::SERVICE_UNAVAILABLE, "wait and try again"),
            23001 | 23003 | 23004 | 23005 => (StatusCode::PAYMENT_REQUIRED, "buy another ticket of this module"),
            23002 => (StatusCode::FORBIDDEN, "call the module that the ticket is for, or buy one of this"),
            23006 | 23007 => (StatusCode::FORBIDDEN, "sign for one call more than the last one that was answered"),
            23008 => (StatusCode::FORBIDDEN, "sign with the buyer's key, for the URL of this endpoint"),
            _ => (StatusCode::BAD_REQUEST, "see what the message says"),
        };
        Self { code: Some(*code), ..Self::new(status, message.as_str(), remedy) }
    }

    /// The chain cannot be asked.
    pub fn no_chain(error: &Error) -> Self {
        let message = format!("the chain cannot be asked: {error}");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message, "wait and try again")
    }

    /// What the client gets.
    pub fn body(&self) -> Value {
        let mut body = json!({ "error": self.message, "remedy": self.remedy });
        if let Some(code) = self.code {
            body["code"] = code.into();
            body["error"] = format!("{code}: {}", self.message).into();
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_node_says_of_tickets_has_a_status() {
        let cases = [(23001, 402), (23002, 403), (23003, 402), (23005, 402), (23007, 403), (23008, 403), (23000, 503)];
        for (code, status) in cases {
            let error = Error::NodeRefused { method: "ensemble_checkTicket".into(), message: "because".into(), code };
            let refused = Refused::ticket(&error);
            assert_eq!(refused.status.as_u16(), status, "{code}");
            assert_eq!(refused.body()["error"], format!("{code}: because"));
            assert!(refused.body()["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()));
        }
        assert_eq!(Refused::ticket(&Error::Disconnected("gone".into())).status.as_u16(), 503);
    }
}
