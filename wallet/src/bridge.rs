//! Between the window and everything else: the window draws and never waits; a task beside it opens and
//! closes the wallet, counts wrong passwords, follows the journal, and has the open sales gone on with.
//!
//! ```text
//! window --Order--> Keeper ──watch──► Stage (where the program stands: the newest counts)
//!                          ──mpsc───► News (lines of the journal: every one counts)
//!                          ──► Duty (what an open wallet does by itself) ──► Desk (what waits for the person)
//! ```
//!
//! Each opening has a number of its own. News of an opening that is over are for nobody.

use std::{sync::Arc, time::Duration};

use semper_supporting::{
    archive::{StoreError, header::HeaderError},
    crypto::digest::Digest,
    time::{ClockBack, Span},
    tinguin::{Answer, PromptId},
};
use semper_tinguin::{
    texts::{Msg, Texts},
    views::door::DoorState,
    widgets::emblem::Emblem,
};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet, spawn_blocking},
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    desk::{self, Desk, WindowDesk},
    duty::Duty,
    fault::WalletFault,
    first::{FirstOrder, FirstStage, happening, registering},
    follow::{Follow, PAGE},
    ledger::Ledger,
    lines::Seen,
    password::Password,
    pin::Pin,
    profile::{Profile, WindowLock},
    throttle::Throttle,
    wallet::{Mode, Wallet},
};

/// What the window asks for.
#[derive(Debug)]
pub enum Order {
    /// Judge the answer to the open question.
    Answer {
        /// The answer.
        answer: Box<Answer>,
        /// The PIN, if it was typed.
        pin: Option<Pin>,
    },
    /// Something of the first start.
    First(FirstOrder),
    /// Close the archive and forget the keys.
    Lock,
    /// Open a question, because the person chose it.
    Open(PromptId),
    /// Put the open question back: decide later.
    PutBack,
    /// Open the wallet.
    Unlock {
        /// The password.
        password: Password,
        /// How to open it.
        mode: Mode,
    },
}

/// Where the program stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Before the door.
    Door(DoorState),
    /// In the first start, which another part of the window shows.
    First(FirstStage),
    /// Inside.
    Open {
        /// The number of this opening.
        opening: u64,
        /// What the owner's picture is drawn from.
        emblem: Emblem,
        /// Whether nothing can be written.
        read_only: bool,
        /// After how long without use the window locks.
        lock_after: Span,
        /// Whether the clock shows less than when something was recorded last.
        clock_back: Option<ClockBack>,
    },
}

/// Lines of the journal, in order, and what the archive says since.
#[derive(Debug)]
pub struct News {
    /// The opening they belong to.
    pub opening: u64,
    /// The lines.
    pub lines: Vec<Seen>,
    /// The sales and the money as they are with these lines; nothing while more lines are to follow at once.
    pub ledger: Option<Ledger>,
}

/// The window's end.
#[derive(Debug)]
pub struct Link {
    /// Takes what the window asks for.
    pub orders: mpsc::Sender<Order>,
    /// Shows where the program stands.
    pub stage: watch::Receiver<Stage>,
    /// Brings lines of the journal.
    pub news: mpsc::Receiver<News>,
    /// Shows what waits for the person.
    pub desk: watch::Receiver<Desk>,
}

/// The other end: opens, follows and closes the wallet.
pub struct Keeper {
    pub(crate) profile: Profile,
    orders: mpsc::Receiver<Order>,
    stage: watch::Sender<Stage>,
    news: mpsc::Sender<News>,
    pub(crate) wake: Arc<dyn Fn() + Send + Sync>,
    desk: Arc<WindowDesk>,
    throttle: Throttle,
    openings: u64,
    inside: Option<Inside>,
    /// While the owner of a new wallet is being registered.
    pub(crate) registering: Option<registering::Desk>,
    /// The lock of a wallet that was made here.
    pub(crate) lock: Option<WindowLock>,
}

struct Inside {
    wallet: Arc<Wallet>,
    following: JoinHandle<()>,
    duty: Option<Duty>,
    /// Answers that are being judged.
    judging: JoinSet<()>,
}

/// How many orders and pages of news wait for the other end.
const QUEUE: usize = 16;
/// How often the journal is asked for new lines.
const PERIOD: Duration = Duration::from_millis(500);
const SECOND: Duration = Duration::from_secs(1);

/// Makes both ends. `wake` is called whenever there is something new for the window.
pub fn bridge(profile: Profile, start: DoorState, wake: impl Fn() + Send + Sync + 'static) -> (Link, Keeper) {
    bridge_at(profile, Stage::Door(start), wake)
}

