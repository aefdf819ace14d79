//! What the gate lets through, and everything it does not.

use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    money::Currency,
    tinguin::{
        facts::{ChoiceKey, FactKey, FactValue, Provenance, tests::complete},
        pin::PinLock,
        prompt::Displayed,
        risk::Level,
    },
};

pub(crate) const NOW: Moment = Moment::from_seconds(1_800_000_000);
pub(crate) const DEAL: DealId = DealId::from_bytes([4; 32]);

/// A payment of so many cents, made for these tests.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct TestPay {
    pub(crate) cents: u64,
    pub(crate) salt: u64,
}

impl Statement for TestPay {
    const TYPE: &'static str = "pay/test";
}

impl Confirmable for TestPay {
    const FAMILY: Critical = Critical::Pay;
    type Context = ();

    fn facts(&self, (): &()) -> Result<Facts, FactError> {
        Ok(complete(Critical::Pay, self.cents))
    }
}

/// An order that names the text its signer was shown.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct TestOrder {
    note: String,
    #[serde(rename = "")]
    shown: Shown,
}

impl Statement for TestOrder {
    const TYPE: &'static str = "order";
}

impl Confirmable for TestOrder {
    const FAMILY: Critical = Critical::Sign;
    type Context = ();

    fn facts(&self, (): &()) -> Result<Facts, FactError> {
        let note = crate::tinguin::Untrusted::new(self.note.as_str()).quote(crate::tinguin::Quote::Line)?;
        let facts = complete(Critical::Sign, 0);
        Ok(facts.critical(FactKey::Content, FactValue::Text(note), Provenance::entered()))
    }

    fn shown(&mut self) -> Option<&mut Shown> {
        Some(&mut self.shown)
    }
}

/// A disclosure that forgets to say to whom.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Silent {
    note: String,
}

impl Statement for Silent {
    const TYPE: &'static str = "act/silent";
}

impl Confirmable for Silent {
    const FAMILY: Critical = Critical::Disclose;
    type Context = ();

    fn facts(&self, (): &()) -> Result<Facts, FactError> {
        Ok(complete(Critical::Sign, 0))
    }
}

pub(crate) fn words() -> Words {
    let catalogue = concat!(include_str!("../../../../../assets/locale/en/facts.ftl"), "word = word\n");
    Words::read(ChoiceKey::new("en").unwrap(), catalogue)
}

pub(crate) fn gate() -> Gate {
    Gate { counts: Counts::Person, thresholds: Thresholds::default() }
}

pub(crate) fn ask(cents: u64, salt: u64, revision: u64) -> Ask {
    Ask {
        parts: vec![Part::new(TestPay { cents, salt }, &(), &words()).unwrap()],
        deal: Some(DEAL),
        revision,
        peer: None,
        deadline: None,
        circumstances: Circumstances::default(),
        warnings: Vec::new(),
    }
}

/// The answer of an attentive person.
pub(crate) fn confirm(prompt: &SealedPrompt, now: Moment) -> Answer {
    let Friction { arming, hold, retype, .. } = *prompt.friction();
    let armed_at = now.before(hold).before(arming);
    Answer {
        id: prompt.id(),
        digest: prompt.digest(),
        decision: Decision::Confirm,
        gesture: Gesture::Hold { armed: arming, held: hold },
        retyped: retype,
        acknowledged: prompt.warnings().iter().map(|warning| warning.key.clone()).collect(),
        displayed: Displayed {
            language: ChoiceKey::new("en").unwrap(),
            catalogue: words().digest(),
            shown_at: armed_at.before(Span::seconds(2)),
            armed_at,
            confirmed_at: now,
            width: 1120,
            height: 760,
            zoom: 100,
            build: Digest::of(b"build"),
        },
    }
}

pub(crate) fn situation(now: Moment, revision: u64) -> Situation {
    Situation { now, revision, clock_error: Span::default() }
}

fn pending(cents: u64) -> Pending {
    gate().open(ask(cents, 0, 1), PromptId::from_bytes([1; 16]), NOW).unwrap()
}

fn fault(pending: Pending, answer: &Answer, pin: Option<&PinVerified>, now: Moment) -> AnswerFault {
    let (back, fault) = *pending.judge(answer, pin, &situation(now, 1)).unwrap_err();
    assert_eq!(back.prompt().id(), PromptId::from_bytes([1; 16]));
    fault
}

