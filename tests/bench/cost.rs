//! What a sale cannot do without, by the counts of its page and the unit costs of this run.

use semper_tests::{Failure, Result, page};
use serde::Serialize;

use crate::operations::Operations;

/// The page that has the counts; tests hold it to what programs do.
const PAGE: &str = include_str!("../../docs/protocols/sale.md");

/// An operation of buyer or shop in a sale.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Part {
    /// What it is.
    pub(crate) what: &'static str,
    /// How often both sides do it.
    pub(crate) count: u32,
    /// CPU time of one, in microseconds.
    pub(crate) each_us: f64,
}

impl Part {
    /// CPU time of all, in milliseconds.
    pub(crate) fn sum_ms(&self) -> f64 {
        f64::from(self.count) * self.each_us / 1e3
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        let Self { what, count, each_us } = self;
        format!("  {what:<31} {count:>2} × {each_us:>6.0} µs {:>10.2} ms\n", self.sum_ms())
    }
}

/// What both sides of a sale cannot do without.
///
/// # Errors
/// [`Failure`] if the page does not say so.
pub(crate) fn unavoidable(operations: &Operations) -> Result<Vec<Part>> {
    let at_both = |column| both("### What cannot be avoided", column);
    let (shop, bank) = (count("### Connections", "shop", 1)?, count("### Connections", "bank", 1)?);
    let part = |what, count, each_us| Part { what, count, each_us };
    Ok(vec![
        part("signatures, made and checked", at_both(1)?, operations.signature),
        part("first readings of signatures", at_both(2)?, operations.verification),
        part("certificates beside messages", at_both(3)?, operations.certificate),
        part("escrows sealed", both("### Cryptography", 6)?, operations.escrow),
        part("contents opened", both("### Cryptography", 5)?, operations.opening),
        part("connections made", shop + bank, operations.calling),
        part("connections taken", shop, operations.answering),
    ])
}

/// How often both sides verify what they have verified before.
///
/// # Errors
/// [`Failure`] if the page does not say so.
pub(crate) fn repeated(operations: &Operations) -> Result<Part> {
    let (all, own) = (both("### Cryptography", 3)?, both("### What cannot be avoided", 1)?);
    let first = both("### What cannot be avoided", 2)?;
    let count = all.saturating_sub(own).saturating_sub(first);
    Ok(Part { what: "of it what was verified before", count, each_us: operations.verification })
}

/// The sum of a column of a table of the page over the rows of buyer and seller.
fn both(heading: &str, column: usize) -> Result<u32> {
    Ok(count(heading, "buyer", column)? + count(heading, "seller", column)?)
}

/// The sum of a column over the rows of `party`.
fn count(heading: &str, party: &str, column: usize) -> Result<u32> {
    let rows = page::table(PAGE, heading)?;
    let cells = rows.iter().filter(|row| row.first().is_some_and(|first| first == party));
    let counts = cells.map(|row| match row.get(column).map(String::as_str) {
        Some("-") => Ok(0),
        Some(count) => Ok(count.parse::<u32>()?),
        None => Err(Failure::of("the page has too few columns under", heading)),
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sale_has_the_parts_of_its_page() {
        let operations = Operations {
            signature: 1e3,
            verification: 1e3,
            certificate: 1e3,
            escrow: 1e3,
            opening: 1e3,
            calling: 1e3,
            answering: 1e3,
        };
        let parts = unavoidable(&operations).unwrap();
        assert!(parts.iter().all(|part| part.count > 0), "{parts:?}");
        let sum: f64 = parts.iter().map(Part::sum_ms).sum();
        let counts: u32 = parts.iter().map(|part| part.count).sum();
        assert!((sum - f64::from(counts)).abs() < 1e-6);
        let first = both("### What cannot be avoided", 2).unwrap();
        assert!(repeated(&operations).unwrap().count + first < both("### Cryptography", 3).unwrap());
        assert!(count("### Connections", "shop", 9).is_err());
    }
}
