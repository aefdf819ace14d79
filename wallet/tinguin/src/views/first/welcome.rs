//! S01, welcome and language.

use egui::Ui;

use super::{Step, note, step, wrong};
use crate::format::Locale;
use crate::icons;
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, space};
use crate::widgets::button::Button;
use crate::widgets::label;

/// What the welcome shows.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// The languages of this build.
    pub languages: Vec<Locale>,
    /// Whether a wallet can be restored from a recovery sheet; only then it is offered.
    pub can_restore: bool,
    /// The folder of the wallet, if nothing can be written there.
    pub unwritable: Option<String>,
    /// Whether the session is X11, where other programs can read the keyboard.
    pub is_x11: bool,
}

/// What the user asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WelcomeCommand {
    /// Another language.
    Language(Locale),
    /// A new wallet.
    New,
    /// A new wallet for trials on this computer.
    Demo,
    /// An old one, from its recovery sheet.
    Restore,
}

/// Draws the welcome.
pub fn ui(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Welcome) -> Option<WelcomeCommand> {
    let title = texts.get(Msg::S01Title);
    let content = |ui: &mut Ui| {
        label(ui, theme.text(Role::Section, texts.get(Msg::S01Lead)));
        ui.add_space(space::S);
        label(ui, theme.coloured(Role::Body, texts.get(Msg::S01Why), theme.text2));
        ui.add_space(space::XL);
        let command = languages(ui, theme, texts, data);
        ui.add_space(space::L);
        note(ui, theme, icons::COINS, theme.warn, &texts.get(Msg::S01DemoWhy));
        if data.is_x11 {
            note(ui, theme, icons::INFO, theme.info, &texts.get(Msg::S01X11));
        }
        if let Some(folder) = &data.unwritable {
            wrong(ui, theme, &texts.get(Msg::S01ErrFolder { folder }));
        }
        command
    };
    let refusal = data.unwritable.as_ref().map(|folder| texts.get(Msg::S01ErrFolder { folder }));
    let refusal = refusal.as_deref();
    let ways = |ui: &mut Ui| {
        let mut command = None;
        if Button::primary(&texts.get(Msg::S01New)).tall().refused(refusal).show(ui, theme) {
            command = Some(WelcomeCommand::New);
        }
        if data.can_restore
            && Button::secondary(&texts.get(Msg::S01Restore)).tall().refused(refusal).show(ui, theme)
        {
            command = Some(WelcomeCommand::Restore);
        }
        if Button::secondary(&texts.get(Msg::S01Demo)).tall().refused(refusal).show(ui, theme) {
            command = Some(WelcomeCommand::Demo);
        }
        command
    };
    step(ui, theme, texts, Step { title: &title, number: 1, hue: None }, content, ways)
}

fn languages(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Welcome) -> Option<WelcomeCommand> {
    let mut command = None;
    label(ui, theme.coloured(Role::LabelStrong, texts.get(Msg::S01Language), theme.text3));
    ui.horizontal_wrapped(|ui| {
        for language in &data.languages {
            let chosen = *language == texts.locale();
            if ui.radio(chosen, native(*language)).clicked() && !chosen {
                command = Some(WelcomeCommand::Language(*language));
            }
        }
    });
    command
}

/// The name of a language in itself.
const fn native(language: Locale) -> &'static str {
    match language {
        Locale::De => "Deutsch",
        Locale::El => "Ελληνικά",
        Locale::En => "English",
        Locale::Fr => "Français",
        Locale::Nl => "Nederlands",
    }
}
