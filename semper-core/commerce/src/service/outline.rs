//! How a chart is drawn: where each state stands, and what leads from where to where.
//!
//! Only places and words; the window draws them. States stand in layers from the top down, each below
//! everything that leads to it but for what leads back (longest-path layering); ends stand in the last layer.

use std::collections::{BTreeMap, BTreeSet};

use semper_supporting::money::Money;
use serde::Serialize;

use super::statechart::{Item, Statechart};

/// A chart, laid out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Outline {
    /// The states and ends, layer by layer, from left to right.
    pub nodes: Vec<Node>,
    /// What leads from one to another.
    pub edges: Vec<Edge>,
    /// The building blocks, as boxes around their states.
    pub boxes: Vec<Frame>,
    /// How many layers there are.
    pub layers: usize,
    /// How many places the widest layer has.
    pub width: usize,
}

/// A state or an end.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Node {
    /// Its name in the chart.
    pub name: String,
    /// What it is, in the words of the terms.
    pub says: String,
    /// What it looks like.
    pub shape: Shape,
    /// Its layer from the top, counted from 0.
    pub layer: usize,
    /// Its place in the layer from the left, counted from 0.
    pub column: usize,
}

/// What a node looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The state in which a deal begins.
    Start,
    /// Another state.
    State,
    /// An end with which nobody has cause to be discontent.
    Good,
    /// Another end.
    Bad,
}

/// What leads from one place to another.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Edge {
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// By what.
    pub by: Way,
    /// Whether it leads upwards or stays, and is drawn at the side.
    pub back: bool,
}

/// By what one place leads to another.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// A move, with the most money in it, if any, as it is written.
    Move {
        /// Its name.
        name: String,
        /// Who starts it.
        party: String,
        /// The most money that moves in it.
        money: Option<String>,
    },
    /// A move that failed.
    Fail {
        /// Its name.
        name: String,
    },
    /// Time, after so long.
    Late {
        /// The limit.
        after: String,
    },
}

/// A box around the states of one building block.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Frame {
    /// The path of its use.
    pub name: String,
    /// The block with its version.
    pub block: String,
    /// The first and the last layer.
    pub layers: (usize, usize),
    /// The first and the last column.
    pub columns: (usize, usize),
}

impl Outline {
    /// Lays out `chart`.
    pub fn of(chart: &Statechart) -> Self {
        let ways = ways(chart);
        let layer = layers(chart, &ways);
        let last = layer.values().copied().max().unwrap_or(0) + 1;
        let mut rows: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (name, layer) in &layer {
            rows.entry(*layer).or_default().push(name);
        }
        rows.insert(last, chart.finals.keys().map(String::as_str).collect());
        order(&mut rows, &ways);
        let mut place: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let mut nodes = Vec::new();
        for (layer, row) in &rows {
            for (column, name) in row.iter().enumerate() {
                place.insert(name, (*layer, column));
                nodes.push(node(chart, name, *layer, column));
            }
        }
        let width = rows.values().map(Vec::len).max().unwrap_or(0);
        let edges = ways
            .into_iter()
            .map(|(from, to, by)| {
                let back = place.get(to).map(|at| at.0) <= place.get(from).map(|at| at.0);
                Edge { from: from.to_owned(), to: to.to_owned(), by, back }
            })
            .collect();
        Self { boxes: boxes(chart, &place), nodes, edges, layers: last + 1, width }
    }

    /// The node of a state or end.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }
}

fn node(chart: &Statechart, name: &str, layer: usize, column: usize) -> Node {
    let (says, shape) = match (chart.finals.get(name), chart.states.get(name)) {
        (Some(end), _) => (end.says.clone(), if end.good { Shape::Good } else { Shape::Bad }),
        (None, Some(state)) => {
            (state.says.clone(), if name == chart.start { Shape::Start } else { Shape::State })
        }
        (None, None) => (String::new(), Shape::State),
    };
    Node { name: name.to_owned(), says, shape, layer, column }
}

/// All ways, in the order of their names; failures that stay where they are lead nowhere.
fn ways(chart: &Statechart) -> Vec<(&str, &str, Way)> {
    let mut ways = Vec::new();
    for (name, one) in &chart.moves {
        let money = one.items().filter_map(|leaf| match chart.items.get(leaf) {
            Some(Item::Money { max: Some(max), .. }) => Some(max),
            _ => None,
        });
        let money = money.max_by_key(|max: &&Money| max.minor()).map(ToString::to_string);
        let by = Way::Move { name: name.clone(), party: one.by.clone(), money };
        ways.push((one.from.as_str(), one.to.as_str(), by));
        if one.fail != one.from {
            ways.push((&one.from, &one.fail, Way::Fail { name: name.clone() }));
        }
    }
    for (name, state) in &chart.states {
        ways.push((name, &state.late, Way::Late { after: state.limit.to_string() }));
    }
    ways
}

