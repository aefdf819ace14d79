//! The third party of `gxv/1`, one machine for each run it is asked about.
//!
//! ```text
//! Open --ABORT: freeze / RESOLVE: peek--> Observing --all happened--> Generating --all made--> Decided
//!  ^                                        |    \                        |
//!  +---------- NOT-YET, E-OWN --------------+     \-- not all --+     bad seal
//!                                                               v         v
//!                                                              Revoking ----------> Decided
//! ```
//!
//! **Invariant.** One DECISION for each agreement, in the state before it is spoken, the same bytes for
//! everybody. *Aborted* is said only when the authorities have made sure that what has not happened never
//! will, and have undone what had; *completed* only with everything made that is due.
//!
//! A run has one agreement unless its originator signed two OFFERs for it. Then each row keeps the other OFFER
//! as proof; the responder's ACCEPT decides which agreement it holds, so an OFFER nobody accepted can be
//! decided first without touching the one that was.

use std::collections::{BTreeMap, BTreeSet};

use semper_supporting::{
    crypto::digest::Digest,
    deal::Xid,
    evidence::{Verified, statement::from_bytes},
    machine::{Machine, Refused, Step},
    party::Role,
    time::{Moment, Span},
};
use semper_transfer::{
    description::{Description, Semantics},
    escrow::EscrowCert,
    package::LeafPath,
    property::{
        BadPermit, Binding, Class, GenGrade, Generated, GenerationPermit, Look, Observation, Record, Side,
        TooLate,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    plan::Plan,
    rule::{Next, Seen, Wish, look, outcome, weigh},
};
use crate::{
    message::{
        Abort, Accept, Affidavit, Basis, BasisKind, Cheat, Common, Decision, Draft, NotYet, Outcome, Pending,
        Proposal, Receipt, Reject, RejectCode, Replacement, Resolve, Spoken, Status, answer,
    },
    run::{Keys, Run, Speaker},
};

/// How many different requests one party may make about one agreement. An honest one makes a handful.
pub const MOST_REQUESTS: usize = 32;

/// The third party about one run.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct ThirdParty {
    /// Its certificate and key.
    pub me: Speaker,
    /// How long it takes at most to answer a request, as its capabilities say.
    pub answer_within: Span,
    /// The run.
    pub xid: Xid,
    /// One row for each agreement: at most one that was decided upon without ACCEPT, and one with it.
    pub rows: Vec<Row>,
}

/// What is known about one agreement.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Row {
    /// SHA-256 of OFFER.
    pub agr: Digest,
    /// Who takes part.
    pub run: Run,
    /// Both packages.
    pub plan: Plan,
    /// What OFFER says of each leaf.
    pub offer: Box<Proposal>,
    /// ACCEPT, once somebody has brought it.
    pub accept: Option<Accepted>,
    /// The escrows that were brought and fit their hashes.
    pub blobs: BTreeSet<Digest>,
    /// For each certificate about an escrow that was brought, the escrow it is about.
    pub certified: BTreeMap<Digest, Digest>,
    /// What was answered to each request.
    pub answered: BTreeMap<Digest, Answered>,
    /// Requests that wait for a decision.
    pub waiting: Vec<Asked>,
    /// Who is shown to have broken the protocol.
    pub cheats: BTreeSet<Cheat>,
    /// How far it is.
    pub stage: Stage,
}

/// ACCEPT, as far as the third party acts on it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Accepted {
    /// SHA-256 of ACCEPT.
    pub digest: Digest,
    /// The responder's permits.
    pub permits: BTreeMap<LeafPath, GenerationPermit>,
}

/// What was answered to one request, to be said again in the same bytes when it is repeated.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Answered {
    /// Who asked.
    pub role: Role,
    /// RECEIPT.
    pub receipt: Draft,
    /// NOT-YET, PENDING or REJECT, if that was the answer.
    pub answer: Option<Draft>,
}

/// A request that is to be answered.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Asked {
    /// SHA-256 of the request.
    pub request: Digest,
    /// Who asks.
    pub role: Role,
    /// For what.
    pub wish: Wish,
}

/// How far an agreement is.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Stage {
    /// Nothing is decided, and nothing is going on.
    Open,
    /// The authorities are being asked.
    Observing {
        /// For whom.
        asked: Asked,
        /// How.
        look: Look,
        /// What they have said so far, with the hash of the record.
        seen: BTreeMap<LeafPath, (Seen, Option<Digest>)>,
    },
    /// The originator's items are being made.
    Generating {
        /// For whom.
        asked: Asked,
        /// The records that the transfers have happened.
        records: Vec<Digest>,
        /// What was made so far.
        made: BTreeMap<(Side, LeafPath), Made>,
    },
    /// What happened is being undone.
    Revoking {
        /// For whom.
        asked: Asked,
        /// The records so far.
        records: Vec<Digest>,
        /// The transfers whose undoing is not confirmed.
        open: BTreeSet<LeafPath>,
        /// Whether anything was undone.
        undone: bool,
        /// Whether something that happened stays.
        stuck: bool,
        /// What proves that a seal was bad.
        bad_seal: Option<Digest>,
    },
    /// The decision, which never changes.
    Decided(Verdict),
}

