//! A package: one service with everything that belongs to it, in one file.
//!
//! ```text
//! files.lst                     <sha256>  <path>, sorted; its own SHA-256 is the package's name
//! terms.toml, blocks/*.toml     the terms, and exactly the blocks they use, which they lock
//! text/<lang>.toml              translations
//! prose/<name>.<lang>.md        long texts
//! sig/…                         who signed the package; not part of what it is named by
//! ```

use std::collections::{BTreeMap, BTreeSet};

use semper_supporting::{
    certificate::{CHAIN_LIMIT, Certificate},
    crypto::{digest::Digest, signature::Signature},
    evidence::SignedBytes,
};

use super::{
    fault::ServiceFault,
    prose::Prose,
    translation::{self, Said, Translation, check_words, is_language, texts},
    ustar,
};
use crate::service::{
    Statechart,
    definition::Definition,
    flatten::flatten,
    statechart::{FieldKind, Service},
};

/// The suffix of the name of a file that holds a package.
pub const SUFFIX: &str = ".semper-service";
/// Its media type.
pub const MEDIA_TYPE: &str = "application/vnd.semper.service";
/// The language that terms are written in.
pub const ENGLISH: &str = "en";

pub(super) const LIST: &str = "files.lst";
pub(super) const TERMS: &str = "terms.toml";
const SIGNATURES: &str = "sig/";

/// A package that was read whole. That it is well made says nothing about who made it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Package {
    sha256: Digest,
    terms_sha256: Digest,
    chart: Statechart,
    texts: Translation,
    translations: BTreeMap<String, Translation>,
    prose: BTreeMap<String, BTreeMap<String, Prose>>,
    terms: Option<Signed>,
    evaluations: Vec<Signed>,
}

/// A signed statement and the certificates of its signer, both as they came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signed {
    /// The statement.
    pub statement: SignedBytes,
    /// The chain of its signer, the signer's own certificate first.
    pub chain: Vec<Certificate>,
}

impl Package {
    /// Reads the bytes of a package.
    ///
    /// # Errors
    /// [`ServiceFault::BadPackage`] for what is not exactly a package, [`ServiceFault::Terms`] for terms that
    /// cannot be read or made flat.
    pub fn read(bytes: &[u8]) -> Result<Self, ServiceFault> {
        let files: BTreeMap<&str, &[u8]> = ustar::read(bytes)?.into_iter().collect();
        let list = files.get(LIST).ok_or_else(|| ServiceFault::bad("no list of files"))?;
        if list_of(&files).as_bytes() != *list {
            return Err(ServiceFault::bad("its list of files is of other files"));
        }
        let terms = files.get(TERMS).ok_or_else(|| ServiceFault::bad("no terms"))?;
        let definition = Definition::read(TERMS, terms)?;
        let blocks = all_in(&files, "blocks/", ".toml")
            .map(|(file, _, bytes)| Ok(Definition::read(file, bytes)?))
            .collect::<Result<Vec<_>, ServiceFault>>()?;
        let chart = flatten(&definition, &blocks)?;
        check_blocks(&chart, &blocks)?;
        let texts = texts(&chart);
        texts.values().try_for_each(|words| check_words(TERMS, words))?;
        let mut translations = BTreeMap::new();
        for (file, language, bytes) in all_in(&files, "text/", ".toml") {
            if !is_language(language) || language == ENGLISH {
                return Err(ServiceFault::bad(format!("{file}: not the name of another language")));
            }
            translations.insert(language.to_owned(), translation::read(file, bytes, &texts)?);
        }
        let prose = read_prose(&files, &chart)?;
        let (terms_signed, evaluations, signatures) = read_signatures(&files)?;
        let known = |path: &str| {
            path == LIST
                || path == TERMS
                || signatures.contains(path)
                || name_of(path, "blocks/", ".toml").is_some()
                || name_of(path, "text/", ".toml").is_some()
                || name_of(path, "prose/", ".md").is_some()
        };
        if let Some(strange) = files.keys().find(|path| !known(path)) {
            return Err(ServiceFault::bad(format!("{strange} does not belong in it")));
        }
        Ok(Self {
            sha256: Digest::of(list),
            terms_sha256: definition.sha256(),
            chart,
            texts,
            translations,
            prose,
            terms: terms_signed,
            evaluations,
        })
    }

    /// Its name: SHA-256 of its list of files.
    pub fn sha256(&self) -> Digest {
        self.sha256
    }

    /// SHA-256 of its terms.
    pub fn terms_sha256(&self) -> Digest {
        self.terms_sha256
    }

    /// The terms, flat.
    pub fn chart(&self) -> &Statechart {
        &self.chart
    }

