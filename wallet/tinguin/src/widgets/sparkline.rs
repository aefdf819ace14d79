//! A small chart of how a balance went: bars, newest at the right, without figures.

use egui::{CornerRadius, Rect, Sense, Ui, pos2, vec2};

use crate::theme::{Theme, space};

/// Draws bars of the given heights, in thousandths of the highest possible. It says nothing that the
/// balance beside it does not, so screen readers pass over it.
pub fn sparkline(ui: &mut Ui, theme: &Theme, heights: &[u16]) {
    let (step, bar) = (6.0, 4.0);
    let (rect, response) =
        ui.allocate_exact_size(vec2(step * heights.len() as f32, space::L), Sense::hover());
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_hidden());
    for (index, height) in heights.iter().enumerate() {
        let tall = (rect.height() * f32::from((*height).min(1000)) / 1000.0).max(2.0);
        let left = rect.left() + step * index as f32;
        let column = Rect::from_min_max(pos2(left, rect.bottom() - tall), pos2(left + bar, rect.bottom()));
        ui.painter().rect_filled(column, CornerRadius::same(1), theme.edge);
    }
}
