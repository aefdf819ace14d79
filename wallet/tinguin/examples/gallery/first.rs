//! The steps of the first start in all their states, for pictures and tests.

#![allow(dead_code, reason = "pictures and tests each use their part")]

use egui::Ui;
use semper_tinguin::format::Locale;
use semper_tinguin::texts::Texts;
use semper_tinguin::theme::{FrameHue, Theme};
use semper_tinguin::views::first::hold::Face;
use semper_tinguin::views::first::randomness::{self, Making, PadEvent, Randomness, RandomnessCommand};
use semper_tinguin::views::first::registration::{
    self, Authority, FileRead, KeyForm, Problem, Question, Registration, RegistrationCommand,
    RegistrationForm, RegistrationState,
};
use semper_tinguin::views::first::seal::{self, SealChoice, SealCommand, SealForm};
use semper_tinguin::views::first::secrets::{
    self, PinForm, Secrets, SecretsCommand, SecretsForm, Strength, Weakness,
};
use semper_tinguin::views::first::welcome::{self, Welcome, WelcomeCommand};
use semper_tinguin::widgets::emblem::Emblem;
use semper_tinguin::widgets::seal::Picture;

const HUE: FrameHue = FrameHue::new(6);

/// What the user asked for in a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Command {
    Randomness(RandomnessCommand),
    Registration(RegistrationCommand),
    Seal(SealCommand),
    Secrets(SecretsCommand),
    Welcome(WelcomeCommand),
}

/// A step with everything that it shows and takes.
pub(crate) enum First {
    Randomness(Randomness, Vec<PadEvent>),
    Registration {
        key: KeyForm,
        file: FileRead,
        state: RegistrationState,
        known: bool,
        form: RegistrationForm,
    },
    Seal {
        words_fit: bool,
        tried: bool,
        form: SealForm,
    },
    Secrets(Secrets, SecretsForm),
    Welcome(Welcome),
}

fn face(ui: &Ui) -> Face {
    let id = egui::Id::unique("sample-face");
    if let Some(face) = ui.data(|data| data.get_temp::<Face>(id)) {
        return face;
    }
    let face = Face(Picture::emblem(Emblem::of(0, 0, 1, 0)).load(ui.ctx()));
    ui.data_mut(|data| data.insert_temp(id, face.clone()));
    face
}

pub(crate) fn draw(ui: &mut Ui, theme: &Theme, texts: &Texts, first: &mut First) -> Option<Command> {
    match first {
        First::Welcome(data) => welcome::ui(ui, theme, texts, data).map(Command::Welcome),
        First::Seal { words_fit, tried, form } => {
            let data = SealChoice { picture: face(ui), words_fit: *words_fit, tried: *tried };
            seal::ui(ui, theme, texts, &data, form).map(Command::Seal)
        }
        First::Secrets(data, form) => secrets::ui(ui, theme, texts, data, form).map(Command::Secrets),
        First::Randomness(data, events) => {
            randomness::ui(ui, theme, texts, data, events).map(Command::Randomness)
        }
        First::Registration { key, file, state, known, form } => {
            let authority = Authority {
                name: "GMD CA, Darmstadt".into(),
                until: "2 Jan 2031".into(),
                words: "acorn canal falcon kettle marble penguin saffron wolf".into(),
                is_matched: *file == FileRead::Letter,
            };
            let data = Registration {
                hue: HUE,
                picture: face(ui),
                authorities: if *known { vec![authority] } else { Vec::new() },
                key: *key,
                file: file.clone(),
                state: state.clone(),
            };
            registration::ui(ui, theme, texts, &data, form).map(Command::Registration)
        }
    }
}

pub(crate) fn welcome() -> Welcome {
    Welcome { languages: vec![Locale::En], can_restore: false, unwritable: None, is_x11: false }
}

pub(crate) fn seal(words_fit: bool, tried: bool) -> First {
    let form = SealForm { first: "amber".into(), second: "lighthouse".into(), hue: 6, ..SealForm::default() };
    First::Seal { words_fit, tried, form }
}

pub(crate) fn secrets(strength: Option<Strength>, pin: PinForm) -> First {
    First::Secrets(Secrets { hue: HUE, strength, pin }, SecretsForm::default())
}

pub(crate) const STRONG: Strength = Strength::Enough { strong: true, days: 365 * 314 };

