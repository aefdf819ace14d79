//! The form of a payment module: typed as it is written, erased as the manager holds it.
//!
//! A module is three machines and a descriptor. It knows nothing of sockets, clocks or files: what it wants
//! sent to a bank it puts out as a draft, which is signed with the purse's key before the step is stored;
//! the manager checks every change of a purse it orders.

use serde::{Deserialize, Serialize};

use semper_supporting::{
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    deal::{Anonymity, Xid},
    evidence::{
        SignedBytes, Statement,
        statement::{self, StatementError},
    },
    machine::{Machine, Refused},
    money::{Currency, Money},
    time::Moment,
    wire::{self, Record, WireError},
};

use super::{
    id::{AccountId, MsgId, PayRef, SysId, TxId, derive},
    message::AccountKind,
    negotiation::{ExchangeNeeds, Mode, NegError},
    purse::{Purse, PurseDelta, PurseError},
    status::Status,
};

/// Where the value is before a payment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentModel {
    /// In the payer's purse.
    Cash,
    /// On an account at a bank, which executes orders.
    Account,
    /// In a signed promise that travels.
    Cheque,
}

/// When a payee can rely on a payment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finality {
    /// At once.
    Immediate,
    /// When the window named in the payment has ended.
    AfterWindow,
}

/// What a module says of itself. Static, and hashed into every negotiation.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Descriptor {
    /// Its protocol.
    pub sys: SysId,
    /// Major and minor version of the protocol on the wire.
    pub version: (u16, u16),
    /// Its name for people.
    pub title: String,
    /// Where the value is before a payment.
    pub model: PaymentModel,
    /// The modes it offers, preferred first.
    pub modes: Vec<Mode>,
    /// The currencies it carries.
    pub currencies: Vec<Currency>,
    /// What it can do for an exchange.
    pub exchange: ExchangeNeeds,
    /// How little the payee learns about the payer.
    pub payer_to_payee: Anonymity,
    /// How little the bank learns about the payment.
    pub payer_to_bank: Anonymity,
    /// When a payee can rely on it.
    pub finality: Finality,
    /// Whether its value is simulated.
    pub simulated: bool,
}

impl Statement for Descriptor {
    const TYPE: &'static str = "pay/descriptor";
}

impl Descriptor {
    /// The hash by which negotiation names it.
    ///
    /// # Errors
    /// [`StatementError`] for a descriptor that cannot be written.
    pub fn hash(&self) -> Result<Digest, StatementError> {
        statement::to_bytes(self).map(|bytes| derive("props", &[&bytes]))
    }
}

/// Everything one payment is about, fixed by the agreement of both sides.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct PaymentOrder {
    /// The payment, at both sides.
    pub reference: PayRef,
    /// The exchange it stands in.
    pub exch: Option<Xid>,
    /// The account to be credited.
    pub payee: AccountId,
    /// How much.
    pub amount: Money,
    /// The third party that may freeze it and order it back.
    pub arbiter: Option<Kid>,
    /// Until when.
    pub until: Option<Moment>,
}

/// What can be asked of a module.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Op {
    /// Pays.
    Pay(PaymentOrder),
    /// Expects a payment.
    Receive(PaymentOrder),
    /// Opens an account at a bank under a key of this party's.
    Open(Box<Opening>),
    /// Moves value from the account into the purse.
    Load(Money),
    /// Moves value from the purse back to the account.
    Unload(Money),
    /// Asks the bank what is in the purse.
    Inspect,
    /// Closes the account of the purse, in which nothing may be left.
    Close,
}

/// The account that is to be opened.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Opening {
    /// The bank's key.
    pub bank: PublicKey,
    /// The account's key.
    pub key: PublicKey,
    /// The holder's certificate.
    pub holder: Digest,
    /// What the account is for.
    pub kind: AccountKind,
    /// Its currency.
    pub currency: Currency,
    /// For a purse: the account it is loaded from.
    pub parent: Option<AccountId>,
}

/// One thing that happens to a run of a module.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Input {
    /// When.
    pub now: Moment,
    /// What.
    pub event: Event,
}

