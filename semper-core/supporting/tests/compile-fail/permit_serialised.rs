//! A permit cannot be stored.

use semper_supporting::{crypto::keys::GenerateKey, tinguin::Permit, wire};

fn store(permit: &Permit<GenerateKey>) {
    let _ = wire::encode(permit, 1000);
}

fn main() {}
