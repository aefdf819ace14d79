//! What the seller is asked, where a person sells: whether the exchange is offered.

use semper_exchange::{
    message::{Draft, Proposal},
    prompt::About,
};

use super::Seller;
use crate::sale::question::{SaleQuestion, third_party};

impl Seller {
    /// The question behind a draft that this seller ordered to be asked about; nothing for any other draft.
    pub fn question(&self, draft: &Draft) -> Option<SaleQuestion> {
        let statement: Proposal = draft.read().ok()?;
        let deal = self.context()?.clone();
        let third = third_party(&self.plan.arbiters, deal.attributes.third_party?)?;
        let about =
            About { deal, certifier: None, third_party: third, price: Some(self.plan.price), purse: None };
        Some(SaleQuestion::Offer { statement: Box::new(statement), context: Box::new(about) })
    }
}
