//! What holds on every way a deal can go (PAY-CONTRACT, COVER, DISPUTE, AFTER).
//!
//! The graph of ⟨state, contract, uncovered, paid⟩: `contract` becomes true when somebody other than the client
//! has given a signature that binds; `uncovered` are the client's payments for which nothing was given yet.

use std::collections::BTreeSet;

use super::{Found, Lint, Severity};
use crate::service::{
    duration::Duration,
    statechart::{Item, Move, Side, Statechart},
};

/// The least time to complain after a payment.
const COMPLAINT: Duration = Duration::days(14);
/// The least time to complain about goods that were sent to a consumer (Directive (EU) 2019/771, article 10).
const WARRANTY: Duration = Duration::days(2 * 366);
/// The most nodes that are looked at; charts far below the other limits stay far below this one.
const NODES: usize = 100_000;

#[derive(Clone, Eq, Ord, PartialEq, PartialOrd)]
struct Node<'a> {
    place: &'a str,
    contract: bool,
    uncovered: BTreeSet<&'a str>,
    paid: bool,
}

/// The number of nodes of the product graph of `chart`.
pub(super) fn check(chart: &Statechart, found: &mut Found) {
    let Some(client) = chart.party_on(Side::Client) else { return };
    let start = Node { place: &chart.start, contract: false, uncovered: BTreeSet::new(), paid: false };
    let mut open = vec![start.clone()];
    let mut seen = BTreeSet::from([start]);
    while let Some(node) = open.pop() {
        if seen.len() > NODES {
            found.add(Lint::Size, "service", "the ways a deal can go are too many to look at");
            return;
        }
        look(chart, client, &node, found);
        for next in steps(chart, client, &node, found) {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
}

/// What is said about one node.
fn look(chart: &Statechart, client: &str, node: &Node<'_>, found: &mut Found) {
    let Node { place, uncovered, paid, .. } = node;
    let owed = || uncovered.iter().copied().collect::<Vec<_>>().join(" and ");
    if let Some(end) = chart.finals.get(*place) {
        let window = end.complain.get(client);
        let enough = window.is_some_and(|window| *window >= COMPLAINT);
        let place = format!("final.{place}");
        if !uncovered.is_empty() && !enough {
            let says =
                format!("{} may be paid with nothing in return, and no {COMPLAINT} to complain", owed());
            found.add(Lint::Cover, &place, says);
        }
        if *paid && !enough {
            found.add(Lint::After, &place, format!("after a payment there are no {COMPLAINT} to complain"));
        }
        let consumer = chart.service.profile.iter().any(|one| one == "consumer");
        if *paid && consumer && ships(chart) && window.is_some_and(|window| *window < WARRANTY) {
            let says =
                format!("{} to complain about goods that were sent, less than two years", shown(window));
            found.grave(Lint::After, Severity::Warn, place, says);
        }
    } else if let Some(state) = chart.states.get(*place)
        && *paid
        && !state.complain.iter().any(|party| party == client)
    {
        let place = format!("state.{place}");
        if uncovered.is_empty() {
            found.grave(Lint::Dispute, Severity::Warn, place, "the client has paid and cannot complain here");
        } else {
            let says =
                format!("{} may be paid with nothing in return yet, and the client cannot complain", owed());
            found.add(Lint::Dispute, place, says);
        }
    }
}

fn shown(window: Option<&Duration>) -> String {
    window.map(ToString::to_string).unwrap_or_default()
}

/// Whether goods are sent by post.
pub(super) fn ships(chart: &Statechart) -> bool {
    chart.items.keys().any(|name| name.rsplit('.').next() == Some("dispatch"))
}

/// Where one step leads from `node`.
fn steps<'a>(chart: &'a Statechart, client: &str, node: &Node<'a>, found: &mut Found) -> Vec<Node<'a>> {
    let Some(state) = chart.states.get(node.place) else { return Vec::new() };
    let mut next = vec![Node { place: &state.late, ..node.clone() }];
    for (name, one) in chart.moves_from(node.place) {
        next.push(Node { place: &one.fail, ..node.clone() });
        next.push(done(chart, client, node, name, one, found));
    }
    next
}

/// Where `one` leads when it succeeds.
fn done<'a>(
    chart: &'a Statechart,
    client: &str,
    node: &Node<'a>,
    name: &str,
    one: &'a Move,
    found: &mut Found,
) -> Node<'a> {
    let mut after = Node { place: &one.to, ..node.clone() };
    let leaves: Vec<(&str, &Item)> = one
        .items()
        .filter_map(|leaf| chart.items.get_key_value(leaf))
        .map(|(k, v)| (k.as_str(), v))
        .collect();
    after.contract |= leaves
        .iter()
        .any(|(_, item)| matches!(item, Item::Signature { by, binds: true, .. } if by != client));
    for (leaf, item) in &leaves {
        if matches!(item, Item::Money { from, .. } if from == client) {
            if !after.contract {
                let place = format!("move.{name}");
                match &chart.service.prepay {
                    None => {
                        found.add(Lint::PayContract, place, "the client pays before the other side is bound")
                    }
                    Some(_) => found.grave(
                        Lint::PayContract,
                        Severity::Warn,
                        place,
                        "the client pays before the other side is bound, as the service says",
                    ),
                }
            }
            after.uncovered.insert(leaf);
            after.paid = true;
        }
    }
    for counter in leaves.iter().flat_map(|(_, item)| item.counters()) {
        after.uncovered.remove(counter.as_str());
    }
    after
}
