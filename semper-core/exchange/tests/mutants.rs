//! Faults put into a copy of the machines on purpose, each of which the model must find.
//!
//! A model that holds proves little if it would hold anyway. Each file in `tests/mutants` is a patch with the
//! property that it breaks and the scenario in which that shows; it is applied to a copy of the crates in a
//! temporary folder, and the scenario explored there must refute that very property. Nothing of it touches
//! the tree or its build.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "this test copies, patches and builds crates, and stops where that goes wrong"
)]

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

#[test]
fn the_model_finds_every_fault_that_was_put_in() {
    let patches = patches();
    assert_eq!(patches.len(), 9, "a mutant was added or lost: say so here");
    let copy = Copy::new();
    let survivors: Vec<String> = patches.iter().filter_map(|patch| copy.survives(patch)).collect();
    assert!(survivors.is_empty(), "the model does not find:\n{}", survivors.join("\n"));
}

/// One fault.
struct Patch {
    file: PathBuf,
    text: String,
    property: String,
    binary: String,
    test: String,
}

fn patches() -> Vec<Patch> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mutants");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension() == Some(OsStr::new("patch")));
    files.sort();
    files.into_iter().map(Patch::read).collect()
}

impl Patch {
    fn read(file: PathBuf) -> Self {
        let content = fs::read_to_string(&file).unwrap();
        let field = |key: &str| {
            let line = content.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim().to_owned())
        };
        let found = |key: &str| field(key).unwrap_or_else(|| panic!("{}: no line {key}", file.display()));
        let text = content.lines().next().unwrap_or_default().to_owned();
        let binary = field("binary:").unwrap_or_else(|| "model_gxv".to_owned());
        Self { text, property: found("property:"), binary, test: found("test:"), file }
    }
}

/// The crates that the scenarios are made of.
const MEMBERS: [&str; 4] = ["supporting", "transfer", "exchange", "modules/payment-sim"];
/// What the workspace says of the crate that is explored.
const OPTIMISED: &str = "[profile.dev.package.semper-exchange]\nopt-level = 2\n";

/// A copy of the crates, with a build of its own.
struct Copy {
    folder: tempfile::TempDir,
    release: bool,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        copy_folder(&root.join("semper-core"), &folder.path().join("semper-core"), &|_| true, false);
        fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let (before, rest) = manifest.split_once("members = [").unwrap();
        let (_, after) = rest.split_once(']').unwrap();
        let ours = MEMBERS.map(|member| format!("\"semper-core/{member}\"")).join(", ");
        let manifest = format!("{before}members = [{ours}]{after}");
        // Each mutant is built once and soon refuted: optimising it takes longer than it saves.
        let (before, after) = manifest.split_once(OPTIMISED).unwrap();
        let manifest = format!("{before}{after}");
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        let built = std::env::current_exe().unwrap();
        let built = built.ancestors().nth(2).unwrap().to_path_buf();
        let profile = built.file_name().unwrap().to_owned();
        lend(&built, &folder.path().join("target").join(&profile));
        Self { folder, release: profile == "release" }
    }

    /// Puts the fault in, explores, and takes it out again. Says what survived, or nothing.
    fn survives(&self, patch: &Patch) -> Option<String> {
        let begun = std::time::Instant::now();
        self.git(&["apply"], &patch.file);
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", self.folder.path().join("target"))
            .env("MODEL_PROPERTY", &patch.property)
            .env("RUST_BACKTRACE", "0")
            .args(["test", "--offline", "--quiet", "-p", "semper-exchange", "--test", &patch.binary])
            .args(self.release.then_some("--release"))
            .args(["--", "--exact", "--nocapture", &patch.test]);
        let output = cargo.output().unwrap();
        self.git(&["apply", "--reverse"], &patch.file);
        let said =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        let found = said.contains(&format!("Unexpected \"{}\" counterexample", patch.property));
        let name = patch.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if found && !output.status.success() {
            println!("{name}, {:?}: {} -> {}", begun.elapsed(), patch.text, patch.property);
            return None;
        }
        Some(format!("{name} ({}), in {}:\n{said}", patch.text, patch.test))
    }

    fn git(&self, arguments: &[&str], patch: &Path) {
        let status =
            Command::new("git").current_dir(self.folder.path()).args(arguments).arg(patch).status().unwrap();
        assert!(status.success(), "{} does not fit the code any more", patch.display());
    }
}

/// Lends the copy what was built of other people's crates, so that only our own are built again.
fn lend(from: &Path, to: &Path) {
    let foreign = |name: &OsStr| !name.to_string_lossy().contains("semper");
    for (folder, linked) in [("deps", true), ("build", true), (".fingerprint", false)] {
        if from.join(folder).is_dir() {
            copy_folder(&from.join(folder), &to.join(folder), &foreign, linked);
        }
    }
}

fn copy_folder(from: &Path, to: &Path, wanted: &dyn Fn(&OsStr) -> bool, linked: bool) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if !wanted(&entry.file_name()) {
            continue;
        }
        // A file of a build that goes on beside this one may vanish: the copy then builds it itself.
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&source, &target, wanted, linked);
        } else if !linked || fs::hard_link(&source, &target).is_err() {
            let _ = fs::copy(&source, &target);
        }
    }
}
