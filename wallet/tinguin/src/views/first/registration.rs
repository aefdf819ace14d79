//! S05, registration with a certification authority: what is asked of whom, and how far it is.

use egui::Ui;

use super::hold::{Face, Hold, hold};
use super::{Step, field, note, step, wrong};
use crate::icons;
use crate::texts::{Msg, Texts};
use crate::theme::{FrameHue, Role, Theme, space};
use crate::widgets::button::Button;
use crate::widgets::{card, decoration, heading, label};

/// What the registration shows.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The colour of the frame.
    pub hue: FrameHue,
    /// The picture, for the question.
    pub picture: Face,
    /// The authorities whose root certificates are on this computer.
    pub authorities: Vec<Authority>,
    /// What is known of the registration key as it stands there.
    pub key: KeyForm,
    /// What the last file came to.
    pub file: FileRead,
    /// Where it stands.
    pub state: RegistrationState,
}

/// A certification authority by its root certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authority {
    /// Its name.
    pub name: String,
    /// Until when the root certificate is valid, already formatted.
    pub until: String,
    /// The eight words of the root certificate.
    pub words: String,
    /// Whether they were found in the letter.
    pub is_matched: bool,
}

/// What is known of a registration key before anybody is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyForm {
    /// Nothing was typed yet.
    Empty,
    /// All characters fit.
    Good,
    /// One character of a group is wrong.
    Group(u32),
    /// There are not 16 characters yet.
    Short,
    /// The groups do not fit each other.
    Unclear,
}

/// What became of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileRead {
    /// It is neither letter nor root certificate.
    Bad {
        /// Its path.
        path: String,
    },
    /// A letter was read.
    Letter,
    /// A letter was read whose root certificate is not known here.
    NoRoot,
    /// None was read.
    None,
}

/// Where a registration stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RegistrationState {
    /// It was begun and interrupted; why the last try failed.
    Begun(Option<Problem>),
    /// The authority checks by hand.
    ByHand,
    /// The user is asked whether the request is to leave.
    Confirm(Question),
    /// The certificate is here.
    Done,
    /// The user fills in the form; why the last try failed.
    Typing(Option<Problem>),
    /// There is a certificate already.
    Twice {
        /// Until when it is valid.
        until: String,
    },
    /// It is under way: how many of the four steps are done.
    Working {
        /// How many.
        done: u8,
    },
}

/// The question before anything leaves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question {
    /// What will be signed, fact by fact.
    pub facts: Vec<String>,
    /// Whether it was in view long enough.
    pub is_armed: bool,
    /// For how long the picture is held, in milliseconds.
    pub hold: u64,
}

/// Why there is no certificate yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Problem {
    /// The one set of this letter was issued, to other keys.
    Issued {
        /// When.
        date: String,
    },
    /// The authority cannot be reached.
    Offline,
    /// Anything else, in the words of the catalogue.
    Other(String),
    /// It does not know the key, or not for this name: which, it does not say.
    Unknown,
}

/// What the user types.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RegistrationForm {
    /// The path of a file to read.
    pub file: String,
    /// Which authority.
    pub authority: usize,
    /// Whether the user says that the eight words are those of the letter.
    pub is_compared: bool,
    /// Host and port of the authority.
    pub address: String,
    /// The name.
    pub name: String,
    /// The organisation.
    pub organisation: String,
    /// The city.
    pub city: String,
    /// The country.
    pub country: String,
    /// The registration key.
    pub key: String,
}

/// What the user asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RegistrationCommand {
    /// Ask for the certificate.
    Ask,
    /// The picture was held for so many milliseconds.
    Confirm(u64),
    /// The request is not to leave.
    Decline,
    /// It is over; open the wallet.
    End,
    /// Go on with what was begun.
    GoOn,
    /// Do it another time.
    Later,
    /// Enter other data than what was begun with.
    Other,
    /// Read the file.
    Read,
}

