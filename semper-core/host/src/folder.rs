//! The folder of a daemon: its secret, and the archive encrypted under it.
//!
//! ```text
//! secret        64 hexadecimal digits, readable by its owner only
//! archive.db    the archive, encrypted by SQLCipher with a key derived from the secret
//! ```
//!
//! A daemon starts without anybody typing a password, so its secret is a file. Whoever can read that file
//! and the archive can read everything: the folder belongs on a disk of its own, encrypted by the system.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use hkdf::Hkdf;
use semper_archive_sqlite::{ArchiveKey, Options, SqliteArchive};
use semper_supporting::archive::{Schema, StoreError};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::chance::{self, NoChance};

/// A daemon's folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    master: Master,
}

struct Master(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Master {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Master(…)")
    }
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is in use already.
    #[error("{0} already holds a program's data: choose another folder, or run the program that is in it")]
    Exists(PathBuf),
    /// There is nothing in it.
    #[error("{0} holds no program's data: run `init` first")]
    Missing(PathBuf),
    /// Others may read the secret.
    #[error("{0} can be read by others: run `chmod 600` on it")]
    Exposed(PathBuf),
    /// The secret is damaged.
    #[error("{0} is not the secret of this folder: 64 hexadecimal digits were expected")]
    Secret(PathBuf),
    /// The system refused.
    #[error("{path}: {error}")]
    System {
        /// Where.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The archive cannot be opened.
    #[error("the archive in {path}: {error}")]
    Archive {
        /// Where.
        path: PathBuf,
        /// Why.
        error: StoreError,
    },
}

const SECRET: &str = "secret";

impl Folder {
    /// Makes the folder with a fresh secret.
    ///
    /// # Errors
    /// [`FolderError::Exists`] if there is a secret already; nothing was changed then.
    pub fn create(path: &Path) -> Result<Self, FolderError> {
        fs::create_dir_all(path).map_err(|error| system(path, error))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(|error| system(path, error))?;
        let place = path.join(SECRET);
        let master = chance::secret::<32>()?;
        let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&place);
        let mut file = made.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => FolderError::Exists(path.to_owned()),
            _ => system(&place, error),
        })?;
        let text = Zeroizing::new(data_encoding::HEXLOWER.encode(master.as_slice()));
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| system(&place, error))?;
        Ok(Self { path: path.to_owned(), master: Master(master) })
    }

    /// Opens the folder that [`Folder::create`] made.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let place = path.join(SECRET);
        let about = fs::metadata(&place).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FolderError::Missing(path.to_owned()),
            _ => system(&place, error),
        })?;
        if about.permissions().mode() & 0o077 != 0 {
            return Err(FolderError::Exposed(place));
        }
        let text = Zeroizing::new(fs::read_to_string(&place).map_err(|error| system(&place, error))?);
        let bytes = data_encoding::HEXLOWER.decode(text.trim_end().as_bytes()).map(Zeroizing::new);
        let mut master = Zeroizing::new([0; 32]);
        match bytes {
            Ok(bytes) if bytes.len() == master.len() => master.copy_from_slice(&bytes),
            _ => return Err(FolderError::Secret(place)),
        }
        Ok(Self { path: path.to_owned(), master: Master(master) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the archive in it. Blocks while it reads and checks.
    ///
    /// # Errors
    /// [`FolderError::Archive`].
    pub fn archive(&self, schema: Schema) -> Result<SqliteArchive, FolderError> {
        let options = Options { key: Some(self.archive_key()), ..Options::default() };
        SqliteArchive::open(&self.path, schema, options)
            .map_err(|error| FolderError::Archive { path: self.path.clone(), error })
    }

    /// The key under which keys are wrapped.
    pub fn wrapping_key(&self) -> Zeroizing<[u8; 32]> {
        self.derive("semper-folder/1 keys")
    }

    /// The key from which the random bytes of steps are made.
    pub fn randomness_key(&self) -> Zeroizing<[u8; 32]> {
        self.derive("semper-folder/1 randomness")
    }

    fn archive_key(&self) -> ArchiveKey {
        let salt = self.derive::<16>("semper-folder/1 db-salt");
        ArchiveKey::new(self.derive("semper-folder/1 db"), *salt)
    }

    /// HKDF-SHA-256 (RFC 5869) of the secret; `N` is far below the most it can give.
    fn derive<const N: usize>(&self, label: &str) -> Zeroizing<[u8; N]> {
        let mut key = Zeroizing::new([0; N]);
        let expanded =
            Hkdf::<Sha256>::new(None, self.master.0.as_slice()).expand(label.as_bytes(), key.as_mut_slice());
        debug_assert!(expanded.is_ok(), "at most 255 blocks are asked for");
        key
    }
}

fn system(path: &Path, error: io::Error) -> FolderError {
    FolderError::System { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_opens_with_the_secret_it_was_made_with_and_no_other() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("bank");
        let made = Folder::create(&path).unwrap();
        assert!(matches!(Folder::create(&path), Err(FolderError::Exists(_))));
        drop(made.archive(Schema::new(1)).unwrap());
        drop(Folder::open(&path).unwrap().archive(Schema::new(1)).unwrap());
        fs::write(path.join("secret"), "0".repeat(64)).unwrap();
        let other = Folder::open(&path).unwrap().archive(Schema::new(1));
        assert!(matches!(other, Err(FolderError::Archive { error: StoreError::Key, .. })), "{other:?}");
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let place = tempfile::tempdir().unwrap();
        Folder::create(place.path()).unwrap();
        let secret = place.path().join("secret");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Folder::open(place.path()), Err(FolderError::Exposed(_))));
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&secret, "rubbish").unwrap();
        assert!(matches!(Folder::open(place.path()), Err(FolderError::Secret(_))));
    }

    #[test]
    fn a_folder_without_a_program_says_so() {
        let place = tempfile::tempdir().unwrap();
        assert!(matches!(Folder::open(place.path()), Err(FolderError::Missing(_))));
    }
}
