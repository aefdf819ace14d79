//! The dossier of one deal: everything a judge needs, signed by the owner, as files.
//!
//! A person at a terminal, who typed the archive's password for this one command, asks for it; there is no
//! prompt in the window. Access control sees that as a policy of the operator, named by the digest of its
//! text, and the journal keeps an entry of every export.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use semper_host::{chance, keyring::KeyringError};
use semper_supporting::{
    access::{Action, Decision, Facts, Limits, Object, Subject, decide},
    archive::{
        Batch, Query, Relation, Row, Store as _, StoreError, Value,
        head::JournalHead,
        journal::{self, Class as EntryClass, Entry, Kind, Line},
        record::{CERTIFICATE, EVIDENCE, EvidenceRecord, ITEM, REVOCATION_LIST},
    },
    certificate::{Certificate, Class, Content, Crl, inspect},
    crypto::{
        digest::Digest,
        keys::{KeyPurpose, KeyRef},
        signature::{Kid, PublicKey},
    },
    deal::DealId,
    evidence::{
        Signable, Verified,
        bundle::{Files, Object as Exhibit, Parts, Record, SignedBy},
    },
    time::Moment,
};

use super::{EvidenceFault, all};
use crate::{fault::WalletFault, staging::Staging, wallet::Wallet};

/// The policy under which a dossier is signed.
pub const POLICY: &str =
    "Evidence is exported for whoever types the password of its archive for that one command.";
const EXPORTED: Kind = Kind::of(EntryClass::Export, "dossier");
/// The most bytes of one item that is put into a dossier.
const ATTACHMENT: usize = 16 << 20;

/// Puts the dossier of `deal` together and signs it. The journal keeps an entry of it.
///
/// # Errors
/// [`WalletFault::Evidence`] if there is no evidence of the deal, or a key or certificate is missing.
pub async fn dossier(wallet: &Wallet, deal: DealId, now: Moment) -> Result<Files, WalletFault> {
    let store = wallet.archive.as_ref();
    let rows = all(store, &EVIDENCE, EvidenceRecord::of_deal(deal)).await?;
    if rows.is_empty() {
        return Err(EvidenceFault::NoDeal(deal).into());
    }
    let shelf = Shelf::read(wallet).await?;
    let (key, own) = shelf.signer(wallet)?;
    let mut parts = Parts::default();
    let mut needed = BTreeSet::from([own]);
    let mut keys: BTreeMap<Kid, PublicKey> = BTreeMap::new();
    for row in &rows {
        let record = EvidenceRecord::from_row(row)?;
        let by = match shelf.certificate_of(&record) {
            Some(digest) => {
                needed.insert(digest);
                SignedBy::Certificate(digest)
            }
            None => {
                let public = wallet.keys.public(&KeyRef::of(record.signer));
                let missing = || EvidenceFault::NoKey { kind: record.kind.clone(), signer: record.signer };
                keys.insert(record.signer, public.map_err(|_| missing())?);
                SignedBy::Key(record.signer)
            }
        };
        parts.report.push_str(&format!("{}  {}  {}\n", record.at, record.kind, record.signed.digest()));
        parts.objects.push(Exhibit { signed: record.signed, by, at: record.at, about: record.kind });
    }
    parts.keys = keys.into_values().collect();
    shelf.lay(&needed, &mut parts);
    parts.attachments = attachments(wallet, deal).await?;
    parts.record = segment(wallet, deal, now).await?;
    let draft = parts
        .draft(deal, now, key.kid(), Some(own))
        .map_err(|error| EvidenceFault::Draft(error.to_string()))?;
    let policy = Subject::Operator { policy: Digest::of(POLICY.as_bytes()) };
    let signed = sign(wallet, &key, &policy, Action::ExportEvidence, draft.dossier(), now)?;
    note(wallet, signed.bytes().tbs.clone(), parts.record.as_ref(), now).await?;
    Ok(draft.complete(&signed, SignedBy::Certificate(own)))
}

/// Writes a dossier into a new folder, or none of it.
///
/// # Errors
/// [`WalletFault::Exists`], [`WalletFault::System`].
pub fn write(files: &Files, folder: &Path) -> Result<(), WalletFault> {
    let place = Staging::beside(folder)?;
    for (name, content) in files {
        let path = place.path().join(name);
        let parent = path.parent().unwrap_or(place.path());
        fs::create_dir_all(parent).map_err(|error| WalletFault::system(parent, error))?;
        fs::write(&path, content).map_err(|error| WalletFault::system(&path, error))?;
    }
    place.settle(folder)
}

/// The certificates and lists of the archive, read.
struct Shelf {
    certificates: BTreeMap<Digest, (Certificate, Content)>,
    lists: Vec<Crl>,
}

