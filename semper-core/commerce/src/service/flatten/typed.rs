//! Tables read into the types of the flat chart, key by key: what a kind of item or field does not have is
//! refused.

use std::collections::BTreeMap;

use semper_supporting::money::{Currency, Money};
use serde::{Deserialize, Deserializer, de};
use toml::Value;

use super::definition::{is_name, read};
use crate::service::{
    duration::Duration,
    statechart::{
        Cell, Check, Content, Credential, Decide, Field, FieldKind, Form, Item, Move, Over, Package, Pii,
        Show, Size, State, Until,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawForm {
    says: String,
    fill: String,
    #[serde(default)]
    field: BTreeMap<String, RawField>,
    #[serde(default)]
    calc: BTreeMap<String, String>,
    #[serde(default)]
    check: BTreeMap<String, RawCheck>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawCheck {
    Rule(String),
    Said(SaidCheck),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidCheck {
    rule: String,
    says: String,
}

/// A form.
pub(super) fn form(value: Value) -> Result<Form, String> {
    let raw: RawForm = read(value)?;
    let names = raw.field.keys().chain(raw.calc.keys()).chain(raw.check.keys());
    if let Some(bad) = names.into_iter().find(|name| !is_name(name)) {
        return Err(format!("{bad:?} cannot be a name"));
    }
    let mut fields = BTreeMap::new();
    for (name, one) in raw.field {
        let field = one.typed().map_err(|reason| format!("field.{name}: {reason}"))?;
        fields.insert(name, field);
    }
    let check = raw.check.into_iter().map(|(name, one)| {
        let check = match one {
            RawCheck::Rule(rule) => Check { rule, says: None },
            RawCheck::Said(SaidCheck { rule, says }) => Check { rule, says: Some(says) },
        };
        (name, check)
    });
    Ok(Form { says: raw.says, fill: raw.fill, fields, calc: raw.calc, check: check.collect() })
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawField {
    r#type: String,
    says: Option<String>,
    by: Option<String>,
    optional: bool,
    app: bool,
    pii: Pii,
    min: Option<Value>,
    max: Option<Value>,
    pattern: Option<String>,
    of: Option<Vec<String>>,
    currency: Option<Currency>,
    credential: Option<String>,
    mime: Option<Vec<String>>,
    countries: Option<Vec<String>>,
    attribute: Option<String>,
    text: Option<String>,
}

impl RawField {
    fn typed(mut self) -> Result<Field, String> {
        let kind = match self.r#type.as_str() {
            "text" => FieldKind::Text {
                min: taken(&mut self.min)?,
                max: taken(&mut self.max)?,
                pattern: self.pattern.take(),
            },
            "int" => FieldKind::Int { min: taken(&mut self.min)?, max: taken(&mut self.max)? },
            "bool" => FieldKind::Bool,
            "choice" => FieldKind::Choice { of: values(self.of.take())? },
            "choice-set" => {
                FieldKind::ChoiceSet { of: values(self.of.take())?, min: taken(&mut self.min)?.unwrap_or(0) }
            }
            "money" => FieldKind::Money { currency: self.currency.take() },
            "date" => FieldKind::Date,
            "datetime" => FieldKind::Datetime,
            "duration" => FieldKind::Duration,
            "order-lines" => FieldKind::OrderLines {
                min: taken(&mut self.min)?.unwrap_or(1),
                max: taken(&mut self.max)?.ok_or("max is missing")?,
            },
            "sku" => FieldKind::Sku,
            "party-ref" => FieldKind::PartyRef,
            "credential-ref" => FieldKind::CredentialRef {
                credential: self.credential.take().ok_or("credential is missing")?,
            },
            "content-descriptor" => FieldKind::ContentDescriptor,
            "file" => FieldKind::File {
                mime: values(self.mime.take())?,
                max: taken(&mut self.max)?.ok_or("max is missing")?,
            },
            "person-name" => FieldKind::PersonName,
            "postal-address" => {
                FieldKind::PostalAddress { countries: self.countries.take().unwrap_or_default() }
            }
            "email" => FieldKind::Email,
            "phone" => FieldKind::Phone,
            "country" => FieldKind::Country { countries: self.countries.take().unwrap_or_default() },
            "vat-id" => FieldKind::VatId,
            "iban" => FieldKind::Iban,
            "attribute-proof" => {
                FieldKind::AttributeProof { attribute: self.attribute.take().ok_or("attribute is missing")? }
            }
            "consent" => FieldKind::Consent { text: self.text.take().ok_or("text is missing")? },
            other => return Err(format!("{other:?} is not a type of field")),
        };
        let left = [
            ("min", self.min.is_some()),
            ("max", self.max.is_some()),
            ("pattern", self.pattern.is_some()),
            ("of", self.of.is_some()),
            ("currency", self.currency.is_some()),
            ("credential", self.credential.is_some()),
            ("mime", self.mime.is_some()),
            ("countries", self.countries.is_some()),
            ("attribute", self.attribute.is_some()),
            ("text", self.text.is_some()),
        ];
        none_left(&left, &format!("a field of type {}", self.r#type))?;
        let Self { says, by, optional, app, pii, .. } = self;
        Ok(Field { kind, says, by, optional, app, pii })
    }
}

fn values(of: Option<Vec<String>>) -> Result<Vec<String>, String> {
    match of {
        Some(of) if !of.is_empty() => Ok(of),
        _ => Err("the list of values is missing or empty".to_owned()),
    }
}

/// The value taken out of its place, in its type.
fn taken<'de, T: Deserialize<'de>>(value: &mut Option<Value>) -> Result<Option<T>, String> {
    value.take().map(read).transpose()
}

fn none_left(left: &[(&str, bool)], what: &str) -> Result<(), String> {
    match left.iter().find(|(_, present)| *present) {
        Some((key, _)) => Err(format!("{what} has no {key}")),
        None => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawItem {
    kind: String,
    from: Option<String>,
    to: Option<String>,
    by: Option<String>,
    carries: Option<String>,
    matches: Option<String>,
    over: Option<Vec<String>>,
    binds: Option<bool>,
    until: Option<String>,
    credential: Option<RawCredential>,
    amount: Option<String>,
    max: Option<Money>,
    #[serde(default)]
    r#for: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCredential {
    holder: String,
    r#type: String,
    count: Option<String>,
    until: Option<String>,
    show: Show,
}

/// An item.
pub(super) fn item(value: Value) -> Result<Item, String> {
    let mut raw: RawItem = read(value)?;
    let counters = std::mem::take(&mut raw.r#for);
    let item = match raw.kind.as_str() {
        "information" => Item::Information {
            from: raw.from.take().ok_or("from is missing")?,
            content: match (raw.carries.take(), raw.matches.take()) {
                (Some(form), None) => Content::Carries(form),
                (None, Some(expression)) => Content::Matches(expression),
                _ => return Err("information either carries a form or matches a description".to_owned()),
            },
            counters,
        },
        "signature" => Item::Signature {
            by: raw.by.take().ok_or("by is missing")?,
            over: over(raw.over.take().ok_or("over is missing")?)?,
            binds: raw.binds.take().unwrap_or(false),
            until: raw.until.take().map(until),
            credential: raw.credential.take().map(|one| Credential {
                holder: one.holder,
                kind: one.r#type,
                count: one.count,
                until: one.until.map(until),
                show: one.show,
            }),
            counters,
        },
        "money" => Item::Money {
            from: raw.from.take().ok_or("from is missing")?,
            to: raw.to.take().ok_or("to is missing")?,
            amount: raw.amount.take().ok_or("amount is missing")?,
            max: raw.max.take(),
            counters,
        },
        other => return Err(format!("{other:?} is not a kind of item")),
    };
    let left = [
        ("from", raw.from.is_some()),
        ("to", raw.to.is_some()),
        ("by", raw.by.is_some()),
        ("carries", raw.carries.is_some()),
        ("matches", raw.matches.is_some()),
        ("over", raw.over.is_some()),
        ("binds", raw.binds.is_some()),
        ("until", raw.until.is_some()),
        ("credential", raw.credential.is_some()),
        ("amount", raw.amount.is_some()),
        ("max", raw.max.is_some()),
    ];
    none_left(&left, &format!("an item of kind {}", raw.kind))?;
    Ok(item)
}

fn over(names: Vec<String>) -> Result<Vec<Over>, String> {
    if names.is_empty() {
        return Err("a signature is over something".to_owned());
    }
    names
        .into_iter()
        .map(|name| match name.split_once('/') {
            Some(("item", item)) => Ok(Over::Item(item.to_owned())),
            Some(("form", form)) => Ok(Over::Form(form.to_owned())),
            _ => Err(format!("{name:?} is neither an item nor a form")),
        })
        .collect()
}

fn until(text: String) -> Until {
    Duration::parse(&text).map_or(Until::At(text), Until::After)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawState {
    owes: Vec<String>,
    limit: Duration,
    until: Option<String>,
    late: String,
    #[serde(default)]
    complain: Vec<String>,
    first: Option<String>,
    says: String,
}

/// A state.
pub(super) fn state(value: Value) -> Result<State, String> {
    let RawState { owes, limit, until, late, complain, first, says } = read(value)?;
    Ok(State { owes, limit, until, late, complain, first, says })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMove {
    from: String,
    to: String,
    cell: Cell,
    by: String,
    #[serde(default)]
    gives: BTreeMap<String, Package>,
    when: Option<String>,
    max: Option<u32>,
    fail: Option<String>,
    #[serde(default)]
    decide: BTreeMap<String, Decide>,
}

/// A move.
pub(super) fn one_move(value: Value) -> Result<Move, String> {
    let raw: RawMove = read(value)?;
    let fail = raw.fail.unwrap_or_else(|| raw.from.clone());
    Ok(Move {
        to: raw.to,
        cell: raw.cell,
        by: raw.by,
        gives: raw.gives,
        when: raw.when,
        max: raw.max,
        fail,
        decide: raw.decide,
        from: raw.from,
    })
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = text.split_once(' ').and_then(|(number, unit)| {
            let unit = match unit {
                "B" => 1,
                "KiB" => 1 << 10,
                "MiB" => 1 << 20,
                "GiB" => 1_u64 << 30,
                _ => return None,
            };
            let sound = (1..=9).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
            number.parse::<u64>().ok().filter(|_| sound)?.checked_mul(unit)
        });
        bytes.map(Self).ok_or_else(|| de::Error::custom(format!("{text:?} is not a size of the form 50 MiB")))
    }
}

impl serde::Serialize for Size {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}
