//! The packer: makes one package of files as people write them.
//!
//! It adds what nobody should write by hand, the lock of the blocks and the list of files, and leaves every other
//! byte as it was. The same files make the same package, byte for byte, whoever packs them.

use std::collections::{BTreeMap, BTreeSet};

use semper_supporting::crypto::digest::Digest;

use super::{
    fault::ServiceFault,
    package::{LIST, Package, TERMS, list_of},
    ustar,
};
use crate::service::{definition::Definition, flatten::flatten};

/// What a package is made of.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Parts {
    /// The file of the service.
    pub service: Vec<u8>,
    /// The other files, by their places in the package (`blocks/pay.toml`, `text/de.toml`,
    /// `prose/withdrawal.en.md`). Blocks that the service does not use are left out.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A package that was just made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Packed {
    /// Its bytes, without signatures.
    pub bytes: Vec<u8>,
    /// What everybody will read in them.
    pub package: Package,
}

/// Makes the package of `parts`.
///
/// # Errors
/// [`ServiceFault::Terms`] for terms that cannot be read or made flat, [`ServiceFault::Unpackable`] for whatever
/// else would make it no package.
pub fn pack(parts: &Parts) -> Result<Packed, ServiceFault> {
    let definition = Definition::read(TERMS, &parts.service)?;
    let is_block = |path: &str| path.starts_with("blocks/");
    let blocks: Vec<Definition> = parts
        .files
        .iter()
        .filter(|(path, _)| is_block(path))
        .map(|(path, bytes)| Ok(Definition::read(path, bytes)?))
        .collect::<Result<_, ServiceFault>>()?;
    let chart = flatten(&definition, &blocks)?;
    let used: BTreeSet<Digest> = chart.blocks.values().copied().collect();
    let used: Vec<&Definition> = blocks.iter().filter(|block| used.contains(&block.sha256())).collect();
    let lock: BTreeMap<&str, Digest> = used.iter().map(|block| (block.id(), block.sha256())).collect();
    if lock.len() != used.len() {
        return Err(ServiceFault::unpackable("two versions of one block cannot be locked"));
    }
    let mut terms = parts.service.clone();
    if chart.lock.is_empty() && !lock.is_empty() {
        if !terms.ends_with(b"\n") {
            terms.push(b'\n');
        }
        terms.extend_from_slice(b"[lock]\n");
        for (id, sha256) in &lock {
            terms.extend_from_slice(format!("\"{id}\" = \"{sha256}\"\n").as_bytes());
        }
    }
    let mut files: BTreeMap<&str, &[u8]> = BTreeMap::from([(TERMS, terms.as_slice())]);
    for (path, bytes) in &parts.files {
        if !is_block(path) || used.iter().any(|block| block.file() == path) {
            files.insert(path, bytes);
        }
    }
    let list = list_of(&files);
    files.insert(LIST, list.as_bytes());
    let lent: Vec<(&str, &[u8])> = files.into_iter().collect();
    let bytes = ustar::write(&lent)?;
    let package = Package::read(&bytes).map_err(|fault| match fault {
        ServiceFault::BadPackage { reason } => ServiceFault::unpackable(reason),
        other => other,
    })?;
    Ok(Packed { bytes, package })
}
