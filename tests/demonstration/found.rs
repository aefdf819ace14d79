//! What is found once every program has stopped: each archive is opened and read, and they are compared.

use std::path::Path;

use semper_exchange::message::Caps;
use semper_payment_sim::bank::{AccountRow, PAYMENT, PaymentRow};
use semper_supporting::{
    archive::record::EVIDENCE,
    certificate::{Certificate, inspect},
    evidence::Statement as _,
    money::Money,
};
use semper_tests::{Failure, Kept, Marketplace, Result, Till, buyer::Buyer, marketplace::GIFT, money::money};
use semper_trade::sale::Entry;
use semper_transfer::payment::{
    AccountId, Purse,
    ledger::{ACCOUNT, Kind},
};
use semper_wallet::account;
use serde_json::Value;

use crate::{
    business::measure,
    fault::{Ending, Expected},
    report::{AccountLine, Asked, Books, Count, Deal, Findings, Party, PaymentLine, Side},
};

/// What is put into the purse.
pub(crate) const LOADED: &str = "XTS 60.00";
/// What the file costs.
pub(crate) const PRICE: &str = "XTS 12.50";

/// The archives of all who took part, and what the customer's program said.
#[derive(Debug)]
pub(crate) struct Archives<'a> {
    /// The daemons, stopped.
    pub(crate) market: &'a Marketplace,
    /// The customer.
    pub(crate) buyer: &'a Buyer,
    /// Where the shop takes payments.
    pub(crate) till: &'a Till,
    /// What the customer's program said of the sale.
    pub(crate) bought: &'a Value,
    /// How the sale has to end.
    pub(crate) expected: Expected,
}

/// What the wallet says of money.
struct Customer {
    account: AccountId,
    purse: Purse,
}

