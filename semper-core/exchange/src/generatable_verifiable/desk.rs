//! What a party keeps about its run, and the part both parties play alike: asking the third party and
//! hearing its answer.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::digest::Digest,
    evidence::{Signable, Verified},
    machine::Refused,
    party::Role,
    time::Moment,
};
use semper_transfer::{
    fault::Mismatch,
    package::LeafPath,
    property::{Accepted, Binding, Record, RecordStatus, Side},
};
use serde::{Deserialize, Serialize};

use super::{Output, plan::Plan};
use crate::{
    deadlines::{Deadlines, Timer, retry},
    message::{
        Abort, Affidavit, Common, Decision, Draft, NotYet, Outcome, Pending, Reason, Receipt, Reject,
        RejectCode, Replacement, Resolve, Spoken,
    },
    run::{Log, Run},
    tell::Code,
};

/// What the managers found for each leaf that came: what they accepted, or why not.
pub type Verdicts = BTreeMap<LeafPath, Result<Accepted, Mismatch>>;

/// What a party keeps about its run.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Desk {
    /// The run.
    pub run: Run,
    /// Which side this party is.
    pub me: Side,
    /// Both packages.
    pub plan: Plan,
    /// The agreement: SHA-256 of OFFER.
    pub agr: Digest,
    /// When to give up.
    pub deadlines: Deadlines,
    /// SHA-256 of the contents this party gives, leaf by leaf.
    pub contents: BTreeMap<LeafPath, Digest>,
    /// SHA-256 of ACCEPT, once there is one.
    pub accept: Option<Digest>,
    /// What the authorities have recorded about the responder's transfers.
    pub records: BTreeMap<LeafPath, Mark>,
    /// What this party has received and accepted of the other side's package.
    pub items: BTreeMap<LeafPath, Accepted>,
    /// The third party's decision, once it has come.
    pub ruling: Option<Ruling>,
    /// What was said and heard.
    pub log: Log,
}

/// An authority's latest word about one transfer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Mark {
    /// What it says.
    pub status: RecordStatus,
    /// SHA-256 of its signed words.
    pub evidence: Digest,
}

/// An authority's record, as the manager of its kind found it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recorded {
    /// The record; its signature and binding were checked.
    pub record: Record,
    /// Whether it is the transfer that was agreed: sum, payee and reference.
    pub verdict: Result<Accepted, Mismatch>,
}

/// A decision, as far as a party acts on it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Ruling {
    /// SHA-256 of DECISION.
    pub digest: Digest,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the third party had ACCEPT when it decided.
    pub accepted: bool,
    /// Whether the other side is shown to have broken the protocol.
    pub cheated: bool,
}

/// A request that is out at the third party.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Recourse {
    /// ABORT or RESOLVE, as it was signed.
    pub request: Draft,
    /// What travels beside it.
    pub beside: Vec<Digest>,
    /// How often it was repeated.
    pub tries: u8,
    /// Whether the answer was NOT-YET, so that it may be followed by ABORT.
    pub not_yet: bool,
}

/// What the third party answers a party.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// RECEIPT.
    Receipt(Verified<Receipt>),
    /// DECISION.
    Decision(Verified<Decision>),
    /// REPLACEMENT, and what the manager found of its content.
    Replacement(Verified<Replacement>, Result<Accepted, Mismatch>),
    /// AFFIDAVIT, and what the manager found of its content.
    Affidavit(Verified<Affidavit>, Result<Accepted, Mismatch>),
    /// NOT-YET.
    NotYet(Verified<NotYet>),
    /// PENDING.
    Pending(Verified<Pending>),
    /// REJECT.
    Reject(Verified<Reject>),
}

/// What an answer means for whoever waits for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Heeded {
    /// Wait on, after these orders.
    Wait(Vec<Output>),
    /// Something that may settle the run has come.
    Settle(Vec<Output>),
    /// The responder's transfer has not happened so far.
    NotYet,
    /// What only we can supply is missing.
    Supply,
}

