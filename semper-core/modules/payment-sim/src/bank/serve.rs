//! Serving one request.

use semper_supporting::{
    archive::{Guard, RowOp, Value},
    crypto::digest::Digest,
    crypto::signature::{Kid, PublicKey},
    evidence::{Signable, SignedBytes, Statement as _, statement},
    money::Money,
    time::{Moment, Span},
};
use semper_transfer::payment::{
    AccountId, MsgId, PayRef,
    ledger::{self, Entry, Event, Kind, LedgerHead},
    message::{
        ANYONE, Account, AccountKind, Award, AwardOutcome, Balance, Booked, Close, Declined, Freeze, Inspect,
        Look, Open, Pay, Query, Shift, TxState, TxStatement,
    },
    module::BankReply,
};

use super::{
    Bank, BankFault, Booking, Content, PAYMENT, Request, Served, Snapshot,
    rows::{AccountRow, PaymentRow, draft},
};

/// How far a signer's clock may be off.
const SKEW: Span = Span::minutes(5);

/// Serves `request`, which came from `peer`: the certificate of the connection, if it has one.
///
/// # Errors
/// [`BankFault`]; nothing is booked, and the answer is an unsigned refusal.
pub fn serve(
    bank: &Bank,
    request: &Request,
    peer: Option<Digest>,
    snapshot: &Snapshot,
    now: Moment,
) -> Result<Served, BankFault> {
    let desk = Desk { bank, request, snapshot, now: now.whole_seconds() };
    if let Some((asked, answer)) = &snapshot.reply {
        desk.authenticate_repeat(*asked)?;
        return Ok(Served::Answer(BankReply::Signed(desk.present(answer))));
    }
    match &request.content {
        Content::Open(open) => desk.open(open, peer),
        Content::Load(load) => desk.shift(&load.0, Direction::Load, load),
        Content::Unload(unload) => desk.shift(&unload.0, Direction::Unload, unload),
        Content::Close(close) => desk.close(close),
        Content::Inspect(inspect) => desk.inspect(inspect),
        Content::Pay(pay) => desk.pay(pay),
        Content::Query(query) => desk.query(query),
        Content::Freeze(freeze) => desk.freeze(freeze),
        Content::Look(look) => desk.look(look),
        Content::Award(award) => desk.award(award),
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Direction {
    Load,
    Unload,
}

struct Desk<'a> {
    bank: &'a Bank,
    request: &'a Request,
    snapshot: &'a Snapshot,
    now: Moment,
}

impl Desk<'_> {
    /// A repeat is the same bytes under the same signature, which were checked when they came first.
    fn authenticate_repeat(&self, asked: Digest) -> Result<(), BankFault> {
        if asked == self.request.mark() { Ok(()) } else { Err(BankFault::IdemConflict) }
    }

    /// The answer to a repeat: the one given before, but of a payment what the books say of it now. A record
    /// that it was credited must not be had anew once it was booked back.
    fn present(&self, answer: &SignedBytes) -> SignedBytes {
        let booked = statement::type_of(&answer.tbs).is_ok_and(|kind| kind == TxStatement::TYPE);
        let record =
            self.snapshot.payment.as_ref().filter(|_| booked).and_then(|payment| payment.record.clone());
        record.unwrap_or_else(|| answer.clone())
    }

    /// Checks that the request is for this bank, of this time, and signed by `key`.
    fn authenticate<T: Signable>(
        &self,
        _: &T,
        to: Kid,
        at: Option<Moment>,
        key: &PublicKey,
    ) -> Result<(), BankFault> {
        if to != self.bank.kid {
            return Err(BankFault::NotYours);
        }
        if at.is_some_and(|at| at.after(SKEW) < self.now || self.now.after(SKEW) < at) {
            return Err(BankFault::Clock);
        }
        self.request.signed.clone().verify::<T>(key).map(drop).map_err(|_| BankFault::NotYours)
    }

    /// The open account `id`, whose key must have signed the request.
    fn own<T: Signable>(
        &self,
        content: &T,
        to: Kid,
        at: Moment,
        id: AccountId,
    ) -> Result<&AccountRow, BankFault> {
        let account = self.snapshot.accounts.get(&id).ok_or(BankFault::NotYours)?;
        let key = account.key.as_ref().ok_or(BankFault::NotYours)?;
        self.authenticate(content, to, Some(at), key)?;
        Ok(account)
    }

    fn kind_of(&self, id: AccountId) -> Kind {
        match self.snapshot.accounts.get(&id) {
            Some(account) => account.kind,
            None => Kind::Uncleared,
        }
    }

    /// A signed refusal: this request was not booked and never will be.
    fn decline(&self, msg: MsgId, reference: Option<PayRef>, code: &str) -> Result<Served, BankFault> {
        let draft = draft(&Declined {
            to: ANYONE,
            signer: self.bank.kid,
            request: self.request.signed.digest(),
            reference,
            code: code.to_owned(),
            at: self.now,
        })?;
        Ok(self.book(Vec::new(), Vec::new(), draft, Some(msg), None))
    }

    fn book(
        &self,
        guards: Vec<Guard>,
        rows: Vec<RowOp>,
        draft: Vec<u8>,
        msg: Option<MsgId>,
        payment: Option<PaymentRow>,
    ) -> Served {
        let reply = msg.map(|msg| (self.request.signer(), msg, self.request.mark()));
        Served::Book(Box::new(Booking { guards, rows, draft, reply, payment }))
    }

    fn open(&self, open: &Open, peer: Option<Digest>) -> Result<Served, BankFault> {
        self.authenticate(open, open.to, Some(open.at), &open.key)?;
        if peer != Some(open.holder) {
            return Err(BankFault::NotYours);
        }
        let id = AccountId::of(&self.request.signed.digest());
        let parent = open.parent.map(|parent| self.snapshot.accounts.get(&parent).ok_or(BankFault::NotYours));
        let parent = parent.transpose()?;
        let fits = match (open.kind, parent) {
            (AccountKind::Purse, Some(parent)) => {
                parent.key == Some(open.key) && parent.currency == open.currency && parent.open
            }
            (AccountKind::Purse, None) | (_, Some(_)) => false,
            (AccountKind::Customer | AccountKind::Merchant, None) => true,
        };
        if !fits {
            return self.decline(open.msg, None, "pay.account");
        }
        let kind = if open.kind == AccountKind::Merchant { Kind::Merchant } else { Kind::Customer };
        let account = |id, kind, key| AccountRow {
            id,
            kind,
            currency: open.currency,
            key,
            holder: Some(open.holder),
            parent: open.parent,
            open: true,
            balance: 0,
        };
        let mut rows = vec![account(id, kind, Some(open.key)).insert(self.now)];
        let mut guards = Vec::new();
        if kind == Kind::Merchant {
            rows.push(account(id.uncleared(), Kind::Uncleared, None).insert(self.now));
        }
        let gift = self.bank.gift.filter(|gift| {
            open.kind == AccountKind::Customer && gift.currency == open.currency && gift.currency.is_play()
        });
        if let Some(gift) = gift {
            let nostro = AccountId::nostro(gift.currency);
            rows.push(nostro_row(nostro, gift, self.now));
            let entry =
                Entry::moving(Event::Fund, self.request.signed.digest(), None, gift, nostro, id, self.now)?;
            let (more, posted, _) = entry.post(self.snapshot.head, |account| {
                if account == nostro { Kind::Nostro } else { Kind::Customer }
            })?;
            guards.extend(more);
            rows.extend(posted);
        }
        let draft = draft(&Account {
            to: open.signer,
            signer: self.bank.kid,
            account: id,
            kind: open.kind,
            owner: open.signer,
            currency: open.currency,
            request: self.request.signed.digest(),
            at: self.now,
        })?;
        Ok(self.book(guards, rows, draft, Some(open.msg), None))
    }

    fn shift<T: Signable>(
        &self,
        shift: &Shift,
        direction: Direction,
        content: &T,
    ) -> Result<Served, BankFault> {
        let from = self.own(content, shift.to, shift.at, shift.from)?;
        let into = self.snapshot.accounts.get(&shift.into).ok_or(BankFault::NotYours)?;
        let (account, purse) = if direction == Direction::Load { (from, into) } else { (into, from) };
        if purse.parent != Some(account.id) || into.key != from.key {
            return self.decline(shift.msg, None, "pay.account");
        }
        if let Some(code) = refusal(from, into, shift.amount)? {
            return self.decline(shift.msg, None, code);
        }
        let cause = self.request.signed.digest();
        let entry = Entry::moving(Event::Shift, cause, None, shift.amount, from.id, into.id, self.now)?;
        let (guards, rows, head) = entry.post(self.snapshot.head, |id| self.kind_of(id))?;
        let funds = match direction {
            Direction::Load => purse.funds()?.checked_add(shift.amount)?,
            Direction::Unload => purse.funds()?.checked_sub(shift.amount)?,
        };
        let draft = draft(&self.balance(purse, funds, Money::zero(funds.currency), true, head))?;
        Ok(self.book(guards, rows, draft, Some(shift.msg), None))
    }

    fn balance(
        &self,
        account: &AccountRow,
        funds: Money,
        pending: Money,
        open: bool,
        head: LedgerHead,
    ) -> Balance {
        Balance {
            to: self.request.signer(),
            signer: self.bank.kid,
            account: account.id,
            funds,
            pending,
            open,
            request: self.request.signed.digest(),
            seq: head.seq,
            at: self.now,
        }
    }

    fn close(&self, close: &Close) -> Result<Served, BankFault> {
        let account = self.own(close, close.to, close.at, close.account)?;
        let funds = account.funds()?;
        if !funds.is_zero() || !account.open || account.kind != Kind::Customer {
            return self.decline(close.msg, None, "purse.not-empty");
        }
        let key = vec![Value::from(account.id)];
        let guards = vec![
            Guard::equals("purse.not-empty", ledger::ACCOUNT.name, key.clone(), "balance_minor", 0_i64),
            Guard::equals("pay.busy", ledger::ACCOUNT.name, key.clone(), "state", "open"),
        ];
        let set = semper_supporting::archive::Row::new().with("state", "closed");
        let rows = vec![RowOp::Update { table: ledger::ACCOUNT.name, key, set }];
        let draft = draft(&self.balance(account, funds, funds, false, self.snapshot.head))?;
        Ok(self.book(guards, rows, draft, Some(close.msg), None))
    }

    fn inspect(&self, inspect: &Inspect) -> Result<Served, BankFault> {
        let account = self.own(inspect, inspect.to, inspect.at, inspect.account)?;
        let pending = match self.snapshot.accounts.get(&account.id.uncleared()) {
            Some(uncleared) => uncleared.funds()?,
            None => Money::zero(account.currency),
        };
        let balance = self.balance(account, account.funds()?, pending, account.open, self.snapshot.head);
        Ok(self.book(Vec::new(), Vec::new(), draft(&balance)?, None, None))
    }

    fn pay(&self, pay: &Pay) -> Result<Served, BankFault> {
        let from = self.own(pay, pay.to, pay.at, pay.from)?;
        let reference = Some(pay.reference);
        if self.snapshot.payment.is_some() {
            // A frozen or used reference: the record says which, and this order will never be booked.
            return match self.snapshot.payment.as_ref().and_then(|payment| payment.record.clone()) {
                Some(record)
                    if self.snapshot.payment.as_ref().is_some_and(|p| p.state == TxState::Frozen) =>
                {
                    Ok(Served::Answer(BankReply::Signed(record)))
                }
                _ => self.decline(pay.msg, reference, "pay.replay"),
            };
        }
        let Some(into) = self.snapshot.accounts.get(&pay.payee) else {
            return self.decline(pay.msg, reference, "pay.account");
        };
        if let Some(code) = refusal(from, into, pay.amount)? {
            return self.decline(pay.msg, reference, code);
        }
        if into.kind != Kind::Merchant || pay.until.is_some_and(|until| until <= self.now) {
            return self.decline(pay.msg, reference, "pay.account");
        }
        if pay.arbiter.is_some_and(|arbiter| !self.bank.arbiters.contains_key(&arbiter)) {
            return self.decline(pay.msg, reference, "pay.arbiter");
        }
        let credited = if pay.until.is_some() { into.id.uncleared() } else { into.id };
        let cause = Digest::from_bytes(*pay.reference.as_bytes());
        let entry = Entry::moving(Event::Pay, cause, reference, pay.amount, from.id, credited, self.now)?;
        let (mut guards, rows, head) = entry.post(self.snapshot.head, |id| self.kind_of(id))?;
        guards.push(Guard::absent("pay.busy", PAYMENT.name, [Value::from(pay.reference)]));
        let payment = PaymentRow {
            reference: pay.reference,
            exch: pay.exch,
            state: if pay.until.is_some() { TxState::Credited } else { TxState::Released },
            booked: Some(Booked {
                amount: pay.amount,
                payer: pay.from,
                payee: pay.payee,
                arbiter: pay.arbiter,
                until: pay.until,
                entry: head.hash,
            }),
            at: self.now,
            record: None,
        };
        let draft = draft(&payment.statement(self.bank.kid))?;
        Ok(self.book(guards, rows, draft, Some(pay.msg), Some(payment)))
    }

    /// The payment, if whoever signed the request may ask about it: one of its two accounts, or its third
    /// party.
    fn query(&self, query: &Query) -> Result<Served, BankFault> {
        let keys = self.standing(self.snapshot.payment.as_ref());
        let key = keys.into_iter().find(|key| key.kid() == query.signer).ok_or(BankFault::NotYours)?;
        self.authenticate(query, query.to, Some(query.at), &key)?;
        let record = self.snapshot.payment.as_ref().and_then(|payment| payment.record.clone());
        Ok(Served::Answer(record.map_or(BankReply::NotYet, BankReply::Signed)))
    }

    fn standing(&self, payment: Option<&PaymentRow>) -> Vec<PublicKey> {
        let booked = payment.and_then(|payment| payment.booked.as_ref());
        let parties = booked.into_iter().flat_map(|booked| [booked.payer, booked.payee]);
        let accounts =
            parties.filter_map(|id| self.snapshot.accounts.get(&id).and_then(|account| account.key));
        match booked {
            // Nothing was ever booked: whoever has an account here, or is a third party, learns just that.
            None => self
                .snapshot
                .accounts
                .values()
                .filter_map(|account| account.key)
                .chain(self.arbiters())
                .collect(),
            Some(_) => accounts.chain(self.arbiters()).collect(),
        }
    }

    fn arbiters(&self) -> impl Iterator<Item = PublicKey> + '_ {
        self.bank.arbiters.values().copied()
    }

    /// The third party that signed the request, if this bank follows it.
    fn third_party<T: Signable>(&self, content: &T, to: Kid, signer: Kid) -> Result<(), BankFault> {
        let key = self.bank.arbiters.get(&signer).ok_or(BankFault::NotYours)?;
        self.authenticate(content, to, None, key)
    }

    /// The third party that signed the request, if this bank follows it and the payment names it.
    fn named<T: Signable>(&self, content: &T, to: Kid, signer: Kid) -> Result<(), BankFault> {
        self.third_party(content, to, signer)?;
        let named = self.snapshot.payment.as_ref().and_then(|payment| payment.booked.as_ref());
        if named.is_some_and(|booked| booked.arbiter != Some(signer)) {
            Err(BankFault::NotYours)
        } else {
            Ok(())
        }
    }

    fn freeze(&self, freeze: &Freeze) -> Result<Served, BankFault> {
        self.third_party(freeze, freeze.to, freeze.signer)?;
        if let Some(payment) = &self.snapshot.payment {
            // Whatever stands under the reference, also in another exchange: it is never booked again, and
            // the record tells the third party so.
            return Ok(Served::Answer(payment.record.clone().map_or(BankReply::NotYet, BankReply::Signed)));
        }
        let payment = PaymentRow {
            reference: freeze.reference,
            exch: Some(freeze.exch),
            state: TxState::Frozen,
            booked: None,
            at: self.now,
            record: None,
        };
        let guards = vec![Guard::absent("pay.busy", PAYMENT.name, [Value::from(freeze.reference)])];
        let draft = draft(&payment.statement(self.bank.kid))?;
        Ok(self.book(guards, Vec::new(), draft, None, Some(payment)))
    }

    fn look(&self, look: &Look) -> Result<Served, BankFault> {
        self.third_party(look, look.to, look.signer)?;
        let Some(payment) = &self.snapshot.payment else { return Ok(Served::Answer(BankReply::NotYet)) };
        Ok(Served::Answer(payment.record.clone().map_or(BankReply::NotYet, BankReply::Signed)))
    }

    fn award(&self, award: &Award) -> Result<Served, BankFault> {
        self.named(award, award.to, award.signer)?;
        let Some(payment) = &self.snapshot.payment else { return Ok(Served::Answer(BankReply::NotYet)) };
        if payment.exch.is_some_and(|exch| exch.as_bytes() != award.case.as_bytes()) {
            return Err(BankFault::NotYours);
        }
        let (TxState::Credited, Some(booked)) = (payment.state, &payment.booked) else {
            // Decided before, or the window has ended: the record says which.
            return Ok(Served::Answer(payment.record.clone().map_or(BankReply::NotYet, BankReply::Signed)));
        };
        if booked.until.is_none_or(|until| until <= self.now) {
            return Ok(Served::Answer(payment.record.clone().map_or(BankReply::NotYet, BankReply::Signed)));
        }
        let state = match award.outcome {
            AwardOutcome::Release => TxState::Released,
            AwardOutcome::Refund => TxState::Refunded,
        };
        let (guards, rows, payment) = settle(payment, booked, state, self.snapshot.head, self.now)?;
        let draft = draft(&payment.statement(self.bank.kid))?;
        Ok(self.book(guards, rows, draft, None, Some(payment)))
    }
}

