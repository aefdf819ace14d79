//! How far a service is believed: whom the user trusts to evaluate, and what they said.
//!
//! A statement counts only if its signer is on the user's list, independent of the shop, and it is about this very
//! package, in time, and not withdrawn as of a list that is fresh. Every one that does not count is shown with the
//! reason. Who the shop is, is another question, and nothing here answers it.

use semper_supporting::{
    access::Grade,
    certificate::{CertRole, CertificateFault, TrustSnapshot, Usage, VerifiedCertificate, inspect},
    crypto::{digest::Digest, signature::Kid},
    evidence::Verified,
    money::Money,
    time::{Moment, Span},
};
use serde::{Deserialize, Serialize};

use super::{
    evaluation::{EvaluationRevocations, Scope, ServiceEvaluation, Tie, least, tie, verify, verify_list},
    fault::ServiceFault,
    package::{Package, Signed},
    shipped::BuiltIn,
};
use crate::service::statechart::{Need, Service};

/// By how much the clock of an evaluator may be ahead.
const SKEW: Span = Span::minutes(5);
/// Any law, any kind of business.
const ANY: &str = "*";

/// An evaluator whom the user trusts, and how far.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TrustedEvaluator {
    /// Its key.
    pub key: Kid,
    /// SHA-256 of the certificate whose fingerprint the user confirmed.
    pub certificate: Digest,
    /// Its name.
    pub name: String,
    /// The highest grade that is believed.
    pub most: Grade,
    /// The kinds of business for which it is trusted; empty for all.
    pub profiles: Vec<String>,
    /// The jurisdictions for which it is trusted; empty for all.
    pub jurisdictions: Vec<String>,
    /// The largest sum; play money for one that is trusted for play money only. Absent for no limit of its own.
    pub ceiling: Option<Money>,
    /// Until when it is trusted.
    pub expires: Moment,
}

/// Everything from which belief follows.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What was fetched.
    pub package: &'a Package,
    /// The shop.
    pub merchant: &'a VerifiedCertificate,
    /// The statements about it, those in the package and those fetched separately.
    pub statements: &'a [Signed],
    /// The lists of withdrawn evaluations that are at hand.
    pub lists: &'a [Signed],
    /// Which certificates are believed.
    pub trust: &'a TrustSnapshot,
    /// Whom the user trusts to evaluate.
    pub evaluators: &'a [TrustedEvaluator],
    /// What comes with SEMPER.
    pub built_in: &'a BuiltIn,
    /// Now.
    pub now: Moment,
}

/// How far a service is believed, for deals that are opened now. Deals that are open go on as they were.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Belief {
    /// The grade.
    pub grade: Grade,
    /// What it may ask for at most.
    pub scope: Scope,
    /// On whose word.
    pub by: Source,
    /// The statements that do not count, each with the reason.
    pub uncounted: Vec<Uncounted>,
}

/// On whose word a service is believed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// It comes with SEMPER.
    BuiltIn,
    /// These evaluators, by the names the user knows them by, each with the grade believed.
    Evaluators(Vec<(String, Grade)>),
    /// Nobody's.
    Nobody,
}

/// A statement that does not count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Uncounted {
    /// SHA-256 of the statement.
    pub statement: Digest,
    /// The name in its signer's certificate, as it was claimed.
    pub by: Option<String>,
    /// Why not.
    pub why: NotCounted,
}

