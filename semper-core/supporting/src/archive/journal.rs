//! The journal: a chain of text lines that anybody can recompute with `sha256sum`.
//!
//! ```text
//! seq at kind deal payload-hash prev
//! ```
//!
//! in decimal, seconds since 1970, a word, hexadecimal or `-`, hexadecimal, hexadecimal, then LF. `prev` is
//! SHA-256 of the line before including its LF, 64 zeros for the first. `payload-hash` is SHA-256 of the
//! salt's 64 hexadecimal digits, LF and the payload, so that one entry can be opened without the others,
//! and erased (with its salt) while the chain still verifies.
//!
//! Nothing here reads a clock or draws a salt: both are given.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use super::{
    schema::{Column, Table},
    store::{RowOp, StoreError},
    value::{Row, Value},
};
use crate::{crypto::digest::Digest, deal::DealId, time::Moment};

/// The journal as a table. Everybody may read it; the store alone appends.
pub const TABLE: Table = Table {
    name: "journal",
    columns: &[
        Column::integer("seq"),
        Column::integer("at"),
        Column::text("kind"),
        Column::bytes("deal").optional(),
        Column::bytes("salt").optional(),
        Column::bytes("payload").optional(),
        Column::bytes("payload_hash"),
        Column::bytes("prev"),
        Column::bytes("line_hash"),
    ],
    key: &["seq"],
    unique: &[],
    indexes: &[&["deal", "seq"]],
};

/// What an entry is about, as far as everybody may know who sees the chain.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// Something was sent.
    Sent,
    /// Something came.
    Received,
    /// The user was asked.
    AskedUser,
    /// The user chose.
    UserChoice,
    /// A machine decided.
    Decision,
    /// A key was made, used for something new, or destroyed.
    KeyEvent,
    /// The configuration changed.
    Config,
    /// Something is wrong.
    Alarm,
    /// Somebody else witnessed the head.
    Anchor,
    /// Something was exported.
    Export,
}

/// The word of a line that says what kind of entry it is: `received/x/gxv/offer`, `user-choice/Pay`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Kind {
    class: Class,
    detail: Cow<'static, str>,
}

/// The longest detail of a kind in bytes.
pub const DETAIL_LIMIT: usize = 64;

/// What is to be appended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// When it happened; the line gets the time of the line before if that is later.
    pub at: Moment,
    /// Its kind.
    pub kind: Kind,
    /// The deal it belongs to.
    pub deal: Option<DealId>,
    /// 32 fresh random bytes.
    pub salt: [u8; 32],
    /// What happened.
    pub payload: Vec<u8>,
}

/// One line of the chain.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Line {
    /// Its number, counted from 1.
    pub seq: u64,
    /// Seconds since the epoch.
    pub at: u64,
    /// Its kind.
    pub kind: Kind,
    /// The deal it belongs to.
    pub deal: Option<DealId>,
    /// What the payload and its salt hash to.
    pub payload_hash: Digest,
    /// The hash of the line before.
    pub prev: Digest,
}

/// Where a chain stands: the number and the hash of its last line.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Head {
    /// The number of the last line; 0 for an empty chain.
    pub seq: u64,
    /// Its hash; zeros for an empty chain.
    pub hash: Digest,
}

/// A chain at its end: what the next line follows from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Chain {
    head: Head,
    at: u64,
}

/// The first line that does not follow from the one before.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the record is damaged from entry {seq}")]
pub struct Broken {
    /// The number the line should have.
    pub seq: u64,
    /// The time of the last line that holds, in seconds since the epoch.
    pub after: u64,
}

impl From<Broken> for StoreError {
    fn from(broken: Broken) -> Self {
        Self::Broken { seq: broken.seq }
    }
}

impl Class {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Sent, "sent"),
        (Self::Received, "received"),
        (Self::AskedUser, "asked-user"),
        (Self::UserChoice, "user-choice"),
        (Self::Decision, "decision"),
        (Self::KeyEvent, "key-event"),
        (Self::Config, "config"),
        (Self::Alarm, "alarm"),
        (Self::Anchor, "anchor"),
        (Self::Export, "export"),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(class, _)| *class == self).map_or("", |(_, word)| word)
    }
}

