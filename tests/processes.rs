//! Real processes over real TLS: registration, purses and payments, with crashes in between.

use semper_exchange::{
    heads::lead,
    recourse::{TtpAnswer, TtpRequest},
};
use semper_host::enrol::EnrolError;
use semper_supporting::{
    certificate::CertRole,
    registration::{applicant::Failure as NotRegistered, message::Refusal, record::Names},
    time::Span,
};
use semper_tests::{
    Failure, Kept, Person, Relay, Result,
    money::{Till, money, order, words},
    shop::Ware,
    trial, whole_trial,
};
use semper_transfer::payment::{Op, PaymentOrder, Purse, Status};

/// A payment with a window of a day.
fn with_window(till: &Till, amount: &str) -> Result<PaymentOrder> {
    let until = semper_host::now().whole_seconds().after(Span::days(1));
    Ok(PaymentOrder { until: Some(until), ..order(till, money(amount)?)? })
}

#[test]
fn a_purse_is_filled_and_pays_and_every_cent_is_accounted_for() {
    trial(async |market| {
        let (mut ada, mut shop) = (market.person("Ada Weber").await?, market.merchant("Otto Shop").await?);
        let mut counter = ada.bank(&market.bank_at).await?;
        let mut account = ada.open_account(&mut counter).await?;
        let till = shop.till_at(&market.bank_at).await?;

        let loaded = ada.operate(&mut counter, &mut account.purse, Op::Load(money("XTS 60.00")?)).await?;
        loaded.must_be(Status::Succeeded)?;
        assert_eq!(account.purse.available(), money("XTS 60.00")?);

        let paid = ada.pay(&mut counter, &mut account.purse, &with_window(&till, "XTS 12.50")?).await?;
        paid.must_be(Status::Succeeded)?;
        assert_eq!(account.purse.available(), money("XTS 47.50")?);
        // The operator sees whose money went where, by the names of the list.
        let name = |purse: &Purse| purse.account.to_string().chars().take(8).collect::<String>();
        let (from, into) = (name(&account.purse), name(&till.purse));
        let booked = format!("from=\"{from}\" into=\"{into} pending\"");
        market.bank.log().reach(&[&booked], 1).await?;

        let inspected = ada.operate(&mut counter, &mut account.purse, Op::Inspect).await?;
        inspected.must_be(Status::Succeeded)?;
        assert_eq!(account.purse.available(), money("XTS 47.50")?);

        let too_much = ada.operate(&mut counter, &mut account.purse, Op::Unload(money("XTS 50.00")?)).await?;
        too_much.must_be(Status::Failed)?;
        ada.operate(&mut counter, &mut account.purse, Op::Unload(money("XTS 47.50")?)).await?;
        let closed = ada.operate(&mut counter, &mut account.purse, Op::Close).await?;
        closed.must_be(Status::Succeeded)?;

        let accounts = market.bank.done(&["account", "list"]).await?;
        assert!(
            accounts.contains("XTS 87.50") && accounts.contains("pending        XTS 12.50"),
            "{accounts}"
        );
        market.must_be_clean().await
    });
}

#[test]
fn an_arbiter_shows_what_it_can_and_has_no_cases_yet() {
    whole_trial(async |market| {
        let mut ada = market.person("Ada Weber").await?;
        let arbiter = ada.caps(&market.arbiter_at).await?;
        assert_eq!(arbiter.caps.name, "Trial arbiter");
        assert_eq!(arbiter.caps.authorities, [ada.bank(&market.bank_at).await?.certificate]);
        assert_eq!(market.arbiter.done(&["cases", "--json"]).await?, "[]\n");
        assert_eq!(market.arbiter.stop().await?, Some(0));
        // The archive says the same when nobody runs.
        assert_eq!(market.arbiter.done(&["cases", "--json"]).await?, "[]\n");
        market.must_be_clean().await
    });
}