/// The layer of each state: one below the lowest of what leads to it, ways back left out.
fn layers<'a>(chart: &'a Statechart, ways: &[(&'a str, &'a str, Way)]) -> BTreeMap<&'a str, usize> {
    let mut forward: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to, _) in ways.iter().filter(|(_, to, _)| chart.states.contains_key(*to)) {
        next.entry(from).or_default().insert(to);
    }
    // Depth first: a way to a place that is still open on the path leads back.
    let mut done = BTreeSet::new();
    let mut path: Vec<(&str, Vec<&str>)> = Vec::new();
    let starts = std::iter::once(chart.start.as_str()).chain(chart.states.keys().map(String::as_str));
    let mut order = Vec::new();
    for start in starts {
        if done.contains(start) {
            continue;
        }
        path.push((start, outgoing(&next, start)));
        while let Some((place, left)) = path.last_mut() {
            let place = *place;
            match left.pop() {
                Some(to) if path.iter().any(|(open, _)| *open == to) => {}
                Some(to) => {
                    forward.entry(place).or_default().insert(to);
                    if !done.contains(to) {
                        path.push((to, outgoing(&next, to)));
                    }
                }
                None => {
                    done.insert(place);
                    order.push(place);
                    path.pop();
                }
            }
        }
    }
    let mut layer: BTreeMap<&str, usize> = chart.states.keys().map(|name| (name.as_str(), 0)).collect();
    for place in order.into_iter().rev() {
        let below = layer.get(place).copied().unwrap_or(0) + 1;
        for to in forward.get(place).into_iter().flatten() {
            if let Some(at) = layer.get_mut(to) {
                *at = below.max(*at);
            }
        }
    }
    layer
}

fn outgoing<'a>(next: &BTreeMap<&'a str, BTreeSet<&'a str>>, place: &str) -> Vec<&'a str> {
    next.get(place).map(|all| all.iter().rev().copied().collect()).unwrap_or_default()
}

/// Puts each place below the middle of those that lead to it, so that fewer ways cross.
fn order<'a>(rows: &mut BTreeMap<usize, Vec<&'a str>>, ways: &[(&'a str, &'a str, Way)]) {
    let mut column: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows.values_mut() {
        row.sort_by_cached_key(|name| {
            let above: Vec<usize> = ways
                .iter()
                .filter(|(_, to, _)| to == name)
                .filter_map(|(from, ..)| column.get(from))
                .copied()
                .collect();
            let middle = above.iter().sum::<usize>() * 100 / above.len().max(1);
            (middle, *name)
        });
        column.extend(row.iter().enumerate().map(|(at, name)| (*name, at)));
    }
}

fn boxes(chart: &Statechart, place: &BTreeMap<&str, (usize, usize)>) -> Vec<Frame> {
    let frame = |(name, block): (&String, &String)| {
        let prefix = format!("{name}.");
        let inside: Vec<(usize, usize)> =
            place.iter().filter(|(one, _)| one.starts_with(&prefix)).map(|(_, at)| *at).collect();
        let range = |pick: fn(&(usize, usize)) -> usize| {
            Some((inside.iter().map(pick).min()?, inside.iter().map(pick).max()?))
        };
        Some(Frame {
            name: name.clone(),
            block: block.clone(),
            layers: range(|at| at.0)?,
            columns: range(|at| at.1)?,
        })
    };
    chart.uses.iter().filter_map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::shipped;

    #[test]
    fn every_shipped_chart_stands_from_its_start_down_to_its_ends() {
        for (file, _) in shipped::SERVICES {
            let chart = shipped::service(file).unwrap();
            let outline = Outline::of(&chart);
            assert_eq!(outline.nodes.len(), chart.states.len() + chart.finals.len(), "{file}");
            assert_eq!(outline.node(&chart.start).unwrap().layer, 0, "{file}");
            let ends = outline.nodes.iter().filter(|node| matches!(node.shape, Shape::Good | Shape::Bad));
            assert!(ends.clone().count() == chart.finals.len(), "{file}");
            assert!(ends.clone().all(|node| node.layer + 1 == outline.layers), "{file}");
            let mut places: Vec<_> = outline.nodes.iter().map(|node| (node.layer, node.column)).collect();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), outline.nodes.len(), "{file}: two nodes in one place");
            for edge in &outline.edges {
                let (from, to) = (outline.node(&edge.from).unwrap(), outline.node(&edge.to).unwrap());
                assert_eq!(edge.back, to.layer <= from.layer, "{file}: {edge:?}");
            }
        }
    }

    #[test]
    fn the_first_purchase_is_drawn_as_one_would() {
        let outline = Outline::of(&shipped::service("info-play.toml").unwrap());
        let rows: Vec<(usize, &str)> =
            outline.nodes.iter().map(|node| (node.layer, node.name.as_str())).collect();
        assert_eq!(
            rows,
            [
                (0, "sale.form"),
                (1, "sale.asked"),
                (2, "sale.offered"),
                (3, "buy.due"),
                (4, "declined"),
                (4, "delivered"),
                (4, "lapsed"),
            ]
        );
        let money: Vec<_> = outline
            .edges
            .iter()
            .filter_map(|edge| match &edge.by {
                Way::Move { name, money: Some(money), .. } => Some((name.as_str(), money.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(money, [("buy.buy", "XTS 100.00")]);
        assert_eq!(outline.boxes.len(), 2);
        assert!(outline.edges.iter().all(|edge| !edge.back));
    }
}
