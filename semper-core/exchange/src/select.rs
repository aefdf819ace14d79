//! Which protocol, who is originator, which third party: a pure function of PROPOSE and ANSWER, the same on
//! both sides, so that neither has a choice that the other could not foresee.
//!
//! ```text
//! 1  the highest common version
//! 2  every protocol in both lists, in both castings, whose row of the table fits what is offered and
//!    accepted, at a level neither side refuses
//! 3  every third party in both lists whose capabilities cover the leaves
//! 4  the best of them: level, optimistic first, both sides' ranks, messages, name, the initiator as originator
//! ```
//!
//! A row says what a protocol needs of the two packages. A network attacker cannot change what is signed, and
//! a lying peer can only offer less.

use std::collections::{BTreeMap, BTreeSet};

use semper_supporting::{
    crypto::digest::Digest,
    money::{Currency, Money},
    time::{Moment, Span},
};
use semper_transfer::{
    expectation::{Expectation, satisfies},
    package::{LeafPath, Package},
    property::{Capabilities, Class, GenGrade, Props, Reliance, admissible},
};
use serde::{Deserialize, Serialize};

use crate::{
    deadlines::LEAST_MARGIN,
    message::{
        negotiation::{Answer, Propose, View, Ways, Willing},
        offer::Sides,
    },
};

/// How fair an exchange is, weakest first.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Level {
    /// S0: two transfers, and trust. Only by explicit consent for this exchange.
    #[serde(rename = "s0")]
    None,
    /// S1: fair, or the loser holds proof.
    #[serde(rename = "s1")]
    Weak,
    /// S2: fair if one's own program reaches the third party before a stated deadline.
    #[serde(rename = "s2")]
    Timed,
    /// S3: fair whatever the delays.
    #[default]
    #[serde(rename = "s3")]
    Strong,
}

/// Who takes the originator's part.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Casting {
    /// The side that sent PROPOSE.
    Initiator,
    /// The side that sent ANSWER.
    Answerer,
}

/// What both sides come to.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Selected {
    /// The version of the exchange layer.
    pub version: u16,
    /// The protocol with its version.
    pub proto: String,
    /// Who is originator.
    pub originator: Casting,
    /// The third party; absent where none is needed.
    pub ttp: Option<Digest>,
    /// How fair it is.
    pub level: Level,
    /// What each leaf is relied on as, the originator's and the responder's.
    pub leaf: Sides<BTreeMap<LeafPath, Reliance>>,
}

/// Why nothing is possible: the first rule that failed.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, thiserror::Error,
)]
#[serde(rename_all = "kebab-case")]
pub enum Unselectable {
    /// No version in common.
    #[error("no version of the exchange layer in common")]
    Version,
    /// The packages are not what the other side wants.
    #[error("what one side gives is not what the other wants")]
    Expectation,
    /// No protocol in common.
    #[error("no exchange protocol in common")]
    Protocol,
    /// No third party in common that can help with these packages.
    #[error("no third party in common that can help with these packages")]
    ThirdParty,
    /// No protocol fits the packages.
    #[error("no protocol makes an exchange of these packages fair")]
    Properties,
    /// What fits is weaker than one side accepts.
    #[error("what is possible is weaker than one side accepts")]
    Level,
}

impl Unselectable {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::Version => "exchange.version",
            Self::Expectation => "exchange.expectation",
            Self::Protocol => "exchange.protocol",
            Self::ThirdParty => "exchange.third-party",
            Self::Properties => "exchange.properties",
            Self::Level => "exchange.level",
        }
    }
}

/// How much longer than the moment of negotiation what is relied on must last for level S3: `t-close`, and
/// three days beyond it.
pub const STRONG_WINDOW: Span = Span::hours(24 + 72);
/// How long it must last to be relied on at all.
pub const LEAST_WINDOW: Span = Span::hours(24 + LEAST_MARGIN.as_millis() / 3_600_000);

