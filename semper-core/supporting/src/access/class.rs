//! What a type of statement is to access control: who signs it at all, and whether a person is asked.

/// What a statement does to the party that signs it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// A statement item: its signer is bound by its words, so a person reads it first.
    Item,
    /// The message of an exchange that commits its signer: a person approves the packages first.
    Commit,
    /// A message of a protocol under a move that was approved, or of the deal it belongs to.
    Protocol,
    /// An order about money, or what answers one.
    Payment,
    /// A question to a bank about what stands in its books: it moves nothing and tells the bank nothing new.
    Inquiry,
    /// A step in a dispute.
    Complaint,
    /// An owner's statement about its own keys, records or rights.
    Owner,
    /// A merchant's statement about its terms of business.
    Seller,
    /// The word of an authority: a third party, a bank, an issuer, an evaluator.
    Authority,
    /// The head of an own journal.
    Journal,
    /// The text of an act that nobody signs.
    Act,
}

/// The class of statements of type `kind`; none for a type that access control does not know, which nobody
/// gets a permit for.
pub fn of(kind: &str) -> Option<Class> {
    if let Some((family, rest)) = kind.split_once('/') {
        return in_family(family, rest);
    }
    match kind {
        "offer" | "order" | "confirmation" | "refusal" | "receipt" | "dispatch" | "accepted" | "notice"
        | "contract" | "statement" => Some(Class::Item),
        "deal-propose" | "deal-accept" | "deal-open" | "deal-resume" | "deal-close" => Some(Class::Protocol),
        "rollover" | "dossier" | "certificate-request" | "revoke-own" => Some(Class::Owner),
        "service-terms" => Some(Class::Seller),
        "attribute" | "timestamp" | "service-evaluation" | "evaluation-revocations" | "issuer-list" => {
            Some(Class::Authority)
        }
        "journal-head" => Some(Class::Journal),
        _ => None,
    }
}

fn in_family(family: &str, rest: &str) -> Option<Class> {
    match family {
        "act" => Some(Class::Act),
        "x" => {
            let message = rest.rsplit('/').next().unwrap_or(rest);
            let commits = ["offer", "accept"].contains(&message) || message.starts_with("promise");
            Some(if commits { Class::Commit } else { Class::Protocol })
        }
        "t" => Some(match rest {
            "abort" | "resolve" | "status" | "deposit" => Class::Protocol,
            _ => Class::Authority,
        }),
        "d" => Some(match rest {
            "complaint" | "file" | "answer" | "withdraw" | "accept" => Class::Complaint,
            _ => Class::Authority,
        }),
        "a" => Some(Class::Authority),
        "cred" => Some(if rest == "delegation" { Class::Owner } else { Class::Authority }),
        "pay" => Some(match rest {
            "acct" | "tx-statement" | "declined" | "balance" | "descriptor" | "freeze" | "look" | "award" => {
                Class::Authority
            }
            "inspect" | "query" => Class::Inquiry,
            _ if rest.starts_with("neg-") => Class::Protocol,
            _ => Class::Payment,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::registry::TYPES;

    #[test]
    fn every_registered_type_has_a_class() {
        for kind in TYPES {
            assert!(of(kind).is_some(), "{kind} has no class: who may sign it?");
        }
        for kind in ["", "/", "offers", "y/offer", "Offer", "pay"] {
            assert_eq!(of(kind), None, "{kind}");
        }
    }

    #[test]
    fn what_binds_a_person_is_no_message_of_a_protocol() {
        for kind in ["order", "contract", "x/gxv/offer", "x/gxv/accept", "pay/pay", "d/file", "rollover"] {
            assert_ne!(of(kind), Some(Class::Protocol), "{kind}");
        }
        for kind in ["x/neg/propose", "x/neg/answer", "x/gxv/moved", "t/resolve", "pay/neg-c", "deal-open"] {
            assert_eq!(of(kind), Some(Class::Protocol), "{kind}");
        }
    }
}
