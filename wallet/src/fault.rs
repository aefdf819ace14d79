//! Everything that keeps the wallet from doing what it was asked to, and how it is said to a person.

use std::{
    io,
    path::{Path, PathBuf},
};

use semper_host::{chance::NoChance, keyring::KeyringError};
use semper_supporting::{
    archive::{StoreError, header::HeaderError},
    fault::Fault as _,
    tinguin::pin::PinError,
};
use semper_tinguin::texts::{Msg, Texts};
use semper_trade::calls::goods::GoodsFault;

use crate::{evidence::EvidenceFault, preferences::Unchanged, terms::TermsFault};

/// Why the wallet did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum WalletFault {
    /// The folder for a new wallet is in use.
    #[error("{0} is in use already")]
    Exists(PathBuf),
    /// There is no wallet in the folder.
    #[error("there is no wallet in {0}")]
    Missing(PathBuf),
    /// Others may read what only its owner may.
    #[error("{0} can be read by others")]
    Exposed(PathBuf),
    /// The file of the door is damaged.
    #[error("{0} is damaged")]
    Door(PathBuf),
    /// The words are not two words.
    #[error("the door has two words of 2 to 24 letters")]
    Words,
    /// The system names no folder for a person's data.
    #[error("no folder for the wallet can be found")]
    NoHome,
    /// A new password is too short.
    #[error("the password is too short")]
    PasswordShort,
    /// A new password is too easy to guess.
    #[error("the password is too easy to guess")]
    PasswordWeak,
    /// A password that cannot be typed into the field of the door.
    #[error("the password cannot be typed at the door")]
    PasswordForm,
    /// No password was given.
    #[error("no password was given")]
    PasswordAbsent,
    /// The operating system refused.
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
    /// The key file does not open.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The archive does not open, or does not take or give what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys cannot be read, made or used.
    #[error(transparent)]
    Keys(#[from] KeyringError),
    /// The window cannot be opened.
    #[error(transparent)]
    Window(#[from] WindowFault),
    /// Evidence cannot be listed, exported or checked.
    #[error(transparent)]
    Evidence(#[from] EvidenceFault),
    /// A file that was bought cannot be read.
    #[error(transparent)]
    Goods(#[from] GoodsFault),
    /// A preference does not change.
    #[error(transparent)]
    Preference(#[from] Unchanged),
    /// Terms of business cannot be looked at, or an evaluator is not trusted.
    #[error(transparent)]
    Terms(#[from] TermsFault),
    /// A PIN is too easy, or cannot be taken.
    #[error(transparent)]
    Pin(#[from] PinError),
}

/// Why there is no window.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WindowFault {
    /// There is no X11 or Wayland server to draw on.
    #[error("no display")]
    NoDisplay,
    /// The display cannot draw with OpenGL.
    #[error("no OpenGL")]
    NoGl,
    /// A library that is loaded when the window opens is missing.
    #[error("no library of the package {package}")]
    NoLibrary {
        /// The package of Debian that has it.
        package: &'static str,
    },
    /// The window library failed in another way.
    #[error("{0}")]
    Failed(String),
    /// Somebody asks for a control socket of the window.
    #[error("EGUI_INSPECTION is set")]
    Inspected,
}

impl WalletFault {
    /// The operating system's refusal at `path`.
    pub(crate) fn system(path: &Path, error: io::Error) -> Self {
        Self::System { path: path.to_owned(), error }
    }

    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exists(_) => "profile.exists",
            Self::Missing(_) => "profile.missing",
            Self::Exposed(_) => "profile.exposed",
            Self::Door(_) => "profile.door",
            Self::Words => "profile.words",
            Self::NoHome => "profile.home",
            Self::PasswordShort => "password.short",
            Self::PasswordWeak => "password.weak",
            Self::PasswordForm => "password.form",
            Self::PasswordAbsent => "password.absent",
            Self::System { .. } => "system.refused",
            Self::Chance(error) => error.code(),
            Self::Header(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Keys(_) => "wallet.keys",
            Self::Window(fault) => fault.code(),
            Self::Evidence(fault) => fault.code(),
            Self::Goods(fault) => fault.code(),
            Self::Preference(why) => why.code(),
            Self::Terms(fault) => fault.code(),
            Self::Pin(fault) => fault.code(),
        }
    }

    /// Says it to a person, in one sentence and what to do about it.
    pub fn say(&self, texts: &Texts) -> String {
        let shown = |path: &Path| path.display().to_string();
        match self {
            Self::Exists(path) => texts.get(Msg::ProfileExists { path: &shown(path) }),
            Self::Missing(path) => texts.get(Msg::ProfileMissing { path: &shown(path) }),
            Self::Exposed(path) => texts.get(Msg::ProfileExposed { path: &shown(path) }),
            Self::Door(path) => texts.get(Msg::ProfileDoor { path: &shown(path) }),
            Self::Words => texts.get(Msg::ProfileWords),
            Self::NoHome => texts.get(Msg::ProfileHome),
            Self::PasswordShort => texts.get(Msg::PasswordShort),
            Self::PasswordWeak => texts.get(Msg::PasswordWeak),
            Self::PasswordForm => texts.get(Msg::PasswordForm),
            Self::PasswordAbsent => texts.get(Msg::PasswordAbsent),
            Self::System { path, error } => {
                texts.get(Msg::SystemRefused { path: &shown(path), reason: &error.to_string() })
            }
            Self::Chance(_) => texts.get(Msg::SeedOs),
            Self::Header(HeaderError::WrongPassword) => texts.get(Msg::UnlockWrongPassword),
            Self::Header(HeaderError::Password) => texts.get(Msg::PasswordForm),
            Self::Header(_) => texts.get(Msg::ArchiveHeader),
            Self::Store(error) => say_store(error, texts),
            Self::Keys(error) => texts.get(Msg::WalletKeys { reason: &error.to_string() }),
            Self::Window(fault) => fault.say(texts),
            Self::Evidence(fault) => fault.say(texts),
            Self::Goods(fault) => texts.get(Msg::WalletFile { reason: &fault.to_string() }),
            Self::Preference(why) => why.say(texts),
            Self::Terms(fault) => fault.say(texts),
            Self::Pin(_) => texts.get(Msg::PinWeak),
        }
    }
}

fn say_store(error: &StoreError, texts: &Texts) -> String {
    let (what, advice) = match error {
        StoreError::Full => (Msg::ArchiveFull, Msg::ArchiveFullAdvice),
        StoreError::Newer { .. } => (Msg::ArchiveNewer, Msg::ArchiveNewerAdvice),
        StoreError::InUse => (Msg::ArchiveInUse, Msg::ArchiveInUseAdvice),
        StoreError::NotEncrypted => (Msg::ArchiveNotEncrypted, Msg::ArchiveNotEncryptedAdvice),
        StoreError::Key => (Msg::ArchiveKey, Msg::ArchiveKeyAdvice),
        StoreError::ReadOnly => (Msg::ArchiveReadOnly, Msg::ArchiveReadOnlyAdvice),
        StoreError::Broken { .. } | StoreError::Damaged(_) => {
            (Msg::ArchiveDamaged, Msg::ArchiveDamagedAdvice)
        }
        StoreError::Closed => (Msg::ArchiveClosed, Msg::ArchiveClosedAdvice),
        _ => (Msg::ArchiveFailed, Msg::ArchiveFailedAdvice),
    };
    texts.get(Msg::FaultAdvice { what: &texts.get(what), advice: &texts.get(advice) })
}

impl WindowFault {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoDisplay => "window.no-display",
            Self::NoGl => "window.no-gl",
            Self::NoLibrary { .. } => "window.no-library",
            Self::Failed(_) => "window.failed",
            Self::Inspected => "window.inspected",
        }
    }

    /// Says it to a person.
    pub fn say(&self, texts: &Texts) -> String {
        match self {
            Self::NoDisplay => texts.get(Msg::WindowNoDisplay),
            Self::NoGl => texts.get(Msg::WindowNoGl),
            Self::NoLibrary { package } => texts.get(Msg::WindowNoLibrary { package }),
            Self::Failed(reason) => texts.get(Msg::WindowFailed { reason }),
            Self::Inspected => texts.get(Msg::WindowInspected),
        }
    }
}
