//! What the file shows, who gets in, and what is found when it is opened.
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use semper_archive_sqlite::{ArchiveKey, Options, SqliteArchive, Watch};
use semper_supporting::{
    archive::{
        Batch, Column, Query, Row, RowOp, Schema, Store, StoreError, Table, Value,
        journal::{Class, Entry, Kind},
        record,
    },
    time::Moment,
};
use zeroize::Zeroizing;

const NOTE: Table = Table {
    name: "note",
    columns: &[Column::integer("id"), Column::text("text")],
    key: &["id"],
    unique: &[],
    indexes: &[],
};
const MARKER: &str = "marker-of-a-secret-purchase";

fn options(key: Option<u8>) -> Options {
    let key = key.map(|byte| ArchiveKey::new(Zeroizing::new([byte; 32]), [byte; 16]));
    Options { key, ..Options::default() }
}

fn open(directory: &Path, options: Options) -> Result<SqliteArchive, StoreError> {
    SqliteArchive::open(directory, Schema::new(1).with(record::TABLES).with(&[NOTE]), options)
}

fn note(id: i64, text: &str) -> Batch {
    let entry = Entry {
        at: Moment::from_seconds(1_700_000_000),
        kind: Kind::of(Class::Received, "note"),
        deal: None,
        salt: [1; 32],
        payload: text.as_bytes().to_vec(),
    };
    Batch::new().row(RowOp::put(NOTE.name, Row::new().with("id", id).with("text", text))).entry(entry)
}

async fn write(archive: &SqliteArchive, batch: Batch) -> Result<(), StoreError> {
    archive.commit(vec![batch]).await.remove(0).map(drop)
}

fn holds_marker(directory: &Path) -> Vec<String> {
    let holds = |path: &Path| {
        std::fs::read(path).unwrap().windows(MARKER.len()).any(|bytes| bytes == MARKER.as_bytes())
    };
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| holds(path)).map(|path| path.display().to_string()).collect()
}

#[tokio::test]
async fn no_file_of_an_encrypted_archive_shows_what_it_holds() {
    for (key, shown) in [(Some(1), false), (None, true)] {
        let directory = tempfile::tempdir().unwrap();
        let archive = open(directory.path(), options(key)).unwrap();
        write(&archive, note(1, MARKER)).await.unwrap();
        archive.copy_to(&directory.path().join("copy.db")).await.unwrap();
        // While it is open the log is there too; the plain archive proves that the search finds anything.
        assert_eq!(!holds_marker(directory.path()).is_empty(), shown);
        drop(archive);
        assert_eq!(!holds_marker(directory.path()).is_empty(), shown);
    }
}

#[tokio::test]
async fn a_copy_opens_with_the_same_key_and_holds_the_same() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let archive = open(from.path(), options(Some(1))).unwrap();
    write(&archive, note(1, MARKER)).await.unwrap();
    archive.copy_to(&to.path().join("archive.db")).await.unwrap();
    assert!(archive.copy_to(&to.path().join("archive.db")).await.is_err(), "a copy was overwritten");
    let copy = open(to.path(), options(Some(1))).unwrap();
    assert_eq!(copy.opened().id, archive.opened().id);
    assert_eq!(copy.opened().head.seq, 1);
    assert_eq!(copy.query(vec![Query::of(NOTE.name)]).await, archive.query(vec![Query::of(NOTE.name)]).await);
    assert_eq!(open(to.path(), options(Some(1))).err(), Some(StoreError::InUse));
}

#[tokio::test]
async fn only_the_right_key_opens_it() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path(), options(Some(1))).unwrap());
    assert_eq!(open(directory.path(), options(Some(2))).err(), Some(StoreError::Key));
    assert_eq!(open(directory.path(), options(None)).err(), Some(StoreError::Key));
    assert!(open(directory.path(), options(Some(1))).unwrap().opened().clean);
}

#[tokio::test]
async fn a_reader_looks_and_does_not_write() {
    let directory = tempfile::tempdir().unwrap();
    let archive = open(directory.path(), options(Some(1))).unwrap();
    write(&archive, note(1, MARKER)).await.unwrap();
    drop(archive);
    let look = || Options { read_only: true, ..options(Some(1)) };
    let (reader, other) = (open(directory.path(), look()).unwrap(), open(directory.path(), look()).unwrap());
    assert_eq!(reader.query(vec![Query::of(NOTE.name)]).await.unwrap()[0].len(), 1);
    assert_eq!(write(&reader, note(2, "no")).await, Err(StoreError::ReadOnly));
    assert_eq!(open(directory.path(), options(Some(1))).err(), Some(StoreError::InUse));
    drop((reader, other));
    assert!(open(directory.path(), options(Some(1))).is_ok());
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_is_said_so_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let archive = open(directory.path(), Options { reserve: u64::MAX, ..options(None) }).unwrap();
    assert_eq!(write(&archive, note(1, "text")).await, Err(StoreError::Full));
    assert_eq!(archive.query(vec![Query::of(NOTE.name)]).await, Ok(vec![vec![]]));
}

