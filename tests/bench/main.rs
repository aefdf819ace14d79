//! Measurements: whole sales between processes, what they cannot do without, sealing, durable commits; each against
//! its target. `docs/measures.md` says what is measured and how.
//!
//! `cargo xtask bench` builds it in release mode and runs it. How fast something is never fails anything.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]
#![expect(clippy::float_arithmetic, reason = "figures for people")]

mod archive;
mod connection;
mod cost;
mod machine;
mod measure;
mod operations;
mod recovery;
mod report;
mod sale;
mod sealing;

use std::{fs, path::PathBuf, process::ExitCode};

use clap::Parser;
use semper_tests::{Failure, Marketplace, Result, marketplace::runtime};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};

use machine::Machine;
use measure::Effort;
use report::{Report, SCHEMA, Target};

/// Measures SEMPER on this machine: whole sales, their parts, sealing, durable commits.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench", version)]
struct Arguments {
    /// How many sales are measured.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=i64::from(sale::MOST)))]
    sales: u32,
    /// Does little of each, to see that everything is measured: the figures say nothing.
    #[arg(long)]
    quick: bool,
    /// The file that the figures are written to, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(why) => return ended(Err(why)),
    };
    let outcome = runtime.block_on(run(&arguments));
    // What was told to stop may be in the midst of a round.
    runtime.shutdown_background();
    ended(outcome)
}

fn ended(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("The measurements ended early: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Measures everything, unless it is told to stop before.
async fn run(arguments: &Arguments) -> Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut market = None;
    let outcome = tokio::select! {
        outcome = measure(arguments, &mut market) => Some(outcome),
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
    };
    // Whatever happened: no process stays behind, and no folder.
    if let Some(mut market) = market {
        // An interrupt reaches the daemons as well, which may have ended by themselves.
        let ended = market.end().await;
        if outcome.as_ref().is_none_or(Result::is_ok) {
            market.went_well();
        }
        if outcome.as_ref().is_some_and(Result::is_ok) {
            ended?;
        }
    }
    outcome.unwrap_or_else(|| Err(Failure::new("it was told to stop")))
}

async fn measure(arguments: &Arguments, market: &mut Option<Marketplace>) -> Result<()> {
    let effort = if arguments.quick { Effort::QUICK } else { Effort::WHOLE };
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let machine = Machine::look();
    println!("semper-bench {}, {profile} build\n{}", env!("CARGO_PKG_VERSION"), machine.line());

    println!("\nWhat each operation costs, CPU of one core …");
    let operations = spawn_blocking(move || operations::measure(effort)).await??;
    print!("{}", report::operations(&operations));

    println!("\nContent of {} MiB, for each second of CPU of one core …", effort.sealed >> 20);
    let sealing = spawn_blocking(move || sealing::measure(effort)).await??;
    print!("{}", report::sealing(&sealing));

    println!("\nDurable commits …");
    let folder = tempfile::tempdir()?;
    let archive = archive::measure(effort, folder.path()).await?;
    drop(folder);
    print!("{}", report::archive(&archive));

    println!("\n{} sales of {} KiB between processes …", arguments.sales, sale::GOODS >> 10);
    let scene = sale::open(market).await?;
    let market = market.as_mut().ok_or_else(|| Failure::new("no market"))?;
    let sales = sale::measure(market, &scene, arguments.sales).await?;
    print!("{}", report::sales(&sales));

    println!("\nThe shop killed and started with {} open sales …", effort.open);
    let recovery = recovery::measure(market, &scene, effort).await?;
    print!("{}", report::recovery(&recovery));

    let unavoidable = cost::unavoidable(&operations)?;
    let targets = Target::all(&sales, &unavoidable, &sealing, &recovery);
    let report = Report {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        profile,
        quick: arguments.quick,
        machine,
        operations_us: operations,
        sealing_gb_per_s: sealing,
        commits_per_s: archive,
        sales,
        recovery,
        repeated: cost::repeated(&operations)?,
        unavoidable,
        targets,
    };
    print!("{}", report.conclusion());
    if let Some(file) = &arguments.json {
        fs::write(file, format!("{}\n", serde_json::to_string_pretty(&report)?))?;
        println!("\nFigures: {}", file.display());
    }
    Ok(())
}
