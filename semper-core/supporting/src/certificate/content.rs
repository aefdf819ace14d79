//! What a certificate says, read strictly: the class decides what must and what may be in it.

use std::collections::BTreeSet;

use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer,
    x509::{X509Name, X509Version},
};

use super::{
    Certificate, CertificateFault,
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
    let serial = serial(parsed.raw_serial())?;
    let extensions = Extensions::read(&parsed)?;
    let class = extensions.class.ok_or_else(|| CertificateFault::profile("no class"))?;
    let rules = class.rules();
    if parsed.issuer_uid.is_some() || parsed.subject_uid.is_some() {
        return Err(CertificateFault::profile("unique identifiers"));
    }
    let key = PublicKey::from_spki(parsed.public_key().raw)
        .map_err(|_| CertificateFault::profile("no usable Ed25519 key"))?;
    let (from, until) = validity(&parsed, rules.validity)?;
    let mut subject = read_name(parsed.subject())?;
    subject.dns = extensions.dns;
    subject.business = extensions.business;
    subject.account = extensions.account;
    subject.also = extensions.roles.iter().copied().filter(|role| Some(*role) != rules.role).collect();
    subject.check(class).map_err(CertificateFault::profile)?;
    if subject.roles(class) != extensions.roles {
        return Err(CertificateFault::profile("without the role of its class"));
    }
    let uri = rules.key_uri.then(|| key_uri(&key));
    let facts = [
        (extensions.uri == uri, "subject name of another key"),
        (extensions.server == rules.server, "extended key usage serverAuth"),
        (extensions.client == rules.client, "extended key usage clientAuth"),
        (extensions.key_usage == Some(key_usage_bits(class)), "key usage"),
        (
            extensions.authority == Some((rules.authority, rules.path_length.map(u32::from))),
            "basic constraints",
        ),
    ];
    if let Some((_, what)) = facts.iter().find(|(holds, _)| !holds) {
        return Err(CertificateFault::profile(*what));
    }
    Ok(Content {
        class,
        key,
        subject,
        roles: extensions.roles,
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

/// The key usage of a class as bits, `digitalSignature` lowest (RFC 5280, 4.2.1.3).
fn key_usage_bits(class: Class) -> u16 {
    let rules = class.rules();
    u16::from(rules.digital_signature)
        | u16::from(rules.content_commitment) << 1
        | u16::from(rules.authority) << 5
        | u16::from(rules.authority) << 6
}

fn read_name(name: &X509Name<'_>) -> Result<Subject, CertificateFault> {
    let mut subject = Subject::default();
    let mut common_name = None;
    for relative in name.iter_rdn() {
        let mut attributes = relative.iter();
        let (Some(attribute), None) = (attributes.next(), attributes.next()) else {
            return Err(CertificateFault::profile("a name of several parts"));
        };
        let text = attribute.as_str().map_err(|_| CertificateFault::profile("a name that is no text"))?;
        let place = match attribute.attr_type().to_id_string().as_str() {
            "2.5.4.6" => &mut subject.country,
            "2.5.4.7" => &mut subject.locality,
            "2.5.4.10" => &mut subject.organisation,
            "2.5.4.3" => &mut common_name,
            _ => return Err(CertificateFault::profile("an unknown part of the name")),
        };
        if place.replace(text.to_owned()).is_some() {
            return Err(CertificateFault::profile("a part of the name twice"));
        }
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
    key_usage: Option<u16>,
    authority: Option<(bool, Option<u32>)>,
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
            match extension.parsed_extension() {
                ParsedExtension::KeyUsage(usage) if extension.critical => found.key_usage = Some(usage.flags),
                ParsedExtension::BasicConstraints(basic) if extension.critical => {
                    found.authority = Some((basic.ca, basic.path_len_constraint));
                }
                ParsedExtension::ExtendedKeyUsage(_) => found.purposes(extension.value)?,
                ParsedExtension::SubjectAlternativeName(names) => found.names(&names.general_names)?,
                ParsedExtension::SubjectKeyIdentifier(_) | ParsedExtension::AuthorityKeyIdentifier(_) => {}
                ParsedExtension::KeyUsage(_) | ParsedExtension::BasicConstraints(_) => {
                    return Err(CertificateFault::profile("key usage or basic constraints not critical"));
                }
                ParsedExtension::ParseError { .. } => {
                    return Err(CertificateFault::profile("an unreadable extension"));
                }
                ParsedExtension::NameConstraints(_) => {
                    return Err(CertificateFault::profile("name constraints"));
                }
                _ if extension.critical => {
                    return Err(CertificateFault::profile("unknown critical extension"));
                }
                _ => found.own(&extension.oid.to_id_string(), extension.value)?,
            }
        }
        Ok(found)
    }

    /// Reads an extension of ours; one of somebody else, which is not critical, says nothing to us.
    fn own(&mut self, oid: &str, der: &[u8]) -> Result<(), CertificateFault> {
        let is = |which: OwnExtension| dotted(&which.oid()) == oid;
        let bad = || CertificateFault::profile("an unreadable extension");
        if is(OwnExtension::Class) {
            let [number] = primitive(der, 0x02).ok_or_else(bad)? else { return Err(bad()) };
            self.class = Some(
                Class::from_number(*number).ok_or_else(|| CertificateFault::profile("an unknown class"))?,
            );
        } else if is(OwnExtension::Policy) {
            self.policy = Some(primitive_text(der).ok_or_else(bad)?.to_owned());
        } else if is(OwnExtension::BusinessKind) {
            let text = primitive_text(der).ok_or_else(bad)?;
            self.business = Some(BusinessKind::parse(text).ok_or_else(bad)?);
        } else if is(OwnExtension::Account) {
            let bytes = primitive(der, 0x04).and_then(|bytes| bytes.try_into().ok()).ok_or_else(bad)?;
            self.account = Some(Digest::from_bytes(bytes));
        }
        Ok(())
    }

    /// Reads the extended key usages from their DER: a SEQUENCE of identifiers, each once and known.
    fn purposes(&mut self, der: &[u8]) -> Result<(), CertificateFault> {
        let unknown = || CertificateFault::profile("an extended key usage that is not of its class");
        let mut rest = primitive(der, 0x30).ok_or_else(unknown)?;
        while let [0x06, length, after @ ..] = rest {
            let (oid, next) = after.split_at_checked(usize::from(*length)).ok_or_else(unknown)?;
            rest = next;
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

    fn names(&mut self, names: &[GeneralName<'_>]) -> Result<(), CertificateFault> {
        for name in names {
            match name {
                GeneralName::DNSName(host) => self.dns.push((*host).to_owned()),
                GeneralName::URI(uri) if self.uri.is_none() => self.uri = Some((*uri).to_owned()),
                _ => return Err(CertificateFault::profile("an alternative name that is not of its class")),
            }
        }
        Ok(())
    }
}

/// The content of a DER value of `tag`, if it is all there is and its length is in the short form, or in the
/// long form of one byte where that is needed.
fn primitive(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (length, content) = match der {
        [first, 0x81, length, content @ ..] if *first == tag && *length >= 0x80 => (length, content),
        [first, length, content @ ..] if *first == tag && *length < 0x80 => (length, content),
        _ => return None,
    };
    (content.len() == usize::from(*length)).then_some(content)
}

fn primitive_text(der: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(primitive(der, 0x0c)?).ok()?;
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
