//! The demonstration: a whole market on one machine and a fair sale in it, from the first key to the evidence,
//! with a report.
//!
//! `cargo xtask demo` builds it and runs it. What the report says is read from the archives of the stopped
//! programs; what each of them believes is compared with what the others do.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

mod bundle;
mod business;
mod fault;
mod found;
mod report;
mod window;

use std::{fs, path::PathBuf, process::ExitCode};

use clap::Parser;
use rustix::{
    io::retry_on_intr,
    process::{WaitOptions, wait},
};
use semper_tests::{Failure, Result, marketplace::runtime, shopper::PASSWORD};
use tokio::signal::unix::{Signal, SignalKind, signal};

use business::{Business, Plan};
use fault::Fault;

/// A market with a certification authority, a bank, an arbiter, a merchant and a customer, in play money: a file is
/// sold fairly.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask demo", bin_name = "cargo xtask demo", version)]
pub(crate) struct Arguments {
    /// Asks nobody and leaves no window open; without a display that goes without saying.
    #[arg(long)]
    unattended: bool,
    /// Where the report goes, the evidence of the deal, and the pictures of the window.
    #[arg(long, default_value = "target/demo")]
    out: PathBuf,
    /// The file that is sold; without one, a page of ours.
    #[arg(long, value_parser = file)]
    file: Option<PathBuf>,
    /// A cheat of one side, on the way.
    #[arg(long, value_enum)]
    fault: Option<Fault>,
}

fn file(path: &str) -> std::result::Result<PathBuf, String> {
    match fs::metadata(path) {
        Ok(about) if about.is_file() && about.len() == 0 => {
            Err("it is empty, and nothing is not sold".into())
        }
        Ok(about) if about.is_file() => Ok(path.into()),
        Ok(_) => Err("it is no file".into()),
        Err(why) => Err(why.to_string()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let held = runtime().and_then(|runtime| runtime.block_on(run(&arguments)));
    wait_for_the_killed();
    match held {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("The demonstration ended early: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Waits until every process that was killed is gone: nobody who looks then finds one of ours.
fn wait_for_the_killed() {
    while let Ok(Some(_)) = retry_on_intr(|| wait(WaitOptions::empty())) {}
}

/// Runs the demonstration; gives whether everything held.
async fn run(arguments: &Arguments) -> Result<bool> {
    let mut stop = Stop::new()?;
    let mut business = Business::default();
    let (file, fault) = (arguments.file.clone(), arguments.fault);
    let plan = Plan { file, fault, out: std::path::absolute(&arguments.out)? };
    // What cannot be written is said before anything is founded.
    fs::create_dir_all(&plan.out).map_err(|error| Failure::of(&plan.out.display().to_string(), error))?;
    let outcome = tokio::select! {
        outcome = business.run(&plan) => outcome,
        () = stop.told() => Err(Failure::new("it was told to stop")),
    };
    let outcome = match outcome {
        Ok(()) if !arguments.unattended && window::has_screen() => stay(&mut business, &mut stop).await,
        outcome => outcome,
    };
    // Whatever happened: no process stays behind, and no folder but the report's.
    let ended = business.end().await;
    let report = business.report(arguments, outcome.and(ended));
    let file = plan.out.join("report.json");
    fs::write(&file, format!("{}\n", serde_json::to_string_pretty(&report)?))?;
    print!("{}", report.summary());
    println!("Report: {}", file.display());
    Ok(report.held())
}

/// Leaves the market running and the wallet's window open until somebody closes it.
async fn stay(business: &mut Business, stop: &mut Stop) -> Result<()> {
    let mut wallet = business.open_window().await?;
    println!("\nThe customer's wallet is open. Its password is: {PASSWORD}");
    println!("Close the window, or press Ctrl-C here, to end the demonstration.");
    tokio::select! {
        closed = wallet.closed() => closed,
        () = stop.told() => Ok(()),
    }
}

/// The signals by which a person or the system ends the demonstration.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> Result<Self> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Says what is being done, as it begins.
fn say(what: &str) {
    println!("{what} …");
}
