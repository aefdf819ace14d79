//! `semper-buyer`: a shopper without a screen, made of the wallet's library. Somebody reads its prompts and
//! confirms those that were expected; everything else is the wallet.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use semper_supporting::{
    certificate::Certificate,
    comm::address::{Endpoint, Surroundings},
    crypto::digest::Digest,
    money::{Currency, Money},
};
use semper_tests::{
    Failure, Letter, Result,
    doom::{Doom, Fate},
    marketplace::runtime,
    money::money,
    shop::NAME,
    shopper::Shopper,
};
use semper_transfer::catalogue::ArticleId;
use semper_wallet::{
    buying::{Buying, GOODS},
    places::Places,
};
use serde_json::json;

/// A shopper without a screen.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The folder of the wallet.
    #[arg(long)]
    profile: PathBuf,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Makes the wallet, registers by a letter, opens a purse and loads it.
    Init {
        /// The file with the root certificate.
        #[arg(long)]
        root: PathBuf,
        /// The file with the letter.
        #[arg(long)]
        letter: PathBuf,
        /// The bank, as host:port.
        #[arg(long)]
        bank: String,
        /// An arbiter, as host:port.
        #[arg(long = "arbiter")]
        arbiters: Vec<String>,
        /// What is put into the purse, as "XTS 50.00".
        #[arg(long)]
        load: String,
    },
    /// Buys an article and waits until the deal is closed.
    Buy {
        /// The shop, as host:port.
        #[arg(long)]
        shop: String,
        /// The article, as the shop names it.
        #[arg(long)]
        article: String,
        /// Leaves the question about the exchange unanswered, and ends there: a buyer who falls silent.
        #[arg(long)]
        silent: bool,
        /// Ends once the exchange has, whether or not the shop closes the deal: a shop that cheats may not.
        #[arg(long)]
        leave: bool,
    },
    /// Goes on with every sale that is open, until all are closed.
    GoOn,
    /// Goes on with every sale that is open, takes the goods off the shelf, and buys an article again; dies where it
    /// is told.
    Trade {
        /// The shop, as host:port.
        #[arg(long)]
        shop: String,
        /// The article, as the shop names it.
        #[arg(long)]
        article: String,
        /// What it costs, as "XTS 6.00".
        #[arg(long)]
        price: String,
        /// Before or after which transaction of the sale, as "before 3".
        #[arg(long)]
        doom: String,
    },
    /// Says what is in the purse, by the bank's word.
    Purse,
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")))
        .with_ansi(false)
        .init();
    let Arguments { profile, task } = Arguments::parse();
    match runtime().and_then(|runtime| runtime.block_on(run(&profile, task))) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("semper-buyer: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(profile: &Path, task: Task) -> Result<serde_json::Value> {
    match task {
        Task::Init { root, letter, bank, arbiters, load } => {
            let root = Certificate::from_pem(&std::fs::read_to_string(root)?)?;
            let letter = Letter::read(&std::fs::read_to_string(letter)?);
            init(profile, root, &letter, &bank, &arbiters, money(&load)?).await
        }
        Task::Buy { shop, article, silent, leave } => buy(profile, &shop, &article, (silent, leave)).await,
        Task::GoOn => go_on(profile).await,
        Task::Trade { shop, article, price, doom } => {
            trade(profile, &shop, &article, &price, doom.parse()?).await
        }
        Task::Purse => purse(profile).await,
    }
}

async fn init(
    profile: &Path,
    root: Certificate,
    letter: &Letter,
    bank: &str,
    arbiters: &[String],
    load: Money,
) -> Result<serde_json::Value> {
    let at = |text: &str| Endpoint::parse(text, Surroundings::Demo);
    let shopper = Shopper::create(profile).await?;
    shopper.register(letter, root).await?;
    let store = shopper.wallet.archive.as_ref();
    let mut places = Places::load(store).await?;
    places.banks = vec![at(bank)?];
    places.arbiters = arbiters.iter().map(|arbiter| at(arbiter)).collect::<std::result::Result<_, _>>()?;
    places.keep(store).await?;
    let accounts = shopper.accounts().await?;
    shopper.expect_opening();
    let purse = accounts.open(&at(bank)?, "Purse", Currency::XTS).await?;
    shopper.expect_load(&load.to_string());
    let purse = accounts.load(purse.id, load).await?;
    shopper.ui.must_be_satisfied()?;
    let buying = shopper.buying().await?;
    let met = buying.meet_arbiters().await?;
    buying.stop().await;
    Ok(json!({ "purse": purse.id, "available": purse.available(), "arbiters": met }))
}