/// Why money cannot go from one account to the other, as a dotted code.
fn refusal(from: &AccountRow, into: &AccountRow, amount: Money) -> Result<Option<&'static str>, BankFault> {
    if !from.open || !into.open || from.id == into.id {
        return Ok(Some("pay.account"));
    }
    if amount.is_zero() || from.currency != amount.currency || into.currency != amount.currency {
        return Ok(Some("pay.money"));
    }
    Ok(if from.funds()? < amount { Some("purse.insufficient") } else { None })
}

/// The bank's own account of money held elsewhere, made when it is first needed.
fn nostro_row(id: AccountId, money: Money, at: Moment) -> RowOp {
    let row = AccountRow {
        id,
        kind: Kind::Nostro,
        currency: money.currency,
        key: None,
        holder: None,
        parent: None,
        open: true,
        balance: 0,
    };
    match row.insert(at) {
        RowOp::Insert { table, row } => RowOp::Ensure { table, row },
        other => other,
    }
}

/// Books a pending credit to the merchant for good, or back to the payer.
pub(super) fn settle(
    payment: &PaymentRow,
    booked: &Booked,
    state: TxState,
    head: LedgerHead,
    now: Moment,
) -> Result<(Vec<Guard>, Vec<RowOp>, PaymentRow), BankFault> {
    let (event, into) = match state {
        TxState::Refunded => (Event::Refund, booked.payer),
        TxState::Credited | TxState::Released | TxState::Frozen => (Event::Release, booked.payee),
    };
    let cause = Digest::from_bytes(*payment.reference.as_bytes());
    let pending = booked.payee.uncleared();
    let entry = Entry::moving(event, cause, Some(payment.reference), booked.amount, pending, into, now)?;
    let kind = |id| if id == pending { Kind::Uncleared } else { Kind::Customer };
    let (mut guards, rows, _) = entry.post(head, kind)?;
    let key = [Value::from(payment.reference)];
    guards.push(Guard::equals("pay.busy", PAYMENT.name, key, "state", "credited"));
    Ok((guards, rows, PaymentRow { state, at: now, record: None, ..payment.clone() }))
}
