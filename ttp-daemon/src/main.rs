//! `semper-ttpd`: the daemon of third parties.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, Subcommand};
use semper_commerce::download::evaluation::Reason;
use semper_host::daemon::{self, Working};
use semper_supporting::{certificate::status::RevocationReason, registration::record::Kind};
use semper_ttp_daemon::{
    config::{ArbiterConfig, BankConfig, BankEntry, Config, Role},
    control::{self, Command, Done},
    evaluator::{command::EvaluatorCommand, read_reason},
    program::{Program, ProgramError, Registration},
    serve,
};

/// Third parties of a SEMPER marketplace: registration, bank, arbiter, evaluator.
#[derive(Debug, Parser)]
#[command(name = "semper-ttpd", version, after_help = daemon::ABOUT_LOG)]
struct Arguments {
    /// The folder of this daemon.
    #[arg(long, global = true, default_value = ".")]
    dir: PathBuf,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Sets a daemon up in its folder. Run again, it goes on where it stopped.
    Init(Box<Init>),
    /// Runs the daemon until it is told to stop.
    Run,
    /// The registration authority.
    #[command(subcommand)]
    Ra(Ra),
    /// The accounts of a bank.
    #[command(subcommand)]
    Account(Account),
    /// Lists the exchanges an arbiter was asked about: how far each is, its decision, and who asked when.
    Cases {
        /// Answers as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Proves from the bank's archive alone that no cent is missing.
    Audit {
        /// Answers as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Checks a service and signs how far it is to be believed.
    Evaluate(Evaluate),
    /// The evaluations that were signed.
    #[command(subcommand)]
    Evaluation(Evaluation),
}

#[derive(Debug, clap::Args)]
struct Evaluate {
    /// The file of the service, as its merchant packed it.
    package: PathBuf,
    /// 1: the checks found nothing to refuse; 2: a person has reviewed it; 3: and watches it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    grade: u8,
    /// A file with what the person found; kept, and named in the evaluation by its SHA-256.
    #[arg(long)]
    notes: Option<PathBuf>,
    /// A bound in place of what the service asks for, as "pay<=XTS 20.00" or "reveal=name,address"; may be repeated.
    #[arg(long)]
    scope: Vec<String>,
    /// A jurisdiction for which it was looked at, two letters; may be repeated. By default those of the service.
    #[arg(long)]
    jurisdiction: Vec<String>,
    /// For how many days it is good, at most 366.
    #[arg(long, default_value_t = 365)]
    days: u64,
    /// Where the package with the evaluation in it is written.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Answers as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Evaluation {
    /// Lists them, the newest first.
    List {
        /// Answers as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Withdraws one: from now on the signed list names it.
    Revoke {
        /// Its serial number.
        serial: String,
        /// Why: mistake, complaints, law, key-compromise or unspecified.
        #[arg(long, value_parser = withdrawal)]
        reason: Reason,
    },
}

#[derive(Debug, clap::Args)]
struct Init {
    /// What the daemon does.
    #[arg(long, required = true, value_delimiter = ',')]
    roles: Vec<Role>,
    /// Its name in certificates and letters.
    #[arg(long)]
    name: String,
    /// The organisation that runs it.
    #[arg(long)]
    organisation: String,
    /// The country of the organisation, two letters.
    #[arg(long)]
    country: String,
    /// The name under which others call it.
    #[arg(long)]
    host: String,
    /// The port under which others call it.
    #[arg(long, default_value_t = 7443)]
    port: u16,
    /// Where it listens; by default on all addresses of the machine at that port.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// A demonstration: play money, and addresses inside the own network.
    #[arg(long)]
    demo: bool,
    /// The certification authority to register with, as host:port.
    #[arg(long, requires = "root", requires = "letter")]
    authority: Option<String>,
    /// The file with its root certificate, from a source you trust.
    #[arg(long)]
    root: Option<PathBuf>,
    /// The file with its letter, or with the registration key in it.
    #[arg(long)]
    letter: Option<PathBuf>,
    /// How often it fetches that authority's revocation lists, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    lists_every: u64,
    /// For a bank: play money for each new customer, as "XTS 100.00".
    #[arg(long)]
    gift: Option<String>,
    /// For a bank: files with the certificates of the arbiters whose orders it follows.
    #[arg(long)]
    arbiter: Vec<PathBuf>,
    /// For an arbiter: a bank that takes its orders, as host:port=file of its certificate.
    #[arg(long)]
    bank: Vec<BankEntry>,
}

#[derive(Debug, Subcommand)]
enum Ra {
    /// Enters somebody whom you have checked in person.
    Enter {
        /// Which certificates: person, merchant, arbiter, evaluator, bank, directory, time-stamp.
        #[arg(long, default_value = "person", value_parser = kind)]
        kind: Kind,
        /// The name.
        #[arg(long)]
        name: String,
        /// The organisation.
        #[arg(long)]
        organisation: Option<String>,
        /// The city.
        #[arg(long)]
        city: Option<String>,
        /// The country, two letters.
        #[arg(long)]
        country: Option<String>,
        /// The name of a daemon's host.
        #[arg(long)]
        dns: Vec<String>,
        /// What else you have confirmed.
        #[arg(long = "attr", value_delimiter = ',')]
        attributes: Vec<String>,
        /// Prints the letter at once instead of keeping its key for `ra print`.
        #[arg(long)]
        print: bool,
    },
    /// Prints the letter of somebody who was entered. Its key is shown here only.
    Print {
        /// The registration.
        id: String,
    },
    /// Declares a registration key void.
    Void {
        /// The registration.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Revokes the certificates of a registration.
    Revoke {
        /// The registration.
        id: String,
        /// Why.
        #[arg(long, default_value = "unspecified", value_parser = reason)]
        reason: RevocationReason,
    },
    /// Lists the registrations.
    List,
}

#[derive(Debug, Subcommand)]
enum Account {
    /// Lists the accounts of people, with what is on them and what is pending.
    List {
        /// Answers as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Puts play money on a customer's account.
    Fund {
        /// The account.
        account: String,
        /// How much, as "XTS 100.00".
        money: String,
    },
}

fn kind(text: &str) -> Result<Kind, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|error| error.to_string())
}

fn reason(text: &str) -> Result<RevocationReason, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|error| error.to_string())
}

fn withdrawal(text: &str) -> Result<Reason, String> {
    read_reason(text).ok_or_else(|| "mistake, complaints, law, key-compromise or unspecified".to_owned())
}

fn main() -> ExitCode {
    let Arguments { dir, task } = Arguments::parse();
    daemon::log(if matches!(task, Task::Run) { Working::Daemon } else { Working::Command });
    // Whoever is told of the outcome may open the folder at once.
    let done = daemon::complete(execute(&dir, task));
    let done = done.map_err(|error| ProgramError::File("the runtime".into(), error)).flatten();
    let done = done.unwrap_or_else(|error| Done { good: false, text: format!("{error}\n") });
    show(&done);
    if done.good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn execute(dir: &Path, task: Task) -> Result<Done, ProgramError> {
    match task {
        Task::Init(init) => initialise(dir, *init).await,
        Task::Run => run(dir).await,
        Task::Ra(ra) => control::send(dir, ra.command()).await,
        Task::Account(account) => control::send(dir, account.command()).await,
        Task::Cases { json } => control::send(dir, Command::Cases { json }).await,
        Task::Audit { json } => control::send(dir, Command::Audit { json }).await,
        Task::Evaluate(evaluate) => {
            control::send(dir, Command::Evaluator(evaluate.command().map_err(said)?)).await
        }
        Task::Evaluation(evaluation) => control::send(dir, Command::Evaluator(evaluation.command())).await,
    }
}

fn said(error: std::io::Error) -> ProgramError {
    ProgramError::File("the working folder".into(), error)
}

impl Evaluate {
    fn command(self) -> std::io::Result<EvaluatorCommand> {
        let Self { package, grade, notes, scope, jurisdiction, days, out, json } = self;
        let absolute = |path: PathBuf| std::path::absolute(path);
        Ok(EvaluatorCommand::Evaluate {
            package: absolute(package)?,
            grade,
            notes: notes.map(absolute).transpose()?,
            scope,
            jurisdiction,
            days,
            out: out.map(absolute).transpose()?,
            json,
        })
    }
}

impl Evaluation {
    fn command(self) -> EvaluatorCommand {
        match self {
            Self::List { json } => EvaluatorCommand::List { json },
            Self::Revoke { serial, reason } => EvaluatorCommand::Revoke { serial, reason },
        }
    }
}

/// What was asked for goes to standard output, also an audit that failed; why something was not done, to
/// standard error.
fn show(done: &Done) {
    let audit = done.text.starts_with('{') || done.text.contains("the books are not right");
    let text = format!("{}\n", done.text.trim_end());
    let _ = if done.good || audit {
        std::io::stdout().write_all(text.as_bytes())
    } else {
        std::io::stderr().write_all(format!("semper-ttpd: {text}").as_bytes())
    };
}

impl Ra {
    fn command(self) -> Command {
        match self {
            Self::Enter { kind, name, organisation, city, country, dns, attributes, print } => {
                Command::Enter { kind, name, organisation, city, country, dns, attributes, print }
            }
            Self::Print { id } => Command::Print { id },
            Self::Void { id, reason } => Command::Void { id, reason },
            Self::Revoke { id, reason } => Command::Revoke { id, reason },
            Self::List => Command::Registrations,
        }
    }
}

impl Account {
    fn command(self) -> Command {
        match self {
            Self::List { json } => Command::Accounts { json },
            Self::Fund { account, money } => Command::Fund { account, money },
        }
    }
}

async fn initialise(dir: &Path, init: Init) -> Result<Done, ProgramError> {
    let read = |path: PathBuf| {
        std::fs::read_to_string(&path).map_err(|error| ProgramError::File(path.display().to_string(), error))
    };
    let registration = match (init.root, init.letter) {
        (Some(root), Some(letter)) => Some(Registration { root: read(root)?, letter: read(letter)? }),
        _ => None,
    };
    let everywhere = SocketAddr::from(([0, 0, 0, 0], init.port));
    let config = Config {
        name: init.name,
        organisation: init.organisation,
        country: init.country,
        host: init.host,
        port: init.port,
        listen: init.listen.unwrap_or(everywhere),
        roles: init.roles,
        demo: init.demo,
        authority: init.authority,
        lists_every_s: init.lists_every,
        bank: BankConfig { gift: init.gift, arbiters: init.arbiter },
        arbiter: ArbiterConfig { banks: init.bank, ..ArbiterConfig::default() },
    };
    let own = registration.is_none();
    Program::init(dir, config, registration).await?;
    let text = if own {
        format!(
            "A certification authority is set up in {0}.\nTake {0}/root.key off this machine and keep it safe; {0}/root.pem is public.\n",
            dir.display()
        )
    } else {
        format!("The daemon in {} is registered.\n", dir.display())
    };
    Ok(Done { good: true, text })
}

async fn run(dir: &Path) -> Result<Done, ProgramError> {
    let program = Arc::new(Program::open(dir).await?);
    serve::run(dir, program).await.map(|()| Done { good: true, text: "stopped".into() })
}