/// A decision and what was made under it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Verdict {
    /// DECISION, as it is signed.
    pub decision: Draft,
    /// How it ended.
    pub outcome: Outcome,
    /// The records it rests on.
    pub records: Vec<Digest>,
    /// What was made.
    pub made: BTreeMap<(Side, LeafPath), Made>,
}

/// What was made in place of one item.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Made {
    /// By which mechanism.
    pub grade: GenGrade,
    /// SHA-256 of what was made.
    pub content: Digest,
    /// For a statement that is attested: its text, signer and purpose.
    pub attested: Option<(Digest, Digest, Semantics)>,
}

/// Something that happens to the third party: when, and where in its journal it will stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The third party's clock.
    pub at: Moment,
    /// The index of the journal entry of this step.
    pub journal_index: u64,
    /// The head of the journal before it.
    pub journal_prev: Digest,
    /// What happens.
    pub event: Event,
}

/// Everything that can happen to a third party.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A party asks.
    Requested(Box<Case>),
    /// An authority answers.
    Observed {
        /// The agreement.
        agr: Digest,
        /// The responder's leaf.
        leaf: LeafPath,
        /// How it was asked.
        look: Look,
        /// What it says.
        observation: Observation,
    },
    /// A replacement was made, or cannot be.
    Generated {
        /// The agreement.
        agr: Digest,
        /// Whose leaf.
        side: Side,
        /// Which leaf.
        leaf: LeafPath,
        /// What was made.
        result: Result<Generated, BadPermit>,
    },
    /// A transfer was undone, or cannot be.
    Revoked {
        /// The agreement.
        agr: Digest,
        /// The responder's leaf.
        leaf: LeafPath,
        /// The authority's answer.
        result: Result<Record, TooLate>,
    },
    /// It is time to ask the authorities again.
    Elapsed(Digest),
}

/// A request and what came beside it, each signature checked under the certificate it names.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The request.
    pub request: Request,
    /// OFFER.
    pub offer: Verified<Proposal>,
    /// ACCEPT.
    pub accept: Option<Verified<Accept>>,
    /// Escrows and sealed contents.
    pub blobs: Vec<Vec<u8>>,
    /// The keys of the certificates that came beside it, whose chains were verified.
    pub keys: Keys,
}

/// What a party asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Request {
    /// ABORT.
    Abort(Verified<Abort>),
    /// RESOLVE.
    Resolve(Verified<Resolve>),
    /// STATUS.
    Status(Verified<Status>),
}

/// What a third party orders.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Output {
    /// Ask the authority about the transfer of this binding.
    Observe(Binding, Look),
    /// Make the replacement this permit allows.
    Generate(Binding, GenerationPermit),
    /// Undo the transfer of this binding.
    Revoke(Binding),
    /// Keep this as evidence.
    Keep(Digest),
    /// Sign this and send it, with what these digests name beside it.
    Send {
        /// To whom.
        to: Role,
        /// The exact bytes to be signed.
        draft: Draft,
        /// What travels beside it.
        beside: Vec<Digest>,
    },
    /// Ask the authorities of this agreement again after a while.
    Retry(Digest, Span),
}

type Orders = Vec<Output>;

/// How long the third party waits before it asks an authority again.
const ASK_AGAIN: Span = Span::seconds(10);

impl Machine for ThirdParty {
    type Input = Input;
    type Output = Output;

    fn step(mut self, input: Input) -> Step<Self> {
        let before = self.clone();
        let Input { at, journal_index, journal_prev, event } = input;
        let clock = Clock { at: at.whole_seconds(), journal_index, journal_prev };
        let taken = match event {
            Event::Requested(case) => self.requested(*case, &clock),
            Event::Observed { agr, leaf, look, observation } => {
                self.row(agr).and_then(|row| row.observed(leaf, look, observation, &clock))
            }
            Event::Generated { agr, side, leaf, result } => {
                self.row(agr).and_then(|row| row.generated(side, leaf, result, &clock))
            }
            Event::Revoked { agr, leaf, result } => {
                self.row(agr).and_then(|row| row.revoked(leaf, result, &clock))
            }
            Event::Elapsed(agr) => self.row(agr).and_then(|row| row.ask_again()),
        };
        match taken {
            Ok(outputs) => Step::to(self).orders(outputs),
            Err(why) => Step::refuse(before, why),
        }
    }
}

/// The third party's clock and journal at one step.
struct Clock {
    at: Moment,
    journal_index: u64,
    journal_prev: Digest,
}

