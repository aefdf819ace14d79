//! The register of sales: one row each, as the last step left it. Lists and the way from a deal to its sale
//! read it; the state of a sale itself is with the engine.

use semper_commerce::{
    deal::Outcome,
    sale::{End, SaleView},
};
use semper_supporting::{
    archive::{Column, Direction, Query, Row, RowOp, Store, StoreError, Table, Value},
    crypto::{digest::Digest, signature::Kid},
    deal::DealId,
    money::Money,
    time::Moment,
};
use serde::Serialize;

use super::Links;

/// One row a sale. Times in seconds.
pub const SALE: Table = Table {
    name: "sale",
    columns: &[
        Column::bytes("id"),
        Column::text("side"),
        Column::bytes("deal").optional(),
        Column::text("peer").optional(),
        Column::text("at").optional(),
        Column::bytes("tls").optional(),
        Column::text("article").optional(),
        Column::text("title").optional(),
        Column::text("price"),
        Column::text("step"),
        Column::text("told").optional(),
        Column::text("outcome").optional(),
        Column::bytes("item").optional(),
        Column::integer("paid"),
        Column::integer("delivered"),
        Column::integer("closed"),
        Column::integer("opened_s"),
        Column::integer("changed_s"),
    ],
    key: &["id"],
    unique: &[&["deal"]],
    indexes: &[&["closed", "tls"], &["changed_s"], &["article"]],
};

/// On which side of a sale this program is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// It buys.
    Buyer,
    /// It sells.
    Seller,
}

/// A sale in a list.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Entry {
    /// The name of its instance.
    #[serde(serialize_with = "hexadecimal")]
    pub id: Vec<u8>,
    /// On which side this program is.
    pub side: Side,
    /// The deal, once it has a name.
    pub deal: Option<DealId>,
    /// The other side's certified name.
    pub peer: Option<String>,
    /// Where the other side is called, where we call it.
    pub at: Option<String>,
    /// The key of the other side's connections, once it is known: SHA-256 of the SubjectPublicKeyInfo.
    pub tls: Option<Kid>,
    /// The article, in the seller's words.
    pub article: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// For how much.
    pub price: Money,
    /// How far it is.
    pub step: String,
    /// The code of what the user was told last.
    pub told: Option<String>,
    /// How it ended: `done`, `returned`, `nothing`, `disputed`, or the dotted code of why it never came about.
    pub outcome: Option<String>,
    /// The item that was bought, by its content: SHA-256.
    pub item: Option<Digest>,
    /// Whether the money has moved, by the bank's word.
    pub paid: bool,
    /// Whether the goods have.
    pub delivered: bool,
    /// Whether both sides have closed the deal.
    pub closed: bool,
    /// When it began.
    pub opened: Moment,
    /// When it last changed.
    pub changed: Moment,
}

fn hexadecimal<S: serde::Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&data_encoding::HEXLOWER.encode(bytes))
}

/// The word of a variant that serde writes as one.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

impl Side {
    const fn word(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Seller => "seller",
        }
    }
}

impl Entry {
    /// The entry of a sale that looks like `view` now.
    pub(super) fn of(
        id: &[u8],
        side: Side,
        links: &Links,
        (tls, item): (Option<Kid>, Option<Digest>),
        view: &SaleView,
        (opened, now): (Moment, Moment),
    ) -> Self {
        let outcome = view.end.as_ref().map(|end| match end {
            End::Refused(code) => code.clone(),
            End::Terms(end) => end.clone(),
            End::Exchanged(outcome) => word::<Outcome>(outcome),
        });
        Self {
            id: id.to_vec(),
            side,
            deal: view.deal,
            peer: view.peer.clone(),
            at: links.peer.as_ref().map(|place| place.at.clone()).filter(|at| !at.is_empty()),
            tls,
            article: links.article.clone(),
            title: view.title.clone(),
            price: view.price,
            step: word(&view.step),
            told: view.code.map(|code| code.key().to_owned()),
            outcome,
            item,
            paid: view.is_paid,
            delivered: view.is_delivered,
            closed: view.is_closed,
            opened,
            changed: now,
        }
    }

