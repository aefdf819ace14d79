//! Rules of the house that no compiler checks: who may see whom, where texts come from, what never enters
//! the repository.
//!
//! Each rule is a function over plain data that returns one plain sentence for each violation. Beside it
//! stand its table and the tests that show it catching a made-up violation; here it meets the real tree.

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

use repository::{Repository, resolved_features};

/// Holds one rule against the real tree.
fn hold(rule: impl FnOnce(&Repository) -> Vec<String>) -> Result<(), String> {
    let findings = rule(&Repository::read()?);
    if findings.is_empty() { Ok(()) } else { Err(findings.join(" ")) }
}

#[test]
fn layers_look_down_only() -> Result<(), String> {
    hold(|repository| dependencies::layers(&repository.members))
}

#[test]
fn a_crate_with_an_owner_is_used_by_its_owner_only() -> Result<(), String> {
    hold(|repository| dependencies::owners(&repository.members))
}

#[test]
fn the_window_has_exactly_its_features() -> Result<(), String> {
    let repository = Repository::read()?;
    let mut findings = dependencies::window_features(&repository.members);
    if dependencies::has_window(&repository.members) {
        findings.extend(dependencies::window_weakened(&resolved_features()?));
    }
    hold(|_| findings)
}

#[test]
fn every_source_file_says_what_it_is_for() -> Result<(), String> {
    hold(|repository| sources::purposes(&repository.files))
}

#[test]
fn the_window_never_grabs_attention() -> Result<(), String> {
    hold(|repository| sources::grabs(&repository.files))
}

#[test]
fn texts_for_users_come_from_the_locale_files() -> Result<(), String> {
    hold(|repository| sources::literal_texts(&repository.files))
}

#[test]
fn no_path_of_a_particular_machine_is_kept() -> Result<(), String> {
    hold(|repository| files::machine_paths(&repository.files))
}

#[test]
fn packages_come_from_the_default_registry_only() -> Result<(), String> {
    hold(|repository| files::registries(&repository.files))
}

#[test]
fn configuration_files_can_be_read() -> Result<(), String> {
    hold(|repository| files::configuration(&repository.files))
}

#[test]
fn links_between_pages_lead_somewhere() -> Result<(), String> {
    hold(|repository| files::links(&repository.files))
}
