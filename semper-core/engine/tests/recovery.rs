//! Many open instances after a crash: everything that was not done is done. The time it took is printed.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail this way; a figure is printed")]

mod common;

use std::{sync::Arc, time::Instant};

use common::{Input, Peer, START, archive, start, undone};
use semper_engine::{Key, VirtualClock};

const INSTANCES: u32 = 10_000;

fn instance(n: u32) -> Key {
    Key::new("till", n.to_be_bytes())
}

#[test]
fn ten_thousand_open_instances_are_taken_up_again() {
    let directory = tempfile::tempdir().unwrap();
    let (peer, clock) = (Peer::default(), VirtualClock::at(START));
    peer.deaf(true);
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let first = runtime();
    let begun = Instant::now();
    first.block_on(async {
        let store = archive(directory.path());
        let engine = start(&store, peer.clone(), &clock).await;
        for chunk in (0..INSTANCES).collect::<Vec<_>>().chunks(500) {
            let submits: Vec<_> = chunk
                .iter()
                .map(|n| {
                    let (engine, n) = (engine.clone(), *n);
                    tokio::spawn(async move {
                        engine.submit(instance(n), Input::Deposited { amount: 1, number: n }).await.unwrap();
                        engine.submit(instance(n), Input::Beating { on: true }).await.unwrap();
                    })
                })
                .collect();
            for submit in submits {
                submit.await.unwrap();
            }
        }
        assert_eq!(undone(&*store).await, INSTANCES as usize);
    });
    eprintln!("{INSTANCES} instances begun, two steps each, in {:?}", begun.elapsed());
    // The end of the process, without a shutdown.
    drop(first);

    peer.deaf(false);
    runtime().block_on(async {
        let begun = Instant::now();
        let store = archive(directory.path());
        eprintln!("archive opened and checked in {:?}", begun.elapsed());
        let engine = start(&store, peer.clone(), &clock).await;
        eprintln!("engine started with {INSTANCES} open instances after {:?}", begun.elapsed());
        let last = Arc::clone(&store);
        let mut waiting = engine.watch(&instance(INSTANCES - 1)).await.unwrap();
        waiting.wait_for(|shown| shown.as_ref().is_some_and(|till| till.receipts.len() == 1)).await.unwrap();
        for n in 0..INSTANCES {
            let mut watch = engine.watch(&instance(n)).await.unwrap();
            watch
                .wait_for(|shown| shown.as_ref().is_some_and(|till| till.receipts.len() == 1))
                .await
                .unwrap();
        }
        eprintln!("every report made and confirmed after {:?}", begun.elapsed());
        engine.shutdown().await;
        assert_eq!(undone(&*last).await, 0);
    });
}
