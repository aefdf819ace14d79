//! `semper-wallet evidence …`: the answers are for people, or JSON for other programs.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Subcommand;
use semper_host::{
    chance,
    papers::{Papers, PapersError},
};
use semper_supporting::{
    archive::StoreError, certificate::Certificate, crypto::digest::Digest, deal::DealId,
};
use semper_tinguin::{
    format,
    texts::{Msg, Texts},
};
use serde::Serialize;
use tokio::runtime::Runtime;

use super::{EvidenceFault, Folder, Holding, Report, Seen, dossier, list, look, verify, write};
use crate::{
    cli::{Secret, answer, say},
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
    /// Writes the dossier of a deal, which convinces a judge who has only openssl.
    Export {
        /// The deal: 64 hexadecimal digits.
        deal: String,
        /// A new folder for it.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Answers in JSON.
        #[arg(long)]
        json: bool,
        /// Where the password comes from.
        #[command(flatten)]
        secret: Secret,
    },
    /// Checks a dossier: with no wallet at all against the root you name, or against the root your wallet trusts.
    Verify {
        /// The dossier's folder.
        folder: PathBuf,
        /// The fingerprint of the root certificate you trust: SHA-256 of its DER, in hexadecimal digits. Take it from
        /// elsewhere than the dossier, as from a letter of the authority. Without it the wallet is asked, which takes
        /// its password.
        #[arg(long, value_name = "SHA256")]
        root: Option<String>,
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
                    let mut holdings = list(wallet.archive.as_ref()).await?;
                    look(&wallet, &mut holdings).await?;
                    Ok::<_, WalletFault>(holdings)
                })?;
                if json { answer(&holdings)? } else { listed(&holdings, texts)? }
            }
            Self::Export { deal, out, json, secret } => {
                let deal = DealId::parse(&deal).map_err(|_| EvidenceFault::BadDeal)?;
                let password = secret.password(texts)?;
                let (files, holdings) = runtime.block_on(async {
                    let wallet = Wallet::unlock(&profile()?, password, Mode::Whole).await?;
                    let mut holdings = list(wallet.archive.as_ref()).await?;
                    holdings.retain(|holding| holding.deal == deal);
                    look(&wallet, &mut holdings).await?;
                    Ok::<_, WalletFault>((dossier(&wallet, deal, texts, chance::now()).await?, holdings))
                })?;
                write(&files, &out)?;
                let path = out.display().to_string();
                if json {
                    answer(&Exported { deal, path, files: files.keys().collect() })?;
                    return Ok(ExitCode::SUCCESS);
                }
                say(&texts.get(Msg::EvidenceExported { deal: &deal.to_string(), path: &path }))?;
                holdings.iter().try_for_each(|holding| looked(holding, texts))?;
            }
            Self::Verify { folder, root, json, secret } => {
                let (folder, now) = (Folder::read(&folder)?, chance::now());
                let report = match root {
                    Some(root) => {
                        let root = Digest::parse(&root).map_err(|_| EvidenceFault::BadRoot)?;
                        verify(&folder, root, now)
                    }
                    None => {
                        let profile = profile()?;
                        let report = own_roots(&profile, &secret, runtime, texts)?;
                        let report = best(report.into_iter().map(|root| verify(&folder, root, now)));
                        let report = report.ok_or(EvidenceFault::NoRoot)?;
                        let (root, path) = (report.root.to_string(), profile.path().display().to_string());
                        tell(&texts.get(Msg::EvidenceOwnRoot { root: &root, path: &path }));
                        report
                    }
                };
                if json {
                    answer(&report)?
                } else {
                    reported(&report, texts)?
                }
                if !report.accepted {
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What was exported, for other programs.
#[derive(Serialize)]
struct Exported<'a> {
    deal: DealId,
    path: String,
    files: Vec<&'a String>,
}

/// The roots that the wallet of a profile trusts.
fn own_roots(
    profile: &Profile,
    secret: &Secret,
    runtime: &Runtime,
    texts: &Texts,
) -> Result<Vec<Digest>, WalletFault> {
    if matches!(profile.door(), Err(WalletFault::Missing(_))) {
        return Err(EvidenceFault::NoRoot.into());
    }
    let password = secret.password(texts)?;
    runtime.block_on(async {
        let wallet = Wallet::unlock(profile, password, Mode::ReadOnly).await?;
        let papers = Papers::load(wallet.archive.as_ref()).await.map_err(|error| match error {
            PapersError::Store(error) => error,
            PapersError::Certificate(fault) => StoreError::Damaged(fault.to_string()),
        })?;
        Ok(papers.roots.iter().map(Certificate::digest).collect())
    })
}

/// The report that accepts, or else the one that finds least.
fn best(reports: impl Iterator<Item = Report>) -> Option<Report> {
    reports.min_by_key(|report| (!report.accepted, report.findings.len()))
}

/// Says on standard error what is no part of the answer.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn reported(report: &Report, texts: &Texts) -> Result<(), WalletFault> {
    for Seen { place, kind, holds } in &report.objects {
        let line = match holds {
            true => Msg::EvidenceObjectOk { place, kind },
            false => Msg::EvidenceObjectBad { place, kind },
        };
        say(&texts.get(line))?;
    }
    for finding in &report.findings {
        say(&finding.say(texts))?;
    }
    if !report.accepted {
        return say(&texts.get(Msg::EvidenceRefused));
    }
    let n = u32::try_from(report.objects.len()).unwrap_or(u32::MAX);
    say(&texts.get(Msg::EvidenceAccepted { n, root: &report.root.to_string() }))
}

fn listed(holdings: &[Holding], texts: &Texts) -> Result<(), WalletFault> {
    if holdings.is_empty() {
        return say(&texts.get(Msg::EvidenceNone));
    }
    for holding @ Holding { deal, statements, first, last, types, .. } in holdings {
        let date = |at| format::moment(texts.locale(), &civil(at));
        let types: Vec<String> = types.iter().map(|(name, n)| format!("{name} ×{n}")).collect();
        say(&texts.get(Msg::EvidenceDeal {
            deal: &deal.to_string(),
            n: *statements,
            first: &date(*first),
            last: &date(*last),
            types: &types.join(", "),
        }))?;
        looked(holding, texts)?;
    }
    Ok(())
}

fn looked(holding: &Holding, texts: &Texts) -> Result<(), WalletFault> {
    holding.file.and_then(|file| file.say(texts)).map_or(Ok(()), |said| say(&said))
}