/// As [`bridge`], for a program that stands at `start`.
pub fn bridge_at(profile: Profile, start: Stage, wake: impl Fn() + Send + Sync + 'static) -> (Link, Keeper) {
    let (order, orders) = mpsc::channel(QUEUE);
    let (stage, staged) = watch::channel(start);
    let (news, heard) = mpsc::channel(QUEUE);
    let (throttle, wake): (_, Arc<dyn Fn() + Send + Sync>) = (Throttle::default(), Arc::new(wake));
    let (desk, waiting) = WindowDesk::new(Arc::clone(&wake));
    let link = Link { orders: order, stage: staged, news: heard, desk: waiting };
    let (openings, inside, registering, lock) = (0, None, None, None);
    (link, Keeper { profile, orders, stage, news, wake, desk, throttle, openings, inside, registering, lock })
}

impl Keeper {
    /// Serves the window until it is gone, then closes the archive.
    pub async fn run(mut self) {
        let mut wait: u32 = 0;
        loop {
            let order = tokio::select! {
                order = self.orders.recv() => order,
                event = happening(&mut self.registering) => {
                    self.hear(event).await;
                    continue;
                }
                () = sleep(SECOND), if wait > 0 => {
                    wait = wait.saturating_sub(1);
                    self.show(Stage::Door(waiting(wait)));
                    continue;
                }
            };
            match order {
                None => break,
                Some(Order::First(order)) => self.first(order).await,
                Some(Order::Lock) => {
                    self.close().await;
                    self.show(Stage::Door(DoorState::Ready));
                }
                // Whatever is tried before the time is up does not even reach the key file.
                Some(Order::Unlock { password, mode }) if wait == 0 && self.is_closed() => {
                    wait = self.unlock(password, mode).await;
                }
                Some(Order::Unlock { .. }) => {}
                Some(order) => self.ask(order),
            }
        }
        self.close().await;
    }

    /// Tries to open the wallet; answers for how many seconds no further password is taken.
    async fn unlock(&mut self, password: Password, mode: Mode) -> u32 {
        self.show(Stage::Door(DoorState::Deriving { elapsed: 0 }));
        match Wallet::unlock(&self.profile, password, mode).await {
            Ok(wallet) if !wallet.read_only && self.profile.is_first_start() => {
                self.throttle.right();
                self.register(Arc::new(wallet)).await;
            }
            Ok(wallet) => self.enter(Arc::new(wallet)).await,
            Err(WalletFault::Header(HeaderError::WrongPassword)) => {
                let wait = self.throttle.wrong().unwrap_or_default();
                self.show(Stage::Door(waiting(wait)));
                return wait;
            }
            Err(fault) => {
                tracing::warn!(code = fault.code(), "the wallet did not open: {fault}");
                self.show(Stage::Door(at_the_door(&fault)));
            }
        }
        0
    }

    fn is_closed(&self) -> bool {
        self.inside.is_none() && self.registering.is_none()
    }

    /// What concerns the questions of an open wallet. Nothing of it is waited for.
    fn ask(&mut self, order: Order) {
        let Some(Inside { duty: Some(duty), judging, .. }) = &mut self.inside else { return };
        while judging.try_join_next().is_some() {}
        let consent = duty.consent().clone();
        match order {
            Order::Open(id) => drop(consent.open(id)),
            Order::PutBack => consent.put_back(),
            Order::Answer { answer, pin } => {
                let desk = Arc::clone(&self.desk);
                judging.spawn(async move {
                    let judged = consent.answer(&answer, pin).await;
                    desk.judged(answer.id, judged);
                });
            }
            Order::First(_) | Order::Lock | Order::Unlock { .. } => {}
        }
    }

    pub(crate) async fn enter(&mut self, wallet: Arc<Wallet>) {
        self.throttle.right();
        self.openings = self.openings.saturating_add(1);
        let (opening, emblem, read_only) = (self.openings, wallet.emblem, wallet.read_only);
        let (lock_after, clock_back) = (wallet.lock_after, wallet.clock_back);
        let reading = Reading {
            opening,
            news: self.news.clone(),
            wake: Arc::clone(&self.wake),
            follow: Follow::new(wallet.archive.opened().head.seq, wallet.own_keys()),
        };
        // The stage is there before the first news of it.
        self.show(Stage::Open { opening, emblem, read_only, lock_after, clock_back });
        let following = tokio::spawn(reading.run(Arc::clone(&wallet)));
        let duty = if read_only { None } else { self.on_duty(&wallet).await };
        self.inside = Some(Inside { wallet, following, duty, judging: JoinSet::new() });
    }

