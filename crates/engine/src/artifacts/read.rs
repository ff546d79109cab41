//! Queries that see the right catalog, and verified bytes.

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;

use artstore_core::artifact::Artifact;
use artstore_core::digest::DigestBuilder;
use artstore_core::ports::{ArtifactReader, ByteRange};
use artstore_core::{Domain, Error, Result};
use bytes::Bytes;
use futures_core::Stream;
use futures_util::{StreamExt as _, stream};

use super::port::ArtifactEngine;
use crate::protocol::DomainRules as _;

/// How often a query is begun anew because the catalog was exchanged under it.
const ATTEMPTS: usize = 4;

impl ArtifactEngine {
    /// Runs a query on a catalog that is at least as new as the last commit that was left when it was opened. A missing
    /// catalog is rebuilt first, one that was exchanged for an older copy is settled first.
    pub(crate) async fn query<T, F, Answer>(&self, question: F) -> Result<T>
    where
        F: Fn() -> Answer + Send + Sync,
        Answer: Future<Output = Result<T>> + Send,
        T: Send,
    {
        let catalog = &self.parts.catalogs.artifacts;
        for _ in 0..ATTEMPTS {
            let epoch = match self.agree().await {
                Err(error) if error.is_catalog_missing() => continue,
                agreed => agreed?,
            };
            match question().await {
                Err(error) if error.is_catalog_missing() => {
                    self.agreed_epoch.store(0, Ordering::Release);
                }
                answer if catalog.epoch() == epoch => return answer,
                _ => {}
            }
        }
        Err(Error::busy("the catalog was exchanged again and again")
            .hint("is another program deleting or restoring it?"))
    }

    /// Makes sure, once per epoch of the catalog, that it is complete, and returns the epoch.
    ///
    /// The counter is read before the head, and is only ever left after a commit: a head that is behind it proves an
    /// older copy, whatever happens meanwhile. Where no counter is known (the machine was started anew, the store was
    /// copied from elsewhere), everything is compared once, like a writer would.
    async fn agree(&self) -> Result<u64> {
        let catalog = &self.parts.catalogs.artifacts;
        let epoch = catalog.epoch();
        if self.agreed_epoch.load(Ordering::Acquire) == epoch + 1 {
            return Ok(epoch);
        }
        let left = self.parts.lock.last_commits(Domain::Artifacts).await?;
        let agreed = match self.protocol().rules.head().await {
            // Of the epoch from before the head was read: a catalog that was exchanged since is asked about anew.
            Ok(head) if left.is_some_and(|left| head.commits >= left) => epoch,
            Err(error) if !error.is_catalog_missing() => return Err(error),
            found => match self.settle_if_needed().await {
                Ok(()) => catalog.epoch(),
                Err(error) if found.is_ok() && left.is_none() && forbids_writing(&error) => {
                    // A reader that may not write reads what is there, and asks again next time.
                    tracing::warn!(%error, "the catalog could not be compared with the directory");
                    return Ok(catalog.epoch());
                }
                Err(error) => return Err(error),
            },
        };
        self.agreed_epoch.store(agreed + 1, Ordering::Release);
        Ok(agreed)
    }

    async fn settle_if_needed(&self) -> Result<()> {
        self.do_to_its_end(|this| async move { this.protocol().settle_if_needed().await })
            .await
    }

    pub(super) async fn open_verified(
        &self,
        artifact: Artifact,
        range: Option<ByteRange>,
    ) -> Result<ArtifactReader> {
        let window = Window::of(range, artifact.size_bytes)?;
        let path = &artifact.data_path;
        let damaged = |what: &str| {
            Error::corrupt(what)
                .with("artifact", artifact.id)
                .with("path", path)
                .hint("restore the file from a backup: publishing the same content again answers this artifact")
        };
        let Some(reader) = self.parts.blobs.open(path).await? else {
            return Err(damaged("the stored file is missing"));
        };
        if reader.size_bytes != artifact.size_bytes {
            return Err(damaged("the stored file has another size")
                .with("expected", artifact.size_bytes)
                .with("found", reader.size_bytes));
        }
        Ok(ArtifactReader {
            length: window.end - window.start,
            bytes: verified(reader.bytes, artifact.clone(), window),
            artifact,
        })
    }
}

/// Whether the store cannot be written here at all, as opposed to not just now.
fn forbids_writing(error: &Error) -> bool {
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| {
        matches!(
            cause.kind(),
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
        )
    })
}

/// The bytes to give, as positions in the file.
#[derive(Debug, Clone, Copy)]
struct Window {
    start: u64,
    end: u64,
}

