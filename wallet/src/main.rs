//! `semper-wallet`: the shopper's program.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;
use semper_host::{
    chance,
    daemon::{self, Working},
};
use semper_tinguin::texts::Texts;
use semper_wallet::{cli, harden};

fn main() -> ExitCode {
    let started = chance::now();
    let arguments = cli::Arguments::parse();
    // The window's log goes to the standard output; the answers of other commands stand there alone.
    let working = if arguments.opens_window() { Working::Daemon } else { Working::Command };
    let log = tracing_subscriber::fmt().with_env_filter(daemon::filter(working)).with_ansi(false);
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
