//! Tables as data: each block declares what it keeps, and only the archive modules turn that into SQL.

use super::{
    journal,
    store::{Comparison, Guard, Query, Relation, RowOp, StoreError},
    value::{Row, Value},
};

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ColumnKind {
    /// A signed 64-bit number.
    Integer,
    /// UTF-8 text.
    Text,
    /// Bytes.
    Bytes,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Column {
    /// Its name: a lower-case letter, then lower-case letters, digits and underscores.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether it may hold nothing.
    pub optional: bool,
}

/// A table: its columns, its key, and what else is unique or searched for.
///
/// Several rows may leave an optional unique column null.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Table {
    /// Its name, unique in the archive.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
    /// The columns that name a row; none of them optional.
    pub key: &'static [&'static str],
    /// Sets of columns no two rows share.
    pub unique: &'static [&'static [&'static str]],
    /// Sets of columns that are searched by.
    pub indexes: &'static [&'static [&'static str]],
}

/// All tables of an archive, their version, and how an older archive becomes one of this version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Schema {
    version: u32,
    tables: Vec<Table>,
    migrations: Vec<Migration>,
}

/// What turns an archive of version `to − 1` into one of version `to`. There is no way back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Migration {
    /// The version it leads to.
    pub to: u32,
    /// Its changes, in order; all in one transaction.
    pub changes: &'static [Change],
}

/// One change of a migration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// A table of the schema that older archives lack.
    AddTable(&'static str),
    /// An optional column of the schema that older archives lack; existing rows hold null.
    AddColumn {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The indexes and unique sets of a table, as far as the archive lacks them.
    AddIndexes(&'static str),
    /// Rows that nobody reads any more.
    DropTable(&'static str),
}

impl Column {
    /// A column of numbers.
    pub const fn integer(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Integer, optional: false }
    }

    /// A column of texts.
    pub const fn text(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Text, optional: false }
    }

    /// A column of bytes.
    pub const fn bytes(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Bytes, optional: false }
    }

    /// The same column, which may hold nothing.
    pub const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// Whether `value` may stand in this column.
    pub const fn takes(&self, value: &Value) -> bool {
        match (value, self.kind) {
            (Value::Null, _) => self.optional,
            (Value::Integer(_), ColumnKind::Integer)
            | (Value::Text(_), ColumnKind::Text)
            | (Value::Bytes(_), ColumnKind::Bytes) => true,
            _ => false,
        }
    }
}

impl Table {
    /// The column named `name`.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] if the table has none.
    pub fn column(&self, name: &str) -> Result<&'static Column, StoreError> {
        self.columns
            .iter()
            .find(|column| column.name == name)
            .ok_or_else(|| StoreError::misuse(format!("table {} has no column {name}", self.name)))
    }

    /// Puts `row` into the order of the columns; what it leaves out is null.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] for a column the table lacks, a value of another kind, or a null where none
    /// may stand.
    pub fn arrange(&self, row: &Row) -> Result<Vec<Value>, StoreError> {
        for (name, _) in row.columns() {
            self.column(name)?;
        }
        self.columns
            .iter()
            .map(|column| {
                let value = row.get(column.name).cloned().unwrap_or(Value::Null);
                self.takes(column.name, &value).map(|()| value)
            })
            .collect()
    }

    fn takes(&self, column: &str, value: &Value) -> Result<(), StoreError> {
        if self.column(column)?.takes(value) {
            return Ok(());
        }
        Err(StoreError::misuse(format!("{}.{column} does not take such a value", self.name)))
    }

    fn takes_key(&self, key: &[Value]) -> Result<(), StoreError> {
        if key.len() != self.key.len() {
            return Err(StoreError::misuse(format!("the key of {} has {} parts", self.name, self.key.len())));
        }
        self.key.iter().zip(key).try_for_each(|(column, value)| self.takes(column, value))
    }

    fn check(&self) -> Result<(), StoreError> {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        let distinct = names.iter().enumerate().all(|(at, name)| !names.iter().take(at).any(|n| n == name));
        if !is_name(self.name) || !names.iter().copied().all(is_name) || !distinct || self.key.is_empty() {
            return Err(StoreError::misuse(format!("table {} is not well named", self.name)));
        }
        for name in self.key {
            if self.column(name)?.optional {
                return Err(StoreError::misuse(format!("{}.{name} is key and optional", self.name)));
            }
        }
        let sets = self.unique.iter().chain(self.indexes);
        sets.flat_map(|set| set.iter()).try_for_each(|name| self.column(name).map(drop))
    }
}

