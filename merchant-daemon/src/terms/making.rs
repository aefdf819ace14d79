//! Packages made of an operator's files, or of a service that comes with SEMPER.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use semper_commerce::{
    download::{
        ServiceFault,
        pack::{Packed, Parts, pack},
        play, shipped,
        ustar::PACKAGE_LIMIT,
    },
    service::{
        definition::Definition,
        shipped::{BLOCKS, SERVICES},
    },
};
use semper_supporting::fault::Fault as _;

/// Of what a package is made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Source {
    /// A file of terms, or the id or short name of a service that comes with SEMPER.
    pub service: String,
    /// Whether all sums are to be in play money.
    pub play: bool,
    /// A folder with long texts (`withdrawal.en.md`).
    pub prose: Option<PathBuf>,
}

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum MakingError {
    /// A file cannot be read.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// There is no such service.
    #[error("{0:?} is neither a file nor a service that comes with SEMPER: {1}")]
    Unknown(String, String),
    /// The files make no package.
    #[error("{code}: {0}", code = .0.code())]
    Service(#[from] ServiceFault),
}

/// Makes the package.
///
/// # Errors
/// [`MakingError`].
pub fn make(source: &Source) -> Result<Packed, MakingError> {
    let mut parts = match shipped_parts(&source.service) {
        Some(parts) => parts,
        None => own_parts(&source.service)?,
    };
    if let Some(folder) = &source.prose {
        take(folder, "prose/", ".md", &mut parts.files)?;
    }
    Ok(pack(&if source.play { play::edition(&parts)? } else { parts })?)
}

/// The parts of a service that comes with SEMPER, by its id or the name of its file.
fn shipped_parts(name: &str) -> Option<Parts> {
    let named = |(file, bytes): &&(&str, &[u8])| {
        file.strip_suffix(".toml") == Some(name)
            || Definition::read(file, bytes).is_ok_and(|definition| definition.id() == name)
    };
    shipped::parts(SERVICES.iter().find(named)?.0)
}

/// The parts of an own service: its file, the building blocks of SEMPER and those in `blocks` beside it, and the
/// translations in `text`.
fn own_parts(name: &str) -> Result<Parts, MakingError> {
    let path = Path::new(name);
    if !path.is_file() {
        let known: Vec<&str> = SERVICES.iter().map(|(file, _)| file.trim_end_matches(".toml")).collect();
        return Err(MakingError::Unknown(name.to_owned(), known.join(", ")));
    }
    let mut files: BTreeMap<String, Vec<u8>> =
        BLOCKS.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    let beside = path.parent().unwrap_or(Path::new(""));
    for prefix in ["blocks/", "text/"] {
        let folder = beside.join(prefix);
        if folder.is_dir() {
            take(&folder, prefix, ".toml", &mut files)?;
        }
    }
    Ok(Parts { service: read(path)?, files })
}

/// Takes the files in `folder` that end in `suffix` to places below `prefix`.
fn take(
    folder: &Path,
    prefix: &str,
    suffix: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), MakingError> {
    let failed = |error| MakingError::File(folder.display().to_string(), error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(suffix) && path.is_file() {
            files.insert(format!("{prefix}{name}"), read(&path)?);
        }
    }
    Ok(())
}

/// A file that is not larger than a package may be.
///
/// # Errors
/// [`MakingError::File`].
pub fn read(path: &Path) -> Result<Vec<u8>, MakingError> {
    let opened = || {
        let mut bytes = Vec::new();
        let most = u64::try_from(PACKAGE_LIMIT).unwrap_or(u64::MAX);
        File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        let fits = bytes.len() <= PACKAGE_LIMIT;
        if fits { Ok(bytes) } else { Err(io::Error::other("larger than a package may be")) }
    };
    opened().map_err(|error| MakingError::File(path.display().to_string(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(service: &str) -> Source {
        Source { service: service.to_owned(), play: false, prose: None }
    }

    #[test]
    fn a_service_that_comes_with_semper_is_found_by_its_id_and_by_its_short_name() {
        let by_id = make(&source("org.semper.retail.mailorder")).unwrap();
        assert_eq!(make(&source("mailorder")).unwrap(), by_id);
        let play = make(&Source { play: true, ..source("mailorder") }).unwrap();
        assert_eq!(play.package.service().id, "org.semper.retail.mailorder.play");
    }

    #[test]
    fn an_own_file_is_packed_with_its_long_texts_and_what_is_missing_is_said() {
        let place = tempfile::tempdir().unwrap();
        let parts = shipped::parts("mailorder.toml").unwrap();
        let file = place.path().join("ours.toml");
        fs::write(&file, &parts.service).unwrap();
        let prose = place.path().join("prose");
        fs::create_dir(&prose).unwrap();
        let mut own = source(file.to_str().unwrap());
        assert!(matches!(make(&own), Err(MakingError::Service(_))), "its text on withdrawal is missing");
        for (path, bytes) in parts.files.iter().filter(|(path, _)| path.starts_with("prose/")) {
            fs::write(place.path().join(path), bytes).unwrap();
        }
        own.prose = Some(prose);
        assert_eq!(make(&own).unwrap(), make(&source("mailorder")).unwrap());
        let unknown = make(&source("no-such-service")).unwrap_err().to_string();
        assert!(unknown.contains("mailorder"), "{unknown}");
    }
}
