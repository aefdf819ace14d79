//! Access control: who may do what, on which object, in which deal.
//!
//! [`decide`] is the only entry. It is total over closed lists, has no default, and refuses what it does not
//! know. Its answer is a permit, the family of the prompt in which a person is asked, or a refusal. A
//! standing instruction or the prompt that covers a move can turn *ask* into *allow*, never a refusal.

pub mod action;
pub mod class;
mod grade;
mod standing;
mod table;
#[cfg(test)]
mod tests;

pub use action::{Action, Grade, Subject, View};
pub use standing::{Covering, Standing};

use std::fmt;

use self::{
    class::Class,
    grade::Ruling,
    table::{Cell, Need},
};
use crate::{
    crypto::{keys::KeyPurpose, signature::Kid},
    deal::DealContext,
    evidence::statement::{Statement, StatementError},
    money::Money,
    time::Moment,
    tinguin::{Critical, MintedBy, Permit, Rule},
};

/// What is to be done: the statement that says it, and what access control must know of it.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a, T> {
    /// What would be signed, or the text of an act that nobody signs.
    pub statement: &'a T,
    /// What access control must know of it.
    pub facts: Facts<'a>,
}

/// What access control must know of an object, derived from it by the caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// What it costs, or pays back.
    pub amount: Option<Money>,
    /// What was paid, where it pays back.
    pub paid: Option<Money>,
    /// The kind of file, where one is opened.
    pub file: Option<FileKind>,
    /// The purpose of the key, where one is made or destroyed.
    pub key: Option<KeyPurpose>,
    /// The merchant whose shop it concerns, outside a deal.
    pub shop: Option<Kid>,
    /// What else is the case.
    pub circumstances: &'a [Circumstance],
}

/// Something that is the case and changes a decision.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Circumstance {
    /// The terms name it among their needs.
    Declared,
    /// The form was shown to the user.
    FormShown,
    /// Anybody may read it.
    PublicText,
    /// The terms make the move by themselves.
    Automatic,
    /// The program starts for the first time and is being set up.
    FirstStart,
}

/// The kind of a delivered file, by its media type.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FileKind {
    /// Plain text.
    Text,
    /// A PNG picture.
    Png,
    /// A JPEG picture.
    Jpeg,
    /// Anything else.
    Other,
}

/// The limits in force: preferences, the terms' needs, standing instructions, and the covering prompt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits<'a> {
    /// The most that one deal may cost (`money.per_deal`).
    pub per_deal: Option<Money>,
    /// The most that one day may cost (`money.per_day`).
    pub per_day: Option<Money>,
    /// What this deal has cost so far.
    pub spent_deal: Option<Money>,
    /// What this day has cost so far.
    pub spent_day: Option<Money>,
    /// The most real money for an uncertified service (`grade0.real_money`).
    pub uncertified_real: Option<Money>,
    /// The most that the terms of business need (`need.pay`).
    pub scope: Option<Money>,
    /// The standing instructions in force, with their counters.
    pub standing: &'a [Standing],
    /// The prompt that covers the move the object belongs to.
    pub covering: Option<&'a Covering>,
}

/// The answer of access control.
#[must_use = "a decision that is dropped decided nothing"]
pub enum Decision<T> {
    /// It may be done, once and soon.
    Allow(Permit<T>),
    /// A person is asked, in a prompt of this family.
    Ask(Critical),
    /// It may not be done.
    Deny(Denied),
}

