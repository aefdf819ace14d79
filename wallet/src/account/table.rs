//! What is kept of accounts, purses, and requests under way.

use semper_host::record::commit;
use semper_supporting::{
    archive::{Batch, Column, Direction, Guard, Query, Row, RowOp, Store, StoreError, Table, Value},
    comm::address::{AddressError, Endpoint, Surroundings},
    crypto::{digest::Digest, signature::Kid},
    evidence::SignedBytes,
    money::Currency,
    wire,
};
use semper_transfer::payment::{AccountId, Purse, PurseId, Transaction};
use serde::{Deserialize, Serialize};

/// The accounts at banks, with the bank's signed word about each.
pub const ACCOUNT: Table = Table {
    name: "account",
    columns: &[
        Column::bytes("account"),
        Column::bytes("bank"),
        Column::text("currency"),
        Column::text("address"),
        Column::bytes("certificate"),
        Column::bytes("word"),
    ],
    key: &["account"],
    unique: &[&["bank", "currency"]],
    indexes: &[],
};

/// The purses, in the order in which they were opened.
pub const PURSE: Table = Table {
    name: "purse",
    columns: &[Column::bytes("id"), Column::integer("position"), Column::bytes("purse")],
    key: &["id"],
    unique: &[],
    indexes: &[&["position"]],
};

/// Requests to banks that were confirmed and whose answers are not here, one for each piece of work.
pub const RUN: Table = Table {
    name: "payment_run",
    columns: &[Column::text("work"), Column::bytes("run")],
    key: &["work"],
    unique: &[],
    indexes: &[],
};

/// An account at a bank.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// The account.
    pub id: AccountId,
    /// The bank's key.
    pub bank: Kid,
    /// Its one currency.
    pub currency: Currency,
    /// The bank's certificate: SHA-256 of its DER. The archive keeps it.
    pub certificate: Digest,
    /// The bank's signed word that the account is ours (`pay/acct`), which the archive keeps as evidence.
    pub word: Digest,
    address: String,
}

/// A request under way, as it is kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Run {
    /// What it is for.
    pub(super) work: Work,
    /// The bank that is asked.
    pub(super) bank: Kid,
    /// The module's run.
    pub(super) transaction: Transaction,
    /// What was confirmed and signed.
    pub(super) request: SignedBytes,
}

/// What a request is for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Work {
    /// Opens an account.
    Account { bank: Kid, address: String, currency: Currency },
    /// Opens a purse at an account.
    Purse { address: String, name: String, parent: AccountId },
    /// Does something with a purse.
    Operation { purse: PurseId },
}

impl Account {
    /// Where the bank is.
    ///
    /// # Errors
    /// [`AddressError`] for an address that is not called in these surroundings.
    pub fn address(&self, surroundings: Surroundings) -> Result<Endpoint, AddressError> {
        Endpoint::parse(&self.address, surroundings)
    }

    pub(super) fn new(
        (id, bank, currency): (AccountId, Kid, Currency),
        address: &Endpoint,
        certificate: Digest,
        word: Digest,
    ) -> Self {
        Self { id, bank, currency, certificate, word, address: address.to_string() }
    }

    /// Keeps where the bank was found last.
    pub(super) async fn moved_to(&self, address: &Endpoint, store: &impl Store) -> Result<(), StoreError> {
        let address = address.to_string();
        if address == self.address {
            return Ok(());
        }
        let set = Row::new().with("address", address);
        commit(store, Batch::new().row(RowOp::update(ACCOUNT.name, vec![Value::from(self.id)], set))).await
    }

    /// The change that keeps it.
    pub(super) fn keep(&self) -> RowOp {
        let row = Row::new()
            .with("account", self.id)
            .with("bank", self.bank)
            .with("currency", self.currency.code().to_owned())
            .with("address", self.address.clone())
            .with("certificate", self.certificate)
            .with("word", self.word);
        RowOp::insert(ACCOUNT.name, row)
    }
}

impl Work {
    /// What names it: no two requests for the same work are under way.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Account { bank, currency, .. } => format!("account {bank} {currency}"),
            Self::Purse { parent, name, .. } => format!("purse {parent} {name}"),
            Self::Operation { purse } => format!("operation {purse}"),
        }
    }
}

