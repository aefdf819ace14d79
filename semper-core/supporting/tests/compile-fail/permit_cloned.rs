//! A permit cannot be copied.

use semper_supporting::{crypto::keys::GenerateKey, tinguin::Permit};

fn twice(permit: &Permit<GenerateKey>) -> Permit<GenerateKey> {
    Permit::clone(permit)
}

fn main() {}
