//! Registration between an authority's desk and a wallet, with every crash, loss and lie on the way.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops"
)]

mod authority;
mod pki;

use std::collections::BTreeSet;

use authority::{Ca, EXPORTER, ID, K, OTHER_K, asked, finish, plan, refusal, restored, run, set_of};
use pki::{World, key, now, subject};
use proptest::{collection::vec, prelude::*};
use semper_supporting::{
    certificate::{
        CertRole, Certificate, Class, Issuer, TrustSnapshot, Usage, inspect,
        status::{LIST_VALIDITY, RevocationReason},
    },
    evidence::SignedBytes,
    fault::Fault,
    machine::{Machine, Refused},
    registration::{
        applicant::{self, Applicant, Plan},
        desk::{CallId, Desk, Event, Input, Output},
        message::{Answer, Asked, Call, CertificateSet, Refusal, RevokeOwn},
        prk::PrkKey,
        record::{Kind, Names, RecordId, RegState, Registration, TRIES_A_DAY, TRIES_IN_ALL},
    },
    time::Span,
};

#[test]
fn a_person_gets_one_set_that_everybody_believes() {
    let mut ca = Ca::new(Kind::Person);
    let wallet = run(&mut ca, Applicant::Ready(plan(asked(&[10, 11]))), &mut None, None);
    let Applicant::Done(set) = wallet else { panic!("{wallet:?}") };
    let trust = ca.world.trust();
    let verify = |n: usize, usage| {
        trust.verify(&set.certificates[n..=n], CertRole::Buyer, usage, now()).map(|found| *found.key())
    };
    assert_eq!(verify(0, Usage::Sign), Ok(key(10).public()));
    assert_eq!(verify(1, Usage::TlsClient), Ok(key(11).public()));
    assert!(verify(1, Usage::Sign).is_err() && verify(0, Usage::TlsClient).is_err());
}

#[test]
fn with_every_crash_of_the_authority_and_every_loss_exactly_one_set_is_issued() {
    let mut crashes = BTreeSet::new();
    for crash in std::iter::once(None).chain((0..16).map(Some)) {
        for lost in std::iter::once(None).chain((0..5).map(Some)) {
            let mut ca = Ca::new(Kind::Person);
            let mut left = crash;
            let wallet = run(&mut ca, Applicant::Ready(plan(asked(&[10, 11]))), &mut left, lost);
            let Applicant::Done(set) = wallet else { panic!("{crash:?} {lost:?}: {wallet:?}") };
            let given: BTreeSet<_> = set.certificates.iter().map(Certificate::digest).collect();
            assert_eq!(ca.issued, given, "{crash:?} {lost:?}");
            assert!(matches!(ca.state(), RegState::Used(_, stored) if *stored == set), "{crash:?} {lost:?}");
            crashes.extend(crash.filter(|_| left.is_none()));
        }
    }
    // Storing and answering the beginning; storing, noting and issuing; storing, noting and answering the set.
    assert!(crashes.range(0..8).count() == 8, "{crashes:?}");
}

