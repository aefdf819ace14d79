//! The world of one scenario: the machines, every message ever sent, the bank, and what may happen next.

use semper_exchange::{
    deadlines::Timer,
    generatable_verifiable::{Originator, Responder, third_party},
    tell::Code,
};
use semper_supporting::party::Role;
use semper_transfer::property::{Binding, Look, RecordStatus};
use stateright::{Model, Property};

use super::{
    bank::{Ask, Payment},
    common::path,
    lab::Lab,
    properties,
    words::{Being, Effect, Happening, Honesty, Outcome, Scenario, Who},
};

/// The most offers in one scenario.
pub const OFFERS: usize = 2;

/// A state of the world.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct World {
    /// The machines: originator, responder, both third parties.
    pub beings: [u32; 4],
    /// Every message ever sent, by number.
    pub net: Net,
    /// The payments that were ever ordered: the bank may see each order again at any time.
    pub ordered: u8,
    /// What the bank has recorded about the payment of each offer.
    pub bank: [Payment; OFFERS],
    /// The orders third parties ever gave: each may be carried out again at any time, as after a crash.
    pub orders: u64,
    /// The results that ever came back: each may come again.
    pub results: u64,
    /// What originator and responder were told last.
    pub told: [Option<Code>; 2],
}

/// A set of messages.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Net([u64; 16]);

impl Net {
    pub fn add(&mut self, id: u16) {
        self.0[usize::from(id / 64)] |= 1 << (id % 64);
    }

    pub fn has(&self, id: u16) -> bool {
        self.0[usize::from(id / 64)] & (1 << (id % 64)) != 0
    }
}

/// What may happen next.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Act {
    /// A machine takes a step.
    Step(Who, Happening),
    /// The bank carries out the payment of this offer.
    Pay(u8),
    /// An order of a third party reaches its authority or its own vault.
    Order(u8),
}

/// The model of one scenario.
pub struct Gxv {
    pub lab: Lab,
    /// The one property that is asked for; all, if none is. A mutant is held against the property that it must
    /// break, whatever else it breaks before.
    only: Option<String>,
}

impl Gxv {
    pub fn new(scenario: Scenario, only: Option<String>) -> Self {
        Self { lab: Lab::new(scenario), only }
    }

    pub fn is_honest(&self, who: Who) -> bool {
        match who {
            Who::O => self.lab.scenario.originator == Honesty::Honest,
            Who::R => self.lab.scenario.responder == Honesty::Honest,
            Who::T | Who::T2 => true,
        }
    }

    fn is_honest_role(&self, role: Role) -> bool {
        match role {
            Role::Originator => self.is_honest(Who::O),
            Role::Responder => self.is_honest(Who::R),
            _ => true,
        }
    }

    /// Asks the honest originator's machine something; `otherwise` if the originator is not honest.
    pub fn of_o<T>(&self, world: &World, otherwise: T, ask: impl FnOnce(&Originator) -> T) -> T {
        match &*self.lab.being(world.beings[Who::O as usize]) {
            Being::O(machine) if self.is_honest(Who::O) => ask(machine),
            _ => otherwise,
        }
    }

    /// Asks the honest responder's machine something; `otherwise` if the responder is not honest.
    pub fn of_r<T>(&self, world: &World, otherwise: T, ask: impl FnOnce(&Responder) -> T) -> T {
        match &*self.lab.being(world.beings[Who::R as usize]) {
            Being::R(machine) if self.is_honest(Who::R) => ask(machine),
            _ => otherwise,
        }
    }

