//! The words of a service in other languages than the one its terms are written in.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::fault::ServiceFault;
use crate::service::{Statechart, source};

/// The words of one language, by their paths in the terms (`state.sale.paid.says`).
pub type Translation = BTreeMap<String, String>;

/// Words in the language that was asked for, or in English where they are missing there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Said<T> {
    /// The words.
    pub words: T,
    /// Whether they are in the language that was asked for; if not, they are marked "(not translated)".
    pub translated: bool,
}

/// All words of `chart` by their paths, in English: what a translation can have.
///
/// Fields and parties that have no words of their own are shown by their names, and can be translated as well.
pub fn texts(chart: &Statechart) -> Translation {
    let mut all = Translation::new();
    let mut put = |path: String, words: &str| all.insert(path, words.to_owned());
    put("service.title".to_owned(), &chart.service.title);
    if let Some(prepay) = &chart.service.prepay {
        put("service.prepay".to_owned(), prepay);
    }
    for (name, party) in &chart.parties {
        put(format!("party.{name}.says"), party.says.as_deref().unwrap_or(name));
    }
    for (name, form) in &chart.forms {
        put(format!("form.{name}.says"), &form.says);
        for (field, one) in &form.fields {
            put(format!("form.{name}.field.{field}.says"), one.says.as_deref().unwrap_or(field));
        }
        for (check, one) in &form.check {
            if let Some(says) = &one.says {
                put(format!("form.{name}.check.{check}.says"), says);
            }
        }
    }
    for (name, state) in &chart.states {
        put(format!("state.{name}.says"), &state.says);
    }
    for (name, end) in &chart.finals {
        put(format!("final.{name}.says"), &end.says);
    }
    all
}

/// Reads the bytes of `file`, a translation of `known`.
///
/// # Errors
/// [`ServiceFault::BadPackage`] for what is no TOML, has a path that the terms do not have, or words that cannot
/// be shown on one line.
pub fn read(file: &str, bytes: &[u8], known: &Translation) -> Result<Translation, ServiceFault> {
    let wrong = |what: String| ServiceFault::bad(format!("{file}: {what}"));
    let text = source::text(file, bytes)?;
    let table: Table = toml::from_str(text).map_err(|error| wrong(error.message().to_owned()))?;
    let mut all = Translation::new();
    collect("", &table, &mut all).map_err(wrong)?;
    for (path, words) in &all {
        if !known.contains_key(path) {
            return Err(wrong(format!("{path} is no text of these terms")));
        }
        check_words(file, words)?;
    }
    Ok(all)
}

/// Whether `words` can be shown on one line; what a file hides behind an escape is seen here.
pub(super) fn check_words(file: &str, words: &str) -> Result<(), ServiceFault> {
    source::text(file, words.as_bytes())?;
    if words.trim().is_empty() || words.contains('\n') {
        return Err(ServiceFault::bad(format!("{file}: {words:?} is not one line of words")));
    }
    Ok(())
}

fn collect(path: &str, table: &Table, all: &mut Translation) -> Result<(), String> {
    for (key, value) in table {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::String(words) => {
                if all.insert(path.clone(), words.clone()).is_some() {
                    return Err(format!("{path} is said twice"));
                }
            }
            Value::Table(inner) => collect(&path, inner, all)?,
            _ => return Err(format!("{path} is no text")),
        }
    }
    Ok(())
}

/// Whether `tag` can name a language (BCP 47, in small letters): `de`, `pt-br`.
pub fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts
        .next()
        .is_some_and(|part| matches!(part.len(), 2 | 3) && part.bytes().all(|b| b.is_ascii_lowercase()));
    first
        && parts.all(|part| {
            (2..=8).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}
