//! Terms that both sides hold: a chart that was checked, with its expressions ready.

use semper_supporting::crypto::digest::Digest;

use crate::service::{
    Statechart,
    check::{self, Report, Stage},
    expression::{Expression, ExpressionFault, Expressions, NoValue, Place, Value, Values},
    statechart::{Form, Item, Side},
};

/// A chart that was checked and can be run.
#[derive(Clone, Debug)]
pub struct Terms {
    chart: Statechart,
    expressions: Expressions,
    sha256: Digest,
}

impl Terms {
    /// Takes `chart`, whose file has the hash `sha256`.
    ///
    /// # Errors
    /// What the checks of [`check::check`] refuse.
    pub fn new(chart: Statechart, stage: Stage, sha256: Digest) -> Result<Self, Report> {
        let report = check::check(&chart, stage);
        match Expressions::compile(&chart) {
            Ok(expressions) if report.is_acceptable() => Ok(Self { chart, expressions, sha256 }),
            // Expressions that do not compile are among what the checks refuse.
            Ok(_) | Err(_) => Err(report),
        }
    }

    /// The chart.
    pub fn chart(&self) -> &Statechart {
        &self.chart
    }

    /// SHA-256 of the file of the terms.
    pub fn sha256(&self) -> Digest {
        self.sha256
    }

    /// The expressions.
    pub fn expressions(&self) -> &Expressions {
        &self.expressions
    }

    /// The form of this name.
    pub fn form(&self, name: &str) -> Option<&Form> {
        self.chart.forms.get(name)
    }

    /// The item of this name.
    pub fn item(&self, name: &str) -> Option<&Item> {
        self.chart.items.get(name)
    }

    /// The name of the client and of the server; the checks have made sure that there is one of each.
    pub fn sides(&self) -> (&str, &str) {
        let side = |side| self.chart.party_on(side).unwrap_or_default();
        (side(Side::Client), side(Side::Server))
    }

    /// The value of the expression at `place`; nothing where there is no expression.
    pub(super) fn value(&self, place: &Place, values: &Values) -> Option<Result<Value, NoValue>> {
        self.expressions.at(place).map(|one: &Expression| {
            one.evaluate(values).map_err(|fault| match fault {
                ExpressionFault::Evaluation { why, .. } => why,
                ExpressionFault::Forbidden { .. } | ExpressionFault::Type { .. } => NoValue::Kind,
            })
        })
    }
}
