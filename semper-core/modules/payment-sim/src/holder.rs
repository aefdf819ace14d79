//! The side that opens, loads, unloads, inspects and closes an account.
//!
//! ```text
//! Asking --signed answer--> Done
//!    |  \--declined-------> Refused
//!    +--unreachable, timer: asks again with the same bytes
//! ```

use semper_supporting::{
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    evidence::{SignedBytes, Statement, statement, statement::type_of},
    machine::{Machine, Refused, Step},
    time::Moment,
};
use semper_transfer::payment::{
    AccountId, Op, PayError, Purse, Status, TxId,
    message::{Account, Balance, Close, Declined, Inspect, Load, Open, Shift, Unload},
    module::{BankReply, Event, Input, Opening, Output, Run, message_id},
};
use serde::{Deserialize, Serialize};

use crate::record::again;

/// A request to the bank.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Request {
    bank: PublicKey,
    /// The account whose balance answers it; absent when the answer opens one.
    account: Option<AccountId>,
    key: Kid,
    tbs: Vec<u8>,
}

/// Where a request stands.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Holder {
    /// The bank has not answered yet; it may have done what it was asked for.
    Asking {
        /// The request.
        request: Box<Request>,
        /// Whether the bank was silent.
        unknown: bool,
        /// How often it was asked.
        tries: u32,
    },
    /// The bank has done it.
    Done,
    /// The bank has not done it and never will.
    NotDone,
}

impl Holder {
    pub(crate) fn begin(
        tx: TxId,
        purse: Option<&Purse>,
        op: &Op,
        now: Moment,
    ) -> Result<Run<Self>, PayError> {
        let request = Box::new(Request::new(tx, purse, op, now.whole_seconds())?);
        let ask = request.ask();
        Ok(Step::to(Self::Asking { request, unknown: false, tries: 1 })
            .order(Output::Status(Status::Approved))
            .order(Output::Status(Status::InFlight))
            .order(ask)
            .order(Output::Wake(again(now, 3))))
    }
}

impl Request {
    fn new(tx: TxId, purse: Option<&Purse>, op: &Op, at: Moment) -> Result<Self, PayError> {
        let msg = message_id(&tx, 0);
        if let Op::Open(opening) = op {
            let Opening { bank, key, holder, kind, currency, parent } = **opening;
            let (to, signer) = (bank.kid(), key.kid());
            let tbs =
                statement::to_bytes(&Open { to, signer, msg, key, holder, kind, currency, parent, at })?;
            return Ok(Self { bank, account: None, key: signer, tbs });
        }
        let purse = purse.ok_or(PayError::NotSupported)?;
        let (to, signer, account) = (purse.bank.kid(), purse.key, purse.account);
        let parent = purse.parent.ok_or(PayError::NotSupported);
        let tbs = match op {
            // The holder's one key disposes of the account and of the purse loaded from it.
            Op::Load(amount) => statement::to_bytes(&Load(Shift {
                to,
                signer,
                msg,
                from: parent?,
                into: account,
                amount: *amount,
                at,
            }))?,
            Op::Unload(amount) => statement::to_bytes(&Unload(Shift {
                to,
                signer,
                msg,
                from: account,
                into: parent?,
                amount: *amount,
                at,
            }))?,
            Op::Inspect => statement::to_bytes(&Inspect { to, signer, msg, account, at })?,
            Op::Close => statement::to_bytes(&Close { to, signer, msg, account, at })?,
            Op::Pay(_) | Op::Receive(_) | Op::Open(_) => return Err(PayError::NotSupported),
        };
        Ok(Self { bank: purse.bank, account: Some(account), key: signer, tbs })
    }

    fn ask(&self) -> Output {
        Output::ToBank { tbs: self.tbs.clone(), key: self.key }
    }

    /// What a signed answer orders, if it answers this request: it then is done, or refused for good.
    fn answer(&self, signed: &SignedBytes) -> Option<(Holder, Vec<Output>)> {
        let bank = &self.bank;
        let asked = Digest::of(&self.tbs);
        let kind = type_of(&signed.tbs).ok()?;
        if kind == Account::TYPE {
            let account = signed.clone().verify::<Account>(bank).ok()?;
            let ours = self.account.is_none() && account.request == asked && account.owner == self.key;
            return ours.then(|| (Holder::Done, vec![Output::Opened(account.account)]));
        }
        if kind == Balance::TYPE {
            let balance = signed.clone().verify::<Balance>(bank).ok()?;
            let ours = self.account == Some(balance.account) && balance.request == asked;
            let end = if balance.open { None } else { Some(Output::Closed) };
            return ours
                .then(|| (Holder::Done, [Output::Funds(balance.funds)].into_iter().chain(end).collect()));
        }
        if kind == Declined::TYPE {
            let declined = signed.clone().verify::<Declined>(bank).ok()?;
            let ours = declined.request == asked;
            return ours.then(|| (Holder::NotDone, vec![Output::Refused(declined.code.clone())]));
        }
        None
    }
}

impl Machine for Holder {
    type Input = Input;
    type Output = Output;

    fn step(self, input: Input) -> Step<Self> {
        match self {
            Self::Asking { request, unknown, tries } => asking(request, unknown, tries, input),
            ended @ (Self::Done | Self::NotDone) => match input.event {
                Event::Bank(_) => Step::refuse(ended, Refused::Repeated),
                Event::Unreachable | Event::Timer | Event::Cancel => Step::refuse(ended, Refused::OutOfPlace),
            },
        }
    }
}

fn asking(request: Box<Request>, unknown: bool, tries: u32, input: Input) -> Step<Holder> {
    match input.event {
        Event::Bank(BankReply::Signed(signed)) => match request.answer(&signed) {
            Some((end, outputs)) => {
                let status = if end == Holder::Done { Status::Succeeded } else { Status::Failed };
                Step::to(end).orders(outputs).order(Output::Status(status)).order(Output::Keep(signed))
            }
            None => Step::refuse(Holder::Asking { request, unknown, tries }, Refused::Mismatch),
        },
        Event::Bank(BankReply::NotYet | BankReply::Refused(_)) | Event::Unreachable | Event::Timer => {
            let ask = request.ask();
            let step = Step::to(Holder::Asking { request, unknown: true, tries: tries.saturating_add(1) });
            let step = if unknown { step } else { step.order(Output::Status(Status::Unknown)) };
            step.order(ask).order(Output::Wake(again(input.now, tries)))
        }
        Event::Cancel => Step::refuse(Holder::Asking { request, unknown, tries }, Refused::OutOfPlace),
    }
}
