//! What evaluators sign: `service-evaluation`, how far a package is to be believed, and
//! `evaluation-revocations`, which of their words no longer count.

use semper_exchange::message::Draft;
use semper_supporting::{
    access::Grade,
    certificate::{CertRole, VerifiedCertificate},
    crypto::{digest::Digest, signature::Kid},
    evidence::{Signable, SignedBytes, Statement, Verified, statement::LARGE_LIMIT},
    identifier,
    money::Money,
    time::{Moment, Span},
};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::{fault::ServiceFault, package::Package};
use crate::service::statechart::{Need, Pii};

identifier! {
    /// The name by which an evaluator withdraws an evaluation.
    EvaluationSerial, 16
}

/// The longest an evaluation is good for.
pub const LONGEST: Span = Span::days(366);
/// The longest until the next list of withdrawn evaluations.
pub const LIST_LONGEST: Span = Span::days(7);

/// `service-evaluation`: what somebody found who looked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ServiceEvaluation {
    /// The package.
    pub package_sha256: Digest,
    /// The id of the service.
    pub service: String,
    /// Its version.
    pub version: String,
    /// 1: checked by machine; 2: reviewed by a person; 3: reviewed and watched.
    pub grade: u8,
    /// What it may ask for at most.
    pub scope: Scope,
    /// The jurisdictions for which it was looked at: ISO 3166-1 alpha-2, or `*`.
    pub jurisdiction: Vec<String>,
    /// The version of the set of checks that was run.
    pub lints: String,
    /// SHA-256 of the report of these checks.
    pub report_sha256: Digest,
    /// SHA-256 of the evaluator's notes; absent where nobody made any.
    pub notes_sha256: Option<Digest>,
    /// When it was signed.
    pub issued: Moment,
    /// Until when it is good.
    pub expires: Moment,
    /// Where the list of withdrawn evaluations is.
    pub list: String,
    /// Its own name on that list.
    pub serial: EvaluationSerial,
    /// The evaluator's key: SHA-256 of its SubjectPublicKeyInfo.
    pub signer: Kid,
    /// SHA-256 of the evaluator's certificate.
    pub cert: Digest,
}

/// Upper bounds of what a service may ask for, by capability; what is not there is not allowed.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Scope {
    /// The most that the client may have to pay in all.
    pub pay: Option<Money>,
    /// Which classes of personal data.
    pub reveal: Vec<Pii>,
    /// What is signed.
    pub sign: Vec<String>,
    /// What is received beside goods.
    pub receive: Vec<String>,
    /// Which third parties.
    pub third: Vec<String>,
    /// How many bytes are stored.
    pub store: Option<u64>,
    /// Which media types are opened.
    pub open: Vec<String>,
    /// Which services are opened from within.
    pub subdeal: Vec<String>,
}

/// `evaluation-revocations`: which evaluations are withdrawn.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct EvaluationRevocations {
    /// Its number, which only grows.
    pub number: u64,
    /// When it was signed.
    pub issued: Moment,
    /// When the next one is due.
    pub next: Moment,
    /// What is withdrawn.
    pub revoked: Vec<Withdrawn>,
    /// The evaluator's key.
    pub signer: Kid,
    /// SHA-256 of the evaluator's certificate.
    pub cert: Digest,
}

/// One evaluation that is withdrawn.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Withdrawn {
    /// Which.
    pub serial: EvaluationSerial,
    /// From when on.
    pub at: Moment,
    /// Why.
    pub reason: Reason,
}

/// Why an evaluation is withdrawn.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The evaluator was wrong about the service.
    Mistake,
    /// Too many complaints about who uses it.
    Complaints,
    /// The law has changed.
    Law,
    /// The evaluator's key may be in other hands.
    KeyCompromise,
    /// Nobody says.
    Unspecified,
}

/// What ties an evaluator to the merchant whose service it evaluates.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Tie {
    /// One key.
    Key,
    /// One organisation.
    Organisation,
    /// One host: what was registered together runs together.
    Host,
}

impl Statement for ServiceEvaluation {
    const TYPE: &'static str = "service-evaluation";
}