impl Archives<'_> {
    /// Reads them all.
    ///
    /// # Errors
    /// [`Failure`] for one that cannot be read.
    pub(crate) async fn read(&self, findings: &mut Findings) -> Result<()> {
        self.read_third_parties(findings).await?;
        let sold = self.read_shop(findings).await?;
        let (bought, customer) = self.read_wallet(findings).await?;
        findings.deal = Some(Deal {
            deal: bought.deal.map(|deal| deal.to_string()),
            title: bought.title.clone(),
            price: bought.price.to_string(),
            customer: Side::of(&bought),
            merchant: Side::of(&sold),
        });
        self.compare(&bought, &sold, findings)?;
        self.read_books(&customer, findings).await
    }

    async fn read_third_parties(&self, findings: &mut Findings) -> Result<()> {
        let Marketplace { authority, bank, arbiter, .. } = self.market;
        for (at, daemon) in [("certification authority", authority), ("bank", bank), ("arbiter", arbiter)] {
            let kept = Kept::read(daemon.folder()).await?;
            findings.parties.push(party(at, &kept.own().await?)?);
            findings.journals.push(Count { at, count: kept.entries().await? });
            if at == "arbiter" {
                let documents = kept.rows(EVIDENCE.name).await?;
                let messages = documents.iter().filter(|row| row.text("type").is_ok_and(is_message)).count();
                findings.arbiter = Some(Asked { messages, cases: Vec::new() });
            }
        }
        let cases = serde_json::from_str(&arbiter.done(&["cases", "--json"]).await?)?;
        findings.arbiter.get_or_insert_default().cases = cases;
        Ok(())
    }

    async fn read_shop(&self, findings: &mut Findings) -> Result<Entry> {
        let kept = Kept::shop(self.market.shop.folder()).await?;
        findings.parties.push(party("merchant", &kept.own().await?)?);
        findings.journals.push(Count { at: "shop", count: kept.entries().await? });
        only(kept.sales().await?, "the shop")
    }

    async fn read_wallet(&self, findings: &mut Findings) -> Result<(Entry, Customer)> {
        let kept = Kept::wallet(&self.buyer.profile).await?;
        findings.parties.push(party("customer", &kept.own().await?)?);
        findings.journals.push(Count { at: "wallet", count: kept.entries().await? });
        findings.round_trips = Some(round_trips(&kept.kinds().await?));
        let sale = only(kept.sales().await?, "the wallet")?;
        let items = match sale.deal {
            Some(deal) => kept.items(deal).await?,
            None => Vec::new(),
        };
        if let (Some((digest, _)), Some(item)) = (items.first(), &mut findings.item) {
            item.received = Some(digest.to_string());
        }
        let first = account::accounts(&*kept.store).await?.into_iter().next();
        let purse = account::purses(&*kept.store).await?.into_iter().next();
        let (account, purse) = first.zip(purse).ok_or_else(|| Failure::new("the wallet has no purse"))?;
        Ok((sale, Customer { account: account.id, purse }))
    }

    /// Compares the two sides of the sale with each other and with what has to come of it.
    fn compare(&self, bought: &Entry, sold: &Entry, findings: &mut Findings) -> Result<()> {
        let deal = |entry: &Entry| entry.deal.map(|deal| deal.to_string()).unwrap_or_default();
        let said = |key: &str| self.bought.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        findings.check("the deal, as the customer's program said", said("deal"), deal(bought));
        findings.check("the deal, as the shop has it", deal(bought), deal(sold));
        findings.check("the price, as the wallet has it", PRICE, bought.price);
        findings.check("the price, as the shop has it", PRICE, sold.price);
        let Expected { customer, merchant, decision, .. } = self.expected;
        side(CUSTOMER, customer, bought, findings);
        if let Some(merchant) = merchant {
            side(MERCHANT, merchant, sold, findings);
        }
        let asked = findings.arbiter.clone().unwrap_or_default();
        let decided = |case: &Value| case.get("state").and_then(Value::as_str).map(str::to_owned);
        let decided = asked.cases.iter().filter_map(decided).collect::<Vec<_>>().join(" ");
        findings.check("what the arbiter decided", decision.unwrap_or_default(), decided);
        let cheats =
            asked.cases.iter().filter_map(|case| case.pointer("/cheats/0/role").and_then(Value::as_str));
        let cheats = cheats.collect::<Vec<_>>().join(" ");
        findings.check("who is proved to have cheated", self.expected.cheat.unwrap_or_default(), cheats);
        findings.check("the arbiter was asked", decision.is_some(), asked.messages > 0);
        let item = findings.item.clone().ok_or_else(|| Failure::new("no file"))?;
        let path = self.bought.pointer("/item/path").and_then(Value::as_str);
        let opened = path.map(|path| measure(Path::new(path))).transpose()?;
        let opened = opened.map(|(digest, _)| digest.to_string()).unwrap_or_default();
        let received = if customer.delivered { item.sha256.as_str() } else { "" };
        let kept = item.received.unwrap_or_default();
        findings.check("SHA-256 of the file, as the wallet has it", received, kept);
        findings.check("SHA-256 of the file that was received", received, opened);
        Ok(())
    }

    /// Reads the bank's books, and compares them with what each side believes.
    async fn read_books(&self, customer: &Customer, findings: &mut Findings) -> Result<()> {
        let kept = Kept::read(self.market.bank.folder()).await?;
        let mut books = Books { play: money(GIFT)?.currency.is_play(), ..Books::default() };
        let till = &self.till.purse;
        let mut found = Vec::new();
        for row in kept.rows(ACCOUNT.name).await? {
            let row = AccountRow::from_row(&row)?;
            let holder = match row.id {
                id if id == customer.account || id == customer.purse.account => "customer",
                id if id == till.account || id == till.account.uncleared() => "merchant",
                _ => "bank",
            };
            // The bank's own account holds what people are owed: a debit, shown as an amount.
            let funds = match row.kind {
                Kind::Nostro => Money::new(u64::try_from(row.balance).unwrap_or_default(), row.currency)?,
                Kind::Customer | Kind::Merchant | Kind::Uncleared => row.funds()?,
            };
            let kind = if row.parent.is_some() { "purse" } else { row.kind.word() };
            books.accounts.push(AccountLine {
                account: row.id.to_string(),
                holder,
                kind,
                funds: funds.to_string(),
            });
            found.push((row.id, funds));
        }
        for row in kept.rows(PAYMENT.name).await? {
            books.payments.push(payment(row.text("state")?.to_owned(), &PaymentRow::from_row(&row)?));
        }
        let on = |id: AccountId| found.iter().find(|(one, _)| *one == id).map(|(_, funds)| funds.to_string());
        let on = |id| on(id).unwrap_or_else(|| "no such account".into());
        let (gift, loaded) = (money(GIFT)?, money(LOADED)?);
        let paid = if self.expected.customer.paid { money(PRICE)? } else { Money::zero(gift.currency) };
        let purse = &customer.purse;
        findings.check("on the customer's account", gift.checked_sub(loaded)?, on(customer.account));
        findings.check("in the customer's purse", loaded.checked_sub(paid)?, on(purse.account));
        findings.check("the purse, as the wallet has it", purse.available(), on(purse.account));
        findings.check("on the merchant's account", Money::zero(paid.currency), on(till.account));
        findings.check("pending for the merchant", paid, on(till.account.uncleared()));
        findings.check("held by the bank", gift, on(AccountId::nostro(gift.currency)));
        let states =
            books.payments.iter().map(|payment| payment.state.as_str()).collect::<Vec<_>>().join(" ");
        findings.check("payments", self.expected.payment.unwrap_or_default(), states);
        findings.money = Some(books);
        Ok(())
    }
}

