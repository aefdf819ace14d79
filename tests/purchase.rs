//! A whole purchase by separate processes: authority, bank, arbiter, shop and a shopper with a wallet.
#![cfg(test)]

use std::{fs, path::Path};

use semper_commerce::sale::SaleMessage;
use semper_supporting::{
    certificate::CertRole,
    comm::{envelope::Envelope, frame::Kind, session::NetEvent},
    crypto::{digest::Digest, signature::Signature},
    deal::DealId,
    evidence::{SignedBytes, statement::Bytes},
};
use semper_tests::{
    Daemon, Failure, Kept, Marketplace, Result, Shopper, Ware,
    buyer::Buyer,
    daemon::PATIENCE,
    marketplace::whole_trial,
    page,
    person::{Unanswered, ask},
};
use semper_wallet::membership::Membership;
use tokio::time::timeout;

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
        let before = [&market.shop, &market.bank, &market.arbiter].map(Daemon::connections);
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
        assert_eq!(market.arbiter.done(&["cases", "--json"]).await?.trim(), "[]");
        market.must_be_clean().await?;
        connections_are_those_of_the_page(market, before).await
    });
}

/// Ends the daemons, since the log of a process is whole only then.
async fn connections_are_those_of_the_page(market: &mut Marketplace, before: [usize; 3]) -> Result<()> {
    market.end().await?;
    let after = [&market.shop, &market.bank, &market.arbiter].map(Daemon::connections);
    let names = ["shop", "bank", "arbiter"];
    let taken = names
        .iter()
        .zip(after.iter().zip(before))
        .map(|(name, (after, before))| vec![(*name).to_owned(), (after - before).to_string()]);
    let page = include_str!("../docs/protocols/sale.md");
    assert_eq!(taken.collect::<Vec<_>>(), page::table(page, "### Connections")?);
    Ok(())
}

/// A buyer who has left an offer unanswered, and the deal.
async fn undecided(market: &mut Marketplace) -> Result<(Buyer, DealId)> {
    let file = market.folder("introduction.pdf");
    write(&file, 700)?;
    let ware = Ware { file: &file, title: "Colour management, an introduction", price: "XTS 12.50" };
    let shop = market.open_shop(&[ware]).await?;
    let buyer = Buyer::found(market, "Ines Ortmann", "XTS 50.00").await?;
    let article = shop.articles.first().ok_or_else(|| Failure::new("nothing is sold"))?;
    let at = market.shop_at.to_string();
    let left = buyer.done(&["buy", "--shop", &at, "--article", article, "--silent"]).await?;
    assert_eq!((&left["closed"], &left["paid"]), (&false.into(), &false.into()), "{left:#}");
    let deal = left["deal"].as_str().ok_or_else(|| Failure::new("no deal"))?;
    Ok((buyer, DealId::parse(deal).map_err(|error| Failure::of(deal, error))?))
}

#[test]
fn a_buyer_who_repeats_what_has_no_place_fills_no_journal() {
    /// How many frames he sends, and how many of them are taken.
    const SENT: u64 = 200;
    const TAKEN: u64 = 64;
    whole_trial(async |market| {
        let (buyer, deal) = undecided(market).await?;
        let before = entries(market).await?;
        let shopper = Shopper::again(&buyer.profile).await?;
        let caller = Membership::new(shopper.consent.clone()).caller().await?;
        let session = caller.call(&market.shop_at, CertRole::Merchant).await;
        let mut session = session.map_err(|fault| Failure::of("the shop", fault))?;
        for _ in 0..SENT {
            let body = SaleMessage::Declined("deal.declined".into()).write()?;
            session.send.send(Envelope::unnumbered(Some(deal), body).frame(Kind::Deal, 0)?).await?;
        }
        let mut refused = 0;
        while refused < SENT - TAKEN {
            match timeout(PATIENCE, session.receive.next()).await? {
                NetEvent::Complained(complaint) => {
                    assert_eq!(complaint.code(), "deal.too-often");
                    refused += 1;
                }
                NetEvent::Down(why) => return Err(Failure::of("the shop", why)),
                _ => {}
            }
        }
        drop(session);
        shopper.end().await;
        // Each frame that was taken is a step and an alarm; the new connection was a step as well.
        let more = entries(market).await? - before;
        assert!((TAKEN..TAKEN * 2 + 16).contains(&more), "{more} entries");
        market.must_be_clean().await
    });
}

/// How many entries the shop's journal has. The shop starts anew afterwards.
async fn entries(market: &mut Marketplace) -> Result<u64> {
    market.shop.stop().await?;
    let entries = Kept::shop(market.shop.folder()).await?.entries().await?;
    market.shop.start().await?;
    Ok(entries)
}

#[test]
fn a_stranger_who_knows_the_name_of_a_deal_is_told_nothing_of_it() {
    whole_trial(async |market| {
        let (buyer, deal) = undecided(market).await?;
        let mut eve = market.person("Eve").await?;
        let mut session = eve
            .call(&market.shop_at, CertRole::Merchant)
            .await?
            .map_err(|why| Failure::of("the shop", why))?;
        for (named, code) in [(deal, "deal.wrong-key"), (DealId::from_bytes([7; 32]), "deal.other")] {
            let body = SaleMessage::Declined("deal.declined".into()).write()?;
            let frame = Envelope::unnumbered(Some(named), body).frame(Kind::Deal, 0)?;
            match ask(&mut session, frame).await? {
                Err(Unanswered::Complained(complaint)) => assert_eq!(complaint.code(), code),
                other => return Err(Failure::new(format!("{other:?}"))),
            }
        }
        // Nor does a certificate that she made for herself make her a buyer, whatever name it bears.
        let own = eve.anonymous()?;
        let tbs = b"semper-statement/1 deal-propose\n".to_vec();
        let signed = SignedBytes { tbs, signature: Signature::from_bytes([0; 64]) };
        let chain = vec![Bytes(own.der().to_vec())];
        let body = SaleMessage::Deal { signed, chain }.write()?;
        let frame = Envelope::unnumbered(None, body).frame(Kind::Deal, 0)?;
        match ask(&mut session, frame).await? {
            Err(Unanswered::Complained(complaint)) => assert_eq!(complaint.code(), "cert.wrong-usage"),
            other => return Err(Failure::new(format!("{other:?}"))),
        }
        // The deal itself has not noticed, and its buyer goes on.
        let done = buyer.go_on().await?;
        assert_eq!(done[0]["end"], "Some(Exchanged(Done))", "{done:#}");
        market.must_be_clean().await
    });
}
