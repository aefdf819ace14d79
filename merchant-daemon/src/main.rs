//! `semper-merchantd`: the merchant's daemon.

use std::{
    io::{IsTerminal as _, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};
use semper_host::{
    Registration,
    daemon::{self, Working},
};
use semper_merchant_daemon::{
    catalogue::Wanted,
    config::{Config, Pages, Waiting},
    control::{self, Command, Done},
    demo::{self, Demo},
    goods::Size,
    program::{Program, ProgramError},
    serve,
    storefront::{
        display::{self, Display},
        stocking,
    },
    terms::{
        command::{self, TermsCommand},
        making::Source,
    },
};

/// A shop of a SEMPER marketplace.
#[derive(Debug, Parser)]
#[command(name = "semper-merchantd", version, after_help = daemon::ABOUT_LOG)]
struct Arguments {
    /// The folder of this daemon.
    #[arg(long, global = true, default_value = ".")]
    dir: PathBuf,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Sets a shop up in its folder. Run again, it goes on where it stopped.
    Init(Box<Init>),
    /// Runs the daemon until it is told to stop.
    Run,
    /// The goods of the shop.
    #[command(subcommand)]
    Catalogue(Catalogue),
    /// The web pages of the shop.
    #[command(subcommand)]
    Shop(Shop),
    /// The terms under which the shop does business.
    #[command(subcommand)]
    Terms(Terms),
    /// Lists the deals.
    Deals {
        /// Answers as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Init {
    /// Its name in certificates and letters.
    #[arg(long)]
    name: String,
    /// The organisation that runs it.
    #[arg(long)]
    organisation: String,
    /// The city of the organisation.
    #[arg(long)]
    city: String,
    /// The country of the organisation, two letters.
    #[arg(long)]
    country: String,
    /// The name under which others call it.
    #[arg(long)]
    host: String,
    /// Further names of its host, for its certificate.
    #[arg(long)]
    dns: Vec<String>,
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
    #[arg(long)]
    authority: String,
    /// The file with its root certificate, from a source you trust.
    #[arg(long)]
    root: PathBuf,
    /// The file with its letter, or with the registration key in it.
    #[arg(long)]
    letter: PathBuf,
    /// The bank where the shop takes payments, as host:port.
    #[arg(long)]
    bank: String,
    /// How often it fetches the authority's revocation lists, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    lists_every: u64,
    /// An arbiter that the shop trusts with its exchanges, as host:port; may be given several times.
    #[arg(long = "arbiter")]
    arbiters: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Catalogue {
    /// Seals a file, of any length, and offers it.
    Add {
        /// The file.
        file: PathBuf,
        /// What buyers see, at most 80 characters.
        #[arg(long)]
        title: String,
        /// What it costs, as "XTS 6.00".
        #[arg(long)]
        price: String,
        /// Its media type; by the end of its name if absent.
        #[arg(long)]
        media: Option<String>,
    },
    /// Lists the articles.
    List {
        /// Answers as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Removes an article.
    Remove {
        /// Its name, as the list shows it.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum Shop {
    /// Furnishes the folder with a demonstration shop, stocks it, and has `run` show its pages. Run again, it goes on
    /// where it stopped.
    Init {
        /// Which shop.
        #[arg(value_parser = [demo::NAME])]
        name: String,
        /// Where browsers call, on this machine.
        #[arg(long)]
        listen: Option<SocketAddr>,
    },
    /// Seals what stands in `shop/catalogue.toml` and is not in the catalogue yet.
    Stock,
}

#[derive(Debug, clap::Args)]
struct Made {
    /// A file of terms, or a service that comes with SEMPER, by its id or short name.
    service: String,
    /// Makes the edition in which all sums are play money.
    #[arg(long)]
    play: bool,
    /// A folder with the long texts of the service, as withdrawal.en.md.
    #[arg(long, value_name = "DIR")]
    prose: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Terms {
    /// Packs and checks a service, for an evaluator; signs nothing.
    Pack {
        #[command(flatten)]
        made: Made,
        /// Where the package is written.
        #[arg(long)]
        out: PathBuf,
    },
    /// Packs, checks and signs a service, and offers it to callers.
    Publish {
        #[command(flatten)]
        made: Made,
        /// A file of this package with evaluations, as the evaluator gave it; may be repeated.
        #[arg(long, value_name = "FILE")]
        evaluation: Vec<PathBuf>,
        /// Until when it is offered, as 2027-11-20; a year if absent.
        #[arg(long)]
        until: Option<String>,
        /// Answers as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Takes further evaluations of a package that was published.
    AddEvaluation {
        /// The file of the package with evaluations.
        file: PathBuf,
        /// Answers as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Offers a package no more. Deals that name it go on.
    Withdraw {
        /// The package, as the list shows it.
        package: String,
    },
    /// Lists what was published.
    List {
        /// Answers as JSON.
        #[arg(long)]
        json: bool,
    },
}

impl From<Made> for Source {
    fn from(Made { service, play, prose }: Made) -> Self {
        Self { service, play, prose }
    }
}

async fn terms(dir: &Path, terms: Terms) -> Result<Done, ProgramError> {
    let command = match terms {
        Terms::Pack { made, out } => {
            let packed = command::pack(&made.into(), &out);
            return Ok(packed.unwrap_or_else(|text| Done { good: false, text }));
        }
        Terms::Publish { made, evaluation, until, json } => {
            return command::make_and_publish(dir, &made.into(), until, evaluation, json).await;
        }
        Terms::AddEvaluation { file, json } => {
            let file = std::path::absolute(&file)
                .map_err(|error| ProgramError::File(file.display().to_string(), error))?;
            TermsCommand::AddEvaluation { file, json }
        }
        Terms::Withdraw { package } => TermsCommand::Withdraw { package },
        Terms::List { json } => TermsCommand::List { json },
    };
    control::send(dir, Command::Terms(command)).await
}

fn main() -> ExitCode {
    let Arguments { dir, task } = Arguments::parse();
    daemon::log(if matches!(task, Task::Run) { Working::Daemon } else { Working::Command });
    // Whoever is told of the outcome may open the folder at once.
    let done = daemon::complete(execute(&dir, task));
    let done = done.map_err(|error| ProgramError::File("the runtime".into(), error)).flatten();
    let done = done.unwrap_or_else(|error| Done { good: false, text: error.to_string() });
    show(&done);
    if done.good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn execute(dir: &Path, task: Task) -> Result<Done, ProgramError> {
    match task {
        Task::Init(init) => initialise(dir, *init).await,
        Task::Run => run(dir).await,
        Task::Catalogue(Catalogue::Add { file, title, price, media }) => {
            control::add(dir, &file, Wanted { title, price, media }, progress()).await
        }
        Task::Catalogue(Catalogue::List { json }) => control::send(dir, Command::Articles { json }).await,
        Task::Catalogue(Catalogue::Remove { id }) => control::send(dir, Command::Remove { id }).await,
        Task::Shop(Shop::Init { listen, .. }) => furnish(dir, listen).await,
        Task::Shop(Shop::Stock) => stock(dir).await,
        Task::Terms(words) => terms(dir, words).await,
        Task::Deals { json } => control::send(dir, Command::Deals { json }).await,
    }
}

/// What was asked for goes to standard output, why something was not done to standard error.
fn show(done: &Done) {
    let text = done.text.trim_end();
    let _ = match (done.good, text.is_empty()) {
        (true, true) => Ok(()),
        (true, false) => writeln!(std::io::stdout(), "{text}"),
        (false, _) => writeln!(std::io::stderr(), "semper-merchantd: {text}"),
    };
}

/// Says on standard error how far sealing is, once it has taken a second: on a terminal in one line that is drawn
/// four times a second, anywhere else in a line of its own each five seconds.
fn progress() -> impl FnMut(u64, u64) + Send + 'static {
    const FIRST: Duration = Duration::from_secs(1);
    let terminal = std::io::stderr().is_terminal();
    let pause = Duration::from_millis(if terminal { 250 } else { 5000 });
    let begun = Instant::now();
    let mut last: Option<Instant> = None;
    move |done, total| {
        let now = Instant::now();
        let due = last.map_or(now.duration_since(begun) >= FIRST, |last| now.duration_since(last) >= pause);
        if !due && (last.is_none() || done < total) {
            return;
        }
        last = Some(now);
        let percent = u128::from(done) * 100 / u128::from(total.max(1));
        let said = format!("sealed {} of {} ({percent} %)", Size(done), Size(total));
        let mut out = std::io::stderr();
        let _ = match (terminal, done < total) {
            (true, true) => write!(out, "\r{said}   "),
            (true, false) => writeln!(out, "\r{said}   "),
            (false, _) => writeln!(out, "{said}"),
        }
        .and_then(|()| out.flush());
    }
}

async fn initialise(dir: &Path, init: Init) -> Result<Done, ProgramError> {
    let read = |path: PathBuf| {
        std::fs::read_to_string(&path).map_err(|error| ProgramError::File(path.display().to_string(), error))
    };
    let registration = Registration { root: read(init.root)?, letter: read(init.letter)? };
    let everywhere = SocketAddr::from(([0, 0, 0, 0], init.port));
    let config = Config {
        name: init.name,
        organisation: init.organisation,
        city: init.city,
        country: init.country,
        host: init.host,
        port: init.port,
        dns: init.dns,
        listen: init.listen.unwrap_or(everywhere),
        demo: init.demo,
        authority: init.authority,
        bank: init.bank,
        lists_every_s: init.lists_every,
        deadlines: Waiting::default(),
        shop: None,
        arbiters: init.arbiters,
    };
    let till = Program::init(dir, config, &registration).await?;
    let text = format!(
        "The shop in {} is registered. Its till is account {} at {}.\n",
        dir.display(),
        till.purse.account,
        till.purse.name
    );
    Ok(Done { good: true, text })
}

async fn run(dir: &Path) -> Result<Done, ProgramError> {
    let program = Arc::new(Program::open(dir).await?);
    serve::run(dir, program).await.map(|()| Done { good: true, text: "stopped".into() })
}

/// Furnishes the folder with the demonstration shop, stocks it, and writes down that it has pages.
async fn furnish(dir: &Path, listen: Option<SocketAddr>) -> Result<Done, ProgramError> {
    let (mut config, shop) = (Config::read(dir)?, dir.join(display::FOLDER));
    let before = config.shop.take().filter(|pages| pages.name == demo::NAME);
    let known = before.is_some();
    let mut pages = before.unwrap_or_else(|| Pages::of(demo::NAME));
    pages.listen = listen.unwrap_or(pages.listen);
    let at = pages.listen;
    config.shop = Some(pages);
    config.check(dir)?;
    let demo = Demo::fogra()?;
    if !known && !stocking::may_be_furnished(dir, &demo.display)? {
        return Ok(Done {
            good: false,
            text: format!("{} holds another shop; nothing was changed", shop.display()),
        });
    }
    stocking::furnish(dir, &demo.display, &demo.files)?;
    let done = stock(dir).await?;
    if done.good {
        config.write(dir)?;
    }
    Ok(Done { text: format!("{} `run` shows them at http://{at}/\n", done.text.trim_end()), ..done })
}

/// Stocks what the folder shows. No daemon may run there: it reads its pages when it starts.
async fn stock(dir: &Path) -> Result<Done, ProgramError> {
    let display = Display::read(&dir.join(display::FOLDER))?;
    let program = Program::open(dir).await?;
    let stocked = stocking::stock(&program, &display, stocked_so_far).await;
    Ok(match stocked {
        Ok(new) => {
            let text = format!("{new} of {} articles were put into the catalogue.\n", display.articles.len());
            Done { good: true, text }
        }
        Err(error) => Done { good: false, text: error.to_string() },
    })
}

/// Says on standard error how many articles are sealed, at every tenth.
fn stocked_so_far(done: usize, total: usize) {
    if done.is_multiple_of(10) || done == total {
        let end = if done < total { "" } else { "\n" };
        let mut out = std::io::stderr();
        let _ = write!(out, "\rsealed {done} of {total} articles   {end}").and_then(|()| out.flush());
    }
}
