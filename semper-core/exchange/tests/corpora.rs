//! Every file of the fuzzers' corpora through the very functions that the fuzzers call, in the ordinary run of
//! the tests. A crash that a fuzzer finds is mended, and its input stays here.
#![allow(clippy::disallowed_methods, reason = "a test reads its corpus")]
#![allow(clippy::print_stdout, reason = "a failing test says at which file")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::{fs, path::Path};

#[path = "../../../fuzz/targets.rs"]
mod targets;

/// The inputs of a target, by name.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> =
        files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect();
    files.sort();
    assert!(files.len() >= 20, "{} of {name}", files.len());
    files
}

#[test]
fn frames_are_read_as_they_were_written_however_they_are_cut() {
    for (name, bytes) in corpus("frame") {
        println!("{name}");
        targets::frame(&bytes);
    }
}

/// A file that is named after a type holds a statement of it.
#[test]
fn statements_are_read_as_they_were_written_or_not_at_all() {
    let mut read = 0;
    for (name, bytes) in corpus("statement") {
        println!("{name}");
        let kind = targets::statement(&bytes);
        if name.starts_with("x-") || name.starts_with("t-") || name.starts_with("pay-") {
            assert_eq!(kind.map(|kind| kind.replace('/', "-")), Some(name));
            read += 1;
        }
    }
    assert!(read > 15, "{read}");
}

#[test]
fn what_was_sealed_opens_and_nothing_else_does() {
    for (name, bytes) in corpus("escrow") {
        println!("{name}");
        targets::escrow(&bytes);
    }
}
