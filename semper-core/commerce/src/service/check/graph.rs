//! Where a deal can go (REACH, END, LIMIT, CYCLE, OWES, DEAD, DET, RACE).

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, Lint};
use crate::service::{
    duration::Duration,
    statechart::{Decide, Move, Side, Statechart},
};

/// The longest that a deal may stand in one state.
const LONGEST: Duration = Duration::days(400);

/// The places that one step leads to, by the place it leads from.
type Edges<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

pub(super) fn check(chart: &Statechart, found: &mut Found) {
    let edges = edges(chart);
    let reached = closure(&edges, [chart.start.as_str()]);
    let places = || chart.states.keys().chain(chart.finals.keys()).map(String::as_str);
    for place in places().filter(|place| !reached.contains(place)) {
        found.add(Lint::Reach, place, "no run comes here");
    }
    let back = reversed(&edges);
    let ending = closure(&back, chart.finals.keys().map(String::as_str));
    for place in places().filter(|place| !ending.contains(place)) {
        found.add(Lint::End, place, "no end can be reached from here");
    }
    cycle(chart, found);
    for (name, state) in &chart.states {
        let place = format!("state.{name}");
        if state.limit > LONGEST {
            found.add(Lint::Limit, &place, format!("{} is longer than {LONGEST}", state.limit));
        }
        let moves: Vec<(&str, &Move)> = chart.moves_from(name).collect();
        let starters: BTreeSet<&str> = moves.iter().map(|(_, one)| one.by.as_str()).collect();
        if moves.is_empty() {
            found.add(Lint::Dead, &place, "nobody can do anything here but wait");
        }
        if !state.owes.is_empty() && !state.owes.iter().any(|party| starters.contains(party.as_str())) {
            found.add(Lint::Owes, &place, format!("{} must act and cannot", state.owes.join(" or ")));
        }
        if state.first.is_none() && starters.len() > 1 {
            found.add(Lint::Race, &place, "two parties may move, and it is not said whose move stands");
        }
        determinism(chart, &place, &moves, found);
    }
}

/// DET: at most one automatic move for a party, or two whose guards exclude each other.
fn determinism(chart: &Statechart, place: &str, moves: &[(&str, &Move)], found: &mut Found) {
    let automatic: Vec<&(&str, &Move)> = moves
        .iter()
        .filter(|(_, one)| {
            let side = chart.parties.get(&one.by).map(|party| party.side);
            side == Some(Side::Server) && one.decide.get(&one.by) != Some(&Decide::App)
        })
        .collect();
    for (n, (first, one)) in automatic.iter().enumerate() {
        for (second, other) in automatic.iter().skip(n + 1) {
            if !complements(one.when.as_deref(), other.when.as_deref()) {
                let says = format!("{first} and {second} are both automatic, and it is not said which comes");
                found.add(Lint::Det, place, says);
            }
        }
    }
}

/// Whether one guard is the other one with `!( )` around it.
fn complements(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    let negated = |a: &str, b: &str| a.trim() == format!("!({})", b.trim());
    negated(one, other) || negated(other, one)
}

/// All steps: successes, failures, and deadlines.
fn edges(chart: &Statechart) -> Edges<'_> {
    let mut edges = Edges::new();
    for (name, state) in &chart.states {
        edges.entry(name).or_default().insert(&state.late);
    }
    for one in chart.moves.values() {
        edges.entry(&one.from).or_default().extend([one.to.as_str(), one.fail.as_str()]);
    }
    edges
}

fn reversed<'a>(edges: &Edges<'a>) -> Edges<'a> {
    let mut back = Edges::new();
    for (from, all) in edges {
        for to in all {
            back.entry(to).or_default().insert(from);
        }
    }
    back
}

fn closure<'a>(edges: &Edges<'a>, from: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut open: Vec<&str> = from.into_iter().collect();
    let mut seen = BTreeSet::new();
    while let Some(place) = open.pop() {
        if seen.insert(place) {
            open.extend(edges.get(place).into_iter().flatten());
        }
    }
    seen
}

/// The moves that can come again after they were made.
pub(super) fn repeatable(chart: &Statechart) -> BTreeSet<&str> {
    let edges = edges(chart);
    let again = |one: &Move| closure(&edges, [one.to.as_str()]).contains(one.from.as_str());
    chart.moves.iter().filter(|(_, one)| again(one)).map(|(name, _)| name.as_str()).collect()
}

/// CYCLE: without the successes that are counted, and without failures that stay, no way leads round.
fn cycle(chart: &Statechart, found: &mut Found) {
    let mut edges = Edges::new();
    for (name, state) in &chart.states {
        edges.entry(name).or_default().insert(&state.late);
    }
    for one in chart.moves.values() {
        if one.max.is_none() {
            edges.entry(&one.from).or_default().insert(&one.to);
        }
        if one.fail != one.from {
            edges.entry(&one.from).or_default().insert(&one.fail);
        }
    }
    // Whatever nothing leads to any more cannot be on a circle; what is left after taking such places away, is.
    let mut left: BTreeSet<&str> = edges.keys().copied().collect();
    loop {
        let led: BTreeSet<&str> =
            edges.iter().filter(|(from, _)| left.contains(*from)).flat_map(|(_, to)| to).copied().collect();
        let before = left.len();
        left.retain(|place| led.contains(place));
        if left.len() == before {
            break;
        }
    }
    // Take away what the circles merely lead to.
    loop {
        let before = left.len();
        let now = left.clone();
        left.retain(|place| edges.get(place).is_some_and(|to| to.iter().any(|to| now.contains(to))));
        if left.len() == before {
            break;
        }
    }
    for place in left {
        found.add(Lint::Cycle, format!("state.{place}"), "a deal can go round here without limit");
    }
}
