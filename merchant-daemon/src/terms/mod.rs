//! The shop's terms of business: packed, checked, signed, and handed out to whoever asks.
//!
//! What was published under one version stays what it is: a second text under it would be the shop's own proof of
//! equivocation, so it is refused here before anything is signed. Packages stay when they are withdrawn, since deals
//! may name them.

pub mod command;
pub mod making;

use std::collections::{BTreeMap, BTreeSet};

use semper_commerce::{
    download::{
        Package, ServiceFault, ServiceTerms,
        evaluation::{Tie, tie, verify},
        package::{Signed, with_signatures},
        pin::version,
        report, terms_statement, with_evaluations,
    },
    service::check::Report,
};
use semper_host::{
    KeyringError,
    chance::NoChance,
    record::{commit, entry},
};
use semper_supporting::{
    archive::{
        Batch, Column, Direction, Query, Row, RowOp, Store, StoreError, Table, Value,
        journal::{Class, Kind},
        record::EvidenceRecord,
    },
    certificate::{CertRole, Certificate, CertificateFault, Usage, VerifiedCertificate},
    crypto::digest::Digest,
    evidence::{Verified, statement::StatementError},
    fault::Fault as _,
    time::{Moment, Span},
};
use semper_transfer::catalogue::{Answer, Offered, PART, Refusal, SERVICES};
use serde::Serialize;

use crate::program::{Program, operator};

/// One row a package that was published. Times in seconds.
pub const TERMS: Table = Table {
    name: "terms",
    columns: &[
        Column::bytes("package"),
        Column::text("service"),
        Column::text("version"),
        Column::bytes("file"),
        Column::integer("length"),
        Column::bytes("statement"),
        Column::integer("from_s"),
        Column::integer("until_s"),
        Column::integer("withdrawn_s").optional(),
    ],
    key: &["package"],
    unique: &[&["service", "version"]],
    indexes: &[&["file"]],
};

/// The files of packages, by their SHA-256.
pub const TERMS_FILE: Table = Table {
    name: "terms_file",
    columns: &[Column::bytes("file"), Column::bytes("content")],
    key: &["file"],
    unique: &[],
    indexes: &[],
};

/// How long what was signed is kept: ten years.
const KEPT: Span = Span::days(3653);
/// The journal's entry of a package that was published.
const PUBLISHED: Kind = Kind::of(Class::Config, "terms");

/// Terms that were published, as they are listed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Published {
    /// The package.
    pub package: Digest,
    /// The id of the service.
    pub service: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the file that is handed out.
    pub file: Digest,
    /// Its length in bytes.
    pub length: u64,
    /// SHA-256 of the shop's statement.
    pub statement: Digest,
    /// From when on it is offered.
    pub from: Moment,
    /// Until when.
    pub until: Moment,
    /// When it was withdrawn.
    pub withdrawn: Option<Moment>,
}

/// What publishing came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What is offered now.
    pub published: Published,
    /// What the checks found.
    pub report: Report,
    /// What keeps an evaluation from counting, in words.
    pub warnings: Vec<String>,
}

