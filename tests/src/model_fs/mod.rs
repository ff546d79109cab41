//! A filesystem in memory that knows what a loss of power would leave of it.
//!
//! [`ModelVfs`] implements the one trait through which `artstore-fs` touches a disk. Beside what the kernel shows it
//! keeps what is durable, and is stricter than POSIX on purpose:
//!
//! * a file keeps what it held at its last sync, plus any prefix of the writes since then, the last one possibly in
//!   half, or its new size filled with zeros;
//! * a directory keeps its names as of its last sync, plus any subset of the changes since then, in any order: the
//!   two halves of a rename are changes of two names, which survive one without the other;
//! * a new directory is a name like any other: if its parent was not synced, it may vanish with all that is below it.
//!
//! One thing is not stricter: the move of a user's file across the border of the root survives whole or not at all.
//! No filesystem with a journal tears it, and no order of calls could keep the file on one that does.
//!
//! [`ModelVfs::crash_states`] lists what may be there after a loss of power, [`ModelVfs::kill_image`] what is there after
//! a kill. [`FaultPlan`] makes calls fail, [`Lie`] leaves steps out while reporting success.

mod disk;
mod faults;
mod handle;
mod image;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use artstore_core::path::RelPath;
use artstore_fs::vfs::{
    FileKind, FilesystemKind, LockWait, Vfs, VfsEntry, VfsFile, VfsLock, VfsMetadata,
};

pub use disk::Disk;
use disk::{DirectoryNode, FileNode, Inode, Node, Place};
use faults::Content;
pub use faults::{Call, CallKind, Failure, FaultDuration, FaultPlan, Lie, Lies};
use handle::{ModelFile, ModelLock};
pub(crate) use image::Random;
pub use image::{CrashStates, DurableImage};

/// Where the root of a model is.
pub const ROOT: &str = "/model/root";
/// A directory outside the root, for the files of users.
pub const OUTSIDE: &str = "/outside";
/// The number of the model's only filesystem.
const DEVICE: u64 = 1;

/// Is told of every change of a disk before it is made.
pub trait Observer: Debug + Send + Sync {
    /// `call` is about to change `disk`.
    fn before(&self, call: &Call, disk: &Disk);

    /// `call` changed `disk` in part.
    fn within(&self, call: &Call, disk: &Disk);
}

/// A filesystem in memory; clones are the same filesystem.
#[derive(Debug, Clone)]
pub struct ModelVfs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    lock_freed: Condvar,
}

#[derive(Debug)]
struct State {
    disk: Disk,
    boot_id: String,
    calls: Vec<Call>,
    fault: Option<(FaultPlan, u64)>,
    lies: Lies,
    observer: Option<Arc<dyn Observer>>,
    locked: Vec<Inode>,
    breaches: Vec<String>,
}

impl Default for ModelVfs {
    fn default() -> Self {
        Self::new()
    }
}

impl ModelVfs {
    /// An empty, durable disk on which the root does not exist yet.
    #[must_use]
    pub fn new() -> Self {
        let mut disk = Disk::new();
        for path in ["/model", OUTSIDE] {
            make_directory(&mut disk, Path::new(path));
        }
        disk.sync_all();
        Self::of(disk, "boot-0")
    }

    /// The disk after a loss of power that left `image`, or after a kill.
    #[must_use]
    pub fn from_image(image: DurableImage, boot_id: &str) -> Self {
        Self::of(image.into_disk(), boot_id)
    }

