//! What a person has answered already: the prompt that covers a move, and instructions that stand.

use serde::{Deserialize, Serialize};

use super::{Action, Case, Grade, Subject, class::Class};
use crate::{
    crypto::{digest::Digest, signature::Kid},
    deal::DealId,
    money::Money,
    time::Moment,
    tinguin::{Critical, DisplayRecord, Rule},
};

/// A confirmed prompt, as far as it covers what follows from it.
///
/// The messages of an approved move need no prompt of their own; their permits name this one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Covering {
    pub(crate) record: Digest,
    pub(crate) family: Critical,
    pub(crate) deal: DealId,
    pub(crate) amount: Option<Money>,
}

/// An instruction that stands until it is used up: small repeated steps that need no prompt each.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Standing {
    /// The digest of the instruction.
    pub instruction: Digest,
    /// The digest of the record of the prompt in which it was given.
    pub record: Digest,
    /// What it allows.
    pub action: Action,
    /// The party it allows it with.
    pub peer: Kid,
    /// The terms of business it allows it under, if only under these.
    pub terms: Option<Digest>,
    /// The most for one use, where money moves.
    pub per_use: Option<Money>,
    /// What is left of its total, where money moves.
    pub left: Option<Money>,
    /// How many uses are left.
    pub uses_left: u32,
    /// When it ends.
    pub until: Moment,
}

impl Covering {
    /// What the recorded prompt covers; nothing outside a deal.
    pub fn of(record: &DisplayRecord) -> Option<Self> {
        let (family, amount) = (record.family(), record.amount());
        record.deal().map(|deal| Self { record: record.digest(), family, deal, amount })
    }

    /// The digest of the record of what was displayed.
    pub fn record(&self) -> Digest {
        self.record
    }

    /// The deal it belongs to.
    pub fn deal(&self) -> DealId {
        self.deal
    }
}

impl Case<'_> {
    /// The rule by which the prompt that covers the move allows the act.
    pub(super) fn covered(&self) -> Option<Rule> {
        let covering = self.limits.covering?;
        if self.deal.is_none_or(|deal| deal.id != covering.deal) {
            return None;
        }
        let covers = match self.class {
            Class::Inquiry | Class::Protocol => true,
            Class::Payment => {
                matches!(covering.family, Critical::Pay | Critical::Exchange)
                    && self.facts.amount.is_some()
                    && self.facts.amount == covering.amount
            }
            Class::Item
            | Class::Commit
            | Class::Complaint
            | Class::Owner
            | Class::Seller
            | Class::Authority
            | Class::Journal
            | Class::Act => false,
        };
        covers.then_some(Rule::Covered { record: covering.record })
    }

    /// The rule by which the narrowest matching standing instruction allows the act.
    pub(super) fn within_standing(&self) -> Option<Rule> {
        let may_stand = match self.subject {
            Subject::User => true,
            Subject::Service { grade, .. } => *grade == Grade::Approved,
            Subject::BusinessApp { .. }
            | Subject::Peer { .. }
            | Subject::ApiKey { .. }
            | Subject::Operator { .. }
            | Subject::Authority { .. } => false,
        };
        if !may_stand || self.class == Class::Commit {
            return None;
        }
        let matching = self.limits.standing.iter().filter(|standing| self.lies_within(standing));
        let narrowest = matching.min_by_key(|standing| {
            let minor = |money: Option<Money>| money.map_or(u64::MAX, Money::minor);
            (minor(standing.per_use), minor(standing.left), standing.uses_left, standing.until)
        })?;
        let Standing { instruction, record, .. } = *narrowest;
        Some(Rule::Standing { instruction, record })
    }

    fn lies_within(&self, standing: &Standing) -> bool {
        let Some(deal) = self.deal else { return false };
        let within = |most: Option<Money>, amount: Money| most.is_some_and(|most| amount <= most);
        let sum = match self.action {
            Action::Pay => self
                .facts
                .amount
                .is_some_and(|amount| within(standing.per_use, amount) && within(standing.left, amount)),
            Action::SignDealKey | Action::ShowCredential => true,
            _ => false,
        };
        sum && standing.action == self.action
            && standing.peer == deal.peer.kid()
            && standing.terms.is_none_or(|terms| deal.terms == Some(terms))
            && standing.uses_left > 0
            && self.now < standing.until
    }
}
