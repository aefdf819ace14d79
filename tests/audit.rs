//! The audit finds every cent: each sum in a stopped bank's archive is changed, and the audit names the row.

use semper_supporting::{
    archive::{Batch, Row, RowOp, Store as _, Table, Value},
    time::Span,
};
use semper_tests::{
    Failure, Kept, Marketplace, Result,
    money::{money, order},
    trial,
};
use semper_transfer::payment::{
    Op, PaymentOrder, Status,
    ledger::{ACCOUNT, POSTING},
};

/// Every column of the bank's archive that holds money, with the table it is in.
const SUMS: [(Table, &str); 3] = [
    (ACCOUNT, "balance_minor"),
    (POSTING, "amount_minor"),
    (semper_payment_sim::bank::PAYMENT, "amount_minor"),
];

/// A bank with some business behind it, stopped.
async fn business(market: &mut Marketplace) -> Result<()> {
    let (mut ada, mut shop) = (market.person("Ada Weber").await?, market.person("Emil Otto").await?);
    let mut counter = ada.bank(&market.bank_at).await?;
    let mut account = ada.open_account(&mut counter).await?;
    let till = shop.till_at(&market.bank_at).await?;
    ada.operate(&mut counter, &mut account.purse, Op::Load(money("XTS 30.00")?))
        .await?
        .must_be(Status::Succeeded)?;
    let at_once = order(&till, money("XTS 4.00")?)?;
    let until = Some(semper_host::now().whole_seconds().after(Span::days(1)));
    let pending = PaymentOrder { until, ..order(&till, money("XTS 7.50")?)? };
    for (order, end) in [(at_once, Status::Settled), (pending, Status::Succeeded)] {
        ada.pay(&mut counter, &mut account.purse, &order).await?.must_be(end)?;
    }
    ada.operate(&mut counter, &mut account.purse, Op::Unload(money("XTS 1.00")?))
        .await?
        .must_be(Status::Succeeded)?;
    market.must_be_clean().await?;
    market.bank.stop().await.map(drop)
}

#[test]
fn a_sum_that_is_off_by_a_cent_is_named_by_table_and_row() {
    trial(async |market| {
        business(market).await?;
        // The audit of a bank that does not run reads the archive alone.
        market.must_be_clean().await?;
        let mut changed = 0;
        for (table, column) in SUMS {
            let rows = Kept::read(market.bank.folder()).await?.rows(table.name).await?;
            for row in rows.iter().filter(|row| !row.is_null(column)) {
                // An account whose balance is nothing may not go below it, so both directions are tried.
                let by = if changed % 2 == 0 { 1 } else { -1 };
                add(market, table, row, column, by).await?;
                let (said, found) = market.audit().await?;
                let named = findings(&found)?;
                assert_eq!(said.code, Some(1), "{} {row:?}: {found}", table.name);
                for culprit in culprits(table, row)? {
                    assert!(named.contains(&culprit), "{culprit:?} is not named: {found}");
                }
                add(market, table, row, column, -by).await?;
                changed += 1;
            }
        }
        assert!(changed >= 15, "there were only {changed} sums");
        market.must_be_clean().await
    });
}

#[test]
fn the_audit_says_it_in_words_too() {
    trial(async |market| {
        business(market).await?;
        let said = market.bank.command(&["audit"]).await?;
        assert_eq!(said.code, Some(0));
        assert!(said.out.contains("every cent is accounted for"), "{said:?}");
        let rows = Kept::read(market.bank.folder()).await?.rows(ACCOUNT.name).await?;
        let row = rows.first().ok_or_else(|| Failure::new("no account"))?;
        add(market, ACCOUNT, row, "balance_minor", 1).await?;
        let said = market.bank.command(&["audit"]).await?;
        assert_eq!(said.code, Some(1));
        assert!(
            said.out.contains("the books are not right") && said.out.contains(&shown(row, "id")?),
            "{said:?}"
        );
        Ok(())
    });
}

/// Adds to a sum behind the bank's back.
async fn add(market: &Marketplace, table: Table, row: &Row, column: &'static str, by: i64) -> Result<()> {
    let kept = Kept::read(market.bank.folder()).await?;
    let key: Vec<Value> = table.key.iter().filter_map(|name| row.get(name).cloned()).collect();
    let op = RowOp::Add { table: table.name, key, column, by };
    for done in kept.store.commit(vec![Batch::new().row(op)]).await {
        done?;
    }
    Ok(())
}

/// The tables and rows that an audit names.
fn findings(found: &serde_json::Value) -> Result<Vec<(String, String)>> {
    let all = found.get("findings").and_then(|all| all.as_array());
    let all = all.ok_or_else(|| Failure::of("no findings in", found))?;
    let text = |one: &serde_json::Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    Ok(all.iter().map(|one| (text(one, "table"), text(one, "row"))).collect())
}

/// What an audit has to name when a sum of this row is wrong: the row itself; for a posting, which has no
/// hash of its own, its entry and its account.
fn culprits(table: Table, row: &Row) -> Result<Vec<(String, String)>> {
    let names = match table.name {
        "posting" => vec![("entry", "seq"), ("account", "account")],
        "account" => vec![("account", "id")],
        other => vec![(other, "reference")],
    };
    names.into_iter().map(|(table, column)| Ok((table.to_owned(), shown(row, column)?))).collect()
}

/// How an audit writes a key.
fn shown(row: &Row, column: &str) -> Result<String> {
    match row.get(column) {
        Some(Value::Bytes(bytes)) => Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        Some(Value::Integer(number)) => Ok(number.to_string()),
        other => Err(Failure::new(format!("a key {other:?}"))),
    }
}
