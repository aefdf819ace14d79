//! The real program in a real window, on a screen of its own: the door, home, the log, the lock; and a sale under
//! way, which goes on as soon as the wallet is open.
#![cfg(test)]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so, and how long the first frame took")]

use std::{fs, path::Path, process::Stdio};

use semper_host::chance;
use semper_supporting::{
    archive::{
        Batch, Query, Row, Store as _,
        journal::{self, Entry, Kind},
    },
    deal::DealId,
};
use semper_tests::{
    Failure, Marketplace, Result, Screen, Ware, Window,
    buyer::Buyer,
    marketplace::runtime,
    screen::{MISSING, album, init, output, program},
    shop,
    shopper::{BANK, PASSWORD, PIN},
    whole_trial,
};
use semper_tinguin::{texts::Texts, widgets::log_row::Way};
use semper_trade::sale;
use semper_wallet::{
    deals::Book,
    ledger::Ledger,
    lines,
    password::Password,
    profile::Profile,
    wallet::{Mode, Wallet},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    time::timeout,
};

/// What the shop sells in these trials, and for how much.
const TITLE: &str = "Colour management, an introduction";
const PRICE: &str = "XTS 12.50";

/// The deals and the kinds of the lines of a little business.
const LINES: [(u8, &str); 9] = [
    (0x5f, "sent/deal-propose"),
    (0x5f, "received/deal-accept"),
    (0x91, "sent/deal-propose"),
    (0x5f, "received/offer"),
    (0x5f, "asked-user/Prompted"),
    (0x91, "received/x/gxv/offer"),
    (0x33, "received/offer"),
    (0x33, "sent/deal-close"),
    (0x91, "sent/pay/pay"),
];

async fn open(profile: &Path) -> Result<Wallet> {
    Ok(Wallet::unlock(&Profile::at(profile), Password::new(PASSWORD)?, Mode::Whole).await?)
}

/// Writes lines into the journal of a wallet as a little business leaves them.
async fn do_business(profile: &Path) -> Result<()> {
    let wallet = open(profile).await?;
    let mut batch = Batch::new();
    for (deal, kind) in LINES {
        let (deal, kind) =
            (DealId::from_bytes([deal; 32]), Kind::parse(kind).ok_or_else(|| Failure::of("no kind", kind))?);
        let payload = format!("semper-statement/1 {}\ndeal: {deal}\n", kind.detail()).into_bytes();
        let (at, salt, deal) = (chance::now(), chance::random()?, Some(deal));
        batch = batch.entry(Entry { at, kind, deal, salt, payload });
    }
    for committed in wallet.archive.commit(vec![batch]).await {
        committed?;
    }
    Ok(())
}

/// Runs a trial with a screen; says so where there is none.
fn on_screen(trial: impl AsyncFnOnce(Screen) -> Result<()>) {
    let outcome = runtime().and_then(|runtime| {
        runtime.block_on(async {
            match Screen::open().await? {
                Some(screen) => trial(screen).await,
                None => {
                    println!("{MISSING}");
                    Ok(())
                }
            }
        })
    });
    if let Err(why) = outcome {
        panic!("{why}");
    }
}

/// Milliseconds in a line about the first frame.
fn milliseconds(line: &str) -> Result<u64> {
    let said = line.split("milliseconds=").nth(1).and_then(|rest| rest.split_whitespace().next());
    said.and_then(|number| number.parse().ok()).ok_or_else(|| Failure::of("no milliseconds", line))
}

#[test]
fn the_door_opens_to_the_right_password_only_and_locks_again() {
    on_screen(async |screen| {
        let home = tempfile::tempdir()?;
        let profile = home.path().join("wallet");
        init(&profile, PASSWORD).await?;
        do_business(&profile).await?;
        let photographs = album(home.path());
        let mut window = Window::start(&screen, &profile).await?;
        let first = window.wait_for(&["the first frame was drawn"]).await?;
        println!("first frame after {} ms", milliseconds(&first)?);
        window.wait_for_view("door/ready").await?;
        window.focus(&screen).await?;
        screen.photograph(&photographs, "s07.png").await?;

        screen.type_and_enter("not the password").await?;
        window.wait_for_view("door/wrong").await?;
        screen.photograph(&photographs, "s07-wrong.png").await?;
        screen.type_and_enter(PASSWORD).await?;
        window.wait_for_view("home").await?;
        screen.photograph(&photographs, "s08.png").await?;
        screen.press("ctrl+7").await?;
        window.wait_for_view("log").await?;
        screen.photograph(&photographs, "s25.png").await?;
        println!("{} kB resident", window.resident()?);

        // A second window on the same wallet opens to nobody.
        let mut second = Window::start(&screen, &profile).await?;
        second.wait_for_view("door/second").await?;
        drop(second);

        window.focus(&screen).await?;
        screen.press("ctrl+shift+l").await?;
        window.wait_for_view("door/ready").await?;
        screen.type_and_enter(PASSWORD).await?;
        window.wait_for_view("home").await?;
        window.close(&screen).await
    });
}

