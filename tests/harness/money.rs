//! What a person does with money: accounts and purses at the bank, through the payment manager.

use std::sync::Arc;

use semper_comm_tls::Session;
use semper_host::chance::{self, now};
use semper_payment_sim::{BRAND, SYS, Sim};
use semper_supporting::{
    certificate::CertRole,
    comm::{
        address::Endpoint,
        envelope::Envelope,
        frame::{Frame, Kind},
    },
    crypto::{digest::Digest, keys::KeyPurpose, signature::PublicKey},
    deal::Anonymity,
    evidence::{SignedBytes, Statement, statement},
    money::{Currency, Money},
    wire,
};
use semper_transfer::payment::{
    AccountId, Modules, Op, PayRef, PaymentOrder, Purse, PurseId, Status, Stepped, SysId, Transaction, TxId,
    message::{AccountKind, Close, Inspect, Load, Open, Pay, Query, Unload},
    module::{BankReply, Erased, Event, Input, Opening, Output},
    negotiation::ExchangeNeeds,
    purse::{PurseArgs, PurseKind, System},
};

use crate::{
    failure::{Failure, Result},
    person::{Person, Unanswered, ask},
    shopper::BANK,
};

/// The longest request or answer in bytes.
const LIMIT: usize = 64 << 10;

/// A customer's account with its purse.
#[derive(Clone, Debug)]
pub struct Account {
    /// The account.
    pub account: AccountId,
    /// The purse, as the program keeps it.
    pub purse: Purse,
}

/// Where a merchant takes payments.
#[derive(Clone, Debug)]
pub struct Till {
    /// The till, as the program keeps it.
    pub purse: Purse,
}

/// What became of an operation.
#[derive(Clone, Debug)]
pub struct Done {
    /// The operation, as the manager keeps it.
    pub transaction: Transaction,
    /// The purse after it, where one was used.
    pub purse: Option<Purse>,
    /// The exact request.
    pub request: SignedBytes,
    /// What the bank answered.
    pub reply: BankReply,
    /// What the module told its program, beside requests, purse and status.
    pub told: Vec<Output>,
}

/// An operation whose request is signed and not answered.
#[derive(Clone, Debug)]
pub struct Begun {
    stepped: Stepped,
    /// The exact request.
    pub request: SignedBytes,
}

/// A connection to the bank, and the bank's key.
#[derive(Debug)]
pub struct Counter {
    session: Session,
    /// The bank's key, as its certificate has it.
    pub bank: PublicKey,
    /// The bank's certificate.
    pub certificate: Digest,
}

impl Person {
    /// Calls the bank.
    ///
    /// # Errors
    /// [`Failure`] with why there is no connection.
    pub async fn bank(&mut self, at: &Endpoint) -> Result<Counter> {
        let session = self.call(at, CertRole::Bank).await?;
        let session = session.map_err(|why| Failure::of("the bank", why))?;
        let certificate = &session.info.peer.certificate;
        let (bank, certificate) = (*certificate.key(), certificate.digest());
        Ok(Counter { session, bank, certificate })
    }

