//! All subjects, actions, grades and views in one file, and what changes an answer.

use std::fmt::Write as _;

use super::*;
use crate::{
    crypto::digest::Digest,
    deal::{Attributes, DealId},
    money::Currency,
    party::PartyView,
};

const NOW: Moment = Moment::from_seconds(1_800_000_000);
const DEAL: DealId = DealId::from_bytes([1; 32]);
const ME: Kid = Kid::from_bytes([2; 32]);
const PEER: Kid = Kid::from_bytes([3; 32]);
const POLICY: Digest = Digest::from_bytes([4; 32]);
const EVERYTHING: &[Circumstance] = &[
    Circumstance::Declared,
    Circumstance::FormShown,
    Circumstance::PublicText,
    Circumstance::Automatic,
    Circumstance::FirstStart,
];

fn deal(view: View) -> DealContext {
    let (certificate, kid) = (Digest::from_bytes([5; 32]), ME);
    DealContext {
        id: DEAL,
        me: match view {
            View::Identified => PartyView::Identified { certificate, kid, name: "Maria".to_owned() },
            View::Pseudonymous => PartyView::Pseudonymous { certificate, kid },
            View::Anonymous => PartyView::Anonymous { kid },
        },
        peer: PartyView::Anonymous { kid: PEER },
        terms: None,
        attributes: Attributes {
            anonymity_peer: crate::deal::Anonymity::Identified,
            anonymity_bank: crate::deal::Anonymity::Identified,
            anonymity_third: crate::deal::Anonymity::Identified,
            network_hidden: false,
            confidentiality: crate::deal::Confidentiality::Channel,
            evidence: crate::deal::EvidenceLevel::Full,
            currency: vec![Currency::EUR],
            third_party: None,
        },
        ceiling: None,
        opened: NOW,
        expires: NOW.after(crate::time::Span::days(1)),
    }
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn service(grade: Grade) -> Subject {
    Subject::Service { grade, deal: DEAL }
}

fn subjects() -> Vec<(String, Subject)> {
    let mut all = vec![("user".to_owned(), Subject::User)];
    all.extend(Grade::ALL.map(|grade| (format!("service-{}", grade as u8), service(grade))));
    all.extend([
        ("business-app".to_owned(), Subject::BusinessApp { deal: DEAL }),
        ("peer".to_owned(), Subject::Peer { deal: DEAL }),
        ("api-key".to_owned(), Subject::ApiKey { shop: ME }),
        ("operator".to_owned(), Subject::Operator { policy: POLICY }),
        ("authority".to_owned(), Subject::Authority { policy: POLICY }),
    ]);
    all
}

fn ask(
    subject: &Subject,
    action: Action,
    class: Class,
    facts: &Facts<'_>,
    deal: &DealContext,
    limits: &Limits<'_>,
) -> Verdict {
    Case { subject, action, class, facts, deal: Some(deal), limits, now: NOW }.verdict()
}

fn limits() -> Limits<'static> {
    Limits { scope: Some(money("EUR 100.00")), ..Limits::default() }
}

fn bare() -> Facts<'static> {
    Facts { amount: Some(money("EUR 20.00")), file: Some(FileKind::Other), ..Facts::default() }
}

fn full() -> Facts<'static> {
    Facts {
        paid: Some(money("EUR 20.00")),
        file: Some(FileKind::Png),
        key: Some(KeyPurpose::Deal),
        circumstances: EVERYTHING,
        ..bare()
    }
}

fn word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Allow(_) => "allow".to_owned(),
        Verdict::Ask(family) => format!("ask:{family:?}").to_lowercase(),
        Verdict::Deny(why) => format!("deny:{}", why.code()),
    }
}

fn snapshot() -> String {
    let mut text = String::from(
        "# action subject: identified, pseudonymous, anonymous view; plain / with every circumstance that helps\n",
    );
    for action in Action::ALL {
        for (name, subject) in subjects() {
            let cells = View::ALL.map(|view| {
                let of = |facts| word(ask(&subject, *action, Class::Act, &facts, &deal(view), &limits()));
                format!("{} / {}", of(bare()), of(full()))
            });
            writeln!(text, "{} {name}: {}", action.name(), cells.join(", ")).unwrap();
        }
    }
    text
}

#[test]
fn the_whole_table_is_as_it_was_reviewed() {
    let (now, golden) = (snapshot(), include_str!("../../tests/golden/access.txt"));
    for (now, golden) in now.lines().zip(golden.lines()) {
        assert_eq!(now, golden);
    }
    assert_eq!(now.lines().count(), golden.lines().count());
    assert_eq!(golden.lines().count(), 1 + Action::ALL.len() * 10);
}

#[test]
fn nothing_turns_a_refusal_into_a_yes() {
    let covering = Covering { record: POLICY, family: Critical::Pay, deal: DEAL, amount: bare().amount };
    for action in Action::ALL {
        let standing = [standing(*action, "EUR 50.00", "EUR 50.00")];
        let helped = Limits { standing: &standing, covering: Some(&covering), ..limits() };
        for (name, subject) in subjects() {
            for view in View::ALL {
                for class in [Class::Act, Class::Protocol, Class::Payment, Class::Item] {
                    let plain = ask(&subject, *action, class, &full(), &deal(view), &limits());
                    let help = ask(&subject, *action, class, &full(), &deal(view), &helped);
                    let refused = matches!(plain, Verdict::Deny(_));
                    assert!(!refused || plain == help, "{name} {}", action.name());
                }
            }
        }
    }
}

