//! What was measured, against its targets: the report, described in `docs/measures.md`, and what is printed of it.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    archive::{Archive, CALLERS},
    cost::Part,
    machine::Machine,
    operations::Operations,
    recovery::Recovery,
    sale::Sales,
    sealing::Sealing,
};

/// The form of the report; a later form has another name.
pub(crate) const SCHEMA: &str = "semper-bench-report/1";

/// The report of one run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// The form of the report.
    pub(crate) schema: &'static str,
    /// The version of the programs.
    pub(crate) version: &'static str,
    /// How they were built: `debug` or `release`.
    pub(crate) profile: &'static str,
    /// Whether it was run with `--quick`.
    pub(crate) quick: bool,
    /// On what.
    pub(crate) machine: Machine,
    /// The unit costs.
    pub(crate) operations_us: Operations,
    /// Sealing and opening.
    pub(crate) sealing_gb_per_s: Sealing,
    /// Durable commits.
    pub(crate) commits_per_s: Archive,
    /// Whole sales.
    pub(crate) sales: Sales,
    /// A shop's start after a kill.
    pub(crate) recovery: Recovery,
    /// What both sides of a sale cannot do without.
    pub(crate) unavoidable: Vec<Part>,
    /// What they do besides that could be avoided.
    pub(crate) repeated: Part,
    /// The targets.
    pub(crate) targets: Vec<Target>,
}

/// A target and what was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Target {
    /// What.
    pub(crate) what: &'static str,
    /// As it was measured.
    pub(crate) measured: f64,
    /// What the target says.
    pub(crate) limit: f64,
    /// In what both are.
    pub(crate) unit: &'static str,
    /// On which side of the limit it should be.
    pub(crate) bound: Bound,
    /// Measured to limit.
    pub(crate) ratio: f64,
    /// Whether it was reached.
    pub(crate) reached: bool,
}

/// On which side of a limit a figure should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Bound {
    /// Not above it.
    AtMost,
    /// Not below it.
    AtLeast,
}

impl Target {
    fn new(what: &'static str, measured: f64, (bound, limit, unit): (Bound, f64, &'static str)) -> Self {
        let ratio = measured / limit;
        let reached = match bound {
            Bound::AtMost => ratio <= 1.0,
            Bound::AtLeast => ratio >= 1.0,
        };
        Self { what, measured, limit, unit, bound, ratio, reached }
    }

    /// The targets of everything that was measured.
    pub(crate) fn all(
        sales: &Sales,
        unavoidable: &[Part],
        sealing: &Sealing,
        recovery: &Recovery,
    ) -> Vec<Self> {
        let (most, least) = (Bound::AtMost, Bound::AtLeast);
        let cpu = sales.cpu_ms.buyer.sum() + sales.cpu_ms.shop.sum();
        let needed: f64 = unavoidable.iter().map(Part::sum_ms).sum();
        vec![
            Self::new(
                "from the end of the payment prompt to the goods stored, p50",
                sales.paid_to_stored_ms.p50,
                (most, 150.0, "ms"),
            ),
            Self::new(
                "round trips in that part, to the shop and to the bank",
                (sales.round_trips_to_shop + sales.round_trips_to_bank) as f64,
                (most, 3.0, "round trips"),
            ),
            Self::new(
                "CPU of one sale, both sides, to what cannot be avoided",
                cpu / needed,
                (most, 1.5, "times"),
            ),
            Self::new("sealing", sealing.seal, (least, 1.0, "GB/s per core")),
            Self::new("opening", sealing.open, (least, 1.0, "GB/s per core")),
            Self::new("a shop's start after a kill, 10,000 sales open", recovery.started_s, (most, 5.0, "s")),
        ]
    }

    fn line(&self) -> String {
        let Self { what, measured, limit, unit, bound, ratio, reached } = self;
        let bound = match bound {
            Bound::AtMost => "at most",
            Bound::AtLeast => "at least",
        };
        let verdict = if *reached { "reached" } else { "missed" };
        format!(
            "  {what}\n      {measured:.2} {unit}; target {bound} {limit} {unit}; ratio {ratio:.2}, {verdict}\n"
        )
    }
}

/// The unit costs as a table.
pub(crate) fn operations(found: &Operations) -> String {
    let rows = [
        ("signature, made and checked by a key store", found.signature),
        ("verification of a signature", found.verification),
        ("certificate with its chain and lists", found.certificate),
        ("key sealed to a third party", found.escrow),
        ("64 KiB of goods opened", found.opening),
        ("connection made", found.calling),
        ("connection taken", found.answering),
    ];
    rows.iter().map(|(what, cost)| row(what, *cost, "µs")).collect()
}

