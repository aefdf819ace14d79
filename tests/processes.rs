//! Real processes over real TLS: registration, purses and payments, with crashes in between.

use semper_supporting::time::Span;
use semper_tests::{
    Result,
    money::{Till, money, order},
    trial,
};
use semper_transfer::payment::{Op, PaymentOrder, Status, module::BankReply};

/// A payment with a window of a day.
fn with_window(till: &Till, amount: &str) -> Result<PaymentOrder> {
    let until = semper_host::now().whole_seconds().after(Span::days(1));
    Ok(PaymentOrder { until: Some(until), ..order(till, money(amount)?)? })
}

#[test]
fn a_purse_is_filled_and_pays_and_every_cent_is_accounted_for() {
    trial(async |market| {
        let (mut ada, mut shop) = (market.person("Ada Weber").await?, market.person("Emil Otto").await?);
        let mut counter = ada.bank(&market.bank_at).await?;
        let mut account = ada.open_account(&mut counter).await?;
        let till = shop.till_at(&market.bank_at).await?;

        let loaded = ada.operate(&mut counter, &mut account.purse, Op::Load(money("XTS 60.00")?)).await?;
        loaded.must_be(Status::Succeeded)?;
        assert_eq!(account.purse.available(), money("XTS 60.00")?);

        let paid = ada.pay(&mut counter, &mut account.purse, &with_window(&till, "XTS 12.50")?).await?;
        paid.must_be(Status::Succeeded)?;
        assert_eq!(account.purse.available(), money("XTS 47.50")?);

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
        assert!(matches!(refused.reply, BankReply::Signed(_)), "{:?}", refused.reply);
        ada.operate(&mut counter, &mut account.purse, Op::Inspect).await?;
        assert_eq!(account.purse.available(), money("XTS 13.00")?);

        let accounts = market.bank.done(&["account", "list"]).await?;
        assert!(accounts.contains("pending         XTS 7.00"), "{accounts}");
        market.must_be_clean().await
    });
}
