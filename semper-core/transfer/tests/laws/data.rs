//! Sealed reports of the seller, with the third party that opens their escrows.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::{
        digest::Digest,
        seal::{
            ContentKey, Measured,
            content::{open_whole, seal_whole},
        },
        signature::PublicKey,
    },
    deal::DealContext,
};
use semper_transfer::{
    conformance::{Case, Subject},
    data::{Checked, DataManager, DataThirdParty},
    description::{DataDescription, Description},
    escrow::{EscrowKeys, EscrowUse},
    item::{CertifiedEscrow, Item},
    property::{
        Answer, Capabilities, Certificates, Delivered, ExchangeEnabled, Got, Order, Side, Transfer, TtpItem,
    },
};

use crate::market::{self, ARBITER, NOW, SELLER};

pub(crate) struct Reports {
    certified: bool,
    manager: DataManager,
    escrow: EscrowKeys,
    certificates: BTreeMap<Digest, PublicKey>,
}

impl Reports {
    pub(crate) fn sealed() -> Self {
        Self {
            certified: false,
            manager: DataManager::new(),
            escrow: market::escrow_keys(),
            certificates: market::certificates(),
        }
    }

    pub(crate) fn certified() -> Self {
        let all = (1..4).map(|n| report(n).0.hash().unwrap());
        Self { certified: true, manager: DataManager::new().with_certified(all), ..Self::sealed() }
    }

    /// The escrow of a report, checked by the third party in advance.
    fn checked(&self, description: &Description, key: &ContentKey) -> CertifiedEscrow {
        let to = market::third_party();
        let of = EscrowUse::of_catalogue(SELLER.certificate(), description.hash().unwrap(), &to);
        let escrow = of.seal(&to, key.as_bytes(), &[5; 32]).unwrap();
        let arbiter = DataThirdParty { escrow: &self.escrow };
        let checked = Checked { owner: SELLER.certificate(), description, escrow: &escrow };
        let key = arbiter.open_for_check(&checked).unwrap();
        let measured = measure(description, &key).unwrap();
        let cert = arbiter.certify(&checked, &key, measured, ARBITER.kid(), NOW).unwrap();
        CertifiedEscrow { certificate: ARBITER.sign(&cert), escrow }
    }
}

/// Report number `n`: what is said of it, its key, its sealed form.
pub(crate) fn report(n: u32) -> (Description, ContentKey, Vec<u8>) {
    let key = ContentKey::from_bytes(*Digest::of(format!("key {n}").as_bytes()).as_bytes());
    let (sealed, measured) = seal_whole(&key, format!("Report number {n}.").as_bytes()).unwrap();
    let description = DataDescription {
        title: format!("Report {n}"),
        media: "text/plain".into(),
        length: measured.length,
        plain: measured.plain,
        sealed: Some(measured.sealed),
        key: Some(key.commitment()),
        licence: None,
    };
    (description.into(), key, sealed)
}

/// Opens the sealed form of the described report.
fn measure(description: &Description, key: &ContentKey) -> Option<Measured> {
    let (_, _, sealed) = (1..4).map(report).find(|(other, ..)| other == description)?;
    open_whole(key, &sealed).ok().map(|(_, measured)| measured)
}

impl Subject for Reports {
    fn party(&self) -> &dyn ExchangeEnabled {
        &self.manager
    }

    fn third_party(&self) -> Box<dyn TtpItem + '_> {
        Box::new(DataThirdParty { escrow: &self.escrow })
    }

    fn certificates(&self) -> &dyn Certificates {
        &self.certificates
    }

    fn capabilities(&self) -> Capabilities {
        market::capabilities()
    }

    fn deal(&self) -> DealContext {
        market::deal()
    }

    fn case(&mut self, n: u32) -> Case {
        let (description, key, _) = report(n);
        let certified = self.certified.then(|| self.checked(&description, &key));
        let binding = market::binding(n, Side::Originator, SELLER, &description);
        Case { item: Item::Data { key, certified }, description, binding }
    }

    fn carry_out(&mut self, case: &Case, transfer: Transfer) -> Option<Got> {
        let Transfer::Deliver(Delivered::Key(key)) = transfer else { return None };
        let measured = self.measure(case, &key);
        Some(Got::Data { key, measured })
    }

    fn ask(&mut self, _: &Order) -> Option<Answer> {
        None
    }

    fn measure(&self, case: &Case, key: &ContentKey) -> Option<Measured> {
        measure(&case.description, key)
    }
}
