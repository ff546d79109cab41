//! Open files and held locks.

use std::io;
use std::path::PathBuf;
use std::sync::MutexGuard;

use artstore_fs::vfs::{VfsFile, VfsLock, VfsMetadata};

use super::disk::Inode;
use super::{CallKind, ModelVfs, State};

/// An open file of a model.
#[derive(Debug)]
pub(super) struct ModelFile {
    vfs: ModelVfs,
    inode: Inode,
    path: PathBuf,
    position: u64,
}

impl ModelFile {
    pub(super) fn new(vfs: &ModelVfs, inode: Inode, path: PathBuf) -> Self {
        Self {
            vfs: vfs.clone(),
            inode,
            path,
            position: 0,
        }
    }

    fn begin(&self, kind: CallKind) -> io::Result<MutexGuard<'_, State>> {
        self.vfs.begin(kind, &self.path)
    }
}

impl VfsFile for ModelFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let state = self.begin(CallKind::Read)?;
        let bytes = &state.disk.file(self.inode)?.bytes;
        let start = usize::try_from(position).unwrap_or(usize::MAX);
        let rest = bytes.get(start..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        let mut state = self.begin(CallKind::Write)?;
        let end = state.disk.file(self.inode)?.bytes.len();
        state.write(self.inode, end, data)
    }

    fn reserve(&mut self, _bytes: u64) -> io::Result<()> {
        self.begin(CallKind::Reserve).map(drop)
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.begin(CallKind::Sync) {
            Ok(mut state) => state.sync_file(self.inode, &self.path),
            Err(error) => {
                let mut state = self.vfs.state();
                state.disk.file_mut(self.inode)?.sync_failed = true;
                Err(error)
            }
        }
    }

    fn write_back_handle(&self) -> io::Result<Option<Box<dyn VfsFile>>> {
        Ok(None)
    }

    fn metadata(&self) -> io::Result<VfsMetadata> {
        self.begin(CallKind::Metadata)?.metadata(self.inode)
    }
}

/// A held lock of a model.
#[derive(Debug)]
pub(super) struct ModelLock {
    vfs: ModelVfs,
    inode: Inode,
    path: PathBuf,
}

impl ModelLock {
    pub(super) fn new(vfs: &ModelVfs, inode: Inode, path: PathBuf) -> Self {
        Self {
            vfs: vfs.clone(),
            inode,
            path,
        }
    }
}

impl VfsLock for ModelLock {
    fn read(&self) -> io::Result<Vec<u8>> {
        let state = self.vfs.begin(CallKind::ReadLock, &self.path)?;
        Ok(state.disk.file(self.inode)?.bytes.clone())
    }

    fn write(&self, data: &[u8]) -> io::Result<()> {
        let mut state = self.vfs.begin(CallKind::WriteLock, &self.path)?;
        state.write(self.inode, 0, data)
    }
}

impl Drop for ModelLock {
    fn drop(&mut self) {
        let mut state = self.vfs.state();
        state.locked.retain(|inode| *inode != self.inode);
        drop(state);
        self.vfs.shared.lock_freed.notify_all();
    }
}

impl State {
    /// Writes, and shows the observer the state in the middle of it.
    fn write(&mut self, inode: Inode, offset: usize, data: &[u8]) -> io::Result<()> {
        let modified = self.calls.len() as u64;
        if let (Some(observer), Some(call)) = (&self.observer, self.calls.last())
            && data.len() > 1
        {
            let mut half = self.disk.clone();
            half.file_mut(inode)?.write(offset, &data[..data.len() / 2]);
            observer.within(call, &half);
        }
        let file = self.disk.file_mut(inode)?;
        file.write(offset, data);
        file.modified = modified;
        Ok(())
    }
}
