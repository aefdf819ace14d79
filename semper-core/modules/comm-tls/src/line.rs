//! A line that stays: calls again whenever its connection falls, for as long as somebody holds it.

use std::sync::Arc;

use semper_supporting::{
    comm::{
        frame::Frame,
        session::{NetEvent, Retry, Why},
    },
    time::{Moment, Span},
};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use crate::{
    clock::{Clock, duration},
    connection::{Sender, Session},
    dialer::{Call, Network},
};

/// How many events may wait to be taken.
const EVENTS: usize = 16;

/// A connection that is built again when it falls.
///
/// It keeps no messages. What a fall may have swallowed is in the conversation of the deal, whose
/// `attend` answers each [`NetEvent::Up`] with everything that is unanswered; so nothing is lost and
/// nothing is heard twice. Dropping the line closes it.
#[derive(Debug)]
pub struct Line {
    events: mpsc::Receiver<NetEvent>,
    sender: LineSender,
}

/// Sends over whatever connection of a line stands.
#[derive(Clone, Debug)]
pub struct LineSender {
    current: watch::Receiver<Option<Sender>>,
}

impl Line {
    /// Opens a line by `network`, and calls at once.
    pub fn open<N: Network>(network: Arc<N>, call: Call, clock: Clock) -> Self {
        // Without a number from the system, the longest wait.
        Self::open_with(network, call, clock, || getrandom::u64().unwrap_or(u64::MAX))
    }

    /// Opens a line whose waits between calls are drawn from `chance`: numbers each of which is as likely
    /// as the others.
    pub fn open_with<N: Network>(
        network: Arc<N>,
        call: Call,
        clock: Clock,
        chance: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let (to_events, events) = mpsc::channel(EVENTS);
        let (current, sender) = watch::channel(None);
        let chance = Box::new(chance);
        let keeper = Keeper { network, call, clock, chance, events: to_events, current };
        tokio::spawn(keeper.run());
        Self { events, sender: LineSender { current: sender } }
    }

    /// What happened next. After a fall that calling again cannot mend, [`NetEvent::Down`] for ever.
    pub async fn next(&mut self) -> NetEvent {
        self.events.recv().await.unwrap_or(NetEvent::Down(Why::Closed))
    }

    /// A handle to send with.
    pub fn sender(&self) -> LineSender {
        self.sender.clone()
    }

    /// Sends over the connection that stands.
    ///
    /// # Errors
    /// As [`LineSender::send`].
    pub async fn send(&self, frame: Frame) -> Result<(), Why> {
        self.sender.send(frame).await
    }
}

impl LineSender {
    /// Sends over the connection that stands.
    ///
    /// # Errors
    /// [`Why::Lost`] while none stands; what is numbered goes out again with the next one.
    pub async fn send(&self, frame: Frame) -> Result<(), Why> {
        let sender = self.current.borrow().clone();
        match sender {
            Some(sender) => sender.send(frame).await,
            None => Err(Why::Lost),
        }
    }
}

/// The task behind a line.
struct Keeper<N> {
    network: Arc<N>,
    call: Call,
    clock: Clock,
    chance: Box<dyn Fn() -> u64 + Send + Sync>,
    events: mpsc::Sender<NetEvent>,
    current: watch::Sender<Option<Sender>>,
}

impl<N: Network> Keeper<N> {
    async fn run(self) {
        let dropped = self.events.clone();
        tokio::select! {
            () = dropped.closed() => {}
            Err(_gone) = self.keep() => {}
        }
        // The senders that are left must not hold the connection open.
        self.current.send_replace(None);
    }

    async fn keep(&self) -> Result<std::convert::Infallible, Gone> {
        let mut retry = Retry::default();
        loop {
            let why = match self.network.dial(&self.call).await {
                Ok(session) => {
                    retry.succeeded();
                    self.carry(session).await?
                }
                Err(why) => why,
            };
            let pause = self.tell(&why, &mut retry).await?;
            if why.is_lasting() {
                return Err(Gone);
            }
            sleep(duration(pause)).await;
        }
    }

    /// Carries events of a session up until it falls.
    async fn carry(&self, session: Session) -> Result<Why, Gone> {
        let Session { info, send, mut receive } = session;
        // Whoever hears of the connection can send over it.
        self.current.send_replace(Some(send));
        let fallen = async {
            self.tell_one(NetEvent::Up(Box::new(info))).await?;
            loop {
                match receive.next().await {
                    NetEvent::Down(why) => return Ok(why),
                    event => self.tell_one(event).await?,
                }
            }
        }
        .await;
        self.current.send_replace(None);
        fallen
    }

    /// Tells of a fall, and how long to wait before the next call.
    async fn tell(&self, why: &Why, retry: &mut Retry) -> Result<Span, Gone> {
        let pause = retry.after_failure((self.chance)());
        let now = self.clock.now();
        let (event, pause) = match why {
            Why::Busy(busy) => {
                let until: Moment = busy.until.max(now.after(pause));
                (NetEvent::Busy(until), until.since(now))
            }
            other => (NetEvent::Down(other.clone()), pause),
        };
        self.tell_one(event).await?;
        Ok(pause)
    }

    async fn tell_one(&self, event: NetEvent) -> Result<(), Gone> {
        self.events.send(event).await.map_err(|_| Gone)
    }
}

/// Nobody holds the line any more, or it cannot be mended.
struct Gone;
