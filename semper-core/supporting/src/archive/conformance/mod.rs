//! What every archive must do, whatever it is made of. One line in a module's tests runs all of it:
//! `semper_supporting::archive_conformance!(Bench::new());`
//!
//! A property opens an archive at a place of its own, uses it, drops it and opens it again: what was
//! answered with [`Committed`](super::Committed) must be there, what was refused must not.

mod concurrent;
mod journaled;
mod paged;
mod rows;

pub use concurrent::*;
pub use journaled::*;
pub use paged::*;
pub use rows::*;

use std::future::Future;

use super::{
    journal::{Class, Entry, Kind},
    schema::{Column, Schema, Table},
    store::{Batch, Query, Store, StoreError},
    value::Row,
};
use crate::time::Moment;

/// A place where one archive is opened, and opened again.
pub trait Bench {
    /// The archive under test.
    type Store: Store;

    /// Opens the archive at this place, after the last one that was open there is dropped.
    fn open(&self, schema: Schema) -> impl Future<Output = Result<Self::Store, StoreError>>;
}

/// A property that does not hold.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What should have held.
    #[error("{0}")]
    Property(String),
    /// The archive failed where it should not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs every property, each as a test of its own, on the bench the expression makes.
///
/// The crate that uses it needs `tokio` with `macros` and `rt` among its dev-dependencies.
#[macro_export]
macro_rules! archive_conformance {
    ($bench:expr) => {
        $crate::archive_conformance!($bench;
            a_failed_guard_names_itself_and_leaves_no_trace,
            a_batch_happens_whole_or_not_at_all,
            batches_of_one_call_stand_each_for_itself,
            keys_and_unique_sets_hold,
            numbers_are_added_checked,
            only_what_is_named_changes,
            values_come_back_as_they_went_in,
            what_does_not_fit_a_table_is_refused,
            conditions_compare_as_documented,
            pages_are_complete_and_in_order,
            the_journal_continues_when_opened_again,
            an_erased_entry_leaves_the_chain_whole,
            time_never_runs_backwards_along_the_journal,
            an_older_archive_is_brought_up_and_a_newer_one_refused,
            writers_at_the_same_time_lose_nothing,
            of_two_writers_one_sees_its_guard_fail,
            queries_of_one_call_see_one_state,
        );
    };
    ($bench:expr; $($property:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $property() {
            let bench = $bench;
            if let Err(failure) = $crate::archive::conformance::$property(&bench).await {
                panic!("{failure}");
            }
        }
    )*};
}

/// The table the properties work on.
pub const ACCOUNT: Table = Table {
    name: "conformance_account",
    columns: &[
        Column::bytes("id"),
        Column::text("owner").optional(),
        Column::integer("balance"),
        Column::bytes("note").optional(),
    ],
    key: &["id"],
    unique: &[&["owner"]],
    indexes: &[&["balance"]],
};

/// A table with a key of two columns.
pub const POSTING: Table = Table {
    name: "conformance_posting",
    columns: &[Column::text("entry"), Column::integer("n"), Column::integer("amount")],
    key: &["entry", "n"],
    unique: &[],
    indexes: &[],
};

fn schema() -> Schema {
    Schema::new(1).with(&[ACCOUNT, POSTING])
}

fn account(id: u8, balance: i64) -> Row {
    Row::new().with("id", [id]).with("balance", balance)
}

const KIND: Kind = Kind::of(Class::Decision, "conformance");

fn entry(n: u64) -> Entry {
    Entry {
        at: Moment::from_seconds(1_700_000_000_u64.saturating_add(n)),
        kind: KIND,
        deal: None,
        salt: [u8::try_from(n % 251).unwrap_or_default(); 32],
        payload: n.to_be_bytes().to_vec(),
    }
}

fn ensure(holds: bool, what: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::Property(what.to_owned())) }
}

fn same<T: PartialEq + std::fmt::Debug>(got: &T, expected: &T, what: &str) -> Result<(), Failure> {
    ensure(got == expected, &format!("{what}: expected {expected:?}, got {got:?}"))
}

async fn commit<S: Store>(store: &S, batch: Batch) -> Result<super::Committed, StoreError> {
    let mut answers = store.commit(vec![batch]).await;
    match answers.pop() {
        Some(answer) if answers.is_empty() => answer,
        _ => Err(StoreError::misuse("one batch has one answer")),
    }
}

async fn ask<S: Store>(store: &S, query: Query) -> Result<Vec<Row>, StoreError> {
    let mut answers = store.query(vec![query]).await?;
    match answers.pop() {
        Some(rows) if answers.is_empty() => Ok(rows),
        _ => Err(StoreError::misuse("one query has one answer")),
    }
}

async fn balance<S: Store>(store: &S, id: u8) -> Result<Option<i64>, StoreError> {
    let rows = ask(store, Query::of(ACCOUNT.name).equal("id", [id])).await?;
    rows.first().map(|row| row.integer("balance")).transpose()
}
