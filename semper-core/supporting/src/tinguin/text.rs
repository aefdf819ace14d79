//! Text from outside, and the only two ways in which it can be shown: as a quotation, or as a name.
//!
//! Two texts that a reader would take for one another must not both be shown, and no text may change how
//! another one looks. So characters that draw nothing, draw over others, change the direction of writing or
//! look like something else are refused, never repaired: a repaired text is not what was signed. A refusal
//! is a fault of whoever sent the text, and is kept as evidence.
//!
//! Sources: Unicode 17, general categories and scripts; UTS 39, 4 (confusables) and 5 (mixed scripts).

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};
use unicode_script::{Script, UnicodeScript as _};
use unicode_security::{MixedScript as _, skeleton};
use unicode_segmentation::UnicodeSegmentation as _;

/// Text that somebody else wrote. It cannot be shown: it must become [`Quoted`] or a [`PartyName`] first.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Untrusted(String);

/// Somebody's words, fit to be shown as a quotation and as nothing else.
///
/// It is not a string: the one way to its characters is [`Quoted::draw`], which lends them to whoever draws
/// the quotation, one paragraph after the other.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Quoted {
    kind: Quote,
    text: String,
}

/// The name of a party, in one script and without anything that could be taken for something else.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PartyName(String);

/// Where a quotation stands, which limits its length in characters as a reader counts them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Quote {
    /// The title of one item: 80.
    Item,
    /// One line: 120.
    Line,
    /// Up to three paragraphs of 400 each.
    Paragraphs,
}

/// Why a text is not shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TextRefused {
    /// There is nothing to read in it.
    #[error("the text is empty")]
    Empty,
    /// It holds a character that draws nothing, draws over others, or looks like another.
    #[error("the text holds the character U+{:04X}", u32::from(*character))]
    Character {
        /// The character.
        character: char,
    },
    /// A letter carries more than two marks, or a mark stands alone.
    #[error("the text piles up marks on one letter")]
    Marks,
    /// It is written in letters that cannot be shown safely here.
    #[error("the text is written in a script that is not shown: U+{:04X}", u32::from(*character))]
    Script {
        /// The first such letter.
        character: char,
    },
    /// A name mixes letters of several scripts.
    #[error("the name mixes scripts")]
    MixedScripts,
    /// Spaces at an end, or several in a row.
    #[error("the text has spaces where nobody sees them")]
    Spaces,
    /// It is longer than its place.
    #[error("the text is longer than {limit} characters")]
    TooLong {
        /// The limit of its place.
        limit: usize,
    },
    /// A name holds a run of one character, or a word that is too long to be broken into lines.
    #[error("the name holds a run that cannot be read")]
    Run,
}

impl TextRefused {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "text.empty",
            Self::Character { .. } => "text.character",
            Self::Marks => "text.marks",
            Self::Script { .. } => "text.script",
            Self::MixedScripts => "text.mixed-scripts",
            Self::Spaces => "text.spaces",
            Self::TooLong { .. } => "text.too-long",
            Self::Run => "text.run",
        }
    }
}

/// The longest name in characters as a reader counts them.
pub const NAME_LIMIT: usize = 64;
/// The most paragraphs of a quotation.
pub const PARAGRAPH_LIMIT: usize = 3;
/// The longest part of a name without a space or hyphen to break a line at: the longest word of a firm's name
/// that is still read as a word.
const WORD_LIMIT: usize = 32;
/// More of one character in a row than any word has.
const RUN_LIMIT: usize = 3;
/// Marks on one letter; Greek and Vietnamese need two.
const MARK_LIMIT: usize = 2;
/// No text within the limits has more bytes than this; longer ones are not even looked at.
const BYTE_LIMIT: usize = 64 << 10;

impl Untrusted {
    /// Takes text from outside.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Makes it a quotation.
    ///
    /// # Errors
    /// [`TextRefused`].
    pub fn quote(&self, kind: Quote) -> Result<Quoted, TextRefused> {
        let text = normalised(&self.0)?;
        let (limit, most) = match kind {
            Quote::Item => (80, 1),
            Quote::Line => (120, 1),
            Quote::Paragraphs => (400, PARAGRAPH_LIMIT),
        };
        let mut paragraphs = 0;
        for paragraph in text.split('\n') {
            paragraphs += 1;
            if paragraphs > most {
                return Err(if kind == Quote::Paragraphs {
                    TextRefused::TooLong { limit: limit * most }
                } else {
                    TextRefused::Character { character: '\n' }
                });
            }
            check(paragraph, limit, is_quotable)?;
        }
        Ok(Quoted { kind, text })
    }

