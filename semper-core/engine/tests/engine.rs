//! What the engine promises while nothing crashes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail this way")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{
    BANK, FUND, Input, PEER, Peer, START, Tills, archive, journal, randomness, start, till, undone, until,
};
use semper_archive_sqlite::SqliteArchive;
use semper_engine::{
    Class, Effect, Engine, EngineError, Key, Limits, Parts, Performed, Performer, Randomness as _,
    StepRecord, VirtualClock,
};
use semper_supporting::{
    archive::{Batch, Query, Row, RowOp, Store, head::JournalHead},
    crypto::{keys::KeyStore as _, signature::Signature},
    evidence::SignedBytes,
    machine::Refused,
    time::Span,
    wire,
};
use tokio::{
    sync::{Semaphore, mpsc},
    time::timeout,
};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

fn setup() -> (tempfile::TempDir, Arc<SqliteArchive>, Peer, VirtualClock) {
    let directory = tempfile::tempdir().unwrap();
    let store = archive(directory.path());
    (directory, store, Peer::default(), VirtualClock::at(START))
}

fn deposit(amount: i64, number: u32) -> Input {
    Input::Deposited { amount, number }
}

#[tokio::test]
async fn a_repeated_input_is_answered_alike_and_its_effects_come_again() {
    let (_directory, store, peer, clock) = setup();
    let engine = start(&store, peer.clone(), &clock).await;
    let first = engine.submit(till(1), deposit(5, 1)).await.unwrap();
    assert_eq!((first.refused, first.answers.clone()), (None, vec![vec![1, 1]]));
    until(&engine, 1, |till| till.receipts.len() == 1).await;
    for times in 2..4 {
        let again = engine.submit(till(1), deposit(5, 1)).await.unwrap();
        assert_eq!((again.refused, again.answers), (Some(Refused::Repeated), first.answers.clone()));
        // The peer confirms what it confirmed before; the till refuses that, and it is journaled.
        let mut news = engine.news();
        while peer.reports(1).len() < times {
            tokio::select! { _ = news.recv() => {}, () = tokio::task::yield_now() => {} }
        }
    }
    let shown = until(&engine, 1, |till| till.changes == 1).await;
    assert_eq!((shown.holds, peer.reports(1)), (5, vec![(1, 5); 3]));
    engine.shutdown().await;
}

#[tokio::test]
async fn money_between_tills_moves_whole_and_from_both_sides_at_once() {
    let (_directory, store, peer, clock) = setup();
    let engine = start(&store, peer.clone(), &clock).await;
    for id in 1..=3 {
        engine.submit(till(id), deposit(1000, 0)).await.unwrap();
    }
    let mut moves = tokio::task::JoinSet::new();
    for number in 0..60 {
        let engine = engine.clone();
        let (from, to) = ((number % 3) as u8 + 1, ((number + 1 + number / 30) % 3) as u8 + 1);
        moves.spawn(async move { engine.submit(till(from), Input::Moved { amount: 7, to, number }).await });
    }
    while let Some(moved) = moves.join_next().await {
        assert_eq!(moved.unwrap().unwrap().refused, None);
    }
    let mut sum = 0;
    for id in 1..=3 {
        // One report for the deposit, one for each move and each credit; all in order.
        let shown = until(&engine, id, |till| till.receipts.len() == 41).await;
        sum += shown.holds;
        let changes: Vec<u32> = peer.reports(id).into_iter().map(|(change, _)| change).collect();
        assert_eq!(changes, (1..=41).collect::<Vec<_>>());
    }
    assert_eq!(sum, 3000);
    engine.shutdown().await;
    assert_eq!(undone(&*store).await, 0);
    journal(&*store).await;
}

#[tokio::test]
async fn what_another_instance_refuses_does_not_happen_at_all() {
    let (_directory, store, peer, clock) = setup();
    let engine = start(&store, peer.clone(), &clock).await;
    engine.submit(till(1), deposit(10, 1)).await.unwrap();
    engine.submit(till(2), Input::Closed).await.unwrap();
    let entries = journal(&*store).await.len();
    let refused = engine.submit(till(1), Input::Moved { amount: 3, to: 2, number: 2 }).await;
    assert_eq!(refused, Err(EngineError::Declined("engine.undelivered")));
    assert_eq!(until(&engine, 1, |_| true).await.holds, 10);
    // Only the peer's receipt may have come in between.
    assert!(journal(&*store).await.len() <= entries + 1);
    assert_eq!(engine.open_instances(None, 10).await, Ok(vec![till(1)]));
    engine.shutdown().await;
}

