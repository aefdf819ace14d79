//! Offers of the pages: who claims first has it, and nobody else ever.

use semper_commerce::handover::{Claim, HandoverFault, Reference};
use semper_host::record::commit;
use semper_merchant_daemon::{
    program::Program,
    storefront::offers::{self, ClaimError, OFFER, Offer, OfferError, Progress, WAITING},
};
use semper_supporting::{
    archive::{Batch, Query, Row, RowOp, Store as _, Value},
    crypto::signature::Kid,
    deal::DealId,
    time::{Moment, Span},
};
use semper_trade::sale::SALE;
use semper_transfer::catalogue::ArticleId;

use crate::trading::market;

const NOW: Moment = Moment::from_seconds(1_000_000);
const PATIENCE: Span = Span::minutes(30);
const ARTICLE: ArticleId = ArticleId::from_bytes([7; 8]);
const ONE: Kid = Kid::from_bytes([1; 32]);
const OTHER: Kid = Kid::from_bytes([2; 32]);

async fn made(program: &Program) -> Offer {
    offers::make(&*program.store, "A-1207", ARTICLE, PATIENCE, NOW).await.unwrap()
}

async fn claimed(program: &Program, offer: &Offer, key: &Kid, now: Moment) -> Result<bool, HandoverFault> {
    match offers::claim(&*program.store, &offer.reference, &offer.claim, key, now).await {
        Ok(claimed) => Ok(claimed.again),
        Err(ClaimError::Refused(fault)) => Err(fault),
        Err(error) => panic!("{error}"),
    }
}

async fn progress(program: &Program, offer: &Offer, now: Moment) -> Progress {
    let offer = offers::of_view(&*program.store, &offer.view).await.unwrap().unwrap();
    offers::progress(&*program.store, &offer, now).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_claim_binds_an_offer_for_good() {
    let (_authority, _bank, folder) = market().await;
    let program = Program::open(folder.path()).await.unwrap();
    let offer = made(&program).await;
    assert_eq!(offers::of_view(&*program.store, &offer.view).await.unwrap(), Some(offer.clone()));
    assert_eq!(progress(&program, &offer, NOW).await, Progress::Waiting);
    assert_eq!(claimed(&program, &offer, &ONE, NOW).await, Ok(false));
    assert_eq!(claimed(&program, &offer, &ONE, NOW).await, Ok(true));
    assert_eq!(claimed(&program, &offer, &OTHER, NOW).await, Err(HandoverFault::Claimed));
    let late = offer.expires.after(Span::days(3));
    assert_eq!(claimed(&program, &offer, &ONE, late).await, Ok(true), "whoever has it keeps it");
    assert_eq!(claimed(&program, &offer, &OTHER, late).await, Err(HandoverFault::Claimed));
    assert_eq!(progress(&program, &offer, late).await, Progress::Claimed);

    // Of two at the same moment one wins.
    let offer = made(&program).await;
    let (one, other) =
        tokio::join!(claimed(&program, &offer, &ONE, NOW), claimed(&program, &offer, &OTHER, NOW));
    let results = [one, other];
    assert!(results.contains(&Ok(false)) && results.contains(&Err(HandoverFault::Claimed)), "{results:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_claim_learns_nothing_and_a_late_one_gets_nothing() {
    let (_authority, _bank, folder) = market().await;
    let program = Program::open(folder.path()).await.unwrap();
    let offer = made(&program).await;
    let wrong = Offer { claim: Claim::from_random(&[9; 26]), ..offer.clone() };
    let nowhere = Offer { reference: Reference::new("0000-0000").unwrap(), ..offer.clone() };
    for none in [&wrong, &nowhere] {
        assert_eq!(claimed(&program, none, &ONE, NOW).await, Err(HandoverFault::Unknown));
    }
    assert_eq!(progress(&program, &offer, offer.expires).await, Progress::Waiting);
    let late = offer.expires.after(Span::millis(1));
    assert_eq!(claimed(&program, &offer, &ONE, late).await, Err(HandoverFault::Lapsed));
    assert_eq!(progress(&program, &offer, late).await, Progress::Lapsed);
    assert_eq!(claimed(&program, &offer, &ONE, offer.expires).await, Ok(false));
    // Also who comes with a wrong claim to what another has is told nothing of it.
    assert_eq!(claimed(&program, &wrong, &OTHER, NOW).await, Err(HandoverFault::Unknown));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_than_a_thousand_wait_and_what_lapsed_long_ago_goes() {
    let (_authority, _bank, folder) = market().await;
    let program = Program::open(folder.path()).await.unwrap();
    let row = |number: u32| {
        Row::new()
            .with("reference", format!("R-{number}"))
            .with("claim", Claim::from_random(&[3; 26]).reveal())
            .with("view", format!("V-{number}"))
            .with("sku", "A-1207")
            .with("article", *ARTICLE.as_bytes())
            .with("made_s", Value::seconds(NOW))
            .with("expires_s", Value::seconds(NOW.after(PATIENCE)))
    };
    let all =
        (1..WAITING).fold(Batch::new(), |batch, number| batch.row(RowOp::insert(OFFER.name, row(number))));
    commit(&*program.store, all).await.unwrap();
    made(&program).await;
    let make = |now| offers::make(&*program.store, "A-1207", ARTICLE, PATIENCE, now);
    assert!(matches!(make(NOW).await, Err(OfferError::Busy)));
    // They do not wait for ever, and a day later each new one sweeps some of them away.
    let count = async || program.store.query(vec![Query::of(OFFER.name)]).await.unwrap().concat().len();
    make(NOW.after(PATIENCE)).await.unwrap();
    assert_eq!(count().await, 1001);
    make(NOW.after(Span::days(2))).await.unwrap();
    assert_eq!(count().await, 902);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_an_offer_follows_the_sale_to_whoever_claimed_it() {
    let (_authority, _bank, folder) = market().await;
    let program = Program::open(folder.path()).await.unwrap();
    let offer = made(&program).await;
    let sale = |number: u8, key: Kid, opened: Moment, outcome: Option<&str>| {
        Row::new()
            .with("id", vec![number; 32])
            .with("side", "seller")
            .with("deal", DealId::from_bytes([number; 32]))
            .with("tls", *key.as_bytes())
            .with("article", ARTICLE.to_string())
            .with("price", "XTS 6.00")
            .with("step", "trading")
            .with("outcome", outcome.map_or(Value::Null, Value::from))
            .with("paid", outcome.is_some())
            .with("delivered", outcome.is_some())
            .with("closed", false)
            .with("opened_s", Value::seconds(opened))
            .with("changed_s", Value::seconds(opened))
    };
    let keep =
        async |row: Row| commit(&*program.store, Batch::new().row(RowOp::put(SALE.name, row))).await.unwrap();
    // An earlier sale of the same article to the same wallet, and one to another: neither is this one.
    keep(sale(1, ONE, NOW.before(Span::minutes(5)), Some("done"))).await;
    claimed(&program, &offer, &ONE, NOW).await.unwrap();
    keep(sale(2, OTHER, NOW, Some("done"))).await;
    assert_eq!(progress(&program, &offer, NOW).await, Progress::Claimed);
    for (outcome, expected) in [
        (None, Progress::UnderWay),
        (Some("done"), Progress::Delivered),
        (Some("returned"), Progress::Ended),
        (Some("deal.declined"), Progress::Ended),
    ] {
        keep(sale(3, ONE, NOW.after(Span::seconds(2)), outcome)).await;
        assert_eq!(progress(&program, &offer, NOW).await, expected);
    }
}
