//! The PIN of the wallet: five tries, then ten minutes, then twice as long each time.
//!
//! The PIN opens a sealed check value (Argon2id, RFC 9106; XChaCha20-Poly1305). The try is counted, and the
//! count stored, before the PIN is looked at: pulling the plug gains no try.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce, aead::Aead as _};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::prompt::PromptId;
use crate::time::{Moment, Span};

/// A PIN as it is kept, with its counter.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PinLock {
    salt: [u8; 16],
    nonce: [u8; 24],
    sealed: Vec<u8>,
    wrong: u8,
    rests: u8,
    rests_until: Option<Moment>,
}

/// One counted try. The lock must be stored before it is used.
#[derive(Debug)]
#[must_use = "the try was counted"]
pub struct PinTry {
    prompt: PromptId,
    at: Moment,
}

/// The PIN was right, for one prompt, a moment ago.
#[derive(Debug)]
pub struct PinVerified {
    pub(super) prompt: PromptId,
    pub(super) at: Moment,
}

/// Why a PIN is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PinError {
    /// It is not 6 to 12 digits, or all the same, or a run up or down.
    #[error("not 6 to 12 digits, or too easy to guess")]
    Weak,
    /// It is not the PIN.
    #[error("wrong PIN, {left} tries left")]
    Wrong {
        /// How many tries are left before the next rest.
        left: u8,
    },
    /// No PIN is taken for a while.
    #[error("no PIN is taken until {until}")]
    Resting {
        /// Until when.
        until: Moment,
    },
    /// The computer cannot do the derivation, for want of memory.
    #[error("the PIN cannot be checked on this computer")]
    Derivation,
}

impl PinError {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::Weak => "pin.weak",
            Self::Wrong { .. } => "key.pin-wrong",
            Self::Resting { .. } => "key.pin-locked",
            Self::Derivation => "pin.derivation",
        }
    }
}

/// Tries between two rests.
const TRIES: u8 = 5;
/// The first rest.
const REST: Span = Span::minutes(10);
/// Memory of the derivation in KiB, its passes and lanes.
const COST: (u32, u32, u32) = (64 << 10, 3, 1);
/// What the PIN opens.
const CHECK: &[u8; 16] = b"semper-pin/1 ok\n";

impl PinLock {
    /// Sets a PIN; `salt` and `nonce` are fresh random bytes.
    ///
    /// # Errors
    /// [`PinError::Weak`], [`PinError::Derivation`].
    pub fn set(pin: &[u8], salt: [u8; 16], nonce: [u8; 24]) -> Result<Self, PinError> {
        if !is_strong(pin) {
            return Err(PinError::Weak);
        }
        let sealed = cipher(pin, &salt)?.encrypt(&XNonce::from(nonce), CHECK.as_slice());
        let sealed = sealed.map_err(|_| PinError::Derivation)?;
        Ok(Self { salt, nonce, sealed, wrong: 0, rests: 0, rests_until: None })
    }

    /// Counts a try. Store the lock before calling [`PinLock::check`].
    ///
    /// # Errors
    /// [`PinError::Resting`].
    pub fn begin(&mut self, prompt: PromptId, now: Moment) -> Result<PinTry, PinError> {
        if let Some(until) = self.rests_until.filter(|until| now < *until) {
            return Err(PinError::Resting { until });
        }
        self.wrong = self.wrong.saturating_add(1);
        if self.wrong.is_multiple_of(TRIES) {
            let rest = (0..self.rests).fold(REST, |rest, _| rest.doubled());
            self.rests = self.rests.saturating_add(1).min(32);
            self.rests_until = Some(now.after(rest));
            self.wrong = 0;
        }
        Ok(PinTry { prompt, at: now })
    }

    /// Checks the PIN of a counted try. If it is right, the counter starts anew; store the lock again.
    ///
    /// # Errors
    /// [`PinError::Wrong`], [`PinError::Derivation`].
    pub fn check(&mut self, counted: PinTry, pin: &[u8]) -> Result<PinVerified, PinError> {
        let left = if self.wrong == 0 { 0 } else { TRIES - self.wrong };
        let opened = cipher(pin, &self.salt)?.decrypt(&XNonce::from(self.nonce), self.sealed.as_slice());
        if opened.map_err(|_| PinError::Wrong { left })? != CHECK {
            return Err(PinError::Wrong { left });
        }
        (self.wrong, self.rests, self.rests_until) = (0, 0, None);
        Ok(PinVerified { prompt: counted.prompt, at: counted.at })
    }
}

