//! What happens to a machine, as the event that it takes: messages with what their checks found, and results.

use semper_exchange::{
    generatable_verifiable::{
        Answer, Originator, Responder, originator, responder,
        third_party::{self, Case, Request},
    },
    message::Message,
};
use semper_supporting::crypto::digest::Digest;
use semper_transfer::{
    description::Semantics,
    fault::Mismatch,
    item::ContentKey,
    package::LeafPath,
    property::{Accepted, BadPermit, Generated, Observation, RecordStatus, Side, TooLate},
};

use super::{
    super::{
        common::blob,
        words::{Happening, Outcome, Packet},
    },
    Lab,
};

impl Lab {
    pub(super) fn event_o(&self, machine: &Originator, what: Happening) -> Option<originator::Event> {
        use originator::Event;
        let goods = self.goods(0);
        Some(match what {
            Happening::Signed => Event::Signed(Box::new(self.offers[0].clone())),
            Happening::Stopped => Event::Stopped,
            Happening::Elapsed(timer) => Event::Elapsed(timer),
            Happening::Record(offer, status) => Event::Recorded(self.records[&(offer, status)].clone()),
            Happening::Deliver(id) => match self.packet(id).message.clone() {
                Message::Accept(accept) => Event::Accepted(accept, self.market.grades_r(goods)),
                Message::Decline(decline) => Event::Declined(decline),
                Message::Moved(moved) => {
                    let package = self.market.give_r(goods, true);
                    let right = self.market.contents_r(goods);
                    let verdict = |(path, content): (&LeafPath, &Digest)| {
                        let came = moved.leaf.get(path).is_some_and(|line| line.reference == *content);
                        let accepted = self.market.accepted(&package, path, *content);
                        (path.clone(), if came { Ok(accepted) } else { Err(Mismatch::Text) })
                    };
                    let verdicts = right.iter().map(verdict).collect();
                    Event::Moved(moved, verdicts)
                }
                Message::Close(close) => Event::Closed(close),
                answer => {
                    Event::Answered(Box::new(self.answer(machine.desk().agr, Side::Responder, answer)?))
                }
            },
            Happening::Declined | Happening::Go | Happening::Result(_) => return None,
        })
    }

    pub(super) fn event_r(&self, machine: &Responder, what: Happening) -> Option<responder::Event> {
        use responder::Event;
        Some(match what {
            Happening::Signed => {
                let offer = self.offer_of(machine.desk()?.agr);
                Event::Signed(Box::new(self.accepts[usize::from(offer)].clone()))
            }
            Happening::Declined => Event::Refused,
            Happening::Go => Event::Go,
            Happening::Stopped => Event::Stopped,
            Happening::Elapsed(timer) => Event::Elapsed(timer),
            Happening::Record(offer, status) => {
                if machine.desk()?.agr != self.agr(offer) {
                    return None;
                }
                Event::Recorded(self.records[&(offer, status)].clone())
            }
            Happening::Deliver(id) => match self.packet(id).message.clone() {
                Message::Offer(offer) => {
                    let goods = self.goods(self.offer_of(offer.digest()));
                    let checked = self.checked[usize::from(self.offer_of(offer.digest()))].clone()?;
                    Event::Offered(
                        Box::new(checked),
                        self.market.permits_r(goods),
                        self.market.contents_r(goods),
                    )
                }
                Message::Item(item) => {
                    let goods = self.goods(self.offer_of(machine.desk()?.agr));
                    let package = self.market.give_o(goods);
                    let verdict = |(path, content): (&LeafPath, &Digest)| {
                        let came = item.content.get(path) == Some(content);
                        let accepted = self.market.accepted(&package, path, *content);
                        (path.clone(), if came { Ok(accepted) } else { Err(Mismatch::Content) })
                    };
                    let verdicts = self.market.contents_o(goods).iter().map(verdict).collect();
                    Event::Delivered(item, verdicts)
                }
                answer => {
                    Event::Answered(Box::new(self.answer(machine.desk()?.agr, Side::Originator, answer)?))
                }
            },
            Happening::Result(_) => return None,
        })
    }

