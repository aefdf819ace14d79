//! What a certificate says, read strictly: the class decides what must and what may be in it.

use std::collections::BTreeSet;

use rustls_pki_types::CertificateDer;
use webpki::EndEntityCert;
use x509_parser::{certificate::X509Certificate, prelude::FromDer, x509::X509Version};

use super::{
    Certificate, CertificateFault,
    der::{content, next, value},
    issue::Serial,
    profile::{BusinessKind, CertRole, Class, OwnExtension, Subject, key_uri},
};
use crate::{
    crypto::{digest::Digest, signature::PublicKey},
    evidence::statement::is_plain,
    time::{Moment, Span},
};

/// The object identifier of Ed25519 (RFC 8410, 3).
pub(super) const ED25519_OID: &str = "1.3.101.112";

/// What a certificate says, read strictly and by the rules of its class; not yet believed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Content {
    /// Its class.
    pub class: Class,
    /// The key it certifies.
    pub key: PublicKey,
    /// Whom it is about.
    pub subject: Subject,
    /// Everything it entitles its subject to be.
    pub roles: BTreeSet<CertRole>,
    /// The identifier of the key that signed it; none where it is its own.
    pub issuer_key: Option<[u8; 20]>,
    /// The policy under which the subject was registered.
    pub policy: Option<String>,
    /// Its serial number.
    pub serial: Serial,
    /// Its first moment.
    pub from: Moment,
    /// Its last moment.
    pub until: Moment,
}

/// Reads a certificate strictly and checks it against the rules of its class. Checks no signature.
///
/// # Errors
/// [`CertificateFault::Profile`] with the rule that is broken.
pub fn inspect(certificate: &Certificate) -> Result<Content, CertificateFault> {
    let (rest, parsed) = X509Certificate::from_der(certificate.der())
        .map_err(|_| CertificateFault::profile("not a certificate"))?;
    if !rest.is_empty() {
        return Err(CertificateFault::profile("bytes after its end"));
    }
    if parsed.version() != X509Version::V3 {
        return Err(CertificateFault::profile("not version 3"));
    }
    check_algorithms(&parsed)?;
    let extensions = Extensions::read(&parsed)?;
    // The parser above is lenient in places; this one is not.
    EndEntityCert::try_from(&CertificateDer::from(certificate.der()))
        .map_err(|error| CertificateFault::profile(format!("not DER: {error}")))?;
    let serial = serial(parsed.raw_serial())?;
    let class = extensions.class.ok_or_else(|| CertificateFault::profile("no class"))?;
    let rules = class.rules();
    if parsed.issuer_uid.is_some() || parsed.subject_uid.is_some() {
        return Err(CertificateFault::profile("unique identifiers"));
    }
    let key = PublicKey::from_spki(parsed.public_key().raw)
        .map_err(|_| CertificateFault::profile("no usable Ed25519 key"))?;
    let (from, until) = validity(&parsed, rules.validity)?;
    let mut subject = read_name(parsed.subject().as_raw())?;
    subject.dns = extensions.dns;
    subject.business = extensions.business;
    subject.account = extensions.account;
    subject.also = extensions.roles.iter().copied().filter(|role| Some(*role) != rules.role).collect();
    subject.check(class).map_err(CertificateFault::profile)?;
    if subject.roles(class) != extensions.roles {
        return Err(CertificateFault::profile("without the role of its class"));
    }
    let uri = rules.key_uri.then(|| key_uri(&key));
    let own_key = key_id(&key);
    let facts = [
        (extensions.uri == uri, "subject name of another key"),
        (extensions.server == rules.server, "extended key usage serverAuth"),
        (extensions.client == rules.client, "extended key usage clientAuth"),
        (extensions.key_usage == Some(key_usage(class)), "key usage"),
        (extensions.basic == Some(basic_constraints(class)), "basic constraints"),
        (extensions.subject_key == Some(value(0x04, &own_key)), "subject key identifier"),
    ];
    if let Some((_, what)) = facts.iter().find(|(holds, _)| !holds) {
        return Err(CertificateFault::profile(*what));
    }
    Ok(Content {
        class,
        key,
        subject,
        roles: extensions.roles,
        issuer_key: extensions.issuer_key,
        policy: extensions.policy,
        serial,
        from,
        until,
    })
}

fn check_algorithms(parsed: &X509Certificate<'_>) -> Result<(), CertificateFault> {
    for algorithm in [&parsed.signature_algorithm, &parsed.tbs_certificate.signature] {
        let oid = algorithm.algorithm.to_id_string();
        // RSA, DSA and ECDSA with SHA-1 (RFC 3279, 2.2).
        if ["1.2.840.113549.1.1.5", "1.3.14.3.2.29", "1.2.840.10040.4.3", "1.2.840.10045.4.1"]
            .contains(&oid.as_str())
        {
            return Err(CertificateFault::profile("signed with SHA-1"));
        }
        if oid != ED25519_OID || algorithm.parameters.is_some() {
            return Err(CertificateFault::profile("not signed with Ed25519"));
        }
    }
    Ok(())
}

