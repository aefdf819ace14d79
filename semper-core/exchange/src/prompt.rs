//! OFFER and ACCEPT as a person is asked about them.
//!
//! Both commit their signer, so the question shows both packages: what leaves and what comes, who the other
//! side is, who decides if something goes wrong, and until when it is settled. Whatever the statement and
//! what was verified before disagree about makes the question impossible; there is no signing of something
//! that cannot be told.

use semper_supporting::{
    crypto::digest::Digest,
    deal::{Anonymity, DealContext},
    evidence::Verified,
    money::Money,
    party::{PartyView, Role},
    time::Moment,
    tinguin::{
        Confirmable, Critical, FactKey, FactValue, Facts, PartyName, Provenance, Quote, Untrusted,
        facts::{ChoiceKey, FactError, FileFact, Means, SafeName},
    },
};
use semper_transfer::{
    description::{Description, PaymentDescription, Semantics},
    item::SysId,
    package::Package,
    property::{Class, Reliance, Side},
};

use crate::{
    deadlines::{LEAST_MARGIN, Timer},
    message::{Accept, Common, Proposal},
    select::Level,
};

/// What is known of an exchange before its signer is asked, each part as it was verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct About {
    /// The deal, which names both parties.
    pub deal: DealContext,
    /// Who certified the other party's name, as its chain showed.
    pub certifier: Option<String>,
    /// The third party of the deal.
    pub third_party: ThirdPartyName,
    /// What this side agreed to pay, or to be paid; nothing if no money moves.
    pub price: Option<Money>,
    /// The purse that pays, at the side that pays.
    pub purse: Option<PurseFacts>,
}

/// A third party as its verified certificate names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ThirdPartyName {
    /// SHA-256 of the certificate's DER.
    pub certificate: Digest,
    /// The name in it.
    pub name: String,
}

/// The purse that pays, as it is stored now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PurseFacts {
    /// Its payment system.
    pub system: SysId,
    /// The user's own name for it.
    pub name: String,
    /// What is in it and not set aside.
    pub available: Money,
}

/// What ACCEPT is asked about in: the OFFER it answers, and what is known besides.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AcceptContext {
    /// OFFER, verified under the other party's certificate and checked against the negotiation.
    pub offer: Verified<Proposal>,
    /// What is known besides.
    pub about: About,
}

/// The most files whose titles one fact tells.
const MOST_TITLES: usize = semper_supporting::tinguin::text::PARAGRAPH_LIMIT;

impl Confirmable for Accept {
    const FAMILY: Critical = Critical::Exchange;
    type Context = AcceptContext;

    fn facts(&self, context: &AcceptContext) -> Result<Facts, FactError> {
        let AcceptContext { offer, about } = context;
        let (ours, theirs, agr) = (&self.common, &offer.common, Some(offer.digest()));
        let answers = self.accept
            && (ours.xid, ours.deal) == (theirs.xid, theirs.deal)
            && (ours.cert_o, ours.cert_r, ours.cert_t) == (theirs.cert_o, theirs.cert_r, theirs.cert_t)
            && (ours.agr, ours.prev) == (agr, agr)
            && (ours.from, ours.to) == (Role::Responder, Role::Originator)
            && (theirs.from, theirs.to) == (Role::Originator, Role::Responder)
            && offer.signer() == about.deal.peer.kid();
        agree(answers)?;
        let peer = about.peer()?;
        let told = Told {
            offer,
            side: Side::Responder,
            at: ours.at,
            says: Provenance::signed(offer, peer.clone()),
            peer,
            document: ChoiceKey::of("document-accept"),
            binds: ChoiceKey::of("binds-accept"),
        };
        about.check(ours, ours.cert_r, ours.cert_o, offer)?;
        told.facts(about)
    }
}

impl Confirmable for Proposal {
    const FAMILY: Critical = Critical::Exchange;
    type Context = About;

    fn facts(&self, about: &About) -> Result<Facts, FactError> {
        let common = &self.common;
        agree((common.from, common.to) == (Role::Originator, Role::Responder) && common.xid.is_some())?;
        about.check(common, common.cert_o, common.cert_r, self)?;
        Told {
            offer: self,
            side: Side::Originator,
            at: common.at,
            says: Provenance::checked(ChoiceKey::of("check-agreed")),
            peer: about.peer()?,
            document: ChoiceKey::of("document-offer"),
            binds: ChoiceKey::of("binds-offer"),
        }
        .facts(about)
    }
}

