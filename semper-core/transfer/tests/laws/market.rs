//! A seller, a buyer, a third party and a bank, with keys and certificates that are names.

use std::collections::BTreeMap;

use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject, decide},
    crypto::{
        digest::Digest,
        keys::{GenerateKey, KeyPurpose, KeyRef, KeyStore as _, SoftKeys},
        seal::EscrowKey,
        signature::{Kid, PublicKey},
    },
    deal::{Attributes, DealContext, DealId, Xid},
    evidence::{Signable, SignedBytes},
    party::PartyView,
    time::Moment,
};
use semper_transfer::{
    description::Description,
    escrow::EscrowKeys,
    package::LeafPath,
    property::{Binding, Capabilities, GenGrade, Side, ThirdPartyKeys},
};
use zeroize::Zeroizing;

pub(crate) const NOW: Moment = Moment::from_seconds(1_772_359_200);

/// Somebody who signs: a name, which is also the certificate, and a key made from it.
#[derive(Clone, Copy)]
pub(crate) struct Person(pub(crate) &'static str);

pub(crate) const SELLER: Person = Person("seller");
pub(crate) const BUYER: Person = Person("buyer");
pub(crate) const ARBITER: Person = Person("arbiter");
pub(crate) const BANK: Person = Person("bank");

impl Person {
    /// A store with this person's key, made under a permit as everywhere.
    fn keys(self) -> (SoftKeys, KeyRef) {
        let purpose = KeyPurpose::Authority;
        let act = GenerateKey { purpose, deal: None, at: NOW };
        let facts =
            Facts { key: Some(purpose), circumstances: &[Circumstance::FirstStart], ..Facts::default() };
        let object = Object::with(&act, facts);
        let limits = Limits::default();
        let Decision::Allow(permit) =
            decide(&Subject::User, Action::GenerateKey, &object, None, &limits, NOW)
        else {
            panic!("no key for {}", self.0);
        };
        let mut keys = SoftKeys::new();
        let seed = Zeroizing::new(*self.certificate().as_bytes());
        let key = keys.generate(purpose, &seed, permit, NOW).unwrap();
        (keys, key)
    }

    pub(crate) fn certificate(self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    pub(crate) fn public(self) -> PublicKey {
        let (keys, key) = self.keys();
        keys.public(&key).unwrap()
    }

    pub(crate) fn kid(self) -> Kid {
        self.keys().1.kid()
    }

    pub(crate) fn sign<T: Signable>(self, value: &T) -> SignedBytes {
        let (keys, key) = self.keys();
        let policy = Digest::of(b"policy");
        let subject = match self.0 {
            "seller" => Subject::Operator { policy },
            _ => Subject::Authority { policy },
        };
        let object = Object::of(value);
        match decide(&subject, Action::SignIdentity, &object, None, &Limits::default(), NOW) {
            Decision::Allow(permit) => keys.sign(&key, permit, NOW).unwrap().bytes().clone(),
            other => panic!("{} may not sign: {other:?}", self.0),
        }
    }
}

pub(crate) fn certificates() -> BTreeMap<Digest, PublicKey> {
    [SELLER, BUYER, ARBITER, BANK].map(|person| (person.certificate(), person.public())).into()
}

pub(crate) fn escrow_keys() -> EscrowKeys {
    EscrowKeys::new(ARBITER.certificate(), [EscrowKey::from_seed(&Zeroizing::new([3; 32]))])
}

pub(crate) fn third_party() -> ThirdPartyKeys {
    let escrow = EscrowKey::from_seed(&Zeroizing::new([3; 32])).public();
    ThirdPartyKeys { certificate: ARBITER.certificate(), escrow }
}

pub(crate) fn capabilities() -> Capabilities {
    Capabilities {
        keys: third_party(),
        grades: vec![GenGrade::Sealed, GenGrade::Certified, GenGrade::Affidavit],
        deposit: true,
        authorities: vec![BANK.certificate()],
        longest: 1 << 20,
    }
}

pub(crate) fn deal() -> DealContext {
    let view = |person: Person| PartyView::Identified {
        certificate: person.certificate(),
        kid: person.kid(),
        name: person.0.into(),
    };
    DealContext {
        id: DealId::from_bytes([1; 32]),
        me: view(SELLER),
        peer: view(BUYER),
        terms: None,
        attributes: Attributes {
            anonymity_peer: Default::default(),
            anonymity_bank: Default::default(),
            anonymity_third: Default::default(),
            network_hidden: false,
            confidentiality: Default::default(),
            evidence: Default::default(),
            currency: vec![],
            third_party: Some(ARBITER.certificate()),
        },
        ceiling: None,
        opened: NOW,
        expires: NOW,
    }
}

pub(crate) fn binding(n: u32, giver: Side, owner: Person, description: &Description) -> Binding {
    Binding {
        xid: Xid::from_bytes(*Digest::of(format!("run {n}").as_bytes()).as_bytes()),
        agreement: Some(Digest::of(format!("agreement {n}").as_bytes())),
        leaf: LeafPath::first(),
        giver,
        owner: owner.certificate(),
        description: description.hash().unwrap(),
    }
}
