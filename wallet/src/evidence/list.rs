//! The deals that evidence is kept of.

use std::collections::BTreeMap;

use semper_supporting::{
    archive::{
        Query, Store, StoreError,
        record::{EVIDENCE, EvidenceRecord},
    },
    deal::DealId,
    time::Moment,
};
use semper_tinguin::texts::{Msg, Texts};
use semper_trade::{
    calls::goods::{GoodsFault, Shelf},
    sale::{self, Side},
};
use serde::Serialize;

use super::all;
use crate::{buying::GOODS, fault::WalletFault, wallet::Wallet};

/// What is kept of one deal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Holding {
    /// The deal.
    pub deal: DealId,
    /// How many statements.
    pub statements: u32,
    /// When the first came or was made here.
    pub first: Moment,
    /// When the last did.
    pub last: Moment,
    /// How many of each type.
    pub types: BTreeMap<String, u32>,
    /// What has become of the file that was bought; nothing before [`look`], or where none was.
    pub file: Option<Stored>,
}

/// What has become of a stored file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stored {
    /// It is what was received.
    Whole,
    /// It is not there any more.
    Missing,
    /// It differs from what was received.
    Damaged,
}

impl Stored {
    /// Says to a person what is wrong with it, if anything is.
    pub fn say(self, texts: &Texts) -> Option<String> {
        let (what, standing, advice) = match self {
            Self::Whole => return None,
            Self::Missing => (Msg::ItemMissing, Msg::ItemMissingStanding, Msg::ItemMissingAdvice),
            Self::Damaged => (Msg::ItemDamaged, Msg::ItemDamagedStanding, Msg::ItemDamagedAdvice),
        };
        let [what, standing, advice] = [what, standing, advice].map(|text| texts.get(text));
        Some(texts.get(Msg::EvidenceFile { what: &what, standing: &standing, advice: &advice }))
    }
}

/// Looks what has become of the files that were bought in these deals. Reads all of them.
///
/// # Errors
/// [`WalletFault`]; [`WalletFault::Goods`] if one cannot be read.
pub async fn look(wallet: &Wallet, holdings: &mut [Holding]) -> Result<(), WalletFault> {
    let shelf = Shelf::at(&wallet.folder.join(GOODS))?;
    for holding in holdings {
        let sale = sale::with_deal(wallet.archive.as_ref(), holding.deal).await?;
        let bought = sale.filter(|sale| sale.side == Side::Buyer && sale.delivered);
        let Some(item) = bought.and_then(|sale| sale.item) else { continue };
        holding.file = Some(match shelf.check_item(item).await {
            Ok(()) => Stored::Whole,
            Err(GoodsFault::Missing(_)) => Stored::Missing,
            Err(GoodsFault::Changed(_)) => Stored::Damaged,
            Err(other) => return Err(other.into()),
        });
    }
    Ok(())
}

/// Lists the deals that have evidence, the latest last.
///
/// # Errors
/// [`StoreError`].
pub async fn list<S: Store>(store: &S) -> Result<Vec<Holding>, StoreError> {
    let mut deals: BTreeMap<DealId, Holding> = BTreeMap::new();
    for row in all(store, &EVIDENCE, Query::of(EVIDENCE.name)).await? {
        let record = EvidenceRecord::from_row(&row)?;
        let Some(deal) = record.deal else { continue };
        let (at, types) = (record.at, BTreeMap::new());
        let holding = deals.entry(deal).or_insert(Holding {
            deal,
            statements: 0,
            first: at,
            last: at,
            types,
            file: None,
        });
        holding.statements = holding.statements.saturating_add(1);
        holding.first = holding.first.min(at);
        holding.last = holding.last.max(at);
        let count = holding.types.entry(record.kind).or_default();
        *count = count.saturating_add(1);
    }
    let mut holdings: Vec<_> = deals.into_values().collect();
    holdings.sort_by_key(|holding| (holding.last, holding.deal));
    Ok(holdings)
}
