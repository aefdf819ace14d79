//! A file of evidence before a judge who has `sh`, `sha256sum` and `openssl`: accepted as it is, refused
//! after any change, and refused when it was made up as a whole.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]
#![allow(clippy::disallowed_methods, reason = "the judge reads files")]

mod pki;

use std::{fs, path::Path, process::Command};

use ed25519_dalek::{Signer as _, SigningKey};
use semper_supporting::{
    archive::{
        ArchiveId,
        head::JournalHead,
        journal::{Chain, Class as Entries, Entry, Kind},
    },
    certificate::{Certificate, Class},
    crypto::{
        digest::Digest,
        signature::{KeyPair, PublicKey, Signature},
    },
    deal::DealId,
    evidence::{
        SignedBytes, Statement,
        bundle::{Dossier, Files, Object, Parts, Record, SignedBy},
        statement,
    },
    time::Moment,
};

const DEAL: DealId = DealId::from_bytes([7; 32]);
const PERSON: u8 = 3;
const BANK: u8 = 4;
const ACCOUNT: u8 = 5;
const JOURNAL: u8 = 6;

struct Court {
    files: Files,
    root: Digest,
}

fn public(n: u8) -> PublicKey {
    KeyPair::from_seed(&[n; 32]).public()
}

fn sign(n: u8, tbs: Vec<u8>) -> SignedBytes {
    let signature = Signature::from_bytes(SigningKey::from_bytes(&[n; 32]).sign(&tbs).to_bytes());
    SignedBytes { tbs, signature }
}

fn text(kind: &str, lines: &str, n: u8) -> SignedBytes {
    sign(n, format!("semper-statement/1 {kind}\n{lines}signer: {}\n", public(n).kid()).into_bytes())
}

fn leaf(world: &pki::World, class: Class, n: u8) -> Certificate {
    let mut order = pki::World::order(class);
    order.key = public(n);
    order.serial = pki::serial(n);
    world.ca.issue(&order).unwrap()
}

/// What a buyer would bring: an order, the bank's account statement, a payment order under the account's
/// key, a text named by hash, and the buyer's record.
fn compile(world: &pki::World) -> Court {
    let (person, bank) = (leaf(world, Class::PersonSign, PERSON), leaf(world, Class::Bank, BANK));
    let object = |signed, by, about: &str| Object { signed, by, at: pki::now(), about: about.into() };
    let contract = b"Colour management, an introduction".to_vec();
    let order = format!("deal: {DEAL}\ntext: {}\nat: 2026-03-01T10:00:00Z\n", Digest::of(&contract));
    let mut chain = Chain::EMPTY;
    let lines = (0_u8..4).map(|n| {
        chain.append(&Entry {
            at: pki::now(),
            kind: Kind::new(Entries::Sent, "x/gxv/accept").unwrap(),
            deal: Some(DEAL),
            salt: [n; 32],
            payload: vec![n],
        })
    });
    let lines: Vec<_> = lines.collect();
    let head = JournalHead {
        archive: ArchiveId::from_bytes([1; 32]),
        seq: chain.head().seq,
        hash: chain.head().hash,
        at: pki::now(),
        signer: public(JOURNAL).kid(),
        cert: None,
    };
    let head = sign(JOURNAL, statement::to_bytes(&head).unwrap()).verify(&public(JOURNAL)).unwrap();
    let parts = Parts {
        objects: vec![
            object(
                text("order", &order, PERSON),
                SignedBy::Certificate(person.digest()),
                "the buyer's order",
            ),
            object(
                text("pay/acct", &format!("owner: {}\n", public(ACCOUNT).kid()), BANK),
                SignedBy::Certificate(bank.digest()),
                "the buyer's account",
            ),
            object(
                text("pay/pay", "amount: EUR 6.00\n", ACCOUNT),
                SignedBy::Key(public(ACCOUNT).kid()),
                "the payment",
            ),
        ],
        certificates: vec![person.der().to_vec(), bank.der().to_vec(), world.ca.certificate().der().to_vec()],
        keys: vec![public(ACCOUNT)],
        roots: vec![world.root.certificate().der().to_vec()],
        attachments: vec![contract],
        record: Some(Record { lines, head, key: public(JOURNAL) }),
        report: "10:00 the buyer ordered.\n".into(),
        ..Parts::default()
    };
    let draft = parts.draft(DEAL, pki::now(), public(PERSON).kid(), Some(person.digest())).unwrap();
    let dossier = sign(PERSON, statement::to_bytes(draft.dossier()).unwrap());
    let dossier = dossier.verify::<Dossier>(&public(PERSON)).unwrap();
    let files = draft.complete(&dossier, SignedBy::Certificate(person.digest()));
    Court { files, root: world.root.certificate().digest() }
}

