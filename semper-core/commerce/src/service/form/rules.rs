//! What each type of field asks of a value.

use regex::{Regex, RegexBuilder};
use semper_supporting::{evidence::statement::is_plain, money::Currency};

use super::{
    fault::FormFault,
    parts::{is_country, is_media},
    text,
    value::{Proofs, Value, label},
};
use crate::service::statechart::{FieldKind, Form};

/// The most characters of a text whose field names no limit.
pub const TEXT: u64 = 4000;
/// The most characters of a reference or of the number of an article.
pub const REFERENCE: usize = 128;
/// How many bytes a pattern may need once it is compiled.
const PATTERN: usize = 64 << 10;

pub(super) fn check(label: &str, kind: &FieldKind, value: &Value, proofs: &Proofs) -> Result<(), FormFault> {
    let label = label.to_owned();
    match (kind, value) {
        (FieldKind::Text { min, max, pattern }, Value::Text(text)) => {
            length(&label, text, *min, *max)?;
            pattern.as_deref().map_or(Ok(()), |pattern| matches(label, pattern, text))
        }
        (FieldKind::Int { min, max }, Value::Int(number)) => {
            let within = min.is_none_or(|min| min <= *number) && max.is_none_or(|max| *number <= max);
            if within { Ok(()) } else { Err(range(label, *min, *max)) }
        }
        (FieldKind::Bool, Value::Bool(_))
        | (FieldKind::Datetime, Value::Datetime(_))
        | (FieldKind::Duration, Value::Duration(_)) => Ok(()),
        (FieldKind::Date, Value::Date(day)) if day.seconds().is_multiple_of(86_400) => Ok(()),
        (FieldKind::Choice { of }, Value::Text(one)) => {
            if of.contains(one) {
                Ok(())
            } else {
                Err(not_a_choice(label, of))
            }
        }
        (FieldKind::ChoiceSet { of, min }, Value::Choices(chosen)) => {
            if !chosen.iter().all(|one| of.contains(one)) {
                return Err(not_a_choice(label, of));
            }
            number_of(label, chosen.len(), (*min).max(1), of.len() as u64)
        }
        (FieldKind::Money { currency }, Value::Money(sum)) => {
            if currency.is_none_or(|one| one == sum.currency) {
                Ok(())
            } else {
                Err(no_sum(&label, *currency))
            }
        }
        (FieldKind::OrderLines { min, max }, Value::Lines(lines)) => {
            number_of(label.clone(), lines.len(), *min, *max)?;
            for (index, line) in lines.iter().enumerate() {
                if !line.is_sound() {
                    return Err(FormFault::Text { label, what: "an order" });
                }
                if !line.adds_up() || lines.first().is_some_and(|first| first.currency() != line.currency()) {
                    return Err(FormFault::LineSum { line: index + 1 });
                }
            }
            Ok(())
        }
        (FieldKind::ContentDescriptor, Value::Descriptor(one)) if one.is_sound() => Ok(()),
        (FieldKind::File { mime, max }, Value::File(file)) => {
            if !is_media(&file.media) || !mime.iter().any(|one| one == "*" || *one == file.media) {
                return Err(FormFault::FileType { label, list: mime.join(", ") });
            }
            if file.length <= max.0 { Ok(()) } else { Err(FormFault::FileSize { label, max: max.0 }) }
        }
        (FieldKind::PostalAddress { countries }, Value::Address(one)) if one.is_sound() => {
            delivered(countries, &one.country)
        }
        (FieldKind::Country { countries }, Value::Text(one)) if is_country(one) => delivered(countries, one),
        (FieldKind::CredentialRef { credential: kind }, Value::Text(id))
        | (FieldKind::AttributeProof { attribute: kind }, Value::Text(id)) => {
            reference(&label, id)?;
            let shown = proofs.credentials.contains(&(kind.clone(), id.clone()));
            if shown { Ok(()) } else { Err(FormFault::Credential { label, kind: kind.clone() }) }
        }
        (FieldKind::Consent { text }, Value::Consent(ticked)) => {
            let known = proofs.texts.get(text).is_some_and(|digests| digests.contains(ticked));
            if known { Ok(()) } else { Err(FormFault::Consent { label }) }
        }
        (FieldKind::Consent { .. }, _) => Err(FormFault::Consent { label }),
        (FieldKind::Sku | FieldKind::PartyRef, Value::Text(id)) => reference(&label, id),
        (_, Value::Text(one)) => plain(label, kind, one),
        _ => Err(FormFault::Text { label, what: "a value of the type of this field" }),
    }
}

