//! Debian packages that the product or its tests need at run time: which are missing, how large they are,
//! and their installation by the package manager, with the user's consent.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};

use crate::process::{self, Repository, answer, is_on_path};
use crate::{Consent, Stop};

/// A package, what it is for, and the program it brings if it brings one.
struct Package {
    name: &'static str,
    purpose: &'static str,
    program: Option<&'static str>,
}

const PACKAGES: &[Package] = &[
    Package { name: "openssl", purpose: "checks evidence without our code", program: Some("openssl") },
    Package { name: "xvfb", purpose: "screen for tests of the real window", program: Some("Xvfb") },
    Package { name: "xdotool", purpose: "hands for tests of the real window", program: Some("xdotool") },
    Package { name: "imagemagick", purpose: "pictures of the real window", program: Some("convert") },
    Package { name: "libx11-6", purpose: "the wallet's window", program: None },
    Package { name: "libx11-xcb1", purpose: "the wallet's window", program: None },
    Package { name: "libxcursor1", purpose: "the wallet's pointer", program: None },
    Package { name: "libxi6", purpose: "the wallet's pointer and keyboard", program: None },
    Package { name: "libxkbcommon-x11-0", purpose: "the wallet's keyboard", program: None },
    Package { name: "libgl1", purpose: "the wallet's drawing", program: None },
    Package { name: "libgl1-mesa-dri", purpose: "drawing without a graphics card", program: None },
    Package { name: "libegl1", purpose: "the wallet's drawing", program: None },
];

const INSTALL: [&str; 4] = ["install", "--quiet", "--yes", "--no-install-recommends"];

/// Sees to it that all packages are there.
///
/// # Errors
/// Packages are missing and the user declines, may not install them, or the installation fails.
pub(crate) fn provide(repository: &Repository, consent: Consent) -> Result<(), Stop> {
    if !is_on_path("dpkg-query") {
        return elsewhere();
    }
    let missing = missing(repository);
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    if lists_are_empty() {
        println!("The package lists of this machine are empty, so sizes are unknown until they are fetched.");
    }
    println!("These Debian packages are missing:\n{}", table(&missing, &sizes(repository, &names)));
    if let Some(total) = total(repository, &names) {
        println!("With what they need in turn, {} will be fetched.", amount(total));
    }
    install(repository, consent, &names)?;
    match self::missing(repository).first() {
        None => Ok(()),
        Some(package) => Err(Stop(format!("The package {} is still missing.", package.name))),
    }
}

/// On other systems the programs can be looked for; the libraries only be named.
fn elsewhere() -> Result<(), Stop> {
    let absent: Vec<&str> =
        PACKAGES.iter().filter_map(|package| package.program).filter(|name| !is_on_path(name)).collect();
    if absent.is_empty() {
        println!(
            "This is not a Debian system: the run-time libraries of X11 and OpenGL were not looked for."
        );
        return Ok(());
    }
    Err(Stop(format!(
        "This is not a Debian system, and these programs are missing: {}. Install them with your package manager.",
        absent.join(", ")
    )))
}

fn missing(repository: &Repository) -> Vec<&'static Package> {
    // dpkg-query ends without success as soon as it does not know one name; what it prints still counts.
    let mut query = repository.command("dpkg-query");
    query.args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"]);
    query.args(PACKAGES.iter().map(|package| package.name));
    let printed = query.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let installed = installed(&printed.unwrap_or_default());
    PACKAGES
        .iter()
        .filter(|package| {
            !installed.iter().any(|name| name == package.name) && !package.program.is_some_and(is_on_path)
        })
        .collect()
}

/// Reads the lines `name status` of dpkg-query.
fn installed(printed: &str) -> Vec<String> {
    printed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, status)| status.trim() == "installed")
        .map(|(name, _)| name.to_string())
        .collect()
}

fn lists_are_empty() -> bool {
    fs::read_dir("/var/lib/apt/lists").map_or(true, |entries| {
        !entries.flatten().any(|entry| entry.file_name().to_string_lossy().contains("Packages"))
    })
}

/// Returns what this machine's package lists say about the size of each package's archive, in bytes.
fn sizes(repository: &Repository, names: &[&str]) -> BTreeMap<String, u64> {
    let mut show = repository.command("apt-cache");
    show.args(["show", "--no-all-versions"]).args(names);
    show.output().map(|output| read_sizes(&String::from_utf8_lossy(&output.stdout))).unwrap_or_default()
}

fn read_sizes(shown: &str) -> BTreeMap<String, u64> {
    let field = |paragraph: &str, name: &str| {
        paragraph.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_string())
    };
    shown
        .split("\n\n")
        .filter_map(|paragraph| {
            Some((field(paragraph, "Package:")?, field(paragraph, "Size:")?.parse().ok()?))
        })
        .collect()
}

/// Returns how many bytes an installation would fetch, dependencies included.
fn total(repository: &Repository, names: &[&str]) -> Option<u64> {
    let mut plan = repository.command("apt-get");
    plan.args(INSTALL).args(["--quiet", "--print-uris"]).args(names);
    read_total(&answer(&mut plan)?)
}

