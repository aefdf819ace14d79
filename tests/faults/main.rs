//! Wherever a connection falls in a sale, and whatever is lost, doubled or late: the sale comes to the same end. The
//! money moves once, the goods arrive, and every cent is accounted for.
#![cfg(test)]

mod customer;

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use semper_engine::Key;
use semper_supporting::crypto::digest::Digest;
use semper_tests::{
    Chaos, Failure, Marketplace, Result, Ware,
    chaos::{DEEDS, Line},
    daemon::PATIENCE,
    marketplace::long_trial,
    programs::CHEATING_SHOP,
    wire::{Fall, Knife},
};
use serde_json::Value;
use tokio::{task::JoinSet, time::timeout};

use customer::{Customer, PRICE};

/// How long all sales of one trial may take.
const LIMIT: Duration = Duration::from_secs(600);
/// How many buy at the same time, each over wires of its own.
const CUSTOMERS: [&str; 3] = ["Ines Ortmann", "Jan Petersen", "Kaya Roth"];
/// How many sales are made over a line that mistreats messages, by each customer.
const CHAOTIC: u32 = 6;

/// Opens the shop with one article; gives its name and content.
async fn offer(market: &mut Marketplace) -> Result<(String, Vec<u8>)> {
    let content: Vec<u8> = (0..10_000_u32).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes()).collect();
    let file = market.folder("colours.pdf");
    fs::write(&file, &content)?;
    let shop = market.open_shop(&[Ware { file: &file, title: "Colour management", price: PRICE }]).await?;
    let article = shop.articles.into_iter().next().ok_or_else(|| Failure::new("nothing is offered"))?;
    Ok((article, content))
}

async fn customers(market: &Marketplace, article: &str, content: &[u8]) -> Result<Vec<Customer>> {
    let mut all = Vec::new();
    for name in CUSTOMERS {
        all.push(Customer::found(market, (name, article, content), |errands, _| errands).await?);
    }
    Ok(all)
}

/// The shop has sold as often as was bought, was paid each time, and the audit finds nothing.
async fn all_is_well(market: &Marketplace, bought: u64) -> Result<()> {
    let said = async {
        // The shop may still have the last word of a buyer to read.
        loop {
            let deals: Vec<Value> = serde_json::from_str(&market.shop.done(&["deals", "--json"]).await?)?;
            if deals.iter().all(|deal| deal["closed"] == true) {
                return Ok::<_, Failure>(deals);
            }
        }
    };
    let deals = timeout(PATIENCE, said).await.map_err(|_| Failure::new("the shop does not close"))??;
    let is_done =
        |deal: &&Value| deal["paid"] == true && deal["delivered"] == true && deal["outcome"] == "done";
    let done = deals.iter().filter(is_done).count();
    if u64::try_from(done)? != bought || done != deals.len() {
        return Err(Failure::of("the shop's side", format!("{bought} sales, {deals:#?}")));
    }
    market.must_be_clean().await
}

async fn nobody_asked_the_arbiter(market: &Marketplace) -> Result<()> {
    let cases = market.arbiter.done(&["cases", "--json"]).await?;
    if cases.trim() == "[]" { Ok(()) } else { Err(Failure::of("the arbiter was asked", cases)) }
}

#[expect(clippy::print_stderr, reason = "how thorough the trial was")]
fn show(line: &str) {
    eprintln!("{line}");
}

#[test]
fn connections_to_shop_and_bank_may_fall_at_every_message() {
    long_trial(LIMIT, async |market| {
        let (article, content) = offer(market).await?;
        let mut falling = JoinSet::new();
        for (first, mut customer) in (1..).zip(customers(market, &article, &content).await?) {
            falling.spawn(async move {
                let records = (first, CUSTOMERS.len());
                let shop = customer.each_record(("shop", |customer| &customer.shop), records).await?;
                let bank = customer.each_record(("bank", |customer| &customer.bank), records).await?;
                let bought = customer.bought;
                customer.leave().await;
                Ok::<_, Failure>((bought, shop, bank))
            });
        }
        let (mut bought, mut shop, mut bank) = (0, 0, 0);
        while let Some(fallen) = falling.join_next().await {
            let own = fallen??;
            (bought, shop, bank) = (bought + own.0, shop + own.1, bank + own.2);
        }
        show(&format!("{bought} sales: the shop's wire fell {shop} times, the bank's {bank} times"));
        // Each sale has a dozen messages to and from the shop, the goods, and a conversation with the bank; each
        // connection has its handshake and its greeting.
        if shop < 60 || bank < 16 {
            return Err(Failure::new("too few falls"));
        }
        nobody_asked_the_arbiter(market).await?;
        all_is_well(market, bought).await
    });
}

