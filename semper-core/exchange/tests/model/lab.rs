//! What surrounds the machines of one scenario: everybody's keys, the offers, every message that can exist,
//! and the machines' steps, each taken once and remembered.
//!
//! A state of the world is a handful of small numbers; the values behind them are kept here. States are kept
//! in the encoding in which they are journaled and decoded again before each first step, so that what is
//! explored is what survives a crash.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use semper_exchange::{
    check::{self, Checked},
    deadlines::Timer,
    generatable_verifiable::{
        Answer, Originator, Recorded, Responder, ThirdParty, originator, responder,
        third_party::{self, Case, Request},
    },
    message::{
        self, Abort, Accept, Decline, DeclineReason, Draft, Item, Message, Moved, MovedLeaf, Proposal,
        Reason, Resolve,
    },
    run::Keys,
    tell::Code,
};
use semper_supporting::{
    crypto::digest::Digest,
    evidence::{SignedBytes, Verified},
    machine::Machine,
    party::Role,
    time::Span,
    wire,
};
use semper_transfer::{
    description::Semantics,
    fault::Mismatch,
    item::ContentKey,
    package::LeafPath,
    property::{Accepted, BadPermit, Generated, Look, Observation, RecordStatus, Side, TooLate},
};

use super::{
    common::{AT, Goods, Market, Someone, blob, path},
    world::Net,
};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Honesty {
    Honest,
    Malicious,
}

/// One OFFER that may be made for the run.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    pub goods: Goods,
    /// What is sealed to the third party is not what was described.
    pub bad_seal: bool,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: &'static str,
    /// The first one is that of an honest originator.
    pub offers: Vec<Offered>,
    pub originator: Honesty,
    pub responder: Honesty,
    /// A second third party, which no offer names.
    pub two_third_parties: bool,
    /// No timers, nobody gives up, nothing crashes.
    pub calm: bool,
}

/// Who steps.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Who {
    O,
    R,
    T,
    /// The third party no offer names.
    T2,
}

impl Who {
    pub fn role(self) -> Role {
        match self {
            Self::O => Role::Originator,
            Self::R => Role::Responder,
            Self::T | Self::T2 => Role::ThirdParty,
        }
    }
}

/// What can happen to a machine in the model.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Happening {
    Deliver(u16),
    Elapsed(Timer),
    Stopped,
    Signed,
    Declined,
    Go,
    /// The bank's present record about the payment of this offer.
    Record(u8, RecordStatus),
    /// A result the third party waits for.
    Result(u8),
}

/// What a step orders, as far as the world changes by it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Effect {
    Say(u16),
    Start(u8),
    Order(u8),
    Tell(Code),
}

/// A message as the network carries it.
#[derive(Clone, Debug)]
pub struct Packet {
    pub message: Message,
    pub beside: Vec<Digest>,
    pub digest: Digest,
}

/// What the network needs to know of a message.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    pub id: u16,
    pub from: Role,
    pub to: Role,
    /// The message that must have been said before this one can be: ACCEPT, where it travels beside.
    pub needs: Option<u16>,
    pub fact: Fact,
}

/// What a message says, as far as a property asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fact {
    /// ACCEPT.
    Bound,
    /// DECISION about an offer; whether it names a cheat.
    Decided(u8, message::Outcome, bool),
    /// The originator's package, or a replacement of it, about an offer.
    Gives(u8),
    /// A replacement of one of the responder's leaves.
    Replaces(u8),
    /// RECEIPT of this request: the first bytes of its digest, and whose receipt.
    Receipt([u8; 8], bool),
    Other,
}

/// A machine of any role.
#[derive(Clone, Debug)]
pub enum Being {
    O(Originator),
    R(Responder),
    T(ThirdParty),
}

/// An order of a third party.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Order {
    pub who: Who,
    pub output: third_party::Output,
}

/// A result of such an order.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    Observed { offer: u8, leaf: LeafPath, look: Look, status: Option<RecordStatus> },
    Generated { offer: u8, side: Side, leaf: LeafPath, good: bool },
    Revoked { offer: u8, leaf: LeafPath, done: bool },
}

type Steps = BTreeMap<(u32, Happening), Option<(u32, Arc<Vec<Effect>>)>>;

