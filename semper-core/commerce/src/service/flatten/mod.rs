//! Blocks put where they are used.
//!
//! A block used as `buy` puts its states, moves and items under `buy.`; `$p` becomes what the use gives for the
//! parameter `p`, and `@e` the place to which the use leads the exit `e`; to enter `buy` is to enter the start
//! of the block. Names resolve inside a block first, then outside. Names that a use gives are resolved where
//! the use stands, so that a block cannot capture them.

mod names;
mod typed;

use std::collections::BTreeMap;

use semper_supporting::crypto::digest::Digest;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use self::names::Names;
use super::{
    definition::{self, Block, Definition, Head, Use, major},
    fault::TermsFault,
    statechart::{self, Party, Statechart},
};

/// How deeply blocks may be nested.
const DEPTH: usize = 4;
/// The most uses of blocks in all, far above what 64 states allow of blocks that hold any.
const USES: usize = 64;

/// Puts the blocks that `service` uses in their places. `blocks` may hold others as well.
///
/// # Errors
/// [`TermsFault::Flatten`] for a block that is missing, uses itself, or is not given exactly its parameters and
/// exits; [`TermsFault::Reference`] for a name that means nothing; [`TermsFault::Form`] for what is not as the
/// format says; [`TermsFault::Size`] above the limits of [`statechart`].
pub fn flatten(service: &Definition, blocks: &[Definition]) -> Result<Statechart, TermsFault> {
    let Head::Service(head) = &service.head else {
        return Err(TermsFault::flatten(service.id(), "it is a block, not a service"));
    };
    let wrong = |place: &str, reason: String| TermsFault::Form {
        file: service.file.clone(),
        reason: format!("{place}: {reason}"),
    };
    let parties: BTreeMap<String, Party> = table(service, "party")?;
    definition::check_sides(parties.values().map(|party| &party.side)).map_err(|e| wrong("party", e))?;
    let mut forms = BTreeMap::new();
    for (name, value) in service.entries("form") {
        let form = typed::form(value.clone()).map_err(|e| wrong(&format!("form.{name}"), e))?;
        limit("fields in a form", form.fields.len(), statechart::FIELDS)?;
        forms.insert(name.to_owned(), form);
    }
    limit("forms", forms.len(), statechart::FORMS)?;
    let lock: BTreeMap<String, Digest> = table(service, "lock")?;
    let mut chart = Statechart {
        service: (**head).clone(),
        context: section(service, "context")?.ok_or_else(|| wrong("context", "it is missing".to_owned()))?,
        need: section(service, "need")?.unwrap_or_default(),
        dispute: section(service, "dispute")?.unwrap_or_default(),
        finals: table(service, "final")?,
        parties,
        forms,
        items: BTreeMap::new(),
        states: BTreeMap::new(),
        moves: BTreeMap::new(),
        start: String::new(),
        blocks: BTreeMap::new(),
        uses: BTreeMap::new(),
        lock,
    };
    limit("finals", chart.finals.len(), statechart::STATES)?;
    let mut work = Work { chart: &mut chart, blocks, uses: 0 };
    let names = Names::of(service, blocks);
    work.place(&names, &BTreeMap::new(), &BTreeMap::new(), 0)?;
    chart.start =
        names.target(&head.start).ok_or_else(|| TermsFault::reference("service.start", &head.start))?;
    if chart.states.is_empty() || !chart.states.contains_key(&chart.start) {
        return Err(TermsFault::reference("service.start", &head.start));
    }
    Ok(chart)
}

/// What is being built.
struct Work<'a> {
    chart: &'a mut Statechart,
    blocks: &'a [Definition],
    uses: usize,
}

