//! Double-entry bookkeeping of a bank: accounts, entries, postings, and the proof that no cent is missing.
//!
//! A positive posting is a debit, a negative one a credit; every entry sums to nothing per currency. What
//! people are shown of a liability account are its funds, the negative of its balance. Entries form a hash
//! chain, so that a history that was rewritten is noticed; the balance of an account is kept beside its
//! postings and can always be computed from them again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use semper_supporting::{
    archive::{Column, Guard, Row, RowOp, StoreError, Table, Value},
    crypto::digest::Digest,
    money::{Currency, MAX, Money, MoneyError},
    time::Moment,
};

use super::id::{AccountId, PayRef, derive};

/// The accounts of a bank.
pub const ACCOUNT: Table = Table {
    name: "account",
    columns: &[
        Column::bytes("id"),
        Column::text("kind"),
        Column::text("currency"),
        Column::bytes("key").optional(),
        Column::bytes("holder").optional(),
        Column::bytes("parent").optional(),
        Column::text("state"),
        Column::integer("balance_minor"),
        Column::integer("opened_s"),
    ],
    key: &["id"],
    unique: &[],
    indexes: &[&["holder"]],
};

/// The entries of the ledger.
pub const ENTRY: Table = Table {
    name: "entry",
    columns: &[
        Column::integer("seq"),
        Column::integer("at_s"),
        Column::text("event"),
        Column::bytes("cause"),
        Column::bytes("reference").optional(),
        Column::bytes("prev"),
        Column::bytes("hash"),
    ],
    key: &["seq"],
    unique: &[&["event", "cause"]],
    indexes: &[&["reference"]],
};

/// The postings of the entries.
pub const POSTING: Table = Table {
    name: "posting",
    columns: &[
        Column::integer("seq"),
        Column::integer("n"),
        Column::bytes("account"),
        Column::text("currency"),
        Column::integer("amount_minor"),
    ],
    key: &["seq", "n"],
    unique: &[],
    indexes: &[&["account"]],
};

/// The end of the ledger: one row.
pub const HEAD: Table = Table {
    name: "ledger_head",
    columns: &[Column::integer("id"), Column::integer("seq"), Column::bytes("hash")],
    key: &["id"],
    unique: &[],
    indexes: &[],
};

/// All tables of the ledger.
pub const TABLES: &[Table] = &[ACCOUNT, ENTRY, POSTING, HEAD];

/// What kind of account it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Kind {
    /// Money the bank holds elsewhere, `asset:nostro`.
    Nostro,
    /// What the bank owes a customer, on the account or in a purse, `liab:cust`.
    Customer,
    /// What the bank owes a merchant, `liab:merch`.
    Merchant,
    /// What a merchant was credited and can still be ordered back, `liab:merch-uncleared`.
    Uncleared,
}

/// What an entry records.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Event {
    /// Money came in from outside.
    Fund,
    /// Between an account and a purse of one holder.
    Shift,
    /// A payment was credited.
    Pay,
    /// The window of a payment ended, or its third party released it.
    Release,
    /// A payment was ordered back.
    Refund,
}

/// One line of an entry.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Posting {
    /// The account.
    pub account: AccountId,
    /// Minor units: positive a debit, negative a credit, never nothing.
    pub amount: i64,
}

/// An entry that is to be posted: one movement in one currency.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Entry {
    event: Event,
    cause: Digest,
    reference: Option<PayRef>,
    currency: Currency,
    postings: Vec<Posting>,
    at: Moment,
}

/// The end of the ledger.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LedgerHead {
    /// The number of the last entry; 0 before the first.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
}

/// Something in the books that cannot be.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// The table.
    pub table: String,
    /// The row, as its key in hexadecimal or as a number.
    pub row: String,
    /// What is wrong with it.
    pub what: String,
}

impl Kind {
    /// Its word in the table and in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nostro => "asset:nostro",
            Self::Customer => "liab:cust",
            Self::Merchant => "liab:merch",
            Self::Uncleared => "liab:merch-uncleared",
        }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Nostro, Self::Customer, Self::Merchant, Self::Uncleared]
            .into_iter()
            .find(|kind| kind.word() == word)
    }

    /// Whether its funds may never be below nothing.
    pub const fn is_liability(self) -> bool {
        !matches!(self, Self::Nostro)
    }
}

