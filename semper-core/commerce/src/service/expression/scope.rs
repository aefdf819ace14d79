//! What expressions can name: fields, computed values, moves. And where they stand.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    check,
    evaluate::Values,
    fault::ExpressionFault,
    kind::{Kind, Value},
    syntax::{self, Node, Reference},
};
use crate::service::statechart::{Content, Item, Statechart, Until};

/// Where an expression stands.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// A computed value of a form: `form.<form>.calc.<name>`.
    Calc {
        /// The form.
        form: String,
        /// The computed value.
        calc: String,
    },
    /// A rule of a form: `form.<form>.check.<name>`.
    Check {
        /// The form.
        form: String,
        /// The rule.
        check: String,
    },
    /// How much money moves: `item.<item>.amount`.
    Amount(String),
    /// How often a credential can be used: `item.<item>.credential.count`.
    Count(String),
    /// Until when a credential holds: `item.<item>.credential.until`.
    CredentialUntil(String),
    /// What information is: `item.<item>.matches`.
    Matches(String),
    /// Until when a signature holds: `item.<item>.until`.
    SignatureUntil(String),
    /// Until when a deal stands in a state: `state.<state>.until`.
    StateUntil(String),
    /// When a move is allowed: `move.<move>.when`.
    When(String),
    /// What is opened next: `final.<final>.opens`.
    Opens(String),
}

/// A form, and one of its fields or computed values.
type Name = (String, String);

/// The computed values that have not been put in order.
type Waiting = BTreeMap<Name, (Place, Node)>;

/// What the expressions of a service can name, with its computed values in an order in which each comes after
/// those it needs.
#[derive(Clone, Debug)]
pub struct Scope {
    fields: BTreeMap<(String, String), Option<Kind>>,
    moves: BTreeSet<String>,
    kinds: BTreeMap<(String, String), Kind>,
    calcs: Vec<((String, String), Node)>,
}

impl Scope {
    /// The scope of `chart`.
    ///
    /// # Errors
    /// All faults of its computed values: what they use, what kind they have, and which go round in a circle.
    pub fn of(chart: &Statechart) -> Result<Self, Vec<ExpressionFault>> {
        let fields = chart.forms.iter().flat_map(|(name, form)| {
            form.fields.iter().map(|(field, one)| ((name.clone(), field.clone()), Kind::of(&one.kind)))
        });
        let mut scope = Self {
            fields: fields.collect(),
            moves: chart.moves.keys().cloned().collect(),
            kinds: BTreeMap::new(),
            calcs: Vec::new(),
        };
        let mut faults = Vec::new();
        let mut waiting = BTreeMap::new();
        for (name, form) in &chart.forms {
            for (calc, text) in &form.calc {
                let place = Place::Calc { form: name.clone(), calc: calc.clone() };
                match syntax::read(&place.to_string(), text) {
                    Ok(node) => {
                        waiting.insert((name.clone(), calc.clone()), (place, node));
                    }
                    Err(fault) => faults.push(fault),
                }
            }
        }
        if faults.is_empty() {
            scope.order(waiting, &mut faults);
        }
        if faults.is_empty() { Ok(scope) } else { Err(faults) }
    }

    /// Takes what needs nothing that still waits, until nothing more can be taken (Kahn, 1962).
    fn order(&mut self, mut waiting: Waiting, faults: &mut Vec<ExpressionFault>) {
        let mut users: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
        let mut missing: BTreeMap<Name, usize> = BTreeMap::new();
        for (name, (_, node)) in &waiting {
            let needs = needs(node);
            missing.insert(name.clone(), needs.len());
            needs.into_iter().for_each(|need| users.entry(need).or_default().push(name.clone()));
        }
        let mut ready: Vec<Name> =
            missing.iter().filter(|(_, left)| **left == 0).map(|(name, _)| name.clone()).collect();
        while let Some(name) = ready.pop() {
            let Some((place, node)) = waiting.remove(&name) else { continue };
            match check_at(&place, &node, self) {
                Ok(kind) => {
                    self.kinds.insert(name.clone(), kind);
                }
                Err(fault) => return faults.push(fault),
            }
            for user in users.remove(&name).unwrap_or_default() {
                if let Some(left) = missing.get_mut(&user) {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        ready.push(user);
                    }
                }
            }
            self.calcs.push((name, node));
        }
        faults.extend(waiting.values().map(|(place, node)| self.stuck(place, node, &waiting)));
    }

    /// Why the computed value at `place` cannot be computed.
    fn stuck(&self, place: &Place, node: &Node, waiting: &Waiting) -> ExpressionFault {
        let unknown = needs(node)
            .into_iter()
            .find(|name| !waiting.contains_key(name) && !self.kinds.contains_key(name));
        let reason = match unknown {
            Some((form, calc)) => format!("{} names nothing", Reference::Calc { form, calc }),
            None => "it needs a value that cannot be computed before it".to_owned(),
        };
        ExpressionFault::Type { place: place.to_string(), reason }
    }

    pub(super) fn field(&self, form: &str, field: &str) -> Option<Option<Kind>> {
        self.fields.get(&(form.to_owned(), field.to_owned())).copied()
    }

    pub(super) fn calc(&self, form: &str, calc: &str) -> Option<Kind> {
        self.kinds.get(&(form.to_owned(), calc.to_owned())).copied()
    }

    pub(super) fn has_move(&self, name: &str) -> bool {
        self.moves.contains(name)
    }

    /// The kinds of the computed values, by form and name.
    pub fn calcs(&self) -> &BTreeMap<(String, String), Kind> {
        &self.kinds
    }

    /// Computes all computed values from what was filled in, and sets them in `values`; what has no value yet
    /// is `None`.
    pub fn compute(&self, values: &mut Values) {
        values.calcs.clear();
        for (name, node) in &self.calcs {
            let value: Option<Value> = values.value(node).ok();
            values.calcs.insert(name.clone(), value);
        }
    }
}