/// Why something may not be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Denied {
    /// The table has no yes for this subject and action.
    #[error("not allowed to do this: {}", action.name())]
    Table {
        /// The action.
        action: Action,
    },
    /// The service is not believed enough.
    #[error("a service of grade {grade:?} may not do this: {}", action.name())]
    Grade {
        /// The action.
        action: Action,
        /// The grade of the service.
        grade: Grade,
    },
    /// It concerns another deal or shop than the subject's own.
    #[error("this belongs to another deal or shop")]
    Foreign,
    /// The statement does not say what the action does, or is of a type nobody gets a permit for.
    #[error("a statement of this type does not belong to the action {}", action.name())]
    Misfit {
        /// The action.
        action: Action,
    },
    /// The certified name would show through a pseudonym or anonymity.
    #[error("this signature would give the name away")]
    WouldName,
    /// Personal data would show through a pseudonym or anonymity.
    #[error("this form would give the person away")]
    WouldTell,
    /// The sum is missing or of a currency the limit does not know.
    #[error("the sum cannot be compared with its limit")]
    Sum,
    /// The deal would cost more than it may.
    #[error("the deal would cost more than its ceiling")]
    Ceiling,
    /// The deal would cost more than the user's limit.
    #[error("the deal would cost more than the limit for one deal")]
    PerDeal,
    /// The day would cost more than the user's limit.
    #[error("the day would cost more than the limit for one day")]
    PerDay,
    /// The statement cannot be written.
    #[error("the statement cannot be written")]
    Unwritable,
}

impl Denied {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::Table { .. } | Self::Grade { .. } => "access.denied",
            Self::Foreign => "access.foreign",
            Self::Misfit { .. } => "access.misfit",
            Self::WouldName => "anon.signature",
            Self::WouldTell => "anon.form",
            Self::Sum => "money.sum",
            Self::Ceiling => "money.ceiling",
            Self::PerDeal => "money.per-deal",
            Self::PerDay => "money.per-day",
            Self::Unwritable => "stmt.unwritable",
        }
    }
}

/// Decides whether `subject` may do `action` on `object`, now, in `deal` and within `limits`.
///
/// Where it may be done without asking, the answer holds the permit, bound to the exact bytes of the
/// object's statement.
pub fn decide<T: Statement>(
    subject: &Subject,
    action: Action,
    object: &Object<'_, T>,
    deal: Option<&DealContext>,
    limits: &Limits<'_>,
    now: Moment,
) -> Decision<T> {
    let Some(class) = class::of(T::TYPE).filter(|class| fits(subject, action, *class, T::TYPE)) else {
        return Decision::Deny(Denied::Misfit { action });
    };
    let case = Case { subject, action, class, facts: &object.facts, deal, limits, now };
    match case.verdict() {
        Verdict::Allow(rule) => {
            let id = deal.map(|deal| deal.id);
            match Permit::mint(object.statement, id, MintedBy::Rule(rule), now) {
                Ok(permit) => Decision::Allow(permit),
                Err(
                    StatementError::Form { .. } | StatementError::Type { .. } | StatementError::Unwritable(_),
                ) => Decision::Deny(Denied::Unwritable),
            }
        }
        Verdict::Ask(family) => Decision::Ask(family),
        Verdict::Deny(why) => Decision::Deny(why),
    }
}

/// A question to access control, without the type of the statement.
pub(crate) struct Case<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) action: Action,
    pub(crate) class: Class,
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) deal: Option<&'a DealContext>,
    pub(crate) limits: &'a Limits<'a>,
    pub(crate) now: Moment,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Allow(Rule),
    Ask(Critical),
    Deny(Denied),
}

