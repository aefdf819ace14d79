//! What a sale costs in cryptography, by party and phase, held against the table of its page.

use std::collections::BTreeMap;

use semper_commerce::sale::{Event, SaleMessage};
use semper_supporting::{
    crypto::tally::{Tally, tally},
    evidence::{SignedBytes, statement},
};
use semper_tests::page;

use crate::market::{Market, Side};

const PAGE: &str = include_str!("../../docs/protocols/sale.md");

/// Who does something, in the words of the page.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Worker {
    Buyer,
    Seller,
    Bank,
    ThirdParty,
}

/// When, in the words of the page.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Phase {
    Opening,
    Means,
    Exchange,
    Closing,
}

/// What was done so far.
#[derive(Debug, Default)]
pub(crate) struct Cost(BTreeMap<(Worker, Phase), Tally>);

impl Cost {
    /// Adds what this thread has done since `before`.
    pub(crate) fn add(&mut self, worker: Worker, phase: Phase, before: Tally) {
        let sum = self.0.entry((worker, phase)).or_default();
        *sum = *sum + (tally() - before);
    }
}

impl From<Side> for Worker {
    fn from(side: Side) -> Self {
        match side {
            Side::Buyer => Self::Buyer,
            Side::Seller => Self::Seller,
        }
    }
}

impl Phase {
    /// The phase that a statement belongs to.
    pub(crate) fn of(tbs: &[u8]) -> Self {
        match statement::type_of(tbs).unwrap().as_str() {
            "deal-propose" | "deal-accept" | "deal-open" => Self::Opening,
            "deal-close" => Self::Closing,
            kind if kind.starts_with("x/neg/") || kind.starts_with("pay/neg-") => Self::Means,
            _ => Self::Exchange,
        }
    }

    /// The phase in which a machine is given something.
    pub(crate) fn during(event: &Event) -> Self {
        let of = |signed: &SignedBytes| Self::of(&signed.tbs);
        match event {
            Event::Frame(frame, _) => match SaleMessage::peek(frame) {
                Ok(
                    SaleMessage::Deal { signed, .. }
                    | SaleMessage::Exchange { signed, .. }
                    | SaleMessage::Payment(signed),
                ) => of(&signed),
                _ => Self::Opening,
            },
            Event::Signed(signed) => of(signed),
            Event::Begin | Event::Up(_) => Self::Opening,
            _ => Self::Exchange,
        }
    }
}

/// The table of the page: party, phase and the six counts; `-` is none.
fn of_the_page() -> BTreeMap<(String, String), Tally> {
    let count = |cell: &str| if cell == "-" { 0 } else { cell.parse().expect("a count") };
    let row = |row: &Vec<String>| {
        let [party, phase, signatures, verifications, sealed, opened, escrowed, released] = row.as_slice()
        else {
            panic!("eight columns: {row:?}")
        };
        let tally = Tally {
            signatures: count(signatures),
            verifications: count(verifications),
            sealed: count(sealed),
            opened: count(opened),
            escrowed: count(escrowed),
            released: count(released),
        };
        ((party.clone(), phase.clone()), tally)
    };
    page::table(PAGE, "### Cryptography").unwrap().iter().map(row).collect()
}

fn words(cost: &Cost) -> BTreeMap<(String, String), Tally> {
    let worker = |worker| match worker {
        Worker::Buyer => "buyer",
        Worker::Seller => "seller",
        Worker::Bank => "bank",
        Worker::ThirdParty => "third party",
    };
    let phase = |phase| match phase {
        Phase::Opening => "opening",
        Phase::Means => "means of payment",
        Phase::Exchange => "exchange",
        Phase::Closing => "closing",
    };
    let any = cost.0.iter().filter(|(_, tally)| **tally != Tally::default());
    any.map(|((who, when), tally)| ((worker(*who).into(), phase(*when).into()), *tally)).collect()
}

#[test]
#[cfg(debug_assertions)]
fn an_honest_sale_costs_what_its_page_says() {
    let mut market = Market::new();
    market.start();
    market.settle();
    assert!(market.buyer.has_ended() && market.seller.has_ended(), "{:?}", market.faults);
    assert_eq!(words(&market.cost), of_the_page());
}

#[test]
#[cfg(debug_assertions)]
fn every_document_is_signed_once() {
    let mut market = Market::new();
    market.start();
    market.settle();
    let sum = market.cost.0.values().fold(Tally::default(), |sum, one| sum + *one);
    assert_eq!(sum.signatures, market.signed.len() as u64 + 1, "theirs, and the record of the bank");
}

#[test]
fn what_cannot_be_avoided_is_what_the_page_says() {
    let mut market = Market::new();
    market.start();
    market.settle();
    let signs = |party: &str| {
        let rows = of_the_page();
        rows.iter().filter(|((who, _), _)| who == party).map(|(_, tally)| tally.signatures).sum::<u64>()
    };
    let sent = |side| market.sent.iter().filter(|(by, _)| *by == side).count();
    // Both sides read the record of the bank, besides what the other sends.
    let rows = [
        ("buyer", sent(Side::Seller) + 1, "1"),
        ("seller", sent(Side::Buyer) + 1, "1"),
        ("bank", market.to_bank.len(), "-"),
    ];
    let rows = rows.map(|(party, reads, certificates)| {
        vec![party.to_owned(), signs(party).to_string(), reads.to_string(), certificates.to_owned()]
    });
    assert_eq!(rows.to_vec(), page::table(PAGE, "### What cannot be avoided").unwrap());
}
