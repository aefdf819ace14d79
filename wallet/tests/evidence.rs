//! A dossier from a real wallet: exported, checked by this program and by `verify.sh`, then spoilt.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use semper_host::{
    chance::{self, Source},
    papers::Papers,
};
use semper_supporting::{
    access::Subject as Actor,
    archive::{
        Batch, Row, RowOp, Store as _, Value,
        journal::{Entry, Kind},
        record::{EvidenceRecord, ItemRecord, Place, REVOCATION_LIST, keep_certificate},
    },
    certificate::{Class, Issuance, Issuer, Serial, Subject, inspect, profile::Need, status::LIST_VALIDITY},
    crypto::{
        digest::Digest,
        keys::KeyPurpose,
        signature::{KeyPair, Kid},
    },
    deal::DealId,
    evidence::{Signable, Statement, bundle::Files},
    time::{Moment, Span},
};
use semper_tinguin::texts::Texts;
use semper_wallet::{
    evidence::{Folder, Problem, Stored, dossier, list, look, verify, write},
    fault::WalletFault,
    password::Password,
    profile::{DoorPlate, DoorWords, Profile},
    wallet::{Mode, Wallet},
};
use serde::{Deserialize, Serialize};

const PASSWORD: &str = "seven grey herons by the canal";
const DEAL: DealId = DealId::from_bytes([0x5f; 32]);
const OTHER: DealId = DealId::from_bytes([0x77; 32]);

/// What the buyer signs in this test.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Order {
    deal: DealId,
    text_sha256: Digest,
    at: Moment,
    signer: Kid,
}

impl Statement for Order {
    const TYPE: &'static str = "order";
}

impl Signable for Order {
    fn signer(&self) -> Kid {
        self.signer
    }
}

async fn new_wallet(folder: &Path) -> (Profile, Wallet) {
    let profile = Profile::at(folder.join("wallet"));
    let plate = DoorPlate { words: DoorWords::parse("amber lighthouse").unwrap(), hue: 3 };
    profile
        .create(&plate, &Password::new(PASSWORD).unwrap(), &mut Source::mixed(None).unwrap())
        .await
        .unwrap();
    let wallet = Wallet::unlock(&profile, Password::new(PASSWORD).unwrap(), Mode::Whole).await.unwrap();
    (profile, wallet)
}

async fn commit(wallet: &Wallet, batch: Batch) {
    for committed in wallet.archive.commit(vec![batch]).await {
        committed.unwrap();
    }
}

fn entry(kind: &str, deal: Option<DealId>, payload: Vec<u8>) -> Entry {
    Entry { at: chance::now(), kind: Kind::parse(kind).unwrap(), deal, salt: [9; 32], payload }
}

fn name(common_name: &str, class: Class) -> Subject {
    let rules = class.rules();
    let some = |need, text: &str| (need != Need::Absent).then(|| text.to_owned());
    Subject {
        country: some(rules.country, "DE"),
        locality: some(rules.locality, "Darmstadt"),
        organisation: some(rules.organisation, "GMD"),
        common_name: common_name.into(),
        ..Subject::default()
    }
}

/// Makes the owner's signing key.
async fn signing_key(wallet: &Wallet) {
    let store = wallet.archive.as_ref();
    wallet.keys.generate(store, &Actor::User, KeyPurpose::Sign, chance::now()).await.unwrap();
}

