//! The `semper:` link: its reader, which repairs nothing, and its writer.
//!
//! ```text
//! semper://shop.example/fogra/offer/7Q2M-9XKD?k=0H7TNV4C8R2J5W9YQKX3BZ6FMD&m=77e2c1d09a3b4f10[&r=<return address>]
//! ```
//!
//! Amounts, names and texts are never in a link. [Its page](../../../../docs/handover.md) gives the grammar.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use semper_supporting::comm::address::{AddressError, Endpoint, Host, Surroundings};

use super::{Claim, HandoverFault, KeyPin, PairingCode, Reference};

/// The scheme, with what follows it.
const START: &str = "semper://";
/// How many bytes a link has at most.
pub const LINK: usize = 512;
/// The port of a link that names none.
pub const PORT: u16 = 7443;
/// How many characters the name of a shop has at most.
const SHOP: usize = 40;
/// How many characters a return address has at most, as it stands in a link.
const BACK: usize = 200;

/// A link that a page hands to a wallet. Nothing in it is believed: it says where to call and whose key to expect.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Link {
    /// Where the shop's program is to be called.
    pub at: Endpoint,
    /// The shop among those of that program.
    pub shop: ShopName,
    /// What the link is about.
    pub about: About,
    /// Which of them.
    pub reference: Reference,
    /// The claim on it.
    pub claim: Claim,
    /// Whose key the shop shows.
    pub pin: KeyPin,
    /// Where the page wants its reader back, if it says so.
    pub back: Option<Back>,
}

/// The name of a shop in links: 1 to 40 small letters, digits and hyphens.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ShopName(String);

/// What a link is about.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum About {
    /// To join a deal of several parties.
    Join,
    /// Who the shop is.
    Listing,
    /// An offer that waits for whoever claims it.
    Offer,
    /// To come back to a deal.
    Return,
    /// The terms of a service.
    Service,
}

/// A return address: `https`, or `http` on this very machine in a demonstration.
///
/// It is opened only when the person asks for it, never called with data, and only where [`Back::is_at`] says that it
/// belongs to the shop.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Back {
    address: String,
    host: Host,
}

impl Link {
    /// Reads a link. In real use it leads into the public network.
    ///
    /// # Errors
    /// [`HandoverFault::Link`]; [`HandoverFault::Internal`] for a number or a local name in real use.
    pub fn parse(text: &str, surroundings: Surroundings) -> Result<Self, HandoverFault> {
        use HandoverFault::Link as Bad;
        if text.len() > LINK {
            return Err(Bad("it is too long"));
        }
        let rest = text.strip_prefix(START).ok_or(Bad("it does not begin with semper://"))?;
        let (place, query) = rest.split_once('?').ok_or(Bad("its second half is missing"))?;
        let mut parts = place.split('/');
        let mut part = || parts.next().ok_or(Bad("it names no shop, or nothing in it"));
        let (host, shop, about, reference) = (part()?, part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(Bad("there is more behind what it points to"));
        }
        let (claim, pin, back) = read_query(query)?;
        Ok(Self {
            at: read_place(host, surroundings)?,
            shop: ShopName::new(shop)?,
            about: About::parse(about).ok_or(Bad("it is about nothing that is known"))?,
            reference: Reference::new(reference)?,
            claim: Claim::parse(claim)?,
            pin: KeyPin::parse(pin)?,
            back: back.map(|back| Back::decode(back, surroundings)).transpose()?,
        })
    }

    /// The code that the page and the trusted window both show.
    pub fn code(&self) -> PairingCode {
        PairingCode::of(&self.reference, &self.claim)
    }
}

/// Writes the link as it is read. It holds the claim: whoever reads it can claim.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{START}{}", self.at.host())?;
        if self.at.port() != PORT {
            write!(f, ":{}", self.at.port())?;
        }
        let Self { shop, about, reference, claim, pin, .. } = self;
        write!(f, "/{}/{}/{reference}?k={}&m={pin}", shop.as_str(), about.word(), claim.reveal())?;
        self.back.as_ref().map_or(Ok(()), |back| write!(f, "&r={}", back.encode()))
    }
}

impl About {
    const ALL: [Self; 5] = [Self::Join, Self::Listing, Self::Offer, Self::Return, Self::Service];