impl ThirdParty {
    /// A third party that has heard nothing of run `xid` so far.
    pub fn new(me: Speaker, answer_within: Span, xid: Xid) -> Self {
        Self { me, answer_within, xid, rows: Vec::new() }
    }

    /// The decision about an agreement, if there is one.
    pub fn verdict(&self, agr: &Digest) -> Option<&Verdict> {
        self.rows.iter().find(|row| row.agr == *agr).and_then(|row| match &row.stage {
            Stage::Decided(verdict) => Some(verdict),
            Stage::Open | Stage::Observing { .. } | Stage::Generating { .. } | Stage::Revoking { .. } => None,
        })
    }

    fn row(&mut self, agr: Digest) -> Result<&mut Row, Refused> {
        self.rows.iter_mut().find(|row| row.agr == agr).ok_or(Refused::OutOfPlace)
    }

    fn requested(&mut self, case: Case, clock: &Clock) -> Result<Orders, Refused> {
        let admitted = self.examine(&case).and_then(|run| self.admit(&case, run));
        let (index, fresh) = match admitted {
            Ok(admitted) => admitted,
            Err(code) => return self.reject(&case.request, code, clock).map(|order| vec![order]),
        };
        let answer_by = clock.at.after(self.answer_within);
        let row = self.rows.get_mut(index).ok_or(Refused::OutOfPlace)?;
        let asked = case.request.asked();
        if let Some(answered) = row.answered.get(&asked.request).cloned() {
            let again = [Some(answered.receipt), answered.answer].into_iter().flatten();
            let mut orders: Orders = again.map(|draft| send(asked.role, draft, Vec::new())).collect();
            if let Stage::Decided(verdict) = &row.stage {
                orders.extend(row.answers(verdict, asked.role)?);
            }
            return Ok(orders);
        }
        if row.answered.values().filter(|answered| answered.role == asked.role).count() >= MOST_REQUESTS {
            return Err(Refused::Mismatch);
        }
        let decided = matches!(row.stage, Stage::Decided(_));
        if !decided && !row.take_blobs(&case.blobs) {
            return self.reject(&case.request, RejectCode::EOwn, clock).map(|order| vec![order]);
        }
        let receipt = Receipt {
            common: row.common(asked.role, Some(asked.request), clock.at)?,
            request: asked.request,
            t_received: clock.at,
            answer_by,
            journal_index: clock.journal_index,
        };
        let receipt = draft(&receipt)?;
        let answered = Answered { role: asked.role, receipt: receipt.clone(), answer: None };
        row.answered.insert(asked.request, answered);
        let mut orders = vec![Output::Keep(asked.request), send(asked.role, receipt, Vec::new())];
        if fresh && let Stage::Generating { made, .. } = &row.stage {
            // ACCEPT has come while the originator's items are being made: its leaves are made with them.
            orders.extend(row.responders_leaves(made)?);
        }
        orders.extend(row.take(case.request.wants_decision().then_some(asked), asked, clock)?);
        Ok(orders)
    }

    /// Entry check 1: signatures, the id of the run, the third party's own name, and the requester's place.
    fn examine(&self, case: &Case) -> Result<Run, RejectCode> {
        let (request, offer) = (case.request.common(), &case.offer);
        let speaker = |certificate: Digest| {
            let key = case.keys.of(&certificate).ok_or(RejectCode::ESig)?;
            Ok(Speaker { certificate, kid: key.kid() })
        };
        let run = Run {
            xid: self.xid,
            deal: offer.common.deal,
            originator: speaker(offer.common.cert_o)?,
            responder: speaker(offer.common.cert_r)?,
            third_party: Some(self.me),
        };
        if offer.signer() != run.originator.kid {
            return Err(RejectCode::ESig);
        }
        if !matches!(request.from, Role::Originator | Role::Responder)
            || offer.common.cert_t != Some(self.me.certificate)
        {
            return Err(RejectCode::ERole);
        }
        if offer.common.xid != Some(self.xid)
            || !run.is_of(&offer.common, Role::Originator, Role::Responder, None)
        {
            return Err(RejectCode::EXid);
        }
        let agr = offer.digest();
        let ours = run.is_of(request, request.from, Role::ThirdParty, Some(agr));
        if !ours || case.request.signer() != request.signer || case.request.offer() != agr {
            return Err(RejectCode::ESig);
        }
        let accepted = case.accept.as_ref().is_none_or(|accept| {
            accept.accept
                && accept.signer() == run.responder.kid
                && run.is_of(&accept.common, Role::Responder, Role::Originator, Some(agr))
        });
        let named = case.accept.as_ref().map(Verified::digest);
        if !accepted || case.request.accept().is_some_and(|accept| Some(accept) != named) {
            return Err(RejectCode::ESig);
        }
        Ok(run)
    }

