//! S14: the row with the PIN, and the amount to be typed again. Never a window of its own.

use egui::{Sense, Stroke, TextEdit, Ui, vec2};
use semper_supporting::time::Moment;

use super::{Attempt, PinState, Prompt, needs_pin, to_retype};
use crate::icons;
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, space};
use crate::widgets::button::Button;
use crate::widgets::secret::{SecretBuf, SecretField, hint};
use crate::widgets::{decoration, label};

/// The side of a digit of the keypad.
const DIGIT: f32 = 64.0;
/// The most digits of a PIN.
const LONGEST: usize = 12;

/// How high the row is.
pub(super) fn height(keypad: bool) -> f32 {
    let row = 88.0;
    if keypad { row + 2.0 * DIGIT + 2.0 * space::S } else { row }
}

/// Draws the row.
pub(super) fn ui(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Prompt<'_>, attempt: &mut Attempt) {
    let rect = ui.max_rect();
    ui.painter().hline(rect.x_range(), rect.top(), Stroke::new(1.0, theme.line));
    let margin = egui::Margin::symmetric(space::L as i8, space::S as i8);
    egui::Frame::new().inner_margin(margin).show(ui, |ui| {
        ui.horizontal_top(|ui| {
            if needs_pin(data, attempt.look) {
                ui.vertical(|ui| pin(ui, theme, texts, data, attempt));
                ui.add_space(space::XL);
            }
            if let Some((_, currency)) = to_retype(data, attempt.look) {
                ui.vertical(|ui| {
                    let name = texts.get(Msg::S14Retype { currency: &currency });
                    label(ui, theme.coloured(Role::LabelStrong, &name, theme.text3));
                    let field = TextEdit::singleline(&mut attempt.retyped)
                        .font(Role::Value.font())
                        .margin(vec2(space::M, 10.0))
                        .char_limit(LONGEST)
                        .desired_width(150.0);
                    ui.add_enabled(!data.sending, field).accessible_name(name);
                });
            }
        });
        if attempt.look.keypad && needs_pin(data, attempt.look) {
            keypad(ui, theme, texts, &mut attempt.pin);
        }
    });
}

fn pin(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Prompt<'_>, attempt: &mut Attempt) {
    let name = texts.get(Msg::S14Wallet);
    label(ui, theme.coloured(Role::LabelStrong, &name, theme.text3));
    let told = told(texts, data.pin, data.now);
    let open = !data.sending && !matches!(data.pin, PinState::Absent | PinState::Blocked { .. })
        || matches!(data.pin, PinState::Blocked { until } if until <= data.now && !data.sending);
    ui.horizontal(|ui| {
        SecretField::new(&mut attempt.pin, &name).enabled(open).width(200.0).show(ui, theme, texts);
        let msg = if attempt.look.keypad { Msg::S14KeypadHide } else { Msg::S14Keypad };
        if Button::secondary(&texts.get(msg)).tall().show(ui, theme) {
            attempt.look.keypad = !attempt.look.keypad;
        }
        let told = told.or_else(|| data.sending.then(|| texts.get(Msg::S14Checking)));
        if let Some(told) = told.or_else(|| hint(&attempt.pin, texts)) {
            decoration(ui, theme.icon(icons::WARNING, 18.0, theme.warn));
            label(ui, theme.coloured(Role::Value, told, theme.warn));
        }
    });
}

/// What is to be known of the PIN.
fn told(texts: &Texts, pin: PinState, now: Moment) -> Option<String> {
    match pin {
        PinState::Free => None,
        PinState::Absent => Some(texts.get(Msg::S14None)),
        PinState::Wrong { left } => Some(texts.get(Msg::S14Wrong { n: u32::from(left) })),
        PinState::Blocked { until } => {
            let minutes = until.since(now).as_millis().div_ceil(60_000);
            let minutes = u32::try_from(minutes).unwrap_or(u32::MAX);
            (until > now).then(|| texts.get(Msg::S14Blocked { minutes }))
        }
    }
}

/// The digits on the screen, always in the same places.
fn keypad(ui: &mut Ui, theme: &Theme, texts: &Texts, pin: &mut SecretBuf) {
    ui.spacing_mut().item_spacing = vec2(space::S, space::S);
    for row in [['1', '2', '3', '4', '5', '6'], ['7', '8', '9', '0', '<', ' ']] {
        ui.horizontal(|ui| {
            for digit in row {
                match digit {
                    ' ' => {
                        ui.allocate_exact_size(vec2(DIGIT, DIGIT), Sense::hover());
                    }
                    '<' => {
                        let name = texts.get(Msg::S14Back);
                        let button = Button::secondary("").icon(icons::ARROW_LEFT).name(&name);
                        if button.wide(DIGIT).high(DIGIT).show(ui, theme) {
                            pin.pop();
                        }
                    }
                    digit => {
                        let text = digit.to_string();
                        let name = texts.get(Msg::S14Digit { digit: &text });
                        let button = Button::secondary(&text).name(&name).wide(DIGIT).high(DIGIT);
                        if button.show(ui, theme) && pin.expose().len() < LONGEST {
                            pin.push(digit);
                        }
                    }
                }
            }
        });
    }
}
