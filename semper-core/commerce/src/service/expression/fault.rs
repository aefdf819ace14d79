//! Why an expression is not accepted, or has no value.

use semper_supporting::{
    fault::{Blame, Fault, Standing},
    money::MoneyError,
};

/// Why an expression is not accepted, or has no value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ExpressionFault {
    /// It uses something that expressions of terms do not have, or is none at all.
    #[error("{place}: {construct} is not allowed in terms of business.")]
    Forbidden {
        /// Where it stands.
        place: String,
        /// What it uses.
        construct: String,
    },
    /// Its parts do not fit together, or it does not give what is needed where it stands.
    #[error("{place}: {reason}.")]
    Type {
        /// Where it stands.
        place: String,
        /// What does not fit.
        reason: String,
    },
    /// It has no value for what was filled in.
    #[error("{place}: {why}.")]
    Evaluation {
        /// Where it stands.
        place: String,
        /// Why there is none.
        why: NoValue,
    },
}

/// Why an expression has no value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoValue {
    /// A field that it needs has not been filled in.
    #[error("{0} has not been filled in")]
    Unbound(String),
    /// A computed value that it needs has none itself.
    #[error("{0} could not be computed")]
    Calc(String),
    /// The time is needed and was not given.
    #[error("the time of the decision is not known")]
    NoTime,
    /// The currency of the deal is needed and was not given.
    #[error("the currency of the deal is not known")]
    NoCurrency,
    /// A number is outside 64 bits, or where it stands it may not be below zero.
    #[error("a number is too large or too small")]
    Number,
    /// A point in time lies before 1970 or after the year 9999, or later than the present.
    #[error("a time is out of range")]
    Time,
    /// Sums of money cannot be computed with.
    #[error("{0}")]
    Money(#[from] MoneyError),
    /// An order has no lines, so that its total has no currency.
    #[error("the order has no lines")]
    NoLines,
    /// What was filled in is not of the kind its field has.
    #[error("a value is not of the kind of its field")]
    Kind,
}

impl Fault for ExpressionFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden { .. } => "tob.cel-forbidden",
            Self::Type { .. } => "tob.cel-type",
            Self::Evaluation { .. } => "tob.cel-error",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}
