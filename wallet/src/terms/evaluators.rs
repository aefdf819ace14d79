//! Whom the owner trusts to evaluate terms of business, and what these evaluators have withdrawn.

use semper_commerce::download::{evaluation::verify_list, package::Signed, trust::TrustedEvaluator};
use semper_host::{
    chance,
    record::{commit, entry},
};
use semper_supporting::{
    access::Grade,
    archive::{
        Batch, Column, Direction, Query, Row, RowOp, Store, StoreError, Table, Value,
        journal::{Class, Kind},
    },
    certificate::{CertRole, Certificate, TrustSnapshot, Usage},
    crypto::{
        digest::Digest,
        signature::{Kid, Signature},
    },
    evidence::SignedBytes,
    money::Money,
    time::Moment,
};

use super::TermsFault;

/// One row an evaluator that is trusted. Lists are separated by spaces; times in seconds.
pub const EVALUATOR: Table = Table {
    name: "trusted_evaluator",
    columns: &[
        Column::bytes("key"),
        Column::bytes("certificate"),
        Column::text("name"),
        Column::integer("most"),
        Column::text("profiles"),
        Column::text("jurisdictions"),
        Column::text("ceiling").optional(),
        Column::integer("expires_s"),
    ],
    key: &["key"],
    unique: &[],
    indexes: &[],
};

/// The newest list of each evaluator: what is withdrawn stays known while nobody answers.
pub const WITHDRAWN: Table = Table {
    name: "evaluation_list",
    columns: &[
        Column::bytes("key"),
        Column::integer("number"),
        Column::bytes("tbs"),
        Column::bytes("sig"),
        Column::bytes("chain"),
    ],
    key: &["key"],
    unique: &[],
    indexes: &[],
};

/// The journal's entry of a change of whom the owner trusts.
const TRUSTED: Kind = Kind::of(Class::Config, "evaluator");
/// What separates certificates in PEM, where a chain is kept in one column.
const CHAIN: usize = semper_supporting::certificate::CHAIN_LIMIT;

/// The evaluators that are trusted, by name.
///
/// # Errors
/// [`StoreError`].
pub async fn trusted(store: &impl Store) -> Result<Vec<TrustedEvaluator>, StoreError> {
    let rows = store.query(vec![Query::of(EVALUATOR.name).order("name", Direction::Rising)]).await?;
    rows.iter().flatten().map(read).collect()
}

/// Trusts an evaluator from now on, in place of what held for it before.
///
/// # Errors
/// [`TermsFault::Store`]; nothing has changed then.
pub async fn trust(store: &impl Store, one: &TrustedEvaluator) -> Result<(), TermsFault> {
    let line = format!("trusted {}\ncertificate {}\nmost {}", one.key, one.certificate, number(one.most));
    let batch =
        Batch::new().entry(entry(TRUSTED, line, chance::now())?).row(RowOp::put(EVALUATOR.name, row(one)));
    Ok(commit(store, batch).await?)
}

/// Trusts an evaluator no more.
///
/// # Errors
/// [`TermsFault::NoEvaluator`], [`TermsFault::Store`].
pub async fn forget(store: &impl Store, key: Kid) -> Result<(), TermsFault> {
    if !trusted(store).await?.iter().any(|one| one.key == key) {
        return Err(TermsFault::NoEvaluator);
    }
    let batch = Batch::new()
        .entry(entry(TRUSTED, format!("forgotten {key}"), chance::now())?)
        .row(RowOp::delete(EVALUATOR.name, vec![Value::from(key)]));
    Ok(commit(store, batch).await?)
}

/// The lists of withdrawn evaluations that are kept.
///
/// # Errors
/// [`StoreError`].
pub async fn lists(store: &impl Store) -> Result<Vec<Signed>, StoreError> {
    let rows = store.query(vec![Query::of(WITHDRAWN.name)]).await?;
    rows.iter().flatten().map(kept).collect()
}

