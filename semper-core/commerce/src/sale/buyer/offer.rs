//! OFFER before a buyer: held line by line against what this side derived itself, and taken or declined.

use std::collections::BTreeMap;

use semper_exchange::{
    check::{self, Expected},
    generatable_verifiable::{Responder, responder},
    message::{Answer, Decline, DeclineReason, Draft, Proposal},
    run::Run,
    tell::Code,
};
use semper_supporting::{
    crypto::{digest::Digest, signature::PublicKey},
    evidence::{SignedBytes, Verified},
    fault::Fault as _,
    party::Role,
};
use semper_transfer::{
    data::DataManager,
    description::{DataDescription, Description},
    expectation::Expectation,
    fault::Mismatch,
    package::{LeafPath, Package},
    payment::negotiation::{NegError, NegReason},
    property::{Attached, ExchangeEnabled as _, Permitted},
};

use super::{Buyer, Closing, Stage, Talks, Trade};
use crate::{
    deal::{Intent, Outcome},
    sale::{
        Arbiter, CELL, Input, Output, SaleFault, Taken, binding_of, capabilities, clause,
        line::{Destination, verified},
        message::Beside,
    },
    service::form::ContentId,
};

impl Buyer {
    pub(super) fn offered(&mut self, signed: SignedBytes, beside: Vec<Beside>, input: &Input) -> Taken {
        let Stage::Expecting(talks) = &mut self.stage else { return Err(SaleFault::OutOfPlace) };
        if talks.offer.is_some() {
            return Err(SaleFault::OutOfPlace);
        }
        talks.blobs = beside
            .into_iter()
            .filter_map(|one| match one {
                Beside::Blob(blob) => Some(blob),
                Beside::Statement(_) => None,
            })
            .collect();
        talks.offer = Some(signed);
        self.consider(input)
    }

    /// OFFER and the sealed file are here: every line of the one is held against what this side derived.
    pub(super) fn consider(&mut self, input: &Input) -> Taken {
        let Stage::Expecting(talks) = &self.stage else { return Ok(Vec::new()) };
        let (Some(signed), Some(fetched)) = (&talks.offer, talks.fetched) else { return Ok(Vec::new()) };
        let talks = talks.clone();
        let offer: Verified<Proposal> = verified(signed.clone(), &self.plan.intent.peer.key)?;
        let checked = self.check(&talks, &offer, fetched, input);
        let (Some(answered), Some(means), Some(purse)) = (talks.answer, talks.means, talks.purse) else {
            return Err(SaleFault::OutOfPlace);
        };
        let checked = match checked {
            Ok(checked) => checked,
            Err(fault) => return self.decline(&offer, &answered.run, &fault, input),
        };
        let payer = input.purses.iter().find(|one| one.id == purse);
        if !payer.is_some_and(|payer| payer.can_pay() && payer.available() >= means.order.amount) {
            let fault = NegError::None(NegReason::Insufficient).into();
            return self.decline(&offer, &answered.run, &fault, input);
        }
        self.line.file(offer.bytes());
        for blob in &talks.blobs {
            self.line.put(&blob.0);
        }
        let digest = offer.digest();
        self.stage = Stage::Trading(Box::new(Trade {
            context: talks.context,
            machine: Responder::new(answered.run),
            means,
            purse,
            payment: None,
            data: answered.data,
            offer: digest,
            key: None,
            decision: None,
            queries: 0,
            closing: Closing::default(),
        }));
        let event = responder::Event::Offered(Box::new(checked), BTreeMap::new(), BTreeMap::new());
        self.exchange(event, input)
    }

