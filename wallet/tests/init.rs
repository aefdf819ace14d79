//! `semper-wallet init` as a person at a terminal sees it, and as a script does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

const PASSWORD: &str = "seven grey herons by the canal";
const MADE: &str = "Its keys are made of random bytes of this computer";

/// The file with the password, in a folder of its own.
fn password(home: &Path) -> PathBuf {
    let path = home.join("password");
    fs::write(&path, PASSWORD).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// The command line that makes a wallet.
fn line(home: &Path) -> String {
    let (program, home, password) =
        (env!("CARGO_BIN_EXE_semper-wallet"), home.display(), password(home).display().to_string());
    format!("{program} --profile {home}/wallet init --words 'amber lighthouse' --password-file {password}")
}

/// A person at a terminal: `script` of util-linux is the terminal.
struct Terminal {
    child: Child,
    said: String,
}

impl Terminal {
    fn open(line: &str) -> Self {
        let mut command = Command::new("timeout");
        command.args([
            "--foreground",
            "300",
            "script",
            "--quiet",
            "--return",
            "--command",
            line,
            "/dev/null",
        ]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Self { child, said: String::new() }
    }

    fn hold(&mut self, keys: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(keys.as_bytes()).and_then(|()| input.flush()).unwrap();
    }

    /// Reads until the terminal shows these words after what was seen before.
    fn see(&mut self, words: &str) {
        let output = self.child.stdout.as_mut().unwrap();
        let mut seen = Vec::new();
        let mut byte = [0];
        while !String::from_utf8_lossy(&seen).contains(words) {
            assert_eq!(
                output.read(&mut byte).unwrap(),
                1,
                "no {words:?} in {}",
                String::from_utf8_lossy(&seen)
            );
            seen.extend(byte);
        }
        self.said.push_str(&String::from_utf8_lossy(&seen));
    }

    /// What it showed until its end, and whether the program was content.
    fn end(mut self) -> (bool, String) {
        let content = self.child.wait().unwrap().success();
        let mut rest = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
        (content, self.said + &rest)
    }
}

/// As many irregular keys as are asked for, and a few more.
fn keys() -> String {
    let mut state: u32 = 1;
    let mut key = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + u8::try_from((state >> 24) % 26).unwrap())
    };
    (0..160).map(|_| key()).collect()
}

fn unattended(home: &Path) -> Output {
    Command::new("sh").arg("-c").arg(line(home)).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn whoever_sits_at_a_terminal_types_a_part_of_the_keys_and_is_told_so() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::open(&line(home.path()));
    terminal.see("0 of 128");
    // Too few, then too regular: each is said, and one goes on.
    terminal.hold("abcd\n");
    terminal.see("4 of 128 events so far. Go on a little, or continue without your part");
    terminal.hold(&"e".repeat(130));
    terminal.hold("\n");
    terminal.see("What you entered repeats itself. 5 of 128 events count.");
    terminal.hold(&keys());
    terminal.see("128 of 128");
    terminal.see(&format!("{MADE} and of what you typed"));
    let (content, said) = terminal.end();
    assert!(content && said.contains("The wallet is ready in"), "{said}");
    // Nothing that was typed stands there.
    assert!(!said.contains("eeee") && !said.contains(&keys()[..8]), "{said}");
    assert!(home.path().join("wallet/archive.db").is_file());
}

#[test]
fn the_own_part_can_be_left_out_and_only_that() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::open(&line(home.path()));
    terminal.see("0 of 128");
    terminal.hold("some\u{4}");
    terminal.see(&format!("{MADE} alone, as you wished"));
    let (content, said) = terminal.end();
    assert!(content, "{said}");
}

#[test]
fn a_script_is_told_what_was_used_instead() {
    let home = tempfile::tempdir().unwrap();
    let output = unattended(home.path());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert!(said.ends_with(&format!("{MADE} alone, since nobody could type at a terminal\n")), "{said}");
    // Whoever comes second is refused before anything is asked.
    let again = unattended(home.path());
    assert!(!again.status.success() && again.stdout.is_empty(), "{again:?}");
}
