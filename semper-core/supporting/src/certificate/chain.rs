//! Which certificates are believed: the profile, a path to a trusted root, nothing revoked, the right role.
//!
//! Four checks, each of which alone can refuse. The profile ([`inspect`]) admits only what the class of the
//! certificate allows. `webpki` builds the path, checks signatures, validity and revocation lists. Then every
//! authority on the path must itself be one by the profile. Last, the very role that is needed must be there:
//! a shop with a perfect chain is still no bank.

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use serde::{Deserialize, Serialize};
use webpki::{EndEntityCert, anchor_from_trusted_cert};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use super::{
    CHAIN_LIMIT, Certificate, CertificateFault,
    content::{Content, inspect, key_id},
    profile::{CertRole, Class, Subject, Usage},
    status::{Crl, ListAge},
};
use crate::{
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey, Signature},
    },
    time::Moment,
};

/// What a party trusts at one moment: roots, authorities below them, and their newest revocation lists.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct TrustSnapshot {
    /// The roots, each accepted by the user or by the operator.
    pub roots: Vec<Certificate>,
    /// Issuing authorities, so that a peer need not send them.
    pub intermediates: Vec<Certificate>,
    /// The newest revocation list of each authority.
    pub crls: Vec<Crl>,
    /// When the lists were fetched last.
    pub fetched_at: Moment,
}

/// A certificate that a chain of right signatures ties to a trusted root, with what it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedCertificate {
    certificate: Certificate,
    content: Content,
    list: Option<ListAge>,
}

impl TrustSnapshot {
    /// Verifies `chain`, the certificate in question first, for `role` and `usage` at `now`.
    ///
    /// # Errors
    /// The first reason to refuse it, as [`CertificateFault`].
    pub fn verify(
        &self,
        chain: &[Certificate],
        role: CertRole,
        usage: Usage,
        now: Moment,
    ) -> Result<VerifiedCertificate, CertificateFault> {
        let verified = self.verify_any(chain, usage, now)?;
        if !verified.content.roles.contains(&role) {
            return Err(CertificateFault::WrongRole { expected: role });
        }
        Ok(verified)
    }

    /// Verifies `chain` for `usage` at `now`, whatever its role: for servers, which learn from the certificate
    /// who is there. An anonymous one, which its subject made, passes with the class [`Class::Anonymous`].
    ///
    /// # Errors
    /// The first reason to refuse it, as [`CertificateFault`].
    pub fn verify_any(
        &self,
        chain: &[Certificate],
        usage: Usage,
        now: Moment,
    ) -> Result<VerifiedCertificate, CertificateFault> {
        let (leaf, content) = first(chain, usage)?;
        if content.class == Class::Anonymous {
            return verify_anonymous(leaf, content, chain, now);
        }
        let list = self.path(leaf, chain, now, Revocation::Checked)?;
        Ok(VerifiedCertificate { certificate: leaf.clone(), content, list })
    }

    /// Verifies `chain` without any revocation list: for the first contact with an authority whose root the
    /// user has just confirmed, from which the lists are then fetched. Never for a business with anybody.
    ///
    /// # Errors
    /// The first reason to refuse it, as [`CertificateFault`].
    pub fn verify_first_contact(
        &self,
        chain: &[Certificate],
        role: CertRole,
        usage: Usage,
        now: Moment,
    ) -> Result<VerifiedCertificate, CertificateFault> {
        let (leaf, content) = first(chain, usage)?;
        self.path(leaf, chain, now, Revocation::Unchecked)?;
        if !content.roles.contains(&role) {
            return Err(CertificateFault::WrongRole { expected: role });
        }
        Ok(VerifiedCertificate { certificate: leaf.clone(), content, list: None })
    }

    /// Takes a revocation list in place of an older one of the same authority, which must be known here.
    ///
    /// # Errors
    /// [`CertificateFault::BadList`] unless a known authority signed it, [`CertificateFault::ListRollback`] if
    /// it is not newer than the one held; the one held stays.
    pub fn accept_list(&mut self, offered: Crl, now: Moment) -> Result<(), CertificateFault> {
        let authority = self
            .roots
            .iter()
            .chain(&self.intermediates)
            .find(|authority| offered.is_signed_by(authority))
            .ok_or_else(|| CertificateFault::list("signed by nobody known here"))?;
        if self.intermediates.contains(authority) {
            self.path_of_authority(authority, now)?;
        }
        let held = self.crls.iter().position(|held| held.issuer() == offered.issuer());
        match held.and_then(|index| self.crls.get_mut(index)) {
            Some(held) => offered.replace(held)?,
            None => self.crls.push(offered),
        }
        self.fetched_at = self.fetched_at.max(now);
        Ok(())
    }

    /// Adds an issuing authority that stands below one of the roots.
    ///
    /// # Errors
    /// [`CertificateFault`] if it is none.
    pub fn accept_authority(&mut self, authority: Certificate, now: Moment) -> Result<(), CertificateFault> {
        if inspect(&authority)?.class != Class::IssuingCa {
            return Err(CertificateFault::profile("not the certificate of an authority"));
        }
        self.path_of_authority(&authority, now)?;
        if !self.intermediates.contains(&authority) {
            self.intermediates.push(authority);
        }
        Ok(())
    }