#[test]
fn a_connection_to_the_arbiter_may_fall_at_every_message() {
    long_trial(LIMIT, async |market| {
        let (article, content) = offer(market).await?;
        let mut falling = JoinSet::new();
        for (first, mut customer) in (1..).zip(customers(market, &article, &content).await?) {
            falling.spawn(async move {
                let mut falls = 0_u64;
                for fall in [Fall::Before, Fall::Within] {
                    for record in (first..).step_by(CUSTOMERS.len()) {
                        let fall = fall(record);
                        let fell = customer.arbitrate(fall).await;
                        if !fell.map_err(|why| Failure::of(&format!("{fall:?}"), why))? {
                            break;
                        }
                        falls += 1;
                    }
                }
                customer.leave().await;
                Ok::<_, Failure>(falls)
            });
        }
        let mut sum = 0;
        while let Some(falls) = falling.join_next().await {
            sum += falls??;
        }
        show(&format!("the arbiter's wire fell {sum} times"));
        if sum < 18 {
            return Err(Failure::new("too few falls"));
        }
        market.must_be_clean().await
    });
}

/// What was done to messages, and how often.
type Deeds = BTreeMap<&'static str, usize>;

/// A customer's line to the shop, for chaos.
struct ToShop {
    name: &'static str,
    knife: Knife,
    deeds: Arc<Mutex<Deeds>>,
}

impl Line for ToShop {
    async fn partner(&self, _: &Key) -> String {
        self.name.to_owned()
    }

    fn cut(&self, _: &Key) {
        self.knife.cut();
    }

    fn did(&self, _: &str, deed: &'static str) {
        *self.deeds.lock().unwrap_or_else(PoisonError::into_inner).entry(deed).or_default() += 1;
    }
}

#[test]
fn messages_may_be_lost_late_and_doubled_in_both_directions() {
    long_trial(LIMIT, async |market| {
        let seed = match std::env::var("SEMPER_SEED") {
            Ok(seed) => seed,
            Err(_) => Digest::of(&semper_host::random::<32>()?).to_string(),
        };
        show(&format!("SEMPER_SEED={seed}"));
        let (article, content) = offer(market).await?;
        market.shop.stop().await?;
        market.shop.start_by(CHEATING_SHOP, &["--chaos", &format!("{seed} shop")]).await?;
        let of_buyers = Arc::<Mutex<Deeds>>::default();
        let mut trading = JoinSet::new();
        for name in CUSTOMERS {
            let deeds = Arc::clone(&of_buyers);
            let by = |errands, knife| Chaos::new(errands, ToShop { name, knife, deeds }, &seed);
            let mut customer = Customer::found(market, (name, &article, &content), by).await?;
            trading.spawn(async move {
                for sale in 1..=CHAOTIC {
                    let bought = customer.buy().await;
                    bought.map_err(|why| Failure::of(&format!("{name}, sale {sale}"), why))?;
                }
                let bought = customer.bought;
                customer.leave().await;
                Ok::<_, Failure>(bought)
            });
        }
        let mut bought = 0;
        while let Some(traded) = trading.join_next().await {
            bought += traded??;
        }
        all_is_well(market, bought).await?;
        nobody_asked_the_arbiter(market).await?;
        // The log of a process is whole once it has ended.
        market.shop.stop().await?;
        let log = market.shop.log();
        let of_shop: Deeds = DEEDS.map(|deed| (deed, log.count(&["chaos: ", deed]))).into();
        let of_buyers = of_buyers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        show(&format!("{bought} sales: the buyers' messages {of_buyers:?}, the shop's {of_shop:?}"));
        let done = |deed| [&of_buyers, &of_shop].map(|deeds| deeds.get(deed).copied().unwrap_or_default());
        let is_spared = |deeds: &Deeds| deeds.values().sum::<usize>() < 24;
        if DEEDS.iter().any(|deed| done(deed) == [0, 0]) || is_spared(&of_buyers) || is_spared(&of_shop) {
            return Err(Failure::new("this seed spares the messages"));
        }
        Ok(())
    });
}
