//! Signed statements, and the difference between what we have checked and what somebody says.

use serde::{Deserialize, Serialize};

use super::statement::{self, Statement, StatementError};
use crate::{
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey, Signature, SignatureError},
    },
    time::{Moment, Span},
};

/// How far the time of a statement may be ahead of our clock.
const AHEAD: Span = Span::hours(24);

/// A statement that names the key it is signed with.
pub trait Signable: Statement {
    /// The value of its `signer` line.
    fn signer(&self) -> Kid;
}

/// The exact bytes of a statement and a signature over them, not yet checked.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct SignedBytes {
    /// The exact bytes that were signed.
    pub tbs: Vec<u8>,
    /// The signature over them.
    pub signature: Signature,
}

/// A value whose signature, form and signer were checked here. Keeps the bytes it was read from.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Verified<T> {
    value: T,
    bytes: SignedBytes,
    signer: Kid,
}

/// Somebody else's words, shown as such and never acted upon.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Claimed<T>(pub T);

/// Why signed bytes are not evidence.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EvidenceError {
    /// They are not a statement of the type expected here.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The statement names another signer than the key it is checked with.
    #[error("signed in the name of {named}, checked with the key {key}")]
    Signer {
        /// The signer the statement names.
        named: Kid,
        /// The key it was checked with.
        key: Kid,
    },
    /// The signature does not verify.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It says that it was made when it cannot have been: after the certificate of its signer had ended, or more than
    /// a day from now.
    #[error("The statement says that it was made at {stated}, which is later than {limit}.")]
    Time {
        /// When it says it was made.
        stated: Moment,
        /// The latest moment that can be.
        limit: Moment,
    },
}

impl EvidenceError {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Statement(error) => error.code(),
            Self::Signer { .. } => "stmt.signer",
            Self::Signature(_) => "stmt.signature",
            Self::Time { .. } => "stmt.time",
        }
    }
}

impl SignedBytes {
    /// The digest by which other statements name this one: SHA-256 of the signed bytes, without signature.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.tbs)
    }

    /// Checks type, form, signer and signature.
    ///
    /// Whether `key` belongs to whom the statement speaks for is the question of its certificate.
    ///
    /// # Errors
    /// [`EvidenceError`]; the bytes then prove nothing.
    pub fn verify<T: Signable>(self, key: &PublicKey) -> Result<Verified<T>, EvidenceError> {
        let value: T = statement::from_bytes(&self.tbs)?;
        let (named, kid) = (value.signer(), key.kid());
        if named != kid {
            return Err(EvidenceError::Signer { named, key: kid });
        }
        key.verify(&self.tbs, &self.signature)?;
        Ok(Verified { value, bytes: self, signer: kid })
    }
}

/// Checks the time at which a statement says it was made, its line `at` where it has one: not after the certificate
/// of its signer had ended at `until`, and at most a day after `now`, for clocks differ.
///
/// # Errors
/// [`EvidenceError::Time`]; [`EvidenceError::Statement`] for bytes that are no statement.
pub fn check_time(tbs: &[u8], until: Option<Moment>, now: Moment) -> Result<(), EvidenceError> {
    let lines = statement::lines(tbs)?;
    let at = lines.iter().find(|(key, _)| key == "at").and_then(|(_, at)| Moment::parse(at).ok());
    let ahead = now.after(AHEAD);
    let limit = until.map_or(ahead, |until| until.min(ahead));
    match at {
        Some(stated) if stated > limit => Err(EvidenceError::Time { stated, limit }),
        Some(_) | None => Ok(()),
    }
}

impl<T> Verified<T> {
    /// The value that was checked.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The bytes it was read from.
    pub fn bytes(&self) -> &SignedBytes {
        &self.bytes
    }

    /// The key that signed it.
    pub fn signer(&self) -> Kid {
        self.signer
    }

    /// The digest by which other statements name it.
    pub fn digest(&self) -> Digest {
        self.bytes.digest()
    }

    /// Gives up the bytes and keeps the value.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T> std::ops::Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_not_of_a_time_at_which_it_cannot_have_been_made() {
        let now = Moment::parse("2026-11-21T00:00:00Z").unwrap();
        let made = |at: &str| format!("semper-statement/1 test\nat: {at}\n");
        let check = |at: &str, until| check_time(made(at).as_bytes(), until, now);
        assert_eq!(check("2026-11-22T00:00:00Z", None), Ok(()));
        let late = check("2026-11-22T00:00:01Z", None).unwrap_err();
        assert_eq!(late.code(), "stmt.time");
        assert_eq!(
            late.to_string(),
            "The statement says that it was made at 2026-11-22T00:00:01Z, which is later than 2026-11-22T00:00:00Z."
        );
        let until = Moment::parse("2026-11-20T00:00:00Z").ok();
        assert_eq!(check("2026-11-20T00:00:00Z", until), Ok(()));
        assert_eq!(check("2026-11-20T00:00:01Z", until).unwrap_err().code(), "stmt.time");
        // Not everything says when it was made.
        assert_eq!(check_time(b"semper-statement/1 test\n", until, now), Ok(()));
    }
}
