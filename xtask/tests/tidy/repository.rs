//! The repository as the rules see it: its crates from `cargo metadata`, its files from git.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What a dependency is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Tests, examples, benchmarks.
    Dev,
    /// The crate itself or its build script.
    Product,
}

/// One line of a `[dependencies]` table.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) default_features: bool,
    pub(crate) features: Vec<String>,
}

/// One crate of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Path from the root, with `/`.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// Files by their path from the root, with `/`. Of pictures, fonts and the like only the name is of interest,
/// and their text is empty.
pub(crate) type Files = BTreeMap<String, String>;

/// Everything that the rules look at.
pub(crate) struct Repository {
    pub(crate) members: Vec<Member>,
    pub(crate) files: Files,
}

impl Repository {
    /// Reads the crates and the files that are tracked, or would be if they were added now.
    pub(crate) fn read() -> Result<Self, String> {
        let root = root()?;
        let metadata = metadata(&["--no-deps"])?;
        let packages = list(&metadata, "packages");
        let members = packages.iter().map(|package| member(package, &root)).collect::<Result<_, _>>()?;
        let mut git = Command::new("git");
        // A clone made by another user is still a clone, and we only list its files.
        git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = output(git.current_dir(&root))?;
        let files = listed
            .split('\0')
            .filter(|path| !path.is_empty())
            .filter_map(|path| Some((path.to_string(), content(&root.join(path))?)))
            .collect::<Files>();
        if files.is_empty() { Err("git lists no files here.".into()) } else { Ok(Self { members, files }) }
    }
}

/// The text of a file, unless it was deleted since git saw it.
fn content(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    Some(String::from_utf8(bytes).unwrap_or_default())
}

/// Returns the features that each package is really built with, after those of all crates are united.
pub(crate) fn resolved_features() -> Result<BTreeMap<String, BTreeSet<String>>, String> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or("rustc does not name its host.")?;
    let metadata = metadata(&["--filter-platform", host])?;
    let nodes = metadata.get("resolve").map(|resolve| list(resolve, "nodes")).unwrap_or_default();
    Ok(nodes.iter().map(|node| (package_name(text(node, "id")), strings(node, "features"))).collect())
}

/// Reads the name from a package id: `registry+…#egui@0.37.0`, or `path+file:///…/wallet#0.1.0`.
fn package_name(id: &str) -> String {
    let (place, fragment) = id.rsplit_once('#').unwrap_or(("", id));
    match fragment.split_once('@') {
        Some((name, _)) => name.to_string(),
        None => place.rsplit('/').next().unwrap_or_default().to_string(),
    }
}

fn member(package: &Value, root: &Path) -> Result<Member, String> {
    let manifest = Path::new(text(package, "manifest_path"));
    let folder = manifest
        .parent()
        .and_then(|folder| folder.strip_prefix(root).ok())
        .ok_or_else(|| format!("{} lies outside the repository.", manifest.display()))?;
    let dependencies = list(package, "dependencies").iter().map(dependency).collect();
    Ok(Member {
        name: text(package, "name").to_string(),
        folder: folder.to_string_lossy().replace('\\', "/"),
        dependencies,
    })
}

fn dependency(value: &Value) -> Dependency {
    Dependency {
        name: text(value, "name").to_string(),
        kind: if text(value, "kind") == "dev" { Kind::Dev } else { Kind::Product },
        default_features: value.get("uses_default_features").and_then(Value::as_bool).unwrap_or(true),
        features: strings(value, "features").into_iter().collect(),
    }
}

fn root() -> Result<PathBuf, String> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("Please run this through cargo.")?;
    let root = Path::new(&manifest).parent().ok_or("xtask has no parent folder.")?;
    root.canonicalize().map_err(|fault| fault.to_string())
}

fn metadata(arguments: &[&str]) -> Result<Value, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version", "1", "--offline", "--locked"]).args(arguments);
    serde_json::from_str(&output(cargo.current_dir(root()?))?).map_err(|fault| fault.to_string())
}

fn output(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|fault| format!("{program} could not be started: {fault}"))?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(|fault| fault.to_string())
    } else {
        Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn strings(value: &Value, key: &str) -> BTreeSet<String> {
    list(value, key).iter().filter_map(Value::as_str).map(String::from).collect()
}

#[test]
fn the_real_repository_is_seen() {
    let repository = Repository::read().unwrap();
    let own = repository.members.iter().find(|member| member.folder == "xtask").unwrap();
    assert!(own.dependencies.iter().any(|line| line.name == "serde_json" && line.kind == Kind::Dev));
    assert!(repository.files.contains_key("xtask/tests/tidy.rs"));
    assert!(resolved_features().unwrap().contains_key("serde_json"));
}

#[test]
fn a_package_is_named_by_either_form_of_its_id() {
    assert_eq!(package_name("registry+x://y/z#egui@0.37.0"), "egui");
    assert_eq!(package_name("path+file:///somewhere/wallet#0.1.0"), "wallet");
}
