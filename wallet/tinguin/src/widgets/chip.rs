//! Chips: an icon and a word about the state of things. Colour only repeats what the word says.

use egui::accesskit::Role as A11yRole;
use egui::{Color32, CornerRadius, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

use super::{activated, focus_ring};
use crate::icons::{self, Icon};
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, icon_font, size, space};

/// How well the other party of a deal knows the user.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Anonymity {
    /// It cannot recognise the user again.
    Anonymous {
        /// The shop.
        shop: String,
    },
    /// Something lets it guess more than was agreed.
    Degraded {
        /// What lets it guess.
        leak: String,
    },
    /// It knows the user's name.
    Identified {
        /// The shop.
        shop: String,
    },
    /// It knows the user by a name made for it.
    Pseudonymous {
        /// The shop.
        shop: String,
        /// The name it knows.
        nick: String,
    },
}

impl Anonymity {
    /// Says it in a sentence.
    #[must_use]
    pub fn text(&self, texts: &Texts) -> String {
        match self {
            Self::Anonymous { shop } => texts.get(Msg::ChipAnonymous { shop }),
            Self::Degraded { leak } => texts.get(Msg::ChipDegraded { leak }),
            Self::Identified { shop } => texts.get(Msg::ChipIdentified { shop }),
            Self::Pseudonymous { shop, nick } => texts.get(Msg::ChipPseudonym { shop, nick }),
        }
    }

    /// The icon and its colour.
    #[must_use]
    pub const fn sign(&self, theme: &Theme) -> (Icon, Color32) {
        match self {
            Self::Anonymous { .. } => (icons::DETECTIVE, theme.ok),
            Self::Degraded { .. } => (icons::EYE, theme.warn),
            Self::Identified { .. } => (icons::USER, theme.text2),
            Self::Pseudonymous { .. } => (icons::PSEUDONYM, theme.info),
        }
    }
}

/// Draws a chip that only tells something. A compact one shows its icon, and its words on hover.
pub fn chip(ui: &mut Ui, theme: &Theme, icon: Icon, colour: Color32, text: &str, compact: bool) {
    let (_, response) = draw(ui, theme, icon, colour, if compact { "" } else { text }, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(A11yRole::Status, true, text));
    if compact {
        response.on_hover_text(text);
    }
}

/// Draws a chip that does something; `name` is what a screen reader says. Tells whether it was used.
pub fn chip_button(ui: &mut Ui, theme: &Theme, icon: Icon, text: &str, name: &str) -> bool {
    let (rect, response) = draw(ui, theme, icon, theme.text2, text, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(A11yRole::Button, true, name));
    focus_ring(ui, theme, rect, &response);
    activated(&response.on_hover_text(name))
}

fn draw(
    ui: &mut Ui,
    theme: &Theme,
    icon: Icon,
    colour: Color32,
    text: &str,
    sense: Sense,
) -> (Rect, Response) {
    let mut galleys = vec![ui.painter().layout_no_wrap(icon.glyph().to_string(), icon_font(16.0), colour)];
    if !text.is_empty() {
        galleys.push(ui.painter().layout_no_wrap(text.to_owned(), Role::Label.font(), theme.text1));
    }
    let content: f32 = galleys.iter().map(|galley| galley.size().x).sum();
    let gaps = if galleys.len() > 1 { space::XS } else { 0.0 };
    let padding = if text.is_empty() { space::S } else { space::M };
    let height = if sense.senses_click() { size::CONTROL } else { size::CONTROL - space::XS };
    let (rect, response) = ui.allocate_exact_size(vec2(content + gaps + 2.0 * padding, height), sense);
    let ground = if response.is_pointer_button_down_on() { theme.pressed(theme.bg3) } else { theme.bg3 };
    ui.painter().rect_filled(rect, CornerRadius::same(size::RADIUS), ground);
    let edge = if sense.senses_click() { theme.edge } else { Color32::TRANSPARENT };
    let stroke = Stroke::new(1.0, edge);
    ui.painter().rect_stroke(rect, CornerRadius::same(size::RADIUS), stroke, StrokeKind::Inside);
    let mut left = rect.left() + padding;
    for galley in galleys {
        let width = galley.size().x;
        let at = Pos2::new(left, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, Color32::PLACEHOLDER);
        left += width + gaps;
    }
    (rect, response)
}
