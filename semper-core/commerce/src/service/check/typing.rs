//! Expressions in their places (TYPE).

use super::{Found, Lint};
use crate::service::{
    expression::{ExpressionFault, Expressions},
    statechart::Statechart,
};

/// How often a move can be allowed at most.
const TIMES: u32 = 1000;

/// All expressions, where all of them are sound.
pub(super) fn check(chart: &Statechart, found: &mut Found) -> Option<Expressions> {
    for (name, one) in &chart.moves {
        if one.max.is_some_and(|times| !(1..=TIMES).contains(&times)) {
            found.add(Lint::Type, format!("move.{name}"), format!("max is not between 1 and {TIMES}"));
        }
    }
    let faults = match Expressions::compile(chart) {
        Ok(expressions) => return Some(expressions),
        Err(faults) => faults,
    };
    for fault in faults {
        let (place, says) = match fault {
            ExpressionFault::Forbidden { place, construct } => {
                (place, format!("{construct} is not allowed in terms of business"))
            }
            ExpressionFault::Type { place, reason } => (place, reason),
            ExpressionFault::Evaluation { place, why } => (place, why.to_string()),
        };
        found.add(Lint::Type, place, says);
    }
    None
}
