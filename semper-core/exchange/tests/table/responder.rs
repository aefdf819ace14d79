//! The responder's table.

use semper_exchange::{
    deadlines::Timer,
    generatable_verifiable::{Answer, Input, Recorded, Responder, Verdicts, responder::Event},
    message::{
        Affidavit, Basis, BasisKind, Cheat, Decision, Item, NotYet, Outcome, Receipt, Reject, RejectCode,
        answer::Seen,
    },
};
use semper_supporting::{
    crypto::digest::Digest, evidence::Verified, machine::Machine as _, party::Role, time::Span,
};
use semper_transfer::{description::Semantics, fault::Mismatch, property::RecordStatus};

use super::{
    Table,
    common::{AT, Goods, Market, path},
    word,
};

/// A payment and a signed order against a receipt.
const GOODS: Goods = Goods { sealed: false, pivot: false, order: true, weak: false, variant: 0 };

#[test]
fn the_responder_does_what_its_table_says() {
    let table = Table::read(include_str!("../golden/gxv_responder.txt"));
    let bench = Bench::new();
    table.check(&bench.states(), &bench.inputs(), name, word);
}

fn name(state: &Responder) -> String {
    match state {
        Responder::Idle(_) => "Idle",
        Responder::Asking(..) => "Asking",
        Responder::Agreed(_) => "Agreed",
        Responder::Moving(..) => "Moving",
        Responder::Waiting(_) => "Waiting",
        Responder::Aborting(..) => "Aborting",
        Responder::Resolving(..) => "Resolving",
        Responder::Completed(..) => "Completed",
        Responder::CompletedByT(_) => "CompletedByT",
        Responder::Aborted(..) => "Aborted",
        Responder::Claim(_) => "Claim",
        Responder::Declined(..) => "Declined",
    }
    .to_owned()
}

struct Bench {
    market: Market,
    agr: Digest,
}

impl Bench {
    fn new() -> Self {
        let market = Market::new();
        let agr = market.offer(GOODS).digest();
        Self { market, agr }
    }

    fn go(&self, state: &Responder, event: Event) -> Responder {
        let step = state.clone().step(Input { at: AT, event });
        assert_eq!(step.refused, None);
        step.state
    }

    fn states(&self) -> Vec<(&'static str, Responder)> {
        let idle = Responder::new(self.market.run.clone());
        let asking = self.go(&idle, self.offered(GOODS));
        let agreed = self.go(&asking, Event::Signed(Box::new(self.market.accept(GOODS))));
        let moving = self.go(&agreed, Event::Go);
        let moving_item = self.go(&moving, self.item(true));
        let paid = self.recorded(RecordStatus::Happened);
        let waiting = self.go(&moving, paid.clone());
        let aborting = self.go(&moving, Event::Stopped);
        let aborting_paid = self.go(&aborting, paid.clone());
        let resolving = self.go(&waiting, Event::Stopped);
        let stuck = self.go(&moving, self.item(false));
        let decided = self.go(&resolving, self.decided(Outcome::Completed, false));
        let undone = self.go(&aborting, self.recorded(RecordStatus::Frozen));
        vec![
            ("Idle", idle),
            ("Asking", asking.clone()),
            ("Agreed", agreed),
            ("Moving", moving),
            ("Moving, ITEM here", moving_item.clone()),
            ("Waiting", waiting),
            ("Aborting", aborting.clone()),
            ("Aborting, paid", aborting_paid),
            ("Aborting, ITEM here", self.go(&moving_item, Event::Stopped)),
            ("Aborting, frozen", undone.clone()),
            ("Resolving", resolving.clone()),
            ("Resolving, DECISION completed", decided.clone()),
            ("Resolving, wrong ITEM, not paid", stuck.clone()),
            ("Resolving, NOT-YET heard", self.go(&stuck, self.not_yet(request(&stuck)))),
            ("Completed", self.go(&moving_item, paid)),
            ("CompletedByT", self.go(&decided, self.affidavit(true))),
            ("Aborted", self.go(&undone, self.decided(Outcome::Aborted, false))),
            ("Claim", self.go(&aborting, self.decided(Outcome::AbortedClaim, true))),
            ("Declined", self.go(&asking, Event::Refused)),
        ]
    }

    fn offered(&self, goods: Goods) -> Event {
        let checked = self.market.checked(goods).unwrap();
        Event::Offered(Box::new(checked), self.market.permits_r(goods), self.market.contents_r(goods))
    }

    fn item(&self, right: bool) -> Event {
        let package = self.market.give_o(GOODS);
        let content = self.market.contents_o(GOODS);
        let common = self.market.common(Role::Originator, Role::Responder, Some(self.agr), Some(self.agr));
        let (sent, verdict) = if right {
            (content.clone(), Ok(self.market.accepted(&package, &path(0), content[&path(0)])))
        } else {
            ([(path(0), Digest::of(b"junk"))].into(), Err(Mismatch::Text))
        };
        let item = self.market.o.sign(&Item { common, content: sent });
        Event::Delivered(item, Verdicts::from([(path(0), verdict)]))
    }

