//! `cargo xtask demo`: builds the programs and becomes the demonstration, a program of `tests/`.

use crate::process::{self, Repository};
use crate::{Options, Stop, setup};

/// The command's name; everything behind it is for the demonstration.
pub(crate) const NAME: &str = "demo";

const BUILD: [&str; 3] = ["build", "--locked", "--bins"];
const PACKAGES: [&str; 4] = ["semper-tests", "semper-ttp-daemon", "semper-merchant-daemon", "semper-wallet"];
const PROGRAM: &str = "semper-demo";

/// What the first build costs.
const FIRST_BUILD: &str = "This is the first build here: it takes about 8 minutes on two cores and about 4 GB of disk. \
                           Later builds take seconds.";

/// Looks what the machine lacks, builds what takes part, and hands over.
pub(crate) fn run(repository: &Repository, options: &Options) -> Result<(), Stop> {
    setup::check(repository, options.consent)?;
    setup::foretell(repository, "debug", FIRST_BUILD);
    println!("Building the programs.");
    let packages = PACKAGES.iter().flat_map(|package| ["--package", package]);
    process::run(repository.cargo(&BUILD).args(packages))
        .map_err(|why| Stop(format!("The programs could not be built: {why}.")))?;
    let program = repository.target().join("debug").join(PROGRAM);
    Err(Stop(process::become_program(repository.command(program).args(&options.words))))
}
