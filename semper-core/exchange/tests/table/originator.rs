//! The originator's table.

use std::collections::BTreeMap;

use semper_exchange::{
    deadlines::Timer,
    generatable_verifiable::{
        Answer, Input, Originator, Recorded,
        originator::{Event, Receipted},
    },
    message::{
        Basis, BasisKind, Close, Decision, Decline, DeclineReason, Draft, Item, Moved, MovedLeaf, NotYet,
        Outcome, Pending, Receipt, Reject, RejectCode, Replacement,
    },
};
use semper_supporting::{
    crypto::digest::Digest,
    evidence::{Signable, Verified},
    machine::Machine,
    party::Role,
    time::Span,
};
use semper_transfer::{
    fault::Mismatch,
    property::{GenGrade, RecordStatus},
};

use super::{
    Table,
    common::{AT, Goods, Market, path},
    word,
};

/// A payment and a signed order against a receipt: every guard of the table can be reached.
const GOODS: Goods = Goods { sealed: false, pivot: false, order: true, weak: false, variant: 0 };

#[test]
fn the_originator_does_what_its_table_says() {
    let table = Table::read(include_str!("../golden/gxv_originator.txt"));
    let bench = Bench::new();
    table.check(&bench.states(), &bench.inputs(), name, word);
}

fn name(state: &Originator) -> String {
    match state {
        Originator::Draft(..) => "Draft",
        Originator::Offered(_) => "Offered",
        Originator::Agreed(..) => "Agreed",
        Originator::Delivered(..) => "Delivered",
        Originator::Aborting(..) => "Aborting",
        Originator::Resolving(..) => "Resolving",
        Originator::Completed(_, Receipted::By(_)) => "Completed",
        Originator::Completed(_, Receipted::No) => "Completed without CLOSE",
        Originator::CompletedByT(_) => "CompletedByT",
        Originator::Aborted(..) => "Aborted",
        Originator::Declined(_) => "Declined",
    }
    .to_owned()
}

pub struct Bench {
    market: Market,
    agr: Digest,
}

impl Bench {
    pub fn new() -> Self {
        let market = Market::new();
        let agr = market.offer(GOODS).digest();
        Self { market, agr }
    }

    fn by_r<T: Signable>(&self, value: &T) -> Verified<T> {
        self.market.r.sign(value)
    }

    fn common(&self, from: Role, prev: Option<Digest>) -> semper_exchange::message::Common {
        self.market.common(from, Role::Originator, Some(self.agr), prev)
    }

    fn go(&self, state: Originator, event: Event) -> Originator {
        let step = state.step(Input { at: AT, event });
        assert_eq!(step.refused, None);
        step.state
    }

    fn states(&self) -> Vec<(&'static str, Originator)> {
        let offer = self.market.proposal(GOODS);
        let draft = Originator::new(self.market.run.clone(), &offer, self.market.contents_o(GOODS)).unwrap();
        let offered = self.go(draft.clone(), Event::Signed(Box::new(self.market.offer(GOODS))));
        let agreed = self.go(offered.clone(), self.accepted());
        let paid = self.go(agreed.clone(), self.recorded(RecordStatus::Happened));
        let ready = self.go(agreed.clone(), self.moved(true, 1));
        let delivered = self.go(ready.clone(), self.recorded(RecordStatus::Happened));
        let aborting = self.go(offered.clone(), Event::Stopped);
        let resolving = self.go(paid.clone(), self.moved(false, 2));
        let aborting_paid = self.go(aborting.clone(), self.recorded(RecordStatus::Happened));
        let aborting_all = self.go(aborting_paid.clone(), self.moved(true, 1));
        vec![
            ("Draft", draft),
            ("Offered", offered.clone()),
            ("Offered, paid", self.go(offered, self.recorded(RecordStatus::Happened))),
            ("Agreed", agreed),
            ("Agreed, paid", paid),
            ("Agreed, order here", ready),
            ("Delivered", delivered.clone()),
            ("Aborting", aborting.clone()),
            ("Aborting, all here", aborting_all.clone()),
            ("Resolving", resolving.clone()),
            ("Resolving, NOT-YET heard", self.go(resolving.clone(), self.not_yet(request(&resolving)))),
            ("Completed", self.go(delivered.clone(), self.closed(self.item()))),
            ("Completed without CLOSE", self.go(delivered, Event::Elapsed(Timer::Close))),
            ("CompletedByT", self.go(aborting_all, self.decided(Outcome::Completed))),
            ("Aborted", self.go(aborting, self.decided(Outcome::Aborted))),
        ]
    }

