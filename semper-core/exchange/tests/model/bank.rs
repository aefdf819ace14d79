//! The bank of the model: the shipped one, with its tables as rows in memory.
//!
//! Every payment stands in books of its own, so that what happens to one does not number the entries of another.
//! Books are interned: a state of the world holds their number, and each request is served once for each.

use std::{collections::BTreeMap, sync::Mutex};

use semper_payment_sim::bank::Bank;
use semper_supporting::{
    archive::Row,
    crypto::{digest::Digest, signature::Kid},
    evidence::{Signable, SignedBytes, statement},
    money::{Currency, Money},
    time::{Moment, Span},
};
use semper_transfer::{
    payment::{
        AccountId, MsgId,
        ledger::{self, Event},
        message::{
            Account, AccountKind, Award, AwardOutcome, Balance, Declined, Freeze, Load, Look, Open, Pay,
            Shift, TxState, TxStatement,
        },
        module::BankReply,
    },
    property::RecordStatus,
};

use super::{
    common::{AT, Goods, Market, Someone, reference},
    rows::Rows,
    words::Who,
};

/// What the bank has recorded under one reference.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Payment {
    /// The number of its books.
    pub books: u32,
    pub status: Option<RecordStatus>,
    /// How often money has moved to the payee.
    pub moved: u8,
}

/// What is asked of the bank about a payment, in the same bytes however often.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Ask {
    Pay,
    Freeze(Who),
    Look(Who),
    Refund(Who),
}

pub struct House {
    bank: Bank,
    clerk: Someone,
    asks: BTreeMap<(u8, Ask), SignedBytes>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    books: Vec<Rows>,
    served: BTreeMap<(u8, u32, Ask), Payment>,
}

impl House {
    /// A bank at which the responder has a purse and the originator a till, and which follows both third
    /// parties.
    pub fn new(market: &Market, second: &Someone, goods: &[Goods]) -> Self {
        let thirds = [&market.t, second].map(|third| (third.public().kid(), third.public()));
        let gift = Money::parse("XTS 50.00").unwrap();
        let clerk = market.bank.clone();
        let bank = Bank { kid: clerk.public().kid(), arbiters: BTreeMap::from(thirds), gift: Some(gift) };
        let mut house = Self { bank, clerk, asks: BTreeMap::new(), memory: Mutex::default() };
        let mut rows = Rows::default();
        let account = house.open(&mut rows, &market.r, 1, AccountKind::Customer, None);
        let purse = house.open(&mut rows, &market.r, 2, AccountKind::Purse, Some(account));
        let till = house.open(&mut rows, &market.o, 3, AccountKind::Merchant, None);
        let (to, signer) = (house.bank.kid, market.r.public().kid());
        let shift = Shift { to, signer, msg: msg(4), from: account, into: purse, amount: gift, at: AT };
        house.grant(&mut rows, market.r.sign(&Load(shift)).bytes().clone());
        house.memory.lock().unwrap().books.push(rows);
        for (offer, goods) in (0..).zip(goods) {
            house.asks.extend(
                asks(to, market, second, *goods, purse, till).map(|(ask, signed)| ((offer, ask), signed)),
            );
        }
        house
    }

    /// The books before anything happened.
    pub fn begin(&self) -> Payment {
        Payment { books: 0, status: None, moved: 0 }
    }

    /// Serves a request about a payment. What the bank answers stands in its record, which everybody can see.
    pub fn serve(&self, offer: u8, payment: Payment, ask: Ask) -> Payment {
        let key = (offer, payment.books, ask);
        let mut memory = self.memory.lock().unwrap();
        if let Some(known) = memory.served.get(&key) {
            return *known;
        }
        let mut rows = memory.books[payment.books as usize].clone();
        // A third party that the payment does not name is refused, and changes nothing.
        let _ = self.reply(&mut rows, self.asks[&(offer, ask)].clone());
        let known = memory.books.iter().position(|books| *books == rows);
        let books = known.unwrap_or(memory.books.len());
        if known.is_none() {
            memory.books.push(rows);
        }
        let after = standing(&memory.books[books], books);
        memory.served.insert(key, after);
        after
    }

