//! Evidence: which deals have some, a deal's dossier as a folder, and the check of such a folder.

pub mod cli;
mod export;
mod folder;
mod list;
mod report;
mod shelf;
mod verify;

use semper_supporting::{
    archive::{Query, Row, Store, StoreError, Table},
    crypto::signature::Kid,
    deal::DealId,
};
use semper_tinguin::texts::{Msg, Texts};

pub use export::{POLICY, dossier, write};
pub use folder::{Folder, Found};
pub use list::{Holding, Stored, list, look};
pub use verify::{Finding, Problem, Report, Seen, verify};

/// Why evidence cannot be listed, exported or checked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EvidenceFault {
    /// The answer cannot be written.
    #[error("the answer cannot be written: {0}")]
    Answer(String),
    /// The name is no name of a deal.
    #[error("a deal is named by 64 hexadecimal digits")]
    BadDeal,
    /// The fingerprint is none.
    #[error("a fingerprint has 64 hexadecimal digits")]
    BadRoot,
    /// No root was named to check against, and no wallet is there that trusts one.
    #[error("no root certificate is named, and this wallet trusts none")]
    NoRoot,
    /// Nothing is kept of this deal.
    #[error("no evidence is kept of deal {0}")]
    NoDeal(DealId),
    /// The owner has no key to sign with.
    #[error("the wallet has no key that signs in its owner's name")]
    NoSignKey,
    /// The owner's key has no certificate.
    #[error("the key that signs in the owner's name has no certificate")]
    NoCertificate,
    /// The key that signs heads of the journal is missing.
    #[error("the wallet has no key that signs heads of its journal")]
    NoJournalKey,
    /// Nothing is known of the key that signed something.
    #[error("no certificate and no key of {signer}, who signed a statement {kind}")]
    NoKey {
        /// The type of the statement.
        kind: String,
        /// The name of the key.
        signer: Kid,
    },
    /// The parts make no dossier.
    #[error("the dossier cannot be put together: {0}")]
    Draft(String),
    /// The folder is larger than any dossier.
    #[error("the folder has more files, or larger ones, than a dossier")]
    TooBig,
}

impl EvidenceFault {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Answer(_) => "evidence.answer",
            Self::BadDeal => "evidence.bad-deal",
            Self::BadRoot => "evidence.bad-root",
            Self::NoRoot => "evidence.no-root",
            Self::NoDeal(_) => "evidence.no-deal",
            Self::NoSignKey => "evidence.no-sign-key",
            Self::NoCertificate => "evidence.no-certificate",
            Self::NoJournalKey => "evidence.no-journal-key",
            Self::NoKey { .. } => "evidence.no-key",
            Self::Draft(_) => "evidence.draft",
            Self::TooBig => "import.too-big",
        }
    }

    /// Says it to a person.
    pub fn say(&self, texts: &Texts) -> String {
        match self {
            Self::Answer(reason) => texts.get(Msg::EvidenceAnswer { reason }),
            Self::BadDeal => texts.get(Msg::EvidenceBadDeal),
            Self::BadRoot => texts.get(Msg::EvidenceBadRoot),
            Self::NoRoot => texts.get(Msg::EvidenceNoRoot),
            Self::NoDeal(deal) => texts.get(Msg::EvidenceNoDeal { deal: &deal.to_string() }),
            Self::NoSignKey => texts.get(Msg::EvidenceNoSignKey),
            Self::NoCertificate => texts.get(Msg::EvidenceNoCertificate),
            Self::NoJournalKey => texts.get(Msg::EvidenceNoJournalKey),
            Self::NoKey { kind, signer } => {
                texts.get(Msg::EvidenceNoKey { kind, signer: &signer.to_string() })
            }
            Self::Draft(reason) => texts.get(Msg::EvidenceDraft { reason }),
            Self::TooBig => texts.get(Msg::ImportTooBig),
        }
    }
}

/// All rows that a query has, page by page.
async fn all<S: Store>(store: &S, table: &Table, query: Query) -> Result<Vec<Row>, StoreError> {
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let next = match rows.last() {
            Some(last) => query.clone().after(table, last),
            None => query.clone(),
        };
        let page: Vec<Row> = store.query(vec![next]).await?.into_iter().flatten().collect();
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}
