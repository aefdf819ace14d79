//! A small market for the tests of this crate: two parties, a third party, a bank, an offer between them.
#![allow(dead_code, reason = "each test program uses its part")]

use std::{collections::BTreeMap, sync::Arc};

use semper_exchange::{
    check::{self, Checked, Expected, ThirdPartyFacts},
    generatable_verifiable::plan::{self, Leaf, PROTO},
    message::{
        self, Accept, Answer, Common, Draft, Proposal, Propose,
        negotiation::{self, Answering, View, Ways, Willing},
        offer::Sides,
    },
    run::{Keys, Run, Speaker},
    select::{Casting, Level, Selected, select},
    xid::{self, Nonce},
};
use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject, decide},
    crypto::{
        digest::Digest,
        keys::{GenerateKey, KeyPurpose, KeyRef, KeyStore as _, SoftKeys},
        seal::EscrowPublic,
        signature::{PublicKey, Signature},
    },
    deal::{Anonymity, DealId},
    evidence::{Signable, SignedBytes, Verified, statement},
    money::Money,
    party::Role,
    time::Moment,
};
use semper_transfer::{
    description::{
        Addressee, DataDescription, Description, Mode, Model, PaymentDescription, Semantics,
        StatementDescription,
    },
    expectation::{DataExpectation, Expectation, PaymentExpectation, StatementExpectation},
    item::{ContentKey, PayRef, SysId},
    package::{LeafPath, Package},
    property::{
        Accepted, Capabilities, Class, GenGrade, GenerationPermit, Grade, Props, Record, RecordStatus,
        Reliance, RevGrade, ThirdPartyKeys, VerGrade,
    },
};
use zeroize::Zeroizing;

/// Somebody with a key, which signs only under a permit, and a certificate, of which only the digest counts.
#[derive(Clone)]
pub struct Someone {
    keys: Arc<SoftKeys>,
    key: KeyRef,
    subject: Subject,
    pub certificate: Digest,
}

impl Someone {
    /// A party, which the operator of a program signs for.
    pub fn party(seed: u8) -> Self {
        Self::new(seed, Subject::Operator { policy: Digest::of(b"policy") })
    }

    /// A third party or a bank.
    pub fn authority(seed: u8) -> Self {
        Self::new(seed, Subject::Authority { policy: Digest::of(b"policy") })
    }

    fn new(seed: u8, subject: Subject) -> Self {
        let purpose = KeyPurpose::Authority;
        let act = GenerateKey { purpose, deal: None, at: AT };
        let facts =
            Facts { key: Some(purpose), circumstances: &[Circumstance::FirstStart], ..Facts::default() };
        let object = Object::with(&act, facts);
        let Decision::Allow(permit) =
            decide(&Subject::User, Action::GenerateKey, &object, None, &Limits::default(), AT)
        else {
            panic!("no key for {seed}");
        };
        let mut keys = SoftKeys::new();
        let key = keys.generate(purpose, &Zeroizing::new([seed; 32]), permit, AT).unwrap();
        Self { keys: Arc::new(keys), key, subject, certificate: Digest::of(&[seed]) }
    }

    pub fn public(&self) -> PublicKey {
        self.keys.public(&self.key).unwrap()
    }

    pub fn speaker(&self) -> Speaker {
        Speaker { certificate: self.certificate, kid: self.public().kid() }
    }

    pub fn sign<T: Signable>(&self, value: &T) -> Verified<T> {
        let object = Object::of(value);
        match decide(&self.subject, Action::SignIdentity, &object, None, &Limits::default(), AT) {
            Decision::Allow(permit) => self.keys.sign(&self.key, permit, AT).unwrap(),
            Decision::Ask(family) => panic!("{} asks for {family:?}", T::TYPE),
            Decision::Deny(why) => panic!("{}: {why}", T::TYPE),
        }
    }

    /// Signs what a machine wrote, as the engine does before it commits a step.
    pub fn sign_draft(&self, draft: &Draft) -> SignedBytes {
        macro_rules! by_type {
            ($($kind:literal => $statement:ty),* $(,)?) => {
                match draft_of(draft).as_str() {
                    $( $kind => self.sign(&draft.read::<$statement>().unwrap()).bytes().clone(), )*
                    other => panic!("no machine writes {other}"),
                }
            };
        }
        by_type! {
            "x/gxv/offer" => Proposal,
            "x/gxv/accept" => Accept,
            "x/gxv/decline" => message::Decline,
            "x/gxv/moved" => message::Moved,
            "x/gxv/item" => message::Item,
            "x/gxv/close" => message::Close,
            "t/abort" => message::Abort,
            "t/resolve" => message::Resolve,
            "t/receipt" => message::Receipt,
            "t/decision" => message::Decision,
            "t/replacement" => message::Replacement,
            "t/affidavit" => message::Affidavit,
            "t/not-yet" => message::NotYet,
            "t/pending" => message::Pending,
            "t/reject" => message::Reject,
            "x/xfer/close" => message::xfer::Close,
        }
    }
}