fn serial(raw: &[u8]) -> Result<Serial, CertificateFault> {
    if raw.first().is_none_or(|first| first & 0x80 != 0) {
        return Err(CertificateFault::profile("negative serial number"));
    }
    Serial::from_magnitude(raw).ok_or_else(|| CertificateFault::profile("serial number of a wrong length"))
}

fn validity(parsed: &X509Certificate<'_>, longest: Span) -> Result<(Moment, Moment), CertificateFault> {
    let moment =
        |time: x509_parser::time::ASN1Time| u64::try_from(time.timestamp()).map(Moment::from_seconds);
    let (Ok(from), Ok(until)) = (moment(parsed.validity().not_before), moment(parsed.validity().not_after))
    else {
        return Err(CertificateFault::profile("a time before 1970"));
    };
    if until < from || until.since(from) > longest {
        return Err(CertificateFault::profile("validity longer than its class allows"));
    }
    Ok((from, until))
}

/// The key usage of a class: a BIT STRING with `digitalSignature` first and no bit after the last that is set
/// (RFC 5280, 4.2.1.3).
fn key_usage(class: Class) -> Vec<u8> {
    let rules = class.rules();
    let bits = [
        (rules.digital_signature, 0x80),
        (rules.content_commitment, 0x40),
        (rules.authority, 0x04),
        (rules.authority, 0x02),
    ]
    .into_iter()
    .fold(0_u8, |bits, (set, bit)| if set { bits | bit } else { bits });
    let unused = u8::try_from(bits.trailing_zeros().min(7)).unwrap_or_default();
    value(0x03, &[unused, bits])
}

/// The basic constraints of a class (RFC 5280, 4.2.1.9).
fn basic_constraints(class: Class) -> Vec<u8> {
    let rules = class.rules();
    let authority = if rules.authority { value(0x01, &[0xff]) } else { Vec::new() };
    let length = rules.path_length.map(|length| value(0x02, &[length])).unwrap_or_default();
    value(0x30, &[authority, length].concat())
}

/// The identifier of a key: the first 20 bytes of its name (RFC 7093, 2, method 4).
pub(super) fn key_id(key: &PublicKey) -> [u8; 20] {
    let mut id = [0; 20];
    id.iter_mut().zip(key.kid().as_bytes()).for_each(|(to, from)| *to = *from);
    id
}

/// Reads a name, of which every part is one text of a known kind.
fn read_name(der: &[u8]) -> Result<Subject, CertificateFault> {
    let unreadable = || CertificateFault::profile("a name that is no text");
    let mut subject = Subject::default();
    let mut common_name = None;
    let mut rest = content(der, 0x30).ok_or_else(unreadable)?;
    while let Some((0x31, relative, after)) = next(rest) {
        rest = after;
        let attribute =
            content(relative, 0x30).ok_or_else(|| CertificateFault::profile("a name of several parts"))?;
        let Some((0x06, kind, written)) = next(attribute) else { return Err(unreadable()) };
        let written = content(written, 0x0c).or_else(|| content(written, 0x13)).ok_or_else(unreadable)?;
        let text = std::str::from_utf8(written).map_err(|_| unreadable())?;
        let place = match kind {
            [0x55, 0x04, 0x06] => &mut subject.country,
            [0x55, 0x04, 0x07] => &mut subject.locality,
            [0x55, 0x04, 0x0a] => &mut subject.organisation,
            [0x55, 0x04, 0x03] => &mut common_name,
            _ => return Err(CertificateFault::profile("an unknown part of the name")),
        };
        if place.replace(text.to_owned()).is_some() {
            return Err(CertificateFault::profile("a part of the name twice"));
        }
    }
    if !rest.is_empty() {
        return Err(unreadable());
    }
    subject.common_name = common_name.ok_or_else(|| CertificateFault::profile("no name"))?;
    Ok(subject)
}

/// The extensions of a certificate, each at most once and readable.
#[derive(Default)]
struct Extensions {
    class: Option<Class>,
    policy: Option<String>,
    business: Option<BusinessKind>,
    account: Option<Digest>,
    roles: BTreeSet<CertRole>,
    server: bool,
    client: bool,
    key_usage: Option<Vec<u8>>,
    basic: Option<Vec<u8>>,
    subject_key: Option<Vec<u8>>,
    issuer_key: Option<[u8; 20]>,
    dns: Vec<String>,
    uri: Option<String>,
}

