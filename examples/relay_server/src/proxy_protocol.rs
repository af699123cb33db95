//! The PROXY protocol, versions 1 and 2: a proxy that does not read HTTP says with its first bytes where a connection comes from.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use proxy_header::{Error, ParseConfig, Protocol, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

/// Each header has at least this length, so nothing after it is read.
const SHORTEST: usize = "PROXY UNKNOWN\r\n".len();
/// Version 2 up to its length, which is in the last two bytes.
const V2_HEAD: usize = 16;
/// Including the addresses and what proxies add to them; the protocol would allow 64 KiB.
const LONGEST: usize = 1024;

/// Whether a connection of this address begins with such a header.
pub(crate) fn is_expected(peer: SocketAddr, proxies: &[IpNet]) -> bool {
    let peer = peer.ip().to_canonical();
    proxies.iter().any(|network| network.contains(&peer))
}

/// Reads the header and nothing after it. Returns the address that the proxy names, or the proxy's own address if the
/// connection is its own.
pub(crate) async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    peer: SocketAddr,
    within: Duration,
) -> io::Result<SocketAddr> {
    match timeout(within, read_header(stream)).await {
        Ok(named) => Ok(named?.unwrap_or(peer)),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn read_header<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<SocketAddr>> {
    let mut bytes = vec![0; SHORTEST];
    stream.read_exact(&mut bytes).await?;
    let config = ParseConfig { include_tlvs: false, ..ParseConfig::default() };
    loop {
        match ProxyHeader::parse(&bytes, config) {
            Ok((header, _)) => {
                let address = header.proxied_address().filter(|address| address.protocol == Protocol::Stream);
                return Ok(address.map(|address| address.source));
            }
            Err(Error::BufferTooShort) => {}
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
        let read = bytes.len();
        // A line has to be read to its end, byte by byte; the parser bounds it.
        let until = if bytes.starts_with(b"P") { Some(read.saturating_add(1)) } else { v2_until(&bytes) };
        let until = until.filter(|until| *until > read && *until <= LONGEST);
        bytes.resize(until.ok_or(io::ErrorKind::InvalidData)?, 0);
        if let Some(rest) = bytes.get_mut(read..) {
            stream.read_exact(rest).await?;
        }
    }
}

/// Where the next part of version 2 ends.
fn v2_until(bytes: &[u8]) -> Option<usize> {
    match bytes.get(V2_HEAD.checked_sub(2)?..V2_HEAD) {
        Some(length) => V2_HEAD.checked_add(usize::from(u16::from_be_bytes(length.try_into().ok()?))),
        None => Some(V2_HEAD),
    }
}

#[cfg(all(test, not(shuttle)))]
#[allow(clippy::unwrap_used, reason = "a test ends where its own data is wrong")]
mod tests {
    use proxy_header::{ProxiedAddress, Tlv};

    use super::*;

    const WITHIN: Duration = Duration::from_secs(1);

    fn peer() -> SocketAddr {
        "10.0.0.1:1".parse().unwrap()
    }

    /// What is read, and what is left for whoever reads next.
    async fn read_all(bytes: &[u8]) -> (io::Result<SocketAddr>, Vec<u8>) {
        let mut stream = bytes;
        let named = read(&mut stream, peer(), WITHIN).await;
        (named, stream.to_vec())
    }

    fn v2(source: &str, tlvs: &[Tlv<'_>]) -> Vec<u8> {
        let source: SocketAddr = source.parse().unwrap();
        let address = ProxiedAddress::stream(source, SocketAddr::new(source.ip(), 443));
        let mut bytes = Vec::new();
        ProxyHeader::with_tlvs(Some(address), tlvs.to_vec()).encode_v2(&mut bytes).unwrap();
        bytes
    }

    #[tokio::test]
    async fn the_named_address_is_taken_and_what_follows_is_left() {
        let authority = [Tlv::Authority("relay.example.test".into())];
        for (header, expected) in [
            (b"PROXY TCP4 198.51.100.7 192.0.2.1 51234 443\r\n".to_vec(), "198.51.100.7:51234"),
            (b"PROXY TCP6 2001:db8::7 2001:db8::1 51234 443\r\n".to_vec(), "[2001:db8::7]:51234"),
            (b"PROXY UNKNOWN\r\n".to_vec(), "10.0.0.1:1"),
            (b"PROXY UNKNOWN whatever it was\r\n".to_vec(), "10.0.0.1:1"),
            (v2("198.51.100.7:51234", &[]), "198.51.100.7:51234"),
            (v2("[2001:db8::7]:51234", &authority), "[2001:db8::7]:51234"),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\x00\0\0".to_vec(), "10.0.0.1:1"),
        ] {
            let (named, left) = read_all(&[&header[..], b"GET / HTTP/1.1"].concat()).await;
            assert_eq!(named.unwrap(), expected.parse().unwrap(), "{}", header.escape_ascii());
            assert_eq!(left, b"GET / HTTP/1.1", "{}", header.escape_ascii());
        }
    }

    #[tokio::test]
    async fn anything_else_is_an_error_and_no_more_is_read_than_a_header_may_have() {
        let v2_head = |length: u16| [b"\r\n\r\n\0\r\nQUIT\n\x21\x11".as_slice(), &length.to_be_bytes()].concat();
        for bytes in [
            b"GET /ws/instance HTTP/1.1\r\nHost: h\r\n\r\n".to_vec(),
            [b"PROXY TCP4 ".as_slice(), &[b'1'; 2000]].concat(),
            b"PROXY TCP4 198.51.100.7 192.0.2.1 51234 443\n\nGET / HTTP/1.1".to_vec(),
            [v2_head(u16::MAX), vec![0; 70_000]].concat(),
            [v2_head(3), vec![0; 3]].concat(),
            b"PROXY TC".to_vec(),
        ] {
            let (named, left) = read_all(&bytes).await;
            assert!(named.is_err(), "{}", bytes.escape_ascii());
            assert!(bytes.len() - left.len() <= LONGEST, "{} bytes were read", bytes.len() - left.len());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_that_says_nothing_is_given_up() {
        let (mut stream, _other) = tokio::io::duplex(64);
        let error = read(&mut stream, peer(), WITHIN).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn it_is_expected_of_the_proxies_alone() {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        assert!(is_expected(peer(), &proxies) && is_expected("[::ffff:10.0.0.1]:1".parse().unwrap(), &proxies));
        assert!(!is_expected("192.0.2.1:1".parse().unwrap(), &proxies) && !is_expected(peer(), &[]));
    }
}
