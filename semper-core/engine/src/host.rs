//! What a program tells the engine: its machines, and what each output is to the engine.

use std::{future::Future, pin::Pin};

use semper_supporting::{
    archive::{
        Guard, Query, Row, RowOp,
        journal::{Head, Kind},
        record::EvidenceRecord,
    },
    crypto::digest::Digest,
    deal::DealId,
    machine::Machine,
    time::Moment,
    wire::Record,
};
use serde::{Deserialize, Serialize};

use crate::random::Block;

/// The name of an instance of a machine: what kind, and which one.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Key {
    /// What kind of instance it is, a word of the program.
    pub kind: String,
    /// Which one, the bytes of an identifier.
    pub id: Vec<u8>,
}

/// What a step is given besides its input.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time of the step; never before that of an earlier one.
    pub now: Moment,
    /// 64 fresh random bytes, journaled with the step.
    pub block: &'a Block,
    /// The rows that [`Host::look`] asked for, one list for each query.
    pub rows: &'a [Vec<Row>],
}

/// How an input is journaled and recognised.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Nature {
    /// The kind of its journal entry.
    pub kind: Kind,
    /// The deal it belongs to.
    pub deal: Option<DealId>,
    /// The digest by which a repetition is recognised, for what comes from outside: SHA-256 of the signed
    /// bytes. Timers and choices of the user, which may well come twice, have none.
    pub mark: Option<Digest>,
}

/// An input that did not pass the checks before its step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Declined {
    /// The dotted code of what is wrong with it.
    pub code: &'static str,
    /// Whether it is journaled although it changes nothing: its signature was good, so it may become
    /// evidence against its sender.
    pub keep: bool,
}

/// What an output is to the engine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Order<I> {
    /// Must hold when the step is committed. If it does not, the step is taken again with fresh rows.
    Require(Guard),
    /// Changes a row in the step's transaction.
    Change(RowOp),
    /// Keeps evidence in the step's transaction.
    Keep(Box<EvidenceRecord>),
    /// Adds an entry to the journal, besides the one of the step itself.
    Note {
        /// Its kind.
        kind: Kind,
        /// The deal it belongs to.
        deal: Option<DealId>,
        /// What it holds.
        payload: Vec<u8>,
    },
    /// Sets a timer of this instance, in place of one of the same name.
    Set {
        /// Its name.
        timer: String,
        /// When it is due.
        due: Moment,
    },
    /// Clears a timer.
    Clear {
        /// Its name.
        timer: String,
    },
    /// Gives this instance an input in the same transaction: above all the statement that the host has just
    /// signed, which depends on key and bytes only, so that a repeated step signs the same.
    Feed(I),
    /// Gives another instance an input in the same transaction.
    Deliver {
        /// The other instance.
        to: Key,
        /// Its input.
        input: I,
    },
    /// Answers whoever submitted the input; kept, and given again when the same input comes again.
    Answer(Vec<u8>),
    /// Performs an effect once the step is committed.
    Perform(Effect),
    /// Gives up the effects of this instance to one receiver that are not done yet; one that is being performed
    /// is dropped in the midst of it.
    Withdraw {
        /// The receiver.
        to: String,
    },
}

/// Something to be done outside, at least once.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Effect {
    /// How it is retried.
    pub class: Class,
    /// To whom or what. Effects of one instance to one receiver are performed in order, one at a time.
    pub to: String,
    /// What, in the performer's encoding.
    pub body: Vec<u8>,
    /// Whether it is performed again when the input that led to it comes again, as an answer to a peer is.
    pub repeat: bool,
}

/// How an effect that failed is tried again: first after the shorter span, each time twice as long, never
/// more than the longer one, less up to a half by chance.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Class {
    /// A message to the other party: 1 s to 60 s.
    Peer,
    /// A request to a third party: 5 s to 1 h.
    ThirdParty,
    /// Anything about a payment: 1 s to 5 min.
    Payment,
    /// Something inside this program, as a question to the user: 1 s to 60 s.
    Local,
}