/// Registers the owner: a signing key, its certificate, and the authorities above it.
async fn register(wallet: &Wallet) -> Issuer {
    signing_key(wallet).await;
    let key = wallet.keys.of(KeyPurpose::Sign).unwrap()[0];
    let now = chance::now();
    let from = now.before(Span::days(1)).whole_seconds();
    let serial = |n: u8| Serial::from_random([n; 16]);
    let pair = |n: u8| KeyPair::from_seed(&[n; 32]);
    let root = Issuer::root(pair(1), name("Test root", Class::Root), serial(1), from).unwrap();
    let mut order = Issuance {
        class: Class::IssuingCa,
        subject: name("Test authority", Class::IssuingCa),
        key: pair(2).public(),
        serial: serial(2),
        from,
        policy: None,
    };
    let ca = Issuer::open(pair(2), root.issue(&order).unwrap()).unwrap();
    order.class = Class::PersonSign;
    order.subject = name("Ada Weber", Class::PersonSign);
    order.key = wallet.keys.public(&key).unwrap();
    order.serial = serial(3);
    order.policy = Some("test/1".into());
    let person = ca.issue(&order).unwrap();
    let mut batch = Batch::new();
    for certificate in [&person, ca.certificate(), root.certificate()] {
        let kid = inspect(certificate).unwrap().key.kid();
        batch = batch.row(keep_certificate(certificate.der(), kid, now));
    }
    let list = ca.issue_list(7, from, LIST_VALIDITY, &[]).unwrap();
    let row = Row::new()
        .with("issuer", ca.certificate().digest())
        .with("number", 7_u64.to_be_bytes())
        .with("der", list.der())
        .with("next_update", Value::seconds(list.next_update()));
    commit(wallet, batch.row(RowOp::put(REVOCATION_LIST.name, row))).await;
    let store = wallet.archive.as_ref();
    Papers::load(store).await.unwrap().trust(store, root.certificate().clone()).await.unwrap();
    root
}

/// An order of the owner, kept as evidence and in the journal, between lines of another deal.
async fn order(wallet: &Wallet) {
    order_of(wallet, chance::now().whole_seconds()).await;
}

/// The same, by an owner who says that it was made at `at`.
async fn order_of(wallet: &Wallet, at: Moment) {
    let key = wallet.keys.of(KeyPurpose::Sign).unwrap()[0];
    let (now, text) = (chance::now().whole_seconds(), b"two documents".to_vec());
    let statement = Order { deal: DEAL, text_sha256: Digest::of(&text), at, signer: key.kid() };
    let policy = Actor::Operator { policy: Digest::of(b"the buyer of this test") };
    let signed = wallet.keys.attest(&key, &policy, &statement, now).unwrap();
    let record = EvidenceRecord::of(&signed, Some(DEAL), None, now, now.after(Span::days(10)));
    let item = ItemRecord {
        hash: Digest::of(&text),
        deal: Some(DEAL),
        name: "order.txt".into(),
        media: "text/plain".into(),
        size: 13,
        place: Place::Row(text),
        keep_until: now.after(Span::days(10)),
    };
    let batch = Batch::new()
        .entry(entry("sent/deal-propose", Some(OTHER), Vec::new()))
        .entry(entry("received/offer", Some(DEAL), b"an offer".to_vec()))
        .entry(entry("config/setting", None, Vec::new()))
        .row(record.keep())
        .row(item.keep())
        .entry(entry("sent/order", Some(DEAL), signed.bytes().tbs.clone()))
        .entry(entry("received/offer", Some(OTHER), Vec::new()));
    commit(wallet, batch).await;
}

/// Whether this program accepts the files, what it finds, and whether `verify.sh` accepts them.
fn judged(files: &Files, root: Digest) -> (bool, Vec<Problem>, bool) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("dossier");
    write(files, &folder).unwrap();
    let report = verify(&Folder::read(&folder).unwrap(), root, chance::now());
    let script = Command::new("sh").arg(folder.join("verify.sh")).arg(root.to_string()).output().unwrap();
    let problems = report.findings.iter().map(|finding| finding.problem).collect();
    (report.accepted, problems, script.status.success())
}

