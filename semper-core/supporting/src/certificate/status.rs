//! Revocation lists (CRL version 2, RFC 5280, 5): issued, read, kept from going back, and judged by age.
//!
//! An issuing authority publishes a list every six hours that says when the next one comes, a day later; a root
//! does so rarely. Numbers only grow, so that nobody can bring back a list from before a revocation.

use rcgen::{CertificateRevocationListParams, RevokedCertParams, SerialNumber};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use x509_parser::{prelude::FromDer, revocation_list::CertificateRevocationList};

use super::{
    Certificate, CertificateFault, Issuer,
    content::{ED25519_OID, inspect},
    issue::{Serial, unwritable, utc},
};
use crate::{
    crypto::signature::Signature,
    time::{Moment, Span},
};

/// The longest list in bytes of DER (about 3,000 entries): what fits one message of an authority.
pub const LIST_LIMIT: usize = 120 << 10;
/// How long an issuing authority lets a list stand: one day.
pub const LIST_VALIDITY: Span = Span::days(1);
/// How long a root lets a list stand.
pub const ROOT_LIST_VALIDITY: Span = Span::days(365);
/// The age up to which a list that is overdue still serves, with a notice.
pub const GRACE: Span = Span::days(7);

/// Why a certificate was revoked (RFC 5280, 5.3.1).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationReason {
    /// Nobody says.
    Unspecified,
    /// The key is lost, or somebody else may have it.
    KeyCompromise,
    /// What the certificate says is no longer so.
    AffiliationChanged,
    /// Another certificate took its place.
    Superseded,
    /// The subject has stopped doing what it was for.
    CessationOfOperation,
}

/// One entry of a list.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct RevokedEntry {
    /// The certificate, by its serial number.
    pub serial: Serial,
    /// From when on.
    pub at: Moment,
    /// Why.
    pub reason: RevocationReason,
}

/// How old the list is that a check rests on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum ListAge {
    /// The next one is not due yet.
    Current,
    /// The next one is overdue; serves for small sums, with a notice that says how many days old it is.
    Overdue {
        /// Its age in whole days.
        days: u64,
    },
}

/// A revocation list that was read; whose it is, its signature says ([`Crl::is_signed_by`]).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Crl {
    der: Vec<u8>,
    issuer: Vec<u8>,
    number: u64,
    this_update: Moment,
    next_update: Moment,
    entries: usize,
}

impl Issuer {
    /// Issues the list with `number`, which must be greater than that of every list before.
    ///
    /// # Errors
    /// [`CertificateFault::BadList`] if it would be longer than [`LIST_LIMIT`].
    pub fn issue_list(
        &self,
        number: u64,
        now: Moment,
        valid: Span,
        revoked: &[RevokedEntry],
    ) -> Result<Crl, CertificateFault> {
        let revoked_certs = revoked.iter().map(entry).collect::<Result<_, _>>()?;
        let list = CertificateRevocationListParams {
            this_update: utc(now)?,
            next_update: utc(now.after(valid))?,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        }
        .signed_by(&self.rcgen_issuer()?)
        .map_err(unwritable)?;
        Crl::from_der(list.der())
    }
}

fn entry(revoked: &RevokedEntry) -> Result<RevokedCertParams, CertificateFault> {
    use rcgen::RevocationReason as R;
    Ok(RevokedCertParams {
        serial_number: SerialNumber::from_slice(revoked.serial.as_bytes()),
        revocation_time: utc(revoked.at)?,
        reason_code: match revoked.reason {
            RevocationReason::Unspecified => None,
            RevocationReason::KeyCompromise => Some(R::KeyCompromise),
            RevocationReason::AffiliationChanged => Some(R::AffiliationChanged),
            RevocationReason::Superseded => Some(R::Superseded),
            RevocationReason::CessationOfOperation => Some(R::CessationOfOperation),
        },
        invalidity_date: None,
    })
}

