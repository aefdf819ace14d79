//! What an expression may look like before a parser sees it.
//!
//! The parser of the crate `cel` recurses: in a debug build a dozen brackets exhaust the stack of a thread, and a
//! long sum does so in a release build. It also expands macros. So the words of an expression are looked at here, one
//! after the other and without recursion, and only what is within the limits and made of known words goes on.

/// The longest expression in bytes.
pub const LENGTH: usize = 512;
/// The deepest nesting of brackets.
pub const DEPTH: usize = 8;
/// The most operators, `in` and both halves of `?:` included.
pub const OPERATORS: usize = 64;
/// The most segments of a path: `n`, four nested blocks and a move are six.
pub const SEGMENTS: usize = 8;

/// The functions that expressions have.
pub(super) const FUNCTIONS: [&str; 9] =
    ["age_at", "atmost", "days_after", "minus", "money", "percent", "plus", "times", "total"];

/// How names begin that stand for what was between two brackets; no expression has such names itself.
pub(super) const GROUP: &str = "_";

/// What stood before the present word.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Before {
    /// Nothing, an operator, a comma or an opening bracket.
    Open,
    /// The word `in`.
    In,
    /// The name of a function.
    Function,
    /// Something that has a value.
    Value,
}

struct Guard<'a> {
    rest: &'a str,
    before: Before,
    closers: Vec<char>,
    operators: usize,
}

/// Looks at the words of `text`.
///
/// # Errors
/// What is in it that expressions do not have.
pub fn admit(text: &str) -> Result<(), String> {
    if text.len() > LENGTH {
        return Err(format!("an expression of {} bytes, more than {LENGTH},", text.len()));
    }
    let mut guard = Guard { rest: text, before: Before::Open, closers: Vec::new(), operators: 0 };
    while let Some(c) = guard.rest.chars().next() {
        guard.word(c)?;
        if guard.operators > OPERATORS {
            return Err(format!("an expression of more than {OPERATORS} operators"));
        }
    }
    if guard.closers.is_empty() { Ok(()) } else { Err("a bracket that is not closed".to_owned()) }
}

impl<'a> Guard<'a> {
    fn word(&mut self, c: char) -> Result<(), String> {
        match c {
            ' ' => self.skip(1),
            'a'..='z' | 'A'..='Z' | '_' => return self.name(),
            '0'..='9' => return self.number(),
            '\'' | '"' => return self.text(c),
            '(' => return self.open(')'),
            '[' => return self.open(']'),
            ')' | ']' => {
                if self.closers.pop() != Some(c) {
                    return Err("a bracket that was not opened".to_owned());
                }
                self.skip(1);
                self.before = Before::Value;
            }
            ',' => {
                self.skip(1);
                self.before = Before::Open;
            }
            _ => return self.operator(c),
        }
        Ok(())
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// Takes the leading letters, digits and underscores.
    fn taken(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn name(&mut self) -> Result<(), String> {
        let first = self.taken();
        let mut last = first;
        let mut segments = 1;
        while let Some(rest) = self.rest.strip_prefix('.') {
            if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                return Err("a point that is not between two names".to_owned());
            }
            self.rest = rest;
            last = self.taken();
            segments += 1;
            if segments > SEGMENTS {
                return Err(format!("a path of more than {SEGMENTS} names"));
            }
        }
        let called = self.rest.trim_start_matches(' ').starts_with('(');
        self.before = match (segments, first) {
            _ if first.starts_with(GROUP) => return Err(format!("the name {first}")),
            (1, "in") => {
                self.operators += 1;
                Before::In
            }
            (1, "null") => return Err("null".to_owned()),
            _ if called && segments > 1 => return Err(format!("the method {last}")),
            (1, name) if called && FUNCTIONS.contains(&name) => Before::Function,
            _ if called => return Err(format!("the function {first}")),
            _ if self.rest.starts_with(['\'', '"']) => return Err("a prefix before a text".to_owned()),
            _ => Before::Value,
        };
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        let digits = self.taken();
        if !digits.bytes().all(|b| b.is_ascii_digit()) || self.rest.starts_with('.') {
            return Err("a number that is not a plain whole number".to_owned());
        }
        self.before = Before::Value;
        Ok(())
    }

    fn text(&mut self, quote: char) -> Result<(), String> {
        self.skip(1);
        let end = self.rest.find(quote).ok_or("a text that has no end")?;
        let (text, _) = self.rest.split_at(end);
        if text.chars().any(|c| c == '\\' || c.is_control()) {
            return Err("a text with an escape or a control character".to_owned());
        }
        self.skip(end + 1);
        if self.rest.starts_with(['\'', '"']) {
            return Err("a text right behind another".to_owned());
        }
        self.before = Before::Value;
        Ok(())
    }

    fn open(&mut self, closer: char) -> Result<(), String> {
        match (closer, self.before) {
            (']', _) if self.closers.last() == Some(&']') => {
                return Err("a list within a list".to_owned());
            }
            (')', Before::Open | Before::Function) | (']', Before::In) => {}
            (']', Before::Open) => return Err("a list that is not behind in".to_owned()),
            (']', _) => return Err("an index".to_owned()),
            _ => return Err("a call of what is no function".to_owned()),
        }
        self.closers.push(closer);
        if self.closers.len() > DEPTH {
            return Err(format!("nesting of more than {DEPTH} brackets"));
        }
        self.skip(1);
        self.before = Before::Open;
        Ok(())
    }

    fn operator(&mut self, c: char) -> Result<(), String> {
        let double = ["&&", "||", "==", "!=", "<=", ">="].into_iter().find(|two| self.rest.starts_with(two));
        match (double, c) {
            (Some(two), _) => self.skip(two.len()),
            (None, '!' | '<' | '>' | '+' | '-' | '*' | '?' | ':') => self.skip(1),
            (None, '/') => return Err("division".to_owned()),
            (None, '%') => return Err("a remainder".to_owned()),
            (None, '{' | '}') => return Err("a map".to_owned()),
            (None, other) => return Err(format!("the character {other:?}")),
        }
        self.operators += 1;
        self.before = Before::Open;
        Ok(())
    }
}

/// The length of the leading text literal of what was admitted, or of its first character.
pub(super) fn word_length(text: &str) -> usize {
    let Some(first) = text.chars().next() else { return 0 };
    let end = match first {
        '\'' | '"' => text.char_indices().skip(1).find(|(_, c)| *c == first).map(|(at, _)| at + 1),
        other => Some(other.len_utf8()),
    };
    end.unwrap_or(text.len())
}

/// The length of the brackets at the beginning of what was admitted, with all between them.
pub(super) fn group_length(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        depth += usize::from(rest.starts_with('('));
        depth -= usize::from(rest.starts_with(')')).min(depth);
        at += word_length(rest);
        if depth == 0 {
            break;
        }
    }
    at
}

