//! The thread that answers queries, on a connection of its own that cannot write.

use std::sync::Arc;

use rusqlite::Connection;
use semper_supporting::archive::{Query, Row, Schema, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::sql;

/// Queries that see one state.
pub(crate) struct Job {
    pub(crate) queries: Vec<Query>,
    pub(crate) answer: oneshot::Sender<Result<Vec<Vec<Row>>, StoreError>>,
}

pub(crate) struct Reader {
    connection: Connection,
    schema: Arc<Schema>,
}

impl Reader {
    pub(crate) fn new(connection: Connection, schema: Arc<Schema>) -> Self {
        Self { connection, schema }
    }

    pub(crate) fn run(self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(Job { queries, answer }) = jobs.blocking_recv() {
            // Whoever asked may have gone; the answer is then nobody's.
            let _ = answer.send(self.answer(&queries));
        }
    }

    fn answer(&self, queries: &[Query]) -> Result<Vec<Vec<Row>>, StoreError> {
        // A deferred transaction takes its snapshot with the first read and keeps it.
        let reading = self.connection.unchecked_transaction().map_err(sql::failed)?;
        let rows = queries.iter().map(|query| sql::select(&reading, &self.schema, query)).collect();
        reading.commit().map_err(sql::failed)?;
        rows
    }
}
