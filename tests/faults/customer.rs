//! A customer behind wires of his own, who buys one article again and again.

use std::{fs, path::PathBuf, sync::Arc};

use semper_commerce::{
    deal::Outcome,
    sale::{End, SaleStep, SaleView},
};
use semper_engine::{Key, Performer};
use semper_tests::{
    Failure, Marketplace, Result, Shopper,
    daemon::PATIENCE,
    money::money,
    shop,
    wire::{Fall, Knife, Wire},
};
use semper_trade::{
    order::Visit,
    sale::{Errands, SaleInput},
};
use semper_transfer::{
    catalogue::{Article, ArticleId},
    payment::PurseId,
};
use semper_wallet::buying::{Buying, GOODS, Person};
use tokio::{task::JoinHandle, time::timeout};

/// What the article costs.
pub(crate) const PRICE: &str = "XTS 0.25";
/// What is in a purse at first.
const LOADED: &str = "XTS 90.00";

/// A customer, and the wires to everybody.
pub(crate) struct Customer {
    pub(crate) shop: Wire,
    pub(crate) bank: Wire,
    pub(crate) arbiter: Wire,
    folder: PathBuf,
    shopper: Shopper,
    buying: Arc<Buying>,
    purse: PurseId,
    visit: Visit,
    article: Article,
    content: Vec<u8>,
    /// How many sales there were.
    pub(crate) bought: u64,
}

impl Customer {
    /// Registers, opens a purse and looks at the article. What sales order goes through what `by` makes.
    pub(crate) async fn found<P: Performer<SaleInput>>(
        market: &Marketplace,
        (name, article, content): (&str, &str, &[u8]),
        by: impl FnOnce(Errands<Person>, Knife) -> P,
    ) -> Result<Self> {
        let shop = Wire::to(&market.shop_at).await?;
        let (bank, arbiter) = (Wire::to(&market.bank_at).await?, Wire::to(&market.arbiter_at).await?);
        let shopper = market.shopper(name).await?;
        let purse = shopper.furnish(&bank.at, &arbiter.at, LOADED).await?;
        shopper.may_expect(shop::NAME, PRICE);
        let knife = shop.knife();
        let buying = Arc::new(shopper.buying_by(|errands| by(errands, knife)).await?);
        buying.meet_arbiters().await?;
        let article = ArticleId::parse(article).map_err(|error| Failure::of(article, error))?;
        let mut visit = buying.visit(&shop.at).await?;
        let article = visit.article(article).await?;
        // What it has seen of the shop is enough for every sale.
        shop.knife().cut();
        let (folder, content) = (market.folder(name), content.to_vec());
        Ok(Self { shop, bank, arbiter, folder, shopper, buying, purse, visit, article, content, bought: 0 })
    }

    /// Buys with a wire that falls at each `step`th record from `first` on, before it and within it, until a sale
    /// ends before the wire falls. Tells how often it fell.
    pub(crate) async fn each_record(
        &mut self,
        (name, wire): (&str, fn(&Self) -> &Wire),
        (first, step): (u64, usize),
    ) -> Result<u64> {
        let mut falls = 0;
        for fall in [Fall::Before, Fall::Within] {
            for record in (first..).step_by(step) {
                let fall = fall(record);
                let knife = wire(self).knife();
                let mut sale = self.order(Some((knife.clone(), fall))).await?;
                let closed = self.close(&mut sale).await;
                let has_fallen = knife.has_fallen();
                let checked = match closed {
                    Ok(()) => self.check(&sale).await,
                    failed => failed,
                };
                checked.map_err(|why| Failure::of(&format!("the wire to the {name}, {fall:?}"), why))?;
                if !has_fallen {
                    break;
                }
                falls += 1;
            }
        }
        Ok(falls)
    }

    /// Buys once.
    pub(crate) async fn buy(&mut self) -> Result<()> {
        let mut sale = self.order(None).await?;
        self.close(&mut sale).await?;
        self.check(&sale).await
    }

