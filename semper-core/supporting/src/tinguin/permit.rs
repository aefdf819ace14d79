//! The permit: the one thing that lets a key sign, money move or data leave.
//!
//! Two places mint permits: the gate, after a person confirmed exactly these bytes, and
//! [`crate::access::decide`], where the table allows the act without asking. A permit says which of the two
//! it was, is bound to the exact bytes of one statement, lives for thirty seconds, and is used up by its use:
//! it can be neither copied nor stored.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Serialize};

use crate::{
    crypto::digest::Digest,
    deal::DealId,
    evidence::statement::{self, Statement, StatementError},
    time::{Moment, Span},
};

/// How long a permit can be used after it was minted.
pub const LIFETIME: Span = Span::seconds(30);

/// The permission to do, once and soon, exactly what one statement says.
///
/// It is neither `Clone` nor serialisable, and nothing outside this crate makes one.
#[must_use = "a permit that is dropped permitted nothing"]
pub struct Permit<T> {
    bytes: Vec<u8>,
    digest: Digest,
    deal: Option<DealId>,
    minted: Moment,
    expires: Moment,
    by: MintedBy,
    of: PhantomData<fn() -> T>,
}

/// By whose authority a permit was minted. The journal keeps it beside the use of the key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum MintedBy {
    /// A person confirmed it at the trusted window.
    Gate {
        /// The digest of the record of what was displayed.
        record: Digest,
    },
    /// The table of access control allows it without asking.
    Rule(Rule),
}

/// Which rule of access control allowed an act without asking.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Rule {
    /// The table allows this subject this action.
    Table,
    /// The act belongs to a move that a person approved.
    Covered {
        /// The digest of the record of the prompt that covers it.
        record: Digest,
    },
    /// The act lies within a standing instruction.
    Standing {
        /// The digest of the instruction.
        instruction: Digest,
        /// The digest of the record of the prompt in which it was given.
        record: Digest,
    },
    /// The operator's policy demands it.
    Policy {
        /// The digest of the policy.
        policy: Digest,
    },
}

/// Why a permit does not permit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PermitError {
    /// It is older than [`LIFETIME`], or was minted after the moment it is used at.
    #[error("the permit is no longer valid")]
    Expired,
    /// It was minted for something else.
    #[error("the permit is for another statement")]
    WrongObject,
}

impl PermitError {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "permit.expired",
            Self::WrongObject => "permit.wrong-object",
        }
    }
}

impl<T> Permit<T> {
    /// The exact bytes that may be signed, sent or acted upon.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of these bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The deal it belongs to, if any.
    pub fn deal(&self) -> Option<DealId> {
        self.deal
    }

    /// The moment from which on it can no longer be used.
    pub fn expires(&self) -> Moment {
        self.expires
    }

    /// By whose authority it was minted.
    pub fn minted_by(&self) -> MintedBy {
        self.by
    }

    /// Checks that it can still be used.
    ///
    /// # Errors
    /// [`PermitError::Expired`].
    pub fn check(&self, now: Moment) -> Result<(), PermitError> {
        if self.minted <= now && now < self.expires { Ok(()) } else { Err(PermitError::Expired) }
    }
}

impl<T: Statement> Permit<T> {
    /// Uses the permit up and hands out what it permits, for acts that nobody signs.
    ///
    /// # Errors
    /// [`PermitError::Expired`].
    pub fn redeem(self, now: Moment) -> Result<T, PermitError> {
        self.check(now)?;
        statement::from_bytes(&self.bytes).map_err(|_| PermitError::WrongObject)
    }

    /// Mints a permit for `statement`. The gate and [`crate::access::decide`] are the only callers.
    ///
    /// # Errors
    /// [`StatementError`] for a value that has no text, or whose text is read as something else.
    pub(crate) fn mint(
        statement: &T,
        deal: Option<DealId>,
        by: MintedBy,
        now: Moment,
    ) -> Result<Self, StatementError> {
        let bytes = statement::to_bytes(statement)?;
        statement::from_bytes::<T>(&bytes)?;
        Ok(Self::of_bytes(bytes, deal, by, now))
    }

    /// Mints a permit for the bytes of a statement that the gate has shown.
    pub(super) fn of_bytes(bytes: Vec<u8>, deal: Option<DealId>, by: MintedBy, now: Moment) -> Self {
        let digest = Digest::of(&bytes);
        Self { bytes, digest, deal, minted: now, expires: now.after(LIFETIME), by, of: PhantomData }
    }
}

impl<T> fmt::Debug for Permit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({} until {}, {:?})", self.digest, self.expires, self.by)
    }
}
