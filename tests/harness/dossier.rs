//! Dossiers as a judge has them, and what forgers make of them.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use semper_supporting::{
    access::{Action, Decision, Facts, Limits, Object, Subject, decide},
    certificate::{Certificate, Class, Content, Crl, Issuance, Issuer, Serial, inspect, to_pem},
    crypto::{digest::Digest, keys::KeyPurpose, signature::KeyPair},
    evidence::{
        bundle::{Dossier, Files},
        statement,
    },
};
use semper_wallet::{
    evidence::{Folder, Found},
    wallet::Wallet,
};

use crate::failure::{Failure, Result};

/// What the list of files does not name.
const UNLISTED: [&str; 6] =
    ["MANIFEST.sha256", "MANIFEST.tbs", "MANIFEST.sig", "MANIFEST.signer", "MANIFEST.at", "verify.sh"];
/// What `verify.sh` is given to work with beside its shell: what every Unix has, and openssl.
const TOOLS: [&str; 13] = [
    "cat",
    "cmp",
    "cp",
    "date",
    "dirname",
    "find",
    "grep",
    "mktemp",
    "openssl",
    "rm",
    "sed",
    "sha256sum",
    "sort",
];

/// The desk of a judge: a folder with the tools he has, and no others.
#[derive(Debug)]
pub struct Desk(tempfile::TempDir);

impl Desk {
    /// A desk with the tools of this machine.
    ///
    /// # Errors
    /// [`Failure`] if one is missing.
    pub fn new() -> Result<Self> {
        let desk = tempfile::tempdir()?;
        for tool in TOOLS {
            let found = find(tool).ok_or_else(|| Failure::of("this machine lacks", tool))?;
            std::os::unix::fs::symlink(found, desk.path().join(tool))?;
        }
        Ok(Self(desk))
    }

    /// Runs `verify.sh` of a dossier under a shell; whether it accepts, and what it says.
    ///
    /// # Errors
    /// [`Failure`] if there is no such shell.
    pub fn run(&self, shell: &str, files: &Files, root: Digest) -> Result<(bool, String)> {
        let place = tempfile::tempdir()?;
        let folder = place.path().join("dossier");
        for (path, content) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            fs::write(path, content)?;
        }
        let mut words = shell.split(' ');
        let program = words.next().and_then(find).ok_or_else(|| Failure::of("no shell", shell))?;
        let mut command = Command::new(program);
        command.args(words).arg(folder.join("verify.sh")).arg(root.to_string());
        command.env_clear().env("PATH", self.0.path()).current_dir(place.path());
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        Ok((output.status.success(), said.into_owned()))
    }
}

/// The shells of this machine among those that a judge may have.
pub fn shells() -> Vec<&'static str> {
    let all = ["sh", "dash", "bash", "busybox sh"];
    all.into_iter().filter(|shell| shell.split(' ').next().and_then(find).is_some()).collect()
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The files of a dossier as a folder holds them.
///
/// # Errors
/// [`Failure`].
pub fn read(folder: &Path) -> Result<Files> {
    Ok(Folder::read(folder)?.files.into_iter().map(|(path, found)| (path, found.content)).collect())
}

/// Whether the wallet's own check accepts the files, and what it finds.
pub fn accepted(files: &Files, root: Digest) -> (bool, String) {
    let found = |content: &Vec<u8>| Found { digest: Digest::of(content), content: content.clone() };
    let files = files.iter().map(|(path, content)| (path.clone(), found(content))).collect();
    let report =
        semper_wallet::evidence::verify(&Folder { files, strange: Vec::new() }, root, semper_host::now());
    (report.accepted, format!("{:?}", report.findings))
}

/// A text of a dossier.
///
/// # Errors
/// [`Failure`] if it is not there.
pub fn text<'a>(files: &'a Files, path: &str) -> Result<&'a str> {
    let content = files.get(path).ok_or_else(|| Failure::of("not there", path))?;
    Ok(std::str::from_utf8(content)?)
}

