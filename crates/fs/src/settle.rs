//! What becomes of a publication that was interrupted, and quarantine.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use artstore_core::Result;
use artstore_core::backend::SettledItem;
use artstore_core::format::IntentItem;
use artstore_core::layout::QUARANTINE;
use artstore_core::path::{MAX_COMPONENT_BYTES, RelPath, file_name_component};

use crate::store::Inner;
use crate::vfs::FileKind;

/// So many bytes of a path are kept in the name of a file in quarantine: its end, where the ids are.
const KEPT_PATH_BYTES: usize = 200;

impl Inner {
    pub(crate) fn settle_item(&self, item: &IntentItem) -> Result<SettledItem> {
        if self.size(&item.marker)?.is_none() {
            return self.take_back_item(item);
        }
        if let (Some(_), Some(adopted)) = (&item.adopted_from, item.before.first()) {
            let done = self.vfs.make_read_only(adopted);
            self.optional("make read-only", Some(adopted), done)?;
        }
        self.sync_chains(item, BTreeSet::new())?;
        Ok(SettledItem::Happened)
    }

    fn take_back_item(&self, item: &IntentItem) -> Result<SettledItem> {
        let mut now_at = Vec::new();
        let mut touched = BTreeSet::new();
        for (position, name) in item.before.iter().enumerate() {
            let found = self.optional("inspect", Some(name), self.vfs.metadata(name))?;
            if found.is_none_or(|found| found.kind != FileKind::File) {
                continue;
            }
            let origin = item.adopted_from.as_deref().filter(|_| position == 0);
            if let Some(origin) = origin
                && self.give_back(name, Path::new(origin))?
            {
                now_at.push(origin.to_owned());
                continue;
            }
            now_at.push(self.move_to_quarantine(name)?.to_string());
            touched.insert(Some(RelPath::new(QUARANTINE)?));
        }
        self.sync_chains(item, touched)?;
        Ok(SettledItem::TakenBack(now_at))
    }

    /// Whether an adopted file has its old name again. It cannot where that name is taken or cannot be reached; after any other
    /// failure it may be able to later.
    fn give_back(&self, name: &RelPath, origin: &Path) -> Result<bool> {
        match self.vfs.give_back(name, origin) {
            Ok(()) => Ok(true),
            Err(error) if is_lasting(error.kind()) => Ok(false),
            Err(error) => Err(self.failed("give back", Some(name), error)),
        }
    }

    /// Syncs every directory above the item's names that exists, and `others`.
    fn sync_chains(
        &self,
        item: &IntentItem,
        mut directories: BTreeSet<Option<RelPath>>,
    ) -> Result<()> {
        for name in item.before.iter().chain([&item.marker]) {
            let mut above = name.parent();
            while let Some(directory) = above {
                above = directory.parent();
                directories.insert(Some(directory));
            }
        }
        directories.insert(None);
        for directory in &directories {
            let synced = self.vfs.sync_directory(directory.as_ref());
            self.optional("sync", directory.as_ref(), synced)?;
        }
        Ok(())
    }

    pub(crate) fn quarantine(&self, path: &RelPath) -> Result<RelPath> {
        let now_at = self.move_to_quarantine(path)?;
        let directories = BTreeSet::from([None, now_at.parent(), path.parent()]);
        for directory in directories {
            self.vfs
                .sync_directory(directory.as_ref())
                .map_err(|error| self.failed("sync", directory.as_ref(), error))?;
        }
        Ok(now_at)
    }

    /// `quarantine/<fresh id>__<path with / replaced>`; nothing is synced.
    fn move_to_quarantine(&self, path: &RelPath) -> Result<RelPath> {
        let directory = RelPath::new(QUARANTINE)?;
        match self.vfs.create_directory(&directory) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(self.failed("create", Some(&directory), error));
            }
            _ => {}
        }
        let id = self.ids.next_id();
        let name = format!("{}__{}", id.as_hyphenated(), end_of(path.as_str()));
        let target = directory.join(&file_name_component(&name, MAX_COMPONENT_BYTES))?;
        self.vfs
            .rename_new(path, &target)
            .map_err(|error| self.failed("quarantine", Some(path), error))?;
        Ok(target)
    }
}

/// The last bytes of a path, from a character boundary on.
fn end_of(path: &str) -> &str {
    let start = path.len().saturating_sub(KEPT_PATH_BYTES);
    let start = (start..=path.len()).find(|start| path.is_char_boundary(*start));
    start.and_then(|start| path.get(start..)).unwrap_or(path)
}

/// Whether a name is taken or cannot be reached, now and later.
fn is_lasting(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::AlreadyExists
            | ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::CrossesDevices
            | ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
    )
}