#[tokio::test]
async fn a_changed_journal_is_found_at_its_entry_and_can_still_be_read() {
    let tampered = [
        ("UPDATE journal SET payload = x'00' WHERE seq = 3", 3),
        ("UPDATE journal SET at = at + 1 WHERE seq = 3", 3),
        ("DELETE FROM journal WHERE seq = 3", 3),
        ("DELETE FROM journal WHERE seq = 1", 1),
        ("UPDATE journal SET seq = 9 WHERE seq = 5", 5),
        (
            "INSERT INTO journal SELECT 6, at, kind, deal, salt, payload, payload_hash, prev, line_hash
             FROM journal WHERE seq = 5",
            6,
        ),
    ];
    for (sql, expected) in tampered {
        let directory = tempfile::tempdir().unwrap();
        let archive = open(directory.path(), options(None)).unwrap();
        for id in 1..=5 {
            write(&archive, note(id, "text")).await.unwrap();
        }
        drop(archive);
        rusqlite::Connection::open(directory.path().join("archive.db")).unwrap().execute(sql, []).unwrap();
        let archive = open(directory.path(), options(None)).unwrap();
        assert_eq!(archive.opened().broken, Some(expected), "{sql}");
        assert_eq!(write(&archive, note(6, "more")).await, Err(StoreError::Broken { seq: expected }));
        assert_eq!(archive.query(vec![Query::of(NOTE.name)]).await.unwrap()[0].len(), 5);
    }
}

#[tokio::test]
async fn a_kept_head_saves_reading_what_lies_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let archive = open(directory.path(), options(None)).unwrap();
    for id in 1..=5 {
        write(&archive, note(id, "text")).await.unwrap();
    }
    let line =
        archive.query(vec![Query::of("journal").equal("seq", 4_i64)]).await.unwrap().remove(0).remove(0);
    let head = Row::new()
        .with("seq", 4_i64)
        .with("hash", line.get("line_hash").cloned().unwrap())
        .with("at", 1_i64)
        .with("statement", Vec::new())
        .with("sig", Vec::new());
    write(&archive, Batch::new().row(RowOp::put("head", head))).await.unwrap();
    drop(archive);
    let change = |sql: &str| {
        rusqlite::Connection::open(directory.path().join("archive.db")).unwrap().execute(sql, []).unwrap()
    };
    assert_eq!(open(directory.path(), options(None)).unwrap().opened().head.seq, 5);
    change("UPDATE journal SET at = at + 1 WHERE seq = 4");
    assert_eq!(open(directory.path(), options(None)).unwrap().opened().broken, Some(4));
}

#[tokio::test]
async fn erased_text_leaves_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let archive = open(directory.path(), options(None)).unwrap();
    write(&archive, note(1, MARKER)).await.unwrap();
    let gone = Row::new().with("salt", None::<i64>).with("payload", None::<i64>);
    let erase = Batch::new().row(RowOp::delete(NOTE.name, [Value::from(1_i64)])).row(RowOp::update(
        "journal",
        [Value::from(1_i64)],
        gone,
    ));
    write(&archive, erase).await.unwrap();
    drop(archive);
    assert_eq!(holds_marker(directory.path()), Vec::<String>::new());
}

/// Writes down how many notes others see at each moment.
#[derive(Debug)]
struct Notes(Arc<Mutex<Vec<i64>>>, std::path::PathBuf);

impl Notes {
    fn look(&self) {
        let file = rusqlite::Connection::open(self.1.join("archive.db")).unwrap();
        let count = file.query_row("SELECT count(*) FROM note", [], |row| row.get(0)).unwrap();
        self.0.lock().unwrap().push(count);
    }
}

impl Watch for Notes {
    fn before(&self) {
        self.look();
    }

    fn after(&self) {
        self.look();
    }
}

#[tokio::test]
async fn whoever_watches_is_told_before_and_after_each_transaction() {
    let directory = tempfile::tempdir().unwrap();
    let archive = open(directory.path(), options(None)).unwrap();
    write(&archive, note(1, "unwatched")).await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watch = || Notes(Arc::clone(&seen), directory.path().to_owned());
    assert!(archive.watch(watch()));
    assert!(!archive.watch(watch()), "there is one watch");
    write(&archive, note(2, "watched")).await.unwrap();
    write(&archive, note(3, "watched")).await.unwrap();
    drop(archive);
    assert_eq!(*seen.lock().unwrap(), [1, 2, 2, 3]);
}
