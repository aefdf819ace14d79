//! The words of the model: who steps, what can happen, what is said.

use semper_exchange::{
    deadlines::Timer,
    generatable_verifiable::{Originator, Responder, ThirdParty, third_party},
    message::{self, Message},
    tell::Code,
};
use semper_supporting::{crypto::digest::Digest, party::Role};
use semper_transfer::{
    package::LeafPath,
    property::{Look, RecordStatus, Side},
};

use super::common::Goods;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Honesty {
    Honest,
    Malicious,
}

/// One OFFER that may be made for the run.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    pub goods: Goods,
    /// What is sealed to the third party is not what was described.
    pub bad_seal: bool,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: &'static str,
    /// The first one is that of an honest originator.
    pub offers: Vec<Offered>,
    pub originator: Honesty,
    pub responder: Honesty,
    /// A second third party, which no offer names.
    pub two_third_parties: bool,
    /// No timers, nobody gives up, nothing crashes.
    pub calm: bool,
}

/// Who steps.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Who {
    O,
    R,
    T,
    /// The third party no offer names.
    T2,
}

impl Who {
    pub fn role(self) -> Role {
        match self {
            Self::O => Role::Originator,
            Self::R => Role::Responder,
            Self::T | Self::T2 => Role::ThirdParty,
        }
    }
}

/// What can happen to a machine in the model.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Happening {
    Deliver(u16),
    Elapsed(Timer),
    Stopped,
    Signed,
    Declined,
    Go,
    /// The bank's present record about the payment of this offer.
    Record(u8, RecordStatus),
    /// A result the third party waits for.
    Result(u8),
}

/// What a step orders, as far as the world changes by it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Effect {
    Say(u16),
    Start(u8),
    Order(u8),
    Tell(Code),
}

/// A message as the network carries it.
#[derive(Clone, Debug)]
pub struct Packet {
    pub message: Message,
    pub beside: Vec<Digest>,
    pub digest: Digest,
}

/// What the network needs to know of a message.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    pub id: u16,
    pub from: Role,
    pub to: Role,
    /// The message that must have been said before this one can be: ACCEPT, where it travels beside.
    pub needs: Option<u16>,
    pub fact: Fact,
}

/// What a message says, as far as a property asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fact {
    /// ACCEPT.
    Bound,
    /// DECISION about an offer; whether it names a cheat.
    Decided(u8, message::Outcome, bool),
    /// The originator's package, or a replacement of it, about an offer.
    Gives(u8),
    /// A replacement of one of the responder's leaves.
    Replaces(u8),
    /// RECEIPT of this request: the first bytes of its digest, and whose receipt.
    Receipt([u8; 8], bool),
    Other,
}

/// A machine of any role.
#[derive(Clone, Debug)]
pub enum Being {
    O(Originator),
    R(Responder),
    T(ThirdParty),
}

/// An order of a third party.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Order {
    pub who: Who,
    pub output: third_party::Output,
}

/// A result of such an order.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    Observed { offer: u8, leaf: LeafPath, look: Look, status: Option<RecordStatus> },
    Generated { offer: u8, side: Side, leaf: LeafPath, good: bool },
    Revoked { offer: u8, leaf: LeafPath, done: bool },
}
