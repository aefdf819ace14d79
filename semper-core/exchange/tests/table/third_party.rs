//! The third party's table, for one agreement.

use std::collections::BTreeMap;

use semper_exchange::{
    generatable_verifiable::third_party::{Case, Event, Input, Output, Request, Stage, ThirdParty},
    message::{Abort, Outcome, Reason, Resolve, Status},
};
use semper_supporting::{crypto::digest::Digest, machine::Machine as _, party::Role, time::Span};
use semper_transfer::{
    item::ContentKey,
    property::{BadPermit, Generated, Look, Observation, RecordStatus, Side, TooLate},
};

use super::{
    Table,
    common::{AT, Goods, Market, Someone, blob, content_key, draft_of, path},
};

/// Sealed data against a payment that can be undone: every way of the rule can be taken.
const GOODS: Goods = Goods { sealed: true, pivot: false, order: false, weak: false, variant: 0 };

#[test]
fn the_third_party_does_what_its_table_says() {
    let table = Table::read(include_str!("../golden/gxv_third_party.txt"));
    let bench = Bench::new();
    table.check(&bench.states(), &bench.inputs(), name, word);
}

fn name(state: &ThirdParty) -> String {
    let Some(row) = state.rows.first() else { return "none".to_owned() };
    match &row.stage {
        Stage::Open => "open".to_owned(),
        Stage::Observing { look: Look::Freeze, .. } => "observing, freeze".to_owned(),
        Stage::Observing { look: Look::Peek, .. } => "observing, peek".to_owned(),
        Stage::Generating { .. } => "generating".to_owned(),
        Stage::Revoking { .. } => "revoking".to_owned(),
        Stage::Decided(verdict) => format!("decided {:?}", verdict.outcome),
    }
}

