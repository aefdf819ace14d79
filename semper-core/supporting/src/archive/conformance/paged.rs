//! Conditions and pages of queries.

use super::{ACCOUNT, Bench, Failure, account, ask, commit, ensure, same, schema};
use crate::archive::{Batch, Direction, Query, Relation, Row, RowOp, Value};

const T: &str = ACCOUNT.name;

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn conditions_compare_as_documented<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    let mut batch = Batch::new();
    for id in 1..=5_u8 {
        let owner = (id != 3).then(|| format!("o{id}"));
        batch = batch.row(RowOp::insert(T, account(id, i64::from(id)).with("owner", owner)));
    }
    commit(&store, batch).await?;
    let cases: [(&'static str, Relation, Value, &[u8]); 12] = [
        ("balance", Relation::Equal, 2_i64.into(), &[2]),
        ("balance", Relation::NotEqual, 2_i64.into(), &[1, 3, 4, 5]),
        ("balance", Relation::Less, 2_i64.into(), &[1]),
        ("balance", Relation::AtMost, 2_i64.into(), &[1, 2]),
        ("balance", Relation::Greater, 4_i64.into(), &[5]),
        ("balance", Relation::AtLeast, 4_i64.into(), &[4, 5]),
        ("owner", Relation::Equal, Value::Null, &[3]),
        ("owner", Relation::NotEqual, Value::Null, &[1, 2, 4, 5]),
        ("owner", Relation::NotEqual, "o1".into(), &[2, 3, 4, 5]),
        ("owner", Relation::Greater, "o3".into(), &[4, 5]),
        ("owner", Relation::Less, "o3".into(), &[1, 2]),
        ("id", Relation::AtLeast, [4_u8, 0].into(), &[5]),
    ];
    for (column, relation, value, expected) in cases {
        let what = format!("{column} {relation:?} {value:?}");
        let rows = ask(&store, Query::of(T).when(column, relation, value)).await?;
        same(&ids(&rows)?, &expected.to_vec(), &what)?;
    }
    let both = Query::of(T).when("balance", Relation::Greater, 1_i64).when("balance", Relation::Less, 4_i64);
    same(&ids(&ask(&store, both).await?)?, &vec![2, 3], "two conditions")
}

/// # Errors
/// [`Failure`] if the property does not hold.
pub async fn pages_are_complete_and_in_order<B: Bench>(bench: &B) -> Result<(), Failure> {
    let store = bench.open(schema()).await?;
    let mut batch = Batch::new();
    for id in 0..=255_u8 {
        // Seven different balances, so that the key must complete the order.
        batch = batch.row(RowOp::insert(T, account(id.reverse_bits(), i64::from(id % 7))));
    }
    commit(&store, batch).await?;
    let orders = [
        Query::of(T),
        Query::of(T).order("balance", Direction::Rising),
        Query::of(T).order("balance", Direction::Falling),
        Query::of(T).order("balance", Direction::Falling).order("id", Direction::Falling),
        Query::of(T).order("id", Direction::Falling).when("balance", Relation::NotEqual, 3_i64),
    ];
    for query in orders {
        let whole = ask(&store, query.clone()).await?;
        let mut paged: Vec<Row> = Vec::new();
        loop {
            let mut page = query.clone().limit(10);
            if let Some(last) = paged.last() {
                page = page.after(&ACCOUNT, last);
            }
            let rows = ask(&store, page).await?;
            ensure(rows.len() <= 10, "a page is longer than asked for")?;
            if rows.is_empty() {
                break;
            }
            paged.extend(rows);
        }
        ensure(paged == whole, &format!("the pages of {query:?} are not the whole"))?;
        let keys: Vec<_> = whole.iter().map(|row| place(&query, row)).collect();
        ensure(keys.is_sorted(), &format!("{query:?} is out of order"))?;
    }
    Ok(())
}

/// What sorts like the order of `query`: numbers of falling columns negated, bytes complemented.
fn place(query: &Query, row: &Row) -> Vec<Value> {
    let columns = query.columns_of_order(&ACCOUNT);
    let turn = |value: Value| match value {
        Value::Integer(n) => Value::Integer(n.saturating_neg()),
        Value::Bytes(bytes) => Value::Bytes(bytes.iter().map(|b| !b).collect()),
        other => other,
    };
    columns
        .iter()
        .map(|(name, direction)| {
            let value = row.get(name).cloned().unwrap_or(Value::Null);
            if *direction == Direction::Falling { turn(value) } else { value }
        })
        .collect()
}

fn ids(rows: &[Row]) -> Result<Vec<u8>, Failure> {
    rows.iter().map(|row| Ok(row.array::<1>("id")?[0])).collect()
}
