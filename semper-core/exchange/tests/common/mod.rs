//! A small market for the tests of this crate: two parties, a third party, a bank, an offer between them.
#![allow(dead_code, reason = "each test program uses its part")]

mod negotiating;
mod offering;
mod someone;

use std::collections::BTreeMap;

use semper_exchange::{
    generatable_verifiable::plan::PROTO,
    message::{Common, Draft, offer::Sides},
    run::{Keys, Run},
    xid::{self, Nonce},
};
use semper_supporting::{
    crypto::digest::Digest, deal::DealId, evidence::statement, money::Money, party::Role, time::Moment,
};
use semper_transfer::{
    description::{
        Addressee, DataDescription, Description, Mode, Model, PaymentDescription, Semantics,
        StatementDescription,
    },
    item::{ContentKey, PayRef, SysId},
    package::{LeafPath, Package},
    property::{Class, GenGrade, Grade, Props, RevGrade, VerGrade},
};

pub use someone::Someone;

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

pub fn draft_of(draft: &Draft) -> String {
    statement::type_of(draft.tbs()).unwrap()
}
