//! How long the door waits after wrong passwords: 1, 2, 4 … 60 seconds from the third one on.
//!
//! This keeps curious fingers away. Against a stolen file the cost of the key derivation stands, since a
//! thief uses a program of his own.

/// How many wrong passwords in a row there were.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Throttle {
    wrong: u32,
}

/// How many wrong passwords cost nothing.
const FREE: u32 = 2;
/// The longest wait in seconds.
const LONGEST: u32 = 60;

impl Throttle {
    /// Counts a wrong password, and tells for how many seconds none is taken.
    pub fn wrong(&mut self) -> Option<u32> {
        self.wrong = self.wrong.saturating_add(1);
        let beyond = self.wrong.checked_sub(FREE)?.checked_sub(1)?;
        Some(1_u32.checked_shl(beyond).map_or(LONGEST, |wait| wait.min(LONGEST)))
    }

    /// The right password starts the count anew.
    pub fn right(&mut self) {
        self.wrong = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_the_third_wrong_password_to_a_minute() {
        let mut throttle = Throttle::default();
        let waits: Vec<_> = (0..40).map(|_| throttle.wrong()).collect();
        assert_eq!(
            waits[..10],
            [None, None, Some(1), Some(2), Some(4), Some(8), Some(16), Some(32), Some(60), Some(60)]
        );
        assert!(waits[10..].iter().all(|wait| *wait == Some(60)));
        throttle.right();
        assert_eq!(throttle.wrong(), None);
    }
}
