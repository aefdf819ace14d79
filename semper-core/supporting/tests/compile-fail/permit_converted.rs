//! A permit for one act is none for another.

use semper_supporting::{
    crypto::keys::{DestroyKey, GenerateKey},
    tinguin::Permit,
};

fn convert(permit: Permit<GenerateKey>) -> Permit<DestroyKey> {
    permit.into()
}

fn main() {}