impl Shelf {
    async fn read(wallet: &Wallet) -> Result<Self, WalletFault> {
        let store = wallet.archive.as_ref();
        let mut certificates = BTreeMap::new();
        for row in all(store, &CERTIFICATE, Query::of(CERTIFICATE.name)).await? {
            let damaged = |_| StoreError::Damaged("a certificate cannot be read".to_owned());
            let certificate = Certificate::from_der(row.bytes("der")?).map_err(damaged)?;
            let content = inspect(&certificate).map_err(damaged)?;
            certificates.insert(certificate.digest(), (certificate, content));
        }
        let rows = all(store, &REVOCATION_LIST, Query::of(REVOCATION_LIST.name)).await?;
        let lists = rows.iter().filter_map(|row| Crl::from_der(row.bytes("der").ok()?).ok()).collect();
        Ok(Self { certificates, lists })
    }

    /// The key with which the owner signs, and its certificate.
    fn signer(&self, wallet: &Wallet) -> Result<(KeyRef, Digest), WalletFault> {
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
    fn certificate_of(&self, record: &EvidenceRecord) -> Option<Digest> {
        let named = record.certificate.filter(|digest| self.certificates.contains_key(digest));
        named.or_else(|| self.of_key(record.signer))
    }

    /// Lays the certificates out with all that stands above them, and the lists of those authorities.
    fn lay(&self, needed: &BTreeSet<Digest>, parts: &mut Parts) {
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

/// The items of the deal that are kept in the archive itself.
async fn attachments(wallet: &Wallet, deal: DealId) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows = all(wallet.archive.as_ref(), &ITEM, Query::of(ITEM.name).equal("deal", deal)).await?;
    let content = |row: &Row| row.bytes("content").ok().map(<[u8]>::to_vec);
    Ok(rows.iter().filter_map(content).filter(|content| content.len() <= ATTACHMENT).collect())
}

/// The journal from the first line of the deal to its last, with a head signed over that last line. What the
/// journal holds of other business after it stays here.
async fn segment(wallet: &Wallet, deal: DealId, now: Moment) -> Result<Option<Record>, WalletFault> {
    let (store, table) = (wallet.archive.as_ref(), &journal::TABLE);
    let own = all(store, table, Query::of(table.name).equal("deal", deal)).await?;
    let (Some(first), Some(last)) = (own.first(), own.last()) else { return Ok(None) };
    let query = Query::of(table.name).when("seq", Relation::AtLeast, Value::count(first.count("seq")?)).when(
        "seq",
        Relation::AtMost,
        Value::count(last.count("seq")?),
    );
    let rows = all(store, table, query).await?;
    let lines = rows.iter().map(Line::from_row).collect::<Result<Vec<_>, _>>()?;
    let Some(last) = lines.last() else { return Ok(None) };
    let keys = wallet.keys.of(KeyPurpose::Journal)?;
    let key = keys.first().copied().ok_or(EvidenceFault::NoJournalKey)?;
    let head = JournalHead {
        archive: wallet.archive.opened().id,
        seq: last.seq,
        hash: last.hash(),
        at: now.whole_seconds(),
        signer: key.kid(),
        cert: None,
    };
    let head = sign(wallet, &key, &Subject::User, Action::KeepJournal, &head, now)?;
    Ok(Some(Record { lines, head, key: wallet.keys.public(&key)? }))
}

/// Signs a statement that access control allows without asking.
fn sign<T: Signable>(
    wallet: &Wallet,
    key: &KeyRef,
    subject: &Subject,
    action: Action,
    statement: &T,
    now: Moment,
) -> Result<Verified<T>, WalletFault> {
    let object = Object { statement, facts: Facts::default() };
    match decide(subject, action, &object, None, &Limits::default(), now) {
        Decision::Allow(permit) => Ok(wallet.keys.sign(key, permit, now)?),
        Decision::Ask(_) => Err(KeyringError::Denied("a person has to be asked".to_owned()).into()),
        Decision::Deny(why) => Err(KeyringError::Denied(why.to_string()).into()),
    }
}

/// Keeps the head that was signed, and an entry of the export. The entry belongs to no deal: it would else
/// lengthen the segment of the next export by what other deals did meanwhile.
async fn note(
    wallet: &Wallet,
    payload: Vec<u8>,
    record: Option<&Record>,
    now: Moment,
) -> Result<(), WalletFault> {
    let entry = Entry { at: now, kind: EXPORTED, deal: None, salt: chance::random()?, payload };
    let mut batch = Batch::new().entry(entry);
    if let Some(record) = record {
        batch = batch.row(record.head.keep(record.head.bytes()));
    }
    for committed in wallet.archive.commit(vec![batch]).await {
        committed?;
    }
    Ok(())
}
