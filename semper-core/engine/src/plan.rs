//! What one input comes to: the steps it leads to, and the one batch that they become.
//!
//! Planning changes nothing. It is done again whenever another instance turns out to be needed, or a guard
//! did not hold; the random blocks and the time stay the same then.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use semper_supporting::{
    archive::{Batch, Guard, Row, RowOp, Value, journal::Entry},
    crypto::digest::Digest,
    evidence::statement::Bytes,
    machine::{Machine as _, Refused, Step},
    time::Moment,
    wire::{self, STATE_LIMIT},
};
use serde::{Deserialize, Serialize};

use crate::{
    EngineError,
    driver::Core,
    host::{Context, Host, Key, Nature, Order},
    journal::{self, StepRecord},
    outbox::Task,
    random::Block,
    registry::Held,
    tables,
    timers::Alarm,
};

/// The most steps one input may lead to.
const STEPS: usize = 64;
/// The code of a step whose output another instance, or the same one, refused as input.
const UNDELIVERED: &str = "engine.undelivered";

/// Where an input comes from, and what its transaction must settle besides.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// From outside.
    Submitted,
    /// From a timer that is due.
    Timer(Alarm),
    /// From performing an effect.
    Effect(Arc<Task>),
}

/// What the mark of an input keeps.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Marked {
    /// What was answered.
    pub(crate) answers: Vec<Bytes>,
    /// The instances and versions whose effects are performed again.
    pub(crate) touched: Vec<(Key, u64)>,
}

/// How planning ended.
pub(crate) enum Planned<H: Host> {
    /// This is to be committed.
    Ready(Box<Plan<H>>),
    /// This instance must be held, too.
    Needs(Key),
    /// The input was taken before.
    Repeated(Marked),
    /// The input did not pass the host's checks; the entry keeps it.
    Declined(&'static str, Option<Box<Entry>>),
}

/// What one transaction will do.
pub(crate) struct Plan<H: Host> {
    pub(crate) batch: Batch,
    pub(crate) stepped: BTreeMap<Key, Stepped<H::Machine>>,
    pub(crate) timers: BTreeMap<(Key, String), Option<Moment>>,
    pub(crate) withdrawn: BTreeSet<(Key, String)>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) answers: Vec<Vec<u8>>,
    pub(crate) refused: Option<Refused>,
    mark: Option<(Key, Digest)>,
    now: Moment,
}

/// An instance after the steps of a plan.
pub(crate) struct Stepped<M> {
    pub(crate) before: u64,
    pub(crate) state: M,
    pub(crate) changed: bool,
}

/// One input on its way.
pub(crate) struct Request<'a, H: Host> {
    pub(crate) key: &'a Key,
    pub(crate) input: &'a H::Input,
    pub(crate) origin: &'a Origin,
    pub(crate) now: Moment,
    /// Whether marks are looked up: after a mark was found to be there.
    pub(crate) marks: bool,
}

/// Plans what `request` comes to, with the instances that are `held`.
pub(crate) async fn plan<H: Host>(
    core: &Core<H>,
    request: Request<'_, H>,
    held: &Held<H::Machine, H::Snapshot>,
    blocks: &mut Vec<Block>,
) -> Result<Planned<H>, EngineError> {
    let mut plan = Plan::<H>::new(request.origin, request.now);
    let mut queue = VecDeque::from([(request.key.clone(), request.input.clone())]);
    for step in 0.. {
        let Some((key, input)) = queue.pop_front() else { break };
        if step == STEPS {
            return Err(EngineError::Runaway);
        }
        let Some(cell) = held.get(&key) else { return Ok(Planned::Needs(key)) };
        let nature = core.host.nature(&key, &input);
        if request.marks
            && let Some(mark) = &nature.mark
            && let Some(marked) = core.find_mark(&key, mark).await?
        {
            if step == 0 {
                return Ok(Planned::Repeated(marked));
            }
            continue;
        }
        while blocks.len() <= step {
            blocks.push(core.randomness.draw()?);
        }
        let block = blocks.get(step).ok_or(EngineError::Runaway)?;
        let rows = core.look(&key, &input).await?;
        let known = cell.known.as_ref().map_or((0, None), |(ver, state)| (*ver, state.as_ref()));
        let arrival = Arrival { key, input, nature, known, first: step == 0 };
        if let Some(declined) = plan.step(core, arrival, block, &rows, &mut queue)? {
            return Ok(declined);
        }
    }
    plan.finish(core)?;
    Ok(Planned::Ready(Box::new(plan)))
}

