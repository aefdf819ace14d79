//! A daemon's standing with its certification authority: registered once by its operator's letter, and
//! kept up to date with the authority's revocation lists.

use semper_comm_tls::Clock;
use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject as Who, decide},
    archive::Store,
    certificate::{Certificate, CertificateFault, Subject},
    comm::address::{Endpoint, Surroundings},
    crypto::keys::{KeyPurpose, KeyRef},
    registration::{
        message::CertificateRequest,
        prk::{Prk, PrkFault},
        record::{Kind, Names},
    },
};

use crate::{
    Keyring, KeyringError, Papers, chance,
    enrol::{EnrolError, Enrolment, Letter},
};

/// How a daemon that is no authority gets its certificates.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The root certificate, as PEM, got from a source the operator trusts.
    pub root: String,
    /// The letter, or the registration key in it.
    pub letter: String,
}

/// The daemon as a member: what it needs to talk to its authority.
#[derive(Debug)]
pub struct Membership<'a, S> {
    /// Where it keeps its keys and papers.
    pub store: &'a S,
    /// Its keys.
    pub keys: &'a Keyring,
    /// The subject of everything it does by its operator's configuration.
    pub operator: Who,
    /// Where the authority is.
    pub authority: Endpoint,
    /// Whether addresses inside the own network are called.
    pub surroundings: Surroundings,
}

/// Why a daemon is not registered, or has no newer lists.
#[derive(Debug, thiserror::Error)]
pub enum MembershipError {
    /// The conversation with the authority.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The root certificate.
    #[error("the root certificate: {0}")]
    Root(#[from] CertificateFault),
    /// The registration key.
    #[error("the registration key: {0}")]
    Prk(#[from] PrkFault),
    /// The keys.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// Access control refuses.
    #[error("not allowed: {0}")]
    Denied(String),
}

impl<S: Store> Membership<'_, S> {
    /// Registers `key` for `subject`, or goes on with the registration that was begun, and fetches the lists.
    ///
    /// # Errors
    /// [`MembershipError`]; what was settled with the authority stays settled.
    pub async fn register(
        &self,
        key: KeyRef,
        subject: Subject,
        kind: Kind,
        registration: &Registration,
        papers: &mut Papers,
    ) -> Result<(), MembershipError> {
        let root = Certificate::from_pem(&registration.root)?;
        let now = chance::now();
        let asked = CertificateRequest {
            root: root.digest(),
            kind,
            names: Names::of(&subject),
            keys: vec![key.kid()],
            at: now.whole_seconds(),
        };
        let facts = Facts { circumstances: &[Circumstance::FirstStart], ..Facts::default() };
        let object = Object::with(&asked, facts);
        let permit = match decide(&self.operator, Action::Register, &object, None, &Limits::default(), now) {
            Decision::Allow(permit) => permit,
            Decision::Ask(_) => return Err(MembershipError::Denied("a person has to be asked".into())),
            Decision::Deny(why) => return Err(MembershipError::Denied(why.to_string())),
        };
        let requests = self.keys.requests(permit, now)?;
        let letter = Letter {
            address: self.authority.clone(),
            root,
            prk: Prk::parse(key_in(&registration.letter))?,
            names: Names::of(&subject),
            kind,
            dns: subject.dns,
        };
        self.enrolment().await?.run(letter, requests, papers, chance::now).await?;
        self.renew_lists(papers).await
    }

    /// Fetches the newest revocation lists.
    ///
    /// # Errors
    /// [`MembershipError`]; the lists held stay in force.
    pub async fn renew_lists(&self, papers: &mut Papers) -> Result<(), MembershipError> {
        Ok(self.enrolment().await?.fetch_lists(&self.authority, papers, chance::now).await?)
    }

    async fn enrolment(&self) -> Result<Enrolment<'_, S>, MembershipError> {
        let anonymous = self.keys.one(self.store, &self.operator, KeyPurpose::Deal, chance::now()).await?;
        Ok(Enrolment {
            store: self.store,
            keys: self.keys,
            anonymous,
            surroundings: self.surroundings,
            clock: Clock::system(),
            progress: None,
        })
    }
}

/// The registration key in a letter, or the text itself.
fn key_in(letter: &str) -> &str {
    let line = letter.lines().find_map(|line| line.trim().strip_prefix("Registration key"));
    line.unwrap_or(letter).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_found_in_a_letter_and_taken_as_it_is_without_one() {
        let letter = "Dear Sir or Madam\n\n  Registration key   AAAA-BBBB-CCCC-DDDD\nbye\n";
        assert_eq!(key_in(letter), "AAAA-BBBB-CCCC-DDDD");
        assert_eq!(key_in(" AAAA-BBBB-CCCC-DDDD\n"), "AAAA-BBBB-CCCC-DDDD");
    }
}
