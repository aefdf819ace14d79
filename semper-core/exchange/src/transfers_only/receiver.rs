//! The receiver of `xfer/1`.
//!
//! ```text
//! Idle --MESSAGE, content matches--> Completed     (CLOSE, if one was asked for)
//!   \--MESSAGE, content does not--> Refused        (a later MESSAGE of the run is not taken)
//! ```
//!
//! **Invariant.** CLOSE is signed only for content that matches what MESSAGE describes, and one message is
//! taken for each run.

use semper_supporting::{
    crypto::digest::Digest,
    evidence::Verified,
    machine::{Machine, Refused, Step},
    party::Role,
    time::Moment,
};
use semper_transfer::fault::Mismatch;
use serde::{Deserialize, Serialize};

use crate::{
    generatable_verifiable::{Input, Output, Verdicts},
    message::{Draft, xfer},
    run::{Log, Run},
    tell::Code,
};

/// Where the receiver stands.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Receiver {
    /// Nothing has come.
    Idle(Run),
    /// The package is here; with the CLOSE that says so, if one was asked for.
    Completed {
        /// The run.
        run: Run,
        /// SHA-256 of MESSAGE.
        message: Digest,
        /// CLOSE as it is signed.
        close: Option<Draft>,
    },
    /// What came is not what MESSAGE describes; MESSAGE is kept as evidence.
    Refused {
        /// The run.
        run: Run,
        /// SHA-256 of MESSAGE.
        message: Digest,
    },
}

/// Everything that can happen to a receiver.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// MESSAGE, and what our managers found of what came beside it.
    Delivered(Verified<xfer::Message>, Verdicts),
}

type Taken = Result<Step<Receiver>, Refused>;

impl Machine for Receiver {
    type Input = Input<Event>;
    type Output = Output;

    fn step(self, input: Self::Input) -> Step<Self> {
        let before = self.clone();
        let Event::Delivered(message, verdicts) = input.event;
        let taken = match self {
            Self::Idle(run) => idle(run, &message, &verdicts, input.at),
            Self::Completed { message: known, close, .. } if known == message.digest() => {
                let again = close.map(|close| Output::Send {
                    to: Role::Originator,
                    draft: close,
                    beside: Vec::new(),
                });
                Ok(Step { refused: Some(Refused::Repeated), ..Step::to(before.clone()).orders(again) })
            }
            Self::Refused { message: known, .. } if known == message.digest() => Err(Refused::Repeated),
            Self::Completed { .. } | Self::Refused { .. } => Err(Refused::Mismatch),
        };
        taken.unwrap_or_else(|why| Step::refuse(before, why))
    }
}

impl Receiver {
    /// Waits for the message of `run`.
    pub fn new(run: Run) -> Self {
        Self::Idle(run)
    }
}

fn idle(run: Run, message: &Verified<xfer::Message>, verdicts: &Verdicts, at: Moment) -> Taken {
    let ours = run.is_of(&message.common, Role::Originator, Role::Responder, None)
        && message.signer() == run.originator.kid
        && message.leaf.keys().eq(message.content.keys())
        && !message.leaf.is_empty();
    if !ours {
        return Err(Refused::Mismatch);
    }
    Log::default().hear(message.value(), message.digest())?;
    let kept = Output::Keep(message.digest());
    let matches = message.leaf.iter().all(|(path, description)| {
        let verdict = verdicts.get(path).copied().unwrap_or(Err(Mismatch::Content));
        verdict.is_ok_and(|accepted| accepted.description == *description)
    });
    let digest = message.digest();
    if !matches {
        return Ok(Step::to(Receiver::Refused { run, message: digest })
            .order(kept)
            .order(Output::Tell(Code::U12)));
    }
    let close = if message.sec.receipt { Some(write_close(&run, digest, at)?) } else { None };
    let send = close.clone().map(|draft| Output::Send { to: Role::Originator, draft, beside: Vec::new() });
    Ok(Step::to(Receiver::Completed { run, message: digest, close })
        .order(kept)
        .orders(send)
        .order(Output::Tell(Code::U9)))
}

fn write_close(run: &Run, message: Digest, at: Moment) -> Result<Draft, Refused> {
    let common =
        run.common(Role::Responder, Role::Originator, None, Some(message), at).ok_or(Refused::OutOfPlace)?;
    Draft::of(&xfer::Close { common, received: true, message }).map_err(|_| Refused::Mismatch)
}
