//! The deals as the window knows them: from the ledger, and where that does not know one, from the lines of the
//! journal alone.

use std::collections::BTreeMap;

use semper_supporting::{
    archive::journal::Class,
    deal::DealId,
    money::Money,
    time::Moment,
    tinguin::text::{Quote, Untrusted},
};
use semper_tinguin::{
    format::Amount,
    texts::{Msg, Texts},
    views::{
        DealKey,
        home::{Deadline, Deal, EndedDeal, Ending, NextStep, PurseLine},
    },
    widgets::{chip::Anonymity, stepper::Steps},
};
use semper_transfer::payment::{Purse, purse::PurseState};

use crate::{
    ledger::{Ledger, Sale},
    lines::{Seen, civil, short},
};

/// The deals, the sales and the purses.
#[derive(Clone, Debug, Default)]
pub struct Book {
    next: u64,
    keys: BTreeMap<DealId, DealKey>,
    instances: BTreeMap<Vec<u8>, DealKey>,
    /// What lines tell of a deal.
    told: BTreeMap<DealKey, Standing>,
    /// What the ledger tells, the sale that changed last first.
    sales: Vec<(DealKey, Sale)>,
    purses: Vec<Purse>,
}

#[derive(Clone, Debug)]
struct Standing {
    deal: DealId,
    at: Moment,
    last: String,
    asks_user: bool,
    ended: bool,
}

/// Who somebody is to whom something went or from whom it came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Party {
    /// The third party of an exchange.
    Arbiter,
    /// A bank.
    Bank,
    /// The other side of a deal.
    Other,
}

/// The statement with which a party closes a deal.
const CLOSE: &str = "deal-close";
/// How many deals that ended are shown at most.
const RECENT: usize = 8;

impl Book {
    /// The key by which the window knows a deal; a new one where it is new.
    pub fn key(&mut self, deal: DealId) -> DealKey {
        if let Some(key) = self.keys.get(&deal) {
            return *key;
        }
        let key = self.fresh();
        self.keys.insert(deal, key);
        key
    }

    /// The key of the sale with this instance of the engine, if the ledger knows it.
    pub fn key_of(&self, instance: &[u8]) -> Option<DealKey> {
        self.instances.get(instance).copied()
    }

    fn fresh(&mut self) -> DealKey {
        let key = DealKey(self.next);
        self.next = self.next.saturating_add(1);
        key
    }

    /// Takes the newest ledger in place of the one before.
    pub fn learn(&mut self, ledger: Ledger) {
        self.purses = ledger.purses;
        self.sales = Vec::with_capacity(ledger.sales.len());
        for sale in ledger.sales {
            let known = self.key_of(&sale.entry.id);
            let key = match (known, sale.entry.deal) {
                (Some(key), _) => key,
                (None, Some(deal)) => self.key(deal),
                (None, None) => self.fresh(),
            };
            self.instances.insert(sale.entry.id.clone(), key);
            if let Some(deal) = sale.entry.deal {
                self.keys.insert(deal, key);
            }
            self.sales.push((key, sale));
        }
    }

    /// Takes a line of the journal into account.
    pub fn observe(&mut self, seen: &Seen) {
        let Some(deal) = seen.line.deal else { return };
        let key = self.key(deal);
        let kind = &seen.line.kind;
        let ended = self.told.get(&key).is_some_and(|standing| standing.ended);
        let closes = matches!(kind.class(), Class::Sent | Class::Received) && kind.detail() == CLOSE;
        let standing = Standing {
            deal,
            at: Moment::from_seconds(seen.line.at),
            last: kind.detail().to_owned(),
            asks_user: kind.class() == Class::AskedUser,
            ended: ended || closes,
        };
        self.told.insert(key, standing);
    }

    /// What somebody is called in lines of a deal: by the certified name where it is known.
    pub fn name(&self, party: Party, deal: Option<DealKey>, texts: &Texts) -> String {
        match party {
            Party::Arbiter => texts.get(Msg::BookArbiter),
            Party::Bank => self.bank().unwrap_or_else(|| texts.get(Msg::BookBank)),
            Party::Other => {
                let sale = deal.and_then(|key| self.sale_of(key));
                sale.and_then(Sale::peer).unwrap_or_else(|| texts.get(Msg::BookOther))
            }
        }
    }

