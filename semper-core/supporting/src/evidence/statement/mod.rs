//! The one signed form: text that anybody can read, hash and verify with public tools.
//!
//! ```text
//! semper-statement/1 x/gxv/accept
//! xid: 6f2c…
//! grade/0: certified
//! at: 2026-03-01T10:02:11Z
//! ```
//!
//! UTF-8 in normalisation form C, LF at every line's end, the first line naming form and type, then
//! `key: value` in the order fixed by the type. The type is the domain separation: it is unique across all
//! protocols and roles, and a later version is a new type. Nested values have path keys, list elements
//! their index, an absent optional or empty list is `-`, a boolean `yes` or `no`, an enum its variant and
//! the variant's fields below it. A line has at most 4 KiB, a statement the limit of its type.
//!
//! It is a serde format: the derives on a plain struct give writer and reader. Underscores of field names
//! become hyphens; a field renamed to the empty string is inlined, which is how types share their common
//! lines. Map keys are paths of decimal segments (`0/2`), which name the leaves of a package. The reader
//! parses, writes again and compares, so that a value has one text; the bytes received are kept for ever and
//! nothing is written again in order to verify it.

mod de;
mod ser;
mod text;

use serde::{Serialize, de::DeserializeOwned};

use crate::crypto::digest::Digest;
pub use text::{is_plain, is_segment};

/// What every statement begins with.
pub const FORM: &str = "semper-statement/1";
/// The longest line in bytes, without its LF.
pub const LINE_LIMIT: usize = 4096;
/// The longest statement in bytes, unless its type says otherwise.
pub const STATEMENT_LIMIT: usize = 64 << 10;
/// The longest proposal, answer or offer of an exchange in bytes.
pub const LARGE_LIMIT: usize = 1 << 20;

/// A type of statement.
pub trait Statement: Serialize + DeserializeOwned {
    /// The second word of the first line, unique across all protocols and roles.
    const TYPE: &'static str;
    /// The most bytes a statement of this type may have.
    const LIMIT: usize = STATEMENT_LIMIT;
}

/// Why bytes are not a statement, or not the one expected.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StatementError {
    /// The text is not what the writer of this type would have written.
    #[error("this document was not written by SEMPER (line {line}: {what})")]
    Form {
        /// The line, counted from 1; 0 when the text as a whole is meant.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The text is a statement of another type.
    #[error("a statement of type {expected} was expected, this is {got:?}")]
    Type {
        /// The type that belongs here.
        expected: &'static str,
        /// The type that came.
        got: String,
    },
    /// The value cannot be written: a text holds characters that no statement carries, a number is negative,
    /// a line or the whole is too long.
    #[error("cannot be written: {0}")]
    Unwritable(String),
}

impl StatementError {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Form { .. } => "stmt.form",
            Self::Type { .. } => "stmt.type",
            Self::Unwritable(_) => "stmt.unwritable",
        }
    }

    fn form(line: usize, what: impl Into<String>) -> Self {
        Self::Form { line, what: what.into() }
    }
}

/// Writes `value` as the exact bytes that are signed.
///
/// # Errors
/// [`StatementError::Unwritable`] naming the key that cannot be written.
pub fn to_bytes<T: Statement>(value: &T) -> Result<Vec<u8>, StatementError> {
    let text = ser::write(T::TYPE, value)?;
    if text.len() > T::LIMIT {
        return Err(StatementError::Unwritable(format!(
            "{} bytes, at most {} are allowed",
            text.len(),
            T::LIMIT
        )));
    }
    Ok(text.into_bytes())
}

/// Reads a statement of type `T` from the bytes received.
///
/// # Errors
/// [`StatementError::Type`] for a statement of another type, [`StatementError::Form`] for every text that
/// [`to_bytes`] would not have written.
pub fn from_bytes<T: Statement>(bytes: &[u8]) -> Result<T, StatementError> {
    let lines = text::Lines::read(bytes, T::LIMIT)?;
    if lines.kind != T::TYPE {
        return Err(StatementError::Type { expected: T::TYPE, got: lines.kind.to_owned() });
    }
    let value: T = de::read(&lines)?;
    let again = to_bytes(&value).map_err(|error| StatementError::form(0, error.to_string()))?;
    if again != bytes {
        let line =
            1 + again.iter().zip(bytes).take_while(|(a, b)| a == b).filter(|(a, _)| **a == b'\n').count();
        return Err(StatementError::form(line, "not the form in which this value is written"));
    }
    Ok(value)
}

/// Writes `value` as lines without a first line: a part of several types that has a hash of its own, such as
/// the description of an item. The lines are those that stand in a statement, without the path before them.
///
/// # Errors
/// [`StatementError::Unwritable`] naming the key that cannot be written.
pub fn part_lines<T: Serialize>(value: &T) -> Result<String, StatementError> {
    let text = ser::write("part", value)?;
    Ok(text.split_once('\n').map_or(String::new(), |(_, lines)| lines.to_owned()))
}

/// The type named in the first line of `bytes`, if they have the form of a statement at all.
///
/// # Errors
/// [`StatementError::Form`].
pub fn type_of(bytes: &[u8]) -> Result<String, StatementError> {
    text::Lines::read(bytes, LARGE_LIMIT).map(|lines| lines.kind.to_owned())
}

/// The keys and values of any statement, in order, for people and for tools that know no types.
///
/// # Errors
/// [`StatementError::Form`].
pub fn lines(bytes: &[u8]) -> Result<Vec<(String, String)>, StatementError> {
    let lines = text::Lines::read(bytes, LARGE_LIMIT)?;
    Ok(lines.pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

/// The digest by which other statements name this one: SHA-256 of its exact bytes.
///
/// # Errors
/// [`StatementError::Unwritable`].
pub fn digest<T: Statement>(value: &T) -> Result<Digest, StatementError> {
    to_bytes(value).map(|bytes| Digest::of(&bytes))
}

/// Bytes of any length: hexadecimal up to 64 bytes, base64 (RFC 4648, 4) above.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(&self.0);
        }
        if self.0.is_empty() {
            return Err(serde::ser::Error::custom("bytes in a statement are not empty: make them optional"));
        }
        serializer.serialize_str(&if self.0.len() <= 64 {
            data_encoding::HEXLOWER.encode(&self.0)
        } else {
            data_encoding::BASE64.encode(&self.0)
        })
    }
}

impl<'de> serde::Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return deserializer.deserialize_byte_buf(RawBytes).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        // The reader compares what it would write, so a text in the wrong one of the two is refused there.
        let encoding = if text.len() <= 128 { data_encoding::HEXLOWER } else { data_encoding::BASE64 };
        let bytes =
            encoding.decode(text.as_bytes()).or_else(|_| data_encoding::BASE64.decode(text.as_bytes()));
        bytes.map(Self).map_err(|_| serde::de::Error::custom("neither hexadecimal nor base64"))
    }
}

struct RawBytes;

impl serde::de::Visitor<'_> for RawBytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Self::Value, E> {
        Ok(bytes)
    }
}