fn agree(agrees: bool) -> Result<(), FactError> {
    if agrees { Ok(()) } else { Err(FactError::Mismatch) }
}

fn certificate(view: &PartyView) -> Option<Digest> {
    match view {
        PartyView::Identified { certificate, .. } | PartyView::Pseudonymous { certificate, .. } => {
            Some(*certificate)
        }
        PartyView::Anonymous { .. } => None,
    }
}

impl About {
    /// The other party's name. Nobody is asked to exchange anything with somebody who has none.
    fn peer(&self) -> Result<PartyName, FactError> {
        match &self.deal.peer {
            PartyView::Identified { name, .. } => Ok(Untrusted::new(name.as_str()).name()?),
            PartyView::Pseudonymous { .. } | PartyView::Anonymous { .. } => {
                Err(FactError::Missing(FactKey::Counterparty))
            }
        }
    }

    /// Holds the statement against the deal: its name, both parties, the third party, the currency.
    fn check(&self, common: &Common, mine: Digest, peers: Digest, offer: &Proposal) -> Result<(), FactError> {
        let Self { deal, third_party, .. } = self;
        let same = |view: &PartyView, named: Digest| certificate(view).is_none_or(|own| own == named);
        agree(
            common.deal == deal.id
                && common.signer == deal.me.kid()
                && same(&deal.me, mine)
                && same(&deal.peer, peers)
                && common.cert_t == Some(third_party.certificate)
                && deal.attributes.third_party == Some(third_party.certificate)
                && offer.ttp_name == third_party.name
                && offer.terms.is_some() == deal.terms.is_some()
                && self.price.is_none_or(|price| deal.attributes.currency.contains(&price.currency)),
        )
    }

    /// Who says that the name is the other party's.
    fn certified(&self) -> Result<Provenance, FactError> {
        Ok(match &self.certifier {
            Some(name) => Provenance::certified(Untrusted::new(name.as_str()).name()?),
            None => Provenance::checked(ChoiceKey::of("check-certificate")),
        })
    }
}

/// An OFFER as one of its sides is asked about it.
struct Told<'a> {
    offer: &'a Proposal,
    side: Side,
    at: Moment,
    says: Provenance,
    peer: PartyName,
    document: ChoiceKey,
    binds: ChoiceKey,
}

