//! One step of a case: the orders of its machine performed or stored as errands, all in one transaction.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use semper_exchange::{
    generatable_verifiable::{
        ThirdParty,
        third_party::{Event, Input, Output, Stage},
    },
    message::{Outcome, answer::RejectCode},
    run::Keys,
};
use semper_host::record::entry;
use semper_supporting::{
    archive::{
        Batch, Guard, RowOp, Store, StoreError, Value,
        journal::{self, Class as Entries, Head, Kind as Detail},
        record::EvidenceRecord,
    },
    crypto::{digest::Digest, signature::Kid},
    deal::Xid,
    evidence::{SignedBytes, statement},
    machine::{Machine as _, Refused},
    party::Role,
    time::Moment,
};
use semper_transfer::property::{Begun, Binding, Observation, TtpItem};

use super::{
    Arbiter, ArbiterError, kept,
    making::described,
    signing::is_rejection,
    tables::{self, Asked, Due, Errand, Stored},
};

/// How often a step is taken again when the rows changed under it.
const TRIES: u32 = 5;

/// Where an event comes from, and what its transaction settles besides.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// The request, as it is listed.
    pub(super) asked: Option<Asked>,
    /// The signed statements that came with it.
    pub(super) evidence: Vec<EvidenceRecord>,
    /// The escrows and contents that came with it.
    pub(super) blobs: Vec<Vec<u8>>,
    /// The keys of its certificates.
    pub(super) keys: Keys,
    /// The errand it answers.
    pub(super) errand: Option<Due>,
    /// A REJECT that the same request was answered before.
    pub(super) rejected: Option<(RejectCode, SignedBytes)>,
}

/// A statement that was said, and what travels beside it.
#[derive(Clone, Debug)]
pub(super) struct Spoken {
    pub(super) to: Role,
    pub(super) signed: SignedBytes,
    pub(super) beside: Vec<Digest>,
}

/// What a step came to.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) said: Vec<Spoken>,
    pub(super) refused: Option<Refused>,
}

/// A step on its way.
pub(super) struct Work {
    pub(super) third_party: ThirdParty,
    pub(super) keys: Keys,
    pub(super) said: Vec<Spoken>,
    pub(super) rows: Vec<RowOp>,
    pub(super) records: Vec<SignedBytes>,
    pub(super) blobs: BTreeMap<Digest, Vec<u8>>,
    pub(super) lines: Vec<String>,
    pub(super) refused: Option<Refused>,
}

