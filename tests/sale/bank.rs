//! The real bank of `sim` over rows in memory, with a customer, a merchant and a third party.

use std::collections::BTreeMap;

use semper_payment_sim::{
    BRAND, SYS,
    bank::{self, AccountRow, Bank, PaymentRow, Request, Served, Snapshot},
};
use semper_supporting::{
    archive::{Check, Guard, Relation, Row, RowOp, Value},
    crypto::{digest::Digest, keys::KeyPurpose, signature::Signature},
    deal::Anonymity,
    evidence::{Signable, SignedBytes, statement},
    money::{Currency, Money},
    time::Moment,
};
use semper_transfer::payment::{
    AccountId, MsgId, Purse, PurseId, SysId, ledger,
    message::{Account, AccountKind, Balance, Declined, Load, Open, Shift, TxStatement},
    module::BankReply,
    negotiation::ExchangeNeeds,
    purse::{PurseArgs, PurseKind, System},
};

use crate::common::{AT, Hand};

pub(crate) struct Counter {
    pub(crate) hand: Hand,
    pub(crate) payer: Hand,
    pub(crate) payee: Hand,
    arbiter: semper_supporting::crypto::signature::PublicKey,
    tables: BTreeMap<&'static str, Vec<Row>>,
    account: AccountId,
    purse: AccountId,
    till: AccountId,
    requests: u64,
}

impl Counter {
    /// A customer with XTS 50.00 in the purse, and a merchant with nothing.
    pub(crate) fn new(arbiter: semper_supporting::crypto::signature::PublicKey) -> Self {
        let nobody = AccountId::from_bytes([0; 16]);
        let mut counter = Self {
            hand: Hand::new(KeyPurpose::Authority, 11),
            payer: Hand::new(KeyPurpose::Account, 12),
            payee: Hand::new(KeyPurpose::Account, 13),
            arbiter,
            tables: BTreeMap::new(),
            account: nobody,
            purse: nobody,
            till: nobody,
            requests: 0,
        };
        counter.account = counter.open(12, AccountKind::Customer, None);
        counter.purse = counter.open(12, AccountKind::Purse, Some(counter.account));
        counter.till = counter.open(13, AccountKind::Merchant, None);
        let load = Load(Shift {
            to: counter.hand.public().kid(),
            signer: counter.payer.public().kid(),
            msg: counter.msg(),
            from: counter.account,
            into: counter.purse,
            amount: Money::parse("XTS 50.00").unwrap(),
            at: AT,
        });
        let signed = counter.payer.sign(&load).bytes().clone();
        counter.serve(signed, AT);
        counter
    }

    fn row(&self, id: u8, kind: PurseKind, account: AccountId, hand: &Hand) -> Purse {
        Purse::new(PurseArgs {
            id: PurseId::from_bytes([id; 16]),
            kind,
            name: "Purse".into(),
            system: System { sys: SysId::new(SYS).unwrap(), brand: BRAND.into(), scheme: "bank".into() },
            version: (1, 0),
            exchange: ExchangeNeeds { verifiable: true, revocable: true, generatable: false },
            anonymity: Anonymity::Identified,
            bank: self.hand.public(),
            account,
            parent: Some(self.account),
            key: hand.public().kid(),
            currency: Currency::XTS,
            at: AT,
        })
    }

    pub(crate) fn purse(&self) -> Purse {
        let purse = self.row(1, PurseKind::PayOnly, self.purse, &self.payer);
        purse.reconciled(Money::parse("XTS 50.00").unwrap(), AT).unwrap()
    }

    pub(crate) fn till(&self) -> Purse {
        self.row(2, PurseKind::ReceiveOnly, self.till, &self.payee)
    }

    pub(crate) fn in_purse(&self) -> Money {
        self.funds(self.purse)
    }

    pub(crate) fn pending(&self) -> Money {
        self.funds(self.till.uncleared())
    }

    fn funds(&self, id: AccountId) -> Money {
        let row = self.table("account").iter().find(|row| row.get("id") == Some(&id.into())).unwrap();
        AccountRow::from_row(row).unwrap().funds().unwrap()
    }

    fn msg(&mut self) -> MsgId {
        self.requests += 1;
        let [a, b, c, d, e, f, g, h] = self.requests.to_be_bytes();
        MsgId::from_bytes([a, b, c, d, e, f, g, h, 1, 1, 1, 1, 1, 1, 1, 1])
    }

    fn open(&mut self, seed: u8, kind: AccountKind, parent: Option<AccountId>) -> AccountId {
        let hand = Hand::new(KeyPurpose::Account, seed);
        let open = Open {
            to: self.hand.public().kid(),
            signer: hand.public().kid(),
            msg: self.msg(),
            key: hand.public(),
            holder: Digest::of(b"holder"),
            kind,
            currency: Currency::XTS,
            parent,
            at: AT,
        };
        let BankReply::Signed(signed) = self.serve(hand.sign(&open).bytes().clone(), AT) else {
            panic!("not opened")
        };
        statement::from_bytes::<Account>(&signed.tbs).unwrap().account
    }

    fn own(&self, tbs: &[u8]) -> SignedBytes {
        fn of<T: Signable>(hand: &Hand, tbs: &[u8]) -> Option<SignedBytes> {
            Some(hand.sign(&statement::from_bytes::<T>(tbs).ok()?).bytes().clone())
        }
        let hand = &self.hand;
        of::<TxStatement>(hand, tbs)
            .or_else(|| of::<Declined>(hand, tbs))
            .or_else(|| of::<Balance>(hand, tbs))
            .or_else(|| of::<Account>(hand, tbs))
            .unwrap()
    }

    /// What the bank answers.
    pub(crate) fn serve(&mut self, signed: SignedBytes, now: Moment) -> BankReply {
        let Ok(request) = Request::read(signed) else { return BankReply::Refused("stmt.form".into()) };
        let snapshot = self.snapshot(&request);
        let config = Bank {
            kid: self.hand.public().kid(),
            arbiters: BTreeMap::from([(self.arbiter.kid(), self.arbiter)]),
            gift: Some(Money::parse("XTS 100.00").unwrap()),
        };
        match bank::serve(&config, &request, Some(Digest::of(b"holder")), &snapshot, now) {
            Ok(Served::Answer(reply)) => reply,
            Ok(Served::Book(booking)) => {
                let signed = self.own(booking.draft());
                let (guards, rows, reply) = booking.complete(signed);
                self.commit(&guards, &rows);
                reply
            }
            Err(fault) => BankReply::Refused(fault.code().to_owned()),
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
}