    /// Its word in a link.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Listing => "listing",
            Self::Offer => "offer",
            Self::Return => "return",
            Self::Service => "service",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|about| about.word() == word)
    }
}

impl ShopName {
    /// Takes a name.
    ///
    /// # Errors
    /// [`HandoverFault::Link`].
    pub fn new(text: &str) -> Result<Self, HandoverFault> {
        let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=SHOP).contains(&text.len()) && text.bytes().all(small) {
            Ok(Self(text.to_owned()))
        } else {
            Err(HandoverFault::Link("the name of the shop is none"))
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShopName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Back {
    /// Takes a return address: scheme, host, a port if need be, and a path of letters, digits, `/`, `.`, `_`, `~` and
    /// `-`.
    ///
    /// # Errors
    /// [`HandoverFault::Link`]; [`HandoverFault::Internal`] for a number or a local name in real use.
    pub fn new(address: &str, surroundings: Surroundings) -> Result<Self, HandoverFault> {
        const BAD: HandoverFault = HandoverFault::Link("its way back is no address of a page");
        let (rest, encrypted) = match (address.strip_prefix("https://"), address.strip_prefix("http://")) {
            (Some(rest), _) => (rest, true),
            (None, Some(rest)) => (rest, false),
            (None, None) => return Err(BAD),
        };
        let slash = rest.find('/').ok_or(BAD)?;
        let (place, path) = rest.split_at_checked(slash).ok_or(BAD)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._~-".contains(&byte);
        if !path.bytes().all(plain) || path.contains("//") || path.split('/').any(|part| part == "..") {
            return Err(BAD);
        }
        let at = read_at(place, 443, surroundings)?;
        let stays_here = surroundings == Surroundings::Demo && is_this_machine(at.host());
        if !encrypted && !stays_here {
            return Err(BAD);
        }
        let back = Self { address: address.to_owned(), host: at.host().clone() };
        if back.encode().len() > BACK {
            Err(HandoverFault::Link("its way back is too long"))
        } else {
            Ok(back)
        }
    }

    /// Whether it leads to one of the `hosts` that the shop's certificate names.
    pub fn is_at<'a>(&self, hosts: impl IntoIterator<Item = &'a str>) -> bool {
        matches!(&self.host, Host::Name(name) if hosts.into_iter().any(|host| host == name))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    fn encode(&self) -> String {
        BASE64URL_NOPAD.encode(self.address.as_bytes())
    }

    fn decode(text: &str, surroundings: Surroundings) -> Result<Self, HandoverFault> {
        const BAD: HandoverFault = HandoverFault::Link("its way back cannot be read");
        if text.len() > BACK {
            return Err(BAD);
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| BAD)?;
        Self::new(&String::from_utf8(bytes).map_err(|_| BAD)?, surroundings)
    }
}

/// Exactly `k`, `m` and perhaps `r`, in this order: what is missing, repeated, unknown or empty is refused here.
fn read_query(query: &str) -> Result<(&str, &str, Option<&str>), HandoverFault> {
    const BAD: HandoverFault = HandoverFault::Link("its second half is not k, m and perhaps r");
    let mut parts = query.split('&');
    let claim = parts.next().and_then(|part| part.strip_prefix("k=")).ok_or(BAD)?;
    let pin = parts.next().and_then(|part| part.strip_prefix("m=")).ok_or(BAD)?;
    let back = parts.next().map(|part| part.strip_prefix("r=").ok_or(BAD)).transpose()?;
    if parts.next().is_some() { Err(BAD) } else { Ok((claim, pin, back)) }
}

fn read_place(text: &str, surroundings: Surroundings) -> Result<Endpoint, HandoverFault> {
    read_at(text, PORT, surroundings)
}

/// A host, and a port if it is not the usual one.
fn read_at(text: &str, usual: u16, surroundings: Surroundings) -> Result<Endpoint, HandoverFault> {
    let has_port = text.rfind(':') > text.rfind(']');
    let read = if has_port {
        Endpoint::parse(text, surroundings)
    } else {
        Host::parse(text).and_then(|host| Endpoint::new(host, usual, surroundings))
    };
    read.map_err(|error| match error {
        AddressError::Malformed => HandoverFault::Link("its host is no name"),
        AddressError::Internal(host) => HandoverFault::Internal(host),
    })
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Address(address) => address.is_loopback(),
        Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
    }
}
