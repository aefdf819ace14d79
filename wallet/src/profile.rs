//! A wallet's folder.
//!
//! ```text
//! archive.hdr   the key file: opens the master key with the password; archive.hdr.old, one older copy
//! archive.db    the archive, encrypted by SQLCipher with a key derived from the master key
//! door.toml     the two words and the colour that stand at the door, before anything is unlocked
//! first-start   there until the owner of a wallet that was made in the window is registered
//! window        locked while a window is open on this wallet
//! lock          locked while the archive is open
//! ```
//!
//! The folder and what is in it belong to one user (modes 0700 and 0600). The words at the door keep out a
//! program that does not run as this user; one that does can read them, and the picture inside the archive
//! is what it cannot imitate.

mod create;

pub use create::Choice;

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use semper_supporting::archive::header::{HEADER_LIMIT, Header, HeaderError};
use semper_tinguin::{theme::FrameHue, widgets::seal::Words};
use serde::{Deserialize, Serialize};

use crate::fault::WalletFault;

/// A wallet's folder, which need not exist yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Profile {
    path: PathBuf,
}

/// The two words of the door. They are never printed: whoever has them can imitate it.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "RawWords", into = "RawWords")]
pub struct DoorWords {
    first: String,
    second: String,
}

/// What stands at the door.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DoorPlate {
    /// The two words.
    pub words: DoorWords,
    /// The number of the colour of the frame.
    pub hue: u8,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawWords {
    first: String,
    second: String,
}

/// Held while a window is open on a wallet.
#[derive(Debug)]
pub struct WindowLock(#[expect(dead_code, reason = "its drop gives the lock back")] File);

pub(crate) const HEADER: &str = "archive.hdr";
const HEADER_OLD: &str = "archive.hdr.old";
pub(crate) const DOOR: &str = "door.toml";
const FIRST_START: &str = "first-start";
const WINDOW: &str = "window";
/// The most bytes a file of the door has.
const DOOR_LIMIT: u64 = 4096;

impl Profile {
    /// The wallet in this folder.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The wallet in the user's own folder for data of programs (XDG base directories).
    ///
    /// # Errors
    /// [`WalletFault::NoHome`] if the system names none.
    pub fn usual() -> Result<Self, WalletFault> {
        let folders = directories::ProjectDirs::from("eu", "", "semper-wallet").ok_or(WalletFault::NoHome)?;
        Ok(Self::at(folders.data_dir()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what stands at the door.
    ///
    /// # Errors
    /// [`WalletFault::Missing`] where there is no wallet, [`WalletFault::Exposed`] if others can read the
    /// folder or the file, [`WalletFault::Door`] if the file is damaged.
    pub fn door(&self) -> Result<DoorPlate, WalletFault> {
        let path = self.path.join(DOOR);
        let file = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => WalletFault::Missing(self.path.clone()),
            _ => WalletFault::system(&path, error),
        })?;
        private(&self.path)?;
        private(&path)?;
        let mut text = String::new();
        let read = file.take(DOOR_LIMIT).read_to_string(&mut text);
        read.map_err(|_| WalletFault::Door(path.clone()))?;
        toml::from_str(&text).map_err(|_| WalletFault::Door(path))
    }

    /// Reads the key file, or the older copy of it where it is damaged or missing.
    ///
    /// # Errors
    /// [`WalletFault::Missing`], [`WalletFault::Header`].
    pub fn header(&self) -> Result<Header, WalletFault> {
        match self.read_header(HEADER) {
            Ok(header) => Ok(header),
            Err(first) => self.read_header(HEADER_OLD).map_err(|_| first).inspect(|_| {
                tracing::warn!("the key file is damaged or missing; its older copy is used");
            }),
        }
    }

    fn read_header(&self, name: &str) -> Result<Header, WalletFault> {
        let path = self.path.join(name);
        let file = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if self.path.join(DOOR).exists() => HeaderError::Damaged.into(),
            io::ErrorKind::NotFound => WalletFault::Missing(self.path.clone()),
            _ => WalletFault::system(&path, error),
        })?;
        let limit = u64::try_from(HEADER_LIMIT).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes).map_err(|error| WalletFault::system(&path, error))?;
        Ok(Header::read(&bytes)?)
    }

    /// Whether the first start is not over yet.
    pub fn is_first_start(&self) -> bool {
        self.path.join(FIRST_START).exists()
    }

    /// Ends the first start.
    ///
    /// # Errors
    /// [`WalletFault::System`].
    pub fn end_first_start(&self) -> Result<(), WalletFault> {
        let path = self.path.join(FIRST_START);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(WalletFault::system(&path, error)),
            _ => Ok(()),
        }
    }

    /// Takes the place of the one window on this wallet; nothing if another one has it.
    ///
    /// # Errors
    /// [`WalletFault::System`].
    pub fn window_lock(&self) -> Result<Option<WindowLock>, WalletFault> {
        let path = self.path.join(WINDOW);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| WalletFault::system(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(WindowLock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(WalletFault::system(&path, error)),
        }
    }
}