    /// An authority is never the end of a path for `webpki`, so its one link to a root is checked here.
    fn path_of_authority(&self, authority: &Certificate, now: Moment) -> Result<(), CertificateFault> {
        let content = inspect(authority)?;
        in_time(&content, now)?;
        let stands = self.roots.iter().any(|root| {
            inspect(root).is_ok_and(|found| {
                found.class == Class::Root
                    && in_time(&found, now).is_ok()
                    && is_key_of(&content, &found).is_ok()
                    && is_signed_by(authority, root)
            })
        });
        stands.then_some(()).ok_or_else(|| CertificateFault::Untrusted { what: "unknown root".to_owned() })
    }

    fn path(
        &self,
        leaf: &Certificate,
        chain: &[Certificate],
        now: Moment,
        revocation: Revocation,
    ) -> Result<Option<ListAge>, CertificateFault> {
        let roots: Vec<_> = self.roots.iter().map(|root| CertificateDer::from(root.der())).collect();
        let anchors: Vec<_> = roots.iter().filter_map(|root| anchor_from_trusted_cert(root).ok()).collect();
        let between: Vec<_> = chain
            .iter()
            .skip(1)
            .chain(&self.intermediates)
            .map(|certificate| CertificateDer::from(certificate.der()))
            .collect();
        let lists: Vec<_> = self.crls.iter().filter_map(|list| list.for_webpki().ok()).collect();
        let lists: Vec<_> = lists.iter().collect();
        let checks = match revocation {
            Revocation::Unchecked => None,
            Revocation::Checked => Some(
                webpki::RevocationOptionsBuilder::new(&lists)
                    .map_err(|_| CertificateFault::ListMissing)?
                    .with_depth(webpki::RevocationCheckDepth::Chain)
                    .with_status_policy(webpki::UnknownStatusPolicy::Deny)
                    .with_expiration_policy(webpki::ExpirationPolicy::Ignore)
                    .build(),
            ),
        };
        let der = CertificateDer::from(leaf.der());
        let end = EndEntityCert::try_from(&der).map_err(|error| self.fault(leaf, chain, now, &error))?;
        let path = end
            .verify_for_usage(
                &[webpki::aws_lc_rs::ED25519],
                &anchors,
                &between,
                UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.seconds())),
                AnyPurpose,
                checks,
                None,
            )
            .map_err(|error| self.fault(leaf, chain, now, &error))?;
        let mut issuers = vec![path.end_entity().issuer().to_vec()];
        let mut below = inspect(leaf)?;
        for authority in path.intermediate_certificates() {
            let content = inspect(&Certificate::from_der(authority.der().as_ref())?)?;
            if content.class != Class::IssuingCa {
                return Err(CertificateFault::profile("issued by somebody who is no authority"));
            }
            is_key_of(&below, &content)?;
            below = content;
            issuers.push(authority.issuer().to_vec());
        }
        if issuers.len() >= CHAIN_LIMIT {
            return Err(CertificateFault::profile("chain longer than 3"));
        }
        self.check_root(path.anchor(), &below, now)?;
        match revocation {
            Revocation::Unchecked => Ok(None),
            Revocation::Checked => self.age(&issuers, now).map(Some),
        }
    }

    /// `webpki` takes a root for granted; by our rules it expires like everything else.
    fn check_root(
        &self,
        anchor: &TrustAnchor<'_>,
        below: &Content,
        now: Moment,
    ) -> Result<(), CertificateFault> {
        let spki = anchor.subject_public_key_info.as_ref();
        let mut outcome = Err(CertificateFault::Untrusted { what: "unknown root".to_owned() });
        // One key may have had several certificates; any that is valid now will do.
        for content in self.roots.iter().filter_map(|root| inspect(root).ok()) {
            // The anchor holds the SEQUENCE's content only.
            if content.class == Class::Root && content.key.spki().ends_with(spki) {
                outcome = is_key_of(below, &content).and_then(|()| in_time(&content, now));
                if outcome.is_ok() {
                    break;
                }
            }
        }
        outcome
    }

    /// The age of the oldest list that this path rests on.
    fn age(&self, issuers: &[Vec<u8>], now: Moment) -> Result<ListAge, CertificateFault> {
        let mut worst = ListAge::Current;
        for issuer in issuers {
            let list = self.crls.iter().find(|list| list.issuer() == issuer.as_slice());
            worst = worst.max(list.ok_or(CertificateFault::ListMissing)?.age(now)?);
        }
        Ok(worst)
    }

    /// Says what `webpki` found in our words.
    fn fault(
        &self,
        leaf: &Certificate,
        chain: &[Certificate],
        now: Moment,
        error: &webpki::Error,
    ) -> CertificateFault {
        use webpki::Error as E;
        match error {
            E::CertExpired { .. } | E::CertNotValidYet { .. } => {
                let all = std::iter::once(leaf).chain(chain.iter().skip(1)).chain(&self.intermediates);
                let late = all.filter_map(|one| inspect(one).ok()).find_map(|one| in_time(&one, now).err());
                late.unwrap_or_else(|| CertificateFault::Untrusted { what: error.to_string() })
            }
            E::CertRevoked => CertificateFault::Revoked,
            E::UnknownRevocationStatus => CertificateFault::ListMissing,
            E::UnsupportedCriticalExtension => CertificateFault::profile("unknown critical extension"),
            other => CertificateFault::Untrusted { what: other.to_string() },
        }
    }
}

