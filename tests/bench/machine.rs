//! The machine on which it was measured, as far as it matters to the figures.

use std::{fs, num::NonZeroUsize, path::Path, thread};

use serde::Serialize;

/// A machine; what it does not say of itself is empty.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// How many cores programs may use.
    pub(crate) cores: usize,
    /// The model of the CPU.
    pub(crate) cpu: String,
    /// Memory in MiB.
    pub(crate) memory_mib: u64,
    /// The version of Linux.
    pub(crate) linux: String,
    /// The kind of file system on which the archives were.
    pub(crate) file_system: String,
    /// How many threads wanted to run in the minute before the measurements.
    pub(crate) load: f64,
}

impl Machine {
    /// This one.
    pub(crate) fn look() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let folder = std::env::temp_dir();
        let folder = folder.canonicalize().unwrap_or(folder);
        let memory = value(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse();
        Self {
            cores: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            cpu: value(&read("/proc/cpuinfo"), "model name"),
            memory_mib: memory.unwrap_or(0_u64) / 1024,
            linux: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: file_system(&read("/proc/self/mountinfo"), &folder),
            load: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        }
    }

    /// Whether more was under way than measurements should have beside them.
    pub(crate) fn is_busy(&self) -> bool {
        self.load > self.cores as f64 / 4.0
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        let Self { cores, cpu, memory_mib, linux, file_system, load } = self;
        format!(
            "{cores} cores, {cpu}, {memory_mib} MiB of memory, Linux {linux}, archives on {file_system}, load {load}"
        )
    }
}

/// The first value of this name in a list of `name : value`.
fn value(list: &str, name: &str) -> String {
    let mut lines = list.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(key, _)| key.trim() == name);
    found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// The kind of file system that `folder` is on, by the system's list of mounts (proc(5)): of the mounts above it
/// the nearest, and of those at one place the last.
fn file_system(mounts: &str, folder: &Path) -> String {
    let above = mounts.lines().filter_map(|line| {
        let (mount, about) = line.split_once(" - ")?;
        let place = Path::new(mount.split(' ').nth(4)?);
        folder.starts_with(place).then_some((place.components().count(), about.split(' ').next()?))
    });
    above.max_by_key(|(depth, _)| *depth).map(|(_, kind)| kind.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_system_is_that_of_the_nearest_mount() {
        let mounts = "22 1 254:0 / / rw - ext4 /dev/vda rw\n30 22 0:27 / /tmp rw shared:1 - tmpfs tmpfs rw\n";
        assert_eq!(file_system(mounts, Path::new("/tmp/market")), "tmpfs");
        assert_eq!(file_system(mounts, Path::new("/tmpfiles")), "ext4");
        assert_eq!(file_system("", Path::new("/tmp")), "");
    }

    #[test]
    fn this_machine_says_what_it_is() {
        let machine = Machine::look();
        assert!(machine.cores > 0 && !machine.file_system.is_empty() && !machine.linux.is_empty());
        assert_eq!(value("model name\t: Some CPU\n", "model name"), "Some CPU");
    }
}
