//! The picture that is pressed and held, as it is practised and used in the first start.
//!
//! Only a press that began on the picture after it was armed counts; leaving it, another button, letting go, or the
//! window losing the keyboard begins anew. Clicks of an assistive technology do nothing.

use egui::accesskit::Role as A11yRole;
use egui::{CornerRadius, Id, Key, PointerButton, Rect, Response, Sense, Stroke, StrokeKind, TextureHandle};
use egui::{Ui, WidgetInfo, vec2};

use crate::theme::{Role, Theme, size, space};
use crate::widgets::{focus_ring, seal};

/// The size of the control.
const SIZE: [f32; 2] = [372.0, 80.0];

/// The user's picture, loaded. It is never printed.
#[derive(Clone)]
pub struct Face(pub TextureHandle);

impl std::fmt::Debug for Face {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Face(…)")
    }
}

/// A picture to hold.
#[derive(Clone, Copy, Debug)]
pub struct Hold<'a> {
    /// The picture.
    pub picture: &'a Face,
    /// What holding it does.
    pub text: &'a str,
    /// For how long it is held, in milliseconds.
    pub needed: u64,
    /// Why it cannot be held yet.
    pub refused: Option<&'a str>,
}

/// Since when it is held, by the clock of the window; and whether this press does not count.
#[derive(Clone, Copy, Debug, Default)]
struct Press {
    since: Option<f64>,
    stale: bool,
}

/// Draws the picture. Gives for how many milliseconds it was held, once that is enough.
pub fn hold(ui: &mut Ui, theme: &Theme, data: Hold<'_>) -> Option<u64> {
    let width = SIZE[0].min(ui.available_width());
    let (rect, response) = ui.allocate_exact_size(vec2(width, SIZE[1]), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(A11yRole::Button, data.refused.is_none(), data.text));
    if let Some(reason) = data.refused {
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(reason));
    }
    let id = response.id.with("press");
    let mut press: Press = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let now = ui.input(|input| input.time);
    if !is_down(ui, &response) {
        press = Press::default();
    } else if data.refused.is_some() {
        press = Press { since: None, stale: true };
    } else if !press.stale {
        press.since.get_or_insert(now);
    }
    let held = press.since.map_or(0.0, |since| (now - since).max(0.0) * 1000.0);
    let share = (held / data.needed.max(1) as f64).min(1.0) as f32;
    let done = press.since.is_some() && held >= data.needed as f64;
    if done {
        press = Press { since: None, stale: true };
    }
    if press.since.is_some() {
        ui.ctx().request_repaint();
    }
    keep(ui, id, press);
    paint(ui, theme, data, rect, share);
    focus_ring(ui, theme, rect, &response);
    done.then_some(held as u64)
}

fn keep(ui: &Ui, id: Id, press: Press) {
    ui.data_mut(|data| data.insert_temp(id, press));
}

fn is_down(ui: &Ui, response: &Response) -> bool {
    // These look at the input themselves.
    let pressed = response.is_pointer_button_down_on() && response.contains_pointer();
    let has_focus = response.has_focus();
    ui.input(|input| {
        let pointer = &input.pointer;
        let others =
            pointer.button_down(PointerButton::Secondary) || pointer.button_down(PointerButton::Middle);
        input.focused && (pressed && !others || has_focus && input.key_down(Key::Space))
    })
}

fn paint(ui: &Ui, theme: &Theme, data: Hold<'_>, rect: Rect, share: f32) {
    let ready = data.refused.is_none();
    let radius = CornerRadius::same(size::RADIUS_CARD);
    let edge = if ready { theme.accent } else { theme.line };
    ui.painter().rect(rect, radius, theme.bg2, Stroke::new(2.0, edge), StrokeKind::Inside);
    if share > 0.0 {
        let mut filled = rect.shrink(2.0);
        filled.set_width(filled.width() * share);
        ui.painter().rect_filled(filled, radius, theme.faint(theme.accent));
    }
    let side = rect.height() - 2.0 * space::S;
    let picture = Rect::from_min_size(rect.min + vec2(space::S, space::S), vec2(side, side));
    seal::paint(ui, theme, &data.picture.0, picture);
    let ink = if ready { theme.text1 } else { theme.text3 };
    let room = rect.right() - picture.right() - 2.0 * space::L;
    let galley = ui.painter().layout(data.text.to_owned(), Role::Value.font(), ink, room.max(space::XXL));
    let at = egui::pos2(picture.right() + space::L, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, ink);
}
