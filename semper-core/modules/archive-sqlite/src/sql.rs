//! Tables, guards, changes and queries as SQL. The only place where SQL is made; names come from declared
//! tables, values are always bound.

use std::fmt::Write as _;

use rusqlite::{
    Connection, ErrorCode, OptionalExtension as _, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};
use semper_supporting::archive::{
    Check, ColumnKind, Comparison, Direction, Guard, Query, Relation, Row, RowOp, Schema, StoreError, Table,
    Value,
};

/// What a failure of the database means to a caller.
pub(crate) fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::NotADatabase) => StoreError::Key,
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged(error.to_string()),
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse,
        _ => StoreError::Failed(error.to_string()),
    }
}

/// A value that is bound, borrowed from the request.
struct Bound<'a>(&'a Value);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(n) => ValueRef::Integer(*n),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn bind<'a>(values: impl IntoIterator<Item = &'a Value>) -> impl rusqlite::Params {
    params_from_iter(values.into_iter().map(Bound).collect::<Vec<_>>())
}

/// The statement that creates `table`.
pub(crate) fn create_table(table: &Table) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let kind = match column.kind {
                ColumnKind::Integer => "INTEGER",
                ColumnKind::Text => "TEXT",
                ColumnKind::Bytes => "BLOB",
            };
            format!("\"{}\" {kind}{}", column.name, if column.optional { "" } else { " NOT NULL" })
        })
        .collect();
    format!(
        "CREATE TABLE \"{}\" ({}, PRIMARY KEY ({})) STRICT;",
        table.name,
        columns.join(", "),
        names(table.key)
    )
}

/// The statement that adds `column` to an older table.
pub(crate) fn add_column(table: &Table, column: &str) -> Result<String, StoreError> {
    let column = table.column(column)?;
    if !column.optional {
        return Err(StoreError::misuse("a column added later is optional"));
    }
    let kind = match column.kind {
        ColumnKind::Integer => "INTEGER",
        ColumnKind::Text => "TEXT",
        ColumnKind::Bytes => "BLOB",
    };
    Ok(format!("ALTER TABLE \"{}\" ADD COLUMN \"{}\" {kind};", table.name, column.name))
}

/// The statements that create the indexes of `table`, as far as they are not there.
pub(crate) fn create_indexes(table: &Table) -> String {
    let mut sql = String::new();
    for (sets, word, prefix) in [(table.unique, "UNIQUE INDEX", "u"), (table.indexes, "INDEX", "i")] {
        for set in sets {
            // Writing to a string does not fail.
            let _ = write!(
                sql,
                "CREATE {word} IF NOT EXISTS \"{prefix}_{}_{}\" ON \"{}\" ({});",
                table.name,
                set.join("_"),
                table.name,
                names(set)
            );
        }
    }
    sql
}

/// Checks `guard`.
pub(crate) fn guard(connection: &Connection, schema: &Schema, guard: &Guard) -> Result<(), StoreError> {
    let table = schema.check_guard(guard)?;
    let by_key = |key: &[Value], and: &str, value: Option<&Value>| {
        let sql = format!("SELECT 1 FROM \"{}\" WHERE {}{and}", table.name, equals(table.key));
        exists(connection, &sql, key.iter().chain(value))
    };
    let holds = match &guard.check {
        Check::Absent(key) => !by_key(key, "", None)?,
        Check::Present(key) => by_key(key, "", None)?,
        Check::Equals { key, column, value } => by_key(key, &format!(" AND \"{column}\" IS ?"), Some(value))?,
        Check::AtLeast { key, column, least } => {
            by_key(key, &format!(" AND \"{column}\" >= ?"), Some(&Value::Integer(*least)))?
        }
        Check::AtMost { key, column, most } => {
            by_key(key, &format!(" AND \"{column}\" <= ?"), Some(&Value::Integer(*most)))?
        }
        Check::None(when) => {
            let (conditions, values) = conditions(when);
            let sql = format!("SELECT 1 FROM \"{}\" WHERE {conditions} LIMIT 1", table.name);
            !exists(connection, &sql, values)?
        }
    };
    if holds { Ok(()) } else { Err(StoreError::Guard(guard.name)) }
}

