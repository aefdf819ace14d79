//! Making what is owed: the originator's items, and the responder's where its permits are here.

use std::collections::BTreeMap;

use semper_supporting::{crypto::digest::Digest, machine::Refused};
use semper_transfer::{
    package::LeafPath,
    property::{BadPermit, Class, GenGrade, Generated, GenerationPermit, Side},
};

use super::{Asked, Clock, Made, Orders, Output, Row, Stage, Verdict, draft};
use crate::message::{Cheat, Outcome, Reject, RejectCode};

impl Row {
    /// Makes the originator's items, and the responder's if its permits are here.
    pub(super) fn complete(
        &mut self,
        asked: Asked,
        records: Vec<Digest>,
        clock: &Clock,
    ) -> Result<Orders, Refused> {
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
    pub(super) fn responders_leaves(
        &self,
        made: &BTreeMap<(Side, LeafPath), Made>,
    ) -> Result<Orders, Refused> {
        let Some(accept) = &self.accept else { return Ok(Orders::new()) };
        let open =
            self.plan.forwards().filter(|(leaf, _)| !made.contains_key(&(Side::Responder, (*leaf).clone())));
        open.filter_map(|(leaf, _)| accept.permits.get(leaf).map(|permit| (leaf, permit)))
            .map(|(leaf, permit)| Ok(Output::Generate(self.binding(Side::Responder, leaf)?, permit.clone())))
            .collect()
    }

    /// What is still to be made once ACCEPT has come after the decision.
    pub(super) fn owed(&self, verdict: &Verdict) -> Result<Orders, Refused> {
        if verdict.outcome == Outcome::Completed {
            self.responders_leaves(&verdict.made)
        } else {
            Ok(Orders::new())
        }
    }

    pub(super) fn generated(
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