/// What happens to a run of a module. Whatever comes from outside is checked inside.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Event {
    /// The bank answered, or somebody brought a record of the bank's.
    Bank(BankReply),
    /// The bank could not be reached, or did not answer.
    Unreachable,
    /// The timer has run out.
    Timer,
    /// The user or the layer above no longer wants it.
    Cancel,
}

/// What a bank answers.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum BankReply {
    /// A signed statement: a record, an account, a balance, a refusal.
    Signed(SignedBytes),
    /// The payment asked about has not happened; it may happen still.
    NotYet,
    /// The request was not understood or not allowed; nothing was done.
    Refused(String),
}

/// What a run of a module orders.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Output {
    /// Signs these bytes of a statement with the key, and sends them to the bank.
    ToBank {
        /// The exact bytes.
        tbs: Vec<u8>,
        /// The key that signs: the purse's or the account's.
        key: Kid,
    },
    /// Asks to be woken.
    Wake(Moment),
    /// Changes what is in the purse.
    Purse(PurseDelta),
    /// The bank's books say that this much is in the purse.
    Funds(Money),
    /// The bank opened an account.
    Opened(AccountId),
    /// The account is closed.
    Closed,
    /// The payment stands here now.
    Status(Status),
    /// Keeps a signed statement as evidence.
    Keep(SignedBytes),
    /// Tells the layer above that nothing was done, and why.
    Refused(String),
}

/// A payment module, as it is written.
pub trait PaymentModule: Send + Sync + 'static {
    /// The side that pays.
    type Payer: Machine<Input = Input, Output = Output>;
    /// The side that is paid.
    type Payee: Machine<Input = Input, Output = Output>;
    /// The side that opens, loads, unloads and closes.
    type Holder: Machine<Input = Input, Output = Output>;

    /// What it says of itself.
    fn descriptor(&self) -> Descriptor;

    /// Begins to pay.
    ///
    /// # Errors
    /// [`PayError`]; nothing has moved.
    fn pay(
        &self,
        tx: TxId,
        purse: &Purse,
        order: &PaymentOrder,
        now: Moment,
    ) -> Result<Run<Self::Payer>, PayError>;

    /// Begins to expect a payment.
    ///
    /// # Errors
    /// [`PayError`]; nothing has moved.
    fn receive(
        &self,
        tx: TxId,
        till: &Purse,
        order: &PaymentOrder,
        now: Moment,
    ) -> Result<Run<Self::Payee>, PayError>;

    /// Begins to open, load, unload, inspect or close; `purse` is absent only for [`Op::Open`].
    ///
    /// # Errors
    /// [`PayError`]; nothing has moved.
    fn hold(
        &self,
        tx: TxId,
        purse: Option<&Purse>,
        op: &Op,
        now: Moment,
    ) -> Result<Run<Self::Holder>, PayError>;
}

/// A step of a module, before the manager has looked at it.
pub type Run<M> = semper_supporting::machine::Step<M>;

/// Why a payment operation is refused or has failed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PayError {
    /// The module does not do this.
    #[error("this payment system does not do that")]
    NotSupported,
    /// A payment of nothing.
    #[error("a payment of nothing is not a payment")]
    ZeroAmount,
    /// The state of a run is not of this module, or of a newer one.
    #[error("the stored state of the payment is not readable")]
    State(#[from] WireError),
    /// A message cannot be written or read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The purse refuses.
    #[error(transparent)]
    Purse(#[from] PurseError),
    /// The negotiation does not fit.
    #[error(transparent)]
    Negotiation(#[from] NegError),
    /// The module ordered something it may not order.
    #[error("the payment module broke its rules: {0}")]
    Module(&'static str),
}

impl PayError {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSupported => "pay.not-supported",
            Self::ZeroAmount => "pay.zero-amount",
            Self::State(_) => "pay.state",
            Self::Statement(error) => error.code(),
            Self::Purse(error) => error.code(),
            Self::Negotiation(error) => error.code(),
            Self::Module(_) => "module.failed",
        }
    }
}

/// Which of a module's machines a stored run is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Side {
    /// The side that pays.
    Payer,
    /// The side that is paid.
    Payee,
    /// The side that opens, loads, unloads and closes.
    Holder,
}

