//! The demonstration as its users run it: its report, what it refuses, and what is left when it is stopped.
#![expect(clippy::unwrap_used, reason = "how a test fails")]

use std::{fs, path::Path, process::Stdio};

use rustix::process::{Pid, Signal, kill_process};
use semper_tests::{Failure, Result, daemon::PATIENCE, marketplace::runtime};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// The demonstration with everything temporary inside `place`.
fn demonstration(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_semper-demo"));
    command.env("TMPDIR", place.join("tmp")).arg("--out").arg(place.join("out")).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

fn in_a_place(steps: impl AsyncFnOnce(&Path) -> Result<()>) {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("tmp")).unwrap();
    runtime().unwrap().block_on(async { timeout(PATIENCE * 3, steps(place.path())).await }).unwrap().unwrap();
    assert_eq!(left(place.path()), Vec::<String>::new());
}

/// What is left behind: files in the folder for temporary ones, and processes that name it.
fn left(place: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.path().display().to_string();
    let files = fs::read_dir(place.join("tmp")).unwrap().map(|entry| name(entry.unwrap()));
    let tmp = place.join("tmp").display().to_string();
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let line = fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains(&tmp).then_some(line)
    });
    files.chain(processes).collect()
}

#[test]
fn the_demonstration_holds_and_reports_what_the_archives_say() {
    in_a_place(async |place| {
        let output = demonstration(place, &["--unattended"]).output().await?;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("PLAY MONEY") && said.contains("Everything held"), "{said}");
        let report: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(place.join("out/report.json"))?)?;
        assert_eq!(report["schema"], "semper-demo-report/1");
        assert_eq!(report["outcome"], "held");
        assert_eq!(report["parties"].as_array().map(Vec::len), Some(4));
        assert_eq!(report["money"]["payments"][0]["amount"], "XTS 12.50");
        assert_eq!(report["money"]["payments"][0]["state"], "credited");
        assert_eq!(report["audit"]["findings"], serde_json::json!([]));
        let listed = fs::read_dir(place.join("out"))?.count();
        assert_eq!(listed, 1, "nothing but the report");
        Ok(())
    });
}

#[test]
fn a_fault_that_there_is_not_is_refused() {
    in_a_place(async |place| {
        let output = demonstration(place, &["--fault", "rogue-merchant"]).output().await?;
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("rogue-merchant") && said.contains("come with the sale"), "{said}");
        assert!(!place.join("out").exists());
        Ok(())
    });
}

#[test]
fn an_interrupt_ends_every_process_wherever_it_comes() {
    in_a_place(async |place| {
        for (moment, signal) in [
            ("authority founded", Signal::INT),
            ("bank registered", Signal::TERM),
            ("merchant registered", Signal::INT),
        ] {
            let mut child = demonstration(place, &["--unattended"]).spawn()?;
            reach(&mut child, moment).await?;
            let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
            kill_process(id.ok_or_else(|| Failure::new("it has ended"))?, signal)?;
            let output = child.wait_with_output().await?;
            assert_eq!(output.status.code(), Some(1), "{moment}");
            let report: serde_json::Value =
                serde_json::from_str(&fs::read_to_string(place.join("out/report.json"))?)?;
            assert_eq!(report["outcome"], "failed");
            assert_eq!(report["why"], "it was told to stop");
            assert_eq!(left(place), Vec::<String>::new(), "{moment}");
        }
        Ok(())
    });
}

/// Reads what it prints until it begins with a phase.
async fn reach(child: &mut Child, phase: &str) -> Result<()> {
    let out = child.stdout.as_mut().ok_or_else(|| Failure::new("it prints"))?;
    let mut lines = BufReader::new(out).lines();
    while let Some(line) = lines.next_line().await? {
        if line.starts_with(phase) {
            return Ok(());
        }
    }
    Err(Failure::of("it never came to", phase))
}
