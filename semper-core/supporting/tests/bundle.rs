//! A file of evidence before a judge who has `sh`, `sha256sum` and `openssl`: accepted as it is, refused
//! after any change, and refused when it was made up as a whole.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]
#![allow(clippy::disallowed_methods, reason = "the judge reads files")]

mod court;
mod pki;

use std::{fs, process::Command};

use court::{ACCOUNT, BANK, Court, PERSON, compile, judge_all, public, run, sign, text};
use semper_supporting::{
    evidence::{
        Statement as _,
        bundle::{Dossier, VERIFY_SH},
        registry,
    },
    time::Moment,
};

#[test]
fn a_whole_file_is_accepted_and_every_object_named() {
    let court = compile(&pki::World::new());
    let folder = court.lay();
    let (accepted, seen) = run(Command::new("sh"), folder.path(), &court.root.to_string());
    assert_eq!((accepted, seen.clone()), court.judge(), "the script in the folder is the judge's own");
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
    assert!(VERIFY_SH.lines().count() < 100);
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
    let flipped = |(n, path): (usize, &String)| {
        let mut changed = honest.clone();
        changed.flip(path, 5 + 97 * n);
        (path.clone(), changed)
    };
    let cases: Vec<_> = honest.files.keys().enumerate().map(flipped).collect();
    for ((path, _), (accepted, seen)) in cases.iter().zip(judge_all(&cases)) {
        assert!(!accepted && seen.ends_with("REFUSED\n"), "{path}: {seen}");
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
    let flipped = |path: &String, bit| {
        let mut changed = honest.clone();
        changed.flip(path, bit);
        changed.sign_again();
        // A certificate may be written in other base64 white space; what it says may not differ.
        let same = path.ends_with(".pem") && same_der(&changed.files[path], &honest.files[path]);
        // The time in at.txt is the compiler's word; within the certificate's life it is believed.
        let time = path.ends_with("at.txt");
        (!same && !time).then(|| (format!("{path}, bit {bit}"), changed))
    };
    let paths = honest.files.keys().filter(|path| !own_words(path));
    let cases: Vec<_> = paths.flat_map(|path| [3, 40_009].map(|bit| flipped(path, bit))).flatten().collect();
    assert!(cases.len() > 30, "{}", cases.len());
    for ((path, _), (accepted, seen)) in cases.iter().zip(judge_all(&cases)) {
        assert!(!accepted && seen.ends_with("REFUSED\n"), "{path}: {seen}");
    }
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
    assert!(court.judge().1.contains("no bank says whose key"));
}

#[test]
fn only_a_bank_says_whose_an_account_is() {
    let mut court = compile(&pki::World::new());
    let person = court.files["evidence/001-order/signer.txt"].clone();
    let own_word = text("pay/acct", &format!("owner: {}\n", public(ACCOUNT).kid()), PERSON);
    court.files.insert("evidence/002-pay-acct/object.tbs".into(), own_word.tbs);
    court.files.insert("evidence/002-pay-acct/object.sig".into(), own_word.signature.as_bytes().to_vec());
    court.files.insert("evidence/002-pay-acct/signer.txt".into(), person);
    court.sign_again();
    let (accepted, seen) = court.judge();
    assert!(!accepted && seen.contains("no bank says whose key"), "{seen}");
    let mut court = compile(&pki::World::new());
    let other_word = text("notice", &format!("owner: {}\n", public(ACCOUNT).kid()), BANK);
    court.files.insert("evidence/002-pay-acct/object.tbs".into(), other_word.tbs);
    court.files.insert("evidence/002-pay-acct/object.sig".into(), other_word.signature.as_bytes().to_vec());
    court.sign_again();
    assert!(!court.judge().0, "a line of that name in another statement says nothing");
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
    fs::write(folder.path().join("verify.sh"), VERIFY_SH).unwrap();
    for root in ["", "abc", &"G".repeat(64), &"A".repeat(64)] {
        let (accepted, seen) = run(Command::new("sh"), folder.path(), root);
        assert!(!accepted && seen.contains("usage"), "{root}: {seen}");
    }
}

#[test]
fn a_dossier_is_a_registered_type() {
    assert!(registry::is_registered(Dossier::TYPE));
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
