//! A small program to drive: tills that take money in, move it to one another in one transaction, report
//! every change to a peer, and count beats of a timer. And what can go wrong around it: crashes, a peer that
//! does not answer.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail this way")]

pub mod crash;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex},
};

use semper_archive_sqlite::{Options, SqliteArchive};
use semper_engine::{
    Class, Context, Declined, Effect, Engine, Host, Key, KeyedRandomness, Limits, Nature, Order, Parts,
    Performed, Performer, TABLES, VirtualClock,
};
use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits as AccessLimits, Object, Subject, decide},
    archive::{
        ArchiveId, Column, Guard, Query, Relation, Row, RowOp, Schema, Store, Table, Value,
        head::JournalHead,
        journal::{Chain, Class as Entries, Head, Kind, Line, TABLE, check_row},
        record,
    },
    crypto::{
        digest::Digest,
        keys::{GenerateKey, KeyPurpose, KeyRef, KeyStore as _, SoftKeys},
    },
    evidence::Statement,
    machine::{Machine, Refused, Step},
    time::{Moment, Span},
    tinguin::Permit,
    wire,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub const PEER: &str = "peer";
pub const START: Moment = Moment::from_seconds(1_750_000_000);

/// A till: what it holds, and what it has heard.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Till {
    pub holds: i64,
    pub changes: u32,
    pub receipts: BTreeSet<u32>,
    pub beats: u32,
    pub signed: Vec<u32>,
    pub closed: bool,
}

/// What can happen to a till. What is not the program's own is marked by its bytes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Input {
    /// Somebody brings money. Recognised when it comes again.
    Deposited { amount: i64, number: u32 },
    /// Somebody moves money to another till.
    Moved { amount: i64, to: u8, number: u32 },
    /// Another till brings money.
    Credited { amount: i64 },
    /// The peer has confirmed a report.
    Confirmed { change: u32 },
    /// The timer.
    Beat,
    /// A statement was signed.
    Signed { change: u32 },
    /// Asks for beats, or for none.
    Beating { on: bool },
    /// No more reports to the peer.
    Silenced,
    /// Nothing more will happen.
    Closed,
    /// Takes from the shared fund, as far as it reaches.
    Funded { amount: i64, number: u32 },
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    Report { change: u32, holds: i64 },
    Credit { to: u8, amount: i64 },
    Answer { change: u32 },
    Sign { change: u32 },
    Wake(bool),
    Silence,
    Draw(i64),
}

impl Machine for Till {
    type Input = (Input, Moment, i64);
    type Output = Output;

    fn step(mut self, (input, _, fund): Self::Input) -> Step<Self> {
        if self.closed {
            return Step::refuse(self, Refused::OutOfPlace);
        }
        match input {
            Input::Deposited { amount, .. } => {
                self.holds += amount;
                self.report().answered()
            }
            Input::Moved { amount, to, .. } => {
                if amount > self.holds {
                    return Step::refuse(self, Refused::Mismatch);
                }
                self.holds -= amount;
                self.report().answered().order(Output::Credit { to, amount })
            }
            Input::Credited { amount } => {
                self.holds += amount;
                self.report()
            }
            Input::Confirmed { change } => {
                if !self.receipts.insert(change) {
                    return Step::refuse(self, Refused::Repeated);
                }
                Step::to(self)
            }
            Input::Beat => {
                self.beats += 1;
                Step::to(self).order(Output::Wake(true))
            }
            Input::Signed { change } => {
                self.signed.push(change);
                Step::to(self)
            }
            Input::Beating { on } => Step::to(self).order(Output::Wake(on)),
            Input::Silenced => Step::to(self).order(Output::Silence),
            Input::Closed => {
                self.closed = true;
                Step::to(self)
            }
            Input::Funded { amount, .. } => {
                if amount > fund {
                    return Step::refuse(self, Refused::Mismatch);
                }
                self.holds += amount;
                self.report().order(Output::Draw(amount))
            }
        }
    }
}

impl Till {
    fn report(mut self) -> Step<Self> {
        self.changes += 1;
        let (change, holds) = (self.changes, self.holds);
        Step::to(self).orders([Output::Sign { change }, Output::Report { change, holds }])
    }
}

trait Answered {
    fn answered(self) -> Self;
}

impl Answered for Step<Till> {
    fn answered(self) -> Self {
        let change = self.state.changes;
        self.order(Output::Answer { change })
    }
}

