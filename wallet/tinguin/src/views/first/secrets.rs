//! S03, password and PIN: each typed twice, never pasted, and refused where a stranger would guess it.

use egui::accesskit::Role as A11yRole;
use egui::{CornerRadius, Event, Sense, Ui, WidgetInfo, vec2};

use super::{Step, back_and_on, note, step, wrong};
use crate::icons;
use crate::texts::{Msg, Texts};
use crate::theme::{FrameHue, Role, Theme, space};
use crate::widgets::label;
use crate::widgets::secret::{SecretBuf, SecretField, hint};

/// How wide a field is.
const FIELD: f32 = 320.0;

/// What this step shows.
#[derive(Clone, Copy, Debug)]
pub struct Secrets {
    /// The colour of the frame.
    pub hue: FrameHue,
    /// How hard the password is to guess, once that is worked out.
    pub strength: Option<Strength>,
    /// Whether the PIN is one that is taken.
    pub pin: PinForm,
}

/// How hard a password is to guess.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Strength {
    /// Hard enough.
    Enough {
        /// Whether it is strong beyond that.
        strong: bool,
        /// For how many days a stranger with the stolen file would guess.
        days: u64,
    },
    /// Too easy.
    Weak(Weakness),
}

/// Why a password is too easy to guess.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weakness {
    /// Many use it.
    Common,
    /// A date or a year.
    Date,
    /// Nothing in particular; there is too little of it.
    Few,
    /// The words of the seal.
    Known,
    /// A row of keys, or repetitions.
    Row,
    /// Too short.
    Short,
    /// One word or name.
    Word,
}

/// Whether what was typed is a PIN.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PinForm {
    /// It is a date or a simple row.
    Easy,
    /// It is one.
    Good,
    /// It has not 6 to 12 digits.
    NotYet,
}

/// What was typed.
#[derive(Debug, Default)]
pub struct SecretsForm {
    /// The password.
    pub password: SecretBuf,
    /// The password again.
    pub again: SecretBuf,
    /// The PIN.
    pub pin: SecretBuf,
    /// The PIN again.
    pub pin_again: SecretBuf,
    /// Whether somebody tried to paste.
    pub pasted: bool,
}

/// What the user asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SecretsCommand {
    /// To the step before.
    Back,
    /// To the next step.
    Continue,
}

impl SecretsForm {
    /// Forgets everything, and zeroes it.
    pub fn clear(&mut self) {
        for secret in [&mut self.password, &mut self.again, &mut self.pin, &mut self.pin_again] {
            secret.clear();
        }
        self.pasted = false;
    }

    fn is_whole(&self) -> bool {
        ![&self.password, &self.again, &self.pin, &self.pin_again].iter().any(|secret| secret.is_empty())
    }
}

/// Draws the fields.
pub fn ui(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &Secrets,
    form: &mut SecretsForm,
) -> Option<SecretsCommand> {
    let pasted = |event: &Event| matches!(event, Event::Paste(_) | Event::MiddleClickPaste { .. });
    form.pasted |= ui.input(|input| input.events.iter().any(pasted));
    let title = texts.get(Msg::S03Title);
    let shown = Step { title: &title, number: 3, hue: Some(data.hue) };
    let refused = refusal(texts, data, form);
    let content = |ui: &mut Ui| {
        password(ui, theme, texts, data, form);
        ui.add_space(space::L);
        pin(ui, theme, texts, data, form);
        if form.pasted {
            wrong(ui, theme, &texts.get(Msg::S03Nopaste));
        }
        None
    };
    let ways = |ui: &mut Ui| match back_and_on(ui, theme, texts, refused.as_deref()) {
        (true, _) => Some(SecretsCommand::Back),
        (false, true) => Some(SecretsCommand::Continue),
        (false, false) => None,
    };
    let command = step(ui, theme, texts, shown, content, ways);
    if refusal(texts, data, form) != refused {
        // The way on was drawn for what stood there before this key.
        ui.ctx().request_repaint();
    }
    command
}

/// Why the step is not complete.
fn refusal(texts: &Texts, data: &Secrets, form: &SecretsForm) -> Option<String> {
    if !form.is_whole() {
        return Some(texts.get(Msg::S03Need));
    }
    match data.strength {
        None => return Some(texts.get(Msg::S03Weighing)),
        Some(Strength::Weak(why)) => return Some(weak(texts, why)),
        Some(Strength::Enough { .. }) => {}
    }
    if differ(&form.password, &form.again) || differ(&form.pin, &form.pin_again) {
        return Some(texts.get(Msg::S03Differs));
    }
    match data.pin {
        PinForm::Good => None,
        PinForm::Easy => Some(texts.get(Msg::S03PinBad)),
        PinForm::NotYet => Some(texts.get(Msg::S03PinForm)),
    }
}

