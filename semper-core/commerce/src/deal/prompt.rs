//! The opening of a deal as a person is asked about it: with whom, how much may leave, who decides, what the
//! other side learns, and for how long.
//!
//! Nothing is owed by an open deal. What it fixes is what all later questions in it are held against.

use semper_exchange::prompt::{ThirdPartyName, anonymity};
use semper_supporting::{
    deal::EvidenceLevel,
    evidence::Verified,
    tinguin::{
        Confirmable, Critical, FactKey, FactValue, Facts, Provenance, Quote, Untrusted,
        facts::{ChoiceKey, FactError},
    },
};

use super::{
    opening::Party,
    statement::{DealAccept, DealOpen, DealPropose},
};

/// What `deal-open` is asked about in, each part as it was verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DealOpenContext {
    /// What this side proposed.
    pub propose: Verified<DealPropose>,
    /// What the other side chose.
    pub accept: Verified<DealAccept>,
    /// This party.
    pub me: Party,
    /// The other party.
    pub peer: Party,
    /// Who certified the other party's name, as its chain showed.
    pub certifier: Option<String>,
    /// The third party of the deal, if it has one.
    pub third_party: Option<ThirdPartyName>,
}

impl Confirmable for DealOpen {
    const FAMILY: Critical = Critical::Sign;
    type Context = DealOpenContext;

    fn facts(&self, context: &DealOpenContext) -> Result<Facts, FactError> {
        self.agrees(context)?;
        let DealOpenContext { propose, accept, me, peer, certifier, third_party } = context;
        let word = |key| FactValue::Choice(ChoiceKey::of(key));
        let here = |key| Provenance::checked(ChoiceKey::of(key));
        let name = |text: &str| Untrusted::new(text).name();
        let peer = name(peer.name.as_deref().ok_or(FactError::Missing(FactKey::Counterparty))?)?;
        let certified = match certifier {
            Some(certifier) => Provenance::certified(name(certifier)?),
            None => here("check-certificate"),
        };
        let signed_as = match &me.name {
            Some(own) => FactValue::Party(name(own)?),
            None => word("signed-as-nobody"),
        };
        let ceiling = propose.ceiling.map_or(word("ceiling-none"), FactValue::Money);
        let third = match third_party {
            Some(third) => FactValue::Party(name(&third.name)?),
            None => word("third-party-none"),
        };
        let attributes = &accept.chosen.attributes;
        let chosen = || Provenance::signed(accept, peer.clone());
        let mut facts = Facts::new()
            .critical(FactKey::Document, word("document-deal-open"), here("check-statement"))
            .critical(FactKey::Counterparty, FactValue::Party(peer.clone()), certified)
            .critical(FactKey::InAll, ceiling, Provenance::entered())
            .critical(FactKey::ThirdParty, third, here("check-third-party"))
            .critical(
                FactKey::Anonymity,
                FactValue::Choice(anonymity(attributes.anonymity_peer)),
                here("check-attributes"),
            )
            .critical(FactKey::Until, FactValue::Date(accept.expires), chosen())
            .critical(FactKey::SignedAs, signed_as, here("check-own-certificate"))
            .critical(FactKey::Binds, word("binds-deal-open"), here("check-statement"))
            .detail(FactKey::Evidence, word(evidence(attributes.evidence)), here("check-attributes"));
        if let Some(invite) = &propose.invite {
            let words = Untrusted::new(invite.as_str()).quote(Quote::Line)?;
            facts =
                facts.detail(FactKey::Reference, FactValue::Text(words), Provenance::claimed(peer.clone()));
        }
        Ok(match self.lines.terms_sha256 {
            Some(terms) => facts.detail(FactKey::Terms, FactValue::Digest(terms), chosen()),
            None => facts,
        })
    }
}

impl DealOpen {
    /// Holds what would be signed against what was proposed and chosen.
    fn agrees(&self, context: &DealOpenContext) -> Result<(), FactError> {
        let DealOpenContext { propose, accept, me, peer, third_party, .. } = context;
        let chosen = accept.chosen.third_party.map(|one| one.certificate);
        let fits = self.accept == accept.digest()
            && accept.propose == propose.digest()
            && (self.lines.signer, self.lines.cert) == (me.key.kid(), me.certificate)
            && (accept.signer(), accept.lines.cert) == (peer.key.kid(), peer.certificate)
            && propose.signer() == me.key.kid()
            && self.lines.deal.is_some()
            && self.lines.deal == accept.lines.deal
            && self.lines.terms_sha256 == propose.lines.terms_sha256
            && accept.lines.terms_sha256 == propose.lines.terms_sha256
            && accept.ceiling == propose.ceiling
            && chosen == accept.chosen.attributes.third_party
            && chosen == third_party.as_ref().map(|third| third.certificate)
            && self.lines.at < accept.expires;
        if fits && propose.attribute.admit(&accept.chosen).is_ok() {
            Ok(())
        } else {
            Err(FactError::Mismatch)
        }
    }
}

fn evidence(level: EvidenceLevel) -> &'static str {
    match level {
        EvidenceLevel::None => "proved-none",
        EvidenceLevel::Origin => "proved-origin",
        EvidenceLevel::Full => "proved-full",
        EvidenceLevel::Notarised => "proved-notarised",
    }
}