#[test]
fn an_arbiter_that_is_killed_goes_on_with_the_journal_it_has_signed() {
    whole_trial(async |market| {
        let mut ada = market.person("Ada Weber").await?;
        let (at, arbiter) = (market.arbiter_at.clone(), ada.caps(&market.arbiter_at).await?);
        let mut last = ada.journal_head(&at, &arbiter).await?;
        for _ in 0..3 {
            market.arbiter.crash().await?;
            let next = ada.journal_head(&at, &arbiter).await?;
            let lines = TtpRequest::Lines { after: last.seq, to: next.seq };
            let TtpAnswer::Lines(lines) = ada.ask_arbiter(&at, &lines).await? else {
                return Err(Failure::new("no lines"));
            };
            lead(last.place(), &lines, next.place())?;
            last = next;
        }
        assert_eq!(market.arbiter.stop().await?, Some(0));
        Ok(())
    });
}

#[test]
fn a_shop_offers_its_files_and_is_paid_into_its_till() {
    trial(async |market| {
        let file = market.folder("song.txt");
        std::fs::write(&file, "la la la")?;
        let ware = Ware { file: &file, title: "A song", price: "XTS 6.00" };
        let shop = market.open_shop(&[ware]).await?;
        let list: serde_json::Value =
            serde_json::from_str(&market.shop.done(&["catalogue", "list", "--json"]).await?)?;
        assert_eq!(list[0]["id"], shop.articles.concat());
        assert_eq!(list[0]["title"], "A song");

        let mut ada = market.person("Ada Weber").await?;
        let mut counter = ada.bank(&market.bank_at).await?;
        let mut account = ada.open_account(&mut counter).await?;
        ada.operate(&mut counter, &mut account.purse, Op::Load(money("XTS 6.00")?)).await?;
        let paid = ada.pay(&mut counter, &mut account.purse, &with_window(&shop.till, "XTS 6.00")?).await?;
        paid.must_be(Status::Succeeded)?;
        let called = ada.call(&market.shop_at, CertRole::Merchant).await?;
        assert!(called.is_ok(), "{called:?}");
        assert_eq!(market.shop.stop().await?, Some(0));
        market.must_be_clean().await
    });
}

#[test]
fn a_payment_sent_five_times_is_made_once_though_the_bank_dies_each_time() {
    trial(async |market| {
        let (mut ada, mut shop) = (market.person("Ada Weber").await?, market.person("Emil Otto").await?);
        let mut counter = ada.bank(&market.bank_at).await?;
        let mut account = ada.open_account(&mut counter).await?;
        let till = shop.till_at(&market.bank_at).await?;
        market.bank.crash().await?;

        counter = ada.bank(&market.bank_at).await?;
        ada.operate(&mut counter, &mut account.purse, Op::Load(money("XTS 20.00")?)).await?;
        market.bank.crash().await?;

        counter = ada.bank(&market.bank_at).await?;
        let order = with_window(&till, "XTS 7.00")?;
        let paid = ada.pay(&mut counter, &mut account.purse, &order).await?;
        paid.must_be(Status::Succeeded)?;
        for _ in 0..4 {
            market.bank.crash().await?;
            counter = ada.bank(&market.bank_at).await?;
            // The same bytes get the same answer, to the byte.
            assert_eq!(counter.ask(&paid.request).await?, paid.reply);
        }

        // The same payment in other bytes is refused for good, and the purse is as it was.
        let mut again = account.purse.clone();
        let refused = ada.pay(&mut counter, &mut again, &order).await?;
        refused.must_be(Status::Failed)?;
        assert!(words(&refused.reply).contains("code: pay.replay"), "{}", words(&refused.reply));
        ada.operate(&mut counter, &mut account.purse, Op::Inspect).await?;
        assert_eq!(account.purse.available(), money("XTS 13.00")?);

        let accounts = market.bank.done(&["account", "list"]).await?;
        assert!(accounts.contains("pending         XTS 7.00"), "{accounts}");
        market.must_be_clean().await
    });
}