    /// What a deal is about, as a quotation where it is known.
    pub fn item(&self, deal: Option<DealKey>, texts: &Texts) -> String {
        let sale = deal.and_then(|key| self.sale_of(key));
        let title = sale.and_then(Sale::title);
        title.map_or_else(|| texts.get(Msg::ToldItem), |title| texts.get(Msg::BookItem { title: &title }))
    }

    /// The name of the one bank where all purses are.
    fn bank(&self) -> Option<String> {
        let (first, others) = self.purses.split_first()?;
        let name = &first.system.scheme;
        others.iter().all(|purse| purse.system.scheme == *name).then(|| shown(name, Quote::Line)).flatten()
    }

    fn sale_of(&self, key: DealKey) -> Option<&Sale> {
        self.sales.iter().find(|(one, _)| *one == key).map(|(_, sale)| sale)
    }

    /// The deals in progress at the moment `now`, the one that changed last first.
    pub fn open(&self, texts: &Texts, now: Moment) -> Vec<Deal> {
        let sales = self.sales.iter().filter(|(_, sale)| !sale.has_ended());
        let sales = sales.map(|(key, sale)| sale.row(*key, self, texts, now));
        let told = self.told(false).into_iter().map(|(key, standing)| standing.row(key, texts));
        sales.chain(told).collect()
    }

    /// The deals that ended lately, the latest first.
    pub fn ended(&self, texts: &Texts) -> Vec<EndedDeal> {
        let sales = self.sales.iter().filter(|(_, sale)| sale.has_ended());
        let sales = sales.map(|(key, sale)| sale.ended(*key, texts));
        let told = self.told(true).into_iter().map(|(key, standing)| EndedDeal {
            key,
            at: civil(standing.at),
            title: standing.title(texts),
            amount: None,
            how: Ending::Closed,
        });
        sales.chain(told).take(RECENT).collect()
    }

    /// All deals by key and title, for choosing one: those of the ledger first.
    pub fn titles(&self, texts: &Texts) -> Vec<(DealKey, String)> {
        let sales = self.sales.iter().map(|(key, sale)| (*key, sale.name(texts)));
        let told = self.told.iter().filter(|(key, _)| self.sale_of(**key).is_none());
        sales.chain(told.map(|(key, standing)| (*key, standing.title(texts)))).collect()
    }

    /// The purses that are open, in the user's order.
    pub fn purses(&self) -> Vec<PurseLine> {
        let open = self.purses.iter().filter(|purse| purse.state != PurseState::Deleted);
        (0_u64..)
            .zip(open)
            .map(|(key, purse)| PurseLine {
                key,
                name: purse.name.clone(),
                balance: Some(amount(purse.available())),
                history: Vec::new(),
            })
            .collect()
    }

    /// Whether the money in the purses is play money.
    pub fn plays(&self) -> bool {
        self.purses.iter().any(|purse| purse.currency().is_play())
    }

    /// How many sales are open.
    pub fn sales(&self) -> usize {
        self.sales.iter().filter(|(_, sale)| !sale.entry.closed).count()
    }

    /// How many questions wait for the user.
    pub fn questions(&self) -> u32 {
        let asking = self.sales.iter().filter(|(_, sale)| sale.asks).count();
        u32::try_from(asking).unwrap_or(u32::MAX)
    }

    /// The deals that only lines tell of.
    fn told(&self, ended: bool) -> Vec<(DealKey, &Standing)> {
        let told = self.told.iter().filter(|(key, s)| s.ended == ended && self.sale_of(**key).is_none());
        let mut found: Vec<_> = told.map(|(key, standing)| (*key, standing)).collect();
        found.sort_by_key(|(_, standing)| std::cmp::Reverse(standing.at));
        found
    }
}

impl Sale {
    /// Whether money and goods are where they stay. The other side may still have to say that it knows.
    const fn has_ended(&self) -> bool {
        self.entry.closed || self.entry.outcome.is_some()
    }

    /// The other side's certified name.
    fn peer(&self) -> Option<String> {
        shown(self.entry.peer.as_deref()?, Quote::Line)
    }

    /// What is sold, in the seller's words.
    fn title(&self) -> Option<String> {
        shown(self.entry.title.as_deref()?, Quote::Item)
    }

