//! The operator's commands about terms of business.
//!
//! A package is made by the program that was called, and reaches the daemon as a file: it is longer than a command.

use std::{
    fs,
    path::{Path, PathBuf},
};

use semper_commerce::{
    download::{Package, pack::Packed, report},
    service::check::Report,
};
use semper_host::{chance, control::Done};
use semper_supporting::{
    crypto::digest::Digest,
    time::{Moment, Span},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Published, TermsError, add_evaluations, list,
    making::{self, Source},
    publish, withdraw,
};
use crate::{
    control::{self, Command},
    program::{Program, ProgramError},
};

/// How long terms are offered where nobody says until when.
const OFFERED: Span = Span::days(365);

/// What the shop is told about its terms. Paths begin at the root.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum TermsCommand {
    /// Signs and offers a package.
    Publish {
        /// The file.
        package: PathBuf,
        /// Until when, as `2027-11-20` or `2027-11-20T00:00:00Z`.
        until: Option<String>,
        /// Files of the package with evaluations.
        evaluations: Vec<PathBuf>,
        /// Whether the answer is JSON.
        json: bool,
    },
    /// Takes evaluations of a package that is offered.
    AddEvaluation {
        /// The file of the package with evaluations.
        file: PathBuf,
        /// Whether the answer is JSON.
        json: bool,
    },
    /// Offers a package no more.
    Withdraw {
        /// Its SHA-256.
        package: String,
    },
    /// Lists what was published.
    List {
        /// Whether the answer is JSON.
        json: bool,
    },
}

/// Makes a package, checks it, and writes it to `out`, for an evaluator. Nothing is signed.
///
/// # Errors
/// Words for the operator.
pub fn pack(source: &Source, out: &Path) -> Result<Done, String> {
    let (packed, report) = made(source)?;
    if !report.is_acceptable() {
        return Ok(refused(&report, false));
    }
    fs::write(out, &packed.bytes).map_err(|error| format!("{}: {error}", out.display()))?;
    let (service, name) = (packed.package.service(), packed.package.sha256());
    let text = format!("{} {}  package {name}\nwritten to {}\n", service.id, service.version, out.display());
    Ok(Done { good: true, text: report.text() + &text })
}

/// Makes a package and has the shop in `folder` publish it.
///
/// # Errors
/// [`ProgramError`] if the folder cannot be opened.
pub async fn make_and_publish(
    folder: &Path,
    source: &Source,
    until: Option<String>,
    evaluations: Vec<PathBuf>,
    json: bool,
) -> Result<Done, ProgramError> {
    let (packed, report) = match made(source) {
        Ok(made) => made,
        Err(text) => return Ok(Done { good: false, text }),
    };
    if !report.is_acceptable() {
        return Ok(refused(&report, json));
    }
    let absolute = |path: PathBuf| {
        std::path::absolute(&path).map_err(|error| ProgramError::File(path.display().to_string(), error))
    };
    let evaluations = evaluations.into_iter().map(absolute).collect::<Result<_, _>>()?;
    let part = folder.join(format!("terms-{}.part", packed.package.sha256()));
    let package = absolute(part)?;
    let failed = |error| ProgramError::File(package.display().to_string(), error);
    fs::write(&package, &packed.bytes).map_err(failed)?;
    let command = TermsCommand::Publish { package: package.clone(), until, evaluations, json };
    let done = control::send(folder, Command::Terms(command)).await;
    fs::remove_file(&package).map_err(failed)?;
    done
}

/// Does a command.
///
/// # Errors
/// Words for the operator.
pub async fn perform(program: &Program, command: TermsCommand) -> Result<Done, String> {
    let now = chance::now();
    match command {
        TermsCommand::Publish { package, until, evaluations, json } => {
            let bytes = read(&package)?;
            let until = until.map_or(Ok(now.after(OFFERED)), |text| moment(&text))?;
            let mut signed = Vec::new();
            for path in evaluations {
                let evaluated =
                    Package::read(&read(&path)?).map_err(|fault| format!("{}: {fault}", path.display()))?;
                if evaluated.evaluations().is_empty() {
                    return Err(format!("{}: {}", path.display(), TermsError::NoEvaluation));
                }
                signed.extend(evaluated.evaluations().iter().cloned());
            }
            match publish(program, &bytes, until, &signed, now).await {
                Ok(outcome) if json => written(&json!({
                    "published": outcome.published, "findings": outcome.report.findings,
                    "warnings": outcome.warnings,
                })),
                Ok(outcome) => {
                    let text = outcome.report.text() + &line(&outcome.published) + &warned(&outcome.warnings);
                    Ok(good(text))
                }
                Err(TermsError::Refused(report)) => Ok(refused(&report, json)),
                Err(error) => Err(error.to_string()),
            }
        }
        TermsCommand::AddEvaluation { file, json } => {
            let added = add_evaluations(program, &read(&file)?, now).await;
            let (published, warnings) = added.map_err(|error| error.to_string())?;
            if json {
                return written(&json!({ "published": published, "warnings": warnings }));
            }
            Ok(good(line(&published) + &warned(&warnings)))
        }
        TermsCommand::Withdraw { package } => {
            let name = Digest::parse(&package)
                .map_err(|error| format!("{package:?} is no package as `terms list` names it: {error}"))?;
            let done = withdraw(program, name, now).await.map_err(|error| error.to_string())?;
            Ok(good(line(&done)))
        }
        TermsCommand::List { json } => {
            let all = list(&*program.store).await.map_err(|error| error.to_string())?;
            if json { written(&all) } else { Ok(good(all.iter().map(line).collect())) }
        }
    }
}

fn made(source: &Source) -> Result<(Packed, Report), String> {
    let packed = making::make(source).map_err(|error| error.to_string())?;
    let report = report(&packed.package, &[]);
    Ok((packed, report))
}

/// A time, or a day, which begins at midnight UTC.
fn moment(text: &str) -> Result<Moment, String> {
    let day = || Moment::parse(&format!("{text}T00:00:00Z"));
    Moment::parse(text).or_else(|_| day()).map_err(|error| format!("--until {text:?}: {error}"))
}

fn line(one: &Published) -> String {
    let state = match one.withdrawn {
        Some(on) => format!("withdrawn {on}"),
        None => format!("until {}", one.until),
    };
    format!("{}  {} {}  {state}\n", one.package, one.service, one.version)
}

fn warned(warnings: &[String]) -> String {
    warnings.iter().map(|one| format!("warning: {one}\n")).collect()
}

fn refused(report: &Report, json: bool) -> Done {
    let text = if json {
        json!({ "error": "refused", "findings": report.findings }).to_string()
    } else {
        format!("{}\n{}", TermsError::Refused(report.clone()), report.text())
    };
    Done { good: false, text }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    making::read(path).map_err(|error| error.to_string())
}

fn good(text: String) -> Done {
    Done { good: true, text }
}

fn written(value: &impl Serialize) -> Result<Done, String> {
    serde_json::to_string(value).map(|text| good(text + "\n")).map_err(|error| error.to_string())
}
