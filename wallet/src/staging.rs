//! A folder made under another name, which takes its own in one step or is removed again.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use semper_host::chance;

use crate::fault::WalletFault;

/// A folder that is removed with everything in it, unless it settles.
#[derive(Debug)]
pub(crate) struct Staging(PathBuf);

impl Staging {
    /// An empty folder beside `path`, for this user only.
    pub(crate) fn beside(path: &Path) -> Result<Self, WalletFault> {
        if !is_free(path)? {
            return Err(WalletFault::Exists(path.to_owned()));
        }
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".new-{}", data_encoding::HEXLOWER.encode(&chance::random::<8>()?)));
        let place = PathBuf::from(name);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&place);
        made.map_err(|error| WalletFault::system(&place, error))?;
        Ok(Self(place))
    }

    /// Where it is for now.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives it its name. It takes the place of an empty folder, never of one that has something in it.
    pub(crate) fn settle(self, path: &Path) -> Result<(), WalletFault> {
        sync(&self.0)?;
        fs::rename(&self.0, path).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty => WalletFault::Exists(path.to_owned()),
            _ => WalletFault::system(path, error),
        })?;
        sync(path.parent().unwrap_or(Path::new("/")))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, place = %self.0.display(), "an unfinished folder was left behind");
            }
            _ => {}
        }
    }
}

/// Whether there is nothing, or an empty folder, at `path`.
fn is_free(path: &Path) -> Result<bool, WalletFault> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(WalletFault::system(path, error)),
    }
}

/// Writes the names in a folder down to the disk.
fn sync(folder: &Path) -> Result<(), WalletFault> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|file| file.sync_all()).map_err(|error| WalletFault::system(folder, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_settles_whole_or_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("dossier");
        let staging = Staging::beside(&path).unwrap();
        fs::write(staging.path().join("a"), "a").unwrap();
        drop(staging);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        let staging = Staging::beside(&path).unwrap();
        fs::write(staging.path().join("a"), "a").unwrap();
        let second = Staging::beside(&path).unwrap();
        staging.settle(&path).unwrap();
        assert_eq!(fs::read_to_string(path.join("a")).unwrap(), "a");
        assert_eq!(second.settle(&path).unwrap_err().code(), "profile.exists");
        assert_eq!(Staging::beside(&path).unwrap_err().code(), "profile.exists");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
