//! Why nobody was asked, an answer does not count, or a key does not sign, as faults: whose doing it is, and
//! that nothing has moved.
//!
//! Everything here happens before a signature exists, so nothing can have moved because of it.

use super::{
    facts::FactError,
    gate::{AnswerFault, GateError},
    permit::PermitError,
    pin::PinError,
    queue::TrayError,
    text::TextRefused,
};
use crate::{
    access::Denied,
    crypto::keys::KeyError,
    fault::{Blame, Fault, Standing},
};

/// Implements [`Fault`] for types that have their code already, and whose faults leave everything where it was;
/// a star stands where that code is asked of a copy.
macro_rules! before_any_signature {
    ($($name:ident($($copied:tt)?): |$fault:ident| $blame:expr;)*) => { $(
        impl Fault for $name {
            fn code(&self) -> &'static str {
                // The method of the type itself, which comes before that of the trait.
                $name::code($($copied)? self)
            }

            fn blame(&self) -> Blame {
                let $fault = self;
                $blame
            }

            fn standing(&self) -> Standing {
                Standing::NothingMoved
            }
        }
    )* };
}

before_any_signature! {
    GateError(): |fault| match fault {
        GateError::Facts(error) => error.blame(),
        GateError::Statement(_) | GateError::Word(_) | GateError::Bundle => Blame::Ourselves,
        GateError::TooLate => Blame::Network,
    };
    AnswerFault(*): |fault| match fault {
        AnswerFault::Gesture | AnswerFault::Pin | AnswerFault::Retype | AnswerFault::Warning => Blame::User,
        AnswerFault::OtherPrompt | AnswerFault::OtherDigest | AnswerFault::Kind | AnswerFault::Clock => {
            Blame::Ourselves
        }
    };
    FactError(*): |fault| match fault {
        FactError::Text(_) | FactError::Mismatch | FactError::Claimed(_) => Blame::Peer,
        FactError::Sum => Blame::User,
        FactError::Missing(_) | FactError::Twice(_) | FactError::Word(_) => Blame::Ourselves,
    };
    TextRefused(*): |_fault| Blame::Peer;
    PermitError(*): |fault| match fault {
        PermitError::Expired => Blame::User,
        PermitError::WrongObject => Blame::Ourselves,
    };
    TrayError(): |fault| match fault {
        TrayError::Full => Blame::Peer,
        TrayError::Name => Blame::Ourselves,
        TrayError::Gate(error) => error.blame(),
    };
    PinError(*): |fault| match fault {
        PinError::Weak | PinError::Wrong { .. } | PinError::Resting { .. } => Blame::User,
        PinError::Derivation => Blame::Ourselves,
    };
    KeyError(): |fault| match fault {
        KeyError::Permit(error) => error.blame(),
        KeyError::Certificate(fault) => fault.blame(),
        KeyError::Unknown(_)
        | KeyError::WrongPurpose { .. }
        | KeyError::Exists(_)
        | KeyError::Signer { .. }
        | KeyError::Statement(_)
        | KeyError::VerifyFailed
        | KeyError::Wrapped => Blame::Ourselves,
    };
    Denied(*): |fault| match fault {
        Denied::Table { .. } | Denied::Grade { .. } | Denied::Foreign => Blame::Peer,
        Denied::WouldName
        | Denied::WouldTell
        | Denied::Sum
        | Denied::Ceiling
        | Denied::PerDeal
        | Denied::PerDay => Blame::User,
        Denied::Misfit { .. } | Denied::Unwritable => Blame::Ourselves,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tinguin::FactKey;

    #[test]
    fn a_fault_has_the_code_of_its_type_and_says_whose_doing_it_is() {
        let faults: [(&dyn Fault, &str, Blame); 9] = [
            (&GateError::TooLate, "tinguin.too-late", Blame::Network),
            (&GateError::Facts(FactError::Mismatch), "tinguin.mismatch", Blame::Peer),
            (&AnswerFault::Gesture, "tinguin.gesture", Blame::User),
            (&FactError::Missing(FactKey::Amount), "tinguin.missing-fact", Blame::Ourselves),
            (&TextRefused::Marks, "text.marks", Blame::Peer),
            (&PinError::Wrong { left: 2 }, "key.pin-wrong", Blame::User),
            (&TrayError::Gate(GateError::Bundle), "tinguin.bundle", Blame::Ourselves),
            (&KeyError::Permit(PermitError::Expired), "permit.expired", Blame::User),
            (&Denied::Ceiling, "money.ceiling", Blame::User),
        ];
        for (fault, code, blame) in faults {
            assert_eq!((fault.code(), fault.blame()), (code, blame));
            assert_eq!(fault.standing(), Standing::NothingMoved);
        }
    }
}
