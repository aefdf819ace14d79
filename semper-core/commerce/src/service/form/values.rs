//! The fields of a form that are bound, in one of its versions.

use std::collections::BTreeMap;

use semper_supporting::crypto::digest::Digest;
use serde::{Deserialize, Serialize};

use super::{
    fault::FormFault,
    file::{self, Opening, Salt},
    value::{Proofs, Value, label},
};
use crate::service::{
    expression::{self, Expressions, Place, Values},
    statechart::{Field, FieldKind, Form},
};

/// The bound fields of one version of a form.
///
/// What is bound stays: a field takes no other value in the same version.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FormValues {
    name: String,
    version: u32,
    bound: BTreeMap<String, (Salt, Value)>,
}

/// The party that fills in `field` of `form`, or `any`.
pub fn binder<'a>(form: &'a Form, field: &'a Field) -> &'a str {
    field.by.as_deref().unwrap_or(&form.fill)
}

/// The field `name`, if `party` may fill it in.
pub(super) fn field_of<'a>(form: &'a Form, party: &str, name: &str) -> Result<&'a Field, FormFault> {
    let field = form.fields.get(name).ok_or_else(|| FormFault::Unknown { name: name.to_owned() })?;
    let by = binder(form, field);
    if by == party || by == "any" {
        return Ok(field);
    }
    Err(FormFault::Binder { label: label(name, field), party: party.to_owned() })
}

impl FormValues {
    /// The first version of the form `name`, with nothing filled in.
    pub fn empty(name: &str) -> Self {
        Self { name: name.to_owned(), version: 1, bound: BTreeMap::new() }
    }

