//! The third parties a program knows: where they are, and what they said of themselves, kept over restarts so
//! that no deal waits for a third party that is not asked.

use std::collections::BTreeMap;

use semper_commerce::{
    deal::{Duty, ThirdPartyTerms},
    sale::Arbiter,
};
use semper_supporting::{
    archive::{Batch, Column, Query, Row, RowOp, Store, StoreError, Table, Value, record::keep_certificate},
    certificate::{Certificate, TrustSnapshot, inspect},
    comm::address::Endpoint,
    crypto::signature::Kid,
    evidence::{SignedBytes, statement::Bytes},
    time::Moment,
    wire::{self, WireError},
};

use crate::{
    calls::{
        CallFault, Caller,
        arbiter::{self, Introduced},
    },
    sale::Place,
};

/// One row a third party, by its address. Times in seconds.
pub const ARBITER: Table = Table {
    name: "arbiter",
    columns: &[Column::text("at"), Column::bytes("caps"), Column::bytes("chain"), Column::integer("met_s")],
    key: &["at"],
    unique: &[],
    indexes: &[],
};

/// The most bytes of what is kept of one.
const LIMIT: usize = 64 << 10;

/// A third party that introduced itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Acquaintance {
    /// Its address, as `host:port`.
    pub at: String,
    /// What it said, verified.
    pub introduced: Introduced,
}

/// Why a third party is not known.
#[derive(Debug, thiserror::Error)]
pub enum MeetFault {
    /// It cannot be asked, or is not what it should be.
    #[error(transparent)]
    Call(#[from] CallFault),
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it said cannot be kept.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// Asks the third party at `at` who it is, and keeps what it says.
///
/// # Errors
/// [`MeetFault`]; what was known of it stays.
pub async fn meet(store: &impl Store, caller: &Caller, at: &Endpoint) -> Result<Acquaintance, MeetFault> {
    let introduced = arbiter::introduce(caller, at).await?;
    let now = caller.now();
    let chain: Vec<Bytes> = introduced.chain.iter().map(|one| Bytes(one.der().to_vec())).collect();
    let row = Row::new()
        .with("at", at.to_string())
        .with("caps", wire::encode(&introduced.caps, LIMIT)?)
        .with("chain", wire::encode(&chain, LIMIT)?)
        .with("met_s", Value::seconds(now));
    let mut batch = Batch::new().row(RowOp::put(ARBITER.name, row));
    for certificate in &introduced.chain {
        if let Ok(content) = inspect(certificate) {
            batch = batch.row(keep_certificate(certificate.der(), content.key.kid(), now));
        }
    }
    semper_host::record::commit(store, batch).await?;
    Ok(Acquaintance { at: at.to_string(), introduced })
}

/// The third parties among `at` that are known and still certified, in the order of `at`.
///
/// # Errors
/// [`StoreError`].
pub async fn known(
    store: &impl Store,
    at: &[Endpoint],
    trust: &TrustSnapshot,
    now: Moment,
) -> Result<Vec<Acquaintance>, StoreError> {
    let rows = store.query(vec![Query::of(ARBITER.name)]).await?;
    let mut found = BTreeMap::new();
    for row in rows.iter().flatten() {
        let read = |column| -> Result<_, StoreError> { Ok(row.bytes(column)?.to_vec()) };
        let damaged = |error: WireError| StoreError::Damaged(format!("what a third party said: {error}"));
        let caps: SignedBytes = wire::decode(&read("caps")?, LIMIT).map_err(damaged)?;
        let chain: Vec<Bytes> = wire::decode(&read("chain")?, LIMIT).map_err(damaged)?;
        let chain = chain.iter().filter_map(|der| Certificate::from_der(&der.0).ok()).collect();
        let at = row.text("at")?;
        match Introduced::verify(caps, chain, trust, now) {
            Ok(introduced) => drop(found.insert(at.to_owned(), introduced)),
            Err(fault) => tracing::warn!(at, "a third party is not relied on any more: {fault}"),
        }
    }
    let one = |at: &Endpoint| {
        let at = at.to_string();
        found.remove(&at).map(|introduced| Acquaintance { at, introduced })
    };
    Ok(at.iter().filter_map(one).collect())
}

impl Acquaintance {
    /// What sales need to know of it.
    pub fn arbiter(&self) -> Arbiter {
        self.introduced.arbiter.clone()
    }

    /// What deals say of it.
    pub fn terms(&self) -> ThirdPartyTerms {
        let Arbiter { certificate, policy, .. } = self.introduced.arbiter;
        ThirdPartyTerms { duty: Duty::Exchange, certificate, policy }
    }

    /// Where it is, by its key.
    pub fn place(&self) -> (Kid, Place) {
        let chain = self.introduced.chain.iter().map(|one| Bytes(one.der().to_vec())).collect();
        (self.introduced.arbiter.key.kid(), Place { at: self.at.clone(), chain })
    }
}