    fn name(&self, texts: &Texts) -> String {
        match (self.peer(), self.title()) {
            (Some(peer), Some(title)) => format!("{peer} · {title}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => match self.entry.deal {
                Some(deal) => texts.get(Msg::BookTitle { short: &short(deal) }),
                None => texts.get(Msg::BookNew),
            },
        }
    }

    fn row(&self, key: DealKey, book: &Book, texts: &Texts, now: Moment) -> Deal {
        let party = match self.entry.step.as_str() {
            _ if self.asks => texts.get(Msg::BookYou),
            "paying" => book.name(Party::Bank, Some(key), texts),
            "arbitrating" => book.name(Party::Arbiter, Some(key), texts),
            _ => book.name(Party::Other, Some(key), texts),
        };
        let deadline = self.until.map(|until| {
            let left = until.since(now).as_millis().div_euclid(1000);
            Deadline { at: civil(until), left: (left > 0).then_some(left) }
        });
        // Everything is bought under the certified name, which opening the deal has told the shop.
        let known = self.entry.deal.and_then(|_| self.peer());
        Deal {
            key,
            title: self.name(texts),
            amount: Some(amount(self.entry.price)),
            next: NextStep::Wait { party },
            deadline,
            steps: self.steps(texts),
            anonymity: known.map(|shop| Anonymity::Identified { shop }),
        }
    }

    fn steps(&self, texts: &Texts) -> Steps {
        let names =
            [Msg::StepOpening, Msg::StepOffer, Msg::StepAgreement, Msg::StepPayment, Msg::StepDelivery];
        let names: Vec<String> = names.into_iter().map(|name| texts.get(name)).collect();
        let done = match self.entry.step.as_str() {
            "offering" => 1,
            "deciding" => 2,
            "paying" => 3,
            "delivering" => 4,
            "arbitrating" => 3_usize.saturating_add(usize::from(self.entry.paid)),
            "ended" => names.len(),
            _ => 0,
        };
        Steps { names, done }
    }

    fn ended(&self, key: DealKey, texts: &Texts) -> EndedDeal {
        let outcome = self.entry.outcome.as_deref().unwrap_or_default();
        let how = match outcome {
            "done" => Ending::Completed,
            "returned" | "nothing" => Ending::Undone,
            "disputed" => Ending::Broken { party: self.peer().unwrap_or_else(|| texts.get(Msg::BookOther)) },
            // The code is the same whoever declined.
            DECLINED => Ending::Told { what: texts.get(Msg::S08EndedEither) },
            "" => Ending::Closed,
            code => match texts.told(code, &[]) {
                Some(told) => Ending::Told { what: told.what },
                None => Ending::Undone,
            },
        };
        let at = civil(self.entry.changed);
        let amount = self.entry.paid.then(|| amount(self.entry.price));
        EndedDeal { key, at, title: self.name(texts), amount, how }
    }
}

/// The code of a sale that one side declined.
const DECLINED: &str = "deal.declined";

impl Standing {
    fn title(&self, texts: &Texts) -> String {
        texts.get(Msg::BookTitle { short: &short(self.deal) })
    }

    fn row(&self, key: DealKey, texts: &Texts) -> Deal {
        let party = if self.asks_user { Msg::BookYou } else { Msg::BookOther };
        Deal {
            key,
            title: self.title(texts),
            amount: None,
            next: NextStep::Wait { party: texts.get(party) },
            deadline: None,
            steps: Steps { names: vec![self.last.clone()], done: 0 },
            anonymity: None,
        }
    }
}

/// A name or title that others chose, if it can be shown to a person.
pub(crate) fn shown(text: &str, kind: Quote) -> Option<String> {
    let quoted = Untrusted::new(text).quote(kind).ok()?;
    let mut line = String::new();
    quoted.draw(|paragraph| line.push_str(paragraph));
    Some(line)
}