impl Event {
    /// Its word in the table and in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fund => "fund",
            Self::Shift => "shift",
            Self::Pay => "pay",
            Self::Release => "release",
            Self::Refund => "refund",
        }
    }
}

impl AccountId {
    /// The bank's own account of money held elsewhere, in `currency`.
    pub fn nostro(currency: Currency) -> Self {
        Self::of(&derive("acct.nostro", &[currency.code().as_bytes()]))
    }

    /// The account of what merchant account `self` was credited and can still be ordered back.
    pub fn uncleared(&self) -> Self {
        Self::of(&derive("acct.uncleared", &[self.as_bytes()]))
    }
}

impl From<AccountId> for Value {
    fn from(id: AccountId) -> Self {
        Self::Bytes(id.as_bytes().to_vec())
    }
}

impl From<PayRef> for Value {
    fn from(reference: PayRef) -> Self {
        Self::Bytes(reference.as_bytes().to_vec())
    }
}

impl LedgerHead {
    /// The head of a ledger without entries.
    pub const EMPTY: Self = Self { seq: 0, hash: Digest::from_bytes([0; 32]) };

    /// The row of a new ledger.
    pub fn first_row() -> RowOp {
        RowOp::ensure(HEAD.name, Self::EMPTY.row())
    }

    fn row(self) -> Row {
        Row::new().with("id", 0_i64).with("seq", Value::count(self.seq)).with("hash", self.hash)
    }

    /// Reads the row.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and its kin for a row of another form.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { seq: row.count("seq")?, hash: Digest::from_bytes(row.array("hash")?) })
    }
}

impl Entry {
    /// Moves `money` out of `from` into `into`: the one form of entry this ledger has.
    ///
    /// # Errors
    /// [`MoneyError::Underflow`] for nothing.
    pub fn moving(
        event: Event,
        cause: Digest,
        reference: Option<PayRef>,
        money: Money,
        from: AccountId,
        into: AccountId,
        at: Moment,
    ) -> Result<Self, MoneyError> {
        let amount = i64::try_from(money.minor()).map_err(|_| MoneyError::Overflow)?;
        if amount == 0 || from == into {
            return Err(MoneyError::Underflow);
        }
        let postings = vec![Posting { account: from, amount }, Posting { account: into, amount: -amount }];
        Ok(Self { event, cause, reference, currency: money.currency, postings, at: at.whole_seconds() })
    }