fn differ(one: &SecretBuf, other: &SecretBuf) -> bool {
    one.expose() != other.expose()
}

fn weak(texts: &Texts, why: Weakness) -> String {
    let reason = texts.get(match why {
        Weakness::Common => Msg::S03WhyCommon,
        Weakness::Date => Msg::S03WhyDate,
        Weakness::Few => Msg::S03WhyFew,
        Weakness::Known => Msg::S03WhyKnown,
        Weakness::Row => Msg::S03WhyRow,
        Weakness::Short => Msg::S03WhyShort,
        Weakness::Word => Msg::S03WhyWord,
    });
    texts.get(Msg::S03Weak { reason: &reason })
}

fn password(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Secrets, form: &mut SecretsForm) {
    secret(ui, theme, texts, Msg::S03Password, &mut form.password);
    if !form.password.is_empty() {
        meter(ui, theme, texts, data.strength);
    }
    secret(ui, theme, texts, Msg::S03Again, &mut form.again);
    agreement(ui, theme, texts, &form.password, &form.again);
    label(ui, theme.coloured(Role::Body, texts.get(Msg::S03Advice), theme.text2));
}

fn pin(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Secrets, form: &mut SecretsForm) {
    secret(ui, theme, texts, Msg::S03Pin, &mut form.pin);
    if data.pin == PinForm::Easy {
        wrong(ui, theme, &texts.get(Msg::S03PinBad));
    }
    secret(ui, theme, texts, Msg::S03PinAgain, &mut form.pin_again);
    agreement(ui, theme, texts, &form.pin, &form.pin_again);
}

fn secret(ui: &mut Ui, theme: &Theme, texts: &Texts, name: Msg<'_>, buffer: &mut SecretBuf) {
    let name = texts.get(name);
    label(ui, theme.coloured(Role::LabelStrong, &name, theme.text3));
    let shown = SecretField::new(buffer, &name).width(FIELD).show(ui, theme, texts);
    if shown.response.has_focus()
        && let Some(hint) = hint(buffer, texts)
    {
        note(ui, theme, icons::WARNING, theme.warn, &hint);
    }
}

fn agreement(ui: &mut Ui, theme: &Theme, texts: &Texts, one: &SecretBuf, other: &SecretBuf) {
    if other.is_empty() {
        return;
    }
    if differ(one, other) {
        wrong(ui, theme, &texts.get(Msg::S03Differs));
    } else {
        note(ui, theme, icons::CHECK_CIRCLE, theme.ok, &texts.get(Msg::S03Same));
    }
}

/// A bar and a sentence. The bar has three lengths: too easy, good, strong.
fn meter(ui: &mut Ui, theme: &Theme, texts: &Texts, strength: Option<Strength>) {
    let (share, colour, text) = match strength {
        None => (0.0, theme.text3, texts.get(Msg::S03Weighing)),
        Some(Strength::Weak(why)) => (0.33, theme.danger, weak(texts, why)),
        Some(Strength::Enough { strong, days }) => {
            let level = texts.get(if strong { Msg::S03LevelStrong } else { Msg::S03LevelGood });
            let time = time(texts, days);
            let share = if strong { 1.0 } else { 0.67 };
            (share, theme.ok, texts.get(Msg::S03Strong { level: &level, time: &time }))
        }
    };
    let (rect, response) =
        ui.allocate_exact_size(vec2(FIELD.min(ui.available_width()), space::S), Sense::hover());
    let name = texts.get(Msg::S03Strength);
    response.widget_info(|| WidgetInfo::labeled(A11yRole::Meter, true, &name));
    let radius = CornerRadius::same(4);
    ui.painter().rect_filled(rect, radius, theme.bg3);
    let mut filled = rect;
    filled.set_width(rect.width() * share);
    ui.painter().rect_filled(filled, radius, colour);
    label(ui, theme.text(Role::Body, text));
}

fn time(texts: &Texts, days: u64) -> String {
    let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    match (days, days / 365) {
        (0, _) => texts.get(Msg::S03Hours),
        (_, 0) => texts.get(Msg::S03Days { n: count(days) }),
        (_, years) if years > 1_000_000 => texts.get(Msg::S03Ages),
        // Two figures say all that is known of it.
        (_, years) => texts.get(Msg::S03Years { n: count(rounded(years)) }),
    }
}

fn rounded(years: u64) -> u64 {
    let mut unit: u64 = 1;
    while years / unit >= 100 {
        unit = unit.saturating_mul(10);
    }
    years / unit * unit
}
