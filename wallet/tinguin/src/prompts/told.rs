//! What a sealed prompt says, in words: title, amount, facts with where they come from, warnings, consequence.
//!
//! The words are the window's. Of others nothing comes through but names and quotations that were let through
//! by the contract, and these stand inside quotation marks.

use semper_supporting::{
    money::Money,
    time::Moment,
    tinguin::{
        Critical, Fact, FactKey, FactValue, Quoted, SealedPrompt, Weight,
        facts::{ChoiceKey, Source},
        prompt::{SafeDefault, Warning},
    },
};

use crate::format::{self, Amount, Civil};
use crate::texts::{Msg, Texts};

/// How moments become dates of the user's zone.
pub type Zone = fn(Moment) -> Civil;

/// One fact as it is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// What it is about.
    pub key: FactKey,
    /// Its label.
    pub label: String,
    /// What is the case, line by line.
    pub value: String,
    /// Whether it is somebody's words.
    pub quoted: bool,
    /// Whether it is made of digits of a digest.
    pub digits: bool,
    /// Where it comes from.
    pub from: String,
    /// Whether it must be seen.
    pub critical: bool,
}

/// A sealed prompt in words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// What is asked, by kind and party.
    pub title: String,
    /// The sum that leaves, in figures, and spelled where this language can.
    pub amount: Option<(String, Option<String>)>,
    /// The facts.
    pub rows: Vec<Row>,
    /// What was checked on this computer.
    pub checks: Vec<String>,
    /// The warnings, in order.
    pub warnings: Vec<(ChoiceKey, String)>,
    /// What the picture is held for.
    pub hold: String,
    /// What happens when nobody answers in time.
    pub otherwise: String,
}

impl Told {
    /// Puts a prompt into words.
    #[must_use]
    pub fn new(prompt: &SealedPrompt, texts: &Texts, zone: Zone) -> Self {
        let facts = prompt.facts();
        let amount = amount(facts);
        let figures = amount.map(|money| format::money(texts.locale(), &shown(money)));
        let spelled = amount.and_then(|money| format::spelled(texts, &shown(money)));
        let party = party(facts).unwrap_or_else(|| texts.get(Msg::PromptSomebody));
        let mut checks = Vec::new();
        for fact in facts {
            if !matches!(fact.from.source(), Source::Claimed(_) | Source::Entered) {
                let line = checked(fact.from.source(), texts);
                if !checks.contains(&line) {
                    checks.push(line);
                }
            }
        }
        Self {
            title: title(prompt, &party, texts),
            hold: hold(prompt, figures.as_deref(), texts),
            amount: figures.map(|figures| (figures, spelled)),
            rows: facts.iter().map(|fact| row(fact, texts, zone)).collect(),
            checks,
            warnings: prompt.warnings().iter().map(|w| (w.key.clone(), warning(w, facts, texts))).collect(),
            otherwise: texts.get(match prompt.on_expiry() {
                SafeDefault::DoNotProceed => Msg::PromptThenNothing,
                SafeDefault::Refuse => Msg::PromptThenRefused,
                SafeDefault::KeepDraft => Msg::PromptThenDraft,
            }),
        }
    }
}

/// The sum that leaves: all that is taken, or else the amount.
#[must_use]
pub fn amount(facts: &[Fact]) -> Option<Money> {
    [FactKey::Total, FactKey::Amount].into_iter().find_map(|key| {
        facts.iter().find_map(|fact| match fact.value {
            FactValue::Money(money) if fact.key == key => Some(money),
            _ => None,
        })
    })
}

/// Whether the sum that leaves is play money.
#[must_use]
pub fn plays(prompt: &SealedPrompt) -> bool {
    amount(prompt.facts()).is_some_and(|money| money.currency.is_play())
}

/// The other party's name, if a fact names it.
#[must_use]
pub fn party(facts: &[Fact]) -> Option<String> {
    let keys = [FactKey::Counterparty, FactKey::Payee, FactKey::Recipient, FactKey::Publisher];
    keys.into_iter().find_map(|key| {
        facts.iter().find_map(|fact| match &fact.value {
            FactValue::Party(name) if fact.key == key => Some(name.as_str().to_owned()),
            _ => None,
        })
    })
}

/// What a prompt is about, for its title and for its line in the tray.
#[must_use]
pub fn title(prompt: &SealedPrompt, party: &str, texts: &Texts) -> String {
    texts.get(match (prompt.family(), choice(prompt, FactKey::Document), choice(prompt, FactKey::Move)) {
        (Critical::Sign, Some("item-order"), _) => Msg::S12TitleOrder { party },
        (Critical::Sign, Some("item-contract"), _) => Msg::S12TitleContract { party },
        (Critical::Sign, Some("item-receipt"), _) => Msg::S12TitleReceipt { party },
        (Critical::Sign, Some("document-deal-open"), _) => Msg::S12TitleDeal { party },
        (Critical::Sign, Some("document-certificate" | "document-certificates"), _) => {
            Msg::S12TitleCertificate { party }
        }
        (Critical::Sign, ..) => Msg::S12TitleStatement { party },
        (Critical::Pay, ..) => Msg::S13Title { party },
        (Critical::Exchange, ..) => Msg::S13TitleX { party },
        (Critical::PurseMove, _, Some("move-load")) => Msg::S17TitleLoad,
        (Critical::PurseMove, _, Some("move-unload")) => Msg::S17TitleUnload,
        (Critical::PurseMove, ..) => Msg::S17TitleMove { party },
        (Critical::Disclose, ..) => Msg::PromptTitleDisclose { party },
        (Critical::Install, ..) => Msg::PromptTitleInstall { party },
        (Critical::Trust, ..) => Msg::PromptTitleTrust { party },
        (Critical::Dispute, ..) => Msg::PromptTitleDispute { party },
        (Critical::Allow, ..) => Msg::PromptTitleAllow { party },
        (Critical::Revoke, ..) => Msg::PromptTitleRevoke,
        (Critical::Release, ..) => Msg::PromptTitleRelease,
        (Critical::Setting, ..) => Msg::PromptTitleSetting,
    })
}

