//! What an operator decides: a file in TOML, read and written whole.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The system refused.
    #[error("{path}: {error}")]
    System {
        /// Where.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// It is not TOML of this form.
    #[error("{path}: {error}")]
    Form {
        /// Where.
        path: PathBuf,
        /// What is wrong, with its line.
        error: Box<toml::de::Error>,
    },
    /// Something in it cannot be.
    #[error("{path}: {what}")]
    Content {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl ConfigError {
    /// Something in the file at `path` cannot be.
    pub fn content(path: &Path, what: impl ToString) -> Self {
        Self::Content { path: path.to_owned(), what: what.to_string() }
    }
}

/// Reads the configuration at `path`. Its form is checked, not yet its content.
///
/// # Errors
/// [`ConfigError::System`], [`ConfigError::Form`].
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text =
        fs::read_to_string(path).map_err(|error| ConfigError::System { path: path.to_owned(), error })?;
    toml::from_str(&text).map_err(|error| ConfigError::Form { path: path.to_owned(), error: Box::new(error) })
}

/// Writes a configuration to `path`.
///
/// # Errors
/// [`ConfigError::System`], or [`ConfigError::Content`] for something that TOML cannot say.
pub fn write<T: Serialize>(path: &Path, config: &T) -> Result<(), ConfigError> {
    let text = toml::to_string(config).map_err(|error| ConfigError::content(path, error))?;
    fs::write(path, text).map_err(|error| ConfigError::System { path: path.to_owned(), error })
}
