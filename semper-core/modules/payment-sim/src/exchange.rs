//! What a payment of `sim` offers to a fair exchange: its bank can tell whether it happened, make sure that it
//! never will, and book it back on the third party's order until the window ends. Class B, direct mode.
//!
//! A payment cannot be generated: only its payer orders it. What ties it to one run is the bank's record,
//! which names reference and exchange; both sides derived the reference from the negotiation of this run.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    deal::DealContext,
    evidence::{SignedBytes, Statement, Verified, statement},
    time::Moment,
};
use semper_transfer::{
    description::{Description, PaymentDescription, Received},
    fault::{ItemFault, Mismatch},
    item::{Item, Kind},
    payment::message::{Award, AwardOutcome, Freeze, Look as LookAt, TxState, TxStatement},
    property::{
        Accepted, Answer, BadPermit, Begun, Binding, Capabilities, Certificates, ExchangeEnabled, GenGrade,
        Generated, GenerationPermit, Got, Grade, Look, Observation, Order, Permitted, Props, Record,
        RecordStatus, Replacement, RevGrade, ThirdPartyKeys, TooLate, Transfer, TtpItem, VerGrade,
    },
};

/// The mechanism as negotiation names it.
pub const MECHANISM: &str = "pay/direct";

/// A party's side: pays, or is paid.
#[derive(Clone, Debug)]
pub struct Payments {
    /// The certificate of the bank: SHA-256 of its DER.
    pub bank: Digest,
    /// Until when a payment of this run can be ordered back.
    pub until: Moment,
}

/// The third party's side.
#[derive(Clone, Debug)]
pub struct PaymentThirdParty {
    /// Its key.
    pub kid: Kid,
    /// The banks that take its orders: certificate, and key.
    pub banks: BTreeMap<Digest, semper_supporting::crypto::signature::PublicKey>,
}

fn payment(description: &Description) -> Result<&PaymentDescription, ItemFault> {
    match description {
        Description::Payment(payment) => Ok(payment),
        _ => Err(ItemFault::Kind),
    }
}

impl ExchangeEnabled for Payments {
    fn kind(&self) -> Kind {
        Kind::Payment
    }

    fn props(&self, description: &Description, third_party: &Capabilities, _: &DealContext) -> Vec<Props> {
        if payment(description).is_err() || !third_party.authorities.contains(&self.bank) {
            return Vec::new();
        }
        let authority = Some(self.bank);
        vec![Props {
            mechanism: MECHANISM.into(),
            generatable: Grade::default(),
            verifiable: Grade { grade: VerGrade::Final, until: None, authority },
            revocable: Grade { grade: RevGrade::Undo, until: Some(self.until), authority },
        }]
    }

    fn make_permit(
        &self,
        _: &Item,
        _: &Description,
        _: &Binding,
        _: &ThirdPartyKeys,
        _: &[u8; 64],
    ) -> Result<Permitted, ItemFault> {
        // Nobody but the payer makes a payment of this system.
        Err(ItemFault::Kind)
    }

    fn check_permit(
        &self,
        _: &Description,
        _: &Permitted,
        _: &Binding,
        _: &ThirdPartyKeys,
        _: &dyn Certificates,
    ) -> Result<GenGrade, ItemFault> {
        Err(ItemFault::BadPermit)
    }

    fn start_transfer(
        &self,
        item: &Item,
        description: &Description,
        _: &Binding,
    ) -> Result<Transfer, ItemFault> {
        let Item::Payment { reference } = item else { return Err(ItemFault::Kind) };
        if payment(description)?.reference != Some(*reference) {
            return Err(Mismatch::Reference.into());
        }
        Ok(Transfer::Pay(*reference))
    }

    fn verify_received(
        &self,
        description: &Description,
        got: &Got,
        binding: &Binding,
        certificates: &dyn Certificates,
    ) -> Result<Accepted, Mismatch> {
        let Got::Payment(record) = got else { return Err(Mismatch::Kind) };
        let bank = certificates.key(&self.bank).ok_or(Mismatch::Signature)?;
        let statement =
            record.evidence.clone().verify::<TxStatement>(&bank).map_err(|_| Mismatch::Signature)?;
        let happened = matches!(statement.status, TxState::Credited | TxState::Released);
        let (true, Some(booked)) = (happened, &statement.booked) else { return Err(Mismatch::Binding) };
        if statement.exch != Some(binding.xid) {
            return Err(Mismatch::Binding);
        }
        description.matches(&Received::Payment {
            reference: statement.reference,
            amount: booked.amount,
            payee: &booked.payee.to_string(),
        })?;
        Ok(Accepted { description: binding.description, evidence: record.evidence.digest() })
    }

    fn verify_replacement(
        &self,
        _: &Description,
        _: &GenerationPermit,
        _: &Replacement,
        _: &Binding,
        _: &dyn Certificates,
    ) -> Result<Accepted, Mismatch> {
        Err(Mismatch::Permit)
    }
}

