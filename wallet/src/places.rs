//! The places a wallet knows: its certification authority, banks and arbiters, and in which surroundings.

use semper_host::record::commit;
use semper_supporting::{
    archive::{Batch, Column, Direction, Query, Row, RowOp, Store, StoreError, Table, Value},
    comm::address::{AddressError, Endpoint, Surroundings},
};

/// Addresses by what is there, the preferred one first.
pub const PLACE: Table = Table {
    name: "place",
    columns: &[Column::text("role"), Column::integer("position"), Column::text("address")],
    key: &["role", "position"],
    unique: &[],
    indexes: &[],
};

/// The places a wallet knows.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Places {
    /// Whether addresses inside the own network are called.
    pub surroundings: Surroundings,
    /// The certification authority that gave the own certificates, and its lists.
    pub authority: Option<Endpoint>,
    /// Banks, the preferred one first.
    pub banks: Vec<Endpoint>,
    /// Arbiters, the preferred one first.
    pub arbiters: Vec<Endpoint>,
}

/// Why the places cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum PlacesFault {
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An address is kept that would not be called.
    #[error(transparent)]
    Address(#[from] AddressError),
}

const AUTHORITY: &str = "authority";
const BANK: &str = "bank";
const ARBITER: &str = "arbiter";
/// The row that says in which surroundings the wallet lives.
const SURROUNDINGS: &str = "surroundings";
const DEMO: &str = "demo";
const PUBLIC: &str = "public";

impl Places {
    /// Reads the places of an archive.
    ///
    /// # Errors
    /// [`PlacesFault`].
    pub async fn load(store: &impl Store) -> Result<Self, PlacesFault> {
        let query =
            Query::of(PLACE.name).order("role", Direction::Rising).order("position", Direction::Rising);
        let rows: Vec<Row> = store.query(vec![query]).await?.into_iter().flatten().collect();
        let is_demo = |row: &Row| {
            Ok::<_, StoreError>(row.text("role")? == SURROUNDINGS && row.text("address")? == DEMO)
        };
        let mut places = Self::default();
        for row in &rows {
            if is_demo(row)? {
                places.surroundings = Surroundings::Demo;
            }
        }
        for row in &rows {
            let at = || Ok::<_, PlacesFault>(Endpoint::parse(row.text("address")?, places.surroundings)?);
            match row.text("role")? {
                AUTHORITY => places.authority = Some(at()?),
                BANK => places.banks.push(at()?),
                ARBITER => places.arbiters.push(at()?),
                _ => {}
            }
        }
        Ok(places)
    }

    /// Keeps these places and forgets all others.
    ///
    /// # Errors
    /// [`StoreError`]; the places are then as they were.
    pub async fn keep(&self, store: &impl Store) -> Result<(), StoreError> {
        let known = store.query(vec![Query::of(PLACE.name)]).await?;
        let mut batch = Batch::new();
        for row in known.into_iter().flatten() {
            let key = vec![Value::from(row.text("role")?.to_owned()), Value::count(row.count("position")?)];
            batch = batch.row(RowOp::delete(PLACE.name, key));
        }
        let surroundings = match self.surroundings {
            Surroundings::Demo => DEMO,
            Surroundings::Public => PUBLIC,
        };
        batch = batch.row(place(SURROUNDINGS, 0, surroundings.to_owned()));
        for (role, all) in [(BANK, &self.banks), (ARBITER, &self.arbiters)] {
            for (position, address) in all.iter().enumerate() {
                batch = batch.row(place(role, position, address.to_string()));
            }
        }
        if let Some(address) = &self.authority {
            batch = batch.row(place(AUTHORITY, 0, address.to_string()));
        }
        commit(store, batch).await
    }
}

fn place(role: &'static str, position: usize, address: String) -> RowOp {
    let position = Value::count(u64::try_from(position).unwrap_or(u64::MAX));
    RowOp::put(PLACE.name, Row::new().with("role", role).with("position", position).with("address", address))
}

#[cfg(test)]
mod tests {
    use semper_archive_sqlite::{Options, SqliteArchive};

    use super::*;
    use crate::wallet::schema;

    #[tokio::test]
    async fn what_is_kept_is_known_again_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteArchive::open(folder.path(), schema(), Options::default()).unwrap();
        assert_eq!(Places::load(&store).await.unwrap(), Places::default());
        let at = |text| Endpoint::parse(text, Surroundings::Demo).unwrap();
        let places = Places {
            surroundings: Surroundings::Demo,
            authority: Some(at("localhost:7001")),
            banks: vec![at("localhost:7002"), at("127.0.0.1:7003")],
            arbiters: vec![at("localhost:7004")],
        };
        places.keep(&store).await.unwrap();
        assert_eq!(Places::load(&store).await.unwrap(), places);
        let fewer = Places { banks: vec![at("localhost:7009")], arbiters: Vec::new(), ..places };
        fewer.keep(&store).await.unwrap();
        assert_eq!(Places::load(&store).await.unwrap(), fewer);
        // In real use an address inside the own network is not called, whoever has written it down.
        let public = Places { surroundings: Surroundings::Public, ..fewer };
        public.keep(&store).await.unwrap();
        assert!(matches!(Places::load(&store).await, Err(PlacesFault::Address(_))));
    }
}
