//! The buyer of a sale: the client of its deal, the payer, the responder of its exchange.
//!
//! ```text
//! Opening --opened--> Proposing --ANSWER--> Choosing --neg-p--> Selecting --neg-c--> Expecting --OFFER--> Trading
//!    \-------------------\---- a fault, a no, a stop: nothing is committed ----/            (the responder's states)
//!     v                                                                                          v
//!    Refused                                                                                 Exchanged
//! ```
//!
//! **Invariant.** Before ACCEPT is signed nothing is owed, and the sale may end at any moment. ACCEPT is put
//! before the user only for an OFFER whose every line is what this side derived itself: the data of ANSWER,
//! the payment of the agreement about the means, the protocol that `select` gives, with the sealed file here.

mod closing;
mod offer;
mod opening;
mod ordering;
mod question;
mod talks;
mod trade;

use std::collections::BTreeMap;

use semper_exchange::{
    generatable_verifiable::{Responder, responder},
    run::Run,
    select::Selected,
    tell::Code,
};
use semper_supporting::{
    comm::envelope::Conversation,
    crypto::{digest::Digest, seal::ContentKey, signature::PublicKey},
    deal::DealContext,
    evidence::{SignedBytes, statement::Bytes},
    fault::Fault as _,
    machine::{Machine, Refused, Step},
    money::Money,
};
use semper_transfer::{
    description::DataDescription,
    expectation::DataExpectation,
    payment::{PurseId, module},
};
use serde::{Deserialize, Serialize};

use crate::{
    deal::{Client, DealFault, Intent, Outcome},
    sale::{
        Arbiter, Event, Input, Output, SaleFault, SaleMessage, Taken, Timer,
        line::{Came, Destination, Line, verified},
        money::{Means, Payment},
        ordering::{Closing, Ordering, Orders as _, Parting},
        view::{End, Remembered, SaleStep, SaleView},
    },
};

/// What a buyer wants, and whom it trusts.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BuyerPlan {
    /// The deal it wants to open. Its modules must name `exchange/gxv`.
    pub intent: Intent,
    /// DER of its certificates, that of the signing key first, to be shown at the opening.
    pub chain: Vec<Bytes>,
    /// What it wants.
    pub wants: DataExpectation,
    /// What it gives for it.
    pub price: Money,
    /// The third parties of its intent, with what they can do.
    pub arbiters: Vec<Arbiter>,
    /// The keys of the banks it knows, by certificate.
    pub banks: BTreeMap<Digest, PublicKey>,
}

/// The buyer of one sale.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Buyer {
    plan: Box<BuyerPlan>,
    line: Line,
    stage: Stage,
    ordering: Option<Box<Ordering>>,
    shown: Remembered,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Stage {
    Opening(Box<Client>),
    Ordering,
    Over(Parting),
    Proposing(Box<Talks>),
    Choosing(Box<Talks>),
    Selecting(Box<Talks>),
    Expecting(Box<Talks>),
    Trading(Box<Trade>),
    Refused(String),
}

/// What was settled so far between opening and OFFER.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Talks {
    context: DealContext,
    propose: Digest,
    answer: Option<Answered>,
    neg_p: Option<SignedBytes>,
    neg_s: Option<Digest>,
    purse: Option<PurseId>,
    means: Option<Means>,
    fetched: Option<Digest>,
    offer: Option<SignedBytes>,
    blobs: Vec<Bytes>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Answered {
    signed: SignedBytes,
    selected: Selected,
    run: Run,
    data: DataDescription,
}

/// The exchange, once an OFFER was taken.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Trade {
    context: DealContext,
    machine: Responder,
    means: Means,
    purse: PurseId,
    payment: Option<Payment>,
    data: DataDescription,
    offer: Digest,
    key: Option<Opening>,
    decision: Option<SignedBytes>,
    queries: u32,
    closing: Closing,
}

/// A key that is being tried on the sealed file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Opening {
    key: ContentKey,
    by: SignedBytes,
}

impl Machine for Buyer {
    type Input = Input;
    type Output = Output;

    fn step(self, input: Input) -> Step<Self> {
        let mut before = self.clone();
        let mut next = self;
        match next.on(&input).and_then(|mut outputs| {
            outputs.extend(next.close(&input)?);
            Ok(outputs)
        }) {
            // A frame that changes nothing was here before.
            Ok(outputs) if next == before && matches!(input.event, Event::Frame(..)) => {
                Step::refuse(before, Refused::Repeated).orders(outputs)
            }
            Ok(outputs) => {
                next.shown.note(&outputs, input.at);
                Step::to(next).orders(outputs)
            }
            Err(fault) => {
                before.shown.fault = Some(fault.code().to_owned());
                Step { outputs: vec![Output::Fault(fault.code())], ..Step::refuse(before, Refused::Mismatch) }
            }
        }
    }
}