    /// Entry check 4: finds the row of this agreement, or makes one, keeping a second OFFER as proof. Says
    /// also whether ACCEPT is new to it.
    fn admit(&mut self, case: &Case, run: Run) -> Result<(usize, bool), RejectCode> {
        let agr = case.offer.digest();
        let known = self.rows.iter().position(|row| row.agr == agr);
        let elsewhere = self.rows.iter().any(|row| row.agr != agr && row.accept.is_some());
        let accept = case
            .accept
            .as_ref()
            .map(|accept| Accepted { digest: accept.digest(), permits: accept.permit.clone() });
        for row in self.rows.iter_mut().filter(|row| row.agr != agr) {
            row.cheats.insert(Cheat { role: Role::Originator, proof: agr });
        }
        // Who accepts two offers of one run, or brings a further offer that nobody accepted, breaks the
        // protocol; whoever kept to it has its one ACCEPT taken here.
        if (accept.is_some() && elsewhere) || (known.is_none() && accept.is_none() && !self.rows.is_empty()) {
            return Err(RejectCode::EXid);
        }
        let Some(index) = known else {
            let plan = Plan::of(&case.offer).map_err(|_| RejectCode::EPolicy)?;
            let proof = |row: &Row| Cheat { role: Role::Originator, proof: row.agr };
            let row = Row {
                agr,
                run,
                plan,
                offer: Box::new(case.offer.value().clone()),
                accept,
                blobs: BTreeSet::new(),
                certified: BTreeMap::new(),
                answered: BTreeMap::new(),
                waiting: Vec::new(),
                cheats: self.rows.iter().map(proof).collect(),
                stage: Stage::Open,
            };
            self.rows.push(row);
            return Ok((self.rows.len() - 1, false));
        };
        let mut fresh = false;
        if let Some(row) = self.rows.get_mut(index)
            && row.accept.is_none()
        {
            fresh = accept.is_some();
            row.accept = accept;
        }
        Ok((index, fresh))
    }

    fn reject(&self, request: &Request, code: RejectCode, clock: &Clock) -> Result<Output, Refused> {
        let asked = request.common();
        let common = Common {
            from: Role::ThirdParty,
            to: asked.from,
            // Its own name, even where the request names another third party.
            cert_t: Some(self.me.certificate),
            prev: Some(request.digest()),
            at: clock.at,
            signer: self.me.kid,
            ..asked.clone()
        };
        let reject = draft(&Reject { common, request: request.digest(), code })?;
        Ok(send(asked.from, reject, Vec::new()))
    }
}

impl Row {
    /// A new request: begins what it asks for, queues it, or answers it.
    fn take(&mut self, decide: Option<Asked>, asked: Asked, clock: &Clock) -> Result<Orders, Refused> {
        match &self.stage {
            Stage::Decided(verdict) => {
                let verdict = verdict.clone();
                let mut orders = self.answers(&verdict, asked.role)?;
                let late = self.owed(&verdict)?;
                if !late.is_empty() {
                    self.waiting.push(asked);
                    orders.extend(late);
                }
                Ok(orders)
            }
            Stage::Open => match decide {
                Some(asked) => self.observe(asked, look(asked.wish)),
                None => self.pending(asked, clock),
            },
            Stage::Observing { .. } | Stage::Generating { .. } | Stage::Revoking { .. } => match decide {
                Some(asked) => {
                    self.waiting.push(asked);
                    Ok(Orders::new())
                }
                None => self.pending(asked, clock),
            },
        }
    }

    fn observe(&mut self, asked: Asked, look: Look) -> Result<Orders, Refused> {
        self.stage = Stage::Observing { asked, look, seen: BTreeMap::new() };
        self.unanswered()
    }

    /// The questions to authorities that are not answered yet.
    fn unanswered(&self) -> Result<Orders, Refused> {
        let Stage::Observing { look, seen, .. } = &self.stage else { return Ok(Orders::new()) };
        let missing = self.plan.recorded().filter(|(leaf, _)| !seen.contains_key(*leaf));
        missing.map(|(leaf, _)| Ok(Output::Observe(self.binding(Side::Responder, leaf)?, *look))).collect()
    }

    fn ask_again(&mut self) -> Result<Orders, Refused> {
        let orders = self.unanswered()?;
        if orders.is_empty() { Err(Refused::OutOfPlace) } else { Ok(orders) }
    }

