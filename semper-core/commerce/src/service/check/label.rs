//! Words that could be mistaken for others (LABEL).

use std::collections::BTreeMap;

use unicode_security::skeleton;

use super::{Found, Lint};
use crate::service::statechart::{FieldKind, Statechart};

/// What the buttons of the window say: nothing that others write may be these words alone.
const BUTTONS: &[&str] = &[
    "accept",
    "allow",
    "back",
    "buy",
    "cancel",
    "close",
    "complain",
    "confirm",
    "continue",
    "decline",
    "hold to pay",
    "hold to sign",
    "i accept",
    "ok",
    "open",
    "order",
    "pay",
    "refuse",
    "reject",
    "send",
    "sign",
    "sign and order",
];

/// What names the window or the system: it stands in nothing that others write.
const OURS: &[&str] = &["semper", "tinguin"];

pub(super) fn check(chart: &Statechart, found: &mut Found) {
    let mut all: Vec<(String, &str)> = vec![("service.title".to_owned(), &chart.service.title)];
    all.extend(chart.service.prepay.iter().map(|says| ("service.prepay".to_owned(), says.as_str())));
    all.extend(chart.states.iter().map(|(name, one)| (format!("state.{name}"), one.says.as_str())));
    all.extend(chart.finals.iter().map(|(name, one)| (format!("final.{name}"), one.says.as_str())));
    let mut parties = Vec::new();
    for (name, one) in &chart.parties {
        parties.push((format!("party.{name}"), one.says.as_deref().unwrap_or(name)));
    }
    apart(&parties, found);
    all.extend(parties);
    for (name, form) in &chart.forms {
        all.push((format!("form.{name}"), &form.says));
        let mut fields = Vec::new();
        for (field, one) in &form.fields {
            let place = format!("form.{name}.{field}");
            fields.push((place.clone(), one.says.as_deref().unwrap_or(field)));
            if let FieldKind::Choice { of } | FieldKind::ChoiceSet { of, .. } = &one.kind {
                let values: Vec<(String, &str)> =
                    of.iter().map(|value| (place.clone(), value.as_str())).collect();
                apart(&values, found);
                all.extend(values);
            }
        }
        apart(&fields, found);
        all.extend(fields);
        let rules = form.check.iter().filter_map(|(rule, one)| Some((rule, one.says.as_deref()?)));
        all.extend(rules.map(|(rule, says)| (format!("form.{name}.{rule}"), says)));
    }
    for (place, says) in all {
        let plain = plain(says);
        if BUTTONS.iter().any(|button| self::plain(button) == plain) {
            found.add(Lint::Label, place, format!("{says:?} is what a button of the window says"));
        } else if OURS.iter().any(|word| plain.contains(&self::plain(word))) {
            found.add(Lint::Label, place, format!("{says:?} speaks in the name of the window"));
        }
    }
}

/// That no two labels of one group look the same.
fn apart(group: &[(String, &str)], found: &mut Found) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (place, says) in group {
        if let Some(other) = seen.insert(plain(says), says) {
            found.add(Lint::Label, place, format!("{says:?} looks like {other:?}"));
        }
    }
}

/// `text` as it looks: folded, spaces as one, and of characters that look alike always the same (UTS 39, its
/// skeleton, in which an `m` is an `rn`: compare only with what went through this too).
fn plain(text: &str) -> String {
    let folded: String = text.chars().flat_map(char::to_lowercase).collect();
    let seen: String = skeleton(&folded).collect();
    let seen: String = seen.chars().flat_map(char::to_lowercase).collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}