fn amount(money: Money) -> Amount {
    let minor = i64::try_from(money.minor()).unwrap_or(i64::MAX);
    Amount::new(minor, u8::try_from(money.currency.digits()).unwrap_or_default(), money.currency.code())
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
            book.observe(&Seen { line, payload: Vec::new(), signed: Signed::Unknown, signer: None });
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
        let deals = book(&lines).open(&texts, Moment::from_seconds(9));
        let shown: Vec<_> = deals.iter().map(|deal| (deal.title.as_str(), deal.steps.present())).collect();
        assert_eq!(shown, [("Deal 01010101", "offer"), ("Deal 02020202", "deal-propose")]);
        assert_eq!(deals[0].next, NextStep::Wait { party: "the other party".into() });
    }

    #[test]
    fn a_question_to_the_user_waits_for_the_user() {
        let deals = book(&[(1, "received/offer"), (1, "asked-user/Prompted")])
            .open(&Texts::english(), Moment::from_seconds(9));
        assert_eq!(deals[0].next, NextStep::Wait { party: "you".into() });
    }

    #[test]
    fn a_closed_deal_has_ended_whatever_comes_after_it() {
        let book = book(&[(1, "sent/deal-close"), (2, "sent/order"), (1, "anchor/timestamp")]);
        assert_eq!(book.open(&Texts::english(), Moment::from_seconds(9)).len(), 1);
        let ended = book.ended(&Texts::english());
        assert_eq!((ended.len(), ended[0].title.as_str()), (1, "Deal 01010101"));
    }

    fn sale(id: u8, deal: Option<u8>, step: &str, outcome: Option<&str>) -> Sale {
        let entry = semper_trade::sale::Entry {
            id: vec![id],
            side: semper_trade::sale::Side::Buyer,
            deal: deal.map(|deal| DealId::from_bytes([deal; 32])),
            peer: Some("Otto Shop".into()),
            tls: None,
            at: None,
            article: None,
            item: None,
            title: Some("An introduction".into()),
            price: Money::parse("XTS 12.50").unwrap(),
            step: step.into(),
            told: None,
            outcome: outcome.map(str::to_owned),
            paid: outcome == Some("done"),
            delivered: false,
            closed: outcome.is_some(),
            opened: Moment::from_seconds(1),
            changed: Moment::from_seconds(u64::from(id)),
        };
        Sale { entry, asks: false, until: None }
    }

    #[test]
    fn a_sale_of_the_ledger_is_named_by_shop_and_article_and_its_lines_are_its_own() {
        let (texts, now) = (Texts::english(), Moment::from_seconds(9));
        let mut book = book(&[(1, "sent/deal-propose")]);
        let asking =
            Sale { asks: true, until: Some(Moment::from_seconds(69)), ..sale(7, Some(1), "deciding", None) };
        book.learn(Ledger { sales: vec![asking, sale(8, None, "opening", None)], purses: Vec::new() });
        let open = book.open(&texts, now);
        let shown: Vec<_> = open.iter().map(|deal| (deal.title.as_str(), deal.steps.present())).collect();
        let title = "Otto Shop · An introduction";
        assert_eq!(shown, [(title, "Agreement"), (title, "Opening")]);
        assert_eq!(open[0].next, NextStep::Wait { party: "you".into() });
        assert_eq!(open[0].deadline.as_ref().and_then(|deadline| deadline.left), Some(60));
        assert_eq!((book.questions(), book.sales()), (1, 2));
        // What was known by its lines first keeps its key, also when its steps tell only the instance.
        assert_eq!(Some(book.key(DealId::from_bytes([1; 32]))), book.key_of(&[7]));
        assert_eq!(book.name(Party::Other, book.key_of(&[8]), &texts), "Otto Shop");
        assert_eq!(book.item(book.key_of(&[7]), &texts), "“An introduction”");
    }

    #[test]
    fn a_sale_that_ended_says_how() {
        let texts = Texts::english();
        let how = |outcome| {
            let mut book = Book::default();
            let mut decided = sale(1, Some(1), "ended", Some(outcome));
            // The other side has not said that it knows.
            decided.entry.closed = false;
            book.learn(Ledger { sales: vec![decided], purses: Vec::new() });
            assert!(book.open(&texts, Moment::from_seconds(9)).is_empty());
            book.ended(&texts).remove(0).how
        };
        let party = "Otto Shop".to_owned();
        assert_eq!(how("done"), Ending::Completed);
        assert_eq!(how("nothing"), Ending::Undone);
        assert_eq!(how("disputed"), Ending::Broken { party });
        assert_eq!(how("deal.declined"), Ending::Told { what: "declined".into() });
        let what = "The price is above what may leave in this deal".to_owned();
        assert_eq!(how("deal.ceiling"), Ending::Told { what });
    }

    #[test]
    fn a_name_that_would_deceive_the_eye_is_not_shown() {
        assert_eq!(shown("Otto\u{202e}pohS", Quote::Line), None);
    }
}
