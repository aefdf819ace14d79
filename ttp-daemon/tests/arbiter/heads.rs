//! The journal of the arbiter as those see it who do not believe it.

use semper_exchange::{
    heads::{Head, Indexed, JournalFault, Place, contradict, lead},
    message::{Decision, Receipt},
    recourse::{TtpAnswer, TtpRequest},
};
use semper_host::chance::now;
use semper_supporting::{archive::journal, crypto::digest::Digest, evidence::Verified, time::Span};

use crate::{
    decision,
    market::{Market, Party, trial},
    read,
    run::{Exchange, Seal},
    types,
};

async fn newest(exchange: &Exchange, market: &Market, by: &Party) -> Verified<Head> {
    let TtpAnswer::Head { head, chain } = by.consult(&market.arbiter, &TtpRequest::Head).await else {
        panic!("no head")
    };
    let head: Verified<Head> = head.verify(&exchange.t_key).unwrap();
    assert_eq!((head.cert_t, chain[0].digest()), (certificate(exchange), certificate(exchange)));
    head
}

fn certificate(exchange: &Exchange) -> Digest {
    exchange.known.capabilities.keys.certificate
}

async fn place(exchange: &Exchange, market: &Market, indexed: Indexed) -> Result<Box<Place>, String> {
    let request = TtpRequest::Place { index: indexed.index, statement: indexed.statement };
    match exchange.r.consult(&market.arbiter, &request).await {
        TtpAnswer::Place(place) => Ok(place),
        TtpAnswer::Refused(code) => Err(code),
        other => panic!("{other:?}"),
    }
}

async fn lines(exchange: &Exchange, market: &Market, after: u64, to: u64) -> Vec<String> {
    let request = TtpRequest::Lines { after, to };
    let TtpAnswer::Lines(lines) = exchange.r.consult(&market.arbiter, &request).await else {
        panic!("no lines")
    };
    lines
}

#[test]
fn receipt_and_decision_stand_in_a_journal_that_only_grows() {
    trial(async || {
        let mut market = Market::new().await;
        let mut exchange = Exchange::begin(&market, Seal::Good).await;
        let before = newest(&exchange, &market, &exchange.o).await;
        let abort = exchange.stop();
        let said = exchange.o.ask_arbiter(&market.arbiter, &abort).await.unwrap();
        assert_eq!(types(&said), ["t/receipt", "t/decision"]);
        let receipt: Verified<Receipt> = read(&exchange, &said[0]);
        let decided: Verified<Decision> = decision(&exchange, &said).0;

        // The other side checks both, and that the head from before still holds.
        let mut heads = Vec::new();
        for indexed in [Indexed::from(&receipt), Indexed::from(&decided)] {
            assert!(indexed.index > before.seq);
            let place = place(&exchange, &market, indexed).await.unwrap();
            let head = place.check(&indexed, certificate(&exchange), &exchange.t_key).unwrap();
            let between = lines(&exchange, &market, before.seq, head.seq).await;
            assert_eq!(lead(before.place(), &between, head.place()), Ok(()));
            heads.push(head);
        }

        // DECISION is a head itself; a journal without it, or with another before it, would contradict it.
        let itself = Indexed::from(&decided).before().unwrap();
        let to_decision = lines(&exchange, &market, before.seq, itself.seq).await;
        assert_eq!(lead(before.place(), &to_decision, itself), Ok(()));
        let rewritten = journal::Head { hash: Digest::of(b"rewritten"), ..itself };
        assert!(contradict(itself, rewritten));
        assert_eq!(lead(before.place(), &to_decision, rewritten), Err(JournalFault::Elsewhere));

        // What was signed once is signed for good, also across a restart; heads and lines go on.
        let last = newest(&exchange, &market, &exchange.r).await;
        market.arbiter.stop().await;
        market.arbiter.start().await;
        assert_eq!(newest(&exchange, &market, &exchange.o).await.bytes(), last.bytes());
        let status = exchange.status(semper_supporting::party::Role::Responder);
        exchange.r.ask_arbiter(&market.arbiter, &status).await.unwrap();
        let later = newest(&exchange, &market, &exchange.o).await;
        assert!(later.seq > last.seq);
        let between = lines(&exchange, &market, last.seq, later.seq).await;
        assert_eq!(lead(last.place(), &between, later.place()), Ok(()));
        let (one, other) = (&heads[0], newest(&exchange, &market, &exchange.r).await);
        assert!(!contradict(one.place(), other.place()));
        market.close().await;
    });
}

#[test]
fn a_line_is_opened_only_to_who_knows_what_it_says() {
    trial(async || {
        let market = Market::new().await;
        let mut exchange = Exchange::begin(&market, Seal::Good).await;
        let abort = exchange.stop();
        let said = exchange.o.ask_arbiter(&market.arbiter, &abort).await.unwrap();
        let indexed = Indexed::from(&decision(&exchange, &said).0);
        let refused = Err("arbiter.no-such-place".to_owned());
        for wrong in [
            Indexed { statement: Digest::of(b"another"), ..indexed },
            Indexed { statement: abort.request.digest(), ..indexed },
            Indexed { index: indexed.index - 1, ..indexed },
            Indexed { index: indexed.index + 1_000_000, ..indexed },
            Indexed { index: u64::MAX, ..indexed },
        ] {
            assert_eq!(place(&exchange, &market, wrong).await, refused, "{wrong:?}");
        }
        assert_eq!(lines(&exchange, &market, u64::MAX, 0).await, Vec::<String>::new());
        let all = lines(&exchange, &market, 0, u64::MAX).await;
        let head = newest(&exchange, &market, &exchange.r).await;
        assert_eq!(lead(journal::Head::EMPTY, &all, head.place()), Ok(()));
        assert!(all.iter().all(|line| !line.contains(&indexed.statement.to_string())));
        market.close().await;
    });
}

#[test]
fn a_head_is_signed_by_itself_within_the_hour_in_which_something_was_done() {
    trial(async || {
        let mut market = Market::new().await;
        let exchange = Exchange::begin(&market, Seal::Good).await;
        // Nobody but this test signs heads from here on.
        market.arbiter.stop().await;
        let program = market.arbiter.open().await;
        let arbiter = program.arbiter.clone().unwrap();
        let (last, _) = arbiter.signed_head(now()).await.unwrap();
        let last: Verified<Head> = last.verify(&exchange.t_key).unwrap();
        let hour = last.at.after(Span::hours(1));
        assert_eq!(arbiter.publish(hour).await.unwrap(), None, "nothing was done");

        let status = exchange.status(semper_supporting::party::Role::Originator);
        arbiter.answer(&status, &program.trust.snapshot(), now()).await.unwrap();
        assert_eq!(arbiter.publish(hour.before(Span::seconds(1))).await.unwrap(), None, "not over yet");
        let head = arbiter.publish(hour).await.unwrap().expect("no head");
        assert!(head.seq > last.seq);
        let (signed, _) = arbiter.signed_head(now()).await.unwrap();
        let signed: Verified<Head> = signed.verify(&exchange.t_key).unwrap();
        assert_eq!((signed.place(), signed.at), (head, hour));
        drop((program, arbiter));
        market.arbiter.program = None;
        market.close().await;
    });
}
