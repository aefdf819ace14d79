//! The user's part in the seed of the first start: collected, judged, mixed with that of the machine.
//!
//! The part of the user can only add: whoever knows it completely is left with what the operating system gave.

use hkdf::Hkdf;
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use crate::fault::{Blame, Fault, Standing};

/// How many events are asked of the user.
pub const EVENTS: usize = 128;
/// The least distance between two pointer positions that count, in pixels.
const DISTANCE: u64 = 8;
/// The least time between two pointer positions that count, in nanoseconds.
const PAUSE: u64 = 20_000_000;
/// How often a sequence of four characters may come before it counts no more.
const REPEATS: u8 = 2;
/// How many sequences are remembered; whoever has typed more has long typed enough.
const SEQUENCES: usize = 4096;
/// Names what is digested when a secret stands in for what the user entered.
const KEPT: &[u8] = b"semper-seed-kept/1";

/// Something the user did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// Moved the pointer.
    Pointer {
        /// Pixels from the left.
        x: i32,
        /// Pixels from the top.
        y: i32,
    },
    /// Pressed a key.
    Key(char),
}

/// Why the user's part cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SeedFault {
    /// Not enough events yet.
    #[error("{counted} of {EVENTS} events so far.")]
    TooShort {
        /// How many counted.
        counted: usize,
    },
    /// Enough events, but most of them repeat what came before.
    #[error("What was entered repeats itself; only {counted} of {EVENTS} events count.")]
    TooRegular {
        /// How many counted.
        counted: usize,
    },
}

