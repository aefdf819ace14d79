//! A file of evidence made up by somebody who knows `verify.sh`: nothing in it is run, nothing in it writes
//! on the judge's screen, and none of it is accepted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]
#![allow(clippy::disallowed_methods, reason = "the judge reads files")]

mod court;
mod pki;

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use court::{ACCOUNT, BANK, Court, PERSON, compile, judge_all, public, run, sign, text};
use semper_supporting::evidence::{
    bundle::Dossier,
    statement::{from_bytes, to_bytes},
};

/// Every path below `folder`, without following links.
fn tree(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        found.insert(entry.path());
        if entry.file_type().unwrap().is_dir() {
            found.extend(tree(&entry.path()));
        }
    }
    found
}

fn is_plain(seen: &str) -> bool {
    seen.chars().all(|c| c == '\n' || c == ' ' || c.is_ascii_graphic())
}

/// The verdict on `court` in a folder that `change` has been at; nothing may have appeared in it.
fn after(court: &Court, change: impl FnOnce(&Path)) -> (bool, String) {
    let folder = court.lay();
    change(folder.path());
    let before = tree(folder.path());
    let verdict = run(Command::new("sh"), folder.path(), &court.root.to_string());
    assert_eq!(tree(folder.path()), before, "something was made in the folder");
    assert!(is_plain(&verdict.1), "{:?}", verdict.1);
    verdict
}

#[test]
fn names_that_a_shell_could_run_or_take_for_options_are_refused_and_not_printed() {
    let names = [
        "certs/$(touch x).pem",
        "certs/`touch x`.pem",
        "certs/a;touch x;.pem",
        "certs/a b.pem",
        "certs/-n",
        "-n",
        "--help",
        "keys/.*.pem",
        "attachments/*",
        "attachments/a\nreport.txt",
        "attachments/a\\nreport.txt",
        "attachments/\u{1b}[2J\u{1b}[HACCEPTED",
        "attachments/\rACCEPTED",
        "evidence/001 order/object.tbs",
        "evidence/$(touch x)/object.tbs",
        "journal/'own'.txt",
        "journal/ünicode.txt",
    ];
    let honest = compile(&pki::World::new());
    for name in names {
        let mut forged = honest.clone();
        forged.files.insert(name.to_owned(), honest.files["report.txt"].clone());
        forged.sign_again();
        let (accepted, seen) = after(&forged, |_| {});
        assert!(!accepted && seen == "FAIL an unusual name of a file\nREFUSED\n", "{name:?}: {seen}");
    }
}

#[test]
fn lists_that_name_files_elsewhere_are_refused() {
    let honest = compile(&pki::World::new());
    for name in ["/etc/passwd", "../x", "./report.txt", "report.txt/../report.txt"] {
        let mut forged = honest.clone();
        forged.sign_again();
        let line = format!("{}  {name}\n", semper_supporting::crypto::digest::Digest::of(b""));
        let list = forged.files.get_mut("MANIFEST.sha256").unwrap();
        list.extend(line.bytes());
        let (accepted, seen) = after(&forged, |_| {});
        assert!(!accepted && seen.contains("differs from MANIFEST.sha256"), "{name}: {seen}");
    }
}

#[test]
fn links_and_pipes_in_the_place_of_files_are_refused() {
    let honest = compile(&pki::World::new());
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("report.txt");
    fs::write(&copy, &honest.files["report.txt"]).unwrap();
    let changes: [&dyn Fn(&Path); 4] = [
        &|folder| symlink("/etc/passwd", folder.join("attachments/passwd")).unwrap(),
        &|folder| {
            // A link to a file of the right content is a link nevertheless.
            fs::remove_file(folder.join("report.txt")).unwrap();
            symlink(&copy, folder.join("report.txt")).unwrap();
        },
        &|folder| symlink("/", folder.join("evidence/004-order")).unwrap(),
        &|folder| {
            fs::remove_file(folder.join("MANIFEST.signer")).unwrap();
            let made = Command::new("mkfifo").arg(folder.join("MANIFEST.signer")).status();
            assert!(made.unwrap().success());
        },
    ];
    for change in changes {
        let (accepted, seen) = after(&honest, change);
        assert!(!accepted && seen.contains("a link or another thing"), "{seen}");
    }
}

#[test]
fn a_huge_file_is_refused_without_being_read() {
    let honest = compile(&pki::World::new());
    for path in ["MANIFEST.at", "evidence/001-order/signer.txt", "journal/own.txt", "report.txt"] {
        let (accepted, seen) = after(&honest, |folder| {
            let file = OpenOptions::new().write(true).open(folder.join(path)).unwrap();
            file.set_len(1 << 36).unwrap();
        });
        assert!(!accepted && seen.contains("too large"), "{path}: {seen}");
    }
}

