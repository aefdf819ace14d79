//! The first start as a shopper does it: the real program in a real window, from an empty folder to home, by hand,
//! with a letter of a real authority; and what goes wrong on the way.
#![cfg(test)]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use semper_host::papers::Papers;
use semper_supporting::{crypto::signature::Kid, registration::prk::Prk};
use semper_tests::{
    Letter, Marketplace, Result, Screen, Window, long_trial,
    screen::{MISSING, album},
    shopper::PASSWORD,
    trial,
};
use semper_wallet::{
    password::Password,
    profile::Profile,
    wallet::{Mode, Wallet},
};

const PIN: &str = "728193";
/// Irregular keys, more than are asked for.
const KEYS: usize = 150;

/// Somebody in front of the window, with keys and no mouse.
struct Shopper<'a> {
    screen: &'a Screen,
    window: Window,
    album: PathBuf,
}

impl Shopper<'_> {
    /// Goes on by so many tabs, at the pace of a person: one for each drawing.
    async fn tab(&self, times: usize) -> Result<()> {
        let keys = [&["key", "--delay", "70"], vec!["Tab"; times].as_slice()].concat();
        self.screen.hands(&keys).await
    }

    /// Goes on by this many tabs, and uses what has the keyboard then.
    async fn use_after(&self, tabs: usize) -> Result<()> {
        self.tab(tabs).await?;
        self.screen.press("space").await
    }

    async fn types(&self, text: &str) -> Result<()> {
        self.screen.hands(&["type", "--delay", "70", text]).await
    }

    async fn sees(&mut self, view: &str) -> Result<()> {
        self.window.wait_for_view(view).await
    }

    async fn photographs(&self, name: &str) -> Result<()> {
        self.screen.photograph(&self.album, name).await
    }

    /// Holds the picture, which is so many tabs away, until the window shows `view`.
    async fn holds(&mut self, tabs: usize, view: &str) -> Result<()> {
        self.tab(tabs).await?;
        self.screen.hands(&["keydown", "space"]).await?;
        self.sees(view).await?;
        self.screen.hands(&["keyup", "space"]).await
    }

    /// From the welcome to the registration: a wallet for trials on this computer.
    async fn sets_up(&mut self) -> Result<()> {
        self.sees("first/welcome").await?;
        self.window.focus(self.screen).await?;
        self.photographs("s01.png").await?;
        self.use_after(3).await?;
        self.sees("first/seal").await?;
        self.photographs("s02.png").await?;
        // Behind two buttons, two words and twelve colours.
        self.holds(17, "first/seal/tried").await?;
        self.photographs("s02-tried.png").await?;
        self.use_after(2).await?;
        self.sees("first/secrets").await?;
        self.types("\tpassword1234").await?;
        self.sees("first/secrets/weak").await?;
        self.photographs("s03-weak.png").await?;
        self.screen.press("ctrl+BackSpace").await?;
        self.types(&format!("{PASSWORD}\t{PASSWORD}\t{PIN}\t{PIN}\t")).await?;
        self.sees("first/secrets/good").await?;
        self.photographs("s03.png").await?;
        // *Back* has the keyboard already.
        self.use_after(1).await?;
        self.sees("first/randomness").await?;
        self.types(&format!("\t{}", "e".repeat(30))).await?;
        self.sees("first/randomness/regular").await?;
        self.photographs("s04-regular.png").await?;
        self.types(&keys()).await?;
        self.sees("first/randomness/enough").await?;
        self.photographs("s04.png").await?;
        self.use_after(2).await?;
        self.sees("first/register").await?;
        self.photographs("s05-empty.png").await
    }

    /// Has a letter read, from the top of the form.
    async fn reads(&mut self, letter: &Path) -> Result<()> {
        // In one go, at the pace of a person: a letter that comes in the drawing of the tab before it is lost.
        self.types(&format!("\t{}\t ", letter.display())).await?;
        self.sees("first/register/letter").await
    }

    /// Asks for the certificate, from the button that reads, and confirms the question.
    async fn asks(&mut self) -> Result<()> {
        self.use_after(9).await?;
        self.sees("first/register/armed").await?;
        self.photographs("s05-question.png").await
    }
}

/// Letters as irregular as fingers are.
fn keys() -> String {
    let mut state: u32 = 1;
    let mut key = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a'.saturating_add(u8::try_from((state >> 24) % 26).unwrap_or_default()))
    };
    (0..KEYS).map(|_| key()).collect()
}