fn pin(prompt: PromptId, at: Moment) -> PinVerified {
    PinVerified { prompt, at }
}

const LATER: Moment = Moment::from_seconds(1_800_000_010);

#[test]
fn what_was_shown_and_held_is_permitted_once_and_recorded() {
    let pending = pending(250);
    let answer = confirm(pending.prompt(), LATER);
    let digest = pending.prompt().digest();
    let Ok(Outcome::Granted(mut grants)) = pending.judge(&answer, None, &situation(LATER, 1)) else {
        panic!()
    };
    let permit = grants.take::<TestPay>().unwrap();
    assert_eq!(permit.digest(), digest);
    assert_eq!(permit.deal(), Some(DEAL));
    assert_eq!(permit.minted_by(), MintedBy::Gate { record: grants.record().digest() });
    assert_eq!(permit.expires(), LATER.after(Span::seconds(30)));
    assert!(grants.take::<TestPay>().is_none());
    assert_eq!(grants.record().confirmed(), digest);
    assert_eq!(grants.record().amount(), Some(Money::new(250, Currency::EUR).unwrap()));
    let stored = crate::wire::encode(grants.record(), crate::wire::STATE_LIMIT).unwrap();
    let again: DisplayRecord = crate::wire::decode(&stored, crate::wire::STATE_LIMIT).unwrap();
    assert_eq!((&again, again.digest()), (grants.record(), Digest::of(&stored)));
    assert_eq!(permit.redeem(LATER), Ok(TestPay { cents: 250, salt: 0 }));
}

#[test]
fn a_gesture_that_is_too_short_counts_for_nothing() {
    for short in [Span::millis(0), Span::millis(599)] {
        let pending = pending(250);
        let mut answer = confirm(pending.prompt(), LATER);
        answer.gesture = Gesture::Hold { armed: Span::millis(700), held: short };
        assert_eq!(fault(pending, &answer, None, LATER), AnswerFault::Gesture);
    }
    let pending = pending(250);
    let mut answer = confirm(pending.prompt(), LATER);
    answer.gesture = Gesture::Hold { armed: Span::millis(699), held: Span::seconds(9) };
    assert_eq!(fault(pending, &answer, None, LATER), AnswerFault::Gesture);
}

#[test]
fn times_that_do_not_fit_together_count_for_nothing() {
    let changes: [fn(&mut Displayed); 4] = [
        |d| d.shown_at = d.armed_at.after(Span::millis(1)),
        |d| d.armed_at = d.confirmed_at,
        |d| d.confirmed_at = LATER.after(Span::millis(1)),
        |d| d.confirmed_at = d.shown_at,
    ];
    for change in changes {
        let pending = pending(250);
        let mut answer = confirm(pending.prompt(), LATER);
        change(&mut answer.displayed);
        assert_eq!(fault(pending, &answer, None, LATER), AnswerFault::Gesture);
    }
}

#[test]
fn an_answer_to_something_else_counts_for_nothing() {
    let waits = pending(250);
    let mut answer = confirm(waits.prompt(), LATER);
    answer.id = PromptId::from_bytes([2; 16]);
    assert_eq!(fault(waits, &answer, None, LATER), AnswerFault::OtherPrompt);
    let waits = pending(250);
    let mut answer = confirm(waits.prompt(), LATER);
    answer.digest = Digest::of(b"something else");
    assert_eq!(fault(waits, &answer, None, LATER), AnswerFault::OtherDigest);
}

#[test]
fn from_level_c_on_the_pin_is_needed_for_this_very_prompt() {
    let id = PromptId::from_bytes([1; 16]);
    let waits = pending(6000);
    assert_eq!(waits.prompt().friction().level, Level::C);
    let answer = confirm(waits.prompt(), LATER);
    assert_eq!(fault(waits, &answer, None, LATER), AnswerFault::Pin);
    for wrong in [
        pin(PromptId::from_bytes([2; 16]), LATER),
        pin(id, LATER.before(Span::seconds(61))),
        pin(id, LATER.after(Span::millis(1))),
    ] {
        assert_eq!(fault(pending(6000), &answer, Some(&wrong), LATER), AnswerFault::Pin);
    }
    let judged = pending(6000).judge(&answer, Some(&pin(id, LATER)), &situation(LATER, 1));
    assert!(matches!(judged, Ok(Outcome::Granted(_))));
}

