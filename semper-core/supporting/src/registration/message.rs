//! What wallet and authority say to each other in frames of the authority's kind (11).

use serde::{Deserialize, Serialize};

use super::{
    prk::{PrkId, PrkKey, same_mac},
    record::{Kind, Names},
};
use crate::{
    certificate::{Certificate, Crl, request::REQUEST_LIMIT, status::RevocationReason},
    crypto::{digest::Digest, signature::Kid},
    evidence::{Signable, SignedBytes, Statement},
    fault::{Blame, Fault, Standing},
    time::Moment,
    wire::{self, WireError},
};

/// The longest call in bytes.
pub const CALL_LIMIT: usize = 64 << 10;
/// The longest answer in bytes: a revocation list and its envelope.
pub const ANSWER_LIMIT: usize = 128 << 10;

/// What somebody asks of an authority.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Call {
    /// Begins a registration.
    RegBegin {
        /// Which one.
        prk_id: PrkId,
    },
    /// Proves the registration key and asks for the certificates.
    RegFinish(RegFinish),
    /// Asks for a revocation list.
    Crl {
        /// The certificate of the authority whose list it is, by its digest.
        issuer: Digest,
        /// The number of the list already held; 0 for none.
        since: u64,
    },
    /// Revokes the own certificates.
    RevokeOwn(SignedBytes),
}

/// The second half of a registration.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RegFinish {
    /// Which registration.
    pub prk_id: PrkId,
    /// What is asked.
    pub asked: Asked,
    /// The proof that the wallet knows the registration key.
    pub mac: [u8; 32],
}

/// What a registration asks for: one request for each certificate of its set, and the names.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Asked {
    /// The requests (PKCS#10), in the order of the set.
    pub requests: Vec<Vec<u8>>,
    /// The names as the applicant wrote them.
    pub names: Names,
}

/// The certificates of one registration, and those of the authorities above them, without the root.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CertificateSet {
    /// The certificates, in the order of the requests.
    pub certificates: Vec<Certificate>,
    /// The authorities between them and the root, the lowest first.
    pub chain: Vec<Certificate>,
}

/// What an authority answers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Answer {
    /// The nonce to be used within five minutes, once.
    Nonce([u8; 32]),
    /// The certificates, and the proof that this authority knows the registration key.
    Set {
        /// The certificates.
        set: CertificateSet,
        /// The proof over what was asked and what is given.
        mac2: [u8; 32],
    },
    /// The newest revocation list.
    Crl(Crl),
    /// There is no newer list than the one named.
    CrlUnchanged,
    /// The certificates are revoked.
    Revoked {
        /// From when on nobody should accept signatures by them.
        from: Moment,
    },
    /// The authority declines.
    Refused(Refusal),
}

/// Why an authority declines.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
pub enum Refusal {
    /// No registration with this key.
    #[error("The authority does not know this registration key.")]
    UnknownPrk,
    /// The nonce is older than five minutes, used, or of another session.
    #[error("The registration took too long and has to be begun again.")]
    Nonce,
    /// The names are not those that were registered.
    #[error("The names differ from those that were registered; {left} tries are left today.")]
    NameDiffers {
        /// How many more tries today allows.
        left: u8,
    },
    /// Too many wrong tries in a day.
    #[error("Too many wrong tries. The registration can go on after {until}.")]
    Locked {
        /// When the next try is possible.
        until: Moment,
    },
    /// The registration key is void.
    #[error("This registration key is no longer valid.")]
    Void,
    /// The one set of this registration was issued, for other keys.
    #[error("The certificates of this registration were issued on {at}; it gives only one set.")]
    AlreadyIssued {
        /// When it was issued.
        at: Moment,
        /// The last moment of its validity.
        until: Moment,
    },
    /// A request is not one, or its key cannot be certified.
    #[error("The keys cannot be certified.")]
    BadKey,
    /// The authority has no such list or certificate.
    #[error("The authority has issued nothing of the kind.")]
    NotOurs,
}

impl Fault for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownPrk => "ca.unknown-prk",
            Self::Nonce => "ca.nonce",
            Self::NameDiffers { .. } => "ca.name-differs",
            Self::Locked { .. } => "ca.locked",
            Self::Void => "ca.void",
            Self::AlreadyIssued { .. } => "ca.already-issued",
            Self::BadKey => "ca.bad-key",
            Self::NotOurs => "ca.not-ours",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::BadKey => Blame::Ourselves,
            Self::Nonce => Blame::Network,
            _ => Blame::User,
        }
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

