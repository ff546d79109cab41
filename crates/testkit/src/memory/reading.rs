use std::fs::File;
use std::io::ErrorKind as IoErrorKind;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use artstore_core::backend::{RandomRead, StagedFile};
use artstore_core::path::RelPath;
use artstore_core::{Error, Result};
use bytes::Bytes;

use super::MemoryStore;
use super::source::{check_source, fingerprint, source_error};
use super::store::World;

/// Bytes that nobody can change.
#[derive(Debug)]
pub(super) struct BytesReader(pub(super) Bytes);

impl RandomRead for BytesReader {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> Result<()> {
        copy_exact(&self.0, position, buffer)
    }

    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }
}

fn copy_exact(content: &[u8], position: u64, buffer: &mut [u8]) -> Result<()> {
    let start = usize::try_from(position).ok();
    let wanted = start.and_then(|start| content.get(start..start.checked_add(buffer.len())?));
    let wanted = wanted.ok_or_else(|| ends_early(position, buffer.len()))?;
    buffer.copy_from_slice(wanted);
    Ok(())
}

fn ends_early(position: u64, length: usize) -> Error {
    Error::conflict("there are fewer bytes than were promised")
        .with("position", position)
        .with("bytes", length)
}

/// A user's file. Stricter than a real one it compares all bytes: a change of the same size at the same time is noticed.
#[derive(Debug)]
pub(super) struct FileReader {
    path: PathBuf,
    file: File,
    size: u64,
    fingerprint: String,
    content: Bytes,
}

impl FileReader {
    pub(super) fn open(path: PathBuf) -> Result<Self> {
        let size = check_source(&path)?;
        let fingerprint = fingerprint(&path)?;
        let failed = |error| source_error(&path, error);
        let file = File::open(&path).map_err(failed)?;
        let content = std::fs::read(&path).map_err(failed)?.into();
        Ok(Self {
            path,
            file,
            size,
            fingerprint,
            content,
        })
    }

    fn changed(&self) -> Error {
        Error::conflict("the source changed after it was opened").with("path", self.path.display())
    }
}

impl RandomRead for FileReader {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> Result<()> {
        let end = position.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(ends_early(position, buffer.len()).with("path", self.path.display()));
        }
        self.file
            .read_exact_at(buffer, position)
            .map_err(|error| match error.kind() {
                IoErrorKind::UnexpectedEof => self.changed().with("position", position),
                _ => source_error(&self.path, error),
            })
    }

    fn check_unchanged(&self) -> Result<()> {
        let is_same = fingerprint(&self.path).is_ok_and(|found| found == self.fingerprint)
            && std::fs::read(&self.path).is_ok_and(|found| found == self.content);
        match is_same {
            true => Ok(()),
            false => Err(self.changed()),
        }
    }
}

/// A file in staging.
#[derive(Debug)]
pub(super) struct StagedReader {
    world: Arc<Mutex<World>>,
    path: RelPath,
    content: Bytes,
}

impl StagedReader {
    pub(super) fn open(store: &MemoryStore, staged: &StagedFile, path: &RelPath) -> Result<Self> {
        let world = store.world();
        let not_found = || Error::not_found("the staged file is gone").with("path", path);
        let known = world.staged.get(&staged.id).ok_or_else(not_found)?;
        if known.file != *staged {
            return Err(Error::internal("a file that was not staged").with("id", staged.id));
        }
        let content = world.file(path)?.ok_or_else(not_found)?;
        Ok(Self {
            world: Arc::clone(&store.world),
            path: path.clone(),
            content,
        })
    }
}

impl RandomRead for StagedReader {
    fn size(&self) -> u64 {
        self.content.len() as u64
    }

    fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> Result<()> {
        copy_exact(&self.content, position, buffer)
    }

    fn check_unchanged(&self) -> Result<()> {
        let world = self.world.lock().expect("no test panics holding it");
        match world.file(&self.path)? {
            Some(content) if content == self.content => Ok(()),
            _ => Err(
                Error::conflict("the staged file changed after it was opened")
                    .with("path", &self.path),
            ),
        }
    }
}
