//! Signed heads of the journal: who holds one can show later that nothing before it was changed.

use serde::{Deserialize, Serialize};

use super::{
    ArchiveId,
    journal::Head,
    schema::{Column, Table},
    store::RowOp,
    value::{Row, Value},
};
use crate::{
    crypto::{digest::Digest, signature::Kid},
    evidence::{Signable, SignedBytes, Statement},
    time::Moment,
};

/// The signed heads of an archive.
pub const TABLE: Table = Table {
    name: "head",
    columns: &[
        Column::integer("seq"),
        Column::bytes("hash"),
        Column::integer("at"),
        Column::bytes("statement"),
        Column::bytes("sig"),
        Column::text("witness").optional(),
    ],
    key: &["seq"],
    unique: &[],
    indexes: &[],
};

/// After how many entries a new head is signed, besides the moments that ask for one.
pub const EVERY: u64 = 64;

/// The statement `journal-head`: what an archive's journal had come to, in its owner's words.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct JournalHead {
    /// The archive.
    pub archive: ArchiveId,
    /// The number of its last line.
    pub seq: u64,
    /// The hash of that line.
    pub hash: Digest,
    /// When it was signed.
    pub at: Moment,
    /// The archive's signing key.
    pub signer: Kid,
    /// The certificate of that key, if it has one.
    pub cert: Option<Digest>,
}

impl Statement for JournalHead {
    const TYPE: &'static str = "journal-head";
}

impl Signable for JournalHead {
    fn signer(&self) -> Kid {
        self.signer
    }
}

impl JournalHead {
    /// The place of the chain it speaks of.
    pub const fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }

    /// The row that keeps it with its signature.
    pub fn keep(&self, signed: &SignedBytes) -> RowOp {
        RowOp::ensure(
            TABLE.name,
            Row::new()
                .with("seq", Value::count(self.seq))
                .with("hash", self.hash)
                .with("at", Value::seconds(self.at))
                .with("statement", signed.tbs.clone())
                .with("sig", *signed.signature.as_bytes()),
        )
    }
}

/// Whether a head is due: at least [`EVERY`] entries have come since the one signed last.
pub const fn is_due(signed: u64, now: u64) -> bool {
    now.saturating_sub(signed) >= EVERY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{crypto::signature::KeyPair, evidence::statement};

    #[test]
    fn a_head_is_signed_and_checked_like_any_statement() {
        let pair = KeyPair::from_seed(&[3; 32]);
        let head = JournalHead {
            archive: ArchiveId::from_bytes([1; 32]),
            seq: 64,
            hash: Digest::of(b"line"),
            at: Moment::from_seconds(1_700_000_000),
            signer: pair.public().kid(),
            cert: None,
        };
        let tbs = statement::to_bytes(&head).unwrap();
        let text = String::from_utf8(tbs.clone()).unwrap();
        assert!(text.starts_with("semper-statement/1 journal-head\narchive: 0101"), "{text}");
        let signed = SignedBytes { signature: pair.sign(&tbs), tbs };
        assert_eq!(*signed.verify::<JournalHead>(&pair.public()).unwrap(), head);
    }

    #[test]
    fn a_head_is_due_after_sixty_four_entries() {
        assert!(!is_due(64, 127) && is_due(64, 128) && !is_due(0, 63));
    }
}
