//! The measurements as their users run them, done quickly: every figure is there, and nothing is left behind.
#![expect(clippy::unwrap_used, reason = "how a test fails")]

use std::{fs, process::Command};

use serde_json::Value;

/// Every number of a report by its path, but for those that may well be 0 in a quick run.
fn numbers(at: &str, value: &Value, found: &mut Vec<(String, f64)>) {
    match value {
        Value::Object(all) => all.iter().for_each(|(key, one)| numbers(&format!("{at}/{key}"), one, found)),
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(n, one)| numbers(&format!("{at}/{n}"), one, found))
        }
        Value::Number(number) => found.push((at.to_owned(), number.as_f64().unwrap())),
        _ => {}
    }
}

#[test]
fn a_quick_run_measures_everything_and_leaves_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let (tmp, file) = (place.path().join("tmp"), place.path().join("figures.json"));
    fs::create_dir(&tmp).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_semper-bench"));
    command.env("TMPDIR", &tmp).args(["--quick", "--sales", "1", "--json"]).arg(&file);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Targets") && said.contains("its figures say nothing"), "{said}");
    let report: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((&report["schema"], &report["quick"]), (&"semper-bench-report/1".into(), &true.into()));
    assert_eq!(report["sales"]["round_trips_to_shop"], 1);
    assert_eq!(report["sales"]["round_trips_to_bank"], 1);
    assert_eq!(report["recovery"]["open"], 100);
    assert_eq!(report["targets"].as_array().map(Vec::len), Some(6));
    let mut found = Vec::new();
    numbers("", &report, &mut found);
    // The system counts CPU time in ticks, and a machine may have nothing else to do.
    let may_be_none = |at: &str| at.starts_with("/sales/cpu_ms/") || at == "/machine/load";
    let none: Vec<_> = found.iter().filter(|(at, figure)| *figure <= 0.0 && !may_be_none(at)).collect();
    assert!(none.is_empty() && found.len() > 50, "{none:?}, {}", found.len());
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0);
    let tmp = tmp.display().to_string();
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let line = fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains(&tmp).then_some(line)
    });
    assert_eq!(processes.collect::<Vec<_>>(), Vec::<String>::new());
}