/// What the packages are, and how the negotiation is bent for the test at hand.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Goods {
    /// The originator gives sealed data instead of a receipt.
    pub sealed: bool,
    /// The responder's payment cannot be undone.
    pub pivot: bool,
    /// The responder gives a signed order beside the payment.
    pub order: bool,
    /// Both consent to less than fairness.
    pub weak: bool,
    /// Which of several offers for one run this is.
    pub variant: u8,
}

pub struct Market {
    pub o: Someone,
    pub r: Someone,
    pub t: Someone,
    pub bank: Someone,
    pub run: Run,
    pub keys: Keys,
}

pub const AT: Moment = Moment::from_seconds(1_772_359_200);

impl Default for Market {
    fn default() -> Self {
        Self::new()
    }
}

impl Market {
    pub fn new() -> Self {
        let (o, r, t, bank) =
            (Someone::party(1), Someone::party(2), Someone::authority(3), Someone::authority(4));
        let xid = xid::Origin {
            deal: deal(),
            proto: PROTO,
            nonce_o: nonce(1),
            nonce_r: Some(nonce(2)),
            cert_o: o.certificate,
            cert_r: r.certificate,
            cert_t: Some(t.certificate),
        }
        .xid();
        let run = Run {
            xid,
            deal: deal(),
            originator: o.speaker(),
            responder: r.speaker(),
            third_party: Some(t.speaker()),
        };
        let keys = [&o, &r, &t, &bank]
            .iter()
            .fold(Keys::new(), |keys, one| keys.with(one.certificate, one.public()));
        Self { o, r, t, bank, run, keys }
    }

    pub fn someone(&self, role: Role) -> &Someone {
        match role {
            Role::Originator => &self.o,
            Role::Responder => &self.r,
            Role::ThirdParty => &self.t,
            _ => &self.bank,
        }
    }

    pub fn common(&self, from: Role, to: Role, agr: Option<Digest>, prev: Option<Digest>) -> Common {
        self.run.common(from, to, agr, prev, AT).unwrap()
    }

    /// What the originator gives.
    pub fn give_o(&self, goods: Goods) -> Package {
        if goods.sealed {
            Package::of(DataDescription {
                title: format!("Colour management, part {}", goods.variant),
                media: "application/pdf".into(),
                length: 48_213,
                plain: Digest::of(b"plain"),
                sealed: Some(Digest::of(b"sealed")),
                key: Some(content_key().commitment()),
                licence: None,
            })
        } else {
            Package::of(StatementDescription {
                semantics: Semantics::Receipt,
                text: self.receipt_text(goods),
                media: "text/plain".into(),
                signer: self.o.certificate,
                addressee: Addressee::Certificate(self.r.certificate),
            })
        }
    }

    pub fn receipt_text(&self, goods: Goods) -> Digest {
        Digest::of(&[b'r', goods.variant])
    }

    /// What the responder gives, before and after the means of payment are settled.
    pub fn give_r(&self, goods: Goods, settled: bool) -> Package {
        let payment = PaymentDescription {
            amount: Money::parse("EUR 12.50").unwrap(),
            reference: settled.then(|| reference(goods)),
            mode: settled.then_some(Mode::Direct),
            payer: settled.then(|| "purse".into()),
            payee: settled.then(|| "shop".into()),
            module: settled.then(|| SysId::new("sim").unwrap()),
            model: settled.then_some(Model::Account),
            authority: settled.then_some(self.bank.certificate),
            fees: None,
        };
        let order = StatementDescription {
            semantics: Semantics::Order,
            text: Digest::of(b"order"),
            media: "text/plain".into(),
            signer: self.r.certificate,
            addressee: Addressee::Certificate(self.o.certificate),
        };
        let leaves = [Some(Description::from(payment)), goods.order.then(|| order.into())];
        Package::flat(leaves.into_iter().flatten()).unwrap()
    }