async fn buy(
    profile: &Path,
    shop: &str,
    article: &str,
    (silent, leave): (bool, bool),
) -> Result<serde_json::Value> {
    let shopper = Shopper::again(profile).await?;
    let buying = shopper.buying().await?;
    let shop = Endpoint::parse(shop, Surroundings::Demo)?;
    let article = ArticleId::parse(article).map_err(|error| Failure::of("the article", error))?;
    let mut visit = buying.visit(&shop).await?;
    let found = visit.article(article).await.map_err(|fault| Failure::of("the shop", fault))?;
    let keeper = visit.keeper().name.unwrap_or_default();
    shopper.expect_deal(&keeper);
    if silent {
        shopper.leave_exchange();
    } else {
        shopper.expect_exchange(&keeper, &found.price.to_string());
    }
    let key = buying.order(&visit, &found, None).await?;
    drop(visit);
    if silent {
        tokio::select! {
            carried = buying.carry(&key) => carried?,
            () = shopper.ui.left() => {}
        }
    } else {
        tokio::select! {
            carried = buying.carry(&key) => carried?,
            ended = ended(&buying, &key), if leave => ended?,
        }
        shopper.ui.must_be_satisfied()?;
    }
    let said = report(&buying, &shopper, &key).await?;
    if !silent {
        buying.stop().await;
    }
    Ok(said)
}

/// Waits until the exchange of a sale has ended.
async fn ended(buying: &Buying, key: &semper_engine::Key) -> Result<()> {
    let mut view = buying.watch(key).await?;
    view.wait_for(|view| view.as_ref().is_some_and(|view| view.end.is_some())).await?;
    Ok(())
}

async fn go_on(profile: &Path) -> Result<serde_json::Value> {
    let shopper = Shopper::again(profile).await?;
    // Whatever was not answered before is asked again, as soon as the sales go on.
    for sale in semper_trade::sale::open(shopper.wallet.archive.as_ref()).await? {
        shopper.may_expect(&sale.peer.unwrap_or_default(), &sale.price.to_string());
    }
    let buying = shopper.buying().await?;
    let mut said = Vec::new();
    for key in buying.open().await? {
        buying.carry(&key).await?;
        said.push(report(&buying, &shopper, &key).await?);
    }
    buying.stop().await;
    Ok(serde_json::Value::Array(said))
}

async fn trade(
    profile: &Path,
    shop: &str,
    article: &str,
    price: &str,
    doom: Doom,
) -> Result<serde_json::Value> {
    let shopper = Shopper::again(profile).await?;
    // What was asked before the end is asked again as soon as the sales are taken up.
    shopper.may_expect(NAME, price);
    let fate = Fate::default();
    shopper.wallet.archive.watch(fate.clone());
    let buying = shopper.buying().await?;
    let article = ArticleId::parse(article).map_err(|error| Failure::of("the article", error))?;
    let mut visit = buying.visit(&Endpoint::parse(shop, Surroundings::Demo)?).await?;
    let found = visit.article(article).await.map_err(|fault| Failure::of("the shop", fault))?;
    for key in buying.open().await? {
        buying.carry(&key).await?;
    }
    shopper.ui.must_be_satisfied()?;
    println!("{}", json!({ "taken": take(profile, &found.plain)? }));
    fate.set(doom);
    let key = buying.order(&visit, &found, None).await?;
    drop(visit);
    buying.carry(&key).await?;
    let transactions = fate.spare();
    let sale = report(&buying, &shopper, &key).await?;
    buying.stop().await;
    Ok(json!({ "transactions": transactions, "sale": sale }))
}

/// Takes goods with this content off the shelf, if they are there; says what their content really is.
fn take(profile: &Path, plain: &Digest) -> Result<Option<Digest>> {
    let path = profile.join(GOODS).join("items").join(plain.to_string());
    if !path.is_file() {
        return Ok(None);
    }
    let content = Digest::of(&std::fs::read(&path)?);
    std::fs::remove_file(path)?;
    Ok(Some(content))
}

async fn purse(profile: &Path) -> Result<serde_json::Value> {
    let shopper = Shopper::again(profile).await?;
    let accounts = shopper.accounts().await?;
    let mut said = Vec::new();
    for purse in accounts.purses().await? {
        let purse = accounts.inspect(purse.id).await?;
        said.push(json!({ "name": purse.name, "available": purse.available() }));
    }
    Ok(serde_json::Value::Array(said))
}

/// What became of a sale, and of the money.
async fn report(buying: &Buying, shopper: &Shopper, key: &semper_engine::Key) -> Result<serde_json::Value> {
    let view = buying.watch(key).await?.borrow().clone().ok_or_else(|| Failure::new("no such sale"))?;
    let item = match view.deal {
        Some(deal) => buying.item(deal).await?,
        None => None,
    };
    let purses = buying.accounts().purses().await?;
    Ok(json!({
        "deal": view.deal,
        "peer": view.peer,
        "price": view.price,
        "end": format!("{:?}", view.end),
        "told": view.code.map(semper_exchange::tell::Code::key),
        "paid": view.is_paid,
        "delivered": view.is_delivered,
        "closed": view.is_closed,
        "item": item.map(|(hash, path)| json!({ "sha256": hash, "path": path })),
        "purses": purses.iter().map(|purse| json!({ "name": purse.name, "available": purse.available() })).collect::<Vec<_>>(),
        "prompts": shopper.ui.read(),
    }))
}
