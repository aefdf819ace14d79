//! The desk: what waits for the person at the window, as the window gets it, and what became of it.
//!
//! ```text
//! Consent ──ask / withdraw / supersede──► WindowDesk ──watch──► window (the newest tray counts)
//! window ──Order::{Open, Answer, …}──► keeper ──► Consent (which judges) ──► WindowDesk
//! ```
//!
//! Nothing here waits, and nothing here permits: the window shows sealed questions and hands answers back.

use std::{collections::VecDeque, sync::Arc};

use semper_supporting::{
    crypto::digest::Digest,
    tinguin::{
        Fact, PromptId, SealedPrompt, Tinguin,
        pin::PinError,
        prompt::Withdrawn,
        window::{Abilities, Asked, Notice, Presence, SecretAsk},
    },
};
use semper_tinguin::prompts::{PinState, Program};
use tokio::sync::watch;

use crate::consent::{Consent, Ended, Refused};

/// What the window has on its desk.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// The opening of the wallet it belongs to.
    pub opening: u64,
    /// The questions, in the order of their ends.
    pub prompts: Vec<SealedPrompt>,
    /// How the last questions ended, oldest first.
    pub ended: VecDeque<(PromptId, End)>,
    /// Why the last answer did not count.
    pub refused: Option<Refusal>,
    /// What the record of what was displayed says of this program; nothing before a wallet is open.
    pub program: Option<Program>,
}

/// How a question left the desk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// It was answered.
    Answered(Ended),
    /// Another one took its place.
    Replaced {
        /// Which.
        by: PromptId,
        /// The facts that differ, as they were.
        before: Vec<Fact>,
        /// The facts that differ, as they are.
        after: Vec<Fact>,
    },
    /// It was taken back.
    Withdrawn(Withdrawn),
}

/// Why an answer did not count. The question stays open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The question.
    pub id: PromptId,
    /// Which refusal this is, counted from one.
    pub number: u64,
    /// How it is with the PIN since.
    pub pin: PinState,
    /// The code of the reason.
    pub code: &'static str,
}

/// The window as the rest of the program sees it.
pub struct WindowDesk {
    desk: watch::Sender<Desk>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

/// How many ends are remembered.
const REMEMBERED: usize = 16;

impl WindowDesk {
    /// An empty desk, and what the window looks at. `wake` is called whenever something on it changes.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> (Arc<Self>, watch::Receiver<Desk>) {
        let (desk, seen) = watch::channel(Desk::default());
        (Arc::new(Self { desk, wake }), seen)
    }

    /// Clears the desk for another opening of the wallet.
    pub(crate) fn begin(&self, opening: u64, program: Program) {
        self.change(|desk| *desk = Desk { opening, program: Some(program), ..Desk::default() });
    }

    /// Takes in how an answer was judged.
    pub(crate) fn judged(&self, id: PromptId, judged: Result<Ended, Refused>) {
        match judged {
            Ok(ended) => self.end(id, End::Answered(ended)),
            Err(refused) => {
                tracing::info!(code = refused.code(), "an answer does not count: {refused}");
                self.change(|desk| {
                    let number = desk.refused.as_ref().map_or(1, |last| last.number.saturating_add(1));
                    let (pin, code) = (pin(&refused), refused.code());
                    desk.refused = Some(Refusal { id, number, pin, code });
                });
            }
        }
    }

    fn end(&self, id: PromptId, end: End) {
        self.change(|desk| {
            desk.prompts.retain(|prompt| prompt.id() != id);
            desk.ended.push_back((id, end));
            while desk.ended.len() > REMEMBERED {
                desk.ended.pop_front();
            }
        });
    }

    fn put(&self, prompt: SealedPrompt) -> Asked {
        self.change(|desk| {
            desk.prompts.push(prompt);
            desk.prompts.sort_by_key(SealedPrompt::expires);
        });
        Asked::Waiting
    }

    fn change(&self, change: impl FnOnce(&mut Desk)) {
        self.desk.send_modify(change);
        (self.wake)();
    }
}

/// How it is with the PIN after this refusal.
fn pin(refused: &Refused) -> PinState {
    match refused {
        Refused::Pin(PinError::Wrong { left }) => PinState::Wrong { left: *left },
        Refused::Pin(PinError::Resting { until }) => PinState::Blocked { until: *until },
        Refused::NoPin => PinState::Absent,
        Refused::Answer(_) | Refused::Pin(_) | Refused::Store(_) => PinState::Free,
    }
}

/// What the record of what was displayed says of the program with this file.
pub(crate) fn program(consent: &Consent, build: Digest) -> Program {
    let words = consent.words();
    Program { language: words.locale().clone(), catalogue: words.digest(), build }
}

impl Tinguin for WindowDesk {
    fn ask(&self, prompt: SealedPrompt) -> Asked {
        if self.desk.is_closed() { Asked::Unavailable } else { self.put(prompt) }
    }

    fn withdraw(&self, id: PromptId, why: Withdrawn) {
        self.end(id, End::Withdrawn(why));
    }

    fn supersede(&self, id: PromptId, by: SealedPrompt) -> Asked {
        if self.desk.is_closed() {
            return Asked::Unavailable;
        }
        let old = self.desk.borrow().prompts.iter().find(|prompt| prompt.id() == id).cloned();
        let old = old.map_or_else(Vec::new, |old| old.facts().to_vec());
        let new = by.facts();
        let before = old.iter().filter(|fact| !new.contains(fact)).cloned().collect();
        let after = new.iter().filter(|fact| !old.contains(fact)).cloned().collect();
        self.end(id, End::Replaced { by: by.id(), before, after });
        self.put(by)
    }

    fn secret(&self, _: SecretAsk) -> Asked {
        // The PIN is typed into the prompt itself, and the password at the door.
        Asked::Unavailable
    }

    fn show(&self, notice: Notice) {
        tracing::info!(key = notice.key.as_str(), "a notice");
    }

    fn presence(&self) -> Presence {
        if self.desk.is_closed() { Presence::Absent } else { Presence::Visible }
    }

    fn abilities(&self) -> Abilities {
        let language = self.desk.borrow().program.as_ref().map(|program| program.language.clone());
        Abilities { content_protection: false, languages: language.into_iter().collect() }
    }
}

impl std::fmt::Debug for WindowDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WindowDesk(…)")
    }
}
