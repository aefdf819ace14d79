//! The laws of exchangeable items, held against payments at the real bank of this module.

use std::collections::BTreeMap;

use semper_payment_sim::exchange::{PaymentThirdParty, Payments, record};
use semper_supporting::{
    crypto::{digest::Digest, seal::EscrowKey, signature::PublicKey},
    deal::{Attributes, DealContext, DealId},
    evidence::{SignedBytes, statement},
    party::PartyView,
};
use semper_transfer::{
    conformance::{Case, Holder, Subject},
    description::{Description, Mode, Model, PaymentDescription},
    item::Item,
    package::LeafPath,
    payment::{PaymentOrder, message::TxStatement, module::BankReply},
    property::{
        Answer, Binding, Capabilities, Certificates, ExchangeEnabled, GenGrade, Got, Order, Side,
        ThirdPartyKeys, Transfer, TtpItem,
    },
};
use zeroize::Zeroizing;

use crate::world::World;

/// Payments of XTS 6.00 from the purse of [`World`] to its merchant.
pub(crate) struct AtTheBank {
    world: World,
    party: Payments,
    certificates: BTreeMap<Digest, PublicKey>,
}

fn bank_certificate() -> Digest {
    Digest::of(b"the bank's certificate")
}

fn arbiter_certificate() -> Digest {
    Digest::of(b"the arbiter's certificate")
}

impl AtTheBank {
    pub(crate) fn new() -> Self {
        let world = World::new();
        let until = world.order("XTS 6.00", 0).until.unwrap();
        let certificates = BTreeMap::from([
            (bank_certificate(), world.bank_key()),
            (arbiter_certificate(), world.arbiter_key()),
        ]);
        Self { party: Payments { bank: bank_certificate(), until }, certificates, world }
    }

    fn order(&self, case: &Case) -> PaymentOrder {
        let [n, ..] = *case.binding.xid.as_bytes();
        PaymentOrder { exch: Some(case.binding.xid), ..self.world.order("XTS 6.00", n) }
    }
}

fn signed(reply: BankReply) -> Option<SignedBytes> {
    match reply {
        BankReply::Signed(signed) => Some(signed),
        BankReply::NotYet | BankReply::Refused(_) => None,
    }
}

impl Subject for AtTheBank {
    fn party(&self) -> &dyn ExchangeEnabled {
        &self.party
    }

    fn third_party(&self) -> Box<dyn TtpItem + '_> {
        let banks = BTreeMap::from([(bank_certificate(), self.world.bank_key())]);
        Box::new(PaymentThirdParty { kid: self.world.arbiter_key().kid(), banks })
    }

    fn certificates(&self) -> &dyn Certificates {
        &self.certificates
    }

    fn capabilities(&self) -> Capabilities {
        let escrow = EscrowKey::from_seed(&Zeroizing::new([3; 32])).public();
        Capabilities {
            keys: ThirdPartyKeys { certificate: arbiter_certificate(), escrow },
            grades: vec![GenGrade::Sealed],
            deposit: false,
            authorities: vec![bank_certificate()],
            longest: 1 << 20,
        }
    }

    fn deal(&self) -> DealContext {
        let kid = self.world.bank_key().kid();
        let view = PartyView::Anonymous { kid };
        DealContext {
            id: DealId::from_bytes([1; 32]),
            me: view.clone(),
            peer: view,
            terms: None,
            attributes: Attributes {
                anonymity_peer: Default::default(),
                anonymity_bank: Default::default(),
                anonymity_third: Default::default(),
                network_hidden: false,
                confidentiality: Default::default(),
                evidence: Default::default(),
                currency: vec![],
                third_party: Some(arbiter_certificate()),
            },
            ceiling: None,
            opened: self.world.now,
            expires: self.world.now,
        }
    }

    fn case(&mut self, n: u32) -> Case {
        let number = u8::try_from(n % 200).unwrap() + 1;
        let order = self.world.order("XTS 6.00", number);
        let description = Description::from(PaymentDescription {
            amount: order.amount,
            reference: Some(order.reference),
            mode: Some(Mode::Direct),
            payer: None,
            payee: Some(order.payee.to_string()),
            module: None,
            model: Some(Model::Account),
            authority: Some(bank_certificate()),
            fees: None,
        });
        let binding = Binding {
            xid: order.exch.unwrap(),
            agreement: Some(Digest::of(format!("agreement {n}").as_bytes())),
            leaf: LeafPath::first(),
            giver: Side::Responder,
            owner: Digest::of(b"the buyer's certificate"),
            description: description.hash().unwrap(),
        };
        Case { item: Item::Payment { reference: order.reference }, description, binding }
    }

    fn carry_out(&mut self, case: &Case, transfer: Transfer) -> Option<Got> {
        let Transfer::Pay(reference) = transfer else { return None };
        let order = self.order(case);
        assert_eq!(order.reference, reference);
        let paid = signed(self.world.pay(&order).ok()?)?;
        let verified = paid.verify::<TxStatement>(&self.world.bank_key()).ok()?;
        verified.booked.as_ref()?;
        Some(Got::Payment(record(&case.binding, bank_certificate(), &verified)))
    }

    fn ask(&mut self, order: &Order) -> Option<Answer> {
        match self.world.obey(&order.tbs).ok()? {
            BankReply::Signed(signed) => Some(Answer::Signed(signed)),
            BankReply::NotYet => Some(Answer::NotYet),
            BankReply::Refused(_) => None,
        }
    }

    fn undo_alone(&mut self, case: &Case) {
        // The payer may unload, close, pay the same reference again, or order it back itself: nothing undoes.
        let order = self.order(case);
        assert!(self.world.freeze_as_stranger(&order).is_err());
        let again = self.world.pay_as(&order, 250);
        assert!(
            again.is_err() || statement::type_of(&signed(again.unwrap()).unwrap().tbs).unwrap() != "pay/acct"
        );
    }

    fn holder(&self, case: &Case) -> Option<Holder> {
        Some(if self.world.is_with_the_merchant(&self.order(case)) {
            Holder::Receiver
        } else {
            Holder::Giver
        })
    }
}