impl Extensions {
    fn read(parsed: &X509Certificate<'_>) -> Result<Self, CertificateFault> {
        let mut found = Self::default();
        let mut seen = BTreeSet::new();
        for extension in parsed.extensions() {
            if !seen.insert(extension.oid.to_id_string()) {
                return Err(CertificateFault::profile("an extension twice"));
            }
            let der = extension.value;
            match (extension.oid.to_id_string().as_str(), extension.critical) {
                ("2.5.29.15", true) => found.key_usage = Some(der.to_vec()),
                ("2.5.29.19", true) => found.basic = Some(der.to_vec()),
                ("2.5.29.15" | "2.5.29.19", false) => {
                    return Err(CertificateFault::profile("key usage or basic constraints not critical"));
                }
                (_, true) => return Err(CertificateFault::profile("unknown critical extension")),
                ("2.5.29.14", false) => found.subject_key = Some(der.to_vec()),
                ("2.5.29.35", false) => found.issuer_key = Some(issuer_key(der)?),
                ("2.5.29.37", false) => found.purposes(der)?,
                ("2.5.29.17", false) => found.names(der)?,
                ("2.5.29.30", false) => return Err(CertificateFault::profile("name constraints")),
                (other, false) => found.own(other, der)?,
            }
        }
        Ok(found)
    }

    /// Reads an extension of ours; one of somebody else, which is not critical, says nothing to us.
    fn own(&mut self, oid: &str, der: &[u8]) -> Result<(), CertificateFault> {
        let is = |which: OwnExtension| dotted(&which.oid()) == oid;
        let bad = || CertificateFault::profile("an unreadable extension");
        if is(OwnExtension::Class) {
            let [number] = content(der, 0x02).ok_or_else(bad)? else { return Err(bad()) };
            self.class = Some(
                Class::from_number(*number).ok_or_else(|| CertificateFault::profile("an unknown class"))?,
            );
        } else if is(OwnExtension::Policy) {
            self.policy = Some(text(der).ok_or_else(bad)?.to_owned());
        } else if is(OwnExtension::BusinessKind) {
            let text = text(der).ok_or_else(bad)?;
            self.business = Some(BusinessKind::parse(text).ok_or_else(bad)?);
        } else if is(OwnExtension::Account) {
            let bytes = content(der, 0x04).and_then(|bytes| bytes.try_into().ok()).ok_or_else(bad)?;
            self.account = Some(Digest::from_bytes(bytes));
        }
        Ok(())
    }

    /// Reads the extended key usages from their DER: a SEQUENCE of identifiers, each once and known.
    fn purposes(&mut self, der: &[u8]) -> Result<(), CertificateFault> {
        let unknown = || CertificateFault::profile("an extended key usage that is not of its class");
        let mut rest = content(der, 0x30).ok_or_else(unknown)?;
        while let Some((0x06, oid, after)) = next(rest) {
            rest = after;
            let arcs = arcs(oid).ok_or_else(unknown)?;
            let new = match arcs.as_slice() {
                [1, 3, 6, 1, 5, 5, 7, 3, 1] => !std::mem::replace(&mut self.server, true),
                [1, 3, 6, 1, 5, 5, 7, 3, 2] => !std::mem::replace(&mut self.client, true),
                other => self.roles.insert(CertRole::from_oid(other).ok_or_else(unknown)?),
            };
            if !new {
                return Err(unknown());
            }
        }
        if rest.is_empty() { Ok(()) } else { Err(unknown()) }
    }

    /// Reads the alternative names: hosts, and at most one URI.
    fn names(&mut self, der: &[u8]) -> Result<(), CertificateFault> {
        let unknown = || CertificateFault::profile("an alternative name that is not of its class");
        let mut rest = content(der, 0x30).ok_or_else(unknown)?;
        while let Some((tag, name, after)) = next(rest) {
            rest = after;
            let name = std::str::from_utf8(name).map_err(|_| unknown())?.to_owned();
            match tag {
                0x82 => self.dns.push(name),
                0x86 if self.uri.is_none() => self.uri = Some(name),
                _ => return Err(unknown()),
            }
        }
        if rest.is_empty() { Ok(()) } else { Err(unknown()) }
    }
}

/// The authority key identifier: the identifier of a key and nothing else (RFC 5280, 4.2.1.1).
fn issuer_key(der: &[u8]) -> Result<[u8; 20], CertificateFault> {
    content(der, 0x30)
        .and_then(|names| content(names, 0x80))
        .and_then(|id| id.try_into().ok())
        .ok_or_else(|| CertificateFault::profile("authority key identifier"))
}

fn text(der: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(content(der, 0x0c)?).ok()?;
    is_plain(text).then_some(text)
}

/// The arcs of an object identifier below 1 (X.690, 8.19), none above 32 bits.
fn arcs(content: &[u8]) -> Option<Vec<u64>> {
    let (first, rest) = content.split_first()?;
    let mut arcs = vec![u64::from(first / 40), u64::from(first % 40)];
    let mut arc: u64 = 0;
    let mut inside = false;
    for byte in rest {
        if !inside && *byte == 0x80 {
            return None;
        }
        arc = arc.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
        inside = byte & 0x80 != 0;
        if arc > u64::from(u32::MAX) {
            return None;
        }
        if !inside {
            arcs.push(arc);
            arc = 0;
        }
    }
    (!inside && *first < 80).then_some(arcs)
}

fn dotted(oid: &[u64]) -> String {
    oid.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}
