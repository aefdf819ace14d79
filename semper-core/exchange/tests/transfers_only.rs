//! `xfer/1` between its two machines: what each may believe, whatever comes, comes twice, or does not come.
#![allow(missing_docs, unreachable_pub, reason = "a test program has no readers of its own interface")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail this way")]

mod common;

use std::collections::BTreeMap;

use common::{AT, Market, deal, nonce, path};
use semper_exchange::{
    deadlines::{Deadlines, Timer},
    generatable_verifiable::{Input, Output, Verdicts},
    message::{Draft, xfer},
    run::Run,
    tell::Code,
    transfers_only::{PROTO, Receiver, Sender, receiver, sender},
    xid,
};
use semper_supporting::{
    crypto::digest::Digest,
    deal::Confidentiality,
    evidence::Verified,
    machine::{Machine, Refused, Step},
    party::Role,
};
use semper_transfer::{fault::Mismatch, property::Accepted};

/// Two parties, and one message between them.
struct Post {
    market: Market,
    message: xfer::Message,
}

impl Post {
    fn new(receipt: bool) -> Self {
        let mut market = Market::new();
        let xid = xid::Origin {
            deal: deal(),
            proto: PROTO,
            nonce_o: nonce(1),
            nonce_r: None,
            cert_o: market.o.certificate,
            cert_r: market.r.certificate,
            cert_t: None,
        };
        market.run = Run { xid: xid.xid(), third_party: None, ..market.run };
        let message = xfer::Message {
            common: market.common(Role::Originator, Role::Responder, None, None),
            cell: None,
            step: None,
            conf: None,
            terms: None,
            leaf: BTreeMap::from([(path(0), Digest::of(b"description"))]),
            content: BTreeMap::from([(path(0), Digest::of(b"content"))]),
            via: None,
            sec: xfer::Security { confidentiality: Confidentiality::Channel, receipt },
        };
        Self { market, message }
    }

    fn sender(&self) -> Sender {
        Sender::new(self.market.run.clone(), &self.message, Deadlines::INTERACTIVE).unwrap()
    }

    fn signed(&self) -> Verified<xfer::Message> {
        self.market.o.sign(&self.message)
    }

    /// What the receiver's managers find: the content that MESSAGE describes.
    fn found(&self) -> Verdicts {
        let accepted =
            |description: &Digest| Accepted { description: *description, evidence: Digest::of(b"e") };
        self.message.leaf.iter().map(|(path, one)| (path.clone(), Ok(accepted(one)))).collect()
    }

    fn close(&self, draft: &Draft) -> Verified<xfer::Close> {
        self.market.r.sign(&draft.read::<xfer::Close>().unwrap())
    }

    /// A sender whose MESSAGE is out.
    fn sent(&self) -> Step<Sender> {
        tell(tell(self.sender(), sender::Event::Begin).state, sender::Event::Signed(self.signed()))
    }
}

fn tell(sender: Sender, event: sender::Event) -> Step<Sender> {
    sender.step(Input { at: AT, event })
}

fn give(receiver: Receiver, message: Verified<xfer::Message>, found: Verdicts) -> Step<Receiver> {
    receiver.step(Input { at: AT, event: receiver::Event::Delivered(message, found) })
}

fn close_of<M: Machine<Output = Output>>(step: &Step<M>) -> Option<&Draft> {
    step.outputs.iter().find_map(|output| match output {
        Output::Send { to: Role::Originator, draft, .. } => Some(draft),
        _ => None,
    })
}

#[test]
fn without_a_receipt_one_message_is_all() {
    let post = Post::new(false);
    let step = post.sent();
    assert!(matches!(step.state, Sender::Completed(_, None)), "{:?}", step.state);
    let kinds = |wanted: fn(&Output) -> bool| step.outputs.iter().filter(|output| wanted(output)).count();
    assert_eq!(kinds(|output| matches!(output, Output::SendSigned { to: Role::Responder, .. })), 1);
    assert_eq!(kinds(|output| matches!(output, Output::Deliver(_))), 1);
    assert_eq!(kinds(|output| matches!(output, Output::Set { .. })), 0, "nothing is waited for");
    let got = give(Receiver::new(post.market.run.clone()), post.signed(), post.found());
    assert!(matches!(got.state, Receiver::Completed { close: None, .. }));
    assert_eq!(close_of(&got), None);
}

