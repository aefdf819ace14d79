//! One market, one article and one shopper for many sales.

use std::{fs, path::PathBuf, sync::Arc};

use semper_commerce::{
    deal::Outcome,
    sale::{End, SaleStep, SaleView},
};
use semper_engine::Key;
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
use semper_wallet::buying::{Buying, GOODS};
use serde_json::Value;
use tokio::{task::JoinHandle, time::timeout};

/// Who buys.
pub(crate) const NAME: &str = "Ines Ortmann";
/// What the article costs.
pub(crate) const PRICE: &str = "XTS 0.25";
/// What is in the purse at first.
pub(crate) const LOADED: &str = "XTS 90.00";

/// Who dies.
pub(crate) type Who = fn(&mut Marketplace) -> &mut Daemon;

/// Everything a series of sales needs.
pub(crate) struct Scene<'a> {
    pub(crate) market: &'a mut Marketplace,
    _shopper: Shopper,
    buying: Arc<Buying>,
    purse: PurseId,
    article: Article,
    content: Vec<u8>,
    /// How many sales there were.
    pub(crate) sold: u64,
}

/// A sale under way.
struct Sale {
    key: Key,
    line: JoinHandle<Result<()>>,
}

impl<'a> Scene<'a> {
    pub(crate) async fn set(market: &'a mut Marketplace) -> Result<Self> {
        let content = content();
        let article = offer(market, &content).await?;
        let article = ArticleId::parse(&article).map_err(|error| Failure::of(&article, error))?;
        let shopper = market.shopper(NAME).await?;
        let purse = shopper.furnish(&market.bank_at, &market.arbiter_at, LOADED).await?;
        shopper.may_expect(shop::NAME, PRICE);
        let buying = Arc::new(shopper.buying().await?);
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

    /// As [`Scene::every`], for the arbiter, in sales where the shop falls silent once it is paid.
    pub(crate) async fn every_arbitration(&mut self, side: Side) -> Result<u64> {
        for at in 1.. {
            let doom = Doom { side, at };
            let died = self.arbitrate(doom).await.map_err(|why| Failure::of(&doom.to_string(), why))?;
            if !died {
                return Ok(at - 1);
            }
        }
        Err(Failure::new("no sale ends"))
    }

    /// One sale with this doom; tells whether the process died.
    async fn sell(&mut self, who: Who, doom: Doom) -> Result<bool> {
        let mut sale = self.begin(who, doom).await?;
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
        let died = self.risen(who, is_closed).await?;
        if !is_closed {
            self.closed(&mut sale).await?;
        }
        if !self.view(&sale).await?.is_closed {
            return Err(Failure::new("the deal is not closed"));
        }
        self.check(&sale).await?;
        if self.shelf().join("sealed").join(self.article.sealed.to_string()).exists() {
            return Err(Failure::new("the sealed goods are left behind"));
        }
        Ok(died)
    }

    /// One sale that the arbiter, with this doom, has to end; tells whether the arbiter died.
    async fn arbitrate(&mut self, doom: Doom) -> Result<bool> {
        let bank: Who = |market| &mut market.bank;
        let arbiter: Who = |market| &mut market.arbiter;
        // The bank is away at the moment of the payment, and when it is back the shop is.
        let sale = self.begin(bank, Doom { side: Side::Before, at: 1 }).await?;
        if timeout(PATIENCE, self.market.bank.gone()).await.is_err() {
            return Err(self.stuck(&sale).await);
        }
        self.market.bank.ended().await?;
        self.market.shop.stop().await?;
        self.market.bank.start_doomed().await?;
        let mut view = self.buying.watch(&sale.key).await?;
        let mut reach = async |is_there: fn(&SaleView) -> bool| {
            let reached = view.wait_for(|view| view.as_ref().is_some_and(is_there));
            timeout(PATIENCE, reached).await.is_ok_and(|reached| reached.is_ok())
        };
        if !reach(|view| view.step == SaleStep::Delivering).await {
            return Err(self.stuck(&sale).await);
        }
        self.market.arbiter.doom(doom).await?;
        self.buying.give_up(&sale.key).await?;
        let is_ended = tokio::select! {
            gone = self.market.arbiter.gone() => { gone?; false }
            ended = reach(|view| view.end.is_some()) => ended,
        };
        let died = self.risen(arbiter, is_ended).await?;
        if !is_ended && !reach(|view| view.end.is_some()).await {
            return Err(self.stuck(&sale).await);
        }
        self.check(&sale).await?;
        // The shop learns of it when it is back. It waits for the buyer's last word for a day, and closes then.
        self.market.shop.start().await?;
        shop_says(self.market, |deal| deal["paid"] == true).await?;
        sale.line.abort();
        Ok(died)
    }

    /// Orders the article, while the process of `who` has this doom.
    async fn begin(&mut self, who: Who, doom: Doom) -> Result<Sale> {
        let visit = self.buying.visit(&self.market.shop_at).await?;
        who(self.market).doom(doom).await?;
        let key = self.buying.order(&visit, &self.article, None).await?;
        let (buying, carried) = (Arc::clone(&self.buying), key.clone());
        let line = tokio::spawn(async move { Ok(buying.carry(&carried).await?) });
        self.sold += 1;
        Ok(Sale { key, line })
    }

    /// Starts the process of `who` again if it is gone, or spares it; tells which.
    async fn risen(&mut self, who: Who, stands: bool) -> Result<bool> {
        if stands && who(self.market).spare().await?.is_some() {
            return Ok(false);
        }
        who(self.market).ended().await?;
        who(self.market).start_doomed().await?;
        Ok(true)
    }

    /// Waits until both sides have closed the deal.
    async fn closed(&self, sale: &mut Sale) -> Result<()> {
        match timeout(PATIENCE, &mut sale.line).await {
            Ok(closed) => closed?,
            Err(_) => Err(self.stuck(sale).await),
        }
    }

    /// The buyer's end of a sale, and the money.
    async fn check(&self, sale: &Sale) -> Result<()> {
        let view = self.view(sale).await?;
        let is_done = view.end == Some(End::Exchanged(Outcome::Done));
        if !(is_done && view.is_paid && view.is_delivered) {
            return Err(Failure::of("the buyer's side", format!("{view:?}")));
        }
        // The next sale fetches the goods anew.
        let item = self.shelf().join("items").join(self.article.plain.to_string());
        if fs::read(&item).map_err(|error| Failure::of("the goods", error))? != self.content {
            return Err(Failure::new("the goods are not what was sold"));
        }
        fs::remove_file(item)?;
        let left = self.buying.accounts().inspect(self.purse).await?.available();
        if left.minor() + self.sold * money(PRICE)?.minor() != money(LOADED)?.minor() {
            return Err(Failure::of("after so many sales the purse holds", format!("{left} {}", self.sold)));
        }
        self.market.must_be_clean().await
    }

    /// Where the wallet keeps goods.
    fn shelf(&self) -> PathBuf {
        self.market.folder(NAME).join(GOODS)
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

/// What is sold.
pub(crate) fn content() -> Vec<u8> {
    (0..80_000_u32).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes()).collect()
}

/// Opens the shop with one article of this content; gives its name.
pub(crate) async fn offer(market: &mut Marketplace, content: &[u8]) -> Result<String> {
    let file = market.folder("colours.pdf");
    fs::write(&file, content)?;
    let ware = Ware { file: &file, title: "Colour management", price: PRICE };
    let shop = market.open_shop(&[ware]).await?;
    shop.articles.into_iter().next().ok_or_else(|| Failure::new("nothing is offered"))
}

/// Waits until the shop has closed every deal, and checks that it got what it was owed in each.
pub(crate) async fn shop_is_done(market: &Marketplace, sold: u64) -> Result<()> {
    let deals = shop_says(market, |deal| deal["closed"] == true).await?;
    let is_done =
        |deal: &&Value| deal["outcome"] == "done" && deal["paid"] == true && deal["delivered"] == true;
    let done = deals.iter().filter(is_done).count();
    if u64::try_from(done)? == sold && done == deals.len() {
        return Ok(());
    }
    Err(Failure::of("the shop's side", format!("{sold} sales, {deals:#?}")))
}

/// Waits until the shop says this of each of its deals.
async fn shop_says(market: &Marketplace, is_so: fn(&Value) -> bool) -> Result<Vec<Value>> {
    let said = async {
        loop {
            let deals = market.shop.done(&["deals", "--json"]).await?;
            let deals: Vec<Value> = serde_json::from_str(&deals)?;
            if deals.iter().all(is_so) {
                return Ok::<_, Failure>(deals);
            }
        }
    };
    timeout(PATIENCE, said).await.map_err(|_| Failure::new("the shop does not come to it"))?
}
