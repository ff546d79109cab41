//! A filesystem that writes down what is done to it, and fails when told to.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use artstore_core::path::RelPath;
use rustix::io::Errno;

use crate::RealVfs;
use crate::vfs::{FilesystemKind, LockWait, Vfs, VfsEntry, VfsFile, VfsLock, VfsMetadata};

/// No read at a position gives more.
const SHORT_READ_BYTES: usize = 100_000;

#[derive(Debug, Default)]
struct Log {
    effects: Mutex<Vec<String>>,
    faults: Mutex<Vec<(String, Errno)>>,
    /// How many effects are still let happen before one fails.
    countdown: Mutex<Option<(usize, Errno)>>,
}

impl Log {
    /// Writes `effect` down, or fails if a fault begins like it.
    fn note(&self, effect: String) -> io::Result<()> {
        self.fail(&effect)?;
        self.count_down()?;
        self.effects.lock().unwrap().push(effect);
        Ok(())
    }

    /// Fails if a fault begins like `call`. A fault happens once.
    fn fail(&self, call: &str) -> io::Result<()> {
        let mut faults = self.faults.lock().unwrap();
        match faults.iter().position(|(start, _)| call.starts_with(start)) {
            Some(found) => Err(faults.remove(found).1.into()),
            None => Ok(()),
        }
    }

    fn count_down(&self) -> io::Result<()> {
        let mut countdown = self.countdown.lock().unwrap();
        match &mut *countdown {
            None => Ok(()),
            Some((0, errno)) => {
                let error = (*errno).into();
                *countdown = None;
                Err(error)
            }
            Some((left, _)) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct RecordingVfs {
    real: RealVfs,
    log: Arc<Log>,
}

impl RecordingVfs {
    pub(super) fn new(real: RealVfs) -> Self {
        Self {
            real,
            log: Arc::default(),
        }
    }

    /// What was done since the last call.
    pub(super) fn effects(&self) -> Vec<String> {
        std::mem::take(&mut self.log.effects.lock().unwrap())
    }

    /// Lets the next effect that begins with `start` fail without happening.
    pub(super) fn fail(&self, start: &str, errno: Errno) {
        self.log
            .faults
            .lock()
            .unwrap()
            .push((start.to_owned(), errno));
    }

    /// Lets one effect fail without happening, after `good` ones.
    pub(super) fn fail_after(&self, good: usize, errno: Errno) {
        *self.log.countdown.lock().unwrap() = Some((good, errno));
    }

    fn file(&self, name: String, real: Box<dyn VfsFile>) -> Box<dyn VfsFile> {
        let log = Arc::clone(&self.log);
        Box::new(RecordingFile { name, real, log })
    }
}

/// Paths of staging without their ids.
fn shown(path: &RelPath) -> String {
    let Some(rest) = path.as_str().strip_prefix("staging/") else {
        return path.to_string();
    };
    match rest.rsplit_once('.') {
        Some((_, extension)) => format!("staging/*.{extension}"),
        None => "staging/*".to_owned(),
    }
}

fn shown_directory(path: Option<&RelPath>) -> String {
    path.map_or_else(|| ".".to_owned(), shown)
}

impl Vfs for RecordingVfs {
    fn create(&self, path: &RelPath, mode: u32) -> io::Result<Box<dyn VfsFile>> {
        self.log.note(format!("create {} {mode:o}", shown(path)))?;
        Ok(self.file(shown(path), self.real.create(path, mode)?))
    }

    fn open(&self, path: &RelPath) -> io::Result<Box<dyn VfsFile>> {
        Ok(self.file(shown(path), self.real.open(path)?))
    }

    fn metadata(&self, path: &RelPath) -> io::Result<VfsMetadata> {
        self.real.metadata(path)
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> io::Result<()> {
        self.log
            .note(format!("rename {} -> {}", shown(from), shown(to)))?;
        self.real.rename_new(from, to)
    }

    fn rename_over(&self, from: &RelPath, to: &RelPath) -> io::Result<()> {
        self.log
            .note(format!("replace {} -> {}", shown(from), shown(to)))?;
        self.real.rename_over(from, to)
    }

    fn remove_file(&self, path: &RelPath) -> io::Result<()> {
        self.log.note(format!("remove {}", shown(path)))?;
        self.real.remove_file(path)
    }

    fn make_read_only(&self, path: &RelPath) -> io::Result<()> {
        self.log.note(format!("protect {}", shown(path)))?;
        self.real.make_read_only(path)
    }

    fn create_directory(&self, path: &RelPath) -> io::Result<()> {
        self.log.note(format!("mkdir {}", shown(path)))?;
        self.real.create_directory(path)
    }

    fn remove_directory(&self, path: &RelPath) -> io::Result<()> {
        self.log.note(format!("rmdir {}", shown(path)))?;
        self.real.remove_directory(path)
    }

    fn sync_directory(&self, path: Option<&RelPath>) -> io::Result<()> {
        self.log
            .note(format!("sync directory {}", shown_directory(path)))?;
        self.real.sync_directory(path)
    }

    fn read_directory(&self, path: Option<&RelPath>) -> io::Result<Vec<VfsEntry>> {
        self.real.read_directory(path)
    }

    fn lock(&self, path: &RelPath, wait: LockWait) -> io::Result<Option<Box<dyn VfsLock>>> {
        self.real.lock(path, wait)
    }

    fn open_source(&self, path: &Path) -> io::Result<Box<dyn VfsFile>> {
        Ok(self.file("source".to_owned(), self.real.open_source(path)?))
    }

    fn source_metadata(&self, path: &Path) -> io::Result<VfsMetadata> {
        self.real.source_metadata(path)
    }

    fn adopt(&self, from: &Path, to: &RelPath) -> io::Result<()> {
        self.log.note(format!("adopt -> {}", shown(to)))?;
        self.real.adopt(from, to)
    }

    fn give_back(&self, from: &RelPath, to: &Path) -> io::Result<()> {
        self.log.note(format!("give back {}", shown(from)))?;
        self.real.give_back(from, to)
    }

    fn create_root(&self) -> io::Result<()> {
        self.log.note("create root".to_owned())?;
        self.real.create_root()
    }

    fn root(&self) -> &Path {
        self.real.root()
    }

    fn filesystem(&self) -> io::Result<FilesystemKind> {
        self.real.filesystem()
    }

    fn boot_id(&self) -> io::Result<String> {
        self.real.boot_id()
    }
}

#[derive(Debug)]
struct RecordingFile {
    name: String,
    real: Box<dyn VfsFile>,
    log: Arc<Log>,
}

impl VfsFile for RecordingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.real.read(buffer)
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.log.fail(&format!("read {}", self.name))?;
        // Less than was asked for, as the system may do.
        let length = buffer.len().min(SHORT_READ_BYTES);
        self.real.read_at(&mut buffer[..length], position)
    }

    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        self.log.note(format!("write {}", self.name))?;
        self.real.write_all(data)
    }

    fn reserve(&mut self, bytes: u64) -> io::Result<()> {
        self.log.note(format!("reserve {}", self.name))?;
        self.real.reserve(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.log.note(format!("sync {}", self.name))?;
        self.real.sync()
    }

    fn write_back_handle(&self) -> io::Result<Option<Box<dyn VfsFile>>> {
        let Some(real) = self.real.write_back_handle()? else {
            return Ok(None);
        };
        Ok(Some(Box::new(Self {
            name: format!("{} early", self.name),
            real,
            log: Arc::clone(&self.log),
        })))
    }

    fn metadata(&self) -> io::Result<VfsMetadata> {
        self.real.metadata()
    }
}
