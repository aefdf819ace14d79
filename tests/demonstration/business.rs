//! What is done in the demonstration, step by step.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use semper_merchant_daemon::config::Config;
use semper_supporting::crypto::digest::Digest;
use semper_tests::{Daemon, Failure, Marketplace, Result, Shop, Ware, buyer::Buyer, programs::CHEATING_SHOP};
use serde_json::Value;

use crate::{
    Arguments, bundle,
    fault::{self, Fault},
    found::{Archives, LOADED, PRICE},
    report::{Check, Count, Findings, Item, Outcome, Phase, Report, SCHEMA},
    say,
    window::{self, Screen, Wallet},
};

/// The name of the customer.
const CUSTOMER: &str = "Ada Weber";
/// What is sold if no file is named: a page of ours.
const PAGE: (&str, &[u8]) = ("glossary.md", include_bytes!("../../docs/glossary.md"));
/// The longest title of an article, in characters.
const TITLE: usize = 80;

/// How long whoever is cheated waits before it asks the arbiter, in seconds.
const PATIENCE_OF_THE_CHEATED: u64 = 3;

/// What is to be demonstrated.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The file that is sold; without one, a page of ours.
    pub(crate) file: Option<PathBuf>,
    /// The cheat, if there is one.
    pub(crate) fault: Option<Fault>,
    /// The folder of the report.
    pub(crate) out: PathBuf,
}

/// The demonstration as far as it has come.
#[derive(Debug, Default)]
pub(crate) struct Business {
    market: Option<Marketplace>,
    screen: Option<Screen>,
    buyer: Option<Buyer>,
    findings: Findings,
}

impl Business {
    /// Does everything.
    ///
    /// # Errors
    /// [`Failure`] where it had to end early.
    pub(crate) async fn run(&mut self, plan: &Plan) -> Result<()> {
        prepare(&plan.out)?;
        let (shop, buyer) = self.set_up(plan).await?;
        let bought = self.trade(plan, &shop, &buyer).await?;
        self.close(plan, &buyer, &shop, &bought).await?;
        self.prove(plan, &buyer, &bought).await?;
        self.show(plan, &buyer).await
    }

    /// Sets the market up, with a shop that has the file and a customer who has money.
    async fn set_up(&mut self, plan: &Plan) -> Result<(Shop, Buyer)> {
        let phases = &mut self.findings.phases;
        let market = phase(phases, "authority founded", Marketplace::with_authority()).await?;
        let market = self.market.insert(market);
        phase(phases, "bank registered", market.found_bank()).await?;
        let arbiter = async {
            market.open_arbiter().await?;
            market.bank.start().await
        };
        phase(phases, "arbiter registered, both opened", arbiter).await?;
        let file = match &plan.file {
            Some(file) => file.clone(),
            None => {
                let file = market.folder(PAGE.0);
                fs::write(&file, PAGE.1)?;
                file
            }
        };
        let title = title(&file);
        let (digest, bytes) = measure(&file)?;
        self.findings.item =
            Some(Item { file: title.clone(), bytes, sha256: digest.to_string(), received: None });
        let ware = Ware { file: &file, title: &title, price: PRICE };
        let opened = async {
            let shop = market.found_shop(&[ware]).await?;
            open(&mut market.shop, plan.fault).await?;
            Ok(shop)
        };
        let shop = phase(phases, "merchant registered, shop opened", opened).await?;
        let buyer = Buyer::found(market, CUSTOMER, LOADED);
        let buyer = phase(phases, "customer registered, purse filled", buyer).await?;
        self.buyer = Some(buyer.clone());
        Ok((shop, buyer))
    }

