//! What this process has used so far. Nothing where there is no `/proc`.

use std::fs;

/// Processor time of all threads, in user and system mode.
pub(crate) fn cpu_seconds() -> Option<f64> {
    let ticks = cpu_ticks(&fs::read_to_string("/proc/self/stat").ok()?)?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The most memory that was resident at once.
pub(crate) fn peak_resident_bytes() -> Option<u64> {
    peak_resident(&fs::read_to_string("/proc/self/status").ok()?)
}

/// What all threads gave the disk to write, in whole pages: those that were made dirty.
pub(crate) fn written_bytes() -> Option<u64> {
    written(&fs::read_to_string("/proc/self/io").ok()?)
}

fn cpu_ticks(stat: &str) -> Option<u64> {
    // The name of the program is in parentheses and may hold spaces.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some(user + system)
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
    fn user_and_system_time_are_added() {
        let stat = "12 (a b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 7 7 20 0";
        assert_eq!(cpu_ticks(stat), Some(300));
    }

    #[test]
    fn only_what_goes_to_the_disk_counts_as_written() {
        assert_eq!(
            written("wchar: 9\nwrite_bytes: 4096\ncancelled_write_bytes: 1\n"),
            Some(4096)
        );
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