impl<S: Store> Arbiter<S> {
    /// Takes one step of the case `xid`, and commits it. A refused event changes nothing, but an errand that
    /// led to it is done.
    pub(super) async fn take(
        &self,
        xid: Xid,
        event: &Event,
        source: &Source,
        now: Moment,
    ) -> Result<Taken, ArbiterError> {
        let _turn = self.turn.lock().await;
        for _ in 0..TRIES {
            let head = self.head().await?;
            let known = self.stored(xid).await?;
            let stored = known.unwrap_or_else(|| Stored {
                ver: 0,
                third_party: ThirdParty::new(self.me, self.answer_within, xid),
                keys: Keys::new(),
                opened: now,
                changed: now,
            });
            let mut work = Work {
                third_party: stored.third_party.clone(),
                keys: joined(&stored.keys, &source.keys, &stored.third_party, event),
                said: Vec::new(),
                rows: Vec::new(),
                records: Vec::new(),
                blobs: source.blobs.iter().map(|blob| (Digest::of(blob), blob.clone())).collect(),
                lines: Vec::new(),
                refused: None,
            };
            self.run(&mut work, event.clone(), source, head, now).await?;
            let Some(batch) = self.batch(&stored, &mut work, source, head, now)? else {
                return Ok(Taken { said: work.said, refused: work.refused });
            };
            match semper_host::record::commit(&*self.store, batch).await {
                Ok(()) => {
                    tell(&stored.third_party, &work.third_party);
                    self.changed.send_modify(|n| *n = n.wrapping_add(1));
                    return Ok(Taken { said: work.said, refused: work.refused });
                }
                Err(StoreError::Guard(_) | StoreError::Duplicate(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(ArbiterError::Busy)
    }

    /// Steps until no order is left that is performed here and now.
    async fn run(
        &self,
        work: &mut Work,
        first: Event,
        source: &Source,
        head: Head,
        now: Moment,
    ) -> Result<(), ArbiterError> {
        let mut events = VecDeque::from([first]);
        let mut is_first = true;
        while let Some(event) = events.pop_front() {
            if let Event::Observed { observation, .. } = &event
                && let Observation::Happened(record) | Observation::Frozen(record) = observation
            {
                work.records.push(record.evidence.clone());
            }
            if let Event::Revoked { result: Ok(record), .. } = &event {
                work.records.push(record.evidence.clone());
            }
            let input =
                Input { at: now, journal_index: head.seq.saturating_add(1), journal_prev: head.hash, event };
            let step = work.third_party.clone().step(input);
            work.third_party = step.state;
            if let Some(why) = step.refused {
                if is_first {
                    work.refused = Some(why);
                    return Ok(());
                }
                return Err(ArbiterError::Undelivered);
            }
            is_first = false;
            for output in step.outputs {
                events.extend(self.perform(work, output, source, now).await?);
            }
        }
        Ok(())
    }

    /// Performs one order, or stores it as an errand. What is known at once comes back as the next event.
    async fn perform(
        &self,
        work: &mut Work,
        output: Output,
        source: &Source,
        now: Moment,
    ) -> Result<Option<Event>, ArbiterError> {
        let xid = work.third_party.xid;
        match output {
            Output::Keep(digest) => {
                work.lines.push(format!("keep {digest}"));
                Ok(None)
            }
            Output::Send { to, draft, beside } => {
                let spoken = self.say(work, to, &draft, beside, source, now)?;
                work.said.push(spoken);
                Ok(None)
            }
            Output::Observe(binding, look) => {
                let description = described(&work.third_party, &binding)?;
                let errand = Errand::Observe(binding.clone(), look);
                match self.payments().observe(&binding, description, look) {
                    Begun::Done(observation) => Ok(Some(observed(&binding, look, observation))),
                    Begun::Ask(order) => {
                        work.rows.push(errand.put(xid, Some(order.to), now)?);
                        Ok(None)
                    }
                }
            }
            Output::Revoke(binding) => {
                let description = described(&work.third_party, &binding)?;
                let errand = Errand::Revoke(binding.clone());
                match self.payments().revoke(&binding, description) {
                    Begun::Done(result) => Ok(Some(revoked(&binding, result))),
                    Begun::Ask(order) => {
                        work.rows.push(errand.put(xid, Some(order.to), now)?);
                        Ok(None)
                    }
                }
            }
            Output::Generate(binding, permit) => self.generate(work, &binding, permit).await.map(Some),
            Output::Retry(agr, span) => {
                work.rows.push(Errand::Again(agr).put(xid, None, now.after(span))?);
                Ok(None)
            }
        }
    }

    /// The transaction of a step; nothing if it changed nothing.
    fn batch(
        &self,
        stored: &Stored,
        work: &mut Work,
        source: &Source,
        head: Head,
        now: Moment,
    ) -> Result<Option<Batch>, ArbiterError> {
        let mut batch = Batch::new();
        if let Some(errand) = &source.errand {
            batch = batch.row(errand.done());
        }
        let xid = work.third_party.xid;
        if work.refused.is_some() {
            return Ok(source.errand.is_some().then_some(batch));
        }
        let changed = work.third_party != stored.third_party;
        // A request that was taken before changes nothing; a REJECT is stored even so.
        let before = source.rejected.as_ref().map(|(_, signed)| signed);
        let rejects =
            work.said.iter().any(|spoken| is_rejection(&spoken.signed) && Some(&spoken.signed) != before);
        if !changed && !rejects && source.errand.is_none() {
            return Ok(None);
        }
        // Somebody whose request is rejected leaves no case behind.
        if changed && !work.third_party.rows.is_empty() {
            let (guard, row) = stored.next(&work.third_party, &work.keys, now)?;
            batch = batch.guard(guard).row(row);
        }
        if let Some(asked) = &source.asked {
            batch = batch.row(asked.ensure());
        }
        let named: BTreeSet<&Digest> = work.third_party.rows.iter().flat_map(|row| &row.blobs).collect();
        for (_, blob) in work.blobs.iter().filter(|(digest, _)| named.contains(digest)) {
            batch = batch.row(tables::blob(xid, blob));
        }
        for record in &source.evidence {
            batch = batch.row(record.keep());
        }
        for signed in &work.records {
            batch = batch.row(self.record_of(signed, now).keep());
        }
        batch.rows.append(&mut work.rows);
        work.lines.insert(0, format!("exchange {xid}"));
        if let Some(asked) = &source.asked {
            work.lines.insert(1, format!("asked {} {}", asked.kind, asked.hash));
        }
        let line = entry(Detail::of(Entries::Decision, "arbiter"), work.lines.join("\n"), now)?;
        // The place of the entry stands in what was signed.
        let free = Guard::absent(tables::CHANGED, journal::TABLE.name, [Value::count(head.seq + 1)]);
        Ok(Some(batch.guard(free).entry(line)))
    }

    /// A bank's record on its way into the evidence.
    fn record_of(&self, signed: &SignedBytes, now: Moment) -> EvidenceRecord {
        let kind = statement::type_of(&signed.tbs).unwrap_or_default();
        let bank = self.banks.iter().find(|(_, bank)| {
            use semper_transfer::payment::message::TxStatement;
            signed.clone().verify::<TxStatement>(&bank.key).is_ok()
        });
        EvidenceRecord {
            kind,
            deal: None,
            signer: bank.map_or(Kid::from_bytes([0; 32]), |(_, bank)| bank.key.kid()),
            certificate: bank.map(|(certificate, _)| *certificate),
            at: now,
            signed: signed.clone(),
            keep_until: kept(now),
        }
    }
}

/// The keys of a case, with those a request brings.
fn joined(known: &Keys, brought: &Keys, third_party: &ThirdParty, event: &Event) -> Keys {
    let mut keys = known.clone();
    let mut named: BTreeSet<Digest> = third_party
        .rows
        .iter()
        .flat_map(|row| [row.run.originator.certificate, row.run.responder.certificate])
        .collect();
    if let Event::Requested(case) = event {
        named.extend([case.offer.common.cert_o, case.offer.common.cert_r]);
    }
    for certificate in named {
        if let Some(key) = brought.of(&certificate) {
            keys = keys.with(certificate, *key);
        }
    }
    keys
}

pub(super) fn observed(
    binding: &Binding,
    look: semper_transfer::property::Look,
    observation: Observation,
) -> Event {
    let agr = binding.agreement.unwrap_or(Digest::from_bytes([0; 32]));
    Event::Observed { agr, leaf: binding.leaf.clone(), look, observation }
}

pub(super) fn revoked(
    binding: &Binding,
    result: Result<semper_transfer::property::Record, semper_transfer::property::TooLate>,
) -> Event {
    let agr = binding.agreement.unwrap_or(Digest::from_bytes([0; 32]));
    Event::Revoked { agr, leaf: binding.leaf.clone(), result }
}

/// One line of the log for each agreement whose state has changed.
fn tell(before: &ThirdParty, after: &ThirdParty) {
    for row in &after.rows {
        let was = before.rows.iter().find(|known| known.agr == row.agr).map(|known| word(&known.stage));
        let is = word(&row.stage);
        if was != Some(is) {
            tracing::info!(exchange = %after.xid, agreement = %row.agr, state = is, "case");
        }
    }
}

/// The word for how far an agreement is.
pub(super) const fn word(stage: &Stage) -> &'static str {
    match stage {
        Stage::Open => "open",
        Stage::Observing { .. } => "observing",
        Stage::Generating { .. } => "generating",
        Stage::Revoking { .. } => "revoking",
        Stage::Decided(verdict) => match verdict.outcome {
            Outcome::Completed => "completed",
            Outcome::Aborted => "aborted",
            Outcome::AbortedRevoked => "aborted-revoked",
            Outcome::AbortedClaim => "aborted-claim",
        },
    }
}