#[derive(Default)]
struct Memory {
    packets: Vec<Arc<Packet>>,
    labels: Vec<Label>,
    packet_ids: BTreeMap<(Vec<u8>, Role, Vec<Digest>), u16>,
    beings: Vec<Arc<Being>>,
    being_ids: BTreeMap<(Who, Vec<u8>), u32>,
    orders: Vec<Order>,
    results: Vec<(Who, Outcome)>,
    steps: Steps,
    ends: BTreeMap<Vec<u64>, bool>,
}

pub struct Lab {
    pub market: Market,
    pub scenario: Scenario,
    pub offers: Vec<Verified<Proposal>>,
    pub accepts: Vec<Verified<Accept>>,
    accept_ids: Vec<u16>,
    agrs: Vec<Digest>,
    checked: Vec<Option<Checked>>,
    records: BTreeMap<(u8, RecordStatus), Recorded>,
    second: Someone,
    memory: Mutex<Memory>,
}

impl Lab {
    pub fn new(scenario: Scenario) -> Self {
        let market = Market::new();
        let offers: Vec<_> = scenario.offers.iter().map(|offered| market.offer(offered.goods)).collect();
        let accepts: Vec<_> = scenario.offers.iter().map(|offered| market.accept(offered.goods)).collect();
        let second = Someone::authority(5);
        let memory = Mutex::default();
        let agrs = offers.iter().map(Verified::digest).collect();
        let checked = scenario.offers.iter().map(|offered| market.checked(offered.goods).ok()).collect();
        let statuses = [RecordStatus::Happened, RecordStatus::Frozen, RecordStatus::Revoked];
        let records = (0..scenario.offers.len())
            .flat_map(|offer| statuses.map(|status| (offer, status)))
            .map(|(offer, status)| {
                let record = recorded(&market, scenario.offers[offer].goods, status);
                ((u8::try_from(offer).unwrap(), status), record)
            })
            .collect();
        let accept_ids = Vec::new();
        let mut lab =
            Self { market, scenario, offers, accepts, accept_ids, agrs, checked, records, second, memory };
        let said = |accept: &Verified<Accept>| lab.say(Role::Originator, accept.bytes().clone(), Vec::new());
        lab.accept_ids = lab.accepts.iter().map(said).collect();
        lab
    }

    fn memory<R>(&self, work: impl FnOnce(&mut Memory) -> R) -> R {
        work(&mut self.memory.lock().unwrap())
    }

    pub fn goods(&self, offer: u8) -> Goods {
        self.scenario.offers[usize::from(offer)].goods
    }

    pub fn agr(&self, offer: u8) -> Digest {
        self.agrs[usize::from(offer)]
    }

    pub fn offer_of(&self, agr: Digest) -> u8 {
        u8::try_from(self.agrs.iter().position(|known| *known == agr).unwrap()).unwrap()
    }

    pub fn being(&self, id: u32) -> Arc<Being> {
        self.memory(|memory| memory.beings[id as usize].clone())
    }

    pub fn packet(&self, id: u16) -> Arc<Packet> {
        self.memory(|memory| memory.packets[usize::from(id)].clone())
    }

    /// Whether anything depends on a message having been said: somebody honest hears it, or a property asks.
    pub fn matters(&self, id: u16, is_honest: impl Fn(Role) -> bool) -> bool {
        let label = self.memory(|memory| memory.labels[usize::from(id)]);
        is_honest(label.to) || !matches!(label.fact, Fact::Other | Fact::Receipt(..))
    }

    /// The labels of the messages on the network.
    pub fn labels(&self, net: &Net) -> Vec<Label> {
        self.memory(|memory| memory.labels.iter().filter(|label| net.has(label.id)).copied().collect())
    }

    pub fn order(&self, id: u8) -> Order {
        self.memory(|memory| memory.orders[usize::from(id)].clone())
    }

    pub fn result(&self, id: u8) -> (Who, Outcome) {
        self.memory(|memory| memory.results[usize::from(id)].clone())
    }

