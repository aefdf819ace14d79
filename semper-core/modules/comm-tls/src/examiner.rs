//! Who is let through: the rules of the certificates, asked from within the handshake.
//!
//! One examiner serves one connection. It keeps what it found, the verified certificate or the reason
//! against it, since TLS itself tells the peer no more than an alert.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use semper_supporting::{
    certificate::{
        CertRole, Certificate, CertificateFault, Class, TrustSnapshot, Usage, VerifiedCertificate,
    },
    comm::session::{PeerView, Why},
    crypto::signature::Kid,
};

use crate::clock::Clock;

/// What a program trusts now. All its connections read it, and each new list counts from the next
/// handshake on.
#[derive(Clone, Debug, Default)]
pub struct Trust(Arc<RwLock<Arc<TrustSnapshot>>>);

/// Who must answer a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expected {
    /// The certification authority whose root the user has just confirmed. There are no revocation lists
    /// yet, since it is the one that hands them out.
    FirstContact,
    /// Whoever holds this very key, in this role.
    Key(CertRole, Kid),
    /// Whoever is certified for this role under the name that was called.
    Role(CertRole),
}

/// Who may call.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Admission {
    roles: Option<BTreeSet<CertRole>>,
    anonymous: bool,
}

impl Trust {
    /// Trusts what `snapshot` says.
    pub fn new(snapshot: TrustSnapshot) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(snapshot))))
    }

    /// Trusts what `snapshot` says from now on.
    pub fn replace(&self, snapshot: TrustSnapshot) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    /// What is trusted now.
    pub fn snapshot(&self) -> Arc<TrustSnapshot> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Admission {
    /// Everybody with a certificate of a trusted authority.
    pub fn certified() -> Self {
        Self { roles: None, anonymous: false }
    }

    /// Only who has one of these roles.
    pub fn of(roles: impl IntoIterator<Item = CertRole>) -> Self {
        Self { roles: Some(roles.into_iter().collect()), anonymous: false }
    }

    /// Besides, whoever made its own certificate: how a wallet registers, and how an anonymous buyer calls.
    #[must_use]
    pub fn and_anonymous(self) -> Self {
        Self { anonymous: true, ..self }
    }

    fn admit(&self, found: &VerifiedCertificate) -> Result<(), CertificateFault> {
        let roles = &found.content().roles;
        let admitted = match (found.class(), &self.roles) {
            (Class::Anonymous, _) => self.anonymous,
            (_, None) => true,
            (_, Some(allowed)) => !allowed.is_disjoint(roles),
        };
        if admitted {
            return Ok(());
        }
        let expected = self.roles.as_ref().and_then(|allowed| allowed.first().copied());
        Err(CertificateFault::WrongRole { expected: expected.unwrap_or(CertRole::Buyer) })
    }
}

/// Checks the certificate of one connection.
pub(crate) struct Examiner {
    trust: Trust,
    clock: Clock,
    algorithms: WebPkiSupportedAlgorithms,
    question: Question,
    found: Mutex<Option<Result<PeerView, Why>>>,
}

/// Whom the connection is to be with.
pub(crate) enum Question {
    /// The server that was called under this name.
    Server { host: String, expected: Expected },
    /// A client that calls.
    Client(Arc<Admission>),
}

impl Examiner {
    pub(crate) fn new(
        trust: &Trust,
        clock: &Clock,
        algorithms: WebPkiSupportedAlgorithms,
        question: Question,
    ) -> Arc<Self> {
        let (trust, clock) = (trust.clone(), clock.clone());
        Arc::new(Self { trust, clock, algorithms, question, found: Mutex::new(None) })
    }

    /// What was found, once: who is there, or why it is refused. Nothing if no certificate came.
    pub(crate) fn finding(&self) -> Option<Result<PeerView, Why>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn examine(&self, leaf: &CertificateDer<'_>, rest: &[CertificateDer<'_>]) -> Result<(), Error> {
        let found = self.look(leaf, rest);
        let answer = found.as_ref().map(|_| ()).map_err(alert);
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        answer
    }

    fn look(&self, leaf: &CertificateDer<'_>, rest: &[CertificateDer<'_>]) -> Result<PeerView, Why> {
        let chain = std::iter::once(leaf).chain(rest).map(|der| Certificate::from_der(der));
        let chain: Vec<_> = chain.collect::<Result<_, _>>()?;
        let (trust, now) = (self.trust.snapshot(), self.clock.now());
        let certificate = match &self.question {
            Question::Client(admission) => {
                let found = trust.verify_any(&chain, Usage::TlsClient, now)?;
                admission.admit(&found)?;
                found
            }
            Question::Server { host, expected } => {
                let usage = Usage::TlsServer;
                let found = match expected {
                    Expected::FirstContact => {
                        trust.verify_first_contact(&chain, CertRole::CaService, usage, now)?
                    }
                    Expected::Key(role, _) | Expected::Role(role) => {
                        trust.verify(&chain, *role, usage, now)?
                    }
                };
                let other_key = matches!(expected, Expected::Key(_, kid) if *kid != found.kid());
                if other_key || !found.serves(host) {
                    return Err(Why::SomebodyElse(host.clone()));
                }
                found
            }
        };
        Ok(PeerView { certificate, chain })
    }

    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if signed.scheme != SignatureScheme::ED25519 {
            return Err(CertificateError::BadSignature.into());
        }
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }
}

/// What the peer learns of a refusal: one of the alerts of TLS (RFC 8446, 6.2).
fn alert(why: &Why) -> Error {
    Error::InvalidCertificate(match why {
        Why::Certificate(CertificateFault::Revoked) => CertificateError::Revoked,
        Why::Certificate(CertificateFault::NotValid { .. }) => CertificateError::Expired,
        Why::Certificate(CertificateFault::Untrusted { .. }) => CertificateError::UnknownIssuer,
        other => CertificateError::Other(OtherError(Arc::new(other.clone()))),
    })
}

impl ServerCertVerifier for Examiner {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.examine(end_entity, intermediates).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(CertificateError::BadSignature.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

impl ClientCertVerifier for Examiner {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.examine(end_entity, intermediates).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(CertificateError::BadSignature.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

impl fmt::Debug for Examiner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Examiner")
    }
}
