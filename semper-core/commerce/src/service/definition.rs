//! A file of terms as it is written: one service, or one building block.
//!
//! ```text
//! tob = 1
//! service = { id = "org.example.sale", version = "1.0.0", title = "…", start = "sale" }
//! [use]
//! sale = { block = "std/order@1", with = { form = "order", … }, exits = { … } }
//! ```
//!
//! What depends on the parameters of a block can be read only where the block is used, so a definition keeps
//! its tables as they are; [`flatten`](super::flatten::flatten) reads them whole, and refuses unknown keys there.

use semper_supporting::crypto::digest::Digest;
use serde::Deserialize;
use toml::{Table, Value};

use super::{
    fault::TermsFault,
    source,
    statechart::{Service, Side},
};

/// The only format there is.
const FORMAT: i64 = 1;

/// The keys of a service beside `service`.
const SERVICE_KEYS: &[&str] =
    &["party", "context", "need", "form", "item", "use", "state", "move", "final", "dispute", "lock"];
/// The keys of a block beside `block`.
const BLOCK_KEYS: &[&str] = &["item", "use", "state", "move"];

/// The names that begin a path in expressions, and so name nothing else.
const PATHS: &[&str] = &["f", "c", "n", "now", "ctx"];

/// A file of terms, read as far as that is possible by itself.
#[derive(Clone, Debug)]
pub struct Definition {
    pub(super) file: String,
    pub(super) sha256: Digest,
    pub(super) head: Head,
    pub(super) tables: Table,
}

/// What a file defines.
#[derive(Clone, Debug)]
pub(super) enum Head {
    Service(Box<Service>),
    Block(Block),
}

/// A reusable part.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) start: String,
    pub(super) exits: Vec<String>,
    #[serde(default)]
    pub(super) params: Vec<String>,
}

/// Where a block is used.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Use {
    pub(super) block: String,
    #[serde(default)]
    pub(super) with: Table,
    #[serde(default)]
    pub(super) exits: std::collections::BTreeMap<String, String>,
}

impl Definition {
    /// Reads the bytes of `file`.
    ///
    /// # Errors
    /// What [`source::text`] refuses; [`TermsFault::Form`] for what is not TOML, has another format number,
    /// defines neither or both of a service and a block, or has a key or a name that terms do not have.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, TermsFault> {
        let text = source::text(file, bytes)?;
        let wrong = |reason: String| TermsFault::Form { file: file.to_owned(), reason };
        let mut tables: Table =
            toml::from_str(text).map_err(|error| wrong(with_line(text, error.span(), error.message())))?;
        source::seen(file, &tables)?;
        match tables.remove("tob") {
            Some(Value::Integer(FORMAT)) => {}
            Some(other) => return Err(wrong(format!("format {other} is not known, only {FORMAT} is"))),
            None => return Err(wrong("the format number tob is missing".to_owned())),
        }
        let head = match (tables.remove("service"), tables.remove("block")) {
            (Some(service), None) => {
                Head::Service(Box::new(read(service).map_err(|e| wrong(format!("service: {e}")))?))
            }
            (None, Some(block)) => Head::Block(read(block).map_err(|e| wrong(format!("block: {e}")))?),
            (Some(_), Some(_)) => return Err(wrong("it defines both a service and a block".to_owned())),
            (None, None) => return Err(wrong("it defines neither a service nor a block".to_owned())),
        };
        let keys = if matches!(head, Head::Service(_)) { SERVICE_KEYS } else { BLOCK_KEYS };
        for (key, value) in &tables {
            if !keys.contains(&key.as_str()) {
                return Err(wrong(format!("unknown key {key}")));
            }
            if !value.is_table() {
                return Err(wrong(format!("{key} is not a table")));
            }
        }
        let definition = Self { file: file.to_owned(), sha256: Digest::of(bytes), head, tables };
        definition.check_head().map_err(wrong)?;
        definition.check_names().map_err(wrong)?;
        Ok(definition)
    }

    /// The file it was read from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// SHA-256 of its bytes.
    pub fn sha256(&self) -> Digest {
        self.sha256
    }

    /// The id of the service or block.
    pub fn id(&self) -> &str {
        match &self.head {
            Head::Service(service) => &service.id,
            Head::Block(block) => &block.id,
        }
    }

    /// The version of the service or block.
    pub fn version(&self) -> &str {
        match &self.head {
            Head::Service(service) => &service.version,
            Head::Block(block) => &block.version,
        }
    }

    /// Whether it is a block.
    pub fn is_block(&self) -> bool {
        matches!(self.head, Head::Block(_))
    }

    /// The blocks it uses, as they are named there (`std/pay@1`).
    pub fn blocks(&self) -> impl Iterator<Item = &str> {
        self.entries("use").filter_map(|(_, value)| value.get("block")?.as_str())
    }

    /// The table under `key`, empty where it is absent.
    pub(super) fn entries(&self, key: &str) -> impl Iterator<Item = (&str, &Value)> {
        self.tables
            .get(key)
            .and_then(Value::as_table)
            .into_iter()
            .flat_map(|table| table.iter().map(|(name, value)| (name.as_str(), value)))
    }

    /// Whether the table under `key` has an entry `name`.
    pub(super) fn has(&self, key: &str, name: &str) -> bool {
        self.tables.get(key).and_then(Value::as_table).is_some_and(|table| table.contains_key(name))
    }

    fn check_head(&self) -> Result<(), String> {
        let (id, version) = (self.id(), self.version());
        let sound = match &self.head {
            Head::Service(_) => {
                (3..=80).contains(&id.len())
                    && id.contains('.')
                    && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b))
            }
            Head::Block(_) => is_block_id(id),
        };
        if !sound {
            return Err(format!("{id:?} is not an id"));
        }
        if major(version).is_none() {
            return Err(format!("{version:?} is not a version of the form 1.0.0"));
        }
        if let Head::Block(block) = &self.head {
            let mut seen = std::collections::BTreeSet::new();
            for name in block.exits.iter().chain(&block.params) {
                if !is_name(name) || !seen.insert(name) {
                    return Err(format!("{name:?} cannot name a parameter or an exit, or names two"));
                }
            }
            if block.exits.is_empty() {
                return Err("a block needs an exit".to_owned());
            }
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), String> {
        for key in SERVICE_KEYS.iter().filter(|key| !["context", "need", "dispute", "lock"].contains(key)) {
            for (name, value) in self.entries(key) {
                if !is_name(name) || PATHS.contains(&name) {
                    return Err(format!("{key}: {name:?} cannot be a name"));
                }
                if !value.is_table() {
                    return Err(format!("{key}.{name} is not a table"));
                }
            }
        }
        for (name, _) in self.entries("state") {
            if self.has("use", name) || self.has("final", name) {
                return Err(format!("{name} names two places"));
            }
        }
        match self.entries("use").find(|(name, _)| self.has("final", name)) {
            Some((name, _)) => Err(format!("{name} names two places")),
            None => Ok(()),
        }
    }
}

