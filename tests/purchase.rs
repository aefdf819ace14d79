//! A whole purchase by separate processes: authority, bank, arbiter, shop and a shopper with a wallet.
#![cfg(test)]

use std::{fs, path::Path};

use semper_supporting::crypto::digest::Digest;
use semper_tests::{Failure, Result, Ware, buyer::Buyer, marketplace::whole_trial};

/// Bytes that are no repetition of one another.
fn write(path: &Path, words: u32) -> Result<Digest> {
    let bytes: Vec<u8> = (0..words).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    fs::write(path, &bytes)?;
    Ok(Digest::of(&bytes))
}

#[test]
fn a_file_is_bought_fairly_and_nobody_asks_the_arbiter() {
    whole_trial(async |market| {
        let file = market.folder("introduction.pdf");
        let digest = write(&file, 70_000)?;
        let ware = Ware { file: &file, title: "Colour management, an introduction", price: "XTS 12.50" };
        let shop = market.open_shop(&[ware]).await?;
        let buyer = Buyer::found(market, "Ines Ortmann", "XTS 50.00").await?;
        let article = shop.articles.first().ok_or_else(|| Failure::new("nothing is sold"))?;
        let bought = buyer.buy(market, article).await?;
        assert_eq!(bought["end"], "Some(Exchanged(Done))", "{bought:#}");
        assert_eq!(bought["told"], "exchange.u09");
        assert_eq!(bought["closed"], true);
        assert_eq!(bought["item"]["sha256"], digest.to_string());
        assert_eq!(bought["purses"][0]["available"], "XTS 37.50", "{bought:#}");
        let path = bought["item"]["path"].as_str().ok_or_else(|| Failure::new("no item"))?;
        assert_eq!(Digest::of(&fs::read(path)?), digest);
        let deals = market.shop.done(&["deals", "--json"]).await?;
        let deals: serde_json::Value = serde_json::from_str(&deals)?;
        assert_eq!((&deals[0]["outcome"], &deals[0]["paid"]), (&"done".into(), &true.into()), "{deals:#}");
        assert_eq!(deals[0]["deal"], bought["deal"]);
        assert_eq!(market.arbiter.done(&["cases"]).await?.trim(), "");
        market.must_be_clean().await
    });
}