impl Case<'_> {
    pub(crate) fn verdict(&self) -> Verdict {
        if let Some(why) = self.refusal() {
            return Verdict::Deny(why);
        }
        let no = Verdict::Deny(Denied::Table { action: self.action });
        match table::cell(self.subject, self.action) {
            Cell::No => no,
            Cell::Yes => Verdict::Allow(self.plain()),
            Cell::YesIf(need) if self.meets(need) => Verdict::Allow(self.plain()),
            Cell::YesIf(need) | Cell::AskIf(need) if self.is_foreign(need) => Verdict::Deny(Denied::Foreign),
            Cell::YesIf(_) => no,
            Cell::YesOrAsk(need) if self.meets(need) => Verdict::Allow(self.plain()),
            Cell::AskIf(need) if !self.meets(need) => no,
            Cell::YesOrAsk(_) | Cell::Ask | Cell::AskIf(_) => self.ask(),
            Cell::Graded => match self.by_grade() {
                Ruling::Yes => Verdict::Allow(self.plain()),
                Ruling::Ask => self.ask(),
                Ruling::No(why) => Verdict::Deny(why),
            },
        }
    }

    /// What no cell of the table can allow.
    fn refusal(&self) -> Option<Denied> {
        let own = match self.subject {
            Subject::Service { deal, .. } | Subject::BusinessApp { deal } | Subject::Peer { deal } => {
                Some(*deal)
            }
            Subject::User | Subject::ApiKey { .. } | Subject::Operator { .. } | Subject::Authority { .. } => {
                None
            }
        };
        if let (Some(own), Some(deal)) = (own, self.deal)
            && own != deal.id
        {
            return Some(Denied::Foreign);
        }
        self.anonymity().or_else(|| self.money())
    }

    fn anonymity(&self) -> Option<Denied> {
        let view = View::of(&self.deal?.me);
        match self.action {
            Action::SignIdentity if view != View::Identified => Some(Denied::WouldName),
            Action::SendFormContact | Action::SendFormAddress if view == View::Anonymous => {
                Some(Denied::WouldTell)
            }
            _ => None,
        }
    }

    fn money(&self) -> Option<Denied> {
        if !matches!(self.action, Action::Pay | Action::PayBeforeContract) {
            return None;
        }
        let Some(amount) = self.facts.amount else { return Some(Denied::Sum) };
        let Some(total) = self.limits.deal_total(amount) else { return Some(Denied::Sum) };
        if let Some(ceiling) = self.deal.and_then(|deal| deal.ceiling) {
            if ceiling.currency != total.currency {
                return Some(Denied::Sum);
            }
            if total > ceiling {
                return Some(Denied::Ceiling);
            }
        }
        // The user's limits are of real money: play money is nothing they protect.
        if amount.currency.is_play() {
            return None;
        }
        if self.limits.per_deal.is_some_and(|most| total > most) {
            return Some(Denied::PerDeal);
        }
        let day = match self.limits.spent_day {
            Some(spent) if spent.currency == amount.currency => spent.checked_add(amount).ok(),
            Some(_) | None => Some(amount),
        };
        match (day, self.limits.per_day) {
            (None, _) => Some(Denied::Sum),
            (Some(day), Some(most)) if day > most => Some(Denied::PerDay),
            (Some(_), _) => None,
        }
    }

    fn by_grade(&self) -> Ruling {
        match self.subject {
            Subject::Service { grade, .. } if self.is_own() => {
                grade::rule(self.action, *grade, self.facts, self.limits)
            }
            Subject::Service { .. } => Ruling::No(Denied::Foreign),
            Subject::User
            | Subject::BusinessApp { .. }
            | Subject::Peer { .. }
            | Subject::ApiKey { .. }
            | Subject::Operator { .. }
            | Subject::Authority { .. } => Ruling::No(Denied::Table { action: self.action }),
        }
    }

    /// Asks, unless a person has already answered.
    fn ask(&self) -> Verdict {
        if let Some(rule) = self.covered().or_else(|| self.within_standing()) {
            return Verdict::Allow(rule);
        }
        Verdict::Ask(match self.class {
            Class::Commit => Critical::Exchange,
            _ => table::family(self.action),
        })
    }

    /// The rule of a plain yes.
    fn plain(&self) -> Rule {
        match self.subject {
            Subject::Operator { policy } | Subject::Authority { policy } => Rule::Policy { policy: *policy },
            Subject::User
            | Subject::Service { .. }
            | Subject::BusinessApp { .. }
            | Subject::Peer { .. }
            | Subject::ApiKey { .. } => Rule::Table,
        }
    }

    fn is_own(&self) -> bool {
        match self.subject {
            Subject::Service { deal, .. } | Subject::BusinessApp { deal } | Subject::Peer { deal } => {
                self.deal.is_some_and(|context| context.id == *deal)
            }
            Subject::ApiKey { shop } => match self.deal {
                Some(context) => context.me.kid() == *shop,
                None => self.facts.shop == Some(*shop),
            },
            Subject::User | Subject::Operator { .. } | Subject::Authority { .. } => true,
        }
    }

    fn is_foreign(&self, need: Need) -> bool {
        match need {
            Need::Own | Need::OwnPublic | Need::WithinPaid | Need::DealKey | Need::Automatic => {
                !self.is_own()
            }
            Need::DealKeyOrFirstStart | Need::FirstStart => false,
        }
    }

    fn meets(&self, need: Need) -> bool {
        match need {
            Need::Own => self.is_own(),
            Need::OwnPublic => self.is_own() && self.facts.is(Circumstance::PublicText),
            Need::WithinPaid => {
                let (Some(amount), Some(paid)) = (self.facts.amount, self.facts.paid) else { return false };
                self.is_own() && amount <= paid
            }
            Need::DealKey => self.is_own() && self.facts.key == Some(KeyPurpose::Deal),
            Need::DealKeyOrFirstStart => {
                self.facts.key == Some(KeyPurpose::Deal) || self.facts.is(Circumstance::FirstStart)
            }
            Need::FirstStart => self.facts.is(Circumstance::FirstStart),
            Need::Automatic => self.is_own() && self.facts.is(Circumstance::Automatic),
        }
    }
}