/// Why a statement of an evaluator does not count.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotCounted {
    /// It is not what an evaluator signs.
    #[error("This is no evaluation that can be read: {0}")]
    Unreadable(ServiceFault),
    /// The signer's certificate is not believed.
    #[error("The evaluator's certificate is not accepted: {0}")]
    Certificate(CertificateFault),
    /// The evaluator is not independent of the shop.
    #[error("The evaluator belongs to the shop itself")]
    NotIndependent(Tie),
    /// The user did not choose the evaluator.
    #[error("You have not chosen this evaluator as one you trust")]
    NotTrusted,
    /// The user's trust has ended.
    #[error("Your trust in this evaluator ended on {on}")]
    TrustEnded {
        /// When.
        on: Moment,
    },
    /// It is about another package.
    #[error("The evaluation is about another text than the one that came")]
    OtherPackage,
    /// It is good only later.
    #[error("The evaluation begins on {on}")]
    NotYet {
        /// When.
        on: Moment,
    },
    /// It is not good any more.
    #[error("The evaluation ended on {on}")]
    Expired {
        /// When.
        on: Moment,
    },
    /// The evaluator has withdrawn it.
    #[error("The evaluator withdrew this evaluation on {on}")]
    Withdrawn {
        /// When.
        on: Moment,
    },
    /// Nobody knows whether it was withdrawn.
    #[error("The evaluator's list of withdrawn certificates is not here")]
    NoList,
    /// What is known about that is too old.
    #[error("The evaluator's list of withdrawn certificates is {days} days old.")]
    OldList {
        /// How old in whole days.
        days: u64,
    },
    /// The evaluator is trusted for another kind of business.
    #[error("You trust this evaluator for other kinds of business")]
    OtherProfile,
    /// The evaluation, or the user's trust, is for another law.
    #[error("The evaluation is not for the law of this service")]
    OtherLaw,
    /// The evaluator is trusted for sums in another currency: only play money, say.
    #[error("You trust this evaluator for {currency} only", currency = .0.currency)]
    OtherMoney(Money),
}

impl NotCounted {
    /// The id of its words in the catalogue of texts.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "service-uncounted-unreadable",
            Self::Certificate(_) => "service-uncounted-certificate",
            Self::NotIndependent(_) => "service-uncounted-not-independent",
            Self::NotTrusted => "service-uncounted-not-trusted",
            Self::TrustEnded { .. } => "service-uncounted-trust-ended",
            Self::OtherPackage => "service-uncounted-other-package",
            Self::NotYet { .. } => "service-uncounted-not-yet",
            Self::Expired { .. } => "service-uncounted-expired",
            Self::Withdrawn { .. } => "service-uncounted-withdrawn",
            Self::NoList => "service-uncounted-no-list",
            Self::OldList { .. } => "service-uncounted-old-list",
            Self::OtherProfile => "service-uncounted-other-profile",
            Self::OtherLaw => "service-uncounted-other-law",
            Self::OtherMoney(_) => "service-uncounted-other-money",
        }
    }
}

/// How far the package is believed.
///
/// The highest grade of all statements that count, and what all of them allow. What comes with SEMPER is reviewed
/// for exactly what it asks for, on nobody else's word.
pub fn believe(question: &Question<'_>) -> Belief {
    let need = &question.package.chart().need;
    let mut belief = Belief {
        grade: Grade::Uncertified,
        scope: Scope::default(),
        by: Source::Nobody,
        uncounted: Vec::new(),
    };
    let mut counted: Vec<(String, Grade)> = Vec::new();
    let mut scope: Option<Scope> = None;
    for signed in question.statements {
        match question.count(signed) {
            Ok((evaluator, grade, bounds)) => {
                scope = Some(scope.map_or_else(|| bounds.clone(), |scope| scope.intersect(&bounds)));
                counted.push((evaluator.name.clone(), grade));
            }
            Err(why) => belief.uncounted.push(Uncounted {
                statement: signed.statement.digest(),
                by: signed.chain.first().and_then(|one| inspect(one).ok()).map(|c| c.subject.common_name),
                why,
            }),
        }
    }
    let highest = counted.iter().map(|(_, grade)| *grade).max();
    if question.built_in.has(&question.package.sha256()) {
        belief.grade = Grade::Reviewed.max(highest.unwrap_or(Grade::Uncertified));
        let all = Scope::of(need);
        belief.scope = scope.map_or_else(|| all.clone(), |scope| all.intersect(&scope));
        belief.by = Source::BuiltIn;
    } else if let Some(highest) = highest {
        belief.grade = highest;
        belief.scope = scope.unwrap_or_default();
        belief.by = Source::Evaluators(counted);
    }
    belief
}

