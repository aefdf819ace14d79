//! The one trait of every archive: batches of guarded changes in, queries answered.
//!
//! A batch is all or nothing: its guards are checked again inside the write transaction, then its rows are
//! changed and its journal entries appended to the chain. Several batches may share one transaction and
//! one flush to the disk; a batch that fails leaves no trace and does not disturb the others.

use std::future::Future;

use super::{
    journal::{Entry, Head, Line},
    schema::Table,
    value::{Row, Value},
};
use crate::fault::{Blame, Fault, Standing};

/// An archive that is open for writing, or for reading only.
pub trait Store: Send + Sync + 'static {
    /// Commits `batches` in their order, each for itself; the answers come in the same order.
    ///
    /// What was answered with [`Committed`] is on the disk. A future that is dropped does not recall its
    /// batches.
    fn commit(&self, batches: Vec<Batch>) -> impl Future<Output = Vec<Result<Committed, StoreError>>> + Send;

    /// Answers `queries`, all from one state of the archive, in their order.
    fn query(&self, queries: Vec<Query>) -> impl Future<Output = Result<Vec<Vec<Row>>, StoreError>> + Send;
}

/// Changes that happen together or not at all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Batch {
    /// What must hold for any of it to happen.
    pub guards: Vec<Guard>,
    /// The changes of rows, in order.
    pub rows: Vec<RowOp>,
    /// The entries appended to the journal, in order.
    pub journal: Vec<Entry>,
}

/// What a batch became.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Committed {
    /// The lines of its journal entries, in order.
    pub lines: Vec<Line>,
    /// The head of the journal after it.
    pub head: Head,
}

/// A condition that is checked inside the write transaction; it names itself when it fails.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Guard {
    /// What the caller calls it: the word that comes back in [`StoreError::Guard`].
    pub name: &'static str,
    /// The table it looks at.
    pub table: &'static str,
    /// What must hold.
    pub check: Check,
}

/// What a guard demands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Check {
    /// No row has this key.
    Absent(Vec<Value>),
    /// A row has this key.
    Present(Vec<Value>),
    /// The row is there and its column holds exactly this.
    Equals {
        /// The row's key.
        key: Vec<Value>,
        /// The column.
        column: &'static str,
        /// What it must hold.
        value: Value,
    },
    /// The row is there and its column holds at least this.
    AtLeast {
        /// The row's key.
        key: Vec<Value>,
        /// The column, of numbers.
        column: &'static str,
        /// The least it may hold.
        least: i64,
    },
    /// The row is there and its column holds at most this.
    AtMost {
        /// The row's key.
        key: Vec<Value>,
        /// The column, of numbers.
        column: &'static str,
        /// The most it may hold.
        most: i64,
    },
    /// No row satisfies all of these.
    None(Vec<Comparison>),
}

/// One change of rows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RowOp {
    /// A new row; [`StoreError::Duplicate`] if its key or a unique set is taken.
    Insert {
        /// The table.
        table: &'static str,
        /// The row.
        row: Row,
    },
    /// A new row, unless one with its key is there: then nothing.
    Ensure {
        /// The table.
        table: &'static str,
        /// The row.
        row: Row,
    },
    /// The row, in place of one with its key if there is one.
    Put {
        /// The table.
        table: &'static str,
        /// The row, all columns.
        row: Row,
    },
    /// Some columns of a row that is there; [`StoreError::Absent`] if it is not.
    Update {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: Vec<Value>,
        /// The columns to set.
        set: Row,
    },
    /// Adds to a number of a row that is there, checked: [`StoreError::Overflow`] beyond 64 bits,
    /// [`StoreError::Absent`] without the row. Hot rows need no version and no retry this way.
    Add {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: Vec<Value>,
        /// The column, of numbers.
        column: &'static str,
        /// What to add; may be negative.
        by: i64,
    },
    /// Removes the row if it is there.
    Delete {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: Vec<Value>,
    },
}

/// How a column compares with a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Relation {
    /// Equal; null equals null.
    Equal,
    /// Not equal; null differs from everything but null.
    NotEqual,
    /// Less than.
    Less,
    /// Less than or equal.
    AtMost,
    /// Greater than.
    Greater,
    /// Greater than or equal.
    AtLeast,
}