    /// What the service is called and for what it is made.
    pub fn service(&self) -> &Service {
        &self.chart.service
    }

    /// The merchant's statement, where it came along; not yet checked.
    pub fn terms_signed(&self) -> Option<&Signed> {
        self.terms.as_ref()
    }

    /// The statements of evaluators that came along; not yet checked.
    pub fn evaluations(&self) -> &[Signed] {
        &self.evaluations
    }

    /// The words at `path` of the terms, in `language`; nothing where the terms have no words there.
    pub fn words(&self, path: &str, language: &str) -> Option<Said<&str>> {
        let english = self.texts.get(path)?;
        let translated = self.translations.get(language).and_then(|all| all.get(path));
        Some(Said {
            words: translated.unwrap_or(english),
            translated: translated.is_some() || language == ENGLISH,
        })
    }

    /// The long text `name` (`prose/withdrawal`) in `language`; nothing where there is none of this name.
    pub fn prose(&self, name: &str, language: &str) -> Option<Said<&Prose>> {
        let all = self.prose.get(name)?;
        match (all.get(language), all.get(ENGLISH)) {
            (Some(words), _) => Some(Said { words, translated: true }),
            (None, words) => words.map(|words| Said { words, translated: false }),
        }
    }

    /// The languages beside English that it has words in, and its long texts with the languages of each.
    pub(super) fn languages(&self) -> (Vec<String>, Vec<(String, String)>) {
        let texts = self.prose.iter();
        let texts = texts.flat_map(|(name, all)| all.keys().map(|one| (name.clone(), one.clone())));
        (self.translations.keys().cloned().collect(), texts.collect())
    }

    /// Everything it says in any language, each part by a name of its own; for whoever compares two versions.
    pub(super) fn all_words(&self) -> BTreeMap<String, String> {
        let mut all = self.texts.clone();
        for (language, words) in &self.translations {
            all.extend(words.iter().map(|(path, words)| (format!("{path} ({language})"), words.clone())));
        }
        for (name, languages) in &self.prose {
            for (language, prose) in languages {
                let mut words = String::new();
                for part in &prose.parts {
                    words.push_str(&format!("{part:?}\n"));
                }
                all.insert(format!("{name} ({language})"), words);
            }
        }
        all
    }
}

/// The package in `bytes` with these signatures in place of those it had. Its name stays.
///
/// # Errors
/// [`ServiceFault::BadPackage`] if there was none; [`ServiceFault::Unpackable`] for a name of an evaluation that
/// no file can have.
pub fn with_signatures(
    bytes: &[u8],
    terms: Option<&Signed>,
    evaluations: &BTreeMap<String, Signed>,
) -> Result<Vec<u8>, ServiceFault> {
    Package::read(bytes)?;
    let mut files: BTreeMap<String, Vec<u8>> = ustar::read(bytes)?
        .into_iter()
        .filter(|(name, _)| !name.starts_with(SIGNATURES))
        .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
        .collect();
    let merchant = terms.map(|signed| ("terms".to_owned(), "merchant".to_owned(), signed));
    let evaluators =
        evaluations.iter().map(|(name, signed)| (format!("eval-{name}"), format!("eval-{name}"), signed));
    for (statement, chain, signed) in merchant.into_iter().chain(evaluators) {
        files.insert(format!("{SIGNATURES}{statement}.stmt"), signed.statement.tbs.clone());
        files.insert(format!("{SIGNATURES}{statement}.sig"), signed.statement.signature.as_bytes().to_vec());
        let pem: String = signed.chain.iter().map(Certificate::to_pem).collect();
        files.insert(format!("{SIGNATURES}{chain}.pem"), pem.into_bytes());
    }
    let lent: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let bytes = ustar::write(&lent)?;
    Package::read(&bytes).map_err(|fault| ServiceFault::unpackable(fault.to_string()))?;
    Ok(bytes)
}

/// The list of `files` as `sha256sum -c` reads it: all but the list itself and what stands under `sig/`.
pub(super) fn list_of(files: &BTreeMap<&str, &[u8]>) -> String {
    files
        .iter()
        .filter(|(path, _)| **path != LIST && !path.starts_with(SIGNATURES))
        .map(|(path, bytes)| format!("{}  {path}\n", Digest::of(bytes)))
        .collect()
}

/// The files directly in `folder` that end in `suffix`, with their names between the two.
fn all_in<'a>(
    files: &'a BTreeMap<&'a str, &'a [u8]>,
    folder: &'a str,
    suffix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str, &'a [u8])> {
    files.iter().filter_map(move |(path, bytes)| Some((*path, name_of(path, folder, suffix)?, *bytes)))
}

