//! Where the programs are that a trial starts: beside the test that runs, and as new as their sources.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::SystemTime,
};

use crate::failure::{Failure, Result};

/// The daemon of third parties.
pub const TTPD: Program = Program { name: "semper-ttpd", package: "semper-ttp-daemon", found: &FOUND_TTPD };

/// The merchant's daemon.
pub const MERCHANTD: Program =
    Program { name: "semper-merchantd", package: "semper-merchant-daemon", found: &FOUND_MERCHANTD };

/// The shopper without a screen.
pub const BUYER: Program = Program { name: "semper-buyer", package: "semper-tests", found: &FOUND_BUYER };

/// The daemon of a folder, ending where it is told.
pub const DOOMED: Program = Program { name: "semper-doomed", package: "semper-tests", found: &FOUND_DOOMED };

/// The wallet: its window, and its commands.
pub const WALLET: Program = Program { name: "semper-wallet", package: "semper-wallet", found: &FOUND_WALLET };

/// A shop that cheats.
pub const CHEATING_SHOP: Program =
    Program { name: "semper-cheating-shop", package: "semper-tests", found: &FOUND_CHEATING_SHOP };

static FOUND_BUYER: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
static FOUND_CHEATING_SHOP: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
static FOUND_DOOMED: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
static FOUND_MERCHANTD: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
static FOUND_TTPD: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
static FOUND_WALLET: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();

/// A program of the workspace.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    name: &'static str,
    package: &'static str,
    found: &'static OnceLock<std::result::Result<PathBuf, String>>,
}

impl Program {
    /// Where it is. Cargo builds it once if it is absent or older than its sources: a test of an old
    /// program would prove nothing.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be found or built.
    pub fn path(&self) -> Result<PathBuf> {
        let found = self.found.get_or_init(|| self.find().map_err(|failure| failure.to_string()));
        found.clone().map_err(Failure::new)
    }

    fn find(&self) -> Result<PathBuf> {
        let folder = folder()?;
        let path = folder.join(self.name);
        // Cargo has built the programs of this package with the very test that runs, and lists no sources of them.
        let is_own = self.package == env!("CARGO_PKG_NAME") && path.is_file();
        if !is_own && !is_new(&path) {
            self.build(&folder)?;
        }
        if path.is_file() { Ok(path) } else { Err(Failure::of(self.name, "not where Cargo was to build it")) }
    }

    fn build(&self, folder: &Path) -> Result<()> {
        let target = folder.parent().ok_or_else(|| Failure::new("a target folder has a parent"))?;
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        command.args(["build", "--quiet", "--locked", "--bins", "--package", self.package]);
        command.arg("--target-dir").arg(target);
        if folder.ends_with("release") {
            command.arg("--release");
        }
        // What Cargo tells the test about its own package would make build scripts run again.
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        let output = command.output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(Failure::of(self.name, String::from_utf8_lossy(&output.stderr)))
    }
}

/// The folder of the profile that this very program was built in.
fn folder() -> Result<PathBuf> {
    let own = env::current_exe()?;
    let folder = own.parent().ok_or_else(|| Failure::new("a program lies in a folder"))?;
    let tests = folder.ends_with("deps") || folder.ends_with("examples");
    let profile = if tests { folder.parent() } else { Some(folder) };
    profile.map(Path::to_path_buf).ok_or_else(|| Failure::new("tests lie in a folder of a profile"))
}

/// Whether a program is there and no source that Cargo lists beside it is newer.
fn is_new(program: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|about| about.modified());
    let (Ok(built), Ok(list)) = (changed(program), fs::read_to_string(program.with_extension("d"))) else {
        return false;
    };
    let newer = |at: SystemTime| at > built;
    let sources = list.lines().filter_map(|line| line.split_once(": ")).flat_map(|(_, all)| names(all));
    let mut count = 0_usize;
    for source in sources {
        count += 1;
        if changed(Path::new(&source)).map_or(true, newer) {
            return false;
        }
    }
    count > 0
}

/// The names in a list of a make file, in which a space inside a name stands behind a backslash.
fn names(list: &str) -> Vec<String> {
    let marked = list.replace("\\ ", "\0");
    marked.split_whitespace().map(|name| name.replace('\0', " ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_spaces_that_are_not_escaped() {
        assert_eq!(names("/a/b.rs /a/c\\ d.rs"), ["/a/b.rs", "/a/c d.rs"]);
        assert_eq!(names("  "), Vec::<String>::new());
    }

    #[test]
    fn a_program_older_than_a_source_is_not_new() {
        let place = tempfile::tempdir().unwrap();
        let (program, source) = (place.path().join("program"), place.path().join("main.rs"));
        let write = |path: &Path, seconds: u64| {
            fs::write(path, "x").unwrap();
            let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
        };
        write(&source, 1000);
        write(&program, 2000);
        assert!(!is_new(&program), "without a list nobody knows");
        fs::write(program.with_extension("d"), format!("{}: {}\n", program.display(), source.display()))
            .unwrap();
        assert!(is_new(&program));
        write(&source, 3000);
        assert!(!is_new(&program));
        fs::remove_file(&source).unwrap();
        assert!(!is_new(&program));
    }
}