impl Court {
    /// What the judge sees on the screen, and whether it was accepted.
    fn judge(&self) -> (bool, String) {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in &self.files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        run(folder.path(), &self.root.to_string())
    }

    /// Makes the list of files and its signature again, as the compiler who wants to cheat can.
    fn sign_again(&mut self) {
        let listed = |path: &String| !path.starts_with("MANIFEST.") && path != "verify.sh";
        let manifest: String = self
            .files
            .iter()
            .filter(|(path, _)| listed(path))
            .map(|(path, c)| format!("{}  {path}\n", Digest::of(c)))
            .collect();
        let mut dossier: Dossier = statement::from_bytes(&self.files["MANIFEST.tbs"]).unwrap();
        dossier.manifest_sha256 = Digest::of(manifest.as_bytes());
        let signed = sign(PERSON, statement::to_bytes(&dossier).unwrap());
        self.files.insert("MANIFEST.sha256".into(), manifest.into_bytes());
        self.files.insert("MANIFEST.tbs".into(), signed.tbs);
        self.files.insert("MANIFEST.sig".into(), signed.signature.as_bytes().to_vec());
    }

    fn flip(&mut self, path: &str, bit: usize) {
        let content = self.files.get_mut(path).unwrap();
        let bit = bit % (content.len() * 8);
        content[bit / 8] ^= 1 << (bit % 8);
    }
}

