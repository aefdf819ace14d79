//! Wherever a connection falls in a sale, and whatever is lost, doubled or late: the sale comes to the same end. The
//! money moves once, the goods arrive, and every cent is accounted for.
#![cfg(test)]

mod chaos;
mod customer;

use std::{fs, sync::Arc, time::Duration};

use semper_engine::{Effect, Key, Performed, Performer};
use semper_supporting::crypto::digest::Digest;
use semper_tests::{
    Failure, Marketplace, Result, Ware, daemon::PATIENCE, marketplace::long_trial, wire::Fall,
};
use semper_trade::sale::SaleInput;
use serde_json::Value;
use tokio::time::timeout;

use chaos::{Chaos, Deeds};
use customer::{Customer, PRICE};

/// How long all sales of one trial may take.
const LIMIT: Duration = Duration::from_secs(600);
/// How many buy at the same time, each over wires of its own.
const CUSTOMERS: [&str; 3] = ["Ines Ortmann", "Jan Petersen", "Kaya Roth"];
/// How many sales are made over a line that mistreats messages, by each customer.
const CHAOTIC: u32 = 4;

/// Opens the shop with one article; gives its name and content.
async fn offer(market: &mut Marketplace) -> Result<(String, Vec<u8>)> {
    let content: Vec<u8> = (0..40_000_u32).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes()).collect();
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
    let cases = market.arbiter.done(&["cases"]).await?;
    if cases.trim().is_empty() { Ok(()) } else { Err(Failure::of("the arbiter was asked", cases)) }
}

#[expect(clippy::print_stderr, reason = "how thorough the trial was")]
fn show(line: &str) {
    eprintln!("{line}");
}

#[test]
fn connections_to_shop_and_bank_may_fall_at_every_message() {
    long_trial(LIMIT, async |market| {
        let (article, content) = offer(market).await?;
        let mut falling = tokio::task::JoinSet::new();
        for (first, mut customer) in (1..).zip(customers(market, &article, &content).await?) {
            falling.spawn(async move {
                let turns = (first, CUSTOMERS.len());
                let shop = customer.each_turn(|customer| &customer.shop, turns).await?;
                let bank = customer.each_turn(|customer| &customer.bank, turns).await?;
                let bought = customer.bought;
                customer.leave().await;
                Ok::<_, Failure>([bought, shop, bank])
            });
        }
        let mut sum = [0; 3];
        while let Some(fallen) = falling.join_next().await {
            sum = std::iter::zip(sum, fallen??)
                .map(|(a, b)| a + b)
                .collect::<Vec<_>>()
                .try_into()
                .unwrap_or(sum);
        }
        let [bought, shop, bank] = sum;
        show(&format!("{bought} sales: the shop's wire fell {shop} times, the bank's {bank} times"));
        // A sale has a dozen messages on the line, and one conversation with the bank.
        if shop < 30 || bank < 6 {
            return Err(Failure::of("too few falls", format!("{sum:?}")));
        }
        nobody_asked_the_arbiter(market).await?;
        all_is_well(market, bought).await
    });
}

#[test]
fn a_connection_to_the_arbiter_may_fall_at_every_message() {
    long_trial(LIMIT, async |market| {
        let (article, content) = offer(market).await?;
        let mut falling = tokio::task::JoinSet::new();
        for (first, mut customer) in (1..).zip(customers(market, &article, &content).await?) {
            falling.spawn(async move {
                let mut falls = 0_u64;
                for fall in [Fall::Before, Fall::Within] {
                    for turn in (first..).step_by(CUSTOMERS.len()) {
                        let fall = fall(turn);
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
        if sum < 6 {
            return Err(Failure::of("too few falls", sum));
        }
        market.must_be_clean().await
    });
}

/// A performer that two hold: the engine, and who asks what it has done.
struct Shared<P>(Arc<P>);

impl<P: Performer<SaleInput>> Performer<SaleInput> for Shared<P> {
    async fn perform(&self, key: &Key, effect: &Effect, attempt: u32) -> Performed<SaleInput> {
        self.0.perform(key, effect, attempt).await
    }
}

#[test]
fn messages_may_be_lost_doubled_and_late() {
    let seed = std::env::var("SEMPER_SEED").ok().or_else(|| {
        let random: [u8; 16] = semper_host::random().ok()?;
        Some(Digest::of(&random).to_string())
    });
    let seed = seed.unwrap_or_default();
    show(&format!("SEMPER_SEED={seed}"));
    long_trial(LIMIT, async |market| {
        let (article, content) = offer(market).await?;
        let mut trading = tokio::task::JoinSet::new();
        for name in CUSTOMERS {
            let (mut chaos, own) = (None, Digest::of(format!("{seed} {name}").as_bytes()));
            let by = |errands, knife| {
                let made = Arc::new(Chaos::new(errands, knife, own));
                chaos = Some(Arc::clone(&made));
                Shared(made)
            };
            let mut customer = Customer::found(market, (name, &article, &content), by).await?;
            let chaos = chaos.ok_or_else(|| Failure::new("no chaos"))?;
            trading.spawn(async move {
                for sale in 0..CHAOTIC {
                    let bought = customer.buy().await;
                    bought.map_err(|why| Failure::of(&format!("{name}, sale {sale}"), why))?;
                    chaos.deeds();
                }
                let bought = customer.bought;
                customer.leave().await;
                Ok::<_, Failure>((bought, chaos.deeds()))
            });
        }
        let (mut bought, mut deeds) = (0, Deeds::default());
        while let Some(traded) = trading.join_next().await {
            let (own, Deeds { lost, doubled, late }) = traded??;
            bought += own;
            deeds.lost += lost;
            deeds.doubled += doubled;
            deeds.late += late;
        }
        show(&format!("{bought} sales: {deeds:?}"));
        if deeds.lost == 0 || deeds.doubled == 0 || deeds.late == 0 {
            return Err(Failure::of("this seed spares the messages", format!("{deeds:?}")));
        }
        nobody_asked_the_arbiter(market).await?;
        all_is_well(market, bought).await
    });
}
