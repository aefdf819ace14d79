//! What a shopper does before the first purchase, with real third parties: a wallet, a letter, an account, a
//! purse with money in it. Every signature goes through the gate, and nothing is lost or done twice.

use semper_archive_sqlite::SqliteArchive;
use semper_host::{Papers, enrol::APPLICANT, papers::PAPER};
use semper_supporting::{
    archive::{Query, Store as _, journal, record::EVIDENCE},
    certificate::inspect,
    money::{Currency, Money},
    registration::letter::Received,
    tinguin::{Critical, FactKey},
};
use semper_tests::{
    Expected, Failure, Marketplace, Relay, Result, ScriptedUi, Shopper, shopper::BANK, trial,
};
use semper_transfer::payment::Purse;
use semper_wallet::{
    account::{ACCOUNT, AccountFault, Accounts, PURSE, RUN},
    membership::Membership,
    places::Places,
};

const PURSE_NAME: &str = "Trial purse";

fn money(text: &str) -> Result<Money> {
    Ok(Money::parse(text)?)
}

/// How many rows of each of these tables there are.
async fn rows(store: &SqliteArchive, tables: &[&'static str]) -> Result<Vec<usize>> {
    let found = store.query(tables.iter().map(|table| Query::of(table)).collect()).await?;
    Ok(found.iter().map(Vec::len).collect())
}

/// How many accounts of people, and how many purses, the bank keeps.
async fn at_bank(market: &Marketplace) -> Result<(usize, usize)> {
    let list = market.bank.done(&["account", "list", "--json"]).await?;
    let list: Vec<serde_json::Value> = serde_json::from_str(&list)?;
    let kinds: Vec<Option<&str>> = list.iter().map(|account| account["kind"].as_str()).collect();
    let purses = kinds.iter().filter(|kind| **kind == Some("purse")).count();
    Ok((kinds.len() - purses, purses))
}

async fn open(shopper: &Shopper, market: &Marketplace) -> Result<Purse> {
    shopper.expect_opening();
    let accounts = shopper.accounts().await?;
    let purse = accounts.open(&market.bank_at, PURSE_NAME, Currency::XTS).await?;
    shopper.ui.must_be_satisfied()?;
    Ok(purse)
}

#[test]
fn a_newcomer_registers_opens_a_purse_and_fills_it() {
    trial(async |market| {
        let shopper = market.shopper("Ada Weber").await?;
        let store = shopper.wallet.archive.as_ref();
        let papers = Papers::load(store).await?;
        assert_eq!(papers.own.len(), 2);
        assert_eq!(inspect(&papers.own[0])?.subject.common_name, "Ada Weber");
        assert_eq!(Places::load(store).await?.authority.as_ref(), Some(&market.authority_at));

        let purse = open(&shopper, market).await?;
        assert_eq!((purse.name.as_str(), purse.available()), (PURSE_NAME, money("XTS 0.00")?));

        shopper.expect_load("XTS 50.00");
        let accounts = shopper.accounts().await?;
        let purse = accounts.load(purse.id, money("XTS 50.00")?).await?;
        assert_eq!(purse.available(), money("XTS 50.00")?);
        // Looking takes no prompt.
        let purse = accounts.inspect(purse.id).await?;
        assert_eq!(purse.available(), money("XTS 50.00")?);
        shopper.ui.must_be_satisfied()?;
        assert_eq!(shopper.ui.read().len(), 4);
        assert!(shopper.ui.read()[3].contains("Left in the purse: XTS 50.00"), "{:?}", shopper.ui.read());

        // A record of what was shown for every confirmation, and evidence of both sides' signatures.
        let journal = store.query(vec![Query::of(journal::TABLE.name)]).await?.concat();
        let count = |kind: &str| journal.iter().filter(|row| row.text("kind") == Ok(kind)).count();
        assert_eq!((count("user-choice/sign"), count("user-choice/purse-move")), (1, 3));
        assert_eq!((count("sent/pay/open"), count("received/pay/acct")), (2, 2));
        assert_eq!(
            (count("sent/pay/load"), count("sent/pay/inspect"), count("received/pay/balance")),
            (1, 1, 2)
        );
        assert_eq!(rows(store, &[EVIDENCE.name, RUN.name, ACCOUNT.name, PURSE.name]).await?, [8, 0, 1, 1]);

        // All of it is there again after a restart.
        drop(accounts);
        let shopper = shopper.restart().await?;
        let accounts = shopper.accounts().await?;
        assert_eq!(accounts.purses().await?, std::slice::from_ref(&purse));
        assert_eq!(accounts.open(&market.bank_at, PURSE_NAME, Currency::XTS).await?, purse);
        assert_eq!(shopper.ui.read().len(), 0);
        assert_eq!(at_bank(market).await?, (1, 1));
        market.must_be_clean().await
    });
}

#[test]
fn what_is_declined_changes_nothing_and_leaves_nothing() {
    trial(async |market| {
        let (shopper, letter) = market.newcomer("Ada Weber").await?;
        let store = shopper.wallet.archive.as_ref();
        let before = rows(store, &[journal::TABLE.name, EVIDENCE.name]).await?;
        let received = Received::read(&letter.text)?;
        let membership = Membership::new(shopper.consent.clone());
        shopper.ui.expect(Expected::declined(Critical::Sign));
        let declined = membership.register(&received, market.root().clone()).await.map(drop);
        assert_eq!(declined.unwrap_err().code(), "consent.declined");
        assert_eq!(rows(store, &[APPLICANT.name, PAPER.name]).await?, [0, 0]);
        assert!(!market.registration(&letter.id).await?.contains("used"));
        shopper.register(&letter, market.root().clone()).await?;

        let accounts = shopper.accounts().await?;
        shopper.ui.expect(Expected::declined(Critical::PurseMove).says(FactKey::Counterparty, BANK));
        let declined = accounts.open(&market.bank_at, PURSE_NAME, Currency::XTS).await;
        assert_eq!(declined.unwrap_err().code(), "consent.declined");
        assert_eq!(at_bank(market).await?, (0, 0));
        assert_eq!(rows(store, &[RUN.name, ACCOUNT.name, PURSE.name]).await?, [0, 0, 0]);
        let purse = open(&shopper, market).await?;

        let after = rows(store, &[journal::TABLE.name, EVIDENCE.name]).await?;
        shopper.ui.expect(Expected::declined(Critical::PurseMove).says(FactKey::Amount, "XTS 50.00"));
        let declined = accounts.load(purse.id, money("XTS 50.00")?).await;
        assert_eq!(declined.unwrap_err().code(), "consent.declined");
        assert_eq!(rows(store, &[journal::TABLE.name, EVIDENCE.name]).await?, after);
        assert_eq!(accounts.inspect(purse.id).await?.available(), money("XTS 0.00")?);
        assert_ne!(before, after);
        shopper.ui.must_be_satisfied()?;
        market.must_be_clean().await
    });
}

#[test]
fn a_wallet_that_ends_while_a_prompt_is_open_has_asked_nobody_for_anything() {
    trial(async |market| {
        let shopper = market.shopper("Ada Weber").await?;
        let accounts = shopper.accounts().await?;
        shopper.ui.expect(Expected::left(Critical::PurseMove));
        let opening = accounts.open(&market.bank_at, PURSE_NAME, Currency::XTS);
        // The person has read the prompt and left it; then the wallet is locked.
        let read = async {
            while shopper.ui.read().len() < 2 || shopper.consent.waiting().is_empty() {
                tokio::task::yield_now().await;
            }
            shopper.consent.lock();
        };
        let (opened, ()) = tokio::join!(opening, read);
        assert_eq!(opened.unwrap_err().code(), "consent.withdrawn");
        assert!(shopper.consent.waiting().is_empty());
        let again = accounts.open(&market.bank_at, PURSE_NAME, Currency::XTS).await;
        assert_eq!(again.unwrap_err().code(), "consent.withdrawn");
        assert_eq!(shopper.ui.withdrawn(), 1);
        assert_eq!(rows(&shopper.wallet.archive, &[RUN.name, ACCOUNT.name]).await?, [0, 0]);
        assert_eq!(at_bank(market).await?, (0, 0));
        Ok(())
    });
}

#[test]
fn a_letter_of_another_root_is_not_even_asked_about() {
    trial(async |market| {
        let (shopper, letter) = market.newcomer("Ada Weber").await?;
        let other = semper_supporting::certificate::Certificate::from_der(b"another root")?;
        let membership = Membership::new(shopper.consent.clone());
        let refused = membership.register(&Received::read(&letter.text)?, other).await.map(drop);
        assert_eq!(refused.unwrap_err().code(), "letter.other-root");
        assert_eq!(shopper.ui.read().len(), 0);
        Ok(())
    });
}

#[test]
fn a_load_above_fifty_takes_the_pin_and_what_is_unexpected_is_declined() {
    trial(async |market| {
        let shopper = market.shopper("Ada Weber").await?;
        let purse = open(&shopper, market).await?;
        let accounts = shopper.accounts().await?;
        shopper.expect_load("XTS 60.00");
        assert_eq!(accounts.load(purse.id, money("XTS 60.00")?).await?.available(), money("XTS 60.00")?);
        shopper.ui.must_be_satisfied()?;

        // Somebody who expects another amount reads this one, and does not confirm it.
        shopper.expect_load("XTS 5.00");
        let declined = accounts.load(purse.id, money("XTS 30.00")?).await;
        assert_eq!(declined.unwrap_err().code(), "consent.declined");
        assert!(shopper.ui.must_be_satisfied().is_err());
        assert_eq!(accounts.inspect(purse.id).await?.available(), money("XTS 60.00")?);
        market.must_be_clean().await
    });
}

#[test]
fn whoever_does_not_know_the_pin_confirms_nothing_that_takes_it() {
    trial(async |market| {
        let shopper = market.shopper("Ada Weber").await?;
        let purse = open(&shopper, market).await?;
        let caller = Membership::new(shopper.consent.clone()).caller().await?;
        let (thief, consent, sitting) = ScriptedUi::sit_down(&shopper.wallet, Some("501846"))?;
        let accounts = Accounts::new(consent, caller)?;
        thief.expect(Expected::confirmed(Critical::PurseMove).says(FactKey::Amount, "XTS 60.00"));
        let refused = accounts.load(purse.id, money("XTS 60.00")?).await;
        assert_eq!(refused.unwrap_err().code(), "consent.withdrawn");
        let said = thief.must_be_satisfied().unwrap_err().to_string();
        assert!(said.contains("wrong PIN, 4 tries left"), "{said}");
        sitting.end().await;
        assert_eq!(rows(&shopper.wallet.archive, &[RUN.name]).await?, [0]);
        let accounts = shopper.accounts().await?;
        assert_eq!(accounts.inspect(purse.id).await?.available(), money("XTS 0.00")?);
        market.must_be_clean().await
    });
}

/// Where the wire to the bank is cut while a purse is opened: once in each of so many parts.
const CUTS: u64 = 6;

#[test]
fn a_wallet_killed_anywhere_while_it_opens_a_purse_has_one_account_and_one_purse() {
    trial(async |market| {
        let first = market.shopper("Ada Weber").await?;
        let relay = Relay::to(&market.bank_at, u64::MAX).await?;
        first.expect_opening();
        first.accounts().await?.open(&relay.at, PURSE_NAME, Currency::XTS).await?;
        let all = relay.carried();
        // A purse that is there is found by a call alone: what comes after it are requests and answers.
        first.accounts().await?.open(&relay.at, PURSE_NAME, Currency::XTS).await?;
        let call = relay.carried() - all;

        let mut kept = 0;
        for part in 0..CUTS {
            let random = u64::from_be_bytes(semper_host::random()?);
            // Somewhere in each part of the conversation, and once inside its last answer.
            let after = if part + 1 == CUTS {
                all - 100
            } else {
                call + ((all - call) * part + random % (all - call)) / CUTS
            };
            let shopper = market.shopper(&format!("Person {part}")).await?;
            let mut relay = Relay::to(&market.bank_at, after).await?;
            shopper.expect_opening();
            let (accounts, at) = (shopper.accounts().await?, relay.at.clone());
            let opened = tokio::select! {
                opened = accounts.open(&at, PURSE_NAME, Currency::XTS) => Some(opened),
                _cut = relay.cut() => None,
            };
            assert!(opened.is_none(), "cut after {after} of {all} bytes: {opened:?}");
            drop(accounts);

            let shopper = shopper.restart().await?;
            let store = shopper.wallet.archive.as_ref();
            kept += rows(store, &[RUN.name]).await?[0];
            let prompts = 2 - rows(store, &[RUN.name]).await?[0] - rows(store, &[ACCOUNT.name]).await?[0];
            let accounts = shopper.accounts().await?;
            for what in ["opens an account at the bank", "opens a purse at the bank"].iter().skip(2 - prompts)
            {
                shopper.ui.expect(Expected::confirmed(Critical::PurseMove).says(FactKey::Move, what));
            }
            accounts
                .open(&market.bank_at, PURSE_NAME, Currency::XTS)
                .await
                .map_err(|why| Failure::of(&format!("cut after {after} of {all} bytes"), why))?;
            // Whoever had confirmed is not asked again.
            shopper.ui.must_be_satisfied()?;
            assert_eq!(rows(store, &[RUN.name, ACCOUNT.name, PURSE.name]).await?, [0, 1, 1]);
        }
        assert!(kept > 0, "no request was ever under way");
        let people = usize::try_from(CUTS).unwrap_or(0) + 1;
        assert_eq!(at_bank(market).await?, (people, people));
        market.must_be_clean().await
    });
}

#[test]
fn a_load_whose_answer_was_lost_moves_its_money_once() {
    trial(async |market| {
        let shopper = market.shopper("Ada Weber").await?;
        let relay = Relay::to(&market.bank_at, u64::MAX).await?;
        shopper.expect_opening();
        let accounts = shopper.accounts().await?;
        let purse = accounts.open(&relay.at, PURSE_NAME, Currency::XTS).await?;
        let opened = relay.carried();
        shopper.expect_load("XTS 10.00");
        accounts.load(purse.id, money("XTS 10.00")?).await?;
        let loaded = relay.carried();
        // A purse that is there is found by a call alone.
        accounts.open(&relay.at, PURSE_NAME, Currency::XTS).await?;
        let (load, call) = (loaded - opened, relay.carried() - loaded);
        shopper.ui.must_be_satisfied()?;
        drop(relay);

        // The same once more, and the wire is cut inside the bank's answer.
        let mut relay = Relay::to(&market.bank_at, call + load - 100).await?;
        accounts.open(&relay.at, PURSE_NAME, Currency::XTS).await?;
        let lost = money("XTS 20.00")?;
        shopper.expect_load("XTS 20.00");
        let loaded = tokio::select! {
            loaded = accounts.load(purse.id, lost) => Some(loaded),
            _cut = relay.cut() => None,
        };
        assert!(loaded.is_none(), "{loaded:?}");
        drop(accounts);
        let shopper = shopper.restart().await?;
        let accounts = shopper.accounts().await?;
        accounts.open(&market.bank_at, PURSE_NAME, Currency::XTS).await?;
        // Not a second one beside it, and not another prompt for the first.
        let refused = accounts.load(purse.id, lost).await;
        assert!(matches!(refused, Err(AccountFault::Interrupted)), "{refused:?}");
        assert_eq!(accounts.go_on().await?, 1);
        assert_eq!(shopper.ui.read().len(), 0);
        assert_eq!(accounts.inspect(purse.id).await?.available(), money("XTS 30.00")?);
        assert_eq!(accounts.go_on().await?, 0);
        market.must_be_clean().await
    });
}
