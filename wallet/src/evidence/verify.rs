//! The check of a dossier, in this program: the same questions as `verify.sh` beside it asks with `openssl`.
//!
//! Stricter where this program can be: every object must be a statement in its exact form, certificates must
//! follow the profile, and nobody signs after a revocation list of the folder, made before that moment, names
//! the certificate. What happened later is for the judge, who has the lists with their dates.

use std::collections::{BTreeMap, BTreeSet};

use semper_supporting::{
    archive::{
        head::JournalHead,
        journal::{Chain, Head, Line},
    },
    certificate::{CertRole, Certificate, CertificateFault, Class, Crl, TrustSnapshot, Usage, inspect},
    crypto::{
        digest::Digest,
        signature::{PublicKey, Signature},
    },
    deal::DealId,
    evidence::{SignedBytes, bundle::Dossier, check_time, statement},
    time::Moment,
};
use semper_tinguin::texts::{Msg, Texts};
use semper_transfer::payment::message::Account;
use serde::Serialize;

use super::folder::Folder;

/// What the check of a dossier came to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Report {
    /// Whether everything holds.
    pub accepted: bool,
    /// The fingerprint of the root it was checked against.
    pub root: Digest,
    /// The deal, where the dossier says it.
    pub deal: Option<DealId>,
    /// The signed objects, in order.
    pub objects: Vec<Seen>,
    /// What does not hold.
    pub findings: Vec<Finding>,
}

/// One signed object.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Seen {
    /// Its folder.
    pub place: String,
    /// Its type.
    pub kind: String,
    /// Whether everything about it holds.
    pub holds: bool,
}

/// Something that does not hold.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// What it is.
    pub problem: Problem,
    /// Where in the folder.
    pub place: String,
}

/// What can be wrong with a dossier.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// A content has another name than its digest.
    Attachment,
    /// A certificate is unreadable or has another name than its digest.
    Certificate,
    /// No chain leads from the certificate to the root at that time.
    Chain,
    /// The signed list of contents is missing, or not of the form `dossier`.
    Dossier,
    /// A file differs from the list.
    File,
    /// A statement is not in its exact form.
    Form,
    /// The record does not end at its signed head.
    Head,
    /// A line of the record does not name the one before it.
    Journal,
    /// A key is unreadable or has another name than its digest.
    Key,
    /// The list names other files than there are.
    List,
    /// The certificate had been revoked.
    Revoked,
    /// The root is missing or is another one.
    Root,
    /// Something is no plain file.
    Strange,
    /// The signature does not verify.
    Signature,
    /// The statement names another signer.
    Signer,
    /// The statement says that it was made when it cannot have been.
    Stated,
    /// The time of the proof is missing or is no time.
    Time,
    /// Nobody says whose key it is.
    Unvouched,
}

/// Checks a folder against the root certificate of this fingerprint, at `now`.
pub fn verify(folder: &Folder, root: Digest, now: Moment) -> Report {
    let (certificates, keys) = (BTreeMap::new(), BTreeMap::new());
    let mut check = Check { folder, now, findings: Vec::new(), certificates, keys };
    for place in &folder.strange {
        check.report(Problem::Strange, place);
    }
    let root_certificate = check.root(root);
    let dossier = check.list();
    check.certificates();
    check.keys();
    let trust = check.trust(root_certificate);
    check.signed("MANIFEST", &trust);
    let objects = check.objects(&trust);
    check.attachments();
    check.records(dossier.as_ref());
    if let Some(dossier) = &dossier
        && u32::try_from(objects.len()) != Ok(dossier.objects)
    {
        check.report(Problem::List, "evidence");
    }
    if let Some(dossier) = &dossier
        && folder.text("MANIFEST.at") != Some(format!("{}\n", dossier.at.seconds()).as_str())
    {
        check.report(Problem::Time, "MANIFEST");
    }
    let deal = dossier.map(|dossier| dossier.deal);
    Report { accepted: check.findings.is_empty(), root, deal, objects, findings: check.findings }
}

