//! A bank in memory that keeps one record for each payment, freezes and refunds on the third party's order,
//! and can be told to cheat; with the smallest module and third party that use it.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    deal::{DealContext, Xid},
    evidence::{
        Signable, SignedBytes, Verified,
        statement::{Statement, to_bytes},
    },
    money::Money,
};
use semper_transfer::{
    conformance::{Case, Holder, Subject},
    description::{Description, Mode, Model, PaymentDescription, Received},
    fault::{ItemFault, Mismatch},
    item::{Item, Kind, PayRef},
    package::LeafPath,
    property::{
        Accepted, Answer, BadPermit, Begun, Binding, Capabilities, Certificates, ExchangeEnabled, GenGrade,
        Generated, GenerationPermit, Got, Grade, Look, Observation, Order, Permitted, Props, Record,
        RecordStatus, Replacement, RevGrade, Side, ThirdPartyKeys, TooLate, Transfer, TtpItem, VerGrade,
    },
};
use serde::{Deserialize, Serialize};

use crate::market::{self, BANK, BUYER, NOW, Person};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cheat {
    AnswersAnew,
    FreezeOnlyLooks,
    OneRecordForAll,
    PayerTakesBack,
    PaysTwice,
    PaysWhatIsFrozen,
    SignsWithAnotherKey,
    UndoesInNameOnly,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Wish {
    Freeze,
    Look,
    Refund,
}

/// The third party's order.
#[derive(Debug, Deserialize, Serialize)]
struct OrderLines {
    wish: Wish,
    #[serde(rename = "ref")]
    reference: PayRef,
    signer: Kid,
}

impl Statement for OrderLines {
    const TYPE: &'static str = "a/test-order";
}

/// The bank's record.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct RecordLines {
    #[serde(rename = "ref")]
    reference: PayRef,
    status: RecordStatus,
    amount: Money,
    payee: String,
    answer: u64,
    signer: Kid,
}

impl Statement for RecordLines {
    const TYPE: &'static str = "a/test-record";
}

impl Signable for RecordLines {
    fn signer(&self) -> Kid {
        self.signer
    }
}

/// The one reference of a payment: one to one with run and leaf.
fn reference(xid: Xid, leaf: &LeafPath) -> PayRef {
    let digest = Digest::of_parts([xid.as_bytes().as_slice(), leaf.to_string().as_bytes()]);
    PayRef::from_bytes(*digest.as_bytes())
}

fn price() -> Money {
    Money::parse("XTS 12.50").unwrap()
}

#[derive(Default)]
struct Bank {
    cheat: Option<Cheat>,
    records: BTreeMap<PayRef, (RecordStatus, SignedBytes)>,
    paid: BTreeMap<PayRef, u64>,
    answers: u64,
}

impl Bank {
    fn signer(&self) -> Person {
        if self.cheat == Some(Cheat::SignsWithAnotherKey) { BUYER } else { BANK }
    }

    fn key(&self, reference: PayRef) -> PayRef {
        let one = PayRef::from_bytes([0; 32]);
        if self.cheat == Some(Cheat::OneRecordForAll) { one } else { reference }
    }

    fn enter(&mut self, reference: PayRef, status: RecordStatus) -> SignedBytes {
        self.answers += 1;
        let lines = RecordLines {
            reference,
            status,
            amount: price(),
            payee: "merch-1".into(),
            answer: self.answers,
            signer: self.signer().kid(),
        };
        let signed = self.signer().sign(&lines);
        self.records.insert(self.key(reference), (status, signed.clone()));
        signed
    }

    fn known(&mut self, reference: PayRef) -> Option<(RecordStatus, SignedBytes)> {
        let (status, signed) = self.records.get(&self.key(reference)).cloned()?;
        let anew = self.cheat == Some(Cheat::AnswersAnew);
        Some((status, if anew { self.enter(reference, status) } else { signed }))
    }

