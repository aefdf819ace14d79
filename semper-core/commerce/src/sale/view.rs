//! What a window or a log shows of a sale: where it stands, who holds what, and until when.

use std::collections::BTreeMap;

use semper_exchange::tell::Code;
use semper_supporting::{
    deal::DealId,
    money::Money,
    time::{Moment, Span},
};
use serde::{Deserialize, Serialize};

use super::Timer;
use crate::deal::Outcome;

/// How far a sale is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaleStep {
    /// The deal is being opened.
    Opening,
    /// Forms, offers and orders go back and forth, as the terms say.
    Ordering,
    /// What is exchanged under which protocol is being settled.
    Negotiating,
    /// The means of payment are being settled.
    Means,
    /// OFFER is awaited, or being signed.
    Offering,
    /// ACCEPT is awaited, or being signed.
    Deciding,
    /// The payment is under way.
    Paying,
    /// The payment has happened, and the key is awaited.
    Delivering,
    /// The third party has been asked.
    Arbitrating,
    /// Nothing more moves.
    Ended,
}

/// How a sale ended.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum End {
    /// Before anything was committed: the dotted code of why.
    Refused(String),
    /// By the exchange.
    Exchanged(Outcome),
    /// Before any exchange, at this end of the terms.
    Terms(String),
}

/// A sale as a window shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SaleView {
    /// The deal, once it has a name.
    pub deal: Option<DealId>,
    /// The other side's certified name.
    pub peer: Option<String>,
    /// What is sold, in the seller's words.
    pub title: Option<String>,
    /// For how much.
    pub price: Money,
    /// How far it is.
    pub step: SaleStep,
    /// What the user was told last.
    pub code: Option<Code>,
    /// Whether the money has moved, by the bank's word.
    pub is_paid: bool,
    /// Whether the goods have: the buyer holds a key that was checked, the seller has sent it.
    pub is_delivered: bool,
    /// What is awaited at most until when.
    pub due: BTreeMap<Timer, Moment>,
    /// How it ended.
    pub end: Option<End>,
    /// Whether the deal is closed by both sides.
    pub is_closed: bool,
    /// The last thing that was not taken: a dotted code.
    pub fault: Option<String>,
}

/// What a machine remembers for its view.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Remembered {
    pub(super) code: Option<Code>,
    pub(super) fault: Option<String>,
    pub(super) due: BTreeMap<Timer, Moment>,
}

impl Remembered {
    /// Notes what a step orders.
    pub(super) fn note(&mut self, outputs: &[super::Output], at: Moment) {
        for output in outputs {
            match output {
                super::Output::Tell(code) => self.code = Some(*code),
                super::Output::Fault(code) => self.fault = Some((*code).to_owned()),
                super::Output::Set { timer, span } => {
                    let _ = self.due.insert(*timer, due(at, *span));
                }
                super::Output::Ended(_) => self.due.clear(),
                _ => {}
            }
        }
    }
}

fn due(at: Moment, span: Span) -> Moment {
    at.after(span)
}
