//! The seller of a sale: the server of its deal, the payee, the originator of its exchange.
//!
//! ```text
//! Opening --deal-open--> Ready --PROPOSE--> Choosing --neg-s--> Confirming --neg-c signed--> Trading
//!    \--------------------\--- a fault, a no, a stop: nothing is committed ---/       (the originator's states)
//!     v                                                                                    v
//!    Refused                                                                           Exchanged
//! ```
//!
//! **Invariant.** The key leaves only after the bank's own record of the payment is here, and never after the
//! third party was asked. Until OFFER is signed nothing is owed.

mod closing;
mod offer;
mod opening;
mod ordering;
mod question;
mod talks;
mod trade;

use std::collections::BTreeMap;

use semper_exchange::{
    deadlines::Deadlines,
    generatable_verifiable::{Originator, originator},
    run::Run,
    select::Selected,
    tell::Code,
    xid::Nonce,
};
use semper_supporting::{
    comm::envelope::Conversation,
    crypto::{digest::Digest, seal::ContentKey, signature::PublicKey},
    deal::{DealContext, DealId},
    evidence::{SignedBytes, Verified, statement::Bytes},
    fault::Fault as _,
    machine::{Machine, Refused, Step},
    money::Money,
};
use semper_transfer::{description::DataDescription, payment::module};
use serde::{Deserialize, Serialize};

use crate::{
    deal::{DealFault, House, Outcome, Party, Server},
    sale::{
        Arbiter, Event, Input, Output, SaleFault, SaleMessage, Taken, Timer,
        line::{Came, Destination, Line, verified},
        money::{Means, Payment},
        ordering::{Ordering, Orders as _, Parting},
        view::{End, Remembered, SaleStep, SaleView},
    },
};

/// A sealed file and the key it is sealed under.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Goods {
    /// What it is.
    pub description: DataDescription,
    /// Its key.
    pub key: ContentKey,
}

/// What a seller sells, and whom it trusts.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SellerPlan {
    /// The deals it opens.
    pub house: House,
    /// DER of its certificates, that of the signing key first, to be shown at the opening.
    pub chain: Vec<Bytes>,
    /// What it sells.
    pub goods: Goods,
    /// What it asks for it.
    pub price: Money,
    /// The third parties of its house, with what they can do.
    pub arbiters: Vec<Arbiter>,
    /// The keys of the banks at which it has tills, by certificate.
    pub banks: BTreeMap<Digest, PublicKey>,
    /// How long it waits.
    pub deadlines: Deadlines,
}

/// The seller of one sale.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Seller {
    plan: Box<SellerPlan>,
    line: Line,
    stage: Stage,
    ordering: Option<Box<Ordering>>,
    shown: Remembered,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Stage {
    Opening(Box<Server>),
    Ordering(Box<Known>),
    Over(Parting),
    Ready(Box<Known>),
    Choosing(Box<Known>, Box<Talks>),
    Confirming(Box<Known>, Box<Talks>),
    Trading(Box<Trade>),
    Refused(String),
}

/// The deal and the buyer in it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Known {
    context: DealContext,
    buyer: Party,
}

/// What was settled between PROPOSE and OFFER.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Talks {
    propose: SignedBytes,
    answer: Digest,
    selected: Selected,
    run: Run,
    nonces: (Nonce, Nonce),
    neg_p: Digest,
    neg_s: Option<SignedBytes>,
    neg_c: Option<Digest>,
}

/// The exchange, once OFFER is written.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Trade {
    context: DealContext,
    buyer: Party,
    machine: Originator,
    means: Means,
    payment: Payment,
    closing: (bool, bool, bool),
    parted: Option<(Outcome, Option<Money>)>,
}

impl Machine for Seller {
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

impl Seller {
    /// A seller to whom nothing was said yet.
    pub fn new(plan: SellerPlan) -> Self {
        let server = Server::Listening(Box::new(plan.house.clone()));
        Self {
            plan: Box::new(plan),
            line: Line::default(),
            stage: Stage::Opening(Box::new(server)),
            ordering: None,
            shown: Remembered::default(),
        }
    }

    /// What is sold.
    pub fn goods(&self) -> &DataDescription {
        &self.plan.goods.description
    }

