//! S15: a prompt that was stopped, and why. No way leads from here straight to a confirmation.

use egui::{Align, CentralPanel, Frame, Layout, Margin, ScrollArea, Ui};
use semper_supporting::tinguin::Fact;

use super::told::{Zone, row};
use crate::icons;
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, space};
use crate::widgets::bar::{self, Bar, BarCommand};
use crate::widgets::button::Button;
use crate::widgets::{card, decoration, fixed, heading, label, rule};

/// Why a prompt was stopped while it was open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stopped {
    /// What was shown has changed: the facts that differ, as they were and as they are.
    Changed {
        /// As they were.
        before: Vec<Fact>,
        /// As they are, if that is known.
        after: Vec<Fact>,
        /// Whether there is a new question to look at.
        again: bool,
    },
    /// Time ran out.
    Expired {
        /// When, in the user's words.
        time: String,
    },
    /// It is no longer needed.
    Gone,
    /// The program was restarted, or the wallet locked.
    Restarted,
    /// The other party took it back.
    Withdrawn {
        /// Who.
        party: String,
    },
}

/// What the user asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StoppedCommand {
    /// Back to the deal.
    Back,
    /// Lock now.
    Lock,
    /// Look at the question in its place.
    Look,
}

/// Draws it over the whole window.
pub fn ui(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    bar: &Bar,
    data: &Stopped,
    zone: Zone,
) -> Option<StoppedCommand> {
    let mut command = bar::show(ui, theme, texts, bar).map(|BarCommand::Lock| StoppedCommand::Lock);
    let frame = Frame::new().fill(theme.bg0).inner_margin(Margin::same(space::XL as i8));
    CentralPanel::default().frame(frame).show(ui, |ui| {
        ScrollArea::vertical().id_salt("stopped").auto_shrink(false).show(ui, |ui| {
            card(theme).show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.horizontal_top(|ui| {
                    decoration(ui, theme.icon(icons::WARNING, 24.0, theme.warn));
                    heading(ui, theme.text(Role::Title, headline(texts, data)));
                });
                if let Stopped::Changed { before, after, .. } = data {
                    ui.add_space(space::S);
                    rule(ui, theme);
                    differences(ui, theme, texts, zone, (before, after));
                    label(ui, theme.text(Role::Value, texts.get(Msg::S15Nothing)));
                }
                ui.add_space(space::L);
                ui.horizontal(|ui| {
                    if Button::secondary(&texts.get(Msg::S15Back)).tall().show(ui, theme) {
                        command = Some(StoppedCommand::Back);
                    }
                    if matches!(data, Stopped::Changed { again: true, .. }) {
                        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                            if Button::primary(&texts.get(Msg::S15New)).tall().show(ui, theme) {
                                command = Some(StoppedCommand::Look);
                            }
                        });
                    }
                });
            });
        });
    });
    let escaped = ui.input(|input| input.key_pressed(egui::Key::Escape));
    command.or(escaped.then_some(StoppedCommand::Back))
}

fn headline(texts: &Texts, data: &Stopped) -> String {
    texts.get(match data {
        Stopped::Changed { .. } => Msg::S15Changed,
        Stopped::Expired { time } => Msg::S15Expired { time },
        Stopped::Gone => Msg::S15Gone,
        Stopped::Restarted => Msg::S15Restart,
        Stopped::Withdrawn { party } => Msg::S15Withdrawn { party },
    })
}

/// Old and new of every fact that differs.
fn differences(ui: &mut Ui, theme: &Theme, texts: &Texts, zone: Zone, (before, after): (&[Fact], &[Fact])) {
    let side = |ui: &mut Ui, name: String, value: String, new: bool| {
        ui.horizontal(|ui| {
            decoration(
                ui,
                theme.icon(if new { icons::ARROW_RIGHT } else { icons::CLOCK }, 16.0, theme.text3),
            );
            fixed(ui, theme.coloured(Role::Label, name, theme.text3));
            let ink = if new { theme.text1 } else { theme.text2 };
            label(ui, theme.coloured(Role::Value, value, ink));
        });
    };
    for old in before {
        let old_row = row(old, texts, zone);
        side(ui, texts.get(Msg::S15Was { label: &old_row.label }), old_row.value, false);
        if let Some(new) = after.iter().find(|new| new.key == old.key) {
            let new = row(new, texts, zone);
            side(ui, texts.get(Msg::S15Is { label: &new.label }), new.value, true);
        }
        ui.add_space(space::S);
    }
    for new in after.iter().filter(|new| before.iter().all(|old| old.key != new.key)) {
        let new = row(new, texts, zone);
        side(ui, texts.get(Msg::S15Is { label: &new.label }), new.value, true);
    }
}
