//! Endpoints: where a module is served, as a URL or a multiaddress. Pure, without allocation.
//!
//! - URLs (RFC 3986, the parts that a server needs): `http`, `https`, `ws` or `wss`; a domain name, an IPv4 address, or
//!   an IPv6 address in brackets; a port, if wanted; a path and a query, if wanted. No user, no fragment.
//! - Multiaddresses (<https://multiformats.io/multiaddr>): `/ip4`, `/ip6`, `/dns`, `/dns4` or `/dns6` with its value;
//!   `/tcp/PORT`, then `/ws`, `/wss`, `/http` or `/https` if wanted; or `/udp/PORT`, then `/quic-v1` if wanted; and
//!   `/p2p/PEER`, if wanted.
//!
//! It is checked that an address is well formed, not that somebody answers there.

use core::{
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use frame_support::ensure;

/// Most bytes of an endpoint.
pub const MAX_BYTES: u32 = 128;

/// Why bytes are no endpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndpointError {
    /// There are more than [`MAX_BYTES`].
    TooLong,
    /// They begin neither as a URL of a known scheme nor as a multiaddress.
    Scheme,
    /// The host is neither a domain name nor an IP address.
    Host,
    /// The port is not a number from 1 to 65535.
    Port,
    /// Path or query contain something that must not stand there.
    Path,
    /// The multiaddress has another part where only certain ones may follow.
    Protocol,
    /// The peer of the multiaddress is not an id in base58.
    Peer,
}

/// Checks that bytes are an endpoint.
///
/// # Errors
///
/// Says which part is wrong.
pub fn check(bytes: &[u8]) -> Result<(), EndpointError> {
    let limit = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX);
    ensure!(bytes.len() <= limit, EndpointError::TooLong);
    // What is not UTF-8 is neither.
    let text = core::str::from_utf8(bytes).map_err(|_| EndpointError::Scheme)?;
    match text.strip_prefix('/') {
        Some(parts) => check_multiaddress(parts),
        None => check_url(text),
    }
}

fn check_url(text: &str) -> Result<(), EndpointError> {
    let schemes = ["http://", "https://", "ws://", "wss://"];
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme)).ok_or(EndpointError::Scheme)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).ok_or(EndpointError::Host)?;
    check_authority(authority)?;
    check_path(path)
}

fn check_authority(authority: &str) -> Result<(), EndpointError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(EndpointError::Host)?;
            check_ip::<Ipv6Addr>(host)?;
            (None, port)
        },
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at_checked(end).ok_or(EndpointError::Host)?;
            (Some(host), port)
        },
    };
    host.map_or(Ok(()), check_host)?;
    match port.strip_prefix(':') {
        Some(port) => check_port(port),
        None if port.is_empty() => Ok(()),
        None => Err(EndpointError::Host),
    }
}

/// A host whose last label is a number is an IPv4 address, or nothing.
fn check_host(host: &str) -> Result<(), EndpointError> {
    match ends_in_number(host) {
        true => check_ip::<Ipv4Addr>(host),
        false => check_domain(host),
    }
}

/// Whether browsers take a host for an IPv4 address, which they also read in octal, hexadecimal and with parts left out
/// (WHATWG URL standard, 3.5, "ends in a number checker").
fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let decimal = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    decimal || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn check_domain(host: &str) -> Result<(), EndpointError> {
    ensure!(!ends_in_number(host), EndpointError::Host);
    let is_label = |label: &str| {
        let known = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        known && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    ensure!(host.split('.').all(is_label), EndpointError::Host);
    Ok(())
}

fn check_ip<Ip: FromStr>(host: &str) -> Result<(), EndpointError> {
    host.parse::<Ip>().map(drop).map_err(|_| EndpointError::Host)
}

fn check_port(port: &str) -> Result<(), EndpointError> {
    let plain = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    ensure!(plain && port.parse::<u16>().is_ok(), EndpointError::Port);
    Ok(())
}

/// Visible ASCII without what a URL must write as `%XX`, and without a fragment, which no server ever sees.
fn check_path(path: &str) -> Result<(), EndpointError> {
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'%' => [bytes.next(), bytes.next()].iter().all(|hex| hex.is_some_and(|hex| hex.is_ascii_hexdigit())),
            b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
            _ => byte.is_ascii_graphic(),
        };
        ensure!(fine, EndpointError::Path);
    }
    Ok(())
}

