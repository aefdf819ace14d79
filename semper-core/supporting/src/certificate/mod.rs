//! Certificates: what they may say, who issues them, which chain is believed, and what is revoked.
//!
//! X.509 version 3 (RFC 5280) with Ed25519 keys (RFC 8410) throughout. `rcgen` writes, `rustls-webpki`
//! validates paths, and on top of both the rules of the profile decide: a certificate of ours is one of a
//! few classes, and whatever its class does not allow makes it refused.

pub mod chain;
pub mod content;
mod der;
pub mod fault;
pub mod issue;
pub mod profile;
pub mod request;
pub mod status;
pub mod words;

use std::fmt;

use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::crypto::digest::Digest;
pub use chain::{TrustSnapshot, VerifiedCertificate};
pub use content::{Content, inspect};
pub use fault::CertificateFault;
pub use issue::{Issuance, Issuer, Serial};
pub use profile::{CertRole, Class, Subject, Usage};
pub use status::{Crl, ListAge};

/// The longest certificate in bytes of DER.
pub const CERTIFICATE_LIMIT: usize = 4096;
/// The longest chain, root included.
pub const CHAIN_LIMIT: usize = 3;

/// The DER of a certificate, not longer than [`CERTIFICATE_LIMIT`] and otherwise unchecked: what it says is
/// believed only as a [`VerifiedCertificate`].
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Certificate(Vec<u8>);

impl Certificate {
    /// The certificate of these bytes.
    ///
    /// # Errors
    /// [`CertificateFault::Profile`] if they are too long.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateFault> {
        if der.len() > CERTIFICATE_LIMIT {
            return Err(CertificateFault::profile("longer than 4 KiB"));
        }
        Ok(Self(der.to_vec()))
    }

    /// Its DER.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// The digest that names this very certificate in statements: SHA-256 of its DER.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }

    /// Its PEM form (RFC 7468), as `openssl` reads it.
    pub fn to_pem(&self) -> String {
        to_pem("CERTIFICATE", &self.0)
    }

    /// All certificates of a PEM text, in order; what stands outside of their frames is ignored.
    ///
    /// # Errors
    /// [`CertificateFault::Profile`] if a frame is broken, or there are more than `limit` of them.
    pub fn all_from_pem(text: &str, limit: usize) -> Result<Vec<Self>, CertificateFault> {
        let bodies = from_pem("CERTIFICATE", text, limit)?;
        bodies.iter().map(|der| Self::from_der(der)).collect()
    }

    /// The one certificate of a PEM text.
    ///
    /// # Errors
    /// [`CertificateFault::Profile`] if there is none or more than one.
    pub fn from_pem(text: &str) -> Result<Self, CertificateFault> {
        match <[Self; 1]>::try_from(Self::all_from_pem(text, 1)?) {
            Ok([one]) => Ok(one),
            Err(_) => Err(CertificateFault::profile("no certificate in this text")),
        }
    }
}

/// Writes `der` between the lines that name it `label` (RFC 7468, 2).
pub fn to_pem(label: &str, der: &[u8]) -> String {
    let body = BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// Reads every frame named `label`, at most `limit` of them.
fn from_pem(label: &str, text: &str, limit: usize) -> Result<Vec<Vec<u8>>, CertificateFault> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let broken = || CertificateFault::profile("a broken PEM frame");
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim_end);
    while lines.by_ref().any(|line| line == begin) {
        if found.len() == limit {
            return Err(CertificateFault::profile("more certificates than belong here"));
        }
        let mut body = String::new();
        loop {
            let line = lines.next().ok_or_else(broken)?;
            if line == end {
                break;
            }
            if body.len() > 2 * CERTIFICATE_LIMIT {
                return Err(CertificateFault::profile("longer than 4 KiB"));
            }
            body.push_str(line);
        }
        found.push(BASE64.decode(body.as_bytes()).map_err(|_| broken())?);
    }
    Ok(found)
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.digest())
    }
}

impl Serialize for Certificate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Certificate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_der(&Vec::<u8>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_gives_back_what_it_was_made_of() {
        for length in [0, 1, 47, 48, 49, 300] {
            let der = vec![0xa5; length];
            let certificate = Certificate::from_der(&der).unwrap();
            assert_eq!(Certificate::from_pem(&certificate.to_pem()), Ok(certificate));
        }
    }

    #[test]
    fn a_broken_frame_a_second_and_a_long_one_are_refused() {
        let one = Certificate::from_der(&[1, 2, 3]).unwrap().to_pem();
        assert!(Certificate::from_pem(&one.replace("-----END", "----END")).is_err());
        assert!(Certificate::from_pem(&format!("{one}{one}")).is_err());
        assert_eq!(Certificate::all_from_pem(&format!("{one}{one}"), 2).map(|all| all.len()), Ok(2));
        assert!(Certificate::from_pem("nothing").is_err());
        let long = to_pem("CERTIFICATE", &[0; CERTIFICATE_LIMIT + 1]);
        assert!(Certificate::from_pem(&long).is_err());
    }
}
