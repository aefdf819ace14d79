//! The operator's commands, for a daemon that runs and for one that does not.
//!
//! If no daemon listens on the control socket of its folder, the command opens the folder itself. A file is
//! sealed by the program that was called, whoever keeps the row: its bytes never go through the socket, its
//! key only wrapped.

use std::{io, path::Path, sync::Arc};

pub use semper_host::control::{Commands, Done};
use semper_host::{Folder, control};
use semper_trade::sale;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    catalogue::{self, AddError, Entry, Removed, Wanted},
    config::Config,
    goods::{Goods, Placed, Size},
    program::{Program, ProgramError},
    terms::command::{self, TermsCommand},
};

/// How many articles are read at once.
const PAGE: u32 = 1000;

/// A command of the operator.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Command {
    /// Keeps an article whose goods are sealed and in place.
    Keep(Box<Entry>),
    /// Lists the articles.
    Articles {
        /// Whether the answer is JSON.
        json: bool,
    },
    /// Removes an article.
    Remove {
        /// Its name.
        id: String,
    },
    /// Lists the deals.
    Deals {
        /// Whether the answer is JSON.
        json: bool,
    },
    /// Is about terms of business.
    Terms(TermsCommand),
}

/// Takes commands of a running daemon until the task is dropped.
///
/// # Errors
/// Those of the system.
pub async fn take(commands: Commands, program: Arc<Program>) -> io::Result<()> {
    let work = |command| {
        let program = Arc::clone(&program);
        async move { execute(&program, command).await }
    };
    commands.take(work).await
}

/// Has a command done: by the daemon that runs in `folder`, or here.
///
/// # Errors
/// [`ProgramError`] if the folder cannot be opened.
pub async fn send(folder: &Path, command: Command) -> Result<Done, ProgramError> {
    let failed = |error| ProgramError::File(control::socket(folder).display().to_string(), error);
    match control::send(folder, &command).await.map_err(failed)? {
        Some(done) => Ok(done),
        None => Ok(execute(&Program::open(folder).await?, command).await),
    }
}

/// Seals `file` and adds it to the catalogue of the shop in `folder`; `progress` is told how many bytes of how
/// many were sealed.
///
/// # Errors
/// [`ProgramError`] if the folder cannot be opened.
pub async fn add(
    folder: &Path,
    file: &Path,
    wanted: Wanted,
    mut progress: impl FnMut(u64, u64) + Send + 'static,
) -> Result<Done, ProgramError> {
    let secrets = Folder::open(folder)?;
    let till = Config::read(folder)?.currency();
    let goods = Goods::of(folder);
    let path = file.to_owned();
    let sealing = tokio::task::spawn_blocking(move || {
        catalogue::prepare(&goods, &path, &wanted, till, &secrets.wrapping_key(), &mut progress)
    });
    let prepared: Result<(Entry, Placed), AddError> =
        sealing.await.map_err(|error| ProgramError::File("sealing".into(), io::Error::other(error)))?;
    let (entry, placed) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return Ok(not_added(&error)),
    };
    let done = send(folder, Command::Keep(Box::new(entry))).await;
    match &done {
        Ok(done) if done.good => drop(placed),
        Ok(_) => placed.discard(),
        // Whether the row was kept is not known here. Without one the goods go when the daemon next starts.
        Err(ProgramError::File(..)) => drop(placed),
        Err(_) => placed.discard(),
    }
    done
}

fn not_added(error: &AddError) -> Done {
    Done { good: false, text: format!("{error}; nothing was added") }
}

/// Does a command.
pub async fn execute(program: &Program, command: Command) -> Done {
    let done = match command {
        Command::Keep(article) => return keep(program, &article).await,
        Command::Articles { json } => articles(program, json).await,
        Command::Remove { id } => remove(program, &id).await,
        Command::Deals { json } => deals(program, json).await,
        Command::Terms(command) => match command::perform(program, command).await {
            Ok(done) => return done,
            Err(text) => Err(text),
        },
    };
    match done {
        Ok(text) => Done { good: true, text },
        Err(text) => Done { good: false, text },
    }
}

async fn keep(program: &Program, article: &Entry) -> Done {
    let till = program.config.currency();
    match catalogue::keep(&*program.store, &program.goods, till, program.wrapping(), article).await {
        Ok(()) => {
            let text =
                format!("{}  {}  {}  {}\n", article.id, article.price, Size(article.length), article.title);
            Done { good: true, text }
        }
        Err(error) => not_added(&error),
    }
}

async fn articles(program: &Program, json: bool) -> Result<String, String> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let after = all.last().map(|last| last.id);
        let page = catalogue::list(&*program.store, after, PAGE).await;
        let page = page.map_err(|error| error.to_string())?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    if !json {
        let line = |one: &Entry| {
            format!(
                "{}  {:>14}  {:>10}  {:<24} {}\n",
                one.id,
                one.price,
                Size(one.length),
                one.media,
                one.title
            )
        };
        return Ok(all.iter().map(line).collect());
    }
    let object = |one: &Entry| {
        json!({
            "id": one.id, "title": one.title, "media": one.media, "length": one.length, "plain": one.plain,
            "sealed": one.sealed, "commitment": one.key.commitment, "price": one.price, "added": one.added,
        })
    };
    written(&all.iter().map(object).collect::<Vec<_>>())
}

async fn remove(program: &Program, id: &str) -> Result<String, String> {
    match catalogue::remove(&*program.store, &program.goods, id).await {
        Ok(Removed::Gone) => Ok(format!("{id} is removed\n")),
        Ok(Removed::Withdrawn) => {
            Ok(format!("{id} is offered no more; its goods and key stay, since deals name it\n"))
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn deals(program: &Program, json: bool) -> Result<String, String> {
    let listed = sale::list(&*program.store).await.map_err(|error| error.to_string())?;
    if json {
        return written(&listed);
    }
    let line = |one: &sale::Entry| {
        format!(
            "{}  {:<12} {:<10} {:>14}  {}  {}  {}\n",
            one.changed,
            one.step,
            one.outcome.as_deref().unwrap_or("-"),
            one.price,
            one.deal.map_or_else(|| "-".to_owned(), |deal| deal.to_string()),
            one.peer.as_deref().unwrap_or("-"),
            one.title.as_deref().unwrap_or("-"),
        )
    };
    Ok(listed.iter().map(line).collect())
}

fn written(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(value).map(|text| text + "\n").map_err(|error| error.to_string())
}