impl Signable for ServiceEvaluation {
    fn signer(&self) -> Kid {
        self.signer
    }
}

impl Statement for EvaluationRevocations {
    const TYPE: &'static str = "evaluation-revocations";
    const LIMIT: usize = LARGE_LIMIT;
}

impl Signable for EvaluationRevocations {
    fn signer(&self) -> Kid {
        self.signer
    }
}

/// What an evaluator found, before it is tied to a package and signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Findings {
    /// 1 to 3.
    pub grade: u8,
    /// What the service may ask for at most.
    pub scope: Scope,
    /// The jurisdictions for which it was looked at.
    pub jurisdiction: Vec<String>,
    /// The version of the set of checks that was run.
    pub lints: String,
    /// SHA-256 of the report of these checks.
    pub report_sha256: Digest,
    /// SHA-256 of the notes.
    pub notes_sha256: Option<Digest>,
    /// How long it is good for.
    pub valid: Span,
    /// Where the list of withdrawn evaluations is.
    pub list: String,
    /// A fresh name.
    pub serial: EvaluationSerial,
}

/// What `evaluator` signs about `package` at `now`.
///
/// # Errors
/// [`ServiceFault::BadStatement`] for who is no evaluator, a grade that does not exist, and a time too long.
pub fn draft(
    package: &Package,
    findings: Findings,
    evaluator: &VerifiedCertificate,
    now: Moment,
) -> Result<Draft, ServiceFault> {
    let issued = now.whole_seconds();
    let evaluation = ServiceEvaluation {
        package_sha256: package.sha256(),
        service: package.service().id.clone(),
        version: package.service().version.clone(),
        grade: findings.grade,
        scope: findings.scope,
        jurisdiction: findings.jurisdiction,
        lints: findings.lints,
        report_sha256: findings.report_sha256,
        notes_sha256: findings.notes_sha256,
        issued,
        expires: issued.after(findings.valid).whole_seconds(),
        list: findings.list,
        serial: findings.serial,
        signer: evaluator.kid(),
        cert: evaluator.digest(),
    };
    check(&evaluation, evaluator)?;
    Ok(Draft::of(&evaluation)?)
}

/// The evaluation in `signed`, by the holder of `evaluator`.
///
/// # Errors
/// [`ServiceFault::BadStatement`].
pub fn verify(
    signed: SignedBytes,
    evaluator: &VerifiedCertificate,
) -> Result<Verified<ServiceEvaluation>, ServiceFault> {
    let evaluation: Verified<ServiceEvaluation> = signed.verify(evaluator.key())?;
    check(&evaluation, evaluator)?;
    Ok(evaluation)
}

/// What `evaluator` signs to say which of its evaluations are withdrawn.
///
/// # Errors
/// [`ServiceFault::BadStatement`] for who is no evaluator, and for a next list too far away.
pub fn draft_list(
    number: u64,
    revoked: Vec<Withdrawn>,
    evaluator: &VerifiedCertificate,
    now: Moment,
    valid: Span,
) -> Result<Draft, ServiceFault> {
    let issued = now.whole_seconds();
    let (signer, cert) = (evaluator.kid(), evaluator.digest());
    let next = issued.after(valid).whole_seconds();
    let list = EvaluationRevocations { number, issued, next, revoked, signer, cert };
    check_list(&list, evaluator)?;
    Ok(Draft::of(&list)?)
}

/// The list in `signed`, by the holder of `evaluator`.
///
/// # Errors
/// [`ServiceFault::BadStatement`].
pub fn verify_list(
    signed: SignedBytes,
    evaluator: &VerifiedCertificate,
) -> Result<Verified<EvaluationRevocations>, ServiceFault> {
    let list: Verified<EvaluationRevocations> = signed.verify(evaluator.key())?;
    check_list(&list, evaluator)?;
    Ok(list)
}

