//! A filesystem that is observed.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use artstore_core::path::RelPath;
use artstore_fs::vfs::{FilesystemKind, LockWait, Vfs, VfsEntry, VfsFile, VfsLock, VfsMetadata};

use super::{Call, Next, Observer};

/// Passes every call on, and asks an [`Observer`] before each that changes something.
#[derive(Debug)]
pub struct ObservedVfs {
    inner: Arc<dyn Vfs>,
    observer: Arc<dyn Observer>,
    boots: Arc<AtomicU16>,
    network: Option<String>,
}

impl ObservedVfs {
    /// Observes the users of `inner`.
    pub fn new(inner: Arc<dyn Vfs>, observer: Arc<dyn Observer>) -> Self {
        Self {
            inner,
            observer,
            boots: Arc::default(),
            network: None,
        }
    }

    /// The same as if it were mounted over a network.
    #[must_use]
    pub fn on_network(mut self, name: &str) -> Self {
        self.network = Some(name.to_owned());
        self
    }

    /// The same on a machine that was started anew as often as `boots` says.
    #[must_use]
    pub fn booted(mut self, boots: Arc<AtomicU16>) -> Self {
        self.boots = boots;
        self
    }

    /// Whether the call is to be made.
    fn ask(&self, verb: &str, path: &RelPath) -> io::Result<bool> {
        self.ask_about(area(path), verb, Some(path))
    }

    fn ask_about(&self, area: &str, verb: &str, path: Option<&RelPath>) -> io::Result<bool> {
        ask(&*self.observer, &Call { area, verb, path })
    }

    fn file(&self, area: &'static str, inner: Box<dyn VfsFile>) -> Box<dyn VfsFile> {
        Box::new(ObservedFile {
            area,
            inner,
            observer: Arc::clone(&self.observer),
        })
    }
}

impl Vfs for ObservedVfs {
    fn create(&self, path: &RelPath, mode: u32) -> io::Result<Box<dyn VfsFile>> {
        self.ask("create", path)?;
        let file = self.inner.create(path, mode)?;
        Ok(self.file(area(path), file))
    }

    fn open(&self, path: &RelPath) -> io::Result<Box<dyn VfsFile>> {
        self.inner.open(path)
    }

