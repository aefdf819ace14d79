//! The buyer's side of the exchange: the payment, the key that comes for it, and the third party's word.

use std::collections::BTreeMap;

use semper_exchange::{
    check,
    generatable_verifiable::{self as gxv, Answer as TtpAnswer, responder},
    message::{Draft, Item, Message, Outcome as TtpOutcome, Proposal, Replacement},
    recourse::Said,
    run::Keys,
};
use semper_supporting::{
    crypto::{
        digest::Digest,
        seal::{ContentKey, Measured},
    },
    evidence::{SignedBytes, Verified},
    fault::Fault as _,
    machine::Machine,
    party::Role,
};
use semper_transfer::{
    data::DataManager,
    description::Description,
    fault::Mismatch,
    package::LeafPath,
    payment::{
        self, Op,
        message::Query,
        module::{self, BankReply},
    },
    property::{Accepted, Decided, ExchangeEnabled as _, Generated, Got, Replacement as Replaced},
};

use super::{Buyer, Opening, Stage};
use crate::sale::{
    Input, Output, SaleFault, Taken, Timer, binding_of, fresh16,
    line::{Destination, verified},
    message::Beside,
    money::Payment,
    transaction,
};

impl Buyer {
    /// Gives the machine of the exchange an event, and carries its orders over.
    pub(super) fn exchange(&mut self, event: responder::Event, input: &Input) -> Taken {
        let Stage::Trading(trade) = &mut self.stage else { return Err(SaleFault::OutOfPlace) };
        let step = trade.machine.clone().step(gxv::Input { at: input.at, event });
        if let (Some(why), true) = (step.refused, step.outputs.is_empty()) {
            return Err(why.into());
        }
        trade.machine = step.state;
        let mut outputs = Vec::new();
        for order in step.outputs {
            outputs.extend(self.order(order, input)?);
        }
        Ok(outputs)
    }

    fn order(&mut self, order: gxv::Output, input: &Input) -> Taken {
        Ok(match order {
            gxv::Output::Ask(draft) => self.line.ask(draft, Destination::Exchanger),
            gxv::Output::Deliver(_) => Vec::new(),
            gxv::Output::Keep(digest) => {
                self.line.paper(&digest).cloned().map(Output::Keep).into_iter().collect()
            }
            gxv::Output::Observe(_) => self.observe(input)?,
            gxv::Output::Proceed => self.exchange(responder::Event::Go, input)?,
            gxv::Output::Send { to: Role::ThirdParty, draft, beside } => {
                self.line.sign(draft, Destination::Third(beside))
            }
            gxv::Output::Send { draft, beside, .. } => self.line.sign(draft, Destination::Exchange(beside)),
            gxv::Output::SendSigned { signed, beside, .. } => {
                self.line.dispatch(signed, Destination::Exchange(beside))?
            }
            gxv::Output::Set { timer, span } => vec![Output::Set { timer: Timer::Exchange(timer), span }],
            gxv::Output::StartTransfer(_) => self.pay(input)?,
            gxv::Output::Tell(code) => vec![Output::Tell(code)],
        })
    }

    /// Begins to pay, once. If the purse cannot any more, the third party is asked to undo what was agreed.
    fn pay(&mut self, input: &Input) -> Taken {
        let Stage::Trading(trade) = &mut self.stage else { return Err(SaleFault::OutOfPlace) };
        if trade.payment.is_some() {
            return Ok(Vec::new());
        }
        let purse = input.purses.iter().find(|purse| purse.id == trade.purse);
        let op = Op::Pay(trade.means.order.clone());
        let begun = purse.ok_or(payment::PayError::NotSupported.into()).and_then(|purse| {
            let tx = transaction(&input.chance);
            Payment::begin(&trade.means, purse, op, tx, &input.modules, input.at, &mut self.line)
        });
        match begun {
            Ok((payment, outputs)) => {
                trade.payment = Some(payment);
                Ok(outputs)
            }
            Err(fault) => {
                let mut outputs = vec![Output::Fault(fault.code())];
                outputs.extend(self.exchange(responder::Event::Stopped, input)?);
                Ok(outputs)
            }
        }
    }

