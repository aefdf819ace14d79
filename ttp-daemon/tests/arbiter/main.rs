//! The arbiter among real parties: requests over TLS, orders to a real bank, decisions that stand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail this way"
)]

mod heads;
mod market;
mod run;
mod setting_up;

use semper_exchange::{
    generatable_verifiable::{Answer, Originator, originator::Event},
    message::{
        Affidavit, Decision, NotYet, Outcome, Pending, Receipt, Reject, Replacement, answer::RejectCode,
    },
    recourse::Said,
};
use semper_host::chance::now;
use semper_supporting::{
    crypto::seal::content::open_whole,
    evidence::{Signable, SignedBytes, Verified, statement},
    party::Role,
    time::Span,
};
use semper_transfer::{
    data::DataManager,
    description::Description,
    payment::{
        message::{TxState, TxStatement},
        module::BankReply,
    },
    property::{Decided, ExchangeEnabled as _, GenGrade, Generated, Replacement as Replaced},
};

use semper_ttp_daemon::control::{Command, Unprinted, execute};

use crate::{
    market::{Market, bank_key, bytes, trial, xts},
    run::{Exchange, PRICE, Seal},
};

fn types(said: &[Said]) -> Vec<String> {
    said.iter().map(|said| statement::type_of(&said.statement.tbs).unwrap()).collect()
}

fn read<T: Signable>(exchange: &Exchange, said: &Said) -> Verified<T> {
    said.statement.clone().verify(&exchange.t_key).unwrap()
}

fn decision(exchange: &Exchange, said: &[Said]) -> (Verified<Decision>, SignedBytes, Vec<SignedBytes>) {
    let found = said.iter().find(|said| statement::type_of(&said.statement.tbs).unwrap() == "t/decision");
    let found = found.unwrap_or_else(|| panic!("no decision among {:?}", types(said)));
    (read(exchange, found), found.statement.clone(), found.records.clone())
}

fn status(reply: BankReply, market: &Market) -> TxState {
    let BankReply::Signed(signed) = reply else { panic!("{reply:?}") };
    signed.verify::<TxStatement>(&bank_key(&market.bank)).unwrap().status
}

#[test]
fn an_exchange_stopped_before_payment_is_aborted_and_the_payment_never_happens() {
    trial(async || {
        let market = Market::new().await;
        let mut exchange = Exchange::begin(&market, Seal::Good).await;
        let abort = exchange.stop();
        let said = exchange.o.ask_arbiter(&market.arbiter, &abort).await.unwrap();
        assert_eq!(types(&said), ["t/receipt", "t/decision"]);
        let receipt: Verified<Receipt> = read(&exchange, &said[0]);
        assert_eq!(receipt.request, abort.request.digest());
        let (decided, first, records) = decision(&exchange, &said);
        assert_eq!((decided.outcome, decided.cheat.len()), (Outcome::Aborted, 0));
        let frozen = records[0].clone().verify::<TxStatement>(&bank_key(&market.bank)).unwrap();
        assert_eq!(frozen.status, TxState::Frozen);
        assert!(decided.basis.iter().any(|basis| basis.hash == records[0].digest()));

        // The originator's own machine is content with that.
        exchange.hear(Event::Answered(Box::new(Answer::Receipt(receipt))));
        exchange.hear(Event::Answered(Box::new(Answer::Decision(decided))));
        assert!(matches!(&exchange.originator, Originator::Aborted(_, Outcome::Aborted)));

        // Whoever pays now is told that it will not happen, and everybody hears the same decision.
        assert_eq!(status(exchange.pay(&market, PRICE).await, &market), TxState::Frozen);
        assert_eq!(exchange.r.funds(&market.bank, exchange.purse).await.0, xts("100.00"));
        let again = exchange.o.ask_arbiter(&market.arbiter, &abort).await.unwrap();
        assert_eq!(bytes(&again), bytes(&said));
        let other = exchange.status(Role::Responder);
        let told = exchange.r.ask_arbiter(&market.arbiter, &other).await.unwrap();
        assert_eq!(decision(&exchange, &told).1, first);
        market.close().await;
    });
}

