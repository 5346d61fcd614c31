//! Calling endpoints that strangers have written into the chain: only over http and https, only at public addresses,
//! without following redirects, and reading no more than so many bytes in so much time.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect::Policy,
    Client, Response, StatusCode, Url,
};
use serde::Deserialize;
use serde_json::Value;

use super::address::is_public;
use crate::{error::Error, visit};

/// Connections to one endpoint that are kept open between questions.
const IDLE_CONNECTIONS: usize = 1;

/// Calls endpoints.
#[derive(Clone, Debug)]
pub struct Caller {
    client: Client,
    most: usize,
    allows_private: bool,
}

/// What an endpoint answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The member `output` of its answer.
    pub output: Value,
    /// How long it took from the question to the last byte, in milliseconds.
    pub latency: u32,
}

/// Answers of endpoints.
#[derive(Deserialize)]
struct Body {
    output: Value,
}

impl Caller {
    /// A caller that waits for at most `patience`, and reads at most `most` bytes.
    ///
    /// # Errors
    ///
    /// If the system has no means for TLS.
    pub fn new(patience: Duration, most: usize, allows_private: bool) -> Result<Self, Error> {
        let builder = Client::builder()
            .timeout(patience)
            .redirect(Policy::none())
            // A proxy of the environment would look up names by itself.
            .no_proxy()
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .user_agent(concat!("ensemble/", env!("CARGO_PKG_VERSION")));
        let builder = match allows_private {
            true => builder,
            false => builder.dns_resolver(Arc::new(PublicNames)),
        };
        let client = builder.build().map_err(|error| Error::Other(format!("no HTTP client can be made: {error}")))?;
        Ok(Self { client, most, allows_private })
    }

    /// The URL of an endpoint, if it may be called.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn callable(&self, endpoint: &str) -> Result<Url, String> {
        let url = Url::parse(endpoint).map_err(|error| format!("its endpoint is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("its endpoint is {}, neither http nor https", url.scheme()));
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let is_private = host.parse::<IpAddr>().is_ok_and(|address| !is_public(address));
        if is_private && !self.allows_private {
            return Err(format!("its endpoint is the private address {host}"));
        }
        Ok(url)
    }

    /// Sends a body of JSON by POST, and returns the answer.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn ask(&self, url: Url, body: Vec<u8>, visit: Option<String>) -> Result<Answer, String> {
        let start = Instant::now();
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json").body(body);
        let request = match visit {
            Some(header) => request.header(visit::HEADER, header),
            None => request,
        };
        let response = request.send().await.map_err(|error| reason(&error))?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(format!("it answers with status {status}"));
        }
        let bytes = self.read(response).await?;
        let latency = u32::try_from(start.elapsed().as_millis()).unwrap_or(u32::MAX);
        let Body { output } =
            serde_json::from_slice(&bytes).map_err(|error| format!("its answer has no `output`: {error}"))?;
        Ok(Answer { output, latency })
    }

    /// The body of an answer, of which no more is read than may be.
    async fn read(&self, mut response: Response) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| reason(&error))? {
            if bytes.len() + chunk.len() > self.most {
                return Err(format!("it answers with more than {} bytes", self.most));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// What is at the bottom of an error, without the URL.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".into();
    }
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    format!("it cannot be called: {last}")
}

/// Finds the public addresses of names, and none else. It is asked for each connection, so that a name which changes its
/// address afterwards gains nothing.
struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(io::Error::other("its name has no public address").into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    fn caller(allows_private: bool) -> Caller {
        Caller::new(Duration::from_secs(2), 100, allows_private).expect("is made")
    }

    /// An endpoint that answers one request with these bytes, and then, if it should, goes on without end.
    async fn endpoint(answer: &'static str, endless: bool) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("has one");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("somebody comes");
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await.expect("is read");
            stream.write_all(answer.as_bytes()).await.expect("is written");
            while endless && stream.write_all(&[b' '; 1_000]).await.is_ok() {}
        });
        Url::parse(&format!("http://{address}/")).expect("is a URL")
    }

    #[test]
    fn only_public_endpoints_of_the_web_are_called() {
        let refused = [
            ("/ip4/1.2.3.4/tcp/80", "no URL"),
            ("ftp://example.com", "neither http nor https"),
            ("file:///etc/passwd", "neither http nor https"),
            ("http://127.0.0.1:9944", "private address"),
            ("http://0x7f.1/", "private address"),
            ("http://2130706433/", "private address"),
            ("https://[::1]/", "private address"),
            ("http://169.254.169.254/latest/meta-data", "private address"),
        ];
        for (endpoint, expected) in refused {
            let message = caller(false).callable(endpoint).expect_err("is refused");
            assert!(message.contains(expected), "{endpoint}: {message}");
        }
        assert!(caller(false).callable("https://models.example.com/v1").is_ok());
        assert!(caller(true).callable("http://127.0.0.1:7000").is_ok());
        assert!(caller(true).callable("file:///etc/passwd").is_err());
    }

    #[tokio::test]
    async fn a_name_of_a_private_address_is_not_called() {
        let url = Url::parse("http://localhost:9/").expect("is a URL");
        let message = caller(false).ask(url, Vec::new(), None).await.expect_err("is refused");
        assert!(message.contains("no public address"), "{message}");
    }

    #[tokio::test]
    async fn an_answer_has_an_output() {
        let url = endpoint("HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n{\"output\":[1,\"two\"]}", false).await;
        let answer = caller(true).ask(url, b"{}".to_vec(), None).await;
        assert!(answer.is_err(), "one byte is cut off");
        let url = endpoint("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{\"output\":[1,\"two\"]}", false).await;
        let answer = caller(true).ask(url, b"{}".to_vec(), None).await.expect("answers");
        assert_eq!(answer.output, serde_json::json!([1, "two"]));
    }

    #[tokio::test]
    async fn everything_else_is_no_answer() {
        let cases = [
            ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", false, "status 302"),
            ("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", false, "status 500"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", false, "no `output`"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n", true, "more than 100 bytes"),
            ("HTTP/1.1 200 OK\r\nx-", true, "cannot be called"),
            ("nonsense\r\n\r\n", false, "cannot be called"),
        ];
        for (answer, endless, expected) in cases {
            let url = endpoint(answer, endless).await;
            let message = caller(true).ask(url, b"{}".to_vec(), None).await.expect_err("is none");
            assert!(message.contains(expected), "{answer}: {message}");
        }
    }

    #[tokio::test]
    async fn who_is_silent_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/", listener.local_addr().expect("has one"));
        let url = Url::parse(&url).expect("is a URL");
        let caller = Caller::new(Duration::from_millis(50), 100, true).expect("is made");
        let message = caller.ask(url, Vec::new(), None).await.expect_err("is none");
        assert!(message.contains("in time"), "{message}");
    }
}
