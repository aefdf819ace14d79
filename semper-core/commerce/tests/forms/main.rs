//! The form of every type of statement there is, held to a file of its exact bytes.
//!
//! Each module makes one value of each of its types, of fixed parts. Its text is compared with the file in
//! `tests/golden`, its SHA-256 with the `SHA256SUMS` beside it, and the file is read back as that very value.
//! The registry is walked: a type without a file fails, as does a file without a type. A statement signed
//! years ago is read by these forms, so a file here changes only together with the name of its type.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests read their golden files")]

mod exchange;
mod items;
mod parts;
mod payment;
mod supporting;
mod third_party;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs,
    path::{Path, PathBuf},
};

use semper_commerce::{
    deal::{DealAccept, DealClose, DealOpen, DealPropose, DealResume},
    download::{
        evaluation::{EvaluationRevocations, ServiceEvaluation},
        terms_statement::ServiceTerms,
    },
};
use semper_supporting::{
    crypto::digest::Digest,
    evidence::{
        Statement,
        registry::TYPES,
        statement::{self, StatementError},
    },
};
use semper_transfer::payment::negotiation::{NegConfirm, NegPropose, NegSelect};

/// Types that are set aside: no program writes or reads them, so that they have no form yet.
const RESERVED: [&str; 4] = ["a/record", "attribute", "d/anchor", "timestamp"];

/// The folders of golden files of statements.
const FOLDERS: [&str; 4] = ["deal", "negotiation", "service", "statement"];

/// One type with the text of one value of it.
pub(crate) struct Form {
    kind: &'static str,
    /// The exact bytes; none where the test of the protocol that makes it compares them.
    tbs: Option<Vec<u8>>,
    read: fn(&[u8]) -> Result<(), StatementError>,
}

impl Form {
    /// The form of `value`, which is read back as it was written.
    pub(crate) fn of<T: Statement + Debug + PartialEq>(value: &T) -> Self {
        let tbs = statement::to_bytes(value).unwrap();
        assert_eq!(statement::from_bytes::<T>(&tbs).as_ref(), Ok(value), "{}", T::TYPE);
        Self { tbs: Some(tbs), ..Self::made_elsewhere::<T>() }
    }

    /// A type whose value comes from a run of its protocol, in the test of that.
    fn made_elsewhere<T: Statement>() -> Self {
        Self { kind: T::TYPE, tbs: None, read: |bytes| statement::from_bytes::<T>(bytes).map(drop) }
    }
}

fn forms() -> BTreeMap<&'static str, Form> {
    let elsewhere = [
        Form::made_elsewhere::<DealAccept>(),
        Form::made_elsewhere::<DealClose>(),
        Form::made_elsewhere::<DealOpen>(),
        Form::made_elsewhere::<DealPropose>(),
        Form::made_elsewhere::<DealResume>(),
        Form::made_elsewhere::<NegConfirm>(),
        Form::made_elsewhere::<NegPropose>(),
        Form::made_elsewhere::<NegSelect>(),
        Form::made_elsewhere::<EvaluationRevocations>(),
        Form::made_elsewhere::<ServiceEvaluation>(),
        Form::made_elsewhere::<ServiceTerms>(),
    ];
    let mut forms = BTreeMap::new();
    let made =
        [supporting::forms(), items::forms(), payment::forms(), exchange::forms(), third_party::forms()];
    for form in made.into_iter().flatten().chain(elsewhere) {
        let kind = form.kind;
        assert!(forms.insert(kind, form).is_none(), "two forms of {kind}");
    }
    forms
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

/// The folder and the name of the file of a type.
fn place(kind: &str) -> (&'static str, String) {
    match kind.strip_prefix("pay/") {
        _ if kind.starts_with("service-") || kind.starts_with("evaluation-") => {
            ("service", format!("{kind}.txt"))
        }
        _ if kind.starts_with("deal-") => ("deal", format!("{kind}.txt")),
        Some(message @ ("neg-c" | "neg-p" | "neg-s")) => ("negotiation", format!("{message}.txt")),
        _ => ("statement", format!("{}.txt", kind.replace('/', "-"))),
    }
}

