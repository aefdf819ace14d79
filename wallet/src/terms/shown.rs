//! Services as they are shown: lines for people, or JSON for other programs.

use semper_commerce::{
    download::{
        pin::Response,
        trust::{NotCounted, Source, Uncounted},
        update::Update,
    },
    service::check::{Finding, Severity},
};
use semper_supporting::{access::Grade, certificate::words::fingerprint, fault::Fault as _, time::Moment};
use semper_tinguin::{
    format,
    texts::{Msg, Texts},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Looked, Seen, evaluators::number};
use crate::lines::civil;

/// Everything of a look at a shop, for other programs.
pub(super) fn looked(all: &[Looked], texts: &Texts) -> Vec<Value> {
    let one = |one: &Looked| match &one.seen {
        Ok(seen) => shown(seen, texts),
        Err(fault) => json!({
            "service": one.offered.service, "version": one.offered.version, "package": one.offered.package,
            "refused": { "code": fault.code(), "text": fault.to_string() },
        }),
    };
    all.iter().map(one).collect()
}

/// A service, for other programs.
pub(super) fn shown(seen: &Seen, texts: &Texts) -> Value {
    let uncounted = |one: &Uncounted| {
        json!({
            "statement": one.statement, "by": one.by, "code": one.why.key(),
            "text": not_counted(&one.why, texts),
        })
    };
    let (name, change) = response(&seen.response);
    let refused = seen.refusal().map(|(code, fault)| {
        let text = fault.map_or_else(|| texts.get(Msg::TobRefused), |fault| fault.to_string());
        json!({ "code": code, "text": text })
    });
    json!({
        "shop": { "name": seen.shop.name, "organisation": seen.shop.organisation, "key": seen.shop.key },
        "service": seen.pin.service, "version": seen.pin.version, "title": seen.title,
        "package": seen.pin.package_sha256, "until": seen.until.to_string(), "first_seen": seen.pin.first_seen.to_string(),
        "accepted": seen.pin.accepted.is_some(), "grade": number(seen.belief.grade), "by": by(&seen.belief.by),
        "uncounted": seen.belief.uncounted.iter().map(uncounted).collect::<Vec<_>>(),
        "findings": seen.report.findings, "response": name, "change": change, "refused": refused,
    })
}

/// A service in lines, for people.
pub(super) fn lines(seen: &Seen, texts: &Texts) -> Vec<String> {
    let mut lines = vec![texts.get(Msg::TermsService {
        title: &seen.title,
        service: &seen.pin.service,
        version: &seen.pin.version,
        package: &seen.pin.package_sha256.to_string(),
        until: &day(seen.until, texts),
    })];
    let words = grade_words(seen.belief.grade, texts);
    let grade = u64::from(number(seen.belief.grade));
    lines.push(match &seen.belief.by {
        Source::BuiltIn => texts.get(Msg::ServiceBuiltIn),
        Source::Evaluators(all) => {
            let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
            texts.get(Msg::TermsGrade { grade: &grade.to_string(), words: &words, by: &names.join(", ") })
        }
        Source::Nobody => texts.get(Msg::TermsUnbelieved { words: &words }),
    });
    for one in &seen.belief.uncounted {
        let (by, why) = (one.by.as_deref().unwrap_or("?"), not_counted(&one.why, texts));
        lines.push(texts.get(Msg::TermsUncounted { by, why: &why }));
    }
    let told = |one: &&Finding| one.severity != Severity::Note;
    for Finding { lint, place, says, .. } in seen.report.findings.iter().filter(told) {
        lines.push(texts.get(Msg::TermsFinding { check: lint.id(), place, says }));
    }
    if let Some((_, fault)) = seen.refusal() {
        lines.push(fault.map_or_else(|| texts.get(Msg::TobRefused), |fault| fault.to_string()));
        return lines;
    }
    match &seen.response {
        Response::FirstSeen => lines.push(texts.get(Msg::TermsFirstSeen)),
        Response::Unchanged => lines.push(texts.get(Msg::TermsUnchanged)),
        Response::Update(update) => lines.extend(changed(update, texts)),
        Response::Equivocation(_) | Response::Downgrade { .. } => {}
    }
    lines
}

/// The words by which a certificate is compared.
pub(super) fn words(digest: &semper_supporting::crypto::digest::Digest) -> String {
    fingerprint(digest).join(" ")
}

pub(super) fn day(at: Moment, texts: &Texts) -> String {
    format::day(texts.locale(), &civil(at))
}

fn by(source: &Source) -> Value {
    match source {
        Source::BuiltIn => json!("built-in"),
        Source::Nobody => json!([]),
        Source::Evaluators(all) => {
            let one = |(name, grade): &(String, Grade)| json!({ "name": name, "grade": number(*grade) });
            all.iter().map(one).collect()
        }
    }
}

fn response(response: &Response) -> (&'static str, Value) {
    match response {
        Response::FirstSeen => ("first-seen", Value::Null),
        Response::Unchanged => ("unchanged", Value::Null),
        Response::Equivocation(proof) => {
            let both = [proof.first.digest(), proof.second.digest()];
            ("equivocation", json!({ "statements": both }))
        }
        Response::Downgrade { old, new, confirmable } => {
            ("downgrade", json!({ "offered": old, "accepted": new, "confirmable": confirmable }))
        }
        Response::Update(update) => ("update", change(update)),
    }
}