    pub fn props(&self, goods: Goods) -> Sides<BTreeMap<LeafPath, Props>> {
        let made = |mechanism: &str, grade| Props {
            mechanism: mechanism.into(),
            generatable: Grade::lasting(grade),
            verifiable: Grade::lasting(VerGrade::None),
            revocable: Grade::lasting(RevGrade::None),
        };
        let bank = Some(self.bank.certificate);
        let paid = Props {
            mechanism: "pay/direct".into(),
            generatable: Grade::lasting(GenGrade::None),
            verifiable: Grade { authority: bank, ..Grade::lasting(VerGrade::Final) },
            revocable: Grade {
                authority: bank,
                ..Grade::lasting(if goods.pivot { RevGrade::None } else { RevGrade::Undo })
            },
        };
        let o = if goods.sealed {
            made("data/sealed", GenGrade::Sealed)
        } else {
            made("statement/affidavit", GenGrade::Affidavit)
        };
        let mut r = BTreeMap::from([(path(0), paid)]);
        if goods.order {
            r.insert(path(1), made("statement/affidavit", GenGrade::Affidavit));
        }
        Sides { o: BTreeMap::from([(path(0), o)]), r }
    }

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

    /// OFFER as the originator writes it, whether or not negotiation would have led to it.
    pub fn proposal(&self, goods: Goods) -> Proposal {
        let (give_o, give_r) = (self.give_o(goods), self.give_r(goods, true));
        let at = AT;
        let best = |props: &Props, wanted: &[Class]| -> Reliance {
            props.reliances(at).into_iter().find(|reliance| wanted.contains(&reliance.class)).unwrap()
        };
        let props = self.props(goods);
        let reliances = |side: &BTreeMap<LeafPath, Props>| -> BTreeMap<LeafPath, Reliance> {
            side.iter().map(|(path, props)| (path.clone(), best(props, &everything()))).collect()
        };
        let prop = Sides { o: reliances(&props.o), r: reliances(&props.r) };
        let permit = GenerationPermit {
            grade: if goods.sealed { GenGrade::Sealed } else { GenGrade::Affidavit },
            description: give_o.leaf(&path(0)).unwrap().hash().unwrap(),
            basis: goods.sealed.then(|| Digest::of(&blob(goods))),
        };
        let leaf = |reliance: &Reliance| Leaf {
            class: reliance.class,
            description: Digest::of(b""),
            authority: reliance.authority,
            basis: None,
        };
        let leaves = |side: &BTreeMap<LeafPath, Reliance>| {
            side.iter().map(|(path, reliance)| (path.clone(), leaf(reliance))).collect()
        };
        let order = plan::order(&leaves(&prop.o), &leaves(&prop.r));
        // One negotiation leads to the offer, even where its originator writes several.
        let base = Goods { variant: 0, ..goods };
        let (propose, answer) = (self.propose(base), self.answer(base));
        Proposal {
            common: self.common(Role::Originator, Role::Responder, None, Some(answer.digest())),
            proto: PROTO.into(),
            version: 1,
            cell: "fair-payment-with-receipt".into(),
            step: "pay".into(),
            conf: Digest::of(b"configuration"),
            nonce_o: nonce(1),
            nonce_r: nonce(2),
            neg: negotiation::digest(&propose.bytes().tbs, &answer.bytes().tbs),
            terms: None,
            clause: Digest::of(b"clause"),
            ttp_name: "Arbiter".into(),
            ttp_escrow_key: Digest::of(b"escrow key"),
            ttp_policy: Digest::of(b"policy"),
            tree_o: give_o.hash().unwrap(),
            tree_r: give_r.hash().unwrap(),
            give_o,
            give_r,
            prop,
            permit: BTreeMap::from([(path(0), permit)]),
            order,
            t_accept: 300,
            t_item: 600,
            t_close: 86_400,
            t_enforced: None,
            grace: None,
            t_retain: 3653,
            level: if goods.weak { Level::Weak } else { Level::Strong },
            weak_consent: goods.weak,
            sec: Sides::default(),
        }
    }

    pub fn offer(&self, goods: Goods) -> Verified<Proposal> {
        self.o.sign(&self.proposal(goods))
    }

    /// What O delivers, by hash.
    pub fn contents_o(&self, goods: Goods) -> BTreeMap<LeafPath, Digest> {
        let content =
            if goods.sealed { Digest::of(content_key().as_bytes()) } else { self.receipt_text(goods) };
        BTreeMap::from([(path(0), content)])
    }