fn check(evaluation: &ServiceEvaluation, evaluator: &VerifiedCertificate) -> Result<(), ServiceFault> {
    is_evaluator(evaluator, evaluation.cert)?;
    if evaluation.believed().is_none() {
        return Err(ServiceFault::statement("there is no such grade"));
    }
    if evaluation.expires <= evaluation.issued || evaluation.expires.since(evaluation.issued) > LONGEST {
        return Err(ServiceFault::statement("it is good for longer than 366 days, or for no time at all"));
    }
    Ok(())
}

fn check_list(list: &EvaluationRevocations, evaluator: &VerifiedCertificate) -> Result<(), ServiceFault> {
    is_evaluator(evaluator, list.cert)?;
    if list.next <= list.issued || list.next.since(list.issued) > LIST_LONGEST {
        return Err(ServiceFault::statement("the next list is more than 7 days away, or not after this"));
    }
    Ok(())
}

fn is_evaluator(evaluator: &VerifiedCertificate, named: Digest) -> Result<(), ServiceFault> {
    if !evaluator.content().roles.contains(&CertRole::Evaluator) {
        return Err(ServiceFault::statement("its signer is no evaluator"));
    }
    if named != evaluator.digest() {
        return Err(ServiceFault::statement("it names another certificate"));
    }
    Ok(())
}

impl ServiceEvaluation {
    /// The grade it gives; nothing for one that does not exist.
    pub fn believed(&self) -> Option<Grade> {
        match self.grade {
            1 => Some(Grade::Checked),
            2 => Some(Grade::Reviewed),
            3 => Some(Grade::Approved),
            _ => None,
        }
    }
}

/// What ties `evaluator` to `merchant`, so that its word about the merchant's service does not count.
///
/// Certificates do not say in which request they were asked for; a host they share stands for it.
pub fn tie(evaluator: &VerifiedCertificate, merchant: &VerifiedCertificate) -> Option<Tie> {
    let organisation = |one: &VerifiedCertificate| one.subject().organisation.as_deref().map(folded);
    if evaluator.kid() == merchant.kid() {
        Some(Tie::Key)
    } else if organisation(evaluator).is_some() && organisation(evaluator) == organisation(merchant) {
        Some(Tie::Organisation)
    } else if evaluator.dns().iter().any(|host| merchant.serves(host)) {
        Some(Tie::Host)
    } else {
        None
    }
}

/// A name as it is compared: compatible characters, case and white space do not count.
fn folded(name: &str) -> String {
    let name: String = name.nfkc().flat_map(char::to_lowercase).collect();
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Scope {
    /// Exactly what `need` asks for.
    pub fn of(need: &Need) -> Self {
        Self {
            pay: need.pay,
            reveal: need.reveal.clone(),
            sign: need.sign.clone(),
            receive: need.receive.clone(),
            third: need.third.clone(),
            store: need.store.map(|size| size.0),
            open: need.open.clone(),
            subdeal: need.subdeal.clone(),
        }
    }

    /// What both allow. Sums in two currencies allow no payment.
    pub fn intersect(&self, other: &Self) -> Self {
        Self {
            pay: least(self.pay, other.pay),
            reveal: common(&self.reveal, &other.reveal),
            sign: common(&self.sign, &other.sign),
            receive: common(&self.receive, &other.receive),
            third: common(&self.third, &other.third),
            store: self.store.zip(other.store).map(|(a, b)| a.min(b)),
            open: common(&self.open, &other.open),
            subdeal: common(&self.subdeal, &other.subdeal),
        }
    }

    /// Whether it allows all of `need`.
    pub fn covers(&self, need: &Need) -> bool {
        let need = Self::of(need);
        let all = self.intersect(&need);
        all == need
    }
}

/// The smaller of two sums; nothing where one is missing or they are of two currencies.
pub(super) fn least(a: Option<Money>, b: Option<Money>) -> Option<Money> {
    let (a, b) = a.zip(b)?;
    match a.partial_cmp(&b)? {
        std::cmp::Ordering::Greater => Some(b),
        std::cmp::Ordering::Less | std::cmp::Ordering::Equal => Some(a),
    }
}

/// What is in both, in the order of the second.
fn common<T: Clone + PartialEq>(a: &[T], b: &[T]) -> Vec<T> {
    b.iter().filter(|one| a.contains(one)).cloned().collect()
}