impl Buyer {
    /// A buyer that has said nothing yet.
    pub fn new(plan: BuyerPlan) -> Self {
        let client = Client::Ready(Box::new(plan.intent.clone()));
        Self {
            plan: Box::new(plan),
            line: Line::default(),
            stage: Stage::Opening(Box::new(client)),
            ordering: None,
            shown: Remembered::default(),
        }
    }

    /// The client of its deal, which an open deal is asked of; nothing once the deal is open and used.
    pub fn context(&self) -> Option<&DealContext> {
        match &self.stage {
            Stage::Opening(client) => match &**client {
                Client::Open(context) => Some(context),
                Client::Ready(_) | Client::Proposed(..) | Client::Refused => None,
            },
            Stage::Proposing(talks)
            | Stage::Choosing(talks)
            | Stage::Selecting(talks)
            | Stage::Expecting(talks) => Some(&talks.context),
            Stage::Trading(trade) => Some(&trade.context),
            Stage::Ordering | Stage::Over(_) => self.ordering.as_ref().map(|ordering| &ordering.context),
            Stage::Refused(_) => None,
        }
    }

    /// What is bought, once its offer was taken.
    pub fn data(&self) -> Option<&DataDescription> {
        match &self.stage {
            Stage::Trading(trade) => Some(&trade.data),
            _ => None,
        }
    }

    /// Whether nothing can change any more.
    pub fn has_ended(&self) -> bool {
        match &self.stage {
            Stage::Refused(_) => true,
            Stage::Trading(trade) => trade.closing.is_whole(),
            Stage::Over(over) => over.closing.is_whole(),
            _ => false,
        }
    }

    /// Where it stands, for windows and logs.
    pub fn view(&self) -> SaleView {
        let trade = match &self.stage {
            Stage::Trading(trade) => Some(&**trade),
            _ => None,
        };
        let (step, end) = match &self.stage {
            Stage::Opening(_) => (SaleStep::Opening, None),
            Stage::Ordering => (SaleStep::Ordering, None),
            Stage::Over(over) => (SaleStep::Ended, Some(End::Terms(over.end.clone()))),
            Stage::Proposing(_) => (SaleStep::Negotiating, None),
            Stage::Choosing(_) | Stage::Selecting(_) => (SaleStep::Means, None),
            Stage::Expecting(_) => (SaleStep::Offering, None),
            Stage::Refused(code) => (SaleStep::Ended, Some(End::Refused(code.clone()))),
            Stage::Trading(trade) => (trade.step(), trade.outcome().map(End::Exchanged)),
        };
        let delivered = trade.is_some_and(|trade| {
            matches!(trade.machine, Responder::Completed(..) | Responder::CompletedByT(_))
        });
        SaleView {
            deal: self.context().map(|context| context.id),
            peer: self.plan.intent.peer.name.clone(),
            title: trade.map(|trade| trade.data.title.clone()).or(self.plan.wants.title.clone()),
            price: self.plan.price,
            step,
            code: self.shown.code,
            is_paid: trade.is_some_and(|trade| trade.payment.as_ref().is_some_and(Payment::is_made)),
            is_delivered: delivered,
            due: self.shown.due.clone(),
            end,
            is_closed: self.has_ended(),
            fault: self.shown.fault.clone(),
        }
    }

    fn on(&mut self, input: &Input) -> Taken {
        match &input.event {
            Event::Begin => {
                let taken = self.tried(|sale| sale.begin(input));
                taken.or_else(|fault| Ok(self.refuse(&fault)))
            }
            Event::Up(session) => self.line.up(*session, input.at),
            Event::Frame(frame, _) => match self.line.hear(frame, input.at)? {
                Came::Again(outputs) => Ok(outputs),
                Came::Message(message, before) => {
                    let taken = self.tried(|sale| sale.heard(message, &before, input));
                    taken.or_else(|fault| Ok(self.fail(&fault)))
                }
            },
            Event::Signed(signed) => self.signed(signed, input),
            Event::Refused(digest) => self.refused(*digest, input),
            Event::Fetched(found) => {
                let taken = self.tried(|sale| sale.fetched(*found, input));
                taken.or_else(|fault| Ok(self.fail(&fault)))
            }
            Event::Opened(measured) => self.opened(*measured, input),
            Event::Bank(reply) => self.paying(module::Event::Bank(reply.clone()), input),
            Event::BankSilent => self.paying(module::Event::Unreachable, input),
            Event::Move(name, forms) => self.tried(|sale| sale.make(name, forms, input)),
            Event::Elapsed(Timer::Terms) => self.late(input),
            Event::Elapsed(Timer::Payment) => self.paying(module::Event::Timer, input),
            Event::Third(said) => self.third(said, input),
            Event::Elapsed(Timer::Exchange(timer)) => self.exchange(responder::Event::Elapsed(*timer), input),
            Event::Stop => match &self.stage {
                Stage::Trading(_) => self.exchange(responder::Event::Stopped, input),
                Stage::Refused(_) | Stage::Over(_) => Err(SaleFault::OutOfPlace),
                _ => Ok(self.refuse(&DealFault::Declined.into())),
            },
        }
    }

