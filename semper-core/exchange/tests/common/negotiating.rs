//! PROPOSE and ANSWER, and what they are computed with.

use std::collections::BTreeMap;

use semper_exchange::{
    check::ThirdPartyFacts,
    generatable_verifiable::plan::PROTO,
    message::{
        Answer, Common, Propose,
        negotiation::{Answering, View, Ways, Willing},
    },
    select::{Level, select},
};
use semper_supporting::{
    crypto::{digest::Digest, seal::EscrowPublic},
    deal::Anonymity,
    evidence::Verified,
    money::Money,
    party::Role,
};
use semper_transfer::{
    description::Semantics,
    expectation::{DataExpectation, Expectation, PaymentExpectation, StatementExpectation},
    package::{LeafPath, Package},
    property::{Capabilities, Class, GenGrade, Props, ThirdPartyKeys},
};

use super::{Goods, Market, everything, nonce, path};

impl Market {
    /// The originator proposes, the responder answers.
    pub fn propose(&self, goods: Goods) -> Verified<Propose> {
        let wants = BTreeMap::from([(
            path(0),
            Expectation::Payment(PaymentExpectation {
                at_least: Some(Money::parse("EUR 12.50").unwrap()),
                at_most: None,
                mode: None,
                payee: None,
                module: None,
            }),
        )]);
        let order = Expectation::Statement(StatementExpectation {
            semantics: Some(Semantics::Order),
            ..StatementExpectation::default()
        });
        let wants = wants.into_iter().chain(goods.order.then(|| (path(1), order))).collect();
        let head =
            Common { xid: None, cert_t: None, ..self.common(Role::Originator, Role::Responder, None, None) };
        let props = self.props(goods).o;
        let accepts = self.props(goods).r.keys().map(|path| (path.clone(), everything())).collect();
        self.o.sign(&Propose { view: self.view(head, 1, self.give_o(goods), wants, props, accepts, goods) })
    }

    pub fn wants(&self, goods: Goods) -> BTreeMap<LeafPath, Expectation> {
        let wanted = if goods.sealed {
            Expectation::Data(DataExpectation { at_most: Some(100_000), ..DataExpectation::default() })
        } else {
            Expectation::Statement(StatementExpectation {
                semantics: Some(Semantics::Receipt),
                ..StatementExpectation::default()
            })
        };
        BTreeMap::from([(path(0), wanted)])
    }

    pub fn answer(&self, goods: Goods) -> Verified<Answer> {
        let propose = self.propose(goods);
        let common = Common {
            xid: None,
            cert_t: None,
            prev: Some(propose.digest()),
            ..self.common(Role::Responder, Role::Originator, None, None)
        };
        let head = Answering { common, propose: propose.digest() };
        let props = self.props(goods).r;
        let accepts = BTreeMap::from([(path(0), everything())]);
        let view = self.view(head, 2, self.give_r(goods, false), self.wants(goods), props, accepts, goods);
        let mut answer = Answer { view, result: None, reason: None };
        match select(propose.value(), &answer, &self.capabilities()) {
            Ok(selected) => answer.result = Some(selected),
            Err(why) => answer.reason = Some(why),
        }
        self.r.sign(&answer)
    }

    #[expect(clippy::too_many_arguments, reason = "a message has that many parts")]
    fn view<H>(
        &self,
        head: H,
        n: u8,
        gives: Package,
        wants: BTreeMap<LeafPath, Expectation>,
        props: BTreeMap<LeafPath, Props>,
        accepts: BTreeMap<LeafPath, Vec<Class>>,
        goods: Goods,
    ) -> View<H> {
        View {
            head,
            nonce: nonce(n),
            versions: vec![1],
            protos: vec![PROTO.into()],
            ttps: vec![self.t.certificate],
            gives: Some(gives),
            wants,
            props: props.into_iter().map(|(path, props)| (path, Ways { way: vec![props] })).collect(),
            accepts: accepts.into_iter().map(|(path, class)| (path, Willing { class })).collect(),
            min_level: if goods.weak { Level::Weak } else { Level::Strong },
            anonymity: Anonymity::Identified,
            status: None,
            terms: None,
        }
    }

    pub fn capabilities(&self) -> BTreeMap<Digest, Capabilities> {
        let caps = Capabilities {
            keys: ThirdPartyKeys { certificate: self.t.certificate, escrow: escrow_key() },
            grades: vec![GenGrade::Sealed, GenGrade::Certified, GenGrade::Affidavit],
            deposit: false,
            authorities: vec![self.bank.certificate],
            longest: 1 << 26,
        };
        BTreeMap::from([(self.t.certificate, caps)])
    }

    pub fn facts(&self) -> ThirdPartyFacts {
        ThirdPartyFacts {
            name: "Arbiter".into(),
            escrow_key: Digest::of(b"escrow key"),
            policy: Digest::of(b"policy"),
        }
    }
}

fn escrow_key() -> EscrowPublic {
    EscrowPublic::from_bytes([7; 32])
}
