//! The connection to a node.

use std::{sync::Arc, time::Duration};

use serde::{de::DeserializeOwned, Deserialize};
use subxt::{
    backend::LegacyBackend,
    rpcs::{
        client::{RpcParams, RpcSubscription},
        rpc_params, RpcClient,
    },
    runtime_apis, OnlineClient,
};
use tokio::time::timeout;

use crate::{
    chain::{hash_text, At, Config, H256, SPEC_NAME},
    error::Error,
    socket,
};

/// Where a node is unless somebody says otherwise.
pub const DEFAULT_URL: &str = "ws://127.0.0.1:9944";

/// How long a node may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(15);

/// A node that answers, of a chain of this project.
#[derive(Clone, Debug)]
pub struct Connection {
    url: String,
    rpc: RpcClient,
    client: OnlineClient<Config>,
    identity: Identity,
}

/// Which chain a node belongs to.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Name of the chain.
    pub chain: String,
    /// Whether it is for development or one machine's tests, so that everybody knows its keys.
    pub is_development: bool,
    /// Its first block.
    pub genesis: H256,
    /// Version of the runtime.
    pub spec_version: u32,
    /// Version of the node.
    pub node_version: String,
}

/// What a node says of its runtime.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Runtime {
    spec_name: String,
    spec_version: u32,
}

impl Connection {
    /// Connects to the node at a URL: `ws` or `wss`, or `http` and `https`, which a node answers on the same port.
    ///
    /// # Errors
    ///
    /// If no node answers, or it is one of another network than `genesis` names.
    pub async fn open(url: &str, genesis: Option<H256>) -> Result<Self, Error> {
        let no_node = |reason: String| Error::NoNode { url: url.into(), reason };
        let address = websocket(url)?;
        let connecting = async {
            let rpc = socket::connect(&address).await.map_err(|error| no_node(innermost(&error)))?;
            let identity = Identity::of(&rpc).await?;
            Ok::<_, Error>((rpc, identity))
        };
        let (rpc, identity) = timeout(PATIENCE, connecting).await.map_err(|_| no_node("it is silent".into()))??;
        identity.check(genesis)?;
        let backend = LegacyBackend::<Config>::builder().build(rpc.clone());
        let config = Config::builder().use_historic_types(false).build();
        let client = OnlineClient::from_backend_with_config(config, Arc::new(backend)).await.map_err(Error::chain)?;
        Ok(Self { url: url.into(), rpc, client, identity })
    }

    /// Where the node is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which chain it belongs to.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The client underneath.
    pub fn client(&self) -> &OnlineClient<Config> {
        &self.client
    }

    /// The chain in its best block: what was just included is there, and may still be undone.
    ///
    /// # Errors
    ///
    /// If the node does not answer.
    pub async fn best(&self) -> Result<At, Error> {
        let hash: H256 = self.request("chain_getBlockHash", rpc_params![]).await?;
        self.at(hash).await
    }

    /// The chain in its last final block.
    ///
    /// # Errors
    ///
    /// If the node does not answer.
    pub async fn finalized(&self) -> Result<At, Error> {
        self.client.at_current_block().await.map_err(Error::chain)
    }

    /// The chain in a block.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or does not know the block.
    pub async fn at(&self, hash: H256) -> Result<At, Error> {
        self.client.at_block(hash).await.map_err(Error::chain)
    }

    /// Calls a method of the node.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or refuses.
    pub async fn request<T: DeserializeOwned>(&self, method: &str, params: RpcParams) -> Result<T, Error> {
        self.rpc.request(method, params).await.map_err(|error| Error::rpc(method, error))
    }

    /// Subscribes to news of the node.
    ///
    /// # Errors
    ///
    /// As [`Self::request`].
    pub async fn subscribe<T: DeserializeOwned>(
        &self,
        method: &str,
        params: RpcParams,
        unsubscribe: &str,
    ) -> Result<RpcSubscription<T>, Error> {
        self.rpc.subscribe(method, params, unsubscribe).await.map_err(|error| Error::rpc(method, error))
    }
}

/// Asks the runtime.
///
/// # Errors
///
/// If the node does not answer, or its runtime does not know this call.
pub async fn ask<P: runtime_apis::Payload>(at: &At, call: P) -> Result<P::ReturnType, Error> {
    at.runtime_apis().call(call).await.map_err(Error::chain)
}

