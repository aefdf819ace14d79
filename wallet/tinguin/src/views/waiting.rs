//! S26, everything that waits for the user: the questions in the order of the tray. None opens by itself.

use egui::{Align, Layout, ScrollArea, Ui, vec2};
use semper_supporting::{
    time::Moment,
    tinguin::{PromptId, SealedPrompt},
};

use crate::format;
use crate::icons;
use crate::prompts::told;
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, size, space};
use crate::widgets::button::Button;
use crate::widgets::state::{ViewState, state_view};
use crate::widgets::{card, decoration, fixed, heading, line};

/// What the user asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WaitingCommand {
    /// Open this question.
    Open(PromptId),
}

/// Draws the questions; `now` is the time of day.
pub fn ui(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    prompts: &[SealedPrompt],
    now: Moment,
) -> Option<WaitingCommand> {
    heading(ui, theme.text(Role::Title, texts.get(Msg::S26Title)));
    ui.add_space(space::S);
    if prompts.is_empty() {
        state_view(ui, theme, texts, &ViewState::Empty(texts.get(Msg::S26Empty)));
        return None;
    }
    let mut command = None;
    ScrollArea::vertical().id_salt("waiting").auto_shrink(false).show(ui, |ui| {
        egui::Frame::new().inner_margin(space::XS).show(ui, |ui| {
            for prompt in prompts {
                ui.push_id(prompt.id(), |ui| {
                    card(theme).show(ui, |ui| command = row(ui, theme, texts, prompt, now).or(command));
                });
            }
        });
    });
    command
}

/// What a question is about.
#[must_use]
pub fn about(prompt: &SealedPrompt, texts: &Texts) -> String {
    let party = told::party(prompt.facts()).unwrap_or_else(|| texts.get(Msg::PromptSomebody));
    told::title(prompt, &party, texts)
}

fn row(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    prompt: &SealedPrompt,
    now: Moment,
) -> Option<WaitingCommand> {
    let mut command = None;
    let title = about(prompt, texts);
    ui.set_width(ui.available_width());
    ui.horizontal(|ui| {
        decoration(ui, theme.icon(icons::CLOCK, 18.0, theme.text2));
        let left = prompt.expires().since(now).as_millis() / 1000;
        fixed(ui, theme.coloured(Role::Mono, format::countdown(left), theme.text2));
        ui.add_space(space::S);
        let rest = (ui.available_width() - 280.0).max(80.0);
        ui.allocate_ui_with_layout(vec2(rest, size::CONTROL), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(rest);
            line(ui, theme.text(Role::Value, &title));
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let name = texts.get(Msg::S26OpenName { what: &title });
            if Button::primary(&texts.get(Msg::S26Open)).name(&name).show(ui, theme) {
                command = Some(WaitingCommand::Open(prompt.id()));
            }
            if let Some(money) = told::amount(prompt.facts()) {
                let figures = format::money(texts.locale(), &told::shown(money));
                fixed(ui, theme.text(Role::Value, figures));
            }
        });
    });
    command
}
