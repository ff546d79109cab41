//! Files that are read as input: sources, and what is staged.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use artstore_core::artifact::ArtifactSource;
use artstore_core::backend::{RandomRead, StagedFile, StagedLocation};
use artstore_core::{Error, Result};
use bytes::Bytes;

use crate::error;
use crate::source::{self, fingerprint};
use crate::store::Inner;
use crate::vfs::{Vfs, VfsFile, VfsMetadata, display_path};

/// A regular file that is being read.
#[derive(Debug)]
pub(crate) struct OpenInput {
    vfs: Arc<dyn Vfs>,
    location: StagedLocation,
    pub(crate) file: Box<dyn VfsFile>,
    pub(crate) before: VfsMetadata,
}

impl OpenInput {
    pub(crate) fn open(vfs: &Arc<dyn Vfs>, location: StagedLocation) -> Result<Self> {
        let failed = |error| failed(vfs.as_ref(), &location, "open", error);
        let opened = match &location {
            StagedLocation::Source(path) => vfs.open_source(path),
            StagedLocation::Staging(path) => {
                let opened = vfs.open(path);
                let found = error::missing_is_none(vfs.as_ref(), "open", Some(path), opened)?;
                Ok(found.ok_or_else(|| error::not_staged(vfs.as_ref(), path))?)
            }
        };
        let file = opened.map_err(failed)?;
        let before = file.metadata().map_err(failed)?;
        Ok(Self {
            vfs: Arc::clone(vfs),
            location,
            file,
            before,
        })
    }

    /// Checks that neither the file nor what its path names has changed since it was opened.
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        let after = self
            .file
            .metadata()
            .map_err(|error| self.failed("inspect", error))?;
        let named = match &self.location {
            StagedLocation::Source(path) => self.vfs.source_metadata(path),
            StagedLocation::Staging(path) => self.vfs.metadata(path),
        };
        let named = match named {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            result => Some(result.map_err(|error| self.failed("inspect", error))?),
        };
        let same_file = named.is_some_and(|named| named.identity == self.before.identity);
        if same_file && fingerprint(&after) == fingerprint(&self.before) {
            return Ok(());
        }
        Err(self.changed())
    }

    fn changed(&self) -> Error {
        match &self.location {
            StagedLocation::Source(path) => error::source_changed(path),
            StagedLocation::Staging(path) => {
                error::source_changed(&display_path(self.vfs.as_ref(), Some(path)))
            }
        }
    }

    fn failed(&self, operation: &'static str, error: io::Error) -> Error {
        failed(self.vfs.as_ref(), &self.location, operation, error)
    }
}

fn failed(
    vfs: &dyn Vfs,
    location: &StagedLocation,
    operation: &'static str,
    error: io::Error,
) -> Error {
    match location {
        StagedLocation::Source(path) => error::source(operation, path, error),
        StagedLocation::Staging(path) => error::below(vfs, operation, Some(path), error),
    }
}

impl RandomRead for OpenInput {
    fn size(&self) -> u64 {
        self.before.size
    }

    fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> Result<()> {
        if !lies_within(self.before.size, position, buffer) {
            return Err(beyond_the_end(self.before.size, position));
        }
        let (mut position, mut rest) = (position, buffer);
        while !rest.is_empty() {
            let read = self
                .file
                .read_at(rest, position)
                .map_err(|error| self.failed("read", error))?;
            if read == 0 {
                return Err(self.changed());
            }
            position += read as u64;
            rest = rest.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }

    fn check_unchanged(&self) -> Result<()> {
        Self::check_unchanged(self)
    }
}

/// Bytes that the caller gave.
#[derive(Debug)]
struct BytesInput(Bytes);

impl RandomRead for BytesInput {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> Result<()> {
        let start = usize::try_from(position).ok();
        let bytes = start
            .and_then(|start| self.0.get(start..start.checked_add(buffer.len())?))
            .ok_or_else(|| beyond_the_end(self.size(), position))?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }
}

fn lies_within(size: u64, position: u64, buffer: &[u8]) -> bool {
    position
        .checked_add(buffer.len() as u64)
        .is_some_and(|end| end <= size)
}

fn beyond_the_end(size: u64, position: u64) -> Error {
    Error::conflict("there are fewer bytes than were asked for")
        .with("position", position)
        .with("size", size)
}

impl Inner {
    pub(crate) fn open_source(&self, source: &ArtifactSource) -> Result<Arc<dyn RandomRead>> {
        let path = match source {
            ArtifactSource::Bytes(bytes) => return Ok(Arc::new(BytesInput(bytes.clone()))),
            ArtifactSource::File(path) => path.clone(),
            ArtifactSource::AdoptFile(path) => source::adoptable(self.vfs.as_ref(), path)?,
        };
        let opened = OpenInput::open(&self.vfs, StagedLocation::Source(path))?;
        Ok(Arc::new(opened))
    }

    pub(crate) fn open_staged(&self, staged: StagedFile) -> Result<Arc<dyn RandomRead>> {
        let opened = OpenInput::open(&self.vfs, staged.location)?;
        if let StagedLocation::Source(path) = &opened.location {
            source::check_fingerprint(path, &opened.before, staged.fingerprint.as_deref())?;
        }
        Ok(Arc::new(opened))
    }
}
