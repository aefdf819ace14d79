//! The texts of one language as data: what is asked of them, and the Rust code made from them.
//!
//! Shared by the build script, which refuses to build over a fault, and by the test of those refusals.
//!
//! A message takes the variables it names. Each is text, unless a comment above the message says
//! `# $name: count`, which makes it a small whole number that plurals may select on. Functions, terms
//! and references to other messages are refused: every text is written out in full, so that a
//! translator sees what a user will see.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use fluent_syntax::ast::{Comment, Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;

/// The languages that have a table of figures, and so may have texts.
const LOCALES: [(&str, &str); 5] = [("de", "De"), ("el", "El"), ("en", "En"), ("fr", "Fr"), ("nl", "Nl")];

/// What a variable may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A whole number that plurals may select on.
    Count,
    /// Text, already formatted.
    Text,
}

/// One text: a message, or an attribute of one (`id.attribute`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Text {
    /// Its variables, by name.
    pub(crate) variables: BTreeMap<String, Kind>,
    /// Variables used as selectors.
    pub(crate) selectors: BTreeSet<String>,
    /// The text as written, on one line.
    pub(crate) sample: String,
}

/// All texts of one language, by key.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Catalogue {
    /// The texts by `id` or `id.attribute`.
    pub(crate) texts: BTreeMap<String, Text>,
}

/// One language folder.
#[derive(Clone, Debug)]
pub(crate) struct Language {
    /// Its code, which is the name of its folder.
    pub(crate) code: String,
    /// Its files, as absolute paths.
    pub(crate) files: Vec<String>,
    /// What they say.
    pub(crate) catalogue: Catalogue,
}

impl Catalogue {
    /// Reads files given as (name, content); lists everything that is wrong with them.
    pub(crate) fn read(sources: &[(String, String)]) -> Result<Self, Vec<String>> {
        let mut catalogue = Self::default();
        let mut faults = Vec::new();
        for (name, content) in sources {
            let resource = match parser::parse(content.as_str()) {
                Ok(resource) => resource,
                Err((_, errors)) => {
                    faults.extend(errors.iter().map(|error| format!("{name}: {error}")));
                    continue;
                }
            };
            for entry in resource.body {
                match entry {
                    Entry::Message(message) => {
                        let kinds = declared(message.comment.as_ref(), name, &mut faults);
                        let mut used = BTreeSet::new();
                        if let Some(pattern) = &message.value {
                            let key = message.id.name.to_owned();
                            catalogue.add(name, key, pattern, &kinds, &mut used, &mut faults);
                        }
                        for attribute in &message.attributes {
                            let key = format!("{}.{}", message.id.name, attribute.id.name);
                            catalogue.add(name, key, &attribute.value, &kinds, &mut used, &mut faults);
                        }
                        for variable in kinds.keys().filter(|variable| !used.contains(*variable)) {
                            faults.push(format!(
                                "{name}: {}: ${variable} is declared, not used",
                                message.id.name
                            ));
                        }
                    }
                    Entry::Term(term) => {
                        faults.push(format!("{name}: -{}: terms are not used here", term.id.name));
                    }
                    Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => {}
                    Entry::Junk { content } => faults.push(format!("{name}: not understood: {content}")),
                }
            }
        }
        if faults.is_empty() { Ok(catalogue) } else { Err(faults) }
    }

    fn add(
        &mut self,
        name: &str,
        key: String,
        pattern: &Pattern<&str>,
        kinds: &BTreeMap<String, Kind>,
        used: &mut BTreeSet<String>,
        faults: &mut Vec<String>,
    ) {
        let mut walk = Walk::default();
        walk.pattern(pattern);
        faults.extend(walk.refused.iter().map(|refused| format!("{name}: {key}: {refused}")));
        used.extend(walk.variables.iter().cloned());
        let variables = walk
            .variables
            .into_iter()
            .map(|variable| {
                let kind = kinds.get(&variable).copied().unwrap_or(Kind::Text);
                (variable, kind)
            })
            .collect();
        let text = Text { variables, selectors: walk.selectors, sample: walk.sample.trim().to_owned() };
        if self.texts.insert(key.clone(), text).is_some() {
            faults.push(format!("{name}: {key} is there twice"));
        }
    }
}