    /// Something about the payment; what the bank's word means goes to the exchange.
    pub(super) fn paying(&mut self, event: module::Event, input: &Input) -> Taken {
        let Stage::Trading(trade) = &mut self.stage else { return Err(SaleFault::OutOfPlace) };
        let (mut outputs, recorded) = match (&mut trade.payment, &event) {
            (Some(payment), _) => {
                payment.step(&trade.means, &input.purses, event, &input.modules, input.at, &mut self.line)?
            }
            (None, module::Event::Bank(BankReply::Signed(signed))) => {
                let recorded = trade.means.frozen(signed.clone());
                if recorded.is_some() {
                    self.line.file(signed);
                }
                (Vec::new(), recorded)
            }
            (None, _) => return Err(SaleFault::OutOfPlace),
        };
        if let Some(recorded) = recorded {
            let told = self.tried(|sale| sale.exchange(responder::Event::Recorded(recorded), input));
            // The record may say what is known already.
            outputs.extend(told.unwrap_or_default());
        }
        Ok(outputs)
    }

    /// Asks the bank what it has recorded.
    fn observe(&mut self, input: &Input) -> Taken {
        let Stage::Trading(trade) = &mut self.stage else { return Err(SaleFault::OutOfPlace) };
        let Some(purse) = input.purses.iter().find(|purse| purse.id == trade.purse) else {
            return Ok(Vec::new());
        };
        trade.queries = trade.queries.saturating_add(1);
        let query = Query {
            to: trade.means.bank.kid(),
            signer: purse.key,
            msg: payment::MsgId::from_bytes(fresh16("query", &input.chance)),
            account: Some(purse.account),
            reference: trade.means.order.reference,
            at: input.at.whole_seconds(),
        };
        Ok(self.line.sign(Draft::of(&query)?, Destination::Bank(trade.means.bank.kid())))
    }

    /// ITEM: a key that fits its commitment is tried on the sealed file; any other is a mismatch at once.
    pub(super) fn item(&mut self, signed: SignedBytes, beside: &[Beside], input: &Input) -> Taken {
        let Stage::Trading(trade) = &mut self.stage else { return Err(SaleFault::OutOfPlace) };
        let item: Verified<Item> = verified(signed, &self.plan.intent.peer.key)?;
        self.line.file(item.bytes());
        let wanted = item.content.get(&LeafPath::first()).copied();
        let key = beside.iter().find_map(|one| match one {
            Beside::Blob(blob) if Some(Digest::of(&blob.0)) == wanted => content_key(&blob.0),
            Beside::Blob(_) | Beside::Statement(_) => None,
        });
        match key.filter(|key| trade.data.key == Some(key.commitment())) {
            Some(key) => {
                let sealed = trade.data.sealed.ok_or(SaleFault::OutOfPlace)?;
                trade.key = Some(Opening { key: key.clone(), by: item.bytes().clone() });
                Ok(vec![Output::Open { key, sealed }])
            }
            None => {
                let verdicts = BTreeMap::from([(LeafPath::first(), Err(Mismatch::Key))]);
                self.exchange(responder::Event::Delivered(item, verdicts), input)
            }
        }
    }

