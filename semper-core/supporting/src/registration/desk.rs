//! The authority's desk: what it does with the letters it gave out and the calls it gets.
//!
//! A pure machine. Nonces, serial numbers and the time come in with the inputs; storing, issuing, answering,
//! revoking and the journal go out as orders. What a registration gives is settled in one step, with serial
//! numbers and validity; issuing is then a function of what is stored. So a crash between any two steps is
//! followed by the same certificates, and a wallet that lost the answer gets them again.
//!
//! The daemon stores what [`Output::Store`] says in the transaction of the step, a row a registration, and makes
//! the desk of these rows when it starts; then it performs [`Desk::unfinished`].
//!
//! **Invariant.** No registration leaves [`RegState::Issuing`] but with the set that was settled, and no key is
//! certified for two registrations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    message::{Answer, CertificateSet, Refusal, RegFinish, RevokeOwn},
    prk::{PrkId, same_mac},
    record::{Names, Nonce, RecordId, RegState, Registration, Settled, TRIES_IN_ALL},
};
use crate::{
    certificate::{
        Issuance, Serial, inspect, request,
        status::{RevocationReason, RevokedEntry},
    },
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    evidence::Verified,
    machine::{Machine, Refused, Step},
    time::Moment,
};

/// The desk: all registrations, and which key belongs to which.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Desk {
    registrations: BTreeMap<RecordId, Registration>,
    by_prk: BTreeMap<PrkId, RecordId>,
    by_key: BTreeMap<Kid, RecordId>,
}

/// A call that waits for its answer; the daemon's own number for it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct CallId(pub u64);

/// Everything that happens at the desk.
#[derive(Clone, Debug)]
pub enum Input {
    /// The operator entered somebody whom he has checked.
    Entered(Box<Registration>, Moment),
    /// The letter was printed.
    Printed(RecordId, Moment),
    /// The operator declared a key void.
    Voided {
        /// Which registration.
        id: RecordId,
        /// Why.
        reason: String,
        /// When.
        at: Moment,
    },
    /// A wallet began a registration.
    Begun {
        /// The call to answer.
        call: CallId,
        /// Which registration it names.
        prk_id: PrkId,
        /// 32 fresh random bytes.
        nonce: [u8; 32],
        /// When.
        at: Moment,
    },
    /// A wallet proved its registration key.
    Finished {
        /// The call to answer.
        call: CallId,
        /// What it sent.
        finish: Box<RegFinish>,
        /// The 32 bytes exported from the TLS session of the call.
        exporter: [u8; 32],
        /// Fresh serial numbers, one for each certificate of the largest set.
        serials: [Serial; 2],
        /// When.
        at: Moment,
    },
    /// What an order to issue gave.
    Issued {
        /// Which registration.
        id: RecordId,
        /// The call that waits for it, if it still does.
        call: Option<CallId>,
        /// The certificates and the authorities above them.
        set: CertificateSet,
        /// When.
        at: Moment,
    },
    /// The owner asked that the set be revoked; signature and signer are checked.
    RevokeAsked {
        /// The call to answer.
        call: CallId,
        /// What the owner signed.
        statement: Verified<RevokeOwn>,
        /// When.
        at: Moment,
    },
    /// The operator revoked a set: the owner came with the letter, or the subject is no more.
    RevokedHere {
        /// Which registration.
        id: RecordId,
        /// Why.
        reason: RevocationReason,
        /// When.
        at: Moment,
    },
    /// Another set has taken the place of this one.
    RolledOver(RecordId, Moment),
}

/// What the desk orders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// Store the registration as it now is.
    Store(Box<Registration>),
    /// Add a line to the journal.
    Journal(Entry),
    /// Answer a call.
    Answer(CallId, Answer),
    /// Issue these certificates, all of them, and come back with [`Input::Issued`].
    Issue {
        /// Which registration.
        id: RecordId,
        /// The call that waits for it.
        call: Option<CallId>,
        /// The certificates, in the order of the set.
        orders: Vec<Issuance>,
    },
    /// Put these on the next revocation list, which holds what [`Desk::revoked`] says.
    Revoke(Vec<RevokedEntry>),
}

/// A line of the desk's journal.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Entry {
    /// Which registration.
    pub id: RecordId,
    /// When.
    pub at: Moment,
    /// What happened.
    pub event: Event,
}

