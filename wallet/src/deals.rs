//! The deals as far as the journal tells of them: which there are, and what happened last in each.

use std::collections::BTreeMap;

use semper_supporting::{archive::journal::Class, deal::DealId, time::Moment};
use semper_tinguin::{
    texts::{Msg, Texts},
    views::{
        DealKey,
        home::{Deal, EndedDeal, Ending, NextStep},
    },
    widgets::stepper::Steps,
};

use crate::lines::{Seen, civil, short};

/// The deals of the journal.
#[derive(Clone, Debug, Default)]
pub struct Book {
    keys: BTreeMap<DealId, DealKey>,
    deals: BTreeMap<DealKey, Standing>,
}

#[derive(Clone, Debug)]
struct Standing {
    deal: DealId,
    at: Moment,
    last: String,
    asks_user: bool,
    ended: bool,
}

/// The statement with which a party closes a deal.
const CLOSE: &str = "deal-close";

impl Book {
    /// The key by which the window knows a deal; a new one where it is new.
    pub fn key(&mut self, deal: DealId) -> DealKey {
        let next = DealKey(u64::try_from(self.keys.len()).unwrap_or(u64::MAX));
        *self.keys.entry(deal).or_insert(next)
    }

    /// Takes a line of the journal into account.
    pub fn observe(&mut self, seen: &Seen) {
        let Some(deal) = seen.line.deal else { return };
        let key = self.key(deal);
        let kind = &seen.line.kind;
        let ended = self.deals.get(&key).is_some_and(|standing| standing.ended);
        let closes = matches!(kind.class(), Class::Sent | Class::Received) && kind.detail() == CLOSE;
        let standing = Standing {
            deal,
            at: Moment::from_seconds(seen.line.at),
            last: kind.detail().to_owned(),
            asks_user: kind.class() == Class::AskedUser,
            ended: ended || closes,
        };
        self.deals.insert(key, standing);
    }

    /// The deals in progress, the one with the newest line first.
    pub fn open(&self, texts: &Texts) -> Vec<Deal> {
        let line = |(key, standing): (DealKey, &Standing)| {
            let party = if standing.asks_user { Msg::BookYou } else { Msg::BookOther };
            Deal {
                key,
                title: standing.title(texts),
                amount: None,
                next: NextStep::Wait { party: texts.get(party) },
                deadline: None,
                steps: Steps { names: vec![standing.last.clone()], done: 0 },
                anonymity: None,
            }
        };
        self.sorted(false).into_iter().map(line).collect()
    }

    /// The deals that ended, the latest first.
    pub fn ended(&self, texts: &Texts) -> Vec<EndedDeal> {
        let line = |(key, standing): (DealKey, &Standing)| EndedDeal {
            key,
            at: civil(standing.at),
            title: standing.title(texts),
            amount: None,
            how: Ending::Closed,
        };
        self.sorted(true).into_iter().map(line).collect()
    }

    /// All deals by key and title, for choosing one.
    pub fn titles(&self, texts: &Texts) -> Vec<(DealKey, String)> {
        self.deals.iter().map(|(key, standing)| (*key, standing.title(texts))).collect()
    }

    fn sorted(&self, ended: bool) -> Vec<(DealKey, &Standing)> {
        let mut found: Vec<_> =
            self.deals.iter().filter(|(_, s)| s.ended == ended).map(|(key, s)| (*key, s)).collect();
        found.sort_by_key(|(_, standing)| std::cmp::Reverse(standing.at));
        found
    }
}

impl Standing {
    fn title(&self, texts: &Texts) -> String {
        texts.get(Msg::BookTitle { short: &short(self.deal) })
    }
}

#[cfg(test)]
mod tests {
    use semper_supporting::archive::journal::{Chain, Entry, Kind};

    use super::*;
    use crate::lines::Signed;

    fn book(lines: &[(u8, &str)]) -> Book {
        let mut chain = Chain::EMPTY;
        let mut book = Book::default();
        for (at, (deal, kind)) in (1_u64..).zip(lines) {
            let entry = Entry {
                at: Moment::from_seconds(at),
                kind: Kind::parse(kind).unwrap(),
                deal: (*deal != 0).then(|| DealId::from_bytes([*deal; 32])),
                salt: [0; 32],
                payload: Vec::new(),
            };
            let line = chain.append(&entry);
            book.observe(&Seen { line, payload: Vec::new(), signed: Signed::Unknown });
        }
        book
    }

    #[test]
    fn lines_are_grouped_by_deal_and_the_newest_deal_comes_first() {
        let texts = Texts::english();
        let lines = [
            (1, "sent/deal-propose"),
            (0, "config/setting"),
            (2, "sent/deal-propose"),
            (1, "received/offer"),
        ];
        let deals = book(&lines).open(&texts);
        let shown: Vec<_> = deals.iter().map(|deal| (deal.title.as_str(), deal.steps.present())).collect();
        assert_eq!(shown, [("Deal 01010101", "offer"), ("Deal 02020202", "deal-propose")]);
        assert_eq!(deals[0].next, NextStep::Wait { party: "the other party".into() });
    }

    #[test]
    fn a_question_to_the_user_waits_for_the_user() {
        let deals = book(&[(1, "received/offer"), (1, "asked-user/Prompted")]).open(&Texts::english());
        assert_eq!(deals[0].next, NextStep::Wait { party: "you".into() });
    }

    #[test]
    fn a_closed_deal_has_ended_whatever_comes_after_it() {
        let book = book(&[(1, "sent/deal-close"), (2, "sent/order"), (1, "anchor/timestamp")]);
        assert_eq!(book.open(&Texts::english()).len(), 1);
        let ended = book.ended(&Texts::english());
        assert_eq!((ended.len(), ended[0].title.as_str()), (1, "Deal 01010101"));
    }
}
