//! The bank's counter: requests of the payment system `sim`, served over the archive.
//!
//! One request after the other: read what it needs, decide, sign the answer, commit ledger, rows, answer and
//! a line of the journal in one transaction, and only then answer. A commit whose guards no longer hold is
//! decided anew from fresh rows.

use std::{collections::BTreeMap, sync::Arc};

use semper_host::{
    Keyring, KeyringError,
    chance::{self, NoChance},
    record::{commit, entry},
};
use semper_payment_sim::bank::{
    self, AccountRow, Bank, BankFault, Booking, Needs, PAYMENT, PaymentRow, REPLY, Request, Served, Snapshot,
};
use semper_supporting::{
    access::Subject,
    archive::{
        Batch, Query, Row, Store, StoreError, Table, Value,
        journal::{Class as Entries, Kind as Detail},
    },
    crypto::{
        digest::Digest,
        keys::KeyRef,
        signature::{PublicKey, Signature},
    },
    evidence::{Signable, SignedBytes, Statement, Verified, statement},
    money::{Money, MoneyError},
    time::Moment,
};
use semper_transfer::payment::{
    AccountId, PayRef,
    ledger::{self, ACCOUNT, Audit, Books, ENTRY, Entry, Event, HEAD, Kind, LedgerHead, Movement, POSTING},
    message::{Account, Balance, Declined, TxStatement},
    module::BankReply,
};
use tokio::sync::Mutex;

/// How often a request is decided anew when the rows changed under it.
const TRIES: u32 = 5;

/// A bank's counter at work.
#[derive(Debug)]
pub struct Counter<S> {
    store: Arc<S>,
    keys: Keyring,
    key: KeyRef,
    bank: Bank,
    policy: Subject,
    turn: Mutex<()>,
}

/// Why the counter cannot serve at all. Nothing was booked.
#[derive(Debug, thiserror::Error)]
pub enum CounterError {
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bank's key refuses.
    #[error(transparent)]
    Key(#[from] KeyringError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The sums do not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A statement that no bank signs.
    #[error("the counter was asked to sign {0}, which a bank does not sign")]
    Draft(String),
    /// There is no such account.
    #[error("there is no account {0}")]
    NoAccount(AccountId),
}

/// An account in a list.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Listed {
    /// Its name.
    pub account: String,
    /// Its kind.
    pub kind: &'static str,
    /// What can be disposed of; for the bank's own account, what it holds elsewhere.
    pub funds: String,
    /// What was credited and can still be ordered back.
    pub pending: String,
    /// Whether it is open.
    pub open: bool,
}

/// The tables of a counter.
pub fn tables() -> Vec<Table> {
    ledger::TABLES.iter().chain(bank::TABLES).copied().collect()
}

impl<S: Store> Counter<S> {
    /// Opens the counter; a new archive gets the head of an empty ledger.
    ///
    /// # Errors
    /// [`CounterError`].
    pub async fn open(
        store: Arc<S>,
        keys: Keyring,
        key: KeyRef,
        arbiters: BTreeMap<semper_supporting::crypto::signature::Kid, PublicKey>,
        gift: Option<Money>,
    ) -> Result<Self, CounterError> {
        commit(&*store, Batch::new().row(LedgerHead::first_row())).await?;
        let bank = Bank { kid: key.kid(), arbiters, gift };
        let policy = Subject::Authority { policy: Digest::of(b"semper-ttpd bank counter/1") };
        Ok(Self { store, keys, key, bank, policy, turn: Mutex::new(()) })
    }

    /// Serves one request that came from `peer`, the certificate of its connection.
    ///
    /// # Errors
    /// [`CounterError`] when the counter itself cannot go on; the caller asks again.
    pub async fn serve(
        &self,
        signed: SignedBytes,
        peer: Option<Digest>,
        now: Moment,
    ) -> Result<BankReply, CounterError> {
        let request = match Request::read(signed) {
            Ok(request) => request,
            Err(fault) => return Ok(BankReply::Refused(fault.code().to_owned())),
        };
        let _turn = self.turn.lock().await;
        for _ in 0..TRIES {
            let snapshot = self.read(request.needs()).await?;
            match bank::serve(&self.bank, &request, peer, &snapshot, now) {
                Ok(Served::Answer(reply)) => return Ok(reply),
                Ok(Served::Book(booking)) => match self.book(*booking, now).await {
                    Err(CounterError::Store(StoreError::Guard(_) | StoreError::Duplicate(_))) => {}
                    other => return other,
                },
                Err(BankFault::Store(error)) => return Err(error.into()),
                Err(fault) => {
                    tracing::warn!(code = fault.code(), "request refused");
                    return Ok(BankReply::Refused(fault.code().to_owned()));
                }
            }
        }
        Ok(BankReply::Refused("pay.busy".into()))
    }

