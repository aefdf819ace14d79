//! Why terms of business cannot be looked at, and why an evaluator is not trusted.

use std::{io, path::PathBuf};

use semper_commerce::download::ServiceFault;
use semper_host::{chance::NoChance, papers::PapersError};
use semper_supporting::{
    archive::StoreError, certificate::CertificateFault, comm::address::AddressError, fault::Fault as _,
};
use semper_tinguin::texts::{Msg, Texts};
use semper_trade::calls::CallFault;

use crate::{membership::MembershipFault, places::PlacesFault};

/// Why terms of business cannot be looked at, or an evaluator is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum TermsFault {
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The wallet cannot call anybody.
    #[error(transparent)]
    Membership(Box<MembershipFault>),
    /// The shop cannot be asked.
    #[error(transparent)]
    Call(#[from] CallFault),
    /// The address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The papers cannot be read.
    #[error(transparent)]
    Papers(#[from] PapersError),
    /// The places cannot be read.
    #[error(transparent)]
    Places(#[from] PlacesFault),
    /// What comes with this program cannot be packed.
    #[error(transparent)]
    Service(#[from] ServiceFault),
    /// A file cannot be read.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// The certificate is not one of an evaluator.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// Nobody said that the fingerprint was compared.
    #[error("the words {0} were not compared")]
    Unconfirmed(String),
    /// More than play money would depend on it.
    #[error("an evaluator is trusted here for play money only")]
    RealMoney,
    /// A grade, a sum or a time is not written so.
    #[error("{0:?} is not written so")]
    Form(String),
    /// Nobody of this key is trusted.
    #[error("no such evaluator is trusted")]
    NoEvaluator,
}

impl From<MembershipFault> for TermsFault {
    fn from(fault: MembershipFault) -> Self {
        Self::Membership(Box::new(fault))
    }
}

impl TermsFault {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Chance(error) => error.code(),
            Self::Membership(fault) => fault.code(),
            Self::Call(fault) => fault.code(),
            Self::Address(fault) => fault.code(),
            Self::Papers(PapersError::Store(error)) | Self::Places(PlacesFault::Store(error)) => error.code(),
            Self::Papers(PapersError::Certificate(fault)) | Self::Certificate(fault) => fault.code(),
            Self::Places(PlacesFault::Address(fault)) => fault.code(),
            Self::Service(fault) => fault.code(),
            Self::File(..) => "system.refused",
            Self::Unconfirmed(_) => "evaluator.unconfirmed",
            Self::RealMoney => "evaluator.real-money",
            Self::Form(_) => "evaluator.form",
            Self::NoEvaluator => "evaluator.unknown",
        }
    }

    /// Says it to a person.
    pub fn say(&self, texts: &Texts) -> String {
        match self {
            Self::File(path, error) => {
                let path = path.display().to_string();
                texts.get(Msg::SystemRefused { path: &path, reason: &error.to_string() })
            }
            Self::Unconfirmed(words) => texts.get(Msg::EvaluatorUnconfirmed { words }),
            Self::RealMoney => texts.get(Msg::EvaluatorRealMoney),
            Self::Form(text) => texts.get(Msg::EvaluatorForm { text }),
            Self::NoEvaluator => texts.get(Msg::EvaluatorUnknown),
            other => match texts.told(other.code(), &[]) {
                Some(told) => texts.get(Msg::FaultAdvice { what: &told.what, advice: &told.advice }),
                None => other.to_string(),
            },
        }
    }
}