/// What stands between the commas that are in no brackets themselves.
pub(super) fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    let mut depth = 0_usize;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        depth += usize::from(rest.starts_with(['(', '[']));
        depth -= usize::from(rest.starts_with([')', ']'])).min(depth);
        let length = word_length(rest);
        if depth == 0 && rest.starts_with(',') {
            parts.push(text.get(from..at).unwrap_or_default());
            from = at + length;
        }
        at += length;
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_services_write_is_admitted() {
        for text in [
            "atmost(c.order.goods, money('EUR 75.00')) ? money('EUR 5.95') : money('EUR 0.00')",
            "f.plan.plan in ['year', \"month\"] && !(n.a.b.read >= -3 * 2)",
            "now>=days_after( f.a.b , 7 )",
            "((((((((1))))))))",
        ] {
            assert_eq!(admit(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_expressions_do_not_have_is_named() {
        for (text, construct) in [
            ("1.5 < 2", "a number that is not a plain whole number"),
            ("0x10", "a number that is not a plain whole number"),
            ("1u", "a number that is not a plain whole number"),
            (".5", "the character '.'"),
            ("f.a.b / 2", "division"),
            ("1 // 2", "division"),
            ("f.a.b % 2", "a remainder"),
            ("{'a': 1}", "a map"),
            ("has(f.a.b)", "the function has"),
            ("size (f.a.b)", "the function size"),
            ("f.a.b.matches('x')", "the method matches"),
            ("f.a.b.map(x, x)", "the method map"),
            ("[1, 2].all(x, x > 0)", "a list that is not behind in"),
            ("1 in [2][0]", "an index"),
            ("f.a[0]", "an index"),
            ("1 in [1 in [1]]", "a list within a list"),
            ("_0", "the name _0"),
            ("null", "null"),
            ("b'x'", "a prefix before a text"),
            ("r\"x\"", "a prefix before a text"),
            ("'''x'''", "a text right behind another"),
            ("'a\\n'", "a text with an escape or a control character"),
            ("'a", "a text that has no end"),
            ("1\n+ 2", "the character '\\n'"),
            ("a.?b", "a point that is not between two names"),
            ("a. b", "a point that is not between two names"),
            ("a.`b`", "a point that is not between two names"),
            ("(1", "a bracket that is not closed"),
            ("1)", "a bracket that was not opened"),
            ("1 in [2)", "a bracket that was not opened"),
            ("(1)(2)", "a call of what is no function"),
            ("a & b", "the character '&'"),
            ("a = b", "the character '='"),
            ("straße", "the character 'ß'"),
            ("a.b.c.d.e.f.g.h.i", "a path of more than 8 names"),
            ("(((((((((1)))))))))", "nesting of more than 8 brackets"),
        ] {
            assert_eq!(admit(text), Err(construct.to_owned()), "{text}");
        }
    }

    #[test]
    fn groups_are_found_past_texts_with_brackets() {
        assert_eq!(group_length("(a, ')', (b)) + (c)"), 13);
        assert_eq!(split("a, ',', plus(b, c), 1 in [2, 3]"), ["a", " ','", " plus(b, c)", " 1 in [2, 3]"]);
        assert_eq!(split(""), [""]);
    }

    #[test]
    fn length_and_operators_are_counted() {
        assert_eq!(admit(&"-".repeat(OPERATORS)), Ok(()));
        assert!(admit(&"!".repeat(OPERATORS + 1)).unwrap_err().contains("more than 64 operators"));
        assert!(admit(&"a in ".repeat(OPERATORS + 1)).unwrap_err().contains("more than 64 operators"));
        assert_eq!(admit(&format!("{:LENGTH$}", 1)), Ok(()));
        assert!(admit(&format!("{:1$}", 1, LENGTH + 1)).unwrap_err().contains("more than 512"));
    }
}