/// Keeps a list that was fetched, unless it is none of this evaluator or not newer than the one held.
///
/// # Errors
/// [`StoreError`].
pub async fn keep_list(
    store: &impl Store,
    evaluator: Kid,
    list: &Signed,
    trust: &TrustSnapshot,
    now: Moment,
) -> Result<bool, StoreError> {
    let Ok(certificate) = trust.verify(&list.chain, CertRole::Evaluator, Usage::Sign, now) else {
        return Ok(false);
    };
    let Ok(said) = verify_list(list.statement.clone(), &certificate) else { return Ok(false) };
    let held = store.query(vec![Query::of(WITHDRAWN.name).equal("key", evaluator)]).await?;
    let held = held.iter().flatten().next().map(|row| row.count("number")).transpose()?;
    if said.signer != evaluator || held.is_some_and(|number| number >= said.number) {
        return Ok(false);
    }
    let chain: String = list.chain.iter().map(Certificate::to_pem).collect();
    let row = Row::new()
        .with("key", evaluator)
        .with("number", Value::count(said.number))
        .with("tbs", list.statement.tbs.clone())
        .with("sig", *list.statement.signature.as_bytes())
        .with("chain", chain.into_bytes());
    commit(store, Batch::new().row(RowOp::put(WITHDRAWN.name, row))).await?;
    Ok(true)
}

/// The number of a grade.
pub const fn number(grade: Grade) -> u8 {
    match grade {
        Grade::Uncertified => 0,
        Grade::Checked => 1,
        Grade::Reviewed => 2,
        Grade::Approved => 3,
    }
}

/// The grade of this number.
pub const fn grade(number: u64) -> Option<Grade> {
    match number {
        0 => Some(Grade::Uncertified),
        1 => Some(Grade::Checked),
        2 => Some(Grade::Reviewed),
        3 => Some(Grade::Approved),
        _ => None,
    }
}

fn row(one: &TrustedEvaluator) -> Row {
    Row::new()
        .with("key", one.key)
        .with("certificate", one.certificate)
        .with("name", one.name.as_str())
        .with("most", i64::from(number(one.most)))
        .with("profiles", one.profiles.join(" "))
        .with("jurisdictions", one.jurisdictions.join(" "))
        .with("ceiling", one.ceiling.map_or(Value::Null, |money| Value::from(money.to_string())))
        .with("expires_s", Value::seconds(one.expires))
}

fn read(row: &Row) -> Result<TrustedEvaluator, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("{what} of a trusted evaluator"));
    let words = |column: &str| {
        row.text(column).map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    };
    let ceiling = if row.is_null("ceiling") {
        None
    } else {
        Some(Money::parse(row.text("ceiling")?).map_err(|_| damaged("the ceiling"))?)
    };
    Ok(TrustedEvaluator {
        key: Kid::from_bytes(row.array("key")?),
        certificate: Digest::from_bytes(row.array("certificate")?),
        name: row.text("name")?.to_owned(),
        most: grade(row.count("most")?).ok_or_else(|| damaged("the grade"))?,
        profiles: words("profiles")?,
        jurisdictions: words("jurisdictions")?,
        ceiling,
        expires: Moment::from_seconds(row.count("expires_s")?),
    })
}

fn kept(row: &Row) -> Result<Signed, StoreError> {
    let damaged = || StoreError::Damaged("a list of withdrawn evaluations".to_owned());
    let pem = std::str::from_utf8(row.bytes("chain")?).map_err(|_| damaged())?;
    let chain = Certificate::all_from_pem(pem, CHAIN).map_err(|_| damaged())?;
    let signature = Signature::from_bytes(row.array("sig")?);
    Ok(Signed { statement: SignedBytes { tbs: row.bytes("tbs")?.to_vec(), signature }, chain })
}

#[cfg(test)]
mod tests {
    use semper_archive_sqlite::{Options, SqliteArchive};

    use super::*;
    use crate::wallet::schema;

    #[tokio::test]
    async fn an_evaluator_is_kept_as_it_was_chosen_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteArchive::open(folder.path(), schema(), Options::default()).unwrap();
        let one = TrustedEvaluator {
            key: Kid::from_bytes([7; 32]),
            certificate: Digest::of(b"certificate"),
            name: "Trial evaluator".into(),
            most: Grade::Reviewed,
            profiles: vec!["retail".into(), "consumer".into()],
            jurisdictions: Vec::new(),
            ceiling: Some(Money::parse("XTS 1000.00").unwrap()),
            expires: Moment::from_seconds(1_800_000_000),
        };
        trust(&store, &one).await.unwrap();
        assert_eq!(trusted(&store).await.unwrap(), std::slice::from_ref(&one));
        forget(&store, one.key).await.unwrap();
        assert_eq!(trusted(&store).await.unwrap(), []);
        assert!(matches!(forget(&store, one.key).await, Err(TermsFault::NoEvaluator)));
    }
}
