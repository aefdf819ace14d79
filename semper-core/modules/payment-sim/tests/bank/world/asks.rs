//! What each of them asks of the bank.

use semper_payment_sim::bank::BankFault;
use semper_supporting::{
    crypto::{
        digest::Digest,
        keys::{KeyRef, KeyStore as _},
        signature::{Kid, Signature},
    },
    deal::Xid,
    evidence::{SignedBytes, statement},
    money::{Currency, Money},
    time::{Moment, Span},
};
use semper_transfer::payment::{
    AccountId, MsgId, PayRef, PaymentOrder,
    message::{
        Account, AccountKind, Award, AwardOutcome, Close, Freeze, Load, Open, Pay, Query, Shift, Unload,
    },
    module::BankReply,
};

use super::{START, World, money, signed};

impl World {
    pub(super) fn open(&mut self, owner: KeyRef, kind: AccountKind, parent: Option<AccountId>) -> AccountId {
        let public = self.keys.public(&owner).unwrap();
        let open = Open {
            to: self.bank.kid(),
            signer: owner.kid(),
            msg: self.msg(),
            key: public,
            holder: Digest::of(b"holder"),
            kind,
            currency: Currency::XTS,
            parent,
            at: self.now,
        };
        let reply = self.ask(owner, &open).unwrap();
        statement::from_bytes::<Account>(&signed(&reply).tbs).unwrap().account
    }

    fn shift(&mut self, from: AccountId, into: AccountId, amount: Money) -> Shift {
        Shift {
            to: self.bank.kid(),
            signer: self.customer.kid(),
            msg: self.msg(),
            from,
            into,
            amount,
            at: self.now,
        }
    }

    pub(crate) fn load(&mut self, amount: &str) {
        let load = Load(self.shift(self.account, self.purse, money(amount)));
        self.ask(self.customer, &load).unwrap();
    }

    pub(crate) fn unload(&mut self, amount: &str) {
        let unload = Unload(self.shift(self.purse, self.account, money(amount)));
        self.ask(self.customer, &unload).unwrap();
    }

    pub(crate) fn close(&mut self) -> Result<BankReply, BankFault> {
        let (to, signer) = (self.bank.kid(), self.customer.kid());
        let close = Close { to, signer, msg: self.msg(), account: self.purse, at: self.now };
        self.ask(self.customer, &close)
    }

    pub(crate) fn order(&self, amount: &str, n: u8) -> PaymentOrder {
        PaymentOrder {
            reference: PayRef::from_bytes([n; 32]),
            exch: Some(Xid::from_bytes([n; 32])),
            payee: self.till,
            amount: money(amount),
            arbiter: Some(self.arbiter.kid()),
            until: Some(START.after(Span::days(4))),
        }
    }

    pub(super) fn pay_statement(&self, order: &PaymentOrder, msg: MsgId, signer: Kid, at: Moment) -> Pay {
        Pay {
            to: self.bank.kid(),
            signer,
            msg,
            from: self.purse,
            payee: order.payee,
            amount: order.amount,
            reference: order.reference,
            exch: order.exch,
            arbiter: order.arbiter,
            until: order.until,
            at,
        }
    }

    pub(crate) fn pay(&mut self, order: &PaymentOrder) -> Result<BankReply, BankFault> {
        let [n, ..] = *order.reference.as_bytes();
        self.pay_as(order, n)
    }

    pub(crate) fn pay_as(&mut self, order: &PaymentOrder, n: u8) -> Result<BankReply, BankFault> {
        let pay =
            self.pay_statement(order, MsgId::from_bytes([n; 16]), self.customer.kid(), START.max(self.now));
        self.ask(self.customer, &pay)
    }

    pub(crate) fn pay_with_a_forged_signature(
        &mut self,
        order: &PaymentOrder,
    ) -> Result<BankReply, BankFault> {
        let [n, ..] = *order.reference.as_bytes();
        let pay =
            self.pay_statement(order, MsgId::from_bytes([n; 16]), self.customer.kid(), START.max(self.now));
        let signed = self.sign(self.customer, &pay);
        self.serve(SignedBytes { signature: Signature::from_bytes([7; 64]), ..signed })
    }

    /// The merchant asks what became of a payment.
    pub(crate) fn query(&mut self, order: &PaymentOrder) -> Result<BankReply, BankFault> {
        let (to, signer, msg) = (self.bank.kid(), self.merchant.kid(), self.msg());
        let query =
            Query { to, signer, msg, account: Some(self.till), reference: order.reference, at: self.now };
        self.ask(self.merchant, &query)
    }

    pub(crate) fn pay_with_another_key(&mut self, order: &PaymentOrder) -> Result<BankReply, BankFault> {
        let msg = self.msg();
        let pay = self.pay_statement(order, msg, self.merchant.kid(), self.now);
        self.ask(self.merchant, &pay)
    }

    pub(crate) fn pay_dated(&mut self, order: &PaymentOrder, at: Moment) -> Result<BankReply, BankFault> {
        let msg = self.msg();
        let pay = self.pay_statement(order, msg, self.customer.kid(), at);
        self.ask(self.customer, &pay)
    }

    fn freeze_by(&mut self, order: &PaymentOrder, key: KeyRef) -> Result<BankReply, BankFault> {
        let (to, exch) = (self.bank.kid(), order.exch.unwrap());
        self.ask(key, &Freeze { to, signer: key.kid(), reference: order.reference, exch })
    }

    pub(crate) fn freeze(&mut self, order: &PaymentOrder) -> Result<BankReply, BankFault> {
        self.freeze_by(order, self.arbiter)
    }

    pub(crate) fn freeze_as_stranger(&mut self, order: &PaymentOrder) -> Result<BankReply, BankFault> {
        self.freeze_by(order, self.stranger)
    }

    pub(crate) fn query_as_stranger(&mut self, order: &PaymentOrder) -> Result<BankReply, BankFault> {
        let (to, signer, msg) = (self.bank.kid(), self.stranger.kid(), self.msg());
        let query =
            Query { to, signer, msg, account: Some(self.purse), reference: order.reference, at: self.now };
        self.ask(self.stranger, &query)
    }

    pub(crate) fn award(
        &mut self,
        order: &PaymentOrder,
        outcome: AwardOutcome,
    ) -> Result<BankReply, BankFault> {
        let case = Digest::from_bytes(*order.exch.unwrap().as_bytes());
        let (to, signer) = (self.bank.kid(), self.arbiter.kid());
        self.ask(self.arbiter, &Award { to, signer, case, reference: order.reference, outcome, reason: None })
    }
}
