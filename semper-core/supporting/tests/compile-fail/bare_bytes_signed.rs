//! A key store does not sign bare bytes.

use semper_supporting::{
    crypto::keys::{KeyRef, KeyStore, SoftKeys},
    time::Moment,
};

fn sign(keys: &SoftKeys, key: &KeyRef, now: Moment) {
    let _ = keys.sign(key, b"anything".to_vec(), now);
}

fn main() {}