/// The certificates in a folder of a dossier.
///
/// # Errors
/// [`Failure`] for one that cannot be read.
pub fn certificates(files: &Files, below: &str) -> Result<Vec<(Certificate, Content)>> {
    let mut all = Vec::new();
    for path in files.keys().filter(|path| path.starts_with(below)) {
        let certificate = Certificate::from_pem(text(files, path)?)?;
        let content = inspect(&certificate)?;
        all.push((certificate, content));
    }
    Ok(all)
}

/// The revocation lists of a dossier.
///
/// # Errors
/// [`Failure`] for one that cannot be read.
pub fn lists(files: &Files) -> Result<Vec<Crl>> {
    let mut lists = Vec::new();
    for path in files.keys().filter(|path| path.starts_with("crls/")) {
        let base64: String = text(files, path)?.lines().filter(|line| !line.starts_with('-')).collect();
        lists.push(Crl::from_der(&data_encoding::BASE64.decode(base64.as_bytes())?)?);
    }
    Ok(lists)
}

/// Who signed each object, in order: the type, and the certified name or `-` for a bare key.
///
/// # Errors
/// [`Failure`] for an object whose signer is not in the dossier.
pub fn signers(files: &Files) -> Result<Vec<(String, String)>> {
    let certificates = certificates(files, "certs/")?;
    let mut all = Vec::new();
    for (path, tbs) in files.iter().filter(|(path, _)| path.ends_with("/object.tbs")) {
        let signer = text(files, &path.replace("object.tbs", "signer.txt"))?;
        let name = match signer.trim_end().split_once(' ') {
            Some(("cert", hash)) => {
                let found = certificates.iter().find(|(it, _)| it.digest().to_string() == hash);
                let (_, content) = found.ok_or_else(|| Failure::of("no certificate", path))?;
                content.subject.common_name.clone()
            }
            _ => "-".to_owned(),
        };
        all.push((statement::type_of(tbs)?, name));
    }
    Ok(all)
}

/// Makes the list of files anew, and has the statement beside it name that list. Its signature stays as it is.
///
/// # Errors
/// [`Failure`] for files that are no dossier.
pub fn relist(files: &mut Files) -> Result<()> {
    let listed = files.iter().filter(|(path, _)| !UNLISTED.contains(&path.as_str()));
    let list = listed.fold(String::new(), |mut text, (path, content)| {
        let _ = writeln!(text, "{}  {path}", Digest::of(content));
        text
    });
    let objects = files.keys().filter(|path| path.ends_with("/object.tbs")).count();
    let script = files.get("verify.sh").map(|script| Digest::of(script));
    let tbs = String::from_utf8_lossy(files.get("MANIFEST.tbs").map(Vec::as_slice).unwrap_or_default());
    let tbs = with_line(&tbs, "manifest-sha256", &Digest::of(list.as_bytes()).to_string());
    let tbs = with_line(&tbs, "objects", &objects.to_string());
    let tbs = with_line(&tbs, "verify-sha256", &script.map(|it| it.to_string()).unwrap_or_default());
    files.insert("MANIFEST.sha256".into(), list.into_bytes());
    files.insert("MANIFEST.tbs".into(), tbs.into_bytes());
    Ok(())
}

/// Makes the list anew and signs it with a key that nobody certified, and a statement of its owner that a bank
/// opened an account for it.
///
/// # Errors
/// [`Failure`] for files that are no dossier.
pub fn relist_as_stranger(files: &mut Files, pair: &KeyPair) -> Result<()> {
    let kid = pair.public().kid();
    files.insert(format!("keys/{kid}.pem"), to_pem("PUBLIC KEY", &pair.public().spki()).into_bytes());
    let opening = files.iter().find(|(path, _)| path.ends_with("-pay-acct/object.tbs"));
    let (path, tbs) = opening.ok_or_else(|| Failure::new("no account was opened"))?;
    let at = files.get(&path.replace("object.tbs", "at.txt")).cloned().unwrap_or_default();
    let tbs = with_line(&String::from_utf8_lossy(tbs), "owner", &kid.to_string());
    let tbs = with_line(&tbs, "signer", &kid.to_string());
    let mut put =
        |name: &str, content: Vec<u8>| files.insert(format!("evidence/900-pay-acct/{name}"), content);
    put("object.sig", signature(pair, &tbs)?);
    put("object.tbs", tbs.into_bytes());
    put("signer.txt", format!("key {kid}\n").into_bytes());
    put("about.txt", b"An account\n".to_vec());
    put("at.txt", at);
    relist(files)?;
    let tbs = with_line(text(files, "MANIFEST.tbs")?, "signer", &kid.to_string());
    let tbs = with_line(&tbs, "cert", "-");
    files.insert("MANIFEST.signer".into(), format!("key {kid}\n").into_bytes());
    files.insert("MANIFEST.sig".into(), signature(pair, &tbs)?);
    files.insert("MANIFEST.tbs".into(), tbs.into_bytes());
    Ok(())
}