fn cipher(pin: &[u8], salt: &[u8; 16]) -> Result<XChaCha20Poly1305, PinError> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, Some(32)).map_err(|_| PinError::Derivation)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin, salt, key.as_mut_slice())
        .map_err(|_| PinError::Derivation)?;
    Ok(XChaCha20Poly1305::new((&*key).into()))
}

/// Whether these bytes are 6 to 12 digits, not one digit only, no run up or down, and no date.
pub fn is_strong(pin: &[u8]) -> bool {
    let digits = (6..=12).contains(&pin.len()) && pin.iter().all(u8::is_ascii_digit);
    let steps =
        |step: i16| pin.iter().zip(pin.iter().skip(1)).all(|(a, b)| i16::from(*b) - i16::from(*a) == step);
    digits && !steps(0) && !steps(1) && !steps(-1) && !is_date(pin)
}

/// A day of a year between 1900 and 2099, with two or four digits of year, in any of the usual orders.
fn is_date(pin: &[u8]) -> bool {
    let number = |digits: &[u8]| digits.iter().fold(0_u32, |n, d| n * 10 + u32::from(d.saturating_sub(b'0')));
    let day_month = |digits: &[u8]| {
        let (a, b) = digits.split_at(digits.len() / 2);
        let (a, b) = (number(a), number(b));
        let pair = |day, month| (1..=31).contains(&day) && (1..=12).contains(&month);
        pair(a, b) || pair(b, a)
    };
    let century = |digits: &[u8]| (1900..=2099).contains(&number(digits));
    match pin.len() {
        6 => {
            pin.split_at_checked(4).is_some_and(|(front, _)| day_month(front))
                || pin.split_at_checked(2).is_some_and(|(_, back)| day_month(back))
        }
        8 => pin.split_at_checked(4).is_some_and(|(front, back)| {
            (day_month(front) && century(back)) || (century(front) && day_month(back))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: PromptId = PromptId::from_bytes([1; 16]);
    const NOW: Moment = Moment::from_seconds(1_800_000_000);

    fn lock() -> PinLock {
        PinLock::set(b"728193", [1; 16], [2; 24]).unwrap()
    }

    #[test]
    fn the_right_pin_opens_and_starts_the_count_anew() {
        let mut lock = lock();
        let counted = lock.begin(PROMPT, NOW).unwrap();
        assert_eq!(lock.check(counted, b"728194").unwrap_err(), PinError::Wrong { left: 4 });
        let counted = lock.begin(PROMPT, NOW).unwrap();
        let verified = lock.check(counted, b"728193").unwrap();
        assert_eq!((verified.prompt, verified.at, lock.wrong), (PROMPT, NOW, 0));
    }

    #[test]
    fn five_tries_then_ten_minutes_then_twenty() {
        let mut lock = lock();
        let mut now = NOW;
        for minutes in [10, 20, 40] {
            // A try whose check never came, because the program was killed, is counted too.
            for _ in 0..5 {
                let _ = lock.begin(PROMPT, now).unwrap();
            }
            let until = now.after(Span::minutes(minutes));
            let refused = lock.begin(PROMPT, until.before(Span::millis(1))).unwrap_err();
            assert_eq!(refused, PinError::Resting { until });
            now = until;
        }
        assert_eq!(PinError::Wrong { left: 0 }.code(), "key.pin-wrong");
    }

    #[test]
    fn the_last_try_may_still_be_right() {
        let mut lock = lock();
        for _ in 0..4 {
            let _ = lock.begin(PROMPT, NOW).unwrap();
        }
        let last = lock.begin(PROMPT, NOW).unwrap();
        assert!(lock.check(last, b"728193").is_ok());
        assert!(lock.begin(PROMPT, NOW).is_ok());
    }

    #[test]
    fn pins_that_are_guessed_first_are_refused() {
        for weak in [
            "",
            "12345",
            "1234567890123",
            "123456",
            "987654",
            "000000",
            "12345a",
            "240971",
            "710924",
            "24091971",
            "19710924",
            "٣٤٥٦٧٨",
        ] {
            assert!(!is_strong(weak.as_bytes()), "{weak}");
        }
        for strong in ["728193", "99887766", "501846273950"] {
            assert!(is_strong(strong.as_bytes()), "{strong}");
        }
    }
}
