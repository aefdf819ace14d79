//! The negotiation of the means of payment, message by message: what each side accepts, and what it says of
//! everything else.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops"
)]

mod parties;

use std::path::Path;

use parties::{Parties, REVOCABLE, Run, START, later, money, nonce, offer, purse, system, with};
use semper_supporting::{
    crypto::digest::Digest,
    deal::Anonymity,
    evidence::{SignedBytes, Verified, signed::EvidenceError, statement},
};
use semper_transfer::payment::{
    PayRef, Purse,
    negotiation::{
        ChoiceKind, ExchangeNeeds, MOST_SYSTEMS, Mode, NegConfirm, NegError, NegId, NegPropose, NegReason,
        NegSelect, PaymentAgreement, Proposer, confirm, select,
    },
    purse::{PurseKind, PurseState},
};

/// The field that a change makes wrong, and the change.
type Case<T> = (&'static str, fn(&mut T, &Parties));

fn purses() -> [Purse; 2] {
    [purse(1, system("sim", "south"), "XTS 50.00"), purse(2, system("sim", "north"), "XTS 50.00")]
}

/// Why the payer would not choose.
fn refusal(parties: &Parties, propose: &NegPropose, purses: &[Purse]) -> NegError {
    select(&parties.sign(propose), purses, START, nonce(50)).unwrap_err()
}

#[test]
fn both_sides_get_the_same_reference() {
    let parties = Parties::new();
    let run = parties.run(&parties.proposal(1), &purses());
    let (payer, payee) = (run.agree().unwrap(), run.clone().agree().unwrap());
    assert_eq!(payer.reference(0), payee.reference(0));
    assert_eq!(payer.reference(0), PayRef::of(&run.propose.deal, &payer.hash(), 0));
    assert_ne!(payer.reference(0), payer.reference(1));
    assert_eq!(payer.amount(), money("XTS 12.50"));
    assert_eq!((payer.system(), payer.mode()), (&system("sim", "south"), Mode::Direct));
    assert_eq!(payer.payee().unwrap(), run.propose.systems[1].payee);
    assert_eq!((payer.arbiter(), payer.exchange()), (run.propose.arbiter, run.propose.exch));
    let [p, s, c] = payer.evidence().map(SignedBytes::digest);
    assert_eq!([p, s, c], [run.propose.digest(), run.select.digest(), run.confirm.digest()]);
}

#[test]
fn the_users_order_of_purses_decides_and_not_the_payees_list() {
    let parties = Parties::new();
    let propose = parties.sign(&parties.proposal(1));
    let [south, north] = purses();
    let choose = |purses: &[Purse]| {
        let (chosen, purse) = select(&propose, purses, START, nonce(50)).unwrap();
        (chosen.idx, purse.id)
    };
    assert_eq!(choose(&[south.clone(), north.clone()]), (1, south.id));
    assert_eq!(choose(&[north.clone(), south.clone()]), (0, north.id));
    // A purse that cannot pay this does not count, wherever it stands.
    let empty = purse(3, system("coin", "north"), "XTS 12.49");
    assert_eq!(choose(&[empty, south.clone()]), (1, south.id));
    // One purse, two offers of its system: the cheaper one.
    let mut twice = parties.proposal(1);
    let mut dear = offer(system("sim", "south"), 24);
    dear.fee_payer = Some(money("XTS 0.30"));
    twice.systems = vec![dear, offer(system("sim", "south"), 25)];
    let twice = parties.sign(&twice);
    assert_eq!(select(&twice, std::slice::from_ref(&south), START, nonce(50)).unwrap().0.idx, 1);
}

#[test]
fn the_reason_of_a_refusal_is_the_first_rule_that_left_nothing() {
    let parties = Parties::new();
    let plain = parties.proposal(1);
    let [south, _] = purses();
    let none = |reason| NegError::None(reason);
    let of = |propose: &NegPropose, purse: &Purse| refusal(&parties, propose, std::slice::from_ref(purse));

    assert_eq!(refusal(&parties, &plain, &[]), none(NegReason::NoCommonSystem));
    let mut revocable = plain.clone();
    revocable.require_exch = REVOCABLE;
    revocable.require_anon = Anonymity::Anonymous;
    let full = purse(1, system("sim", "south"), "XTS 1.00");
    let poor = with(&full, |purse| purse.exchange = ExchangeNeeds::default());
    // Each rule hides those after it: the same poor, traceable purse that can do nothing for an exchange.
    let elsewhere = with(&poor, |purse| purse.system = system("sim", "west"));
    assert_eq!(of(&revocable, &elsewhere), none(NegReason::NoCommonSystem));
    assert_eq!(of(&revocable, &poor), none(NegReason::Exchange));
    let able = with(&poor, |purse| purse.exchange = REVOCABLE);
    assert_eq!(of(&revocable, &able), none(NegReason::Anonymity));
    let hidden = with(&able, |purse| purse.anonymity = Anonymity::Anonymous);
    assert_eq!(of(&revocable, &hidden), none(NegReason::Insufficient));
    assert_eq!(of(&revocable, &hidden).code(), "purse.insufficient");
    assert_eq!(of(&revocable, &south).code(), "nego.none");

    // The system must be able as well, not only the purse.
    let mut unable = revocable.clone();
    unable.systems.iter_mut().for_each(|offer| offer.exch.revocable = false);
    assert_eq!(of(&unable, &south), none(NegReason::Exchange));
    // One purse that got further speaks for all.
    assert_eq!(refusal(&parties, &revocable, &[elsewhere, south]), none(NegReason::Anonymity));
}

#[test]
fn a_purse_of_another_kind_currency_or_version_is_no_common_system() {
    let parties = Parties::new();
    let [south, _] = purses();
    let others = [
        with(&south, |purse| purse.version = (2, 0)),
        with(&south, |purse| purse.kind = PurseKind::ReceiveOnly),
        with(&south, |purse| purse.state = PurseState::MustReconcile),
        purse(1, system("sim", "south"), "EUR 50.00"),
    ];
    for other in others {
        let why = refusal(&parties, &parties.proposal(1), std::slice::from_ref(&other));
        assert_eq!(why, NegError::None(NegReason::NoCommonSystem), "{other:?}");
    }
}

#[test]
fn a_fee_that_the_purse_cannot_bear_leaves_too_little() {
    let parties = Parties::new();
    let exact = purse(1, system("sim", "south"), "XTS 12.50");
    let mut propose = parties.proposal(1);
    assert!(select(&parties.sign(&propose), std::slice::from_ref(&exact), START, nonce(50)).is_ok());
    for fee in ["XTS 0.01", "EUR 0.01", "XTS 9999999999999.99"] {
        propose.systems.iter_mut().for_each(|offer| offer.fee_payer = Some(money(fee)));
        let why = refusal(&parties, &propose, std::slice::from_ref(&exact));
        assert_eq!(why, NegError::None(NegReason::Insufficient), "{fee}");
    }
}

#[test]
fn a_proposal_that_is_late_empty_too_long_or_surcharged_is_refused() {
    let parties = Parties::new();
    let good = parties.proposal(1);
    let late = NegPropose { valid_until: later(0), ..good.clone() };
    let signed = parties.sign(&late);
    assert!(select(&signed, &purses(), START, nonce(50)).is_ok(), "to the very end");
    let why = select(&signed, &purses(), later(1), nonce(50)).unwrap_err();
    assert_eq!((why.clone(), why.code()), (NegError::Expired(START), "pay.neg-expired"));

    let empty = NegPropose { systems: vec![], ..good.clone() };
    assert_eq!(refusal(&parties, &empty, &purses()), NegError::Length);
    let many = |n| NegPropose { systems: vec![offer(system("sim", "south"), 1); n], ..good.clone() };
    assert!(select(&parties.sign(&many(MOST_SYSTEMS)), &purses(), START, nonce(50)).is_ok());
    assert_eq!(refusal(&parties, &many(MOST_SYSTEMS + 1), &purses()), NegError::Length);

    for (whole, one) in [("XTS 12.50", "XTS 12.51"), ("XTS 12.50", "EUR 12.50"), ("XTS 12.50", "XTS 12.49")] {
        let mut surcharged = NegPropose { amount: money(whole), ..good.clone() };
        surcharged.systems[2].amount = money(one);
        assert_eq!(refusal(&parties, &surcharged, &purses()), NegError::Mismatch("amount"), "{one}");
    }
    let mut nothing = NegPropose { amount: money("XTS 0.00"), ..good };
    nothing.systems.iter_mut().for_each(|offer| offer.amount = money("XTS 0.00"));
    assert_eq!(refusal(&parties, &nothing, &purses()), NegError::Mismatch("amount"));
}

#[test]
fn a_payer_does_not_choose_among_what_another_payer_offers() {
    let parties = Parties::new();
    let offered = NegPropose { from: Proposer::Payer, ..parties.proposal(1) };
    assert_eq!(refusal(&parties, &offered, &purses()), NegError::Mismatch("from"));
}

#[test]
fn no_message_is_accepted_after_the_end_of_the_proposal() {
    let parties = Parties::new();
    let Run { propose, select, confirm: last } = parties.run(&parties.proposal(1), &purses());
    let end = propose.valid_until;
    assert!(confirm(&propose, &select, end, nonce(51)).is_ok());
    assert_eq!(confirm(&propose, &select, later(601), nonce(51)), Err(NegError::Expired(end)));
    let whole = PaymentAgreement::new(propose, select, last, later(601));
    assert_eq!(whole, Err(NegError::Expired(end)));
}

#[test]
fn bytes_changed_on_the_way_are_nobodys_message() {
    let parties = Parties::new();
    let propose = parties.sign(&parties.proposal(1));
    let mut changed = parties.proposal(1);
    changed.systems.remove(0);
    let forged =
        SignedBytes { tbs: statement::to_bytes(&changed).unwrap(), signature: propose.bytes().signature };
    let verified: Result<Verified<NegPropose>, _> = forged.verify(&parties.public(parties.payee));
    assert!(matches!(verified, Err(EvidenceError::Signature(_))));
}

/// The payee signed both lists, and somebody on the way gives the payer the one it likes.
#[test]
fn a_list_cut_short_reordered_or_longer_is_noticed_by_the_payee() {
    let parties = Parties::new();
    let sent = parties.sign(&parties.proposal(1));
    let variants: [fn(&mut NegPropose); 4] = [
        |list| drop(list.systems.remove(0)),
        |list| list.systems.swap(0, 1),
        |list| list.systems.insert(1, offer(system("sim", "west"), 24)),
        |list| list.systems[1].modes = vec![Mode::Escrow],
    ];
    for change in variants {
        let mut list = parties.proposal(1);
        change(&mut list);
        let shown = parties.sign(&list);
        let choice = parties.select(&shown, &purses());
        let why = confirm(&sent, &choice, START, nonce(51));
        assert!(matches!(why, Err(NegError::Mismatch("h-prop"))), "{why:?} of {:?}", list.systems);
        // Nor does the payer get an agreement out of a confirmation of the list that was sent.
        let honest = parties.run(&parties.proposal(1), &purses());
        let mixed = PaymentAgreement::new(shown, choice, honest.confirm, START);
        assert_eq!(mixed, Err(NegError::Mismatch("h-prop")));
    }
}

#[test]
fn a_selection_that_does_not_fit_is_refused_naming_the_field() {
    let parties = Parties::new();
    let Run { propose, select: good, confirm: last } = parties.run(&parties.proposal(1), &purses());
    let cases: [Case<NegSelect>; 10] = [
        ("idx", |s, _| s.idx = 3),
        ("idx", |s, _| s.idx = u32::MAX),
        ("neg", |s, _| s.neg = NegId::from_bytes([2; 16])),
        ("h-prop", |s, _| s.h_prop = Digest::of(b"another list")),
        ("signer", |s, parties| s.signer = parties.stranger),
        ("signer", |s, parties| s.to = parties.stranger),
        ("signer", |s, parties| (s.signer, s.to) = (parties.payee, parties.payer)),
        ("amount", |s, _| s.amount = money("XTS 12.49")),
        ("amount", |s, _| s.amount = money("EUR 12.50")),
        ("amount", |s, _| s.amount = money("XTS 0.00")),
    ];
    for (field, change) in cases {
        let mut value = good.value().clone();
        change(&mut value, &parties);
        let bad = parties.sign(&value);
        assert_eq!(confirm(&propose, &bad, START, nonce(51)), Err(NegError::Mismatch(field)));
        let whole = PaymentAgreement::new(propose.clone(), bad, last.clone(), START);
        assert_eq!(whole, Err(NegError::Mismatch(field)));
    }
    let mut only_escrow = parties.proposal(1);
    only_escrow.systems[1].modes = vec![Mode::Escrow];
    let only_escrow = parties.sign(&only_escrow);
    let mut value = parties.select(&only_escrow, &purses()).value().clone();
    assert_eq!(value.mode, Mode::Escrow);
    value.mode = Mode::Direct;
    let bad = parties.sign(&value);
    assert_eq!(confirm(&only_escrow, &bad, START, nonce(51)), Err(NegError::Mismatch("mode")));
}

#[test]
fn the_kind_of_choice_bounds_the_amount() {
    let parties = Parties::new();
    let select_amount = |choice, amount: &str| {
        let propose = parties.sign(&NegPropose { choice, ..parties.proposal(1) });
        let mut value = parties.select(&propose, &purses()).value().clone();
        value.amount = money(amount);
        confirm(&propose, &parties.sign(&value), START, nonce(51)).map(|confirm| confirm.amount)
    };
    let wrong = Err(NegError::Mismatch("amount"));
    assert_eq!(select_amount(ChoiceKind::Ps, "XTS 12.50"), Ok(money("XTS 12.50")));
    assert_eq!(select_amount(ChoiceKind::Ps, "XTS 5.00"), wrong);
    assert_eq!(select_amount(ChoiceKind::PsAmt, "XTS 5.00"), Ok(money("XTS 5.00")));
    for amount in ["XTS 12.51", "XTS 0.00", "EUR 5.00"] {
        assert_eq!(select_amount(ChoiceKind::PsAmt, amount), wrong, "{amount}");
    }
}

#[test]
fn a_confirmation_that_differs_in_any_one_field_is_refused_naming_it() {
    let parties = Parties::new();
    let run = parties.run(&parties.proposal(1), &purses());
    assert!(run.agree().is_ok());
    let cases: [Case<NegConfirm>; 14] = [
        ("neg", |c, _| c.neg = NegId::from_bytes([2; 16])),
        ("h-prop", |c, _| c.h_prop = Digest::of(b"another list")),
        ("h-sel", |c, _| c.h_sel = Digest::of(b"another choice")),
        ("signer", |c, parties| c.signer = parties.stranger),
        ("signer", |c, parties| c.to = parties.stranger),
        ("system", |c, _| c.system = system("sim", "north")),
        ("system", |c, _| c.system = system("coin", "south")),
        ("system", |c, _| c.system.brand = "Other".into()),
        ("system", |c, _| c.ver = (1, 1)),
        ("amount", |c, _| c.amount = money("XTS 12.49")),
        ("amount", |c, _| c.amount = money("EUR 12.50")),
        ("mode", |c, _| c.mode = Mode::Escrow),
        ("arbiter", |c, _| c.arbiter = None),
        ("arbiter", |c, parties| c.arbiter = Some(parties.payee)),
    ];
    for (field, change) in cases {
        let mut value = run.confirm.value().clone();
        change(&mut value, &parties);
        assert_ne!(&value, run.confirm.value());
        let changed = Run { confirm: parties.sign(&value), ..run.clone() };
        assert_eq!(changed.agree(), Err(NegError::Mismatch(field)));
        assert_eq!(changed.agree().unwrap_err().code(), "pay.neg-mismatch");
    }
    // Another nonce is another confirmation, and another reference.
    let again = NegConfirm { nonce: nonce(99), ..run.confirm.value().clone() };
    let again = Run { confirm: parties.sign(&again), ..run.clone() };
    assert_ne!(again.agree().unwrap().reference(0), run.agree().unwrap().reference(0));
}

#[test]
fn an_old_selection_does_not_fit_a_new_negotiation() {
    let parties = Parties::new();
    let old = parties.run(&parties.proposal(1), &purses());
    let new = parties.sign(&parties.proposal(2));
    assert_eq!(confirm(&new, &old.select, START, nonce(51)), Err(NegError::Mismatch("neg")));
    // Nor when the payee uses the number of the negotiation twice: the nonce differs.
    let twice = parties.sign(&NegPropose { nonce: nonce(77), ..parties.proposal(1) });
    assert_eq!(confirm(&twice, &old.select, START, nonce(51)), Err(NegError::Mismatch("h-prop")));
    let whole = PaymentAgreement::new(twice, old.select, old.confirm, START);
    assert_eq!(whole, Err(NegError::Mismatch("h-prop")));
}

#[test]
fn of_two_crossed_negotiations_no_message_fits_the_other() {
    let parties = Parties::new();
    let runs = [1, 2].map(|n| parties.run(&parties.proposal(n), &purses()));
    for n in 0..8_usize {
        let [p, s, c] = [n & 1, n >> 1 & 1, n >> 2];
        let mixed = Run {
            propose: runs[p].propose.clone(),
            select: runs[s].select.clone(),
            confirm: runs[c].confirm.clone(),
        };
        let expected = p == s && s == c;
        assert_eq!(mixed.agree().is_ok(), expected, "{p} {s} {c}");
        assert!(expected || mixed.agree() == Err(NegError::Mismatch("neg")));
    }
    assert_ne!(runs[0].agree().unwrap().reference(0), runs[1].agree().unwrap().reference(0));
}

/// Each file holds the exact bytes that are signed; `sha256sum -c SHA256SUMS` agrees.
#[test]
fn the_messages_are_those_of_the_golden_files() {
    let parties = Parties::new();
    let run = parties.run(&parties.proposal(1), &purses());
    let sums = golden("SHA256SUMS");
    let messages =
        [("neg-p", run.propose.bytes()), ("neg-s", run.select.bytes()), ("neg-c", run.confirm.bytes())];
    for (name, signed) in messages {
        assert_eq!(golden(&format!("{name}.txt")), String::from_utf8(signed.tbs.clone()).unwrap(), "{name}");
        assert!(sums.contains(&format!("{}  {name}.txt\n", signed.digest())), "{name}");
    }
    assert_eq!(golden("reference.txt"), format!("{}\n", run.agree().unwrap().reference(0)));
    assert_eq!(run.propose.from, Proposer::Payee);
}

#[expect(clippy::disallowed_methods, reason = "a test reads its golden files")]
fn golden(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/negotiation");
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