impl Kind {
    /// The kind `<class>/<detail>`, if the detail is made of letters, digits, `-` and `/` and not too long.
    pub fn new(class: Class, detail: &str) -> Option<Self> {
        is_plain(detail.as_bytes()).then(|| Self { class, detail: Cow::Owned(detail.to_owned()) })
    }

    /// The kind `class/detail` of a detail that is written in the program: letters, digits, `-` and `/`.
    ///
    /// Evaluated where a constant is declared, so that a wrong one does not compile.
    pub const fn of(class: Class, detail: &'static str) -> Self {
        assert!(is_plain(detail.as_bytes()), "a detail is made of letters, digits, - and /");
        Self { class, detail: Cow::Borrowed(detail) }
    }

    /// Reads `<class>/<detail>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (word, detail) = text.split_once('/')?;
        let class = Class::ALL.iter().find(|(_, w)| *w == word)?.0;
        Self::new(class, detail)
    }

    /// Its class.
    pub const fn class(&self) -> Class {
        self.class
    }

    /// Its detail.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.class.word(), self.detail)
    }
}

impl fmt::Display for Line {
    /// Writes the line with its LF, exactly as it is hashed and exported.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.seq, self.at, self.kind)?;
        match &self.deal {
            Some(deal) => write!(f, "{deal}")?,
            None => f.write_str("-")?,
        }
        writeln!(f, " {} {}", self.payload_hash, self.prev)
    }
}

impl Line {
    /// Reads a line without its LF, in exactly the form it is written in.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let line = Self {
            seq: words.next()?.parse().ok()?,
            at: words.next()?.parse().ok()?,
            kind: Kind::parse(words.next()?)?,
            deal: match words.next()? {
                "-" => None,
                hex => Some(DealId::parse(hex).ok()?),
            },
            payload_hash: Digest::parse(words.next()?).ok()?,
            prev: Digest::parse(words.next()?).ok()?,
        };
        (line.to_string().strip_suffix('\n') == Some(text)).then_some(line)
    }

    /// Its hash, which the next line names.
    pub fn hash(&self) -> Digest {
        Digest::of(self.to_string().as_bytes())
    }

    /// Whether `salt` and `payload` are what this line was written for.
    pub fn opens(&self, salt: &[u8; 32], payload: &[u8]) -> bool {
        payload_hash(salt, payload) == self.payload_hash
    }

    /// The row of this line and the entry it was made of.
    pub fn row(&self, entry: &Entry) -> Row {
        Row::new()
            .with("seq", Value::count(self.seq))
            .with("at", Value::count(self.at))
            .with("kind", self.kind.to_string())
            .with("deal", self.deal)
            .with("salt", entry.salt)
            .with("payload", entry.payload.clone())
            .with("payload_hash", self.payload_hash)
            .with("prev", self.prev)
            .with("line_hash", self.hash())
    }

    /// Reads the line in a row of the journal.
    ///
    /// # Errors
    /// [`StoreError::Broken`] if the row cannot be a line.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let seq = row.count("seq")?;
        let broken = |_| StoreError::Broken { seq };
        Ok(Self {
            seq,
            at: row.count("at").map_err(broken)?,
            kind: row.text("kind").ok().and_then(Kind::parse).ok_or(StoreError::Broken { seq })?,
            deal: match row.is_null("deal") {
                true => None,
                false => Some(DealId::from_bytes(row.array("deal").map_err(broken)?)),
            },
            payload_hash: Digest::from_bytes(row.array("payload_hash").map_err(broken)?),
            prev: Digest::from_bytes(row.array("prev").map_err(broken)?),
        })
    }
}

