//! A shop with goods, asked over real connections, as a process of its own where its memory counts.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use semper_comm_tls::{Identity, Session};
use semper_host::{Folder, Keyring, chance};
use semper_merchant_daemon::{
    catalogue::{self, Wanted},
    control::{self, Command as Order},
    program::{Program, operator},
    wire::{Answer, Question, Refusal},
};
use semper_supporting::{
    archive::{Batch, Row, RowOp, Schema, Value},
    certificate::{CertRole, Serial},
    comm::{frame::Kind as Frames, session::NetEvent},
    crypto::{
        digest::Digest,
        keys::KeyPurpose,
        seal::content::{open_whole, sealed_length},
    },
    deal::DealId,
    money::Money,
    registration::record::Kind,
};

use semper_trade::sale::SALE;

use crate::world::{Running, authority, call, shop, write_file};

const MERCHANTD: &str = env!("CARGO_BIN_EXE_semper-merchantd");
const LENGTH: usize = 32 << 20;

/// A merchant's daemon as a process.
pub(crate) struct Daemon {
    child: Child,
    pub(crate) address: String,
}

impl Daemon {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_and_read(folder, 1).0
    }

    /// Starts one that has web pages; gives their address, as `127.0.0.1:7480`.
    pub(crate) fn start_with_pages(folder: &Path) -> (Self, String) {
        let (daemon, line) = Self::start_and_read(folder, 2);
        let address = line.strip_prefix("pages http://").and_then(|rest| rest.strip_suffix("/\n")).unwrap();
        (daemon, address.to_owned())
    }

    /// Starts one; gives the last of `lines` lines that it says.
    fn start_and_read(folder: &Path, lines: usize) -> (Self, String) {
        let mut child = Command::new(MERCHANTD)
            .arg("--dir")
            .arg(folder)
            .arg("run")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = vec![String::new(); lines];
        for line in &mut said {
            out.read_line(line).unwrap();
        }
        let port = said[0].trim().rsplit(':').next().unwrap().to_owned();
        (Self { child, address: format!("localhost:{port}") }, said.pop().unwrap())
    }

    /// The most memory it ever had, in KiB.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) fn terminate(mut self) {
        let sent = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success() && self.child.wait().unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn merchantd(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(MERCHANTD).arg("--dir").arg(folder).args(arguments).output().unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// An authority, a bank, and the folder of a shop that is set up.
pub(crate) async fn market() -> (Running, Running, tempfile::TempDir) {
    let authority = authority().await;
    let bank = authority.bank().await;
    let letter = authority.letter(Kind::Merchant, "Trial shop", Some("Darmstadt")).await;
    let folder = tempfile::tempdir().unwrap();
    Program::init(folder.path(), shop(&authority.address, &bank.address), &letter).await.unwrap();
    (authority, bank, folder)
}

async fn ask(session: &mut Session, number: u32, question: Question) -> Answer {
    session.send.send(question.frame(number).unwrap()).await.unwrap();
    loop {
        match session.receive.next().await {
            NetEvent::Frame(frame) if frame.kind == Frames::Directory && frame.stream == number => {
                return Answer::read(&frame.payload).unwrap();
            }
            NetEvent::Down(why) => panic!("{why}"),
            _ => {}
        }
    }
}

/// Takes chunks of a stream into `into` until its last, or until at least `most` bytes are there.
async fn take(session: &mut Session, stream: u32, into: &mut Vec<u8>, most: usize) -> bool {
    while into.len() < most {
        match session.receive.next().await {
            NetEvent::Frame(frame) if frame.kind == Frames::Chunk && frame.stream == stream => {
                into.extend(&frame.payload);
                if frame.last {
                    return true;
                }
            }
            NetEvent::Down(why) => panic!("{why}"),
            _ => {}
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goods_of_32_mib_are_added_to_a_running_shop_and_fetched_in_pieces_across_a_cut() {
    let (_authority, bank, folder) = market().await;
    let folder = folder.path();
    let daemon = Daemon::start(folder);
    let file = folder.join("film.mkv");
    write_file(&file, LENGTH);
    let add = ["catalogue", "add", file.to_str().unwrap(), "--title", "A film", "--price", "XTS 6.00"];
    said(&merchantd(folder, &add));
    let listed: serde_json::Value =
        serde_json::from_str(&said(&merchantd(folder, &["catalogue", "list", "--json"]))).unwrap();
    assert_eq!(listed[0]["title"], "A film");
    assert_eq!(listed[0]["media"], "video/matroska");
    let idle = daemon.peak();

    let mut session = bank.call(&daemon.address, CertRole::Merchant).await.unwrap();
    let Answer::Articles { articles, more: false } =
        ask(&mut session, 0, Question::Articles { after: None }).await
    else {
        panic!("the shop lists its articles")
    };
    let [article] = articles.as_slice() else { panic!("there is one") };
    assert!(article.check().is_ok());
    assert_eq!((article.length, article.price), (LENGTH as u64, Money::parse("XTS 6.00").unwrap()));
    let one = ask(&mut session, 1, Question::Article { id: article.id }).await;
    assert_eq!(one, Answer::Article(Box::new(article.clone())));

    let (sealed, length) = (article.sealed, sealed_length(article.length));
    let mut got = Vec::new();
    let coming = ask(&mut session, 2, Question::Sealed { sealed, from: 0 }).await;
    assert_eq!(coming, Answer::Coming { from: 0, length });
    assert!(!take(&mut session, 2, &mut got, LENGTH / 3).await);
    drop(session);
    let mut session = bank.call(&daemon.address, CertRole::Merchant).await.unwrap();
    let from = got.len() as u64;
    let coming = ask(&mut session, 7, Question::Sealed { sealed, from }).await;
    assert_eq!(coming, Answer::Coming { from, length });
    // Questions are answered while goods are on their way.
    let beyond = ask(&mut session, 8, Question::Sealed { sealed, from: length }).await;
    assert_eq!(beyond, Answer::Refused(Refusal::Offset));
    let busy = ask(&mut session, 7, Question::Sealed { sealed, from: 0 }).await;
    assert_eq!(busy, Answer::Refused(Refusal::Busy));
    got.truncate(usize::try_from(from).unwrap());
    let mut rest = Vec::new();
    let mut second = bank.call(&daemon.address, CertRole::Merchant).await.unwrap();
    ask(&mut second, 9, Question::Sealed { sealed, from }).await;
    assert!(take(&mut second, 9, &mut rest, usize::MAX).await);
    got.extend(&rest);
    assert_eq!((got.len() as u64, Digest::of(&got)), (length, sealed));
    let grown = daemon.peak() - idle;
    assert!(grown < 16 << 10, "the daemon grew by {grown} KiB while it sent 32 MiB");

    let gone = said(&merchantd(folder, &["catalogue", "remove", &article.id.to_string()]));
    assert_eq!(gone, format!("{} is removed\n", article.id));
    let unknown = ask(&mut second, 10, Question::Sealed { sealed, from: 0 }).await;
    assert_eq!(unknown, Answer::Refused(Refusal::Unknown));
    assert_eq!(said(&merchantd(folder, &["deals", "--json"])), "[]\n");
    // Whoever takes nothing of what is on its way would hold the end up for half a minute.
    drop((session, second));
    daemon.terminate();
    assert!(!folder.join("control").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_certificate_or_expects_a_bank_gets_no_connection() {
    let (_authority, bank, folder) = market().await;
    let daemon = Daemon::start(folder.path());
    let refused = bank.call(&daemon.address, CertRole::Bank).await.err().unwrap();
    assert_eq!(semper_supporting::fault::Fault::code(&refused), "cert.wrong-role");
    let stranger = stranger().await;
    let session = call(&bank.program.trust, stranger, &daemon.address, CertRole::Merchant).await;
    // The shop may refuse after the caller's side of the handshake is done; then the first word is the last.
    if let Ok(mut session) = session {
        assert!(matches!(session.receive.next().await, NetEvent::Down(_)));
    }
    daemon.terminate();
}

/// Somebody who made the certificate himself.
async fn stranger() -> Identity {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::create(place.path()).unwrap();
    let archive = folder.archive(Schema::new(1).with(&[semper_host::keyring::KEY])).unwrap();
    let keys = Keyring::load(&archive, folder.wrapping_key()).await.unwrap();
    let now = chance::now();
    let key = keys.one(&archive, &operator(), KeyPurpose::Deal, now).await.unwrap();
    let serial = Serial::from_random(chance::random().unwrap());
    let certificate = keys.anonymous(&key, serial, now.whole_seconds()).unwrap();
    Identity::new(&[certificate], &keys.tls_key(&key).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_sold_is_refused_in_plain_words_and_leaves_nothing() {
    let (_authority, _bank, place) = market().await;
    let folder = place.path();
    let (file, empty) = (folder.join("book.pdf"), folder.join("empty"));
    write_file(&file, 100_000);
    fs::write(&empty, "").unwrap();
    let wanted = |title: &str, price: &str, media: Option<&str>| Wanted {
        title: title.into(),
        price: price.into(),
        media: media.map(str::to_owned),
    };
    let add = async |path: &Path, wanted| control::add(folder, path, wanted, |_, _| {}).await.unwrap();
    let nowhere = folder.join("nowhere");
    for (path, wanted, text) in [
        (
            &nowhere,
            wanted("A book", "XTS 6.00", None),
            format!("{} cannot be read: No such file or directory (os error 2)", nowhere.display()),
        ),
        (&empty, wanted("A book", "XTS 6.00", None), format!("{} is empty", empty.display())),
        (&file, wanted("A book", "6", None), "the price \"6\" is not of the form \"XTS 6.00\"".into()),
        (
            &file,
            wanted("A book", "XYZ 6.00", None),
            "the price \"XYZ 6.00\" is in no currency this program knows".into(),
        ),
        (
            &file,
            wanted("A book", "EUR 6.00", None),
            "this shop takes play money (XTS) only: taking EUR needs a licensed bank and its payment system"
                .into(),
        ),
        (
            &file,
            wanted("A\u{200b} book", "XTS 6.00", None),
            "the title cannot be shown: the text holds the character U+200B".into(),
        ),
        (
            &file,
            wanted(" ", "XTS 6.00", None),
            "the title cannot be shown: the text has spaces where nobody sees them".into(),
        ),
        (
            &file,
            wanted("A book", "XTS 6.00", Some("pdf")),
            "\"pdf\" is no media type, as application/pdf is one".into(),
        ),
    ] {
        let done = add(path, wanted).await;
        assert_eq!((done.good, done.text), (false, format!("{text}; nothing was added")));
    }
    let program = Program::open(folder).await.unwrap();
    assert!(catalogue::list(&*program.store, None, 10).await.unwrap().is_empty());
    assert!(program.goods.files().unwrap().is_empty());
    // While another program holds the archive and takes no commands, nothing is added either.
    let refused = control::add(folder, &file, wanted("A book", "XTS 6.00", None), |_, _| {}).await;
    assert!(refused.unwrap_err().to_string().contains("another program has this archive open"));
    assert!(program.goods.files().unwrap().is_empty());
    drop(program);

    let done = add(&file, wanted("A book", "XTS 6.00", None)).await;
    assert!(done.good, "{}", done.text);
    let program = Program::open(folder).await.unwrap();
    let [entry] = catalogue::list(&*program.store, None, 10).await.unwrap().try_into().unwrap();
    let key = entry.key.open(program.wrapping()).unwrap();
    let sealed = fs::read(program.goods.path(&entry.sealed)).unwrap();
    let (content, measured) = open_whole(&key, &sealed).unwrap();
    assert_eq!(content, fs::read(&file).unwrap());
    assert_eq!((measured.plain, Some(measured.sealed)), (entry.plain, entry.description().sealed));

    // Left by a crash: goods without a row, and one that was never finished. They go at the next start.
    let stray = program.goods.path(&Digest::of(b"nobody's"));
    let part = folder.join("goods/.part-left");
    fs::write(&stray, "sealed").unwrap();
    fs::write(&part, "seal").unwrap();
    drop(program);
    let program = Program::open(folder).await.unwrap();
    assert!(!stray.exists() && !part.exists() && program.goods.path(&entry.sealed).exists());

    // An article that a deal names is offered no more, but its goods and key stay.
    let now = chance::now().whole_seconds();
    let sale = Row::new()
        .with("id", vec![1_u8; 32])
        .with("side", "seller")
        .with("deal", DealId::from_bytes([1; 32]))
        .with("article", entry.id.to_string())
        .with("price", entry.price.to_string())
        .with("step", "opening")
        .with("paid", false)
        .with("delivered", false)
        .with("closed", false)
        .with("opened_s", Value::seconds(now))
        .with("changed_s", Value::seconds(now));
    let batch = Batch::new().row(RowOp::insert(SALE.name, sale));
    semper_host::record::commit(&*program.store, batch).await.unwrap();
    let done = control::execute(&program, Order::Remove { id: entry.id.to_string() }).await;
    assert_eq!(
        done.text,
        format!("{} is offered no more; its goods and key stay, since deals name it\n", entry.id)
    );
    assert!(catalogue::list(&*program.store, None, 10).await.unwrap().is_empty());
    assert!(catalogue::find(&*program.store, entry.id).await.unwrap().unwrap().withdrawn.is_some());
    assert!(program.goods.path(&entry.sealed).exists());
    let again = control::execute(&program, Order::Remove { id: entry.id.to_string() }).await;
    assert_eq!((again.good, again.text), (false, format!("there is no article {}", entry.id)));
}