impl Identity {
    async fn of(rpc: &RpcClient) -> Result<Self, Error> {
        let told = |method: &'static str| move |error| Error::rpc(method, error);
        let chain = async { rpc.request("system_chain", rpc_params![]).await.map_err(told("system_chain")) };
        let kind = async { rpc.request("system_chainType", rpc_params![]).await.map_err(told("system_chainType")) };
        let node = async { rpc.request("system_version", rpc_params![]).await.map_err(told("system_version")) };
        let first =
            async { rpc.request("chain_getBlockHash", rpc_params![0]).await.map_err(told("chain_getBlockHash")) };
        let runtime = async {
            rpc.request("state_getRuntimeVersion", rpc_params![]).await.map_err(told("state_getRuntimeVersion"))
        };
        let (chain, kind, node_version, genesis, runtime): (String, serde_json::Value, String, H256, Runtime) =
            tokio::try_join!(chain, kind, node, first, runtime)?;
        if runtime.spec_name != SPEC_NAME {
            return Err(Error::WrongNetwork {
                message: format!("the node's runtime is `{}`, not `{SPEC_NAME}`", runtime.spec_name),
                remedy: "name a node of Ensemble with --url",
            });
        }
        let is_development = matches!(kind.as_str(), Some("Development" | "Local"));
        Ok(Self { chain, is_development, genesis, spec_version: runtime.spec_version, node_version })
    }

    /// Refuses another network than the one that is meant.
    fn check(&self, genesis: Option<H256>) -> Result<(), Error> {
        match genesis {
            Some(meant) if meant != self.genesis => Err(Error::WrongNetwork {
                message: format!(
                    "the node is one of `{}`, which begins with block {}, not {}",
                    self.chain,
                    hash_text(&self.genesis),
                    hash_text(&meant)
                ),
                remedy: "name a node of the network that you mean with --url, or another one with --genesis",
            }),
            _ => Ok(()),
        }
    }
}

/// The URL under which the node takes subscriptions.
fn websocket(url: &str) -> Result<String, Error> {
    let usage = || Error::Usage {
        message: format!("`{url}` is no URL of a node"),
        remedy: format!("write for example {DEFAULT_URL}"),
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(usage)?;
    match scheme {
        "ws" | "wss" => Ok(url.into()),
        "http" => Ok(format!("ws://{rest}")),
        "https" => Ok(format!("wss://{rest}")),
        _ => Err(usage()),
    }
}

/// What is at the bottom of an error: what the system says.
fn innermost(error: &subxt::rpcs::Error) -> String {
    let mut last: &dyn std::error::Error = match error {
        subxt::rpcs::Error::Client(inner) => inner.as_ref(),
        other => other,
    };
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn urls_lead_to_websockets() {
        let cases = [
            ("ws://127.0.0.1:9944", "ws://127.0.0.1:9944"),
            ("http://127.0.0.1:9944", "ws://127.0.0.1:9944"),
            ("https://rpc.example.com/a", "wss://rpc.example.com/a"),
        ];
        for (url, expected) in cases {
            assert_eq!(websocket(url).expect("is a URL"), expected);
        }
        for url in ["127.0.0.1:9944", "ftp://x", ""] {
            assert_eq!(websocket(url).expect_err("is none").kind(), Kind::Usage, "{url}");
        }
    }

    #[tokio::test]
    async fn where_nobody_listens_there_is_no_node() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free").local_addr().expect("has one");
        let error = Connection::open(&format!("ws://{free}"), None).await.expect_err("nobody listens");
        assert_eq!(error.kind(), Kind::NoNode);
        assert!(error.line().contains("scripts/run"), "{}", error.line());
    }

    #[test]
    fn another_network_is_refused() {
        let genesis = H256::repeat_byte(1);
        let identity = Identity {
            chain: "Ensemble".into(),
            is_development: false,
            genesis,
            spec_version: 1,
            node_version: "0.1.0".into(),
        };
        assert!(identity.check(None).is_ok());
        assert!(identity.check(Some(genesis)).is_ok());
        let error = identity.check(Some(H256::repeat_byte(2))).expect_err("is another");
        assert_eq!(error.kind(), Kind::WrongNetwork);
    }
}
