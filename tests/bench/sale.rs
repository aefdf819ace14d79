//! Whole fair sales between processes that run: how long the machines take, and what it costs each of them.
//!
//! Authority, bank, arbiter and shop are daemons of the same build. The buyer is this process: the library of the
//! wallet, and somebody who reads its prompts and takes no time for it.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use semper_archive_sqlite::Watch;
use semper_commerce::sale::SaleView;
use semper_engine::Key;
use semper_supporting::{
    archive::{Direction, Query, Relation, Store as _, Value, journal},
    tinguin::Critical,
};
use semper_tests::{
    Failure, Marketplace, Result, Shopper, Ware, buyer::Buyer, marketplace::GIFT, shop::NAME,
};
use semper_transfer::catalogue::ArticleId;
use semper_wallet::buying::Buying;
use serde::Serialize;

use crate::measure::{Cpu, Spread, spread};

/// The length of what is sold, in bytes.
pub(crate) const GOODS: usize = 64 << 10;
/// What it costs: a thousand of them can be paid from the purse.
pub(crate) const PRICE: &str = "XTS 0.10";
/// How many sales warm the programs up.
const FIRST: u32 = 2;
/// The most sales that are measured.
pub(crate) const MOST: u32 = 900;

/// What sales took.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sales {
    /// How many were measured.
    pub(crate) count: u32,
    /// The length of what was sold, in bytes.
    pub(crate) goods_bytes: usize,
    /// From the end of the payment prompt until the goods are stored.
    pub(crate) paid_to_stored_ms: Spread,
    /// From the look at the shop until both sides have closed the deal.
    pub(crate) whole_ms: Spread,
    /// How often the buyer waited for the shop between the prompt and the goods; the most of any sale.
    pub(crate) round_trips_to_shop: usize,
    /// How often it waited for its bank meanwhile; the most of any sale.
    pub(crate) round_trips_to_bank: usize,
    /// How many transactions the buyer's archive made durable for each sale.
    pub(crate) commits_of_buyer: f64,
    /// CPU time of each process for each sale.
    pub(crate) cpu_ms: Processes,
}

/// Counts the transactions of an archive.
#[derive(Clone, Debug, Default)]
struct Transactions(Arc<AtomicU64>);

impl Watch for Transactions {
    fn before(&self) {}

    fn after(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// CPU time of each process for each sale.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Processes {
    /// The wallet's library and its user.
    pub(crate) buyer: Cpu,
    /// The merchant's daemon.
    pub(crate) shop: Cpu,
    /// The bank's.
    pub(crate) bank: Cpu,
    /// The arbiter's, which is asked nothing.
    pub(crate) arbiter: Cpu,
}

/// What one sale took.
struct Sale {
    paid_to_stored: f64,
    whole: f64,
    round_trips: (usize, usize),
}

/// Sets a market up in which nothing is sold yet.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn open(market: &mut Option<Marketplace>) -> Result<(Buyer, String)> {
    let market = market.insert(Marketplace::with_authority().await?);
    market.found_bank().await?;
    market.open_arbiter().await?;
    market.bank.start().await?;
    let file = market.folder("goods.bin");
    fs::write(&file, (0..GOODS).map(|at| (at % 253) as u8).collect::<Vec<_>>())?;
    let shop = market.open_shop(&[Ware { file: &file, title: "A file of 64 KiB", price: PRICE }]).await?;
    let buyer = Buyer::found(market, "Ada Weber", GIFT).await?;
    let article = shop.articles.first().cloned().ok_or_else(|| Failure::new("nothing is sold"))?;
    Ok((buyer, article))
}

/// Buys the article so many times, one sale after the other.
///
/// # Errors
/// [`Failure`] if a sale does not end as it should.
pub(crate) async fn measure(
    market: &Marketplace,
    (buyer, article): &(Buyer, String),
    count: u32,
) -> Result<Sales> {
    let shopper = Shopper::again(&buyer.profile).await?;
    let transactions = Transactions::default();
    shopper.wallet.archive.watch(transactions.clone());
    let buying = shopper.buying().await?;
    let scene = Scene { market, shopper: &shopper, buying: &buying, article };
    for _ in 0..FIRST {
        scene.buy().await?;
    }
    let (before, written) = (Processes::look(market)?, transactions.0.load(Ordering::Relaxed));
    let mut sales = Vec::new();
    for _ in 0..count {
        sales.push(scene.buy().await?);
    }
    let cpu_ms = Processes::look(market)?.each(before, count);
    let written = transactions.0.load(Ordering::Relaxed) - written;
    buying.stop().await;
    shopper.end().await;
    let all = |of: fn(&Sale) -> f64| sales.iter().map(of).collect::<Vec<_>>();
    let most = |of: fn(&Sale) -> usize| sales.iter().map(of).max().unwrap_or_default();
    Ok(Sales {
        count,
        goods_bytes: GOODS,
        paid_to_stored_ms: spread(&all(|sale| sale.paid_to_stored)),
        whole_ms: spread(&all(|sale| sale.whole)),
        round_trips_to_shop: most(|sale| sale.round_trips.0),
        round_trips_to_bank: most(|sale| sale.round_trips.1),
        commits_of_buyer: written as f64 / f64::from(count),
        cpu_ms,
    })
}

struct Scene<'a> {
    market: &'a Marketplace,
    shopper: &'a Shopper,
    buying: &'a Buying,
    article: &'a str,
}

