//! Who takes part: the roles in an exchange, and how a party shows itself in a deal.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::crypto::{digest::Digest, signature::Kid};

/// A place in an exchange or at an authority, as the lines `from` and `to` write it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// The originator, `o`.
    Originator,
    /// The responder, `r`.
    Responder,
    /// The third party, `t`.
    ThirdParty,
    /// An authority that keeps a record: a bank, a credential issuer; `a`.
    Authority,
    /// Signer number `n` of a contract with several signers, `p<n>`.
    Signer(u8),
    /// Whoever it may concern, `*`.
    Everybody,
}

/// How a party shows itself in a deal.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum PartyView {
    /// By a certificate that names it.
    Identified {
        /// SHA-256 of the certificate's DER.
        certificate: Digest,
        /// The key that signs for it in this deal.
        kid: Kid,
        /// The name in the certificate, as it was verified.
        name: String,
    },
    /// By a pseudonym's certificate.
    Pseudonymous {
        /// SHA-256 of the certificate's DER.
        certificate: Digest,
        /// The key that signs for it in this deal.
        kid: Kid,
    },
    /// By a fresh key only.
    Anonymous {
        /// The key that signs for it in this deal.
        kid: Kid,
    },
}

impl PartyView {
    /// The key that signs for this party in this deal.
    pub fn kid(&self) -> Kid {
        match self {
            Self::Identified { kid, .. } | Self::Pseudonymous { kid, .. } | Self::Anonymous { kid } => *kid,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Originator => f.write_str("o"),
            Self::Responder => f.write_str("r"),
            Self::ThirdParty => f.write_str("t"),
            Self::Authority => f.write_str("a"),
            Self::Signer(n) => write!(f, "p{n}"),
            Self::Everybody => f.write_str("*"),
        }
    }
}

impl Role {
    /// Reads what a `from` or `to` line holds.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "o" => Self::Originator,
            "r" => Self::Responder,
            "t" => Self::ThirdParty,
            "a" => Self::Authority,
            "*" => Self::Everybody,
            other => {
                let n = other.strip_prefix('p')?;
                let role = Self::Signer(n.parse().ok()?);
                return (role.to_string() == other).then_some(role);
            }
        })
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not a role: o, r, t, a, p<n> or *"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_as_it_was_written() {
        let all = [
            Role::Originator,
            Role::Responder,
            Role::ThirdParty,
            Role::Authority,
            Role::Signer(7),
            Role::Everybody,
        ];
        for role in all {
            assert_eq!(Role::parse(&role.to_string()), Some(role));
        }
        for text in ["", "O", "p", "p07", "p256", "p-1", "x"] {
            assert_eq!(Role::parse(text), None, "{text}");
        }
    }
}
