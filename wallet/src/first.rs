//! The first start in the window: from an empty folder to a wallet whose owner is registered.
//!
//! ```text
//! welcome ─ seal ─ secrets ─ randomness ──Create──► the wallet is made ─► registration ──► home
//!                                                                           ▲    │ later
//!                                             unlocked at the door ─────────┘    └──────► home
//! ```
//!
//! Before the wallet is made nothing is on the disk. Once it is, a file in its folder says that the first start is not
//! over, and whoever unlocks it stands at the registration again, with the same keys.

mod content;
mod form;
pub mod registering;
mod steps;

use std::{future::pending, path::PathBuf, sync::Arc};

use semper_host::chance::Source;
use semper_supporting::{
    certificate::Certificate,
    registration::{letter::Received, seed::UserPart},
    tinguin::Answer,
};
use semper_tinguin::{texts::Texts, views::first::secrets::Strength};
use tokio::{sync::oneshot, task::spawn_blocking};

pub use content::Content;
use registering::{Desk, Event, Registering};
pub(crate) use steps::languages;

use crate::{
    bridge::{Keeper, Stage, at_the_door},
    fault::WalletFault,
    password::Password,
    profile::{Choice, DoorPlate, DoorWords},
    wallet::{Mode, Wallet},
};

/// What the window asks for in the first start.
#[derive(Debug)]
pub enum FirstOrder {
    /// The question was answered.
    Answer(Box<Answer>),
    /// Make the wallet.
    Create(Box<Creation>),
    /// The first start is over, since its owner is registered.
    End,
    /// Go on with what was begun.
    GoOn,
    /// Open the wallet without a certificate; the next unlocking comes back to the registration.
    Later,
    /// Open the form, whatever was begun.
    Other,
    /// Read a letter or a root certificate.
    Read(PathBuf),
    /// Ask for the certificates of a letter.
    Register(Box<(Received, Certificate)>),
    /// Say how hard a password is to guess.
    Weigh {
        /// The password.
        password: Password,
        /// The words of the seal.
        words: DoorWords,
        /// Who wants to know.
        tell: oneshot::Sender<Strength>,
    },
}

/// Where the first start stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FirstStage {
    /// Nothing is on the disk.
    Before,
    /// The wallet was not made.
    Failed(String),
    /// The wallet is being made.
    Making,
    /// The owner is being registered.
    Registering(Box<Registering>),
}

/// Everything a new wallet is made of. It is never printed.
pub struct Creation {
    /// What stands at the door.
    pub plate: DoorPlate,
    /// The password.
    pub password: Password,
    /// What else was chosen.
    pub choice: Choice,
    /// The owner's part in the keys.
    pub part: Option<UserPart>,
}

impl std::fmt::Debug for Creation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Creation(…)")
    }
}

/// The next thing that happens at the desk, if it is open.
pub(crate) async fn happening(desk: &mut Option<Desk>) -> Option<Event> {
    match desk {
        Some(desk) => desk.next().await,
        None => pending().await,
    }
}

impl Keeper {
    /// Does what the first start asks for.
    pub(crate) async fn first(&mut self, order: FirstOrder) {
        match (order, &mut self.registering) {
            (FirstOrder::Weigh { password, words, tell }, _) => {
                let wake = Arc::clone(&self.wake);
                spawn_blocking(move || {
                    let _ = tell.send(password.strength(&words));
                    wake();
                });
                return;
            }
            (FirstOrder::Create(creation), None) => return self.create(*creation).await,
            (FirstOrder::Later, Some(_)) => return self.leave_first().await,
            (FirstOrder::End, Some(_)) => {
                if let Err(fault) = self.profile.end_first_start() {
                    tracing::warn!(code = fault.code(), "the first start is not marked as over: {fault}");
                }
                return self.leave_first().await;
            }
            (FirstOrder::Answer(answer), Some(desk)) => desk.answer(*answer).await,
            (FirstOrder::GoOn, Some(desk)) => desk.go_on(),
            (FirstOrder::Other, Some(desk)) => desk.other(),
            (FirstOrder::Read(path), Some(desk)) => desk.read(path),
            (FirstOrder::Register(asked), Some(desk)) => desk.ask(asked.0, asked.1),
            // A wallet is open already, or none is.
            (_, _) => return,
        }
        self.show_desk();
    }

    /// Takes in what happened at the desk.
    pub(crate) async fn hear(&mut self, event: Option<Event>) {
        if let (Some(desk), Some(event)) = (&mut self.registering, event) {
            desk.hear(event, &Texts::english()).await;
        }
        self.show_desk();
    }

    /// Registers the owner of an open wallet, or goes on with it.
    pub(crate) async fn register(&mut self, wallet: Arc<Wallet>) {
        match Desk::open(Arc::clone(&wallet)).await {
            Ok(desk) => {
                self.registering = Some(desk);
                self.show_desk();
            }
            Err(fault) => {
                tracing::error!(code = fault.code(), "the registration cannot be shown: {fault}");
                self.enter(wallet).await;
            }
        }
    }

    async fn create(&mut self, creation: Creation) {
        self.show(Stage::First(FirstStage::Making));
        match self.make(creation).await {
            Ok(wallet) => self.register(Arc::new(wallet)).await,
            Err(fault) if self.profile.is_first_start() => {
                // It was made, and does not open.
                self.show(Stage::Door(at_the_door(&fault)));
            }
            Err(fault) => {
                tracing::warn!(code = fault.code(), "the wallet was not made: {fault}");
                self.show(Stage::First(FirstStage::Failed(fault.say(&Texts::english()))));
            }
        }
    }

    async fn make(&mut self, creation: Creation) -> Result<Wallet, WalletFault> {
        let Creation { plate, password, choice, part } = creation;
        let mut source = Source::mixed(part.as_ref())?;
        self.profile.set_up(&plate, &password, &mut source, choice).await?;
        self.lock = self.profile.window_lock()?;
        Wallet::unlock(&self.profile, password, Mode::Whole).await
    }

    async fn leave_first(&mut self) {
        if let Some(desk) = self.registering.take() {
            let wallet = desk.close().await;
            self.enter(wallet).await;
        }
    }

    fn show_desk(&self) {
        if let Some(desk) = &self.registering {
            self.show(Stage::First(FirstStage::Registering(Box::new(desk.shown.clone()))));
        }
    }
}
