//! Where a deal under terms stands, and how it goes on: the rules MOVE, NOTHING and LATE.

use std::{collections::BTreeMap, fmt::Write as _};

use semper_supporting::{
    crypto::digest::Digest,
    money::{Currency, Money},
    time::{Moment, Span},
};
use serde::{Deserialize, Serialize};

use crate::service::statechart::{Final, Item, Move, State, Statechart};

/// How often a move may end with nothing in one visit of a state.
pub const ATTEMPTS: u32 = 5;
/// By how much the clocks of two parties may differ before a deadline is missed.
pub const SKEW: Span = Span::seconds(120);

/// Where a deal stands. Both sides compute the same one, and name it in every frame.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Configuration {
    terms: Digest,
    place: String,
    entered: Moment,
    forms: BTreeMap<String, Digest>,
    counts: BTreeMap<String, u32>,
    attempts: BTreeMap<String, u32>,
    ledger: BTreeMap<String, BTreeMap<Currency, i64>>,
    held: BTreeMap<String, Digest>,
}

/// What a move that was done has brought about.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Done {
    /// The forms that it bound, each with the root of what was filled in.
    pub forms: BTreeMap<String, Digest>,
    /// The items that moved, by name, each with its hash.
    pub items: BTreeMap<String, Digest>,
    /// The money among them, by name.
    pub money: BTreeMap<String, Money>,
}

/// Why a move cannot be made where the deal stands.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotEnabled {
    /// The terms have no such move.
    #[error("there is no move {0}")]
    Unknown(String),
    /// It starts from another state.
    #[error("the deal does not stand where this can be done")]
    Elsewhere,
    /// Somebody else starts it.
    #[error("it is not theirs to start")]
    NotTheirs,
    /// It was made as often as it may be.
    #[error("it was done as often as the terms allow")]
    Exhausted,
    /// It ended with nothing too often.
    #[error("it came to nothing {ATTEMPTS} times")]
    TooManyAttempts,
}