fn hold(prompt: &SealedPrompt, amount: Option<&str>, texts: &Texts) -> String {
    let (document, moves) = (choice(prompt, FactKey::Document), choice(prompt, FactKey::Move));
    texts.get(match (prompt.family(), amount) {
        (Critical::Sign, Some(amount)) if document == Some("item-order") => Msg::S12HoldOrder { amount },
        (Critical::Sign, _) => Msg::S12HoldSign,
        (Critical::Pay | Critical::Exchange, Some(amount)) => Msg::S13Hold { amount },
        (Critical::PurseMove, Some(amount)) if moves == Some("move-load") => Msg::S17HoldLoad { amount },
        (Critical::PurseMove, Some(amount)) if moves == Some("move-unload") => Msg::S17HoldUnload { amount },
        _ => Msg::PromptHold,
    })
}

fn choice(prompt: &SealedPrompt, key: FactKey) -> Option<&str> {
    prompt.facts().iter().find_map(|fact| match &fact.value {
        FactValue::Choice(word) if fact.key == key => Some(word.as_str()),
        _ => None,
    })
}

fn warning(warning: &Warning, facts: &[Fact], texts: &Texts) -> String {
    let party = party(facts).unwrap_or_else(|| texts.get(Msg::PromptSomebody));
    let certifier = facts.iter().find_map(|fact| match fact.from.source() {
        Source::Certified(name) => Some(name.as_str()),
        _ => None,
    });
    let certifier = certifier.unwrap_or_default();
    let key = warning.key.as_str();
    let told = texts.named(key, &[("party", &party), ("ca", certifier)]);
    told.unwrap_or_else(|| texts.get(Msg::PromptWarning { key }))
}

/// One fact in words.
#[must_use]
pub fn row(fact: &Fact, texts: &Texts, zone: Zone) -> Row {
    Row {
        key: fact.key,
        label: word(&format!("fact-{}", fact.key.name()), texts),
        value: value(&fact.value, texts, zone),
        quoted: matches!(fact.from.source(), Source::Claimed(_)),
        digits: matches!(fact.value, FactValue::Digest(_)),
        from: source(fact.from.source(), texts),
        critical: fact.weight == Weight::Critical,
    }
}

fn value(value: &FactValue, texts: &Texts, zone: Zone) -> String {
    let money = |money: &Money| format::money(texts.locale(), &shown(*money));
    match value {
        FactValue::Money(sum) => money(sum),
        FactValue::Party(name) => name.as_str().to_owned(),
        FactValue::Text(words) => quoted(words),
        FactValue::Lines(lines) => {
            let each = |line: &semper_supporting::tinguin::facts::Line| {
                format!("{} × {} {}", line.count, quoted(&line.title), money(&line.each))
            };
            lines.iter().map(each).collect::<Vec<_>>().join("\n")
        }
        FactValue::Count(count) => format::integer(texts.locale(), u64::from(*count)),
        FactValue::Date(moment) => format::moment(texts.locale(), &zone(*moment)),
        FactValue::Span(span) => format::countdown(span.as_millis() / 1000),
        FactValue::Digest(digest) => grouped(&digest.to_string()),
        FactValue::File(file) => {
            let size = format::integer(texts.locale(), file.size);
            texts.get(Msg::PromptFile {
                name: file.name.as_str(),
                size: &size,
                media: &word(file.media.as_str(), texts),
            })
        }
        FactValue::Means(means) => format!("{} {}", word(means.system.as_str(), texts), quoted(&means.purse)),
        FactValue::Data(items) => {
            let each = items
                .iter()
                .map(|item| format!("{} {}", word(item.name.as_str(), texts), quoted(&item.value)));
            each.collect::<Vec<_>>().join("\n")
        }
        FactValue::Choice(key) => word(key.as_str(), texts),
    }
}

/// Digits in groups of four, all of them.
fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && index.is_multiple_of(4) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

fn quoted(words: &Quoted) -> String {
    let mut paragraphs = Vec::new();
    words.draw(|paragraph| paragraphs.push(format!("“{paragraph}”")));
    paragraphs.join("\n")
}

fn source(source: &Source, texts: &Texts) -> String {
    match source {
        Source::Entered => word("from-entered", texts),
        Source::Signed(name) => format!("{} {name}", word("from-signed", texts)),
        Source::Certified(name) => format!("{} {name}", word("from-certified", texts)),
        Source::Checked(_) => word("from-checked", texts),
        Source::Claimed(name) => format!("{} {name}", word("from-claimed", texts)),
    }
}

/// Where a fact comes from, with what was compared.
fn checked(from: &Source, texts: &Texts) -> String {
    match from {
        Source::Checked(check) => format!("{}: {}", source(from, texts), word(check.as_str(), texts)),
        Source::Certified(_) | Source::Claimed(_) | Source::Entered | Source::Signed(_) => {
            source(from, texts)
        }
    }
}

/// A word of the catalogue; a word that is missing is shown by its name, and the gate asks about none such.
fn word(key: &str, texts: &Texts) -> String {
    texts.named(key, &[]).unwrap_or_else(|| key.to_owned())
}

pub(crate) fn shown(money: Money) -> Amount {
    let minor = i64::try_from(money.minor()).unwrap_or(i64::MAX);
    Amount::new(minor, u8::try_from(money.currency.digits()).unwrap_or_default(), money.currency.code())
}