#[tokio::test]
async fn a_dossier_convinces_this_program_and_openssl_and_no_spoilt_one_does() {
    let home = tempfile::tempdir().unwrap();
    let (_, wallet) = new_wallet(home.path()).await;
    let root = register(&wallet).await.certificate().digest();
    order(&wallet).await;
    let holdings = list(wallet.archive.as_ref()).await.unwrap();
    assert_eq!((holdings.len(), holdings[0].deal, holdings[0].statements), (1, DEAL, 1));

    let files = dossier(&wallet, DEAL, &Texts::english(), chance::now()).await.unwrap();
    assert_eq!(judged(&files, root), (true, Vec::new(), true));
    let record = String::from_utf8(files["journal/own.txt"].clone()).unwrap();
    let kinds: Vec<_> = record.lines().map(|line| line.split(' ').nth(2).unwrap()).collect();
    assert_eq!(kinds, ["received/offer", "config/setting", "sent/order"], "nothing around the deal");
    for folder in ["attachments/", "crls/", "roots/"] {
        assert_eq!(files.keys().filter(|path| path.starts_with(folder)).count(), 1, "{folder}");
    }
    // The entry of the first export belongs to no deal, so the second says the same.
    let again = dossier(&wallet, DEAL, &Texts::english(), chance::now()).await.unwrap();
    assert_eq!(again["journal/own.txt"], files["journal/own.txt"]);

    let (accepted, problems, script) = judged(&files, Digest::of(b"another root"));
    assert!(!accepted && !script && problems.contains(&Problem::Root), "{problems:?}");
    for path in files.keys() {
        let mut spoilt = files.clone();
        let content = spoilt.get_mut(path).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        let (accepted, problems, script) = judged(&spoilt, root);
        assert!(!accepted && !script, "{path}: {problems:?}, script {script}");
    }
    let mut more = files.clone();
    more.insert("evidence/002-order/about.txt".into(), b"beside the list".to_vec());
    assert_eq!(judged(&more, root), (false, vec![Problem::List], false));
}

#[tokio::test]
async fn what_is_missing_for_a_dossier_is_named() {
    let home = tempfile::tempdir().unwrap();
    let (_, wallet) = new_wallet(home.path()).await;
    let code = |result: Result<Files, WalletFault>| result.unwrap_err().code();
    assert_eq!(code(dossier(&wallet, DEAL, &Texts::english(), chance::now()).await), "evidence.no-deal");
    signing_key(&wallet).await;
    order(&wallet).await;
    assert_eq!(
        code(dossier(&wallet, DEAL, &Texts::english(), chance::now()).await),
        "evidence.no-certificate"
    );
    assert_eq!(code(dossier(&wallet, OTHER, &Texts::english(), chance::now()).await), "evidence.no-deal");
}

#[test]
fn links_in_a_folder_are_not_followed() {
    let home = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/hostname", home.path().join("README.txt")).unwrap();
    let folder = Folder::read(home.path()).unwrap();
    assert!(folder.files.is_empty());
    assert_eq!(folder.strange, ["README.txt"]);
}

#[tokio::test]
async fn the_commands_list_export_and_check() {
    let home = tempfile::tempdir().unwrap();
    let (profile, wallet) = new_wallet(home.path()).await;
    let root = register(&wallet).await.certificate().digest().to_string();
    order(&wallet).await;
    let place = profile.path().to_str().unwrap();
    let (code, _, said) = command(&["evidence", "list", "--profile", place], PASSWORD);
    assert!(code != Some(0) && said.contains("has this archive open"), "{said}");
    drop(wallet);

    let (code, said, _) = command(&["evidence", "list", "--json", "--profile", place], PASSWORD);
    assert!(code == Some(0) && said.contains(&DEAL.to_string()), "{said}");
    let out = home.path().join("dossier");
    let out = out.to_str().unwrap();
    let deal = DEAL.to_string();
    let export = ["evidence", "export", &deal, "--out", out, "--profile", place];
    let (_, _, said) = command(&export, "not the password");
    assert_eq!(said, "Wrong password. Nothing was opened\n");
    assert!(!Path::new(out).exists());
    let (code, answer, said) = command(&[export.as_slice(), &["--json"]].concat(), PASSWORD);
    assert_eq!(code, Some(0), "{said}");
    let exported: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&exported["deal"], &exported["path"]), (&deal.as_str().into(), &out.into()));
    assert!(exported["files"].as_array().unwrap().contains(&"verify.sh".into()), "{answer}");
    let (code, said, _) = command(&["evidence", "verify", out, "--root", &root], "");
    assert!(code == Some(0) && said.contains(&format!("root {root}")), "{said}");
    // Without a root named, the wallet's own is what counts, and it is said which one that is.
    let (code, said, told) = command(&["evidence", "verify", out, "--profile", place], PASSWORD);
    assert!(code == Some(0) && said.contains(&format!("root {root}")), "{said}{told}");
    assert!(told.contains(&format!("that your wallet in {place} trusts: {root}")), "{told}");
    // A dossier does not vouch for itself.
    let nowhere = home.path().join("nowhere");
    let nobody = ["evidence", "verify", out, "--profile", nowhere.to_str().unwrap()];
    let (code, said, told) = command(&nobody, "");
    assert!(code == Some(1) && said.is_empty() && told.contains("--root"), "{said}{told}");

    let at = Path::new(out).join("MANIFEST.at");
    let time = fs::read(&at).unwrap();
    fs::remove_file(&at).unwrap();
    let (code, said, _) = command(&["evidence", "verify", out, "--root", &root], "");
    assert!(code == Some(1) && said.matches("MANIFEST").count() == 1, "{said}");
    fs::write(&at, time).unwrap();

    fs::write(Path::new(out).join("report.txt"), "another story").unwrap();
    let (code, said, _) = command(&["evidence", "verify", out, "--root", &root, "--json"], "");
    assert!(code == Some(1) && said.contains("\"accepted\": false") && said.contains("\"file\""), "{said}");
}