impl Work<'_> {
    /// Puts one definition where `names` says.
    fn place(
        &mut self,
        names: &Names<'_>,
        given: &BTreeMap<String, Value>,
        exits: &BTreeMap<String, String>,
        depth: usize,
    ) -> Result<(), TermsFault> {
        let definition = names.definition();
        for (name, value) in definition.entries("use") {
            if let Some(block) = value.get("block").and_then(Value::as_str) {
                find(self.blocks, block).map_err(|e| TermsFault::flatten(&names.absolute(name), e))?;
            }
        }
        for (name, value) in definition.entries("item") {
            let place = names.absolute(name);
            let value = self.settled(names, &place, value, given, |key, text| match key {
                "over" => names.over(text, name),
                "for" => names.item(text),
                "carries" => names.form(text),
                _ => names.in_expression(key, text),
            })?;
            let item = typed::item(value).map_err(|e| form_fault(definition, &place, e))?;
            self.chart.items.insert(place, item);
            limit("items", self.chart.items.len(), statechart::ITEMS)?;
        }
        let target = |text: &str| match text.strip_prefix('@') {
            Some(exit) => exits.get(exit).cloned(),
            None => names.target(text),
        };
        for (name, value) in definition.entries("state") {
            let place = names.absolute(name);
            let value = self.settled(names, &place, value, given, |key, text| match key {
                "late" => target(text),
                _ => names.in_expression(key, text),
            })?;
            let state = typed::state(value).map_err(|e| form_fault(definition, &place, e))?;
            self.chart.states.insert(place, state);
            limit("states", self.chart.states.len() + self.chart.finals.len(), statechart::STATES)?;
        }
        for (name, value) in definition.entries("move") {
            let place = names.absolute(name);
            let value = self.settled(names, &place, value, given, |key, text| match key {
                "from" => names.state(text),
                "to" | "fail" => target(text),
                "gives" => names.item(text),
                _ => names.in_expression(key, text),
            })?;
            let one = typed::one_move(value).map_err(|e| form_fault(definition, &place, e))?;
            self.chart.moves.insert(place, one);
            limit("moves", self.chart.moves.len(), statechart::MOVES)?;
        }
        for (name, value) in definition.entries("use") {
            self.uses += 1;
            limit("uses of blocks", self.uses, USES)?;
            let place = names.absolute(name);
            if depth == DEPTH {
                return Err(TermsFault::flatten(&place, format!("blocks are nested deeper than {DEPTH}")));
            }
            let value = self.settled(names, &place, value, given, |key, text| match key {
                "with" => names.given(text),
                "exits" => target(text),
                _ => Some(text.to_owned()),
            })?;
            let one: Use = definition::read(value).map_err(|e| form_fault(definition, &place, e))?;
            self.instance(names, name, &place, one, depth)?;
        }
        Ok(())
    }

    /// Puts one block in its place.
    fn instance(
        &mut self,
        names: &Names<'_>,
        name: &str,
        place: &str,
        one: Use,
        depth: usize,
    ) -> Result<(), TermsFault> {
        let block = find(self.blocks, &one.block).map_err(|reason| TermsFault::flatten(place, reason))?;
        let Head::Block(head) = &block.head else {
            return Err(TermsFault::flatten(place, "a service cannot be used as a block"));
        };
        fits(head, &one).map_err(|reason| TermsFault::flatten(place, reason))?;
        let known = format!("{}@{}", head.id, head.version);
        self.chart.uses.insert(place.to_owned(), known.clone());
        self.chart.blocks.insert(known, block.sha256);
        let inside = names.inside(name, block);
        let given = one.with.into_iter().collect();
        self.place(&inside, &given, &one.exits, depth + 1)
    }

    /// `value` with its names made absolute and its parameters filled in.
    fn settled(
        &self,
        names: &Names<'_>,
        place: &str,
        value: &Value,
        given: &BTreeMap<String, Value>,
        resolve: impl Fn(&str, &str) -> Option<String>,
    ) -> Result<Value, TermsFault> {
        let Some(table) = value.as_table() else {
            return Err(form_fault(names.definition(), place, "it is not a table".to_owned()));
        };
        let mut settled = Table::new();
        for (key, value) in table {
            let value = settle(place, key, value, given, &resolve)?;
            settled.insert(key.clone(), value);
        }
        Ok(Value::Table(settled))
    }
}

