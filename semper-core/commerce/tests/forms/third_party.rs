//! What parties ask of the third party, what it answers, and what it says of itself.

use std::collections::BTreeMap;

use semper_exchange::{
    heads::Head,
    message::{
        Abort, Affidavit, Basis, BasisKind, Caps, Cheat, Common, Decision, NotYet, Outcome, Pending, Reason,
        Receipt, Reject, RejectCode, Replacement, Resolve, Status, answer::Seen,
    },
};
use semper_supporting::{evidence::statement::Bytes, party::Role};
use semper_transfer::{description::Semantics, escrow::EscrowCert, property::GenGrade};

use super::{
    Form, exchange,
    parts::{AT, UNTIL, hash, path, signer},
};

pub(crate) fn forms() -> Vec<Form> {
    let mut forms = asked();
    forms.extend(answered());
    forms.extend(about_itself());
    forms
}

fn asked() -> Vec<Form> {
    let common = || exchange::common(Role::Responder, Role::ThirdParty);
    let (offer, seen) = (hash("offer"), vec![hash("offer"), hash("item")]);
    vec![
        Form::of(&Abort { common: common(), offer, accept: None, reason: Reason::Timer, seen: seen.clone() }),
        Form::of(&Resolve {
            common: common(),
            offer,
            accept: Some(hash("accept")),
            reason: Reason::Mismatch,
            seen,
            own: BTreeMap::from([(path(1), hash("order"))]),
            evidence: vec![hash("record")],
        }),
        Form::of(&Status { common: common(), offer }),
    ]
}

fn to_responder() -> Common {
    exchange::common(Role::ThirdParty, Role::Responder)
}

fn answered() -> Vec<Form> {
    let (common, request, decision) = (to_responder, hash("request"), hash("decision"));
    let basis = |kind, what| Basis { kind, hash: hash(what) };
    vec![
        Form::of(&Receipt { common: common(), request, t_received: AT, answer_by: UNTIL, journal_index: 41 }),
        Form::of(&Decision {
            common: exchange::common(Role::ThirdParty, Role::Everybody),
            outcome: Outcome::AbortedRevoked,
            offer: hash("offer"),
            accept: Some(hash("accept")),
            basis: vec![
                basis(BasisKind::Request, "request"),
                basis(BasisKind::Permit, "offer"),
                basis(BasisKind::Record, "record"),
                basis(BasisKind::BadSeal, "escrow"),
            ],
            cheat: vec![Cheat { role: Role::Originator, proof: hash("escrow") }],
            t_decided: AT,
            journal_index: 42,
            journal_prev: hash("line"),
        }),
        Form::of(&Replacement {
            common: common(),
            decision,
            leaf: path(0),
            desc: hash("description"),
            grade: GenGrade::Sealed,
            permit: hash("offer"),
            content: hash("key"),
        }),
        Form::of(&Affidavit {
            common: common(),
            decision,
            leaf: path(1),
            desc: hash("description"),
            permit: hash("accept"),
            text: hash("text"),
            text_signer: hash("responder's certificate"),
            semantics: Semantics::Order,
        }),
        Form::of(&NotYet { common: common(), request, leaf: path(0), observation: Seen::NotYet }),
        Form::of(&Pending { common: common(), request, until: Some(UNTIL) }),
        Form::of(&Reject { common: common(), request, code: RejectCode::EOwn }),
    ]
}

fn about_itself() -> Vec<Form> {
    let (cert_t, signer, at) = (hash("third party's certificate"), signer(), AT);
    vec![
        Form::of(&Caps {
            cert_t,
            name: "Arbiter".into(),
            protos: vec!["gxv/1".into()],
            generates: vec![GenGrade::Affidavit, GenGrade::Sealed, GenGrade::Certified],
            authorities: vec![hash("bank's certificate")],
            escrow_key: Bytes(vec![4; 32]),
            escrow_limit: 1 << 26,
            policy: hash("policy"),
            answer_within: 86_400,
            at,
            signer,
        }),
        Form::of(&EscrowCert {
            desc: hash("description"),
            owner: hash("originator's certificate"),
            cert_t,
            escrow: hash("escrow"),
            sealed: hash("sealed"),
            key: hash("content key"),
            plain_ok: true,
            by: hash("evaluator's certificate"),
            at,
            signer,
        }),
        Form::of(&Head { cert_t, seq: 64, hash: hash("line"), at, signer }),
    ]
}