    fn of(disk: Disk, boot_id: &str) -> Self {
        let state = State {
            disk,
            boot_id: boot_id.to_owned(),
            calls: Vec::new(),
            fault: None,
            lies: Lies::new(),
            observer: None,
            locked: Vec::new(),
            breaches: Vec::new(),
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                lock_freed: Condvar::new(),
            }),
        }
    }

    /// The disk as it is now.
    pub fn disk(&self) -> Disk {
        self.state().disk.clone()
    }

    /// What a kill leaves: everything, with all locks free.
    pub fn kill_image(&self) -> DurableImage {
        DurableImage::after_kill(&self.state().disk)
    }

    /// What a loss of power may leave: every state if at most 12 things are not synced and `limit` is not exceeded,
    /// otherwise a choice of at most `limit` states made by `seed`. The first state is that nothing unsynced survives, the second that everything does.
    pub fn crash_states(&self, limit: usize, seed: u64) -> CrashStates {
        CrashStates::of(&self.state().disk, limit, seed)
    }

    /// Makes everything durable.
    pub fn sync_all(&self) {
        self.state().disk.sync_all();
    }

    /// Every call since the beginning.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Ways of using the filesystem that are never right: syncing a file of the store again after a sync failed. (Whether
    /// a sync of a user's file failed before cannot be known.)
    pub fn breaches(&self) -> Vec<String> {
        self.state().breaches.clone()
    }

    /// Makes calls fail from now on; `None` ends it.
    pub fn set_fault(&self, plan: Option<FaultPlan>) {
        self.state().fault = plan.map(|plan| (plan, 0));
    }

    /// Leaves steps out from now on.
    pub fn set_lies(&self, lies: Lies) {
        self.state().lies = lies;
    }

    /// Is told of every change from now on.
    pub fn set_observer(&self, observer: Option<Arc<dyn Observer>>) {
        self.state().observer = observer;
    }

    /// Puts a durable file of a user at an absolute path, with its missing directories.
    pub fn put_file(&self, path: &Path, content: &[u8]) {
        let mut state = self.state();
        if let Some(parent) = path.parent() {
            make_directory(&mut state.disk, parent);
        }
        let file = FileNode {
            bytes: content.to_vec(),
            durable: content.to_vec(),
            ..FileNode::default()
        };
        let inode = state.disk.add(Node::File(file));
        let place = state.disk.place(path).expect("its directory was made");
        state.disk.set(&place, Some(inode)).expect("a directory");
        state.disk.sync_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call, tells the observer, and fails if a fault says so.
    fn begin(&self, kind: CallKind, subject: &Path) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.begin(kind, &subject.display().to_string())?;
        Ok(state)
    }
}

impl State {
    fn begin(&mut self, kind: CallKind, subject: &str) -> io::Result<Call> {
        let call = Call {
            number: self.calls.len() as u64 + 1,
            kind,
            subject: subject.to_owned(),
        };
        self.calls.push(call.clone());
        if let Some(observer) = &self.observer
            && kind.is_mutating()
        {
            observer.before(&call, &self.disk);
        }
        if let Some((plan, count)) = &mut self.fault
            && plan.kind.is_none_or(|counted| counted == kind)
        {
            *count += 1;
            if plan.strikes(*count) {
                return Err(plan.failure.to_error());
            }
        }
        Ok(call)
    }

    fn metadata(&self, inode: Inode) -> io::Result<VfsMetadata> {
        let (kind, size, modified) = match self.disk.file(inode) {
            Ok(file) => (FileKind::File, file.bytes.len() as u64, file.modified),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                (FileKind::Directory, 0, 0)
            }
            Err(error) => return Err(error),
        };
        Ok(VfsMetadata {
            kind,
            size,
            links: self.disk.links(inode),
            identity: (DEVICE, inode),
            modified: SystemTime::UNIX_EPOCH + Duration::from_millis(modified),
        })
    }

    fn vacant(&self, path: &Path) -> io::Result<Place> {
        let place = self.disk.place(path)?;
        match self.disk.at(&place) {
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
            None => Ok(place),
        }
    }

    fn named_file(&self, path: &Path) -> io::Result<(Place, Inode)> {
        let place = self.disk.place(path)?;
        let inode = self.disk.at(&place).ok_or(io::ErrorKind::NotFound)?;
        self.disk.file(inode)?;
        Ok((place, inode))
    }

    /// Whether what happens at `path` is left out because intents are.
    fn is_lost_intent(&self, path: &Path) -> bool {
        self.lies.contains(&Lie::Intent) && path.starts_with(Path::new(ROOT).join("intents"))
    }

    /// Moves a file from one place to another; across the border of the root it is a user's file.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (source, inode) = self.named_file(from)?;
        let target = self.disk.place(to)?;
        if self.is_lost_intent(to) {
            return self.disk.set(&source, None);
        }
        let crosses_border = from.starts_with(ROOT) != to.starts_with(ROOT);
        let user_move = crosses_border.then(|| self.disk.next_user_move(inode));
        self.disk.set_moved(&target, Some(inode), user_move)?;
        self.disk.set_moved(&source, None, user_move)
    }

    /// Whether a name that stands for `inode` becomes durable with its directory.
    fn names_are_synced(lies: &Lies, disk: &Disk, inode: Option<Inode>) -> bool {
        let is_directory = inode.is_some_and(|inode| disk.directory(inode).is_ok());
        let lie = match is_directory {
            true => Lie::ParentDirectorySync,
            false => Lie::DirectorySync,
        };
        !lies.contains(&lie)
    }

    fn sync_file(&mut self, inode: Inode, path: &Path) -> io::Result<()> {
        let file = self.disk.file(inode)?;
        let lie = match Content::of(&file.bytes) {
            Content::Data => Some(Lie::DataSync),
            Content::Record => Some(Lie::RecordSync),
            Content::Event => Some(Lie::EventSync),
            Content::Other => None,
        };
        if lie.is_some_and(|lie| self.lies.contains(&lie)) {
            return Ok(());
        }
        if self.lies.contains(&Lie::SyncAfterNaming) {
            self.disk.file_mut(inode)?.sync_put_off = true;
            return Ok(());
        }
        if file.sync_failed && path.starts_with(ROOT) {
            let breach = format!("{} was synced again after a failed sync", path.display());
            self.breaches.push(breach);
        }
        self.disk.file_mut(inode)?.sync();
        Ok(())
    }
}