    /// Opens an account and a purse that is loaded from it.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn open_account(&mut self, counter: &mut Counter) -> Result<Account> {
        let account = self.open(counter, AccountKind::Customer, None).await?;
        let purse = self.open(counter, AccountKind::Purse, Some(account)).await?;
        let purse = self.purse(counter, PurseKind::PayOnly, purse, Some(account))?;
        Ok(Account { account, purse })
    }

    /// Calls the bank and opens an account for a merchant's payments.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn till_at(&mut self, at: &Endpoint) -> Result<Till> {
        let mut counter = self.bank(at).await?;
        self.open_till(&mut counter).await
    }

    /// Opens an account for a merchant's payments.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn open_till(&mut self, counter: &mut Counter) -> Result<Till> {
        let account = self.open(counter, AccountKind::Merchant, None).await?;
        Ok(Till { purse: self.purse(counter, PurseKind::ReceiveOnly, account, None)? })
    }

    async fn open(
        &mut self,
        counter: &mut Counter,
        kind: AccountKind,
        parent: Option<AccountId>,
    ) -> Result<AccountId> {
        let opening = Opening {
            bank: counter.bank,
            key: self.account_key()?,
            holder: self.holder()?,
            kind,
            currency: Currency::XTS,
            parent,
        };
        let done = self.perform(counter, None, Op::Open(Box::new(opening))).await?;
        let opened = done.told.iter().find_map(|output| match output {
            Output::Opened(account) => Some(*account),
            _ => None,
        });
        opened.ok_or_else(|| Failure::of("no account", words(&done.reply)))
    }

    fn purse(
        &self,
        counter: &Counter,
        kind: PurseKind,
        account: AccountId,
        parent: Option<AccountId>,
    ) -> Result<Purse> {
        Ok(Purse::new(PurseArgs {
            id: PurseId::from_bytes(chance::random()?),
            kind,
            name: "Purse".into(),
            system: System { sys: sys()?, brand: BRAND.into(), scheme: BANK.into() },
            version: (1, 0),
            exchange: ExchangeNeeds { verifiable: true, revocable: true, generatable: false },
            anonymity: Anonymity::Identified,
            bank: counter.bank,
            account,
            parent,
            key: self.key(KeyPurpose::Account)?.kid(),
            currency: Currency::XTS,
            at: now(),
        }))
    }

    /// Does one operation with a purse, which is afterwards as the bank's books say.
    ///
    /// # Errors
    /// [`Failure`], also if the connection falls: the operation is then undecided.
    pub async fn operate(&mut self, counter: &mut Counter, purse: &mut Purse, op: Op) -> Result<Done> {
        let done = self.perform(counter, Some(purse), op).await?;
        if let Some(after) = &done.purse {
            *purse = after.clone();
        }
        Ok(done)
    }

    /// Pays from a purse what an order says.
    ///
    /// # Errors
    /// As [`Person::operate`].
    pub async fn pay(
        &mut self,
        counter: &mut Counter,
        purse: &mut Purse,
        order: &PaymentOrder,
    ) -> Result<Done> {
        self.operate(counter, purse, Op::Pay(order.clone())).await
    }

    async fn perform(&mut self, counter: &mut Counter, purse: Option<&Purse>, op: Op) -> Result<Done> {
        let begun = self.begin(purse, op)?;
        let reply = counter.ask(&begun.request).await?;
        begun.settle(reply)
    }

    /// Begins an operation: everything up to the signed request, which is not sent.
    ///
    /// # Errors
    /// [`Failure`] if the manager or the module refuses.
    pub fn begin(&self, purse: Option<&Purse>, op: Op) -> Result<Begun> {
        let tx = TxId::from_bytes(chance::random()?);
        let stepped = modules()?.start(tx, &sys()?, purse, op, now())?;
        let request = self.draft(&stepped)?;
        Ok(Begun { stepped, request })
    }

    /// Signs the request that a step orders.
    fn draft(&self, stepped: &Stepped) -> Result<SignedBytes> {
        let drafted = stepped.outputs.iter().find_map(|output| match output {
            Output::ToBank { tbs, .. } => Some(tbs),
            _ => None,
        });
        self.sign_draft(drafted.ok_or_else(|| Failure::new("the module asks the bank nothing"))?)
    }

    /// Signs a request to the bank with the key of the account.
    ///
    /// # Errors
    /// [`Failure`] for what is no request to a bank.
    pub fn sign_draft(&self, tbs: &[u8]) -> Result<SignedBytes> {
        let key = self.key(KeyPurpose::Account)?;
        let kind = statement::type_of(tbs)?;
        match kind.as_str() {
            Open::TYPE => self.sign::<Open>(&key, tbs),
            Load::TYPE => self.sign::<Load>(&key, tbs),
            Unload::TYPE => self.sign::<Unload>(&key, tbs),
            Close::TYPE => self.sign::<Close>(&key, tbs),
            Inspect::TYPE => self.sign::<Inspect>(&key, tbs),
            Pay::TYPE => self.sign::<Pay>(&key, tbs),
            Query::TYPE => self.sign::<Query>(&key, tbs),
            other => Err(Failure::of("no request to a bank", other)),
        }
    }
}

