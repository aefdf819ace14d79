//! The services that come with SEMPER, packed: known by their hashes, and believed without any statement.
//!
//! The files are part of the program, and packing is reproducible: so their hashes are as fixed as the program is.

use std::collections::BTreeMap;

use semper_supporting::crypto::digest::Digest;

use super::{
    fault::ServiceFault,
    pack::{Packed, Parts, pack},
    play,
};
use crate::service::shipped::{BLOCKS, SERVICES};

macro_rules! prose {
    ($($name:literal),* $(,)?) => {
        &[$((
            concat!("prose/", $name),
            include_bytes!(concat!("../../../../assets/services/prose/", $name)),
        )),*]
    };
}

/// The long texts, by their places in packages.
const PROSE: &[(&str, &[u8])] =
    prose!["no-withdrawal-after-download.en.md", "rules.en.md", "withdrawal.en.md"];

/// The parts of the service in `file` (`mailorder.toml`); nothing for a file that does not come with SEMPER.
pub fn parts(file: &str) -> Option<Parts> {
    let (_, service) = SERVICES.iter().find(|(name, _)| *name == file)?;
    let mut files: BTreeMap<String, Vec<u8>> =
        BLOCKS.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    let text = String::from_utf8_lossy(service);
    for (path, bytes) in PROSE {
        let name = path.split('.').next().unwrap_or(path);
        if text.contains(&format!("\"{name}\"")) {
            files.insert((*path).to_owned(), bytes.to_vec());
        }
    }
    Some(Parts { service: service.to_vec(), files })
}

/// All services that come with SEMPER, packed, by file; play editions under `play/`.
///
/// # Errors
/// None with the files that come with SEMPER, which a test asserts.
pub fn packages() -> Result<BTreeMap<String, Packed>, ServiceFault> {
    let mut all = BTreeMap::new();
    for (file, _) in SERVICES {
        let Some(parts) = parts(file) else { continue };
        // No money moves in some of them, and one is for play money already.
        if let Ok(parts) = play::edition(&parts) {
            all.insert(format!("play/{file}"), pack(&parts)?);
        }
        all.insert((*file).to_owned(), pack(&parts)?);
    }
    Ok(all)
}

/// The hashes of the packages that come with SEMPER.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BuiltIn(BTreeMap<Digest, String>);

impl BuiltIn {
    /// Computes them.
    ///
    /// # Errors
    /// As [`packages`].
    pub fn new() -> Result<Self, ServiceFault> {
        let all = packages()?.into_iter();
        Ok(Self(all.map(|(file, packed)| (packed.package.sha256(), file)).collect()))
    }

    /// Whether the package of this hash comes with SEMPER.
    pub fn has(&self, package: &Digest) -> bool {
        self.0.contains_key(package)
    }

    /// The files and hashes, by hash.
    pub fn iter(&self) -> impl Iterator<Item = (&Digest, &str)> {
        self.0.iter().map(|(sha256, file)| (sha256, file.as_str()))
    }
}
