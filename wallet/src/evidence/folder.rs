//! A folder of evidence as it was found: every file below it, with its digest, within limits.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read as _,
    path::Path,
};

use semper_supporting::crypto::digest::Digest;

use super::EvidenceFault;
use crate::fault::WalletFault;

/// The files below a folder, by their path in it. Nothing of it is believed yet.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// The plain files.
    pub files: BTreeMap<String, Found>,
    /// Paths of what is no plain file or folder, or has a name that is no text.
    pub strange: Vec<String>,
}

/// One file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// SHA-256 of its content.
    pub digest: Digest,
    /// Its content.
    pub content: Vec<u8>,
}

/// The most files of a dossier, and the most bytes of all of them.
const FILES: usize = 10_000;
const BYTES: u64 = 256 << 20;
/// How deep folders lie in each other.
const DEPTH: usize = 4;

impl Folder {
    /// Reads everything below `path`.
    ///
    /// # Errors
    /// [`WalletFault::System`]; [`EvidenceFault::TooBig`] before memory is taken for it.
    pub fn read(path: &Path) -> Result<Self, WalletFault> {
        let mut folder = Self::default();
        let mut left = BYTES;
        folder.enter(path, "", DEPTH, &mut left)?;
        Ok(folder)
    }

    /// The content of a file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(|found| found.content.as_slice())
    }

    /// The content of a file of text.
    pub fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.get(path)?).ok()
    }

    /// The files of a folder directly below, by their names there.
    pub fn below<'a>(&'a self, start: &'a str) -> impl Iterator<Item = (&'a str, &'a Found)> {
        self.files.iter().filter_map(move |(path, found)| Some((path.strip_prefix(start)?, found)))
    }

    fn enter(&mut self, path: &Path, at: &str, depth: usize, left: &mut u64) -> Result<(), WalletFault> {
        let failed = |error| WalletFault::system(path, error);
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some(plain) = name.to_str().filter(|name| !name.chars().any(char::is_control)) else {
                self.strange.push(format!("{at}{}", name.display()));
                continue;
            };
            // The kind of the entry itself: a link is not followed.
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() && depth > 0 {
                self.enter(&entry.path(), &format!("{at}{plain}/"), depth.saturating_sub(1), left)?;
            } else if kind.is_file() {
                let content = read(&entry.path(), left)?;
                let found = Found { digest: Digest::of(&content), content };
                self.files.insert(format!("{at}{plain}"), found);
            } else {
                self.strange.push(format!("{at}{plain}"));
            }
            if self.files.len().saturating_add(self.strange.len()) > FILES {
                return Err(EvidenceFault::TooBig.into());
            }
        }
        Ok(())
    }
}

fn read(path: &Path, left: &mut u64) -> Result<Vec<u8>, WalletFault> {
    let failed = |error| WalletFault::system(path, error);
    let mut content = Vec::new();
    let file = File::open(path).map_err(failed)?;
    let read = file.take(left.saturating_add(1)).read_to_end(&mut content).map_err(failed)?;
    let size = u64::try_from(read).unwrap_or(u64::MAX);
    *left = left.checked_sub(size).ok_or(EvidenceFault::TooBig)?;
    Ok(content)
}
