//! Opening takes the same memory for any file. A program of its own, since it looks at its own peak.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::{fs, io::Write as _, path::Path};

use semper_supporting::crypto::seal::{CHUNK, ContentKey, Measured, SEALED_CHUNK, Sealer};
use semper_trade::calls::goods::Shelf;

const CHUNKS: u64 = 16 << 4;

/// The most memory this process ever had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Puts a sealed file of 16 MiB on the shelf, as if it had been fetched.
fn put(folder: &Path, key: &ContentKey) -> Measured {
    let path = folder.join("file");
    let mut file = fs::File::create(&path).unwrap();
    let mut sealer = Sealer::new(key);
    let mut chunk = Vec::with_capacity(SEALED_CHUNK);
    for n in 1..=CHUNKS {
        chunk.clear();
        chunk.resize(CHUNK, 0);
        sealer.seal(&mut chunk, n == CHUNKS).unwrap();
        file.write_all(&chunk).unwrap();
    }
    let measured = sealer.finish().unwrap();
    fs::rename(&path, folder.join("sealed").join(measured.sealed.to_string())).unwrap();
    measured
}

#[tokio::test]
async fn opening_16_mib_takes_less_than_2_mib() {
    let place = tempfile::tempdir().unwrap();
    let (shelf, key) = (Shelf::at(place.path()).unwrap(), ContentKey::from_bytes([7; 32]));
    let measured = put(place.path(), &key);
    let before = peak();
    assert_eq!(shelf.open(&key, measured.sealed).await.unwrap(), Some(measured));
    let grown = peak() - before;
    assert!(grown < 2 << 10, "it grew by {grown} KiB");
}
