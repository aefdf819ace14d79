//! What a service asks for, held against what it uses (CAP, SECRET, ANON, ANON-PAY, XPROP, EVID, THIRD, SUBDEAL,
//! PROSE, WITHDRAW, VERSION).

use std::collections::BTreeSet;

use semper_supporting::deal::{Anonymity, EvidenceLevel};

use super::{Found, Lint, Severity, Stage, product::ships};
use crate::service::{
    definition::major,
    duration::Duration,
    expression::{Expression, Expressions, Kind, Place},
    statechart::{Cell, Content, Field, FieldKind, Item, Need, Pii, Side, Statechart},
};

/// Profiles that only systems with accounts fit, whatever the anonymity towards the bank.
const ACCOUNTS: &[&str] = &["invoice", "mandate", "cheque"];
/// The time in which a consumer may withdraw (Directive 2011/83/EU, article 9).
const WITHDRAWAL: Duration = Duration::days(14);

pub(super) fn check(chart: &Statechart, stage: Stage, found: &mut Found) {
    let Some(client) = chart.party_on(Side::Client) else { return };
    capabilities(chart, client, found);
    personal(chart, client, found);
    anonymity(chart, found);
    evidence(chart, client, found);
    third(chart, found);
    withdrawal(chart, client, found);
    version(chart, stage, found);
}

/// The fields that the client fills in.
fn client_fields<'a>(
    chart: &'a Statechart,
    client: &'a str,
) -> impl Iterator<Item = (&'a String, &'a String, &'a Field)> {
    chart.forms.iter().flat_map(move |(form, one)| {
        one.fields.iter().filter_map(move |(name, field)| {
            let by = field.by.as_deref().unwrap_or(&one.fill);
            (by == client || by == "any").then_some((form, name, field))
        })
    })
}

fn capabilities(chart: &Statechart, client: &str, found: &mut Found) {
    let Need { pay, sign, receive, store, open, subdeal, .. } = &chart.need;
    let moved = || {
        chart.moves.values().flat_map(|one| one.items()).filter_map(|leaf| chart.items.get_key_value(leaf))
    };
    let signed: BTreeSet<&str> = moved()
        .filter(|(_, item)| matches!(item, Item::Signature { by, .. } if by == client))
        .filter_map(|(name, _)| name.rsplit('.').next())
        .collect();
    let announced: BTreeSet<&str> = sign.iter().map(String::as_str).collect();
    for name in signed.difference(&announced) {
        found.add(Lint::Cap, "need.sign", format!("{name} is signed and not announced"));
    }
    for name in announced.difference(&signed) {
        found.add(Lint::Cap, "need.sign", format!("{name} is announced and never signed"));
    }
    let pays = moved().any(|(_, item)| matches!(item, Item::Money { from, .. } if from == client));
    exactly(pays, pay.is_some(), "need.pay", "the client pays", found);
    let credential = moved()
        .any(|(_, item)| matches!(item, Item::Signature { by, credential: Some(_), .. } if by != client));
    let announced = receive.iter().any(|one| one == "credential");
    exactly(credential, announced, "need.receive", "the client receives a credential", found);
    for other in receive.iter().filter(|one| *one != "credential") {
        found.add(Lint::Cap, "need.receive", format!("{other} is nothing that can be received"));
    }
    let from = |other: bool| {
        moved().any(|(_, item)| matches!(item, Item::Information { from, .. } if (from == client) != other))
    };
    let (receives, sends) = (from(true), from(false));
    if receives && store.is_none() {
        found.add(Lint::Cap, "need.store", "the client receives information and no room is asked for");
    }
    if store.is_some() && !receives && !sends {
        found.add(Lint::Cap, "need.store", "room is asked for, and no information moves");
    }
    if !open.is_empty() && !receives {
        found.add(Lint::Cap, "need.open", "there is nothing to open");
    }
    let opens = chart.finals.values().any(|one| one.opens.is_some());
    exactly(opens, !subdeal.is_empty(), "need.subdeal", "another service is opened", found);
    for one in subdeal {
        let named = one
            .split_once('@')
            .is_some_and(|(id, version)| id.contains('.') && version.parse::<u32>().is_ok());
        if !named {
            found.add(
                Lint::Subdeal,
                "need.subdeal",
                format!("{one} does not name a service and its major version"),
            );
        }
    }
}

