//! What the two sides of a sale are asked, word for word, and what is never put before anybody.

use semper_commerce::sale::SaleQuestion;
use semper_exchange::prompt::PurseFacts;
use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    deal::DealId,
    money::Money,
    party::PartyView,
    time::Span,
    tinguin::{
        Ask, Gate, PromptId, Words,
        facts::{ChoiceKey, FactError, FactKey, Weight},
        gate::{Counts, GateError},
        risk::{Circumstances, Thresholds},
    },
};

use crate::{
    common::AT,
    market::{Market, Side},
};

fn words() -> Words {
    let english = include_str!("../../assets/locale/en/facts.ftl");
    Words::read(ChoiceKey::of("en"), english)
}

/// An honest sale, and what was asked in it.
fn asked() -> Vec<(Side, SaleQuestion)> {
    let mut market = Market::new();
    market.start();
    market.settle();
    market.asked
}

/// The question as the window gets it: what confirming takes, what must be seen, what is among the details.
fn prompt(question: SaleQuestion) -> Result<String, GateError> {
    let ask = Ask {
        parts: vec![question.part(&words())?],
        deal: None,
        revision: 1,
        peer: None,
        deadline: None,
        circumstances: Circumstances::default(),
        warnings: Vec::new(),
    };
    let gate = Gate { counts: Counts::Person, thresholds: Thresholds::default() };
    let pending = gate.open(ask, PromptId::from_bytes([1; 16]), AT)?;
    let prompt = pending.prompt();
    let told = |weight| {
        let facts = prompt.facts().iter().filter(|fact| fact.weight == weight);
        words().text(facts).unwrap()
    };
    let level = prompt.friction().level;
    let family = prompt.family();
    Ok(format!("{family:?}, level {level:?}\n\n{}\n{}", told(Weight::Critical), told(Weight::Detail)))
}

