//! The checks of a flat chart before anybody accepts it.
//!
//! The wallet, the merchant's packer and the evaluator run the same code over the same chart. A finding of
//! severity *refuse* makes terms unacceptable to everybody; *warn* is told to the user, who needs a reviewed
//! service or must say yes to it; *note* stands among the details.

mod flow;
mod graph;
mod item;
mod label;
mod money;
mod need;
mod product;
mod typing;

use serde::{Deserialize, Serialize};

use super::{fault::TermsFault, statechart::Statechart};

/// The version of this set of checks, named in evaluations.
pub const SET: &str = "semper-lint/1";

macro_rules! lints {
    ($($variant:ident $id:literal $severity:ident $doc:literal;)*) => {
        /// A check.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum Lint {
            $(#[doc = $doc] #[serde(rename = $id)] $variant,)*
        }

        impl Lint {
            /// All checks.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in reports.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// How grave a finding of it is, unless the check says otherwise.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
        }
    };
}

lints! {
    Parse "PARSE" Refuse "The files are in the format of terms.";
    Size "SIZE" Refuse "Nothing is larger than terms may be.";
    Text "TEXT" Refuse "All characters can be seen and read in one direction.";
    Ref "REF" Refuse "Every name means something.";
    Owner "OWNER" Refuse "Everybody gives only what is his own.";
    Cell "CELL" Refuse "What is given fits the kind of exchange.";
    Type "TYPE" Refuse "Expressions have the types that their places need.";
    Det "DET" Refuse "At most one automatic move is enabled for a party.";
    Race "RACE" Refuse "Where two parties may move, it is said whose move stands.";
    Reach "REACH" Refuse "Everything that is written can happen.";
    End "END" Refuse "Every state leads to an end.";
    Limit "LIMIT" Refuse "Every state ends after at most 400 days.";
    Cycle "CYCLE" Refuse "No run goes round without limit.";
    Owes "OWES" Refuse "Who must act can act.";
    Dead "DEAD" Warn "Something other than time leads out of each state.";
    Bound "BOUND" Refuse "The client cannot be made to pay more than the ceiling.";
    Amount "AMOUNT" Refuse "A payer has seen all of which the amount is computed.";
    PayContract "PAY-CONTRACT" Refuse "The client pays after the other side is bound.";
    Cover "COVER" Refuse "An end without the counter value leaves time to complain.";
    Dispute "DISPUTE" Refuse "Who has paid and not received may complain.";
    After "AFTER" Refuse "After a payment there is time to complain.";
    Over "OVER" Refuse "Nobody signs blanks.";
    BlindForm "BLIND-FORM" Refuse "What the other side fills in is shown before it counts.";
    Secret "SECRET" Refuse "Personal data are entered only as announced.";
    Anon "ANON" Refuse "Who may stay unknown need not enter personal data.";
    AnonPay "ANON-PAY" Warn "Payments can be as anonymous as the terms say.";
    Xprop "XPROP" Refuse "For every exchange there is a fair protocol.";
    Evid "EVID" Refuse "What may have to be proved leaves evidence.";
    Third "THIRD" Refuse "Where a third party may be needed, there is one.";
    Cap "CAP" Refuse "The service asks for exactly what it uses.";
    Dual "DUAL" Refuse "Both sides see all moves, and the client decides himself.";
    Subdeal "SUBDEAL" Refuse "Only announced services are opened.";
    Prose "PROSE" Refuse "Every text to consent to is there, in every language.";
    Withdraw "WITHDRAW" Warn "Consumers may withdraw, or know that they may not.";
    Label "LABEL" Refuse "No label can be mistaken for another, or for the window's own words.";
    Version "VERSION" Refuse "The blocks are those the service is pinned to.";
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It stands among the details.
    Note,
    /// The user is told, and needs a reviewed service or says yes to it.
    Warn,
    /// The terms cannot be accepted.
    Refuse,
}

/// What a check found.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Finding {
    /// The check.
    pub lint: Lint,
    /// How grave it is.
    pub severity: Severity,
    /// Where, as a path in the flat chart (`move.buy.buy`).
    pub place: String,
    /// What is wrong there.
    pub says: String,
}

/// How far a service has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// It is being written; it need not be pinned to its blocks.
    Draft,
    /// It was packed.
    Packed,
}

/// All that the checks found, in the order of the checks.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Report {
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether the terms may be accepted at all.
    pub fn is_acceptable(&self) -> bool {
        self.refusals().next().is_none()
    }

    /// What makes the terms unacceptable.
    pub fn refusals(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|one| one.severity == Severity::Refuse)
    }

    /// What the user is to be told.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|one| one.severity == Severity::Warn)
    }

    /// The report in one text, a line for each finding, which is hashed into evaluations.
    pub fn text(&self) -> String {
        let mut text = format!("{SET}\n");
        for Finding { lint, severity, place, says } in &self.findings {
            let severity = match severity {
                Severity::Note => "note",
                Severity::Warn => "warn",
                Severity::Refuse => "refuse",
            };
            text += &format!("{severity} {} {place}: {says}\n", lint.id());
        }
        text
    }
}

impl TermsFault {
    /// The check that this is a finding of.
    pub fn lint(&self) -> Lint {
        match self {
            Self::BadText { .. } => Lint::Text,
            Self::Size { .. } => Lint::Size,
            Self::Form { .. } | Self::Flatten { .. } => Lint::Parse,
            Self::Reference { .. } => Lint::Ref,
        }
    }
}

/// Runs all checks that need only the chart.
pub fn check(chart: &Statechart, stage: Stage) -> Report {
    let mut found = Found::default();
    item::check(chart, &mut found);
    // What names nobody cannot be followed any further.
    if !found.has(Lint::Ref) {
        graph::check(chart, &mut found);
        money::check(chart, &mut found);
        product::check(chart, &mut found);
        need::check(chart, stage, &mut found);
        label::check(chart, &mut found);
        if let Some(expressions) = typing::check(chart, &mut found) {
            flow::check(chart, &expressions, &mut found);
            need::protocols(chart, &expressions, &mut found);
        }
    }
    let mut findings = found.0;
    findings.sort();
    findings.dedup();
    Report { findings }
}

/// Checks that the prose files which `chart` needs are `available` (name without suffix, language) in each of
/// `languages`, and warns for each language of the `user` that is missing.
pub fn prose(
    chart: &Statechart,
    available: &[(String, String)],
    languages: &[String],
    user: &[String],
) -> Report {
    let mut found = Found::default();
    need::prose(chart, available, languages, user, &mut found);
    let mut findings = found.0;
    findings.sort();
    Report { findings }
}

/// The findings as they are made.
#[derive(Default)]
struct Found(Vec<Finding>);

impl Found {
    fn add(&mut self, lint: Lint, place: impl Into<String>, says: impl Into<String>) {
        self.grave(lint, lint.severity(), place, says);
    }

    fn grave(&mut self, lint: Lint, severity: Severity, place: impl Into<String>, says: impl Into<String>) {
        self.0.push(Finding { lint, severity, place: place.into(), says: says.into() });
    }

    fn has(&self, lint: Lint) -> bool {
        self.0.iter().any(|one| one.lint == lint)
    }
}