    fn reply(&self, rows: &mut Rows, signed: SignedBytes) -> Option<BankReply> {
        rows.serve(&self.bank, signed, Some(holder()), AT, |tbs| self.sign(tbs)).ok()
    }

    /// What the bank answers to somebody it knows.
    fn grant(&self, rows: &mut Rows, signed: SignedBytes) -> SignedBytes {
        match self.reply(rows, signed) {
            Some(BankReply::Signed(answer)) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn open(
        &self,
        rows: &mut Rows,
        owner: &Someone,
        n: u8,
        kind: AccountKind,
        parent: Option<AccountId>,
    ) -> AccountId {
        let key = owner.public();
        let (to, signer, currency, at) = (self.bank.kid, key.kid(), Currency::XTS, AT);
        let open = Open { to, signer, msg: msg(n), key, holder: holder(), kind, currency, parent, at };
        let answer = self.grant(rows, owner.sign(&open).bytes().clone());
        statement::from_bytes::<Account>(&answer.tbs).unwrap().account
    }

    fn sign(&self, tbs: &[u8]) -> SignedBytes {
        fn try_as<T: Signable>(clerk: &Someone, tbs: &[u8]) -> Option<SignedBytes> {
            statement::from_bytes::<T>(tbs).ok().map(|value| clerk.sign(&value).bytes().clone())
        }
        let clerk = &self.clerk;
        try_as::<TxStatement>(clerk, tbs)
            .or_else(|| try_as::<Declined>(clerk, tbs))
            .or_else(|| try_as::<Balance>(clerk, tbs))
            .or_else(|| try_as::<Account>(clerk, tbs))
            .unwrap()
    }
}

/// Everything that is ever asked about one payment.
fn asks(
    to: Kid,
    market: &Market,
    second: &Someone,
    goods: Goods,
    from: AccountId,
    payee: AccountId,
) -> impl Iterator<Item = (Ask, SignedBytes)> {
    let (reference, exch, at) = (reference(goods), market.run.xid, AT);
    let pay = Pay {
        to,
        signer: market.r.public().kid(),
        msg: msg(5 + goods.variant),
        from,
        payee,
        amount: Money::parse("XTS 12.50").unwrap(),
        reference,
        exch: Some(exch),
        arbiter: Some(market.t.public().kid()),
        // Without a window it is the payee's at once, and nobody can order it back.
        until: (!goods.pivot).then(window),
        at,
    };
    let mut asks = vec![(Ask::Pay, market.r.sign(&pay).bytes().clone())];
    for (who, third) in [(Who::T, &market.t), (Who::T2, second)] {
        let (signer, case) = (third.public().kid(), Digest::from_bytes(*exch.as_bytes()));
        let (outcome, reason) = (AwardOutcome::Refund, None);
        asks.extend([
            (Ask::Freeze(who), third.sign(&Freeze { to, signer, reference, exch }).bytes().clone()),
            (Ask::Look(who), third.sign(&Look { to, signer, reference, exch }).bytes().clone()),
            (
                Ask::Refund(who),
                third.sign(&Award { to, signer, case, reference, outcome, reason }).bytes().clone(),
            ),
        ]);
    }
    asks.into_iter()
}

/// What books say of the one payment in them.
fn standing(rows: &Rows, books: usize) -> Payment {
    let status = rows.payments().next().map(|payment| match payment.state {
        TxState::Credited | TxState::Released => RecordStatus::Happened,
        TxState::Refunded => RecordStatus::Revoked,
        TxState::Frozen => RecordStatus::Frozen,
    });
    let paid = |row: &&Row| row.text("event").unwrap() == Event::Pay.word();
    let moved = rows.of(ledger::ENTRY.name).iter().filter(paid).count();
    Payment { books: books.try_into().unwrap(), status, moved: moved.try_into().unwrap() }
}

fn window() -> Moment {
    AT.after(Span::days(4))
}

fn holder() -> Digest {
    Digest::of(b"holder")
}

fn msg(n: u8) -> MsgId {
    MsgId::from_bytes([n; 16])
}
