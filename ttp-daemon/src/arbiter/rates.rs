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
/// How many bytes count as one request.
const PIECE: usize = 64 << 10;
/// How many peers are remembered; whoever is forgotten starts anew.
const PEERS: usize = 10_000;

/// The requests of each peer: when the last of those it may still be charged for is paid off.
#[derive(Debug, Default)]
pub(super) struct Rates(BTreeMap<Digest, Moment>);

impl Rates {
    /// Whether `peer` may make one more request now. What it brings counts as a request for each 64 KiB, since
    /// it is kept.
    pub(super) fn admits(&mut self, peer: Digest, bytes: usize, now: Moment) -> bool {
        if self.0.len() >= PEERS {
            self.0.retain(|_, paid| *paid > now);
        }
        let paid = self.0.get(&peer).copied().unwrap_or(now).max(now);
        let cost = u64::try_from(bytes / PIECE).unwrap_or(u64::MAX).saturating_add(1);
        let next = paid.after(Span::millis(EACH.as_millis().saturating_mul(cost)));
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
        assert!((0..BURST).all(|_| rates.admits(peer, 0, now)));
        assert!(!rates.admits(peer, 0, now));
        assert!(rates.admits(Digest::of(b"another"), 0, now));
        assert!(rates.admits(peer, 0, now.after(EACH)));
        assert!(!rates.admits(peer, 0, now.after(EACH)));
    }

    #[test]
    fn what_is_brought_counts_by_its_size() {
        let (mut rates, now) = (Rates::default(), Moment::from_seconds(1_772_359_200));
        let peer = Digest::of(b"peer");
        assert!(rates.admits(peer, 1 << 20, now));
        assert!(!rates.admits(peer, 1 << 20, now));
        assert!(rates.admits(peer, 100, now));
    }

    #[test]
    fn who_keeps_quiet_is_forgotten_first() {
        let (mut rates, now) = (Rates::default(), Moment::from_seconds(1_772_359_200));
        for n in 0..PEERS {
            assert!(rates.admits(Digest::of(&n.to_be_bytes()), 0, now));
        }
        assert!(!rates.admits(Digest::of(b"one more"), 0, now));
        assert!(rates.admits(Digest::of(b"one more"), 0, now.after(EACH)));
    }
}
