//! Buying: the wallet's sales on the engine, each with a line to its shop, and the person asked where it counts.
//!
//! ```text
//! visit a shop ─► order an article ─► a sale of the engine ─► questions ─► consent ─► signed
//!                                      │  ▲
//!                                      ▼  │ line to the shop, bank, arbiter, download, seal
//! ```
//!
//! What was begun goes on whenever the wallet is open: [`Buying::start`] gives every open sale its line again.

mod fault;
mod person;

use std::{sync::Arc, time::Duration};

use semper_archive_sqlite::SqliteArchive;
use semper_commerce::{deal::Party, sale::SaleView};
use semper_engine::{Engine, EngineError, Key, KeyedRandomness, Limits, Parts, Performer, SystemClock};
use semper_host::{Papers, chance};
use semper_supporting::{
    access::Subject,
    archive::{Batch, Guard, Query, Row, RowOp, StoreError},
    certificate::CertRole,
    comm::{address::Endpoint, session::Retry},
    crypto::{digest::Digest, keys::KeyPurpose},
    deal::DealId,
    evidence::statement::Bytes,
    money::Money,
};
use semper_trade::{
    acquaintance,
    calls::{Caller, goods::Shelf},
    order::{Customer, OrderFault, Visit},
    sale::{self, Books, Errands, KIND, LineFault, Lines, SaleHost, SaleInput, Side, carry},
};
use semper_transfer::{catalogue::Article, payment::Purse};
use tokio::{sync::watch, time::sleep};

pub use self::{fault::BuyingFault, person::Person};
use crate::{
    account::{Accounts, PURSE, keep_purse, purse_of},
    consent::Consent,
    membership::certificate_of,
    places::Places,
    preferences,
};

/// The folder of fetched and opened goods in the wallet's own.
pub const GOODS: &str = "goods";

/// The purses of the wallet, in the user's order.
#[derive(Clone, Copy, Debug)]
pub struct Purses;

/// The sales of an open wallet.
pub struct Buying {
    engine: Engine<SaleHost<Purses>>,
    accounts: Accounts,
    consent: Consent,
    caller: Caller,
    places: Places,
    lines: Lines,
    shelf: Shelf,
}

impl Books for Purses {
    fn purses(&self) -> Query {
        Query::of(PURSE.name).order("position", semper_supporting::archive::Direction::Rising)
    }

    fn read(&self, row: &Row) -> Result<Purse, StoreError> {
        purse_of(row)
    }

    fn change(&self, before: &Purse, after: &Purse) -> Result<(Guard, RowOp), StoreError> {
        let Batch { mut guards, mut rows, .. } = keep_purse(Batch::new(), before, after)?;
        match (guards.pop(), rows.pop()) {
            (Some(guard), Some(row)) => Ok((guard, row)),
            _ => Err(StoreError::Damaged("a purse is kept without a guard".to_owned())),
        }
    }
}

impl Buying {
    /// Starts the sales of the wallet whose owner gives `consent`, under the certified name that `caller` shows.
    /// What an earlier run left undone is done.
    ///
    /// # Errors
    /// [`BuyingFault`].
    pub async fn start(consent: Consent, caller: Caller) -> Result<Self, BuyingFault> {
        Self::start_by(consent, caller, |errands| errands).await
    }

