//! Who may see whom: our layers among themselves, and outside crates that have one owner.

use std::collections::{BTreeMap, BTreeSet};

use crate::repository::{Dependency, Kind, Member};

/// What the crates of a folder may see of our own crates. A `*` at the end stands for any rest.
struct Layer {
    folder: &'static str,
    sees: &'static [&'static str],
}

const SUPPORTING: &str = "semper-core/supporting";
const TRANSFER: &str = "semper-core/transfer";
const EXCHANGE: &str = "semper-core/exchange";
const COMMERCE: &str = "semper-core/commerce";
/// Every crate below `semper-core/`, and the facade itself.
const CORE: &str = "semper-core*";

/// The first row that fits a folder holds. Supporting ← transfer ← exchange ← commerce ← engine.
const LAYERS: &[Layer] = &[
    Layer { folder: SUPPORTING, sees: &[] },
    Layer { folder: TRANSFER, sees: &[SUPPORTING] },
    Layer { folder: EXCHANGE, sees: &[SUPPORTING, TRANSFER] },
    Layer { folder: COMMERCE, sees: &[SUPPORTING, TRANSFER, EXCHANGE] },
    Layer { folder: "semper-core/engine", sees: &[SUPPORTING, TRANSFER, EXCHANGE, COMMERCE] },
    Layer { folder: "semper-core/modules/payment-*", sees: &[SUPPORTING, TRANSFER] },
    Layer { folder: "semper-core/modules/credential-*", sees: &[SUPPORTING, TRANSFER] },
    Layer { folder: "semper-core/modules/comm-*", sees: &[SUPPORTING] },
    Layer { folder: "semper-core/modules/archive-*", sees: &[SUPPORTING] },
    Layer { folder: "semper-core/modules/tinguin-*", sees: &[SUPPORTING] },
    Layer { folder: "semper-core/host", sees: &[CORE] },
    Layer { folder: "semper-core/trade", sees: &[CORE] },
    Layer { folder: "semper-core", sees: &[CORE] },
    Layer { folder: "wallet/tinguin", sees: &[SUPPORTING] },
    Layer { folder: "wallet", sees: &[CORE, "wallet/tinguin"] },
    Layer { folder: "merchant-daemon", sees: &[CORE] },
    Layer { folder: "ttp-daemon", sees: &[CORE] },
    Layer { folder: "tests", sees: &["*"] },
    Layer { folder: "xtask", sees: &[] },
];

/// A pair that its layers would allow and that is refused all the same.
const NEVER: &[(&str, &str, &str)] = &[(
    "wallet*",
    "semper-core/modules/tinguin-policy",
    "a window that answers by policy instead of asking must not be in the wallet's binary",
)];

/// A pair that its layers would refuse and that tests may have all the same.
const IN_TESTS: &[(&str, &str, &str)] = &[
    (
        EXCHANGE,
        "semper-core/modules/payment-sim",
        "the model of a fair exchange is explored over the bank that is shipped",
    ),
    (
        "semper-core/engine",
        "semper-core/modules/archive-*",
        "only a real archive shows what the engine finds after a crash",
    ),
    ("merchant-daemon", "ttp-daemon", "a merchant registers, and opens its till, at real third parties"),
];

/// An outside crate and the folders that may use it.
struct Owner {
    krate: &'static str,
    users: &'static [&'static str],
    /// Whether anybody's tests may use it too.
    in_tests: bool,
    reason: &'static str,
}

const PROGRAMS_AND_IO: &[&str] = &[
    "semper-core/engine",
    "semper-core/host",
    "semper-core/trade",
    "semper-core/modules/comm-*",
    "semper-core/modules/archive-*",
    "wallet",
    "merchant-daemon",
    "ttp-daemon",
    "tests",
];
const TLS: &[&str] = &["semper-core/modules/comm-tls", "tests"];
const WINDOW: &[&str] = &["wallet", "wallet/tinguin"];

