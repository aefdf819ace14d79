//! The operator's commands, for a daemon that runs and for one that does not.
//!
//! If no daemon listens on the control socket of its folder, the command opens the folder itself.

use std::{collections::BTreeMap, io, path::Path, sync::Arc};

pub use semper_host::control::{Commands, Done};
use semper_host::{chance, control};
use semper_supporting::{
    certificate::{
        Subject,
        profile::{BusinessKind, Need},
        status::RevocationReason,
    },
    money::Money,
    registration::{
        prk::Prk,
        record::{Kind, RecordId},
    },
};
use semper_transfer::payment::AccountId;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::{
    evaluator::{self, command::EvaluatorCommand},
    office::Applicant,
    program::{Program, ProgramError},
};

/// A command of the operator.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Command {
    /// Enters somebody who was checked in person, and prints the letter at once if asked to.
    Enter {
        /// Which set of certificates.
        kind: Kind,
        /// The name.
        name: String,
        /// The organisation.
        organisation: Option<String>,
        /// The city.
        city: Option<String>,
        /// The country, two letters.
        country: Option<String>,
        /// The hosts of a daemon.
        dns: Vec<String>,
        /// What else was confirmed.
        attributes: Vec<String>,
        /// Whether the letter is printed now.
        print: bool,
    },
    /// Prints the letter of somebody who was entered while this daemon runs.
    Print {
        /// The registration.
        id: String,
    },
    /// Declares a registration key void.
    Void {
        /// The registration.
        id: String,
        /// Why.
        reason: String,
    },
    /// Revokes the certificates of a registration.
    Revoke {
        /// The registration.
        id: String,
        /// Why.
        reason: RevocationReason,
    },
    /// Lists the registrations.
    Registrations,
    /// Lists the accounts of people.
    Accounts {
        /// Whether the answer is JSON.
        json: bool,
    },
    /// Puts play money on an account.
    Fund {
        /// The account.
        account: String,
        /// How much, as `XTS 100.00`.
        money: String,
    },
    /// Lists what the arbiter was asked about.
    Cases {
        /// Whether the answer is JSON.
        json: bool,
    },
    /// Proves that no cent is missing.
    Audit {
        /// Whether the answer is JSON.
        json: bool,
    },
    /// Is for the evaluator.
    Evaluator(EvaluatorCommand),
}

/// The registration keys that were made and not printed yet. They are in memory only.
pub type Unprinted = Mutex<BTreeMap<RecordId, Prk>>;

/// Takes commands of a running daemon until the task is dropped.
///
/// # Errors
/// Those of the system.
pub async fn take(commands: Commands, program: Arc<Program>) -> io::Result<()> {
    let unprinted = Arc::new(Unprinted::default());
    let work = |command| {
        let (program, unprinted) = (Arc::clone(&program), Arc::clone(&unprinted));
        async move { execute(&program, &unprinted, command).await }
    };
    commands.take(work).await
}

/// Has a command done: by the daemon that runs in `folder`, or here.
///
/// # Errors
/// [`ProgramError`] if the folder cannot be opened.
pub async fn send(folder: &Path, command: Command) -> Result<Done, ProgramError> {
    let failed = |error| ProgramError::File(control::socket(folder).display().to_string(), error);
    if let Some(done) = control::send(folder, &command).await.map_err(failed)? {
        return Ok(done);
    }
    let program = Program::open(folder).await?;
    if matches!(&command, Command::Enter { print: false, .. }) {
        let text = "the registration key is kept in the memory of a running daemon only: start it, or print the letter at once (--print)";
        return Ok(Done { good: false, text: text.into() });
    }
    Ok(execute(&program, &Unprinted::default(), command).await)
}

/// Does a command.
pub async fn execute(program: &Program, unprinted: &Unprinted, command: Command) -> Done {
    match perform(program, unprinted, command).await {
        Ok(done) => done,
        Err(text) => Done { good: false, text },
    }
}

