//! The node as the worker's way to gateways: it hands their messages on, and takes the answers.

use base64::{engine::general_purpose::STANDARD, Engine};
use ensemble_rows::protocol::Message;
use serde::Deserialize;
use subxt::rpcs::{client::RpcSubscription, rpc_params};

use super::attester::Attester;
use crate::{
    connection::Connection,
    error::{Error, Kind},
    views::hex_text,
};

/// The subscription by which a node hands messages on.
const SUBSCRIBE: &str = "ensemble_serveRows";

/// What the node sends.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Item {
    /// From now on messages are handed on.
    Serving {
        /// What answers are given with.
        token: String,
    },
    /// A gateway sends something.
    Message {
        /// The encoded message, in base64.
        message: String,
    },
}

/// What a node does for a worker.
#[derive(Debug)]
pub enum News {
    /// It hands messages on.
    Serving,
    /// A gateway sends something.
    Message(Message),
}

/// A node that hands messages on, as long as the connection lasts.
pub struct Relay {
    items: RpcSubscription<Item>,
    token: String,
}

impl Relay {
    /// Has a node of a peer id hand messages on, in place of whoever had it do so with this key before.
    ///
    /// # Errors
    ///
    /// If the node does not.
    pub async fn open(connection: &Connection, attester: &Attester, peer: &[u8]) -> Result<Self, Error> {
        let best = connection.best().await?.block_number();
        let at = u32::try_from(best).unwrap_or(u32::MAX);
        let params = rpc_params![hex_text(&attester.public()), at, hex_text(&attester.relay(peer, at))];
        let items = connection.subscribe::<Item>(SUBSCRIBE, params, "ensemble_unserveRows").await?;
        Ok(Self { items, token: String::new() })
    }

    /// What comes next; nothing if the node hands on no more.
    ///
    /// # Errors
    ///
    /// If the connection was lost, or what comes is no message.
    pub async fn next(&mut self) -> Result<Option<News>, Error> {
        match self.items.next().await {
            None => Ok(None),
            Some(Ok(Item::Serving { token })) => {
                self.token = token;
                Ok(Some(News::Serving))
            },
            Some(Ok(Item::Message { message })) => read(&message).map(|message| Some(News::Message(message))),
            Some(Err(error)) => Err(Error::rpc(SUBSCRIBE, error)),
        }
    }

    /// What answers are given with.
    pub fn token(&self) -> String {
        self.token.clone()
    }
}

/// Gives a node an answer. One that it does not want, or not any more, is forgotten: who wants it asks again.
///
/// # Errors
///
/// If the connection was lost.
pub async fn answer(connection: &Connection, token: String, message: String) -> Result<(), Error> {
    match connection.request::<serde_json::Value>("ensemble_answerRows", rpc_params![token, message]).await {
        Err(error) if error.kind() == Kind::NoNode => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn read(text: &str) -> Result<Message, Error> {
    let bytes = STANDARD.decode(text).map_err(|error| no_message(&error.to_string()))?;
    Message::read(&bytes).map_err(|error| no_message(&error.to_string()))
}

fn no_message(reason: &str) -> Error {
    Error::OldMetadata(format!("what the node hands on is no message about rows: {reason}"))
}

#[cfg(test)]
mod tests {
    use ensemble_rows::protocol::End;

    use super::*;

    #[test]
    fn items_are_understood() {
        let item = |text: &str| serde_json::from_str::<Item>(text).expect("is an item");
        assert!(matches!(item(r#"{"kind":"serving","token":"0x01"}"#), Item::Serving { token } if token == "0x01"));
        let Item::Message { message } = item(r#"{"kind":"message","message":"AQEAAAACAAAA"}"#) else {
            panic!("is a message");
        };
        assert_eq!(read(&message).expect("is a message"), Message::End(End { session: 1, place: 2 }));
        for bad in ["", "?", "AQEAAAACAAAAAA=="] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