impl Desk {
    /// Our role in messages.
    pub(super) fn role(&self) -> Role {
        self.me.role()
    }

    /// The other party's role in messages.
    pub(super) fn peer(&self) -> Role {
        self.me.other().role()
    }

    /// The common lines of a message of ours.
    pub(super) fn common(&self, to: Role, prev: Option<Digest>, at: Moment) -> Result<Common, Refused> {
        self.run.common(self.role(), to, Some(self.agr), prev, at).ok_or(Refused::OutOfPlace)
    }

    /// Checks K3 and K4 of a message about this agreement.
    fn check<T: Spoken>(&self, message: &Verified<T>, from: Role) -> Result<(), Refused> {
        let common = message.value().common();
        let fits =
            self.run.is_of(common, from, self.role(), Some(self.agr)) && message.signer() == common.signer;
        if fits { Ok(()) } else { Err(Refused::Mismatch) }
    }

    /// Checks K3 to K5 of a message about this agreement, and notes it.
    pub(super) fn hear<T: Spoken>(&mut self, message: &Verified<T>, from: Role) -> Result<(), Refused> {
        self.check(message, from)?;
        self.log.hear(message.value(), message.digest())
    }

    /// Writes a message of ours and notes it.
    pub(super) fn say<T: Signable>(&mut self, message: &T) -> Result<Draft, Refused> {
        let draft = Draft::of(message).map_err(|_| Refused::Mismatch)?;
        self.log.say(&draft);
        Ok(draft)
    }

    /// The binding of one leaf.
    pub(super) fn binding(&self, giver: Side, leaf: &LeafPath) -> Result<Binding, Refused> {
        self.plan.binding(&self.run, self.agr, giver, leaf).ok_or(Refused::OutOfPlace)
    }

    /// Notes what an authority says about one of the responder's transfers.
    ///
    /// A record that something happened counts only if it is the transfer that was agreed. Undone is final:
    /// a late word that it happened does not change it.
    pub(super) fn note(&mut self, recorded: &Recorded) -> Result<(), Refused> {
        let Recorded { record, verdict } = recorded;
        let leaf = self.plan.leaves.r.get(&record.leaf).ok_or(Refused::Mismatch)?;
        if record.xid != self.run.xid || leaf.authority != Some(record.authority) {
            return Err(Refused::Mismatch);
        }
        let effective = matches!(record.status, RecordStatus::Happened | RecordStatus::Captured);
        if effective && !verdict.as_ref().is_ok_and(|accepted| accepted.description == leaf.description) {
            return Err(Refused::Mismatch);
        }
        let mark = Mark { status: record.status, evidence: record.evidence.digest() };
        match self.records.get(&record.leaf) {
            Some(known) if *known == mark => Err(Refused::Repeated),
            Some(known) if known.is_final() => Err(Refused::OutOfPlace),
            Some(_) | None => {
                self.records.insert(record.leaf.clone(), mark);
                Ok(())
            }
        }
    }

    /// Whether every recorded leaf of the responder has happened, by its authority's word.
    pub(super) fn all_happened(&self) -> bool {
        self.plan.recorded().all(|(leaf, _)| self.records.get(leaf).is_some_and(Mark::happened))
    }

    /// Whether every recorded leaf of the responder is out of reach for good, by its authority's word.
    pub(super) fn all_undone(&self) -> bool {
        self.plan.recorded().all(|(leaf, _)| self.records.get(leaf).is_some_and(Mark::is_final))
    }

    /// Orders to ask the authorities again about the responder's leaves.
    pub(super) fn look_again(&self) -> Result<Vec<Output>, Refused> {
        self.plan
            .recorded()
            .map(|(leaf, _)| Ok(Output::Observe(self.binding(Side::Responder, leaf)?)))
            .collect()
    }

