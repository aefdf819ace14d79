//! Shops that send well, cut, lie, and say no; and goods that open or do not.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use semper_comm_tls::Session;
use semper_supporting::{
    certificate::Class,
    comm::{address::Endpoint, frame::Frame, session::Why},
    crypto::{
        digest::Digest,
        seal::{
            CHUNK, ContentKey, Measured,
            content::{seal_whole, sealed_length},
        },
    },
    fault::Fault as _,
};
use semper_trade::calls::{
    CallFault, Caller,
    goods::{GoodsFault, Shelf},
};
use semper_transfer::catalogue::{Answer, Question, Refusal};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::market::{Market, close, next};

/// How many bytes the shops here send at once.
const PIECE: usize = 64 << 10;
const LENGTH: usize = 3 * CHUNK + 17;

/// What a shop does with one connection.
#[derive(Clone, Copy, Debug)]
enum Conduct {
    Sends,
    /// Hangs up after so many pieces.
    Cuts(usize),
    /// Sends other bytes, as many as it should.
    Lies,
    /// Says that there are so many bytes more than there should be.
    Promises(u64),
    /// Sends so many bytes more than it said.
    Exceeds(usize),
    /// Ends a byte too early.
    Stops,
    Refuses(Refusal),
    /// Answers nothing.
    Silent,
}

/// A shop, its one sealed file, and a buyer.
struct World {
    _market: Market,
    place: TempDir,
    caller: Caller,
    shop: Endpoint,
    measured: Measured,
    content: Vec<u8>,
    /// From where it was asked to send, call by call.
    froms: Arc<Mutex<Vec<u64>>>,
    asked: mpsc::UnboundedReceiver<()>,
}

fn key() -> ContentKey {
    ContentKey::from_bytes([7; 32])
}

async fn attend(mut session: Session, sealed: Arc<Vec<u8>>, conduct: Conduct, froms: Arc<Mutex<Vec<u64>>>) {
    let Some(frame) = next(&mut session).await else { return };
    let Ok(Question::Sealed { sealed: asked, from }) = Question::read(&frame.payload) else { panic!() };
    assert_eq!(asked, Digest::of(&sealed));
    froms.lock().unwrap().push(from);
    let mut length = sealed.len() as u64;
    let mut rest = sealed[usize::try_from(from).unwrap()..].to_vec();
    let mut pieces = usize::MAX;
    match conduct {
        Conduct::Sends => {}
        Conduct::Cuts(most) => pieces = most,
        Conduct::Lies => rest[0] ^= 1,
        Conduct::Promises(more) => length += more,
        Conduct::Exceeds(more) => rest.extend(vec![0; more]),
        Conduct::Stops => rest.truncate(rest.len() - 1),
        Conduct::Refuses(refusal) => {
            let frame = Answer::Refused(refusal).frame(frame.stream).unwrap();
            session.send.send(frame).await.unwrap();
            return close(session).await;
        }
        Conduct::Silent => while next(&mut session).await.is_some() {},
    }
    let stream = frame.stream;
    let _ = session.send.send(Answer::Coming { from, length }.frame(stream).unwrap()).await;
    let count = rest.len().div_ceil(PIECE);
    for (n, piece) in rest.chunks(PIECE).enumerate().take(pieces) {
        // Whoever was sent too much has gone.
        let _ = session.send.send(Frame::chunk(stream, n + 1 == count, piece.to_vec()).unwrap()).await;
    }
    close(session).await;
}

impl World {
    /// A shop that does these things, one call after the other.
    async fn new(conducts: &[Conduct]) -> Self {
        let market = Market::new();
        let (shop, person) = (market.party(Class::Merchant), market.party(Class::PersonAuth));
        let content: Vec<u8> = (0..LENGTH).map(|at| (at % 251) as u8).collect();
        let (sealed, measured) = seal_whole(&key(), &content).unwrap();
        let (sealed, conducts, froms) = (Arc::new(sealed), conducts.to_vec(), Arc::default());
        let (tell, asked) = mpsc::unbounded_channel();
        let noted = Arc::clone(&froms);
        let shop = market
            .serve(&shop, move |number, session| {
                let conduct =
                    *conducts.get(number).unwrap_or_else(|| panic!("call {number} was not expected"));
                let _ = tell.send(());
                attend(session, Arc::clone(&sealed), conduct, Arc::clone(&noted))
            })
            .await;
        let place = tempfile::tempdir().unwrap();
        let caller = market.caller(&person);
        Self { _market: market, place, caller, shop, measured, content, froms, asked }
    }

    /// The shelf, as a program finds it that starts now.
    fn shelf(&self) -> Shelf {
        Shelf::at(self.place.path()).unwrap()
    }

