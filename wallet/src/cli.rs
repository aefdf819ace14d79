//! The commands of `semper-wallet`. Without one, the window opens.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use semper_host::{
    chance::{self, Source},
    daemon::ABOUT_LOG,
};
use semper_supporting::time::Moment;
use semper_tinguin::texts::{Msg, Texts};
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

use crate::{
    evidence::{EvidenceFault, cli::EvidenceCommand},
    fault::WalletFault,
    password::Password,
    preferences::PreferencesCommand,
    profile::{DoorPlate, DoorWords, Profile},
    seed::Contribution,
    start,
    terms::{TermsCommand, TrustCommand},
};

/// The wallet of SEMPER. Without a command it opens its window.
#[derive(Debug, Parser)]
#[command(version, after_help = ABOUT_LOG)]
pub struct Arguments {
    /// The wallet's folder, in place of the usual one.
    #[arg(long, global = true, value_name = "DIR")]
    profile: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a new wallet.
    Init {
        /// The two words that will stand at the door: "amber lighthouse".
        #[arg(long)]
        words: String,
        /// The number of the colour of the frame, 0 to 11; drawn if absent.
        #[arg(long, value_parser = clap::value_parser!(u8).range(0..12))]
        hue: Option<u8>,
        #[command(flatten)]
        secret: Secret,
    },
    /// Lists, exports or checks evidence.
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Lists or sets preferences.
    #[command(subcommand)]
    Preferences(PreferencesCommand),
    /// Fetches or lists the terms of business of shops.
    #[command(subcommand)]
    Terms(TermsCommand),
    /// Says who is trusted to evaluate terms of business.
    #[command(subcommand)]
    Trust(TrustCommand),
}

/// Where the password comes from: the first line of the standard input, or of a file.
#[derive(Args, Debug)]
pub struct Secret {
    /// A file whose first line is the password, readable by its owner only; else the standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Secret {
    /// Gets the password.
    ///
    /// # Errors
    /// [`WalletFault`].
    pub fn password(&self, texts: &Texts) -> Result<Password, WalletFault> {
        match &self.password_file {
            Some(path) => Password::from_file(path),
            None => Password::from_input(&texts.get(Msg::PasswordPrompt)),
        }
    }
}

impl Arguments {
    /// Whether the window is what was asked for.
    pub fn opens_window(&self) -> bool {
        self.command.is_none()
    }
}

/// Does what the arguments ask for. `started` is when the program began.
///
/// # Errors
/// [`WalletFault`], to be said to the person at the terminal.
pub fn run(arguments: Arguments, texts: &Texts, started: Moment) -> Result<ExitCode, WalletFault> {
    let profile = || arguments.profile.clone().map_or_else(Profile::usual, |path| Ok(Profile::at(path)));
    let runtime = runtime()?;
    match arguments.command {
        None => start::open(&profile()?, &runtime, started)?,
        Some(Command::Init { words, hue, secret }) => {
            let (profile, words) = (profile()?, DoorWords::parse(&words)?);
            let [drawn] = chance::random::<1>()?;
            let plate = DoorPlate { words, hue: hue.unwrap_or(drawn % 12) };
            let password = secret.password(texts)?;
            // Nobody types for a wallet that is refused.
            password.check_new(&plate.words)?;
            let contribution = Contribution::ask(texts)?;
            let mut source = Source::mixed(contribution.part())?;
            runtime.block_on(profile.create(&plate, &password, &mut source))?;
            let path = profile.path().display().to_string();
            say(&texts.get(Msg::ProfileMade { path: &path }))?;
            say(&contribution.say(texts))?;
        }
        Some(Command::Preferences(command)) => command.run(&profile()?, &runtime, texts)?,
        Some(Command::Terms(command)) => return command.run(&profile()?, &runtime, texts),
        Some(Command::Trust(command)) => command.run(&profile()?, &runtime, texts)?,
        Some(Command::Evidence(command)) => return command.run(profile, &runtime, texts),
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a line to the standard output.
pub(crate) fn say(line: &str) -> Result<(), WalletFault> {
    writeln!(io::stdout(), "{line}").map_err(|error| WalletFault::system("stdout".as_ref(), error))
}

/// Writes a value to the standard output in JSON.
pub(crate) fn answer(value: &impl Serialize) -> Result<(), WalletFault> {
    let text = serde_json::to_string_pretty(value);
    say(&text.map_err(|error| EvidenceFault::Answer(error.to_string()))?)
}

fn runtime() -> Result<Runtime, WalletFault> {
    let built =
        Builder::new_multi_thread().worker_threads(2).thread_name("semper-wallet").enable_all().build();
    built.map_err(|error| WalletFault::system("runtime".as_ref(), error))
}
