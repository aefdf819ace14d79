//! Calling a program at its address.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use rustls::crypto::CryptoProvider;
use rustls_pki_types::ServerName;
use semper_supporting::{
    comm::{
        address::{AddressError, Endpoint, Host, Surroundings, admit},
        hello::Features,
        limits::Limits,
        session::Why,
    },
    time::Span,
};
use tokio::{
    net::{TcpStream, lookup_host},
    sync::watch,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    clock::{Clock, duration},
    connection::{Session, Side, Terms},
    examiner::{Examiner, Expected, Question, Trust},
    metered::Metered,
    tls::{self, Identity},
};

/// How long each of finding the address, connecting and shaking hands may take.
pub(crate) const HANDSHAKE: Span = Span::seconds(10);

/// A way to reach other programs.
pub trait Network: Send + Sync + 'static {
    /// Calls, and gives the session once it stands.
    ///
    /// Fails with why there is none.
    fn dial(&self, call: &Call) -> impl Future<Output = Result<Session, Why>> + Send;
}

/// Whom to call, as whom, and who must answer.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where.
    pub to: Endpoint,
    /// Who calls.
    pub identity: Identity,
    /// Who must answer.
    pub expected: Expected,
}

/// Calls directly: the peer sees our network address.
#[derive(Clone, Debug)]
pub struct Dialer {
    clock: Clock,
    trust: Trust,
    surroundings: Surroundings,
    features: Features,
    provider: Arc<CryptoProvider>,
    /// Kept so that its sessions never see it dropped; a dialer closes none of them.
    closing: Arc<watch::Sender<bool>>,
}

impl Dialer {
    /// Calls whom `trust` vouches for.
    pub fn new(clock: Clock, trust: Trust, surroundings: Surroundings, features: Features) -> Self {
        let closing = Arc::new(watch::Sender::new(false));
        Self { clock, trust, surroundings, features, provider: tls::provider(), closing }
    }

    /// The clock it goes by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn connect(&self, to: &Endpoint) -> Result<TcpStream, Why> {
        let addresses = within(self.addresses(to)).await?;
        let mut inside = None;
        for address in addresses {
            if let Err(error) = admit(address.ip(), self.surroundings) {
                inside = Some(error);
                continue;
            }
            if let Ok(Ok(stream)) = timeout(duration(HANDSHAKE), TcpStream::connect(address)).await {
                return stream.set_nodelay(true).map(|()| stream).map_err(|_| Why::Lost);
            }
        }
        Err(inside.map_or(Why::Unreachable, Why::Address))
    }

    async fn addresses(&self, to: &Endpoint) -> Result<Vec<SocketAddr>, Why> {
        let name = match to.host() {
            Host::Address(address) => return Ok(vec![(*address, to.port()).into()]),
            Host::Name(name) => name,
        };
        // Names below localhost are the machine itself (RFC 6761, 6.3), whatever a resolver says.
        if self.surroundings == Surroundings::Demo && (name == "localhost" || name.ends_with(".localhost")) {
            return Ok(vec![(IpAddr::V4(Ipv4Addr::LOCALHOST), to.port()).into()]);
        }
        let found = lookup_host((name.as_str(), to.port())).await.map_err(|_| Why::Unreachable)?;
        Ok(found.collect())
    }

    async fn shake(&self, call: &Call) -> Result<Session, Why> {
        let stream = self.connect(&call.to).await?;
        let host = call.to.host().to_string();
        let name = match call.to.host() {
            Host::Address(address) => ServerName::IpAddress((*address).into()),
            Host::Name(name) => ServerName::try_from(name.clone()).map_err(|_| AddressError::Malformed)?,
        };
        let question = Question::Server { host, expected: call.expected };
        let algorithms = self.provider.signature_verification_algorithms;
        let examiner = Examiner::new(&self.trust, &self.clock, algorithms, question);
        let config = tls::client(self.provider.clone(), examiner.clone(), &call.identity)
            .map_err(|error| Why::Handshake(error.to_string()))?;
        let (stream, allowance) = Metered::handshake(stream);
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let stream = match timeout(duration(HANDSHAKE), handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(tls::failure(&error, &examiner)),
            Err(_) => return Err(Why::Silent),
        };
        allowance.lift();
        let (_, state) = stream.get_ref();
        let export = |output, label: &[u8]| state.export_keying_material(output, label, None);
        let handshake = tls::finish(state, export, &examiner)?;
        let terms = Terms {
            clock: self.clock.clone(),
            features: self.features.clone(),
            // Whom we called we listen to at whatever rate it speaks.
            limits: Limits { pieces_per_second: 10_000, bytes_per_second: 1 << 30, ..Limits::default() },
            hidden: false,
            closing: self.closing.subscribe(),
            refusal: None,
            ended: Box::new(|_| {}),
        };
        Session::open(stream, Side::Client, handshake, terms).await
    }
}

impl Network for Dialer {
    async fn dial(&self, call: &Call) -> Result<Session, Why> {
        self.shake(call).await.inspect_err(|why| {
            tracing::info!(to = %call.to, code = semper_supporting::fault::Fault::code(why), %why, "call failed");
        })
    }
}

async fn within<T>(work: impl Future<Output = Result<T, Why>>) -> Result<T, Why> {
    timeout(duration(HANDSHAKE), work).await.map_err(|_| Why::Unreachable)?
}
