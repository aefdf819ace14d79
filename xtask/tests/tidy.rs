//! Rules of the house that no compiler checks: who may see whom, where texts come from, what never enters
//! the repository.
//!
//! Each rule is a function over plain data that returns one plain sentence for each violation. Beside it
//! stand its table and the tests that show it catching a made-up violation; here it meets the real tree.

#[path = "tidy/codes.rs"]
mod codes;
#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/repository.rs"]
mod repository;
#[path = "tidy/scan.rs"]
mod scan;
#[path = "tidy/sources.rs"]
mod sources;

use std::fmt;

use repository::{Repository, resolved_features};

/// What a failing rule says, one sentence a line.
struct Findings(Vec<String>);

impl fmt::Debug for Findings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|sentence| write!(formatter, "\n{sentence}"))
    }
}

impl From<String> for Findings {
    fn from(sentence: String) -> Self {
        Self(vec![sentence])
    }
}

/// Holds one rule against the real tree.
fn hold(rule: impl FnOnce(&Repository) -> Vec<String>) -> Result<(), Findings> {
    let findings = rule(&Repository::read()?);
    if findings.is_empty() { Ok(()) } else { Err(Findings(findings)) }
}

#[test]
fn layers_look_down_only() -> Result<(), Findings> {
    hold(|repository| dependencies::layers(&repository.members))
}

#[test]
fn a_crate_with_an_owner_is_used_by_its_owner_only() -> Result<(), Findings> {
    hold(|repository| dependencies::owners(&repository.members))
}

#[test]
fn the_window_has_exactly_its_features() -> Result<(), Findings> {
    let resolved = resolved_features()?;
    hold(|repository| {
        let asked = dependencies::window_features(&repository.members);
        asked.into_iter().chain(dependencies::window_weakened(&resolved)).collect()
    })
}

#[test]
fn every_source_file_says_what_it_is_for() -> Result<(), Findings> {
    hold(|repository| sources::purposes(&repository.files))
}

#[test]
fn the_window_never_grabs_attention() -> Result<(), Findings> {
    hold(|repository| sources::grabs(&repository.files))
}

#[test]
fn texts_for_users_come_from_the_locale_files() -> Result<(), Findings> {
    hold(|repository| sources::literal_texts(&repository.files))
}

#[test]
fn every_code_of_a_fault_has_its_words() -> Result<(), Findings> {
    hold(|repository| codes::untold(&repository.files))
}

#[test]
fn no_path_of_a_particular_machine_is_kept() -> Result<(), Findings> {
    hold(|repository| files::machine_paths(&repository.files))
}

#[test]
fn packages_come_from_the_default_registry_only() -> Result<(), Findings> {
    hold(|repository| files::registries(&repository.files))
}

#[test]
fn configuration_files_can_be_read() -> Result<(), Findings> {
    hold(|repository| files::configuration(&repository.files))
}

#[test]
fn links_between_pages_lead_somewhere() -> Result<(), Findings> {
    hold(|repository| files::links(&repository.files))
}
