//! A process that commits without pause is killed at some moment: what it was told is committed is there
//! afterwards, whole, and the journal continues.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail this way")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use semper_archive_sqlite::{ArchiveKey, Options, SqliteArchive};
use semper_supporting::{
    archive::{
        Batch, Column, Query, Row, RowOp, Schema, Store, Table, Value,
        journal::{Class, Entry, Kind},
    },
    time::Moment,
};
use zeroize::Zeroizing;

const PLACE: &str = "SEMPER_ARCHIVE_TEST_PLACE";
const COUNT: Table = Table {
    name: "count",
    columns: &[Column::integer("writer"), Column::integer("n")],
    key: &["writer"],
    unique: &[],
    indexes: &[],
};
const WRITERS: i64 = 4;

fn open(directory: &Path) -> SqliteArchive {
    let key = Some(ArchiveKey::new(Zeroizing::new([9; 32]), [3; 16]));
    SqliteArchive::open(directory, Schema::new(1).with(&[COUNT]), Options { key, ..Options::default() })
        .unwrap()
}

fn step(writer: i64, n: i64) -> Batch {
    let entry = Entry {
        at: Moment::from_seconds(1_700_000_000),
        kind: Kind::of(Class::Sent, "count"),
        deal: None,
        salt: [0; 32],
        payload: [writer.to_be_bytes(), n.to_be_bytes()].concat(),
    };
    Batch::new().row(RowOp::put(COUNT.name, Row::new().with("writer", writer).with("n", n))).entry(entry)
}

/// The process that is killed: not a test of its own, and nothing without its place.
#[tokio::test]
#[ignore = "run by the test below in a process of its own"]
async fn writes_until_it_is_killed() {
    let Some(place) = std::env::var_os(PLACE).map(PathBuf::from) else { return };
    let archive = open(&place);
    let mut counts = counts(&archive).await;
    loop {
        let batches = (0..WRITERS).map(|writer| step(writer, counts[writer as usize] + 1)).collect();
        for (writer, answer) in archive.commit(batches).await.into_iter().enumerate() {
            answer.unwrap();
            counts[writer] += 1;
            writeln!(std::io::stdout(), "committed {writer} {}", counts[writer]).unwrap();
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = [0; WRITERS as usize];
    for round in 0..8_usize {
        let mut random = [0; 2];
        getrandom::fill(&mut random).unwrap();
        let lines = 5 + usize::from(u16::from_be_bytes(random)) % 400;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["writes_until_it_is_killed", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env(PLACE, directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut note = |line: String| {
            // The harness of the tests may have written the beginning of the first line.
            let Some(at) = line.find("committed ") else { return false };
            let mut words = line[at..].split(' ').skip(1);
            let writer: usize = words.next().unwrap().parse().unwrap();
            acknowledged[writer] = words.next().unwrap().parse().unwrap();
            true
        };
        let mut seen = 0;
        while seen < lines {
            let line = output.next().unwrap_or_else(|| panic!("round {round}: the writer ended by itself"));
            seen += usize::from(note(line));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had already told us through the pipe counts as told. Its last line may be cut.
        let rest: Vec<String> = output.collect();
        for line in rest.into_iter().rev().skip(1).rev() {
            note(line);
        }

        let archive = open(directory.path());
        assert!(!archive.opened().clean && archive.opened().broken.is_none());
        let counts = counts(&archive).await;
        for (writer, told) in acknowledged.iter().enumerate() {
            assert!(counts[writer] >= *told, "round {round}: {told} was told, {} is kept", counts[writer]);
        }
        // Rows and entries of one batch come together: as many entries as steps.
        let steps: i64 = counts.iter().sum();
        assert_eq!(archive.opened().head.seq, u64::try_from(steps).unwrap(), "round {round}");
        acknowledged = counts.try_into().unwrap();
    }
}

async fn counts(archive: &SqliteArchive) -> Vec<i64> {
    let rows = archive.query(vec![Query::of(COUNT.name)]).await.unwrap().remove(0);
    let find = |writer: i64| {
        rows.iter()
            .find(|row| row.get("writer") == Some(&Value::Integer(writer)))
            .map_or(0, |row| row.integer("n").unwrap())
    };
    (0..WRITERS).map(find).collect()
}
