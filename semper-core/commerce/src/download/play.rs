//! The play edition of a service: the same terms for play money, as a service of its own.
//!
//! Every sum and every name of the currency becomes `XTS`, in terms, blocks, translations and long texts alike, so
//! that no sentence speaks of real money. The id gets the suffix `.play`: two packages of one shop under one id
//! and version would be equivocation.

use toml::{Table, Value};

use super::{fault::ServiceFault, pack::Parts, package::TERMS};
use semper_supporting::money::{Currency, Money};

/// What the id of a play edition ends with.
pub const SUFFIX: &str = ".play";

/// The parts of the play edition of `parts`, which must not be locked yet.
///
/// # Errors
/// [`ServiceFault::Unpackable`] for terms in which no money or play money moves, for terms and texts that name
/// sums in a second currency, and for files whose meaning the change of words would change.
pub fn edition(parts: &Parts) -> Result<Parts, ServiceFault> {
    let terms = table(TERMS, &parts.service)?;
    if terms.contains_key("lock") {
        return Err(ServiceFault::unpackable("the play edition is made before the blocks are locked"));
    }
    let names = Names::of(&terms)?;
    let service = names.terms(TERMS, &parts.service)?;
    let mut files = parts.files.clone();
    for (path, bytes) in &mut files {
        *bytes = if path.ends_with(".toml") {
            names.terms(path, bytes)?
        } else {
            let text = text(path, bytes)?;
            names.sums(text).map_err(|e| ServiceFault::unpackable(format!("{path}: {e}")))?.into_bytes()
        };
    }
    Ok(Parts { service, files })
}

/// What is written differently.
struct Names {
    /// The currency of the terms.
    currency: Currency,
    /// Whole values and what they become: the currency, the id, services opened from within.
    whole: Vec<(String, String)>,
}

impl Names {
    fn of(terms: &Table) -> Result<Self, ServiceFault> {
        let currencies = terms.get("context").and_then(|context| context.get("currency"));
        let currency = match currencies.and_then(Value::as_array).map(Vec::as_slice) {
            Some([Value::String(one)]) => Currency::parse(one).ok(),
            _ => None,
        };
        let currency = currency
            .filter(|currency| !currency.is_play())
            .ok_or_else(|| ServiceFault::unpackable("a play edition is of terms in one real currency"))?;
        let id = terms.get("service").and_then(|service| service.get("id")).and_then(Value::as_str);
        let id = id.ok_or_else(|| ServiceFault::unpackable("the terms have no id"))?;
        let mut whole = vec![
            (currency.code().to_owned(), Currency::XTS.code().to_owned()),
            (id.to_owned(), format!("{id}{SUFFIX}")),
        ];
        let opened = terms.get("need").and_then(|need| need.get("subdeal")).and_then(Value::as_array);
        for one in opened.into_iter().flatten().filter_map(Value::as_str) {
            let (id, version) = one.split_once('@').unwrap_or((one, ""));
            whole.push((one.to_owned(), format!("{id}{SUFFIX}@{version}")));
        }
        Ok(Self { currency, whole })
    }

    /// `bytes` of `file`, which is TOML, in play money; layout and comments stay.
    fn terms(&self, file: &str, bytes: &[u8]) -> Result<Vec<u8>, ServiceFault> {
        let wrong = |e: String| ServiceFault::unpackable(format!("{file}: {e}"));
        let written = self.quoted(&self.sums(text(file, bytes)?).map_err(wrong)?);
        let meant = self.value(&Value::Table(table(file, bytes)?)).map_err(wrong)?;
        if Value::Table(table(file, written.as_bytes())?) != meant {
            return Err(wrong("a sum is written in a way that cannot be changed".to_owned()));
        }
        Ok(written.into_bytes())
    }

    /// What `value` must be in the play edition.
    fn value(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => Value::String(match self.whole.iter().find(|(old, _)| old == text) {
                Some((_, new)) => new.clone(),
                None => self.quoted(&self.sums(text)?),
            }),
            Value::Array(all) => {
                Value::Array(all.iter().map(|one| self.value(one)).collect::<Result<_, _>>()?)
            }
            Value::Table(all) => {
                let all = all.iter().map(|(key, one)| Ok((key.clone(), self.value(one)?)));
                Value::Table(all.collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    /// `text` with every whole value between quotation marks replaced.
    fn quoted(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (old, new) in &self.whole {
            for mark in ['"', '\''] {
                text = text.replace(&format!("{mark}{old}{mark}"), &format!("{mark}{new}{mark}"));
            }
        }
        text
    }

    /// `text` with every sum (`EUR 12.50`) in play money.
    fn sums(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((at, literal)) = next_sum(rest) {
            let money = Money::parse(literal).map_err(|_| format!("{literal} is no sum"))?;
            if money.currency != self.currency && !money.currency.is_play() {
                return Err(format!("{literal} is in a second currency"));
            }
            out.push_str(rest.get(..at).unwrap_or_default());
            out.push_str(&in_play(money)?.to_string());
            rest = rest.get(at + literal.len()..).unwrap_or_default();
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// The same figure in play money: `JPY 500` is `XTS 500.00`.
fn in_play(money: Money) -> Result<Money, String> {
    let none = || format!("{money} has no equal in play money");
    let (from, to) = (money.currency.digits(), Currency::XTS.digits());
    let minor = match to.checked_sub(from) {
        Some(more) => money.minor().checked_mul(10_u64.pow(more)).ok_or_else(none)?,
        None => {
            let unit = 10_u64.pow(from.saturating_sub(to));
            if !money.minor().is_multiple_of(unit) {
                return Err(none());
            }
            money.minor() / unit
        }
    };
    Money::new(minor, Currency::XTS).map_err(|_| none())
}

/// The first sum in `text` and where it begins: the code of a currency, a space, a figure.
fn next_sum(text: &str) -> Option<(usize, &str)> {
    text.match_indices(' ').find_map(|(space, _)| {
        let begin = space.checked_sub(3)?;
        Currency::parse(text.get(begin..space)?).ok()?;
        if text.get(..begin)?.ends_with(|c: char| c.is_alphanumeric()) {
            return None;
        }
        let figure = text.get(space + 1..)?;
        let length = figure.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(figure.len());
        let figure = figure.get(..length)?.trim_end_matches('.');
        (!figure.is_empty()).then_some(())?;
        Some((begin, text.get(begin..space + 1 + figure.len())?))
    })
}

fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, ServiceFault> {
    std::str::from_utf8(bytes).map_err(|_| ServiceFault::unpackable(format!("{file} is not text")))
}

fn table(file: &str, bytes: &[u8]) -> Result<Table, ServiceFault> {
    toml::from_str(text(file, bytes)?)
        .map_err(|error| ServiceFault::unpackable(format!("{file}: {}", error.message())))
}
