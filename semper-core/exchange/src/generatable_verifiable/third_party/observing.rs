//! What the authorities have recorded, and what the rule makes of it.

use std::collections::BTreeMap;

use semper_supporting::{crypto::digest::Digest, machine::Refused, party::Role, time::Span};
use semper_transfer::{
    package::LeafPath,
    property::{Class, Look, Observation, Side},
};

use super::{Asked, Clock, Orders, Output, Row, Stage, draft};
use crate::{
    generatable_verifiable::rule::{Next, Seen, look, weigh},
    message::{Cheat, NotYet, answer},
};

/// How long the third party waits before it asks an authority again.
const ASK_AGAIN: Span = Span::seconds(10);

impl Row {
    pub(super) fn observe(&mut self, asked: Asked, look: Look) -> Result<Orders, Refused> {
        self.stage = Stage::Observing { asked, look, seen: BTreeMap::new() };
        self.unanswered()
    }

    /// The questions to authorities that are not answered yet.
    fn unanswered(&self) -> Result<Orders, Refused> {
        let Stage::Observing { look, seen, .. } = &self.stage else { return Ok(Orders::new()) };
        let missing = self.plan.recorded().filter(|(leaf, _)| !seen.contains_key(*leaf));
        missing.map(|(leaf, _)| Ok(Output::Observe(self.binding(Side::Responder, leaf)?, *look))).collect()
    }

    pub(super) fn ask_again(&mut self) -> Result<Orders, Refused> {
        let orders = self.unanswered()?;
        if orders.is_empty() { Err(Refused::OutOfPlace) } else { Ok(orders) }
    }

    pub(super) fn observed(
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

    fn not_yet(&mut self, asked: Asked, leaf: LeafPath, clock: &Clock) -> Result<Orders, Refused> {
        let common = self.common(asked.role, Some(asked.request), clock.at)?;
        let answer = NotYet { common, request: asked.request, leaf, observation: answer::Seen::NotYet };
        let mut orders = vec![self.answer(asked, draft(&answer)?)];
        orders.extend(self.next_in_line()?);
        Ok(orders)
    }

    /// Nothing was decided: the next request that waits has its turn.
    pub(super) fn next_in_line(&mut self) -> Result<Orders, Refused> {
        self.stage = Stage::Open;
        if self.waiting.is_empty() {
            return Ok(Orders::new());
        }
        let next = self.waiting.remove(0);
        self.observe(next, look(next.wish))
    }
}