    fn accepted(&self) -> Event {
        Event::Accepted(self.market.accept(GOODS), self.market.grades_r(GOODS))
    }

    fn moved(&self, right: bool, n: u8) -> Event {
        let content = Digest::of(if right { b"order" } else { b"other" });
        let line = |reference, authority| MovedLeaf { reference, authority, record: None };
        let leaf = BTreeMap::from([
            (path(0), line(Digest::of(&[n]), Some(self.market.bank.certificate))),
            (path(1), line(content, None)),
        ]);
        let message = self.by_r(&Moved { common: self.common(Role::Responder, Some(self.agr)), leaf });
        let package = self.market.give_r(GOODS, true);
        let verdict =
            if right { Ok(self.market.accepted(&package, &path(1), content)) } else { Err(Mismatch::Text) };
        Event::Moved(message, BTreeMap::from([(path(1), verdict)]))
    }

    fn recorded(&self, status: RecordStatus) -> Event {
        let record = self.market.record(GOODS, status);
        let package = self.market.give_r(GOODS, true);
        let verdict = Ok(self.market.accepted(&package, &path(0), record.evidence.digest()));
        Event::Recorded(Recorded { record, verdict })
    }

    fn item(&self) -> Digest {
        let accept = self.market.accept(GOODS).digest();
        let common = self.market.common(Role::Originator, Role::Responder, Some(self.agr), Some(accept));
        Draft::of(&Item { common, content: self.market.contents_o(GOODS) }).unwrap().digest()
    }

    fn closed(&self, item: Digest) -> Event {
        let common = self.common(Role::Responder, Some(item));
        Event::Closed(self.by_r(&Close { common, received: true, item }))
    }

    fn decision(&self, outcome: Outcome) -> Verified<Decision> {
        let decision = Decision {
            common: self.market.common(Role::ThirdParty, Role::Everybody, Some(self.agr), None),
            outcome,
            offer: self.agr,
            accept: Some(self.market.accept(GOODS).digest()),
            basis: vec![Basis { kind: BasisKind::Permit, hash: self.agr }],
            cheat: vec![],
            t_decided: AT,
            journal_index: 7,
            journal_prev: Digest::of(b"journal"),
        };
        self.market.t.sign(&decision)
    }

    fn decided(&self, outcome: Outcome) -> Event {
        answered(Answer::Decision(self.decision(outcome)))
    }

    fn not_yet(&self, request: Digest) -> Event {
        let common = self.common(Role::ThirdParty, Some(request));
        let observation = semper_exchange::message::answer::Seen::NotYet;
        let not_yet = NotYet { common, request, leaf: path(0), observation };
        answered(Answer::NotYet(self.market.t.sign(&not_yet)))
    }

