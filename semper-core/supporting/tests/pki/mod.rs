//! A small world of authorities for tests, and the means to make certificates that nobody should issue.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use std::collections::BTreeSet;

use ed25519_dalek::{Signer as _, SigningKey};
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, PublicKeyData, SanType};
use semper_supporting::{
    certificate::{
        CertRole, Certificate, Class, Issuance, Issuer, Serial, Subject, TrustSnapshot,
        profile::{BusinessKind, OwnExtension, key_uri},
        status::{LIST_VALIDITY, ROOT_LIST_VALIDITY, RevokedEntry},
    },
    crypto::signature::KeyPair,
    time::{Moment, Span},
};

/// The moment of most tests.
pub fn now() -> Moment {
    Moment::parse("2026-03-01T10:00:00Z").unwrap()
}

pub fn key(n: u8) -> KeyPair {
    KeyPair::from_seed(&[n; 32])
}

pub fn serial(n: u8) -> Serial {
    Serial::from_random([n; 16])
}

pub fn authority(name: &str) -> Subject {
    Subject {
        country: Some("DE".into()),
        organisation: Some("GMD".into()),
        common_name: name.into(),
        ..Subject::default()
    }
}

pub fn subject(class: Class) -> Subject {
    let rules = class.rules();
    use semper_supporting::certificate::profile::Need::Absent;
    let some = |need, text: &str| (need != Absent).then(|| text.to_owned());
    Subject {
        country: some(rules.country, "DE"),
        locality: some(rules.locality, "Darmstadt"),
        organisation: some(rules.organisation, "Müller & Söhne"),
        common_name: "Ada Weber".into(),
        dns: some(rules.dns, "shop.example").into_iter().collect(),
        business: Some(BusinessKind::Business),
        account: None,
        also: BTreeSet::new(),
    }
}

/// Root, issuing authority, and what a party trusts that knows both.
pub struct World {
    pub root: Issuer,
    pub ca: Issuer,
}

pub const ROOT_KEY: u8 = 1;
pub const CA_KEY: u8 = 2;
pub const LEAF_KEY: u8 = 3;

impl World {
    pub fn new() -> Self {
        Self::under(ROOT_KEY)
    }

    /// The same names, under a root somebody made for himself.
    pub fn of_another_root() -> Self {
        Self::under(201)
    }

    fn under(root: u8) -> Self {
        let root = Issuer::root(key(root), authority("Test root"), serial(1), start()).unwrap();
        let order = Issuance {
            class: Class::IssuingCa,
            subject: authority("Test authority"),
            key: key(CA_KEY).public(),
            serial: serial(2),
            from: start(),
            policy: None,
        };
        let certificate = root.issue(&order).unwrap();
        Self { ca: Issuer::open(key(CA_KEY), certificate).unwrap(), root }
    }

    pub fn order(class: Class) -> Issuance {
        Issuance {
            class,
            subject: subject(class),
            key: key(LEAF_KEY).public(),
            serial: serial(3),
            from: now().before(Span::days(1)),
            policy: Some("test/1".into()),
        }
    }

    pub fn issue(&self, class: Class) -> Certificate {
        self.ca.issue(&Self::order(class)).unwrap()
    }

    /// What a party trusts, with lists made at `listed` that revoke these.
    pub fn trust_at(
        &self,
        listed: Moment,
        by_ca: &[RevokedEntry],
        by_root: &[RevokedEntry],
    ) -> TrustSnapshot {
        let mut trust = TrustSnapshot {
            roots: vec![self.root.certificate().clone()],
            intermediates: vec![self.ca.certificate().clone()],
            ..TrustSnapshot::default()
        };
        let ca = self.ca.issue_list(7, listed, LIST_VALIDITY, by_ca).unwrap();
        let root = self.root.issue_list(7, listed, ROOT_LIST_VALIDITY, by_root).unwrap();
        trust.accept_list(ca, now()).unwrap();
        trust.accept_list(root, now()).unwrap();
        trust
    }