    fn observed(
        &mut self,
        leaf: LeafPath,
        asked_how: Look,
        observation: Observation,
        clock: &Clock,
    ) -> Result<Orders, Refused> {
        let agr = self.agr;
        let known = self.plan.recorded().any(|(path, _)| *path == leaf);
        let Stage::Observing { look, seen, .. } = &mut self.stage else { return Err(Refused::OutOfPlace) };
        if !known || *look != asked_how {
            return Err(Refused::OutOfPlace);
        }
        if seen.contains_key(&leaf) {
            return Err(Refused::Repeated);
        }
        let (said, record) = match observation {
            Observation::Happened(record) => (Seen::Happened, Some(record)),
            Observation::Frozen(record) => (Seen::Frozen, Some(record)),
            Observation::NotYet if *look == Look::Peek => (Seen::NotYet, None),
            // A freeze leaves nothing open, and none of this protocol's leaves is deposited: ask again.
            Observation::NotYet | Observation::Unavailable | Observation::Deposited(_) => {
                return Ok(vec![Output::Retry(agr, ASK_AGAIN)]);
            }
        };
        let digest = record.map(|record| record.evidence.digest());
        seen.insert(leaf, (said, digest));
        let mut orders: Orders = digest.map(Output::Keep).into_iter().collect();
        orders.extend(self.weigh(clock)?);
        Ok(orders)
    }

    /// Applies the rule once every authority has answered.
    fn weigh(&mut self, clock: &Clock) -> Result<Orders, Refused> {
        let Stage::Observing { asked, look, seen } = &self.stage else { return Err(Refused::OutOfPlace) };
        let (asked, look) = (*asked, *look);
        if self.plan.recorded().any(|(leaf, _)| !seen.contains_key(leaf)) {
            return Ok(Orders::new());
        }
        let records: Vec<Digest> = seen.values().filter_map(|(_, record)| *record).collect();
        let class = |leaf: &LeafPath| self.plan.leaves.r.get(leaf).map_or(Class::None, |leaf| leaf.class);
        let weighed = seen.iter().map(|(leaf, (said, _))| (leaf.clone(), (class(leaf), *said))).collect();
        match weigh(look, &weighed) {
            Next::Complete => self.complete(asked, records, clock),
            Next::Freeze => self.observe(asked, Look::Freeze),
            Next::NotYet(leaf) => self.not_yet(asked, leaf, clock),
            Next::Undo { revoke, out_of_order } => {
                let proof = out_of_order.and_then(|leaf| seen.get(&leaf).and_then(|(_, record)| *record));
                self.cheats.extend(proof.map(|proof| Cheat { role: Role::Responder, proof }));
                self.undo(asked, records, revoke, false, None, clock)
            }
        }
    }

    /// Makes the originator's items, and the responder's if its permits are here.
    fn complete(&mut self, asked: Asked, records: Vec<Digest>, clock: &Clock) -> Result<Orders, Refused> {
        if !self.offer.permit.values().all(|permit| self.has_basis(permit)) {
            let common = self.common(asked.role, Some(asked.request), clock.at)?;
            let reject = draft(&Reject { common, request: asked.request, code: RejectCode::EOwn })?;
            let mut orders = vec![self.answer(asked, reject)];
            orders.extend(self.next_in_line()?);
            return Ok(orders);
        }
        let mut orders = Orders::new();
        for (leaf, permit) in &self.offer.permit {
            orders.push(Output::Generate(self.binding(Side::Originator, leaf)?, permit.clone()));
        }
        orders.extend(self.responders_leaves(&BTreeMap::new())?);
        self.stage = Stage::Generating { asked, records, made: BTreeMap::new() };
        Ok(orders)
    }

    /// Whether everything is here that a permit of the originator names and making its item takes. What is
    /// missing is the requester's fault, never the owner's: nobody is shown to have sealed wrongly by it.
    fn has_basis(&self, permit: &GenerationPermit) -> bool {
        let here = |digest: &Digest| self.blobs.contains(digest);
        match permit.grade {
            GenGrade::Sealed => permit.basis.is_some_and(|escrow| here(&escrow)),
            GenGrade::Certified => {
                permit.basis.and_then(|certificate| self.certified.get(&certificate)).is_some_and(here)
            }
            GenGrade::Affidavit | GenGrade::Hold | GenGrade::None => true,
        }
    }

    /// Orders to make the responder's leaves that are not made yet, if there is ACCEPT.
    fn responders_leaves(&self, made: &BTreeMap<(Side, LeafPath), Made>) -> Result<Orders, Refused> {
        let Some(accept) = &self.accept else { return Ok(Orders::new()) };
        let open =
            self.plan.forwards().filter(|(leaf, _)| !made.contains_key(&(Side::Responder, (*leaf).clone())));
        open.filter_map(|(leaf, _)| accept.permits.get(leaf).map(|permit| (leaf, permit)))
            .map(|(leaf, permit)| Ok(Output::Generate(self.binding(Side::Responder, leaf)?, permit.clone())))
            .collect()
    }

    /// What is still to be made once ACCEPT has come after the decision.
    fn owed(&self, verdict: &Verdict) -> Result<Orders, Refused> {
        if verdict.outcome == Outcome::Completed {
            self.responders_leaves(&verdict.made)
        } else {
            Ok(Orders::new())
        }
    }