    fn check(
        &self,
        talks: &Talks,
        offer: &Verified<Proposal>,
        fetched: Digest,
        input: &Input,
    ) -> Result<check::Checked, SaleFault> {
        let (Some(answered), Some(means)) = (&talks.answer, &talks.means) else {
            return Err(SaleFault::OutOfPlace);
        };
        let peer = &self.plan.intent.peer;
        let arbiter = self.arbiter(&talks.context)?;
        let propose = self.proposal(talks)?;
        let answer: Verified<Answer> = verified(answered.signed.clone(), &peer.key)?;
        let paid = offer.give_r.leaf(&LeafPath::first());
        let Some(Description::Payment(paid)) = paid else { return Err(Mismatch::Kind.into()) };
        let derived = [
            (Mismatch::Amount, paid.amount == means.leaf.amount && paid.fees.is_none()),
            (Mismatch::Reference, paid.reference == means.leaf.reference),
            (Mismatch::Payee, paid.payee == means.leaf.payee),
            (Mismatch::Kind, offer.give_r == means.package()),
            (Mismatch::Content, offer.give_o == Package::of(answered.data.clone())),
        ];
        if let Some((mismatch, _)) = derived.into_iter().find(|(_, same)| !same) {
            return Err(mismatch.into());
        }
        if (offer.cell.as_str(), offer.step.as_str(), offer.conf)
            != (CELL, self.line.step(), self.line.conf())
        {
            return Err(check::OfferFault::Selection.into());
        }
        self.as_ordered(&answered.data, input)?;
        let binding = binding_of(&answered.run, &answered.data, None)?;
        let mut grades = BTreeMap::new();
        if let Some(permit) = offer.permit.get(&LeafPath::first()) {
            let attached = Attached::of(talks.blobs.iter().map(|blob| blob.0.clone()));
            let permitted = Permitted { permit: permit.clone(), attached };
            let (description, keys) = (answered.data.clone().into(), &arbiter.capabilities.keys);
            let certificates = self.certificates(&arbiter);
            let grade =
                DataManager::new().check_permit(&description, &permitted, &binding, keys, &certificates)?;
            grades.insert(LeafPath::first(), grade);
        }
        let wants = BTreeMap::from([(LeafPath::first(), Expectation::from(self.plan.wants.clone()))]);
        let expected = Expected {
            run: &answered.run,
            propose: &propose,
            answer: &answer,
            third_parties: &capabilities(std::slice::from_ref(&arbiter)),
            wants: &wants,
            clauses: &[clause()],
            terms: self.plan.intent.terms.map(|terms| terms.statement_sha256),
            third_party: &arbiter.facts(),
            now: input.at,
        };
        Ok(check::offer(offer.clone(), grades, &[fetched], &expected)?)
    }

    /// Under terms, what is bought is what the signed order is over, to the byte.
    fn as_ordered(&self, data: &DataDescription, input: &Input) -> Result<(), SaleFault> {
        let (Some(ordering), Some(agreed)) = (&self.ordering, &input.agreed) else { return Ok(()) };
        let (price, what) = ordering.bargain(agreed, self.line.step()).ok_or(SaleFault::OutOfPlace)?;
        let same = what.content == ContentId::Bytes(data.plain)
            && (what.length, what.media.as_str(), what.title.as_str())
                == (data.length, data.media.as_str(), data.title.as_str());
        match (same, price == self.plan.price) {
            (true, true) => Ok(()),
            (false, _) => Err(Mismatch::Content.into()),
            (_, false) => Err(Mismatch::Amount.into()),
        }
    }

    pub(super) fn certificates(&self, arbiter: &Arbiter) -> BTreeMap<Digest, PublicKey> {
        let Intent { me, peer, .. } = &self.plan.intent;
        let mut keys = self.plan.banks.clone();
        keys.extend([
            (me.certificate, me.key),
            (peer.certificate, peer.key),
            (arbiter.certificate, arbiter.key),
        ]);
        keys
    }

    /// OFFER is not taken: the seller is told, so that it can withdraw it, and both are kept.
    fn decline(&mut self, offer: &Verified<Proposal>, run: &Run, fault: &SaleFault, input: &Input) -> Taken {
        let agr = Some(offer.digest());
        let common =
            run.common(Role::Responder, Role::Originator, agr, agr, input.at).ok_or(SaleFault::OutOfPlace)?;
        let draft = Draft::of(&Decline { common, reason: DeclineReason::Checks })?;
        self.line.hush();
        let mut outputs = self.line.sign(draft, Destination::Exchange(Vec::new()));
        self.stage = Stage::Refused(fault.code().to_owned());
        outputs.extend([
            Output::Keep(offer.bytes().clone()),
            Output::Fault(fault.code()),
            Output::Tell(Code::U17),
            Output::Ended(Outcome::Nothing),
        ]);
        Ok(outputs)
    }
}