impl DoorWords {
    /// Reads two words of letters, with white space between them.
    ///
    /// # Errors
    /// [`WalletFault::Words`].
    pub fn parse(text: &str) -> Result<Self, WalletFault> {
        let mut words = text.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(first), Some(second), None) => Self::of(first, second),
            _ => Err(WalletFault::Words),
        }
    }

    fn of(first: &str, second: &str) -> Result<Self, WalletFault> {
        let is_word = |word: &str| {
            (2..=24).contains(&word.chars().count()) && word.chars().all(|letter| letter.is_alphabetic())
        };
        if !is_word(first) || !is_word(second) {
            return Err(WalletFault::Words);
        }
        Ok(Self { first: first.to_owned(), second: second.to_owned() })
    }

    /// The first word.
    pub fn first(&self) -> &str {
        &self.first
    }

    /// The second word.
    pub fn second(&self) -> &str {
        &self.second
    }
}

impl DoorPlate {
    /// The words as the window draws them.
    pub fn words(&self) -> Words {
        Words::new(&self.words.first, &self.words.second)
    }

    /// The colour as the window draws it.
    pub fn hue(&self) -> FrameHue {
        FrameHue::new(self.hue)
    }
}

impl TryFrom<RawWords> for DoorWords {
    type Error = WalletFault;

    fn try_from(raw: RawWords) -> Result<Self, WalletFault> {
        Self::of(&raw.first, &raw.second)
    }
}

impl From<DoorWords> for RawWords {
    fn from(words: DoorWords) -> Self {
        Self { first: words.first, second: words.second }
    }
}

impl std::fmt::Debug for DoorWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DoorWords(…)")
    }
}

/// Refuses what others can read or write.
fn private(path: &Path) -> Result<(), WalletFault> {
    let about = fs::metadata(path).map_err(|error| WalletFault::system(path, error))?;
    if about.permissions().mode() & 0o077 == 0 { Ok(()) } else { Err(WalletFault::Exposed(path.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_words_of_letters_and_nothing_else_stand_at_a_door() {
        for good in ["amber lighthouse", "  Größe\tφάρος "] {
            DoorWords::parse(good).unwrap();
        }
        for bad in [
            "",
            "amber",
            "amber light house",
            "a lighthouse",
            "amber light-house",
            "amber l1ghthouse",
            "amber aaaaaaaaaaaaaaaaaaaaaaaaa",
            "amber light\u{202e}house",
        ] {
            assert_eq!(DoorWords::parse(bad).unwrap_err().code(), "profile.words", "{bad:?}");
        }
        assert_eq!(format!("{:?}", DoorWords::parse("amber lighthouse").unwrap()), "DoorWords(…)");
    }

    #[test]
    fn a_door_that_others_can_read_or_that_is_damaged_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let profile = Profile::at(folder.path());
        assert_eq!(profile.door().unwrap_err().code(), "profile.missing");
        let path = folder.path().join(DOOR);
        let good = "hue = 3\n[words]\nfirst = \"amber\"\nsecond = \"lighthouse\"\n";
        fs::write(&path, good).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(profile.door().unwrap_err().code(), "profile.exposed");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(profile.door().unwrap().words.second(), "lighthouse");
        for damaged in [
            "",
            "hue = 3",
            &good.replace("amber", "am ber"),
            &good.replace("hue", "hueue"),
            &good.replace("= 3", "= 300"),
        ] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(profile.door().unwrap_err().code(), "profile.door", "{damaged}");
        }
    }

    #[test]
    fn one_window_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path());
        let first = profile.window_lock().unwrap();
        assert!(first.is_some());
        assert!(profile.window_lock().unwrap().is_none());
        drop(first);
        assert!(profile.window_lock().unwrap().is_some());
    }
}