/// The throughput as a table.
pub(crate) fn sealing(found: &Sealing) -> String {
    let rows = [
        ("sealing", found.seal),
        ("opening", found.open),
        ("the same on the bare primitives", found.primitives),
        ("one SHA-256", found.sha256),
        ("ChaCha20-Poly1305", found.chacha20poly1305),
    ];
    rows.iter().map(|(what, rate)| row(what, *rate, "GB/s")).collect()
}

/// The commits as a table.
pub(crate) fn archive(found: &Archive) -> String {
    let many = |kind: &str| format!("{kind}, {CALLERS} callers");
    let rows = [
        ("4 KiB and fdatasync, no archive".to_owned(), found.disk),
        ("encrypted archive, one caller".to_owned(), found.encrypted.one),
        (many("encrypted archive"), found.encrypted.many),
        ("plain archive, one caller".to_owned(), found.plain.one),
        (many("plain archive"), found.plain.many),
    ];
    let rates = rows.iter().map(|(what, rate)| format!("  {what:<46} {rate:>10.0} /s\n"));
    rates.chain([row("CPU of a commit, encrypted archive", found.encrypted.cpu_us, "µs")]).collect()
}

/// The sales as a table.
pub(crate) fn sales(found: &Sales) -> String {
    let mut text = String::new();
    for (what, spread) in [
        ("end of the payment prompt to goods stored", found.paid_to_stored_ms),
        ("whole sale, look at the shop to both closed", found.whole_ms),
    ] {
        let _ = writeln!(text, "  {what:<46} {:>10.1} ms p50 {:>10.1} ms p90", spread.p50, spread.p90);
    }
    let _ = writeln!(
        text,
        "  round trips from prompt to goods: {} to the shop, {} to the bank",
        found.round_trips_to_shop, found.round_trips_to_bank
    );
    let _ = writeln!(text, "  durable commits of the buyer, each sale: {:.1}", found.commits_of_buyer);
    for (who, cpu) in [
        ("CPU of the buyer, each sale", found.cpu_ms.buyer),
        ("CPU of the shop", found.cpu_ms.shop),
        ("CPU of the bank", found.cpu_ms.bank),
        ("CPU of the arbiter", found.cpu_ms.arbiter),
    ] {
        let _ = writeln!(text, "  {who:<46} {:>10.1} ms user {:>8.1} ms system", cpu.user, cpu.system);
    }
    text
}

/// The start after a kill as a table.
pub(crate) fn recovery(found: &Recovery) -> String {
    let what = "start of its process until it takes calls";
    let Recovery { open, state_bytes, started_s } = found;
    format!("  {what:<46} {started_s:>10.2} s, {open} sales of {state_bytes} bytes of state\n")
}

impl Report {
    /// What both sides cannot do without, and the targets.
    pub(crate) fn conclusion(&self) -> String {
        let mut text = String::from("\nWhat both sides of a sale cannot do without, CPU of one core\n");
        text.extend(self.unavoidable.iter().map(Part::line));
        let needed: f64 = self.unavoidable.iter().map(Part::sum_ms).sum();
        let used = self.sales.cpu_ms.buyer.sum() + self.sales.cpu_ms.shop.sum();
        let _ = writeln!(text, "  {:<46} {needed:>10.2} ms", "together");
        let _ = writeln!(text, "  {:<46} {used:>10.2} ms", "what buyer and shop used");
        text.push_str(&self.repeated.line());
        text.push_str("\nTargets\n");
        text.extend(self.targets.iter().map(Target::line));
        if self.machine.is_busy() {
            let _ = writeln!(
                text,
                "\nOthers were at work on this machine (load {} on {} cores): times may be longer than they need be.",
                self.machine.load, self.machine.cores
            );
        }
        if self.profile != "release" || self.quick {
            text.push_str("\nThis was a debug build or a quick run: its figures say nothing.\n");
        }
        text
    }
}

fn row(what: &str, figure: f64, unit: &str) -> String {
    format!("  {what:<46} {figure:>10.2} {unit}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_reached_on_its_own_side() {
        let target = |measured, bound| Target::new("x", measured, (bound, 2.0, "ms"));
        assert!(target(2.0, Bound::AtMost).reached && target(2.0, Bound::AtLeast).reached);
        assert!(!target(2.1, Bound::AtMost).reached && !target(1.9, Bound::AtLeast).reached);
        assert_eq!(target(1.0, Bound::AtLeast).ratio, 0.5);
        assert!(target(1.0, Bound::AtLeast).line().contains("ratio 0.50, missed"));
    }
}
