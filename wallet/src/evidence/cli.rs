//! `semper-wallet evidence …`: the answers are for people, or JSON for other programs.

use std::process::ExitCode;

use clap::Subcommand;
use semper_tinguin::{
    format,
    texts::{Msg, Texts},
};
use tokio::runtime::Runtime;

use super::{EvidenceFault, Holding, list};
use crate::{
    cli::{Secret, say},
    fault::WalletFault,
    lines::civil,
    profile::Profile,
    wallet::{Mode, Wallet},
};

/// What is done with evidence.
#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    /// Lists the deals that evidence is kept of.
    List {
        /// Answers in JSON.
        #[arg(long)]
        json: bool,
        /// Where the password comes from.
        #[command(flatten)]
        secret: Secret,
    },
}

impl EvidenceCommand {
    /// Does it.
    ///
    /// # Errors
    /// [`WalletFault`].
    pub fn run(
        self,
        profile: impl FnOnce() -> Result<Profile, WalletFault>,
        runtime: &Runtime,
        texts: &Texts,
    ) -> Result<ExitCode, WalletFault> {
        match self {
            Self::List { json, secret } => {
                let password = secret.password(texts)?;
                let holdings = runtime.block_on(async {
                    let wallet = Wallet::unlock(&profile()?, password, Mode::Whole).await?;
                    Ok::<_, WalletFault>(list(wallet.archive.as_ref()).await?)
                })?;
                if json {
                    let text = serde_json::to_string_pretty(&holdings);
                    say(&text.map_err(|error| EvidenceFault::Answer(error.to_string()))?)?;
                } else {
                    listed(&holdings, texts)?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn listed(holdings: &[Holding], texts: &Texts) -> Result<(), WalletFault> {
    if holdings.is_empty() {
        return say(&texts.get(Msg::EvidenceNone));
    }
    for Holding { deal, statements, first, last, types } in holdings {
        let date = |at| format::moment(texts.locale(), &civil(at));
        let types: Vec<String> = types.iter().map(|(name, n)| format!("{name} ×{n}")).collect();
        say(&texts.get(Msg::EvidenceDeal {
            deal: &deal.to_string(),
            n: *statements,
            first: &date(*first),
            last: &date(*last),
            types: &types.join(", "),
        }))?;
    }
    Ok(())
}