    /// The machines as they begin.
    pub fn begin(&self, who: Who) -> u32 {
        let market = &self.market;
        let being = match who {
            Who::O => {
                let goods = self.goods(0);
                let offer = market.proposal(goods);
                match Originator::new(market.run.clone(), &offer, market.contents_o(goods)) {
                    Ok(originator) => Being::O(originator),
                    // An offer this protocol does not allow: an honest originator never makes it.
                    Err(_) => Being::R(Responder::new(market.run.clone())),
                }
            }
            Who::R => Being::R(Responder::new(market.run.clone())),
            Who::T => Being::T(ThirdParty::new(market.t.speaker(), Span::hours(1), market.run.xid)),
            Who::T2 => Being::T(ThirdParty::new(self.second.speaker(), Span::hours(1), market.run.xid)),
        };
        self.intern(who, being)
    }

    fn intern(&self, who: Who, being: Being) -> u32 {
        let bytes = match &being {
            Being::O(state) => wire::encode(state, wire::STATE_LIMIT),
            Being::R(state) => wire::encode(state, wire::STATE_LIMIT),
            Being::T(state) => wire::encode(state, wire::STATE_LIMIT),
        }
        .unwrap();
        let known = self.memory(|memory| memory.being_ids.get(&(who, bytes.clone())).copied());
        if let Some(id) = known {
            return id;
        }
        let recovered = match being {
            Being::O(_) => Being::O(wire::decode(&bytes, wire::STATE_LIMIT).unwrap()),
            Being::R(_) => Being::R(wire::decode(&bytes, wire::STATE_LIMIT).unwrap()),
            Being::T(_) => Being::T(wire::decode(&bytes, wire::STATE_LIMIT).unwrap()),
        };
        self.memory(|memory| {
            memory.beings.push(Arc::new(recovered));
            let id = u32::try_from(memory.beings.len() - 1).unwrap();
            memory.being_ids.insert((who, bytes), id);
            id
        })
    }

    /// Takes one step of the shipped machine; nothing if it changes nothing.
    pub fn step(&self, who: Who, state: u32, what: Happening) -> Option<(u32, Arc<Vec<Effect>>)> {
        if let Some(known) = self.memory(|memory| memory.steps.get(&(state, what)).cloned()) {
            return known;
        }
        let taken = self.really_step(who, state, what);
        self.memory(|memory| memory.steps.insert((state, what), taken.clone()));
        taken
    }

    fn really_step(&self, who: Who, state: u32, what: Happening) -> Option<(u32, Arc<Vec<Effect>>)> {
        let (being, effects) = match (&*self.being(state), who) {
            (Being::O(machine), Who::O) => {
                let event = self.event_o(machine, what)?;
                let step =
                    machine.clone().step(semper_exchange::generatable_verifiable::Input { at: AT, event });
                let effects = step.outputs.iter().filter_map(|output| self.effect(Who::O, output)).collect();
                (Being::O(step.state), effects)
            }
            (Being::R(machine), Who::R) => {
                let event = self.event_r(machine, what)?;
                let step =
                    machine.clone().step(semper_exchange::generatable_verifiable::Input { at: AT, event });
                let effects = step.outputs.iter().filter_map(|output| self.effect(Who::R, output)).collect();
                (Being::R(step.state), effects)
            }
            (Being::T(machine), Who::T | Who::T2) => {
                let event = self.event_t(what)?;
                let input = third_party::Input {
                    at: AT,
                    journal_index: 7,
                    journal_prev: Digest::of(b"journal"),
                    event,
                };
                let step = machine.clone().step(input);
                let effects = step.outputs.iter().filter_map(|output| self.effect_t(who, output)).collect();
                (Being::T(step.state), effects)
            }
            _ => return None,
        };
        let effects: Vec<Effect> = effects;
        let next = self.intern(who, being);
        (next != state || !effects.is_empty()).then(|| (next, Arc::new(effects)))
    }

