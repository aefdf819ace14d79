//! The demonstration as its users run it: its report, what it refuses, and what is left when it is stopped.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "how a test fails")]

use std::{fs, path::Path, process::Stdio};

use rustix::process::{Pid, Signal, kill_process};
use semper_supporting::crypto::digest::Digest;
use semper_tests::{Failure, Result, daemon::PATIENCE, marketplace::runtime};
use serde_json::{Value, json};
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

/// The report in the folder of results.
fn report(place: &Path) -> Result<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(place.join("out/report.json"))?)?)
}

#[test]
fn the_demonstration_sells_a_file_fairly_and_reports_what_the_archives_say() {
    in_a_place(async |place| {
        let file = place.join("a song.flac");
        let content: Vec<u8> =
            (0..50_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        fs::write(&file, &content)?;
        let words = ["--unattended", "--file", file.to_str().unwrap()];
        let output = demonstration(place, &words).output().await?;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("PLAY MONEY") && said.contains("Everything held"), "{said}");
        let report = report(place)?;
        assert_eq!(report["schema"], "semper-demo-report/2");
        assert_eq!(report["outcome"], "held");
        assert_eq!(report["parties"].as_array().map(Vec::len), Some(5));
        assert_eq!(report["deal"]["title"], "a song.flac");
        for side in ["customer", "merchant"] {
            assert_eq!(report["deal"][side]["outcome"], "done");
            assert_eq!(report["deal"][side]["told"], "exchange.u09");
        }
        assert_eq!(report["item"]["sha256"], Digest::of(&content).to_string());
        assert_eq!(report["item"]["received"], report["item"]["sha256"]);
        assert_eq!(report["money"]["payments"][0]["amount"], "XTS 12.50");
        assert_eq!(report["money"]["payments"][0]["state"], "credited");
        assert_eq!(report["arbiter"], json!({ "messages": 0, "cases": [] }));
        assert_eq!(report["audit"]["findings"], json!([]));
        assert_eq!(report["bundle"]["verdict"], "ACCEPTED");
        let mut listed: Vec<_> =
            fs::read_dir(place.join("out"))?.map(|entry| entry.unwrap().file_name()).collect();
        listed.sort();
        assert_eq!(listed, ["bundle", "report.json", "s07-door.png", "s08-home.png", "s25-log.png"]);
        Ok(())
    });
}

/// Runs the demonstration with a fault; gives its report, in which everything has held.
async fn with_fault(place: &Path, fault: &str) -> Result<Value> {
    let output = demonstration(place, &["--unattended", "--fault", fault]).output().await?;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let report = report(place)?;
    assert_eq!((&report["outcome"], &report["fault"]), (&json!("held"), &json!(fault)));
    assert_eq!(report["audit"]["findings"], json!([]));
    assert!(report["arbiter"]["messages"].as_u64() >= Some(3), "{report:#}");
    Ok(report)
}

#[test]
fn a_shop_that_withholds_the_item_loses_nothing_and_keeps_nobody_from_it() {
    in_a_place(async |place| {
        let report = with_fault(place, "silent-merchant").await?;
        assert_eq!(report["deal"]["customer"]["told"], "exchange.u10");
        assert_eq!(report["item"]["received"], report["item"]["sha256"]);
        assert_eq!(report["money"]["payments"][0]["state"], "credited");
        assert_eq!(report["arbiter"]["cases"][0]["state"], "completed");
        Ok(())
    });
}

#[test]
fn a_customer_who_falls_silent_leaves_no_money_moved() {
    in_a_place(async |place| {
        let report = with_fault(place, "silent-buyer").await?;
        assert_eq!(report["deal"]["merchant"]["told"], "exchange.u11");
        assert_eq!(report["item"]["received"], Value::Null);
        assert_eq!(report["money"]["payments"][0]["state"], "frozen");
        assert_eq!(report["arbiter"]["cases"][0]["state"], "aborted");
        Ok(())
    });
}

#[test]
fn a_shop_whose_escrow_is_none_is_shown_to_have_cheated_and_the_money_comes_back() {
    in_a_place(async |place| {
        let report = with_fault(place, "bad-seal").await?;
        assert_eq!(report["deal"]["customer"]["told"], "exchange.u11");
        assert_eq!(report["item"]["received"], Value::Null);
        assert_eq!(report["money"]["payments"][0]["state"], "refunded");
        assert_eq!(report["arbiter"]["cases"][0]["state"], "aborted-revoked");
        assert_eq!(report["arbiter"]["cases"][0]["cheats"][0]["role"], "originator");
        Ok(())
    });
}

#[test]
fn a_fault_or_a_file_that_there_is_not_is_refused() {
    in_a_place(async |place| {
        let output = demonstration(place, &["--fault", "rogue-merchant"]).output().await?;
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("rogue-merchant") && said.contains("silent-merchant"), "{said}");
        let output = demonstration(place, &["--unattended", "--file", "/no/such/file"]).output().await?;
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("/no/such/file"), "{said}");
        let empty = place.join("empty");
        fs::write(&empty, [])?;
        let words = ["--unattended", "--file", empty.to_str().unwrap_or_default()];
        let said = String::from_utf8_lossy(&demonstration(place, &words).output().await?.stderr).into_owned();
        assert!(said.contains("it is empty"), "{said}");
        assert!(!place.join("out").exists());
        let mut nowhere = Command::new(env!("CARGO_BIN_EXE_semper-demo"));
        let output = nowhere.args(["--unattended", "--out", "/proc/semper"]).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains("/proc/semper"), "{said}");
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
            ("window photographed", Signal::TERM),
        ] {
            let mut child = demonstration(place, &["--unattended"]).spawn()?;
            reach(&mut child, moment).await?;
            let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
            kill_process(id.ok_or_else(|| Failure::new("it has ended"))?, signal)?;
            let output = child.wait_with_output().await?;
            assert_eq!(output.status.code(), Some(1), "{moment}");
            let report = report(place)?;
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