fn change(update: &Update) -> Value {
    fn places<T: Clone>(
        all: &[semper_commerce::download::update::Changed<T>],
        say: fn(&T) -> String,
    ) -> Value {
        let one = |one: &semper_commerce::download::update::Changed<T>| json!({ "place": one.place, "old": one.old.as_ref().map(say), "new": one.new.as_ref().map(say) });
        all.iter().map(one).collect()
    }
    let widened = update.widened.iter();
    let widened = widened.map(|one| json!({ "capability": one.capability, "old": one.old, "new": one.new }));
    json!({
        "from": update.from, "to": update.to,
        "texts": places(&update.texts, Clone::clone),
        "deadlines": places(&update.deadlines, ToString::to_string),
        "other": places(&update.other, Clone::clone),
        "widened": widened.collect::<Vec<_>>(),
        "lower_grade": update.lower_grade.map(|(old, new)| [number(old), number(new)]),
    })
}

fn changed(update: &Update, texts: &Texts) -> Vec<String> {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut lines = vec![texts.get(Msg::TermsUpdate { old: &update.from, new: &update.to })];
    if !update.texts.is_empty() {
        lines.push(texts.get(Msg::ServiceUpdateTexts { n: count(update.texts.len()) }));
    }
    if !update.deadlines.is_empty() {
        let say = |one: Option<String>| one.unwrap_or_else(|| "-".to_owned());
        let one = |one: &semper_commerce::download::update::Changed<_>| {
            let (old, new) =
                (one.old.as_ref().map(ToString::to_string), one.new.as_ref().map(ToString::to_string));
            format!("{} → {}", say(old), say(new))
        };
        let list: Vec<String> = update.deadlines.iter().map(one).collect();
        let n = count(update.deadlines.len());
        lines.push(texts.get(Msg::ServiceUpdateDeadlines { n, list: &list.join(", ") }));
    }
    if !update.other.is_empty() {
        lines.push(texts.get(Msg::ServiceUpdateRules { n: count(update.other.len()) }));
    }
    for one in &update.widened {
        let (old, new) = (one.old.as_str(), one.new.as_str());
        lines.push(texts.get(Msg::TermsWidened { capability: one.capability, old, new }));
    }
    if let Some((old, new)) = update.lower_grade {
        let (old, new) = (number(old).to_string(), number(new).to_string());
        lines.push(texts.get(Msg::TermsLowerGrade { old: &old, new: &new }));
    }
    lines
}

fn grade_words(grade: Grade, texts: &Texts) -> String {
    texts.get(match grade {
        Grade::Uncertified => Msg::ServiceGrade0,
        Grade::Checked => Msg::ServiceGrade1,
        Grade::Reviewed => Msg::ServiceGrade2,
        Grade::Approved => Msg::ServiceGrade3,
    })
}

/// Why a statement does not count, in the words of the catalogue.
fn not_counted(why: &NotCounted, texts: &Texts) -> String {
    let on = |at: &Moment| day(*at, texts);
    match why {
        NotCounted::Unreadable(_) => texts.get(Msg::ServiceUncountedUnreadable),
        NotCounted::Certificate(_) => texts.get(Msg::ServiceUncountedCertificate),
        NotCounted::NotIndependent(_) => texts.get(Msg::ServiceUncountedNotIndependent),
        NotCounted::NotTrusted => texts.get(Msg::ServiceUncountedNotTrusted),
        NotCounted::TrustEnded { on: at } => texts.get(Msg::ServiceUncountedTrustEnded { date: &on(at) }),
        NotCounted::OtherPackage => texts.get(Msg::ServiceUncountedOtherPackage),
        NotCounted::NotYet { on: at } => texts.get(Msg::ServiceUncountedNotYet { date: &on(at) }),
        NotCounted::Expired { on: at } => texts.get(Msg::ServiceUncountedExpired { date: &on(at) }),
        NotCounted::Withdrawn { on: at } => texts.get(Msg::ServiceUncountedWithdrawn { date: &on(at) }),
        NotCounted::NoList => texts.get(Msg::ServiceUncountedNoList),
        NotCounted::OldList { days } => {
            texts.get(Msg::ServiceUncountedOldList { days: u32::try_from(*days).unwrap_or(u32::MAX) })
        }
        NotCounted::OtherProfile => texts.get(Msg::ServiceUncountedOtherProfile),
        NotCounted::OtherLaw => texts.get(Msg::ServiceUncountedOtherLaw),
        NotCounted::OtherMoney(money) => {
            texts.get(Msg::ServiceUncountedOtherMoney { currency: &money.currency.to_string() })
        }
    }
}

/// An evaluator that is trusted, for other programs.
#[derive(Debug, Serialize)]
pub(super) struct ShownEvaluator {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) certificate: String,
    pub(super) words: String,
    pub(super) most: u8,
    pub(super) ceiling: Option<String>,
    pub(super) until: String,
}
