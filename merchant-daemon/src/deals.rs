//! The deals of the shop, as its operator sees them.

use semper_supporting::{
    archive::{Column, Direction, Query, Row, Store, StoreError, Table},
    crypto::digest::Digest,
    deal::DealId,
    money::Money,
    time::Moment,
};
use semper_transfer::catalogue::ArticleId;
use serde::Serialize;

/// One row a deal: who buys what for how much, and how far it is. Times in seconds.
pub const DEAL: Table = Table {
    name: "deal",
    columns: &[
        Column::bytes("id"),
        Column::bytes("peer"),
        Column::bytes("article"),
        Column::text("amount"),
        Column::text("state"),
        Column::integer("opened_s"),
        Column::integer("changed_s"),
    ],
    key: &["id"],
    unique: &[],
    indexes: &[&["article"], &["changed_s"]],
};

/// A deal in a list.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Deal {
    /// Its name.
    pub id: DealId,
    /// The certificate of the buyer's connection: SHA-256 of its DER.
    pub peer: Digest,
    /// What is bought.
    pub article: ArticleId,
    /// For how much.
    pub amount: Money,
    /// How far it is.
    pub state: String,
    /// When it was opened.
    pub opened: Moment,
    /// When it last changed.
    pub changed: Moment,
}

impl Deal {
    /// The row of the deal.
    pub fn row(&self) -> Row {
        use semper_supporting::archive::Value;
        Row::new()
            .with("id", self.id)
            .with("peer", self.peer)
            .with("article", *self.article.as_bytes())
            .with("amount", self.amount.to_string())
            .with("state", self.state.clone())
            .with("opened_s", Value::seconds(self.opened))
            .with("changed_s", Value::seconds(self.changed))
    }

    /// Reads a row of [`DEAL`].
    ///
    /// # Errors
    /// [`StoreError`] for a row that is none.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let amount = Money::parse(row.text("amount")?);
        Ok(Self {
            id: DealId::from_bytes(row.array("id")?),
            peer: Digest::from_bytes(row.array("peer")?),
            article: ArticleId::from_bytes(row.array("article")?),
            amount: amount.map_err(|error| StoreError::Damaged(format!("amount of a deal: {error}")))?,
            state: row.text("state")?.to_owned(),
            opened: Moment::from_seconds(row.count("opened_s")?),
            changed: Moment::from_seconds(row.count("changed_s")?),
        })
    }
}

/// The deals, the one that changed last first; at most 10,000.
///
/// # Errors
/// [`StoreError`].
pub async fn list(store: &impl Store) -> Result<Vec<Deal>, StoreError> {
    let query = Query::of(DEAL.name).order("changed_s", Direction::Falling);
    store.query(vec![query]).await?.iter().flatten().map(Deal::from_row).collect()
}

#[cfg(test)]
mod tests {
    use semper_supporting::archive::{RowOp, Schema};

    use super::*;

    #[test]
    fn a_deal_is_read_as_it_was_kept() {
        let deal = Deal {
            id: DealId::from_bytes([1; 32]),
            peer: Digest::of(b"buyer"),
            article: ArticleId::from_bytes([2; 8]),
            amount: Money::parse("XTS 6.00").unwrap(),
            state: "offered".into(),
            opened: Moment::from_seconds(5),
            changed: Moment::from_seconds(9),
        };
        let schema = Schema::new(1).with(&[DEAL]);
        assert!(schema.check_op(&RowOp::insert(DEAL.name, deal.row())).is_ok());
        assert_eq!(Deal::from_row(&deal.row()), Ok(deal));
    }
}
