//! How many transactions an archive makes durable in a second, and how many times the disk does so by itself.

use std::{
    fs::File,
    io::Write as _,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use semper_archive_sqlite::{ArchiveKey, Options, SqliteArchive};
use semper_host::chance::now;
use semper_supporting::archive::{
    Batch, Column, Row, RowOp, Schema, Store as _, Table,
    journal::{Class, Entry, Kind},
    record,
};
use semper_tests::{Failure, Result};
use serde::Serialize;
use tokio::task::{JoinSet, spawn_blocking};
use zeroize::Zeroizing;

use crate::measure::{Effort, median, process_cpu};

/// Durable commits in a second of the clock. Each is what a step of a machine writes: a row of 1 KiB and an entry
/// of the journal with as much.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Archive {
    /// What the disk can do: 4 KiB of a file written anew and made durable.
    pub(crate) disk: f64,
    /// An archive in plain text.
    pub(crate) plain: Commits,
    /// An archive encrypted by SQLCipher, as programs have it.
    pub(crate) encrypted: Commits,
}

/// Durable commits in a second of the clock.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Commits {
    /// One caller, who waits for each.
    pub(crate) one: f64,
    /// [`CALLERS`] callers, each of whom waits for his own.
    pub(crate) many: f64,
    /// CPU time of each, with one caller, in microseconds.
    pub(crate) cpu_us: f64,
}

/// How many callers are many.
pub(crate) const CALLERS: usize = 32;

/// The length of a page of the archive in bytes, and that of the file that stands for its log.
const PAGE: usize = 4 << 10;
const LOG: usize = 4 << 20;

const STEP: Table = Table {
    name: "step",
    columns: &[Column::integer("id"), Column::bytes("state")],
    key: &["id"],
    unique: &[],
    indexes: &[],
};
const ENTRY: Kind = Kind::of(Class::Decision, "step");

/// Measures all of them in `folder`.
///
/// # Errors
/// [`Failure`] where nothing can be written.
pub(crate) async fn measure(effort: Effort, folder: &Path) -> Result<Archive> {
    let file = Arc::new(prepared(&folder.join("disk"))?);
    let key = ArchiveKey::new(Zeroizing::new([3; 32]), [9; 16]);
    let archives =
        [open(folder.join("plain"), None).await?, open(folder.join("encrypted"), Some(key)).await?];
    let (next, round) = (Arc::new(AtomicI64::new(0)), effort.round * 3);
    let (mut disks, mut figures) = (Vec::new(), [Figures::default(), Figures::default()]);
    for count in 0..=effort.rounds {
        // One after the other in each round, so that what else the machine does falls on all alike.
        let file = Arc::clone(&file);
        let rate = spawn_blocking(move || disk(&file, round)).await??;
        let mut found = Vec::new();
        for archive in &archives {
            let (one, cpu_us) = together(archive, &next, 1, round).await?;
            let (many, _) = together(archive, &next, CALLERS, round).await?;
            found.push(Commits { one, many, cpu_us });
        }
        // The first round warms up.
        if count > 0 {
            disks.push(rate);
            figures.iter_mut().zip(found).for_each(|(all, found)| all.0.push(found));
        }
    }
    let [plain, encrypted] = figures.map(|all| all.commits());
    Ok(Archive { disk: median(disks), plain, encrypted })
}

/// What one archive came to in each round.
#[derive(Default)]
struct Figures(Vec<Commits>);

impl Figures {
    fn commits(&self) -> Commits {
        let of = |figure: fn(&Commits) -> f64| median(self.0.iter().map(figure).collect());
        Commits { one: of(|all| all.one), many: of(|all| all.many), cpu_us: of(|all| all.cpu_us) }
    }
}

/// A file that has its length already, as a write-ahead log has.
fn prepared(path: &Path) -> Result<File> {
    let mut file = File::create(path)?;
    file.write_all(&vec![0; LOG])?;
    file.sync_all()?;
    Ok(file)
}

/// How many times a second 4 KiB of the file are written anew and made durable.
fn disk(file: &File, round: Duration) -> Result<f64> {
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < round {
        file.write_all_at(&[1; PAGE], u64::from(count) * PAGE as u64 % LOG as u64)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

async fn open(folder: PathBuf, key: Option<ArchiveKey>) -> Result<Arc<SqliteArchive>> {
    let schema = Schema::new(1).with(record::TABLES).with(&[STEP]);
    let options = Options { key, ..Options::default() };
    let open = spawn_blocking(move || SqliteArchive::open(&folder, schema, options));
    Ok(Arc::new(open.await??))
}

/// How many commits a second `callers` come to together, and CPU time of each in microseconds.
async fn together(
    archive: &Arc<SqliteArchive>,
    next: &Arc<AtomicI64>,
    callers: usize,
    round: Duration,
) -> Result<(f64, f64)> {
    let (before, start, mut all) = (process_cpu(), Instant::now(), JoinSet::new());
    for _ in 0..callers {
        let (archive, next) = (Arc::clone(archive), Arc::clone(next));
        all.spawn(async move {
            let mut count = 0_u32;
            while start.elapsed() < round {
                commit(&archive, next.fetch_add(1, Ordering::Relaxed)).await?;
                count += 1;
            }
            Ok::<_, Failure>(count)
        });
    }
    let mut sum = 0;
    while let Some(count) = all.join_next().await {
        sum += count??;
    }
    let (time, cpu) = (start.elapsed(), process_cpu() - before);
    Ok((f64::from(sum) / time.as_secs_f64(), cpu.as_secs_f64() * 1e6 / f64::from(sum.max(1))))
}

async fn commit(archive: &SqliteArchive, id: i64) -> Result<()> {
    let row = Row::new().with("id", id).with("state", vec![5; 1024]);
    let entry = Entry { at: now(), kind: ENTRY, deal: None, salt: [2; 32], payload: vec![6; 1024] };
    for done in archive.commit(vec![Batch::new().row(RowOp::insert(STEP.name, row)).entry(entry)]).await {
        done?;
    }
    Ok(())
}
