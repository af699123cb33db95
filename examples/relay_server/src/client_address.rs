//! Where a connection comes from, as limits count it: the socket's address, or what a trusted proxy says.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hyper::HeaderMap;
use ipnet::IpNet;

/// The header in which proxies write the addresses that a request came through, the nearest last.
const HEADER: &str = "x-forwarded-for";

/// What limits count as one address: an IPv4 address, or the /64 network that one IPv6 customer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AddressKey(IpAddr);

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from(network))
            }
            v4 => v4,
        })
    }
}

impl AddressKey {
    /// The address, or the network's.
    #[cfg_attr(not(feature = "nats"), allow(dead_code, reason = "it is told to other nodes"))]
    pub(crate) fn ip(self) -> IpAddr {
        self.0
    }
}

impl fmt::Display for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The address of a request's client. If the socket's other end is a trusted proxy, it is the last address in the
/// header that is not itself one; otherwise it is the socket's other end.
pub(crate) fn of_request(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> AddressKey {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let peer = peer.ip().to_canonical();
    if !is_trusted(peer) {
        return peer.into();
    }
    let hops = headers.get_all(HEADER).iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = hops.flat_map(|value| value.split(',')).map(str::trim).collect();
    for hop in hops.into_iter().rev() {
        match written(hop) {
            Some(address) if is_trusted(address.to_canonical()) => {}
            Some(address) => return address.into(),
            // Our proxies did not write what stands to the left of something unreadable.
            None => break,
        }
    }
    peer.into()
}

/// An address as proxies write it: some add the port.
fn written(hop: &str) -> Option<IpAddr> {
    let bare = || hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let with_port = hop.parse().map(|address: SocketAddr| address.ip()).ok();
    with_port.or_else(|| bare().parse().ok())
}

/// The address of a connection that has sent nothing yet; `None` for a trusted proxy, because its clients are not known.
pub(crate) fn of_peer(peer: SocketAddr, trusted: &[IpNet]) -> Option<AddressKey> {
    let peer = peer.ip().to_canonical();
    (!trusted.iter().any(|network| network.contains(&peer))).then(|| peer.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> AddressKey {
        AddressKey::from(address.parse::<IpAddr>().unwrap())
    }

    fn of(peer: &str, header: &str) -> AddressKey {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, header.parse().unwrap());
        of_request(SocketAddr::new(peer.parse().unwrap(), 1), &headers, &["10.0.0.0/8".parse().unwrap()])
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_what_it_wrote_itself() {
        assert_eq!(of("192.0.2.1", "198.51.100.7"), key("192.0.2.1"));
        assert_eq!(of("10.1.2.3", "198.51.100.7"), key("198.51.100.7"));
        assert_eq!(of("10.1.2.3", "203.0.113.9, 198.51.100.7, 10.9.9.9"), key("198.51.100.7"));
        assert_eq!(of("10.1.2.3", "198.51.100.7, garbage"), key("10.1.2.3"));
        assert_eq!(of("::ffff:10.1.2.3", "198.51.100.7"), key("198.51.100.7"));
        assert_eq!(of("10.1.2.3", ""), key("10.1.2.3"));
    }

    #[test]
    fn a_port_beside_an_address_is_no_part_of_it() {
        assert_eq!(of("10.1.2.3", "198.51.100.7:567"), key("198.51.100.7"));
        assert_eq!(of("10.1.2.3", "198.51.100.7:567, 10.9.9.9:1"), key("198.51.100.7"));
        assert_eq!(of("10.1.2.3", "[2001:db8::1]:567"), key("2001:db8::1"));
        assert_eq!(of("10.1.2.3", "[2001:db8::1]"), key("2001:db8::1"));
        for bad in ["198.51.100.7:99999", "198.51.100.7:", "[2001:db8::1", "example.test:1"] {
            assert_eq!(of("10.1.2.3", bad), key("10.1.2.3"), "{bad}");
        }
    }

    #[test]
    fn an_ipv6_customer_is_one_address() {
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1:2:3"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
    }
}
