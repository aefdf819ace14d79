//! Positions in a third party's journal: what is shown is compared with what was signed.
#![allow(missing_docs, unreachable_pub, reason = "a test program has no readers of its own interface")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail this way")]

mod common;

use semper_exchange::heads::{Head, Indexed, JournalFault, Place, contradict, lead, says};
use semper_supporting::{
    archive::journal::{self, Chain, Class, Entry, Kind, Line},
    crypto::digest::Digest,
    time::Moment,
};

use common::Someone;

const STEP: u64 = 3;

fn said() -> Digest {
    Digest::of(b"decision")
}

fn entry(seq: u64) -> Entry {
    let payload = match seq {
        STEP => format!("exchange 0101\nsay t/receipt {}\nsay t/decision {}", Digest::of(b"r"), said()),
        _ => format!("exchange {seq}"),
    };
    Entry {
        at: Moment::from_seconds(1_772_359_200 + seq),
        kind: Kind::of(Class::Decision, "arbiter"),
        deal: None,
        salt: [7; 32],
        payload: payload.into_bytes(),
    }
}

fn journal(length: u64) -> Vec<Line> {
    let mut chain = Chain::EMPTY;
    (1..=length).map(|seq| chain.append(&entry(seq))).collect()
}

fn text(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| line.to_string().trim_end().to_owned()).collect()
}

fn at(line: &Line) -> journal::Head {
    journal::Head { seq: line.seq, hash: line.hash() }
}

fn place(arbiter: &Someone, lines: &[Line]) -> Place {
    let last = lines.last().unwrap();
    let head = Head {
        cert_t: arbiter.certificate,
        seq: last.seq,
        hash: last.hash(),
        at: Moment::from_seconds(1_772_360_000),
        signer: arbiter.public().kid(),
    };
    let entry = entry(STEP);
    Place {
        head: arbiter.sign(&head).bytes().clone(),
        lines: text(&lines[2..]),
        salt: entry.salt,
        payload: entry.payload,
    }
}

#[test]
fn a_statement_stands_where_it_says_and_nowhere_else() {
    let (arbiter, lines) = (Someone::authority(3), journal(5));
    let (key, place) = (arbiter.public(), place(&arbiter, &lines));
    let indexed = Indexed { index: STEP, prev: Some(lines[1].hash()), statement: said() };
    let head = place.check(&indexed, arbiter.certificate, &key).unwrap();
    assert_eq!(head.place(), at(&lines[4]));
    assert_eq!(indexed.before(), Some(at(&lines[1])));

    let other = Digest::of(b"another");
    let check = |indexed: Indexed| place.check(&indexed, arbiter.certificate, &key).map(drop);
    assert_eq!(check(Indexed { prev: None, ..indexed }), Ok(()));
    assert_eq!(check(Indexed { prev: Some(other), ..indexed }), Err(JournalFault::Elsewhere));
    assert_eq!(check(Indexed { index: 4, ..indexed }), Err(JournalFault::Elsewhere));
    assert_eq!(check(Indexed { statement: other, ..indexed }), Err(JournalFault::Unnamed));
    assert_eq!(place.check(&indexed, other, &key).map(drop), Err(JournalFault::Foreign));
    let stranger = Someone::authority(4).public();
    assert!(matches!(place.check(&indexed, arbiter.certificate, &stranger), Err(JournalFault::Evidence(_))));
}

#[test]
fn whatever_is_changed_in_the_proof_is_seen() {
    let (arbiter, lines) = (Someone::authority(3), journal(5));
    let good = place(&arbiter, &lines);
    let indexed = Indexed { index: STEP, prev: Some(lines[1].hash()), statement: said() };
    let check = |place: &Place| place.check(&indexed, arbiter.certificate, &arbiter.public()).map(drop);
    for missing in 0..good.lines.len() {
        let mut place = good.clone();
        place.lines.remove(missing);
        assert!(check(&place).is_err(), "without line {missing}");
    }
    for changed in 0..good.lines.len() {
        let mut place = good.clone();
        place.lines[changed] = place.lines[changed].replacen("decision", "decisions", 1);
        assert!(check(&place).is_err(), "with line {changed} changed");
    }
    let mut place = good.clone();
    place.lines.clear();
    assert_eq!(check(&place), Err(JournalFault::Elsewhere));
    let mut place = good.clone();
    place.payload.extend_from_slice(b"\n");
    assert_eq!(check(&place), Err(JournalFault::Unnamed));
    let mut place = good;
    place.salt = [8; 32];
    assert_eq!(check(&place), Err(JournalFault::Unnamed));
}

#[test]
fn a_later_head_follows_from_an_earlier_one() {
    let lines = journal(6);
    assert_eq!(lead(at(&lines[1]), &text(&lines[2..]), at(&lines[5])), Ok(()));
    assert_eq!(lead(at(&lines[1]), &[], at(&lines[1])), Ok(()));
    assert_eq!(lead(journal::Head::EMPTY, &text(&lines), at(&lines[5])), Ok(()));
    assert_eq!(lead(at(&lines[1]), &text(&lines[3..]), at(&lines[5])), Err(JournalFault::Elsewhere));
    assert_eq!(lead(at(&lines[1]), &text(&lines[2..5]), at(&lines[5])), Err(JournalFault::Elsewhere));
    let gap = [lines[2].clone(), lines[4].clone()];
    assert_eq!(lead(at(&lines[1]), &text(&gap), at(&lines[4])), Err(JournalFault::Broken(4)));
}

#[test]
fn two_heads_of_one_length_prove_two_journals() {
    let line = journal(3).pop().unwrap();
    let other = journal::Head { hash: Digest::of(b"rewritten"), ..at(&line) };
    assert!(contradict(at(&line), other) && !contradict(at(&line), at(&line)));
    assert!(!contradict(at(&line), journal::Head { seq: 4, ..other }), "another length says nothing");
}

#[test]
fn a_hash_in_a_payload_counts_only_where_something_is_said() {
    let hash = said();
    assert!(says(format!("say t/decision {hash}").as_bytes(), &hash));
    assert!(!says(format!("asked t/resolve {hash}").as_bytes(), &hash));
    assert!(!says(format!("say t/decision {hash} ").as_bytes(), &hash));
    assert!(!says(&[0xff], &hash));
}