/// What happened to a registration.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// Names were entered.
    Entered,
    /// The letter was printed.
    Printed,
    /// A wrong try.
    WrongTry,
    /// The last wrong try of the day.
    Locked,
    /// The last wrong try of all, or the operator's word.
    Voided,
    /// What it gives was settled.
    Settled,
    /// The set was issued.
    Issued,
    /// The set was given again to the same requests.
    Repeated,
    /// Other keys were refused a second set.
    SecondSetRefused,
    /// The set was revoked.
    Revoked,
    /// Another set took its place.
    RolledOver,
}

impl Machine for Desk {
    type Input = Input;
    type Output = Output;

    fn step(mut self, input: Input) -> Step<Self> {
        match input {
            Input::Entered(registration, at) => self.enter(*registration, at),
            Input::Printed(id, at) => self.operate(id, at, Event::Printed, |state| match state {
                RegState::Entered => Some(RegState::Printed),
                _ => None,
            }),
            Input::Voided { id, reason, at } => self.operate(id, at, Event::Voided, |state| match state {
                RegState::Entered | RegState::Printed => Some(RegState::Void { reason }),
                _ => None,
            }),
            Input::RolledOver(since, at) => self.operate(since, at, Event::RolledOver, |state| match state {
                RegState::Used(settled, set) => {
                    Some(RegState::RolledOver { since: at, settled: settled.clone(), set: set.clone() })
                }
                _ => None,
            }),
            Input::Begun { call, prk_id, nonce, at } => {
                let known = self.by_prk.get(&prk_id).and_then(|id| self.registrations.get_mut(id));
                let store = known.map(|registration| {
                    registration.nonce = Some(Nonce { bytes: nonce, at });
                    Output::Store(Box::new(registration.clone()))
                });
                // Known or not, the answer is the same; an unknown one leaves nothing behind.
                Step::to(self).orders(store).order(Output::Answer(call, Answer::Nonce(nonce)))
            }
            Input::Finished { call, finish, exporter, serials, at } => {
                self.finish(call, &finish, &exporter, serials, at)
            }
            Input::Issued { id, call, set, at } => self.issued(id, call, set, at),
            Input::RevokeAsked { call, statement, at } => {
                let found = self.holder(&statement.cert).filter(|(_, key)| key.kid() == statement.signer());
                match found {
                    Some((id, _)) => self.revoke(id, Some(call), statement.reason, at),
                    None => Step::refuse(self, Refused::Mismatch)
                        .order(Output::Answer(call, Answer::Refused(Refusal::NotOurs))),
                }
            }
            Input::RevokedHere { id, reason, at } => self.revoke(id, None, reason, at),
        }
    }
}

impl Desk {
    /// The desk of the registrations that were stored.
    pub fn of(registrations: impl IntoIterator<Item = Registration>) -> Self {
        let mut desk = Self::default();
        for registration in registrations {
            desk.put(registration);
        }
        desk
    }

    /// A registration.
    pub fn get(&self, id: &RecordId) -> Option<&Registration> {
        self.registrations.get(id)
    }

    /// All registrations.
    pub fn all(&self) -> impl Iterator<Item = &Registration> {
        self.registrations.values()
    }

    /// Which registration gave the certificate of this digest, and the key in it: the key with which a
    /// statement of its owner is to be verified.
    pub fn holder(&self, certificate: &Digest) -> Option<(RecordId, PublicKey)> {
        self.registrations.values().find_map(|registration| {
            let set = registration.set()?;
            let place = set.certificates.iter().position(|one| one.digest() == *certificate)?;
            let order = registration.settled()?.orders.get(place)?;
            Some((registration.id, order.key))
        })
    }

    /// Everything that belongs on a revocation list at `now`: what was revoked and would else still be valid.
    pub fn revoked(&self, now: Moment) -> Vec<RevokedEntry> {
        let all = self.registrations.values().filter_map(|registration| match &registration.state {
            RegState::Revoked { since, reason, settled, .. } if settled.until() >= now => {
                Some(entries(settled, *since, *reason))
            }
            _ => None,
        });
        all.flatten().collect()
    }

    /// What is to be done for registrations that were being issued when the desk went down.
    pub fn unfinished(&self) -> Vec<Output> {
        let issuing = self.registrations.values().filter_map(|registration| match &registration.state {
            RegState::Issuing(settled) => Some(issue(registration.id, None, settled)),
            _ => None,
        });
        issuing.collect()
    }