impl Fault for SeedFault {
    fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "seed.too-short",
            Self::TooRegular { .. } => "seed.too-regular",
        }
    }

    fn blame(&self) -> Blame {
        Blame::User
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

/// Collects the user's events. Erased when dropped.
#[derive(Default)]
pub struct Collector {
    input: Zeroizing<Vec<u8>>,
    seen: usize,
    counted: usize,
    pointer: Option<(i32, i32, u64)>,
    recent: Zeroizing<Vec<char>>,
    sequences: Zeroizing<Vec<([char; 4], u8)>>,
}

impl Collector {
    /// Nothing collected yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an event that arrived `nanoseconds` after some fixed moment, and says how many count so far.
    ///
    /// Every event goes into the seed; whether it counts only decides when there is enough.
    pub fn take(&mut self, event: Event, nanoseconds: u64) -> usize {
        if self.input.len() < EVENTS * 1024 {
            self.input.extend_from_slice(&nanoseconds.to_be_bytes());
            match event {
                Event::Pointer { x, y } => {
                    self.input.extend_from_slice(&x.to_be_bytes());
                    self.input.extend_from_slice(&y.to_be_bytes());
                }
                Event::Key(character) => self.input.extend_from_slice(&u32::from(character).to_be_bytes()),
            }
        }
        self.seen = self.seen.saturating_add(1);
        let counts = match event {
            Event::Pointer { x, y } => self.pointer_counts(x, y, nanoseconds),
            Event::Key(character) => self.key_counts(character),
        };
        self.counted = self.counted.saturating_add(usize::from(counts));
        self.counted
    }

    /// How many events count.
    pub fn counted(&self) -> usize {
        self.counted
    }

    /// Ends the collection: the digest of everything that was entered.
    ///
    /// # Errors
    /// [`SeedFault`] if there is not enough; collecting can then go on.
    pub fn finish(&self) -> Result<UserPart, SeedFault> {
        match (self.counted, self.seen) {
            (counted, _) if counted >= EVENTS => {
                Ok(UserPart(Zeroizing::new(Sha512::digest(&*self.input).into())))
            }
            (counted, seen) if seen >= EVENTS => Err(SeedFault::TooRegular { counted }),
            (counted, _) => Err(SeedFault::TooShort { counted }),
        }
    }

    fn pointer_counts(&mut self, x: i32, y: i32, at: u64) -> bool {
        let counts = self.pointer.is_none_or(|(before_x, before_y, before)| {
            let (across, down) = (u64::from(x.abs_diff(before_x)), u64::from(y.abs_diff(before_y)));
            across.pow(2).saturating_add(down.pow(2)) > DISTANCE.pow(2) && at.saturating_sub(before) > PAUSE
        });
        if counts {
            self.pointer = Some((x, y, at));
        }
        counts
    }

    fn key_counts(&mut self, character: char) -> bool {
        let repeats = self.recent.last() == Some(&character);
        if self.recent.len() == 4 {
            self.recent.remove(0);
        }
        self.recent.push(character);
        let Ok(sequence) = <[char; 4]>::try_from(self.recent.as_slice()) else { return !repeats };
        let full = self.sequences.len() >= SEQUENCES;
        let times = match self.sequences.iter_mut().find(|(known, _)| *known == sequence) {
            Some((_, times)) => {
                *times = times.saturating_add(1);
                *times
            }
            None if full => return false,
            None => {
                self.sequences.push((sequence, 1));
                1
            }
        };
        !repeats && times <= REPEATS
    }
}

/// What the user contributed: a digest of it. Erased when dropped.
pub struct UserPart(Zeroizing<[u8; 64]>);

impl UserPart {
    /// The part as a secret keeps it that was made with it: what is made later has it in it, too.
    pub fn kept(secret: &[u8; 32]) -> Self {
        let digest = Sha512::new().chain_update(KEPT).chain_update(secret).finalize();
        Self(Zeroizing::new(digest.into()))
    }
}

/// Mixes the seed of the wallet's generator: HKDF-SHA-512 (RFC 5869) with 64 bytes of the operating system as
/// salt and another 64, the user's part and the token's as input.
///
/// A part that is missing (the user skipped it, there is no token) leaves the others as they are.
pub fn mix(
    salt: &[u8; 64],
    system: &Zeroizing<[u8; 64]>,
    user: Option<&UserPart>,
    token: Option<&[u8]>,
) -> Zeroizing<[u8; 32]> {
    let user: &[u8] = user.map_or(&[], |part| part.0.as_slice());
    let token = token.unwrap_or_default();
    let input = Zeroizing::new([system.as_slice(), user, token].concat());
    let info: [&[u8]; 3] = [b"semper-seed/1", &[u8::from(!user.is_empty())], &[u8::from(!token.is_empty())]];
    let mut seed = Zeroizing::new([0; 32]);
    #[expect(clippy::expect_used, reason = "32 bytes are fewer than the 255 digests HKDF can give")]
    Hkdf::<Sha512>::new(Some(salt), &input).expand_multi_info(&info, &mut *seed).expect("length");
    seed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(text: &str) -> Collector {
        let mut collector = Collector::new();
        for (place, character) in text.chars().enumerate() {
            collector.take(Event::Key(character), place as u64);
        }
        collector
    }

    fn system() -> Zeroizing<[u8; 64]> {
        Zeroizing::new([7; 64])
    }

    #[test]
    fn a_key_held_down_counts_once_and_a_pattern_three_times() {
        assert_eq!(type_in(&"a".repeat(500)).counted(), 1);
        // Each of the three sequences of the pattern counts twice, after the first three characters.
        assert_eq!(type_in(&"abc".repeat(100)).counted(), 3 + 3 * 2);
        assert!(matches!(type_in(&"abc".repeat(100)).finish(), Err(SeedFault::TooRegular { counted: 9 })));
        assert!(matches!(type_in("abcd").finish(), Err(SeedFault::TooShort { counted: 4 })));
    }

    #[test]
    fn a_pointer_must_go_further_than_8_pixels_and_take_its_time() {
        let mut collector = Collector::new();
        let mut take = |x, y, at| collector.take(Event::Pointer { x, y }, at);
        assert_eq!(take(0, 0, 0), 1);
        assert_eq!(take(8, 0, PAUSE * 2), 1);
        assert_eq!(take(6, 6, PAUSE), 1);
        assert_eq!(take(6, 6, PAUSE + 1), 2);
        assert_eq!(take(i32::MIN, i32::MAX, u64::MAX), 3);
    }

    #[test]
    fn enough_events_end_the_collection() {
        let mut collector = Collector::new();
        for step in 0..128 {
            assert!(collector.finish().is_err());
            collector.take(Event::Pointer { x: step * 9, y: 0 }, u64::try_from(step).unwrap() * (PAUSE + 1));
        }
        assert!(collector.finish().is_ok());
    }

    #[test]
    fn a_kept_part_is_as_good_as_the_secret_that_keeps_it() {
        let seed = |secret| *mix(&[0; 64], &system(), Some(&UserPart::kept(&[secret; 32])), None);
        assert_eq!(seed(1), seed(1));
        assert_ne!(seed(1), seed(2));
    }

    #[test]
    fn every_part_changes_the_seed_and_none_replaces_the_system() {
        let user = UserPart(Zeroizing::new([1; 64]));
        let with = |user, token| *mix(&[0; 64], &system(), user, token);
        let seeds = [
            with(None, None),
            with(Some(&user), None),
            with(None, Some([1; 64].as_slice())),
            with(Some(&user), Some([1; 64].as_slice())),
            *mix(&[1; 64], &system(), None, None),
            *mix(&[0; 64], &Zeroizing::new([8; 64]), Some(&user), None),
        ];
        for (place, seed) in seeds.iter().enumerate() {
            assert!(!seeds[..place].contains(seed), "{place}");
        }
        assert_eq!(with(Some(&user), None), seeds[1]);
    }
}
