//! The one form of every protocol role: a pure, total step function.

use crate::wire::Record;

/// A protocol role, or any other thing that lives through steps and must survive a crash.
///
/// A machine has no clock, chance, socket, file or thread. Time, random bytes, verified messages, answers
/// of the user and of authorities are inputs; sending, asking, setting timers and keeping evidence are
/// outputs, which the engine performs after it has stored them together with the new state. The same step
/// function runs in the programs, in the simulator, in the model checker and in the fuzzers.
pub trait Machine: Record {
    /// Everything that can happen to the machine.
    type Input;
    /// Everything the machine can order.
    type Output;

    /// Takes one step, whatever arrives.
    ///
    /// An input that is out of place changes nothing; it comes back as [`Step::refused`] so that the
    /// engine keeps it.
    fn step(self, input: Self::Input) -> Step<Self>;
}

/// The result of one step: the new state, and what is to be done once both are stored.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "a step that is dropped never happened"]
pub struct Step<M: Machine> {
    /// The state after the step.
    pub state: M,
    /// The orders of the step, in the order in which they are to be performed.
    pub outputs: Vec<M::Output>,
    /// Why the input was refused, when it was; the state is then the one before.
    pub refused: Option<Refused>,
}

/// Why an input changed nothing.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Refused {
    /// The same input was taken before; its stored answer, if any, is among the outputs.
    Repeated,
    /// The input belongs to another state of this machine, past or to come.
    OutOfPlace,
    /// The input contradicts what this machine knows; it may be evidence against its sender.
    Mismatch,
}

impl<M: Machine> Step<M> {
    /// Goes to `state` without any order.
    pub fn to(state: M) -> Self {
        Self { state, outputs: Vec::new(), refused: None }
    }

    /// Stays in `state`: the input changed nothing.
    pub fn refuse(state: M, why: Refused) -> Self {
        Self { state, outputs: Vec::new(), refused: Some(why) }
    }

    /// Adds one order.
    pub fn order(mut self, output: M::Output) -> Self {
        self.outputs.push(output);
        self
    }

    /// Adds several orders.
    pub fn orders(mut self, outputs: impl IntoIterator<Item = M::Output>) -> Self {
        self.outputs.extend(outputs);
        self
    }
}