/// The record of `signed`, a bank's statement about the payment of `binding`.
pub fn record(binding: &Binding, authority: Digest, signed: &Verified<TxStatement>) -> Record {
    Record {
        xid: binding.xid,
        leaf: binding.leaf.clone(),
        reference: Some(signed.reference),
        status: match signed.status {
            TxState::Credited | TxState::Released => RecordStatus::Happened,
            TxState::Refunded => RecordStatus::Revoked,
            TxState::Frozen => RecordStatus::Frozen,
        },
        amount: signed.booked.as_ref().map(|booked| booked.amount),
        payer: signed.booked.as_ref().map(|booked| booked.payer.to_string()),
        payee: signed.booked.as_ref().map(|booked| booked.payee.to_string()),
        since: signed.at,
        authority,
        evidence: signed.bytes().clone(),
    }
}

impl PaymentThirdParty {
    /// The bank of a payment, its key, and the payment's reference.
    fn bank(
        &self,
        description: &Description,
    ) -> Result<(Digest, Kid, semper_transfer::payment::PayRef), ItemFault> {
        let payment = payment(description)?;
        let authority = payment.authority.ok_or(ItemFault::Incomplete("the bank"))?;
        let reference = payment.reference.ok_or(ItemFault::Incomplete("the reference"))?;
        let key = self.banks.get(&authority).ok_or(ItemFault::Incomplete("a bank known here"))?;
        Ok((authority, key.kid(), reference))
    }

    fn order<T: Statement>(
        &self,
        description: &Description,
        order: impl Fn(Kid, semper_transfer::payment::PayRef) -> T,
    ) -> Result<Order, ItemFault> {
        let (authority, to, reference) = self.bank(description)?;
        Ok(Order { to: authority, tbs: statement::to_bytes(&order(to, reference))? })
    }

    /// The bank's words about the payment of `binding`, checked, and whether they are about the payment that
    /// was agreed. A reference is booked once: where another sum, payee or exchange stands under it, the
    /// payment agreed upon has not happened and never will.
    fn read(
        &self,
        binding: &Binding,
        description: &Description,
        signed: &SignedBytes,
    ) -> Result<(Record, bool), ItemFault> {
        let (authority, _, reference) = self.bank(description)?;
        let bank = self.banks.get(&authority).ok_or(ItemFault::Incomplete("a bank known here"))?;
        let found = signed.clone().verify::<TxStatement>(bank)?;
        if found.reference != reference {
            return Err(Mismatch::Binding.into());
        }
        let agreed = found.exch == Some(binding.xid)
            && found.booked.as_ref().is_none_or(|booked| {
                let payee = booked.payee.to_string();
                let received = Received::Payment { reference, amount: booked.amount, payee: &payee };
                description.matches(&received).is_ok()
            });
        Ok((record(binding, authority, &found), agreed))
    }
}

impl TtpItem for PaymentThirdParty {
    fn kind(&self) -> Kind {
        Kind::Payment
    }

    fn observe(&self, binding: &Binding, description: &Description, look: Look) -> Begun<Observation> {
        let (signer, exch) = (self.kid, binding.xid);
        let order = match look {
            Look::Peek => self.order(description, |to, reference| LookAt { to, signer, reference, exch }),
            Look::Freeze => self.order(description, |to, reference| Freeze { to, signer, reference, exch }),
        };
        order.map_or(Begun::Done(Observation::Unavailable), Begun::Ask)
    }

    fn observed(
        &self,
        binding: &Binding,
        description: &Description,
        _: Look,
        answer: &Answer,
    ) -> Result<Observation, ItemFault> {
        let Answer::Signed(signed) = answer else { return Ok(Observation::NotYet) };
        let (record, agreed) = self.read(binding, description, signed)?;
        Ok(match record.status {
            RecordStatus::Happened if agreed => Observation::Happened(record),
            _ => Observation::Frozen(record),
        })
    }

    fn deposit(
        &self,
        _: &Binding,
        _: &Description,
        _: &Got,
        _: &dyn Certificates,
    ) -> Result<Observation, Mismatch> {
        Err(Mismatch::Kind)
    }

    fn generate(
        &self,
        _: &Binding,
        _: &Description,
        _: &Permitted,
        _: &dyn Certificates,
    ) -> Begun<Result<Generated, BadPermit>> {
        Begun::Done(Err(BadPermit::Scope))
    }

    fn generated(
        &self,
        _: &Binding,
        _: &Description,
        _: &Answer,
    ) -> Result<Result<Generated, BadPermit>, ItemFault> {
        Err(ItemFault::Unasked)
    }

    fn revoke(&self, binding: &Binding, description: &Description) -> Begun<Result<Record, TooLate>> {
        let case = Digest::from_bytes(*binding.xid.as_bytes());
        let order = self.order(description, |to, reference| Award {
            to,
            signer: self.kid,
            case,
            reference,
            outcome: AwardOutcome::Refund,
            reason: None,
        });
        order.map_or(Begun::Done(Err(TooLate)), Begun::Ask)
    }

    fn revoked(
        &self,
        binding: &Binding,
        description: &Description,
        answer: &Answer,
    ) -> Result<Result<Record, TooLate>, ItemFault> {
        let Answer::Signed(signed) = answer else { return Ok(Err(TooLate)) };
        let (record, agreed) = self.read(binding, description, signed)?;
        Ok(if agreed && record.status == RecordStatus::Revoked { Ok(record) } else { Err(TooLate) })
    }
}