    pub fn trust(&self) -> TrustSnapshot {
        self.trust_at(now().before(Span::hours(1)), &[], &[])
    }

    /// Certifies whatever `params` say, rules or not.
    pub fn certify_anything(&self, params: &CertificateParams, subject_key: u8) -> Certificate {
        let issuer =
            rcgen::Issuer::from_ca_cert_der(&self.ca.certificate().der().into(), RawKey::new(CA_KEY))
                .unwrap();
        let made = params.signed_by(&RawKey::new(subject_key), &issuer).unwrap();
        Certificate::from_der(made.der()).unwrap()
    }
}

/// When the authorities were made.
pub fn start() -> Moment {
    Moment::parse("2026-01-01T00:00:00Z").unwrap()
}

/// A key that signs anything, as only tests may.
pub struct RawKey {
    key: SigningKey,
    public: [u8; 32],
}

impl RawKey {
    pub fn new(n: u8) -> Self {
        let key = SigningKey::from_bytes(&[n; 32]);
        Self { public: key.verifying_key().to_bytes(), key }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign(message).to_bytes().to_vec()
    }
}

impl PublicKeyData for RawKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl rcgen::SigningKey for RawKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(Self::sign(self, message))
    }
}

/// What stands behind the signed part: the algorithm (7 bytes) and the signature's BIT STRING (67 bytes).
const TAIL: usize = 7 + 67;

/// The signed part of an Ed25519 certificate.
pub fn tbs(der: &[u8]) -> &[u8] {
    &der[4..der.len() - TAIL]
}

/// Signs `tbs` anew with key `n` and puts the certificate together.
pub fn seal(tbs: &[u8], n: u8) -> Vec<u8> {
    let signature = [&[0], RawKey::new(n).sign(tbs).as_slice()].concat();
    let algorithm = tlv(0x30, &[0x06, 0x03, 0x2b, 0x65, 0x70]);
    tlv(0x30, &[tbs, &algorithm, &tlv(0x03, &signature)].concat())
}

/// A DER value.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(content);
    out
}

/// Replaces the one place where `from` stands.
pub fn patch(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let places: Vec<_> = (0..=bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert_eq!(places.len(), 1, "{from:02x?} stands {} times", places.len());
    [&bytes[..places[0]], to, &bytes[places[0] + from.len()..]].concat()
}

/// The parameters of a merchant's certificate, to be spoilt.
pub fn merchant() -> CertificateParams {
    let mut params = CertificateParams::default();
    let at = |moment: Moment| {
        time::OffsetDateTime::from_unix_timestamp(i64::try_from(moment.seconds()).unwrap()).unwrap()
    };
    params.not_before = at(now().before(Span::days(1)));
    params.not_after = at(now().after(Span::days(300)));
    params.serial_number = Some(vec![0x41; 16].into());
    params.distinguished_name = rcgen::DistinguishedName::new();
    for (kind, text) in [
        (rcgen::DnType::CountryName, "DE"),
        (rcgen::DnType::LocalityName, "Darmstadt"),
        (rcgen::DnType::OrganizationName, "Fogra"),
        (rcgen::DnType::CommonName, "Fogra shop"),
    ] {
        params.distinguished_name.push(kind, text);
    }
    let uri = key_uri(&key(LEAF_KEY).public());
    params.subject_alt_names =
        vec![SanType::DnsName("shop.example".try_into().unwrap()), SanType::URI(uri.try_into().unwrap())];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages =
        vec![rcgen::KeyUsagePurpose::DigitalSignature, rcgen::KeyUsagePurpose::ContentCommitment];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::Other(CertRole::Merchant.oid()),
    ];
    let class = OwnExtension::Class.oid();
    params.custom_extensions = vec![CustomExtension::from_oid_content(&class, vec![2, 1, 3])];
    params.use_authority_key_identifier_extension = true;
    params
}
