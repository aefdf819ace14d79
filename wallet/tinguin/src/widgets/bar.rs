//! The attestation bar: a strip at the top of every screen, with the seal at its fixed place, one
//! sentence and the chips. It takes no text from peers but names that were checked.

use egui::{Align, Frame, Layout, Margin, Panel, Stroke, Ui};

use super::chip::{Anonymity, chip, chip_button};
use super::seal::{self, Seal, Words};
use super::{decoration, fixed, line};
use crate::icons;
use crate::texts::{Msg, Texts};
use crate::theme::{FrameHue, Role, Theme, size, space};

/// What stands in the place of the seal.
#[derive(Clone, Debug)]
pub enum Slot {
    /// Before unlocking: the words only, since the picture is inside the archive.
    Door {
        /// The two words.
        words: Words,
        /// The colour of the frame.
        hue: FrameHue,
    },
    /// After unlocking: picture and words.
    Open(Seal),
}

/// Whether the world can be reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Line {
    /// Not since the time given, already formatted.
    Offline {
        /// Since when.
        since: String,
    },
    /// It can.
    Online,
}

/// What the bar shows.
#[derive(Clone, Debug)]
pub struct Bar {
    /// The seal.
    pub slot: Slot,
    /// How well the other party of the open deal knows the user, if a deal is open.
    pub anonymity: Option<Anonymity>,
    /// Money that is worth nothing.
    pub play_money: bool,
    /// Whether the world can be reached; nothing while nobody has tried.
    pub line: Option<Line>,
}

/// What the user asked of the bar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BarCommand {
    /// Lock now.
    Lock,
}

/// Tells how high the bar is in a window of the given height.
#[must_use]
pub fn height(window: f32) -> f32 {
    if window < size::LOW { size::BAR_LOW } else { size::BAR }
}

/// Draws the bar at the top of what is left of the window.
pub fn show(ui: &mut Ui, theme: &Theme, texts: &Texts, bar: &Bar) -> Option<BarCommand> {
    let window = ui.ctx().content_rect();
    let height = height(window.height());
    let hue = match &bar.slot {
        Slot::Door { hue, .. } => *hue,
        Slot::Open(seal) => seal.hue,
    };
    let margin = Margin::symmetric(space::L as i8, 0);
    let panel = Panel::top("attestation")
        .exact_size(height)
        .resizable(false)
        .show_separator_line(false)
        .frame(Frame::new().fill(theme.bg1).inner_margin(margin));
    panel
        .show(ui, |ui| {
            let strip = ui.max_rect().expand2(egui::vec2(space::L, 0.0));
            ui.painter().hline(strip.x_range(), strip.bottom() - 0.5, Stroke::new(1.0, theme.line));
            ui.painter().hline(strip.x_range(), strip.top() + 1.0, Stroke::new(2.0, hue.colour()));
            contents(ui, theme, texts, bar, window.width() < size::NARROW)
        })
        .inner
}

fn contents(ui: &mut Ui, theme: &Theme, texts: &Texts, bar: &Bar, compact: bool) -> Option<BarCommand> {
    let side = ui.available_height() - space::XL;
    ui.horizontal_centered(|ui| {
        match &bar.slot {
            Slot::Door { .. } => decoration(ui, theme.icon(icons::LOCK, 28.0, theme.text3)),
            Slot::Open(seal) => seal::show(ui, theme, texts, seal, side),
        }
        ui.add_space(space::XS);
        // The words keep their room; the chips take what is left, from the right.
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            words(ui, theme, texts, &bar.slot, compact)
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| chips(ui, theme, texts, bar, compact)).inner
    })
    .inner
}

fn words(ui: &mut Ui, theme: &Theme, texts: &Texts, slot: &Slot, compact: bool) {
    let (words, sentence) = match slot {
        Slot::Door { words, .. } => (words, texts.get(Msg::BarDoor)),
        Slot::Open(seal) => (&seal.words, texts.get(Msg::BarLine)),
    };
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let lines = if compact { Role::Value.line() } else { Role::Value.line() + Role::Label.line() };
        ui.add_space(((ui.available_height() - lines) / 2.0).max(0.0));
        let shown = fixed(ui, theme.text(Role::Value, words.text(texts)));
        let (first, second) = (&words.first, &words.second);
        let name = texts.get(Msg::BarWords { first, second });
        ui.ctx().accesskit_node_builder(shown.id, |node| node.set_value(name));
        if !compact {
            fixed(ui, theme.coloured(Role::Label, sentence, theme.text2));
        }
    });
}

fn chips(ui: &mut Ui, theme: &Theme, texts: &Texts, bar: &Bar, compact: bool) -> Option<BarCommand> {
    let mut command = None;
    if matches!(bar.slot, Slot::Open(_)) {
        let (text, name) = (texts.get(Msg::ChipLock), texts.get(Msg::ChipLockName));
        if chip_button(ui, theme, icons::LOCK, if compact { "" } else { &text }, &name) {
            command = Some(BarCommand::Lock);
        }
    }
    match &bar.line {
        None => {}
        Some(Line::Online) => chip(ui, theme, icons::ONLINE, theme.ok, &texts.get(Msg::ChipOnline), compact),
        Some(Line::Offline { since }) => {
            let text = texts.get(Msg::ChipOffline { time: since });
            chip(ui, theme, icons::OFFLINE, theme.warn, &text, compact);
        }
    }
    if bar.play_money {
        chip(ui, theme, icons::COINS, theme.warn, &texts.get(Msg::ChipDemo), compact);
    }
    if let Some(anonymity) = &bar.anonymity {
        let (icon, colour) = anonymity.sign(theme);
        let narrow = ui.available_width() < 260.0;
        chip(ui, theme, icon, colour, &anonymity.text(texts), compact || narrow);
    }
    command
}

/// Draws a banner below the bar: something that holds for every screen.
pub fn banner(ui: &mut Ui, theme: &Theme, text: &str) {
    let frame = Frame::new().fill(theme.bg3).inner_margin(Margin::symmetric(space::L as i8, space::S as i8));
    frame.show(ui, |ui| {
        ui.horizontal(|ui| {
            decoration(ui, theme.icon(icons::WARNING, 18.0, theme.warn));
            line(ui, theme.text(Role::Label, text));
        });
    });
}