    fn generated(
        &mut self,
        side: Side,
        leaf: LeafPath,
        result: Result<Generated, BadPermit>,
        clock: &Clock,
    ) -> Result<Orders, Refused> {
        let permit = match side {
            Side::Originator => self.offer.permit.get(&leaf),
            Side::Responder => self.accept.as_ref().and_then(|accept| accept.permits.get(&leaf)),
        };
        let permit = permit.cloned().ok_or(Refused::OutOfPlace)?;
        let result = result.map(|generated| made(&permit, &generated));
        match &mut self.stage {
            Stage::Generating { asked, records, made } => {
                let (asked, records) = (*asked, records.clone());
                match result {
                    Ok(item) => {
                        if made.insert((side, leaf), item).is_some() {
                            return Err(Refused::Repeated);
                        }
                        self.finish(clock)
                    }
                    Err(bad) => self.bad_seal(asked, records, side, &permit, bad, clock),
                }
            }
            Stage::Decided(verdict) if side == Side::Responder && verdict.outcome == Outcome::Completed => {
                let item = result.map_err(|_| Refused::Mismatch)?;
                if verdict.made.insert((side, leaf), item).is_some() {
                    return Err(Refused::Repeated);
                }
                let verdict = verdict.clone();
                if !self.owed(&verdict)?.is_empty() {
                    return Ok(Orders::new());
                }
                self.answer_waiting(&verdict)
            }
            Stage::Open | Stage::Observing { .. } | Stage::Revoking { .. } | Stage::Decided(_) => {
                Err(Refused::OutOfPlace)
            }
        }
    }

    /// Decides *completed* once everything is made that is due.
    fn finish(&mut self, clock: &Clock) -> Result<Orders, Refused> {
        let Stage::Generating { asked, records, made } = &self.stage else { return Err(Refused::OutOfPlace) };
        let mine = self.offer.permit.keys().all(|leaf| made.contains_key(&(Side::Originator, leaf.clone())));
        if !mine || !self.responders_leaves(made)?.is_empty() {
            return Ok(Orders::new());
        }
        let (asked, records, made) = (*asked, records.clone(), made.clone());
        self.decide(Outcome::Completed, asked, records, made, None, clock)
    }

    /// A permit turned out to be worthless: its owner cheated, unless a hold has merely ended.
    fn bad_seal(
        &mut self,
        asked: Asked,
        records: Vec<Digest>,
        side: Side,
        permit: &GenerationPermit,
        bad: BadPermit,
        clock: &Clock,
    ) -> Result<Orders, Refused> {
        let proof = permit.basis.unwrap_or(self.agr);
        let cheated = match bad {
            BadPermit::Seal | BadPermit::Content | BadPermit::Scope => true,
            BadPermit::HoldEnded => false,
        };
        if cheated {
            self.cheats.insert(Cheat { role: side.role(), proof });
        }
        let of = |class: Class| {
            self.plan
                .recorded()
                .filter(|(_, leaf)| leaf.class == class)
                .map(|(path, _)| path.clone())
                .collect::<Vec<_>>()
        };
        let stuck = !of(Class::Pivot).is_empty();
        let revoke = of(Class::Backward);
        self.undo(asked, records, revoke, stuck, cheated.then_some(proof), clock)
    }

    fn undo(
        &mut self,
        asked: Asked,
        records: Vec<Digest>,
        revoke: Vec<LeafPath>,
        stuck: bool,
        bad_seal: Option<Digest>,
        clock: &Clock,
    ) -> Result<Orders, Refused> {
        let orders = revoke.iter().map(|leaf| Ok(Output::Revoke(self.binding(Side::Responder, leaf)?)));
        let mut orders = orders.collect::<Result<Orders, Refused>>()?;
        let open = revoke.into_iter().collect();
        self.stage = Stage::Revoking { asked, records, open, undone: false, stuck, bad_seal };
        orders.extend(self.give_up(clock)?);
        Ok(orders)
    }

    fn revoked(
        &mut self,
        leaf: LeafPath,
        result: Result<Record, TooLate>,
        clock: &Clock,
    ) -> Result<Orders, Refused> {
        let Stage::Revoking { records, open, undone, stuck, .. } = &mut self.stage else {
            return Err(Refused::OutOfPlace);
        };
        if !open.remove(&leaf) {
            return Err(Refused::Repeated);
        }
        let mut orders = Orders::new();
        match result {
            Ok(record) => {
                let digest = record.evidence.digest();
                records.push(digest);
                *undone = true;
                orders.push(Output::Keep(digest));
            }
            Err(TooLate) => *stuck = true,
        }
        orders.extend(self.give_up(clock)?);
        Ok(orders)
    }

