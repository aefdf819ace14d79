//! A permit cannot be minted outside the crate.

use semper_supporting::{
    crypto::keys::GenerateKey,
    time::Moment,
    tinguin::{MintedBy, Permit, Rule},
};

fn forge(act: &GenerateKey, now: Moment) {
    let _ = Permit::mint(act, None, MintedBy::Rule(Rule::Table), now);
}

fn main() {}
