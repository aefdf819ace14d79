//! How a program calls banks, third parties and shops: a question, its answer, and every fault by its name.
//!
//! Each call is a connection of its own, which ends with the answer. Nothing here is tried again by itself: a
//! [`CallFault`] says whether trying again is of use, and whoever ordered the call knows when.

pub mod arbiter;
pub mod bank;
mod fault;
pub mod goods;
pub mod terms;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use semper_comm_tls::{Call, Clock, Dialer, Expected, Identity, Line, Network as _, Session, Trust};
use semper_supporting::{
    certificate::CertRole,
    comm::{
        address::{Endpoint, Surroundings},
        fault::Busy,
        frame::{Frame, Kind},
        hello::Features,
        session::{NetEvent, Why},
    },
    crypto::signature::Kid,
    time::Moment,
};
use tokio::time::timeout;

pub use self::fault::CallFault;

/// How long whoever was asked may be silent.
const PATIENCE: Duration = Duration::from_secs(30);
/// The number of the one question of a connection.
const QUESTION: u32 = 1;

/// Calls other programs, as this program. Copies share the identity.
#[derive(Clone, Debug)]
pub struct Caller {
    dialer: Dialer,
    trust: Trust,
    identity: Arc<RwLock<Identity>>,
}

impl Caller {
    /// Calls whom `trust` vouches for, and shows `identity`.
    pub fn new(clock: Clock, trust: Trust, surroundings: Surroundings, identity: Identity) -> Self {
        let dialer = Dialer::new(clock, trust.clone(), surroundings, Features::default());
        Self { dialer, trust, identity: Arc::new(RwLock::new(identity)) }
    }

    /// Shows `identity` from the next call on, as do all copies: a certificate was renewed.
    pub fn renew(&self, identity: Identity) {
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }

    /// Calls as somebody else, over the same network and by the same trust: with a certificate that was made
    /// for one business. What it shows is replaced by nobody but itself.
    #[must_use]
    pub fn appearing_as(&self, identity: Identity) -> Self {
        Self { identity: Arc::new(RwLock::new(identity)), ..self.clone() }
    }

    /// What it shows in connections now.
    pub fn identity(&self) -> Identity {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it trusts.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// What its clock shows.
    pub fn now(&self) -> Moment {
        self.dialer.clock().now()
    }

    /// A line to whoever is certified for `role` under the name in `to`: it calls at once, and again whenever its
    /// connection falls.
    pub fn line(&self, to: &Endpoint, role: CertRole) -> Line {
        let call = Call { to: to.clone(), identity: self.identity(), expected: Expected::Role(role) };
        Line::open(Arc::new(self.dialer.clone()), call, self.dialer.clock().clone())
    }

    /// Calls whoever is certified for `role` under the name in `to`.
    ///
    /// # Errors
    /// [`CallFault::Unreachable`].
    pub async fn call(&self, to: &Endpoint, role: CertRole) -> Result<Session, CallFault> {
        let call = Call { to: to.clone(), identity: self.identity(), expected: Expected::Role(role) };
        Ok(self.dialer.dial(&call).await?)
    }

    /// As [`Caller::call`], and it must hold this very key. Whoever does not is told nothing.
    async fn call_key(&self, to: &Endpoint, role: CertRole, expected: Kid) -> Result<Session, CallFault> {
        let session = self.call(to, role).await?;
        let found = session.info.peer.kid();
        if found == expected { Ok(session) } else { Err(CallFault::OtherKey { expected, found }) }
    }
}

/// Waits for the next frame of `kind` that answers the question of this connection.
async fn answer(session: &mut Session, kind: Kind) -> Result<Frame, CallFault> {
    answer_on(session, kind, QUESTION).await
}

/// As [`answer`], where several questions are asked: waits for the answer to the one with this number.
pub(crate) async fn answer_on(session: &mut Session, kind: Kind, question: u32) -> Result<Frame, CallFault> {
    let heard = async {
        loop {
            match session.receive.next().await {
                NetEvent::Frame(frame) if frame.kind == kind && frame.stream == question => return Ok(frame),
                NetEvent::Frame(_) | NetEvent::Up(_) => {}
                NetEvent::Complained(complaint) => return Err(CallFault::refused(complaint.code())),
                NetEvent::Busy(until) => return Err(Why::Busy(Busy { until }).into()),
                NetEvent::Down(why) => return Err(why.into()),
            }
        }
    };
    timeout(PATIENCE, heard).await.unwrap_or(Err(CallFault::Unreachable(Why::Silent)))
}
