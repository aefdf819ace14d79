//! Offers of the pages: made when somebody orders there, bound to whoever claims them first, lapsed if nobody does.
//!
//! ```text
//! waiting --claim--> claimed, by one key for good
//!    +----- time --> lapsed
//! ```
//!
//! Such an offer is an invitation to one: what binds the shop is the offer that it signs in the deal.
//!
//! Whoever loads a page can have an offer made, so that one costs little: a row, and no line of the journal. There are
//! never more than [`WAITING`] of them waiting. A claim is made by a certified wallet and leaves its line.

use semper_commerce::handover::{Claim, HandoverFault, PairingCode, Reference};
use semper_host::{
    chance::{self, NoChance},
    record::{commit, entry},
};
use semper_supporting::{
    archive::{
        Batch, Column, Direction, Guard, Query, Relation, Row, RowOp, Store, StoreError, Table, Value,
        journal::{Class, Kind as Detail},
    },
    crypto::signature::Kid,
    time::{Moment, Span},
};
use semper_trade::sale::{self, SALE};
use semper_transfer::catalogue::ArticleId;

use super::fresh_claim;

/// One row an offer.
pub const OFFER: Table = Table {
    name: "offer",
    columns: &[
        Column::text("reference"),
        Column::text("claim"),
        Column::text("view"),
        Column::text("sku"),
        Column::bytes("article"),
        Column::integer("made_s"),
        Column::integer("expires_s"),
        Column::bytes("claimed_by").optional(),
        Column::integer("claimed_s").optional(),
    ],
    key: &["reference"],
    unique: &[&["view"]],
    indexes: &[&["claimed_by", "expires_s"]],
};

/// How many offers may wait for their claims at once.
pub const WAITING: u32 = 1000;
/// How long a lapsed offer is kept, so that its page can say what became of it.
const KEPT: Span = Span::hours(24);
/// How many that are not kept any longer go whenever one is made.
const SWEPT: u32 = 100;

/// An offer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Offer {
    /// Its name in links, which people can read to each other.
    pub reference: Reference,
    /// The claim on it.
    pub claim: Claim,
    /// The name of its page, which nobody guesses.
    pub view: String,
    /// The number of the article.
    pub sku: String,
    /// The article.
    pub article: ArticleId,
    /// When it was made.
    pub made: Moment,
    /// Until when it can be claimed.
    pub expires: Moment,
    /// Whose it is, and since when: the key of the connection over which it was claimed.
    pub claimed: Option<(Kid, Moment)>,
}

/// What became of an offer, as its page says it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// It waits for a wallet.
    Waiting,
    /// A wallet has claimed it.
    Claimed,
    /// The sale is under way.
    UnderWay,
    /// Paid and delivered.
    Delivered,
    /// The sale ended without goods and money changing hands for good.
    Ended,
    /// Nobody has claimed it in time.
    Lapsed,
}

/// Why an offer is not made.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// So many wait already.
    #[error("{WAITING} offers wait for a wallet")]
    Busy,
    /// The archive refuses.
    #[error("the archive: {0}")]
    Store(#[from] StoreError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
}

/// Why an offer is not claimed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The wallet is told so.
    #[error(transparent)]
    Refused(#[from] HandoverFault),
    /// The archive refuses.
    #[error("the archive: {0}")]
    Store(#[from] StoreError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
}

/// What a claim came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claimed {
    /// The offer.
    pub offer: Offer,
    /// Whether the same key had claimed it before.
    pub again: bool,
}

impl Offer {
    /// The code that its page and the trusted window both show.
    pub fn code(&self) -> PairingCode {
        PairingCode::of(&self.reference, &self.claim)
    }

    fn row(&self) -> Row {
        Row::new()
            .with("reference", self.reference.as_str())
            .with("claim", self.claim.reveal())
            .with("view", self.view.clone())
            .with("sku", self.sku.clone())
            .with("article", *self.article.as_bytes())
            .with("made_s", Value::seconds(self.made))
            .with("expires_s", Value::seconds(self.expires))
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let damaged = |error: HandoverFault| StoreError::Damaged(format!("an offer: {error}"));
        let claimed = if row.is_null("claimed_by") {
            None
        } else {
            let key = Kid::from_bytes(row.array("claimed_by")?);
            Some((key, Moment::from_seconds(row.count("claimed_s")?)))
        };
        Ok(Self {
            reference: Reference::new(row.text("reference")?).map_err(damaged)?,
            claim: Claim::parse(row.text("claim")?).map_err(damaged)?,
            view: row.text("view")?.to_owned(),
            sku: row.text("sku")?.to_owned(),
            article: ArticleId::from_bytes(row.array("article")?),
            made: Moment::from_seconds(row.count("made_s")?),
            expires: Moment::from_seconds(row.count("expires_s")?),
            claimed,
        })
    }
}

