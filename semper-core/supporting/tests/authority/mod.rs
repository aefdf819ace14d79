//! An authority and the wallets that register with it, over calls and answers that can be lost, and crashes.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops"
)]

use std::{
    collections::{BTreeSet, VecDeque},
    sync::LazyLock,
};

use semper_supporting::{
    certificate::{Certificate, Class, Serial, request, status::RevokedEntry},
    crypto::digest::Digest,
    fault::Fault,
    machine::{Machine, Refused, Step},
    registration::{
        applicant::{self, Applicant, Plan},
        desk::{CallId, Desk, Input, Output},
        message::{Answer, Asked, Call, CertificateSet},
        prk::{Prk, PrkKey},
        record::{Kind, Names, RecordId, RegState, Registration},
    },
    time::Moment,
    wire,
};

use crate::pki::{World, key, now, subject};

pub static PRK: LazyLock<Prk> = LazyLock::new(|| Prk::from_random(b"fourteen bytes"));
/// K takes a tenth of a second, so it is computed once.
pub static K: LazyLock<PrkKey> = LazyLock::new(|| PRK.derive(World::new().root.certificate()).unwrap());
pub static OTHER_K: LazyLock<PrkKey> =
    LazyLock::new(|| Prk::from_random(&[1; 14]).derive(World::new().root.certificate()).unwrap());

pub const ID: RecordId = RecordId::from_bytes([1; 16]);
pub const EXPORTER: [u8; 32] = [9; 32];

/// A state as it is after a crash: what was stored, read back.
pub fn restored<T: wire::Record>(state: &T) -> T {
    wire::decode(&wire::encode(state, wire::STATE_LIMIT).unwrap(), wire::STATE_LIMIT).unwrap()
}

/// The authority: its desk, what it has issued, and a source of nonces and serial numbers.
pub struct Ca {
    pub world: World,
    pub desk: Desk,
    pub issued: BTreeSet<Digest>,
    pub revoked: Vec<RevokedEntry>,
    pub drawn: u8,
}

impl Ca {
    pub fn new(kind: Kind) -> Self {
        let mut ca = Self {
            world: World::new(),
            desk: Desk::default(),
            issued: BTreeSet::new(),
            revoked: Vec::new(),
            drawn: 0,
        };
        let class = kind.classes()[0];
        let registration = Registration::entered(ID, kind, subject(class), K.clone());
        ca.step(Input::Entered(Box::new(registration), now()));
        ca.step(Input::Printed(ID, now()));
        ca
    }

    pub fn draw(&mut self) -> u8 {
        self.drawn += 1;
        self.drawn
    }

    pub fn step(&mut self, input: Input) -> (Vec<Output>, Option<Refused>) {
        let Step { state, outputs, refused } = std::mem::take(&mut self.desk).step(input);
        self.desk = restored(&state);
        (outputs, refused)
    }

    /// The input that a call makes.
    pub fn input(&mut self, call: Call, id: CallId, at: Moment) -> Input {
        match call {
            Call::RegBegin { prk_id } => Input::Begun { call: id, prk_id, nonce: [self.draw(); 32], at },
            Call::RegFinish(finish) => {
                let serials = [self.draw(), self.draw()].map(|n| Serial::from_random([n; 16]));
                Input::Finished { call: id, finish: Box::new(finish), exporter: EXPORTER, serials, at }
            }
            other => panic!("{other:?}"),
        }
    }

    /// Performs orders until there are none, except that order number `crash` and what follows is lost; then
    /// the desk comes back from what it stored.
    pub fn perform(&mut self, outputs: Vec<Output>, crash: &mut Option<usize>) -> Vec<Answer> {
        let mut answers = Vec::new();
        let mut waiting = VecDeque::from(outputs);
        while let Some(output) = waiting.pop_front() {
            if let Some(left) = crash {
                if *left == 0 {
                    *crash = None;
                    answers.clear();
                    waiting = restored(&self.desk).unfinished().into();
                    continue;
                }
                *left -= 1;
            }
            match output {
                Output::Issue { id, call, orders } => {
                    let certificates: Vec<_> =
                        orders.iter().map(|order| self.world.ca.issue(order).unwrap()).collect();
                    self.issued.extend(certificates.iter().map(Certificate::digest));
                    let chain = vec![self.world.ca.certificate().clone()];
                    let set = CertificateSet { certificates, chain };
                    waiting.extend(self.step(Input::Issued { id, call, set, at: now() }).0);
                }
                Output::Answer(_, answer) => {
                    answers.push(Answer::read(&answer.write().unwrap()).unwrap());
                }
                Output::Revoke(entries) => self.revoked.extend(entries),
                Output::Store(_) | Output::Journal(_) => {}
            }
        }
        answers
    }

