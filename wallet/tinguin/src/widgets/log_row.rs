//! One line of the live log, and what it opens into: what was really sent, received or kept.

use std::sync::Arc;

use egui::accesskit::Role as A11yRole;
use egui::text::LayoutJob;
use egui::{Color32, CornerRadius, FontId, Galley, Pos2, Rect, Response, Sense, Ui, WidgetInfo, pos2, vec2};

use super::focus_ring;
use crate::format::{self, Civil};
use crate::icons::{self, Icon};
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, icon_font, size, space};
use crate::views::DealKey;

/// How high a line of the log is.
pub const ROW: f32 = size::CONTROL;

/// Which way something went.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Way {
    /// It stayed on this computer.
    Here,
    /// It came from the peer named.
    From(String),
    /// It went to the peer named.
    To(String),
}

/// Which layer spoke.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Layer {
    /// Deals and terms of business.
    Commerce,
    /// Sessions.
    Communication,
    /// Fair exchanges.
    Exchange,
    /// This computer itself.
    Here,
    /// Payments, credentials, statements.
    Transfer,
}

impl Layer {
    /// All of them, in the order of a list.
    pub const ALL: [Self; 5] =
        [Self::Commerce, Self::Exchange, Self::Transfer, Self::Communication, Self::Here];

    /// Names the layer.
    #[must_use]
    pub fn text(self, texts: &Texts) -> String {
        texts.get(match self {
            Self::Commerce => Msg::S25LayerCommerce,
            Self::Communication => Msg::S25LayerCommunication,
            Self::Exchange => Msg::S25LayerExchange,
            Self::Here => Msg::S25LayerHere,
            Self::Transfer => Msg::S25LayerTransfer,
        })
    }
}

/// How much it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extent {
    /// So many bytes on the line.
    Bytes(u64),
    /// So many items kept.
    Items(u32),
}

/// What the check of the signature came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Signed by the peer, and checked here.
    Checked,
    /// It never left; why is said.
    NotSent(String),
    /// No signature over it is kept here.
    Unknown,
    /// Nobody signed it.
    Unsigned,
    /// The signature does not fit.
    Wrong,
    /// Signed by the user.
    You,
}

/// A decoded value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FieldValue {
    /// A value of a type that is never shown: it is not even here.
    Secret,
    /// A value as text.
    Text(String),
}

/// A decoded field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field {
    /// Its name in the protocol.
    pub name: String,
    /// Its value.
    pub value: FieldValue,
}

/// A line of the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Its number since start; never used twice.
    pub number: u64,
    /// When it happened.
    pub at: Civil,
    /// Which way it went.
    pub way: Way,
    /// Which layer spoke.
    pub layer: Layer,
    /// The name of the message in its protocol.
    pub message: String,
    /// How much it was.
    pub extent: Extent,
    /// What the check of the signature came to.
    pub verdict: Verdict,
    /// The deal it belongs to.
    pub deal: Option<DealKey>,
    /// The session it went over.
    pub session: Option<String>,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Its bytes, as they were on the line.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// Who the other side is.
    #[must_use]
    pub fn peer(&self) -> Option<&str> {
        match &self.way {
            Way::Here => None,
            Way::From(peer) | Way::To(peer) => Some(peer),
        }
    }

    fn size(&self, texts: &Texts) -> String {
        match self.extent {
            Extent::Bytes(bytes) => {
                texts.get(Msg::S25Bytes { size: &format::integer(texts.locale(), bytes) })
            }
            Extent::Items(n) => texts.get(Msg::S25Items { n }),
        }
    }

    fn verdict(&self, texts: &Texts) -> String {
        match &self.verdict {
            Verdict::Checked => texts.get(Msg::S25SignedPeer),
            Verdict::NotSent(reason) => texts.get(Msg::S25Unsent { reason }),
            Verdict::Unknown => texts.get(Msg::S25Unkept),
            Verdict::Unsigned => texts.get(Msg::S25Unsigned),
            Verdict::Wrong => texts.get(Msg::S25SignedBad),
            Verdict::You => texts.get(Msg::S25SignedYou),
        }
    }

    fn sign(&self, theme: &Theme) -> (Icon, Color32) {
        match self.verdict {
            Verdict::Checked | Verdict::You => (icons::CHECK_CIRCLE, theme.ok),
            Verdict::NotSent(_) => (icons::OFFLINE, theme.warn),
            Verdict::Unknown | Verdict::Unsigned => (icons::INFO, theme.text3),
            Verdict::Wrong => (icons::REFUSED, theme.danger),
        }
    }

    /// The whole line as a screen reader says it.
    #[must_use]
    pub fn spoken(&self, texts: &Texts) -> String {
        let way = match &self.way {
            Way::Here => texts.get(Msg::S25Here),
            Way::From(peer) => texts.get(Msg::S25From { peer }),
            Way::To(peer) => texts.get(Msg::S25To { peer }),
        };
        texts.get(Msg::S25Row {
            time: &format::clock_exact(&self.at),
            way: &way,
            layer: &self.layer.text(texts),
            message: &self.message,
            size: &self.size(texts),
            verdict: &self.verdict(texts),
        })
    }
}