    fn put(&mut self, registration: Registration) {
        self.by_prk.insert(registration.key.id(), registration.id);
        for order in registration.settled().iter().flat_map(|settled| &settled.orders) {
            self.by_key.insert(order.key.kid(), registration.id);
        }
        self.registrations.insert(registration.id, registration);
    }

    fn enter(mut self, registration: Registration, at: Moment) -> Step<Self> {
        let fits = registration.kind.classes().iter().all(|class| registration.subject.check(*class).is_ok());
        let fresh = !self.registrations.contains_key(&registration.id)
            && !self.by_prk.contains_key(&registration.key.id());
        if !fits || !fresh || registration.state != RegState::Entered {
            return Step::refuse(self, Refused::Mismatch);
        }
        let id = registration.id;
        self.put(registration);
        self.stored(id, at, Event::Entered)
    }

    /// A move of the operator from one state to another.
    fn operate(
        mut self,
        id: RecordId,
        at: Moment,
        event: Event,
        go: impl FnOnce(&RegState) -> Option<RegState>,
    ) -> Step<Self> {
        let Some(registration) = self.registrations.get_mut(&id) else {
            return Step::refuse(self, Refused::Mismatch);
        };
        let Some(state) = go(&registration.state) else {
            return Step::refuse(self, Refused::OutOfPlace);
        };
        registration.state = state;
        self.stored(id, at, event)
    }

    /// Orders to store a registration and to note why.
    fn stored(self, id: RecordId, at: Moment, event: Event) -> Step<Self> {
        let store = self.registrations.get(&id).map(|one| Output::Store(Box::new(one.clone())));
        Step::to(self).orders(store).order(Output::Journal(Entry { id, at, event }))
    }

    fn finish(
        mut self,
        call: CallId,
        finish: &RegFinish,
        exporter: &[u8; 32],
        serials: [Serial; 2],
        at: Moment,
    ) -> Step<Self> {
        let decline = |refusal| Output::Answer(call, Answer::Refused(refusal));
        let found = self.by_prk.get(&finish.prk_id).and_then(|id| self.registrations.get_mut(id));
        let Some(registration) = found else {
            return Step::to(self).order(decline(Refusal::UnknownPrk));
        };
        let id = registration.id;
        // The nonce is used up whatever follows.
        let nonce = registration.take_nonce(at);
        let early = match &registration.state {
            RegState::Entered => Some(Refusal::UnknownPrk),
            RegState::Void { .. } => Some(Refusal::Void),
            _ => registration.tries.locked_until(at).map(|until| Refusal::Locked { until }),
        };
        let nonce = match (early, nonce) {
            (None, Some(nonce)) => nonce,
            (early, _) => {
                let store = Output::Store(Box::new(registration.clone()));
                return Step::to(self).order(store).order(decline(early.unwrap_or(Refusal::Nonce)));
            }
        };
        let expected = registration.key.mac(&nonce, exporter, &finish.asked.digest());
        if !same_mac(&finish.mac, &expected) {
            return self.wrong_try(id, at, |_| decline(Refusal::UnknownPrk));
        }
        if let Some(settled) = registration.settled() {
            let (same, order) =
                (settled.asked.requests == finish.asked.requests, issue(id, Some(call), settled));
            if !same {
                let refusal = Refusal::AlreadyIssued { at: settled.at, until: settled.until() };
                return self.stored(id, at, Event::SecondSetRefused).order(decline(refusal));
            }
            let again = match registration.set() {
                // Proven over what is asked now, names and all: whoever entered others than before sees whose set it is.
                Some(set) => Output::Answer(call, Answer::set(&registration.key, &finish.asked, set.clone())),
                None => order,
            };
            return self.stored(id, at, Event::Repeated).order(again);
        }
        if !Names::of(&registration.subject).agree(&finish.asked.names) {
            return self.wrong_try(id, at, |left| decline(Refusal::NameDiffers { left }));
        }
        self.settle(id, call, finish, serials, at)
    }