impl Vfs for ModelVfs {
    fn create(&self, path: &RelPath, _mode: u32) -> io::Result<Box<dyn VfsFile>> {
        let path = inside(path);
        let mut state = self.begin(CallKind::Create, &path)?;
        let place = state.vacant(&path)?;
        let modified = state.calls.len() as u64;
        let inode = state.disk.add(Node::File(FileNode {
            modified,
            ..FileNode::default()
        }));
        if !state.is_lost_intent(&path) {
            state.disk.set(&place, Some(inode))?;
        }
        Ok(Box::new(ModelFile::new(self, inode, path)))
    }

    fn open(&self, path: &RelPath) -> io::Result<Box<dyn VfsFile>> {
        let path = inside(path);
        let inode = self.begin(CallKind::Open, &path)?.named_file(&path)?.1;
        Ok(Box::new(ModelFile::new(self, inode, path)))
    }

    fn metadata(&self, path: &RelPath) -> io::Result<VfsMetadata> {
        let path = inside(path);
        let state = self.begin(CallKind::Metadata, &path)?;
        state.metadata(state.disk.find(&path)?)
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> io::Result<()> {
        let (from, to) = (inside(from), inside(to));
        let mut state = self.begin(CallKind::Rename, &to)?;
        state.named_file(&from)?;
        state.vacant(&to)?;
        state.rename(&from, &to)
    }

    fn rename_over(&self, from: &RelPath, to: &RelPath) -> io::Result<()> {
        let (from, to) = (inside(from), inside(to));
        self.begin(CallKind::Rename, &to)?.rename(&from, &to)
    }

    fn remove_file(&self, path: &RelPath) -> io::Result<()> {
        let path = inside(path);
        let mut state = self.begin(CallKind::RemoveFile, &path)?;
        if state.is_lost_intent(&path) {
            return Ok(());
        }
        let (place, _) = state.named_file(&path)?;
        state.disk.set(&place, None)
    }

    fn make_read_only(&self, path: &RelPath) -> io::Result<()> {
        let path = inside(path);
        let mut state = self.begin(CallKind::MakeReadOnly, &path)?;
        let (_, inode) = state.named_file(&path)?;
        state.disk.file_mut(inode)?.read_only = true;
        Ok(())
    }

    fn create_directory(&self, path: &RelPath) -> io::Result<()> {
        let path = inside(path);
        let mut state = self.begin(CallKind::CreateDirectory, &path)?;
        let place = state.vacant(&path)?;
        let inode = state.disk.add(Node::Directory(DirectoryNode::default()));
        state.disk.set(&place, Some(inode))
    }

    fn remove_directory(&self, path: &RelPath) -> io::Result<()> {
        let path = inside(path);
        let mut state = self.begin(CallKind::RemoveDirectory, &path)?;
        let inode = state.disk.find(&path)?;
        if !state.disk.directory(inode)?.entries.is_empty() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        let place = state.disk.place(&path)?;
        state.disk.set(&place, None)
    }

    fn sync_directory(&self, path: Option<&RelPath>) -> io::Result<()> {
        let path = path.map_or_else(|| PathBuf::from(ROOT), inside);
        let mut state = self.begin(CallKind::SyncDirectory, &path)?;
        let inode = state.disk.find(&path)?;
        let children: Vec<Inode> = state
            .disk
            .directory(inode)?
            .entries
            .values()
            .copied()
            .collect();
        for child in children {
            if let Ok(file) = state.disk.file_mut(child)
                && file.sync_put_off
            {
                file.sync();
            }
        }
        let lies = state.lies.clone();
        state.disk.sync_directory(inode, |disk, named| {
            State::names_are_synced(&lies, disk, named)
        })
    }

    fn read_directory(&self, path: Option<&RelPath>) -> io::Result<Vec<VfsEntry>> {
        let path = path.map_or_else(|| PathBuf::from(ROOT), inside);
        let state = self.begin(CallKind::ReadDirectory, &path)?;
        let directory = state.disk.directory(state.disk.find(&path)?)?;
        let entries = directory.entries.iter().map(|(name, inode)| VfsEntry {
            name: name.clone(),
            kind: match state.disk.directory(*inode) {
                Ok(_) => FileKind::Directory,
                Err(_) => FileKind::File,
            },
        });
        Ok(entries.collect())
    }

    fn lock(&self, path: &RelPath, wait: LockWait) -> io::Result<Option<Box<dyn VfsLock>>> {
        let path = inside(path);
        let mut state = self.begin(CallKind::Lock, &path)?;
        if let Some(parent) = path.parent() {
            make_directory(&mut state.disk, parent);
        }
        loop {
            let place = state.disk.place(&path)?;
            let inode = match state.disk.at(&place) {
                Some(inode) => inode,
                None => {
                    let inode = state.disk.add(Node::File(FileNode::default()));
                    state.disk.set(&place, Some(inode))?;
                    inode
                }
            };
            state.disk.file(inode)?;
            if !state.locked.contains(&inode) {
                state.locked.push(inode);
                return Ok(Some(Box::new(ModelLock::new(self, inode, path))));
            }
            if wait == LockWait::Try {
                return Ok(None);
            }
            state = self
                .shared
                .lock_freed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open_source(&self, path: &Path) -> io::Result<Box<dyn VfsFile>> {
        let inode = self.begin(CallKind::OpenSource, path)?.named_file(path)?.1;
        Ok(Box::new(ModelFile::new(self, inode, path.to_owned())))
    }

    fn source_metadata(&self, path: &Path) -> io::Result<VfsMetadata> {
        let state = self.begin(CallKind::SourceMetadata, path)?;
        state.metadata(state.disk.find(path)?)
    }

    fn adopt(&self, from: &Path, to: &RelPath) -> io::Result<()> {
        let to = inside(to);
        let mut state = self.begin(CallKind::Adopt, from)?;
        state.named_file(from)?;
        state.vacant(&to)?;
        state.rename(from, &to)
    }

    fn give_back(&self, from: &RelPath, to: &Path) -> io::Result<()> {
        let from = inside(from);
        let mut state = self.begin(CallKind::GiveBack, to)?;
        state.named_file(&from)?;
        state.vacant(to)?;
        state.rename(&from, to)
    }

    fn create_root(&self) -> io::Result<()> {
        let mut state = self.begin(CallKind::CreateRoot, Path::new(ROOT))?;
        if state.disk.find(Path::new(ROOT)).is_ok() {
            return Ok(());
        }
        make_directory(&mut state.disk, Path::new(ROOT));
        let parent = state.disk.find(Path::new("/model"))?;
        state.disk.sync_directory(parent, |_, _| true)
    }

    fn root(&self) -> &Path {
        Path::new(ROOT)
    }

    fn filesystem(&self) -> io::Result<FilesystemKind> {
        self.begin(CallKind::Environment, Path::new(ROOT))
            .map(drop)?;
        Ok(FilesystemKind::Local)
    }

    fn boot_id(&self) -> io::Result<String> {
        let state = self.begin(CallKind::Environment, Path::new("boot_id"))?;
        Ok(state.boot_id.clone())
    }
}

fn inside(path: &RelPath) -> PathBuf {
    Path::new(ROOT).join(path)
}

fn make_directory(disk: &mut Disk, path: &Path) {
    if disk.find(path).is_ok() {
        return;
    }
    if let Some(parent) = path.parent() {
        make_directory(disk, parent);
    }
    let inode = disk.add(Node::Directory(DirectoryNode::default()));
    let place = disk.place(path).expect("its parent was made");
    disk.set(&place, Some(inode)).expect("a directory");
}
