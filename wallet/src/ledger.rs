//! The sales and the money of a wallet as its archive has them now: what home shows, and whose names stand in
//! the live log.

use std::collections::BTreeSet;

use semper_commerce::sale::Timer;
use semper_engine::{EngineError, Key, stored, undone};
use semper_exchange::deadlines;
use semper_supporting::{
    archive::{Direction, Query, Store, StoreError},
    time::Moment,
};
use semper_trade::sale::{Entry, KIND, SALE, Trader};
use semper_transfer::payment::Purse;

use crate::account::purses;

/// The sales and the money of a wallet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ledger {
    /// The sales that are not closed, and those that changed last, this one first.
    pub sales: Vec<Sale>,
    /// The purses, in the user's order.
    pub purses: Vec<Purse>,
}

/// A sale, as far as a window shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sale {
    /// Its line in the register.
    pub entry: Entry,
    /// Whether a question about it waits for the user.
    pub asks: bool,
    /// Until when what is awaited now is awaited at most.
    pub until: Option<Moment>,
}

/// To whom an effect goes that is a question to the user.
const USER: &str = "user";
/// How many sales are known besides those that are open. Older ones stay in the archive.
const KNOWN: u32 = 500;

impl Ledger {
    /// Reads them.
    ///
    /// # Errors
    /// [`EngineError`] if the archive cannot be read.
    pub async fn read(store: &impl Store) -> Result<Self, EngineError> {
        let newest = Query::of(SALE.name).order("changed_s", Direction::Falling);
        let open = newest.clone().equal("closed", false);
        let rows = store.query(vec![open, newest.limit(KNOWN)]).await?;
        let entries: Result<Vec<Entry>, StoreError> = rows.iter().flatten().map(Entry::from_row).collect();
        let mut seen = BTreeSet::new();
        let mut sales = Vec::new();
        for entry in entries? {
            if seen.insert(entry.id.clone()) {
                sales.push(Sale::of(entry, store).await?);
            }
        }
        sales.sort_by_key(|sale| std::cmp::Reverse(sale.entry.changed));
        Ok(Self { sales, purses: purses(store).await? })
    }

    /// How many sales wait for an answer of the user.
    pub fn questions(&self) -> usize {
        self.sales.iter().filter(|sale| sale.asks).count()
    }
}

impl Sale {
    async fn of(entry: Entry, store: &impl Store) -> Result<Self, EngineError> {
        if entry.closed {
            return Ok(Self { entry, asks: false, until: None });
        }
        let key = Key::new(KIND, entry.id.clone());
        let asks = undone(store, &key).await?.iter().any(|effect| effect.to == USER);
        let trader: Option<Trader> = stored(store, &key).await?;
        let awaited = match entry.step.as_str() {
            "offering" | "deciding" => Some(Timer::Exchange(deadlines::Timer::Accept)),
            "delivering" => Some(Timer::Exchange(deadlines::Timer::Item)),
            _ => None,
        };
        let until = trader.zip(awaited).and_then(|(trader, timer)| trader.view().due.get(&timer).copied());
        Ok(Self { entry, asks, until })
    }
}