#[test]
fn what_belongs_to_another_deal_or_shop_is_refused() {
    let other = DealId::from_bytes([9; 32]);
    for (name, subject) in subjects() {
        let foreign = match subject {
            Subject::Service { grade, .. } => Subject::Service { grade, deal: other },
            Subject::BusinessApp { .. } => Subject::BusinessApp { deal: other },
            Subject::Peer { .. } => Subject::Peer { deal: other },
            Subject::ApiKey { .. } => Subject::ApiKey { shop: PEER },
            Subject::User | Subject::Operator { .. } | Subject::Authority { .. } => continue,
        };
        for action in Action::ALL {
            let verdict = ask(&foreign, *action, Class::Act, &full(), &deal(View::Identified), &limits());
            assert!(matches!(verdict, Verdict::Deny(_)), "{name} {}: {verdict:?}", action.name());
        }
    }
}

#[test]
fn an_uncertified_service_gets_play_money_only() {
    let pay = |text, grade, limits: Limits<'_>| {
        let facts = Facts { amount: Some(money(text)), ..full() };
        word(ask(&service(grade), Action::Pay, Class::Act, &facts, &deal(View::Identified), &limits))
    };
    let raised = Limits { uncertified_real: Some(money("EUR 99.00")), ..limits() };
    assert_eq!(pay("XTS 900.00", Grade::Uncertified, limits()), "ask:pay");
    assert_eq!(pay("EUR 0.01", Grade::Uncertified, limits()), "deny:access.denied");
    assert_eq!(pay("EUR 10.00", Grade::Uncertified, raised), "ask:pay");
    assert_eq!(pay("EUR 10.01", Grade::Uncertified, raised), "deny:access.denied");
    let spent = Limits { spent_deal: Some(money("EUR 40.00")), ..limits() };
    assert_eq!(pay("EUR 10.00", Grade::Checked, spent), "ask:pay");
    assert_eq!(pay("EUR 10.01", Grade::Checked, spent), "deny:access.denied");
    assert_eq!(pay("EUR 60.00", Grade::Reviewed, spent), "ask:pay");
    assert_eq!(pay("EUR 60.01", Grade::Approved, spent), "deny:access.denied");
    assert_eq!(pay("USD 1.00", Grade::Approved, limits()), "deny:access.denied");
}

#[test]
fn limits_of_deal_and_day_hold_for_the_user_too() {
    let pay = |text, limits: Limits<'_>, deal: &DealContext| {
        let facts = Facts { amount: Some(money(text)), ..bare() };
        word(ask(&Subject::User, Action::Pay, Class::Act, &facts, deal, &limits))
    };
    let deal = deal(View::Identified);
    let capped = DealContext { ceiling: Some(money("EUR 30.00")), ..deal.clone() };
    assert_eq!(pay("EUR 30.00", Limits::default(), &capped), "ask:pay");
    assert_eq!(pay("EUR 30.01", Limits::default(), &capped), "deny:money.ceiling");
    assert_eq!(pay("XTS 1.00", Limits::default(), &capped), "deny:money.sum");
    let per_deal = Limits {
        per_deal: Some(money("EUR 200.00")),
        spent_deal: Some(money("EUR 150.00")),
        ..Limits::default()
    };
    assert_eq!(pay("EUR 50.00", per_deal, &deal), "ask:pay");
    assert_eq!(pay("EUR 50.01", per_deal, &deal), "deny:money.per-deal");
    let per_day = Limits {
        per_day: Some(money("EUR 500.00")),
        spent_day: Some(money("EUR 499.00")),
        ..Limits::default()
    };
    assert_eq!(pay("EUR 1.01", per_day, &deal), "deny:money.per-day");
    assert_eq!(pay("XTS 999.00", per_day, &deal), "ask:pay");
}

fn standing(action: Action, per_use: &str, left: &str) -> Standing {
    Standing {
        instruction: Digest::of(per_use.as_bytes()),
        record: POLICY,
        action,
        peer: PEER,
        terms: None,
        per_use: Some(money(per_use)),
        left: Some(money(left)),
        uses_left: 3,
        until: NOW.after(crate::time::Span::days(1)),
    }
}