    fn recorded(&self, status: RecordStatus) -> Event {
        let record = self.market.record(GOODS, status);
        let package = self.market.give_r(GOODS, true);
        let verdict = Ok(self.market.accepted(&package, &path(0), record.evidence.digest()));
        Event::Recorded(Recorded { record, verdict })
    }

    fn decision(&self, outcome: Outcome, cheat: bool) -> Verified<Decision> {
        let proof = Cheat { role: Role::Originator, proof: Digest::of(b"bad seal") };
        self.market.t.sign(&Decision {
            common: self.market.common(Role::ThirdParty, Role::Everybody, Some(self.agr), None),
            outcome,
            offer: self.agr,
            accept: Some(self.market.accept(GOODS).digest()),
            basis: vec![Basis { kind: BasisKind::Permit, hash: self.agr }],
            cheat: if cheat { vec![proof] } else { Vec::new() },
            t_decided: AT,
            journal_index: 7,
            journal_prev: Digest::of(b"journal"),
        })
    }

    fn decided(&self, outcome: Outcome, cheat: bool) -> Event {
        answered(Answer::Decision(self.decision(outcome, cheat)))
    }

    fn affidavit(&self, right: bool) -> Event {
        let decision = self.decision(Outcome::Completed, false).digest();
        let package = self.market.give_o(GOODS);
        let text = self.market.receipt_text(GOODS);
        let affidavit = Affidavit {
            common: self.market.common(Role::ThirdParty, Role::Responder, Some(self.agr), Some(decision)),
            decision,
            leaf: path(0),
            desc: package.leaf(&path(0)).unwrap().hash().unwrap(),
            permit: self.agr,
            text,
            text_signer: self.market.o.certificate,
            semantics: Semantics::Receipt,
        };
        let verdict =
            if right { Ok(self.market.accepted(&package, &path(0), text)) } else { Err(Mismatch::Permit) };
        answered(Answer::Affidavit(self.market.t.sign(&affidavit), verdict))
    }

    fn not_yet(&self, request: Digest) -> Event {
        let common = self.answering(request);
        let not_yet = NotYet { common, request, leaf: path(0), observation: Seen::NotYet };
        answered(Answer::NotYet(self.market.t.sign(&not_yet)))
    }

    fn answering(&self, request: Digest) -> semper_exchange::message::Common {
        self.market.common(Role::ThirdParty, Role::Responder, Some(self.agr), Some(request))
    }

    fn inputs(&self) -> Vec<(&'static str, Input<Event>)> {
        let states = self.states();
        let request =
            |name| states.iter().find(|(one, _)| *one == name).map(|(_, state)| request(state)).unwrap();
        let (abort, resolve) = (request("Aborting"), request("Resolving, wrong ITEM, not paid"));
        let t = &self.market.t;
        let reject = |request| {
            let reject = Reject { common: self.answering(request), request, code: RejectCode::EOwn };
            answered(Answer::Reject(t.sign(&reject)))
        };
        let receipt = Receipt {
            common: self.answering(abort),
            request: abort,
            t_received: AT,
            answer_by: AT.after(Span::hours(1)),
            journal_index: 1,
        };
        let short = Event::Recorded(Recorded {
            record: self.market.record(GOODS, RecordStatus::Happened),
            verdict: Err(Mismatch::Amount),
        });
        let other = Goods { variant: 1, ..GOODS };
        let mut inputs = vec![
            ("OFFER", self.offered(GOODS)),
            ("another OFFER", self.offered(other)),
            ("own ACCEPT signed", Event::Signed(Box::new(self.market.accept(GOODS)))),
            ("another ACCEPT signed", Event::Signed(Box::new(self.market.accept(other)))),
            ("user: no", Event::Refused),
            ("go", Event::Go),
            ("record: happened", self.recorded(RecordStatus::Happened)),
            ("record: frozen", self.recorded(RecordStatus::Frozen)),
            ("record: revoked", self.recorded(RecordStatus::Revoked)),
            ("record: happened, too little", short),
            ("ITEM matches", self.item(true)),
            ("ITEM does not match", self.item(false)),
            ("RECEIPT", answered(Answer::Receipt(t.sign(&receipt)))),
            ("NOT-YET", self.not_yet(resolve)),
            ("NOT-YET to ABORT", self.not_yet(abort)),
            ("REJECT E-OWN of ABORT", reject(abort)),
            ("REJECT E-OWN of RESOLVE", reject(resolve)),
            ("DECISION completed", self.decided(Outcome::Completed, false)),
            ("DECISION aborted", self.decided(Outcome::Aborted, false)),
            ("DECISION aborted-revoked", self.decided(Outcome::AbortedRevoked, false)),
            ("DECISION aborted-claim", self.decided(Outcome::AbortedClaim, true)),
            ("DECISION aborted-claim without proof", self.decided(Outcome::AbortedClaim, false)),
            ("AFFIDAVIT", self.affidavit(true)),
            ("AFFIDAVIT that does not match", self.affidavit(false)),
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
fn request(state: &Responder) -> Digest {
    match state {
        Responder::Aborting(_, recourse, _) | Responder::Resolving(_, recourse, _) => {
            recourse.request.digest()
        }
        other => panic!("{other:?} asks nothing"),
    }
}
