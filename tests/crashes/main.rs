//! Wherever a process dies in a sale, right before or right after any transaction: started again, the sale comes to
//! the same end. The money moves once, the goods arrive, and every cent is accounted for.
#![cfg(test)]

mod scene;

use std::time::Duration;

use semper_supporting::crypto::digest::Digest;
use semper_tests::{
    Failure, Result,
    buyer::Buyer,
    doom::{Doom, Side},
    marketplace::{Marketplace, long_trial},
    money::money,
};

use semper_ttp_daemon::config::Config;

use scene::{LOADED, NAME, PRICE, Scene, Who, content, offer, shop_is_done};

/// How long all sales of one process may take.
const LIMIT: Duration = Duration::from_secs(600);

async fn dies_anywhere(market: &mut Marketplace, name: &str, who: Who) -> Result<()> {
    let mut scene = Scene::set(market).await?;
    who(scene.market).stop().await?;
    who(scene.market).start_doomed().await?;
    for side in [Side::Before, Side::After] {
        let deaths = scene.every(who, side).await?;
        show(&format!("{name} died {side:?} each of {deaths} transactions of a sale"));
    }
    shop_is_done(scene.market, scene.sold).await
}

#[test]
fn the_shop_may_die_anywhere() {
    long_trial(LIMIT, async |market| dies_anywhere(market, "the shop", |market| &mut market.shop).await);
}

#[test]
fn the_bank_may_die_anywhere() {
    long_trial(LIMIT, async |market| dies_anywhere(market, "the bank", |market| &mut market.bank).await);
}

#[test]
fn the_arbiter_may_die_anywhere() {
    long_trial(LIMIT, async |market| {
        // Who has the receipt of an arbiter that died asks again when the answer is overdue.
        market.arbiter.stop().await?;
        let mut config = Config::read(market.arbiter.folder())?;
        config.arbiter.answer_within = 2;
        config.write(market.arbiter.folder())?;
        market.arbiter.start_doomed().await?;
        let scene = &mut Scene::set(market).await?;
        scene.market.bank.stop().await?;
        scene.market.bank.start_doomed().await?;
        for side in [Side::Before, Side::After] {
            let deaths = scene.every_arbitration(side).await?;
            show(&format!("the arbiter died {side:?} each of {deaths} transactions of a case"));
        }
        Ok(())
    });
}

#[test]
fn the_buyer_may_die_anywhere() {
    long_trial(LIMIT, async |market| {
        let content = content();
        let article = offer(market, &content).await?;
        let buyer = Buyer::found(market, NAME, LOADED).await?;
        let (goods, mut before, mut sold) = (Digest::of(&content).to_string(), None, 0);
        for side in [Side::Before, Side::After] {
            for at in 1.. {
                let doom = Doom { side, at };
                let traded = buyer.trade(market, (&article, PRICE), doom).await?;
                // What the sale before this one came to.
                if traded.taken.as_str() != before.as_deref() {
                    return Err(Failure::of(
                        "the goods of the sale before",
                        format!("{doom}: {:?}", traded.taken),
                    ));
                }
                // Who dies before the first transaction has ordered nothing.
                let is_ordered = doom != Doom { side: Side::Before, at: 1 };
                before = is_ordered.then(|| goods.clone());
                sold += u64::from(is_ordered);
                if let Some(last) = traded.sale {
                    let sale = &last["sale"];
                    if sale["end"] != "Some(Exchanged(Done))" || sale["closed"] != true {
                        return Err(Failure::of("the buyer's side", format!("{sale:#}")));
                    }
                    show(&format!("the buyer died {side:?} each of {} transactions of a sale", at - 1));
                    break;
                }
                market.must_be_clean().await?;
            }
        }
        let left = money(LOADED)?.minor() - sold * money(PRICE)?.minor();
        let purse = buyer.done(&["purse"]).await?;
        let available = purse[0]["available"].as_str().ok_or_else(|| Failure::of("the purse", &purse))?;
        if money(available)?.minor() != left {
            return Err(Failure::of("the purse holds", format!("{available} after {sold} sales")));
        }
        shop_is_done(market, sold).await
    });
}

#[expect(clippy::print_stderr, reason = "the numbers of a run, for whoever wants them")]
fn show(line: &str) {
    eprintln!("{line}");
}
