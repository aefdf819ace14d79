//! What is done in the demonstration, step by step, and what is found afterwards.

use std::time::Instant;

use semper_payment_sim::bank::{AccountRow, PAYMENT, PaymentRow};
use semper_supporting::{
    certificate::{Certificate, inspect},
    money::Money,
    time::Span,
};
use semper_tests::{
    Account, Failure, Kept, Marketplace, Result, Till,
    marketplace::GIFT,
    money::{money, order},
};
use semper_transfer::payment::{
    AccountId, Op, PaymentOrder, Status,
    ledger::{ACCOUNT, Kind},
};

use crate::{
    report::{AccountLine, Books, Check, Handshakes, Outcome, Party, PaymentLine, Phase, Report, SCHEMA},
    say,
};

/// What is put into the purse.
const LOADED: &str = "XTS 60.00";
/// What is paid.
const PAID: &str = "XTS 12.50";
/// How long the payment can be ordered back.
const WINDOW: Span = Span::days(4);

/// The demonstration as far as it has come.
#[derive(Debug, Default)]
pub(crate) struct Business {
    market: Option<Marketplace>,
    parties: Vec<Party>,
    phases: Vec<Phase>,
    checks: Vec<Check>,
    handshakes: Vec<Handshakes>,
    money: Option<Books>,
    audit: Option<serde_json::Value>,
}

impl Business {
    /// Does everything.
    ///
    /// # Errors
    /// [`Failure`] where it had to end early.
    pub(crate) async fn run(&mut self) -> Result<()> {
        let market = self.phase("authority founded", Marketplace::with_authority()).await?;
        let market = self.market.insert(market);
        let mut phases = Phases(&mut self.phases);
        phases.of("bank registered and opened", market.open_bank()).await?;
        let mut ada = phases.of("customer registered", market.person("Ada Weber")).await?;
        let shop = phases.of("merchant registered, shop opened", market.open_shop(&[])).await?;

        let at = market.bank_at.clone();
        let (mut counter, mut account) = phases
            .of("accounts opened", async {
                let mut counter = ada.bank(&at).await?;
                let account = ada.open_account(&mut counter).await?;
                Ok((counter, account))
            })
            .await?;
        let load = Op::Load(money(LOADED)?);
        let loaded = phases.of("purse filled", ada.operate(&mut counter, &mut account.purse, load)).await?;
        loaded.must_be(Status::Succeeded)?;
        let until = Some(semper_host::now().whole_seconds().after(WINDOW));
        let order = PaymentOrder { until, ..order(&shop.till, money(PAID)?)? };
        let paid = phases.of("payment", ada.pay(&mut counter, &mut account.purse, &order)).await?;
        paid.must_be(Status::Succeeded)?;
        let inspected =
            phases.of("purse inspected", ada.operate(&mut counter, &mut account.purse, Op::Inspect)).await?;
        inspected.must_be(Status::Succeeded)?;

        phases.of("daemons stopped", market.end()).await?;
        self.handshakes = vec![
            Handshakes { at: "certification authority", count: market.authority.connections() },
            Handshakes { at: "bank", count: market.bank.connections() },
        ];
        let (said, audit) = phases.of("audit of the archive", market.audit()).await?;
        let findings = audit.get("findings").and_then(|all| all.as_array()).map_or(usize::MAX, Vec::len);
        self.check("the audit's exit code", 0, said.code.unwrap_or(-1));
        self.check("the audit's findings", 0, findings);
        self.audit = Some(audit);
        let certificates = [("customer", ada.certificates()), ("merchant", shop.certificates.as_slice())];
        self.read(&account, &shop.till, &certificates).await
    }

