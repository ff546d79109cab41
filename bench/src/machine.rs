//! The machine, as far as it explains figures: no names and no paths.

use std::fs;
use std::path::Path;
use std::thread;

use serde::{Deserialize, Serialize};

const UNKNOWN: &str = "unknown";

/// What figures depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    has_sha_instructions: bool,
    memory_gibibytes: u64,
    kernel: String,
    filesystem: String,
}

impl Machine {
    /// This machine, and the filesystem of `directory`.
    pub(crate) fn of(directory: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo");
        let flags = value_of(&processor, "flags").unwrap_or_default();
        let has_sha_instructions = flags
            .split_whitespace()
            .any(|flag| flag == "sha_ni" || flag == "sha2");
        Self {
            processor: value_of(&processor, "model name")
                .unwrap_or(UNKNOWN)
                .to_owned(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            has_sha_instructions,
            memory_gibibytes: gibibytes(&read("/proc/meminfo")),
            kernel: kernel(&read("/proc/sys/kernel/osrelease")),
            filesystem: filesystem(directory, &read("/proc/self/mounts"), &journals()),
        }
    }

    /// A sentence without its full stop.
    pub(crate) fn describe(&self) -> String {
        let cores = match self.cores {
            1 => "one core".to_owned(),
            cores => format!("{cores} cores"),
        };
        let instructions = if self.has_sha_instructions {
            " with SHA instructions"
        } else {
            ""
        };
        format!(
            "{cores} of `{}`{instructions}, {} GiB of memory, kernel {}, {}",
            self.processor, self.memory_gibibytes, self.kernel, self.filesystem
        )
    }
}

/// The first value with this name among lines like `name : value`.
fn value_of<'a>(lines: &'a str, name: &str) -> Option<&'a str> {
    lines.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim())
    })
}

/// Rounded: the kernel keeps a part to itself.
fn gibibytes(meminfo: &str) -> u64 {
    let total = value_of(meminfo, "MemTotal").and_then(|value| value.strip_suffix(" kB"));
    let kibibytes: u64 = total.and_then(|value| value.parse().ok()).unwrap_or(0);
    (kibibytes + (1 << 19)) >> 20
}

/// Its two leading numbers: what follows may name the machine.
fn kernel(release: &str) -> String {
    let numbers: Vec<&str> = release.trim().splitn(3, '.').take(2).collect();
    match numbers.as_slice() {
        [major, minor] => format!("{major}.{minor}"),
        _ => UNKNOWN.to_owned(),
    }
}

/// Names like `vda1-8`, of journals that are in use.
fn journals() -> Vec<String> {
    let Ok(entries) = fs::read_dir("/proc/fs/jbd2") else {
        return Vec::new();
    };
    let names = entries.flatten();
    names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// The type of the filesystem that is mounted nearest above `directory`.
fn filesystem(directory: &Path, mounts: &str, journals: &[String]) -> String {
    let directory = directory.canonicalize();
    let mounted = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let (device, place, kind) = (fields.next()?, fields.next()?, fields.next()?);
        let is_above = directory.as_ref().is_ok_and(|path| path.starts_with(place));
        is_above.then_some((place.len(), device, kind))
    });
    // Of several at one place the last one is seen.
    let nearest = mounted.max_by_key(|(length, ..)| *length);
    match nearest {
        Some((_, device, kind @ "ext4")) if !has_journal(device, journals) => {
            format!("{kind} without a journal")
        }
        Some((_, _, kind)) => kind.to_owned(),
        None => format!("a filesystem that is {UNKNOWN}"),
    }
}

fn has_journal(device: &str, journals: &[String]) -> bool {
    let name = device.rsplit('/').next().unwrap_or(device);
    journals
        .iter()
        .any(|journal| journal.starts_with(&format!("{name}-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_names_no_host() {
        let machine = Machine {
            processor: "AMD EPYC".to_owned(),
            cores: 2,
            has_sha_instructions: true,
            memory_gibibytes: gibibytes("MemTotal:       24595304 kB\n"),
            kernel: kernel("6.18.5-builder-of-somebody\n"),
            filesystem: "xfs".to_owned(),
        };
        assert_eq!(
            machine.describe(),
            "2 cores of `AMD EPYC` with SHA instructions, 23 GiB of memory, kernel 6.18, xfs"
        );
    }

    #[test]
    fn the_nearest_filesystem_counts_and_its_journal_is_looked_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap();
        let mounts = format!(
            "/dev/vda / ext4 rw 0 0\n/dev/vdb {} xfs rw 0 0\n/dev/vdc /nowhere btrfs rw 0 0\n",
            path.display()
        );
        assert_eq!(filesystem(&path, &mounts, &[]), "xfs");
        let root = Path::new("/");
        assert_eq!(filesystem(root, &mounts, &[]), "ext4 without a journal");
        assert_eq!(filesystem(root, &mounts, &["vda-8".to_owned()]), "ext4");
    }
}
