//! Wherever the process ends, before or after any commit or any effect: started again, it comes to the same
//! outcome as if nothing had happened.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail this way")]

mod common;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use common::{
    Input, Peer, START, Till, archive,
    crash::{Crash, CrashingPeer, CrashingStore},
    journal, start, till, undone, until,
};
use semper_engine::{StepRecord, VirtualClock};
use semper_supporting::time::Span;

/// What the client does, in order. What is not acknowledged it submits again.
fn script() -> Vec<(u8, Input)> {
    vec![
        (1, Input::Deposited { amount: 100, number: 1 }),
        (1, Input::Beating { on: true }),
        (1, Input::Moved { amount: 30, to: 2, number: 2 }),
        (2, Input::Deposited { amount: 5, number: 3 }),
        (2, Input::Moved { amount: 20, to: 1, number: 4 }),
    ]
}

#[derive(Debug, Eq, PartialEq)]
struct Outcome {
    tills: Vec<Till>,
    /// What the peer knows about each till, whatever it heard twice.
    reported: Vec<BTreeSet<(u32, i64)>>,
}

/// One life of the process. Ends with an outcome, or by a crash.
async fn life(
    directory: &Path,
    peer: &Peer,
    clock: &VirtualClock,
    crash: &Arc<Crash>,
    acknowledged: &mut usize,
) -> Option<Outcome> {
    let inner = archive(directory);
    let store = Arc::new(CrashingStore { inner: Arc::clone(&inner), crash: Arc::clone(crash) });
    let performer = CrashingPeer { inner: peer.clone(), crash: Arc::clone(crash) };
    let running = async {
        let engine = start(&store, performer, clock).await;
        for (id, input) in script().into_iter().skip(*acknowledged) {
            engine.submit(till(id), input).await.unwrap();
            *acknowledged += 1;
        }
        // The clock stands still while nothing is acknowledged: one beat, wherever the crash was.
        clock.set(START.after(Span::seconds(15)));
        let first = until(&engine, 1, |till| till.beats == 1 && till.receipts.len() == 3).await;
        let second = until(&engine, 2, |till| till.receipts.len() == 3).await;
        engine.clone().shutdown().await;
        assert_eq!(undone(&*inner).await, 0, "an effect is not marked done");
        Outcome { tills: vec![first, second], reported: [1, 2].map(|id| reported(peer, id)).into() }
    };
    tokio::select! {
        outcome = running => Some(outcome),
        () = crash.ended() => None,
    }
}

fn reported(peer: &Peer, id: u8) -> BTreeSet<(u32, i64)> {
    peer.reports(id).into_iter().collect()
}

/// How many steps the journal says were taken. Inputs that came again and were refused are kept as well.
async fn steps(directory: &Path) -> usize {
    let entries = journal(&*archive(directory)).await;
    let records = entries.iter().map(|(_, row)| StepRecord::read(row.bytes("payload").unwrap()).unwrap());
    records.filter(|record| record.refused == 0).count()
}

/// Runs the script with a crash at this moment. Tells the outcome, how many moments the first life had, and
/// how many steps were taken in all lives.
fn run(crash_at: Option<u64>) -> (Outcome, u64, usize) {
    let directory = tempfile::tempdir().unwrap();
    let (peer, clock) = (Peer::default(), VirtualClock::at(START));
    let mut acknowledged = 0;
    let first = Crash::at(crash_at);
    let mut crash = Arc::clone(&first);
    for _ in 0..3 {
        // The runtime goes with the process, and takes every task with it.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ended = runtime.block_on(life(directory.path(), &peer, &clock, &crash, &mut acknowledged));
        drop(runtime);
        if let Some(outcome) = ended {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            return (outcome, first.seen(), runtime.block_on(steps(directory.path())));
        }
        crash = Crash::at(None);
    }
    panic!("crashed at {crash_at:?} and did not come to an end");
}

#[test]
fn a_crash_at_any_moment_changes_nothing_in_the_end() {
    let (expected, moments, steps) = run(None);
    assert_eq!(expected.tills.iter().map(|till| till.holds).collect::<Vec<_>>(), vec![90, 15]);
    assert_eq!(
        expected.tills.iter().map(|till| till.signed.clone()).collect::<Vec<_>>(),
        vec![vec![1, 2, 3], vec![1, 2, 3]]
    );
    assert!(moments > 30, "the script has only {moments} moments");
    for moment in 0..moments {
        let (outcome, _, taken) = run(Some(moment));
        assert_eq!(outcome, expected, "crash at moment {moment}");
        assert_eq!(taken, steps, "a step was taken twice or not at all: crash at moment {moment}");
    }
}
