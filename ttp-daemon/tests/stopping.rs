//! A daemon as a process, told to stop and started again.
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

#[test]
fn a_daemon_that_said_it_stopped_may_be_started_at_once() {
    let place = tempfile::tempdir().unwrap();
    let command = |words: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_semper-ttpd"));
        command
            .arg("--dir")
            .arg(place.path().join("authority"))
            .args(words.split(' '))
            .env("RUST_LOG", "off");
        command.stdout(Stdio::piped());
        command
    };
    let init = "init --roles registration --name Trial --organisation Trial --country DE --host localhost --listen 127.0.0.1:0 --demo";
    assert!(command(init).status().unwrap().success());
    let mut stopped: Vec<Child> = Vec::new();
    for _ in 0..20 {
        let mut daemon = command("run").spawn().unwrap();
        let mut lines = BufReader::new(daemon.stdout.take().unwrap()).lines();
        let ready = lines.next().map(Result::unwrap);
        assert!(ready.is_some_and(|line| line.starts_with("ready ")), "after {} stops", stopped.len());
        assert!(Command::new("kill").arg(daemon.id().to_string()).status().unwrap().success());
        assert_eq!(lines.next().unwrap().unwrap(), "stopped");
        stopped.push(daemon);
    }
    for mut daemon in stopped {
        assert!(daemon.wait().unwrap().success());
    }
}
