//! The negotiations of a buyer: the protocol first, then the means of payment, while the file is fetched.

use std::collections::BTreeMap;

use semper_exchange::{
    check, generatable_verifiable as gxv,
    message::{
        Answer, Common, Draft, Propose,
        negotiation::{View, Ways, Willing},
    },
    select::{least_level, select},
    tell::Code,
    xid::Nonce,
};
use semper_supporting::{
    crypto::digest::Digest,
    deal::DealContext,
    evidence::{SignedBytes, Verified},
    fault::Fault as _,
    party::Role,
    time::{Moment, Span},
};
use semper_transfer::{
    description::Description,
    expectation::Expectation,
    fault::Mismatch,
    package::{LeafPath, Package},
    payment::{
        self, PaymentAgreement, Purse,
        negotiation::{ChoiceKind, NegConfirm, NegError, NegPropose, NegReject, NegSelect, Proposer},
    },
    property::{Class, GenGrade, Grade, Props, RevGrade, VerGrade},
};

use super::{Answered, Buyer, Stage, Talks};
use crate::{
    deal::{Intent, Outcome},
    sale::{
        Input, Output, SaleFault, Taken, capabilities, fresh,
        line::{Destination, verified},
        money::{Means, bare},
        run_of,
    },
};

/// How much longer than a day and a margin the payment can be ordered back: four days and an hour, so that the
/// strong level holds although the answer comes a little later.
const WINDOW: Span = Span::hours(4 * 24 + 1);

impl Buyer {
    pub(super) fn propose(&mut self, context: DealContext, input: &Input) -> Taken {
        let arbiter = self.arbiter(&context)?;
        let Intent { me, peer, terms, .. } = &self.plan.intent;
        let at = input.at.whole_seconds();
        let common = Common {
            xid: None,
            deal: context.id,
            from: Role::Originator,
            to: Role::Responder,
            cert_o: me.certificate,
            cert_r: peer.certificate,
            cert_t: None,
            agr: None,
            prev: None,
            at,
            signer: me.key.kid(),
        };
        let first = LeafPath::first();
        let until = Some(at.after(WINDOW));
        let ways = self.plan.banks.keys().filter(|bank| arbiter.capabilities.authorities.contains(bank));
        let ways: Vec<Props> = ways.map(|bank| paid_by(*bank, until)).collect();
        let view = View {
            head: common,
            nonce: Nonce::from_bytes(fresh("exchange", &input.chance)),
            versions: vec![1],
            protos: vec![gxv::PROTO.to_owned()],
            ttps: vec![arbiter.certificate],
            gives: Some(Package::of(bare(self.plan.price))),
            wants: BTreeMap::from([(first.clone(), Expectation::from(self.plan.wants.clone()))]),
            props: BTreeMap::from([(first.clone(), Ways { way: ways })]),
            accepts: BTreeMap::from([(first, Willing { class: vec![Class::Forward, Class::Sealed] })]),
            min_level: least_level(Some(self.plan.price)),
            anonymity: context.attributes.anonymity_peer,
            status: None,
            terms: terms.map(|terms| terms.statement_sha256),
        };
        let draft = Draft::of(&Propose { view })?;
        let talks = Talks {
            context,
            propose: draft.digest(),
            answer: None,
            neg_p: None,
            neg_s: None,
            purse: None,
            means: None,
            fetched: None,
            offer: None,
            blobs: Vec::new(),
        };
        self.stage = Stage::Proposing(Box::new(talks));
        Ok(self.line.sign(draft, Destination::Exchange(Vec::new())))
    }

