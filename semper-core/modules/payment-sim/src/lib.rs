//! `sim`: the simulated payment system. One bank keeps accounts and purses; the payer signs an order to it,
//! and the payee gets the bank's signed record.
//!
//! Account-based: payer, payee and bank know each other's accounts. A payment can be frozen before it
//! happened and ordered back within a window after it, by the third party it names; until the window ends,
//! the payee's credit is pending. Its money is simulated and has no value anywhere; what its messages prove
//! is real.

pub mod bank;
mod descriptor;
pub mod exchange;
pub mod holder;
pub mod payee;
pub mod payer;
mod record;

use semper_supporting::time::Moment;
use semper_transfer::payment::{
    Op, PayError, PaymentModule, PaymentOrder, Purse, TxId,
    module::{Descriptor, Run},
};

pub use descriptor::{BRAND, SYS};
pub use holder::Holder;
pub use payee::Payee;
pub use payer::Payer;

/// The module, as the payment manager sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sim;

impl PaymentModule for Sim {
    type Payer = Payer;
    type Payee = Payee;
    type Holder = Holder;

    fn descriptor(&self) -> Descriptor {
        descriptor::descriptor()
    }

    fn pay(
        &self,
        tx: TxId,
        purse: &Purse,
        order: &PaymentOrder,
        now: Moment,
    ) -> Result<Run<Payer>, PayError> {
        Payer::begin(tx, purse, order, now)
    }

    fn receive(
        &self,
        tx: TxId,
        till: &Purse,
        order: &PaymentOrder,
        now: Moment,
    ) -> Result<Run<Payee>, PayError> {
        Payee::begin(tx, till, order, now)
    }

    fn hold(&self, tx: TxId, purse: Option<&Purse>, op: &Op, now: Moment) -> Result<Run<Holder>, PayError> {
        Holder::begin(tx, purse, op, now)
    }
}
