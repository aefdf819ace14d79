//! The archive: what a program keeps, and the chain that shows nothing was taken out of it.
//!
//! Here are the contracts and the pure parts: tables and rows as data ([`schema`], [`store`]), the
//! hash-chained journal ([`journal`]) and its signed heads ([`head`]), the records every program keeps
//! ([`record`]), and what every implementation must pass ([`conformance`]). The modules `archive-*` write
//! files or talk to a database server.

pub mod conformance;
pub mod head;
pub mod header;
pub mod journal;
pub mod record;
pub mod recovery;
pub mod schema;
pub mod store;
pub mod value;

pub use schema::{Change, Column, ColumnKind, Migration, Schema, Table};
pub use store::{
    Batch, Check, Committed, Comparison, Direction, Guard, Query, Relation, RowOp, Store, StoreError,
};
pub use value::{Row, Value};

crate::identifier! {
    /// The name of an archive, drawn once when it is created.
    ArchiveId, 32
}
