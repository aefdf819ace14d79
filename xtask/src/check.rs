//! `cargo xtask test`: what CI runs, in CI's order.
//!
//! A step that fails ends the run, names itself and makes the exit code non-zero. No tool is ever
//! installed here: where cargo-nextest is absent, `cargo test` runs the same tests.

use std::process::Command;
use std::time::Duration;

use crate::process::{self, Repository, span, timed};
use crate::{Options, Stop, setup};

/// One step after the set-up check: a call of Cargo.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Step {
    name: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

const FORMAT: Step = Step { name: "format", arguments: &["fmt", "--all", "--check"], environment: &[] };
const LINTS: Step = Step {
    name: "lints",
    arguments: &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    environment: &[],
};
const DOCUMENTATION: Step = Step {
    name: "documentation",
    arguments: &["doc", "--workspace", "--no-deps", "--locked"],
    environment: &[("RUSTDOCFLAGS", "-D warnings")],
};
const TESTS: Step =
    Step { name: "tests", arguments: &["nextest", "run", "--workspace", "--locked"], environment: &[] };
const TESTS_WITHOUT_NEXTEST: Step = Step {
    name: "tests",
    // `--tests`: documentation tests have a step of their own.
    arguments: &["test", "--workspace", "--locked", "--no-fail-fast", "--tests"],
    environment: &[],
};
const DOCUMENTATION_TESTS: Step = Step {
    name: "documentation tests",
    arguments: &["test", "--doc", "--workspace", "--locked", "--no-fail-fast"],
    environment: &[],
};

/// Runs every step and closes with one line that sums them up.
pub(crate) fn run(repository: &Repository, options: &Options) -> Result<(), Stop> {
    options.without_words()?;
    let nextest = process::answer(&mut repository.cargo(&["nextest", "--version"])).is_some();
    let steps = steps(nextest);
    let mut done = Vec::new();

    let count = steps.len() + 1;
    println!("== 1/{count} set-up");
    let (outcome, time) = timed(|| {
        setup::check(repository, options.consent)?;
        setup::foretell(repository, "debug", setup::WITH_TESTS);
        Ok(())
    });
    outcome.map_err(|Stop(why)| Stop(format!("{why}\n\n{}", stopped("set-up", time, "see above"))))?;
    done.push(("set-up", time));
    println!("== set-up: passed in {}", span(time));

    for (index, step) in steps.iter().enumerate() {
        println!("\n== {}/{count} {}: {}", index + 2, step.name, step.line());
        let (outcome, time) = timed(|| process::run(&mut step.command(repository)));
        outcome.map_err(|why| Stop(format!("\n{}", stopped(step.name, time, &why))))?;
        done.push((step.name, time));
        println!("== {}: passed in {}", step.name, span(time));
    }
    println!("\n{}", summary(&done));
    Ok(())
}

/// The steps in order; `nextest` says whether that runner is installed.
fn steps(nextest: bool) -> [Step; 5] {
    let tests = if nextest { TESTS } else { TESTS_WITHOUT_NEXTEST };
    [FORMAT, LINTS, DOCUMENTATION, tests, DOCUMENTATION_TESTS]
}

impl Step {
    /// The step as one would type it.
    fn line(&self) -> String {
        let mut words: Vec<String> =
            self.environment.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        words.push("cargo".into());
        words.extend(self.arguments.iter().map(ToString::to_string));
        words.join(" ")
    }

    fn command(&self, repository: &Repository) -> Command {
        let mut command = repository.cargo(self.arguments);
        command.envs(self.environment.iter().copied());
        command
    }
}

fn stopped(name: &str, time: Duration, why: &str) -> String {
    format!("cargo xtask test: FAILED at the step {name:?} after {} ({why})", span(time))
}

fn summary(done: &[(&str, Duration)]) -> String {
    let total = done.iter().map(|(_, time)| *time).sum();
    let steps: Vec<String> = done.iter().map(|(name, time)| format!("{name} {}", span(*time))).collect();
    format!("cargo xtask test: {} steps passed in {} ({})", done.len(), span(total), steps.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reads_as_one_would_type_it() {
        assert_eq!(
            DOCUMENTATION.line(),
            r#"RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked"#
        );
    }

    #[test]
    fn every_step_that_builds_is_locked_and_covers_the_workspace() {
        for step in steps(true).into_iter().chain(steps(false)).filter(|step| *step != FORMAT) {
            assert!(step.arguments.contains(&"--locked"), "{}", step.line());
            assert!(step.arguments.contains(&"--workspace"), "{}", step.line());
        }
    }

    #[test]
    fn the_summary_counts_the_steps_and_adds_up_their_times() {
        let line = summary(&[("format", Duration::from_secs(2)), ("lints", Duration::from_secs(61))]);
        assert_eq!(line, "cargo xtask test: 2 steps passed in 1 min 03 s (format 2.0 s, lints 1 min 01 s)");
    }
}