#[test]
fn with_a_receipt_the_sender_ends_only_with_the_close_of_this_message() {
    let post = Post::new(true);
    let sent = post.sent();
    assert!(matches!(sent.state, Sender::Sent(_)));
    let got = give(Receiver::new(post.market.run.clone()), post.signed(), post.found());
    let draft = close_of(&got).unwrap();
    let close = draft.read::<xfer::Close>().unwrap();
    let elsewhere = Run { xid: Market::new().run.xid, ..post.market.run.clone() };
    let elsewhere = elsewhere.common(Role::Responder, Role::Originator, None, close.common.prev, AT).unwrap();
    let forged = [
        xfer::Close { received: false, ..close.clone() },
        xfer::Close { message: Digest::of(b"another"), ..close.clone() },
        xfer::Close { common: elsewhere, ..close.clone() },
    ];
    // Nor can the sender give itself the receipt.
    let from_itself = post.market.common(Role::Originator, Role::Responder, None, close.common.prev);
    let from_itself = post.market.o.sign(&xfer::Close { common: from_itself, ..close });
    let forged = forged.iter().map(|close| post.market.r.sign(close)).chain([from_itself]);
    for forged in forged {
        let step = tell(sent.state.clone(), sender::Event::Closed(forged));
        assert_eq!((step.state, step.refused), (sent.state.clone(), Some(Refused::Mismatch)));
    }
    let done = tell(sent.state, sender::Event::Closed(post.close(draft)));
    assert!(matches!(done.state, Sender::Completed(_, Some(close)) if close == post.close(draft).digest()));
    assert!(done.outputs.contains(&Output::Tell(Code::U9)));
    let again = tell(done.state.clone(), sender::Event::Closed(post.close(draft)));
    assert_eq!((again.state, again.refused), (done.state, Some(Refused::OutOfPlace)));
}

#[test]
fn a_message_that_comes_again_is_answered_alike_and_another_one_is_not_taken() {
    let post = Post::new(true);
    let first = give(Receiver::new(post.market.run.clone()), post.signed(), post.found());
    let again = give(first.state.clone(), post.signed(), post.found());
    assert_eq!((close_of(&again), again.refused), (close_of(&first), Some(Refused::Repeated)));
    let mut other = post.message.clone();
    other.content = BTreeMap::from([(path(0), Digest::of(b"other content"))]);
    let step = give(first.state.clone(), post.market.o.sign(&other), post.found());
    assert_eq!((&step.state, step.refused), (&first.state, Some(Refused::Mismatch)));
    assert_eq!(close_of(&step), None);
}

#[test]
fn content_that_does_not_match_is_never_receipted() {
    let post = Post::new(true);
    let wrong = post.message.leaf.keys().map(|path| (path.clone(), Err(Mismatch::Content))).collect();
    for found in [wrong, Verdicts::new()] {
        let step = give(Receiver::new(post.market.run.clone()), post.signed(), found);
        assert!(matches!(step.state, Receiver::Refused { .. }));
        assert_eq!(close_of(&step), None);
        assert!(step.outputs.contains(&Output::Keep(post.signed().digest())), "it is evidence");
        // Nor later, when the right content comes.
        let later = give(step.state, post.signed(), post.found());
        assert_eq!((close_of(&later), later.refused), (None, Some(Refused::Repeated)));
    }
}

#[test]
fn a_message_in_another_name_or_of_another_run_is_not_taken() {
    let post = Post::new(true);
    let idle = Receiver::new(post.market.run.clone());
    let common = post.market.common(Role::Responder, Role::Originator, None, None);
    let theirs = post.market.r.sign(&xfer::Message { common, ..post.message.clone() });
    let foreign = Receiver::new(Run { xid: Market::new().run.xid, ..post.market.run.clone() });
    for step in [give(idle, theirs, post.found()), give(foreign, post.signed(), post.found())] {
        assert!(matches!(step.state, Receiver::Idle(_)));
        assert_eq!(step.refused, Some(Refused::Mismatch));
    }
}

#[test]
fn a_receipt_that_does_not_come_leaves_the_sender_knowing_only_that_it_sent() {
    let post = Post::new(true);
    let sent = post.sent();
    let waits = |output: &Output| matches!(output, Output::Set { timer: Timer::Item, .. });
    assert!(sent.outputs.iter().any(waits));
    let over = tell(sent.state, sender::Event::Elapsed(Timer::Item));
    assert!(matches!(over.state, Sender::Unreceipted(_)) && over.state.has_ended());
    // Late is better than never.
    let got = give(Receiver::new(post.market.run.clone()), post.signed(), post.found());
    let late = tell(over.state, sender::Event::Closed(post.close(close_of(&got).unwrap())));
    assert!(matches!(late.state, Sender::Completed(_, Some(_))));
}

#[test]
fn nothing_leaves_before_the_message_is_signed_as_it_was_shown() {
    let post = Post::new(true);
    let begun = tell(post.sender(), sender::Event::Begin);
    assert!(begun.outputs.iter().all(|output| matches!(output, Output::Ask(_) | Output::Tell(Code::U1))));
    let mut other = post.message.clone();
    other.sec.receipt = false;
    let step = tell(begun.state.clone(), sender::Event::Signed(post.market.o.sign(&other)));
    assert_eq!((&step.state, step.refused), (&begun.state, Some(Refused::Mismatch)));
    let stopped = tell(begun.state, sender::Event::Stopped);
    assert!(matches!(stopped.state, Sender::Declined(_)));
    assert_eq!(stopped.outputs, [Output::Tell(Code::U17)]);
    let after = tell(stopped.state, sender::Event::Signed(post.signed()));
    assert_eq!((after.refused, after.outputs.len()), (Some(Refused::OutOfPlace), 0));
}
