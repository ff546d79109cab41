use std::sync::Arc;

use artstore_core::backend::{RandomRead, StagedSource, StagingWriter};
use artstore_core::{Error, Result};

use super::Faults;

/// An opened file whose reads fail as [`Faults`] say.
#[derive(Debug)]
pub(super) struct FaultyReader {
    inner: Arc<dyn RandomRead>,
    faults: Faults,
}

impl FaultyReader {
    pub(super) fn new(inner: Arc<dyn RandomRead>, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

#[deny(clippy::missing_trait_methods)]
impl RandomRead for FaultyReader {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> Result<()> {
        let call = self.faults.enter("read_exact_at")?;
        call.with(self.inner.read_exact_at(position, buffer))
    }

    fn check_unchanged(&self) -> Result<()> {
        let call = self.faults.enter("check_unchanged")?;
        call.with(self.inner.check_unchanged())
    }
}

/// Bytes on their way into staging whose calls fail as [`Faults`] say. As its contract says, nothing can be written after
/// a failure and nothing stays behind.
#[derive(Debug)]
pub(super) struct FaultyWriter {
    inner: Option<Box<dyn StagingWriter>>,
    faults: Faults,
}

impl FaultyWriter {
    pub(super) fn new(inner: Box<dyn StagingWriter>, faults: Faults) -> Self {
        Self {
            inner: Some(inner),
            faults,
        }
    }
}

fn broken() -> Error {
    Error::unavailable("an earlier write failed")
}

#[deny(clippy::missing_trait_methods)]
impl StagingWriter for FaultyWriter {
    fn write_all(&mut self, data: &[u8]) -> Result<()> {
        // What is not put back is dropped, and removed by that.
        let mut inner = self.inner.take().ok_or_else(broken)?;
        let call = self.faults.enter("write_all")?;
        call.with(inner.write_all(data))?;
        self.inner = Some(inner);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<StagedSource> {
        let inner = self.inner.take().ok_or_else(broken)?;
        let call = self.faults.enter("finish_staging")?;
        call.with(Ok(()))?;
        inner.finish()
    }
}