fn check_multiaddress(parts: &str) -> Result<(), EndpointError> {
    let mut parts = parts.split('/').peekable();
    check_address(&mut parts)?;
    check_transport(&mut parts)?;
    if parts.next_if_eq(&"p2p").is_some() {
        check_peer(parts.next().unwrap_or_default())?;
    }
    ensure!(parts.next().is_none(), EndpointError::Protocol);
    Ok(())
}

type Parts<'a> = core::iter::Peekable<core::str::Split<'a, char>>;

fn check_address(parts: &mut Parts) -> Result<(), EndpointError> {
    let protocol = parts.next().unwrap_or_default();
    let value = parts.next();
    let known = matches!(protocol, "ip4" | "ip6" | "dns" | "dns4" | "dns6");
    ensure!(known, EndpointError::Scheme);
    let value = value.ok_or(EndpointError::Host)?;
    match protocol {
        "ip4" => check_ip::<Ipv4Addr>(value),
        "ip6" => check_ip::<Ipv6Addr>(value),
        _ => check_domain(value),
    }
}

fn check_transport(parts: &mut Parts) -> Result<(), EndpointError> {
    let transport = parts.next().unwrap_or_default();
    let above: &[&str] = match transport {
        "tcp" => &["ws", "wss", "http", "https"],
        "udp" => &["quic-v1"],
        _ => return Err(EndpointError::Protocol),
    };
    check_port(parts.next().unwrap_or_default())?;
    // What else follows must be a peer, or the end.
    parts.next_if(|part| above.contains(part));
    Ok(())
}

