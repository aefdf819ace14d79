//! What the two parties of an exchange or a transfer say to each other.

use std::collections::BTreeMap;

use semper_exchange::{
    message::{
        Accept, Answer, Close, Common, Decline, DeclineReason, Item, Moved, MovedLeaf, Proposal, Propose,
        negotiation::{Answering, Stapled, View, Ways, Willing},
        offer::{Sides, Turn},
        xfer,
    },
    select::{Casting, Level, Selected},
    xid::Nonce,
};
use semper_supporting::{
    deal::{Anonymity, Confidentiality},
    party::Role,
};
use semper_transfer::{
    description::Semantics,
    escrow::EscrowUse,
    expectation::{DataExpectation, Expectation, PaymentExpectation, StatementExpectation},
    package::{LeafPath, Package},
    property::{Class, GenGrade, GenerationPermit, Grade, Props, Reliance, RevGrade, Side, VerGrade},
};

use super::{
    Form,
    parts::{AT, UNTIL, deal, goods, hash, path, price, reference, signer, sum, xid},
};

pub(crate) fn forms() -> Vec<Form> {
    let common = || common(Role::Responder, Role::Originator);
    let leaf = |content: &str| BTreeMap::from([(path(0), hash(content))]);
    let moved = |authority: Option<&str>, record: Option<&str>| MovedLeaf {
        reference: hash("moved"),
        authority: authority.map(hash),
        record: record.map(hash),
    };
    vec![
        Form::of(&propose()),
        Form::of(&answer()),
        Form::of(&offer()),
        Form::of(&Accept {
            common: common(),
            accept: true,
            permit: BTreeMap::from([(path(1), permit(GenGrade::Affidavit, None))]),
            grade: BTreeMap::from([(path(0), GenGrade::Sealed)]),
        }),
        Form::of(&Decline { common: common(), reason: DeclineReason::Checks }),
        Form::of(&Moved {
            common: common(),
            leaf: BTreeMap::from([
                (path(0), moved(Some("bank's certificate"), Some("record"))),
                (path(1), moved(None, None)),
            ]),
        }),
        Form::of(&Item { common: self::common(Role::Originator, Role::Responder), content: leaf("key") }),
        Form::of(&Close { common: common(), received: true, item: hash("item") }),
        Form::of(&xfer::Message {
            common: Common {
                cert_t: None,
                agr: None,
                prev: None,
                ..self::common(Role::Originator, Role::Responder)
            },
            cell: Some("signature-transfer".into()),
            step: Some("sale.order".into()),
            conf: Some(hash("configuration")),
            terms: Some(hash("terms")),
            leaf: leaf("description"),
            content: leaf("content"),
            via: None,
            sec: xfer::Security { confidentiality: Confidentiality::Channel, receipt: true },
        }),
        Form::of(&xfer::Close {
            common: Common { cert_t: None, agr: None, ..common() },
            received: true,
            message: hash("message"),
        }),
        Form::of(&EscrowUse {
            xid: Some(xid()),
            owner: hash("originator's certificate"),
            leaf: Some(path(0)),
            desc: hash("description"),
            cert_t: hash("third party's certificate"),
            key: semper_supporting::crypto::seal::EscrowKid::from_bytes([4; 32]),
        }),
    ]
}

/// The common lines inside a run, of a message that answers another.
pub(crate) fn common(from: Role, to: Role) -> Common {
    Common {
        xid: Some(xid()),
        deal: deal(),
        from,
        to,
        cert_o: hash("originator's certificate"),
        cert_r: hash("responder's certificate"),
        cert_t: Some(hash("third party's certificate")),
        agr: Some(hash("offer")),
        prev: Some(hash("message before")),
        at: AT,
        signer: signer(),
    }
}

fn permit(grade: GenGrade, basis: Option<&str>) -> GenerationPermit {
    GenerationPermit { grade, description: hash("description"), basis: basis.map(hash) }
}

fn sealed() -> Props {
    Props {
        mechanism: "data/sealed".into(),
        generatable: Grade::lasting(GenGrade::Sealed),
        verifiable: Grade::lasting(VerGrade::None),
        revocable: Grade::lasting(RevGrade::None),
    }
}

fn paid() -> Props {
    let authority = Some(hash("bank's certificate"));
    Props {
        mechanism: "pay/direct".into(),
        generatable: Grade::lasting(GenGrade::None),
        verifiable: Grade { authority, ..Grade::lasting(VerGrade::Final) },
        revocable: Grade { authority, until: Some(UNTIL), ..Grade::lasting(RevGrade::Undo) },
    }
}