impl Window {
    fn of(range: Option<ByteRange>, size: u64) -> Result<Self> {
        let Some(range) = range else {
            return Ok(Self {
                start: 0,
                end: size,
            });
        };
        if range.offset > size {
            return Err(Error::invalid("the range starts behind the end")
                .with("offset", range.offset)
                .with("size", size));
        }
        let end = match range.length {
            Some(length) => range.offset.saturating_add(length).min(size),
            None => size,
        };
        Ok(Self {
            start: range.offset,
            end,
        })
    }

    /// The part of `piece`, which starts at `position`, that lies inside.
    fn cut(&self, piece: &Bytes, position: u64) -> Bytes {
        let length = piece.len() as u64;
        let inside = |place: u64| place.saturating_sub(position).min(length) as usize;
        piece.slice(inside(self.start)..inside(self.end).max(inside(self.start)))
    }
}

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

struct Verification {
    pieces: Option<Pieces>,
    hasher: DigestBuilder,
    position: u64,
    artifact: Artifact,
    window: Window,
}

/// Gives the pieces inside `window` and hashes all; ends with an error if the digest is wrong.
fn verified(pieces: Pieces, artifact: Artifact, window: Window) -> Pieces {
    let state = Verification {
        pieces: Some(pieces),
        hasher: DigestBuilder::new(),
        position: 0,
        artifact,
        window,
    };
    let given = stream::try_unfold(state, |mut state| async move {
        let piece = state.next_inside().await?;
        Ok(piece.map(|piece| (piece, state)))
    });
    given.boxed()
}

impl Verification {
    /// The next bytes inside the window, or `None` after the last byte of a file with the right digest.
    async fn next_inside(&mut self) -> Result<Option<Bytes>> {
        while let Some(pieces) = &mut self.pieces {
            match pieces.next().await {
                Some(piece) => {
                    let piece = self.hash(piece?).await?;
                    let inside = self.window.cut(&piece, self.position);
                    self.position += piece.len() as u64;
                    if !inside.is_empty() {
                        return Ok(Some(inside));
                    }
                }
                None => {
                    self.pieces = None;
                    self.check()?;
                }
            }
        }
        Ok(None)
    }

    /// Hashing a piece takes up to a millisecond: too long for an async thread.
    async fn hash(&mut self, piece: Bytes) -> Result<Bytes> {
        let mut hasher = std::mem::take(&mut self.hasher);
        let hashing = tokio::task::spawn_blocking(move || {
            hasher.update(&piece);
            (hasher, piece)
        });
        let (hasher, piece) = hashing
            .await
            .map_err(|error| Error::internal("hashing was ended").caused_by(error))?;
        self.hasher = hasher;
        Ok(piece)
    }

    fn check(&mut self) -> Result<()> {
        let found = std::mem::take(&mut self.hasher).finish();
        if found == self.artifact.file_hash {
            return Ok(());
        }
        Err(Error::corrupt("the stored bytes do not have their digest")
            .with("artifact", self.artifact.id)
            .with("path", &self.artifact.data_path)
            .with("expected", self.artifact.file_hash)
            .with("found", found)
            .hint("restore the file from a backup: publishing the same content again answers this artifact"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(range: (u64, Option<u64>), pieces: &[&'static str]) -> String {
        let size = pieces.iter().map(|piece| piece.len() as u64).sum();
        let range = ByteRange {
            offset: range.0,
            length: range.1,
        };
        let window = Window::of(Some(range), size).unwrap();
        let mut position = 0;
        let mut given = String::new();
        for piece in pieces {
            let bytes = Bytes::from_static(piece.as_bytes());
            given += std::str::from_utf8(&window.cut(&bytes, position)).unwrap();
            position += bytes.len() as u64;
        }
        given
    }

    #[test]
    fn windows_cut_across_pieces() {
        let pieces = ["abc", "def", "g"];
        assert_eq!(cut((0, None), &pieces), "abcdefg");
        assert_eq!(cut((2, Some(3)), &pieces), "cde");
        assert_eq!(cut((3, Some(3)), &pieces), "def");
        assert_eq!(cut((6, Some(100)), &pieces), "g");
        assert_eq!(cut((7, None), &pieces), "");
        assert_eq!(cut((1, Some(0)), &pieces), "");
        assert_eq!(cut((0, Some(u64::MAX)), &pieces), "abcdefg");
    }

    #[test]
    fn a_range_behind_the_end_is_invalid() {
        let range = ByteRange {
            offset: 8,
            length: None,
        };
        assert!(Window::of(Some(range), 7).is_err());
    }
}