const OWNERS: &[Owner] = &[
    Owner { krate: "tokio", users: PROGRAMS_AND_IO, in_tests: true, reason: "protocols do no I/O" },
    Owner { krate: "rustls", users: TLS, in_tests: true, reason: "TLS has one place" },
    Owner { krate: "tokio-rustls", users: TLS, in_tests: true, reason: "TLS has one place" },
    Owner {
        krate: "rusqlite",
        users: &["semper-core/modules/archive-*"],
        in_tests: false,
        reason: "only archives write SQL",
    },
    Owner { krate: "eframe", users: &["wallet"], in_tests: false, reason: "the wallet opens the one window" },
    Owner { krate: "egui", users: WINDOW, in_tests: false, reason: "only the trusted window draws" },
    Owner { krate: "egui_extras", users: WINDOW, in_tests: false, reason: "only the trusted window draws" },
    Owner {
        krate: "ed25519-dalek",
        users: &[SUPPORTING],
        in_tests: false,
        reason: "keys sign only under a permit",
    },
    Owner { krate: "rsa", users: &[SUPPORTING], in_tests: false, reason: "keys sign only under a permit" },
    Owner {
        krate: "blind-rsa-signatures",
        users: &[SUPPORTING],
        in_tests: false,
        reason: "keys sign only under a permit",
    },
    Owner { krate: "bincode", users: &[SUPPORTING], in_tests: false, reason: "one module holds the codec" },
];

/// The window's features: X11 and Wayland, OpenGL, accessibility, and nothing that reads or writes more.
const WINDOW_FEATURES: [&str; 5] = ["accesskit", "clipboard", "glow", "wayland", "x11"];
/// What would weaken the window, whoever asks for it.
const WINDOW_FORBIDDEN: [&str; 6] =
    ["default_fonts", "inspection", "links", "persistence", "system_fonts", "wgpu"];

/// Every crate has a row in [`LAYERS`] and sees only what the row allows.
pub(crate) fn layers(members: &[Member]) -> Vec<String> {
    let folders: BTreeMap<&str, &str> =
        members.iter().map(|member| (member.name.as_str(), member.folder.as_str())).collect();
    let mut findings = Vec::new();
    for member in members {
        let Some(layer) = LAYERS.iter().find(|layer| fits(layer.folder, &member.folder)) else {
            findings.push(format!("{} has no row in the table of layers: add one.", member.folder));
            continue;
        };
        for line in &member.dependencies {
            let Some(seen) = folders.get(line.name.as_str()) else { continue };
            let excused = line.kind == Kind::Dev
                && IN_TESTS.iter().any(|(who, whom, _)| fits(who, &member.folder) && fits(whom, seen));
            if !excused && !layer.sees.iter().any(|pattern| fits(pattern, seen)) {
                findings.push(format!("{} must not depend on {seen}: layers look down only.", member.folder));
            }
            for (who, whom, reason) in NEVER {
                if fits(who, &member.folder) && fits(whom, seen) {
                    findings.push(format!("{} must not depend on {seen}: {reason}.", member.folder));
                }
            }
        }
    }
    findings
}

/// Outside crates with an owner are used by nobody else.
pub(crate) fn owners(members: &[Member]) -> Vec<String> {
    let mut findings = Vec::new();
    for (member, line) in lines(members) {
        for owner in OWNERS.iter().filter(|owner| owner.krate == line.name) {
            let excused = owner.in_tests && line.kind == Kind::Dev;
            if !excused && !owner.users.iter().any(|pattern| fits(pattern, &member.folder)) {
                findings
                    .push(format!("{} must not depend on {}: {}.", member.folder, owner.krate, owner.reason));
            }
        }
    }
    findings
}

/// Whoever asks for `eframe` asks for exactly [`WINDOW_FEATURES`], and `egui` comes without defaults.
pub(crate) fn window_features(members: &[Member]) -> Vec<String> {
    let mut findings = Vec::new();
    for (member, line) in lines(members) {
        let sorted: BTreeSet<&str> = line.features.iter().map(String::as_str).collect();
        let right = match line.name.as_str() {
            "eframe" => !line.default_features && sorted == BTreeSet::from(WINDOW_FEATURES),
            "egui" | "egui_extras" | "egui_kittest" => {
                !line.default_features && WINDOW_FORBIDDEN.iter().all(|feature| !sorted.contains(feature))
            }
            _ => true,
        };
        if !right {
            findings.push(format!(
                "{} asks for {} with the wrong features: no defaults, for eframe exactly {}, and never {}.",
                member.folder,
                line.name,
                WINDOW_FEATURES.join(", "),
                WINDOW_FORBIDDEN.join(", ")
            ));
        }
    }
    findings
}

/// No crate anywhere in the tree turns on what would weaken the window.
pub(crate) fn window_weakened(resolved: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    ["eframe", "egui", "egui-winit"]
        .into_iter()
        .flat_map(|name| resolved.get(name).into_iter().flatten().map(move |feature| (name, feature)))
        .filter(|(_, feature)| WINDOW_FORBIDDEN.contains(&feature.as_str()))
        .map(|(name, feature)| format!("{name} is built with {feature}, which the trusted window forbids."))
        .collect()
}

