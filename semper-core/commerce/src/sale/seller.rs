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

use std::collections::BTreeMap;

use semper_exchange::{
    check,
    deadlines::{Deadlines, RETAIN_DAYS},
    generatable_verifiable::{
        self as gxv, Answer as TtpAnswer, Leaf, Originator,
        originator::{self},
        plan,
    },
    message::{
        Accept, Answer, Close, Common, Decline, Draft, Message, Moved, Outcome as TtpOutcome, Proposal,
        Propose,
        negotiation::{self, Answering, View, Ways, Willing},
        offer::Sides,
    },
    recourse::Said,
    run::{Keys, Run},
    select::{Selected, least_level, select},
    tell::Code,
    xid::Nonce,
};
use semper_supporting::{
    comm::envelope::Conversation,
    crypto::{digest::Digest, seal::ContentKey, signature::PublicKey},
    deal::DealContext,
    evidence::{SignedBytes, Verified, statement, statement::Bytes},
    fault::Fault as _,
    machine::{Machine, Refused, Step},
    money::Money,
    party::Role,
    time::Span,
};
use semper_transfer::{
    data::DataManager,
    description::{DataDescription, Description},
    expectation::{Expectation, PaymentExpectation},
    item::Item,
    package::{LeafPath, Package},
    payment::{
        self, Op, PaymentAgreement, Purse,
        module::{self, BankReply},
        negotiation::{
            ChoiceKind, ExchangeNeeds, NegId, NegPropose, NegReject, NegSelect, Proposer, confirm,
        },
    },
    property::{Class, ExchangeEnabled as _, Reliance},
};
use serde::{Deserialize, Serialize};

use super::{
    Arbiter, CELL, Event, Input, MOVE, Output, SaleFault, SaleMessage, Timer,
    buyer::binding_of,
    capabilities, clause, fresh, fresh16,
    line::{Came, Destination, Line, verified},
    message::Beside,
    money::{Means, Payment},
    run_of, transaction,
    view::{End, Remembered, SaleStep, SaleView},
};
use crate::deal::{
    DealClose, DealFault, DealNonce, DealOpen, DealPropose, House, OpeningOutput, Outcome, Party, Server,
    ServerInput, Standing,
};

