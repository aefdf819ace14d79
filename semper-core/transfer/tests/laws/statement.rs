//! Receipts and certificates of the seller, with the third party that attests them or opens them.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::{digest::Digest, signature::PublicKey},
    deal::{DealContext, DealId},
    evidence::statement,
};
use semper_transfer::{
    conformance::{Case, Subject},
    description::{Addressee, Description, Semantics, StatementDescription},
    escrow::EscrowKeys,
    item::Item,
    property::{
        Answer, Capabilities, Certificates, Delivered, ExchangeEnabled, Got, Order, Side, Transfer, TtpItem,
    },
    statement::{InDeal, Lines, Receipt, Salt, StatementManager, StatementThirdParty},
};

use crate::market::{self, BUYER, NOW, SELLER};

pub(crate) struct Statements {
    semantics: Semantics,
    escrow: EscrowKeys,
    certificates: BTreeMap<Digest, PublicKey>,
}

impl Statements {
    pub(crate) fn between_the_parties() -> Self {
        Self::of(Semantics::Receipt)
    }

    pub(crate) fn for_others() -> Self {
        Self::of(Semantics::Certificate)
    }

    fn of(semantics: Semantics) -> Self {
        Self { semantics, escrow: market::escrow_keys(), certificates: market::certificates() }
    }
}

fn receipt(n: u32) -> Receipt {
    Receipt(Lines {
        in_deal: InDeal {
            deal: Some(DealId::from_bytes([1; 32])),
            terms_sha256: None,
            conf: None,
            seq: n.into(),
            at: NOW,
            signer: SELLER.kid(),
            cert: SELLER.certificate(),
            salt: Some(Salt::from_bytes([2; 16])),
        },
        item: "sale.receipt".into(),
        form_sha256: vec![],
        over: vec![Digest::of(b"order")],
        binds: false,
        until: None,
        text_sha256: None,
        locale: None,
        facts_profile: None,
    })
}

impl Subject for Statements {
    fn party(&self) -> &dyn ExchangeEnabled {
        &StatementManager
    }

    fn third_party(&self) -> Box<dyn TtpItem + '_> {
        Box::new(StatementThirdParty { escrow: &self.escrow })
    }

    fn certificates(&self) -> &dyn Certificates {
        &self.certificates
    }

    fn capabilities(&self) -> Capabilities {
        market::capabilities()
    }

    fn deal(&self) -> DealContext {
        market::deal()
    }

    fn case(&mut self, n: u32) -> Case {
        let signed = SELLER.sign(&receipt(n));
        let tbs = signed.tbs;
        let description = Description::from(StatementDescription {
            semantics: self.semantics,
            text: Digest::of(&tbs),
            media: "text/plain".into(),
            signer: SELLER.certificate(),
            addressee: Addressee::Certificate(BUYER.certificate()),
        });
        // Between the parties, the signature is made only when the statement is handed over.
        let signature = (self.semantics == Semantics::Certificate).then_some(signed.signature);
        let binding = market::binding(n, Side::Originator, SELLER, &description);
        Case { item: Item::Statement { tbs, signature }, description, binding }
    }

    fn carry_out(&mut self, case: &Case, transfer: Transfer) -> Option<Got> {
        match transfer {
            Transfer::Deliver(Delivered::Statement(signed)) => Some(Got::Statement(signed)),
            Transfer::Sign(tbs) => {
                let receipt = statement::from_bytes::<Receipt>(&tbs).ok()?;
                let signature = Some(SELLER.sign(&receipt).signature);
                let item = Item::Statement { tbs, signature };
                let begun = self.party().start_transfer(&item, &case.description, &case.binding).ok()?;
                if matches!(begun, Transfer::Sign(_)) { None } else { self.carry_out(case, begun) }
            }
            _ => None,
        }
    }

    fn ask(&mut self, _: &Order) -> Option<Answer> {
        None
    }
}
