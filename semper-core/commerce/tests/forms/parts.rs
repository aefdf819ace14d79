//! The fixed parts of which the values are made.

use semper_supporting::{
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    deal::{DealId, Xid},
    money::Money,
    time::Moment,
};
use semper_transfer::{
    description::{
        Addressee, DataDescription, Description, Mode, Model, PaymentDescription, Semantics,
        StatementDescription,
    },
    item::{PayRef, SysId},
    package::{LeafPath, Package},
};

/// The first public key of RFC 8032, 7.1.
const KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e,
    0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

pub(crate) const AT: Moment = Moment::from_seconds(1_772_359_200);
/// Three days later.
pub(crate) const UNTIL: Moment = Moment::from_seconds(1_772_618_400);

pub(crate) fn key() -> PublicKey {
    PublicKey::from_bytes(&KEY).unwrap()
}

pub(crate) fn signer() -> Kid {
    key().kid()
}

pub(crate) fn kid(n: u8) -> Kid {
    Kid::from_bytes([n; 32])
}

pub(crate) fn deal() -> DealId {
    DealId::from_bytes([9; 32])
}

pub(crate) fn xid() -> Xid {
    Xid::from_bytes([8; 32])
}

pub(crate) fn reference() -> PayRef {
    PayRef::from_bytes([7; 32])
}

pub(crate) fn sum() -> Money {
    Money::parse("XTS 12.50").unwrap()
}

/// What stands for the thing called `what` wherever only its hash counts.
pub(crate) fn hash(what: &str) -> Digest {
    Digest::of(what.as_bytes())
}

pub(crate) fn path(n: u16) -> LeafPath {
    LeafPath::new(&[n]).unwrap()
}

/// A sealed file.
pub(crate) fn goods() -> Package {
    Package::of(DataDescription {
        title: "Colour management, an introduction".into(),
        media: "application/pdf".into(),
        length: 48_213,
        plain: hash("plain"),
        sealed: Some(hash("sealed")),
        key: Some(hash("content key")),
        licence: None,
    })
}

/// A payment and an order; of the payment only the sum is known before it is negotiated.
pub(crate) fn price(settled: bool) -> Package {
    let payment = PaymentDescription {
        amount: sum(),
        reference: settled.then(reference),
        mode: settled.then_some(Mode::Direct),
        payer: settled.then(|| "purse-1".into()),
        payee: settled.then(|| "merch-1".into()),
        module: settled.then(|| SysId::new("sim").unwrap()),
        model: settled.then_some(Model::Account),
        authority: settled.then(|| hash("bank's certificate")),
        fees: None,
    };
    let order = StatementDescription {
        semantics: Semantics::Order,
        text: hash("order"),
        media: "text/plain".into(),
        signer: hash("responder's certificate"),
        addressee: Addressee::Certificate(hash("originator's certificate")),
    };
    Package::flat([Description::from(payment), order.into()]).unwrap()
}
