//! The evaluator: it reads packages as a wallet does, runs the same checks, and signs what it found.
//!
//! ```text
//! package --read, checked--> report --grade, scope--> service-evaluation     kept with its report and notes
//! serial  --withdrawn-----> evaluation-revocations                           a new one each day, good for a week
//! ```
//!
//! What is signed is on the disk before anybody is told. A list is signed with the change that makes it necessary, so
//! that whoever was told of a withdrawal reads it in the next list.

pub mod command;
mod scope;
mod tables;

use std::{fmt, sync::Arc};

use semper_commerce::{
    download::{
        EvaluationRevocations, Package, ServiceEvaluation, ServiceFault,
        evaluation::{EvaluationSerial, Findings, LIST_LONGEST, LONGEST, Reason, draft, draft_list},
        package::Signed,
        report,
        withdrawn::EvaluatorAnswer,
    },
    service::check::{Report, SET},
};
use semper_exchange::deadlines::RETAIN_DAYS;
use semper_host::{
    Keyring, KeyringError,
    chance::{self, NoChance},
    record::{commit, entry},
};
use semper_supporting::{
    access::Subject,
    archive::{
        Batch, Direction, Query, Relation, Row, RowOp, Store, StoreError, Value,
        journal::{Class as Entries, Kind as Detail},
        record::EvidenceRecord,
    },
    certificate::{CertRole, Certificate, CertificateFault, TrustSnapshot, Usage, VerifiedCertificate},
    crypto::{digest::Digest, keys::KeyRef},
    evidence::{Signable, SignedBytes, Verified, statement::StatementError},
    time::{Moment, Span},
};
use tokio::sync::Mutex;

use self::tables::{EVALUATION, LIST, reason_word, row, stored};
pub use self::tables::{Listed, TABLES, read_reason};

/// How old a list becomes before the next one is signed.
const RENEWED: Span = Span::days(1);
/// The longest notes in bytes.
const NOTES: usize = 1 << 20;

/// What an evaluator is made of.
pub struct Setup<S> {
    /// Its archive, with [`TABLES`] in its schema.
    pub store: Arc<S>,
    /// The keys of the daemon.
    pub keys: Keyring,
    /// Its key.
    pub key: KeyRef,
    /// Its certificate and those above it.
    pub chain: Vec<Certificate>,
    /// Where it is called, as `host:port`; evaluations name it.
    pub place: String,
}

/// An evaluator at work.
pub struct Evaluator<S> {
    setup: Setup<S>,
    policy: Subject,
    turn: Mutex<()>,
}

/// What the operator says of a package.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wanted {
    /// 1 to 3.
    pub grade: u8,
    /// What a person wrote about it.
    pub notes: Option<Vec<u8>>,
    /// Bounds in place of what the service asks for, as `pay<=XTS 20.00`.
    pub scope: Vec<String>,
    /// The jurisdictions for which it was looked at; those of the service where none is named.
    pub jurisdiction: Vec<String>,
    /// How long it is good for.
    pub valid: Span,
}

/// An evaluation that was signed and kept.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// What it says.
    pub evaluation: Verified<ServiceEvaluation>,
    /// What the checks found.
    pub report: Report,
    /// The evaluation with the evaluator's certificates.
    pub signed: Signed,
}