    /// As [`Buying::start`]; what sales order is done by what `by` makes of its performer.
    ///
    /// # Errors
    /// [`BuyingFault`].
    pub async fn start_by<P: Performer<SaleInput>>(
        consent: Consent,
        caller: Caller,
        by: impl FnOnce(Errands<Person>) -> P,
    ) -> Result<Self, BuyingFault> {
        let wallet = Arc::clone(consent.wallet());
        let accounts = Accounts::new(consent.clone(), caller.clone())?;
        let folder = wallet.folder.join(GOODS);
        let shelf = tokio::task::spawn_blocking(move || Shelf::at(&folder)).await;
        let shelf = shelf.map_err(|error| StoreError::Failed(error.to_string()))??;
        let places = Places::load(wallet.archive.as_ref()).await?;
        let lines = Lines::default();
        let journal = wallet.key(KeyPurpose::Journal).await?;
        let host = SaleHost {
            keys: wallet.keys.clone(),
            subject: Subject::User,
            modules: (**accounts.modules()).clone(),
            books: Purses,
            journal: Some((wallet.archive.opened().id, journal)),
        };
        let performer = Errands {
            caller: caller.clone(),
            surroundings: places.surroundings,
            shelf: Some(shelf.clone()),
            lines: lines.clone(),
            user: Person::new(consent.clone(), caller.trust().clone()),
        };
        let parts = Parts {
            host,
            store: Arc::clone(&wallet.archive),
            performer: by(performer),
            clock: SystemClock,
            randomness: KeyedRandomness::new(wallet.randomness().clone()),
            limits: Limits::default(),
        };
        let engine = Engine::start(parts).await?;
        Ok(Self { engine, accounts, consent, caller, places, lines, shelf })
    }

    /// The accounts and purses that it buys from.
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Has every arbiter the wallet knows introduce itself; says how many are known then.
    ///
    /// # Errors
    /// [`BuyingFault`] of the archive. An arbiter that cannot be reached is only logged.
    pub async fn meet_arbiters(&self) -> Result<usize, BuyingFault> {
        for at in &self.places.arbiters {
            if let Err(error) = acquaintance::meet(self.store(), &self.caller, at).await {
                tracing::warn!(%at, %error, "the arbiter did not introduce itself");
            }
        }
        Ok(self.arbiters().await?.len())
    }

    /// Calls a shop and looks at it. Nothing binds.
    ///
    /// # Errors
    /// [`BuyingFault::Order`].
    pub async fn visit(&self, shop: &Endpoint) -> Result<Visit, BuyingFault> {
        Ok(Visit::of(&self.caller, shop).await.map_err(OrderFault::from)?)
    }

    /// Orders an article that was looked at; at most `ceiling` may leave, and at most what the owner prefers one deal
    /// to cost. Says which sale it is. Nothing is owed
    /// before the person has said yes to the exchange itself.
    ///
    /// # Errors
    /// [`BuyingFault`]; nothing was ordered then.
    pub async fn order(
        &self,
        visit: &Visit,
        article: &Article,
        ceiling: Option<Money>,
    ) -> Result<Key, BuyingFault> {
        let most = preferences::per_deal(&preferences::load(self.store()).await?, article.price);
        if article.price > most {
            return Err(OrderFault::Ceiling { price: article.price, ceiling: most }.into());
        }
        self.shelf.room(article.sealed, article.length).await?;
        let customer = self.customer(ceiling).await?;
        let (plan, links) = visit.order(article, &customer)?;
        let key = Key::new(KIND, chance::random::<32>()?);
        let buy = SaleInput::Buy { plan: Box::new(plan), links: Box::new(links) };
        self.engine.submit(key.clone(), buy).await?;
        Ok(key)
    }

    /// Keeps a sale's line to its shop until both sides have closed the deal.
    ///
    /// # Errors
    /// [`BuyingFault`]; the sale stays open, and [`Buying::open`] lists it.
    pub async fn carry(&self, key: &Key) -> Result<(), BuyingFault> {
        let entry = sale::with_id(self.store(), &key.id).await?.ok_or(BuyingFault::NoSale)?;
        if entry.closed {
            return Ok(());
        }
        let at = Endpoint::parse(entry.at.as_deref().unwrap_or_default(), self.places.surroundings)?;
        let expected = entry.tls.ok_or(BuyingFault::NoSale)?;
        let mut retry = Retry::default();
        loop {
            let line = self.caller.line(&at, CertRole::Merchant);
            match carry(&self.engine, key, line, expected, &self.lines).await {
                Err(LineFault::Engine(error)) if !matches!(error, EngineError::Closed) => {
                    // The shop sends again what was not taken, once there is a new line.
                    tracing::warn!(%error, "something of a sale was not taken");
                    let pause = retry.after_failure(u64::from_be_bytes(chance::random()?));
                    sleep(Duration::from_millis(pause.as_millis())).await;
                }
                other => return Ok(other?),
            }
        }
    }

