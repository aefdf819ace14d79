//! The payment manager: which modules there are, which purses, which payments are under way.
//!
//! It begins and steps the runs of modules and looks at everything they order: a purse changes only by what
//! the rules of [`Purse`] allow, a payment goes only where [`Status`] allows, and a module never takes more
//! than was approved. What it holds is data; the engine stores it with each step.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use semper_supporting::time::Moment;

use super::{
    id::{PurseId, SysId, TxId},
    module::{Descriptor, ErasedModule, Input, Op, Output, PayError, TxState},
    negotiation::{NegError, SystemOffer},
    purse::{Purse, PurseDelta},
    status::Status,
};

/// The modules a program was assembled with.
#[derive(Clone, Default)]
pub struct Modules(BTreeMap<SysId, Arc<dyn ErasedModule>>);

/// Why a module is not taken in.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AttachError {
    /// There is one of that name.
    #[error("there is a payment system {0} already")]
    Duplicate(SysId),
    /// Its descriptor cannot be written as a statement.
    #[error("the payment system {0} does not describe itself properly")]
    Descriptor(SysId),
}

impl AttachError {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Duplicate(_) => "attach.duplicate",
            Self::Descriptor(_) => "attach.version",
        }
    }
}

/// A payment under way or ended, as the manager keeps it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Transaction {
    /// Its name at this party.
    pub tx: TxId,
    /// The purse it uses; absent while the account behind it is being opened.
    pub purse: Option<PurseId>,
    /// The payment system.
    pub sys: SysId,
    /// What was asked for.
    pub op: Op,
    /// Where it stands.
    pub status: Status,
    /// The module's state.
    pub state: TxState,
}

/// What a step of a payment changes and orders, checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stepped {
    /// The payment after the step.
    pub transaction: Transaction,
    /// The purse after the step, if there is one.
    pub purse: Option<Purse>,
    /// What remains to be performed or passed on, in order.
    pub outputs: Vec<Output>,
    /// Whether the input changed nothing.
    pub refused: bool,
}

impl Modules {
    /// Takes a module in.
    ///
    /// # Errors
    /// [`AttachError`].
    pub fn attach(&mut self, module: Arc<dyn ErasedModule>) -> Result<(), AttachError> {
        let descriptor = module.descriptor();
        let sys = descriptor.sys.clone();
        if descriptor.hash().is_err() {
            return Err(AttachError::Descriptor(sys));
        }
        if self.0.contains_key(&sys) {
            return Err(AttachError::Duplicate(sys));
        }
        self.0.insert(sys, module);
        Ok(())
    }

    /// What the modules say of themselves, by name.
    pub fn descriptors(&self) -> Vec<Descriptor> {
        self.0.values().map(|module| module.descriptor()).collect()
    }

    /// The systems a payee proposes for its tills, in the order given.
    ///
    /// # Errors
    /// [`PayError::NotSupported`] for a till whose system no module runs.
    pub fn proposals(
        &self,
        tills: &[Purse],
        amount: semper_supporting::money::Money,
    ) -> Result<Vec<SystemOffer>, PayError> {
        let fitting = tills.iter().filter(|till| till.currency() == amount.currency);
        fitting
            .map(|till| {
                let descriptor = self.module(&till.system.sys)?.descriptor();
                Ok(SystemOffer {
                    system: till.system.clone(),
                    ver: descriptor.version,
                    amount,
                    fee_payer: None,
                    modes: descriptor.modes.clone(),
                    exch: descriptor.exchange,
                    props_hash: descriptor.hash()?,
                    payee: till.account,
                })
            })
            .collect()
    }

    /// Begins an operation.
    ///
    /// # Errors
    /// [`PayError`]; nothing has moved.
    pub fn start(
        &self,
        tx: TxId,
        sys: &SysId,
        purse: Option<&Purse>,
        op: Op,
        now: Moment,
    ) -> Result<Stepped, PayError> {
        if let (Op::Pay(order), Some(purse)) = (&op, purse)
            && order.amount.currency != purse.currency()
        {
            return Err(NegError::Mismatch("currency").into());
        }
        let step = self.module(sys)?.start(tx, purse, &op, now)?;
        let transaction = Transaction {
            tx,
            purse: purse.map(|purse| purse.id),
            sys: sys.clone(),
            op,
            status: Status::Created,
            state: step.state,
        };
        check(transaction, purse.cloned(), step.outputs, step.refused.is_some())
    }

