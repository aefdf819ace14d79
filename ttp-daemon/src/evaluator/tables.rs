//! The rows of an evaluator: what it has evaluated, and its lists of what is withdrawn.

use semper_commerce::download::{
    ServiceEvaluation,
    evaluation::{EvaluationSerial, Reason, Withdrawn},
};
use semper_supporting::{
    archive::{Column, Row, StoreError, Table, Value},
    crypto::{digest::Digest, signature::Signature},
    evidence::SignedBytes,
    time::Moment,
};
use serde::Serialize;

/// One row an evaluation. Times in seconds.
pub(super) const EVALUATION: Table = Table {
    name: "evaluation",
    columns: &[
        Column::bytes("serial"),
        Column::bytes("package"),
        Column::text("service"),
        Column::text("version"),
        Column::integer("grade"),
        Column::integer("issued_s"),
        Column::integer("expires_s"),
        Column::bytes("statement"),
        Column::text("report"),
        Column::bytes("notes").optional(),
        Column::integer("withdrawn_s").optional(),
        Column::text("reason").optional(),
    ],
    key: &["serial"],
    unique: &[],
    indexes: &[&["package"], &["withdrawn_s"]],
};

/// One row a signed list of withdrawn evaluations. Times in seconds.
pub(super) const LIST: Table = Table {
    name: "evaluation_list",
    columns: &[
        Column::integer("number"),
        Column::integer("issued_s"),
        Column::bytes("tbs"),
        Column::bytes("sig"),
    ],
    key: &["number"],
    unique: &[],
    indexes: &[],
};

/// The tables of an evaluator.
pub const TABLES: &[Table] = &[EVALUATION, LIST];

/// An evaluation as it is listed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Listed {
    /// Its name.
    pub serial: EvaluationSerial,
    /// The package.
    pub package: Digest,
    /// The id of the service.
    pub service: String,
    /// Its version.
    pub version: String,
    /// The grade.
    pub grade: u64,
    /// When it was signed.
    pub issued: Moment,
    /// Until when it is good.
    pub expires: Moment,
    /// When it was withdrawn.
    pub withdrawn: Option<Moment>,
    /// Why.
    pub reason: Option<String>,
}

pub(super) fn row(said: &ServiceEvaluation, statement: Digest, report: &str, notes: Option<Vec<u8>>) -> Row {
    Row::new()
        .with("serial", *said.serial.as_bytes())
        .with("package", said.package_sha256)
        .with("service", said.service.as_str())
        .with("version", said.version.as_str())
        .with("grade", i64::from(said.grade))
        .with("issued_s", Value::seconds(said.issued))
        .with("expires_s", Value::seconds(said.expires))
        .with("statement", statement)
        .with("report", report)
        .with("notes", notes.map_or(Value::Null, Value::from))
        .with("withdrawn_s", Value::Null)
        .with("reason", Value::Null)
}

impl Listed {
    pub(super) fn of(row: &Row) -> Result<Self, StoreError> {
        let seconds = |column: &str| row.count(column).map(Moment::from_seconds);
        let withdrawn = (!row.is_null("withdrawn_s")).then(|| seconds("withdrawn_s")).transpose()?;
        Ok(Self {
            serial: EvaluationSerial::from_bytes(row.array("serial")?),
            package: Digest::from_bytes(row.array("package")?),
            service: row.text("service")?.to_owned(),
            version: row.text("version")?.to_owned(),
            grade: row.count("grade")?,
            issued: seconds("issued_s")?,
            expires: seconds("expires_s")?,
            reason: withdrawn.map(|_| row.text("reason").map(str::to_owned)).transpose()?,
            withdrawn,
        })
    }

    /// Its entry in a list; nothing if it is not withdrawn.
    pub(super) fn entry(&self) -> Option<Withdrawn> {
        let reason = read_reason(self.reason.as_deref()?).unwrap_or(Reason::Unspecified);
        Some(Withdrawn { serial: self.serial, at: self.withdrawn?, reason })
    }
}

/// The reason that `word` names.
pub fn read_reason(word: &str) -> Option<Reason> {
    serde_json::from_value(word.into()).ok()
}

/// The word of a reason.
pub(super) fn reason_word(reason: Reason) -> String {
    let word = serde_json::to_value(reason).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(super) fn stored(row: &Row) -> Result<SignedBytes, StoreError> {
    Ok(SignedBytes { tbs: row.bytes("tbs")?.to_vec(), signature: Signature::from_bytes(row.array("sig")?) })
}