    /// The sale. Gives what the customer's program says of it.
    async fn trade(&mut self, plan: &Plan, shop: &Shop, buyer: &Buyer) -> Result<Value> {
        let market = self.market.as_ref().ok_or_else(|| Failure::new("no market"))?;
        let article = shop.articles.first().ok_or_else(|| Failure::new("nothing is sold"))?;
        let at = market.shop_at.to_string();
        let words = ["buy", "--shop", &at, "--article", article];
        let words = words.into_iter().chain(plan.fault.map(Fault::word)).collect::<Vec<_>>();
        let phases = &mut self.findings.phases;
        let bought = match plan.fault {
            None => phase(phases, "file bought", buyer.done(&words)).await?,
            Some(Fault::SilentBuyer) => {
                phase(phases, "file ordered, offer unanswered", buyer.done(&words)).await?
            }
            Some(Fault::SilentMerchant | Fault::BadSeal) => {
                phase(phases, "file bought with the arbiter's help", buyer.done(&words)).await?
            }
        };
        if plan.fault == Some(Fault::SilentBuyer) {
            let log = market.shop.log();
            let called_off = log.reach(&["sale", "outcome=\"nothing\""], 1);
            phase(phases, "exchange called off by the arbiter", called_off).await?;
        }
        Ok(bought)
    }

    /// Stops every daemon, and reads what all have kept.
    async fn close(&mut self, plan: &Plan, buyer: &Buyer, shop: &Shop, bought: &Value) -> Result<()> {
        let market = self.market.as_mut().ok_or_else(|| Failure::new("no market"))?;
        let phases = &mut self.findings.phases;
        phase(phases, "daemons stopped", market.end()).await?;
        let daemons = [
            ("certification authority", &market.authority),
            ("bank", &market.bank),
            ("arbiter", &market.arbiter),
            ("shop", &market.shop),
        ];
        let count = |daemon: &Daemon| u64::try_from(daemon.connections()).unwrap_or(u64::MAX);
        self.findings.handshakes =
            daemons.map(|(at, daemon)| Count { at, count: count(daemon) }).into_iter().collect();
        let (said, audit) = phase(phases, "audit of the bank", market.audit()).await?;
        let found = audit.get("findings").and_then(|all| all.as_array()).map_or(usize::MAX, Vec::len);
        self.findings.check("the audit's exit code", 0, said.code.unwrap_or(-1));
        self.findings.check("the audit's findings", 0, found);
        self.findings.audit = Some(audit);
        let mut findings = std::mem::take(&mut self.findings);
        let start = Instant::now();
        let expected = fault::expected(plan.fault);
        let read = Archives { market, buyer, till: &shop.till, bought, expected }.read(&mut findings).await;
        findings.phases.push(Phase { name: "archives read", machine_ms: since(start) });
        self.findings = findings;
        read
    }

    /// Has the evidence exported by the wallet's program, and checked without any of ours.
    async fn prove(&mut self, plan: &Plan, buyer: &Buyer, bought: &Value) -> Result<()> {
        let market = self.market.as_ref().ok_or_else(|| Failure::new("no market"))?;
        let deal = bought.get("deal").and_then(Value::as_str).ok_or_else(|| Failure::new("no deal"))?;
        let phases = &mut self.findings.phases;
        let folder = plan.out.join(bundle::FOLDER);
        phase(phases, "evidence exported", bundle::export(&buyer.profile, deal, &folder)).await?;
        let checked = bundle::verify(&folder, market.root().digest());
        let bundle = phase(phases, "evidence checked by openssl", checked).await?;
        self.findings.check("the verdict of the evidence", "ACCEPTED", &bundle.verdict);
        self.findings.bundle = Some(bundle);
        Ok(())
    }

    /// Photographs the wallet's window on a screen of its own.
    async fn show(&mut self, plan: &Plan, buyer: &Buyer) -> Result<()> {
        let phases = &mut self.findings.phases;
        let screen = phase(phases, "screen opened", Screen::open()).await?;
        let screen = self.screen.insert(screen);
        let photographs = window::photograph(screen, &buyer.profile, &plan.out);
        self.findings.pictures = phase(phases, "window photographed", photographs).await?;
        Ok(())
    }

