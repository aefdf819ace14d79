//! What the buyer is asked: whether the deal is opened, and whether the exchange is agreed to.

use semper_exchange::{
    message::{Accept, Draft},
    prompt::{About, AcceptContext},
};
use semper_transfer::payment::Purse;

use super::{Buyer, Stage};
use crate::{
    deal::{DealAccept, DealOpen, DealOpenContext, Intent},
    sale::{
        line::verified,
        question::{SaleQuestion, facts_of, third_party},
    },
};

impl Buyer {
    /// The question behind a draft that this buyer ordered to be asked about; nothing for any other draft.
    /// `purses` are the user's, as they are stored now.
    pub fn question(&self, draft: &Draft, purses: &[Purse]) -> Option<SaleQuestion> {
        if let Ok(statement) = draft.read::<DealOpen>() {
            return self.opening_question(statement);
        }
        let Stage::Trading(trade) = &self.stage else { return None };
        let statement: Accept = draft.read().ok()?;
        let peer = &self.plan.intent.peer;
        let offer = self.line.paper(&statement.common.agr?)?.clone();
        let third = third_party(&self.plan.arbiters, trade.context.attributes.third_party?)?;
        let about = About {
            deal: trade.context.clone(),
            certifier: None,
            third_party: third,
            price: Some(self.plan.price),
            purse: purses.iter().find(|one| one.id == trade.purse).map(facts_of),
        };
        let context = Box::new(AcceptContext { offer: verified(offer, &peer.key).ok()?, about });
        Some(SaleQuestion::Accept { statement, context })
    }

    fn opening_question(&self, statement: DealOpen) -> Option<SaleQuestion> {
        let Intent { me, peer, .. } = &self.plan.intent;
        let accept = self.line.paper(&statement.accept)?.clone();
        let accept = verified::<DealAccept>(accept, &peer.key).ok()?;
        let propose = verified(self.line.paper(&accept.propose)?.clone(), &me.key).ok()?;
        let third = accept.chosen.attributes.third_party;
        let third = match third {
            Some(certificate) => Some(third_party(&self.plan.arbiters, certificate)?),
            None => None,
        };
        let context = DealOpenContext {
            propose,
            accept,
            me: me.clone(),
            peer: peer.clone(),
            certifier: None,
            third_party: third,
        };
        Some(SaleQuestion::DealOpen { statement, context: Box::new(context) })
    }
}
