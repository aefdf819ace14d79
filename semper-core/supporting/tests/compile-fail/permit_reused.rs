//! A permit is used up by its use.

use semper_supporting::{crypto::keys::GenerateKey, time::Moment, tinguin::Permit};

fn twice(permit: Permit<GenerateKey>, now: Moment) {
    let _ = permit.redeem(now);
    let _ = permit.redeem(now);
}

fn main() {}
