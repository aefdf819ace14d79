//! Why a service that was fetched is not used.

use semper_supporting::{
    certificate::CertificateFault,
    crypto::digest::Digest,
    evidence::{signed::EvidenceError, statement::StatementError},
    fault::{Blame, Fault, Standing},
};

use crate::service::TermsFault;

/// Why a service that was fetched is not used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ServiceFault {
    /// The file is not a package.
    #[error("The service file is damaged ({reason}).")]
    BadPackage {
        /// What is wrong with it.
        reason: String,
    },
    /// The terms in the package are not accepted.
    #[error(transparent)]
    Terms(#[from] TermsFault),
    /// What was to be packed makes no package.
    #[error("this makes no package: {reason}")]
    Unpackable {
        /// What is wrong with it.
        reason: String,
    },
    /// A statement about the service cannot be used.
    #[error("a statement about the service cannot be used: {reason}")]
    BadStatement {
        /// What is wrong with it.
        reason: String,
    },
    /// The shop signed other terms than those in the package.
    #[error("the shop signed other terms than those that came: {signed}, not {found}")]
    OtherTerms {
        /// What the statement names.
        signed: Digest,
        /// What came.
        found: Digest,
    },
    /// The shop does not offer the service now.
    #[error("the shop does not offer this service at present")]
    NotOffered,
    /// One shop signed two packages under one version.
    #[error(
        "This shop has signed two different texts under the same version {version}. Both are kept as evidence. \
         The service is blocked."
    )]
    Equivocation {
        /// The version.
        version: String,
    },
    /// A version below the one that was accepted.
    #[error("The shop offers an older version ({old}) than the one you accepted ({new}).")]
    Downgrade {
        /// What is offered.
        old: String,
        /// What was accepted.
        new: String,
    },
}

impl ServiceFault {
    pub(super) fn bad(reason: impl Into<String>) -> Self {
        Self::BadPackage { reason: reason.into() }
    }

    pub(super) fn unpackable(reason: impl Into<String>) -> Self {
        Self::Unpackable { reason: reason.into() }
    }

    pub(super) fn statement(reason: impl Into<String>) -> Self {
        Self::BadStatement { reason: reason.into() }
    }
}

impl From<StatementError> for ServiceFault {
    fn from(error: StatementError) -> Self {
        Self::statement(error.to_string())
    }
}

impl From<EvidenceError> for ServiceFault {
    fn from(error: EvidenceError) -> Self {
        Self::statement(error.to_string())
    }
}

impl From<CertificateFault> for ServiceFault {
    fn from(fault: CertificateFault) -> Self {
        Self::statement(fault.to_string())
    }
}

impl Fault for ServiceFault {
    fn code(&self) -> &'static str {
        match self {
            Self::BadPackage { .. } => "service.bad-package",
            Self::Terms(fault) => fault.code(),
            Self::Unpackable { .. } => "service.unpackable",
            Self::BadStatement { .. } => "service.bad-statement",
            Self::OtherTerms { .. } => "service.other-terms",
            Self::NotOffered => "service.not-offered",
            Self::Equivocation { .. } => "service.equivocation",
            Self::Downgrade { .. } => "service.downgrade",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Unpackable { .. } => Blame::User,
            _ => Blame::Peer,
        }
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}
