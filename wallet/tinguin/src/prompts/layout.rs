//! Where the parts of a prompt stand, and what stands round them: the user's line, play money, the steps.

use egui::{Align, CornerRadius, Layout, Rect, ScrollArea, Ui, UiBuilder, pos2, vec2};

use super::told::{self, Told};
use super::{Attempt, LookAt, Prompt, card, needs_pin, strip, to_retype};
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, size, space};
use crate::widgets::bar::{self, Slot};
use crate::widgets::{decoration, heading, label};
use crate::{format, icons};

/// Where the parts stand. The action bar never scrolls and never moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) band: Rect,
    pub(super) content: Rect,
    /// PIN and amount, where there is room outside of what scrolls.
    pub(super) strip: Option<Rect>,
    pub(super) actions: Rect,
    /// One column, with the picture below the buttons.
    pub(super) narrow: bool,
}

const BAND: f32 = 22.0;

impl Places {
    pub(super) fn of(ui: &Ui, data: &Prompt<'_>, look: LookAt) -> Self {
        let screen = ui.ctx().content_rect();
        let top = screen.top() + bar::height(screen.height());
        let (low, narrow) = (screen.height() < size::LOW, screen.width() < size::NARROW);
        let actions = match (narrow, low) {
            (true, _) => 152.0,
            (false, true) => 96.0,
            (false, false) => 112.0,
        };
        let band = if told::plays(data.sealed) { BAND } else { 0.0 };
        let bottom = screen.bottom() - actions;
        let asked = needs_pin(data, look) || to_retype(data, look).is_some();
        let wanted = strip::height(look.keypad);
        let strip = (asked && !low && !narrow)
            .then(|| Rect::from_min_max(pos2(screen.left(), bottom - wanted), pos2(screen.right(), bottom)));
        let rest = strip.map_or(bottom, |strip| strip.top());
        Self {
            band: Rect::from_min_size(pos2(screen.left(), top), vec2(screen.width(), band)),
            content: Rect::from_min_max(pos2(screen.left(), top + band), pos2(screen.right(), rest)),
            strip,
            actions: Rect::from_min_max(pos2(screen.left(), bottom), screen.right_bottom()),
            narrow,
        }
    }
}

/// The line round the whole window, in the colour that the user chose.
pub(super) fn frame(ui: &Ui, theme: &Theme, data: &Prompt<'_>) {
    let hue = match &data.bar.slot {
        Slot::Door { hue, .. } => *hue,
        Slot::Open(seal) => seal.hue,
    };
    let screen = ui.ctx().content_rect();
    let above = egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("frame of the prompt"));
    let stroke = egui::Stroke::new(3.0, hue.colour());
    let painter = ui.ctx().layer_painter(above);
    painter.rect_stroke(screen, CornerRadius::ZERO, stroke, egui::StrokeKind::Inside);
    let below =
        Rect::from_min_max(pos2(screen.left(), screen.top() + bar::height(screen.height())), screen.max);
    ui.painter().rect_filled(below, CornerRadius::ZERO, theme.bg0);
}

pub(super) fn play_money(ui: &mut Ui, theme: &Theme, texts: &Texts, rect: Rect) {
    ui.painter().rect_filled(rect, CornerRadius::ZERO, theme.bg3);
    let screen = ui.ctx().content_rect();
    let stroke = egui::Stroke::new(1.5, theme.warn);
    // Stripes at both ends, the words in the middle.
    for end in [rect.left(), rect.right() - 8.0 * BAND] {
        for stripe in 0..8_u8 {
            let x = end + f32::from(stripe) * BAND + 4.0;
            let painter = ui.painter().with_clip_rect(rect.intersect(screen));
            painter.line_segment([pos2(x, rect.bottom()), pos2(x + BAND / 2.0, rect.top())], stroke);
        }
    }
    let layout = Layout::centered_and_justified(egui::Direction::LeftToRight);
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect).layout(layout));
    let told = theme.coloured(Role::LabelStrong, texts.get(Msg::PromptDemo), theme.warn);
    child.add(egui::Label::new(told).extend());
}

