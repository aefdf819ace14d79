//! Issuing: what an authority does with its key.
//!
//! Serial numbers and times are arguments and Ed25519 is deterministic, so that the same order gives the same
//! certificate, byte for byte: an authority that crashes between signing and storing repeats itself and has
//! still issued one.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType, SerialNumber,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    Certificate, CertificateFault,
    content::inspect,
    der::value,
    profile::{Class, OwnExtension, Subject, key_uri},
};
use crate::{
    crypto::signature::{KeyPair, PublicKey},
    time::Moment,
};

/// A serial number: positive, at most 16 bytes, made of random ones.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Serial([u8; 16]);

impl Serial {
    /// The serial number of 16 bytes from a generator of random bytes; the top bit is cleared and the last
    /// one set, so that it is positive.
    pub fn from_random(random: [u8; 16]) -> Self {
        let mut bytes = random;
        let [first, .., last] = &mut bytes;
        *first &= 0x7f;
        *last |= 1;
        Self(bytes)
    }

    /// The serial number whose big-endian magnitude is `bytes`.
    pub(super) fn from_magnitude(bytes: &[u8]) -> Option<Self> {
        let significant = bytes.get(bytes.iter().take_while(|b| **b == 0).count()..)?;
        let mut padded = [0; 16];
        padded.get_mut(16_usize.checked_sub(significant.len())?..)?.copy_from_slice(significant);
        (padded[0] < 0x80 && !significant.is_empty()).then_some(Self(padded))
    }

    /// Its 16 bytes, big endian.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// An order to issue one certificate.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Issuance {
    /// The class of the certificate.
    pub class: Class,
    /// Whom it is about.
    pub subject: Subject,
    /// The key it certifies.
    pub key: PublicKey,
    /// Its serial number.
    pub serial: Serial,
    /// The moment from which it is valid, rounded down to a whole second.
    pub from: Moment,
    /// The policy under which the subject was registered.
    pub policy: Option<String>,
}

/// An authority that can issue: its certificate, and the key in it.
#[derive(Debug)]
pub struct Issuer {
    key: KeyPair,
    certificate: Certificate,
    until: Moment,
}

impl Issuer {
    /// Makes a root, which certifies itself.
    ///
    /// # Errors
    /// [`CertificateFault::BadSubject`] if `subject` breaks the rules of its class.
    pub fn root(
        key: KeyPair,
        subject: Subject,
        serial: Serial,
        from: Moment,
    ) -> Result<Self, CertificateFault> {
        let order = Issuance { class: Class::Root, subject, key: key.public(), serial, from, policy: None };
        let certificate = self_signed(&key, &order)?;
        Self::open(key, certificate)
    }

    /// The authority of a key and the certificate that was issued to it.
    ///
    /// # Errors
    /// [`CertificateFault::Profile`] if it is not the certificate of an authority,
    /// [`CertificateFault::BadKey`] if it certifies another key.
    pub fn open(key: KeyPair, certificate: Certificate) -> Result<Self, CertificateFault> {
        let found = inspect(&certificate)?;
        if !found.class.rules().authority {
            return Err(CertificateFault::profile("not the certificate of an authority"));
        }
        if found.key != key.public() {
            return Err(CertificateFault::BadKey);
        }
        Ok(Self { key, certificate, until: found.until })
    }

    /// Its own certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Issues what `order` says. The validity ends with the issuer's own.
    ///
    /// A root issues to issuing authorities only, an issuing authority to everybody else.
    ///
    /// # Errors
    /// [`CertificateFault::BadSubject`] if the order breaks the rules of its class or is not for this issuer.
    pub fn issue(&self, order: &Issuance) -> Result<Certificate, CertificateFault> {
        let is_root = inspect(&self.certificate)?.class == Class::Root;
        let by_root = order.class == Class::IssuingCa;
        if is_root != by_root || matches!(order.class, Class::Root | Class::Anonymous) {
            return Err(CertificateFault::subject("this authority does not issue certificates of the class"));
        }
        let mut params = params(order, self.until)?;
        params.use_authority_key_identifier_extension = true;
        let issuer = self.rcgen_issuer()?;
        let made = params.signed_by(&SubjectKey(order.key), &issuer).map_err(unwritable)?;
        finish(made.der())
    }

    /// The issuer as `rcgen` sees it: the names of the certificate, and the key behind our own signer.
    pub(super) fn rcgen_issuer(&self) -> Result<rcgen::Issuer<'static, Signer<'_>>, CertificateFault> {
        rcgen::Issuer::from_ca_cert_der(&self.certificate.der().into(), Signer::new(&self.key))
            .map_err(unwritable)
    }
}

/// Makes the certificate with which an anonymous party opens the connections of one deal.
///
/// It is valid from the beginning of the day (UTC) of `from`, so that it does not tell when it was made.
///
/// # Errors
/// [`CertificateFault::BadSubject`] for a time that no certificate carries.
pub fn anonymous(key: &KeyPair, serial: Serial, from: Moment) -> Result<Certificate, CertificateFault> {
    const DAY: u64 = 24 * 60 * 60;
    let from = Moment::from_seconds(from.seconds() - from.seconds() % DAY);
    self_signed(
        key,
        &Issuance {
            class: Class::Anonymous,
            subject: Subject::anonymous(),
            key: key.public(),
            serial,
            from,
            policy: None,
        },
    )
}

