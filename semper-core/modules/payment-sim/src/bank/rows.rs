//! The rows of the bank, and what an audit compares them with.

use std::collections::BTreeMap;

use semper_supporting::{
    archive::{Column, Row, RowOp, StoreError, Table, Value},
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey, Signature},
    },
    deal::Xid,
    evidence::{SignedBytes, statement},
    money::{Currency, Money},
    time::Moment,
};
use semper_transfer::payment::{
    AccountId, MsgId, PayRef,
    ledger::{self, Audit, Kind},
    message::{ANYONE, Booked, TxState, TxStatement},
};

/// One row per payment reference the bank has ever heard of.
pub const PAYMENT: Table = Table {
    name: "payment",
    columns: &[
        Column::bytes("reference"),
        Column::bytes("exch").optional(),
        Column::text("state"),
        Column::text("currency").optional(),
        Column::integer("amount_minor").optional(),
        Column::bytes("payer").optional(),
        Column::bytes("payee").optional(),
        Column::bytes("arbiter").optional(),
        Column::integer("until_s").optional(),
        Column::bytes("entry").optional(),
        Column::integer("at_s"),
        Column::bytes("tbs"),
        Column::bytes("sig"),
    ],
    key: &["reference"],
    unique: &[],
    indexes: &[&["state", "until_s"]],
};

/// The answers given, by signer and message.
pub const REPLY: Table = Table {
    name: "reply",
    columns: &[
        Column::bytes("signer"),
        Column::bytes("msg"),
        Column::bytes("request"),
        Column::bytes("tbs"),
        Column::bytes("sig"),
    ],
    key: &["signer", "msg"],
    unique: &[],
    indexes: &[],
};

/// An account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccountRow {
    /// Its name.
    pub id: AccountId,
    /// Its kind.
    pub kind: Kind,
    /// Its currency.
    pub currency: Currency,
    /// The key that disposes of it.
    pub key: Option<PublicKey>,
    /// The certificate of its holder.
    pub holder: Option<Digest>,
    /// The account it is loaded from.
    pub parent: Option<AccountId>,
    /// Whether it is open.
    pub open: bool,
    /// Its balance: debits positive.
    pub balance: i64,
}

/// A payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PaymentRow {
    /// Its reference.
    pub reference: PayRef,
    /// The exchange it stands in.
    pub exch: Option<Xid>,
    /// What the books say.
    pub state: TxState,
    /// What was booked, if anything ever was.
    pub booked: Option<Booked>,
    /// When the books came to say so.
    pub at: Moment,
    /// The signed record; absent only until it is signed.
    pub record: Option<SignedBytes>,
}

impl AccountRow {
    /// What people are shown: what the bank owes on this account.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it is below nothing.
    pub fn funds(&self) -> Result<Money, StoreError> {
        let minor = self.balance.checked_neg().and_then(|minor| u64::try_from(minor).ok());
        minor
            .and_then(|minor| Money::new(minor, self.currency).ok())
            .ok_or_else(|| StoreError::Damaged(format!("account {} is below nothing", self.id)))
    }

    /// The row of a new account.
    pub fn insert(&self, at: Moment) -> RowOp {
        RowOp::insert(
            ledger::ACCOUNT.name,
            Row::new()
                .with("id", self.id)
                .with("kind", self.kind.word())
                .with("currency", self.currency.code())
                .with("key", self.key.map(|key| *key.as_bytes()))
                .with("holder", self.holder)
                .with("parent", self.parent)
                .with("state", if self.open { "open" } else { "closed" })
                .with("balance_minor", self.balance)
                .with("opened_s", Value::seconds(at)),
        )
    }

    /// Reads a row.
    ///
    /// # Errors
    /// [`StoreError`] for a row of another form.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged("a row of table account is not readable".into());
        let key = if row.is_null("key") { None } else { Some(row.array("key")?) };
        Ok(Self {
            id: AccountId::from_bytes(row.array("id")?),
            kind: Kind::parse(row.text("kind")?).ok_or_else(damaged)?,
            currency: Currency::parse(row.text("currency")?).map_err(|_| damaged())?,
            key: key.map(|key| PublicKey::from_bytes(&key)).transpose().map_err(|_| damaged())?,
            holder: optional(row, "holder")?.map(Digest::from_bytes),
            parent: optional(row, "parent")?.map(AccountId::from_bytes),
            open: row.text("state")? == "open",
            balance: row.integer("balance_minor")?,
        })
    }
}

impl PaymentRow {
    /// The record this row stands for, which the bank signs.
    pub fn statement(&self, bank: Kid) -> TxStatement {
        TxStatement {
            to: ANYONE,
            signer: bank,
            reference: self.reference,
            exch: self.exch,
            status: self.state,
            booked: self.booked.clone(),
            at: self.at,
        }
    }

    /// The row with its signed record.
    pub(super) fn put(&self, signed: &SignedBytes) -> RowOp {
        let booked = self.booked.as_ref();
        let row = Row::new()
            .with("reference", self.reference)
            .with("exch", self.exch)
            .with("state", word(self.state))
            .with("currency", booked.map(|booked| booked.amount.currency.code().to_owned()))
            .with("amount_minor", booked.map(|booked| Value::count(booked.amount.minor())))
            .with("payer", booked.map(|booked| booked.payer))
            .with("payee", booked.map(|booked| booked.payee))
            .with("arbiter", booked.and_then(|booked| booked.arbiter))
            .with("until_s", booked.and_then(|booked| booked.until).map(Value::seconds))
            .with("entry", booked.map(|booked| booked.entry))
            .with("at_s", Value::seconds(self.at))
            .with("tbs", signed.tbs.clone())
            .with("sig", *signed.signature.as_bytes());
        RowOp::put(PAYMENT.name, row)
    }

