//! What a machine sees of a connection: who is at the other end, that it stands, what came, that it fell.
//!
//! Machines have no sockets. The communication module turns a socket into [`NetEvent`]s and their answers
//! into bytes; when to call again after a fall, and when to ask whether the other side is still there, is
//! decided here, with time and chance as arguments.

use std::fmt;

use super::{
    address::AddressError,
    fault::{Busy, ClocksDiffer, FrameError},
    frame::Frame,
    hello::{Complaint, Greeting},
};
use crate::{
    certificate::{Certificate, CertificateFault, Class, VerifiedCertificate},
    crypto::signature::Kid,
    deal::Anonymity,
    fault::{Blame, Fault, Standing},
    party::PartyView,
    time::{Moment, Span},
};

crate::identifier! {
    /// What only the two ends of one TLS session can compute (RFC 8446, 7.5; label
    /// `EXPORTER-semper-deal`). A deal names that of the session it was opened or resumed on.
    Exporter, 32
}

/// How long a side may be silent before it says that it is there.
pub const QUIET: Span = Span::seconds(30);
/// After how much silence a connection counts as fallen.
pub const DEAD: Span = Span::seconds(90);

/// How the two ends agreed on their keys.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum KeyExchange {
    /// X25519 (RFC 7748): safe from the computers of today.
    X25519,
    /// X25519 together with ML-KEM-768 (FIPS 203): recorded traffic stays closed to quantum computers.
    X25519MlKem768,
}

impl KeyExchange {
    /// Whether what was recorded today stays closed to a quantum computer.
    pub const fn is_post_quantum(self) -> bool {
        matches!(self, Self::X25519MlKem768)
    }
}

impl fmt::Display for KeyExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X25519 => "X25519",
            Self::X25519MlKem768 => "X25519MLKEM768",
        })
    }
}

/// Who is at the other end, by the certificate of the connection.
///
/// This is who holds the key of the connection. In a deal that must be the key its opening named.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PeerView {
    /// The certificate, as it was verified when the connection was made.
    pub certificate: VerifiedCertificate,
    /// The certificate and those above it, as they were shown.
    pub chain: Vec<Certificate>,
}

impl PeerView {
    /// The key of the connection.
    pub fn kid(&self) -> Kid {
        self.certificate.kid()
    }

    /// How much the certificate says of its holder. Who made its own is not to be recognised again.
    pub fn anonymity(&self) -> Anonymity {
        match self.certificate.class() {
            Class::Anonymous => Anonymity::Anonymous,
            _ => Anonymity::Identified,
        }
    }

    /// The certified name, in a certificate that has one.
    pub fn name(&self) -> Option<&str> {
        match self.anonymity() {
            Anonymity::Identified => Some(self.certificate.subject().common_name.as_str()),
            Anonymity::Pseudonymous | Anonymity::Anonymous => None,
        }
    }

    /// How the party shows itself in a deal in which it signs with `kid`.
    pub fn party(&self, kid: Kid) -> PartyView {
        let certificate = self.certificate.digest();
        match self.name() {
            Some(name) => PartyView::Identified { certificate, kid, name: name.to_owned() },
            None => PartyView::Anonymous { kid },
        }
    }
}

/// A connection that stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionInfo {
    /// Who is at the other end.
    pub peer: PeerView,
    /// What binds statements to this connection.
    pub exporter: Exporter,
    /// How the keys were agreed.
    pub key_exchange: KeyExchange,
    /// Whether the network address is hidden from the peer.
    pub hidden: bool,
    /// What the two greeted each other with.
    pub greeting: Greeting,
}

/// The only inputs that a machine gets from the network.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NetEvent {
    /// A connection stands.
    Up(Box<SessionInfo>),
    /// A frame has come.
    Frame(Frame),
    /// The other side found something wrong with a frame of ours. Its word only.
    Complained(Complaint),
    /// The other side has no time now; we try again at this moment.
    Busy(Moment),
    /// The connection fell. While the deal lasts, it is built again.
    Down(Why),
}

/// Why a connection fell or never stood.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Why {
    /// We closed it.
    #[error("The connection was closed.")]
    Closed,
    /// The other side closed it, or the network broke it.
    #[error("The connection to the other side is lost.")]
    Lost,
    /// The other side was silent for too long, or did not take what we sent.
    #[error("The other side does not answer.")]
    Silent,
    /// Nobody answers at the address.
    #[error("Nobody can be reached at this address.")]
    Unreachable,
    /// The other side broke the protocol.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The other side is busy, or we are.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// Its address leads where nothing of ours goes.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The clocks differ too much for a frame of a deal.
    #[error(transparent)]
    Clocks(#[from] ClocksDiffer),
    /// The other side's certificate is refused.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// The certificate is right, but it is for another host or another key than was called.
    #[error("Somebody else answers at the address of {0}.")]
    SomebodyElse(String),
    /// No session came about; what TLS says is for the log. The other side may have refused our certificate.
    #[error("The two programs could not agree on a protected connection ({0}).")]
    Handshake(String),
}

