//! The demonstration: a whole market on one machine, from the first key to the audit, with a report.
//!
//! `cargo xtask demo` builds it and runs it. What the report says of money is read from the archives of the
//! stopped programs, and compared with what the programs of the customer and the merchant believe.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

mod business;
mod report;

use std::{fs, path::PathBuf, process::ExitCode};

use clap::Parser;
use semper_tests::{Failure, Result, marketplace::runtime};
use tokio::signal::unix::{SignalKind, signal};

use business::Business;

/// A market with a certification authority, a bank, a customer and a merchant, in play money.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask demo", bin_name = "cargo xtask demo", version)]
struct Arguments {
    /// Asks nobody and opens no window; without a display that goes without saying.
    #[arg(long)]
    unattended: bool,
    /// Where the report goes; nothing else is written there.
    #[arg(long, default_value = "target/demo")]
    out: PathBuf,
    /// A fault that happens on the way. There are none to choose yet: they come with the sale.
    #[arg(long, value_name = "NAME", value_parser = fault)]
    fault: Vec<String>,
}

/// The faults that can be chosen.
const FAULTS: [&str; 0] = [];

fn fault(name: &str) -> std::result::Result<String, String> {
    if FAULTS.contains(&name) {
        return Ok(name.to_owned());
    }
    Err("there is no fault of this name: the faults of the demonstration come with the sale".into())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match runtime().and_then(|runtime| runtime.block_on(run(&arguments))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("The demonstration ended early: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the demonstration; gives whether everything held.
async fn run(arguments: &Arguments) -> Result<bool> {
    if !arguments.unattended {
        println!("The demonstration has no window yet and runs by itself, as with --unattended.\n");
    }
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut business = Business::default();
    let outcome = tokio::select! {
        outcome = business.run() => outcome,
        _ = interrupt.recv() => Err(stopped()),
        _ = terminate.recv() => Err(stopped()),
    };
    // Whatever happened: no process stays behind, and no folder but the report's.
    let ended = business.end().await;
    let report = business.report(arguments.unattended, outcome.and(ended));
    fs::create_dir_all(&arguments.out)?;
    let file = arguments.out.join("report.json");
    fs::write(&file, format!("{}\n", serde_json::to_string_pretty(&report)?))?;
    print!("{}", report.summary());
    println!("Report: {}", file.display());
    Ok(report.held())
}

fn stopped() -> Failure {
    Failure::new("it was told to stop")
}

/// Says what is being done, as it begins.
fn say(what: &str) {
    println!("{what} …");
}