/// What a protocol needs, and what it costs.
struct Row {
    proto: &'static str,
    /// Whether a third party stands by.
    assisted: bool,
    /// Messages of an honest run, without those to authorities.
    messages: u32,
    /// What each leaf can be used as for this protocol, and how fair the whole is; nothing if it does not fit.
    fit: fn(&Offerings<'_>) -> Option<Fit>,
}

/// The table. Further protocols are further rows.
const TABLE: &[Row] = &[
    Row { proto: "gxv/1", assisted: true, messages: 5, fit: gxv },
    Row { proto: "none/1", assisted: false, messages: 2, fit: none },
    Row { proto: "xfer/1", assisted: false, messages: 1, fit: xfer },
];

/// What is on the table in one casting: for each leaf, what its owner offers and its receiver accepts.
struct Offerings<'a> {
    o: BTreeMap<&'a LeafPath, Vec<Choice>>,
    r: BTreeMap<&'a LeafPath, Vec<Choice>>,
    at: Moment,
}

/// One way to rely on a leaf.
#[derive(Clone)]
struct Choice {
    reliance: Reliance,
    /// The grade of generation behind a forward or sealed leaf, which the third party must offer.
    grade: Option<GenGrade>,
}

/// What a side brings, whichever of the two messages says it.
struct Brought<'a> {
    versions: &'a [u16],
    protos: &'a [String],
    ttps: &'a [Digest],
    gives: Option<&'a Package>,
    wants: &'a BTreeMap<LeafPath, Expectation>,
    props: &'a BTreeMap<LeafPath, Ways>,
    accepts: &'a BTreeMap<LeafPath, Willing>,
    min_level: Level,
}

impl<'a> Brought<'a> {
    fn of<H>(view: &'a View<H>) -> Self {
        Self {
            versions: &view.versions,
            protos: &view.protos,
            ttps: &view.ttps,
            gives: view.gives.as_ref(),
            wants: &view.wants,
            props: &view.props,
            accepts: &view.accepts,
            min_level: view.min_level,
        }
    }
}

struct Fit {
    level: Level,
    o: BTreeMap<LeafPath, Choice>,
    r: BTreeMap<LeafPath, Choice>,
}

/// Settles the exchange of `propose` and `answer`, given what the third parties' signed capabilities say.
///
/// # Errors
/// [`Unselectable`], the first rule that failed.
pub fn select(
    propose: &Propose,
    answer: &Answer,
    third_parties: &BTreeMap<Digest, Capabilities>,
) -> Result<Selected, Unselectable> {
    let (a, b) = (&Brought::of(&propose.view), &Brought::of(&answer.view));
    let version = common(a.versions, b.versions).max().copied().ok_or(Unselectable::Version)?;
    if !wanted(a, b) || !wanted(b, a) {
        return Err(Unselectable::Expectation);
    }
    let rows: Vec<&Row> = TABLE.iter().filter(|row| rank(a, b, row.proto).is_some()).collect();
    if rows.is_empty() {
        return Err(Unselectable::Protocol);
    }
    let at = propose.common().at.max(answer.common().at);
    let mut fits: Vec<(Casting, &Row, Fit)> = Vec::new();
    for row in rows {
        for casting in [Casting::Initiator, Casting::Answerer] {
            let (o, r) = if casting == Casting::Initiator { (a, b) } else { (b, a) };
            let offerings = Offerings { o: choices(o, r, at), r: choices(r, o, at), at };
            fits.extend((row.fit)(&offerings).map(|fit| (casting, row, fit)));
        }
    }
    if fits.is_empty() {
        return Err(Unselectable::Properties);
    }
    let least = a.min_level.max(b.min_level);
    fits.retain(|(_, _, fit)| fit.level >= least);
    if fits.is_empty() {
        return Err(Unselectable::Level);
    }
    let mut candidates: Vec<_> = fits
        .iter()
        .filter_map(|(casting, row, fit)| {
            third_party(a, b, row, fit, third_parties).map(|ttp| (casting, row, fit, ttp))
        })
        .collect();
    // Stable: among equals the initiator is originator, since that casting was tried first.
    candidates.sort_by_key(|(_, row, fit, _)| {
        let ranks = rank(a, b, row.proto).unwrap_or(usize::MAX);
        (std::cmp::Reverse(fit.level), row.assisted, ranks, row.messages, row.proto)
    });
    let (casting, row, fit, ttp) = candidates.into_iter().next().ok_or(Unselectable::ThirdParty)?;
    Ok(Selected {
        version,
        proto: row.proto.to_owned(),
        originator: *casting,
        ttp,
        level: fit.level,
        leaf: Sides { o: reliances(&fit.o), r: reliances(&fit.r) },
    })
}

