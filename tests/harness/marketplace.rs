//! A certification authority, a bank, an arbiter and a shop, set up from nothing as their operators would.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use semper_supporting::{
    certificate::Certificate,
    comm::address::{Endpoint, Surroundings},
};
use semper_ttp_daemon::config::Config;

use crate::{
    daemon::{Daemon, PATIENCE, Said},
    failure::{Failure, Result},
    letter::Letter,
    person::{HOST, Person},
    programs::{MERCHANTD, TTPD},
};

/// What each new customer's account is given by the bank of a trial.
pub const GIFT: &str = "XTS 100.00";

/// How often daemons fetch the revocation lists, in seconds.
const LISTS_EVERY: &str = "2";

/// The ports of daemons: registered ports (RFC 6335, 6) below those of callers.
const FIRST_PORT: u16 = 12_000;
const PORTS: u16 = 20_000;

/// A market in a temporary folder. Everything in it ends and goes when it is dropped.
#[derive(Debug)]
pub struct Marketplace {
    /// The certification authority.
    pub authority: Daemon,
    /// The bank.
    pub bank: Daemon,
    /// The arbiter.
    pub arbiter: Daemon,
    /// The shop.
    pub shop: Daemon,
    /// Where the authority is.
    pub authority_at: Endpoint,
    /// Where the bank is.
    pub bank_at: Endpoint,
    /// Where the arbiter is, once it is open.
    pub arbiter_at: Endpoint,
    /// Where the shop is, once it is open.
    pub shop_at: Endpoint,
    root: Certificate,
    quiet: bool,
    // The last field: processes end before their folder goes.
    place: tempfile::TempDir,
}