    fn effect(&self, who: Who, output: &semper_exchange::generatable_verifiable::Output) -> Option<Effect> {
        use semper_exchange::generatable_verifiable::Output;
        match output {
            Output::Send { to, draft, beside } => {
                Some(Effect::Say(self.write(self.market.someone(who.role()), *to, draft, beside)))
            }
            Output::SendSigned { to, signed, beside } => {
                Some(Effect::Say(self.say(*to, signed.clone(), beside.clone())))
            }
            Output::StartTransfer(binding) => Some(Effect::Start(self.offer_of(binding.agreement.unwrap()))),
            Output::Tell(code) => Some(Effect::Tell(*code)),
            // What the authorities say can be heard at any time, and the user answers whenever it likes.
            Output::Ask(_)
            | Output::Deliver(_)
            | Output::Keep(_)
            | Output::Observe(_)
            | Output::Proceed
            | Output::Set { .. } => None,
        }
    }

    fn effect_t(&self, who: Who, output: &third_party::Output) -> Option<Effect> {
        match output {
            third_party::Output::Send { to, draft, beside } => {
                let signer = if who == Who::T { &self.market.t } else { &self.second };
                Some(Effect::Say(self.write(signer, *to, draft, beside)))
            }
            third_party::Output::Observe(..)
            | third_party::Output::Generate(..)
            | third_party::Output::Revoke(_) => {
                let order = Order { who, output: output.clone() };
                Some(Effect::Order(self.memory(|memory| {
                    let known = memory.orders.iter().position(|one| *one == order);
                    let id = known.unwrap_or_else(|| {
                        memory.orders.push(order);
                        memory.orders.len() - 1
                    });
                    u8::try_from(id).unwrap()
                })))
            }
            third_party::Output::Keep(_) | third_party::Output::Retry(..) => None,
        }
    }

    /// Remembers whether a party comes to an end from a situation.
    pub fn remember(&self, situation: Vec<u64>, find: impl FnOnce() -> bool) -> bool {
        if let Some(known) = self.memory(|memory| memory.ends.get(&situation).copied()) {
            return known;
        }
        let found = find();
        self.memory(|memory| memory.ends.insert(situation, found));
        found
    }

    /// Signs what a machine wrote, once.
    fn write(&self, signer: &Someone, to: Role, draft: &Draft, beside: &[Digest]) -> u16 {
        let key = (draft.tbs().to_vec(), to, beside.to_vec());
        let known = self.memory(|memory| memory.packet_ids.get(&key).copied());
        known.unwrap_or_else(|| self.say(to, signer.sign_draft(draft), beside.to_vec()))
    }

    /// Gives a signed message its number.
    pub fn say(&self, to: Role, signed: SignedBytes, beside: Vec<Digest>) -> u16 {
        let key = (signed.tbs.clone(), to, beside.clone());
        if let Some(id) = self.memory(|memory| memory.packet_ids.get(&key).copied()) {
            return id;
        }
        let message = check::read(signed, &self.keys()).unwrap();
        let from = message.common().from;
        self.memory(|memory| {
            let id = u16::try_from(memory.packets.len()).unwrap();
            let accepted = self.accepts.iter().position(|accept| beside.contains(&accept.digest()));
            let needs = accepted.and_then(|offer| self.accept_ids.get(offer).copied());
            let digest = message.digest();
            memory.labels.push(Label { id, from, to, needs, fact: self.fact(to, &message) });
            memory.packets.push(Arc::new(Packet { message, beside, digest }));
            memory.packet_ids.insert(key, id);
            id
        })
    }

    fn fact(&self, to: Role, message: &Message) -> Fact {
        let offer = || self.offer_of(message.common().agr.unwrap());
        match message {
            Message::Accept(_) => Fact::Bound,
            Message::Decision(decision) => {
                Fact::Decided(offer(), decision.outcome, !decision.cheat.is_empty())
            }
            Message::Item(_) => Fact::Gives(offer()),
            Message::Replacement(_) | Message::Affidavit(_) if to == Role::Responder => Fact::Gives(offer()),
            Message::Replacement(_) | Message::Affidavit(_) => Fact::Replaces(offer()),
            Message::Receipt(receipt) => {
                let first = receipt.request.as_bytes()[..8].try_into().unwrap();
                Fact::Receipt(first, receipt.common.signer == self.market.t.speaker().kid)
            }
            _ => Fact::Other,
        }
    }

