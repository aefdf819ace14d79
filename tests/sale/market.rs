//! A buyer and a seller, the bank, the third party, and a network between them that does what a test wants.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use semper_commerce::{
    deal::{
        DealAccept, DealClose, DealOpen, DealPropose, DealResume, Duty, House, Intent, Outcome, Party, Range,
        Ranges, ThirdPartyTerms,
    },
    sale::{
        Agreed, Arbiter, Beside, Buyer, BuyerPlan, Event, Goods, Input, Output, SaleMessage, SaleQuestion,
        SaleView, Seller, SellerPlan, Session, Timer,
    },
};
use semper_exchange::{
    deadlines::Deadlines,
    generatable_verifiable::third_party::{self, Case, Request, ThirdParty},
    message::{
        self as x, Abort, Accept, Answer, Close, Decision, Decline, Draft, Item, Moved, NotYet, Pending,
        Proposal, Propose, Receipt, Reject, Replacement, Resolve,
    },
    recourse::Said,
    run::{Keys, Speaker},
    tell::Code,
};
use semper_payment_sim::{Sim, exchange::PaymentThirdParty};
use semper_supporting::{
    comm::{envelope::Envelope, frame::Frame, session::Exporter},
    crypto::{
        digest::Digest,
        keys::KeyPurpose,
        seal::{ContentKey, EscrowKey, content},
        signature::Kid,
        tally::tally,
    },
    deal::{Anonymity, Confidentiality, EvidenceLevel},
    evidence::{Signable, SignedBytes, statement, statement::Bytes},
    machine::Machine as _,
    money::{Currency, Money},
    party::Role,
    time::{Moment, Span},
    wire,
};
use semper_transfer::{
    data::DataThirdParty,
    description::{DataDescription, Description},
    escrow::EscrowKeys,
    expectation::DataExpectation,
    package::LeafPath,
    payment::{
        Modules, Purse,
        message::{Award, Freeze, Look, Pay, Query},
        module::{BankReply, Erased},
        negotiation::{NegConfirm, NegPropose, NegReject, NegSelect},
    },
    property::{
        self, Attached, Begun, Capabilities, GenGrade, Generated, Observation, Permitted, Side as Giver,
        ThirdPartyKeys, TtpItem as _,
    },
};
use zeroize::Zeroizing;

use crate::{
    bank::Counter,
    common::{AT, Hand},
    cost::{Cost, Phase, Worker},
};

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Side {
    Buyer,
    Seller,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Buyer => Self::Seller,
            Self::Seller => Self::Buyer,
        }
    }
}

type Tamper = Box<dyn Fn(SaleMessage) -> SaleMessage>;

