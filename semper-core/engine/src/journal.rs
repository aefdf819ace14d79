//! What the journal keeps of a step.

use semper_supporting::{
    archive::journal::{Class, Entry, Kind},
    crypto::digest::Digest,
    evidence::statement::Bytes,
    machine::Refused,
    time::Moment,
    wire::{self, STATE_LIMIT, WireError},
};
use serde::{Deserialize, Serialize};

use crate::{
    host::{Key, Nature},
    random::{RandomError, Randomness},
};

/// The payload of a step's entry: enough to take the step again.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct StepRecord {
    /// The form of this record.
    pub form: u16,
    /// The instance.
    pub instance: Key,
    /// The version of its state before the step; 0 for one that begins.
    pub before: u64,
    /// The input, in the program's encoding.
    pub input: Bytes,
    /// The time of the step.
    pub now: Moment,
    /// The reference of its random block.
    pub block: Digest,
    /// Why it was refused: 0 not at all, 1 repeated, 2 out of place, 3 contradicting, 4 declined by the
    /// checks before the step.
    pub refused: u8,
    /// The digest of the encoded state after the step.
    pub state: Digest,
}

/// The form written today.
pub(crate) const FORM: u16 = 1;
/// What [`StepRecord::refused`] holds for an input that was declined.
pub(crate) const DECLINED: u8 = 4;

pub(crate) const fn code(refused: Option<Refused>) -> u8 {
    match refused {
        None => 0,
        Some(Refused::Repeated) => 1,
        Some(Refused::OutOfPlace) => 2,
        Some(Refused::Mismatch) => 3,
    }
}

impl StepRecord {
    /// Reads the payload of an entry.
    ///
    /// # Errors
    /// [`WireError`] if it is none.
    pub fn read(payload: &[u8]) -> Result<Self, WireError> {
        wire::decode(payload, STATE_LIMIT)
    }

    /// The entry of this step.
    pub(crate) fn entry(&self, nature: &Nature, source: &dyn Randomness) -> Result<Entry, Error> {
        let payload = wire::encode(self, STATE_LIMIT)?;
        Ok(Entry {
            at: self.now,
            kind: nature.kind.clone(),
            deal: nature.deal,
            salt: source.salt()?,
            payload,
        })
    }
}

/// The kind of an entry about an effect that can never be performed.
pub(crate) const DROPPED: Kind = Kind::of(Class::Alarm, "effect-dropped");

/// Why an entry could not be made.
#[derive(Debug)]
pub(crate) enum Error {
    Wire(WireError),
    Random(RandomError),
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<RandomError> for Error {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

impl From<Error> for crate::EngineError {
    fn from(error: Error) -> Self {
        match error {
            Error::Wire(error) => error.into(),
            Error::Random(error) => error.into(),
        }
    }
}