fn exactly(used: bool, announced: bool, place: &str, what: &str, found: &mut Found) {
    if used && !announced {
        found.add(Lint::Cap, place, format!("{what}, which is not announced"));
    }
    if announced && !used {
        found.add(Lint::Cap, place, format!("it is announced that {what}, which never happens"));
    }
}

/// SECRET, CAP and ANON: what the client must tell about himself.
fn personal(chart: &Statechart, client: &str, found: &mut Found) {
    let announced: BTreeSet<Pii> = chart.need.reveal.iter().copied().collect();
    let mut used = BTreeSet::new();
    let unknown = chart.context.anonymity.peer.iter().any(|one| *one > Anonymity::Identified);
    for (form, name, field) in client_fields(chart, client).filter(|(_, _, field)| field.pii != Pii::None) {
        used.insert(field.pii);
        let place = format!("form.{form}.{name}");
        if !announced.contains(&field.pii) {
            found.add(Lint::Secret, &place, format!("{} is asked for and not announced", word(field.pii)));
        }
        if unknown && !field.optional {
            found.add(
                Lint::Anon,
                place,
                format!("{} must be entered, although the client may stay unknown", word(field.pii)),
            );
        }
    }
    for pii in announced.difference(&used) {
        found.add(Lint::Cap, "need.reveal", format!("{} is announced and never asked for", word(*pii)));
    }
}

fn word(pii: Pii) -> &'static str {
    match pii {
        Pii::None => "nothing personal",
        Pii::Name => "a name",
        Pii::Contact => "a way to reach the person",
        Pii::Address => "an address",
        Pii::Payment => "payment data",
    }
}

fn anonymity(chart: &Statechart, found: &mut Found) {
    let bank = &chart.context.anonymity.bank;
    let money = chart.items.values().any(|item| matches!(item, Item::Money { .. }));
    let accounts = chart.service.profile.iter().any(|one| ACCOUNTS.contains(&one.as_str()));
    if money && accounts && bank.contains(&Anonymity::Anonymous) {
        let says = "the bank is said to learn nothing, which payments of this profile cannot keep";
        found.add(Lint::AnonPay, "context.anonymity.bank", says);
    }
}

/// XPROP: the third party can check, make or undo one side of every exchange.
pub(super) fn protocols(chart: &Statechart, expressions: &Expressions, found: &mut Found) {
    let Some(client) = chart.party_on(Side::Client) else { return };
    let checkable = |leaf: &str| match chart.items.get(leaf) {
        Some(Item::Information { content: Content::Matches(_), .. }) => {
            let what = expressions.at(&Place::Matches(leaf.to_owned()));
            what.map(Expression::kind) == Some(Kind::Descriptor)
        }
        Some(_) | None => true,
    };
    for (name, one) in chart.moves.iter().filter(|(_, one)| one.cell.is_exchange()) {
        for leaf in one.items().filter(|leaf| !checkable(leaf)) {
            let heard =
                chart.states.get(&one.from).is_some_and(|state| state.complain.iter().any(|p| p == client));
            let severity = if heard { Severity::Warn } else { Severity::Refuse };
            let says = format!("no third party can check whether {leaf} is what was agreed");
            found.grave(Lint::Xprop, severity, format!("move.{name}"), says);
        }
    }
}

/// EVID: nothing that matters goes without evidence.
fn evidence(chart: &Statechart, client: &str, found: &mut Found) {
    let levels = &chart.context.evidence;
    let matters = chart.items.values().any(|item| !matches!(item, Item::Information { .. }));
    if levels.contains(&EvidenceLevel::None) && matters {
        found.add(Lint::Evid, "context.evidence", "money or signatures move, and no evidence need be kept");
    }
    if !levels.contains(&EvidenceLevel::Origin) && !levels.contains(&EvidenceLevel::None) {
        return;
    }
    for (name, one) in &chart.moves {
        let sends = matches!(one.cell, Cell::SignatureTransfer | Cell::InformationTransfer)
            && !one.given_by(client).is_empty();
        let heard = chart.states.get(&one.to).is_some_and(|state| state.complain.iter().any(|p| p == client));
        if sends && heard {
            let says = "the client may have to prove that this arrived, and need get no receipt for it";
            found.add(Lint::Evid, format!("move.{name}"), says);
        }
    }
}