    fn pay(&mut self, reference: PayRef) -> Option<SignedBytes> {
        if self.cheat == Some(Cheat::PaysTwice) {
            *self.paid.entry(reference).or_default() += 1;
        }
        match self.known(reference) {
            Some((RecordStatus::Happened, signed)) => Some(signed),
            Some((RecordStatus::Frozen, _)) if self.cheat == Some(Cheat::PaysWhatIsFrozen) => {
                self.paid.insert(reference, 1);
                Some(self.enter(reference, RecordStatus::Happened))
            }
            Some(_) => None,
            None => {
                self.paid.entry(reference).or_insert(1);
                Some(self.enter(reference, RecordStatus::Happened))
            }
        }
    }

    fn obey(&mut self, order: &OrderLines) -> Answer {
        let known = self.known(order.reference);
        let looks_only = self.cheat == Some(Cheat::FreezeOnlyLooks);
        match (order.wish, known) {
            (Wish::Refund, Some((RecordStatus::Happened, _))) => {
                if self.cheat != Some(Cheat::UndoesInNameOnly) {
                    self.paid.insert(order.reference, 0);
                }
                Answer::Signed(self.enter(order.reference, RecordStatus::Revoked))
            }
            (_, Some((_, signed))) => Answer::Signed(signed),
            (Wish::Freeze, None) if !looks_only => {
                Answer::Signed(self.enter(order.reference, RecordStatus::Frozen))
            }
            (_, None) => Answer::NotYet,
        }
    }
}

/// The smallest payment module: direct, with freeze and refund.
struct Module;

fn payment(description: &Description) -> Result<&PaymentDescription, ItemFault> {
    match description {
        Description::Payment(payment) => Ok(payment),
        _ => Err(ItemFault::Kind),
    }
}

impl ExchangeEnabled for Module {
    fn kind(&self) -> Kind {
        Kind::Payment
    }