    pub fn result_id(&self, who: Who, outcome: Outcome) -> u8 {
        self.memory(|memory| {
            let known = memory.results.iter().position(|one| *one == (who, outcome.clone()));
            let id = known.unwrap_or_else(|| {
                memory.results.push((who, outcome));
                memory.results.len() - 1
            });
            u8::try_from(id).unwrap()
        })
    }

    fn keys(&self) -> Keys {
        self.market.keys.clone().with(self.second.certificate, self.second.public())
    }

    fn event_o(&self, machine: &Originator, what: Happening) -> Option<originator::Event> {
        use originator::Event;
        let goods = self.goods(0);
        Some(match what {
            Happening::Signed => Event::Signed(Box::new(self.offers[0].clone())),
            Happening::Stopped => Event::Stopped,
            Happening::Elapsed(timer) => Event::Elapsed(timer),
            Happening::Record(offer, status) => Event::Recorded(self.records[&(offer, status)].clone()),
            Happening::Deliver(id) => match self.packet(id).message.clone() {
                Message::Accept(accept) => Event::Accepted(accept, self.market.grades_r(goods)),
                Message::Decline(decline) => Event::Declined(decline),
                Message::Moved(moved) => {
                    let package = self.market.give_r(goods, true);
                    let right = self.market.contents_r(goods);
                    let verdict = |(path, content): (&LeafPath, &Digest)| {
                        let came = moved.leaf.get(path).is_some_and(|line| line.reference == *content);
                        let accepted = self.market.accepted(&package, path, *content);
                        (path.clone(), if came { Ok(accepted) } else { Err(Mismatch::Text) })
                    };
                    let verdicts = right.iter().map(verdict).collect();
                    Event::Moved(moved, verdicts)
                }
                Message::Close(close) => Event::Closed(close),
                answer => {
                    Event::Answered(Box::new(self.answer(machine.desk().agr, Side::Responder, answer)?))
                }
            },
            Happening::Declined | Happening::Go | Happening::Result(_) => return None,
        })
    }

    fn event_r(&self, machine: &Responder, what: Happening) -> Option<responder::Event> {
        use responder::Event;
        Some(match what {
            Happening::Signed => {
                let offer = self.offer_of(machine.desk()?.agr);
                Event::Signed(Box::new(self.accepts[usize::from(offer)].clone()))
            }
            Happening::Declined => Event::Refused,
            Happening::Go => Event::Go,
            Happening::Stopped => Event::Stopped,
            Happening::Elapsed(timer) => Event::Elapsed(timer),
            Happening::Record(offer, status) => {
                if machine.desk()?.agr != self.agr(offer) {
                    return None;
                }
                Event::Recorded(self.records[&(offer, status)].clone())
            }
            Happening::Deliver(id) => match self.packet(id).message.clone() {
                Message::Offer(offer) => {
                    let goods = self.goods(self.offer_of(offer.digest()));
                    let checked = self.checked[usize::from(self.offer_of(offer.digest()))].clone()?;
                    Event::Offered(
                        Box::new(checked),
                        self.market.permits_r(goods),
                        self.market.contents_r(goods),
                    )
                }
                Message::Item(item) => {
                    let goods = self.goods(self.offer_of(machine.desk()?.agr));
                    let package = self.market.give_o(goods);
                    let verdict = |(path, content): (&LeafPath, &Digest)| {
                        let came = item.content.get(path) == Some(content);
                        let accepted = self.market.accepted(&package, path, *content);
                        (path.clone(), if came { Ok(accepted) } else { Err(Mismatch::Content) })
                    };
                    let verdicts = self.market.contents_o(goods).iter().map(verdict).collect();
                    Event::Delivered(item, verdicts)
                }
                answer => {
                    Event::Answered(Box::new(self.answer(machine.desk()?.agr, Side::Originator, answer)?))
                }
            },
            Happening::Result(_) => return None,
        })
    }