fn run(folder: &Path, root: &str) -> (bool, String) {
    let output = Command::new("sh").arg(folder.join("verify.sh")).arg(root).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_whole_file_is_accepted_and_every_object_named() {
    let court = compile(&pki::World::new());
    let (accepted, seen) = court.judge();
    assert!(accepted, "{seen}");
    for line in
        ["ok   evidence/001-order/ order", "ok   evidence/002-pay-acct/", "ok   evidence/003-pay-pay/"]
    {
        assert!(seen.contains(line), "{seen}");
    }
    assert!(seen.ends_with(&format!("ACCEPTED 3 objects, root {}\n", court.root)), "{seen}");
}

#[test]
fn the_script_is_short_enough_to_be_read() {
    assert!(semper_supporting::evidence::bundle::VERIFY_SH.lines().count() < 100);
}

#[test]
fn a_file_made_up_with_roots_of_its_own_is_refused() {
    let honest = compile(&pki::World::new());
    let forged = Court { root: honest.root, ..compile(&pki::World::of_another_root()) };
    assert_ne!(forged.files, honest.files);
    let (accepted, seen) = forged.judge();
    assert!(!accepted && seen.contains("is not in roots/"), "{seen}");
    // The forger's root under the name of the honest one is no better.
    let mut renamed = forged;
    let path = renamed.files.keys().find(|path| path.starts_with("roots/")).unwrap().clone();
    let content = renamed.files.remove(&path).unwrap();
    renamed.files.insert(format!("roots/{}.pem", renamed.root), content);
    renamed.sign_again();
    assert!(!renamed.judge().0);
}

#[test]
fn one_flipped_bit_anywhere_is_refused() {
    let honest = compile(&pki::World::new());
    for (n, path) in honest.files.keys().enumerate() {
        let mut changed = Court { files: honest.files.clone(), root: honest.root };
        changed.flip(path, 5 + 97 * n);
        let (accepted, seen) = changed.judge();
        assert!(!accepted, "{path}: {seen}");
    }
}

#[test]
fn one_flipped_bit_is_refused_even_when_the_list_is_made_and_signed_again() {
    let honest = compile(&pki::World::new());
    let own_words = |path: &&String| {
        path.ends_with("about.txt")
            || *path == "README.txt"
            || *path == "report.txt"
            || path.starts_with("MANIFEST")
    };
    let mut tried = 0;
    for path in honest.files.keys().filter(|path| !own_words(path)) {
        for bit in [3, 40_009] {
            let mut changed = Court { files: honest.files.clone(), root: honest.root };
            changed.flip(path, bit);
            changed.sign_again();
            let (accepted, seen) = changed.judge();
            // A certificate may be written in other base64 white space; what it says may not differ.
            let same = path.ends_with(".pem") && same_der(&changed.files[path], &honest.files[path]);
            // The time in at.txt is the compiler's word; within the certificate's life it is believed.
            let time = path.ends_with("at.txt");
            assert!(!accepted || same || time, "{path}, bit {bit}: {seen}");
            tried += usize::from(!same && !time);
        }
    }
    assert!(tried > 30, "{tried}");
}

#[test]
fn files_beside_the_list_and_objects_taken_out_are_refused() {
    let honest = compile(&pki::World::new());
    let mut more = Court { files: honest.files.clone(), root: honest.root };
    more.files.insert("evidence/004-order/object.tbs".into(), b"x".to_vec());
    assert!(!more.judge().0);
    let mut less = Court { files: honest.files.clone(), root: honest.root };
    less.files.remove("evidence/001-order/object.tbs");
    assert!(!less.judge().0);
    let mut shorter = Court { files: honest.files.clone(), root: honest.root };
    let record = String::from_utf8(shorter.files["journal/own.txt"].clone()).unwrap();
    let cut: String = record.lines().take(3).map(|line| format!("{line}\n")).collect();
    shorter.files.insert("journal/own.txt".into(), cut.into_bytes());
    shorter.sign_again();
    assert!(shorter.judge().1.contains("does not end at its signed head"));
}

#[test]
fn a_key_that_nobody_vouches_for_signs_nothing() {
    let mut court = compile(&pki::World::new());
    let stranger = text("pay/acct", &format!("owner: {}\n", public(9).kid()), BANK);
    court.files.insert("evidence/002-pay-acct/object.tbs".into(), stranger.tbs);
    court.files.insert("evidence/002-pay-acct/object.sig".into(), stranger.signature.as_bytes().to_vec());
    court.sign_again();
    assert!(court.judge().1.contains("nobody says whose key"));
}

#[test]
fn a_signature_in_somebody_elses_name_is_refused() {
    let mut court = compile(&pki::World::new());
    let bank = court.files["evidence/002-pay-acct/signer.txt"].clone();
    let forged = text("order", "text: 00\n", BANK);
    // Signed by the bank in its own name, shown as the buyer's order.
    court.files.insert("evidence/001-order/object.tbs".into(), forged.tbs.clone());
    court.files.insert("evidence/001-order/object.sig".into(), forged.signature.as_bytes().to_vec());
    court.sign_again();
    assert!(!court.judge().0, "under the buyer's certificate");
    let named =
        format!("semper-statement/1 order\ntext: 00\nsigner: {}\n", public(PERSON).kid()).into_bytes();
    let forged = sign(BANK, named);
    court.files.insert("evidence/001-order/object.tbs".into(), forged.tbs);
    court.files.insert("evidence/001-order/object.sig".into(), forged.signature.as_bytes().to_vec());
    court.files.insert("evidence/001-order/signer.txt".into(), bank);
    court.sign_again();
    assert!(court.judge().1.contains("names another signer"));
}

#[test]
fn a_fingerprint_that_is_none_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("verify.sh"), semper_supporting::evidence::bundle::VERIFY_SH).unwrap();
    for root in ["", "abc", &"G".repeat(64), &"A".repeat(64)] {
        let (accepted, seen) = run(folder.path(), root);
        assert!(!accepted && seen.contains("usage"), "{root}: {seen}");
    }
}

#[test]
fn a_dossier_is_a_registered_type() {
    assert!(semper_supporting::evidence::registry::is_registered(Dossier::TYPE));
    assert!(Moment::from_seconds(0) < pki::now());
}

fn same_der(a: &[u8], b: &[u8]) -> bool {
    let der = |pem: &[u8]| {
        let text: String =
            String::from_utf8_lossy(pem).lines().filter(|line| !line.starts_with('-')).collect();
        data_encoding::BASE64.decode(text.as_bytes()).ok()
    };
    der(a).is_some() && der(a) == der(b)
}
