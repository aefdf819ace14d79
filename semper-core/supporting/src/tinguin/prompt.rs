//! The questions: twelve families of critical acts.

use serde::{Deserialize, Serialize};

/// The family a critical act belongs to. Finer names are keys of texts below a family.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Critical {
    /// Order, contract, receipt, statement, terms, opening of a deal, certificate request.
    Sign,
    /// A payment that stands alone.
    Pay,
    /// Both packages of a fair exchange.
    Exchange,
    /// A purse created, loaded, unloaded or closed.
    PurseMove,
    /// Personal data, a credential or an identity shown to somebody.
    Disclose,
    /// Terms of business or a module installed.
    Install,
    /// A trust anchor added, raised or removed.
    Trust,
    /// A dispute filed with an arbiter.
    Dispute,
    /// A standing allowance given.
    Allow,
    /// An own certificate or allowance taken back.
    Revoke,
    /// Archive, evidence or a backup exported, a delivered file saved or opened outside.
    Release,
    /// Limits raised, protection lowered, the seal, password or PIN changed.
    Setting,
}

impl Critical {
    /// All families.
    pub const ALL: [Self; 12] = [
        Self::Sign,
        Self::Pay,
        Self::Exchange,
        Self::PurseMove,
        Self::Disclose,
        Self::Install,
        Self::Trust,
        Self::Dispute,
        Self::Allow,
        Self::Revoke,
        Self::Release,
        Self::Setting,
    ];
}
