//! `semper-cheating-shop`: the merchant's daemon with a hand in what leaves it. Its machines are honest; this
//! program lies in their name, with their key, or sends over a line that loses and repeats.
#![expect(clippy::print_stderr, reason = "a command-line program")]

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand, ValueEnum};
use semper_archive_sqlite::SqliteArchive;
use semper_commerce::sale::{Beside, SaleMessage};
use semper_engine::{Effect, Key, Performed, Performer};
use semper_exchange::message::{Item, Proposal};
use semper_host::{Keyring, daemon, now};
use semper_merchant_daemon::{
    program::{Program, operator},
    serve,
};
use semper_supporting::{
    comm::{
        envelope::Envelope,
        frame::{Frame, Kind},
    },
    crypto::{digest::Digest, keys::KeyRef},
    evidence::{Statement as _, statement, statement::Bytes},
    wire,
};
use semper_tests::{Chaos, Failure, Result, chaos::Line, marketplace::runtime};
use semper_trade::sale::{self, Errand, Errands, Lines, SaleInput, Unattended, Way};

/// A shop that cheats.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The folder of the shop, which the merchant's daemon has set up.
    #[arg(long)]
    dir: PathBuf,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs it until it is told to stop.
    Run(What),
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// What it does to its buyers.
    #[arg(long)]
    cheat: Option<Cheat>,
    /// It cheats nobody, but its messages are lost, late and doubled as this seed has it.
    #[arg(long)]
    chaos: Option<String>,
}

/// What the shop does to its buyers.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Cheat {
    /// Never sends the item.
    WithholdItem,
    /// Offers an escrow that the arbiter cannot open.
    BadEscrow,
}

/// The lines to the buyers, for chaos.
struct Buyers {
    store: Arc<SqliteArchive>,
    lines: Lines,
}

impl Line for Buyers {
    async fn partner(&self, key: &Key) -> String {
        let sale = sale::with_id(&*self.store, &key.id).await.ok().flatten();
        sale.and_then(|sale| sale.peer).unwrap_or_default()
    }

    fn cut(&self, key: &Key) {
        if let Some(Way::Session(session)) = self.lines.way(key) {
            session.close();
        }
    }

    fn did(&self, partner: &str, deed: &'static str) {
        tracing::info!(partner, "chaos: {deed}");
    }
}

/// Performs what a shop orders, except where it cheats.
struct Hand {
    errands: Errands<Unattended>,
    keys: Keyring,
    key: KeyRef,
    cheat: Cheat,
}

impl Performer<SaleInput> for Hand {
    async fn perform(&self, key: &Key, effect: &Effect, attempt: u32) -> Performed<SaleInput> {
        match self.twist(effect) {
            Ok(Some(effect)) => self.errands.perform(key, &effect, attempt).await,
            Ok(None) => Performed::Done,
            Err(why) => Performed::Dropped(why.to_string()),
        }
    }
}

impl Hand {
    /// What is done in place of `effect`; nothing, where it is withheld.
    fn twist(&self, effect: &Effect) -> Result<Option<Effect>> {
        let Errand::Send { kind, stream, payload } = wire::decode(&effect.body, wire::STATE_LIMIT)? else {
            return Ok(Some(effect.clone()));
        };
        let kind = Kind::of(kind).ok_or_else(|| Failure::new("it is no frame"))?;
        let frame = Frame::new(kind, stream, payload.0)?;
        let SaleMessage::Exchange { signed, beside } = SaleMessage::peek(&frame)? else {
            return Ok(Some(effect.clone()));
        };
        match (self.cheat, statement::type_of(&signed.tbs)?.as_str()) {
            (Cheat::WithholdItem, Item::TYPE) => {
                tracing::warn!("the item is withheld");
                Ok(None)
            }
            (Cheat::BadEscrow, Proposal::TYPE) => {
                tracing::warn!("the escrow is none");
                let message = self.spoil(&statement::from_bytes(&signed.tbs)?, beside)?;
                let envelope = Envelope { body: message.write()?, ..Envelope::read(&frame)? };
                let payload = Bytes(envelope.frame(kind, stream)?.payload);
                let errand = Errand::Send { kind: kind.number(), stream, payload };
                Ok(Some(Effect { body: wire::encode(&errand, wire::STATE_LIMIT)?, ..effect.clone() }))
            }
            _ => Ok(Some(effect.clone())),
        }
    }

    /// The offer with an escrow of the same length in which nothing is sealed, and a permit that rests on it.
    fn spoil(&self, offer: &Proposal, mut beside: Vec<Beside>) -> Result<SaleMessage> {
        let mut offer = offer.clone();
        for permit in offer.permit.values_mut() {
            for beside in &mut beside {
                let Beside::Blob(escrow) = beside else { continue };
                if permit.basis != Some(Digest::of(&escrow.0)) {
                    continue;
                }
                // The head says for whom and in what form it is sealed: what follows it is not what was sealed.
                for byte in escrow.0.iter_mut().rev().take(SEALED) {
                    *byte ^= 0xff;
                }
                permit.basis = Some(Digest::of(&escrow.0));
            }
        }
        let signed = self.keys.attest(&self.key, &operator(), &offer, now())?;
        Ok(SaleMessage::Exchange { signed: signed.bytes().clone(), beside })
    }
}

/// How many bytes at the end of an escrow are changed.
const SEALED: usize = 16;

fn main() -> ExitCode {
    daemon::log(daemon::Working::Daemon);
    let Arguments { dir, task: Task::Run(What { cheat, chaos }) } = Arguments::parse();
    let run = async {
        let program = Arc::new(Program::open(&dir).await?);
        let (keys, key, store) = (program.keys.clone(), program.key, Arc::clone(&program.store));
        if let Some(cheat) = cheat {
            serve::run_around(&dir, program, |errands| Hand { errands, keys, key, cheat }).await?;
        } else if let Some(seed) = chaos {
            let around = |errands: Errands<Unattended>| {
                let line = Buyers { store, lines: errands.lines.clone() };
                Chaos::new(errands, line, &seed)
            };
            serve::run_around(&dir, program, around).await?;
        }
        Ok(())
    };
    match runtime().and_then(|runtime| runtime.block_on(run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("semper-cheating-shop: {why}");
            ExitCode::FAILURE
        }
    }
}
