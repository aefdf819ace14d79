//! What the operator sees of the cases.

use std::collections::BTreeMap;

use semper_exchange::{
    generatable_verifiable::third_party::Row as CaseRow,
    message::{Cheat, Decision},
};
use semper_supporting::{
    archive::{Direction, Query, Row, Store, StoreError, Table},
    deal::Xid,
};
use serde::Serialize;

use super::{
    Arbiter, ArbiterError,
    step::word,
    tables::{Asked, CASE, REQUEST, Stored, role_word},
};

/// One agreement about which the arbiter was asked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Listed {
    /// The exchange.
    pub exchange: String,
    /// SHA-256 of OFFER.
    pub agreement: String,
    /// The deal.
    pub deal: String,
    /// SHA-256 of the originator's certificate.
    pub originator: String,
    /// SHA-256 of the responder's certificate.
    pub responder: String,
    /// How far it is: `open`, `observing`, `generating`, `revoking`, or the outcome.
    pub state: &'static str,
    /// SHA-256 of DECISION, once there is one.
    pub decision: Option<String>,
    /// When it was decided.
    pub decided: Option<String>,
    /// The line of the journal in which it was decided.
    pub journal_index: Option<u64>,
    /// What the decision rests on.
    pub basis: Vec<String>,
    /// Who is shown to have broken the protocol.
    pub cheats: Vec<ListedCheat>,
    /// When the exchange was first brought here.
    pub opened: String,
    /// When it changed last.
    pub changed: String,
    /// Who asked what, the first request first.
    pub requests: Vec<ListedRequest>,
}

/// Somebody who broke the protocol, in a list.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ListedCheat {
    /// In which role.
    pub role: &'static str,
    /// SHA-256 of the proof.
    pub proof: String,
}

/// One request in a list.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ListedRequest {
    /// Who asked.
    pub by: String,
    /// What: the type of the request.
    pub request: String,
    /// Its SHA-256.
    pub hash: String,
    /// When.
    pub at: String,
}

impl<S: Store> Arbiter<S> {
    /// All cases, with who asked when.
    ///
    /// # Errors
    /// [`ArbiterError`].
    pub async fn cases(&self) -> Result<Vec<Listed>, ArbiterError> {
        let mut requests: BTreeMap<Xid, Vec<Asked>> = BTreeMap::new();
        let by_time = Query::of(REQUEST.name).order("at_s", Direction::Rising);
        for row in self.all(REQUEST, by_time).await? {
            let asked = Asked::from_row(&row)?;
            requests.entry(asked.xid).or_default().push(asked);
        }
        let mut listed = Vec::new();
        for row in self.all(CASE, Query::of(CASE.name)).await? {
            let stored = Stored::from_row(&row)?;
            let asked = requests.remove(&stored.third_party.xid).unwrap_or_default();
            for row in &stored.third_party.rows {
                listed.push(Listed::of(&stored, row, &asked));
            }
        }
        Ok(listed)
    }

    /// Every row of a table, page by page.
    async fn all(&self, table: Table, query: Query) -> Result<Vec<Row>, StoreError> {
        let mut rows: Vec<Row> = Vec::new();
        loop {
            let query = match rows.last() {
                Some(last) => query.clone().after(&table, last),
                None => query.clone(),
            };
            let page = self.store.query(vec![query]).await?.into_iter().flatten().collect::<Vec<_>>();
            if page.is_empty() {
                return Ok(rows);
            }
            rows.extend(page);
        }
    }
}

impl Listed {
    fn of(stored: &Stored, row: &CaseRow, requests: &[Asked]) -> Self {
        let verdict = stored.third_party.verdict(&row.agr);
        let decision = verdict.and_then(|verdict| verdict.decision.read::<Decision>().ok());
        let common = &row.offer.common;
        let cheat =
            |cheat: &Cheat| ListedCheat { role: role_word(cheat.role), proof: cheat.proof.to_string() };
        Self {
            exchange: stored.third_party.xid.to_string(),
            agreement: row.agr.to_string(),
            deal: common.deal.to_string(),
            originator: common.cert_o.to_string(),
            responder: common.cert_r.to_string(),
            state: word(&row.stage),
            decision: verdict.map(|verdict| verdict.decision.digest().to_string()),
            decided: decision.as_ref().map(|decision| decision.t_decided.to_string()),
            journal_index: decision.as_ref().map(|decision| decision.journal_index),
            basis: decision.iter().flat_map(|made| &made.basis).map(|basis| basis.hash.to_string()).collect(),
            cheats: row.cheats.iter().map(cheat).collect(),
            opened: stored.opened.to_string(),
            changed: stored.changed.to_string(),
            requests: requests.iter().filter(|asked| asked.agr == row.agr).map(ListedRequest::of).collect(),
        }
    }
}

impl ListedRequest {
    fn of(asked: &Asked) -> Self {
        Self {
            by: asked.role.clone(),
            request: asked.kind.clone(),
            hash: asked.hash.to_string(),
            at: asked.at.to_string(),
        }
    }
}