/// One row: what all tills may draw from.
pub const FUND: Table = Table {
    name: "fund",
    columns: &[Column::integer("id"), Column::integer("holds"), Column::integer("version")],
    key: &["id"],
    unique: &[],
    indexes: &[],
};

/// The program, and the key that signs the heads of its journal, if it has one.
#[derive(Clone, Debug, Default)]
pub struct Tills {
    pub keys: Option<Arc<(SoftKeys, KeyRef)>>,
}

impl Tills {
    /// A program with a key for its journal.
    pub fn signing() -> Self {
        let mut keys = SoftKeys::new();
        let act = GenerateKey { purpose: KeyPurpose::Journal, deal: None, at: START };
        let facts = Facts {
            key: Some(KeyPurpose::Journal),
            circumstances: &[Circumstance::FirstStart],
            ..Facts::default()
        };
        let permit = allowed(Action::GenerateKey, &act, facts, START);
        let key = keys.generate(KeyPurpose::Journal, &Zeroizing::new([7; 32]), permit, START).unwrap();
        Self { keys: Some(Arc::new((keys, key))) }
    }
}

fn allowed<T: Statement>(action: Action, statement: &T, facts: Facts<'_>, now: Moment) -> Permit<T> {
    let operator = Subject::Operator { policy: Digest::from_bytes([9; 32]) };
    match decide(&operator, action, &Object::with(statement, facts), None, &AccessLimits::default(), now) {
        Decision::Allow(permit) => permit,
        _ => panic!("the operator may keep a journal"),
    }
}

impl Host for Tills {
    type Machine = Till;
    type Input = Input;
    type Snapshot = Till;

    fn begin(&self, _: &Key, input: &Input) -> Option<Till> {
        (!matches!(input, Input::Beat | Input::Confirmed { .. })).then(Till::default)
    }

    fn nature(&self, _: &Key, input: &Input) -> Nature {
        use Input::{Beating, Deposited, Funded, Moved};
        let outside = matches!(input, Deposited { .. } | Moved { .. } | Funded { .. } | Beating { .. });
        let mark = outside.then(|| Digest::of(&wire::encode(input, 1024).unwrap()));
        Nature { kind: Kind::of(Entries::Received, "till"), deal: None, mark }
    }

    fn look(&self, _: &Key, input: &Input) -> Vec<Query> {
        match input {
            Input::Funded { .. } => vec![Query::of(FUND.name).equal("id", 1_i64)],
            _ => vec![],
        }
    }

    fn admit(&self, _: &Key, input: Input, context: Context<'_>) -> Result<(Input, Moment, i64), Declined> {
        if let Input::Deposited { amount: ..=0, number } = input {
            return Err(Declined { code: "till.amount", keep: number == 99 });
        }
        let fund = context.rows.iter().flatten().next().map_or(0, |row| row.integer("holds").unwrap());
        Ok((input, context.now, fund))
    }

    fn orders(&self, key: &Key, output: Output, context: Context<'_>) -> Result<Vec<Order<Input>>, Declined> {
        Ok(match output {
            Output::Report { change, holds } => vec![Order::Perform(Effect {
                class: if *key == till(BANK) { Class::Payment } else { Class::Peer },
                to: PEER.into(),
                body: wire::encode(&(change, holds), 64).unwrap(),
                repeat: true,
            })],
            Output::Credit { to, amount } => {
                vec![Order::Deliver { to: till(to), input: Input::Credited { amount } }]
            }
            Output::Answer { change } => vec![Order::Answer([key.id.clone(), vec![change as u8]].concat())],
            Output::Sign { change } => vec![Order::Feed(Input::Signed { change })],
            Output::Wake(true) => {
                vec![Order::Set { timer: "beat".into(), due: context.now.after(Span::seconds(10)) }]
            }
            Output::Wake(false) => vec![Order::Clear { timer: "beat".into() }],
            Output::Silence => vec![Order::Withdraw { to: PEER.into() }],
            Output::Draw(amount) => {
                let key = [Value::from(1_i64)];
                let held = context.rows[0][0].integer("holds").unwrap();
                vec![
                    Order::Require(Guard::equals("fund", FUND.name, key.clone(), "holds", held)),
                    Order::Change(RowOp::add(FUND.name, key, "holds", -amount)),
                ]
            }
        })
    }

    fn due(&self, _: &Key, _: &str) -> Input {
        Input::Beat
    }

    fn snapshot(&self, _: &Key, till: &Till) -> Till {
        till.clone()
    }