/// An input before its step.
struct Arrival<'a, H: Host> {
    key: Key,
    input: H::Input,
    nature: Nature,
    known: (u64, Option<&'a H::Machine>),
    first: bool,
}

impl<H: Host> Plan<H> {
    fn new(origin: &Origin, now: Moment) -> Self {
        let mut batch = Batch::new();
        match origin {
            Origin::Submitted => {}
            Origin::Timer(Alarm { key, name, due, .. }) => {
                let row = tables::timer_key(key, name);
                let table = tables::TIMER.name;
                let same = Guard::equals(tables::ORIGIN, table, row.clone(), "due", Value::millis(*due));
                batch = batch.guard(same).row(RowOp::delete(table, row));
            }
            Origin::Effect(task) => {
                let row = tables::effect_key(&task.key, task.ver, task.n);
                let open = Guard::equals(tables::ORIGIN, tables::OUTBOX.name, row, "done", false);
                batch = batch.guard(open).row(task.done());
            }
        }
        Self {
            batch,
            stepped: BTreeMap::new(),
            timers: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            tasks: Vec::new(),
            answers: Vec::new(),
            refused: None,
            mark: None,
            now,
        }
    }

    /// Takes one step. Answers with how planning ends, if it ends here.
    fn step(
        &mut self,
        core: &Core<H>,
        arrival: Arrival<'_, H>,
        block: &Block,
        rows: &[Vec<Row>],
        queue: &mut VecDeque<(Key, H::Input)>,
    ) -> Result<Option<Planned<H>>, EngineError> {
        let Arrival { key, input, nature, known: (ver, state), first } = arrival;
        let context = Context { now: self.now, block, rows };
        let Stepped { before, state, changed } = match self.stepped.remove(&key) {
            Some(stepped) => stepped,
            None => Stepped {
                before: ver,
                state: match state {
                    Some(state) => state.clone(),
                    None => core.host.begin(&key, &input).ok_or(EngineError::Unknown)?,
                },
                changed: false,
            },
        };
        let mut record = StepRecord {
            form: journal::FORM,
            instance: key.clone(),
            before,
            input: Bytes(wire::encode(&input, STATE_LIMIT)?),
            now: self.now,
            block: Digest::from_bytes(*block.reference()),
            refused: 0,
            state: Digest::from_bytes([0; 32]),
        };
        let admitted = match core.host.admit(&key, input, context) {
            Ok(admitted) => admitted,
            Err(declined) => {
                record.refused = journal::DECLINED;
                record.state = Digest::of(&wire::encode(&state, STATE_LIMIT)?);
                let kept = (declined.keep && first).then(|| record.entry(&nature, &*core.randomness));
                return Ok(Some(Planned::Declined(declined.code, kept.transpose()?.map(Box::new))));
            }
        };
        let Step { state, outputs, refused } = state.step(admitted);
        record.refused = journal::code(refused);
        record.state = Digest::of(&wire::encode(&state, STATE_LIMIT)?);
        self.batch.journal.push(record.entry(&nature, &*core.randomness)?);
        if !first && matches!(refused, Some(Refused::OutOfPlace | Refused::Mismatch)) {
            // What one instance gives another is taken by it, or the whole does not happen.
            return Ok(Some(Planned::Declined(UNDELIVERED, None)));
        }
        if first {
            self.refused = refused;
            self.mark = nature.mark.filter(|_| refused.is_none()).map(|mark| (key.clone(), mark));
        } else if let Some(mark) = nature.mark.filter(|_| refused.is_none()) {
            let marked = wire::encode(&Marked { answers: vec![], touched: vec![] }, STATE_LIMIT)?;
            self.keep_mark(&key, &mark, before.saturating_add(1), marked);
        }
        let changed = changed || refused.is_none();
        self.stepped.insert(key.clone(), Stepped { before, state, changed });
        for output in outputs {
            match core.host.orders(&key, output, context) {
                Ok(orders) => {
                    for order in orders {
                        self.order(core, &key, before, order, block, queue)?;
                    }
                }
                Err(declined) => return Ok(Some(Planned::Declined(declined.code, None))),
            }
        }
        Ok(None)
    }

