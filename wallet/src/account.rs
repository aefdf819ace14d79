//! Accounts and purses: what a wallet holds at banks, and how it comes to hold it.
//!
//! ```text
//! module drafts -> person confirms -> run and signed request kept -> bank asked -> answer kept, run gone
//! ```
//!
//! The module's machine decides. A request is signed once and kept before it leaves; whoever is interrupted
//! sends the same bytes again, and a bank answers the same bytes alike. So there is one account however often
//! the program was killed, and a person who declines leaves nothing behind.

mod fault;
mod run;
mod table;

use std::sync::Arc;

use semper_archive_sqlite::SqliteArchive;
use semper_host::{Papers, chance};
use semper_payment_sim::{BRAND, SYS, Sim};
use semper_supporting::{
    comm::address::{Endpoint, Surroundings},
    crypto::{digest::Digest, keys::KeyPurpose},
    deal::Anonymity,
    money::{Currency, Money},
};
use semper_trade::calls::Caller;
use semper_transfer::payment::{
    AccountId, Modules, Op, PayError, Purse, PurseId, SysId,
    facts::AtBank,
    message::AccountKind,
    module::{Erased, Opening},
    purse::{PurseArgs, PurseKind, PurseState, System},
};

pub use self::{
    fault::AccountFault,
    table::{ACCOUNT, Account, PURSE, RUN, accounts, keep_purse, purse_of, purses},
};
use self::{
    run::{Counter, Done},
    table::{Work, all_interrupted, interrupted},
};
use crate::{consent::Consent, membership::certificate_of, places::Places};

/// The owner's accounts and purses at banks.
#[derive(Clone)]
pub struct Accounts {
    consent: Consent,
    caller: Caller,
    modules: Arc<Modules>,
}

impl Accounts {
    /// The accounts of the person who gives `consent`, at banks that `caller` reaches.
    ///
    /// # Errors
    /// [`AccountFault::Module`] if the payment systems of this program cannot be used.
    pub fn new(consent: Consent, caller: Caller) -> Result<Self, AccountFault> {
        let mut modules = Modules::default();
        modules.attach(Arc::new(Erased(Sim)))?;
        Ok(Self { consent, caller, modules: Arc::new(modules) })
    }

    /// The payment systems of this program.
    pub fn modules(&self) -> &Arc<Modules> {
        &self.modules
    }

    /// The account at the bank that answers at `bank`, and a purse called `name` that is loaded from it; opens
    /// what is not there yet, or goes on with opening it.
    ///
    /// # Errors
    /// [`AccountFault`]; calling again goes on where it stopped.
    pub async fn open(&self, bank: &Endpoint, name: &str, currency: Currency) -> Result<Purse, AccountFault> {
        let counter = self.counter(bank).await?;
        let account = match self.account_at(&counter, currency).await? {
            Some(account) => {
                account.moved_to(bank, self.store()).await?;
                account.id
            }
            None => {
                let work = Work::Account { bank: counter.kid(), address: bank.to_string(), currency };
                match self.opened(&counter, work, name, currency).await? {
                    Done::Account(id) => id,
                    Done::Purse(_) => return Err(AccountFault::Answer),
                }
            }
        };
        if let Some(purse) = self.purse_of(account, name).await? {
            return Ok(purse);
        }
        let work = Work::Purse { address: bank.to_string(), name: name.to_owned(), parent: account };
        match self.opened(&counter, work, name, currency).await? {
            Done::Purse(purse) => Ok(*purse),
            Done::Account(_) => Err(AccountFault::Answer),
        }
    }

    /// Goes on with the run that does this work, or begins it.
    async fn opened(
        &self,
        counter: &Counter,
        work: Work,
        name: &str,
        currency: Currency,
    ) -> Result<Done, AccountFault> {
        let run = match interrupted(self.store(), &work).await? {
            Some(run) => run,
            None => {
                let wallet = self.consent.wallet();
                let key = wallet.key(KeyPurpose::Account).await?;
                let (kind, parent) = match &work {
                    Work::Purse { parent, .. } => (AccountKind::Purse, Some(*parent)),
                    Work::Account { .. } | Work::Operation { .. } => (AccountKind::Customer, None),
                };
                let opening = Opening {
                    bank: *counter.peer.certificate.key(),
                    key: wallet.keys.public(&key)?,
                    holder: self.holder().await?,
                    kind,
                    currency,
                    parent,
                };
                let at = self.at_bank(counter, name)?;
                self.begin(work, None, Op::Open(Box::new(opening)), &at, counter.kid()).await?
            }
        };
        self.settle(counter, run).await
    }

    /// Moves money from the account into the purse, as the person confirms.
    ///
    /// # Errors
    /// [`AccountFault::Interrupted`] while an earlier request about this purse is undecided: [`Accounts::go_on`]
    /// comes first, so that nothing is moved twice.
    pub async fn load(&self, purse: PurseId, amount: Money) -> Result<Purse, AccountFault> {
        self.operate(purse, Op::Load(amount)).await
    }

    /// Moves money from the purse back to the account, as the person confirms.
    ///
    /// # Errors
    /// As [`Accounts::load`].
    pub async fn unload(&self, purse: PurseId, amount: Money) -> Result<Purse, AccountFault> {
        self.operate(purse, Op::Unload(amount)).await
    }

    /// Asks the bank what is in the purse. Nobody is asked for that.
    ///
    /// # Errors
    /// As [`Accounts::load`].
    pub async fn inspect(&self, purse: PurseId) -> Result<Purse, AccountFault> {
        self.operate(purse, Op::Inspect).await
    }

    /// Closes a purse in which nothing is left, as the person confirms.
    ///
    /// # Errors
    /// As [`Accounts::load`].
    pub async fn close(&self, purse: PurseId) -> Result<Purse, AccountFault> {
        self.operate(purse, Op::Close).await
    }