    /// Reads the stopped programs' archives, and compares them with what the customer's program believes.
    async fn read(
        &mut self,
        account: &Account,
        till: &Till,
        certificates: &[(&'static str, &[Certificate])],
    ) -> Result<()> {
        let market = self.market.as_ref().ok_or_else(|| Failure::new("no market"))?;
        for (role, folder) in [("certification authority", &market.authority), ("bank", &market.bank)] {
            let own = Kept::read(folder.folder()).await?.own().await?;
            self.parties.push(party(role, &own)?);
        }
        for (role, own) in certificates {
            self.parties.push(party(role, own)?);
        }
        let kept = Kept::read(market.bank.folder()).await?;
        let mut books = Books { play: money(GIFT)?.currency.is_play(), ..Books::default() };
        let mut found = Vec::new();
        for row in kept.rows(ACCOUNT.name).await? {
            let row = AccountRow::from_row(&row)?;
            let pending = till.purse.account.uncleared();
            let holder = match row.id {
                id if id == account.account || id == account.purse.account => "customer",
                id if id == till.purse.account || id == pending => "merchant",
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
            let state = row.text("state")?.to_owned();
            let booked = PaymentRow::from_row(&row)?;
            let line = booked.booked.as_ref();
            books.payments.push(PaymentLine {
                reference: booked.reference.to_string(),
                state,
                amount: line.map(|line| line.amount.to_string()).unwrap_or_default(),
                until: line.and_then(|line| line.until).map(|until| until.to_string()),
            });
        }
        drop(kept);
        let on = |id: AccountId| found.iter().find(|(one, _)| *one == id).map(|(_, funds)| funds.to_string());
        let on = |id| on(id).unwrap_or_else(|| "no such account".into());
        let (gift, loaded, paid) = (money(GIFT)?, money(LOADED)?, money(PAID)?);
        let nothing = Money::zero(paid.currency);
        self.check("on the customer's account", gift.checked_sub(loaded)?, on(account.account));
        self.check("in the customer's purse", loaded.checked_sub(paid)?, on(account.purse.account));
        self.check("the purse, as its program has it", account.purse.available(), on(account.purse.account));
        self.check("on the merchant's account", nothing, on(till.purse.account));
        self.check("pending for the merchant", paid, on(till.purse.account.uncleared()));
        self.check("held by the bank", gift, on(AccountId::nostro(gift.currency)));
        self.check("payments", 1, books.payments.len());
        self.money = Some(books);
        Ok(())
    }

    /// Ends every process.
    ///
    /// # Errors
    /// [`Failure`] if one does not end as told.
    pub(crate) async fn end(&mut self) -> Result<()> {
        let Some(mut market) = self.market.take() else { return Ok(()) };
        let ended = market.end().await;
        if ended.is_ok() && self.checks.iter().all(Check::held) && self.audit.is_some() {
            market.went_well();
        }
        ended
    }

    /// The report.
    pub(crate) fn report(self, unattended: bool, outcome: Result<()>) -> Report {
        let wrong = self.checks.iter().filter(|check| !check.held()).count();
        let why = match outcome {
            Err(why) => Some(why.to_string()),
            Ok(()) if wrong > 0 => Some(format!("{wrong} of {} checks failed", self.checks.len())),
            Ok(()) => None,
        };
        Report {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" },
            unattended,
            outcome: if why.is_none() { Outcome::Held } else { Outcome::Failed },
            why,
            parties: self.parties,
            money: self.money,
            phases: self.phases,
            handshakes: self.handshakes,
            checks: self.checks,
            audit: self.audit,
        }
    }

    async fn phase<T>(&mut self, name: &'static str, deed: impl Future<Output = Result<T>>) -> Result<T> {
        Phases(&mut self.phases).of(name, deed).await
    }

    fn check(&mut self, what: &'static str, expected: impl ToString, found: impl ToString) {
        self.checks.push(Check { what, expected: expected.to_string(), found: found.to_string() });
    }
}

/// The phases so far.
struct Phases<'a>(&'a mut Vec<Phase>);

impl Phases<'_> {
    /// Does a phase and notes how long it took.
    async fn of<T>(&mut self, name: &'static str, deed: impl Future<Output = Result<T>>) -> Result<T> {
        say(name);
        let start = Instant::now();
        let done = deed.await.map_err(|why| Failure::of(name, why))?;
        let machine_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.push(Phase { name, machine_ms });
        Ok(done)
    }
}

fn party(role: &'static str, own: &[Certificate]) -> Result<Party> {
    let certificate = own.first().ok_or_else(|| Failure::of("not registered", role))?;
    let name = inspect(certificate)?.subject.common_name;
    Ok(Party { role, name, certificate: certificate.digest().to_string() })
}