/// How long the negotiation of the means may take.
const MEANS_HOLD: Span = Span::hours(1);

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
    shown: Remembered,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Stage {
    Opening(Box<Server>),
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

impl Seller {
    /// A seller to whom nothing was said yet.
    pub fn new(plan: SellerPlan) -> Self {
        let server = Server::Listening(Box::new(plan.house.clone()));
        Self {
            plan: Box::new(plan),
            line: Line::default(),
            stage: Stage::Opening(Box::new(server)),
            shown: Remembered::default(),
        }
    }

    /// The deal, once it is open.
    pub fn context(&self) -> Option<&DealContext> {
        match &self.stage {
            Stage::Ready(known) | Stage::Choosing(known, _) | Stage::Confirming(known, _) => {
                Some(&known.context)
            }
            Stage::Trading(trade) => Some(&trade.context),
            Stage::Opening(_) | Stage::Refused(_) => None,
        }
    }

    /// Whether nothing can change any more.
    pub fn has_ended(&self) -> bool {
        match &self.stage {
            Stage::Refused(_) => true,
            Stage::Trading(trade) => trade.closing == (true, true, true),
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
            Stage::Ready(_) => (SaleStep::Negotiating, None),
            Stage::Choosing(..) | Stage::Confirming(..) => (SaleStep::Means, None),
            Stage::Refused(code) => (SaleStep::Ended, Some(End::Refused(code.clone()))),
            Stage::Trading(trade) => (trade.step(), trade.outcome().map(End::Exchanged)),
        };
        let buyer = match &self.stage {
            Stage::Ready(known) | Stage::Choosing(known, _) | Stage::Confirming(known, _) => {
                Some(&known.buyer)
            }
            Stage::Trading(trade) => Some(&trade.buyer),
            Stage::Opening(_) | Stage::Refused(_) => None,
        };
        SaleView {
            deal: self.context().map(|context| context.id),
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
                    let taken = self.heard(message, shown.as_deref(), &before, input);
                    taken.or_else(|fault| Ok(self.fail(&fault)))
                }
            },
            Event::Signed(signed) => self.signed(signed, input),
            Event::Refused(_) | Event::Stop => match &self.stage {
                Stage::Trading(_) => self.stop(input),
                Stage::Refused(_) => Err(SaleFault::OutOfPlace),
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

    /// Gives up: before OFFER is signed the buyer is told and nothing is owed, after it the third party is asked.
    fn stop(&mut self, input: &Input) -> Taken {
        let mut outputs = self.exchange(originator::Event::Stopped, input)?;
        if let Stage::Trading(trade) = &mut self.stage
            && matches!(trade.machine, Originator::Declined(_))
        {
            trade.closing = (false, true, true);
            self.line.hush();
            let word = SaleMessage::Declined(DealFault::Declined.code().to_owned());
            outputs.extend(self.line.send(&word)?);
        }
        Ok(outputs)
    }

    /// What a fault of the other side leads to: an end before OFFER, a mere note after it.
    fn fail(&mut self, fault: &SaleFault) -> Vec<Output> {
        match self.stage {
            Stage::Trading(_) | Stage::Refused(_) => vec![Output::Fault(fault.code())],
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
                Stage::Trading(_) => self.closed(signed, before, input),
                _ => Err(SaleFault::OutOfPlace),
            },
            SaleMessage::Payment(signed) => match &self.stage {
                Stage::Choosing(..) => self.confirm(signed, input),
                _ => Err(SaleFault::OutOfPlace),
            },
            SaleMessage::Exchange { signed, beside } => match &self.stage {
                Stage::Ready(_) => self.answer(signed, input),
                Stage::Trading(_) => self.said(signed, beside, input),
                _ => Err(SaleFault::OutOfPlace),
            },
        }
    }

    /// `deal-propose` or `deal-open`.
    fn opening(&mut self, signed: SignedBytes, shown: Option<&Party>, input: &Input) -> Taken {
        let Stage::Opening(server) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let kept = Output::Keep(signed.clone());
        let mut named = None;
        let event = match &**server {
            Server::Listening(_) => {
                let buyer = shown.ok_or(DealFault::WrongKey)?;
                let sessions = self.line.sessions(buyer)?;
                let session = *sessions.last().ok_or(DealFault::WrongKey)?;
                let propose: Verified<DealPropose> = verified(signed, &buyer.key)?;
                let nonce = DealNonce::from_bytes(fresh("deal", &input.chance));
                ServerInput::Proposed(Box::new(propose), Box::new(buyer.clone()), session, nonce, input.at)
            }
            Server::Accepted(_, buyer, _) => {
                let open: Verified<DealOpen> = verified(signed, &buyer.key)?;
                named = Some(open.exporter);
                ServerInput::Confirmed(Box::new(open), self.line.sessions(buyer)?, input.at)
            }
            Server::Open(..) | Server::Refused => return Err(SaleFault::OutOfPlace),
        };
        let step = (**server).clone().step(event);
        let mut outputs = vec![kept];
        for output in step.outputs {
            match output {
                OpeningOutput::Say(draft) => outputs.extend(self.line.sign(draft, Destination::Deal)),
                OpeningOutput::Opened(context) => outputs.push(Output::Opened(context)),
                OpeningOutput::Refuse(fault) => return Err(fault.into()),
            }
        }
        match &step.state {
            Server::Accepted(context, ..) => self.line.talk.name(context.id)?,
            Server::Open(context, buyer) => {
                let me = self.plan.house.me.clone();
                let standing = Standing::new(context, me, buyer.clone(), 1);
                let named = named.ok_or(SaleFault::OutOfPlace)?;
                outputs.extend(self.line.open(context, standing, named, input.at)?);
                let known = Known { context: (**context).clone(), buyer: buyer.clone() };
                self.stage = Stage::Ready(Box::new(known));
                return Ok(outputs);
            }
            Server::Listening(_) | Server::Refused => {}
        }
        self.stage = Stage::Opening(Box::new(step.state));
        Ok(outputs)
    }

    fn arbiter(&self, context: &DealContext) -> Result<Arbiter, SaleFault> {
        let named = context.attributes.third_party;
        let found = self.plan.arbiters.iter().find(|one| Some(one.certificate) == named);
        found.cloned().ok_or(SaleFault::Unselectable(semper_exchange::select::Unselectable::ThirdParty))
    }

    /// PROPOSE: ANSWER says what follows, and the systems in which we take money go out beside it.
    fn answer(&mut self, signed: SignedBytes, input: &Input) -> Taken {
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

    fn means(
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
    fn confirm(&mut self, signed: SignedBytes, input: &Input) -> Taken {
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
            to => {
                outputs.extend(self.line.dispatch(signed.clone(), to)?);
                let confirmed = matches!(&self.stage, Stage::Confirming(_, talks) if talks.neg_c == Some(signed.digest()));
                if confirmed {
                    let offered = self.offer(input);
                    outputs.extend(offered.or_else(|fault| Ok::<_, SaleFault>(self.fail(&fault)))?);
                }
            }
        }
        Ok(outputs)
    }

    /// The means are agreed: OFFER is written, and put before whoever may sign it.
    fn offer(&mut self, input: &Input) -> Taken {
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
            step: MOVE.to_owned(),
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

    /// A message of the exchange.
    fn said(&mut self, signed: SignedBytes, beside: Vec<Beside>, input: &Input) -> Taken {
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
    fn exchange(&mut self, event: originator::Event, input: &Input) -> Taken {
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
    fn paid(&mut self, event: module::Event, input: &Input) -> Taken {
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
            let told = self.exchange(originator::Event::Recorded(recorded), input);
            // The record may say what is known already.
            outputs.extend(told.unwrap_or_default());
        }
        Ok(outputs)
    }

    /// The third party's answers, in its order, each with the records it rests on.
    fn third(&mut self, said: &[Said], input: &Input) -> Taken {
        let Stage::Trading(trade) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let arbiter = self.arbiter(&trade.context)?;
        let keys = Keys::new().with(arbiter.certificate, arbiter.key);
        let mut outputs = Vec::new();
        for Said { statement, records, .. } in said {
            for record in records {
                let event = module::Event::Bank(BankReply::Signed(record.clone()));
                outputs.extend(self.paid(event, input).unwrap_or_default());
            }
            match self.ruled(statement, &keys, input) {
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

    /// Once the exchange has ended and the buyer has closed the deal, so do we.
    fn close(&mut self, input: &Input) -> Taken {
        let Stage::Trading(trade) = &mut self.stage else { return Ok(Vec::new()) };
        let Some(outcome) = trade.outcome() else { return Ok(Vec::new()) };
        let paid = (outcome != Outcome::Nothing).then_some(self.plan.price);
        let mut outputs = Vec::new();
        if let Some(parted) = trade.parted.take() {
            if parted == (outcome, paid) {
                trade.closing.2 = true;
            } else {
                outputs.push(Output::Fault(DealFault::LedgerDiffers.code()));
            }
        }
        let (ended, said, heard) = trade.closing;
        if !ended {
            trade.closing.0 = true;
            outputs.push(Output::Ended(outcome));
        }
        if heard && !said && self.line.is_quiet() {
            trade.closing.1 = true;
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
        // The buyer may have ended before us, by the third party: its word waits for our own end.
        let parted = (close.outcome, close.paid);
        standing.check_close(&close, before, parted, input.at)?;
        trade.parted = Some(parted);
        Ok(vec![Output::Keep(close.bytes().clone())])
    }
}

impl Trade {
    fn outcome(&self) -> Option<Outcome> {
        Some(match &self.machine {
            Originator::Completed(..) | Originator::CompletedByT(_) => Outcome::Done,
            Originator::Aborted(_, TtpOutcome::AbortedClaim) => Outcome::Claim,
            Originator::Aborted(..) | Originator::Declined(_) => Outcome::Nothing,
            _ => return None,
        })
    }

    fn step(&self) -> SaleStep {
        match &self.machine {
            Originator::Draft(..) => SaleStep::Offering,
            Originator::Offered(_) => SaleStep::Deciding,
            Originator::Agreed(..) => SaleStep::Paying,
            Originator::Delivered(..) => SaleStep::Delivering,
            Originator::Aborting(..) | Originator::Resolving(..) => SaleStep::Arbitrating,
            Originator::Completed(..)
            | Originator::CompletedByT(_)
            | Originator::Aborted(..)
            | Originator::Declined(_) => SaleStep::Ended,
        }
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