/// Changes rows as `op` says.
pub(crate) fn apply(connection: &Connection, schema: &Schema, op: &RowOp) -> Result<(), StoreError> {
    let table = schema.check_op(op)?;
    match op {
        RowOp::Insert { row, .. } => insert(connection, table, row, ""),
        RowOp::Ensure { row, .. } => {
            let conflict = format!(" ON CONFLICT ({}) DO NOTHING", names(table.key));
            insert(connection, table, row, &conflict)
        }
        RowOp::Put { row, .. } => {
            let others: Vec<String> = table
                .columns
                .iter()
                .filter(|column| !table.key.contains(&column.name))
                .map(|column| format!("\"{0}\" = excluded.\"{0}\"", column.name))
                .collect();
            let what = if others.is_empty() {
                "NOTHING".to_owned()
            } else {
                format!("UPDATE SET {}", others.join(", "))
            };
            insert(connection, table, row, &format!(" ON CONFLICT ({}) DO {what}", names(table.key)))
        }
        RowOp::Update { key, set, .. } => {
            let columns: Vec<&str> = set.columns().map(|(name, _)| name).collect();
            update(connection, table, &columns, set.columns().map(|(_, value)| value).chain(key))
        }
        RowOp::Add { key, column, by, .. } => {
            let sql = format!("SELECT \"{column}\" FROM \"{}\" WHERE {}", table.name, equals(table.key));
            let held: Option<Option<i64>> = connection
                .prepare_cached(&sql)
                .and_then(|mut statement| statement.query_row(bind(key), |row| row.get(0)).optional())
                .map_err(failed)?;
            let held = held.ok_or(StoreError::Absent(table.name))?.unwrap_or(0);
            let sum = held.checked_add(*by).ok_or(StoreError::Overflow(table.name))?;
            update(connection, table, &[column], std::iter::once(&Value::Integer(sum)).chain(key))
        }
        RowOp::Delete { key, .. } => {
            let sql = format!("DELETE FROM \"{}\" WHERE {}", table.name, equals(table.key));
            execute(connection, table, &sql, key).map(drop)
        }
    }
}

/// Writes `row` into `table`, which is not looked up in a schema: for the journal and for [`apply`].
pub(crate) fn insert(
    connection: &Connection,
    table: &Table,
    row: &Row,
    conflict: &str,
) -> Result<(), StoreError> {
    let values = table.arrange(row)?;
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let places = vec!["?"; columns.len()].join(", ");
    let sql = format!("INSERT INTO \"{}\" ({}) VALUES ({places}){conflict}", table.name, names(&columns));
    execute(connection, table, &sql, &values).map(drop)
}

/// Answers `query`.
pub(crate) fn select(
    connection: &Connection,
    schema: &Schema,
    query: &Query,
) -> Result<Vec<Row>, StoreError> {
    let table = schema.check_query(query)?;
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let order = query.columns_of_order(table);
    let (mut wheres, mut values) = conditions(&query.when);
    if let Some(after) = &query.after {
        let (beyond, places) = behind(&order, after);
        wheres = if query.when.is_empty() { beyond } else { format!("{wheres} AND ({beyond})") };
        values.extend(places);
    }
    let by: Vec<String> = order
        .iter()
        .map(|(name, direction)| {
            format!("\"{name}\"{}", if *direction == Direction::Falling { " DESC" } else { "" })
        })
        .collect();
    let sql = format!(
        "SELECT {} FROM \"{}\" WHERE {wheres} ORDER BY {} LIMIT {}",
        names(&columns),
        table.name,
        by.join(", "),
        query.limit.min(semper_supporting::archive::store::LIMIT)
    );
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut found = statement.query(bind(values)).map_err(failed)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(failed)? {
        let mut kept = Row::new();
        for (at, column) in table.columns.iter().enumerate() {
            kept = kept.with(column.name, value(row.get_ref(at).map_err(failed)?)?);
        }
        rows.push(kept);
    }
    Ok(rows)
}

