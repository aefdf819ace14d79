//! What the demonstration writes down: `report.json`, described in `docs/demo-report.md`, and a summary of it.

use std::fmt::Write as _;

use semper_trade::sale::Entry;
use serde::Serialize;

use crate::fault::Fault;

/// The form of the report; a later form has another name.
pub(crate) const SCHEMA: &str = "semper-demo-report/2";

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
    /// The cheat, if there was one.
    pub(crate) fault: Option<Fault>,
    /// Whether everything held.
    pub(crate) outcome: Outcome,
    /// Why not, where it did not.
    pub(crate) why: Option<String>,
    /// What was found.
    #[serde(flatten)]
    pub(crate) findings: Findings,
}

/// What was found, as far as the run came.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Findings {
    /// Who took part.
    pub(crate) parties: Vec<Party>,
    /// The deal, once the archives of both sides were read.
    pub(crate) deal: Option<Deal>,
    /// What was sold.
    pub(crate) item: Option<Item>,
    /// What the bank's archive says of money, once the bank was stopped.
    pub(crate) money: Option<Books>,
    /// What the arbiter was asked.
    pub(crate) arbiter: Option<Asked>,
    /// How often the buyer's program waited for the shop's in this deal.
    pub(crate) round_trips: Option<usize>,
    /// How long the machine took for each phase; nobody was waited for.
    pub(crate) phases: Vec<Phase>,
    /// How many connections each daemon took: one handshake each.
    pub(crate) handshakes: Vec<Count>,
    /// How many entries the journal of each program has.
    pub(crate) journals: Vec<Count>,
    /// The dossier of the deal.
    pub(crate) bundle: Option<Bundle>,
    /// Photographs of the wallet's window.
    pub(crate) pictures: Vec<Picture>,
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

/// The deal, as the archive of each side has it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Deal {
    /// Its name.
    pub(crate) deal: Option<String>,
    /// What was sold.
    pub(crate) title: Option<String>,
    /// For how much.
    pub(crate) price: String,
    /// As the wallet has it.
    pub(crate) customer: Side,
    /// As the shop has it.
    pub(crate) merchant: Side,
}

/// One side of the deal.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Side {
    /// How it ended.
    pub(crate) outcome: Option<String>,
    /// The code of what its user was told last.
    pub(crate) told: Option<String>,
    /// Whether the money has moved.
    pub(crate) paid: bool,
    /// Whether the goods have.
    pub(crate) delivered: bool,
    /// Whether nothing is open any more.
    pub(crate) closed: bool,
}

/// What was sold, as the shop was given it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Item {
    /// The name of the file.
    pub(crate) file: String,
    /// Its length in bytes.
    pub(crate) bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub(crate) sha256: String,
    /// SHA-256 of what the wallet has of it; nothing if it has nothing.
    pub(crate) received: Option<String>,
}

/// What the arbiter was asked, by its archive.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Asked {
    /// How many messages about deals it was sent and has answered.
    pub(crate) messages: usize,
    /// What `semper-ttpd cases --json` says.
    pub(crate) cases: Vec<serde_json::Value>,
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

/// How many of something there are at one program.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Count {
    /// The program.
    pub(crate) at: &'static str,
    /// How many.
    pub(crate) count: u64,
}

/// The dossier of the deal.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bundle {
    /// Its folder.
    pub(crate) folder: String,
    /// How many signed objects it holds.
    pub(crate) objects: usize,
    /// The fingerprint of the root it was checked against.
    pub(crate) root: String,
    /// The last line that its `verify.sh` printed.
    pub(crate) verdict: String,
}

/// A photograph of the window.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Picture {
    /// What it shows.
    pub(crate) view: &'static str,
    /// The file.
    pub(crate) file: String,
    /// How many colours it has.
    pub(crate) colours: u32,
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

