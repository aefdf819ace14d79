//! S02, the seal: picture, two words and colour of the frame, and how the picture is held.

use egui::accesskit::Role as A11yRole;
use egui::{Sense, Stroke, Ui, WidgetInfo, vec2};

use super::hold::{Face, Hold, hold};
use super::{Step, back_and_on, field, note, step, wrong};
use crate::icons;
use crate::texts::{Msg, Texts};
use crate::theme::{FrameHue, Role, Theme, size, space};
use crate::widgets::button::Button;
use crate::widgets::{activated, focus_ring, label, seal};

/// How long the picture is held in practice, in milliseconds: as long as for the smallest sum.
const PRACTICE: u64 = 600;
/// The side of the picture.
const SIDE: f32 = 128.0;

/// What the seal shows.
#[derive(Clone, Debug)]
pub struct SealChoice {
    /// The picture.
    pub picture: Face,
    /// Whether the two words are two different words of 2 to 24 letters.
    pub words_fit: bool,
    /// Whether the picture was held once, or confirmed by typing.
    pub tried: bool,
}

/// What the user has chosen so far.
#[derive(Clone, Default)]
pub struct SealForm {
    /// The first word.
    pub first: String,
    /// The second word.
    pub second: String,
    /// The number of the colour of the frame.
    pub hue: u8,
    /// Whether typing takes the place of holding.
    pub typing: bool,
    /// What was typed in place of holding.
    pub typed: String,
}

/// What the user asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SealCommand {
    /// To the step before.
    Back,
    /// To the next step.
    Continue,
    /// Other words.
    OtherWords,
    /// Another picture.
    Redraw,
    /// The picture was held, or confirmed by typing.
    Tried,
}

impl std::fmt::Debug for SealForm {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SealForm(…)")
    }
}

/// Draws the choice of the seal.
pub fn ui(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &SealChoice,
    form: &mut SealForm,
) -> Option<SealCommand> {
    let title = texts.get(Msg::S02Title);
    let shown = Step { title: &title, number: 2, hue: Some(FrameHue::new(form.hue)) };
    let (unfit, untried) = (texts.get(Msg::S02ErrWords), texts.get(Msg::S02Untried));
    let refused = match (data.words_fit, data.tried) {
        (false, _) => Some(unfit.as_str()),
        (true, false) => Some(untried.as_str()),
        (true, true) => None,
    };
    let content = |ui: &mut Ui| {
        let mut command = None;
        ui.horizontal_wrapped(|ui| {
            picture(ui, theme, texts, data);
            ui.vertical(|ui| command = choices(ui, theme, texts, data, form));
        });
        ui.add_space(space::M);
        colours(ui, theme, texts, form);
        ui.add_space(space::M);
        label(ui, theme.text(Role::Body, texts.get(Msg::S02Use)));
        practice(ui, theme, texts, data, form).or(command)
    };
    let ways = |ui: &mut Ui| match back_and_on(ui, theme, texts, refused) {
        (true, _) => Some(SealCommand::Back),
        (false, true) => Some(SealCommand::Continue),
        (false, false) => None,
    };
    step(ui, theme, texts, shown, content, ways)
}

fn picture(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &SealChoice) {
    let (rect, response) = ui.allocate_exact_size(vec2(SIDE, SIDE), Sense::hover());
    seal::paint(ui, theme, &data.picture.0, rect);
    response.widget_info(|| WidgetInfo::labeled(A11yRole::Image, true, texts.get(Msg::S02Picture)));
}

fn choices(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &SealChoice,
    form: &mut SealForm,
) -> Option<SealCommand> {
    let mut command = None;
    label(ui, theme.coloured(Role::LabelStrong, texts.get(Msg::S02Draw), theme.text3));
    if Button::secondary(&texts.get(Msg::S02Again)).show(ui, theme) {
        command = Some(SealCommand::Redraw);
    }
    label(ui, theme.coloured(Role::LabelStrong, texts.get(Msg::S02Words), theme.text3));
    ui.horizontal_wrapped(|ui| {
        field(ui, theme, &texts.get(Msg::S02First), &mut form.first, 168.0);
        field(ui, theme, &texts.get(Msg::S02Second), &mut form.second, 168.0);
    });
    if Button::secondary(&texts.get(Msg::S02Other)).show(ui, theme) {
        command = Some(SealCommand::OtherWords);
    }
    if !data.words_fit {
        wrong(ui, theme, &texts.get(Msg::S02ErrWords));
    }
    command
}

/// The twelve colours, by name.
fn colours(ui: &mut Ui, theme: &Theme, texts: &Texts, form: &mut SealForm) {
    label(ui, theme.coloured(Role::LabelStrong, texts.get(Msg::S02Colour), theme.text3));
    ui.horizontal_wrapped(|ui| {
        for (number, name) in (0..FrameHue::COUNT).zip(HUES) {
            let (chosen, name) = (number == form.hue, texts.get(name));
            let (rect, response) = ui.allocate_exact_size(vec2(size::CONTROL, size::CONTROL), Sense::click());
            response.widget_info(|| WidgetInfo::selected(A11yRole::RadioButton, true, chosen, &name));
            ui.painter().circle_filled(rect.center(), 11.0, FrameHue::new(number).colour());
            if chosen {
                ui.painter().circle_stroke(rect.center(), 15.0, Stroke::new(2.0, theme.text1));
            }
            focus_ring(ui, theme, rect, &response);
            if activated(&response) {
                form.hue = number;
            }
            response.on_hover_text(name);
        }
        label(
            ui,
            theme.text(
                Role::Body,
                HUES.get(usize::from(form.hue)).map_or_else(String::new, |name| texts.get(*name)),
            ),
        );
    });
}

const HUES: [Msg<'static>; 12] = [
    Msg::HueRed,
    Msg::HueOrange,
    Msg::HueGold,
    Msg::HueOlive,
    Msg::HueGreen,
    Msg::HuePine,
    Msg::HueTeal,
    Msg::HueSky,
    Msg::HueBlue,
    Msg::HueViolet,
    Msg::HuePurple,
    Msg::HuePink,
];

fn practice(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &SealChoice,
    form: &mut SealForm,
) -> Option<SealCommand> {
    label(ui, theme.coloured(Role::LabelStrong, texts.get(Msg::S02Try), theme.text3));
    let text = texts.get(Msg::S02Hold);
    let hold = hold(ui, theme, Hold { picture: &data.picture, text: &text, needed: PRACTICE, refused: None });
    if data.tried {
        note(ui, theme, icons::CHECK_CIRCLE, theme.ok, &texts.get(Msg::S02Tried));
        return None;
    }
    if Button::link(&texts.get(Msg::S02Cannot)).show(ui, theme) {
        form.typing = !form.typing;
    }
    let mut tried = hold.is_some();
    if form.typing {
        field(ui, theme, &texts.get(Msg::S02Typed), &mut form.typed, 240.0);
        tried |= data.words_fit && form.typed.trim().eq_ignore_ascii_case(form.first.trim());
    }
    tried.then_some(SealCommand::Tried)
}