    fn is_ended(&self, till: &Till) -> bool {
        till.closed
    }

    fn sign_head(&self, head: Head, now: Moment) -> Option<RowOp> {
        let (keys, key) = self.keys.as_deref()?;
        let statement = JournalHead {
            archive: ArchiveId::from_bytes([1; 32]),
            seq: head.seq,
            hash: head.hash,
            at: now.whole_seconds(),
            signer: key.kid(),
            cert: None,
        };
        let permit = allowed(Action::KeepJournal, &statement, Facts::default(), now);
        let signed = keys.sign(key, permit, now).unwrap();
        Some(statement.keep(signed.bytes()))
    }
}

/// The till whose reports are about payments.
pub const BANK: u8 = 255;

pub fn till(id: u8) -> Key {
    Key::new("till", [id])
}

/// The peer: remembers every report it ever got, in order, and confirms it unless told not to.
#[derive(Clone, Debug, Default)]
pub struct Peer(Arc<Mutex<PeerState>>);

#[derive(Debug, Default)]
struct PeerState {
    reports: BTreeMap<Vec<u8>, Vec<(u32, i64)>>,
    attempts: Vec<u32>,
    deaf: bool,
    hangs_up: bool,
}

impl Peer {
    /// Every report about till `id`, repetitions too.
    pub fn reports(&self, id: u8) -> Vec<(u32, i64)> {
        self.0.lock().unwrap().reports.get(&vec![id]).cloned().unwrap_or_default()
    }

    /// The numbers of the attempts made while it was deaf.
    pub fn attempts(&self) -> Vec<u32> {
        self.0.lock().unwrap().attempts.clone()
    }

    pub fn deaf(&self, deaf: bool) {
        self.0.lock().unwrap().deaf = deaf;
    }

    /// Answers every report with the wish to hear no more of them.
    pub fn hang_up(&self) {
        self.0.lock().unwrap().hangs_up = true;
    }
}

impl Performer<Input> for Peer {
    async fn perform(&self, key: &Key, effect: &Effect, attempt: u32) -> Performed<Input> {
        let (change, holds) = wire::decode::<(u32, i64)>(&effect.body, 64).unwrap();
        let mut state = self.0.lock().unwrap();
        if state.deaf {
            state.attempts.push(attempt);
            return Performed::Failed("deaf".into());
        }
        state.reports.entry(key.id.clone()).or_default().push((change, holds));
        Performed::Answered(if state.hangs_up { Input::Silenced } else { Input::Confirmed { change } })
    }
}

pub fn schema() -> Schema {
    Schema::new(1).with(record::TABLES).with(TABLES).with(&[FUND])
}

pub fn archive(directory: &Path) -> Arc<SqliteArchive> {
    Arc::new(SqliteArchive::open(directory, schema(), Options::default()).unwrap())
}

pub fn randomness() -> KeyedRandomness {
    KeyedRandomness::new(Zeroizing::new([4; 32]))
}

pub async fn start<S: Store, P: Performer<Input>>(
    store: &Arc<S>,
    performer: P,
    clock: &VirtualClock,
) -> Engine<Tills> {
    let parts = Parts {
        host: Tills::default(),
        store: Arc::clone(store),
        performer,
        clock: clock.clone(),
        randomness: randomness(),
        limits: Limits::default(),
    };
    Engine::start(parts).await.unwrap()
}

/// Waits until till `id` satisfies `holds`, and returns it.
pub async fn until(engine: &Engine<Tills>, id: u8, holds: impl Fn(&Till) -> bool) -> Till {
    let mut watch = engine.watch(&till(id)).await.unwrap();
    let seen = watch.wait_for(|shown| shown.as_ref().is_some_and(&holds)).await.unwrap();
    seen.clone().unwrap()
}

/// The lines of the journal, which must hold.
pub async fn journal<S: Store>(store: &S) -> Vec<(Line, Row)> {
    let mut chain = Chain::EMPTY;
    let rows = store.query(vec![Query::of(TABLE.name)]).await.unwrap().remove(0);
    let follow = |row: Row| {
        let line = check_row(&row).unwrap();
        chain.follow(&line).unwrap();
        (line, row)
    };
    rows.into_iter().map(follow).collect()
}

/// How many effects are not done.
pub async fn undone<S: Store>(store: &S) -> usize {
    let open = Query::of("engine_outbox").when("done", Relation::Equal, false);
    store.query(vec![open]).await.unwrap().remove(0).len()
}