    /// A line for the operator.
    pub(super) fn log(&self) {
        let deal = self.deal.map_or_else(|| "-".to_owned(), |deal| deal.to_string());
        let outcome = self.outcome.as_deref().unwrap_or("-");
        let told = self.told.as_deref().unwrap_or("-");
        tracing::info!(deal, step = self.step, told, outcome, paid = self.paid, closed = self.closed, "sale");
    }

    /// The change that keeps it.
    pub(super) fn keep(&self) -> RowOp {
        RowOp::put(
            SALE.name,
            Row::new()
                .with("id", self.id.clone())
                .with("side", self.side.word())
                .with("deal", self.deal)
                .with("peer", self.peer.clone())
                .with("at", self.at.clone())
                .with("tls", self.tls)
                .with("article", self.article.clone())
                .with("title", self.title.clone())
                .with("price", self.price.to_string())
                .with("step", self.step.clone())
                .with("told", self.told.clone())
                .with("outcome", self.outcome.clone())
                .with("item", self.item)
                .with("paid", self.paid)
                .with("delivered", self.delivered)
                .with("closed", self.closed)
                .with("opened_s", Value::seconds(self.opened))
                .with("changed_s", Value::seconds(self.changed)),
        )
    }

    /// Reads a row of [`SALE`].
    ///
    /// # Errors
    /// [`StoreError`] for a row that is none.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let text = |name: &str| {
            if row.is_null(name) { Ok(None) } else { row.text(name).map(|t| Some(t.to_owned())) }
        };
        let price = Money::parse(row.text("price")?);
        let side = [Side::Buyer, Side::Seller].into_iter().find(|side| row.text("side") == Ok(side.word()));
        Ok(Self {
            id: row.bytes("id")?.to_vec(),
            side: side.ok_or_else(|| StoreError::Damaged("a sale has no side".to_owned()))?,
            deal: if row.is_null("deal") { None } else { Some(DealId::from_bytes(row.array("deal")?)) },
            peer: text("peer")?,
            at: text("at")?,
            tls: if row.is_null("tls") { None } else { Some(Kid::from_bytes(row.array("tls")?)) },
            article: text("article")?,
            title: text("title")?,
            price: price.map_err(|error| StoreError::Damaged(format!("price of a sale: {error}")))?,
            step: row.text("step")?.to_owned(),
            told: text("told")?,
            outcome: text("outcome")?,
            item: if row.is_null("item") { None } else { Some(Digest::from_bytes(row.array("item")?)) },
            paid: row.count("paid")? != 0,
            delivered: row.count("delivered")? != 0,
            closed: row.count("closed")? != 0,
            opened: Moment::from_seconds(row.count("opened_s")?),
            changed: Moment::from_seconds(row.count("changed_s")?),
        })
    }
}

/// The sales, the one that changed last first.
///
/// # Errors
/// [`StoreError`].
pub async fn list(store: &impl Store) -> Result<Vec<Entry>, StoreError> {
    let query = Query::of(SALE.name).order("changed_s", Direction::Falling);
    store.query(vec![query]).await?.iter().flatten().map(Entry::from_row).collect()
}

/// The sales that are not closed.
///
/// # Errors
/// [`StoreError`].
pub async fn open(store: &impl Store) -> Result<Vec<Entry>, StoreError> {
    let query = Query::of(SALE.name).equal("closed", false);
    store.query(vec![query]).await?.iter().flatten().map(Entry::from_row).collect()
}

/// The sale of a deal.
///
/// # Errors
/// [`StoreError`].
pub async fn with_deal(store: &impl Store, deal: DealId) -> Result<Option<Entry>, StoreError> {
    let query = Query::of(SALE.name).equal("deal", deal);
    store.query(vec![query]).await?.iter().flatten().next().map(Entry::from_row).transpose()
}

/// The sale of this name.
///
/// # Errors
/// [`StoreError`].
pub async fn with_id(store: &impl Store, id: &[u8]) -> Result<Option<Entry>, StoreError> {
    let query = Query::of(SALE.name).equal("id", id.to_vec());
    store.query(vec![query]).await?.iter().flatten().next().map(Entry::from_row).transpose()
}

/// How many sales with the holder of this key of connections are not closed.
pub(super) async fn open_with(store: &impl Store, tls: Kid) -> Result<usize, StoreError> {
    let query = Query::of(SALE.name).equal("closed", false).equal("tls", tls);
    Ok(store.query(vec![query]).await?.iter().flatten().count())
}