    async fn operate(&self, id: PurseId, op: Op) -> Result<Purse, AccountFault> {
        let purse = self.purse(id).await?;
        let work = Work::Operation { purse: id };
        if interrupted(self.store(), &work).await?.is_some() {
            return Err(AccountFault::Interrupted);
        }
        if let Op::Load(amount) | Op::Unload(amount) = &op
            && amount.is_zero()
        {
            return Err(PayError::ZeroAmount.into());
        }
        let counter = self.counter(&self.address_of(&purse).await?).await?;
        let at = self.at_bank(&counter, &purse.name)?.with_purse(&purse)?;
        let run = self.begin(work, Some(&purse), op, &at, counter.kid()).await?;
        match self.settle(&counter, run).await? {
            Done::Purse(purse) => Ok(*purse),
            Done::Account(_) => Err(AccountFault::Answer),
        }
    }

    /// Finishes what was interrupted: everything that was confirmed and whose answer is not here. Nobody is
    /// asked again. Says how much there was.
    ///
    /// # Errors
    /// [`AccountFault`] of the first that cannot be finished now.
    pub async fn go_on(&self) -> Result<usize, AccountFault> {
        let begun = all_interrupted(self.store()).await?;
        let count = begun.len();
        for run in begun {
            let address = match &run.work {
                Work::Account { address, .. } | Work::Purse { address, .. } => {
                    Endpoint::parse(address, self.surroundings().await?)?
                }
                Work::Operation { purse } => self.address_of(&self.purse(*purse).await?).await?,
            };
            let counter = self.counter(&address).await?;
            self.settle(&counter, run).await?;
        }
        Ok(count)
    }

    /// The purses, in the order in which they were opened.
    ///
    /// # Errors
    /// [`AccountFault::Store`].
    pub async fn purses(&self) -> Result<Vec<Purse>, AccountFault> {
        Ok(purses(self.store()).await?)
    }

    /// The accounts.
    ///
    /// # Errors
    /// [`AccountFault::Store`].
    pub async fn accounts(&self) -> Result<Vec<Account>, AccountFault> {
        Ok(accounts(self.store()).await?)
    }

    /// The purse of this name.
    ///
    /// # Errors
    /// [`AccountFault::NoPurse`].
    pub async fn purse(&self, id: PurseId) -> Result<Purse, AccountFault> {
        self.purses().await?.into_iter().find(|purse| purse.id == id).ok_or(AccountFault::NoPurse)
    }

    async fn purse_of(&self, account: AccountId, name: &str) -> Result<Option<Purse>, AccountFault> {
        let open = |purse: &Purse| purse.state != PurseState::Deleted;
        let mut all = self.purses().await?.into_iter().filter(open);
        Ok(all.find(|purse| purse.parent == Some(account) && purse.name == name))
    }

    async fn account_at(&self, bank: &Counter, currency: Currency) -> Result<Option<Account>, AccountFault> {
        let mut all = self.accounts().await?.into_iter();
        Ok(all.find(|account| account.bank == bank.kid() && account.currency == currency))
    }

    /// Where the bank of a purse is.
    async fn address_of(&self, purse: &Purse) -> Result<Endpoint, AccountFault> {
        let account = self.accounts().await?.into_iter().find(|account| Some(account.id) == purse.parent);
        Ok(account.ok_or(AccountFault::NoPurse)?.address(self.surroundings().await?)?)
    }

    /// What a person is shown of a bank, about something called `name`.
    fn at_bank(&self, counter: &Counter, name: &str) -> Result<AtBank, AccountFault> {
        let trusted = self.caller.trust().snapshot();
        let bank = &counter.peer.certificate;
        let issuer = bank.issuer_name(&trusted).ok_or(AccountFault::Issuer)?;
        Ok(AtBank::new(bank, &issuer, &sys()?, name)?)
    }

    /// The certificate that is shown in connections: the bank's account is its holder's.
    async fn holder(&self) -> Result<Digest, AccountFault> {
        let papers = Papers::load(self.store()).await?;
        let key = self.consent.wallet().key(KeyPurpose::Auth).await?;
        Ok(certificate_of(&papers, key.kid()).ok_or(AccountFault::NotRegistered)?.digest())
    }

    async fn surroundings(&self) -> Result<Surroundings, AccountFault> {
        Ok(Places::load(self.store()).await?.surroundings)
    }

    fn store(&self) -> &SqliteArchive {
        self.consent.wallet().archive.as_ref()
    }

    /// The purse of an account that the bank has opened.
    fn new_purse(
        &self,
        name: &str,
        account: AccountId,
        parent: AccountId,
        opening: &Opening,
        bank: &Counter,
    ) -> Result<Purse, AccountFault> {
        let sys = sys()?;
        let descriptor = self.modules.descriptors().into_iter().find(|one| one.sys == sys);
        let descriptor = descriptor.ok_or(PayError::NotSupported)?;
        let scheme = bank.peer.certificate.subject().common_name.clone();
        Ok(Purse::new(PurseArgs {
            id: PurseId::from_bytes(chance::random()?),
            kind: PurseKind::PayOnly,
            name: name.to_owned(),
            system: System { sys, brand: BRAND.to_owned(), scheme },
            version: descriptor.version,
            exchange: descriptor.exchange,
            anonymity: Anonymity::Identified,
            bank: opening.bank,
            account,
            parent: Some(parent),
            key: opening.key.kid(),
            currency: opening.currency,
            at: chance::now(),
        }))
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts(…)")
    }
}

/// The one payment system of this program.
fn sys() -> Result<SysId, PayError> {
    SysId::new(SYS).map_err(|_| PayError::NotSupported)
}