    pub fn machines(&self) -> impl Iterator<Item = Who> + '_ {
        let second = self.lab.scenario.two_third_parties;
        [Who::O, Who::R, Who::T, Who::T2]
            .into_iter()
            .filter(move |who| self.is_honest(*who) && (*who != Who::T2 || second))
    }

    /// What can happen to one machine by others' doing: messages, records, results.
    pub fn arrivals(&self, world: &World, who: Who, from: Option<Role>) -> Vec<Happening> {
        let mut happenings = Vec::new();
        for label in self.lab.labels(&world.net) {
            let addressed = label.to == who.role() && from.is_none_or(|from| label.from == from);
            if addressed && label.needs.is_none_or(|accept| world.net.has(accept)) {
                happenings.push(Happening::Deliver(label.id));
            }
        }
        if matches!(who, Who::O | Who::R) {
            let records = world.bank.iter().enumerate().filter_map(|(offer, payment)| {
                payment.status.map(|status| Happening::Record(u8::try_from(offer).unwrap(), status))
            });
            happenings.extend(records);
        } else {
            let mine = (0..64_u8).filter(|id| world.results & (1 << id) != 0);
            happenings.extend(mine.filter(|id| self.lab.result(*id).0 == who).map(Happening::Result));
        }
        happenings
    }

    /// What a party may do or suffer of its own accord.
    fn own(&self, world: &World, who: Who) -> Vec<Happening> {
        let calm = self.lab.scenario.calm;
        let mut own = match who {
            Who::O => vec![Happening::Signed],
            Who::R => vec![Happening::Signed, Happening::Go],
            Who::T | Who::T2 => return Vec::new(),
        };
        if who == Who::R && !calm {
            own.push(Happening::Declined);
        }
        if !calm {
            own.extend(TIMERS);
            // Elsewhere giving up is a timer that runs out at once: only the reason it states differs.
            let by_hand = match &*self.lab.being(world.beings[who as usize]) {
                Being::O(machine) => matches!(machine, Originator::Draft(..)),
                Being::R(machine) => matches!(machine, Responder::Resolving(..)),
                Being::T(_) => false,
            };
            own.extend(by_hand.then_some(Happening::Stopped));
        }
        own
    }

    fn apply(&self, world: &mut World, who: Who, next: u32, effects: &[Effect]) {
        let place = who as usize;
        world.beings[place] = next;
        for effect in effects {
            match effect {
                Effect::Say(id) if self.lab.matters(*id, |role| self.is_honest_role(role)) => {
                    world.net.add(*id)
                }
                Effect::Say(_) => {}
                Effect::Start(offer) => world.ordered |= 1 << offer,
                Effect::Order(id) => world.orders |= 1 << id,
                Effect::Tell(code) if place < 2 => world.told[place] = Some(*code),
                Effect::Tell(_) => {}
            }
        }
    }

    pub fn take(&self, world: &World, act: Act) -> Option<World> {
        let mut next = world.clone();
        match act {
            Act::Step(who, what) => {
                let (state, effects) = self.lab.step(who, world.beings[who as usize], what)?;
                self.apply(&mut next, who, state, &effects);
                if let Happening::Result(id) = what
                    && self.is_open(id)
                {
                    next.results &= !(1 << id);
                }
            }
            Act::Pay(offer) => self.ask(&mut next, offer, Ask::Pay),
            Act::Order(id) => {
                let result = self.carry_out(&mut next, id);
                next.results |= 1 << result;
                if self.is_open(result) {
                    next.orders &= !(1 << id);
                }
            }
        }
        Some(next)
    }

    /// "Not yet" is unsigned and belongs to the question it answers: neither comes again.
    fn is_open(&self, result: u8) -> bool {
        matches!(self.lab.result(result).1, Outcome::Observed { status: None, .. })
    }

    /// The bank serves a request about the payment of an offer.
    fn ask(&self, world: &mut World, offer: u8, ask: Ask) {
        let payment = &mut world.bank[usize::from(offer)];
        *payment = self.lab.house.serve(offer, *payment, ask);
    }

    fn carry_out(&self, world: &mut World, id: u8) -> u8 {
        let order = self.lab.order(id);
        let place = |binding: &Binding| self.lab.offer_of(binding.agreement.unwrap());
        let outcome = match &order.output {
            third_party::Output::Observe(binding, look) => {
                let offer = place(binding);
                let ask = if *look == Look::Freeze { Ask::Freeze(order.who) } else { Ask::Look(order.who) };
                self.ask(world, offer, ask);
                let status = world.bank[usize::from(offer)].status;
                Outcome::Observed { offer, leaf: binding.leaf.clone(), look: *look, status }
            }
            third_party::Output::Generate(binding, _) => {
                let offer = place(binding);
                let bad = self.lab.scenario.offers[usize::from(offer)].bad_seal && binding.leaf == path(0);
                let bad = bad && binding.giver == semper_transfer::property::Side::Originator;
                Outcome::Generated { offer, side: binding.giver, leaf: binding.leaf.clone(), good: !bad }
            }
            third_party::Output::Revoke(binding) => {
                let offer = place(binding);
                self.ask(world, offer, Ask::Refund(order.who));
                let done = world.bank[usize::from(offer)].status == Some(RecordStatus::Revoked);
                Outcome::Revoked { offer, leaf: binding.leaf.clone(), done }
            }
            other => panic!("nobody carries out {other:?}"),
        };
        self.lab.result_id(order.who, outcome)
    }

    fn all_acts(&self, world: &World) -> Vec<Act> {
        let mut acts = Vec::new();
        for who in self.machines() {
            acts.extend(self.arrivals(world, who, None).into_iter().map(|what| Act::Step(who, what)));
            acts.extend(self.own(world, who).into_iter().map(|what| Act::Step(who, what)));
        }
        acts.extend(self.authorities(world));
        acts
    }

    /// What banks and vaults may do next.
    pub fn authorities(&self, world: &World) -> Vec<Act> {
        let payments = (0..8_u8).filter(|offer| world.ordered & (1 << offer) != 0).map(Act::Pay);
        let orders = (0..64_u8).filter(|id| world.orders & (1 << id) != 0).map(Act::Order);
        payments.chain(orders).collect()
    }

    /// Whether nothing more can happen.
    pub fn is_quiet(&self, world: &World) -> bool {
        self.all_acts(world).into_iter().all(|act| self.take(world, act).is_none_or(|next| next == *world))
    }
}

/// What a party does that no longer waits. Repeating a request to the third party is left out: the network
/// keeps every message anyway.
pub const GIVE_UP: [Happening; 5] = [
    Happening::Stopped,
    Happening::Elapsed(Timer::Accept),
    Happening::Elapsed(Timer::Item),
    Happening::Elapsed(Timer::Close),
    Happening::Elapsed(Timer::Again),
];

/// The timers among these.
const TIMERS: [Happening; 4] = [
    Happening::Elapsed(Timer::Accept),
    Happening::Elapsed(Timer::Item),
    Happening::Elapsed(Timer::Close),
    Happening::Elapsed(Timer::Again),
];

impl Model for Gxv {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        let beings = [Who::O, Who::R, Who::T, Who::T2].map(|who| self.lab.begin(who));
        let mut net = Net::default();
        self.lab.menu().into_iter().for_each(|id| net.add(id));
        // A malicious responder may pay whenever it likes, in whatever order.
        let ordered = if self.is_honest(Who::R) { 0 } else { 1 };
        vec![World {
            beings,
            net,
            ordered,
            bank: [self.lab.house.begin(); OFFERS],
            orders: 0,
            results: 0,
            told: [None; 2],
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Act>) {
        actions.extend(self.all_acts(world));
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        self.take(world, act)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = properties::of(&self.lab.scenario);
        properties.retain(|property| self.only.as_ref().is_none_or(|only| *only == property.name));
        properties
    }
}
