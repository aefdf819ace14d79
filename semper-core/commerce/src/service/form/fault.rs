//! Why a form is not accepted as it was filled in.

use semper_supporting::fault::{Blame, Fault, Standing};

/// Why a form is not accepted as it was filled in.
///
/// The texts name the field by the word that is shown for it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FormFault {
    /// A field that may not stay empty is empty.
    #[error("Please fill in: {label}.")]
    Required {
        /// The field.
        label: String,
    },
    /// A text is too long.
    #[error("{label}: at most {max} characters.")]
    TooLong {
        /// The field.
        label: String,
        /// The most characters.
        max: u64,
    },
    /// A text is too short.
    #[error("{label}: at least {min} characters.")]
    TooShort {
        /// The field.
        label: String,
        /// The fewest characters.
        min: u64,
    },
    /// A text has characters that no form carries, or is not of the form its field has.
    #[error("{label}: this is not {what}.")]
    Text {
        /// The field.
        label: String,
        /// What it should be.
        what: &'static str,
    },
    /// A text does not match the pattern of its field.
    #[error("{label}: this does not have the form that is asked for.")]
    Pattern {
        /// The field.
        label: String,
    },
    /// The pattern of a field is none, or would need too much memory.
    #[error("{label}: these terms ask for a form that cannot be checked.")]
    BadPattern {
        /// The field.
        label: String,
    },
    /// A number, or how many there are of something, is out of range.
    #[error("{label}: between {min} and {max}.")]
    Range {
        /// The field.
        label: String,
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A value is not one of those that can be chosen.
    #[error("{label}: choose one of: {list}.")]
    NotAChoice {
        /// The field.
        label: String,
        /// What can be chosen.
        list: String,
    },
    /// A sum of money is none, or not in the currency asked for.
    #[error("{label}: this is not a sum of money in {currency}.")]
    Money {
        /// The field.
        label: String,
        /// The currency, or words for any.
        currency: String,
    },
    /// A date, time or span of time is none.
    #[error("{label}: this is not {what}.")]
    Date {
        /// The field.
        label: String,
        /// What it should be, with an example.
        what: &'static str,
    },
    /// The amount of a line of an order is not its quantity times its price.
    #[error("Line {line} does not add up.")]
    LineSum {
        /// The line, counted from 1.
        line: usize,
    },
    /// A credential or proof is not there or does not verify.
    #[error("{label}: no valid credential of type {kind} was shown.")]
    Credential {
        /// The field.
        label: String,
        /// The type, or the attribute.
        kind: String,
    },
    /// A file is of a type that is not asked for.
    #[error("{label}: only files of these types: {list}.")]
    FileType {
        /// The field.
        label: String,
        /// The media types.
        list: String,
    },
    /// A file is too large.
    #[error("{label}: at most {max} bytes.")]
    FileSize {
        /// The field.
        label: String,
        /// The most bytes.
        max: u64,
    },
    /// An address is in a country that is not served.
    #[error("This shop delivers only to {list}.")]
    AddressCountry {
        /// The countries.
        list: String,
    },
    /// A text was not ticked by the user, or somebody else tried to tick it.
    #[error("{label}: only you can agree to this, after having read it.")]
    Consent {
        /// The field.
        label: String,
    },
    /// A rule of the form does not hold.
    #[error("{says}")]
    Check {
        /// What the terms say to whoever breaks it.
        says: String,
    },
    /// A field is filled in by somebody who may not.
    #[error("{label}: this is not filled in by {party}.")]
    Binder {
        /// The field.
        label: String,
        /// Who tried.
        party: String,
    },
    /// A value was proposed for a field for which no application may propose any.
    #[error("{label}: no program may suggest a value here.")]
    Suggestion {
        /// The field.
        label: String,
    },
    /// A field that was filled in is given another value.
    #[error("{label}: this was filled in already.")]
    Bound {
        /// The field.
        label: String,
    },
    /// A form has no such field.
    #[error("{name:?} is no field of this form.")]
    Unknown {
        /// What was named.
        name: String,
    },
    /// A file of a form, or a line of it, is not as this program writes it.
    #[error("line {line}: {what}.")]
    File {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl Fault for FormFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Required { .. } => "form.required",
            Self::TooLong { .. } => "form.too-long",
            Self::TooShort { .. } => "form.too-short",
            Self::Text { .. } => "form.text",
            Self::Pattern { .. } => "form.pattern",
            Self::BadPattern { .. } => "tob.pattern",
            Self::Range { .. } => "form.range",
            Self::NotAChoice { .. } => "form.not-a-choice",
            Self::Money { .. } => "form.money",
            Self::Date { .. } => "form.date",
            Self::LineSum { .. } => "form.line-sum",
            Self::Credential { .. } => "form.credential",
            Self::FileType { .. } => "form.file-type",
            Self::FileSize { .. } => "form.file-size",
            Self::AddressCountry { .. } => "form.address-country",
            Self::Consent { .. } => "form.consent",
            Self::Check { .. } => "form.check",
            Self::Binder { .. } => "form.binder",
            Self::Suggestion { .. } => "form.suggestion",
            Self::Bound { .. } => "form.bound",
            Self::Unknown { .. } => "form.unknown",
            Self::File { .. } => "form.file",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::BadPattern { .. }
            | Self::Binder { .. }
            | Self::Suggestion { .. }
            | Self::Bound { .. }
            | Self::Unknown { .. }
            | Self::File { .. } => Blame::Peer,
            _ => Blame::User,
        }
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}
