//! Requests before the third party: what is checked of each, and what comes of it at once.

use std::collections::{BTreeMap, BTreeSet};

use semper_supporting::{
    crypto::digest::Digest,
    evidence::{Verified, statement::from_bytes},
    machine::Refused,
    party::Role,
};
use semper_transfer::{description::Description, escrow::EscrowCert};

use super::{
    Accepted, Answered, Asked, Case, Clock, Orders, Output, Request, Row, Stage, ThirdParty, draft, send,
};
use crate::{
    generatable_verifiable::{plan::Plan, rule::look},
    message::{Cheat, Common, Pending, Receipt, Reject, RejectCode},
    run::{Run, Speaker},
};

/// How many different requests one party may make about one agreement. An honest one makes a handful.
pub const MOST_REQUESTS: usize = 32;

impl ThirdParty {
    pub(super) fn requested(&mut self, case: Case, clock: &Clock) -> Result<Orders, Refused> {
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
    pub(super) fn take(
        &mut self,
        decide: Option<Asked>,
        asked: Asked,
        clock: &Clock,
    ) -> Result<Orders, Refused> {
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
}
