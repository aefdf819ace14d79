//! The payment of a sale: what both sides derive from the negotiation of means, the run of the payment
//! module, and what a bank's record means for the exchange.

use std::collections::BTreeMap;

use semper_exchange::{generatable_verifiable::Recorded, message::offer::Sides, select::Selected};
use semper_supporting::{
    crypto::{digest::Digest, signature::PublicKey},
    deal::Xid,
    evidence::{SignedBytes, Verified},
    money::Money,
    time::Moment,
};
use semper_transfer::{
    description::{Description, Mode, Model, PaymentDescription},
    package::{LeafPath, Package},
    payment::{
        Modules, Op, PayError, PaymentAgreement, PaymentOrder, Purse, PurseId, Status, Stepped, SysId,
        Transaction, TxId,
        message::{TxState, TxStatement},
        module::{self, Event, PaymentModel},
        negotiation,
    },
    property::{Accepted, Class, Record, RecordStatus},
};
use serde::{Deserialize, Serialize};

use super::{
    Output, Timer,
    fault::SaleFault,
    line::{Destination, Line, bank_draft},
};

/// What is to be paid, how and to whom, as both sides derive it from the three messages about the means.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Means {
    pub(super) order: PaymentOrder,
    pub(super) sys: SysId,
    pub(super) leaf: PaymentDescription,
    pub(super) authority: Digest,
    pub(super) bank: PublicKey,
    pub(super) xid: Xid,
}

/// A payment under way at one side.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Payment {
    pub(super) run: Transaction,
    pub(super) purse: PurseId,
}

/// The payment before its means are known.
pub(super) fn bare(amount: Money) -> PaymentDescription {
    PaymentDescription {
        amount,
        reference: None,
        mode: None,
        payer: None,
        payee: None,
        module: None,
        model: None,
        authority: None,
        fees: None,
    }
}

impl Means {
    /// What the agreement about the means leads to, where `selected` says what the payment is relied on as.
    pub(super) fn of(
        agreement: &PaymentAgreement,
        selected: &Selected,
        xid: Xid,
        banks: &BTreeMap<Digest, PublicKey>,
        modules: &Modules,
    ) -> Result<Self, SaleFault> {
        let mismatch = |field| SaleFault::Means(negotiation::NegError::Mismatch(field));
        let Sides { r, .. } = &selected.leaf;
        let reliance = r.get(&LeafPath::first()).ok_or(mismatch("class"))?;
        let authority = reliance.authority.ok_or(mismatch("authority"))?;
        let bank = *banks.get(&authority).ok_or(mismatch("authority"))?;
        let sys = agreement.sys().clone();
        let descriptors = modules.descriptors();
        let module = descriptors.iter().find(|one| one.sys == sys).ok_or(PayError::NotSupported)?;
        if agreement.mode() != negotiation::Mode::Direct || reliance.class != Class::Backward {
            return Err(mismatch("mode"));
        }
        let order = PaymentOrder {
            reference: agreement.reference(0),
            exch: agreement.exchange(),
            payee: agreement.payee()?,
            amount: agreement.amount(),
            arbiter: agreement.arbiter(),
            until: reliance.until,
        };
        let leaf = PaymentDescription {
            amount: order.amount,
            reference: Some(order.reference),
            mode: Some(Mode::Direct),
            payer: None,
            payee: Some(order.payee.to_string()),
            module: Some(sys.clone()),
            model: Some(match module.model {
                PaymentModel::Account => Model::Account,
                PaymentModel::Cash => Model::Cash,
                PaymentModel::Cheque => Model::Cheque,
            }),
            authority: Some(authority),
            fees: None,
        };
        Ok(Self { order, sys, leaf, authority, bank, xid })
    }

    /// What the payer gives, now that the means are known.
    pub(super) fn package(&self) -> Package {
        Package::of(self.leaf.clone())
    }

    /// The record that `evidence` is about this payment.
    pub(super) fn recorded(&self, status: RecordStatus, evidence: SignedBytes, at: Moment) -> Recorded {
        let description = Description::from(self.leaf.clone()).hash().unwrap_or(Digest::from_bytes([0; 32]));
        let verdict = Ok(Accepted { description, evidence: evidence.digest() });
        let record = Record {
            xid: self.xid,
            leaf: LeafPath::first(),
            reference: Some(self.order.reference),
            status,
            amount: Some(self.order.amount),
            payer: None,
            payee: self.leaf.payee.clone(),
            since: at,
            authority: self.authority,
            evidence,
        };
        Recorded { record, verdict }
    }