    /// The deal, once it is open.
    pub fn context(&self) -> Option<&DealContext> {
        match &self.stage {
            Stage::Ordering(known)
            | Stage::Ready(known)
            | Stage::Choosing(known, _)
            | Stage::Confirming(known, _) => Some(&known.context),
            Stage::Over(_) => self.ordering.as_ref().map(|ordering| &ordering.context),
            Stage::Trading(trade) => Some(&trade.context),
            Stage::Opening(_) | Stage::Refused(_) => None,
        }
    }

    /// The name of the deal, from our own `deal-accept` on.
    fn deal(&self) -> Option<DealId> {
        let accepted = match &self.stage {
            Stage::Opening(server) => match &**server {
                Server::Accepted(context, ..) | Server::Open(context, _) => Some(context.id),
                Server::Listening(_) | Server::Refused => None,
            },
            _ => None,
        };
        accepted.or_else(|| self.context().map(|context| context.id))
    }

    /// Whether nothing can change any more.
    pub fn has_ended(&self) -> bool {
        match &self.stage {
            Stage::Refused(_) => true,
            Stage::Trading(trade) => trade.closing == (true, true, true),
            Stage::Over(over) => over.closing.is_whole(),
            _ => false,
        }
    }

    /// Where it stands, for consoles and logs.
    pub fn view(&self) -> SaleView {
        let trade = match &self.stage {
            Stage::Trading(trade) => Some(&**trade),
            _ => None,
        };
        let (step, end) = match &self.stage {
            Stage::Opening(_) => (SaleStep::Opening, None),
            Stage::Ordering(_) => (SaleStep::Ordering, None),
            Stage::Over(over) => (SaleStep::Ended, Some(End::Terms(over.end.clone()))),
            Stage::Ready(_) => (SaleStep::Negotiating, None),
            Stage::Choosing(..) | Stage::Confirming(..) => (SaleStep::Means, None),
            Stage::Refused(code) => (SaleStep::Ended, Some(End::Refused(code.clone()))),
            Stage::Trading(trade) => (trade.step(), trade.outcome().map(End::Exchanged)),
        };
        let buyer = match &self.stage {
            Stage::Ordering(known)
            | Stage::Ready(known)
            | Stage::Choosing(known, _)
            | Stage::Confirming(known, _) => Some(&known.buyer),
            Stage::Trading(trade) => Some(&trade.buyer),
            Stage::Opening(_) | Stage::Over(_) | Stage::Refused(_) => None,
        };
        SaleView {
            deal: self.deal(),
            peer: buyer.and_then(|buyer| buyer.name.clone()),
            title: Some(self.plan.goods.description.title.clone()),
            price: self.plan.price,
            step,
            code: self.shown.code,
            is_paid: trade.is_some_and(|trade| trade.payment.is_made()),
            is_delivered: trade.is_some_and(|trade| {
                matches!(
                    trade.machine,
                    Originator::Delivered(..) | Originator::Completed(..) | Originator::CompletedByT(_)
                )
            }),
            due: self.shown.due.clone(),
            end,
            is_closed: self.has_ended(),
            fault: self.shown.fault.clone(),
        }
    }

