//! A file of evidence as a buyer would compile it, laid out before a judge who runs `verify.sh`.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]
#![allow(clippy::disallowed_methods, reason = "the judge reads files")]

use std::{
    fs,
    num::NonZero,
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

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
        SignedBytes,
        bundle::{Dossier, Files, Object, Parts, Record, SignedBy},
        statement,
    },
};
use tempfile::TempDir;

use crate::pki;

pub(crate) const DEAL: DealId = DealId::from_bytes([7; 32]);
pub(crate) const PERSON: u8 = 3;
pub(crate) const BANK: u8 = 4;
pub(crate) const ACCOUNT: u8 = 5;
pub(crate) const JOURNAL: u8 = 6;

#[derive(Clone)]
pub(crate) struct Court {
    pub(crate) files: Files,
    pub(crate) root: Digest,
}

pub(crate) fn public(n: u8) -> PublicKey {
    KeyPair::from_seed(&[n; 32]).public()
}

pub(crate) fn sign(n: u8, tbs: Vec<u8>) -> SignedBytes {
    let signature = Signature::from_bytes(SigningKey::from_bytes(&[n; 32]).sign(&tbs).to_bytes());
    SignedBytes { tbs, signature }
}

pub(crate) fn text(kind: &str, lines: &str, n: u8) -> SignedBytes {
    sign(n, format!("semper-statement/1 {kind}\n{lines}signer: {}\n", public(n).kid()).into_bytes())
}

pub(crate) fn leaf(world: &pki::World, class: Class, n: u8) -> Certificate {
    let mut order = pki::World::order(class);
    order.key = public(n);
    order.serial = pki::serial(n);
    world.ca.issue(&order).unwrap()
}

/// What a buyer would bring: an order, the bank's account statement, a payment order under the account's
/// key, a text named by hash, and the buyer's record.
pub(crate) fn compile(world: &pki::World) -> Court {
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
    /// What the judge sees on the screen, and whether it was accepted. The judge runs a script whose hash was
    /// compared: one that somebody spoilt is no judge of itself.
    pub(crate) fn judge(&self) -> (bool, String) {
        let folder = self.lay();
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(semper_supporting::evidence::bundle::VERIFY_SH);
        run(shell, folder.path(), &self.root.to_string())
    }

    /// The folder as it comes to the judge.
    pub(crate) fn lay(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in &self.files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    /// Makes the list of files and its signature again, as the compiler who wants to cheat can.
    pub(crate) fn sign_again(&mut self) {
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

    pub(crate) fn flip(&mut self, path: &str, bit: usize) {
        let content = self.files.get_mut(path).unwrap();
        let bit = bit % (content.len() * 8);
        content[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Runs `verify.sh` in `folder` by `shell`: whether it accepted, and what it printed.
pub(crate) fn run(mut shell: Command, folder: &Path, root: &str) -> (bool, String) {
    let output = shell.arg(folder.join("verify.sh")).arg(root).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Judges every case, on all cores: each waits for processes of its own.
pub(crate) fn judge_all(cases: &[(String, Court)]) -> Vec<(bool, String)> {
    let next = AtomicUsize::new(0);
    let seen = Mutex::new(vec![(true, String::new()); cases.len()]);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, NonZero::get) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some((_, court)) = cases.get(n) else { break };
                    let verdict = court.judge();
                    seen.lock().unwrap()[n] = verdict;
                }
            });
        }
    });
    seen.into_inner().unwrap()
}
