//! A plain document as PDF (ISO 32000): headings, paragraphs, a table and a bar chart on pages of A4.
//!
//! Only the fonts every reader has, no picture, no date and no number that is drawn: the same document gives the same
//! bytes. Lengths are whole points.

use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

const PAGE: (i16, i16) = (595, 842);
const MARGIN: i16 = 64;
/// Where the text of a page ends.
const BOTTOM: i16 = 72;
const PLAIN: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");
/// Widths of Helvetica's ASCII characters from the space on, in thousandths of the size (Adobe font metrics).
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// A document that grows from top to bottom.
pub(super) struct Document {
    title: String,
    author: String,
    pages: Vec<Content>,
    /// The baseline of the next line.
    at: i16,
}

/// How a line is set.
#[derive(Clone, Copy)]
struct Style {
    font: Name<'static>,
    size: i16,
    lead: i16,
}

const TEXT: Style = Style { font: PLAIN, size: 10, lead: 15 };
const SMALL: Style = Style { font: PLAIN, size: 8, lead: 12 };
const TITLE: Style = Style { font: BOLD, size: 22, lead: 28 };
const HEADING: Style = Style { font: BOLD, size: 13, lead: 20 };

impl Document {
    /// An empty document.
    pub(super) fn new(title: &str, author: &str) -> Self {
        let mut document = Self { title: title.into(), author: author.into(), pages: Vec::new(), at: 0 };
        document.turn();
        document
    }

    /// Begins a new page.
    pub(super) fn turn(&mut self) {
        self.pages.push(Content::new());
        self.at = PAGE.1.saturating_sub(MARGIN).saturating_sub(12);
    }

    /// Leaves room.
    pub(super) fn skip(&mut self, points: i16) {
        self.at = self.at.saturating_sub(points);
    }

    /// The title of the document.
    pub(super) fn title(&mut self, text: &str) {
        self.skip(16);
        self.set(text, TITLE, MARGIN);
        self.skip(8);
    }

    /// The heading of a chapter, never the last line of a page.
    pub(super) fn heading(&mut self, text: &str) {
        self.skip(14);
        self.keep(80);
        self.set(text, HEADING, MARGIN);
        self.skip(2);
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.set(text, TEXT, MARGIN);
        self.skip(6);
    }

    /// A note in small print.
    pub(super) fn note(&mut self, text: &str) {
        self.set(text, SMALL, MARGIN);
        self.skip(4);
    }

    /// A table of numbers: the names of its columns, and rows with a name each.
    pub(super) fn table(&mut self, columns: &[String], rows: &[(String, Vec<String>)]) {
        let height = i16::try_from(rows.len()).unwrap_or(0).saturating_mul(16).saturating_add(30);
        self.keep(height);
        self.row("", columns, BOLD);
        self.rule();
        for (name, values) in rows {
            self.row(name, values, PLAIN);
        }
        self.rule();
        self.skip(8);
    }

    /// A chart of bars, each with its name and a value of at most `most`.
    pub(super) fn bars(&mut self, bars: &[(String, u64)], most: u64, unit: &str) {
        self.keep(i16::try_from(bars.len()).unwrap_or(0).saturating_mul(18).saturating_add(20));
        for (name, value) in bars {
            let length = i16::try_from(value.saturating_mul(240) / most.max(1)).unwrap_or(240).min(240);
            let (left, low) = (MARGIN.saturating_add(130), self.at.saturating_sub(2));
            self.write(name, SMALL, MARGIN);
            self.write(&format!("{value} {unit}"), SMALL, left.saturating_add(length).saturating_add(6));
            if let Some(page) = self.pages.last_mut() {
                page.set_fill_rgb(0.13, 0.36, 0.48);
                page.rect(f32::from(left), f32::from(low), f32::from(length), 10.0).fill_nonzero();
                page.set_fill_gray(0.0);
            }
            self.skip(18);
        }
        self.skip(6);
    }

