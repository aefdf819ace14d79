//! The keys of a certification authority: a root, and the issuing authority below it.
//!
//! The root signs the issuing authority and its own revocation list when it is set up, and is not needed
//! again before either ends. Its key is written to a file of its own, to be taken off the machine; the
//! daemon holds the issuing key only, in its encrypted archive.

use semper_host::{
    chance::{self, NoChance},
    record::commit,
};
use semper_supporting::{
    archive::{Batch, Column, Query, Row, RowOp, Store, StoreError, Table, Value},
    certificate::{
        Certificate, CertificateFault, Class, Crl, Issuance, Issuer, Serial, Subject,
        status::{LIST_VALIDITY, ROOT_LIST_VALIDITY, RevokedEntry},
    },
    crypto::signature::KeyPair,
    time::{Moment, Span},
};
use zeroize::Zeroizing;

/// The authorities: the root's certificate, and the issuing authority's with its key.
pub const AUTHORITY: Table = Table {
    name: "authority",
    columns: &[Column::text("name"), Column::bytes("certificate"), Column::bytes("seed").optional()],
    key: &["name"],
    unique: &[],
    indexes: &[],
};

/// The newest revocation list of each.
pub const LIST: Table = Table {
    name: "list",
    columns: &[
        Column::text("name"),
        Column::integer("number"),
        Column::bytes("der"),
        Column::integer("next_s"),
    ],
    key: &["name"],
    unique: &[],
    indexes: &[],
};

/// The certificates that are revoked.
pub const REVOKED: Table = Table {
    name: "revoked",
    columns: &[Column::bytes("serial"), Column::integer("at_s"), Column::text("reason")],
    key: &["serial"],
    unique: &[],
    indexes: &[],
};

/// How often a new list is issued: every six hours.
pub const LIST_EVERY: Span = Span::hours(6);

/// A certification authority at work.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer,
    root: Certificate,
    list: Crl,
    root_list: Crl,
}

/// Why an authority cannot be set up or opened.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A certificate or list cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// There is none in this archive.
    #[error("this folder holds no certification authority: run `init` with the role registration")]
    Missing,
}

impl Authority {
    /// Sets up a root and an issuing authority named after `name`. The root's certificate and the seed of its
    /// key, which the archive never holds, go to `keep` before anything is stored: a root that nobody kept
    /// never certified anything.
    ///
    /// # Errors
    /// [`AuthorityError`], or that of `keep`; nothing was stored then.
    pub async fn found<E: From<AuthorityError>>(
        store: &impl Store,
        country: &str,
        organisation: &str,
        name: &str,
        now: Moment,
        keep: impl FnOnce(&Certificate, &Zeroizing<[u8; 32]>) -> Result<(), E>,
    ) -> Result<Self, E> {
        let (authority, root_seed, batch) = Self::plan(country, organisation, name, now)?;
        keep(&authority.root, &root_seed)?;
        commit(store, batch).await.map_err(AuthorityError::from)?;
        Ok(authority)
    }

    /// A new authority, the seed of its root's key, and what stores all but that.
    fn plan(
        country: &str,
        organisation: &str,
        name: &str,
        now: Moment,
    ) -> Result<(Self, Zeroizing<[u8; 32]>, Batch), AuthorityError> {
        let subject = |role: &str| Subject {
            country: Some(country.to_owned()),
            organisation: Some(organisation.to_owned()),
            common_name: format!("{name} {role}"),
            ..Subject::default()
        };
        let (root_seed, seed) = (chance::secret::<32>()?, chance::secret::<32>()?);
        // A certificate that is a minute old is accepted by whoever's clock is a little behind.
        let from = now.before(Span::minutes(1)).whole_seconds();
        let serial = || chance::random().map(Serial::from_random);
        let root = Issuer::root(KeyPair::from_seed(&root_seed), subject("root"), serial()?, from)?;
        let key = KeyPair::from_seed(&seed);
        let order = Issuance {
            class: Class::IssuingCa,
            subject: subject("issuing authority"),
            key: key.public(),
            serial: serial()?,
            from,
            policy: None,
        };
        let issuer = Issuer::open(key, root.issue(&order)?)?;
        let root_list = root.issue_list(1, now, ROOT_LIST_VALIDITY, &[])?;
        let list = issuer.issue_list(1, now, LIST_VALIDITY, &[])?;
        let authority = |name: &str, certificate: &Certificate, seed: Option<&[u8; 32]>| {
            let row = Row::new().with("name", name).with("certificate", certificate.der().to_vec());
            RowOp::insert(AUTHORITY.name, row.with("seed", seed.copied()))
        };
        let batch = Batch::new()
            .row(authority("root", root.certificate(), None))
            .row(authority("issuing", issuer.certificate(), Some(&seed)))
            .row(list_row("root", &root_list))
            .row(list_row("issuing", &list));
        Ok((Self { issuer, root: root.certificate().clone(), list, root_list }, root_seed, batch))
    }

