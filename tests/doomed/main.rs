//! `semper-doomed`: runs the shop or the third party of a folder as its own program does, and ends where it is told.
//!
//! It is the library of `semper-merchantd` or `semper-ttpd` with a watch on its archive. On standard input it is told
//! its doom, as `before 3` or `after 12`, counted in transactions from then on; `spare` lifts it, and has it say how
//! many there were.

use std::{
    io::{self, BufRead as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, Subcommand};
use semper_host::daemon;
use semper_tests::{
    Failure, Result,
    doom::{Doom, Fate},
};

/// A daemon that ends where it is told.
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder of the daemon.
    #[arg(long)]
    dir: PathBuf,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs it.
    Run,
}

#[tokio::main]
async fn main() -> ExitCode {
    daemon::log(daemon::Working::Daemon);
    let Arguments { dir, task: Task::Run } = Arguments::parse();
    match run(&dir).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("failed: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Whose folder it is, its configuration tells.
async fn run(dir: &Path) -> Result<()> {
    let fate = Fate::default();
    let heard = fate.clone();
    std::thread::spawn(move || hear(&heard));
    if dir.join(semper_merchant_daemon::config::FILE).is_file() {
        let program = Arc::new(semper_merchant_daemon::program::Program::open(dir).await?);
        program.store.watch(fate);
        return Ok(semper_merchant_daemon::serve::run(dir, program).await?);
    }
    if dir.join(semper_ttp_daemon::config::FILE).is_file() {
        let program = Arc::new(semper_ttp_daemon::program::Program::open(dir).await?);
        program.store.watch(fate);
        return Ok(semper_ttp_daemon::serve::run(dir, program).await?);
    }
    Err(Failure::of("no daemon's folder", dir.display()))
}

/// Hears what it is told, until nobody tells it anything any more.
fn hear(fate: &Fate) {
    for line in io::stdin().lock().lines().map_while(io::Result::ok) {
        match line.parse::<Doom>() {
            Ok(doom) => {
                fate.set(doom);
                say(&format!("doomed {doom}"));
            }
            Err(_) if line == "spare" => say(&format!("spared after {}", fate.spare())),
            Err(failure) => say(&failure.to_string()),
        }
    }
}

fn say(line: &str) {
    let mut out = io::stdout();
    // Nobody may be listening any more, which is no reason to stop.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
