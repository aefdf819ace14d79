//! The sender of `xfer/1`.
//!
//! ```text
//! Draft --MESSAGE signed--> Sent --CLOSE--> Completed
//!   |                        |  \--t-item, stop--> Unreceipted
//!  stop                   no receipt was asked for
//!   v                        v
//! Declined               Completed
//! ```
//!
//! **Invariant.** A transfer that asks for a receipt is *completed* only with the receiver's signed CLOSE of
//! this very message. Without it the sender knows only that it sent.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::digest::Digest,
    evidence::{Verified, statement::StatementError},
    machine::{Machine, Refused, Step},
    party::Role,
};
use semper_transfer::{
    package::LeafPath,
    property::{Binding, Side},
};
use serde::{Deserialize, Serialize};

use crate::{
    deadlines::{Deadlines, Timer},
    generatable_verifiable::{Input, Output},
    message::{Draft, xfer},
    run::{Log, Run},
    tell::Code,
};

/// Where the sender stands.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Sender {
    /// MESSAGE is written, not signed.
    Draft(Letter),
    /// MESSAGE is out, and its receipt is awaited.
    Sent(Letter),
    /// Done; with this CLOSE if one was asked for.
    Completed(Letter, Option<Digest>),
    /// The receipt that was asked for has not come in time.
    Unreceipted(Letter),
    /// MESSAGE never left.
    Declined(Letter),
}

/// The message of a transfer, and what it is about.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Letter {
    /// The run.
    pub run: Run,
    /// MESSAGE as it is signed.
    pub draft: Draft,
    /// The leaves, by the hash of their descriptions.
    pub leaves: BTreeMap<LeafPath, Digest>,
    /// Whether a receipt was asked for.
    pub receipt: bool,
    /// When to give up.
    pub deadlines: Deadlines,
    /// What was said and heard.
    pub log: Log,
}

/// Everything that can happen to a sender.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// The transfer begins; an act of the user covers it, or its terms do.
    Begin,
    /// MESSAGE, signed.
    Signed(Verified<xfer::Message>),
    /// CLOSE.
    Closed(Verified<xfer::Close>),
    /// A timer has run out.
    Elapsed(Timer),
    /// The user gives up waiting.
    Stopped,
}

type Taken = Result<Step<Sender>, Refused>;

impl Machine for Sender {
    type Input = Input<Event>;
    type Output = Output;

    fn step(self, input: Self::Input) -> Step<Self> {
        let before = self.clone();
        let taken = match self {
            Self::Draft(letter) => drafting(letter, input.event),
            Self::Sent(letter) => sent(letter, input.event),
            Self::Unreceipted(letter) => unreceipted(letter, input.event),
            Self::Completed(..) | Self::Declined(_) => match input.event {
                Event::Begin | Event::Signed(_) | Event::Closed(_) | Event::Elapsed(_) | Event::Stopped => {
                    Err(Refused::OutOfPlace)
                }
            },
        };
        taken.unwrap_or_else(|why| Step::refuse(before, why))
    }
}

impl Sender {
    /// Prepares the transfer that `message` describes.
    ///
    /// # Errors
    /// [`StatementError`] if it cannot be written.
    pub fn new(run: Run, message: &xfer::Message, deadlines: Deadlines) -> Result<Self, StatementError> {
        let draft = Draft::of(message)?;
        let (leaves, receipt) = (message.leaf.clone(), message.sec.receipt);
        Ok(Self::Draft(Letter { run, draft, leaves, receipt, deadlines, log: Log::default() }))
    }

    /// Whether nothing can change any more.
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Completed(..) | Self::Unreceipted(_) | Self::Declined(_))
    }
}

fn drafting(mut letter: Letter, event: Event) -> Taken {
    match event {
        Event::Begin => {
            let ask = Output::Ask(letter.draft.clone());
            Ok(Step::to(Sender::Draft(letter)).order(ask).order(Output::Tell(Code::U1)))
        }
        Event::Signed(signed) if signed.digest() == letter.draft.digest() => {
            letter.log.say(&letter.draft);
            let beside = signed.content.values().copied().collect();
            let mut orders =
                vec![Output::SendSigned { to: Role::Responder, signed: signed.bytes().clone(), beside }];
            for (leaf, description) in &letter.leaves {
                orders.push(Output::Deliver(Binding {
                    xid: letter.run.xid,
                    agreement: None,
                    leaf: leaf.clone(),
                    giver: Side::Originator,
                    owner: letter.run.originator.certificate,
                    description: *description,
                }));
            }
            if !letter.receipt {
                return Ok(Step::to(Sender::Completed(letter, None))
                    .orders(orders)
                    .order(Output::Tell(Code::U9)));
            }
            orders.push(Output::Set { timer: Timer::Item, span: letter.deadlines.of(Timer::Item) });
            Ok(Step::to(Sender::Sent(letter)).orders(orders))
        }
        Event::Signed(_) => Err(Refused::Mismatch),
        Event::Stopped => Ok(Step::to(Sender::Declined(letter)).order(Output::Tell(Code::U17))),
        Event::Closed(_) | Event::Elapsed(_) => Err(Refused::OutOfPlace),
    }
}

fn sent(letter: Letter, event: Event) -> Taken {
    match event {
        Event::Closed(close) => closed(letter, &close),
        Event::Elapsed(Timer::Item) | Event::Stopped => Ok(Step::to(Sender::Unreceipted(letter))),
        Event::Begin
        | Event::Signed(_)
        | Event::Elapsed(Timer::Accept | Timer::Close | Timer::Again | Timer::Answer) => {
            Err(Refused::OutOfPlace)
        }
    }
}

fn unreceipted(letter: Letter, event: Event) -> Taken {
    match event {
        // Better late than never: the receipt is what was asked for.
        Event::Closed(close) => closed(letter, &close),
        Event::Begin | Event::Signed(_) | Event::Elapsed(_) | Event::Stopped => Err(Refused::OutOfPlace),
    }
}

fn closed(mut letter: Letter, close: &Verified<xfer::Close>) -> Taken {
    let ours = letter.run.is_of(&close.common, Role::Responder, Role::Originator, None)
        && close.signer() == letter.run.responder.kid;
    if !ours || !close.received || close.message != letter.draft.digest() {
        return Err(Refused::Mismatch);
    }
    letter.log.hear(close.value(), close.digest())?;
    let digest = close.digest();
    Ok(Step::to(Sender::Completed(letter, Some(digest)))
        .order(Output::Keep(digest))
        .order(Output::Tell(Code::U9)))
}