fn name_of<'a>(path: &'a str, folder: &str, suffix: &str) -> Option<&'a str> {
    let name = path.strip_prefix(folder)?.strip_suffix(suffix)?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// Whether these are the blocks that the chart is made of, no more, and the ones it locks.
fn check_blocks(chart: &Statechart, blocks: &[Definition]) -> Result<(), ServiceFault> {
    let there: BTreeSet<Digest> = blocks.iter().map(Definition::sha256).collect();
    let used: BTreeSet<Digest> = chart.blocks.values().copied().collect();
    if there != used || there.len() != blocks.len() {
        return Err(ServiceFault::bad("a block that the terms do not use"));
    }
    let locked: BTreeMap<String, Digest> =
        blocks.iter().map(|block| (block.id().to_owned(), block.sha256())).collect();
    if locked != chart.lock || locked.len() != blocks.len() {
        return Err(ServiceFault::bad("its blocks are not those that the terms lock"));
    }
    Ok(())
}

/// Reads all long texts; each has an English version, and those that a form asks consent to are there.
fn read_prose(
    files: &BTreeMap<&str, &[u8]>,
    chart: &Statechart,
) -> Result<BTreeMap<String, BTreeMap<String, Prose>>, ServiceFault> {
    let mut all: BTreeMap<String, BTreeMap<String, Prose>> = BTreeMap::new();
    for (file, name, bytes) in all_in(files, "prose/", ".md") {
        let (name, language) = name
            .split_once('.')
            .filter(|(name, language)| !name.is_empty() && is_language(language))
            .ok_or_else(|| ServiceFault::bad(format!("{file}: not the name of a text and its language")))?;
        let prose = Prose::read(file, bytes)?;
        all.entry(format!("prose/{name}")).or_default().insert(language.to_owned(), prose);
    }
    let fields = chart.forms.values().flat_map(|form| form.fields.values());
    let asked = fields.filter_map(|field| match &field.kind {
        FieldKind::Consent { text } => Some(text.as_str()),
        _ => None,
    });
    let there = |name: &str| all.get(name).is_some_and(|languages| languages.contains_key(ENGLISH));
    match asked.chain(all.keys().map(String::as_str)).find(|name| !there(name)) {
        Some(missing) => Err(ServiceFault::bad(format!("{missing} is not there in English"))),
        None => Ok(all),
    }
}

type Signatures = (Option<Signed>, Vec<Signed>, BTreeSet<String>);

/// Reads what is under `sig/`, with the names of the files it is read from.
fn read_signatures(files: &BTreeMap<&str, &[u8]>) -> Result<Signatures, ServiceFault> {
    let mut seen = BTreeSet::new();
    let mut take = |statement: &str, chain: &str| {
        let paths = [format!("{statement}.stmt"), format!("{statement}.sig"), format!("{chain}.pem")]
            .map(|path| format!("{SIGNATURES}{path}"));
        let signed = read_signed(files, &paths)?;
        seen.extend(paths);
        Ok::<_, ServiceFault>(signed)
    };
    let terms = match files.get("sig/terms.stmt") {
        Some(_) => Some(take("terms", "merchant")?),
        None => None,
    };
    let mut evaluations = Vec::new();
    for (_, name, _) in all_in(files, SIGNATURES, ".stmt").filter(|(_, name, _)| name.starts_with("eval-")) {
        evaluations.push(take(name, name)?);
    }
    Ok((terms, evaluations, seen))
}

fn read_signed(files: &BTreeMap<&str, &[u8]>, paths: &[String; 3]) -> Result<Signed, ServiceFault> {
    let [statement, signature, chain] = paths;
    let file = |path: &String| {
        files.get(path.as_str()).copied().ok_or_else(|| ServiceFault::bad(format!("{path} is missing")))
    };
    let tbs = file(statement)?.to_vec();
    let bytes = <[u8; 64]>::try_from(file(signature)?)
        .map_err(|_| ServiceFault::bad(format!("{signature} is no signature")))?;
    let pem = std::str::from_utf8(file(chain)?).ok();
    let chain_of = pem.and_then(|text| {
        let all = Certificate::all_from_pem(text, CHAIN_LIMIT).ok()?;
        let again: String = all.iter().map(Certificate::to_pem).collect();
        (!all.is_empty() && again == text).then_some(all)
    });
    let chain = chain_of.ok_or_else(|| ServiceFault::bad(format!("{chain} is no chain of certificates")))?;
    Ok(Signed { statement: SignedBytes { tbs, signature: Signature::from_bytes(bytes) }, chain })
}
