//! Requests for a certificate (PKCS#10, RFC 2986): the key, and the proof that its holder asks.
//!
//! What a request says about its subject counts for nothing, since the authority certifies whom it registered.
//! Ours are empty but for the key.

use rcgen::{CertificateParams, DistinguishedName};
use x509_parser::{certification_request::X509CertificationRequest, prelude::FromDer};

use super::{
    CertificateFault,
    der::value,
    issue::{Signer, unwritable},
};
use crate::crypto::signature::{KeyPair, PublicKey, Signature};

/// The longest request in bytes of DER.
pub const REQUEST_LIMIT: usize = 2048;

/// Makes the request of `key`, always the same bytes.
///
/// # Errors
/// None for any key; [`CertificateFault::BadSubject`] is passed on from the writer.
pub fn make(key: &KeyPair) -> Result<Vec<u8>, CertificateFault> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&Signer::new(key)).map_err(unwritable)?;
    Ok(request.der().to_vec())
}

/// Checks a request and gives the key in it, whose possession is then proven.
///
/// # Errors
/// [`CertificateFault::BadKey`] for anything but a request for an Ed25519 key that is not of small order,
/// signed with that key.
pub fn check(der: &[u8]) -> Result<PublicKey, CertificateFault> {
    if der.len() > REQUEST_LIMIT {
        return Err(CertificateFault::BadKey);
    }
    let (_, request) = X509CertificationRequest::from_der(der).map_err(|_| CertificateFault::BadKey)?;
    let info = &request.certification_request_info;
    let key = PublicKey::from_spki(info.subject_pki.raw).map_err(|_| CertificateFault::BadKey)?;
    let value = request.signature_value.data.as_ref();
    let signature = <[u8; 64]>::try_from(value).map_err(|_| CertificateFault::BadKey)?;
    if envelope(info.raw, &signature) != der {
        return Err(CertificateFault::BadKey);
    }
    key.verify(info.raw, &Signature::from_bytes(signature)).map_err(|_| CertificateFault::BadKey)?;
    Ok(key)
}

/// The one encoding of a request with this content and signature: the parser takes others as well.
fn envelope(info: &[u8], signature: &[u8; 64]) -> Vec<u8> {
    const MIDDLE: [u8; 10] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x41, 0x00];
    value(0x30, &[info, &MIDDLE, signature].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> KeyPair {
        KeyPair::from_seed(&[3; 32])
    }

    #[test]
    fn a_request_proves_the_key_and_is_the_same_every_time() {
        let request = make(&key()).unwrap();
        assert_eq!(check(&request), Ok(key().public()));
        assert_eq!(make(&key()), Ok(request));
    }

    #[test]
    fn no_byte_of_a_request_may_change() {
        let request = make(&key()).unwrap();
        for index in 0..request.len() {
            let mut changed = request.clone();
            changed[index] ^= 1;
            assert_eq!(check(&changed), Err(CertificateFault::BadKey), "{index}");
        }
        assert!(check(&[request.as_slice(), &[0]].concat()).is_err());
        assert!(check(&[0; REQUEST_LIMIT + 1]).is_err());
    }

    #[test]
    fn a_key_of_small_order_is_refused_even_with_a_signature_that_fits() {
        // With the neutral element as key, R = neutral element and S = 0 satisfy the equation for any message.
        let request = make(&key()).unwrap();
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let at = request.windows(32).position(|bytes| bytes == key().public().as_bytes()).unwrap();
        let mut forged = request;
        forged[at..at + 32].copy_from_slice(&neutral);
        let end = forged.len();
        forged[end - 64..].fill(0);
        forged[end - 64] = 1;
        assert_eq!(check(&forged), Err(CertificateFault::BadKey));
    }
}