#[test]
fn a_payment_to_a_silent_originator_is_completed_and_the_key_released_to_the_payer_alone() {
    trial(async || {
        let market = Market::new().await;
        let exchange = Exchange::begin(&market, Seal::Good).await;
        let accept = exchange.accept();

        // Before the payment nothing is decided, and the same question gets the same answer.
        let early = exchange.resolve(Some(&accept));
        let said = exchange.r.ask_arbiter(&market.arbiter, &early).await.unwrap();
        assert_eq!(types(&said), ["t/receipt", "t/not-yet"]);
        assert_eq!(read::<NotYet>(&exchange, &said[1]).request, early.request.digest());
        assert_eq!(bytes(&exchange.r.ask_arbiter(&market.arbiter, &early).await.unwrap()), bytes(&said));
        let asked = exchange.status(Role::Originator);
        let open = exchange.o.ask_arbiter(&market.arbiter, &asked).await.unwrap();
        assert_eq!(types(&open), ["t/receipt", "t/pending"]);
        assert_eq!(read::<Pending>(&exchange, &open[1]).until, None);

        assert_eq!(status(exchange.pay(&market, PRICE).await, &market), TxState::Credited);
        let mut resolve = exchange.resolve(Some(&accept));
        if resolve.request == early.request {
            // Two requests within one second are one.
            resolve = exchange.abort_as_responder(&accept);
        }
        let said = exchange.r.ask_arbiter(&market.arbiter, &resolve).await.unwrap();
        assert_eq!(types(&said), ["t/receipt", "t/decision", "t/replacement"]);
        let (decided, first, _) = decision(&exchange, &said);
        assert_eq!(decided.outcome, Outcome::Completed);
        let replacement: Verified<Replacement> = read(&exchange, &said[2]);
        let Some(Generated::Key(key)) = said[2].made.clone() else { panic!("no key: {:?}", said[2].made) };
        let (content, measured) = open_whole(&key, &exchange.sealed).unwrap();
        assert_eq!(content, exchange.content);
        let replaced = Replaced {
            binding: exchange.binding(),
            grade: replacement.grade,
            content: Generated::Key(key),
            measured: Some(measured),
            decided: Some(Decided {
                xid: exchange.xid(),
                agreement: exchange.agr(),
                by: exchange.known.capabilities.keys.certificate,
                completed: true,
                decision: decided.digest(),
            }),
        };
        let permit = exchange.offer.permit.values().next().unwrap();
        assert_eq!(permit.grade, GenGrade::Sealed);
        let none = std::collections::BTreeMap::new();
        let accepted = DataManager::new().verify_replacement(
            &exchange.document(),
            permit,
            &replaced,
            &exchange.binding(),
            &none,
        );
        assert!(accepted.is_ok(), "{accepted:?}");

        let told = exchange.o.ask_arbiter(&market.arbiter, &asked).await.unwrap();
        assert_eq!(decision(&exchange, &told).1, first);
        assert!(told.iter().all(|said| said.made.is_none()), "the key went to its owner's side");
        market.close().await;
    });
}

#[test]
fn who_seals_badly_loses_the_payment_and_is_named_a_cheat() {
    trial(async || {
        for seal in [Seal::Bad, Seal::Swapped] {
            let market = Market::new().await;
            let exchange = Exchange::begin(&market, seal).await;
            let accept = exchange.accept();
            assert_eq!(status(exchange.pay(&market, PRICE).await, &market), TxState::Credited);
            let mut resolve = exchange.resolve(Some(&accept));
            if seal == Seal::Swapped {
                // Only with the sealed content at hand does it show that the key opens something else.
                resolve.blobs.push(statement::Bytes(exchange.sealed.clone()));
            }
            let said = exchange.r.ask_arbiter(&market.arbiter, &resolve).await.unwrap();
            assert_eq!(types(&said), ["t/receipt", "t/decision"]);
            let (decided, _, records) = decision(&exchange, &said);
            assert_eq!(decided.outcome, Outcome::AbortedRevoked);
            assert_eq!(decided.cheat.iter().map(|cheat| cheat.role).collect::<Vec<_>>(), [Role::Originator]);
            let cases = market.arbiter.program().arbiter.as_ref().unwrap().cases().await.unwrap();
            assert_eq!((cases[0].state, cases[0].cheats[0].role), ("aborted-revoked", "originator"));
            assert_eq!(cases[0].cheats[0].proof, decided.cheat[0].proof.to_string());
            let refunded = records.iter().any(|record| {
                let record = record.clone().verify::<TxStatement>(&bank_key(&market.bank)).unwrap();
                record.status == TxState::Refunded
            });
            assert!(refunded, "no record of the refund");
            assert_eq!(exchange.r.funds(&market.bank, exchange.purse).await.0, xts("100.00"));
            market.close().await;
        }
    });
}