/// Lists what `language` has too much or too little, measured by the master.
pub(crate) fn compare(master: &Catalogue, other: &Catalogue, language: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (key, text) in &master.texts {
        let Some(theirs) = other.texts.get(key) else {
            faults.push(format!("{language}: {key} is missing"));
            continue;
        };
        for variable in text.variables.keys().filter(|variable| !theirs.variables.contains_key(*variable)) {
            faults.push(format!("{language}: {key} lacks ${variable}"));
        }
        for variable in theirs.variables.keys().filter(|variable| !text.variables.contains_key(*variable)) {
            faults.push(format!("{language}: {key} has ${variable}, which nobody gives it"));
        }
        for variable in &theirs.selectors {
            if text.variables.get(variable) == Some(&Kind::Text) {
                faults.push(format!("{language}: {key} selects on ${variable}, which is text"));
            }
        }
    }
    for key in other.texts.keys().filter(|key| !master.texts.contains_key(*key)) {
        faults.push(format!("{language}: {key} is not in the master"));
    }
    faults
}

/// Writes the Rust code: `enum Msg`, its keys and arguments, and the embedded files by language.
pub(crate) fn generate(master: &Catalogue, languages: &[Language]) -> Result<String, Vec<String>> {
    let mut faults = Vec::new();
    let mut names = BTreeMap::new();
    for (key, text) in &master.texts {
        if let Some(other) = names.insert(variant(key), key) {
            faults.push(format!("{other} and {key} have one name in Rust"));
        }
        faults.extend(
            text.variables.keys().filter(|name| !is_field(name)).map(|name| {
                format!("{key}: ${name} is no name for a field: use a to z, and no word of Rust")
            }),
        );
    }
    for language in languages {
        if LOCALES.iter().all(|(code, _)| *code != language.code) {
            faults.push(format!("{}: there is no table of figures for this language", language.code));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut code = String::new();
    write_code(&mut code, master, languages).map_err(|error| vec![error.to_string()])?;
    Ok(code)
}

fn write_code(code: &mut String, master: &Catalogue, languages: &[Language]) -> std::fmt::Result {
    writeln!(code, "/// Every text the window shows, with its arguments.")?;
    writeln!(code, "#[derive(Clone, Copy, Debug, Eq, PartialEq)]\npub enum Msg<'a> {{")?;
    for (key, text) in &master.texts {
        writeln!(code, "    /// `{}`", text.sample.replace('`', "'"))?;
        write!(code, "    {}", variant(key))?;
        if !text.variables.is_empty() {
            writeln!(code, " {{")?;
            for (name, kind) in &text.variables {
                let kind = match kind {
                    Kind::Count => "u32",
                    Kind::Text => "&'a str",
                };
                writeln!(code, "        /// Stands for `{{ ${name} }}`.\n        {name}: {kind},")?;
            }
            write!(code, "    }}")?;
        }
        writeln!(code, ",")?;
    }
    writeln!(code, "}}\n\nimpl<'a> Msg<'a> {{")?;
    writeln!(code, "    /// Names the message and, where it is one, the attribute.")?;
    writeln!(
        code,
        "    pub const fn key(&self) -> (&'static str, Option<&'static str>) {{\n        match self {{"
    )?;
    for (key, text) in &master.texts {
        let fields = if text.variables.is_empty() { "" } else { " { .. }" };
        let key_code = match key.split_once('.') {
            Some((id, attribute)) => format!("({id:?}, Some({attribute:?}))"),
            None => format!("({key:?}, None)"),
        };
        writeln!(code, "            Self::{}{fields} => {key_code},", variant(key))?;
    }
    writeln!(code, "        }}\n    }}\n")?;
    writeln!(
        code,
        "    fn arguments(&self) -> FluentArgs<'a> {{\n        let mut arguments = FluentArgs::new();"
    )?;
    writeln!(code, "        match *self {{")?;
    for (key, text) in &master.texts {
        if text.variables.is_empty() {
            writeln!(code, "            Self::{} => {{}}", variant(key))?;
            continue;
        }
        let fields = text.variables.keys().cloned().collect::<Vec<_>>().join(", ");
        writeln!(code, "            Self::{} {{ {fields} }} => {{", variant(key))?;
        for name in text.variables.keys() {
            writeln!(code, "                arguments.set({name:?}, {name});")?;
        }
        writeln!(code, "            }}")?;
    }
    writeln!(code, "        }}\n        arguments\n    }}\n}}\n")?;
    writeln!(code, "/// The embedded Fluent files of a language, if it has any.")?;
    writeln!(
        code,
        "const fn sources(locale: Locale) -> Option<&'static [&'static str]> {{\n    match locale {{"
    )?;
    for (folder, name) in LOCALES {
        match languages.iter().find(|language| language.code == folder) {
            Some(language) => {
                let files = language.files.iter().map(|file| format!("include_str!({file:?})"));
                writeln!(
                    code,
                    "        Locale::{name} => Some(&[{}]),",
                    files.collect::<Vec<_>>().join(", ")
                )?;
            }
            None => writeln!(code, "        Locale::{name} => None,")?,
        }
    }
    writeln!(code, "    }}\n}}")
}

/// `s07-wrong` and `deal-clock.advice` as `S07Wrong` and `DealClockAdvice`.
fn variant(key: &str) -> String {
    key.split(['-', '.', '_'])
        .filter_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
        })
        .collect()
}