    fn props(&self, _: &Description, _: &Capabilities, _: &DealContext) -> Vec<Props> {
        let authority = Some(BANK.certificate());
        vec![Props {
            mechanism: "pay/direct".into(),
            generatable: Grade::default(),
            verifiable: Grade { grade: VerGrade::Final, until: None, authority },
            revocable: Grade { grade: RevGrade::Undo, until: Some(NOW), authority },
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

    fn start_transfer(&self, item: &Item, d: &Description, b: &Binding) -> Result<Transfer, ItemFault> {
        let Item::Payment { reference: ours } = item else { return Err(ItemFault::Kind) };
        if payment(d)?.reference != Some(*ours) || *ours != reference(b.xid, &b.leaf) {
            return Err(Mismatch::Reference.into());
        }
        Ok(Transfer::Pay(*ours))
    }

    fn verify_received(
        &self,
        d: &Description,
        got: &Got,
        b: &Binding,
        certificates: &dyn Certificates,
    ) -> Result<Accepted, Mismatch> {
        let Got::Payment(record) = got else { return Err(Mismatch::Kind) };
        let lines = read(&record.evidence, certificates)?;
        if lines.status != RecordStatus::Happened || lines.reference != reference(b.xid, &b.leaf) {
            return Err(Mismatch::Binding);
        }
        d.matches(&Received::Payment {
            reference: lines.reference,
            amount: lines.amount,
            payee: &lines.payee,
        })?;
        Ok(Accepted { description: b.description, evidence: record.evidence.digest() })
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

fn read(signed: &SignedBytes, certificates: &dyn Certificates) -> Result<Verified<RecordLines>, Mismatch> {
    let key = certificates.key(&BANK.certificate()).ok_or(Mismatch::Signature)?;
    signed.clone().verify(&key).map_err(|_| Mismatch::Signature)
}

fn record(b: &Binding, evidence: SignedBytes) -> Record {
    let lines: RecordLines = semper_supporting::evidence::statement::from_bytes(&evidence.tbs).unwrap();
    Record {
        xid: b.xid,
        leaf: b.leaf.clone(),
        reference: Some(lines.reference),
        status: lines.status,
        amount: Some(lines.amount),
        payer: None,
        payee: Some(lines.payee),
        since: NOW,
        authority: BANK.certificate(),
        evidence,
    }
}

struct ThirdParty;

fn order(b: &Binding, wish: Wish) -> Order {
    let lines = OrderLines { wish, reference: reference(b.xid, &b.leaf), signer: market::ARBITER.kid() };
    Order { to: BANK.certificate(), tbs: to_bytes(&lines).unwrap() }
}

impl TtpItem for ThirdParty {
    fn kind(&self) -> Kind {
        Kind::Payment
    }

    fn observe(&self, b: &Binding, _: &Description, look: Look) -> Begun<Observation> {
        Begun::Ask(order(b, if look == Look::Freeze { Wish::Freeze } else { Wish::Look }))
    }

    fn observed(
        &self,
        b: &Binding,
        _: &Description,
        _: Look,
        answer: &Answer,
    ) -> Result<Observation, ItemFault> {
        let Answer::Signed(signed) = answer else { return Ok(Observation::NotYet) };
        let record = record(b, signed.clone());
        Ok(match record.status {
            RecordStatus::Happened => Observation::Happened(record),
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

    fn revoke(&self, b: &Binding, _: &Description) -> Begun<Result<Record, TooLate>> {
        Begun::Ask(order(b, Wish::Refund))
    }

    fn revoked(
        &self,
        b: &Binding,
        _: &Description,
        answer: &Answer,
    ) -> Result<Result<Record, TooLate>, ItemFault> {
        let Answer::Signed(signed) = answer else { return Ok(Err(TooLate)) };
        let record = record(b, signed.clone());
        Ok(if record.status == RecordStatus::Revoked { Ok(record) } else { Err(TooLate) })
    }
}

pub(crate) struct Payments {
    bank: Bank,
    certificates: BTreeMap<Digest, PublicKey>,
}

impl Payments {
    pub(crate) fn honest() -> Self {
        Self { bank: Bank::default(), certificates: market::certificates() }
    }

    pub(crate) fn with(cheat: Cheat) -> Self {
        let bank = Bank { cheat: Some(cheat), ..Bank::default() };
        Self { bank, ..Self::honest() }
    }
}

impl Subject for Payments {
    fn party(&self) -> &dyn ExchangeEnabled {
        &Module
    }

    fn third_party(&self) -> Box<dyn TtpItem + '_> {
        Box::new(ThirdParty)
    }

    fn certificates(&self) -> &dyn Certificates {
        &self.certificates
    }

    fn capabilities(&self) -> Capabilities {
        market::capabilities()
    }

    fn deal(&self) -> DealContext {
        market::deal()
    }

    fn case(&mut self, n: u32) -> Case {
        let describe = |reference| {
            Description::from(PaymentDescription {
                amount: price(),
                reference,
                mode: Some(Mode::Direct),
                payer: None,
                payee: Some("merch-1".into()),
                module: None,
                model: Some(Model::Account),
                authority: Some(BANK.certificate()),
                fees: None,
            })
        };
        let run = market::binding(n, Side::Responder, BUYER, &describe(None));
        let reference = reference(run.xid, &run.leaf);
        let description = describe(Some(reference));
        let binding = market::binding(n, Side::Responder, BUYER, &description);
        Case { item: Item::Payment { reference }, description, binding }
    }

    fn carry_out(&mut self, case: &Case, transfer: Transfer) -> Option<Got> {
        let Transfer::Pay(reference) = transfer else { return None };
        let signed = self.bank.pay(reference)?;
        Some(Got::Payment(record(&case.binding, signed)))
    }

    fn ask(&mut self, order: &Order) -> Option<Answer> {
        let lines: OrderLines = semper_supporting::evidence::statement::from_bytes(&order.tbs).ok()?;
        Some(self.bank.obey(&lines))
    }

    fn undo_alone(&mut self, case: &Case) {
        if self.bank.cheat == Some(Cheat::PayerTakesBack) {
            let reference = reference(case.binding.xid, &case.binding.leaf);
            self.bank.paid.insert(reference, 0);
            self.bank.enter(reference, RecordStatus::Revoked);
        }
    }

    /// Who has the money. Paid twice, it counts as with somebody else than before.
    fn holder(&self, case: &Case) -> Option<Holder> {
        let reference = reference(case.binding.xid, &case.binding.leaf);
        Some(match self.bank.paid.get(&reference).copied().unwrap_or_default() {
            0 => Holder::Giver,
            1 => Holder::Receiver,
            _ => Holder::Authority,
        })
    }
}
