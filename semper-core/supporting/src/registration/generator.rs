//! The generator of random bytes that a seed feeds: ChaCha20 (RFC 8439), seeded anew from time to time.
//!
//! It draws nothing itself: the bytes of the operating system and the time are given. Whoever learns its state
//! knows what it gives until it is seeded anew, and nothing of what it gave before the seed it has now.

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use zeroize::Zeroizing;

use super::seed::{UserPart, mix};
use crate::time::{Moment, Span};

/// After how many bytes it is seeded anew.
pub const MOST_BYTES: u64 = 1 << 20;
/// After how long it is seeded anew.
pub const MOST_TIME: Span = Span::minutes(10);

/// A generator of random bytes. Erased when dropped.
pub struct Generator {
    stream: ChaCha20Rng,
    given: u64,
    seeded: Moment,
}

impl Generator {
    /// A generator with this seed, which was mixed at `now`.
    pub fn new(seed: &Zeroizing<[u8; 32]>, now: Moment) -> Self {
        Self { stream: ChaCha20Rng::from_seed(**seed), given: 0, seeded: now }
    }

    /// Whether it is to be seeded anew before it gives `more` bytes: it has given enough, it has stood for too
    /// long, as after a suspension of the computer, or the clock was set back, so that nobody knows for how long.
    pub fn is_due(&self, more: usize, now: Moment) -> bool {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        self.given.saturating_add(more) > MOST_BYTES
            || now < self.seeded
            || now.since(self.seeded) >= MOST_TIME
    }

    /// Seeds it anew with 128 fresh bytes of the operating system. What was in it stays in it.
    pub fn refresh(&mut self, salt: &[u8; 64], system: &Zeroizing<[u8; 64]>, now: Moment) {
        let mut own = Zeroizing::new([0; 32]);
        self.stream.fill_bytes(own.as_mut_slice());
        *self = Self::new(&mix(salt, system, Some(&UserPart::kept(&own)), None), now);
    }

    /// The next bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.stream.fill_bytes(bytes);
        self.given = self.given.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
}

impl std::fmt::Debug for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Generator(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment::from_seconds(1_000);

    fn generator(seed: u8) -> Generator {
        Generator::new(&Zeroizing::new([seed; 32]), START)
    }

    fn next(generator: &mut Generator) -> [u8; 32] {
        let mut bytes = [0; 32];
        generator.fill(&mut bytes);
        bytes
    }

    #[test]
    fn a_seed_decides_what_comes_and_nothing_comes_twice() {
        let (mut one, mut same, mut other) = (generator(1), generator(1), generator(2));
        let first = next(&mut one);
        assert_eq!(first, next(&mut same));
        assert_ne!(first, next(&mut other));
        assert_ne!(first, next(&mut one));
    }

    #[test]
    fn it_is_due_after_a_mebibyte_ten_minutes_or_a_clock_that_went_back() {
        let mut generator = generator(1);
        assert!(!generator.is_due(1 << 20, START));
        assert!(generator.is_due((1 << 20) + 1, START));
        let almost = Moment::from_millis(START.millis() + 599_999);
        assert!(!generator.is_due(1, almost));
        assert!(generator.is_due(1, START.after(MOST_TIME)));
        assert!(generator.is_due(1, Moment::from_seconds(999)));
        generator.fill(&mut vec![0; 1 << 20]);
        assert!(generator.is_due(1, START));
        generator.refresh(&[0; 64], &Zeroizing::new([0; 64]), almost);
        assert!(!generator.is_due(1, START.after(MOST_TIME)));
    }

    #[test]
    fn what_was_in_it_and_what_is_fresh_both_decide_what_comes_after_it_is_seeded_anew() {
        let after = |seed, salt, system| {
            let mut generator = generator(seed);
            generator.refresh(&[salt; 64], &Zeroizing::new([system; 64]), START);
            next(&mut generator)
        };
        let all = [after(1, 1, 1), after(2, 1, 1), after(1, 2, 1), after(1, 1, 2)];
        for (place, bytes) in all.iter().enumerate() {
            assert!(!all[..place].contains(bytes), "{place}");
        }
        assert_eq!(after(1, 1, 1), all[0]);
    }

    #[test]
    fn it_is_never_printed() {
        assert_eq!(format!("{:?}", generator(1)), "Generator(…)");
    }
}
