//! The evaluator's commands: files read and written where the operator said, and answers for people and programs.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use semper_commerce::{
    download::{
        evaluation::{EvaluationSerial, Reason},
        ustar, with_evaluations,
    },
    service::check::Report,
};
use semper_host::{chance, control::Done};
use semper_supporting::{archive::Store, certificate::TrustSnapshot, fault::Fault as _, time::Span};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Evaluated, Evaluator, EvaluatorError, Listed, NOTES, Wanted};

/// What is asked of an evaluator. Paths begin at the root: the daemon has another folder than its operator.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum EvaluatorCommand {
    /// Checks a package and signs what was found.
    Evaluate {
        /// The file.
        package: PathBuf,
        /// 1 to 3.
        grade: u8,
        /// A file with notes.
        notes: Option<PathBuf>,
        /// Bounds.
        scope: Vec<String>,
        /// Jurisdictions.
        jurisdiction: Vec<String>,
        /// How many days it is good for.
        days: u64,
        /// Where the package with the evaluation in it is written.
        out: Option<PathBuf>,
        /// Whether the answer is JSON.
        json: bool,
    },
    /// Lists the evaluations.
    List {
        /// Whether the answer is JSON.
        json: bool,
    },
    /// Withdraws one.
    Revoke {
        /// Which.
        serial: String,
        /// Why.
        reason: Reason,
    },
}

/// Does a command.
///
/// # Errors
/// Words for the operator.
pub async fn perform<S: Store>(
    evaluator: &Evaluator<S>,
    command: EvaluatorCommand,
    trust: &TrustSnapshot,
) -> Result<Done, String> {
    let now = chance::now();
    match command {
        EvaluatorCommand::Evaluate { package, grade, notes, scope, jurisdiction, days, out, json } => {
            let bytes = read(&package, ustar::PACKAGE_LIMIT)?;
            let notes = notes.map(|path| read(&path, NOTES)).transpose()?;
            let valid = Span::days(days.min(367));
            let wanted = Wanted { grade, notes, scope, jurisdiction, valid };
            match evaluator.evaluate(&bytes, wanted, trust, now).await {
                Ok(done) => evaluated(&bytes, &done, out.as_deref(), json),
                Err(EvaluatorError::Refused(report)) => Ok(refused(&report, json)),
                Err(EvaluatorError::Service(fault)) => Err(format!("{}: {fault}", fault.code())),
                Err(error) => Err(error.to_string()),
            }
        }
        EvaluatorCommand::List { json } => {
            let all = evaluator.evaluations().await.map_err(|error| error.to_string())?;
            if json {
                return written(&all);
            }
            let text: String = all.iter().map(line).collect();
            let empty = "this evaluator has evaluated nothing yet\n";
            Ok(good(if text.is_empty() { empty.to_owned() } else { text }))
        }
        EvaluatorCommand::Revoke { serial, reason } => {
            let id = EvaluationSerial::parse(&serial)
                .map_err(|error| format!("{serial:?} is no serial number of an evaluation: {error}"))?;
            let done = evaluator.withdraw(id, reason, trust, now).await;
            done.map_err(|error| error.to_string())?;
            Ok(good(format!("{serial} is withdrawn; the list that says so is signed\n")))
        }
    }
}

fn evaluated(bytes: &[u8], done: &Evaluated, out: Option<&Path>, json: bool) -> Result<Done, String> {
    let said = &done.evaluation;
    if let Some(path) = out {
        let kept = || format!("the evaluation {} is signed and kept, and was not written", said.serial);
        let file = with_evaluations(bytes, std::slice::from_ref(&done.signed));
        let file = file.map_err(|fault| format!("{}: {fault}", kept()))?;
        fs::write(path, file).map_err(|error| format!("{}: {}: {error}", kept(), path.display()))?;
    }
    if json {
        return written(&json!({
            "serial": said.serial, "service": said.service, "version": said.version,
            "package": said.package_sha256, "grade": said.grade, "expires": said.expires,
            "report": said.report_sha256, "findings": done.report.findings, "file": out,
        }));
    }
    let file = out.map_or_else(String::new, |path| format!("written to {}\n", path.display()));
    Ok(good(format!(
        "{}{} {}: grade {} until {}\nevaluation {} of package {}\n{file}",
        done.report.text(),
        said.service,
        said.version,
        said.grade,
        said.expires,
        said.serial,
        said.package_sha256
    )))
}

fn refused(report: &Report, json: bool) -> Done {
    let text = if json {
        json!({ "error": "refused", "findings": report.findings }).to_string()
    } else {
        format!("{}\n{}", EvaluatorError::Refused(report.clone()), report.text())
    };
    Done { good: false, text }
}

fn line(one: &Listed) -> String {
    let state = match (one.withdrawn, &one.reason) {
        (Some(on), Some(reason)) => format!("withdrawn {on} ({reason})"),
        _ => format!("until {}", one.expires),
    };
    format!(
        "{}  grade {}  {} {}  {state}\n    {}\n",
        one.serial, one.grade, one.service, one.version, one.package
    )
}

fn good(text: String) -> Done {
    Done { good: true, text }
}

fn written(value: &impl Serialize) -> Result<Done, String> {
    serde_json::to_string(value).map(|text| good(text + "\n")).map_err(|error| error.to_string())
}

/// A file of at most `limit` bytes.
fn read(path: &Path, limit: usize) -> Result<Vec<u8>, String> {
    let opened = || {
        let mut bytes = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
        if bytes.len() > limit {
            Err(io::Error::other(format!("more than {limit} bytes")))
        } else {
            Ok(bytes)
        }
    };
    opened().map_err(|error| format!("{}: {error}", path.display()))
}
