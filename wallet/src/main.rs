//! `semper-wallet`: the shopper's program.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;
use semper_host::chance;
use semper_tinguin::texts::Texts;
use semper_wallet::{cli, harden};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let started = chance::now();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let arguments = cli::Arguments::parse();
    // The window's log goes to the standard output; the answers of other commands stand there alone.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    if arguments.opens_window() {
        log.init();
    } else {
        log.with_writer(io::stderr).init();
    }
    harden::harden();
    let texts = Texts::english();
    match cli::run(arguments, &texts, started) {
        Ok(code) => code,
        Err(fault) => {
            let _ = writeln!(io::stderr(), "{}", fault.say(&texts));
            ExitCode::FAILURE
        }
    }
}