impl Finding {
    /// Says it to a person.
    pub fn say(&self, texts: &Texts) -> String {
        let place = &self.place;
        texts.get(match self.problem {
            Problem::Attachment => Msg::FindingAttachment { place },
            Problem::Certificate => Msg::FindingCertificate { place },
            Problem::Chain => Msg::FindingChain { place },
            Problem::Dossier => Msg::FindingDossier { place },
            Problem::File => Msg::FindingFile { place },
            Problem::Form => Msg::FindingForm { place },
            Problem::Head => Msg::FindingHead { place },
            Problem::Journal => Msg::FindingJournal { place },
            Problem::Key => Msg::FindingKey { place },
            Problem::List => Msg::FindingList { place },
            Problem::Revoked => Msg::FindingRevoked { place },
            Problem::Root => Msg::FindingRoot { place },
            Problem::Strange => Msg::FindingStrange { place },
            Problem::Signature => Msg::FindingSignature { place },
            Problem::Signer => Msg::FindingSigner { place },
            Problem::Stated => Msg::FindingStated { place },
            Problem::Time => Msg::FindingTime { place },
            Problem::Unvouched => Msg::FindingUnvouched { place },
        })
    }
}

struct Check<'a> {
    folder: &'a Folder,
    now: Moment,
    findings: Vec<Finding>,
    certificates: BTreeMap<Digest, Certificate>,
    keys: BTreeMap<Digest, PublicKey>,
}

