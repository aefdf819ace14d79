//! The states a view can be in, drawn alike everywhere.
//!
//! Nothing at all for 150 ms, then grey lines where text will be, after a second the step by its name
//! and count, after ten seconds the time so far and a way out. There is no spinner without a name.

use egui::accesskit::Role as A11yRole;
use egui::{CornerRadius, Sense, Ui, WidgetInfo, vec2};

use super::button::Button;
use super::{decoration, heading, label};
use crate::icons;
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, size, space};

/// What a view has to show.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ViewState {
    /// There is nothing yet; the text says how something gets there.
    Empty(String),
    /// Something went wrong.
    Error {
        /// What happened.
        what: String,
        /// Why.
        why: String,
        /// What the user can do now.
        now: String,
    },
    /// Something is being done.
    Loading {
        /// The step by its name.
        step: String,
        /// Its number, from 1.
        number: u32,
        /// How many steps there are.
        of: u32,
        /// For how long already, in milliseconds.
        elapsed: u64,
    },
    /// The world cannot be reached; what is here is shown all the same.
    Offline {
        /// Since when, already formatted.
        since: String,
        /// What still works; where it is empty, the usual sentence is shown.
        still: String,
    },
    /// Everything is there.
    Ready,
}

/// What a state view came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StateAnswer {
    /// The user wants the loading to stop.
    Cancel,
    /// The state takes the place of the content.
    Instead,
    /// The content is to be drawn.
    Content,
}

/// Draws the state; tells whether the content is to be drawn below it.
pub fn state_view(ui: &mut Ui, theme: &Theme, texts: &Texts, state: &ViewState) -> StateAnswer {
    match state {
        ViewState::Ready => StateAnswer::Content,
        ViewState::Empty(text) => {
            empty(ui, theme, text);
            StateAnswer::Instead
        }
        ViewState::Offline { since, still } => {
            offline(ui, theme, texts, since, still);
            StateAnswer::Content
        }
        ViewState::Error { what, why, now } => {
            error(ui, theme, texts, [what, why, now]);
            StateAnswer::Instead
        }
        ViewState::Loading { step, number, of, elapsed } => {
            if loading(ui, theme, texts, (step, *number, *of), *elapsed) {
                StateAnswer::Cancel
            } else {
                StateAnswer::Instead
            }
        }
    }
}

fn empty(ui: &mut Ui, theme: &Theme, text: &str) {
    super::card(theme).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.vertical_centered(|ui| {
            ui.add_space(space::L);
            decoration(ui, theme.icon(icons::INFO, 28.0, theme.text3));
            label(ui, theme.coloured(Role::Body, text, theme.text2));
            ui.add_space(space::L);
        });
    });
}

fn offline(ui: &mut Ui, theme: &Theme, texts: &Texts, since: &str, still: &str) {
    super::card(theme).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_top(|ui| {
            decoration(ui, theme.icon(icons::OFFLINE, 22.0, theme.warn));
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                label(ui, theme.text(Role::Value, texts.get(Msg::StateOfflineSince { time: since })));
                let usual = texts.get(Msg::StateOffline);
                let text = if still.is_empty() { &usual } else { still };
                label(ui, theme.coloured(Role::Body, text, theme.text2));
            });
        });
    });
}

fn error(ui: &mut Ui, theme: &Theme, texts: &Texts, [what, why, now]: [&String; 3]) {
    super::card(theme).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            decoration(ui, theme.icon(icons::REFUSED, 22.0, theme.danger));
            heading(ui, theme.text(Role::Section, what));
        });
        for (head, text) in [(Msg::StateErrorWhy, why), (Msg::StateErrorNow, now)] {
            ui.add_space(space::XS);
            label(ui, theme.coloured(Role::LabelStrong, texts.get(head), theme.text3));
            label(ui, theme.text(Role::Body, text));
        }
    });
}

/// Tells whether the user cancelled.
fn loading(ui: &mut Ui, theme: &Theme, texts: &Texts, step: (&str, u32, u32), elapsed: u64) -> bool {
    if elapsed < 150 {
        return false;
    }
    let (step, number, of) = step;
    if elapsed < 1000 {
        skeleton(ui, theme, &texts.get(Msg::StateSkeleton));
        return false;
    }
    let mut cancelled = false;
    super::card(theme).show(ui, |ui| {
        ui.set_width(ui.available_width());
        if of > 1 {
            label(ui, theme.text(Role::Value, texts.get(Msg::StateLoading { step, i: number, n: of })));
            progress(ui, theme, number, of);
        } else {
            label(ui, theme.text(Role::Value, step));
        }
        if elapsed >= 10_000 {
            let seconds = u32::try_from(elapsed / 1000).unwrap_or(u32::MAX);
            label(ui, theme.coloured(Role::Body, texts.get(Msg::StateSlow { seconds }), theme.text2));
            cancelled = Button::secondary(&texts.get(Msg::StateCancel)).show(ui, theme);
        }
    });
    cancelled
}

fn progress(ui: &mut Ui, theme: &Theme, number: u32, of: u32) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), space::XS), Sense::hover());
    let done = number.saturating_sub(1).min(of) as f32 / of.max(1) as f32;
    let mut filled = rect;
    filled.set_width(rect.width() * done);
    let radius = CornerRadius::same(2);
    ui.painter().rect_filled(rect, radius, theme.bg3);
    ui.painter().rect_filled(filled, radius, theme.accent);
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_hidden());
}

/// Grey lines where text will be.
fn skeleton(ui: &mut Ui, theme: &Theme, name: &str) {
    let room = vec2(ui.available_width(), 3.0 * size::CONTROL_CRITICAL);
    let (rect, response) = ui.allocate_exact_size(room, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(A11yRole::Status, true, name));
    for (index, share) in [0.62_f32, 0.9, 0.44].into_iter().enumerate() {
        let mut bar = rect;
        bar.set_height(space::L);
        let bar = bar.translate(vec2(0.0, index as f32 * size::CONTROL_CRITICAL + space::M));
        let bar = bar.with_max_x(bar.left() + rect.width() * share);
        ui.painter().rect_filled(bar, CornerRadius::same(4), theme.bg3);
    }
}
