//! One market, one article and one shopper for many sales.

use std::fs;

use semper_commerce::{
    deal::Outcome,
    sale::{End, SaleView},
};
use semper_engine::Key;
use semper_supporting::money::Currency;
use semper_tests::{
    Daemon, Failure, Marketplace, Result, Shopper, Ware,
    daemon::PATIENCE,
    doom::{Doom, Side},
    money::money,
    shop,
};
use semper_transfer::{
    catalogue::{Article, ArticleId},
    payment::PurseId,
};
use semper_wallet::{buying::Buying, places::Places};
use tokio::{task::JoinHandle, time::timeout};

/// Who buys.
const NAME: &str = "Ines Ortmann";
/// What the article costs.
const PRICE: &str = "XTS 0.25";
/// What is in the purse at first.
const LOADED: &str = "XTS 90.00";

/// Who dies.
pub(crate) type Who = fn(&mut Marketplace) -> &mut Daemon;

/// Everything a series of sales needs.
pub(crate) struct Scene<'a> {
    pub(crate) market: &'a mut Marketplace,
    _shopper: Shopper,
    buying: std::sync::Arc<Buying>,
    purse: PurseId,
    article: Article,
    content: Vec<u8>,
    /// How many sales there were.
    sold: u64,
}

/// A sale under way.
struct Sale {
    key: Key,
    line: JoinHandle<Result<()>>,
}

impl<'a> Scene<'a> {
    pub(crate) async fn set(market: &'a mut Marketplace) -> Result<Self> {
        let content: Vec<u8> =
            (0..80_000_u32).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes()).collect();
        let file = market.folder("colours.pdf");
        fs::write(&file, &content)?;
        let ware = Ware { file: &file, title: "Colour management", price: PRICE };
        let shop = market.open_shop(&[ware]).await?;
        let article = shop.articles.first().ok_or_else(|| Failure::new("nothing is offered"))?;
        let article = ArticleId::parse(article).map_err(|error| Failure::of(article, error))?;
        let shopper = market.shopper(NAME).await?;
        let store = shopper.wallet.archive.as_ref();
        let mut places = Places::load(store).await?;
        places.banks = vec![market.bank_at.clone()];
        places.arbiters = vec![market.arbiter_at.clone()];
        places.keep(store).await?;
        let accounts = shopper.accounts().await?;
        shopper.expect_opening();
        let purse = accounts.open(&market.bank_at, "Purse", Currency::XTS).await?.id;
        shopper.expect_load(LOADED);
        accounts.load(purse, money(LOADED)?).await?;
        shopper.may_expect(shop::NAME, PRICE);
        let buying = std::sync::Arc::new(shopper.buying().await?);
        buying.meet_arbiters().await?;
        let article = buying.visit(&market.shop_at).await?.article(article).await?;
        Ok(Self { market, _shopper: shopper, buying, purse, article, content, sold: 0 })
    }

    /// Has the process of `who` die at each of its transactions in a sale, on this side, until a sale ends before
    /// it would. Tells how many times it died.
    pub(crate) async fn every(&mut self, who: Who, side: Side) -> Result<u64> {
        for at in 1.. {
            let doom = Doom { side, at };
            let died = self.sell(who, doom).await.map_err(|why| Failure::of(&doom.to_string(), why))?;
            if !died {
                return Ok(at - 1);
            }
        }
        Err(Failure::new("no sale ends"))
    }

    /// One sale with this doom; tells whether the process died.
    async fn sell(&mut self, who: Who, doom: Doom) -> Result<bool> {
        let visit = self.buying.visit(&self.market.shop_at).await?;
        who(self.market).doom(doom).await?;
        let key = self.buying.order(&visit, &self.article, None).await?;
        drop(visit);
        let (buying, carried) = (self.buying.clone(), key.clone());
        let line = tokio::spawn(async move { Ok(buying.carry(&carried).await?) });
        let mut sale = Sale { key, line };
        let is_closed = tokio::select! {
            gone = who(self.market).gone() => { gone?; false }
            closed = timeout(PATIENCE, &mut sale.line) => {
                match closed {
                    Ok(closed) => closed??,
                    Err(_) => return Err(self.stuck(&sale).await),
                }
                true
            }
        };
        // After the buyer has heard everything, the process may still have to write something down.
        let died = !is_closed || who(self.market).spare().await?.is_none();
        if died {
            who(self.market).ended().await?;
            who(self.market).start_doomed().await?;
        }
        if !is_closed {
            match timeout(PATIENCE, &mut sale.line).await {
                Ok(closed) => closed??,
                Err(_) => return Err(self.stuck(&sale).await),
            }
        }
        self.sold += 1;
        self.check(&sale).await?;
        Ok(died)
    }

    /// The buyer's end of a sale, and the money.
    async fn check(&self, sale: &Sale) -> Result<()> {
        let view = self.view(sale).await?;
        let is_done = view.end == Some(End::Exchanged(Outcome::Done));
        if !(is_done && view.is_paid && view.is_delivered && view.is_closed) {
            return Err(Failure::of("the buyer's side", format!("{view:?}")));
        }
        // The next sale fetches the goods anew.
        let shelf = self.market.folder(NAME).join(semper_wallet::buying::GOODS);
        let item = shelf.join("items").join(self.article.plain.to_string());
        if fs::read(&item).map_err(|error| Failure::of("the goods", error))? != self.content {
            return Err(Failure::new("the goods are not what was sold"));
        }
        fs::remove_file(item)?;
        fs::remove_file(shelf.join("sealed").join(self.article.sealed.to_string()))?;
        let left = self.buying.accounts().inspect(self.purse).await?.available();
        if left.minor() + self.sold * money(PRICE)?.minor() != money(LOADED)?.minor() {
            return Err(Failure::of("after so many sales the purse holds", format!("{left} {}", self.sold)));
        }
        self.market.must_be_clean().await
    }

    /// Waits until the shop has closed every deal, and checks that it got what it was owed in each.
    pub(crate) async fn shop_is_done(&self) -> Result<()> {
        let closed = async {
            loop {
                let deals = self.market.shop.done(&["deals", "--json"]).await?;
                let deals: Vec<serde_json::Value> = serde_json::from_str(&deals)?;
                if deals.iter().all(|deal| deal["closed"] == true) {
                    return Ok::<_, Failure>(deals);
                }
            }
        };
        let deals =
            timeout(PATIENCE, closed).await.map_err(|_| Failure::new("the shop does not close"))??;
        let is_done = |deal: &&serde_json::Value| {
            deal["outcome"] == "done" && deal["paid"] == true && deal["delivered"] == true
        };
        let done = deals.iter().filter(is_done).count();
        if u64::try_from(done)? == self.sold && done == deals.len() {
            return Ok(());
        }
        Err(Failure::of("the shop's side", format!("{} sales, {deals:#?}", self.sold)))
    }

    async fn view(&self, sale: &Sale) -> Result<SaleView> {
        let view = self.buying.watch(&sale.key).await?.borrow().clone();
        view.ok_or_else(|| Failure::new("no such sale"))
    }

    async fn stuck(&self, sale: &Sale) -> Failure {
        match self.view(sale).await {
            Ok(view) => Failure::of("the sale does not end", format!("{view:?}")),
            Err(why) => why,
        }
    }
}
