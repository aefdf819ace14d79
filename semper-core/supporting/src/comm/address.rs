//! Addresses of programs: a host and a port, and which hosts may be called.
//!
//! An address can come from a link, from a certificate or from a person. Whatever its source, a program in
//! ordinary use never connects into the network it stands in: what is private, local or special is refused
//! before and after names are resolved, so that a link cannot make it knock at its owner's doors.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::fault::{Blame, Fault, Standing};

/// How long a host name may be, in bytes (RFC 1035, 2.3.4).
const NAME: usize = 253;
/// How long one part of it may be, in bytes.
const LABEL: usize = 63;
/// Names that mean the machine itself or the network it stands in (RFC 6761, RFC 6762, RFC 8375).
const LOCAL: [&str; 6] = ["localhost", "local", "internal", "intranet", "lan", "home.arpa"];

/// Where a program is to be reached.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Endpoint {
    host: Host,
    port: u16,
}

/// The host of an address.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Host {
    /// A number. Only a demonstration is called by number.
    Address(IpAddr),
    /// A name of the domain name system in small letters, without the dot at its end.
    Name(String),
}

/// In which surroundings a program runs.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Surroundings {
    /// Real use: the public network only.
    #[default]
    Public,
    /// A demonstration with play money, on one machine or in one house.
    Demo,
}

/// Why an address is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AddressError {
    /// It is not a host name and a port.
    #[error("This is not an address of the form shop.example:7443.")]
    Malformed,
    /// It leads into the network the program stands in.
    #[error("{0} is an address inside your own network. It is used in demonstrations only.")]
    Internal(String),
}

impl Fault for AddressError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "net.address",
            Self::Internal(_) => "uri.internal",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

impl Endpoint {
    /// Reads `shop.example:7443`, in a demonstration also `127.0.0.1:7443` and `[::1]:7443`.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str, surroundings: Surroundings) -> Result<Self, AddressError> {
        let (host, port) = text.rsplit_once(':').ok_or(AddressError::Malformed)?;
        let digits = !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| digits).ok_or(AddressError::Malformed)?;
        Self::new(Host::parse(host)?, port, surroundings)
    }

    /// The address of `host` at `port`.
    ///
    /// # Errors
    /// [`AddressError::Internal`] for a number or a local name in real use.
    pub fn new(host: Host, port: u16, surroundings: Surroundings) -> Result<Self, AddressError> {
        let inside = match &host {
            Host::Address(_) => true,
            Host::Name(name) => is_local(name),
        };
        if inside && surroundings == Surroundings::Public {
            return Err(AddressError::Internal(host.to_string()));
        }
        Ok(Self { host, port })
    }

    /// Its host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Host {
    /// Reads a host name, an IPv4 address, or an IPv6 address in brackets.
    ///
    /// # Errors
    /// [`AddressError::Malformed`]; a number written in another way than the usual is no name either.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address = inner.parse::<Ipv6Addr>().map_err(|_| AddressError::Malformed)?;
            return Ok(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(address.into()));
        }
        if is_name(text) { Ok(Self::Name(text.to_owned())) } else { Err(AddressError::Malformed) }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Whether a program may connect to `address`, which a name has led to.
///
/// # Errors
/// [`AddressError::Internal`] for an address that is not public, in real use.
pub fn admit(address: IpAddr, surroundings: Surroundings) -> Result<IpAddr, AddressError> {
    if surroundings == Surroundings::Public && !is_public(address) {
        return Err(AddressError::Internal(Host::Address(address).to_string()));
    }
    Ok(address)
}

/// Letters, digits and hyphens in parts of 1 to 63; the last part is no number, so that no other way of
/// writing an address passes for a name.
fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= NAME
        && text.split('.').all(label)
        && last.starts_with(|first: char| first.is_ascii_lowercase())
}

fn is_local(name: &str) -> bool {
    !name.contains('.') || LOCAL.iter().any(|local| name == *local || name.ends_with(&format!(".{local}")))
}

