//! Lines of the journal, and one batch on its way to the disk.

use semper_supporting::{
    archive::{
        Batch, Store, StoreError,
        journal::{Entry, Kind},
    },
    time::Moment,
};

use crate::chance::{self, NoChance};

/// An entry of the journal with a fresh salt.
///
/// # Errors
/// [`NoChance`].
pub fn entry(kind: Kind, payload: impl Into<Vec<u8>>, at: Moment) -> Result<Entry, NoChance> {
    Ok(Entry { at, kind, deal: None, salt: chance::random()?, payload: payload.into() })
}

/// Commits one batch; it is on the disk then.
///
/// # Errors
/// [`StoreError`]; nothing has changed.
pub async fn commit(store: &impl Store, batch: Batch) -> Result<(), StoreError> {
    store.commit(vec![batch]).await.into_iter().try_for_each(|done| done.map(drop))
}
