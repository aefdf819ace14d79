//! What is known at each state, whichever way a deal came there (OVER, AMOUNT, BLIND-FORM).
//!
//! A field is bound when whoever fills it in has sent or signed its form; an item has been given when its move
//! succeeded. At a state holds what holds on every way to it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, Lint};
use crate::service::{
    expression::{Expressions, Place},
    statechart::{Content, Form, Item, Move, Over, Side, Statechart},
};

/// What is known: forms by who has bound his fields of them, and items that were given.
#[derive(Clone, Default, Eq, PartialEq)]
struct Known<'a> {
    bound: BTreeSet<(&'a str, &'a str)>,
    given: BTreeSet<&'a str>,
}

pub(super) fn check(chart: &Statechart, expressions: &Expressions, found: &mut Found) {
    let Some(client) = chart.party_on(Side::Client) else { return };
    let known = known(chart);
    for (name, one) in &chart.moves {
        let Some(before) = known.get(one.from.as_str()) else { continue };
        let place = format!("move.{name}");
        let now = after(chart, one, before);
        let sees = |form: &str, field: &str| seen(chart, one, before, &now, form, field);
        for leaf in one.given_by(client) {
            if let Some(Item::Signature { over, .. }) = chart.items.get(leaf) {
                blanks(chart, one, before, &now, &place, over, found);
            }
        }
        for leaf in one.items() {
            let Some(Item::Money { from, .. }) = chart.items.get(leaf) else { continue };
            let lint = if from == client { Lint::Amount } else { Lint::BlindForm };
            for (form, field) in expressions.fields(&Place::Amount(leaf.to_owned())) {
                if !sees(&form, &field) {
                    let says =
                        format!("the amount of {leaf} depends on {form}.{field}, which is not known here");
                    found.add(lint, &place, says);
                }
            }
        }
        let takes_part = one.by == client || !one.given_by(client).is_empty();
        let guard = if takes_part { expressions.fields(&Place::When(name.clone())) } else { BTreeSet::new() };
        for (form, field) in guard {
            if !before.has(chart, &form, &field) {
                let says = format!("it depends on {form}.{field}, which is not known here");
                found.add(Lint::BlindForm, &place, says);
            }
        }
    }
}

/// OVER: what a client signs is complete, and was seen.
fn blanks(
    chart: &Statechart,
    one: &Move,
    before: &Known<'_>,
    now: &Known<'_>,
    place: &str,
    over: &[Over],
    found: &mut Found,
) {
    for target in over {
        match target {
            Over::Item(item) => {
                let together = one.cell.is_exchange() && one.items().any(|leaf| leaf == item);
                if !together && !before.given.contains(item.as_str()) {
                    found.add(Lint::Over, place, format!("{item} is signed over before it was given"));
                }
            }
            Over::Form(name) => {
                let Some(form) = chart.forms.get(name) else { continue };
                for (field, _) in form.fields.iter().filter(|(_, field)| !field.optional) {
                    if !seen(chart, one, before, now, name, field) {
                        found.add(
                            Lint::Over,
                            place,
                            format!("{name}.{field} is still empty when it is signed"),
                        );
                    }
                }
            }
        }
    }
}

/// Whether a field is bound before `one`, by it, or in the agreement of the exchange that it is.
fn seen(
    chart: &Statechart,
    one: &Move,
    before: &Known<'_>,
    now: &Known<'_>,
    form: &str,
    field: &str,
) -> bool {
    let agreed = |filler: &str| one.cell.is_exchange() && one.gives.contains_key(filler);
    let fillers = || chart.forms.get(form).map(|form| fillers(chart, form, field)).unwrap_or_default();
    before.has(chart, form, field)
        || (one.by_client(chart) && now.has(chart, form, field) && !before.has(chart, form, field))
        || fillers().into_iter().any(agreed)
}

impl Move {
    /// Whether the client starts it, and so fills in forms in it.
    fn by_client(&self, chart: &Statechart) -> bool {
        chart.party_on(Side::Client) == Some(self.by.as_str())
    }
}

impl Known<'_> {
    fn has(&self, chart: &Statechart, form: &str, field: &str) -> bool {
        let Some(definition) = chart.forms.get(form) else { return false };
        fillers(chart, definition, field).into_iter().any(|filler| self.bound.contains(&(form, filler)))
    }
}

/// Who may fill in a field.
fn fillers<'a>(chart: &'a Statechart, form: &'a Form, field: &str) -> Vec<&'a str> {
    let by = form.fields.get(field).and_then(|field| field.by.as_deref()).unwrap_or(&form.fill);
    match by {
        "any" => chart.parties.keys().map(String::as_str).collect(),
        by => vec![by],
    }
}

/// What holds at each state that can be reached.
fn known(chart: &Statechart) -> BTreeMap<&str, Known<'_>> {
    let mut at: BTreeMap<&str, Known<'_>> = BTreeMap::from([(chart.start.as_str(), Known::default())]);
    let mut open = vec![chart.start.as_str()];
    while let Some(place) = open.pop() {
        let (Some(here), Some(state)) = (at.get(place).cloned(), chart.states.get(place)) else { continue };
        let mut next = vec![(state.late.as_str(), here.clone())];
        for (_, one) in chart.moves_from(place) {
            next.push((&one.fail, here.clone()));
            next.push((&one.to, after(chart, one, &here)));
        }
        for (place, known) in next {
            let merged = match at.get(place) {
                None => known,
                Some(old) => Known {
                    bound: old.bound.intersection(&known.bound).copied().collect(),
                    given: old.given.intersection(&known.given).copied().collect(),
                },
            };
            // What holds only ever grows less, so this ends.
            if at.get(place) != Some(&merged) {
                at.insert(place, merged);
                open.push(place);
            }
        }
    }
    at
}

/// What holds after `one` succeeded.
fn after<'a>(chart: &'a Statechart, one: &'a Move, before: &Known<'a>) -> Known<'a> {
    let mut known = before.clone();
    for (party, package) in &one.gives {
        for leaf in package.leaves() {
            known.given.insert(leaf);
            match chart.items.get(leaf) {
                Some(Item::Information { content: Content::Carries(form), .. }) => {
                    known.bound.insert((form, party));
                }
                Some(Item::Signature { over, .. }) => {
                    let forms = over.iter().filter_map(|over| match over {
                        Over::Form(form) => Some((form.as_str(), party.as_str())),
                        Over::Item(_) => None,
                    });
                    known.bound.extend(forms);
                }
                Some(Item::Information { content: Content::Matches(_), .. } | Item::Money { .. }) | None => {}
            }
        }
    }
    known
}
