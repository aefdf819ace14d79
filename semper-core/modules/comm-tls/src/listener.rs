//! Accepting calls: handshakes beside each other, limits before work, sessions out.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustls::crypto::CryptoProvider;
use semper_supporting::{
    certificate::Class,
    comm::{
        hello::Features,
        limits::{Connections, Limits, Penalties},
        session::Why,
    },
    crypto::signature::Kid,
    fault::Fault,
    time::Span,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    clock::{Clock, duration},
    connection::{CLOSING, Session, Side, Terms},
    dialer::HANDSHAKE,
    examiner::{Admission, Examiner, Question, Trust},
    metered::Metered,
    tls::{self, Identity},
};

/// How many sessions may wait to be taken.
const WAITING: usize = 64;
/// How long to wait after the operating system had no socket to give.
const EXHAUSTED: Span = Span::millis(100);

/// What a daemon listens with.
pub struct Server {
    clock: Clock,
    trust: Trust,
    identity: Identity,
    admission: Arc<Admission>,
    features: Features,
    limits: Limits,
    provider: Arc<CryptoProvider>,
    refused: Box<Told>,
}

/// Who is told of a refusal.
type Told = dyn Fn(IpAddr, &Why) + Send + Sync;

/// Accepts calls until it is shut down.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    sessions: mpsc::Receiver<Session>,
    closing: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    /// Ends when the last connection has ended.
    alive: mpsc::Receiver<()>,
}

/// What the connections of one listener share.
struct Gate {
    server: Server,
    connections: Mutex<Connections<IpAddr>>,
    penalties: Mutex<Penalties<Offender>>,
    sessions: mpsc::Sender<Session>,
    closing: watch::Receiver<bool>,
}

/// Who broke the protocol: a certificate, or an address where certificates cost nothing.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Offender {
    Address(IpAddr),
    Key(Kid),
}

impl Server {
    /// A server that shows `identity` and admits whom `trust` and `admission` allow.
    pub fn new(clock: Clock, trust: Trust, identity: Identity, admission: Admission) -> Self {
        Self {
            clock,
            trust,
            identity,
            admission: Arc::new(admission),
            features: Features::default(),
            limits: Limits::default(),
            provider: tls::provider(),
            refused: Box::new(|_, _| {}),
        }
    }

    /// With these features.
    #[must_use]
    pub fn with_features(self, features: Features) -> Self {
        Self { features, ..self }
    }

    /// Within these limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Tells `refused` of every call that came to nothing and of every connection that broke a rule, for
    /// counters and for the journal.
    #[must_use]
    pub fn telling(self, refused: impl Fn(IpAddr, &Why) + Send + Sync + 'static) -> Self {
        Self { refused: Box::new(refused), ..self }
    }

    fn refuse(&self, address: IpAddr, why: &Why) {
        tracing::info!(%address, code = why.code(), %why, "call refused");
        (self.refused)(address, why);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("admission", &self.admission).field("limits", &self.limits).finish()
    }
}

impl Listener {
    /// Listens at `address`; port 0 takes any free one.
    ///
    /// # Errors
    /// Those of the operating system.
    pub async fn bind(address: SocketAddr, server: Server) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        let closing = watch::Sender::new(false);
        let (to_sessions, sessions) = mpsc::channel(WAITING);
        let (guard, alive) = mpsc::channel(1);
        let gate = Arc::new(Gate {
            server,
            connections: Mutex::default(),
            penalties: Mutex::default(),
            sessions: to_sessions,
            closing: closing.subscribe(),
        });
        let accepting = tokio::spawn(accept(socket, gate, guard));
        Ok(Self { address, sessions, closing, accepting, alive })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next session; none once the listener is shut down.
    pub async fn accept(&mut self) -> Option<Session> {
        self.sessions.recv().await
    }

    /// Accepts no more calls, lets every connection write what it has queued, and waits for them to close: at
    /// most eight seconds, since a peer that does not read must not keep a program from ending.
    pub async fn shut_down(mut self) {
        self.closing.send_replace(true);
        self.accepting.abort();
        self.sessions.close();
        while self.sessions.recv().await.is_some() {}
        let _ = timeout(duration(CLOSING), self.alive.recv()).await;
    }
}

async fn accept(socket: TcpListener, gate: Arc<Gate>, guard: mpsc::Sender<()>) {
    loop {
        let (stream, address) = match socket.accept().await {
            Ok((stream, address)) => (stream, address.ip()),
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                tokio::time::sleep(duration(EXHAUSTED)).await;
                continue;
            }
        };
        let Some(place) = gate.enter(address, guard.clone()) else { continue };
        let gate = gate.clone();
        tokio::spawn(async move {
            match gate.serve(stream, address, place).await {
                Ok(session) => {
                    // A listener that is shut down takes no more; dropping the session closes it.
                    let _ = gate.sessions.send(session).await;
                }
                Err(why) => gate.server.refuse(address, &why),
            }
        });
    }
}

impl Gate {
    /// Counts a connection, or refuses it before any work was done for it.
    fn enter(self: &Arc<Self>, address: IpAddr, alive: mpsc::Sender<()>) -> Option<Place> {
        let now = self.server.clock.now();
        let entered = lock(&self.penalties)
            .check(&Offender::Address(address), now)
            .and_then(|()| lock(&self.connections).enter(&self.server.limits, &address, now));
        match entered {
            Ok(()) => Some(Place { gate: self.clone(), address, _alive: alive }),
            Err(busy) => {
                self.server.refuse(address, &busy.into());
                None
            }
        }
    }

    async fn serve(
        self: &Arc<Self>,
        stream: TcpStream,
        address: IpAddr,
        place: Place,
    ) -> Result<Session, Why> {
        let server = &self.server;
        stream.set_nodelay(true).map_err(|_| Why::Lost)?;
        let question = Question::Client(server.admission.clone());
        let algorithms = server.provider.signature_verification_algorithms;
        let examiner = Examiner::new(&server.trust, &server.clock, algorithms, question);
        let config = tls::server(server.provider.clone(), examiner.clone(), &server.identity)
            .map_err(|error| Why::Handshake(error.to_string()))?;
        let (stream, allowance) = Metered::handshake(stream);
        let handshake = TlsAcceptor::from(Arc::new(config)).accept(stream);
        let stream = match timeout(duration(HANDSHAKE), handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(tls::failure(&error, &examiner)),
            Err(_) => return Err(Why::Silent),
        };
        allowance.lift();
        let (_, state) = stream.get_ref();
        let export = |output, label: &[u8]| state.export_keying_material(output, label, None);
        let handshake = tls::finish(state, export, &examiner)?;
        let offender = match handshake.peer.certificate.class() {
            Class::Anonymous => Offender::Address(address),
            _ => Offender::Key(handshake.peer.kid()),
        };
        let refusal = lock(&self.penalties).check(&offender, server.clock.now()).err();
        let gate = self.clone();
        let terms = Terms {
            clock: server.clock.clone(),
            features: server.features.clone(),
            limits: server.limits,
            hidden: false,
            closing: self.closing.clone(),
            refusal,
            ended: Box::new(move |why| {
                if let Why::Frame(error) = why {
                    tracing::info!(%address, code = error.code(), %error, "a peer broke the protocol");
                    lock(&gate.penalties).strike(&offender, gate.server.clock.now());
                }
                drop(place);
            }),
        };
        Session::open(stream, Side::Server, handshake, terms).await
    }
}

/// One counted connection; counts off when it is dropped.
struct Place {
    gate: Arc<Gate>,
    address: IpAddr,
    _alive: mpsc::Sender<()>,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.gate.connections).leave(&self.address);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
