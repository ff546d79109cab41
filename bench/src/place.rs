//! Where a measurement takes place: a fresh directory in a part of the disk where creating a file is as fast as it can be.
//!
//! ext4 without a journal looks through everything that was deleted in a group of inodes during the last minutes before it
//! creates a file there. What an earlier measurement (or a build) removed then costs a later one up to 1 ms for each file,
//! more than all of its syncs. So nothing small is removed between measurements, directories are spread over the disk, and
//! each is tried before it is used. Several runs within minutes need `--keep` as well.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// Creating a file takes about 15 microseconds where nothing is in its way.
const FAST: Duration = Duration::from_micros(60);

const ATTEMPTS: usize = 24;

/// Files created to try a directory.
const PROBES: usize = 9;

/// A path beside this program. Where programs are built is a disk; the directory for temporary files is often memory.
pub(crate) fn beside_this_program(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let directory = program.parent().context("this program has no directory")?;
    Ok(directory.join(name))
}

/// Says so if fewer than so many bytes are free below `path`.
pub(crate) fn ensure_free(path: &Path, bytes: u64) -> Result<()> {
    let parent = path.parent().context("a source has no directory")?;
    let disk = rustix::fs::statvfs(parent)
        .with_context(|| format!("cannot look at the disk of {}", parent.display()))?;
    let free = disk.f_bavail * disk.f_frsize;
    ensure!(
        free >= bytes,
        "{} GiB of free space are needed, there are {}",
        bytes.div_ceil(1 << 30),
        free >> 30
    );
    Ok(())
}

/// Removes a file, or a directory with everything in it. Several threads share the directories two levels below.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let unremoved = || format!("cannot remove {}", path.display());
    if !path.is_dir() {
        return fs::remove_file(path).with_context(unremoved);
    }
    let mut parts = vec![path.to_path_buf()];
    for _ in 0..2 {
        let inner = parts.iter().map(|part| directories_in(part));
        parts = inner
            .collect::<io::Result<Vec<_>>>()
            .with_context(unremoved)?
            .concat();
    }
    let next = AtomicUsize::new(0);
    let remove_parts = || {
        while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
            fs::remove_dir_all(part)?;
        }
        io::Result::Ok(())
    };
    thread::scope(|scope| {
        let other = scope.spawn(remove_parts);
        remove_parts()?;
        other
            .join()
            .map_err(|_| io::Error::other("a thread panicked"))?
    })
    .and_then(|()| fs::remove_dir_all(path))
    .with_context(unremoved)
}

fn directories_in(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Makes a directory in `parent` that is removed when dropped and whose subdirectories are spread over the disk.
pub(crate) fn spread(parent: &Path) -> Result<TempDir> {
    let directory = TempDir::with_prefix_in("artstore-bench-", parent)
        .with_context(|| format!("cannot create a directory in {}", parent.display()))?;
    mark_as_top(directory.path())?;
    Ok(directory)
}

/// Makes an empty directory below `parent` for one measurement. Says so if none is found where files are created fast.
pub(crate) fn fresh(parent: &Path) -> Result<PathBuf> {
    let mut fastest: Option<(Duration, PathBuf)> = None;
    for _ in 0..ATTEMPTS {
        let place = TempDir::with_prefix_in("place-", parent)
            .with_context(|| format!("cannot create a directory in {}", parent.display()))?
            .keep();
        let creation = probe(&place)?;
        if fastest.as_ref().is_none_or(|(time, _)| creation < *time) {
            fastest = Some((creation, place));
        }
        if creation < FAST {
            break;
        }
    }
    let (creation, place) = fastest.context("no directory was tried")?;
    if creation >= FAST {
        eprintln!(
            "warning: creating a file takes {} microseconds here; were many files deleted in the last five minutes?",
            creation.as_micros()
        );
    }
    create_directory(&place, "world")
}

/// How long it takes to create a file, usually.
fn probe(place: &Path) -> Result<Duration> {
    let directory = create_directory(place, "probes")?;
    let mut times = Vec::new();
    for index in 0..PROBES {
        let path = directory.join(index.to_string());
        let start = Instant::now();
        File::create_new(&path).with_context(|| format!("cannot create {}", path.display()))?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[PROBES / 2])
}

fn create_directory(parent: &Path, name: &str) -> Result<PathBuf> {
    let path = parent.join(name);
    fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(path)
}

/// The flag of directories like `/home`, whose subdirectories have nothing to do with each other.
#[cfg(target_os = "linux")]
fn mark_as_top(directory: &Path) -> Result<()> {
    use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

    let file =
        File::open(directory).with_context(|| format!("cannot open {}", directory.display()))?;
    // Filesystems without the flag refuse it, and spread directories as they like.
    if let Ok(flags) = ioctl_getflags(&file) {
        let _ = ioctl_setflags(&file, flags | IFlags::TOPDIR);
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn mark_as_top(_directory: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_below_a_directory_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("source");
        for inner in ["a/1/x", "a/2", "b", "c/3/y/z"] {
            fs::create_dir_all(path.join(inner)).unwrap();
            File::create_new(path.join(inner).join("file")).unwrap();
        }
        remove(&path).unwrap();
        assert!(!path.exists());
        remove(&path).unwrap_err();
    }

    #[test]
    fn a_full_disk_is_told_before() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("source");
        ensure_free(&path, 1).unwrap();
        let error = ensure_free(&path, u64::MAX).unwrap_err();
        assert!(error.to_string().contains("are needed"), "{error}");
    }

    #[test]
    fn every_measurement_has_an_empty_directory_of_its_own() {
        let parent = tempfile::tempdir().unwrap();
        let bench = spread(parent.path()).unwrap();

        let one = fresh(bench.path()).unwrap();
        let other = fresh(bench.path()).unwrap();

        assert_ne!(one, other);
        for place in [one, other] {
            assert_eq!(fs::read_dir(place).unwrap().count(), 0);
        }
        drop(bench);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
