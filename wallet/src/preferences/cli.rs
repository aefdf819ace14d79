//! `semper-wallet preferences …`: for people, or in JSON for other programs.

use clap::Subcommand;
use semper_supporting::preferences::{Key, Preferences};
use semper_tinguin::texts::{Msg, Texts};
use serde::Serialize;
use tokio::runtime::Runtime;

use super::{EFFECTIVE, help, load, set};
use crate::{
    cli::{Secret, answer, say},
    fault::WalletFault,
    profile::Profile,
    wallet::{Mode, Wallet},
};

/// What is done with preferences.
#[derive(Debug, Subcommand)]
pub enum PreferencesCommand {
    /// Lists them all: what holds, and which have an effect in this version.
    List {
        /// Answers in JSON.
        #[arg(long)]
        json: bool,
        /// Where the password comes from.
        #[command(flatten)]
        secret: Secret,
    },
    /// Sets one.
    Set {
        /// Its name, as `preferences list` shows it.
        key: String,
        /// Its value, as `preferences list` shows such values.
        value: String,
        /// Means it, even if it makes the wallet less safe.
        #[arg(long)]
        lower: bool,
        /// Answers in JSON.
        #[arg(long)]
        json: bool,
        /// Where the password comes from.
        #[command(flatten)]
        secret: Secret,
    },
}

/// One preference, as other programs read it.
#[derive(Debug, Serialize)]
struct Shown {
    key: &'static str,
    value: String,
    default: String,
    in_effect: bool,
}

impl PreferencesCommand {
    /// Does it.
    ///
    /// # Errors
    /// [`WalletFault`].
    pub fn run(self, profile: &Profile, runtime: &Runtime, texts: &Texts) -> Result<(), WalletFault> {
        let secret = match &self {
            Self::List { secret, .. } | Self::Set { secret, .. } => secret,
        };
        let password = secret.password(texts)?;
        let unlocked = async || Wallet::unlock(profile, password, Mode::Whole).await;
        match &self {
            Self::List { json, .. } => {
                let preferences = runtime.block_on(async {
                    Ok::<_, WalletFault>(load(unlocked().await?.archive.as_ref()).await?)
                })?;
                let shown: Vec<Shown> = Key::ALL.iter().map(|key| Shown::of(*key, &preferences)).collect();
                if *json { answer(&shown) } else { shown.iter().try_for_each(|one| say(&one.line(texts))) }
            }
            Self::Set { key, value, lower, json, .. } => {
                let (key, preferences) = runtime.block_on(async {
                    let wallet = unlocked().await?;
                    let key = set(&wallet, key, value, *lower).await?;
                    Ok::<_, WalletFault>((key, load(wallet.archive.as_ref()).await?))
                })?;
                let shown = Shown::of(key, &preferences);
                if *json { answer(&shown) } else { say(&shown.line(texts)) }
            }
        }
    }
}

impl Shown {
    fn of(key: Key, preferences: &Preferences) -> Self {
        Self {
            key: key.name(),
            value: preferences.get(key).to_string(),
            default: key.default().to_string(),
            in_effect: EFFECTIVE.contains(&key),
        }
    }

    fn line(&self, texts: &Texts) -> String {
        let help = Key::named(self.key).and_then(|key| help(key, texts));
        let about = help.unwrap_or_else(|| texts.get(Msg::PrefIdle));
        texts.get(Msg::PrefLine { name: self.key, value: &self.value, about: &about })
    }
}