    /// What R hands over in clear, by hash.
    pub fn contents_r(&self, goods: Goods) -> BTreeMap<LeafPath, Digest> {
        if goods.order { BTreeMap::from([(path(1), Digest::of(b"order"))]) } else { BTreeMap::new() }
    }

    pub fn permits_r(&self, goods: Goods) -> BTreeMap<LeafPath, GenerationPermit> {
        let package = self.give_r(goods, true);
        let permit = |path: LeafPath| GenerationPermit {
            grade: GenGrade::Affidavit,
            description: package.leaf(&path).unwrap().hash().unwrap(),
            basis: None,
        };
        self.contents_r(goods).into_keys().map(|path| (path.clone(), permit(path))).collect()
    }

    pub fn grades_o(&self, goods: Goods) -> BTreeMap<LeafPath, GenGrade> {
        BTreeMap::from([(path(0), if goods.sealed { GenGrade::Sealed } else { GenGrade::Affidavit })])
    }

    pub fn grades_r(&self, goods: Goods) -> BTreeMap<LeafPath, GenGrade> {
        self.contents_r(goods).into_keys().map(|path| (path, GenGrade::Affidavit)).collect()
    }

    /// The responder's checks of the offer of `goods`.
    pub fn checked(&self, goods: Goods) -> Result<Checked, check::OfferFault> {
        let base = Goods { variant: 0, ..goods };
        let (propose, answer) = (self.propose(base), self.answer(base));
        let (caps, wants, facts) = (self.capabilities(), self.wants(goods), self.facts());
        let expected = Expected {
            run: &self.run,
            propose: &propose,
            answer: &answer,
            third_parties: &caps,
            wants: &wants,
            clauses: &[Digest::of(b"clause")],
            terms: None,
            third_party: &facts,
            now: AT,
        };
        check::offer(self.offer(goods), self.grades_o(goods), &[Digest::of(b"sealed")], &expected)
    }

    pub fn accept(&self, goods: Goods) -> Verified<Accept> {
        let agr = Some(self.offer(goods).digest());
        self.r.sign(&Accept {
            common: self.common(Role::Responder, Role::Originator, agr, agr),
            accept: true,
            permit: self.permits_r(goods),
            grade: self.grades_o(goods),
        })
    }

    /// What a manager says of content with this hash for a leaf of `package`.
    pub fn accepted(&self, package: &Package, leaf: &LeafPath, content: Digest) -> Accepted {
        Accepted { description: package.leaf(leaf).unwrap().hash().unwrap(), evidence: content }
    }

    /// The bank's record about the payment of `goods`.
    pub fn record(&self, goods: Goods, status: RecordStatus) -> Record {
        let text = format!("semper-statement/1 a/record\nstatus: {status:?}\nref: {}\n", reference(goods));
        Record {
            xid: self.run.xid,
            leaf: path(0),
            reference: Some(reference(goods)),
            status,
            amount: Some(Money::parse("EUR 12.50").unwrap()),
            payer: Some("purse".into()),
            payee: Some("shop".into()),
            since: AT,
            authority: self.bank.certificate,
            // Whether the bank signed is the payment module's question, before a record comes here.
            evidence: SignedBytes { tbs: text.into_bytes(), signature: Signature::from_bytes([7; 64]) },
        }
    }
}

pub fn everything() -> Vec<Class> {
    vec![Class::Forward, Class::Backward, Class::Pivot, Class::Sealed]
}

/// The key that sealed data is opened with.
pub fn content_key() -> ContentKey {
    ContentKey::from_bytes([5; 32])
}

pub fn blob(goods: Goods) -> Vec<u8> {
    vec![b'e', goods.variant]
}

pub fn reference(goods: Goods) -> PayRef {
    PayRef::from_bytes([goods.variant + 1; 32])
}

pub fn path(n: u16) -> LeafPath {
    LeafPath::new(&[n]).unwrap()
}

pub fn nonce(n: u8) -> Nonce {
    Nonce::from_bytes([n; 32])
}

pub fn deal() -> DealId {
    DealId::from_bytes([9; 32])
}

fn escrow_key() -> EscrowPublic {
    EscrowPublic::from_bytes([7; 32])
}

pub fn selected(market: &Market, goods: Goods) -> Selected {
    select(market.propose(goods).value(), market.answer(goods).value(), &market.capabilities()).unwrap()
}

pub fn draft_of(draft: &Draft) -> String {
    statement::type_of(draft.tbs()).unwrap()
}

pub const INITIATOR: Casting = Casting::Initiator;
