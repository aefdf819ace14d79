//! The laws every item kind keeps, as a suite that any implementation passes against its real or simulated
//! authority.
//!
//! The exchange layer is proved fair under these laws, so a module that breaks one breaks every protocol that
//! uses it. A module's tests say `semper_transfer::conformance!(name, subject());`, where the subject is the
//! module with its authority ([`Subject`]); each law becomes one test.
//!
//! A law about a property speaks of those who offer it: what
//! [`ExchangeEnabled::props`](crate::property::ExchangeEnabled::props) returns decides which laws bite, and
//! offering less is always allowed.

mod keeping;
mod making;
mod subject;

use std::fmt;

pub use self::subject::{Case, Holder, Subject};

/// The laws by name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Law {
    /// L1: what happened under one binding satisfies no other, and records carry the binding.
    Binding,
    /// L2: what happened stays so unless the third party orders otherwise.
    Stable,
    /// L3: what is frozen never happens.
    Freeze,
    /// L4: what is deposited matches the description.
    Deposit,
    /// L5: a grade above sealed never fails to generate; a bad seal is told as such.
    Generation,
    /// L6: replacements are accepted under their permit and a decision to complete, and under nothing else.
    Equivalence,
    /// L7: undoing gives the value back and leaves the receiver nothing.
    Undo,
    /// L8: never both a replacement and a revocation.
    Exclusive,
    /// L9: repeated operations give the same bytes.
    Idempotent,
    /// L10: results of an authority are signed by it.
    Attributable,
    /// L11: an escrow opens for its own exchange, item and owner only.
    NoOracle,
}

/// How a law was broken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{law:?}: {what}")]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// What happened.
    pub what: String,
}

impl Law {
    /// All laws.
    pub const ALL: [Self; 11] = [
        Self::Binding,
        Self::Stable,
        Self::Freeze,
        Self::Deposit,
        Self::Generation,
        Self::Equivalence,
        Self::Undo,
        Self::Exclusive,
        Self::Idempotent,
        Self::Attributable,
        Self::NoOracle,
    ];

    fn broken(self, what: impl fmt::Display) -> Violation {
        Violation { law: self, what: what.to_string() }
    }

    fn demand(self, holds: bool, what: &str) -> Result<(), Violation> {
        if holds { Ok(()) } else { Err(self.broken(what)) }
    }
}

/// Checks one law against one subject.
///
/// # Errors
/// [`Violation`] saying what happened.
pub fn check(law: Law, subject: &mut dyn Subject) -> Result<(), Violation> {
    match law {
        Law::Binding => keeping::binding(subject),
        Law::Stable => keeping::stable(subject),
        Law::Freeze => keeping::freeze(subject),
        Law::Deposit => keeping::deposit(subject),
        Law::Generation => making::generation(subject),
        Law::Equivalence => making::equivalence(subject),
        Law::Undo => keeping::undo(subject),
        Law::Exclusive => making::exclusive(subject),
        Law::Idempotent => making::idempotent(subject),
        Law::Attributable => keeping::attributable(subject),
        Law::NoOracle => making::no_oracle(subject),
    }
}

/// Makes a module of tests named `$name`, one test for each law, against a fresh `$subject` each.
#[macro_export]
macro_rules! conformance {
    ($name:ident, $subject:expr) => {
        mod $name {
            use $crate::conformance::{Law, Violation, check};

            #[allow(unused_imports, reason = "the subject may be made by a path of its own")]
            use super::*;

            #[test]
            fn l1_a_transfer_satisfies_no_other_binding() -> Result<(), Violation> {
                check(Law::Binding, &mut $subject)
            }

            #[test]
            fn l2_what_happened_stays_so() -> Result<(), Violation> {
                check(Law::Stable, &mut $subject)
            }

            #[test]
            fn l3_what_is_frozen_never_happens() -> Result<(), Violation> {
                check(Law::Freeze, &mut $subject)
            }

            #[test]
            fn l4_what_is_deposited_matches() -> Result<(), Violation> {
                check(Law::Deposit, &mut $subject)
            }

            #[test]
            fn l5_what_was_promised_can_be_made() -> Result<(), Violation> {
                check(Law::Generation, &mut $subject)
            }

            #[test]
            fn l6_a_replacement_rests_on_permit_and_decision() -> Result<(), Violation> {
                check(Law::Equivalence, &mut $subject)
            }

            #[test]
            fn l7_undoing_leaves_nothing_behind() -> Result<(), Violation> {
                check(Law::Undo, &mut $subject)
            }

            #[test]
            fn l8_never_both_made_and_undone() -> Result<(), Violation> {
                check(Law::Exclusive, &mut $subject)
            }

            #[test]
            fn l9_repeats_give_the_same_bytes() -> Result<(), Violation> {
                check(Law::Idempotent, &mut $subject)
            }

            #[test]
            fn l10_authorities_sign_what_they_say() -> Result<(), Violation> {
                check(Law::Attributable, &mut $subject)
            }

            #[test]
            fn l11_an_escrow_opens_for_its_own_use_only() -> Result<(), Violation> {
                check(Law::NoOracle, &mut $subject)
            }
        }
    };
}
