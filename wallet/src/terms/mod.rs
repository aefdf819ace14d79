//! The terms of business of shops: fetched, checked, believed as far as somebody trusted says, and remembered.
//!
//! ```text
//! shop ─ offered, file ─► package ─ hash, signature, certificate ─► checks ─► belief ─► pins: what is to be done
//!                                              evaluators: lists of withdrawn evaluations ─┘
//! ```
//!
//! Nothing is accepted here: the owner does that in a prompt. Looking leaves the shop's signed statement in the archive,
//! which binds the shop and is nothing the owner knows of. Evaluators are called only if the owner trusts them and they
//! signed the address themselves, so that a shop cannot make a wallet call anybody.

mod cli;
pub mod evaluators;
mod fault;
pub mod pins;
mod shown;

use std::collections::{BTreeMap, BTreeSet};

use semper_commerce::{
    download::{
        Package, Pin, ServiceFault, ServiceTerms,
        evaluation::{EvaluationSerial, verify, verify_list},
        package::Signed,
        pin::{Held, Offer, Response, respond},
        report,
        shipped::BuiltIn,
        terms_statement,
        trust::{Belief, Question, TrustedEvaluator, believe},
    },
    service::check::Report,
};
use semper_host::{chance, papers::Papers};
use semper_supporting::{
    archive::Store,
    certificate::{CertRole, TrustSnapshot, Usage, VerifiedCertificate},
    comm::address::{Endpoint, Surroundings},
    crypto::{digest::Digest, signature::Kid},
    evidence::Verified,
    time::Moment,
};
use semper_trade::calls::{
    Caller,
    terms::{TermsCall, withdrawn},
};
use semper_transfer::catalogue::Offered;

pub use self::{
    cli::{TermsCommand, TrustCommand},
    fault::TermsFault,
};

/// Who keeps a shop, by its certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shop {
    /// Its name.
    pub name: String,
    /// Its organisation.
    pub organisation: Option<String>,
    /// Its key.
    pub key: Kid,
}

/// A service of a shop, as far as everything about it was checked.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Who offers it.
    pub shop: Shop,
    /// What it is called.
    pub title: String,
    /// The shop's pin: id, version, package, statement, and whether the owner accepted it.
    pub pin: Pin,
    /// Until when it is offered.
    pub until: Moment,
    /// How far it is believed, on whose word, and which words do not count.
    pub belief: Belief,
    /// What the checks found.
    pub report: Report,
    /// What is to be done with it, given what was accepted before.
    pub response: Response,
}

/// A service that a shop says it offers.
#[derive(Debug)]
pub struct Looked {
    /// What the shop says.
    pub offered: Offered,
    /// What it is, or why it is none.
    pub seen: Result<Seen, ServiceFault>,
}

/// What is held of terms of business against everything that comes.
struct Judge<'a, S> {
    store: &'a S,
    trust: TrustSnapshot,
    evaluators: Vec<TrustedEvaluator>,
    built_in: BuiltIn,
    lists: Vec<Signed>,
    languages: &'a [String],
    now: Moment,
}

/// A package whose shop has signed for it.
struct Bound {
    package: Package,
    merchant: VerifiedCertificate,
    terms: Verified<ServiceTerms>,
}

/// Looks at the services of the shop at `at`. `languages` are those the owner reads.
///
/// # Errors
/// [`TermsFault`] if the shop cannot be asked; what is wrong with one service stands with that service.
pub async fn look<S: Store>(
    store: &S,
    caller: &Caller,
    at: &Endpoint,
    surroundings: Surroundings,
    languages: &[String],
) -> Result<(Shop, Vec<Looked>), TermsFault> {
    let mut call = TermsCall::to(caller, at).await?;
    let keeper = call.keeper().clone();
    let mut judge = Judge::new(store, caller.trust().snapshot().as_ref().clone(), languages).await?;
    let mut all = Vec::new();
    for offered in call.offered().await? {
        let file = call.file(&offered).await?;
        let seen = match judge.bound(&file, Some((&offered, &keeper))) {
            Ok(bound) => {
                judge.ask_evaluators(&bound.package, caller, surroundings).await?;
                judge.see(bound, &file).await?
            }
            Err(fault) => Err(fault),
        };
        if let Err(fault) = &seen {
            tracing::info!(package = %offered.package, %fault, "terms are refused");
        }
        all.push(Looked { offered, seen });
    }
    Ok((Shop::of(&keeper), all))
}