/// Makes an offer of an article that waits for `patience`.
///
/// # Errors
/// [`OfferError`]; none was made.
pub async fn make(
    store: &impl Store,
    sku: &str,
    article: ArticleId,
    patience: Span,
    now: Moment,
) -> Result<Offer, OfferError> {
    let waiting = Query::of(OFFER.name).equal("claimed_by", Value::Null);
    let current = waiting.clone().when("expires_s", Relation::Greater, Value::seconds(now)).limit(WAITING);
    let old = waiting.when("expires_s", Relation::Less, Value::seconds(now.before(KEPT))).limit(SWEPT);
    let [current, old]: [Vec<Row>; 2] =
        store.query(vec![current, old]).await?.try_into().map_err(|_| StoreError::Closed)?;
    if current.len() >= usize::try_from(WAITING).unwrap_or(usize::MAX) {
        return Err(OfferError::Busy);
    }
    let now = now.whole_seconds();
    let offer = Offer {
        reference: Reference::from_random(chance::random()?),
        claim: fresh_claim()?,
        view: fresh_claim()?.reveal().to_owned(),
        sku: sku.to_owned(),
        article,
        made: now,
        expires: now.after(patience),
        claimed: None,
    };
    let mut batch = Batch::new().row(RowOp::insert(OFFER.name, offer.row()));
    for row in &old {
        batch = batch.row(RowOp::delete(OFFER.name, vec![row.text("reference")?.into()]));
    }
    commit(store, batch).await?;
    Ok(offer)
}

/// The offer whose page has this name.
///
/// # Errors
/// [`StoreError`].
pub async fn of_view(store: &impl Store, view: &str) -> Result<Option<Offer>, StoreError> {
    one(store, Query::of(OFFER.name).equal("view", view)).await
}

/// Claims an offer for the holder of `key`: the first claim binds it, and only the same key finds it again.
///
/// # Errors
/// [`ClaimError::Refused`] with [`HandoverFault::Unknown`] also where the claim is wrong, so that nobody learns which
/// offers there are; [`HandoverFault::Claimed`], [`HandoverFault::Lapsed`]. Nothing has changed then.
pub async fn claim(
    store: &impl Store,
    reference: &Reference,
    claim: &Claim,
    key: &Kid,
    now: Moment,
) -> Result<Claimed, ClaimError> {
    let query = || Query::of(OFFER.name).equal("reference", reference.as_str());
    // Digests are compared, so that the time it takes tells nothing of the claim.
    let rightful = |offer: &Offer| offer.claim.digest() == claim.digest();
    let mut found = one(store, query()).await?.filter(rightful).ok_or(HandoverFault::Unknown)?;
    if found.claimed.is_none() {
        if now > found.expires {
            return Err(HandoverFault::Lapsed.into());
        }
        let row = vec![Value::from(reference.as_str())];
        let set = Row::new().with("claimed_by", *key.as_bytes()).with("claimed_s", Value::seconds(now));
        let line = format!("offer {reference} of article {} by {key}", found.article);
        let batch = Batch::new()
            .guard(Guard::equals("offer.waiting", OFFER.name, row.clone(), "claimed_by", Value::Null))
            .row(RowOp::update(OFFER.name, row, set))
            .entry(entry(Detail::of(Class::Received, "offer-claimed"), line, now)?);
        match commit(store, batch).await {
            Ok(()) => {
                tracing::info!(offer = %reference, article = %found.article, "offer claimed");
                found.claimed = Some((*key, now.whole_seconds()));
                return Ok(Claimed { offer: found, again: false });
            }
            // Somebody was faster.
            Err(StoreError::Guard(_)) => {
                found = one(store, query()).await?.ok_or(HandoverFault::Unknown)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    match &found.claimed {
        Some((holder, _)) if holder == key => Ok(Claimed { offer: found, again: true }),
        _ => Err(HandoverFault::Claimed.into()),
    }
}

/// What became of an offer: its own state, and that of the sale to whoever claimed it.
///
/// # Errors
/// [`StoreError`].
pub async fn progress(store: &impl Store, offer: &Offer, now: Moment) -> Result<Progress, StoreError> {
    let Some((key, since)) = &offer.claimed else {
        return Ok(if now > offer.expires { Progress::Lapsed } else { Progress::Waiting });
    };
    let query = Query::of(SALE.name)
        .equal("article", offer.article.to_string())
        .equal("tls", *key.as_bytes())
        .when("opened_s", Relation::AtLeast, Value::seconds(*since))
        .order("opened_s", Direction::Rising)
        .limit(1);
    let rows = store.query(vec![query]).await?.concat();
    let Some(sale) = rows.first().map(sale::Entry::from_row).transpose()? else {
        return Ok(Progress::Claimed);
    };
    Ok(match sale.outcome.as_deref() {
        Some("done") => Progress::Delivered,
        Some(_) => Progress::Ended,
        None if sale.paid && sale.delivered => Progress::Delivered,
        None => Progress::UnderWay,
    })
}

async fn one(store: &impl Store, query: Query) -> Result<Option<Offer>, StoreError> {
    store.query(vec![query]).await?.iter().flatten().next().map(Offer::from_row).transpose()
}
