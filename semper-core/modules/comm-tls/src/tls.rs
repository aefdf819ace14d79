//! TLS as it is used here: version 1.3 (RFC 8446), two key exchanges, two ciphers, Ed25519, one protocol
//! name; both ends certified; no resumption, no tickets, no early data, no compression, no key log.
//!
//! Every client says the same in its first message, whatever it is about to do, so that it is no
//! fingerprint.

use std::{fmt, io, sync::Arc};

use rustls::{
    ClientConfig, CommonState, ServerConfig, client, compress,
    crypto::{
        CryptoProvider,
        aws_lc_rs::{self, cipher_suite, kx_group},
    },
    server,
    sign::{CertifiedKey, SingleCertAndKey},
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use semper_supporting::{
    certificate::Certificate,
    comm::session::{Exporter, KeyExchange, PeerView, Why},
};
use zeroize::Zeroizing;

use crate::examiner::Examiner;

/// The name of the protocol inside TLS (RFC 7301).
const PROTOCOL: &[u8] = b"semper/1";
/// What names the exporter of a session (RFC 8446, 7.5).
const EXPORTER: &[u8] = b"EXPORTER-semper-deal";

/// The certificate a program shows, with the key in it.
#[derive(Clone)]
pub struct Identity(Arc<CertifiedKey>);

/// Why a certificate and a key are no identity.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the key and the certificate do not make an identity ({0})")]
pub struct BadIdentity(String);

impl Identity {
    /// The identity of `chain`, the own certificate first, whose key has this PKCS#8 form.
    ///
    /// # Errors
    /// [`BadIdentity`] if the key is not Ed25519 or not that of the certificate.
    pub fn new(chain: &[Certificate], key: &Zeroizing<Vec<u8>>) -> Result<Self, BadIdentity> {
        let bad = |error: rustls::Error| BadIdentity(error.to_string());
        let key = aws_lc_rs::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(key.as_slice())).map_err(bad)?;
        let chain = chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
        let identity = CertifiedKey::new(chain, key);
        identity.keys_match().map_err(bad)?;
        Ok(Self(Arc::new(identity)))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

/// The cryptography of every connection.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![kx_group::X25519MLKEM768, kx_group::X25519],
        ..aws_lc_rs::default_provider()
    })
}

/// How a client shakes hands.
pub(crate) fn client(
    provider: Arc<CryptoProvider>,
    examiner: Arc<Examiner>,
    identity: &Identity,
) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(examiner)
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.0.as_ref().clone())));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.resumption = client::Resumption::disabled();
    config.enable_early_data = false;
    config.cert_compressors = Vec::new();
    config.cert_decompressors = Vec::new();
    config.cert_compression_cache = Arc::new(compress::CompressionCache::Disabled);
    Ok(config)
}

/// How a server shakes hands.
pub(crate) fn server(
    provider: Arc<CryptoProvider>,
    examiner: Arc<Examiner>,
    identity: &Identity,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(examiner)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.0.as_ref().clone())));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.session_storage = Arc::new(server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.cert_compressors = Vec::new();
    config.cert_decompressors = Vec::new();
    config.cert_compression_cache = Arc::new(compress::CompressionCache::Disabled);
    Ok(config)
}

/// What a finished handshake gives to a session.
pub(crate) struct Handshake {
    pub(crate) peer: PeerView,
    pub(crate) exporter: Exporter,
    pub(crate) key_exchange: KeyExchange,
}

/// Takes from a finished handshake what the session needs.
pub(crate) fn finish(
    state: &CommonState,
    export: impl FnOnce([u8; 32], &[u8]) -> Result<[u8; 32], rustls::Error>,
    examiner: &Examiner,
) -> Result<Handshake, Why> {
    if state.alpn_protocol() != Some(PROTOCOL) {
        return Err(Why::Handshake("no protocol in common".to_owned()));
    }
    let peer = examiner.finding().ok_or_else(|| Why::Handshake("no certificate came".to_owned()))??;
    let exporter = export([0; 32], EXPORTER).map_err(|error| Why::Handshake(error.to_string()))?;
    let group = state.negotiated_key_exchange_group().map(|group| group.name());
    let key_exchange = match group {
        Some(rustls::NamedGroup::X25519MLKEM768) => KeyExchange::X25519MlKem768,
        Some(rustls::NamedGroup::X25519) => KeyExchange::X25519,
        other => return Err(Why::Handshake(format!("key exchange {other:?}"))),
    };
    Ok(Handshake { peer, exporter: Exporter::from_bytes(exporter), key_exchange })
}

/// Why a handshake failed: what the examiner found, else what TLS says.
pub(crate) fn failure(error: &io::Error, examiner: &Examiner) -> Why {
    match examiner.finding() {
        Some(Err(why)) => why,
        Some(Ok(_)) | None => Why::Handshake(error.to_string()),
    }
}