/// Why a package is not evaluated, or an evaluation not withdrawn. Nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum EvaluatorError {
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
    #[error("this evaluator's own certificate: {0}")]
    Certificate(#[from] CertificateFault),
    /// It is no package, or nothing that can be signed.
    #[error(transparent)]
    Service(#[from] ServiceFault),
    /// A draft cannot be read again.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The checks refuse it.
    #[error("the checks refuse these terms; nothing was signed")]
    Refused(Report),
    /// There is no such grade.
    #[error("there are the grades 1, 2 and 3")]
    Grade,
    /// A person has to say something.
    #[error("grade {0} is the word of a person: give the notes with --notes FILE, at most 1 MiB")]
    Notes(u8),
    /// A bound cannot be read.
    #[error("{0}")]
    Scope(String),
    /// It would be good for too long.
    #[error("an evaluation is good for 1 to 366 days")]
    Validity,
    /// Nobody knows it.
    #[error("there is no evaluation {0}")]
    Unknown(EvaluationSerial),
    /// It was withdrawn before.
    #[error("{0} was withdrawn already")]
    Again(EvaluationSerial),
}

impl<S: Store> Evaluator<S> {
    /// Opens it.
    pub fn open(setup: Setup<S>) -> Self {
        let policy = Subject::Authority { policy: Digest::of(b"semper-ttpd evaluator/1") };
        Self { setup, policy, turn: Mutex::new(()) }
    }

    /// Reads the package in `bytes`, checks it, and signs what `wanted` says of it.
    ///
    /// # Errors
    /// [`EvaluatorError`]; nothing was signed.
    pub async fn evaluate(
        &self,
        bytes: &[u8],
        wanted: Wanted,
        trust: &TrustSnapshot,
        now: Moment,
    ) -> Result<Evaluated, EvaluatorError> {
        let package = Package::read(bytes)?;
        let report = report(&package, &[]);
        if !report.is_acceptable() {
            return Err(EvaluatorError::Refused(report));
        }
        let Wanted { grade, notes, scope, jurisdiction, valid } = wanted;
        if !(1..=3).contains(&grade) {
            return Err(EvaluatorError::Grade);
        }
        let said = notes.as_ref().is_some_and(|notes| !notes.trim_ascii().is_empty() && notes.len() <= NOTES);
        if !said && (grade > 1 || notes.is_some()) {
            return Err(EvaluatorError::Notes(grade));
        }
        if valid == Span::default() || valid > LONGEST {
            return Err(EvaluatorError::Validity);
        }
        let law = package.service().law.clone();
        let findings = Findings {
            grade,
            scope: scope::bounded(&package.chart().need, &scope).map_err(EvaluatorError::Scope)?,
            jurisdiction: if jurisdiction.is_empty() { law } else { jurisdiction },
            lints: SET.to_owned(),
            report_sha256: Digest::of(report.text().as_bytes()),
            notes_sha256: notes.as_deref().map(Digest::of),
            valid,
            list: self.setup.place.clone(),
            serial: EvaluationSerial::from_bytes(chance::random()?),
        };
        let own = self.certificate(trust, now)?;
        let draft = draft(&package, findings, &own, now)?;
        let evaluation: Verified<ServiceEvaluation> = self.sign(&draft.read()?, now)?;
        let kept = row(&evaluation, evaluation.digest(), &report.text(), notes);
        let line = format!("evaluation {}\npackage {}\ngrade {grade}", evaluation.serial, package.sha256());
        let batch = Batch::new()
            .row(self.evidence(&evaluation, &own, now).keep())
            .row(RowOp::insert(EVALUATION.name, kept))
            .entry(entry(Detail::of(Entries::Decision, "evaluation"), line, now)?);
        commit(&*self.setup.store, batch).await?;
        tracing::info!(serial = %evaluation.serial, package = %package.sha256(), grade, "evaluation signed");
        let signed = Signed { statement: evaluation.bytes().clone(), chain: self.setup.chain.clone() };
        Ok(Evaluated { evaluation, report, signed })
    }

    /// Withdraws an evaluation; the next list, signed here, names it.
    ///
    /// # Errors
    /// [`EvaluatorError`]; nothing has changed.
    pub async fn withdraw(
        &self,
        serial: EvaluationSerial,
        reason: Reason,
        trust: &TrustSnapshot,
        now: Moment,
    ) -> Result<(), EvaluatorError> {
        let _turn = self.turn.lock().await;
        let found = self.rows(Query::of(EVALUATION.name).equal("serial", *serial.as_bytes())).await?;
        let found = found.first().ok_or(EvaluatorError::Unknown(serial))?;
        let mut listed = Listed::of(found)?;
        if listed.withdrawn.is_some() {
            return Err(EvaluatorError::Again(serial));
        }
        let (word, at) = (reason_word(reason), now.whole_seconds());
        listed.withdrawn = Some(at);
        listed.reason = Some(word.clone());
        let set = Row::new().with("withdrawn_s", Value::seconds(at)).with("reason", word.as_str());
        let line = format!("withdrawn {serial}\nreason {word}");
        let batch = Batch::new()
            .row(RowOp::update(EVALUATION.name, vec![Value::from(*serial.as_bytes())], set))
            .entry(entry(Detail::of(Entries::Decision, "withdrawal"), line, now)?);
        self.sign_list(batch, Some(listed), trust, now).await?;
        tracing::info!(%serial, reason = word, "evaluation withdrawn");
        Ok(())
    }

    /// The newest list of withdrawn evaluations; a new one is signed each day.
    ///
    /// # Errors
    /// [`EvaluatorError`].
    pub async fn list(&self, trust: &TrustSnapshot, now: Moment) -> Result<SignedBytes, EvaluatorError> {
        let _turn = self.turn.lock().await;
        if let Some(row) = self.newest().await?
            && now < Moment::from_seconds(row.count("issued_s")?).after(RENEWED)
        {
            return Ok(stored(&row)?);
        }
        self.sign_list(Batch::new(), None, trust, now).await
    }

    /// What a caller is answered who asks for the list.
    ///
    /// # Errors
    /// [`EvaluatorError`].
    pub async fn answer(
        &self,
        trust: &TrustSnapshot,
        now: Moment,
    ) -> Result<EvaluatorAnswer, EvaluatorError> {
        let list = self.list(trust, now).await?;
        Ok(EvaluatorAnswer::Withdrawn { list, chain: self.setup.chain.clone() })
    }

    /// All evaluations, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn evaluations(&self) -> Result<Vec<Listed>, StoreError> {
        let rows = self.rows(Query::of(EVALUATION.name).order("issued_s", Direction::Falling)).await?;
        rows.iter().map(Listed::of).collect()
    }

    /// Signs the next list together with what `batch` changes. Evaluations that have ended count for nothing anyway,
    /// and leave the list.
    async fn sign_list(
        &self,
        batch: Batch,
        newly: Option<Listed>,
        trust: &TrustSnapshot,
        now: Moment,
    ) -> Result<SignedBytes, EvaluatorError> {
        let own = self.certificate(trust, now)?;
        let number = self.newest().await?.map(|row| row.count("number")).transpose()?.unwrap_or_default();
        let withdrawn = Query::of(EVALUATION.name).when("withdrawn_s", Relation::AtLeast, Value::count(0));
        let mut all: Vec<Listed> =
            self.rows(withdrawn).await?.iter().map(Listed::of).collect::<Result<_, _>>()?;
        all.extend(newly);
        all.retain(|one| one.expires > now);
        all.sort_by_key(|one| one.serial);
        let entries = all.iter().filter_map(Listed::entry).collect();
        let draft = draft_list(number.saturating_add(1), entries, &own, now, LIST_LONGEST)?;
        let list: Verified<EvaluationRevocations> = self.sign(&draft.read()?, now)?;
        let row = Row::new()
            .with("number", Value::count(list.number))
            .with("issued_s", Value::seconds(list.issued))
            .with("tbs", list.bytes().tbs.clone())
            .with("sig", *list.bytes().signature.as_bytes());
        let batch = batch.row(self.evidence(&list, &own, now).keep()).row(RowOp::insert(LIST.name, row));
        commit(&*self.setup.store, batch).await?;
        tracing::info!(number = list.number, withdrawn = list.revoked.len(), "list of evaluations signed");
        Ok(list.bytes().clone())
    }

    fn certificate(
        &self,
        trust: &TrustSnapshot,
        now: Moment,
    ) -> Result<VerifiedCertificate, CertificateFault> {
        trust.verify(&self.setup.chain, CertRole::Evaluator, Usage::Sign, now)
    }

    fn sign<T: Signable>(&self, statement: &T, now: Moment) -> Result<Verified<T>, KeyringError> {
        self.setup.keys.attest(&self.setup.key, &self.policy, statement, now)
    }

    fn evidence<T: Signable>(
        &self,
        said: &Verified<T>,
        own: &VerifiedCertificate,
        now: Moment,
    ) -> EvidenceRecord {
        EvidenceRecord::of(said, None, Some(own.digest()), now, now.after(Span::days(RETAIN_DAYS)))
    }

    async fn newest(&self) -> Result<Option<Row>, StoreError> {
        let query = Query::of(LIST.name).order("number", Direction::Falling).limit(1);
        Ok(self.rows(query).await?.into_iter().next())
    }

    async fn rows(&self, query: Query) -> Result<Vec<Row>, StoreError> {
        Ok(self.setup.store.query(vec![query]).await?.into_iter().flatten().collect())
    }
}

impl<S> fmt::Debug for Evaluator<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluator").field("place", &self.setup.place).finish_non_exhaustive()
    }
}
