//! The key of the file, as SQLCipher takes it: raw, without a second derivation.

use std::fmt;

use zeroize::Zeroizing;

/// A raw key of 32 bytes and the salt of 16 that stands at the head of the file. Erased when dropped.
///
/// Both are derived by the caller (from the master key of the wallet, or a file of the daemon), so that
/// opening costs no second password hash.
pub struct ArchiveKey {
    key: Zeroizing<[u8; 32]>,
    salt: [u8; 16],
}

impl ArchiveKey {
    /// The key made of these bytes.
    pub const fn new(key: Zeroizing<[u8; 32]>, salt: [u8; 16]) -> Self {
        Self { key, salt }
    }

    /// The statement that gives it to SQLCipher.
    pub(crate) fn pragma(&self) -> Zeroizing<String> {
        self.statement("PRAGMA key = ")
    }

    fn statement(&self, before: &str) -> Zeroizing<String> {
        // Room for all of it at once: a string that grows leaves pieces of the key behind.
        let mut text = Zeroizing::new(String::with_capacity(before.len().saturating_add(128)));
        text.push_str(before);
        text.push_str("\"x'");
        for byte in self.key.iter().chain(&self.salt) {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
            }
        }
        text.push_str("'\";");
        text
    }
}

impl fmt::Debug for ArchiveKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArchiveKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_given_raw_with_its_salt_and_never_shown() {
        let key = ArchiveKey::new(Zeroizing::new([0xab; 32]), [1; 16]);
        let expected = format!("PRAGMA key = \"x'{}{}'\";", "ab".repeat(32), "01".repeat(16));
        assert_eq!(*key.pragma(), expected);
        assert!(!format!("{key:?}").contains("ab"));
    }
}
