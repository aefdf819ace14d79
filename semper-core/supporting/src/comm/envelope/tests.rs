//! A conversation over connections that fall, repeat, reorder and lie.

use proptest::prelude::*;

use super::*;

const CONF: Digest = Digest::from_bytes([7; 32]);

fn deal() -> DealId {
    DealId::from_bytes([9; 32])
}

fn named() -> Conversation {
    let mut conversation = Conversation::default();
    conversation.name(deal()).unwrap();
    conversation
}

fn say(side: &mut Conversation, text: &str) -> Frame {
    side.send(Kind::Deal, CONF, text.as_bytes().to_vec()).unwrap()
}

fn body(heard: Heard) -> String {
    match heard {
        Heard::New(envelope) => String::from_utf8(envelope.body).unwrap(),
        other => panic!("not new: {other:?}"),
    }
}

#[test]
fn what_one_side_says_the_other_hears_once_and_in_order() {
    let (mut shop, mut buyer) = (named(), named());
    let first = say(&mut buyer, "order");
    let second = say(&mut buyer, "payment");
    assert_eq!(shop.receive(&second), Err(EnvelopeError::Gap { expected: 1, got: 2 }));
    assert_eq!(body(shop.receive(&first).unwrap()), "order");
    assert_eq!(body(shop.receive(&second).unwrap()), "payment");
    assert_eq!(shop.receive(&first), Ok(Heard::Repeated(vec![])));
    let answer = say(&mut shop, "goods");
    assert_eq!(shop.receive(&second), Ok(Heard::Repeated(vec![answer.clone()])));
    assert_eq!(buyer.unanswered().count(), 2);
    assert_eq!(body(buyer.receive(&answer).unwrap()), "goods");
    assert_eq!(buyer.unanswered().count(), 0);
    assert_eq!(buyer.sent(), shop.received());
    assert_eq!(buyer.received(), shop.sent());
}

#[test]
fn the_chain_of_a_direction_is_what_sha256sum_computes() {
    let frame = Digest::of(b"frame");
    let lines = format!("{}\n{frame}\n", "0".repeat(64));
    assert_eq!(Transcript::START.with(frame), Transcript { count: 1, hash: Digest::of(lines.as_bytes()) });
}

#[test]
fn the_same_number_with_other_bytes_is_a_fork() {
    let (mut shop, mut buyer) = (named(), named());
    let mut liar = buyer.clone();
    assert_eq!(body(shop.receive(&say(&mut buyer, "order one")).unwrap()), "order one");
    assert_eq!(shop.receive(&say(&mut liar, "order two")), Err(EnvelopeError::Fork { step: 1 }));
}

#[test]
fn a_frame_names_what_its_sender_has_seen_or_it_is_a_fork() {
    let (mut shop, mut buyer) = (named(), named());
    let mut elsewhere = buyer.clone();
    say(&mut elsewhere, "something the shop never saw");
    let mut forged = Envelope::read(&say(&mut elsewhere, "order")).unwrap();
    forged.place = forged.place.map(|place| Place { seq: 1, ..place });
    let forged = forged.frame(Kind::Deal, 0).unwrap();
    assert_eq!(shop.receive(&forged), Err(EnvelopeError::Fork { step: 1 }));
    assert_eq!(body(shop.receive(&say(&mut buyer, "order")).unwrap()), "order");
}

#[test]
fn frames_of_another_deal_are_refused_and_change_nothing() {
    let mut other = Conversation::default();
    other.name(DealId::from_bytes([8; 32])).unwrap();
    let mut shop = named();
    let before = shop.clone();
    assert_eq!(shop.receive(&say(&mut other, "order")), Err(EnvelopeError::OtherDeal));
    assert_eq!(shop, before);
    assert_eq!(shop.name(DealId::from_bytes([8; 32])), Err(EnvelopeError::OtherDeal));
}

#[test]
fn a_deal_is_proposed_before_it_has_a_name() {
    let (mut shop, mut buyer) = (Conversation::default(), Conversation::default());
    assert_eq!(body(shop.receive(&say(&mut buyer, "propose")).unwrap()), "propose");
    shop.name(deal()).unwrap();
    let Ok(Heard::New(accept)) = buyer.receive(&say(&mut shop, "accept")) else { panic!() };
    assert_eq!(accept.deal, Some(deal()));
    buyer.name(deal()).unwrap();
    assert_eq!(body(shop.receive(&say(&mut buyer, "confirm")).unwrap()), "confirm");
}

#[test]
fn what_has_no_number_passes_beside_the_record() {
    let mut bank = named();
    let before = bank.clone();
    let request = Envelope::unnumbered(None, b"pay".to_vec());
    let frame = request.frame(Kind::Payment, 3).unwrap();
    assert_eq!(bank.receive(&frame), Ok(Heard::Unnumbered(request)));
    assert_eq!(bank, before);
}

