//! The faults that can happen on the way, and how each sale has to end.

use clap::ValueEnum;
use serde::Serialize;

/// A cheat of one of the two sides.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    /// The shop takes the money and never sends the item: the arbiter opens the escrow.
    SilentMerchant,
    /// The customer never answers the offer: the arbiter calls the exchange off.
    SilentBuyer,
    /// The shop's escrow opens for nobody: the arbiter orders the payment back.
    BadSeal,
}

/// How one side of a sale has to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    /// Its outcome.
    pub(crate) outcome: &'static str,
    /// The code of what its user is told last.
    pub(crate) told: &'static str,
    /// Whether the money has moved.
    pub(crate) paid: bool,
    /// Whether the goods have.
    pub(crate) delivered: bool,
    /// Whether nothing is open any more.
    pub(crate) closed: bool,
}

/// How a sale has to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// For the customer.
    pub(crate) customer: Ending,
    /// For the merchant; nothing for one who cheats, whose program does not know of it.
    pub(crate) merchant: Option<Ending>,
    /// What the bank has done with the payment; nothing where it knows of none.
    pub(crate) payment: Option<&'static str>,
    /// What the arbiter has decided; nothing where it was not asked.
    pub(crate) decision: Option<&'static str>,
    /// Who is proved to have cheated, by the role in the exchange.
    pub(crate) cheat: Option<&'static str>,
}

const DONE: Ending =
    Ending { outcome: "done", told: "exchange.u09", paid: true, delivered: true, closed: true };

/// How a sale has to end.
pub(crate) const fn expected(fault: Option<Fault>) -> Expected {
    match fault {
        None => Expected {
            customer: DONE,
            merchant: Some(DONE),
            payment: Some("credited"),
            decision: None,
            cheat: None,
        },
        Some(Fault::SilentMerchant) => Expected {
            customer: Ending { told: "exchange.u10", closed: false, ..DONE },
            merchant: None,
            payment: Some("credited"),
            decision: Some("completed"),
            cheat: None,
        },
        Some(Fault::SilentBuyer) => Expected {
            customer: Ending {
                outcome: "open",
                told: "exchange.u01",
                paid: false,
                delivered: false,
                closed: false,
            },
            merchant: Some(Ending {
                outcome: "nothing",
                told: "exchange.u11",
                paid: false,
                delivered: false,
                closed: false,
            }),
            payment: Some("frozen"),
            decision: Some("aborted"),
            cheat: None,
        },
        Some(Fault::BadSeal) => Expected {
            customer: Ending {
                outcome: "nothing",
                told: "exchange.u11",
                paid: false,
                delivered: false,
                closed: false,
            },
            merchant: None,
            payment: Some("refunded"),
            decision: Some("aborted-revoked"),
            cheat: Some("originator"),
        },
    }
}

impl Fault {
    /// What the program of a cheating shop is told; nothing where the shop is honest.
    pub(crate) const fn cheat(self) -> Option<&'static str> {
        match self {
            Self::SilentMerchant => Some("withhold-item"),
            Self::BadSeal => Some("bad-escrow"),
            Self::SilentBuyer => None,
        }
    }

    /// The word more that the customer's program is given.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::SilentBuyer => "--silent",
            Self::SilentMerchant | Self::BadSeal => "--leave",
        }
    }
}
