//! The file of a form, and how one field of it is shown without the others.
//!
//! ```text
//! price: 9f86d081… EUR 12.50
//! ship_to: 60303ae2… Hauptstr. 1\n10115\nBerlin\nDE
//! ```
//!
//! One line for each field that is filled in, in byte order of names: the name, 64 hexadecimal digits of salt made
//! by whoever filled it in, and the value with `\\`, `\n` and `\t` for a backslash, an end of line and a tab. The
//! root is the SHA-256 of a list in the form that `sha256sum` writes: the SHA-256 of each line with its LF, two
//! spaces, the name. Who has the root and the list can check one line; the salt keeps the others from being guessed.

use std::collections::BTreeMap;

use semper_supporting::crypto::digest::Digest;

use super::fault::FormFault;
use crate::service::{definition::is_name, statechart::FIELDS};

semper_supporting::identifier!(
    /// 32 random bytes that keep a value from being guessed by its hash.
    Salt, 32
);

/// The longest file of a form in bytes.
pub const FILE: usize = 1 << 20;

/// The lines of a form, by the names of the fields: salt and value in its one text.
pub(super) type Lines = BTreeMap<String, (Salt, String)>;

/// One field of a form, opened: its line, and the list whose SHA-256 is the root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Opening {
    /// The line with its LF.
    pub line: String,
    /// The list of all lines' digests.
    pub list: String,
}

pub(super) fn write(lines: &Lines) -> String {
    lines.iter().map(|(name, (salt, value))| line(name, salt, value)).collect()
}

pub(super) fn list(lines: &Lines) -> String {
    let row = |(name, (salt, value)): (&String, &(Salt, String))| {
        format!("{}  {name}\n", Digest::of(line(name, salt, value).as_bytes()))
    };
    lines.iter().map(row).collect()
}

pub(super) fn open(lines: &Lines, name: &str) -> Option<Opening> {
    let (salt, value) = lines.get(name)?;
    Some(Opening { line: line(name, salt, value), list: list(lines) })
}

fn line(name: &str, salt: &Salt, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t");
    format!("{name}: {salt} {value}\n")
}

/// Reads a file, of which every byte must be as [`write`] writes it.
pub(super) fn read(bytes: &[u8]) -> Result<Lines, FormFault> {
    let wrong = |line, what| FormFault::File { line, what };
    if bytes.len() > FILE {
        return Err(wrong(1, "the file is too long"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| wrong(1, "not UTF-8"))?;
    let mut lines = Lines::new();
    for (index, one) in text.split_inclusive('\n').enumerate() {
        let (name, salt, value) = read_line(one).map_err(|what| wrong(index + 1, what))?;
        if lines.last_key_value().is_some_and(|(last, _)| *last >= name) {
            return Err(wrong(index + 1, "the names are not in order"));
        }
        if lines.len() == FIELDS {
            return Err(wrong(index + 1, "more lines than a form has fields"));
        }
        lines.insert(name, (salt, value));
    }
    Ok(lines)
}

fn read_line(text: &str) -> Result<(String, Salt, String), &'static str> {
    let one = text.strip_suffix('\n').ok_or("the line has no end")?;
    let (name, rest) = one.split_once(": ").ok_or("not of the form name: salt value")?;
    let (salt, escaped) = rest.split_once(' ').ok_or("not of the form name: salt value")?;
    let salt = Salt::parse(salt).map_err(|_| "not a salt of 64 digits")?;
    if !is_name(name) {
        return Err("not the name of a field");
    }
    let value = unescaped(escaped).ok_or("not an escaped value")?;
    if line(name, &salt, &value) == text {
        Ok((name.to_owned(), salt, value))
    } else {
        Err("not written as forms write it")
    }
}

fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        plain.push(match c {
            '\\' => match letters.next()? {
                '\\' => '\\',
                'n' => '\n',
                't' => '\t',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain)
}

impl Opening {
    /// The name of the field and its value in its one text, if this belongs to a form with this `root`.
    ///
    /// # Errors
    /// [`FormFault::File`] for a list that does not have this root, and a line that is not in it.
    pub fn verify(&self, root: Digest) -> Result<(String, String), FormFault> {
        let wrong = |what| FormFault::File { line: 1, what };
        if Digest::of(self.list.as_bytes()) != root {
            return Err(wrong("the list does not have this root"));
        }
        let (name, _, value) = read_line(&self.line).map_err(wrong)?;
        let row = format!("{}  {name}", Digest::of(self.line.as_bytes()));
        if self.list.lines().any(|one| one == row) {
            Ok((name, value))
        } else {
            Err(wrong("the line is not in the list"))
        }
    }
}
