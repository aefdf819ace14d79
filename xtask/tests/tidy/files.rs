//! Rules about any file: no machine's paths, no other registry, readable configuration, living links.

use toml::{Table, Value};

use crate::repository::Files;

/// Folders of particular machines. Written in two halves, so that this file keeps its own rule.
const MACHINE: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/")];

/// Where packages might come from by name; only the default is used, and it needs no naming.
const REGISTRIES: [&str; 9] = [
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("crates.io", "-index"),
    concat!("deb.debian", ".org"),
    concat!("security.debian", ".org"),
    concat!("files.pythonhosted", ".org"),
    concat!("registry.npmjs", ".org"),
    concat!("replace", "-with"),
    concat!("[regis", "tries"),
];

/// How a lock file writes the default registry.
const DEFAULT: &str = concat!("registry+https://github.com/rust-lang/crates.io", "-index");

/// No path that exists on one machine only.
pub(crate) fn machine_paths(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in files {
        for (number, line) in text.lines().enumerate() {
            for folder in MACHINE {
                if line.match_indices(folder).any(|(at, _)| is_absolute(line, at)) {
                    findings.push(format!("{path}:{} names {folder}, a path of one machine.", number + 1));
                }
            }
        }
    }
    findings
}

/// Whether the `/` at `at` begins a path, rather than being inside one.
fn is_absolute(line: &str, at: usize) -> bool {
    line.get(..at)
        .and_then(|before| before.chars().next_back())
        .is_none_or(|before| !(before.is_alphanumeric() || "_.-~*/}>)".contains(before)))
}

/// Lock files know the default registry only, and no other file names one.
pub(crate) fn registries(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in files {
        if path.ends_with("Cargo.lock") {
            let sources = text.lines().filter_map(|line| line.strip_prefix("source = "));
            for source in sources.filter(|source| source.trim_matches('"') != DEFAULT) {
                findings.push(format!(
                    "{path} takes a package from {source}: only the default registry is used."
                ));
            }
        } else {
            for name in REGISTRIES.into_iter().filter(|name| text.contains(name)) {
                findings
                    .push(format!("{path} names {name}: where packages come from is each machine's matter."));
            }
        }
    }
    findings
}

/// TOML files parse, and every advisory that `deny.toml` ignores has its reason.
pub(crate) fn configuration(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".toml")) {
        match text.parse::<Table>() {
            Err(fault) => findings.push(format!("{path} is not TOML: {}.", fault.message())),
            Ok(table) if path == "deny.toml" => findings.extend(unreasoned(&table)),
            Ok(_) => {}
        }
    }
    findings
}

fn unreasoned(deny: &Table) -> Vec<String> {
    [("advisories", "ignore"), ("bans", "deny")]
        .into_iter()
        .flat_map(|(table, list)| {
            let entries = deny.get(table).and_then(|table| table.get(list)).and_then(Value::as_array);
            entries.into_iter().flatten().map(move |entry| (table, list, entry))
        })
        .filter(|(_, _, entry)| entry.get("reason").and_then(Value::as_str).is_none_or(str::is_empty))
        .map(|(table, list, entry)| format!("deny.toml gives no reason for {entry} in {table}.{list}."))
        .collect()
}

/// A link from one page to another file leads to a file or folder that is there.
pub(crate) fn links(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".md")) {
        for target in targets(text) {
            let place = resolve(path, target);
            if !files.keys().any(|known| *known == place || known.starts_with(&format!("{place}/"))) {
                findings.push(format!("{path} links to {target}, which is not there."));
            }
        }
    }
    findings
}

/// The local targets of the links in a page, code blocks left out.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("```")
        .step_by(2)
        .flat_map(|prose| prose.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains(':') && !target.starts_with('#'))
        .map(|target| target.split('#').next().unwrap_or(target))
}

fn resolve(page: &str, target: &str) -> String {
    let mut place: Vec<&str> = page.split('/').collect();
    place.pop();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(place.pop()),
            name => place.push(name),
        }
    }
    place.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Files {
        Files::from([(path.to_string(), text.to_string())])
    }

    #[test]
    fn a_machine_path_is_caught_and_a_folder_of_that_name_is_not() {
        for folder in MACHINE {
            assert_eq!(machine_paths(&file("README.md", &format!("see `{folder}notes`"))).len(), 1);
            assert_eq!(machine_paths(&file("a.sh", &format!("{folder}bin"))).len(), 1);
            assert!(
                machine_paths(&file("README.md", &format!("see wallet/src/views{folder}mod.rs"))).is_empty()
            );
        }
    }

    #[test]
    fn a_foreign_source_in_a_lock_file_is_caught() {
        let lock = |source: &str| file("Cargo.lock", &format!("[[package]]\nsource = \"{source}\"\n"));
        assert!(registries(&lock(DEFAULT)).is_empty());
        assert_eq!(registries(&lock("registry+https://mirror.example/index")).len(), 1);
        assert_eq!(registries(&lock("git+https://example.org/fork#abc")).len(), 1);
    }

    #[test]
    fn a_registry_named_anywhere_else_is_caught() {
        for name in REGISTRIES {
            assert_eq!(registries(&file(".cargo/config.toml", &format!("x = '{name}'"))).len(), 1, "{name}");
        }
    }

    #[test]
    fn broken_configuration_and_an_unreasoned_exception_are_caught() {
        assert_eq!(configuration(&file("kittest.toml", "threshold = = 1")).len(), 1);
        let deny = |ignore: &str| file("deny.toml", &format!("[advisories]\nignore = [{ignore}]"));
        assert_eq!(configuration(&deny("\"RUSTSEC-2000-0001\"")).len(), 1);
        assert_eq!(configuration(&deny("{ id = \"RUSTSEC-2000-0001\", reason = \"\" }")).len(), 1);
        assert!(configuration(&deny("{ id = \"RUSTSEC-2000-0001\", reason = \"why\" }")).is_empty());
    }

    #[test]
    fn a_dead_link_is_caught() {
        let mut files =
            file("docs/glossary.md", "[a](decisions/0001.md#x) [b](../README.md) [c](https://example.org)");
        assert_eq!(links(&files).len(), 2);
        files.insert("README.md".into(), "[docs](docs) ```\n[x](nowhere.md)\n```".into());
        files.insert("docs/decisions/0001.md".into(), String::new());
        assert_eq!(links(&files), Vec::<String>::new());
    }
}
