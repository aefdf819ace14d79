//! What the checks find in a package: the one report that shop, evaluator and wallet make alike.

use super::package::Package;
use crate::service::check::{Report, Stage, check, prose};

/// What the checks find in `package`: in its chart, and in its long texts for who reads the languages of `user`.
///
/// For nobody in particular it is the report whose SHA-256 stands in evaluations.
pub fn report(package: &Package, user: &[String]) -> Report {
    let (languages, texts) = package.languages();
    let mut report = check(package.chart(), Stage::Packed);
    report.findings.extend(prose(package.chart(), &texts, &languages, user).findings);
    report.findings.sort();
    report.findings.dedup();
    report
}
