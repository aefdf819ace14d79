//! The steps of a deal, small: dots joined by a line, the present one ringed, then its name.

use egui::accesskit::Role as A11yRole;
use egui::{Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::texts::{Msg, Texts};
use crate::theme::{Theme, space};

/// Where a deal stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Steps {
    /// The names of the steps, in order.
    pub names: Vec<String>,
    /// How many are done; the next one is the present one.
    pub done: usize,
}

impl Steps {
    /// The name of the present step; the last one's when all are done.
    #[must_use]
    pub fn present(&self) -> &str {
        self.names.get(self.done).or(self.names.last()).map_or("", String::as_str)
    }
}

/// Draws the dots.
pub fn stepper(ui: &mut Ui, theme: &Theme, texts: &Texts, steps: &Steps) {
    let count = steps.names.len();
    let gap = space::XL;
    let width = gap * count.saturating_sub(1) as f32 + space::L;
    let (rect, response) = ui.allocate_exact_size(vec2(width, space::L), Sense::hover());
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let (i, n) = (number(steps.done.saturating_add(1).min(count)), number(count));
    let name = texts.get(Msg::S08Step { i, n, step: steps.present() });
    response.widget_info(|| WidgetInfo::labeled(A11yRole::ProgressIndicator, true, &name));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(f64::from(n));
        node.set_numeric_value(f64::from(number(steps.done)));
    });
    let at = |index: usize| pos2(rect.left() + space::S + gap * index as f32, rect.center().y);
    for index in 1..count {
        let colour = if index <= steps.done { theme.ok } else { theme.line };
        let (from, to) = (at(index - 1), at(index));
        ui.painter().hline(from.x + space::S..=to.x - space::S, from.y, Stroke::new(2.0, colour));
    }
    for index in 0..count {
        let centre = at(index);
        if index < steps.done {
            ui.painter().circle_filled(centre, 5.0, theme.ok);
        } else if index == steps.done {
            ui.painter().circle_stroke(centre, 6.0, Stroke::new(2.0, theme.accent));
            ui.painter().circle_filled(centre, 2.5, theme.accent);
        } else {
            ui.painter().circle_stroke(centre, 5.0, Stroke::new(1.5, theme.edge));
        }
    }
    response.on_hover_text(name);
}