/// Whether a statement of `kind` says what `action` does, in the mouth of `subject`.
fn fits(subject: &Subject, action: Action, class: Class, kind: &str) -> bool {
    let signs = matches!(action, Action::SignDealKey | Action::SignIdentity);
    let forms = matches!(action, Action::SendFormPlain | Action::SendFormContact | Action::SendFormAddress);
    let operator = matches!(subject, Subject::Operator { .. });
    let authority = matches!(subject, Subject::Authority { .. });
    match class {
        Class::Act => kind.strip_prefix("act/") == Some(action.name()),
        Class::Item | Class::Commit => signs && !authority,
        Class::Protocol => match kind {
            "deal-propose" if action == Action::OpenInvite => true,
            "deal-open" if action == Action::OpenDeal => true,
            "deal-close" if action == Action::CloseDeal => true,
            "x/xfer/message" if forms => true,
            _ => signs && !authority,
        },
        Class::Payment => match action {
            Action::Pay | Action::PayBeforeContract | Action::Refund | Action::LoadPurse => true,
            _ => signs && (operator || authority),
        },
        Class::Inquiry => action == Action::ReadDealState || (signs && !authority),
        Class::Complaint => match action {
            Action::AcceptVerdict => kind == "d/accept",
            _ => action == Action::Complain,
        },
        Class::Owner => match kind {
            "revoke-own" => action == Action::Revoke,
            "dossier" => action == Action::ExportEvidence,
            "cred/delegation" => action == Action::ShowCredential,
            _ => action == Action::Register,
        },
        Class::Seller => match action {
            Action::UploadService | Action::ActivateService => true,
            _ => signs && operator,
        },
        Class::Authority => signs && authority,
        Class::Journal => action == Action::KeepJournal,
    }
}

impl<T> fmt::Debug for Decision<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow(permit) => f.debug_tuple("Allow").field(permit).finish(),
            Self::Ask(family) => f.debug_tuple("Ask").field(family).finish(),
            Self::Deny(why) => f.debug_tuple("Deny").field(why).finish(),
        }
    }
}

impl<'a, T> Object<'a, T> {
    /// The object of `statement`, of which nothing else needs to be known.
    pub fn of(statement: &'a T) -> Self {
        Self { statement, facts: Facts::default() }
    }

    /// The object of `statement`, with what needs to be known.
    pub fn with(statement: &'a T, facts: Facts<'a>) -> Self {
        Self { statement, facts }
    }
}

impl Facts<'_> {
    /// Whether `circumstance` is the case.
    pub fn is(&self, circumstance: Circumstance) -> bool {
        self.circumstances.contains(&circumstance)
    }
}

impl Limits<'_> {
    /// What the deal will have cost after `amount`, if the sums can be added.
    fn deal_total(&self, amount: Money) -> Option<Money> {
        self.spent_deal.map_or(Some(amount), |spent| spent.checked_add(amount).ok())
    }
}
