//! The chain, across reopening and erasure.

use super::{ACCOUNT, Bench, Failure, account, ask, commit, ensure, entry, same, schema};
use crate::archive::{
    Batch, Query, Row, RowOp, Value,
    journal::{Chain, Head, Line, TABLE, check_row},
    store::Store,
};

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn the_journal_continues_when_opened_again<B: Bench>(bench: &B) -> Result<(), Failure> {
    let mut expected = Vec::new();
    for round in 0..4_u64 {
        let store = bench.open(schema()).await?;
        let batch = (0..5).fold(Batch::new(), |batch, n| batch.entry(entry(round * 5 + n)));
        expected.extend(commit(&store, batch).await?.lines);
        let refused = Batch::new().row(RowOp::insert("nowhere", Row::new())).entry(entry(99));
        ensure(commit(&store, refused).await.is_err(), "a batch without a table happened")?;
    }
    let store = bench.open(schema()).await?;
    let (lines, head) = chain(&store).await?;
    same(&lines, &expected, "the lines that were answered")?;
    same(&head.seq, &20, "entries")
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn an_erased_entry_leaves_the_chain_whole<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    let batch = (0..3).fold(Batch::new(), |batch, n| batch.entry(entry(n)));
    let before = commit(&store, batch).await?.head;
    let erase = Row::new().with("salt", None::<i64>).with("payload", None::<i64>);
    commit(&store, Batch::new().row(RowOp::update(TABLE.name, [Value::from(2_i64)], erase))).await?;
    drop(store);
    let store = bench.open(schema()).await?;
    let (_, head) = chain(&store).await?;
    same(&head, &before, "the head")?;
    let rows = ask(&store, Query::of(TABLE.name).equal("seq", 2_i64)).await?;
    ensure(
        rows.iter().all(|row| row.is_null("payload") && row.is_null("salt")),
        "the payload is still there",
    )?;
    let next = commit(&store, Batch::new().entry(entry(9))).await?;
    same(&next.head.seq, &4, "the next entry")
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn time_never_runs_backwards_along_the_journal<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    commit(&store, Batch::new().entry(entry(500))).await?;
    drop(store);
    let store = bench.open(schema()).await?;
    let early =
        commit(&store, Batch::new().entry(entry(100)).row(RowOp::insert(ACCOUNT.name, account(1, 1))))
            .await?;
    same(&early.lines.first().map(|line| line.at), &Some(1_700_000_500), "the time of an early entry")?;
    chain(&store).await.map(drop)
}

/// Reads the whole journal and follows its chain.
pub(super) async fn chain<S: Store>(store: &S) -> Result<(Vec<Line>, Head), Failure> {
    let mut chain = Chain::EMPTY;
    let mut lines = Vec::new();
    let mut query = Query::of(TABLE.name).limit(100);
    loop {
        let rows = ask(store, query.clone()).await?;
        for row in &rows {
            let line = check_row(row)?;
            chain.follow(&line).map_err(|broken| Failure::Property(broken.to_string()))?;
            lines.push(line);
        }
        match rows.last() {
            Some(last) => query = query.after(&TABLE, last),
            None => return Ok((lines, chain.head())),
        }
    }
}
