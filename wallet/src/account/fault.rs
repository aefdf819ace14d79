//! Why something with an account or a purse was not done.

use semper_host::{chance::NoChance, keyring::KeyringError, papers::PapersError};
use semper_supporting::{
    archive::StoreError,
    comm::address::{AddressError, Endpoint},
    evidence::statement::StatementError,
    fault::Fault as _,
    tinguin::facts::FactError,
};
use semper_trade::calls::CallFault;
use semper_transfer::payment::{PayError, manager::AttachError};

use crate::{consent::ConsentFault, places::PlacesFault};

/// Why something with an account or a purse was not done.
#[derive(Debug, thiserror::Error)]
pub enum AccountFault {
    /// The person declined, or was not asked.
    #[error(transparent)]
    Consent(#[from] ConsentFault),
    /// The bank cannot be reached, or its answer cannot be used.
    #[error(transparent)]
    Call(#[from] CallFault),
    /// The bank has not done it, and may yet. Nothing is lost: going on asks again.
    #[error("the bank at {address} has not done it yet ({code})")]
    NotYet {
        /// Where it is.
        address: Endpoint,
        /// What it said, a dotted code.
        code: String,
    },
    /// The bank has not done it and never will.
    #[error("the bank at {address} declined ({code})")]
    Declined {
        /// Where it is.
        address: Endpoint,
        /// Why, a dotted code.
        code: String,
    },
    /// Another bank answers than the one that was asked first.
    #[error("another bank answers at {0} than the one that was asked")]
    OtherBank(Endpoint),
    /// The bank's answer is to something else.
    #[error("the answer of the bank belongs to something else")]
    Answer,
    /// An earlier request about the same is undecided.
    #[error("an earlier request about this is not finished")]
    Interrupted,
    /// The purse changes all the time.
    #[error("the purse is in use")]
    Busy,
    /// There is no such purse.
    #[error("there is no such purse")]
    NoPurse,
    /// The wallet's owner has no certificate yet.
    #[error("not registered yet")]
    NotRegistered,
    /// The authority above the bank is not known by name.
    #[error("the authority that certified the bank is not known")]
    Issuer,
    /// The payment system refuses.
    #[error(transparent)]
    Pay(#[from] PayError),
    /// The payment system cannot be used.
    #[error(transparent)]
    Module(#[from] AttachError),
    /// What would be asked cannot be shown.
    #[error(transparent)]
    Facts(#[from] FactError),
    /// A statement cannot be read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The keys refuse.
    #[error(transparent)]
    Keys(#[from] KeyringError),
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The papers cannot be read.
    #[error(transparent)]
    Papers(#[from] PapersError),
    /// The places cannot be read.
    #[error(transparent)]
    Places(#[from] PlacesFault),
    /// The bank's address is not called.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
}

impl AccountFault {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Consent(fault) => fault.code(),
            Self::Call(fault) => fault.code(),
            Self::NotYet { .. } => "account.not-yet",
            Self::Declined { .. } => "account.declined",
            Self::OtherBank(_) => "account.other-bank",
            Self::Answer => "account.answer",
            Self::Interrupted => "account.interrupted",
            Self::Busy => "account.busy",
            Self::NoPurse => "account.no-purse",
            Self::NotRegistered => "membership.none",
            Self::Issuer => "account.issuer",
            Self::Pay(error) => error.code(),
            Self::Module(error) => error.code(),
            Self::Facts(error) => error.code(),
            Self::Statement(error) => error.code(),
            Self::Keys(_) => "wallet.keys",
            Self::Store(error) | Self::Places(PlacesFault::Store(error)) => error.code(),
            Self::Papers(PapersError::Store(error)) => error.code(),
            Self::Papers(PapersError::Certificate(fault)) => fault.code(),
            Self::Address(fault) | Self::Places(PlacesFault::Address(fault)) => fault.code(),
            Self::Chance(error) => error.code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use semper_supporting::comm::address::Surroundings;

    use super::*;
    use crate::{consent::Refused, membership::MembershipFault};

    const TEXTS: &str = include_str!("../../../assets/locale/en/setup.ftl");

    /// Whether there is a message of this code, with where things stand and what to do.
    fn is_told(code: &str) -> bool {
        let id = format!("{} = ", code.replace('.', "-"));
        let mut lines = TEXTS.lines().skip_while(|line| !line.starts_with(&id));
        let found = lines.next().is_some();
        let own: Vec<_> = lines.take_while(|line| line.starts_with(' ')).map(str::trim_start).collect();
        found && own.len() == 2 && own[0].starts_with(".standing = ") && own[1].starts_with(".advice = ")
    }

    #[test]
    fn every_fault_of_setting_up_has_words() {
        use semper_supporting::tinguin::{
            Critical,
            prompt::{DeclineReason, Withdrawn},
        };
        let address = || Endpoint::parse("bank.example:7443", Surroundings::Public).unwrap();
        let code = || "pay.declined".to_owned();
        let accounts = [
            AccountFault::NotYet { address: address(), code: code() },
            AccountFault::Declined { address: address(), code: code() },
            AccountFault::OtherBank(address()),
            AccountFault::Answer,
            AccountFault::Interrupted,
            AccountFault::Busy,
            AccountFault::NoPurse,
            AccountFault::NotRegistered,
            AccountFault::Issuer,
            ConsentFault::Declined(DeclineReason::Unsaid).into(),
            ConsentFault::Expired.into(),
            ConsentFault::Withdrawn(Withdrawn::Restart).into(),
            ConsentFault::Stale.into(),
            ConsentFault::Unavailable.into(),
            ConsentFault::Unasked(Critical::Pay).into(),
            ConsentFault::Draft("order".to_owned()).into(),
            ConsentFault::Lost.into(),
        ];
        let codes = accounts.iter().map(AccountFault::code).chain([
            MembershipFault::NotRegistered.code(),
            MembershipFault::NoAuthority.code(),
            MembershipFault::Enrol(semper_host::enrol::EnrolError::Answer).code(),
            Refused::NoPin.code(),
        ]);
        for code in codes {
            assert!(is_told(code), "{code} has no words");
        }
        assert!(!is_told("account.nothing"));
    }
}