/// The letter of somebody in a file, beside the root certificate, as both came from the authority.
async fn letter(market: &Marketplace, name: &str) -> Result<PathBuf> {
    let letter = market.letter(name, &["--city", "Darmstadt", "--country", "DE"]).await?;
    let folder = market.folder("post");
    fs::create_dir_all(&folder)?;
    fs::copy(market.authority.folder().join("root.pem"), folder.join("root.pem"))?;
    let path = folder.join("letter.txt");
    fs::write(&path, letter.text)?;
    Ok(path)
}

async fn open(profile: &Path) -> Result<Wallet> {
    Ok(Wallet::unlock(&Profile::at(profile), Password::new(PASSWORD)?, Mode::Whole).await?)
}

/// The keys of a wallet that nobody has open, and how many certificates it has.
async fn holding(profile: &Path) -> Result<(BTreeSet<Kid>, usize)> {
    let wallet = open(profile).await?;
    let papers = Papers::load(wallet.archive.as_ref()).await?;
    Ok((wallet.own_keys(), papers.own.len()))
}

#[test]
fn a_shopper_with_a_letter_gets_a_registered_wallet_without_a_terminal() {
    trial(async |market| {
        let Some(screen) = Screen::open().await? else {
            println!("{MISSING}");
            return Ok(());
        };
        let path = letter(market, "Ines Ortmann").await?;
        let profile = market.folder("wallet");
        let album = album(&market.folder("photographs")).join("first");
        let window = Window::start(&screen, &profile).await?;
        let mut shopper = Shopper { screen: &screen, window, album };
        shopper.sets_up().await?;
        shopper.reads(&path).await?;
        shopper.photographs("s05-letter.png").await?;
        shopper.asks().await?;
        shopper.holds(1, "first/register/done").await?;
        shopper.photographs("s05-done.png").await?;
        shopper.use_after(1).await?;
        shopper.sees("home").await?;
        shopper.photographs("s08-new.png").await?;
        // The door is there from now on, with the same words, and leads home at once.
        screen.press("ctrl+shift+l").await?;
        shopper.sees("door/ready").await?;
        screen.type_and_enter(PASSWORD).await?;
        shopper.sees("home").await?;
        shopper.window.close(&screen).await?;
        assert_eq!(holding(&profile).await?.1, 2);
        assert!(!Profile::at(&profile).is_first_start());
        Ok(())
    });
}

#[test]
fn a_wrong_key_registers_nobody_and_an_interrupted_start_goes_on_with_the_same_keys() {
    long_trial(std::time::Duration::from_secs(300), async |market| {
        let Some(screen) = Screen::open().await? else {
            println!("{MISSING}");
            return Ok(());
        };
        let path = letter(market, "Ines Ortmann").await?;
        let page = fs::read_to_string(&path)?;
        let right = Letter::read(&page).must("Registration key")?.to_owned();
        let wrong = path.with_file_name("wrong.txt");
        fs::write(&wrong, page.replace(&right, &Prk::from_random(&[7; 14]).text()))?;
        let profile = market.folder("wallet");
        let album = album(&market.folder("photographs")).join("second");
        let window = Window::start(&screen, &profile).await?;
        let mut shopper = Shopper { screen: &screen, window, album: album.clone() };
        shopper.sets_up().await?;
        shopper.reads(&wrong).await?;
        shopper.asks().await?;
        shopper.holds(1, "first/register/problem").await?;
        shopper.photographs("s05-unknown.png").await?;
        shopper.window.close(&screen).await?;
        let (keys, certificates) = holding(&profile).await?;
        assert_eq!(certificates, 0);

        // After the door it stands there again. Now the authority is away.
        market.authority.stop().await?;
        let window = Window::at_the_door(&screen, &profile).await?;
        let mut shopper = Shopper { screen: &screen, window, album: album.clone() };
        screen.type_and_enter(PASSWORD).await?;
        shopper.sees("first/register").await?;
        shopper.reads(&path).await?;
        shopper.asks().await?;
        shopper.holds(1, "first/register/begun").await?;
        shopper.photographs("s05-begun.png").await?;
        shopper.window.close(&screen).await?;

        // It goes on by itself, without the letter and without another question.
        market.authority.start().await?;
        let window = Window::at_the_door(&screen, &profile).await?;
        let mut shopper = Shopper { screen: &screen, window, album };
        screen.type_and_enter(PASSWORD).await?;
        shopper.sees("first/register/done").await?;
        shopper.use_after(1).await?;
        shopper.sees("home").await?;
        shopper.window.close(&screen).await?;
        assert_eq!(holding(&profile).await?, (keys, 2));
        Ok(())
    });
}
