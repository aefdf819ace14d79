//! How often one peer may ask.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::digest::Digest,
    time::{Moment, Span},
};

/// How many requests a peer may make at once.
const BURST: u64 = 32;
/// How long it takes until a further one is free.
const EACH: Span = Span::seconds(2);
/// How many peers are remembered; whoever is forgotten starts anew.
const PEERS: usize = 10_000;

/// The requests of each peer: when the last of those it may still be charged for is paid off.
#[derive(Debug, Default)]
pub(super) struct Rates(BTreeMap<Digest, Moment>);

impl Rates {
    /// Whether `peer` may make one more request now.
    pub(super) fn admits(&mut self, peer: Digest, now: Moment) -> bool {
        if self.0.len() >= PEERS {
            self.0.retain(|_, paid| *paid > now);
        }
        let paid = self.0.get(&peer).copied().unwrap_or(now).max(now);
        let next = paid.after(EACH);
        let room = Span::millis(EACH.as_millis().saturating_mul(BURST));
        if next.since(now) > room || (self.0.len() >= PEERS && !self.0.contains_key(&peer)) {
            return false;
        }
        self.0.insert(peer, next);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_request_every_two_seconds() {
        let (mut rates, now) = (Rates::default(), Moment::from_seconds(1_772_359_200));
        let peer = Digest::of(b"peer");
        assert!((0..BURST).all(|_| rates.admits(peer, now)));
        assert!(!rates.admits(peer, now));
        assert!(rates.admits(Digest::of(b"another"), now));
        assert!(rates.admits(peer, now.after(EACH)));
        assert!(!rates.admits(peer, now.after(EACH)));
    }

    #[test]
    fn who_keeps_quiet_is_forgotten_first() {
        let (mut rates, now) = (Rates::default(), Moment::from_seconds(1_772_359_200));
        for n in 0..PEERS {
            assert!(rates.admits(Digest::of(&n.to_be_bytes()), now));
        }
        assert!(!rates.admits(Digest::of(b"one more"), now));
        assert!(rates.admits(Digest::of(b"one more"), now.after(EACH)));
    }
}