impl Run {
    /// The change that keeps a run before its request leaves for the first time.
    pub(super) fn begin(&self) -> Result<RowOp, StoreError> {
        Ok(RowOp::insert(RUN.name, self.row()?))
    }

    /// The change that keeps where it stands.
    pub(super) fn keep(&self) -> Result<RowOp, StoreError> {
        Ok(RowOp::put(RUN.name, self.row()?))
    }

    /// The change that ends it.
    pub(super) fn end(&self) -> RowOp {
        RowOp::delete(RUN.name, vec![Value::from(self.work.name())])
    }

    fn row(&self) -> Result<Row, StoreError> {
        Ok(Row::new().with("work", self.work.name()).with("run", encode(self)?))
    }
}

/// The accounts of an archive.
///
/// # Errors
/// [`StoreError`].
pub async fn accounts(store: &impl Store) -> Result<Vec<Account>, StoreError> {
    let rows = store.query(vec![Query::of(ACCOUNT.name)]).await?;
    rows.into_iter().flatten().map(|row| account(&row)).collect()
}

fn account(row: &Row) -> Result<Account, StoreError> {
    let currency = Currency::parse(row.text("currency")?);
    Ok(Account {
        id: AccountId::from_bytes(row.array("account")?),
        bank: Kid::from_bytes(row.array("bank")?),
        currency: currency.map_err(|_| StoreError::Damaged("an account has no currency".to_owned()))?,
        certificate: Digest::from_bytes(row.array("certificate")?),
        word: Digest::from_bytes(row.array("word")?),
        address: row.text("address")?.to_owned(),
    })
}

/// The purses of an archive, in the order in which they were opened.
///
/// # Errors
/// [`StoreError`].
pub async fn purses(store: &impl Store) -> Result<Vec<Purse>, StoreError> {
    let query = Query::of(PURSE.name).order("position", Direction::Rising).order("id", Direction::Rising);
    let rows = store.query(vec![query]).await?;
    rows.into_iter().flatten().map(|row| purse_of(&row)).collect()
}

/// Reads a row of [`PURSE`].
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn purse_of(row: &Row) -> Result<Purse, StoreError> {
    decode(row.bytes("purse")?)
}

/// The change that keeps a new purse, after the others.
pub(super) fn add_purse(batch: Batch, purse: &Purse, position: usize) -> Result<Batch, StoreError> {
    let position = Value::count(u64::try_from(position).unwrap_or(u64::MAX));
    let row =
        Row::new().with("id", *purse.id.as_bytes()).with("position", position).with("purse", encode(purse)?);
    Ok(batch.row(RowOp::insert(PURSE.name, row)))
}

/// The change that keeps what is in a purse now, if it is still as it was `before`.
///
/// # Errors
/// [`StoreError::Damaged`] for a purse that cannot be written.
pub fn keep_purse(batch: Batch, before: &Purse, after: &Purse) -> Result<Batch, StoreError> {
    let key = vec![Value::from(*after.id.as_bytes())];
    let same = Guard::equals("the purse is as it was", PURSE.name, key.clone(), "purse", encode(before)?);
    let set = Row::new().with("purse", encode(after)?);
    Ok(batch.guard(same).row(RowOp::update(PURSE.name, key, set)))
}

/// The request under way for this work.
pub(super) async fn interrupted(store: &impl Store, work: &Work) -> Result<Option<Run>, StoreError> {
    let query = Query::of(RUN.name).equal("work", work.name());
    let row = store.query(vec![query]).await?.into_iter().flatten().next();
    row.map(|row| decode(row.bytes("run")?)).transpose()
}

/// All requests under way.
pub(super) async fn all_interrupted(store: &impl Store) -> Result<Vec<Run>, StoreError> {
    let rows = store.query(vec![Query::of(RUN.name)]).await?;
    rows.into_iter().flatten().map(|row| decode(row.bytes("run")?)).collect()
}

fn encode(record: &impl wire::Record) -> Result<Vec<u8>, StoreError> {
    let damaged = |_| StoreError::Damaged("something about money cannot be written".to_owned());
    wire::encode(record, wire::STATE_LIMIT).map_err(damaged)
}

fn decode<T: wire::Record>(bytes: &[u8]) -> Result<T, StoreError> {
    let damaged = |_| StoreError::Damaged("something about money cannot be read".to_owned());
    wire::decode(bytes, wire::STATE_LIMIT).map_err(damaged)
}
