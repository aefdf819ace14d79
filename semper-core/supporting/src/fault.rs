//! Faults, and the three things a person wants to know about one: where the money stands, what happened,
//! what to do.

/// Something that went wrong, in the words of the block it went wrong in.
///
/// The code is the name of the fault on the wire, in logs and in JSON (`purse.insufficient`). The texts
/// for people are messages whose id is the code with hyphens (`purse-insufficient`) and whose attributes
/// are `.standing` and `.advice`.
pub trait Fault: std::error::Error {
    /// The stable dotted code.
    fn code(&self) -> &'static str;

    /// Who caused it, as far as our own evidence shows.
    fn blame(&self) -> Blame;

    /// Where the user's money and goods are now.
    fn standing(&self) -> Standing;
}

/// Who caused a fault, as far as our own evidence shows.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Blame {
    /// What the user entered or chose.
    User,
    /// The other party of the deal.
    Peer,
    /// The third party, the bank or another authority.
    Authority,
    /// A connection, or a program that cannot be reached.
    Network,
    /// This program or the machine it runs on.
    Ourselves,
}

/// Where the user's money and goods are after a fault.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Standing {
    /// Nothing has moved, and nothing will because of this.
    NothingMoved,
    /// It is not known yet whether something moved; the state says so until somebody who knows has spoken.
    Undecided,
    /// What was given is held fairly: it comes back, or its counterpart comes.
    HeldFairly,
    /// What was given has been received, and its counterpart is in hand.
    Settled,
}