/// Everything there is.
pub(crate) struct Market {
    pub(crate) counter: Counter,
    pub(crate) hands: BTreeMap<Side, Hand>,
    arbiter: Hand,
    escrow: EscrowKeys,
    modules: Modules,
    pub(crate) buyer: Buyer,
    pub(crate) seller: Seller,
    pub(crate) purses: BTreeMap<Side, Purse>,
    sealed: Vec<u8>,
    /// What is on its way to each side.
    pub(crate) net: BTreeMap<Side, VecDeque<Frame>>,
    pub(crate) timers: BTreeMap<(Side, Timer), Moment>,
    third: Option<ThirdParty>,
    pub(crate) now: Moment,
    steps: u64,
    exporter: u8,
    /// What was sent, by type, from whom.
    pub(crate) sent: Vec<(Side, String)>,
    pub(crate) signed: Vec<String>,
    pub(crate) to_bank: Vec<String>,
    pub(crate) to_third: Vec<String>,
    pub(crate) told: Vec<(Side, Code)>,
    pub(crate) faults: Vec<(Side, &'static str)>,
    pub(crate) ended: Vec<(Side, Outcome)>,
    /// What was signed, verified, sealed and opened by whom.
    pub(crate) cost: Cost,
    /// What each side was asked.
    pub(crate) asked: Vec<(Side, SaleQuestion)>,
    /// Whether each side signs what it is asked to.
    pub(crate) willing: BTreeMap<Side, bool>,
    /// What becomes of messages to the buyer on their way: a seller that lies.
    pub(crate) tamper: Option<Tamper>,
    /// Whether the machine is written out and read again after each step.
    pub(crate) crashes: bool,
    /// The terms of business that both sides hold, if any.
    pub(crate) agreed: Option<Arc<Agreed>>,
    /// What each side was let choose among.
    pub(crate) choices: Vec<(Side, Vec<String>)>,
}

pub(crate) fn party(seed: u8, hand: &Hand, name: &str) -> Party {
    let key = hand.public();
    Party { certificate: Digest::of(&[seed]), key, tls: Kid::from_bytes([seed; 32]), name: Some(name.into()) }
}

fn bank_certificate() -> Digest {
    Digest::of(b"bank certificate")
}

pub(crate) fn price() -> Money {
    Money::parse("XTS 12.50").unwrap()
}

impl Market {
    pub(crate) fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// A market whose plans are changed first.
    pub(crate) fn with(change: impl Fn(&mut BuyerPlan, &mut SellerPlan)) -> Self {
        let arbiter = Hand::new(KeyPurpose::Authority, 3);
        let (seller, buyer) = (Hand::new(KeyPurpose::Authority, 1), Hand::new(KeyPurpose::Authority, 2));
        let (fogra, ines) = (party(1, &seller, "Fogra"), party(2, &buyer, "Ines Ortmann"));
        let counter = Counter::new(arbiter.public());
        let escrow = EscrowKey::from_seed(&Zeroizing::new([5; 32]));
        let certificate = Digest::of(b"arbiter certificate");
        let third_party = Arbiter {
            certificate,
            key: arbiter.public(),
            name: "Arbiter".into(),
            policy: Digest::of(b"policy"),
            capabilities: Capabilities {
                keys: ThirdPartyKeys { certificate, escrow: escrow.public() },
                grades: vec![GenGrade::Sealed],
                deposit: false,
                authorities: vec![bank_certificate()],
                longest: 1 << 26,
            },
        };
        let key = ContentKey::from_bytes([6; 32]);
        let plain = b"Colour management, an introduction".repeat(40);
        let (sealed, measured) = content::seal_whole(&key, &plain).unwrap();
        let description = DataDescription {
            title: "Colour management, an introduction".into(),
            media: "application/pdf".into(),
            length: measured.length,
            plain: measured.plain,
            sealed: Some(measured.sealed),
            key: Some(key.commitment()),
            licence: None,
        };
        let terms = ThirdPartyTerms { duty: Duty::Exchange, certificate, policy: Digest::of(b"policy") };
        let ranges = Ranges {
            anonymity_peer: Range::only(Anonymity::Identified),
            anonymity_bank: Range::only(Anonymity::Identified),
            anonymity_third: Range::only(Anonymity::Identified),
            network_hidden: Range::only(false),
            confidentiality: Range::only(Confidentiality::Channel),
            evidence: Range::only(EvidenceLevel::Full),
            currency: vec![Currency::XTS],
            third_party: vec![terms],
        };
        let modules: Vec<String> = vec!["exchange/gxv".into(), "payment/sim".into()];
        let banks = BTreeMap::from([(bank_certificate(), counter.hand.public())]);
        let mut buyer_plan = BuyerPlan {
            intent: Intent {
                me: ines.clone(),
                peer: fogra.clone(),
                terms: None,
                invite: Some("fogra/kb-17".into()),
                ranges: ranges.clone(),
                ceiling: Money::parse("XTS 20.00").ok(),
                modules: modules.clone(),
                locale: "en".into(),
            },
            chain: vec![Bytes(vec![2; 300])],
            wants: DataExpectation { title: Some(description.title.clone()), ..DataExpectation::default() },
            price: price(),
            arbiters: vec![third_party.clone()],
            banks: banks.clone(),
        };
        let mut seller_plan = SellerPlan {
            house: House { me: fogra, terms: None, ranges, modules, lifetime: Span::days(30) },
            chain: vec![Bytes(vec![1; 300])],
            goods: Goods { description, key },
            price: price(),
            arbiters: vec![third_party],
            banks,
            deadlines: Deadlines::INTERACTIVE,
        };
        change(&mut buyer_plan, &mut seller_plan);
        let mut loaded = Modules::default();
        loaded.attach(Arc::new(Erased(Sim))).unwrap();
        let purses = BTreeMap::from([(Side::Buyer, counter.purse()), (Side::Seller, counter.till())]);
        Self {
            counter,
            hands: BTreeMap::from([(Side::Buyer, buyer), (Side::Seller, seller)]),
            arbiter,
            escrow: EscrowKeys::new(certificate, [escrow]),
            modules: loaded,
            buyer: Buyer::new(buyer_plan),
            seller: Seller::new(seller_plan),
            purses,
            sealed,
            net: BTreeMap::from([(Side::Buyer, VecDeque::new()), (Side::Seller, VecDeque::new())]),
            timers: BTreeMap::new(),
            third: None,
            now: AT,
            steps: 0,
            exporter: 0,
            sent: Vec::new(),
            signed: Vec::new(),
            to_bank: Vec::new(),
            to_third: Vec::new(),
            told: Vec::new(),
            faults: Vec::new(),
            ended: Vec::new(),
            cost: Cost::default(),
            asked: Vec::new(),
            willing: BTreeMap::from([(Side::Buyer, true), (Side::Seller, true)]),
            tamper: None,
            crashes: false,
            agreed: None,
            choices: Vec::new(),
        }
    }

