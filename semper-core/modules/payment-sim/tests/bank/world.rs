//! A bank, a customer with account and purse, a merchant and a third party, over rows in memory.

mod asks;
mod machines;

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use semper_payment_sim::bank::{self, Bank, BankFault, PaymentRow};
use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject, decide},
    archive::{Row, Value},
    crypto::{
        digest::Digest,
        keys::{GenerateKey, KeyPurpose, KeyRef, KeyStore as _, SoftKeys},
        signature::PublicKey,
    },
    evidence::{Signable, SignedBytes, Statement, statement},
    money::{Currency, Money},
    time::{Moment, Span},
};
use semper_transfer::payment::{
    AccountId, MsgId, PaymentOrder, TxId,
    ledger::{self, Audit, Books},
    message::{
        Account, AccountKind, Award, AwardOutcome, Balance, Declined, Freeze, Look, Pay, Query, TxState,
        TxStatement,
    },
    module::BankReply,
};
use zeroize::Zeroizing;

use super::rows::Rows;

const START: Moment = Moment::from_seconds(1_800_000_000);
const POLICY: Subject = Subject::Authority { policy: Digest::from_bytes([9; 32]) };
/// Authorities are not among those who ask a bank what it has recorded.
const OPERATOR: Subject = Subject::Operator { policy: Digest::from_bytes([9; 32]) };

/// Everything there is.
#[derive(Clone)]
pub(crate) struct World {
    keys: Arc<SoftKeys>,
    bank: KeyRef,
    customer: KeyRef,
    merchant: KeyRef,
    arbiter: KeyRef,
    stranger: KeyRef,
    rows: Rows,
    account: AccountId,
    purse: AccountId,
    till: AccountId,
    pub(crate) now: Moment,
    requests: u64,
}

/// One thing that somebody asks of the bank.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Pay(u8, u16),
    Freeze(u8),
    Award(u8, bool),
    Load(u16),
    Unload(u16),
    Wait(u8),
}

impl Arbitrary for Act {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop_oneof![
            4 => (0_u8..6, 0_u16..6000).prop_map(|(n, minor)| Self::Pay(n, minor)),
            1 => (0_u8..6).prop_map(Self::Freeze),
            2 => (0_u8..6, any::<bool>()).prop_map(|(n, refund)| Self::Award(n, refund)),
            1 => (0_u16..9000).prop_map(Self::Load),
            1 => (0_u16..9000).prop_map(Self::Unload),
            1 => any::<u8>().prop_map(Self::Wait),
        ]
        .boxed()
    }
}

pub(crate) fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

pub(crate) fn tx(n: u8) -> TxId {
    TxId::from_bytes([n; 16])
}