/// Steps, card and checks, in as many columns as there is room for. Says whether every critical fact fits.
pub(super) fn content(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    (data, told): (&Prompt<'_>, &Told),
    attempt: &mut Attempt,
    rect: Rect,
) -> bool {
    let inner = rect.shrink2(vec2(space::L, space::S));
    let wide = rect.width() >= 1000.0;
    if !wide {
        let mut child = ui.new_child(UiBuilder::new().max_rect(inner).layout(Layout::top_down(Align::LEFT)));
        child.set_clip_rect(rect.intersect(ui.clip_rect()));
        let mut fits = true;
        ScrollArea::vertical().id_salt("prompt").auto_shrink(false).show(&mut child, |ui| {
            steps_line(ui, theme, texts, data);
            fits = card::ui(ui, theme, texts, (data, told), attempt);
            ui.add_space(space::M);
            card::checks(ui, theme, texts, told, attempt);
            if needs_pin(data, attempt.look) || to_retype(data, attempt.look).is_some() {
                let low = ui.ctx().content_rect().height() < size::LOW;
                if low || rect.width() < size::NARROW {
                    ui.add_space(space::M);
                    strip::ui(ui, theme, texts, data, attempt);
                }
            }
        });
        return fits;
    }
    let (left, right) = (220.0, 276.0);
    let middle = (inner.width() - left - right - 2.0 * space::L).min(680.0);
    let column = |x: f32, width: f32| Rect::from_min_size(pos2(x, inner.top()), vec2(width, inner.height()));
    let mut fits = true;
    let mut draw = |salt: &str, rect: Rect, add: &mut dyn FnMut(&mut Ui)| {
        let mut child = ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::top_down(Align::LEFT)));
        child.set_clip_rect(rect.expand(space::XS).intersect(ui.clip_rect()));
        ScrollArea::vertical().id_salt(salt).auto_shrink(false).show(&mut child, |ui| add(ui));
    };
    draw("steps", column(inner.left(), left), &mut |ui| steps_column(ui, theme, texts, data, told));
    let at = inner.left() + left + space::L;
    draw("card", column(at, middle), &mut |ui| fits = card::ui(ui, theme, texts, (data, told), attempt));
    let at = at + middle + space::L;
    draw("checks", column(at, right), &mut |ui| card::checks(ui, theme, texts, told, attempt));
    fits
}

fn steps_column(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Prompt<'_>, told: &Told) {
    if let Some((title, steps)) = data.deal {
        heading(ui, theme.text(Role::Section, title));
        ui.add_space(space::S);
        for (index, name) in steps.names.iter().enumerate() {
            let (icon, colour) = match index {
                done if done < steps.done => (icons::CHECK_CIRCLE, theme.ok),
                now if now == steps.done => (icons::CARET_RIGHT, theme.accent),
                _ => (icons::CLOCK, theme.text3),
            };
            ui.horizontal(|ui| {
                decoration(ui, theme.icon(icon, 18.0, colour));
                let role = if index == steps.done { Role::Value } else { Role::Body };
                label(
                    ui,
                    theme.coloured(role, name, if index > steps.done { theme.text3 } else { theme.text1 }),
                );
            });
        }
        ui.add_space(space::L);
    }
    ui.horizontal(|ui| {
        decoration(ui, theme.icon(icons::CLOCK, 18.0, theme.text2));
        label(ui, theme.text(Role::Value, left_text(texts, data)));
    });
    label(ui, theme.coloured(Role::Label, &told.otherwise, theme.text2));
}

fn steps_line(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Prompt<'_>) {
    let step = data.deal.map(|(title, steps)| format!("{title} · {}", steps.present()));
    let line = [step, Some(left_text(texts, data))];
    let line = line.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    label(ui, theme.coloured(Role::Label, line, theme.text2));
}

fn left_text(texts: &Texts, data: &Prompt<'_>) -> String {
    let left = data.sealed.expires().since(data.now).as_millis() / 1000;
    texts.get(Msg::PromptLeft { time: &format::countdown(left) })
}
