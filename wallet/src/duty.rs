//! What an open wallet does by itself: it goes on with every sale that is open, each with a line to its shop, and
//! keeps the revocation lists new. It ends before the archive closes.

use std::{sync::Arc, time::Duration};

use semper_comm_tls::{Clock, Trust};
use semper_engine::Key;
use semper_supporting::tinguin::Tinguin;
use tokio::{
    sync::oneshot,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use crate::{
    buying::{Buying, BuyingFault},
    consent::{Consent, ConsentFault},
    membership::{Membership, MembershipFault},
    wallet::Wallet,
};

/// The work of one opening of a wallet.
#[derive(Debug)]
pub struct Duty {
    consent: Consent,
    stop: oneshot::Sender<()>,
    work: JoinHandle<()>,
}

/// Why a wallet has no sales to go on with.
#[derive(Debug, thiserror::Error)]
enum NotNow {
    #[error(transparent)]
    Membership(#[from] MembershipFault),
    #[error(transparent)]
    Buying(#[from] BuyingFault),
}

/// How long is waited before something that failed is tried again: at first, and at most.
const FIRST: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_secs(120);
/// How often the revocation lists are fetched; they are valid for a day.
const LISTS: Duration = Duration::from_secs(3600);

impl Duty {
    /// Begins, in a task of its own. Whoever owns `wallet` is asked in `window`, once `ready` has been called.
    ///
    /// # Errors
    /// [`ConsentFault::Gate`] if the catalogue of words cannot be named.
    pub fn begin(
        wallet: Arc<Wallet>,
        window: Arc<dyn Tinguin>,
        ready: impl FnOnce(&Consent),
    ) -> Result<Self, ConsentFault> {
        let consent = Consent::new(wallet, window, Clock::system())?;
        ready(&consent);
        let (stop, stopped) = oneshot::channel();
        let work = tokio::spawn(serve(consent.clone(), stopped));
        Ok(Self { consent, stop, work })
    }

    /// Through which the owner of the wallet is asked.
    pub const fn consent(&self) -> &Consent {
        &self.consent
    }

    /// Takes every question back, finishes the steps that are under way, and lets go of the wallet.
    pub async fn end(self) {
        let Self { consent, stop, work } = self;
        // A step that waits for an answer would not end.
        consent.lock();
        drop(stop);
        if work.await.is_err() {
            tracing::error!("what the wallet did was not ended in an orderly way");
        }
    }
}

/// Works until it is stopped.
async fn serve(consent: Consent, stopped: oneshot::Receiver<()>) {
    let (buying, trust) = match start(&consent).await {
        Ok(started) => started,
        Err(NotNow::Membership(MembershipFault::NotRegistered)) => {
            tracing::info!("this wallet is not registered: nothing is done by itself");
            return;
        }
        Err(fault) => {
            tracing::error!(code = fault.code(), "the sales are not gone on with: {fault}");
            return;
        }
    };
    let buying = Arc::new(buying);
    let mut tasks = JoinSet::new();
    tasks.spawn(renew(consent, trust));
    match buying.open().await {
        Ok(open) => {
            tracing::info!(open = open.len(), "sales are gone on with");
            for key in open {
                tasks.spawn(carry(Arc::clone(&buying), key));
            }
        }
        Err(fault) => tracing::error!(code = fault.code(), "the open sales cannot be read: {fault}"),
    }
    // The other end says nothing: it is dropped.
    let _ = stopped.await;
    tasks.shutdown().await;
    if let Some(buying) = Arc::into_inner(buying) {
        buying.stop().await;
    }
}

/// Everything that needs no network: it is never cut short.
async fn start(consent: &Consent) -> Result<(Buying, Trust), NotNow> {
    let caller = Membership::new(consent.clone()).caller().await?;
    let trust = caller.trust().clone();
    Ok((Buying::start(consent.clone(), caller).await?, trust))
}

/// Keeps a sale's line until the sale is closed, whatever happens to the line.
async fn carry(buying: Arc<Buying>, key: Key) {
    let mut wait = FIRST;
    loop {
        match buying.carry(&key).await {
            Ok(()) => return tracing::info!("a sale is closed"),
            Err(fault) => {
                let seconds = wait.as_secs();
                tracing::warn!(
                    code = fault.code(),
                    seconds,
                    "a sale has no line, and is tried again: {fault}"
                );
            }
        }
        sleep(wait).await;
        wait = wait.saturating_mul(2).min(MOST);
    }
}

/// Fetches the revocation lists now and from time to time; whoever is called is held against the newest.
async fn renew(consent: Consent, trust: Trust) {
    let membership = Membership::new(consent);
    let mut wait = FIRST;
    loop {
        match membership.renew_lists().await {
            Ok(papers) => {
                trust.replace(papers.snapshot());
                wait = FIRST;
                sleep(LISTS).await;
            }
            Err(fault) => {
                let seconds = wait.as_secs();
                tracing::warn!(code = fault.code(), seconds, "no new revocation lists: {fault}");
                sleep(wait).await;
                wait = wait.saturating_mul(2).min(MOST);
            }
        }
    }
}

impl NotNow {
    fn code(&self) -> &'static str {
        match self {
            Self::Membership(fault) => fault.code(),
            Self::Buying(fault) => fault.code(),
        }
    }
}
