//! The negotiations of a seller: what it answers to PROPOSE, and in which systems it takes money.

use std::collections::BTreeMap;

use semper_exchange::{
    check, generatable_verifiable as gxv,
    message::{
        Answer, Common, Draft, Propose,
        negotiation::{Answering, View, Ways, Willing},
    },
    run::Run,
    select::{Selected, least_level, select},
    xid::Nonce,
};
use semper_supporting::{
    evidence::{SignedBytes, Verified, statement},
    party::Role,
    time::Span,
};
use semper_transfer::{
    data::DataManager,
    description::Description,
    expectation::{Expectation, PaymentExpectation},
    package::{LeafPath, Package},
    payment::{
        self, Purse,
        negotiation::{
            ChoiceKind, ExchangeNeeds, NegId, NegPropose, NegReject, NegSelect, Proposer, confirm,
        },
    },
    property::{Class, ExchangeEnabled as _},
};

use super::{Known, Seller, Stage, Talks};
use crate::sale::{
    Arbiter, Input, Output, SaleFault, Taken, capabilities, fresh, fresh16,
    line::{Destination, verified},
    run_of,
};

/// How long the negotiation of the means may take.
const MEANS_HOLD: Span = Span::hours(1);

impl Seller {
    /// PROPOSE: ANSWER says what follows, and the systems in which we take money go out beside it.
    pub(super) fn answer(&mut self, signed: SignedBytes, input: &Input) -> Taken {
        let Stage::Ready(known) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let known = known.clone();
        let me = &self.plan.house.me;
        let arbiter = self.arbiter(&known.context)?;
        let propose: Verified<Propose> = verified(signed, &known.buyer.key)?;
        let common = propose.common();
        let ours = common.deal == known.context.id
            && common.from == Role::Originator
            && common.cert_o == known.buyer.certificate
            && common.cert_r == me.certificate
            && (common.xid, common.agr, common.prev) == (None, None, None);
        if !ours {
            return Err(check::OfferFault::Negotiation.into());
        }
        let nonce = Nonce::from_bytes(fresh("exchange", &input.chance));
        let mut answer = self.our_answer(&known, &propose, &arbiter, nonce, input);
        let selected = select(&propose, &answer, &capabilities(std::slice::from_ref(&arbiter)))?;
        answer.result = Some(selected.clone());
        let nonces = ((&known.buyer, propose.view.nonce), (me, nonce));
        let run = run_of(known.context.id, &selected, nonces.0, nonces.1, &arbiter)
            .ok_or(check::OfferFault::Selection)?;
        let draft = Draft::of(&answer)?;
        let means = self.means(&known, &run, &arbiter, &selected, input)?;
        let means = Draft::of(&means)?;
        let talks = Talks {
            propose: propose.bytes().clone(),
            answer: draft.digest(),
            selected,
            run,
            nonces: (nonce, propose.view.nonce),
            neg_p: means.digest(),
            neg_s: None,
            neg_c: None,
        };
        let mut outputs = vec![Output::Keep(propose.bytes().clone())];
        outputs.extend(self.line.sign(draft, Destination::Exchange(Vec::new())));
        outputs.extend(self.line.sign(means, Destination::Means));
        self.stage = Stage::Choosing(known, Box::new(talks));
        Ok(outputs)
    }

    fn our_answer(
        &self,
        known: &Known,
        propose: &Verified<Propose>,
        arbiter: &Arbiter,
        nonce: Nonce,
        input: &Input,
    ) -> Answer {
        let me = &self.plan.house.me;
        let first = LeafPath::first();
        let common = Common {
            from: Role::Responder,
            to: Role::Originator,
            prev: Some(propose.digest()),
            at: input.at.whole_seconds(),
            signer: me.key.kid(),
            ..propose.common().clone()
        };
        let description = Description::from(self.plan.goods.description.clone());
        let way = DataManager::new().props(&description, &arbiter.capabilities, &known.context);
        let wanted = PaymentExpectation {
            at_least: Some(self.plan.price),
            at_most: None,
            mode: None,
            payee: None,
            module: None,
        };
        let view = View {
            head: Answering { common, propose: propose.digest() },
            nonce,
            versions: vec![1],
            protos: vec![gxv::PROTO.to_owned()],
            ttps: vec![arbiter.certificate],
            gives: Some(Package::of(description)),
            wants: BTreeMap::from([(first.clone(), Expectation::from(wanted))]),
            props: BTreeMap::from([(first.clone(), Ways { way })]),
            accepts: BTreeMap::from([(first, Willing { class: vec![Class::Backward] })]),
            min_level: least_level(Some(self.plan.price)),
            anonymity: semper_supporting::deal::Anonymity::Identified,
            status: None,
            terms: self.plan.house.terms.map(|terms| terms.statement_sha256),
        };
        Answer { view, result: None, reason: None }
    }

    pub(super) fn means(
        &self,
        known: &Known,
        run: &Run,
        arbiter: &Arbiter,
        selected: &Selected,
        input: &Input,
    ) -> Result<NegPropose, SaleFault> {
        let authority = selected.leaf.r.get(&LeafPath::first()).and_then(|one| one.authority);
        let bank = authority.and_then(|authority| self.plan.banks.get(&authority));
        let tills: Vec<Purse> =
            input.purses.iter().filter(|till| Some(&till.bank) == bank).cloned().collect();
        let goods = &self.plan.goods.description;
        Ok(NegPropose {
            to: known.buyer.key.kid(),
            signer: self.plan.house.me.key.kid(),
            deal: known.context.id,
            exch: Some(run.xid),
            neg: NegId::from_bytes(fresh16("means", &input.chance)),
            from: Proposer::Payee,
            ref_text: goods.title.clone(),
            item_hash: Description::from(goods.clone()).hash()?,
            amount: self.plan.price,
            choice: ChoiceKind::Ps,
            arbiter: Some(arbiter.key.kid()),
            require_anon: known.context.attributes.anonymity_peer,
            require_exch: ExchangeNeeds { verifiable: true, revocable: true, generatable: false },
            systems: input.modules.proposals(&tills, self.plan.price)?,
            valid_until: input.at.after(MEANS_HOLD).whole_seconds(),
            nonce: payment::negotiation::Nonce::from_bytes(fresh("means", &input.chance)),
        })
    }

    /// neg-s, or the buyer's word that it has no such means.
    pub(super) fn confirm(&mut self, signed: SignedBytes, input: &Input) -> Taken {
        let Stage::Choosing(known, talks) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let (known, mut talks) = (known.clone(), talks.clone());
        if statement::type_of(&signed.tbs)? == "pay/neg-r" {
            let reject: Verified<NegReject> = verified(signed, &known.buyer.key)?;
            return Err(SaleFault::PeerDeclined(reject.reason.to_string()));
        }
        let selected: Verified<NegSelect> = verified(signed, &known.buyer.key)?;
        let propose: Verified<NegPropose> = self.own(&talks.neg_p)?;
        let nonce = payment::negotiation::Nonce::from_bytes(fresh("confirm", &input.chance));
        let draft = Draft::of(&confirm(&propose, &selected, input.at, nonce)?)?;
        talks.neg_s = Some(selected.bytes().clone());
        talks.neg_c = Some(draft.digest());
        self.stage = Stage::Confirming(known, talks);
        let mut outputs = vec![Output::Keep(selected.bytes().clone())];
        outputs.extend(self.line.sign(draft, Destination::Means));
        Ok(outputs)
    }
}