/// How an attempt to perform an effect ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Performed<I> {
    /// It is done.
    Done,
    /// It is done, and this is the answer: an input of the same instance. Answer and the mark that the
    /// effect is done are one transaction.
    Answered(I),
    /// It could not be done now; the text is for the operator's log.
    Failed(String),
    /// It can never be done; the text is journaled as an alarm.
    Dropped(String),
}

/// What a program makes of the engine.
pub trait Host: Send + Sync + 'static {
    /// All machines of the program.
    type Machine: Machine<Input: Send, Output: Send> + Clone + Send + Sync;
    /// Everything that can be submitted, as it is journaled.
    type Input: Record + Clone + Send + Sync + 'static;
    /// What the outside sees of an instance.
    type Snapshot: Clone + Send + Sync + 'static;

    /// The machine that `input` begins, for an instance that is not there yet.
    fn begin(&self, key: &Key, input: &Self::Input) -> Option<Self::Machine>;

    /// How `input` is journaled and recognised.
    fn nature(&self, key: &Key, input: &Self::Input) -> Nature;

    /// The rows that a step with `input` depends on. They are read again for every attempt; what must still
    /// hold when it is committed is said by [`Order::Require`].
    fn look(&self, key: &Key, input: &Self::Input) -> Vec<Query> {
        let _ = (key, input);
        Vec::new()
    }

    /// Checks `input` and makes the machine's own input of it. Pure but for the program's keys and trust.
    ///
    /// # Errors
    /// [`Declined`]; the machine does not see it.
    fn admit(
        &self,
        key: &Key,
        input: Self::Input,
        context: Context<'_>,
    ) -> Result<<Self::Machine as Machine>::Input, Declined>;

    /// What `output` is to the engine. A statement to sign is signed here, before the commit.
    ///
    /// # Errors
    /// [`Declined`]; nothing of the whole transaction happens.
    fn orders(
        &self,
        key: &Key,
        output: <Self::Machine as Machine>::Output,
        context: Context<'_>,
    ) -> Result<Vec<Order<Self::Input>>, Declined>;

    /// The input that says that a timer is due.
    fn due(&self, key: &Key, timer: &str) -> Self::Input;

    /// What the outside sees of `machine`.
    fn snapshot(&self, key: &Key, machine: &Self::Machine) -> Self::Snapshot;

    /// Whether `machine` has come to its end; it is kept, but no longer listed as open.
    fn is_ended(&self, machine: &Self::Machine) -> bool;

    /// The row that keeps a signed head of the journal. Asked for after every 64 entries, and by
    /// [`Engine::sign_head`](crate::Engine::sign_head).
    fn sign_head(&self, head: Head, now: Moment) -> Option<RowOp> {
        let _ = (head, now);
        None
    }
}

/// Performs effects.
pub trait Performer<I>: Send + Sync + 'static {
    /// Performs `effect` of the instance `key`; `attempt` counts from 0 since the program was started.
    fn perform(&self, key: &Key, effect: &Effect, attempt: u32) -> impl Future<Output = Performed<I>> + Send;
}

/// A performer of any type.
pub(crate) trait AnyPerformer<I>: Send + Sync {
    fn perform<'a>(
        &'a self,
        key: &'a Key,
        effect: &'a Effect,
        attempt: u32,
    ) -> Pin<Box<dyn Future<Output = Performed<I>> + Send + 'a>>;
}

impl<I: 'static, P: Performer<I>> AnyPerformer<I> for P {
    fn perform<'a>(
        &'a self,
        key: &'a Key,
        effect: &'a Effect,
        attempt: u32,
    ) -> Pin<Box<dyn Future<Output = Performed<I>> + Send + 'a>> {
        Box::pin(Performer::perform(self, key, effect, attempt))
    }
}

impl Key {
    /// The instance `id` of this kind.
    pub fn new(kind: &str, id: impl AsRef<[u8]>) -> Self {
        Self { kind: kind.to_owned(), id: id.as_ref().to_vec() }
    }
}