    /// Has an open wallet do what it does by itself; its owner is asked at the window's desk.
    async fn on_duty(&self, wallet: &Arc<Wallet>) -> Option<Duty> {
        let build = spawn_blocking(build).await.unwrap_or_else(|_| Digest::of(b""));
        let duty = Duty::begin(Arc::clone(wallet), self.desk.clone(), |consent| {
            self.desk.begin(self.openings, desk::program(consent, build));
        });
        duty.inspect_err(|fault| tracing::error!(code = fault.code(), "nothing is done by itself: {fault}"))
            .ok()
    }

    /// Closes the archive and erases the keys, and returns when both is done.
    async fn close(&mut self) {
        if let Some(desk) = self.registering.take() {
            drop(desk.close().await);
        }
        let Some(Inside { wallet, following, duty, mut judging }) = self.inside.take() else { return };
        following.abort();
        // Cancelled or ended, it holds the wallet no more.
        let _ = following.await;
        if let Some(duty) = duty {
            duty.end().await;
        }
        // A try that was counted is judged to its end.
        while judging.join_next().await.is_some() {}
        // Closing waits for the disk.
        if spawn_blocking(move || drop(wallet)).await.is_err() {
            tracing::error!("the archive was not closed in an orderly way");
        }
    }

    pub(crate) fn show(&self, stage: Stage) {
        self.stage.send_replace(stage);
        (self.wake)();
    }
}

/// The task that follows the journal of one opening.
struct Reading {
    opening: u64,
    news: mpsc::Sender<News>,
    wake: Arc<dyn Fn() + Send + Sync>,
    follow: Follow,
}

impl Reading {
    async fn run(mut self, wallet: Arc<Wallet>) {
        let mut clock = interval(PERIOD);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Whether lines came since the ledger was read, or it never was.
        let (mut stale, mut named) = (true, false);
        loop {
            clock.tick().await;
            loop {
                let (news, is_last) = match self.page(&wallet, stale, named).await {
                    Ok(Some(page)) => page,
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(%error, "the journal could not be read");
                        break;
                    }
                };
                stale = news.ledger.is_none();
                named = named || !stale;
                if self.news.send(news).await.is_err() {
                    return;
                }
                (self.wake)();
                if is_last {
                    break;
                }
            }
        }
    }

    /// The next page, and whether it is the last one for now; nothing if nothing is new. With the first and the
    /// last page comes the ledger: names that stand in lines are known before the lines.
    async fn page(
        &mut self,
        wallet: &Wallet,
        stale: bool,
        named: bool,
    ) -> Result<Option<(News, bool)>, StoreError> {
        let store = wallet.archive.as_ref();
        let lines = self.follow.next(store).await?;
        if lines.is_empty() && !stale {
            return Ok(None);
        }
        let is_last = lines.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        let mut ledger = None;
        if is_last || !named {
            match Ledger::read(store).await {
                Ok(read) => ledger = Some(read),
                // The lines were read, and go out.
                Err(error) => tracing::warn!(%error, "the sales could not be read"),
            }
        }
        Ok(Some((News { opening: self.opening, lines, ledger }, is_last)))
    }
}

/// The digest of the program's own file; that of nothing where it cannot be read.
fn build() -> Digest {
    let file = std::env::current_exe().and_then(std::fs::read);
    Digest::of(
        &file.inspect_err(|error| tracing::warn!(%error, "the program cannot be read")).unwrap_or_default(),
    )
}

/// What the door shows after a wrong password.
fn waiting(seconds: u32) -> DoorState {
    if seconds == 0 { DoorState::Wrong } else { DoorState::Throttled { seconds } }
}

/// What the door shows of a fault.
pub(crate) fn at_the_door(fault: &WalletFault) -> DoorState {
    let texts = Texts::english();
    let damaged = |part: Msg<'_>| DoorState::Damaged { part: texts.get(part) };
    match fault {
        WalletFault::Store(StoreError::InUse) => DoorState::SecondInstance,
        WalletFault::Store(StoreError::Broken { .. }) => damaged(Msg::S07PartJournal),
        WalletFault::Header(_) => damaged(Msg::S07PartHeader),
        _ => damaged(Msg::S07PartDatabase),
    }
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("profile", &self.profile).finish_non_exhaustive()
    }
}
