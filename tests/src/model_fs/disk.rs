//! Files and directories, as the kernel shows them and as a power loss would leave them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The number of a file or directory.
pub(super) type Inode = u64;

/// The number of the directory `/`.
pub(super) const TOP: Inode = 1;

/// A whole disk. Cloning it is cheap: nodes are shared until one of the clones changes them.
#[derive(Debug, Clone)]
pub struct Disk {
    pub(super) nodes: BTreeMap<Inode, Arc<Node>>,
    next: Inode,
    renames: u64,
}

/// A file or directory.
#[derive(Debug, Clone)]
pub(super) enum Node {
    File(FileNode),
    Directory(DirectoryNode),
}

/// A file: what is read now, what is durable, and every write in between.
#[derive(Debug, Clone, Default)]
pub(super) struct FileNode {
    pub(super) bytes: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) unsynced: Vec<Write>,
    /// The number of the call that wrote last.
    pub(super) modified: u64,
    pub(super) read_only: bool,
    /// A sync failed. As on Linux, later syncs report success, but what was written before stays lost.
    pub(super) sync_failed: bool,
    /// A sync was reported and put off, see [`super::Lie::SyncAfterNaming`].
    pub(super) sync_put_off: bool,
}

/// One write.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) offset: usize,
    pub(super) data: Vec<u8>,
}

/// A directory: the names that are shown now, the durable ones, and every change of a name in between.
#[derive(Debug, Clone, Default)]
pub(super) struct DirectoryNode {
    pub(super) entries: BTreeMap<OsString, Inode>,
    pub(super) durable: BTreeMap<OsString, Inode>,
    pub(super) unsynced: Vec<EntryChange>,
}

/// One change of a name in a directory.
#[derive(Debug, Clone)]
pub(super) struct EntryChange {
    pub(super) name: OsString,
    /// What the name stands for afterwards; `None` if it is gone.
    pub(super) result: Option<Inode>,
    /// The move of a user's file that this change is one half of.
    pub(super) user_move: Option<UserMove>,
}

/// A move across the border of the root. No system call moves a user's file more safely than one rename, which every
/// filesystem with a journal keeps whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UserMove {
    pub(super) number: u64,
    pub(super) inode: Inode,
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) directory: Inode,
    pub(super) name: OsString,
}

impl FileNode {
    pub(super) fn write(&mut self, offset: usize, data: &[u8]) {
        overlay(&mut self.bytes, offset, data);
        let data = data.to_vec();
        self.unsynced.push(Write { offset, data });
    }

    pub(super) fn sync(&mut self) {
        if self.sync_failed {
            return;
        }
        self.durable.clone_from(&self.bytes);
        self.unsynced.clear();
    }

    /// Every content that may be there after a power loss, the durable one first: any prefix of the unsynced writes,
    /// each of them also in half, and the size without the data.
    pub(super) fn survivors(&self) -> Vec<Vec<u8>> {
        let mut survivors = vec![self.durable.clone()];
        let mut content = self.durable.clone();
        for write in &self.unsynced {
            let mut torn = content.clone();
            overlay(&mut torn, write.offset, &write.data[..write.data.len() / 2]);
            survivors.push(torn);
            overlay(&mut content, write.offset, &write.data);
            survivors.push(content.clone());
        }
        if self.bytes.len() > self.durable.len() {
            let mut zeros = self.durable.clone();
            zeros.resize(self.bytes.len(), 0);
            survivors.insert(1, zeros);
        }
        let mut unique: Vec<Vec<u8>> = Vec::new();
        for survivor in survivors {
            if !unique.contains(&survivor) {
                unique.push(survivor);
            }
        }
        unique
    }
}

fn overlay(content: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(data);
}

impl Disk {
    /// An empty disk.
    pub(super) fn new() -> Self {
        let top = Arc::new(Node::Directory(DirectoryNode::default()));
        Self {
            nodes: BTreeMap::from([(TOP, top)]),
            next: TOP + 1,
            renames: 0,
        }
    }

