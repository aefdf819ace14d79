//! Critical prompts (S12, S13, S14): from a sealed prompt of the gate to what is drawn, and back to a gesture.
//!
//! ```text
//! SealedPrompt ──told──► words ──card──► facts on screen ─┐
//!                                                         ├─ attention ─► gesture ─► Answer
//! the user's hands ──commit, pin, warnings────────────────┘
//! ```
//!
//! A prompt fills the window: it is no window inside it that could be moved or covered. What is drawn cannot
//! confirm anything; the gate judges the answer.

pub mod attention;
mod card;
mod commit;
mod hands;
mod layout;
pub mod stopped;
mod strip;
pub mod told;

use std::collections::BTreeMap;

use egui::{Align, Layout, Ui, UiBuilder};
use semper_supporting::{
    crypto::digest::Digest,
    time::{Moment, Span},
    tinguin::{
        Answer, FactKey, SealedPrompt,
        facts::ChoiceKey,
        prompt::{Decision, DeclineReason, Displayed},
    },
};

use crate::texts::Texts;
use crate::theme::Theme;
use crate::widgets::bar::{self, Bar, BarCommand};
use crate::widgets::secret::SecretBuf;
use crate::widgets::stepper::Steps;
use attention::{Attention, Confirmed, Obstacle, Phase, Sight};
use layout::{Places, content, frame, play_money};
use told::{Told, Zone};

/// What a prompt shows beside its own facts.
#[derive(Clone, Copy, Debug)]
pub struct Prompt<'a> {
    /// The question, as the gate sealed it.
    pub sealed: &'a SealedPrompt,
    /// The attestation bar with the seal.
    pub bar: &'a Bar,
    /// The deal it belongs to, and where that stands.
    pub deal: Option<(&'a str, &'a Steps)>,
    /// The time of day.
    pub now: Moment,
    /// The user's zone.
    pub zone: Zone,
    /// How it is with the PIN.
    pub pin: PinState,
    /// By how much the clock is wrong, if by too much to sign.
    pub clock_off: Option<&'a str>,
    /// Whether an answer is being judged.
    pub sending: bool,
    /// Why the last answer did not count.
    pub refused: Option<&'a str>,
    /// What the record of what was displayed says of this program.
    pub program: &'a Program,
}

/// What the record of what was displayed says of the program that displayed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Program {
    /// The language of the words.
    pub language: ChoiceKey,
    /// The digest of the catalogue of words.
    pub catalogue: Digest,
    /// The digest of the program's file.
    pub build: Digest,
}

/// How it is with the PIN of the wallet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PinState {
    /// It may be typed.
    #[default]
    Free,
    /// None was ever set.
    Absent,
    /// None is taken for a while.
    Blocked {
        /// Until when.
        until: Moment,
    },
    /// The last one was wrong.
    Wrong {
        /// How many tries are left.
        left: u8,
    },
}

/// What the user has done in an open prompt. It ends with the prompt; the PIN in it is zeroed then.
#[derive(Debug, Default)]
pub struct Attempt {
    /// The PIN as it is being typed.
    pub pin: SecretBuf,
    attention: Attention,
    retyped: String,
    acknowledged: Vec<ChoiceKey>,
    seen: BTreeMap<FactKey, card::Seen>,
    touched: bool,
    calm: Option<hands::Calm>,
    look: LookAt,
    declining: bool,
    ready: bool,
}

/// What beyond the critical facts is open.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct LookAt {
    details: bool,
    bytes: bool,
    keypad: bool,
    typing: bool,
}

/// What the user asked for in a prompt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PromptCommand {
    /// The answer to the question. If a PIN is asked for, it stands in the attempt.
    Answer(Box<Answer>),
    /// Put it back into the tray.
    Later,
    /// Lock now.
    Lock,
}

impl Attempt {
    /// Begins anew after an answer that did not count: the PIN is forgotten, arming starts at nothing.
    pub fn again(&mut self) {
        self.pin.clear();
        self.attention.again();
        self.declining = false;
    }

    /// Whether the picture could be pressed when it was drawn last.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.ready
    }

    /// Whether the picture was let go too early since it was pressed last.
    #[must_use]
    pub const fn was_released(&self) -> bool {
        self.attention.was_released()
    }
}

/// Whether a PIN is asked for: by the level, or because the answer is typed.
fn needs_pin(data: &Prompt<'_>, look: LookAt) -> bool {
    data.sealed.friction().pin || look.typing
}

/// The amount that must be typed again, in whole units, and its currency.
fn to_retype(data: &Prompt<'_>, look: LookAt) -> Option<(u64, String)> {
    let money = told::amount(data.sealed.facts());
    let whole = |money: semper_supporting::money::Money| {
        money.minor() / 10_u64.saturating_pow(money.currency.digits())
    };
    let currency = money.map_or_else(String::new, |money| money.currency.code().to_owned());
    let typed = money.filter(|_| look.typing).map(whole);
    data.sealed.friction().retype.or(typed).map(|units| (units, currency))
}

