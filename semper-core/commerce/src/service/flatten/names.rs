//! What a name means where it stands.

use super::{Definition, Head, definition::is_name, find};

/// The names that can be used in one place: those of the definition there, then those around it.
pub(super) struct Names<'a> {
    prefix: String,
    definition: &'a Definition,
    blocks: &'a [Definition],
    outer: Option<&'a Names<'a>>,
}

/// The keys whose values are expressions.
const EXPRESSIONS: &[&str] = &["amount", "matches", "when", "until", "count"];

/// How deeply starts of blocks are followed.
const DEPTH: usize = 8;

impl<'a> Names<'a> {
    /// The names of a service.
    pub(super) fn of(definition: &'a Definition, blocks: &'a [Definition]) -> Self {
        Self { prefix: String::new(), definition, blocks, outer: None }
    }

    /// The names inside `block`, which is used here as `name`.
    pub(super) fn inside<'b>(&'b self, name: &str, block: &'b Definition) -> Names<'b> {
        Names {
            prefix: format!("{}{name}.", self.prefix),
            definition: block,
            blocks: self.blocks,
            outer: Some(self),
        }
    }

    /// The definition whose names they are.
    pub(super) fn definition(&self) -> &'a Definition {
        self.definition
    }

    /// `name` as it is called in the flat chart.
    pub(super) fn absolute(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The item that `path` names.
    pub(super) fn item(&self, path: &str) -> Option<String> {
        self.entry("item", path)
    }

    /// The form that `name` names: forms belong to the service.
    pub(super) fn form(&self, name: &str) -> Option<String> {
        match self.outer {
            Some(outer) => outer.form(name),
            None => self.definition.has("form", name).then(|| name.to_owned()),
        }
    }

    /// What a signature `itself` is over: an item other than itself, or a form.
    pub(super) fn over(&self, path: &str, itself: &str) -> Option<String> {
        let itself = self.absolute(itself);
        match self.item(path).filter(|item| *item != itself) {
            Some(item) => Some(format!("item/{item}")),
            None => Some(format!("form/{}", self.form(path)?)),
        }
    }

    /// What a use gives for a parameter: marked where it names an item or a form, else with absolute names of moves.
    pub(super) fn given(&self, text: &str) -> Option<String> {
        if text.starts_with("item/") || text.starts_with("form/") {
            return None;
        }
        let item = self.item(text).map(|item| format!("item/{item}"));
        item.or_else(|| Some(format!("form/{}", self.form(text)?)))
            .or_else(|| self.in_expression("when", text))
    }

    /// The state that `name` names, which must stand in the same definition.
    pub(super) fn state(&self, name: &str) -> Option<String> {
        self.definition.has("state", name).then(|| self.absolute(name))
    }

    /// The state or final at which the deal arrives when it goes to `name`.
    pub(super) fn target(&self, name: &str) -> Option<String> {
        if self.definition.has("state", name) || self.definition.has("final", name) {
            return Some(self.absolute(name));
        }
        match self.block(self.definition, name) {
            Some(block) => Some(format!("{}{name}.{}", self.prefix, self.start(block, 0)?)),
            None => self.outer?.target(name),
        }
    }

    /// The text under `key` with the moves that it counts named absolutely, where that is an expression.
    pub(super) fn in_expression(&self, key: &str, text: &str) -> Option<String> {
        if !EXPRESSIONS.contains(&key) {
            return Some(text.to_owned());
        }
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            if c == '\'' || c == '"' {
                let end = rest.get(1..)?.find(c).map_or(rest.len(), |end| end + 2);
                let (literal, after) = rest.split_at(end);
                result.push_str(literal);
                rest = after;
                before = c;
            } else if rest.starts_with("n.") && !(before.is_alphanumeric() || "_.".contains(before)) {
                let path = rest.get(2..)?;
                let end = path
                    .find(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c)))
                    .unwrap_or(path.len());
                let (path, after) = path.split_at(end);
                result.push_str("n.");
                result.push_str(&self.entry("move", path)?);
                rest = after;
                before = 'n';
            } else {
                result.push(c);
                rest = rest.get(c.len_utf8()..)?;
                before = c;
            }
        }
        Some(result)
    }

    /// What `path` names in the table `key`, here or further out.
    fn entry(&self, key: &str, path: &str) -> Option<String> {
        let found = match path.split_once('.') {
            None => self.definition.has(key, path),
            Some((first, rest)) => {
                self.block(self.definition, first).is_some_and(|block| self.within(block, key, rest, 0))
            }
        };
        if found { Some(self.absolute(path)) } else { self.outer?.entry(key, path) }
    }

    /// Whether `path` names something in the table `key` of `block` or of a block used in it.
    fn within(&self, block: &Definition, key: &str, path: &str, depth: usize) -> bool {
        if depth > DEPTH {
            return false;
        }
        match path.split_once('.') {
            None => block.has(key, path),
            Some((first, rest)) => {
                self.block(block, first).is_some_and(|block| self.within(block, key, rest, depth + 1))
            }
        }
    }

    /// The path of the state at which `block` begins.
    fn start(&self, block: &Definition, depth: usize) -> Option<String> {
        let Head::Block(head) = &block.head else { return None };
        if block.has("state", &head.start) {
            return Some(head.start.clone());
        }
        let inner = self.block(block, &head.start).filter(|_| depth < DEPTH)?;
        Some(format!("{}.{}", head.start, self.start(inner, depth + 1)?))
    }

    /// The block that `definition` uses as `name`.
    fn block(&self, definition: &Definition, name: &str) -> Option<&'a Definition> {
        if !is_name(name) {
            return None;
        }
        let (_, one) = definition.entries("use").find(|(one, _)| *one == name)?;
        find(self.blocks, one.get("block")?.as_str()?).ok()
    }
}
