//! The two things a machine gets from outside: the time, and random bytes of the operating system.

use std::time::{SystemTime, UNIX_EPOCH};

use semper_supporting::time::Moment;
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