    /// Fixes what the registration gives and orders it to be issued.
    fn settle(
        mut self,
        id: RecordId,
        call: CallId,
        finish: &RegFinish,
        serials: [Serial; 2],
        at: Moment,
    ) -> Step<Self> {
        let keys = self.keys(&finish.asked.requests);
        let Some(registration) = self.registrations.get_mut(&id) else {
            return Step::refuse(self, Refused::Mismatch);
        };
        let classes = registration.kind.classes();
        let Some(keys) = keys.filter(|keys| keys.len() == classes.len()) else {
            let decline = Output::Answer(call, Answer::Refused(Refusal::BadKey));
            let store = Output::Store(Box::new(registration.clone()));
            return Step::to(self).order(store).order(decline);
        };
        let orders = classes.iter().zip(&keys).zip(serials).map(|((class, key), serial)| Issuance {
            class: *class,
            subject: registration.subject.clone(),
            key: *key,
            serial,
            from: at.whole_seconds(),
            policy: registration.policy.clone(),
        });
        let settled =
            Settled { asked: finish.asked.clone(), orders: orders.collect(), at: at.whole_seconds() };
        let order = issue(id, Some(call), &settled);
        registration.state = RegState::Issuing(settled);
        self.by_key.extend(keys.iter().map(|key| (key.kid(), id)));
        self.stored(id, at, Event::Settled).order(order)
    }

    /// The keys of requests that prove their possession, each new to this desk and to the others.
    fn keys(&self, requests: &[Vec<u8>]) -> Option<Vec<PublicKey>> {
        let mut keys: Vec<PublicKey> = Vec::new();
        for one in requests {
            let key = request::check(one).ok()?;
            if keys.contains(&key) || self.by_key.contains_key(&key.kid()) {
                return None;
            }
            keys.push(key);
        }
        Some(keys)
    }

    fn issued(mut self, id: RecordId, call: Option<CallId>, set: CertificateSet, at: Moment) -> Step<Self> {
        let Some(registration) = self.registrations.get_mut(&id) else {
            return Step::refuse(self, Refused::Mismatch);
        };
        let RegState::Issuing(settled) = &registration.state else {
            return Step::refuse(self, Refused::Repeated);
        };
        let fits = set.certificates.len() == settled.orders.len()
            && set.certificates.iter().zip(&settled.orders).all(|(certificate, order)| {
                inspect(certificate).is_ok_and(|found| {
                    (found.class, found.key, found.serial, &found.subject)
                        == (order.class, order.key, order.serial, &order.subject)
                })
            });
        if !fits {
            return Step::refuse(self, Refused::Mismatch);
        }
        let answer = call
            .map(|call| Output::Answer(call, Answer::set(&registration.key, &settled.asked, set.clone())));
        registration.state = RegState::Used(settled.clone(), set);
        self.stored(id, at, Event::Issued).orders(answer)
    }

    fn wrong_try(mut self, id: RecordId, at: Moment, answer: impl FnOnce(u8) -> Output) -> Step<Self> {
        let Some(registration) = self.registrations.get_mut(&id) else {
            return Step::refuse(self, Refused::Mismatch);
        };
        let left = registration.tries.count(at);
        let unused = matches!(registration.state, RegState::Printed);
        let event = if unused && registration.tries.in_all >= TRIES_IN_ALL {
            registration.state = RegState::Void { reason: "too many wrong tries".to_owned() };
            Event::Voided
        } else if left == 0 {
            Event::Locked
        } else {
            Event::WrongTry
        };
        self.stored(id, at, event).order(answer(left))
    }

    fn revoke(
        mut self,
        id: RecordId,
        call: Option<CallId>,
        reason: RevocationReason,
        at: Moment,
    ) -> Step<Self> {
        let answer = |from| call.map(|call| Output::Answer(call, Answer::Revoked { from }));
        let Some(registration) = self.registrations.get_mut(&id) else {
            return Step::refuse(self, Refused::Mismatch);
        };
        let (settled, set) = match &registration.state {
            RegState::Used(settled, set) | RegState::RolledOver { settled, set, .. } => {
                (settled.clone(), set.clone())
            }
            RegState::Revoked { since, .. } => {
                let answer = answer(*since);
                return Step::refuse(self, Refused::Repeated).orders(answer);
            }
            _ => return Step::refuse(self, Refused::OutOfPlace),
        };
        let since = at.whole_seconds();
        let entries = entries(&settled, since, reason).collect();
        registration.state = RegState::Revoked { since, reason, settled, set };
        self.stored(id, at, Event::Revoked).order(Output::Revoke(entries)).orders(answer(since))
    }
}

fn issue(id: RecordId, call: Option<CallId>, settled: &Settled) -> Output {
    Output::Issue { id, call, orders: settled.orders.clone() }
}

fn entries(
    settled: &Settled,
    at: Moment,
    reason: RevocationReason,
) -> impl Iterator<Item = RevokedEntry> + '_ {
    settled.orders.iter().map(move |order| RevokedEntry { serial: order.serial, at, reason })
}