/// `at.txt` names the time, and nothing else: an option for openssl would choose another root.
#[test]
fn options_in_the_place_of_a_time_do_not_bring_another_root() {
    let honest = compile(&pki::World::new());
    let forged = compile(&pki::World::of_another_root());
    let theirs = format!("roots/{}.pem", honest.root);
    let time = String::from_utf8(forged.files["MANIFEST.at"].clone()).unwrap();
    let options = [
        format!("{} -CAfile roots/{}.pem", time.trim_end(), forged.root),
        format!("{} -partial_chain -CAfile roots/{}.pem", time.trim_end(), forged.root),
        String::from("-help"),
        String::new(),
        String::from("1772359200\n1"),
        String::from("17723592001772359200"),
    ];
    let cases = options.map(|option| {
        let mut changed = forged.clone();
        changed.root = honest.root;
        changed.files.insert(theirs.clone(), honest.files[&theirs].clone());
        let times: Vec<_> = changed.files.keys().filter(|path| path.ends_with("at.txt")).cloned().collect();
        for path in times.into_iter().chain(["MANIFEST.at".into()]) {
            changed.files.insert(path, option.clone().into_bytes());
        }
        changed.sign_again();
        (option, changed)
    });
    for ((option, _), (accepted, seen)) in cases.iter().zip(judge_all(&cases)) {
        assert!(!accepted && seen.contains("FAIL time of MANIFEST\n"), "{option}: {seen}");
    }
}

/// Another time for the dossier's signature, at which its certificate was good as well, or was good still.
#[test]
fn a_dossier_is_of_the_time_that_was_signed() {
    let honest = compile(&pki::World::new());
    let dossier: Dossier = from_bytes(&honest.files["MANIFEST.tbs"]).unwrap();
    let at = dossier.at.seconds();
    let times = [format!("{}\n", at - 1), format!("{}\n", at + 86_400), format!("{at}0\n"), "0\n".into()];
    let cases = times.map(|time| {
        let mut forged = honest.clone();
        forged.files.insert("MANIFEST.at".into(), time.clone().into_bytes());
        (time, forged)
    });
    for ((time, _), (accepted, seen)) in cases.iter().zip(judge_all(&cases)) {
        let said = seen.contains("FAIL MANIFEST.at is not the time in MANIFEST.tbs\n");
        assert!(!accepted && said && seen.ends_with("REFUSED\n"), "{time:?}: {seen}");
    }
}

#[test]
fn patterns_in_the_place_of_a_hash_match_nothing() {
    let honest = compile(&pki::World::new());
    let order = text("order", "text: 00\n", ACCOUNT);
    for signer in ["key .*", "key *", "cert *", "cert ../certs/x", "key ", "cert", "", "key a\nkey b", "-n"] {
        let mut forged = honest.clone();
        forged.files.insert("evidence/001-order/object.tbs".into(), order.tbs.clone());
        forged.files.insert("evidence/001-order/object.sig".into(), order.signature.as_bytes().to_vec());
        forged.files.insert("evidence/001-order/signer.txt".into(), signer.as_bytes().to_vec());
        forged.sign_again();
        let (accepted, seen) = after(&forged, |_| {});
        assert!(!accepted && seen.contains("FAIL signer of evidence/001-order/object\n"), "{signer}: {seen}");
    }
}

#[test]
fn a_signed_text_writes_nothing_on_the_screen() {
    let honest = compile(&pki::World::new());
    let signer = public(PERSON).kid();
    let texts = [
        format!("semper-statement/1 order\u{1b}[2K\rACCEPTED\nsigner: {signer}\n"),
        format!("semper-statement/1 order\nnote: \u{7}\nsigner: {signer}\n"),
        format!("semper-statement/1 order\0\nsigner: {signer}\n"),
    ];
    for tbs in texts {
        let signed = sign(PERSON, tbs.clone().into_bytes());
        let mut forged = honest.clone();
        forged.files.insert("evidence/001-order/object.tbs".into(), signed.tbs);
        forged.files.insert("evidence/001-order/object.sig".into(), signed.signature.as_bytes().to_vec());
        forged.sign_again();
        let (accepted, seen) = after(&forged, |_| {});
        assert!(!accepted && seen.contains("not plain text"), "{tbs:?}: {seen}");
    }
    // What is no statement is not called one, whoever signed it.
    for first in ["ACCEPTED 3 objects, root", "semper-statement/1 Order %s", "semper-statement/2 order"] {
        let signed = sign(PERSON, format!("{first}\nsigner: {signer}\n").into_bytes());
        let mut forged = honest.clone();
        forged.files.insert("evidence/001-order/object.tbs".into(), signed.tbs);
        forged.files.insert("evidence/001-order/object.sig".into(), signed.signature.as_bytes().to_vec());
        forged.sign_again();
        let (accepted, seen) = after(&forged, |_| {});
        assert!(!accepted && !seen.contains(first), "{seen}");
        assert!(seen.contains("FAIL no statement: evidence/001-order/\n"), "{seen}");
    }
}