    /// Makes it a name.
    ///
    /// # Errors
    /// [`TextRefused`].
    pub fn name(&self) -> Result<PartyName, TextRefused> {
        let text = normalised(&self.0)?;
        check(&text, NAME_LIMIT, is_nameable)?;
        if !text.as_str().is_single_script() {
            return Err(TextRefused::MixedScripts);
        }
        if has_run(&text) || text.split([' ', '-']).any(|word| word.graphemes(true).count() > WORD_LIMIT) {
            return Err(TextRefused::Run);
        }
        Ok(PartyName(text))
    }

    /// Its code points in hexadecimal, the first hundred: what can be shown of a text that was refused.
    pub fn code_points(&self) -> String {
        let points: Vec<_> = self.0.chars().take(100).map(|c| format!("U+{:04X}", u32::from(c))).collect();
        points.join(" ")
    }
}

impl Quoted {
    /// Where it stands.
    pub fn kind(&self) -> Quote {
        self.kind
    }

    /// Lends its paragraphs, in order, to whoever draws the quotation.
    pub fn draw(&self, mut paragraph: impl FnMut(&str)) {
        self.text.split('\n').for_each(&mut paragraph);
    }
}

impl PartyName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a reader could take one for the other although they differ (UTS 39, 4).
    pub fn looks_like(&self, other: &Self) -> bool {
        self != other && (likeness(&self.0) == likeness(&other.0) || look(&self.0) == look(&other.0))
    }
}

/// Whether a reader could take one text for the other although they differ, whatever their scripts.
pub fn look_alike(one: &str, other: &str) -> bool {
    one != other && (likeness(one) == likeness(other) || look(one) == look(other))
}

fn look(text: &str) -> String {
    skeleton(text).collect()
}

fn likeness(text: &str) -> String {
    look(&look(text).to_lowercase())
}

/// Normalisation form C, after a first limit on what is worth looking at.
fn normalised(text: &str) -> Result<String, TextRefused> {
    if text.is_empty() {
        return Err(TextRefused::Empty);
    }
    if text.len() > BYTE_LIMIT {
        return Err(TextRefused::TooLong { limit: BYTE_LIMIT });
    }
    Ok(text.nfc().collect())
}

/// Checks one paragraph of normalised text.
fn check(text: &str, limit: usize, allowed: fn(char) -> bool) -> Result<(), TextRefused> {
    if text.is_empty() {
        return Err(TextRefused::Empty);
    }
    let mut marks = MARK_LIMIT;
    for character in text.chars() {
        if is_foreign(character) {
            return Err(TextRefused::Script { character });
        }
        if !allowed(character) {
            return Err(TextRefused::Character { character });
        }
        if is_mark(character) {
            marks += 1;
            if marks > MARK_LIMIT {
                return Err(TextRefused::Marks);
            }
        } else {
            // Nothing carries a mark but a letter.
            marks = if character.is_alphabetic() { 0 } else { MARK_LIMIT };
        }
    }
    if text.starts_with(is_space) || text.ends_with(is_space) || has_double_space(text) {
        return Err(TextRefused::Spaces);
    }
    if text.graphemes(true).count() > limit {
        return Err(TextRefused::TooLong { limit });
    }
    Ok(())
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\u{a0}' | '\u{202f}')
}

fn has_double_space(text: &str) -> bool {
    let mut last = false;
    text.chars().any(|character| {
        let space = is_space(character);
        std::mem::replace(&mut last, space) && space
    })
}

fn has_run(text: &str) -> bool {
    let (mut last, mut run) = (None, 0);
    text.chars().any(|character| {
        run = if last == Some(character) { run + 1 } else { 1 };
        last = Some(character);
        run > RUN_LIMIT
    })
}