/// The services that were seen before, as far as they are believed now; nobody is called.
///
/// # Errors
/// [`TermsFault`].
pub async fn known<S: Store>(store: &S, languages: &[String]) -> Result<Vec<Seen>, TermsFault> {
    let trust = Papers::load(store).await?.snapshot();
    let judge = Judge::new(store, trust, languages).await?;
    let mut all = Vec::new();
    for kept in pins::all(store).await? {
        // What is not signed any more, since a certificate has ended or was revoked, is not listed.
        let Ok(bound) = judge.bound(&kept.file, None) else { continue };
        if let Ok(mut seen) = judge.judged(bound).await? {
            seen.pin = kept.pin;
            all.push(seen);
        }
    }
    Ok(all)
}

impl<'a, S: Store> Judge<'a, S> {
    async fn new(store: &'a S, trust: TrustSnapshot, languages: &'a [String]) -> Result<Self, TermsFault> {
        Ok(Self {
            store,
            trust,
            evaluators: evaluators::trusted(store).await?,
            built_in: BuiltIn::new()?,
            lists: evaluators::lists(store).await?,
            languages,
            now: chance::now().whole_seconds(),
        })
    }

    /// The package in `file`, if a shop has signed for it; where it was fetched, the one that answered, and now.
    fn bound(
        &self,
        file: &[u8],
        from: Option<(&Offered, &VerifiedCertificate)>,
    ) -> Result<Bound, ServiceFault> {
        let package = Package::read(file)?;
        let wrong = |reason: &str| ServiceFault::BadStatement { reason: reason.to_owned() };
        let signed = package.terms_signed().ok_or_else(|| wrong("the shop has not signed it"))?;
        let merchant = self.trust.verify(&signed.chain, CertRole::Merchant, Usage::Sign, self.now)?;
        let terms = terms_statement::verify(signed.statement.clone(), &merchant)?;
        terms.is_about(&package)?;
        if let Some((offered, keeper)) = from {
            if merchant.kid() != keeper.kid() {
                return Err(wrong("another shop has signed it than the one that answers"));
            }
            if offered.package != package.sha256() {
                return Err(ServiceFault::OtherTerms { signed: offered.package, found: package.sha256() });
            }
            terms.is_offered(self.now)?;
        }
        Ok(Bound { package, merchant, terms })
    }

    /// Fetches the lists of those trusted evaluators who have said something about `package`.
    async fn ask_evaluators(
        &mut self,
        package: &Package,
        caller: &Caller,
        surroundings: Surroundings,
    ) -> Result<(), TermsFault> {
        let mut places: BTreeMap<Kid, Endpoint> = BTreeMap::new();
        for signed in package.evaluations() {
            let certificate = self.trust.verify(&signed.chain, CertRole::Evaluator, Usage::Sign, self.now);
            let Ok(certificate) = certificate else { continue };
            let Ok(said) = verify(signed.statement.clone(), &certificate) else { continue };
            let is_trusted = self.evaluators.iter().any(|one| one.key == certificate.kid());
            if let (true, Ok(at)) = (is_trusted, Endpoint::parse(&said.list, surroundings)) {
                places.insert(certificate.kid(), at);
            }
        }
        for (key, at) in places {
            match withdrawn(caller, &at, key).await {
                Ok(list) => {
                    evaluators::keep_list(self.store, key, &list, &self.trust, self.now).await?;
                }
                // What is held counts for as long as it says; after that the evaluation does not.
                Err(fault) => tracing::warn!(%at, %fault, "an evaluator does not hand out its list"),
            }
        }
        self.lists = evaluators::lists(self.store).await?;
        Ok(())
    }