    /// Decides *aborted* once every order to undo was answered.
    fn give_up(&mut self, clock: &Clock) -> Result<Orders, Refused> {
        let Stage::Revoking { asked, records, open, undone, stuck, bad_seal } = &self.stage else {
            return Err(Refused::OutOfPlace);
        };
        if !open.is_empty() {
            return Ok(Orders::new());
        }
        let (asked, records, end, bad_seal) = (*asked, records.clone(), outcome(*undone, *stuck), *bad_seal);
        self.decide(end, asked, records, BTreeMap::new(), bad_seal, clock)
    }

    /// Writes DECISION into the row, and answers everybody who waits for it.
    fn decide(
        &mut self,
        outcome: Outcome,
        asked: Asked,
        records: Vec<Digest>,
        made: BTreeMap<(Side, LeafPath), Made>,
        bad_seal: Option<Digest>,
        clock: &Clock,
    ) -> Result<Orders, Refused> {
        let accept = self.accept.as_ref().map(|accept| accept.digest);
        let basis = [
            (BasisKind::Request, vec![asked.request]),
            (BasisKind::Permit, [Some(self.agr), accept].into_iter().flatten().collect()),
            (BasisKind::Record, records.clone()),
            (BasisKind::BadSeal, bad_seal.into_iter().collect()),
        ];
        let decision = Decision {
            common: self.common(Role::Everybody, None, clock.at)?,
            outcome,
            offer: self.agr,
            accept,
            basis: basis
                .into_iter()
                .flat_map(|(kind, hashes)| hashes.into_iter().map(move |hash| Basis { kind, hash }))
                .collect(),
            cheat: self.cheats.iter().cloned().collect(),
            t_decided: clock.at,
            journal_index: clock.journal_index,
            journal_prev: clock.journal_prev,
        };
        let verdict = Verdict { decision: draft(&decision)?, outcome, records, made };
        self.stage = Stage::Decided(verdict.clone());
        self.waiting.insert(0, asked);
        self.answer_waiting(&verdict)
    }

    fn answer_waiting(&mut self, verdict: &Verdict) -> Result<Orders, Refused> {
        let roles: BTreeSet<Role> =
            std::mem::take(&mut self.waiting).into_iter().map(|asked| asked.role).collect();
        let mut orders = Orders::new();
        for role in roles {
            orders.extend(self.answers(verdict, role)?);
        }
        Ok(orders)
    }

    /// DECISION, and the replacements due to `role`.
    fn answers(&self, verdict: &Verdict, role: Role) -> Result<Orders, Refused> {
        let mut orders = vec![send(role, verdict.decision.clone(), verdict.records.clone())];
        let decided = verdict.decision.read::<Decision>().map_err(|_| Refused::Mismatch)?;
        let decision = verdict.decision.digest();
        // Its counterpart is owed to the originator: the responder gets its part only against ACCEPT.
        let withheld =
            role == Role::Responder && self.accept.is_none() && self.plan.forwards().next().is_some();
        let due = |side: &Side| side.other().role() == role && !withheld;
        for ((side, leaf), made) in verdict.made.iter().filter(|((side, _), _)| due(side)) {
            let common = self.common(role, Some(decision), decided.t_decided)?;
            let permit = match (side, &self.accept) {
                (Side::Responder, Some(accept)) => accept.digest,
                (Side::Originator | Side::Responder, _) => self.agr,
            };
            let desc = self.plan.side(*side).get(leaf).ok_or(Refused::Mismatch)?.description;
            let written = match made.attested {
                Some((text, text_signer, semantics)) => draft(&Affidavit {
                    common,
                    decision,
                    leaf: leaf.clone(),
                    desc,
                    permit,
                    text,
                    text_signer,
                    semantics,
                })?,
                None => draft(&Replacement {
                    common,
                    decision,
                    leaf: leaf.clone(),
                    desc,
                    grade: made.grade,
                    permit,
                    content: made.content,
                })?,
            };
            orders.push(send(role, written, vec![made.content]));
        }
        Ok(orders)
    }

    fn not_yet(&mut self, asked: Asked, leaf: LeafPath, clock: &Clock) -> Result<Orders, Refused> {
        let common = self.common(asked.role, Some(asked.request), clock.at)?;
        let answer = NotYet { common, request: asked.request, leaf, observation: answer::Seen::NotYet };
        let mut orders = vec![self.answer(asked, draft(&answer)?)];
        orders.extend(self.next_in_line()?);
        Ok(orders)
    }

    /// Answers a request with something short of a decision.
    fn answer(&mut self, asked: Asked, answer: Draft) -> Output {
        if let Some(answered) = self.answered.get_mut(&asked.request) {
            answered.answer = Some(answer.clone());
        }
        send(asked.role, answer, Vec::new())
    }