impl Belief {
    /// The most that access control lets the service ask for: its need, and no more than the scope.
    pub fn most_to_pay(&self, need: &Need) -> Option<Money> {
        least(need.pay, self.scope.pay)
    }
}

impl Question<'_> {
    /// The evaluator, grade and bounds of a statement that counts.
    fn count(&self, signed: &Signed) -> Result<(&TrustedEvaluator, Grade, Scope), NotCounted> {
        let certificate = self.certificate(signed)?;
        let said = verify(signed.statement.clone(), &certificate).map_err(NotCounted::Unreadable)?;
        let grade = said.believed().unwrap_or(Grade::Uncertified);
        if let Some(tie) = tie(&certificate, self.merchant) {
            return Err(NotCounted::NotIndependent(tie));
        }
        let trusted = self.evaluators.iter().find(|one| one.key == certificate.kid());
        let trusted = trusted.ok_or(NotCounted::NotTrusted)?;
        if trusted.expires <= self.now {
            return Err(NotCounted::TrustEnded { on: trusted.expires });
        }
        let service = self.package.service();
        let about = (&said.package_sha256, &said.service, &said.version);
        if about != (&self.package.sha256(), &service.id, &service.version) {
            return Err(NotCounted::OtherPackage);
        }
        if said.issued > self.now.after(SKEW) {
            return Err(NotCounted::NotYet { on: said.issued });
        }
        if said.expires <= self.now {
            return Err(NotCounted::Expired { on: said.expires });
        }
        self.not_withdrawn(&said)?;
        fits(trusted, &said, service)?;
        let mut scope = said.scope.clone();
        if let Some(ceiling) = trusted.ceiling {
            let need = self.package.chart().need.pay;
            if need.is_some_and(|need| need.currency != ceiling.currency) {
                return Err(NotCounted::OtherMoney(ceiling));
            }
            scope.pay = least(scope.pay, Some(ceiling));
        }
        Ok((trusted, grade.min(trusted.most), scope))
    }

    fn certificate(&self, signed: &Signed) -> Result<VerifiedCertificate, NotCounted> {
        self.trust
            .verify(&signed.chain, CertRole::Evaluator, Usage::Sign, self.now)
            .map_err(NotCounted::Certificate)
    }

    /// Whether the newest list of the evaluator is fresh and does not name the statement.
    fn not_withdrawn(&self, said: &ServiceEvaluation) -> Result<(), NotCounted> {
        let lists = self.lists.iter().filter_map(|signed| {
            let list = verify_list(signed.statement.clone(), &self.certificate(signed).ok()?).ok()?;
            (list.signer == said.signer && list.issued <= self.now.after(SKEW)).then_some(list)
        });
        let lists: Vec<Verified<EvaluationRevocations>> = lists.collect();
        // A withdrawal in any list stands: numbers grow and entries stay.
        let entry = lists.iter().flat_map(|list| &list.revoked).find(|entry| entry.serial == said.serial);
        if let Some(entry) = entry {
            return Err(NotCounted::Withdrawn { on: entry.at });
        }
        let newest = lists.iter().max_by_key(|list| list.number).ok_or(NotCounted::NoList)?;
        if self.now > newest.next {
            let days = self.now.since(newest.issued).as_millis() / Span::days(1).as_millis();
            return Err(NotCounted::OldList { days });
        }
        Ok(())
    }
}

/// Whether statement and trust are for this kind of business and its law.
fn fits(trusted: &TrustedEvaluator, said: &ServiceEvaluation, service: &Service) -> Result<(), NotCounted> {
    if !trusted.profiles.is_empty() && !service.profile.iter().all(|one| trusted.profiles.contains(one)) {
        return Err(NotCounted::OtherProfile);
    }
    let any = |list: &[String]| list.iter().any(|one| one == ANY);
    let shared =
        |list: &[String]| any(list) || any(&service.law) || service.law.iter().any(|law| list.contains(law));
    if !shared(&said.jurisdiction) || !(trusted.jurisdictions.is_empty() || shared(&trusted.jurisdictions)) {
        return Err(NotCounted::OtherLaw);
    }
    Ok(())
}