    /// Reads a row.
    ///
    /// # Errors
    /// [`StoreError`] for a row of another form.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged("a row of table payment is not readable".into());
        let booked = if row.is_null("amount_minor") {
            None
        } else {
            let currency = Currency::parse(row.text("currency")?).map_err(|_| damaged())?;
            Some(Booked {
                amount: Money::new(row.count("amount_minor")?, currency).map_err(|_| damaged())?,
                payer: AccountId::from_bytes(row.array("payer")?),
                payee: AccountId::from_bytes(row.array("payee")?),
                arbiter: optional(row, "arbiter")?.map(Kid::from_bytes),
                until: if row.is_null("until_s") {
                    None
                } else {
                    Some(Moment::from_seconds(row.count("until_s")?))
                },
                entry: Digest::from_bytes(row.array("entry")?),
            })
        };
        let signature = Signature::from_bytes(row.array("sig")?);
        Ok(Self {
            reference: PayRef::from_bytes(row.array("reference")?),
            exch: optional(row, "exch")?.map(Xid::from_bytes),
            state: STATES
                .into_iter()
                .find(|state| word(*state) == row.text("state").unwrap_or(""))
                .ok_or_else(damaged)?,
            booked,
            at: Moment::from_seconds(row.count("at_s")?),
            record: Some(SignedBytes { tbs: row.bytes("tbs")?.to_vec(), signature }),
        })
    }
}

const STATES: [TxState; 4] = [TxState::Credited, TxState::Released, TxState::Refunded, TxState::Frozen];

/// The word of a state in the table, the one of the signed record.
pub(super) const fn word(state: TxState) -> &'static str {
    match state {
        TxState::Credited => "credited",
        TxState::Released => "released",
        TxState::Refunded => "refunded",
        TxState::Frozen => "frozen",
    }
}

fn optional<const N: usize>(row: &Row, column: &str) -> Result<Option<[u8; N]>, StoreError> {
    if row.is_null(column) { Ok(None) } else { row.array(column).map(Some) }
}

pub(super) fn reply_row(signer: Kid, msg: MsgId, request: Digest, signed: &SignedBytes) -> RowOp {
    RowOp::insert(
        REPLY.name,
        Row::new()
            .with("signer", signer)
            .with("msg", *msg.as_bytes())
            .with("request", request)
            .with("tbs", signed.tbs.clone())
            .with("sig", *signed.signature.as_bytes()),
    )
}

/// Compares every payment with its signed record and with the entries under its reference, and what is
/// pending with the accounts that hold it. Adds what cannot be to `audit`.
///
/// # Errors
/// [`StoreError`] for a row that cannot be read at all.
pub fn audit_payments(
    payments: &[Row],
    books: &ledger::Books,
    bank: &PublicKey,
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let mut booked: BTreeMap<(Vec<u8>, String), Vec<i64>> = BTreeMap::new();
    let mut amounts: BTreeMap<u64, Vec<i64>> = BTreeMap::new();
    for posting in &books.postings {
        amounts.entry(posting.count("seq")?).or_default().push(posting.integer("amount_minor")?);
    }
    for entry in &books.entries {
        if !entry.is_null("reference") {
            let key = (entry.bytes("reference")?.to_vec(), entry.text("event")?.to_owned());
            booked.entry(key).or_default().extend(amounts.get(&entry.count("seq")?).into_iter().flatten());
        }
    }
    for row in payments {
        let payment = PaymentRow::from_row(row)?;
        let name = payment.reference.to_string();
        let signed = payment.record.clone().map(|record| record.verify::<TxStatement>(bank));
        let agrees =
            signed.is_some_and(|record| record.is_ok_and(|record| *record == payment.statement(bank.kid())));
        if !agrees {
            audit.find(PAYMENT.name, &name, "differs from the record that the bank signed for it");
        }
        let minor = payment.booked.as_ref().map_or(0, |booked| booked.amount.minor());
        let minor = i64::try_from(minor).unwrap_or(i64::MAX);
        for event in [ledger::Event::Pay, ledger::Event::Release, ledger::Event::Refund] {
            let due = match (event, payment.state) {
                (ledger::Event::Pay, state) => state != TxState::Frozen,
                (ledger::Event::Release, state) => {
                    state == TxState::Released
                        && payment.booked.as_ref().is_some_and(|booked| booked.until.is_some())
                }
                (_, state) => state == TxState::Refunded,
            };
            let expected: &[i64] = if due { &[minor, -minor] } else { &[] };
            let key = (payment.reference.as_bytes().to_vec(), event.word().to_owned());
            if booked.remove(&key).unwrap_or_default() != expected {
                audit.find(
                    PAYMENT.name,
                    &name,
                    format!("does not agree with the entries of kind {}", event.word()),
                );
            }
        }
    }
    for (reference, event) in booked.keys() {
        let name: String = reference.iter().map(|byte| format!("{byte:02x}")).collect();
        audit.find("entry", name, format!("an entry of kind {event} for a payment that is not there"));
    }
    Ok(())
}

/// The digest of a statement's bytes as they will be signed.
pub(super) fn draft<T: semper_supporting::evidence::Statement>(
    value: &T,
) -> Result<Vec<u8>, statement::StatementError> {
    statement::to_bytes(value)
}
