//! The long texts of a service: CommonMark 0.31 without HTML, links and pictures, as plain data to draw.
//!
//! What a text may have is headings, paragraphs and lists. Emphasis is read and not drawn, so that no word of
//! terms is louder than another. Anything else is refused, never left out: what is signed is what is shown.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::fault::ServiceFault;
use crate::service::source;

/// The longest text, in bytes.
pub const PROSE_LIMIT: usize = 64 << 10;
/// How deeply lists may be nested.
const DEPTH: usize = 4;

/// A long text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Prose {
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// A part of a long text, to be drawn with the look of terms and no other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// A heading.
    Heading {
        /// 1 to 6, 1 the highest.
        level: u8,
        /// Its words.
        text: String,
    },
    /// A paragraph.
    Paragraph(String),
    /// A point of a list.
    Point {
        /// How many lists it is in, from 1.
        depth: usize,
        /// Its number, where the list is numbered.
        number: Option<u64>,
        /// Its words.
        text: String,
    },
}

impl Prose {
    /// Reads the bytes of `file`.
    ///
    /// # Errors
    /// [`ServiceFault::BadPackage`] for what is too long, no plain text, or has more than a text may have.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, ServiceFault> {
        let wrong = |what: &str| ServiceFault::bad(format!("{file}: {what}"));
        if bytes.len() > PROSE_LIMIT {
            return Err(wrong("longer than 64 KiB"));
        }
        let text = source::text(file, bytes).map_err(|fault| ServiceFault::bad(fault.to_string()))?;
        let mut reader = Reader::default();
        let parser = Parser::new_ext(text, Options::empty());
        if parser.reference_definitions().iter().next().is_some() {
            return Err(wrong("it has a link in it"));
        }
        for event in parser {
            reader.take(event).map_err(wrong)?;
        }
        let prose = Self { parts: reader.parts };
        if prose.parts.is_empty() {
            return Err(wrong("it says nothing"));
        }
        // An entity may stand for a character that the source may not have.
        for part in &prose.parts {
            source::text(file, part.text().as_bytes())
                .map_err(|fault| ServiceFault::bad(fault.to_string()))?;
            if part.text().contains('\n') {
                return Err(wrong("a line break in disguise"));
            }
        }
        Ok(prose)
    }
}

impl Part {
    /// Its words.
    pub fn text(&self) -> &str {
        match self {
            Self::Heading { text, .. } | Self::Paragraph(text) | Self::Point { text, .. } => text,
        }
    }
}

#[derive(Default)]
struct Reader {
    parts: Vec<Part>,
    /// The next number of each list that is open, the innermost last.
    lists: Vec<Option<u64>>,
    heading: Option<u8>,
    /// The number of the point whose words come next.
    point: Option<Option<u64>>,
    text: String,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Start(tag) => self.start(&tag)?,
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) => self.text.push_str(&text),
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            Event::Html(_) | Event::InlineHtml(_) => return Err("it has HTML in it"),
            Event::Rule => return Err("it has a line across it"),
            Event::FootnoteReference(_)
            | Event::TaskListMarker(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => return Err(STRANGE),
        }
        Ok(())
    }

    fn start(&mut self, tag: &Tag<'_>) -> Result<(), &'static str> {
        match tag {
            Tag::Paragraph => self.flush(),
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some(number(*level));
            }
            Tag::List(first) => {
                self.flush();
                if self.lists.len() == DEPTH {
                    return Err("its lists are nested too deeply");
                }
                self.lists.push(*first);
            }
            Tag::Item => {
                self.flush();
                let number = self.lists.last_mut().and_then(|next| {
                    let number = *next;
                    *next = number.map(|number| number.saturating_add(1));
                    number
                });
                self.point = Some(number);
            }
            Tag::Emphasis | Tag::Strong => {}
            Tag::Link { .. } => return Err("it has a link in it"),
            Tag::Image { .. } => return Err("it has a picture in it"),
            Tag::HtmlBlock => return Err("it has HTML in it"),
            Tag::BlockQuote(_)
            | Tag::CodeBlock(_)
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Table(_)
            | Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => return Err(STRANGE),
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis | TagEnd::Strong => {}
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::Item => {
                self.flush();
                self.point = None;
            }
            _ => self.flush(),
        }
    }

    /// Ends the part whose words were collected.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        let heading = self.heading.take();
        if text.trim().is_empty() {
            return;
        }
        let text = text.trim().to_owned();
        self.parts.push(match (heading, self.point.take()) {
            (Some(level), _) => Part::Heading { level, text },
            (None, Some(number)) => Part::Point { depth: self.lists.len(), number, text },
            (None, None) => Part::Paragraph(text),
        });
    }
}

const STRANGE: &str = "it has more than headings, paragraphs and lists";

const fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Prose::read("prose/x.en.md", text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn headings_paragraphs_and_lists_become_plain_data() {
        let text = "# Rules\n\nYou *may* return\nit.\n\n1. At once\n   - whole\n2. Later\n\nEnd `now`.\n";
        let point = |depth, number, text: &str| Part::Point { depth, number, text: text.to_owned() };
        assert_eq!(
            Prose::read("x", text.as_bytes()).unwrap().parts,
            [
                Part::Heading { level: 1, text: "Rules".to_owned() },
                Part::Paragraph("You may return it.".to_owned()),
                point(1, Some(1), "At once"),
                point(2, None, "whole"),
                point(1, Some(2), "Later"),
                Part::Paragraph("End now.".to_owned()),
            ]
        );
    }

    #[test]
    fn what_could_lead_away_or_look_like_something_else_is_refused() {
        for (text, why) in [
            ("see [here](https://x.example)", "a link"),
            ("see <https://x.example>", "a link"),
            ("![p](x.png)", "a picture"),
            ("a <b>c</b>", "HTML"),
            ("<div>\n</div>", "HTML"),
            ("<!-- hidden -->", "HTML"),
            ("> said", "more than"),
            ("    code", "more than"),
            ("a\n\n***\n", "a line across"),
            ("- a\n  - b\n    - c\n      - d\n        - e\n", "nested too deeply"),
            ("a &#x202e;b", "direction of writing"),
            ("a &#10;b", "a line break in disguise"),
            ("a &shy;b", "not seen"),
            ("\n\n", "it says nothing"),
            ("words\n\n[hidden]: https://x.example\n", "a link"),
            (&"a".repeat(PROSE_LIMIT + 1), "longer than 64 KiB"),
        ] {
            assert!(refused(text).contains(why), "{text}: {}", refused(text));
        }
    }
}