impl Fault for Why {
    fn code(&self) -> &'static str {
        match self {
            Self::Closed => "net.closed",
            Self::Lost => "net.lost",
            Self::Silent => "net.silent",
            Self::Unreachable => "net.unreachable",
            Self::Frame(error) => error.code(),
            Self::Busy(busy) => busy.code(),
            Self::Address(error) => error.code(),
            Self::Clocks(error) => error.code(),
            Self::Certificate(fault) => fault.code(),
            Self::SomebodyElse(_) => "net.somebody-else",
            Self::Handshake(_) => "net.handshake",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Closed => Blame::Ourselves,
            Self::Frame(_) | Self::SomebodyElse(_) => Blame::Peer,
            Self::Address(error) => error.blame(),
            Self::Clocks(error) => error.blame(),
            Self::Certificate(fault) => fault.blame(),
            Self::Lost | Self::Silent | Self::Unreachable | Self::Busy(_) | Self::Handshake(_) => {
                Blame::Network
            }
        }
    }

    fn standing(&self) -> Standing {
        Standing::Undecided
    }
}

impl Why {
    /// Whether calling again would end alike until somebody does something about it.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Closed | Self::Address(_) | Self::SomebodyElse(_) => true,
            Self::Frame(error) => matches!(error, FrameError::Version { .. }),
            Self::Certificate(fault) => fault.blame() == Blame::Peer,
            Self::Lost | Self::Silent | Self::Unreachable | Self::Busy(_) | Self::Clocks(_) => false,
            Self::Handshake(_) => false,
        }
    }
}

/// When to call again: after 1, 2, 4 … 60 seconds at most, each time any span up to that ("full jitter"),
/// so that those who lost the same server do not come back at the same moment.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Retry {
    failures: u32,
    at_least: Span,
}

impl Retry {
    /// For a network where a connection is costly: never sooner than `at_least`.
    pub const fn not_sooner_than(at_least: Span) -> Self {
        Self { failures: 0, at_least }
    }

    /// How long to wait after one more failure. `chance` is any number, each as likely as the others.
    pub fn after_failure(&mut self, chance: u64) -> Span {
        const LONGEST: u64 = 60_000;
        let ceiling = 1_000_u64.checked_shl(self.failures.min(16)).unwrap_or(LONGEST).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let within = (u128::from(chance) * u128::from(ceiling + 1)) >> 64;
        Span::millis(u64::try_from(within).unwrap_or(LONGEST)).max(self.at_least)
    }

    /// How often it failed since a connection stood.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// A connection stands: the next failure is the first again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

/// When to say that we are there, and when the other side is not.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Heartbeat {
    spoke: Moment,
    heard: Moment,
}

/// What a heartbeat asks for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Beat {
    /// Nothing before this moment.
    Wait(Moment),
    /// Send a ping.
    Ping,
    /// The other side is gone.
    Dead,
}

impl Heartbeat {
    /// Of a connection that stands since `now`.
    pub const fn start(now: Moment) -> Self {
        Self { spoke: now, heard: now }
    }

    /// Something was sent.
    pub fn spoke(&mut self, now: Moment) {
        self.spoke = now;
    }

    /// Something has come.
    pub fn heard(&mut self, now: Moment) {
        self.heard = now;
    }

    /// What to do at `now`.
    pub fn beat(&self, now: Moment) -> Beat {
        if now.since(self.heard) >= DEAD {
            Beat::Dead
        } else if now.since(self.spoke) >= QUIET {
            Beat::Ping
        } else {
            Beat::Wait(self.spoke.after(QUIET).min(self.heard.after(DEAD)))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Moment = Moment::from_seconds(1_000);

    #[test]
    fn the_ceiling_doubles_from_one_second_to_sixty() {
        let mut retry = Retry::default();
        let longest: Vec<_> = (0..8).map(|_| retry.after_failure(u64::MAX).as_millis()).collect();
        assert_eq!(longest, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(retry.failures(), 8);
        retry.succeeded();
        assert_eq!(retry.after_failure(u64::MAX), Span::seconds(1));
    }

    #[test]
    fn a_costly_network_is_not_hurried() {
        let mut retry = Retry::not_sooner_than(Span::seconds(5));
        assert_eq!(retry.after_failure(0), Span::seconds(5));
    }

    #[test]
    fn a_quiet_side_pings_and_a_silent_one_is_dead() {
        let mut heart = Heartbeat::start(START);
        let at = |seconds| START.after(Span::seconds(seconds));
        assert_eq!(heart.beat(at(29)), Beat::Wait(at(30)));
        assert_eq!(heart.beat(at(30)), Beat::Ping);
        heart.spoke(at(30));
        assert_eq!(heart.beat(at(30)), Beat::Wait(at(60)));
        heart.spoke(at(80));
        assert_eq!(heart.beat(at(81)), Beat::Wait(at(90)));
        assert_eq!(heart.beat(at(90)), Beat::Dead);
        heart.heard(at(89));
        assert_eq!(heart.beat(at(90)), Beat::Wait(at(110)));
    }

    proptest! {
        #[test]
        fn every_wait_is_within_the_ceiling(chances in proptest::collection::vec(any::<u64>(), 0..100)) {
            let mut retry = Retry::default();
            for chance in chances {
                prop_assert!(retry.after_failure(chance) <= Span::seconds(60));
            }
            prop_assert!(retry.failures() <= 100);
        }
    }
}