#[test]
fn a_standing_instruction_allows_small_steps_until_it_is_used_up() {
    let decided = |subject: &Subject, all: &[Standing]| {
        let limits = Limits { standing: all, ..limits() };
        ask(subject, Action::Pay, Class::Act, &bare(), &deal(View::Identified), &limits)
    };
    let wide = standing(Action::Pay, "EUR 50.00", "EUR 90.00");
    let narrow = standing(Action::Pay, "EUR 20.00", "EUR 20.00");
    let rule = |s: &Standing| Verdict::Allow(Rule::Standing { instruction: s.instruction, record: s.record });
    for subject in [Subject::User, service(Grade::Approved)] {
        assert_eq!(decided(&subject, &[wide.clone(), narrow.clone()]), rule(&narrow));
        assert_eq!(decided(&subject, std::slice::from_ref(&wide)), rule(&wide));
    }
    assert_eq!(decided(&service(Grade::Reviewed), std::slice::from_ref(&wide)), Verdict::Ask(Critical::Pay));
    let spent: [fn(&mut Standing); 7] = [
        |s| s.uses_left = 0,
        |s| s.until = NOW,
        |s| s.left = Some(money("EUR 19.99")),
        |s| s.per_use = None,
        |s| s.peer = ME,
        |s| s.terms = Some(POLICY),
        |s| s.per_use = Some(money("XTS 50.00")),
    ];
    for spend in spent {
        let mut used = wide.clone();
        spend(&mut used);
        assert_eq!(decided(&Subject::User, &[used]), Verdict::Ask(Critical::Pay));
    }
}

#[test]
fn the_prompt_of_a_move_covers_its_protocol_and_its_payment_and_no_item() {
    let covering = Covering { record: POLICY, family: Critical::Exchange, deal: DEAL, amount: bare().amount };
    let decided = |action, class, covering: &Covering, facts: Facts<'_>| {
        let limits = Limits { covering: Some(covering), ..limits() };
        ask(&Subject::User, action, class, &facts, &deal(View::Identified), &limits)
    };
    let covered = Verdict::Allow(Rule::Covered { record: POLICY });
    assert_eq!(decided(Action::SignDealKey, Class::Protocol, &covering, bare()), covered);
    assert_eq!(decided(Action::Pay, Class::Payment, &covering, bare()), covered);
    assert_eq!(decided(Action::SignDealKey, Class::Item, &covering, bare()), Verdict::Ask(Critical::Sign));
    assert_eq!(
        decided(Action::SignDealKey, Class::Commit, &covering, bare()),
        Verdict::Ask(Critical::Exchange)
    );
    let dearer = Facts { amount: Some(money("EUR 20.01")), ..bare() };
    assert_eq!(decided(Action::Pay, Class::Payment, &covering, dearer), Verdict::Ask(Critical::Pay));
    let signing = Covering { family: Critical::Sign, ..covering.clone() };
    assert_eq!(decided(Action::Pay, Class::Payment, &signing, bare()), Verdict::Ask(Critical::Pay));
    let elsewhere = Covering { deal: DealId::from_bytes([9; 32]), ..covering };
    let asked = Verdict::Ask(Critical::Sign);
    assert_eq!(decided(Action::SignDealKey, Class::Protocol, &elsewhere, bare()), asked);
}

#[test]
fn no_action_mints_a_permit_for_a_statement_of_another() {
    let free =
        [Action::CloseDeal, Action::OpenInvite, Action::SignTls, Action::ChangePrefUp, Action::ReadEvidence];
    for action in free {
        for kind in ["order", "x/gxv/accept", "pay/pay", "act/pay", "d/file", "rollover", "t/decision"] {
            let class = class::of(kind).unwrap();
            assert!(!fits(&Subject::User, action, class, kind), "{} {kind}", action.name());
        }
    }
    let operator = Subject::Operator { policy: POLICY };
    let authority = Subject::Authority { policy: POLICY };
    let sign = Action::SignIdentity;
    assert!(
        !fits(&operator, sign, Class::Authority, "t/decision")
            && fits(&authority, sign, Class::Authority, "t/decision")
    );
    assert!(!fits(&authority, sign, Class::Item, "order") && fits(&operator, sign, Class::Item, "offer"));
    assert!(!fits(&Subject::User, sign, Class::Seller, "service-terms"));
    assert!(fits(&Subject::User, Action::CloseDeal, Class::Protocol, "deal-close"));
    assert!(!fits(&Subject::User, Action::CloseDeal, Class::Protocol, "deal-open"));
}

#[test]
fn a_person_is_not_asked_in_order_to_ask_the_bank_what_is_in_the_purse() {
    let decided = |action, kind: &str| {
        let class = class::of(kind).unwrap();
        if !fits(&Subject::User, action, class, kind) {
            return None;
        }
        let case = Case {
            subject: &Subject::User,
            action,
            class,
            facts: &Facts::default(),
            deal: None,
            limits: &Limits::default(),
            now: NOW,
        };
        Some(case.verdict())
    };
    for kind in ["pay/inspect", "pay/query"] {
        assert_eq!(decided(Action::ReadDealState, kind), Some(Verdict::Allow(Rule::Table)), "{kind}");
        assert_eq!(decided(Action::Pay, kind), None, "{kind}");
        assert_eq!(decided(Action::LoadPurse, kind), None, "{kind}");
    }
    for kind in ["pay/open", "pay/load", "pay/unload", "pay/close", "pay/pay"] {
        assert_eq!(decided(Action::ReadDealState, kind), None, "{kind}");
        assert_eq!(decided(Action::LoadPurse, kind), Some(Verdict::Ask(Critical::PurseMove)), "{kind}");
    }
}
