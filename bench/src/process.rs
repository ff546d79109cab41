//! What a process has used so far. Nothing where there is no `/proc`.

use std::fs;

/// A process of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Process {
    This,
    Other(u32),
}

impl Process {
    fn read(self, name: &str) -> Option<String> {
        let path = match self {
            Self::This => format!("/proc/self/{name}"),
            Self::Other(id) => format!("/proc/{id}/{name}"),
        };
        fs::read_to_string(path).ok()
    }

    /// Processor time of all threads and of all programs that were started and have ended, in user and system mode.
    pub(crate) fn cpu_seconds(self) -> Option<f64> {
        let ticks = cpu_ticks(&self.read("stat")?)?;
        Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// The most memory that was resident at once.
    pub(crate) fn peak_resident_bytes(self) -> Option<u64> {
        peak_resident(&self.read("status")?)
    }

    /// What all threads gave the disk to write, in whole pages: those that were made dirty.
    pub(crate) fn written_bytes(self) -> Option<u64> {
        written(&self.read("io")?)
    }
}

/// Lets the peak be that of what comes now. Where the system cannot, it stays that of the whole process.
pub(crate) fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn cpu_ticks(stat: &str) -> Option<u64> {
    // The name of the program is in parentheses and may hold spaces.
    let (_, fields) = stat.rsplit_once(')')?;
    // User and system mode of this process, then the same of its children.
    let mut times = fields.split_whitespace().skip(11).take(4);
    times.try_fold(0, |sum, time| Some(sum + time.parse::<u64>().ok()?))
}

fn peak_resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn written(io: &str) -> Option<u64> {
    let value = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes:"))?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_added_for_this_process_and_its_children() {
        let stat = "12 (a b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 7 8 20 0";
        assert_eq!(cpu_ticks(stat), Some(315));
    }

    #[test]
    fn only_what_goes_to_the_disk_counts_as_written() {
        assert_eq!(
            written("wchar: 9\nwrite_bytes: 4096\ncancelled_write_bytes: 1\n"),
            Some(4096)
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn another_process_is_asked_as_this_one_is() {
        let this = Process::Other(std::process::id());
        assert!(this.cpu_seconds().is_some());
        assert!(this.peak_resident_bytes() > Some(1 << 20));
        assert!(Process::Other(u32::MAX).peak_resident_bytes().is_none());
    }

    #[test]
    fn the_peak_is_read_in_bytes() {
        assert_eq!(
            peak_resident("VmPeak:\t 9 kB\nVmHWM:\t    12 kB\n"),
            Some(12 * 1024)
        );
        assert_eq!(peak_resident("VmPeak:\t 9 kB\n"), None);
    }
}