#[tokio::test]
async fn timers_follow_the_clock_and_can_be_cleared() {
    let (_directory, store, peer, clock) = setup();
    let engine = start(&store, peer.clone(), &clock).await;
    engine.submit(till(1), Input::Beating { on: true }).await.unwrap();
    for beat in 1..4 {
        clock.advance(Span::seconds(10));
        assert_eq!(until(&engine, 1, |till| till.beats >= beat).await.beats, beat);
    }
    engine.submit(till(1), Input::Beating { on: false }).await.unwrap();
    clock.advance(Span::hours(1));
    engine.submit(till(1), deposit(1, 1)).await.unwrap();
    engine.shutdown().await;
    // A later start finds no timer either.
    let engine = start(&store, peer.clone(), &clock).await;
    clock.advance(Span::hours(1));
    assert_eq!(until(&engine, 1, |till| till.receipts.len() == 1).await.beats, 3);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_timer_survives_a_restart_and_rings_late_rather_than_never() {
    let (_directory, store, peer, clock) = setup();
    let engine = start(&store, peer.clone(), &clock).await;
    engine.submit(till(1), Input::Beating { on: true }).await.unwrap();
    engine.shutdown().await;
    clock.advance(Span::hours(5));
    let engine = start(&store, peer.clone(), &clock).await;
    until(&engine, 1, |till| till.beats == 1).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn an_effect_that_fails_is_tried_again_after_a_while() {
    let (_directory, store, peer, clock) = setup();
    peer.deaf(true);
    let engine = start(&store, peer.clone(), &clock).await;
    engine.submit(till(1), deposit(1, 1)).await.unwrap();
    engine.submit(till(1), deposit(2, 2)).await.unwrap();
    // At most a minute between two attempts; the second effect waits behind the first.
    while peer.attempts().len() < 9 {
        let before = peer.attempts().len();
        while peer.attempts().len() == before {
            clock.advance(Span::seconds(1));
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(peer.attempts()[..9], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    peer.deaf(false);
    clock.advance(Span::minutes(1));
    until(&engine, 1, |till| till.receipts.len() == 2).await;
    assert_eq!(peer.reports(1), vec![(1, 1), (2, 3)]);
    engine.shutdown().await;
}

#[tokio::test]
async fn effects_that_are_withdrawn_are_not_tried_again() {
    let (_directory, store, peer, clock) = setup();
    peer.deaf(true);
    let engine = start(&store, peer.clone(), &clock).await;
    engine.submit(till(1), deposit(1, 1)).await.unwrap();
    engine.submit(till(1), deposit(1, 2)).await.unwrap();
    engine.submit(till(1), Input::Silenced).await.unwrap();
    assert_eq!(undone(&*store).await, 0);
    peer.deaf(false);
    clock.advance(Span::hours(1));
    engine.submit(till(1), deposit(1, 3)).await.unwrap();
    until(&engine, 1, |till| till.receipts.len() == 1).await;
    assert_eq!(peer.reports(1), vec![(3, 3)]);
    engine.shutdown().await;
}

/// A peer that never answers the first report, and says when it is no longer waited for.
#[derive(Clone)]
struct Mute {
    asked: mpsc::UnboundedSender<u32>,
    left: mpsc::UnboundedSender<u32>,
}

struct Left(mpsc::UnboundedSender<u32>, u32);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.send(self.1).unwrap();
    }
}

impl Performer<Input> for Mute {
    async fn perform(&self, _: &Key, effect: &Effect, _: u32) -> Performed<Input> {
        let (change, _) = wire::decode::<(u32, i64)>(&effect.body, 64).unwrap();
        self.asked.send(change).unwrap();
        if change == 1 {
            let _left = Left(self.left.clone(), change);
            std::future::pending::<()>().await;
        }
        Performed::Answered(Input::Confirmed { change })
    }
}

#[tokio::test]
async fn an_effect_that_is_withdrawn_while_it_is_performed_is_given_up_and_holds_nothing_up() {
    let (_directory, store, _, clock) = setup();
    let ((asked, mut heard), (left, mut gone)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    let engine = start(&store, Mute { asked, left }, &clock).await;
    engine.submit(till(1), deposit(1, 1)).await.unwrap();
    engine.submit(till(1), deposit(1, 2)).await.unwrap();
    assert_eq!(heard.recv().await, Some(1));
    engine.submit(till(1), Input::Silenced).await.unwrap();
    assert_eq!(timeout(PATIENCE, gone.recv()).await, Ok(Some(1)), "nobody waits for it any more");
    engine.submit(till(1), deposit(1, 3)).await.unwrap();
    assert_eq!(timeout(PATIENCE, heard.recv()).await, Ok(Some(3)), "the next one takes its turn");
    timeout(PATIENCE, engine.settled(&till(1))).await.unwrap();
    assert_eq!(until(&engine, 1, |till| till.receipts.len() == 1).await.receipts, [3].into());
    engine.shutdown().await;
}

/// Peers that never read, and a bank that answers.
struct Crowd;

impl Performer<Input> for Crowd {
    async fn perform(&self, _: &Key, effect: &Effect, _: u32) -> Performed<Input> {
        let (change, _) = wire::decode::<(u32, i64)>(&effect.body, 64).unwrap();
        match effect.class {
            Class::Payment => Performed::Answered(Input::Confirmed { change }),
            _ => std::future::pending().await,
        }
    }
}

#[tokio::test]
async fn peers_that_do_not_read_keep_nothing_from_the_bank() {
    let (_directory, store, _, clock) = setup();
    let parts = Parts {
        host: Tills::default(),
        store: Arc::clone(&store),
        performer: Crowd,
        clock: clock.clone(),
        randomness: randomness(),
        limits: Limits { effects: 1, ..Limits::default() },
    };
    let engine = Engine::start(parts).await.unwrap();
    for id in 1..4 {
        engine.submit(till(id), deposit(1, 1)).await.unwrap();
    }
    engine.submit(till(BANK), deposit(1, 1)).await.unwrap();
    let paid = until(&engine, BANK, |till| till.receipts.len() == 1);
    assert_eq!(timeout(PATIENCE, paid).await.unwrap().receipts, [1].into());
    engine.shutdown().await;
}

#[tokio::test]
async fn the_answer_to_an_effect_may_withdraw_it_with_all_that_wait_behind_it() {
    let (_directory, store, peer, clock) = setup();
    peer.deaf(true);
    let engine = start(&store, peer.clone(), &clock).await;
    // The first is kept to be repeated, the others are gone once they are done.
    engine.submit(till(1), deposit(1, 1)).await.unwrap();
    for amount in [2, 4] {
        engine.submit(till(1), Input::Credited { amount }).await.unwrap();
    }
    assert_eq!(undone(&*store).await, 3);
    let mut news = engine.news();
    peer.deaf(false);
    peer.hang_up();
    clock.advance(Span::hours(1));
    assert_eq!(news.recv().await.unwrap(), till(1));
    engine.settled(&till(1)).await;
    assert_eq!((undone(&*store).await, peer.reports(1)), (0, vec![(1, 1)]));
    // The same where none of them is kept.
    let mut news = engine.news();
    engine.submit(till(2), Input::Credited { amount: 8 }).await.unwrap();
    for _ in 0..2 {
        assert_eq!(news.recv().await.unwrap(), till(2));
    }
    engine.settled(&till(2)).await;
    assert_eq!((undone(&*store).await, peer.reports(2)), (0, vec![(1, 8)]));
    engine.shutdown().await;
}

#[tokio::test]
async fn what_is_not_done_at_a_shutdown_is_done_after_the_next_start() {
    let (_directory, store, peer, clock) = setup();
    peer.deaf(true);
    let engine = start(&store, peer.clone(), &clock).await;
    for id in 1..20 {
        engine.submit(till(id), deposit(i64::from(id), 1)).await.unwrap();
    }
    engine.clone().shutdown().await;
    assert_eq!(engine.submit(till(1), deposit(1, 9)).await, Err(EngineError::Closed));
    assert_eq!(undone(&*store).await, 19);
    peer.deaf(false);
    let engine = start(&store, peer.clone(), &clock).await;
    for id in 1..20 {
        until(&engine, id, |till| till.receipts.len() == 1).await;
        assert_eq!(peer.reports(id), vec![(1, i64::from(id))]);
    }
    engine.shutdown().await;
    assert_eq!(undone(&*store).await, 0);
}

#[tokio::test]
async fn a_step_whose_rows_changed_is_taken_again_with_fresh_ones() {
    let (_directory, store, peer, clock) = setup();
    let fund = Row::new().with("id", 1_i64).with("holds", 100_i64).with("version", 0_i64);
    store.commit(vec![Batch::new().row(RowOp::insert(FUND.name, fund))]).await.remove(0).unwrap();
    let engine = start(&store, peer.clone(), &clock).await;
    let mut draws = tokio::task::JoinSet::new();
    for id in 0..12_u8 {
        let engine = engine.clone();
        draws.spawn(async move {
            loop {
                match engine.submit(till(id), Input::Funded { amount: 10, number: 1 }).await {
                    Err(EngineError::Busy) => {}
                    other => return other.unwrap().refused,
                }
            }
        });
    }
    let refused: Vec<Option<Refused>> = draws.join_all().await;
    // Ten draws empty the fund; who comes too late reads that and is refused.
    assert_eq!(refused.iter().filter(|refused| refused.is_none()).count(), 10);
    assert_eq!(refused.iter().filter(|refused| **refused == Some(Refused::Mismatch)).count(), 2);
    let rows = store.query(vec![Query::of(FUND.name)]).await.unwrap().remove(0);
    assert_eq!(rows[0].integer("holds"), Ok(0));
    engine.shutdown().await;
}

#[tokio::test]
async fn refused_inputs_are_kept_and_declined_ones_when_they_may_be_evidence() {
    let (_directory, store, peer, clock) = setup();
    let engine = start(&store, peer.clone(), &clock).await;
    engine.submit(till(1), Input::Closed).await.unwrap();
    let refused = engine.submit(till(1), deposit(5, 1)).await.unwrap();
    assert_eq!(refused.refused, Some(Refused::OutOfPlace));
    let code = Err(EngineError::Declined("till.amount"));
    assert_eq!(engine.submit(till(2), deposit(0, 1)).await, code);
    assert_eq!(engine.submit(till(2), deposit(0, 99)).await, code);
    assert_eq!(engine.submit(till(3), Input::Confirmed { change: 1 }).await, Err(EngineError::Unknown));
    engine.shutdown().await;
    let records: Vec<StepRecord> = journal(&*store)
        .await
        .iter()
        .map(|(_, row)| StepRecord::read(row.bytes("payload").unwrap()).unwrap())
        .collect();
    let kept: Vec<(Vec<u8>, u8)> =
        records.iter().map(|record| (record.instance.id.clone(), record.refused)).collect();
    assert_eq!(kept, vec![(vec![1], 0), (vec![1], 2), (vec![2], 4)]);
}

#[tokio::test]
async fn the_journal_tells_time_and_chance_of_every_step() {
    let (_directory, store, peer, clock) = setup();
    let engine = start(&store, peer.clone(), &clock).await;
    engine.submit(till(1), deposit(5, 1)).await.unwrap();
    clock.set(START.before(Span::hours(1)));
    engine.submit(till(1), deposit(5, 2)).await.unwrap();
    engine.shutdown().await;
    let records: Vec<StepRecord> = journal(&*store)
        .await
        .iter()
        .map(|(_, row)| StepRecord::read(row.bytes("payload").unwrap()).unwrap())
        .collect();
    assert!(records.len() >= 4 && records.iter().all(|record| record.now == START));
    let blocks: std::collections::BTreeSet<[u8; 64]> =
        records.iter().map(|record| *randomness().again(*record.block.as_bytes()).bytes()).collect();
    assert_eq!(blocks.len(), records.len(), "a block was used twice");
}

#[tokio::test]
async fn heads_of_the_journal_are_signed_every_sixty_four_entries_and_when_asked() {
    let (directory, store, peer, clock) = setup();
    let host = Tills::signing();
    let (keys, key) = &**host.keys.as_ref().unwrap();
    let public = keys.public(key).unwrap();
    let (randomness, limits) = (randomness(), Limits::default());
    let parts =
        Parts { host: host.clone(), store: Arc::clone(&store), performer: peer, clock, randomness, limits };
    let engine = Engine::start(parts).await.unwrap();
    // Each deposit makes three entries: itself, the signature, the receipt.
    for number in 0..50 {
        engine.submit(till(1), deposit(1, number)).await.unwrap();
    }
    until(&engine, 1, |till| till.receipts.len() == 50).await;
    engine.sign_head().await.unwrap();
    engine.shutdown().await;
    let heads = store.query(vec![Query::of("head")]).await.unwrap().remove(0);
    let lines = journal(&*store).await;
    assert_eq!(lines.len(), 150);
    assert!(heads.len() >= 3, "{} heads", heads.len());
    for row in &heads {
        let signature = Signature::from_bytes(row.array("sig").unwrap());
        let signed = SignedBytes { tbs: row.bytes("statement").unwrap().to_vec(), signature };
        let head = signed.verify::<JournalHead>(&public).unwrap();
        assert_eq!(lines[usize::try_from(head.seq).unwrap() - 1].0.hash(), head.hash);
    }
    assert_eq!(heads.last().unwrap().count("seq"), Ok(150));
    drop(store);
    assert_eq!(archive(directory.path()).opened().head.seq, 150);
}

/// A performer that does nothing before it is let go on.
struct Gate(Arc<Semaphore>);

impl Performer<Input> for Gate {
    async fn perform(&self, _: &Key, effect: &Effect, _: u32) -> Performed<Input> {
        assert_eq!(effect.to, PEER);
        self.0.acquire().await.unwrap().forget();
        Performed::Done
    }
}

#[tokio::test]
async fn a_shutdown_waits_for_effects_under_way_but_not_for_ever() {
    for (permits, left) in [(1, 0), (0, 1)] {
        let (_directory, store, _, clock) = setup();
        let gate = Arc::new(Semaphore::new(0));
        let limits = Limits { grace: Span::millis(200), ..Limits::default() };
        let (host, clock, randomness) = (Tills::default(), clock.clone(), randomness());
        let performer = Gate(Arc::clone(&gate));
        let parts = Parts { host, store: Arc::clone(&store), performer, clock, randomness, limits };
        let engine = Engine::start(parts).await.unwrap();
        engine.submit(till(1), deposit(5, 1)).await.unwrap();
        tokio::task::yield_now().await;
        let stopping = tokio::spawn(engine.shutdown());
        tokio::task::yield_now().await;
        gate.add_permits(permits);
        stopping.await.unwrap();
        assert_eq!(undone(&*store).await, left);
    }
}

#[tokio::test]
async fn more_inputs_than_there_is_room_for_are_turned_away() {
    let (_directory, store, peer, clock) = setup();
    let limits = Limits { inputs: 2, ..Limits::default() };
    let (host, randomness) = (Tills::default(), randomness());
    let parts = Parts { host, store: Arc::clone(&store), performer: peer, clock, randomness, limits };
    let engine = Engine::start(parts).await.unwrap();
    let submits: Vec<_> = (0..50)
        .map(|number| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.submit(till(1), deposit(1, number)).await })
        })
        .collect();
    let (mut taken, mut turned) = (0, 0);
    for submit in submits {
        match submit.await.unwrap() {
            Ok(_) => taken += 1,
            Err(EngineError::Busy) => turned += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(taken >= 2 && turned > 0 && taken + turned == 50, "{taken} taken, {turned} turned away");
    assert_eq!(until(&engine, 1, |till| till.receipts.len() == taken).await.holds, taken as i64);
    engine.shutdown().await;
}
