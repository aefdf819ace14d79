//! `gxv/1` explored: every interleaving, within bounds, of the shipped machines over a network that loses,
//! delays, repeats and reorders, with either party malicious, crashes, and timers that fire at any moment.
//!
//! The machines' own step functions are the transition functions. The model adds what surrounds them: a
//! network that keeps every message for ever (not delivering one is loss, delivering it later or again is
//! reordering and repetition), a bank that keeps records, an adversary who signs whatever it can build, and
//! crashes: whatever a machine ever ordered may be carried out again at any time, and whatever came back may
//! come back again. Journaling itself needs no step of its own, since state and orders are one transaction.
#![allow(missing_docs, unreachable_pub, reason = "a test program has no readers of its own interface")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that meets the unexpected stops, and says what it counted"
)]

#[path = "model/bank.rs"]
mod bank;
#[path = "common/mod.rs"]
mod common;
#[path = "model/lab.rs"]
mod lab;
#[path = "model/properties.rs"]
mod properties;
#[path = "../../modules/payment-sim/tests/bank/rows.rs"]
mod rows;
#[path = "model/words.rs"]
mod words;
#[path = "model/world.rs"]
mod world;

use stateright::{Checker as _, HasDiscoveries, Model as _};

use common::Goods;
use words::{Honesty, Offered, Scenario};
use world::Gxv;

/// Most states of one scenario; more means that a bound was lost, not that the test should take longer.
const MOST_STATES: usize = 1_500_000;

fn explore(scenario: Scenario) {
    let name = scenario.name;
    let model = Gxv::new(scenario, option_of("MODEL_PROPERTY"));
    let properties = model.properties().len();
    let checker = model
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .target_state_count(MOST_STATES)
        .spawn_bfs()
        .join();
    println!(
        "{name}: {} states, {} transitions, depth {}, {properties} properties",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
    );
    assert!(checker.state_count() < MOST_STATES, "{name}: the bound on states was reached");
    checker.assert_properties();
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test of the mutants says by it which property it is after"
)]
fn option_of(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

const RECEIPT: Goods = Goods { sealed: false, pivot: false, order: false, weak: false, variant: 0 };

fn offered(goods: Goods) -> Offered {
    Offered { goods, bad_seal: false }
}

fn scenario(name: &'static str, goods: Goods) -> Scenario {
    Scenario {
        name,
        offers: vec![offered(goods)],
        originator: Honesty::Honest,
        responder: Honesty::Honest,
        two_third_parties: false,
        calm: false,
    }
}

#[test]
fn honest_parties_receipt_against_a_payment_that_can_be_undone() {
    explore(scenario("honest, F x B", RECEIPT));
}

#[test]
fn honest_parties_receipt_against_a_payment_that_cannot_be_undone() {
    explore(scenario("honest, F x V", Goods { pivot: true, ..RECEIPT }));
}

#[test]
fn honest_parties_sealed_data_against_a_payment_that_can_be_undone() {
    explore(scenario("honest, S x B", Goods { sealed: true, ..RECEIPT }));
}

#[test]
fn honest_parties_receipt_against_payment_and_order() {
    explore(scenario("honest, F x BF", Goods { order: true, ..RECEIPT }));
}

#[test]
fn an_honest_run_needs_no_third_party() {
    for (name, goods) in [
        ("calm, F x B", RECEIPT),
        ("calm, S x B", Goods { sealed: true, ..RECEIPT }),
        ("calm, F x BF", Goods { order: true, ..RECEIPT }),
    ] {
        explore(Scenario { calm: true, ..scenario(name, goods) });
    }
}

#[test]
fn a_malicious_originator_with_two_offers_and_a_payment_that_cannot_be_undone() {
    let goods = Goods { pivot: true, ..RECEIPT };
    explore(Scenario {
        offers: vec![offered(goods), offered(Goods { variant: 1, ..goods })],
        originator: Honesty::Malicious,
        ..scenario("malicious O, two offers, F x V", goods)
    });
}

#[test]
fn a_malicious_originator_with_a_bad_seal() {
    let goods = Goods { sealed: true, ..RECEIPT };
    explore(Scenario {
        offers: vec![Offered { goods, bad_seal: true }],
        originator: Honesty::Malicious,
        ..scenario("malicious O, bad seal, S x B", goods)
    });
}

#[test]
fn a_bad_seal_against_a_payment_that_cannot_be_undone_is_never_taken_up() {
    let goods = Goods { sealed: true, pivot: true, ..RECEIPT };
    explore(Scenario {
        offers: vec![Offered { goods, bad_seal: true }],
        originator: Honesty::Malicious,
        ..scenario("malicious O, bad seal, S x V without consent", goods)
    });
}

#[test]
fn a_bad_seal_against_a_payment_that_cannot_be_undone_with_consent_leaves_a_claim() {
    let goods = Goods { sealed: true, pivot: true, weak: true, ..RECEIPT };
    explore(Scenario {
        offers: vec![Offered { goods, bad_seal: true }],
        originator: Honesty::Malicious,
        ..scenario("malicious O, bad seal, S x V with consent", goods)
    });
}

#[test]
fn a_malicious_originator_and_a_second_third_party() {
    explore(Scenario {
        originator: Honesty::Malicious,
        two_third_parties: true,
        ..scenario("malicious O, two third parties, F x B", RECEIPT)
    });
}

#[test]
fn a_malicious_responder_with_a_payment_that_can_be_undone() {
    explore(Scenario { responder: Honesty::Malicious, ..scenario("malicious R, F x B", RECEIPT) });
}

#[test]
fn a_malicious_responder_with_a_payment_that_cannot_be_undone() {
    let goods = Goods { pivot: true, ..RECEIPT };
    explore(Scenario { responder: Honesty::Malicious, ..scenario("malicious R, F x V", goods) });
}

#[test]
fn a_malicious_responder_against_sealed_data() {
    let goods = Goods { sealed: true, ..RECEIPT };
    explore(Scenario { responder: Honesty::Malicious, ..scenario("malicious R, S x B", goods) });
}

#[test]
fn a_malicious_responder_that_owes_an_order_too() {
    let goods = Goods { order: true, ..RECEIPT };
    explore(Scenario { responder: Honesty::Malicious, ..scenario("malicious R, F x BF", goods) });
}
