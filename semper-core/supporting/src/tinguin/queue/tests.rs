//! The tray, its limits, and random traces through it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{
    time::Span,
    tinguin::{
        gate::tests::{NOW, TestPay, ask, confirm, gate, situation},
        prompt::Decision,
    },
};

fn id(n: u8) -> PromptId {
    PromptId::from_bytes([n; 16])
}

fn peer(n: u8) -> Kid {
    Kid::from_bytes([n; 32])
}

fn from(n: u8) -> Ask {
    Ask { peer: Some(peer(n)), ..ask(100, n.into(), 0) }
}

#[test]
fn one_party_has_three_questions_and_all_have_sixteen() {
    let mut tray = Tray::new(gate());
    for n in 0..3 {
        assert!(tray.submit(from(1), id(n), NOW).is_ok());
    }
    assert_eq!(tray.submit(from(1), id(3), NOW).unwrap_err(), TrayError::Full);
    for n in 3..16 {
        assert!(tray.submit(from(n), id(n), NOW).is_ok());
    }
    assert_eq!(tray.submit(from(99), id(99), NOW).unwrap_err().code(), "tinguin.queue-full");
    assert_eq!(tray.refuse_all_of(peer(1)).len(), 3);
    assert_eq!(tray.list().len(), 13);
    assert!(tray.submit(from(1), id(0), NOW).is_ok());
}

#[test]
fn the_tray_is_ordered_by_end_and_then_by_arrival() {
    let mut tray = Tray::new(gate());
    let due = |minutes| Some(NOW.after(Span::minutes(minutes)));
    for (n, deadline) in [(1, None), (2, due(10)), (3, None), (4, due(5))] {
        assert!(tray.submit(Ask { deadline, ..from(n) }, id(n), NOW).is_ok());
    }
    let order: Vec<_> = tray.list().iter().map(|prompt| prompt.id()).collect();
    assert_eq!(order, [id(4), id(2), id(1), id(3)]);
}

#[test]
fn nothing_opens_by_itself_and_what_is_closed_cannot_be_answered() {
    let mut tray = Tray::new(gate());
    let prompt = tray.submit(from(1), id(1), NOW).unwrap().clone();
    assert!(tray.submit(from(2), id(2), NOW).is_ok());
    let later = NOW.after(Span::seconds(10));
    let answer = confirm(&prompt, later);
    assert_eq!(tray.answer(&answer, None, &situation(later, 0)).unwrap_err(), AnswerFault::OtherPrompt);
    tray.open(id(1));
    tray.close();
    assert!(tray.answer(&answer, None, &situation(later, 0)).is_err());
    tray.open(id(1));
    assert!(matches!(tray.answer(&answer, None, &situation(later, 0)), Ok(Outcome::Granted(_))));
    assert!(tray.opened().is_none() && tray.list().len() == 1);
    assert!(tray.answer(&answer, None, &situation(later, 0)).is_err());
}

#[test]
fn what_takes_the_place_of_a_question_shows_what_changed() {
    let mut tray = Tray::new(gate());
    assert!(tray.submit(ask(100, 0, 1), id(1), NOW).is_ok());
    tray.open(id(1));
    let Ok(Outcome::Stale(change)) = tray.supersede(id(1), ask(200, 0, 2), id(2), NOW) else { panic!() };
    assert_eq!((change.before.len(), change.after.len()), (1, 1));
    assert!(tray.opened().is_none());
    assert_eq!(tray.list().len(), 1);
    let foreign = Ask { deal: None, ..ask(1, 0, 1) };
    assert!(matches!(tray.supersede(id(2), foreign, id(3), NOW), Err(TrayError::Name)));
    assert!(matches!(tray.supersede(id(9), ask(1, 0, 1), id(3), NOW), Err(TrayError::Name)));
}

#[derive(Clone, Debug)]
enum Act {
    Submit(u8, u8),
    Supersede(u8, u8),
    Open(u8),
    Close,
    Revise,
    Wait(u16),
    Expire,
    Withdraw(u8),
    Refuse(u8),
    Confirm(u8),
    ConfirmOther(u8, u8),
    Short(u8),
    Decline(u8),
    ShutDown,
}

