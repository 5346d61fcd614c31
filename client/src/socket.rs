//! The socket to a node.
//!
//! A node's RPC server writes small things one by one, and its system holds each back until the one before was acknowledged
//! (J. Nagle, RFC 896). The system here puts acknowledgements off by some 40 ms, in the hope that something is to be sent
//! with them. Where calls come from gateways that is what all of them would take; so this socket acknowledges what it
//! reads at once.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use subxt::{
    ext::jsonrpsee::{
        client_transport::ws::{Url, WsTransportClientBuilder},
        core::client::Client,
    },
    rpcs::{Error, RpcClient},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// What subscriptions told and nobody has read yet, at most.
const MAX_UNREAD: usize = 4096;

/// Connects to a node at a URL of WebSockets. Over TLS acknowledgements are as the system has them.
///
/// # Errors
///
/// If no node answers there.
pub async fn connect(address: &str) -> Result<RpcClient, Error> {
    let url = Url::parse(address).map_err(failed)?;
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return RpcClient::from_insecure_url(address).await;
    };
    if url.scheme() != "ws" {
        return RpcClient::from_insecure_url(address).await;
    }
    let stream = TcpStream::connect(format!("{host}:{port}")).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let transport = WsTransportClientBuilder::default().build_with_stream(url, Prompt(stream)).await;
    let (sender, receiver) = transport.map_err(failed)?;
    let client = Client::builder().max_buffer_capacity_per_subscription(MAX_UNREAD);
    Ok(RpcClient::new(client.build_with_tokio(sender, receiver)))
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Client(Box::new(error))
}

/// A connection that acknowledges at once what it reads.
struct Prompt(TcpStream);

impl Prompt {
    #[cfg(target_os = "linux")]
    fn acknowledge(&self) {
        // The system forgets this by itself. Without it, everything works, later.
        let _ = self.0.set_quickack(true);
    }

    #[cfg(not(target_os = "linux"))]
    fn acknowledge(&self) {}
}

impl AsyncRead for Prompt {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.0).poll_read(cx, buffer);
        if read.is_ready() {
            this.acknowledge();
        }
        read
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}
