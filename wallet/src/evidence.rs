//! Evidence: which deals have some, a deal's dossier as a folder, and the check of such a folder.

pub mod cli;
mod list;

use semper_supporting::archive::{Query, Row, Store, StoreError, Table};
use semper_tinguin::texts::{Msg, Texts};

pub use list::{Holding, list};

/// Why evidence cannot be listed, exported or checked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EvidenceFault {
    /// The answer cannot be written.
    #[error("the answer cannot be written: {0}")]
    Answer(String),
}

impl EvidenceFault {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Answer(_) => "evidence.answer",
        }
    }

    /// Says it to a person.
    pub fn say(&self, texts: &Texts) -> String {
        match self {
            Self::Answer(reason) => texts.get(Msg::EvidenceAnswer { reason }),
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