#[test]
fn a_receipt_is_attested_in_its_owners_name_once_the_payment_has_happened() {
    trial(async || {
        let market = Market::new().await;
        let exchange = Exchange::begin(&market, Seal::Receipt).await;
        let accept = exchange.accept();
        assert_eq!(status(exchange.pay(&market, PRICE).await, &market), TxState::Credited);
        // ABORT after the payment completes, since it is too late for anything else.
        let abort = exchange.abort_as_responder(&accept);
        let said = exchange.r.ask_arbiter(&market.arbiter, &abort).await.unwrap();
        assert_eq!(types(&said), ["t/receipt", "t/decision", "t/affidavit"]);
        let (decided, _, _) = decision(&exchange, &said);
        let affidavit: Verified<Affidavit> = read(&exchange, &said[2]);
        assert_eq!(decided.outcome, Outcome::Completed);
        assert_eq!((affidavit.decision, affidavit.permit), (decided.digest(), exchange.agr()));
        let Description::Statement(wanted) = exchange.document() else { panic!("no statement") };
        assert_eq!((affidavit.text, affidavit.text_signer), (wanted.text, exchange.o.certificate()));
        let Some(Generated::Affidavit { text: attested, .. }) = said[2].made else { panic!("{said:?}") };
        assert_eq!(attested, wanted.text);
        market.close().await;
    });
}

#[test]
fn a_bank_that_is_away_and_an_arbiter_that_dies_change_nothing_in_the_end() {
    trial(async || {
        let mut market = Market::new().await;
        let exchange = Exchange::begin(&market, Seal::Good).await;
        let accept = exchange.accept();
        assert_eq!(status(exchange.pay(&market, PRICE).await, &market), TxState::Credited);
        market.bank.stop().await;

        // The arbiter takes the request and dies before the bank has answered.
        let resolve = exchange.resolve(Some(&accept));
        let program = market.arbiter.program.clone().unwrap();
        let arbiter = program.arbiter.clone().unwrap();
        let taken = arbiter.answer(&resolve, &program.trust.snapshot(), now()).await.unwrap();
        let semper_ttp_daemon::arbiter::Heard::Said { said: first, settled: false } = taken else {
            panic!("{taken:?}")
        };
        assert_eq!(types(&first), ["t/receipt"]);
        let open = arbiter.cases().await.unwrap();
        assert_eq!((open.len(), open[0].state, &open[0].decision), (1, "observing", &None));
        assert_eq!((&open[0].decided, open[0].journal_index, open[0].basis.len()), (&None, None, 0));
        assert_eq!(open[0].requests[0].hash, resolve.request.digest().to_string());
        drop((program, arbiter));
        market.arbiter.stop().await;

        // What it had taken is there when it comes back, and goes on.
        market.bank.start().await;
        let program = market.arbiter.open().await;
        let arbiter = program.arbiter.clone().unwrap();
        assert_eq!(arbiter.cases().await.unwrap(), open);
        let teller = semper_ttp_daemon::arbiter::TlsTeller {
            dialer: std::sync::Arc::new(semper_comm_tls::Dialer::new(
                semper_comm_tls::Clock::system(),
                program.trust.clone(),
                program.config.surroundings(),
                Default::default(),
            )),
            identity: program.identity().await.unwrap(),
        };
        let bank = market.bank.program().papers.lock().await.own[0].digest();
        // Whatever was tried in vain before is due within the hour.
        arbiter.run_errands(&teller, Some(bank), now().after(Span::hours(1))).await.unwrap();
        drop((program, arbiter));
        market.arbiter.program = None;

        market.arbiter.start().await;
        let said = exchange.r.ask_arbiter(&market.arbiter, &resolve).await.unwrap();
        assert_eq!(types(&said), ["t/receipt", "t/decision", "t/replacement"]);
        assert_eq!(bytes(&said)[0], first[0].statement);
        market.arbiter.stop().await;
        market.arbiter.start().await;
        let again = exchange.r.ask_arbiter(&market.arbiter, &resolve).await.unwrap();
        assert_eq!(bytes(&again), bytes(&said));
        let list = Command::Cases { json: true };
        let listed = execute(market.arbiter.program(), &Unprinted::default(), list).await;
        let listed: serde_json::Value = serde_json::from_str(&listed.text).unwrap();
        assert_eq!(listed[0]["exchange"], exchange.xid().to_string());
        assert_eq!(listed[0]["requests"][0]["request"], "t/resolve");
        let cases = market.arbiter.program().arbiter.as_ref().unwrap().cases().await.unwrap();
        assert_eq!((cases.len(), cases[0].state, cases[0].requests.len()), (1, "completed", 1));
        assert_eq!(cases[0].requests[0].by, "responder");
        let decided = decision(&exchange, &said).0;
        assert_eq!(cases[0].decision, Some(decided.digest().to_string()));
        assert_eq!(cases[0].journal_index, Some(decided.journal_index));
        assert_eq!(cases[0].basis.len(), decided.basis.len());
        assert_eq!(cases[0].originator, exchange.o.certificate().to_string());
        assert_eq!(cases[0].responder, exchange.r.certificate().to_string());
        assert!(cases[0].cheats.is_empty());
        market.close().await;
    });
}