/// Sums up the third column of lines `'address' file size checksum`; other lines count nothing.
fn read_total(plan: &str) -> Option<u64> {
    plan.lines()
        .filter(|line| line.starts_with('\''))
        .map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok())
        .sum()
}

fn table(missing: &[&Package], sizes: &BTreeMap<String, u64>) -> String {
    let rows: Vec<String> = missing
        .iter()
        .map(|package| {
            let size = sizes.get(package.name).map_or_else(|| "size unknown".into(), |size| amount(*size));
            format!("  {:<20} {size:>12}  {}", package.name, package.purpose)
        })
        .collect();
    rows.join("\n")
}

/// Writes a number of bytes for a reader, rounded up.
fn amount(bytes: u64) -> String {
    if bytes >= 1_000_000 {
        format!("{} MB", bytes.div_ceil(1_000_000))
    } else {
        format!("{} kB", bytes.div_ceil(1_000))
    }
}

/// By what right packages are installed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Right {
    /// We are root.
    Root,
    /// `sudo` asks for nothing, or asks the user who sits there.
    Sudo,
    /// None.
    None,
}

fn install(repository: &Repository, consent: Consent, names: &[&str]) -> Result<(), Stop> {
    let root = answer(repository.command("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    let order = order(root, names);
    if consent == Consent::Ask && !agreed(&order)? {
        return Err(Stop(format!("Nothing was installed. The command is:\n  {order}")));
    }
    let free = answer(repository.command("sudo").args(["-n", "true"])).is_some();
    let right = right(root, is_on_path("sudo"), free, consent);
    if right == Right::None {
        return Err(Stop(format!("Installing packages needs root. Please run:\n  {order}")));
    }
    if lists_are_empty() {
        apt(repository, right, &["update", "--quiet"], &[])?;
    }
    // Lists can be older than what the archive still holds: fetch them anew once, then it must succeed.
    apt(repository, right, &INSTALL, names).or_else(|_| {
        apt(repository, right, &["update", "--quiet"], &[])?;
        apt(repository, right, &INSTALL, names)
    })
}

fn right(root: bool, sudo: bool, free: bool, consent: Consent) -> Right {
    match (root, sudo) {
        (true, _) => Right::Root,
        (false, true) if free || consent == Consent::Ask => Right::Sudo,
        (false, _) => Right::None,
    }
}

/// The command as a user would type it.
fn order(root: bool, names: &[&str]) -> String {
    let prefix = if root { "" } else { "sudo " };
    format!("{prefix}apt-get install --no-install-recommends {}", names.join(" "))
}

fn agreed(order: &str) -> Result<bool, Stop> {
    print!("Install them now with `{order}`? [y/N] ");
    io::stdout().flush()?;
    let mut reply = String::new();
    io::stdin().read_line(&mut reply)?;
    Ok(matches!(reply.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn apt(repository: &Repository, right: Right, arguments: &[&str], names: &[&str]) -> Result<(), Stop> {
    let mut command = match right {
        Right::Sudo => {
            let mut sudo = repository.command("sudo");
            sudo.arg("env");
            sudo
        }
        Right::Root | Right::None => repository.command("env"),
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments).args(names);
    process::run(&mut command).map_err(|why| Stop(format!("apt-get did not succeed: {why}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packages_that_are_installed_count_as_installed() {
        let printed = "openssl installed\nxvfb config-files\nlibgl1 installed\n";
        assert_eq!(installed(printed), ["openssl", "libgl1"]);
    }

    #[test]
    fn sizes_are_read_from_the_local_lists() {
        let shown =
            "Package: xvfb\nInstalled-Size: 7700\nSize: 3142000\nDescription: x\n Size: 9\n\nPackage: odd\n";
        let sizes = read_sizes(shown);
        assert_eq!(sizes.get("xvfb"), Some(&3_142_000));
        let rows = table(&[&PACKAGES[1], &PACKAGES[2]], &sizes);
        assert!(rows.contains("4 MB") && rows.contains("size unknown"), "{rows}");
    }

    #[test]
    fn the_total_is_the_sum_of_the_plan_and_unknown_when_a_line_is_odd() {
        assert_eq!(read_total("Reading…\n'a' x.deb 1000 h\n'b' y.deb 500 h\n"), Some(1500));
        assert_eq!(read_total("'a' x.deb many h\n"), None);
        assert_eq!(amount(1500), "2 kB");
    }

    #[test]
    fn without_root_or_a_sudo_that_can_answer_nothing_is_installed() {
        assert_eq!(right(true, false, false, Consent::Given), Right::Root);
        assert_eq!(right(false, true, true, Consent::Given), Right::Sudo);
        assert_eq!(right(false, true, false, Consent::Given), Right::None);
        assert_eq!(right(false, true, false, Consent::Ask), Right::Sudo);
        assert_eq!(right(false, false, false, Consent::Ask), Right::None);
    }

    #[test]
    fn the_order_is_the_exact_command() {
        assert_eq!(order(false, &["xvfb"]), "sudo apt-get install --no-install-recommends xvfb");
        assert_eq!(order(true, &["xvfb", "openssl"]), "apt-get install --no-install-recommends xvfb openssl");
    }
}
