//! What the key store promises, with statements made for the purpose.

use super::*;
use crate::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject, decide},
    crypto::{digest::Digest, signature::KeyPair},
    tinguin::{MintedBy, Rule},
};

const OPERATOR: Subject = Subject::Operator { policy: Digest::from_bytes([9; 32]) };
const NOW: Moment = Moment::from_seconds(1_800_000_000);

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Order {
    text: String,
    signer: Kid,
}

impl Statement for Order {
    const TYPE: &'static str = "order";
}

impl Signable for Order {
    fn signer(&self) -> Kid {
        self.signer
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Head {
    seq: u64,
    signer: Kid,
}

impl Statement for Head {
    const TYPE: &'static str = "journal-head";
}

impl Signable for Head {
    fn signer(&self) -> Kid {
        self.signer
    }
}

fn allowed<T: Statement>(action: Action, statement: &T, facts: Facts<'_>) -> Permit<T> {
    match decide(&OPERATOR, action, &Object::with(statement, facts), None, &Limits::default(), NOW) {
        Decision::Allow(permit) => permit,
        other => panic!("{other:?}"),
    }
}

fn store(purpose: KeyPurpose) -> (SoftKeys, KeyRef) {
    let mut keys = SoftKeys::new();
    let act = GenerateKey { purpose, deal: None, at: NOW };
    let facts = Facts { key: Some(purpose), circumstances: &[Circumstance::FirstStart], ..Facts::default() };
    let permit = allowed(Action::GenerateKey, &act, facts);
    let key = keys.generate(purpose, &Zeroizing::new([7; 32]), permit, NOW).unwrap();
    (keys, key)
}

fn order(signer: Kid) -> Permit<Order> {
    let order = Order { text: "two books".to_owned(), signer };
    allowed(Action::SignIdentity, &order, Facts::default())
}

#[test]
fn a_permit_signs_exactly_its_bytes_and_says_who_allowed_it() {
    let (keys, key) = store(KeyPurpose::Authority);
    let permit = order(key.kid());
    let (digest, by) = (permit.digest(), permit.minted_by());
    let signed = keys.sign(&key, permit, NOW).unwrap();
    assert_eq!(signed.digest(), digest);
    assert_eq!(signed.signer(), key.kid());
    assert_eq!(signed.text, "two books");
    assert_eq!(by, MintedBy::Rule(Rule::Policy { policy: Digest::from_bytes([9; 32]) }));
    let public = keys.public(&key).unwrap();
    assert_eq!(public.verify(&signed.bytes().tbs, &signed.bytes().signature), Ok(()));
}

#[test]
fn a_permit_is_worth_nothing_after_thirty_seconds_or_before_it_was_minted() {
    use crate::time::Span;
    let (keys, key) = store(KeyPurpose::Authority);
    let last = NOW.after(Span::millis(29_999));
    assert!(keys.sign(&key, order(key.kid()), last).is_ok());
    for at in [NOW.after(Span::seconds(30)), NOW.before(Span::millis(1))] {
        assert_eq!(keys.sign(&key, order(key.kid()), at), Err(KeyError::Permit(PermitError::Expired)));
    }
}

#[test]
fn a_key_signs_only_what_names_it_as_signer() {
    let (keys, key) = store(KeyPurpose::Authority);
    let named = Kid::from_bytes([1; 32]);
    let refused = keys.sign(&key, order(named), NOW);
    assert_eq!(refused, Err(KeyError::Signer { named, key: key.kid() }));
    assert_eq!(refused.unwrap_err().code(), "stmt.signer");
}

#[test]
fn a_key_does_nothing_but_its_purpose() {
    for purpose in KeyPurpose::ALL {
        let (keys, key) = store(purpose);
        let head = Head { seq: 1, signer: key.kid() };
        let signs_order = keys.sign(&key, order(key.kid()), NOW).is_ok();
        let head = allowed(Action::KeepJournal, &head, Facts::default());
        let signs_head = keys.sign(&key, head, NOW).is_ok();
        let authenticates = keys.tls_key(&key).is_ok();
        let expected = match purpose {
            KeyPurpose::Sign => (true, false, false),
            KeyPurpose::Auth => (false, false, true),
            KeyPurpose::Deal | KeyPurpose::Authority => (true, false, true),
            KeyPurpose::Account => (false, false, false),
            KeyPurpose::Journal => (false, true, false),
        };
        assert_eq!((signs_order, signs_head, authenticates), expected, "{purpose:?}");
    }
    let (keys, key) = store(KeyPurpose::Auth);
    assert_eq!(keys.sign(&key, order(key.kid()), NOW).unwrap_err().code(), "key.wrong-purpose");
}

/// Two candidates for `check` unless `T` is not signable: this compiles only while acts are not.
trait NotSignable<Candidate> {
    fn check() {}
}

impl<T> NotSignable<()> for T {}
impl<T: Signable> NotSignable<u8> for T {}

#[test]
fn acts_cannot_be_signed() {
    <GenerateKey as NotSignable<_>>::check();
    <DestroyKey as NotSignable<_>>::check();
}

#[test]
fn no_key_signs_the_text_of_an_act_and_accounts_sign_about_money_only() {
    for purpose in KeyPurpose::ALL {
        assert!(!purpose.signs("act/pay") && !purpose.signs("made-up"), "{purpose:?}");
    }
    assert!(KeyPurpose::Account.signs("pay/order") && !KeyPurpose::Account.signs("pay/acct"));
    assert!(!KeyPurpose::Account.signs("order") && !KeyPurpose::Deal.signs("rollover"));
    assert!(!KeyPurpose::Sign.signs("t/decision") && KeyPurpose::Authority.signs("t/decision"));
}

#[test]
fn a_permit_to_make_or_destroy_one_key_is_none_for_another() {
    let mut keys = SoftKeys::new();
    let act = GenerateKey { purpose: KeyPurpose::Deal, deal: None, at: NOW };
    let facts = || Facts { circumstances: &[Circumstance::FirstStart], ..Facts::default() };
    let permit = allowed(Action::GenerateKey, &act, facts());
    let seed = Zeroizing::new([7; 32]);
    let refused = keys.generate(KeyPurpose::Authority, &seed, permit, NOW);
    assert_eq!(refused, Err(KeyError::Permit(PermitError::WrongObject)));
    let key =
        keys.generate(KeyPurpose::Deal, &seed, allowed(Action::GenerateKey, &act, facts()), NOW).unwrap();
    let again = keys.generate(KeyPurpose::Deal, &seed, allowed(Action::GenerateKey, &act, facts()), NOW);
    assert_eq!(again, Err(KeyError::Exists(key.kid())));

    let other = KeyRef::of(Kid::from_bytes([1; 32]));
    let mint =
        |key| Permit::mint(&DestroyKey { key, at: NOW }, None, MintedBy::Rule(Rule::Table), NOW).unwrap();
    assert_eq!(keys.destroy(&key, mint(other), NOW), Err(KeyError::Permit(PermitError::WrongObject)));
    assert_eq!(keys.destroy(&key, mint(key), NOW), Ok(()));
    assert_eq!(keys.public(&key), Err(KeyError::Unknown(key.kid())));
}

#[test]
fn a_wrapped_key_comes_back_only_whole_and_under_its_wrapping_key() {
    let (keys, key) = store(KeyPurpose::Sign);
    let wrapping = Zeroizing::new([3; 32]);
    let wrapped = keys.export_wrapped(&key, &wrapping, [5; 24]).unwrap();
    let mut empty = SoftKeys::new();
    assert_eq!(empty.import_wrapped(&wrapped, &wrapping), Ok(key));
    assert_eq!(empty.purpose(&key), Ok(KeyPurpose::Sign));
    assert!(empty.sign(&key, order(key.kid()), NOW).is_ok());

    let mut empty = SoftKeys::new();
    let mut refuse = |wrapped: &WrappedKey, wrapping: &Zeroizing<[u8; 32]>| {
        assert_eq!(empty.import_wrapped(wrapped, wrapping), Err(KeyError::Wrapped));
    };
    refuse(&wrapped, &Zeroizing::new([4; 32]));
    refuse(&WrappedKey { purpose: KeyPurpose::Authority, ..wrapped.clone() }, &wrapping);
    refuse(&WrappedKey { key: KeyRef::of(Kid::from_bytes([1; 32])), ..wrapped.clone() }, &wrapping);
    refuse(&WrappedKey { nonce: [6; 24], ..wrapped.clone() }, &wrapping);
    refuse(&WrappedKey { sealed: Vec::new(), ..wrapped.clone() }, &wrapping);
    for at in 0..wrapped.sealed.len() {
        let mut changed = wrapped.clone();
        changed.sealed[at] ^= 1;
        refuse(&changed, &wrapping);
    }
}

#[test]
fn nothing_secret_is_printed() {
    let (keys, key) = store(KeyPurpose::Sign);
    let text = format!("{keys:?} {key:?} {:?}", order(key.kid()));
    assert!(!text.contains("07070707") && !text.contains("[7, 7"), "{text}");
    assert!(!text.contains("two books"), "{text}");
    assert_eq!(KeyPair::from_seed(&[7; 32]).public().kid(), key.kid());
}

#[test]
fn keys_ask_for_certificates_only_as_the_permit_says() {
    let (keys, key) = store(KeyPurpose::Auth);
    let asked = |kid: Kid| CertificateRequest {
        root: Digest::of(b"root"),
        kind: crate::registration::record::Kind::Person,
        names: crate::registration::record::Names {
            name: "Ada Weber".into(),
            organisation: None,
            city: Some("Darmstadt".into()),
            country: Some("DE".into()),
        },
        keys: vec![kid],
        at: NOW,
    };
    let facts = || Facts { circumstances: &[Circumstance::FirstStart], ..Facts::default() };
    let permit = allowed(Action::Register, &asked(key.kid()), facts());
    let requests = keys.requests(permit, NOW).unwrap();
    let proven: Vec<_> = requests.iter().map(|one| crate::certificate::request::check(one)).collect();
    assert_eq!(proven, [Ok(keys.public(&key).unwrap())]);

    let late = allowed(Action::Register, &asked(key.kid()), facts());
    assert!(matches!(
        keys.requests(late, NOW.after(crate::time::Span::minutes(1))),
        Err(KeyError::Permit(_))
    ));
    let stranger = KeyPair::from_seed(&[8; 32]).public().kid();
    let permit = allowed(Action::Register, &asked(stranger), facts());
    assert_eq!(keys.requests(permit, NOW), Err(KeyError::Unknown(stranger)));
    let (journal, head) = store(KeyPurpose::Journal);
    let permit = allowed(Action::Register, &asked(head.kid()), facts());
    assert!(matches!(journal.requests(permit, NOW), Err(KeyError::WrongPurpose { .. })));
}

#[test]
fn only_the_key_of_a_deal_vouches_for_itself() {
    let serial = Serial::from_random([1; 16]);
    let (keys, key) = store(KeyPurpose::Deal);
    let made = keys.anonymous(&key, serial, NOW).unwrap();
    assert_eq!(crate::certificate::inspect(&made).map(|found| found.key), Ok(keys.public(&key).unwrap()));
    for purpose in KeyPurpose::ALL.into_iter().filter(|purpose| *purpose != KeyPurpose::Deal) {
        let (keys, key) = store(purpose);
        assert!(matches!(keys.anonymous(&key, serial, NOW), Err(KeyError::WrongPurpose { .. })));
    }
}
