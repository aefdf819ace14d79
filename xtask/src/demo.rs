//! `cargo xtask demo`: builds the programs and becomes the demonstration, a program of `tests/`.

use crate::process::{self, Repository};
use crate::{Options, Stop};

/// The command's name; everything behind it is for the demonstration.
pub(crate) const NAME: &str = "demo";

const BUILD: [&str; 7] =
    ["build", "--locked", "--bins", "--package", "semper-tests", "--package", "semper-ttp-daemon"];
const PROGRAM: &str = "semper-demo";

/// Builds what takes part, and hands over.
pub(crate) fn run(repository: &Repository, options: &Options) -> Result<(), Stop> {
    println!("Building the programs.");
    process::run(&mut repository.cargo(&BUILD))
        .map_err(|why| Stop(format!("The programs could not be built: {why}.")))?;
    let program = repository.target().join("debug").join(PROGRAM);
    Err(Stop(process::become_program(repository.command(program).args(&options.words))))
}
