//! Expressions of terms of business: a small part of CEL, the Common Expression Language.
//!
//! ```text
//! text --guard--> known words within limits --cel--> its tree --syntax--> our tree --check--> a kind
//!                                                                             \--evaluate--> a value
//! ```
//!
//! The crate `cel` only parses, and only what [`guard`] has let pass. What its tree means is decided here: there
//! are yes and no, whole numbers, text, money, times, spans and lines of orders; no fractions, no division, no
//! loops, no strings put together. Arithmetic is checked, and what has no value refuses the move it belongs to.
//!
//! | names | where |
//! |---|---|
//! | `f.<form>.<field>`, `c.<form>.<calc>`, `ctx.currency` | everywhere |
//! | `n.<move>`, `now`, and `age_at`, which reads `now` | only in `when` of a move: all else depends on forms alone, so that it does not change by waiting |
//!
//! | function | gives |
//! |---|---|
//! | `money('EUR 12.50')` | that sum; a literal, read when the terms are |
//! | `plus(a, b)`, `minus(a, b)` | sum and difference in one currency, never below zero |
//! | `times(m, i)`, `percent(m, i)` | multiples, and per cent with a half rounded up; `i` is not below zero |
//! | `atmost(a, b)` | whether `a` is no more than `b`, in one currency |
//! | `total(lines)` | the sum of the amounts of the lines |
//! | `days_after(t, i)` | the time `i` days of 24 hours later, earlier where `i` is below zero |
//! | `age_at(t)` | birthdays in UTC from `t` until `now` |
//!
//! `==` compares any two of one kind that are not lines or descriptions of content; `<` and its kin compare whole
//! numbers, times and spans. An article number is text. A party is compared with parties only. Sets of choices,
//! files, addresses, credentials, proofs and consents cannot be named.

mod check;
mod evaluate;
mod fault;
pub mod guard;
mod kind;
mod scope;
mod syntax;

use std::collections::{BTreeMap, BTreeSet};

pub use evaluate::Values;
pub use fault::{ExpressionFault, NoValue};
pub use kind::{Kind, Value};
pub use scope::{Place, Scope};
pub use syntax::Reference;

use super::statechart::Statechart;

/// An expression that was checked where it stands.
#[derive(Clone, Debug)]
pub struct Expression {
    place: Place,
    node: syntax::Node,
    kind: Kind,
}

impl Expression {
    /// Reads and checks `text`, which stands at `place`.
    ///
    /// # Errors
    /// [`ExpressionFault::Forbidden`] for what expressions do not have, and for what is none;
    /// [`ExpressionFault::Type`] where its parts do not fit together, or it does not fit its place.
    pub fn compile(place: Place, text: &str, scope: &Scope) -> Result<Self, ExpressionFault> {
        let node = syntax::read(&place.to_string(), text)?;
        let kind = scope::check_at(&place, &node, scope)?;
        Ok(Self { place, node, kind })
    }

    /// Where it stands.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The kind of its value.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What it names itself; not what is named by the computed values among these.
    pub fn references(&self) -> BTreeSet<Reference> {
        let mut references = BTreeSet::new();
        self.node.names(&mut |reference| {
            references.insert(reference);
        });
        references
    }

    /// Its value; [`Scope::compute`] has set the computed values.
    ///
    /// # Errors
    /// [`ExpressionFault::Evaluation`].
    pub fn evaluate(&self, values: &Values) -> Result<Value, ExpressionFault> {
        let fault = |why| ExpressionFault::Evaluation { place: self.place.to_string(), why };
        let value = values.value(&self.node).map_err(fault)?;
        if value.kind() == self.kind { Ok(value) } else { Err(fault(NoValue::Kind)) }
    }
}

/// All expressions of a service.
#[derive(Clone, Debug)]
pub struct Expressions {
    scope: Scope,
    by_place: BTreeMap<Place, Expression>,
}

impl Expressions {
    /// Reads and checks every expression of `chart`.
    ///
    /// # Errors
    /// All faults that are found; those of computed values alone where there are any.
    pub fn compile(chart: &Statechart) -> Result<Self, Vec<ExpressionFault>> {
        let scope = Scope::of(chart)?;
        let mut by_place = BTreeMap::new();
        let mut faults = Vec::new();
        for (place, text) in Place::all(chart) {
            match Expression::compile(place.clone(), text, &scope) {
                Ok(expression) => {
                    by_place.insert(place, expression);
                }
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(Self { scope, by_place }) } else { Err(faults) }
    }

    /// What can be named.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The expression at `place`.
    pub fn at(&self, place: &Place) -> Option<&Expression> {
        self.by_place.get(place)
    }

    /// All of them, by place.
    pub fn iter(&self) -> impl Iterator<Item = &Expression> {
        self.by_place.values()
    }

    /// The fields that the expression at `place` depends on, those of the computed values in it included.
    pub fn fields(&self, place: &Place) -> BTreeSet<(String, String)> {
        let mut fields = BTreeSet::new();
        let mut places = vec![place.clone()];
        let mut seen = BTreeSet::new();
        while let Some(place) = places.pop() {
            for reference in self.at(&place).map(Expression::references).unwrap_or_default() {
                match reference {
                    Reference::Field { form, field } => {
                        fields.insert((form, field));
                    }
                    Reference::Calc { form, calc } if seen.insert((form.clone(), calc.clone())) => {
                        places.push(Place::Calc { form, calc });
                    }
                    Reference::Calc { .. } | Reference::Count(_) | Reference::Currency | Reference::Now => {}
                }
            }
        }
        fields
    }
}