    /// The key was tried: what it gave is held against the description.
    pub(super) fn opened(&mut self, measured: Option<Measured>, input: &Input) -> Taken {
        let Stage::Trading(trade) = &mut self.stage else { return Err(SaleFault::OutOfPlace) };
        let Opening { key, by } = trade.key.take().ok_or(SaleFault::OutOfPlace)?;
        let run = trade.machine.desk().map(|desk| desk.run.clone()).ok_or(SaleFault::OutOfPlace)?;
        let binding = binding_of(&run, &trade.data, Some(trade.offer))?;
        let description = Description::from(trade.data.clone());
        let (decision, data_offer) = (trade.decision.clone(), trade.offer);
        let arbiter = self.arbiter(&self.context().cloned().ok_or(SaleFault::OutOfPlace)?)?;
        let certificates = self.certificates(&arbiter);
        if let Ok(item) = verified::<Item>(by.clone(), &self.plan.intent.peer.key) {
            let got = Got::Data { key, measured };
            let verdict = DataManager::new().verify_received(&description, &got, &binding, &certificates);
            let verdicts = BTreeMap::from([(LeafPath::first(), verdict)]);
            return self.exchange(responder::Event::Delivered(item, verdicts), input);
        }
        let message: Verified<Replacement> = verified(by, &arbiter.key)?;
        let decision: Verified<semper_exchange::message::Decision> =
            verified(decision.ok_or(SaleFault::OutOfPlace)?, &arbiter.key)?;
        let offer = self.line.paper(&data_offer).cloned().ok_or(SaleFault::OutOfPlace)?;
        let offer: Verified<Proposal> = verified(offer, &self.plan.intent.peer.key)?;
        let permit = offer.permit.get(&LeafPath::first()).ok_or(SaleFault::OutOfPlace)?;
        let replaced = Replaced {
            binding: binding.clone(),
            grade: message.grade,
            content: Generated::Key(key),
            measured,
            decided: Some(Decided {
                xid: binding.xid,
                agreement: decision.offer,
                by: arbiter.certificate,
                completed: decision.outcome == TtpOutcome::Completed,
                decision: decision.digest(),
            }),
        };
        let verdict: Result<Accepted, Mismatch> =
            DataManager::new().verify_replacement(&description, permit, &replaced, &binding, &certificates);
        let answer = TtpAnswer::Replacement(message, verdict);
        self.exchange(responder::Event::Answered(Box::new(answer)), input)
    }

    /// The third party's answers, in its order, each with the records it rests on.
    pub(super) fn third(&mut self, said: &[Said], input: &Input) -> Taken {
        let Stage::Trading(trade) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let arbiter = self.arbiter(&trade.context)?;
        let keys = Keys::new().with(arbiter.certificate, arbiter.key);
        let mut outputs = Vec::new();
        for Said { statement, records, made } in said {
            for record in records {
                let event = module::Event::Bank(BankReply::Signed(record.clone()));
                outputs.extend(self.tried(|sale| sale.paying(event, input)).unwrap_or_default());
            }
            match self.tried(|sale| sale.answer(statement, made.as_ref(), &keys, input)) {
                Ok(orders) => outputs.extend(orders),
                Err(fault) => outputs.push(Output::Fault(fault.code())),
            }
        }
        Ok(outputs)
    }

    fn answer(
        &mut self,
        statement: &SignedBytes,
        made: Option<&Generated>,
        keys: &Keys,
        input: &Input,
    ) -> Taken {
        let message = check::read(statement.clone(), keys)?;
        self.line.file(statement);
        let Stage::Trading(trade) = &mut self.stage else { return Err(SaleFault::OutOfPlace) };
        let answer = match message {
            Message::Receipt(receipt) => TtpAnswer::Receipt(receipt),
            Message::Decision(decision) => {
                trade.decision.get_or_insert_with(|| statement.clone());
                TtpAnswer::Decision(decision)
            }
            Message::NotYet(not_yet) => TtpAnswer::NotYet(not_yet),
            Message::Pending(pending) => TtpAnswer::Pending(pending),
            Message::Reject(reject) => TtpAnswer::Reject(reject),
            Message::Replacement(_) => {
                let Some(Generated::Key(key)) = made else { return Err(Mismatch::Kind.into()) };
                let sealed = trade.data.sealed.ok_or(SaleFault::OutOfPlace)?;
                if trade.data.key != Some(key.commitment()) {
                    return Err(Mismatch::Key.into());
                }
                trade.key = Some(Opening { key: key.clone(), by: statement.clone() });
                return Ok(vec![Output::Open { key: key.clone(), sealed }]);
            }
            _ => return Err(SaleFault::OutOfPlace),
        };
        self.exchange(responder::Event::Answered(Box::new(answer)), input)
    }
}

fn content_key(bytes: &[u8]) -> Option<ContentKey> {
    bytes.try_into().ok().map(ContentKey::from_bytes)
}
