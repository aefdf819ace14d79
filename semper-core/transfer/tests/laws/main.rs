//! The laws of exchangeable items, held against statements, data and a payment with a bank in memory; and
//! against bent versions of each, which the laws must catch.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bank;
mod bent;
mod data;
mod market;
mod refusals;
mod statement;

use semper_transfer::{
    conformance,
    conformance::{Law, Subject, check},
};

conformance!(statements_between_the_parties, statement::Statements::between_the_parties());
conformance!(statements_for_others, statement::Statements::for_others());
conformance!(sealed_data, data::Reports::sealed());
conformance!(certified_data, data::Reports::certified());
conformance!(payments_at_a_bank_in_memory, bank::Payments::honest());

/// The laws that `subject` breaks.
fn broken<S: Subject>(subject: impl Fn() -> S) -> Vec<Law> {
    Law::ALL.into_iter().filter(|law| check(*law, &mut subject()).is_err()).collect()
}

#[test]
fn a_bank_that_cheats_breaks_the_law_it_cheats_on() {
    use bank::{Cheat, Payments};
    for (cheat, law) in [
        (Cheat::OneRecordForAll, Law::Binding),
        (Cheat::PayerTakesBack, Law::Stable),
        (Cheat::FreezeOnlyLooks, Law::Freeze),
        (Cheat::PaysWhatIsFrozen, Law::Freeze),
        (Cheat::UndoesInNameOnly, Law::Undo),
        (Cheat::PaysTwice, Law::Idempotent),
        (Cheat::AnswersAnew, Law::Idempotent),
        (Cheat::SignsWithAnotherKey, Law::Attributable),
    ] {
        let laws = broken(|| Payments::with(cheat));
        assert!(laws.contains(&law), "{cheat:?} broke {laws:?}");
    }
}

#[test]
fn a_bent_module_breaks_the_law_it_bends() {
    use bent::{Bend, Bent};
    for (bend, law) in [
        (Bend::DepositsAnything, Law::Deposit),
        (Bend::HidesBadSeals, Law::Generation),
        (Bend::RefusesHonestPermits, Law::Generation),
        (Bend::NeedsNoDecision, Law::Equivalence),
        (Bend::NeedsNoPermit, Law::Equivalence),
        (Bend::PermitsAnew, Law::Idempotent),
        (Bend::OpensForAnybody, Law::NoOracle),
        (Bend::UndoesWhatItMade, Law::Exclusive),
    ] {
        let laws = broken(|| Bent::new(data::Reports::sealed(), bend));
        assert!(laws.contains(&law), "{bend:?} broke {laws:?}");
    }
}