impl Schema {
    /// A schema of this version, which holds the journal and nothing else yet.
    ///
    /// The version counts from 1 and grows with every change of a table.
    pub fn new(version: u32) -> Self {
        Self { version, tables: vec![journal::TABLE], migrations: Vec::new() }
    }

    /// Adds the tables of one block.
    pub fn with(mut self, tables: &[Table]) -> Self {
        self.tables.extend_from_slice(tables);
        self
    }

    /// Adds what leads from an older version to a newer one.
    pub fn migrate(mut self, migration: Migration) -> Self {
        self.migrations.push(migration);
        self
    }

    /// The version.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The tables, the journal first.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The changes that lead an archive of version `from` to this one.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if the archive is newer than this schema, [`StoreError::Misuse`] if a
    /// migration is missing.
    pub fn changes_since(&self, from: u32) -> Result<Vec<Change>, StoreError> {
        if from > self.version {
            return Err(StoreError::Newer { found: from, known: self.version });
        }
        let mut changes = Vec::new();
        for to in from.saturating_add(1)..=self.version {
            let step = self
                .migrations
                .iter()
                .find(|migration| migration.to == to)
                .ok_or_else(|| StoreError::misuse(format!("no migration leads to version {to}")))?;
            changes.extend_from_slice(step.changes);
        }
        Ok(changes)
    }

    /// The table named `name`.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] if there is none.
    pub fn table(&self, name: &str) -> Result<&Table, StoreError> {
        self.tables
            .iter()
            .find(|table| table.name == name)
            .ok_or_else(|| StoreError::misuse(format!("no table {name}")))
    }

    /// Checks the declaration itself; every archive module asks this when it opens.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] naming the table that is wrong.
    pub fn check(&self) -> Result<(), StoreError> {
        for (at, table) in self.tables.iter().enumerate() {
            table.check()?;
            if self.tables.iter().take(at).any(|other| other.name == table.name) {
                return Err(StoreError::misuse(format!("table {} is declared twice", table.name)));
            }
        }
        if self.version == 0 {
            return Err(StoreError::misuse("versions count from 1"));
        }
        Ok(())
    }

    /// Checks one change of rows against the tables, the same for every archive module.
    ///
    /// The journal is written by the store alone; from outside its salts and payloads may be set to null,
    /// which erases an entry while the chain still verifies.
    ///
    /// # Errors
    /// [`StoreError::Misuse`].
    pub fn check_op(&self, op: &RowOp) -> Result<&Table, StoreError> {
        let table = self.table(op.table())?;
        if table.name == journal::TABLE.name && !journal::is_erasure(op) {
            return Err(StoreError::misuse("the journal is written by the store alone"));
        }
        match op {
            RowOp::Insert { row, .. } | RowOp::Ensure { row, .. } | RowOp::Put { row, .. } => {
                table.arrange(row)?;
            }
            RowOp::Update { key, set, .. } => {
                table.takes_key(key)?;
                if set.columns().next().is_none() {
                    return Err(StoreError::misuse("an update that sets nothing"));
                }
                for (column, value) in set.columns() {
                    if table.key.contains(&column) {
                        return Err(StoreError::misuse("a key does not change"));
                    }
                    table.takes(column, value)?;
                }
            }
            RowOp::Add { key, column, .. } => {
                table.takes_key(key)?;
                table.takes(column, &Value::Integer(0))?;
            }
            RowOp::Delete { key, .. } => table.takes_key(key)?,
        }
        Ok(table)
    }

