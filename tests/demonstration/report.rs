//! What the demonstration writes down: `report.json`, described in `docs/demo-report.md`, and a summary of it.

use std::fmt::Write as _;

use serde::Serialize;

/// The form of the report; a later form has another name.
pub(crate) const SCHEMA: &str = "semper-demo-report/1";

/// The report of one run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// The form of the report.
    pub(crate) schema: &'static str,
    /// The version of the programs.
    pub(crate) version: &'static str,
    /// How they were built: `debug` or `release`.
    pub(crate) profile: &'static str,
    /// Whether it was run with `--unattended`.
    pub(crate) unattended: bool,
    /// Whether everything held.
    pub(crate) outcome: Outcome,
    /// Why not, where it did not.
    pub(crate) why: Option<String>,
    /// Who took part.
    pub(crate) parties: Vec<Party>,
    /// What the bank's archive says of money, once the bank was stopped.
    pub(crate) money: Option<Books>,
    /// How long the machine took for each phase; nobody was waited for.
    pub(crate) phases: Vec<Phase>,
    /// How many connections each daemon took: one handshake each.
    pub(crate) handshakes: Vec<Handshakes>,
    /// What was compared.
    pub(crate) checks: Vec<Check>,
    /// What `semper-ttpd audit --json` said of the stopped bank.
    pub(crate) audit: Option<serde_json::Value>,
}

/// How the run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// Everything was as it should be.
    Held,
    /// Something was not.
    Failed,
}

/// Somebody who took part.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Party {
    /// What it is in the market.
    pub(crate) role: &'static str,
    /// Its certified name.
    pub(crate) name: String,
    /// SHA-256 of the certificate it signs with, in hexadecimal.
    pub(crate) certificate: String,
}

/// The bank's books.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Books {
    /// Whether it is play money.
    pub(crate) play: bool,
    /// Every account of the bank.
    pub(crate) accounts: Vec<AccountLine>,
    /// Every payment.
    pub(crate) payments: Vec<PaymentLine>,
}

/// An account.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AccountLine {
    /// The account.
    pub(crate) account: String,
    /// Whose it is.
    pub(crate) holder: &'static str,
    /// Its kind in the books.
    pub(crate) kind: &'static str,
    /// What is on it.
    pub(crate) funds: String,
}

/// A payment.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PaymentLine {
    /// Its reference.
    pub(crate) reference: String,
    /// What the books say: `credited` within its window, `released` after it.
    pub(crate) state: String,
    /// How much.
    pub(crate) amount: String,
    /// Until when it can be ordered back.
    pub(crate) until: Option<String>,
}

/// A phase of the run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Phase {
    /// What was done.
    pub(crate) name: &'static str,
    /// How long it took, in milliseconds.
    pub(crate) machine_ms: u64,
}

/// The handshakes at one daemon.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Handshakes {
    /// The daemon.
    pub(crate) at: &'static str,
    /// How many.
    pub(crate) count: usize,
}

/// Two things that must be the same.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Check {
    /// What was compared.
    pub(crate) what: &'static str,
    /// What it should be.
    pub(crate) expected: String,
    /// What it is.
    pub(crate) found: String,
}

impl Check {
    /// Whether they are the same.
    pub(crate) fn held(&self) -> bool {
        self.expected == self.found
    }
}

impl Report {
    /// Whether everything held.
    pub(crate) fn held(&self) -> bool {
        self.outcome == Outcome::Held
    }

    /// The report for people.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::from("\nSEMPER demonstration, PLAY MONEY\n\n");
        let mut line = |words: std::fmt::Arguments<'_>| {
            // Writing into a text cannot fail.
            let _ = text.write_fmt(words).and_then(|()| text.write_char('\n'));
        };
        for Party { role, name, .. } in &self.parties {
            line(format_args!("  {role:<38} {name}"));
        }
        if let Some(books) = &self.money {
            line(format_args!(""));
            for AccountLine { holder, kind, funds, .. } in &books.accounts {
                line(format_args!("  {:<38} {funds:>12}", format!("{holder}, {kind}")));
            }
            for PaymentLine { state, amount, until, .. } in &books.payments {
                let until = until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
                line(format_args!("  {:<38} {amount:>12}{until}", format!("payment, {state}")));
            }
        }
        line(format_args!(""));
        for Phase { name, machine_ms } in &self.phases {
            line(format_args!("  {name:<38} {machine_ms:>9} ms"));
        }
        for Handshakes { at, count } in &self.handshakes {
            line(format_args!("  {:<38} {count:>9}", format!("handshakes at the {at}")));
        }
        line(format_args!(""));
        for check in self.checks.iter().filter(|check| !check.held()) {
            line(format_args!("  WRONG: {}: {}, not {}", check.what, check.found, check.expected));
        }
        match &self.why {
            None => line(format_args!("Everything held: {} checks, and the audit.", self.checks.len())),
            Some(why) => line(format_args!("It did not hold: {why}.")),
        }
        text
    }
}
