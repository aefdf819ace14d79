//! The profile: which classes of certificates there are, and what each must and may contain.
//!
//! The rules are data ([`Class::rules`]); the issuer writes by them and the verifier checks by them, so that
//! they cannot drift apart. Pseudonym certificates are not among the classes: their issuer signs blindly, so
//! they are checked against a template of their own and number 10 stays theirs.

use std::{collections::BTreeSet, fmt};

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use unicode_normalization::is_nfc;

use crate::{
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    evidence::statement::is_plain,
    time::Span,
};

/// The base of every identifier of ours: the enterprise number that RFC 5612 reserves for documentation. Who
/// operates this for others asks IANA for a number and changes this one constant.
pub const SEMPER_OID: [u64; 7] = [1, 3, 6, 1, 4, 1, 32473];

/// Our extensions, all of them non-critical, below [`SEMPER_OID`].`2`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OwnExtension {
    /// The class, an INTEGER.
    Class,
    /// The policy under which the subject was registered, a UTF8String.
    Policy,
    /// Whether the subject deals as a consumer or as a business, a UTF8String.
    BusinessKind,
    /// The digest of a payment account, an OCTET STRING.
    Account,
}

/// What a certificate entitles its subject to be; an extended key usage below [`SEMPER_OID`].`1`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertRole {
    /// Buys, under a name or a pseudonym.
    Buyer,
    /// Sells.
    Merchant,
    /// Decides disputes and exchanges.
    Arbiter,
    /// Evaluates terms of business.
    Evaluator,
    /// Keeps accounts.
    Bank,
    /// Keeps a directory.
    Directory,
    /// Runs the service of a certification authority.
    CaService,
    /// Stamps times.
    TimeStamp,
    /// Payment by card.
    PayCard,
    /// Payment from an account.
    PayAccount,
    /// Accepts payments.
    PayMerchant,
    /// Passes payments on.
    PayGateway,
    /// Issues means of payment.
    PayIssuer,
    /// A bank in a payment system.
    PayBank,
    /// Issues electronic coins.
    PayMint,
    /// Carries payment documents.
    PayDoccarrier,
    /// A card device.
    PayCarddevice,
}

/// What a certificate is about to be used for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Usage {
    /// Checking signatures that bind its subject.
    Sign,
    /// Talking to it as a TLS server.
    TlsServer,
    /// Talking to it as a TLS client.
    TlsClient,
}

/// The classes of certificates, as extension `.2.1` numbers them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The key with which a person signs.
    PersonSign,
    /// The key with which a person's wallet opens connections.
    PersonAuth,
    /// A merchant.
    Merchant,
    /// An arbiter.
    Arbiter,
    /// An evaluator.
    Evaluator,
    /// A bank.
    Bank,
    /// A directory.
    Directory,
    /// The service of a certification authority.
    CaService,
    /// A time-stamping service.
    TimeStamp,
    /// Made by its own subject, for one deal.
    Anonymous,
    /// An authority that issues certificates.
    IssuingCa,
    /// The root of all trust.
    Root,
}

/// What certificates of one class contain.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether the subject carries a country.
    pub country: Need,
    /// Whether the subject carries a city.
    pub locality: Need,
    /// Whether the subject carries an organisation.
    pub organisation: Need,
    /// Whether names of hosts belong into it.
    pub dns: Need,
    /// Whether the URI that names its key belongs into it.
    pub key_uri: bool,
    /// Key usage `digitalSignature`.
    pub digital_signature: bool,
    /// Key usage `contentCommitment`.
    pub content_commitment: bool,
    /// Key usages `keyCertSign` and `cRLSign`, and basic constraint CA.
    pub authority: bool,
    /// The path length of an authority, where it is bounded.
    pub path_length: Option<u8>,
    /// Extended key usage `serverAuth`.
    pub server: bool,
    /// Extended key usage `clientAuth`.
    pub client: bool,
    /// The role it must carry.
    pub role: Option<CertRole>,
    /// The roles it may carry besides.
    pub also: &'static [CertRole],
    /// Whether the digest of a payment account may be in it.
    pub account: bool,
    /// How long it is valid.
    pub validity: Span,
}

/// Whether something belongs into a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    /// It must be there.
    Required,
    /// It may be there.
    Optional,
    /// It must not be there.
    Absent,
}