    /// What the managers accepted of a side's leaves, if that is all of them and each as described.
    pub(super) fn complete<'a>(
        &self,
        leaves: impl Iterator<Item = (&'a LeafPath, &'a super::plan::Leaf)>,
        verdicts: &Verdicts,
    ) -> Result<BTreeMap<LeafPath, Accepted>, Mismatch> {
        leaves
            .map(|(path, leaf)| {
                let accepted = (*verdicts.get(path).unwrap_or(&Err(Mismatch::Content)))?;
                if accepted.description == leaf.description {
                    Ok((path.clone(), accepted))
                } else {
                    Err(Mismatch::Binding)
                }
            })
            .collect()
    }

    /// Writes ABORT.
    pub(super) fn abort(&mut self, reason: Reason, at: Moment) -> Result<(Recourse, Vec<Output>), Refused> {
        let abort = Abort {
            common: self.common(Role::ThirdParty, Some(self.agr), at)?,
            offer: self.agr,
            accept: self.accept,
            reason,
            seen: self.log.seen(),
        };
        let draft = self.say(&abort)?;
        Ok(Recourse::out(draft, self.agreed()))
    }

    /// Writes RESOLVE. What the third party needs to make the originator's items travels beside it.
    pub(super) fn resolve(
        &mut self,
        reason: Reason,
        evidence: Vec<Digest>,
        at: Moment,
    ) -> Result<(Recourse, Vec<Output>), Refused> {
        let records = self.records.values().map(|mark| mark.evidence);
        let resolve = Resolve {
            common: self.common(Role::ThirdParty, Some(self.agr), at)?,
            offer: self.agr,
            accept: self.accept,
            reason,
            seen: self.log.seen(),
            own: BTreeMap::new(),
            evidence: records.chain(evidence).collect(),
        };
        let draft = self.say(&resolve)?;
        let blobs = self.plan.leaves.o.values().filter_map(|leaf| leaf.basis);
        Ok(Recourse::out(draft, self.agreed().into_iter().chain(blobs).collect()))
    }

    fn agreed(&self) -> Vec<Digest> {
        [Some(self.agr), self.accept].into_iter().flatten().collect()
    }

    /// Hears the third party's answer to `recourse`.
    pub(super) fn heed(
        &mut self,
        recourse: &Recourse,
        answer: Answer,
        at: Moment,
    ) -> Result<Heeded, Refused> {
        let request = recourse.request.digest();
        let ours = |named: Digest| if named == request { Ok(()) } else { Err(Refused::Mismatch) };
        match answer {
            Answer::Receipt(receipt) => {
                ours(receipt.request)?;
                self.check(&receipt, Role::ThirdParty)?;
                let wait = receipt.answer_by.since(at);
                Ok(Heeded::Wait(vec![Output::Set { timer: Timer::Answer, span: wait }, keep(&receipt)]))
            }
            Answer::Decision(decision) => self.rule(&decision),
            Answer::Replacement(message, verdict) => self.replace(&message, verdict),
            Answer::Affidavit(message, verdict) => self.replace(&message, verdict),
            Answer::NotYet(not_yet) => {
                ours(not_yet.request)?;
                self.check(&not_yet, Role::ThirdParty)?;
                Ok(Heeded::NotYet)
            }
            Answer::Pending(pending) => {
                ours(pending.request)?;
                self.check(&pending, Role::ThirdParty)?;
                Ok(Heeded::Wait(Vec::new()))
            }
            Answer::Reject(reject) => {
                ours(reject.request)?;
                self.check(&reject, Role::ThirdParty)?;
                Ok(match reject.code {
                    RejectCode::EOwn => Heeded::Supply,
                    RejectCode::ESig
                    | RejectCode::EXid
                    | RejectCode::ERole
                    | RejectCode::EState
                    | RejectCode::EPolicy => Heeded::Wait(vec![keep(&reject), Output::Tell(Code::U15)]),
                })
            }
        }
    }

    /// Hears a DECISION. A second one that differs proves that the third party contradicts itself.
    pub(super) fn rule(&mut self, decision: &Verified<Decision>) -> Result<Heeded, Refused> {
        if decision.offer != self.agr {
            return Err(Refused::Mismatch);
        }
        self.hear(decision, Role::ThirdParty)?;
        if self.ruling.is_some() {
            return Ok(Heeded::Wait(vec![keep(decision), Output::Tell(Code::U15)]));
        }
        let peer = self.peer();
        self.ruling = Some(Ruling {
            digest: decision.digest(),
            outcome: decision.outcome,
            accepted: decision.accept.is_some(),
            cheated: decision.cheat.iter().any(|cheat| cheat.role == peer),
        });
        let mut outputs = vec![keep(decision)];
        outputs.extend(self.look_again()?);
        Ok(Heeded::Settle(outputs))
    }

    /// Hears what the third party made in place of one of the other side's leaves.
    pub(super) fn replace<T: Substitute>(
        &mut self,
        message: &Verified<T>,
        verdict: Result<Accepted, Mismatch>,
    ) -> Result<Heeded, Refused> {
        let (leaf, decision) = (message.leaf().clone(), message.decision());
        let completed = |ruling: &Ruling| ruling.digest == decision && ruling.outcome == Outcome::Completed;
        if !self.ruling.as_ref().is_some_and(completed) {
            return Err(Refused::OutOfPlace);
        }
        let wanted = self.plan.side(self.me.other()).get(&leaf).ok_or(Refused::Mismatch)?;
        let accepted = verdict.map_err(|_| Refused::Mismatch)?;
        if accepted.description != wanted.description {
            return Err(Refused::Mismatch);
        }
        self.hear(message, Role::ThirdParty)?;
        self.items.insert(leaf, accepted);
        Ok(Heeded::Settle(vec![keep(message)]))
    }
}