/// A run of a module as it is stored: bytes with a version, which only the module reads.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct TxState {
    /// Which machine it is.
    pub side: Side,
    /// The version of the bytes: the major version of the module.
    pub version: u16,
    /// The machine.
    pub bytes: Vec<u8>,
}

/// A step in the form the manager holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ErasedStep {
    /// The run after the step.
    pub state: TxState,
    /// Its orders.
    pub outputs: Vec<Output>,
    /// Why the input changed nothing, when it did not.
    pub refused: Option<Refused>,
}

/// A payment module as the manager holds it, in process or in another.
pub trait ErasedModule: Send + Sync + 'static {
    /// What it says of itself.
    fn descriptor(&self) -> Descriptor;

    /// Begins a run.
    ///
    /// # Errors
    /// [`PayError`]; nothing has moved.
    fn start(&self, tx: TxId, purse: Option<&Purse>, op: &Op, now: Moment) -> Result<ErasedStep, PayError>;

    /// Takes one step of a run.
    ///
    /// # Errors
    /// [`PayError`]; the run is then as it was.
    fn step(&self, state: &TxState, input: Input) -> Result<ErasedStep, PayError>;
}

/// A typed module in the form the manager holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Erased<M>(pub M);

impl<M: PaymentModule> ErasedModule for Erased<M> {
    fn descriptor(&self) -> Descriptor {
        self.0.descriptor()
    }

    fn start(&self, tx: TxId, purse: Option<&Purse>, op: &Op, now: Moment) -> Result<ErasedStep, PayError> {
        let version = self.descriptor().version.0;
        match (op, purse) {
            (Op::Pay(order) | Op::Receive(order), _) if order.amount.is_zero() => Err(PayError::ZeroAmount),
            (Op::Pay(order), Some(purse)) => erase(Side::Payer, version, self.0.pay(tx, purse, order, now)?),
            (Op::Receive(order), Some(till)) => {
                erase(Side::Payee, version, self.0.receive(tx, till, order, now)?)
            }
            (Op::Pay(_) | Op::Receive(_), None) => Err(PayError::NotSupported),
            (Op::Open(_) | Op::Load(_) | Op::Unload(_) | Op::Inspect | Op::Close, purse) => {
                erase(Side::Holder, version, self.0.hold(tx, purse, op, now)?)
            }
        }
    }

    fn step(&self, state: &TxState, input: Input) -> Result<ErasedStep, PayError> {
        if state.version != self.descriptor().version.0 {
            return Err(PayError::Module("state of another version"));
        }
        match state.side {
            Side::Payer => forward::<M::Payer>(state, input),
            Side::Payee => forward::<M::Payee>(state, input),
            Side::Holder => forward::<M::Holder>(state, input),
        }
    }
}

fn forward<M: Machine<Input = Input, Output = Output>>(
    state: &TxState,
    input: Input,
) -> Result<ErasedStep, PayError> {
    let machine: M = wire::decode(&state.bytes, wire::STATE_LIMIT)?;
    erase(state.side, state.version, machine.step(input))
}

fn erase<M: Record + Machine<Input = Input, Output = Output>>(
    side: Side,
    version: u16,
    step: Run<M>,
) -> Result<ErasedStep, PayError> {
    let bytes = wire::encode(&step.state, wire::STATE_LIMIT)?;
    Ok(ErasedStep { state: TxState { side, version, bytes }, outputs: step.outputs, refused: step.refused })
}

/// Message number `n` of the run `tx`: the same run asks with the same id, so that a bank sees the repeat.
pub fn message_id(tx: &TxId, n: u32) -> MsgId {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, ..] =
        *derive("msg", &[tx.as_bytes(), &n.to_be_bytes()]).as_bytes();
    MsgId::from_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q])
}
