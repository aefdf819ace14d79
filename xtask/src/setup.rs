//! The set-up check: what this machine lacks, said in plain sentences before anything is built.
//!
//! Tools for building are only reported, since how to get them is the user's choice. Debian packages that
//! the product or its tests need are installed if the user agrees.

use std::fs;

use crate::process::{Repository, answer, is_on_path};
use crate::{Consent, Options, Stop, debian};

/// The oldest Rust that builds this workspace, as in the root `Cargo.toml`.
const RUST: (u32, u32) = (1, 95);

/// What the first run of all checks costs: 26 minutes on two cores, 14 of them the tests themselves, and 11 GB.
pub(crate) const WITH_TESTS: &str = "This is the first build here: checking, building and testing everything takes about 30 minutes on two cores \
     and about 12 GB of disk. Later runs build only what changed; the tests take about 15 minutes.";

/// `cargo xtask setup`: the check by itself.
pub(crate) fn run(repository: &Repository, options: &Options) -> Result<(), Stop> {
    options.without_words()?;
    check(repository, options.consent)?;
    println!("This machine has what SEMPER needs.");
    Ok(())
}

/// Checks the tools for building and the packages, and installs the latter with the user's consent.
pub(crate) fn check(repository: &Repository, consent: Consent) -> Result<(), Stop> {
    let sentences = Tools::look(repository).complaints();
    if !sentences.is_empty() {
        return Err(Stop(sentences.join("\n")));
    }
    debian::provide(repository, consent)
}

/// Says what the first build of this profile costs, before it begins.
pub(crate) fn foretell(repository: &Repository, profile: &str, cost: &str) {
    if is_first_build(repository, profile) {
        println!("{cost}");
    }
}

/// Which tools for building this machine has.
struct Tools {
    rustc: Option<String>,
    compiler: bool,
    make: bool,
    perl: bool,
}

impl Tools {
    fn look(repository: &Repository) -> Self {
        Self {
            rustc: answer(repository.command("rustc").arg("--version")),
            compiler: std::env::var_os("CC").is_some() || is_on_path("cc"),
            make: is_on_path("make"),
            perl: is_on_path("perl"),
        }
    }

    /// One sentence for each thing that is missing.
    fn complaints(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        match self.rustc.as_deref().map(|text| (text, version(text))) {
            Some((_, Some(found))) if found >= RUST => {}
            Some((text, _)) => sentences.push(format!(
                "Rust {}.{} or later is needed, and this is {}: run `rustup update stable`.",
                RUST.0,
                RUST.1,
                text.trim()
            )),
            None => sentences.push(format!(
                "Rust {}.{} or later is missing: install it with rustup, `apt-get install rustup && rustup default \
                 stable` where Debian has that package.",
                RUST.0, RUST.1
            )),
        }
        for (present, what, packages) in [
            (self.compiler, "A C compiler is missing", "gcc libc6-dev"),
            (self.make, "The program make is missing", "make"),
            (self.perl, "The program perl is missing", "perl"),
        ] {
            if !present {
                sentences.push(format!("{what}: run `apt-get install {packages}` as root."));
            }
        }
        sentences
    }
}

/// Reads major and minor number from `rustc 1.95.0 (…)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("rustc ")?.split(['.', '-', ' ']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Whether none of our libraries has been built in this profile yet.
fn is_first_build(repository: &Repository, profile: &str) -> bool {
    let fingerprints = repository.target().join(profile).join(".fingerprint");
    fs::read_dir(fingerprints).map_or(true, |entries| {
        !entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("semper-"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Tools {
        Tools {
            rustc: Some("rustc 1.95.0 (abc 2026-03-21)\n".into()),
            compiler: true,
            make: true,
            perl: true,
        }
    }

    #[test]
    fn a_complete_machine_draws_no_complaint() {
        assert_eq!(complete().complaints(), Vec::<String>::new());
        let nightly = Tools { rustc: Some("rustc 1.97.0-nightly (abc)".into()), ..complete() };
        assert_eq!(nightly.complaints(), Vec::<String>::new());
    }

    #[test]
    fn an_old_an_absent_or_an_unreadable_rust_is_named() {
        for rustc in [Some("rustc 1.94.1 (abc)".to_string()), Some("gibberish".to_string()), None] {
            let sentences = Tools { rustc, ..complete() }.complaints();
            assert_eq!(sentences.len(), 1);
            assert!(sentences[0].starts_with("Rust 1.95 or later is"), "{}", sentences[0]);
        }
    }

    #[test]
    fn each_missing_tool_has_its_sentence_and_its_command() {
        let sentences = Tools { compiler: false, make: false, perl: false, ..complete() }.complaints();
        assert_eq!(sentences.len(), 3);
        assert!(sentences[0].contains("apt-get install gcc libc6-dev"));
        assert!(sentences[1].contains("apt-get install make"));
        assert!(sentences[2].contains("apt-get install perl"));
    }
}
