//! The third party's rule of `gxv/1`, as pure functions of what the authorities said.
//!
//! ```text
//! ABORT:    freeze every transfer of the responder that an authority records
//!           all happened -> complete            else undo those that happened -> aborted
//! RESOLVE:  peek; all happened -> complete      any frozen -> as ABORT      else NOT-YET
//! complete: make every item of the originator   a seal is bad -> undo, or the loser has a claim
//! ```
//!
//! The freeze makes the answer final: after it, what has not happened never will (Asokan, Shoup, Waidner
//! 1998, for the shape of abort and resolve; the freeze at the authority is what lets it hold without clocks).

use std::collections::BTreeMap;

use semper_transfer::{
    package::LeafPath,
    property::{Class, Look},
};
use serde::{Deserialize, Serialize};

use crate::message::Outcome;

/// What a request asks for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Wish {
    /// ABORT.
    Abort,
    /// RESOLVE.
    Resolve,
}

/// What an authority said about one transfer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Seen {
    /// It took effect.
    Happened,
    /// It never will.
    Frozen,
    /// It has not taken effect and may still.
    NotYet,
}

/// What follows from the observations.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// Make the originator's items.
    Complete,
    /// Ask again, this time to freeze.
    Freeze,
    /// Nothing is decided: this leaf is missing.
    NotYet(LeafPath),
    /// Undo these and abort.
    Undo {
        /// The leaves that happened and can be undone.
        revoke: Vec<LeafPath>,
        /// The leaf that happened out of order, which shows that the responder broke its own order.
        out_of_order: Option<LeafPath>,
    },
}

/// How the authorities are asked for `wish`.
pub fn look(wish: Wish) -> Look {
    match wish {
        Wish::Abort => Look::Freeze,
        Wish::Resolve => Look::Peek,
    }
}

/// What follows from complete observations of the responder's recorded leaves, made with `look`.
pub fn weigh(look: Look, leaves: &BTreeMap<LeafPath, (Class, Seen)>) -> Next {
    if leaves.values().all(|(_, seen)| *seen == Seen::Happened) {
        return Next::Complete;
    }
    let missing = leaves.iter().find(|(_, (_, seen))| *seen == Seen::NotYet);
    let frozen = leaves.values().any(|(_, seen)| *seen == Seen::Frozen);
    match (look, missing) {
        (Look::Peek, _) if frozen => Next::Freeze,
        (Look::Peek, Some((leaf, _))) => Next::NotYet(leaf.clone()),
        // A freeze leaves nothing open; an authority that says otherwise is asked again.
        (Look::Freeze, Some(_)) => Next::Freeze,
        (Look::Freeze | Look::Peek, None) => undo(leaves),
    }
}

fn undo(leaves: &BTreeMap<LeafPath, (Class, Seen)>) -> Next {
    let happened = || leaves.iter().filter(|(_, (_, seen))| *seen == Seen::Happened);
    Next::Undo {
        revoke: happened()
            .filter(|(_, (class, _))| *class == Class::Backward)
            .map(|(leaf, _)| leaf.clone())
            .collect(),
        out_of_order: happened()
            .find(|(_, (class, _))| *class != Class::Backward)
            .map(|(leaf, _)| leaf.clone()),
    }
}

/// How the exchange ends once every order to undo was answered.
///
/// `stuck` says whether something that happened can no longer be undone although its owner kept to the
/// order; `undone`, whether anything was undone.
pub fn outcome(undone: bool, stuck: bool) -> Outcome {
    match (stuck, undone) {
        (true, _) => Outcome::AbortedClaim,
        (false, true) => Outcome::AbortedRevoked,
        (false, false) => Outcome::Aborted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(list: &[(u16, Class, Seen)]) -> BTreeMap<LeafPath, (Class, Seen)> {
        list.iter().map(|(n, class, seen)| (LeafPath::new(&[*n]).unwrap(), (*class, *seen))).collect()
    }

    #[test]
    fn a_payment_that_happened_completes_whoever_asked_for_what() {
        let paid = leaves(&[(0, Class::Backward, Seen::Happened), (1, Class::Pivot, Seen::Happened)]);
        assert_eq!(weigh(Look::Freeze, &paid), Next::Complete);
        assert_eq!(weigh(Look::Peek, &paid), Next::Complete);
    }

    #[test]
    fn resolve_decides_nothing_while_the_transfer_may_still_happen() {
        let open = leaves(&[(0, Class::Backward, Seen::Happened), (1, Class::Pivot, Seen::NotYet)]);
        assert_eq!(weigh(Look::Peek, &open), Next::NotYet(LeafPath::new(&[1]).unwrap()));
    }

    #[test]
    fn resolve_after_a_freeze_is_an_abort() {
        let mixed = leaves(&[(0, Class::Backward, Seen::NotYet), (1, Class::Pivot, Seen::Frozen)]);
        assert_eq!(weigh(Look::Peek, &mixed), Next::Freeze);
    }

    #[test]
    fn what_can_be_undone_is_undone() {
        let half = leaves(&[(0, Class::Backward, Seen::Happened), (1, Class::Pivot, Seen::Frozen)]);
        let first = LeafPath::new(&[0]).unwrap();
        assert_eq!(weigh(Look::Freeze, &half), Next::Undo { revoke: vec![first], out_of_order: None });
    }

    #[test]
    fn a_pivot_before_its_time_shows_who_broke_the_order() {
        let half = leaves(&[(0, Class::Backward, Seen::Frozen), (1, Class::Pivot, Seen::Happened)]);
        let pivot = LeafPath::new(&[1]).unwrap();
        assert_eq!(weigh(Look::Freeze, &half), Next::Undo { revoke: vec![], out_of_order: Some(pivot) });
    }

    #[test]
    fn the_outcome_says_whether_anything_was_undone_or_stayed() {
        assert_eq!(outcome(false, false), Outcome::Aborted);
        assert_eq!(outcome(true, false), Outcome::AbortedRevoked);
        assert_eq!(outcome(true, true), Outcome::AbortedClaim);
        assert_eq!(outcome(false, true), Outcome::AbortedClaim);
    }
}
