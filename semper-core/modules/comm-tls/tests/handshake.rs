//! Who comes to a session and who does not, over real sockets: each refusal with its reason on our side.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod support;

use std::{net::SocketAddr, sync::Arc};

use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use semper_comm_tls::{Admission, Call, Dialer, Expected, Network, Session, Trust};
use semper_supporting::{
    certificate::{CertRole, CertificateFault, Class},
    comm::{
        address::{Endpoint, Surroundings},
        frame::{Frame, Kind},
        hello::Features,
        session::{KeyExchange, NetEvent, Why},
    },
    deal::Anonymity,
    fault::Fault,
    time::Span,
};
use support::{HOST, Market, NOW, Party, call, call_role, listen};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// How a peer that is not ours behaves in TLS.
struct Stranger<'a> {
    identity: Option<&'a Party>,
    protocols: Vec<Vec<u8>>,
}

impl Stranger<'_> {
    /// Shakes hands and reads until the server has had its say; gives what it read.
    async fn call(self, to: SocketAddr) -> std::io::Result<Vec<u8>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Gullible));
        let mut config = match self.identity {
            None => builder.with_no_client_auth(),
            Some(party) => {
                let chain = party.chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
                let key = PrivatePkcs8KeyDer::from(party.key.pkcs8().to_vec());
                builder.with_client_auth_cert(chain, key.into()).unwrap()
            }
        };
        config.alpn_protocols = self.protocols;
        let stream = TcpStream::connect(to).await?;
        let name = ServerName::try_from(HOST).unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await?;
        Ok(said)
    }
}

/// Believes every server: what a stranger of the tests is like.
#[derive(Debug)]
struct Gullible;

impl rustls::client::danger::ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls_pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        vec![rustls::SignatureScheme::ED25519]
    }
}

async fn both(market: &Market, admission: Admission, caller: &Party) -> (Session, Session) {
    let shop = market.merchant();
    let (mut listener, _refused) = listen(market.server(&shop, &[], admission)).await;
    let (here, there) = (market.dialer(), call(listener.address(), caller));
    let (client, server) = tokio::join!(here.dial(&there), listener.accept());
    (client.unwrap(), server.unwrap())
}

#[tokio::test]
async fn both_ends_know_each_other_by_certificate_and_agree_on_hybrid_keys() {
    let market = Market::new();
    let person = market.person();
    let (client, server) = both(&market, Admission::certified(), &person).await;
    assert_eq!(client.info.key_exchange, KeyExchange::X25519MlKem768);
    assert_eq!(server.info.key_exchange, KeyExchange::X25519MlKem768);
    assert_eq!(client.info.exporter, server.info.exporter);
    assert_eq!(client.info.peer.certificate.class(), Class::Merchant);
    assert_eq!(server.info.peer.kid(), person.kid());
    assert_eq!(server.info.peer.name(), Some("Ada Weber"));
    assert_eq!(server.info.greeting, client.info.greeting);
}

#[tokio::test]
async fn two_sessions_of_the_same_two_carry_different_exporters() {
    let market = Market::new();
    let (shop, person) = (market.merchant(), market.person());
    let (mut listener, _refused) = listen(market.server(&shop, &[], Admission::certified())).await;
    let (dialer, call) = (market.dialer(), call(listener.address(), &person));
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let (client, server) = tokio::join!(dialer.dial(&call), listener.accept());
        let exporter = client.unwrap().info.exporter;
        assert_eq!(exporter, server.unwrap().info.exporter);
        assert!(seen.insert(exporter));
    }
}

#[tokio::test]
async fn a_wallet_without_a_certificate_reaches_the_authority_it_has_just_confirmed() {
    let market = Market::new();
    let (authority, wallet) = (market.ca_service(), market.nobody());
    let admission = Admission::certified().and_anonymous();
    let (mut listener, _refused) = listen(market.server(&authority, &[], admission)).await;
    let dialer = market.dialer_trusting(market.trust_in_root());
    let call = Call { expected: Expected::FirstContact, ..call(listener.address(), &wallet) };
    let (client, server) = tokio::join!(dialer.dial(&call), listener.accept());
    let (client, server) = (client.unwrap(), server.unwrap());
    assert!(client.info.peer.certificate.content().roles.contains(&CertRole::CaService));
    assert_eq!(server.info.peer.anonymity(), Anonymity::Anonymous);
    assert_eq!(server.info.peer.name(), None);
}

