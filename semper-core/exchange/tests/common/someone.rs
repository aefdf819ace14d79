//! Somebody who signs.

use std::sync::Arc;

use semper_exchange::{
    message::{self, Accept, Draft, Proposal},
    run::Speaker,
};
use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject, decide},
    crypto::{
        digest::Digest,
        keys::{GenerateKey, KeyPurpose, KeyRef, KeyStore as _, SoftKeys},
        signature::PublicKey,
    },
    evidence::{Signable, SignedBytes, Verified},
};
use zeroize::Zeroizing;

use super::{AT, draft_of};

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
