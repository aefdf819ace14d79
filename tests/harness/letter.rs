//! Reading a letter of registration as its receiver does.

use semper_supporting::certificate::{Certificate, words};

use crate::failure::{Failure, Result};

/// A letter as it came from the authority, and the name of the registration.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The registration, by which the authority's operator knows it.
    pub id: String,
    /// The page.
    pub text: String,
}

impl Letter {
    /// A page as it was received; who has only that does not know the name of the registration.
    pub fn read(text: &str) -> Self {
        Self { id: String::new(), text: text.to_owned() }
    }

    /// What stands behind a label.
    pub fn line(&self, label: &str) -> Option<&str> {
        let behind = self.text.lines().find_map(|line| line.strip_prefix(label));
        behind.filter(|rest| rest.starts_with(' ')).map(str::trim)
    }

    /// What stands behind a label that every letter has.
    ///
    /// # Errors
    /// [`Failure`] if it has not.
    pub fn must(&self, label: &str) -> Result<&str> {
        self.line(label).ok_or_else(|| Failure::of("the letter has no line", label))
    }

    /// Whether its words and digits are those of `root`: what people compare before they go on.
    pub fn names(&self, root: &Certificate) -> bool {
        let digest = root.digest();
        let words: Vec<&str> = self.text.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        match words.as_slice() {
            [one, two, upper, lower] => {
                words::is_fingerprint(&format!("{one} {two}"), &digest)
                    && format!("{upper}{lower}") == digest.to_string()
            }
            _ => false,
        }
    }
}
