//! Several writers and readers at once.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use super::{
    ACCOUNT, Bench, Failure, account, balance, commit, ensure, entry, journaled::chain, same, schema,
};
use crate::archive::{Batch, Guard, Query, Row, RowOp, Store, StoreError, Value};

const T: &str = ACCOUNT.name;
const WRITERS: u64 = 32;
const ROUNDS: u64 = 20;

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn writers_at_the_same_time_lose_nothing<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    commit(&store, Batch::new().row(RowOp::insert(T, account(1, 0)))).await?;
    let (store_ref, key) = (&store, || [Value::from([1_u8])]);
    let writers = (0..WRITERS).map(|writer| async move {
        for round in 0..ROUNDS {
            let batch = Batch::new()
                .row(RowOp::add(T, key(), "balance", 1))
                .entry(entry(writer.saturating_mul(ROUNDS).saturating_add(round)));
            commit(store_ref, batch).await?;
        }
        Ok::<(), StoreError>(())
    });
    all(writers.collect()).await.into_iter().collect::<Result<(), StoreError>>()?;
    drop(store);
    let store = bench.open(schema()).await?;
    let total = i64::try_from(WRITERS.saturating_mul(ROUNDS)).ok();
    same(&balance(&store, 1).await?, &total, "additions")?;
    let (lines, _) = chain(&store).await?;
    same(&i64::try_from(lines.len()).ok(), &total, "entries")
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn of_two_writers_one_sees_its_guard_fail<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    commit(&store, Batch::new().row(RowOp::insert(T, account(1, 0)))).await?;
    let (store_ref, key) = (&store, || [Value::from([1_u8])]);
    for version in 0..20_i64 {
        let writers = (0..8).map(|_| async move {
            let batch = Batch::new()
                .guard(Guard::equals("version", T, key(), "balance", version))
                .row(RowOp::add(T, key(), "balance", 1));
            commit(store_ref, batch).await
        });
        let answers = all(writers.collect()).await;
        let won = answers.iter().filter(|answer| answer.is_ok()).count();
        let lost = answers.iter().filter(|a| matches!(a, Err(StoreError::Guard("version")))).count();
        same(&(won, lost), &(1, 7), "winners and losers")?;
    }
    Ok(())
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn queries_of_one_call_see_one_state<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    let setup = Batch::new().row(RowOp::insert(T, account(1, 100))).row(RowOp::insert(T, account(2, 0)));
    commit(&store, setup).await?;
    let store_ref = &store;
    let one = |id: u8| Query::of(T).equal("id", [id]);
    let mover: Job<'_> = Box::pin(async move {
        for _ in 0..100 {
            let batch = Batch::new()
                .row(RowOp::add(T, [Value::from([1_u8])], "balance", -1))
                .row(RowOp::add(T, [Value::from([2_u8])], "balance", 1));
            commit(store_ref, batch).await?;
        }
        Ok(())
    });
    let reader: Job<'_> = Box::pin(async move {
        for _ in 0..100 {
            let answers = store_ref.query(vec![one(1), one(2)]).await?;
            let sum: i64 = answers.iter().flatten().filter_map(|row: &Row| row.integer("balance").ok()).sum();
            ensure(sum == 100, &format!("the sum was {sum} between two states"))?;
        }
        Ok(())
    });
    all(vec![mover, reader]).await.into_iter().collect()
}

type Job<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;

/// Waits for all `futures` together.
async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        let mut pending = false;
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *output = Some(value),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}
