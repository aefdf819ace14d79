//! A certification authority and a bank, set up from nothing as their operators would.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

use semper_supporting::{
    certificate::Certificate,
    comm::address::{Endpoint, Surroundings},
};

use crate::{
    daemon::{Daemon, PATIENCE, Said},
    failure::{Failure, Result},
    letter::Letter,
    person::{HOST, Person},
    programs::TTPD,
};

/// What each new customer's account is given by the bank of a trial.
pub const GIFT: &str = "XTS 100.00";

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
    /// Where the authority is.
    pub authority_at: Endpoint,
    /// Where the bank is.
    pub bank_at: Endpoint,
    root: Certificate,
    quiet: bool,
    // The last field: processes end before their folder goes.
    place: tempfile::TempDir,
}

impl Marketplace {
    /// Sets up an authority and runs it; the bank is not there yet.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn with_authority() -> Result<Self> {
        let place = tempfile::tempdir()?;
        let (authority_at, bank_at) = (endpoint(free_port()?)?, endpoint(free_port()?)?);
        let folder = |name: &str| place.path().join(name);
        let mut authority = Daemon::new("authority", TTPD, folder("authority"));
        let bank = Daemon::new("bank", TTPD, folder("bank"));
        let (port, listen) = (authority_at.port().to_string(), format!("127.0.0.1:{}", authority_at.port()));
        let words = ["init", "--roles", "registration", "--name", "Trial authority", "--demo"];
        let about = ["--organisation", "Trial", "--country", "DE", "--host", "localhost"];
        let at = ["--port", &port, "--listen", &listen];
        authority.done(&[words.as_slice(), &about, &at].concat()).await?;
        let root = Certificate::from_pem(&fs::read_to_string(authority.folder().join("root.pem"))?)?;
        authority.start().await?;
        Ok(Self { authority, bank, authority_at, bank_at, root, quiet: false, place })
    }

    /// Sets up both and runs both.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn new() -> Result<Self> {
        let mut market = Self::with_authority().await?;
        market.open_bank().await?;
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
        let about = ["--kind", "bank", "--organisation", "Trial bank plc", "--country", "DE"];
        let letter = self.letter("Trial bank", &[about.as_slice(), &["--dns", "localhost"]].concat()).await?;
        let path = self.place.path().join("bank.letter");
        fs::write(&path, &letter.text)?;
        self.bank.done(&self.bank_init(&path)?.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        Ok(fs::remove_file(path)?)
    }

    fn bank_init(&self, letter: &Path) -> Result<Vec<String>> {
        let root = self.authority.folder().join("root.pem");
        let text = |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| Failure::new("a path"));
        let port = self.bank_at.port();
        let mut words: Vec<String> =
            ["init", "--roles", "bank", "--name", "Trial bank", "--organisation", "Trial bank plc"]
                .map(str::to_owned)
                .to_vec();
        words.extend(["--country", "DE", "--host", "localhost", "--demo", "--gift", GIFT].map(str::to_owned));
        words.extend(["--port".to_owned(), port.to_string()]);
        words.extend(["--listen".to_owned(), format!("127.0.0.1:{port}")]);
        words.extend(["--authority".to_owned(), self.authority_at.to_string()]);
        words.extend(["--root".to_owned(), text(&root)?, "--letter".to_owned(), text(letter)?]);
        Ok(words)
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

    /// Ends both daemons, whichever runs, in an orderly way.
    ///
    /// # Errors
    /// [`Failure`] if one does not end, or says that it failed.
    pub async fn end(&mut self) -> Result<()> {
        for daemon in [&mut self.bank, &mut self.authority] {
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
            show(&self.authority.log().text());
            show(&self.bank.log().text());
        }
    }
}

#[expect(clippy::print_stderr, reason = "the test runner shows it beside the failure")]
fn show(log: &str) {
    eprint!("{log}");
}

/// Runs a trial in a market of its own; if it fails, the logs of the daemons come with the reason.
#[expect(clippy::panic, reason = "how a test fails")]
pub fn trial(steps: impl AsyncFnOnce(&mut Marketplace) -> Result<()>) {
    let outcome = runtime().and_then(|runtime| {
        runtime.block_on(async {
            let mut market = Marketplace::new().await?;
            let run = tokio::time::timeout(PATIENCE * 3, steps(&mut market)).await;
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

/// The address of a daemon of the trial at `port`.
///
/// # Errors
/// [`Failure`] for a port that no address has.
pub fn endpoint(port: u16) -> Result<Endpoint> {
    Ok(Endpoint::parse(&format!("localhost:{port}"), Surroundings::Demo)?)
}