    /// The name of the form.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which version this is, counted from 1.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The value of `field`.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.bound.get(field).map(|(_, value)| value)
    }

    /// The names and values of what is bound.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.bound.iter().map(|(name, (_, value))| (name.as_str(), value))
    }

    /// Binds a field for `party`, with a fresh salt; the same once more changes nothing.
    ///
    /// # Errors
    /// [`FormFault::Unknown`], [`FormFault::Binder`], what [`Value::check`] finds, and [`FormFault::Bound`] where
    /// it has another value or salt.
    pub fn bind(
        &mut self,
        (form, party): (&Form, &str),
        name: &str,
        given: (Salt, Value),
        proofs: &Proofs,
    ) -> Result<(), FormFault> {
        let field = field_of(form, party, name)?;
        given.1.check(name, field, proofs)?;
        match self.bound.get(name) {
            Some(bound) if *bound != given => Err(FormFault::Bound { label: label(name, field) }),
            Some(_) => Ok(()),
            None => {
                self.bound.insert(name.to_owned(), given);
                Ok(())
            }
        }
    }

    /// Takes over what `party` has bound in `theirs`, which it sent: all that was bound before, and fields of its own.
    ///
    /// # Errors
    /// [`FormFault::File`] for another form or version, or where something that was bound is missing, and what
    /// [`FormValues::bind`] finds; nothing is taken over then.
    pub fn adopt(
        &mut self,
        (form, party): (&Form, &str),
        theirs: &Self,
        proofs: &Proofs,
    ) -> Result<(), FormFault> {
        let same = self.name == theirs.name && self.version == theirs.version;
        if !same || !self.bound.keys().all(|name| theirs.bound.contains_key(name)) {
            return Err(FormFault::File { line: 1, what: "this does not continue the form as it was" });
        }
        let mut adopted = self.clone();
        for (name, given) in theirs.bound.iter().filter(|(name, given)| self.bound.get(*name) != Some(given))
        {
            adopted.bind((form, party), name, given.clone(), proofs)?;
        }
        *self = adopted;
        Ok(())
    }

    /// The next version, in which `party` fills in its fields anew; what others filled in stays.
    #[must_use]
    pub fn renewed(&self, form: &Form, party: &str) -> Self {
        let stays = |name: &str| form.fields.get(name).is_some_and(|field| binder(form, field) != party);
        let bound = self.bound.iter().filter(|(name, _)| stays(name));
        Self {
            name: self.name.clone(),
            version: self.version.saturating_add(1),
            bound: bound.map(|(name, one)| (name.clone(), one.clone())).collect(),
        }
    }

    /// The fields that may not stay empty and are, of those that `party` fills in or of all: one fault each.
    pub fn missing(&self, form: &Form, party: Option<&str>) -> Vec<FormFault> {
        let fields = form.fields.iter().filter(|(name, field)| {
            let theirs = party.is_none_or(|party| [party, "any"].contains(&binder(form, field)));
            theirs && !may_stay_empty(field) && !self.bound.contains_key(*name)
        });
        fields.map(|(name, field)| FormFault::Required { label: label(name, field) }).collect()
    }

    /// Puts what is bound where expressions find it.
    pub fn give(&self, form: &Form, values: &mut Values) {
        for (name, value) in self.iter() {
            let kind = form.fields.get(name).map(|field| &field.kind);
            if let Some(value) = kind.and_then(|kind| value.in_expressions(kind)) {
                values.fields.insert((self.name.clone(), name.to_owned()), value);
            }
        }
    }

    /// The rules of the form that do not hold, in what the terms say; `values` has all forms of the deal.
    ///
    /// A rule is held against a form once every field is bound that it needs: the price that the shop has yet to
    /// fill in breaks no rule, nor does a field that was left empty and may be. A rule without a value does not
    /// hold.
    pub fn broken(&self, form: &Form, expressions: &Expressions, values: &mut Values) -> Vec<FormFault> {
        self.give(form, values);
        expressions.scope().compute(values);
        let mut faults = Vec::new();
        for (name, check) in &form.check {
            let place = Place::Check { form: self.name.clone(), check: name.clone() };
            if !expressions.fields(&place).iter().all(|field| values.fields.contains_key(field)) {
                continue;
            }
            let holds = expressions.at(&place).map(|rule| rule.evaluate(values));
            if holds != Some(Ok(expression::Value::Bool(true))) {
                let says = check.says.clone();
                faults.push(FormFault::Check {
                    says: says.unwrap_or_else(|| format!("{}: the rule “{name}” does not hold.", form.says)),
                });
            }
        }
        faults
    }

    /// Its file.
    pub fn file(&self) -> String {
        file::write(&self.lines())
    }

    /// The root over its lines: what a signature over the form is over.
    pub fn root(&self) -> Digest {
        Digest::of(file::list(&self.lines()).as_bytes())
    }

    /// One field, opened so that it can be checked against the root without the others.
    pub fn open(&self, field: &str) -> Option<Opening> {
        file::open(&self.lines(), field)
    }

    /// Reads the file of version `version` of the form `name`. A file does not say who filled in what: what a
    /// party sent goes on to [`FormValues::adopt`].
    ///
    /// # Errors
    /// [`FormFault::File`] for any byte that [`FormValues::file`] would have written otherwise,
    /// [`FormFault::Unknown`] for a field the form does not have, and what [`Value::canonical`] finds.
    pub fn read(
        (name, version): (&str, u32),
        form: &Form,
        bytes: &[u8],
        proofs: &Proofs,
    ) -> Result<Self, FormFault> {
        let mut bound = BTreeMap::new();
        for (field_name, (salt, text)) in file::read(bytes)? {
            let field = form
                .fields
                .get(&field_name)
                .ok_or_else(|| FormFault::Unknown { name: field_name.clone() })?;
            let value = Value::canonical(&field_name, field, &text, proofs)?;
            bound.insert(field_name, (salt, value));
        }
        Ok(Self { name: name.to_owned(), version, bound })
    }

    fn lines(&self) -> file::Lines {
        let line =
            |(name, (salt, value)): (&String, &(Salt, Value))| (name.clone(), (*salt, value.to_string()));
        self.bound.iter().map(line).collect()
    }
}

fn may_stay_empty(field: &Field) -> bool {
    field.optional || matches!(field.kind, FieldKind::ChoiceSet { min: 0, .. })
}