fn attested() -> Props {
    Props {
        mechanism: "statement/affidavit".into(),
        generatable: Grade::lasting(GenGrade::Affidavit),
        verifiable: Grade::lasting(VerGrade::None),
        revocable: Grade::lasting(RevGrade::None),
    }
}

fn reliances() -> Sides<BTreeMap<LeafPath, Reliance>> {
    let one = |class, props: Props, until| Reliance {
        class,
        mechanism: props.mechanism,
        authority: props.verifiable.authority,
        until,
    };
    Sides {
        o: BTreeMap::from([(path(0), one(Class::Sealed, sealed(), None))]),
        r: BTreeMap::from([
            (path(0), one(Class::Backward, paid(), Some(UNTIL))),
            (path(1), one(Class::Forward, attested(), None)),
        ]),
    }
}

/// What one side brings: the sealed file, or the payment with the order.
fn view<H>(head: H, n: u8, gives: Package, props: &[Props], wants: Vec<Expectation>) -> View<H> {
    let numbered = || (0_u16..).map(path);
    let classes = || vec![Class::Forward, Class::Backward, Class::Sealed];
    View {
        head,
        nonce: Nonce::from_bytes([n; 32]),
        versions: vec![1],
        protos: vec!["gxv/1".into(), "xfer/1".into()],
        ttps: vec![hash("third party's certificate")],
        gives: Some(gives),
        props: numbered().zip(props.iter().map(|props| Ways { way: vec![props.clone()] })).collect(),
        accepts: numbered().zip(wants.iter().map(|_| Willing { class: classes() })).collect(),
        wants: numbered().zip(wants).collect(),
        min_level: Level::Strong,
        anonymity: Anonymity::Identified,
        status: Some(Stapled { list: hash("revocation list"), issued: AT }),
        terms: Some(hash("terms")),
    }
}

fn propose() -> Propose {
    let head = Common {
        xid: None,
        cert_t: None,
        agr: None,
        prev: None,
        ..common(Role::Originator, Role::Responder)
    };
    let payment =
        PaymentExpectation { at_least: Some(sum()), at_most: None, mode: None, payee: None, module: None };
    let order = StatementExpectation { semantics: Some(Semantics::Order), ..StatementExpectation::default() };
    let wants = vec![Expectation::Payment(payment), Expectation::Statement(order)];
    Propose { view: view(head, 1, goods(), &[sealed()], wants) }
}

fn answer() -> Answer {
    let common = Common { xid: None, cert_t: None, agr: None, ..common(Role::Responder, Role::Originator) };
    let head = Answering { common, propose: hash("proposal") };
    let file = DataExpectation { at_most: Some(100_000), ..DataExpectation::default() };
    Answer {
        view: view(head, 2, price(false), &[paid(), attested()], vec![Expectation::Data(file)]),
        result: Some(Selected {
            version: 1,
            proto: "gxv/1".into(),
            originator: Casting::Initiator,
            ttp: Some(hash("third party's certificate")),
            level: Level::Strong,
            leaf: reliances(),
        }),
        reason: None,
    }
}

fn offer() -> Proposal {
    let (give_o, give_r) = (goods(), price(true));
    let turn = |side, leaf| Turn { side, leaf: path(leaf) };
    Proposal {
        common: Common { agr: None, ..common(Role::Originator, Role::Responder) },
        proto: "gxv/1".into(),
        version: 1,
        cell: "fair-payment-with-receipt".into(),
        step: "pay".into(),
        conf: hash("configuration"),
        nonce_o: Nonce::from_bytes([1; 32]),
        nonce_r: Nonce::from_bytes([2; 32]),
        neg: hash("negotiation"),
        terms: Some(hash("terms")),
        clause: hash("clause"),
        ttp_name: "Arbiter".into(),
        ttp_escrow_key: hash("escrow key"),
        ttp_policy: hash("policy"),
        tree_o: give_o.hash().unwrap(),
        tree_r: give_r.hash().unwrap(),
        give_o,
        give_r,
        prop: reliances(),
        permit: BTreeMap::from([(path(0), permit(GenGrade::Sealed, Some("escrow")))]),
        order: vec![turn(Side::Responder, 1), turn(Side::Responder, 0), turn(Side::Originator, 0)],
        t_accept: 300,
        t_item: 600,
        t_close: 86_400,
        t_enforced: None,
        grace: None,
        t_retain: 3653,
        level: Level::Strong,
        weak_consent: false,
        sec: Sides::default(),
    }
}

/// The reference of the payment is the one that the parts name.
#[test]
fn the_offer_names_the_payment_of_these_parts() {
    let text =
        String::from_utf8(semper_supporting::evidence::statement::to_bytes(&offer()).unwrap()).unwrap();
    assert!(text.contains(&format!("ref: {}\n", reference())), "{text}");
}
