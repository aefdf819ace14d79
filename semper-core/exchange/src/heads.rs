//! Heads of a third party's journal, and what their holders can check.
//!
//! Every line of the journal holds the hash of the line before, so a signed head holds the third party to all
//! that it did until then: it cannot take a decision out, put one in, or date one back without contradicting
//! a head that somebody has. DECISION is such a head itself, since it names the hash of the line before its own.
//!
//! ```text
//! DECISION: index, prev          HEAD: seq, hash          a later HEAD
//!              |                        |                       |
//!   ... line index-1 <- line index <- ... <- line seq <- ... <- line seq'
//!                       its payload names DECISION
//! ```
//!
//! Nothing here believes the third party: what it answers is compared with what it signed.

use semper_supporting::{
    archive::journal::{self, Chain, Line},
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    evidence::{Signable, SignedBytes, Statement, Verified, signed::EvidenceError},
    fault::{Blame, Fault, Standing},
    time::Moment,
};
use serde::{Deserialize, Serialize};

use crate::message::{Decision, Receipt};

/// The most lines of a journal that one answer holds.
pub const MOST_LINES: usize = 1024;

/// HEAD: what the journal of a third party had come to, in its own words.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Head {
    /// SHA-256 of its certificate.
    pub cert_t: Digest,
    /// The number of the last line.
    pub seq: u64,
    /// The hash of that line.
    pub hash: Digest,
    /// When it was signed, by the third party's clock.
    pub at: Moment,
    /// The key that signs.
    pub signer: Kid,
}

impl Statement for Head {
    const TYPE: &'static str = "t/head";
}

impl Signable for Head {
    fn signer(&self) -> Kid {
        self.signer
    }
}

impl Head {
    /// The place in the journal that it speaks of.
    pub const fn place(&self) -> journal::Head {
        journal::Head { seq: self.seq, hash: self.hash }
    }
}

/// What a statement of the third party says about its own place in the journal.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Indexed {
    /// The number of its line.
    pub index: u64,
    /// The hash of the line before, where it says so.
    pub prev: Option<Digest>,
    /// SHA-256 of the statement.
    pub statement: Digest,
}

impl From<&Verified<Receipt>> for Indexed {
    fn from(receipt: &Verified<Receipt>) -> Self {
        Self { index: receipt.journal_index, prev: None, statement: receipt.digest() }
    }
}

impl From<&Verified<Decision>> for Indexed {
    fn from(decision: &Verified<Decision>) -> Self {
        Self {
            index: decision.journal_index,
            prev: Some(decision.journal_prev),
            statement: decision.digest(),
        }
    }
}

impl Indexed {
    /// The head that it is itself: the journal before its line.
    pub fn before(&self) -> Option<journal::Head> {
        self.prev.map(|hash| journal::Head { seq: self.index.saturating_sub(1), hash })
    }
}

/// Where a statement stands, as the third party shows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Place {
    /// A signed head at or after the line.
    pub head: SignedBytes,
    /// The lines from the statement's own to the head's, each without its LF.
    pub lines: Vec<String>,
    /// The salt of the first.
    pub salt: [u8; 32],
    /// The payload of the first: one line of text for each thing done in that step.
    pub payload: Vec<u8>,
}

/// Why what a third party shows of its journal does not hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JournalFault {
    /// The head is not the third party's.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The head is that of another third party.
    #[error("the head speaks of another journal")]
    Foreign,
    /// A line does not follow from the one before.
    #[error("line {0} of the journal does not follow from the one before")]
    Broken(u64),
    /// The lines do not begin or end where they should.
    #[error("the lines do not lead from the one place to the other")]
    Elsewhere,
    /// The line does not name the statement.
    #[error("the line of the journal is about something else")]
    Unnamed,
}

impl Fault for JournalFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Evidence(error) => error.code(),
            Self::Foreign => "exchange.journal-foreign",
            Self::Broken(_) => "exchange.journal-broken",
            Self::Elsewhere => "exchange.journal-elsewhere",
            Self::Unnamed => "exchange.journal-unnamed",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Authority
    }

    fn standing(&self) -> Standing {
        Standing::Undecided
    }
}

impl Place {
    /// Checks that the statement stands where it says, in the journal of the third party with this certificate
    /// and key, and gives the head that commits to it.
    ///
    /// # Errors
    /// [`JournalFault`]: the third party shows something other than it signed.
    pub fn check(
        &self,
        statement: &Indexed,
        certificate: Digest,
        key: &PublicKey,
    ) -> Result<Verified<Head>, JournalFault> {
        let head: Verified<Head> = self.head.clone().verify(key)?;
        if head.cert_t != certificate {
            return Err(JournalFault::Foreign);
        }
        let lines = parsed(&self.lines, statement.index)?;
        let first = lines.first().ok_or(JournalFault::Elsewhere)?;
        if first.seq != statement.index || statement.prev.is_some_and(|prev| prev != first.prev) {
            return Err(JournalFault::Elsewhere);
        }
        let before = journal::Head { seq: first.seq.saturating_sub(1), hash: first.prev };
        follow(before, &lines, head.place())?;
        if first.opens(&self.salt, &self.payload) && says(&self.payload, &statement.statement) {
            Ok(head)
        } else {
            Err(JournalFault::Unnamed)
        }
    }
}

/// Checks that the lines after `from` lead to `to`: whoever holds both heads knows then that nothing up to `from`
/// was changed since.
///
/// # Errors
/// [`JournalFault::Broken`] and [`JournalFault::Elsewhere`].
pub fn lead(from: journal::Head, lines: &[String], to: journal::Head) -> Result<(), JournalFault> {
    follow(from, &parsed(lines, from.seq.saturating_add(1))?, to)
}

/// Whether two heads, or a head and a DECISION, of one third party prove that it keeps two journals.
pub fn contradict(one: journal::Head, other: journal::Head) -> bool {
    one.seq == other.seq && one.hash != other.hash
}

/// Whether the payload of a line says that this statement was made in its step.
pub fn says(payload: &[u8], statement: &Digest) -> bool {
    let statement = statement.to_string();
    let Ok(text) = std::str::from_utf8(payload) else { return false };
    text.lines().any(|line| {
        line.strip_prefix("say ")
            .and_then(|rest| rest.split_once(' '))
            .is_some_and(|(_, hash)| hash == statement)
    })
}

fn parsed(lines: &[String], first: u64) -> Result<Vec<Line>, JournalFault> {
    let numbered = lines.iter().zip(first..);
    numbered.map(|(text, seq)| Line::parse(text).ok_or(JournalFault::Broken(seq))).collect()
}

fn follow(from: journal::Head, lines: &[Line], to: journal::Head) -> Result<(), JournalFault> {
    let mut place = from;
    let mut chain: Option<Chain> = None;
    for line in lines {
        match &mut chain {
            None if line.seq != from.seq.saturating_add(1) || line.prev != from.hash => {
                return Err(JournalFault::Elsewhere);
            }
            None => chain = Some(Chain::at(line)),
            Some(chain) => chain.follow(line).map_err(|broken| JournalFault::Broken(broken.seq))?,
        }
        place = journal::Head { seq: line.seq, hash: line.hash() };
    }
    if place == to { Ok(()) } else { Err(JournalFault::Elsewhere) }
}