    /// Reads a record of the bank about a payment that this side never began: only that it never will happen
    /// can be said of it.
    pub(super) fn frozen(&self, signed: SignedBytes) -> Option<Recorded> {
        let record: Verified<TxStatement> = signed.verify(&self.bank).ok()?;
        let ours = record.reference == self.order.reference && record.exch == self.order.exch;
        let frozen = record.status == TxState::Frozen && record.booked.is_none();
        (ours && frozen).then(|| self.recorded(RecordStatus::Frozen, record.bytes().clone(), record.at))
    }
}

impl Payment {
    /// Begins to pay, or to expect the payment.
    pub(super) fn begin(
        means: &Means,
        purse: &Purse,
        op: Op,
        tx: TxId,
        modules: &Modules,
        at: Moment,
        line: &mut Line,
    ) -> Result<(Self, Vec<Output>), SaleFault> {
        let stepped = modules.start(tx, &means.sys, Some(purse), op, at)?;
        let (run, outputs, _) = digest(means, stepped, purse, line, at)?;
        Ok((Self { run, purse: purse.id }, outputs))
    }

    /// Gives the run an event; what the bank's word means for the exchange comes back beside the orders.
    pub(super) fn step(
        &mut self,
        means: &Means,
        purses: &[Purse],
        event: Event,
        modules: &Modules,
        at: Moment,
        line: &mut Line,
    ) -> Result<(Vec<Output>, Option<Recorded>), SaleFault> {
        let purse = purses.iter().find(|purse| purse.id == self.purse).ok_or(PayError::NotSupported)?;
        let stepped = modules.step(&self.run, Some(purse), module::Input { now: at, event })?;
        let (run, outputs, recorded) = digest(means, stepped, purse, line, at)?;
        self.run = run;
        Ok((outputs, recorded))
    }

    /// Whether the money has left for good, as far as is known.
    pub(super) fn is_made(&self) -> bool {
        matches!(self.run.status, Status::Succeeded | Status::Settled)
    }
}

type Digested = (Transaction, Vec<Output>, Option<Recorded>);

fn digest(
    means: &Means,
    stepped: Stepped,
    before: &Purse,
    line: &mut Line,
    at: Moment,
) -> Result<Digested, SaleFault> {
    let Stepped { transaction, purse, outputs: ordered, .. } = stepped;
    let mut outputs = Vec::new();
    if let Some(after) = purse.filter(|after| after != before) {
        outputs.push(Output::Purse { before: Box::new(before.clone()), after: Box::new(after) });
    }
    let (mut status, mut evidence) = (None, None);
    for order in ordered {
        match order {
            module::Output::ToBank { tbs, .. } => {
                outputs.extend(line.sign(bank_draft(&tbs)?, Destination::Bank(means.bank.kid())));
            }
            module::Output::Wake(when) => {
                outputs.push(Output::Set { timer: Timer::Payment, span: when.since(at) });
            }
            module::Output::Keep(signed) => {
                line.file(&signed);
                outputs.push(Output::Keep(signed.clone()));
                evidence = Some(signed);
            }
            module::Output::Status(next) => status = meaning(next).or(status),
            module::Output::Refused(_) => outputs.push(Output::Fault("pay.refused")),
            module::Output::Purse(_)
            | module::Output::Funds(_)
            | module::Output::Opened(_)
            | module::Output::Closed => {}
        }
    }
    let recorded = status.zip(evidence).map(|(status, signed)| means.recorded(status, signed, at));
    Ok((transaction, outputs, recorded))
}

fn meaning(status: Status) -> Option<RecordStatus> {
    match status {
        Status::Succeeded | Status::Settled => Some(RecordStatus::Happened),
        Status::Refunded => Some(RecordStatus::Revoked),
        Status::Failed => Some(RecordStatus::Frozen),
        Status::Created | Status::Approved | Status::InFlight | Status::Unknown | Status::Held => None,
    }
}