    /// Both sides see a new connection, and the buyer wants the sale.
    pub(crate) fn start(&mut self) {
        self.connect();
        self.give(Side::Buyer, Event::Begin);
    }

    /// A new connection; what was on its way on the old one is lost.
    pub(crate) fn connect(&mut self) {
        self.net.values_mut().for_each(VecDeque::clear);
        self.exporter += 1;
        let exporter = Exporter::from_bytes([self.exporter; 32]);
        for (side, tls) in [(Side::Buyer, 1), (Side::Seller, 2)] {
            self.give(side, Event::Up(Session { exporter, tls: Kid::from_bytes([tls; 32]) }));
        }
    }

    /// Delivers everything that is on its way, in order.
    pub(crate) fn settle(&mut self) {
        while self.deliver(Side::Seller, 0) || self.deliver(Side::Buyer, 0) {}
    }

    /// Delivers the frame at `at` in the queue to `side`.
    pub(crate) fn deliver(&mut self, side: Side, at: usize) -> bool {
        let Some(frame) = self.net.get_mut(&side).unwrap().remove(at) else { return false };
        let peer =
            (side == Side::Seller).then(|| Box::new(party(2, &self.hands[&Side::Buyer], "Ines Ortmann")));
        self.give(side, Event::Frame(frame, peer));
        true
    }

    pub(crate) fn give(&mut self, side: Side, event: Event) {
        let mut work = VecDeque::from([event]);
        while let Some(event) = work.pop_front() {
            self.steps += 1;
            let [a, b, c, d, e, f, g, h] = self.steps.to_be_bytes();
            let mut chance = [side as u8; 64];
            chance[..8].copy_from_slice(&[a, b, c, d, e, f, g, h]);
            let purses = vec![self.purses[&side].clone()];
            let phase = Phase::during(&event);
            let (at, modules, agreed) = (self.now, self.modules.clone(), self.agreed.clone());
            let input = Input { at, chance, modules, purses, agreed, event };
            let outputs = self.counted(side.into(), phase, |market| match side {
                Side::Buyer => {
                    let step = market.buyer.clone().step(input);
                    market.buyer = step.state;
                    step.outputs
                }
                Side::Seller => {
                    let step = market.seller.clone().step(input);
                    market.seller = step.state;
                    step.outputs
                }
            });
            if self.crashes {
                self.crash();
            }
            for output in outputs {
                work.extend(self.perform(side, output));
            }
        }
    }

    /// Does something and adds to the sale's cost what it took.
    fn counted<T>(&mut self, worker: Worker, phase: Phase, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = tally();
        let done = work(self);
        self.cost.add(worker, phase, before);
        done
    }

    fn crash(&mut self) {
        let bytes = wire::encode(&self.buyer, wire::STATE_LIMIT).unwrap();
        self.buyer = wire::decode(&bytes, wire::STATE_LIMIT).unwrap();
        let bytes = wire::encode(&self.seller, wire::STATE_LIMIT).unwrap();
        self.seller = wire::decode(&bytes, wire::STATE_LIMIT).unwrap();
    }

