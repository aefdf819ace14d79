//! Each of the ten checks stops a rogue merchant or a rogue buyer, and an honest purchase passes all of them.

#![cfg(test)]

use std::collections::BTreeMap;

use semper_commerce::{
    runner::{Answer, Attempt, Breach, Fixed, Monitor, Moving, SKEW, Terms},
    service::{
        check::Stage,
        form::{ContentId, Descriptor, FormValues, Proofs, Salt, Value},
        shipped,
    },
};
use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    deal::DealId,
    fault::Fault as _,
    money::Money,
    time::{Moment, Span},
};
use semper_transfer::statement::{InDeal, ItemType, Lines};

const OPENED: Moment = Moment::from_millis(1_772_359_200_000);
const CONSENT: &str = "prose/no-withdrawal-after-download";

fn at(seconds: u64) -> Moment {
    OPENED.after(Span::seconds(seconds))
}

fn kid(party: &str) -> Kid {
    Kid::from_bytes(*Digest::of(party.as_bytes()).as_bytes())
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn goods() -> Descriptor {
    Descriptor {
        media: "application/pdf".into(),
        length: 5,
        content: ContentId::Bytes(Digest::of(b"goods")),
        title: "Drying of ink".into(),
    }
}

/// Both sides of one purchase of a document for play money.
struct Trade {
    terms: Terms,
    proofs: Proofs,
    buyer: Monitor,
    seller: Monitor,
}

impl Trade {
    fn open() -> Self {
        let chart = shipped::service("info-play.toml").unwrap();
        let terms = Terms::new(chart, Stage::Draft, Digest::of(b"terms")).unwrap();
        let fixed = Fixed {
            keys: ["buyer", "seller"].map(|party| (party.to_owned(), kid(party))).into(),
            accounts: [("seller".to_owned(), Digest::of(b"account"))].into(),
            ceiling: Some(money("XTS 50.00")),
            currency: Some(money("XTS 50.00").currency),
        };
        let text = Digest::of(b"You lose your right of withdrawal.");
        let proofs = Proofs { texts: [(CONSENT.to_owned(), [text].into())].into(), ..Proofs::default() };
        let side = |me| Monitor::open(&terms, me, fixed.clone(), OPENED);
        Self { buyer: side("buyer"), seller: side("seller"), proofs, terms }
    }

    /// The deal after the moves up to `last`, all of them honest.
    fn after(last: &str) -> Self {
        let mut trade = Self::open();
        for name in ["sale.ask", "sale.offer", "sale.order"] {
            let attempt = trade.honest(name);
            trade.goes(&attempt);
            if name == last {
                break;
            }
        }
        trade
    }

    /// `attempt` is made by its party, admitted by the other one, and done.
    fn goes(&mut self, attempt: &Attempt) {
        let now = attempt.at;
        let (by, other) = match attempt.by.as_str() {
            "buyer" => (&mut self.buyer, &mut self.seller),
            _ => (&mut self.seller, &mut self.buyer),
        };
        let ours = by.propose(&self.terms, attempt, &self.proofs, now).unwrap();
        let Ok(Answer::Admitted(theirs)) = other.admit(&self.terms, attempt, &self.proofs, now) else {
            panic!("{} is not admitted", attempt.name)
        };
        by.done(&self.terms, ours, now).unwrap();
        other.done(&self.terms, *theirs, now).unwrap();
        assert_eq!(self.buyer.configuration(), self.seller.configuration());
    }

    fn admit(&self, attempt: &Attempt, now: Moment) -> Result<Answer, Breach> {
        let other = if attempt.by == "buyer" { &self.seller } else { &self.buyer };
        other.admit(&self.terms, attempt, &self.proofs, now)
    }

    /// The form as `party` sends it, with `filled` beside what was bound before.
    fn form(&self, party: &str, filled: &[(&str, Value)]) -> FormValues {
        let empty = FormValues::empty("order");
        let mut form = self.buyer.form("order").cloned().unwrap_or(empty);
        let definition = self.terms.form("order").unwrap();
        for (name, value) in filled {
            let given = (Salt::from_bytes([7; 32]), value.clone());
            form.bind((definition, party), name, given, &self.proofs).unwrap();
        }
        form
    }

    fn enquiry(&self) -> FormValues {
        let consent = *self.proofs.texts[CONSENT].first().unwrap();
        self.form("buyer", &[("doc", Value::Text("A-1207".into())), ("waiver", Value::Consent(consent))])
    }

    fn priced(&self, price: &str) -> FormValues {
        self.form("seller", &[("price", Value::Money(money(price))), ("what", Value::Descriptor(goods()))])
    }

    /// The statement that is `item`, over what the terms say.
    fn statement(&self, item: &str, kind: ItemType, by: &str, over: (Vec<Digest>, Vec<Digest>)) -> Moving {
        let when = self.next();
        let lines = Lines {
            in_deal: InDeal {
                deal: Some(DealId::from_bytes([1; 32])),
                terms_sha256: Some(self.terms.sha256()),
                conf: Some(self.buyer.configuration().conf()),
                seq: 1,
                at: when,
                signer: kid(by),
                cert: Digest::of(by.as_bytes()),
                salt: None,
            },
            item: item.into(),
            form_sha256: over.0,
            over: over.1,
            binds: matches!(kind, ItemType::Offer | ItemType::Order),
            until: (kind == ItemType::Offer).then(|| when.after(Span::minutes(10))),
            text_sha256: None,
            locale: None,
            facts_profile: None,
        };
        let sha256 = Digest::of(format!("{lines:?}").as_bytes());
        Moving::Signature { kind, lines: Box::new(lines), sha256 }
    }

    /// When the next move is made: ten seconds after the last.
    fn next(&self) -> Moment {
        self.buyer.configuration().entered().after(Span::seconds(10))
    }

    fn honest(&self, name: &str) -> Attempt {
        let (by, forms, items) = match name {
            "sale.ask" => {
                let form = self.enquiry();
                let enquiry = Moving::Information { sha256: form.root(), descriptor: None };
                ("buyer", vec![form], vec![("sale.enquiry", enquiry)])
            }
            "sale.offer" => {
                let form = self.priced("XTS 6.00");
                let offer =
                    self.statement("sale.offer", ItemType::Offer, "seller", (vec![form.root()], vec![]));
                ("seller", vec![form], vec![("sale.offer", offer)])
            }
            "sale.order" => {
                let offer = self.buyer.configuration().item("sale.offer").unwrap();
                let order = self.statement("sale.order", ItemType::Order, "buyer", (vec![], vec![offer]));
                ("buyer", vec![], vec![("sale.order", order)])
            }
            "buy.buy" => {
                let price = Moving::Money { amount: money("XTS 6.00"), payee: Digest::of(b"account") };
                let what = Moving::Information { sha256: Digest::of(b"goods"), descriptor: Some(goods()) };
                ("buyer", vec![], vec![("buy.price", price), ("buy.goods", what)])
            }
            other => panic!("{other}"),
        };
        Attempt {
            name: name.into(),
            by: by.into(),
            conf: self.buyer.configuration().conf(),
            at: self.next(),
            signer: kid(by),
            forms,
            items: items.into_iter().map(|(name, item)| (name.to_owned(), item)).collect(),
        }
    }

    /// Checks that the honest attempt, changed so, is stopped by this code on the other side, and as a move of
    /// one's own before it is sent; and that nothing moves.
    fn stopped(&self, name: &str, code: &str, change: impl FnOnce(&mut Attempt)) {
        let mut attempt = self.honest(name);
        change(&mut attempt);
        let breach = self.admit(&attempt, attempt.at).unwrap_err();
        assert_eq!(breach.code(), code, "{name}: {breach}");
        let mut own = if attempt.by == "buyer" { self.buyer.clone() } else { self.seller.clone() };
        let before = own.clone();
        let fault = own.propose(&self.terms, &attempt, &self.proofs, attempt.at).unwrap_err();
        assert_eq!((fault.code(), fault.0.code()), ("bug.own-move", code));
        assert_eq!(own, before);
    }
}

fn lines<'a>(attempt: &'a mut Attempt, item: &str) -> &'a mut Lines {
    match attempt.items.get_mut(item) {
        Some(Moving::Signature { lines, .. }) => lines,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_honest_purchase_passes_on_both_sides_to_its_good_end() {
    let mut trade = Trade::after("sale.order");
    assert_eq!(trade.buyer.amount(&trade.terms, "buy.price"), Some(money("XTS 6.00")));
    let enabled: Vec<&str> =
        trade.buyer.enabled(&trade.terms, "buyer", trade.next()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(enabled, ["buy.buy"]);
    let buy = trade.honest("buy.buy");
    trade.goes(&buy);
    let end = trade.buyer.configuration().end(trade.terms.chart()).unwrap();
    assert!(end.good);
    assert_eq!(trade.seller.configuration().balance("seller", money("XTS 1.00").currency), 600);
    assert_eq!(trade.buyer.delivered(&trade.terms, "buy.goods", (5, Digest::of(b"goods"))), Ok(()));
}

#[test]
fn check_1_only_the_other_party_of_the_deal_is_heard() {
    let trade = Trade::open();
    let mut attempt = trade.honest("sale.ask");
    attempt.by = "third".into();
    assert_eq!(trade.seller.admit(&trade.terms, &attempt, &trade.proofs, attempt.at), Err(Breach::Sequence));
    let own = trade.honest("sale.ask");
    assert_eq!(trade.buyer.admit(&trade.terms, &own, &trade.proofs, own.at), Err(Breach::Sequence));
}

#[test]
fn check_2_a_move_from_another_configuration_is_a_fork() {
    Trade::after("sale.ask")
        .stopped("sale.offer", "deal.fork", |attempt| attempt.conf = Digest::of(b"other"));
    // An order of an earlier deal, replayed.
    let old = Trade::after("sale.offer").honest("sale.order");
    assert_eq!(Trade::open().admit(&old, at(1)), Err(Breach::Fork { step: 1 }));
}

#[test]
fn check_3_a_step_that_is_skipped_repeated_or_another_party_s_is_not_enabled() {
    let trade = Trade::after("sale.ask");
    trade.stopped("sale.offer", "terms.not-enabled", |attempt| attempt.name = "buy.buy".into());
    trade.stopped("sale.offer", "terms.not-enabled", |attempt| attempt.name = "sale.ask".into());
    trade.stopped("sale.offer", "terms.not-enabled", |attempt| attempt.name = "gift".into());
    let trade = Trade::after("sale.offer");
    trade.stopped("sale.order", "terms.not-enabled", |attempt| {
        attempt.by = "seller".into();
        attempt.signer = kid("seller");
    });
}

#[test]
fn check_4_after_the_deadline_and_its_grace_it_is_late_by_either_clock() {
    let trade = Trade::after("sale.offer");
    let last = trade.buyer.deadline(&trade.terms).unwrap().after(SKEW);
    trade.stopped("sale.order", "terms.late", |attempt| attempt.at = last);
    let mut early = trade.honest("sale.order");
    early.at = trade.next();
    assert_eq!(trade.admit(&early, last), Err(Breach::Late));
    let before = Moment::from_millis(last.millis() - 1);
    assert!(trade.admit(&early, before).is_ok());
    let mut buyer = trade.buyer.clone();
    assert!(!buyer.late(&trade.terms, before) && buyer.late(&trade.terms, last));
    assert_eq!(buyer.configuration().place(), "lapsed");
}

#[test]
fn check_5_fields_are_filled_in_once_by_whose_they_are() {
    let trade = Trade::open();
    trade.stopped("sale.ask", "terms.field", |attempt| {
        attempt.forms = vec![trade.form("buyer", &[("doc", Value::Text("A-1207".into()))])];
    });
    trade.stopped("sale.ask", "terms.field", |attempt| {
        let price = Value::Money(money("XTS 0.01"));
        attempt.forms = vec![trade.form("seller", &[("price", price)])];
    });
    trade.stopped("sale.ask", "terms.field", |attempt| attempt.forms.push(FormValues::empty("secrets")));
    // The shop changes what the buyer ordered.
    let trade = Trade::after("sale.ask");
    trade.stopped("sale.offer", "terms.field", |attempt| {
        let mut other = Trade::open();
        let consent = *other.proofs.texts[CONSENT].first().unwrap();
        let form =
            other.form("buyer", &[("doc", Value::Text("Z-9".into())), ("waiver", Value::Consent(consent))]);
        let mut ask = other.honest("sale.ask");
        ask.items
            .insert("sale.enquiry".into(), Moving::Information { sha256: form.root(), descriptor: None });
        ask.forms = vec![form];
        other.goes(&ask);
        attempt.forms = vec![other.priced("XTS 6.00")];
    });
}

#[test]
fn check_6_a_rule_of_the_form_that_does_not_hold_stops_the_offer() {
    let trade = Trade::after("sale.ask");
    trade.stopped("sale.offer", "terms.guard", |attempt| {
        let form = trade.priced("XTS 100.01");
        lines(attempt, "sale.offer").form_sha256 = vec![form.root()];
        attempt.forms = vec![form];
    });
}

#[test]
fn check_7_what_moves_is_exactly_what_the_terms_prescribe() {
    let trade = Trade::after("sale.order");
    let price =
        |amount: &str, account: &[u8]| Moving::Money { amount: money(amount), payee: Digest::of(account) };
    for item in [
        // One minor unit more or less, another currency, another account.
        price("XTS 6.01", b"account"),
        price("XTS 5.99", b"account"),
        price("EUR 6.00", b"account"),
        price("XTS 6.00", b"another account"),
    ] {
        trade
            .stopped("buy.buy", "terms.item", |attempt| drop(attempt.items.insert("buy.price".into(), item)));
    }
    trade.stopped("buy.buy", "terms.item", |attempt| drop(attempt.items.remove("buy.goods")));
    trade.stopped("buy.buy", "terms.item", |attempt| {
        let other = Descriptor { length: 6, ..goods() };
        let other = Moving::Information { sha256: Digest::of(b"goods"), descriptor: Some(other) };
        attempt.items.insert("buy.goods".into(), other);
    });
    trade.stopped("buy.buy", "terms.item", |attempt| {
        let stray = attempt.items["buy.price"].clone();
        attempt.items.insert("tip".into(), stray);
    });
    let trade = Trade::after("sale.offer");
    let changes: [fn(&mut Lines); 8] = [
        |lines| lines.over = vec![Digest::of(b"another offer")],
        |lines| lines.over.clear(),
        |lines| lines.form_sha256 = vec![Digest::of(b"a form")],
        |lines| lines.item = "sale.refusal".into(),
        |lines| lines.binds = false,
        |lines| lines.until = Some(OPENED),
        |lines| lines.in_deal.terms_sha256 = Some(Digest::of(b"other terms")),
        |lines| lines.in_deal.signer = kid("stranger"),
    ];
    for change in changes {
        trade.stopped("sale.order", "terms.item", |attempt| change(lines(attempt, "sale.order")));
    }
    // An offer that holds shorter than the terms say.
    let trade = Trade::after("sale.ask");
    trade.stopped("sale.offer", "terms.item", |attempt| {
        let lines = lines(attempt, "sale.offer");
        lines.until = Some(lines.in_deal.at.after(Span::minutes(1)));
    });
}

#[test]
fn check_8_nothing_is_paid_beyond_the_ceiling_of_the_deal() {
    let mut trade = Trade::open();
    for name in ["sale.ask", "sale.offer", "sale.order"] {
        let mut attempt = trade.honest(name);
        if name == "sale.offer" {
            let form = trade.priced("XTS 50.01");
            lines(&mut attempt, "sale.offer").form_sha256 = vec![form.root()];
            attempt.forms = vec![form];
        }
        trade.goes(&attempt);
    }
    trade.stopped("buy.buy", "terms.ceiling", |attempt| {
        let price = Moving::Money { amount: money("XTS 50.01"), payee: Digest::of(b"account") };
        attempt.items.insert("buy.price".into(), price);
    });
}

#[test]
fn check_9_only_the_key_of_the_deal_speaks_for_its_party() {
    Trade::after("sale.order").stopped("buy.buy", "terms.signer", |attempt| attempt.signer = kid("stranger"));
}

#[test]
fn check_10_goods_that_differ_are_not_what_was_agreed() {
    let trade = Trade::after("sale.order");
    for (length, bytes) in [(5, b"other".as_slice()), (6, b"goods".as_slice())] {
        let found = trade.buyer.delivered(&trade.terms, "buy.goods", (length, Digest::of(bytes)));
        assert_eq!(found.unwrap_err().code(), "terms.delivered");
    }
}

#[test]
fn of_two_moves_that_cross_the_one_stands_that_the_terms_name() {
    // In mail order both sides can move while the buyer may withdraw: no shipped state has two starters but with
    // `first`, so a chart of two moves says it.
    let chart = |first: &str| {
        let text = format!(
            "tob = 1\nservice = {{ id = \"org.example.cross\", version = \"1.0.0\", title = \"Cross\", start = \"here\" }}\n\
             party = {{ buyer = {{ side = \"client\", kind = \"any\" }}, seller = {{ side = \"server\", kind = \"any\" }} }}\n\
             context = {{ anonymity = {{ peer = [\"identified\"], bank = [\"identified\"], network = [\"open\"] }}, \
             confidentiality = [\"channel\"], evidence = [\"full\"], currency = [] }}\n\
             [state]\nhere = {{ owes = [], limit = \"P1D\", late = \"end\", first = \"{first}\", says = \"Here\" }}\n\
             [move]\ngo = {{ from = \"here\", to = \"end\", cell = \"step\", by = \"buyer\" }}\n\
             stop = {{ from = \"here\", to = \"over\", cell = \"step\", by = \"seller\", decide = {{ seller = \"app\" }} }}\n\
             [final]\nend = {{ good = true, says = \"End\" }}\nover = {{ good = true, says = \"Over\" }}\n"
        );
        let definition =
            semper_commerce::service::definition::Definition::read("terms.toml", text.as_bytes()).unwrap();
        let chart = semper_commerce::service::flatten::flatten(&definition, &[]).unwrap();
        Terms::new(chart, Stage::Draft, Digest::of(text.as_bytes())).unwrap()
    };
    for (first, stands) in [("buyer", "go"), ("seller", "stop")] {
        let terms = chart(first);
        let fixed = Fixed {
            keys: ["buyer", "seller"].map(|party| (party.to_owned(), kid(party))).into(),
            accounts: BTreeMap::new(),
            ceiling: None,
            currency: None,
        };
        let proofs = Proofs::default();
        let mut sides = ["buyer", "seller"].map(|me| Monitor::open(&terms, me, fixed.clone(), OPENED));
        let attempt = |name: &str, by: &str| Attempt {
            name: name.into(),
            by: by.into(),
            conf: sides[0].configuration().conf(),
            at: at(1),
            signer: kid(by),
            forms: vec![],
            items: BTreeMap::new(),
        };
        let attempts = [attempt("go", "buyer"), attempt("stop", "seller")];
        for (side, own) in sides.iter_mut().zip(&attempts) {
            side.propose(&terms, own, &proofs, at(1)).unwrap();
        }
        let answers = [
            sides[0].admit(&terms, &attempts[1], &proofs, at(2)).unwrap(),
            sides[1].admit(&terms, &attempts[0], &proofs, at(2)).unwrap(),
        ];
        for (own, answer) in ["go", "stop"].into_iter().zip(answers) {
            match answer {
                Answer::Crossed => assert_eq!(own, stands),
                Answer::Admitted(admitted) => {
                    assert_eq!((admitted.name.as_str(), admitted.voids.as_deref()), (stands, Some(own)));
                }
            }
        }
    }
}

#[test]
fn who_may_complain_freezes_the_deal_until_a_verdict() {
    let mut trade = Trade::after("sale.order");
    let buy = trade.honest("buy.buy");
    trade.goes(&buy);
    let now = trade.next();
    assert!(!trade.seller.complain(&trade.terms, "seller", now), "the seller has no window here");
    assert!(trade.buyer.complain(&trade.terms, "buyer", now));
    let after_the_window = buy.at.after(Span::days(30));
    let mut late = trade.seller.clone();
    assert!(!late.complain(&trade.terms, "buyer", after_the_window));
}