    /// Pays while the shop is gone, has the arbiter end the sale over a wire that falls there, and closes the deal
    /// once the shop is back. Tells whether the wire fell.
    pub(crate) async fn arbitrate(&mut self, fall: Fall) -> Result<bool> {
        let (shop, bank, arbiter) = (self.shop.knife(), self.bank.knife(), self.arbiter.knife());
        bank.down();
        let mut sale = self.order(None).await?;
        self.reach(&sale, |view| view.step == SaleStep::Paying).await?;
        shop.down();
        bank.up();
        self.reach(&sale, |view| view.step == SaleStep::Delivering).await?;
        arbiter.fall(fall);
        self.buying.give_up(&sale.key).await?;
        self.reach(&sale, |view| view.end.is_some()).await?;
        let has_fallen = arbiter.has_fallen();
        self.check(&sale).await?;
        shop.up();
        // The shop learns it from the buyer's last word, and closes the deal.
        self.close(&mut sale).await?;
        Ok(has_fallen)
    }

    async fn order(&mut self, fall: Option<(Knife, Fall)>) -> Result<Sale> {
        if let Some((knife, fall)) = fall {
            knife.fall(fall);
        }
        let key = self.buying.order(&self.visit, &self.article, None).await?;
        let (buying, carried) = (Arc::clone(&self.buying), key.clone());
        let line = tokio::spawn(async move { Ok(buying.carry(&carried).await?) });
        self.bought += 1;
        Ok(Sale { key, line })
    }

    /// Waits until both sides have closed the deal.
    async fn close(&self, sale: &mut Sale) -> Result<()> {
        match timeout(PATIENCE, &mut sale.line).await {
            Ok(closed) => closed?,
            Err(_) => Err(Failure::of("the sale does not end", format!("{:?}", self.view(sale).await?))),
        }
    }

    async fn reach(&self, sale: &Sale, is_there: fn(&SaleView) -> bool) -> Result<()> {
        let mut view = self.buying.watch(&sale.key).await?;
        let reached = view.wait_for(|view| view.as_ref().is_some_and(is_there));
        if timeout(PATIENCE, reached).await.is_ok_and(|reached| reached.is_ok()) {
            return Ok(());
        }
        Err(Failure::of("the sale does not go on", format!("{:?}", self.view(sale).await?)))
    }

    /// The buyer's end of a sale, and the money: paid once.
    async fn check(&self, sale: &Sale) -> Result<()> {
        let view = self.view(sale).await?;
        let is_done = view.end == Some(End::Exchanged(Outcome::Done));
        if !(is_done && view.is_paid && view.is_delivered) {
            return Err(Failure::of("the buyer's side", format!("{view:?}")));
        }
        // The next sale fetches the goods anew.
        let item = self.folder.join(GOODS).join("items").join(self.article.plain.to_string());
        if fs::read(&item).map_err(|error| Failure::of("the goods", error))? != self.content {
            return Err(Failure::new("the goods are not what was sold"));
        }
        fs::remove_file(item)?;
        let left = self.buying.accounts().inspect(self.purse).await?.available();
        if left.minor() + self.bought * money(PRICE)?.minor() != money(LOADED)?.minor() {
            return Err(Failure::of("the purse holds", format!("{left} after {} sales", self.bought)));
        }
        Ok(())
    }

    async fn view(&self, sale: &Sale) -> Result<SaleView> {
        let view = self.buying.watch(&sale.key).await?.borrow().clone();
        view.ok_or_else(|| Failure::new("no such sale"))
    }

    /// Ends the wallet.
    pub(crate) async fn leave(self) {
        if let Ok(buying) = Arc::try_unwrap(self.buying) {
            buying.stop().await;
        }
        self.shopper.end().await;
    }
}

/// A sale under way.
struct Sale {
    key: Key,
    line: JoinHandle<Result<()>>,
}
