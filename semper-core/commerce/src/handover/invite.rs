//! The invite file, `.semper`: a link in a file, for browsers that do not follow links of a new kind, and what was
//! typed into the page.
//!
//! ```text
//! invite = 1
//! uri = "semper://shop.example/fogra/offer/7Q2M-9XKD?k=0H7TNV4C8R2J5W9YQKX3BZ6FMD&m=77e2c1d09a3b4f10"
//! prefill = { doc = "A-1207" }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use semper_supporting::{comm::address::Surroundings, tinguin::text::Untrusted};
use serde::{Deserialize, Serialize};

use super::{HandoverFault, Link};

/// The media type of an invite file.
pub const MEDIA: &str = "application/vnd.semper.invite";
/// How a file's name ends.
pub const SUFFIX: &str = ".semper";
/// How many bytes the file has at most.
pub const FILE: usize = 4 << 10;
/// How many bytes the pre-fill has at most, a line for each value.
pub const PREFILL: usize = 2 << 10;
/// The version of the format.
const VERSION: i64 = 1;

/// What an invite file says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invite {
    /// The link.
    pub link: Link,
    /// What was typed into the page.
    pub prefill: Prefill,
}

/// What was typed into a page, by field of the form. It is somebody's words and is shown as such.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Prefill(BTreeMap<String, Prefilled>);

/// A value that was typed into a page.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Prefilled {
    /// A box that was ticked or not.
    Choice(bool),
    /// A whole number.
    Number(i64),
    /// A text; sums of money, dates and articles are texts too.
    Text(Untrusted),
}

/// The file as it is written.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    invite: i64,
    uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefill: Option<BTreeMap<String, Prefilled>>,
}

impl Invite {
    /// Reads an invite file.
    ///
    /// # Errors
    /// [`HandoverFault`].
    pub fn read(bytes: &[u8], surroundings: Surroundings) -> Result<Self, HandoverFault> {
        if bytes.len() > FILE {
            return Err(bad(format!("it is longer than {FILE} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| bad("it is no text"))?;
        let written: Written = toml::from_str(text).map_err(|error| bad(error.message()))?;
        if written.invite != VERSION {
            return Err(bad("it is of another version"));
        }
        let link = Link::parse(&written.uri, surroundings)?;
        Ok(Self { link, prefill: Prefill::new(written.prefill.unwrap_or_default())? })
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`HandoverFault::Invite`] if it would be longer than a reader takes.
    pub fn write(&self) -> Result<String, HandoverFault> {
        let prefill = Some(&self.prefill.0).filter(|values| !values.is_empty()).cloned();
        let written = Written { invite: VERSION, uri: self.link.to_string(), prefill };
        let text = toml::to_string(&written).map_err(|error| bad(error.to_string()))?;
        if text.len() > FILE { Err(bad(format!("it is longer than {FILE} bytes"))) } else { Ok(text) }
    }
}

impl Prefill {
    /// Takes values by the names of their fields.
    ///
    /// # Errors
    /// [`HandoverFault::Invite`] if a name is none, or all together are longer than 2 KiB.
    pub fn new(values: BTreeMap<String, Prefilled>) -> Result<Self, HandoverFault> {
        if let Some(name) = values.keys().find(|name| !is_field(name)) {
            return Err(bad(format!("{name:?} is no field")));
        }
        let lines = toml::to_string(&values).map_err(|error| bad(error.to_string()))?;
        if lines.len() > PREFILL {
            return Err(bad(format!("what was typed is longer than {PREFILL} bytes")));
        }
        Ok(Self(values))
    }

    /// The values, by the names of their fields.
    pub fn values(&self) -> &BTreeMap<String, Prefilled> {
        &self.0
    }

    /// Holds the pre-fill against the fields that a page may fill in, once the terms are known.
    ///
    /// # Errors
    /// [`HandoverFault::Invite`] naming the first field that a page may not fill in.
    pub fn allowed(self, fields: &BTreeSet<&str>) -> Result<Self, HandoverFault> {
        match self.0.keys().find(|name| !fields.contains(name.as_str())) {
            Some(name) => Err(bad(format!("a page may not fill in {name:?}"))),
            None => Ok(self),
        }
    }
}

/// Whether a form of terms of business can have such a field.
fn is_field(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn bad(why: impl Into<String>) -> HandoverFault {
    HandoverFault::Invite(why.into())
}