#[test]
fn an_authority_killed_anywhere_in_a_registration_gives_exactly_one_set() {
    trial(async |market| {
        let (mut first, letter) = market.somebody("Ada Weber").await?;
        let relay = Relay::to(&market.authority_at, u64::MAX).await?;
        first.enrol(&letter, &relay.at, |_| {}).await?;
        let all = relay.carried();
        let mut letters = vec![(letter, first)];

        for part in 0..CUTS {
            let random = u64::from_be_bytes(semper_host::random()?);
            // Somewhere in each part of the conversation, and once inside its last answer.
            let after = if part + 1 == CUTS { all - 500 } else { (all * part + random % all) / CUTS };
            let (mut person, letter) = market.somebody(&format!("Person {part}")).await?;
            let mut relay = Relay::to(&market.authority_at, after).await?;
            let (at, authority) = (relay.at.clone(), &mut market.authority);
            let (done, undisturbed) = tokio::sync::oneshot::channel::<()>();
            let enrolling = async {
                let outcome = person.try_enrol(&letter, &at, |_| {}).await;
                drop(done);
                outcome
            };
            let killing = async {
                tokio::select! {
                    cut = relay.cut() => authority.kill().await.map(|()| drop(cut)),
                    _ = undisturbed => Ok(()),
                }
            };
            let (outcome, killed) = tokio::join!(enrolling, killing);
            killed?;
            let outcome = outcome?;
            assert!(outcome.is_err(), "cut after {after} of {all} bytes: {outcome:?}");
            market.authority.start().await?;
            let again = person.enrol(&letter, &market.authority_at, |_| {}).await;
            again.map_err(|why| Failure::of(&format!("cut after {after} of {all} bytes"), why))?;
            letters.push((letter, person));
        }

        for (letter, _) in &letters {
            assert!(market.registration(&letter.id).await?.contains("used"));
        }
        // The letter in somebody else's hands gives nothing, not even where the first answer was lost.
        for (letter, _) in letters.iter().take(1).chain(letters.last()) {
            let mut thief = Person::create(&market.folder(&letter.id), market.root().clone()).await?;
            let refused = thief.try_enrol(letter, &market.authority_at, |_| {}).await?;
            assert!(matches!(refusal(refused), Some(Refusal::AlreadyIssued { .. })));
        }
        market.authority.stop().await?;
        let kept = Kept::read(market.authority.folder()).await?;
        for (letter, person) in &letters {
            let events = kept.journal(&format!("registration {} issued", letter.id));
            assert_eq!(events, 1, "{}", letter.id);
            assert_eq!(person.certificates().len(), 2);
            assert_eq!(kept.issued(&letter.id).await?, person.certificates());
        }
        Ok(())
    });
}

#[test]
fn wrong_names_are_counted_and_a_void_letter_is_worth_nothing() {
    trial(async |market| {
        let (mut ada, letter) = market.somebody("Ada Weber").await?;
        let wrong = |names: &mut Names| names.name = "Ada Webber".into();
        let mut left = Vec::new();
        for _ in 0..2 {
            match refusal(ada.try_enrol(&letter, &market.authority_at, wrong).await?) {
                Some(Refusal::NameDiffers { left: tries }) => left.push(tries),
                other => return Err(Failure::new(format!("{other:?}"))),
            }
        }
        assert_eq!(left, [4, 3]);
        // The count outlives the authority's process.
        market.authority.crash().await?;
        for expected in [2, 1] {
            let refused = refusal(ada.try_enrol(&letter, &market.authority_at, wrong).await?);
            assert_eq!(refused, Some(Refusal::NameDiffers { left: expected }));
        }
        // Case and white space are no difference; the program takes what is typed in now.
        ada.enrol(&letter, &market.authority_at, |names| names.name = "ada  WEBER".into()).await?;
        let name = &semper_supporting::certificate::inspect(&ada.certificates()[0])?.subject.common_name;
        assert_eq!(name, "Ada Weber");

        let (mut emil, letter) = market.somebody("Emil Otto").await?;
        market.authority.done(&["ra", "void", &letter.id, "--reason", "lost in the post"]).await?;
        let refused = refusal(emil.try_enrol(&letter, &market.authority_at, |_| {}).await?);
        assert_eq!(refused, Some(Refusal::Void));
        let letter = market.letter("Emil Otto", &["--city", "Darmstadt", "--country", "DE"]).await?;
        emil.enrol(&letter, &market.authority_at, |_| {}).await?;
        // A key that was used is not void any more, and cannot become so.
        let said = market.authority.command(&["ra", "void", &letter.id, "--reason", "too late"]).await?;
        assert_eq!(said.code, Some(1), "{said:?}");
        Ok(())
    });
}