impl Scene<'_> {
    /// One sale, from the look at the shop until both sides have closed the deal.
    async fn buy(&self) -> Result<Sale> {
        let Self { market, shopper, buying, article } = self;
        let head = self.head().await?;
        let article = ArticleId::parse(article).map_err(|error| Failure::of("the article", error))?;
        let start = Instant::now();
        let mut visit = buying.visit(&market.shop_at).await?;
        let found = visit.article(article).await.map_err(|fault| Failure::of("the shop", fault))?;
        shopper.expect_deal(NAME);
        shopper.expect_exchange(NAME, PRICE);
        let key = buying.order(&visit, &found, None).await?;
        drop(visit);
        let (carried, stored) = tokio::join!(buying.carry(&key), self.stored(&key));
        carried?;
        let (whole, (stored, view)) = (start.elapsed(), stored?);
        shopper.ui.must_be_satisfied()?;
        let paid = shopper.ui.confirmed(Critical::Exchange);
        let paid = paid.ok_or_else(|| Failure::new("nobody was asked about the exchange"))?;
        let deal = view.deal.ok_or_else(|| Failure::new("no deal"))?;
        let item = buying.item(deal).await?.ok_or_else(|| Failure::new("the goods are not there"))?;
        let round_trips = self.round_trips(head).await?;
        clear(&item.1)?;
        Ok(Sale {
            paid_to_stored: stored.duration_since(paid).as_secs_f64() * 1e3,
            whole: whole.as_secs_f64() * 1e3,
            round_trips,
        })
    }

    /// When the goods were opened and on the disk, by the wallet's own record of it.
    async fn stored(&self, key: &Key) -> Result<(Instant, SaleView)> {
        let mut view = self.buying.watch(key).await?;
        let stored = |view: &Option<SaleView>| {
            view.as_ref().is_some_and(|view| view.is_delivered || view.end.is_some())
        };
        let view = view.wait_for(stored).await?.clone();
        let at = Instant::now();
        match view {
            Some(view) if view.is_delivered => Ok((at, view)),
            view => Err(Failure::of("the sale ended", format!("{view:?}"))),
        }
    }

    /// The number of the newest entry of the wallet's journal.
    async fn head(&self) -> Result<i64> {
        let newest = Query::of(journal::TABLE.name).order("seq", Direction::Falling).limit(1);
        let rows = self.shopper.wallet.archive.query(vec![newest]).await?;
        Ok(rows.iter().flatten().next().map(|row| row.integer("seq")).transpose()?.unwrap_or_default())
    }

    async fn round_trips(&self, head: i64) -> Result<(usize, usize)> {
        let since = Query::of(journal::TABLE.name).when("seq", Relation::Greater, Value::from(head));
        let rows = self.shopper.wallet.archive.query(vec![since]).await?;
        let kinds = rows.iter().flatten().map(|row| Ok(row.text("kind")?.to_owned()));
        let kinds = kinds.collect::<Result<Vec<_>>>()?;
        Ok(round_trips(kinds.iter().map(String::as_str)))
    }
}

/// How often the wallet heard from the shop and from the bank after it had said something, between the signature
/// under ACCEPT and the goods: by the kinds of the entries of its journal.
fn round_trips<'a>(kinds: impl Iterator<Item = &'a str>) -> (usize, usize) {
    let (mut shop, mut bank, mut said) = (0, 0, true);
    let part = kinds.skip_while(|kind| *kind != "sent/x/gxv/accept");
    for kind in part.take_while(|kind| *kind != "decision/sale/opened") {
        match kind {
            "decision/sale/signed" => said = true,
            "decision/sale/bank" => bank += 1,
            "decision/sale/frame" if said => (said, shop) = (false, shop + 1),
            _ => {}
        }
    }
    (shop, bank)
}

/// Takes the goods off the shelf, opened and sealed: the next sale is to fetch and open them again.
fn clear(item: &Path) -> Result<()> {
    let shelf = item.parent().and_then(Path::parent).ok_or_else(|| Failure::new("goods lie on a shelf"))?;
    for folder in ["items", "sealed"] {
        for file in fs::read_dir(shelf.join(folder))? {
            fs::remove_file(file?.path())?;
        }
    }
    Ok(())
}

impl Processes {
    fn look(market: &Marketplace) -> Result<Self> {
        let of = |id: Option<u32>| Cpu::of(id.ok_or_else(|| Failure::new("a daemon does not run"))?);
        Ok(Self {
            buyer: Cpu::of(std::process::id())?,
            shop: of(market.shop.id())?,
            bank: of(market.bank.id())?,
            arbiter: of(market.arbiter.id())?,
        })
    }

    fn each(self, before: Self, count: u32) -> Self {
        Self {
            buyer: self.buyer.each(before.buyer, count),
            shop: self.shop.each(before.shop, count),
            bank: self.bank.each(before.bank, count),
            arbiter: self.arbiter.each(before.arbiter, count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_is_counted_where_something_was_said_before() {
        let part = ["sent/x/gxv/accept", "decision/sale/bank", "decision/sale/signed", "sent/x/gxv/moved"];
        let heard =
            ["decision/sale/frame", "decision/sale/frame", "decision/sale/opened", "decision/sale/frame"];
        let before = ["decision/sale/signed", "decision/sale/frame", "decision/sale/bank"];
        let all = before.into_iter().chain(part).chain(heard);
        assert_eq!(round_trips(all), (1, 1));
        assert_eq!(round_trips(before.into_iter()), (0, 0));
    }
}
