//! The file of evidence of one deal, which convinces a judge who has only `openssl`.
//!
//! A bundle is a folder of plain files. Every signed object lies in a folder of its own as the exact bytes
//! that were signed, the 64 bytes of the signature, and the name of the certificate or key; certificates,
//! keys and attachments are named by their own SHA-256; the compiler's record is a chain of lines up to its
//! signed head; and a signed statement (`dossier`) names the list of all files. `verify.sh` beside it checks
//! all of that with `sh`, `sha256sum` and `openssl`, against a root certificate whose fingerprint the judge
//! brings along. The layout is in `docs/archive-format.md`.
//!
//! Building a bundle is pure: what comes out is a list of paths and contents. A part too large for memory
//! is named by its hash and put there by the program.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, Serialize};

use super::{Signable, SignedBytes, Statement, Verified, statement};
use crate::{
    archive::{head::JournalHead, journal::Line},
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    deal::DealId,
    time::Moment,
};

/// The script that checks a bundle.
pub const VERIFY_SH: &str = include_str!("verify.sh");
/// What its reader is told first.
const README: &str = include_str!("README.txt");

/// Who signed an object.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum SignedBy {
    /// The key of a certificate: SHA-256 of its DER.
    Certificate(Digest),
    /// A key without a certificate: that of an account, whose owner a bank's statement `pay/acct` in the bundle
    /// names.
    Key(Kid),
}

/// One signed object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Object {
    /// The bytes and the signature.
    pub signed: SignedBytes,
    /// Who signed it.
    pub by: SignedBy,
    /// When it provably existed: the time at which its certificate must have been good.
    pub at: Moment,
    /// What it is, in one line for people.
    pub about: String,
}

/// The compiler's record: a segment of its journal, and the signed head it ends at.
#[derive(Clone, Debug)]
pub struct Record {
    /// The lines, in order, without gap.
    pub lines: Vec<Line>,
    /// The head the last of them is.
    pub head: Verified<JournalHead>,
    /// The key that signed the head.
    pub key: PublicKey,
}

/// `dossier`: what the compiler signs about the bundle as a whole.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Dossier {
    /// The deal.
    pub deal: DealId,
    /// SHA-256 of `MANIFEST.sha256`.
    pub manifest_sha256: Digest,
    /// SHA-256 of `verify.sh`.
    pub verify_sha256: Digest,
    /// How many signed objects there are.
    pub objects: u32,
    /// The key of the compiler's record, if a segment of it is there.
    pub journal_key: Option<Kid>,
    /// When it was compiled.
    pub at: Moment,
    /// The compiler's key.
    pub signer: Kid,
    /// The compiler's certificate: SHA-256 of its DER.
    pub cert: Option<Digest>,
}

impl Statement for Dossier {
    const TYPE: &'static str = "dossier";
}

impl Signable for Dossier {
    fn signer(&self) -> Kid {
        self.signer
    }
}

/// The parts of a bundle.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// The signed objects, in the order in which they are to be read.
    pub objects: Vec<Object>,
    /// Certificates of signers and of the authorities between them and a root, as DER.
    pub certificates: Vec<Vec<u8>>,
    /// Keys of signers without a certificate.
    pub keys: Vec<PublicKey>,
    /// Root certificates as DER.
    pub roots: Vec<Vec<u8>>,
    /// Revocation lists as DER, for the judge to look at.
    pub lists: Vec<Vec<u8>>,
    /// Texts, salts and other small contents that objects name by hash.
    pub attachments: Vec<Vec<u8>>,
    /// Contents that are put there by the program, by their SHA-256.
    pub large: Vec<Digest>,
    /// The compiler's record.
    pub record: Option<Record>,
    /// What happened, for people.
    pub report: String,
}

/// Why parts do not make a bundle.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BundleError {
    /// There are more objects than the numbering of folders holds.
    #[error("a bundle has at most 999 signed objects")]
    TooMany,
    /// The record does not end at its head.
    #[error("the record does not end at its signed head")]
    Record,
    /// The dossier statement cannot be written.
    #[error(transparent)]
    Statement(#[from] statement::StatementError),
}

/// A bundle without its compiler's signature.
#[derive(Clone, Debug)]
pub struct Draft {
    files: BTreeMap<String, Vec<u8>>,
    dossier: Dossier,
}

/// All files of a bundle but the large ones: paths below its folder, and contents.
pub type Files = BTreeMap<String, Vec<u8>>;