/// Whether an address is of the public network (IANA's registries of special-purpose addresses).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || matches!(
            (a, b, c),
            (0, ..) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18..=19, _)
        )
        || a >= 240;
    !special
}

/// Only global unicast is public there, and what carries an IPv4 address is as public as that one.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let [first, second, third, ..] = address.segments();
    let [.., a, b, c, d] = address.octets();
    match (first, second) {
        // NAT64, RFC 6052.
        (0x64, 0xff9b) => address.segments().get(2..6) == Some(&[0; 4]) && is_public_v4([a, b, c, d].into()),
        // 6to4, RFC 3056.
        (0x2002, _) => {
            let [a, b] = second.to_be_bytes();
            let [c, d] = third.to_be_bytes();
            is_public_v4([a, b, c, d].into())
        }
        // Protocol assignments, Teredo among them, and documentation.
        (0x2001, 0..=0x1ff | 0xdb8) => false,
        (0x3fff, 0..=0xfff) => false,
        _ => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn public(text: &str) -> Result<Endpoint, AddressError> {
        Endpoint::parse(text, Surroundings::Public)
    }

    #[test]
    fn an_address_is_a_name_and_a_port() {
        let endpoint = public("shop.example:7443").unwrap();
        assert_eq!(endpoint.host(), &Host::Name("shop.example".into()));
        assert_eq!((endpoint.port(), endpoint.to_string().as_str()), (7443, "shop.example:7443"));
        assert!(public("a-1.b.onion:1").is_ok());
    }

    #[test]
    fn anything_else_is_refused_not_repaired() {
        let long_label = format!("{}.example:1", "a".repeat(64));
        let long_name = format!("{}example:1", "abcdefgh.".repeat(28));
        for text in [
            "",
            ":",
            "shop.example",
            "shop.example:",
            ":7443",
            "shop.example:07443",
            "shop.example:+1",
            "shop.example:65536",
            "Shop.example:1",
            "shop.example.:1",
            ".shop:1",
            "a..b:1",
            "-a.example:1",
            "a-.example:1",
            "a_b.example:1",
            "shop.example:1:2",
            "bücher.example:1",
            "a b.example:1",
            "user@shop.example:1",
            "0x7f.1:1",
            "127.1:1",
            "1.2.3.4.5:1",
            "2130706433:1",
            "[::1:1",
            "::1:1",
            "[127.0.0.1]:1",
            "[fe80::1%eth0]:1",
            "127.0.0.01:1",
            &long_label,
            &long_name,
        ] {
            assert_eq!(Endpoint::parse(text, Surroundings::Demo), Err(AddressError::Malformed), "{text}");
        }
    }

    #[test]
    fn what_is_inside_is_reached_in_demonstrations_only() {
        for text in [
            "localhost:1",
            "shop.localhost:1",
            "printer.local:1",
            "router:1",
            "nas.home.arpa:1",
            "10.0.0.1:1",
            "127.0.0.1:1",
            "[::1]:1",
            "93.184.216.34:1",
            "db.internal:1",
        ] {
            let refused = public(text).unwrap_err();
            assert_eq!(refused.code(), "uri.internal", "{text}");
            assert_eq!(Endpoint::parse(text, Surroundings::Demo).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_name_that_leads_inside_is_refused_after_all() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001:db8::1",
            "2001::1",
            "3fff::1",
            "::7f00:1",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert!(admit(address, Surroundings::Public).is_err(), "{text}");
            assert_eq!(admit(address, Surroundings::Demo), Ok(address));
        }
        for text in
            ["93.184.216.34", "100.128.0.1", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
        {
            assert!(admit(text.parse().unwrap(), Surroundings::Public).is_ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(text in "\\PC{0,40}(:[0-9]{0,6})?") {
            if let Ok(endpoint) = Endpoint::parse(&text, Surroundings::Demo) {
                // An IPv6 address has several spellings; a name or an IPv4 address has one.
                if !text.starts_with('[') {
                    prop_assert_eq!(endpoint.to_string(), text);
                }
            }
        }
    }
}
