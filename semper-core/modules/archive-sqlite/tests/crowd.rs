//! Many encrypted archives, made and opened at once by the threads of one process.
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

use std::{path::Path, sync::Barrier, thread};

use semper_archive_sqlite::{ArchiveKey, Options, SqliteArchive};
use semper_supporting::archive::Schema;
use zeroize::Zeroizing;

const THREADS: u8 = 16;

/// The first use of the library readies it for the whole process, so that whoever comes second must wait.
#[test]
fn threads_that_are_the_first_to_open_an_archive_all_get_theirs() {
    let (place, together) = (tempfile::tempdir().unwrap(), Barrier::new(THREADS.into()));
    thread::scope(|scope| {
        for n in 0..THREADS {
            let (place, together) = (place.path(), &together);
            scope.spawn(move || {
                together.wait();
                for round in 0..4 {
                    make_and_open(&place.join(format!("{n}-{round}")), n);
                }
            });
        }
    });
}

fn make_and_open(folder: &Path, n: u8) {
    for _ in ["made", "opened"] {
        let key = ArchiveKey::new(Zeroizing::new([n; 32]), [n; 16]);
        SqliteArchive::open(folder, Schema::new(1), Options { key: Some(key), ..Options::default() })
            .unwrap();
    }
}
