//! Buttons: verb first, an icon at most, never activated by Enter.

use std::sync::Arc;

use egui::accesskit::Role as A11yRole;
use egui::{
    Color32, CornerRadius, CursorIcon, FontId, Galley, Pos2, Response, Sense, Stroke, StrokeKind, Ui,
};
use egui::{WidgetInfo, vec2};

use super::{activated, focus_ring};
use crate::icons::Icon;
use crate::theme::{Role, Theme, icon_font, size, space};

/// How much a button stands out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Primary,
    Secondary,
    Link,
}

/// A button, drawn by [`Button::show`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Button<'a> {
    text: &'a str,
    kind: Kind,
    icon: Option<Icon>,
    name: Option<&'a str>,
    refusal: Option<&'a str>,
    height: f32,
    min_width: f32,
}

impl<'a> Button<'a> {
    fn new(text: &'a str, kind: Kind) -> Self {
        let (icon, name, refusal) = (None, None, None);
        Self { text, kind, icon, name, refusal, height: size::CONTROL, min_width: 0.0 }
    }

    /// The one main action of a view.
    pub fn primary(text: &'a str) -> Self {
        Self::new(text, Kind::Primary)
    }

    /// Any other action.
    pub fn secondary(text: &'a str) -> Self {
        Self::new(text, Kind::Secondary)
    }

    /// An action that leads to more about something.
    pub fn link(text: &'a str) -> Self {
        Self::new(text, Kind::Link)
    }

    /// Puts an icon before the words; without words, the name is what is read out and shown on hover.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Names the button for screen readers, where its words alone are not enough.
    pub fn name(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }

    /// Takes the button out of use, and says why.
    pub fn refused(mut self, reason: Option<&'a str>) -> Self {
        self.refusal = reason;
        self
    }

    /// Makes it as high as controls that decide something are.
    pub fn tall(mut self) -> Self {
        self.height = size::CONTROL_CRITICAL;
        self
    }

    /// Makes it at least so wide, in logical pixels.
    pub fn wide(mut self, width: f32) -> Self {
        self.min_width = width;
        self
    }

    /// Makes it at least so high, in logical pixels.
    pub fn high(mut self, height: f32) -> Self {
        self.height = height;
        self
    }

    /// Draws the button; tells whether it was used.
    pub fn show(self, ui: &mut Ui, theme: &Theme) -> bool {
        activated(&self.draw(ui, theme))
    }

    /// Draws the button and answers what egui knows of it. Use [`activated`] on the answer.
    pub fn draw(self, ui: &mut Ui, theme: &Theme) -> Response {
        let enabled = self.refusal.is_none();
        let padding = match (self.kind, self.text.is_empty()) {
            (_, true) => space::S,
            (Kind::Link, false) => space::XS,
            (Kind::Primary | Kind::Secondary, false) => space::L,
        };
        let galleys = self.lay_out(ui, theme, padding);
        let content: f32 = galleys.iter().map(|galley| galley.size().x).sum();
        let gaps = if galleys.len() > 1 { space::S } else { 0.0 };
        let inner = galleys.iter().map(|galley| galley.size().y).fold(0.0, f32::max);
        let width = (2.0 * padding + content + gaps).max(self.min_width).max(size::CONTROL);
        let desired = vec2(width, self.height.max(inner + space::M));
        let sense = if enabled { Sense::click() } else { Sense::hover() };
        let (rect, response) = ui.allocate_exact_size(desired, sense);
        let name = self.name.unwrap_or(self.text);
        let role = if self.kind == Kind::Link { A11yRole::Link } else { A11yRole::Button };
        response.widget_info(|| WidgetInfo::labeled(role, enabled, name));
        if ui.is_rect_visible(rect) {
            let (fill, text, edge) = self.colours(theme, &response);
            let radius = CornerRadius::same(size::RADIUS);
            ui.painter().rect(rect, radius, fill, Stroke::new(1.0, edge), StrokeKind::Inside);
            let mut left = rect.center().x - (content + gaps) / 2.0;
            for galley in galleys {
                let width = galley.size().x;
                let top = rect.center().y - galley.size().y / 2.0;
                ui.painter().galley_with_override_text_color(Pos2::new(left, top), galley, text);
                left += width + gaps;
            }
            if self.kind == Kind::Link && response.hovered() {
                let y = rect.center().y + inner / 2.0;
                ui.painter().hline(rect.shrink(padding).x_range(), y, Stroke::new(1.0, text));
            }
            focus_ring(ui, theme, rect, &response);
        }
        if let Some(reason) = self.refusal {
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(reason));
            return response.on_hover_text(reason);
        }
        let response = response.on_hover_cursor(CursorIcon::PointingHand);
        if self.text.is_empty() { response.on_hover_text(name) } else { response }
    }

    fn lay_out(&self, ui: &Ui, theme: &Theme, padding: f32) -> Vec<Arc<Galley>> {
        let mut galleys = Vec::new();
        let mut room = ui.available_width() - 2.0 * padding;
        if let Some(icon) = self.icon {
            let galley = ui.painter().layout_no_wrap(icon.glyph().to_string(), icon_font(18.0), theme.text1);
            room -= galley.size().x + space::S;
            galleys.push(galley);
        }
        if !self.text.is_empty() {
            let font: FontId = Role::Value.font();
            galleys.push(ui.painter().layout(self.text.to_owned(), font, theme.text1, room.max(space::XXL)));
        }
        galleys
    }

    /// Ground, words and border.
    fn colours(&self, theme: &Theme, response: &Response) -> (Color32, Color32, Color32) {
        let none = Color32::TRANSPARENT;
        let down = response.is_pointer_button_down_on();
        if self.refusal.is_some() {
            let edge = if self.kind == Kind::Link { none } else { theme.line };
            return (none, theme.text3, edge);
        }
        match self.kind {
            Kind::Primary if down => (theme.pressed(theme.accent), theme.on_accent, none),
            Kind::Primary => (theme.accent, theme.on_accent, none),
            Kind::Secondary if down => (theme.pressed(theme.bg3), theme.text1, theme.edge),
            Kind::Secondary if response.hovered() => (theme.bg3, theme.text1, theme.edge),
            Kind::Secondary => (none, theme.text1, theme.edge),
            Kind::Link => (none, theme.info, none),
        }
    }
}