impl Mark {
    /// Whether the transfer took effect.
    pub fn happened(&self) -> bool {
        matches!(self.status, RecordStatus::Happened | RecordStatus::Captured)
    }

    /// Whether the transfer has no effect and never will.
    pub fn is_final(&self) -> bool {
        matches!(self.status, RecordStatus::Frozen | RecordStatus::Revoked | RecordStatus::Voided)
    }
}

impl Recourse {
    fn out(request: Draft, beside: Vec<Digest>) -> (Self, Vec<Output>) {
        let recourse = Self { request, beside, tries: 0, not_yet: false };
        let outputs = vec![recourse.send(), Output::Set { timer: Timer::Answer, span: retry(0) }];
        (recourse, outputs)
    }

    fn send(&self) -> Output {
        Output::Send { to: Role::ThirdParty, draft: self.request.clone(), beside: self.beside.clone() }
    }

    /// The third party has not answered in time: ask again with the same bytes, more patiently.
    pub(super) fn again(&mut self) -> Vec<Output> {
        self.tries = self.tries.saturating_add(1).min(16);
        vec![
            self.send(),
            Output::Set { timer: Timer::Answer, span: retry(self.tries) },
            Output::Tell(Code::U13),
        ]
    }
}

/// What the third party makes in place of an item.
pub(super) trait Substitute: Spoken {
    fn leaf(&self) -> &LeafPath;
    fn decision(&self) -> Digest;
}

impl Substitute for Replacement {
    fn leaf(&self) -> &LeafPath {
        &self.leaf
    }

    fn decision(&self) -> Digest {
        self.decision
    }
}

impl Substitute for Affidavit {
    fn leaf(&self) -> &LeafPath {
        &self.leaf
    }

    fn decision(&self) -> Digest {
        self.decision
    }
}

/// The order to keep a message as evidence.
pub(super) fn keep<T>(message: &Verified<T>) -> Output {
    Output::Keep(message.digest())
}

/// Leaves out questions to authorities, for a run that has ended.
pub(super) fn asked_enough(outputs: Vec<Output>) -> Vec<Output> {
    outputs.into_iter().filter(|output| !matches!(output, Output::Observe(_))).collect()
}
