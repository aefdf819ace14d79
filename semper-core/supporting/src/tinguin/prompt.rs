//! Questions and answers: twelve families of critical acts, the sealed prompt, and what a window answers.

use serde::{Deserialize, Serialize};

use super::{
    facts::{ChoiceKey, Fact, FactKey, FactValue},
    risk::Friction,
};
use crate::{
    crypto::{digest::Digest, signature::Kid},
    deal::DealId,
    money::Money,
    time::{Moment, Span},
    wire,
};

crate::identifier! {
    /// The name of one prompt, drawn when it is sealed. A prompt that is asked again has a new one.
    PromptId, 16
}

/// The family a critical act belongs to. Finer names are keys of texts below a family.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Critical {
    /// Order, contract, receipt, statement, terms, opening of a deal, certificate request.
    Sign,
    /// A payment that stands alone.
    Pay,
    /// Both packages of a fair exchange.
    Exchange,
    /// A purse created, loaded, unloaded or closed.
    PurseMove,
    /// Personal data, a credential or an identity shown to somebody.
    Disclose,
    /// Terms of business or a module installed.
    Install,
    /// A trust anchor added, raised or removed.
    Trust,
    /// A dispute filed with an arbiter.
    Dispute,
    /// A standing allowance given.
    Allow,
    /// An own certificate or allowance taken back.
    Revoke,
    /// Archive, evidence or a backup exported, a delivered file saved or opened outside.
    Release,
    /// Limits raised, protection lowered, the seal, password or PIN changed.
    Setting,
}

impl Critical {
    /// All families.
    pub const ALL: [Self; 12] = [
        Self::Sign,
        Self::Pay,
        Self::Exchange,
        Self::PurseMove,
        Self::Disclose,
        Self::Install,
        Self::Trust,
        Self::Dispute,
        Self::Allow,
        Self::Revoke,
        Self::Release,
        Self::Setting,
    ];
}

/// What is safe to do when nobody answers in time.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum SafeDefault {
    /// Do not proceed. An exchange already half-way asks the third party, which the first answer covered.
    DoNotProceed,
    /// Count it as refused.
    Refuse,
    /// Keep the draft and remind.
    KeepDraft,
}

/// Something a person must acknowledge before confirming.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Warning {
    /// The text that says it, with its reason.
    pub key: ChoiceKey,
    /// The fact it is about.
    pub about: Option<FactKey>,
}

/// A question as the gate sealed it. Windows draw it; they cannot make or change one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealedPrompt {
    pub(super) id: PromptId,
    pub(super) family: Critical,
    pub(super) deal: Option<DealId>,
    pub(super) peer: Option<Kid>,
    pub(super) facts: Vec<Fact>,
    pub(super) warnings: Vec<Warning>,
    pub(super) friction: Friction,
    pub(super) digest: Digest,
    pub(super) documents: Vec<Vec<u8>>,
    pub(super) revision: u64,
    pub(super) expires: Moment,
}

/// What a person decided.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Decision {
    /// Go ahead.
    Confirm,
    /// Do not.
    Decline(DeclineReason),
}

/// Why a person declined.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum DeclineReason {
    /// Without saying why.
    Unsaid,
    /// Something shown is not what was agreed.
    Wrong,
    /// Everything of this party is refused.
    EverythingOfPeer,
    /// The policy of a daemon forbids it.
    Policy,
}

/// How a decision was given.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Gesture {
    /// The picture was held.
    Hold {
        /// How long the prompt had been armed in view.
        armed: Span,
        /// How long the picture was held.
        held: Span,
    },
    /// PIN and amount were typed instead.
    Typed {
        /// How long the prompt had been armed in view.
        armed: Span,
    },
    /// A daemon's policy answered.
    Policy {
        /// The digest of the policy.
        policy: Digest,
    },
}

/// How a prompt was displayed, as the window reports it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Displayed {
    /// The language of the words.
    pub language: ChoiceKey,
    /// The digest of the catalogue they were taken from.
    pub catalogue: Digest,
    /// When the prompt was first on screen.
    pub shown_at: Moment,
    /// When arming began for the last time.
    pub armed_at: Moment,
    /// When the gesture was complete.
    pub confirmed_at: Moment,
    /// The width of the window in points.
    pub width: u32,
    /// The height of the window in points.
    pub height: u32,
    /// Its zoom in per cent.
    pub zoom: u16,
    /// The digest of the program.
    pub build: Digest,
}

