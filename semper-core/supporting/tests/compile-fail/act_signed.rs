//! Nobody signs the text of an act.

use semper_supporting::{
    crypto::keys::{GenerateKey, KeyRef, KeyStore, SoftKeys},
    time::Moment,
    tinguin::Permit,
};

fn sign(keys: &SoftKeys, key: &KeyRef, permit: Permit<GenerateKey>, now: Moment) {
    let _ = keys.sign(key, permit, now);
}

fn main() {}
