//! What the shop sells, on the engine: its tills, its plan for each deal, and the counter where buyers come.

use std::{collections::BTreeMap, sync::Arc};

use semper_archive_sqlite::SqliteArchive;
use semper_commerce::{
    deal::{DealPropose, House, Party, Range, Ranges},
    sale::{self, SellerPlan},
};
use semper_engine::{Engine, KeyedRandomness, Limits, Parts, Performer, SystemClock};
use semper_supporting::{
    archive::{Guard, Query, Row, RowOp, StoreError},
    crypto::keys::KeyPurpose,
    deal::{Anonymity, Confidentiality, EvidenceLevel},
    evidence::statement::Bytes,
    time::Span,
    wire,
};
use semper_trade::{
    acquaintance::{self, Acquaintance},
    calls::Caller,
    sale::{Books, Counter, Errands, Lines, Links, Place, SaleHost, SaleInput, Shop, Unattended},
};
use semper_transfer::{catalogue::ArticleId, payment::Purse};

use crate::{
    catalogue,
    program::{Program, ProgramError, operator},
    till::{self, TILL},
};

/// How long a deal lasts at most.
const LIFETIME: Span = Span::days(30);
/// The modules of its deals: fair exchange, and the payment system of its till.
const MODULES: [&str; 2] = ["exchange/gxv", "payment/sim"];

/// The counter of this shop.
pub type Sales = Counter<Tills, SqliteArchive, Goods>;

/// The shop's one till as the purse that its sales use.
#[derive(Clone, Copy, Debug)]
pub struct Tills;

/// The catalogue as what sales are made of.
#[derive(Debug)]
pub struct Goods {
    program: Arc<Program>,
}

impl Books for Tills {
    fn purses(&self) -> Query {
        Query::of(TILL.name)
    }

    fn read(&self, row: &Row) -> Result<Purse, StoreError> {
        let damaged = |error| StoreError::Damaged(format!("the till: {error}"));
        wire::decode(row.bytes("purse")?, wire::STATE_LIMIT).map_err(damaged)
    }

    fn change(&self, before: &Purse, after: &Purse) -> Result<(Guard, RowOp), StoreError> {
        let encode = |purse: &Purse| {
            wire::encode(purse, wire::STATE_LIMIT)
                .map_err(|error| StoreError::Damaged(format!("the till: {error}")))
        };
        let key = vec![0_i64.into()];
        let guard = Guard::equals("till.changed", TILL.name, key.clone(), "purse", encode(before)?);
        Ok((guard, RowOp::update(TILL.name, key, Row::new().with("purse", encode(after)?))))
    }
}

/// Opens the counter, and takes up the sales that an earlier run left open.
///
/// `around` makes what performs the errands of the sales out of what the shop would perform them by.
///
/// # Errors
/// [`ProgramError`].
pub async fn open<P: Performer<SaleInput>>(
    program: Arc<Program>,
    caller: Caller,
    around: impl FnOnce(Errands<Unattended>) -> P,
) -> Result<Sales, ProgramError> {
    let lines = Lines::default();
    let keys = &program.keys;
    let journal = keys.one(&*program.store, &operator(), KeyPurpose::Journal, semper_host::now()).await?;
    let host = SaleHost {
        keys: program.keys.clone(),
        subject: operator(),
        modules: till::modules().map_err(till::TillError::from)?,
        books: Tills,
        journal: Some((program.store.opened().id, journal)),
    };
    let surroundings = program.config.surroundings();
    let errands = Errands { caller, surroundings, shelf: None, lines: lines.clone(), user: Unattended };
    let performer = around(errands);
    let parts = Parts {
        host,
        store: Arc::clone(&program.store),
        performer,
        clock: SystemClock,
        randomness: KeyedRandomness::new(program.randomness().clone()),
        limits: Limits::default(),
    };
    let engine = Engine::start(parts).await?;
    let (store, trust) = (Arc::clone(&program.store), program.trust.clone());
    Ok(Counter { engine, store, shop: Goods { program }, trust, lines })
}

