//! Where a payment stands, and which step from there is possible at all.

use serde::{Deserialize, Serialize};

/// Where a payment stands, at one party.
///
/// ```text
/// Created -> Approved -> InFlight -> Held? -> Succeeded -> Settled
///                           |         |          +--> Refunded
///                           |         +--> Refunded
///                           +--> Failed (proven) | Unknown
/// ```
///
/// A payment fails only with proof that the value cannot move later; until then it is [`Status::Unknown`],
/// and only somebody who knows ends that.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Nothing left the purse.
    Created,
    /// The user has approved; nothing left the purse.
    Approved,
    /// The value is reserved in the purse and may or may not have moved.
    InFlight,
    /// The value may have moved. It is neither spendable nor lost until the bank has said which.
    Unknown,
    /// The value left the purse and is not with the payee: the bank holds it.
    Held,
    /// The debt is paid and the evidence is held; the bank can still undo it within its window.
    Succeeded,
    /// The value is on the payee's account for good.
    Settled,
    /// The value came back.
    Refunded,
    /// The value never moved and cannot any more; proven.
    Failed,
}

impl Status {
    /// Whether a payment that stands here may come to stand at `next`.
    pub fn may_become(self, next: Self) -> bool {
        use Status::{Approved, Created, Failed, Held, InFlight, Refunded, Settled, Succeeded, Unknown};
        match self {
            Created => matches!(next, Approved | Failed),
            Approved => matches!(next, InFlight | Failed),
            InFlight => matches!(next, Unknown | Held | Succeeded | Refunded | Failed),
            Unknown => matches!(next, Held | Succeeded | Settled | Refunded | Failed),
            Held => matches!(next, Succeeded | Refunded),
            Succeeded => matches!(next, Settled | Refunded),
            Settled | Refunded | Failed => false,
        }
    }

    /// Whether nothing happens to the payment any more without an order of a judge.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Settled | Self::Refunded | Self::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Status; 9] = [
        Status::Created,
        Status::Approved,
        Status::InFlight,
        Status::Unknown,
        Status::Held,
        Status::Succeeded,
        Status::Settled,
        Status::Refunded,
        Status::Failed,
    ];

    #[test]
    fn no_status_is_reached_again_and_final_ones_end() {
        for from in ALL {
            assert!(!from.may_become(from));
            assert_eq!(from.is_final(), ALL.iter().all(|to| !from.may_become(*to)), "{from:?}");
        }
        assert!(
            !Status::Succeeded.may_become(Status::Failed),
            "what was paid never becomes unpaid by itself"
        );
    }
}