impl Check<'_> {
    fn report(&mut self, problem: Problem, place: &str) {
        let finding = Finding { problem, place: place.to_owned() };
        // What two questions find is one thing that does not hold.
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// 1. The root: the one named, and no other.
    fn root(&mut self, root: Digest) -> Option<Certificate> {
        let path = format!("roots/{root}.pem");
        let found = self.folder.text(&path).and_then(|pem| Certificate::from_pem(pem).ok());
        let found = found.filter(|certificate| certificate.digest() == root);
        if found.is_none() {
            self.report(Problem::Root, &path);
        }
        found
    }

    /// 2. The list of files: whole, nothing beside it, and named by the statement that is signed.
    fn list(&mut self) -> Option<Dossier> {
        let listed = self.folder.text("MANIFEST.sha256").and_then(read_list);
        let Some(listed) = listed else {
            self.report(Problem::List, "MANIFEST.sha256");
            return None;
        };
        let beside = |path: &str| path != "verify.sh" && !OWN.contains(&path);
        let there: BTreeMap<&str, Digest> =
            self.folder.files.iter().map(|(path, found)| (path.as_str(), found.digest)).collect();
        let names: BTreeSet<&str> = listed.keys().copied().collect();
        let differ = there.iter().filter(|(path, _)| beside(path) && !names.contains(*path));
        let mut wrong: Vec<(Problem, &str)> = differ.map(|(path, _)| (Problem::List, *path)).collect();
        for (path, digest) in &listed {
            match there.get(path) {
                Some(found) if found == digest => {}
                Some(_) => wrong.push((Problem::File, path)),
                None => wrong.push((Problem::List, path)),
            }
        }
        for (problem, path) in wrong {
            self.report(problem, path);
        }
        let bytes = self.folder.get("MANIFEST.tbs").unwrap_or_default();
        let dossier = statement::from_bytes::<Dossier>(bytes).ok();
        let named = dossier.as_ref().is_some_and(|dossier| {
            there.get("MANIFEST.sha256") == Some(&dossier.manifest_sha256)
                && there.get("verify.sh") == Some(&dossier.verify_sha256)
        });
        if !named {
            self.report(Problem::Dossier, "MANIFEST.tbs");
        }
        dossier
    }

    /// 3. Certificates, each under its own name.
    fn certificates(&mut self) {
        for (name, found) in self.folder.below("certs/") {
            let read =
                std::str::from_utf8(&found.content).ok().and_then(|pem| Certificate::from_pem(pem).ok());
            match read.filter(|certificate| format!("{}.pem", certificate.digest()) == name) {
                Some(certificate) => {
                    self.certificates.insert(certificate.digest(), certificate);
                }
                None => self.report(Problem::Certificate, &format!("certs/{name}")),
            }
        }
    }

    /// 3. Keys, each under its own name.
    fn keys(&mut self) {
        for (name, found) in self.folder.below("keys/") {
            let spki = std::str::from_utf8(&found.content).ok().and_then(|pem| unpem("PUBLIC KEY", pem));
            let key = spki.and_then(|spki| PublicKey::from_spki(&spki).ok());
            match key.filter(|key| format!("{}.pem", key.kid()) == name) {
                Some(key) => {
                    self.keys.insert(Digest::from_bytes(*key.kid().as_bytes()), key);
                }
                None => self.report(Problem::Key, &format!("keys/{name}")),
            }
        }
    }

    /// What is believed here: the root, and below it what the folder brings along.
    fn trust(&mut self, root: Option<Certificate>) -> TrustSnapshot {
        let is_authority =
            |certificate: &&Certificate| inspect(certificate).is_ok_and(|it| it.class == Class::IssuingCa);
        let intermediates = self.certificates.values().filter(is_authority).cloned().collect();
        let mut crls = Vec::new();
        for (name, found) in self.folder.below("crls/") {
            let der = std::str::from_utf8(&found.content).ok().and_then(|pem| unpem("X509 CRL", pem));
            match der.filter(|der| format!("{}.crl", Digest::of(der)) == name) {
                Some(der) => crls.extend(Crl::from_der(&der).ok()),
                None => self.report(Problem::Attachment, &format!("crls/{name}")),
            }
        }
        TrustSnapshot { roots: root.into_iter().collect(), intermediates, crls, ..TrustSnapshot::default() }
    }

    /// 4. Every signed object.
    fn objects(&mut self, trust: &TrustSnapshot) -> Vec<Seen> {
        let folders: BTreeSet<&str> =
            self.folder.below("evidence/").filter_map(|(path, _)| path.strip_suffix("/object.tbs")).collect();
        let mut seen = Vec::new();
        for name in folders {
            let (place, before) = (format!("evidence/{name}"), self.findings.len());
            let prefix = format!("{place}/object");
            self.signed(&prefix, trust);
            let bytes = self.folder.get(&format!("{prefix}.tbs")).unwrap_or_default();
            let kind = statement::type_of(bytes).unwrap_or_default();
            seen.push(Seen { place, kind, holds: self.findings.len() == before });
        }
        seen
    }

    /// The signature, whose key made it, and the chain of its certificate up to the root at that time.
    fn signed(&mut self, prefix: &str, trust: &TrustSnapshot) {
        let beside = |name: &str| match prefix.strip_suffix("object") {
            Some(place) => format!("{place}{name}.txt"),
            None => format!("{prefix}.{name}"),
        };
        let tbs = self.folder.get(&format!("{prefix}.tbs")).unwrap_or_default();
        let Ok(lines) = statement::lines(tbs) else { return self.report(Problem::Form, prefix) };
        let at = self.folder.text(&beside("at")).and_then(|text| text.strip_suffix('\n')?.parse().ok());
        let Some(at) = at.map(Moment::from_seconds) else { return self.report(Problem::Time, prefix) };
        let signer = self.folder.text(&beside("signer")).and_then(|text| text.strip_suffix('\n'));
        let key = match signer.and_then(|signer| signer.split_once(' ')) {
            Some(("cert", name)) => self.certified(name, prefix, trust, at),
            Some(("key", name)) => self.vouched(name, prefix),
            _ => {
                self.report(Problem::Signer, prefix);
                None
            }
        };
        let Some(key) = key else { return };
        let certificate = signer.and_then(|signer| Digest::parse(signer.strip_prefix("cert ")?).ok());
        let certificate = certificate.and_then(|digest| self.certificates.get(&digest));
        let until =
            certificate.and_then(|certificate| inspect(certificate).ok()).map(|content| content.until);
        if check_time(tbs, until, self.now).is_err() {
            self.report(Problem::Stated, prefix);
        }
        let named = lines.iter().find(|(name, _)| name == "signer").map(|(_, value)| value.as_str());
        if named != Some(key.kid().to_string().as_str()) {
            self.report(Problem::Signer, prefix);
        }
        let signature = self.folder.get(&format!("{prefix}.sig")).and_then(|bytes| bytes.try_into().ok());
        let holds = signature.is_some_and(|bytes| key.verify(tbs, &Signature::from_bytes(bytes)).is_ok());
        if !holds {
            self.report(Problem::Signature, prefix);
        }
    }

    fn certified(&mut self, name: &str, place: &str, trust: &TrustSnapshot, at: Moment) -> Option<PublicKey> {
        let found = Digest::parse(name).ok().and_then(|digest| self.certificates.get(&digest)).cloned();
        let content = found.as_ref().and_then(|certificate| inspect(certificate).ok());
        let (Some(certificate), Some(content)) = (found, content) else {
            self.report(Problem::Certificate, place);
            return None;
        };
        let chain = [certificate];
        let roles = content.roles.first().copied();
        let verified = roles.map(|role| trust.verify_first_contact(&chain, role, Usage::Sign, at));
        if !matches!(verified, Some(Ok(_))) {
            self.report(Problem::Chain, place);
        }
        let crls = trust.crls.iter().filter(|list| list.this_update() <= at).cloned().collect();
        let then = TrustSnapshot { crls, ..trust.clone() };
        if then.verify_any(&chain, Usage::Sign, at) == Err(CertificateFault::Revoked) {
            self.report(Problem::Revoked, place);
        }
        Some(content.key)
    }

    fn vouched(&mut self, name: &str, place: &str) -> Option<PublicKey> {
        let found = Digest::parse(name).ok().and_then(|digest| self.keys.get(&digest)).copied();
        if found.is_none() {
            self.report(Problem::Key, place);
        }
        let objects = self.folder.below("evidence/");
        let mut folders = objects.filter_map(|(path, _)| path.strip_suffix("/object.tbs"));
        if !folders.any(|folder| self.opens(&format!("evidence/{folder}"), name)) {
            self.report(Problem::Unvouched, place);
        }
        found
    }

    /// Whether an object is the statement of a bank that opened an account for this key.
    fn opens(&self, folder: &str, owner: &str) -> bool {
        let tbs = self.folder.get(&format!("{folder}/object.tbs")).unwrap_or_default();
        let account = statement::from_bytes::<Account>(tbs);
        let signer = self.folder.text(&format!("{folder}/signer.txt"));
        let named = signer.and_then(|signer| signer.strip_prefix("cert ")?.strip_suffix('\n'));
        let certificate = named.and_then(|name| self.certificates.get(&Digest::parse(name).ok()?));
        account.is_ok_and(|account| account.owner.to_string() == owner)
            && certificate
                .and_then(|certificate| inspect(certificate).ok())
                .is_some_and(|content| content.roles.contains(&CertRole::Bank))
    }

    /// 5. Attachments, each under its digest.
    fn attachments(&mut self) {
        for (name, found) in self.folder.below("attachments/") {
            if found.digest.to_string() != name {
                self.report(Problem::Attachment, &format!("attachments/{name}"));
            }
        }
    }

    /// 6. The record: each line names the one before, and the signed head names the last.
    fn records(&mut self, dossier: Option<&Dossier>) {
        for (name, found) in self.folder.below("journal/") {
            let Some(stem) = name.strip_suffix(".txt") else { continue };
            let place = format!("journal/{stem}");
            let before = self.folder.text(&format!("{place}.prev")).map(str::trim_end);
            let text = std::str::from_utf8(&found.content).unwrap_or_default();
            let Some(end) = follow(before, text) else {
                self.report(Problem::Journal, &place);
                continue;
            };
            if self.head(&place, dossier) != Some(end) {
                self.report(Problem::Head, &place);
            }
        }
    }

    /// The head that the record's own key signed, which the dossier names.
    fn head(&self, place: &str, dossier: Option<&Dossier>) -> Option<Head> {
        let kid = dossier?.journal_key?;
        let key = self.keys.get(&Digest::from_bytes(*kid.as_bytes()))?;
        let tbs = self.folder.get(&format!("{place}.head.tbs"))?.to_vec();
        let signature = self.folder.get(&format!("{place}.head.sig"))?.try_into().ok()?;
        let signed = SignedBytes { tbs, signature: Signature::from_bytes(signature) };
        Some(signed.verify::<JournalHead>(key).ok()?.head())
    }
}