const PERSON: Rules = Rules {
    country: Need::Required,
    locality: Need::Required,
    organisation: Need::Optional,
    dns: Need::Absent,
    key_uri: true,
    digital_signature: false,
    content_commitment: false,
    authority: false,
    path_length: None,
    server: false,
    client: false,
    role: Some(CertRole::Buyer),
    also: &[],
    account: false,
    validity: Span::days(730),
};

const THIRD_PARTY: Rules = Rules {
    locality: Need::Absent,
    organisation: Need::Required,
    dns: Need::Required,
    key_uri: false,
    digital_signature: true,
    content_commitment: true,
    server: true,
    client: true,
    role: None,
    ..PERSON
};

const AUTHORITY: Rules = Rules {
    dns: Need::Absent,
    digital_signature: false,
    content_commitment: false,
    server: false,
    client: false,
    authority: true,
    ..THIRD_PARTY
};

impl Class {
    /// All classes, in the order of their numbers.
    pub const ALL: [Self; 12] = [
        Self::PersonSign,
        Self::PersonAuth,
        Self::Merchant,
        Self::Arbiter,
        Self::Evaluator,
        Self::Bank,
        Self::Directory,
        Self::CaService,
        Self::TimeStamp,
        Self::Anonymous,
        Self::IssuingCa,
        Self::Root,
    ];

    /// What certificates of this class contain.
    pub const fn rules(self) -> Rules {
        match self {
            Self::PersonSign => Rules { content_commitment: true, ..PERSON },
            Self::PersonAuth => Rules { digital_signature: true, client: true, ..PERSON },
            Self::Merchant => Rules {
                organisation: Need::Required,
                dns: Need::Required,
                digital_signature: true,
                content_commitment: true,
                server: true,
                client: true,
                role: Some(CertRole::Merchant),
                also: &[CertRole::PayMerchant],
                account: true,
                validity: Span::days(365),
                ..PERSON
            },
            Self::Arbiter => Rules { role: Some(CertRole::Arbiter), ..THIRD_PARTY },
            Self::Evaluator => Rules { role: Some(CertRole::Evaluator), ..THIRD_PARTY },
            Self::Bank => Rules {
                role: Some(CertRole::Bank),
                also: &[CertRole::PayBank, CertRole::PayGateway, CertRole::PayIssuer, CertRole::PayMint],
                account: true,
                ..THIRD_PARTY
            },
            Self::Directory => Rules { role: Some(CertRole::Directory), ..THIRD_PARTY },
            Self::CaService => Rules { role: Some(CertRole::CaService), ..THIRD_PARTY },
            Self::TimeStamp => Rules { role: Some(CertRole::TimeStamp), ..THIRD_PARTY },
            Self::Anonymous => Rules {
                country: Need::Absent,
                locality: Need::Absent,
                organisation: Need::Absent,
                key_uri: false,
                digital_signature: true,
                client: true,
                role: None,
                validity: Span::days(31),
                ..PERSON
            },
            Self::IssuingCa => Rules { path_length: Some(0), validity: Span::days(1825), ..AUTHORITY },
            Self::Root => Rules { validity: Span::days(7300), ..AUTHORITY },
        }
    }

    /// The number in extension `.2.1`.
    pub const fn number(self) -> u8 {
        match self {
            Self::PersonSign => 1,
            Self::PersonAuth => 2,
            Self::Merchant => 3,
            Self::Arbiter => 4,
            Self::Evaluator => 5,
            Self::Bank => 6,
            Self::Directory => 7,
            Self::CaService => 8,
            Self::TimeStamp => 9,
            Self::Anonymous => 11,
            Self::IssuingCa => 12,
            Self::Root => 13,
        }
    }

    /// The class of this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.number() == number)
    }
}

impl Rules {
    /// Whether a certificate by these rules may be used so.
    pub fn allow(&self, usage: Usage) -> bool {
        match usage {
            Usage::Sign => self.content_commitment,
            Usage::TlsServer => self.digital_signature && self.server,
            Usage::TlsClient => self.digital_signature && self.client,
        }
    }
}