#[test]
fn without_a_screen_one_sentence_says_what_to_do() {
    let said = async |inspected: bool, profile: &Path| -> Result<(Option<i32>, String)> {
        let mut command = program(profile)?;
        if inspected {
            command.env("EGUI_INSPECTION", "1");
        }
        let output = output(&mut command).await?;
        Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
    };
    let outcome = runtime().and_then(|runtime| {
        runtime.block_on(async {
            let home = tempfile::tempdir()?;
            let profile = home.path().join("wallet");
            let (code, text) = said(false, &profile).await?;
            assert!(code == Some(1) && text.contains("semper-wallet init"), "{text}");
            init(&profile, PASSWORD).await?;
            let (code, text) = said(false, &profile).await?;
            assert_eq!((code, text.lines().count()), (Some(1), 1), "{text}");
            assert!(text.contains("apt-get install xvfb"), "{text}");
            let (code, text) = said(true, &profile).await?;
            assert!(code == Some(1) && text.starts_with("EGUI_INSPECTION is set"), "{text}");
            Ok(())
        })
    });
    if let Err(why) = outcome {
        panic!("{why}");
    }
}

/// A shop with one article, and somebody with a purse.
async fn shop_and_buyer(market: &mut Marketplace) -> Result<(Buyer, String)> {
    let file = market.folder("introduction.pdf");
    let bytes: Vec<u8> = (0..70_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    fs::write(&file, bytes)?;
    let shop = market.open_shop(&[Ware { file: &file, title: TITLE, price: PRICE }]).await?;
    let buyer = Buyer::found(market, "Ines Ortmann", "XTS 50.00").await?;
    let article = shop.articles.first().ok_or_else(|| Failure::new("nothing is sold"))?;
    Ok((buyer, article.clone()))
}

/// Has the buyer's program buy, and kills it as soon as its log holds all of `words`.
async fn buy_until(buyer: &Buyer, market: &Marketplace, article: &str, words: &[&str]) -> Result<()> {
    let shop = market.shop_at.to_string();
    let mut command = buyer.command(&["buy", "--shop", &shop, "--article", article])?;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let said = child.stderr.take().ok_or_else(|| Failure::new("the buyer has no log"))?;
    let mut lines = BufReader::new(said).lines();
    let mut seen = String::new();
    let reached = timeout(semper_tests::daemon::PATIENCE, async {
        while let Some(line) = lines.next_line().await? {
            seen.push_str(&line);
            seen.push('\n');
            if words.iter().all(|word| line.contains(word)) {
                return Ok(true);
            }
        }
        Result::Ok(false)
    });
    let reached = reached.await??;
    child.kill().await?;
    if reached { Ok(()) } else { Err(Failure::of("the buyer did not come so far", seen)) }
}

/// The one sale in a wallet that nobody has open.
async fn only_sale(profile: &Path) -> Result<sale::Entry> {
    let wallet = open(profile).await?;
    let mut sales = sale::list(wallet.archive.as_ref()).await?;
    match (sales.pop(), sales.len()) {
        (Some(sale), 0) => Ok(sale),
        (last, others) => Err(Failure::new(format!("not one sale: {last:?} and {others} others"))),
    }
}

/// The lines of a wallet that nobody has open, as the live log shows them: who, and what.
async fn log_of(profile: &Path) -> Result<Vec<(Way, String)>> {
    let wallet = open(profile).await?;
    let store = wallet.archive.as_ref();
    let rows: Vec<Row> =
        store.query(vec![Query::of(journal::TABLE.name)]).await?.into_iter().flatten().collect();
    let (texts, mut book) = (Texts::english(), Book::default());
    book.learn(Ledger::read(store).await?);
    let seen = lines::read(store, &rows, &wallet.own_keys()).await?;
    let entries = seen.iter().map(|seen| seen.entry(&texts, &mut book));
    Ok(entries.map(|entry| (entry.way, entry.message)).collect())
}

#[test]
fn a_sale_that_was_cut_off_goes_on_in_the_window_to_its_end() {
    whole_trial(async |market| {
        let Some(screen) = Screen::open().await? else {
            println!("{MISSING}");
            return Ok(());
        };
        let (buyer, article) = shop_and_buyer(market).await?;
        // Without the bank nobody gets further than the payment.
        market.bank.stop().await?;
        // The bank is asked once the agreement is on the disk.
        buy_until(&buyer, market, &article, &["the bank does not answer"]).await?;

        let photographs = album(&buyer.profile.with_extension("photographs"));
        let mut window = Window::at_the_door(&screen, &buyer.profile).await?;
        screen.type_and_enter(PASSWORD).await?;
        window.wait_for_sales(1, 0).await?;
        screen.photograph(&photographs, "sale-before-s08.png").await?;
        screen.press("ctrl+7").await?;
        window.wait_for_view("log").await?;
        screen.photograph(&photographs, "sale-before-s25.png").await?;

        market.bank.start().await?;
        window.wait_for_sales(0, 0).await?;
        screen.photograph(&photographs, "sale-after-s25.png").await?;
        screen.press("ctrl+1").await?;
        window.wait_for_view("home").await?;
        screen.photograph(&photographs, "sale-after-s08.png").await?;
        println!("{} kB resident", window.resident()?);
        window.close(&screen).await?;

        let sale = only_sale(&buyer.profile).await?;
        assert_eq!(
            (sale.outcome.as_deref(), sale.paid, sale.closed),
            (Some("done"), true, true),
            "{sale:#?}"
        );
        let log = log_of(&buyer.profile).await?;
        for (way, message) in &log {
            let known = match way {
                Way::Here => true,
                Way::From(name) | Way::To(name) => name == shop::NAME || name == BANK,
            };
            assert!(known && !message.contains('/'), "{way:?}: {message}");
        }
        let last = (Way::From(shop::NAME.into()), "Closing of the deal".to_owned());
        assert_eq!(log.last(), Some(&last));
        market.must_be_clean().await
    });
}

#[test]
fn a_question_stays_open_in_the_window_and_can_be_answered_later() {
    whole_trial(async |market| {
        let Some(screen) = Screen::open().await? else {
            println!("{MISSING}");
            return Ok(());
        };
        let (buyer, article) = shop_and_buyer(market).await?;
        let shop = market.shop_at.to_string();
        buyer.done(&["buy", "--shop", &shop, "--article", &article, "--silent"]).await?;

        let photographs = album(&buyer.profile.with_extension("photographs"));
        let mut window = Window::at_the_door(&screen, &buyer.profile).await?;
        screen.type_and_enter(PASSWORD).await?;
        window.wait_for_sales(1, 1).await?;
        screen.photograph(&photographs, "question-s08.png").await?;
        screen.press("ctrl+j").await?;
        window.wait_for_view("waiting").await?;
        screen.photograph(&photographs, "question-s26.png").await?;
        screen.press("ctrl+shift+l").await?;
        window.wait_for_view("door/ready").await?;
        window.close(&screen).await?;

        let sale = only_sale(&buyer.profile).await?;
        assert_eq!((sale.outcome, sale.paid, sale.closed), (None, false, false));
        let bought = buyer.go_on().await?;
        assert_eq!(bought[0]["end"], "Some(Exchanged(Done))", "{bought:#}");
        market.must_be_clean().await
    });
}

/// Where things stand in a window of the usual size.
mod place {
    /// The button that opens the first question of the tray.
    pub(super) const OPEN: (u16, u16) = (1040, 181);
    /// The card with the facts.
    pub(super) const CARD: (u16, u16) = (500, 420);
    /// The user's picture.
    pub(super) const PICTURE: (u16, u16) = (772, 704);
    /// Decline, and the button that means it.
    pub(super) const DECLINE: (u16, u16) = (58, 704);
    pub(super) const DECLINE_FOR_GOOD: (u16, u16) = (74, 726);
    /// The field of the PIN.
    pub(super) const PIN: (u16, u16) = (116, 616);
}

/// Begins a purchase that stops at the question about the exchange, and opens the wallet's window on it.
async fn window_on_question(screen: &Screen, buyer: &Buyer, shop: &str, article: &str) -> Result<Window> {
    buyer.done(&["buy", "--shop", shop, "--article", article, "--silent"]).await?;
    let mut window = Window::at_the_door(screen, &buyer.profile).await?;
    screen.type_and_enter(PASSWORD).await?;
    window.wait_for(&["asking=1"]).await?;
    window.wait_for_questions(1).await?;
    Ok(window)
}

#[test]
fn a_payment_is_refused_and_another_held_and_paid_in_the_window() {
    whole_trial(async |market| {
        let Some(screen) = Screen::open().await? else {
            println!("{MISSING}");
            return Ok(());
        };
        let wares = [("introduction.pdf", TITLE, PRICE), ("atlas.pdf", "An atlas of colours", "XTS 62.50")];
        let files = wares.map(|(name, ..)| market.folder(name));
        for file in &files {
            fs::write(file, file.display().to_string().repeat(400))?;
        }
        let both = [0, 1].map(|n: usize| Ware { file: &files[n], title: wares[n].1, price: wares[n].2 });
        let shop = market.open_shop(&both).await?;
        let buyer = Buyer::found(market, "Ines Ortmann", "XTS 90.00").await?;
        let photographs = album(&buyer.profile.with_extension("photographs"));
        let at = market.shop_at.to_string();

        let mut window = window_on_question(&screen, &buyer, &at, &shop.articles[0]).await?;
        screen.photograph(&photographs, "prompt-s08.png").await?;
        screen.press("ctrl+j").await?;
        window.wait_for_view("waiting").await?;
        screen.photograph(&photographs, "prompt-s26.png").await?;
        screen.click(place::OPEN).await?;
        window.wait_for_view("prompt").await?;
        screen.scroll(place::CARD, 12).await?;
        window.wait_for_view("prompt/ready").await?;
        screen.photograph(&photographs, "prompt-s13.png").await?;
        // A click, and Enter, confirm nothing.
        screen.click(place::PICTURE).await?;
        screen.press("Return").await?;
        screen.click(place::DECLINE).await?;
        screen.photograph(&photographs, "prompt-decline.png").await?;
        screen.click(place::DECLINE_FOR_GOOD).await?;
        window.wait_for_questions(0).await?;
        window.wait_for(&["asking=0"]).await?;
        screen.press("ctrl+1").await?;
        window.wait_for_view("home").await?;
        screen.photograph(&photographs, "prompt-declined-s08.png").await?;
        window.close(&screen).await?;
        let sale = only_sale(&buyer.profile).await?;
        assert_eq!((sale.outcome.as_deref(), sale.paid), (Some("nothing"), false), "{sale:#?}");

        let mut window = window_on_question(&screen, &buyer, &at, &shop.articles[1]).await?;
        screen.press("ctrl+j").await?;
        window.wait_for_view("waiting").await?;
        screen.click(place::OPEN).await?;
        window.wait_for_view("prompt").await?;
        screen.scroll(place::CARD, 12).await?;
        screen.click(place::PIN).await?;
        screen.type_text("504817").await?;
        window.wait_for_view("prompt/ready").await?;
        screen.press_down(place::PICTURE).await?;
        window.wait_for_view("prompt/wrong-pin").await?;
        screen.let_go().await?;
        screen.photograph(&photographs, "prompt-s14-wrong.png").await?;
        screen.click(place::PIN).await?;
        screen.type_text(PIN).await?;
        window.wait_for_view("prompt/ready-again").await?;
        screen.press_down(place::PICTURE).await?;
        screen.photograph(&photographs, "prompt-s13-holding.png").await?;
        window.wait_for(&["sale", "paid=true", "closed=true"]).await?;
        screen.let_go().await?;
        screen.press("ctrl+1").await?;
        window.wait_for_view("home").await?;
        screen.photograph(&photographs, "prompt-paid-s08.png").await?;
        window.close(&screen).await?;
        let wallet = open(&buyer.profile).await?;
        let sales = sale::list(wallet.archive.as_ref()).await?;
        let paid = sales.iter().filter(|sale| sale.paid && sale.outcome.as_deref() == Some("done"));
        assert_eq!((sales.len(), paid.count()), (2, 1), "{sales:#?}");
        drop(wallet);
        market.must_be_clean().await
    });
}