fn signed(reply: &BankReply) -> &SignedBytes {
    match reply {
        BankReply::Signed(signed) => signed,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn record(reply: &BankReply) -> TxStatement {
    statement::from_bytes(&signed(reply).tbs).unwrap()
}

pub(crate) fn declined(reply: &BankReply) -> Declined {
    statement::from_bytes(&signed(reply).tbs).unwrap()
}

pub(crate) fn balance(reply: &BankReply) -> Balance {
    statement::from_bytes(&signed(reply).tbs).unwrap()
}

fn key(keys: &mut SoftKeys, purpose: KeyPurpose, seed: u8) -> KeyRef {
    let act = GenerateKey { purpose, deal: None, at: START };
    let facts = Facts { key: Some(purpose), circumstances: &[Circumstance::FirstStart], ..Facts::default() };
    match decide(
        &Subject::User,
        Action::GenerateKey,
        &Object::with(&act, facts),
        None,
        &Limits::default(),
        START,
    ) {
        Decision::Allow(permit) => {
            keys.generate(purpose, &Zeroizing::new([seed; 32]), permit, START).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

impl World {
    /// A customer with XTS 50.00 on the account and XTS 50.00 in the purse, and a merchant with nothing.
    pub(crate) fn new() -> Self {
        let mut keys = SoftKeys::default();
        let bank = key(&mut keys, KeyPurpose::Authority, 1);
        let customer = key(&mut keys, KeyPurpose::Account, 2);
        let merchant = key(&mut keys, KeyPurpose::Account, 3);
        let arbiter = key(&mut keys, KeyPurpose::Authority, 4);
        let stranger = key(&mut keys, KeyPurpose::Authority, 5);
        let nobody = AccountId::from_bytes([0; 16]);
        let mut world = Self {
            keys: Arc::new(keys),
            bank,
            customer,
            merchant,
            arbiter,
            stranger,
            rows: Rows::default(),
            account: nobody,
            purse: nobody,
            till: nobody,
            now: START,
            requests: 0,
        };
        world.account = world.open(customer, AccountKind::Customer, None);
        world.purse = world.open(customer, AccountKind::Purse, Some(world.account));
        world.till = world.open(merchant, AccountKind::Merchant, None);
        world.load("XTS 50.00");
        world
    }

    fn config(&self) -> Bank {
        let arbiter = self.keys.public(&self.arbiter).unwrap();
        Bank {
            kid: self.bank.kid(),
            arbiters: BTreeMap::from([(arbiter.kid(), arbiter)]),
            gift: Some(money("XTS 100.00")),
        }
    }

    fn sign<T: Signable>(&self, key: KeyRef, value: &T) -> SignedBytes {
        let object = Object::of(value);
        let subject = if T::TYPE == Query::TYPE { OPERATOR } else { POLICY };
        match decide(&subject, Action::SignIdentity, &object, None, &Limits::default(), self.now) {
            Decision::Allow(permit) => self.keys.sign(&key, permit, self.now).unwrap().bytes().clone(),
            other => panic!("{other:?}"),
        }
    }

    fn sign_draft(&self, key: KeyRef, tbs: &[u8]) -> SignedBytes {
        fn try_as<T: Signable>(world: &World, key: KeyRef, tbs: &[u8]) -> Option<SignedBytes> {
            statement::from_bytes::<T>(tbs).ok().map(|value| world.sign(key, &value))
        }
        let kind = statement::type_of(tbs).unwrap();
        let signed = match kind.as_str() {
            TxStatement::TYPE => try_as::<TxStatement>(self, key, tbs),
            Declined::TYPE => try_as::<Declined>(self, key, tbs),
            Balance::TYPE => try_as::<Balance>(self, key, tbs),
            Account::TYPE => try_as::<Account>(self, key, tbs),
            Pay::TYPE => try_as::<Pay>(self, key, tbs),
            Query::TYPE => try_as::<Query>(self, key, tbs),
            Freeze::TYPE => try_as::<Freeze>(self, key, tbs),
            Look::TYPE => try_as::<Look>(self, key, tbs),
            Award::TYPE => try_as::<Award>(self, key, tbs),
            _ => None,
        };
        signed.unwrap()
    }

    pub(crate) fn bank_key(&self) -> PublicKey {
        self.keys.public(&self.bank).unwrap()
    }

    pub(crate) fn arbiter_key(&self) -> PublicKey {
        self.keys.public(&self.arbiter).unwrap()
    }

    /// The bank's answer to an order of the third party.
    pub(crate) fn obey(&mut self, tbs: &[u8]) -> Result<BankReply, BankFault> {
        let signed = self.sign_draft(self.arbiter, tbs);
        self.serve(signed)
    }

    /// Whether the merchant has the money of a payment, pending or for good.
    pub(crate) fn is_with_the_merchant(&self, order: &PaymentOrder) -> bool {
        let mut paid = self.rows.payments().filter(|row| row.reference == order.reference);
        paid.any(|row| matches!(row.state, TxState::Credited | TxState::Released))
    }

    fn msg(&mut self) -> MsgId {
        self.requests += 1;
        let [a, b, c, d, e, f, g, h] = self.requests.to_be_bytes();
        MsgId::from_bytes([a, b, c, d, e, f, g, h, 1, 1, 1, 1, 1, 1, 1, 1])
    }

    fn ask<T: Signable>(&mut self, key: KeyRef, value: &T) -> Result<BankReply, BankFault> {
        let signed = self.sign(key, value);
        self.serve(signed)
    }

    fn serve(&mut self, signed: SignedBytes) -> Result<BankReply, BankFault> {
        let (bank, now) = (self.config(), self.now);
        let mut rows = std::mem::take(&mut self.rows);
        let reply = rows
            .serve(&bank, signed, Some(Digest::of(b"holder")), now, |tbs| self.sign_draft(self.bank, tbs));
        self.rows = rows;
        reply
    }

    pub(crate) fn close_windows(&mut self) {
        let due: Vec<PaymentRow> = self.rows.payments().collect();
        for payment in due {
            let head = bank::head_of(self.rows.of("ledger_head")).unwrap();
            if let Ok(booking) = bank::release(&self.config(), &payment, head, self.now) {
                let signed = self.sign_draft(self.bank, booking.draft());
                let (guards, rows, _) = booking.complete(signed);
                self.rows.commit(&guards, &rows);
            }
        }
    }

    pub(crate) fn act(&mut self, act: &Act) {
        let text = |minor: u16| Money::new(minor.into(), Currency::XTS).unwrap().to_string();
        match *act {
            Act::Pay(n, minor) => {
                let order = self.order(&text(minor), n);
                let (msg, now) = (self.msg(), self.now);
                let pay = self.pay_statement(&order, msg, self.customer.kid(), now);
                self.ask(self.customer, &pay).unwrap();
            }
            Act::Freeze(n) => drop(self.freeze(&self.order("XTS 1.00", n)).unwrap()),
            Act::Award(n, refund) => {
                let outcome = if refund { AwardOutcome::Refund } else { AwardOutcome::Release };
                self.award(&self.order("XTS 1.00", n), outcome).unwrap();
            }
            Act::Load(minor) => self.load(&text(minor)),
            Act::Unload(minor) => self.unload(&text(minor)),
            Act::Wait(hours) => {
                self.now = self.now.after(Span::hours(hours.into()));
                self.close_windows();
            }
        }
    }

    fn funds(&self, id: AccountId) -> Money {
        self.rows.account(id).funds().unwrap()
    }

    pub(crate) fn account_funds(&self) -> Money {
        self.funds(self.account)
    }

    pub(crate) fn purse_funds(&self) -> Money {
        self.funds(self.purse)
    }

    pub(crate) fn merchant_funds(&self) -> Money {
        self.funds(self.till)
    }

    pub(crate) fn pending(&self) -> Money {
        self.funds(self.till.uncleared())
    }

    pub(crate) fn total(&self) -> Money {
        [self.account, self.purse, self.till, self.till.uncleared()]
            .into_iter()
            .fold(money("XTS 0.00"), |sum, id| sum.checked_add(self.funds(id)).unwrap())
    }

    pub(crate) fn audit(&self) -> Audit {
        let books = Books {
            accounts: self.rows.of("account").to_vec(),
            entries: self.rows.of("entry").to_vec(),
            postings: self.rows.of("posting").to_vec(),
            head: self.rows.of("ledger_head").first().cloned(),
        };
        let mut audit = ledger::audit(&books).unwrap();
        let bank = self.keys.public(&self.bank).unwrap();
        bank::audit_payments(self.rows.of("payment"), &books, &bank, &mut audit).unwrap();
        audit
    }

    pub(crate) fn rows(&self, table: &str) -> usize {
        self.rows.of(table).len()
    }

    pub(crate) fn change(
        &mut self,
        table: &str,
        index: usize,
        column: &'static str,
        by: i64,
    ) -> Option<String> {
        let row = &mut self.rows.of_mut(table)[index];
        let minor = row.integer(column).ok()? + by;
        *row = row.clone().with(column, minor);
        let key = Rows::key_columns(table)[0];
        Some(match row.get(key).unwrap() {
            Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            Value::Integer(n) => n.to_string(),
            other => format!("{other:?}"),
        })
    }

    pub(crate) fn remove(&mut self, table: &str, index: usize) -> Row {
        self.rows.of_mut(table).remove(index)
    }
}
