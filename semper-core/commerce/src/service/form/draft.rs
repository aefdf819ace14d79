//! A form while somebody fills it in: what was entered, what was suggested and not yet seen.

use std::collections::BTreeMap;

use semper_supporting::{crypto::digest::Digest, money::Money};
use serde::Deserialize;

use super::{
    fault::FormFault,
    file::Salt,
    parts::{Address, Line},
    value::{Proofs, Value, label},
    values::{FormValues, field_of},
};
use crate::service::statechart::{Field, FieldKind, Form};

/// A form while `party` fills it in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Draft {
    party: String,
    entries: BTreeMap<String, Entry>,
}

/// What stands in a field of a draft.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// Whether an application suggested it and the user has not seen it yet.
    pub suggested: bool,
}

/// A line of an order as a file proposes it; the amount is computed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProposedLine {
    sku: String,
    text: String,
    quantity: u32,
    price: Money,
    tax: u32,
}

/// An address as a file proposes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProposedAddress {
    lines: Vec<String>,
    postcode: String,
    place: String,
    country: String,
}

impl Draft {
    /// Nothing, yet.
    pub fn of(party: &str) -> Self {
        Self { party: party.to_owned(), entries: BTreeMap::new() }
    }

    /// What stands in the fields, by name.
    pub fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }

    /// The party typed `typed`; nothing but spaces empties the field.
    ///
    /// # Errors
    /// [`FormFault`]; what stood in the field before is gone, so that nothing is sent that is not on the screen.
    pub fn enter(&mut self, form: &Form, name: &str, typed: &str, proofs: &Proofs) -> Result<(), FormFault> {
        let field = field_of(form, &self.party, name)?;
        self.entries.remove(name);
        if typed.trim().is_empty() {
            return Ok(());
        }
        let value = Value::read(name, field, typed, proofs)?;
        self.entries.insert(name.to_owned(), Entry { value, suggested: false });
        Ok(())
    }

    /// The user ticked the text with this digest, after having been shown all of it.
    ///
    /// # Errors
    /// [`FormFault::Consent`] for another text, and where the field asks for something else.
    pub fn tick(&mut self, form: &Form, name: &str, text: Digest, proofs: &Proofs) -> Result<(), FormFault> {
        let field = field_of(form, &self.party, name)?;
        let value = Value::Consent(text);
        if !matches!(field.kind, FieldKind::Consent { .. }) {
            return Err(FormFault::Consent { label: label(name, field) });
        }
        value.check(name, field, proofs)?;
        self.entries.insert(name.to_owned(), Entry { value, suggested: false });
        Ok(())
    }

    /// A business application proposes a value, as text or as a value of a TOML file. It is marked until the user
    /// has seen it, and never replaces what the user entered; whether it stands in the field now.
    ///
    /// # Errors
    /// [`FormFault::Suggestion`] for a field without `app`, [`FormFault::Consent`] for one that only the user may
    /// tick, and what [`Value::read`] finds.
    pub fn suggest(
        &mut self,
        form: &Form,
        name: &str,
        proposed: &toml::Value,
        proofs: &Proofs,
    ) -> Result<bool, FormFault> {
        let field = field_of(form, &self.party, name)?;
        if matches!(field.kind, FieldKind::Consent { .. }) {
            return Err(FormFault::Consent { label: label(name, field) });
        }
        if !field.app {
            return Err(FormFault::Suggestion { label: label(name, field) });
        }
        let value = read(name, field, proposed, proofs)?;
        if self.entries.get(name).is_some_and(|entry| !entry.suggested) {
            return Ok(false);
        }
        self.entries.insert(name.to_owned(), Entry { value, suggested: true });
        Ok(true)
    }

    /// The user has seen what stands in the field `name`.
    pub fn seen(&mut self, name: &str) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.suggested = false;
        }
    }

    /// The names of the fields with values that were suggested and not yet seen.
    pub fn unseen(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|(_, entry)| entry.suggested).map(|(name, _)| name.as_str())
    }

    /// Binds what was entered to `values`, each field with a salt of its own.
    ///
    /// # Errors
    /// [`FormFault`]s, none of them bound: what is missing, and what [`FormValues::bind`] finds; a value that was
    /// suggested and not seen counts as missing.
    pub fn bind(
        &self,
        form: &Form,
        values: &FormValues,
        mut salt: impl FnMut(&str) -> Salt,
        proofs: &Proofs,
    ) -> Result<FormValues, Vec<FormFault>> {
        let mut bound = values.clone();
        let mut faults = Vec::new();
        for (name, entry) in self.entries.iter().filter(|(_, entry)| !entry.suggested) {
            let value = (salt(name), entry.value.clone());
            faults.extend(bound.bind((form, &self.party), name, value, proofs).err());
        }
        faults.extend(bound.missing(form, Some(&self.party)));
        let optional = self.unseen().filter_map(|name| form.fields.get(name).map(|field| (name, field)));
        faults.extend(
            optional
                .filter(|(_, field)| field.optional)
                .map(|(name, field)| FormFault::Required { label: label(name, field) }),
        );
        if faults.is_empty() { Ok(bound) } else { Err(faults) }
    }
}

/// The value of a TOML file in the type of the field.
fn read(name: &str, field: &Field, proposed: &toml::Value, proofs: &Proofs) -> Result<Value, FormFault> {
    let wrong = || FormFault::Text { label: label(name, field), what: "a value of the type of this field" };
    let value = match (&field.kind, proposed) {
        (_, toml::Value::String(text)) => return Value::read(name, field, text, proofs),
        (FieldKind::Int { .. }, toml::Value::Integer(number)) => Value::Int(*number),
        (FieldKind::Bool, toml::Value::Boolean(value)) => Value::Bool(*value),
        (FieldKind::ChoiceSet { .. }, toml::Value::Array(chosen)) => {
            let chosen = chosen.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong));
            Value::Choices(chosen.collect::<Result<_, _>>()?)
        }
        (FieldKind::OrderLines { .. }, toml::Value::Array(lines)) => {
            let line = |one: &toml::Value| {
                let one: ProposedLine = one.clone().try_into().map_err(|_| wrong())?;
                let (name, price) = ((one.sku, one.text), (one.price, one.tax));
                Line::new(name, one.quantity, price).map_err(|_| wrong())
            };
            Value::Lines(lines.iter().map(line).collect::<Result<_, _>>()?)
        }
        (FieldKind::PostalAddress { .. }, table @ toml::Value::Table(_)) => {
            let one: ProposedAddress = table.clone().try_into().map_err(|_| wrong())?;
            let ProposedAddress { lines, postcode, place, country } = one;
            Value::Address(Address { lines, postcode, place, country })
        }
        _ => return Err(wrong()),
    };
    value.check(name, field, proofs)?;
    Ok(value)
}