#[test]
fn a_record_with_words_beside_its_chain_is_refused() {
    let honest = compile(&pki::World::new());
    let record = String::from_utf8(honest.files["journal/own.txt"].clone()).unwrap();
    let changed = [
        format!("{record}a last line that nobody hashes"),
        record.replacen(' ', "  ", 1),
        record.replacen('\n', " \n", 1),
        format!(" {record}"),
        record.replacen('\n', " more\n", 1),
    ];
    for text in changed {
        let mut forged = honest.clone();
        forged.files.insert("journal/own.txt".into(), text.clone().into_bytes());
        forged.sign_again();
        let (accepted, seen) = after(&forged, |_| {});
        assert!(!accepted && seen.contains("FAIL journal/own.txt"), "{text}: {seen}");
    }
}

#[test]
fn another_number_of_objects_than_the_dossier_says_is_refused() {
    let mut fewer = compile(&pki::World::new());
    fewer.files.retain(|path, _| !path.starts_with("evidence/003"));
    fewer.sign_again();
    let (accepted, seen) = fewer.judge();
    assert!(!accepted && seen.contains("another number of objects"), "{seen}");
    let mut dossier: Dossier = from_bytes(&fewer.files["MANIFEST.tbs"]).unwrap();
    dossier.objects = 2;
    fewer.files.insert("MANIFEST.tbs".into(), to_bytes(&dossier).unwrap());
    fewer.sign_again();
    let (accepted, seen) = fewer.judge();
    assert!(accepted, "{seen}");
    let mut bare = fewer;
    bare.files.insert("evidence/003-order/about.txt".into(), b"the order\n".to_vec());
    bare.sign_again();
    assert!(bare.judge().1.contains("FAIL no object in evidence/003-order/\n"));
}

#[test]
fn a_file_that_asks_for_a_pass_phrase_is_no_certificate_and_no_key() {
    let mut forged = compile(&pki::World::new());
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:secret", "-out"])
        .arg(&key)
        .output();
    assert!(made.unwrap().status.success());
    let locked = fs::read(&key).unwrap();
    let name = "0".repeat(64);
    forged.files.insert(format!("certs/{name}.pem"), locked.clone());
    forged.files.insert(format!("keys/{name}.pem"), locked);
    forged.sign_again();
    let (accepted, seen) = after(&forged, |_| {});
    assert!(!accepted, "{seen}");
    for kind in ["no certificate: certs", "no key: keys"] {
        assert!(seen.contains(&format!("FAIL {kind}/{name}.pem\n")), "{seen}");
    }
}

#[test]
fn a_search_path_that_would_run_files_of_the_folder_is_refused() {
    let court = compile(&pki::World::new());
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    for hostile in [format!(".:{path}"), format!("{path}:"), format!("{path}::/bin"), format!("{path}:bin")] {
        let folder = court.lay();
        let mut shell = Command::new("/bin/sh");
        shell.env("PATH", &hostile);
        let (accepted, seen) = run(shell, folder.path(), &court.root.to_string());
        assert!(!accepted && seen.starts_with("PATH names a relative folder"), "{hostile}: {seen}");
    }
}

/// The script keeps to what every shell and every `sed`, `find` and `sort` has; of those that are not
/// installed nothing is said.
#[test]
fn every_shell_that_is_here_says_the_same() {
    let honest = compile(&pki::World::new());
    let mut forged = honest.clone();
    let bank = honest.files["evidence/002-pay-acct/object.sig"].clone();
    forged.files.insert("evidence/001-order/object.sig".into(), bank);
    forged.sign_again();
    let mut named = honest.clone();
    named.files.insert("certs/a b.pem".into(), BANK.to_be_bytes().to_vec());
    named.sign_again();
    let mut dated = honest.clone();
    dated.files.insert("MANIFEST.at".into(), b"1772359201\n".to_vec());
    let cases = [&honest, &forged, &named, &dated];
    let expected = cases.map(Court::judge);
    assert_eq!(expected.each_ref().map(|(accepted, _)| *accepted), [true, false, false, false]);
    let applets = tempfile::tempdir().unwrap();
    let shells = [vec!["dash"], vec!["bash"], vec!["bash", "--posix"], vec!["ksh"], vec!["busybox", "sh"]];
    for words in shells {
        if Command::new(words[0]).args(["-c", ":"]).output().is_err() {
            continue;
        }
        let mut path = std::env::var_os("PATH").unwrap();
        if words[0] == "busybox" {
            // Its own find, sed, sort and sha256sum come first.
            let made = Command::new("busybox").args(["--install", "-s"]).arg(applets.path()).status();
            assert!(made.unwrap().success());
            let mut own = applets.path().as_os_str().to_owned();
            own.push(":");
            own.push(&path);
            path = own;
        }
        for (court, expected) in cases.iter().zip(&expected) {
            let folder = court.lay();
            let mut shell = Command::new(words[0]);
            shell.args(&words[1..]).env("PATH", &path);
            let seen = run(shell, folder.path(), &court.root.to_string());
            assert_eq!(&seen, expected, "{words:?}");
        }
    }
}
