//! The machines of the payment module, against that bank.

use std::sync::Arc;

use semper_payment_sim::{SYS, Sim};
use semper_supporting::{crypto::keys::KeyStore as _, deal::Anonymity, money::Currency};
use semper_transfer::payment::{
    Modules, Op, Purse, PurseId, Stepped, SysId, Transaction,
    module::{BankReply, Erased, Event, Input, Output},
    negotiation::ExchangeNeeds,
    purse::{PurseArgs, PurseKind, System},
};

use super::{START, World, money, tx};

impl World {
    fn modules() -> Modules {
        let mut modules = Modules::default();
        modules.attach(Arc::new(Erased(Sim))).unwrap();
        modules
    }

    /// Begins an operation with a purse of XTS 50.00 at the customer's side.
    pub(crate) fn start(&self, op: Op) -> (Transaction, Purse) {
        let system = System { sys: SysId::new(SYS).unwrap(), brand: "sim".into(), scheme: "bank".into() };
        let purse = Purse::new(PurseArgs {
            id: PurseId::from_bytes([1; 16]),
            kind: PurseKind::PayOnly,
            name: "Purse".into(),
            system,
            version: (1, 0),
            exchange: ExchangeNeeds { verifiable: true, revocable: true, generatable: false },
            anonymity: Anonymity::Identified,
            bank: self.keys.public(&self.bank).unwrap(),
            account: self.purse,
            parent: Some(self.account),
            key: self.customer.kid(),
            currency: Currency::XTS,
            at: START,
        });
        let purse = purse.reconciled(money("XTS 50.00"), START).unwrap();
        let sys = SysId::new(SYS).unwrap();
        let stepped = Self::modules().start(tx(1), &sys, Some(&purse), op, self.now).unwrap();
        (stepped.transaction, stepped.purse.unwrap())
    }

    pub(crate) fn step(&self, transaction: &Transaction, purse: &Purse, event: Event) -> Stepped {
        Self::modules().step(transaction, Some(purse), Input { now: self.now, event }).unwrap()
    }

    pub(crate) fn silence(&self, transaction: &Transaction, purse: &Purse) -> (Transaction, Purse) {
        let stepped = self.step(transaction, purse, Event::Unreachable);
        (stepped.transaction, stepped.purse.unwrap())
    }

    pub(crate) fn give(
        &self,
        transaction: &Transaction,
        purse: &Purse,
        reply: BankReply,
    ) -> (Transaction, Purse) {
        let stepped = self.step(transaction, purse, Event::Bank(reply));
        (stepped.transaction, stepped.purse.unwrap())
    }

    /// Lets the bank answer what the machine asks again when it is woken.
    pub(crate) fn answer(&mut self, transaction: &Transaction, purse: &Purse) -> (Transaction, Purse) {
        let stepped = self.step(transaction, purse, Event::Timer);
        let asked = stepped.outputs.iter().find_map(|output| match output {
            Output::ToBank { tbs, .. } => Some(tbs.clone()),
            _ => None,
        });
        let signed = self.sign_draft(self.customer, &asked.unwrap());
        let reply = self.serve(signed).unwrap();
        let stepped = self.step(&stepped.transaction, &stepped.purse.unwrap(), Event::Bank(reply));
        (stepped.transaction, stepped.purse.unwrap())
    }
}