/// Reads a typed value; the error says which key.
pub(super) fn read<'de, T: Deserialize<'de>>(value: Value) -> Result<T, String> {
    value.try_into().map_err(|error: toml::de::Error| error.message().trim().replace('\n', "; "))
}

/// Whether `name` can name a party, form, field, item, use, state, move or final.
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_block_id(id: &str) -> bool {
    id.len() <= 80
        && id.split('/').count() == 2
        && id.split('/').all(|part| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
}

/// The first number of `version`, if that is a semantic version of three numbers.
pub(super) fn major(version: &str) -> Option<u32> {
    let parts: Vec<&str> = version.split('.').collect();
    let sound = parts.len() == 3
        && parts.iter().all(|part| {
            (1..=9).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_digit())
                && (*part == "0" || !part.starts_with('0'))
        });
    parts.first().filter(|_| sound)?.parse().ok()
}

/// `message` with the line on which it happened.
fn with_line(text: &str, span: Option<std::ops::Range<usize>>, message: &str) -> String {
    let message = message.trim().replace('\n', "; ");
    match span.and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", 1 + before.matches('\n').count()),
        None => message,
    }
}

/// Who stands where among the parties of a service, each side once but for third parties.
pub(super) fn check_sides<'a>(sides: impl Iterator<Item = &'a Side> + Clone) -> Result<(), String> {
    let count = |side| sides.clone().filter(|one| **one == side).count();
    if count(Side::Client) != 1 || count(Side::Server) != 1 {
        return Err("terms are between one client and one server".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Definition::read("terms.toml", text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_the_reader_does_not_know_is_refused() {
        let block =
            "tob = 1\nblock = { id = \"std/x\", version = \"1.0.0\", start = \"a\", exits = [\"out\"] }\n";
        assert!(Definition::read("x", block.as_bytes()).is_ok());
        for (text, what) in [
            ("", "terms.toml: the format number tob is missing"),
            ("tob = 2", "terms.toml: format 2 is not known, only 1 is"),
            ("tob = 1", "terms.toml: it defines neither a service nor a block"),
            (&format!("{block}[final]"), "terms.toml: unknown key final"),
            (&format!("{block}script = \"x\""), "terms.toml: unknown key script"),
            (&format!("{block}item = 1"), "terms.toml: item is not a table"),
            (&format!("{block}[item.\"a.b\"]"), "terms.toml: item: \"a.b\" cannot be a name"),
            (&format!("{block}[use.now]"), "terms.toml: use: \"now\" cannot be a name"),
            (&format!("{block}[use.a]\n[state.a]"), "terms.toml: a names two places"),
        ] {
            assert_eq!(refused(text), what, "{text}");
        }
        assert!(refused(&block.replace("exits", "extra = 1, exits")).contains("unknown field"));
        assert!(refused(&block.replace("1.0.0", "01.0.0")).contains("not a version"));
        assert!(refused(&block.replace("std/x", "../x")).contains("not an id"));
        assert!(refused("tob = 1\ntob = 1").starts_with("terms.toml: line 2: "));
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_an_overflow() {
        let deep = format!("tob = 1\nx = {}", "[\n".repeat(100_000));
        assert!(Definition::read("x", deep.as_bytes()).is_err());
    }
}
