//! What every program keeps: evidence, certificates, revocation lists and items.

use super::{
    schema::{Column, Table},
    store::{Query, RowOp, StoreError},
    value::{Row, Value},
};
use crate::{
    crypto::{digest::Digest, signature::Signature},
    deal::DealId,
    evidence::{SignedBytes, Verified},
    time::Moment,
};

/// The tables of this page and the heads of the journal, to be put into every schema.
pub const TABLES: &[Table] = &[super::head::TABLE, EVIDENCE, CERTIFICATE, REVOCATION_LIST, ITEM];

/// Signed statements, by the digest that other statements name them by. Times in seconds.
pub const EVIDENCE: Table = Table {
    name: "evidence",
    columns: &[
        Column::bytes("hash"),
        Column::text("type"),
        Column::bytes("deal").optional(),
        Column::bytes("signer"),
        Column::bytes("cert").optional(),
        Column::integer("at"),
        Column::bytes("tbs"),
        Column::bytes("sig"),
        Column::integer("keep_until"),
    ],
    key: &["hash"],
    unique: &[],
    indexes: &[&["deal", "at"], &["keep_until"]],
};

/// Certificates, by SHA-256 of their DER. Times in seconds.
pub const CERTIFICATE: Table = Table {
    name: "certificate",
    columns: &[
        Column::bytes("hash"),
        Column::bytes("kid"),
        Column::bytes("der"),
        Column::bytes("issuer").optional(),
        Column::integer("first_seen"),
        Column::integer("revoked_at").optional(),
    ],
    key: &["hash"],
    unique: &[],
    indexes: &[&["kid"]],
};

/// The newest revocation list of each issuer.
pub const REVOCATION_LIST: Table = Table {
    name: "revocation_list",
    columns: &[
        Column::bytes("issuer"),
        Column::bytes("number"),
        Column::bytes("der"),
        Column::integer("next_update"),
    ],
    key: &["issuer"],
    unique: &[],
    indexes: &[],
};

/// Items by the digest of their content; the bytes are here or in a file of the archive's directory.
pub const ITEM: Table = Table {
    name: "item",
    columns: &[
        Column::bytes("hash"),
        Column::bytes("deal").optional(),
        Column::text("name"),
        Column::text("media"),
        Column::integer("size"),
        Column::bytes("content").optional(),
        Column::text("file").optional(),
        Column::integer("keep_until"),
    ],
    key: &["hash"],
    unique: &[],
    indexes: &[&["deal"], &["keep_until"]],
};

/// A signed statement on its way into the archive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EvidenceRecord {
    /// The type of the statement.
    pub kind: String,
    /// The deal it belongs to.
    pub deal: Option<DealId>,
    /// The name of the key that signed it.
    pub signer: crate::crypto::signature::Kid,
    /// The certificate of that key, by SHA-256 of its DER.
    pub certificate: Option<Digest>,
    /// When it came or was made here.
    pub at: Moment,
    /// The exact bytes and their signature.
    pub signed: SignedBytes,
    /// Until when it must be kept.
    pub keep_until: Moment,
}

/// An item on its way into the archive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ItemRecord {
    /// The digest of its content.
    pub hash: Digest,
    /// The deal it belongs to.
    pub deal: Option<DealId>,
    /// What its owner calls it.
    pub name: String,
    /// Its media type.
    pub media: String,
    /// How many bytes it has.
    pub size: u64,
    /// Where the bytes are.
    pub place: Place,
    /// Until when it must be kept.
    pub keep_until: Moment,
}

/// Where the bytes of an item are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// In the row.
    Row(Vec<u8>),
    /// In a file of the archive's directory.
    File(String),
}

impl EvidenceRecord {
    /// The record of a statement that was verified here.
    pub fn of<T: crate::evidence::Statement>(
        verified: &Verified<T>,
        deal: Option<DealId>,
        certificate: Option<Digest>,
        at: Moment,
        keep_until: Moment,
    ) -> Self {
        Self {
            kind: T::TYPE.to_owned(),
            deal,
            signer: verified.signer(),
            certificate,
            at,
            signed: verified.bytes().clone(),
            keep_until,
        }
    }