impl CertRole {
    /// All roles.
    pub const ALL: [Self; 17] = [
        Self::Buyer,
        Self::Merchant,
        Self::Arbiter,
        Self::Evaluator,
        Self::Bank,
        Self::Directory,
        Self::CaService,
        Self::TimeStamp,
        Self::PayCard,
        Self::PayAccount,
        Self::PayMerchant,
        Self::PayGateway,
        Self::PayIssuer,
        Self::PayBank,
        Self::PayMint,
        Self::PayDoccarrier,
        Self::PayCarddevice,
    ];

    /// The last arc of its identifier.
    const fn arc(self) -> u64 {
        match self {
            Self::Buyer => 1,
            Self::Merchant => 2,
            Self::Arbiter => 3,
            Self::Evaluator => 4,
            Self::Bank => 5,
            Self::Directory => 6,
            Self::CaService => 7,
            Self::TimeStamp => 8,
            Self::PayCard => 16,
            Self::PayAccount => 17,
            Self::PayMerchant => 18,
            Self::PayGateway => 19,
            Self::PayIssuer => 20,
            Self::PayBank => 21,
            Self::PayMint => 22,
            Self::PayDoccarrier => 23,
            Self::PayCarddevice => 24,
        }
    }

    /// Its identifier, the object identifier of an extended key usage.
    pub fn oid(self) -> Vec<u64> {
        below([1, self.arc()])
    }

    /// The role of this identifier.
    pub fn from_oid(oid: &[u64]) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.oid() == oid)
    }
}

impl OwnExtension {
    /// Its object identifier.
    pub fn oid(self) -> Vec<u64> {
        below([
            2,
            match self {
                Self::Class => 1,
                Self::Policy => 2,
                Self::BusinessKind => 3,
                Self::Account => 4,
            },
        ])
    }
}

fn below(arcs: [u64; 2]) -> Vec<u64> {
    SEMPER_OID.into_iter().chain(arcs).collect()
}

impl fmt::Display for CertRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Buyer => "buyer",
            Self::Merchant => "merchant",
            Self::Arbiter => "arbiter",
            Self::Evaluator => "evaluator",
            Self::Bank => "bank",
            Self::Directory => "directory",
            Self::CaService => "ca-service",
            Self::TimeStamp => "time-stamp",
            Self::PayCard => "pay.card",
            Self::PayAccount => "pay.account",
            Self::PayMerchant => "pay.merchant",
            Self::PayGateway => "pay.gateway",
            Self::PayIssuer => "pay.issuer",
            Self::PayBank => "pay.bank",
            Self::PayMint => "pay.mint",
            Self::PayDoccarrier => "pay.doccarrier",
            Self::PayCarddevice => "pay.carddevice",
        })
    }
}

/// Whether a subject deals as a consumer or as a business.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BusinessKind {
    /// A consumer.
    Consumer,
    /// A business.
    Business,
}

impl BusinessKind {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Business => "business",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Consumer, Self::Business].into_iter().find(|kind| kind.text() == text)
    }
}

/// Whom a certificate is about.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Subject {
    /// The country, two capital letters (ISO 3166-1).
    pub country: Option<String>,
    /// The city.
    pub locality: Option<String>,
    /// The organisation.
    pub organisation: Option<String>,
    /// The name.
    pub common_name: String,
    /// The names of its hosts, in lower case, none with a wildcard.
    pub dns: Vec<String>,
    /// Consumer or business, where that is known.
    pub business: Option<BusinessKind>,
    /// The digest of its payment account, where it has one.
    pub account: Option<Digest>,
    /// Roles besides the one of its class.
    pub also: BTreeSet<CertRole>,
}

/// The most host names in one certificate.
const DNS_LIMIT: usize = 8;

impl Subject {
    /// The subject of every self-made certificate.
    pub fn anonymous() -> Self {
        Self { common_name: "anonymous".to_owned(), ..Self::default() }
    }