fn is_field(name: &str) -> bool {
    const WORDS: [&str; 12] =
        ["as", "box", "fn", "for", "if", "in", "let", "loop", "match", "move", "ref", "type"];
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && !WORDS.contains(&name)
}

/// Reads `$name: count` and `$name: text` from the comment above a message.
fn declared(comment: Option<&Comment<&str>>, name: &str, faults: &mut Vec<String>) -> BTreeMap<String, Kind> {
    let mut kinds = BTreeMap::new();
    for line in comment.iter().flat_map(|comment| &comment.content) {
        let Some((variable, kind)) = line.trim().strip_prefix('$').and_then(|rest| rest.split_once(':'))
        else {
            continue;
        };
        match kind.trim() {
            "count" => {
                kinds.insert(variable.trim().to_owned(), Kind::Count);
            }
            "text" => {
                kinds.insert(variable.trim().to_owned(), Kind::Text);
            }
            other => faults.push(format!("{name}: ${variable}: neither count nor text: {other}")),
        }
    }
    kinds
}

/// Collects what a pattern uses.
#[derive(Default)]
struct Walk {
    variables: BTreeSet<String>,
    selectors: BTreeSet<String>,
    refused: Vec<String>,
    sample: String,
}

impl Walk {
    fn pattern(&mut self, pattern: &Pattern<&str>) {
        for element in &pattern.elements {
            match element {
                PatternElement::TextElement { value } => self.sample.push_str(&value.replace('\n', " ")),
                PatternElement::Placeable { expression } => self.expression(expression),
            }
        }
    }

    fn expression(&mut self, expression: &Expression<&str>) {
        match expression {
            Expression::Inline(inline) => self.inline(inline),
            Expression::Select { selector, variants } => {
                match selector {
                    InlineExpression::VariableReference { id } => {
                        self.variables.insert(id.name.to_owned());
                        self.selectors.insert(id.name.to_owned());
                    }
                    _ => self.refused.push("only a variable can be selected on".to_owned()),
                }
                for variant in variants {
                    let length = self.sample.len();
                    self.pattern(&variant.value);
                    if !variant.default {
                        self.sample.truncate(length);
                    }
                }
            }
        }
    }

    fn inline(&mut self, inline: &InlineExpression<&str>) {
        match inline {
            InlineExpression::StringLiteral { value } | InlineExpression::NumberLiteral { value } => {
                self.sample.push_str(value);
            }
            InlineExpression::VariableReference { id } => {
                self.variables.insert(id.name.to_owned());
                self.sample.push_str(&format!("{{ ${} }}", id.name));
            }
            InlineExpression::Placeable { expression } => self.expression(expression),
            InlineExpression::FunctionReference { id, .. } => {
                self.refused
                    .push(format!("function {}: figures are formatted before they get here", id.name));
            }
            InlineExpression::MessageReference { id, .. } | InlineExpression::TermReference { id, .. } => {
                self.refused.push(format!("refers to {}: texts are written out in full", id.name));
            }
        }
    }
}
