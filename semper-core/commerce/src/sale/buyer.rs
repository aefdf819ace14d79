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

use std::collections::BTreeMap;

use semper_exchange::{
    check::{self, Expected},
    generatable_verifiable::{
        self as gxv, Answer as TtpAnswer, Responder,
        responder::{self},
    },
    message::{
        Answer, Common, Decline, DeclineReason, Draft, Item, Message, Outcome as TtpOutcome, Proposal,
        Propose, Replacement,
        negotiation::{View, Ways, Willing},
    },
    recourse::Said,
    run::{Keys, Run},
    select::{Selected, least_level, select},
    tell::Code,
    xid::Nonce,
};
use semper_supporting::{
    comm::envelope::Conversation,
    crypto::{
        digest::Digest,
        seal::{ContentKey, Measured},
        signature::PublicKey,
    },
    deal::DealContext,
    evidence::{
        SignedBytes, Verified,
        statement::{Bytes, from_bytes},
    },
    fault::Fault as _,
    machine::{Machine, Refused, Step},
    money::Money,
    party::Role,
    time::{Moment, Span},
};
use semper_transfer::{
    data::DataManager,
    description::{DataDescription, Description},
    expectation::{DataExpectation, Expectation},
    fault::Mismatch,
    package::{LeafPath, Package},
    payment::{
        self, Op, PaymentAgreement, Purse, PurseId,
        message::Query,
        module::{self, BankReply},
        negotiation::{
            ChoiceKind, NegConfirm, NegError, NegPropose, NegReason, NegReject, NegSelect, Proposer,
        },
    },
    property::{
        Accepted, Attached, Binding, Class, Decided, ExchangeEnabled as _, GenGrade, Generated, Got, Grade,
        Permitted, Props, Replacement as Replaced, RevGrade, Side, VerGrade,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    Arbiter, CELL, Event, Input, MOVE, Output, SaleFault, SaleMessage, Timer, capabilities, fresh, fresh16,
    line::{Came, Destination, Line, verified},
    message::Beside,
    money::{Means, Payment, bare},
    run_of, transaction,
    view::{End, Remembered, SaleStep, SaleView},
};
use crate::deal::{
    Client, ClientInput, DealAccept, DealClose, DealFault, DealNonce, DealOpen, Intent, OpeningOutput,
    Outcome, Standing,
};

/// How much longer than a day and a margin the payment can be ordered back: four days and an hour, so that the
/// strong level holds although the answer comes a little later.
const WINDOW: Span = Span::hours(4 * 24 + 1);

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
    shown: Remembered,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Stage {
    Opening(Box<Client>),
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

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
struct Closing {
    ended: bool,
    said: bool,
    heard: bool,
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

type Taken = Result<Vec<Output>, SaleFault>;

impl Buyer {
    /// A buyer that has said nothing yet.
    pub fn new(plan: BuyerPlan) -> Self {
        let client = Client::Ready(Box::new(plan.intent.clone()));
        Self {
            plan: Box::new(plan),
            line: Line::default(),
            stage: Stage::Opening(Box::new(client)),
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
            Stage::Refused(_) => None,
        }
    }

    /// Whether nothing can change any more.
    pub fn has_ended(&self) -> bool {
        match &self.stage {
            Stage::Refused(_) => true,
            Stage::Trading(trade) => trade.closing.ended && trade.closing.said && trade.closing.heard,
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
            Event::Begin => self.begin(input).or_else(|fault| Ok(self.refuse(&fault))),
            Event::Up(session) => self.line.up(*session, input.at),
            Event::Frame(frame, _) => match self.line.hear(frame, input.at)? {
                Came::Again(outputs) => Ok(outputs),
                Came::Message(message, before) => {
                    let taken = self.heard(message, &before, input);
                    taken.or_else(|fault| Ok(self.fail(&fault)))
                }
            },
            Event::Signed(signed) => self.signed(signed, input),
            Event::Refused(digest) => self.refused(*digest, input),
            Event::Fetched(found) => {
                let taken = self.fetched(*found, input);
                taken.or_else(|fault| Ok(self.fail(&fault)))
            }
            Event::Opened(measured) => self.opened(*measured, input),
            Event::Bank(reply) => self.paying(module::Event::Bank(reply.clone()), input),
            Event::BankSilent => self.paying(module::Event::Unreachable, input),
            Event::Elapsed(Timer::Payment) => self.paying(module::Event::Timer, input),
            Event::Third(said) => self.third(said, input),
            Event::Elapsed(Timer::Exchange(timer)) => self.exchange(responder::Event::Elapsed(*timer), input),
            Event::Stop => match &self.stage {
                Stage::Trading(_) => self.exchange(responder::Event::Stopped, input),
                Stage::Refused(_) => Err(SaleFault::OutOfPlace),
                _ => Ok(self.refuse(&DealFault::Declined.into())),
            },
        }
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
            Stage::Trading(_) | Stage::Refused(_) => vec![Output::Fault(fault.code())],
            _ => self.refuse(fault),
        }
    }

    fn begin(&mut self, input: &Input) -> Taken {
        let Stage::Opening(client) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let price = self.plan.price;
        // Sums of different currencies have no order: such a price is above every ceiling.
        if !self.plan.intent.ceiling.is_none_or(|ceiling| price <= ceiling) {
            return Err(SaleFault::Ceiling);
        }
        can_pay(&input.purses, price)?;
        let nonce = DealNonce::from_bytes(fresh("deal", &input.chance));
        let step = (**client).clone().step(ClientInput::Begin(nonce, input.at));
        let outputs = step.outputs;
        self.stage = Stage::Opening(Box::new(step.state));
        self.opening(outputs)
    }

    fn opening(&mut self, outputs: Vec<OpeningOutput>) -> Taken {
        let mut orders = Vec::new();
        for output in outputs {
            match output {
                OpeningOutput::Say(draft) if draft.read::<DealOpen>().is_ok() => {
                    orders.extend(self.line.ask(draft, Destination::Deal));
                }
                OpeningOutput::Say(draft) => orders.extend(self.line.sign(draft, Destination::Deal)),
                OpeningOutput::Opened(context) => {
                    self.line.talk.name(context.id)?;
                }
                OpeningOutput::Refuse(fault) => return Err(fault.into()),
            }
        }
        Ok(orders)
    }

    fn heard(&mut self, message: SaleMessage, before: &Conversation, input: &Input) -> Taken {
        match message {
            SaleMessage::Declined(code) if !matches!(self.stage, Stage::Trading(_)) => {
                Err(SaleFault::PeerDeclined(code))
            }
            SaleMessage::Declined(_) => Err(SaleFault::OutOfPlace),
            SaleMessage::Deal { signed, .. } => match &self.stage {
                Stage::Opening(_) => self.accepted(signed, input),
                Stage::Trading(_) => self.closed(signed, before, input),
                _ => Err(SaleFault::OutOfPlace),
            },
            SaleMessage::Payment(signed) => match &self.stage {
                Stage::Choosing(_) => self.choose(signed, input),
                Stage::Selecting(_) => self.confirmed(signed, input),
                _ => Err(SaleFault::OutOfPlace),
            },
            SaleMessage::Exchange { signed, beside } => match &self.stage {
                Stage::Proposing(_) => self.answered(signed, input),
                Stage::Expecting(_) => self.offered(signed, beside, input),
                Stage::Trading(_) => self.item(signed, &beside, input),
                _ => Err(SaleFault::OutOfPlace),
            },
        }
    }

    fn accepted(&mut self, signed: SignedBytes, input: &Input) -> Taken {
        let Stage::Opening(client) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let peer = &self.plan.intent.peer;
        let sessions = self.line.sessions(peer)?;
        let accept: Verified<DealAccept> = verified(signed, &peer.key)?;
        let has = |kind: &str| accept.module.iter().any(|module| module.starts_with(kind));
        if !has("exchange/gxv") || !has("payment/") {
            return Err(DealFault::BadChoice("module").into());
        }
        let kept = accept.bytes().clone();
        let accepted = ClientInput::Accepted(Box::new(accept), sessions, input.at);
        let step = (**client).clone().step(accepted);
        let outputs = step.outputs;
        self.stage = Stage::Opening(Box::new(step.state));
        let mut orders = self.opening(outputs)?;
        orders.push(Output::Keep(kept));
        Ok(orders)
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
            to => {
                let mut outputs = vec![Output::Keep(signed.clone())];
                outputs.extend(self.line.dispatch(signed.clone(), to)?);
                Ok(outputs)
            }
        }
    }

    /// `deal-propose` or `deal-open` is signed.
    fn opening_signed(&mut self, signed: &SignedBytes, input: &Input) -> Taken {
        let context = match &self.stage {
            Stage::Opening(client) => match &**client {
                Client::Open(context) => Some((**context).clone()),
                _ => None,
            },
            _ => None,
        };
        let chain = if context.is_none() { self.plan.chain.clone() } else { Vec::new() };
        let mut outputs = vec![Output::Keep(signed.clone())];
        outputs.extend(self.line.send(&SaleMessage::Deal { signed: signed.clone(), chain })?);
        if let Some(context) = context {
            let Intent { me, peer, .. } = &self.plan.intent;
            let standing = Standing::new(&context, me.clone(), peer.clone(), 2);
            let open: DealOpen = from_bytes(&signed.tbs)?;
            outputs.extend(self.line.open(&context, standing, open.exporter, input.at)?);
            outputs.push(Output::Opened(Box::new(context.clone())));
            outputs.extend(self.propose(context, input)?);
        }
        Ok(outputs)
    }

    fn refused(&mut self, digest: Digest, input: &Input) -> Taken {
        match &self.stage {
            Stage::Trading(trade) if matches!(&trade.machine, Responder::Asking(_, accept) if accept.digest() == digest) => {
                self.exchange(responder::Event::Refused, input)
            }
            Stage::Trading(_) | Stage::Refused(_) => Err(SaleFault::OutOfPlace),
            _ => Ok(self.refuse(&DealFault::Declined.into())),
        }
    }

    fn arbiter(&self, context: &DealContext) -> Result<Arbiter, SaleFault> {
        let named = context.attributes.third_party;
        let found = self.plan.arbiters.iter().find(|one| Some(one.certificate) == named);
        found.cloned().ok_or(SaleFault::Unselectable(semper_exchange::select::Unselectable::ThirdParty))
    }

    fn propose(&mut self, context: DealContext, input: &Input) -> Taken {
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
    fn answered(&mut self, signed: SignedBytes, _: &Input) -> Taken {
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
        let fetch = Output::Fetch { sealed, length: data.length };
        let kept = Output::Keep(answer.bytes().clone());
        talks.answer = Some(Answered { signed: answer.bytes().clone(), selected, run, data: data.clone() });
        self.stage = Stage::Choosing(talks);
        Ok(vec![kept, fetch])
    }

    fn proposal(&self, talks: &Talks) -> Result<Verified<Propose>, SaleFault> {
        let signed = self.line.paper(&talks.propose).cloned().ok_or(SaleFault::OutOfPlace)?;
        verified(signed, &self.plan.intent.me.key)
    }

    /// neg-p: one of the seller's systems, by one of our purses.
    fn choose(&mut self, signed: SignedBytes, input: &Input) -> Taken {
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
    fn confirmed(&mut self, signed: SignedBytes, input: &Input) -> Taken {
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

    fn fetched(&mut self, found: Option<Digest>, input: &Input) -> Taken {
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

    fn offered(&mut self, signed: SignedBytes, beside: Vec<Beside>, input: &Input) -> Taken {
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
    fn consider(&mut self, input: &Input) -> Taken {
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
        if (offer.cell.as_str(), offer.step.as_str(), offer.conf) != (CELL, MOVE, self.line.conf()) {
            return Err(check::OfferFault::Selection.into());
        }
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
            clauses: &[super::clause()],
            terms: self.plan.intent.terms.map(|terms| terms.statement_sha256),
            third_party: &arbiter.facts(),
            now: input.at,
        };
        Ok(check::offer(offer.clone(), grades, &[fetched], &expected)?)
    }

    fn certificates(&self, arbiter: &Arbiter) -> BTreeMap<Digest, PublicKey> {
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

    /// Gives the machine of the exchange an event, and carries its orders over.
    fn exchange(&mut self, event: responder::Event, input: &Input) -> Taken {
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
    fn paying(&mut self, event: module::Event, input: &Input) -> Taken {
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
            let told = self.exchange(responder::Event::Recorded(recorded), input);
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
    fn item(&mut self, signed: SignedBytes, beside: &[Beside], input: &Input) -> Taken {
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
    fn opened(&mut self, measured: Option<Measured>, input: &Input) -> Taken {
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
    fn third(&mut self, said: &[Said], input: &Input) -> Taken {
        let Stage::Trading(trade) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let arbiter = self.arbiter(&trade.context)?;
        let keys = Keys::new().with(arbiter.certificate, arbiter.key);
        let mut outputs = Vec::new();
        for Said { statement, records, made } in said {
            for record in records {
                let event = module::Event::Bank(BankReply::Signed(record.clone()));
                outputs.extend(self.paying(event, input).unwrap_or_default());
            }
            match self.answer(statement, made.as_ref(), &keys, input) {
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

    /// Once the exchange has ended and nothing waits for a signature, the deal is closed.
    fn close(&mut self, input: &Input) -> Taken {
        let Stage::Trading(trade) = &mut self.stage else { return Ok(Vec::new()) };
        let Some(outcome) = trade.outcome() else { return Ok(Vec::new()) };
        let mut outputs = Vec::new();
        if !trade.closing.ended {
            trade.closing.ended = true;
            outputs.push(Output::Ended(outcome));
        }
        if !trade.closing.said && self.line.is_quiet() {
            trade.closing.said = true;
            let paid = (outcome != Outcome::Nothing).then_some(self.plan.price);
            let talk = self.line.talk.clone();
            if let Some(standing) = &mut self.line.standing {
                let draft = standing.close(&talk, outcome, paid, input.at)?;
                outputs.extend(self.line.sign(draft, Destination::Deal));
            }
        }
        Ok(outputs)
    }

    fn closed(&mut self, signed: SignedBytes, before: &Conversation, input: &Input) -> Taken {
        let Stage::Trading(trade) = &mut self.stage else { return Err(SaleFault::OutOfPlace) };
        let standing = self.line.standing.as_ref().ok_or(SaleFault::OutOfPlace)?;
        let close: Verified<DealClose> = verified(signed, &standing.peer.key)?;
        let outcome = trade.outcome().ok_or(DealFault::Owes)?;
        let paid = (outcome != Outcome::Nothing).then_some(self.plan.price);
        standing.check_close(&close, before, (outcome, paid), input.at)?;
        trade.closing.heard = true;
        Ok(vec![Output::Keep(close.bytes().clone())])
    }
}

impl Trade {
    fn outcome(&self) -> Option<Outcome> {
        Some(match &self.machine {
            Responder::Completed(..) | Responder::CompletedByT(_) => Outcome::Done,
            Responder::Aborted(..) | Responder::Declined(..) => Outcome::Nothing,
            Responder::Claim(_) => Outcome::Claim,
            _ => return None,
        })
    }

    fn step(&self) -> SaleStep {
        match &self.machine {
            Responder::Idle(_) => SaleStep::Offering,
            Responder::Asking(..) | Responder::Agreed(_) => SaleStep::Deciding,
            Responder::Moving(..) => SaleStep::Paying,
            Responder::Waiting(_) => SaleStep::Delivering,
            Responder::Aborting(..) | Responder::Resolving(..) => SaleStep::Arbitrating,
            Responder::Completed(..)
            | Responder::CompletedByT(_)
            | Responder::Aborted(..)
            | Responder::Claim(_)
            | Responder::Declined(..) => SaleStep::Ended,
        }
    }
}

/// Whether any of the purses can pay this.
fn can_pay(purses: &[Purse], price: Money) -> Result<(), SaleFault> {
    let mut fitting = purses.iter().filter(|purse| purse.can_pay() && purse.currency() == price.currency);
    let reason = match fitting.clone().next() {
        None => NegReason::NoCommonSystem,
        Some(_) if fitting.any(|purse| purse.available() >= price) => return Ok(()),
        Some(_) => NegReason::Insufficient,
    };
    Err(NegError::None(reason).into())
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

/// The binding of the seller's file.
pub(super) fn binding_of(
    run: &Run,
    data: &DataDescription,
    agreement: Option<Digest>,
) -> Result<Binding, SaleFault> {
    Ok(Binding {
        xid: run.xid,
        agreement,
        leaf: LeafPath::first(),
        giver: Side::Originator,
        owner: run.originator.certificate,
        description: Description::from(data.clone()).hash()?,
    })
}

fn content_key(bytes: &[u8]) -> Option<ContentKey> {
    bytes.try_into().ok().map(ContentKey::from_bytes)
}