    /// The bytes of the file.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.number();
        let mut last = 4;
        let mut fresh = || {
            last += 1;
            Ref::new(last)
        };
        let (catalogue, tree, plain, bold, about) =
            (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4), fresh());
        let pages: Vec<(Ref, Ref, Content)> =
            self.pages.into_iter().map(|page| (fresh(), fresh(), page)).collect();
        let mut pdf = Pdf::new();
        pdf.catalog(catalogue).pages(tree).lang(TextStr("en"));
        pdf.document_info(about).title(TextStr(&self.title)).author(TextStr(&self.author));
        let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
        pdf.pages(tree).kids(pages.iter().map(|(page, ..)| *page)).count(count);
        for (font, base) in [(plain, b"Helvetica".as_slice()), (bold, b"Helvetica-Bold")] {
            pdf.type1_font(font).base_font(Name(base)).encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        for (page, content, drawn) in pages {
            let mut written = pdf.page(page);
            written.parent(tree).contents(content);
            written.media_box(Rect::new(0.0, 0.0, f32::from(PAGE.0), f32::from(PAGE.1)));
            written.resources().fonts().pair(PLAIN, plain).pair(BOLD, bold);
            written.finish();
            pdf.stream(content, &drawn.finish());
        }
        pdf.finish()
    }

    /// Writes the number and the title of the document below each page.
    fn number(&mut self) {
        let count = self.pages.len();
        for (at, page) in self.pages.iter_mut().enumerate() {
            let text = format!("{}    {} / {count}", self.title, at.saturating_add(1));
            show(page, &text, SMALL, (MARGIN, 40));
        }
    }

    fn set(&mut self, text: &str, style: Style, left: i16) {
        let wide = PAGE.0.saturating_sub(left).saturating_sub(MARGIN);
        for line in lines(text, style, wide) {
            self.keep(style.lead);
            self.write(&line, style, left);
            self.skip(style.lead);
        }
    }

    fn row(&mut self, name: &str, values: &[String], font: Name<'static>) {
        let style = Style { font, size: 9, lead: 16 };
        self.write(name, style, MARGIN);
        let wide = 320 / i16::try_from(values.len()).unwrap_or(1).max(1);
        let mut left = MARGIN.saturating_add(150);
        for value in values {
            self.write(value, style, left);
            left = left.saturating_add(wide);
        }
        self.skip(style.lead);
    }

    fn rule(&mut self) {
        let (y, right) = (f32::from(self.at.saturating_add(11)), f32::from(PAGE.0.saturating_sub(MARGIN)));
        if let Some(page) = self.pages.last_mut() {
            page.set_line_width(0.5).move_to(f32::from(MARGIN), y).line_to(right, y).stroke();
        }
        self.skip(3);
    }

    /// Turns the page unless `height` points fit.
    fn keep(&mut self, height: i16) {
        if self.at.saturating_sub(height) < BOTTOM {
            self.turn();
        }
    }

    fn write(&mut self, text: &str, style: Style, left: i16) {
        let at = (left, self.at);
        if let Some(page) = self.pages.last_mut() {
            show(page, text, style, at);
        }
    }
}

fn show(page: &mut Content, text: &str, style: Style, (x, y): (i16, i16)) {
    page.begin_text().set_font(style.font, f32::from(style.size));
    page.next_line(f32::from(x), f32::from(y)).show(Str(&encoded(text))).end_text();
}

/// Words put into lines that are at most `wide` points.
fn lines(text: &str, style: Style, wide: i16) -> Vec<String> {
    let room =
        u32::from(wide.unsigned_abs()).saturating_mul(1000) / u32::from(style.size.unsigned_abs().max(1));
    // Bold letters are about a tenth wider.
    let room = if style.font == BOLD { room.saturating_mul(9) / 10 } else { room };
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line).saturating_add(278).saturating_add(width(word)) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// In thousandths of the size.
fn width(text: &str) -> u32 {
    let one = |character: char| {
        let at = u32::from(character).checked_sub(32).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| WIDTHS.get(at)).map_or(556, |width| u32::from(*width))
    };
    text.chars().map(one).fold(0, u32::saturating_add)
}

/// Text in the encoding of the fonts, which is Latin-1 for what is written here. Another character is a question mark.
fn encoded(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_cross_reference_table_leads_to_its_object() {
        let mut document = Document::new("A title", "Somebody");
        (0..60)
            .for_each(|_| document.paragraph("Several words that fill a line and a little more than that."));
        document.table(&["a".into()], &[("row".into(), vec!["1".into()])]);
        document.bars(&[("bar".into(), 3)], 4, "h");
        let bytes = document.finish();
        let text = String::from_utf8_lossy(&bytes);
        assert!(bytes.starts_with(b"%PDF-1.") && text.trim_end().ends_with("%%EOF"));
        let start: usize =
            text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        let table = String::from_utf8_lossy(&bytes[start..]).into_owned();
        let entries: Vec<&str> =
            table.lines().skip(2).take_while(|line| !line.starts_with("trailer")).collect();
        assert!(entries.len() > 8);
        for (number, entry) in entries.iter().enumerate().skip(1) {
            let offset: usize = entry.split(' ').next().unwrap().parse().unwrap();
            assert!(bytes[offset..].starts_with(format!("{number} 0 obj").as_bytes()), "{number}");
        }
        assert!(text.contains("/Count 2"), "60 lines need two pages");
    }

    #[test]
    fn lines_break_where_the_page_ends() {
        let text = "word ".repeat(100);
        let lines = lines(&text, TEXT, 467);
        assert!(lines.len() > 4 && lines.iter().all(|line| width(line) / 100 <= 467));
    }
}