    /// What the third party answers, with what the managers find of a replacement of a leaf of `side`.
    fn answer(&self, agr: Digest, side: Side, message: Message) -> Option<Answer> {
        let goods = self.goods(self.offer_of(agr));
        let (package, contents) = match side {
            Side::Originator => (self.market.give_o(goods), self.market.contents_o(goods)),
            Side::Responder => (self.market.give_r(goods, true), self.market.contents_r(goods)),
        };
        let verdict = |leaf: &LeafPath, content: Digest| -> Result<Accepted, Mismatch> {
            let right = contents.get(leaf) == Some(&content);
            if right { Ok(self.market.accepted(&package, leaf, content)) } else { Err(Mismatch::Content) }
        };
        Some(match message {
            Message::Receipt(receipt) => Answer::Receipt(receipt),
            Message::Decision(decision) => Answer::Decision(decision),
            Message::Replacement(made) => {
                let found = verdict(&made.leaf, made.content);
                Answer::Replacement(made, found)
            }
            Message::Affidavit(made) => {
                let found = verdict(&made.leaf, made.text);
                Answer::Affidavit(made, found)
            }
            Message::NotYet(not_yet) => Answer::NotYet(not_yet),
            Message::Pending(pending) => Answer::Pending(pending),
            Message::Reject(reject) => Answer::Reject(reject),
            _ => return None,
        })
    }

    pub(super) fn event_t(&self, what: Happening) -> Option<third_party::Event> {
        use third_party::Event;
        Some(match what {
            Happening::Deliver(id) => Event::Requested(Box::new(self.case(&self.packet(id))?)),
            Happening::Result(id) => match self.result(id).1 {
                Outcome::Observed { offer, leaf, look, status } => {
                    let record = |status| self.records[&(offer, status)].record.clone();
                    let observation = match status {
                        Some(RecordStatus::Happened) => Observation::Happened(record(RecordStatus::Happened)),
                        Some(status) => Observation::Frozen(record(status)),
                        None => Observation::NotYet,
                    };
                    Event::Observed { agr: self.agr(offer), leaf, look, observation }
                }
                Outcome::Generated { offer, side, leaf, good } => {
                    let result = if good { Ok(self.make(offer, side)) } else { Err(BadPermit::Content) };
                    Event::Generated { agr: self.agr(offer), side, leaf, result }
                }
                Outcome::Revoked { offer, leaf, done } => {
                    let record = self.records[&(offer, RecordStatus::Revoked)].record.clone();
                    let result = if done { Ok(record) } else { Err(TooLate) };
                    Event::Revoked { agr: self.agr(offer), leaf, result }
                }
            },
            Happening::Elapsed(_)
            | Happening::Stopped
            | Happening::Signed
            | Happening::Declined
            | Happening::Go
            | Happening::Record(..) => return None,
        })
    }

    fn make(&self, offer: u8, side: Side) -> Generated {
        let goods = self.goods(offer);
        match side {
            Side::Originator if goods.sealed => Generated::Key(ContentKey::from_bytes([5; 32])),
            Side::Originator => Generated::Affidavit {
                text: self.market.receipt_text(goods),
                signer: self.market.o.certificate,
                semantics: Semantics::Receipt,
            },
            Side::Responder => Generated::Affidavit {
                text: Digest::of(b"order"),
                signer: self.market.r.certificate,
                semantics: Semantics::Order,
            },
        }
    }

    /// A request with what travels beside it.
    fn case(&self, packet: &Packet) -> Option<Case> {
        let request = match packet.message.clone() {
            Message::Abort(request) => Request::Abort(request),
            Message::Resolve(request) => Request::Resolve(request),
            _ => return None,
        };
        let offer = self.offer_of(request.common().agr?);
        let accept = &self.accepts[usize::from(offer)];
        let blob = blob(self.goods(offer));
        let has = |digest: &Digest| packet.beside.contains(digest);
        Some(Case {
            request,
            offer: self.offers[usize::from(offer)].clone(),
            accept: has(&accept.digest()).then(|| accept.clone()),
            blobs: if has(&Digest::of(&blob)) { vec![blob] } else { Vec::new() },
            keys: self.keys(),
        })
    }
}