/// The weakest level a user accepts for this sum where no preference says otherwise: strong above twenty
/// euros, timed below. Play money counts like euros; a sum in any other currency counts as large.
pub fn least_level(sum: Option<Money>) -> Level {
    const SMALL: u64 = 20_00;
    match sum {
        None => Level::Timed,
        Some(sum) if [Currency::EUR, Currency::XTS].contains(&sum.currency) && sum.minor() <= SMALL => {
            Level::Timed
        }
        Some(_) => Level::Strong,
    }
}

fn common<'a, T: PartialEq>(a: &'a [T], b: &'a [T]) -> impl Iterator<Item = &'a T> {
    a.iter().filter(|one| b.contains(one))
}

/// Whether what `giver` gives is exactly what `receiver` wants.
fn wanted(giver: &Brought<'_>, receiver: &Brought<'_>) -> bool {
    match giver.gives {
        Some(package) => satisfies(package, receiver.wants),
        None => receiver.wants.is_empty(),
    }
}

/// The sum of both sides' ranks of a protocol; nothing if one does not run it.
fn rank(a: &Brought<'_>, b: &Brought<'_>, proto: &str) -> Option<usize> {
    let place = |view: &Brought<'_>| view.protos.iter().position(|known| known == proto);
    Some(place(a)? + place(b)?)
}

/// For each leaf `giver` gives, the ways to rely on it that it offers and `receiver` accepts, best first.
fn choices<'a>(
    giver: &Brought<'a>,
    receiver: &Brought<'_>,
    at: Moment,
) -> BTreeMap<&'a LeafPath, Vec<Choice>> {
    let Some(package) = giver.gives else { return BTreeMap::new() };
    package
        .leaves()
        .map(|(path, _)| {
            let offered = giver.props.get(path).map_or(&[][..], |ways| ways.way.as_slice());
            let accepted = receiver.accepts.get(path).map_or(&[][..], |willing| willing.class.as_slice());
            let mut usable: Vec<Choice> = offered
                .iter()
                .flat_map(|props| ways(props, at))
                .filter(|choice| accepted.contains(&choice.reliance.class))
                .collect();
            usable.sort_by_key(|choice| {
                (choice.reliance.class, std::cmp::Reverse(choice.reliance.until.is_none()))
            });
            (path, usable)
        })
        .collect()
}

fn ways(props: &Props, at: Moment) -> Vec<Choice> {
    let made = |class| matches!(class, Class::Forward | Class::Sealed);
    props
        .reliances(at.after(LEAST_WINDOW))
        .into_iter()
        .map(|reliance| Choice { grade: made(reliance.class).then_some(props.generatable.grade), reliance })
        .collect()
}

fn reliances(choices: &BTreeMap<LeafPath, Choice>) -> BTreeMap<LeafPath, Reliance> {
    choices.iter().map(|(path, choice)| (path.clone(), choice.reliance.clone())).collect()
}

/// The third party of the lowest joint rank that covers the leaves; `Some(None)` where none is needed.
fn third_party(
    a: &Brought<'_>,
    b: &Brought<'_>,
    row: &Row,
    fit: &Fit,
    known: &BTreeMap<Digest, Capabilities>,
) -> Option<Option<Digest>> {
    if !row.assisted {
        return Some(None);
    }
    let leaves = || fit.o.values().chain(fit.r.values());
    let covers = |caps: &Capabilities| {
        leaves().all(|leaf| {
            leaf.grade.is_none_or(|grade| caps.offers(grade))
                && leaf.reliance.authority.is_none_or(|authority| caps.authorities.contains(&authority))
        })
    };
    let place = |view: &Brought<'_>, ttp: &Digest| view.ttps.iter().position(|one| one == ttp);
    common(a.ttps, b.ttps)
        .filter(|ttp| known.get(ttp).is_some_and(covers))
        .filter_map(|ttp| Some((place(a, ttp)? + place(b, ttp)?, *ttp)))
        .min()
        .map(|(_, ttp)| Some(ttp))
}