impl Counter {
    /// Asks the bank exactly this.
    ///
    /// # Errors
    /// [`Failure`] if it does not answer.
    pub async fn ask(&mut self, request: &SignedBytes) -> Result<BankReply> {
        let answer = self.ask_bytes(wire::encode(request, LIMIT)?).await?;
        answer.map_err(|why| Failure::of("the bank gave no answer", format!("{why:?}")))
    }

    /// Asks the bank with these bytes in an envelope.
    ///
    /// # Errors
    /// [`Failure`] for an answer that is none.
    pub async fn ask_bytes(&mut self, body: Vec<u8>) -> Result<std::result::Result<BankReply, Unanswered>> {
        let frame = Envelope::unnumbered(None, body).frame(Kind::Payment, 0)?;
        self.ask_frame(frame).await
    }

    /// Asks the bank with this frame.
    ///
    /// # Errors
    /// [`Failure`] for an answer that is none.
    pub async fn ask_frame(&mut self, frame: Frame) -> Result<std::result::Result<BankReply, Unanswered>> {
        match ask(&mut self.session, frame).await? {
            Ok(frame) => Ok(Ok(wire::decode(&Envelope::read(&frame)?.body, LIMIT)?)),
            Err(why) => Ok(Err(why)),
        }
    }
}

impl Begun {
    /// What the operation came to with this answer of the bank.
    ///
    /// # Errors
    /// [`Failure`] if the answer is to something else.
    pub fn settle(self, reply: BankReply) -> Result<Done> {
        let Self { stepped, request } = self;
        let input = Input { now: now(), event: Event::Bank(reply.clone()) };
        let stepped = modules()?.step(&stepped.transaction, stepped.purse.as_ref(), input)?;
        if stepped.refused {
            return Err(Failure::of("the bank's answer changes nothing", words(&reply)));
        }
        let Stepped { transaction, mut purse, outputs: told, .. } = stepped;
        for output in &told {
            if let (Output::Funds(funds), Some(before)) = (output, &purse) {
                purse = Some(before.reconciled(*funds, now())?);
            }
        }
        Ok(Done { transaction, purse, request, reply, told })
    }
}

impl Done {
    /// Fails unless the operation came to `status`.
    ///
    /// # Errors
    /// [`Failure`] with what it came to.
    pub fn must_be(&self, status: Status) -> Result<()> {
        if self.transaction.status == status {
            return Ok(());
        }
        Err(Failure::new(format!("{:?}, not {status:?}: {}", self.transaction.status, words(&self.reply))))
    }
}

/// An answer of the bank as its reader wants it.
pub fn words(reply: &BankReply) -> String {
    match reply {
        BankReply::Signed(signed) => String::from_utf8_lossy(&signed.tbs).into_owned(),
        BankReply::NotYet => "not yet".into(),
        BankReply::Refused(code) => format!("refused: {code}"),
    }
}

/// An order of `amount` to a till outside any exchange, for good at once.
///
/// # Errors
/// [`Failure`] if the system has no random bytes.
pub fn order(till: &Till, amount: Money) -> Result<PaymentOrder> {
    let reference = PayRef::from_bytes(chance::random()?);
    Ok(PaymentOrder { reference, exch: None, payee: till.purse.account, amount, arbiter: None, until: None })
}

/// An amount as people write it.
///
/// # Errors
/// [`Failure`] for what is none.
pub fn money(text: &str) -> Result<Money> {
    Ok(Money::parse(text)?)
}

fn sys() -> Result<SysId> {
    SysId::new(SYS).map_err(|_| Failure::new("a payment system has a plain name"))
}

fn modules() -> Result<Modules> {
    let mut modules = Modules::default();
    modules.attach(Arc::new(Erased(Sim)))?;
    Ok(modules)
}
