//! The engine's tables: instances, marks of inputs, effects not yet done, timers.

use semper_supporting::{
    archive::{Column, Guard, Row, RowOp, StoreError, Table, Value},
    crypto::digest::Digest,
    time::Moment,
};

use crate::host::Key;

/// The engine's tables, to be put into the schema of every program.
pub const TABLES: &[Table] = &[INSTANCE, MARK, OUTBOX, TIMER];

/// The instances and their states.
pub(crate) const INSTANCE: Table = Table {
    name: "engine_instance",
    columns: &[
        Column::text("kind"),
        Column::bytes("id"),
        Column::integer("ver"),
        Column::bytes("state"),
        Column::integer("ended"),
    ],
    key: &["kind", "id"],
    unique: &[],
    indexes: &[&["ended", "kind", "id"]],
};

/// Inputs that were taken, and what was answered.
pub(crate) const MARK: Table = Table {
    name: "engine_mark",
    columns: &[
        Column::text("kind"),
        Column::bytes("id"),
        Column::bytes("mark"),
        Column::integer("ver"),
        Column::bytes("answers"),
    ],
    key: &["kind", "id", "mark"],
    unique: &[],
    indexes: &[],
};

/// Effects: not done yet, or kept in order to be repeated.
pub(crate) const OUTBOX: Table = Table {
    name: "engine_outbox",
    columns: &[
        Column::text("kind"),
        Column::bytes("id"),
        Column::integer("ver"),
        Column::integer("n"),
        Column::bytes("effect"),
        Column::integer("jitter"),
        Column::integer("done"),
    ],
    key: &["kind", "id", "ver", "n"],
    unique: &[],
    indexes: &[&["done", "kind", "id", "ver", "n"]],
};

/// Timers; times in milliseconds.
pub(crate) const TIMER: Table = Table {
    name: "engine_timer",
    columns: &[Column::text("kind"), Column::bytes("id"), Column::text("name"), Column::integer("due")],
    key: &["kind", "id", "name"],
    unique: &[],
    indexes: &[],
};

/// The guard of an instance's version: another step came in between.
pub(crate) const VERSION: &str = "engine.version";
/// The guard of a timer or effect that an input came from.
pub(crate) const ORIGIN: &str = "engine.origin";
/// The guard of an input's mark: it was taken before.
pub(crate) const REPEATED: &str = "engine.repeated";

pub(crate) fn instance_key(key: &Key) -> Vec<Value> {
    vec![key.kind.as_str().into(), key.id.clone().into()]
}

pub(crate) fn key_of(row: &Row) -> Result<Key, StoreError> {
    Ok(Key { kind: row.text("kind")?.to_owned(), id: row.bytes("id")?.to_vec() })
}

fn named(key: &Key) -> Row {
    Row::new().with("kind", key.kind.as_str()).with("id", key.id.clone())
}

/// The new state of an instance, and the guard that no other step came in between.
pub(crate) fn keep_instance(key: &Key, before: u64, state: Vec<u8>, ended: bool) -> (Guard, RowOp) {
    let guard = if before == 0 {
        Guard::absent(VERSION, INSTANCE.name, instance_key(key))
    } else {
        Guard::equals(VERSION, INSTANCE.name, instance_key(key), "ver", Value::count(before))
    };
    let row = named(key)
        .with("ver", Value::count(before.saturating_add(1)))
        .with("state", state)
        .with("ended", ended);
    (guard, RowOp::put(INSTANCE.name, row))
}

pub(crate) fn mark_key(key: &Key, mark: &Digest) -> Vec<Value> {
    let mut parts = instance_key(key);
    parts.push((*mark).into());
    parts
}

pub(crate) fn keep_mark(key: &Key, mark: &Digest, ver: u64, answers: Vec<u8>) -> (Guard, RowOp) {
    let guard = Guard::absent(REPEATED, MARK.name, mark_key(key, mark));
    let row = named(key).with("mark", *mark).with("ver", Value::count(ver)).with("answers", answers);
    (guard, RowOp::insert(MARK.name, row))
}

pub(crate) fn effect_key(key: &Key, ver: u64, n: u64) -> Vec<Value> {
    let mut parts = instance_key(key);
    parts.extend([Value::count(ver), Value::count(n)]);
    parts
}

pub(crate) fn keep_effect(key: &Key, ver: u64, n: u64, effect: Vec<u8>, jitter: u64) -> RowOp {
    let row = named(key)
        .with("ver", Value::count(ver))
        .with("n", Value::count(n))
        .with("effect", effect)
        .with("jitter", Value::count(jitter >> 1))
        .with("done", false);
    RowOp::insert(OUTBOX.name, row)
}

pub(crate) fn timer_key(key: &Key, name: &str) -> Vec<Value> {
    let mut parts = instance_key(key);
    parts.push(name.into());
    parts
}

pub(crate) fn keep_timer(key: &Key, name: &str, due: Moment) -> RowOp {
    RowOp::put(TIMER.name, named(key).with("name", name).with("due", Value::millis(due)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use semper_supporting::archive::{Schema, record};

    #[test]
    fn the_tables_go_into_a_schema_and_take_what_is_written_here() {
        let schema = Schema::new(1).with(record::TABLES).with(TABLES);
        assert_eq!(schema.check(), Ok(()));
        let key = Key::new("deal", [1; 32]);
        let (guard, row) = keep_instance(&key, 3, vec![1], false);
        assert!(schema.check_guard(&guard).is_ok() && schema.check_op(&row).is_ok());
        let (guard, row) = keep_mark(&key, &Digest::of(b"x"), 3, vec![]);
        assert!(schema.check_guard(&guard).is_ok() && schema.check_op(&row).is_ok());
        assert!(schema.check_op(&keep_effect(&key, 1, 2, vec![], u64::MAX)).is_ok());
        assert!(schema.check_op(&keep_timer(&key, "t", Moment::default())).is_ok());
    }
}