impl Marketplace {
    /// Sets up an authority and runs it; nobody else is there yet.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn with_authority() -> Result<Self> {
        let place = tempfile::tempdir()?;
        let (authority_at, bank_at) = (endpoint(free_port()?)?, endpoint(free_port()?)?);
        let (arbiter_at, shop_at) = (endpoint(free_port()?)?, endpoint(free_port()?)?);
        let folder = |name: &str| place.path().join(name);
        let mut authority = Daemon::new("authority", TTPD, folder("authority"));
        let bank = Daemon::new("bank", TTPD, folder("bank"));
        let arbiter = Daemon::new("arbiter", TTPD, folder("arbiter"));
        let shop = Daemon::new("shop", MERCHANTD, folder("shop"));
        let (port, listen) = (authority_at.port().to_string(), format!("127.0.0.1:{}", authority_at.port()));
        let words = ["init", "--roles", "registration", "--name", "Trial authority", "--demo"];
        let about = ["--organisation", "Trial", "--country", "DE", "--host", "localhost"];
        let at = ["--port", &port, "--listen", &listen];
        authority.done(&[words.as_slice(), &about, &at].concat()).await?;
        let root = Certificate::from_pem(&fs::read_to_string(authority.folder().join("root.pem"))?)?;
        authority.start().await?;
        Ok(Self {
            authority,
            bank,
            arbiter,
            shop,
            authority_at,
            bank_at,
            arbiter_at,
            shop_at,
            root,
            quiet: false,
            place,
        })
    }

    /// Sets up authority and bank, and runs both.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn new() -> Result<Self> {
        let mut market = Self::with_authority().await?;
        market.open_bank().await?;
        Ok(market)
    }

    /// Sets up authority, bank and arbiter, and runs all three.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn whole() -> Result<Self> {
        let mut market = Self::with_authority().await?;
        market.found_bank().await?;
        market.open_arbiter().await?;
        market.bank.start().await?;
        Ok(market)
    }

    /// Registers the bank and runs it.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn open_bank(&mut self) -> Result<()> {
        self.found_bank().await?;
        self.bank.start().await
    }

    /// Registers the bank by a letter, from its folder's beginning.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn found_bank(&self) -> Result<()> {
        self.found(&self.bank, &self.bank_at, "bank", "Trial bank", &["--gift", GIFT]).await
    }

    /// Registers the arbiter and runs it. The bank, which is registered, follows its orders from now on: where
    /// it runs, it is started again.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn open_arbiter(&mut self) -> Result<()> {
        let bank = format!("{}={}", self.bank_at, path(&self.bank.folder().join("certificate.pem"))?);
        self.found(&self.arbiter, &self.arbiter_at, "arbiter", "Trial arbiter", &["--bank", &bank]).await?;
        let mut config = Config::read(self.bank.folder())?;
        config.bank.arbiters.push(self.arbiter.folder().join("certificate.pem"));
        config.write(self.bank.folder())?;
        if self.bank.runs() {
            self.bank.stop().await?;
            self.bank.start().await?;
        }
        self.arbiter.start().await
    }

    /// Registers a third party by a letter, from its folder's beginning.
    async fn found(
        &self,
        daemon: &Daemon,
        at: &Endpoint,
        role: &str,
        name: &str,
        more: &[&str],
    ) -> Result<()> {
        let about = ["--kind", role, "--organisation", name, "--country", "DE", "--dns", HOST];
        let letter = self.letter(name, &about).await?;
        let init = ["init", "--roles", role, "--name", name, "--organisation", name, "--country", "DE"];
        self.initialise(daemon, at, &letter, &[init.as_slice(), more].concat()).await
    }

    /// Sets a daemon up as its operator does who has its letter in hand.
    pub(crate) async fn initialise(
        &self,
        daemon: &Daemon,
        at: &Endpoint,
        letter: &Letter,
        words: &[&str],
    ) -> Result<()> {
        let file = daemon.folder().with_extension("letter");
        fs::write(&file, &letter.text)?;
        let (port, listen) = (at.port().to_string(), format!("127.0.0.1:{}", at.port()));
        let (authority, root) = (self.authority_at.to_string(), self.authority.folder().join("root.pem"));
        let common =
            ["--host", HOST, "--demo", "--port", &port, "--listen", &listen, "--authority", &authority];
        let papers = ["--root", path(&root)?, "--letter", path(&file)?, "--lists-every", LISTS_EVERY];
        daemon.done(&[words, &common, &papers].concat()).await?;
        Ok(fs::remove_file(file)?)
    }

    /// The root that everybody here trusts.
    pub fn root(&self) -> &Certificate {
        &self.root
    }

    /// A folder of its own for somebody called `name`.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Enters somebody at the authority and has the letter printed.
    ///
    /// # Errors
    /// [`Failure`] with what the authority's operator is told.
    pub async fn letter(&self, name: &str, about: &[&str]) -> Result<Letter> {
        let entered = self.authority.done(&[&["ra", "enter", "--name", name], about].concat()).await?;
        let id = entered.trim().to_owned();
        let text = self.authority.done(&["ra", "print", &id]).await?;
        Ok(Letter { id, text })
    }

    /// A person of this name with a letter, not registered yet.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn somebody(&self, name: &str) -> Result<(Person, Letter)> {
        let letter = self.letter(name, &["--city", "Darmstadt", "--country", "DE"]).await?;
        let person = Person::create(&self.folder(name), self.root.clone()).await?;
        Ok((person, letter))
    }

    /// A merchant of this name, registered by letter and with the newest revocation lists.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn merchant(&self, name: &str) -> Result<Person> {
        let about = ["--kind", "merchant", "--organisation", name, "--city", "Darmstadt"];
        let about = [about.as_slice(), &["--country", "DE", "--dns", HOST]].concat();
        let letter = self.letter(name, &about).await?;
        let mut merchant = Person::merchant(&self.folder(name), self.root.clone()).await?;
        merchant.register(&letter).await?;
        Ok(merchant)
    }

    /// A person of this name, registered by letter and with the newest revocation lists, which callers need.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn person(&self, name: &str) -> Result<Person> {
        let (mut person, letter) = self.somebody(name).await?;
        person.register(&letter).await?;
        Ok(person)
    }

    /// Audits the bank, whether it runs or not; gives the command's answer, and the same as JSON.
    ///
    /// # Errors
    /// [`Failure`] if the answer is none.
    pub async fn audit(&self) -> Result<(Said, serde_json::Value)> {
        let said = self.bank.command(&["audit", "--json"]).await?;
        let found = serde_json::from_str(&said.out)
            .map_err(|error| Failure::of("the audit's answer", format!("{error}: {said:?}")))?;
        Ok((said, found))
    }

    /// Audits the bank and fails unless every cent is accounted for.
    ///
    /// # Errors
    /// [`Failure`] with what was found.
    pub async fn must_be_clean(&self) -> Result<()> {
        let (said, found) = self.audit().await?;
        let clean = found.get("findings").and_then(|all| all.as_array()).is_some_and(Vec::is_empty);
        if said.code == Some(0) && clean { Ok(()) } else { Err(Failure::of("the audit", found)) }
    }

    /// Ends all daemons, whichever run, in an orderly way.
    ///
    /// # Errors
    /// [`Failure`] if one does not end, or says that it failed.
    pub async fn end(&mut self) -> Result<()> {
        for daemon in [&mut self.shop, &mut self.arbiter, &mut self.bank, &mut self.authority] {
            if daemon.runs() && daemon.stop().await? != Some(0) {
                return Err(Failure::new("a daemon failed at its end"));
            }
        }
        Ok(())
    }

    /// What the authority's operator sees of a registration: its line in the list.
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub async fn registration(&self, id: &str) -> Result<String> {
        let list = self.authority.done(&["ra", "list"]).await?;
        let line = list.lines().find(|line| line.starts_with(id)).map(str::to_owned);
        line.ok_or_else(|| Failure::of("no registration", id))
    }

    /// Says that the trial went well: the logs of the daemons are not shown when the market goes.
    pub fn went_well(&mut self) {
        self.quiet = true;
    }
}

