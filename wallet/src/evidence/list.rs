//! The deals that evidence is kept of.

use std::collections::BTreeMap;

use semper_supporting::{
    archive::{
        Query, Store, StoreError,
        record::{EVIDENCE, EvidenceRecord},
    },
    deal::DealId,
    time::Moment,
};
use serde::Serialize;

use super::all;

/// What is kept of one deal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Holding {
    /// The deal.
    pub deal: DealId,
    /// How many statements.
    pub statements: u32,
    /// When the first came or was made here.
    pub first: Moment,
    /// When the last did.
    pub last: Moment,
    /// How many of each type.
    pub types: BTreeMap<String, u32>,
}

/// Lists the deals that have evidence, the latest last.
///
/// # Errors
/// [`StoreError`].
pub async fn list<S: Store>(store: &S) -> Result<Vec<Holding>, StoreError> {
    let mut deals: BTreeMap<DealId, Holding> = BTreeMap::new();
    for row in all(store, &EVIDENCE, Query::of(EVIDENCE.name)).await? {
        let record = EvidenceRecord::from_row(&row)?;
        let Some(deal) = record.deal else { continue };
        let (at, types) = (record.at, BTreeMap::new());
        let holding =
            deals.entry(deal).or_insert(Holding { deal, statements: 0, first: at, last: at, types });
        holding.statements = holding.statements.saturating_add(1);
        holding.first = holding.first.min(at);
        holding.last = holding.last.max(at);
        let count = holding.types.entry(record.kind).or_default();
        *count = count.saturating_add(1);
    }
    let mut holdings: Vec<_> = deals.into_values().collect();
    holdings.sort_by_key(|holding| (holding.last, holding.deal));
    Ok(holdings)
}