    fn order(
        &mut self,
        core: &Core<H>,
        key: &Key,
        before: u64,
        order: Order<H::Input>,
        block: &Block,
        queue: &mut VecDeque<(Key, H::Input)>,
    ) -> Result<(), EngineError> {
        match order {
            Order::Require(guard) => self.batch.guards.push(guard),
            Order::Change(op) => self.batch.rows.push(op),
            Order::Keep(evidence) => self.batch.rows.push(evidence.keep()),
            Order::Note { kind, deal, payload } => {
                let salt = core.randomness.salt()?;
                self.batch.journal.push(Entry { at: self.now, kind, deal, salt, payload });
            }
            Order::Set { timer, due } => {
                self.timers.insert((key.clone(), timer), Some(due));
            }
            Order::Clear { timer } => {
                self.timers.insert((key.clone(), timer), None);
            }
            Order::Feed(input) => queue.push_back((key.clone(), input)),
            Order::Deliver { to, input } => queue.push_back((to, input)),
            Order::Answer(bytes) => self.answers.push(bytes),
            Order::Perform(effect) => {
                let n = u64::try_from(self.tasks.len()).unwrap_or(u64::MAX);
                let (ver, jitter) = (before.saturating_add(1), block.jitter(n) >> 1);
                self.tasks.push(Task { key: key.clone(), ver, n, effect, jitter });
            }
            Order::Withdraw { to } => {
                self.tasks.retain(|task| task.key != *key || task.effect.to != to);
                self.withdrawn.insert((key.clone(), to));
            }
        }
        Ok(())
    }

    /// Adds to the batch what becomes of the steps as a whole.
    fn finish(&mut self, core: &Core<H>) -> Result<(), EngineError> {
        for (key, stepped) in &mut self.stepped {
            // Effects are named by the version they belong to, so a step that has any makes a version.
            stepped.changed |= self.tasks.iter().any(|task| task.key == *key);
            if stepped.changed {
                let state = wire::encode(&stepped.state, STATE_LIMIT)?;
                let ended = core.host.is_ended(&stepped.state);
                let (guard, row) = tables::keep_instance(key, stepped.before, state, ended);
                self.batch.guards.push(guard);
                self.batch.rows.push(row);
            }
        }
        for ((key, name), due) in &self.timers {
            self.batch.rows.push(match due {
                Some(due) => tables::keep_timer(key, name, *due),
                None => RowOp::delete(tables::TIMER.name, tables::timer_key(key, name)),
            });
        }
        for (key, to) in &self.withdrawn {
            for (ver, n) in core.outbox.waiting(key, to) {
                self.batch.rows.push(RowOp::delete(tables::OUTBOX.name, tables::effect_key(key, ver, n)));
            }
        }
        for task in &mut self.tasks {
            // Nothing repeats what has no mark to be recognised by.
            task.effect.repeat &= self.mark.is_some();
            let effect = wire::encode(&task.effect, STATE_LIMIT)?;
            self.batch.rows.push(tables::keep_effect(&task.key, task.ver, task.n, effect, task.jitter));
        }
        if let Some((key, mark)) = self.mark.take() {
            let touched: BTreeSet<_> = self
                .tasks
                .iter()
                .filter(|task| task.effect.repeat)
                .map(|task| (task.key.clone(), task.ver))
                .collect();
            let marked = Marked {
                answers: self.answers.iter().cloned().map(Bytes).collect(),
                touched: touched.into_iter().collect(),
            };
            let ver = self.stepped.get(&key).map_or(0, |stepped| stepped.before.saturating_add(1));
            self.keep_mark(&key, &mark, ver, wire::encode(&marked, STATE_LIMIT)?);
        }
        Ok(())
    }

    fn keep_mark(&mut self, key: &Key, mark: &Digest, ver: u64, marked: Vec<u8>) {
        let (guard, row) = tables::keep_mark(key, mark, ver, marked);
        self.batch.guards.push(guard);
        self.batch.rows.push(row);
    }
}
