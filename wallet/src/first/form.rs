//! The registration as the window shows it: the form, the question, and how far it is.

use std::path::PathBuf;

use egui::{Context, Ui};
use semper_host::{chance, enrol::Stand};
use semper_supporting::{
    crypto::digest::Digest,
    registration::{
        letter::Received,
        prk::{Prk, PrkFault},
        record::Names,
    },
    time::{Moment, Span},
    tinguin::{
        Answer, Gesture, PromptId,
        prompt::{Decision, DeclineReason, Displayed},
    },
};
use semper_tinguin::{
    texts::Texts,
    theme::{FrameHue, Theme},
    views::first::{
        hold::Face,
        registration::{
            self, Authority, FileRead, KeyForm, Question, Registration, RegistrationCommand,
            RegistrationForm, RegistrationState,
        },
    },
    widgets::{emblem::Emblem, seal::Picture},
};

use super::{
    FirstOrder,
    registering::{self, Read, Registering, Standing},
};
use crate::shell::per_cent;

/// What is added to the times of a gesture: the clock of the window and that of the gate are two.
const SLACK: Span = Span::millis(60);

/// The registration in the window.
pub(super) struct Form {
    hue: FrameHue,
    face: Face,
    shown: Option<Registering>,
    form: RegistrationForm,
    /// How many files were taken in.
    read: u32,
    /// The authority whose words were found in the letter.
    matched: Option<usize>,
    /// The question in view: since when, and since when without a break.
    viewed: Option<(PromptId, Moment, Moment)>,
}

impl Form {
    pub(super) fn new(ctx: &Context, emblem: Emblem, hue: u8) -> Self {
        let face = Face(Picture::emblem(emblem).load(ctx));
        let form = RegistrationForm::default();
        Self { hue: FrameHue::new(hue), face, shown: None, form, read: 0, matched: None, viewed: None }
    }

    /// Takes in where the registration stands.
    pub(super) fn hear(&mut self, shown: Registering) {
        if shown.read.0 != self.read {
            self.read = shown.read.0;
            match &shown.read.1 {
                Read::Letter(letter, place) => self.fill(letter, *place),
                Read::Root(place) => {
                    (self.form.authority, self.form.is_compared, self.matched) = (*place, false, None);
                }
                Read::Nothing | Read::Bad(_) => {}
            }
        }
        if let Standing::Done(name) = &shown.standing {
            self.form.name.clone_from(name);
        }
        self.shown = Some(shown);
    }

    fn fill(&mut self, letter: &Received, place: Option<usize>) {
        let Names { name, organisation, city, country } = letter.names.clone();
        let more = |text: Option<String>| text.unwrap_or_default();
        let file = std::mem::take(&mut self.form.file);
        self.form = RegistrationForm {
            file,
            authority: place.unwrap_or(self.form.authority),
            is_compared: false,
            address: letter.address.clone(),
            name,
            organisation: more(organisation),
            city: more(city),
            country: more(country),
            key: letter.prk.text().to_string(),
        };
        self.matched = place;
    }