/// Draws the line into a rectangle; the answer tells whether it was used.
pub fn log_row(ui: &Ui, theme: &Theme, texts: &Texts, entry: &Entry, open: bool, rect: Rect) -> Response {
    // A line at the edge is used and found where it can be seen.
    let seen = rect.intersect(ui.clip_rect());
    let response = ui.interact(seen, ui.make_persistent_id(("log-row", entry.number)), Sense::click());
    let spoken = entry.spoken(texts);
    response.widget_info(|| WidgetInfo::labeled(A11yRole::Button, true, &spoken));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_expanded(open));
    if open || response.hovered() {
        ui.painter().rect_filled(rect, CornerRadius::same(size::RADIUS), theme.bg3);
    }
    let row = Row { ui, theme, rect };
    let wide = rect.width() >= 860.0;
    let medium = rect.width() >= 560.0;
    let mut left = rect.left() + space::S;
    row.text(&mut left, 100.0, Role::Mono.font(), theme.text2, &format::clock_exact(&entry.at));
    let (icon, colour) = match &entry.way {
        Way::Here => (icons::DESKTOP, theme.text3),
        Way::From(_) => (icons::ARROW_LEFT, theme.peer),
        Way::To(_) => (icons::ARROW_RIGHT, theme.accent),
    };
    row.icon(&mut left, icon, colour);
    let here = texts.get(Msg::S25Here);
    if medium {
        let peer = entry.peer().unwrap_or(&here);
        row.text(&mut left, 132.0, Role::Label.font(), theme.text1, peer);
    }
    if wide {
        row.text(&mut left, 112.0, Role::Label.font(), theme.text3, &entry.layer.text(texts));
    }
    // From the right: caret, verdict, size; the name of the message takes what is left.
    let verdict = if medium { 172.0 } else { space::XL };
    let mut right = rect.right() - 28.0 - verdict - if wide { 96.0 } else { 0.0 };
    let name = (right - left - space::M).max(0.0);
    row.text(&mut left, name, Role::Value.font(), theme.text1, &entry.message);
    if wide {
        row.text_right(right + 96.0 - space::L, 80.0, &entry.size(texts));
        right += 96.0;
    }
    let (icon, colour) = entry.sign(theme);
    row.icon(&mut right, icon, colour);
    if medium {
        row.text(&mut right, verdict - 28.0, Role::Label.font(), theme.text2, &entry.verdict(texts));
    }
    let caret = if open { icons::CARET_DOWN } else { icons::CARET_RIGHT };
    row.icon(&mut (rect.right() - 26.0), caret, theme.text3);
    focus_ring(ui, theme, rect.shrink(4.0), &response);
    response
}

struct Row<'a> {
    ui: &'a Ui,
    theme: &'a Theme,
    rect: Rect,
}

impl Row<'_> {
    fn text(&self, left: &mut f32, width: f32, font: FontId, colour: Color32, text: &str) {
        let galley = elided(self.ui, text, font, colour, width);
        self.paint(*left, galley);
        *left += width + space::S;
    }

    fn text_right(&self, right: f32, width: f32, text: &str) {
        let galley = elided(self.ui, text, Role::Label.font(), self.theme.text2, width);
        self.paint(right - galley.size().x, galley);
    }

    fn icon(&self, left: &mut f32, icon: Icon, colour: Color32) {
        let galley = self.ui.painter().layout_no_wrap(icon.glyph().to_string(), icon_font(18.0), colour);
        self.paint(*left, galley);
        *left += space::XL;
    }

    fn paint(&self, left: f32, galley: Arc<Galley>) {
        let at = pos2(left, self.rect.center().y - galley.size().y / 2.0);
        self.ui.painter().galley(at, galley, Color32::PLACEHOLDER);
    }
}