/// Makes the list anew and signs it with the very key that signed it before: the maker of a dossier who forges.
///
/// # Errors
/// [`Failure`] if the wallet does not sign.
pub fn relist_as_maker(files: &mut Files, wallet: &Wallet) -> Result<()> {
    relist(files)?;
    let tbs = files.get("MANIFEST.tbs").map(Vec::as_slice).unwrap_or_default();
    let dossier: Dossier = statement::from_bytes(tbs)?;
    let policy = Subject::Operator { policy: Digest::of(b"forger") };
    let object = Object { statement: &dossier, facts: Facts::default() };
    let now = semper_host::chance::now();
    let keys = wallet.keys.of(KeyPurpose::Sign)?;
    let key = keys.first().ok_or_else(|| Failure::new("no key"))?;
    let decided = decide(&policy, Action::ExportEvidence, &object, None, &Limits::default(), now);
    let Decision::Allow(permit) = decided else { return Err(Failure::new("the forger has to be asked")) };
    let signed = wallet.keys.sign(key, permit, now)?;
    files.insert("MANIFEST.sig".into(), signed.bytes().signature.as_bytes().to_vec());
    Ok(())
}

/// The whole dossier once more, with other keys, under an authority of the forger's own: the same names, the same
/// words, and every signature good. Gives the forger's root. `bank` signs what the bank signed: the forger's bank,
/// or with `false` its buyer.
///
/// # Errors
/// [`Failure`] for files that are no dossier.
pub fn forged(files: &Files, bank: bool) -> Result<(Files, Digest)> {
    let mut forger = Forger::default();
    let mut made = files.clone();
    made.retain(|path, _| {
        !["certs/", "keys/", "roots/", "crls/"].iter().any(|below| path.starts_with(below))
    });
    let root = forger.certify(files, &mut made, bank)?;
    for path in files.keys().filter(|path| path.starts_with("keys/")) {
        let old = path.trim_start_matches("keys/").trim_end_matches(".pem");
        let key = forger.pair(old).public();
        made.insert(format!("keys/{}.pem", key.kid()), to_pem("PUBLIC KEY", &key.spki()).into_bytes());
    }
    let objects = files.keys().filter_map(|path| path.strip_suffix("/object.tbs"));
    for folder in objects {
        forger.sign(&mut made, &format!("{folder}/object"), &format!("{folder}/signer.txt"))?;
    }
    forger.sign(&mut made, "journal/own.head", "")?;
    let tbs = forger.rename(text(&made, "MANIFEST.tbs")?);
    made.insert("MANIFEST.tbs".into(), tbs.into_bytes());
    relist(&mut made)?;
    forger.sign(&mut made, "MANIFEST", "MANIFEST.signer")?;
    Ok((made, root))
}

/// What was renamed: keys, certificates and texts, by their digests in hexadecimal digits.
#[derive(Default)]
struct Forger {
    names: BTreeMap<String, String>,
    pairs: BTreeMap<String, KeyPair>,
}

impl Forger {
    /// The forger's key in the place of one, or one of its own.
    fn pair(&mut self, old: &str) -> &KeyPair {
        let pair = KeyPair::from_seed(Digest::of(old.as_bytes()).as_bytes());
        let new = pair.public().kid().to_string();
        self.names.insert(old.to_owned(), new.clone());
        self.pairs.entry(new).or_insert(pair)
    }