/// Runs the program; answers its exit code, its standard output and its standard error.
fn command(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_semper-wallet"))
        .args(arguments)
        .env("RUST_LOG", "error")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not want the password may be gone before it is given.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn a_statement_of_a_time_at_which_it_cannot_have_been_made_is_found() {
    let home = tempfile::tempdir().unwrap();
    let (_, wallet) = new_wallet(home.path()).await;
    let root = register(&wallet).await.certificate().digest();
    order_of(&wallet, chance::now().whole_seconds().after(Span::days(2))).await;
    let files = dossier(&wallet, DEAL, &Texts::english(), chance::now()).await.unwrap();
    // The script asks at what time it was proved; only this program reads what the statement says itself.
    assert_eq!(judged(&files, root), (false, vec![Problem::Stated], true));
}

#[tokio::test]
async fn a_bought_file_that_is_gone_or_changed_is_told_with_its_evidence() {
    let home = tempfile::tempdir().unwrap();
    let (_, wallet) = new_wallet(home.path()).await;
    register(&wallet).await;
    order(&wallet).await;
    let item = Digest::of(b"an introduction");
    let sale = Row::new()
        .with("id", [7_u8; 32])
        .with("side", "buyer")
        .with("deal", DEAL)
        .with("price", "XTS 12.50")
        .with("step", "closed")
        .with("item", item)
        .with("paid", true)
        .with("delivered", true)
        .with("closed", true)
        .with("opened_s", Value::seconds(chance::now()))
        .with("changed_s", Value::seconds(chance::now()));
    commit(&wallet, Batch::new().row(RowOp::insert("sale", sale))).await;
    let goods = home.path().join("wallet/goods/items");
    fs::create_dir_all(&goods).unwrap();
    let place = goods.join(item.to_string());
    let mut told = Vec::new();
    for content in [None, Some("an introduction"), Some("an intoduction")] {
        if let Some(content) = content {
            fs::write(&place, content).unwrap();
        }
        let mut holdings = list(wallet.archive.as_ref()).await.unwrap();
        look(&wallet, &mut holdings).await.unwrap();
        let file = holdings[0].file.unwrap();
        told.push((file, file.say(&Texts::english())));
    }
    let after = "Your evidence is as good as before: it names the file by its digest.";
    let said = [
        format!(
            "The stored file is not there any more. {after} Take the file from a copy or a backup of yours"
        ),
        format!(
            "The stored file differs from what you received. {after} Do not rely on the file. Take it from a copy or a backup of yours"
        ),
    ];
    let [missing, damaged] = said.map(Some);
    assert_eq!(told, [(Stored::Missing, missing), (Stored::Whole, None), (Stored::Damaged, damaged)]);
    // Its evidence is exported all the same.
    assert!(dossier(&wallet, DEAL, &Texts::english(), chance::now()).await.is_ok());
}