#[test]
fn a_pin_that_was_typed_opens_the_prompt_it_was_typed_for() {
    let waits = pending(6000);
    let mut lock = PinLock::set(b"728193", [1; 16], [2; 24]).unwrap();
    let counted = lock.begin(waits.prompt().id(), LATER).unwrap();
    let verified = lock.check(counted, b"728193").unwrap();
    let answer = confirm(waits.prompt(), LATER);
    assert!(matches!(waits.judge(&answer, Some(&verified), &situation(LATER, 1)), Ok(Outcome::Granted(_))));
}

#[test]
fn at_level_d_the_amount_is_typed_again() {
    let verified = pin(PromptId::from_bytes([1; 16]), LATER);
    for retyped in [None, Some(0), Some(1239), Some(124_099)] {
        let waits = pending(124_099);
        let mut answer = confirm(waits.prompt(), LATER);
        answer.retyped = retyped;
        assert_eq!(fault(waits, &answer, Some(&verified), LATER), AnswerFault::Retype);
    }
    let waits = pending(124_099);
    let answer = confirm(waits.prompt(), LATER);
    assert_eq!(answer.retyped, Some(1240));
    assert!(matches!(waits.judge(&answer, Some(&verified), &situation(LATER, 1)), Ok(Outcome::Granted(_))));
}

#[test]
fn typing_instead_of_holding_takes_pin_amount_and_twice_the_time() {
    let typed = |armed, retyped, verified: bool| {
        let waits = pending(250);
        let mut answer = confirm(waits.prompt(), LATER);
        answer.gesture = Gesture::Typed { armed };
        answer.displayed.armed_at = LATER.before(Span::seconds(5));
        answer.displayed.shown_at = LATER.before(Span::seconds(6));
        answer.retyped = retyped;
        let proof = pin(waits.prompt().id(), LATER);
        let judged = waits.judge(&answer, verified.then_some(&proof), &situation(LATER, 1));
        judged.map(drop).map_err(|back| back.1)
    };
    assert_eq!(typed(Span::millis(1400), Some(2), true), Ok(()));
    assert_eq!(typed(Span::millis(1399), Some(2), true), Err(AnswerFault::Gesture));
    assert_eq!(typed(Span::millis(1400), None, true), Err(AnswerFault::Retype));
    assert_eq!(typed(Span::millis(1400), Some(2), false), Err(AnswerFault::Pin));
}

#[test]
fn every_warning_is_acknowledged_one_by_one() {
    let warn = |name| Warning { key: ChoiceKey::new(name).unwrap(), about: Some(FactKey::Payee) };
    let open = || {
        let ask = Ask { warnings: vec![warn("look-alike"), warn("unusual")], ..ask(250, 0, 1) };
        gate().open(ask, PromptId::from_bytes([1; 16]), NOW).unwrap()
    };
    assert_eq!(open().prompt().friction().arming, Span::millis(1700));
    let mut answer = confirm(open().prompt(), LATER);
    assert!(matches!(open().judge(&answer, None, &situation(LATER, 1)), Ok(Outcome::Granted(_))));
    answer.acknowledged.pop();
    assert_eq!(fault(open(), &answer, None, LATER), AnswerFault::Warning);
}

#[test]
fn a_change_an_end_and_a_wrong_clock_stop_the_prompt() {
    let waits = pending(250);
    let answer = confirm(waits.prompt(), LATER);
    assert!(matches!(waits.judge(&answer, None, &situation(LATER, 2)), Ok(Outcome::Stale(_))));
    let end = NOW.after(PATIENCE);
    let waits = pending(250);
    let late = confirm(waits.prompt(), end);
    assert!(matches!(waits.judge(&late, None, &situation(end, 1)), Ok(Outcome::Expired)));
    let wrong = Situation { clock_error: Span::millis(300_001), ..situation(LATER, 1) };
    let back = pending(250).judge(&answer, None, &wrong).unwrap_err();
    assert_eq!((back.1, back.1.code()), (AnswerFault::Clock, "tinguin.clock"));
    let soon = Ask { deadline: Some(NOW.after(Span::seconds(15))), ..ask(250, 0, 1) };
    assert_eq!(gate().open(soon, PromptId::from_bytes([1; 16]), NOW).unwrap_err(), GateError::TooLate);
}