/// Fields whose values are text of one line in a form of its own.
fn plain(label: String, kind: &FieldKind, text: &str) -> Result<(), FormFault> {
    let (right, what) = match kind {
        FieldKind::PersonName => (is_plain(text) && text.chars().count() <= 120, "a name"),
        FieldKind::Email => (text::is_email(text), "an e-mail address (name@domain)"),
        FieldKind::Phone => (text::is_phone(text), "a telephone number of the form +49 30 123456"),
        FieldKind::VatId => (text::is_vat_id(text), "a VAT identification number"),
        FieldKind::Iban => (text::is_iban(text), "an account number (IBAN)"),
        FieldKind::Country { .. } => (false, "a country of the form DE"),
        _ => (false, "a value of the type of this field"),
    };
    if right { Ok(()) } else { Err(FormFault::Text { label, what }) }
}

fn reference(label: &str, id: &str) -> Result<(), FormFault> {
    let right = is_plain(id) && id.chars().count() <= REFERENCE;
    let fault = || FormFault::Text { label: label.to_owned(), what: "a reference of one line" };
    if right { Ok(()) } else { Err(fault()) }
}

fn length(label: &str, text: &str, min: Option<u64>, max: Option<u64>) -> Result<(), FormFault> {
    let label = label.to_owned();
    let (length, max) = (text.chars().count() as u64, max.unwrap_or(TEXT));
    if length > max {
        return Err(FormFault::TooLong { label, max });
    }
    if !is_plain(&text.replace('\n', " ")) {
        return Err(FormFault::Text { label, what: "text that can be shown" });
    }
    match min {
        Some(min) if length < min => Err(FormFault::TooShort { label, min }),
        _ => Ok(()),
    }
}

/// Matches the whole of `text` in linear time.
fn matches(label: String, pattern: &str, text: &str) -> Result<(), FormFault> {
    match compiled(pattern) {
        Err(_) => Err(FormFault::BadPattern { label }),
        Ok(pattern) if pattern.is_match(text) => Ok(()),
        Ok(_) => Err(FormFault::Pattern { label }),
    }
}

/// Compiles `pattern`, within a limit, so that it matches whole texts only.
fn compiled(pattern: &str) -> Result<Regex, regex::Error> {
    let compile = |pattern: &str| {
        RegexBuilder::new(pattern).size_limit(PATTERN).dfa_size_limit(PATTERN).nest_limit(16).build()
    };
    // Alone first, so that no bracket of the pattern closes the one put around it.
    compile(pattern).and_then(|_| compile(&format!(r"\A(?:{pattern})\z")))
}

/// The fields of `form` whose pattern is none or would need more than 64 KiB: one [`FormFault::BadPattern`] each.
pub fn bad_patterns(form: &Form) -> Vec<FormFault> {
    let bad = form.fields.iter().filter(|(_, field)| match &field.kind {
        FieldKind::Text { pattern: Some(pattern), .. } => compiled(pattern).is_err(),
        _ => false,
    });
    bad.map(|(name, field)| FormFault::BadPattern { label: label(name, field) }).collect()
}

fn number_of(label: String, found: usize, min: u64, max: u64) -> Result<(), FormFault> {
    if (min..=max).contains(&(found as u64)) {
        return Ok(());
    }
    let bound = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    Err(FormFault::Range { label, min: bound(min), max: bound(max) })
}

fn delivered(countries: &[String], country: &str) -> Result<(), FormFault> {
    if countries.is_empty() || countries.iter().any(|one| one == country) {
        return Ok(());
    }
    Err(FormFault::AddressCountry { list: countries.join(", ") })
}

fn not_a_choice(label: String, of: &[String]) -> FormFault {
    FormFault::NotAChoice { label, list: of.join(", ") }
}

pub(super) fn range(label: String, min: Option<i64>, max: Option<i64>) -> FormFault {
    FormFault::Range { label, min: min.unwrap_or(i64::MIN), max: max.unwrap_or(i64::MAX) }
}

pub(super) fn no_sum(label: &str, currency: Option<Currency>) -> FormFault {
    let currency = currency.map_or_else(|| "any currency".to_owned(), |one| one.to_string());
    FormFault::Money { label: label.to_owned(), currency }
}
