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

use semper_commerce::sale::{CLAUSE, clause};
use semper_host::{chance, keyring::KeyringError};
use semper_supporting::{
    access::{Action, Decision, Facts, Limits, Object, Subject, decide},
    archive::{
        Batch, Query, Relation, Row, Store as _, StoreError, Value,
        head::JournalHead,
        journal::{self, Class as EntryClass, Entry, Kind, Line},
        record::{EVIDENCE, EvidenceRecord, ITEM},
    },
    crypto::{
        digest::Digest,
        keys::{KeyPurpose, KeyRef},
        signature::{Kid, PublicKey},
    },
    deal::DealId,
    evidence::{
        Signable, Statement as _, Verified,
        bundle::{Files, Object as Exhibit, Parts, Record, SignedBy},
        statement,
    },
    time::Moment,
};
use semper_tinguin::texts::Texts;
use semper_transfer::payment::message::Account;

use super::{EvidenceFault, all, report, shelf::Shelf};
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
pub async fn dossier(
    wallet: &Wallet,
    deal: DealId,
    texts: &Texts,
    now: Moment,
) -> Result<Files, WalletFault> {
    let store = wallet.archive.as_ref();
    let rows = all(store, &EVIDENCE, EvidenceRecord::of_deal(deal)).await?;
    if rows.is_empty() {
        return Err(EvidenceFault::NoDeal(deal).into());
    }
    let shelf = Shelf::read(wallet).await?;
    let (key, own) = shelf.signer(wallet)?;
    let mut records = rows.iter().map(EvidenceRecord::from_row).collect::<Result<Vec<_>, _>>()?;
    let mut keys: BTreeMap<Kid, PublicKey> = BTreeMap::new();
    for record in records.iter().filter(|record| shelf.certificate_of(record).is_none()) {
        let public = wallet.keys.public(&KeyRef::of(record.signer));
        let missing = || EvidenceFault::NoKey { kind: record.kind.clone(), signer: record.signer };
        keys.insert(record.signer, public.map_err(|_| missing())?);
    }
    records.extend(openings(wallet, &keys).await?);
    let lines = all(store, &journal::TABLE, Query::of(journal::TABLE.name).equal("deal", deal)).await?;
    in_order(&mut records, &lines);
    let mut parts = Parts { report: report::title(texts, &shelf, deal, &own), ..Parts::default() };
    let mut needed = BTreeSet::from([own]);
    for (number, record) in (1..).zip(records) {
        let by = shelf.certificate_of(&record);
        needed.extend(by.into_iter().chain(shelf.named_in(&record.signed)));
        let about = report::about(texts, &shelf, &record, by);
        parts.report.push_str(&report::lines(number, &record, &about));
        let by = by.map_or(SignedBy::Key(record.signer), SignedBy::Certificate);
        parts.objects.push(Exhibit { signed: record.signed, by, at: record.at, about });
    }
    parts.keys = keys.into_values().collect();
    shelf.lay(&needed, &mut parts);
    parts.report.push_str(&report::parties(texts, &shelf, &needed));
    parts.attachments = attachments(wallet, deal).await?;
    parts.attachments.extend(clauses(&parts.objects));
    parts.record = segment(wallet, &lines, now).await?;
    let draft = parts
        .draft(deal, now, key.kid(), Some(own))
        .map_err(|error| EvidenceFault::Draft(error.to_string()))?;
    let policy = Subject::Operator { policy: Digest::of(POLICY.as_bytes()) };
    let signed = sign(wallet, &key, &policy, Action::ExportEvidence, draft.dossier(), now)?;
    note(wallet, signed.bytes().tbs.clone(), parts.record.as_ref(), now).await?;
    Ok(draft.complete(&signed, SignedBy::Certificate(own)))
}

/// The statements with which banks opened the accounts of `keys`: a key without a certificate is known by them.
async fn openings(
    wallet: &Wallet,
    keys: &BTreeMap<Kid, PublicKey>,
) -> Result<Vec<EvidenceRecord>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let query = Query::of(EVIDENCE.name).equal("type", Account::TYPE);
    let rows = all(wallet.archive.as_ref(), &EVIDENCE, query).await?;
    let records = rows.iter().map(EvidenceRecord::from_row).collect::<Result<Vec<_>, _>>()?;
    let of_them = |record: &EvidenceRecord| {
        let account = statement::from_bytes::<Account>(&record.signed.tbs);
        account.is_ok_and(|account| keys.contains_key(&account.owner))
    };
    Ok(records.into_iter().filter(of_them).collect())
}

/// Sorts by time, and within a second as the lines of the journal stand.
fn in_order(records: &mut [EvidenceRecord], lines: &[Row]) {
    let mut places: BTreeMap<Digest, usize> = BTreeMap::new();
    for (place, line) in (1..).zip(lines) {
        if let Ok(payload) = line.bytes("payload") {
            places.entry(Digest::of(payload)).or_insert(place);
        }
    }
    records.sort_by_cached_key(|record| {
        let digest = record.signed.digest();
        (record.at, places.get(&digest).copied().unwrap_or_default(), digest)
    });
}

/// The texts of the program that the objects name by their digest.
fn clauses(objects: &[Exhibit]) -> Option<Vec<u8>> {
    let named = clause().to_string();
    let names = |object: &Exhibit| {
        let lines = statement::lines(&object.signed.tbs).unwrap_or_default();
        lines.iter().any(|(_, value)| *value == named)
    };
    objects.iter().any(names).then(|| CLAUSE.as_bytes().to_vec())
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

/// The items of the deal that are kept in the archive itself.
async fn attachments(wallet: &Wallet, deal: DealId) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows = all(wallet.archive.as_ref(), &ITEM, Query::of(ITEM.name).equal("deal", deal)).await?;
    let content = |row: &Row| row.bytes("content").ok().map(<[u8]>::to_vec);
    Ok(rows.iter().filter_map(content).filter(|content| content.len() <= ATTACHMENT).collect())
}

/// The journal from the first line of the deal to its last, of which `own` are the deal's, with a head signed over that last line. What the
/// journal holds of other business after it stays here.
async fn segment(wallet: &Wallet, own: &[Row], now: Moment) -> Result<Option<Record>, WalletFault> {
    let (store, table) = (wallet.archive.as_ref(), &journal::TABLE);
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
