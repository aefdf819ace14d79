//! What the arbiter reads from its archive: cases, statements, replacements, escrows, the head of the journal.

use semper_supporting::{
    archive::{
        Direction, Query, Row, Store, StoreError,
        journal::{self, Head},
        record::{EVIDENCE, EvidenceRecord},
    },
    crypto::digest::Digest,
    deal::Xid,
    evidence::SignedBytes,
};
use semper_transfer::property::Generated;

use super::{
    Arbiter,
    tables::{self, BLOB, MADE, Stored, case_of},
};

impl<S: Store> Arbiter<S> {
    pub(super) async fn head(&self) -> Result<Head, StoreError> {
        let last = Query::of(journal::TABLE.name).order("seq", Direction::Falling).limit(1);
        let row = self.store.query(vec![last]).await?.into_iter().flatten().next();
        row.map_or(Ok(Head { seq: 0, hash: Digest::from_bytes([0; 32]) }), |row| {
            Ok(Head { seq: row.count("seq")?, hash: Digest::from_bytes(row.array("line_hash")?) })
        })
    }

    pub(super) async fn stored(&self, xid: Xid) -> Result<Option<Stored>, StoreError> {
        self.one(case_of(xid)).await?.map(|row| Stored::from_row(&row)).transpose()
    }

    pub(super) async fn evidence(&self, digest: Digest) -> Result<Option<SignedBytes>, StoreError> {
        let row = self.one(Query::of(EVIDENCE.name).equal("hash", digest)).await?;
        row.map(|row| EvidenceRecord::from_row(&row).map(|record| record.signed)).transpose()
    }

    pub(super) async fn made(&self, xid: Xid, digest: Digest) -> Result<Option<Generated>, StoreError> {
        let row = self.one(Query::of(MADE.name).equal("xid", xid).equal("hash", digest)).await?;
        row.map(|row| tables::read_made(&row)).transpose()
    }

    pub(super) async fn blob(&self, xid: Xid, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.one(Query::of(BLOB.name).equal("xid", xid).equal("hash", digest)).await?;
        row.map(|row| row.bytes("content").map(<[u8]>::to_vec)).transpose()
    }

    pub(super) async fn one(&self, query: Query) -> Result<Option<Row>, StoreError> {
        Ok(self.store.query(vec![query.limit(1)]).await?.into_iter().flatten().next())
    }
}