impl Drop for Marketplace {
    fn drop(&mut self) {
        if !self.quiet {
            for daemon in [&self.authority, &self.bank, &self.arbiter, &self.shop] {
                show(&daemon.log().text());
            }
        }
    }
}

#[expect(clippy::print_stderr, reason = "the test runner shows it beside the failure")]
fn show(log: &str) {
    eprint!("{log}");
}

/// Runs a trial in a market of authority and bank; if it fails, the logs of the daemons come with the reason.
pub fn trial(steps: impl AsyncFnOnce(&mut Marketplace) -> Result<()>) {
    trial_in(Marketplace::new(), PATIENCE * 3, steps);
}

/// As [`trial`], in a market with an arbiter.
pub fn whole_trial(steps: impl AsyncFnOnce(&mut Marketplace) -> Result<()>) {
    trial_in(Marketplace::whole(), PATIENCE * 3, steps);
}

/// As [`whole_trial`], for steps that are many: each waits for its own end, and all together for up to `limit`.
pub fn long_trial(limit: Duration, steps: impl AsyncFnOnce(&mut Marketplace) -> Result<()>) {
    trial_in(Marketplace::whole(), limit, steps);
}

#[expect(clippy::panic, reason = "how a test fails")]
fn trial_in(
    market: impl Future<Output = Result<Marketplace>>,
    limit: Duration,
    steps: impl AsyncFnOnce(&mut Marketplace) -> Result<()>,
) {
    let outcome = runtime().and_then(|runtime| {
        runtime.block_on(async {
            let mut market = market.await?;
            let run = tokio::time::timeout(limit, steps(&mut market)).await;
            let outcome = run.unwrap_or_else(|_| Err(Failure::new("the trial does not end")));
            if outcome.is_ok() {
                market.went_well();
            }
            outcome
        })
    });
    if let Err(why) = outcome {
        panic!("{why}");
    }
}

/// A runtime as the programs have it.
///
/// # Errors
/// [`Failure`] if the system gives no threads.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// A port that nobody listens at now, below those that the system gives to callers: a daemon that is down for
/// a moment finds its port free when it comes back.
fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let port = FIRST_PORT + u16::from_be_bytes(semper_host::random()?) % PORTS;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Failure::new("no port is free"))
}

pub(crate) fn path(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Failure::of("no plain path", path.display()))
}

/// The address of a daemon of the trial at `port`.
///
/// # Errors
/// [`Failure`] for a port that no address has.
pub fn endpoint(port: u16) -> Result<Endpoint> {
    Ok(Endpoint::parse(&format!("localhost:{port}"), Surroundings::Demo)?)
}