    /// Takes what `attempt` does as a whole: what fails on its way leaves everything as it was, since its orders
    /// are lost.
    fn tried(&mut self, attempt: impl FnOnce(&mut Self) -> Taken) -> Taken {
        let before = self.clone();
        attempt(self).inspect_err(|_| *self = before)
    }

    /// Ends the sale before anything was committed, and says so.
    fn refuse(&mut self, fault: &SaleFault) -> Vec<Output> {
        let code = fault.code();
        let had_said = !matches!(&self.stage, Stage::Opening(client) if matches!(**client, Client::Ready(_)));
        self.line.hush();
        let mut outputs = Vec::new();
        if had_said && !matches!(fault, SaleFault::PeerDeclined(_)) {
            outputs.extend(self.line.send(&SaleMessage::Declined(code.to_owned())).unwrap_or_default());
        }
        self.stage = Stage::Refused(code.to_owned());
        outputs.extend([Output::Fault(code), Output::Tell(Code::U17), Output::Ended(Outcome::Nothing)]);
        outputs
    }

    /// What a fault of the other side leads to: an end before ACCEPT, a mere note after it.
    fn fail(&mut self, fault: &SaleFault) -> Vec<Output> {
        match self.stage {
            Stage::Trading(_) | Stage::Refused(_) | Stage::Over(_) => vec![Output::Fault(fault.code())],
            _ => self.refuse(fault),
        }
    }

    fn heard(&mut self, message: SaleMessage, before: &Conversation, input: &Input) -> Taken {
        match message {
            SaleMessage::Declined(code) if !matches!(self.stage, Stage::Trading(_)) => {
                Err(SaleFault::PeerDeclined(code))
            }
            SaleMessage::Declined(_) => Err(SaleFault::OutOfPlace),
            SaleMessage::Deal { signed, .. } => match &self.stage {
                Stage::Opening(_) => self.accepted(signed, input),
                Stage::Trading(_) | Stage::Over(_) => self.closed(signed, before, input),
                _ => Err(SaleFault::OutOfPlace),
            },
            SaleMessage::Payment(signed) => match &self.stage {
                Stage::Choosing(_) => self.choose(signed, input),
                Stage::Selecting(_) => self.confirmed(signed, input),
                _ => Err(SaleFault::OutOfPlace),
            },
            SaleMessage::Exchange { signed, beside } => match &self.stage {
                Stage::Ordering | Stage::Over(_) => self.moved(signed, &beside, input),
                Stage::Proposing(_) => self.answered(signed, input),
                Stage::Expecting(_) => self.offered(signed, beside, input),
                Stage::Trading(_) => self.item(signed, &beside, input),
                _ => Err(SaleFault::OutOfPlace),
            },
        }
    }

    /// Something of ours is signed: it goes where it was wanted.
    fn signed(&mut self, signed: &SignedBytes, input: &Input) -> Taken {
        let to = self.line.take_signed(signed).ok_or(SaleFault::OutOfPlace)?;
        match to {
            Destination::Exchanger => {
                let accept = verified(signed.clone(), &self.plan.intent.me.key)?;
                let mut outputs = vec![Output::Keep(signed.clone())];
                outputs.extend(self.exchange(responder::Event::Signed(Box::new(accept)), input)?);
                Ok(outputs)
            }
            Destination::Deal if matches!(self.stage, Stage::Opening(_)) => {
                self.opening_signed(signed, input)
            }
            Destination::Item | Destination::Letter => self.move_signed(signed, input),
            to => {
                let mut outputs = vec![Output::Keep(signed.clone())];
                outputs.extend(self.line.dispatch(signed.clone(), to)?);
                Ok(outputs)
            }
        }
    }

    fn refused(&mut self, digest: Digest, input: &Input) -> Taken {
        match &self.stage {
            Stage::Trading(trade) if matches!(&trade.machine, Responder::Asking(_, accept) if accept.digest() == digest) => {
                self.exchange(responder::Event::Refused, input)
            }
            Stage::Ordering => self.move_refused(digest, input),
            Stage::Trading(_) | Stage::Refused(_) | Stage::Over(_) => Err(SaleFault::OutOfPlace),
            _ => Ok(self.refuse(&DealFault::Declined.into())),
        }
    }

    fn arbiter(&self, context: &DealContext) -> Result<Arbiter, SaleFault> {
        let named = context.attributes.third_party;
        let found = self.plan.arbiters.iter().find(|one| Some(one.certificate) == named);
        found.cloned().ok_or(SaleFault::Unselectable(semper_exchange::select::Unselectable::ThirdParty))
    }
}
