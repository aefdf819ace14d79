//! How much the client can be made to pay (BOUND).

use super::{Found, Lint, graph::repeatable};
use crate::service::statechart::{Item, Side, Statechart};

pub(super) fn check(chart: &Statechart, found: &mut Found) {
    let ceiling = chart.need.pay;
    for (name, item) in &chart.items {
        if let Item::Money { max: None, .. } = item {
            found.add(Lint::Bound, format!("item.{name}"), "it has no max");
        }
    }
    if let Some(pay) = ceiling
        && !chart.context.currency.contains(&pay.currency)
    {
        found.add(Lint::Bound, "need.pay", format!("no money moves in {}", pay.currency));
    }
    let Some(client) = chart.party_on(Side::Client) else { return };
    let again = repeatable(chart);
    let mut sum: u128 = 0;
    for (name, one) in &chart.moves {
        for leaf in one.given_by(client) {
            let Some(Item::Money { max: Some(max), .. }) = chart.items.get(leaf) else { continue };
            let times = match (again.contains(name.as_str()), one.max) {
                (false, _) => 1,
                (true, Some(times)) => times,
                (true, None) => {
                    found.add(Lint::Bound, format!("move.{name}"), "it can come again without limit");
                    continue;
                }
            };
            sum += u128::from(max.minor()) * u128::from(times);
            match ceiling {
                Some(pay) if pay.currency == max.currency => {}
                Some(pay) => {
                    let says = format!("its max is in {}, the ceiling in {}", max.currency, pay.currency);
                    found.add(Lint::Bound, format!("item.{leaf}"), says);
                }
                None => found.add(Lint::Bound, format!("item.{leaf}"), "the service asks for no payment"),
            }
        }
    }
    if let Some(pay) = ceiling
        && sum > u128::from(pay.minor())
    {
        let says = format!("{sum} minor units could be asked for, which is more than {pay}");
        found.add(Lint::Bound, "need.pay", says);
    }
}
