//! The two things a machine gets from outside: the time, and random bytes of the operating system.

use std::time::{SystemTime, UNIX_EPOCH};

use semper_supporting::{
    registration::{
        generator::Generator,
        seed::{UserPart, mix},
    },
    time::Moment,
};
use zeroize::Zeroizing;

/// The operating system gave no random bytes: nothing that needs a key or a nonce may go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the operating system gave no random bytes; nothing was made")]
pub struct NoChance;

impl NoChance {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        "seed.os"
    }
}

/// The time of the system's clock; the epoch if the clock stands before it.
pub fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The time of the system's clock as finely as it goes, in nanoseconds since the epoch: for what a person does.
pub fn nanoseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Fresh random bytes.
///
/// # Errors
/// [`NoChance`].
pub fn random<const N: usize>() -> Result<[u8; N], NoChance> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoChance)?;
    Ok(bytes)
}

/// Fresh random bytes that are erased after use.
///
/// # Errors
/// [`NoChance`].
pub fn secret<const N: usize>() -> Result<Zeroizing<[u8; N]>, NoChance> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| NoChance)?;
    Ok(bytes)
}

/// A source of secrets: a generator that was seeded by the operating system and, where there was one, by a person.
///
/// It is seeded anew by the operating system in time, so that neither part alone decides what comes.
#[derive(Debug)]
pub struct Source(Generator);

impl Source {
    /// A source of fresh bytes of the operating system and `part`.
    ///
    /// # Errors
    /// [`NoChance`].
    pub fn mixed(part: Option<&UserPart>) -> Result<Self, NoChance> {
        let seed = mix(&random()?, &secret()?, part, None);
        Ok(Self::of(Generator::new(&seed, now())))
    }

    /// The source that goes on with `generator`.
    pub const fn of(generator: Generator) -> Self {
        Self(generator)
    }

    /// Bytes that are erased after use.
    ///
    /// # Errors
    /// [`NoChance`] if the source is to be seeded anew, and cannot be.
    pub fn secret<const N: usize>(&mut self) -> Result<Zeroizing<[u8; N]>, NoChance> {
        let now = now();
        if self.0.is_due(N, now) {
            self.0.refresh(&random()?, &secret()?, now);
        }
        let mut bytes = Zeroizing::new([0; N]);
        self.0.fill(bytes.as_mut_slice());
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_has_stood_too_long_is_seeded_anew_by_the_system() {
        let of = |seeded| Source::of(Generator::new(&Zeroizing::new([1; 32]), seeded));
        let first = |mut source: Source| *source.secret::<32>().unwrap();
        assert_eq!(first(of(now())), first(of(now())));
        assert_ne!(first(of(Moment::default())), first(of(Moment::default())));
        let part = UserPart::kept(&[1; 32]);
        assert_ne!(first(Source::mixed(Some(&part)).unwrap()), first(Source::mixed(Some(&part)).unwrap()));
    }
}
