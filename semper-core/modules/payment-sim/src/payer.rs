//! The side that pays: signs an order to its bank and stays until the bank's books have spoken.
//!
//! ```text
//! InFlight --record: credited--> Paid --record: refunded--> Back
//!    |  \--unreachable, timer--> InFlight (unknown; asks again with the same bytes)
//!    +----- record: frozen, or declined ------> NotPaid
//! ```
//!
//! **Invariant.** Time alone ends nothing: an order that is out may have been booked. Only a record or a
//! refusal signed by the bank says that it was not, and the same request is never made in other bytes.

use semper_supporting::{
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    evidence::{SignedBytes, statement},
    machine::{Machine, Refused, Step},
    time::Moment,
};
use semper_transfer::payment::{
    AccountId, PayError, PaymentOrder, Purse, PurseDelta, Status, TxId,
    message::{Pay, TxState},
    module::{BankReply, Event, Input, Output, Run, message_id},
};
use serde::{Deserialize, Serialize};

use crate::record::{Meaning, again, read};

/// What a payment at the payer's side is about.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Payment {
    tx: TxId,
    bank: PublicKey,
    from: AccountId,
    key: Kid,
    order: PaymentOrder,
    tbs: Vec<u8>,
}

/// Where a payment stands at the payer's side.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Payer {
    /// The order is out. After the first silence nobody here knows whether it was booked.
    InFlight {
        /// What it is about.
        payment: Payment,
        /// Whether the bank was silent.
        unknown: bool,
        /// How often the bank was asked.
        tries: u32,
    },
    /// The bank has booked it.
    Paid(Payment),
    /// The bank has booked it, and nothing can be ordered back any more.
    Settled(Payment),
    /// The bank has booked it back.
    Back(Payment),
    /// The bank has not booked it and never will.
    NotPaid(Payment),
}

impl Payer {
    /// Reserves the amount and sends the order.
    pub(crate) fn begin(
        tx: TxId,
        purse: &Purse,
        order: &PaymentOrder,
        now: Moment,
    ) -> Result<Run<Self>, PayError> {
        let tbs = statement::to_bytes(&Pay {
            to: purse.bank.kid(),
            signer: purse.key,
            msg: message_id(&tx, 0),
            from: purse.account,
            payee: order.payee,
            amount: order.amount,
            reference: order.reference,
            exch: order.exch,
            arbiter: order.arbiter,
            until: order.until,
            at: now.whole_seconds(),
        })?;
        let payment =
            Payment { tx, bank: purse.bank, from: purse.account, key: purse.key, order: order.clone(), tbs };
        let reserve = Output::Purse(PurseDelta::Reserve(tx, order.amount));
        let ask = payment.ask();
        Ok(Step::to(Self::InFlight { payment, unknown: false, tries: 1 })
            .order(reserve)
            .order(Output::Status(Status::Approved))
            .order(Output::Status(Status::InFlight))
            .order(ask)
            .order(Output::Wake(again(now, 3))))
    }
}

impl Payment {
    fn ask(&self) -> Output {
        Output::ToBank { tbs: self.tbs.clone(), key: self.key }
    }

    fn meaning(&self, signed: &SignedBytes) -> Meaning {
        read(signed, &self.bank, &self.order, Some(self.from), Some(Digest::of(&self.tbs)))
    }
}

impl Machine for Payer {
    type Input = Input;
    type Output = Output;

    fn step(self, input: Input) -> Step<Self> {
        match self {
            Self::InFlight { payment, unknown, tries } => in_flight(payment, unknown, tries, input),
            Self::Paid(payment) => paid(payment, input),
            ended @ (Self::Settled(_) | Self::Back(_) | Self::NotPaid(_)) => match input.event {
                Event::Bank(_) => Step::refuse(ended, Refused::Repeated),
                Event::Unreachable | Event::Timer | Event::Cancel => Step::refuse(ended, Refused::OutOfPlace),
            },
        }
    }
}