    fn inputs(&self) -> Vec<(&'static str, Input<Event>)> {
        let common = |from, prev| self.common(from, prev);
        let states = self.states();
        let request =
            |name| states.iter().find(|(one, _)| *one == name).map(|(_, state)| request(state)).unwrap();
        let (abort, resolve) = (request("Aborting"), request("Resolving"));
        let t = &self.market.t;
        let reject = |request, code| {
            let common = common(Role::ThirdParty, Some(request));
            answered(Answer::Reject(t.sign(&Reject { common, request, code })))
        };
        let receipt = Receipt {
            common: common(Role::ThirdParty, Some(abort)),
            request: abort,
            t_received: AT,
            answer_by: AT.after(Span::hours(1)),
            journal_index: 1,
        };
        let pending = Pending { common: common(Role::ThirdParty, Some(abort)), request: abort, until: None };
        let completed = self.decision(Outcome::Completed).digest();
        let package = self.market.give_r(GOODS, true);
        let description = package.leaf(&path(1)).unwrap().hash().unwrap();
        let replacement = Replacement {
            common: common(Role::ThirdParty, Some(completed)),
            decision: completed,
            leaf: path(1),
            desc: description,
            grade: GenGrade::Affidavit,
            permit: self.market.accept(GOODS).digest(),
            content: Digest::of(b"order"),
        };
        let made = Ok(self.market.accepted(&package, &path(1), Digest::of(b"order")));
        let decline =
            Decline { common: common(Role::Responder, Some(self.agr)), reason: DeclineReason::User };
        let stranger =
            Decline { common: common(Role::Responder, Some(Digest::of(b"?"))), reason: DeclineReason::User };
        let mut foreign = self.market.record(GOODS, RecordStatus::Happened);
        foreign.authority = Digest::of(b"another bank");
        let verdict = Ok(self.market.accepted(&package, &path(0), foreign.evidence.digest()));
        let foreign = Event::Recorded(Recorded { record: foreign, verdict });
        let short = Event::Recorded(Recorded {
            record: self.market.record(GOODS, RecordStatus::Happened),
            verdict: Err(Mismatch::Amount),
        });
        let unpermitted = Event::Accepted(self.market.accept(GOODS), BTreeMap::new());
        let mut inputs = vec![
            ("begin", Event::Begin),
            ("own OFFER signed", Event::Signed(Box::new(self.market.offer(GOODS)))),
            (
                "another OFFER signed",
                Event::Signed(Box::new(self.market.offer(Goods { variant: 1, ..GOODS }))),
            ),
            ("ACCEPT", self.accepted()),
            ("ACCEPT with worthless permits", unpermitted),
            ("DECLINE", Event::Declined(self.by_r(&decline))),
            ("DECLINE of something unknown", Event::Declined(self.by_r(&stranger))),
            ("MOVED, order matches", self.moved(true, 1)),
            ("MOVED, order does not match", self.moved(false, 2)),
            ("record: happened", self.recorded(RecordStatus::Happened)),
            ("record: frozen", self.recorded(RecordStatus::Frozen)),
            ("record: happened, too little", short),
            ("record of another authority", foreign),
            ("CLOSE", self.closed(self.item())),
            ("CLOSE of something else", self.closed(Digest::of(b"junk"))),
            ("RECEIPT", answered(Answer::Receipt(t.sign(&receipt)))),
            ("PENDING", answered(Answer::Pending(t.sign(&pending)))),
            ("NOT-YET", self.not_yet(resolve)),
            ("NOT-YET to ABORT", self.not_yet(abort)),
            ("REJECT E-OWN of ABORT", reject(abort, RejectCode::EOwn)),
            ("REJECT E-OWN of RESOLVE", reject(resolve, RejectCode::EOwn)),
            ("REJECT E-XID of ABORT", reject(abort, RejectCode::EXid)),
            ("DECISION completed", self.decided(Outcome::Completed)),
            ("DECISION aborted", self.decided(Outcome::Aborted)),
            ("DECISION aborted-revoked", self.decided(Outcome::AbortedRevoked)),
            ("DECISION aborted-claim", self.decided(Outcome::AbortedClaim)),
            ("REPLACEMENT", answered(Answer::Replacement(t.sign(&replacement), made))),
            ("stop", Event::Stopped),
        ];
        let timers = [
            ("t-accept", Timer::Accept),
            ("t-item", Timer::Item),
            ("t-close", Timer::Close),
            ("after NOT-YET", Timer::Again),
            ("no answer", Timer::Answer),
        ];
        inputs.extend(timers.map(|(name, timer)| (name, Event::Elapsed(timer))));
        inputs.into_iter().map(|(name, event)| (name, Input { at: AT, event })).collect()
    }
}

fn answered(answer: Answer) -> Event {
    Event::Answered(Box::new(answer))
}

/// The request a party in this state has out, which the third party's answers name.
fn request(state: &Originator) -> Digest {
    match state {
        Originator::Aborting(_, recourse) | Originator::Resolving(_, recourse) => recourse.request.digest(),
        other => panic!("{other:?} asks nothing"),
    }
}