    fn certify(&mut self, files: &Files, made: &mut Files, bank: bool) -> Result<Digest> {
        let (roots, all) = (certificates(files, "roots/")?, certificates(files, "certs/")?);
        let (_, content) = roots.first().ok_or_else(|| Failure::new("no root"))?;
        let pair = || KeyPair::from_seed(&[7; 32]);
        let root = Issuer::root(pair(), content.subject.clone(), content.serial, content.from)?;
        let order = |content: &Content, key: &KeyPair| Issuance {
            class: content.class,
            subject: content.subject.clone(),
            key: key.public(),
            serial: Serial::from_random(*b"a forged serial!"),
            from: content.from,
            policy: content.policy.clone(),
        };
        let authority = all.iter().find(|(_, content)| content.class == Class::IssuingCa);
        let (old, content) = authority.ok_or_else(|| Failure::new("no authority"))?;
        let key = KeyPair::from_seed(&[8; 32]);
        let authority = Issuer::open(KeyPair::from_seed(&[8; 32]), root.issue(&order(content, &key))?)?;
        let mut issued = vec![(old.digest(), authority.certificate().clone())];
        for (old, content) in all.iter().filter(|(_, content)| content.class != Class::IssuingCa) {
            let key = self.pair(&content.key.kid().to_string());
            issued.push((old.digest(), authority.issue(&order(content, key))?));
        }
        for (old, new) in issued {
            self.names.insert(old.to_string(), new.digest().to_string());
            made.insert(format!("certs/{}.pem", new.digest()), new.to_pem().into_bytes());
        }
        if !bank {
            self.impersonate(&all);
        }
        let root = root.certificate();
        made.insert(format!("roots/{}.pem", root.digest()), root.to_pem().into_bytes());
        Ok(root.digest())
    }

    /// Has whoever is named a person sign what the bank signed.
    fn impersonate(&mut self, all: &[(Certificate, Content)]) {
        let of = |class: Class| all.iter().find(|(_, content)| content.class == class);
        let (Some((bank, its)), Some((person, his))) = (of(Class::Bank), of(Class::PersonSign)) else {
            return;
        };
        for (from, to) in [
            (bank.digest().to_string(), person.digest().to_string()),
            (its.key.kid().to_string(), his.key.kid().to_string()),
        ] {
            let to = self.names.get(&to).cloned().unwrap_or_default();
            self.names.insert(from, to);
        }
    }

    /// The text with every name that was changed.
    fn rename(&self, text: &str) -> String {
        let word = |word: &str| self.names.get(word).cloned().unwrap_or_else(|| word.to_owned());
        let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    /// Renames in a statement and signs it with the key that it names then.
    fn sign(&mut self, files: &mut Files, prefix: &str, signer: &str) -> Result<()> {
        let before = text(files, &format!("{prefix}.tbs"))?.to_owned();
        let tbs = self.rename(&before);
        let named = tbs.lines().find_map(|line| line.strip_prefix("signer: ")).unwrap_or_default();
        let pair = self.pairs.get(named).ok_or_else(|| Failure::of("nobody signs", prefix))?;
        files.insert(format!("{prefix}.sig"), signature(pair, &tbs)?);
        let digest = |text: &str| Digest::of(text.as_bytes()).to_string();
        self.names.insert(digest(&before), digest(&tbs));
        files.insert(format!("{prefix}.tbs"), tbs.into_bytes());
        if let Ok(line) = text(files, signer) {
            let line = self.rename(line);
            files.insert(signer.to_owned(), line.into_bytes());
        }
        Ok(())
    }
}

/// The text with another value in a line `name: value`.
fn with_line(text: &str, name: &str, value: &str) -> String {
    let start = format!("{name}: ");
    let line =
        |line: &str| if line.starts_with(&start) { format!("{start}{value}") } else { line.to_owned() };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Signs with `openssl`, as any forger can.
fn signature(pair: &KeyPair, tbs: &str) -> Result<Vec<u8>> {
    let desk = tempfile::tempdir()?;
    let (key, text) = (desk.path().join("key.der"), desk.path().join("tbs"));
    fs::write(&key, pair.pkcs8().as_slice())?;
    fs::write(&text, tbs)?;
    let mut command = Command::new("openssl");
    command.args(["pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey"]).arg(key).arg("-in").arg(text);
    let output = command.output()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Failure::of("openssl", String::from_utf8_lossy(&output.stderr)))
    }
}