/// What the server notes when `caller` calls, and what the caller is told.
async fn refused(market: &Market, caller: &Party, revoked: &[&Party], admission: Admission) -> (Why, Why) {
    let shop = market.merchant();
    let (mut listener, mut refusals) = listen(market.server(&shop, revoked, admission)).await;
    let told = market.dialer().dial(&call(listener.address(), caller)).await.map(|_| ()).unwrap_err();
    let noted = tokio::select! {
        noted = refusals.recv() => noted.unwrap(),
        session = listener.accept() => panic!("accepted: {session:?}"),
    };
    (noted, told)
}

#[tokio::test]
async fn a_client_that_is_expired_revoked_anonymous_or_of_another_role_is_refused_with_the_reason_noted() {
    let market = Market::new();
    let old = market.party(Class::PersonAuth, NOW.before(Span::days(29)), None);
    let (noted, _) = refused(&market, &old, &[&old], Admission::certified()).await;
    assert_eq!(noted, Why::Certificate(CertificateFault::Revoked));

    let early = market.party(Class::PersonAuth, NOW.after(Span::days(1)), None);
    let (noted, _) = refused(&market, &early, &[], Admission::certified()).await;
    assert_eq!(noted.code(), "cert.not-valid");

    let nobody = market.nobody();
    let (noted, _) = refused(&market, &nobody, &[], Admission::certified()).await;
    assert_eq!(noted.code(), "cert.wrong-role");

    let person = market.person();
    let (noted, told) = refused(&market, &person, &[], Admission::of([CertRole::Merchant])).await;
    assert_eq!(noted, Why::Certificate(CertificateFault::WrongRole { expected: CertRole::Merchant }));
    // The peer learns no more than an alert.
    assert!(matches!(told, Why::Lost | Why::Handshake(_)), "{told:?}");
}

#[tokio::test]
async fn an_expired_client_is_refused() {
    let market = Market::new();
    let shop = market.merchant();
    let person = market.person();
    let late = semper_comm_tls::Clock::reading(|| NOW.after(Span::days(800)));
    let server =
        semper_comm_tls::Server::new(late, market.trust(&[]), shop.identity(), Admission::certified());
    let (listener, mut refusals) = listen(server).await;
    assert!(market.dialer().dial(&call(listener.address(), &person)).await.is_err());
    assert_eq!(refusals.recv().await.unwrap().code(), "cert.not-valid");
}

#[tokio::test]
async fn a_server_that_is_revoked_of_another_role_key_or_name_is_refused() {
    let market = Market::new();
    let (shop, person) = (market.merchant(), market.person());
    let (listener, _refused) = listen(market.server(&shop, &[], Admission::certified())).await;
    let to = listener.address();
    let dial = async |dialer: Dialer, call: Call| dialer.dial(&call).await.map(|_| ()).unwrap_err();

    let why = dial(market.dialer_trusting(market.trust(&[&shop])), call(to, &person)).await;
    assert_eq!(why, Why::Certificate(CertificateFault::Revoked));

    let why = dial(market.dialer(), call_role(to, &person, CertRole::Bank)).await;
    assert_eq!(why, Why::Certificate(CertificateFault::WrongRole { expected: CertRole::Bank }));

    let expected = Expected::Key(CertRole::Merchant, person.kid());
    let why = dial(market.dialer(), Call { expected, ..call(to, &person) }).await;
    assert_eq!(why, Why::SomebodyElse(HOST.to_owned()));
    assert!(why.is_lasting());

    let elsewhere = Endpoint::parse(&format!("other.localhost:{}", to.port()), Surroundings::Demo).unwrap();
    let why = dial(market.dialer(), Call { to: elsewhere, ..call(to, &person) }).await;
    assert_eq!(why, Why::SomebodyElse("other.localhost".to_owned()));

    let why = dial(market.dialer_trusting(Market::elsewhere().trust(&[])), call(to, &person)).await;
    assert_eq!(why.code(), "cert.untrusted");
    let why = dial(market.dialer_trusting(Trust::default()), call(to, &person)).await;
    assert_eq!(why.code(), "crl.missing");
}

#[tokio::test]
async fn a_list_of_seven_days_serves_and_one_of_eight_does_not() {
    let market = Market::new();
    let (shop, person) = (market.merchant(), market.person());
    let (mut listener, _refused) = listen(market.server(&shop, &[], Admission::certified())).await;
    let call = call(listener.address(), &person);
    let week = market.dialer_trusting(market.trust_as_of(&[], NOW.before(Span::days(7))));
    let (client, _server) = tokio::join!(week.dial(&call), listener.accept());
    assert!(client.is_ok());
    let longer = market.dialer_trusting(market.trust_as_of(&[], NOW.before(Span::days(8))));
    let why = longer.dial(&call).await.map(|_| ()).unwrap_err();
    assert_eq!(why, Why::Certificate(CertificateFault::ListStale { days: 8 }));
}

