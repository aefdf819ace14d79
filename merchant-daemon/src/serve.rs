//! The daemon at work: connections, renewal of revocation lists, and an orderly end.

use std::{io::Write as _, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use semper_comm_tls::{Admission, Clock, Listener, Server};
use semper_engine::Performer;
use semper_host::daemon::{self, ListenError};
use semper_trade::{
    calls::Caller,
    sale::{Errands, SaleInput, Unattended},
};
use tokio::{net::TcpListener, time::sleep};

use crate::{
    config,
    control::{self, Commands},
    program::{Program, ProgramError},
    selling, shop,
    storefront::{Storefront, server},
};

/// When revocation lists are fetched again at the latest if the authority could not be reached.
const AGAIN: Duration = Duration::from_secs(60);

/// Runs the shop of `folder`, which `program` is, until the system tells it to stop: connections and the operator's
/// commands.
///
/// # Errors
/// [`ProgramError`].
pub async fn run(folder: &Path, program: Arc<Program>) -> Result<(), ProgramError> {
    run_around(folder, program, |errands| errands).await
}

/// As [`run`], with another performer of the errands of its sales, made out of its own: a program of tests sees
/// here what leaves a shop.
///
/// # Errors
/// As [`run`].
pub async fn run_around<P: Performer<SaleInput>>(
    folder: &Path,
    program: Arc<Program>,
    around: impl FnOnce(Errands<Unattended>) -> P,
) -> Result<(), ProgramError> {
    let stop = daemon::stop().map_err(|error| ProgramError::File("signals".into(), error))?;
    tracing::warn!("this shop takes play money; it is a demonstration");
    // Whoever is told that the daemon is ready has its commands taken.
    let (commands, commanded) = (Commands::await_in(folder), Arc::clone(&program));
    let control = tokio::spawn(async move {
        let taken = async { control::take(commands?, commanded).await };
        if let Err(error) = taken.await {
            tracing::error!(%error, "no commands are taken");
        }
    });
    let served = serve_around(program, stop, daemon::ready, around).await;
    control.abort();
    let _ = std::fs::remove_file(semper_host::control::socket(folder));
    served
}

/// Serves until `stop` ends, then writes what is queued and closes.
///
/// `ready` is told the address once calls are taken.
///
/// # Errors
/// [`ProgramError`] if the daemon cannot listen at all.
pub async fn serve(
    program: Arc<Program>,
    stop: impl Future<Output = ()>,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ProgramError> {
    serve_around(program, stop, ready, |errands| errands).await
}

async fn serve_around<P: Performer<SaleInput>>(
    program: Arc<Program>,
    stop: impl Future<Output = ()>,
    ready: impl FnOnce(SocketAddr),
    around: impl FnOnce(Errands<Unattended>) -> P,
) -> Result<(), ProgramError> {
    // Whoever was revoked while this daemon was away is not let in.
    let pause = renew(&program).await;
    let identity = program.identity()?;
    let (trust, surroundings) = (program.trust.clone(), program.config.surroundings());
    let caller = Caller::new(Clock::system(), trust, surroundings, identity.clone());
    let acquainted = selling::meet(&program, &caller).await;
    tracing::info!(acquainted, "arbiters");
    let sales = Arc::new(selling::open(Arc::clone(&program), caller.clone(), around).await?);
    let server = Server::new(Clock::system(), program.trust.clone(), identity, Admission::certified());
    let listen = program.config.listen;
    let mut listener = Listener::bind(listen, server)
        .await
        .map_err(|error| ListenError::of(listen, Path::new(config::FILE), error))?;
    let address = listener.address();
    tracing::info!(%address, "listening");
    let pages = open_pages(&program).await?;
    ready(address);
    let pages = pages.map(|(listener, front)| {
        say_where(front.address);
        tokio::spawn(server::serve(listener, front))
    });
    let renewal = tokio::spawn(keep_renewing(Arc::clone(&program), caller, pause));
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            session = listener.accept() => match session {
                Some(session) => drop(tokio::spawn(shop::attend(Arc::clone(&program), Arc::clone(&sales), session))),
                None => break,
            },
        }
    }
    tracing::info!("closing");
    renewal.abort();
    if let Some(pages) = pages {
        pages.abort();
        let _ = pages.await;
    }
    listener.shut_down().await;
    sales.engine.clone().shutdown().await;
    Ok(())
}

/// Takes the address of the web pages, and reads what they show, if there are to be any.
async fn open_pages(program: &Arc<Program>) -> Result<Option<(TcpListener, Arc<Storefront>)>, ProgramError> {
    let Some(pages) = program.config.shop.clone() else { return Ok(None) };
    let failed = |error| ProgramError::File(pages.listen.to_string(), error);
    let (listener, address) = server::bind(pages.listen).await.map_err(failed)?;
    let front = Storefront::open(Arc::clone(program), &pages, address).await?;
    tracing::info!(%address, articles = front.listed.len(), "pages");
    Ok(Some((listener, Arc::new(front))))
}

/// Says on standard output where the pages are, after the line that says that the daemon is ready.
fn say_where(address: SocketAddr) {
    let mut out = std::io::stdout();
    // Nobody may be listening any more, which is no reason to stop.
    let _ = writeln!(out, "pages http://{address}/").and_then(|()| out.flush());
}

/// Fetches the lists, and says when to do so again.
async fn renew(program: &Program) -> Duration {
    let every = Duration::from_secs(program.config.lists_every_s);
    match program.renew_lists().await {
        Ok(()) => every,
        Err(error) => {
            tracing::warn!(%error, "revocation lists could not be renewed");
            AGAIN.min(every)
        }
    }
}

async fn keep_renewing(program: Arc<Program>, caller: Caller, mut pause: Duration) {
    loop {
        let knows_all = selling::knows_all(&program).await;
        sleep(if knows_all { pause } else { pause.min(AGAIN) }).await;
        pause = renew(&program).await;
        if !knows_all {
            selling::meet(&program, &caller).await;
        }
    }
}
