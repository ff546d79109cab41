use std::sync::{Arc, Mutex, MutexGuard};

use artstore_core::Result;
use artstore_core::backend::{StagedFile, StagedLocation, StagedSource, StagingWriter};
use artstore_core::id::StagingId;
use artstore_core::layout::STAGING;
use artstore_core::path::RelPath;
use bytes::Bytes;

use super::MemoryStore;
use super::source::facts_of;
use super::store::{Entry, World};

/// Bytes on their way into staging. Their file is there from the beginning, as a real one is, and whole at the end.
#[derive(Debug)]
pub(super) struct MemoryWriter {
    world: Arc<Mutex<World>>,
    owner: u64,
    id: StagingId,
    path: RelPath,
    content: Vec<u8>,
    is_finished: bool,
}

impl MemoryWriter {
    pub(super) fn begin(store: &MemoryStore, id: StagingId) -> Result<Self> {
        let owner = store.owner();
        let path = RelPath::new(format!("{STAGING}/{owner}/{id}"))?;
        store.remember(&StagedFile {
            id,
            location: StagedLocation::Staging(path.clone()),
            fingerprint: None,
        })?;
        let begun = Entry::File(Bytes::new());
        store.world().entries.insert(path.clone(), begun);
        Ok(Self {
            world: Arc::clone(&store.world),
            owner,
            id,
            path,
            content: Vec::new(),
            is_finished: false,
        })
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no test panics holding it")
    }
}

impl StagingWriter for MemoryWriter {
    fn write_all(&mut self, data: &[u8]) -> Result<()> {
        self.content.extend_from_slice(data);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<StagedSource> {
        let content = Bytes::from(std::mem::take(&mut self.content));
        let facts = facts_of(&content);
        let file = StagedFile {
            id: self.id,
            location: StagedLocation::Staging(self.path.clone()),
            fingerprint: Some(facts.digest.to_string()),
        };
        {
            let mut world = self.world();
            if let Some(staged) = world.staged.get_mut(&self.id) {
                staged.file = file.clone();
            }
            let path = self.path.clone();
            world.entries.insert(path, Entry::File(content));
        }
        self.is_finished = true;
        Ok(StagedSource { file, facts })
    }
}

impl Drop for MemoryWriter {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        let mut world = self.world();
        // The dead remove nothing.
        if world.living.contains(&self.owner) {
            world.staged.remove(&self.id);
            world.entries.remove(&self.path);
        }
    }
}