    /// Draws it; gives its name, and what is to be done.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        theme: &Theme,
        texts: &Texts,
    ) -> (&'static str, Option<FirstOrder>) {
        let Some(shown) = self.shown.clone() else { return ("", None) };
        let (view, state) = self.state(ui, &shown);
        let data = Registration {
            hue: self.hue,
            picture: self.face.clone(),
            authorities: self.authorities(&shown),
            key: key(&self.form.key),
            file: file(&shown.read.1),
            state,
        };
        let command = registration::ui(ui, theme, texts, &data, &mut self.form);
        (view, command.and_then(|command| self.order(ui, &shown, command)))
    }

    fn authorities(&self, shown: &Registering) -> Vec<Authority> {
        let all = shown.roots.iter().enumerate();
        let one = |(place, root): (usize, &registering::Root)| Authority {
            name: root.name.clone(),
            until: root.until.clone(),
            words: root.words.clone(),
            is_matched: self.matched == Some(place),
        };
        all.map(one).collect()
    }

    fn state(&mut self, ui: &Ui, shown: &Registering) -> (&'static str, RegistrationState) {
        match &shown.standing {
            Standing::Begun(problem) => ("first/register/begun", RegistrationState::Begun(problem.clone())),
            Standing::Typing(None) if self.matched.is_some() => {
                ("first/register/letter", RegistrationState::Typing(None))
            }
            Standing::Typing(None) => ("first/register", RegistrationState::Typing(None)),
            Standing::Typing(problem) => {
                ("first/register/problem", RegistrationState::Typing(problem.clone()))
            }
            Standing::Working(stand) => {
                let done = match stand {
                    Stand::Connecting => 0,
                    Stand::Connected => 2,
                    Stand::Proving => 3,
                    Stand::Received => 4,
                };
                ("first/register/working", RegistrationState::Working { done })
            }
            Standing::Done(_) => ("first/register/done", RegistrationState::Done),
            Standing::Confirm(question) => self.question(ui, question),
        }
    }

    fn question(&mut self, ui: &Ui, question: &registering::Question) -> (&'static str, RegistrationState) {
        let now = chance::now();
        let focused = ui.input(|input| input.focused);
        let (_, shown, mut since) =
            self.viewed.filter(|(id, ..)| *id == question.id).unwrap_or((question.id, now, now));
        if !focused {
            since = now;
        }
        self.viewed = Some((question.id, shown, since));
        let is_armed = now.since(since) >= sum(question.arming, SLACK);
        if !is_armed {
            ui.ctx().request_repaint_after(std::time::Duration::from_millis(50));
        }
        let facts = question.facts.clone();
        let hold = sum(question.hold, SLACK).as_millis();
        let state = RegistrationState::Confirm(Question { facts, is_armed, hold });
        (if is_armed { "first/register/armed" } else { "first/register/confirm" }, state)
    }

    fn order(&mut self, ui: &Ui, shown: &Registering, command: RegistrationCommand) -> Option<FirstOrder> {
        match command {
            RegistrationCommand::Ask => {
                let root = shown.roots.get(self.form.authority)?.certificate.clone();
                let prk = Prk::parse(&self.form.key).ok()?;
                let text = |text: &str| text.trim().to_owned();
                let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
                let names = Names {
                    name: text(&self.form.name),
                    organisation: some(&self.form.organisation),
                    city: some(&self.form.city),
                    country: some(&self.form.country),
                };
                let letter = Received::typed(names, text(&self.form.address), prk, &root);
                Some(FirstOrder::Register(Box::new((letter, root))))
            }
            RegistrationCommand::Read => Some(FirstOrder::Read(PathBuf::from(self.form.file.trim()))),
            RegistrationCommand::Confirm(held) => self.answer(ui, shown, Some(held)),
            RegistrationCommand::Decline => self.answer(ui, shown, None),
            RegistrationCommand::End => Some(FirstOrder::End),
            RegistrationCommand::GoOn => Some(FirstOrder::GoOn),
            RegistrationCommand::Later => Some(FirstOrder::Later),
            RegistrationCommand::Other => Some(FirstOrder::Other),
        }
    }

    /// The answer to the question in view: confirmed if the picture was held for so long.
    fn answer(&self, ui: &Ui, shown: &Registering, held: Option<u64>) -> Option<FirstOrder> {
        let Standing::Confirm(question) = &shown.standing else { return None };
        let (_, shown_at, armed_at) = self.viewed.filter(|(id, ..)| *id == question.id)?;
        let now = chance::now();
        let room = now.since(armed_at.after(question.arming));
        let held = held.map(|held| Span::millis(held).min(room));
        let decision =
            if held.is_some() { Decision::Confirm } else { Decision::Decline(DeclineReason::Unsaid) };
        let size = ui.ctx().content_rect().size();
        Some(FirstOrder::Answer(Box::new(Answer {
            id: question.id,
            digest: question.digest,
            decision,
            gesture: Gesture::Hold { armed: question.arming, held: held.unwrap_or_default() },
            retyped: None,
            acknowledged: Vec::new(),
            displayed: Displayed {
                language: question.language.clone(),
                catalogue: question.catalogue,
                shown_at,
                armed_at,
                confirmed_at: now,
                width: size.x as u32,
                height: size.y as u32,
                zoom: u16::from(per_cent(ui.ctx())),
                build: Digest::of(env!("CARGO_PKG_VERSION").as_bytes()),
            },
        })))
    }
}

const fn sum(one: Span, other: Span) -> Span {
    Span::millis(one.as_millis().saturating_add(other.as_millis()))
}

fn key(typed: &str) -> KeyForm {
    match Prk::parse(typed) {
        _ if typed.trim().is_empty() => KeyForm::Empty,
        Ok(_) => KeyForm::Good,
        Err(PrkFault::Length { .. }) => KeyForm::Short,
        Err(PrkFault::Typo { group }) => KeyForm::Group(u32::try_from(group).unwrap_or(u32::MAX)),
        Err(PrkFault::Unclear) => KeyForm::Unclear,
    }
}

fn file(read: &Read) -> FileRead {
    match read {
        Read::Nothing | Read::Root(_) => FileRead::None,
        Read::Bad(path) => FileRead::Bad { path: path.display().to_string() },
        Read::Letter(_, Some(_)) => FileRead::Letter,
        Read::Letter(_, None) => FileRead::NoRoot,
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Form(…)")
    }
}