/// An order in one word; keeping evidence goes without saying.
fn word(output: &Output) -> Option<String> {
    Some(match output {
        Output::Observe(binding, look) => format!("{}:{}", format!("{look:?}").to_lowercase(), binding.leaf),
        Output::Generate(binding, _) => format!("generate:{}", binding.leaf),
        Output::Revoke(binding) => format!("revoke:{}", binding.leaf),
        Output::Keep(_) => return None,
        Output::Send { to, draft, .. } => {
            let code =
                draft.read::<semper_exchange::message::Reject>().map(|reject| format!("({:?})", reject.code));
            format!("{to}:{}{}", draft_of(draft), code.unwrap_or_default())
        }
        Output::Retry(..) => "retry".to_owned(),
    })
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

    fn go(&self, state: &ThirdParty, input: Input) -> ThirdParty {
        let step = state.clone().step(input);
        assert_eq!(step.refused, None);
        step.state
    }

    fn states(&self) -> Vec<(&'static str, ThirdParty)> {
        let market = &self.market;
        let none = ThirdParty::new(market.t.speaker(), Span::hours(1), market.run.xid);
        let freezing = self.go(&none, self.abort(Role::Originator, GOODS, true));
        let peeking = self.go(&none, self.resolve(Role::Responder, true));
        let open = self.go(&peeking, self.observed(Look::Peek, Some(Observation::NotYet)));
        let generating = self.go(&peeking, self.observed(Look::Peek, None));
        let revoking = self.go(&generating, self.generated(false));
        vec![
            ("none", none),
            ("open", open),
            ("observing, freeze", freezing.clone()),
            ("observing, peek", peeking),
            ("generating", generating.clone()),
            ("revoking", revoking.clone()),
            ("decided Completed", self.go(&generating, self.generated(true))),
            ("decided Aborted", self.go(&freezing, self.observed(Look::Freeze, Some(self.frozen())))),
            ("decided AbortedRevoked", self.go(&revoking, self.revoked(true))),
            ("decided AbortedClaim", self.go(&revoking, self.revoked(false))),
        ]
    }

    fn input(&self, event: Event) -> Input {
        Input { at: AT, journal_index: 7, journal_prev: Digest::of(b"journal"), event }
    }

    fn case(&self, request: Request, goods: Goods, accept: bool, blobs: Vec<Vec<u8>>) -> Input {
        let market = &self.market;
        self.input(Event::Requested(Box::new(Case {
            request,
            offer: market.offer(goods),
            accept: accept.then(|| market.accept(goods)),
            blobs,
            keys: market.keys.clone(),
        })))
    }

    fn abort(&self, from: Role, goods: Goods, accept: bool) -> Input {
        let agr = self.market.offer(goods).digest();
        let common = self.market.common(from, Role::ThirdParty, Some(agr), Some(agr));
        let accepted = accept.then(|| self.market.accept(goods).digest());
        let abort = Abort { common, offer: agr, accept: accepted, reason: Reason::User, seen: Vec::new() };
        let signed = self.market.someone(from).sign(&abort);
        self.case(Request::Abort(signed), goods, accept, Vec::new())
    }

    fn resolve(&self, from: Role, blobs: bool) -> Input {
        let blobs = if blobs { vec![blob(GOODS)] } else { Vec::new() };
        self.resolve_with(self.market.someone(from), from, blobs)
    }

    fn resolve_with(&self, signer: &Someone, from: Role, blobs: Vec<Vec<u8>>) -> Input {
        let mut common = self.market.common(from, Role::ThirdParty, Some(self.agr), Some(self.agr));
        common.signer = signer.speaker().kid;
        let resolve = Resolve {
            common,
            offer: self.agr,
            accept: Some(self.market.accept(GOODS).digest()),
            reason: Reason::Timer,
            seen: blobs.iter().map(|blob| Digest::of(blob)).collect(),
            own: BTreeMap::new(),
            evidence: Vec::new(),
        };
        self.case(Request::Resolve(signer.sign(&resolve)), GOODS, true, blobs)
    }

    fn frozen(&self) -> Observation {
        Observation::Frozen(self.market.record(GOODS, RecordStatus::Frozen))
    }

    /// Nothing means that the payment has happened.
    fn observed(&self, look: Look, observation: Option<Observation>) -> Input {
        let happened = || Observation::Happened(self.market.record(GOODS, RecordStatus::Happened));
        let observation = observation.unwrap_or_else(happened);
        self.input(Event::Observed { agr: self.agr, leaf: path(0), look, observation })
    }

    fn generated(&self, good: bool) -> Input {
        let key: ContentKey = content_key();
        let result = if good { Ok(Generated::Key(key)) } else { Err(BadPermit::Content) };
        self.input(Event::Generated { agr: self.agr, side: Side::Originator, leaf: path(0), result })
    }

    fn revoked(&self, done: bool) -> Input {
        let record = self.market.record(GOODS, RecordStatus::Revoked);
        let result = if done { Ok(record) } else { Err(TooLate) };
        self.input(Event::Revoked { agr: self.agr, leaf: path(0), result })
    }

    fn inputs(&self) -> Vec<(&'static str, Input)> {
        let status = Status {
            common: self.market.common(Role::Responder, Role::ThirdParty, Some(self.agr), Some(self.agr)),
            offer: self.agr,
        };
        let status = Request::Status(self.market.r.sign(&status));
        let stranger = Someone::party(9);
        let ended = Event::Generated {
            agr: self.agr,
            side: Side::Originator,
            leaf: path(0),
            result: Err(BadPermit::HoldEnded),
        };
        let unavailable = Some(Observation::Unavailable);
        vec![
            ("ABORT of O", self.abort(Role::Originator, GOODS, false)),
            ("ABORT of R", self.abort(Role::Responder, GOODS, true)),
            ("ABORT about another OFFER", self.abort(Role::Originator, Goods { variant: 1, ..GOODS }, false)),
            ("RESOLVE of R with escrow", self.resolve(Role::Responder, true)),
            ("RESOLVE of R without escrow", self.resolve(Role::Responder, false)),
            (
                "RESOLVE of R with another escrow",
                self.resolve_with(&self.market.r, Role::Responder, vec![b"junk".to_vec()]),
            ),
            ("RESOLVE of a stranger", self.resolve_with(&stranger, Role::Responder, vec![blob(GOODS)])),
            ("STATUS", self.case(status, GOODS, false, Vec::new())),
            ("peek: happened", self.observed(Look::Peek, None)),
            ("peek: not yet", self.observed(Look::Peek, Some(Observation::NotYet))),
            ("peek: frozen", self.observed(Look::Peek, Some(self.frozen()))),
            ("peek: unavailable", self.observed(Look::Peek, unavailable.clone())),
            ("freeze: happened", self.observed(Look::Freeze, None)),
            ("freeze: frozen", self.observed(Look::Freeze, Some(self.frozen()))),
            ("freeze: unavailable", self.observed(Look::Freeze, unavailable)),
            ("made", self.generated(true)),
            ("bad seal", self.generated(false)),
            ("hold ended", self.input(ended)),
            ("undone", self.revoked(true)),
            ("too late to undo", self.revoked(false)),
            ("ask again", self.input(Event::Elapsed(self.agr))),
        ]
    }
}

/// Every outcome of the rule stands in the table.
#[test]
fn the_table_of_the_third_party_knows_every_outcome() {
    let text = include_str!("../golden/gxv_third_party.txt");
    for outcome in [Outcome::Completed, Outcome::Aborted, Outcome::AbortedRevoked, Outcome::AbortedClaim] {
        assert!(text.contains(&format!("| decided {outcome:?}")), "{outcome:?}");
    }
}
