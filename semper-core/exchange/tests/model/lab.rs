//! What surrounds the machines of one scenario: everybody's keys, the offers, every message that can exist,
//! and the machines' steps, each taken once and remembered.
//!
//! A state of the world is a handful of small numbers; the values behind them are kept here. States are kept
//! in the encoding in which they are journaled and decoded again before each first step, so that what is
//! explored is what survives a crash.

mod events;
mod menu;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use semper_exchange::{
    check::{self, Checked},
    generatable_verifiable::{Originator, Recorded, Responder, ThirdParty, third_party},
    message::{Accept, Draft, Message, Proposal},
    run::Keys,
};
use semper_supporting::{
    crypto::digest::Digest,
    evidence::{SignedBytes, Verified},
    machine::Machine,
    party::Role,
    time::Span,
    wire,
};
use semper_transfer::property::RecordStatus;

use super::{
    bank::House,
    common::{AT, Goods, Market, Someone, path},
    words::{Being, Effect, Fact, Happening, Label, Order, Outcome, Packet, Scenario, Who},
    world::Net,
};

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
    pub house: House,
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
        let goods: Vec<Goods> = scenario.offers.iter().map(|offered| offered.goods).collect();
        let house = House::new(&market, &second, &goods);
        let mut lab = Self {
            market,
            scenario,
            offers,
            accepts,
            accept_ids,
            agrs,
            checked,
            records,
            second,
            house,
            memory,
        };
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
}

fn recorded(market: &Market, goods: Goods, status: RecordStatus) -> Recorded {
    let record = market.record(goods, status);
    let package = market.give_r(goods, true);
    let verdict = Ok(market.accepted(&package, &path(0), record.evidence.digest()));
    Recorded { record, verdict }
}