fn in_flight(payment: Payment, unknown: bool, tries: u32, input: Input) -> Step<Payer> {
    let amount = payment.order.amount;
    let tx = payment.tx;
    match input.event {
        Event::Bank(BankReply::Signed(signed)) => match payment.meaning(&signed) {
            Meaning::Record(TxState::Credited) => Step::to(Payer::Paid(payment))
                .order(Output::Purse(PurseDelta::Take(tx)))
                .order(Output::Status(Status::Succeeded))
                .order(Output::Keep(signed)),
            Meaning::Record(TxState::Released) => Step::to(Payer::Settled(payment))
                .order(Output::Purse(PurseDelta::Take(tx)))
                .order(Output::Status(Status::Succeeded))
                .order(Output::Status(Status::Settled))
                .order(Output::Keep(signed)),
            Meaning::Record(TxState::Refunded) => {
                let back = PurseDelta::Put(amount, signed.digest());
                Step::to(Payer::Back(payment))
                    .order(Output::Purse(PurseDelta::Take(tx)))
                    .order(Output::Purse(back))
                    .order(Output::Status(Status::Refunded))
                    .order(Output::Keep(signed))
            }
            Meaning::Record(TxState::Frozen) | Meaning::Declined => Step::to(Payer::NotPaid(payment))
                .order(Output::Purse(PurseDelta::Return(tx)))
                .order(Output::Status(Status::Failed))
                .order(Output::Keep(signed)),
            Meaning::Nothing => Step::refuse(Payer::InFlight { payment, unknown, tries }, Refused::Mismatch),
        },
        // The bank is free to say it does not know yet; an unsigned refusal proves nothing. It is asked again when
        // the timer has run out: one that is away answers nothing sooner, and would be asked without end.
        Event::Bank(BankReply::NotYet | BankReply::Refused(_)) | Event::Unreachable => {
            let step = Step::to(Payer::InFlight { payment, unknown: true, tries });
            let step = if unknown { step } else { step.order(Output::Status(Status::Unknown)) };
            step.order(Output::Wake(again(input.now, tries)))
        }
        Event::Timer => {
            let ask = payment.ask();
            let step = Step::to(Payer::InFlight { payment, unknown: true, tries: tries.saturating_add(1) });
            let step = if unknown { step } else { step.order(Output::Status(Status::Unknown)) };
            step.order(ask).order(Output::Wake(again(input.now, tries)))
        }
        // Too late: the order is out.
        Event::Cancel => Step::refuse(Payer::InFlight { payment, unknown, tries }, Refused::OutOfPlace),
    }
}

fn paid(payment: Payment, input: Input) -> Step<Payer> {
    match input.event {
        Event::Bank(BankReply::Signed(signed)) => match payment.meaning(&signed) {
            Meaning::Record(TxState::Released) => Step::to(Payer::Settled(payment))
                .order(Output::Status(Status::Settled))
                .order(Output::Keep(signed)),
            Meaning::Record(TxState::Refunded) => {
                let back = PurseDelta::Put(payment.order.amount, signed.digest());
                Step::to(Payer::Back(payment))
                    .order(Output::Purse(back))
                    .order(Output::Status(Status::Refunded))
                    .order(Output::Keep(signed))
            }
            Meaning::Record(TxState::Credited) => Step::refuse(Payer::Paid(payment), Refused::Repeated),
            // A bank that now denies what it signed: both statements are evidence against it.
            Meaning::Record(TxState::Frozen) | Meaning::Declined => Step {
                outputs: vec![Output::Keep(signed)],
                ..Step::refuse(Payer::Paid(payment), Refused::Mismatch)
            },
            Meaning::Nothing => Step::refuse(Payer::Paid(payment), Refused::Mismatch),
        },
        Event::Bank(BankReply::NotYet | BankReply::Refused(_))
        | Event::Unreachable
        | Event::Timer
        | Event::Cancel => Step::refuse(Payer::Paid(payment), Refused::OutOfPlace),
    }
}
