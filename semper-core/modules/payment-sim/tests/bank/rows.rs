//! The tables of a bank as rows in memory, which keep what an archive keeps: guards, keys, and what is unique.

use std::collections::BTreeMap;

use semper_payment_sim::bank::{self, AccountRow, Bank, BankFault, PaymentRow, Request, Served, Snapshot};
use semper_supporting::{
    archive::{Check, Guard, Relation, Row, RowOp, Table, Value},
    crypto::{digest::Digest, signature::Signature},
    evidence::SignedBytes,
    time::Moment,
};
use semper_transfer::payment::{AccountId, ledger, module::BankReply};

/// Every table with its rows, in the order in which they came.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Rows(BTreeMap<&'static str, Vec<Row>>);

fn definition(table: &str) -> &'static Table {
    let mut all = ledger::TABLES.iter().chain(bank::TABLES);
    all.find(|known| known.name == table).unwrap()
}

impl Rows {
    pub(crate) fn of(&self, table: &str) -> &[Row] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn of_mut(&mut self, table: &str) -> &mut Vec<Row> {
        self.0.get_mut(table).unwrap()
    }

    pub(crate) fn payments(&self) -> impl Iterator<Item = PaymentRow> + '_ {
        self.of(bank::PAYMENT.name).iter().map(|row| PaymentRow::from_row(row).unwrap())
    }

    #[allow(dead_code, reason = "the model of an exchange looks at payments only")]
    pub(crate) fn account(&self, id: AccountId) -> AccountRow {
        let row = self.of(ledger::ACCOUNT.name).iter().find(|row| row.get("id") == Some(&id.into()));
        AccountRow::from_row(row.unwrap()).unwrap()
    }

    pub(crate) fn key_columns(table: &str) -> &'static [&'static str] {
        definition(table).key
    }

    /// Serves a request as a bank does: reads what it needs, and commits what it books, signed by `sign`,
    /// before it answers.
    pub(crate) fn serve(
        &mut self,
        bank: &Bank,
        signed: SignedBytes,
        peer: Option<Digest>,
        now: Moment,
        sign: impl FnOnce(&[u8]) -> SignedBytes,
    ) -> Result<BankReply, BankFault> {
        let request = Request::read(signed)?;
        match bank::serve(bank, &request, peer, &self.snapshot(&request), now)? {
            Served::Answer(reply) => Ok(reply),
            Served::Book(booking) => {
                let signed = sign(booking.draft());
                let (guards, rows, reply) = booking.complete(signed);
                self.commit(&guards, &rows);
                Ok(reply)
            }
        }
    }

    fn snapshot(&self, request: &Request) -> Snapshot {
        let needs = request.needs();
        let by = |table: &str, column: &str, value: Value| {
            self.of(table).iter().find(|row| row.get(column) == Some(&value)).cloned()
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
            self.of("reply").iter().find(mine).map(|row| {
                let signature = Signature::from_bytes(row.array("sig").unwrap());
                let answer = SignedBytes { tbs: row.bytes("tbs").unwrap().to_vec(), signature };
                (Digest::from_bytes(row.array("request").unwrap()), answer)
            })
        });
        Snapshot { head: bank::head_of(self.of("ledger_head")).unwrap(), accounts, payment, reply }
    }

    fn position(&self, table: &str, key: &[Value]) -> Option<usize> {
        let columns = Self::key_columns(table);
        let same = |row: &Row| columns.iter().zip(key).all(|(column, value)| row.get(column) == Some(value));
        self.of(table).iter().position(same)
    }

    /// Commits a booking. The bank of a test has one request at a time, so that no guard ever fails.
    pub(crate) fn commit(&mut self, guards: &[Guard], rows: &[RowOp]) {
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
                    assert_eq!(self.position(table, &key_of(table, row)), None, "{table}");
                    self.put(table, row, true);
                }
                RowOp::Put { table, row } => self.put(table, row, true),
                RowOp::Update { table, key, set } => {
                    let at = self.position(table, key).unwrap();
                    let row = &mut self.of_mut(table)[at];
                    for (column, value) in set.columns() {
                        *row = row.clone().with(column, value.clone());
                    }
                }
                RowOp::Add { table, key, column, by } => {
                    let at = self.position(table, key).unwrap();
                    let row = &mut self.of_mut(table)[at];
                    let sum = row.integer(column).unwrap().checked_add(*by).unwrap();
                    *row = row.clone().with(column, sum);
                }
                RowOp::Delete { .. } => panic!("a bank deletes nothing"),
            }
        }
    }

    fn put(&mut self, table: &'static str, row: &Row, replace: bool) {
        let at = self.position(table, &key_of(table, row));
        for columns in definition(table).unique {
            let same = |other: &Row| columns.iter().all(|column| other.get(column) == row.get(column));
            let other = self.of(table).iter().enumerate().find(|(n, other)| Some(*n) != at && same(other));
            assert!(other.is_none(), "{table}: {columns:?} twice");
        }
        let rows = self.0.entry(table).or_default();
        match at {
            Some(at) if replace => rows[at] = row.clone(),
            Some(_) => {}
            None => rows.push(row.clone()),
        }
    }

    fn holds(&self, guard: &Guard) -> bool {
        let row = |key: &[Value]| self.position(guard.table, key).map(|at| &self.of(guard.table)[at]);
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
            Check::None(when) => !self.of(guard.table).iter().any(|row| {
                when.iter().all(|c| c.relation == Relation::Equal && row.get(c.column) == Some(&c.value))
            }),
        }
    }
}

fn key_of(table: &str, row: &Row) -> Vec<Value> {
    Rows::key_columns(table).iter().map(|column| row.get(column).unwrap().clone()).collect()
}
