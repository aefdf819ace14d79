//! What can be wrong with an item, a package, a permit or a replacement.

use semper_supporting::{
    crypto::seal::BadSeal,
    evidence::{signed::EvidenceError, statement::StatementError},
    fault::{Blame, Fault, Standing},
};

/// Why what was received is not what was described.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum Mismatch {
    /// It is an item of another kind.
    #[error("an item of another kind was described")]
    Kind,
    /// The signed text is another one.
    #[error("another text was described")]
    Text,
    /// The signature is not the described signer's.
    #[error("the signature is not that of the described signer")]
    Signature,
    /// The content is longer or shorter.
    #[error("the content has another length than described")]
    Length,
    /// The content is different.
    #[error("the content is not the one described")]
    Content,
    /// The key does not fit its commitment.
    #[error("the key is not the one committed to")]
    Key,
    /// The sealed content is different.
    #[error("the sealed content is not the one described")]
    Sealed,
    /// The record is kept under another reference.
    #[error("the record is about another payment")]
    Reference,
    /// The sum is different.
    #[error("the amount is not the one described")]
    Amount,
    /// Somebody else was paid.
    #[error("the payee is not the one described")]
    Payee,
    /// The credential is different.
    #[error("the credential is not the one described")]
    Credential,
    /// It was made for another exchange, agreement, leaf or direction.
    #[error("it was made for another exchange")]
    Binding,
    /// The replacement does not rest on a permit for this leaf.
    #[error("no permit covers the replacement")]
    Permit,
    /// The replacement does not rest on a decision that completes this exchange.
    #[error("no decision to complete covers the replacement")]
    Decision,
}

impl Fault for Mismatch {
    fn code(&self) -> &'static str {
        match self {
            Self::Kind => "item.kind",
            Self::Text => "item.text",
            Self::Signature => "item.signature",
            Self::Length => "item.length",
            Self::Content => "item.content",
            Self::Key => "item.key",
            Self::Sealed => "item.sealed",
            Self::Reference => "item.reference",
            Self::Amount => "item.amount",
            Self::Payee => "item.payee",
            Self::Credential => "item.credential",
            Self::Binding => "item.binding",
            Self::Permit => "item.permit",
            Self::Decision => "item.decision",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Permit | Self::Decision => Blame::Authority,
            _ => Blame::Peer,
        }
    }

    fn standing(&self) -> Standing {
        Standing::HeldFairly
    }
}

/// Why a tree of items is no package.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum PackageFault {
    /// It holds no item at all, or an inner node without children.
    #[error("a package, and each part of it, holds at least one item")]
    Empty,
    /// It is deeper than [`crate::package::MAX_DEPTH`].
    #[error("the package is nested too deeply")]
    TooDeep,
    /// It holds more than [`crate::package::MAX_LEAVES`] items.
    #[error("the package holds too many items")]
    TooMany,
    /// The nodes are not in order without gaps.
    #[error("the parts of the package are not in order")]
    Order,
    /// An attribute is weaker below than above.
    #[error("a part of the package is less protected than the whole")]
    Weaker,
    /// Attributes are given for a path where nothing is.
    #[error("there is nothing at this path of the package")]
    NoSuchPath,
}

impl Fault for PackageFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "package.empty",
            Self::TooDeep => "package.too-deep",
            Self::TooMany => "package.too-many",
            Self::Order => "package.order",
            Self::Weaker => "package.weaker",
            Self::NoSuchPath => "package.no-such-path",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

/// Why an item cannot be prepared, or a permit not be relied upon.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ItemFault {
    /// The item is not of this manager's kind.
    #[error("this manager does not handle items of this kind")]
    Kind,
    /// The item is not the one the description names.
    #[error("the item is not the one described")]
    Mismatch(#[from] Mismatch),
    /// The statement has no signature yet.
    #[error("the statement is not signed yet")]
    Unsigned,
    /// The permit does not cover this leaf of this exchange.
    #[error("the permit does not cover this item in this exchange")]
    BadPermit,
    /// What the permit names does not travel beside it.
    #[error("what the permit names is missing")]
    Missing,
    /// No authority was asked, so none has answered.
    #[error("no authority is asked about items of this kind")]
    Unasked,
    /// Something cannot be sealed or opened.
    #[error(transparent)]
    Seal(BadSeal),
    /// The description cannot be used for what was asked.
    #[error("the description lacks {0}")]
    Incomplete(&'static str),
    /// Signed bytes beside the permit are no evidence.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A text cannot be written as a statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

impl Fault for ItemFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Kind => "item.wrong-manager",
            Self::Mismatch(mismatch) => mismatch.code(),
            Self::Unsigned => "item.unsigned",
            Self::BadPermit => "permit.bad",
            Self::Missing => "permit.missing",
            Self::Unasked => "item.unasked",
            Self::Seal(error) => error.code(),
            Self::Incomplete(_) => "item.incomplete",
            Self::Evidence(error) => error.code(),
            Self::Statement(error) => error.code(),
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Kind | Self::Unsigned | Self::Unasked | Self::Statement(_) => Blame::Ourselves,
            Self::Seal(_) => Blame::Authority,
            Self::Mismatch(_) | Self::BadPermit | Self::Missing | Self::Incomplete(_) | Self::Evidence(_) => {
                Blame::Peer
            }
        }
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}
