//! Modules bent in one place, to show that the laws find it.

use std::{cell::Cell, collections::BTreeMap};

use semper_supporting::{
    crypto::{
        digest::Digest,
        seal::{ContentKey, Measured},
        signature::{PublicKey, Signature},
    },
    deal::DealContext,
    evidence::SignedBytes,
    time::Moment,
};
use semper_transfer::{
    conformance::{Case, Subject},
    description::Description,
    fault::{ItemFault, Mismatch},
    item::{Item, Kind},
    property::{
        Accepted, Answer, BadPermit, Begun, Binding, Capabilities, Certificates, Decided, ExchangeEnabled,
        GenGrade, Generated, GenerationPermit, Got, Look, Observation, Order, Permitted, Props, Record,
        RecordStatus, Replacement, ThirdPartyKeys, TooLate, Transfer, TtpItem,
    },
};

use crate::market;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Bend {
    DepositsAnything,
    HidesBadSeals,
    NeedsNoDecision,
    NeedsNoPermit,
    OpensForAnybody,
    PermitsAnew,
    RefusesHonestPermits,
    UndoesWhatItMade,
}

pub(crate) struct Bent<S> {
    subject: S,
    bend: Bend,
    certificates: BTreeMap<Digest, PublicKey>,
    calls: Cell<u8>,
}

impl<S: Subject> Bent<S> {
    pub(crate) fn new(subject: S, bend: Bend) -> Self {
        Self { subject, bend, certificates: market::certificates(), calls: Cell::new(0) }
    }
}

impl<S: Subject> ExchangeEnabled for Bent<S> {
    fn kind(&self) -> Kind {
        self.subject.party().kind()
    }

    fn props(&self, d: &Description, third_party: &Capabilities, deal: &DealContext) -> Vec<Props> {
        self.subject.party().props(d, third_party, deal)
    }

    fn make_permit(
        &self,
        item: &Item,
        d: &Description,
        b: &Binding,
        third_party: &ThirdPartyKeys,
        random: &[u8; 64],
    ) -> Result<Permitted, ItemFault> {
        let mut random = *random;
        if self.bend == Bend::PermitsAnew {
            self.calls.set(self.calls.get() + 1);
            random[0] = self.calls.get();
        }
        self.subject.party().make_permit(item, d, b, third_party, &random)
    }

    fn check_permit(
        &self,
        d: &Description,
        permitted: &Permitted,
        b: &Binding,
        third_party: &ThirdPartyKeys,
        certificates: &dyn Certificates,
    ) -> Result<GenGrade, ItemFault> {
        self.subject.party().check_permit(d, permitted, b, third_party, certificates)
    }

    fn start_transfer(&self, item: &Item, d: &Description, b: &Binding) -> Result<Transfer, ItemFault> {
        self.subject.party().start_transfer(item, d, b)
    }

    fn verify_received(
        &self,
        d: &Description,
        got: &Got,
        b: &Binding,
        certificates: &dyn Certificates,
    ) -> Result<Accepted, Mismatch> {
        self.subject.party().verify_received(d, got, b, certificates)
    }

    fn verify_replacement(
        &self,
        d: &Description,
        permit: &GenerationPermit,
        replacement: &Replacement,
        b: &Binding,
        certificates: &dyn Certificates,
    ) -> Result<Accepted, Mismatch> {
        let (mut permit, mut replacement) = (permit.clone(), replacement.clone());
        if self.bend == Bend::NeedsNoDecision {
            replacement.decided = Some(Decided {
                xid: b.xid,
                agreement: b.agreement.unwrap(),
                by: third_party(),
                completed: true,
                decision: Digest::of(b"none"),
            });
        }
        if self.bend == Bend::NeedsNoPermit {
            permit = GenerationPermit { grade: replacement.grade, description: b.description, ..permit };
        }
        self.subject.party().verify_replacement(d, &permit, &replacement, b, certificates)
    }
}

fn third_party() -> Digest {
    market::third_party().certificate
}

