//! `semper-wallet preferences` by the real program, and what it changes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use semper_supporting::time::Span;
use semper_wallet::{
    password::Password,
    profile::Profile,
    wallet::{Mode, Wallet},
};

const PASSWORD: &str = "seven grey herons by the canal";

/// Runs the program as a script does: whether it was content, and what it said on both ways out.
fn run(profile: &Path, words: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_semper-wallet"));
    command.arg("--profile").arg(profile).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn preferences_are_listed_set_kept_and_refused_with_reasons() {
    let home = tempfile::tempdir().unwrap();
    let profile = home.path().join("wallet");
    assert!(run(&profile, &["init", "--words", "amber lighthouse"]).0);
    let (content, said, _) = run(&profile, &["preferences", "list"]);
    let lines: Vec<_> = said.lines().collect();
    assert!(content && lines.contains(&"language = en  (not yet in effect)"), "{said}");
    assert!(lines.iter().any(|line| line.starts_with("lock.after = 10 min  (The window locks ")), "{said}");

    let set = |key, value| run(&profile, &["preferences", "set", key, value]);
    let refused = |key, value, words: &str| {
        let (content, said, why) = set(key, value);
        assert!(!content && said.is_empty() && why.contains(words), "{key} {value}: {why}");
    };
    refused("money", "EUR 1.00", "There is no such preference. Look at their names");
    refused("language", "de", "This version does nothing with language yet, so it is not set.");
    refused("lock.after", "61 min", "The setting is outside of what it may be. The window locks after");
    refused("lock.after", "soon", "The setting is outside of what it may be.");
    refused("money.per_deal", "XTS 10.00", "The setting is outside of what it may be.");
    refused(
        "money.per_deal",
        "EUR 500.01",
        "Two of your settings contradict each other. Change money.per_deal or money.per_day",
    );
    refused(
        "lock.after",
        "20 min",
        "This change of lock.after would make the wallet less safe. If you mean it, say so with --lower",
    );

    let (content, said, why) = set("lock.after", "2 min");
    assert!(content && said.starts_with("lock.after = 2 min  ("), "{said}{why}");
    let (content, said, why) =
        run(&profile, &["preferences", "set", "money.per_deal", "EUR 300.00", "--lower", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(content, "{why}");
    assert_eq!((&shown["key"], &shown["value"]), (&"money.per_deal".into(), &"EUR 300.00".into()));
    let listed = run(&profile, &["preferences", "list", "--json"]).1;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let lock = listed.as_array().unwrap().iter().find(|one| one["key"] == "lock.after").unwrap();
    assert_eq!(
        (&lock["value"], &lock["default"], &lock["in_effect"]),
        (&"2 min".into(), &"10 min".into(), &true.into())
    );

    // What the window is told when it opens.
    let password = Password::new(PASSWORD).unwrap();
    let wallet = Wallet::unlock(&Profile::at(&profile), password, Mode::Whole).await.unwrap();
    assert_eq!(wallet.lock_after, Span::minutes(2));
}