fn lines(members: &[Member]) -> impl Iterator<Item = (&Member, &Dependency)> {
    members.iter().flat_map(|member| member.dependencies.iter().map(move |line| (member, line)))
}

fn fits(pattern: &str, folder: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == folder, |start| folder.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(folder: &str, dependencies: &[&str]) -> Member {
        let lines = dependencies.iter().map(|name| Dependency {
            name: name.trim_end_matches(" (dev)").to_string(),
            kind: if name.ends_with(" (dev)") { Kind::Dev } else { Kind::Product },
            default_features: false,
            features: Vec::new(),
        });
        Member { name: folder.to_string(), folder: folder.to_string(), dependencies: lines.collect() }
    }

    fn window(features: &[&str], default_features: bool) -> Vec<Member> {
        let mut wallet = member("wallet", &["eframe"]);
        wallet.dependencies[0].features = features.iter().map(ToString::to_string).collect();
        wallet.dependencies[0].default_features = default_features;
        vec![wallet]
    }

    #[test]
    fn a_layer_that_looks_up_is_caught_even_in_its_tests() {
        for line in [COMMERCE.to_string(), format!("{COMMERCE} (dev)")] {
            let tree = [member(COMMERCE, &[TRANSFER]), member(TRANSFER, &[&line])];
            assert_eq!(layers(&tree).len(), 1);
        }
        assert_eq!(layers(&[member(COMMERCE, &[TRANSFER]), member(TRANSFER, &[])]), Vec::<String>::new());
    }

    #[test]
    fn the_engine_has_an_archive_in_its_tests_only() {
        let (engine, archive) = ("semper-core/engine", "semper-core/modules/archive-sqlite");
        for (line, findings) in [(archive.to_string(), 1), (format!("{archive} (dev)"), 0)] {
            assert_eq!(layers(&[member(engine, &[&line]), member(archive, &[])]).len(), findings);
        }
    }

    #[test]
    fn a_module_that_sees_more_than_its_kind_may_is_caught() {
        let archive = "semper-core/modules/archive-sqlite";
        assert_eq!(layers(&[member(archive, &[TRANSFER]), member(TRANSFER, &[])]).len(), 1);
        let payment = "semper-core/modules/payment-account";
        assert_eq!(layers(&[member(payment, &[EXCHANGE]), member(EXCHANGE, &[])]).len(), 1);
        assert!(layers(&[member(payment, &[TRANSFER]), member(TRANSFER, &[])]).is_empty());
    }

    #[test]
    fn a_daemon_with_a_window_and_a_wallet_with_a_policy_are_caught() {
        let policy = "semper-core/modules/tinguin-policy";
        let tree = [
            member("ttp-daemon", &["wallet/tinguin", policy]),
            member("wallet", &["wallet/tinguin", policy]),
            member("wallet/tinguin", &[]),
            member(policy, &[]),
        ];
        let findings = layers(&tree);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].starts_with("ttp-daemon") && findings[1].starts_with("wallet"));
    }

    #[test]
    fn a_crate_without_a_row_is_caught() {
        assert_eq!(layers(&[member("semper-core/gadgets", &[])]).len(), 1);
    }

    #[test]
    fn every_owned_crate_is_caught_in_a_stranger_s_hands() {
        for owner in OWNERS {
            assert_eq!(owners(&[member("semper-core/commerce", &[owner.krate])]).len(), 1, "{}", owner.krate);
            let dev = format!("{} (dev)", owner.krate);
            assert_eq!(owners(&[member(COMMERCE, &[&dev])]).is_empty(), owner.in_tests, "{}", owner.krate);
        }
        assert!(owners(&[member(SUPPORTING, &["bincode"]), member("wallet", &["tokio", "egui"])]).is_empty());
    }

    #[test]
    fn a_window_with_more_less_or_default_features_is_caught() {
        assert!(window_features(&window(&WINDOW_FEATURES, false)).is_empty());
        assert_eq!(window_features(&window(&WINDOW_FEATURES, true)).len(), 1);
        assert_eq!(window_features(&window(&WINDOW_FEATURES[1..], false)).len(), 1);
        assert_eq!(window_features(&window(&[&WINDOW_FEATURES[..], &["wgpu"]].concat(), false)).len(), 1);
    }

    #[test]
    fn a_forbidden_feature_asked_for_by_somebody_else_is_caught() {
        let features = |feature: &str| BTreeMap::from([("egui".into(), BTreeSet::from([feature.into()]))]);
        assert_eq!(window_weakened(&features("default_fonts")).len(), 1);
        assert!(window_weakened(&features("rayon")).is_empty());
    }
}
