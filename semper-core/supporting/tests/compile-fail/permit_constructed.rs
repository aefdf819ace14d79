//! A permit cannot be constructed.

use semper_supporting::{crypto::keys::GenerateKey, tinguin::Permit};

fn forge() -> Permit<GenerateKey> {
    Permit { bytes: Vec::new() }
}

fn main() {}