    pub fn call_at(&mut self, call: &Call, at: Moment) -> Option<Answer> {
        let call = Call::read(&call.write().unwrap()).unwrap();
        let input = self.input(call, CallId(1), at);
        let outputs = self.step(input).0;
        self.perform(outputs, &mut None).pop()
    }

    pub fn call(&mut self, call: &Call) -> Answer {
        self.call_at(call, now()).unwrap()
    }

    /// A whole registration by hand.
    pub fn register(&mut self, k: &PrkKey, asked: &Asked) -> Answer {
        self.register_at(k, asked, now())
    }

    pub fn register_at(&mut self, k: &PrkKey, asked: &Asked, at: Moment) -> Answer {
        let Some(Answer::Nonce(nonce)) = self.call_at(&Call::RegBegin { prk_id: k.id() }, at) else {
            panic!("no nonce");
        };
        self.call_at(&finish(k, asked, &nonce, &EXPORTER), at).unwrap()
    }

    pub fn state(&self) -> &RegState {
        &self.desk.get(&ID).unwrap().state
    }
}

pub fn finish(k: &PrkKey, asked: &Asked, nonce: &[u8; 32], exporter: &[u8; 32]) -> Call {
    let mac = k.mac(nonce, exporter, &asked.digest());
    Call::RegFinish(semper_supporting::registration::message::RegFinish {
        prk_id: k.id(),
        asked: asked.clone(),
        mac,
    })
}

pub fn asked(keys: &[u8]) -> Asked {
    Asked {
        requests: keys.iter().map(|n| request::make(&key(*n)).unwrap()).collect(),
        names: Names::of(&subject(Class::PersonSign)),
    }
}

pub fn plan(asked: Asked) -> Plan {
    Plan {
        root: World::new().root.certificate().clone(),
        key: K.clone(),
        kind: Kind::Person,
        dns: Vec::new(),
        asked,
    }
}

pub fn refusal(answer: &Answer) -> &'static str {
    match answer {
        Answer::Refused(refusal) => refusal.code(),
        other => panic!("{other:?}"),
    }
}

pub fn set_of(answer: Answer) -> CertificateSet {
    match answer {
        Answer::Set { set, .. } => set,
        other => panic!("{other:?}"),
    }
}

/// Lets a wallet register, coming back from its stored state at each step, while the authority crashes at its
/// order number `ca_crash` and the wallet's call or the answer number `lost` is lost.
pub fn run(
    ca: &mut Ca,
    mut wallet: Applicant,
    ca_crash: &mut Option<usize>,
    lost: Option<usize>,
) -> Applicant {
    let mut messages = 0;
    for _attempt in 0..4 {
        let mut inputs = VecDeque::from([applicant::Input::Connected { exporter: EXPORTER }]);
        while let Some(input) = inputs.pop_front() {
            let step = restored(&wallet).step(input);
            wallet = restored(&step.state);
            for output in step.outputs {
                let applicant::Output::Send(call) = output else { continue };
                messages += 1;
                if lost == Some(messages - 1) {
                    inputs.push_back(applicant::Input::Lost);
                    continue;
                }
                let input = ca.input(call, CallId(7), now());
                let outputs = ca.step(input).0;
                let answer = ca.perform(outputs, ca_crash).pop();
                messages += 1;
                inputs.push_back(match answer {
                    Some(answer) if lost != Some(messages - 1) => {
                        applicant::Input::Answered(Box::new(answer), now())
                    }
                    _ => applicant::Input::Lost,
                });
            }
        }
        if matches!(wallet, Applicant::Done(_)) {
            break;
        }
    }
    wallet
}
