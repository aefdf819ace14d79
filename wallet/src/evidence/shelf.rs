//! The certificates and revocation lists of a wallet, from which a dossier takes those that it needs.

use std::collections::{BTreeMap, BTreeSet};

use semper_host::Papers;
use semper_supporting::{
    archive::{
        Query, StoreError,
        record::{CERTIFICATE, EvidenceRecord, REVOCATION_LIST},
    },
    certificate::{Certificate, Class, Content, Crl, inspect},
    crypto::{
        digest::Digest,
        keys::{KeyPurpose, KeyRef},
        signature::Kid,
    },
    evidence::{SignedBytes, bundle::Parts, statement},
};

use super::{EvidenceFault, all};
use crate::{fault::WalletFault, wallet::Wallet};

/// The certificates and lists of the archive, read.
pub(super) struct Shelf {
    certificates: BTreeMap<Digest, (Certificate, Content)>,
    lists: Vec<Crl>,
}

impl Shelf {
    /// Reads them all.
    ///
    /// # Errors
    /// [`WalletFault`] for a damaged one.
    pub(super) async fn read(wallet: &Wallet) -> Result<Self, WalletFault> {
        let store = wallet.archive.as_ref();
        let mut certificates = BTreeMap::new();
        let damaged = |_| StoreError::Damaged("a certificate cannot be read".to_owned());
        for row in all(store, &CERTIFICATE, Query::of(CERTIFICATE.name)).await? {
            let certificate = Certificate::from_der(row.bytes("der")?).map_err(damaged)?;
            let content = inspect(&certificate).map_err(damaged)?;
            certificates.insert(certificate.digest(), (certificate, content));
        }
        // The roots that are trusted here, and the newest lists, are among the papers.
        let papers = Papers::load(store).await.map_err(|error| StoreError::Damaged(error.to_string()))?;
        for root in papers.roots {
            let content = inspect(&root).map_err(damaged)?;
            certificates.insert(root.digest(), (root, content));
        }
        let rows = all(store, &REVOCATION_LIST, Query::of(REVOCATION_LIST.name)).await?;
        let mut lists = papers.lists;
        lists.extend(rows.iter().filter_map(|row| Crl::from_der(row.bytes("der").ok()?).ok()));
        Ok(Self { certificates, lists })
    }

    /// The key with which the owner signs, and its certificate.
    pub(super) fn signer(&self, wallet: &Wallet) -> Result<(KeyRef, Digest), WalletFault> {
        let keys = wallet.keys.of(KeyPurpose::Sign)?;
        if keys.is_empty() {
            return Err(EvidenceFault::NoSignKey.into());
        }
        let certified = |key: KeyRef| Some((key, self.of_key(key.kid())?));
        Ok(keys.into_iter().find_map(certified).ok_or(EvidenceFault::NoCertificate)?)
    }

    fn of_key(&self, kid: Kid) -> Option<Digest> {
        let of_it = |(_, (_, content)): &(&Digest, &(Certificate, Content))| content.key.kid() == kid;
        self.certificates.iter().find(of_it).map(|(digest, _)| *digest)
    }

    /// The certificate that a record names, or another one of the same key.
    pub(super) fn certificate_of(&self, record: &EvidenceRecord) -> Option<Digest> {
        let named = record.certificate.filter(|digest| self.certificates.contains_key(digest));
        named.or_else(|| self.of_key(record.signer))
    }

    /// The certified name of whoever has a certificate.
    pub(super) fn name(&self, certificate: &Digest) -> Option<&str> {
        self.certificates.get(certificate).map(|(_, content)| content.subject.common_name.as_str())
    }

    /// The certificates that a statement names by their digest: of the other side, of the third party, of a bank.
    pub(super) fn named_in(&self, signed: &SignedBytes) -> Vec<Digest> {
        let lines = statement::lines(&signed.tbs).unwrap_or_default();
        let named = lines.iter().filter_map(|(_, value)| Digest::parse(value).ok());
        named.filter(|digest| self.certificates.contains_key(digest)).collect()
    }

    /// Lays the certificates out with all that stands above them, and the lists of those authorities.
    pub(super) fn lay(&self, needed: &BTreeSet<Digest>, parts: &mut Parts) {
        let mut laid = BTreeSet::new();
        let mut open: Vec<Digest> = needed.iter().copied().collect();
        while let Some(digest) = open.pop() {
            let Some((certificate, content)) = self.certificates.get(&digest) else { continue };
            if !laid.insert(digest) {
                continue;
            }
            let above = self.certificates.iter().filter(|(other, (_, issuer))| {
                **other != digest
                    && content.issuer_key.is_some_and(|id| issuer.key.kid().as_bytes().starts_with(&id))
            });
            open.extend(above.map(|(other, _)| *other));
            let place = if content.class == Class::Root { &mut parts.roots } else { &mut parts.certificates };
            place.push(certificate.der().to_vec());
            let lists = self.lists.iter().filter(|list| list.is_signed_by(certificate));
            parts.lists.extend(lists.map(|list| list.der().to_vec()));
        }
    }
}
