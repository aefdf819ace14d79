//! Evaluations put into the file of a service, each under its serial number.

use std::collections::BTreeMap;

use semper_supporting::evidence::statement;

use super::{
    evaluation::ServiceEvaluation,
    fault::ServiceFault,
    package::{Package, Signed, with_signatures},
};

/// The package in `bytes` with the evaluations `more` beside those it has; what the merchant signed stays.
///
/// That they verify is the question of whoever counts them.
///
/// # Errors
/// [`ServiceFault::BadPackage`] if there was no package, [`ServiceFault::BadStatement`] for what is no evaluation of this
/// package, [`ServiceFault::Unpackable`] if the file would be too large.
pub fn with_evaluations(bytes: &[u8], more: &[Signed]) -> Result<Vec<u8>, ServiceFault> {
    let package = Package::read(bytes)?;
    let mut all = BTreeMap::new();
    for signed in package.evaluations().iter().chain(more) {
        let said: ServiceEvaluation = statement::from_bytes(&signed.statement.tbs)?;
        if said.package_sha256 != package.sha256() {
            return Err(ServiceFault::statement("an evaluation is of another package"));
        }
        all.insert(said.serial.to_string(), signed.clone());
    }
    with_signatures(bytes, package.terms_signed(), &all)
}