/// Draws the registration.
pub fn ui(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &Registration,
    form: &mut RegistrationForm,
) -> Option<RegistrationCommand> {
    let title = texts.get(Msg::S05Title);
    let shown = Step { title: &title, number: 5, hue: Some(data.hue) };
    let name = form.name.clone();
    let ca =
        data.authorities.get(form.authority).map_or_else(String::new, |authority| authority.name.clone());
    let refused = refusal(texts, data, form);
    let content = |ui: &mut Ui| match &data.state {
        RegistrationState::Typing(problem) => {
            if let Some(problem) = problem {
                wrong(ui, theme, &told(texts, problem, &ca));
                ui.add_space(space::S);
            }
            typing(ui, theme, texts, data, form)
        }
        RegistrationState::Begun(problem) => {
            if let Some(problem) = problem {
                wrong(ui, theme, &told(texts, problem, &ca));
            }
            note(ui, theme, icons::INFO, theme.info, &texts.get(Msg::S05Begun { ca: &ca }));
            None
        }
        RegistrationState::Confirm(question) => confirm(ui, theme, texts, data, question, &ca),
        RegistrationState::Working { done } => {
            steps(ui, theme, texts, *done);
            None
        }
        RegistrationState::Done => {
            steps(ui, theme, texts, 4);
            note(ui, theme, icons::CHECK_CIRCLE, theme.ok, &texts.get(Msg::S05Done { name: &name }));
            None
        }
        RegistrationState::Twice { until } => {
            note(ui, theme, icons::INFO, theme.info, &texts.get(Msg::S05Twice { ca: &ca, date: until }));
            None
        }
        RegistrationState::ByHand => {
            note(ui, theme, icons::CLOCK, theme.info, &texts.get(Msg::S05Wait { ca: &ca }));
            None
        }
    };
    let ways = |ui: &mut Ui| {
        let way = |ui: &mut Ui, text, does| {
            Button::secondary(&texts.get(text)).tall().show(ui, theme).then_some(does)
        };
        let main = |ui: &mut Ui, text, refused, does| {
            Button::primary(&texts.get(text)).tall().refused(refused).show(ui, theme).then_some(does)
        };
        match &data.state {
            RegistrationState::Typing(_) => {
                let later = way(ui, Msg::S05Later, RegistrationCommand::Later);
                main(ui, Msg::S05Ask, refused.as_deref(), RegistrationCommand::Ask).or(later)
            }
            RegistrationState::Begun(_) => {
                let later = way(ui, Msg::S05Later, RegistrationCommand::Later);
                let other = way(ui, Msg::S05BegunOther, RegistrationCommand::Other).or(later);
                main(ui, Msg::S05GoOn, None, RegistrationCommand::GoOn).or(other)
            }
            RegistrationState::Confirm(_) => way(ui, Msg::S05Decline, RegistrationCommand::Decline),
            RegistrationState::Working { .. } => None,
            RegistrationState::Done | RegistrationState::Twice { .. } => {
                main(ui, Msg::S05End, None, RegistrationCommand::End)
            }
            RegistrationState::ByHand => way(ui, Msg::S05Later, RegistrationCommand::Later),
        }
    };
    step(ui, theme, texts, shown, content, ways)
}

/// Why the request cannot be made yet.
fn refusal(texts: &Texts, data: &Registration, form: &RegistrationForm) -> Option<String> {
    let Some(authority) = data.authorities.get(form.authority) else { return Some(texts.get(Msg::S05None)) };
    if form.name.trim().is_empty() || form.address.trim().is_empty() || data.key == KeyForm::Empty {
        return Some(texts.get(Msg::S05Need));
    }
    key_wrong(texts, data.key)
        .or_else(|| (!authority.is_matched && !form.is_compared).then(|| texts.get(Msg::S05Compare)))
}

fn key_wrong(texts: &Texts, key: KeyForm) -> Option<String> {
    match key {
        KeyForm::Empty | KeyForm::Good => None,
        KeyForm::Group(group) => Some(texts.get(Msg::S05KeyGroup { group })),
        KeyForm::Short => Some(texts.get(Msg::S05KeyShort)),
        KeyForm::Unclear => Some(texts.get(Msg::S05KeyTypo)),
    }
}

fn told(texts: &Texts, problem: &Problem, ca: &str) -> String {
    match problem {
        Problem::Unknown => texts.get(Msg::S05ErrKey { ca }),
        Problem::Issued { date } => texts.get(Msg::S05Issued { ca, date }),
        Problem::Offline => texts.get(Msg::S05Offline { ca }),
        Problem::Other(said) => said.clone(),
    }
}

