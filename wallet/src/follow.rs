//! Follows the journal: what is there when the wallet opens, then every new line as it is written.

use std::collections::BTreeSet;

use semper_supporting::{
    archive::{Query, Relation, Store, StoreError, Value, journal},
    crypto::signature::Kid,
};

use crate::lines::{self, Seen};

/// A reader of the journal that remembers how far it has come.
#[derive(Clone, Debug)]
pub struct Follow {
    after: u64,
    own: BTreeSet<Kid>,
}

/// How many lines the log holds; older ones stay in the archive.
pub const KEPT: usize = 10_000;
/// How many lines are read at a time.
pub const PAGE: u32 = 200;

impl Follow {
    /// A reader that begins where the last [`KEPT`] lines up to the line `newest` begin.
    pub fn new(newest: u64, own: BTreeSet<Kid>) -> Self {
        let kept = u64::try_from(KEPT).unwrap_or(u64::MAX);
        Self { after: newest.saturating_sub(kept), own }
    }

    /// The next lines, at most [`PAGE`]; none if nothing new was written.
    ///
    /// # Errors
    /// [`StoreError`]; the same lines come again then.
    pub async fn next<S: Store>(&mut self, store: &S) -> Result<Vec<Seen>, StoreError> {
        let query = Query::of(journal::TABLE.name)
            .when("seq", Relation::Greater, Value::count(self.after))
            .limit(PAGE);
        let rows: Vec<_> = store.query(vec![query]).await?.into_iter().flatten().collect();
        let seen = lines::read(store, &rows, &self.own).await?;
        if let Some(last) = seen.last() {
            self.after = last.line.seq;
        }
        Ok(seen)
    }
}

#[cfg(test)]
mod tests {
    use semper_archive_sqlite::{Options, SqliteArchive};
    use semper_supporting::{
        archive::{
            Batch,
            journal::{Entry, Kind},
            record::EvidenceRecord,
        },
        crypto::signature::{KeyPair, Signature},
        evidence::SignedBytes,
        time::Moment,
    };

    use super::*;
    use crate::{lines::Signed, wallet::schema};

    fn entry(n: u64, kind: &str, payload: Vec<u8>) -> Entry {
        let at = Moment::from_seconds(n);
        Entry { at, kind: Kind::parse(kind).unwrap(), deal: None, salt: [1; 32], payload }
    }

    async fn write(archive: &SqliteArchive, batch: Batch) {
        for committed in archive.commit(vec![batch]).await {
            committed.unwrap();
        }
    }

    #[tokio::test]
    async fn every_line_comes_once_in_order_and_new_ones_come_later() {
        let folder = tempfile::tempdir().unwrap();
        let archive = SqliteArchive::open(folder.path(), schema(), Options::default()).unwrap();
        let mut follow = Follow::new(0, BTreeSet::new());
        assert_eq!(follow.next(&archive).await.unwrap(), []);
        let many = (1..=250).fold(Batch::new(), |batch, n| batch.entry(entry(n, "sent/order", vec![1])));
        write(&archive, many).await;
        let mut numbers = Vec::new();
        for expected in [200, 50, 0] {
            let page = follow.next(&archive).await.unwrap();
            assert_eq!(page.len(), expected);
            numbers.extend(page.iter().map(|seen| seen.line.seq));
        }
        assert_eq!(numbers, (1..=250).collect::<Vec<_>>());
        write(&archive, Batch::new().entry(entry(300, "config/setting", Vec::new()))).await;
        assert_eq!(follow.next(&archive).await.unwrap()[0].line.seq, 251);
        let mut late = Follow::new(20_000, BTreeSet::new());
        assert_eq!(late.next(&archive).await.unwrap(), []);
    }

    #[tokio::test]
    async fn what_is_kept_as_evidence_counts_as_signed_by_its_signer() {
        let folder = tempfile::tempdir().unwrap();
        let archive = SqliteArchive::open(folder.path(), schema(), Options::default()).unwrap();
        let (own, other) = (KeyPair::from_seed(&[1; 32]), KeyPair::from_seed(&[2; 32]));
        let mut batch = Batch::new();
        for (pair, kind, text) in [(&own, "sent/order", "mine"), (&other, "received/offer", "theirs")] {
            let tbs = text.as_bytes().to_vec();
            let evidence = EvidenceRecord {
                kind: "order".into(),
                deal: None,
                signer: pair.public().kid(),
                certificate: None,
                at: Moment::from_seconds(1),
                signed: SignedBytes { signature: Signature::from_bytes([0; 64]), tbs: tbs.clone() },
                keep_until: Moment::from_seconds(9),
            };
            batch = batch.row(evidence.keep()).entry(entry(1, kind, tbs));
        }
        write(&archive, batch.entry(entry(2, "received/offer", b"unknown".to_vec()))).await;
        let mut follow = Follow::new(0, BTreeSet::from([own.public().kid()]));
        let signed: Vec<_> = follow.next(&archive).await.unwrap().iter().map(|seen| seen.signed).collect();
        assert_eq!(signed, [Signed::Own, Signed::Other, Signed::Unknown]);
    }
}
