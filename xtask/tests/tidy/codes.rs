//! Every code that a fault can carry has its words: what happened, where things stand, what to do.

use std::collections::BTreeMap;

use crate::repository::Files;
use crate::scan::Scan;
use crate::sources::product;

/// The first words of codes. A literal `family.rest` anywhere in a product is a code.
const FAMILIES: [&str; 32] = [
    "access", "anon", "arbiter", "attach", "ca", "call", "deal", "exchange", "item", "key", "module",
    "money", "nego", "net", "package", "pay", "permit", "pin", "pref", "purse", "recovery", "sale", "seal",
    "seed", "shop", "stmt", "terms", "text", "tinguin", "unlock", "uri", "wire",
];

/// Literals that look like codes and are none: rights in certificates, a domain, a key of the preferences,
/// names of guards, files.
const NO_CODES: [&str; 13] = [
    "arbiter.changed",
    "pay.bank",
    "pay.card",
    "pay.carddevice",
    "pay.doccarrier",
    "pay.gateway",
    "pay.issuer",
    "pay.merchant",
    "pay.mint",
    "pay.ref",
    "shop.toml",
    "terms.toml",
    "uri.accept",
];

/// The crates whose faults reach a person through `Fault`.
const CORE: &str = "semper-core/";

/// Where the words are.
const WORDS: &str = "assets/locale/en/";

/// The attributes that the words of a fault have.
const PARTS: [&str; 2] = [".standing = ", ".advice = "];

/// Every code has a message with both attributes.
pub(crate) fn untold(files: &Files) -> Vec<String> {
    let told = told(files);
    let mut findings = Vec::new();
    for (path, text) in product(files, "").filter(|(path, _)| !path.starts_with("xtask/")) {
        for (line, code) in codes(path, text) {
            let id = code.replace('.', "-");
            match told.get(id.as_str()) {
                None => {
                    findings.push(format!("{path}:{line}: {code} has no text: give {id} one in {WORDS}."))
                }
                Some(false) => {
                    findings.push(format!(
                        "{id} lacks `.standing` or `.advice`: where things stand, what to do."
                    ));
                }
                Some(true) => {}
            }
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

/// The codes of a file, with their lines.
fn codes(path: &str, text: &str) -> Vec<(usize, String)> {
    if path.ends_with("/tests.rs") {
        return Vec::new();
    }
    let before = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\npub(crate) mod tests {"]
        .iter()
        .filter_map(|tests| text.find(tests))
        .min();
    let scan = Scan::of(text.get(..before.unwrap_or(text.len())).unwrap_or(text));
    let named = scan.literals().filter(|(_, literal)| is_code(literal));
    let mut found: Vec<(usize, String)> = named
        .filter(|(_, literal)| literal.split('.').next().is_some_and(|family| FAMILIES.contains(&family)))
        .map(|(line, literal)| (line, literal.to_owned()))
        .collect();
    if path.starts_with(CORE) {
        let given = scan.within("fn code(", "fn ");
        found.extend(given.filter(|(_, literal)| is_code(literal)).map(|(line, l)| (line, l.to_owned())));
    }
    found.retain(|(_, literal)| !NO_CODES.contains(&literal.as_str()));
    found
}

/// Whether a literal is two or more words of small letters, digits and hyphens with dots between.
fn is_code(literal: &str) -> bool {
    let plain = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    literal.contains('.') && literal.split('.').all(plain)
}

/// The ids of all messages, and whether each has both attributes.
fn told(files: &Files) -> BTreeMap<&str, bool> {
    let mut told = BTreeMap::new();
    for (_, text) in files.iter().filter(|(path, _)| path.starts_with(WORDS)) {
        let mut message: Option<(&str, [bool; 2])> = None;
        for line in text.lines().chain(["end ="]) {
            if let Some((id, _)) = line.split_once(" =").filter(|_| !line.starts_with([' ', '#'])) {
                if let Some((before, has)) = message.replace((id, [false; 2])) {
                    told.insert(before, has == [true; 2]);
                }
            } else if let Some((_, has)) = &mut message {
                for (part, has) in PARTS.iter().zip(has) {
                    *has |= line.trim_start().starts_with(part);
                }
            }
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "fn code(&self) -> &'static str { match self { A => \"engine.made-up\" } }\n\
                          fn other() { refuse(\"pay.made-up\"); open(\"archive.db\"); }\n";

    fn files(words: &str) -> Files {
        let path = "semper-core/engine/src/fault.rs".to_owned();
        Files::from([(path, SOURCE.to_owned()), (format!("{WORDS}a.ftl"), words.to_owned())])
    }

    #[test]
    fn a_code_without_words_is_caught_wherever_it_is_given() {
        let findings = untold(&files("a = A\n"));
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings.iter().any(|finding| finding.contains("fault.rs:1: engine.made-up has no text")));
        assert!(findings.iter().any(|finding| finding.contains("fault.rs:2: pay.made-up has no text")));
    }

    #[test]
    fn words_that_leave_the_reader_alone_are_caught() {
        let half =
            "engine-made-up = E\n    .standing = S\n    .advice = A\npay-made-up = P\n    .standing = S\n";
        let findings = untold(&files(half));
        assert_eq!(findings, ["pay-made-up lacks `.standing` or `.advice`: where things stand, what to do."]);
        assert_eq!(untold(&files(&format!("{half}    .advice = A\n"))), [""; 0]);
    }

    #[test]
    fn what_only_a_test_gives_needs_no_words() {
        let text = "//! x\n#[cfg(test)]\nmod tests {\n    const A: &str = \"pay.made-up\";\n}\n";
        let files = Files::from([("semper-core/engine/src/lib.rs".to_owned(), text.to_owned())]);
        assert_eq!(untold(&files), [""; 0]);
    }
}