    /// Books the payments whose window has ended to their merchants for good; gives how many.
    ///
    /// # Errors
    /// [`CounterError`]; those that were not booked are due still.
    pub async fn close_windows(&self, now: Moment) -> Result<u32, CounterError> {
        let _turn = self.turn.lock().await;
        let mut closed = 0;
        loop {
            let rows =
                self.store.query(vec![bank::due(now)]).await?.into_iter().flatten().collect::<Vec<_>>();
            if rows.is_empty() {
                return Ok(closed);
            }
            for row in rows {
                let payment = PaymentRow::from_row(&row)?;
                let head = self.head().await?;
                match bank::release(&self.bank, &payment, head, now) {
                    Ok(booking) => self.book(booking, now).await.map(drop)?,
                    Err(BankFault::Store(error)) => return Err(error.into()),
                    Err(fault) => return Err(StoreError::Damaged(fault.to_string()).into()),
                }
                closed += 1;
            }
        }
    }

    /// Puts play money on an account: what an operator does for a trial.
    ///
    /// # Errors
    /// [`CounterError::NoAccount`], [`CounterError::Money`].
    pub async fn fund(&self, account: AccountId, money: Money, now: Moment) -> Result<(), CounterError> {
        let _turn = self.turn.lock().await;
        let nostro = AccountId::nostro(money.currency);
        let found = self.accounts(&[account, nostro]).await?;
        let row = found.get(&account).ok_or(CounterError::NoAccount(account))?;
        if !money.currency.is_play() || row.currency != money.currency || row.kind != Kind::Customer {
            return Err(MoneyError::Currency.into());
        }
        let cause = Digest::of_parts([b"fund".as_slice(), &chance::random::<32>()?]);
        let entry = Entry::moving(Event::Fund, cause, None, money, nostro, account, now)?;
        let kind = |id| if id == nostro { Kind::Nostro } else { Kind::Customer };
        let (guards, rows, _) = entry.post(self.head().await?, kind)?;
        let made = AccountRow {
            id: nostro,
            kind: Kind::Nostro,
            currency: money.currency,
            key: None,
            holder: None,
            parent: None,
            open: true,
            balance: 0,
        };
        let mut batch = Batch { guards, ..Batch::new() };
        if !found.contains_key(&nostro) {
            batch = batch.row(made.insert(now));
        }
        batch.rows.extend(rows);
        let line = format!("fund {account} {money}");
        batch = batch.entry(semper_host::record::entry(Detail::of(Entries::Config, "fund"), line, now)?);
        commit(&*self.store, batch).await?;
        log("fund", &Movement { from: nostro, into: account, money }, None);
        Ok(())
    }

    /// All accounts of people, with what is on them.
    ///
    /// # Errors
    /// [`CounterError`].
    pub async fn list(&self) -> Result<Vec<Listed>, CounterError> {
        let accounts =
            self.all(ACCOUNT).await?.iter().map(AccountRow::from_row).collect::<Result<Vec<_>, _>>()?;
        let pending: BTreeMap<AccountId, Money> = accounts
            .iter()
            .filter(|row| row.kind == Kind::Uncleared)
            .map(|row| row.funds().map(|funds| (row.id, funds)))
            .collect::<Result<_, _>>()?;
        let shown = accounts.iter().filter(|row| !matches!(row.kind, Kind::Uncleared | Kind::Nostro));
        let listed = shown.map(|row| {
            let waiting = pending.get(&row.id.uncleared()).copied().unwrap_or(Money::zero(row.currency));
            Ok(Listed {
                account: row.id.to_string(),
                kind: if row.parent.is_some() { "purse" } else { row.kind.word() },
                funds: row.funds()?.to_string(),
                pending: waiting.to_string(),
                open: row.open,
            })
        });
        listed.collect()
    }

    /// Proves from the archive alone that no cent is missing.
    ///
    /// # Errors
    /// [`CounterError`] for an archive that cannot be read.
    pub async fn audit(&self) -> Result<Audit, CounterError> {
        let books = Books {
            accounts: self.all(ACCOUNT).await?,
            entries: self.all(ENTRY).await?,
            postings: self.all(POSTING).await?,
            head: self.store.query(vec![Query::of(HEAD.name)]).await?.into_iter().flatten().next(),
        };
        let mut audit = ledger::audit(&books)?;
        let key = self.keys.public(&self.key)?;
        bank::audit_payments(&self.all(PAYMENT).await?, &books, &key, &mut audit)?;
        Ok(audit)
    }

    /// Every row of a table, page by page.
    async fn all(&self, table: Table) -> Result<Vec<Row>, StoreError> {
        let mut rows: Vec<Row> = Vec::new();
        loop {
            let query = match rows.last() {
                Some(last) => Query::of(table.name).after(&table, last),
                None => Query::of(table.name),
            };
            let page = self.store.query(vec![query]).await?.into_iter().flatten().collect::<Vec<_>>();
            if page.is_empty() {
                return Ok(rows);
            }
            rows.extend(page);
        }
    }