impl Crl {
    /// Reads a list. Its signature is not checked here.
    ///
    /// # Errors
    /// [`CertificateFault::BadList`] if it is none of ours in form.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateFault> {
        if der.len() > LIST_LIMIT {
            return Err(CertificateFault::list("too long"));
        }
        let unreadable = || CertificateFault::list("unreadable");
        let (rest, list) = CertificateRevocationList::from_der(der).map_err(|_| unreadable())?;
        if !rest.is_empty() {
            return Err(unreadable());
        }
        if list.signature_algorithm.algorithm.to_id_string() != ED25519_OID {
            return Err(CertificateFault::list("not signed with Ed25519"));
        }
        let number = list.crl_number().and_then(|number| u64::try_from(number).ok());
        let moment = |time: x509_parser::time::ASN1Time| u64::try_from(time.timestamp()).ok();
        let next = list.next_update().ok_or_else(|| CertificateFault::list("without a next update"))?;
        let crl = Self {
            der: der.to_vec(),
            issuer: webpki_issuer(der)?,
            number: number.ok_or_else(|| CertificateFault::list("without a number"))?,
            this_update: Moment::from_seconds(moment(list.last_update()).ok_or_else(unreadable)?),
            next_update: Moment::from_seconds(moment(next).ok_or_else(unreadable)?),
            entries: list.iter_revoked_certificates().count(),
        };
        if crl.next_update < crl.this_update {
            return Err(CertificateFault::list("its next update is before itself"));
        }
        Ok(crl)
    }

    /// Its DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its PEM form, as `openssl` reads it.
    pub fn to_pem(&self) -> String {
        super::to_pem("X509 CRL", &self.der)
    }

    /// Its number, which only grows.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How many certificates it names.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// When it was made.
    pub fn this_update(&self) -> Moment {
        self.this_update
    }

    /// When the next one is due.
    pub fn next_update(&self) -> Moment {
        self.next_update
    }

    /// The content of the SEQUENCE that names its issuer.
    pub(super) fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// Whether `authority`, a certificate by the profile, names its issuer and certifies the key that signed it.
    pub fn is_signed_by(&self, authority: &Certificate) -> bool {
        let (Ok(content), Ok((_, list))) =
            (inspect(authority), CertificateRevocationList::from_der(&self.der))
        else {
            return false;
        };
        let signature = <[u8; 64]>::try_from(list.signature_value.data.as_ref());
        content.class.rules().authority
            && super::chain::raw_subject(authority).as_deref() == Some(self.issuer.as_slice())
            && signature.is_ok_and(|signature| {
                content.key.verify(list.tbs_cert_list.as_ref(), &Signature::from_bytes(signature)).is_ok()
            })
    }

    /// Takes the place of `held`, a list of the same authority.
    ///
    /// # Errors
    /// [`CertificateFault::ListRollback`] unless its number is greater, or it is the very list that is held.
    pub fn replace(self, held: &mut Self) -> Result<(), CertificateFault> {
        if self.number < held.number || (self.number == held.number && self != *held) {
            return Err(CertificateFault::ListRollback { held: held.number, offered: self.number });
        }
        *held = self;
        Ok(())
    }

    /// How old it is at `now`.
    ///
    /// # Errors
    /// [`CertificateFault::ListStale`] once the next one is overdue and it is itself older than [`GRACE`].
    pub fn age(&self, now: Moment) -> Result<ListAge, CertificateFault> {
        if now <= self.next_update {
            return Ok(ListAge::Current);
        }
        // A list that may stand for a year is not stale the day after: its grace begins when it ends.
        let counted = now.since(self.this_update.max(self.next_update.before(LIST_VALIDITY)));
        let days = counted.as_millis() / Span::days(1).as_millis();
        if counted > GRACE {
            Err(CertificateFault::ListStale { days })
        } else {
            Ok(ListAge::Overdue { days })
        }
    }

    /// The list as the path validation reads it.
    pub(super) fn for_webpki(&self) -> Result<webpki::CertRevocationList<'_>, CertificateFault> {
        webpki::BorrowedCertRevocationList::from_der(&self.der)
            .map(webpki::CertRevocationList::Borrowed)
            .map_err(|error| CertificateFault::list(error.to_string()))
    }
}

fn webpki_issuer(der: &[u8]) -> Result<Vec<u8>, CertificateFault> {
    let list = webpki::BorrowedCertRevocationList::from_der(der)
        .map_err(|error| CertificateFault::list(error.to_string()))?;
    Ok(webpki::CertRevocationList::Borrowed(list).issuer().to_vec())
}

impl Serialize for Crl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.der.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Crl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_der(&Vec::<u8>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
