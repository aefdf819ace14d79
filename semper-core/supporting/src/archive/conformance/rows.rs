//! Guards, changes of rows, and what is refused.

use super::{ACCOUNT, Bench, Failure, POSTING, account, ask, balance, commit, ensure, entry, same, schema};
use crate::archive::{
    Batch, Comparison, Guard, Query, Relation, Row, RowOp, Schema, Store, StoreError, Value,
    schema::{Change, Column, Migration, Table},
    store::Committed,
};

const T: &str = ACCOUNT.name;

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn a_failed_guard_names_itself_and_leaves_no_trace<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    commit(&store, Batch::new().row(RowOp::insert(T, account(1, 10)))).await?;
    let key = || [Value::from([1_u8])];
    let nobody = || [Value::from([9_u8])];
    let holding = [
        Guard::absent("g", T, nobody()),
        Guard::present("g", T, key()),
        Guard::equals("g", T, key(), "balance", 10_i64),
        Guard::equals("g", T, key(), "owner", None::<i64>),
        Guard::at_least("g", T, key(), "balance", 10),
        Guard::at_most("g", T, key(), "balance", 10),
        Guard::none("g", T, vec![Comparison::new("balance", Relation::Greater, 10_i64)]),
    ];
    for guard in holding {
        commit(&store, Batch::new().guard(guard)).await?;
    }
    let failing = [
        Guard::absent("g", T, key()),
        Guard::present("g", T, nobody()),
        Guard::equals("g", T, key(), "balance", 11_i64),
        Guard::equals("g", T, key(), "owner", "somebody"),
        Guard::equals("g", T, nobody(), "owner", None::<i64>),
        Guard::at_least("g", T, key(), "balance", 11),
        Guard::at_least("g", T, nobody(), "balance", 0),
        Guard::at_most("g", T, key(), "balance", 9),
        Guard::none("g", T, vec![Comparison::new("balance", Relation::AtLeast, 10_i64)]),
    ];
    for guard in failing {
        let shown = format!("{guard:?}");
        let batch = Batch::new()
            .guard(Guard::present("other", T, key()))
            .guard(guard)
            .row(RowOp::add(T, key(), "balance", 1))
            .entry(entry(1));
        let answer = commit(&store, batch).await;
        same(&answer.err(), &Some(StoreError::Guard("g")), &shown)?;
    }
    drop(store);
    let store = bench.open(schema()).await?;
    same(&balance(&store, 1).await?, &Some(10), "a refused batch changed a row")?;
    ensure(ask(&store, Query::of("journal")).await?.is_empty(), "a refused batch left a journal entry")
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn a_batch_happens_whole_or_not_at_all<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    let batch = Batch::new()
        .row(RowOp::insert(T, account(1, 1)))
        .row(RowOp::insert(
            POSTING.name,
            Row::new().with("entry", "e").with("n", 0_i64).with("amount", 1_i64),
        ))
        .entry(entry(1))
        .entry(entry(2));
    let Committed { lines, head } = commit(&store, batch).await?;
    same(&(lines.len(), head.seq), &(2, 2), "two entries were appended")?;
    let failing = Batch::new()
        .row(RowOp::insert(T, account(2, 1)))
        .row(RowOp::delete(T, [Value::from([1_u8])]))
        .row(RowOp::insert(
            POSTING.name,
            Row::new().with("entry", "e").with("n", 0_i64).with("amount", 2_i64),
        ))
        .entry(entry(3));
    let refused = commit(&store, failing).await;
    same(&refused.err(), &Some(StoreError::Duplicate(POSTING.name)), "the key is taken")?;
    drop(store);
    let store = bench.open(schema()).await?;
    same(&balance(&store, 1).await?, &Some(1), "a deletion was not undone")?;
    same(&balance(&store, 2).await?, &None, "an insertion was not undone")?;
    same(&ask(&store, Query::of("journal")).await?.len(), &2, "entries of the journal")
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn batches_of_one_call_stand_each_for_itself<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    let batches = vec![
        Batch::new().row(RowOp::insert(T, account(1, 5))).entry(entry(1)),
        Batch::new().row(RowOp::insert(T, account(1, 6))).entry(entry(2)),
        Batch::new()
            .guard(Guard::at_least("earlier", T, [Value::from([1_u8])], "balance", 5))
            .row(RowOp::add(T, [Value::from([1_u8])], "balance", 2)),
        Batch::new().row(RowOp::insert("nowhere", Row::new())),
        Batch::new().entry(entry(3)),
    ];
    let answers = store.commit(batches).await;
    let kinds: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    same(&kinds, &vec![true, false, true, false, true], "which batches happened")?;
    let last = answers.last().and_then(|answer| answer.as_ref().ok()).map(|done| done.head.seq);
    same(&last, &Some(2), "the journal has no gap where a batch failed")?;
    same(&balance(&store, 1).await?, &Some(7), "a later batch sees an earlier one")
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn keys_and_unique_sets_hold<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    let owned = |id, owner| account(id, 1).with("owner", owner);
    commit(&store, Batch::new().row(RowOp::insert(T, owned(1, "ann")))).await?;
    for id in 2..4 {
        commit(&store, Batch::new().row(RowOp::insert(T, account(id, 1)))).await?;
    }
    let duplicate = Some(StoreError::Duplicate(T));
    let again = commit(&store, Batch::new().row(RowOp::insert(T, account(1, 2)))).await;
    same(&again.err(), &duplicate, "inserting a key twice")?;
    let taken = commit(&store, Batch::new().row(RowOp::insert(T, owned(4, "ann")))).await;
    same(&taken.err(), &duplicate, "a unique set was taken twice")?;
    let ensured = commit(&store, Batch::new().row(RowOp::ensure(T, owned(4, "ann")))).await;
    same(&ensured.err(), &duplicate, "ensuring another row does not excuse a unique set")?;
    commit(&store, Batch::new().row(RowOp::ensure(T, account(1, 99)))).await?;
    same(&balance(&store, 1).await?, &Some(1), "ensuring a row that is there changes nothing")?;
    commit(&store, Batch::new().row(RowOp::put(T, account(1, 99)))).await?;
    let rows = ask(&store, Query::of(T).equal("id", [1_u8])).await?;
    ensure(rows.len() == 1 && rows.iter().all(|row| row.is_null("owner")), "put replaces every column")?;
    commit(&store, Batch::new().row(RowOp::insert(T, owned(4, "ann")))).await?;
    Ok(())
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn numbers_are_added_checked<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    commit(&store, Batch::new().row(RowOp::insert(T, account(1, i64::MAX - 1)))).await?;
    let add = |id: u8, by| Batch::new().row(RowOp::add(T, [Value::from([id])], "balance", by));
    commit(&store, add(1, 1)).await?;
    let over = commit(&store, add(1, 1)).await;
    same(&over.err(), &Some(StoreError::Overflow(T)), "adding beyond 64 bits")?;
    let absent = commit(&store, add(2, 1)).await;
    same(&absent.err(), &Some(StoreError::Absent(T)), "adding to no row")?;
    commit(&store, add(1, -i64::MAX)).await?;
    same(&balance(&store, 1).await?, &Some(0), "the sum")
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn only_what_is_named_changes<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    let row = account(1, 5).with("owner", "ann").with("note", [7_u8]);
    commit(&store, Batch::new().row(RowOp::insert(T, row.clone())).row(RowOp::insert(T, account(2, 6))))
        .await?;
    let set = Row::new().with("owner", None::<i64>).with("balance", 9_i64);
    commit(&store, Batch::new().row(RowOp::update(T, [Value::from([1_u8])], set.clone()))).await?;
    let rows = ask(&store, Query::of(T)).await?;
    let [first, second] = rows.as_slice() else {
        return Err(Failure::Property("two rows were there".into()));
    };
    ensure(
        first.integer("balance") == Ok(9) && first.is_null("owner") && first.bytes("note") == Ok(&[7]),
        "an update sets what it names and keeps the rest",
    )?;
    same(&second.integer("balance")?, &6, "another row")?;
    let absent = commit(&store, Batch::new().row(RowOp::update(T, [Value::from([3_u8])], set))).await;
    same(&absent.err(), &Some(StoreError::Absent(T)), "updating no row")?;
    commit(&store, Batch::new().row(RowOp::delete(T, [Value::from([3_u8])]))).await?;
    commit(&store, Batch::new().row(RowOp::delete(T, [Value::from([1_u8])]))).await?;
    same(&ask(&store, Query::of(T)).await?.len(), &1, "rows left after a deletion")
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn values_come_back_as_they_went_in<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    let rows = [
        account(1, i64::MIN).with("owner", "").with("note", Vec::new()),
        account(2, i64::MAX).with("owner", "Ωμέγα \u{0}\n'\"; --").with("note", vec![0; 1 << 20]),
        account(3, 0).with("owner", "1").with("note", (0..=255).collect::<Vec<u8>>()),
        account(4, -1).with("owner", None::<i64>).with("note", None::<i64>),
    ];
    let mut batch = Batch::new();
    for row in &rows {
        batch = batch.row(RowOp::insert(T, row.clone()));
    }
    commit(&store, batch).await?;
    drop(store);
    let store = bench.open(schema()).await?;
    let kept = ask(&store, Query::of(T)).await?;
    for (row, got) in rows.iter().zip(&kept) {
        for (column, value) in row.columns() {
            ensure(got.get(column) == Some(value), &format!("column {column} changed on its way"))?;
        }
    }
    same(&kept.len(), &rows.len(), "rows")
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn what_does_not_fit_a_table_is_refused<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    let misuses = [
        Batch::new().row(RowOp::insert("nowhere", account(1, 1))),
        Batch::new().row(RowOp::insert(T, Row::new().with("id", [1_u8]))),
        Batch::new().row(RowOp::insert(T, account(1, 1).with("balance", "1"))),
        Batch::new().row(RowOp::delete(T, [Value::from("1")])),
        Batch::new().row(RowOp::delete("journal", [Value::from(1_i64)])),
        Batch::new().guard(Guard::absent("g", T, Vec::new())),
        Batch::new().guard(Guard::at_least("g", T, [Value::from([1_u8])], "owner", 1)),
    ];
    for batch in misuses {
        let shown = format!("{batch:?}");
        let answer = commit(&store, batch).await;
        ensure(matches!(answer, Err(StoreError::Misuse(_))), &format!("taken: {shown}"))?;
    }
    for query in [Query::of("nowhere"), Query::of(T).equal("balance", "1"), Query::of(T).equal("none", 1_i64)]
    {
        let answer = ask(&store, query).await;
        ensure(matches!(answer, Err(StoreError::Misuse(_))), "a query that fits no table was answered")?;
    }
    Ok(())
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn an_older_archive_is_brought_up_and_a_newer_one_refused<B: Bench>(
    bench: &B,
) -> Result<(), Failure> {
    const LATER: Table = Table {
        columns: &[
            Column::bytes("id"),
            Column::text("owner").optional(),
            Column::integer("balance"),
            Column::bytes("note").optional(),
            Column::integer("limit").optional(),
        ],
        indexes: &[&["balance"], &["limit", "balance"]],
        ..ACCOUNT
    };
    const CHANGES: &[Change] = &[
        Change::AddTable(POSTING.name),
        Change::AddColumn { table: T, column: "limit" },
        Change::AddIndexes(T),
    ];
    let old = Schema::new(1).with(&[ACCOUNT]);
    let new = Schema::new(2).with(&[LATER, POSTING]).migrate(Migration { to: 2, changes: CHANGES });
    let store = bench.open(old.clone()).await?;
    commit(&store, Batch::new().row(RowOp::insert(T, account(1, 5))).entry(entry(1))).await?;
    drop(store);
    let store = bench.open(new.clone()).await?;
    same(&balance(&store, 1).await?, &Some(5), "a row from before")?;
    let row = account(2, 6).with("limit", 7_i64);
    commit(&store, Batch::new().row(RowOp::insert(T, row)).entry(entry(2))).await?;
    let limits = ask(&store, Query::of(T).equal("limit", None::<i64>)).await?;
    same(&limits.len(), &1, "a new column is null in old rows")?;
    ensure(ask(&store, Query::of(POSTING.name)).await?.is_empty(), "a new table is empty")?;
    drop(store);
    let refused = bench.open(old).await.err();
    same(&refused, &Some(StoreError::Newer { found: 2, known: 1 }), "opening a newer archive")?;
    drop(bench.open(new).await?);
    Ok(())
}
