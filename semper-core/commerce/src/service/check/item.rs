//! Who gives what: names, owners, and the kinds that each exchange takes (REF, OWNER, CELL, DUAL).

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, Lint};
use crate::service::statechart::{Cell, Item, Side, Statechart};

pub(super) fn check(chart: &Statechart, found: &mut Found) {
    parties(chart, found);
    for (name, one) in &chart.moves {
        let place = format!("move.{name}");
        for (party, package) in &one.gives {
            let leaves = package.leaves();
            if leaves.is_empty() {
                found.add(Lint::Cell, &place, format!("{party} gives an empty package"));
            }
            let distinct: BTreeSet<&str> = leaves.iter().copied().collect();
            if distinct.len() < leaves.len() {
                found.add(Lint::Cell, &place, format!("{party} gives an item twice"));
            }
            for leaf in leaves {
                match chart.items.get(leaf) {
                    None => found.add(Lint::Ref, &place, format!("{leaf} names no item")),
                    Some(item) if item.giver() != party => {
                        let owner = item.giver();
                        found.add(Lint::Owner, &place, format!("{party} gives {leaf}, which is {owner}'s"));
                    }
                    Some(_) => {}
                }
            }
        }
        cell(chart, name, found);
        dual(chart, name, found);
    }
    for (name, item) in &chart.items {
        if let Item::Money { from, to, .. } = item
            && (from == to || [from, to].into_iter().any(|party| side(chart, party) == Some(Side::Third)))
        {
            found.add(Lint::Owner, format!("item.{name}"), "money moves between the client and the server");
        }
    }
}

fn side(chart: &Statechart, party: &str) -> Option<Side> {
    chart.parties.get(party).map(|one| one.side)
}

/// REF for everything that names a party.
fn parties(chart: &Statechart, found: &mut Found) {
    let mut named: Vec<(String, &str)> = Vec::new();
    for (name, one) in &chart.states {
        let all = one.owes.iter().chain(&one.complain).chain(&one.first);
        named.extend(all.map(|party| (format!("state.{name}"), party.as_str())));
    }
    for (name, one) in &chart.moves {
        let all = one.gives.keys().chain(one.decide.keys()).chain([&one.by]);
        named.extend(all.map(|party| (format!("move.{name}"), party.as_str())));
    }
    for (name, one) in &chart.items {
        let place = format!("item.{name}");
        named.push((place.clone(), one.giver()));
        match one {
            Item::Money { to, .. } => named.push((place, to)),
            Item::Signature { credential: Some(credential), .. } if credential.holder != "bearer" => {
                named.push((place, &credential.holder));
            }
            _ => {}
        }
    }
    for (name, one) in &chart.finals {
        named.extend(one.complain.keys().map(|party| (format!("final.{name}"), party.as_str())));
    }
    for (name, form) in &chart.forms {
        let fillers = form.fields.values().filter_map(|field| field.by.as_ref()).chain([&form.fill]);
        let fillers = fillers.filter(|party| *party != "any");
        named.extend(fillers.map(|party| (format!("form.{name}"), party.as_str())));
    }
    for (place, party) in named {
        if !chart.parties.contains_key(party) {
            found.add(Lint::Ref, place, format!("{party} names no party"));
        }
    }
}

/// What kind of item it is, in the words of the format.
fn kind(item: &Item) -> &'static str {
    match item {
        Item::Information { .. } => "information",
        Item::Signature { .. } => "signature",
        Item::Money { .. } => "money",
    }
}

/// The kinds that the two sides of a cell give, the second empty where only one gives.
fn wanted(cell: Cell) -> Option<[&'static str; 2]> {
    Some(match cell {
        Cell::Payment => ["money", ""],
        Cell::SignatureTransfer => ["signature", ""],
        Cell::InformationTransfer => ["information", ""],
        Cell::FairMoneyExchange => ["money", "money"],
        Cell::FairPaymentWithReceipt => ["money", "signature"],
        Cell::FairPurchase => ["information", "money"],
        Cell::FairContractSigning => ["signature", "signature"],
        Cell::CertifiedMail => ["information", "signature"],
        Cell::FairInformationExchange => ["information", "information"],
        Cell::Step => ["", ""],
        Cell::PackageTransfer | Cell::FairPackageExchange => return None,
    })
}

fn cell(chart: &Statechart, name: &str, found: &mut Found) {
    let Some(one) = chart.moves.get(name) else { return };
    let mut sides: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for party in one.gives.keys() {
        let kinds = one.given_by(party).into_iter().filter_map(|leaf| chart.items.get(leaf)).map(kind);
        sides.insert(party, kinds.collect());
    }
    let place = format!("move.{name}");
    let Some(wanted) = wanted(one.cell) else {
        let parties = if one.cell == Cell::FairPackageExchange { 2 } else { 1 };
        let several = one.gives.keys().any(|party| one.given_by(party).len() > 1);
        if sides.len() != parties || !several {
            found.add(Lint::Cell, place, "a package cell moves several items, in the directions it names");
        }
        return;
    };
    if let Some((party, _)) = sides.iter().find(|(_, kinds)| kinds.len() > 1) {
        found.add(Lint::Cell, &place, format!("{party} gives items of several kinds"));
        return;
    }
    let mut given: Vec<&str> = sides.values().filter_map(|kinds| kinds.first().copied()).collect();
    given.sort_unstable();
    let wanted: Vec<&str> = wanted.into_iter().filter(|kind| !kind.is_empty()).collect();
    if given != wanted {
        let words =
            |kinds: &[&str]| if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(" and ") };
        let says = format!("it moves {}, where its cell is for {}", words(&given), words(&wanted));
        found.add(Lint::Cell, place, says);
    }
}

fn dual(chart: &Statechart, name: &str, found: &mut Found) {
    let Some(one) = chart.moves.get(name) else { return };
    let place = format!("move.{name}");
    for party in one.gives.keys().chain([&one.by]) {
        if side(chart, party) == Some(Side::Third) {
            found.add(Lint::Dual, &place, format!("{party} is a third party and takes no part in moves"));
        }
    }
    for party in one.decide.keys() {
        if side(chart, party) != Some(Side::Server) {
            found.add(Lint::Dual, &place, format!("nobody but {party} decides for {party}"));
        }
    }
}