    /// ANSWER: `select` must give the protocol in which the seller is originator.
    pub(super) fn answered(&mut self, signed: SignedBytes, _: &Input) -> Taken {
        let Stage::Proposing(talks) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let mut talks = talks.clone();
        let Intent { me, peer, .. } = &self.plan.intent;
        let arbiter = self.arbiter(&talks.context)?;
        let answer: Verified<Answer> = verified(signed, &peer.key)?;
        let propose = self.proposal(&talks)?;
        let common = answer.common();
        let ours = common.deal == talks.context.id
            && common.from == Role::Responder
            && common.cert_o == me.certificate
            && common.cert_r == peer.certificate
            && common.prev == Some(talks.propose)
            && answer.view.head.propose == talks.propose;
        if !ours {
            return Err(check::OfferFault::Negotiation.into());
        }
        if let Some(reason) = answer.reason {
            return Err(reason.into());
        }
        let selected = select(&propose, &answer, &capabilities(std::slice::from_ref(&arbiter)))?;
        if answer.result.as_ref() != Some(&selected) {
            return Err(check::OfferFault::Selection.into());
        }
        let nonces = ((me, propose.view.nonce), (peer, answer.view.nonce));
        let run = run_of(talks.context.id, &selected, nonces.0, nonces.1, &arbiter)
            .ok_or(check::OfferFault::Selection)?;
        let gives = answer.view.gives.as_ref().and_then(|package| package.leaf(&LeafPath::first()));
        let Some(Description::Data(data)) = gives else { return Err(Mismatch::Kind.into()) };
        let (Some(sealed), Some(_)) = (data.sealed, data.key) else { return Err(Mismatch::Sealed.into()) };
        // What nobody wants is not fetched either, however long it is.
        if !Expectation::from(self.plan.wants.clone()).is_satisfied_by(&Description::from(data.clone())) {
            return Err(check::OfferFault::Expectation.into());
        }
        let fetch = Output::Fetch { sealed, length: data.length };
        let kept = Output::Keep(answer.bytes().clone());
        talks.answer = Some(Answered { signed: answer.bytes().clone(), selected, run, data: data.clone() });
        self.stage = Stage::Choosing(talks);
        Ok(vec![kept, fetch])
    }

    pub(super) fn proposal(&self, talks: &Talks) -> Result<Verified<Propose>, SaleFault> {
        let signed = self.line.paper(&talks.propose).cloned().ok_or(SaleFault::OutOfPlace)?;
        verified(signed, &self.plan.intent.me.key)
    }

    /// neg-p: one of the seller's systems, by one of our purses.
    pub(super) fn choose(&mut self, signed: SignedBytes, input: &Input) -> Taken {
        let Stage::Choosing(talks) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let mut talks = talks.clone();
        let answered = talks.answer.as_ref().ok_or(SaleFault::OutOfPlace)?;
        let Intent { me, peer, .. } = &self.plan.intent;
        let propose: Verified<NegPropose> = verified(signed, &peer.key)?;
        let arbiter = self.arbiter(&talks.context)?;
        let item = Description::from(answered.data.clone()).hash()?;
        let fits = [
            ("to", propose.to == me.key.kid()),
            ("deal", propose.deal == talks.context.id),
            ("exch", propose.exch == Some(answered.run.xid)),
            ("from", propose.from == Proposer::Payee),
            ("amount", propose.amount == self.plan.price),
            ("choice", propose.choice == ChoiceKind::Ps),
            ("arbiter", propose.arbiter == Some(arbiter.key.kid())),
            ("require-exch", propose.require_exch.verifiable && propose.require_exch.revocable),
            ("item-hash", propose.item_hash == item),
            ("fee-payer", propose.systems.iter().all(|system| system.fee_payer.is_none())),
        ];
        if let Some((field, _)) = fits.into_iter().find(|(_, fits)| !fits) {
            return Err(NegError::Mismatch(field).into());
        }
        let authority = answered.selected.leaf.r.get(&LeafPath::first()).and_then(|one| one.authority);
        let bank = authority.and_then(|authority| self.plan.banks.get(&authority).copied());
        let purses: Vec<Purse> =
            input.purses.iter().filter(|purse| Some(purse.bank) == bank).cloned().collect();
        let nonce = payment::negotiation::Nonce::from_bytes(fresh("select", &input.chance));
        let (select, purse) = match payment::negotiation::select(&propose, &purses, input.at, nonce) {
            Ok(found) => found,
            Err(fault) => return self.no_means(&propose, fault),
        };
        let draft = Draft::of(&select)?;
        talks.purse = Some(purse.id);
        talks.neg_p = Some(propose.bytes().clone());
        talks.neg_s = Some(draft.digest());
        self.stage = Stage::Selecting(talks);
        let mut outputs = vec![Output::Keep(propose.bytes().clone())];
        outputs.extend(self.line.sign(draft, Destination::Means));
        Ok(outputs)
    }

