//! One run of an exchange: its name, its parties and their keys, and the checks that tie a message to it.

use std::collections::{BTreeMap, BTreeSet};

use semper_supporting::{
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    deal::{DealId, Xid},
    machine::Refused,
    party::Role,
    time::Moment,
};
use serde::{Deserialize, Serialize};

use crate::message::{Common, Draft, Spoken};

/// The keys of the certificates in play, as whoever verified their chains hands them over.
///
/// A machine never sees a certificate: it sees that this digest speaks with this key.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Keys(BTreeMap<Digest, PublicKey>);

impl Keys {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the key of a certificate, named by SHA-256 of its DER, whose chain was verified.
    #[must_use]
    pub fn with(mut self, certificate: Digest, key: PublicKey) -> Self {
        self.0.insert(certificate, key);
        self
    }

    /// The key of this certificate.
    pub fn of(&self, certificate: &Digest) -> Option<&PublicKey> {
        self.0.get(certificate)
    }
}

/// What is fixed about a run before OFFER: who takes part, under which name.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Run {
    /// Its name.
    pub xid: Xid,
    /// The deal it belongs to.
    pub deal: DealId,
    /// The originator's certificate and key.
    pub originator: Speaker,
    /// The responder's certificate and key.
    pub responder: Speaker,
    /// The third party's certificate and key; absent where there is none.
    pub third_party: Option<Speaker>,
}

/// A certificate, and the key it certifies.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Speaker {
    /// SHA-256 of the certificate's DER.
    pub certificate: Digest,
    /// The key it certifies.
    pub kid: Kid,
}

impl Run {
    /// Who speaks in `role`.
    pub fn speaker(&self, role: Role) -> Option<Speaker> {
        match role {
            Role::Originator => Some(self.originator),
            Role::Responder => Some(self.responder),
            Role::ThirdParty => self.third_party,
            Role::Authority | Role::Signer(_) | Role::Everybody => None,
        }
    }

    /// The common lines of a message in this run; nothing if `from` does not take part in it.
    pub fn common(
        &self,
        from: Role,
        to: Role,
        agr: Option<Digest>,
        prev: Option<Digest>,
        at: Moment,
    ) -> Option<Common> {
        Some(Common {
            xid: Some(self.xid),
            deal: self.deal,
            from,
            to,
            cert_o: self.originator.certificate,
            cert_r: self.responder.certificate,
            cert_t: self.third_party.map(|t| t.certificate),
            agr,
            prev,
            at: at.whole_seconds(),
            signer: self.speaker(from)?.kid,
        })
    }

    /// Whether a message belongs to this run and is from `from` to `to`: acceptance checks K3 and K4.
    pub fn is_of(&self, common: &Common, from: Role, to: Role, agr: Option<Digest>) -> bool {
        common.xid == Some(self.xid)
            && common.deal == self.deal
            && common.cert_o == self.originator.certificate
            && common.cert_r == self.responder.certificate
            && common.cert_t == self.third_party.map(|t| t.certificate)
            && common.agr == agr
            && common.from == from
            && (common.to == to || common.to == Role::Everybody)
            && self.speaker(from).is_some_and(|speaker| speaker.kid == common.signer)
    }
}

/// The messages of a run by their digests: what a party has said and what it has accepted.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Log {
    said: BTreeSet<Digest>,
    heard: BTreeSet<Digest>,
}

impl Log {
    /// Notes a message of our own.
    pub fn say(&mut self, draft: &Draft) {
        self.said.insert(draft.digest());
    }

    /// Notes the digest of a message of our own.
    pub fn say_digest(&mut self, digest: Digest) {
        self.said.insert(digest);
    }

    /// Notes a message we accept.
    ///
    /// # Errors
    /// [`Refused::Repeated`] if it was accepted before, [`Refused::Mismatch`] if it answers nothing we know
    /// (acceptance check K5).
    pub fn hear(&mut self, message: &impl Spoken, digest: Digest) -> Result<(), Refused> {
        if self.heard.contains(&digest) {
            return Err(Refused::Repeated);
        }
        if !message.common().prev.is_none_or(|prev| self.said.contains(&prev) || self.heard.contains(&prev)) {
            return Err(Refused::Mismatch);
        }
        self.heard.insert(digest);
        Ok(())
    }

    /// Whether this message was accepted before.
    pub fn has_heard(&self, digest: &Digest) -> bool {
        self.heard.contains(digest)
    }

    /// Whether this is a message of our own.
    pub fn has_said(&self, digest: &Digest) -> bool {
        self.said.contains(digest)
    }

    /// Every message received and accepted, in the order of their digests.
    pub fn seen(&self) -> Vec<Digest> {
        self.heard.iter().copied().collect()
    }
}