/// One value under `key`: what it gives is filled in or resolved, at any depth.
fn settle(
    place: &str,
    key: &str,
    value: &Value,
    given: &BTreeMap<String, Value>,
    resolve: &impl Fn(&str, &str) -> Option<String>,
) -> Result<Value, TermsFault> {
    Ok(match value {
        Value::String(text) => match text.strip_prefix('$') {
            Some(parameter) => {
                let value = given.get(parameter).cloned().ok_or_else(|| {
                    TermsFault::flatten(place, format!("{key}: there is no parameter {parameter:?}"))
                })?;
                filled(key, value).map_err(|reason| TermsFault::flatten(place, format!("{key}: {reason}")))?
            }
            None => Value::String(
                resolve(key, text).ok_or_else(|| TermsFault::reference(&format!("{place}.{key}"), text))?,
            ),
        },
        Value::Array(all) => Value::Array(
            all.iter().map(|one| settle(place, key, one, given, resolve)).collect::<Result<_, _>>()?,
        ),
        // What stands deeper belongs to the same key: `gives = { buyer = … }`, `credential = { until = … }`.
        Value::Table(all) => {
            let mut table = Table::new();
            for (inner, one) in all {
                let key = if key == "credential" { inner } else { key };
                table.insert(inner.clone(), settle(place, key, one, given, resolve)?);
            }
            Value::Table(table)
        }
        other => other.clone(),
    })
}

/// What a parameter gives under `key`, where names of items and forms are marked as such.
fn filled(key: &str, value: Value) -> Result<Value, String> {
    let Value::String(text) = &value else { return Ok(value) };
    let (kind, name) = match text.split_once('/') {
        Some((kind @ ("item" | "form"), name)) => (kind, name),
        _ => return Ok(value),
    };
    match (key, kind) {
        ("over" | "with", _) => Ok(value),
        ("for" | "gives", "item") | ("carries", "form") => Ok(Value::String(name.to_owned())),
        _ => Err(format!("the {kind} {name} does not fit here")),
    }
}

/// The block that `reference` (`std/pay@1`) names.
fn find<'a>(blocks: &'a [Definition], reference: &str) -> Result<&'a Definition, String> {
    let (id, wanted) = reference
        .split_once('@')
        .and_then(|(id, version)| Some((id, version.parse::<u32>().ok()?)))
        .ok_or_else(|| format!("{reference:?} does not name a block and its major version"))?;
    let mut found =
        blocks.iter().filter(|one| one.is_block() && one.id() == id && major(one.version()) == Some(wanted));
    match (found.next(), found.next()) {
        (Some(block), None) => Ok(block),
        (None, _) => Err(format!("there is no block {reference}")),
        (Some(_), Some(_)) => Err(format!("there are two blocks {reference}")),
    }
}

/// Whether a use gives exactly the parameters and exits of the block.
fn fits(block: &Block, one: &Use) -> Result<(), String> {
    for parameter in &block.params {
        match one.with.get(parameter) {
            None => return Err(format!("the parameter {parameter} is missing")),
            Some(Value::String(_) | Value::Integer(_)) => {}
            Some(_) => return Err(format!("the parameter {parameter} is neither text nor a number")),
        }
    }
    if let Some(surplus) = one.with.keys().find(|key| !block.params.contains(key)) {
        return Err(format!("there is no parameter {surplus}"));
    }
    if let Some(missing) = block.exits.iter().find(|exit| !one.exits.contains_key(*exit)) {
        return Err(format!("the exit {missing} leads nowhere"));
    }
    match one.exits.keys().find(|key| !block.exits.contains(key)) {
        Some(surplus) => Err(format!("there is no exit {surplus}")),
        None => Ok(()),
    }
}

fn table<T: DeserializeOwned>(service: &Definition, key: &str) -> Result<BTreeMap<String, T>, TermsFault> {
    let mut all = BTreeMap::new();
    for (name, value) in service.entries(key) {
        let one =
            definition::read(value.clone()).map_err(|e| form_fault(service, &format!("{key}.{name}"), e))?;
        all.insert(name.to_owned(), one);
    }
    Ok(all)
}

fn section<T: DeserializeOwned>(service: &Definition, key: &str) -> Result<Option<T>, TermsFault> {
    service
        .tables
        .get(key)
        .map(|value| definition::read(value.clone()).map_err(|e| form_fault(service, key, e)))
        .transpose()
}

fn limit(what: &'static str, found: usize, most: usize) -> Result<(), TermsFault> {
    if found > most { Err(TermsFault::Size { what, found, most }) } else { Ok(()) }
}

fn form_fault(definition: &Definition, place: &str, reason: String) -> TermsFault {
    TermsFault::Form { file: definition.file().to_owned(), reason: format!("{place}: {reason}") }
}