fn typing(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &Registration,
    form: &mut RegistrationForm,
) -> Option<RegistrationCommand> {
    let mut command = None;
    field(ui, theme, &texts.get(Msg::S05File), &mut form.file, 480.0);
    if Button::secondary(&texts.get(Msg::S05Read)).show(ui, theme) && !form.file.trim().is_empty() {
        command = Some(RegistrationCommand::Read);
    }
    match &data.file {
        FileRead::None => {}
        FileRead::Letter => note(ui, theme, icons::CHECK_CIRCLE, theme.ok, &texts.get(Msg::S05FileRead)),
        FileRead::NoRoot => wrong(ui, theme, &texts.get(Msg::S05Root)),
        FileRead::Bad { path } => wrong(ui, theme, &texts.get(Msg::S05FileBad { file: path })),
    }
    ui.add_space(space::S);
    authorities(ui, theme, texts, data, form);
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        field(ui, theme, &texts.get(Msg::S05Name), &mut form.name, 300.0);
        field(ui, theme, &texts.get(Msg::S05Address), &mut form.address, 300.0);
    });
    ui.horizontal_wrapped(|ui| {
        field(ui, theme, &texts.get(Msg::S05Organisation), &mut form.organisation, 230.0);
        field(ui, theme, &texts.get(Msg::S05City), &mut form.city, 230.0);
        field(ui, theme, &texts.get(Msg::S05Country), &mut form.country, 120.0);
    });
    field(ui, theme, &texts.get(Msg::S05Key), &mut form.key, 300.0);
    if let Some(why) = key_wrong(texts, data.key) {
        wrong(ui, theme, &why);
    }
    if let Some(authority) = data.authorities.get(form.authority) {
        let sees = texts.get(Msg::S05Sees { ca: &authority.name });
        label(ui, theme.coloured(Role::Body, sees, theme.text2));
    }
    command
}

fn authorities(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Registration, form: &mut RegistrationForm) {
    label(ui, theme.coloured(Role::LabelStrong, texts.get(Msg::S05Authority), theme.text3));
    if data.authorities.is_empty() {
        label(ui, theme.text(Role::Body, texts.get(Msg::S05None)));
    }
    for (number, authority) in data.authorities.iter().enumerate() {
        let chosen = number == form.authority;
        if ui.radio(chosen, &authority.name).clicked() && !chosen {
            (form.authority, form.is_compared) = (number, false);
        }
    }
    let Some(authority) = data.authorities.get(form.authority) else { return };
    let until = texts.get(Msg::S05Until { date: &authority.until });
    label(ui, theme.coloured(Role::Label, until, theme.text2));
    label(ui, theme.text(Role::Body, texts.get(Msg::S05Words { words: &authority.words })));
    if authority.is_matched {
        note(ui, theme, icons::CHECK_CIRCLE, theme.ok, &texts.get(Msg::S05Matched));
    } else {
        ui.checkbox(&mut form.is_compared, texts.get(Msg::S05Same));
    }
}

/// The question itself: what will be signed, and the picture.
fn confirm(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &Registration,
    question: &Question,
    ca: &str,
) -> Option<RegistrationCommand> {
    heading(ui, theme.text(Role::Section, texts.get(Msg::S05Confirm { ca })));
    ui.add_space(space::S);
    card(theme).show(ui, |ui| {
        ui.set_width(ui.available_width());
        for fact in &question.facts {
            label(ui, theme.text(Role::Body, fact));
        }
    });
    ui.add_space(space::L);
    let (text, first) = (texts.get(Msg::S05Hold), texts.get(Msg::S05ReadFirst));
    let refused = (!question.is_armed).then_some(first.as_str());
    let held = hold(ui, theme, Hold { picture: &data.picture, text: &text, needed: question.hold, refused });
    held.map(RegistrationCommand::Confirm)
}

/// The four steps, of which some are done.
fn steps(ui: &mut Ui, theme: &Theme, texts: &Texts, done: u8) {
    heading(ui, theme.text(Role::Section, texts.get(Msg::S05Progress)));
    ui.add_space(space::S);
    let names = [Msg::S05StepConnect, Msg::S05StepCheck, Msg::S05StepProve, Msg::S05StepReceive];
    for (number, name) in (0_u8..).zip(names) {
        let (icon, colour, state) = match number.cmp(&done) {
            std::cmp::Ordering::Less => (icons::CHECK_CIRCLE, theme.ok, Msg::S05StateDone),
            std::cmp::Ordering::Equal => (icons::CLOCK, theme.accent, Msg::S05StateNow),
            std::cmp::Ordering::Greater => (icons::CARET_RIGHT, theme.text3, Msg::S05StateOpen),
        };
        ui.horizontal(|ui| {
            decoration(ui, theme.icon(icon, 20.0, colour));
            label(ui, theme.text(Role::Value, texts.get(name)));
            label(ui, theme.coloured(Role::Label, texts.get(state), theme.text2));
        });
    }
    ui.add_space(space::M);
}