    /// Judges what was fetched, and keeps it.
    async fn see(&self, bound: Bound, file: &[u8]) -> Result<Result<Seen, ServiceFault>, TermsFault> {
        let certificate = bound.merchant.digest();
        let seen = match self.judged(bound).await? {
            Ok(seen) => seen,
            Err(fault) => return Ok(Err(fault)),
        };
        pins::keep(self.store, &seen.pin, certificate, file).await?;
        Ok(Ok(seen))
    }

    async fn judged(&self, bound: Bound) -> Result<Result<Seen, ServiceFault>, TermsFault> {
        let Bound { package, merchant, terms } = bound;
        let belief = believe(&Question {
            package: &package,
            merchant: &merchant,
            statements: package.evaluations(),
            lists: &self.lists,
            trust: &self.trust,
            evaluators: &self.evaluators,
            built_in: &self.built_in,
            now: self.now,
        });
        let offer = Offer { package: &package, terms: &terms, grade: belief.grade, formerly: &[] };
        let kept = pins::of(self.store, merchant.kid(), &terms.service).await?;
        let revoked = self.revoked();
        let mut packages = Vec::new();
        for one in kept {
            packages.push((one.pin, Package::read(&one.file)?));
        }
        let held: Vec<Held<'_>> = packages
            .iter()
            .map(|(pin, package)| Held { pin, package, withdrawn: is_withdrawn(package, &revoked) })
            .collect();
        let response = match respond(&held, &offer) {
            Ok(response) => response,
            Err(fault) => return Ok(Err(fault)),
        };
        let before = packages.iter().map(|(pin, _)| pin).find(|pin| {
            (pin.shop, &pin.version, pin.package_sha256) == (merchant.kid(), &terms.version, package.sha256())
        });
        let pin = before.cloned().unwrap_or_else(|| Pin::of(&offer, self.now));
        Ok(Ok(Seen {
            shop: Shop::of(&merchant),
            title: package.service().title.clone(),
            pin,
            until: terms.offered_until,
            report: report(&package, self.languages),
            belief,
            response,
        }))
    }

    /// Everything that evaluators have withdrawn, as the lists here say.
    fn revoked(&self) -> BTreeSet<(Kid, EvaluationSerial)> {
        let said = self.lists.iter().filter_map(|signed| {
            let certificate = self.trust.verify(&signed.chain, CertRole::Evaluator, Usage::Sign, self.now);
            verify_list(signed.statement.clone(), &certificate.ok()?).ok()
        });
        said.flat_map(|list| list.revoked.iter().map(|one| (list.signer(), one.serial)).collect::<Vec<_>>())
            .collect()
    }
}

/// Whether an evaluation in `package` is among those that were withdrawn.
fn is_withdrawn(package: &Package, revoked: &BTreeSet<(Kid, EvaluationSerial)>) -> bool {
    package.evaluations().iter().any(|signed| {
        let said = semper_supporting::evidence::statement::from_bytes::<
            semper_commerce::download::ServiceEvaluation,
        >(&signed.statement.tbs);
        said.is_ok_and(|said| revoked.contains(&(said.signer, said.serial)))
    })
}

impl Shop {
    fn of(certificate: &VerifiedCertificate) -> Self {
        let subject = certificate.subject();
        Self {
            name: subject.common_name.clone(),
            organisation: subject.organisation.clone(),
            key: certificate.kid(),
        }
    }
}

impl Seen {
    /// Its package.
    pub fn package(&self) -> Digest {
        self.pin.package_sha256
    }

    /// Why it is not used, whoever believes it: the checks, or what was accepted before. The dotted code, and the fault
    /// where there is one.
    pub fn refusal(&self) -> Option<(&'static str, Option<ServiceFault>)> {
        use semper_supporting::fault::Fault as _;
        match self.response.fault() {
            Some(fault) => Some((fault.code(), Some(fault))),
            None if !self.report.is_acceptable() => Some(("tob.refused", None)),
            None => None,
        }
    }
}
