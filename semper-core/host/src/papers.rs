//! The papers of a program: the roots it trusts, its own certificates, and the newest revocation lists.

use semper_supporting::{
    archive::{
        Batch, Column, Query, Row, RowOp, Store, StoreError, Table, Value,
        record::{CERTIFICATE, keep_certificate},
    },
    certificate::{Certificate, CertificateFault, Crl, TrustSnapshot, inspect},
    registration::message::CertificateSet,
    time::Moment,
};

/// What is trusted and what is one's own.
pub const PAPER: Table = Table {
    name: "paper",
    columns: &[Column::text("role"), Column::integer("place"), Column::bytes("der")],
    key: &["role", "place"],
    unique: &[],
    indexes: &[],
};

/// The tables of papers: these, and the certificates that evidence names.
pub const TABLES: &[Table] = &[PAPER, CERTIFICATE];

/// The papers of one program.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Papers {
    /// The roots it trusts.
    pub roots: Vec<Certificate>,
    /// Its own certificates, in the order of the set; none before it is registered.
    pub own: Vec<Certificate>,
    /// The authorities above its own, the lowest first.
    pub above: Vec<Certificate>,
    /// The newest revocation lists.
    pub lists: Vec<Crl>,
}

/// Why papers cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum PapersError {
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored certificate or list is damaged.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
}

impl Papers {
    /// Reads the papers of an archive.
    ///
    /// # Errors
    /// [`PapersError`].
    pub async fn load(store: &impl Store) -> Result<Self, PapersError> {
        let mut papers = Self::default();
        for row in store.query(vec![Query::of(PAPER.name)]).await?.into_iter().flatten() {
            let der = row.bytes("der")?;
            match row.text("role")? {
                "root" => papers.roots.push(Certificate::from_der(der)?),
                "own" => papers.own.push(Certificate::from_der(der)?),
                "above" => papers.above.push(Certificate::from_der(der)?),
                _ => papers.lists.push(Crl::from_der(der)?),
            }
        }
        Ok(papers)
    }

    /// Keeps a root that the operator or the user has confirmed.
    ///
    /// # Errors
    /// [`PapersError`]; nothing is kept then.
    pub async fn trust(&mut self, store: &impl Store, root: Certificate) -> Result<(), PapersError> {
        if self.roots.contains(&root) {
            return Ok(());
        }
        commit(store, Batch::new().row(paper("root", self.roots.len(), root.der()))).await?;
        self.roots.push(root);
        Ok(())
    }

    /// What keeps a set of certificates as the program's own.
    ///
    /// # Errors
    /// [`PapersError::Certificate`] for a certificate that cannot be read.
    pub fn keep(set: &CertificateSet, at: Moment) -> Result<Vec<RowOp>, PapersError> {
        let mut rows = Vec::new();
        for (role, certificates) in [("own", &set.certificates), ("above", &set.chain)] {
            for (place, certificate) in certificates.iter().enumerate() {
                rows.push(paper(role, place, certificate.der()));
                rows.push(keep_certificate(certificate.der(), inspect(certificate)?.key.kid(), at));
            }
        }
        Ok(rows)
    }

    /// Keeps a newer revocation list of an authority known here.
    ///
    /// # Errors
    /// [`PapersError::Certificate`] for a list of nobody known or one that is not newer; the one held stays.
    pub async fn accept_list(
        &mut self,
        store: &impl Store,
        list: Crl,
        now: Moment,
    ) -> Result<(), PapersError> {
        let mut snapshot = self.snapshot();
        snapshot.accept_list(list, now)?;
        let mut batch = Batch::new();
        for (place, list) in snapshot.crls.iter().enumerate() {
            batch = batch.row(paper("list", place, list.der()));
        }
        commit(store, batch).await?;
        self.lists = snapshot.crls;
        Ok(())
    }

    /// What connections and statements are checked against.
    pub fn snapshot(&self) -> TrustSnapshot {
        TrustSnapshot {
            roots: self.roots.clone(),
            intermediates: self.above.clone(),
            crls: self.lists.clone(),
            fetched_at: self.lists.iter().map(Crl::this_update).max().unwrap_or_default(),
        }
    }

    /// The number of the list held of `authority`; 0 for none.
    pub fn list_number(&self, authority: &Certificate) -> u64 {
        self.lists.iter().find(|list| list.is_signed_by(authority)).map_or(0, Crl::number)
    }
}

fn paper(role: &str, place: usize, der: &[u8]) -> RowOp {
    let place = Value::count(u64::try_from(place).unwrap_or(u64::MAX));
    RowOp::put(PAPER.name, Row::new().with("role", role).with("place", place).with("der", der.to_vec()))
}

async fn commit(store: &impl Store, batch: Batch) -> Result<(), StoreError> {
    store.commit(vec![batch]).await.into_iter().try_for_each(|done| done.map(drop))
}
