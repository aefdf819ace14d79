//! Turns the Fluent files of `assets/locale` into `enum Msg`, and refuses to build when a language
//! lacks a text or a variable.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[path = "build/catalogue.rs"]
mod catalogue;

use catalogue::{Catalogue, Language};

/// The language every other one is measured by.
const MASTER: &str = "en";

fn main() -> Result<(), String> {
    let root = Path::new("../../assets/locale");
    println!("cargo:rerun-if-changed={}", root.display());
    println!("cargo:rerun-if-changed=build/catalogue.rs");
    let (master, mut languages) = read_languages(root)?;
    let mut faults = Vec::new();
    for language in &languages {
        faults.extend(catalogue::compare(&master, &language.catalogue, &language.code));
    }
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    languages.sort_by(|a, b| a.code.cmp(&b.code));
    let code = catalogue::generate(&master, &languages).map_err(|faults| faults.join("\n"))?;
    let out = env::var_os("OUT_DIR").map(PathBuf::from).ok_or("OUT_DIR is not set")?;
    fs::write(out.join("msg.rs"), code).map_err(|error| error.to_string())
}

/// Reads every language folder; the master's catalogue comes first in the answer.
fn read_languages(root: &Path) -> Result<(Catalogue, Vec<Language>), String> {
    let mut languages = Vec::new();
    let mut master = None;
    for folder in entries(root).map_err(|error| format!("{}: {error}", root.display()))? {
        let code = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let language = read_language(&folder, &code)?;
        if code == MASTER {
            master = Some(language.catalogue.clone());
        }
        languages.push(language);
    }
    Ok((master.ok_or_else(|| format!("{}/{MASTER} is missing", root.display()))?, languages))
}

fn read_language(folder: &Path, code: &str) -> Result<Language, String> {
    let mut sources = Vec::new();
    let mut files = Vec::new();
    for file in entries(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        if file.extension().is_none_or(|extension| extension != "ftl") {
            continue;
        }
        println!("cargo:rerun-if-changed={}", file.display());
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let absolute = file.canonicalize().map_err(|error| format!("{}: {error}", file.display()))?;
        files.push(absolute.display().to_string());
        sources.push((file.display().to_string(), text));
    }
    let catalogue = Catalogue::read(&sources).map_err(|faults| faults.join("\n"))?;
    Ok(Language { code: code.to_owned(), files, catalogue })
}

/// The entries of a folder, in the order of their names.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