impl Told<'_> {
    fn facts(&self, about: &About) -> Result<Facts, FactError> {
        let offer = self.offer;
        let (gives, gets) = match self.side {
            Side::Originator => (&offer.give_o, &offer.give_r),
            Side::Responder => (&offer.give_r, &offer.give_o),
        };
        let (paid, got) = (payments(gives), payments(gets));
        let moved = sum(&paid)?.or(sum(&got)?);
        agree(moved == about.price)?;
        let check = |name| Provenance::checked(ChoiceKey::of(name));
        let mut facts = self.amounts(&paid, about)?;
        facts = facts
            .critical(FactKey::Gives, told(gives, FactKey::Gives)?, self.says.clone())
            .critical(FactKey::InReturn, told(gets, FactKey::InReturn)?, self.says.clone())
            .critical(FactKey::Counterparty, FactValue::Party(self.peer.clone()), about.certified()?);
        facts = self.purse(facts, gives, about)?;
        let third = Untrusted::new(offer.ttp_name.as_str()).name()?;
        facts = facts
            .critical(FactKey::ThirdParty, FactValue::Party(third), check("check-third-party"))
            .critical(FactKey::Deadline, FactValue::Date(self.settled()), check("check-deadlines"))
            .critical(FactKey::Protocol, FactValue::Choice(level(offer.level)), check("check-selection"));
        self.details(facts, &paid, gets, about)
    }

    /// The latest moment for which what is relied on was checked to last.
    fn settled(&self) -> Moment {
        self.at.after(self.offer.deadlines().of(Timer::Close)).after(LEAST_MARGIN)
    }

    /// What leaves, and with it the friction of the question.
    fn amounts(&self, paid: &[&PaymentDescription], about: &About) -> Result<Facts, FactError> {
        let Some(amount) = sum(paid)? else { return Ok(Facts::new()) };
        let mut facts = Facts::new().critical(FactKey::Amount, FactValue::Money(amount), self.says.clone());
        let fees = fees(paid)?;
        let total = fees.map_or(Ok(amount), |fee| amount.checked_add(fee)).map_err(|_| FactError::Sum)?;
        if let Some(fee) = fees {
            facts = facts.critical(FactKey::Fee, FactValue::Money(fee), self.says.clone()).critical(
                FactKey::Total,
                FactValue::Money(total),
                Provenance::checked(ChoiceKey::of("check-sum")),
            );
        }
        match about.deal.ceiling {
            Some(ceiling) if ceiling.currency != total.currency => Err(FactError::Sum),
            Some(ceiling) if ceiling < total => Err(FactError::Mismatch),
            Some(_) | None => Ok(facts),
        }
    }

    /// From which purse, what is left in it, and until when the payment can be taken back.
    fn purse(&self, facts: Facts, gives: &Package, about: &About) -> Result<Facts, FactError> {
        let paid = &payments(gives);
        let (Some(amount), Some(purse)) = (sum(paid)?, &about.purse) else {
            return if paid.is_empty() { Ok(facts) } else { Err(FactError::Missing(FactKey::Means)) };
        };
        agree(paid.iter().all(|leaf| leaf.module.as_ref().is_none_or(|system| *system == purse.system)))?;
        let taken = fees(paid)?.map_or(Ok(amount), |fee| amount.checked_add(fee));
        let left = taken.and_then(|taken| purse.available.checked_sub(taken)).map_err(|_| FactError::Sum)?;
        let system = ChoiceKey::new(format!("means-{}", purse.system));
        let means = Means {
            system: system.map_err(|_| FactError::Missing(FactKey::Means))?,
            purse: Untrusted::new(purse.name.as_str()).quote(Quote::Line)?,
        };
        let balance = Provenance::checked(ChoiceKey::of("check-balance"));
        let undo = Provenance::checked(ChoiceKey::of("check-undo"));
        Ok(facts
            .critical(FactKey::Means, FactValue::Means(means), Provenance::entered())
            .critical(FactKey::BalanceAfter, FactValue::Money(left), balance)
            .critical(FactKey::Finality, self.finality(gives), undo))
    }

    /// The earliest end of the third party's right to take any of the payments back.
    fn finality(&self, gives: &Package) -> FactValue {
        let relied = self.offer.prop.of(self.side);
        let mut until = None;
        for (path, _) in gives.leaves().filter(|(_, leaf)| matches!(leaf, Description::Payment(_))) {
            match relied.get(path) {
                Some(Reliance { class: Class::Backward, until: end, .. }) => {
                    until = until.into_iter().chain(*end).min();
                }
                Some(_) | None => return FactValue::Choice(ChoiceKey::of("finality-never")),
            }
        }
        until.map_or(FactValue::Choice(ChoiceKey::of("finality-always")), FactValue::Date)
    }

    fn details(
        &self,
        facts: Facts,
        paid: &[&PaymentDescription],
        gets: &Package,
        about: &About,
    ) -> Result<Facts, FactError> {
        let says = || self.says.clone();
        let here = |name| Provenance::checked(ChoiceKey::of(name));
        let mut facts = facts
            .detail(FactKey::Document, FactValue::Choice(self.document.clone()), here("check-statement"))
            .detail(FactKey::Binds, FactValue::Choice(self.binds.clone()), here("check-statement"));
        if let PartyView::Identified { name, .. } = &about.deal.me {
            let name = Untrusted::new(name.as_str()).name()?;
            facts = facts.detail(FactKey::SignedAs, FactValue::Party(name), here("check-own-certificate"));
        }
        let learns = FactValue::Choice(anonymity(about.deal.attributes.anonymity_peer));
        facts = facts.detail(FactKey::Anonymity, learns, here("check-attributes"));
        if let [only] = paid {
            if let Some(payee) = &only.payee {
                let account = Untrusted::new(payee.as_str()).quote(Quote::Line)?;
                facts = facts.detail(FactKey::Payee, FactValue::Text(account), says());
            }
            if let Some(reference) = only.reference {
                let reference = Digest::from_bytes(*reference.as_bytes());
                facts = facts.detail(FactKey::Reference, FactValue::Digest(reference), says());
            }
        }
        let mut leaves = gets.leaves().map(|(_, description)| description);
        if let (Some(Description::Data(data)), None) = (leaves.next(), leaves.next()) {
            facts = facts.detail(FactKey::Fingerprint, FactValue::Digest(data.plain), says());
            if let Some(file) = file(&data.title, &data.media, data.length) {
                facts = facts.detail(FactKey::File, FactValue::File(file), says());
            }
        }
        Ok(match self.offer.terms {
            Some(terms) => facts.detail(FactKey::Terms, FactValue::Digest(terms), says()),
            None => facts,
        })
    }
}

