//! Counts what is dear in this crate's cryptography, for tests that hold a protocol to its price.
//!
//! It counts in builds with debug assertions only: in released programs it is no code at all. Each thread counts for
//! itself, so that tests that run side by side do not disturb one another. Nothing ever reads a count to decide
//! anything. What TLS signs and verifies in a handshake, and what a certificate's path costs, is not counted
//! here: that is other libraries' work, and a handshake is counted as one.

use std::{cell::Cell, ops};

/// How often this thread did what is dear.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Ed25519 signatures made.
    pub signatures: u64,
    /// Ed25519 signatures checked, also those of one's own.
    pub verifications: u64,
    /// Contents that were begun to be sealed.
    pub sealed: u64,
    /// Sealed contents that were begun to be opened.
    pub opened: u64,
    /// Secrets sealed to a third party.
    pub escrowed: u64,
    /// Escrows that were tried to be opened.
    pub released: u64,
}

thread_local! {
    static TALLY: Cell<Tally> = const {
        Cell::new(Tally { signatures: 0, verifications: 0, sealed: 0, opened: 0, escrowed: 0, released: 0 })
    };
}

/// What this thread has done since it began; nothing in a build without debug assertions.
pub fn tally() -> Tally {
    TALLY.get()
}

/// Notes one more of what `one` points at.
pub(super) fn note(one: fn(&mut Tally) -> &mut u64) {
    if cfg!(debug_assertions) {
        let mut tally = TALLY.get();
        let count = one(&mut tally);
        *count = count.saturating_add(1);
        TALLY.set(tally);
    }
}

impl Tally {
    fn each(self, other: Self, of: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            signatures: of(self.signatures, other.signatures),
            verifications: of(self.verifications, other.verifications),
            sealed: of(self.sealed, other.sealed),
            opened: of(self.opened, other.opened),
            escrowed: of(self.escrowed, other.escrowed),
            released: of(self.released, other.released),
        }
    }
}

impl ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.each(other, u64::saturating_add)
    }
}

impl ops::Sub for Tally {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.each(other, u64::saturating_sub)
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;
    use crate::crypto::{
        seal::{ContentKey, EscrowKey, content, escrow},
        signature::KeyPair,
    };

    #[test]
    fn each_thing_is_counted_where_it_is_done() {
        let pair = KeyPair::from_seed(&[7; 32]);
        let (public, third) = (pair.public(), EscrowKey::from_seed(&zeroize::Zeroizing::new([5; 32])));
        let before = tally();
        let signature = pair.sign(b"words");
        assert_eq!(tally() - before, Tally { signatures: 1, ..Tally::default() });
        assert!(public.verify(b"words", &signature).is_ok() && public.verify(b"other", &signature).is_err());
        let key = ContentKey::from_bytes([6; 32]);
        let (sealed, _) = content::seal_whole(&key, b"content").unwrap();
        content::open_whole(&key, &sealed).unwrap();
        let secret = escrow::seal(&third.public(), b"use", b"secret", &[1; 32]).unwrap();
        third.open(b"use", &secret).unwrap();
        assert_eq!(
            tally() - before,
            Tally { signatures: 1, verifications: 2, sealed: 1, opened: 1, escrowed: 1, released: 1 }
        );
    }

    #[test]
    fn threads_count_for_themselves() {
        let before = tally();
        let other = std::thread::scope(|scope| {
            let signing = scope.spawn(|| {
                KeyPair::from_seed(&[7; 32]).sign(b"words");
                tally()
            });
            signing.join().unwrap()
        });
        assert_eq!((other.signatures, tally()), (1, before));
    }
}