fn file(kind: &str) -> String {
    let (folder, name) = place(kind);
    let path = golden().join(folder).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{kind}: {}: {error}", path.display()))
}

#[test]
fn every_registered_type_of_statement_has_a_golden_file() {
    let forms = forms();
    let registered: BTreeSet<&str> = TYPES.iter().copied().collect();
    let pinned: BTreeSet<&str> = forms.keys().copied().chain(RESERVED).collect();
    let missing: Vec<_> = registered.difference(&pinned).collect();
    assert!(missing.is_empty(), "no golden file pins the form of {missing:?}");
    let unknown: Vec<_> = pinned.difference(&registered).collect();
    assert!(unknown.is_empty(), "not in the registry: {unknown:?}");
    for kind in RESERVED {
        assert!(!forms.contains_key(kind), "{kind} has a form, and is reserved no longer");
    }
    for kind in forms.keys() {
        assert!(file(kind).starts_with(&format!("semper-statement/1 {kind}\n")), "{kind}");
    }
}

#[test]
fn every_statement_has_the_form_of_its_golden_file() {
    for (kind, form) in forms() {
        let file = file(kind);
        assert_eq!((form.read)(file.as_bytes()), Ok(()), "{kind}");
        if let Some(tbs) = form.tbs {
            assert_eq!(String::from_utf8(tbs).unwrap(), file, "{kind}");
        }
    }
}

/// `sha256sum -c SHA256SUMS` agrees in each folder, and leaves no statement out.
#[test]
fn the_sums_are_those_of_the_files_and_no_file_is_without_a_type() {
    let kinds: BTreeSet<_> = forms().keys().map(|kind| place(kind)).collect();
    for folder in FOLDERS {
        let at = golden().join(folder);
        let sums = fs::read_to_string(at.join("SHA256SUMS")).unwrap();
        let listed: Vec<_> = sums.lines().filter_map(|line| line.split_once("  ")).collect();
        assert_eq!(listed.len(), sums.lines().count(), "{folder}: a line is no sum");
        for (sum, name) in &listed {
            assert_eq!(Digest::of(&fs::read(at.join(name)).unwrap()).to_string(), *sum, "{folder}/{name}");
        }
        let listed: BTreeSet<_> = listed.iter().map(|(_, name)| (*name).to_owned()).collect();
        let owed = kinds.iter().filter(|(of, _)| *of == folder).map(|(_, name)| name.clone()).collect();
        assert_eq!(listed, owed, "{folder}");
    }
    let found = fs::read_dir(golden().join("statement")).unwrap();
    let found = found.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let stray: Vec<_> =
        found.filter(|name| name != "SHA256SUMS" && !kinds.contains(&("statement", name.clone()))).collect();
    assert!(stray.is_empty(), "files of no type: {stray:?}");
}

/// A reserved type that a program names as its own is reserved no longer.
#[test]
fn no_source_gives_a_reserved_type_a_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = vec![root.join("semper-core"), root.join("wallet/src"), root.join("ttp-daemon/src")];
    folders.push(root.join("merchant-daemon/src"));
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                // Tests make up what they like; access control knows a class for every type.
                folders.extend((!["tests", "access"].contains(&name.as_str())).then_some(path));
            } else if name.ends_with(".rs") && name != "registry.rs" {
                read += 1;
                let text = fs::read_to_string(&path).unwrap();
                for kind in RESERVED {
                    let named = [format!("= \"{kind}\""), format!("=> \"{kind}\"")];
                    let named = named.iter().any(|one| text.contains(one));
                    assert!(!named, "{} gives {kind} a form", path.display());
                }
            }
        }
    }
    assert!(read > 100, "only {read} sources were found");
}