/// Why terms are not published, changed or withdrawn. Nothing was signed then.
#[derive(Debug, thiserror::Error)]
pub enum TermsError {
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key refuses.
    #[error(transparent)]
    Key(#[from] KeyringError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The own certificate is not accepted now.
    #[error("this shop's own certificate: {0}")]
    Certificate(#[from] CertificateFault),
    /// It is no package, or no statement about it.
    #[error("{code}: {0}", code = .0.code())]
    Service(#[from] ServiceFault),
    /// A draft cannot be read again.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The checks refuse it.
    #[error("the checks refuse these terms; nothing was signed")]
    Refused(Report),
    /// The same version was published with other content.
    #[error(
        "version {version} of {service} was published already with another text (package {package}): a second text \
         under one version would prove that this shop equivocates. Give the new text a new version"
    )]
    Equivocation {
        /// The id of the service.
        service: String,
        /// The version.
        version: String,
        /// The package that was published.
        package: Digest,
    },
    /// It would offer too many.
    #[error("a shop offers at most {SERVICES} services: withdraw one first")]
    Many,
    /// An evaluator's certificate is not accepted.
    #[error("an evaluation whose signer is not accepted: {0}")]
    Evaluator(CertificateFault),
    /// Nobody knows it.
    #[error("there are no terms {0} here")]
    Unknown(Digest),
    /// There is no evaluation in the file.
    #[error("there is no evaluation in that file")]
    NoEvaluation,
}

/// Publishes the package in `bytes` until `until`, with `evaluations` beside those that it had here.
///
/// # Errors
/// [`TermsError`]; nothing was signed.
pub async fn publish(
    program: &Program,
    bytes: &[u8],
    until: Moment,
    evaluations: &[Signed],
    now: Moment,
) -> Result<Outcome, TermsError> {
    let package = Package::read(bytes)?;
    let report = report(&package, &[]);
    if !report.is_acceptable() {
        return Err(TermsError::Refused(report));
    }
    let (service, name) = (package.service().id.clone(), package.sha256());
    let all = list(&*program.store).await?;
    let mine = || all.iter().filter(|one| one.service == service);
    if let Some(other) = mine().find(|one| one.version == package.service().version && one.package != name) {
        let (version, package) = (other.version.clone(), other.package);
        return Err(TermsError::Equivocation { service, version, package });
    }
    let others = all.iter().filter(|one| one.withdrawn.is_none() && one.service != service);
    if others.map(|one| &one.service).collect::<BTreeSet<_>>().len() >= SERVICES {
        return Err(TermsError::Many);
    }
    let own = own(program, now)?;
    let supersedes = mine().max_by_key(|one| one.from).map(|one| one.statement);
    let draft = terms_statement::draft(&package, &own, now, until, supersedes)?;
    let said: Verified<ServiceTerms> = program.keys.attest(&program.key, &operator(), &draft.read()?, now)?;
    let signed = Signed { statement: said.bytes().clone(), chain: chain(program) };
    let before = all.iter().find(|one| one.package == name);
    let mut gathered = match before {
        Some(before) => Package::read(&content(&*program.store, before.file).await?)?.evaluations().to_vec(),
        None => Vec::new(),
    };
    gathered.extend(evaluations.iter().cloned());
    let warnings = judge(program, &gathered, &own, now)?;
    let file = with_signatures(bytes, Some(&signed), &BTreeMap::new())?;
    let file = with_evaluations(&file, &gathered)?;
    let published = Published {
        package: name,
        service,
        version: package.service().version.clone(),
        file: Digest::of(&file),
        length: u64::try_from(file.len()).unwrap_or(u64::MAX),
        statement: said.digest(),
        from: said.offered_from,
        until: said.offered_until,
        withdrawn: None,
    };
    let line = format!("terms {name}\nstatement {}", said.digest());
    let record = EvidenceRecord::of(&said, None, Some(own.digest()), now, now.after(KEPT));
    let batch = Batch::new().row(record.keep()).entry(entry(PUBLISHED, line, now)?);
    keep(&*program.store, batch, before, &published, file).await?;
    tracing::info!(package = %name, statement = %said.digest(), "terms published");
    Ok(Outcome { published, report, warnings })
}

/// Puts the evaluations in `bytes`, a package that was published, beside those it has.
///
/// # Errors
/// [`TermsError`]; nothing has changed.
pub async fn add_evaluations(
    program: &Program,
    bytes: &[u8],
    now: Moment,
) -> Result<(Published, Vec<String>), TermsError> {
    let evaluated = Package::read(bytes)?;
    if evaluated.evaluations().is_empty() {
        return Err(TermsError::NoEvaluation);
    }
    let before = one(&*program.store, evaluated.sha256()).await?;
    let warnings = judge(program, evaluated.evaluations(), &own(program, now)?, now)?;
    let file = content(&*program.store, before.file).await?;
    let file = with_evaluations(&file, evaluated.evaluations())?;
    let length = u64::try_from(file.len()).unwrap_or(u64::MAX);
    let published = Published { file: Digest::of(&file), length, ..before.clone() };
    keep(&*program.store, Batch::new(), Some(&before), &published, file).await?;
    Ok((published, warnings))
}

/// Offers a package no more; deals that name it go on.
///
/// # Errors
/// [`TermsError::Unknown`], [`TermsError::Store`].
pub async fn withdraw(program: &Program, package: Digest, now: Moment) -> Result<Published, TermsError> {
    let found = one(&*program.store, package).await?;
    let set = Row::new().with("withdrawn_s", Value::seconds(now));
    let batch = Batch::new().row(RowOp::update(TERMS.name, vec![Value::from(package)], set)).entry(entry(
        PUBLISHED,
        format!("withdrawn {package}"),
        now,
    )?);
    commit(&*program.store, batch).await?;
    tracing::info!(%package, "terms withdrawn");
    Ok(Published { withdrawn: Some(now.whole_seconds()), ..found })
}

/// All terms that were ever published, by service and time.
///
/// # Errors
/// [`StoreError`].
pub async fn list(store: &impl Store) -> Result<Vec<Published>, StoreError> {
    let query = Query::of(TERMS.name).order("service", Direction::Rising).order("from_s", Direction::Rising);
    let rows = store.query(vec![query]).await?;
    rows.iter().flatten().map(Published::of).collect()
}

/// What a caller is told of the terms offered now: of each service the newest version.
///
/// # Errors
/// [`StoreError`].
pub async fn offered(store: &impl Store, now: Moment) -> Result<Vec<Offered>, StoreError> {
    let mut newest: BTreeMap<String, Published> = BTreeMap::new();
    for one in list(store).await? {
        let counts = one.withdrawn.is_none() && one.from <= now && now < one.until;
        let newer =
            newest.get(&one.service).is_none_or(|held| version(&held.version) < version(&one.version));
        if counts && newer {
            newest.insert(one.service.clone(), one);
        }
    }
    let offered = newest.into_values().take(SERVICES).map(|one| Offered {
        service: one.service,
        version: one.version,
        package: one.package,
        file: one.file,
        length: one.length,
    });
    Ok(offered.collect())
}

/// A part of the file of a package, also of one that was withdrawn.
///
/// # Errors
/// [`StoreError`].
pub async fn part(store: &impl Store, file: Digest, from: u64) -> Result<Answer, StoreError> {
    let query = Query::of(TERMS_FILE.name).equal("file", file);
    let rows = store.query(vec![query]).await?;
    let Some(row) = rows.iter().flatten().next() else { return Ok(Answer::Refused(Refusal::Unknown)) };
    let rest = usize::try_from(from).ok().and_then(|from| row.bytes("content").ok()?.get(from..));
    Ok(match rest.filter(|rest| !rest.is_empty()) {
        Some(rest) => Answer::ServicePart(rest.get(..PART).unwrap_or(rest).to_vec()),
        None => Answer::Refused(Refusal::Offset),
    })
}

/// Why each of these evaluations will not count at anybody's, in words; one of nobody certified is refused.
fn judge(
    program: &Program,
    evaluations: &[Signed],
    own: &VerifiedCertificate,
    now: Moment,
) -> Result<Vec<String>, TermsError> {
    let trust = program.trust.snapshot();
    let mut warnings = Vec::new();
    for signed in evaluations {
        let evaluator = trust.verify(&signed.chain, CertRole::Evaluator, Usage::Sign, now);
        let evaluator = evaluator.map_err(TermsError::Evaluator)?;
        let said = verify(signed.statement.clone(), &evaluator)?;
        let shared = match tie(&evaluator, own) {
            Some(Tie::Key) => "its key",
            Some(Tie::Organisation) => "its organisation",
            Some(Tie::Host) => "its host",
            None => continue,
        };
        warnings.push(format!(
            "evaluation {} by {:?} counts nowhere: {shared} is this shop's",
            said.serial,
            evaluator.subject().common_name
        ));
    }
    Ok(warnings)
}

async fn keep(
    store: &impl Store,
    batch: Batch,
    before: Option<&Published>,
    published: &Published,
    file: Vec<u8>,
) -> Result<(), StoreError> {
    let stale = before.filter(|before| before.file != published.file);
    let batch = match stale {
        Some(before) => batch.row(RowOp::delete(TERMS_FILE.name, vec![Value::from(before.file)])),
        None => batch,
    };
    let content = Row::new().with("file", published.file).with("content", file);
    let batch = batch.row(RowOp::put(TERMS.name, published.row())).row(RowOp::put(TERMS_FILE.name, content));
    commit(store, batch).await
}

async fn one(store: &impl Store, package: Digest) -> Result<Published, TermsError> {
    let rows = store.query(vec![Query::of(TERMS.name).equal("package", package)]).await?;
    let row = rows.iter().flatten().next().ok_or(TermsError::Unknown(package))?;
    Ok(Published::of(row)?)
}

async fn content(store: &impl Store, file: Digest) -> Result<Vec<u8>, StoreError> {
    let rows = store.query(vec![Query::of(TERMS_FILE.name).equal("file", file)]).await?;
    let row = rows.iter().flatten().next();
    let row = row.ok_or_else(|| StoreError::Damaged(format!("the file {file} of terms is missing")))?;
    Ok(row.bytes("content")?.to_vec())
}

fn chain(program: &Program) -> Vec<Certificate> {
    program.chain.own.iter().take(1).chain(&program.chain.above).cloned().collect()
}

fn own(program: &Program, now: Moment) -> Result<VerifiedCertificate, CertificateFault> {
    program.trust.snapshot().verify(&chain(program), CertRole::Merchant, Usage::Sign, now)
}

impl Published {
    fn of(row: &Row) -> Result<Self, StoreError> {
        let seconds = |column: &str| row.count(column).map(Moment::from_seconds);
        let digest = |column: &str| row.array(column).map(Digest::from_bytes);
        Ok(Self {
            package: digest("package")?,
            service: row.text("service")?.to_owned(),
            version: row.text("version")?.to_owned(),
            file: digest("file")?,
            length: row.count("length")?,
            statement: digest("statement")?,
            from: seconds("from_s")?,
            until: seconds("until_s")?,
            withdrawn: (!row.is_null("withdrawn_s")).then(|| seconds("withdrawn_s")).transpose()?,
        })
    }

    fn row(&self) -> Row {
        Row::new()
            .with("package", self.package)
            .with("service", self.service.as_str())
            .with("version", self.version.as_str())
            .with("file", self.file)
            .with("length", Value::count(self.length))
            .with("statement", self.statement)
            .with("from_s", Value::seconds(self.from))
            .with("until_s", Value::seconds(self.until))
            .with("withdrawn_s", self.withdrawn.map_or(Value::Null, Value::seconds))
    }
}
