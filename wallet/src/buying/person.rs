//! The person in a sale: asked through the gate about what commits, with the facts of the sale's own documents.

use semper_comm_tls::Trust;
use semper_commerce::{deal::DealOpen, sale::SaleQuestion};
use semper_engine::{Key, stored};
use semper_exchange::message::{Accept, Draft, Proposal};
use semper_supporting::{
    access::Covering,
    certificate::Usage,
    crypto::keys::KeyRef,
    deal::DealContext,
    evidence::{Signable, SignedBytes},
    tinguin::{Ask, Grants, risk::Circumstances},
};
use semper_trade::sale::{Asked, Trader, User};

use crate::{
    account::purses,
    consent::{Consent, ConsentFault},
};

/// Asks the owner of the wallet about sales.
#[derive(Clone)]
pub struct Person {
    consent: Consent,
    trust: Trust,
}

impl Person {
    /// The person who gives `consent`, and whose certificates of others count by `trust`.
    pub const fn new(consent: Consent, trust: Trust) -> Self {
        Self { consent, trust }
    }

    /// The question about `draft`, from the state of its sale; who certified the other side is said with it.
    async fn question(&self, trader: &Trader, draft: &Draft) -> Result<Option<SaleQuestion>, ConsentFault> {
        let purses = purses(self.consent.wallet().archive.as_ref()).await?;
        let Some(question) = trader.question(draft, &purses) else { return Ok(None) };
        let trusted = self.trust.snapshot();
        let verified = trusted.verify_any(&trader.peer_chain(), Usage::Sign, self.consent.now());
        let certifier = verified.ok().and_then(|certificate| certificate.issuer_name(&trusted));
        Ok(Some(match certifier {
            Some(name) => question.certified_by(name),
            None => question,
        }))
    }

    async fn confirmed(
        &self,
        key: &Key,
        draft: &Draft,
        context: Option<&DealContext>,
    ) -> Result<Asked, ConsentFault> {
        let trader: Option<Trader> = match stored(self.consent.wallet().archive.as_ref(), key).await {
            Ok(trader) => trader,
            Err(error) => return Ok(Asked::Nobody(error.to_string())),
        };
        let Some(trader) = trader else { return Ok(Asked::Declined) };
        let Some(question) = self.question(&trader, draft).await? else {
            tracing::warn!("a draft is declined that the sale does not ask about any more");
            return Ok(Asked::Declined);
        };
        let kind = question.kind();
        let ask = Ask {
            parts: vec![question.part(self.consent.words())?],
            deal: context.map(|context| context.id),
            revision: 0,
            peer: trader.peer().map(|peer| peer.key.kid()),
            deadline: None,
            circumstances: Circumstances::default(),
            warnings: Vec::new(),
        };
        let mut grants = self.consent.ask(ask).await?;
        let covering = Covering::of(grants.record()).map(Box::new);
        let signed = match kind {
            <DealOpen as semper_supporting::evidence::Statement>::TYPE => {
                self.sign::<DealOpen>(&mut grants, draft)?
            }
            <Accept as semper_supporting::evidence::Statement>::TYPE => {
                self.sign::<Accept>(&mut grants, draft)?
            }
            _ => self.sign::<Proposal>(&mut grants, draft)?,
        };
        // A statement is written in one way only, so these are the bytes of the draft.
        if signed.tbs == draft.tbs() { Ok(Asked::Signed(signed, covering)) } else { Ok(Asked::Declined) }
    }

    fn sign<T: Signable>(&self, grants: &mut Grants, draft: &Draft) -> Result<SignedBytes, ConsentFault> {
        let permit = grants.take::<T>().ok_or(ConsentFault::Lost)?;
        let keys = &self.consent.wallet().keys;
        Ok(keys.sign(&KeyRef::of(draft.signer()), permit, self.consent.now())?.bytes().clone())
    }
}

impl User for Person {
    async fn ask(&self, key: &Key, draft: &Draft, context: Option<&DealContext>) -> Asked {
        match self.confirmed(key, draft, context).await {
            Ok(asked) => asked,
            Err(fault) => match fault {
                ConsentFault::Declined(_) | ConsentFault::Denied(_) | ConsentFault::Expired => {
                    tracing::info!(code = fault.code(), "the person does not agree");
                    Asked::Declined
                }
                ConsentFault::Gate(_) | ConsentFault::Statement(_) => {
                    // What cannot be shown is not asked, and not signed.
                    tracing::warn!(code = fault.code(), "a question cannot be shown: {fault}");
                    Asked::Declined
                }
                fault => Asked::Nobody(fault.to_string()),
            },
        }
    }
}