#[test]
fn five_wrong_names_in_a_day_lock_a_registration() {
    trial(async |market| {
        let (mut ada, letter) = market.somebody("Ada Weber").await?;
        for _ in 0..5 {
            let wrong = |names: &mut Names| names.city = Some("Frankfurt".into());
            ada.try_enrol(&letter, &market.authority_at, wrong).await?.map(drop).unwrap_err();
        }
        let locked = refusal(ada.try_enrol(&letter, &market.authority_at, |_| {}).await?);
        assert!(matches!(locked, Some(Refusal::Locked { .. })), "{locked:?}");
        assert!(ada.certificates().is_empty());
        Ok(())
    });
}

#[test]
fn whoever_is_revoked_is_refused_by_the_bank_once_it_has_the_new_list() {
    trial(async |market| {
        let (mut ada, letter) = market.somebody("Ada Weber").await?;
        ada.register(&letter).await?;
        let mut emil = market.person("Emil Otto").await?;
        ada.bank(&market.bank_at).await?;

        let renewed = ["revocation lists are newer"];
        let before = market.bank.log().count(&renewed);
        market.authority.done(&["ra", "revoke", &letter.id, "--reason", "key-compromise"]).await?;
        assert!(market.registration(&letter.id).await?.contains("revoked"));
        // A daemon that runs takes the newest list by itself, as often as its operator wants.
        market.bank.log().reach(&renewed, before + 1).await?;

        ada.call(&market.bank_at, CertRole::Bank).await?.map(drop).unwrap_err();
        emil.bank(&market.bank_at).await?;
        assert_eq!(market.bank.log().count(&["call refused", "cert.revoked"]), 1);
        Ok(())
    });
}

#[test]
fn a_bank_told_to_stop_loses_nothing() {
    trial(async |market| {
        let mut ada = market.person("Ada Weber").await?;
        let mut counter = ada.bank(&market.bank_at).await?;
        let mut account = ada.open_account(&mut counter).await?;
        for _ in 0..5 {
            let begun = ada.begin(Some(&account.purse), Op::Load(money("XTS 3.00")?))?;
            let control = market.bank.folder().join("control");
            assert!(control.exists());
            // The question is on its way when the daemon is told; it may be answered or not.
            let bank = &mut market.bank;
            let (answer, code) = tokio::join!(counter.ask(&begun.request), async { bank.stop().await });
            assert_eq!(code?, Some(0));
            assert!(!control.exists());
            market.bank.start().await?;
            counter = ada.bank(&market.bank_at).await?;
            let reply = counter.ask(&begun.request).await?;
            if let Ok(before) = answer {
                assert_eq!(before, reply);
            }
            let done = begun.settle(reply)?;
            done.must_be(Status::Succeeded)?;
            account.purse = done.purse.unwrap();
        }
        ada.operate(&mut counter, &mut account.purse, Op::Inspect).await?;
        assert_eq!(account.purse.available(), money("XTS 15.00")?);
        market.must_be_clean().await
    });
}

/// In how many places a registration is cut.
const CUTS: u64 = 5;

/// Why the authority declined, if it did.
fn refusal<T>(outcome: std::result::Result<T, EnrolError>) -> Option<Refusal> {
    match outcome {
        Err(EnrolError::Failure(NotRegistered::Refused(refusal))) => Some(refusal),
        _ => None,
    }
}