fn act() -> impl Strategy<Value = Act> {
    let n = 0..6_u8;
    prop_oneof![
        4 => (n.clone(), n.clone()).prop_map(|(a, b)| Act::Submit(a, b)),
        1 => (n.clone(), n.clone()).prop_map(|(a, b)| Act::Supersede(a, b)),
        4 => n.clone().prop_map(Act::Open),
        1 => Just(Act::Close),
        1 => Just(Act::Revise),
        2 => (0..400_u16).prop_map(Act::Wait),
        1 => Just(Act::Expire),
        1 => n.clone().prop_map(Act::Withdraw),
        1 => n.clone().prop_map(Act::Refuse),
        5 => n.clone().prop_map(Act::Confirm),
        1 => (n.clone(), n.clone()).prop_map(|(a, b)| Act::ConfirmOther(a, b)),
        1 => n.clone().prop_map(Act::Short),
        1 => n.clone().prop_map(Act::Decline),
        1 => Just(Act::ShutDown),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// No trace grants a digest other than the one displayed, at the revision current at that moment; and
    /// every question that got in ends in exactly one outcome.
    #[test]
    fn every_question_ends_once_and_only_what_was_displayed_is_granted(acts in prop::collection::vec(act(), 1..60)) {
        let mut tray = Tray::new(gate());
        let (mut now, mut revision, mut count) = (NOW, 0, 0_u8);
        let (mut entered, mut ended) = (BTreeSet::new(), BTreeSet::new());
        let finish = |ended: &mut BTreeSet<PromptId>, id: PromptId| ended.insert(id);
        for act in acts {
            let ids: Vec<_> = tray.list().iter().map(|prompt| prompt.id()).collect();
            let pick = |n: u8| ids.get(usize::from(n)).copied().unwrap_or(id(255));
            let prompt = |tray: &Tray, id| tray.list().into_iter().find(|p| p.id() == id).cloned();
            match act {
                Act::Submit(of, cents) => {
                    count += 1;
                    let ask = Ask { peer: Some(peer(of)), ..ask(u64::from(cents), count.into(), revision) };
                    if tray.submit(ask, id(count), now).is_ok() {
                        entered.insert(id(count));
                    }
                }
                Act::Supersede(n, cents) => {
                    count += 1;
                    let ask = ask(u64::from(cents), count.into(), revision);
                    if let Ok(outcome) = tray.supersede(pick(n), ask, id(count), now) {
                        prop_assert!(matches!(outcome, Outcome::Stale(_)));
                        entered.insert(id(count));
                        prop_assert!(finish(&mut ended, pick(n)));
                    }
                }
                Act::Open(n) => drop(tray.open(pick(n)).cloned()),
                Act::Close => tray.close(),
                Act::Revise => revision += 1,
                Act::Wait(seconds) => now = now.after(Span::seconds(seconds.into())),
                Act::Expire => for (id, outcome) in tray.expire(now) {
                    prop_assert!(matches!(outcome, Outcome::Expired));
                    prop_assert!(finish(&mut ended, id));
                },
                Act::Withdraw(n) => if tray.withdraw(pick(n), Withdrawn::NotNeeded).is_some() {
                    prop_assert!(finish(&mut ended, pick(n)));
                },
                Act::Refuse(of) => for (id, _) in tray.refuse_all_of(peer(of)) {
                    prop_assert!(finish(&mut ended, id));
                },
                Act::ShutDown => for (id, _) in tray.shut_down() {
                    prop_assert!(finish(&mut ended, id));
                },
                Act::Confirm(n) | Act::ConfirmOther(n, _) | Act::Short(n) | Act::Decline(n) => {
                    let Some(shown) = prompt(&tray, pick(n)) else { continue };
                    now = now.after(Span::seconds(5));
                    let mut answer = confirm(&shown, now);
                    match act {
                        Act::ConfirmOther(_, m) => if let Some(other) = prompt(&tray, pick(m)) {
                            answer.digest = other.digest();
                        },
                        Act::Short(_) => answer.gesture = crate::tinguin::Gesture::Hold {
                            armed: Span::millis(1),
                            held: Span::millis(1),
                        },
                        Act::Decline(_) => answer.decision = Decision::Decline(DeclineReason::Unsaid),
                        _ => {}
                    }
                    let open = tray.opened().map(SealedPrompt::id);
                    match tray.answer(&answer, None, &situation(now, revision)) {
                        Ok(Outcome::Granted(mut grants)) => {
                            prop_assert!(matches!(act, Act::Confirm(_) | Act::ConfirmOther(..)));
                            prop_assert_eq!(open, Some(shown.id()));
                            prop_assert_eq!(shown.revision(), revision);
                            prop_assert!(now < shown.expires());
                            let permit = grants.take::<TestPay>().unwrap();
                            prop_assert_eq!(permit.digest(), shown.digest());
                            prop_assert_eq!(permit.digest(), answer.digest);
                            prop_assert!(finish(&mut ended, shown.id()));
                        }
                        Ok(_) => prop_assert!(finish(&mut ended, shown.id())),
                        Err(_) => prop_assert!(prompt(&tray, shown.id()).is_some()),
                    }
                }
            }
            let waiting: BTreeSet<_> = tray.list().iter().map(|prompt| prompt.id()).collect();
            prop_assert!(waiting.is_disjoint(&ended) && waiting.len() <= TRAY_LIMIT);
            prop_assert_eq!(&(&waiting | &ended), &entered);
        }
    }
}
