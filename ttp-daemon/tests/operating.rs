//! A bank as its operator meets it: its commands, its log, and what it says when something is in the way.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail this way")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
};

const INIT: &str = "init --roles registration,bank --name Trial --organisation Trial --country DE --host localhost --listen 127.0.0.1:0 --demo";

fn command(folder: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_semper-ttpd"));
    command.arg("--dir").arg(folder).args(words.split(' ')).env_remove("RUST_LOG");
    command
}

/// Runs a command to its end; tells whether it went well, and what it wrote to both outputs.
fn run(folder: &Path, words: &str) -> (bool, String, String) {
    let Output { status, stdout, stderr } = command(folder, words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.success(), text(stdout), text(stderr))
}

#[test]
fn answers_stand_on_the_standard_output_alone_and_an_empty_list_says_so() {
    let place = tempfile::tempdir().unwrap();
    let bank = place.path().join("bank");
    let (good, said, log) = run(&bank, INIT);
    assert!(good && said.contains("is set up") && log.is_empty(), "{said}{log}");
    let empty = "this bank keeps no account yet\n".to_owned();
    assert_eq!(run(&bank, "account list"), (true, empty, String::new()));
    assert_eq!(run(&bank, "account list --json"), (true, "[]\n".to_owned(), String::new()));
}

#[test]
fn a_port_that_is_taken_is_named_with_its_setting() {
    let place = tempfile::tempdir().unwrap();
    let bank = place.path().join("bank");
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    assert!(run(&bank, &INIT.replace("127.0.0.1:0", &taken.to_string())).0);
    let (good, _, log) = run(&bank, "run");
    let said = format!("semper-ttpd: port {} is taken ({taken})", taken.port());
    assert!(!good && log.contains(&said) && log.contains("set `listen` in ttpd.toml"), "{log}");
    assert!(!log.contains("os error"), "{log}");
}

#[test]
fn a_certificate_that_was_not_written_before_a_kill_is_written_at_the_next_start() {
    let place = tempfile::tempdir().unwrap();
    let bank = place.path().join("bank");
    assert!(run(&bank, INIT).0);
    let file = bank.join("certificate.pem");
    let written = fs::read(&file).unwrap();
    // Killed before it was opened, or before all of it was on the disk.
    for left in [None, Some(&written[..100])] {
        match left {
            None => fs::remove_file(&file).unwrap(),
            Some(part) => fs::write(&file, part).unwrap(),
        }
        let mut daemon = command(&bank, "run").stdout(Stdio::piped()).spawn().unwrap();
        let ready = BufReader::new(daemon.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        assert!(ready.starts_with("ready "), "{ready}");
        assert_eq!(fs::read(&file).unwrap(), written);
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }
    // Setting up again says that it is done, and mends as much.
    fs::remove_file(&file).unwrap();
    assert!(!run(&bank, INIT).0);
    assert_eq!(fs::read(&file).unwrap(), written);
}
