//! A payer and a payee with keys of their own, the systems they know, and what each would put on the table.
#![allow(dead_code, reason = "each test takes what it needs")]

use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject, decide},
    crypto::{
        digest::Digest,
        keys::{GenerateKey, KeyPurpose, KeyRef, KeyStore as _, SoftKeys},
        signature::{Kid, PublicKey},
    },
    deal::{Anonymity, DealId, Xid},
    evidence::{Signable, Verified},
    money::Money,
    time::{Moment, Span},
};
use semper_transfer::payment::{
    AccountId, Purse, PurseDelta, PurseId, SysId,
    negotiation::{
        ChoiceKind, ExchangeNeeds, Mode, NegConfirm, NegError, NegId, NegPropose, NegSelect, Nonce,
        PaymentAgreement, Proposer, SystemOffer, confirm, select,
    },
    purse::{PurseArgs, PurseKind, System},
};
use zeroize::Zeroizing;

pub(crate) const START: Moment = Moment::from_seconds(1_800_000_000);
const POLICY: Subject = Subject::Operator { policy: Digest::from_bytes([9; 32]) };

/// The keys of both sides, and of somebody who has no part in it.
#[derive(Debug)]
pub(crate) struct Parties {
    keys: SoftKeys,
    pub(crate) payer: Kid,
    pub(crate) payee: Kid,
    pub(crate) stranger: Kid,
}

/// The three messages of one negotiation that went well.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) propose: Verified<NegPropose>,
    pub(crate) select: Verified<NegSelect>,
    pub(crate) confirm: Verified<NegConfirm>,
}

pub(crate) fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

pub(crate) fn later(seconds: u32) -> Moment {
    START.after(Span::seconds(seconds.into()))
}

pub(crate) fn nonce(n: u8) -> Nonce {
    Nonce::from_bytes([n; 32])
}

pub(crate) fn system(sys: &str, scheme: &str) -> System {
    System { sys: SysId::new(sys).unwrap(), brand: "Semper".into(), scheme: scheme.into() }
}

/// What an exchange may ask for when the third party can undo a payment.
pub(crate) const REVOCABLE: ExchangeNeeds =
    ExchangeNeeds { verifiable: true, revocable: true, generatable: false };

/// An offer of `system` at XTS 12.50, in both modes, to an account that tells it from the others.
pub(crate) fn offer(system: System, account: u8) -> SystemOffer {
    SystemOffer {
        system,
        ver: (1, 0),
        amount: money("XTS 12.50"),
        fee_payer: None,
        modes: vec![Mode::Direct, Mode::Escrow],
        exch: REVOCABLE,
        props_hash: Digest::of(b"descriptor"),
        payee: AccountId::from_bytes([account; 16]),
    }
}

/// A purse of `system` with `funds` in it.
pub(crate) fn purse(n: u8, system: System, funds: &str) -> Purse {
    let funds = money(funds);
    let bank = bank_key();
    let purse = Purse::new(PurseArgs {
        id: PurseId::from_bytes([n; 16]),
        kind: PurseKind::PayOnly,
        name: format!("purse {n}"),
        system,
        version: (1, 3),
        exchange: REVOCABLE,
        anonymity: Anonymity::Pseudonymous,
        bank,
        account: AccountId::from_bytes([n; 16]),
        parent: None,
        key: bank.kid(),
        currency: funds.currency,
        at: START,
    });
    purse.apply(&PurseDelta::Put(funds, Digest::of(b"record"))).unwrap()
}

/// The purse with a change.
pub(crate) fn with(purse: &Purse, change: impl FnOnce(&mut Purse)) -> Purse {
    let mut changed = purse.clone();
    change(&mut changed);
    changed
}

fn bank_key() -> PublicKey {
    let mut keys = SoftKeys::default();
    let key = key(&mut keys, KeyPurpose::Account, 9);
    keys.public(&KeyRef::of(key)).unwrap()
}

fn key(keys: &mut SoftKeys, purpose: KeyPurpose, seed: u8) -> Kid {
    let act = GenerateKey { purpose, deal: None, at: START };
    let facts = Facts { key: Some(purpose), circumstances: &[Circumstance::FirstStart], ..Facts::default() };
    let object = Object::with(&act, facts);
    match decide(&Subject::User, Action::GenerateKey, &object, None, &Limits::default(), START) {
        Decision::Allow(permit) => {
            keys.generate(purpose, &Zeroizing::new([seed; 32]), permit, START).unwrap().kid()
        }
        other => panic!("{other:?}"),
    }
}

impl Parties {
    pub(crate) fn new() -> Self {
        let mut keys = SoftKeys::default();
        let [payer, payee, stranger] = [1, 2, 3].map(|seed| key(&mut keys, KeyPurpose::Deal, seed));
        Self { keys, payer, payee, stranger }
    }

    /// The value under the signature of the key it names.
    pub(crate) fn sign<T: Signable>(&self, value: &T) -> Verified<T> {
        let object = Object::of(value);
        match decide(&POLICY, Action::SignDealKey, &object, None, &Limits::default(), START) {
            Decision::Allow(permit) => self.keys.sign(&KeyRef::of(value.signer()), permit, START).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn public(&self, kid: Kid) -> PublicKey {
        self.keys.public(&KeyRef::of(kid)).unwrap()
    }

    /// The payee's proposal number `n`: three systems, in an exchange, with a third party.
    pub(crate) fn proposal(&self, n: u8) -> NegPropose {
        NegPropose {
            to: self.payer,
            signer: self.payee,
            deal: DealId::from_bytes([n; 32]),
            exch: Some(Xid::from_bytes([n; 32])),
            neg: NegId::from_bytes([n; 16]),
            from: Proposer::Payee,
            ref_text: "Colour management, an introduction".into(),
            item_hash: Digest::of(b"item"),
            amount: money("XTS 12.50"),
            choice: ChoiceKind::Ps,
            arbiter: Some(self.stranger),
            require_anon: Anonymity::Identified,
            require_exch: ExchangeNeeds { verifiable: true, revocable: false, generatable: false },
            systems: vec![
                offer(system("sim", "north"), 21),
                offer(system("sim", "south"), 22),
                offer(system("coin", "north"), 23),
            ],
            valid_until: later(600),
            nonce: nonce(n),
        }
    }

    /// The payer's signed choice among `purses`.
    pub(crate) fn select(&self, propose: &Verified<NegPropose>, purses: &[Purse]) -> Verified<NegSelect> {
        self.sign(&select(propose, purses, START, nonce(50)).unwrap().0)
    }

    /// A whole negotiation about `propose`, by a payer with `purses`.
    pub(crate) fn run(&self, propose: &NegPropose, purses: &[Purse]) -> Run {
        let propose = self.sign(propose);
        let select = self.select(&propose, purses);
        let confirm = self.sign(&confirm(&propose, &select, START, nonce(51)).unwrap());
        Run { propose, select, confirm }
    }
}

impl Run {
    /// What a side makes of the three messages.
    pub(crate) fn agree(&self) -> Result<PaymentAgreement, NegError> {
        PaymentAgreement::new(self.propose.clone(), self.select.clone(), self.confirm.clone(), START)
    }
}