impl Configuration {
    /// Where a deal under the terms of this hash begins.
    pub fn start(chart: &Statechart, terms: Digest, opened: Moment) -> Self {
        Self {
            terms,
            place: chart.start.clone(),
            entered: opened.whole_seconds(),
            forms: BTreeMap::new(),
            counts: BTreeMap::new(),
            attempts: BTreeMap::new(),
            ledger: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }

    /// The state or end where the deal stands.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Since when.
    pub fn entered(&self) -> Moment {
        self.entered
    }

    /// How often each move was made.
    pub fn counts(&self) -> &BTreeMap<String, u32> {
        &self.counts
    }

    /// The root of what was filled in of a form.
    pub fn form(&self, name: &str) -> Option<Digest> {
        self.forms.get(name).copied()
    }

    /// The hash of an item that has moved.
    pub fn item(&self, name: &str) -> Option<Digest> {
        self.held.get(name).copied()
    }

    /// What `party` has received more than given, in minor units.
    pub fn balance(&self, party: &str, currency: Currency) -> i64 {
        self.ledger.get(party).and_then(|sums| sums.get(&currency)).copied().unwrap_or(0)
    }

    /// The end at which the deal has arrived, if it has.
    pub fn end<'a>(&self, chart: &'a Statechart) -> Option<&'a Final> {
        chart.finals.get(&self.place)
    }

    /// The state where it stands, if it has not ended.
    pub fn state<'a>(&self, chart: &'a Statechart) -> Option<&'a State> {
        chart.states.get(&self.place)
    }

    /// The name of this configuration in frames: SHA-256 of its text.
    pub fn conf(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }

    /// Its text: a line for each thing that both sides know, sorted by their bytes, what is zero left out.
    pub fn text(&self) -> String {
        let mut lines = vec![
            format!("terms: {}", self.terms),
            format!("state: {}", self.place),
            format!("entered: {}", self.entered),
        ];
        lines.extend(self.forms.iter().map(|(name, root)| format!("form/{name}: {root}")));
        let counts = self.counts.iter().filter(|(_, times)| **times > 0);
        lines.extend(counts.map(|(name, times)| format!("count/{name}: {times}")));
        for (party, sums) in &self.ledger {
            let sums = sums.iter().filter(|(_, sum)| **sum != 0);
            lines.extend(sums.map(|(currency, sum)| format!("ledger/{party}/{currency}: {sum}")));
        }
        lines.sort_unstable();
        let mut text = "semper-conf/1\n".to_owned();
        for line in lines {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// Whether `party` may start `name` here, as far as counters and places say.
    ///
    /// # Errors
    /// [`NotEnabled`] for the first reason that it may not.
    pub fn allows<'a>(&self, chart: &'a Statechart, name: &str, party: &str) -> Result<&'a Move, NotEnabled> {
        let one = chart.moves.get(name).ok_or_else(|| NotEnabled::Unknown(name.to_owned()))?;
        if one.from != self.place {
            return Err(NotEnabled::Elsewhere);
        }
        if one.by != party {
            return Err(NotEnabled::NotTheirs);
        }
        let times = |of: &BTreeMap<String, u32>| of.get(name).copied().unwrap_or(0);
        if one.max.is_some_and(|max| times(&self.counts) >= max) {
            return Err(NotEnabled::Exhausted);
        }
        if times(&self.attempts) >= ATTEMPTS {
            return Err(NotEnabled::TooManyAttempts);
        }
        Ok(one)
    }

    /// MOVE: `name` was done at `at`. Nothing if the deal does not stand where it starts, or if money moved that
    /// cannot be counted.
    pub fn moved(&self, chart: &Statechart, name: &str, done: &Done, at: Moment) -> Option<Self> {
        let one = chart.moves.get(name).filter(|one| one.from == self.place)?;
        let mut next = self.clone();
        for (item, money) in &done.money {
            let Item::Money { from, to, .. } = chart.items.get(item)? else { return None };
            let sum = i64::try_from(money.minor()).ok()?;
            next.book(from, money.currency, sum.checked_neg()?)?;
            next.book(to, money.currency, sum)?;
        }
        next.forms.extend(done.forms.clone());
        next.held.extend(done.items.clone());
        *next.counts.entry(name.to_owned()).or_default() += 1;
        next.enter(&one.to, at);
        Some(next)
    }

    /// NOTHING: `name` ended at `at` with nothing. Nothing if the deal does not stand where it starts.
    pub fn came_to_nothing(&self, chart: &Statechart, name: &str, at: Moment) -> Option<Self> {
        let one = chart.moves.get(name).filter(|one| one.from == self.place)?;
        let mut next = self.clone();
        if one.fail == self.place {
            *next.attempts.entry(name.to_owned()).or_default() += 1;
        } else {
            next.enter(&one.fail, at);
        }
        Some(next)
    }

    /// Until when the deal stands here; `until` is what the state's expression gives. Nothing at an end.
    pub fn deadline(&self, chart: &Statechart, until: Option<Moment>) -> Option<Moment> {
        let limit = self.entered.after(self.state(chart)?.limit.span());
        Some(until.map_or(limit, |until| until.min(limit)))
    }

    /// LATE: where the deal is once its deadline has passed by [`SKEW`]; nothing before that. Whoever asks has
    /// made sure that nothing of the deal is under way.
    pub fn late(&self, chart: &Statechart, until: Option<Moment>, now: Moment) -> Option<Self> {
        let deadline = self.deadline(chart, until)?;
        if now < deadline.after(SKEW) {
            return None;
        }
        let mut next = self.clone();
        next.enter(&self.state(chart)?.late, deadline);
        Some(next)
    }

    fn enter(&mut self, place: &str, at: Moment) {
        self.place = place.to_owned();
        self.entered = at.whole_seconds();
        self.attempts.clear();
    }

    fn book(&mut self, party: &str, currency: Currency, sum: i64) -> Option<()> {
        let balance = self.ledger.entry(party.to_owned()).or_default().entry(currency).or_default();
        *balance = balance.checked_add(sum)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::shipped;

    const OPENED: Moment = Moment::from_millis(1_772_359_200_000);

    fn chart() -> Statechart {
        shipped::service("info-play.toml").unwrap()
    }

    fn start() -> Configuration {
        Configuration::start(&chart(), Digest::of(b"terms"), OPENED)
    }

    fn later(seconds: u64) -> Moment {
        OPENED.after(Span::seconds(seconds))
    }

    /// The deal after an enquiry and an offer.
    fn offered() -> Configuration {
        let form = Done { forms: [("order".to_owned(), Digest::of(b"form"))].into(), ..Done::default() };
        let asked = start().moved(&chart(), "sale.ask", &form, later(5)).unwrap();
        asked.moved(&chart(), "sale.offer", &Done::default(), later(6)).unwrap()
    }

    fn paid(sum: &str) -> Done {
        Done { money: [("buy.price".to_owned(), Money::parse(sum).unwrap())].into(), ..Done::default() }
    }

    #[test]
    fn the_text_says_all_that_both_sides_know_and_nothing_that_is_zero() {
        assert_eq!(
            start().text(),
            format!(
                "semper-conf/1\nentered: 2026-03-01T10:00:00Z\nstate: sale.form\nterms: {}\n",
                Digest::of(b"terms")
            )
        );
        let due = offered().moved(&chart(), "sale.order", &Done::default(), later(9)).unwrap();
        let end = due.moved(&chart(), "buy.buy", &paid("XTS 6.00"), later(12)).unwrap();
        assert_eq!(
            end.text(),
            format!(
                "semper-conf/1\ncount/buy.buy: 1\ncount/sale.ask: 1\ncount/sale.offer: 1\ncount/sale.order: 1\n\
                 entered: 2026-03-01T10:00:12Z\nform/order: {}\nledger/buyer/XTS: -600\nledger/seller/XTS: 600\n\
                 state: delivered\nterms: {}\n",
                Digest::of(b"form"),
                Digest::of(b"terms")
            )
        );
        assert_eq!(end.end(&chart()).map(|end| end.good), Some(true));
        assert_eq!(end.conf(), Digest::of(end.text().as_bytes()));
    }

    #[test]
    fn a_move_is_allowed_to_whoever_starts_it_where_it_starts() {
        let (chart, start) = (chart(), start());
        assert!(start.allows(&chart, "sale.ask", "buyer").is_ok());
        assert_eq!(start.allows(&chart, "sale.ask", "seller"), Err(NotEnabled::NotTheirs));
        assert_eq!(start.allows(&chart, "buy.buy", "buyer"), Err(NotEnabled::Elsewhere));
        assert_eq!(start.allows(&chart, "steal", "buyer"), Err(NotEnabled::Unknown("steal".into())));
        assert_eq!(start.moved(&chart, "buy.buy", &Done::default(), later(1)), None);
    }

    #[test]
    fn a_move_that_comes_to_nothing_five_times_is_over_for_this_visit() {
        let chart = chart();
        let mut due = offered().moved(&chart, "sale.order", &Done::default(), later(9)).unwrap();
        let entered = due.entered();
        for _ in 0..ATTEMPTS {
            assert!(due.allows(&chart, "buy.buy", "buyer").is_ok());
            due = due.came_to_nothing(&chart, "buy.buy", later(60)).unwrap();
            assert_eq!((due.place(), due.entered()), ("buy.due", entered), "time goes on");
        }
        assert_eq!(due.allows(&chart, "buy.buy", "buyer"), Err(NotEnabled::TooManyAttempts));
    }

    #[test]
    fn who_is_late_is_late_after_the_grace_and_from_the_deadline_on() {
        let (chart, start) = (chart(), start());
        let deadline = start.deadline(&chart, None).unwrap();
        assert_eq!(deadline, later(3600));
        assert_eq!(start.late(&chart, None, later(3600 + 119)), None);
        let late = start.late(&chart, None, later(3600 + 120)).unwrap();
        assert_eq!((late.place(), late.entered()), ("lapsed", deadline));
        assert_eq!(late.late(&chart, None, later(1_000_000)), None, "an end does not end again");
        // An earlier time that the terms compute counts, a later one does not.
        assert_eq!(start.deadline(&chart, Some(later(10))), Some(later(10)));
        assert_eq!(start.deadline(&chart, Some(later(9999))), Some(later(3600)));
    }

    #[test]
    fn money_that_cannot_be_counted_moves_nothing() {
        let due = offered().moved(&chart(), "sale.order", &Done::default(), later(9)).unwrap();
        let unknown = Done {
            money: [("sale.offer".to_owned(), Money::parse("XTS 1.00").unwrap())].into(),
            ..Done::default()
        };
        assert_eq!(due.moved(&chart(), "buy.buy", &unknown, later(10)), None);
    }
}
