//! The bytes of a file of terms: how long they may be, and which characters they may have.
//!
//! Looked at before any parser sees them.

use toml::{Table, Value};
use unicode_normalization::is_nfc;

use super::fault::TermsFault;

/// The longest file of terms, in bytes.
pub const FILE_LIMIT: usize = 256 * 1024;

/// The deepest nesting of brackets in a file of terms, far more than any definition needs.
const DEPTH_LIMIT: usize = 16;

/// The text of `bytes`, which are those of `file`.
///
/// # Errors
/// [`TermsFault::Size`] above [`FILE_LIMIT`] or for brackets nested too deeply, and [`TermsFault::BadText`] for
/// what is not UTF-8 in normal form C, for a byte order mark, and for control characters and those that change
/// the direction of writing or are not seen.
pub fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, TermsFault> {
    if bytes.len() > FILE_LIMIT {
        return Err(TermsFault::Size {
            what: "bytes in a file of terms",
            found: bytes.len(),
            most: FILE_LIMIT,
        });
    }
    let bad = |line, what| TermsFault::BadText { file: file.to_owned(), line, what };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        bad(1 + before.iter().filter(|b| **b == b'\n').count(), "not UTF-8")
    })?;
    for (number, line) in text.split('\n').enumerate() {
        if let Some(what) = line.chars().find_map(refused) {
            return Err(bad(number + 1, what));
        }
        if !is_nfc(line) {
            return Err(bad(number + 1, "a character that is not in normal form C"));
        }
    }
    check_depth(text)?;
    Ok(text)
}

/// Looks at the words of a file once more as they were read: an escape can stand for what may not stand there.
///
/// # Errors
/// [`TermsFault::BadText`] as [`text`], with line 0 since a parsed value has none, and for line breaks too.
pub(super) fn seen(file: &str, table: &Table) -> Result<(), TermsFault> {
    let look = |text: &str| match text.chars().find_map(refused) {
        Some(what) => Some(what),
        None if text.contains('\n') => Some("a line break"),
        None if !is_nfc(text) => Some("a character that is not in normal form C"),
        None => None,
    };
    let mut open: Vec<&Value> = Vec::new();
    let mut found = table.keys().find_map(|key| look(key));
    open.extend(table.values());
    while let (None, Some(value)) = (found, open.pop()) {
        match value {
            Value::String(text) => found = look(text),
            Value::Array(all) => open.extend(all),
            Value::Table(inner) => {
                found = inner.keys().find_map(|key| look(key));
                open.extend(inner.values());
            }
            _ => {}
        }
    }
    match found {
        Some(what) => Err(TermsFault::BadText { file: file.to_owned(), line: 0, what }),
        None => Ok(()),
    }
}

fn refused(c: char) -> Option<&'static str> {
    match c {
        '\u{feff}' => Some("a byte order mark"),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' => {
            Some("a character that changes the direction of writing")
        }
        '\u{2028}' | '\u{2029}' | '\u{0085}' => Some("a line break that is not a line feed"),
        '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{00ad}' => {
            Some("a character that is not seen")
        }
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => Some("a character that is not seen"),
        c if c.is_control() => Some("a control character"),
        _ => None,
    }
}

/// Counts brackets wherever they stand, strings and comments included: a parser never nests deeper than that.
fn check_depth(text: &str) -> Result<(), TermsFault> {
    for line in text.lines() {
        let mut depth = 0_usize;
        for c in line.chars() {
            match c {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEPTH_LIMIT {
                return Err(TermsFault::Size { what: "nested brackets", found: depth, most: DEPTH_LIMIT });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(bytes: &[u8]) -> String {
        text("terms.toml", bytes).unwrap_err().to_string()
    }

    #[test]
    fn plain_text_passes_unchanged() {
        assert_eq!(text("terms.toml", "tob = 1\n# für\n".as_bytes()).unwrap(), "tob = 1\n# für\n");
    }

    #[test]
    fn hidden_and_turning_characters_are_named_with_their_line() {
        assert_eq!(
            what("a\nb\u{202e}".as_bytes()),
            "terms.toml, line 2: a character that changes the direction of writing"
        );
        assert_eq!(what("\u{feff}a".as_bytes()), "terms.toml, line 1: a byte order mark");
        assert_eq!(what(b"a\r\n"), "terms.toml, line 1: a control character");
        assert_eq!(what(b"a\tb"), "terms.toml, line 1: a control character");
        assert_eq!(what(b"a\n\n\xff"), "terms.toml, line 3: not UTF-8");
        assert_eq!(
            what("e\u{301}".as_bytes()),
            "terms.toml, line 1: a character that is not in normal form C"
        );
        assert_eq!(what("pay\u{200b}ment".as_bytes()), "terms.toml, line 1: a character that is not seen");
    }

    #[test]
    fn length_and_depth_are_limited_before_any_parser() {
        assert!(matches!(text("x", &vec![b'a'; FILE_LIMIT + 1]), Err(TermsFault::Size { .. })));
        assert!(text("x", "[".repeat(DEPTH_LIMIT).as_bytes()).is_ok());
        assert!(matches!(text("x", "[".repeat(DEPTH_LIMIT + 1).as_bytes()), Err(TermsFault::Size { .. })));
    }
}