#[tokio::test]
async fn a_program_in_real_use_calls_nobody_on_its_own_machine() {
    let market = Market::new();
    let dialer =
        Dialer::new(market.clock.clone(), market.trust(&[]), Surroundings::Public, Features::default());
    let to = Endpoint::parse("127.0.0.1:1", Surroundings::Demo).unwrap();
    let call = Call { to, ..call(([127, 0, 0, 1], 1).into(), &market.person()) };
    let why = dialer.dial(&call).await.map(|_| ()).unwrap_err();
    assert_eq!(why.code(), "uri.internal");
    assert_eq!(Endpoint::parse("shop.localhost:1", Surroundings::Public).unwrap_err().code(), "uri.internal");
}

#[tokio::test]
async fn nobody_without_certificate_or_with_another_protocol_comes_in() {
    let market = Market::new();
    let (shop, person) = (market.merchant(), market.person());
    let (listener, mut refusals) = listen(market.server(&shop, &[], Admission::certified())).await;
    for (identity, protocols) in [
        (None, vec![b"semper/1".to_vec()]),
        (Some(&person), vec![b"h2".to_vec()]),
        (Some(&person), Vec::new()),
    ] {
        let stranger = Stranger { identity, protocols };
        let said = stranger.call(listener.address()).await;
        assert!(said.is_err() || said.is_ok_and(|said| said.is_empty()));
        assert_eq!(refusals.recv().await.unwrap().code(), "net.handshake");
    }
}

/// The first message of a TLS 1.2 client (RFC 5246, 7.4.1.2), which does not know of version 1.3.
const TLS_1_2: &[u8] = &[
    0x16, 0x03, 0x01, 0x00, 0x31, 0x01, 0x00, 0x00, 0x2d, 0x03, 0x03, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0x00, 0x00, 0x06, 0xc0,
    0x2b, 0xc0, 0x2f, 0x00, 0x9c, 0x01, 0x00,
];

#[tokio::test]
async fn a_client_of_tls_1_2_gets_an_alert_and_nothing_else() {
    let market = Market::new();
    let shop = market.merchant();
    let (listener, mut refusals) = listen(market.server(&shop, &[], Admission::certified())).await;
    let mut stream = TcpStream::connect(listener.address()).await.unwrap();
    stream.write_all(TLS_1_2).await.unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    // Record type alert, level fatal.
    assert_eq!((said.first(), said.get(5)), (Some(&0x15), Some(&2)), "{said:?}");
    assert_eq!(refusals.recv().await.unwrap().code(), "net.handshake");
}

#[tokio::test]
async fn a_client_does_not_talk_to_a_server_that_asks_for_no_certificate_or_speaks_something_else() {
    let market = Market::new();
    let (shop, person) = (market.merchant(), market.person());
    for protocols in [Vec::new(), vec![b"semper/2".to_vec()]] {
        let chain: Vec<_> = shop.chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivatePkcs8KeyDer::from(shop.key.pkcs8().to_vec());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key.into())
            .unwrap();
        config.alpn_protocols = protocols;
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let serve = async {
            let (stream, _) = socket.accept().await.unwrap();
            let _ = TlsAcceptor::from(Arc::new(config)).accept(stream).await;
        };
        let (dialer, call) = (market.dialer(), call(address, &person));
        let (told, ()) = tokio::join!(dialer.dial(&call), serve);
        assert_eq!(told.map(|_| ()).unwrap_err().code(), "net.handshake");
    }
}

#[tokio::test]
async fn frames_pass_both_ways_and_the_end_is_heard() {
    let market = Market::new();
    let (mut client, mut server) = both(&market, Admission::certified(), &market.person()).await;
    let long = Frame::new(Kind::Exchange, 0, vec![7; 1 << 20]).unwrap();
    client.send.send(long.clone()).await.unwrap();
    assert_eq!(server.receive.next().await, NetEvent::Frame(long));
    let answer = Frame::new(Kind::Ca, 3, b"list".to_vec()).unwrap();
    server.send.send(answer.clone()).await.unwrap();
    server.send.close();
    assert_eq!(client.receive.next().await, NetEvent::Frame(answer));
    assert_eq!(client.receive.next().await, NetEvent::Down(Why::Lost));
    assert_eq!(server.receive.next().await, NetEvent::Down(Why::Closed));
}