#[test]
fn requests_that_cross_get_one_decision() {
    trial(async || {
        let market = Market::new().await;
        let mut exchange = Exchange::begin(&market, Seal::Good).await;
        let accept = exchange.accept();
        assert_eq!(status(exchange.pay(&market, PRICE).await, &market), TxState::Credited);
        let (abort, resolve) = (exchange.stop(), exchange.resolve(Some(&accept)));
        let (by_o, by_r) = tokio::join!(
            exchange.o.ask_arbiter(&market.arbiter, &abort),
            exchange.r.ask_arbiter(&market.arbiter, &resolve),
        );
        let (by_o, by_r) = (by_o.unwrap(), by_r.unwrap());
        let (decided, bytes_r, _) = decision(&exchange, &by_r);
        assert_eq!(decided.outcome, Outcome::Completed);
        if types(&by_o).contains(&"t/reject".to_owned()) {
            // ABORT brings no escrow: taken first, it is asked for one, and then hears the same decision.
            let reject: Verified<Reject> = read(&exchange, by_o.last().unwrap());
            assert_eq!(reject.code, RejectCode::EOwn);
        }
        let told = exchange.o.ask_arbiter(&market.arbiter, &exchange.status(Role::Originator)).await.unwrap();
        assert_eq!(decision(&exchange, &told).1, bytes_r);
        market.close().await;
    });
}

#[test]
fn a_reference_booked_otherwise_counts_as_never_paid() {
    trial(async || {
        let market = Market::new().await;
        let mut exchange = Exchange::begin(&market, Seal::Good).await;
        assert_eq!(status(exchange.pay(&market, "0.01").await, &market), TxState::Credited);
        let abort = exchange.stop();
        let said = exchange.o.ask_arbiter(&market.arbiter, &abort).await.unwrap();
        assert_eq!(decision(&exchange, &said).0.outcome, Outcome::Aborted);
        market.close().await;
    });
}

#[test]
fn strangers_and_forged_papers_get_no_decision() {
    trial(async || {
        let market = Market::new().await;
        let exchange = Exchange::begin(&market, Seal::Good).await;
        let stranger = market.merchant("Mallory").await;

        // Signed by a key that is not the one of the certificate it names.
        let forged = exchange.abort_by(Role::Originator, &stranger, None);
        assert!(stranger.ask_arbiter(&market.arbiter, &forged).await.is_err());

        // Signed well, by somebody who is no party of the offer.
        let mut foreign = exchange.abort_by(Role::Originator, &stranger, Some(stranger.certificate()));
        foreign.chains = vec![stranger.chain(), exchange.r.chain()];
        let said = stranger.ask_arbiter(&market.arbiter, &foreign).await.unwrap();
        assert_eq!(types(&said), ["t/reject"]);
        assert_eq!(read::<Reject>(&exchange, &said[0]).code, RejectCode::ESig);
        assert_eq!(bytes(&stranger.ask_arbiter(&market.arbiter, &foreign).await.unwrap()), bytes(&said));

        // With the papers of both, it is still no party.
        foreign.chains = vec![stranger.chain(), exchange.o.chain()];
        let said = stranger.ask_arbiter(&market.arbiter, &foreign).await.unwrap();
        assert_eq!(types(&said), ["t/reject"]);

        // An offer that was changed on the way.
        let mut changed = exchange.abort_by(Role::Responder, &exchange.r, None);
        changed.offer.tbs.push(b'\n');
        let said = exchange.r.ask_arbiter(&market.arbiter, &changed).await.unwrap();
        assert_eq!(read::<Reject>(&exchange, &said[0]).code, RejectCode::ESig);

        // A chain that no authority here stands behind, and one that is a bank's.
        let mut unknown = exchange.abort_by(Role::Responder, &exchange.r, None);
        unknown.chains = vec![vec![market.arbiter.program().papers.lock().await.own[0].clone()]];
        assert!(exchange.r.ask_arbiter(&market.arbiter, &unknown).await.is_err());

        let cases = market.arbiter.program().arbiter.as_ref().unwrap().cases().await.unwrap();
        assert!(cases.is_empty(), "{cases:?}");
        market.close().await;
    });
}
