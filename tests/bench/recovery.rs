//! How long a shop takes to stand again after a kill, with many sales open.
//!
//! One real sale is left in the midst, where the buyer has bound itself and its bank does not answer: the shop waits for
//! the payment. The shop is killed, the rows of that sale are written so many times under other names, and the shop is
//! started and killed once more, so that what is measured is the start after a kill: of the shipped daemon, from the
//! start of its process until it takes calls.

use std::{sync::Arc, time::Instant};

use semper_commerce::sale::SaleStep;
use semper_engine::{Effect, Key, Performed, Performer};
use semper_merchant_daemon::program::Program;
use semper_supporting::{
    archive::{Batch, Query, Row, RowOp, Store as _},
    wire,
};
use semper_tests::{Failure, Marketplace, Result, Shopper, buyer::Buyer, daemon::PATIENCE, shop::NAME};
use semper_trade::sale::{self, Errand, Errands, KIND, SaleInput};
use semper_transfer::catalogue::ArticleId;
use semper_wallet::buying::Person;
use serde::Serialize;
use tokio::time::timeout;

use crate::{measure::Effort, sale::PRICE};

/// What a start after a kill took.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Recovery {
    /// How many sales were open.
    pub(crate) open: u32,
    /// The bytes of the state of each.
    pub(crate) state_bytes: usize,
    /// From the start of the process until it took calls, in seconds.
    pub(crate) started_s: f64,
}

/// The tables of the engine whose rows belong to an instance, and are named by its kind and its own name.
const ROWS: [&str; 4] = ["engine_instance", "engine_mark", "engine_outbox", "engine_timer"];
/// How many sales are written at once.
const BATCH: usize = 250;

/// Measures it. The shop runs afterwards, and has these sales.
///
/// # Errors
/// [`Failure`] if the sale does not get so far, or the shop does not start.
pub(crate) async fn measure(
    market: &mut Marketplace,
    (buyer, article): &(Buyer, String),
    effort: Effort,
) -> Result<Recovery> {
    stand(market, buyer, article).await?;
    market.shop.kill().await?;
    let state_bytes = multiply(market, effort.open).await?;
    market.shop.start().await?;
    market.shop.kill().await?;
    let begun = Instant::now();
    market.shop.start().await?;
    let started_s = begun.elapsed().as_secs_f64();
    let deals: Vec<serde_json::Value> = serde_json::from_str(&market.shop.done(&["deals", "--json"]).await?)?;
    let open = deals.iter().filter(|deal| deal["closed"] == false).count();
    let open = u32::try_from(open)?;
    if open != effort.open {
        return Err(Failure::of("open sales at the shop", open));
    }
    Ok(Recovery { open, state_bytes, started_s })
}

/// Performs what a wallet orders, except that nothing is heard from its bank.
struct Bankless(Errands<Person>);

impl Performer<SaleInput> for Bankless {
    async fn perform(&self, key: &Key, effect: &Effect, attempt: u32) -> Performed<SaleInput> {
        match wire::decode(&effect.body, wire::STATE_LIMIT) {
            Ok(Errand::Bank { .. }) => std::future::pending().await,
            _ => self.0.perform(key, effect, attempt).await,
        }
    }
}

/// Leaves a sale where the shop waits for the payment.
async fn stand(market: &Marketplace, buyer: &Buyer, article: &str) -> Result<()> {
    let shopper = Shopper::again(&buyer.profile).await?;
    let buying = shopper.buying_by(Bankless).await?;
    let article = ArticleId::parse(article).map_err(|error| Failure::of("the article", error))?;
    let mut visit = buying.visit(&market.shop_at).await?;
    let found = visit.article(article).await.map_err(|fault| Failure::of("the shop", fault))?;
    shopper.expect_deal(NAME);
    shopper.expect_exchange(NAME, PRICE);
    let key = buying.order(&visit, &found, None).await?;
    let waits = async {
        let mut view = buying.watch(&key).await?;
        view.wait_for(|view| view.as_ref().is_some_and(|view| view.step == SaleStep::Paying)).await?;
        // ACCEPT is on its way to the shop.
        loop {
            let deals: Vec<serde_json::Value> =
                serde_json::from_str(&market.shop.done(&["deals", "--json"]).await?)?;
            if deals.iter().any(|deal| deal["step"] == "paying" && deal["closed"] == false) {
                return Ok::<_, Failure>(());
            }
        }
    };
    let waited = tokio::select! {
        waited = timeout(PATIENCE, waits) => waited.map_err(|_| Failure::new("the shop does not wait for a payment"))?,
        ended = buying.carry(&key) => Err(Failure::of("the sale ended", format!("{ended:?}"))),
    };
    buying.stop().await;
    shopper.end().await;
    waited
}

/// Writes the rows of the shop's one open sale under other names, until there are `count` of them; tells how many
/// bytes its state has.
async fn multiply(market: &Marketplace, count: u32) -> Result<usize> {
    let program = Program::open(market.shop.folder()).await?;
    let store = Arc::clone(&program.store);
    let open = sale::open(&*store).await?;
    let id = open.first().ok_or_else(|| Failure::new("no sale is open"))?.id.clone();
    let mut rows: Vec<(&'static str, Row)> = Vec::new();
    for table in ROWS {
        let query = Query::of(table).equal("kind", KIND).equal("id", id.clone());
        let found = store.query(vec![query]).await?;
        rows.extend(found.into_iter().flatten().map(|row| (table, row)));
    }
    let entry = store.query(vec![Query::of(sale::SALE.name).equal("id", id.clone())]).await?;
    let entry = entry.into_iter().flatten().next().ok_or_else(|| Failure::new("the sale is in no list"))?;
    let state = rows.iter().find(|(table, _)| *table == ROWS[0]);
    let state_bytes = state.map(|(_, row)| row.bytes("state").map(<[u8]>::len)).transpose()?;
    let names: Vec<u32> = (1..count).collect();
    for names in names.chunks(BATCH) {
        let mut batch = Batch::new();
        for name in names {
            let name = name.to_be_bytes().repeat(8);
            let copies =
                rows.iter().map(|(table, row)| RowOp::insert(table, row.clone().with("id", name.clone())));
            batch = copies.fold(batch, Batch::row);
            let listed = entry.clone().with("id", name.clone()).with("deal", name);
            batch = batch.row(RowOp::insert(sale::SALE.name, listed));
        }
        for done in store.commit(vec![batch]).await {
            done?;
        }
    }
    state_bytes.ok_or_else(|| Failure::new("the sale has no state"))
}