#[test]
fn a_record_has_bounds() {
    let (mut shop, mut buyer) = (named(), named());
    for _ in 0..UNANSWERED {
        say(&mut buyer, "x");
    }
    assert_eq!(buyer.send(Kind::Deal, CONF, vec![]), Err(EnvelopeError::Unanswered));
    let body = vec![0; Kind::Exchange.limit() - OVERHEAD];
    assert!(shop.send(Kind::Exchange, CONF, body.clone()).is_ok());
    assert!(shop.send(Kind::Exchange, CONF, [body, vec![0]].concat()).is_err());
    assert!(shop.send(Kind::Ca, CONF, vec![]).is_err());
}

#[test]
fn a_deal_ends_before_its_numbers_do() {
    let (mut shop, mut buyer) = (named(), named());
    for _ in 0..FRAMES_PER_DEAL {
        shop.receive(&say(&mut buyer, "?")).unwrap();
        buyer.receive(&say(&mut shop, "!")).unwrap();
    }
    assert_eq!(buyer.send(Kind::Deal, CONF, vec![]), Err(EnvelopeError::TooMany));
    assert!(shop.heard.len() <= 2 * UNANSWERED);
}

#[test]
fn records_are_compared_as_far_as_both_reach() {
    let (mut shop, mut buyer) = (named(), named());
    let old = shop.clone();
    shop.receive(&say(&mut buyer, "order")).unwrap();
    let lost = say(&mut buyer, "payment");
    assert_eq!(buyer.compare(shop.sent(), shop.received()), Ok(()));
    assert_eq!(shop.compare(buyer.sent(), buyer.received()), Ok(()));
    buyer.receive(&say(&mut shop, "goods")).unwrap();
    // The shop restored a backup and has forgotten what it answered.
    assert_eq!(buyer.compare(old.sent(), old.received()), Err(EnvelopeError::Fork { step: 1 }));
    // It claims more than was said, or something else.
    let more = shop.received().with(digest(&lost)).with(digest(&lost));
    assert_eq!(buyer.compare(shop.sent(), more), Err(EnvelopeError::Fork { step: 3 }));
    let other = Transcript { hash: CONF, ..shop.received() };
    assert_eq!(buyer.compare(shop.sent(), other), Err(EnvelopeError::Fork { step: 1 }));
    let other = Transcript { hash: CONF, ..shop.sent() };
    assert_eq!(buyer.compare(other, shop.received()), Err(EnvelopeError::Fork { step: 1 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Over a network that loses, repeats and cuts connections: everything arrives once, in order.
    #[test]
    fn everything_arrives_once_and_in_order(events in proptest::collection::vec(0_u8..8, 0..200)) {
        let mut sides = [named(), named()];
        let mut network: [Vec<Frame>; 2] = [Vec::new(), Vec::new()];
        let mut said = [0_usize; 2];
        let mut heard: [Vec<String>; 2] = [Vec::new(), Vec::new()];
        let cut = |sides: &[Conversation; 2], network: &mut [Vec<Frame>; 2]| {
            for n in 0..2 {
                network[n] = sides[n].unanswered().collect();
            }
        };
        let deliver = |from: usize, sides: &mut [Conversation; 2], network: &mut [Vec<Frame>; 2], heard: &mut [Vec<String>; 2]| {
            if network[from].is_empty() {
                return;
            }
            let frame = network[from].remove(0);
            match sides[1 - from].receive(&frame).unwrap() {
                Heard::New(envelope) => heard[1 - from].push(String::from_utf8(envelope.body).unwrap()),
                Heard::Repeated(again) => network[1 - from].extend(again),
                Heard::Unnumbered(_) => unreachable!(),
            }
        };
        for event in events {
            let from = usize::from(event % 2);
            match event / 2 {
                0 if sides[from].unanswered.len() < UNANSWERED => {
                    let text = said[from].to_string();
                    said[from] += 1;
                    let frame = say(&mut sides[from], &text);
                    network[from].push(frame);
                }
                3 => cut(&sides, &mut network),
                _ => deliver(from, &mut sides, &mut network, &mut heard),
            }
        }
        cut(&sides, &mut network);
        while network.iter().any(|queue| !queue.is_empty()) {
            deliver(0, &mut sides, &mut network, &mut heard);
            deliver(1, &mut sides, &mut network, &mut heard);
        }
        for n in 0..2 {
            let expected: Vec<_> = (0..said[1 - n]).map(|n| n.to_string()).collect();
            prop_assert_eq!(&heard[n], &expected);
            prop_assert_eq!(sides[n].received(), sides[1 - n].sent());
            prop_assert_eq!(sides[n].compare(sides[1 - n].sent(), sides[1 - n].received()), Ok(()));
        }
    }

    #[test]
    fn random_envelopes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let frame = Frame { kind: Kind::Deal, stream: 0, last: true, payload: bytes };
        let _ = named().receive(&frame);
    }
}