    fn perform(&mut self, side: Side, output: Output) -> Vec<Event> {
        if let Output::Ask(draft) = &output {
            let question = self.counted(side.into(), Phase::of(draft.tbs()), |market| match side {
                Side::Buyer => market.buyer.question(draft, &[market.purses[&side].clone()]),
                Side::Seller => market.seller.question(draft),
            });
            let is_item = semper_transfer::statement::read(draft.tbs()).is_ok();
            assert!(is_item || question.is_some(), "whoever is asked can be told what about");
            self.asked.extend(question.map(|question| (side, question)));
        }
        match output {
            Output::Ask(draft) if !self.willing[&side] => return vec![Event::Refused(draft.digest())],
            Output::Ask(draft) | Output::Sign(draft) => {
                self.signed.push(statement::type_of(draft.tbs()).unwrap());
                let phase = Phase::of(draft.tbs());
                let signed = self.counted(side.into(), phase, |market| market.sign(side, &draft));
                return vec![Event::Signed(signed)];
            }
            Output::Send(frame) => self.send(side, frame),
            Output::Third { request, offer, accept, blobs } => {
                let phase = Phase::of(&request.tbs);
                let said = self.counted(Worker::ThirdParty, phase, |market| {
                    market.arbitrate(side, request, offer, accept, blobs)
                });
                return vec![Event::Third(said)];
            }
            Output::Bank { bank, request } => {
                assert_eq!(bank, self.counter.hand.public().kid());
                self.to_bank.push(statement::type_of(&request.tbs).unwrap());
                let phase = Phase::of(&request.tbs);
                let reply =
                    self.counted(Worker::Bank, phase, |market| market.counter.serve(request, market.now));
                return vec![Event::Bank(reply)];
            }
            Output::Fetch { sealed, .. } => {
                assert_eq!(sealed, Digest::of(&self.sealed));
                return vec![Event::Fetched(Some(sealed))];
            }
            Output::Open { key, sealed } => {
                assert_eq!(sealed, Digest::of(&self.sealed));
                let measured = self.counted(side.into(), Phase::Exchange, |market| {
                    content::open_whole(&key, &market.sealed).ok().map(|(_, measured)| measured)
                });
                return vec![Event::Opened(measured)];
            }
            Output::Purse { before, after } => {
                let stored = self.purses.insert(side, *after);
                assert_eq!(stored, Some(*before));
            }
            Output::Set { timer, span } => {
                self.timers.insert((side, timer), self.now.after(span));
            }
            Output::Choose(moves) => self.choices.push((side, moves)),
            Output::Tell(code) => self.told.push((side, code)),
            Output::Fault(code) => self.faults.push((side, code)),
            Output::Ended(outcome) => self.ended.push((side, outcome)),
            Output::Keep(_) | Output::Opened(_) => {}
        }
        Vec::new()
    }

    fn send(&mut self, side: Side, frame: Frame) {
        let message = SaleMessage::peek(&frame).unwrap();
        let kind = match &message {
            SaleMessage::Deal { signed, .. }
            | SaleMessage::Exchange { signed, .. }
            | SaleMessage::Payment(signed) => statement::type_of(&signed.tbs).unwrap(),
            SaleMessage::Declined(code) => format!("declined {code}"),
        };
        self.sent.push((side, kind));
        let frame = match (&self.tamper, side) {
            (Some(tamper), Side::Seller) => {
                let mut envelope = Envelope::read(&frame).unwrap();
                envelope.body = tamper(message).write().unwrap();
                envelope.frame(frame.kind, frame.stream).unwrap()
            }
            _ => frame,
        };
        self.net.get_mut(&side.other()).unwrap().push_back(frame);
    }

    fn sign(&self, side: Side, draft: &Draft) -> SignedBytes {
        let account = if side == Side::Buyer { &self.counter.payer } else { &self.counter.payee };
        let hand = if draft.signer() == account.public().kid() { account } else { &self.hands[&side] };
        sign_any(hand, draft.tbs())
    }