    async fn fetch(&self) -> Result<(), GoodsFault> {
        let shelf = self.shelf();
        shelf.fetch(&self.caller, &self.shop, self.measured.sealed, LENGTH as u64).await
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.place.path().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn sealed(&self) -> PathBuf {
        self.place.path().join("sealed").join(self.measured.sealed.to_string())
    }

    fn part(&self) -> PathBuf {
        self.sealed().with_extension("part")
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_several_chunks_comes_across_cuts_and_restarts_and_opens() {
    let world = World::new(&[Conduct::Cuts(1), Conduct::Cuts(2), Conduct::Sends]).await;
    for pieces in [1, 3] {
        let cut = world.fetch().await.unwrap_err();
        assert!(matches!(cut, GoodsFault::Call(CallFault::Unreachable(Why::Lost))), "{cut:?}");
        assert!(!cut.is_final());
        assert_eq!(fs::metadata(world.part()).unwrap().len(), pieces * PIECE as u64);
        assert!(matches!(
            world.shelf().open(&key(), world.measured.sealed).await,
            Err(GoodsFault::Absent(_))
        ));
    }
    world.fetch().await.unwrap();
    assert_eq!(*world.froms.lock().unwrap(), [0, PIECE as u64, 3 * PIECE as u64]);
    assert_eq!(Digest::of(&fs::read(world.sealed()).unwrap()), world.measured.sealed);
    assert_eq!(world.files("sealed"), [world.sealed()]);
    // What is here is not fetched again.
    world.fetch().await.unwrap();

    let shelf = world.shelf();
    assert_eq!(shelf.item(&world.measured.plain), None);
    // Opening twice, as after a crash, is as good as once.
    for _ in 0..2 {
        assert_eq!(shelf.open(&key(), world.measured.sealed).await.unwrap(), Some(world.measured));
        let item = shelf.item(&world.measured.plain).unwrap();
        assert_eq!(fs::read(&item).unwrap(), world.content);
        assert_eq!((mode(&item), mode(&world.sealed())), (0o600, 0o600));
        assert_eq!(world.files("items"), [item]);
    }
    shelf.remove_sealed(world.measured.sealed).await.unwrap();
    shelf.remove_sealed(world.measured.sealed).await.unwrap();
    assert!(world.files("sealed").is_empty() && shelf.item(&world.measured.plain).is_some());
    shelf.remove_item(world.measured.plain).await.unwrap();
    assert!(world.files("items").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_fetched_where_the_disk_has_no_room_for_it() {
    let world = World::new(&[Conduct::Cuts(1), Conduct::Sends]).await;
    let (sealed, length) = (world.measured.sealed, LENGTH as u64);
    let tight = Shelf::leaving(world.place.path(), u64::MAX / 2).unwrap();
    let fault = tight.fetch(&world.caller, &world.shop, sealed, length).await.unwrap_err();
    assert_eq!((fault.code(), fault.is_final()), ("goods.no-room", false));
    let GoodsFault::NoRoom { needed, free } = fault else { panic!("{fault}") };
    assert_eq!(needed, sealed_length(length) + length + u64::MAX / 2);
    assert!(free > 0 && world.froms.lock().unwrap().is_empty());

    // What has come counts no more, and with room it goes on.
    world.fetch().await.unwrap_err();
    let GoodsFault::NoRoom { needed: rest, .. } = tight.room(sealed, length).await.unwrap_err() else {
        panic!()
    };
    assert_eq!(rest, needed - PIECE as u64);
    world.shelf().room(sealed, length).await.unwrap();
    world.fetch().await.unwrap();
    // A length that no disk has is no sum that wraps.
    assert_eq!(tight.room(sealed, u64::MAX).await.unwrap_err().code(), "goods.no-room");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_sends_something_else_is_found_out_and_nothing_of_it_stays() {
    let world = World::new(&[Conduct::Lies]).await;
    let fault = world.fetch().await.unwrap_err();
    assert!(matches!(fault, GoodsFault::Other { found } if found != world.measured.sealed));
    assert!(fault.is_final() && fault.code() == "item.hash");
    assert!(world.files("sealed").is_empty());
}

#[tokio::test]
async fn a_stored_file_that_is_gone_or_changed_is_told_in_the_words_that_are_fixed() {
    let home = tempfile::tempdir().unwrap();
    let (shelf, plain) = (Shelf::at(home.path()).unwrap(), Digest::of(b"what was bought"));
    let told = async || shelf.check_item(plain).await.map_err(|fault| (fault.code(), fault.to_string()));
    let missing = "The stored file is not there any more.".to_owned();
    assert_eq!(told().await, Err(("item.missing", missing)));
    let place = home.path().join("items").join(plain.to_string());
    fs::write(&place, b"what was bought").unwrap();
    assert_eq!(told().await, Ok(()));
    fs::write(&place, b"what was brought").unwrap();
    let damaged = "The stored file differs from what you received.".to_owned();
    assert_eq!(told().await, Err(("item.damaged", damaged)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_crash_has_damaged_here_is_not_held_against_the_shop() {
    let world = World::new(&[Conduct::Sends, Conduct::Sends]).await;
    world.shelf();
    fs::write(world.part(), vec![0; 100]).unwrap();
    let fault = world.fetch().await.unwrap_err();
    assert!(matches!(fault, GoodsFault::Damaged(_)) && !fault.is_final());
    assert!(world.files("sealed").is_empty());
    world.fetch().await.unwrap();
    assert_eq!(*world.froms.lock().unwrap(), [100, 0]);

    // The whole file, damaged: neither the key is called wrong nor anything opened.
    let mut sealed = fs::read(world.sealed()).unwrap();
    *sealed.last_mut().unwrap() ^= 1;
    fs::write(world.sealed(), sealed).unwrap();
    let shelf = world.shelf();
    let fault = shelf.open(&key(), world.measured.sealed).await.unwrap_err();
    assert!(matches!(fault, GoodsFault::Damaged(_)) && !fault.is_final());
    assert!(world.files("sealed").is_empty() && world.files("items").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_or_less_than_was_agreed_is_refused_at_the_limit() {
    let agreed = sealed_length(LENGTH as u64);
    for (conduct, bytes) in [
        (Conduct::Promises(1), agreed + 1),
        (Conduct::Promises(u64::MAX - agreed), u64::MAX),
        (Conduct::Exceeds(1), agreed + 1),
        (Conduct::Exceeds(8 * PIECE), 4 * PIECE as u64),
        (Conduct::Stops, agreed - 1),
    ] {
        let world = World::new(&[conduct]).await;
        let fault = world.fetch().await.unwrap_err();
        assert!(fault.is_final() && fault.code() == "goods.length", "{conduct:?}: {fault}");
        let GoodsFault::Length { agreed: limit, offered } = fault else { panic!("{conduct:?}: {fault}") };
        assert_eq!((limit, offered), (agreed, bytes), "{conduct:?}");
        assert!(world.files("sealed").is_empty(), "{conduct:?}");
    }
    // What was here already of a file that cannot be the right one is thrown away before anybody is asked.
    let world = World::new(&[Conduct::Sends]).await;
    world.shelf();
    fs::write(world.part(), vec![0; usize::try_from(agreed).unwrap() + 1]).unwrap();
    world.fetch().await.unwrap();
    assert_eq!(*world.froms.lock().unwrap(), [0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_says_no_for_good_or_for_now() {
    for (refusal, code, last) in [
        (Refusal::Unknown, "shop.unknown", true),
        (Refusal::Offset, "shop.offset", true),
        (Refusal::Busy, "shop.busy", false),
        (Refusal::Unavailable, "shop.unavailable", false),
    ] {
        let world = World::new(&[Conduct::Cuts(1), Conduct::Refuses(refusal)]).await;
        world.fetch().await.unwrap_err();
        let fault = world.fetch().await.unwrap_err();
        assert_eq!((fault.code(), fault.is_final()), (code, last));
        // What came is kept exactly as long as it is of use.
        assert_eq!(world.part().exists(), !last);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_opens_nothing_and_leaves_nothing() {
    let world = World::new(&[Conduct::Sends]).await;
    world.fetch().await.unwrap();
    let shelf = world.shelf();
    let wrong = ContentKey::from_bytes([8; 32]);
    assert_eq!(shelf.open(&wrong, world.measured.sealed).await.unwrap(), None);
    assert!(world.files("items").is_empty());
    // The sealed file is as good as before.
    assert_eq!(shelf.open(&key(), world.measured.sealed).await.unwrap(), Some(world.measured));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_crash_left_half_opened_is_removed_at_the_next_start_and_what_came_is_not() {
    let world = World::new(&[Conduct::Cuts(1)]).await;
    world.fetch().await.unwrap_err();
    let half = world.place.path().join("items").join(format!("{}.part", world.measured.sealed));
    fs::write(&half, &world.content[..CHUNK]).unwrap();
    world.shelf();
    assert!(!half.exists() && world.part().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_do_not_write_into_one_file() {
    let mut world = World::new(&[Conduct::Silent, Conduct::Sends]).await;
    let (shelf, caller, shop, sealed) =
        (world.shelf(), world.caller.clone(), world.shop.clone(), world.measured.sealed);
    let first = tokio::spawn(async move { shelf.fetch(&caller, &shop, sealed, LENGTH as u64).await });
    world.asked.recv().await.unwrap();
    let second = world.fetch().await.unwrap_err();
    assert_eq!((second.code(), second.is_final()), ("goods.at-work", false));
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    world.fetch().await.unwrap();
}
