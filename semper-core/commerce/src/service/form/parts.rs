//! Values of several parts: lines of an order, descriptions of content, files, addresses.
//!
//! In text, parts stand in rows that end with LF, columns with a tab between; no part contains either, so that a
//! value has one text.

use std::fmt;

use semper_supporting::{
    crypto::digest::Digest,
    evidence::statement::is_plain,
    money::{Currency, Money},
};
use serde::{Deserialize, Serialize};

/// A line of an order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Line {
    /// What the shop calls the article, at most 64 characters.
    pub sku: String,
    /// What it is, at most 120 characters.
    pub text: String,
    /// How many, 1 to 9999.
    pub quantity: u32,
    /// The price of one, tax included.
    pub price: Money,
    /// The tax that is in the price, in per mille, at most 1000.
    pub tax: u32,
    /// Quantity times price.
    pub amount: Money,
}

/// What goods are, before they are seen.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Descriptor {
    /// The media type.
    pub media: String,
    /// Length in bytes.
    pub length: u64,
    /// By what the content is recognised.
    pub content: ContentId,
    /// What people call it, at most 200 characters.
    pub title: String,
}

/// By what content is recognised.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ContentId {
    /// The SHA-256 of its bytes.
    Bytes(Digest),
    /// How goods that are made on demand are made.
    Template {
        /// The template, at most 128 characters without spaces.
        id: String,
        /// SHA-256 of its parameters.
        parameters: Digest,
    },
}

/// A file, whose bytes travel as an item.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FileRef {
    /// The media type.
    pub media: String,
    /// Length in bytes.
    pub length: u64,
    /// SHA-256 of its bytes.
    pub hash: Digest,
}

/// An address for post.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Address {
    /// 1 to 5 lines: street, building, box. At most 80 characters each.
    pub lines: Vec<String>,
    /// The postcode, at most 16 characters.
    pub postcode: String,
    /// The place, at most 80 characters.
    pub place: String,
    /// The country: ISO 3166-1 alpha-2.
    pub country: String,
}

/// Whether `text` is what one part can be: plain, and of at most `max` characters.
fn is_part(text: &str, max: usize) -> bool {
    is_plain(text) && text.chars().count() <= max
}

/// Whether `text` is a media type without parameters.
pub(super) fn is_media(text: &str) -> bool {
    let token = |part: &str| {
        (1..=64).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b))
    };
    text.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub))
}

/// Whether `text` has the form of ISO 3166-1 alpha-2.
pub(super) fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
}

/// A whole number without sign and leading zero.
pub(super) fn number<T: std::str::FromStr + ToString>(text: &str) -> Option<T> {
    text.parse().ok().filter(|read: &T| read.to_string() == text)
}

impl Line {
    /// A line with its amount.
    ///
    /// # Errors
    /// What [`Money`] says where the amount is out of range.
    pub fn new(
        (sku, text): (String, String),
        quantity: u32,
        (price, tax): (Money, u32),
    ) -> Result<Self, semper_supporting::money::MoneyError> {
        let amount = Money { amount: price.amount.checked_mul(quantity)?, ..price };
        Ok(Self { sku, text, quantity, price, tax, amount })
    }

    /// Whether every part is within its limits.
    pub(super) fn is_sound(&self) -> bool {
        is_part(&self.sku, 64)
            && is_part(&self.text, 120)
            && (1..=9999).contains(&self.quantity)
            && self.tax <= 1000
    }

    /// Whether the amount is quantity times price.
    pub(super) fn adds_up(&self) -> bool {
        self.price.currency == self.amount.currency
            && self.price.amount.checked_mul(self.quantity) == Ok(self.amount.amount)
    }

    pub(super) fn read(row: &str) -> Option<Self> {
        let mut columns = row.split('\t');
        let mut next = || columns.next();
        let (sku, text, quantity, price, tax, amount) =
            (next()?, next()?, next()?, next()?, next()?, next()?);
        let line = Self {
            sku: sku.to_owned(),
            text: text.to_owned(),
            quantity: number(quantity)?,
            price: Money::parse(price).ok()?,
            tax: number(tax)?,
            amount: Money::parse(amount).ok()?,
        };
        (columns.next().is_none() && line.is_sound()).then_some(line)
    }

    /// The currency of the line.
    pub(super) fn currency(&self) -> Currency {
        self.amount.currency
    }
}

impl Descriptor {
    pub(super) fn is_sound(&self) -> bool {
        let content = match &self.content {
            ContentId::Bytes(_) => true,
            ContentId::Template { id, .. } => is_part(id, 128) && !id.contains(' '),
        };
        is_media(&self.media) && is_part(&self.title, 200) && content
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let mut rows = text.split('\n');
        let (media, length) = (rows.next()?, rows.next()?);
        let content = match rows.next()?.split_once(' ')? {
            ("sha256", digest) => ContentId::Bytes(Digest::parse(digest).ok()?),
            ("template", rest) => {
                let (id, digest) = rest.split_once(' ')?;
                ContentId::Template { id: id.to_owned(), parameters: Digest::parse(digest).ok()? }
            }
            _ => return None,
        };
        let title = rows.next()?.to_owned();
        let one = Self { media: media.to_owned(), length: number(length)?, content, title };
        (rows.next().is_none() && one.is_sound()).then_some(one)
    }
}

impl FileRef {
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut rows = text.split('\n');
        let (media, length, hash) = (rows.next()?, rows.next()?, rows.next()?);
        let one = Self { media: media.to_owned(), length: number(length)?, hash: Digest::parse(hash).ok()? };
        (rows.next().is_none() && is_media(&one.media)).then_some(one)
    }
}

impl Address {
    pub(super) fn is_sound(&self) -> bool {
        (1..=5).contains(&self.lines.len())
            && self.lines.iter().all(|line| is_part(line, 80))
            && is_part(&self.postcode, 16)
            && is_part(&self.place, 80)
            && is_country(&self.country)
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let mut rows: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let (country, place, postcode) = (rows.pop()?, rows.pop()?, rows.pop()?);
        let one = Self { lines: rows, postcode, place, country };
        one.is_sound().then_some(one)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sku, text, quantity, price, tax, amount } = self;
        write!(f, "{sku}\t{text}\t{quantity}\t{price}\t{tax}\t{amount}")
    }
}

impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { media, length, content, title } = self;
        match content {
            ContentId::Bytes(digest) => write!(f, "{media}\n{length}\nsha256 {digest}\n{title}"),
            ContentId::Template { id, parameters } => {
                write!(f, "{media}\n{length}\ntemplate {id} {parameters}\n{title}")
            }
        }
    }
}

impl fmt::Display for FileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}", self.media, self.length, self.hash)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        write!(f, "{}\n{}\n{}", self.postcode, self.place, self.country)
    }
}
