//! The thread that writes: everything that waits goes into one transaction and one flush.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::Connection;
use semper_supporting::archive::{
    Batch, Committed, Schema, StoreError,
    journal::{Chain, TABLE},
};
use tokio::sync::{mpsc, oneshot};

use crate::{Watching, open, sql};

/// The most batches that share one transaction, unless a single call has more.
const GROUP: usize = 256;

/// What the thread is asked for.
pub(crate) enum Job {
    Commit { batches: Vec<Batch>, answer: oneshot::Sender<Vec<Answer>> },
    Copy { file: PathBuf, answer: oneshot::Sender<Result<(), StoreError>> },
}

type Answer = Result<Committed, StoreError>;
type Waiting = (Vec<Batch>, oneshot::Sender<Vec<Answer>>);

pub(crate) struct Writer {
    connection: Connection,
    schema: Arc<Schema>,
    chain: Chain,
    directory: PathBuf,
    reserve: u64,
    watch: Watching,
}

impl Writer {
    pub(crate) fn new(
        connection: Connection,
        schema: Arc<Schema>,
        chain: Chain,
        directory: PathBuf,
        reserve: u64,
        watch: Watching,
    ) -> Self {
        Self { connection, schema, chain, directory, reserve, watch }
    }

    pub(crate) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(job) = jobs.blocking_recv() {
            let mut group: Vec<Waiting> = Vec::new();
            let mut count = 0_usize;
            let mut next = Some(job);
            while let Some(job) = next.take() {
                match job {
                    Job::Commit { batches, answer } => {
                        count = count.saturating_add(batches.len());
                        group.push((batches, answer));
                    }
                    Job::Copy { file, answer } => {
                        self.commit(std::mem::take(&mut group));
                        count = 0;
                        let _ = answer.send(open::copy(&self.connection, &file));
                    }
                }
                if count < GROUP {
                    next = jobs.try_recv().ok();
                }
            }
            self.commit(group);
        }
        if let Err(error) = open::close(&self.connection) {
            tracing::error!(%error, "the archive did not close in an orderly way");
        }
    }

    /// Commits a group and answers it.
    fn commit(&mut self, group: Vec<Waiting>) {
        if group.is_empty() {
            return;
        }
        let before = self.chain;
        let batches: Vec<&[Batch]> = group.iter().map(|(batches, _)| batches.as_slice()).collect();
        let answers = self.transaction(&batches).unwrap_or_else(|error| {
            self.chain = before;
            if !self.connection.is_autocommit()
                && let Err(error) = self.connection.execute_batch("ROLLBACK")
            {
                tracing::error!(%error, "a transaction could not be undone");
            }
            tracing::error!(%error, "the archive took nothing");
            batches.iter().map(|call| call.iter().map(|_| Err(error.clone())).collect()).collect()
        });
        drop(batches);
        for ((_, answer), results) in group.into_iter().zip(answers) {
            // Whoever asked may have gone; what is committed stays committed.
            let _ = answer.send(results);
        }
    }

    /// One transaction of several calls. An error here means that none of them happened.
    fn transaction(&mut self, calls: &[&[Batch]]) -> Result<Vec<Vec<Answer>>, StoreError> {
        self.room()?;
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(sql::failed)?;
        let mut answers = Vec::with_capacity(calls.len());
        for batches in calls {
            let mut results = Vec::with_capacity(batches.len());
            for batch in *batches {
                results.push(self.batch(batch)?);
            }
            answers.push(results);
        }
        let watch = self.watch.get();
        if let Some(watch) = watch {
            watch.before();
        }
        self.connection.execute_batch("COMMIT").map_err(sql::failed)?;
        if let Some(watch) = watch {
            watch.after();
        }
        Ok(answers)
    }

    /// One batch in a savepoint of its own. The outer error ends the whole transaction.
    fn batch(&mut self, batch: &Batch) -> Result<Answer, StoreError> {
        let before = self.chain;
        self.savepoint("SAVEPOINT batch")?;
        let result = self.changes(batch);
        if result.is_err() {
            self.chain = before;
            // A full disk or a failing one undoes the whole transaction by itself.
            if self.connection.is_autocommit() {
                return result.map(Ok);
            }
            self.savepoint("ROLLBACK TO batch")?;
        }
        self.savepoint("RELEASE batch")?;
        Ok(result)
    }

    fn changes(&mut self, batch: &Batch) -> Answer {
        for guard in &batch.guards {
            sql::guard(&self.connection, &self.schema, guard)?;
        }
        for op in &batch.rows {
            sql::apply(&self.connection, &self.schema, op)?;
        }
        let mut lines = Vec::with_capacity(batch.journal.len());
        for entry in &batch.journal {
            let line = self.chain.append(entry);
            sql::insert(&self.connection, &TABLE, &line.row(entry), "")?;
            lines.push(line);
        }
        Ok(Committed { lines, head: self.chain.head() })
    }

    fn savepoint(&self, statement: &str) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(statement)
            .and_then(|mut statement| statement.execute([]))
            .map(drop)
            .map_err(sql::failed)
    }

    /// Refuses to begin when the disk is nearly full, while there is still room to close in good order.
    fn room(&self) -> Result<(), StoreError> {
        if free(&self.directory)? < self.reserve { Err(StoreError::Full) } else { Ok(()) }
    }
}

/// How many bytes the disk below `directory` has left for us.
fn free(directory: &Path) -> Result<u64, StoreError> {
    let disk = rustix::fs::statvfs(directory).map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