impl VerifiedCertificate {
    /// The certificate itself.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The digest that names it in statements.
    pub fn digest(&self) -> Digest {
        self.certificate.digest()
    }

    /// Its class.
    pub fn class(&self) -> Class {
        self.content.class
    }

    /// The key it certifies.
    pub fn key(&self) -> &PublicKey {
        &self.content.key
    }

    /// The name of that key.
    pub fn kid(&self) -> Kid {
        self.content.key.kid()
    }

    /// Whom it is about.
    pub fn subject(&self) -> &Subject {
        &self.content.subject
    }

    /// Everything else it says.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The name of the authority that gave it, if that is one of those trusted.
    pub fn issuer_name(&self, trusted: &TrustSnapshot) -> Option<String> {
        let mut known = trusted.intermediates.iter().chain(&trusted.roots);
        let issuer = known.find(|issuer| is_signed_by(&self.certificate, issuer))?;
        inspect(issuer).ok().map(|content| content.subject.common_name)
    }

    /// The names of its hosts.
    pub fn dns(&self) -> &[String] {
        &self.content.subject.dns
    }

    /// Whether it is for the host of this name; letters count alike in both cases.
    pub fn serves(&self, host: &str) -> bool {
        self.dns().iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    /// How old the revocation lists are that it was checked against; nothing when it was not.
    pub fn list(&self) -> Option<ListAge> {
        self.list
    }
}

#[derive(Clone, Copy)]
enum Revocation {
    Checked,
    Unchecked,
}

/// Extended key usages are checked by the profile, exactly, so the path takes any.
struct AnyPurpose;

impl webpki::ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _purposes: webpki::KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

fn first(chain: &[Certificate], usage: Usage) -> Result<(&Certificate, Content), CertificateFault> {
    if chain.len() > CHAIN_LIMIT {
        return Err(CertificateFault::profile("chain longer than 3"));
    }
    let leaf = chain.first().ok_or_else(|| CertificateFault::profile("no certificate at all"))?;
    let content = inspect(leaf)?;
    if content.class.rules().authority || !content.class.rules().allow(usage) {
        return Err(CertificateFault::WrongUsage);
    }
    Ok((leaf, content))
}

fn verify_anonymous(
    leaf: &Certificate,
    content: Content,
    chain: &[Certificate],
    now: Moment,
) -> Result<VerifiedCertificate, CertificateFault> {
    if chain.len() != 1 || !is_signed_by(leaf, leaf) {
        return Err(CertificateFault::profile("an anonymous certificate that its subject did not make"));
    }
    in_time(&content, now)?;
    Ok(VerifiedCertificate { certificate: leaf.clone(), content, list: None })
}

/// Checks that `now` lies within the validity of a certificate, both ends included.
fn in_time(content: &Content, now: Moment) -> Result<(), CertificateFault> {
    let second = now.whole_seconds();
    if second < content.from || second > content.until {
        return Err(CertificateFault::NotValid { from: content.from, until: content.until, now: second });
    }
    Ok(())
}

/// Checks that the certificate below names the key above it, as `openssl` does and `webpki` does not.
fn is_key_of(below: &Content, above: &Content) -> Result<(), CertificateFault> {
    if below.issuer_key != Some(key_id(&above.key)) {
        return Err(CertificateFault::profile("authority key identifier"));
    }
    Ok(())
}

/// Whether `issuer`, a certificate by the profile, is named as the issuer and its key made the signature.
fn is_signed_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let (Ok((_, below)), Ok((_, above)), Ok(content)) = (
        X509Certificate::from_der(certificate.der()),
        X509Certificate::from_der(issuer.der()),
        inspect(issuer),
    ) else {
        return false;
    };
    let signature = <[u8; 64]>::try_from(below.signature_value.data.as_ref());
    above.subject().as_raw() == below.issuer().as_raw()
        && signature.is_ok_and(|signature| {
            let signature = Signature::from_bytes(signature);
            content.key.verify(below.tbs_certificate.as_ref(), &signature).is_ok()
        })
}

/// The content of the subject's SEQUENCE, as `webpki` names trust anchors and issuers.
pub(super) fn raw_subject(certificate: &Certificate) -> Option<Vec<u8>> {
    let der = CertificateDer::from(certificate.der());
    anchor_from_trusted_cert(&der).ok().map(|anchor| anchor.subject.as_ref().to_vec())
}