/// What a package holds, as one fact: a sum, the titles of up to three files, a statement by what it is for,
/// or a credential by its type. A sum beside one of these is told by its own fact.
fn told(package: &Package, key: FactKey) -> Result<FactValue, FactError> {
    let untold = Err(FactError::Missing(key));
    let paid = payments(package);
    let rest: Vec<&Description> = package
        .leaves()
        .map(|(_, description)| description)
        .filter(|description| !matches!(description, Description::Payment(_)))
        .collect();
    // What comes beside a sum would hide the sum, for which there is no other fact.
    if !paid.is_empty() && !rest.is_empty() && key == FactKey::InReturn {
        return untold;
    }
    match rest.as_slice() {
        [] => sum(&paid)?.map_or(untold, |sum| Ok(FactValue::Money(sum))),
        [Description::Statement(statement)] => Ok(FactValue::Choice(semantics(statement.semantics))),
        [Description::Credential(credential)] => {
            Ok(FactValue::Text(Untrusted::new(credential.kind.as_str()).quote(Quote::Item)?))
        }
        files if files.len() <= MOST_TITLES => {
            let mut titles = Vec::new();
            for description in files {
                let Description::Data(data) = description else { return untold };
                Untrusted::new(data.title.as_str()).quote(Quote::Item)?;
                titles.push(data.title.as_str());
            }
            let quote = if titles.len() == 1 { Quote::Item } else { Quote::Paragraphs };
            Ok(FactValue::Text(Untrusted::new(titles.join("\n")).quote(quote)?))
        }
        _ => untold,
    }
}

fn payments(package: &Package) -> Vec<&PaymentDescription> {
    let leaves = package.leaves();
    leaves
        .filter_map(|(_, description)| match description {
            Description::Payment(payment) => Some(payment),
            Description::Credential(_) | Description::Data(_) | Description::Statement(_) => None,
        })
        .collect()
}

fn sum(payments: &[&PaymentDescription]) -> Result<Option<Money>, FactError> {
    added(payments.iter().map(|payment| payment.amount))
}

fn fees(payments: &[&PaymentDescription]) -> Result<Option<Money>, FactError> {
    added(payments.iter().filter_map(|payment| payment.fees))
}

fn added(mut sums: impl Iterator<Item = Money>) -> Result<Option<Money>, FactError> {
    let Some(first) = sums.next() else { return Ok(None) };
    sums.try_fold(first, Money::checked_add).map(Some).map_err(|_| FactError::Sum)
}

/// The file, where its title is a safe name for it.
fn file(title: &str, media: &str, size: u64) -> Option<FileFact> {
    let media = match media {
        "application/pdf" => ChoiceKey::of("media-pdf"),
        "application/epub+zip" => ChoiceKey::of("media-epub"),
        "application/zip" => ChoiceKey::of("media-zip"),
        "text/plain" => ChoiceKey::of("media-text"),
        "image/png" | "image/jpeg" => ChoiceKey::of("media-picture"),
        _ => ChoiceKey::of("media-other"),
    };
    Some(FileFact { name: SafeName::new(title).ok()?, size, media })
}

fn level(level: Level) -> ChoiceKey {
    match level {
        Level::None => ChoiceKey::of("exchange-level-s0"),
        Level::Weak => ChoiceKey::of("exchange-level-s1"),
        Level::Timed => ChoiceKey::of("exchange-level-s2"),
        Level::Strong => ChoiceKey::of("exchange-level-s3"),
    }
}

fn semantics(semantics: Semantics) -> ChoiceKey {
    match semantics {
        Semantics::Acknowledgement => ChoiceKey::of("item-acknowledgement"),
        Semantics::Certificate => ChoiceKey::of("item-certificate"),
        Semantics::Contract => ChoiceKey::of("item-contract"),
        Semantics::Offer => ChoiceKey::of("item-offer"),
        Semantics::Order => ChoiceKey::of("item-order"),
        Semantics::Other => ChoiceKey::of("item-other"),
        Semantics::Receipt => ChoiceKey::of("item-receipt"),
    }
}

/// The word for what the other side learns about this one.
pub fn anonymity(anonymity: Anonymity) -> ChoiceKey {
    match anonymity {
        Anonymity::Identified => ChoiceKey::of("anonymity-identified"),
        Anonymity::Pseudonymous => ChoiceKey::of("anonymity-pseudonymous"),
        Anonymity::Anonymous => ChoiceKey::of("anonymity-anonymous"),
    }
}