/// A letter of a script that is not laid out safely here.
fn is_foreign(character: char) -> bool {
    character.is_alphabetic()
        && !matches!(
            character.script(),
            Script::Latin | Script::Greek | Script::Cyrillic | Script::Common | Script::Inherited
        )
}

fn is_mark(character: char) -> bool {
    matches!(character.general_category(), GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark)
}

/// Whether a character may stand in a quotation.
fn is_quotable(character: char) -> bool {
    is_nameable(character)
        || matches!(character, '\u{a0}' | '\u{202f}' | '…' | '²' | '³' | '¹' | '½' | '¼' | '¾' | 'µ')
}

/// Whether a character may stand in a name.
fn is_nameable(character: char) -> bool {
    is_of_readable_kind(character)
        && is_of_shown_script(character)
        && !is_composed_for_compatibility(character)
}

fn is_of_readable_kind(character: char) -> bool {
    use GeneralCategory as Gc;
    match character.general_category() {
        Gc::UppercaseLetter
        | Gc::LowercaseLetter
        | Gc::TitlecaseLetter
        | Gc::ModifierLetter
        | Gc::OtherLetter => true,
        Gc::NonspacingMark => true,
        // Other digits look like these, or like letters.
        Gc::DecimalNumber => character.is_ascii_digit(),
        Gc::LetterNumber | Gc::OtherNumber => false,
        Gc::ConnectorPunctuation
        | Gc::DashPunctuation
        | Gc::OpenPunctuation
        | Gc::ClosePunctuation
        | Gc::InitialPunctuation
        | Gc::FinalPunctuation
        | Gc::OtherPunctuation => true,
        Gc::MathSymbol => matches!(character, '+' | '<' | '=' | '>' | '|' | '~' | '±' | '×' | '÷' | '−'),
        Gc::CurrencySymbol => matches!(character, '$' | '£' | '¥' | '€' | '¢'),
        // Every other space has another width, or none.
        Gc::SpaceSeparator => character == ' ',
        // A mark that encloses or strikes out says something about the letter below it.
        Gc::SpacingMark | Gc::EnclosingMark => false,
        Gc::ModifierSymbol
        | Gc::OtherSymbol
        | Gc::LineSeparator
        | Gc::ParagraphSeparator
        | Gc::Control
        | Gc::Format
        | Gc::Surrogate
        | Gc::PrivateUse
        | Gc::Unassigned => false,
    }
}

fn is_of_shown_script(character: char) -> bool {
    match character.script() {
        Script::Latin | Script::Greek | Script::Cyrillic => true,
        // Of what all scripts share, only what the fonts hold and readers know.
        Script::Common => {
            character.is_ascii()
                || matches!(character, '\u{a1}'..='\u{ff}')
                || matches!(character, '‐' | '‑' | '–' | '—' | '‘' | '’' | '‚' | '“' | '”' | '„' | '†' | '‡')
                || matches!(character, '•' | '‰' | '‹' | '›' | '€' | '−')
        }
        // The combining grapheme joiner draws nothing.
        Script::Inherited => matches!(character, '\u{300}'..='\u{36f}') && character != '\u{34f}',
        _ => false,
    }
}

/// Whether the character is another one in disguise: wide, mathematical, a ligature, a super- or subscript.
fn is_composed_for_compatibility(character: char) -> bool {
    let canonical = std::iter::once(character).nfd();
    let compatible = std::iter::once(character).nfkd();
    character != '\u{a0}' && !canonical.eq(compatible)
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({} bytes)", self.0.len())
    }
}

impl fmt::Debug for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quoted({:?}, {} bytes)", self.kind, self.text.len())
    }
}

impl fmt::Debug for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartyName({:?})", self.0)
    }
}

impl fmt::Display for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for PartyName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PartyName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let name = Untrusted::new(text.as_str()).name().map_err(de::Error::custom)?;
        if name.0 == text { Ok(name) } else { Err(de::Error::custom("not in normalisation form C")) }
    }
}

impl Serialize for Quoted {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.kind, &self.text).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Quoted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (kind, text) = <(Quote, String)>::deserialize(deserializer)?;
        let quoted = Untrusted::new(text.as_str()).quote(kind).map_err(de::Error::custom)?;
        if quoted.text == text { Ok(quoted) } else { Err(de::Error::custom("not in normalisation form C")) }
    }
}
