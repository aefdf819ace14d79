//! A purse: one installed instance of a payment system, and what is in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use semper_supporting::{
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    deal::Anonymity,
    money::{Currency, Money, MoneyError},
    time::Moment,
};

use super::{
    id::{AccountId, PurseId, SysId, TxId},
    negotiation::ExchangeNeeds,
};

/// A payment system as negotiation knows it: two brands of one protocol are two systems.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct System {
    /// The protocol.
    pub sys: SysId,
    /// The brand.
    pub brand: String,
    /// Who issues or keeps the value: the bank's name in the system.
    pub scheme: String,
}

/// What a purse is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum PurseKind {
    /// Pays only.
    PayOnly,
    /// A till: takes payments only.
    ReceiveOnly,
    /// Both.
    PayAndReceive,
}

/// How far a purse can be used.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum PurseState {
    /// In use.
    Open,
    /// Restored from an old backup: shows and asks the bank, but does not pay before it has compared.
    MustReconcile,
    /// Its secret is erased; records and evidence stay.
    Deleted,
}

/// A purse.
///
/// **Invariant.** What is available and what is reserved are never below zero and of one currency; their
/// sum changes only by [`PurseDelta::Take`] and [`PurseDelta::Put`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Purse {
    /// Its name for the program.
    pub id: PurseId,
    /// What it is for.
    pub kind: PurseKind,
    /// Its name for the user.
    pub name: String,
    /// Its payment system.
    pub system: System,
    /// Major and minor version of the protocol.
    pub version: (u16, u16),
    /// What it can do for an exchange.
    pub exchange: ExchangeNeeds,
    /// What a payee learns about the payer at most.
    pub anonymity: Anonymity,
    /// The bank that keeps its account.
    pub bank: PublicKey,
    /// The account at the bank.
    pub account: AccountId,
    /// The account it is loaded from.
    pub parent: Option<AccountId>,
    /// The key that disposes of the account.
    pub key: Kid,
    /// How far it can be used.
    pub state: PurseState,
    /// When the bank last confirmed what is in it.
    pub synced: Moment,
    available: Money,
    reserved: BTreeMap<TxId, Money>,
}

/// A change of what is in a purse, ordered by a module and checked by the manager.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum PurseDelta {
    /// Sets value aside for a payment.
    Reserve(TxId, Money),
    /// The value set aside is gone: the payment happened.
    Take(TxId),
    /// The value set aside is available again: the payment provably did not happen.
    Return(TxId),
    /// Value arrived: by loading, or because a payment was refunded. Names the record that proves it.
    Put(Money, Digest),
}

/// Why a change of a purse is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PurseError {
    /// There is less in it than is asked for.
    #[error("there is {available} in the purse, {asked} is needed")]
    Insufficient {
        /// What is in it and not set aside.
        available: Money,
        /// What is asked for.
        asked: Money,
    },
    /// Nothing is set aside under this payment, or something already is.
    #[error("the purse does not know this payment")]
    UnknownTx,
    /// The purse is closed, or must be compared with the bank first.
    #[error("the purse cannot be used now")]
    NotOpen,
    /// Something is still in it, or set aside.
    #[error("there is still {0} in the purse")]
    NotEmpty(Money),
    /// The sums do not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl PurseError {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Insufficient { .. } => "purse.insufficient",
            Self::UnknownTx => "pay.unknown-tx",
            Self::NotOpen => "purse.not-open",
            Self::NotEmpty(_) => "purse.not-empty",
            Self::Money(_) => "pay.money",
        }
    }
}

/// What a new purse is made of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PurseArgs {
    /// Its name for the program.
    pub id: PurseId,
    /// What it is for.
    pub kind: PurseKind,
    /// Its name for the user.
    pub name: String,
    /// Its payment system.
    pub system: System,
    /// Version of the protocol.
    pub version: (u16, u16),
    /// What it can do for an exchange.
    pub exchange: ExchangeNeeds,
    /// What a payee learns about the payer at most.
    pub anonymity: Anonymity,
    /// The bank's key.
    pub bank: PublicKey,
    /// The account at the bank.
    pub account: AccountId,
    /// The account it is loaded from.
    pub parent: Option<AccountId>,
    /// The key that disposes of the account.
    pub key: Kid,
    /// Its currency.
    pub currency: Currency,
    /// When it was made.
    pub at: Moment,
}