/// Whether the row's line is kept with its own hash, and salt and payload, where not erased, open it.
///
/// # Errors
/// [`StoreError::Broken`] naming the line.
pub fn check_row(row: &Row) -> Result<Line, StoreError> {
    let line = Line::from_row(row)?;
    let broken = StoreError::Broken { seq: line.seq };
    let erased = row.is_null("salt") && row.is_null("payload");
    let opens = erased
        || matches!((row.array("salt"), row.bytes("payload")), (Ok(salt), Ok(payload)) if line.opens(&salt, payload));
    let kept = row.array("line_hash").is_ok_and(|hash: [u8; 32]| hash == *line.hash().as_bytes());
    if opens && kept { Ok(line) } else { Err(broken) }
}

/// SHA-256 of the salt's 64 hexadecimal digits, LF and the payload.
pub fn payload_hash(salt: &[u8; 32], payload: &[u8]) -> Digest {
    let hex = Digest::from_bytes(*salt).to_string();
    Digest::of_parts([hex.as_bytes(), b"\n", payload])
}

impl Head {
    /// The head of a chain without lines.
    pub const EMPTY: Self = Self { seq: 0, hash: Digest::from_bytes([0; 32]) };
}

impl Chain {
    /// A chain without lines.
    pub const EMPTY: Self = Self { head: Head::EMPTY, at: 0 };

    /// The chain that ends with `line`.
    pub fn at(line: &Line) -> Self {
        Self { head: Head { seq: line.seq, hash: line.hash() }, at: line.at }
    }

    /// Where it stands.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The time of its last line in seconds since the epoch.
    pub const fn last_at(&self) -> u64 {
        self.at
    }

    /// Appends an entry and returns its line. Time never runs backwards along the chain: an entry from
    /// before the last line gets the last line's time.
    pub fn append(&mut self, entry: &Entry) -> Line {
        let line = Line {
            seq: self.head.seq.saturating_add(1),
            at: entry.at.seconds().max(self.at),
            kind: entry.kind.clone(),
            deal: entry.deal,
            payload_hash: payload_hash(&entry.salt, &entry.payload),
            prev: self.head.hash,
        };
        *self = Self::at(&line);
        line
    }

    /// Goes on to `line` if it follows.
    ///
    /// # Errors
    /// [`Broken`], and the chain stays where it was.
    pub fn follow(&mut self, line: &Line) -> Result<(), Broken> {
        let seq = self.head.seq.saturating_add(1);
        if line.seq != seq || line.prev != self.head.hash || line.at < self.at {
            return Err(Broken { seq, after: self.at });
        }
        *self = Self::at(line);
        Ok(())
    }

    /// Goes through exported text, one line after the other.
    ///
    /// # Errors
    /// [`Broken`] at the first line that is none, is cut off or does not follow.
    pub fn follow_text(&mut self, text: &str) -> Result<(), Broken> {
        for line in text.split_inclusive('\n') {
            let broken = Broken { seq: self.head.seq.saturating_add(1), after: self.at };
            let line = line.strip_suffix('\n').and_then(Line::parse).ok_or(broken)?;
            self.follow(&line)?;
        }
        Ok(())
    }
}

const fn is_plain(detail: &[u8]) -> bool {
    let mut rest = detail;
    while let [first, others @ ..] = rest {
        if !(first.is_ascii_alphanumeric() || *first == b'-' || *first == b'/') {
            return false;
        }
        rest = others;
    }
    !detail.is_empty() && detail.len() <= DETAIL_LIMIT
}

