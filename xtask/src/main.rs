//! The repository's own commands, `cargo xtask <command>`.
//!
//! Each command is a row of [`COMMANDS`]; a new one is a row and a module.
#![expect(clippy::print_stdout, reason = "a command-line tool: what it prints is its answer")]

mod bench;
mod check;
mod debian;
mod demo;
mod process;
mod setup;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use process::Repository;

/// One command of this tool.
struct Command {
    name: &'static str,
    takes: &'static str,
    does: &'static str,
    run: fn(&Repository, &Options) -> Result<(), Stop>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "setup",
        takes: "[--yes]",
        does: "says what is missing on this machine and, if you agree, installs it",
        run: setup::run,
    },
    Command {
        name: "test",
        takes: "[--yes]",
        does: "runs what CI runs: set-up check, format, lints, documentation, tests",
        run: check::run,
    },
    Command {
        name: demo::NAME,
        takes: "[--yes] [--unattended] [--out DIR] [--file FILE] [--fault FAULT]",
        does: "sells a file fairly in a market on this machine, from the first key to the evidence, and writes a report",
        run: demo::run,
    },
    Command {
        name: bench::NAME,
        takes: "[--yes] [--sales N] [--quick] [--json FILE]",
        does: "measures whole sales, their parts, sealing and durable commits in a release build, each against its target",
        run: bench::run,
    },
];

/// Why a command ended early: what the user reads.
#[derive(Debug, Eq, PartialEq)]
struct Stop(String);

impl From<io::Error> for Stop {
    fn from(fault: io::Error) -> Self {
        Self(format!("Reading or writing failed: {fault}."))
    }
}

/// Who agrees to what changes the machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Consent {
    /// There is somebody at a terminal to be asked.
    Ask,
    /// `--yes` was given, or nobody can be asked.
    Given,
}

/// What stood behind the command's name.
#[derive(Debug, Eq, PartialEq)]
struct Options {
    consent: Consent,
    words: Vec<String>,
}

impl Options {
    /// Reads the arguments; `terminal` says whether somebody can be asked.
    fn read(arguments: impl IntoIterator<Item = String>, terminal: bool) -> Result<Self, Stop> {
        let mut options =
            Self { consent: if terminal { Consent::Ask } else { Consent::Given }, words: Vec::new() };
        for argument in arguments {
            match argument.as_str() {
                "--yes" | "-y" => options.consent = Consent::Given,
                flag if flag.starts_with('-') => {
                    return Err(Stop(format!("There is no option {flag:?}.\n\n{}", usage())));
                }
                _ => options.words.push(argument),
            }
        }
        Ok(options)
    }

    /// Reads the arguments of a command that hands all but the consent to a program, which explains them.
    fn passing(arguments: impl IntoIterator<Item = String>, terminal: bool) -> Self {
        let (given, words): (Vec<_>, Vec<_>) =
            arguments.into_iter().partition(|argument| matches!(argument.as_str(), "--yes" | "-y"));
        let consent = if terminal && given.is_empty() { Consent::Ask } else { Consent::Given };
        Self { consent, words }
    }

    /// Refuses words that the command would ignore.
    fn without_words(&self) -> Result<(), Stop> {
        self.words.first().map_or(Ok(()), |word| Err(Stop(format!("This command takes no {word:?}."))))
    }
}

fn main() -> ExitCode {
    match dispatch(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop(sentence)) => {
            println!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(mut arguments: impl Iterator<Item = String>) -> Result<(), Stop> {
    let name = arguments.next().unwrap_or_default();
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        println!("{}", usage());
        return Ok(());
    }
    let command = COMMANDS
        .iter()
        .find(|command| command.name == name)
        .ok_or_else(|| Stop(format!("There is no command {name:?}.\n\n{}", usage())))?;
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let options = if [demo::NAME, bench::NAME].contains(&command.name) {
        Options::passing(arguments, terminal)
    } else {
        Options::read(arguments, terminal)?
    };
    (command.run)(&Repository::find()?, &options)
}

fn usage() -> String {
    let mut text = String::from("Usage: cargo xtask <command>\n");
    for Command { name, takes, does, .. } in COMMANDS {
        text.push_str(&format!("\n  {name} {takes}\n      {does}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn yes_and_the_lack_of_a_terminal_both_stand_for_consent() {
        assert_eq!(Options::read(words("--yes"), true).unwrap().consent, Consent::Given);
        assert_eq!(Options::read(words(""), false).unwrap().consent, Consent::Given);
        assert_eq!(Options::read(words(""), true).unwrap().consent, Consent::Ask);
    }

    #[test]
    fn a_program_that_reads_its_own_arguments_is_not_given_the_consent() {
        let options = Options::passing(words("--unattended --yes --out DIR"), true);
        assert_eq!(options, Options { consent: Consent::Given, words: words("--unattended --out DIR") });
        assert_eq!(Options::passing(words("--unattended"), true).consent, Consent::Ask);
        assert_eq!(Options::passing(words(""), false).consent, Consent::Given);
    }

    #[test]
    fn an_unknown_option_a_stray_word_or_an_unknown_command_is_refused() {
        assert!(Options::read(words("--force"), true).is_err());
        assert!(Options::read(words("fast"), true).unwrap().without_words().is_err());
        assert!(dispatch(words("polish").into_iter()).is_err());
        assert!(dispatch(std::iter::empty()).is_err());
    }

    #[test]
    fn the_usage_names_every_command() {
        assert!(COMMANDS.iter().all(|command| usage().contains(command.name)));
    }
}
