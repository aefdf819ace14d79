//! The till: the merchant's account at its bank, opened once.
//!
//! The machine of the payment module decides; here its run is stored before every request leaves, so that
//! opening it again after an interruption asks with the same bytes and gets the same account.

use std::sync::Arc;

use semper_host::{
    Keyring, KeyringError,
    chance::{self, NoChance},
    record::{commit, entry},
};
use semper_payment_sim::{BRAND, SYS, Sim};
use semper_supporting::{
    access::Subject,
    archive::{
        Batch, Column, Query, Row, RowOp, Store, StoreError, Table,
        journal::{Class, Kind as Detail},
        record::{EvidenceRecord, keep_certificate},
    },
    certificate::CertRole,
    comm::{address::Endpoint, session::PeerView},
    crypto::{
        digest::Digest,
        keys::{KeyPurpose, KeyRef},
        signature::{Kid, PublicKey},
    },
    deal::Anonymity,
    evidence::{SignedBytes, Verified, signed::EvidenceError, statement},
    fault::Fault as _,
    money::Currency,
    time::Span,
    wire::{self, WireError},
};
use semper_trade::calls::{CallFault, Caller, bank::ask};
use semper_transfer::payment::{
    AccountId, Modules, Op, PayError, Purse, PurseId, Stepped, SysId, Transaction, TxId,
    manager::AttachError,
    message::{Account, AccountKind, Open},
    module::{BankReply, Erased, Event, Input, Opening, Output},
    purse::{PurseArgs, PurseKind, System},
};

/// The run that opens the till, and the till once it is open.
pub const TILL: Table = Table {
    name: "till",
    columns: &[
        Column::integer("id"),
        Column::bytes("run"),
        Column::bytes("purse").optional(),
        Column::bytes("account").optional(),
        Column::bytes("bank").optional(),
    ],
    key: &["id"],
    unique: &[],
    indexes: &[],
};

/// How often the bank is asked before the operator is told.
const CALLS: u32 = 3;
/// The longest statement of the bank in bytes.
const MESSAGE: usize = 64 << 10;
/// How long the bank's word about the account is kept at least: ten years after it was given.
const KEEP: Span = Span::days(3653);

/// The way to the bank, and what a till there is opened with.
#[derive(Debug)]
pub struct Bank<'a, S> {
    /// Where runs, till and evidence are stored.
    pub store: &'a S,
    /// The keys of the program.
    pub keys: &'a Keyring,
    /// The subject of everything it does by its operator's configuration.
    pub operator: Subject,
    /// Where the bank is.
    pub address: Endpoint,
    /// Who calls.
    pub caller: Caller,
    /// The certificate it shows: SHA-256 of its DER.
    pub certificate: Digest,
}

/// The till, and the bank's word that it is ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Till {
    /// Takes payments.
    pub purse: Purse,
    /// The signed statement `pay/acct`.
    pub account: SignedBytes,
    /// The certificate of the bank that said so: SHA-256 of its DER.
    pub bank: Digest,
}

