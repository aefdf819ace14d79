//! `cargo xtask bench`: builds the programs in release mode and becomes the measurements, a program of `tests/`.

use crate::process::{self, Repository};
use crate::{Options, Stop, setup};

/// The command's name; everything behind it is for the measurements.
pub(crate) const NAME: &str = "bench";

const BUILD: [&str; 3] = ["build", "--locked", "--release"];
const PACKAGES: [&str; 3] = ["semper-tests", "semper-ttp-daemon", "semper-merchant-daemon"];
const PROGRAM: &str = "semper-bench";
/// The measurements, and what they run.
const PROGRAMS: [&str; 4] = [PROGRAM, "semper-buyer", "semper-ttpd", "semper-merchantd"];

/// What the first build costs.
const FIRST_BUILD: &str = "This is the first release build here: it takes about 15 minutes on two cores and about \
                           1.5 GB of disk. Later builds take a few minutes at most.";

/// Looks what the machine lacks, builds what takes part, and hands over.
pub(crate) fn run(repository: &Repository, options: &Options) -> Result<(), Stop> {
    setup::check(repository, options.consent)?;
    setup::foretell(repository, "release", FIRST_BUILD);
    println!("Building the programs in release mode.");
    let packages = PACKAGES.iter().flat_map(|package| ["--package", package]);
    let programs = PROGRAMS.iter().flat_map(|program| ["--bin", program]);
    process::run(repository.cargo(&BUILD).args(packages).args(programs))
        .map_err(|why| Stop(format!("The programs could not be built: {why}.")))?;
    let program = repository.target().join("release").join(PROGRAM);
    Err(Stop(process::become_program(repository.command(program).args(&options.words))))
}