    /// Gives an input to a payment.
    ///
    /// # Errors
    /// [`PayError`]; payment and purse are then as they were.
    pub fn step(
        &self,
        transaction: &Transaction,
        purse: Option<&Purse>,
        input: Input,
    ) -> Result<Stepped, PayError> {
        let step = self.module(&transaction.sys)?.step(&transaction.state, input)?;
        let transaction = Transaction { state: step.state, ..transaction.clone() };
        check(transaction, purse.cloned(), step.outputs, step.refused.is_some())
    }

    fn module(&self, sys: &SysId) -> Result<&Arc<dyn ErasedModule>, PayError> {
        self.0.get(sys).ok_or(PayError::NotSupported)
    }
}

/// Applies what a module ordered, and refuses the whole step where it may not order that.
fn check(
    mut transaction: Transaction,
    mut purse: Option<Purse>,
    outputs: Vec<Output>,
    refused: bool,
) -> Result<Stepped, PayError> {
    let mut rest = Vec::with_capacity(outputs.len());
    let mut refunded = false;
    for output in outputs {
        match &output {
            Output::Purse(delta) => {
                let before = purse.as_ref().ok_or(PayError::Module("a change of no purse"))?;
                within(&transaction, delta)?;
                if let PurseDelta::Put(..) = delta {
                    let aside = before.apply(&PurseDelta::Take(transaction.tx)).is_ok();
                    if aside || refunded || transaction.status.is_final() {
                        return Err(INVENTED);
                    }
                    refunded = true;
                }
                purse = Some(before.apply(delta)?);
            }
            Output::Status(next) => {
                if !transaction.status.may_become(*next) {
                    return Err(PayError::Module("a payment does not go there from here"));
                }
                transaction.status = *next;
            }
            Output::ToBank { .. }
            | Output::Wake(_)
            | Output::Funds(_)
            | Output::Opened(_)
            | Output::Closed
            | Output::Keep(_)
            | Output::Refused(_) => {}
        }
        rest.push(output);
    }
    if refunded && transaction.status != Status::Refunded {
        return Err(INVENTED);
    }
    Ok(Stepped { transaction, purse, outputs: rest, refused })
}

/// Value is set aside before the payment is under way, and taken after.
const OUT_OF_TURN: PayError = PayError::Module("value set aside or taken out of turn");

/// Value comes back into a purse once, in the step that ends the payment as refunded.
const INVENTED: PayError = PayError::Module("value came back without a refund");

/// A payment reserves, takes and returns what was approved, under its own name, once, and nothing else.
fn within(transaction: &Transaction, delta: &PurseDelta) -> Result<(), PayError> {
    let (tx, amount) = match (&transaction.op, delta) {
        (Op::Pay(order), PurseDelta::Reserve(tx, amount)) => (tx, (*amount == order.amount).then_some(())),
        (Op::Pay(_), PurseDelta::Take(tx) | PurseDelta::Return(tx)) => (tx, Some(())),
        (Op::Pay(order), PurseDelta::Put(amount, _)) => {
            (&transaction.tx, (*amount == order.amount).then_some(()))
        }
        _ => return Err(PayError::Module("a change of a purse by this operation")),
    };
    // No status leads back to the first two: what is set aside once is taken once.
    let begun = !matches!(transaction.status, Status::Created | Status::Approved);
    match (delta, *tx == transaction.tx, amount) {
        (PurseDelta::Reserve(..), true, Some(())) if begun => Err(OUT_OF_TURN),
        (PurseDelta::Take(_), true, Some(())) if !begun => Err(OUT_OF_TURN),
        (_, true, Some(())) => Ok(()),
        _ => Err(PayError::Module("another payment or amount than was approved")),
    }
}
