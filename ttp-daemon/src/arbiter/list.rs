//! What the operator sees of the cases.

use std::collections::BTreeMap;

use semper_supporting::{
    archive::{Direction, Query, Row, Store, StoreError, Table},
    deal::Xid,
};
use serde::Serialize;

use super::{
    Arbiter, ArbiterError,
    step::word,
    tables::{Asked, CASE, REQUEST, Stored},
};

/// One agreement about which the arbiter was asked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Listed {
    /// The exchange.
    pub exchange: String,
    /// SHA-256 of OFFER.
    pub agreement: String,
    /// How far it is: `open`, `observing`, `generating`, `revoking`, or the outcome.
    pub state: &'static str,
    /// SHA-256 of DECISION, once there is one.
    pub decision: Option<String>,
    /// When the exchange was first brought here.
    pub opened: String,
    /// When it changed last.
    pub changed: String,
    /// Who asked what, the first request first.
    pub requests: Vec<ListedRequest>,
}

/// One request in a list.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ListedRequest {
    /// Who asked.
    pub by: String,
    /// What: the type of the request.
    pub request: String,
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
            let xid = stored.third_party.xid;
            for row in &stored.third_party.rows {
                let of_row = requests.get(&xid).into_iter().flatten().filter(|asked| asked.agr == row.agr);
                listed.push(Listed {
                    exchange: xid.to_string(),
                    agreement: row.agr.to_string(),
                    state: word(&row.stage),
                    decision: stored
                        .third_party
                        .verdict(&row.agr)
                        .map(|verdict| verdict.decision.digest().to_string()),
                    opened: stored.opened.to_string(),
                    changed: stored.changed.to_string(),
                    requests: of_row
                        .map(|asked| ListedRequest {
                            by: asked.role.clone(),
                            request: asked.kind.clone(),
                            at: asked.at.to_string(),
                        })
                        .collect(),
                });
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
