//! Sealing takes the same memory for any file. A program of its own, since it looks at its own peak.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::fs;

use semper_merchant_daemon::goods::Goods;
use semper_supporting::crypto::seal::ContentKey;

/// The most memory this process ever had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn sealing_64_mib_takes_less_than_2_mib() {
    let place = tempfile::tempdir().unwrap();
    let (goods, key) = (Goods::of(place.path()), ContentKey::from_bytes([7; 32]));
    // A file of zeros that takes no room until it is read.
    let file = place.path().join("file");
    fs::File::create(&file).unwrap().set_len(64 << 20).unwrap();
    let before = peak();
    let placed = goods.place(&file, &key, &mut |_, _| {}).unwrap();
    assert_eq!(placed.measured.length, 64 << 20);
    let grown = peak() - before;
    assert!(grown < 2 << 10, "it grew by {grown} KiB");
}
