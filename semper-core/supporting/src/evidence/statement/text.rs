//! The lines of a statement: what every type has in common.

use unicode_normalization::is_nfc;

use super::{FORM, LINE_LIMIT, StatementError};

/// A statement taken apart into its type and its lines, with the form of each line checked.
pub(super) struct Lines<'a> {
    pub(super) kind: &'a str,
    pub(super) pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Lines<'a> {
    pub(super) fn read(bytes: &'a [u8], limit: usize) -> Result<Self, StatementError> {
        if bytes.len() > limit {
            return Err(StatementError::form(
                0,
                format!("{} bytes, at most {limit} are allowed", bytes.len()),
            ));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| StatementError::form(0, "not UTF-8"))?;
        if !is_nfc(text) {
            return Err(StatementError::form(0, "not in normalisation form C"));
        }
        let body =
            text.strip_suffix('\n').ok_or_else(|| StatementError::form(0, "the last line has no end"))?;
        let mut lines = body.split('\n').enumerate().map(|(index, line)| (index + 1, line));
        let (_, first) = lines.next().ok_or_else(|| StatementError::form(1, "empty"))?;
        let kind = first
            .strip_prefix(FORM)
            .and_then(|rest| rest.strip_prefix(' '))
            .filter(|kind| first.len() <= LINE_LIMIT && kind.split('/').all(is_segment))
            .ok_or_else(|| StatementError::form(1, "does not begin as a statement"))?;
        let pairs = lines.map(|(number, line)| pair(number, line)).collect::<Result<_, _>>()?;
        Ok(Self { kind, pairs })
    }
}

fn pair(number: usize, line: &str) -> Result<(&str, &str), StatementError> {
    if line.len() > LINE_LIMIT {
        return Err(StatementError::form(number, format!("longer than {LINE_LIMIT} bytes")));
    }
    let (key, value) =
        line.split_once(": ").ok_or_else(|| StatementError::form(number, "not of the form key: value"))?;
    if !key.split('/').all(is_segment) {
        return Err(StatementError::form(number, "not a key"));
    }
    if !is_plain(value) {
        return Err(StatementError::form(number, "characters that no statement carries"));
    }
    Ok((key, value))
}

/// Whether `text` may be a segment of a key or of a type: `[a-z0-9][a-z0-9-]*`.
pub fn is_segment(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.bytes().next().is_some_and(|b| b != b'-')
}

/// Whether `text` may be the value of a line: not empty, in normalisation form C, no space at either end,
/// and no control, line-break or bidirectional character, nor a byte-order mark.
pub fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && is_nfc(text) && !text.chars().any(is_refused)
}

fn is_refused(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