impl Parts {
    /// Lays the files out and writes the statement the compiler is to sign.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn draft(
        &self,
        deal: DealId,
        at: Moment,
        signer: Kid,
        cert: Option<Digest>,
    ) -> Result<Draft, BundleError> {
        let mut files = Files::new();
        let objects =
            u32::try_from(self.objects.len()).ok().filter(|n| *n <= 999).ok_or(BundleError::TooMany)?;
        for (n, object) in (1_u32..).zip(&self.objects) {
            object.lay(n, &mut files);
        }
        for der in &self.certificates {
            files.insert(format!("certs/{}.pem", Digest::of(der)), pem("CERTIFICATE", der));
        }
        for der in &self.roots {
            files.insert(format!("roots/{}.pem", Digest::of(der)), pem("CERTIFICATE", der));
        }
        for der in &self.lists {
            files.insert(format!("crls/{}.crl", Digest::of(der)), pem("X509 CRL", der));
        }
        for key in self.keys.iter().chain(self.record.as_ref().map(|record| &record.key)) {
            files.insert(format!("keys/{}.pem", key.kid()), pem("PUBLIC KEY", &key.spki()));
        }
        for content in &self.attachments {
            files.insert(format!("attachments/{}", Digest::of(content)), content.clone());
        }
        if let Some(record) = &self.record {
            record.lay(&mut files)?;
        }
        let verify_sha256 = Digest::of(VERIFY_SH.as_bytes());
        files.insert(
            "README.txt".into(),
            README.replace("{verify-sha256}", &verify_sha256.to_string()).into(),
        );
        files.insert("report.txt".into(), self.report.clone().into_bytes());
        let mut names: BTreeMap<String, Digest> =
            files.iter().map(|(path, content)| (path.clone(), Digest::of(content))).collect();
        names.extend(self.large.iter().map(|hash| (format!("attachments/{hash}"), *hash)));
        let manifest = names.iter().fold(String::new(), |mut text, (path, hash)| {
            let _ = writeln!(text, "{hash}  {path}");
            text
        });
        let dossier = Dossier {
            deal,
            manifest_sha256: Digest::of(manifest.as_bytes()),
            verify_sha256,
            objects,
            journal_key: self.record.as_ref().map(|record| record.key.kid()),
            at: at.whole_seconds(),
            signer,
            cert,
        };
        files.insert("MANIFEST.sha256".into(), manifest.into_bytes());
        files.insert("verify.sh".into(), VERIFY_SH.into());
        Ok(Draft { files, dossier })
    }
}

impl Draft {
    /// The statement that the compiler signs.
    pub fn dossier(&self) -> &Dossier {
        &self.dossier
    }

    /// The files, with the compiler's signature.
    pub fn complete(self, dossier: &Verified<Dossier>, by: SignedBy) -> Files {
        let mut files = self.files;
        let signed = dossier.bytes();
        files.insert("MANIFEST.tbs".into(), signed.tbs.clone());
        files.insert("MANIFEST.sig".into(), signed.signature.as_bytes().to_vec());
        files.insert("MANIFEST.signer".into(), by.line().into_bytes());
        files.insert("MANIFEST.at".into(), format!("{}\n", dossier.at.seconds()).into_bytes());
        files
    }
}

impl SignedBy {
    fn line(self) -> String {
        match self {
            Self::Certificate(digest) => format!("cert {digest}\n"),
            Self::Key(kid) => format!("key {kid}\n"),
        }
    }
}

impl Object {
    fn lay(&self, n: u32, files: &mut Files) {
        let kind = statement::type_of(&self.signed.tbs).unwrap_or_default();
        let folder = format!("evidence/{n:03}-{}", kind.replace('/', "-"));
        let mut put = |name: &str, content: Vec<u8>| files.insert(format!("{folder}/{name}"), content);
        put("object.tbs", self.signed.tbs.clone());
        put("object.sig", self.signed.signature.as_bytes().to_vec());
        put("signer.txt", self.by.line().into_bytes());
        put("at.txt", format!("{}\n", self.at.seconds()).into_bytes());
        put("about.txt", format!("{}\n", self.about).into_bytes());
    }
}

impl Record {
    fn lay(&self, files: &mut Files) -> Result<(), BundleError> {
        let (Some(first), Some(last)) = (self.lines.first(), self.lines.last()) else {
            return Err(BundleError::Record);
        };
        if (last.seq, last.hash()) != (self.head.seq, self.head.hash) {
            return Err(BundleError::Record);
        }
        let text: String = self.lines.iter().map(ToString::to_string).collect();
        let signed = self.head.bytes();
        files.insert("journal/own.txt".into(), text.into_bytes());
        files.insert("journal/own.prev".into(), format!("{}\n", first.prev).into_bytes());
        files.insert("journal/own.head.tbs".into(), signed.tbs.clone());
        files.insert("journal/own.head.sig".into(), signed.signature.as_bytes().to_vec());
        Ok(())
    }
}

/// RFC 7468: base64 in lines of 64 characters between two marks.
fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    let body = data_encoding::BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text.into_bytes()
}
