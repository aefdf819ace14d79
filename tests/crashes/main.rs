//! Wherever a process dies in a sale, right before or right after any transaction: started again, the sale comes to
//! the same end. The money moves once, the goods arrive, and every cent is accounted for.
#![cfg(test)]

mod scene;

use std::time::Duration;

use semper_tests::{
    Result,
    doom::Side,
    marketplace::{Marketplace, long_trial},
};

use scene::{Scene, Who};

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
    scene.shop_is_done().await
}

#[test]
fn the_shop_may_die_anywhere() {
    long_trial(LIMIT, async |market| dies_anywhere(market, "the shop", |market| &mut market.shop).await);
}

#[test]
fn the_bank_may_die_anywhere() {
    long_trial(LIMIT, async |market| dies_anywhere(market, "the bank", |market| &mut market.bank).await);
}

#[expect(clippy::print_stderr, reason = "the numbers of a run, for whoever wants them")]
fn show(line: &str) {
    eprintln!("{line}");
}
