//! The open question: at most one, opened by the person, and what became of it.

use egui::Ui;
use semper_host::chance;
use semper_supporting::{
    deal::DealId,
    tinguin::{PromptId, SealedPrompt, prompt::Withdrawn},
};
use semper_tinguin::{
    format,
    prompts::{
        self, Attempt, PinState, Prompt, PromptCommand,
        stopped::{self, Stopped, StoppedCommand},
        told,
    },
    texts::{Msg, Texts},
    theme::Theme,
    widgets::{bar::Bar, stepper::Steps},
};

use crate::{
    bridge::Order,
    consent::Ended,
    desk::{Desk, End},
    lines::civil,
    pin::Pin,
};

/// The question that is open, or why it no longer is.
#[derive(Debug, Default)]
pub(super) struct Asking {
    open: Option<Open>,
    stopped: Option<(Stopped, Option<PromptId>)>,
}

#[derive(Debug)]
struct Open {
    prompt: Box<SealedPrompt>,
    attempt: Attempt,
    sending: bool,
    pin: PinState,
    /// The number of the last refusal that was taken in, and its words.
    refusals: u64,
    refused: Option<String>,
}

/// What the shell does for the open question.
#[derive(Debug)]
pub(super) enum Deed {
    Lock,
    Order(Order),
}

impl Asking {
    /// Opens a question that waits.
    pub(super) fn open(&mut self, prompt: &SealedPrompt, desk: &Desk) -> Deed {
        let last = desk.refused.as_ref();
        let resting = last.map(|last| last.pin).filter(|pin| matches!(pin, PinState::Blocked { .. }));
        self.open = Some(Open {
            prompt: Box::new(prompt.clone()),
            attempt: Attempt::default(),
            sending: false,
            pin: resting.unwrap_or_default(),
            refusals: last.map_or(0, |last| last.number),
            refused: None,
        });
        self.stopped = None;
        Deed::Order(Order::Open(prompt.id()))
    }

    /// The deal of the open question.
    pub(super) fn deal(&self) -> Option<DealId> {
        self.open.as_ref().and_then(|open| open.prompt.deal())
    }

    /// Whether anything of a question fills the window.
    pub(super) const fn fills(&self) -> bool {
        self.open.is_some() || self.stopped.is_some()
    }

    /// The name of what is shown, for the program's own log.
    pub(super) fn view(&self) -> Option<&'static str> {
        if self.stopped.is_some() {
            return Some("prompt/stopped");
        }
        self.open.as_ref().map(|open| match (open.sending, open.pin) {
            (true, _) => "prompt/sending",
            (false, PinState::Wrong { .. }) if open.attempt.is_ready() => "prompt/ready-again",
            (false, PinState::Wrong { .. }) => "prompt/wrong-pin",
            (false, PinState::Blocked { .. }) => "prompt/pin-blocked",
            (false, PinState::Absent) => "prompt/no-pin",
            (false, PinState::Free) if open.attempt.is_ready() => "prompt/ready",
            (false, PinState::Free) => "prompt",
        })
    }

    /// Takes in what became of the open question.
    pub(super) fn follow(&mut self, desk: &Desk, texts: &Texts) {
        let Some(open) = &mut self.open else { return };
        let id = open.prompt.id();
        if let Some(refusal) = desk.refused.as_ref().filter(|one| one.id == id && one.number > open.refusals)
        {
            open.refusals = refusal.number;
            open.sending = false;
            open.pin = refusal.pin;
            open.refused = texts.told(refusal.code, &[]).map(|told| told.what);
            open.attempt.again();
        }
        if desk.prompts.iter().any(|prompt| prompt.id() == id) {
            return;
        }
        let Some((_, end)) = desk.ended.iter().find(|(ended, _)| *ended == id) else { return };
        self.stopped = stopped(end, &open.prompt, texts);
        self.open = None;
    }

    /// Draws it.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        theme: &Theme,
        texts: &Texts,
        (bar, desk): (&Bar, &Desk),
        deal: Option<(&str, &Steps)>,
    ) -> Option<Deed> {
        if let Some((data, next)) = &self.stopped {
            let command = stopped::ui(ui, theme, texts, bar, data, civil)?;
            let next = *next;
            self.stopped = None;
            return match command {
                StoppedCommand::Lock => Some(Deed::Lock),
                StoppedCommand::Back => None,
                StoppedCommand::Look => {
                    let next = desk.prompts.iter().find(|prompt| Some(prompt.id()) == next)?;
                    Some(self.open(next, desk))
                }
            };
        }
        let (open, program) = (self.open.as_mut()?, desk.program.as_ref()?);
        let data = Prompt {
            sealed: &open.prompt,
            bar,
            deal,
            now: chance::now(),
            zone: civil,
            pin: open.pin,
            clock_off: None,
            sending: open.sending,
            refused: open.refused.as_deref(),
            program,
        };
        match prompts::ui(ui, theme, texts, &data, &mut open.attempt)? {
            PromptCommand::Lock => Some(Deed::Lock),
            PromptCommand::Later => {
                self.open = None;
                Some(Deed::Order(Order::PutBack))
            }
            PromptCommand::Answer(answer) => {
                let typed = open.attempt.pin.expose();
                let pin = (!typed.is_empty()).then(|| Pin::new(typed));
                open.attempt.pin.clear();
                (open.sending, open.refused) = (true, None);
                Some(Deed::Order(Order::Answer { answer, pin }))
            }
        }
    }

    /// An order did not go out: nothing is being judged.
    pub(super) fn unsent(&mut self) {
        if let Some(open) = &mut self.open {
            open.sending = false;
            open.attempt.again();
        }
    }
}

/// What is shown of an end that the person did not choose, and which question takes its place.
fn stopped(end: &End, prompt: &SealedPrompt, texts: &Texts) -> Option<(Stopped, Option<PromptId>)> {
    let party = || told::party(prompt.facts()).unwrap_or_else(|| texts.get(Msg::PromptSomebody));
    let expired = || {
        let time = format::time(&civil(prompt.expires()));
        (Stopped::Expired { time }, None)
    };
    match end {
        End::Answered(Ended::Granted | Ended::Declined) => None,
        End::Answered(Ended::Expired) => Some(expired()),
        End::Answered(Ended::Stale) => {
            let stale = Stopped::Changed { before: Vec::new(), after: Vec::new(), again: false };
            Some((stale, None))
        }
        End::Replaced { by, before, after } => {
            let (before, after) = (before.clone(), after.clone());
            Some((Stopped::Changed { before, after, again: true }, Some(*by)))
        }
        End::Withdrawn(_) if chance::now() >= prompt.expires() => Some(expired()),
        End::Withdrawn(Withdrawn::NotNeeded) => Some((Stopped::Gone, None)),
        End::Withdrawn(Withdrawn::ByPeer) => Some((Stopped::Withdrawn { party: party() }, None)),
        End::Withdrawn(Withdrawn::Restart) => Some((Stopped::Restarted, None)),
    }
}
