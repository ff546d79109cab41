use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use artstore_core::artifact::ArtifactSource;
use artstore_core::backend::{Progress, SourceFacts};
use artstore_core::digest::Digest;
use artstore_core::{Error, Result};
use bytes::Bytes;
use tokio::task::{spawn_blocking, yield_now};

/// A source as it was found.
pub(super) struct ReadSource {
    pub(super) content: Bytes,
    pub(super) fingerprint: String,
}

/// What tells whether a user's file was changed.
pub(super) fn fingerprint(path: &Path) -> Result<String> {
    let found = std::fs::symlink_metadata(path).map_err(|error| source_error(path, error))?;
    Ok(format!(
        "{}:{}:{}.{}",
        found.ino(),
        found.size(),
        found.mtime(),
        found.mtime_nsec()
    ))
}

pub(super) fn source_error(path: &Path, error: std::io::Error) -> Error {
    let failed = match error.kind() {
        std::io::ErrorKind::NotFound => Error::not_found("the source does not exist"),
        _ => Error::unavailable("the source cannot be read"),
    };
    failed.with("path", path.display()).caused_by(error)
}

pub(super) fn check_source(path: &Path) -> Result<u64> {
    let found = std::fs::metadata(path).map_err(|error| source_error(path, error))?;
    if !found.is_file() {
        return Err(Error::invalid("the source is not a regular file").with("path", path.display()));
    }
    Ok(found.len())
}

fn check_adoptable(path: &Path) -> Result<()> {
    let found = std::fs::symlink_metadata(path).map_err(|error| source_error(path, error))?;
    if !found.is_file() || found.nlink() > 1 {
        return Err(Error::invalid("the source cannot be adopted")
            .with("path", path.display())
            .hint("it must be a regular file without other hard links"));
    }
    Ok(())
}

fn read_file(path: &Path, progress: &dyn Progress) -> Result<ReadSource> {
    let size = check_source(path)?;
    let before = fingerprint(path)?;
    let content = std::fs::read(path).map_err(|error| source_error(path, error))?;
    progress.report("reading", content.len() as u64, Some(size));
    if fingerprint(path)? != before {
        return Err(
            Error::conflict("the source changed while it was read").with("path", path.display())
        );
    }
    Ok(ReadSource {
        content: content.into(),
        fingerprint: before,
    })
}

/// Does `work` where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    spawn_blocking(work)
        .await
        .map_err(|error| Error::internal("work on a source was lost").caused_by(error))?
}

pub(super) async fn read_source(
    source: &ArtifactSource,
    progress: Arc<dyn Progress>,
) -> Result<ReadSource> {
    match source.clone() {
        ArtifactSource::File(path) => blocking(move || read_file(&path, progress.as_ref())).await,
        ArtifactSource::AdoptFile(path) => {
            blocking(move || {
                check_source(&path)?;
                check_adoptable(&path)?;
                read_file(&path, progress.as_ref())
            })
            .await
        }
        ArtifactSource::Bytes(content) => {
            yield_now().await;
            progress.report("reading", content.len() as u64, Some(content.len() as u64));
            Ok(ReadSource {
                content,
                fingerprint: String::new(),
            })
        }
    }
}

pub(super) fn facts_of(content: &[u8]) -> SourceFacts {
    SourceFacts {
        size_bytes: content.len() as u64,
        digest: Digest::of(content),
    }
}