/// One line of text that ends in an ellipsis where it is too long.
fn elided(ui: &Ui, text: &str, font: FontId, colour: Color32, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap.max_width = width;
    job.wrap.max_rows = 1;
    job.wrap.break_anywhere = true;
    ui.painter().layout_job(job)
}

/// How many bytes one line of hexadecimal digits has.
const HEX_LINE: usize = 16;
/// How many lines of hexadecimal digits are shown at most.
const HEX_LINES: usize = 32;

/// Writes bytes in lines of sixteen, in groups of four.
#[must_use]
pub fn hex_lines(bytes: &[u8]) -> Vec<String> {
    let line = |line: &[u8]| {
        let groups = line
            .chunks(4)
            .map(|group| group.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "));
        groups.collect::<Vec<_>>().join("  ")
    };
    bytes.chunks(HEX_LINE).take(HEX_LINES).map(line).collect()
}

/// How many bytes [`hex_lines`] leaves out.
#[must_use]
pub fn hex_left_out(bytes: &[u8]) -> usize {
    bytes.len().saturating_sub(HEX_LINE.saturating_mul(HEX_LINES))
}

/// How high the opened part of a line is.
#[must_use]
pub fn detail_height(entry: &Entry, hex: bool) -> f32 {
    let lines = if hex {
        hex_lines(&entry.bytes).len() + usize::from(hex_left_out(&entry.bytes) > 0)
    } else {
        entry.fields.len() + usize::from(entry.session.is_some())
    };
    lines as f32 * Role::Mono.line() + size::CONTROL + space::XL + space::S
}

/// Draws the fields or the bytes of an opened line at a place.
pub fn detail(ui: &mut Ui, theme: &Theme, texts: &Texts, entry: &Entry, hex: bool) {
    ui.spacing_mut().item_spacing = vec2(space::M, 0.0);
    ui.spacing_mut().interact_size.y = Role::Mono.line();
    let pair = |ui: &mut Ui, name: &str, value: &str, colour: Color32| {
        ui.horizontal(|ui| {
            let room = vec2(140.0_f32.min(ui.available_width() / 3.0), Role::Mono.line());
            let left = egui::Layout::left_to_right(egui::Align::Center);
            ui.allocate_ui_with_layout(room, left, |ui| {
                ui.set_min_width(room.x);
                super::line(ui, theme.coloured(Role::Mono, name, theme.text3));
            });
            super::line(ui, theme.coloured(Role::Mono, value, colour));
        });
    };
    if hex {
        for line in hex_lines(&entry.bytes) {
            super::line(ui, theme.coloured(Role::Mono, line, theme.text2));
        }
        let more = hex_left_out(&entry.bytes);
        if more > 0 {
            let size = format::integer(texts.locale(), u64::try_from(more).unwrap_or(u64::MAX));
            super::line(
                ui,
                theme.coloured(Role::Label, texts.get(Msg::S25More { size: &size }), theme.text3),
            );
        }
        return;
    }
    if let Some(session) = &entry.session {
        pair(ui, &texts.get(Msg::S25Session), session, theme.text2);
    }
    for field in &entry.fields {
        match &field.value {
            FieldValue::Text(text) => pair(ui, &field.name, text, theme.text1),
            FieldValue::Secret => pair(ui, &field.name, &texts.get(Msg::S25Secret), theme.text3),
        }
    }
}

/// The place of the opened part below its line.
#[must_use]
pub fn detail_rect(row: Rect, height: f32) -> Rect {
    Rect::from_min_size(Pos2::new(row.left(), row.bottom()), vec2(row.width(), height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_groups_of_four() {
        let bytes: Vec<u8> = (0..18).collect();
        let lines = hex_lines(&bytes);
        assert_eq!(lines[0], "00 01 02 03  04 05 06 07  08 09 0a 0b  0c 0d 0e 0f");
        assert_eq!(lines[1], "10 11");
    }

    #[test]
    fn a_long_message_is_cut_and_says_by_how_much() {
        let bytes = vec![0; 600];
        assert_eq!(hex_lines(&bytes).len(), 32);
        assert_eq!(hex_left_out(&bytes), 600 - 512);
    }
}
