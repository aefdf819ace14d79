//! Starting: what was not done is done, timers are set again. A first start finds nothing; that is the only
//! difference.

use std::sync::Arc;

use semper_supporting::{
    archive::{Direction, Query, StoreError, Table, head, journal},
    time::Moment,
};

use crate::{
    EngineError,
    driver::{AnyStore, Core},
    host::Host,
    outbox::Task,
    tables,
    timers::Alarm,
};

/// How many rows are read at a time.
const PAGE: u32 = 2_000;

/// What the archive says about the time before this start.
pub(crate) struct Past {
    /// The time of the last entry of the journal.
    pub(crate) last: Moment,
    /// The number of the last entry that a signed head covers.
    pub(crate) signed: u64,
}

pub(crate) async fn past(store: &dyn AnyStore) -> Result<Past, EngineError> {
    let newest = |table: &Table| Query::of(table.name).order("seq", Direction::Falling).limit(1);
    let entries = store.query(vec![newest(&journal::TABLE)]).await?;
    let last = entries.iter().flatten().next().map(|row| row.count("at")).transpose()?;
    let signed = match store.query(vec![newest(&head::TABLE)]).await {
        Ok(heads) => heads.iter().flatten().next().map(|row| row.count("seq")).transpose()?,
        // An archive without a table of heads has none signed.
        Err(StoreError::Misuse(_)) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Past { last: Moment::from_seconds(last.unwrap_or(0)), signed: signed.unwrap_or(0) })
}

impl<H: Host> Core<H> {
    /// Takes up what the archive says is not done.
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<Recovered, EngineError> {
        let mut found = Recovered::default();
        let mut query = Query::of(tables::TIMER.name).limit(PAGE);
        loop {
            let rows = self.store.query(vec![query.clone()]).await?;
            for row in rows.iter().flatten() {
                let due = Moment::from_millis(row.count("due")?);
                let (key, name) = (tables::key_of(row)?, row.text("name")?.to_owned());
                self.timers.set(Alarm { wake: due, key, name, due });
                found.timers = found.timers.saturating_add(1);
            }
            match rows.iter().flatten().last() {
                Some(last) => query = query.after(&tables::TIMER, last),
                None => break,
            }
        }
        let mut query = Query::of(tables::OUTBOX.name).equal("done", false).limit(PAGE);
        loop {
            let rows = self.store.query(vec![query.clone()]).await?;
            // Read the whole page before its first effect is performed and its row is gone.
            let tasks: Result<Vec<Task>, _> = rows.iter().flatten().map(Task::from_row).collect();
            let tasks = tasks?;
            found.effects = found.effects.saturating_add(tasks.len());
            self.enqueue(tasks);
            match rows.iter().flatten().last() {
                Some(last) => query = query.after(&tables::OUTBOX, last),
                None => return Ok(found),
            }
        }
    }
}

/// What was taken up.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Recovered {
    pub(crate) timers: usize,
    pub(crate) effects: usize,
}
