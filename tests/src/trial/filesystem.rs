//! Small filesystems to fill up or to make read-only, where this process may mount them.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How often it is tried to make a filesystem read-only.
const ATTEMPTS: usize = 500;

/// A filesystem in memory, mounted for as long as this lives.
#[derive(Debug)]
pub struct SmallFilesystem {
    directory: tempfile::TempDir,
}

impl SmallFilesystem {
    /// Mounts one of this size, or says why that is impossible.
    ///
    /// # Errors
    /// What is missing: the right to mount, mostly.
    pub fn mount(bytes: u64) -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("needs root and mount".to_owned());
        }
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let size = format!("size={bytes},nr_inodes=4096");
        let arguments = ["-t", "tmpfs", "-o", &size, "artstore-test"];
        run("mount", &arguments, directory.path())?;
        Ok(Self { directory })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Makes it read-only, as soon as the last file that is open for writing is closed.
    ///
    /// # Errors
    /// What `mount` says.
    pub fn make_read_only(&self) -> Result<(), String> {
        let remount = || run("mount", &["-o", "remount,ro"], self.path());
        // What a store drops last, it may drop on another thread.
        for _ in 0..ATTEMPTS {
            if remount().is_ok() {
                return Ok(());
            }
        }
        remount()
    }

    /// Makes it writable again.
    ///
    /// # Errors
    /// What `mount` says.
    pub fn make_writable(&self) -> Result<(), String> {
        run("mount", &["-o", "remount,rw"], self.path())
    }

    /// Leaves about `free` bytes of space, and returns the file that takes the rest.
    ///
    /// # Errors
    /// Any but that of a full disk.
    pub fn fill(&self, free: u64) -> io::Result<PathBuf> {
        let path = self.path().join("filler");
        let mut file = File::create(&path)?;
        let block = [7_u8; 4096];
        let mut written = 0;
        loop {
            match file.write_all(&block) {
                Ok(()) => written += block.len() as u64,
                Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                Err(error) => return Err(error),
            }
        }
        file.set_len(written.saturating_sub(free))?;
        Ok(path)
    }
}

impl Drop for SmallFilesystem {
    fn drop(&mut self) {
        // Files of a store that was not dropped yet may be open: detached now, gone with the last of them.
        let _ = run("umount", &["-l"], self.path());
    }
}

fn run(program: &str, arguments: &[&str], path: &Path) -> Result<(), String> {
    let status = Command::new(program)
        .args(arguments)
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("needs `{program}`: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("`{program}` failed: {status}")),
    }
}