    /// There is no common means: the seller is told which rule left none, and nothing else is signed.
    fn no_means(&mut self, propose: &Verified<NegPropose>, fault: NegError) -> Taken {
        let NegError::None(reason) = &fault else { return Err(fault.into()) };
        let reject = NegReject {
            to: propose.signer,
            signer: propose.to,
            neg: propose.neg,
            h_last: propose.digest(),
            reason: *reason,
        };
        let draft = Draft::of(&reject)?;
        let fault = SaleFault::from(fault.clone());
        self.line.hush();
        let mut outputs = self.line.sign(draft, Destination::Means);
        self.stage = Stage::Refused(fault.code().to_owned());
        outputs.extend([
            Output::Fault(fault.code()),
            Output::Tell(Code::U17),
            Output::Ended(Outcome::Nothing),
        ]);
        Ok(outputs)
    }

    /// neg-c: the means are agreed, and both sides derive the reference of the payment.
    pub(super) fn confirmed(&mut self, signed: SignedBytes, input: &Input) -> Taken {
        let Stage::Selecting(talks) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let mut talks = talks.clone();
        let Intent { me, peer, .. } = &self.plan.intent;
        let answered = talks.answer.as_ref().ok_or(SaleFault::OutOfPlace)?;
        let neg_p = talks.neg_p.clone().ok_or(SaleFault::OutOfPlace)?;
        let neg_s = talks.neg_s.and_then(|digest| self.line.paper(&digest)).cloned();
        let propose: Verified<NegPropose> = verified(neg_p, &peer.key)?;
        let select: Verified<NegSelect> = verified(neg_s.ok_or(SaleFault::OutOfPlace)?, &me.key)?;
        let confirm: Verified<NegConfirm> = verified(signed, &peer.key)?;
        let kept = Output::Keep(confirm.bytes().clone());
        let agreement = PaymentAgreement::new(propose, select, confirm, input.at)?;
        let Answered { selected, run, .. } = answered;
        talks.means = Some(Means::of(&agreement, selected, run.xid, &self.plan.banks, &input.modules)?);
        self.stage = Stage::Expecting(talks);
        Ok(vec![kept])
    }

    pub(super) fn fetched(&mut self, found: Option<Digest>, input: &Input) -> Taken {
        let (Stage::Choosing(talks) | Stage::Selecting(talks) | Stage::Expecting(talks)) = &mut self.stage
        else {
            return Err(SaleFault::OutOfPlace);
        };
        let wanted = talks.answer.as_ref().and_then(|answer| answer.data.sealed);
        if found.is_none() || found != wanted {
            return Err(check::OfferFault::Sealed.into());
        }
        talks.fetched = found;
        self.consider(input)
    }
}

/// What a payment through a bank can do for an exchange.
fn paid_by(bank: Digest, until: Option<Moment>) -> Props {
    Props {
        mechanism: "pay/direct".to_owned(),
        generatable: Grade::lasting(GenGrade::None),
        verifiable: Grade { grade: VerGrade::Final, until: None, authority: Some(bank) },
        revocable: Grade { grade: RevGrade::Undo, until, authority: Some(bank) },
    }
}