/// What a window answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The prompt it answers.
    pub id: PromptId,
    /// The digest of what was displayed.
    pub digest: Digest,
    /// What was decided.
    pub decision: Decision,
    /// How.
    pub gesture: Gesture,
    /// The amount typed again, in whole units.
    pub retyped: Option<u64>,
    /// The warnings that were acknowledged, one by one.
    pub acknowledged: Vec<ChoiceKey>,
    /// How the prompt was displayed.
    pub displayed: Displayed,
}

/// What was displayed and confirmed, for the journal and for a judge. Only the gate makes one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DisplayRecord {
    pub(super) prompt: PromptId,
    pub(super) family: Critical,
    pub(super) digest: Digest,
    pub(super) deal: Option<DealId>,
    pub(super) revision: u64,
    pub(super) facts: Vec<Fact>,
    pub(super) warnings: Vec<Warning>,
    pub(super) friction: Friction,
    pub(super) gesture: Gesture,
    pub(super) displayed: Displayed,
}

/// Why the engine took a question back.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Withdrawn {
    /// The move is no longer possible or needed.
    NotNeeded,
    /// The other party took its request back.
    ByPeer,
    /// The program ends; it asks again when it is back.
    Restart,
}

impl SafeDefault {
    /// What is safe for a family.
    pub fn of(family: Critical) -> Self {
        match family {
            Critical::Sign | Critical::Pay | Critical::Exchange | Critical::PurseMove => Self::DoNotProceed,
            Critical::Dispute => Self::KeepDraft,
            Critical::Disclose
            | Critical::Install
            | Critical::Trust
            | Critical::Allow
            | Critical::Revoke
            | Critical::Release
            | Critical::Setting => Self::Refuse,
        }
    }
}

impl SealedPrompt {
    /// Its name.
    pub fn id(&self) -> PromptId {
        self.id
    }

    /// The family of the act, or of the weightiest in a bundle.
    pub fn family(&self) -> Critical {
        self.family
    }

    /// The deal it belongs to.
    pub fn deal(&self) -> Option<DealId> {
        self.deal
    }

    /// The party because of which it is asked.
    pub fn peer(&self) -> Option<Kid> {
        self.peer
    }

    /// What must be shown, in order.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// What must be acknowledged.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What a confirmation takes.
    pub fn friction(&self) -> &Friction {
        &self.friction
    }

    /// The digest of what would be confirmed.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The exact texts that would be signed or acted upon.
    pub fn documents(&self) -> &[Vec<u8>] {
        &self.documents
    }

    /// The revision of the deal in which it was asked.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// When it can no longer be confirmed.
    pub fn expires(&self) -> Moment {
        self.expires
    }

    /// What is done if nobody answers.
    pub fn on_expiry(&self) -> SafeDefault {
        SafeDefault::of(self.family)
    }
}

impl DisplayRecord {
    /// The prompt it records.
    pub fn prompt(&self) -> PromptId {
        self.prompt
    }

    /// The family of the act.
    pub fn family(&self) -> Critical {
        self.family
    }

    /// The digest of what was confirmed.
    pub fn confirmed(&self) -> Digest {
        self.digest
    }

    /// The deal it belongs to.
    pub fn deal(&self) -> Option<DealId> {
        self.deal
    }

    /// What was shown.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// How it was confirmed.
    pub fn gesture(&self) -> Gesture {
        self.gesture
    }

    /// The sum that was shown as leaving: all that is taken, or else the amount.
    pub fn amount(&self) -> Option<Money> {
        [FactKey::Total, FactKey::Amount].into_iter().find_map(|key| {
            self.facts.iter().find_map(|fact| match &fact.value {
                FactValue::Money(money) if fact.key == key => Some(*money),
                _ => None,
            })
        })
    }

    /// Its digest, by which permits and evidence name it: SHA-256 of its encoding in the journal.
    pub fn digest(&self) -> Digest {
        // Everything in a record was within the limits of a prompt, so it always has an encoding; a record
        // that had none would have the digest of nothing, which no journal entry has.
        Digest::of(&wire::encode(self, wire::STATE_LIMIT).unwrap_or_default())
    }
}