    /// Checks one guard against the tables.
    ///
    /// # Errors
    /// [`StoreError::Misuse`].
    pub fn check_guard(&self, guard: &Guard) -> Result<&Table, StoreError> {
        use super::store::Check;
        let table = self.table(guard.table)?;
        match &guard.check {
            Check::Absent(key) | Check::Present(key) => table.takes_key(key)?,
            Check::Equals { key, column, value } => {
                table.takes_key(key)?;
                table.takes(column, value)?;
            }
            Check::AtLeast { key, column, .. } | Check::AtMost { key, column, .. } => {
                table.takes_key(key)?;
                table.takes(column, &Value::Integer(0))?;
            }
            Check::None(when) => check_comparisons(table, when)?,
        }
        Ok(table)
    }

    /// Checks one query against the tables.
    ///
    /// # Errors
    /// [`StoreError::Misuse`].
    pub fn check_query(&self, query: &Query) -> Result<&Table, StoreError> {
        let table = self.table(query.table)?;
        check_comparisons(table, &query.when)?;
        for (column, _) in &query.order {
            if table.column(column)?.optional {
                return Err(StoreError::misuse("rows are not ordered by what may be null"));
            }
        }
        if let Some(after) = &query.after {
            let columns = query.columns_of_order(table);
            if after.len() != columns.len() {
                return Err(StoreError::misuse("the place to go on from is of another order"));
            }
            columns.iter().zip(after).try_for_each(|((column, _), value)| table.takes(column, value))?;
        }
        Ok(table)
    }
}

fn check_comparisons(table: &Table, when: &[Comparison]) -> Result<(), StoreError> {
    for Comparison { column, relation, value } in when {
        table.takes(column, value)?;
        if *value == Value::Null && !matches!(relation, Relation::Equal | Relation::NotEqual) {
            return Err(StoreError::misuse("nothing is more or less than null"));
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    name.len() <= 48
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: Table = Table {
        name: "account",
        columns: &[Column::bytes("id"), Column::integer("balance"), Column::text("note").optional()],
        key: &["id"],
        unique: &[],
        indexes: &[&["balance"]],
    };

    fn schema() -> Schema {
        Schema::new(1).with(&[ACCOUNT])
    }

    #[test]
    fn what_does_not_fit_its_table_is_refused_before_any_database_sees_it() {
        assert_eq!(schema().check(), Ok(()));
        let good = Row::new().with("id", [1]).with("balance", 5_i64);
        assert!(schema().check_op(&RowOp::insert("account", good.clone())).is_ok());
        for row in [
            Row::new().with("id", [1]),
            good.clone().with("balance", "five"),
            good.clone().with("other", 1_i64),
            good.clone().with("id", None::<i64>),
        ] {
            assert!(schema().check_op(&RowOp::insert("account", row)).is_err());
        }
        assert!(schema().check_op(&RowOp::insert("nowhere", good)).is_err());
    }

    #[test]
    fn the_journal_can_be_erased_but_not_written() {
        let erase = Row::new().with("salt", None::<i64>).with("payload", None::<i64>);
        assert!(schema().check_op(&RowOp::update("journal", [3_i64.into()], erase)).is_ok());
        let forge = Row::new().with("payload", [1]);
        assert!(schema().check_op(&RowOp::update("journal", [3_i64.into()], forge)).is_err());
        assert!(schema().check_op(&RowOp::delete("journal", [3_i64.into()])).is_err());
    }

    #[test]
    fn a_table_that_is_declared_wrongly_is_named() {
        let broken = Table { key: &["note"], ..ACCOUNT };
        assert!(Schema::new(1).with(&[broken]).check().is_err());
        assert!(Schema::new(1).with(&[ACCOUNT, ACCOUNT]).check().is_err());
        assert!(Schema::new(1).with(&[Table { name: "a b", ..ACCOUNT }]).check().is_err());
    }

    #[test]
    fn versions_only_grow() {
        let two = Schema::new(2).migrate(Migration { to: 2, changes: &[Change::AddTable("account")] });
        assert_eq!(two.changes_since(1), Ok(vec![Change::AddTable("account")]));
        assert_eq!(two.changes_since(2), Ok(vec![]));
        assert_eq!(two.changes_since(3), Err(StoreError::Newer { found: 3, known: 2 }));
        assert!(Schema::new(3).changes_since(1).is_err());
    }
}
