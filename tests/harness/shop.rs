//! The shop of a market: a real daemon with a till at the bank and files in its catalogue.

use std::path::Path;

use semper_merchant_daemon::program::Program;
use semper_supporting::certificate::Certificate;

use crate::{
    daemon::STARTING,
    failure::{Failure, Result},
    marketplace::{Marketplace, path},
    money::Till,
    person::HOST,
};

/// The certified name of the shop.
pub const NAME: &str = "Otto Shop";

/// A file that the shop is to offer.
#[derive(Clone, Copy, Debug)]
pub struct Ware<'a> {
    /// The file.
    pub file: &'a Path,
    /// What buyers see.
    pub title: &'a str,
    /// What it costs, as `XTS 6.00`.
    pub price: &'a str,
}

/// What others know of the shop.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Where it takes payments.
    pub till: Till,
    /// Its certificates, the one to sign with first.
    pub certificates: Vec<Certificate>,
    /// The names of its articles, in the order in which they were added.
    pub articles: Vec<String>,
}

impl Marketplace {
    /// Registers the shop by a letter, opens its till at the bank, which runs, puts `wares` into its catalogue,
    /// and runs it.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn open_shop(&mut self, wares: &[Ware<'_>]) -> Result<Shop> {
        let shop = self.found_shop(wares).await?;
        self.shop.start().await?;
        Ok(shop)
    }

    /// As [`Marketplace::open_shop`], and the shop is not run yet.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn found_shop(&self, wares: &[Ware<'_>]) -> Result<Shop> {
        let place = ["--organisation", NAME, "--city", "Darmstadt", "--country", "DE"];
        let about = [["--kind", "merchant"].as_slice(), &place, &["--dns", HOST]].concat();
        let letter = self.letter(NAME, &about).await?;
        let bank = self.bank_at.to_string();
        let arbiter = self.arbiter_at.to_string();
        let sells = ["--bank", bank.as_str(), "--arbiter", &arbiter];
        let init = [["init", "--name", NAME].as_slice(), &place, &sells].concat();
        self.initialise(&self.shop, &self.shop_at, &letter, &init).await?;
        let mut articles = Vec::new();
        for Ware { file, title, price } in wares {
            let words = ["catalogue", "add", path(file)?, "--title", title, "--price", price];
            let added = self.shop.done(&words).await?;
            let name = added.split_whitespace().next();
            articles.push(name.ok_or_else(|| Failure::of("not added", title))?.to_owned());
        }
        let _still = STARTING.read().await;
        let program = Program::open(self.shop.folder()).await?;
        let certificates = program.chain.own.clone();
        Ok(Shop { till: Till { purse: program.till.purse.clone() }, certificates, articles })
    }
}
