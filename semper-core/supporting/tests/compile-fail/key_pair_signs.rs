//! A pair of keys signs nothing outside the key store.

use semper_supporting::crypto::signature::KeyPair;

fn sign(pair: &KeyPair) {
    let _ = pair.sign(b"anything");
}

fn main() {}