    /// Nothing was decided: the next request that waits has its turn.
    fn next_in_line(&mut self) -> Result<Orders, Refused> {
        self.stage = Stage::Open;
        if self.waiting.is_empty() {
            return Ok(Orders::new());
        }
        let next = self.waiting.remove(0);
        self.observe(next, look(next.wish))
    }

    fn pending(&mut self, asked: Asked, clock: &Clock) -> Result<Orders, Refused> {
        let common = self.common(asked.role, Some(asked.request), clock.at)?;
        let pending = draft(&Pending { common, request: asked.request, until: None })?;
        Ok(vec![self.answer(asked, pending)])
    }

    /// Takes the escrows and sealed contents that came; false if one is none that this agreement names.
    fn take_blobs(&mut self, blobs: &[Vec<u8>]) -> bool {
        let permits =
            self.offer.permit.values().chain(self.accept.iter().flat_map(|accept| accept.permits.values()));
        let sealed =
            self.offer.give_o.leaves().chain(self.offer.give_r.leaves()).filter_map(|(_, d)| match d {
                Description::Data(data) => data.sealed,
                Description::Credential(_) | Description::Payment(_) | Description::Statement(_) => None,
            });
        let named: BTreeSet<Digest> = permits.filter_map(|permit| permit.basis).chain(sealed).collect();
        let brought: BTreeMap<Digest, &Vec<u8>> = blobs.iter().map(|blob| (Digest::of(blob), blob)).collect();
        // A certificate about an escrow names the escrow, which OFFER then does not name itself.
        let certificates = brought.iter().filter(|(digest, _)| named.contains(*digest));
        let certified: BTreeMap<Digest, Digest> = certificates
            .filter_map(|(digest, blob)| {
                from_bytes::<EscrowCert>(blob).ok().map(|about| (*digest, about.escrow))
            })
            .collect();
        let of_certificate = |digest: &Digest| {
            self.certified.values().chain(certified.values()).any(|escrow| escrow == digest)
        };
        let fit = brought.keys().all(|digest| named.contains(digest) || of_certificate(digest));
        if fit {
            self.blobs.extend(brought.into_keys());
            self.certified.extend(certified);
        }
        fit
    }

    fn binding(&self, giver: Side, leaf: &LeafPath) -> Result<Binding, Refused> {
        self.plan.binding(&self.run, self.agr, giver, leaf).ok_or(Refused::OutOfPlace)
    }

    fn common(&self, to: Role, prev: Option<Digest>, at: Moment) -> Result<Common, Refused> {
        self.run.common(Role::ThirdParty, to, Some(self.agr), prev, at).ok_or(Refused::OutOfPlace)
    }
}

impl Request {
    /// The digest by which answers name it.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Abort(request) => request.digest(),
            Self::Resolve(request) => request.digest(),
            Self::Status(request) => request.digest(),
        }
    }

    /// Its common lines.
    pub fn common(&self) -> &Common {
        match self {
            Self::Abort(request) => request.value().common(),
            Self::Resolve(request) => request.value().common(),
            Self::Status(request) => request.value().common(),
        }
    }

    fn signer(&self) -> semper_supporting::crypto::signature::Kid {
        match self {
            Self::Abort(request) => request.signer(),
            Self::Resolve(request) => request.signer(),
            Self::Status(request) => request.signer(),
        }
    }

    fn offer(&self) -> Digest {
        match self {
            Self::Abort(request) => request.offer,
            Self::Resolve(request) => request.offer,
            Self::Status(request) => request.offer,
        }
    }

    fn accept(&self) -> Option<Digest> {
        match self {
            Self::Abort(request) => request.accept,
            Self::Resolve(request) => request.accept,
            Self::Status(_) => None,
        }
    }

    fn wants_decision(&self) -> bool {
        match self {
            Self::Abort(_) | Self::Resolve(_) => true,
            Self::Status(_) => false,
        }
    }

    fn asked(&self) -> Asked {
        let wish = match self {
            Self::Abort(_) => Wish::Abort,
            Self::Resolve(_) | Self::Status(_) => Wish::Resolve,
        };
        Asked { request: self.digest(), role: self.common().from, wish }
    }
}

fn made(permit: &GenerationPermit, generated: &Generated) -> Made {
    let (content, attested) = match generated {
        Generated::Affidavit { text, signer, semantics } => (*text, Some((*text, *signer, *semantics))),
        Generated::Key(key) => (Digest::of(key.as_bytes()), None),
        Generated::Statement(signed) => (signed.digest(), None),
        Generated::Capture(record) => (record.evidence.digest(), None),
    };
    Made { grade: permit.grade, content, attested }
}

fn draft<T: Spoken>(statement: &T) -> Result<Draft, Refused> {
    Draft::of(statement).map_err(|_| Refused::Mismatch)
}

fn send(to: Role, draft: Draft, beside: Vec<Digest>) -> Output {
    Output::Send { to, draft, beside }
}
