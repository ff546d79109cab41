use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf, absolute};

use artstore_core::Error;
use artstore_core::id::ArtifactId;
use artstore_core::ports::ArtifactReader;
use artstore_wire::ExportDocument;
use clap::Args;
use futures_util::StreamExt as _;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use super::Session;
use crate::failure::Failure;
use crate::text;

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The artifact
    id: ArtifactId,
    /// The file to make
    #[arg(short, long, value_name = "PATH")]
    output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

impl Export {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let target = absolute(&self.output).map_err(|error| unwritable(&self.output, error))?;
        if target.is_dir() {
            return Err(Error::invalid("the target is a directory")
                .with("path", target.display())
                .hint("name the file to make")
                .into());
        }
        // Told early for politeness; what counts is the renaming that never replaces.
        if !self.force && target.symlink_metadata().is_ok() {
            return Err(exists(&target).into());
        }
        let store = session.context.artifact_store().await?;
        let reader = store.open(self.id, None).await?;
        let document = ExportDocument::new(&reader.artifact, &target);
        let temporary = temporary_beside(&target)?;
        copy(reader, &temporary, &target).await?;
        if self.force {
            replace(temporary, &target)?;
        } else {
            make(temporary, &target)?;
        }
        session.output.document(&document, text::export).await
    }
}

/// A file in the target's directory that is removed unless it is renamed, so that the target is whole or not there.
fn temporary_beside(target: &Path) -> artstore_core::Result<NamedTempFile> {
    let directory = target.parent().unwrap_or(Path::new("/"));
    tempfile::Builder::new()
        .prefix(".artstore-export-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::not_found("the target's directory does not exist")
                .with("path", directory.display()),
            _ => unwritable(target, error),
        })
}

/// Copies all bytes; fails after the last one if they are not what they should be.
async fn copy(
    mut reader: ArtifactReader,
    temporary: &NamedTempFile,
    target: &Path,
) -> artstore_core::Result<()> {
    let failed = |error| unwritable(target, error);
    let mut file = tokio::fs::File::from_std(temporary.as_file().try_clone().map_err(failed)?);
    while let Some(piece) = reader.bytes.next().await {
        file.write_all(&piece?).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)
}

fn replace(temporary: NamedTempFile, target: &Path) -> artstore_core::Result<()> {
    let renamed = temporary.persist(target);
    renamed
        .map(drop)
        .map_err(|error| unwritable(target, error.error))
}

fn make(temporary: NamedTempFile, target: &Path) -> artstore_core::Result<()> {
    let renamed = temporary.persist_noclobber(target);
    renamed.map(drop).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => exists(target),
        _ => unwritable(target, error.error),
    })
}

fn exists(target: &Path) -> Error {
    Error::already_exists("the target exists")
        .with("path", target.display())
        .hint("replace it with --force")
}

fn unwritable(target: &Path, error: io::Error) -> Error {
    Error::unavailable("the target cannot be written")
        .with("path", target.display())
        .caused_by(error)
}
