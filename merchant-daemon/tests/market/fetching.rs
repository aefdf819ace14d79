//! A buyer's program fetches goods from a shop in another process, and opens them.

use std::fs;

use semper_comm_tls::Clock;
use semper_merchant_daemon::{catalogue, program::Program};
use semper_supporting::{
    comm::address::{Endpoint, Surroundings},
    crypto::{digest::Digest, seal::content::sealed_length},
    fault::Fault as _,
};
use semper_trade::calls::{Caller, goods::Shelf};

use crate::{
    trading::{Daemon, market, merchantd, said},
    world::{cut_after, write_file},
};

const LENGTH: usize = 12 << 20;

fn endpoint(address: &str) -> Endpoint {
    Endpoint::parse(address, Surroundings::Demo).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goods_are_fetched_across_a_cut_and_restarts_of_both_sides_and_opened() {
    let (_authority, bank, folder) = market().await;
    let (folder, place) = (folder.path(), tempfile::tempdir().unwrap());
    let file = folder.join("film.mkv");
    write_file(&file, LENGTH);
    let add = ["catalogue", "add", file.to_str().unwrap(), "--title", "A film", "--price", "XTS 6.00"];
    said(&merchantd(folder, &add));
    let program = Program::open(folder).await.unwrap();
    let [entry] = catalogue::list(&*program.store, None, 10).await.unwrap().try_into().unwrap();
    let key = entry.key.open(program.wrapping()).unwrap();
    drop(program);
    let identity = bank.program.identity().await.unwrap();
    let caller = Caller::new(Clock::system(), bank.program.trust.clone(), Surroundings::Demo, identity);
    let (sealed, length) = (entry.sealed, LENGTH as u64);

    let daemon = Daemon::start(folder);
    let wire = cut_after(&daemon.address, length / 3).await;
    let cut = Shelf::at(place.path()).unwrap().fetch(&caller, &endpoint(&wire), sealed, length).await;
    let cut = cut.unwrap_err();
    assert!(!cut.is_final() && cut.code() == "net.lost", "{cut}");
    let part = place.path().join("sealed").join(format!("{sealed}.part"));
    let came = fs::metadata(&part).unwrap().len();
    assert!(came > 0 && came <= length / 3, "{came} bytes came");
    daemon.terminate();

    let daemon = Daemon::start(folder);
    let (shop, shelf) = (endpoint(&daemon.address), Shelf::at(place.path()).unwrap());
    // Through this wire less passes than all of it: what came before is not sent again.
    let wire = cut_after(&daemon.address, sealed_length(length) - came / 2).await;
    shelf.fetch(&caller, &endpoint(&wire), sealed, length).await.unwrap();
    let measured = shelf.open(&key, sealed).await.unwrap().unwrap();
    assert_eq!((measured.plain, measured.sealed, measured.length), (entry.plain, sealed, length));
    let item = shelf.item(&entry.plain).unwrap();
    assert_eq!(Digest::of(&fs::read(item).unwrap()), entry.plain);

    let unknown = shelf.fetch(&caller, &shop, Digest::of(b"nothing"), 100).await.unwrap_err();
    assert_eq!((unknown.code(), unknown.is_final()), ("shop.unknown", true));
    daemon.terminate();
}