/// Draws the prompt over the whole window, and takes what the user does.
pub fn ui(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &Prompt<'_>,
    attempt: &mut Attempt,
) -> Option<PromptCommand> {
    hands::refuse_pastes(ui);
    let told = Told::new(data.sealed, texts, data.zone);
    let lock = bar::show(ui, theme, texts, data.bar).map(|BarCommand::Lock| PromptCommand::Lock);
    let places = Places::of(ui, data, attempt.look);
    frame(ui, theme, data);
    if told::plays(data.sealed) {
        play_money(ui, theme, texts, places.band);
    }
    let fits = content(ui, theme, texts, (data, &told), attempt, places.content);
    if let Some(rect) = places.strip {
        let mut child = ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::top_down(Align::LEFT)));
        strip::ui(&mut child, theme, texts, data, attempt);
    }
    let at = hands::instant(ui, data.now);
    let sight = Sight {
        at,
        obstacle: obstacle(ui, data, attempt, fits, at.running),
        lacking: lacking(data, attempt),
        held: false,
        pressed: false,
    };
    let acted = commit::ui(ui, theme, texts, (data, &told), attempt, sight, &places);
    attempt.ready = matches!(acted.phase, Phase::Ready | Phase::Holding { .. });
    let settling = acted.phase == Phase::Settling;
    hands::repaint(ui, &acted.phase, data);
    if settling {
        return lock;
    }
    let escaped = ui.input(|input| input.key_pressed(egui::Key::Escape));
    let command = match (acted.phase, acted.command) {
        (Phase::Done(done), _) if !data.sending => Some(confirm(ui, data, attempt, done)),
        (_, Some(commit::Act::Confirm(done))) if !data.sending => Some(confirm(ui, data, attempt, done)),
        (_, Some(commit::Act::Decline)) => Some(decline(ui, data, attempt, at.wall)),
        (_, Some(commit::Act::Later)) => Some(PromptCommand::Later),
        _ if escaped => Some(PromptCommand::Later),
        _ => None,
    };
    lock.or(command)
}

/// What stops arming in this pass.
fn obstacle(
    ui: &Ui,
    data: &Prompt<'_>,
    attempt: &mut Attempt,
    fits: bool,
    running: Span,
) -> Option<Obstacle> {
    attempt.touched |= hands::touched(ui);
    let calm = hands::is_calm(ui, &mut attempt.calm, running);
    let open =
        |warning: &&semper_supporting::tinguin::prompt::Warning| !attempt.acknowledged.contains(&warning.key);
    let warnings = data.sealed.warnings().iter().filter(open).count();
    let unseen =
        data.sealed.facts().iter().filter(|fact| fact.weight == semper_supporting::tinguin::Weight::Critical);
    let unseen = unseen.filter(|fact| !attempt.seen.get(&fact.key).is_some_and(card::Seen::is_whole)).count();
    if !hands::in_front(ui) {
        Some(Obstacle::Front)
    } else if data.clock_off.is_some() {
        Some(Obstacle::Clock)
    } else if !calm {
        Some(Obstacle::Moving)
    } else if !fits {
        Some(Obstacle::Fit)
    } else if warnings > 0 {
        Some(Obstacle::Warnings(u32::try_from(warnings).unwrap_or(u32::MAX)))
    } else if unseen > 0 {
        Some(Obstacle::Unseen)
    } else if !attempt.touched {
        Some(Obstacle::Untouched)
    } else {
        None
    }
}

fn lacking(data: &Prompt<'_>, attempt: &Attempt) -> Option<Obstacle> {
    let blocked = match data.pin {
        PinState::Absent => true,
        PinState::Blocked { until } => data.now < until,
        PinState::Free | PinState::Wrong { .. } => false,
    };
    let typed = attempt.pin.expose();
    let complete = (6..=12).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_digit());
    if needs_pin(data, attempt.look) && (blocked || !complete) {
        return Some(Obstacle::Pin);
    }
    let retyped = attempt.retyped.trim().parse::<u64>().ok();
    to_retype(data, attempt.look).filter(|(units, _)| retyped != Some(*units)).map(|_| Obstacle::Amount)
}

fn confirm(ui: &Ui, data: &Prompt<'_>, attempt: &Attempt, done: Confirmed) -> PromptCommand {
    answer(ui, data, attempt, Decision::Confirm, done)
}

fn decline(ui: &Ui, data: &Prompt<'_>, attempt: &Attempt, at: Moment) -> PromptCommand {
    let gesture = semper_supporting::tinguin::Gesture::Typed { armed: Span::default() };
    let done = Confirmed { gesture, shown_at: at, armed_at: at, confirmed_at: at };
    answer(ui, data, attempt, Decision::Decline(DeclineReason::Unsaid), done)
}

fn answer(
    ui: &Ui,
    data: &Prompt<'_>,
    attempt: &Attempt,
    decision: Decision,
    done: Confirmed,
) -> PromptCommand {
    let screen = ui.ctx().content_rect();
    let points = |length: f32| length.round() as u32;
    let displayed = Displayed {
        language: data.program.language.clone(),
        catalogue: data.program.catalogue,
        shown_at: done.shown_at,
        armed_at: done.armed_at,
        confirmed_at: done.confirmed_at,
        width: points(screen.width()),
        height: points(screen.height()),
        zoom: (ui.ctx().zoom_factor() * 100.0).round() as u16,
        build: data.program.build,
    };
    PromptCommand::Answer(Box::new(Answer {
        id: data.sealed.id(),
        digest: data.sealed.digest(),
        decision,
        gesture: done.gesture,
        retyped: to_retype(data, attempt.look).and_then(|_| attempt.retyped.trim().parse().ok()),
        acknowledged: attempt.acknowledged.clone(),
        displayed,
    }))
}