/// `gxv`: the originator's leaves can be made; the responder has one whose transfer an authority records.
fn gxv(on: &Offerings<'_>) -> Option<Fit> {
    if on.o.is_empty() || on.r.is_empty() {
        return None;
    }
    let o = pick(&on.o, &[Class::Forward, Class::Sealed])?;
    // At least one recorded leaf: a package the third party could make altogether belongs to another protocol.
    let r = pick(&on.r, &[Class::Forward, Class::Backward, Class::Pivot])?;
    let r = if recorded(&r) { r } else { pick(&on.r, &[Class::Backward, Class::Pivot])? };
    let classes =
        |leaves: &BTreeMap<LeafPath, Choice>| leaves.values().map(|c| c.reliance.class).collect::<Vec<_>>();
    let placed = r.values().all(|c| c.reliance.class == Class::Forward || c.reliance.authority.is_some());
    let pivots = classes(&r).iter().filter(|class| **class == Class::Pivot).count();
    let level = match admissible(&classes(&o), &classes(&r)) {
        Ok(()) if lasting(&o, &r, on.at) => Level::Strong,
        Ok(()) => Level::Timed,
        Err(_) if pivots <= 1 => Level::Weak,
        Err(_) => return None,
    };
    placed.then_some(Fit { level, o, r })
}

/// `none`: two transfers, and trust.
fn none(on: &Offerings<'_>) -> Option<Fit> {
    if on.o.is_empty() || on.r.is_empty() {
        return None;
    }
    Some(Fit { level: Level::None, o: anything(&on.o), r: anything(&on.r) })
}

/// `xfer`: the originator gives, the responder gives nothing, so there is nothing to be fair about.
fn xfer(on: &Offerings<'_>) -> Option<Fit> {
    if on.o.is_empty() || !on.r.is_empty() {
        return None;
    }
    Some(Fit { level: Level::Strong, o: anything(&on.o), r: BTreeMap::new() })
}

fn recorded(leaves: &BTreeMap<LeafPath, Choice>) -> bool {
    leaves.values().any(|choice| choice.reliance.class != Class::Forward)
}

/// The best usable class of each leaf; nothing if one has none.
fn pick(leaves: &BTreeMap<&LeafPath, Vec<Choice>>, usable: &[Class]) -> Option<BTreeMap<LeafPath, Choice>> {
    leaves
        .iter()
        .map(|(path, choices)| {
            let best = choices.iter().find(|choice| usable.contains(&choice.reliance.class))?;
            Some(((*path).clone(), best.clone()))
        })
        .collect()
}

fn anything(leaves: &BTreeMap<&LeafPath, Vec<Choice>>) -> BTreeMap<LeafPath, Choice> {
    let nothing = Reliance { class: Class::None, mechanism: "none".to_owned(), authority: None, until: None };
    let bare = Choice { reliance: nothing, grade: None };
    leaves.keys().map(|path| ((*path).clone(), bare.clone())).collect()
}

/// Whether everything relied on lasts long enough for the strong level.
fn lasting(o: &BTreeMap<LeafPath, Choice>, r: &BTreeMap<LeafPath, Choice>, at: Moment) -> bool {
    let end = at.after(STRONG_WINDOW);
    o.values().chain(r.values()).all(|choice| choice.reliance.until.is_none_or(|until| until >= end))
}

/// The protocols of this build, as a party lists them in PROPOSE and ANSWER; `none/1` only by consent.
pub fn protocols(consent_to_none: bool) -> Vec<String> {
    let names: BTreeSet<&str> = TABLE.iter().map(|row| row.proto).collect();
    names.into_iter().filter(|proto| consent_to_none || *proto != "none/1").map(str::to_owned).collect()
}
