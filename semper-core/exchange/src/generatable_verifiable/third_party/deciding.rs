//! The decision: what happened is undone where it must be, DECISION is written once, and all who wait hear it.

use std::collections::{BTreeMap, BTreeSet};

use semper_supporting::{crypto::digest::Digest, machine::Refused, party::Role};
use semper_transfer::{
    package::LeafPath,
    property::{Record, Side, TooLate},
};

use super::{Asked, Clock, Made, Orders, Output, Row, Stage, Verdict, draft, send};
use crate::{
    generatable_verifiable::rule::outcome,
    message::{Affidavit, Basis, BasisKind, Decision, Outcome, Replacement},
};

impl Row {
    pub(super) fn undo(
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

    pub(super) fn revoked(
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
    pub(super) fn decide(
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

    pub(super) fn answer_waiting(&mut self, verdict: &Verdict) -> Result<Orders, Refused> {
        let roles: BTreeSet<Role> =
            std::mem::take(&mut self.waiting).into_iter().map(|asked| asked.role).collect();
        let mut orders = Orders::new();
        for role in roles {
            orders.extend(self.answers(verdict, role)?);
        }
        Ok(orders)
    }

    /// DECISION, and the replacements due to `role`.
    pub(super) fn answers(&self, verdict: &Verdict, role: Role) -> Result<Orders, Refused> {
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
}