async fn perform(program: &Program, unprinted: &Unprinted, command: Command) -> Result<Done, String> {
    let office = || program.office.as_ref().ok_or("this daemon is no registration authority");
    let counter = || program.counter.as_ref().ok_or("this daemon is no bank");
    let said = |error: &dyn std::error::Error| error.to_string();
    let now = chance::now();
    match command {
        Command::Enter { kind, name, organisation, city, country, dns, attributes, print } => {
            let business = organisation.as_ref().map(|_| BusinessKind::Business);
            let subject = Subject {
                country,
                locality: city,
                organisation,
                common_name: name,
                dns,
                business,
                ..Subject::default()
            };
            fits(kind, &subject)?;
            let applicant = Applicant { kind, subject, attributes, policy: None };
            let (id, prk) = office()?.enter(applicant, now).await.map_err(|error| said(&error))?;
            if print {
                return letter(program, id, &prk).await;
            }
            unprinted.lock().await.insert(id, prk);
            good(format!("{id}\n"))
        }
        Command::Print { id } => {
            let id = record(&id)?;
            let prk = unprinted.lock().await.remove(&id);
            let prk = prk.ok_or(
                "the key of this registration was printed, or is gone with the daemon that made it: void the registration and enter it again",
            )?;
            letter(program, id, &prk).await
        }
        Command::Void { reason, .. } if reason.trim().is_empty() => {
            Err("the reason is empty: say with --reason why the key is void".to_owned())
        }
        Command::Void { id, reason } => {
            office()?.void(record(&id)?, reason, now).await.map_err(|error| said(&error))?;
            good(format!("{id} is void\n"))
        }
        Command::Revoke { id, reason } => {
            office()?.revoke(record(&id)?, reason, now).await.map_err(|error| said(&error))?;
            program.renew_lists().await.map_err(|error| said(&error))?;
            good(format!("{id} is revoked\n"))
        }
        Command::Registrations => {
            let lines = office()?.list().await.into_iter().map(|one| {
                let kind =
                    serde_json::to_value(one.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
                format!("{}  {:<12} {:<12} {}\n", one.id, one.state, kind.unwrap_or_default(), one.name)
            });
            list(lines, "there are no registrations yet")
        }
        Command::Accounts { json } => {
            let listed = counter()?.list().await.map_err(|error| said(&error))?;
            if json {
                return good(format!("{}\n", serde_json::to_string(&listed).map_err(|error| said(&error))?));
            }
            let lines = listed.into_iter().map(|one| {
                let state = if one.open { "" } else { "  closed" };
                format!(
                    "{}  {:<10} {:>16}  pending {:>16}{state}\n",
                    one.account, one.kind, one.funds, one.pending
                )
            });
            list(lines, "this bank keeps no account yet")
        }
        Command::Fund { account, money } => {
            let id =
                AccountId::parse(&account).map_err(|error| format!("{account:?} is no account: {error}"))?;
            let sum = Money::parse(&money).map_err(|error| format!("{money:?}: {error}"))?;
            counter()?.fund(id, sum, now).await.map_err(|error| said(&error))?;
            good(format!("{account} got {money} of play money\n"))
        }
        Command::Cases { json } => {
            let arbiter = program.arbiter.as_ref().ok_or("this daemon is no arbiter")?;
            let cases = arbiter.cases().await.map_err(|error| said(&error))?;
            if json {
                good(format!("{}\n", serde_json::to_string(&cases).map_err(|error| said(&error))?))
            } else {
                list(cases.iter().map(shown), "nobody has asked this arbiter anything yet")
            }
        }
        Command::Evaluator(command) => {
            let evaluator = program.evaluator.as_ref().ok_or("this daemon is no evaluator")?;
            evaluator::command::perform(evaluator, command, &program.trust.snapshot()).await
        }
        Command::Audit { json } => {
            let audit = counter()?.audit().await.map_err(|error| said(&error))?;
            let text = if json {
                format!("{}\n", serde_json::to_string(&audit).map_err(|error| said(&error))?)
            } else {
                report(&audit)
            };
            Ok(Done { good: audit.is_clean(), text })
        }
    }
}

async fn letter(program: &Program, id: RecordId, prk: &Prk) -> Result<Done, String> {
    let office = program.office.as_ref().ok_or("this daemon is no registration authority")?;
    let text = office.print(id, prk, chance::now()).await.map_err(|error| error.to_string())?;
    good(text)
}

/// A case in a list: a line for it, and one for each request.
fn shown(case: &crate::arbiter::Listed) -> String {
    let decision = case.decision.as_deref().unwrap_or("-");
    let count = case.requests.len();
    let mut text = format!(
        "{}  {:<15} decision {decision}  {count} requests  since {}\n",
        case.exchange, case.state, case.opened
    );
    for request in &case.requests {
        text.push_str(&format!("    {}  {:<10} {}\n", request.at, request.by, request.request));
    }
    text
}

fn report(audit: &semper_transfer::payment::ledger::Audit) -> String {
    let mut text = format!("{} accounts, {} entries\n", audit.accounts, audit.entries);
    for (currency, minor) in &audit.totals {
        let unsigned = Money::parse(&format!("{currency} 0.00")).ok().and_then(|zero| {
            u64::try_from(*minor).ok().and_then(|minor| Money::new(minor, zero.currency).ok())
        });
        let shown =
            unsigned.map_or_else(|| format!("{currency} {minor} minor units"), |money| money.to_string());
        text.push_str(&format!("{shown} came in from outside and are owed to people\n"));
    }
    for finding in &audit.findings {
        text.push_str(&format!("{} {}: {}\n", finding.table, finding.row, finding.what));
    }
    text.push_str(if audit.is_clean() {
        "every cent is accounted for\n"
    } else {
        "the books are not right\n"
    });
    text
}

/// Whether the options name what certificates of this kind carry, and nothing else.
fn fits(kind: Kind, subject: &Subject) -> Result<(), String> {
    for rules in kind.classes().iter().map(|class| class.rules()) {
        for (option, what, need, there) in [
            ("--country", "the country of its subject", rules.country, subject.country.is_some()),
            ("--city", "the city of its subject", rules.locality, subject.locality.is_some()),
            ("--organisation", "an organisation", rules.organisation, subject.organisation.is_some()),
            ("--dns", "the name of a host", rules.dns, !subject.dns.is_empty()),
        ] {
            match (need, there) {
                (Need::Required, false) => {
                    return Err(format!("{option} is missing: a certificate of this kind carries {what}"));
                }
                (Need::Absent, true) => {
                    return Err(format!(
                        "{option} is too much: a certificate of this kind does not carry {what}"
                    ));
                }
                _ => {}
            }
        }
    }
    let country = subject.country.as_deref().unwrap_or("DE");
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("--country {country:?}: two capital letters were expected, as DE"));
    }
    Ok(())
}

/// A list, or words for an empty one.
fn list(lines: impl Iterator<Item = String>, empty: &str) -> Result<Done, String> {
    let text: String = lines.collect();
    good(if text.is_empty() { format!("{empty}\n") } else { text })
}

#[expect(clippy::unnecessary_wraps, reason = "the last step of fallible commands")]
fn good(text: String) -> Result<Done, String> {
    Ok(Done { good: true, text })
}

fn record(text: &str) -> Result<RecordId, String> {
    RecordId::parse(text).map_err(|error| format!("{text:?} is no registration: {error}"))
}