/// The third party of a bent module.
struct BentThirdParty<'a, S>(&'a Bent<S>);

impl<S: Subject> TtpItem for BentThirdParty<'_, S> {
    fn kind(&self) -> Kind {
        self.0.kind()
    }

    fn observe(&self, b: &Binding, d: &Description, look: Look) -> Begun<Observation> {
        self.0.subject.third_party().observe(b, d, look)
    }

    fn observed(
        &self,
        b: &Binding,
        d: &Description,
        look: Look,
        answer: &Answer,
    ) -> Result<Observation, ItemFault> {
        self.0.subject.third_party().observed(b, d, look, answer)
    }

    fn deposit(
        &self,
        b: &Binding,
        d: &Description,
        got: &Got,
        certificates: &dyn Certificates,
    ) -> Result<Observation, Mismatch> {
        let honest = self.0.subject.third_party().deposit(b, d, got, certificates);
        if self.0.bend == Bend::DepositsAnything {
            return honest.or(Ok(Observation::Deposited(b.description)));
        }
        honest
    }

    fn generate(
        &self,
        b: &Binding,
        d: &Description,
        permitted: &Permitted,
        certificates: &dyn Certificates,
    ) -> Begun<Result<Generated, BadPermit>> {
        let third_party = self.0.subject.third_party();
        let key = || Begun::Done(Ok(Generated::Key(crate::data::report(1).1)));
        match self.0.bend {
            Bend::RefusesHonestPermits => Begun::Done(Err(BadPermit::Seal)),
            // Both answer with the key of the one report the laws look at.
            Bend::OpensForAnybody => key(),
            Bend::HidesBadSeals => match third_party.generate(b, d, permitted, certificates) {
                Begun::Done(Err(_)) => key(),
                other => other,
            },
            _ => third_party.generate(b, d, permitted, certificates),
        }
    }

    fn generated(
        &self,
        b: &Binding,
        d: &Description,
        answer: &Answer,
    ) -> Result<Result<Generated, BadPermit>, ItemFault> {
        self.0.subject.third_party().generated(b, d, answer)
    }

    fn revoke(&self, b: &Binding, d: &Description) -> Begun<Result<Record, TooLate>> {
        if self.0.bend == Bend::UndoesWhatItMade {
            return Begun::Done(Ok(Record {
                xid: b.xid,
                leaf: b.leaf.clone(),
                reference: None,
                status: RecordStatus::Revoked,
                amount: None,
                payer: None,
                payee: None,
                since: Moment::from_seconds(0),
                authority: third_party(),
                evidence: SignedBytes { tbs: Vec::new(), signature: Signature::from_bytes([0; 64]) },
            }));
        }
        self.0.subject.third_party().revoke(b, d)
    }

    fn revoked(
        &self,
        b: &Binding,
        d: &Description,
        answer: &Answer,
    ) -> Result<Result<Record, TooLate>, ItemFault> {
        self.0.subject.third_party().revoked(b, d, answer)
    }
}

impl<S: Subject> Subject for Bent<S> {
    fn party(&self) -> &dyn ExchangeEnabled {
        self
    }

    fn third_party(&self) -> Box<dyn TtpItem + '_> {
        Box::new(BentThirdParty(self))
    }

    fn certificates(&self) -> &dyn Certificates {
        &self.certificates
    }

    fn capabilities(&self) -> Capabilities {
        self.subject.capabilities()
    }

    fn deal(&self) -> DealContext {
        self.subject.deal()
    }

    fn case(&mut self, n: u32) -> Case {
        self.subject.case(n)
    }

    fn carry_out(&mut self, case: &Case, transfer: Transfer) -> Option<Got> {
        self.subject.carry_out(case, transfer)
    }

    fn ask(&mut self, order: &Order) -> Option<Answer> {
        self.subject.ask(order)
    }

    fn measure(&self, case: &Case, key: &ContentKey) -> Option<Measured> {
        self.subject.measure(case, key)
    }
}