fn refused(question: SaleQuestion) -> FactError {
    match question.part(&words()) {
        Err(GateError::Facts(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn golden(name: &str, text: &str) {
    let path = format!("{}/golden/prompt/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap(), "{path}");
}

#[test]
fn each_side_is_asked_exactly_what_binds_it() {
    let asked = asked();
    let kinds: Vec<_> = asked.iter().map(|(side, question)| (*side, question.kind())).collect();
    assert_eq!(
        kinds,
        [(Side::Buyer, "deal-open"), (Side::Seller, "x/gxv/offer"), (Side::Buyer, "x/gxv/accept")]
    );
    for (_, question) in asked {
        let name = question.kind().replace('/', "-");
        golden(&name, &prompt(question.certified_by("Hellas CA")).unwrap());
    }
}

#[test]
fn whoever_certified_the_other_side_is_told_if_it_is_known() {
    for (_, question) in asked() {
        let told = prompt(question).unwrap();
        assert!(
            told.contains("(checked here: its certificate, by an authority this computer trusts)"),
            "{told}"
        );
    }
}

type Change = Box<dyn FnOnce(&mut SaleQuestion)>;

/// A change of the statement, and one of what was verified, each of which makes the question impossible.
fn accept(change: impl FnOnce(&mut SaleQuestion)) -> FactError {
    let mut question = asked().remove(2).1;
    change(&mut question);
    refused(question)
}

#[test]
fn an_acceptance_that_disagrees_with_what_was_verified_is_not_asked_about() {
    let mut changes: Vec<Change> = Vec::new();
    macro_rules! change {
        ($($statement:ident, $context:ident => $deed:expr;)*) => { $(
            changes.push(Box::new(move |question: &mut SaleQuestion| match question {
                SaleQuestion::Accept { statement: $statement, context: $context } => {
                    let _ = (&$statement, &$context);
                    $deed;
                }
                _ => unreachable!(),
            }));
        )* };
    }
    let other = Digest::of(b"other");
    change! {
        statement, context => statement.accept = false;
        statement, context => statement.common.agr = Some(other);
        statement, context => statement.common.prev = None;
        statement, context => statement.common.xid = None;
        statement, context => statement.common.deal = DealId::from_bytes([1; 32]);
        statement, context => statement.common.cert_o = other;
        statement, context => statement.common.cert_r = other;
        statement, context => statement.common.cert_t = Some(other);
        statement, context => std::mem::swap(&mut statement.common.from, &mut statement.common.to);
        statement, context => statement.common.signer = Kid::from_bytes([1; 32]);
        statement, context => context.about.price = Money::parse("XTS 12.49").ok();
        statement, context => context.about.price = None;
        statement, context => context.about.third_party.name = "Umpire".into();
        statement, context => context.about.third_party.certificate = other;
        statement, context => context.about.deal.attributes.third_party = None;
        statement, context => context.about.deal.attributes.currency.clear();
        statement, context => context.about.deal.ceiling = Money::parse("XTS 12.49").ok();
        statement, context => context.about.deal.terms = Some(other);
        statement, context => context.about.deal.peer = context.about.deal.me.clone();
        statement, context => context.about.purse.as_mut().unwrap().system = semper_transfer::item::SysId::new("ecash").unwrap();
    }
    for (index, change) in changes.into_iter().enumerate() {
        assert_eq!(accept(change), FactError::Mismatch, "change {index}");
    }
}

#[test]
fn a_sum_that_cannot_be_had_or_compared_is_not_asked_about() {
    let purse = |change: &dyn Fn(&mut Option<PurseFacts>)| {
        accept(|question| {
            let SaleQuestion::Accept { context, .. } = question else { unreachable!() };
            change(&mut context.about.purse);
        })
    };
    assert_eq!(purse(&|purse| *purse = None), FactError::Missing(FactKey::Means));
    for left in ["XTS 12.49", "EUR 50.00"] {
        let left = Money::parse(left).unwrap();
        assert_eq!(purse(&|purse| purse.as_mut().unwrap().available = left), FactError::Sum);
    }
    let ceiling = accept(|question| {
        let SaleQuestion::Accept { context, .. } = question else { unreachable!() };
        context.about.deal.ceiling = Money::parse("EUR 20.00").ok();
    });
    assert_eq!(ceiling, FactError::Sum);
}

#[test]
fn nobody_is_asked_about_somebody_without_a_name_that_can_be_shown() {
    let named = |name: &str| {
        accept(|question| {
            let SaleQuestion::Accept { context, .. } = question else { unreachable!() };
            let PartyView::Identified { name: own, .. } = &mut context.about.deal.peer else {
                unreachable!()
            };
            *own = name.to_owned();
        })
    };
    assert!(matches!(named("Fogra\u{202e}argoF"), FactError::Text(_)));
    let anonymous = accept(|question| {
        let SaleQuestion::Accept { context, .. } = question else { unreachable!() };
        let peer = &mut context.about.deal.peer;
        *peer = PartyView::Anonymous { kid: peer.kid() };
    });
    assert_eq!(anonymous, FactError::Missing(FactKey::Counterparty));
}

#[test]
fn an_offer_that_disagrees_with_the_deal_is_not_asked_about() {
    let offer = |change: fn(&mut SaleQuestion)| {
        let mut question = asked().remove(1).1;
        change(&mut question);
        refused(question)
    };
    macro_rules! changed {
        ($statement:ident, $context:ident => $deed:expr) => {
            offer(|question| match question {
                SaleQuestion::Offer { statement: $statement, context: $context } => {
                    let _ = (&$statement, &$context);
                    $deed;
                }
                _ => unreachable!(),
            })
        };
    }
    let mismatches = [
        changed!(statement, context => statement.ttp_name = "Umpire".into()),
        changed!(statement, context => statement.terms = Some(Digest::of(b"terms"))),
        changed!(statement, context => statement.common.xid = None),
        changed!(statement, context => statement.common.signer = context.deal.peer.kid()),
        changed!(statement, context => statement.give_r = statement.give_o.clone()),
        changed!(statement, context => context.price = Money::parse("XTS 12.51").ok()),
        changed!(statement, context => context.deal.id = DealId::from_bytes([1; 32])),
    ];
    assert!(mismatches.iter().all(|why| *why == FactError::Mismatch), "{mismatches:?}");
}

#[test]
fn an_opening_that_disagrees_with_what_was_proposed_or_chosen_is_not_asked_about() {
    let opening = |change: fn(&mut SaleQuestion)| {
        let mut question = asked().remove(0).1;
        change(&mut question);
        refused(question)
    };
    macro_rules! changed {
        ($statement:ident, $context:ident => $deed:expr) => {
            opening(|question| match question {
                SaleQuestion::DealOpen { statement: $statement, context: $context } => {
                    let _ = (&$statement, &$context);
                    $deed;
                }
                _ => unreachable!(),
            })
        };
    }
    let mismatches = [
        changed!(statement, context => statement.accept = Digest::of(b"other")),
        changed!(statement, context => statement.lines.deal = None),
        changed!(statement, context => statement.lines.deal = Some(DealId::from_bytes([1; 32]))),
        changed!(statement, context => statement.lines.terms_sha256 = Some(Digest::of(b"terms"))),
        changed!(statement, context => statement.lines.cert = Digest::of(b"other")),
        changed!(statement, context => statement.lines.signer = context.peer.key.kid()),
        changed!(statement, context => statement.lines.at = context.accept.expires.after(Span::seconds(1))),
        changed!(statement, context => std::mem::swap(&mut context.me, &mut context.peer)),
        changed!(statement, context => context.third_party = None),
        changed!(statement, context => {
            context.third_party.as_mut().unwrap().certificate = Digest::of(b"other");
        }),
    ];
    assert!(mismatches.iter().all(|why| *why == FactError::Mismatch), "{mismatches:?}");
    let nameless = changed!(statement, context => context.peer.name = None);
    assert_eq!(nameless, FactError::Missing(FactKey::Counterparty));
}

#[test]
fn a_draft_that_nobody_is_asked_about_has_no_question() {
    let mut market = Market::new();
    market.start();
    market.settle();
    let SaleQuestion::Accept { statement, .. } = market.asked.remove(2).1 else { unreachable!() };
    let draft = semper_exchange::message::Draft::of(&statement).unwrap();
    assert!(market.seller.question(&draft).is_none());
    let fresh = Market::new();
    assert!(fresh.buyer.question(&draft, &[]).is_none());
}