    /// What the third party answers, with its real machine, its escrow key and the bank.
    fn arbitrate(
        &mut self,
        side: Side,
        request: SignedBytes,
        offer: SignedBytes,
        accept: Option<SignedBytes>,
        blobs: Vec<Bytes>,
    ) -> Vec<Said> {
        self.to_third.push(statement::type_of(&request.tbs).unwrap());
        let mine = self.hands[&side].public();
        let keys = Keys::new()
            .with(Digest::of(&[1]), self.hands[&Side::Seller].public())
            .with(Digest::of(&[2]), self.hands[&Side::Buyer].public());
        let wish = match statement::type_of(&request.tbs).unwrap().as_str() {
            "t/abort" => Request::Abort(request.verify::<Abort>(&mine).unwrap()),
            _ => Request::Resolve(request.verify::<Resolve>(&mine).unwrap()),
        };
        let offer = offer.verify::<Proposal>(&self.hands[&Side::Seller].public()).unwrap();
        let accept = accept.map(|one| one.verify::<Accept>(&self.hands[&Side::Buyer].public()).unwrap());
        let me =
            Speaker { certificate: Digest::of(b"arbiter certificate"), kid: self.arbiter.public().kid() };
        let blobs: Vec<Vec<u8>> = blobs.into_iter().map(|blob| blob.0).collect();
        let xid = offer.common.xid.unwrap();
        self.third.get_or_insert_with(|| ThirdParty::new(me, Span::minutes(1), xid));
        let case = Case { request: wish, offer: offer.clone(), accept, blobs: blobs.clone(), keys };
        let mut work = VecDeque::from([third_party::Event::Requested(Box::new(case))]);
        let (mut said, mut records, mut made) = (Vec::new(), Vec::new(), None);
        while let Some(event) = work.pop_front() {
            let input = third_party::Input {
                at: self.now,
                journal_index: 1,
                journal_prev: Digest::of(b"journal"),
                event,
            };
            let step = self.third.take().unwrap().step(input);
            self.third = Some(step.state);
            for output in step.outputs {
                match output {
                    third_party::Output::Send { to, draft, .. } => {
                        let asker = if side == Side::Buyer { Role::Responder } else { Role::Originator };
                        if to == asker || to == Role::Everybody {
                            let statement = sign_any(&self.arbiter, draft.tbs());
                            let made = draft.read::<Replacement>().is_ok().then(|| made.clone()).flatten();
                            said.push(Said { statement, records: Vec::new(), made });
                        }
                    }
                    third_party::Output::Keep(_) | third_party::Output::Retry(..) => {}
                    order => {
                        work.extend(self.enquire(order, &offer, &blobs, &mut records, &mut made));
                    }
                }
            }
        }
        if let Some(last) =
            said.iter_mut().find(|one| statement::type_of(&one.statement.tbs).as_deref() == Ok("t/decision"))
        {
            last.records = records;
        }
        said
    }

    fn enquire(
        &mut self,
        order: third_party::Output,
        offer: &Proposal,
        blobs: &[Vec<u8>],
        records: &mut Vec<SignedBytes>,
        made: &mut Option<Generated>,
    ) -> Option<third_party::Event> {
        let banks = BTreeMap::from([(bank_certificate(), self.counter.hand.public())]);
        let payments = PaymentThirdParty { kid: self.arbiter.public().kid(), banks };
        let first = LeafPath::first();
        let agr = Digest::of(&statement::to_bytes(offer).unwrap());
        let paid = offer.give_r.leaf(&first).unwrap().clone();
        let mut ask = |tbs: &[u8]| {
            let signed = sign_any(&self.arbiter, tbs);
            match self.counter.serve(signed, self.now) {
                BankReply::Signed(signed) => {
                    records.push(signed.clone());
                    property::Answer::Signed(signed)
                }
                BankReply::NotYet => property::Answer::NotYet,
                BankReply::Refused(code) => panic!("{code}"),
            }
        };
        Some(match order {
            third_party::Output::Observe(binding, look) => {
                let observation = match payments.observe(&binding, &paid, look) {
                    Begun::Done(done) => done,
                    Begun::Ask(order) => {
                        let answer = ask(&order.tbs);
                        payments.observed(&binding, &paid, look, &answer).unwrap_or(Observation::Unavailable)
                    }
                };
                third_party::Event::Observed { agr, leaf: first, look, observation }
            }
            third_party::Output::Revoke(binding) => {
                let result = match payments.revoke(&binding, &paid) {
                    Begun::Done(done) => done,
                    Begun::Ask(order) => {
                        let answer = ask(&order.tbs);
                        payments.revoked(&binding, &paid, &answer).unwrap()
                    }
                };
                third_party::Event::Revoked { agr, leaf: first, result }
            }
            third_party::Output::Generate(binding, permit) => {
                let description: Description = offer.give_o.leaf(&first).unwrap().clone();
                let permitted = Permitted { permit, attached: Attached::of(blobs.to_vec()) };
                let certificates: BTreeMap<Digest, semper_supporting::crypto::signature::PublicKey> =
                    BTreeMap::new();
                let data = DataThirdParty { escrow: &self.escrow };
                let Begun::Done(result) = data.generate(&binding, &description, &permitted, &certificates)
                else {
                    panic!("data needs no authority")
                };
                *made = result.clone().ok();
                third_party::Event::Generated { agr, side: Giver::Originator, leaf: first, result }
            }
            third_party::Output::Keep(_)
            | third_party::Output::Send { .. }
            | third_party::Output::Retry(..) => return None,
        })
    }