fn self_signed(key: &KeyPair, order: &Issuance) -> Result<Certificate, CertificateFault> {
    let made = params(order, Moment::from_millis(u64::MAX))?.self_signed(&Signer::new(key));
    finish(made.map_err(unwritable)?.der())
}

/// What was written must pass the check that everybody else makes.
fn finish(der: &[u8]) -> Result<Certificate, CertificateFault> {
    let certificate = Certificate::from_der(der)?;
    inspect(&certificate).map(|_| certificate)
}

fn params(order: &Issuance, issuer_until: Moment) -> Result<CertificateParams, CertificateFault> {
    order.subject.check(order.class).map_err(CertificateFault::subject)?;
    let rules = order.class.rules();
    let mut params = CertificateParams::default();
    params.not_before = utc(order.from)?;
    params.not_after = utc(order.from.whole_seconds().after(rules.validity).min(issuer_until))?;
    params.serial_number = Some(SerialNumber::from_slice(order.serial.as_bytes()));
    params.distinguished_name = distinguished_name(&order.subject)?;
    params.subject_alt_names = alternative_names(order)?;
    params.is_ca = match (rules.authority, rules.path_length) {
        (false, _) => IsCa::ExplicitNoCa,
        (true, None) => IsCa::Ca(BasicConstraints::Unconstrained),
        (true, Some(length)) => IsCa::Ca(BasicConstraints::Constrained(length)),
    };
    params.key_usages = [
        (rules.digital_signature, KeyUsagePurpose::DigitalSignature),
        (rules.content_commitment, KeyUsagePurpose::ContentCommitment),
        (rules.authority, KeyUsagePurpose::KeyCertSign),
        (rules.authority, KeyUsagePurpose::CrlSign),
    ]
    .into_iter()
    .filter_map(|(belongs, usage)| belongs.then_some(usage))
    .collect();
    params.extended_key_usages = [
        (rules.server, ExtendedKeyUsagePurpose::ServerAuth),
        (rules.client, ExtendedKeyUsagePurpose::ClientAuth),
    ]
    .into_iter()
    .filter_map(|(belongs, usage)| belongs.then_some(usage))
    .chain(
        order.subject.roles(order.class).into_iter().map(|role| ExtendedKeyUsagePurpose::Other(role.oid())),
    )
    .collect();
    params.custom_extensions = own_extensions(order);
    Ok(params)
}

fn distinguished_name(subject: &Subject) -> Result<DistinguishedName, CertificateFault> {
    let mut name = DistinguishedName::new();
    if let Some(country) = &subject.country {
        let printable = country.as_str().try_into().map_err(unwritable)?;
        name.push(DnType::CountryName, DnValue::PrintableString(printable));
    }
    if let Some(locality) = &subject.locality {
        name.push(DnType::LocalityName, locality.as_str());
    }
    if let Some(organisation) = &subject.organisation {
        name.push(DnType::OrganizationName, organisation.as_str());
    }
    name.push(DnType::CommonName, subject.common_name.as_str());
    Ok(name)
}

fn alternative_names(order: &Issuance) -> Result<Vec<SanType>, CertificateFault> {
    let hosts = order.subject.dns.iter().map(|name| Ok(SanType::DnsName(name.as_str().try_into()?)));
    let uri = order.class.rules().key_uri.then(|| Ok(SanType::URI(key_uri(&order.key).try_into()?)));
    hosts.chain(uri).collect::<Result<_, rcgen::Error>>().map_err(unwritable)
}

fn own_extensions(order: &Issuance) -> Vec<CustomExtension> {
    let write = |which: OwnExtension, tag: u8, content: &[u8]| {
        CustomExtension::from_oid_content(&which.oid(), value(tag, content))
    };
    let mut own = vec![write(OwnExtension::Class, 0x02, &[order.class.number()])];
    if let Some(policy) = &order.policy {
        own.push(write(OwnExtension::Policy, 0x0c, policy.as_bytes()));
    }
    if let Some(kind) = order.subject.business {
        own.push(write(OwnExtension::BusinessKind, 0x0c, kind.text().as_bytes()));
    }
    if let Some(account) = &order.subject.account {
        own.push(write(OwnExtension::Account, 0x04, account.as_bytes()));
    }
    own
}

/// The moment as certificates and lists carry it.
pub(super) fn utc(moment: Moment) -> Result<OffsetDateTime, CertificateFault> {
    i64::try_from(moment.seconds())
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .ok_or_else(|| CertificateFault::subject("a time that no certificate carries"))
}

pub(super) fn unwritable(error: rcgen::Error) -> CertificateFault {
    CertificateFault::subject(error.to_string())
}

/// Lets `rcgen` sign with a key pair of ours. Private to this block: whoever holds a key pair elsewhere has no
/// way through here to sign what he likes.
pub(super) struct Signer<'a> {
    key: &'a KeyPair,
    public: PublicKey,
}

impl<'a> Signer<'a> {
    pub(super) fn new(key: &'a KeyPair) -> Self {
        Self { key, public: key.public() }
    }
}

impl rcgen::PublicKeyData for Signer<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl rcgen::SigningKey for Signer<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.key.sign(message).as_bytes().to_vec())
    }
}

/// The key to be certified, as `rcgen` sees it.
struct SubjectKey(PublicKey);

impl rcgen::PublicKeyData for SubjectKey {
    fn der_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}