    pub(super) fn file(&self, inode: Inode) -> io::Result<&FileNode> {
        match self.nodes.get(&inode).map(Arc::as_ref) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Directory(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn file_mut(&mut self, inode: Inode) -> io::Result<&mut FileNode> {
        match self.nodes.get_mut(&inode).map(Arc::make_mut) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Directory(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn directory(&self, inode: Inode) -> io::Result<&DirectoryNode> {
        match self.nodes.get(&inode).map(Arc::as_ref) {
            Some(Node::Directory(directory)) => Ok(directory),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn directory_mut(&mut self, inode: Inode) -> io::Result<&mut DirectoryNode> {
        match self.nodes.get_mut(&inode).map(Arc::make_mut) {
            Some(Node::Directory(directory)) => Ok(directory),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// What `path` stands for.
    pub(super) fn find(&self, path: &Path) -> io::Result<Inode> {
        let mut inode = TOP;
        for component in components(path) {
            inode = self.child(inode, component)?;
        }
        Ok(inode)
    }

    /// The directory of `path`, which must exist, and the last name of `path`, which need not.
    pub(super) fn place(&self, path: &Path) -> io::Result<Place> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let directory = self.find(parent)?;
        self.directory(directory)?;
        Ok(Place {
            directory,
            name: name.to_owned(),
        })
    }

    pub(super) fn at(&self, place: &Place) -> Option<Inode> {
        let directory = self.directory(place.directory).ok()?;
        directory.entries.get(&place.name).copied()
    }

    fn child(&self, directory: Inode, name: &OsStr) -> io::Result<Inode> {
        let directory = self.directory(directory)?;
        let child = directory.entries.get(name).copied();
        child.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Makes a file or directory without a name.
    pub(super) fn add(&mut self, node: Node) -> Inode {
        let inode = self.next;
        self.next += 1;
        self.nodes.insert(inode, Arc::new(node));
        inode
    }

    /// Gives `place` to `result`.
    pub(super) fn set(&mut self, place: &Place, result: Option<Inode>) -> io::Result<()> {
        self.set_moved(place, result, None)
    }

    pub(super) fn set_moved(
        &mut self,
        place: &Place,
        result: Option<Inode>,
        user_move: Option<UserMove>,
    ) -> io::Result<()> {
        let directory = self.directory_mut(place.directory)?;
        let name = place.name.clone();
        match result {
            Some(inode) => directory.entries.insert(name.clone(), inode),
            None => directory.entries.remove(&name),
        };
        directory.unsynced.push(EntryChange {
            name,
            result,
            user_move,
        });
        Ok(())
    }

    pub(super) fn next_user_move(&mut self, inode: Inode) -> UserMove {
        self.renames += 1;
        UserMove {
            number: self.renames,
            inode,
        }
    }

    /// Makes the names of a directory durable, as far as `is_synced` says so of what they stand for.
    pub(super) fn sync_directory(
        &mut self,
        inode: Inode,
        is_synced: impl Fn(&Self, Option<Inode>) -> bool,
    ) -> io::Result<()> {
        let mut directory = self.directory(inode)?.clone();
        let mut moved = Vec::new();
        let changes = std::mem::take(&mut directory.unsynced);
        for change in changes {
            let subject = change
                .result
                .or_else(|| directory.durable.get(&change.name).copied());
            if !is_synced(self, subject) {
                directory.unsynced.push(change);
                continue;
            }
            match change.result {
                Some(result) => directory.durable.insert(change.name, result),
                None => directory.durable.remove(&change.name),
            };
            moved.extend(change.user_move);
        }
        *self.directory_mut(inode)? = directory;
        for user_move in moved {
            self.sync_other_half(user_move);
        }
        Ok(())
    }

    fn sync_other_half(&mut self, user_move: UserMove) {
        for node in self.nodes.values_mut() {
            let Node::Directory(directory) = node.as_ref() else {
                continue;
            };
            let is_half = |change: &EntryChange| change.user_move == Some(user_move);
            let Some(position) = directory.unsynced.iter().position(is_half) else {
                continue;
            };
            let Node::Directory(directory) = Arc::make_mut(node) else {
                continue;
            };
            let change = directory.unsynced.remove(position);
            match change.result {
                Some(result) => directory.durable.insert(change.name, result),
                None => directory.durable.remove(&change.name),
            };
        }
    }

    /// Makes everything durable.
    pub(super) fn sync_all(&mut self) {
        for node in self.nodes.values_mut() {
            match Arc::make_mut(node) {
                Node::File(file) => file.sync(),
                Node::Directory(directory) => {
                    directory.durable.clone_from(&directory.entries);
                    directory.unsynced.clear();
                }
            }
        }
    }

    pub(super) fn links(&self, inode: Inode) -> u64 {
        let names = self.nodes.values().map(|node| match node.as_ref() {
            Node::File(_) => 0,
            Node::Directory(directory) => directory
                .entries
                .values()
                .filter(|entry| **entry == inode)
                .count(),
        });
        names.sum::<usize>() as u64
    }

    /// Every file with its path, in the order of the paths.
    pub fn files(&self) -> Vec<(String, &[u8])> {
        let mut files = Vec::new();
        self.walk(TOP, "", &mut files);
        files
    }

    fn walk<'a>(&'a self, inode: Inode, path: &str, files: &mut Vec<(String, &'a [u8])>) {
        match self.nodes.get(&inode).map(Arc::as_ref) {
            Some(Node::File(file)) => files.push((path.to_owned(), &file.bytes)),
            Some(Node::Directory(directory)) => {
                for (name, child) in &directory.entries {
                    self.walk(*child, &format!("{path}/{}", name.display()), files);
                }
            }
            None => {}
        }
    }

    /// Forgets what has no name and cannot get one back: after a kill, a loss of power may still bring back a name that
    /// was removed but whose directory was not synced.
    pub(super) fn forget_unreachable(&mut self) {
        let mut reachable = std::collections::BTreeSet::new();
        let mut open = vec![TOP];
        while let Some(inode) = open.pop() {
            if !reachable.insert(inode) {
                continue;
            }
            if let Ok(directory) = self.directory(inode) {
                open.extend(directory.entries.values());
                open.extend(directory.durable.values());
                open.extend(directory.unsynced.iter().filter_map(|change| change.result));
            }
        }
        self.nodes.retain(|inode, _| reachable.contains(inode));
    }
}

fn components(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        std::path::Component::Normal(name) => Some(name),
        _ => None,
    })
}
