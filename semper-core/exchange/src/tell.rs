//! What a person is told about an exchange.
//!
//! A code stands for one meaning; the window words it and fills in facts from verified data, and shows
//! nothing stronger than the code allows. U7 in particular says *not decided*: whoever asked to stop may
//! still find the exchange completed.

use serde::{Deserialize, Serialize};

/// The codes of fair-exchange protocols. The text of `U7` is the message `exchange-u07` and so on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Code {
    /// Nothing is committed; one can leave now.
    U1,
    /// The offer is signed; the other side can take it up until it is withdrawn, which the arbiter decides.
    U2,
    /// Both agreed; nothing has been handed over.
    U3,
    /// The payment has been ordered, the bank has not confirmed.
    U4,
    /// Paid; if the item does not come, the arbiter supplies it or returns the money.
    U5,
    /// Handed over; if the counterpart does not come, the arbiter supplies it or undoes.
    U6,
    /// Asked to stop; it is not decided, and the answer may be "cancelled" or "completed".
    U7,
    /// Asked the arbiter to complete.
    U8,
    /// Completed, with the item verified.
    U9,
    /// Completed by the arbiter, whose replacement counts as the other side's item.
    U10,
    /// Cancelled, certified by the arbiter.
    U11,
    /// What came does not match; it was not accepted, and the arbiter is being asked.
    U12,
    /// Arbiter or bank cannot be reached; nothing is lost by waiting.
    U13,
    /// Not made good automatically: the other side cheated, there is proof, a dispute can be opened.
    U14,
    /// The arbiter's answer contradicts itself or its duties.
    U15,
    /// After a deadline the arbiter no longer helps.
    U16,
    /// Declined; nothing was committed.
    U17,
}

impl Code {
    /// The dotted key of its text.
    pub const fn key(self) -> &'static str {
        match self {
            Self::U1 => "exchange.u01",
            Self::U2 => "exchange.u02",
            Self::U3 => "exchange.u03",
            Self::U4 => "exchange.u04",
            Self::U5 => "exchange.u05",
            Self::U6 => "exchange.u06",
            Self::U7 => "exchange.u07",
            Self::U8 => "exchange.u08",
            Self::U9 => "exchange.u09",
            Self::U10 => "exchange.u10",
            Self::U11 => "exchange.u11",
            Self::U12 => "exchange.u12",
            Self::U13 => "exchange.u13",
            Self::U14 => "exchange.u14",
            Self::U15 => "exchange.u15",
            Self::U16 => "exchange.u16",
            Self::U17 => "exchange.u17",
        }
    }
}