fn third(chart: &Statechart, found: &mut Found) {
    let exchanges = chart.moves.values().any(|one| one.cell.is_exchange());
    let complaints = chart.states.values().any(|one| !one.complain.is_empty())
        || chart.finals.values().any(|one| !one.complain.is_empty());
    let duties: BTreeSet<&str> = chart
        .parties
        .values()
        .filter(|party| party.side == Side::Third)
        .filter_map(|party| party.duty.as_deref())
        .collect();
    if (exchanges || complaints) && !duties.contains("arbiter") {
        found.add(Lint::Third, "party", "a third party may be needed, and no party has the duty of arbiter");
    }
    let announced: BTreeSet<&str> = chart.need.third.iter().map(String::as_str).collect();
    for duty in duties.difference(&announced) {
        found.add(Lint::Third, "need.third", format!("the duty {duty} is not announced"));
    }
    for duty in announced.difference(&duties) {
        found.add(Lint::Cap, "need.third", format!("no party has the duty {duty}"));
    }
}

fn withdrawal(chart: &Statechart, client: &str, found: &mut Found) {
    if !chart.service.profile.iter().any(|one| one == "consumer") {
        return;
    }
    if ships(chart) {
        let enough =
            chart.uses.iter().filter(|(_, block)| block.starts_with("std/withdraw@")).any(|(path, _)| {
                chart.states.get(&format!("{path}.cooling")).is_some_and(|state| state.limit >= WITHDRAWAL)
            });
        if !enough {
            let says = "goods are sent to consumers, who cannot withdraw for 14 days by the standard block";
            found.add(Lint::Withdraw, "service", says);
        }
        return;
    }
    let sold = chart.moves.values().any(|one| {
        let gives = |party: &str, wanted: fn(&Item) -> bool| {
            one.given_by(party).into_iter().filter_map(|leaf| chart.items.get(leaf)).any(wanted)
        };
        gives(client, |item| matches!(item, Item::Money { .. }))
            && one
                .gives
                .keys()
                .any(|party| party != client && gives(party, |i| matches!(i, Item::Information { .. })))
    });
    let waived =
        client_fields(chart, client).any(|(_, _, field)| matches!(field.kind, FieldKind::Consent { .. }));
    if sold && !waived {
        let says = "information is sold to consumers, who are not told that they cannot withdraw";
        found.add(Lint::Withdraw, "service", says);
    }
}

fn version(chart: &Statechart, stage: Stage, found: &mut Found) {
    if stage == Stage::Draft && chart.lock.is_empty() {
        return;
    }
    let named = |block: &str| block.rsplit_once('@').map_or(block, |(id, _)| id).to_owned();
    for (block, sha256) in &chart.blocks {
        match chart.lock.get(&named(block)) {
            None => found.add(Lint::Version, "lock", format!("{block} is used and not pinned")),
            Some(pinned) if pinned != sha256 => {
                found.add(Lint::Version, "lock", format!("{block} is not the file it is pinned to"));
            }
            Some(_) => {}
        }
    }
    for surplus in chart.lock.keys().filter(|id| !chart.blocks.keys().any(|block| named(block) == **id)) {
        found.add(Lint::Version, "lock", format!("{surplus} is pinned and not used"));
    }
    for block in chart.blocks.keys() {
        let known = block.rsplit_once('@').and_then(|(id, version)| Some((id, major(version)?)));
        // A block of ours may be used in the versions this program knows, others of other makers in any.
        if known.is_some_and(|(id, major)| id.starts_with("std/") && major != 1) {
            found.add(Lint::Version, "use", format!("{block} is newer than this program"));
        }
    }
}

/// PROSE: the texts that a consent or a law needs.
pub(super) fn prose(
    chart: &Statechart,
    available: &[(String, String)],
    languages: &[String],
    user: &[String],
    found: &mut Found,
) {
    let laws = chart.service.law.iter().filter(|law| *law != "*");
    let mut needed: BTreeSet<String> = laws.map(|law| format!("prose/law-{}", law.to_lowercase())).collect();
    let consents =
        chart.forms.values().flat_map(|form| form.fields.values()).filter_map(|field| match &field.kind {
            FieldKind::Consent { text } => Some(text.clone()),
            _ => None,
        });
    needed.extend(consents);
    let there =
        |text: &str, language: &str| available.iter().any(|(name, lang)| name == text && lang == language);
    for text in needed {
        let text = text.as_str();
        for language in languages.iter().filter(|language| !there(text, language)) {
            found.add(Lint::Prose, text, format!("there is no text in {language}"));
        }
        for language in user.iter().filter(|language| !languages.contains(language) && !there(text, language))
        {
            found.grave(
                Lint::Prose,
                Severity::Warn,
                text,
                format!("there is no text in your language {language}"),
            );
        }
    }
}
