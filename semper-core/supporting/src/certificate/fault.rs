//! Why a certificate, a chain or a revocation list is refused.

use super::profile::CertRole;
use crate::{
    fault::{Blame, Fault, Standing},
    time::Moment,
};

/// Why a certificate, a chain or a revocation list is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFault {
    /// It breaks a rule of the profile.
    #[error("This certificate does not follow the rules ({what}).")]
    Profile {
        /// The rule, in a few words.
        what: String,
    },
    /// The chain is right, but nobody made this party what it claims to be.
    #[error("The certificate does not carry the role {expected}.")]
    WrongRole {
        /// The role that is needed here.
        expected: CertRole,
    },
    /// The certificate may be used, but not for this.
    #[error("The certificate is not meant for this use.")]
    WrongUsage,
    /// A certificate of the chain is not yet, or no longer, valid.
    #[error("Valid from {from} to {until}; now is {now}.")]
    NotValid {
        /// Its first moment.
        from: Moment,
        /// Its last moment.
        until: Moment,
        /// The moment of the check.
        now: Moment,
    },
    /// No chain of right signatures leads to a root that is trusted here.
    #[error("No trusted authority stands behind this certificate ({what}).")]
    Untrusted {
        /// What the path validation says, for the details.
        what: String,
    },
    /// The issuer has revoked it.
    #[error("The certificate was revoked.")]
    Revoked,
    /// There is no revocation list of the issuer.
    #[error("There is no revocation list of the authority that issued this certificate.")]
    ListMissing,
    /// The newest list is too old to rely on.
    #[error("The revocation list is {days} days old.")]
    ListStale {
        /// Its age in whole days.
        days: u64,
    },
    /// The list offered is older than the one already held, or another one with the same number.
    #[error("The revocation list has number {offered}; number {held} is already here.")]
    ListRollback {
        /// The number of the list held.
        held: u64,
        /// The number of the list offered.
        offered: u64,
    },
    /// The list is no list, or not signed by an authority that is known here.
    #[error("This is not a revocation list of a known authority ({what}).")]
    BadList {
        /// What is wrong with it.
        what: String,
    },
    /// A key that must not be certified: not Ed25519, of small order, possession not proven, certified before.
    #[error("This key cannot be certified.")]
    BadKey,
    /// The subject asked for cannot be written into a certificate of this class.
    #[error("The subject cannot be certified ({what}).")]
    BadSubject {
        /// What is wrong with it.
        what: String,
    },
}

impl CertificateFault {
    pub(crate) fn profile(what: impl Into<String>) -> Self {
        Self::Profile { what: what.into() }
    }

    pub(crate) fn subject(what: impl Into<String>) -> Self {
        Self::BadSubject { what: what.into() }
    }

    pub(crate) fn list(what: impl Into<String>) -> Self {
        Self::BadList { what: what.into() }
    }
}

impl Fault for CertificateFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Profile { .. } => "cert.profile",
            Self::WrongRole { .. } => "cert.wrong-role",
            Self::WrongUsage => "cert.wrong-usage",
            Self::NotValid { .. } => "cert.not-valid",
            Self::Untrusted { .. } => "cert.untrusted",
            Self::Revoked => "cert.revoked",
            Self::ListMissing => "crl.missing",
            Self::ListStale { .. } => "crl.stale",
            Self::ListRollback { .. } => "crl.rollback",
            Self::BadList { .. } => "crl.bad",
            Self::BadKey => "ca.bad-key",
            Self::BadSubject { .. } => "ca.bad-subject",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::ListMissing | Self::ListStale { .. } => Blame::Network,
            Self::ListRollback { .. } | Self::BadList { .. } => Blame::Authority,
            Self::BadSubject { .. } => Blame::User,
            _ => Blame::Peer,
        }
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}
