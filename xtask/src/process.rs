//! Starting other programs from the repository's root.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Stop;

/// The clone in which the command was called.
pub(crate) struct Repository {
    root: PathBuf,
    cargo: OsString,
}

impl Repository {
    /// Finds the root from what Cargo tells the programs that it runs.
    pub(crate) fn find() -> Result<Self, Stop> {
        let root = std::env::var_os("CARGO_MANIFEST_DIR")
            .map(PathBuf::from)
            .and_then(|manifest| manifest.parent().map(Path::to_path_buf))
            .ok_or_else(|| Stop("Please call this as `cargo xtask …` from inside the repository.".into()))?;
        Ok(Self { root, cargo: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()) })
    }

    /// Prepares a program that will run in the root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        // Cargo describes this package to us in the environment. Build scripts that watch these variables
        // would otherwise run again, and with them everything above, each time the caller changes.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Prepares a call of Cargo.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&self.cargo);
        command.args(arguments);
        command
    }

    /// Where Cargo puts what it builds.
    pub(crate) fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| self.root.join("target"), |folder| self.root.join(folder))
    }
}

/// Becomes another program: signals that were meant for this one reach it, and its exit code is ours.
///
/// # Errors
/// The program cannot be started; otherwise this does not return.
pub(crate) fn become_program(command: &mut Command) -> String {
    use std::os::unix::process::CommandExt as _;
    let program = command.get_program().to_string_lossy().into_owned();
    let fault = command.exec();
    format!("{program} could not be started: {fault}")
}

/// Runs a program to its end, both its streams going to our standard output as they come, byte for byte.
///
/// Test runners say on standard error how the tests went; whoever keeps only our standard output has it all.
///
/// # Errors
/// The program cannot be started, or ends without success.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    io::stdout().flush().map_err(|fault| fault.to_string())?;
    let status = command
        .stderr(Stdio::from(io::stdout()))
        .status()
        .map_err(|fault| format!("{program} could not be started: {fault}"))?;
    if status.success() { Ok(()) } else { Err(status.to_string()) }
}

/// Returns what a program prints on standard output, or nothing if it is absent or ends without success.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns whether a program of that name can be found, as a shell would look for it.
pub(crate) fn is_on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Measures how long a deed takes, and returns its result beside it.
pub(crate) fn timed<T>(deed: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = deed();
    (result, start.elapsed())
}

/// Writes a span of time for a reader: `0.4 s`, `12.3 s`, `4 min 05 s`.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{seconds}.{} s", time.subsec_millis() / 100)
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_in_the_unit_that_suits_it() {
        assert_eq!(span(Duration::from_millis(449)), "0.4 s");
        assert_eq!(span(Duration::from_millis(59_990)), "59.9 s");
        assert_eq!(span(Duration::from_secs(245)), "4 min 05 s");
    }

    #[test]
    fn a_program_that_fails_or_is_absent_is_an_error() {
        assert!(run(&mut Command::new("true")).is_ok());
        assert!(run(&mut Command::new("false")).is_err());
        assert!(run(&mut Command::new("no-such-program-anywhere")).is_err());
        assert_eq!(answer(&mut Command::new("no-such-program-anywhere")), None);
        assert!(!is_on_path("no-such-program-anywhere") && is_on_path("sh"));
    }
}
