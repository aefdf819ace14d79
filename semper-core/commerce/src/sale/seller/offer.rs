//! OFFER, written once the means are agreed.

use std::collections::BTreeMap;

use semper_exchange::{
    deadlines::RETAIN_DAYS,
    generatable_verifiable::{Leaf, Originator, originator, plan},
    message::{Answer, Proposal, negotiation, offer::Sides},
};
use semper_supporting::{crypto::digest::Digest, evidence::Verified, party::Role};
use semper_transfer::{
    data::DataManager,
    description::Description,
    item::Item,
    package::{LeafPath, Package},
    payment::{self, Op, PaymentAgreement},
    property::{ExchangeEnabled as _, Reliance},
};

use super::{Goods, Seller, Stage, Talks, Trade};
use crate::sale::{
    Arbiter, CELL, Input, SaleFault, Taken, binding_of, clause,
    line::verified,
    money::{Means, Payment},
    transaction,
};

impl Seller {
    /// The means are agreed: OFFER is written, and put before whoever may sign it.
    pub(super) fn offer(&mut self, input: &Input) -> Taken {
        let Stage::Confirming(known, talks) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let (known, talks) = (known.clone(), talks.clone());
        let arbiter = self.arbiter(&known.context)?;
        let neg_s = talks.neg_s.clone().ok_or(SaleFault::OutOfPlace)?;
        let neg_c = talks.neg_c.ok_or(SaleFault::OutOfPlace)?;
        let agreement = PaymentAgreement::new(
            self.own(&talks.neg_p)?,
            verified(neg_s, &known.buyer.key)?,
            self.own(&neg_c)?,
            input.at,
        )?;
        let means = Means::of(&agreement, &talks.selected, talks.run.xid, &self.plan.banks, &input.modules)?;
        let proposal = self.proposal(&talks, &means, &arbiter, input)?;
        let till = input.purses.iter().find(|till| till.account == means.order.payee);
        let till = till.ok_or(payment::PayError::NotSupported)?;
        let content = self.line.put(self.plan.goods.key.as_bytes());
        let contents = BTreeMap::from([(LeafPath::first(), content)]);
        let machine = Originator::new(talks.run.clone(), &proposal, contents)?;
        let op = Op::Receive(means.order.clone());
        let tx = transaction(&input.chance);
        let (payment, mut outputs) =
            Payment::begin(&means, till, op, tx, &input.modules, input.at, &mut self.line)?;
        self.stage = Stage::Trading(Box::new(Trade {
            context: known.context,
            buyer: known.buyer,
            machine,
            means,
            payment,
            closing: (false, false, false),
            parted: None,
        }));
        outputs.extend(self.exchange(originator::Event::Begin, input)?);
        Ok(outputs)
    }

    fn proposal(
        &mut self,
        talks: &Talks,
        means: &Means,
        arbiter: &Arbiter,
        input: &Input,
    ) -> Result<Proposal, SaleFault> {
        let Goods { description: data, key } = self.plan.goods.clone();
        let description = Description::from(data.clone());
        let binding = binding_of(&talks.run, &data, None)?;
        let item = Item::Data { key, certified: None };
        let keys = &arbiter.capabilities.keys;
        let permitted = DataManager::new().make_permit(&item, &description, &binding, keys, &input.chance)?;
        for blob in permitted.attached.blobs() {
            self.line.put(blob);
        }
        let answer: Verified<Answer> = self.own(&talks.answer)?;
        let common = talks
            .run
            .common(Role::Originator, Role::Responder, None, Some(talks.answer), input.at)
            .ok_or(SaleFault::OutOfPlace)?;
        let (give_o, give_r) = (Package::of(data), means.package());
        let facts = arbiter.facts();
        let prop = talks.selected.leaf.clone();
        let order = plan::order(&leaves(&prop.o), &leaves(&prop.r));
        Ok(Proposal {
            common,
            proto: talks.selected.proto.clone(),
            version: talks.selected.version,
            cell: CELL.to_owned(),
            step: self.line.step().to_owned(),
            conf: self.line.conf(),
            nonce_o: talks.nonces.0,
            nonce_r: talks.nonces.1,
            neg: negotiation::digest(&talks.propose.tbs, &answer.bytes().tbs),
            terms: self.plan.house.terms.map(|terms| terms.statement_sha256),
            clause: clause(),
            ttp_name: facts.name,
            ttp_escrow_key: facts.escrow_key,
            ttp_policy: facts.policy,
            tree_o: give_o.hash()?,
            tree_r: give_r.hash()?,
            give_o,
            give_r,
            prop,
            permit: BTreeMap::from([(LeafPath::first(), permitted.permit)]),
            order,
            t_accept: self.plan.deadlines.t_accept,
            t_item: self.plan.deadlines.t_item,
            t_close: self.plan.deadlines.t_close,
            t_enforced: None,
            grace: None,
            t_retain: RETAIN_DAYS,
            level: talks.selected.level,
            weak_consent: false,
            sec: Sides::default(),
        })
    }
}

/// What the order of delivery is computed from.
fn leaves(side: &BTreeMap<LeafPath, Reliance>) -> BTreeMap<LeafPath, Leaf> {
    let leaf = |reliance: &Reliance| Leaf {
        class: reliance.class,
        description: Digest::from_bytes([0; 32]),
        authority: reliance.authority,
        basis: None,
    };
    side.iter().map(|(path, reliance)| (path.clone(), leaf(reliance))).collect()
}