pub(crate) fn randomness(counted: u32, is_regular: bool, making: Making) -> First {
    First::Randomness(Randomness { hue: HUE, counted, total: 128, is_regular, making }, Vec::new())
}

pub(crate) fn form() -> RegistrationForm {
    RegistrationForm {
        file: "/media/ines/letter.txt".into(),
        address: "ca.example:7443".into(),
        name: "Ines Ortmann".into(),
        city: "Darmstadt".into(),
        country: "DE".into(),
        key: "K7QF-2M9T-XW4C-88PD".into(),
        ..RegistrationForm::default()
    }
}

pub(crate) fn registration(key: KeyForm, file: FileRead, state: RegistrationState) -> First {
    First::Registration { key, file, state, known: true, form: form() }
}

pub(crate) fn typing(problem: Option<Problem>) -> First {
    registration(KeyForm::Good, FileRead::Letter, RegistrationState::Typing(problem))
}

pub(crate) fn question(is_armed: bool) -> RegistrationState {
    let facts = [
        "Document: A request for two certificates of your name (checked here)",
        "Counterparty: GMD CA, Darmstadt (checked here)",
        "Signed as: “Ines Ortmann” (your entry)",
    ];
    RegistrationState::Confirm(Question { facts: facts.map(str::to_owned).into(), is_armed, hold: 660 })
}

/// Every step in each of its states, by name.
pub(crate) fn firsts() -> Vec<(&'static str, First)> {
    let state = |state| registration(KeyForm::Good, FileRead::Letter, state);
    let all = Welcome { can_restore: true, is_x11: true, languages: Locale::ALL.into(), ..welcome() };
    let unwritable =
        Welcome { unwritable: Some("/media/ines/.local/share/semper-wallet".into()), ..welcome() };
    let by_typing = match seal(true, false) {
        First::Seal { form, .. } => {
            First::Seal { words_fit: true, tried: false, form: SealForm { typing: true, ..form } }
        }
        other => other,
    };
    let key = |key| registration(key, FileRead::None, RegistrationState::Typing(None));
    let bad = FileRead::Bad { path: "/media/ines/photo.jpg".into() };
    let unknown = First::Registration {
        key: KeyForm::Empty,
        file: FileRead::NoRoot,
        state: RegistrationState::Typing(None),
        known: false,
        form: RegistrationForm::default(),
    };
    vec![
        ("s01_ready", First::Welcome(welcome())),
        ("s01_all", First::Welcome(all)),
        ("s01_unwritable", First::Welcome(unwritable)),
        ("s02_ready", seal(true, false)),
        ("s02_words", seal(false, false)),
        ("s02_typing", by_typing),
        ("s02_tried", seal(true, true)),
        ("s03_empty", secrets(None, PinForm::NotYet)),
        ("s03_weak", secrets(Some(Strength::Weak(Weakness::Common)), PinForm::Easy)),
        ("s03_good", secrets(Some(STRONG), PinForm::Good)),
        ("s04_gathering", randomness(61, false, Making::Gathering)),
        ("s04_regular", randomness(2, true, Making::Gathering)),
        ("s04_enough", randomness(128, false, Making::Gathering)),
        ("s04_making", randomness(128, false, Making::Now { skipped: false })),
        ("s04_skipped", randomness(0, false, Making::Now { skipped: true })),
        ("s04_failed", randomness(128, false, Making::Failed { reason: "the disk is full".into() })),
        ("s04_stop", randomness(0, false, Making::NoSystem)),
        ("s05_unknown", unknown),
        ("s05_compare", key(KeyForm::Good)),
        ("s05_letter", typing(None)),
        ("s05_short", key(KeyForm::Short)),
        ("s05_group", key(KeyForm::Group(3))),
        ("s05_unclear", key(KeyForm::Unclear)),
        ("s05_file", registration(KeyForm::Good, bad, RegistrationState::Typing(None))),
        ("s05_refused", typing(Some(Problem::Unknown))),
        ("s05_issued", typing(Some(Problem::Issued { date: "3 Mar 2027".into() }))),
        ("s05_question", state(question(true))),
        ("s05_reading", state(question(false))),
        ("s05_working", state(RegistrationState::Working { done: 3 })),
        ("s05_done", state(RegistrationState::Done)),
        ("s05_twice", state(RegistrationState::Twice { until: "3 Mar 2029".into() })),
        ("s05_begun", state(RegistrationState::Begun(Some(Problem::Offline)))),
        ("s05_hand", state(RegistrationState::ByHand)),
    ]
}
