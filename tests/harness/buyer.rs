//! A shopper as a process of its own: the program `semper-buyer` on a folder of its own.

use std::{fs, os::unix::process::ExitStatusExt as _, path::PathBuf, process::Stdio};

use rustix::process::Signal;
use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

use crate::{
    daemon::PATIENCE,
    doom::Doom,
    failure::{Failure, Result},
    marketplace::Marketplace,
    programs::{BUYER, WALLET},
    shopper::PASSWORD,
};

/// A shopper's folder, and the program on it.
#[derive(Clone, Debug)]
pub struct Buyer {
    /// The folder of the wallet.
    pub profile: PathBuf,
}

/// What a buyer with a doom came to.
#[derive(Clone, Debug)]
pub struct Traded {
    /// The SHA-256 of the goods that were on the shelf after all open sales were closed; null if there were none.
    pub taken: Value,
    /// What became of the new sale; absent if the buyer died in it.
    pub sale: Option<Value>,
}

impl Buyer {
    /// A new shopper of this name: registered by a letter, with a purse that holds `load`.
    ///
    /// # Errors
    /// [`Failure`] with what the program said.
    pub async fn found(market: &Marketplace, name: &str, load: &str) -> Result<Self> {
        let letter = market.letter(name, &["--city", "Darmstadt", "--country", "DE"]).await?;
        let buyer = Self { profile: market.folder(name) };
        let file = buyer.profile.with_extension("letter");
        fs::write(&file, &letter.text)?;
        let (root, file) = (market.authority.folder().join("root.pem"), file);
        let (bank, arbiter) = (market.bank_at.to_string(), market.arbiter_at.to_string());
        let text = |path: &PathBuf| path.display().to_string();
        let words = ["init", "--root", &text(&root), "--letter", &text(&file), "--bank", &bank];
        let more = ["--arbiter", &arbiter, "--load", load];
        buyer.done(&[words.as_slice(), &more].concat()).await?;
        fs::remove_file(file)?;
        Ok(buyer)
    }

    /// Buys an article of the market's shop and waits until the deal is closed; what the program says then.
    ///
    /// # Errors
    /// [`Failure`] with what the program said.
    pub async fn buy(&self, market: &Marketplace, article: &str) -> Result<Value> {
        self.done(&["buy", "--shop", &market.shop_at.to_string(), "--article", article]).await
    }

    /// Goes on with every sale that is open.
    ///
    /// # Errors
    /// [`Failure`] with what the program said.
    pub async fn go_on(&self) -> Result<Value> {
        self.done(&["go-on"]).await
    }

    /// Goes on with every sale that is open, and buys an article of the market's shop for its price, with this doom.
    ///
    /// # Errors
    /// [`Failure`] with what the program said, if it ends otherwise than well or as doomed.
    pub async fn trade(
        &self,
        market: &Marketplace,
        (article, price): (&str, &str),
        doom: Doom,
    ) -> Result<Traded> {
        let (shop, doom) = (market.shop_at.to_string(), doom.to_string());
        let words = ["trade", "--shop", &shop, "--article", article, "--price", price, "--doom", &doom];
        let output = timeout(PATIENCE, self.command(&words)?.output()).await;
        let output = output.map_err(|_| Failure::of("the buyer does not end", &doom))??;
        let said = String::from_utf8_lossy(&output.stdout);
        let mut said = said.lines().map(serde_json::from_str::<Value>);
        let died = output.status.signal() == Some(Signal::KILL.as_raw());
        let (first, sale) = (said.next().transpose()?, said.next().transpose()?);
        let is_right = if sale.is_some() { output.status.success() } else { died };
        match first {
            Some(first) if is_right => {
                Ok(Traded { taken: first.get("taken").cloned().unwrap_or_default(), sale })
            }
            _ => Err(Failure::of("the buyer", String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// Runs the program to its end.
    ///
    /// # Errors
    /// [`Failure`] with what it said.
    pub async fn done(&self, words: &[&str]) -> Result<Value> {
        let output = self.command(words)?.output().await?;
        if !output.status.success() {
            return Err(Failure::of("the buyer", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// The program with these words, which ends when the trial does.
    ///
    /// # Errors
    /// [`Failure`] if it is not built.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = Command::new(BUYER.path()?);
        command.arg("--profile").arg(&self.profile).args(words).kill_on_drop(true);
        Ok(command)
    }

    /// A command of the real wallet on this folder, which is given its password on a pipe; what it answers.
    ///
    /// # Errors
    /// [`Failure`] with what it said.
    pub async fn wallet(&self, words: &[&str]) -> Result<String> {
        let mut command = Command::new(WALLET.path()?);
        command.args(words).arg("--profile").arg(&self.profile).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // A wallet that ends before it asks says why below.
            let _ = input.write_all(PASSWORD.as_bytes()).await;
        }
        let output = child.wait_with_output().await?;
        if !output.status.success() {
            return Err(Failure::of("the wallet", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