    /// Whether everything that was compared so far was the same.
    pub(crate) fn holds(&self) -> bool {
        self.findings.checks.iter().all(Check::held)
    }

    /// Runs the daemons again, and opens the wallet's window on the screen of whoever runs this.
    ///
    /// # Errors
    /// [`Failure`] if one of them cannot be run.
    pub(crate) async fn open_window(&mut self) -> Result<Wallet> {
        let market = self.market.as_mut().ok_or_else(|| Failure::new("no market"))?;
        let buyer = self.buyer.as_ref().ok_or_else(|| Failure::new("no customer"))?;
        for daemon in [&mut market.authority, &mut market.bank, &mut market.arbiter, &mut market.shop] {
            daemon.start().await?;
        }
        Wallet::open(&buyer.profile, None)
    }

    /// Ends every process.
    ///
    /// # Errors
    /// [`Failure`] if one does not end as told.
    pub(crate) async fn end(&mut self) -> Result<()> {
        let screen = match self.screen.take() {
            Some(screen) => screen.end().await,
            None => Ok(()),
        };
        let Some(mut market) = self.market.take() else { return screen };
        let ended = market.end().await.and(screen);
        if ended.is_ok() && self.holds() && !self.findings.pictures.is_empty() {
            market.went_well();
        }
        ended
    }

    /// The report.
    pub(crate) fn report(self, arguments: &Arguments, outcome: Result<()>) -> Report {
        let checks = &self.findings.checks;
        let wrong = checks.iter().filter(|check| !check.held()).count();
        let why = match outcome {
            Err(why) => Some(why.to_string()),
            Ok(()) if wrong > 0 => Some(format!("{wrong} of {} checks failed", checks.len())),
            Ok(()) => None,
        };
        Report {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" },
            unattended: arguments.unattended,
            fault: arguments.fault,
            outcome: if why.is_none() { Outcome::Held } else { Outcome::Failed },
            why,
            findings: self.findings,
        }
    }
}

/// Opens the shop, which cheats where that is the fault, and waits for nobody for long in any fault.
async fn open(shop: &mut Daemon, fault: Option<Fault>) -> Result<()> {
    let Some(fault) = fault else { return shop.start().await };
    let mut config = Config::read(shop.folder())?;
    match fault {
        Fault::SilentBuyer => config.deadlines.t_accept = PATIENCE_OF_THE_CHEATED,
        Fault::SilentMerchant | Fault::BadSeal => config.deadlines.t_item = PATIENCE_OF_THE_CHEATED,
    }
    config.write(shop.folder())?;
    match fault.cheat() {
        Some(cheat) => shop.start_by(CHEATING_SHOP, &["--cheat", cheat]).await,
        None => shop.start().await,
    }
}

/// Does a phase and notes how long it took.
async fn phase<T>(
    phases: &mut Vec<Phase>,
    name: &'static str,
    deed: impl Future<Output = Result<T>>,
) -> Result<T> {
    say(name);
    let start = Instant::now();
    let done = deed.await.map_err(|why| Failure::of(name, why))?;
    phases.push(Phase { name, machine_ms: since(start) });
    Ok(done)
}

fn since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Makes the folder of the report, and removes what an earlier run left there.
fn prepare(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    bundle::clear(&folder.join(bundle::FOLDER))?;
    for name in window::PICTURES {
        match fs::remove_file(folder.join(name)) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(why.into()),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// What buyers see of a file: its name.
fn title(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.chars().filter(|letter| !letter.is_control()).take(TITLE).collect()
}

/// SHA-256 and length in bytes of a file.
pub(crate) fn measure(file: &Path) -> Result<(Digest, u64)> {
    let content = fs::read(file).map_err(|why| Failure::of(&file.display().to_string(), why))?;
    Ok((Digest::of(&content), u64::try_from(content.len())?))
}
