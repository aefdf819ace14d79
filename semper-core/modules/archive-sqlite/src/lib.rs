//! The archive in one SQLite file, encrypted by SQLCipher when a key is given.
//!
//! One thread of its own writes, another reads; both are reached through queues, so that nothing here
//! blocks a runtime. The writer takes everything that waits into one transaction, each batch in a
//! savepoint: many batches share one flush to the disk, and each is still all or nothing for itself.
//!
//! A directory holds one archive: `archive.db`, and `lock`, which keeps a second process out. Write-ahead
//! log, `synchronous = FULL`: what was answered is on the disk.

mod key;
mod open;
mod reader;
mod sql;
mod writer;

use std::{
    fmt,
    fs::File,
    path::Path,
    sync::{Arc, OnceLock},
    thread::JoinHandle,
};

use semper_supporting::archive::{
    ArchiveId, Batch, Committed, Query, Row, Schema, Store, StoreError, journal::Head,
};
use tokio::sync::{mpsc, oneshot};

pub use key::ArchiveKey;

/// How an archive is opened.
#[derive(Debug)]
pub struct Options {
    /// The key of the file. Without one it is plain text: for tests and for looking at exports.
    pub key: Option<ArchiveKey>,
    /// Whether it is opened for reading only, as from a disk that cannot be written.
    pub read_only: bool,
    /// How many bytes the disk must have left for a batch to be taken.
    pub reserve: u64,
}

/// The reserve of a disk: 4 MiB.
pub const RESERVE: u64 = 4 << 20;
/// How many calls wait for a thread before the next caller waits outside.
const QUEUE: usize = 1024;

impl Default for Options {
    fn default() -> Self {
        Self { key: None, read_only: false, reserve: RESERVE }
    }
}

/// An open archive. Dropping it finishes what was queued, marks a clean end and gives the lock back.
#[derive(Debug)]
pub struct SqliteArchive {
    writes: Option<mpsc::Sender<writer::Job>>,
    reads: Option<mpsc::Sender<reader::Job>>,
    threads: Vec<JoinHandle<()>>,
    opened: Opened,
    watch: Watching,
    _lock: Option<Arc<File>>,
}

/// Is told of every transaction, on the thread that writes it. Tests end a process this way at the transaction
/// that they choose; programs need none.
pub trait Watch: fmt::Debug + Send + Sync + 'static {
    /// A transaction has been written and is not on the disk: a process that ends here has changed nothing.
    fn before(&self);

    /// It is on the disk, and nobody has been told.
    fn after(&self);
}

pub(crate) type Watching = Arc<OnceLock<Box<dyn Watch>>>;

/// What was found when the archive was opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Opened {
    /// The archive's name.
    pub id: ArchiveId,
    /// The head of its journal.
    pub head: Head,
    /// The time of its last entry in seconds since the epoch; a clock before it has gone back.
    pub last_at: u64,
    /// The first entry of the journal that does not hold, if any: everything before it is intact, and the
    /// archive can only be read.
    pub broken: Option<u64>,
    /// Whether it was closed in an orderly way the last time. If not, the file was checked.
    pub clean: bool,
}

impl SqliteArchive {
    /// Opens the archive in `directory`, or creates it there. Blocks while it reads and checks.
    ///
    /// The tables of `schema` are created, or an older archive brought up to it after a copy was made.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Key`], [`StoreError::NotEncrypted`], [`StoreError::Newer`],
    /// [`StoreError::Damaged`], and [`StoreError::Failed`] with the words of the operating system.
    pub fn open(directory: &Path, schema: Schema, options: Options) -> Result<Self, StoreError> {
        schema.check()?;
        let schema = Arc::new(schema);
        let open::Ready { writer, reader, opened, chain, lock } = open::open(directory, &schema, &options)?;
        let mut threads = Vec::new();
        let watch = Watching::default();
        let (reads, read_jobs) = mpsc::channel(QUEUE);
        let reading = reader::Reader::new(reader, Arc::clone(&schema));
        threads.push(spawn("semper-archive-read", move || reading.run(read_jobs))?);
        let writes = match writer {
            Some(connection) => {
                let (writes, write_jobs) = mpsc::channel(QUEUE);
                let place = directory.to_owned();
                let (reserve, watch) = (options.reserve, Arc::clone(&watch));
                let writing = writer::Writer::new(connection, schema, chain, place, reserve, watch);
                threads.push(spawn("semper-archive-write", move || writing.run(write_jobs))?);
                Some(writes)
            }
            None => None,
        };
        Ok(Self { writes, reads: Some(reads), threads, opened, watch, _lock: lock })
    }

    /// What was found when it was opened.
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Has `watch` told of every transaction from now on; tells whether it is, which it is not where another one
    /// was before it.
    pub fn watch(&self, watch: impl Watch) -> bool {
        self.watch.set(Box::new(watch)).is_ok()
    }

    /// Writes a consistent copy of the database to `file`, encrypted under the same key, while work goes on.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if the file cannot be written, [`StoreError::ReadOnly`] if this archive is
    /// only read.
    pub async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = writer::Job::Copy { file: file.to_owned(), answer };
        self.writes.as_ref().ok_or(StoreError::ReadOnly)?.send(job).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Why nothing can be written, if so.
    fn unwritable(&self) -> StoreError {
        self.opened.broken.map_or(StoreError::ReadOnly, |seq| StoreError::Broken { seq })
    }

    async fn commit_all(&self, batches: Vec<Batch>) -> Vec<Result<Committed, StoreError>> {
        let count = batches.len();
        let all = |error: StoreError| (0..count).map(|_| Err(error.clone())).collect();
        let Some(writes) = &self.writes else { return all(self.unwritable()) };
        let (answer, answered) = oneshot::channel();
        if writes.send(writer::Job::Commit { batches, answer }).await.is_err() {
            return all(StoreError::Closed);
        }
        answered.await.unwrap_or_else(|_| all(StoreError::Closed))
    }

    async fn query_all(&self, queries: Vec<Query>) -> Result<Vec<Vec<Row>>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let reads = self.reads.as_ref().ok_or(StoreError::Closed)?;
        reads.send(reader::Job { queries, answer }).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

impl Store for SqliteArchive {
    fn commit(&self, batches: Vec<Batch>) -> impl Future<Output = Vec<Result<Committed, StoreError>>> + Send {
        self.commit_all(batches)
    }

    fn query(&self, queries: Vec<Query>) -> impl Future<Output = Result<Vec<Vec<Row>>, StoreError>> + Send {
        self.query_all(queries)
    }
}

impl Drop for SqliteArchive {
    fn drop(&mut self) {
        // Without senders the threads finish what is queued and end; the lock goes only after them.
        self.reads = None;
        self.writes = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the archive has died");
            }
        }
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| StoreError::Failed(error.to_string()))
}
