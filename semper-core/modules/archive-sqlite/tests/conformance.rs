//! The archive does what every archive must, encrypted and plain.
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

use semper_archive_sqlite::{ArchiveKey, Options, SqliteArchive};
use semper_supporting::archive::{Schema, StoreError, conformance};
use zeroize::Zeroizing;

struct Bench {
    directory: tempfile::TempDir,
    key: Option<[u8; 32]>,
}

impl Bench {
    fn new(key: Option<[u8; 32]>) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), key }
    }
}

impl conformance::Bench for Bench {
    type Store = SqliteArchive;

    async fn open(&self, schema: Schema) -> Result<SqliteArchive, StoreError> {
        let key = self.key.map(|key| ArchiveKey::new(Zeroizing::new(key), [5; 16]));
        SqliteArchive::open(self.directory.path(), schema, Options { key, ..Options::default() })
    }
}

mod encrypted {
    use super::Bench;
    semper_supporting::archive_conformance!(Bench::new(Some([7; 32])));
}

mod plain {
    use super::Bench;
    semper_supporting::archive_conformance!(Bench::new(None));
}
