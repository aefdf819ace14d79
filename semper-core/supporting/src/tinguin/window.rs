//! What a window offers to the rest of the program, whoever draws it.

use std::collections::BTreeSet;

use super::{
    facts::ChoiceKey,
    prompt::{PromptId, SealedPrompt, Withdrawn},
};

/// A window: it shows prompts and hands back answers and secrets through the channel it was made with.
///
/// Nothing here waits. A window can neither make a prompt nor turn an answer into a permit.
pub trait Tinguin: Send + Sync {
    /// Takes a prompt for display.
    fn ask(&self, prompt: SealedPrompt) -> Asked;

    /// Takes a prompt away that is no longer needed.
    fn withdraw(&self, id: PromptId, why: Withdrawn);

    /// Shows what changed between a prompt and the one in its place.
    fn supersede(&self, id: PromptId, by: SealedPrompt) -> Asked;

    /// Asks for a password or a PIN, by a field of its own that keeps no copy.
    fn secret(&self, ask: SecretAsk) -> Asked;

    /// Tells something that is no question. At most so many are kept as the tray holds lines.
    fn show(&self, notice: Notice);

    /// Whether somebody could see a prompt now.
    fn presence(&self) -> Presence;

    /// What the window can do on this system.
    fn abilities(&self) -> Abilities;
}

/// Whether a prompt was taken.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Asked {
    /// It waits in the tray.
    Waiting,
    /// Nobody can be asked.
    Unavailable,
}

/// Whether somebody could see a prompt.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Presence {
    /// The window is on screen.
    Visible,
    /// The window exists and is hidden.
    Hidden,
    /// The archive is locked.
    Locked,
    /// There is no window.
    Absent,
}

/// What a window can do on this system.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Abilities {
    /// Whether its content is kept from screen recordings.
    pub content_protection: bool,
    /// The languages it has words for.
    pub languages: BTreeSet<ChoiceKey>,
}

/// A secret that is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretAsk {
    /// Which secret.
    pub kind: SecretKind,
    /// The prompt it belongs to, if it belongs to one.
    pub prompt: Option<PromptId>,
}

/// Which secret is asked for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SecretKind {
    /// The password of the archive.
    Password,
    /// The PIN of the wallet.
    Pin,
    /// The PIN of a token or card.
    TokenPin,
    /// The recovery key.
    RecoveryKey,
}

/// News that ask nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// The text that says it.
    pub key: ChoiceKey,
    /// What it is about.
    pub facts: Vec<super::facts::Fact>,
}

/// The window of a program without one: nobody can be asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct DenyAll;

impl Tinguin for DenyAll {
    fn ask(&self, _: SealedPrompt) -> Asked {
        Asked::Unavailable
    }

    fn withdraw(&self, _: PromptId, _: Withdrawn) {}

    fn supersede(&self, _: PromptId, _: SealedPrompt) -> Asked {
        Asked::Unavailable
    }

    fn secret(&self, _: SecretAsk) -> Asked {
        Asked::Unavailable
    }

    fn show(&self, _: Notice) {}

    fn presence(&self) -> Presence {
        Presence::Absent
    }

    fn abilities(&self) -> Abilities {
        Abilities::default()
    }
}