/// Has every arbiter of the configuration introduce itself; tells how many are known now.
pub async fn meet(program: &Program, caller: &Caller) -> usize {
    let configured = program.config.arbiters().unwrap_or_default();
    for at in &configured {
        if let Err(error) = acquaintance::meet(&*program.store, caller, at).await {
            tracing::warn!(%at, %error, "the arbiter did not introduce itself");
        }
    }
    known(program).await.len()
}

/// Whether every arbiter of the configuration is known.
pub async fn knows_all(program: &Program) -> bool {
    known(program).await.len() == program.config.arbiters.len()
}

async fn known(program: &Program) -> Vec<Acquaintance> {
    let at = program.config.arbiters().unwrap_or_default();
    let trust = program.trust.snapshot();
    acquaintance::known(&*program.store, &at, &trust, semper_host::now()).await.unwrap_or_else(|error| {
        tracing::error!(%error, "the archive does not answer");
        Vec::new()
    })
}

impl Shop for Goods {
    async fn sells(&self, proposal: &DealPropose) -> Result<(SellerPlan, Links), &'static str> {
        let program = &*self.program;
        let wanted = proposal.invite.as_deref().and_then(|id| ArticleId::parse(id).ok());
        let wanted = wanted.ok_or("deal.invite")?;
        let found = catalogue::find(&*program.store, wanted).await.map_err(|error| {
            tracing::error!(%error, "the archive does not answer");
            "net.busy"
        })?;
        let article = found.filter(|article| article.withdrawn.is_none()).ok_or("deal.invite")?;
        let arbiters = known(program).await;
        if arbiters.is_empty() {
            tracing::error!("nothing is sold: no arbiter is known");
            return Err("deal.third-party");
        }
        let key = article.key.open(program.wrapping()).map_err(|error| {
            tracing::error!(%error, article = %article.id, "the key of an article cannot be opened");
            "internal"
        })?;
        let own = program.chain.own.first().ok_or("internal")?;
        let public = program.keys.public(&program.key).map_err(|_| "internal")?;
        let me = Party {
            certificate: own.digest(),
            key: public,
            tls: public.kid(),
            name: Some(program.config.name.clone()),
        };
        let chain = std::iter::once(own).chain(&program.chain.above);
        let chain = chain.map(|certificate| Bytes(certificate.der().to_vec())).collect();
        let house = House {
            me,
            terms: None,
            ranges: ranges(&arbiters, program),
            modules: MODULES.map(str::to_owned).to_vec(),
            lifetime: LIFETIME,
        };
        let plan = SellerPlan {
            house,
            chain,
            goods: sale::Goods { description: article.description(), key },
            price: article.price,
            arbiters: arbiters.iter().map(Acquaintance::arbiter).collect(),
            banks: BTreeMap::from([(program.till.bank, program.till.purse.bank)]),
            deadlines: program.config.deadlines.deadlines(),
        };
        let bank = Place { at: program.config.bank.clone(), chain: Vec::new() };
        let links = Links {
            article: Some(article.id.to_string()),
            peer: None,
            arbiters: arbiters.iter().map(Acquaintance::place).collect(),
            banks: BTreeMap::from([(program.till.purse.bank.kid(), bank)]),
        };
        Ok((plan, links))
    }
}

/// What the shop can do: it shows its name and wants the buyer's, proves everything, and takes its till's money.
fn ranges(arbiters: &[Acquaintance], program: &Program) -> Ranges {
    Ranges {
        anonymity_peer: Range::only(Anonymity::Identified),
        anonymity_bank: Range::only(Anonymity::Identified),
        anonymity_third: Range::only(Anonymity::Identified),
        network_hidden: Range::only(false),
        confidentiality: Range::only(Confidentiality::Channel),
        evidence: Range::only(EvidenceLevel::Full),
        currency: vec![program.config.currency()],
        third_party: arbiters.iter().map(Acquaintance::terms).collect(),
    }
}