/// A peer id: a SHA-256 hash (`Qm...`), or a short public key itself (`12D3KooW...` and the like), in base58.
fn check_peer(peer: &str) -> Result<(), EndpointError> {
    let base58 = |byte: u8| byte.is_ascii_alphanumeric() && !matches!(byte, b'0' | b'O' | b'I' | b'l');
    let hash = peer.starts_with("Qm") && peer.len() == 46;
    let key = peer.starts_with('1') && (52..=53).contains(&peer.len());
    ensure!((hash || key) && peer.bytes().all(base58), EndpointError::Peer);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{EndpointError::*, *};

    const PEER: &str = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

    fn checked(endpoint: &str) -> Result<(), EndpointError> {
        check(endpoint.as_bytes())
    }

    #[test]
    fn urls() {
        for url in [
            "http://localhost",
            "https://api.example.com/v1/chat?model=small&n=1",
            "ws://127.0.0.1:9944",
            "wss://node-1.example.org:443/",
            "https://[2001:db8::1]:8443/a%20b",
            "http://[::1]",
            "https://EXAMPLE.com?x=1",
            "https://0x.example.com",
            "https://a.0xyz",
            "https://xn--bcher-kva.example/~me/(1);a,b'c!*$@:+[]",
        ] {
            assert_eq!(checked(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn multiaddresses() {
        for address in [
            "/ip4/1.2.3.4/tcp/30333".into(),
            "/ip6/::1/udp/30333/quic-v1".into(),
            "/dns/example.com/tcp/443/wss".into(),
            "/dns4/example.com/tcp/80/http".into(),
            "/dns6/example.com/tcp/443/https".into(),
            "/ip4/1.2.3.4/udp/9".into(),
            format!("/ip4/1.2.3.4/tcp/30333/ws/p2p/{PEER}"),
            format!("/ip4/1.2.3.4/tcp/30333/p2p/{PEER}"),
            "/ip4/1.2.3.4/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N".into(),
        ] {
            assert_eq!(checked(&address), Ok(()), "{address}");
        }
    }

    #[test]
    fn what_is_none_is_told_why() {
        let cases = [
            (
                Scheme,
                vec![
                    "",
                    "example.com",
                    "ftp://example.com",
                    "http:/example.com",
                    "HTTP://a",
                    "file:///etc/passwd",
                    "javascript:alert(1)",
                    " http://a",
                    "/",
                    "//",
                    "/unix/socket/tcp/1",
                    "/tcp/80",
                    "/onion/x/tcp/1",
                ],
            ),
            (
                Host,
                vec![
                    "http://",
                    "http:///path",
                    "http://-a.com",
                    "http://a-.com",
                    "http://a..b",
                    "http://a.",
                    "http://.a",
                    "http://1.2.3",
                    "http://1.2.3.256",
                    "http://1.2.3.4.5",
                    "http://01.2.3.4",
                    "http://[::1",
                    "http://[1.2.3.4]",
                    "http://[::1]x",
                    "http://[fe80::1%eth0]",
                    "http://user@example.com",
                    "http://b\u{fc}cher.de",
                    "http://exa mple.com",
                    "http://a_b.com",
                    "http://0x7f.1",
                    "http://0x7f000001",
                    "http://127.0.0.0X1",
                    "http://a.0x",
                    "http://2130706433",
                    "/dns/1.2.3.4/tcp/1",
                    "/dns4/0x7f000001/tcp/1",
                    "/ip4",
                    "/ip4/1.2.3/tcp/1",
                    "/ip6/1.2.3.4/tcp/1",
                    "/dns/-/tcp/1",
                    "/dns//tcp/1",
                    "https://[]",
                ],
            ),
            (
                Port,
                vec![
                    "http://a:",
                    "http://a:0",
                    "http://a:65536",
                    "http://a:080",
                    "http://a:8a",
                    "http://a:+8",
                    "http://a:1:2",
                    "http://[::1]:",
                    "/ip4/1.2.3.4/tcp",
                    "/ip4/1.2.3.4/tcp/",
                    "/ip4/1.2.3.4/tcp/x",
                    "/ip4/1.2.3.4/udp/65536",
                ],
            ),
            (
                Path,
                vec![
                    "http://a/#top",
                    "http://a/b c",
                    "http://a/%",
                    "http://a/%2",
                    "http://a/%zz",
                    "http://a/<b>",
                    "http://a/\u{e4}",
                    "http://a/\n",
                    "http://a?\"",
                    "http://a/\u{202e}",
                ],
            ),
            (
                Protocol,
                vec![
                    "/ip4/1.2.3.4",
                    "/ip4/1.2.3.4/",
                    "/ip4/1.2.3.4/sctp/1",
                    "/ip4/1.2.3.4/tcp/1/",
                    "/ip4/1.2.3.4/tcp/1/quic-v1",
                    "/ip4/1.2.3.4/udp/1/ws",
                    "/ip4/1.2.3.4/tcp/1/ws/wss",
                    "/ip4/1.2.3.4/tcp/1/ip4/1.2.3.4",
                ],
            ),
            (
                Peer,
                vec![
                    "/ip4/1.2.3.4/tcp/1/p2p",
                    "/ip4/1.2.3.4/tcp/1/p2p/",
                    "/ip4/1.2.3.4/tcp/1/p2p/me",
                    "/ip4/1.2.3.4/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5S0",
                    "/ip4/1.2.3.4/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5",
                ],
            ),
        ];
        for (error, endpoints) in cases {
            for endpoint in endpoints {
                assert_eq!(checked(endpoint), Err(error), "{endpoint}");
            }
        }
        assert_eq!(check(b"\xff\xfe"), Err(Scheme));
        let long = format!("http://{}/{}", "a", "b".repeat(120));
        assert_eq!(checked(&long), Err(TooLong));
        assert_eq!(checked(&long[..128]), Ok(()));
        let after_peer = format!("/ip4/1.2.3.4/tcp/1/p2p/{PEER}/tcp/2");
        assert_eq!(checked(&after_peer), Err(Protocol));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in prop::collection::vec(any::<u8>(), 0..140)) {
            let _ = check(&bytes);
        }

        #[test]
        fn nor_does_what_looks_like_one(text in "(https?://|wss?://|/(ip4|ip6|dns)/)[\\[\\]a-z0-9.:/%é#-]{0,60}") {
            let _ = check(text.as_bytes());
        }

        #[test]
        fn what_passes_is_visible_ascii(text in "(https?://a|wss://a/|/dns/a/tcp/1|/dns/)([ -~]|\\PC|\\pC){0,4}") {
            let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
            prop_assert!(visible || checked(&text).is_err());
        }

        #[test]
        fn every_socket_address_can_be_written(ip in any::<[u8; 4]>(), ip6 in any::<[u16; 8]>(), port in 1u16..) {
            let (ip, ip6) = (Ipv4Addr::from(ip), Ipv6Addr::from(ip6));
            prop_assert_eq!(checked(&format!("wss://{ip}:{port}/x")), Ok(()));
            prop_assert_eq!(checked(&format!("https://[{ip6}]:{port}")), Ok(()));
            prop_assert_eq!(checked(&format!("/ip6/{ip6}/tcp/{port}/ws")), Ok(()));
        }
    }
}