/// The condition for rows behind `after` in `order`, and what is bound in it.
fn behind<'a>(order: &[(&'static str, Direction)], after: &'a [Value]) -> (String, Vec<&'a Value>) {
    let columns: Vec<&str> = order.iter().map(|(name, _)| *name).collect();
    let falling = order.iter().filter(|(_, direction)| *direction == Direction::Falling).count();
    if falling == 0 || falling == order.len() {
        // One comparison of row values, which an index answers.
        let places = vec!["?"; columns.len()].join(", ");
        let sign = if falling == 0 { ">" } else { "<" };
        return (format!("({}) {sign} ({places})", names(&columns)), after.iter().collect());
    }
    let mut alternatives = Vec::new();
    let mut values = Vec::new();
    for (at, (name, direction)) in order.iter().enumerate() {
        let before: String = columns.iter().take(at).map(|column| format!("\"{column}\" = ? AND ")).collect();
        let sign = if *direction == Direction::Falling { "<" } else { ">" };
        alternatives.push(format!("({before}\"{name}\" {sign} ?)"));
        values.extend(after.iter().take(at.saturating_add(1)));
    }
    (alternatives.join(" OR "), values)
}

fn conditions(when: &[Comparison]) -> (String, Vec<&Value>) {
    if when.is_empty() {
        return ("1".to_owned(), Vec::new());
    }
    let texts: Vec<String> = when
        .iter()
        .map(|Comparison { column, relation, .. }| {
            let sign = match relation {
                Relation::Equal => "IS",
                Relation::NotEqual => "IS NOT",
                Relation::Less => "<",
                Relation::AtMost => "<=",
                Relation::Greater => ">",
                Relation::AtLeast => ">=",
            };
            format!("\"{column}\" {sign} ?")
        })
        .collect();
    (texts.join(" AND "), when.iter().map(|comparison| &comparison.value).collect())
}

fn update<'a>(
    connection: &Connection,
    table: &Table,
    columns: &[&str],
    values: impl IntoIterator<Item = &'a Value>,
) -> Result<(), StoreError> {
    let set: Vec<String> = columns.iter().map(|name| format!("\"{name}\" = ?")).collect();
    let sql = format!("UPDATE \"{}\" SET {} WHERE {}", table.name, set.join(", "), equals(table.key));
    match execute(connection, table, &sql, values)? {
        0 => Err(StoreError::Absent(table.name)),
        _ => Ok(()),
    }
}

fn execute<'a>(
    connection: &Connection,
    table: &Table,
    sql: &str,
    values: impl IntoIterator<Item = &'a Value>,
) -> Result<usize, StoreError> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute(bind(values))).map_err(
        |error| match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => StoreError::Duplicate(table.name),
            _ => failed(error),
        },
    )
}

fn exists<'a>(
    connection: &Connection,
    sql: &str,
    values: impl IntoIterator<Item = &'a Value>,
) -> Result<bool, StoreError> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.exists(bind(values))).map_err(failed)
}

fn value(held: ValueRef<'_>) -> Result<Value, StoreError> {
    Ok(match held {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Integer(n),
        ValueRef::Text(text) => Value::Text(
            String::from_utf8(text.to_vec())
                .map_err(|_| StoreError::Damaged("a text is not UTF-8".to_owned()))?,
        ),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(StoreError::Damaged("a column holds a fraction".to_owned())),
    })
}

fn names(columns: &[&str]) -> String {
    columns.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

fn equals(key: &[&str]) -> String {
    key.iter().map(|name| format!("\"{name}\" = ?")).collect::<Vec<_>>().join(" AND ")
}
