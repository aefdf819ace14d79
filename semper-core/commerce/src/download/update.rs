//! What changed from one version of a service to the next.

use std::{collections::BTreeMap, fmt};

use semper_supporting::access::Grade;
use toml::Value;

use super::{package::Package, pin::Held};
use crate::service::{
    Statechart,
    duration::Duration,
    statechart::{Need, Pii},
};

/// What changed from one version of a service to the next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Update {
    /// The version that was accepted.
    pub from: String,
    /// The version that is offered.
    pub to: String,
    /// Words that are new, other or gone, in any language.
    pub texts: Vec<Changed<String>>,
    /// Deadlines that are new, other or gone.
    pub deadlines: Vec<Changed<Duration>>,
    /// What else is new, other or gone in the terms.
    pub other: Vec<Changed<String>>,
    /// What it asks for beyond what it asked for before. Shown in red.
    pub widened: Vec<Widened>,
    /// The grade before and now, where it is lower now.
    pub lower_grade: Option<(Grade, Grade)>,
}

/// One thing that changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changed<T> {
    /// Where, as a path in the terms.
    pub place: String,
    /// What was there.
    pub old: Option<T>,
    /// What is there.
    pub new: Option<T>,
}

/// A need that became wider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Widened {
    /// The capability, by its key in the terms.
    pub capability: &'static str,
    /// What was asked for; empty where nothing was.
    pub old: String,
    /// What is asked for.
    pub new: String,
}

impl Update {
    /// What changed from `held` to `package`, which is believed as far as `grade`.
    pub fn between(held: &Held<'_>, package: &Package, grade: Grade) -> Self {
        let texts = changes(held.package.all_words(), package.all_words());
        let mut deadlines = Vec::new();
        let mut other = Vec::new();
        for change in changes(leaves(held.package.chart()), leaves(package.chart())) {
            let read = |text: &Option<String>| text.as_deref().map(Duration::parse).transpose();
            match (read(&change.old), read(&change.new)) {
                (Ok(old), Ok(new)) => deadlines.push(Changed { place: change.place, old, new }),
                _ => other.push(change),
            }
        }
        let mut widened = widened(&held.package.chart().need, &package.chart().need);
        if let (None, Some(why)) = (&held.package.service().prepay, &package.service().prepay) {
            widened.push(Widened { capability: "prepay", old: String::new(), new: why.clone() });
        }
        Self {
            from: held.pin.version.clone(),
            to: package.service().version.clone(),
            texts,
            deadlines,
            other,
            widened,
            lower_grade: (grade < held.pin.grade).then_some((held.pin.grade, grade)),
        }
    }

    /// Whether the user's standing instructions for the service stay in force.
    pub fn keeps_instructions(&self) -> bool {
        self.widened.is_empty() && self.lower_grade.is_none()
    }
}

impl fmt::Display for Update {
    /// One line: `2 changed texts, 1 changed deadline: P14D → P7D`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |n: usize, what: &str| format!("{n} changed {what}{}", if n == 1 { "" } else { "s" });
        let mut parts = Vec::new();
        for (n, what) in [(self.texts.len(), "text"), (self.deadlines.len(), "deadline")] {
            if n > 0 {
                parts.push(counted(n, what));
            }
        }
        let span = |one: &Option<Duration>| one.map_or_else(|| "none".to_owned(), |one| one.to_string());
        let spans = self.deadlines.iter().map(|d| format!("{} → {}", span(&d.old), span(&d.new)));
        if let Some(last) = parts.last_mut().filter(|_| !self.deadlines.is_empty()) {
            last.push_str(&format!(": {}", spans.collect::<Vec<_>>().join(", ")));
        }
        if !self.other.is_empty() {
            parts.push(counted(self.other.len(), "rule"));
        }
        f.write_str(&parts.join(", "))
    }
}

/// What `new` asks for beyond `old`.
fn widened(old: &Need, new: &Need) -> Vec<Widened> {
    let mut all = Vec::new();
    let mut put = |capability, old: String, new: String| all.push(Widened { capability, old, new });
    if let Some(sum) = new.pay
        && !old.pay.is_some_and(|before| sum <= before)
    {
        put("pay", old.pay.map_or_else(String::new, |one| one.to_string()), sum.to_string());
    }
    if new.store > old.store {
        let size = |need: &Need| need.store.map_or_else(String::new, |size| format!("{} B", size.0));
        put("store", size(old), size(new));
    }
    let pii = |all: &[Pii]| all.iter().map(|one| format!("{one:?}").to_lowercase()).collect::<Vec<_>>();
    let lists = [
        ("reveal", pii(&old.reveal), pii(&new.reveal)),
        ("sign", old.sign.clone(), new.sign.clone()),
        ("receive", old.receive.clone(), new.receive.clone()),
        ("third", old.third.clone(), new.third.clone()),
        ("open", old.open.clone(), new.open.clone()),
        ("subdeal", old.subdeal.clone(), new.subdeal.clone()),
    ];
    for (capability, old, new) in lists {
        if new.iter().any(|one| !old.contains(one)) {
            put(capability, old.join(", "), new.join(", "));
        }
    }
    all
}

/// What differs between two sets of values by path.
fn changes(old: BTreeMap<String, String>, new: BTreeMap<String, String>) -> Vec<Changed<String>> {
    let mut all: Vec<Changed<String>> = Vec::new();
    for (place, before) in &old {
        let now = new.get(place);
        if now != Some(before) {
            all.push(Changed { place: place.clone(), old: Some(before.clone()), new: now.cloned() });
        }
    }
    for (place, now) in new {
        if !old.contains_key(&place) {
            all.push(Changed { place, old: None, new: Some(now) });
        }
    }
    all.sort_by(|a, b| a.place.cmp(&b.place));
    all
}

/// What the words, the needs and the version leave out is told apart elsewhere.
const ELSEWHERE: [&str; 5] = ["need", "blocks", "lock", "service.version", "service.title"];

/// Every value of the chart by its path, words and needs left out.
fn leaves(chart: &Statechart) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    match Value::try_from(chart) {
        Ok(value) => collect("", &value, &mut all),
        // Nothing may look unchanged because it cannot be written: then the whole of it is one value.
        Err(_) => drop(all.insert("terms".to_owned(), format!("{chart:?}"))),
    }
    all
}

fn collect(path: &str, value: &Value, all: &mut BTreeMap<String, String>) {
    let words = path.ends_with(".says") || path == "service.prepay";
    if words || ELSEWHERE.contains(&path) {
        return;
    }
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(&path, value, all);
            }
        }
        Value::String(text) => drop(all.insert(path.to_owned(), text.clone())),
        other => drop(all.insert(path.to_owned(), other.to_string())),
    }
}
