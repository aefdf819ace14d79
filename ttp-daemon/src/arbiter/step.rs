//! One step of a case: the machine's orders performed or stored, statements signed, all in one transaction.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use semper_exchange::{
    generatable_verifiable::{
        ThirdParty,
        third_party::{Event, Input, Output, Stage},
    },
    message::{
        Affidavit, Decision, Draft, NotYet, Outcome, Pending, Receipt, Reject, Replacement,
        answer::RejectCode,
    },
    run::Keys,
};
use semper_host::record::entry;
use semper_supporting::{
    archive::{
        Batch, Direction, Guard, Query, Row, RowOp, Store, StoreError, Value,
        journal::{self, Class as Entries, Head, Kind as Detail},
        record::{EVIDENCE, EvidenceRecord},
    },
    crypto::{
        digest::Digest,
        seal::content::open_whole,
        signature::{Kid, PublicKey},
    },
    deal::Xid,
    evidence::{Signable, SignedBytes, Statement as _, statement},
    machine::{Machine as _, Refused},
    party::Role,
    time::Moment,
};
use semper_transfer::{
    data::DataThirdParty,
    description::Description,
    property::{
        Attached, BadPermit, Begun, Binding, Generated, GenerationPermit, Observation, Permitted, Side,
        TtpItem,
    },
    statement::StatementThirdParty,
};

