//! Names that facts show and that cannot be made to say something else: ids of texts, and names of files.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::tinguin::text::{Quote, Untrusted};

/// The id of a text in the catalogue: lower-case segments joined by hyphens.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String")]
pub struct ChoiceKey(Cow<'static, str>);

/// A file name that names one file in one folder and hides nothing.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "String")]
pub struct SafeName(String);

impl ChoiceKey {
    /// The id of a text.
    ///
    /// # Errors
    /// [`NotAKey`] for anything but lower-case letters, digits and hyphens, at most 64.
    pub fn new(key: impl Into<String>) -> Result<Self, NotAKey> {
        let key = key.into();
        if is_key(key.as_bytes()) { Ok(Self(Cow::Owned(key))) } else { Err(NotAKey) }
    }

    /// The id of a text that is named in the program.
    ///
    /// Evaluated where a constant is declared, so that a wrong one does not compile.
    pub const fn of(key: &'static str) -> Self {
        assert!(is_key(key.as_bytes()), "an id is made of lower-case letters, digits and hyphens");
        Self(Cow::Borrowed(key))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The longest id of a text in bytes.
const KEY_LIMIT: usize = 64;

/// Whether `key` has the form of an id: what [`is_segment`](crate::evidence::statement::is_segment) takes, and
/// not too long.
const fn is_key(key: &[u8]) -> bool {
    let mut rest = key;
    while let [first, others @ ..] = rest {
        if !(first.is_ascii_lowercase() || first.is_ascii_digit() || *first == b'-') {
            return false;
        }
        rest = others;
    }
    matches!(key, [first, ..] if *first != b'-') && key.len() <= KEY_LIMIT
}

/// The text is no id of a text, or no safe name of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a key of the catalogue, or not a safe file name")]
pub struct NotAKey;

impl TryFrom<String> for ChoiceKey {
    type Error = NotAKey;

    fn try_from(key: String) -> Result<Self, NotAKey> {
        Self::new(key)
    }
}

/// Names that mean a device on some systems, whatever follows the first dot.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

impl SafeName {
    /// The file name, if it is safe: letters of one script, digits, space, `.`, `-`, `_`, brackets, one
    /// extension, at most 100 characters, no leading dot, no device.
    ///
    /// # Errors
    /// [`NotAKey`].
    pub fn new(name: impl Into<String>) -> Result<Self, NotAKey> {
        let name = name.into();
        let readable = Untrusted::new(name.as_str()).quote(Quote::Line).is_ok();
        let plain = name.chars().all(|c| c.is_alphanumeric() || " .-_()".contains(c));
        let dotted = name.starts_with('.') || name.ends_with('.') || name.contains("..");
        let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
        let device = DEVICES.contains(&stem.as_str());
        let short = name.chars().count() <= 100;
        let scripts = name.split('.').all(unicode_security::MixedScript::is_single_script);
        if readable && plain && scripts && short && !dotted && !device {
            Ok(Self(name))
        } else {
            Err(NotAKey)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SafeName {
    type Error = NotAKey;

    fn try_from(name: String) -> Result<Self, NotAKey> {
        Self::new(name)
    }
}