    /// Opens the authority of an archive.
    ///
    /// # Errors
    /// [`AuthorityError::Missing`] if there is none.
    pub async fn open(store: &impl Store) -> Result<Self, AuthorityError> {
        let queries = vec![Query::of(AUTHORITY.name), Query::of(LIST.name)];
        let found = store.query(queries).await?;
        let mut rows = found.into_iter();
        let (authorities, lists) = (rows.next().unwrap_or_default(), rows.next().unwrap_or_default());
        let by = |rows: &[Row], name: &str| {
            rows.iter().find(|row| row.text("name") == Ok(name)).cloned().ok_or(AuthorityError::Missing)
        };
        let (root, issuing) = (by(&authorities, "root")?, by(&authorities, "issuing")?);
        let seed = Zeroizing::new(issuing.array("seed")?);
        let certificate = Certificate::from_der(issuing.bytes("certificate")?)?;
        Ok(Self {
            issuer: Issuer::open(KeyPair::from_seed(&seed), certificate)?,
            root: Certificate::from_der(root.bytes("certificate")?)?,
            list: Crl::from_der(by(&lists, "issuing")?.bytes("der")?)?,
            root_list: Crl::from_der(by(&lists, "root")?.bytes("der")?)?,
        })
    }

    /// The root.
    pub fn root(&self) -> &Certificate {
        &self.root
    }

    /// The issuing authority.
    pub fn issuing(&self) -> &Certificate {
        self.issuer.certificate()
    }

    /// Issues a certificate.
    ///
    /// # Errors
    /// [`CertificateFault`].
    pub fn issue(&self, order: &Issuance) -> Result<Certificate, CertificateFault> {
        self.issuer.issue(order)
    }

    /// The newest list of the authority whose certificate has this digest.
    pub fn list_of(&self, issuer: &semper_supporting::crypto::digest::Digest) -> Option<&Crl> {
        if *issuer == self.issuing().digest() {
            Some(&self.list)
        } else if *issuer == self.root.digest() {
            Some(&self.root_list)
        } else {
            None
        }
    }

    /// Both lists: the root's and the issuing authority's.
    pub fn lists(&self) -> [&Crl; 2] {
        [&self.root_list, &self.list]
    }

    /// Whether the time has come for a new list.
    pub fn list_is_due(&self, now: Moment) -> bool {
        now >= self.list.this_update().after(LIST_EVERY)
    }

    /// Issues a new list of everything in [`REVOKED`] and stores it.
    ///
    /// # Errors
    /// [`AuthorityError`]; the old list stays in force.
    pub async fn renew_list(&mut self, store: &impl Store, now: Moment) -> Result<(), AuthorityError> {
        let rows = store.query(vec![Query::of(REVOKED.name)]).await?.into_iter().flatten();
        let revoked = rows.map(|row| read_revoked(&row)).collect::<Result<Vec<_>, _>>()?;
        let list =
            self.issuer.issue_list(self.list.number().saturating_add(1), now, LIST_VALIDITY, &revoked)?;
        commit(store, Batch::new().row(list_row("issuing", &list))).await?;
        self.list = list;
        Ok(())
    }
}

/// The row of a revoked certificate.
pub(crate) fn revoked_row(entry: &RevokedEntry) -> RowOp {
    let row = Row::new()
        .with("serial", *entry.serial.as_bytes())
        .with("at_s", Value::seconds(entry.at))
        .with("reason", word(entry.reason));
    RowOp::ensure(REVOKED.name, row)
}

use semper_supporting::certificate::status::RevocationReason;

const REASONS: [RevocationReason; 5] = [
    RevocationReason::Unspecified,
    RevocationReason::KeyCompromise,
    RevocationReason::AffiliationChanged,
    RevocationReason::Superseded,
    RevocationReason::CessationOfOperation,
];

const fn word(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::Unspecified => "unspecified",
        RevocationReason::KeyCompromise => "key-compromise",
        RevocationReason::AffiliationChanged => "affiliation-changed",
        RevocationReason::Superseded => "superseded",
        RevocationReason::CessationOfOperation => "cessation-of-operation",
    }
}

fn read_revoked(row: &Row) -> Result<RevokedEntry, StoreError> {
    let reason = row.text("reason")?;
    Ok(RevokedEntry {
        serial: Serial::from_random(row.array("serial")?),
        at: Moment::from_seconds(row.count("at_s")?),
        reason: REASONS.into_iter().find(|one| word(*one) == reason).unwrap_or(RevocationReason::Unspecified),
    })
}

fn list_row(name: &str, list: &Crl) -> RowOp {
    let row = Row::new()
        .with("name", name)
        .with("number", Value::count(list.number()))
        .with("der", list.der().to_vec())
        .with("next_s", Value::seconds(list.next_update()));
    RowOp::put(LIST.name, row)
}