#[test]
fn a_desk_that_went_down_while_issuing_comes_back_to_the_same_certificates() {
    let mut ca = Ca::new(Kind::Person);
    let Answer::Nonce(nonce) = ca.call(&Call::RegBegin { prk_id: K.id() }) else { panic!() };
    let input = {
        let call = finish(&K, &asked(&[10, 11]), &nonce, &EXPORTER);
        ca.input(call, CallId(2), now())
    };
    let outputs = ca.step(input).0;
    let ordered: Vec<_> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Issue { orders, .. } => Some(orders.clone()),
            _ => None,
        })
        .collect();
    let desk = Desk::of(restored(&ca.desk).all().cloned());
    assert_eq!(desk, ca.desk);
    let again: Vec<_> = desk
        .unfinished()
        .into_iter()
        .map(|output| match output {
            Output::Issue { orders, call: None, .. } => orders,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((again.len(), &again), (1, &ordered));
}

#[test]
fn the_same_requests_get_the_same_certificates_and_other_keys_get_none() {
    let mut ca = Ca::new(Kind::Person);
    let first = set_of(ca.register(&K, &asked(&[10, 11])));
    let later = now().after(Span::days(3));
    assert_eq!(set_of(ca.register_at(&K, &asked(&[10, 11]), later)), first);
    let second = ca.register(&K, &asked(&[12, 13]));
    let until = now().after(Span::days(730));
    assert_eq!(second, Answer::Refused(Refusal::AlreadyIssued { at: now(), until }));
    assert_eq!(refusal(&ca.register(&K, &asked(&[10, 12]))), "ca.already-issued");
    assert_eq!(refusal(&ca.register(&K, &asked(&[11, 10]))), "ca.already-issued");
    assert_eq!(ca.issued.len(), 2);
    // The names no longer matter once the requests are the same: the set says who it is about.
    let other_names = Asked { names: Names { name: "X".into(), ..asked(&[]).names }, ..asked(&[10, 11]) };
    let again = ca.register(&K, &other_names);
    assert_eq!(set_of(again.clone()), first);
    // Whoever lost the first answer and entered other names since believes it, and is told so.
    let wallet = Applicant::Proving(plan(other_names));
    let told = match wallet.step(applicant::Input::Answered(Box::new(again), now())).state {
        Applicant::Declined(_, failure) => failure.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(told.contains("has issued the certificates of this registration for Ada Weber"), "{told}");
}

#[test]
fn an_unknown_key_gets_the_same_first_answer_and_is_told_only_at_the_end() {
    let mut ca = Ca::new(Kind::Person);
    let before = ca.desk.clone();
    let answer = ca.call(&Call::RegBegin { prk_id: OTHER_K.id() });
    assert!(matches!(answer, Answer::Nonce(_)));
    assert_eq!(refusal(&ca.register(&OTHER_K, &asked(&[10, 11]))), "ca.unknown-prk");
    assert_eq!(ca.desk, before, "a stranger leaves nothing behind");
}

#[test]
fn a_key_works_only_once_its_letter_is_printed_and_until_it_is_void() {
    let mut ca = Ca::new(Kind::Person);
    let id = RecordId::from_bytes([2; 16]);
    let registration = Registration::entered(id, Kind::Person, subject(Class::PersonSign), OTHER_K.clone());
    ca.step(Input::Entered(Box::new(registration.clone()), now()));
    assert_eq!(ca.step(Input::Entered(Box::new(registration), now())).1, Some(Refused::Mismatch));
    assert_eq!(refusal(&ca.register(&OTHER_K, &asked(&[10, 11]))), "ca.unknown-prk");
    ca.step(Input::Printed(id, now()));
    assert_eq!(ca.step(Input::Printed(id, now())).1, Some(Refused::OutOfPlace));
    ca.step(Input::Voided { id, reason: "letter lost".into(), at: now() });
    assert_eq!(refusal(&ca.register(&OTHER_K, &asked(&[10, 11]))), "ca.void");
    assert!(ca.issued.is_empty());
}

#[test]
fn a_nonce_serves_once_for_five_minutes_and_in_its_own_session() {
    let mut ca = Ca::new(Kind::Person);
    let begin = Call::RegBegin { prk_id: K.id() };
    let ask = asked(&[10, 11]);
    let Answer::Nonce(nonce) = ca.call(&begin) else { panic!() };
    let late = ca.call_at(&finish(&K, &ask, &nonce, &EXPORTER), now().after(Span::minutes(5))).unwrap();
    assert_eq!(refusal(&late), "ca.nonce");
    assert_eq!(refusal(&ca.call(&finish(&K, &ask, &nonce, &EXPORTER))), "ca.nonce");

    let Answer::Nonce(nonce) = ca.call(&begin) else { panic!() };
    let elsewhere = finish(&K, &ask, &nonce, &[8; 32]);
    assert_eq!(refusal(&ca.call(&elsewhere)), "ca.unknown-prk");

    let Answer::Nonce(nonce) = ca.call(&begin) else { panic!() };
    let in_time = now().after(Span::minutes(5)).before(Span::millis(1));
    assert_eq!(
        ca.call_at(&finish(&K, &ask, &nonce, &EXPORTER), in_time).map(|a| set_of(a).certificates.len()),
        Some(2)
    );
}

#[test]
fn wrong_names_lock_for_a_day_after_five_tries_and_void_after_twenty() {
    let mut ca = Ca::new(Kind::Person);
    let wrong = Asked { names: Names { name: "Eve".into(), ..asked(&[]).names }, ..asked(&[10, 11]) };
    let mut at = now();
    for n in 1..=TRIES_IN_ALL {
        let left = (TRIES_A_DAY - n % TRIES_A_DAY) % TRIES_A_DAY;
        assert_eq!(ca.register_at(&K, &wrong, at), Answer::Refused(Refusal::NameDiffers { left }), "{n}");
        if left == 0 && n < TRIES_IN_ALL {
            assert_eq!(refusal(&ca.register_at(&K, &asked(&[10, 11]), at)), "ca.locked");
            at = at.after(Span::days(1));
        }
    }
    assert!(matches!(ca.state(), RegState::Void { .. }));
    let much_later = at.after(Span::days(9));
    assert_eq!(refusal(&ca.register_at(&K, &asked(&[10, 11]), much_later)), "ca.void");
    assert!(ca.issued.is_empty());
}

#[test]
fn names_may_be_written_in_capitals_and_with_other_spaces() {
    let mut ca = Ca::new(Kind::Person);
    let names = Names {
        name: "  ADA   weber ".into(),
        organisation: Some("MÜLLER & SÖHNE".into()),
        ..asked(&[]).names
    };
    let set = set_of(ca.register(&K, &Asked { names, ..asked(&[10, 11]) }));
    assert_eq!(inspect(&set.certificates[0]).unwrap().subject.common_name, "Ada Weber");
}

#[test]
fn keys_that_cannot_be_certified_are_refused_and_leave_the_registration_open() {
    let mut ca = Ca::new(Kind::Person);
    let mut unproven = asked(&[10, 11]);
    *unproven.requests[1].last_mut().unwrap() ^= 1;
    let cases = [asked(&[]), asked(&[10]), asked(&[10, 10]), unproven];
    for case in cases {
        assert_eq!(refusal(&ca.register(&K, &case)), "ca.bad-key");
    }
    let three = Call::RegFinish(semper_supporting::registration::message::RegFinish {
        prk_id: K.id(),
        asked: asked(&[10, 11, 12]),
        mac: [0; 32],
    });
    assert!(Call::read(&three.write().unwrap()).is_err());
    let first = set_of(ca.register(&K, &asked(&[10, 11])));

    // A key of one registration is none for another.
    let id = RecordId::from_bytes([2; 16]);
    let other = Registration::entered(id, Kind::Person, subject(Class::PersonSign), OTHER_K.clone());
    ca.step(Input::Entered(Box::new(other), now()));
    ca.step(Input::Printed(id, now()));
    assert_eq!(refusal(&ca.register(&OTHER_K, &asked(&[12, 11]))), "ca.bad-key");
    let second = set_of(ca.register(&OTHER_K, &asked(&[12, 13])));
    assert!(first.certificates.iter().all(|one| !second.certificates.contains(one)));
}

#[test]
fn every_kind_gets_the_certificates_of_its_classes() {
    for kind in [Kind::Merchant, Kind::Arbiter, Kind::Bank, Kind::CaService] {
        let mut ca = Ca::new(kind);
        let class = kind.classes()[0];
        let ask = Asked { names: Names::of(&subject(class)), ..asked(&[10]) };
        let plan = Plan { kind, dns: subject(class).dns, ..plan(ask.clone()) };
        let wallet = run(&mut ca, Applicant::Ready(plan.clone()), &mut None, None);
        assert!(matches!(wallet, Applicant::Done(_)), "{kind:?}: {wallet:?}");
        let elsewhere = Plan { dns: vec!["other.example".into()], ..plan };
        let wallet = run(&mut ca, Applicant::Ready(elsewhere), &mut None, None);
        assert!(matches!(wallet, Applicant::Declined(_, applicant::Failure::OtherNames { .. })), "{kind:?}");
    }
}

#[test]
fn what_an_operator_issued_must_be_what_was_settled() {
    let mut ca = Ca::new(Kind::Person);
    let Answer::Nonce(nonce) = ca.call(&Call::RegBegin { prk_id: K.id() }) else { panic!() };
    let input = {
        let call = finish(&K, &asked(&[10, 11]), &nonce, &EXPORTER);
        ca.input(call, CallId(2), now())
    };
    let outputs = ca.step(input).0;
    let other = CertificateSet { certificates: vec![ca.world.issue(Class::PersonSign)], chain: Vec::new() };
    let issued = Input::Issued { id: ID, call: None, set: other, at: now() };
    assert_eq!(ca.step(issued).1, Some(Refused::Mismatch));
    assert_eq!(ca.perform(outputs, &mut None).len(), 1);
    let set = set_of(ca.register(&K, &asked(&[10, 11])));
    assert_eq!(ca.step(Input::Issued { id: ID, call: None, set, at: now() }).1, Some(Refused::Repeated));
}

/// An owner's signature, made as its key store would.
fn signed(statement: &RevokeOwn, n: u8) -> SignedBytes {
    let tbs = semper_supporting::evidence::statement::to_bytes(statement).unwrap();
    let signature: [u8; 64] = pki::RawKey::new(n).sign(&tbs).try_into().unwrap();
    SignedBytes { tbs, signature: semper_supporting::crypto::signature::Signature::from_bytes(signature) }
}

#[test]
fn an_owner_revokes_his_set_and_nobody_believes_it_any_more() {
    let mut ca = Ca::new(Kind::Person);
    let set = set_of(ca.register(&K, &asked(&[10, 11])));
    let statement = |n| RevokeOwn {
        reason: RevocationReason::KeyCompromise,
        at: now(),
        signer: key(n).public().kid(),
        cert: set.certificates[0].digest(),
    };
    // A stranger's statement about this certificate does not verify with the key in it.
    let (_, holder) = ca.desk.holder(&set.certificates[0].digest()).unwrap();
    assert!(signed(&statement(12), 12).verify::<RevokeOwn>(&holder).is_err());
    let strangers = signed(&statement(12), 12).verify::<RevokeOwn>(&key(12).public()).unwrap();
    let (outputs, refused) = ca.step(Input::RevokeAsked { call: CallId(1), statement: strangers, at: now() });
    assert_eq!(refused, Some(Refused::Mismatch));
    assert_eq!(refusal(&ca.perform(outputs, &mut None)[0]), "ca.not-ours");

    let own = signed(&statement(10), 10).verify::<RevokeOwn>(&holder).unwrap();
    for _twice in 0..2 {
        let (outputs, _) = ca.step(Input::RevokeAsked { call: CallId(1), statement: own.clone(), at: now() });
        assert_eq!(ca.perform(outputs, &mut None), [Answer::Revoked { from: now() }]);
    }
    assert_eq!((ca.revoked.len(), ca.desk.revoked(now())), (2, ca.revoked.clone()));
    assert!(ca.desk.revoked(now().after(Span::days(731))).is_empty());
    let trust = ca.world.trust_at(now(), &ca.revoked, &[]);
    for (n, usage) in [(0, Usage::Sign), (1, Usage::TlsClient)] {
        let found = trust.verify(&set.certificates[n..=n], CertRole::Buyer, usage, now());
        assert_eq!(found.map_err(|fault| fault.code()).map(|_| ()), Err("cert.revoked"));
    }
    assert_eq!(refusal(&ca.register(&K, &asked(&[12, 13]))), "ca.already-issued");
}

#[test]
fn a_set_that_was_rolled_over_can_still_be_revoked() {
    let mut ca = Ca::new(Kind::Person);
    assert_eq!(ca.step(Input::RolledOver(ID, now())).1, Some(Refused::OutOfPlace));
    let revoke = || Input::RevokedHere { id: ID, reason: RevocationReason::Superseded, at: now() };
    assert_eq!(ca.step(revoke()).1, Some(Refused::OutOfPlace));
    set_of(ca.register(&K, &asked(&[10, 11])));
    let journalled = |outputs: &[Output]| {
        outputs.iter().find_map(|output| match output {
            Output::Journal(entry) => Some(entry.event),
            _ => None,
        })
    };
    assert_eq!(journalled(&ca.step(Input::RolledOver(ID, now())).0), Some(Event::RolledOver));
    assert_eq!(journalled(&ca.step(revoke()).0), Some(Event::Revoked));
}

/// Everything an authority could answer that is not its own answer to this wallet.
#[test]
fn an_answer_that_is_not_the_authoritys_own_is_discarded() {
    let mut ca = Ca::new(Kind::Person);
    let ask = asked(&[10, 11]);
    let good = ca.register(&K, &ask);
    let Answer::Set { set, mac2 } = good.clone() else { panic!() };
    let judge = |answer: Answer| {
        let wallet = Applicant::Proving(plan(ask.clone()));
        match wallet.step(applicant::Input::Answered(Box::new(answer), now())).state {
            Applicant::Done(_) => "done",
            Applicant::Declined(_, failure) => failure.code(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(judge(good), "done");
    assert_eq!(judge(Answer::Set { set: set.clone(), mac2: [0; 32] }), "ca.bad-answer");
    let proven = |set: CertificateSet| Answer::set(&K, &ask, set);
    assert_eq!(judge(Answer::set(&OTHER_K, &ask, set.clone())), "ca.bad-answer");
    assert_eq!(
        judge(Answer::Set { set: CertificateSet { chain: Vec::new(), ..set.clone() }, mac2 }),
        "ca.bad-answer"
    );
    // Even an authority that knows K cannot put in other keys, other names, other classes or another root.
    let with = |certificates: Vec<Certificate>| proven(CertificateSet { certificates, ..set.clone() });
    let [sign, auth] = [set.certificates[0].clone(), set.certificates[1].clone()];
    assert_eq!(judge(with(vec![auth.clone(), sign.clone()])), "ca.bad-answer");
    assert_eq!(judge(with(vec![sign.clone()])), "ca.bad-answer");
    let reissue = |change: &dyn Fn(&mut semper_supporting::certificate::Issuance), by: &Issuer| {
        let mut order = World::order(Class::PersonSign);
        order.key = key(10).public();
        change(&mut order);
        with(vec![by.issue(&order).unwrap(), auth.clone()])
    };
    assert_eq!(judge(reissue(&|_| (), &ca.world.ca)), "done");
    assert_eq!(judge(reissue(&|order| order.key = key(12).public(), &ca.world.ca)), "ca.bad-answer");
    assert_eq!(
        judge(reissue(&|order| order.subject.common_name = "Eve".into(), &ca.world.ca)),
        "ca.other-names"
    );
    let later =
        |order: &mut semper_supporting::certificate::Issuance| order.from = now().after(Span::days(1));
    assert_eq!(judge(reissue(&later, &ca.world.ca)), "ca.bad-answer");
    let false_root =
        Issuer::root(key(50), pki::authority("Test root"), pki::serial(1), pki::start()).unwrap();
    let false_ca = false_root
        .issue(&semper_supporting::certificate::Issuance {
            class: Class::IssuingCa,
            subject: pki::authority("Test authority"),
            key: key(51).public(),
            serial: pki::serial(2),
            from: pki::start(),
            policy: None,
        })
        .unwrap();
    let false_ca = Issuer::open(key(51), false_ca).unwrap();
    assert_eq!(judge(reissue(&|_| (), &false_ca)), "ca.bad-answer");
}

#[test]
fn a_wallet_that_was_declined_goes_on_with_the_same_requests() {
    let mut ca = Ca::new(Kind::Person);
    let wrong = Asked { names: Names { name: "Ada W.".into(), ..asked(&[]).names }, ..asked(&[10, 11]) };
    let declined = run(&mut ca, Applicant::Ready(plan(wrong.clone())), &mut None, None);
    let Applicant::Declined(_, failure) = &declined else { panic!("{declined:?}") };
    assert_eq!(failure.code(), "ca.name-differs");
    let corrected = declined.step(applicant::Input::Corrected(asked(&[]).names)).state;
    let Applicant::Ready(plan) = &corrected else { panic!("{corrected:?}") };
    assert_eq!(plan.asked, asked(&[10, 11]));
    assert!(matches!(run(&mut ca, corrected, &mut None, None), Applicant::Done(_)));
}

/// One thing that may happen at the desk: somebody registers with one of two letters and some keys, in time or
/// late, and the authority may go down before it has issued.
fn visit() -> impl Strategy<Value = (bool, Vec<u8>, bool, u64, Option<usize>)> {
    let crash = prop_oneof![Just(None), (0..6_usize).prop_map(Some)];
    (any::<bool>(), vec(10..14_u8, 1..3), any::<bool>(), 0..400_u64, crash)
}

proptest! {
    /// Whatever arrives in whatever order: a letter gives one set, and no key is in two certificates.
    #[test]
    fn a_letter_gives_one_set_and_a_key_gets_one_certificate(visits in vec(visit(), 1..24)) {
        let mut ca = Ca::new(Kind::Person);
        let id = RecordId::from_bytes([2; 16]);
        let other = Registration::entered(id, Kind::Person, subject(Class::PersonSign), OTHER_K.clone());
        ca.step(Input::Entered(Box::new(other), now()));
        ca.step(Input::Printed(id, now()));
        let mut at = now();
        for (first, keys, honest, seconds, mut crash) in visits {
            let k: &PrkKey = if first { &K } else { &OTHER_K };
            let mut ask = asked(&keys);
            if !honest {
                ask.names.name = "Eve".into();
            }
            let Some(Answer::Nonce(nonce)) = ca.call_at(&Call::RegBegin { prk_id: k.id() }, at) else {
                panic!("no nonce");
            };
            at = at.after(Span::seconds(seconds));
            let input = ca.input(finish(k, &ask, &nonce, &EXPORTER), CallId(1), at);
            let outputs = ca.step(input).0;
            ca.perform(outputs, &mut crash);
        }
        let sets: Vec<_> = ca.desk.all().filter_map(Registration::set).collect();
        let given: BTreeSet<_> =
            sets.iter().flat_map(|set| &set.certificates).map(Certificate::digest).collect();
        prop_assert_eq!(&given, &ca.issued);
        let keys: BTreeSet<_> = sets
            .iter()
            .flat_map(|set| &set.certificates)
            .map(|one| inspect(one).unwrap().key.kid())
            .collect();
        prop_assert_eq!(keys.len(), given.len());
    }
}

#[test]
fn a_list_is_sent_only_to_whom_it_is_news() {
    let world = World::new();
    let list = world.ca.issue_list(7, now(), LIST_VALIDITY, &[]).unwrap();
    assert_eq!(Answer::list(&list, 6), Answer::Crl(list.clone()));
    assert_eq!(Answer::list(&list, 7), Answer::CrlUnchanged);
    let answer = Answer::read(&Answer::list(&list, 0).write().unwrap()).unwrap();
    let Answer::Crl(list) = answer else { panic!() };
    let mut trust = TrustSnapshot { crls: Vec::new(), ..world.trust() };
    assert_eq!(trust.accept_list(list, now()), Ok(()));
}