    /// The change that keeps it. Evidence that is there already stays as it is.
    pub fn keep(&self) -> RowOp {
        RowOp::ensure(
            EVIDENCE.name,
            Row::new()
                .with("hash", self.signed.digest())
                .with("type", self.kind.clone())
                .with("deal", self.deal)
                .with("signer", self.signer)
                .with("cert", self.certificate)
                .with("at", Value::seconds(self.at))
                .with("tbs", self.signed.tbs.clone())
                .with("sig", *self.signed.signature.as_bytes())
                .with("keep_until", Value::seconds(self.keep_until)),
        )
    }

    /// Reads a row of [`EVIDENCE`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the bytes do not have the digest they are kept under.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let signed = SignedBytes {
            tbs: row.bytes("tbs")?.to_vec(),
            signature: Signature::from_bytes(row.array("sig")?),
        };
        if signed.digest().as_bytes() != row.bytes("hash")? {
            return Err(StoreError::Damaged("evidence differs from its digest".to_owned()));
        }
        Ok(Self {
            kind: row.text("type")?.to_owned(),
            deal: optional(row, "deal")?.map(DealId::from_bytes),
            signer: crate::crypto::signature::Kid::from_bytes(row.array("signer")?),
            certificate: optional(row, "cert")?.map(Digest::from_bytes),
            at: Moment::from_seconds(row.count("at")?),
            signed,
            keep_until: Moment::from_seconds(row.count("keep_until")?),
        })
    }

    /// The evidence of one deal, oldest first.
    pub fn of_deal(deal: DealId) -> Query {
        Query::of(EVIDENCE.name).equal("deal", deal).order("at", super::store::Direction::Rising)
    }
}

impl ItemRecord {
    /// The change that keeps it.
    pub fn keep(&self) -> RowOp {
        let (content, file) = match &self.place {
            Place::Row(bytes) => (Some(bytes.clone()), None),
            Place::File(name) => (None, Some(name.clone())),
        };
        RowOp::ensure(
            ITEM.name,
            Row::new()
                .with("hash", self.hash)
                .with("deal", self.deal)
                .with("name", self.name.clone())
                .with("media", self.media.clone())
                .with("size", Value::count(self.size))
                .with("content", content)
                .with("file", file)
                .with("keep_until", Value::seconds(self.keep_until)),
        )
    }
}

/// The change that keeps a certificate first seen `at`.
pub fn keep_certificate(der: &[u8], kid: crate::crypto::signature::Kid, at: Moment) -> RowOp {
    RowOp::ensure(
        CERTIFICATE.name,
        Row::new()
            .with("hash", Digest::of(der))
            .with("kid", kid)
            .with("der", der)
            .with("first_seen", Value::seconds(at)),
    )
}

fn optional<const N: usize>(row: &Row, column: &str) -> Result<Option<[u8; N]>, StoreError> {
    if row.is_null(column) { Ok(None) } else { row.array(column).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{archive::Schema, crypto::signature::KeyPair};

    #[test]
    fn the_tables_are_declared_well_and_take_their_records() {
        let schema = Schema::new(1).with(TABLES);
        assert_eq!(schema.check(), Ok(()));
        assert!(schema.check_op(&evidence().keep()).is_ok());
        assert!(schema.check_op(&keep_certificate(b"der", evidence().signer, Moment::default())).is_ok());
        let item = ItemRecord {
            hash: Digest::of(b"item"),
            deal: None,
            name: "introduction.pdf".into(),
            media: "application/pdf".into(),
            size: 4,
            place: Place::Row(b"item".to_vec()),
            keep_until: Moment::default(),
        };
        assert!(schema.check_op(&item.keep()).is_ok());
    }

    #[test]
    fn evidence_is_read_as_it_was_kept_and_only_under_its_digest() {
        let RowOp::Ensure { row, .. } = evidence().keep() else { panic!("evidence is ensured") };
        assert_eq!(EvidenceRecord::from_row(&row), Ok(evidence()));
        assert!(EvidenceRecord::from_row(&row.with("tbs", [1])).is_err());
    }

    fn evidence() -> EvidenceRecord {
        let pair = KeyPair::from_seed(&[3; 32]);
        EvidenceRecord {
            kind: "receipt".into(),
            deal: Some(DealId::from_bytes([2; 32])),
            signer: pair.public().kid(),
            certificate: None,
            at: Moment::from_seconds(9),
            signed: SignedBytes { tbs: b"text".to_vec(), signature: pair.sign(b"text") },
            keep_until: Moment::from_seconds(99),
        }
    }
}