impl Purse {
    /// A new, empty purse.
    pub fn new(args: PurseArgs) -> Self {
        Self {
            id: args.id,
            kind: args.kind,
            name: args.name,
            system: args.system,
            version: args.version,
            exchange: args.exchange,
            anonymity: args.anonymity,
            bank: args.bank,
            account: args.account,
            parent: args.parent,
            key: args.key,
            state: PurseState::Open,
            synced: args.at,
            available: Money::zero(args.currency),
            reserved: BTreeMap::new(),
        }
    }

    /// Its one currency.
    pub fn currency(&self) -> Currency {
        self.available.currency
    }

    /// What can be spent.
    pub fn available(&self) -> Money {
        self.available
    }

    /// What is set aside for payments under way.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn reserved(&self) -> Result<Money, MoneyError> {
        self.reserved.values().try_fold(Money::zero(self.currency()), |sum, money| sum.checked_add(*money))
    }

    /// Whether it may pay at all.
    pub fn can_pay(&self) -> bool {
        self.state == PurseState::Open && self.kind != PurseKind::ReceiveOnly
    }

    /// The purse after `delta`.
    ///
    /// # Errors
    /// [`PurseError`]; the purse is then as it was.
    pub fn apply(&self, delta: &PurseDelta) -> Result<Self, PurseError> {
        let mut next = self.clone();
        match delta {
            PurseDelta::Reserve(tx, money) => {
                if !self.can_pay() {
                    return Err(PurseError::NotOpen);
                }
                next.available = self.available.checked_sub(*money).map_err(|error| match error {
                    MoneyError::Underflow => {
                        PurseError::Insufficient { available: self.available, asked: *money }
                    }
                    other => PurseError::Money(other),
                })?;
                if next.reserved.insert(*tx, *money).is_some() {
                    return Err(PurseError::UnknownTx);
                }
            }
            PurseDelta::Take(tx) => {
                next.reserved.remove(tx).ok_or(PurseError::UnknownTx)?;
            }
            PurseDelta::Return(tx) => {
                let money = next.reserved.remove(tx).ok_or(PurseError::UnknownTx)?;
                next.available = next.available.checked_add(money)?;
            }
            PurseDelta::Put(money, _) => next.available = next.available.checked_add(*money)?,
        }
        Ok(next)
    }

    /// The purse as the bank's books say it is: what is available is `funds` without what is set aside.
    ///
    /// Used after a load, an unload, and to reconcile a purse restored from an old backup.
    ///
    /// # Errors
    /// [`PurseError::Money`] if more is set aside than the bank has: a payment under way has been booked
    /// already, and its record is asked for first. [`PurseError::NotOpen`] for a deleted purse, which has no
    /// secret to pay with.
    pub fn reconciled(&self, funds: Money, at: Moment) -> Result<Self, PurseError> {
        if self.state == PurseState::Deleted {
            return Err(PurseError::NotOpen);
        }
        let mut next = self.clone();
        next.available = funds.checked_sub(self.reserved()?)?;
        next.synced = at;
        next.state = PurseState::Open;
        Ok(next)
    }

    /// The purse without its secret, which is possible only when nothing is in it.
    ///
    /// # Errors
    /// [`PurseError::NotEmpty`].
    pub fn deleted(&self) -> Result<Self, PurseError> {
        let total = self.available.checked_add(self.reserved()?)?;
        if !total.is_zero() || !self.reserved.is_empty() {
            return Err(PurseError::NotEmpty(total));
        }
        Ok(Self { state: PurseState::Deleted, ..self.clone() })
    }
}