    /// What the third party answers, with what the managers find of a replacement of a leaf of `side`.
    fn answer(&self, agr: Digest, side: Side, message: Message) -> Option<Answer> {
        let goods = self.goods(self.offer_of(agr));
        let (package, contents) = match side {
            Side::Originator => (self.market.give_o(goods), self.market.contents_o(goods)),
            Side::Responder => (self.market.give_r(goods, true), self.market.contents_r(goods)),
        };
        let verdict = |leaf: &LeafPath, content: Digest| -> Result<Accepted, Mismatch> {
            let right = contents.get(leaf) == Some(&content);
            if right { Ok(self.market.accepted(&package, leaf, content)) } else { Err(Mismatch::Content) }
        };
        Some(match message {
            Message::Receipt(receipt) => Answer::Receipt(receipt),
            Message::Decision(decision) => Answer::Decision(decision),
            Message::Replacement(made) => {
                let found = verdict(&made.leaf, made.content);
                Answer::Replacement(made, found)
            }
            Message::Affidavit(made) => {
                let found = verdict(&made.leaf, made.text);
                Answer::Affidavit(made, found)
            }
            Message::NotYet(not_yet) => Answer::NotYet(not_yet),
            Message::Pending(pending) => Answer::Pending(pending),
            Message::Reject(reject) => Answer::Reject(reject),
            _ => return None,
        })
    }

    fn event_t(&self, what: Happening) -> Option<third_party::Event> {
        use third_party::Event;
        Some(match what {
            Happening::Deliver(id) => Event::Requested(Box::new(self.case(&self.packet(id))?)),
            Happening::Result(id) => match self.result(id).1 {
                Outcome::Observed { offer, leaf, look, status } => {
                    let record = |status| self.records[&(offer, status)].record.clone();
                    let observation = match status {
                        Some(RecordStatus::Happened) => Observation::Happened(record(RecordStatus::Happened)),
                        Some(status) => Observation::Frozen(record(status)),
                        None => Observation::NotYet,
                    };
                    Event::Observed { agr: self.agr(offer), leaf, look, observation }
                }
                Outcome::Generated { offer, side, leaf, good } => {
                    let result = if good { Ok(self.make(offer, side)) } else { Err(BadPermit::Content) };
                    Event::Generated { agr: self.agr(offer), side, leaf, result }
                }
                Outcome::Revoked { offer, leaf, done } => {
                    let record = self.records[&(offer, RecordStatus::Revoked)].record.clone();
                    let result = if done { Ok(record) } else { Err(TooLate) };
                    Event::Revoked { agr: self.agr(offer), leaf, result }
                }
            },
            Happening::Elapsed(_)
            | Happening::Stopped
            | Happening::Signed
            | Happening::Declined
            | Happening::Go
            | Happening::Record(..) => return None,
        })
    }

    fn make(&self, offer: u8, side: Side) -> Generated {
        let goods = self.goods(offer);
        match side {
            Side::Originator if goods.sealed => Generated::Key(ContentKey::from_bytes([5; 32])),
            Side::Originator => Generated::Affidavit {
                text: self.market.receipt_text(goods),
                signer: self.market.o.certificate,
                semantics: Semantics::Receipt,
            },
            Side::Responder => Generated::Affidavit {
                text: Digest::of(b"order"),
                signer: self.market.r.certificate,
                semantics: Semantics::Order,
            },
        }
    }

    /// A request with what travels beside it.
    fn case(&self, packet: &Packet) -> Option<Case> {
        let request = match packet.message.clone() {
            Message::Abort(request) => Request::Abort(request),
            Message::Resolve(request) => Request::Resolve(request),
            _ => return None,
        };
        let offer = self.offer_of(request.common().agr?);
        let accept = &self.accepts[usize::from(offer)];
        let blob = blob(self.goods(offer));
        let has = |digest: &Digest| packet.beside.contains(digest);
        Some(Case {
            request,
            offer: self.offers[usize::from(offer)].clone(),
            accept: has(&accept.digest()).then(|| accept.clone()),
            blobs: if has(&Digest::of(&blob)) { vec![blob] } else { Vec::new() },
            keys: self.keys(),
        })
    }

    /// Everything the malicious party can say that the run has a use for.
    pub fn menu(&self) -> Vec<u16> {
        let mut menu = Vec::new();
        for offer in 0..u8::try_from(self.offers.len()).unwrap() {
            if self.scenario.originator == Honesty::Malicious {
                menu.extend(self.menu_o(offer));
            }
            if self.scenario.responder == Honesty::Malicious {
                menu.extend(self.menu_r(offer));
            }
        }
        menu
    }