    /// The sales that are not closed.
    ///
    /// # Errors
    /// [`BuyingFault::Store`].
    pub async fn open(&self) -> Result<Vec<Key>, BuyingFault> {
        let open = sale::open(self.store()).await?;
        let bought = open.into_iter().filter(|entry| entry.side == Side::Buyer);
        Ok(bought.map(|entry| Key::new(KIND, entry.id)).collect())
    }

    /// Where a sale stands, now and from now on.
    ///
    /// # Errors
    /// [`BuyingFault::Engine`].
    pub async fn watch(&self, key: &Key) -> Result<watch::Receiver<Option<SaleView>>, BuyingFault> {
        Ok(self.engine.watch(key).await?)
    }

    /// Gives a sale up: before the exchange is agreed nothing is owed, after it the arbiter is asked.
    ///
    /// # Errors
    /// [`BuyingFault::Engine`].
    pub async fn give_up(&self, key: &Key) -> Result<(), BuyingFault> {
        self.engine.submit(key.clone(), SaleInput::Stop).await?;
        Ok(())
    }

    /// Where the file is that was bought in a deal; nothing if there is none, or not yet.
    ///
    /// # Errors
    /// [`BuyingFault::Store`].
    pub async fn item(&self, deal: DealId) -> Result<Option<(Digest, std::path::PathBuf)>, BuyingFault> {
        let Some(entry) = sale::with_deal(self.store(), deal).await? else { return Ok(None) };
        let Some(hash) = entry.item else { return Ok(None) };
        Ok(self.shelf.item(&hash).map(|path| (hash, path)))
    }

    /// Stops: what is under way is finished, and the rest is taken up at the next start.
    pub async fn stop(self) {
        self.engine.shutdown().await;
    }

    async fn arbiters(&self) -> Result<Vec<acquaintance::Acquaintance>, BuyingFault> {
        let trust = self.caller.trust().snapshot();
        let known = acquaintance::known(self.store(), &self.places.arbiters, &trust, chance::now());
        let mut known = known.await?;
        let preferences = preferences::load(self.store()).await?;
        known.retain(|one| preferences::may_decide(&preferences, &one.at));
        Ok(known)
    }

    /// What the owner brings to a purchase under the certified name.
    async fn customer(&self, ceiling: Option<Money>) -> Result<Customer, BuyingFault> {
        let wallet = self.consent.wallet();
        let papers = Papers::load(self.store()).await?;
        let (sign, auth) = (wallet.key(KeyPurpose::Sign).await?, wallet.key(KeyPurpose::Auth).await?);
        let own = certificate_of(&papers, sign.kid()).ok_or(BuyingFault::NotRegistered)?;
        let content = semper_supporting::certificate::inspect(own)?;
        let me = Party {
            certificate: own.digest(),
            key: wallet.keys.public(&sign)?,
            tls: auth.kid(),
            name: Some(content.subject.common_name),
        };
        let chain = std::iter::once(own).chain(&papers.above);
        let chain = chain.map(|certificate| Bytes(certificate.der().to_vec())).collect();
        let purses = self.accounts.purses().await?;
        let accounts = self.accounts.accounts().await?;
        let banks = accounts.iter().filter_map(|account| {
            let purse = purses.iter().find(|purse| purse.bank.kid() == account.bank)?;
            let at = account.address(self.places.surroundings).ok()?;
            Some((account.certificate, (purse.bank, at.to_string())))
        });
        Ok(Customer {
            me,
            chain,
            arbiters: self.arbiters().await?,
            banks: banks.collect(),
            currencies: purses.iter().map(Purse::currency).collect(),
            ceiling,
            locale: "en".to_owned(),
        })
    }

    fn store(&self) -> &SqliteArchive {
        self.consent.wallet().archive.as_ref()
    }
}

impl std::fmt::Debug for Buying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Buying(…)")
    }
}