    async fn head(&self) -> Result<LedgerHead, StoreError> {
        let rows = self.store.query(vec![Query::of(HEAD.name)]).await?;
        bank::head_of(&rows.into_iter().flatten().collect::<Vec<_>>())
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<BTreeMap<AccountId, AccountRow>, StoreError> {
        let queries = ids.iter().map(|id| Query::of(ACCOUNT.name).equal("id", *id)).collect();
        let rows = self.store.query(queries).await?.into_iter().flatten();
        rows.map(|row| AccountRow::from_row(&row).map(|account| (account.id, account))).collect()
    }

    async fn payment(&self, reference: PayRef) -> Result<Option<PaymentRow>, StoreError> {
        let rows = self.store.query(vec![Query::of(PAYMENT.name).equal("reference", reference)]).await?;
        rows.into_iter().flatten().next().map(|row| PaymentRow::from_row(&row)).transpose()
    }

    async fn read(&self, needs: Needs) -> Result<Snapshot, StoreError> {
        let payment = match needs.payment {
            Some(reference) => self.payment(reference).await?,
            None => None,
        };
        let booked = payment.as_ref().and_then(|payment| payment.booked.as_ref());
        let parties = booked.into_iter().flat_map(|booked| [booked.payer, booked.payee]);
        let wanted: Vec<AccountId> = needs.accounts.into_iter().chain(parties).collect();
        let reply = match needs.reply {
            Some((signer, msg)) => {
                let query =
                    Query::of(REPLY.name).equal("signer", signer).equal("msg", Value::from(*msg.as_bytes()));
                self.store
                    .query(vec![query])
                    .await?
                    .into_iter()
                    .flatten()
                    .next()
                    .map(|row| read_reply(&row))
                    .transpose()?
            }
            None => None,
        };
        Ok(Snapshot { head: self.head().await?, accounts: self.accounts(&wanted).await?, payment, reply })
    }

    async fn book(&self, booking: Booking, now: Moment) -> Result<BankReply, CounterError> {
        let signed = self.sign(booking.draft(), now)?;
        let kind = statement::type_of(booking.draft()).unwrap_or_default();
        let (moved, payee) = (booking.movements(), booking.payee());
        let opened = statement::from_bytes::<Account>(booking.draft()).ok();
        let line = entry(Detail::of(Entries::Decision, "booking"), signed.tbs.clone(), now)?;
        let (guards, rows, reply) = booking.complete(signed);
        commit(&*self.store, Batch { guards, rows, journal: vec![line] }).await?;
        for movement in &moved {
            log(&kind, movement, payee);
        }
        if moved.is_empty() {
            let account = opened.map(|opened| short(opened.account)).unwrap_or_default();
            tracing::info!(kind, account, "booked");
        }
        Ok(reply)
    }

    fn sign(&self, draft: &[u8], now: Moment) -> Result<SignedBytes, CounterError> {
        let kind = statement::type_of(draft).unwrap_or_default();
        match kind.as_str() {
            TxStatement::TYPE => self.sign_as::<TxStatement>(draft, now),
            Declined::TYPE => self.sign_as::<Declined>(draft, now),
            Balance::TYPE => self.sign_as::<Balance>(draft, now),
            Account::TYPE => self.sign_as::<Account>(draft, now),
            _ => Err(CounterError::Draft(kind)),
        }
    }

    fn sign_as<T: Signable>(&self, draft: &[u8], now: Moment) -> Result<SignedBytes, CounterError> {
        let value: T =
            statement::from_bytes(draft).map_err(|error| CounterError::Draft(error.to_string()))?;
        let signed: Verified<T> = self.keys.attest(&self.key, &self.policy, &value, now)?;
        Ok(signed.bytes().clone())
    }
}

/// Says in the log that money has moved; how much is between the bank and its customers, and in its archive.
fn log(kind: &str, Movement { from, into, money }: &Movement, payee: Option<AccountId>) {
    let name = |account: AccountId| match payee {
        _ if account == AccountId::nostro(money.currency) => "the bank".to_owned(),
        Some(payee) if account == payee.uncleared() => format!("{} pending", short(payee)),
        _ => short(account),
    };
    tracing::info!(kind, from = name(*from), into = name(*into), "booked");
}

/// The first eight digits of an account: enough to find it in `account list`.
fn short(account: AccountId) -> String {
    account.to_string().chars().take(8).collect()
}

fn read_reply(row: &Row) -> Result<(Digest, SignedBytes), StoreError> {
    let signature = Signature::from_bytes(row.array("sig")?);
    Ok((
        Digest::from_bytes(row.array("request")?),
        SignedBytes { tbs: row.bytes("tbs")?.to_vec(), signature },
    ))
}
