//! The dossier of the deal: exported by the wallet's own program, and checked without any of ours.

use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
};

use semper_supporting::crypto::digest::Digest;
use semper_tests::{Failure, Result, daemon::PATIENCE, programs::WALLET, shopper::PASSWORD};
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

use crate::report::Bundle;

/// The folder of the dossier, beside the report.
pub(crate) const FOLDER: &str = "bundle";

/// Has the wallet of `profile` export the dossier of `deal` into `folder`.
///
/// # Errors
/// [`Failure`] with what the program said.
pub(crate) async fn export(profile: &Path, deal: &str, folder: &Path) -> Result<()> {
    let mut command = Command::new(WALLET.path()?);
    command.arg("--profile").arg(profile).args(["evidence", "export", deal, "--out"]).arg(folder);
    run(&mut command, PASSWORD).await.map(drop)
}

/// Runs the script of the dossier in `folder` with the fingerprint of the root that everybody trusts.
///
/// # Errors
/// [`Failure`] with what the script said, where it does not accept.
pub(crate) async fn verify(folder: &Path, root: Digest) -> Result<Bundle> {
    let mut command = Command::new("sh");
    command.arg(folder.join("verify.sh")).arg(root.to_string());
    let said = run(&mut command, "").await?;
    let objects = fs::read_dir(folder.join("evidence"))?.count();
    let last = said.lines().last().unwrap_or_default();
    let verdict = last.split_whitespace().next().unwrap_or_default().to_owned();
    Ok(Bundle { folder: folder.display().to_string(), objects, root: root.to_string(), verdict })
}

/// Runs a program with a line on its standard input; gives what it printed.
async fn run(command: &mut Command, line: &str) -> Result<String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(format!("{line}\n").as_bytes()).await?;
    }
    let Output { status, stdout, stderr } = timeout(PATIENCE, child.wait_with_output()).await??;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if status.success() { Ok(text(&stdout)) } else { Err(Failure::new(text(&stdout) + &text(&stderr))) }
}

/// Removes what an earlier run left in `folder`, and nothing else.
///
/// # Errors
/// [`Failure`] for a folder of that name that is no dossier.
pub(crate) fn clear(folder: &Path) -> Result<()> {
    if folder.join("MANIFEST.sha256").is_file() && folder.join("verify.sh").is_file() {
        fs::remove_dir_all(folder)?;
    }
    if folder.exists() { Err(Failure::of("there is something in the way", folder.display())) } else { Ok(()) }
}