    /// Lets time pass until this timer is due, and gives it.
    pub(crate) fn elapse(&mut self, side: Side, timer: Timer) {
        let due = self.timers.remove(&(side, timer)).unwrap();
        self.now = self.now.max(due);
        self.give(side, Event::Elapsed(timer));
    }

    pub(crate) fn views(&self) -> (SaleView, SaleView) {
        (self.buyer.view(), self.seller.view())
    }

    pub(crate) fn types_sent(&self) -> Vec<&str> {
        self.sent.iter().map(|(_, kind)| kind.as_str()).collect()
    }

    pub(crate) fn was_told(&self, side: Side, code: Code) -> bool {
        self.told.contains(&(side, code))
    }
}

/// Signs the bytes of a statement of any type that anybody here signs.
pub(crate) fn sign_any(hand: &Hand, tbs: &[u8]) -> SignedBytes {
    fn of<T: Signable>(hand: &Hand, tbs: &[u8]) -> Option<SignedBytes> {
        statement::from_bytes::<T>(tbs).ok().map(|value| hand.sign(&value).bytes().clone())
    }
    macro_rules! first_of {
        ($($kind:ty),* $(,)?) => { None$(.or_else(|| of::<$kind>(hand, tbs)))* };
    }
    let signed: Option<SignedBytes> = first_of![
        DealPropose,
        DealAccept,
        DealOpen,
        DealResume,
        DealClose,
        Propose,
        Answer,
        NegPropose,
        NegSelect,
        NegConfirm,
        NegReject,
        Proposal,
        Accept,
        Decline,
        Moved,
        Item,
        Close,
        Abort,
        Resolve,
        Pay,
        Query,
        Receipt,
        Decision,
        Replacement,
        NotYet,
        Pending,
        Reject,
        Freeze,
        Award,
        Look,
        x::Status,
        x::xfer::Message,
        x::xfer::Close,
        semper_transfer::statement::Offer,
        semper_transfer::statement::Order,
        semper_transfer::statement::Refusal,
    ];
    signed.unwrap_or_else(|| panic!("{}", statement::type_of(tbs).unwrap()))
}

/// A message of the seller's in which a statement of type `T` was changed and signed anew.
pub(crate) fn lie<T: Signable>(change: impl Fn(&mut T) + 'static) -> Tamper {
    Box::new(move |message| {
        let hand = Hand::new(KeyPurpose::Authority, 1);
        let change = |signed: SignedBytes| match statement::from_bytes::<T>(&signed.tbs) {
            Ok(mut value) => {
                change(&mut value);
                hand.sign(&value).bytes().clone()
            }
            Err(_) => signed,
        };
        match message {
            SaleMessage::Deal { signed, chain } => SaleMessage::Deal { signed: change(signed), chain },
            SaleMessage::Exchange { signed, beside } => {
                SaleMessage::Exchange { signed: change(signed), beside }
            }
            SaleMessage::Payment(signed) => SaleMessage::Payment(change(signed)),
            declined @ SaleMessage::Declined(_) => declined,
        }
    })
}

/// A message of the seller's with another key beside ITEM, and ITEM signed for that key.
pub(crate) fn other_key() -> Tamper {
    Box::new(|message| match message {
        SaleMessage::Exchange { signed, beside } => match statement::from_bytes::<Item>(&signed.tbs) {
            Ok(mut item) => {
                item.content.insert(LeafPath::first(), Digest::of(&[9; 32]));
                let signed = Hand::new(KeyPurpose::Authority, 1).sign(&item).bytes().clone();
                SaleMessage::Exchange { signed, beside: vec![Beside::Blob(Bytes(vec![9; 32]))] }
            }
            Err(_) => SaleMessage::Exchange { signed, beside },
        },
        other => other,
    })
}
