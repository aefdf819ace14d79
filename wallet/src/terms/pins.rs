//! The services a wallet has seen: what each shop signed, the package, and what the owner accepted.

use semper_commerce::download::Pin;
use semper_host::{chance, record::commit};
use semper_supporting::{
    access::Grade,
    archive::{
        Batch, Column, Direction, Query, Row, RowOp, Store, StoreError, Table, Value, record::EvidenceRecord,
    },
    crypto::{
        digest::Digest,
        signature::{Kid, Signature},
    },
    evidence::SignedBytes,
    time::{Moment, Span},
};

use super::{
    TermsFault,
    evaluators::{grade, number},
};

/// One row a package that a shop has signed. Two of one version are the proof that it equivocates: both stay, and the
/// service with them is blocked. Times in seconds.
pub const SERVICE: Table = Table {
    name: "service",
    columns: &[
        Column::bytes("shop"),
        Column::text("service"),
        Column::text("version"),
        Column::bytes("package"),
        Column::integer("first_seen_s"),
        Column::bytes("accepted").optional(),
        Column::integer("grade"),
        Column::bytes("tbs"),
        Column::bytes("sig"),
        Column::bytes("file"),
    ],
    key: &["shop", "service", "version", "package"],
    unique: &[],
    indexes: &[],
};

/// How long what a shop signed is kept: ten years.
const KEPT: Span = Span::days(3653);

/// A pin and the file of its package.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kept {
    /// The pin.
    pub pin: Pin,
    /// The package with its signatures, as it came last.
    pub file: Vec<u8>,
}

/// Everything that is kept, by shop, service and version.
///
/// # Errors
/// [`StoreError`].
pub async fn all(store: &impl Store) -> Result<Vec<Kept>, StoreError> {
    let query = Query::of(SERVICE.name)
        .order("shop", Direction::Rising)
        .order("service", Direction::Rising)
        .order("version", Direction::Rising);
    let rows = store.query(vec![query]).await?;
    rows.iter().flatten().map(read).collect()
}

/// What is kept of one service of one shop.
///
/// # Errors
/// [`StoreError`].
pub async fn of(store: &impl Store, shop: Kid, service: &str) -> Result<Vec<Kept>, StoreError> {
    let query = Query::of(SERVICE.name).equal("shop", shop).equal("service", service);
    store.query(vec![query]).await?.iter().flatten().map(read).collect()
}

/// Keeps what was seen, with the shop's statement as evidence. What was seen and accepted before stays so; the file is
/// the one that came last, which may have more evaluations.
///
/// # Errors
/// [`StoreError`].
pub async fn keep(store: &impl Store, pin: &Pin, certificate: Digest, file: &[u8]) -> Result<(), StoreError> {
    let key: Vec<Value> = vec![
        pin.shop.into(),
        pin.service.as_str().into(),
        pin.version.as_str().into(),
        pin.package_sha256.into(),
    ];
    let row = Row::new()
        .with("shop", pin.shop)
        .with("service", pin.service.as_str())
        .with("version", pin.version.as_str())
        .with("package", pin.package_sha256)
        .with("first_seen_s", Value::seconds(pin.first_seen))
        .with("accepted", pin.accepted.map_or(Value::Null, Value::from))
        .with("grade", i64::from(number(pin.grade)))
        .with("tbs", pin.statement.tbs.clone())
        .with("sig", *pin.statement.signature.as_bytes())
        .with("file", file.to_vec());
    let now = chance::now();
    let evidence = EvidenceRecord {
        kind: "service-terms".to_owned(),
        deal: None,
        signer: pin.shop,
        certificate: Some(certificate),
        at: now,
        signed: pin.statement.clone(),
        keep_until: now.after(KEPT),
    };
    let batch = Batch::new().row(evidence.keep()).row(RowOp::ensure(SERVICE.name, row)).row(RowOp::update(
        SERVICE.name,
        key,
        Row::new().with("file", file.to_vec()),
    ));
    commit(store, batch).await
}

/// Notes that the owner accepted a package in the prompt with this digest, when it was believed as far as `grade`.
///
/// # Errors
/// [`TermsFault::Store`], also for a package that was not seen.
pub async fn accept(store: &impl Store, pin: &Pin, grade: Grade, prompt: Digest) -> Result<(), TermsFault> {
    let key: Vec<Value> = vec![
        pin.shop.into(),
        pin.service.as_str().into(),
        pin.version.as_str().into(),
        pin.package_sha256.into(),
    ];
    let set = Row::new().with("accepted", prompt).with("grade", i64::from(number(grade)));
    Ok(commit(store, Batch::new().row(RowOp::update(SERVICE.name, key, set))).await?)
}

fn read(row: &Row) -> Result<Kept, StoreError> {
    let damaged = || StoreError::Damaged("a service that was seen".to_owned());
    let accepted = (!row.is_null("accepted")).then(|| row.array("accepted")).transpose()?;
    let pin = Pin {
        shop: Kid::from_bytes(row.array("shop")?),
        service: row.text("service")?.to_owned(),
        version: row.text("version")?.to_owned(),
        package_sha256: Digest::from_bytes(row.array("package")?),
        first_seen: Moment::from_seconds(row.count("first_seen_s")?),
        accepted: accepted.map(Digest::from_bytes),
        grade: grade(row.count("grade")?).ok_or_else(damaged)?,
        statement: SignedBytes {
            tbs: row.bytes("tbs")?.to_vec(),
            signature: Signature::from_bytes(row.array("sig")?),
        },
    };
    Ok(Kept { pin, file: row.bytes("file")?.to_vec() })
}