/// Compares one side of the sale with how it has to end.
fn side(names: [&'static str; 5], ending: Ending, entry: &Entry, findings: &mut Findings) {
    let [outcome, told, paid, delivered, closed] = names;
    findings.check(outcome, ending.outcome, entry.outcome.as_deref().unwrap_or("open"));
    findings.check(told, ending.told, entry.told.as_deref().unwrap_or_default());
    findings.check(paid, ending.paid, entry.paid);
    findings.check(delivered, ending.delivered, entry.delivered);
    findings.check(closed, ending.closed, entry.closed);
}

const CUSTOMER: [&str; 5] = [
    "the outcome, as the wallet has it",
    "what the customer is told",
    "paid, as the wallet has it",
    "delivered, as the wallet has it",
    "closed, as the wallet has it",
];
const MERCHANT: [&str; 5] = [
    "the outcome, as the shop has it",
    "what the merchant is told",
    "paid, as the shop has it",
    "delivered, as the shop has it",
    "closed, as the shop has it",
];

fn payment(state: String, row: &PaymentRow) -> PaymentLine {
    let line = row.booked.as_ref();
    PaymentLine {
        reference: row.reference.to_string(),
        state,
        amount: line.map(|line| line.amount.to_string()).unwrap_or_default(),
        until: line.and_then(|line| line.until).map(|until| until.to_string()),
    }
}

/// The one sale there is.
fn only(sales: Vec<Entry>, whose: &str) -> Result<Entry> {
    match <[Entry; 1]>::try_from(sales) {
        Ok([sale]) => Ok(sale),
        Err(sales) => Err(Failure::of(whose, format!("has {} sales, not one", sales.len()))),
    }
}

/// Whether a document of the arbiter is a message about an exchange: what it was asked, and what it said.
fn is_message(kind: &str) -> bool {
    kind.starts_with("t/") && kind != Caps::TYPE
}

/// How often the wallet said something to the shop and then heard from it: a round trip each, however much went in
/// either direction.
fn round_trips(kinds: &[String]) -> usize {
    let (mut said, mut count) = (false, 0);
    for kind in kinds {
        match kind.as_str() {
            "decision/sale/buy" | "decision/sale/signed" => said = true,
            "decision/sale/frame" if said => (said, count) = (false, count + 1),
            _ => {}
        }
    }
    count
}

fn party(role: &'static str, own: &[Certificate]) -> Result<Party> {
    let certificate = own.first().ok_or_else(|| Failure::of("not registered", role))?;
    let name = inspect(certificate)?.subject.common_name;
    Ok(Party { role, name, certificate: certificate.digest().to_string() })
}
