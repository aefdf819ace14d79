//! Values and rows of tables.

use serde::{Deserialize, Serialize};

use super::store::StoreError;
use crate::{
    crypto::{digest::Digest, signature::Kid},
    deal::{DealId, Xid},
    time::Moment,
};

/// What one column of one row holds.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Value {
    /// Nothing; only where the column is optional.
    Null,
    /// A whole number: a count, minor units of money, or a time in the unit its column names.
    Integer(i64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// A moment as whole seconds since the epoch, as record tables keep it.
    pub fn seconds(moment: Moment) -> Self {
        Self::count(moment.seconds())
    }

    /// A moment as milliseconds since the epoch, as timers keep it.
    pub fn millis(moment: Moment) -> Self {
        Self::count(moment.millis())
    }

    /// A count; one beyond 2⁶³ − 1 is kept as that.
    pub fn count(n: u64) -> Self {
        Self::Integer(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Integer(n)
    }
}

impl From<u32> for Value {
    fn from(n: u32) -> Self {
        Self::Integer(n.into())
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Integer(yes.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(perhaps: Option<T>) -> Self {
        perhaps.map_or(Self::Null, Into::into)
    }
}

macro_rules! from_identifier {
    ($($name:ty),*) => {$(
        impl From<$name> for Value {
            fn from(id: $name) -> Self {
                Self::Bytes(id.as_bytes().to_vec())
            }
        }
    )*};
}
from_identifier!(Digest, Kid, DealId, Xid, super::ArchiveId);

/// One row: columns by name, in the order they were given.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Row(Vec<(&'static str, Value)>);

impl Row {
    /// A row without columns; what it leaves out is null.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The row with `column` set to `value`.
    pub fn with(mut self, column: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        match self.0.iter_mut().find(|(name, _)| *name == column) {
            Some((_, held)) => *held = value,
            None => self.0.push((column, value)),
        }
        self
    }

    /// What `column` holds, if the row has it.
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| *name == column).map(|(_, value)| value)
    }

    /// The columns and what they hold.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// The number in `column`.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] if there is none.
    pub fn integer(&self, column: &str) -> Result<i64, StoreError> {
        match self.get(column) {
            Some(Value::Integer(n)) => Ok(*n),
            _ => Err(StoreError::misuse(format!("column {column} holds no number"))),
        }
    }

    /// The number in `column`, which is never negative.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] if there is none.
    pub fn count(&self, column: &str) -> Result<u64, StoreError> {
        u64::try_from(self.integer(column)?)
            .map_err(|_| StoreError::misuse(format!("column {column} holds a negative number")))
    }

    /// The text in `column`.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] if there is none.
    pub fn text(&self, column: &str) -> Result<&str, StoreError> {
        match self.get(column) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(StoreError::misuse(format!("column {column} holds no text"))),
        }
    }

    /// The bytes in `column`.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] if there are none.
    pub fn bytes(&self, column: &str) -> Result<&[u8], StoreError> {
        match self.get(column) {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            _ => Err(StoreError::misuse(format!("column {column} holds no bytes"))),
        }
    }

    /// The `N` bytes in `column`.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] if there are none, or another number of them.
    pub fn array<const N: usize>(&self, column: &str) -> Result<[u8; N], StoreError> {
        let bytes = self.bytes(column)?;
        bytes.try_into().map_err(|_| StoreError::misuse(format!("column {column} does not hold {N} bytes")))
    }

    /// Whether `column` is null or left out.
    pub fn is_null(&self, column: &str) -> bool {
        matches!(self.get(column), None | Some(Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_read_as_what_it_is_and_nothing_else() {
        let row = Row::new().with("a", 5_i64).with("b", "text").with("c", [1, 2]).with("d", None::<i64>);
        assert_eq!((row.integer("a"), row.text("b"), row.array("c")), (Ok(5), Ok("text"), Ok([1, 2])));
        assert!(row.is_null("d") && row.is_null("e"));
        assert!(row.integer("b").is_err() && row.array::<3>("c").is_err() && row.text("e").is_err());
    }

    #[test]
    fn setting_a_column_again_replaces_it() {
        let row = Row::new().with("a", 1_i64).with("a", 2_i64);
        assert_eq!(row.columns().count(), 1);
        assert_eq!(row.integer("a"), Ok(2));
    }
}
