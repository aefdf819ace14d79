//! Every file of the fuzzer's corpus of links and invites through the very function that the fuzzer calls, in the
//! ordinary run of the tests.
#![allow(clippy::disallowed_methods, reason = "a test reads its corpus")]
#![allow(clippy::print_stdout, reason = "a failing test says at which file")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::{fs, path::Path};

#[path = "../../../fuzz/invite.rs"]
mod handover;

/// A file whose name begins with `good-` is accepted, and no other.
#[test]
fn links_and_invites_are_read_as_they_were_written_or_not_at_all() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/invite");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20, "{}", files.len());
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        println!("{name}");
        assert_eq!(handover::invite(&fs::read(&path).unwrap()), name.starts_with("good-"));
    }
}
