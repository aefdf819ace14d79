//! The seller's side of the exchange: the buyer's messages, the payment, and the third party's word.

use std::collections::BTreeMap;

use semper_exchange::{
    check,
    generatable_verifiable::{self as gxv, Answer as TtpAnswer, originator},
    message::{Accept, Close, Decline, Message, Moved},
    recourse::Said,
    run::Keys,
};
use semper_supporting::{
    evidence::{SignedBytes, Verified, statement},
    fault::Fault as _,
    machine::Machine,
    party::Role,
};
use semper_transfer::payment::module::{self, BankReply};

use super::{Seller, Stage};
use crate::sale::{
    Input, Output, SaleFault, Taken, Timer,
    line::{Destination, verified},
    message::Beside,
};

impl Seller {
    /// A message of the exchange.
    pub(super) fn said(&mut self, signed: SignedBytes, beside: Vec<Beside>, input: &Input) -> Taken {
        let Stage::Trading(trade) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let key = trade.buyer.key;
        self.line.file(&signed);
        match statement::type_of(&signed.tbs)?.as_str() {
            "x/gxv/accept" => {
                let accept: Verified<Accept> = verified(signed, &key)?;
                self.exchange(originator::Event::Accepted(accept, BTreeMap::new()), input)
            }
            "x/gxv/decline" => {
                let decline: Verified<Decline> = verified(signed, &key)?;
                self.exchange(originator::Event::Declined(decline), input)
            }
            "x/gxv/moved" => {
                let moved: Verified<Moved> = verified(signed, &key)?;
                let mut outputs = self.exchange(originator::Event::Moved(moved, BTreeMap::new()), input)?;
                for one in beside {
                    if let Beside::Statement(record) = one {
                        let event = module::Event::Bank(BankReply::Signed(record));
                        outputs.extend(self.paid(event, input)?);
                    }
                }
                Ok(outputs)
            }
            "x/gxv/close" => {
                let close: Verified<Close> = verified(signed, &key)?;
                self.exchange(originator::Event::Closed(close), input)
            }
            _ => Err(SaleFault::OutOfPlace),
        }
    }

    /// Gives the machine of the exchange an event, and carries its orders over.
    pub(super) fn exchange(&mut self, event: originator::Event, input: &Input) -> Taken {
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
            gxv::Output::Deliver(_) | gxv::Output::StartTransfer(_) | gxv::Output::Proceed => Vec::new(),
            gxv::Output::Keep(digest) => {
                self.line.paper(&digest).cloned().map(Output::Keep).into_iter().collect()
            }
            gxv::Output::Observe(_) => self.paid(module::Event::Timer, input)?,
            gxv::Output::Send { to: Role::ThirdParty, draft, beside } => {
                self.line.sign(draft, Destination::Third(beside))
            }
            gxv::Output::Send { draft, beside, .. } => self.line.sign(draft, Destination::Exchange(beside)),
            gxv::Output::SendSigned { signed, beside, .. } => {
                self.line.dispatch(signed, Destination::Exchange(beside))?
            }
            gxv::Output::Set { timer, span } => vec![Output::Set { timer: Timer::Exchange(timer), span }],
            gxv::Output::Tell(code) => vec![Output::Tell(code)],
        })
    }

    /// Something about the payment; what the bank's word means goes to the exchange.
    pub(super) fn paid(&mut self, event: module::Event, input: &Input) -> Taken {
        let Stage::Trading(trade) = &mut self.stage else { return Err(SaleFault::OutOfPlace) };
        let (mut outputs, recorded) = trade.payment.step(
            &trade.means,
            &input.purses,
            event,
            &input.modules,
            input.at,
            &mut self.line,
        )?;
        if let Some(recorded) = recorded {
            let told = self.tried(|sale| sale.exchange(originator::Event::Recorded(recorded), input));
            // The record may say what is known already.
            outputs.extend(told.unwrap_or_default());
        }
        Ok(outputs)
    }

    /// The third party's answers, in its order, each with the records it rests on.
    pub(super) fn third(&mut self, said: &[Said], input: &Input) -> Taken {
        let Stage::Trading(trade) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let arbiter = self.arbiter(&trade.context)?;
        let keys = Keys::new().with(arbiter.certificate, arbiter.key);
        let mut outputs = Vec::new();
        for Said { statement, records, .. } in said {
            for record in records {
                let event = module::Event::Bank(BankReply::Signed(record.clone()));
                outputs.extend(self.tried(|sale| sale.paid(event, input)).unwrap_or_default());
            }
            match self.tried(|sale| sale.ruled(statement, &keys, input)) {
                Ok(orders) => outputs.extend(orders),
                Err(fault) => outputs.push(Output::Fault(fault.code())),
            }
        }
        Ok(outputs)
    }

    fn ruled(&mut self, statement: &SignedBytes, keys: &Keys, input: &Input) -> Taken {
        let message = check::read(statement.clone(), keys)?;
        self.line.file(statement);
        let answer = match message {
            Message::Receipt(receipt) => TtpAnswer::Receipt(receipt),
            Message::Decision(decision) => TtpAnswer::Decision(decision),
            Message::NotYet(not_yet) => TtpAnswer::NotYet(not_yet),
            Message::Pending(pending) => TtpAnswer::Pending(pending),
            Message::Reject(reject) => TtpAnswer::Reject(reject),
            _ => return Err(SaleFault::OutOfPlace),
        };
        self.exchange(originator::Event::Answered(Box::new(answer)), input)
    }
}