/// Why there is no till yet.
#[derive(Debug, thiserror::Error)]
pub enum TillError {
    /// The bank cannot be asked.
    #[error("the bank at {address}: {why}")]
    Call {
        /// Where it should be.
        address: Endpoint,
        /// Why not.
        why: CallFault,
    },
    /// It has not opened the account, and may yet.
    #[error("the bank at {address} has not opened the account ({code})")]
    NotYet {
        /// Where it is.
        address: Endpoint,
        /// What it said, a dotted code.
        code: String,
    },
    /// It will not open the account.
    #[error("the bank at {address} declined to open the account ({code})")]
    Declined {
        /// Where it is.
        address: Endpoint,
        /// Why, a dotted code.
        code: String,
    },
    /// The account was asked for at a bank with another key.
    #[error("the account was asked for at a bank with another key than the one at {0} has")]
    OtherBank(Endpoint),
    /// The payment system refuses.
    #[error(transparent)]
    Pay(#[from] PayError),
    /// The payment system cannot be used.
    #[error(transparent)]
    Module(#[from] AttachError),
    /// It asks for a signature that opening a till does not need.
    #[error("the payment system asked to sign {0}, which does not open an account")]
    Draft(String),
    /// A statement cannot be read.
    #[error(transparent)]
    Statement(#[from] statement::StatementError),
    /// What the bank said of the account does not verify.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The keys refuse.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was stored or sent cannot be read.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
}

/// The payment systems of this program.
///
/// # Errors
/// [`AttachError`].
pub fn modules() -> Result<Modules, AttachError> {
    let mut modules = Modules::default();
    modules.attach(Arc::new(Erased(Sim)))?;
    Ok(modules)
}

/// The till in the archive, if it is open.
///
/// # Errors
/// [`StoreError`].
pub async fn stored(store: &impl Store) -> Result<Option<Till>, StoreError> {
    let Some(row) = row(store).await? else { return Ok(None) };
    if row.is_null("purse") {
        return Ok(None);
    }
    let damaged = |_| StoreError::Damaged("the till cannot be read".to_owned());
    let purse = wire::decode(row.bytes("purse")?, wire::STATE_LIMIT).map_err(damaged)?;
    let account = wire::decode(row.bytes("account")?, MESSAGE).map_err(damaged)?;
    Ok(Some(Till { purse, account, bank: Digest::from_bytes(row.array("bank")?) }))
}

async fn row(store: &impl Store) -> Result<Option<Row>, StoreError> {
    Ok(store.query(vec![Query::of(TILL.name)]).await?.into_iter().flatten().next())
}

impl<S: Store> Bank<'_, S> {
    /// Opens the till, or goes on with opening it, or gives the one that is open.
    ///
    /// # Errors
    /// [`TillError`]; calling again goes on where it stopped.
    pub async fn till(&self, currency: Currency) -> Result<Till, TillError> {
        if let Some(till) = stored(self.store).await? {
            return Ok(till);
        }
        let modules = modules()?;
        let bank = self.bank().await?;
        let begun = self.begun().await?;
        let mut step = match begun {
            Some(run) => {
                self.same_bank(&run, bank.certificate.key())?;
                let input = Input { now: chance::now(), event: Event::Timer };
                modules.step(&run, None, input)?
            }
            None => self.begin(&modules, &bank, currency).await?,
        };
        let mut code = "net.silent".to_owned();
        for _ in 0..CALLS {
            self.keep(&step.transaction).await?;
            let Some(request) = self.request(&step)? else { break };
            let event = match ask(&self.caller, &self.address, bank.kid(), &request).await {
                Ok(reply) => {
                    if let BankReply::Refused(said) = &reply {
                        code.clone_from(said);
                    }
                    Event::Bank(reply)
                }
                Err(CallFault::Unreachable(why)) if !why.is_lasting() => {
                    why.code().clone_into(&mut code);
                    Event::Unreachable
                }
                // It did not take the request as one, and may once it has time.
                Err(CallFault::Refused(said)) => {
                    code.clone_from(&said);
                    Event::Bank(BankReply::Refused(said))
                }
                Err(why) => return Err(self.fault(why)),
            };
            step = modules.step(&step.transaction, None, Input { now: chance::now(), event })?;
            if step.transaction.status.is_final() || opened(&step).is_some() {
                return self.end(&modules, step, &bank, currency).await;
            }
        }
        Err(TillError::NotYet { address: self.address.clone(), code })
    }

    async fn begin(
        &self,
        modules: &Modules,
        bank: &PeerView,
        currency: Currency,
    ) -> Result<Stepped, TillError> {
        let now = chance::now();
        let key = self.keys.one(self.store, &self.operator, KeyPurpose::Account, now).await?;
        let opening = Opening {
            bank: *bank.certificate.key(),
            key: self.keys.public(&key)?,
            holder: self.certificate,
            kind: AccountKind::Merchant,
            currency,
            parent: None,
        };
        let tx = TxId::from_bytes(chance::random()?);
        Ok(modules.start(tx, &sys()?, None, Op::Open(Box::new(opening)), now)?)
    }

    /// The run that was begun and has not ended.
    async fn begun(&self) -> Result<Option<Transaction>, TillError> {
        let Some(row) = row(self.store).await? else { return Ok(None) };
        let run: Transaction = wire::decode(row.bytes("run")?, wire::STATE_LIMIT)?;
        Ok(Some(run).filter(|run| !run.status.is_final()))
    }

    fn same_bank(&self, run: &Transaction, bank: &PublicKey) -> Result<(), TillError> {
        match &run.op {
            Op::Open(opening) if opening.bank == *bank => Ok(()),
            _ => Err(TillError::OtherBank(self.address.clone())),
        }
    }

    async fn keep(&self, run: &Transaction) -> Result<(), TillError> {
        let row = Row::new().with("id", 0_i64).with("run", wire::encode(run, wire::STATE_LIMIT)?);
        Ok(commit(self.store, Batch::new().row(RowOp::put(TILL.name, row))).await?)
    }

    /// The request a step orders, signed with the account's key.
    fn request(&self, step: &Stepped) -> Result<Option<SignedBytes>, TillError> {
        let ordered = step.outputs.iter().find_map(|output| match output {
            Output::ToBank { tbs, key } => Some((tbs, *key)),
            _ => None,
        });
        let Some((tbs, key)) = ordered else { return Ok(None) };
        self.sign(tbs, key).map(Some)
    }

    fn sign(&self, tbs: &[u8], key: Kid) -> Result<SignedBytes, TillError> {
        let kind = statement::type_of(tbs)?;
        if kind != <Open as statement::Statement>::TYPE {
            return Err(TillError::Draft(kind));
        }
        let open: Open = statement::from_bytes(tbs)?;
        let signed: Verified<Open> =
            self.keys.attest(&KeyRef::of(key), &self.operator, &open, chance::now())?;
        Ok(signed.bytes().clone())
    }

    /// Stores the till with the bank's word, or says that there will be none.
    async fn end(
        &self,
        modules: &Modules,
        step: Stepped,
        bank: &PeerView,
        currency: Currency,
    ) -> Result<Till, TillError> {
        let said = step.outputs.iter().find_map(|output| match output {
            Output::Keep(signed) => Some(signed.clone()),
            _ => None,
        });
        let (Some(account), Some(signed)) = (opened(&step), said) else {
            self.keep(&step.transaction).await?;
            let code = step.outputs.iter().find_map(|output| match output {
                Output::Refused(code) => Some(code.clone()),
                _ => None,
            });
            let code = code.unwrap_or_else(|| "pay.declined".to_owned());
            return Err(TillError::Declined { address: self.address.clone(), code });
        };
        let word: Verified<Account> = signed.clone().verify(bank.certificate.key())?;
        let purse = self.purse(modules, account, word.owner, bank, currency)?;
        let now = chance::now();
        let row = Row::new()
            .with("id", 0_i64)
            .with("run", wire::encode(&step.transaction, wire::STATE_LIMIT)?)
            .with("purse", wire::encode(&purse, wire::STATE_LIMIT)?)
            .with("account", wire::encode(&signed, MESSAGE)?)
            .with("bank", bank.certificate.digest());
        let certificate = &bank.certificate;
        let evidence =
            EvidenceRecord::of(&word, None, Some(certificate.digest()), now, now.after(KEEP)).keep();
        let der = certificate.certificate().der();
        let line = format!("account {account} {currency} at {}", certificate.digest());
        let batch = Batch::new()
            .row(RowOp::put(TILL.name, row))
            .row(evidence)
            .row(keep_certificate(der, certificate.kid(), now))
            .entry(entry(Detail::of(Class::Config, "till"), line, now)?);
        commit(self.store, batch).await?;
        tracing::info!(%account, bank = %self.address, "till opened");
        Ok(Till { purse, account: signed, bank: certificate.digest() })
    }

    fn purse(
        &self,
        modules: &Modules,
        account: AccountId,
        key: Kid,
        bank: &PeerView,
        currency: Currency,
    ) -> Result<Purse, TillError> {
        let sys = sys()?;
        let descriptor = modules.descriptors().into_iter().find(|one| one.sys == sys);
        let descriptor = descriptor.ok_or(PayError::NotSupported)?;
        let scheme = bank.certificate.subject().common_name.clone();
        Ok(Purse::new(PurseArgs {
            id: PurseId::from_bytes(chance::random()?),
            kind: PurseKind::ReceiveOnly,
            name: scheme.clone(),
            system: System { sys, brand: BRAND.to_owned(), scheme },
            version: descriptor.version,
            exchange: descriptor.exchange,
            anonymity: Anonymity::Identified,
            bank: *bank.certificate.key(),
            account,
            parent: None,
            key,
            currency,
            at: chance::now(),
        }))
    }

    /// Who the bank is.
    async fn bank(&self) -> Result<PeerView, TillError> {
        let session = self.caller.call(&self.address, CertRole::Bank).await;
        session.map(|session| session.info.peer).map_err(|why| self.fault(why))
    }

    fn fault(&self, why: CallFault) -> TillError {
        TillError::Call { address: self.address.clone(), why }
    }
}

fn opened(step: &Stepped) -> Option<AccountId> {
    step.outputs.iter().find_map(|output| match output {
        Output::Opened(account) => Some(*account),
        _ => None,
    })
}

fn sys() -> Result<SysId, PayError> {
    SysId::new(SYS).map_err(|_| PayError::NotSupported)
}