impl Findings {
    /// Compares two things.
    pub(crate) fn check(&mut self, what: &'static str, expected: impl ToString, found: impl ToString) {
        self.checks.push(Check { what, expected: expected.to_string(), found: found.to_string() });
    }
}

impl Side {
    /// A side as its register has it.
    pub(crate) fn of(entry: &Entry) -> Self {
        let Entry { outcome, told, paid, delivered, closed, .. } = entry.clone();
        Self { outcome, told, paid, delivered, closed }
    }
}

impl Report {
    /// Whether everything held.
    pub(crate) fn held(&self) -> bool {
        self.outcome == Outcome::Held
    }

    /// The report for people.
    pub(crate) fn summary(&self) -> String {
        let found = &self.findings;
        let mut text = String::from("\nSEMPER demonstration, PLAY MONEY\n\n");
        let mut line = |words: std::fmt::Arguments<'_>| {
            // Writing into a text cannot fail.
            let _ = text.write_fmt(words).and_then(|()| text.write_char('\n'));
        };
        for Party { role, name, .. } in &found.parties {
            line(format_args!("  {role:<38} {name}"));
        }
        if let Some(Deal { deal, title, price, customer, merchant }) = &found.deal {
            line(format_args!(""));
            line(format_args!("  {:<46} {}", "deal", deal.as_deref().unwrap_or("-")));
            line(format_args!("  {:<46} {} for {price}", "sold", title.as_deref().unwrap_or("-")));
            for (whose, side) in [("customer", customer), ("merchant", merchant)] {
                let Side { outcome, told, .. } = side;
                let (outcome, told) = (outcome.as_deref().unwrap_or("open"), told.as_deref().unwrap_or("-"));
                line(format_args!("  {:<46} {outcome} ({told})", format!("outcome, by the {whose}")));
            }
        }
        if let Some(Item { sha256, received, .. }) = &found.item {
            line(format_args!("  {:<46} {sha256}", "SHA-256 of the file"));
            line(format_args!(
                "  {:<46} {}",
                "SHA-256 of what was received",
                received.as_deref().unwrap_or("-")
            ));
        }
        if let Some(books) = &found.money {
            line(format_args!(""));
            for AccountLine { holder, kind, funds, .. } in &books.accounts {
                line(format_args!("  {:<46} {funds:>12}", format!("{holder}, {kind}")));
            }
            for PaymentLine { state, amount, until, .. } in &books.payments {
                let until = until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
                line(format_args!("  {:<46} {amount:>12}{until}", format!("payment, {state}")));
            }
        }
        line(format_args!(""));
        for Phase { name, machine_ms } in &found.phases {
            line(format_args!("  {name:<46} {machine_ms:>9} ms"));
        }
        if let Some(asked) = &found.arbiter {
            line(format_args!("  {:<46} {:>9}", "messages to and from the arbiter", asked.messages));
        }
        if let Some(count) = found.round_trips {
            line(format_args!("  {:<46} {count:>9}", "round trips between wallet and shop"));
        }
        for (what, counts) in
            [("handshakes at the", &found.handshakes), ("journal entries of the", &found.journals)]
        {
            for Count { at, count } in counts {
                line(format_args!("  {:<46} {count:>9}", format!("{what} {at}")));
            }
        }
        line(format_args!(""));
        if let Some(Bundle { folder, objects, verdict, .. }) = &found.bundle {
            line(format_args!("  evidence: {folder}, {objects} signed objects: {verdict}"));
        }
        for Picture { view, file, .. } in &found.pictures {
            line(format_args!("  picture of {view}: {file}"));
        }
        for check in found.checks.iter().filter(|check| !check.held()) {
            line(format_args!("  WRONG: {}: {}, not {}", check.what, check.found, check.expected));
        }
        match &self.why {
            None => line(format_args!("Everything held: {} checks, and the audit.", found.checks.len())),
            Some(why) => line(format_args!("It did not hold: {why}.")),
        }
        text
    }
}