    /// Checks it against the rules of `class`.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub fn check(&self, class: Class) -> Result<(), String> {
        let rules = class.rules();
        need("country", rules.country, self.country.is_some())?;
        need("city", rules.locality, self.locality.is_some())?;
        need("organisation", rules.organisation, self.organisation.is_some())?;
        need("host name", rules.dns, !self.dns.is_empty())?;
        if self.country.as_deref().is_some_and(|c| c.len() != 2 || !c.bytes().all(|b| b.is_ascii_uppercase()))
        {
            return Err("country is not two capital letters".to_owned());
        }
        for (what, text) in [
            ("city", self.locality.as_deref()),
            ("organisation", self.organisation.as_deref()),
            ("name", Some(self.common_name.as_str())),
        ] {
            if text.is_some_and(|text| !is_name(text)) {
                return Err(format!("{what} is empty, too long or not plain text"));
            }
        }
        if class == Class::Anonymous && self.common_name != "anonymous" {
            return Err("an anonymous subject has a name".to_owned());
        }
        if self.dns.len() > DNS_LIMIT {
            return Err("too many host names".to_owned());
        }
        self.dns.iter().try_for_each(|name| check_host(name))?;
        if self.account.is_some() && !rules.account {
            return Err("payment account".to_owned());
        }
        if !self.also.iter().all(|role| rules.also.contains(role)) {
            return Err("a role that is not of its class".to_owned());
        }
        Ok(())
    }

    /// All roles of a certificate of `class` for this subject.
    pub fn roles(&self, class: Class) -> BTreeSet<CertRole> {
        class.rules().role.into_iter().chain(self.also.iter().copied()).collect()
    }
}

fn need(what: &str, need: Need, there: bool) -> Result<(), String> {
    match (need, there) {
        (Need::Required, false) => Err(format!("no {what}")),
        (Need::Absent, true) => Err(format!("a {what}, which is not of its class")),
        _ => Ok(()),
    }
}

/// Whether `text` may stand in a name: plain, in normalisation form C, at most 64 characters (X.520).
fn is_name(text: &str) -> bool {
    is_plain(text) && is_nfc(text) && text.chars().count() <= 64
}

/// Checks a host name: letters, digits and hyphens in lower case, labels of at most 63, 253 in all.
fn check_host(name: &str) -> Result<(), String> {
    if name.contains('*') {
        return Err("wildcard".to_owned());
    }
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let numeric = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if name.len() > 253 || !name.split('.').all(label) || numeric {
        return Err("not the name of a host in lower case".to_owned());
    }
    Ok(())
}

/// The URI that names the key of a person or a merchant, independent of any certificate.
pub fn key_uri(key: &PublicKey) -> String {
    uri_of(key.kid())
}

fn uri_of(kid: Kid) -> String {
    format!("semper-id:{}", BASE32_NOPAD.encode(kid.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_number_of_its_own_and_10_is_nobodys() {
        let numbers: BTreeSet<_> = Class::ALL.iter().map(|class| class.number()).collect();
        assert_eq!(numbers.len(), Class::ALL.len());
        assert!(!numbers.contains(&10));
        for class in Class::ALL {
            assert_eq!(Class::from_number(class.number()), Some(class));
        }
    }

    #[test]
    fn every_role_is_found_by_its_identifier() {
        for role in CertRole::ALL {
            assert_eq!(CertRole::from_oid(&role.oid()), Some(role));
        }
        assert_eq!(CertRole::from_oid(&SEMPER_OID), None);
    }

    #[test]
    fn names_of_hosts_are_plain_ones() {
        for good in ["fogra.example", "localhost", "a-1.b", "xn--bcher-kva.example"] {
            assert_eq!(check_host(good), Ok(()), "{good}");
        }
        for bad in ["", "*.example", "Fogra.example", "a..b", "-a.b", "a_b", "127.0.0.1", "a.b.", "ü.example"]
        {
            assert!(check_host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_subject_has_what_its_class_needs_and_nothing_else() {
        let person = Subject {
            country: Some("DE".into()),
            locality: Some("Darmstadt".into()),
            common_name: "Ada Weber".into(),
            ..Subject::default()
        };
        assert_eq!(person.check(Class::PersonSign), Ok(()));
        assert!(person.check(Class::Merchant).is_err());
        assert!(
            Subject { dns: vec!["a.example".into()], ..person.clone() }.check(Class::PersonSign).is_err()
        );
        assert!(Subject { country: Some("de".into()), ..person.clone() }.check(Class::PersonSign).is_err());
        assert!(
            Subject { common_name: "a\u{202e}b".into(), ..person.clone() }.check(Class::PersonSign).is_err()
        );
        let also = BTreeSet::from([CertRole::Arbiter]);
        assert!(Subject { also, ..person }.check(Class::PersonSign).is_err());
    }
}