/// A condition on one column.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Comparison {
    /// The column.
    pub column: &'static str,
    /// How it compares.
    pub relation: Relation,
    /// With what.
    pub value: Value,
}

/// A direction of order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// The smallest first. Bytes and texts compare byte by byte.
    Rising,
    /// The greatest first.
    Falling,
}

/// A question to one table. Rows come in a total order, since the key completes the one asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Query {
    /// The table.
    pub table: &'static str,
    /// What rows must satisfy, all of it.
    pub when: Vec<Comparison>,
    /// By which columns they are ordered, before the key.
    pub order: Vec<(&'static str, Direction)>,
    /// The place to go on from: the columns of the order and of the key of the last row seen.
    pub after: Option<Vec<Value>>,
    /// How many rows at most.
    pub limit: u32,
}

/// The most rows one query answers with; the rest is asked for with [`Query::after`].
pub const LIMIT: u32 = 10_000;

/// Why an archive did not do what it was asked to. Nothing has changed then.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A guard did not hold.
    #[error("guard {0} does not hold")]
    Guard(&'static str),
    /// A row with this key, or with the same unique columns, is there.
    #[error("table {0} already has such a row")]
    Duplicate(&'static str),
    /// The row to change is not there.
    #[error("table {0} has no such row")]
    Absent(&'static str),
    /// A sum left the range of 64-bit numbers.
    #[error("a number of table {0} would overflow")]
    Overflow(&'static str),
    /// The request does not fit the tables: an error of the caller.
    #[error("{0}")]
    Misuse(String),
    /// There is no space left.
    #[error("no space is left for the archive")]
    Full,
    /// The archive was written by a newer version.
    #[error("the archive has version {found}, this program knows {known}")]
    Newer {
        /// The version of the archive.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// Another process has the archive open.
    #[error("another program has this archive open")]
    InUse,
    /// The library would write plain text although a key was given.
    #[error("this build cannot encrypt the archive")]
    NotEncrypted,
    /// The key does not open the archive, or the file is none.
    #[error("the key does not open this archive, or it is damaged")]
    Key,
    /// The archive is open for reading only.
    #[error("the archive is open for reading only")]
    ReadOnly,
    /// The journal's chain does not hold.
    #[error("the record is damaged from entry {seq}")]
    Broken {
        /// The first entry that does not follow from the one before.
        seq: u64,
    },
    /// The database file contradicts itself.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// The archive has been closed.
    #[error("the archive is closed")]
    Closed,
    /// The disk or the database failed.
    #[error("the archive failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// An error of the caller.
    pub fn misuse(what: impl Into<String>) -> Self {
        Self::Misuse(what.into())
    }
}

impl Fault for StoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::Guard(_) => "archive.guard",
            Self::Duplicate(_) => "archive.duplicate",
            Self::Absent(_) => "archive.absent",
            Self::Overflow(_) => "archive.overflow",
            Self::Misuse(_) => "archive.misuse",
            Self::Full => "archive.full",
            Self::Newer { .. } => "archive.newer",
            Self::InUse => "archive.in-use",
            Self::NotEncrypted => "archive.not-encrypted",
            Self::Key => "archive.key",
            Self::ReadOnly => "archive.read-only",
            Self::Broken { .. } => "journal.broken",
            Self::Damaged(_) => "archive.damaged",
            Self::Closed => "archive.closed",
            Self::Failed(_) => "archive.failed",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Key => Blame::User,
            _ => Blame::Ourselves,
        }
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

impl Batch {
    /// A batch that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a guard.
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guards.push(guard);
        self
    }

    /// Adds a change of rows.
    pub fn row(mut self, op: RowOp) -> Self {
        self.rows.push(op);
        self
    }

    /// Adds a journal entry.
    pub fn entry(mut self, entry: Entry) -> Self {
        self.journal.push(entry);
        self
    }
}

impl Guard {
    /// No row of `table` has this key.
    pub fn absent(name: &'static str, table: &'static str, key: impl Into<Vec<Value>>) -> Self {
        Self { name, table, check: Check::Absent(key.into()) }
    }

    /// A row of `table` has this key.
    pub fn present(name: &'static str, table: &'static str, key: impl Into<Vec<Value>>) -> Self {
        Self { name, table, check: Check::Present(key.into()) }
    }

    /// The row's `column` holds exactly `value`.
    pub fn equals(
        name: &'static str,
        table: &'static str,
        key: impl Into<Vec<Value>>,
        column: &'static str,
        value: impl Into<Value>,
    ) -> Self {
        Self { name, table, check: Check::Equals { key: key.into(), column, value: value.into() } }
    }

    /// The row's `column` holds at least `least`.
    pub fn at_least(
        name: &'static str,
        table: &'static str,
        key: impl Into<Vec<Value>>,
        column: &'static str,
        least: i64,
    ) -> Self {
        Self { name, table, check: Check::AtLeast { key: key.into(), column, least } }
    }

    /// The row's `column` holds at most `most`.
    pub fn at_most(
        name: &'static str,
        table: &'static str,
        key: impl Into<Vec<Value>>,
        column: &'static str,
        most: i64,
    ) -> Self {
        Self { name, table, check: Check::AtMost { key: key.into(), column, most } }
    }

    /// No row of `table` satisfies all of `when`.
    pub fn none(name: &'static str, table: &'static str, when: Vec<Comparison>) -> Self {
        Self { name, table, check: Check::None(when) }
    }
}

impl RowOp {
    /// A new row.
    pub fn insert(table: &'static str, row: Row) -> Self {
        Self::Insert { table, row }
    }

    /// A new row, unless its key is taken.
    pub fn ensure(table: &'static str, row: Row) -> Self {
        Self::Ensure { table, row }
    }

    /// The row, in place of one with its key.
    pub fn put(table: &'static str, row: Row) -> Self {
        Self::Put { table, row }
    }

    /// Some columns of a row.
    pub fn update(table: &'static str, key: impl Into<Vec<Value>>, set: Row) -> Self {
        Self::Update { table, key: key.into(), set }
    }

    /// Adds to a number of a row.
    pub fn add(table: &'static str, key: impl Into<Vec<Value>>, column: &'static str, by: i64) -> Self {
        Self::Add { table, key: key.into(), column, by }
    }

    /// Removes a row.
    pub fn delete(table: &'static str, key: impl Into<Vec<Value>>) -> Self {
        Self::Delete { table, key: key.into() }
    }

    /// The table it changes.
    pub const fn table(&self) -> &'static str {
        match self {
            Self::Insert { table, .. }
            | Self::Ensure { table, .. }
            | Self::Put { table, .. }
            | Self::Update { table, .. }
            | Self::Add { table, .. }
            | Self::Delete { table, .. } => table,
        }
    }
}

impl Comparison {
    /// The condition that `column` stands in `relation` to `value`.
    pub fn new(column: &'static str, relation: Relation, value: impl Into<Value>) -> Self {
        Self { column, relation, value: value.into() }
    }
}

impl Query {
    /// All rows of `table` by their key, the first [`LIMIT`] of them.
    pub const fn of(table: &'static str) -> Self {
        Self { table, when: Vec::new(), order: Vec::new(), after: None, limit: LIMIT }
    }

    /// Only rows whose `column` stands in `relation` to `value`.
    pub fn when(mut self, column: &'static str, relation: Relation, value: impl Into<Value>) -> Self {
        self.when.push(Comparison::new(column, relation, value));
        self
    }

    /// Only rows whose `column` holds `value`.
    pub fn equal(self, column: &'static str, value: impl Into<Value>) -> Self {
        self.when(column, Relation::Equal, value)
    }

    /// Ordered by `column`, after the columns given before.
    pub fn order(mut self, column: &'static str, order: Direction) -> Self {
        self.order.push((column, order));
        self
    }

    /// At most `limit` rows, and never more than [`LIMIT`].
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = if limit < LIMIT { limit } else { LIMIT };
        self
    }

    /// Goes on behind `last`, a row this query answered with before.
    pub fn after(mut self, table: &Table, last: &Row) -> Self {
        let place = self.columns_of_order(table);
        self.after =
            Some(place.iter().map(|(name, _)| last.get(name).cloned().unwrap_or(Value::Null)).collect());
        self
    }

    /// The columns that make the order total: those asked for, then the rest of the key, rising.
    pub fn columns_of_order(&self, table: &Table) -> Vec<(&'static str, Direction)> {
        let mut columns = self.order.clone();
        for name in table.key {
            if !columns.iter().any(|(column, _)| column == name) {
                columns.push((name, Direction::Rising));
            }
        }
        columns
    }
}