/// The computed values that `node` needs.
fn needs(node: &Node) -> BTreeSet<(String, String)> {
    let mut needs = BTreeSet::new();
    node.names(&mut |reference| {
        if let Reference::Calc { form, calc } = reference {
            needs.insert((form, calc));
        }
    });
    needs
}

/// The kind of `node`, which must be one that `place` takes and name only what can be named there.
pub(super) fn check_at(place: &Place, node: &Node, scope: &Scope) -> Result<Kind, ExpressionFault> {
    let name = place.to_string();
    let wrong = |reason| ExpressionFault::Type { place: name.clone(), reason };
    let kind = check::kind(&name, node, scope)?;
    if !place.takes().contains(&kind) {
        let takes: Vec<String> = place.takes().iter().map(Kind::to_string).collect();
        return Err(wrong(format!("{} is needed here, and this is {kind}", takes.join(" or "))));
    }
    let mut unseen = None;
    node.names(&mut |reference| {
        if matches!(reference, Reference::Now | Reference::Count(_)) && !matches!(place, Place::When(_)) {
            unseen = Some(reference);
        }
    });
    match unseen {
        Some(reference) => Err(wrong(format!("{reference} can be named only where a move says when"))),
        None => Ok(kind),
    }
}

impl Place {
    /// The kinds of values that belong there.
    pub fn takes(&self) -> &'static [Kind] {
        match self {
            Self::Calc { .. } => &[Kind::Money, Kind::Int, Kind::Time],
            Self::Check { .. } | Self::When(_) => &[Kind::Bool],
            Self::Amount(_) => &[Kind::Money],
            Self::Count(_) => &[Kind::Int],
            Self::CredentialUntil(_) | Self::SignatureUntil(_) | Self::StateUntil(_) => &[Kind::Time],
            Self::Matches(_) => &[Kind::Descriptor, Kind::Text, Kind::Int],
            Self::Opens(_) => &[Kind::Party, Kind::Text],
        }
    }

    /// Every expression of `chart` with its place.
    pub fn all(chart: &Statechart) -> Vec<(Self, &str)> {
        let mut all = Vec::new();
        for (name, form) in &chart.forms {
            let form_name = || name.clone();
            all.extend(
                form.calc.iter().map(|(calc, text)| {
                    (Self::Calc { form: form_name(), calc: calc.clone() }, text.as_str())
                }),
            );
            all.extend(form.check.iter().map(|(check, one)| {
                (Self::Check { form: form_name(), check: check.clone() }, one.rule.as_str())
            }));
        }
        for (name, item) in &chart.items {
            all.extend(of_item(name, item));
        }
        all.extend(
            chart
                .states
                .iter()
                .filter_map(|(name, state)| Some((Self::StateUntil(name.clone()), state.until.as_deref()?))),
        );
        all.extend(
            chart
                .moves
                .iter()
                .filter_map(|(name, one)| Some((Self::When(name.clone()), one.when.as_deref()?))),
        );
        all.extend(
            chart
                .finals
                .iter()
                .filter_map(|(name, end)| Some((Self::Opens(name.clone()), end.opens.as_deref()?))),
        );
        all
    }
}

fn of_item<'a>(name: &str, item: &'a Item) -> Vec<(Place, &'a str)> {
    let mut all = Vec::new();
    match item {
        Item::Information { content: Content::Matches(text), .. } => {
            all.push((Place::Matches(name.to_owned()), text.as_str()));
        }
        Item::Information { content: Content::Carries(_), .. } => {}
        Item::Money { amount, .. } => all.push((Place::Amount(name.to_owned()), amount.as_str())),
        Item::Signature { until, credential, .. } => {
            if let Some(Until::At(text)) = until {
                all.push((Place::SignatureUntil(name.to_owned()), text.as_str()));
            }
            let credential = credential.as_ref();
            if let Some(text) = credential.and_then(|one| one.count.as_deref()) {
                all.push((Place::Count(name.to_owned()), text));
            }
            if let Some(Until::At(text)) = credential.and_then(|one| one.until.as_ref()) {
                all.push((Place::CredentialUntil(name.to_owned()), text.as_str()));
            }
        }
    }
    all
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calc { form, calc } => write!(f, "form.{form}.calc.{calc}"),
            Self::Check { form, check } => write!(f, "form.{form}.check.{check}"),
            Self::Amount(item) => write!(f, "item.{item}.amount"),
            Self::Count(item) => write!(f, "item.{item}.credential.count"),
            Self::CredentialUntil(item) => write!(f, "item.{item}.credential.until"),
            Self::Matches(item) => write!(f, "item.{item}.matches"),
            Self::SignatureUntil(item) => write!(f, "item.{item}.until"),
            Self::StateUntil(state) => write!(f, "state.{state}.until"),
            Self::When(name) => write!(f, "move.{name}.when"),
            Self::Opens(end) => write!(f, "final.{end}.opens"),
        }
    }
}
