//! The security attributes that a deal signals and a transfer carries: one vocabulary for all layers.

use std::fmt;

use semper_supporting::deal::{Anonymity, Attributes, Confidentiality, EvidenceLevel};
use serde::{Deserialize, Serialize};

/// The attributes of a deal, by name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attribute {
    /// What the bank learns about this party's business.
    AnonymityBank,
    /// Whether the network address is hidden.
    AnonymityNetwork,
    /// What the peer learns about this party.
    AnonymityPeer,
    /// What a third party learns.
    AnonymityThird,
    /// How keys are kept and who certified them.
    Assurance,
    /// How content is protected on its way.
    Confidentiality,
    /// Whether a standing instruction may approve small repeated steps.
    Consent,
    /// In which currencies money may move.
    Currency,
    /// What is proved about each item.
    Evidence,
    /// Law, consumer protection and venue.
    Jurisdiction,
    /// How long what was moved is kept.
    Retention,
    /// Who decides when an exchange goes wrong.
    ThirdParty,
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AnonymityBank => "anonymity.bank",
            Self::AnonymityNetwork => "anonymity.network",
            Self::AnonymityPeer => "anonymity.peer",
            Self::AnonymityThird => "anonymity.third",
            Self::Assurance => "assurance",
            Self::Confidentiality => "confidentiality",
            Self::Consent => "consent",
            Self::Currency => "currency",
            Self::Evidence => "evidence",
            Self::Jurisdiction => "jurisdiction",
            Self::Retention => "retention",
            Self::ThirdParty => "third_party",
        })
    }
}

/// How one transfer, or one part of a package, is protected. Integrity always is: everything that moves is
/// named by its hash under a signature.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Security {
    /// What the peer learns about the sender.
    pub anonymity_peer: Anonymity,
    /// What the bank learns.
    pub anonymity_bank: Anonymity,
    /// What a third party learns.
    pub anonymity_third: Anonymity,
    /// How content is protected.
    pub confidentiality: Confidentiality,
    /// What is proved: the sender's origin, the recipient's receipt, a time stamp.
    pub evidence: EvidenceLevel,
    /// How long it is kept, in days.
    pub retention_days: u32,
}

/// Attributes of one part of a package that are stronger than those around it; absent ones are inherited.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Strengthening {
    /// What the peer learns about the sender.
    pub anonymity_peer: Option<Anonymity>,
    /// What the bank learns.
    pub anonymity_bank: Option<Anonymity>,
    /// What a third party learns.
    pub anonymity_third: Option<Anonymity>,
    /// How content is protected.
    pub confidentiality: Option<Confidentiality>,
    /// What is proved.
    pub evidence: Option<EvidenceLevel>,
    /// How long it is kept, in days.
    pub retention_days: Option<u32>,
}

impl Security {
    /// What a deal demands of everything that moves in it, kept for `retention_days`.
    pub fn of_deal(attributes: &Attributes, retention_days: u32) -> Self {
        Self {
            anonymity_peer: attributes.anonymity_peer,
            anonymity_bank: attributes.anonymity_bank,
            anonymity_third: attributes.anonymity_third,
            confidentiality: attributes.confidentiality,
            evidence: attributes.evidence,
            retention_days,
        }
    }

    /// The protection of a part: this one, with what the part strengthens. Nothing if it weakens any.
    #[must_use]
    pub fn strengthened(self, by: &Strengthening) -> Option<Self> {
        Some(Self {
            anonymity_peer: stronger(self.anonymity_peer, by.anonymity_peer)?,
            anonymity_bank: stronger(self.anonymity_bank, by.anonymity_bank)?,
            anonymity_third: stronger(self.anonymity_third, by.anonymity_third)?,
            confidentiality: stronger(self.confidentiality, by.confidentiality)?,
            evidence: stronger(self.evidence, by.evidence)?,
            retention_days: stronger(self.retention_days, by.retention_days)?,
        })
    }

    /// The attributes in which this protection falls short of `needed`.
    pub fn shortfalls(&self, needed: &Self) -> Vec<Attribute> {
        [
            (Attribute::AnonymityPeer, self.anonymity_peer < needed.anonymity_peer),
            (Attribute::AnonymityBank, self.anonymity_bank < needed.anonymity_bank),
            (Attribute::AnonymityThird, self.anonymity_third < needed.anonymity_third),
            (Attribute::Confidentiality, self.confidentiality < needed.confidentiality),
            (Attribute::Evidence, self.evidence < needed.evidence),
            (Attribute::Retention, self.retention_days < needed.retention_days),
        ]
        .into_iter()
        .filter_map(|(attribute, short)| short.then_some(attribute))
        .collect()
    }
}

fn stronger<T: Ord>(inherited: T, own: Option<T>) -> Option<T> {
    match own {
        None => Some(inherited),
        Some(own) => (own >= inherited).then_some(own),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Security {
        Security { confidentiality: Confidentiality::Item, retention_days: 30, ..Security::default() }
    }

    #[test]
    fn a_part_inherits_what_it_does_not_say() {
        assert_eq!(whole().strengthened(&Strengthening::default()), Some(whole()));
        let kept = Strengthening { retention_days: Some(60), ..Strengthening::default() };
        assert_eq!(whole().strengthened(&kept), Some(Security { retention_days: 60, ..whole() }));
    }

    #[test]
    fn a_part_never_weakens_the_whole() {
        let open =
            Strengthening { confidentiality: Some(Confidentiality::Channel), ..Strengthening::default() };
        assert_eq!(whole().strengthened(&open), None);
    }

    #[test]
    fn shortfalls_are_named() {
        let needed = Security { evidence: EvidenceLevel::Notarised, ..whole() };
        assert_eq!(whole().shortfalls(&needed), [Attribute::Evidence]);
        assert!(needed.shortfalls(&whole()).is_empty());
    }
}