    /// The hash of this entry as number `seq` after `prev`.
    pub fn hash(&self, seq: u64, prev: &Digest) -> Digest {
        let reference = self.reference.map(|reference| reference.as_bytes().to_vec()).unwrap_or_default();
        let mut parts: Vec<Vec<u8>> = vec![
            prev.as_bytes().to_vec(),
            seq.to_be_bytes().to_vec(),
            self.at.seconds().to_be_bytes().to_vec(),
            self.event.word().into(),
            self.cause.as_bytes().to_vec(),
            reference,
            self.currency.code().into(),
        ];
        for posting in &self.postings {
            parts.push(posting.account.as_bytes().to_vec());
            parts.push(posting.amount.to_be_bytes().to_vec());
        }
        derive("entry", &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// What posting this entry after `head` changes, under the guards that make it right: the head is still
    /// that one, and no liability account goes below nothing.
    ///
    /// `kinds` names the kind of every account of the entry.
    ///
    /// # Errors
    /// [`MoneyError::Underflow`] if the entry does not sum to nothing.
    pub fn post(
        &self,
        head: LedgerHead,
        kinds: impl Fn(AccountId) -> Kind,
    ) -> Result<(Vec<Guard>, Vec<RowOp>, LedgerHead), MoneyError> {
        let sum: i128 = self.postings.iter().map(|posting| i128::from(posting.amount)).sum();
        if sum != 0 {
            return Err(MoneyError::Underflow);
        }
        let seq = head.seq.checked_add(1).ok_or(MoneyError::Overflow)?;
        let next = LedgerHead { seq, hash: self.hash(seq, &head.hash) };
        let mut guards =
            vec![Guard::equals("pay.busy", HEAD.name, [Value::Integer(0)], "seq", Value::count(head.seq))];
        let mut rows = vec![
            RowOp::insert(
                ENTRY.name,
                Row::new()
                    .with("seq", Value::count(seq))
                    .with("at_s", Value::seconds(self.at))
                    .with("event", self.event.word())
                    .with("cause", self.cause)
                    .with("reference", self.reference)
                    .with("prev", head.hash)
                    .with("hash", next.hash),
            ),
            RowOp::put(HEAD.name, next.row()),
        ];
        for (n, posting) in (0_i64..).zip(&self.postings) {
            rows.push(RowOp::insert(
                POSTING.name,
                Row::new()
                    .with("seq", Value::count(seq))
                    .with("n", n)
                    .with("account", posting.account)
                    .with("currency", self.currency.code())
                    .with("amount_minor", posting.amount),
            ));
            rows.push(RowOp::Add {
                table: ACCOUNT.name,
                key: vec![posting.account.into()],
                column: "balance_minor",
                by: posting.amount,
            });
            if kinds(posting.account).is_liability() && posting.amount > 0 {
                let most = posting.amount.checked_neg().ok_or(MoneyError::Overflow)?;
                guards.push(Guard::at_most(
                    "purse.insufficient",
                    ACCOUNT.name,
                    [Value::from(posting.account)],
                    "balance_minor",
                    most,
                ));
            }
        }
        Ok((guards, rows, next))
    }
}

/// A movement of money that is about to be booked, as the log of a bank shows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Movement {
    /// The account it leaves.
    pub from: AccountId,
    /// The account it reaches.
    pub into: AccountId,
    /// How much.
    pub money: Money,
}

impl Movement {
    /// The movements that [`Entry::post`] put into these rows, in order.
    pub fn among(rows: &[RowOp]) -> Vec<Self> {
        let postings: Vec<(AccountId, i64, Currency)> = rows.iter().filter_map(posted).collect();
        let pairs = postings.chunks_exact(2).filter_map(|pair| match pair {
            [(from, amount, currency), (into, _, _)] => {
                let money = Money::new(u64::try_from(*amount).ok()?, *currency).ok()?;
                Some(Self { from: *from, into: *into, money })
            }
            _ => None,
        });
        pairs.collect()
    }
}

/// A posting that is inserted.
fn posted(op: &RowOp) -> Option<(AccountId, i64, Currency)> {
    let RowOp::Insert { table, row } = op else { return None };
    if *table != POSTING.name {
        return None;
    }
    let account = AccountId::from_bytes(row.array("account").ok()?);
    let currency = Currency::parse(row.text("currency").ok()?).ok()?;
    Some((account, row.integer("amount_minor").ok()?, currency))
}

/// Everything the books hold, as far as money is concerned.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// The rows of [`ACCOUNT`].
    pub accounts: Vec<Row>,
    /// The rows of [`ENTRY`], by number.
    pub entries: Vec<Row>,
    /// The rows of [`POSTING`], by number and place.
    pub postings: Vec<Row>,
    /// The row of [`HEAD`].
    pub head: Option<Row>,
}

/// What an audit computed.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Audit {
    /// How many accounts there are.
    pub accounts: u64,
    /// How many entries there are.
    pub entries: u64,
    /// Per currency: what came in from outside, and is owed to people, in minor units.
    pub totals: BTreeMap<String, i64>,
    /// What cannot be.
    pub findings: Vec<Finding>,
}

/// Proves from the rows alone that every entry sums to nothing, that every balance is the sum of its
/// postings, that no liability is below nothing, that the chain of entries is whole, and that all balances
/// of a currency sum to nothing.
///
/// # Errors
/// [`StoreError`] for a row that cannot be read at all.
pub fn audit(books: &Books) -> Result<Audit, StoreError> {
    let mut audit = Audit::default();
    let mut sums: BTreeMap<Vec<u8>, i128> = BTreeMap::new();
    let mut lines: BTreeMap<u64, Vec<&Row>> = BTreeMap::new();
    for posting in &books.postings {
        *sums.entry(posting.bytes("account")?.to_vec()).or_default() +=
            i128::from(posting.integer("amount_minor")?);
        lines.entry(posting.count("seq")?).or_default().push(posting);
    }
    audit_entries(books, &mut lines, &mut audit)?;
    for seq in lines.keys() {
        audit.find("posting", seq, "belongs to no entry");
    }
    audit_accounts(books, &mut sums, &mut audit)?;
    for account in sums.keys() {
        audit.find("posting", hex(account), "posted to an account that does not exist");
    }
    Ok(audit)
}