    fn metadata(&self, path: &RelPath) -> io::Result<VfsMetadata> {
        self.inner.metadata(path)
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> io::Result<()> {
        match self.ask("rename", to)? {
            true => self.inner.rename_new(from, to),
            false => Ok(()),
        }
    }

    fn rename_over(&self, from: &RelPath, to: &RelPath) -> io::Result<()> {
        match self.ask("replace", to)? {
            true => self.inner.rename_over(from, to),
            false => Ok(()),
        }
    }

    fn remove_file(&self, path: &RelPath) -> io::Result<()> {
        match self.ask("remove", path)? {
            true => self.inner.remove_file(path),
            false => Ok(()),
        }
    }

    fn make_read_only(&self, path: &RelPath) -> io::Result<()> {
        match self.ask("make-read-only", path)? {
            true => self.inner.make_read_only(path),
            false => Ok(()),
        }
    }

    fn create_directory(&self, path: &RelPath) -> io::Result<()> {
        match self.ask_about("directory", "create", Some(path))? {
            true => self.inner.create_directory(path),
            false => Ok(()),
        }
    }

    fn remove_directory(&self, path: &RelPath) -> io::Result<()> {
        match self.ask_about("directory", "remove", Some(path))? {
            true => self.inner.remove_directory(path),
            false => Ok(()),
        }
    }

    fn sync_directory(&self, path: Option<&RelPath>) -> io::Result<()> {
        match self.ask_about("directory", "sync", path)? {
            true => self.inner.sync_directory(path),
            false => Ok(()),
        }
    }

    fn read_directory(&self, path: Option<&RelPath>) -> io::Result<Vec<VfsEntry>> {
        self.inner.read_directory(path)
    }

    fn lock(&self, path: &RelPath, wait: LockWait) -> io::Result<Option<Box<dyn VfsLock>>> {
        let lock = self.inner.lock(path, wait)?;
        Ok(lock.map(|inner| {
            Box::new(ObservedLock {
                inner,
                observer: Arc::clone(&self.observer),
            }) as Box<dyn VfsLock>
        }))
    }

    fn open_source(&self, path: &Path) -> io::Result<Box<dyn VfsFile>> {
        let file = self.inner.open_source(path)?;
        Ok(self.file("source", file))
    }

    fn source_metadata(&self, path: &Path) -> io::Result<VfsMetadata> {
        self.inner.source_metadata(path)
    }

    fn adopt(&self, from: &Path, to: &RelPath) -> io::Result<()> {
        match self.ask("adopt", to)? {
            true => self.inner.adopt(from, to),
            false => Ok(()),
        }
    }

    fn give_back(&self, from: &RelPath, to: &Path) -> io::Result<()> {
        match self.ask("give-back", from)? {
            true => self.inner.give_back(from, to),
            false => Ok(()),
        }
    }

    fn create_root(&self) -> io::Result<()> {
        self.inner.create_root()
    }

    fn root(&self) -> &Path {
        self.inner.root()
    }

    fn filesystem(&self) -> io::Result<FilesystemKind> {
        match &self.network {
            Some(name) => Ok(FilesystemKind::Network(name.clone())),
            None => self.inner.filesystem(),
        }
    }

    fn boot_id(&self) -> io::Result<String> {
        let mut id = self.inner.boot_id()?;
        let boots = self.boots.load(Ordering::SeqCst);
        if boots > 0 {
            id.replace_range(..4, &format!("{boots:04x}"));
        }
        Ok(id)
    }
}

#[derive(Debug)]
struct ObservedFile {
    area: &'static str,
    inner: Box<dyn VfsFile>,
    observer: Arc<dyn Observer>,
}

impl VfsFile for ObservedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, position)
    }

    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        match ask_of_file(&*self.observer, self.area, "write")? {
            true => self.inner.write_all(data),
            false => Ok(()),
        }
    }

    fn reserve(&mut self, bytes: u64) -> io::Result<()> {
        self.inner.reserve(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        match ask_of_file(&*self.observer, self.area, "sync")? {
            true => self.inner.sync(),
            false => Ok(()),
        }
    }

    fn write_back_handle(&self) -> io::Result<Option<Box<dyn VfsFile>>> {
        self.inner.write_back_handle()
    }

    fn metadata(&self) -> io::Result<VfsMetadata> {
        self.inner.metadata()
    }
}

#[derive(Debug)]
struct ObservedLock {
    inner: Box<dyn VfsLock>,
    observer: Arc<dyn Observer>,
}

impl VfsLock for ObservedLock {
    fn read(&self) -> io::Result<Vec<u8>> {
        self.inner.read()
    }

    fn write(&self, data: &[u8]) -> io::Result<()> {
        match ask_of_file(&*self.observer, "counter", "write")? {
            true => self.inner.write(data),
            false => Ok(()),
        }
    }
}

fn ask_of_file(observer: &dyn Observer, area: &str, verb: &str) -> io::Result<bool> {
    let path = None;
    ask(observer, &Call { area, verb, path })
}

fn ask(observer: &dyn Observer, call: &Call<'_>) -> io::Result<bool> {
    match observer.before(call) {
        Next::Proceed => Ok(true),
        Next::Pretend => Ok(false),
        Next::Fail(kind) => Err(io::Error::new(kind, format!("{call} was made to fail"))),
    }
}

/// The name of what is at `path`, as observers are told.
fn area(path: &RelPath) -> &'static str {
    let name = path.file_name();
    match path.components().next() {
        Some("staging") if name.ends_with(".lock") => "owner",
        Some("staging") if name.ends_with(".data") => "staged-data",
        Some("staging") => "staged-document",
        Some("intents") => "intent",
        Some("events") => "event",
        Some("locks") => "counter",
        Some("quarantine") => "quarantine",
        Some("types") => "type",
        Some("artifacts") => match artstore_core::layout::artifact_of_file_name(name) {
            Some((_, artstore_core::layout::ArtifactFile::Record)) => "record",
            _ => "data",
        },
        _ => "root",
    }
}