impl Call {
    /// Reads a call from a frame's payload.
    ///
    /// # Errors
    /// [`WireError`], also for more or longer requests than any registration has.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let call: Self = wire::decode(bytes, CALL_LIMIT)?;
        if let Self::RegFinish(finish) = &call {
            let requests = &finish.asked.requests;
            if requests.len() > Kind::MOST_REQUESTS || requests.iter().any(|one| one.len() > REQUEST_LIMIT) {
                return Err(WireError::NotCanonical);
            }
        }
        Ok(call)
    }

    /// Writes the call as a frame's payload.
    ///
    /// # Errors
    /// [`WireError`] if it is too long.
    pub fn write(&self) -> Result<Vec<u8>, WireError> {
        wire::encode(self, CALL_LIMIT)
    }
}

impl Answer {
    /// Reads an answer from a frame's payload.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        wire::decode(bytes, ANSWER_LIMIT)
    }

    /// Writes the answer as a frame's payload.
    ///
    /// # Errors
    /// [`WireError`] if it is too long.
    pub fn write(&self) -> Result<Vec<u8>, WireError> {
        wire::encode(self, ANSWER_LIMIT)
    }

    /// The answer to somebody who holds list number `since` of an authority whose newest is `newest`.
    pub fn list(newest: &Crl, since: u64) -> Self {
        if newest.number() > since { Self::Crl(newest.clone()) } else { Self::CrlUnchanged }
    }

    /// The certificates with the proof over them.
    pub fn set(key: &PrkKey, asked: &Asked, set: CertificateSet) -> Self {
        let mac2 = key.mac2(&asked.digest(), &set.digest());
        Self::Set { set, mac2 }
    }
}

impl Asked {
    /// The digest that both proofs cover.
    pub fn digest(&self) -> Digest {
        let requests = self.requests.iter().map(Vec::as_slice);
        digest("semper-prk-asked/1", requests.chain(self.names.parts()))
    }
}

impl CertificateSet {
    /// The digest that the authority's proof covers.
    pub fn digest(&self) -> Digest {
        let both = self.certificates.iter().chain(&self.chain);
        let count = [u8::try_from(self.certificates.len()).unwrap_or(u8::MAX)];
        digest("semper-prk-given/1", std::iter::once(count.as_slice()).chain(both.map(Certificate::der)))
    }

    /// Whether `mac2` proves that the authority of `key` gave it to whom asked so.
    pub fn is_proven(&self, key: &PrkKey, asked: &Asked, mac2: &[u8; 32]) -> bool {
        same_mac(mac2, &key.mac2(&asked.digest(), &self.digest()))
    }
}

/// Pieces of any length, each behind its own, so that no two lists of pieces have one encoding.
fn digest<'a>(label: &'a str, pieces: impl Iterator<Item = &'a [u8]>) -> Digest {
    let mut bytes = label.as_bytes().to_vec();
    for piece in pieces {
        bytes.extend_from_slice(&(piece.len() as u64).to_be_bytes());
        bytes.extend_from_slice(piece);
    }
    Digest::of(&bytes)
}

/// What the user confirms before the wallet asks for certificates: who gives them, about whom, for which keys.
/// Nobody signs it; the requests that its permit allows prove the keys instead.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CertificateRequest {
    /// The root above the authority, by its digest.
    pub root: Digest,
    /// Which set is asked for.
    pub kind: Kind,
    /// The names that will be in the certificates.
    pub names: Names,
    /// The keys, in the order of the set.
    pub keys: Vec<Kid>,
    /// When the user asked, in whole seconds.
    pub at: Moment,
}

impl Statement for CertificateRequest {
    const TYPE: &'static str = "certificate-request";
}

/// The statement by which the owner revokes the set of certificates to which `cert` belongs.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RevokeOwn {
    /// Why.
    pub reason: RevocationReason,
    /// When the owner asked, in whole seconds.
    pub at: Moment,
    /// The key of the certificate with which the owner signs.
    pub signer: Kid,
    /// That certificate.
    pub cert: Digest,
}

impl Statement for RevokeOwn {
    const TYPE: &'static str = "revoke-own";
}

impl Signable for RevokeOwn {
    fn signer(&self) -> Kid {
        self.signer
    }
}
