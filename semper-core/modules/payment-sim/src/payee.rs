//! The side that is paid: relies on the bank's record only.
//!
//! ```text
//! Expecting --record: credited--> Pending --record: released--> Settled
//!     |                              +------record: refunded--> Back
//!     +--record: frozen--> NotPaid
//! ```
//!
//! **Invariant.** A payer's word that it has paid moves nothing here. The record may come from the payer or
//! from the bank; what counts is the bank's signature, and that it names this reference, exchange, amount,
//! account, third party and window.

use semper_supporting::{
    crypto::signature::{Kid, PublicKey},
    evidence::{SignedBytes, statement},
    machine::{Machine, Refused, Step},
    time::Moment,
};
use semper_transfer::payment::{
    PayError, PaymentOrder, Purse, Status, TxId,
    message::{Query, TxState},
    module::{BankReply, Event, Input, Output, Run, message_id},
};
use serde::{Deserialize, Serialize};

use crate::record::{Meaning, again, read};

/// What a payment at the payee's side is about.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Claim {
    tx: TxId,
    bank: PublicKey,
    key: Kid,
    order: PaymentOrder,
}

/// Where a payment stands at the payee's side.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Payee {
    /// Nothing is known yet.
    Expecting {
        /// What is expected.
        claim: Claim,
        /// How often the bank was asked.
        tries: u32,
    },
    /// Credited; the third party can still order it back.
    Pending {
        /// What was credited.
        claim: Claim,
        /// How often the bank was asked since the window ended.
        tries: u32,
    },
    /// Credited for good.
    Settled(Claim),
    /// Booked back to the payer.
    Back(Claim),
    /// Never happened, and never will.
    NotPaid(Claim),
}

impl Payee {
    /// Begins to expect a payment. Asks the bank only when it is woken.
    pub(crate) fn begin(
        tx: TxId,
        till: &Purse,
        order: &PaymentOrder,
        now: Moment,
    ) -> Result<Run<Self>, PayError> {
        if till.account != order.payee {
            return Err(PayError::Module("the order names another account"));
        }
        let claim = Claim { tx, bank: till.bank, key: till.key, order: order.clone() };
        claim.ask(0, now)?;
        Ok(Step::to(Self::Expecting { claim, tries: 0 })
            .order(Output::Status(Status::Approved))
            .order(Output::Status(Status::InFlight)))
    }
}

impl Claim {
    /// The question to the bank, number `n`: each is a request of its own, since its answer changes.
    fn ask(&self, n: u32, now: Moment) -> Result<Output, PayError> {
        let tbs = statement::to_bytes(&Query {
            to: self.bank.kid(),
            signer: self.key,
            msg: message_id(&self.tx, n),
            account: Some(self.order.payee),
            reference: self.order.reference,
            at: now.whole_seconds(),
        })?;
        Ok(Output::ToBank { tbs, key: self.key })
    }

    fn meaning(&self, signed: &SignedBytes) -> Meaning {
        read(signed, &self.bank, &self.order, None, None)
    }

    /// The orders of a payee that looks again: the question, and the next look.
    fn look(&self, now: Moment, tries: u32) -> Vec<Output> {
        self.ask(tries, now).into_iter().chain([Output::Wake(again(now, tries))]).collect()
    }
}

impl Machine for Payee {
    type Input = Input;
    type Output = Output;

    fn step(self, input: Input) -> Step<Self> {
        match self {
            Self::Expecting { claim, tries } => expecting(claim, tries, input),
            Self::Pending { claim, tries } => pending(claim, tries, input),
            ended @ (Self::Settled(_) | Self::Back(_) | Self::NotPaid(_)) => match input.event {
                Event::Bank(_) => Step::refuse(ended, Refused::Repeated),
                Event::Unreachable | Event::Timer | Event::Cancel => Step::refuse(ended, Refused::OutOfPlace),
            },
        }
    }
}

fn expecting(claim: Claim, tries: u32, input: Input) -> Step<Payee> {
    match input.event {
        Event::Bank(BankReply::Signed(signed)) => match claim.meaning(&signed) {
            Meaning::Record(TxState::Credited) => {
                let until = claim.order.until.unwrap_or(input.now);
                Step::to(Payee::Pending { claim, tries: 0 })
                    .order(Output::Status(Status::Succeeded))
                    .order(Output::Keep(signed))
                    .order(Output::Wake(until))
            }
            Meaning::Record(TxState::Released) => Step::to(Payee::Settled(claim))
                .order(Output::Status(Status::Succeeded))
                .order(Output::Status(Status::Settled))
                .order(Output::Keep(signed)),
            Meaning::Record(TxState::Refunded) => Step::to(Payee::Back(claim))
                .order(Output::Status(Status::Refunded))
                .order(Output::Keep(signed)),
            Meaning::Record(TxState::Frozen) => Step::to(Payee::NotPaid(claim))
                .order(Output::Status(Status::Failed))
                .order(Output::Keep(signed)),
            Meaning::Declined | Meaning::Nothing => {
                Step::refuse(Payee::Expecting { claim, tries }, Refused::Mismatch)
            }
        },
        Event::Timer => {
            let look = claim.look(input.now, tries);
            Step::to(Payee::Expecting { claim, tries: tries.saturating_add(1) }).orders(look)
        }
        // The timer that goes with every question asks again.
        Event::Bank(BankReply::NotYet | BankReply::Refused(_)) | Event::Unreachable => {
            Step::to(Payee::Expecting { claim, tries })
        }
        Event::Cancel => Step::refuse(Payee::Expecting { claim, tries }, Refused::OutOfPlace),
    }
}

fn pending(claim: Claim, tries: u32, input: Input) -> Step<Payee> {
    match input.event {
        Event::Bank(BankReply::Signed(signed)) => match claim.meaning(&signed) {
            Meaning::Record(TxState::Released) => Step::to(Payee::Settled(claim))
                .order(Output::Status(Status::Settled))
                .order(Output::Keep(signed)),
            Meaning::Record(TxState::Refunded) => Step::to(Payee::Back(claim))
                .order(Output::Status(Status::Refunded))
                .order(Output::Keep(signed)),
            Meaning::Record(TxState::Credited) => {
                Step::refuse(Payee::Pending { claim, tries }, Refused::Repeated)
            }
            // A bank that now denies what it signed: both statements are evidence against it.
            Meaning::Record(TxState::Frozen) => Step {
                outputs: vec![Output::Keep(signed)],
                ..Step::refuse(Payee::Pending { claim, tries }, Refused::Mismatch)
            },
            Meaning::Declined | Meaning::Nothing => {
                Step::refuse(Payee::Pending { claim, tries }, Refused::Mismatch)
            }
        },
        Event::Timer => {
            let n = tries.saturating_add(1);
            let look = claim.look(input.now, n);
            Step::to(Payee::Pending { claim, tries: n }).orders(look)
        }
        Event::Bank(BankReply::NotYet | BankReply::Refused(_)) | Event::Unreachable => {
            Step::to(Payee::Pending { claim, tries })
        }
        Event::Cancel => Step::refuse(Payee::Pending { claim, tries }, Refused::OutOfPlace),
    }
}