/// What the list itself does not name.
const OWN: [&str; 5] = ["MANIFEST.sha256", "MANIFEST.tbs", "MANIFEST.sig", "MANIFEST.signer", "MANIFEST.at"];

/// Reads lines of a digest, two spaces and a path; nothing if one is otherwise or comes twice.
fn read_list(text: &str) -> Option<BTreeMap<&str, Digest>> {
    let mut listed = BTreeMap::new();
    for line in text.split_inclusive('\n') {
        let (digest, path) = line.strip_suffix('\n')?.split_once("  ")?;
        if listed.insert(path, Digest::parse(digest).ok()?).is_some() {
            return None;
        }
    }
    Some(listed)
}

/// Goes along the lines and tells where they end; nothing if one does not follow from the one before.
fn follow(before: Option<&str>, text: &str) -> Option<Head> {
    let (first, rest) = text.split_once('\n')?;
    let first = Line::parse(first)?;
    if first.prev != before.map_or(Some(Head::EMPTY.hash), |hex| Digest::parse(hex).ok())? {
        return None;
    }
    let mut chain = Chain::at(&first);
    chain.follow_text(rest).ok()?;
    Some(chain.head())
}

/// Reads the one frame of a PEM text (RFC 7468).
fn unpem(label: &str, text: &str) -> Option<Vec<u8>> {
    let body = text.strip_prefix(&format!("-----BEGIN {label}-----\n"))?;
    let body = body.strip_suffix(&format!("-----END {label}-----\n"))?;
    let joined: String = body.split('\n').collect();
    data_encoding::BASE64.decode(joined.as_bytes()).ok()
}