#[test]
fn only_the_gestures_of_this_program_count() {
    let policy = Digest::of(b"policy");
    let waits = pending(250);
    let mut answer = confirm(waits.prompt(), LATER);
    answer.gesture = Gesture::Policy { policy };
    assert_eq!(fault(waits, &answer, None, LATER), AnswerFault::Kind);

    let daemon = Gate { counts: Counts::Policy(policy), thresholds: Thresholds::default() };
    let open = || daemon.open(ask(6000, 0, 1), PromptId::from_bytes([1; 16]), NOW).unwrap();
    assert!(matches!(
        open().judge(&answer_of(&open(), policy), None, &situation(LATER, 1)),
        Ok(Outcome::Granted(_))
    ));
    let other = answer_of(&open(), Digest::of(b"other"));
    assert_eq!(fault(open(), &other, None, LATER), AnswerFault::Kind);
    assert_eq!(fault(open(), &confirm(open().prompt(), LATER), None, LATER), AnswerFault::Kind);
}

fn answer_of(pending: &Pending, policy: Digest) -> Answer {
    Answer { gesture: Gesture::Policy { policy }, ..confirm(pending.prompt(), LATER) }
}

#[test]
fn a_bundle_is_permitted_together_under_one_digest() {
    let order = || {
        let order = TestOrder { note: "two books".to_owned(), shown: Shown::default() };
        Part::new(order, &(), &words()).unwrap()
    };
    let bundle = |parts| Ask { parts, ..ask(250, 0, 1) };
    let pay = || ask(250, 0, 1).parts.remove(0);
    let id = PromptId::from_bytes([1; 16]);
    let waits = gate().open(bundle(vec![pay(), order()]), id, NOW).unwrap();
    let turned = gate().open(bundle(vec![order(), pay()]), id, NOW).unwrap();
    assert_ne!(waits.prompt().digest(), turned.prompt().digest());
    assert_ne!(waits.prompt().digest(), Digest::of(pay().bytes()));
    assert!(waits.prompt().facts().iter().any(|fact| fact.key == FactKey::Document));
    assert!(waits.prompt().facts().iter().any(|fact| fact.key == FactKey::Payee));
    let answer = confirm(waits.prompt(), LATER);
    let Ok(Outcome::Granted(mut grants)) = waits.judge(&answer, None, &situation(LATER, 1)) else { panic!() };
    let (pay_permit, order_permit) = (grants.take::<TestPay>().unwrap(), grants.take::<TestOrder>().unwrap());
    assert_eq!(pay_permit.minted_by(), order_permit.minted_by());
    assert_eq!(order_permit.bytes(), order().bytes());

    for parts in [vec![], vec![pay(), pay()]] {
        assert_eq!(gate().open(bundle(parts), id, NOW).unwrap_err(), GateError::Bundle);
    }
}

#[test]
fn a_statement_names_the_text_its_signer_was_shown() {
    let order = TestOrder { note: "two books".to_owned(), shown: Shown::default() };
    let part = Part::new(order.clone(), &(), &words()).unwrap();
    assert_eq!(was_shown::<TestOrder>(part.bytes(), &(), &words()), Ok(true));
    let lied =
        Shown { text_sha256: Some(Digest::of(b"two")), locale: Some("en".into()), facts_profile: Some(1) };
    let again = Part::new(TestOrder { shown: lied.clone(), ..order.clone() }, &(), &words()).unwrap();
    assert_eq!(again.bytes(), part.bytes());
    let forged = statement::to_bytes(&TestOrder { shown: lied, ..order.clone() }).unwrap();
    assert_eq!(was_shown::<TestOrder>(&forged, &(), &words()), Ok(false));
    let blank = statement::to_bytes(&order).unwrap();
    assert_eq!(was_shown::<TestOrder>(&blank, &(), &words()), Ok(false));
    let text = String::from_utf8(part.bytes().to_vec()).unwrap();
    assert!(text.ends_with("\nlocale: en\nfacts-profile: 1\n"), "{text}");
}

#[test]
fn a_question_without_its_facts_or_with_hostile_text_is_not_asked() {
    let silent = Part::new(Silent { note: "x".to_owned() }, &(), &words()).unwrap_err();
    assert_eq!(silent.code(), "tinguin.missing-fact");
    let hostile = TestOrder { note: "two ✓ books".to_owned(), shown: Shown::default() };
    assert_eq!(Part::new(hostile, &(), &words()).unwrap_err().code(), "text.character");
}
