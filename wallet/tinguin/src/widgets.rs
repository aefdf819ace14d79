//! The widgets of the window. Each has a role and a name in the accessibility tree.

pub mod bar;
pub mod button;
pub mod chip;
pub mod emblem;
pub mod log_row;
pub mod seal;
pub mod secret;
pub mod sparkline;
pub mod state;
pub mod stepper;

use egui::accesskit::Role;
use egui::{
    CornerRadius, Frame, Key, Label, Margin, Rect, Response, RichText, Stroke, StrokeKind, Ui, WidgetInfo,
};

use crate::theme::{Theme, size, space};

/// Shows text that wraps where it has to.
pub fn label(ui: &mut Ui, text: RichText) -> Response {
    ui.add(Label::new(text).wrap())
}

/// Shows text on one line. It ends in an ellipsis where it does not fit, so it is for nothing that
/// has to be read to the end; what is cut is read out in full and shown on hover.
pub fn line(ui: &mut Ui, text: RichText) -> Response {
    ui.add(Label::new(text).truncate())
}

/// Shows text as the heading of a screen or section, which screen readers can jump to.
pub fn heading(ui: &mut Ui, text: RichText) -> Response {
    let name = text.text().to_owned();
    let response = label(ui, text);
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, &name));
    response
}

/// Shows text in a row of its own without letting it wrap.
pub(crate) fn fixed(ui: &mut Ui, text: RichText) -> Response {
    ui.add(Label::new(text).extend())
}

/// Shows an icon that says nothing which the words beside it do not say.
pub(crate) fn decoration(ui: &mut Ui, icon: RichText) {
    let response = ui.add(Label::new(icon).extend());
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_hidden());
}

/// Tells whether a control was used: by pointer, by the space bar or by an assistive technology, never
/// by the Enter key, which acts at the door only.
#[must_use]
pub fn activated(response: &Response) -> bool {
    response.clicked() && (response.clicked_by(egui::PointerButton::Primary) || !entered(response))
}

fn entered(response: &Response) -> bool {
    response.ctx.input(|input| input.key_pressed(Key::Enter))
}

/// Draws the ring around a control that has the focus: two pixels, after a gap of two.
pub(crate) fn focus_ring(ui: &Ui, theme: &Theme, rect: Rect, response: &Response) {
    if response.has_focus() {
        let radius = CornerRadius::same(size::RADIUS.saturating_add(2));
        ui.painter().rect_stroke(
            rect.expand(2.0),
            radius,
            Stroke::new(2.0, theme.focus),
            StrokeKind::Outside,
        );
    }
}

/// The ground of a card.
pub fn card(theme: &Theme) -> Frame {
    Frame::new()
        .fill(theme.bg2)
        .stroke(Stroke::new(1.0, theme.line))
        .corner_radius(size::RADIUS_CARD)
        .inner_margin(Margin::same(space::L as i8))
}

/// Draws a line across the width, which means nothing.
pub(crate) fn rule(ui: &mut Ui, theme: &Theme) {
    let (rect, _) = ui.allocate_exact_size(egui::vec2(ui.available_width(), 1.0), egui::Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, Stroke::new(1.0, theme.line));
}