/// Whether `op` erases a salt and a payload and does nothing else.
pub(super) fn is_erasure(op: &RowOp) -> bool {
    let RowOp::Update { set, .. } = op else { return false };
    let erases = |name| matches!(set.get(name), Some(Value::Null));
    set.columns().count() == 2 && erases("salt") && erases("payload")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(n: u8) -> Entry {
        Entry {
            at: Moment::from_seconds(1_700_000_000 + u64::from(n)),
            kind: Kind::new(Class::Received, "x/gxv/offer").unwrap(),
            deal: n.is_multiple_of(2).then(|| DealId::from_bytes([n; 32])),
            salt: [n; 32],
            payload: vec![n; usize::from(n)],
        }
    }

    fn chain(n: u8) -> Vec<Line> {
        let mut chain = Chain::EMPTY;
        (1..=n).map(|i| chain.append(&entry(i))).collect()
    }

    fn verify(lines: &[Line]) -> Result<Head, Broken> {
        let mut chain = Chain::EMPTY;
        lines.iter().try_for_each(|line| chain.follow(line))?;
        Ok(chain.head())
    }

    #[test]
    fn a_line_has_the_documented_form() {
        let lines = chain(2);
        assert_eq!(
            lines[0].to_string(),
            format!(
                "1 1700000001 received/x/gxv/offer - {} {}\n",
                payload_hash(&[1; 32], &[1]),
                "0".repeat(64)
            )
        );
        assert_eq!(lines[1].prev, Digest::of(lines[0].to_string().as_bytes()));
        let salted = format!("{}\n\u{1}", "01".repeat(32));
        assert_eq!(lines[0].payload_hash, Digest::of(salted.as_bytes()));
    }

    #[test]
    fn time_does_not_run_backwards_along_the_chain() {
        let mut chain = Chain::EMPTY;
        chain.append(&entry(9));
        let late = chain.append(&entry(3));
        assert_eq!(late.at, 1_700_000_009);
        let mut forged = late;
        forged.at -= 1;
        let mut again = Chain::EMPTY;
        again.append(&entry(9));
        assert!(again.follow(&forged).is_err());
    }

    #[test]
    fn exported_text_verifies_up_to_a_cut() {
        let text: String = chain(3).iter().map(Line::to_string).collect();
        let mut chain = Chain::EMPTY;
        assert_eq!(chain.follow_text(&text), Ok(()));
        assert_eq!(chain.head().seq, 3);
        let mut chain = Chain::EMPTY;
        assert_eq!(chain.follow_text(&text[..text.len() - 1]), Err(Broken { seq: 3, after: 1_700_000_002 }));
    }

    #[test]
    fn an_erased_entry_leaves_the_chain_whole() {
        let mut chain = Chain::EMPTY;
        let line = chain.append(&entry(4));
        let whole = line.row(&entry(4));
        assert_eq!(check_row(&whole), Ok(line.clone()));
        let erased = whole.clone().with("salt", None::<i64>).with("payload", None::<i64>);
        assert_eq!(check_row(&erased), Ok(line));
        assert_eq!(check_row(&whole.with("payload", [9])), Err(StoreError::Broken { seq: 1 }));
    }

    #[test]
    fn only_plain_kinds_are_written() {
        assert_eq!(Kind::parse("decision/MoveDone").map(|k| k.to_string()), Some("decision/MoveDone".into()));
        for text in ["decision", "decision/", "other/Word", "sent/two words", "sent/a\nb", "Sent/a"] {
            assert_eq!(Kind::parse(text), None, "{text}");
        }
        assert_eq!(Kind::new(Class::Sent, &"a".repeat(65)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// One line altered, removed, doubled or moved: found at that line, or at the next one, which names it.
        #[test]
        fn any_one_change_of_a_chain_is_found(n in 2_u8..20, at in any::<prop::sample::Index>(), how in 0..6) {
            let mut lines = chain(n);
            let last = lines.last().unwrap().hash();
            let i = at.index(lines.len());
            match how {
                0 => lines[i].at += 1,
                1 => lines[i].payload_hash = Digest::of(b"other"),
                2 => { lines.remove(i); }
                3 => { let copy = lines[i].clone(); lines.insert(i, copy); }
                4 => { let j = (i + 1) % lines.len(); lines.swap(i, j); }
                _ => lines[i].kind = Kind::new(Class::Sent, "x").unwrap(),
            }
            match verify(&lines) {
                Err(broken) => prop_assert!(broken.seq <= i as u64 + 2),
                Ok(head) => prop_assert_ne!(head.hash, last),
            }
        }

        #[test]
        fn a_line_is_read_as_it_was_written(n in 1_u8..60) {
            let line = chain(n).pop().unwrap();
            let text = line.to_string();
            prop_assert_eq!(Line::parse(text.strip_suffix('\n').unwrap()), Some(line));
            prop_assert_eq!(Line::parse(&text), None);
        }
    }
}