use super::{
    Arbiter, ArbiterError, kept,
    tables::{self, Asked, BLOB, Due, Errand, MADE, Stored, bound_to, case_of},
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
struct Work {
    third_party: ThirdParty,
    keys: Keys,
    said: Vec<Spoken>,
    rows: Vec<RowOp>,
    records: Vec<SignedBytes>,
    blobs: BTreeMap<Digest, Vec<u8>>,
    lines: Vec<String>,
    refused: Option<Refused>,
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

    /// Signs a draft. The same draft has the same signature however often it is signed.
    fn say(
        &self,
        work: &mut Work,
        to: Role,
        draft: &Draft,
        beside: Vec<Digest>,
        source: &Source,
        now: Moment,
    ) -> Result<Spoken, ArbiterError> {
        let bound = bound_to(draft);
        if let (Some((_, Some(code))), Some((before, signed))) = (bound, &source.rejected)
            && code == *before
        {
            return Ok(Spoken { to, signed: signed.clone(), beside });
        }
        let (signed, record) = self.sign(draft, now)?;
        work.lines.push(format!("say {} {}", record.kind, signed.digest()));
        work.rows.push(record.keep());
        if let Some((request, _)) = bound {
            work.rows.push(Asked::answered(request, signed.digest()));
        }
        Ok(Spoken { to, signed, beside })
    }

    pub(super) fn sign(
        &self,
        draft: &Draft,
        now: Moment,
    ) -> Result<(SignedBytes, EvidenceRecord), ArbiterError> {
        match statement::type_of(draft.tbs()).unwrap_or_default().as_str() {
            Receipt::TYPE => self.sign_as::<Receipt>(draft, now),
            Decision::TYPE => self.sign_as::<Decision>(draft, now),
            Replacement::TYPE => self.sign_as::<Replacement>(draft, now),
            Affidavit::TYPE => self.sign_as::<Affidavit>(draft, now),
            NotYet::TYPE => self.sign_as::<NotYet>(draft, now),
            Pending::TYPE => self.sign_as::<Pending>(draft, now),
            Reject::TYPE => self.sign_as::<Reject>(draft, now),
            other => Err(ArbiterError::Draft(other.to_owned())),
        }
    }

    fn sign_as<T: Signable>(
        &self,
        draft: &Draft,
        now: Moment,
    ) -> Result<(SignedBytes, EvidenceRecord), ArbiterError> {
        let value: T = draft.read().map_err(|error| ArbiterError::Draft(error.to_string()))?;
        let signed = self.keys.attest(&self.key, &self.policy, &value, now)?;
        let record = EvidenceRecord::of(&signed, None, Some(self.me.certificate), now, kept(now));
        Ok((signed.bytes().clone(), record))
    }

    /// Makes a replacement, and compares what a key from escrow opens with the description where the sealed
    /// content is here.
    async fn generate(
        &self,
        work: &mut Work,
        binding: &Binding,
        permit: GenerationPermit,
    ) -> Result<Event, ArbiterError> {
        let xid = work.third_party.xid;
        let description = described(&work.third_party, binding)?.clone();
        let sealed = match &description {
            Description::Data(data) => data.sealed,
            Description::Statement(_) | Description::Payment(_) | Description::Credential(_) => None,
        };
        let mut attached = Vec::new();
        for digest in permit.basis.into_iter().chain(sealed) {
            let here = match work.blobs.get(&digest) {
                Some(blob) => Some(blob.clone()),
                None => self.blob(xid, digest).await?,
            };
            attached.extend(here);
        }
        let permitted = Permitted { permit, attached: Attached::of(attached) };
        let keys = certificates(&work.third_party, &work.keys, binding);
        let begun = match &description {
            Description::Statement(_) => StatementThirdParty { escrow: &self.escrow }.generate(
                binding,
                &description,
                &permitted,
                &keys,
            ),
            Description::Data(_) => {
                DataThirdParty { escrow: &self.escrow }.generate(binding, &description, &permitted, &keys)
            }
            Description::Payment(_) | Description::Credential(_) => Begun::Done(Err(BadPermit::Scope)),
        };
        let Begun::Done(result) = begun else { return Err(ArbiterError::Undelivered) };
        let result = result.and_then(|made| opens(&description, &permitted, made));
        if let Ok(made) = &result {
            work.rows.push(tables::made(xid, content(made), made)?);
        }
        let agr = binding.agreement.ok_or(ArbiterError::Undelivered)?;
        Ok(Event::Generated { agr, side: binding.giver, leaf: binding.leaf.clone(), result })
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

    /// Signs and keeps a REJECT of a request that never reached a case.
    pub(super) async fn keep_rejection(
        &self,
        draft: &Draft,
        asked: Asked,
        request: EvidenceRecord,
        now: Moment,
    ) -> Result<SignedBytes, ArbiterError> {
        let (signed, record) = self.sign(draft, now)?;
        let (kind, digest) = (&record.kind, signed.digest());
        let line =
            format!("exchange {}\nasked {} {}\nsay {kind} {digest}", asked.xid, asked.kind, asked.hash);
        let batch = Batch::new()
            .row(asked.ensure())
            .row(request.keep())
            .row(record.keep())
            .row(Asked::answered(asked.hash, digest))
            .entry(entry(Detail::of(Entries::Decision, "arbiter"), line, now)?);
        semper_host::record::commit(&*self.store, batch).await?;
        Ok(signed)
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

    pub(super) async fn head(&self) -> Result<Head, StoreError> {
        let last = Query::of(journal::TABLE.name).order("seq", Direction::Falling).limit(1);
        let row = self.store.query(vec![last]).await?.into_iter().flatten().next();
        row.map_or(Ok(Head { seq: 0, hash: Digest::from_bytes([0; 32]) }), |row| {
            Ok(Head { seq: row.count("seq")?, hash: Digest::from_bytes(row.array("line_hash")?) })
        })
    }

    pub(super) async fn stored(&self, xid: Xid) -> Result<Option<Stored>, StoreError> {
        self.one(case_of(xid)).await?.map(|row| Stored::from_row(&row)).transpose()
    }

    pub(super) async fn evidence(&self, digest: Digest) -> Result<Option<SignedBytes>, StoreError> {
        let row = self.one(Query::of(EVIDENCE.name).equal("hash", digest)).await?;
        row.map(|row| EvidenceRecord::from_row(&row).map(|record| record.signed)).transpose()
    }

    pub(super) async fn made(&self, xid: Xid, digest: Digest) -> Result<Option<Generated>, StoreError> {
        let row = self.one(Query::of(MADE.name).equal("xid", xid).equal("hash", digest)).await?;
        row.map(|row| tables::read_made(&row)).transpose()
    }

    async fn blob(&self, xid: Xid, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.one(Query::of(BLOB.name).equal("xid", xid).equal("hash", digest)).await?;
        row.map(|row| row.bytes("content").map(<[u8]>::to_vec)).transpose()
    }

    pub(super) async fn one(&self, query: Query) -> Result<Option<Row>, StoreError> {
        Ok(self.store.query(vec![query.limit(1)]).await?.into_iter().flatten().next())
    }
}

fn is_rejection(signed: &SignedBytes) -> bool {
    statement::type_of(&signed.tbs).is_ok_and(|kind| kind == Reject::TYPE)
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

/// The description of the leaf that a binding names.
pub(super) fn described<'a>(
    third_party: &'a ThirdParty,
    binding: &Binding,
) -> Result<&'a Description, ArbiterError> {
    let row = third_party.rows.iter().find(|row| Some(row.agr) == binding.agreement);
    let package = row.map(|row| match binding.giver {
        Side::Originator => &row.offer.give_o,
        Side::Responder => &row.offer.give_r,
    });
    package.and_then(|package| package.leaf(&binding.leaf)).ok_or(ArbiterError::Undelivered)
}

fn certificates(third_party: &ThirdParty, keys: &Keys, binding: &Binding) -> BTreeMap<Digest, PublicKey> {
    let rows = third_party.rows.iter().filter(|row| Some(row.agr) == binding.agreement);
    rows.flat_map(|row| [row.run.originator.certificate, row.run.responder.certificate])
        .filter_map(|certificate| keys.of(&certificate).map(|key| (certificate, *key)))
        .collect()
}

/// Opens the sealed content with a key from escrow, if it is here, and compares.
fn opens(description: &Description, permitted: &Permitted, made: Generated) -> Result<Generated, BadPermit> {
    let (Description::Data(data), Generated::Key(key)) = (description, &made) else { return Ok(made) };
    let Some(sealed) = data.sealed.and_then(|digest| permitted.attached.find(&digest)) else {
        return Ok(made);
    };
    let (_, measured) = open_whole(key, sealed).map_err(|_| BadPermit::Content)?;
    data.matches(measured.length, &measured.plain).map_err(|_| BadPermit::Content)?;
    Ok(made)
}

/// The hash by which a replacement names what was made.
fn content(made: &Generated) -> Digest {
    match made {
        Generated::Affidavit { text, .. } => *text,
        Generated::Key(key) => Digest::of(key.as_bytes()),
        Generated::Statement(signed) => signed.digest(),
        Generated::Capture(record) => record.evidence.digest(),
    }
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
