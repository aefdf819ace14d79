//! A bank, a customer with account and purse, a merchant and a third party, over rows in memory.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use semper_payment_sim::{
    SYS, Sim,
    bank::{self, AccountRow, Bank, BankFault, PaymentRow, Request, Served, Snapshot},
};
use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject, decide},
    archive::{Check, Guard, Relation, Row, RowOp, Value},
    crypto::{
        digest::Digest,
        keys::{GenerateKey, KeyPurpose, KeyRef, KeyStore as _, SoftKeys},
        signature::{Kid, PublicKey, Signature},
    },
    deal::{Anonymity, Xid},
    evidence::{Signable, SignedBytes, Statement, statement},
    money::{Currency, Money},
    time::{Moment, Span},
};
use semper_transfer::payment::{
    AccountId, Modules, MsgId, Op, PayRef, PaymentOrder, Purse, PurseId, Stepped, SysId, Transaction, TxId,
    ledger::{self, Audit, Books},
    message::{
        Account, AccountKind, Award, AwardOutcome, Balance, Close, Declined, Freeze, Load, Look, Open, Pay,
        Query, Shift, TxState, TxStatement, Unload,
    },
    module::{BankReply, Erased, Event, Input, Output},
    negotiation::ExchangeNeeds,
    purse::{PurseArgs, PurseKind, System},
};
use zeroize::Zeroizing;

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
    tables: BTreeMap<&'static str, Vec<Row>>,
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
            tables: BTreeMap::new(),
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
        let rows = self.table("payment").iter().map(|row| PaymentRow::from_row(row).unwrap());
        let mut paid = rows.filter(|row| row.reference == order.reference);
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
        let request = Request::read(signed)?;
        let snapshot = self.snapshot(&request);
        match bank::serve(&self.config(), &request, Some(Digest::of(b"holder")), &snapshot, self.now)? {
            Served::Answer(reply) => Ok(reply),
            Served::Book(booking) => {
                let signed = self.sign_draft(self.bank, booking.draft());
                let (guards, rows, reply) = booking.complete(signed);
                self.commit(&guards, &rows);
                Ok(reply)
            }
        }
    }

    fn snapshot(&self, request: &Request) -> Snapshot {
        let needs = request.needs();
        let by = |table: &str, column: &str, value: Value| {
            self.table(table).iter().find(|row| row.get(column) == Some(&value)).cloned()
        };
        let payment = needs
            .payment
            .and_then(|reference| by("payment", "reference", reference.into()))
            .map(|row| PaymentRow::from_row(&row).unwrap());
        let parties =
            payment.iter().filter_map(|payment| payment.booked.as_ref()).flat_map(|b| [b.payer, b.payee]);
        let wanted: Vec<AccountId> = needs.accounts.iter().copied().chain(parties).collect();
        let accounts = wanted.into_iter().filter_map(|id| by("account", "id", id.into()));
        let accounts =
            accounts.map(|row| AccountRow::from_row(&row).unwrap()).map(|row| (row.id, row)).collect();
        let reply = needs.reply.and_then(|(signer, msg)| {
            let mine = |row: &&Row| {
                row.get("signer") == Some(&signer.into())
                    && row.get("msg") == Some(&Value::from(*msg.as_bytes()))
            };
            self.table("reply").iter().find(mine).map(|row| {
                let signature = Signature::from_bytes(row.array("sig").unwrap());
                let answer = SignedBytes { tbs: row.bytes("tbs").unwrap().to_vec(), signature };
                (Digest::from_bytes(row.array("request").unwrap()), answer)
            })
        });
        Snapshot { head: bank::head_of(self.table("ledger_head")).unwrap(), accounts, payment, reply }
    }

    fn table(&self, name: &str) -> &[Row] {
        self.tables.get(name).map_or(&[], Vec::as_slice)
    }

    fn key_columns(table: &str) -> Vec<&'static str> {
        let all = ledger::TABLES.iter().chain(bank::TABLES);
        all.into_iter().find(|known| known.name == table).unwrap().key.to_vec()
    }

    fn position(&self, table: &str, key: &[Value]) -> Option<usize> {
        let columns = Self::key_columns(table);
        let same = |row: &Row| columns.iter().zip(key).all(|(column, value)| row.get(column) == Some(value));
        self.table(table).iter().position(same)
    }

    fn commit(&mut self, guards: &[Guard], rows: &[RowOp]) {
        // The rows first, as the archive checks guards on accounts of this very transaction: here all of
        // them are there before.
        for op in rows {
            if let RowOp::Ensure { table, row } = op {
                self.put(table, row, false);
            }
            if let RowOp::Insert { table: "account", row } = op {
                self.put("account", row, false);
            }
        }
        for guard in guards {
            assert!(self.holds(guard), "{guard:?}");
        }
        for op in rows {
            match op {
                RowOp::Insert { table: "account", .. } | RowOp::Ensure { .. } => {}
                RowOp::Insert { table, row } => {
                    let key: Vec<Value> = Self::key_columns(table)
                        .iter()
                        .map(|column| row.get(column).unwrap().clone())
                        .collect();
                    assert_eq!(self.position(table, &key), None, "{table}");
                    self.put(table, row, true);
                }
                RowOp::Put { table, row } => self.put(table, row, true),
                RowOp::Update { table, key, set } => {
                    let at = self.position(table, key).unwrap();
                    let rows = self.tables.get_mut(table).unwrap();
                    for (column, value) in set.columns() {
                        rows[at] = rows[at].clone().with(column, value.clone());
                    }
                }
                RowOp::Add { table, key, column, by } => {
                    let at = self.position(table, key).unwrap();
                    let rows = self.tables.get_mut(table).unwrap();
                    let sum = rows[at].integer(column).unwrap().checked_add(*by).unwrap();
                    rows[at] = rows[at].clone().with(column, sum);
                }
                RowOp::Delete { .. } => panic!("a bank deletes nothing"),
            }
        }
    }

    fn put(&mut self, table: &'static str, row: &Row, replace: bool) {
        let key: Vec<Value> =
            Self::key_columns(table).iter().map(|column| row.get(column).unwrap().clone()).collect();
        let at = self.position(table, &key);
        let rows = self.tables.entry(table).or_default();
        match at {
            Some(at) if replace => rows[at] = row.clone(),
            Some(_) => {}
            None => rows.push(row.clone()),
        }
    }

    fn holds(&self, guard: &Guard) -> bool {
        let row = |key: &[Value]| self.position(guard.table, key).map(|at| &self.table(guard.table)[at]);
        match &guard.check {
            Check::Absent(key) => row(key).is_none(),
            Check::Present(key) => row(key).is_some(),
            Check::Equals { key, column, value } => match row(key) {
                Some(row) => row.get(column) == Some(value),
                None => guard.table == "ledger_head" && *value == Value::Integer(0),
            },
            Check::AtLeast { key, column, least } => {
                row(key).is_some_and(|row| row.integer(column).unwrap() >= *least)
            }
            Check::AtMost { key, column, most } => {
                row(key).is_some_and(|row| row.integer(column).unwrap() <= *most)
            }
            Check::None(when) => !self.table(guard.table).iter().any(|row| {
                when.iter().all(|c| c.relation == Relation::Equal && row.get(c.column) == Some(&c.value))
            }),
        }
    }

    fn open(&mut self, owner: KeyRef, kind: AccountKind, parent: Option<AccountId>) -> AccountId {
        let public = self.keys.public(&owner).unwrap();
        let open = Open {
            to: self.bank.kid(),
            signer: owner.kid(),
            msg: self.msg(),
            key: public,
            holder: Digest::of(b"holder"),
            kind,
            currency: Currency::XTS,
            parent,
            at: self.now,
        };
        let reply = self.ask(owner, &open).unwrap();
        statement::from_bytes::<Account>(&signed(&reply).tbs).unwrap().account
    }

    fn shift(&mut self, from: AccountId, into: AccountId, amount: Money) -> Shift {
        Shift {
            to: self.bank.kid(),
            signer: self.customer.kid(),
            msg: self.msg(),
            from,
            into,
            amount,
            at: self.now,
        }
    }

    pub(crate) fn load(&mut self, amount: &str) {
        let load = Load(self.shift(self.account, self.purse, money(amount)));
        self.ask(self.customer, &load).unwrap();
    }

    pub(crate) fn unload(&mut self, amount: &str) {
        let unload = Unload(self.shift(self.purse, self.account, money(amount)));
        self.ask(self.customer, &unload).unwrap();
    }

    pub(crate) fn close(&mut self) -> Result<BankReply, BankFault> {
        let (to, signer) = (self.bank.kid(), self.customer.kid());
        let close = Close { to, signer, msg: self.msg(), account: self.purse, at: self.now };
        self.ask(self.customer, &close)
    }

    pub(crate) fn order(&self, amount: &str, n: u8) -> PaymentOrder {
        PaymentOrder {
            reference: PayRef::from_bytes([n; 32]),
            exch: Some(Xid::from_bytes([n; 32])),
            payee: self.till,
            amount: money(amount),
            arbiter: Some(self.arbiter.kid()),
            until: Some(START.after(Span::days(4))),
        }
    }

    fn pay_statement(&self, order: &PaymentOrder, msg: MsgId, signer: Kid, at: Moment) -> Pay {
        Pay {
            to: self.bank.kid(),
            signer,
            msg,
            from: self.purse,
            payee: order.payee,
            amount: order.amount,
            reference: order.reference,
            exch: order.exch,
            arbiter: order.arbiter,
            until: order.until,
            at,
        }
    }

    pub(crate) fn pay(&mut self, order: &PaymentOrder) -> Result<BankReply, BankFault> {
        let [n, ..] = *order.reference.as_bytes();
        self.pay_as(order, n)
    }

    pub(crate) fn pay_as(&mut self, order: &PaymentOrder, n: u8) -> Result<BankReply, BankFault> {
        let pay =
            self.pay_statement(order, MsgId::from_bytes([n; 16]), self.customer.kid(), START.max(self.now));
        self.ask(self.customer, &pay)
    }

    pub(crate) fn pay_with_a_forged_signature(
        &mut self,
        order: &PaymentOrder,
    ) -> Result<BankReply, BankFault> {
        let [n, ..] = *order.reference.as_bytes();
        let pay =
            self.pay_statement(order, MsgId::from_bytes([n; 16]), self.customer.kid(), START.max(self.now));
        let signed = self.sign(self.customer, &pay);
        self.serve(SignedBytes { signature: Signature::from_bytes([7; 64]), ..signed })
    }

    /// The merchant asks what became of a payment.
    pub(crate) fn query(&mut self, order: &PaymentOrder) -> Result<BankReply, BankFault> {
        let (to, signer, msg) = (self.bank.kid(), self.merchant.kid(), self.msg());
        let query =
            Query { to, signer, msg, account: Some(self.till), reference: order.reference, at: self.now };
        self.ask(self.merchant, &query)
    }

    pub(crate) fn pay_with_another_key(&mut self, order: &PaymentOrder) -> Result<BankReply, BankFault> {
        let msg = self.msg();
        let pay = self.pay_statement(order, msg, self.merchant.kid(), self.now);
        self.ask(self.merchant, &pay)
    }

    pub(crate) fn pay_dated(&mut self, order: &PaymentOrder, at: Moment) -> Result<BankReply, BankFault> {
        let msg = self.msg();
        let pay = self.pay_statement(order, msg, self.customer.kid(), at);
        self.ask(self.customer, &pay)
    }

    fn freeze_by(&mut self, order: &PaymentOrder, key: KeyRef) -> Result<BankReply, BankFault> {
        let (to, exch) = (self.bank.kid(), order.exch.unwrap());
        self.ask(key, &Freeze { to, signer: key.kid(), reference: order.reference, exch })
    }

    pub(crate) fn freeze(&mut self, order: &PaymentOrder) -> Result<BankReply, BankFault> {
        self.freeze_by(order, self.arbiter)
    }

    pub(crate) fn freeze_as_stranger(&mut self, order: &PaymentOrder) -> Result<BankReply, BankFault> {
        self.freeze_by(order, self.stranger)
    }

    pub(crate) fn query_as_stranger(&mut self, order: &PaymentOrder) -> Result<BankReply, BankFault> {
        let (to, signer, msg) = (self.bank.kid(), self.stranger.kid(), self.msg());
        let query =
            Query { to, signer, msg, account: Some(self.purse), reference: order.reference, at: self.now };
        self.ask(self.stranger, &query)
    }

    pub(crate) fn award(
        &mut self,
        order: &PaymentOrder,
        outcome: AwardOutcome,
    ) -> Result<BankReply, BankFault> {
        let case = Digest::from_bytes(*order.exch.unwrap().as_bytes());
        let (to, signer) = (self.bank.kid(), self.arbiter.kid());
        self.ask(self.arbiter, &Award { to, signer, case, reference: order.reference, outcome, reason: None })
    }

    pub(crate) fn close_windows(&mut self) {
        let due: Vec<PaymentRow> =
            self.table("payment").iter().map(|row| PaymentRow::from_row(row).unwrap()).collect();
        for payment in due {
            let head = bank::head_of(self.table("ledger_head")).unwrap();
            if let Ok(booking) = bank::release(&self.config(), &payment, head, self.now) {
                let signed = self.sign_draft(self.bank, booking.draft());
                let (guards, rows, _) = booking.complete(signed);
                self.commit(&guards, &rows);
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
        let row = self.table("account").iter().find(|row| row.get("id") == Some(&id.into())).unwrap();
        AccountRow::from_row(row).unwrap().funds().unwrap()
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
            accounts: self.table("account").to_vec(),
            entries: self.table("entry").to_vec(),
            postings: self.table("posting").to_vec(),
            head: self.table("ledger_head").first().cloned(),
        };
        let mut audit = ledger::audit(&books).unwrap();
        let bank = self.keys.public(&self.bank).unwrap();
        bank::audit_payments(self.table("payment"), &books, &bank, &mut audit).unwrap();
        audit
    }

    pub(crate) fn rows(&self, table: &str) -> usize {
        self.table(table).len()
    }

    pub(crate) fn change(
        &mut self,
        table: &str,
        index: usize,
        column: &'static str,
        by: i64,
    ) -> Option<String> {
        let row = &mut self.tables.get_mut(table).unwrap()[index];
        let minor = row.integer(column).ok()? + by;
        *row = row.clone().with(column, minor);
        let key = Self::key_columns(table)[0];
        Some(match row.get(key).unwrap() {
            Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            Value::Integer(n) => n.to_string(),
            other => format!("{other:?}"),
        })
    }

    pub(crate) fn remove(&mut self, table: &str, index: usize) -> Row {
        self.tables.get_mut(table).unwrap().remove(index)
    }

    fn modules() -> Modules {
        let mut modules = Modules::default();
        modules.attach(Arc::new(Erased(Sim))).unwrap();
        modules
    }

    /// Begins an operation with a purse of XTS 50.00 at the customer's side.
    pub(crate) fn start(&self, op: Op) -> (Transaction, Purse) {
        let system = System { sys: SysId::new(SYS).unwrap(), brand: "sim".into(), scheme: "bank".into() };
        let purse = Purse::new(PurseArgs {
            id: PurseId::from_bytes([1; 16]),
            kind: PurseKind::PayOnly,
            name: "Purse".into(),
            system,
            version: (1, 0),
            exchange: ExchangeNeeds { verifiable: true, revocable: true, generatable: false },
            anonymity: Anonymity::Identified,
            bank: self.keys.public(&self.bank).unwrap(),
            account: self.purse,
            parent: Some(self.account),
            key: self.customer.kid(),
            currency: Currency::XTS,
            at: START,
        });
        let purse = purse.reconciled(money("XTS 50.00"), START).unwrap();
        let sys = SysId::new(SYS).unwrap();
        let stepped = Self::modules().start(tx(1), &sys, Some(&purse), op, self.now).unwrap();
        (stepped.transaction, stepped.purse.unwrap())
    }

    pub(crate) fn step(&self, transaction: &Transaction, purse: &Purse, event: Event) -> Stepped {
        Self::modules().step(transaction, Some(purse), Input { now: self.now, event }).unwrap()
    }

    pub(crate) fn silence(&self, transaction: &Transaction, purse: &Purse) -> (Transaction, Purse) {
        let stepped = self.step(transaction, purse, Event::Unreachable);
        (stepped.transaction, stepped.purse.unwrap())
    }

    pub(crate) fn give(
        &self,
        transaction: &Transaction,
        purse: &Purse,
        reply: BankReply,
    ) -> (Transaction, Purse) {
        let stepped = self.step(transaction, purse, Event::Bank(reply));
        (stepped.transaction, stepped.purse.unwrap())
    }

    /// Lets the bank answer what the machine asks again when it is woken.
    pub(crate) fn answer(&mut self, transaction: &Transaction, purse: &Purse) -> (Transaction, Purse) {
        let stepped = self.step(transaction, purse, Event::Timer);
        let asked = stepped.outputs.iter().find_map(|output| match output {
            Output::ToBank { tbs, .. } => Some(tbs.clone()),
            _ => None,
        });
        let signed = self.sign_draft(self.customer, &asked.unwrap());
        let reply = self.serve(signed).unwrap();
        let stepped = self.step(&stepped.transaction, &stepped.purse.unwrap(), Event::Bank(reply));
        (stepped.transaction, stepped.purse.unwrap())
    }
}