    fn menu_o(&self, offer: u8) -> Vec<u16> {
        let (market, agr) = (&self.market, self.agr(offer));
        let signed = |draft: Draft| market.o.sign_draft(&draft);
        let item = |content: Digest| {
            let common = market.common(Role::Originator, Role::Responder, Some(agr), Some(agr));
            let content = BTreeMap::from([(path(0), content)]);
            self.say(
                Role::Responder,
                signed(Draft::of(&Item { common, content }).unwrap()),
                vec![content_of(&path(0))],
            )
        };
        let right = market.contents_o(self.goods(offer))[&path(0)];
        let junk = Digest::of(b"junk");
        let mut menu =
            vec![self.say(Role::Responder, self.offers[usize::from(offer)].bytes().clone(), Vec::new())];
        menu.extend(match (self.offers.len(), offer) {
            (1, _) => vec![item(junk), item(right)],
            (_, 0) => vec![item(junk)],
            _ => vec![item(right)],
        });
        menu.extend(self.requests(Role::Originator, offer));
        menu
    }

    fn menu_r(&self, offer: u8) -> Vec<u16> {
        let (market, agr) = (&self.market, self.agr(offer));
        let common = |prev| market.common(Role::Responder, Role::Originator, Some(agr), Some(prev));
        let goods = self.goods(offer);
        let accept = &self.accepts[usize::from(offer)];
        let decline = market.r.sign(&Decline { common: common(agr), reason: DeclineReason::User });
        let moved = |order: Option<Digest>| {
            let line = |reference| MovedLeaf { reference, authority: None, record: None };
            let leaf =
                [(path(0), line(agr))].into_iter().chain(order.map(|order| (path(1), line(order)))).collect();
            market.r.sign(&Moved { common: common(agr), leaf }).bytes().clone()
        };
        let to_o = |signed: SignedBytes| self.say(Role::Originator, signed, Vec::new());
        let mut menu = vec![
            to_o(accept.bytes().clone()),
            to_o(decline.bytes().clone()),
            to_o(moved(goods.order.then(|| Digest::of(b"order")))),
        ];
        if goods.order {
            menu.push(to_o(moved(Some(Digest::of(b"junk")))));
        }
        menu.extend(self.requests(Role::Responder, offer));
        menu
    }

    /// ABORT and RESOLVE, with and without what belongs beside them.
    fn requests(&self, from: Role, offer: u8) -> Vec<u16> {
        let (market, agr) = (&self.market, self.agr(offer));
        let accept = self.accepts[usize::from(offer)].digest();
        let goods = self.goods(offer);
        let common = || market.common(from, Role::ThirdParty, Some(agr), Some(agr));
        let abort = |accept: Option<Digest>| Abort {
            common: common(),
            offer: agr,
            accept,
            reason: Reason::User,
            seen: Vec::new(),
        };
        let resolve = |accept: Option<Digest>| Resolve {
            common: common(),
            offer: agr,
            accept,
            reason: Reason::User,
            seen: Vec::new(),
            own: BTreeMap::new(),
            evidence: Vec::new(),
        };
        let someone = market.someone(from);
        let blobs = if goods.sealed { vec![Digest::of(&blob(goods))] } else { Vec::new() };
        let say =
            |signed: &SignedBytes, beside: Vec<Digest>| self.say(Role::ThirdParty, signed.clone(), beside);
        let with = |more: &[Digest]| [&[agr, accept], more].concat();
        let mut menu = vec![say(someone.sign(&abort(None)).bytes(), vec![agr])];
        // A second offer is there to be decided first; more requests about it add nothing.
        if offer == 0 {
            menu.push(say(someone.sign(&resolve(Some(accept))).bytes(), with(&blobs)));
        }
        menu
    }
}

fn recorded(market: &Market, goods: Goods, status: RecordStatus) -> Recorded {
    let record = market.record(goods, status);
    let package = market.give_r(goods, true);
    let verdict = Ok(market.accepted(&package, &path(0), record.evidence.digest()));
    Recorded { record, verdict }
}

fn content_of(leaf: &LeafPath) -> Digest {
    Digest::of(leaf.to_string().as_bytes())
}