    fn on(&mut self, input: &Input) -> Taken {
        match &input.event {
            Event::Begin | Event::Fetched(_) | Event::Opened(_) => Err(SaleFault::OutOfPlace),
            Event::Up(session) => self.line.up(*session, input.at),
            Event::Frame(frame, shown) => match self.line.hear(frame, input.at)? {
                Came::Again(outputs) => Ok(outputs),
                Came::Message(message, before) => {
                    let taken = self.tried(|sale| sale.heard(message, shown.as_deref(), &before, input));
                    taken.or_else(|fault| Ok(self.fail(&fault)))
                }
            },
            Event::Signed(signed) => self.signed(signed, input),
            Event::Move(name, forms) => self.tried(|sale| sale.make(name, forms, input)),
            Event::Elapsed(Timer::Terms) => self.late(input),
            Event::Refused(digest) if self.is_ordering() => self.move_refused(*digest, input),
            Event::Refused(_) | Event::Stop => match &self.stage {
                Stage::Trading(_) => self.stop(input),
                Stage::Refused(_) | Stage::Over(_) => Err(SaleFault::OutOfPlace),
                _ => Ok(self.refuse(&DealFault::Declined.into())),
            },
            Event::Bank(reply) => self.paid(module::Event::Bank(reply.clone()), input),
            Event::BankSilent => self.paid(module::Event::Unreachable, input),
            Event::Elapsed(Timer::Payment) => self.paid(module::Event::Timer, input),
            Event::Third(said) => self.third(said, input),
            Event::Elapsed(Timer::Exchange(timer)) => {
                self.exchange(originator::Event::Elapsed(*timer), input)
            }
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
        self.line.hush();
        let mut outputs = Vec::new();
        if !matches!(fault, SaleFault::PeerDeclined(_)) {
            outputs.extend(self.line.send(&SaleMessage::Declined(code.to_owned())).unwrap_or_default());
        }
        self.stage = Stage::Refused(code.to_owned());
        outputs.extend([Output::Fault(code), Output::Tell(Code::U17), Output::Ended(Outcome::Nothing)]);
        outputs
    }

    /// What a fault of the other side leads to: an end before OFFER, a mere note after it.
    fn fail(&mut self, fault: &SaleFault) -> Vec<Output> {
        match self.stage {
            Stage::Trading(_) | Stage::Refused(_) | Stage::Over(_) => vec![Output::Fault(fault.code())],
            _ => self.refuse(fault),
        }
    }

    fn heard(
        &mut self,
        message: SaleMessage,
        shown: Option<&Party>,
        before: &Conversation,
        input: &Input,
    ) -> Taken {
        match message {
            SaleMessage::Declined(code) if !matches!(self.stage, Stage::Trading(_)) => {
                Err(SaleFault::PeerDeclined(code))
            }
            SaleMessage::Declined(_) => Err(SaleFault::OutOfPlace),
            SaleMessage::Deal { signed, .. } => match &self.stage {
                Stage::Opening(_) => self.opening(signed, shown, input),
                Stage::Trading(_) | Stage::Over(_) => self.closed(signed, before, input),
                _ => Err(SaleFault::OutOfPlace),
            },
            SaleMessage::Payment(signed) => match &self.stage {
                Stage::Choosing(..) => self.confirm(signed, input),
                _ => Err(SaleFault::OutOfPlace),
            },
            SaleMessage::Exchange { signed, beside } => match &self.stage {
                Stage::Ordering(_) | Stage::Over(_) => self.moved(signed, &beside, input),
                Stage::Ready(_) => self.answer(signed, input),
                Stage::Trading(_) => self.said(signed, beside, input),
                _ => Err(SaleFault::OutOfPlace),
            },
        }
    }

    fn arbiter(&self, context: &DealContext) -> Result<Arbiter, SaleFault> {
        let named = context.attributes.third_party;
        let found = self.plan.arbiters.iter().find(|one| Some(one.certificate) == named);
        found.cloned().ok_or(SaleFault::Unselectable(semper_exchange::select::Unselectable::ThirdParty))
    }

    /// A document of our own.
    fn own<T: semper_supporting::evidence::Signable>(
        &self,
        digest: &Digest,
    ) -> Result<Verified<T>, SaleFault> {
        let signed = self.line.paper(digest).cloned().ok_or(SaleFault::OutOfPlace)?;
        verified(signed, &self.plan.house.me.key)
    }

    /// Something of ours is signed: it goes where it was wanted.
    fn signed(&mut self, signed: &SignedBytes, input: &Input) -> Taken {
        let to = self.line.take_signed(signed).ok_or(SaleFault::OutOfPlace)?;
        let mut outputs = vec![Output::Keep(signed.clone())];
        match to {
            Destination::Exchanger => {
                let offer = verified(signed.clone(), &self.plan.house.me.key)?;
                outputs.extend(self.exchange(originator::Event::Signed(Box::new(offer)), input)?);
            }
            Destination::Deal if matches!(self.stage, Stage::Opening(_)) => {
                let (signed, chain) = (signed.clone(), self.plan.chain.clone());
                outputs.extend(self.line.send(&SaleMessage::Deal { signed, chain })?);
            }
            Destination::Item | Destination::Letter => return self.move_signed(signed, input),
            to => {
                outputs.extend(self.line.dispatch(signed.clone(), to)?);
                let confirmed = matches!(&self.stage, Stage::Confirming(_, talks) if talks.neg_c == Some(signed.digest()));
                if confirmed {
                    let offered = self.tried(|sale| sale.offer(input));
                    outputs.extend(offered.or_else(|fault| Ok::<_, SaleFault>(self.fail(&fault)))?);
                }
            }
        }
        Ok(outputs)
    }
}
