//! Keys for the tests of this crate: made and used under permits, as everywhere.
#![allow(unreachable_pub, reason = "a test program has no readers of its own interface")]
#![allow(dead_code, reason = "each test program uses its part")]

use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject, decide},
    crypto::{
        digest::Digest,
        keys::{GenerateKey, KeyPurpose, KeyRef, KeyStore as _, SoftKeys},
        signature::PublicKey,
    },
    evidence::{Signable, Verified},
    time::Moment,
};
use zeroize::Zeroizing;

pub mod world;

pub const AT: Moment = Moment::from_seconds(1_772_359_200);
const POLICY: Digest = Digest::from_bytes([9; 32]);

/// Somebody with one key.
pub struct Hand {
    keys: SoftKeys,
    key: KeyRef,
}

impl Hand {
    pub fn new(purpose: KeyPurpose, seed: u8) -> Self {
        let act = GenerateKey { purpose, deal: None, at: AT };
        let facts =
            Facts { key: Some(purpose), circumstances: &[Circumstance::FirstStart], ..Facts::default() };
        let object = Object::with(&act, facts);
        let mut keys = SoftKeys::default();
        match decide(&Subject::User, Action::GenerateKey, &object, None, &Limits::default(), AT) {
            Decision::Allow(permit) => {
                let key = keys.generate(purpose, &Zeroizing::new([seed; 32]), permit, AT).unwrap();
                Self { keys, key }
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn public(&self) -> PublicKey {
        self.keys.public(&self.key).unwrap()
    }

    /// Signs whatever a program of some operator may sign.
    pub fn sign<T: Signable>(&self, value: &T) -> Verified<T> {
        let object = Object::of(value);
        let programs = [Subject::Operator { policy: POLICY }, Subject::Authority { policy: POLICY }];
        let permit = programs.iter().find_map(|program| {
            match decide(program, Action::SignIdentity, &object, None, &Limits::default(), AT) {
                Decision::Allow(permit) => Some(permit),
                Decision::Ask(_) | Decision::Deny(_) => None,
            }
        });
        self.keys.sign(&self.key, permit.unwrap(), AT).unwrap()
    }
}