impl Audit {
    /// Adds a finding.
    pub fn find(&mut self, table: &str, row: impl ToString, what: impl Into<String>) {
        self.findings.push(Finding { table: table.into(), row: row.to_string(), what: what.into() });
    }

    /// Whether every cent is where the books say it is.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

fn audit_entries(
    books: &Books,
    lines: &mut BTreeMap<u64, Vec<&Row>>,
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let mut head = LedgerHead::EMPTY;
    for row in &books.entries {
        let seq = row.count("seq")?;
        audit.entries += 1;
        if seq != head.seq + 1 {
            audit.find("entry", seq, format!("follows entry {}", head.seq));
        }
        let postings = lines.remove(&seq).unwrap_or_default();
        let mut sum = 0_i128;
        for posting in &postings {
            let amount = posting.integer("amount_minor")?;
            sum += i128::from(amount);
            if amount == 0 || amount.unsigned_abs() > MAX {
                audit.find(
                    "posting",
                    format!("{seq}/{}", posting.integer("n")?),
                    "is not an amount of money",
                );
            }
        }
        if sum != 0 {
            audit.find(
                "entry",
                seq,
                format!("does not sum to nothing: {sum} minor units are missing or too many"),
            );
        }
        let hash = Digest::from_bytes(row.array("hash")?);
        match read_entry(row, &postings)? {
            Some(entry)
                if entry.hash(seq, &head.hash) == hash && row.bytes("prev")? == head.hash.as_bytes() => {}
            _ => audit.find("entry", seq, "the row or one of its postings was changed after it was posted"),
        }
        head = LedgerHead { seq, hash };
    }
    match books.head.as_ref().map(LedgerHead::from_row) {
        Some(Ok(stored)) if stored == head => {}
        None if head == LedgerHead::EMPTY => {}
        _ => audit.find("ledger_head", 0, format!("does not name entry {}, the last", head.seq)),
    }
    Ok(())
}

fn read_entry(row: &Row, postings: &[&Row]) -> Result<Option<Entry>, StoreError> {
    let events = [Event::Fund, Event::Shift, Event::Pay, Event::Release, Event::Refund];
    let event = row.text("event")?;
    let Some(event) = events.into_iter().find(|known| known.word() == event) else { return Ok(None) };
    let reference =
        if row.is_null("reference") { None } else { Some(PayRef::from_bytes(row.array("reference")?)) };
    let mut currency = None;
    let mut read = Vec::with_capacity(postings.len());
    for posting in postings {
        let code = posting.text("currency")?;
        if *currency.get_or_insert(code) != code {
            return Ok(None);
        }
        let account = AccountId::from_bytes(posting.array("account")?);
        read.push(Posting { account, amount: posting.integer("amount_minor")? });
    }
    Ok(currency.and_then(|code| Currency::parse(code).ok()).map(|currency| Entry {
        event,
        cause: Digest::from_bytes(row.array("cause").unwrap_or([0; 32])),
        reference,
        currency,
        postings: read,
        at: Moment::from_seconds(row.count("at_s").unwrap_or(0)),
    }))
}

fn audit_accounts(
    books: &Books,
    sums: &mut BTreeMap<Vec<u8>, i128>,
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let mut totals: BTreeMap<String, (i128, i128)> = BTreeMap::new();
    for row in &books.accounts {
        let id = row.bytes("id")?;
        let balance = row.integer("balance_minor")?;
        let posted = sums.remove(id).unwrap_or(0);
        audit.accounts += 1;
        if i128::from(balance) != posted {
            audit.find("account", hex(id), format!("its balance is {balance}, its postings sum to {posted}"));
        }
        let kind = Kind::parse(row.text("kind")?);
        if kind.is_none_or(Kind::is_liability) && balance > 0 {
            audit.find("account", hex(id), format!("its funds are {balance} minor units below nothing"));
        }
        let total = totals.entry(row.text("currency")?.to_owned()).or_default();
        total.0 += i128::from(balance);
        if kind == Some(Kind::Nostro) {
            total.1 += i128::from(balance);
        }
    }
    for (currency, (sum, inside)) in totals {
        if sum != 0 {
            audit.find(
                "account",
                &currency,
                format!("the balances of this currency sum to {sum}, not to nothing"),
            );
        }
        audit.totals.insert(currency, i64::try_from(inside).unwrap_or(i64::MAX));
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
